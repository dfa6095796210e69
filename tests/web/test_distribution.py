"""cleancut-browser: what it carries is what the page asks for, and it is never built without it."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "browser" / "src" / "cleancut_browser"


def loaded(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def package(tmp_path):
    """The package as a wheel would have it, but for the files."""
    copy = tmp_path / "__init__.py"
    copy.write_text((PACKAGE / "__init__.py").read_text())
    return loaded(copy, "cleancut_browser_copy")


def test_it_carries_what_the_page_asks_for(package):
    listed = (ROOT / "web" / "src" / "local" / "runtime.ts").read_text()
    assert sorted(package.FILES) == sorted(re.findall(r'"(ort[^"]+)"', listed))


def test_it_gives_its_folder_once_every_file_is_there(package, tmp_path):
    for name in package.FILES:
        with pytest.raises(FileNotFoundError, match="cleancut-browser"):
            package.folder()
        (tmp_path / name).write_bytes(b"")
    assert package.folder() == tmp_path
    assert [path.name for path in package.files()] == list(package.FILES)


def test_the_build_takes_files_of_a_checkout_or_of_the_sdist_and_fails_without(package, tmp_path):
    hook = pytest.importorskip("hatchling") and loaded(ROOT / "browser" / "hatch_build.py", "hatch_build_copy")
    root = tmp_path / "browser"
    (root / hook.PACKAGE).mkdir(parents=True)
    (root / hook.PACKAGE / "__init__.py").write_text((PACKAGE / "__init__.py").read_text())
    assert hook.named(root) == package.FILES
    name = package.FILES[0]
    with pytest.raises(FileNotFoundError, match="npm"):
        hook.found(root, name)
    (root / hook.PACKAGE / name).write_bytes(b"")
    assert hook.found(root, name).parent == root / hook.PACKAGE
    (tmp_path / hook.BUILT).mkdir(parents=True)
    (tmp_path / hook.BUILT / name).write_bytes(b"")
    assert hook.found(root, name).parent == tmp_path / hook.BUILT


def test_the_licences_are_told():
    told = (PACKAGE / "LICENSES.txt").read_text()
    assert "Microsoft Corporation" in told
    assert "Permission is hereby granted" in told
