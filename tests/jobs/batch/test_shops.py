"""The commands of docs/shops.md, run on the tables that it shows."""

import csv
import http.server
import re
import shlex
import threading
from pathlib import Path

import pytest
from PIL import Image

from cleancut.apps.cli import run
from tests.jobs.batch.places import encoded, tree

pytest.importorskip("aiohttp")

TEXT = (Path(__file__).parents[3] / "docs/shops.md").read_text()
HOST = "cdn.shop.example"


def blocks(kind, section):
    """The blocks of a kind in a section, in order."""
    part = TEXT.split(f"## {section}\n")[1].split("\n## ")[0]
    return [block.replace("\\\n", " ") for block in re.findall(rf"```{kind}\n(.*?)```", part, re.DOTALL)]


@pytest.fixture
def shop():
    """A shop's server: every picture but gone.jpg."""

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            data = None if "gone" in self.path else encoded(len(self.path), "JPEG", (80, 60))
            self.send_response(404 if data is None else 200)
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, *_):
            return

    asked = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("section", "given", "size", "pictures"), [("Shopify", "products_export.csv", (2048, 2048), 3),
                                               ("WooCommerce", "wc-product-export.csv", (1200, 1200), 3)]
)  # fmt: skip
def test_a_shops_table_goes_in_and_comes_back(tmp_path, monkeypatch, capsys, shop, section, given, size, pictures):
    monkeypatch.chdir(tmp_path)
    place, asked = shop
    before, after = blocks("csv", section)
    (tmp_path / given).write_text(before.replace(f"https://{HOST}", f"http://{place}"))
    (command,) = blocks("sh", section)
    name, *arguments = shlex.split(command)
    assert name == "cleancut"
    assert run(arguments) == 2
    assert "gone.jpg does not exist" in capsys.readouterr().err
    expected = after.replace(f"https://{HOST}", f"http://{place}").replace(f"/{HOST}/", f"/{place.replace(':', '_')}/")
    table = arguments[arguments.index("--table") + 1]
    assert (tmp_path / table).read_text() == expected
    assert len(asked) == pictures  # one that several rows name is fetched once
    for path in (tmp_path / "cut").rglob("vase*"):
        with Image.open(path) as image:
            assert image.size == size


def test_a_table_of_ones_own_states_what_is_done(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tree(tmp_path, "vase.jpg", "lamp.jpg", data=encoded(3, "JPEG", (80, 60)))
    (table,) = blocks("tsv", "A table of your own")
    (tmp_path / "products.tsv").write_text(table)
    (command,) = blocks("sh", "A table of your own")
    assert run(shlex.split(command)[1:]) == 2
    made = {path.relative_to(tmp_path / "shop").as_posix() for path in (tmp_path / "shop").rglob("*.*")}
    assert made == {"V-1/main.jpg", "V-1/clear.webp", "L-1/main.jpg", ".cleancut.jsonl"}
    with Image.open(tmp_path / "shop/L-1/main.jpg") as image:
        assert (image.size, image.getpixel((0, 0))) == ((800, 800), (244, 244, 244))
    with (tmp_path / "products_done.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [bool(row["cleancut_result"]) for row in rows] == [True, True, True, False]
    assert rows[3]["cleancut_error"] in " ".join(TEXT.split())
