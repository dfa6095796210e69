"""Keys: who may use a service, how fast and how much, and what they used."""
