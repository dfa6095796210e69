"""Names of results: mirrored, never two alike, the same in every run."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleancut.errors import BadSetting
from cleancut.jobs.batch.naming import Names
from cleancut.jobs.batch.nouns import Entry

ONE = {"": None}


def entry(name, output=None):
    return Entry(name, bytes, output=output)


def outputs(names, pattern="", formats=ONE, past=None):
    entries = [name if isinstance(name, Entry) else entry(name) for name in names]
    return [named.outputs.get(next(iter(formats))) for named in Names(pattern, formats, past).claim(entries)]


def failures(names, **more):
    entries = [name if isinstance(name, Entry) else entry(name) for name in names]
    return [str(named.failure or "") for named in Names("", ONE, **more).claim(entries)]


def test_the_tree_is_mirrored_and_nothing_collides():
    assert outputs(["a/x.png", "b/x.png", "x.jpg", "y.jpg"]) == ["a/x.png", "b/x.png", "x.png", "y.png"]
    assert outputs(["x.jpg", "x.png", "X.gif"]) == ["x.jpg.png", "x.png.png", "X.gif.png"]
    assert outputs(["x.jpg", "x.png", "x.jpg.png"]) == ["x.jpg-2.png", "x.png.png", "x.jpg.png"]


def test_accents_in_two_spellings_are_one_name():
    assert outputs(["caf\u00e9.jpg", "cafe\u0301.png"]) == ["caf\u00e9.jpg.png", "cafe\u0301.png.png"]


@pytest.mark.parametrize(
    ("pattern", "result"),
    [
        ("{stem}_no_bg.{ext}", "shoes/left_no_bg.jpg"),
        ("{name}.{ext}", "shoes/left.tif.jpg"),
        ("./{stem}.{ext}", "left.jpg"),
        ("{folder}/cut/{stem}.{ext}", "shoes/cut/left.jpg"),
        ("./{index:04}.{ext}", "0001.jpg"),
        ("all/{variant}/{stem}.webp", "all/left.webp"),
    ],
)
def test_patterns(pattern, result):
    assert outputs(["shoes/left.tif"], pattern, {"": "jpeg"}) == [result]


@pytest.mark.parametrize(
    "pattern", ["{x}", "{", "{stem.__class__}", "{stem[0]}", "{0}", "{stem!r}", "{stem:>999999999}"]
)
def test_a_pattern_that_is_none_is_told(pattern):
    with pytest.raises(BadSetting, match=r"\{folder\}"):
        Names(pattern, ONE)


def test_variants_are_told_apart():
    named = Names("", {"white": "jpeg", "clear": None}).claim([entry("a.jpg"), entry("b.jpg", "out/b.png")])
    assert dict(named[0].outputs) == {"white": "a_white.jpg", "clear": "a_clear.png"}
    assert dict(named[1].outputs) == {"white": "out/b_white.png", "clear": "out/b_clear.png"}
    with pytest.raises(BadSetting, match="alike"):
        Names("{stem}.{ext}", {"white": None, "clear": None})


def test_an_output_that_two_state_is_told_of_the_second():
    told = failures([entry("a.jpg", "out.png"), entry("b.jpg", "OUT.png"), entry("c.jpg", "c.png")])
    assert told[0] == told[2] == ""
    assert "b.jpg" in told[1]
    assert "a.jpg" in told[1]


def test_one_picture_may_have_two_outputs_and_comes_once_otherwise():
    assert failures([entry("a.jpg", "white.png"), entry("a.jpg", "blue.png")]) == ["", ""]
    assert "twice" in failures(["a.jpg", "a.jpg"])[1]
    assert "already" in failures([entry("a.jpg", "out.png"), entry("a.jpg", "out.png")])[1]


@pytest.mark.parametrize(
    "name", ["/etc/x.png", "../x.png", "a/../../x.png", "c:x.png", "x\0.png", "", ".cleancut.jsonl"]
)
def test_no_output_leads_out_of_the_tree_or_over_our_files(name):
    assert failures([entry("a.jpg", name)]) != [""]


@pytest.mark.parametrize("name", ["../x.jpg", "/x.jpg", "a//b.jpg", "./x.jpg"])
def test_a_source_that_breaks_the_rule_of_names_fails_alone(name):
    told = failures([name, "good.jpg"])
    assert told[0]
    assert not told[1]


def test_names_of_an_earlier_run_stay():
    past = {("a.jpg", ""): "a.png"}
    assert outputs(["a.jpg", "a.webp"], past=past) == ["a.png", "a.webp.png"]
    assert outputs(["a.webp"], past=past) == ["a.webp.png"]  # the name of what is gone is not given to another
    assert outputs(["a.jpg", "a.webp"], past={("a.jpg", ""): "a.jpg.png"}) == ["a.jpg.png", "a.webp.png"]


def test_a_name_of_another_pattern_does_not_stay():
    assert outputs(["a.jpg"], "{stem}_cut.{ext}", past={("a.jpg", ""): "a.png"}) == ["a_cut.png"]
    assert outputs(["b.jpg"], "./{index}.{ext}", past={("a.jpg", ""): "1.png"}) == ["1.png"]


def test_what_comes_one_by_one_is_named_one_by_one():
    names = Names("", ONE)
    assert [names.claim([entry(name)])[0].outputs[""] for name in ("a.jpg", "a.png", "a.jpg")] == [
        "a.png",
        "a.png.png",
        "a.png",
    ]


NAME = st.from_regex(r"(a/|b/)?[xX]{1,2}(\.jpg|\.png|\.jpg\.png)?", fullmatch=True)


@settings(max_examples=40, deadline=None)
@given(st.lists(NAME, unique=True, max_size=12), st.randoms())
def test_no_two_are_alike_and_order_does_not_matter_to_a_second_run(names, random):
    first = dict(zip(names, outputs(names), strict=True))
    given_names = [name for name in first.values() if name]
    assert len({name.casefold() for name in given_names}) == len(given_names)
    assert len(given_names) == len(names)
    shuffled = random.sample(names, len(names))
    again = dict(zip(shuffled, outputs(shuffled, past={(n, ""): o for n, o in first.items()}), strict=True))
    assert again == first
