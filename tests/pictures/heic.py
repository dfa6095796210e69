"""A small HEIC by the specifications, since no free encoder is at hand: one HEVC block of raw samples.

HEVC is ITU-T H.265; section numbers are of that. The file around it is ISO/IEC 23008-12.
"""

import struct


class Bits:
    """Writes bits, the highest first."""

    def __init__(self):
        self.text = ""

    def fixed(self, value, count):
        self.text += f"{value:0{count}b}"

    def golomb(self, *values):
        for value in values:  # 9.2
            binary = f"{value + 1:b}"
            self.text += "0" * (len(binary) - 1) + binary

    def bytes(self):
        text = self.text.ljust(-(-len(self.text) // 8) * 8, "0")
        return int(text, 2).to_bytes(len(text) // 8, "big")


def unit(kind, payload):
    """Wrap a payload as a NAL unit (7.3.1), 0x03 set between zeros and what could look like a start code."""
    out = bytearray([kind << 1, 1])
    for byte in payload:
        if out[-2:] == b"\0\0" and byte <= 3:
            out.append(3)
        out.append(byte)
    return bytes(out)


def profile():
    bits = Bits()
    bits.fixed(1, 8)  # Main
    bits.fixed(0x60000000, 32)
    bits.fixed(0b1001, 4)
    bits.fixed(0, 44)
    bits.fixed(30, 8)
    return bits.text


def parameter_sets():
    """Video, sequence and picture parameter sets (7.3.2): 16 × 16 pixels, blocks of 16, raw samples allowed."""
    video, sequence, picture = Bits(), Bits(), Bits()
    video.fixed(0b0000_1_1_000000_000_1, 16)
    video.fixed(0xFFFF, 16)
    video.text += profile() + "1"
    video.golomb(0, 0, 0)
    video.fixed(0, 6)
    video.golomb(0)
    video.text += "00" + "1"
    sequence.fixed(0b0000_000_1, 8)
    sequence.text += profile()
    sequence.golomb(0, 1, 16, 16)
    sequence.text += "0"
    sequence.golomb(0, 0, 0)
    sequence.text += "1"
    sequence.golomb(0, 0, 0, 1, 0, 0, 2, 0, 0)
    sequence.text += "000" + "1" + "0111" * 2  # raw samples of 8 bits
    sequence.golomb(1, 0)
    sequence.text += "1"
    sequence.golomb(0)
    sequence.text += "00000" + "1"
    picture.golomb(0, 0)
    picture.text += "0000000"
    picture.golomb(0, 0, 0)
    picture.text += "000"
    picture.golomb(0, 0)
    picture.text += "000000" + "0" + "101" + "00"
    picture.golomb(0)
    picture.text += "00" + "1"
    return unit(32, video.bytes()), unit(33, sequence.bytes()), unit(34, picture.bytes())


def coded(first):
    """Encode a likely first bin or none, then a terminating 1, up to the stop bit, with the encoder of 9.3.4."""
    low, span, out, pending, begun = 0, 510, "", 0, False

    def put(bit):
        nonlocal out, pending, begun
        if begun:
            out += str(bit)
        begun = True
        out += str(1 - bit) * pending
        pending = 0

    if first:
        span -= 240  # the likelier value of a context in state 0
    span -= 2
    low += span
    span = 2
    while span < 256:
        if low < 256:
            put(0)
        elif low >= 512:
            low -= 512
            put(1)
        else:
            low -= 256
            pending += 1
        span, low = span * 2, low * 2
    put(low >> 9 & 1)
    return out + f"{low >> 7 & 3 | 1:02b}"


def picture_slice(luma, blue, red):
    """One slice of one block, its samples raw (7.3.8.7)."""
    bits = Bits()
    bits.text += "10"
    bits.golomb(0, 2, 0)
    bits.text += "1"
    head = bits.bytes()
    start, end = Bits(), Bits()
    start.text, end.text = coded(first=True), coded(first=False)
    return unit(19, head + start.bytes() + luma + blue + red + end.bytes())


def box(kind, *parts):
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def heic(luma, blue, red, turns=0):
    """An HEIC of 16 × 16 pixels.

    Args:
        luma: 256 samples, full range; `blue` and `red` are 64 each.
        turns: quarter turns against the clock that a reader applies.
    """
    sets = parameter_sets()
    arrays = b"".join(bytes([0x80 | s[0] >> 1]) + struct.pack(">HH", 1, len(s)) + s for s in sets)
    config = (
        bytes([1, 1])
        + struct.pack(">I", 0x60000000)
        + bytes([0x90, 0, 0, 0, 0, 0, 30, 0xF0, 0, 0xFC, 0xFD, 0xF8, 0xF8])
    )
    config += bytes([0, 0, 0x0F, 3]) + arrays
    coded_slice = picture_slice(luma, blue, red)
    data = struct.pack(">I", len(coded_slice)) + coded_slice
    properties = [
        box(b"ispe", struct.pack(">III", 0, 16, 16)),
        box(b"hvcC", config),
        box(b"colr", b"nclx", struct.pack(">HHHB", 1, 13, 6, 0x80)),
        *([box(b"irot", bytes([turns]))] if turns else []),
    ]
    used = bytes([0x80 | (i + 1) if i else 1 for i in range(len(properties))])
    ftyp = box(b"ftyp", b"heic", bytes(4), b"mif1heic")

    def meta(offset):
        return box(
            b"meta",
            bytes(4),
            box(b"hdlr", bytes(8), b"pict", bytes(13)),
            box(b"pitm", struct.pack(">IH", 0, 1)),
            box(b"iloc", struct.pack(">IBBHHHHII", 0, 0x44, 0, 1, 1, 0, 1, offset, len(data))),
            box(b"iinf", struct.pack(">IH", 0, 1), box(b"infe", struct.pack(">IHH4sB", 0x02000000, 1, 0, b"hvc1", 0))),
            box(b"iprp", box(b"ipco", *properties), box(b"ipma", struct.pack(">IIHB", 0, 1, 1, len(used)), used)),
        )

    return ftyp + meta(len(ftyp) + len(meta(0)) + 8) + box(b"mdat", data)
