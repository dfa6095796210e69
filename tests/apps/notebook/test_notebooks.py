"""The notebooks of docs/notebooks: kept without outputs, and run from the first cell to the last."""

from __future__ import annotations

import pytest

nbformat = pytest.importorskip("nbformat", reason="nbclient is not installed")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")

from cleancut.apps.notebook import built  # noqa: E402
from tests.apps.notebook.jupyter import ROOT, places  # noqa: E402

NOTEBOOKS = sorted((ROOT / "docs/notebooks").glob("*.ipynb"))
TIMEOUT = 300
"""Seconds for a cell; a machine may be many times slower than it looks."""

STUB = "export default { render() {} }"


def test_there_are_some():
    assert {path.stem for path in NOTEBOOKS} == {"batch", "compare", "quickstart"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_kept_without_outputs(path):
    kept = nbformat.read(path, as_version=4)
    nbformat.validate(kept)
    assert kept.metadata.kernelspec.name == "python3" and "widgets" not in kept.metadata
    code = [cell for cell in kept.cells if cell.cell_type == "code"]
    assert code and not any(cell.outputs or cell.execution_count for cell in code)
    assert not any(word in path.read_text("utf-8") for word in ("/home/", "/work/", "/root/"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path, tmp_path, monkeypatch):
    kept = nbformat.read(path, as_version=4)
    if not (built.STATIC / "widget.js").exists():  # there is no browser here to want more of it
        (tmp_path / "widget.js").write_text(STUB)
        (tmp_path / "widget.css").write_text("")
        code = (
            f"import pathlib\nfrom cleancut.apps.notebook import built\nbuilt.STATIC = pathlib.Path({str(tmp_path)!r})"
        )
        kept.cells.insert(0, nbformat.v4.new_code_cell(code))
    environ = places(tmp_path)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    client = nbclient.NotebookClient(
        kept, timeout=TIMEOUT, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute(env=environ)
    outputs = [output for cell in kept.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    if path.stem == "quickstart":
        assert any("application/vnd.jupyter.widget-view+json" in output.get("data", {}) for output in outputs)
