"""ConfigMaps are read by name; what cannot be read is told, and what was read survives a bad moment."""

import pytest

from aicost.adapters.kube.config_maps import ConfigMaps
from support.fake_api.server import CONFIG_MAPS, FakeApi
from support.fake_api.session import open_client

TEAMS = ("finops", "teams")


@pytest.fixture
async def api():
    async with FakeApi() as server:
        server.put(CONFIG_MAPS, "teams", "finops", data={"all": "a\nb"})
        yield server


@pytest.fixture
async def maps(api):
    async with open_client(api) as client:
        yield ConfigMaps(client)


async def test_each_is_read_by_its_name_and_forgotten_when_nobody_names_it(api, maps):
    await maps.read({TEAMS})
    assert maps.maps == {TEAMS: {"all": "a\nb"}}
    assert [seen.path for seen in api.requests] == ["/api/v1/namespaces/finops/configmaps/teams"]
    await maps.read(())
    assert maps.maps == {}


async def test_one_that_is_not_there_is_told(maps):
    await maps.read({TEAMS, ("finops", "centers")})
    assert list(maps.maps) == [TEAMS]
    assert maps.problems == {("finops", "centers"): "it is not there: create it"}


async def test_one_that_is_not_ours_to_read_names_the_setting(api, maps):
    await maps.read({TEAMS})
    api.faults.refuse = [403]
    await maps.read({TEAMS})
    assert maps.maps == {}
    assert "add finops to admission.listNamespaces" in maps.problems[TEAMS]


async def test_a_bad_moment_of_the_server_leaves_what_was_read(api, maps):
    await maps.read({TEAMS})
    api.faults.refuse = [500] * 10
    await maps.read({TEAMS})
    assert maps.maps == {TEAMS: {"all": "a\nb"}}
    assert TEAMS in maps.problems


async def test_an_answer_that_is_no_config_map_is_told(api, maps):
    api.faults.garbage = [b'{"data": {"all": 7}}']
    await maps.read({TEAMS})
    assert maps.maps == {}
    assert maps.problems[TEAMS]
