"""/metrics: what is there after requests, and who may see it."""

from cleancut.apps.keys.store import KeyStore
from tests.stubs import disc, loading


def samples(text):
    """The lines of Prometheus' format, name with labels → value."""
    return {name: float(value) for name, _, value in (
        line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))}  # fmt: skip


def test_a_cut_is_counted_by_stage_and_a_second_one_is_a_hit(serve, photo):
    client = serve(loading(disc()))
    for _ in range(2):
        assert client.post("/v1/cut", content=photo, headers={"Content-Type": "image/jpeg"}).status_code == 200
    assert client.get("/nowhere/17?token=secret").status_code == 404
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found = samples(answer.text)
    assert (
        found['cleancut_requests_total{key="",method="POST",model="cleancut-small",route="/v1/cut",status="200"}'] == 2
    )
    assert found['cleancut_requests_total{key="",method="GET",model="",route="unmatched",status="404"}'] == 1
    assert found['cleancut_cache_lookups_total{outcome="hit"}'] == 1
    assert found['cleancut_megapixels_total{key=""}'] == 96 * 120 / 1e6
    assert found["cleancut_workers_limit"] == client.service.limits.workers
    assert found["cleancut_cache_entries"] == 1
    for stage in ("waiting", "decode", "network", "refine", "encode"):
        assert found[f'cleancut_stage_seconds_count{{stage="{stage}"}}'] == 1, stage
    assert "secret" not in answer.text


def test_strangers_need_a_key_with_the_scope(serve, tmp_path):
    file = tmp_path / "keys.sqlite"
    client = serve(loading(disc()), require_keys=True, keys_file=str(file))
    store = KeyStore(file)
    watcher = store.create("prometheus", scopes=frozenset({"metrics"}))
    cutter = store.create("shop", scopes=frozenset({"cut"}))
    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers={"X-API-Key": text_of(cutter)}).status_code == 403
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {text_of(watcher)}"})
    assert answer.status_code == 200
    assert text_of(watcher) not in answer.text


def text_of(made):
    """The text of a key that was just made."""
    return made[1]
