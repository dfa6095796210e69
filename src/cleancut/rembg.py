"""rembg's names: `from cleancut.rembg import remove, new_session`.

>>> from cleancut.apps.scene import scene
>>> session = new_session("cleancut-small")
>>> remove(scene(96, 120).photo.rgb, session=session, only_mask=True).shape
(120, 96)
"""

from cleancut.apps.rembg.api import remove
from cleancut.apps.rembg.sessions import Session, new_session

__all__ = ["Session", "new_session", "remove"]
