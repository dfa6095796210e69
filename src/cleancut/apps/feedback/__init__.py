"""What callers say of results: one store, filled by /v1/feedback and /v1.0/improve, read by `cleancut feedback`."""
