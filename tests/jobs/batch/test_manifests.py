import csv
import json

import pytest

from cleancut.errors import BadInput, BadRecipe, CannotWrite, TooBig, UnknownPreset
from cleancut.jobs.batch.manifests import Manifest, Reading
from cleancut.jobs.batch.remote import Network
from cleancut.jobs.batch.returned import Returned, give_back
from cleancut.jobs.batch.tables import read_table
from cleancut.limits import SourceLimits
from cleancut.matting import recipe as recipes
from tests.jobs.batch.places import content, done, encoded, rows_of, tree

NETWORK = Network()
ROWS = [
    {"path": "x.png", "output": "white.jpg", "effects": "trim; color:white", "format": "jpeg", "sku": "1"},
    {"path": "x.png", "output": "clear.png", "effects": "", "format": "", "sku": "2"},
    {"path": "y.png", "output": "", "effects": '["blur:radius=3"]', "format": "webp", "sku": "3"},
]


def write_csv(path, rows, delimiter=",", encoding="utf-8"):
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, rows[0], delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_json(path, rows):
    path.write_text(json.dumps([{k: v for k, v in row.items() if v} for row in rows]))
    return path


def write_jsonl(path, rows):
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def write_parquet(path, rows):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.Table.from_pylist(rows), path)
    return path


WAYS = {
    ".csv": write_csv,
    ".json": write_json,
    ".jsonl": write_jsonl,
    ".ndjson": write_jsonl,
    ".parquet": write_parquet,
}


def opened(path, **reading):
    return Manifest(path, Reading(**reading), NETWORK)


@pytest.mark.parametrize("ending", WAYS)
def test_rows_name_pictures_and_state_recipes(tmp_path, ending):
    tree(tmp_path, "x.png", "y.png")
    manifest = opened(WAYS[ending](tmp_path / f"in{ending}", ROWS))
    first, second, third = manifest
    assert [content(entry) for entry in (first, second, third)] == [encoded(0), encoded(0), encoded(1)]
    assert (first.output, second.output, third.output) == ("white.jpg", "clear.png", None)
    made = recipes.make(**first.overrides)
    assert [step.name for step in made.effects] == ["trim", "color"]
    assert made.format == "jpeg"
    assert [step.name for step in recipes.make(**third.overrides).effects] == ["blur"]
    assert second.overrides == {}
    assert manifest.unknown == ("sku",)
    assert first.name != second.name  # one picture, two results


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_cells_are_parted_as_the_header_is(tmp_path, delimiter):
    write_csv(tmp_path / "in.csv", [{"path": "x, y; z.png", "note": "a;b,c"}], delimiter)
    (entry,) = opened(tmp_path / "in.csv")
    assert entry.name == "x, y; z.png"


def test_a_byte_order_mark_and_names_that_are_no_utf_8_come_through(tmp_path):
    (tmp_path / "in.csv").write_bytes(b"\xef\xbb\xbfpath\ncaf\xe9.png\n")
    (entry,) = opened(tmp_path / "in.csv")
    assert entry.name == "caf\udce9.png"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"effects": "blurr"}, "did you mean blur"),
        ({"effects": "fit:width=0,height=5"}, "width"),
        ({"effects": "[broken"}, "not JSON"),
        ({"format": "bmp"}, "format"),
        ({"recipe": "{"}, "recipe is not JSON"),
        ({"recipe": "[1]"}, "must be an object"),
        ({"recipe": '{"paint": 1}'}, "has no 'paint'"),
        ({"preset": "amazn"}, "did you mean amazon"),
        ({"output": "../x.png"}, "leads out"),
        ({"path": "../x.png"}, "lies outside"),
        ({"path": "", "format": "png"}, "names no picture"),
        ({"path": "ftp://host/x.png"}, "must begin with"),
    ],
)
def test_a_row_with_a_mistake_is_named_by_its_number_and_the_rest_is_done(tmp_path, row, message):
    tree(tmp_path, "x.png")
    columns = ("path", "effects", "format", "recipe", "preset", "output")
    rows = [dict.fromkeys(columns, "") | {"path": "x.png"} for _ in range(18)]
    rows[15] |= row  # the header is row 1, as in a spreadsheet
    entries = list(opened(write_csv(tmp_path / "in.csv", rows)))
    assert len(entries) == 2
    assert entries[1].origin == "row 17"
    told = str(content(entries[1]))
    assert told.startswith("Row 17: ")
    assert message in told


def test_failures_keep_their_class(tmp_path):
    entries = list(
        opened(write_csv(tmp_path / "in.csv", [{"path": "x", "preset": "nothing"}, {"path": "x", "preset": ""}]))
    )
    assert isinstance(content(entries[0]), UnknownPreset)
    write_jsonl(tmp_path / "in.jsonl", [{"path": "x.png", "quality": 400}, {"path": ["x.png", 3]}, {"path": 7}])
    assert [type(content(entry)) for entry in opened(tmp_path / "in.jsonl")][1:] == [BadInput, BadInput]
    assert issubclass(type(content(next(iter(opened(tmp_path / "in.jsonl"))))), BadRecipe)


def test_lines_that_cannot_be_read_are_rows_that_fail(tmp_path):
    (tmp_path / "in.csv").write_text('path,a\nx.png,1\ny.png,2,3,4\n"z.png"oops,1\nw.png,5\n')
    entries = list(opened(tmp_path / "in.csv"))
    assert [entry.name for entry in entries] == ["x.png", "row-3", "row-4", "w.png"]
    assert "4 cells" in str(content(entries[1]))
    (tmp_path / "in.jsonl").write_text('{"path": "x.png"}\n{"path": \n[1]\n\n{"path": "y.png"}')
    entries = list(opened(tmp_path / "in.jsonl"))
    assert [entry.name for entry in entries] == ["x.png", "row-2", "row-3", "y.png"]


def test_a_quote_that_is_never_closed_is_told(tmp_path):
    (tmp_path / "in.csv").write_text('path\nx.png\n"y.png\nz.png\n')
    entries = list(opened(tmp_path / "in.csv"))
    assert [entry.name for entry in entries] == ["x.png", "row-3"]
    assert isinstance(content(entries[1]), BadInput)


@pytest.mark.parametrize(
    ("name", "data"),
    [("in.csv", b""), ("in.csv", b"\n"), ("in.csv", b"a,a\n1,2"), ("in.csv", b"sku\n1"), ("in.csv", b"\xff\xfep\0a\0"),
     ("in.json", b"{}"), ("in.json", b"["), ("in.json", b"[" * 100_000), ("in.json", b"\xff"), ("in.parquet", b"PAR1"),
     ("in.parquet", b""), ("in.xlsx", b"PK")],
)  # fmt: skip
def test_a_table_that_cannot_be_read_at_all_is_said(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BadInput):
        opened(tmp_path / name)


def test_rows_and_bytes_are_limited(tmp_path):
    path = write_csv(tmp_path / "in.csv", [{"path": f"{n}.png"} for n in range(5)])
    with pytest.raises(TooBig, match="more than 4 rows"):
        read_table(path, SourceLimits(max_entries=4))
    with pytest.raises(TooBig, match="MB"):
        read_table(path, SourceLimits(max_table=10))
    parquet = write_parquet(tmp_path / "in.parquet", [{"path": "x" * 1_000} for _ in range(50)])
    with pytest.raises(TooBig):
        read_table(parquet, SourceLimits(max_table=10))


def test_the_column_may_be_named_and_must_be_there(tmp_path):
    path = write_csv(tmp_path / "in.csv", [{"Image Src": "x.png", "format": "png"}])
    with pytest.raises(BadInput, match="--column"):
        opened(path)
    with pytest.raises(BadInput, match="has no column 'Bild'"):
        opened(path, column="Bild")
    (entry,) = opened(path, column="Image Src", plain=True)
    assert (entry.name, entry.overrides) == ("x.png", {})
    more = write_csv(tmp_path / "more.csv", [{"Image Src": "", "sku": "1"}, {"Image Src": "x.png", "sku": "2"}])
    assert [entry.name for entry in opened(more, column="Image Src", plain=True)] == ["x.png"]
    (upper,) = opened(write_csv(tmp_path / "upper.csv", [{"URL": "https://shop.example/x.png"}]))
    assert upper.name == "shop.example/x.png"


def test_a_cell_may_name_several_pictures_and_one_picture_is_cut_once(tmp_path):
    tree(tmp_path, "x.png", "y.png")
    path = write_csv(tmp_path / "in.csv", [{"Images": "x.png, y.png"}, {"Images": "y.png"}, {"Images": "x.png,,"}])
    manifest = opened(path, column="Images", separator=",")
    assert [entry.name for entry in manifest] == ["x.png", "y.png"]
    assert [line.pictures for line in manifest.lines()] == [("x.png", "y.png"), ("y.png",), ("x.png",)]


def test_pictures_that_rows_need_come_from_the_same_folder(tmp_path):
    tree(tmp_path, "in/x.png", "in/bg.png", "far/secret.png")
    rows = [
        {"path": "x.png", "effects": "behind:picture=bg.png"},
        {"path": "x.png", "effects": "behind:picture=../far/secret.png"},
    ]
    good, bad = opened(write_csv(tmp_path / "in/in.csv", rows))
    assert good.asset("bg.png").read_bytes() == encoded(1)
    with pytest.raises(BadInput, match="lies outside"):
        bad.asset("../far/secret.png")


def test_a_preset_in_a_row_is_overruled_by_the_row(tmp_path):
    rows = [{"path": "x.png", "preset": "amazon", "recipe": '{"format": "png", "quality": 50}', "quality": "60"}]
    (entry,) = opened(write_csv(tmp_path / "in.csv", rows))
    made = recipes.make(**entry.overrides)
    assert (made.format, made.quality, made.effects[1].name) == ("png", 60, "fit")


OUTCOMES = [
    done("x.png", "x.png", confidence=0.8),
    done(
        "y.png",
        "a b.png",
        state="failed",
        error="=cmd() is not a picture.",
        kind="NotAPicture",
        box=None,
        confidence=None,
    ),
]


@pytest.mark.parametrize("ending", WAYS)
def test_a_table_comes_back_with_what_became_of_its_pictures(tmp_path, ending):
    tree(tmp_path, "x.png", "y.png")
    path = WAYS[ending](tmp_path / f"in{ending}", [{"path": "x.png", "sku": "ä"}, {"path": "y.png", "sku": "2"}])
    out = tmp_path / f"out{ending}"
    give_back(opened(path), OUTCOMES, Returned(out), lambda name: f"/out/{name}")
    first, second = (row.cells for row in read_table(out, NETWORK.limits).rows())
    assert (first["sku"], first["cleancut_result"]) == ("ä", "/out/x.png")
    assert float(first["cleancut_confidence"]) == 0.8
    assert json.loads(first["cleancut_box"]) == [1, 2, 20, 28]
    assert second["cleancut_error"] == "'=cmd() is not a picture."
    assert not second.get("cleancut_result")


def test_variants_have_columns_of_their_own(tmp_path):
    tree(tmp_path, "x.png")
    path = write_jsonl(tmp_path / "in.jsonl", [{"path": "x.png"}])
    told = [done("x.png", f"x_{variant}.png", variant=variant) for variant in ("white", "clear")]
    give_back(opened(path), told, Returned(tmp_path / "out.jsonl"), str)
    (row,) = rows_of(tmp_path / "out.jsonl")
    assert (row["cleancut_result_white"], row["cleancut_result_clear"]) == ("x_white.png", "x_clear.png")


def test_results_take_the_place_of_pictures_where_all_of_a_row_were_made(tmp_path):
    rows = [{"Id": "1", "Images": "x.png"}, {"Id": "2", "Images": "x.png, y.png"}]
    (tmp_path / "in.csv").write_bytes(b"\xef\xbb\xbf" + write_csv(tmp_path / "plain.csv", rows).read_bytes())
    manifest = opened(tmp_path / "in.csv", column="Images", separator=",")
    wanted = Returned(tmp_path / "out.csv", replace=True, address="https://cdn.example/cut/")
    give_back(manifest, OUTCOMES, wanted, str)
    told = (tmp_path / "out.csv").read_bytes()
    assert told.startswith(b"\xef\xbb\xbfId,Images\r\n")
    assert [row.cells["Images"] for row in read_table(tmp_path / "out.csv", NETWORK.limits).rows()] == [
        "https://cdn.example/cut/x.png", "x.png, y.png"
    ]  # fmt: skip
    made = [OUTCOMES[0], done("y.png", "a b.png")]
    give_back(manifest, made, wanted, str, overwrite=True)
    assert b'"https://cdn.example/cut/x.png, https://cdn.example/cut/a%20b.png"' in (tmp_path / "out.csv").read_bytes()
    with pytest.raises(CannotWrite):
        give_back(manifest, made, wanted, str)


def test_tables_that_descriptions_make_long_are_read(tmp_path):
    write_csv(tmp_path / "in.csv", [{"path": "x.png", "Body (HTML)": "<p>\n" * 100_000}])
    (entry,) = opened(tmp_path / "in.csv")
    assert entry.name == "x.png"
