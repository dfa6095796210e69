"""What is counted, under which labels, and that no stranger's text becomes one."""

import ast
from pathlib import Path

import pytest

import cleancut
from cleancut.apps.server.meter import NOW, STAGES, Bounded, Meter
from cleancut.apps.server.trail import Trail, follow
from cleancut.matting.stopwatch import Stopwatch

SOURCE = Path(cleancut.__file__).parent


def samples(meter):
    """Every sample by name, with its labels, as Prometheus sees it."""
    found = {}
    for metric in meter.registry.collect():
        for sample in metric.samples:
            found[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    return found


def value(meter, name, **labels):
    return samples(meter).get((name, tuple(sorted(labels.items()))))


def worked(**stages):
    watch = Stopwatch()
    for name, seconds in stages.items():
        watch.add(name, seconds)
    return watch


def test_a_request_counts_once_under_its_labels():
    meter = Meter()
    for status in (200, 200, 404):
        meter.request("/v1/cut", status, "u2netp", "k1", method="POST", seconds=0.2)
    labels = {"method": "POST", "route": "/v1/cut", "model": "u2netp", "key": "k1"}
    assert value(meter, "cleancut_requests_total", status="200", **labels) == 2
    assert value(meter, "cleancut_requests_total", status="404", **labels) == 1
    assert value(meter, "cleancut_request_seconds_count", route="/v1/cut") == 3
    assert value(meter, "cleancut_request_seconds_bucket", route="/v1/cut", le="0.1") == 0
    assert value(meter, "cleancut_request_seconds_bucket", route="/v1/cut", le="0.25") == 3


def test_a_method_that_a_stranger_invents_is_no_label():
    meter = Meter()
    meter.request("unmatched", 405, "", "", method="EVIL\n")
    assert (
        value(meter, "cleancut_requests_total", method="other", route="unmatched", status="405", model="", key="") == 1
    )


def test_stages_of_a_picture_are_counted_together_once():
    meter = Meter()
    meter.worked(worked(read=0.01, shrink=0.02, network=0.2, alpha=0.03, foreground=0.04, write=0.5))
    assert value(meter, "cleancut_stage_seconds_count", stage="network") == 1
    assert value(meter, "cleancut_stage_seconds_sum", stage="network") == pytest.approx(0.22)
    assert value(meter, "cleancut_stage_seconds_sum", stage="refine") == pytest.approx(0.07)
    assert value(meter, "cleancut_stage_seconds_sum", stage="encode") == pytest.approx(0.5)
    assert value(meter, "cleancut_stage_seconds_count", stage="waiting") == 0


def test_a_stage_of_a_plug_in_counts_as_other():
    meter = Meter()
    meter.worked(worked(sprinkle=0.1))
    assert value(meter, "cleancut_stage_seconds_sum", stage="other") == pytest.approx(0.1)


def stages_named_in(path):
    """Every constant that is handed to something called `stage`, or last to `timed`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            last = node.args[-1] if node.args else None
            if called in {"stage", "timed"} and isinstance(last, ast.Constant):
                yield last.value


def test_every_stage_of_ours_is_in_the_table():
    named = {name for folder in ("matting", "pictures") for path in (SOURCE / folder).rglob("*.py")
             for name in stages_named_in(path)}  # fmt: skip
    assert {"read", "network", "alpha", "write"} <= named, "the search no longer finds stages"
    assert named <= STAGES.keys()


def test_work_is_counted_by_key():
    meter = Meter()
    meter.work("k1", 2.0, 0.25)
    meter.work("k1", 0.5, 0.25)
    meter.work("", 8.0, 1.0)
    assert value(meter, "cleancut_megapixels_total", key="k1") == 2.5
    assert value(meter, "cleancut_network_seconds_total", key="k1") == 0.5
    assert value(meter, "cleancut_megapixels_total", key="") == 8


def test_keys_without_end_end_in_others():
    label = Bounded(2)
    assert [label(key) for key in ("a", "b", "c", "b", "d", "")] == ["a", "b", "others", "b", "others", ""]


def test_gauges_are_read_when_they_are_asked_for():
    meter, now = Meter(), dict.fromkeys(NOW, 0.0)
    meter.watch(lambda: now)
    now["cleancut_queue_waiting"] = 7
    assert value(meter, "cleancut_queue_waiting") == 7
    assert value(meter, "cleancut_cache_bytes") == 0


def test_two_services_in_a_process_count_apart():
    one, other = Meter(), Meter()
    one.looked(True)
    assert value(one, "cleancut_cache_lookups_total", outcome="hit") == 1
    assert value(other, "cleancut_cache_lookups_total", outcome="hit") == 0


def test_the_page_tells_memory_and_version():
    page = Meter().page().decode()
    assert f'cleancut_build_info{{version="{cleancut.__version__}"}} 1.0' in page
    assert "process_resident_memory_bytes" in page


def test_stages_are_noted_on_the_trail_of_the_request():
    meter, watch = Meter(), Stopwatch()
    with watch.stage("read"), watch.stage("network"):
        pass
    with follow(Trail("r1")) as trail:
        meter.stage("waiting", 0.5, end=10.0)
        meter.worked(watch)
    laps = {lap.name: lap for lap in trail.laps}
    assert laps.keys() == {"waiting", "read", "network"}
    assert (laps["waiting"].start, laps["waiting"].end) == (9.5, 10.0)
    assert laps["read"].start <= laps["network"].start <= laps["network"].end <= laps["read"].end
