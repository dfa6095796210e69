"""PNG: decoded by hand, strictly by the specification, and by Pillow; the same bytes for any number of workers."""

import io
import os
import struct
import zlib
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

from cleancut.errors import BadInput
from cleancut.pictures.png import text_of, write_png
from cleancut.raster.rows import Rows

CHANNELS = {0: 1, 4: 2, 2: 3, 6: 4}


def noise(height, width, channels, seed=1):
    shape = (height, width, channels) if channels else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def written(array, **settings):
    stream = io.BytesIO()
    write_png(stream, Rows.of(array), **settings)
    return stream.getvalue()


def chunks(data):
    """Every chunk in order, its length and checksum checked."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, found = 8, []
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        assert len(body) == length
        assert struct.unpack_from(">I", data, at + 8 + length)[0] == zlib.crc32(kind + body)
        found.append((kind, body))
        at += 12 + length
    return found


def paeth(a, b, c):
    p = a + b - c
    return min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]


def decoded(data):
    """Decode by the letter of sections 9 and 10, a byte at a time."""
    parts = chunks(data)
    width, height, depth, color, *rest = struct.unpack(">IIBBBBB", parts[0][1])
    assert (parts[0][0], depth, rest) == (b"IHDR", 8, [0, 0, 0])
    inflate = zlib.decompressobj()
    raw = inflate.decompress(b"".join(body for kind, body in parts if kind == b"IDAT"))
    assert inflate.eof  # the checksum was right
    assert inflate.unused_data == b""
    step, above, rows = CHANNELS[color], bytes(width * CHANNELS[color]), []
    assert len(raw) == height * (1 + len(above))
    for y in range(height):
        line = raw[y * (1 + len(above)) : (y + 1) * (1 + len(above))]
        row = bytearray(line[1:])
        for x in range(len(row)):
            left, upleft = (row[x - step], above[x - step]) if x >= step else (0, 0)
            up = above[x]
            row[x] = (row[x] + (0, left, up, (left + up) // 2, paeth(left, up, upleft))[line[0]]) & 255
        rows.append(bytes(row))
        above = bytes(row)
    return np.frombuffer(b"".join(rows), np.uint8).reshape(height, width, step)


@pytest.fixture
def small_strips(monkeypatch):
    monkeypatch.setattr("cleancut.raster.rows.STRIP_PIXELS", 100)


@pytest.mark.parametrize("channels", [0, 1, 2, 3, 4])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 7), (9, 1), (23, 31)])
def test_any_decoder_reads_every_pixel(height, width, channels, small_strips):
    array = noise(height, width, channels)
    data = written(array)
    expected = array.reshape(height, width, -1)
    assert (decoded(data) == expected).all()
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert image.mode == {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[expected.shape[2]]
        assert (np.asarray(image).reshape(expected.shape) == expected).all()


def test_a_large_smooth_picture_of_many_strips():
    y, x = np.mgrid[0:1100, 0:1300]
    array = np.stack([y % 256, x % 256, (x + y) // 10 % 256, (x > 300) * 255], axis=2).astype(np.uint8)
    data = written(array)
    with Image.open(io.BytesIO(data)) as image:
        assert (np.asarray(image) == array).all()
    assert sum(kind == b"IDAT" for kind, _ in chunks(data)) == len(Rows.of(array).strips())
    assert len(data) < array.size / 20


def test_the_bytes_do_not_depend_on_the_workers(monkeypatch, small_strips):
    array, files = noise(60, 40, 4), set()
    for workers in (1, 2, 5):
        monkeypatch.setattr("cleancut.raster.rows.processors", lambda count=workers: count)
        files.add(written(array))
    assert len(files) == 1


def test_the_chunks_come_in_the_order_the_specification_wants(small_strips):
    exif = b"II*\0\x08\0\0\0\0\0\0\0\0\0"
    data = written(noise(10, 20, 3), profile=b"profile", dpi=(300, 150), exif=exif, text={"one": "1", "two": "zwei é"})
    kinds = [kind for kind, _ in chunks(data)]
    assert kinds == [b"IHDR", b"iCCP", b"pHYs", b"eXIf", b"tEXt", b"tEXt", b"IDAT", b"IDAT", b"IEND"]
    body = dict(chunks(data))
    assert body[b"iCCP"].split(b"\0", 1)[1][:1] == b"\0"
    assert zlib.decompress(body[b"iCCP"].split(b"\0", 1)[1][1:]) == b"profile"
    assert struct.unpack(">IIB", body[b"pHYs"]) == (11811, 5906, 1)
    assert body[b"eXIf"] == exif
    assert body[b"tEXt"] == b"two\0zwei \xe9"


def test_without_a_profile_it_says_srgb():
    assert [kind for kind, _ in chunks(written(noise(2, 2, 4)))] == [b"IHDR", b"sRGB", b"IDAT", b"IEND"]


def test_the_stream_need_not_seek():
    out, into = os.pipe()
    array = noise(20, 20, 3)
    with os.fdopen(into, "wb") as stream:
        write_png(stream, Rows.of(array))
    with os.fdopen(out, "rb") as stream:
        assert (decoded(stream.read()) == array).all()


def test_the_work_on_a_strip_is_timed_without_computing_it(small_strips):
    open_now, times, computed = [], [], []

    @contextmanager
    def timed():
        open_now.append(1)
        yield
        times.append(open_now.pop())

    def read(top, bottom):
        computed.append(len(open_now))
        return noise(bottom - top, 20, 3)

    def alone(parts, work):
        return map(work, parts)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cleancut.pictures.png.in_order", alone)
        write_png(io.BytesIO(), Rows((10, 20, 3), read), timed=timed)
    assert times == [1, 1]
    assert computed == [0, 0]


def test_a_failing_strip_fails_the_file(small_strips):
    def read(top, bottom):
        if top > 20:
            raise RuntimeError("strip")
        return noise(bottom - top, 20, 3)

    with pytest.raises(RuntimeError, match="strip"):
        write_png(io.BytesIO(), Rows((50, 20, 3), read))


def test_text_is_read_back():
    data = written(noise(2, 2, 3), text={"first": "1", "cleancut": '{"a":1}', "cleancut-more": "x"})
    assert text_of(data, "cleancut", 100) == '{"a":1}'
    assert text_of(data, "absent", 100) is None
    for end in range(len(data)):
        if data.startswith(b"\x89PNG\r\n\x1a\n", 0, end):
            text_of(data[:end], "cleancut", 100)


def test_text_that_is_too_long_or_in_no_png_is_refused():
    data = written(noise(2, 2, 3), text={"cleancut": "x" * 1000})
    with pytest.raises(BadInput, match="too long"):
        text_of(data, "cleancut", 500)
    with pytest.raises(BadInput, match="no PNG"):
        text_of(b"\xff\xd8\xff", "cleancut", 500)
