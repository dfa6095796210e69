"""A real Jupyter server in folders of its own, and notebooks for it."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[3]
TOKEN = "secret"
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}

_QUIET = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
_STARTED = 120
_ENDED = 20


@dataclass(frozen=True, slots=True)
class Jupyter:
    """A server that runs.

    Attributes:
        address: without a slash at its end.
        folder: where its notebooks lie.
    """

    address: str
    folder: Path

    def notebook(self, name: str, *cells: str) -> str:
        """Write a notebook of code; give its name."""
        made = nbformat.v4.new_notebook(metadata=KERNEL)
        made.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
        nbformat.write(made, self.folder / name)
        return name

    def lab(self, name: str) -> str:
        """Give the address of a notebook in JupyterLab."""
        return f"{self.address}/lab/tree/{name}?token={TOKEN}"

    def classic(self, name: str) -> str:
        """Give the address of a notebook in Notebook 7."""
        return f"{self.address}/notebooks/{name}?token={TOKEN}"

    def ready(self, name: str) -> bool:
        """Tell whether the kernel of a notebook is idle, and some page listens to it."""
        with urllib.request.urlopen(f"{self.address}/api/sessions?token={TOKEN}", timeout=_STARTED) as answer:
            kernels = [session["kernel"] for session in json.load(answer) if session["path"] == name]
        return any(kernel["execution_state"] == "idle" and kernel["connections"] for kernel in kernels)


def places(home: Path) -> dict[str, str]:
    """Give an environment in which Jupyter sees nothing of whoever runs the tests."""
    config = home / "config"
    (config / "labconfig").mkdir(parents=True, exist_ok=True)
    (config / "labconfig/page_config.json").write_text(json.dumps(_QUIET))
    own = {
        "HOME": home, "JUPYTER_CONFIG_DIR": config, "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "run",
        "JUPYTERLAB_SETTINGS_DIR": home / "settings", "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
        "IPYTHONDIR": home / "ipython", "MPLCONFIGDIR": home / "mpl", "XDG_CACHE_HOME": home / "cache",
        "PYTHONPATH": ROOT / "src", "OMP_NUM_THREADS": "1", "JUPYTER_PLATFORM_DIRS": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }  # fmt: skip
    return os.environ | {name: str(value) for name, value in own.items()}


@contextmanager
def serving(home: Path) -> Iterator[Jupyter]:
    """Start JupyterLab, which serves Notebook 7 too, on a free port."""
    folder = home / "notebooks"
    folder.mkdir(parents=True)
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port=0", f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}",
        "--LabApp.extension_manager=readonly", "--LabApp.news_url=None",
    ]  # fmt: skip
    process = subprocess.Popen(
        command, env=places(home), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder
    )
    lines: queue.Queue[str] = queue.Queue()
    assert process.stdout is not None
    reader = threading.Thread(target=lambda: [lines.put(line) for line in process.stdout], daemon=True)
    reader.start()
    try:
        yield Jupyter(_address(lines), folder)
    finally:
        process.terminate()
        try:
            process.wait(_ENDED)
        except subprocess.TimeoutExpired:  # it waits for a kernel that was starting just then; kernels end without it
            process.kill()
            process.wait()
        reader.join(10)
        process.stdout.close()


def _address(lines: queue.Queue[str]) -> str:
    seen = []
    while True:
        try:
            seen.append(lines.get(timeout=_STARTED))
        except queue.Empty:
            raise AssertionError("".join(seen)) from None
        found = seen[-1].find("http://127.0.0.1:")
        if found >= 0 and "/lab?" in seen[-1]:
            return seen[-1][found:].partition("/lab?")[0]
