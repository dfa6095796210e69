"""rembg, spelled as recipes: its API, its commands and their work."""
