"""`cleancut batch`: many pictures in, as many results out, and a journal to continue from."""
