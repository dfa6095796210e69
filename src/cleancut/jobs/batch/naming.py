"""How results are named: in the tree of their sources, by a pattern, and never two alike.

A pattern is a name with fields in braces: `{stem}` and `{name}` of the source, without and with its extension,
`{folder}` it lies in, `{ext}` of the result's format, `{variant}`, and `{index}` of the entry, from 1, which may be
padded as in `{index:04}`. A pattern without a slash names within the source's folder; one with a slash is the whole
path, so `./{stem}.{ext}` puts everything into one folder.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePosixPath

from cleancut.errors import BadInput, BadSetting, CannotWrite, CleancutError
from cleancut.jobs.batch.inside import inside
from cleancut.jobs.batch.nouns import PLAIN, Entry
from cleancut.pictures.files import shown

_FIELDS = ("stem", "name", "folder", "ext", "variant", "index")
_EXTENSIONS = {"jpeg": "jpg", "tiff": "tif"}
_MOST_ALIKE = 10
"""Pictures of a folder that may have one name but for their extensions, and one more spelling each."""

RESERVED = ".cleancut"
"""How the names of our own files begin."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that was checked.

    Attributes:
        text: as it is written.
        fields: names of the fields it has.
    """

    text: str
    fields: frozenset[str]

    @property
    def tells_apart(self) -> bool:
        """Whether it has another name to give where one is taken."""
        return "stem" in self.fields

    @classmethod
    def read(cls, text: str, variants: Iterable[str]) -> Pattern:
        """Check a pattern; an empty one is chosen by whether there are several variants.

        Raises:
            BadSetting: it has other fields, or would name all variants, or all pictures, alike.

        >>> Pattern.read("", ["white", "clear"]).text
        '{stem}_{variant}.{ext}'
        """
        several = set(variants) != {PLAIN}
        text = text or ("{stem}_{variant}.{ext}" if several else "{stem}.{ext}")
        try:
            parts = [part for part in string.Formatter().parse(text) if part[1] is not None]
        except ValueError:
            parts = [("", "", "", None)]
        if not all(_is_field(*part[1:]) for part in parts):
            told = ", ".join(f"{{{name}}}" for name in _FIELDS)
            raise BadSetting(f"The pattern {text!r} cannot be read; it may have {told}.")
        fields = frozenset(str(part[1]) for part in parts)
        if several and "variant" not in fields:
            raise BadSetting(f"The pattern {text!r} names all variants alike; put {{variant}} into it.")
        return cls(text, fields)

    def filled(self, source: str, variant: str, format: str, index: int, stem: str | None = None) -> str:
        """Name the result of a source; `stem` takes the place of its own."""
        path = PurePosixPath(source)
        values = _filled(path, variant, _EXTENSIONS.get(format, format), index)
        name = self.text.format(**values | ({} if stem is None else {"stem": stem}))
        return inside(name if "/" in self.text else f"{path.parent}/{name}")


@dataclass(frozen=True, slots=True)
class Named:
    """How the results of an entry are called, by variant, or why they have no names.

    Attributes:
        entry: the entry; `index` is its place among all, from 1.
        outputs: names by variant; empty with a failure.
        failure: why it cannot be named.
    """

    entry: Entry
    index: int
    outputs: Mapping[str, str]
    failure: CleancutError | None = None


class Names:
    """Gives names to results and keeps those it gave; case and the spelling of accents make no other name.

    Args:
        pattern: as `Pattern.read` takes it.
        formats: the format of each variant, where its recipe states one.
        past: names that earlier runs gave, by entry and variant.
        endless: whether entries come one by one; each must then be named by what it is called.

    Raises:
        BadSetting: the pattern is none.
    """

    def __init__(
        self,
        pattern: str,
        formats: Mapping[str, str | None],
        past: Mapping[tuple[str, str], str] | None = None,
        *,
        endless: bool = False,
    ) -> None:
        self.pattern = Pattern.read(pattern, formats)
        if endless and not self.pattern.fields & {"stem", "name"}:
            raise BadSetting(f"The pattern {self.pattern.text!r} cannot name what is to come; put {{stem}} into it.")
        self._formats = formats
        self._past = dict(past or {})
        self._owners: dict[str, str] = {}
        self._given: set[str] = set()
        self._index = 0

    def claim(self, entries: Iterable[Entry]) -> list[Named]:
        """Name the results of entries that are named together; give them in their order.

        Where two pictures of a folder would share a name, each keeps its extension, as in `left.jpg.png`, however the
        list is ordered. What has a name of an earlier run keeps it, if the pattern could have given it. An entry fails
        that comes twice, or whose name is another's already and cannot be changed.
        """
        numbered = list(enumerate(entries, self._index + 1))
        self._index += len(numbered)
        self._given.clear()
        self._reserve({entry.name for _, entry in numbered})
        sharing = Counter(name for index, entry in numbered for name in self._wished(entry, index))
        ranked = sorted(numbered, key=lambda pair: self._rank(pair[1], pair[0], sharing))
        named = {index: self._named(entry, index, sharing) for index, entry in ranked}
        return [named[index] for index, _ in numbered]

    def _reserve(self, listed: set[str]) -> None:
        """Leave the names of what is not listed any more to it, where the pattern has others to give."""
        if self.pattern.tells_apart:
            gone = {_folded(output): name for (name, _), output in self._past.items() if name not in listed}
            self._owners = gone | self._owners

    def _wished(self, entry: Entry, index: int) -> list[str]:
        """Give the names that an entry would have if it were alone; none where it states one, or may have none."""
        if entry.output is not None:
            return []
        try:
            return [_folded(self._plain(entry, index, variant)) for variant in self._formats]
        except CleancutError:
            return []  # told when it is named

    def _rank(self, entry: Entry, index: int, sharing: Counter[str]) -> int:
        """Say who chooses first: who cannot choose, who has chosen before, who shares with nobody, the rest."""
        if entry.output is not None:
            return 0
        if any((entry.name, variant) in self._past for variant in self._formats):
            return 1
        return 3 if any(sharing[name] > 1 for name in self._wished(entry, index)) else 2

    def _named(self, entry: Entry, index: int, sharing: Counter[str]) -> Named:
        outputs: dict[str, str] = {}
        try:
            if inside(entry.name) != entry.name:
                raise BadInput(f"{shown(entry.shown)} is no plain name inside the tree.")
            for variant in self._formats:
                outputs[variant] = self._free(entry, index, variant, sharing)
        except CleancutError as error:
            return Named(entry, index, {}, error)
        given = {_folded(output): entry.name for output in outputs.values()}
        self._owners.update(given)
        self._given.update(given)
        return Named(entry, index, outputs)

    def _free(self, entry: Entry, index: int, variant: str, sharing: Counter[str]) -> str:
        """Give the first name that is free, or this entry's already."""
        taken = ""
        for name in self._candidates(entry, index, variant, sharing):
            owner = self._owners.get(_folded(name), entry.name)
            if owner == entry.name and _folded(name) not in self._given:
                return name
            taken = taken or f"{shown(name)} is the result of {shown(owner)} already"
            if owner == entry.name and entry.output is None:
                taken = "it comes twice; state an output for each"
                break
        raise CannotWrite(f"{shown(entry.shown)} cannot be named: {taken}.")

    def _candidates(self, entry: Entry, index: int, variant: str, sharing: Counter[str]) -> Iterator[str]:
        """Give the names that an entry may have, the best first."""
        if entry.output is not None:
            yield _stated(entry.output, variant)
            return
        plain = self._plain(entry, index, variant)
        longer = (self._plain(entry, index, variant, stem) for stem in _stems(entry))
        listed = [plain, *(longer if self.pattern.tells_apart else ())]
        before = self._past.get((entry.name, variant))
        if before is not None and before in listed:
            yield before
        yield from listed[1:] if sharing[_folded(plain)] > 1 and len(listed) > 1 else listed

    def _plain(self, entry: Entry, index: int, variant: str, stem: str | None = None) -> str:
        format = str(entry.overrides.get("format") or self._formats[variant] or "png")
        return self.pattern.filled(entry.name, variant, format, index, stem)


def _is_field(name: str | None, spec: str | None, conversion: str | None) -> bool:
    """Tell whether what stands in braces is one of ours; only an index is padded, and not endlessly."""
    padded = name == "index" and re.fullmatch(r"0[1-9]", spec or "") is not None
    return name in _FIELDS and not conversion and (not spec or padded)


def _stems(entry: Entry) -> Iterator[str]:
    """Give what may stand for a stem that others have too."""
    name = PurePosixPath(entry.name).name
    return chain([name], (f"{name}-{number}" for number in range(2, _MOST_ALIKE)))


def _stated(output: str, variant: str) -> str:
    """Give the name that an entry states, each variant's its own.

    >>> _stated("shoes/left.png", "white")
    'shoes/left_white.png'
    """
    path = PurePosixPath(inside(output))
    if path.name.startswith(RESERVED):
        raise BadSetting(f"{shown(output)} begins with {RESERVED}, as our own files do; name it otherwise.")
    return str(path if variant == PLAIN else path.with_name(f"{path.stem}_{variant}{path.suffix}"))


def _filled(path: PurePosixPath, variant: str, ext: str, index: int) -> dict[str, object]:
    folder = "" if str(path.parent) == "." else str(path.parent)
    return {"stem": path.stem, "name": path.name, "folder": folder or ".", "ext": ext, "variant": variant,
            "index": index}  # fmt: skip


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
