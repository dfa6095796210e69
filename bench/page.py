"""What a person at the page waits for: python -m bench.page [--pictures 100] [--static web/dist/static].

`cleancut serve` and a real Chromium on loopback. Times are what somebody would stop by hand: until the page can be
used, until the first cut-out of a 12-megapixel JPEG is there, until previews after strokes have come; and the memory of
the tab while so many other pictures, all different, are cut and zipped. With `--static` (what `npm run build:static`
wrote) the same first cut-out in the browser alone, the model and its runtime loaded first, is measured too.
"""

from __future__ import annotations

import argparse
import io
import statistics
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from bench.machine import machine
from bench.retouching import jpeg
from bench.serving import ours
from cleancut.apps.scene import scene
from tests.chromium import CHROMIUM, FLAGS
from tests.web.hosts import hosted

FILES = "input[type=file][multiple]"
PATIENCE = 600_000
STROKES = 6


def waited(until: Callable[[], Any]) -> float:
    """Give the seconds that something takes."""
    start = time.perf_counter()
    until()
    return time.perf_counter() - start


def renderer() -> float:
    """Resident memory in MB of the largest tab."""
    found = [0.0]
    for child in psutil.Process().children(recursive=True):
        try:
            if "--type=renderer" in child.cmdline():
                found.append(child.memory_info().rss / 1e6)
        except psutil.Error:  # it has ended meanwhile
            continue
    return max(found)


def first(page: Page, address: str, photo: Path) -> list[tuple[str, str]]:
    """Open the page and cut one photo."""
    opened = waited(lambda: (page.goto(address), page.wait_for_selector(".welcome .about")))
    cut = waited(lambda: (page.set_input_files(FILES, photo), page.wait_for_selector(".item.done")))
    return [("page can be used", f"{opened:.2f} s"), ("first cut-out of 12 MP", f"{cut:.2f} s")]


def strokes(page: Page) -> tuple[str, str]:
    """Draw, and give the time of the previews."""
    taken: list[float] = []
    page.on("requestfinished", lambda asked: "/preview" in asked.url and taken.append(asked.timing["responseEnd"]))
    page.click("#tab-edges")
    page.get_by_role("button", name="Remove", exact=True).click()
    box = page.locator(".stage").bounding_box()
    assert box is not None
    for number in range(STROKES):
        x, y = box["x"] + box["width"] * (0.3 + 0.05 * number), box["y"] + box["height"] * 0.7
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 20, y + 40, steps=5)
        page.mouse.up()
        page.wait_for_timeout(3_000)  # the exact result follows, which must not be in the way of the next preview
    return f"preview after a stroke, of {len(taken)}", f"{statistics.median(taken):.0f} ms, {max(taken):.0f} at most"


def many(page: Page, folder: Path, count: int) -> list[tuple[str, str]]:
    """Queue many pictures, zip their results, and watch the tab."""
    files = []
    for number in range(count):
        file = folder / f"{number:03}.jpg"
        stream = io.BytesIO()
        Image.fromarray(scene(2400, 1700, seed=number).photo.rgb).save(stream, "JPEG", quality=90)
        file.write_bytes(stream.getvalue())
        files.append(file)
    page.set_input_files(FILES, files)
    start, peak = time.perf_counter(), 0.0
    while page.locator(".item.done").count() < count + 1:
        peak = max(peak, renderer())
        page.wait_for_timeout(500)
    cut = time.perf_counter() - start
    with page.expect_download(timeout=PATIENCE) as download:
        page.get_by_role("button", name=f"Download all {count + 1} (ZIP)").click()
    path = download.value.path()
    peak = max(peak, renderer())
    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) == count + 1
    return [(f"{count} pictures of 4 MP cut", f"{cut:.0f} s"), ("zipped", f"{path.stat().st_size / 1e6:.0f} MB"),
            ("memory of the tab, peak", f"{peak:.0f} MB")]  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--static", type=Path)
    given = parser.parse_args()
    rows: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        photo = folder / "photo.jpg"
        photo.write_bytes(jpeg(None))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)

        def opened() -> Page:
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            context.add_init_script("delete window.showSaveFilePicker")  # its dialogue would wait for a person
            page = context.new_page()
            page.set_default_timeout(PATIENCE)
            return page

        with ours(folder, {}) as running:
            page = opened()
            rows += first(page, f"{running.url}/", photo)
            rows.append(strokes(page))
            rows += many(page, folder, given.pictures)
            page.context.close()
        if given.static:
            with hosted(given.static, isolated=True) as host:
                page = opened()
                rows += [(f"in the browser alone: {what}", value) for what, value in first(page, host.url, photo)]
        browser.close()
    print(machine(), "\n\n| | |\n|---|---:|")
    print("\n".join(f"| {what} | {value} |" for what, value in rows))


if __name__ == "__main__":
    main()
