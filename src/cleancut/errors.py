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


class TooSlow(BadInput):
    """What was to be handed over did not come in time."""

    http_status = 408


class WrongType(BadInput):
    """It is written in a way (a type of content, a coding) that is not read."""

    http_status = 415


class NotFound(BadInput):
    """There is nothing of that name or at that address."""

    http_status = 404


class WrongMethod(BadInput):
    """The address is there, and takes another method."""

    http_status = 405


class BadRecipe(BadInput):
    """The recipe asks for something that does not exist or does not fit."""

    http_status = 422


class UnknownModel(BadRecipe):
    """No table of that name."""


class UnknownEffect(BadRecipe):
    """No effect or refinement of that name."""


class UnknownPreset(BadRecipe):
    """No recipe of that name."""


class BadSetting(BadRecipe):
    """A setting has a wrong name, type or range."""


class BadCall(BadInput):
    """A request breaks the rules of another service's wire format, which has a word for that.

    Args:
        message: the sentence.
        code: that service's word for it, such as "invalid_roi"; empty where it has none.
        detail: more about this case, where that service says more.
    """

    def __init__(self, message: str, code: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.detail = detail


class BadTable(BadInput):
    """A models.toml, a plug-in or a file of ours has a mistake."""


class CannotWrite(CleancutError):
    """A result cannot be put where it was asked for (exists, read-only, disk full)."""

    exit_code = 2
    http_status = 500


class NoSpace(CannotWrite):
    """Nothing more can be written there: the disk is full or read-only."""


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


class Busy(CleancutError):
    """There is more to do than this machine can; the same request may succeed later.

    Args:
        message: the sentence.
        retry_after: seconds after which it is worth another try.
    """

    exit_code = 75
    http_status = 429

    def __init__(self, message: str, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class QueueFull(Busy):
    """The waiting room is full."""


class TooManyRequests(Busy):
    """The key's megapixels of this minute are used up."""


class Deadline(Busy):
    """The work was not done in the time it was given."""

    http_status = 504


class Closing(Busy):
    """The service is about to end and takes no new work."""

    http_status = 503


class TooManyJobs(Busy):
    """A caller has as many jobs, or as much in them, as one may have."""


class NoRoom(Busy):
    """The disk, or the share of it that jobs may fill, is full."""

    http_status = 507


class InUse(Busy):
    """Another process of ours is at work on it."""


class JobError(BadInput):
    """What is asked of a job cannot be had."""


class NoSuchEdit(BadInput):
    """There is no edit of that id: it expired, was dropped for others, or is another caller's."""

    http_status = 410


class NoSuchJob(JobError):
    """There is no job of that id, or it is another caller's."""

    http_status = 404


class NotDone(JobError):
    """The job has not ended yet."""

    http_status = 409


class Wiped(JobError):
    """The job was cancelled; nothing of it is kept."""

    http_status = 410


class KeyReused(JobError):
    """An idempotency key came before with another request."""

    http_status = 422


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


class ClusterFailed(Broken):
    """The cluster that was to do the work is away, too small, or cannot start workers."""

    exit_code = 75
    http_status = 503


class ModelServerFailed(DeviceFailed):
    """A server that runs networks for us is away, refuses, or does not serve what is asked for."""

    http_status = 503

    @property
    def public(self) -> str:
        """A stranger learns that it failed, not where the server is."""
        return "Pictures cannot be worked on at the moment; try again later."


class ModelServerSlow(ModelServerFailed):
    """A server that runs networks for us did not answer in time."""

    exit_code = 75
    http_status = 504


class ModelFailed(Broken):
    """The network cannot be loaded, or answered with something that is not an alpha."""


class TooLossy(CleancutError):
    """A smaller variant of a network answers too differently from it."""


class Stopped(CleancutError):
    """The caller asked for the work to end before it was done."""

    exit_code = 130
    http_status = 503


class UrlsOff(BadInput):
    """An address was given to a service that fetches none."""

    http_status = 403


class BadUrl(BadInput):
    """An address is not one that may be fetched."""


class FetchFailed(BadInput):
    """An address may be fetched, and what is there did not come or cannot be used."""


class Refused(CleancutError):
    """The caller may not do this."""

    exit_code = 77
    http_status = 403


class NoKey(Refused):
    """A key is needed, and none was given."""


class WrongKey(Refused):
    """The key that was given is unknown, revoked or expired."""


class NotAllowed(Refused):
    """The key has no such scope, or the request comes from where none may come."""


class OverQuota(Refused):
    """The key's pictures of this month are used up."""

    http_status = 402


class KeysFailed(Broken):
    """Keys, rates or quotas cannot be looked up or counted."""

    http_status = 503

    @property
    def public(self) -> str:
        """A stranger learns that it failed, not which file or server it is."""
        return "Keys cannot be checked at the moment; try again later."


class AuditFailed(Broken):
    """What was done cannot be written down, where it must be."""

    http_status = 503

    @property
    def public(self) -> str:
        """A stranger learns that it failed, not where the log lies."""
        return "The service cannot keep its records at the moment; try again later."


class JobsFailed(Broken):
    """Jobs cannot be written down or looked up."""

    http_status = 503

    @property
    def public(self) -> str:
        """A stranger learns that it failed, not where jobs are kept."""
        return "Jobs cannot be looked up at the moment; try again later."


class StorageFailed(Broken):
    """Pictures cannot be put where several machines share them, or be had from there."""

    http_status = 503

    @property
    def public(self) -> str:
        """A stranger learns that it failed, not where pictures lie."""
        return "Pictures cannot be stored at the moment; try again later."


class GivenUp(Broken):
    """Work on a picture was begun several times, and each time the process ended."""

    @property
    def public(self) -> str:
        """That it was tried is no secret."""
        return "The service ended each time it worked on this picture, so it is not tried again."
