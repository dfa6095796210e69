"""The OpenAPI description is complete, and the service does what it says: schemathesis asks it, within bounds."""

import contextlib

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, strategies
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import positive_data_acceptance

from cleancut.apps.scene import scene
from cleancut.apps.server.app import assembled
from cleancut.apps.server.settings import read_settings
from tests.apps.server.conftest import discs, encoded, until

PICTURES = [encoded(scene(24, 30, seed=seed).photo.rgb, format) for seed, format in enumerate(("JPEG", "PNG", "WEBP"))]

schemathesis.openapi.media_type("image/*", strategies.sampled_from(PICTURES))
schemathesis.openapi.media_type("application/octet-stream", strategies.sampled_from(PICTURES))
NOT_SAYABLE = [positive_data_acceptance]
"""That any bytes are a picture, or any text the name of a model, is what no schema could rule out."""

BOUNDED = hypothesis.settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)

EXAMPLES = {GenerationMode.POSITIVE: 4, GenerationMode.NEGATIVE: 2}
"""Of each operation: to make up what does not fit takes much longer than to be told so."""


def disagreements(operation, mode):
    """Ask an operation as its description says, or as it says not to; give how the answers disagree with it."""
    found = []

    @hypothesis.settings(BOUNDED, max_examples=EXAMPLES[mode])
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def ask(case):
        try:
            case.call_and_validate(excluded_checks=NOT_SAYABLE)
        except FailureGroup as failures:
            found.extend(f"{operation.label}: {failure}" for failure in failures.exceptions)

    with contextlib.suppress(Unsatisfiable):  # what takes any text cannot be asked wrongly
        ask()
    return found


@pytest.mark.parametrize("mode", EXAMPLES, ids=lambda mode: mode.name.lower())
def test_the_service_does_what_it_says(client, mode):
    until(lambda: client.service.ready)
    schema = schemathesis.openapi.from_url(f"{client.base_url}/openapi.json")
    operations = [each.ok() for each in schema.get_all_operations()]
    if mode is GenerationMode.NEGATIVE:  # any text will do for a path or a header, so neither can be wrong
        operations = [each for each in operations if list(each.body) or list(each.query)]
    found = [wrong for each in operations for wrong in disagreements(each, mode)]
    assert operations
    assert not found, "\n".join(dict.fromkeys(found))


def test_every_status_is_declared(client):
    described = client.get("/openapi.json").json()
    cut = described["paths"]["/v1/cut"]["post"]
    assert set(cut["responses"]) >= {
        "200", "304", "400", "402", "403", "408", "413", "415", "422", "429", "500", "503", "504"
    }  # fmt: skip
    for path, operations in described["paths"].items():
        for operation in operations.values():
            assert operation["responses"], path


@pytest.mark.parametrize(("way", "needed"), [("local", None), ("public", True), ("keys", True)])
def test_keys_are_spoken_of_where_they_are_needed(way, needed, tmp_path):
    how = {"local": {}, "public": {"public": True}, "keys": {"host": "0.0.0.0"}}[way]
    app = assembled(read_settings(keys_file=str(tmp_path / "keys"), **how), discs())
    described = app.openapi()
    security = described["paths"]["/v1/cut"]["post"]["security"]
    assert bool(security) is bool(needed) and ({} in security) is (way == "public")
    assert ("securitySchemes" in described["components"]) is bool(needed)
    app.state.service.close()


def test_every_field_of_a_recipe_is_described(client):
    cut = client.get("/openapi.json").json()["paths"]["/v1/cut"]["post"]
    fields = set(client.get("/v1/recipe.schema.json").json()["properties"])
    assert fields <= {parameter["name"] for parameter in cut["parameters"]}
    bodies = cut["requestBody"]["content"]
    assert set(bodies) == {"multipart/form-data", "application/json", "image/*", "application/octet-stream"}
    for body in ("multipart/form-data", "application/json"):
        assert fields <= set(bodies[body]["schema"]["properties"])
