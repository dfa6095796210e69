"""Jupyter: a studio to cut pictures out with mouse and pen, and models beside each other. docs/notebook.md."""
