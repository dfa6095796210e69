"""`cleancut plan`: from pictures a day to processors, memory, bytes and machines."""
