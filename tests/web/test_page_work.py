"""A picture is looked at, corrected, finished and taken home: issue 7, points 3, 4, 5 and 6."""

from __future__ import annotations

import io
import json
import urllib.parse
import urllib.request
import zipfile

import numpy as np
import pytest
from PIL import Image

from cleancut.matting import recipe as recipes

from .conftest import WEB, choose, done, photo, shot


def opened(visit, *files, **options):
    page = visit("delete window.showSaveFilePicker", **options)
    choose(page, *(files or (photo(),)))
    done(page, len(files) or 1)
    return page


def tab(page, name):
    page.get_by_role("tab", name=name).click()


def made(page):
    """Wait until the result that is asked for is there, and nothing is being made any more."""
    page.locator(".handle").wait_for()
    page.locator(".status.busy").wait_for(state="detached")


def saved(page, button="Download"):
    with page.expect_download() as download:
        page.get_by_role("button", name=button, exact=True).click()
    return download.value.suggested_filename, download.value.path().read_bytes()


def picture(data):
    return Image.open(io.BytesIO(data))


def cut(server, source, recipe):
    """What /v1/cut gives for a picture and a recipe."""
    query = urllib.parse.urlencode({"recipe": json.dumps(recipe)})
    request = urllib.request.Request(
        f"{server.address}/v1/cut?{query}", source, {"Content-Type": "image/png", "Accept": "image/*"}
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        return answer.read()


def draw(page, *points):
    """Draw over the stage through points in shares of it."""
    box = page.locator(".stage").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=5)
    page.mouse.up()


def test_what_is_downloaded_is_what_the_server_made(visit, server):
    source = photo()
    page = opened(visit, source)
    name, data = saved(page)
    assert name == "vase_no_bg.png"
    assert data == cut(server, source["buffer"], {"format": "png"})
    page.get_by_role("radio", name="White", exact=True).check()
    made(page)
    _, data = saved(page)
    assert data == cut(server, source["buffer"], {"effects": [{"name": "color", "color": "#ffffff"}], "format": "png"})


def test_picture_is_looked_at_in_every_way(visit):
    page = opened(visit)
    for mode in ("Before and after", "Before", "Alpha", "Result"):
        page.get_by_role("radio", name=mode, exact=True).check()
        page.locator(".stage [role=slider]").wait_for(state="visible" if mode == "Before and after" else "hidden")
        shot(page, f"view {mode}")
    for _ in range(8):
        page.get_by_role("button", name="Zoom in").click()
    assert page.locator(".zoom output").inner_text() != "100%"
    page.get_by_role("button", name="100%", exact=True).click()
    page.locator(".zoom output", has_text="100%").wait_for()
    page.get_by_role("button", name="Black", exact=True).click()
    assert page.get_by_role("button", name="Black", exact=True).get_attribute("aria-pressed") == "true"


def test_two_settings_are_compared_side_by_side(visit):
    page = opened(visit)
    page.get_by_role("radio", name="Side by side").check()
    page.get_by_role("button", name="Keep this as B").click()
    tab(page, "Background")
    page.get_by_role("radio", name="Black", exact=True).check()
    made(page)
    assert page.get_by_label("B", exact=True).input_value() == "kept"
    shot(page, "side by side")
    page.get_by_role("button", name="Take B").click()
    assert page.get_by_role("radio", name="Transparent").is_checked()


def test_marks_change_the_result_and_are_taken_back(visit):
    page = opened(visit)
    _, before = saved(page)
    tab(page, "Edges")
    page.get_by_role("button", name="Remove", exact=True).click()
    draw(page, (0.5, 0.75), (0.5, 0.6))
    page.get_by_text("1 mark", exact=True).wait_for()
    made(page)
    shot(page, "corrected")
    _, after = saved(page)
    old, new = (np.asarray(picture(data))[..., 3].astype(int) for data in (before, after))
    assert new.sum() < old.sum() * 0.98
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("0 marks").wait_for()
    made(page)
    assert saved(page)[1] == before
    page.get_by_role("button", name="Redo").click()
    page.get_by_text("1 mark", exact=True).wait_for()
    made(page)
    assert saved(page)[1] == after


def test_correcting_goes_on_when_the_server_forgot_the_picture(visit):
    opened_edits = []

    def watch(page):
        page.on("response", lambda r: opened_edits.append(r.json()["id"]) if r.url.endswith("/v1/edits") else None)

    page = opened(visit, expected="410", prepare=watch)
    page.get_by_role("radio", name="White", exact=True).check()
    made(page)
    page.evaluate("(id) => fetch(`/v1/edits/${id}`, { method: 'DELETE' })", opened_edits[0])
    page.get_by_role("radio", name="Black", exact=True).check()
    made(page)
    _, data = saved(page)
    assert picture(data).convert("RGB").getpixel((0, 0)) == (0, 0, 0)
    assert len(opened_edits) == 2


def test_shop_preset_makes_what_the_shop_asks_for(visit):
    page = opened(visit)
    tab(page, "File")
    page.get_by_label("Ready for").select_option("shopify")
    made(page)
    name, data = saved(page)
    assert (name, picture(data).format, picture(data).size) == ("vase_no_bg.jpg", "JPEG", (2048, 2048))
    assert page.get_by_label("Ready for").input_value() == "shopify"
    page.get_by_label("Format").select_option("webp")
    assert page.get_by_label("Ready for").input_value() == ""
    shot(page, "preset")


@pytest.mark.parametrize("name", json.loads((WEB / "src/page/presets.json").read_text()))
def test_presets_are_recipes_the_same_as_the_command_lines(name):
    presets = pytest.importorskip("cleancut.jobs.batch.presets").presets()
    recipe = recipes.from_json(json.loads((WEB / "src/page/presets.json").read_text())[name])
    if name in presets:
        assert recipe == presets[name].recipe()


def test_effects_are_set_by_controls_that_the_server_describes(visit):
    page = opened(visit)
    page.get_by_role("switch", name="Outline").check()
    page.get_by_label("Width (px)").last.fill("20")
    page.get_by_label("Width (px)").last.press("Enter")
    tab(page, "File")
    page.get_by_role("switch", name="Crop to the subject").check()
    made(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save edit list").click()
    edits = json.loads(download.value.path().read_text())
    assert download.value.suggested_filename == "vase_edits.json"
    assert [step["name"] for step in edits["effects"]] == ["outline", "trim"]
    assert edits["effects"][0]["width"] == 20
    recipes.from_json(edits)


def test_edit_list_is_loaded_again(visit, server):
    source = photo()
    page = opened(visit, source)
    recipe = {"effects": [{"name": "color", "color": "#00ff00"}], "format": "png"}
    tab(page, "File")
    files = page.locator("input[type=file][accept*=json]")
    files.set_input_files([{"name": "x.json", "mimeType": "application/json", "buffer": json.dumps(recipe).encode()}])
    made(page)
    assert saved(page)[1] == cut(server, source["buffer"], recipe)
    files.set_input_files([{"name": "x.json", "mimeType": "application/json", "buffer": b"[]"}])
    page.get_by_text("This is not an edit list").wait_for()


def test_background_is_a_picture_of_the_persons_own(visit):
    page = opened(visit)
    sky = io.BytesIO()
    Image.new("RGB", (40, 40), (10, 200, 30)).save(sky, "PNG")
    chosen = {"name": "sky.png", "mimeType": "image/png", "buffer": sky.getvalue()}
    page.locator(".sheet input[type=file]").first.set_input_files([chosen])
    made(page)
    corner = picture(saved(page)[1]).convert("RGB").getpixel((0, 0))
    assert np.abs(np.subtract(corner, (10, 200, 30))).max() <= 2


def test_settings_are_used_for_all_and_zipped(visit):
    page = opened(visit, photo("a.png"), photo("b.png", seed=4))
    page.get_by_role("radio", name="White", exact=True).check()
    page.get_by_role("button", name="Use these settings for all pictures").click()
    made(page)
    name, data = saved(page, "Download all 2 (ZIP)")
    assert name == "cleancut.zip"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["a_no_bg.png", "b_no_bg.png"]
        for inner in archive.namelist():
            assert picture(archive.read(inner)).convert("RGBA").getpixel((0, 0)) == (255, 255, 255, 255)


def test_result_is_copied_and_dragged(visit):
    page = opened(visit, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    page.get_by_text("Copied.").wait_for()
    types = page.evaluate("async () => (await navigator.clipboard.read()).flatMap(({ types }) => types)")
    assert types == ["image/png"]
    told = page.evaluate(
        """() => {
            const data = new DataTransfer();
            document.querySelector(".handle").dispatchEvent(new DragEvent("dragstart", { dataTransfer: data }));
            return [data.getData("DownloadURL"), data.files[0].name];
        }"""
    )
    assert told[0].startswith("image/png:vase_no_bg.png:blob:")
    assert told[1] == "vase_no_bg.png"


def test_a_bad_cutout_is_rated(visit, server):
    page = opened(visit)
    page.get_by_role("button", name="Not good").click()
    page.get_by_label("Hair is wrong").check()
    page.get_by_label("In your words (optional)").fill("The stem is gone.")
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_text("Thank you.").wait_for()
    kept = [path.read_text() for path in server.feedback.rglob("*.json")]
    assert any("The stem is gone." in text and "hair" in text for text in kept)
