"""A cluster with accounts, over a provider that is played."""

import pytest

from support.account_town import Town
from support.controller import make_world
from support.cost_api import Anthropic
from support.fake_api.server import FakeApi
from support.fake_api.session import open_client
from support.http_server import serving


@pytest.fixture
async def town(tmp_path):
    provider, world = Anthropic(), make_world(tmp_path)
    with serving(provider) as served:
        async with FakeApi() as api, open_client(api) as client:
            found = Town(api, client, world, provider, served.url)
            found.key()
            yield found
    world.app.stores.close()
