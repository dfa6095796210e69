import os

import pytest

from cleancut.errors import BadSetting, BadTable, NotDownloaded, UnknownModel
from cleancut.matting.predict import kinds
from cleancut.models.registry import HERE, NOT_STATED, RUNNING, file_model, known, models, read_tables, registry

GOOD = """
[net]
title = "A net"
kind = "salient"
license = "MIT"
weights = { file = "net.onnx", sha256 = "%s" }
input = { size = [320, 240], mean = [0.5, 0.5, 0.5], std = [1, 1, 1] }
""" % ("a" * 64)


@pytest.fixture
def user(tmp_path, monkeypatch):
    """A user without tables; `user(name, text)` writes one of $CLEANCUT_MODELS."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("CLEANCUT_MODELS", raising=False)
    registry.cache_clear()

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if path.name != "models.toml":
            given = [p for p in os.environ.get("CLEANCUT_MODELS", "").split(os.pathsep) if p]
            monkeypatch.setenv("CLEANCUT_MODELS", os.pathsep.join([*given, str(path)]))
        return path

    yield write
    registry.cache_clear()


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


def test_a_card_and_other_names_are_of_one_model(tmp_path):
    own = GOOD.replace("kind =", 'card = "net"\naliases = ["network"]\nkind =')
    child = tables(tmp_path, own + '\n[child]\nlike = "net"\n')["child"]
    assert (child.card, child.aliases) == (None, ())


def test_other_weights_state_their_own_licence(tmp_path):
    text = GOOD + '\n[child]\nlike = "net"\nweights = { file = "b.onnx", md5 = "%s" }\n' % ("b" * 32)
    with pytest.raises(BadTable, match=r"\[child\] lacks the key 'license'"):
        tables(tmp_path, text)


def test_weights_may_have_parts(tmp_path):
    parts = 'weights = { encoder = { file = "e.onnx", md5 = "%s" }, decoder = { file = "d.onnx", sha256 = "%s" } }'
    text = "\n".join(parts % ("b" * 32, "c" * 64) if line.startswith("weights") else line for line in GOOD.split("\n"))
    assert set(tables(tmp_path, text)["net"].weights) == {"encoder", "decoder"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("title", "tittle"), "unknown key 'tittle'"),
        (('title = "A net"\n', ""), "lacks the key 'title'"),
        (('"A net"', '"A\\u001b[31m net"'), "title must be a line of text"),
        (('"salient"', '"magic"'), "kind must be one of salient"),
        (("[320, 240]", "[320]"), "size must be 2 numbers from 16 to 8192"),
        (("[320, 240]", "[320, 9000]"), "size must be 2 numbers"),
        (("[320, 240]", "[320.5, 240]"), "size must be 2 numbers"),
        (("std = [1, 1, 1]", "std = [1, 1, 0]"), "std must be 3 numbers"),
        (("std = [1, 1, 1]", "std = [1, nan, 1]"), "std must be 3 numbers"),
        ((', sha256 = "%s"' % ("a" * 64), ""), "need a sha256"),
        (("{ file", "{} # { file"), "lacks the key 'file'"),
        (("net.onnx", "../net.onnx"), "file must be a file name"),
        (("net.onnx", ".."), "file must be a file name"),
        (("net.onnx", "C:net.onnx"), "file must be a file name"),
        (("net.onnx", ".net.onnx.part"), "file must be a file name"),
        (("a" * 64, "A" * 64), "sha256 must be 64 hex digits"),
        (("a" * 64, "a" * 63), "sha256 must be 64 hex digits"),
        (('"net.onnx"', '"net.onnx", url = "http://example.com/a"'), "url must be an https address"),
        (('"net.onnx"', '"net.onnx", url = "https://me:secret@example.com"'), "url must be an https address"),
        (('"net.onnx"', '"net.onnx", bytes = -1'), "bytes must be a whole number"),
        (("[net]\n", '[net]\nlike = "nobody"\n'), "is like 'nobody', which is not there"),
        (("[net]\n", "[net]\nlike = []\n"), "is like [], which is not there"),
        (("[net]\n", "[net\n"), "cannot be read as TOML"),
        (("[net]\n", "x = " + "[" * 5000 + "\n"), "cannot be read as TOML"),
        (("[net]\n", "net = 3\n[other]\n"), "net must be a table"),
        (("[net]\n", '["../net"]\n'), "a name of letters"),
        (("[net]\n", '["net.onnx"]\n'), "not end in .onnx"),
        (("[net]\n", '[net]\naliases = ["a", "a"]\n'), "aliases must be a list of different names"),
        (("kind =", "output = { stretch = 1 }\nkind ="), "stretch must be true or false"),
        (("kind =", 'output = { squash = "softmax" }\nkind ='), "name them in layers"),
    ],
)
def test_a_mistake_names_the_table_and_the_key(tmp_path, change, said):
    with pytest.raises(BadTable) as caught:
        tables(tmp_path, GOOD.replace(*change))
    assert said in str(caught.value)
    assert "models.toml" in str(caught.value)
    assert str(caught.value).isprintable()


def test_like_of_a_like_is_refused(tmp_path):
    text = GOOD + '[b]\nlike = "net"\n[c]\nlike = "b"\n'
    with pytest.raises(BadTable, match=r"\[c\] is like b, which is itself like another"):
        tables(tmp_path, text)


@pytest.mark.parametrize("data", [b"\xff\xfe", b"x" * 1_000_001])
def test_a_file_that_is_no_table_is_refused(tmp_path, data):
    (tmp_path / "models.toml").write_bytes(data)
    with pytest.raises(BadTable, match=r"models\.toml"):
        read_tables(tmp_path / "models.toml")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_for_a_table_blocks_nobody(tmp_path):
    os.mkfifo(tmp_path / "models.toml")
    with pytest.raises(BadTable, match="is not a file"):
        read_tables(tmp_path / "models.toml")


def test_an_unknown_name_suggests_a_known_one():
    with pytest.raises(UnknownModel, match="did you mean u2netp"):
        registry()["u2ntp"]
    with pytest.raises(UnknownModel, match="cleancut models lists"):
        registry()["zzz"]


def test_an_alias_is_another_name_of_the_same():
    assert registry()["rmbg-2.0"] is registry()["bria-rmbg"]
    assert "u2net-human-seg" in registry()
    assert "u2net-human-seg" not in list(registry())
    assert len(registry()) == len(list(registry())) == len(models())


def test_our_tables_are_whole():
    for model in models():
        assert model.commercial or model.name == "bria-rmbg"
        assert model.source or all(weights.embedded for weights in model.weights.values())
        assert model.card is None or (HERE / "cards" / f"{model.card}.md").is_file()
        for weights in model.weights.values():
            assert weights.url or weights.embedded
            assert not weights.embedded or (HERE / "embedded" / weights.file).stat().st_size == weights.bytes


def test_the_cards_are_those_of_tables():
    assert {path.stem for path in (HERE / "cards").iterdir()} == {m.card for m in models() if m.card}


def test_the_kinds_that_run_are_those_that_have_a_function():
    assert {entry.name for entry in kinds} == RUNNING


def test_a_users_table_is_one_of_the_models(user):
    user("config/cleancut/models.toml", GOOD)
    user("more.toml", GOOD.replace("net", "other"))
    assert registry()["net"].title == "A net"
    assert list(registry())[-2:] == ["net", "other"]


def test_a_users_table_may_be_like_any_of_ours(user):
    own = 'license = "MIT"\nweights = { file = "m.onnx", md5 = "%s" }' % ("a" * 32)
    user("more.toml", f'[mine]\nlike = "u2netp"\n{own}')
    assert registry()["mine"].input == registry()["u2netp"].input


@pytest.mark.parametrize("taken", ["u2net", "rmbg-2.0"])
def test_a_name_of_ours_is_taken(user, taken):
    user("mine.toml", GOOD.replace("[net]", f'["{taken}"]'))
    with pytest.raises(BadTable, match=rf"two models {taken}, in cleancut's models.toml and in .*mine\.toml"):
        registry()


def test_two_users_tables_of_one_name_are_an_error(user):
    user("a.toml", GOOD)
    user("b.toml", GOOD)
    with pytest.raises(BadTable, match=r"two models net, in .*a\.toml and in .*b\.toml"):
        registry()


def test_different_weights_of_one_file_name_are_an_error(user):
    user("a.toml", GOOD.replace("net.onnx", "U2NET.onnx"))
    with pytest.raises(BadTable, match=r"a\.toml: \[net\] and cleancut's models\.toml: \[u2net\] have different files"):
        registry()


def test_a_table_that_is_named_and_not_there_is_an_error(user, tmp_path, monkeypatch):
    monkeypatch.setenv("CLEANCUT_MODELS", str(tmp_path / "gone.toml"))
    with pytest.raises(BadTable, match=r"gone\.toml is not a file"):
        registry()


def test_a_file_goes_by_its_hash_and_not_its_path(tmp_path):
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"weights")
    model = file_model(path, registry()["u2netp"])
    assert model.name.startswith("file-") and "mine" not in model.name
    assert str(model) == "mine.onnx"
    assert model.input == registry()["u2netp"].input
    assert (model.license, model.commercial) == (NOT_STATED, False)
    with pytest.raises(NotDownloaded, match="gone.onnx"):
        file_model(tmp_path / "gone.onnx", registry()["u2netp"])


def test_a_file_that_a_table_knows_keeps_its_licence(user, tmp_path):
    import hashlib

    sha256 = hashlib.sha256(b"restricted").hexdigest()
    user("mine.toml", GOOD.replace("a" * 64, sha256).replace("MIT", "CC-BY-NC-4.0"))
    path = tmp_path / "renamed.onnx"
    path.write_bytes(b"restricted")
    assert file_model(path, registry()["u2netp"]).license == "CC-BY-NC-4.0"


def forbidden(_):
    raise PermissionError(13, "Permission denied")


def test_a_service_without_a_home_has_our_models(user, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    assert "u2net" in registry()
    monkeypatch.setattr("pathlib.Path.exists", forbidden)
    registry.cache_clear()
    assert "u2net" in registry()


COMPUTED = '[plain]\ntitle = "By colour"\nkind = "keying"\nlicense = "MIT"\n' + "\n".join(
    line for line in GOOD.splitlines() if line.startswith("input")
)


def test_what_is_computed_has_no_weights(tmp_path):
    plain = tables(tmp_path, COMPUTED)["plain"]
    assert (plain.weights, str(plain)) == ({}, "plain")
    with pytest.raises(BadTable, match=r"\[plain\] is of the kind keying, which is computed; leave out its weights"):
        tables(tmp_path, COMPUTED + '\nweights = { file = "a.onnx", md5 = "%s" }' % ("a" * 32))
    with pytest.raises(BadTable, match=r"\[plain\] lacks the key 'weights'"):
        tables(tmp_path, COMPUTED.replace("keying", "salient"))


def test_no_file_is_like_what_has_no_network(tmp_path):
    (tmp_path / "a.onnx").write_bytes(b"x")
    with pytest.raises(BadSetting, match="key has no network, so no file is like it"):
        file_model(tmp_path / "a.onnx", registry()["key"])


def test_settings_follow_a_name():
    model = registry()["key:#00ff00"]
    assert (model.name, model.settings, model.kind) == ("key:#00ff00", "#00ff00", "keying")
    assert "key:anything" in registry()
    assert "kee:anything" not in registry()
    with pytest.raises(UnknownModel, match="no model 'kee'; did you mean key"):
        registry()["kee:auto"]


def test_of_several_tables_the_first_brought_the_file():
    small = registry()["cleancut-small"]
    assert registry()["grabcut"].weights == small.weights
    assert known(small.weights["network"].sha256) is small
