"""An example of a plug-in for cleancut."""

from pathlib import Path

TABLES = Path(__file__).with_name("models.toml")
