import io

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="training needs PyTorch")

from training.data import SIDE, SOURCES, held_out, read  # noqa: E402
from training.tars import members, write_pairs  # noqa: E402


def file(pixels, format="PNG"):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format)
    return buffer.getvalue()


def test_the_split_keeps_scenes_together():
    assert {held_out("davis20val", f"camel_{n:05}") for n in range(50)} in ({True}, {False})
    assert {held_out("cutouts-render3d", f"lamp_01_v{n}") for n in range(9)} in ({True}, {False})


def test_the_split_takes_its_share():
    share = np.mean([held_out("ccp", str(n)) for n in range(4000)])
    assert 0.045 < share < 0.075


def test_no_source_states_that_it_is_for_non_commercial_use_only():
    assert not [name for name in SOURCES if "imagenet" in name]


def test_a_tar_keeps_what_was_written(tmp_path):
    pairs = {"b": (b"two", b"mask"), "a": (b"one", b"mask")}
    write_pairs(tmp_path / "x.tar", pairs)
    found = members(tmp_path / "x.tar")
    assert found["images"] == {"a": b"one", "b": b"two"}
    assert list(found["masks"]) == ["a", "b"]
    first = (tmp_path / "x.tar").read_bytes()
    write_pairs(tmp_path / "x.tar", dict(reversed(pairs.items())))
    assert (tmp_path / "x.tar").read_bytes() == first


def test_names_in_a_tar_are_never_paths(tmp_path):
    import tarfile

    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        for name in ("../images/a.png", "/images/b.png"):
            entry = tarfile.TarInfo(name)
            entry.size = 1
            tar.addfile(entry, io.BytesIO(b"x"))
    assert set(members(tmp_path / "x.tar")["images"]) == {"a", "b"}


@pytest.fixture
def data(tmp_path):
    grey = np.full((40, 30, 3), 90, np.uint8)
    mask = np.zeros((40, 30), np.uint8)
    mask[:, :15] = 255
    write_pairs(tmp_path / "ccp.tar", {f"p{n}": (file(grey), file(mask)) for n in range(60)})
    write_pairs(tmp_path / "cars510.tar", {"c0": (file(grey), file(mask))})
    rgba = np.zeros((20, 60, 4), np.uint8)
    rgba[4:14, 10:50] = 200, 100, 50, 128
    from tests.training.tar import write

    write(tmp_path / "cutouts-grocery.tar", {f"g{n}": file(rgba) for n in range(3)})
    write(tmp_path / "backgrounds.tar", {f"b{n}": file(grey) for n in range(3)})
    return tmp_path


def test_pictures_become_squares_of_bytes(data):
    shelf = read([data]).training["pair"]
    assert shelf.rgba.shape[1:] == (4, SIDE, SIDE)
    assert shelf.rgba.dtype == torch.uint8
    assert shelf.rgba[0, 3, :, : SIDE // 2 - 8].min() == 255
    assert shelf.rgba[0, 3, :, SIDE // 2 + 8 :].max() == 0


def test_a_cutout_fills_the_square_at_its_own_shape_times_its_alpha(data):
    rgba = read([data]).training["cutout"].rgba[0].float()
    there = (rgba[3] > 64).nonzero()
    (top, left), (bottom, right) = there.min(0).values, there.max(0).values
    assert (right - left + 1, bottom - top + 1) == (SIDE, pytest.approx(SIDE / 4, abs=2))
    middle = rgba[:, SIDE // 2, SIDE // 2]
    assert middle.tolist() == pytest.approx([100, 50, 25, 128], abs=2)


def test_every_picture_is_on_one_side(data):
    read_data = read([data])
    assert len(read_data.training["pair"]) + len(read_data.validation["pair"]) == 61


def test_a_source_can_be_left_out(data):
    assert set(read([data], frozenset({"cars510"})).training["pair"].source) == {"ccp"}


def test_missing_files_are_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="no training file"):
        read([tmp_path])
