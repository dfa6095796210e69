import inspect

import pytest

from cleancut import errors
from cleancut.errors import CleancutError

TREE = {
    # name: (parent, exit code, HTTP status)
    "BadInput": ("CleancutError", 2, 400),
    "NotAPicture": ("BadInput", 2, 400),
    "TooBig": ("BadInput", 2, 413),
    "TooSlow": ("BadInput", 2, 408),
    "WrongType": ("BadInput", 2, 415),
    "NotFound": ("BadInput", 2, 404),
    "WrongMethod": ("BadInput", 2, 405),
    "BadRecipe": ("BadInput", 2, 422),
    "UnknownModel": ("BadRecipe", 2, 422),
    "UnknownEffect": ("BadRecipe", 2, 422),
    "UnknownPreset": ("BadRecipe", 2, 422),
    "BadSetting": ("BadRecipe", 2, 422),
    "BadCall": ("BadInput", 2, 400),
    "BadTable": ("BadInput", 2, 400),
    "CannotWrite": ("CleancutError", 2, 500),
    "WeightsError": ("CleancutError", 3, 503),
    "NotDownloaded": ("WeightsError", 3, 503),
    "WrongHash": ("WeightsError", 3, 503),
    "NotAccepted": ("WeightsError", 3, 403),
    "Offline": ("WeightsError", 3, 503),
    "DownloadFailed": ("WeightsError", 3, 503),
    "Busy": ("CleancutError", 75, 429),
    "QueueFull": ("Busy", 75, 429),
    "Deadline": ("Busy", 75, 504),
    "Closing": ("Busy", 75, 503),
    "Broken": ("CleancutError", 1, 500),
    "DeviceFailed": ("Broken", 1, 500),
    "ModelFailed": ("Broken", 1, 500),
    "TooLossy": ("CleancutError", 1, 500),
    "Stopped": ("CleancutError", 130, 503),
    "TooManyJobs": ("Busy", 75, 429),
    "NoRoom": ("Busy", 75, 507),
    "JobError": ("BadInput", 2, 400),
    "NoSuchEdit": ("BadInput", 2, 410),
    "NoSuchJob": ("JobError", 2, 404),
    "NotDone": ("JobError", 2, 409),
    "Wiped": ("JobError", 2, 410),
    "KeyReused": ("JobError", 2, 422),
    "JobsFailed": ("Broken", 1, 503),
    "GivenUp": ("Broken", 1, 500),
    "TooManyRequests": ("Busy", 75, 429),
    "UrlsOff": ("BadInput", 2, 403),
    "BadUrl": ("BadInput", 2, 400),
    "FetchFailed": ("BadInput", 2, 400),
    "Refused": ("CleancutError", 77, 403),
    "NoKey": ("Refused", 77, 403),
    "WrongKey": ("Refused", 77, 403),
    "NotAllowed": ("Refused", 77, 403),
    "OverQuota": ("Refused", 77, 402),
    "KeysFailed": ("Broken", 1, 503),
    "AuditFailed": ("Broken", 1, 503),
    "ClusterFailed": ("Broken", 75, 503),
    "InUse": ("Busy", 75, 429),
    "ModelServerFailed": ("DeviceFailed", 1, 503),
    "ModelServerSlow": ("ModelServerFailed", 75, 504),
    "NoSpace": ("CannotWrite", 2, 500),
    "StorageFailed": ("Broken", 1, 503),
}
CLASSES = {
    name: kind
    for name, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, CleancutError) and kind is not CleancutError
}


def test_the_tree_is_the_one_that_is_documented():
    found = {name: (kind.__base__.__name__, kind.exit_code, kind.http_status) for name, kind in CLASSES.items()}
    assert found == TREE


@pytest.mark.parametrize("kind", CLASSES.values(), ids=CLASSES)
def test_every_failure_says_what_it_is_for(kind):
    assert kind.__doc__
    assert 100 <= kind.http_status < 600
    assert 0 < kind.exit_code < 256


@pytest.mark.parametrize("kind", CLASSES.values(), ids=CLASSES)
def test_a_stranger_learns_what_he_did_and_not_what_we_did(kind):
    shown = kind("/srv/secret is full").public
    hidden = issubclass(kind, errors.Broken) and kind is not errors.DeviceFailed
    assert ("secret" in shown) is not hidden
    assert shown.endswith(("full", "."))
