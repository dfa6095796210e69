"""What Prometheus, Grafana and the autoscaler ask for is what the service counts, with the labels it has."""

import json
import re
import shutil
import subprocess

import pytest

from cleancut.apps.server.meter import NOW, STAGES, Meter
from cleancut.matting.stopwatch import Stopwatch
from tests.deploy.places import DEPLOY, read

OF_PROMETHEUS = {"job", "instance", "namespace", "pod", "le"}


@pytest.fixture(scope="module")
def counted():
    """Every sample's name → its labels, after some of everything happened."""
    meter, watch = Meter(), Stopwatch()
    meter.request("/v1/cut", 200, "m", "k", seconds=1.0)
    watch.add("network", 1.0)
    meter.worked(watch)
    meter.work("k", 1.0, 1.0)
    meter.watch(lambda: dict.fromkeys(NOW, 0.0))
    found = {}
    for metric in meter.registry.collect():
        for sample in metric.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def panels():
    return json.loads((DEPLOY / "grafana/dashboards/cleancut.json").read_text())["panels"]


def queries():
    for panel in panels():
        for target in panel["targets"]:
            yield f"panel {panel['title']}", target["expr"]
    for rule in read("alerts.yml")["groups"][0]["rules"]:
        yield f"alert {rule['alert']}", rule["expr"]
    (rule,) = read("kubernetes/values/prometheus-adapter.yaml")["rules"]["custom"]
    yield "adapter", rule["seriesQuery"]
    yield "adapter", rule["metricsQuery"]


def names(query):
    return set(re.findall(r"\b(?:cleancut|process)_\w+", query))


@pytest.mark.parametrize(("where", "query"), list(queries()))
def test_queries_name_metrics_and_labels_that_exist(counted, where, query):
    for name in names(query):
        assert name in counted, f"{where} asks for {name}"
        for selector in re.findall(rf"{name}{{([^}}]*)}}", query):
            labels = set(re.findall(r"(\w+)\s*(?:=|!=|=~|!~)\"", selector))
            assert labels <= counted[name] | OF_PROMETHEUS, f"{where}: {name} has no label of {labels}"
    for grouped in re.findall(r"by \(([^)<]*)\)", query):
        known = set().union(*(counted[name] for name in names(query) if name in counted)) | OF_PROMETHEUS
        assert {label.strip() for label in grouped.split(",") if label.strip()} <= known, where


def test_every_query_is_one(tmp_path):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    variables = {"$__rate_interval": "1m", "$__range": "1h", "$instance": ".*"}
    rules = []
    for panel in panels():
        for target in panel["targets"]:
            query = target["expr"]
            for name, value in variables.items():
                query = query.replace(name, value)
            rules.append({"record": f"q{len(rules)}", "expr": query})
    written = tmp_path / "rules.json"
    written.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run([promtool, "check", "rules", str(written)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboard_shows_everything_that_is_counted(counted):
    shown = set().union(*(names(query) for where, query in queries() if where.startswith("panel")))
    ours = {re.sub("_(bucket|sum|count|created)$", "", name) for name in counted if name.startswith("cleancut_")}
    seen = {re.sub("_(bucket|sum|count)$", "", name) for name in shown}
    counters = {re.sub("_total$", "", name) for name in seen}
    assert {name for name in ours if name not in seen and name not in counters} == {"cleancut_cache_entries"}


def test_the_dashboard_can_be_read():
    ids = [panel["id"] for panel in panels()]
    assert len(ids) == len(set(ids))
    for panel in panels():
        box = panel["gridPos"]
        assert box["x"] + box["w"] <= 24
        assert (
            panel["datasource"]["uid"]
            == read("grafana/provisioning/datasources/prometheus.yaml")["datasources"][0]["uid"]
        )


def test_the_autoscaler_asks_for_what_the_adapter_makes():
    (rule,) = read("kubernetes/values/prometheus-adapter.yaml")["rules"]["custom"]
    (metric,) = read("kubernetes/hpa.yaml")["spec"]["metrics"]
    assert metric["pods"]["metric"]["name"] == rule["name"]["as"]


def test_every_stage_that_is_counted_can_be_told_apart():
    assert set(STAGES.values()) == {"waiting", "decode", "network", "refine", "encode"}
