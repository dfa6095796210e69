"""The studio in a real JupyterLab and a real Notebook 7, in Chromium, with a real kernel."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import cleancut
from cleancut.matting.write import encoded as written
from tests.apps.notebook.conftest import bomb, encoded
from tests.chromium import CHROMIUM, FLAGS, TIMEOUT, VITE, WEB

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")

from tests.apps.notebook.jupyter import Jupyter, serving  # noqa: E402 - it needs Jupyter's packages

# The widget is that which the test built, so that no test depends on what was built before.
SHOW = """from pathlib import Path
from cleancut.apps.notebook import built
built.STATIC = Path({static!r})
from cleancut.apps.scene import scene
from cleancut.notebook import Studio, StudioLimits
studio = Studio([scene(320, 400).photo], limits=StudioLimits(max_pictures=5))
studio"""

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.skipif(not VITE.exists(), reason="web/node_modules is not there: run npm ci in web"),
]


@pytest.fixture(scope="module")
def static(tmp_path_factory) -> Path:
    """The widget, built from source."""
    folder: Path = tmp_path_factory.mktemp("widget")
    command = [VITE, "build", "--config", "vite.widget.config.ts", "--outDir", folder, "--logLevel", "warn"]
    done = subprocess.run(command, cwd=WEB, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory) -> Iterator[Jupyter]:
    with serving(tmp_path_factory.mktemp("jupyter")) as server:
        yield server


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium) -> Iterator[Any]:
    context = chromium.new_context(viewport={"width": 1400, "height": 1000}, accept_downloads=True)
    context.set_default_timeout(TIMEOUT)
    yield context.new_page()
    context.close()


def opened(page, jupyter, name, address) -> None:
    """Open a notebook, and run its first cell once its kernel is listened to."""
    page.goto(address)
    page.locator(".jp-CodeCell .cm-content").first.wait_for()
    listened_to(page, jupyter, name)
    ran(page, 0)
    page.locator(".cleancut-studio").wait_for()
    rows(page, "done", 1)


def listened_to(page, jupyter, name) -> None:
    """Wait until the kernel of a notebook is idle and the page listens to it."""
    for _ in range(480):
        if jupyter.ready(name):
            return
        page.wait_for_timeout(250)
    raise AssertionError(f"the kernel of {name} did not start")


def ran(page, number, code=None) -> str:
    """Run a cell, with other code in it where that is given; give what it printed."""
    cell = page.locator(".jp-CodeCell").nth(number)
    prompt = cell.locator(".jp-InputPrompt")
    before = prompt.inner_text()
    for turn in range(480):
        now = prompt.inner_text()
        if now != before and re.search(r"\d", now):
            return cell.locator(".jp-OutputArea-output").last.inner_text().strip() if number else ""
        if now == before and turn % 20 == 0:  # until Jupyter has put itself together, keys and runs go nowhere
            started(page, number, code)
        page.wait_for_timeout(250)
    shot(page, "not-run")
    raise AssertionError(f"the cell did not run: {prompt.inner_text()}")


def started(page, number, code=None) -> None:
    page.locator(".jp-CodeCell").nth(number).locator(".cm-content").click()
    if code is not None:
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(code)
    page.keyboard.press("Control+Enter")


def rows(page, state, count) -> Any:
    """Wait for so many pictures in a state; give them."""
    found = page.locator(f".cleancut-studio li[data-state={state}]")
    found.nth(count - 1).wait_for()
    return found


def file(name, data) -> dict[str, Any]:
    return {"name": name, "mimeType": "image/png", "buffer": data}


def button(studio, name) -> Any:
    return studio.get_by_role("button", name=name, exact=True)


def redden(page, studio) -> None:
    """Choose a red background, and wait until it is seen."""
    studio.get_by_label("Behind the subject").select_option("color")
    studio.get_by_label("Color", exact=True).first.fill("#ff0000")
    becomes_red(page, 0.2)


def red(page) -> float:
    """Tell which share of the stage is pure red."""
    shot = np.asarray(Image.open(io.BytesIO(page.locator(".cc-stage").screenshot())).convert("RGB")).astype(int)
    return float(((shot[..., 0] > 240) & (shot[..., 1] < 20) & (shot[..., 2] < 20)).mean())


def becomes_red(page, least) -> None:
    for _ in range(240):
        if red(page) >= least:
            return
        page.wait_for_timeout(500)
    raise AssertionError(f"{red(page)} of the stage is red")


def downloaded(page, press) -> tuple[str, bytes]:
    with page.expect_download() as waiting:
        press()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def shot(page, name) -> None:
    """Keep a screenshot where $NOTEBOOK_SHOTS says."""
    if folder := os.environ.get("NOTEBOOK_SHOTS"):
        page.screenshot(path=Path(folder, f"{name}.png"))


def test_a_studio_in_jupyterlab(page, jupyter, static):
    name = jupyter.notebook("lab.ipynb", SHOW.format(static=str(static)), "")
    opened(page, jupyter, name, jupyter.lab(name))
    studio = page.locator(".cleancut-studio")
    good = encoded(200, 160, "JPEG", seed=4)
    bad_files_are_told(page, studio, good)
    keys_belong_to_the_stage(page, studio)
    strokes_and_effects_go_to_recipes(page, studio)
    cells_and_page_agree(page, studio, jupyter)
    files_are_those_of_cut(page, studio, good)
    page.locator("[data-command='notebook:restart-kernel'], [data-jp-item-name=restart] *").first.click()
    page.locator(".jp-Dialog .jp-mod-accept").click()
    studio.locator(".cc-notice", has_text="kernel is gone").wait_for()
    shot(page, "lab-gone")
    assert ran(page, 1, "print('again')") == "again"  # a server that is ended while a kernel restarts hangs


def bad_files_are_told(page, studio, good) -> None:
    """Each where it stands; the good one among them is cut, and what is too much is counted."""
    files = [file("notes.txt", b"only words"), file("none.png", b""), file("bomb.png", bomb()), file("vase.jpg", good)]
    studio.locator("input[type=file][multiple]").set_input_files(files)
    rows(page, "done", 2)
    told = rows(page, "failed", 3).all_inner_texts()
    assert [any(part in text for text in told) for part in ("is empty", "megapixels", "not a picture")] == [True] * 3
    assert "2 of 5 done, 3 failed" in studio.locator(".cc-count").inner_text()
    studio.locator("input[type=file][multiple]").set_input_files([file("six.png", good), file("seven.png", good)])
    studio.locator(".cc-notice", has_text="2 files were not taken").wait_for()
    shot(page, "lab-bad-files")


def keys_belong_to_the_stage(page, studio) -> None:
    """While it has the focus, none of them adds, cuts or changes a cell."""
    studio.locator("button", has_text="vase.jpg").click()
    studio.locator(".cc-stage > div").focus()
    cells = page.locator(".jp-Cell").count()
    for key in ("b", "x", "x", "z", "m", "a", "c", "b"):
        page.keyboard.press(key)
    assert page.locator(".jp-Cell").count() == cells
    assert button(studio, "Keep").get_attribute("aria-pressed") == "true"


def strokes_and_effects_go_to_recipes(page, studio) -> None:
    """A stroke to that of its picture, an effect to that of all."""
    box = studio.locator(".cc-stage > div").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.35, steps=4)
    page.mouse.up()
    button(studio, "Move").click()
    button(studio, "After").click()
    redden(page, studio)
    shot(page, "lab-red")
    ask = "r = studio.recipe_of('vase.jpg'); print(len(r.strokes), r.strokes[0].keep, r.effects[0].settings[0][1])"
    assert ran(page, 1, ask) == "1 True #ff0000"


def cells_and_page_agree(page, studio, jupyter) -> None:
    """What a cell sets shows in the page; one that runs on and on keeps nobody from working there."""
    code = (
        "import cleancut; studio.recipe = cleancut.recipe(effects='shadow', format='webp'); print(len(studio.results))"
    )
    assert ran(page, 1, code) == "2"
    studio.locator("label.cc-toggle", has_text="Shadow").locator("input:checked").wait_for()
    assert studio.get_by_label("Files are written as").input_value() == "webp"
    wait = "import time\nfrom pathlib import Path\nwhile not Path('go').exists(): time.sleep(0.05)\nprint('went')"
    started(page, 1, wait)
    redden(page, studio)
    assert page.locator(".jp-CodeCell").nth(1).locator(".jp-InputPrompt").inner_text().strip() == "[*]:"
    (jupyter.folder / "go").touch()
    page.locator(".jp-OutputArea-output", has_text="went").wait_for()


def files_are_those_of_cut(page, studio, good) -> None:
    """Bit for bit, alone and in an archive."""
    shown = "json.dumps(to_json(studio.recipe_of('vase.jpg')))"
    code = f"import json\nfrom cleancut.matting.recipe import to_json\nprint({shown})"
    recipe = cleancut.recipe(**json.loads(ran(page, 1, code)))
    wanted = written(cleancut.cut(good, recipe))
    name, data = downloaded(page, studio.get_by_label("Download: vase.jpg").click)
    assert (name, data == wanted) == ("vase_no_bg.webp", True)
    name, data = downloaded(page, studio.locator("button", has_text="Download all").click)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert sorted(archive.namelist()) == ["scene-0_no_bg.webp", "vase_no_bg.webp"] and archive.testzip() is None
        assert archive.read("vase_no_bg.webp") == wanted


DROP = """([name, bytes]) => {
  const given = new DataTransfer();
  given.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
  const at = document.querySelector(".cleancut-studio");
  for (const kind of ["dragover", "drop"])
    at.dispatchEvent(new DragEvent(kind, { dataTransfer: given, bubbles: true, cancelable: true }));
}"""


def test_a_studio_in_notebook_7(page, jupyter, static):
    name = jupyter.notebook("seven.ipynb", SHOW.format(static=str(static)), "")
    opened(page, jupyter, name, jupyter.classic(name))
    studio = page.locator(".cleancut-studio")
    page.evaluate(DROP, ["dropped.png", list(encoded(120, 90))])
    rows(page, "done", 2)

    # A model that cannot be had is told at each picture, and another one takes its place.
    studio.get_by_label("Model", exact=True).first.select_option("u2net")
    assert "cleancut models pull u2net" in " ".join(rows(page, "failed", 2).all_inner_texts())
    studio.get_by_label("Model", exact=True).first.select_option("cleancut-small")
    rows(page, "done", 2)

    # A control that is generated from its schema changes the recipe.
    studio.locator("label.cc-toggle", has_text="Feather").click()
    studio.locator(".cc-step", has_text="Feather").locator("input[type=number]").fill("7")
    page.keyboard.press("Tab")
    studio.locator("button", has_text="scene-0").click()
    assert "feather" in ran(page, 1, "import time; time.sleep(1); print(studio.recipe.refine[-1])")
    shot(page, "notebook-7")

    # A second view of the same studio shows the same, and each cutout shows itself.
    ran(page, 1, "studio.results['dropped.png']")
    page.locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea-output img").wait_for()
    ran(page, 1, "studio")
    second = page.locator(".cleancut-studio").nth(1)
    second.locator("li[data-state=done] img[src^=blob]").nth(1).wait_for()
    second.get_by_label("Remove: dropped.png").click()
    page.wait_for_function("document.querySelectorAll('.cleancut-studio li').length === 2")
