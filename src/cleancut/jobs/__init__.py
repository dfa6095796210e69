"""Many pictures: work that outlives the request, or the process, that asked for it."""
