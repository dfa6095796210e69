"""Named functions with typed settings: what effects and refinements have in common.

A step is a function whose keyword arguments are its settings. The signature is the only place where a setting
is
stated: its type and its `Annotated` note give validation, flags, forms, the JSON schema and the docs.

>>> from cleancut.matting.effects import effects
>>> effects.parse("blur:radius=20")
Step(name='blur', settings=(('radius', 20.0),))
>>> effects.parse("blur:radius=soft")
Traceback (most recent call last):
    ...
cleancut.errors.BadSetting: The setting radius of blur must be a number from 0 to 500 px, not 'soft'.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar

from cleancut.errors import BadSetting, BadTable, UnknownEffect
from cleancut.matting.settings import Asset, Choice, Kind, Switch
from cleancut.types import Picture, Step, Value

Function = Callable[..., Any]
F = TypeVar("F", bound=Function)


@dataclass(frozen=True, slots=True)
class Setting:
    """One keyword argument of a step."""

    name: str
    kind: Kind
    default: Value | None  # None: it must be given


@dataclass(frozen=True, slots=True)
class Entry(Generic[F]):
    """A function that is a step, with its settings."""

    name: str
    function: F
    settings: Mapping[str, Setting]

    @property
    def takes(self) -> int:
        """How many things it works on, besides its settings."""
        parameters = inspect.signature(self.function).parameters.values()
        return sum(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters)

    @property
    def doc(self) -> str:
        """The first sentence of its docstring."""
        return (inspect.getdoc(self.function) or "").split("\n\n", maxsplit=1)[0].replace("\n", " ")

    def schema(self) -> dict[str, Any]:
        """Describe it in JSON schema: an object with its name and settings."""
        shown = {
            setting.name: {
                **setting.kind.schema(),
                **({} if setting.default is None else {"default": setting.default}),
            }
            for setting in self.settings.values()
        }
        needed = [setting.name for setting in self.settings.values() if setting.default is None]
        return {
            "type": "object",
            "description": self.doc,
            "properties": {"name": {"const": self.name}, **shown},
            "required": ["name", *needed],
            "additionalProperties": False,
        }

    def step(self, given: Mapping[str, object]) -> Step:
        """Check settings and complete them with the defaults, so that equal work is equal data.

        Raises:
            BadSetting: a name is unknown, a value does not fit, or one is missing.
        """
        if unknown := set(given) - set(self.settings):
            raise BadSetting(f"{self.name} has no setting {min(unknown)}; it has {', '.join(self.settings) or 'none'}.")
        return Step(self.name, tuple(sorted((name, self._value(name, given)) for name in self.settings)))

    def _value(self, name: str, given: Mapping[str, object]) -> Value:
        setting = self.settings[name]
        if name not in given:
            if setting.default is None:
                raise BadSetting(f"{self.name} needs the setting {name}: {setting.kind}.")
            return setting.default
        try:
            return setting.kind.read(given[name])
        except (ValueError, OverflowError):
            raise BadSetting(
                f"The setting {name} of {self.name} must be {setting.kind}, not {given[name]!r}."
            ) from None


class Catalogue(Generic[F]):
    """The steps of one noun ("effect"), by name, in the order they were written."""

    def __init__(self, noun: str) -> None:
        self.noun = noun
        self._entries: dict[str, Entry[F]] = {}

    def __call__(self, function: F) -> F:
        """Enter a function; its name with - for _ is the step's name.

        Raises:
            BadTable: another module has entered one of that name.
        """
        name = function.__name__.rstrip("_").replace("_", "-")
        taken = self._entries.get(name)
        if taken is not None and taken.function.__module__ != function.__module__:
            both = f"in {taken.function.__module__} and in {function.__module__}"
            raise BadTable(f"There are two {self.noun}s {name}, {both}; rename one.")
        self._entries[name] = Entry(name, function, _settings(function))
        return function

    def __iter__(self) -> Iterator[Entry[F]]:
        return iter(self._entries.values())

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __getitem__(self, name: str) -> Entry[F]:
        if name in self._entries:
            return self._entries[name]
        near = difflib.get_close_matches(name, self._entries, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(self._entries)}."
        raise UnknownEffect(f"There is no {self.noun} {name!r}; {hint}")

    def parse(self, text: str) -> Step:
        """Read `name`, `name:value` (for the first setting) or `name:key=value,key=value`.

        Raises:
            UnknownEffect: there is no such name.
            BadSetting: a setting does not fit.
        """
        name, _, rest = text.strip().partition(":")
        entry = self[name]
        return entry.step(_pairs(rest, entry))

    def step(self, given: Mapping[str, object]) -> Step:
        """Read a step from JSON: `{"name": "blur", "radius": 12}`."""
        settings = dict(given)
        return self[str(settings.pop("name", ""))].step(settings)

    def bind(self, step: Step, assets: Mapping[str, Picture]) -> Callable[..., Any]:
        """Give the step's function with its settings filled in, pictures in place of their names.

        Raises:
            BadSetting: a picture the step names was not handed over.
        """
        entry = self[step.name]
        settings = dict(step.settings)
        return functools.partial(
            entry.function,
            **{
                name: _asset(entry, str(value), assets) if isinstance(entry.settings[name].kind, Asset) else value
                for name, value in settings.items()
            },
        )

    def schema(self) -> dict[str, Any]:
        """Describe any one step of this catalogue."""
        return {"oneOf": [entry.schema() for entry in self]}


def text_of(step: Step) -> str:
    """Write a step as `Catalogue.parse` reads it.

    >>> text_of(Step("blur", (("radius", 12.0),)))
    'blur:radius=12'
    """
    shown = ",".join(f"{name}={_shown(value)}" for name, value in step.settings)
    return f"{step.name}:{shown}" if shown else step.name


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _pairs(text: str, entry: Entry[Any]) -> dict[str, object]:
    """Split `key=value,key=value`; a comma that no key follows belongs to the value before it."""
    pairs: dict[str, object] = {}
    last = next(iter(entry.settings), "")
    for part in text.split(",") if text else ():
        key, equals, value = part.partition("=")
        if equals and re.fullmatch(r"\s*[a-z][a-z_-]*\s*", key):
            last = key.strip()
            pairs[last] = value
        elif last in pairs:
            pairs[last] = f"{pairs[last]},{part}"
        elif pairs or not last:
            raise BadSetting(f"Write the settings of {entry.name} as key=value, not {part!r}.")
        else:
            pairs[last] = part
    return pairs


def _asset(entry: Entry[Any], name: str, assets: Mapping[str, Picture]) -> Picture:
    if name not in assets:
        raise BadSetting(f"{entry.name} needs the picture {name!r}; hand it over with the recipe.")
    return assets[name]


def _settings(function: Function) -> dict[str, Setting]:
    hints = typing.get_type_hints(function, include_extras=True)
    keywords = [p for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
    return {
        p.name: Setting(p.name, _kind(hints[p.name]), None if p.default is p.empty else p.default) for p in keywords
    }


def _kind(hint: Any) -> Kind:
    """Tell the kind of setting from a type hint; a hint that tells none is a mistake of ours."""
    if typing.get_origin(hint) is Annotated:
        return typing.cast(Kind, next(note for note in hint.__metadata__ if hasattr(note, "schema")))
    if typing.get_origin(hint) is Literal:
        return Choice(typing.get_args(hint))
    if hint is bool:
        return Switch()
    raise TypeError(f"{hint} tells no kind of setting")
