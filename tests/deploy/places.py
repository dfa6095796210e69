"""Where things lie, and how they are read."""

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def read(name):
    """A document of YAML under deploy/."""
    return yaml.safe_load((DEPLOY / name).read_text())
