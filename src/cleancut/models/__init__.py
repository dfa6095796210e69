"""Which networks exist, where their weights are, and what runs them."""
