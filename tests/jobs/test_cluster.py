"""Ray in earnest: two nodes on this machine, one of which is killed; and what needs no cluster."""

import contextlib
import importlib.util
import io
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cleancut.apps.cli import run
from cleancut.apps.scene import scene
from cleancut.errors import BadInput, BadSetting, ClusterFailed, GivenUp, NotAPicture, NotDownloaded, Stopped
from cleancut.jobs.batch.work import Way, work
from cleancut.jobs.cluster import connect
from cleancut.jobs.cluster.dataset import cut_dataset, write_files
from cleancut.jobs.cluster.pool import TRIES, Pool, room_for
from cleancut.jobs.cluster.worker import Share
from cleancut.limits import Limits
from cleancut.models.runtime import Engine
from cleancut.types import Picture, Recipe, Step

pytestmark = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the extra ray is not installed")

WAY = Way(Recipe(), "png")


def photo(seed):
    stream = io.BytesIO()
    Image.fromarray(scene(120, 160, seed).photo.rgb).save(stream, "JPEG", quality=90)
    return stream.getvalue()


PHOTOS = {f"{seed}.jpg": photo(seed) for seed in range(6)}


def here(source, way=WAY, assets=None):
    (made,) = work(source, [way], load=Engine("cpu", threads=1).load, assets=assets or {}, limits=Limits())
    return made


@pytest.fixture(scope="module")
def expected():
    return {name: here(data).data for name, data in PHOTOS.items()}


@pytest.fixture(scope="module")
def cluster():
    """Two nodes of two processors each, joined."""
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)  # or Ray keeps one in the home
    ray = connect.silent_ray()
    from ray.cluster_utils import Cluster

    def started():
        for _ in range(3):  # Ray gives itself thirty seconds, which a busy machine may need
            with contextlib.suppress(Exception):
                head = {"num_cpus": 2, "include_dashboard": False, "object_store_memory": 100_000_000}
                return Cluster(initialize_head=True, head_node_args=head)
        raise AssertionError("No Ray cluster can be started here.")

    nodes = started()
    nodes.second = nodes.add_node(num_cpus=2, object_store_memory=100_000_000)
    try:
        with connect.connected(nodes.address):
            yield ray, nodes
    finally:
        nodes.shutdown()
        del os.environ["RAY_AUTH_TOKEN"]


def pool(ray, count=1, share=None, models=("cleancut-small",)):
    return Pool(ray, share or Share("cpu", cpus=0.5), count, models)


@pytest.fixture(scope="module")
def workers(cluster):
    made = pool(cluster[0], 2, Share("cpu", cpus=0.25))
    yield made
    made.close()


def ask(workers, source, way=WAY, **given):
    (made,) = workers.cut(source, [way], load=None, assets={}, limits=Limits(), **given)
    return made


@pytest.mark.filterwarnings("ignore")
def test_a_batch_by_the_cluster_is_as_one_here_and_goes_on_from_its_journal(cluster, tmp_path, expected, capsys):
    _, nodes = cluster
    (tmp_path / "in").mkdir()
    for name, data in {**PHOTOS, "bad.jpg": b"no picture"}.items():
        (tmp_path / "in" / name).write_bytes(data)
    command = ["batch", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--json", "--workers", "2", "--cpus", "0.5"]
    assert run([*command, "--engine", "ray", "--address", nodes.address]) == NotAPicture("").exit_code
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (told[-1]["done"], told[-1]["failed"]) == (len(PHOTOS), 1)
    made = {path.stem: path.read_bytes() for path in (tmp_path / "out").glob("*.png")}
    assert made == {Path(name).stem: data for name, data in expected.items()}
    assert run([*command, "--device", "cpu"]) == NotAPicture("").exit_code
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (told[-1]["kept"], told[-1]["done"]) == (len(PHOTOS), 0)


@pytest.mark.filterwarnings("ignore")
def test_a_dataset_gains_cutouts_and_says_of_each_row_why_it_has_none(cluster, tmp_path, expected):
    from pyarrow import parquet

    ray, _ = cluster
    rows = [{"path": f"shop/{name}", "bytes": data} for name, data in PHOTOS.items()]
    rows += [{"path": "shop/bad.jpg", "bytes": b"no picture"}, {"path": "shop/none.jpg", "bytes": None}]
    made = cut_dataset(ray.data.from_items(rows), share=Share("cpu", cpus=0.5), workers=1, rows=3).materialize()
    made.write_parquet(str(tmp_path / "parquet"))
    found = {row["path"]: row for row in parquet.read_table(tmp_path / "parquet").to_pylist()}
    assert len(found) == len(rows)
    assert {name: found[f"shop/{name}"]["cutout"] for name in PHOTOS} == expected
    assert found["shop/0.jpg"]["width"] == 120
    assert found["shop/0.jpg"]["error"] is None
    assert (found["shop/bad.jpg"]["cutout"], found["shop/bad.jpg"]["kind"]) == (None, "NotAPicture")
    assert "holds no bytes" in found["shop/none.jpg"]["error"]
    failures = write_files(made, tmp_path / "files", root="shop")
    assert sorted(failure.split(":")[0] for failure in failures) == ["shop/bad.jpg", "shop/none.jpg"]
    files = {path.name: path.read_bytes() for path in (tmp_path / "files").iterdir()}
    assert files == {f"{Path(name).stem}.png": data for name, data in expected.items()}
    with pytest.raises(BadInput, match="no column 'image'"):
        cut_dataset(made, column="image")
    with pytest.raises(BadInput, match="have a column 'box' already"):
        cut_dataset(made)


@pytest.mark.filterwarnings("ignore")
def test_pictures_that_a_recipe_names_go_along_and_a_caller_can_stop(workers):
    way = Way(Recipe(effects=(Step("behind", (("picture", "beach"),)),)), "png")
    assets = {"beach": Picture(np.full((20, 20, 3), 200, np.uint8))}
    (made,) = workers.cut(PHOTOS["0.jpg"], [way], load=None, assets=assets, limits=Limits())
    assert made.data == here(PHOTOS["0.jpg"], way, assets).data

    def stop():
        raise Stopped("Enough.")

    with pytest.raises(Stopped):
        ask(workers, PHOTOS["0.jpg"], check=stop)


@pytest.mark.filterwarnings("ignore")
def test_a_worker_that_dies_of_a_picture_is_replaced_and_the_picture_given_up(cluster, workers, monkeypatch):
    """What ends it is what the kernel sends to a process that is out of memory."""
    deaths, take = [], workers._take

    def doomed(check):
        actor = take(check)
        cluster[0].kill(actor)
        deaths.append(actor)
        return actor

    monkeypatch.setattr(workers, "_take", doomed)
    assert isinstance(ask(workers, PHOTOS["0.jpg"]), GivenUp)
    assert len(deaths) == TRIES
    monkeypatch.undo()
    assert ask(workers, PHOTOS["1.jpg"]).data == here(PHOTOS["1.jpg"]).data


@pytest.mark.filterwarnings("ignore")
def test_a_model_that_no_node_has_is_said_as_it_is_here(cluster):
    workers = pool(cluster[0], models=("u2net",))
    try:
        with pytest.raises(NotDownloaded, match=r"^The weights of u2net are not on this machine"):
            ask(workers, PHOTOS["0.jpg"])
    finally:
        workers.close()


@pytest.mark.filterwarnings("ignore")
def test_a_node_that_is_killed_in_the_middle_loses_nothing(cluster, expected, monkeypatch):
    ray, nodes = cluster
    workers = pool(ray, 3, Share("cpu", cpus=1.0))  # more than the first node has room for
    done, lost, let_go = {}, [], workers._let_go
    monkeypatch.setattr(workers, "_let_go", lambda actor: (lost.append(actor), let_go(actor)))

    def work_on(names):
        for name in names:
            done[name] = ask(workers, PHOTOS[name.partition("/")[2]]).data

    names = [f"{turn}/{name}" for turn in range(6) for name in PHOTOS]
    threads = [threading.Thread(target=work_on, args=(names[start::3],)) for start in range(3)]
    for thread in threads:
        thread.start()
    while len(done) < 6:
        assert any(thread.is_alive() for thread in threads)
        time.sleep(0.01)
    nodes.remove_node(nodes.second, allow_graceful=False)
    for thread in threads:
        thread.join(timeout=120)
        assert not thread.is_alive()
    workers.close()
    assert done == {name: expected[name.partition("/")[2]] for name in names}
    assert lost


def test_workers_are_as_many_as_there_is_room_for():
    assert room_for({"CPU": 16.0, "GPU": 2.0}, Share(gpus=0.25, cpus=2)) == 8
    assert room_for({"CPU": 3.0, "memory": 4e9}, Share(memory=2_000_000_000)) == 2
    for resources in ({"CPU": 0.5}, {}):
        with pytest.raises(BadSetting, match="no room for one worker of 1 CPU"):
            room_for(resources, Share())


def test_a_card_that_a_worker_has_no_share_of_is_not_taken(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    Share("cpu").engine()
    Share("auto", gpus=0.5).engine()
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0,1"
    monkeypatch.setenv("HIP_VISIBLE_DEVICES", "0")
    Share("auto").engine()
    assert (os.environ["CUDA_VISIBLE_DEVICES"], os.environ["HIP_VISIBLE_DEVICES"]) == ("", "")


def test_flags_of_a_cluster_go_with_it(tmp_path, capsys):
    for flags, said in (
        (["--gpus", "1"], "go with --engine ray"),
        (["--engine", "ray", "-m", "x.onnx", "--like", "u2netp"], "on every node"),
    ):
        assert run(["batch", str(tmp_path), "-o", str(tmp_path / "out"), *flags]) != 0
        assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("address", "kind", "said"),
    [("127.0.0.1:{free}", ClusterFailed, "No Ray cluster answers at"), ("head", BadSetting, "head's address and port"),
     ("a.invalid:6379", ClusterFailed, "No Ray cluster answers at"), ("127.0.0.1:99999", ClusterFailed, "answers")],
)  # fmt: skip
def test_a_cluster_that_is_not_there_is_an_error(address, kind, said, monkeypatch):
    monkeypatch.setattr(connect.silent_ray(), "is_initialized", lambda: False)
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        where = address.format(free=held.getsockname()[1])
        with pytest.raises(kind, match=said), connect.connected(where):
            pass


def test_without_the_extra_the_error_names_it(monkeypatch):
    monkeypatch.setattr(connect.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BadInput, match=r'pip install "cleancut\[ray\]"'):
        connect.silent_ray()


def test_ray_is_told_to_report_to_nobody_before_it_is_imported():
    code = (
        "import sys; from cleancut.jobs.cluster import connect, pool, dataset; assert 'ray' not in sys.modules;"
        "connect.silent_ray(); from ray._common.usage import usage_lib;"
        "print(usage_lib.usage_stats_enabled(), usage_lib.usage_stats_prompt_enabled())"
    )
    plain = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "RAY_USAGE_STATS_ENABLED": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=plain, timeout=120)
    assert done.stdout.split() == ["False", "False"], done.stderr
