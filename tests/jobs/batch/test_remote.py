"""Buckets against moto's S3 server, and web addresses against a server of our own; both on this machine."""

import http.server
import logging
import threading

import pytest

from cleancut.apps.cli import run
from cleancut.errors import BadInput, BadUrl, CannotWrite, FetchFailed, NoSpace, NotAPicture, TooBig
from cleancut.jobs.batch import addresses
from cleancut.jobs.batch.addresses import SCHEMES
from cleancut.jobs.batch.buckets import Bucket, BucketResults
from cleancut.jobs.batch.remote import ATTEMPTS, Network
from cleancut.limits import SourceLimits
from tests.jobs.batch.places import content, encoded

fsspec = pytest.importorskip("fsspec")
pytest.importorskip("s3fs")
moto_server = pytest.importorskip("moto.server")

SECRET = "hush-hush-secret"


@pytest.fixture(scope="module")
def endpoint():
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint, monkeypatch):
    """An empty bucket named shop; gives a file system that writes into it."""
    for name, value in {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": SECRET,
                        "AWS_DEFAULT_REGION": "us-east-1"}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    system = fsspec.filesystem("s3")
    if system.exists("shop"):
        system.rm("shop", recursive=True)
    system.mkdir("shop")
    system.invalidate_cache()
    return system


class _Shop(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append(self.path)
        status, data, promised = self.server.answers(self.path, len(self.server.asked))
        self.send_response(status)
        if promised is not None:
            self.send_header("Content-Length", str(promised))
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            self.wfile.write(data)
        except OSError:
            return  # who asked had enough

    def log_message(self, *_):
        return


@pytest.fixture
def web():
    """A server on a free port: `web(answers)` gives its address; `answers(path, time)` → status, bytes, length."""
    started = []

    def serve(answers):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Shop)
        server.answers, server.asked = answers, []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        started.append(server)
        return server, f"http://127.0.0.1:{server.server_address[1]}"

    yield serve
    for server in started:
        server.shutdown()
        server.server_close()


def network(**more):
    return Network(pause=lambda seconds: None, **more)


def test_a_bucket_is_listed_as_a_tree(bucket):
    for number, key in enumerate(("a/x.png", "b/x.png", "b/notes.txt", ".hidden/y.png", "other.png")):
        bucket.pipe_file(f"shop/in/{key}" if key != "other.png" else "shop/other.png", encoded(number))
    found = {entry.name: entry for entry in Bucket("s3://shop/in", network())}
    assert list(found) == ["a/x.png", "b/notes.txt", "b/x.png"]
    assert content(found["b/x.png"]) == encoded(1)
    assert found["b/notes.txt"].loose
    assert found["a/x.png"].stamp
    assert found["a/x.png"].origin == "s3://shop/in/a/x.png"
    bucket.pipe_file("shop/in/a/x.png", encoded(9))
    bucket.invalidate_cache()
    again = {entry.name: entry for entry in Bucket("s3://shop/in", network())}
    assert again["a/x.png"].stamp != found["a/x.png"].stamp


def test_patterns_and_single_objects(bucket):
    bucket.pipe_file("shop/in/a/x.png", encoded(0))
    bucket.pipe_file("shop/in/b/y.jpg", encoded(1))
    assert [entry.name for entry in Bucket("s3://shop/in/*/*.jpg", network())] == ["b/y.jpg"]
    assert [entry.name for entry in Bucket("s3://shop/in/a/x.png", network())] == ["x.png"]
    entry = network().entry("s3://shop/in/b/y.jpg")
    assert (entry.name, content(entry)) == ("shop/in/b/y.jpg", encoded(1))


def test_hostile_keys_fail_alone(bucket):
    for key in ("../up.png", "a/../../b.png", "tab\tin.png", "back\\..\\slash.png", "good ünï.png"):
        bucket.call_s3("put_object", Bucket="shop", Key=f"in/{key}", Body=encoded())
    bucket.invalidate_cache()
    entries = list(Bucket("s3://shop/in", network()))
    good = [entry for entry in entries if not isinstance(content(entry), BadInput)]
    assert [entry.name for entry in good] == ["good ünï.png"]
    assert len(entries) == 5
    assert all(entry.name.startswith("object-") for entry in entries if entry not in good)


def test_what_is_loose_is_sniffed_before_it_is_read(bucket):
    bucket.pipe_file("shop/in/notes.txt", b"words")
    bucket.pipe_file("shop/in/unnamed", encoded())
    bucket.pipe_file("shop/in/empty", b"")
    found = {entry.name: content(entry) for entry in Bucket("s3://shop/in", network())}
    assert isinstance(found["notes.txt"], NotAPicture)
    assert isinstance(found["empty"], NotAPicture)
    assert found["unnamed"] == encoded()


def test_limits_hold_before_anything_is_read(bucket):
    for number in range(3):
        bucket.pipe_file(f"shop/in/{number}.png", encoded())
    bucket.invalidate_cache()
    with pytest.raises(TooBig, match="more than 2 objects"):
        list(Bucket("s3://shop/in", network(limits=SourceLimits(max_entries=2))))
    small = network(limits=SourceLimits(max_bytes=10))
    assert all(isinstance(content(entry), TooBig) for entry in Bucket("s3://shop/in", small))
    assert isinstance(content(small.entry("s3://shop/in/0.png")), TooBig)


def test_what_is_not_there_is_said(bucket):
    with pytest.raises(BadInput, match="nothing at s3://shop/nothing"):
        list(Bucket("s3://shop/nothing", network()))
    told = content(network().entry("s3://shop/nothing.png"))
    assert str(told) == "s3://shop/nothing.png does not exist."


def test_results_go_into_a_bucket_and_come_back(bucket):
    results = BucketResults("s3://shop/out/", network())
    assert results.journal is None
    results.sweep()
    assert results.size("a/x.png") is None
    results.put("a/x.png", b"result")
    assert bucket.cat_file("shop/out/a/x.png") == b"result"
    assert results.size("a/x.png") == 6
    again = BucketResults("s3://shop/out", network())
    assert again.size("a/x.png") == 6
    assert again.get("a/x.png") == b"result"
    assert again.shown("a/x.png") == "s3://shop/out/a/x.png"
    again.close(whole=True)


def test_a_bucket_that_is_not_there_ends_the_batch(bucket):
    with pytest.raises(NoSpace, match="does not exist"):
        BucketResults("s3://no-such-bucket-here/out", network()).put("x.png", b"data")


def test_credentials_appear_in_no_message_name_or_log(bucket, caplog, web):
    server, url = web(lambda path, time: (403, b"", 0))
    caplog.set_level(logging.WARNING)
    signed = url.replace("http://", f"http://anna:{SECRET}@") + f"/x.png?X-Amz-Signature={SECRET}&sig={SECRET}"
    entry = network().entry(signed)
    told = content(entry)
    assert server.asked
    shown = f"{told!r} {told} {entry.name} {entry.origin} {entry.stamp} {network().address(signed)!r} {caplog.text}"
    assert SECRET not in shown
    assert "403" in str(told)
    assert told.__cause__ is None


def test_what_signs_an_address_does_not_name_a_picture_and_what_asks_for_one_does():
    def name(query):
        return addresses.read(f"https://shop.example/img.png?{query}").name

    assert name("X-Amz-Signature=a&X-Amz-Date=b") == name("Expires=3&Signature=c") == "shop.example/img.png"
    assert name("id=1") != name("id=2")
    assert name("id=1&sig=x") == name("id=1&sig=y")


@pytest.mark.parametrize(
    "text",
    ["file:///etc/passwd", "ftp://host/x.png", "zip://x.png::s3://shop/a.zip", "s3://shop/x.png::file:///etc/passwd",
     "s3:///x.png", "https://", "https://host/../../x.png", "https://host/%2e%2e/x.png", "http://host:99999/x.png",
     "s3://shop/a\nb.png", "s3://" + "x" * 3_000, "local://x", "github://a:b@/x", "simplecache::s3://shop/x",
     "x.png"],
)  # fmt: skip
def test_addresses_that_are_not_asked(text):
    with pytest.raises(BadInput):
        addresses.read(text)


def test_schemes_may_be_fewer():
    with pytest.raises(BadUrl, match="must begin with s3://, not 'https'"):
        Network(schemes=("s3",)).address("https://shop.example/x.png")
    assert "file" not in SCHEMES


def test_a_web_address_is_one_picture():
    with pytest.raises(BadInput, match="one picture"):
        Bucket("https://shop.example/folder/", network())
    with pytest.raises(BadInput, match="cannot be written"):
        BucketResults("https://shop.example/out", network())


def test_what_fails_half_way_is_tried_again(web):
    whole = encoded(3)

    def answers(path, time):
        return (200, whole[:50], len(whole)) if time < ATTEMPTS else (200, whole, len(whole))

    server, url = web(answers)
    assert content(network().entry(f"{url}/x.png")) == whole
    assert len(server.asked) == ATTEMPTS


def test_what_fails_each_time_is_named(web):
    server, url = web(lambda path, time: (503, b"busy", 4))
    told = content(network().entry(f"{url}/x.png"))
    assert isinstance(told, FetchFailed)
    assert f"could not be read in {ATTEMPTS} attempts" in str(told)
    assert "503" in str(told)
    assert len(server.asked) == ATTEMPTS


def test_attempts_are_apart_and_what_is_absent_is_not_tried_again(web):
    server, url = web(lambda path, time: (404, b"", 0))
    waits = []
    assert "does not exist" in str(content(Network(pause=waits.append).entry(f"{url}/x.png")))
    assert (len(server.asked), waits) == (1, [])
    server.answers = lambda path, time: (500, b"", 0)
    content(Network(pause=waits.append).entry(f"{url}/x.png"))
    assert waits == [0.5, 1.0]


def test_who_sends_without_end_is_not_read_without_end(web):
    _, url = web(lambda path, time: (200, b"x" * 3_000_000, None))
    told = content(network(limits=SourceLimits(max_bytes=1_000_000)).entry(f"{url}/x.png"))
    assert isinstance(told, TooBig)


class _Failing:
    """A file system whose writes fail."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.asked = 0

    def _strip_protocol(self, url):
        return url.partition("://")[2]

    def invalidate_cache(self):
        return

    def find(self, root, detail):
        raise FileNotFoundError(root)

    def pipe_file(self, path, data):
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)


@pytest.mark.parametrize(
    ("errors", "failure", "asked"),
    [
        ([ConnectionResetError()] * 2, None, 3),
        ([ConnectionResetError()] * 9, CannotWrite, 3),
        ([PermissionError()], NoSpace, 1),
        ([type("NoCredentialsError", (Exception,), {})(SECRET)], CannotWrite, 1),
    ],
)
def test_writing_is_tried_again_where_that_may_help(monkeypatch, errors, failure, asked):
    system = _Failing(*errors)
    monkeypatch.setattr(Network, "system", lambda self, address: system)
    results = BucketResults("s3://shop/out", network())
    assert results.size("x.png") is None
    if failure is None:
        results.put("x.png", b"data")
        assert results.size("x.png") == 4
    else:
        with pytest.raises(failure) as told:
            results.put("x.png", b"data")
        assert SECRET not in str(told.value)
    assert system.asked == asked


def test_an_absent_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "fsspec", None)
    with pytest.raises(BadInput, match=r"cleancut\[cloud\]"):
        list(Bucket("s3://shop/in", network()))


@pytest.mark.parametrize(("scheme", "known"), SCHEMES.items())
def test_every_scheme_is_one_of_fsspecs(scheme, known):
    assert fsspec.get_filesystem_class(known.protocol) is fsspec.get_filesystem_class(scheme)


def test_from_a_bucket_into_a_bucket_and_no_secret_is_written_down(bucket, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for number, key in enumerate(("a/x.png", "b/x.png", "bad.png")):
        bucket.pipe_file(f"shop/in/{key}", encoded(number) if key != "bad.png" else b"no picture")
    bucket.invalidate_cache()
    command = ["batch", "s3://shop/in", "-o", "s3://shop/out", "--report", "report.html"]
    assert run(command) == 2
    assert "--journal" in capsys.readouterr().err
    assert run([*command, "--journal", "journal.jsonl"]) == 2
    bucket.invalidate_cache()
    assert sorted(bucket.find("shop/out")) == ["shop/out/a/x.png", "shop/out/b/x.png"]
    assert run([*command, "--journal", "journal.jsonl", "--overwrite"]) == 2
    told = capsys.readouterr()
    assert "2 done earlier" in told.err
    written = told.err + told.out + "".join(path.read_text() for path in tmp_path.iterdir())
    assert SECRET not in written
    assert "s3://shop/in/bad.png" in written
