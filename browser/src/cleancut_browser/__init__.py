"""onnxruntime-web's programs and WebAssembly, for cleancut's page."""

from __future__ import annotations

from pathlib import Path

__all__ = ["FILES", "files", "folder"]

FILES = (
    "ort.wasm.min.mjs",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
    "ort.webgpu.min.mjs",
    "ort-wasm-simd-threaded.asyncify.mjs",
    "ort-wasm-simd-threaded.asyncify.wasm",
)
"""What a browser may ask for: web/src/local/runtime.ts names the same."""


def folder() -> Path:
    """Give the folder that holds the files.

    Raises:
        FileNotFoundError: this is a checkout in which they were not built.
    """
    place = Path(__file__).parent
    if missing := [name for name in FILES if not (place / name).is_file()]:
        raise FileNotFoundError(f"{missing[0]} is not there; install cleancut-browser from a wheel, or build it.")
    return place


def files() -> tuple[Path, ...]:
    """Give the path of each file.

    Raises:
        FileNotFoundError: as `folder`.
    """
    place = folder()
    return tuple(place / name for name in FILES)
