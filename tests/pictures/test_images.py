"""Reading: every format and mode exactly, limits before work, one clear sentence for what is no picture."""

import io
import os
import struct
import sys
import threading
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from cleancut.errors import NotAPicture, TooBig
from cleancut.limits import Limits
from cleancut.pictures.images import from_array, from_image, read, shown, within
from tests.pictures.heic import heic

LOSSLESS = {
    "PNG": {},
    "WEBP": {"lossless": True, "exact": True},
    "TIFF": {"compression": "tiff_lzw"},
    "BMP": {},
}
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def colors(height=20, width=30, channels=3):
    """A picture whose every value follows from its place."""
    y, x, c = np.mgrid[0:height, 0:width, 0:channels]
    return ((y * 31 + x * 17 + c * 59) % 256).astype(np.uint8)


def saved(image, format, **settings):
    stream = io.BytesIO()
    image.save(stream, format, **settings)
    return stream.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, color, rows, *chunks):
    """A PNG as the specification writes it, for depths that Pillow does not write."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunk(*c) for c in chunks) + data + chunk(b"IEND", b"")


def icc(space, kind, tags):
    """A colour profile (ICC.1:2001) with the tags given."""
    at, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    size = at + len(body)
    white = struct.pack(">III", 0xF6D6, 0x10000, 0xD32D)
    head = (
        struct.pack(">I4sI", size, b"test", 0x02400000)
        + kind
        + space
        + b"Lab "
        + struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    )
    head += b"acsp" + bytes(28) + white
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def grey_profile(gamma):
    white = b"XYZ " + bytes(4) + struct.pack(">III", 0xF6D6, 0x10000, 0xD32D)
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))
    profile = bytearray(icc(b"GRAY", b"mntr", {b"wtpt": white, b"kTRC": curve}))
    profile[20:24] = b"XYZ "
    return bytes(profile)


def cmyk_profile():
    """A table from ink to Lab that makes every colour a grey, as light as there is no black."""
    straight = bytes(range(256))
    lattice = b"".join(bytes([255 - 255 * (corner & 1), 128, 128]) for corner in range(16))
    matrix = struct.pack(">9I", *(0x10000 if i % 4 == 0 else 0 for i in range(9)))
    lut = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix + straight * 4 + lattice + straight * 3
    return icc(b"CMYK", b"prtr", {b"A2B0": lut})


# ---------------------------------------------------------------- formats


@pytest.mark.parametrize("format", LOSSLESS)
def test_a_lossless_format_is_read_bit_for_bit(format):
    picture = read(saved(Image.fromarray(colors()), format, **LOSSLESS[format]))
    assert (picture.rgb == colors()).all()
    assert (picture.alpha, picture.profile, picture.exif, picture.notes) == (None, None, None, ())


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF"])
def test_a_files_own_alpha_stands_beside_its_straight_colours(format):
    rgba = colors(channels=4)
    picture = read(saved(Image.fromarray(rgba), format, **LOSSLESS[format]))
    assert (picture.rgb == rgba[..., :3]).all()
    assert (picture.alpha == rgba[..., 3]).all()


@pytest.mark.parametrize("settings", [{}, {"progressive": True}, {"subsampling": 2}, {"quality": 30}])
def test_a_jpeg_is_what_pillow_decodes(settings):
    data = saved(Image.fromarray(colors(50, 70)), "JPEG", **settings)
    assert (read(data).rgb == np.asarray(Image.open(io.BytesIO(data)))).all()


def test_an_avif_is_what_pillow_decodes():
    data = saved(Image.fromarray(colors(channels=4)), "AVIF", quality=60)
    expected = np.asarray(Image.open(io.BytesIO(data)))
    picture = read(data)
    assert (picture.rgb == expected[..., :3]).all()
    assert (picture.alpha == expected[..., 3]).all()


def test_a_phones_jpeg_of_several_pictures_is_its_first():
    first = Image.fromarray(colors(40, 40))
    data = saved(first, "MPO", save_all=True, append_images=[Image.new("RGB", (40, 40))])
    assert b"MPF\0" in data
    picture = read(data)
    assert (picture.rgb == np.asarray(Image.open(io.BytesIO(saved(first, "JPEG"))))).all()
    assert picture.notes == ()


def test_the_content_decides_not_the_extension(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(saved(Image.fromarray(colors()), "PNG"))
    picture = read(path)
    assert (picture.rgb == colors()).all()
    assert picture.name == str(path)


def test_only_the_sniffed_formats_parser_runs(monkeypatch):
    monkeypatch.setattr(Image, "open", None)
    monkeypatch.setattr(Image, "init", None)
    assert read(saved(Image.fromarray(colors()), "PNG")).size == (30, 20)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_an_heic_is_read_and_turned_once(turns):
    pytest.importorskip("pi_heif", reason="the extra heif is not installed")
    luma = np.arange(256, dtype=np.uint8).reshape(16, 16)
    picture = read(heic(luma.tobytes(), bytes([128]) * 64, bytes([128]) * 64, turns))
    assert (picture.rgb == np.rot90(luma, turns)[..., None]).all()
    assert picture.notes == ()


def test_the_colours_of_an_heic():
    pytest.importorskip("pi_heif", reason="the extra heif is not installed")
    luma, blue, red = (bytes([value]) * count for value, count in ((76, 256), (85, 64), (255, 64)))
    assert np.abs(read(heic(luma, blue, red)).rgb.astype(int) - (254, 0, 0)).max() <= 1


def test_heic_without_its_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    monkeypatch.delitem(sys.modules, "pi_heif.as_plugin", raising=False)
    with pytest.raises(NotAPicture, match=r'IMG_1\.HEIC is HEIC.*pip install "cleancut\[heif\]"'):
        read(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", name="IMG_1.HEIC")


# ---------------------------------------------------------------- modes and depths


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_grey_pngs_of_every_depth_are_scaled_to_8_bits(depth):
    values = np.arange(16) % 2**depth if depth < 8 else np.linspace(0, 2**depth - 1, 16).astype(int)
    bits = "".join(f"{v:0{depth}b}" for v in values)
    row = int(bits, 2).to_bytes(len(bits) // 8, "big")
    picture = read(png(16, 1, depth, 0, [row]))
    assert picture.rgb[0, :, 0].tolist() == np.rint(values * 255 / (2**depth - 1)).astype(int).tolist()
    assert (picture.rgb == picture.rgb[..., :1]).all()


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_the_clear_value_of_a_grey_png_is_clear_at_every_depth(depth):
    row = {1: b"\x40", 2: b"\x1b", 4: b"\x12", 8: b"\x00\x07", 16: b"\x12\x34\x12\x35"}[depth]
    clear = {1: 1, 2: 1, 4: 2, 8: 7, 16: 0x1235}[depth]
    picture = read(png(2, 1, depth, 0, [row], (b"tRNS", struct.pack(">H", clear))))
    assert picture.alpha.tolist() == [[255, 0]]


def test_the_clear_colour_of_a_16_bit_png_is_clear():
    row = struct.pack(">6H", 0x1234, 0x5678, 0x9ABC, 0xFFFF, 0xFFFF, 0xFFFF)
    picture = read(png(2, 1, 16, 2, [row], (b"tRNS", row[:6])))
    assert picture.rgb.tolist() == [[[0x12, 0x56, 0x9A], [255, 255, 255]]]
    assert picture.alpha.tolist() == [[0, 255]]


def test_a_palette_with_an_alpha_for_each_entry():
    palette = bytes([255, 0, 0, 0, 255, 0, 0, 0, 255])
    picture = read(png(3, 1, 8, 3, [b"\0\1\2"], (b"PLTE", palette), (b"tRNS", bytes([255, 128]))))
    assert picture.rgb.tolist() == [[[255, 0, 0], [0, 255, 0], [0, 0, 255]]]
    assert picture.alpha.tolist() == [[255, 128, 255]]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"])
def test_every_mode_of_pillow_is_what_pillow_makes_of_it(mode):
    image = Image.fromarray(colors(channels=4)).convert(mode)
    picture = from_image(image)
    expected = np.asarray(image.convert("RGBA"))
    assert (picture.rgb == expected[..., :3]).all()
    assert (picture.alpha is None) == (mode not in {"LA", "P", "RGBA"})
    assert picture.alpha is None or (picture.alpha == expected[..., 3]).all()


def test_premultiplied_colours_become_straight():
    image = Image.new("RGBa", (1, 1), (64, 32, 0, 128))
    picture = from_image(image)
    assert picture.rgb.tolist() == [[[127, 63, 0]]]
    assert picture.alpha.tolist() == [[128]]


@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_16_bit_grey_is_scaled_and_not_clipped(order):
    values = np.array([[0, 128, 129, 257, 32768, 65535]], order)
    image = Image.fromarray(values)
    expected = [0, 0, 1, 1, 128, 255]
    assert read(saved(image, "TIFF")).rgb[0, :, 0].tolist() == expected
    assert from_image(image).rgb[0, :, 0].tolist() == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 257, 65535]], np.int32), [0, 1, 255]),
        (np.array([[0, 0.5, 1]], np.float32), [0, 128, 255]),
        (np.array([[0, np.nan, 1]], np.float32), [0, 0, 255]),
    ],
)
def test_whole_numbers_and_floats_are_scaled(values, expected):
    assert read(saved(Image.fromarray(values), "TIFF")).rgb[0, :, 0].tolist() == expected


@pytest.mark.parametrize(
    ("values", "span"),
    [
        (np.array([[0, 65536]], np.int32), "0 to 65535"),
        (np.array([[-1, 5]], np.int32), "0 to 65535"),
        (np.array([[0, 1.5]], np.float32), "0 to 1"),
    ],
)
def test_values_without_a_known_white_are_refused(values, span):
    with pytest.raises(NotAPicture, match=f"scan.tif has values outside {span}, .* scale them first"):
        read(saved(Image.fromarray(values), "TIFF"), name="scan.tif")


def test_cmyk_jpegs_of_adobe_are_not_inverted():
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[:, 8:, 3] = 255  # no ink at the left, black at the right
    data = saved(Image.fromarray(inks, "CMYK"), "JPEG", quality=100)
    assert b"Adobe" in data
    rgb = read(data).rgb
    assert rgb[:, :7].min() > 250
    assert rgb[:, 9:].max() < 5


def test_a_lab_tiff_becomes_srgb():
    lab = Image.merge("LAB", [Image.new("L", (2, 1), v) for v in (255, 128, 128)])
    assert (read(saved(lab, "TIFF")).rgb >= 254).all()


# ---------------------------------------------------------------- orientation


@pytest.mark.parametrize("strip", [1 << 18, 64])
@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_turned_upright(orientation, format, strip, monkeypatch):
    monkeypatch.setattr("cleancut.raster.rows.STRIP_PIXELS", strip)
    image = Image.fromarray(colors(channels=4))
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(image, format, exif=exif, **LOSSLESS[format])
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGBA"))
    picture = read(data)
    assert picture.size == ((20, 30) if orientation > 4 else (30, 20))
    assert (picture.rgb == expected[..., :3]).all()
    assert (picture.alpha == expected[..., 3]).all()
    assert picture.rgb.flags.c_contiguous


def test_a_sideways_photo_has_its_resolution_turned_too():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(Image.fromarray(colors()), "PNG", exif=exif, dpi=(300, 150))
    assert np.round(read(data).dpi).tolist() == [150, 300]


@pytest.mark.parametrize("strip", [1 << 18, 64])
def test_palette_transparency_survives_strips_and_turns(strip, monkeypatch):
    monkeypatch.setattr("cleancut.raster.rows.STRIP_PIXELS", strip)
    image = Image.fromarray(colors()).convert("P")
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(image, "PNG", exif=exif, transparency=image.getpixel((3, 4)))
    expected = np.asarray(image.transpose(Image.Transpose.ROTATE_270))
    assert ((read(data).alpha == 0) == (expected == image.getpixel((3, 4)))).all()


# ---------------------------------------------------------------- colour


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
def test_an_rgb_profile_stays_with_the_values(format):
    picture = read(saved(Image.fromarray(colors()), format, icc_profile=SRGB))
    assert picture.profile == SRGB
    assert picture.notes == ()


def test_a_grey_profile_is_converted_to_srgb():
    grey = Image.new("L", (4, 4), 128)
    picture = read(saved(grey, "PNG", icc_profile=grey_profile(1.0)))
    light = 128 / 255
    expected = 255 * (1.055 * light ** (1 / 2.4) - 0.055)
    assert picture.profile is None
    assert picture.notes == ()
    assert np.abs(picture.rgb - expected).max() <= 1


def test_a_grey_profile_is_converted_beside_an_alpha_and_in_16_bits():
    both = Image.merge("LA", [Image.new("L", (4, 4), 128), Image.new("L", (4, 4), 7)])
    deep = Image.fromarray(np.full((4, 4), 128 * 257, np.uint16))
    plain = read(saved(Image.new("L", (4, 4), 128), "PNG", icc_profile=grey_profile(1.0)))
    for image in (both, deep):
        picture = read(saved(image, "PNG", icc_profile=grey_profile(1.0)))
        assert (picture.rgb == plain.rgb).all()
    assert (read(saved(both, "PNG", icc_profile=grey_profile(1.0))).alpha == 7).all()


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_a_cmyk_profile_is_converted_to_srgb(format):
    inks = Image.new("CMYK", (16, 16), (200, 0, 0, 0))  # cyan, which this profile calls white
    settings = {"quality": 100} if format == "JPEG" else {}
    assert read(saved(inks, format, icc_profile=cmyk_profile(), **settings)).rgb.min() >= 254
    assert read(saved(inks, format, **settings)).rgb[..., 0].max() < 60


@pytest.mark.parametrize(
    ("profile", "note"),
    [
        (b"nonsense" * 40, "cannot be read"),
        (SRGB[:200], "cannot be read"),
        (grey_profile(2.2), "another kind"),
        (SRGB + bytes(16_000_001), "too large"),
    ],
    ids=["nonsense", "cut off", "grey", "large"],
)
def test_a_profile_that_does_not_fit_is_dropped_with_a_note(profile, note):
    image = Image.fromarray(colors())
    image.info["icc_profile"] = profile
    picture = from_image(image)
    assert (picture.rgb == colors()).all()
    assert picture.profile is None
    assert len(picture.notes) == 1
    assert note in picture.notes[0]


def test_a_png_whose_profile_does_not_inflate_is_read_without_it():
    picture = read(png(1, 1, 8, 0, [b"\7"], (b"iCCP", b"name\0\0garbage")))
    assert picture.profile is None
    assert picture.notes == ("Its colour profile cannot be read and was left out.",)


# ---------------------------------------------------------------- frames


@pytest.mark.parametrize(
    ("format", "word"),
    [("GIF", "frames"), ("WEBP", "frames"), ("PNG", "frames"), ("AVIF", "frames"), ("TIFF", "pages")],
)
def test_of_several_frames_the_first_is_read_and_said_so(format, word):
    frames = [Image.new("RGB", (8, 8), (200 - 50 * i, 10, 10 * i)) for i in range(4)]
    settings = {"lossless": True} if format == "WEBP" else {}
    data = saved(frames[0], format, save_all=True, append_images=frames[1:], **settings)
    picture = read(data)
    assert picture.notes == (f"The first of 4 {word}.",)
    assert np.abs(picture.rgb.astype(int) - (200, 10, 0)).max() <= (4 if format == "AVIF" else 0)


@pytest.mark.parametrize("format", ["GIF", "TIFF"])
def test_endless_frames_are_not_counted_to_their_end(format, monkeypatch):
    monkeypatch.setattr("cleancut.pictures.formats.MOST_FRAMES", 3)
    monkeypatch.setattr("cleancut.pictures.images.MOST_FRAMES", 3)
    frames = [Image.new("L", (2, 2), i) for i in range(6)]
    picture = read(saved(frames[0], format, save_all=True, append_images=frames[1:]))
    assert "more than 3" in picture.notes[0]


def test_a_gif_with_a_clear_colour():
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putdata([0, 1])
    picture = read(saved(image, "GIF", transparency=1))
    assert picture.alpha.tolist() == [[255, 0]]
    assert picture.rgb[0, 0].tolist() == [255, 0, 0]


# ---------------------------------------------------------------- resolution, size, metadata


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "BMP"])
def test_the_resolution_is_read(format):
    dpi = read(saved(Image.fromarray(colors()), format, dpi=(300, 200))).dpi
    assert np.round(dpi).tolist() == [300, 200]


@pytest.mark.parametrize("dpi", [(0, 0), (1, 1), (1e9, 1e9)])
def test_a_senseless_resolution_is_none(dpi):
    image = Image.fromarray(colors())
    image.info["dpi"] = dpi
    assert from_image(image).dpi is None


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
@pytest.mark.parametrize(
    ("max_side", "size"), [(100, (100, 50)), (150, (150, 75)), (399, (399, 200)), (4000, (400, 200))]
)
def test_max_side_bounds_the_longer_side(max_side, size, format):
    picture = read(saved(Image.fromarray(colors(200, 400) // 8 + 100), format, dpi=(300, 300)), max_side=max_side)
    assert picture.size == size
    assert picture.rgb.shape == (size[1], size[0], 3)
    assert np.round(picture.dpi).tolist() == [300, 300]


def test_reducing_does_not_let_clear_colours_bleed():
    rgba = np.zeros((64, 64, 4), np.uint8)
    rgba[:, :32] = (255, 0, 0, 255)
    rgba[:, 32:] = (0, 255, 0, 0)
    small = within(from_array(rgba), 16)
    assert small.size == (16, 16)
    assert small.rgb[small.alpha > 0][:, 1].max() == 0


def test_metadata_is_left_out_unless_it_is_asked_for():
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    for format in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF"):
        data = saved(Image.fromarray(colors()), format, exif=exif)
        assert read(data).exif is None
        assert b"Maker" in read(data, keep_metadata=True).exif


# ---------------------------------------------------------------- limits


def claims(width, height):
    """Headers of about a hundred bytes that claim a size, by format."""
    big, little = struct.pack(">II", width, height), struct.pack("<II", width, height)
    size24 = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    tiff = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8)]
    entries = b"".join(struct.pack("<HHII", *entry) for entry in tiff)
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\1\x11\0"
    return {
        "PNG": b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", big + b"\x08\2\0\0\0") + chunk(b"IDAT", b""),
        "JPEG": b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" + frame + b"\xff\xda\0\x08\1\1\0\0\x3f\0",
        "GIF": b"GIF89a" + struct.pack("<HH", width, height) + bytes(3) + b"," + bytes(9) + b"\2\0;",
        "GIF frame": b"GIF89a\1\0\1\0\0\0\0," + struct.pack("<4H", 0, 0, width, height) + b"\0\2\0;",
        "BMP": b"BM" + struct.pack("<IIIIiiHHIIIIII", 100, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0),
        "TIFF": b"II*\0\x08\0\0\0" + struct.pack("<H", len(tiff)) + entries + bytes(4) + little,
        "WebP": b"RIFF\x64\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + size24 + b"VP8L" + bytes(40),
    }


@pytest.mark.parametrize("format", claims(1, 1))
def test_a_header_that_claims_too_much_is_refused_before_decoding(format):
    data = claims(50_000, 50_000)[format]
    assert len(data) < 150
    with pytest.raises(TooBig, match=r"bomb has 50000 × 50000 pixels, 2,500 megapixels; the limit is 250\.") as caught:
        read(data, name="bomb")
    assert caught.value.http_status == 413


def test_the_limit_on_pixels_is_exact():
    data = saved(Image.fromarray(colors()), "PNG")
    assert read(data, limits=Limits(max_pixels=600)).size == (30, 20)
    for given in (data, saved(Image.fromarray(colors()), "WEBP"), saved(Image.fromarray(colors()), "AVIF")):
        with pytest.raises(TooBig, match="30 × 20"):
            read(given, limits=Limits(max_pixels=599))
    with pytest.raises(TooBig):
        from_image(Image.fromarray(colors()), limits=Limits(max_pixels=599))
    with pytest.raises(TooBig):
        from_array(colors(), limits=Limits(max_pixels=599))


def test_the_limit_on_bytes_holds_for_bytes_and_for_files_unread(tmp_path):
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(300_000_000)  # holds no data: reading it would show
    limits = Limits(max_bytes=64_000_000)
    with pytest.raises(TooBig, match=r"large\.png has 300 MB; the limit is 64 MB\."):
        read(path, limits=limits)
    with pytest.raises(TooBig, match="0.002 MB"):
        read(bytes(2000), limits=Limits(max_bytes=1999))


def test_pictures_that_pillow_would_call_a_bomb_are_read_within_our_limits(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 200)  # it refuses twice that: 600 pixels are too many for it
    for format in ("PNG", "TIFF", "BMP", "JPEG"):
        assert read(saved(Image.fromarray(colors()), format)).size == (30, 20)
    with pytest.raises(TooBig, match="too large to be read as WebP"):
        read(saved(Image.fromarray(colors()), "WEBP"))


def test_no_memory_is_too_big(monkeypatch):
    def full(*_):
        raise MemoryError

    monkeypatch.setattr("cleancut.pictures.pixels.planes", full)
    with pytest.raises(TooBig, match="too large to be read"):
        read(saved(Image.fromarray(colors()), "PNG"))


# ---------------------------------------------------------------- what is no picture


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "photo.jpg is empty; check that it was copied or downloaded to its end."),
        (b"<!DOCTYPE html><html><body>404</body>", "photo.jpg is HTML, not a picture."),
        (b"\n <!-- x -->\n<html lang=en>", "photo.jpg is HTML, not a picture."),
        (b'<?xml version="1.0"?>\n<svg width="1">', "photo.jpg is an SVG drawing; convert it to PNG first."),
        (b"<svg xmlns='a'>", "photo.jpg is an SVG drawing; convert it to PNG first."),
        (b"<?xml version='1.0'?><Error/>", "photo.jpg is XML, not a picture."),
        (b"%PDF-1.7\n", "photo.jpg is a PDF document; export the page as PNG first."),
        (b"8BPS\0\1", "photo.jpg is a Photoshop document; export it as PNG or TIFF first."),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "photo.jpg is a video, not a picture."),
        (b"\x1aE\xdf\xa3webm", "photo.jpg is a video, not a picture."),
        (b"PK\x03\x04docx", "photo.jpg is an archive; unpack it first."),
        (b"not found", "photo.jpg is text, not a picture."),
        (b'{"error": "no such picture"}\n', "photo.jpg is text, not a picture."),
        (bytes(100), "photo.jpg is not a picture of a kind that can be read"),
    ],
)
def test_what_is_no_picture_is_called_what_it_is(data, sentence, tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    for given in (data, path):
        with pytest.raises(NotAPicture) as caught:
            read(given, name="photo.jpg")
        assert str(caught.value).startswith(sentence)
        assert caught.value.exit_code == 2


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_truncated_file_says_so(format, share):
    data = saved(Image.fromarray(colors(40, 60)), format)
    with pytest.raises(NotAPicture, match=r"photo cannot be read: its \w+ data is damaged, ends too early or"):
        read(data[: int(len(data) * share)], name="photo")


def test_what_is_no_file_is_called_what_it_is(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "broken.png").symlink_to(tmp_path / "gone.png")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    (tmp_path / "real.png").write_bytes(saved(Image.fromarray(colors()), "PNG"))
    (tmp_path / "good.png").symlink_to(tmp_path / "real.png")
    sentences = {
        "missing.png": "does not exist.",
        "real.png/inside.png": "does not exist.",
        ".": "is a folder; name the pictures in it.",
        "pipe.png": "is not a regular file; send its content through stdin instead.",
        "/dev/zero": "is not a regular file; send its content through stdin instead.",
        "broken.png": "is a symbolic link to a file that does not exist.",
        "loop.png": "is a symbolic link that leads back to itself.",
        "x" * 300: "is too long a name for a file.",
        "a\0b": "is not the name of a file.",
    }
    for name, sentence in sentences.items():
        path = tmp_path / name
        with pytest.raises(NotAPicture) as caught:
            read(path)
        assert str(caught.value) == f"{shown(path)} {sentence}"
    assert read(tmp_path / "good.png").size == (30, 20)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = tmp_path / "secret.png"
    path.write_bytes(b"x")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("cleancut.pictures.files.os.open", refuse)  # root may read everything
    with pytest.raises(NotAPicture, match=r"secret\.png may not be read; check its permissions\."):
        read(path)


def test_a_file_that_becomes_a_pipe_does_not_block(tmp_path, monkeypatch):
    path = tmp_path / "photo.png"
    os.mkfifo(path)
    regular = Path(__file__).stat()
    monkeypatch.setattr(Path, "stat", lambda self: regular)
    with pytest.raises(NotAPicture, match="is not a regular file"):
        read(path)


def test_a_file_that_grows_while_it_is_read_keeps_within_its_size(tmp_path, monkeypatch):
    path = tmp_path / "photo.png"
    path.write_bytes(saved(Image.fromarray(colors()), "PNG"))
    size = path.stat().st_size
    fstat = os.fstat

    def grow(descriptor):
        about = fstat(descriptor)
        with path.open("ab") as file:
            file.write(bytes(10_000))
        return about

    monkeypatch.setattr("cleancut.pictures.files.os.fstat", grow)
    assert read(path, limits=Limits(max_bytes=size)).size == (30, 20)


def test_names_print_safely(tmp_path):
    name = os.fsdecode(b"caf\xe9\x1b[31m\n\xe2\x80\xae.jpg")
    path = tmp_path / name
    path.write_bytes(b"<html>")
    with pytest.raises(NotAPicture) as caught:
        read(path)
    message = str(caught.value)
    assert message.encode()  # no lone surrogates
    assert message.isprintable()
    assert "caf�" in message
    assert shown("a" * 5000) == "a" * 150 + "…" + "a" * 150


# ---------------------------------------------------------------- Pillow images and arrays


def test_a_pillow_image_that_is_damaged_is_one_of_our_errors():
    data = saved(Image.fromarray(colors(200, 200)), "PNG")
    with Image.open(io.BytesIO(data[: len(data) // 2])) as image, pytest.raises(NotAPicture, match="cannot be read"):
        from_image(image)


def test_a_pillow_image_keeps_its_resolution_and_profile_and_is_turned():
    exif = Image.Exif()
    exif[0x0112] = 3
    data = saved(Image.fromarray(colors()), "PNG", exif=exif, icc_profile=SRGB, dpi=(96, 96))
    with Image.open(io.BytesIO(data)) as image:
        picture = from_image(image, name="upload")
    assert (picture.rgb == colors()[::-1, ::-1]).all()
    assert (picture.name, picture.profile) == ("upload", SRGB)
    assert np.round(picture.dpi).tolist() == [96, 96]


def test_arrays_of_every_layout_and_type():
    rgba = colors(channels=4)
    for array in (rgba[..., :3], np.ascontiguousarray(rgba[..., :3])):
        assert (from_array(array).rgb == rgba[..., :3]).all()
    grey = rgba[..., 0]
    for array in (grey, grey[..., None], grey.astype(np.uint16) * 257, grey / 255, (grey / 255).astype(np.float32)):
        assert (from_array(array).rgb == grey[..., None]).all()
    assert (from_array(rgba).alpha == rgba[..., 3]).all()
    assert (from_array(rgba[..., 2:]).alpha == rgba[..., 3]).all()
    assert from_array(np.full((2, 2, 4), 255, np.uint8)).alpha is None
    shared = np.zeros((2, 2, 3), np.uint8)
    assert np.shares_memory(from_array(shared).rgb, shared)


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.zeros(5, np.uint8), "shape"),
        (np.zeros((2, 2, 5), np.uint8), "shape"),
        (np.zeros((0, 2, 3), np.uint8), "shape"),
        (np.zeros((1, 2, 2, 3), np.uint8), "shape"),
        (np.zeros((2, 2), np.int64), "int64"),
        (np.zeros((2, 2), bool), "bool"),
        (np.zeros((2, 2), complex), "complex"),
        (np.full((2, 2), 1.01), "outside 0 to 1"),
        (np.full((2, 2), -0.01), "outside 0 to 1"),
        (np.full((2, 2), np.nan), "outside 0 to 1"),
    ],
)
def test_arrays_that_are_no_pictures(array, sentence):
    with pytest.raises(NotAPicture, match=sentence):
        from_array(array, name="array")


# ---------------------------------------------------------------- threads and warnings


def test_reading_in_many_threads_leaves_the_warning_filters_as_they_were():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(Image.fromarray(colors()), "TIFF", exif=exif)
    before, filters = warnings.filters, list(warnings.filters)
    start = threading.Barrier(8)

    def work(_):
        start.wait()
        return [read(data).size for _ in range(20)]

    with ThreadPoolExecutor(8) as pool:
        assert all(sizes == [(20, 30)] * 20 for sizes in pool.map(work, range(8)))
    assert warnings.filters is before
    assert warnings.filters == filters


def test_what_pillow_warns_of_is_not_said_twice():
    image = Image.fromarray(colors())
    exif = Image.Exif()
    exif[0x0132] = "2026"
    data = bytearray(saved(image, "TIFF", exif=exif))
    at = struct.unpack_from("<I", data, 4)[0]
    for entry in range(struct.unpack_from("<H", data, at)[0]):
        if struct.unpack_from("<H", data, at + 2 + 12 * entry)[0] == 0x0132:
            struct.pack_into("<I", data, at + 2 + 12 * entry + 4, 1 << 20)
    with pytest.warns(UserWarning, match="larger than file"):
        Image.open(io.BytesIO(data)).close()
    assert read(bytes(data)).size == (30, 20)  # warnings are errors here
