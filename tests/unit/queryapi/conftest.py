"""The query API on a loopback port, and the front proxy that asks it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.queryapi import Served


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    made = await asyncio.to_thread(Served, tmp_path)
    async with made.running():
        yield made
