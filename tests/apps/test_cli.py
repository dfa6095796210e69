import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cleancut.apps.cli import run
from cleancut.apps.scene import scene

PHOTO = scene(96, 120).photo.rgb


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a photo, which is the current one."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(PHOTO).save("photo.jpg", quality=95)
    return tmp_path


def opened(path):
    """Open a picture without keeping its file open."""
    return Image.open(io.BytesIO(Path(path).read_bytes()))


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_photo_needs_nothing_but_its_name(here, capsys):
    assert run(["photo.jpg"]) == 0
    result = opened("photo_no_bg.png")
    assert (result.mode, result.size) == ("RGBA", (96, 120))
    assert capsys.readouterr() == ("photo_no_bg.png\n", "")


def test_nothing_is_overwritten_without_being_told(here, capsys):
    Path("photo_no_bg.png").write_text("mine")
    assert run(["photo.jpg"]) == 2
    assert "photo_no_bg.png exists; use --overwrite" in capsys.readouterr().err
    assert Path("photo_no_bg.png").read_text() == "mine"
    assert run(["photo.jpg", "--overwrite"]) == 0
    assert opened("photo_no_bg.png").mode == "RGBA"


def test_many_go_to_a_folder(here):
    Image.fromarray(PHOTO).save("b.png")
    assert run(["photo.jpg", "b.png", "-o", "out/"]) == 0
    assert files(here / "out") == ["b_no_bg.png", "photo_no_bg.png"]


def test_a_pattern_that_no_shell_expanded_is_expanded(here):
    Image.fromarray(PHOTO).save("b.png")
    assert run(["*.*", "-o", "out"]) == 0
    assert files(here / "out") == ["b_no_bg.png", "photo_no_bg.png"]


def test_a_pattern_without_a_match_says_so(here, capsys):
    assert run(["*.tiff"]) == 2
    assert "No file matches '*.tiff'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("cut.png", "PNG"),
        ("cut.webp", "WEBP"),
        ("cut.avif", "AVIF"),
        ("cut.tif", "TIFF"),
        ("cut.jpg", "JPEG"),
    ],
)
def test_the_extension_chooses_the_format(here, name, format):
    assert run(["photo.jpg", "-o", name]) == 0
    assert opened(name).format == format


def test_a_format_chooses_the_extension(here):
    assert run(["photo.jpg", "-f", "webp", "--quality", "80"]) == 0
    assert opened("photo_no_bg.webp").format == "WEBP"


def test_an_extension_of_no_format_is_told_before_any_work(here, capsys):
    assert run(["photo.jpg", "-o", "cut.xyz"]) == 2
    assert ".png" in capsys.readouterr().err
    assert files(here) == ["photo.jpg"]


def test_several_pictures_do_not_fit_one_file(here, capsys):
    assert run(["photo.jpg", "photo.jpg", "-o", "cut.png"]) == 2
    assert "2 pictures cannot all go to 'cut.png'" in capsys.readouterr().err


def test_two_pictures_with_one_result_are_told_apart(here, capsys):
    Image.fromarray(PHOTO).save("photo.png")
    assert run(["photo.jpg", "photo.png", "--overwrite"]) == 2
    assert "photo.png has the same result photo_no_bg.png" in capsys.readouterr().err


def test_one_that_fails_spoils_no_other(here, capsys):
    Path("a.jpg").write_text("<html></html>")
    assert run(["a.jpg", "gone.jpg", "photo.jpg"]) == 2
    out, err = capsys.readouterr()
    assert out == "photo_no_bg.png\n"
    assert "a.jpg" in err and "gone.jpg" in err and "Traceback" not in err
    assert files(here) == ["a.jpg", "photo.jpg", "photo_no_bg.png"]


def test_effects_and_what_is_shown(here):
    assert run(["photo.jpg", "-e", "color:white", "-o", "white.png"]) == 0
    assert (np.asarray(opened("white.png"))[0, 0] == 255).all()
    assert run(["photo.jpg", "--show", "alpha", "-o", "alpha.png"]) == 0
    assert opened("alpha.png").mode == "L"


def test_a_picture_for_an_effect_is_a_file_here_and_a_digest_in_the_result(here):
    Image.new("RGB", (8, 8), (0, 0, 200)).save("secret-beach.png")
    assert run(["photo.jpg", "-e", "behind:picture=secret-beach.png"]) == 0
    result = opened("photo_no_bg.png")
    assert result.getpixel((0, 0)) == (0, 0, 200, 255)
    assert "beach" not in json.dumps({k: str(v) for k, v in result.info.items()})


def test_json_is_one_line_a_picture(here, capsys):
    Path("bad.jpg").write_bytes(b"")
    assert run(["photo.jpg", "bad.jpg", "--json"]) == 2
    good, bad = map(json.loads, capsys.readouterr().out.splitlines())
    assert good["size"] == [96, 120]
    assert len(good["box"]) == 4
    assert 0 < good["confidence"] <= 1
    assert {"output", "model", "sha256", "provider", "ms", "notes"} <= set(good)
    assert (bad["input"], bad["kind"]) == ("bad.jpg", "NotAPicture")


def test_dry_run_writes_nothing(here, capsys):
    Path("photo_no_bg.png").touch()
    assert run(["photo.jpg", "--dry-run"]) == 0
    assert capsys.readouterr().out == "photo.jpg -> photo_no_bg.png  (exists; needs --overwrite)\n"


def test_explain_draws_every_stage(here):
    assert run(["photo.jpg", "--explain"]) == 0
    assert opened("photo_no_bg_explained.png").width > 1000


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["photo.jpg", "-e", "blurr"], "did you mean blur"),
        (["photo.jpg", "-e", "blur:radius=x"], "radius of blur"),
        (["photo.jpg", "-m", "nothing"], "There is no model 'nothing'"),
        (["photo.jpg", "-m", "mine.onnx"], "--like"),
        (["photo.jpg", "--like", "u2netp"], "--like goes with a model file"),
        (["photo.jpg", "--quality", "101"], "101"),
        (["photo.jpg", "--nonsense"], "--nonsense"),
        (["photo.jpg", "-e", "behind:picture=gone.png"], "gone.png"),
        (["photo.jpg", "--max-pixels", "100"], "photo.jpg"),
    ],
)
def test_a_mistake_is_one_sentence_and_code_2(here, capsys, args, said):
    assert run(args) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err
    assert files(here) == ["photo.jpg"]


def test_weights_that_are_not_here_have_their_own_code(here, capsys, monkeypatch):
    monkeypatch.setenv("CLEANCUT_HOME", str(here / "home"))
    assert run(["photo.jpg", "-m", "u2netp"]) == 3
    assert "are not on this machine" in capsys.readouterr().err


def test_an_absent_device_has_its_own_code(here, capsys):
    assert run(["photo.jpg", "--device", "coreml"]) == 1
    assert "coreml is not installed" in capsys.readouterr().err


def test_replay_makes_the_same_file(here, capsys):
    Image.new("RGB", (8, 8), (0, 0, 200)).save("sea.png")
    assert run(["photo.jpg", "-e", "behind:picture=sea.png", "-e", "shadow", "--refine", "feather:radius=2"]) == 0
    assert run(["replay", "photo_no_bg.png", "photo.jpg", "--asset", "sea.png"]) == 0
    assert Path("photo_no_bg_replayed.png").read_bytes() == Path("photo_no_bg.png").read_bytes()
    assert "byte for byte" in capsys.readouterr().err


def test_replay_says_what_is_missing(here, capsys):
    Image.new("RGB", (8, 8)).save("sea.png")
    assert run(["replay", "sea.png", "photo.jpg"]) == 2
    run(["photo.jpg", "-e", "behind:picture=sea.png"])
    assert run(["replay", "photo_no_bg.png", "photo.jpg"]) == 2
    assert "--asset" in capsys.readouterr().err


def test_replay_tells_another_source(here, capsys):
    run(["photo.jpg"])
    Image.fromarray(PHOTO[::-1].copy()).save("other.jpg")
    assert run(["replay", "photo_no_bg.png", "other.jpg"]) == 1
    assert "Differs" in capsys.readouterr().err


def test_no_provenance_leaves_it_out(here):
    run(["photo.jpg", "--no-provenance"])
    assert not opened("photo_no_bg.png").info.get("cleancut")


def test_demo_measures_itself(here, capsys):
    assert run(["demo", "-o", "d"]) == 0
    assert files(here / "d") == ["demo.png", "demo_error.png", "demo_no_bg.png", "demo_sheet.png"]
    said = capsys.readouterr().out
    assert float(said.split("IoU ")[1].split(",")[0]) > 0.8
    assert run(["demo", "-o", "d"]) == 2  # never overwrites


def test_models_and_effects_are_listed(capsys):
    assert run(["models", "--json"]) == 0
    listed = {model["name"]: model for model in json.loads(capsys.readouterr().out)}
    assert listed["cleancut-small"]["here"] and listed["cleancut-small"]["commercial"]
    assert run(["models"]) == 0
    assert "u2netp" in capsys.readouterr().out
    assert run(["effects"]) == 0
    assert "blur" in capsys.readouterr().out
    assert run(["effects", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["effects"]["oneOf"]


def test_doctor_runs_the_model(capsys):
    assert run(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["model"]["iou_on_a_drawn_scene"] > 0.8
    assert found["limits"]["max_pixels"] == 250_000_000
    assert run(["doctor"]) == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell, capsys, monkeypatch):
    import click.shell_completion

    monkeypatch.setattr(click.shell_completion.BashComplete, "_check_version", staticmethod(lambda: None))
    assert run(["completion", shell]) == 0
    assert "_CLEANCUT_COMPLETE" in capsys.readouterr().out


def test_help_and_version(capsys):
    assert run(["--help"]) == 0
    assert run(["cut", "--help"]) == 0
    assert "--keep-metadata" in capsys.readouterr().out
    assert run(["--version"]) == 0


# What only a real process shows: pipes, signals, exit codes, broken names.


def cleancut(*args, cwd, stdin=b"", **more):
    command = [sys.executable, "-m", "cleancut", *args]
    return subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, check=False, timeout=120, **more)


def test_stdin_to_stdout(here):
    done = cleancut("-", cwd=here, stdin=Path("photo.jpg").read_bytes())
    assert done.returncode == 0, done.stderr
    assert Image.open(io.BytesIO(done.stdout)).mode == "RGBA"
    assert done.stderr == b""


def test_a_file_to_stdout(here):
    done = cleancut("photo.jpg", "-o", "-", "-f", "webp", cwd=here)
    assert Image.open(io.BytesIO(done.stdout)).format == "WEBP"


def test_empty_stdin_says_so(here):
    done = cleancut("-", cwd=here)
    assert done.returncode == 2
    assert b"stdin is empty" in done.stderr


def test_stdin_is_limited(here):
    done = cleancut("-", "--max-bytes", "100", cwd=here, stdin=bytes(101))
    assert done.returncode == 2
    assert b"more than 100 bytes" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX file names")
def test_names_that_are_not_utf8(here):
    name = os.fsdecode(b"caf\xe9.jpg")
    Path("photo.jpg").rename(name)
    done = cleancut(name, cwd=here)
    assert done.returncode == 0, done.stderr
    assert b"caf\xe9_no_bg.png" in [os.fsencode(path.name) for path in here.iterdir()]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_a_fifo_does_not_hang(here):
    os.mkfifo("pipe.jpg")
    done = cleancut("pipe.jpg", cwd=here)
    assert done.returncode == 2
    assert b"pipe.jpg" in done.stderr


def test_folders_and_broken_links_are_named(here):
    Path("folder").mkdir()
    Path("link.jpg").symlink_to("gone.jpg")
    done = cleancut("folder", "link.jpg", cwd=here)
    assert done.returncode == 2
    assert b"folder" in done.stderr and b"link.jpg" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told(here):
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "cleancut", "photo.jpg", "-o", "-"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, timeout=120)
    assert done.returncode == 2
    assert b"No space left" in done.stderr
    assert b"Traceback" not in done.stderr


def test_ctrl_c_leaves_nothing_half_written(here):
    import signal
    import time

    Image.fromarray(np.random.default_rng(0).integers(0, 256, (6000, 8000, 3), dtype=np.uint8)).save("big.bmp")
    slow = ["--no-subject", "keep", "--show", "foreground", "--foreground", "source"]  # noise takes long to write
    # A shell's background jobs ignore interrupts, and so do their children.
    heeding = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); import cleancut.__main__"
    process = subprocess.Popen([sys.executable, "-c", heeding, "big.bmp", *slow], cwd=here, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline and len(list(here.iterdir())) == 2:
        time.sleep(0.002)  # until the temporary file of the result appears
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert b"Traceback" not in err
    assert files(here) == ["big.bmp", "photo.jpg"]
