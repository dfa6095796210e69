"""How pictures come and go: formats, metadata, encoders, files."""
