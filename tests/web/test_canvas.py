"""The canvas in a real Chromium: what is on the screen, and what comes of a hand's movements."""

from __future__ import annotations

import http.server
import io
import itertools
import json
import math
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cleancut.matting.scribbles.strokes import laid, read_all

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "web/node_modules"
WIDTH, HEIGHT = 640, 480
TIMEOUT = 120_000

PAGE = """<!doctype html><html lang="en" dir="{dir}"><head><meta charset="utf-8"><title>canvas</title>
<link rel="stylesheet" href="/page.css"><script type="module" src="/page.js"></script></head>
<body><main><div id="host"></div><h1>canvas</h1></main></body></html>"""

CSS = "body { margin: 0 } #host { width: 640px; height: 480px; background: #123456 }"

CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'"

pytestmark = pytest.mark.skipif(
    not (MODULES / "vite").is_dir(), reason="web/node_modules is not there: run npm ci in web"
)


class Served(http.server.SimpleHTTPRequestHandler):
    def end_headers(self):
        self.send_header("Content-Security-Policy", CSP)
        super().end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    """A page with one stage, built from source."""
    folder = tmp_path_factory.mktemp("canvas")
    build = ["node", str(MODULES / "vite/bin/vite.js"), "build", "--config", str(ROOT / "tests/web/canvas.config.mjs")]
    ran = subprocess.run(
        build, cwd=ROOT / "web", env={**os.environ, "CANVAS_PAGE": str(folder)}, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    for direction in ("ltr", "rtl"):
        (folder / f"{direction}.html").write_text(PAGE.replace("{dir}", direction))
    (folder / "favicon.ico").touch()
    (folder / "page.css").write_text(CSS)
    ramp(5000, 4000).save(folder / "large.png", compress_level=1)
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *args: Served(*args, directory=str(folder)), bind_and_activate=True
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def opened(chromium, address):
    """A function that opens the page with a stage, and sees to it that nothing went wrong on it."""
    contexts, troubles = [], []

    def open_page(direction="ltr", options=None, **context):
        contexts.append(chromium.new_context(viewport={"width": WIDTH, "height": HEIGHT}, **context))
        page = contexts[-1].new_page()
        page.set_default_timeout(TIMEOUT)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
        page.goto(f"{address}/{direction}.html")
        until(page, "!!window.tests")
        page.evaluate("(options) => { tests.open(options) }", options or {})
        return page

    yield open_page
    violations = [page.evaluate("tests.violations") for context in contexts for page in context.pages]
    for context in contexts:
        context.close()
    assert [*troubles, *(each for some in violations for each in some)] == []


def ramp(width, height, blue=64):
    """The picture of canvas_page.ts: red and green tell the place."""
    plane = np.full((height, width, 3), blue, np.uint8)
    plane[..., 0], plane[..., 1] = np.arange(width) % 256, (np.arange(height) % 256)[:, None]
    return Image.fromarray(plane)


def shown(page, name=None):
    """What is on the screen once nothing more is drawn: (h, w, 3)."""
    settle(page)
    data = page.screenshot(animations="allow")
    if name and (folder := os.environ.get("CANVAS_SHOTS")):
        Path(folder, f"{name}.png").write_bytes(data)
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def until(page, script):
    """Wait until a piece of JavaScript holds; playwright's own waiting needs unsafe-eval."""
    waited = threading.Event()
    for _ in range(TIMEOUT // 50):
        if page.evaluate(script):
            return
        waited.wait(0.05)
    raise AssertionError(f"It never came to {script}.")


def settle(page):
    """Let what is asked for be drawn: sizes are told in one frame, and drawn in the next."""
    page.evaluate(
        """async () => { for (let frame = 0; frame < 4; frame++) {
            await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 10))); } }"""
    )


def put(page, width=200, height=150, cut=100):
    """Show a source with blue 64, and a result with blue 192 whose first `cut` columns are removed."""
    page.evaluate(
        """async ([width, height, cut]) => {
            await tests.stage.setSource(await tests.bitmap(width, height, 64));
            await tests.stage.setResult(await tests.bitmap(width, height, 192, cut));
        }""",
        [width, height, cut],
    )
    settle(page)


def do(page, script, argument=None):
    """Run a piece of JavaScript on the stage."""
    return page.evaluate(f"async (given) => {{ const stage = tests.stage; {script} }}", argument)


def view(page):
    return do(page, "return stage.view")


def place(page, x, y):
    """Where a point of the picture is on the screen, in CSS pixels."""
    now, ratio = view(page), page.evaluate("devicePixelRatio")
    return (x * now["scale"] + now["x"]) / ratio, (y * now["scale"] + now["y"]) / ratio


def picture(page, x, y):
    """What point of the picture a place of the screen shows."""
    now, ratio = view(page), page.evaluate("devicePixelRatio")
    return (x * ratio - now["x"]) / now["scale"], (y * ratio - now["y"]) / now["scale"]


def drag(page, *points, steps=12):
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=steps)
    page.mouse.up()


def touch(session, kind, *points):
    fingers = [{"x": x, "y": y, "id": index} for index, (x, y) in enumerate(points)]
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})


def strokes(page):
    return do(page, "return stage.strokes")


def strokes_laid(page, width, height):
    """What the server makes of the strokes: 255 kept, 0 removed, 128 neither."""
    return laid(read_all(strokes(page)), width, height).whole()


def off(point, line):
    """How far a point lies from a line of points."""
    pieces = itertools.pairwise(line) if len(line) > 1 else [(line[0], line[0])]
    return min(_off(point, *piece) for piece in pieces)


def _off(point, start, end):
    (px, py), (ax, ay), (bx, by) = point, start, end
    square = (bx - ax) ** 2 + (by - ay) ** 2
    share = min(1, max(0, ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / square)) if square else 0
    return math.hypot(px - ax - share * (bx - ax), py - ay - share * (by - ay))


def test_slider_parts_before_from_after(opened):
    page = opened(reduced_motion="reduce")
    put(page, cut=0)
    do(page, "stage.setMode('compare')")
    slider = page.get_by_role("slider", name="Before and after")
    box = slider.bounding_box()
    middle = box["x"] + box["width"] / 2
    screen = shown(page, "compare")
    row = screen[100]
    assert abs(middle - WIDTH / 2) <= 1
    assert set(row[40 : int(middle) - 4, 2]) == {64}
    assert set(row[int(middle) + 4 : WIDTH - 40, 2]) == {192}

    drag(page, (middle, 240), (middle - 150, 240))
    row = shown(page, "compare_dragged")[100]
    assert set(row[40 : int(middle) - 155, 2]) == {64}
    assert set(row[int(middle) - 145 : WIDTH - 40, 2]) == {192}
    assert slider.get_attribute("aria-valuenow") == str(round(do(page, "return stage.split") * 100))

    slider.press("End")
    assert shown(page)[100, WIDTH - 60, 2] == 64
    slider.press("ArrowLeft")
    settle(page)
    assert slider.get_attribute("aria-valuenow") == "99"
    assert strokes(page) == []


def test_slider_reads_from_right_to_left(opened):
    page = opened("rtl", reduced_motion="reduce")
    put(page, cut=0)
    do(page, "stage.setMode('compare'); stage.setSplit(0.25)")
    row = shown(page, "compare_rtl")[100]
    assert (row[WIDTH - 60, 2], row[60, 2], row[WIDTH // 2, 2]) == (64, 192, 192)
    slider = page.get_by_role("slider")
    slider.press("ArrowLeft")
    settle(page)
    assert slider.get_attribute("aria-valuenow") == "26"
    do(page, "stage.setMode('side')")
    assert do(page, "return stage.mode") == "side"


@pytest.mark.parametrize("ratio", [1, 2])
def test_pixels_are_squares_at_800_percent(opened, ratio):
    page = opened(device_scale_factor=ratio, reduced_motion="reduce")
    put(page, cut=100)
    do(page, "stage.setMode('source'); stage.setTool('pan'); stage.zoomTo(8)")
    screen = shown(page, f"pixels_{ratio}x")
    now = view(page)
    assert now["scale"] == 8
    left, top = round(now["x"]), round(now["y"])
    rows, columns = np.arange(screen.shape[0]), np.arange(screen.shape[1])
    x, y = (columns - left) // 8, (rows - top) // 8
    inside = np.ix_((y >= 0) & (y < 150), (x >= 0) & (x < 200))
    assert np.array_equal(screen[..., 0][inside], np.broadcast_to(x, screen.shape[:2])[inside])
    assert np.array_equal(screen[..., 1][inside], np.broadcast_to(y[:, None], screen.shape[:2])[inside])


def test_filter_is_on_below_200_percent_only(opened):
    page = opened(reduced_motion="reduce")
    put(page)
    counts = {}
    for scale in (1.5, 3):
        do(page, "stage.setMode('source'); stage.setTool('pan'); stage.zoomTo(given)", scale)
        now = view(page)
        row = shown(page)[HEIGHT // 2, 120:520, 0]
        x = (np.arange(120, 520) + 0.5 - round(now["x"])) / scale
        counts[scale] = np.abs(row - np.floor(x)).max()
    assert counts[3] <= 1  # an edge of a pixel may fall between two of the screen's
    assert counts[1.5] >= 1 or len(set(np.diff(row))) > 1


def test_zoom_stays_under_the_pointer(opened):
    page = opened(reduced_motion="reduce")
    put(page)
    at = (450, 130)
    page.mouse.move(*at)
    before = picture(page, *at)
    for _ in range(6):
        page.mouse.wheel(0, -120)
    settle(page)
    assert view(page)["scale"] > 4
    assert math.dist(picture(page, *at), before) < 0.01
    for _ in range(30):
        page.mouse.wheel(0, -240)
    settle(page)
    assert view(page)["scale"] == 8
    page.mouse.wheel(40, 10)
    settle(page)
    assert view(page)["scale"] == 8


def test_stroke_follows_the_pointer(opened):
    page = opened(reduced_motion="reduce")
    put(page, 400, 300)
    do(page, "stage.setBrush({ radius: 0.03 })")
    path = [(150, 120), (300, 300), (420, 180), (500, 330)]
    drag(page, *path, steps=25)
    (stroke,) = strokes(page)
    drawn = [(x * 400, y * 300) for x, y in stroke["points"]]
    meant = [picture(page, *point) for point in path]
    pixel = 1 / view(page)["scale"]
    assert all(off(point, meant) <= pixel for point in drawn)
    assert all(off(point, drawn) <= pixel for point in meant)
    assert (stroke["keep"], stroke["radius"], len(stroke["points"])) == (True, 0.03, 4)

    do(page, "stage.setBrush({ keep: false, hardness: 0.5 })")
    drag(page, (200, 400), (460, 400))
    assert strokes(page)[1]["keep"] is False
    assert strokes(page)[1]["radius"] == 0.015
    screen = shown(page, "strokes")
    x, y = place(page, *meant[1])
    reach = 0.03 * 400 * view(page)["scale"]
    inside, outside = screen[int(y + reach - 4), int(x)], screen[int(y + reach + 5), int(x)]
    assert inside[2] - inside[0] > 40  # blue
    assert tuple(outside - outside[0])[:2] != tuple(inside - inside[0])[:2]
    assert [event["kind"] for event in page.evaluate("tests.events")].count("stroke") == 2


def test_marks_are_shown_while_they_are_drawn(opened):
    page = opened(reduced_motion="reduce")
    put(page, 400, 300)
    do(page, "stage.setMode('source'); stage.setBrush({ radius: 0.05, keep: false })")
    before = shown(page)
    page.mouse.move(200, 200)
    page.mouse.down()
    page.mouse.move(400, 200, steps=5)
    during = shown(page, "drawing")
    assert strokes(page) == []
    assert (np.abs(during - before).max(axis=2) > 15)[190:210, 200:400].mean() > 0.9
    page.mouse.up()
    after = shown(page)
    assert (np.abs(after - during).max(axis=2) > 8).mean() < 0.002
    do(page, "stage.setMarksShown(false)")
    hidden = shown(page)
    assert (np.abs(hidden - before).max(axis=2) > 8)[:, 100:340].mean() < 0.002


def test_tools_that_enclose_and_erase(opened):
    page = opened(reduced_motion="reduce")
    put(page, 400, 300)
    do(page, "stage.setMode('source'); stage.setTool('box')")
    drag(page, place(page, 50, 50), place(page, 200, 150))
    do(page, "stage.setTool('lasso'); stage.setBrush({ keep: false })")
    page.mouse.move(*place(page, 300, 60))
    page.mouse.down()
    for angle in np.linspace(0, 2 * math.pi, 30):
        page.mouse.move(*place(page, 300 + 60 * math.sin(angle), 120 - 60 * math.cos(angle)))
    outline = shown(page, "lasso")
    page.mouse.up()
    screen = shown(page, "areas")
    assert sum(len(stroke["points"]) for stroke in strokes(page)) < 500
    plain = ramp(400, 300)

    def is_marked(x, y):
        column, row = (int(value) for value in place(page, x, y))
        red, green, _ = plain.getpixel((x, y))
        return np.abs(screen[row, column] - (red, green, 64)).max() > 25

    assert [is_marked(*at) for at in ((53, 53), (125, 100), (197, 147), (300, 120), (300, 65))] == [True] * 5
    assert [is_marked(*at) for at in ((44, 100), (206, 100), (230, 120), (300, 190))] == [False] * 4
    assert np.abs(outline - screen).max() > 0
    seen = strokes_laid(page, 400, 300)
    assert (seen[52:148, 52:198] == 255).mean() > 0.999
    assert (seen == 255).sum() == pytest.approx(150 * 100, rel=0.03)
    assert (seen == 0).sum() == pytest.approx(math.pi * 60**2, rel=0.03)

    do(page, "stage.setTool('eraser'); stage.setBrush({ radius: 0.05 })")
    drag(page, place(page, 125, 20), place(page, 125, 180))
    screen = shown(page, "erased")
    assert [is_marked(*at) for at in ((125, 100), (60, 100), (190, 100), (300, 120))] == [False, True, True, True]
    assert do(page, "return [stage.undo(), stage.undo(), stage.undo(), stage.undo()]") == [True, True, True, False]
    assert strokes(page) == []
    assert do(page, "return stage.redo()")


def test_alpha_cuts_the_source_on_any_background(opened):
    page = opened(reduced_motion="reduce")
    put(page)
    do(
        page,
        """await stage.setAlpha(tests.plane(100, 75, 50)); stage.setTool("pan");
           await stage.setBackground({ kind: "color", color: "#ff00ff" });""",
    )
    removed, kept = place(page, 50, 75), place(page, 150, 75)

    def at(screen, point):
        return tuple(screen[int(point[1]), int(point[0])])

    screen = shown(page, "alpha_on_colour")
    assert at(screen, removed) == (255, 0, 255)
    assert np.abs(np.array(at(screen, kept)) - (150, 75, 64)).max() <= 1

    do(page, "await stage.setBackground({ kind: 'checkerboard' })")
    screen = shown(page, "checkerboard")
    column, row = (int(value) for value in removed)
    assert set(screen[row : row + 32, column - 32 : column, 0].ravel()) == {207, 255}

    do(page, "await stage.setBackground({ kind: 'picture', picture: await tests.bitmap(30, 30, 250) })")
    assert at(shown(page, "picture_behind"), removed)[2] == 250

    do(page, "await stage.setBackground({ kind: 'blur', radius: 0.05 })")
    blurred = at(shown(page, "blurred_behind"), removed)
    assert np.abs(np.array(blurred) - (50, 75, 64)).max() <= 6

    do(page, "stage.setMode('alpha')")
    screen = shown(page, "alpha")
    assert (at(screen, removed), at(screen, kept)) == ((0, 0, 0), (255, 255, 255))
    do(page, "await stage.setResult(await tests.bitmap(200, 150, 192, 100))")
    screen = shown(page)
    assert (at(screen, removed), at(screen, kept)) == ((0, 0, 0), (255, 255, 255))


def test_two_results_are_looked_at_together(opened):
    page = opened(reduced_motion="reduce")
    put(page, cut=0)
    do(page, "await stage.setResult(await tests.bitmap(200, 150, 128), 'b'); stage.setMode('side')")
    do(page, "stage.setTool('pan'); stage.zoomTo(4)")
    drag(page, (100, 100), (160, 140))
    screen = shown(page, "side")
    half = WIDTH // 2
    assert np.array_equal(screen[:, :half, :2], screen[:, half:, :2])
    assert set(screen[240, 40:280, 2]) == {192}
    assert set(screen[240, half + 40 : half + 280, 2]) == {128}
    do(page, "stage.setTool('brush')")
    before = picture(page, 100, 100)
    drag(page, (100 + half, 100), (180 + half, 100))
    ((x, y), *_) = strokes(page)[0]["points"]
    assert math.dist((x * 200, y * 150), before) < 0.5


def test_result_that_is_cropped_lies_where_it_belongs(opened):
    page = opened(reduced_motion="reduce")
    put(page)
    do(
        page,
        """await stage.setResult(await tests.bitmap(50, 50, 192), "a", { x: 100, y: 50, width: 50, height: 50 });
           stage.setTool("pan"); stage.setMode("compare"); stage.setSplit(0);""",
    )
    screen = shown(page, "cropped")
    x, y = (int(value) for value in place(page, 125, 75))
    assert np.abs(screen[y, x] - (25, 25, 192)).max() <= 1
    x, y = (int(value) for value in place(page, 50, 75))
    assert tuple(screen[y, x]) == (0x12, 0x34, 0x56)


def test_large_picture_is_drawn_from_tiles(opened):
    page = opened(reduced_motion="reduce")
    page.evaluate(
        """() => { tests.made = []; const make = createImageBitmap;
        window.createImageBitmap = async (...given) => {
            const bitmap = await make(...given); tests.made.push([bitmap.width, bitmap.height]); return bitmap; } }"""
    )
    do(page, "stage.setMode('source'); stage.setTool('pan'); await stage.setSource(await tests.fetched('/large.png'))")
    settle(page)
    assert page.evaluate("tests.made") == [[5000, 4000], [2048, 1638]]
    do(page, "stage.zoomTo(1); stage.panBy(-901, 333)")
    until(page, "tests.made.length >= 6")
    settle(page)
    screen, now = shown(page, "tiles"), view(page)
    x, y = np.arange(WIDTH) - round(now["x"]), np.arange(HEIGHT) - round(now["y"])
    assert np.array_equal(screen[..., 0], np.broadcast_to(x % 256, screen.shape[:2]))
    assert np.array_equal(screen[..., 1], np.broadcast_to((y % 256)[:, None], screen.shape[:2]))
    tiles = [size for size in page.evaluate("tests.made") if max(size) <= 512]
    assert 2 <= len(tiles) <= 8


def test_keys_do_it_all(opened):
    page = opened(reduced_motion="reduce")
    put(page, 400, 300)
    page.keyboard.press("Tab")
    stage = page.get_by_role("application", name="Picture")
    assert stage.evaluate("(it) => it === document.activeElement && it.style.outlineStyle") == "solid"
    page.keyboard.press("]")
    assert do(page, "return stage.brush.radius") == pytest.approx(0.024)
    page.keyboard.press("Space")
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    for _ in range(2):
        page.keyboard.press("Shift+ArrowDown")
    shown(page, "keys")
    page.keyboard.press("Enter")
    (stroke,) = strokes(page)
    pixel = 1 / view(page)["scale"]
    wanted = [(200, 150), (200 + 80 * pixel, 150), (200 + 80 * pixel, 150 + 100 * pixel)]
    assert np.allclose([(x * 400, y * 300) for x, y in stroke["points"]], wanted, atol=0.02)
    until(page, "document.querySelector('[aria-live]').textContent === 'Up.'")
    page.keyboard.press("ArrowLeft")
    until(page, "/% across, \\d+ % down/.test(document.querySelector('[aria-live]').textContent)")

    page.keyboard.press("x")
    assert do(page, "return stage.brush.keep") is False
    page.keyboard.press("m")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Escape")
    assert len(strokes(page)) == 1
    page.keyboard.press("z")
    assert strokes(page) == []
    page.keyboard.press("Shift+Z")
    assert len(strokes(page)) == 1

    page.keyboard.press("8")
    assert view(page)["scale"] == 8
    page.keyboard.press("h")
    before = view(page)
    page.keyboard.press("ArrowLeft")
    assert view(page)["x"] == before["x"] + 60
    page.keyboard.press("0")
    assert view(page)["fitted"]
    page.keyboard.press("c")
    assert do(page, "return stage.mode") == "compare"


def test_page_may_keep_the_history_and_speak_its_own_words(opened):
    page = opened(options={"history": "page"}, reduced_motion="reduce")
    put(page)
    drag(page, (200, 200), (300, 200))
    page.keyboard.press("z")
    page.keyboard.press("Control+y")
    asked = [event["event"]["move"] for event in page.evaluate("tests.events") if event["kind"] == "history"]
    assert asked == ["undo", "redo"]
    assert len(strokes(page)) == 1


def test_fingers_draw_pinch_and_pan(opened):
    page = opened(has_touch=True, reduced_motion="reduce")
    put(page, 400, 300)
    session = page.context.new_cdp_session(page)
    touch(session, "touchStart", (200, 200))
    touch(session, "touchMove", (260, 220))
    touch(session, "touchMove", (300, 260))
    touch(session, "touchEnd")
    assert len(strokes(page)) == 1

    fingers = [(250, 240), (350, 240)]
    under = [picture(page, *finger) for finger in fingers]
    scale = view(page)["scale"]
    touch(session, "touchStart", fingers[0])
    touch(session, "touchStart", *fingers)
    spread = [(210, 300), (410, 300)]
    touch(session, "touchMove", *spread)
    touch(session, "touchEnd")
    settle(page)
    assert view(page)["scale"] == pytest.approx(2 * scale, rel=0.02)
    for point, finger in zip(under, spread, strict=True):
        assert math.dist(picture(page, *finger), point) < 1
    assert len(strokes(page)) == 1  # the first finger had not drawn


def test_pen_draws_by_its_pressure(opened):
    page = opened(reduced_motion="reduce")
    put(page, 400, 300)
    session = page.context.new_cdp_session(page)
    event = {"pointerType": "pen", "button": "left", "y": 240, "clickCount": 1}
    session.send("Input.dispatchMouseEvent", {"type": "mousePressed", "x": 100, "force": 0.1, **event})
    for step in range(1, 41):
        move = {"type": "mouseMoved", "x": 100 + 10 * step, "force": 0.1 + step / 50, "buttons": 1, **event}
        session.send("Input.dispatchMouseEvent", move)
    session.send("Input.dispatchMouseEvent", {"type": "mouseReleased", "x": 500, "force": 0, **event})
    radii = [stroke["radius"] for stroke in strokes(page)]
    shown(page, "pen")
    assert 4 <= len(radii) <= 10
    assert radii == sorted(radii)
    assert radii[-1] > 2 * radii[0]


def test_nothing_is_drawn_while_nothing_changes(opened):
    page = opened(reduced_motion="reduce")
    put(page)
    page.evaluate(
        """() => { tests.frames = 0; const ask = requestAnimationFrame;
        window.requestAnimationFrame = (run) => { tests.frames += 1; return ask(run); } }"""
    )
    page.evaluate("() => new Promise((done) => setTimeout(done, 300))")
    assert page.evaluate("tests.frames") == 0
    do(page, "for (let turn = 0; turn < 50; turn++) stage.panBy(1, 0)")
    assert page.evaluate("tests.frames") == 1


def test_size_may_change(opened):
    page = opened(reduced_motion="reduce")
    put(page)
    do(page, "document.getElementById('host').style.width = '320px'")
    settle(page)
    sizes = page.evaluate("[...document.querySelectorAll('canvas')].map(({ width, height }) => [width, height])")
    assert sizes == [[320, 480]] * 3
    assert view(page)["fitted"]
    do(page, "stage.zoomTo(6)")
    middle = picture(page, 160, 240)
    do(page, "document.getElementById('host').style.width = '600px'")
    settle(page)
    assert math.dist(picture(page, 300, 240), middle) < 0.1


def test_all_is_let_go(opened):
    page = opened(reduced_motion="reduce")
    page.evaluate(
        """() => { tests.open_ = 0; const make = createImageBitmap; const { close } = ImageBitmap.prototype;
        window.createImageBitmap = async (...given) => {
            const made = await make(...given); tests.open_ += 1; return made };
        ImageBitmap.prototype.close = function () { if (this.width) tests.open_ -= 1; close.call(this) } }"""
    )
    do(
        page,
        """stage.setTool("pan");
           await stage.setSource(await tests.fetched("/large.png"));
           await stage.setAlpha(tests.plane(2500, 2000, 1000));
           await stage.setBackground({ kind: "blur" });
           stage.zoomTo(1);""",
    )
    until(page, "tests.open_ >= 6")
    do(page, "void stage.setSource(await tests.fetched('/large.png')); stage.destroy()")
    until(page, "tests.open_ === 0")
    assert page.evaluate("document.querySelectorAll('#host *').length") == 0
    page.keyboard.press("b")
    page.mouse.move(100, 100)


def test_what_is_no_picture_is_told_and_the_rest_remains(opened):
    page = opened(reduced_motion="reduce")
    put(page)
    for script in (
        "await stage.setSource(new Blob(['no picture']))",
        "await stage.setSource(new Blob([]))",
        "await stage.setBackground({ kind: 'color', color: 'no colour' })",
        "await stage.setAlpha({ width: 3, height: 3, data: new Uint8Array(5) })",
        "stage.setStrokes([{ points: [[2, 0]], radius: 0.1, keep: true }])",
    ):
        told = do(page, f"try {{ {script}; return '' }} catch (error) {{ return error.name }}")
        assert told in ("InvalidStateError", "RangeError"), script
    do(page, "stage.setMode('source')")
    assert shown(page)[240, 320, 2] == 64


def test_nothing_can_be_drawn_on_nothing(opened):
    page = opened(reduced_motion="reduce")
    drag(page, (100, 100), (300, 300))
    page.keyboard.press("Space")
    page.keyboard.press("Space")
    assert strokes(page) == []


def test_glides_unless_motion_is_to_be_reduced(opened):
    page = opened(reduced_motion="no-preference")
    put(page)
    scale = view(page)["scale"]
    assert do(page, "stage.zoomTo(8); return stage.view.scale") == scale
    until(page, "tests.stage.view.scale === 8")


def test_axe_finds_nothing(opened):
    page = opened(reduced_motion="reduce")
    put(page)
    do(page, "stage.setMode('compare')")
    settle(page)
    axe = (MODULES / "axe-core/axe.min.js").read_text()
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert [rule["id"] for rule in found["violations"]] == [], json.dumps(found["violations"], indent=1)
