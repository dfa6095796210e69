"""Local mode in a real Chromium: the same alpha as the server's, and everything that can go wrong on a device."""

import base64
import functools
import io
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

import cleancut
from cleancut.apps.scene import scene
from cleancut.models.registry import Input, Output, registry
from tests.chromium import CHROMIUM, FLAGS, WEB
from tests.web.hosts import hosted

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")


NPX = shutil.which("npx")
PATIENCE = 180_000
"""Milliseconds; a machine may be slow, and no test measures time."""


HARNESS = """<!doctype html><meta charset="utf-8"><script type="module">
import { openLocal } from "./harness.js";
const info = await (await fetch("local.json")).json();
const bytes = async (blob) => {
  const url = await new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.readAsDataURL(blob);
  });
  return url.slice(url.indexOf(",") + 1);
};
const fileOf = async (text) => (await fetch("data:application/octet-stream;base64," + text)).blob();
const told = (error) => ({ code: error.code ?? error.name, message: error.message });
const Plain = Worker;
window.Worker = class extends Plain {
  constructor(...given) {
    super(...given);
    window.worker = this;
  }
};
Object.assign(window, { openLocal, info, fileOf, told, local: openLocal(info) });
window.cut = async (text, options) => {
  try {
    const { alpha, result, ...rest } = await local.cut(await fileOf(text), options);
    return { ...rest, result: await bytes(result), alpha: await bytes(new Blob([alpha.data])) };
  } catch (error) {
    return { error: told(error) };
  }
};
window.started = true;
</script>"""

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
    pytest.mark.skipif(NPX is None or not (WEB / "node_modules").is_dir(), reason="needs npm and web/node_modules"),
]


def built(config, out, **environ):
    command = [NPX, "vite", "build", "--config", config, "--outDir", str(out), "--emptyOutDir", "false"]
    done = subprocess.run(
        command, cwd=WEB, env={**os.environ, **environ}, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The static build, and beside it a page of the tests that has nothing but the module."""
    folder = tmp_path_factory.mktemp("site")
    built("vite.static.config.ts", folder)
    built("../tests/web/harness.config.mjs", folder, HARNESS=str(folder))
    (folder / "harness.html").write_text(HARNESS)
    return folder


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def host(site):
    with hosted(site, isolated=True) as running:
        yield running


@contextmanager
def opened(browser, url, script=None):
    context = browser.new_context()
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    if script:
        page.add_init_script(script)
    page.goto(url)
    try:
        yield page
    finally:
        context.close()


@pytest.fixture(scope="module")
def page(browser, host):
    """A page with local mode that many tests share."""
    with opened(browser, host.url + "harness.html") as shared:
        shared.wait_for_function("window.started")
        yield shared


def encoded(pixels, format="PNG", **more):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format, **more)
    return stream.getvalue()


def cut(page, data, **options):
    found = page.evaluate("([text, options]) => cut(text, options)", [base64.b64encode(data).decode(), options])
    if "error" in found:
        return found
    width, height = found["size"]
    found["alpha"] = np.frombuffer(base64.b64decode(found["alpha"]), np.uint8).reshape(height, width)
    found["pixels"] = np.asarray(Image.open(io.BytesIO(base64.b64decode(found["result"]))))
    return found


def veiled(width, height):
    """A vase whose picture has transparency of its own, with colours beneath it that nobody sees."""
    rgb = scene(width, height, 4).photo.rgb
    fade = np.clip(np.arange(width) * 3, 0, 255).astype(np.uint8)
    return np.dstack((rgb, np.broadcast_to(fade, (height, width))))


SCENES = {
    "portrait": lambda: scene(360, 480, 1).photo.rgb,
    "wide": lambda: scene(900, 300, 2).photo.rgb,
    "tall": lambda: scene(200, 700, 3).photo.rgb,
    "large": lambda: scene(1000, 800, 5).photo.rgb,
    "small": lambda: scene(60, 75, 6).photo.rgb,
    "veiled": lambda: veiled(400, 320),
    "grey": lambda: scene(320, 400, 7).photo.rgb[..., 1],
}


@functools.cache
def drawn(name):
    return SCENES[name]()


def test_the_static_build_tells_the_models_own_table(site):
    told = json.loads((site / "local.json").read_text())
    model = registry()["cleancut-small"]
    (weights,) = model.weights.values()
    lists = {key: tuple(value) if isinstance(value, list) else value for key, value in told["input"].items()}
    assert Input(**lists) == model.input
    assert Output(**told["output"]) == model.output
    assert (told["sha256"], told["bytes"]) == (weights.sha256, weights.bytes)
    assert (site / told["model"]).stat().st_size == weights.bytes


@pytest.mark.parametrize("name", SCENES)
def test_alpha_is_the_servers(page, name):
    data = encoded(drawn(name))
    truth = cleancut.cut(data)
    ours, theirs = cut(page, data), truth.rgba()
    assert ours["confidence"] == pytest.approx(truth.confidence, abs=0.002)
    off = np.abs(ours["alpha"].astype(int) - theirs[..., 3])
    assert np.mean(off <= 2) >= 0.999
    assert (ours["pixels"][..., 3] == ours["alpha"]).all()
    assert theirs[..., 3].max() == 255, "the scene has a subject"


def test_colours_are_the_servers_and_what_was_removed_is_not_in_the_file(page):
    source = drawn("large")
    data = encoded(source)
    ours, theirs = cut(page, data)["pixels"], cleancut.cut(data).rgba()
    assert np.mean(np.abs(ours.astype(int) - theirs).max(axis=-1) <= 2) >= 0.999
    opaque, clear = ours[..., 3] == 255, ours[..., 3] == 0
    assert (ours[opaque][:, :3] == source[opaque]).all()
    assert (ours[clear] == 0).all()
    assert opaque.any()
    assert clear.any()


def test_jpegs_differ_by_their_decoder_alone(page):
    data = encoded(drawn("portrait"), "JPEG", quality=90)
    ours, theirs = cut(page, data)["alpha"], cleancut.cut(data).rgba()[..., 3]
    assert np.mean(np.abs(ours.astype(int) - theirs) <= 2) >= 0.999


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_upright(page, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    data = encoded(drawn("small"), "JPEG", quality=95, exif=exif.tobytes())
    ours, theirs = cut(page, data)["alpha"], cleancut.cut(data).rgba()[..., 3]
    assert ours.shape == theirs.shape
    assert np.mean(np.abs(ours.astype(int) - theirs) <= 4) >= 0.99


def test_an_empty_scene_has_no_subject(page):
    data = encoded(np.full((300, 400, 3), 128, np.uint8))
    found = cut(page, data)
    assert found["subject"] is False
    assert not found["pixels"].any()
    assert cut(page, data, noSubject="keep")["subject"] is False


def test_alpha_alone_a_background_and_untouched_colours(page):
    data = encoded(drawn("portrait"))
    plain = cut(page, data)
    assert (cut(page, data, show="alpha")["pixels"] == plain["alpha"]).all()
    filled = cut(page, data, background=[255, 0, 0])["pixels"]
    assert (filled[plain["alpha"] == 0] == (255, 0, 0, 255)).all()
    kept = cut(page, data, foreground="source")["pixels"]
    soft = (plain["alpha"] > 0) & (plain["alpha"] < 255)
    assert (kept[soft][:, :3] == drawn("portrait")[soft]).all()
    assert (plain["pixels"][soft][:, :3] != kept[soft][:, :3]).any()


def boxed(kind, brand):
    return (24).to_bytes(4, "big") + kind + brand + bytes(4) + brand + b"mif1" + bytes(64)


HUGE = encoded(np.zeros((1, 1), np.uint8))
HUGE = HUGE[:16] + (60_000).to_bytes(4, "big") * 2 + HUGE[24:]

BAD = {
    "empty": (b"", "empty"),
    "text": (b"This is no picture at all.", "notAPicture"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "notAPicture"),
    "heic": (boxed(b"ftyp", b"heic"), "heic"),
    "tiff": (b"II*\0" + bytes(40), "tiff"),
    "cut off": (encoded(drawn("small"), "JPEG")[:300], "damaged"),
    "cut off in its header": (b"\x89PNG\r\n\x1a\n\0\0", "damaged"),
    "60,000 pixels a side": (HUGE, "tooLarge"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_with_a_sentence(page, name):
    data, code = BAD[name]
    error = cut(page, data)["error"]
    assert error["code"] == code
    assert error["message"].endswith(".")
    assert "{" not in error["message"]
    assert "error" not in cut(page, encoded(drawn("small"))), "the next picture is unharmed"


def test_it_runs_in_threads_where_the_page_is_isolated(page):
    page.evaluate("local.ready()")
    engine = page.evaluate("local.engine")
    assert engine["runs"] == "wasm"
    assert engine["threads"] == min(4, page.evaluate("navigator.hardwareConcurrency"))
    assert engine["told"]


def test_a_second_picture_loads_nothing_again(page, host):
    cut(page, encoded(drawn("small")))
    host.asked.clear()
    cut(page, encoded(drawn("small")))
    assert host.asked == []


def test_a_cut_can_be_cancelled_and_the_next_goes_on(page):
    texts = [base64.b64encode(encoded(drawn(name))).decode() for name in ("large", "portrait")]
    ended = page.evaluate(
        """async (texts) => {
          const stop = new AbortController();
          const stages = [];
          const onProgress = (stage) => { stages.push(stage); stop.abort(); };
          const first = local.cut(await fileOf(texts[0]), { signal: stop.signal, onProgress }).catch(told);
          return { first: await first, stages, next: (await cut(texts[1])).size };
        }""",
        texts,
    )
    assert ended["first"]["code"] in {20, "AbortError"}
    assert ended["stages"] == ["decode"]
    assert ended["next"] == [360, 480]


def test_several_pictures_wait_for_each_other(page):
    texts = [base64.b64encode(encoded(drawn(name))).decode() for name in ("portrait", "small", "wide")]
    sizes = page.evaluate(
        "async (texts) => (await Promise.all(texts.map((text) => cut(text)))).map((r) => r.size)", texts
    )
    assert sizes == [[360, 480], [60, 75], [900, 300]]


def test_a_tab_that_slept_goes_on(page):
    text = base64.b64encode(encoded(drawn("portrait"))).decode()
    page.evaluate("(text) => { window.pending = cut(text); }", text)
    session = page.context.new_cdp_session(page)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    session.send("Page.setWebLifecycleState", {"state": "active"})
    assert page.evaluate("pending")["size"] == [360, 480]
    session.detach()


def test_a_worker_that_dies_is_told_and_started_again(page):
    found = page.evaluate(
        """async (text) => {
          const own = openLocal(info);
          await own.ready();
          const file = await fileOf(text);
          const first = own.cut(file).catch(told);
          await new Promise((resolve) => setTimeout(resolve)); // until it was handed to the worker
          worker.dispatchEvent(new ErrorEvent("error"));
          const found = { first: (await first).code, again: (await own.cut(file)).size };
          own.close();
          return found;
        }""",
        base64.b64encode(encoded(drawn("portrait"))).decode(),
    )
    assert found == {"first": "stopped", "again": [360, 480]}


def test_a_page_that_gets_no_worker_says_so(page):
    worker = '() => { throw new DOMException("", "SecurityError"); }'
    assert page.evaluate(f"openLocal(info, {{ worker: {worker} }}).ready().catch(told)")["code"] == "noWorker"


@pytest.mark.parametrize(
    ("missing", "code"), [(".onnx", "modelNotLoaded"), (".wasm", "runtimeNotLoaded"), ("ort.wasm", "runtimeNotLoaded")]
)
def test_what_cannot_be_loaded_is_told_and_tried_again(browser, host, missing, code):
    with opened(browser, host.url + "harness.html") as page:
        page.wait_for_function("window.started")
        host.missing.add(missing)
        try:
            assert page.evaluate("local.ready().catch(told)")["code"] == code
        finally:
            host.missing.clear()
        assert page.evaluate("local.ready().then(() => local.engine.runs)") == "wasm"


def test_another_model_than_the_page_expects_is_refused(page):
    told = page.evaluate('openLocal({ ...info, sha256: "0".repeat(64) }).ready().catch(told)')
    assert told["code"] == "modelDiffers"


def test_a_browser_without_webassembly_is_told_so(browser, host):
    with opened(browser, host.url + "harness.html", "delete globalThis.WebAssembly") as page:
        page.wait_for_function("window.started")
        assert cut(page, encoded(drawn("small")))["error"]["code"] == "noWebAssembly"


def test_twelve_megapixels_fit_in_600_megabytes(browser, host):
    small = Image.fromarray(scene(1000, 750, 8).photo.rgb)
    data = encoded(np.asarray(small.resize((4000, 3000), Image.Resampling.BICUBIC)), "JPEG", quality=90)
    with opened(browser, host.url + "harness.html") as page:
        page.wait_for_function("window.started")
        found = page.evaluate(
            "async (text) => (await local.cut(await fileOf(text))).size", base64.b64encode(data).decode()
        )
        assert found == [4000, 3000]
        assert max(map(peak_of, renderers())) < 600e6


def renderers():
    children = psutil.Process().children(recursive=True)
    return [child for child in children if child.is_running() and "--type=renderer" in " ".join(child.cmdline())]


def peak_of(process):
    """Bytes that a process held at most, shared libraries included."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        pytest.skip("needs /proc")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) * 1024


def cut_by_hand(page, data):
    """Choose a file as a person does, and give the bytes that are downloaded."""
    file = {"name": "vase.png", "mimeType": "image/png", "buffer": data}
    page.locator("input[type=file]").first.set_input_files(files=[file])
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    assert download.value.suggested_filename == "vase_no_bg.png"
    return np.asarray(Image.open(download.value.path()))


def kept(page):
    """The addresses in all caches; the page's policy allows no script that waits for them."""
    script = """async () => {
      const caches_ = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
      return (await Promise.all(caches_.map((cache) => cache.keys()))).flat().map((request) => request.url);
    }"""
    return page.evaluate(script)


def wait_until_kept(page, ending):
    for _ in range(PATIENCE // 100):
        if any(url.endswith(ending) for url in kept(page)):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"{ending} was not kept")


def test_the_static_page_works_on_any_host_and_then_offline(browser, site):
    data = encoded(drawn("portrait"))
    truth = cleancut.cut(data).rgba()
    with hosted(site) as host, opened(browser, host.url) as page:
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        found = cut_by_hand(page, data)
        assert np.mean(np.abs(found[..., 3].astype(int) - truth[..., 3]) <= 2) >= 0.999
        assert not page.evaluate("crossOriginIsolated"), "this host sends no headers"
        for ending in (".wasm", "ort.wasm.min.mjs", "threaded.mjs"):
            wait_until_kept(page, ending)
        page.evaluate("fetch('v1/service').catch(() => 0)")
        assert not [url for url in kept(page) if "/v1" in url or "webgpu" in url]
        page.context.set_offline(True)
        host.missing.add("/")
        host.asked.clear()
        page.reload()
        # The service worker sends the headers that the host did not, so there are threads from now on.
        assert page.evaluate("crossOriginIsolated")
        assert (cut_by_hand(page, data) == found).all()
        assert set(host.asked) <= {"/sw.js"}, "a browser asks for a newer one, and that alone"
        assert errors == []


def test_a_host_that_isolates_nothing_gives_one_thread_and_says_so(browser, site):
    with hosted(site) as host, opened(browser, host.url + "harness.html") as page:
        page.wait_for_function("window.started")
        engine = page.evaluate("local.ready().then(() => local.engine)")
        assert engine["threads"] == 1
        assert "One thread" in engine["told"]


def test_the_static_page_can_be_installed(browser, site):
    with hosted(site) as host, opened(browser, host.url) as page:
        found = page.context.new_cdp_session(page).send("Page.getAppManifest")
        assert found["errors"] == []
        assert '"start_url":"./"' in found["data"]


def test_pythons_own_server_serves_the_static_page(browser, site):
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(site)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            port = re.search(r"port (\d+)", server.stdout.readline())[1]
            with opened(browser, f"http://127.0.0.1:{port}/") as page:
                found = cut_by_hand(page, encoded(drawn("portrait")))
                assert found[..., 3].max() == 255
        finally:
            server.terminate()


def test_refused_storage_is_told_and_harms_nothing(browser, site):
    refuse = "navigator.serviceWorker.register = () => Promise.reject(new DOMException('', 'SecurityError'))"
    with hosted(site) as host, opened(browser, host.url, refuse) as page:
        page.get_by_text("keeps no files for this page").first.wait_for()
        assert cut_by_hand(page, encoded(drawn("small"))).shape == (75, 60, 4)
