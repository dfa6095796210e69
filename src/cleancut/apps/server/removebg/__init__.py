"""remove.bg's API v1.0, for clients that know no other: docs/removebg.md says what is the same and what was decided."""

from cleancut.apps.server.removebg.answers import failure
from cleancut.apps.server.removebg.routes import router

words = {"/v1.0": failure}
"""Failures at these addresses are told in remove.bg's words."""

__all__ = ["router", "words"]
