import pytest

from cleancut.errors import BadTable, NotDownloaded, UnknownModel
from cleancut.models.registry import COMMERCIAL, HERE, file_model, models, read_tables, registry

GOOD = """
[net]
title = "A net"
kind = "salient"
license = "MIT"
weights = { file = "net.onnx", sha256 = "%s" }
input = { size = [320, 240], mean = [0.5, 0.5, 0.5], std = [1, 1, 1] }
""" % ("a" * 64)


def tables(tmp_path, text):
    path = tmp_path / "models.toml"
    path.write_text(text)
    return read_tables(path)


def test_a_table_becomes_a_model(tmp_path):
    net = tables(tmp_path, GOOD)["net"]
    assert (net.input.size, net.input.filter, net.output.stretch) == ((320, 240), "bicubic", False)
    assert net.weights["network"].file == "net.onnx"
    assert net.commercial


def test_like_takes_what_is_not_stated(tmp_path):
    child = tables(tmp_path, GOOD + '\n[child]\nlike = "net"\ntitle = "Another"\n')["child"]
    assert (child.title, child.license, child.like) == ("Another", "MIT", "net")


def test_weights_may_have_parts(tmp_path):
    parts = 'weights = { encoder = { file = "e.onnx", md5 = "%s" }, decoder = { file = "d.onnx", sha256 = "%s" } }'
    text = "\n".join(parts % ("b" * 32, "c" * 64) if line.startswith("weights") else line for line in GOOD.split("\n"))
    assert set(tables(tmp_path, text)["net"].weights) == {"encoder", "decoder"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("title", "tittle"), "unknown key 'tittle'"),
        (('title = "A net"\n', ""), "lacks the key 'title'"),
        (('"salient"', '"magic"'), "kind must be one of salient"),
        (("[320, 240]", "[320]"), "size must be 2 numbers from 16 to 8192"),
        (("[320, 240]", "[320, 9000]"), "size must be 2 numbers"),
        (("[320, 240]", "[320.5, 240]"), "size must be 2 numbers"),
        (("std = [1, 1, 1]", "std = [1, 1, 0]"), "std must be 3 numbers"),
        ((', sha256 = "%s"' % ("a" * 64), ""), "need a sha256"),
        (("net.onnx", "../net.onnx"), "file must be a file name"),
        (("a" * 64, "A" * 64), "sha256 must be 64 hex digits"),
        (("[net]\n", '[net]\nlike = "nobody"\n'), "is like 'nobody', which is not there"),
        (("[net]\n", "[net\n"), "cannot be read as TOML"),
        (("[net]\n", "net = 3\n[other]\n"), "net must be a table"),
        (("kind =", "output = { stretch = 1 }\nkind ="), "stretch must be true or false"),
    ],
)
def test_a_mistake_names_the_table_and_the_key(tmp_path, change, said):
    with pytest.raises(BadTable) as caught:
        tables(tmp_path, GOOD.replace(*change))
    assert said in str(caught.value)
    assert "models.toml" in str(caught.value)


def test_like_of_a_like_is_refused(tmp_path):
    text = GOOD + '[b]\nlike = "net"\n[c]\nlike = "b"\n'
    with pytest.raises(BadTable, match=r"\[c\] is like b, which is itself like another"):
        tables(tmp_path, text)


def test_an_unknown_name_suggests_a_known_one():
    with pytest.raises(UnknownModel, match="did you mean u2netp"):
        registry()["u2ntp"]
    with pytest.raises(UnknownModel, match="there are cleancut-small"):
        registry()["zzz"]


def test_our_tables_are_whole():
    for model in models():
        assert model.license in COMMERCIAL
        assert model.card is None or (HERE / "cards" / f"{model.card}.md").is_file()
        for weights in model.weights.values():
            assert not weights.embedded or (HERE / "embedded" / weights.file).stat().st_size == weights.bytes


def test_a_file_goes_by_its_hash_and_not_its_path(tmp_path):
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"weights")
    model = file_model(path, registry()["u2netp"])
    assert model.name.startswith("file-") and "mine" not in model.name
    assert model.input == registry()["u2netp"].input
    assert not model.commercial
    with pytest.raises(NotDownloaded, match="gone.onnx"):
        file_model(tmp_path / "gone.onnx", registry()["u2netp"])
