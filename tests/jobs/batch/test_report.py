import re
from html.parser import HTMLParser

import pytest

from cleancut.errors import CannotWrite, NotFound
from cleancut.jobs.batch.nouns import Outcome, Review
from cleancut.jobs.batch.report import LOWEST, NAMED, SAMPLE, Told, page, shown_of, write_report
from tests.jobs.batch.places import done, encoded


class Kept:
    """Results by name; counts what is read back."""

    def __init__(self, files=None, any=None):
        self.files, self.any, self.asked = files or {}, any, []

    def get(self, name):
        self.asked.append(name)
        data = self.files.get(name, self.any)
        if data is None:
            raise NotFound(f"There is no {name}.")
        return data


class Read(HTMLParser):
    """What a page holds: tags that are open, addresses, words."""

    EMPTY = ("meta", "img")

    def __init__(self, text):
        super().__init__()
        self.open, self.addresses, self.words, self.captions = [], [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.addresses += [value for name, value in attrs if name in {"src", "href", "action", "data"}]
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data
        if self.open and self.open[-1] == "figcaption":
            self.captions.append(data)


def failed(name, kind="NotAPicture", error="is not a picture", **more):
    return Outcome(name, "", "failed", error=f"{name} {error}.", kind=kind, exit_code=2, **more)


def test_the_lowest_confidence_comes_first_and_failures_before_all():
    outcomes = [done("a", "a.png", confidence=0.9), failed("broken.png"), done("b", "b.png", confidence=0.2),
                done("c", "c.png", confidence=0.5, state="kept")]  # fmt: skip
    found = Read(page(outcomes, Kept(any=encoded(alpha=True)), Told(review=Review(0.4))))
    assert [caption.split(" · ")[:2] for caption in found.captions] == [
        ["0.20", "b.png"],
        ["0.50", "c.png"],
        ["0.90", "a.png"],
    ]
    assert found.words.index("broken.png is not a picture.") < found.words.index("What became of them")
    assert found.open == []
    assert all(address.startswith("data:image/jpeg;base64,") for address in found.addresses)
    assert len(found.addresses) == 3
    assert "reviewed, below 0.4" in found.words


def test_a_model_has_figures_of_its_own():
    outcomes = [done(f"{n}", f"{n}.png", model="one", confidence=n / 10, seconds=n) for n in range(1, 6)]
    outcomes += [done("x", "x.png", model="two", confidence=None, seconds=0.0, state="kept", box=None)]
    text = page(outcomes, Kept(any=encoded()), Told())
    one, two = (re.search(rf"<tr><td>{name}</td>(.*?)</tr>", text)[1] for name in ("one", "two"))
    assert re.findall("<td>(.*?)</td>", one) == ["5", "0.300", "0.300", "0.100", "3.00", "5.00"]
    assert re.findall("<td>(.*?)</td>", two) == ["1", "", "", "", "", ""]


def test_hostile_names_do_nothing():
    evil = '<script>alert(1)</script>"onload="x'
    outcomes = [done(evil, f"{evil}.png", model=evil), failed(evil, kind=evil), failed("caf\udce9\x1b[2J")]
    outcomes += [Outcome(f"s{evil}", evil, "skipped", error=evil)]
    text = page(outcomes, Kept(any=encoded()), Told(title=evil, words=(evil,)))
    found = Read(text)
    assert "<script" not in text.replace("&lt;script", "")
    assert found.words.count("<script>") >= 5
    text.encode()
    assert "\x1b" not in text


def test_a_result_that_cannot_be_read_is_named_and_the_rest_is_shown():
    outcomes = [done("a", "a.png", confidence=0.1), done("b", "b.png"), done("c", "c.png")]
    found = Read(page(outcomes, Kept({"b.png": encoded(), "c.png": b"no picture"}), Told()))
    assert len(found.addresses) == 1
    assert "There is no a.png." in found.words


def test_forty_thousand_pictures_make_a_page_of_bounded_size():
    outcomes = [done(f"{n}", f"{n}.png", confidence=n % 1000 / 1000) for n in range(38_000)]
    outcomes += [failed(f"bad-{n}.png", error="is damaged " * 200) for n in range(2_000)]
    kept = Kept(any=encoded(size=(200, 200)))
    text = page(outcomes, kept, Told())
    assert len(text) < 5_000_000
    assert len(kept.asked) == LOWEST + SAMPLE
    assert "2,000 failed" in text
    assert f"These are the first {NAMED:,}" in text
    assert f"{SAMPLE:,} of the other {38_000 - LOWEST:,}, evenly by confidence" in text


@pytest.mark.parametrize("count", [0, 1, LOWEST, LOWEST + 1, LOWEST + SAMPLE, LOWEST + SAMPLE + 1, 5_000])
def test_a_sample_is_even_and_repeats_nothing(count):
    made = [done(f"{n}", f"{n}.png") for n in range(count)]
    low, rest = shown_of(made)
    assert list(low) == made[:LOWEST]
    assert len({one.name for one in (*low, *rest)}) == min(count, LOWEST + SAMPLE)
    if count > LOWEST + SAMPLE:
        assert (rest[0], rest[-1]) == (made[LOWEST], made[-1])


def test_an_empty_batch_has_a_report():
    found = Read(page([], Kept(), Told()))
    assert found.open == []
    assert "0 results of 0 files" in found.words


def test_a_report_is_written_whole_and_replaces_only_on_demand(tmp_path):
    path = tmp_path / "report.html"
    write_report(path, [done("a", "a.png")], Kept(any=encoded()))
    assert path.read_text().endswith("</html>\n")
    with pytest.raises(CannotWrite):
        write_report(path, [], Kept(), overwrite=False)
    assert [found.name for found in tmp_path.iterdir()] == ["report.html"]
