import dataclasses
import os

import pytest

from cleancut import limits
from cleancut.errors import BadSetting
from cleancut.limits import Limits, ServiceLimits


def test_the_defaults_suit_a_command_line():
    assert Limits() == Limits(max_bytes=1_000_000_000, max_pixels=250_000_000)
    assert Limits.from_env({}) == Limits()


@pytest.mark.parametrize(
    ("text", "value"), [("5", 5), (" 50e6 ", 50_000_000), ("1_000", 1000), ("2.9", 2), ("", 250_000_000)]
)
def test_a_limit_is_taken_from_the_environment(text, value):
    assert Limits.from_env({"CLEANCUT_MAX_PIXELS": text}).max_pixels == value


def test_the_environment_is_the_process_s(monkeypatch):
    monkeypatch.setenv("CLEANCUT_MAX_BYTES", "64e6")
    assert Limits.from_env() == Limits(max_bytes=64_000_000)


def test_a_service_takes_smaller_ones_and_some_of_its_own():
    service = ServiceLimits.from_env({"CLEANCUT_WAITING": "7", "CLEANCUT_MAX_PIXELS": "5e6"})
    assert (service.waiting, service.max_pixels) == (7, 5_000_000)
    assert ServiceLimits().max_pixels < Limits().max_pixels
    assert all(field.metadata["doc"].endswith(".") for field in dataclasses.fields(ServiceLimits))
    with pytest.raises(BadSetting, match="workers must be at least 1"):
        ServiceLimits(workers=0)


@pytest.mark.parametrize("text", ["many", "nan", "inf", "-inf", "1e999", "0x10"])
def test_what_is_no_number_names_the_variable(text):
    with pytest.raises(BadSetting, match=f"CLEANCUT_MAX_BYTES must be a number, not '{text}'"):
        Limits.from_env({"CLEANCUT_MAX_BYTES": text})


@pytest.mark.parametrize("text", ["0", "-5", "0.5"])
def test_a_limit_of_nothing_is_refused(text):
    with pytest.raises(BadSetting, match="max_pixels must be at least 1"):
        Limits.from_env({"CLEANCUT_MAX_PIXELS": text})


def write(root, **files):
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("max 100000\n", None),
        ("200000 100000\n", 2),
        ("150000 100000", 2),
        ("50000 100000", 1),
        ("1 2 3", None),
        ("", None),
        ("a b", None),
    ],
)
def test_the_second_version_of_cgroups(tmp_path, text, count):
    write(tmp_path, cpu_dot_max=text)
    assert limits._cgroup_processors(tmp_path) == count


@pytest.mark.parametrize(("quota", "count"), [("-1\n", None), ("400000\n", 4), ("10000", 1)])
def test_the_first_version_of_cgroups(tmp_path, quota, count):
    write(tmp_path, cpu__cpu_dot_cfs_quota_us=quota, cpu__cpu_dot_cfs_period_us="100000\n")
    assert limits._cgroup_processors(tmp_path) == count


def test_no_cgroup_is_no_limit(tmp_path):
    assert limits._cgroup_processors(tmp_path) is None


@pytest.mark.parametrize(("cgroup", "affinity", "count"), [(None, {0, 1, 2}, 3), (2, {0, 1, 2}, 2), (8, {0}, 1)])
def test_the_narrower_limit_counts(monkeypatch, cgroup, affinity, count):
    monkeypatch.setattr(limits, "_cgroup_processors", lambda root: cgroup)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: affinity, raising=False)
    assert limits._processors.__wrapped__() == count
