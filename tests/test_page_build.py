"""The build hook: when npm is asked for the page, and what is said where there is none."""

import importlib.util
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
INDEX = "src/cleancut/apps/web/index.html"
WIDGET = "src/cleancut/apps/notebook/static/widget.js"

NPM = """#!/bin/sh
echo "$@" >> "$ASKED"
[ -z "$FAILS" ] || [ "$1" != "$FAILS" ] || exit 3
[ "$1" = ci ] || [ -n "$WRITES_NOTHING" ] || {
  mkdir -p ../src/cleancut/apps/web/assets
  echo page > ../src/cleancut/apps/web/index.html
  echo script > ../src/cleancut/apps/web/assets/page-abc.js
  mkdir -p ../src/cleancut/apps/notebook/static
  echo widget > ../src/cleancut/apps/notebook/static/widget.js
}
"""


@pytest.fixture(scope="module")
def hook():
    """The module, which is no part of the package."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path):
    """A checkout with the source of a page."""
    root = tmp_path / "checkout"
    (root / "web/src").mkdir(parents=True)
    (root / "web/package.json").write_text("{}")
    (root / "web/src/main.ts").write_text("")
    return root


@pytest.fixture
def environ(tmp_path, monkeypatch):
    """An environment in which npm is a script that notes what it is told."""
    path = tmp_path / "bin/npm"
    path.parent.mkdir()
    path.write_text(NPM)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {"PATH": f"{path.parent}:/usr/bin:/bin", "ASKED": str(tmp_path / "asked")}


def asked(environ):
    """What npm was told."""
    path = Path(environ["ASKED"])
    return path.read_text().splitlines() if path.exists() else []


def built(root, age=0):
    newest = max(path.stat().st_mtime for path in (root / "web").rglob("*")) if (root / "web").exists() else 1e9
    for file in (root / INDEX, root / WIDGET):
        file.parent.mkdir(parents=True)
        file.write_text("earlier")
        os.utime(file, (newest - age, newest - age))


def prepared(hook, root, environ, **more):
    said = []
    hook.prepare(root, environ | more, said.append)
    return said


def test_a_missing_page_is_built(hook, checkout, environ):
    assert prepared(hook, checkout, environ) == []
    assert (checkout / INDEX).read_text() == "page\n"
    assert asked(environ) == ["ci --ignore-scripts --no-audit --no-fund", "run build"]


def test_a_page_older_than_its_source_is_built(hook, checkout, environ):
    built(checkout, age=10)
    assert hook.state(checkout) == "stale"
    assert prepared(hook, checkout, environ) == [] and len(asked(environ)) == 2


def test_what_lacks_its_widget_is_built(hook, checkout, environ):
    built(checkout)
    (checkout / WIDGET).unlink()
    assert hook.state(checkout) == "missing"
    assert prepared(hook, checkout, environ) == [] and (checkout / WIDGET).read_text() == "widget\n"


def test_a_page_that_is_there_is_taken(hook, checkout, environ):
    built(checkout)
    (checkout / "web/src/main.test.ts").write_text("")
    (checkout / "web/node_modules").mkdir()
    (checkout / "web/node_modules/later.js").write_text("")
    assert hook.state(checkout) == "fresh"
    assert prepared(hook, checkout, environ) == [] and not asked(environ)


def test_an_sdist_needs_no_npm(hook, tmp_path):
    built(tmp_path)
    assert prepared(hook, tmp_path, {"PATH": ""}, CLEANCUT_BUILD_PAGE="always") == []


@pytest.mark.parametrize("age", [None, 10])
def test_without_npm_a_line_is_said(hook, checkout, age):
    if age is not None:
        built(checkout, age=age)
    (line,) = prepared(hook, checkout, {"PATH": ""})
    assert "npm is not installed" in line
    assert ("an older one is taken" if age else "the service says how") in line


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"FAILS": "ci"}, "npm ci ended with 3"),
        ({"FAILS": "run"}, "npm run ended with 3"),
        ({"WRITES_NOTHING": "1"}, "wrote nothing"),
    ],
)
def test_a_build_that_fails_is_told_and_a_release_fails_with_it(hook, checkout, environ, more, why):
    (line,) = prepared(hook, checkout, environ, **more)
    assert why in line and "there is none" in line
    with pytest.raises(SystemExit, match=why):
        prepared(hook, checkout, environ, CLEANCUT_BUILD_PAGE="always", **more)


def test_it_can_be_left_out(hook, checkout, environ):
    assert prepared(hook, checkout, environ, CLEANCUT_BUILD_PAGE="never") == [] and not asked(environ)
    with pytest.raises(SystemExit, match="auto, never, always"):
        prepared(hook, checkout, environ, CLEANCUT_BUILD_PAGE="perhaps")


# A project such as ours, built by hatchling


@pytest.fixture
def project(checkout):
    """A small project with our hook and our settings of hatchling."""
    ours = (ROOT / "pyproject.toml").read_text("utf-8")
    begin = ours.index("[tool.hatch.build]")
    hatch = ours[begin : ours.index("[tool.ruff]", begin)]
    head = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
    about = '[project]\nname = "cleancut"\nversion = "1"\n'
    (checkout / "pyproject.toml").write_text(head + about + hatch)
    (checkout / "hatch_build.py").write_text((ROOT / "hatch_build.py").read_text())
    ignored = ("node_modules/", "/src/cleancut/apps/web/", "/src/cleancut/apps/notebook/static/")
    (checkout / ".gitignore").write_text("\n".join(ignored))
    (checkout / "src/cleancut").mkdir(parents=True)
    (checkout / "src/cleancut/__init__.py").write_text("")
    (checkout / "web/node_modules/vite").mkdir(parents=True)
    (checkout / "web/node_modules/vite/large.js").write_text("")
    return checkout


def made(root, kind, into, monkeypatch, environ):
    """Make a wheel or an sdist by hatchling, as a front end without isolation does; give what it holds."""
    from hatchling import build

    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(root)
    into.mkdir(exist_ok=True)
    path = into / getattr(build, f"build_{kind}")(str(into))
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            return path, set(archive.namelist())
    with tarfile.open(path) as archive:
        return path, {name.partition("/")[2] for name in archive.getnames()}


def test_wheel_and_sdist_hold_the_page(project, environ, tmp_path, monkeypatch):
    _, wheel = made(project, "wheel", tmp_path / "out", monkeypatch, environ)
    page = {"cleancut/apps/web/index.html", "cleancut/apps/web/assets/page-abc.js"}
    assert page | {"cleancut/apps/notebook/static/widget.js"} <= wheel
    path, sdist = made(project, "sdist", tmp_path / "out", monkeypatch, environ)
    assert {INDEX, WIDGET, "web/src/main.ts", "hatch_build.py"} <= sdist
    assert not any("node_modules" in name for name in sdist)
    assert len(asked(environ)) == 2
    with tarfile.open(path) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    _, again = made(unpacked, "wheel", tmp_path / "again", monkeypatch, {"PATH": "", "CLEANCUT_BUILD_PAGE": "always"})
    assert again == wheel


def test_a_wheel_without_npm_is_made_without_a_page(project, tmp_path, monkeypatch, capfd):
    _, wheel = made(project, "wheel", tmp_path / "out", monkeypatch, {"PATH": ""})
    assert "cleancut/__init__.py" in wheel and not any("apps/web" in name for name in wheel)
    assert "npm is not installed" in "".join(capfd.readouterr())


def test_an_editable_install_never_needs_npm(project, environ, tmp_path, monkeypatch, capfd):
    made(project, "editable", tmp_path / "out", monkeypatch, environ | {"CLEANCUT_BUILD_PAGE": "always"})
    assert not asked(environ) and "page" not in "".join(capfd.readouterr())
