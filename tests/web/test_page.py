"""Pictures come in, and are worked on: issue 7, points 1 and 2, and bad input."""

from __future__ import annotations

import base64
import io
import json
import threading
import zipfile

import pytest
from PIL import Image

from .conftest import choose, done, photo, shot

_DROP = """([files, kind]) => {
    const data = new DataTransfer();
    for (const [name, type, text] of files) {
        const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
        data.items.add(new File([bytes], name, { type }));
    }
    const options = { bubbles: true, cancelable: true };
    const event = kind === "paste" ? new ClipboardEvent("paste", { ...options, clipboardData: data })
        : new DragEvent(kind, { ...options, dataTransfer: data });
    document.querySelector("main").dispatchEvent(event);
}"""


def hand(page, kind, *files):
    """Drop or paste files."""
    listed = [[f["name"], f["mimeType"], base64.b64encode(f["buffer"]).decode()] for f in files]
    page.evaluate(_DROP, [listed, kind])


def png(width, height, mode="RGB"):
    stream = io.BytesIO()
    Image.new(mode, (width, height)).save(stream, "PNG")
    return stream.getvalue()


def texts(page):
    return [text.replace("\n", " ") for text in page.locator(".item .phase").all_inner_texts()]


def test_pictures_are_chosen_dropped_and_pasted(visit):
    page = visit()
    shot(page, "welcome")
    choose(page, photo("a.png"), photo("b.jpg", seed=4))
    done(page, 2)
    hand(page, "dragenter", photo("c.png"))
    page.locator(".dropping").wait_for()
    hand(page, "drop", photo("c.png", seed=5))
    page.locator(".dropping").wait_for(state="detached")
    hand(page, "paste", photo("d.png", seed=6))
    done(page, 4)
    assert page.locator(".item .name").all_inner_texts() == ["a.png", "b.jpg", "c.png", "d.png"]
    assert page.locator(".item .thumb").first.evaluate("(canvas) => canvas.width") > 1
    shot(page, "four")


def test_a_picture_is_fetched_by_its_address(visit, server):
    asked = []

    def prepare(page):
        def told(route):
            about = route.fetch().json()
            route.fulfill(json=about | {"urls": True})

        def cut(route):
            asked.append(route.request.post_data_buffer)
            route.fulfill(body=png(8, 8, "RGBA"), content_type="image/png")

        page.route("**/v1/service", told)
        page.route("**/v1/cut", cut)

    page = visit(prepare=prepare)
    page.get_by_role("textbox", name="Address of a picture").fill("https://example.com/some/cat.jpg")
    page.get_by_role("button", name="Fetch").click()
    done(page, 1)
    assert b'name="url"\r\n\r\nhttps://example.com/some/cat.jpg' in asked[0]
    assert page.locator(".item .name").inner_text() == "cat.jpg"
    assert page.get_by_role("radio", name="Before and after").count() == 0


def test_what_cannot_be_taken_is_told_before_it_is_sent(visit):
    sent = []

    def told(route):
        about = route.fetch().json()
        route.fulfill(json=about | {"limits": about["limits"] | {"max_bytes": 1_000_000}})

    def prepare(page):
        page.route("**/v1/service", told)
        page.on("request", lambda request: sent.append(request.url) if "/v1/cut" in request.url else None)

    page = visit(prepare=prepare)
    huge = {"name": "huge.png", "mimeType": "image/png", "buffer": png(10_000, 6_000, "1")}
    heavy = {"name": "heavy.png", "mimeType": "image/png", "buffer": png(8, 8) + bytes(2_000_000)}
    text = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    empty = {"name": "empty.png", "mimeType": "image/png", "buffer": b""}
    choose(page, text, empty, photo(), huge, heavy)
    done(page, 1)
    page.locator(":nth-match(.item.failed, 4)").wait_for()
    assert texts(page) == [
        "This file is not a picture that is known here.",
        "This file is empty.",
        "Done",
        "The picture has 60 MP; 50 MP are taken. Make it smaller first.",
        "The file has 2 MB; 1 MB are taken. Make it smaller first.",
    ]
    assert len(sent) == 1
    assert page.get_by_role("button", name="Try notes.txt again").count() == 0
    shot(page, "refused")


def test_a_picture_that_the_server_refuses_is_told_in_its_words(visit):
    page = visit(expected="400")
    broken = photo("broken.png")
    broken["buffer"] = broken["buffer"][:2000]
    choose(page, broken, photo())
    done(page, 1)
    page.locator(".item.failed").wait_for()
    sentence = texts(page)[0]
    assert sentence.endswith(".")
    assert "unforeseen" not in sentence


def test_busy_server_is_asked_again_as_it_says(visit):
    refused = threading.Event()

    def cut(route):
        if refused.is_set():
            route.continue_()
            return
        refused.set()
        body = json.dumps({"code": "queue_full", "detail": "The service is busy; ask again later."})
        route.fulfill(status=429, headers={"Retry-After": "2"}, content_type="application/problem+json", body=body)

    page = visit(expected="429", prepare=lambda page: page.route("**/v1/cut", cut))
    choose(page, photo())
    page.locator(".item.paused").wait_for()
    assert "The service is busy; ask again later." in texts(page)[0]
    done(page, 1)


def test_server_that_is_gone_is_waited_for(visit):
    page = visit(expected="net::ERR")
    page.route("**/v1/cut", lambda route: route.abort())
    choose(page, photo("a.png"), photo("b.png", seed=4))
    page.locator(".item.paused").first.wait_for()
    assert texts(page)[0].startswith("The server does not answer. Nothing is lost")
    page.unroute("**/v1/cut")
    page.evaluate("dispatchEvent(new Event('online'))")
    done(page, 2)


def test_pictures_are_cancelled_tried_again_and_cleared(visit):
    page = visit()
    page.route("**/v1/cut", lambda route: None)  # never answers
    choose(page, photo("a.png"), photo("b.png", seed=4))
    page.get_by_role("button", name="Cancel a.png").click()
    page.locator(".item.cancelled").wait_for()
    page.get_by_role("button", name="Cancel b.png").click()
    page.unroute("**/v1/cut")
    page.get_by_role("button", name="Try all again").click()
    done(page, 2)
    page.get_by_role("button", name="Remove a.png").click()
    assert page.locator(".item").count() == 1
    page.get_by_role("button", name="Clear all").click()
    page.get_by_role("button", name="Remove all").click()
    page.get_by_role("heading", name="Remove the background of a picture").wait_for()


def test_two_hundred_pictures_are_queued_and_zipped(visit):
    result = png(32, 32, "RGBA")
    page = visit("delete window.showSaveFilePicker")
    page.route("**/v1/cut", lambda route: route.fulfill(body=result, content_type="image/png"))
    choose(page, *({"name": "cat.png", "mimeType": "image/png", "buffer": png(32, 32)} for _ in range(200)))
    page.get_by_text("200 of 200 done").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all 200 (ZIP)").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert archive.read("cat_no_bg (200).png") == result
    assert len(set(names)) == 200


@pytest.mark.parametrize("code", ["no_key", "wrong_key"])
def test_a_server_with_keys_asks_for_one(visit, code):
    def guarded(route):
        if route.request.headers.get("x-api-key") == "right":
            route.continue_()
            return
        body = json.dumps({"code": code, "detail": "A key is needed."})
        route.fulfill(status=403, content_type="application/problem+json", body=body)

    page = visit(expected="403", prepare=lambda page: page.route("**/v1/**", guarded))
    page.get_by_role("dialog", name="This server needs a key").wait_for()
    page.get_by_label("Key", exact=True).fill("right")
    page.get_by_role("button", name="Use this key").click()
    page.get_by_text("up to 32 MB").wait_for()
    page.reload()
    page.get_by_text("up to 32 MB").wait_for()


def test_server_that_is_away_at_the_start_is_told(visit):
    page = visit(expected="net::ERR", prepare=lambda page: page.route("**/v1/**", lambda route: route.abort()))
    page.get_by_text("The server does not answer.").wait_for()
    page.unroute("**/v1/**")
    page.get_by_role("button", name="Try again").click()
    page.get_by_text("up to 32 MB").wait_for()
