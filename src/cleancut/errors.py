"""The tree of failures: each knows its exit code, its HTTP status and the sentence a stranger may see.

A message is one sentence that says what to do. It may name what the caller handed over (a file, a setting),
never anything else of the machine.

>>> from cleancut.errors import TooBig
>>> TooBig("photo.jpg has 300 megapixels; the limit is 250.").http_status
413
"""

from __future__ import annotations


class CleancutError(Exception):
    """Every failure of this package that a caller can do something about."""

    exit_code: int = 1
    http_status: int = 500

    @property
    def public(self) -> str:
        """The sentence that may be shown to a stranger."""
        return str(self)


class BadInput(CleancutError):
    """What was handed over cannot be used."""

    exit_code = 2
    http_status = 400


class NotAPicture(BadInput):
    """The bytes are not a picture, or not one that can be read to its end."""


class TooBig(BadInput):
    """A limit on bytes, pixels or frames is exceeded."""

    http_status = 413


class BadRecipe(BadInput):
    """The recipe asks for something that does not exist or does not fit."""

    http_status = 422


class UnknownModel(BadRecipe):
    """No table of that name."""


class UnknownEffect(BadRecipe):
    """No effect or refinement of that name."""


class BadSetting(BadRecipe):
    """A setting has a wrong name, type or range."""


class BadTable(BadInput):
    """A models.toml, a plug-in or a file of ours has a mistake."""


class CannotWrite(CleancutError):
    """A result cannot be put where it was asked for (exists, read-only, disk full)."""

    exit_code = 2
    http_status = 500


class WeightsError(CleancutError):
    """The weights of a model are not usable on this machine."""

    exit_code = 3
    http_status = 503


class NotDownloaded(WeightsError):
    """The weights are not on this machine."""


class WrongHash(WeightsError):
    """The weights on this machine are not the ones the table names."""


class NotAccepted(WeightsError):
    """The weights' licence restricts their use, and nobody has accepted it."""

    http_status = 403


class Offline(WeightsError):
    """The weights would have to be downloaded, and the network is not to be used."""


class DownloadFailed(WeightsError):
    """A server, or the way to it, did not give what was asked for."""


class Broken(CleancutError):
    """Something in our hands failed; the caller did nothing wrong."""

    @property
    def public(self) -> str:
        """A stranger learns that it failed, not how."""
        return "The picture could not be processed; please report this."


class DeviceFailed(Broken):
    """The device that was asked for is absent or failed."""

    @property
    def public(self) -> str:
        """Which device is absent is no secret."""
        return str(self)


class ModelFailed(Broken):
    """The network cannot be loaded, or answered with something that is not an alpha."""


class TooLossy(CleancutError):
    """A smaller variant of a network answers too differently from it."""


class Stopped(CleancutError):
    """The caller asked for the work to end before it was done."""

    exit_code = 130
    http_status = 503
