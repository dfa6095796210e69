"""What goes wrong, in remove.bg's words: a table of its codes, and which of our errors say the same.

Titles and details follow its published API description; every code is a 4xx, and none is ever charged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cleancut.errors import (
    BadCall,
    BadInput,
    BadRecipe,
    Busy,
    CleancutError,
    NoKey,
    NotAPicture,
    OverQuota,
    Refused,
    TooBig,
    WrongKey,
)


@dataclass(frozen=True, slots=True)
class Text:
    """What one code says; names in braces are filled in."""

    title: str
    detail: str = ""


def _parameter(name: str) -> Text:
    return Text(f"Invalid {name} parameter given")


def _word(name: str) -> Text:
    return Text(f"Invalid value for parameter '{name}'")


CODES: Mapping[str, Text] = {
    "failed_bg_download": Text("Failed to download background image from given image_url: {reason}"),
    "failed_image_download": Text("Failed to download image from given image_url: {reason}"),
    "failed_to_read_image": Text("There was an error reading the image."),
    "file_too_large": Text("File too large", "File exceeds limit of {limit}"),
    "invalid_bg_color": _parameter("bg_color"),
    "invalid_bg_image_url": Text("Invalid bg_image_url: Please provide a valid URL."),
    "invalid_channels": _word("channels"),
    "invalid_crop_margin": _parameter("crop_margin"),
    "invalid_dimensions": Text(
        "Failed to read image dimensions", "The dimensions of the given image could not be read."
    ),
    "invalid_file_type": Text("Invalid file type", "{reason}"),
    "invalid_format": _parameter("format"),
    "invalid_image_url": Text("Invalid image_url: Please provide a valid URL."),
    "invalid_position": _parameter("position"),
    "invalid_roi": _parameter("roi"),
    "invalid_scale": _parameter("scale"),
    "invalid_semitransparency": _parameter("semitransparency"),
    "invalid_size": _word("size"),
    "missing_source": Text(
        "No image given", "Please provide the source image in the image_url, image_file or image_file_b64 parameter."
    ),
    "multiple_bg_sources": Text(
        "Multiple background sources given: Please provide either the bg_color, the bg_image_url or the bg_image_file "
        "parameter."
    ),
    "multiple_sources": Text(
        "Multiple image sources given: Please provide either the image_url, image_file or image_file_b64 parameter."
    ),
    "resolution_too_high": Text("Image resolution too high", "{reason}"),
    "roi_exceeds_bounds": Text(
        "ROI exceeds image bounds", "The given roi parameter defines a region that exceeds the image bounds"
    ),
    "roi_region_empty": Text("ROI region is empty", "The given roi parameter defines an empty region"),
    "unknown_foreground": Text("Could not identify foreground in image."),
}
"""Every code of its API description, all of status 400."""

OURS: Mapping[str, Text] = {
    "feedback_off": Text("This service keeps no pictures", "It is told to with CLEANCUT_FEEDBACK_DIR."),
    "invalid_add_shadow": _parameter("add_shadow"),
    "invalid_crop": _parameter("crop"),
    "invalid_image_filename": _parameter("image_filename"),
    "invalid_image_file_b64": Text("Invalid image_file_b64: Please provide base64."),
    "invalid_request": Text("{reason}"),
    "invalid_shadow_opacity": _parameter("shadow_opacity"),
    "invalid_shadow_type": _parameter("shadow_type"),
    "invalid_tag": _parameter("tag"),
    "invalid_type": _word("type"),
    "invalid_type_level": _word("type_level"),
}
"""Codes for what its description leaves open, formed like its own."""


def bad(code: str, **facts: object) -> BadCall:
    """Make the error that a code stands for.

    >>> error = bad("failed_image_download", reason="HTTP Status 404")
    >>> error.code, str(error)
    ('failed_image_download', 'Failed to download image from given image_url: HTTP Status 404')
    """
    text = CODES.get(code) or OURS[code]
    return BadCall(text.title.format(**facts), code, text.detail.format(**facts))


@dataclass(frozen=True, slots=True)
class Told:
    """One failure as it is answered.

    Attributes:
        status: of HTTP.
        title: always there.
        code, detail: empty where remove.bg gives none.
    """

    status: int
    title: str
    code: str = ""
    detail: str = ""

    @property
    def body(self) -> dict[str, Any]:
        """The JSON of the answer."""
        more = {"code": self.code, "detail": self.detail}
        return {"errors": [{"title": self.title} | {name: text for name, text in more.items() if text}]}


def _bad_call(error: BadCall) -> Told:
    return Told(400, error.public, error.code, error.detail)


def _busy(error: Busy) -> Told:
    if error.http_status == 429:
        return Told(429, "Rate limit exceeded", detail=error.public)
    return Told(error.http_status, error.public)


_TOLD: Sequence[tuple[type[CleancutError], Callable[[Any], Told]]] = (
    (BadCall, _bad_call),
    (NotAPicture, lambda error: Told(400, CODES["failed_to_read_image"].title, "failed_to_read_image", error.public)),
    (TooBig, lambda error: Told(400, CODES["file_too_large"].title, "file_too_large", error.public)),
    (BadRecipe, lambda error: Told(400, error.public, "invalid_request")),
    (BadInput, lambda error: Told(error.http_status, error.public, "invalid_request")),
    (OverQuota, lambda error: Told(402, "Insufficient credits", detail=error.public)),
    (NoKey, lambda error: Told(403, "Missing API Key", detail=error.public)),
    (WrongKey, lambda error: Told(403, "API Key invalid", "auth_failed")),
    (Refused, lambda error: Told(403, error.public, "auth_failed")),
    (Busy, _busy),
    (CleancutError, lambda error: Told(error.http_status, error.public)),
)
"""The first kind that an error is of decides how it is told."""


def told(error: CleancutError) -> Told:
    """Tell an error of ours in remove.bg's words.

    >>> told(TooBig("photo.jpg has 40 megabytes; the limit is 32.")).body["errors"][0]["code"]
    'file_too_large'
    """
    return next(tell for kind, tell in _TOLD if isinstance(error, kind))(error)
