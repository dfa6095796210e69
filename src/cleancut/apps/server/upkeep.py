"""What is done every few seconds as long as the service runs: old results go, and freed memory with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import anyio.to_thread
from fastapi import FastAPI

from cleancut.apps.server import memory
from cleancut.apps.server.service import Service

SECONDS = 10.0


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Keep house until the service ends."""
    keeping = asyncio.create_task(_keep(app.state.service))
    try:
        yield
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping


async def _keep(service: Service) -> None:
    while True:
        await asyncio.sleep(SECONDS)
        await service.cache.forget()
        await anyio.to_thread.run_sync(memory.give_back)
