"""Other services' wire formats, where they cost a row of a table: `rows.py`."""

from cleancut.apps.server.lookalikes.routes import router, words

__all__ = ["router", "words"]
