"""Whatever spelling of a path is tried: what is authorised is what is served, in both ways into the query API."""

from urllib.parse import unquote

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from hypothesis import example, given
from hypothesis import strategies as st

from aicost.entrypoints.queryapi.asking import check_path
from aicost.entrypoints.queryapi.discovery import OF_TEAMS, ROOT, SERVED
from aicost.entrypoints.queryapi.proof.attributes import Attributes, attributes_of
from aicost.entrypoints.queryapi.scopes import Scope, namespace_of, team_of, whole_cluster
from aicost.entrypoints.queryapi.statuses import Refusal
from support.queryapi import routes

PLURALS = [one.plural for one in SERVED]
NASTY = [
    "..", ".", "", "%2e%2e", "%2E%2E", "%2f", "%2F..%2F", "%00", "%0a", "%20", "a%2Fb", "a%2f..%2fb", "A", "team-a",
    "team-b", "teams", "namespaces", "vision", "Vision", "untagged", "研究", "%E7%A0%94", "{namespace}", "a;b", "a:b",
    "a@b", "*", "~", "a?b", "a#b", "-a", "a-", "a" * 64, "%76ision", "team%2Da", "v,w", "\\", "a\\..\\b", "..;",
]  # fmt: skip
segments = st.one_of(st.sampled_from([*NASTY, *PLURALS, "namespaces", "teams"]), st.text(max_size=6))
places = st.sampled_from(["namespaces", "teams"])
likely = st.tuples(places, segments, st.sampled_from(PLURALS))
paths = st.one_of(
    st.lists(segments, min_size=1, max_size=6), likely, st.tuples(places, segments, segments, segments)
).map(lambda parts: f"{ROOT}/{'/'.join(parts)}")


async def served(path: str) -> Scope | None:
    """The scope that would be served for a path as it stands in the request line; None where nothing is."""
    request = make_mocked_request("GET", path)
    match = await routes().router.resolve(request)
    if match.http_exception is not None:
        return None
    match.add_app(routes())
    request._match_info = match  # what the server does before a handler runs
    plural = request.path.rstrip("/").rsplit("/", 1)[-1]
    try:
        if "namespace" in match:
            scope = namespace_of(request, plural)
        elif "team" in match:
            scope = team_of(request, plural if plural in PLURALS and path.count("/") > ROOT.count("/") + 2 else "")
        else:
            scope = whole_cluster(plural)
        check_path(request, scope.path)
    except Refusal:
        return None
    return scope


def usable(path: str) -> bool:
    """Whether a request line could hold it at all."""
    return path.isascii() and path.isprintable() and not {" ", "?", "#"} & set(path)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@given(paths.filter(usable))
@example(f"{ROOT}/namespaces/team-a/allocations")
@example(f"{ROOT}/namespaces/team-b/allocations")
@example(f"{ROOT}/namespaces/team-a%2F..%2Fteam-b/allocations")
@example(f"{ROOT}/namespaces/team-a/../team-b/allocations")
@example(f"{ROOT}/teams/vision/allocations")
@example(f"{ROOT}/teams/vision")
@example(f"{ROOT}/teams/a%2Fb")
@example(f"{ROOT}/teams/a%2Fb/allocations")
@example(f"{ROOT}/teams/%E7%A0%94%E7%A9%B6/statements")
async def test_what_is_authorised_is_what_is_served(path):
    scope = await served(path)
    if scope is None:
        return
    asked = attributes_of(unquote(path))
    assert asked is not None
    assert (asked.namespace or None, asked.name or None) == (scope.namespace, scope.team)
    assert asked.verb == ("get" if scope.team else "list")
    assert asked.resource in {*PLURALS, "teams"}
    assert not scope.team or asked.subresource in {"", *(one.plural for one in OF_TEAMS)}


async def test_all_that_is_served_is_found_by_its_plain_path():
    for one in SERVED:
        assert await served(f"{ROOT}/{one.plural}") == Scope(f"{ROOT}/{one.plural}")
        within = await served(f"{ROOT}/namespaces/team-a/{one.plural}")
        assert (within.namespace if within else None) == ("team-a" if one.namespaced else None)
    for one in OF_TEAMS:
        mine = await served(f"{ROOT}/teams/vision/{one.plural}")
        assert mine is not None
        assert mine.team == "vision"


@given(paths)
def test_a_path_is_read_in_one_way_or_in_none(path):
    found = attributes_of(path)
    assert found is None or isinstance(found, Attributes)
    if found is not None:
        assert not {"", ".", ".."} & {found.resource, found.namespace or "x", found.name or "x"}
        assert "/" not in found.namespace + found.name


def test_the_routes_are_the_servers_own():
    assert isinstance(routes(), web.Application)
