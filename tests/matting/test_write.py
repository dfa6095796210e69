"""Writing: the promises about every pixel, format by format, decoded by Pillow."""

import io
import json
import os
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageCms

import cleancut
from cleancut.errors import BadInput, BadSetting, CannotWrite
from cleancut.matting.backdrop import colored
from cleancut.matting.cutout import Cutout
from cleancut.matting.recipe import from_json, make
from cleancut.matting.write import TARGETS, encode, encoded, format_of, image, provenance_of, save
from cleancut.pictures import metadata
from cleancut.pictures.images import read
from cleancut.raster.layer import Layer
from cleancut.raster.rows import Rows
from cleancut.types import Picture, Recipe

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LOSSLESS = ["png", "webp", "tiff"]


def noise(height, width, channels, seed):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def cutout(height=37, width=53, seed=1, **settings):
    """A cutout of random colours whose alpha is random too: a third clear, a third opaque."""
    rgb = noise(height, width, 3, seed)
    alpha = np.random.default_rng(seed).uniform(-1, 2, (height, width)).clip(0, 1).astype(np.float32)
    source = settings.pop("source", Picture(rgb))
    subject = Layer(Rows.of(rgb), Rows.of(alpha))
    profile = settings.pop("profile", None)
    backdrop = settings.pop("backdrop", None)
    return Cutout(
        source=source,
        scene=subject,
        subject=subject,
        recipe=Recipe(**settings),
        sha256="5" * 64,
        profile=profile,
        backdrop=backdrop,
    )


def pixels(data):
    with Image.open(io.BytesIO(data)) as opened:
        return np.asarray(opened.convert("RGBA") if opened.mode in {"P", "LA"} else opened)


def written(cut):
    return (cut.alpha * np.float32(255) + np.float32(0.5)).astype(np.uint8)


# ---------------------------------------------------------------- the promises


@pytest.mark.parametrize("format", LOSSLESS)
@pytest.mark.parametrize("seed", range(4))
def test_opaque_pixels_are_the_sources_and_clear_ones_are_empty(format, seed):
    cut = cutout(height=20 + 13 * seed, width=31 + 7 * seed, seed=seed, format=format)
    got = pixels(encoded(cut))
    opaque, clear = got[..., 3] == 255, got[..., 3] == 0
    assert opaque.sum() > 100
    assert clear.sum() > 100
    assert (got[..., 3] == written(cut)).all()
    assert (got[opaque][:, :3] == cut.source.rgb[opaque]).all()
    assert (got[clear] == 0).all()
    assert (got == cut.rgba()).all()


@pytest.mark.parametrize("format", LOSSLESS)
def test_the_promises_hold_over_many_strips(format, monkeypatch):
    monkeypatch.setattr("cleancut.raster.rows.STRIP_PIXELS", 200)
    cut = cutout(format=format)
    got = pixels(encoded(cut))
    opaque = got[..., 3] == 255
    assert (got[opaque][:, :3] == cut.source.rgb[opaque]).all()
    assert (got[got[..., 3] == 0] == 0).all()


@pytest.mark.parametrize("format", LOSSLESS)
def test_alpha_and_foreground_alone(format):
    alpha = pixels(encoded(cutout(format=format, show="alpha")))
    assert (alpha if alpha.ndim == 2 else alpha[..., 0]).tolist() == written(cutout()).tolist()
    color = pixels(encoded(cutout(format=format, show="foreground")))
    assert (color == cutout().foreground).all()
    assert (color[written(cutout()) == 0] == 0).all()


@pytest.mark.parametrize("format", ["png", "tiff"])
def test_the_alpha_alone_is_one_channel(format):
    with Image.open(io.BytesIO(encoded(cutout(format=format, show="alpha", profile=SRGB)))) as opened:
        assert opened.mode == "L"
        assert "icc_profile" not in opened.info  # which is one of colours


def test_tiff_says_that_its_alpha_is_straight():
    with Image.open(io.BytesIO(encoded(cutout(format="tiff")))) as opened:
        assert opened.tag_v2[338] == (2,)
        assert opened.tag_v2[259] == 8


def smooth(**settings):
    """A cutout that lossy formats can hold well: a disc on a ramp."""
    y, x = np.mgrid[0:96, 0:128]
    rgb = np.stack([x * 2, y * 2, (x + y)], axis=2).clip(0, 255).astype(np.uint8)
    alpha = np.clip(40 - np.hypot(y - 48, x - 64) + 0.5, 0, 1).astype(np.float32)
    subject = Layer(Rows.of(rgb), Rows.of(alpha))
    return Cutout(source=Picture(rgb), scene=subject, subject=subject, recipe=Recipe(**settings))


@pytest.mark.parametrize(("format", "quality"), [("avif", None), ("avif", 80), ("webp", 90)])
def test_lossy_formats_come_close(format, quality):
    cut = smooth(format=format, quality=quality)
    got, want = pixels(encoded(cut)).astype(int), cut.rgba().astype(int)
    opaque = want[..., 3] == 255
    assert np.abs(got - want)[opaque][:, :3].mean() < 2
    assert np.abs(got - want)[..., 3].mean() < 1


@pytest.mark.parametrize("format", ["avif", "webp", "jpeg"])
def test_quality_decides_the_size(format):
    low, high = (len(encoded(cutout(64, 64, format=format, quality=quality))) for quality in (20, 95))
    assert low < high


# ---------------------------------------------------------------- over a background


def test_jpeg_lies_over_white_unless_something_else_was_laid_there():
    white = pixels(encoded(smooth(format="jpeg", quality=100)))
    blue = pixels(encoded(replace(smooth(format="jpeg", quality=100), backdrop=colored(0, 0, 255))))
    half = pixels(encoded(replace(smooth(format="jpeg", quality=100), backdrop=colored(0, 0, 0, 0))))
    assert (white[:4] >= 254).all()
    assert np.abs(blue[:4].astype(int) - (0, 0, 255)).max() <= 2
    assert (half[:4] >= 254).all()
    assert np.abs(white[48, 64].astype(int) - (128, 96, 112)).max() <= 3


def test_jpeg_of_an_alpha_is_the_alpha():
    got = pixels(encoded(smooth(format="jpeg", show="alpha", quality=95)))
    assert got.ndim == 2
    assert np.abs(got - written(smooth()).astype(int)).mean() < 1


def test_a_backdrop_fills_lossless_formats_too():
    got = pixels(encoded(replace(cutout(), backdrop=colored(0, 0, 255))))
    assert (got[..., 3] == 255).all()
    assert (got[written(cutout()) == 0] == (0, 0, 255, 255)).all()


# ---------------------------------------------------------------- what goes with the pixels


@pytest.mark.parametrize("format", list(TARGETS))
def test_the_profile_goes_with_the_colours(format):
    cut = cutout(format=format, profile=SRGB, backdrop=colored(255, 255, 255))
    assert read(encoded(cut)).profile == SRGB


def test_a_jpeg_over_white_is_srgb_like_its_white():
    assert read(encoded(cutout(format="jpeg", profile=SRGB))).profile is None


@pytest.mark.parametrize("format", list(TARGETS))
def test_the_resolution_and_the_kept_metadata_go_along(format):
    exif = Image.Exif()
    exif[0x010F], exif[0x8298] = "Maker", "(c) Me"
    exif.get_ifd(0x8769)[0xA434] = "50mm F1.4"
    kept = metadata.kept(metadata.parsed(exif.tobytes()))
    source = Picture(noise(37, 53, 3, 1), dpi=(300.0, 200.0), exif=kept)
    back = read(encoded(cutout(format=format, source=source)), keep_metadata=True)
    assert np.round(back.dpi).tolist() == [300, 200]
    told = metadata.parsed(back.exif)
    assert told.main[0x010F].data == b"Maker\0"
    assert told.details[0xA434].data == b"50mm F1.4\0"


@pytest.mark.parametrize("format", list(TARGETS))
def test_nothing_is_said_that_was_not_known(format):
    back = read(encoded(cutout(format=format)), keep_metadata=True)
    assert back.profile is None
    assert back.exif is None


# ---------------------------------------------------------------- provenance


def test_a_png_says_how_it_was_made():
    made = make(refine="none", max_side=500)
    source = Picture(noise(37, 53, 3, 1), name="/home/anna/secret.jpg")
    data = encoded(replace(cutout(source=source), recipe=made))
    noted = provenance_of(data)
    assert from_json(noted["recipe"]) == made
    assert noted["sha256"] == "5" * 64
    assert noted["version"] == cleancut.__version__
    assert b"anna" not in data
    assert b"secret" not in data


def test_provenance_can_be_left_out_and_is_only_in_pngs(tmp_path):
    assert b"tEXt" not in encoded(cutout(provenance=False))
    path = tmp_path / "plain.png"
    path.write_bytes(encoded(cutout(provenance=False)))
    with pytest.raises(BadInput, match=r"plain\.png does not say how it was made"):
        provenance_of(path)
    with pytest.raises(BadInput, match="no PNG"):
        provenance_of(encoded(cutout(format="webp")))


@pytest.mark.parametrize("note", ["", "null", "[1]", "{", '{"recipe": 5}', "[" * 5000, "9" * 5000])
def test_a_strangers_note_is_no_provenance(note):
    stream = io.BytesIO()
    info = Image.new("RGB", (1, 1))
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("cleancut", note)
    info.save(stream, "PNG", pnginfo=text)
    with pytest.raises(BadInput, match="does not say how it was made"):
        provenance_of(stream.getvalue())


def test_a_note_without_end_is_refused():
    data = encoded(cutout())
    assert len(json.dumps(provenance_of(data))) < 2000
    with pytest.raises(BadInput), pytest.MonkeyPatch.context() as patch:
        patch.setattr("cleancut.matting.write._LONGEST_NOTE", 10)
        provenance_of(data)


# ---------------------------------------------------------------- files and formats


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("cut.png", b"\x89PNG"),
        ("cut.PNG", b"\x89PNG"),
        ("cut.webp", b"RIFF"),
        ("cut.avif", b"\0\0\0"),
        ("cut.tif", b"II*\0"),
        ("cut.tiff", b"II*\0"),
        ("cut.jpg", b"\xff\xd8"),
        ("cut.jpeg", b"\xff\xd8"),
    ],
)
def test_the_extension_names_the_format(name, begins, tmp_path):
    path = save(cutout(), tmp_path / name, overwrite=False)
    assert path == tmp_path / name
    assert path.read_bytes().startswith(begins)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_the_recipes_format_wins_over_the_extension(tmp_path):
    save(cutout(format="webp"), tmp_path / "cut.png", overwrite=False)
    save(cutout(format="webp"), tmp_path / "cut.bin", overwrite=False)
    assert (tmp_path / "cut.png").read_bytes().startswith(b"RIFF")
    assert (tmp_path / "cut.bin").read_bytes().startswith(b"RIFF")


@pytest.mark.parametrize("name", ["cut", "cut.gif", "cut.png.bak", ".png"])
def test_an_extension_of_no_format_is_refused(name, tmp_path):
    with pytest.raises(BadSetting, match=r"ends in no format that can be written; use \.png, \.webp"):
        format_of(tmp_path / name)
    with pytest.raises(BadSetting):
        save(cutout(), tmp_path / name, overwrite=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("format", "longest"), [("webp", 16383), ("avif", 65536), ("jpeg", 65500)])
def test_a_size_the_format_cannot_hold_is_refused_before_the_work(format, longest, tmp_path):
    alpha = Rows((1, longest + 1), lambda top, bottom: pytest.fail("computed"))
    color = Rows((1, longest + 1, 3), lambda top, bottom: pytest.fail("computed"))
    wide = replace(cutout(format=format), subject=Layer(color, alpha))
    with pytest.raises(BadSetting, match=f"{format} holds at most {longest} pixels a side, not {longest + 1} × 1"):
        save(wide, tmp_path / "cut", overwrite=False)
    assert list(tmp_path.iterdir()) == []


def test_a_failing_effect_leaves_no_file(tmp_path):
    def fail(top, bottom):
        raise RuntimeError("effect")

    broken = replace(cutout(), subject=Layer(Rows((9, 9, 3), fail), Rows.of(np.ones((9, 9), np.float32))))
    for name in ("cut.png", "cut.webp"):
        with pytest.raises(RuntimeError, match="effect"):
            save(broken, tmp_path / name, overwrite=False)
    assert list(tmp_path.iterdir()) == []


def test_saving_over_a_file_needs_leave(tmp_path):
    path = tmp_path / "cut.png"
    cutout().save(path)
    before = path.read_bytes()
    with pytest.raises(CannotWrite):
        cutout(seed=2).save(path)
    assert path.read_bytes() == before
    cutout(seed=2).save(path, overwrite=True)
    assert path.read_bytes() == encoded(cutout(seed=2))


@pytest.mark.parametrize("format", list(TARGETS))
def test_every_format_can_be_written_to_a_pipe(format):
    out, into = os.pipe()
    with os.fdopen(into, "wb") as stream:
        encode(cutout(16, 16, format=format), stream)
    with os.fdopen(out, "rb") as stream:
        assert read(stream.read()).size == (16, 16)


def test_the_time_of_writing_is_told():
    for format in TARGETS:
        cut = cutout(format=format)
        encoded(cut)
        assert "write" in cut.stopwatch.ms()


# ---------------------------------------------------------------- Pillow images


def test_the_image_shows_what_is_written():
    cut = cutout(profile=SRGB, source=Picture(noise(37, 53, 3, 1), dpi=(300.0, 300.0)))
    shown = image(cut)
    assert shown.mode == "RGBA"
    assert (np.asarray(shown) == cut.rgba()).all()
    assert shown.info == {"icc_profile": SRGB, "dpi": (300.0, 300.0)}
    assert image(cutout(show="alpha")).mode == "L"
    assert image(cutout(show="foreground")).mode == "RGB"
    assert image(cutout(format="jpeg")).mode == "RGB"


def test_a_notebook_is_shown_a_png():
    assert cutout(format="jpeg")._repr_png_().startswith(b"\x89PNG")
