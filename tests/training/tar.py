"""Tars of pictures without folders, as cut-outs and backgrounds come."""

import io
import tarfile


def write(path, files):
    with tarfile.open(path, "w") as tar:
        for stem, data in files.items():
            entry = tarfile.TarInfo(f"{stem}.png")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
