"""A multipart body taken apart as it comes (RFC 7578), in memory, under limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from cleancut.errors import BadInput, TooBig
from cleancut.limits import ServiceLimits

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks


@dataclass(slots=True)
class Part:
    """One part, as it grows.

    Attributes:
        headers: by name in small letters.
        data: its bytes.
    """

    headers: dict[str, bytes] = field(default_factory=dict)
    data: bytearray = field(default_factory=bytearray)

    @property
    def content_type(self) -> str:
        """What the sender says it is."""
        return self.headers.get("content-type", b"").decode("latin-1")

    def named(self) -> tuple[str, str | None]:
        """Give the name of its field, and of its file where it is one.

        Raises:
            BadInput: its field has no name.
        """
        _, options = parse_options_header(self.headers.get("content-disposition", b""))
        if b"name" not in options:
            raise BadInput("A part of the multipart form has no name.")
        filename = options.get(b"filename")
        return text_of(options[b"name"]), None if filename is None else text_of(filename)


class Parts:
    """Takes a body apart.

    Args:
        content_type: of the body, with its boundary.
        limits: on files and fields.

    Raises:
        BadInput: there is no boundary, or not a usable one.
    """

    def __init__(self, content_type: str, limits: ServiceLimits) -> None:
        self.parts: list[tuple[str, str | None, Part]] = []
        self._limits = limits
        self._part, self._header, self._value = Part(), bytearray(), bytearray()
        self._ended = False
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._keep_header,
            "on_headers_finished": self._name,
            "on_part_data": lambda data, start, end: self._part.data.extend(data[start:end]),
            "on_end": self._end,
        }
        _, options = parse_options_header(content_type.encode("latin-1", "replace"))
        try:
            self._parser = MultipartParser(options.get(b"boundary", b""), callbacks)
        except FormParserError:
            raise BadInput("The multipart form has a boundary that cannot be used.") from None

    def write(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises:
            BadInput: they are no multipart form.
            TooBig: there are too many files or fields.
        """
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise BadInput("The multipart form cannot be read; check its boundary and its parts' headers.") from None

    def close(self) -> None:
        """Check that the form is complete.

        Raises:
            BadInput: it is not.
        """
        if not self._ended:
            raise BadInput("The multipart form ends in the middle.")

    def _begin(self) -> None:
        self._part = Part()

    def _keep_header(self) -> None:
        self._part.headers[self._header.decode("latin-1").lower()] = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _name(self) -> None:
        name, filename = self._part.named()
        self.parts.append((name, filename, self._part))
        files = sum(filename is not None for _, filename, _ in self.parts)
        if files > self._limits.max_files or len(self.parts) - files > self._limits.max_fields:
            raise TooBig(f"The form has more than {self._limits.max_files} files or {self._limits.max_fields} fields.")

    def _end(self) -> None:
        self._ended = True


def text_of(data: bytes | bytearray) -> str:
    """Read text that a stranger wrote, as UTF-8 with a sign for what is none."""
    return data.decode("utf-8", "replace")
