"""What the studio is made of: one picture, who shows it, and how much is too much."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

from cleancut.errors import CleancutError
from cleancut.limits import Limits, limit
from cleancut.matting.proof import Question
from cleancut.types import Picture, Stroke

State: TypeAlias = Literal["waiting", "working", "done", "failed"]

Encoded: TypeAlias = "bytes | Picture"
"""A picture as it is kept: as it came."""


@dataclass(frozen=True, slots=True)
class StudioLimits(Limits):
    """Limits of a studio; its pictures come from whatever browser shows the notebook."""

    max_bytes: int = limit(200_000_000, "Size of an encoded picture, in bytes.")
    max_pixels: int = limit(150_000_000, "Width times height, as the header states it.")
    max_pictures: int = limit(1_000, "Pictures in one studio.")
    max_held: int = limit(4_000_000_000, "Encoded pictures in one studio, in bytes.")
    max_uploads: int = limit(8, "Files that are on their way at once; the one that waits longest is forgotten.")
    max_chunk: int = limit(4_000_000, "Bytes in one message.")
    answer_bytes: int = limit(512_000_000, "What the models said, kept so that they are not asked again, in bytes.")
    proof_bytes: int = limit(256_000_000, "Small copies that previews are made of, in bytes.")


@dataclass(slots=True, eq=False)
class Item:
    """One picture of a studio. It belongs to the threads in which the kernel handles messages.

    Attributes:
        id: unguessable, and never given twice.
        name: no other picture of the studio has it.
        source: the picture; None where it was refused.
        strokes: what a person marked on it.
        state: waiting for a model, being looked at, done, or failed.
        failure: why it failed.
        asked: what the models were asked, once it is done.
        told: of its look: size, confidence and notes.
        thumb: a small WebP over a checkerboard, or the picture itself in small.
    """

    id: str
    name: str
    source: Encoded | None
    strokes: tuple[Stroke, ...] = ()
    state: State = "waiting"
    failure: BaseException | None = None
    asked: Question | None = None
    told: dict[str, Any] = field(default_factory=dict)
    thumb: bytes = b""

    @property
    def weight(self) -> int:
        """Bytes of the encoded picture; what came as an array belongs to whoever made it."""
        return len(self.source) if isinstance(self.source, bytes) else 0

    def shown(self) -> dict[str, Any]:
        """Tell the page of it."""
        kept = self.source is not None
        shown = {"id": self.id, "name": self.name, "state": self.state, "kept": kept, "error": sentence(self.failure)}
        return shown | self.told


class Page(Protocol):
    """Whoever shows the studio."""

    def tell(self, kind: str, *buffers: bytes, **content: Any) -> None:
        """Send a message."""

    def changed(self) -> None:
        """Note that the pictures, or the recipe, are others now."""

    def flush(self) -> None:
        """Show what has changed."""


def sentence(failure: BaseException | None) -> str:
    """Say why something failed; empty where nothing did."""
    if failure is None:
        return ""
    return str(failure) if isinstance(failure, CleancutError) else f"{type(failure).__name__}: {failure}"
