"""The widget itself, in a plain Python: what it tells its page and what it gives to cells."""

import gc
import io
import json
import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image

import cleancut
from cleancut.apps.notebook import built
from cleancut.apps.notebook.nouns import StudioLimits
from cleancut.apps.scene import scene
from cleancut.errors import BadInput, BadSetting, Deadline, NotAPicture, NotFound, TooBig
from tests.apps.notebook.conftest import encoded
from tests.stubs import disc, loading

pytest.importorskip("anywidget", reason="the extra notebook is not installed")

from cleancut.notebook import Studio


@pytest.fixture(autouse=True)
def widget(tmp_path, monkeypatch):
    """Files of a widget that was built."""
    (tmp_path / "widget.js").write_text("export default {}")
    (tmp_path / "widget.css").write_text("p {}")
    monkeypatch.setattr(built, "STATIC", tmp_path)
    return tmp_path


@pytest.fixture
def studio():
    """Make studios that are closed in the end."""
    made = []

    def make(*pictures, **more):
        made.append(Studio(pictures, load=loading(disc()), **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_whatever_is_a_picture_can_be_added(studio, tmp_path):
    (tmp_path / "file.png").write_bytes(encoded())
    image = Image.open(io.BytesIO(encoded()))
    array = np.zeros((60, 80, 3), np.uint8)
    one = studio(tmp_path / "file.png", str(tmp_path / "file.png"), encoded(), array, image, scene(80, 60).photo)
    results = one.wait(120)
    assert list(results) == ["file.png", "file-2.png", "picture", "picture-2", "picture-3", "scene-0"]
    assert {cut.size for cut in results.values()} == {(80, 60)}
    assert one.add(array, name="C:\\mine.png") == "mine.png"
    for nothing in (5, None, object()):
        with pytest.raises(NotAPicture):
            one.add(nothing)
    with pytest.raises(NotAPicture):
        one.add(b"")
    with pytest.raises(NotAPicture, match="does not exist"):
        one.add(tmp_path / "absent.png")


def test_what_the_page_is_told_survives_json(studio):
    one = studio(encoded())
    one.wait(120)
    state = one.get_state()
    plain = json.loads(json.dumps({name: state[name] for name in ("_about", "_pictures", "_recipe")}))
    assert plain["_pictures"][0]["state"] == "done" and plain["_recipe"]["by"] == ""
    assert plain["_recipe"]["recipe"]["model"] == "cleancut-small"
    about = plain["_about"]
    assert {"png", "jpeg"} <= set(about["writes"]) and about["chunk"] <= one._desk.limits.max_chunk
    named = {kind["properties"]["name"]["const"] for kind in about["refine"]["oneOf"]}
    assert {"feather", "threshold"} <= named
    assert [model["here"] for model in about["models"] if model["name"] == "cleancut-small"] == [True]


def test_messages_of_the_page_are_heard(studio, monkeypatch):
    sent = []
    monkeypatch.setattr(Studio, "send", lambda self, content, buffers=None: sent.append(content))
    one = studio()
    one._handle_custom_msg({"kind": "hello", "view": "v", "turn": 1}, [])
    assert [said["kind"] for said in sent] == ["heard", "welcome"]
    one._handle_custom_msg({"kind": "begin", "view": "v", "turn": 2, "name": "a.png", "size": len(encoded())}, None)
    upload = sent[-1]["upload"]
    piece = memoryview(encoded())
    one._handle_custom_msg({"kind": "chunk", "view": "v", "turn": 3, "upload": upload, "offset": 0}, [piece])
    assert list(one.wait(120)) == ["a.png"]


def test_a_recipe_and_strokes_can_be_set_from_a_cell(studio):
    one = studio(encoded())
    one.wait(120)
    one.recipe = cleancut.recipe(refine="none", effects="color:red", strokes=["keep:0.1:0.5,0.5"])
    assert one.recipe.strokes == ()  # they belong to one picture
    assert one._recipe["recipe"]["effects"] == [{"name": "color", "color": "#ff0000"}]
    one.correct("picture", "keep:0.1:0.02,0.02")
    cut = one.results["picture"]
    assert cut.alpha[0, 0] == 1 and cut.recipe == one.recipe_of("picture")
    with pytest.raises(BadSetting, match="from 0 to 1"):
        one.correct("picture", "keep:0.1:1.5,0.5")
    assert len(one.recipe_of("picture").strokes) == 1
    one.correct("picture")
    assert one.results["picture"].alpha[0, 0] == 0
    with pytest.raises(NotFound, match="'other'"):
        one.recipe_of("other")
    one.remove("picture")
    assert not one.results and repr(one.results) == "Results()"


def test_errors_are_given_by_name(studio):
    one = studio(encoded(), b"words, not a picture")
    results = one.wait(120)
    assert list(results) == ["picture"] and list(one.errors) == ["picture-2"]
    assert isinstance(one.errors["picture-2"], NotAPicture)


def test_to_wait_has_an_end():
    gate = threading.Event()

    def slow(name):
        assert gate.wait(120)
        return loading(disc())(name)

    one = Studio([encoded()], load=slow)
    with pytest.raises(Deadline, match="1 of 1"):
        one.wait(0)
    gate.set()
    assert len(one.wait(120)) == 1
    one.close()


def test_limits_come_from_the_environment(studio, monkeypatch):
    monkeypatch.setenv("CLEANCUT_MAX_PICTURES", "1")
    one = studio(encoded())
    with pytest.raises(TooBig, match="1 pictures"):
        one.add(encoded())
    with pytest.raises(TooBig):
        studio(encoded(), limits=StudioLimits(max_bytes=10))


def test_without_its_files_it_says_how_to_build_them(widget):
    (widget / "widget.js").unlink()
    with pytest.raises(BadInput, match="run scripts/web"):
        Studio()
    gc.collect()  # what was not made whole is let go in silence


def test_without_the_extra_it_says_what_to_install():
    code = (
        "import sys; sys.modules['anywidget'] = None\n"
        "import cleancut.notebook as n; assert n.compare and 'Studio' in dir(n)\n"
        "try: from cleancut.notebook import Studio\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("BadInput") and 'pip install "cleancut[notebook]"' in done.stdout


def test_importing_the_names_imports_no_widget():
    heavy = ("anywidget", "ipywidgets", "onnxruntime", "pandas")
    code = f"import sys, cleancut.notebook; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    import cleancut.notebook

    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = cleancut.notebook.nothing
