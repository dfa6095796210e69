"""The same recipes on many machines, by Ray: a batch whose cutting is done elsewhere, and datasets."""
