import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from cleancut.errors import BadSetting, CannotWrite, DownloadFailed, NotDownloaded, Offline, WrongHash
from cleancut.models import download, transfer
from cleancut.models.download import pull
from cleancut.models.registry import Weights, registry
from cleancut.models.transfer import Bounds, checked
from tests.models import server as servers
from tests.models.server import Server

DATA = random.Random(5).randbytes(200_000)
SHA256, MD5 = hashlib.sha256(DATA).hexdigest(), hashlib.md5(DATA).hexdigest()
QUICK = Bounds(wait=0.3)
BLOCK = 1 << 16


def model(**weights):
    weights = weights or {"sha256": SHA256}
    given = Weights(**{"file": "net.onnx", "url": "https://example.com/net.onnx", **weights})
    return replace(registry()["u2netp"], name="net", weights={"network": given})


@pytest.fixture
def server():
    with Server(DATA) as running:
        yield running


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CLEANCUT_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("CLEANCUT_OFFLINE", "CLEANCUT_MIRROR", "CLEANCUT_MODELS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "weights"


def get(server, net=None, **more):
    return pull(net or model(), mirror=server.url, **{"bounds": QUICK, **more})


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


@pytest.mark.parametrize("weights", [{"sha256": SHA256}, {"md5": MD5}, {"sha256": SHA256, "bytes": len(DATA)}])
def test_weights_are_brought_and_nothing_else_is_left(server, folder, weights):
    told = []
    assert get(server, model(**weights), progress=lambda *how: told.append(how)) == [folder / "net.onnx"]
    assert files(folder) == {"net.onnx": DATA}
    assert told[0] == ("net.onnx", 0, len(DATA))
    assert told[-1] == ("net.onnx", len(DATA), len(DATA))
    ((path, headers),) = server.requests
    assert path == "/net.onnx"
    assert headers["User-Agent"].startswith("cleancut/")


def test_what_is_here_and_right_is_left_alone(server, folder):
    get(server)
    get(server)
    assert len(server.requests) == 1


def test_what_is_here_and_wrong_is_replaced(server, folder):
    folder.mkdir()
    (folder / "net.onnx").write_bytes(b"old")
    get(server)
    assert files(folder) == {"net.onnx": DATA}


def test_embedded_weights_need_no_server():
    (path,) = pull(registry()["cleancut-small"], mirror="http://127.0.0.1:1")
    assert path.is_file()


def test_every_part_is_brought(server, folder):
    parts = {name: Weights(file=f"{name}.onnx", sha256=SHA256) for name in ("encoder", "decoder")}
    assert len(get(server, replace(model(), weights=parts))) == 2
    assert set(files(folder)) == {"encoder.onnx", "decoder.onnx"}


@pytest.mark.parametrize("count", [0, 1, 4096, BLOCK - 1, BLOCK, BLOCK + 1, len(DATA) - 1])
def test_a_download_goes_on_where_it_was_cut(server, folder, count):
    server.reply = servers.cut_after(count)
    with pytest.raises(DownloadFailed, match="127.0.0.1 ended the connection") as caught:
        get(server)
    assert ("goes on from there" in str(caught.value)) is (count > 0)
    assert files(folder).get(".net.onnx.part") == DATA[:count]
    assert "net.onnx" not in files(folder)
    server.reply = servers.whole
    get(server)
    assert files(folder) == {"net.onnx": DATA}
    assert server.sent == len(DATA)
    assert server.requests[-1][1].get("Range") == (f"bytes={count}-" if count else None)
    assert server.requests[-1][1].get("If-Range") == ('"v1"' if count else None)


def test_a_download_cut_at_any_byte_again_and_again_comes_right(server, folder):
    chance = random.Random(11)
    for _ in range(100):
        server.reply = servers.cut_after(chance.randrange(1, 30_000))
        try:
            get(server)
            break
        except DownloadFailed:
            assert DATA.startswith(files(folder)[".net.onnx.part"])
    assert files(folder) == {"net.onnx": DATA}
    assert server.sent == len(DATA)


def test_another_file_in_its_place_is_begun_anew(server, folder):
    server.reply = servers.cut_after(5000)
    with pytest.raises(DownloadFailed):
        get(server)
    server.tag, server.data, server.reply = '"v2"', DATA[::-1], servers.whole
    net = model(sha256=hashlib.sha256(DATA[::-1]).hexdigest())
    get(server, net)
    assert files(folder) == {"net.onnx": DATA[::-1]}


def test_a_server_that_knows_no_ranges_sends_the_whole(server, folder):
    folder.mkdir()
    (folder / ".net.onnx.part").write_bytes(DATA[:70_000])
    server.reply = servers.without_ranges
    get(server)
    assert files(folder) == {"net.onnx": DATA}


def test_another_range_than_was_asked_for_is_not_joined(server, folder):
    folder.mkdir()
    (folder / ".net.onnx.part").write_bytes(DATA[:1000])

    def shifted(handler):
        if "Range" in handler.headers:
            handler.head(206, 10, Content_Range=f"bytes 990-999/{len(DATA)}")
            handler.body(DATA[990:1000])
        else:
            servers.whole(handler)

    server.reply = shifted
    get(server)
    assert files(folder) == {"net.onnx": DATA}


def test_a_part_that_is_the_whole_needs_no_server(folder):
    folder.mkdir()
    (folder / ".net.onnx.part").write_bytes(DATA)
    pull(model(), mirror="http://127.0.0.1:1")
    assert files(folder) == {"net.onnx": DATA}


@pytest.mark.parametrize("junk", [DATA + b"more", bytes(len(DATA) + 1), bytes(100)])
def test_a_part_that_is_no_beginning_is_thrown_away(server, folder, junk):
    folder.mkdir()
    (folder / ".net.onnx.part").write_bytes(junk)
    try:
        get(server)
    except WrongHash:
        assert files(folder) == {}
        get(server)
    assert files(folder) == {"net.onnx": DATA}


@pytest.mark.parametrize("weights", [{"sha256": SHA256}, {"md5": MD5}])
def test_a_wrong_byte_is_told_and_nothing_is_kept(server, folder, weights):
    server.reply = servers.corrupt
    with pytest.raises(WrongHash, match=r"came as net\.onnx is not the file that the table of net names"):
        get(server, model(**weights))
    assert files(folder) == {}


@pytest.mark.parametrize("count", [0, 5000])
def test_silence_ends(server, folder, count):
    server.reply = servers.stall_after(count)
    with pytest.raises(DownloadFailed, match="sent nothing for 0.3 seconds"):
        get(server)
    assert files(folder)[".net.onnx.part"] == DATA[:count]


def test_silence_before_the_answer_ends(server):
    server.reply = lambda handler: handler.server.released.wait(30)
    with pytest.raises(DownloadFailed, match="sent nothing for 0.3 seconds"):
        get(server)


def test_a_drip_ends(server):
    def drip(handler):
        data = handler.start()
        for at in range(len(data)):
            handler.body(data[at : at + 1])
            handler.wfile.flush()
            if handler.server.released.wait(0.01):
                return

    server.reply = drip
    with pytest.raises(DownloadFailed, match="less than 1e\\+06 bytes a second"):
        get(server, bounds=Bounds(wait=5, pace=1e6, window=0.05))


def test_redirects_are_followed(server, folder):
    def moved(handler):
        if handler.path == "/net.onnx":
            handler.head(302, 0, Location="/elsewhere/a%20b")
        else:
            servers.whole(handler)

    server.reply = moved
    get(server)
    assert files(folder) == {"net.onnx": DATA}


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("/net.onnx", "redirects more than 5 times"),
        ("file:///etc/passwd", "https only|not an address"),
        ("ftp://127.0.0.1/net.onnx", "https only"),
        ("http://example.com/net.onnx", "by http; weights come by https only"),
        ("http://me:secret@127.0.0.1/", "not an address"),
        ("https://", "not an address"),
        ("http://[::1", "not an address"),
        ("data:,weights", "https only|not an address"),
    ],
)
def test_a_redirect_that_leads_astray_is_not_followed(server, folder, location, said):
    server.reply = servers.status(302, Location=location)
    with pytest.raises(DownloadFailed, match=said) as caught:
        get(server)
    assert "secret" not in str(caught.value)
    assert "net.onnx" not in files(folder)


def test_an_endless_redirect_is_not_read(server, folder):
    def reply(handler):
        if handler.path == "/net.onnx":
            handler.head(302, Location="/there")
            while True:
                handler.body(bytes(65536))
        servers.whole(handler)

    server.reply = reply
    get(server)
    assert files(folder) == {"net.onnx": DATA}


def test_https_never_becomes_http():
    checked("http://127.0.0.1/a")
    checked("https://example.com/a", "https://example.org/b")
    with pytest.raises(DownloadFailed, match="example.org leads to an address by http"):
        checked("http://127.0.0.1/a", "https://example.org/b")


@pytest.mark.parametrize(
    "url", ["http://example.com/a", "file:///etc/passwd", "example.com", "", "https://a b/", "https://ä/"]
)
def test_a_mirror_must_be_https_or_this_machine(url):
    with pytest.raises(DownloadFailed):
        checked(url)


@pytest.mark.parametrize(
    ("code", "said"),
    [(403, "does not give it"), (404, "does not have it"), (429, "too often"), (500, "error 500"), (304, "error 304")],
)
def test_a_refusal_is_one_sentence(server, folder, code, said):
    server.reply = servers.status(code)
    with pytest.raises(DownloadFailed, match=rf"net\.onnx was not downloaded: 127\.0\.0\.1 .*{said}"):
        get(server)
    assert "net.onnx" not in files(folder)


@pytest.mark.parametrize(
    "answer",
    [
        b"\0\1\2",
        b"",
        b"HTTP/1.1 huh\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 206 Partial Content\r\nContent-Length: 3\r\n\r\nabc",
    ],
)
def test_what_is_not_an_answer_is_an_error(server, folder, answer):
    server.reply = servers.raw(answer)
    with pytest.raises((DownloadFailed, WrongHash)):
        get(server)
    assert "net.onnx" not in files(folder)


@pytest.mark.parametrize("stated", [10, len(DATA) * 2])
def test_a_wrong_length_is_an_error(server, folder, stated):
    def reply(handler):
        handler.head(200, stated)
        handler.body(DATA)

    server.reply = reply
    with pytest.raises((DownloadFailed, WrongHash)):
        get(server)
    assert "net.onnx" not in files(folder)


def test_an_endless_body_ends(server, folder):
    server.reply = servers.endless
    with pytest.raises(DownloadFailed, match="more than 200,000 bytes"):
        get(server, model(sha256=SHA256, bytes=len(DATA)))
    with pytest.raises(DownloadFailed, match="more than 1,000,000 bytes"):
        get(server, bounds=Bounds(max_bytes=1_000_000))
    assert files(folder)[".net.onnx.part"] == b""


def test_a_size_that_cannot_be_right_is_told_before_a_byte_is_read(server):
    with pytest.raises(DownloadFailed, match="200,000 bytes there and 7 in the table"):
        get(server, model(sha256=SHA256, bytes=7))
    with pytest.raises(DownloadFailed, match="the limit is 1,000"):
        get(server, bounds=Bounds(max_bytes=1000))


def test_nobody_there_is_told(folder):
    with pytest.raises(DownloadFailed, match="127.0.0.1 does not answer"):
        pull(model(), mirror="http://127.0.0.1:1")


def test_offline_opens_no_connection(monkeypatch, folder):
    monkeypatch.setenv("CLEANCUT_OFFLINE", "1")
    monkeypatch.setattr(download, "requested", lambda *_: pytest.fail("connected"))
    with pytest.raises(Offline, match=r"put net\.onnx into .*weights"):
        pull(model())
    monkeypatch.setenv("CLEANCUT_OFFLINE", "maybe")
    with pytest.raises(BadSetting, match="CLEANCUT_OFFLINE"):
        pull(model())


def test_a_mirror_is_the_only_one_that_is_asked(server, monkeypatch):
    asked = []
    monkeypatch.setattr(
        transfer, "_opener", lambda parts, made=transfer._opener: asked.append(parts.hostname) or made(parts)
    )
    monkeypatch.setenv("CLEANCUT_MIRROR", f"{server.url}/folder/")
    server.reply = servers.status(404)
    with pytest.raises(DownloadFailed):
        pull(model(url="https://example.com/net.onnx", file="a b.onnx", sha256=SHA256))
    assert asked == ["127.0.0.1"]
    assert server.requests[0][0] == "/folder/a%20b.onnx"


def test_a_clock_that_jumps_is_not_looked_at(server, folder, monkeypatch):
    chance = random.Random(2)
    monkeypatch.setattr("time.time", lambda: chance.randrange(4_000_000_000))
    server.reply = servers.cut_after(BLOCK)
    with pytest.raises(DownloadFailed, match="ended the connection"):
        get(server)
    server.reply = servers.whole
    get(server)
    assert files(folder) == {"net.onnx": DATA}


def test_the_proxy_is_not_told_of_this_machine(server, folder, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    get(server)
    assert files(folder) == {"net.onnx": DATA}


def test_a_table_without_an_address_says_where_to_put_the_file():
    with pytest.raises(NotDownloaded, match="put net.onnx into"):
        pull(model(url=None, sha256=SHA256))


def test_a_full_disk_is_told_before_the_work(server, folder, monkeypatch):
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: type("Disk", (), {"free": 1000}))
    with pytest.raises(CannotWrite, match="needs 0 MB and the disk has 0 MB left"):
        get(server)
    assert files(folder) == {}


def test_a_place_that_is_no_folder_is_told(server, tmp_path):
    (tmp_path / "weights").touch()
    with pytest.raises(CannotWrite, match=r"net\.onnx cannot be written into"):
        get(server)


# ---- processes

TABLE = f"""
[net]
like = "u2netp"
license = "MIT"
weights = {{ file = "net.onnx", sha256 = "{SHA256}" }}
"""

FULL_DISK = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
from cleancut.apps.cli import main
main(["models", "pull", "net"])
"""


@pytest.fixture
def pulling(server, tmp_path):
    """Starts `cleancut models pull net` in a process."""
    (tmp_path / "tables.toml").write_text(TABLE)
    env = {**os.environ, "CLEANCUT_MODELS": str(tmp_path / "tables.toml"), "CLEANCUT_MIRROR": server.url}
    started = []

    def start(*command):
        command = command or ("-m", "cleancut", "models", "pull", "net")
        process = subprocess.Popen(
            [sys.executable, *command], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def gate(server, count, arrived, opened):
    """A reply that waits after so many bytes until it may go on."""

    def reply(handler):
        data = handler.start()
        handler.body(data[:count])
        handler.wfile.flush()
        arrived.set()
        opened.wait(30)
        handler.body(data[count:])

    return reply


def test_kill_minus_9_at_any_moment_leaves_a_part_that_is_gone_on_from(server, folder, pulling):
    chance = random.Random(3)
    for _ in range(4):
        arrived, opened = threading.Event(), threading.Event()
        server.reply = gate(server, chance.randrange(1, 40_000), arrived, opened)
        process = pulling()
        assert arrived.wait(30)
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        opened.set()
        assert "net.onnx" not in files(folder)
        assert DATA.startswith(files(folder).get(".net.onnx.part", b""))
    server.reply = servers.whole
    process = pulling()
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, f"{folder / 'net.onnx'}\n"), err
    assert files(folder) == {"net.onnx": DATA}


def test_of_two_processes_one_downloads(server, folder, pulling):
    arrived, opened = threading.Event(), threading.Event()
    server.reply = gate(server, 1000, arrived, opened)
    first = pulling()
    assert arrived.wait(30)
    second = pulling()
    assert "another process is downloading it" in second.stderr.readline()
    opened.set()
    for process in (first, second):
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out) == (0, f"{folder / 'net.onnx'}\n"), err
    assert len(server.requests) == 1
    assert files(folder) == {"net.onnx": DATA}


def test_who_waits_takes_over_from_who_is_killed(server, folder, pulling):
    arrived, opened = threading.Event(), threading.Event()
    server.reply = gate(server, 100_000, arrived, opened)
    first = pulling()
    assert arrived.wait(30)
    second = pulling()
    assert "another process is downloading it" in second.stderr.readline()
    server.reply = servers.whole
    first.send_signal(signal.SIGKILL)
    _, err = second.communicate(timeout=30)
    opened.set()
    assert second.returncode == 0, err
    assert len(server.requests) == 2
    assert files(folder) == {"net.onnx": DATA}


@pytest.mark.skipif(sys.platform == "win32", reason="needs RLIMIT_FSIZE")
def test_a_disk_that_becomes_full_is_not_left_full(folder, pulling):
    process = pulling("-c", FULL_DISK)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "net.onnx cannot be written into" in err and "Traceback" not in err
    assert files(folder) == {}
