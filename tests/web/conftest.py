"""A real `cleancut serve` with the page built from source, and a real Chromium to use it with.

One server a session. The browser is a module's: playwright keeps an event loop in the thread that started it, which
the asynchronous tests of other modules would trip over.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cleancut.apps.scene import scene
from tests.chromium import CHROMIUM, FLAGS, TIMEOUT, VITE, WEB

# The page is served from where the test built it, so that no test depends on what was built before.
SERVE = """
import sys
from pathlib import Path
from cleancut.apps.cli import main
from cleancut.apps.server import page
page._page = page.Page(Path(sys.argv.pop(1)))
main()
"""


@dataclass(frozen=True, slots=True)
class Server:
    """The service as a person started it.

    Attributes:
        address: without a slash at its end.
        page: folder of the page it serves.
        feedback: folder where ratings are kept.
    """

    address: str
    page: Path
    feedback: Path


@pytest.fixture(scope="session")
def built_page(tmp_path_factory) -> Path:
    """The page, built from source."""
    if not VITE.exists():
        pytest.skip("web/node_modules is not there: run npm ci in web")
    folder: Path = tmp_path_factory.mktemp("page")
    command = [VITE, "build", "--outDir", folder, "--emptyOutDir", "--logLevel", "warn"]
    done = subprocess.run(command, cwd=WEB, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def server(built_page, tmp_path_factory) -> Iterator[Server]:
    """`cleancut serve` on a free port."""
    feedback = tmp_path_factory.mktemp("feedback") / "kept"
    arguments = ["serve", "--port", "0", "--feedback-dir", feedback]
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, built_page, *arguments],
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        lines: list[str] = []
        address = None
        while address is None and (line := process.stdout.readline()):
            lines.append(line)
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            address = found and found[0]
        assert address, "".join(lines)
        threading.Thread(target=process.stdout.read, daemon=True).start()  # a full pipe would stop the server
        yield Server(address, built_page, feedback)
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, server) -> Iterator[Callable[..., Any]]:
    """Open the page in a context of its own; whatever it complains of fails the test.

    The function that comes takes `script`, run before the page's own, `expected`, a pattern of complaints that belong
    to the test, `prepare`, called with the page before it is opened, and options of the browser's context.
    """
    troubles: list[str] = []
    patterns: list[str] = []
    contexts = []

    def visit(script="", expected="", prepare=None, **options):
        context = chromium.new_context(
            **{"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", "accept_downloads": True} | options
        )
        context.set_default_timeout(TIMEOUT)
        contexts.append(context)
        if expected:
            patterns.append(expected)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        if prepare:
            prepare(page)
        page.goto(server.address)
        page.locator("#page > *").first.wait_for()
        return page

    yield visit
    for context in contexts:
        context.close()
    assert [text for text in troubles if not any(re.search(pattern, text) for pattern in patterns)] == []


def photo(name="vase.png", seed=3, width=320, height=400) -> dict[str, Any]:
    """A picture by formula, as a file that a person chooses."""
    stream = io.BytesIO()
    kind = "JPEG" if name.endswith("jpg") else "PNG"
    Image.fromarray(scene(width, height, seed).photo.rgb).save(stream, kind)
    return {"name": name, "mimeType": f"image/{kind.lower()}", "buffer": stream.getvalue()}


def choose(page, *files) -> None:
    """Choose files as a person does in the file dialog."""
    page.locator("input[type=file][multiple]").first.set_input_files(list(files))


def done(page, count) -> None:
    """Wait until so many pictures are done."""
    page.locator(f":nth-match(.item.done, {count})").wait_for()


def shot(page, name) -> None:
    """Keep a screenshot where $PAGE_SHOTS says."""
    if folder := os.environ.get("PAGE_SHOTS"):
        page.screenshot(path=Path(folder, f"{name}.png"))
