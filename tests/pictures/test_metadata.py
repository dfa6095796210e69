"""EXIF: what personal there is goes, what is of use stays, and damaged data is no trouble."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

from cleancut.pictures.metadata import (
    DETAILS,
    MAIN,
    Exif,
    kept,
    orientation,
    parsed,
    resolution,
    sane_dpi,
    with_resolution,
)

SECRETS = {
    "main": {
        0x010E: "our address",  # ImageDescription
        0x9C9B: "titles".encode("utf-16le"),  # XPTitle
        0x9C9C: "comments".encode("utf-16le"),  # XPComment
        0x9C9D: "authors".encode("utf-16le"),  # XPAuthor
        0x013C: "host-of-anna",  # HostComputer
        0x02BC: b"<xmp>here</xmp>",
        0x83BB: b"iptc-city",
        0xC62F: "camera-serial",  # CameraSerialNumber
    },
    "details": {
        0x927C: b"maker note with serial 4711",
        0x9286: b"ASCII\0\0\0user comment",
        0xA420: "unique-id-0815",
        0xA430: "Anna Owner",
        0xA431: "body-serial-1",
        0xA435: "lens-serial-2",
        0x9214: (1, 2, 3, 4),  # SubjectArea
    },
}
KEPT = {
    "main": {
        0x010F: "Maker",
        0x0110: "Model X",
        0x0131: "Studio 5",
        0x0132: "2026:11:01 10:00:00",
        0x013B: "A. Artist",
    },
    "details": {0x829A: IFDRational(1, 250), 0x8827: 400, 0x9003: "2026:11:01 09:59:58", 0xA434: "50mm F1.4"},
}


def photographed(order="<"):
    """EXIF with everything a camera and a careless editor may write."""
    exif = Image.Exif()
    exif.endian = order
    exif[0x0112] = 6
    exif[0x8298] = "(c) A. Artist"
    for tag, value in (KEPT["main"] | SECRETS["main"]).items():
        exif[tag] = value
    exif.get_ifd(ExifTags.IFD.Exif).update(KEPT["details"] | SECRETS["details"])
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    exif.get_ifd(ExifTags.IFD.IFD1).update({0x0201: 1, 0x0202: 4})
    return exif.tobytes()


@pytest.mark.parametrize("order", ["<", ">"])
def test_what_is_personal_goes_and_what_is_of_use_stays(order):
    data = photographed(order)
    left = kept(parsed(data))
    for secret in (b"our address", b"t\0i\0", b"anna", b"Anna", b"serial", b"user", b"0815", b"here", b"iptc", b"4711"):
        assert secret in data, secret
        assert secret not in left, secret
    back = Image.Exif()
    back.load(left)
    assert dict(back) == KEPT["main"] | {0x8298: "(c) A. Artist", 0x8769: back[0x8769]}
    assert back.get_ifd(ExifTags.IFD.Exif) == KEPT["details"]
    assert back.get_ifd(ExifTags.IFD.GPSInfo) == {}
    assert back.get_ifd(ExifTags.IFD.IFD1) == {}


def test_only_listed_tags_are_ever_kept():
    read = parsed(kept(parsed(photographed())))
    assert set(read.main) <= set(MAIN) | {0x8769}
    assert set(read.details) <= set(DETAILS)


def test_nothing_to_keep_is_none():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert kept(parsed(exif.tobytes())) is None
    assert kept(parsed(None)) is None


def test_a_tag_that_hides_a_lot_of_data_goes():
    exif = Image.Exif()
    exif[0x0131] = "x" * 5000
    exif[0x010F] = "Maker"
    assert parsed(kept(parsed(exif.tobytes()))).main.keys() == {0x010F}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("stated", "told"), [(1, 1), (6, 6), (8, 8), (0, 1), (9, 1), (255, 1)])
def test_the_orientation_is_one_of_eight(stated, told, order):
    exif = Image.Exif()
    exif.endian = order
    exif[0x0112] = stated
    assert orientation(parsed(exif.tobytes())) == told


def test_without_exif_a_picture_is_upright():
    assert orientation(parsed(b"")) == 1
    assert orientation(Exif()) == 1


@pytest.mark.parametrize(
    ("tags", "dpi"),
    [
        ({282: 300.0, 283: 150.0, 296: 2}, (300, 150)),
        ({282: 300.0, 283: 150.0}, (300, 150)),
        ({282: 100.0, 283: 100.0, 296: 3}, (254, 254)),
        ({282: 300.0, 283: 300.0, 296: 1}, None),
        ({282: 300.0}, None),
        ({282: 0.0, 283: 300.0}, None),
        ({}, None),
    ],
)
def test_the_resolution_in_dots_per_inch(tags, dpi):
    exif = Image.Exif()
    for tag, value in tags.items():
        exif[tag] = value
    read = resolution(parsed(exif.tobytes()))
    assert read == (None if dpi is None else pytest.approx(dpi))


def test_a_resolution_can_be_stated():
    for exif in (None, kept(parsed(photographed(">")))):
        stated = with_resolution(exif, (300, 72.5))
        assert resolution(parsed(stated)) == (300, 72.5)
        assert exif is None or set(parsed(exif).main) < set(parsed(stated).main)
    assert with_resolution(None, None) is None


@pytest.mark.parametrize("stated", [None, 72, (72,), (1, 1), ("a", "b"), (float("nan"), 72), (IFDRational(1, 0), 72)])
def test_a_senseless_resolution_is_none(stated):
    assert sane_dpi(stated) is None


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.binary(max_size=200), st.sampled_from([b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"Exif\0\0II*\0"]))
def test_any_bytes_are_read_without_trouble(data, start):
    exif = parsed(start + data)
    left = kept(exif)
    assert left is None or kept(parsed(left)) == left
    assert orientation(exif) in range(1, 9)
    assert len(with_resolution(left, (72, 72))) > 8
    resolution(exif)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.data())
def test_damaged_exif_is_read_without_trouble(data):
    exif = bytearray(photographed())
    for _ in range(data.draw(st.integers(1, 8))):
        exif[data.draw(st.integers(0, len(exif) - 1))] = data.draw(st.integers(0, 255))
    left = kept(parsed(bytes(exif[: data.draw(st.integers(0, len(exif)))])))
    assert left is None or kept(parsed(left)) == left


def test_pillow_reads_what_is_written():
    stream = io.BytesIO()
    Image.new("RGB", (2, 2)).save(stream, "JPEG", exif=b"Exif\0\0" + kept(parsed(photographed())))
    with Image.open(stream) as image:
        assert image.getexif()[0x010F] == "Maker"
