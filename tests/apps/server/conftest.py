"""Services that really listen, on a port that is free: with a network that is a function, and with the embedded one."""

import io
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from tempfile import TemporaryDirectory

import httpx
import pytest
from PIL import Image

from cleancut.apps.scene import scene
from cleancut.apps.server import running
from cleancut.apps.server.app import assembled
from cleancut.apps.server.settings import read_settings
from cleancut.limits import ServiceLimits
from tests.stubs import disc, loading

SECONDS = 20
"""How long a test waits for anything before it fails."""


class Client(httpx.Client):
    """Asks one service; `app` and `service` are the ones that answer."""

    def __init__(self, app, base_url):
        super().__init__(base_url=base_url, timeout=SECONDS, trust_env=False)
        self.app = app
        self.service = app.state.service


@contextmanager
def serving(load=None, limits=None, **settings):
    """Serve in a thread as long as the context lasts; give a client."""
    with TemporaryDirectory(prefix="cleancut-spool-") as spool:
        settings = {"spool": f"{spool}/jobs"} | settings
        with _serving(load, read_settings(limits=ServiceLimits(**(limits or {})), port=0, **settings)) as client:
            yield client


@contextmanager
def _serving(load, settings):
    app = assembled(settings, load)
    listener = running.listening(settings.host, 0)
    server = running.server(app, settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        with Client(app, running.address(listener)) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(SECONDS)
    assert not thread.is_alive()


def discs(asked=None, before=None):
    """A `load` whose networks see a disc in whatever they are shown; `asked` collects what that was."""

    def network(inputs):
        if before is not None:
            before()
        height, width = inputs["image"].shape[-2:]
        if asked is not None:
            asked.append(inputs["image"])
        return {"alpha": disc(max(height, width))[None, None, :height, :width]}

    return lambda name: replace(loading(disc())(name), network=network)


def until(true):
    """Wait for something that will come to be."""
    for _ in range(SECONDS * 50):
        if true():
            return
        threading.Event().wait(0.02)
    raise AssertionError("it did not come to be")


def encoded(rgb, format="JPEG", **how):
    """Encode an array (H, W, 3)."""
    stream = io.BytesIO()
    Image.fromarray(rgb).save(stream, format, **how)
    return stream.getvalue()


@pytest.fixture(scope="session")
def photo():
    """A photo of 96 × 120 pixels as JPEG."""
    return encoded(scene(96, 120).photo.rgb, quality=92)


@pytest.fixture
def serve():
    """Start services with settings of a test's own: `serve(load=…, limits={…}, allow_urls=True)` gives a client."""
    with ExitStack() as stack:
        yield lambda load=None, **settings: stack.enter_context(serving(load or discs(), **settings))


@pytest.fixture(scope="session")
def client():
    """A service whose network always sees a disc; shared, so a test leaves no setting changed."""
    with serving(discs()) as shared:
        yield shared


@pytest.fixture(scope="session")
def real():
    """A service with the embedded model."""
    with serving() as shared:
        yield shared
