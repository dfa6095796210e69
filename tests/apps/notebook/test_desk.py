"""What a studio does, without any notebook."""

import asyncio
import io
import threading
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import cleancut
from cleancut.apps.notebook.hand import Hand
from cleancut.apps.notebook.nouns import sentence
from cleancut.apps.notebook.results import Results
from cleancut.errors import BadRecipe, NotFound, TooBig
from cleancut.matting.write import encoded as written
from cleancut.types import Recipe
from tests.apps.notebook.conftest import bomb, encoded
from tests.stubs import disc, loading

STROKE = {"points": [[0.5, 0.5], [0.6, 0.5]], "radius": 0.05, "keep": True}


def test_a_file_comes_in_pieces_and_is_cut(bench):
    one = bench()
    kind, said, _ = one.send("a.png", encoded())
    assert kind == "got" and said["id"] in one.desk.items
    one.idle()
    (item,) = one.desk.items.values()
    assert item.shown() == {
        "id": item.id, "name": "a.png", "state": "done", "kept": True, "error": "", "size": (80, 60),
        "confidence": item.told["confidence"], "notes": (),
    }  # fmt: skip
    said, (thumb,) = one.until("thumb")
    assert said == {"id": item.id} and Image.open(io.BytesIO(thumb)).format == "WEBP"


def test_a_result_is_the_very_file_that_cut_makes(bench):
    asked = []
    load = loading(disc(), asked=asked)
    one = bench(load, Recipe())
    data = encoded(160, 120)
    one.send("dir/photo.png", data)
    one.idle()
    item = one.desk.named("photo.png")
    one.say("strokes", id=item.id, strokes=[STROKE])
    one.say("fetch", id=item.id)
    made, _ = one.until("made")
    assert (made["name"], made["type"]) == ("photo_no_bg.png", "image/png")
    whole = b""
    while len(whole) < made["size"]:
        ((_, said, (piece,)),) = one.say("pull", made=made["turn"], offset=len(whole))
        assert said["offset"] == len(whole)
        whole += piece
    recipe = cleancut.recipe(strokes=[STROKE])
    assert len(asked) == 1  # once, though it was shown in small and made in full
    assert whole == written(cleancut.cut(data, recipe, load=load))
    assert one.say("pull", made=made["turn"], offset=0)[0][0] == "problem"  # it is handed over once


def test_what_was_made_goes_to_the_page_in_bounded_pieces(bench):
    one = bench(max_chunk=500)
    one.send("a.png", encoded(), chunk=500)
    one.idle()
    item = one.desk.named("a.png")
    one.say("fetch", id=item.id)
    made, _ = one.until("made")
    sizes = []
    while sum(sizes) < made["size"]:
        ((_, _, (piece,)),) = one.say("pull", made=made["turn"], offset=sum(sizes))
        sizes.append(len(piece))
    assert max(sizes) <= 500 and len(sizes) > 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"only words", "not a picture"),
        (b"", "is empty"),
        (encoded()[:300], "cannot be read"),
        (bomb(), "3,600 megapixels"),
    ],
)
def test_bad_files_say_why_and_spoil_no_other(bench, data, says):
    one = bench()
    one.send("bad.png", data)
    one.send("good.png", encoded())
    one.idle()
    bad, good = one.desk.items.values()
    assert (bad.state, good.state) == ("failed", "done")
    assert says in bad.shown()["error"] and "bad.png" in bad.shown()["error"]
    results = Results(one.desk)
    assert list(results) == ["good.png"] and "bad.png" not in results
    with pytest.raises(cleancut.CleancutError, match="bad.png"):
        _ = results["bad.png"]


def test_limits_hold_before_any_byte_comes(bench):
    one = bench(max_bytes=5000, max_pictures=2, max_held=9000)
    kind, said, _ = one.send("large.png", bytes(6000))
    assert kind == "refused" and not said["full"] and "the limit is" in said["sentence"]
    assert one.desk.named("large.png").state == "failed"
    one.send("a.jpg", encoded(kind="JPEG"))
    kind, said, _ = one.send("b.jpg", encoded(kind="JPEG"))
    assert kind == "refused" and said["full"] and "2 pictures" in said["sentence"]
    assert len(one.desk.items) == 2
    full = bench(max_held=100)
    assert full.send("a.png", encoded())[1]["full"]
    with pytest.raises(TooBig, match="remove some"):
        full.desk.add(encoded(), "b.png")


def test_pieces_that_do_not_fit_end_the_upload(bench):
    one = bench(max_chunk=100, max_uploads=2)
    for piece, offset in ((b"x" * 101, 0), (b"x" * 10, 5), (b"", 0)):
        ((_, said, _),) = one.say("begin", name="a", size=200)
        (answer,) = one.say("chunk", piece, upload=said["upload"], offset=offset)
        assert answer[0] == "problem" and "send it again" in answer[1]["sentence"]
    begun = [one.say("begin", name="a", size=9)[0][1]["upload"] for _ in range(3)]
    (answer,) = one.say("chunk", b"x" * 9, upload=begun[0], offset=0)
    assert "given up" in answer[1]["sentence"]
    assert not one.desk.items


@pytest.mark.parametrize("size", [-1, True, None, "12", 1.5])
def test_a_file_says_how_large_it_is(bench, size):
    one = bench()
    (answer,) = one.say("begin", name="a.png", size=size)
    assert answer[0] == "refused" and "how many bytes" in answer[1]["sentence"]


@pytest.mark.parametrize(
    "strokes",
    [
        [{**STROKE, "points": [[1.2, 0.5]]}],
        [{**STROKE, "radius": 0}],
        [{**STROKE, "points": []}],
        [STROKE] * 501,
        "words",
    ],
)
def test_strokes_outside_the_picture_are_refused(bench, strokes):
    one = bench()
    one.send("a.png", encoded())
    item = one.desk.named("a.png")
    (answer,) = one.say("strokes", id=item.id, strokes=strokes)
    assert answer[0] == "problem" and answer[1]["asked"]["kind"] == "strokes"
    assert item.strokes == ()


def test_nonsense_is_answered(bench):
    one = bench()
    for kind, more in (("?", {}), ("want", {"id": "none"}), ("recipe", {"recipe": 5}), ("chunk", {}), ("fetch", {})):
        (answer,) = one.say(kind, **more)
        assert answer[0] == "problem" and answer[1]["sentence"]
    one.talk.hear("words", [])
    assert one.page.heard[-1][0] == "problem"


def test_a_preview_shows_effects_or_the_bare_edge(bench):
    one = bench(recipe=cleancut.recipe(refine="none", effects="color:red"))
    one.send("a.png", encoded())
    item = one.desk.named("a.png")
    one.say("want", id=item.id, whole=True)  # before it is done
    said, (result, source) = one.until("shown")
    assert said["whole"] and said["strokes"] == []
    corner = np.asarray(Image.open(io.BytesIO(result)).convert("RGBA"))[0, 0]
    assert corner.tolist() == [255, 0, 0, 255]
    original = np.asarray(Image.open(io.BytesIO(source)))
    assert (original == np.asarray(Image.open(io.BytesIO(encoded())))).all()
    one.say("want", id=item.id, bare=True)
    said, (result,) = one.until("shown", count=2)
    assert np.asarray(Image.open(io.BytesIO(result)).convert("RGBA"))[0, 0].tolist() == [0, 0, 0, 0]


def test_a_stroke_shows_in_the_preview(bench):
    one = bench()
    one.send("a.png", encoded())
    item = one.desk.named("a.png")
    one.say("want", id=item.id, whole=True)
    _, (before, _) = one.until("shown")
    one.say("strokes", id=item.id, strokes=[{**STROKE, "points": [[0.02, 0.02]]}])
    one.say("want", id=item.id)
    _, (after,) = one.until("shown", count=2)
    alphas = [np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))[1, 1, 3] for data in (before, after)]
    assert alphas == [0, 255]


def test_of_the_wishes_of_a_view_the_last_counts(bench):
    gate = threading.Event()
    plain = loading(disc())

    def slow(name):
        assert gate.wait(60)
        return plain(name)

    one = bench(slow)
    one.send("a.png", encoded())
    one.send("b.png", encoded(seed=1))
    first, second = (one.desk.named(name) for name in ("a.png", "b.png"))
    one.say("want", id=first.id, whole=True)
    one.say("want", id=second.id, whole=True)
    last = one.turn
    one.say("want", view="other", id=first.id)
    gate.set()
    one.idle()
    one.until("shown", count=2)
    shown = {said["view"]: said for said, _ in one.page.of("shown")}
    assert shown["v"]["id"] == second.id and shown["v"]["turn"] == last
    assert shown["other"]["id"] == first.id and len(one.page.of("shown")) == 2


def test_another_model_looks_at_every_picture_again(bench):
    asked = []
    one = bench(loading(disc(), asked=asked))
    one.send("a.png", encoded())
    one.send("b.png", encoded())
    one.idle()
    told = one.say("recipe", recipe={"refine": [], "model": "key", "effects": [{"name": "blur"}]})
    assert not told and one.desk.busy == 2
    assert (one.desk.recipe.model, one.desk.by) == ("key", f"v {one.turn}")
    one.idle()
    assert len(asked) == 4
    one.say("recipe", recipe={"refine": [], "model": "key", "effects": []})
    assert one.desk.busy == 0  # an effect asks nobody anything


def test_a_recipe_that_does_not_fit_changes_nothing(bench):
    one = bench()
    before = one.desk.recipe
    for recipe in ({"model": 5}, {"effects": [{"name": "behind", "picture": "x"}]}, {"refine": [{"name": "?"}]}):
        (answer,) = one.say("recipe", recipe=recipe)
        assert answer[0] == "problem" and one.desk.recipe == before
    with pytest.raises(BadRecipe, match="not handed over"):
        one.desk.set_recipe(cleancut.recipe(effects="behind:picture=x"))


def test_a_background_is_sent_and_named_by_what_it_shows(bench):
    one = bench()
    one.send("a.png", encoded())
    kind, said, _ = one.send("beach.png", encoded(40, 30, seed=2), use="background")
    assert kind == "got" and said["asset"].startswith("sha256-") and len(one.desk.items) == 1
    one.say("recipe", recipe={"refine": [], "effects": [{"name": "behind", "picture": said["asset"]}]})
    one.idle()
    cut = Results(one.desk)["a.png"]
    assert (cut.rgba()[..., 3] == 255).all()
    (answer,) = one.say("begin", name="none.png", size=0, use="background")
    assert answer[0] == "refused" and len(one.desk.items) == 1
    kind, said, _ = one.send("words.txt", b"words", use="background")
    assert kind == "problem" and len(one.desk.items) == 1


def test_what_was_removed_is_forgotten(bench):
    one = bench()
    for name in ("a.png", "a.png", "A.PNG"):
        one.send(name, encoded())
    one.idle()
    assert [item.name for item in one.desk.items.values()] == ["a.png", "a-2.png", "A-3.PNG"]
    item = one.desk.named("a.png")
    one.say("remove", id=item.id)
    assert list(Results(one.desk)) == ["a-2.png", "A-3.PNG"]
    with pytest.raises(NotFound):
        one.desk.find(item.id)
    with pytest.raises(KeyError, match=r"no picture 'a\.png'"):
        _ = Results(one.desk)["a.png"]


def test_results_keep_little_and_ask_again_where_they_must(bench):
    asked = []
    one = bench(loading(disc(), asked=asked), answer_bytes=1, proof_bytes=1)
    for seed in range(3):
        one.send(f"{seed}.png", encoded(seed=seed))
    one.idle()
    assert len(asked) == 3
    results = Results(one.desk)
    assert results["2.png"] is results["2.png"] and len(asked) == 3  # the newest answer always stays
    assert results["0.png"].size == (80, 60) and results["0.png"].source.name == "0.png"
    results["0.png"].rgba()
    assert len(asked) == 4
    one.say("want", id=one.desk.named("1.png").id, whole=True)
    one.until("shown")
    assert one.desk.named("1.png").state == "done"


def test_a_failure_nobody_foresaw_is_told_and_raised(bench):
    def broken(name):
        raise RuntimeError("no such luck")

    one = bench(broken)
    one.send("a.png", encoded())
    one.idle()
    item = one.desk.named("a.png")
    assert item.shown()["error"] == "RuntimeError: no such luck"
    one.say("want", id=item.id)
    assert one.until("unshown")[0]["sentence"] == sentence(item.failure)
    with pytest.raises(RuntimeError):
        _ = Results(one.desk)["a.png"]
    one.desk.load = loading(disc())
    one.say("again", id=item.id)
    one.idle()
    assert item.state == "done"


def test_results_of_one_stem_have_names_of_their_own(bench):
    one = bench()
    one.send("a.png", encoded())
    one.send("a.jpg", encoded(kind="JPEG"))
    one.idle()
    one.desk.set_recipe(replace(one.desk.recipe, format="jpeg"))
    for count, item in enumerate(one.desk.items.values(), 1):
        one.say("fetch", id=item.id)
        one.until("made", count=count)
    assert {said["name"] for said, _ in one.page.of("made")} == {"a.png_no_bg.jpg", "a.jpg_no_bg.jpg"}
    assert {said["type"] for said, _ in one.page.of("made")} == {"image/jpeg"}


@pytest.mark.anyio
async def test_answers_come_in_the_thread_of_the_loop(bench):
    one = bench()
    threads = []
    tell = one.page.tell
    one.page.tell = lambda *args, **more: (threads.append(threading.current_thread()), tell(*args, **more))
    one.send("a.png", encoded())
    one.say("want", id=one.desk.named("a.png").id)
    while not one.page.of("shown"):  # nothing but the loop runs what waits
        await asyncio.sleep(0.01)
    assert set(threads) == {threading.current_thread()}


@pytest.fixture
def anyio_backend():
    return "asyncio"


def test_newer_work_ends_older_of_its_key():
    hand, gate, done = Hand("test"), threading.Event(), []
    begun, over = threading.Event(), threading.Event()

    def old(check):
        begun.set()
        assert gate.wait(60)
        check()
        done.append("old")

    hand.do("a", 0, old)
    assert begun.wait(60) and hand.has("a")
    hand.do("b", 2, lambda check: over.set())
    hand.do("c", 1, lambda check: done.append("c"))
    hand.do("a", 1, lambda check: done.append("new"))
    hand.do("d", 1, lambda check: done.append("d"))
    hand.drop("d")
    gate.set()
    assert over.wait(60) and done == ["c", "new"]
