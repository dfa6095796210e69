"""Run the command line: python -m cleancut."""

from cleancut.apps.cli import main

main()
