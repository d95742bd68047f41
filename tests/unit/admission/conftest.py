"""One webhook for the tests of a file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.served_webhook import ServedWebhook


@pytest.fixture
async def webhook(tmp_path: Path) -> AsyncIterator[ServedWebhook]:
    async with ServedWebhook(tmp_path) as one:
        yield one
