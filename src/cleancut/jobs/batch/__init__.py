"""Many pictures: whatever lists them in, results under names of their own out, and a journal to continue from."""
