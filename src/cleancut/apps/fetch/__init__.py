"""A stranger's address → bytes, without lending the stranger this machine's place in its network."""
