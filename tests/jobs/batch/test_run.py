"""A run: what is made, what is not made again, what fails alone and what ends it all."""

import threading
from dataclasses import replace

import pytest

from cleancut import limits
from cleancut.errors import BadInput, CannotWrite, NoSpace, NotAPicture, NotDownloaded
from cleancut.jobs.batch import journal as journals
from cleancut.jobs.batch.crew import Crew
from cleancut.jobs.batch.nouns import Review
from cleancut.jobs.batch.run import Batch
from cleancut.matting.pipeline import cut
from cleancut.matting.recipe import make
from cleancut.matting.write import encoded
from cleancut.pictures import images
from tests.jobs.batch.parts import Pile, Shelf, entry, picture, plan, ran, states
from tests.stubs import disc, loading

NAMES = ("a/x.png", "b/x.png", "x.jpg")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.jsonl"


def failing(error):
    def read():
        raise error

    return read


def test_every_picture_is_what_a_single_cut_gives(path):
    shelf = Shelf()
    told = ran(path, [entry(name) for name in NAMES], shelf)
    assert states(told) == dict.fromkeys(["a/x.png", "b/x.png", "x.png"], "done")
    for one in told.values():
        alone = cut(picture(sum(one.name.encode())), plan().variants[""], load=loading(disc(32, 0.3)))
        assert shelf.held[one.output] == encoded(alone)
        assert (one.box, one.confidence, one.size) == (alone.box, alone.confidence, alone.size)
        assert one.bytes == len(shelf.held[one.output])


def test_a_second_run_makes_only_what_is_new_or_has_changed(path):
    shelf, asked = Shelf(), []
    load = loading(disc(32, 0.3), asked=asked)
    ran(path, [entry(name) for name in NAMES], shelf, load=load)
    assert len(asked) == 3
    again = [entry("a/x.png"), entry("b/x.png", picture(77)), entry("x.jpg"), entry("new.jpg")]
    told = ran(path, again, shelf, load=load)
    assert states(told) == {"a/x.png": "kept", "b/x.png": "done", "x.png": "kept", "new.png": "done"}
    assert len(asked) == 5
    assert told["a/x.png"].box is not None  # what an earlier run found is told again


def test_what_has_the_same_stamp_is_not_even_read(path):
    shelf = Shelf()
    ran(path, [entry("a.png", stamp="1")], shelf)
    unread = entry("a.png", failing(AssertionError("it was read")), stamp="1")
    assert states(ran(path, [unread], shelf)) == {"a.png": "kept"}
    assert states(ran(path, [entry("a.png", stamp="2")], shelf)) == {"a.png": "kept"}
    unread = replace(unread, stamp="2")
    assert states(ran(path, [unread], shelf)) == {"a.png": "kept"}  # the new stamp was noted


@pytest.mark.parametrize(
    "change",
    [
        {"variants": {"": make(refine="none", effects=["color:white"])}},
        {"precision": "fp32"},
        {"review": Review(0.01, folder="")},
        {"force": True},
    ],
)
def test_another_recipe_or_precision_or_force_makes_it_again(path, change):
    shelf = Shelf()
    ran(path, [entry("a.png", stamp="1")], shelf)
    assert states(ran(path, [entry("a.png", stamp="1")], shelf, plan(**change))) == {"a.png": "done"}


def test_other_weights_make_it_again(path):
    shelf, load = Shelf(), loading(disc(32, 0.3))
    ran(path, [entry("a.png")], shelf, load=load)
    told = ran(path, [entry("a.png")], shelf, load=lambda name: replace(load(name), sha256="1" * 64))
    assert states(told) == {"a.png": "done"}


def test_a_result_that_was_removed_or_cut_short_is_made_again(path):
    shelf = Shelf()
    ran(path, [entry("a.png", stamp="1"), entry("b.png", stamp="1")], shelf)
    whole = dict(shelf.held)
    del shelf.held["a.png"]
    shelf.held["b.png"] = shelf.held["b.png"][:10]
    assert set(states(ran(path, [entry("a.png", stamp="1"), entry("b.png", stamp="1")], shelf)).values()) == {"done"}
    assert shelf.held == whole


def test_a_file_that_is_not_of_this_batch_is_left_alone(path):
    shelf = Shelf(held={"a.png": b"mine"})
    told = ran(path, [entry("a.jpg"), entry("b.jpg")], shelf)
    assert states(told) == {"a.png": "failed", "b.png": "done"}
    assert "--overwrite" in told["a.png"].error
    assert shelf.held["a.png"] == b"mine"
    assert states(ran(path, [entry("a.jpg")], shelf, plan(overwrite=True, retry_failed=True))) == {"a.png": "done"}


def test_what_fails_is_named_and_the_rest_is_done(path):
    entries = [
        entry("missing.jpg", failing(NotAPicture("missing.jpg does not exist."))),
        entry("broken.png", picture()[:200]),
        entry("empty.png", b""),
        entry("recipe.png", overrides={"effects": "nonsense"}, origin="row 17"),
        entry("outside.png", output="../x.png"),
        entry("sound.png"),
    ]
    told = ran(path, entries, Shelf())
    assert {name for name, one in told.items() if one.state == "done"} == {"sound.png"}
    failed = {one.name: one for one in told.values() if one.state == "failed"}
    assert len(failed) == 5
    assert all(one.error and one.kind and one.exit_code for one in failed.values())
    assert failed["recipe.png"].origin == "row 17"
    assert failed["recipe.png"].kind == "UnknownEffect"
    assert "broken.png" in failed["broken.png"].error


def test_what_is_no_picture_is_skipped_where_it_was_not_asked_for(path):
    loose = entry("notes", b"some words", loose=True)
    told = ran(path, [loose, entry("asked.png", b"some words"), entry("cut.dat", picture()[:99], loose=True)], Shelf())
    assert {one.name: one.state for one in told.values()} == {
        "notes": "skipped", "asked.png": "failed", "cut.dat": "failed",
    }  # fmt: skip
    assert "text" in told["notes"].error


def test_what_failed_is_tried_again_when_asked_or_changed(path):
    shelf, broken = Shelf(), picture()[:200]
    assert states(ran(path, [entry("a.png", broken)], shelf)) == {"a.png": "failed"}
    asked = []
    load = loading(disc(32, 0.3), asked=asked)
    again = ran(path, [entry("a.png", broken)], shelf, load=load)
    assert states(again) == {"a.png": "failed"}
    assert again["a.png"].error
    begun = path.read_text().count('"begun"')
    ran(path, [entry("a.png", broken)], shelf, plan(retry_failed=True))
    assert path.read_text().count('"begun"') == begun + 1
    assert states(ran(path, [entry("a.png")], shelf)) == {"a.png": "done"}


def test_what_could_not_be_read_is_always_tried_again(path):
    gone = entry("a.png", failing(NotAPicture("a.png does not exist.")))
    assert states(ran(path, [gone], Shelf())) == {"a.png": "failed"}
    assert states(ran(path, [entry("a.png")], Shelf())) == {"a.png": "done"}


def test_several_recipes_ask_the_network_once_a_picture(path):
    asked = []
    variants = {
        "white": make(effects=["color:white"], format="jpeg"),
        "blue": make(effects=["color:#0000ff"], format="jpeg"),
        "clear": make(),
    }
    shelf = Shelf()
    told = ran(path, [entry("a.png"), entry("b.png")], shelf, plan(variants=variants),
               loading(disc(32, 0.3), asked=asked))  # fmt: skip
    assert len(asked) == 2
    assert set(told) == {f"{stem}_{end}" for stem in "ab" for end in ("white.jpg", "blue.jpg", "clear.png")}
    assert {one.state for one in told.values()} == {"done"}
    for variant, recipe in variants.items():
        alone = cut(picture(sum(b"a.png")), recipe, load=loading(disc(32, 0.3)))
        name = next(name for name, one in told.items() if (one.name, one.variant) == ("a.png", variant))
        assert shelf.held[name] == encoded(alone)


def test_one_variant_may_fail_without_the_others(path):
    variants = {"hair": make(layer="hair"), "clear": make()}
    told = ran(path, [entry("a.png")], Shelf(), plan(variants=variants))
    assert states(told) == {"a_hair.png": "failed", "a_clear.png": "done"}


def test_an_entry_may_state_its_own_recipe_format_and_picture(path):
    shelf = Shelf()
    entries = [
        entry("a.png", overrides={"format": "webp"}),
        entry("b.png", overrides={"effects": ["behind:picture=sea.png"]}, asset=lambda name: picture(3)),
        entry("c.png", overrides={"effects": ["behind:picture=sea.png"]}),
        entry("d.png", output="named.tif", overrides={"show": "alpha"}),
    ]
    told = ran(path, entries, shelf)
    assert states(told) == {"a.webp": "done", "b.png": "done", "c.png": "failed", "named.tif": "done"}
    assert images.read(shelf.held["b.png"]).alpha is None or images.read(shelf.held["b.png"]).alpha.min() == 255
    assert "sea.png" in told["c.png"].error


def test_results_in_doubt_are_asked_again_and_put_aside(path):
    def load(name):
        sure = name == "u2netp"
        return loading(disc(32, 0.3) if sure else disc(32, 0.3) * 0.75)(name)

    doubted = ran(path, [entry("a.png")], Shelf(), load=load)["a.png"].confidence
    shelf = Shelf()
    told = ran(path.with_name("2"), [entry("a.png")], shelf, plan(review=Review(doubted + 0.01)), load)
    assert told["a.png"].output == "review/a.png"
    assert told["a.png"].reviewed
    assert set(shelf.held) == {"review/a.png"}
    assert states(ran(path.with_name("2"), [entry("a.png")], shelf, plan(review=Review(doubted + 0.01)), load)) == {
        "a.png": "kept"
    }
    wanted = plan(review=Review(doubted + 0.01, "u2netp"))
    told = ran(path.with_name("3"), [entry("a.png")], Shelf(), wanted, load)
    assert (told["a.png"].output, told["a.png"].model, told["a.png"].reviewed) == ("a.png", "u2netp", True)


def test_names_in_the_folder_for_review_are_refused(path):
    told = ran(path, [entry("review/a.png"), entry("a.png")], Shelf(), plan(review=Review(0.0)))
    assert states(told) == {"review/a.png": "failed", "a.png": "done"}


def test_too_many_failures_end_it(path):
    entries = [entry(f"{number}.png", b"x") for number in range(40)]
    with journals.opened(path) as journal:
        batch = Batch(plan(max_errors=3, ahead=2), Shelf(), journal, loading(disc(32, 0.3)))
        told = list(batch.run(Pile(*entries)))
    assert 4 <= len(told) < 40
    assert "3" in batch.reason


def test_a_full_disk_ends_it_and_what_was_written_stays(path):
    shelf = Shelf(room=2)
    with journals.opened(path) as journal:
        batch = Batch(plan(), shelf, journal, loading(disc(32, 0.3)))
        with pytest.raises(NoSpace):
            list(batch.run(Pile(*[entry(f"{number}.png") for number in range(9)])))
    assert len(shelf.held) == 2
    shelf.room = None
    told = ran(path, [entry(f"{number}.png") for number in range(9)], shelf)
    assert sorted(states(told).values()) == ["done"] * 7 + ["kept"] * 2


def test_one_that_cannot_be_written_spoils_no_other(path):
    class Choosy(Shelf):
        def put(self, name, data):
            if name == "a.png":
                raise CannotWrite("a.png cannot be written: the name is too long.")
            super().put(name, data)

    assert states(ran(path, [entry("a.png"), entry("b.png")], Choosy())) == {"a.png": "failed", "b.png": "done"}


def test_weights_that_are_missing_are_told_before_any_work(path):
    def load(name):
        raise NotDownloaded("The weights are not there.")

    entries = [entry("a.png", failing(AssertionError("it was read")))]
    with pytest.raises(NotDownloaded):
        ran(path, entries, Shelf(), load=load)


def test_what_nobody_foresaw_is_not_swallowed(path):
    with pytest.raises(ZeroDivisionError):
        ran(path, [entry("a.png", failing(ZeroDivisionError())), entry("b.png")], Shelf())


def test_a_source_that_cannot_be_listed_is_told(path):
    class Nothing(Pile):
        def __iter__(self):
            yield entry("a.png")
            raise BadInput("The bucket is gone.")

    for endless in (False, True):
        with journals.opened(path) as journal, pytest.raises(BadInput):
            list(Batch(plan(), Shelf(), journal, loading(disc(32, 0.3))).run(Nothing(endless=endless)))


@pytest.mark.parametrize("ahead", [1, 2, 5])
def test_no_more_pictures_are_in_memory_than_the_bound(path, ahead):
    lock, alive, most = threading.Lock(), set(), [0]

    class Slow(Shelf):
        def put(self, name, data):
            super().put(name, data)
            with lock:
                alive.discard(name)

    def counted(name):
        def read():
            with lock:
                alive.add(name)
                most[0] = max(most[0], len(alive))
            return picture(1)

        return read

    entries = [entry(f"{number}.png", counted(f"{number}.png")) for number in range(24)]
    told = ran(path, entries, Slow(), plan(ahead=ahead, workers=4))
    assert set(states(told).values()) == {"done"}
    assert most[0] <= ahead


def test_processors_are_shared_among_workers(monkeypatch):
    monkeypatch.setattr(limits, "_processors", lambda: 8)
    assert Crew.of(plan(workers=0)) == Crew(8, 1, 24)
    assert Crew.of(plan(workers=2)) == Crew(2, 4, 6)
    assert Crew.of(plan(workers=16, ahead=4)) == Crew(4, 2, 4)


def test_each_worker_computes_on_its_share(path):
    seen = []
    load = loading(disc(32, 0.3))

    def asking(name):
        loaded = load(name)

        def network(inputs):
            seen.append(limits.processors())
            return loaded.network(inputs)

        return replace(loaded, network=network)

    ran(path, [entry("a.png"), entry("b.png")], Shelf(), plan(workers=256), asking)
    assert set(seen) == {1}


def test_stopping_leaves_a_journal_that_is_whole(path):
    shelf, load = Shelf(), loading(disc(32, 0.3))
    with journals.opened(path) as journal:
        batch = Batch(plan(ahead=2), shelf, journal, load)
        for number, _ in enumerate(batch.run(Pile(*[entry(f"{number}.png") for number in range(30)]))):
            if number == 3:
                batch.stop("That is enough.")
    made = dict(shelf.held)
    assert 4 <= len(made) < 30
    assert {name for name, one in journals.read(path).items() if one.state == "done"} == set(made)
    told = ran(path, [entry(f"{number}.png") for number in range(30)], shelf)
    assert {name for name, one in told.items() if one.state == "kept"} == set(made)


def test_leaving_early_ends_every_thread(path):
    with journals.opened(path) as journal:
        before = threading.active_count()
        source = Pile(*[entry(f"{number}.png") for number in range(30)], endless=True)
        outcomes = Batch(plan(), Shelf(), journal, loading(disc(32, 0.3))).run(source)
        next(outcomes)
        outcomes.close()
        assert source.closed.wait(60)
        for thread in threading.enumerate():
            if thread.name == "cleancut-close":
                thread.join(60)
        assert threading.active_count() <= before


def test_what_comes_one_by_one_is_done_until_the_source_is_closed(path):
    shelf = Shelf()
    source = Pile(entry("a.png"), entry("b.jpg"), entry("b.png"), endless=True)
    with journals.opened(path) as journal:
        batch = Batch(plan(), shelf, journal, loading(disc(32, 0.3)))
        told = []
        for one in batch.run(source):
            told.append(one.planned)
            if len(told) == 3:
                batch.stop("")
    assert sorted(told) == ["a.png", "b.png", "b.png.png"]
    assert batch.total is None


def test_of_a_picture_that_changes_meanwhile_the_last_state_stays(path):
    first, second = picture(1), picture(2)
    held = threading.Event()

    class Late(Shelf):
        def put(self, name, data):
            if not held.is_set():
                held.set()
                threading.Event().wait(0.2)
            super().put(name, data)

    shelf = Late()
    source = Pile(entry("a.png", first, stamp="1"), entry("a.png", second, stamp="2"), endless=True)
    with journals.opened(path) as journal:
        batch = Batch(plan(), shelf, journal, loading(disc(32, 0.3)))
        for number, _ in enumerate(batch.run(source), 1):
            if number == 2:
                batch.stop("")
    assert shelf.held["a.png"] == encoded(cut(second, plan().variants[""], load=loading(disc(32, 0.3))))


def test_what_was_in_flight_when_a_run_died_comes_last(path):
    order = []

    def noted(name):
        def read():
            order.append(name)
            return picture()

        return read

    with journals.opened(path) as journal:
        journal.begin(["a.png"])
    ran(path, [entry(name, noted(name)) for name in ("a.png", "b.png", "c.png")], Shelf(), plan(ahead=1))
    assert order == ["b.png", "c.png", "a.png"]


def test_the_sink_is_swept_once_and_before_anything_is_put(path):
    shelf = Shelf()
    ran(path, [entry("a.png")], shelf)
    assert shelf.swept == 1
