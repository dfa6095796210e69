"""The unknown band along an edge: where it is, and what alpha is in it."""
