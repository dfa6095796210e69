"""The compose file and the manifests agree with the service and with themselves."""

import re

import pytest
import yaml

from cleancut.apps.server.app import assembled
from cleancut.apps.server.settings import Settings
from cleancut.limits import Limits, ServiceLimits
from tests.deploy.places import DEPLOY, ROOT, read
from tests.stubs import disc, loading


@pytest.fixture(scope="module")
def pod():
    return read("kubernetes/deployment.yaml")["spec"]["template"]["spec"]


def names_of_variables():
    for path in [*DEPLOY.rglob("*"), ROOT / "docs" / "deploy.md", ROOT / "docs" / "observability.md"]:
        if path.is_file() and path.suffix not in {".json", ".pyc"}:
            for name in re.findall(r"\bCLEANCUT_[A-Z_]+", path.read_text()):
                yield path.name, name


def test_every_variable_that_is_named_is_one():
    known = {name for kind in (Limits, ServiceLimits) for name in kind.__dataclass_fields__} | set(
        Settings.model_fields
    )
    known = {f"CLEANCUT_{name.upper()}" for name in known} | {"CLEANCUT_HOME", "CLEANCUT_OFFLINE", "CLEANCUT_MIRROR"}
    wrong = {(where, name) for where, name in names_of_variables() if name not in known}
    assert not wrong


def test_probes_ask_what_is_there(pod):
    app = assembled(Settings(), loading(disc()))
    paths = set(app.openapi()["paths"]) | {route.path for route in app.routes if hasattr(route, "path")}
    (container,) = pod["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = container[probe]["httpGet"]
        assert asked["path"] in paths
        assert asked["port"] in ports
    assert container["livenessProbe"]["httpGet"]["path"] == "/health/live"
    assert ports["http"] == Settings.model_fields["port"].default


def test_a_pod_has_time_to_finish(pod):
    (container,) = pod["containers"]
    values = {entry["name"]: entry["value"] for entry in container["env"]}
    pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] > pause + int(values["CLEANCUT_DRAIN_SECONDS"])


def test_a_compose_service_has_time_to_finish():
    grace = read("compose.yaml")["services"]["api"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) > ServiceLimits().drain_seconds


def test_pods_are_restricted(pod):
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    for container in (*pod["initContainers"], *pod["containers"]):
        context = container["securityContext"]
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert container["resources"]["limits"].keys() >= {"cpu", "memory"}


def test_manifests_mean_the_same_pods():
    labels = read("kubernetes/deployment.yaml")["spec"]["template"]["metadata"]["labels"]
    assert read("kubernetes/service.yaml")["spec"]["selector"] == labels
    assert read("kubernetes/networkpolicy.yaml")["spec"]["podSelector"]["matchLabels"] == labels
    assert read("kubernetes/poddisruptionbudget.yaml")["spec"]["selector"]["matchLabels"] == labels
    listed = read("kubernetes/kustomization.yaml")["resources"]
    there = {path.name for path in (DEPLOY / "kubernetes").glob("*.yaml")} - {"kustomization.yaml"}
    assert set(listed) == there


def test_addresses_that_may_be_let_out_exclude_private_ones():
    """The rule that is commented out must be right when somebody switches it on."""
    text = (DEPLOY / "kubernetes/networkpolicy.yaml").read_text()
    switched = yaml.safe_load(re.sub(r"^( *)# (- to:| {2,}\S)", r"\1\2", text, flags=re.MULTILINE))
    (block,) = [to["ipBlock"] for rule in switched["spec"]["egress"] for to in rule["to"] if "ipBlock" in to]
    assert {"10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"} <= set(
        block["except"]
    )


@pytest.mark.parametrize("name", ["api", "redis", "prometheus", "grafana"])
def test_containers_are_confined(name):
    service = read("compose.yaml")["services"][name]
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "mem_limit" in service
    assert service.get("read_only", name == "grafana") is True
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert re.search(r":(v?\d|latest$)", service["image"])


def test_compose_and_prometheus_name_the_same_things():
    compose = read("compose.yaml")
    (job,) = read("prometheus.yml")["scrape_configs"]
    host, port = job["static_configs"][0]["targets"][0].split(":")
    assert host in compose["services"]
    assert int(port) == Settings.model_fields["port"].default
    secret = job["authorization"]["credentials_file"].rpartition("/")[2]
    assert secret in compose["secrets"]
    assert secret in compose["services"]["prometheus"]["secrets"]
    mounted = {volume.split(":")[0] for volume in compose["services"]["prometheus"]["volumes"]}
    for name in ("./prometheus.yml", "./alerts.yml"):
        assert name in mounted
        assert (DEPLOY / name).exists()
