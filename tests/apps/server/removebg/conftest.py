"""Services whose network sees a disc, and whose look from close up agrees with it: the tests measure where it is."""

from contextlib import ExitStack

import pytest

from tests.apps.server.conftest import serving
from tests.stubs import disc, loading


@pytest.fixture
def serve():
    """Start services with settings of a test's own."""
    with ExitStack() as stack:
        yield lambda load=None, **settings: stack.enter_context(serving(load or loading(disc()), **settings))


@pytest.fixture(scope="session")
def client():
    """A service that tests share, so that none leaves a setting changed."""
    with serving(loading(disc())) as shared:
        yield shared
