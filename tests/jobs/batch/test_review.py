import pytest

from cleancut.apps.cli import run
from cleancut.errors import BadInput, BadSetting
from cleancut.jobs.batch.review import review
from tests.jobs.batch.places import encoded, rows_of, tree


def test_where_results_for_review_go():
    assert review(0.8).folder == "review"
    assert review(0.8, "u2netp").folder == ""
    assert review(0.8, "u2netp", "by-hand/./later").folder == "by-hand/later"
    assert review(0.8, None, "").folder == ""


@pytest.mark.parametrize(("below", "folder"), [(1.5, None), (-0.1, None), (float("nan"), None), (0.5, ".hidden")])
def test_what_does_not_fit_is_said(below, folder):
    with pytest.raises(BadSetting):
        review(below, None, folder)


def test_a_folder_for_review_lies_in_the_tree():
    with pytest.raises(BadInput, match="leads out"):
        review(0.5, None, "../elsewhere")


def test_results_of_low_confidence_go_to_the_folder_in_the_same_tree(tmp_path):
    tree(tmp_path / "in", "a/x.png", "y.png")
    assert run(["batch", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--review", "1"]) == 0
    made = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png"))
    assert made == ["review/a/x.png", "review/y.png"]
    assert run(["batch", str(tmp_path / "in"), "-o", str(tmp_path / "low"), "--review", "0"]) == 0
    assert (tmp_path / "low/a/x.png").exists()


def test_a_second_model_is_asked_below_and_the_better_answer_stays(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/x.png").write_bytes(encoded(size=(64, 64)))
    command = ["batch", str(tmp_path / "in"), "--review-model", "key:color=black"]
    assert run([*command, "-o", str(tmp_path / "never"), "--review", "0"]) == 0
    assert run([*command, "-o", str(tmp_path / "always"), "--review", "1", "--review-folder", "look"]) == 0
    never, always = (
        next(line for line in rows_of(tmp_path / folder / ".cleancut.jsonl") if line.get("name") == "x.png")
        for folder in ("never", "always")
    )
    assert not never.get("reviewed")
    assert always["reviewed"]
    assert always["confidence"] >= never["confidence"]
    assert always["output"] in {"x.png", "look/x.png"}


def test_a_model_for_review_needs_a_confidence(tmp_path, capsys):
    tree(tmp_path / "in", "x.png")
    assert run(["batch", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--review-model", "u2netp"]) == 2
    assert "--review 0.8" in capsys.readouterr().err
