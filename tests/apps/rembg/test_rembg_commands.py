import io
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from cleancut.apps import serve as serving
from cleancut.apps.cli import run
from cleancut.apps.rembg import files as rembg_files
from cleancut.apps.rembg.commands import rembg
from cleancut.apps.scene import scene
from cleancut.errors import BadInput
from tests.apps.rembg.stub import session
from tests.stubs import disc

PHOTO = scene(60, 48).photo.rgb


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a photo, which is the current one; the network is a disc, and what was asked for is noted."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(PHOTO).save("photo.jpg", quality=95)
    asked = []

    def opened(model, extras, say):
        asked.append((model, extras))
        return session(disc())

    monkeypatch.setattr(rembg_files, "opened", opened)
    return SimpleNamespace(folder=tmp_path, asked=asked)


def pipe(monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data), isatty=lambda: False))


def opened(path):
    return Image.open(io.BytesIO(Path(path).read_bytes()))


FLAGS = {
    "i": "-m --model -a --alpha-matting -af --alpha-matting-foreground-threshold -ab "
    "--alpha-matting-background-threshold -ae --alpha-matting-erode-size -om --only-mask -ppm --post-process-mask "
    "-dc --decontaminate -vm --vitmatte -bgc --bgcolor -x --extras",
    "p": "-m --model -a --alpha-matting -af --alpha-matting-foreground-threshold -ab "
    "--alpha-matting-background-threshold -ae --alpha-matting-erode-size -om --only-mask -ppm --post-process-mask "
    "-dc --decontaminate -vm --vitmatte -bgc --bgcolor -x --extras -w --watch -d --delete_input --accept-usage-cost "
    "--overwrite",
    "b": "-m --model -a --alpha-matting -af --alpha-matting-foreground-threshold -ab "
    "--alpha-matting-background-threshold -ae --alpha-matting-erode-size -om --only-mask -ppm --post-process-mask "
    "-vm --vitmatte -bgc --bgcolor -x --extras -o --output_specifier",
    "d": "",
    "m": "--dry-run --delete-source --clean-orphans",
    "s": "-p --port -h --host -l --log_level -t --threads --no-ui --public",
}


@pytest.mark.parametrize("command", FLAGS)
def test_every_flag_of_rembg_is_there(command):
    assert set(rembg.commands) == set(FLAGS)
    flags = {flag for param in rembg.commands[command].params for flag in param.opts if flag.startswith("-")}
    assert flags == set(FLAGS[command].split())


def test_defaults_are_rembgs_but_the_model():
    defaults = {param.name: param.default for param in rembg.commands["i"].params}
    assert defaults["model"] == "cleancut-small"
    assert [defaults[f"alpha_matting_{name}"] for name in ("foreground_threshold", "background_threshold")] == [240, 10]
    assert (defaults["alpha_matting_erode_size"], defaults["bgcolor"]) == (10, (0, 0, 0, 0))


def test_a_file_in_and_a_file_out(here, capsys):
    assert run(["rembg", "i", "photo.jpg", "cut.png"]) == 0
    assert (opened("cut.png").mode, opened("cut.png").size) == ("RGBA", (60, 48))
    assert here.asked == [("cleancut-small", {})]
    assert capsys.readouterr() == ("", "")
    Path("cut.png").write_text("old")
    assert run(["rembg", "i", "photo.jpg", "cut.png", "-om", "-m", "u2netp"]) == 0
    assert opened("cut.png").mode == "L"
    assert here.asked[-1] == ("u2netp", {})


def test_a_pipe_gets_the_picture(here, capsysbinary, monkeypatch):
    assert run(["rembg", "i", "photo.jpg"]) == 0
    assert capsysbinary.readouterr().out.startswith(b"\x89PNG")
    for arguments in ([], ["-"], ["-", "-"]):
        pipe(monkeypatch, Path("photo.jpg").read_bytes())
        assert run(["rembg", "i", *arguments]) == 0
        assert capsysbinary.readouterr().out.startswith(b"\x89PNG")


def test_a_terminal_gets_a_file_beside(here, capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert run(["rembg", "i", "photo.jpg"]) == 0
    assert opened("photo.out.png").mode == "RGBA"
    assert capsys.readouterr().err == "photo.out.png\n"


def test_flags_change_the_result(here):
    assert run(["rembg", "i", "photo.jpg", "hard.png", "-om", "-ppm"]) == 0
    assert set(np.unique(opened("hard.png"))) == {0, 255}
    assert run(["rembg", "i", "photo.jpg", "red.png", "-bgc", "255", "0", "0", "255"]) == 0
    assert opened("red.png").getpixel((0, 0)) == (255, 0, 0, 255)
    assert run(["rembg", "i", "photo.jpg", "bare.png", "-x", '{"putalpha": true}']) == 0
    assert opened("bare.png").getpixel((0, 0))[:3] != (0, 0, 0)
    assert opened("bare.png").getpixel((0, 0))[3] == 0


def test_extras_reach_the_session_and_go_before_flags(here):
    extras = '{"model_path": "mine.onnx", "providers": ["CPUExecutionProvider"], "only_mask": true}'
    assert run(["rembg", "i", "photo.jpg", "mask.png", "-x", extras]) == 0
    assert here.asked == [("cleancut-small", {"providers": ["CPUExecutionProvider"], "model_path": "mine.onnx"})]
    assert opened("mask.png").mode == "L"


@pytest.mark.parametrize("bad", ["{", "[]", "3", '"putalpha"', "{'putalpha': true}", "[" * 99_999])
def test_extras_that_are_no_object_are_an_error(here, capsys, bad):
    for command in (["i", "photo.jpg", "cut.png"], ["p", ".", "out"], ["b", "2", "2"]):
        assert run(["rembg", *command, "-x", bad]) == 2
        assert "-x takes an object of JSON" in capsys.readouterr().err
    assert not Path("cut.png").exists()


@pytest.mark.parametrize("flag", ["-vm", "--vitmatte"])
def test_vitmatte_reaches_every_command(here, monkeypatch, flag):
    asked = []
    monkeypatch.setattr(rembg_files, "planned", lambda given, flags: asked.append(flags))
    monkeypatch.setattr(rembg_files, "complete", lambda plan, say: (_ for _ in ()).throw(BadInput("Planned.")))
    for command in (["i", "photo.jpg", "cut.png"], ["p", ".", "out"], ["b", "6", "4"]):
        assert run(["rembg", *command, flag]) == 2
    assert [flags["vitmatte"] for flags in asked] == [True] * 3


def test_what_comes_later_says_so_in_one_sentence(here, capsys):
    assert run(["rembg", "i", "photo.jpg", "-x", '{"sam_prompt": [{"type": "point"}]}']) == 2
    assert "sam_prompt" in capsys.readouterr().err
    assert not Path("out").exists()


def test_the_service_takes_the_flags_of_rembgs(monkeypatch):
    served = []
    monkeypatch.setattr(serving, "run", lambda settings: served.append(settings) or 0)
    assert run(["rembg", "s"]) == 0
    assert run(["rembg", "s", "-p", "80", "-h", "0.0.0.0", "-l", "trace", "-t", "3", "--no-ui", "--public"]) == 0
    asked = [(s.host, s.port, s.log_level, s.page, s.public, s.limits.workers) for s in served]
    assert asked == [("127.0.0.1", 7000, "info", True, False, 2), ("0.0.0.0", 80, "debug", False, True, 3)]


@pytest.mark.parametrize("bad", [["gone.jpg"], ["text.jpg"], ["photo.jpg", "no/cut.png"]])
def test_what_fails_says_why(here, capsys, bad):
    Path("text.jpg").write_text("<html></html>")
    assert run(["rembg", "i", *bad]) == 2
    assert bad[-1] in capsys.readouterr().err


def test_r10_an_animation_is_its_first_frame_and_that_is_said(here, capsys):
    frames = [Image.new("RGB", (20, 10), color) for color in ("red", "blue", "green")]
    frames[0].save("film.gif", save_all=True, append_images=frames[1:])
    assert run(["rembg", "i", "film.gif", "cut.png"]) == 0
    assert "film.gif: The first of 3 frames." in capsys.readouterr().err


def test_frames_go_to_stdout(here, capsysbinary, monkeypatch):
    pipe(monkeypatch, PHOTO.tobytes() * 2)
    assert run(["rembg", "b", "60", "48"]) == 0
    out = capsysbinary.readouterr().out
    assert out.count(b"\x89PNG\r\n\x1a\n") == 2
    assert Image.open(io.BytesIO(out)).size == (60, 48)


def test_frames_go_to_numbered_files(here, monkeypatch):
    for pattern, names in (
        ("out/f-%03u.png", ["f-000.png", "f-001.png"]),
        ("again/%d%%.png", ["0%.png", "1%.png"]),
    ):
        pipe(monkeypatch, PHOTO.tobytes() * 2)
        assert run(["rembg", "b", "60", "48", "-om", "-o", pattern]) == 0
        found = sorted(Path(pattern).parent.iterdir())
        assert [path.name for path in found] == names
        assert opened(found[0]).mode == "L"


@pytest.mark.parametrize("pattern", ["out.png", "%s.png", "%d-%d.png", "%", "%d%", "%x.png", "%(a)d.png", "%*d", ""])
def test_a_pattern_without_one_number_is_refused(here, capsys, monkeypatch, pattern):
    pipe(monkeypatch, PHOTO.tobytes())
    assert run(["rembg", "b", "60", "48", "-o", pattern]) == 2
    assert "pattern with one number" in capsys.readouterr().err
    assert sorted(path.name for path in here.folder.iterdir()) == ["photo.jpg"]


def test_a_stream_that_ends_inside_a_frame_is_an_error(here, capsys, monkeypatch):
    pipe(monkeypatch, PHOTO.tobytes() + b"123")
    assert run(["rembg", "b", "60", "48", "-o", "%d.png"]) == 2
    assert "stdin ends inside frame 1: 3 of 8,640 bytes" in capsys.readouterr().err
    assert Path("0.png").exists() and not Path("1.png").exists()


def test_frames_beyond_the_limit_are_refused_before_any_is_read(here, capsys, monkeypatch):
    monkeypatch.setenv("CLEANCUT_MAX_PIXELS", "1000")
    pipe(monkeypatch, b"")
    assert run(["rembg", "b", "60", "48"]) == 2
    assert "larger than the limit of 1,000 pixels" in capsys.readouterr().err


def test_the_version_and_help(capsys):
    assert run(["rembg", "-V"]) == 0
    assert "cleancut rembg, version" in capsys.readouterr().out
    for command in FLAGS:
        assert run(["rembg", command, "--help"]) == 0
    assert "stop.txt" in capsys.readouterr().out
