"""The page is for everyone: issue 7, point 8, and what happens where a browser refuses something."""

from __future__ import annotations

import gzip
import io

import pytest
from PIL import Image

from .conftest import WEB, choose, done, photo, shot

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

NO_STORAGE = """
for (const name of ["localStorage", "sessionStorage"])
    Object.defineProperty(window, name, { get() { throw new DOMException("No.", "SecurityError"); } });
indexedDB.open = () => { throw new DOMException("No.", "SecurityError"); };
"""


def violations(page):
    """What axe-core finds, as rule and place."""
    page.evaluate((WEB / "node_modules/axe-core/axe.min.js").read_text())
    found = page.evaluate("(rules) => axe.run(document, { runOnly: rules })", RULES)
    return [(each["id"], node["target"]) for each in found["violations"] for node in each["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_anywhere(visit, scheme):
    page = visit(color_scheme=scheme, reduced_motion="reduce")
    page.get_by_text("up to 32 MB").wait_for()
    assert violations(page) == []
    choose(page, photo("a.png"), {"name": "b.txt", "mimeType": "text/plain", "buffer": b"text"})
    done(page, 1)
    for name in ("Background", "Edges", "File"):
        page.get_by_role("tab", name=name).click()
        for folding in page.locator(".sheet summary").all():
            folding.click()
        assert violations(page) == [], name
        shot(page, f"{scheme} {name}")
    page.get_by_role("radio", name="Side by side").check()
    page.get_by_role("button", name="Not good").click()
    assert violations(page) == []
    page.get_by_role("button", name="Keyboard and help").click()
    assert violations(page) == []


@pytest.mark.parametrize(("width", "height"), [(320, 640), (768, 1024), (3840, 2160)])
def test_it_fits_every_window(visit, width, height):
    page = visit(viewport={"width": width, "height": height})
    choose(page, photo("a picture with a rather long name that says a lot.png"))
    done(page, 1)
    for name in ("Background", "Edges", "File"):
        page.get_by_role("tab", name=name).click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    shot(page, f"{width}")


def test_arabic_reads_from_right_to_left(visit):
    page = visit(locale="ar")
    choose(page, photo())
    done(page, 1)
    assert page.evaluate("[document.dir, document.documentElement.lang]") == ["rtl", "ar"]
    strip, panel = (page.locator(name).bounding_box()["x"] for name in (".strip", ".panel"))
    assert strip > panel
    assert violations(page) == []
    shot(page, "arabic")


def test_language_and_colours_are_remembered(visit):
    page = visit()
    page.get_by_label("Language").select_option("de")
    page.get_by_role("heading", name="Den Hintergrund eines Bildes entfernen").wait_for()
    page.get_by_label("Farben").select_option("dark")
    page.reload()
    page.get_by_role("heading", name="Den Hintergrund eines Bildes entfernen").wait_for()
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"


def test_everything_is_reached_by_keyboard(visit):
    page = visit()
    choose(page, photo("a.png"), photo("b.png", seed=4))
    done(page, 2)
    seen = []
    page.locator("body").press("Tab")
    for _ in range(60):
        seen.append(
            page.evaluate(
                """() => {
                    const e = document.activeElement;
                    const shown = e === document.body || e.matches(':focus-visible');
                    return [e.getAttribute('aria-label') || e.labels?.[0]?.innerText || e.innerText || '', shown]; }"""
            )
        )
        page.keyboard.press("Tab")
    names = " | ".join(name for name, _ in seen)
    for name in ("Skip to the picture", "Language", "a.png", "Remove a.png", "Add pictures", "Result", "Zoom in",
                 "Black", "Background", "Shadow", "Download", "Copy", "Good"):  # fmt: skip
        assert name in names
    assert [name for name, shown in seen if not shown] == []
    page.keyboard.press("PageDown")
    assert page.locator(".pick[aria-current=true] .name").inner_text() == "b.png"
    page.get_by_role("tab", name="Background").focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("tab", name="Edges").get_attribute("aria-selected") == "true"
    page.get_by_role("button", name="Keep", exact=True).press("Enter")
    stage = page.locator(".stage [tabindex='0']").first
    stage.focus()
    for key in ("Space", "ArrowRight", "ArrowRight", "Space"):
        page.keyboard.press(key)
    page.get_by_text("1 mark", exact=True).wait_for()
    page.keyboard.press("Control+z")
    page.get_by_text("0 marks").wait_for()
    with page.expect_download():
        page.keyboard.press("Control+s")


def test_what_was_done_is_there_after_a_reload(visit):
    page = visit()
    choose(page, photo("a.png"))
    done(page, 1)
    page.get_by_role("radio", name="Black", exact=True).check()
    page.locator(".handle").wait_for()
    page.wait_for_timeout(1_000)  # edits are written down a moment after the last one
    page.reload()
    page.get_by_text("1 picture from last time is still here.").wait_for()
    page.get_by_role("button", name="Bring back").click()
    done(page, 1)
    assert page.get_by_role("radio", name="Black", exact=True).is_checked()
    page.get_by_role("button", name="Undo").click()
    assert page.get_by_role("radio", name="Transparent").is_checked()
    page.get_by_role("button", name="Remove a.png").click()
    page.wait_for_timeout(500)
    page.reload()
    page.get_by_text("up to 32 MB").wait_for()
    assert page.get_by_text("from last time").count() == 0


def test_it_works_where_nothing_may_be_stored(visit):
    page = visit(NO_STORAGE)
    choose(page, photo())
    done(page, 1)
    page.get_by_text("what you draw is kept until you close this tab").wait_for()
    page.get_by_label("Language").select_option("de")
    page.get_by_text("Bilder hinzufügen").wait_for()
    page.locator(".stage").click()
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.reload()
    assert asked == ["beforeunload"]


def test_leaving_is_asked_about_while_there_is_work(visit):
    page = visit()
    page.route("**/v1/cut", lambda route: None)
    choose(page, photo())
    page.locator(".item.uploading, .item.working").wait_for()
    page.locator(".stage").click()
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.reload()
    assert asked == ["beforeunload"]


def test_nothing_leaves_the_device_once_it_is_said(visit):
    sent = []

    def prepare(page):
        def told(route):
            local = {"runtime": "/nowhere/", "model": "/nowhere/model.onnx"}
            route.fulfill(json=route.fetch().json() | {"local": local})

        page.route("**/v1/service", told)
        page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)

    page = visit(prepare=prepare, expected="404|nowhere")
    choose(page, photo("a.png"))
    done(page, 1)
    page.get_by_role("radio", name="White", exact=True).check()
    page.locator(".handle").wait_for()
    page.locator(".status.busy").wait_for(state="detached")
    page.get_by_role("switch", name="Nothing leaves this device").check()
    before = len(sent)
    choose(page, photo("b.png", seed=4))
    page.locator(".item.failed").wait_for()
    assert "use the server" in page.locator(".item.failed .phase").inner_text()
    page.keyboard.press("Control+z")
    page.get_by_role("button", name="Download", exact=True).click()
    page.get_by_text("This needs the server").wait_for()
    assert sent[before:] == []
    page.get_by_role("switch", name="Nothing leaves this device").uncheck()
    page.get_by_role("button", name="Try b.png again").click()
    done(page, 2)


def test_heic_is_cut_though_the_browser_cannot_show_it(visit):
    heif = pytest.importorskip("pi_heif", reason="pi-heif is not installed")
    assert heif
    page = visit()
    page.route("**/v1/cut", lambda route: route.fulfill(body=_png(), content_type="image/png"))
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)
    choose(page, {"name": "a.heic", "mimeType": "image/heic", "buffer": heic})
    done(page, 1)
    page.get_by_text("The picture cannot be shown here.").wait_for()


def _png():
    stream = io.BytesIO()
    Image.new("RGBA", (8, 8)).save(stream, "PNG")
    return stream.getvalue()


def test_page_is_light(server):
    scripts = [path for path in (server.page / "assets").glob("*.js") if not path.name.startswith("worker")]
    assert sum(len(gzip.compress(path.read_bytes())) for path in scripts) <= 80_000
    html = (server.page / "index.html").read_text()
    assert "http:" not in html and "https:" not in html
    assert "<style" not in html and " style=" not in html and "<script>" not in html
