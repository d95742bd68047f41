"""What GPUs are on offer and at which price, for people who may read neither nodes nor price books."""

import json
from dataclasses import replace
from fractions import Fraction

import pytest

from aicost.crd.offers.document import read_offers
from aicost.domain.estimates.market import market_of
from aicost.domain.estimates.values import Market
from aicost.entrypoints.queryapi.offers.market import _unnamed
from support.builders import T0, make_node
from support.pricing import book, entry

ROOT = "/apis/query.aicost.dev/v1alpha1"
MINE = f"{ROOT}/namespaces/team-a/offers"
TABLE = {"X-Remote-User": "a", "Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
NODES = tuple(
    make_node(name).gpus(8).instance("p5.48xlarge").label("dedicated", tenant).label("kubernetes.io/hostname", name)
    .facts()
    for name, tenant in (("gpu-1", "team-b"), ("gpu-2", "team-b"), ("gpu-3", "team-a"))
)  # fmt: skip
BOOKS = (book(entry("h100", gpu_hour=2.49)),)


@pytest.fixture(autouse=True)
def _offered(served):
    served.on_offer = _unnamed(NODES, BOOKS, T0)


async def offers(served, path: str) -> list[dict]:
    answer = await served.get(f"{path}{'&' if '?' in path else '?'}format=report")
    assert answer.status == 200, answer.body
    return answer.body["offers"]


async def test_who_may_see_all_is_told_how_many_nodes_there_are_of_each_kind(served):
    assert sum(one["nodes"] for one in await offers(served, f"{ROOT}/offers")) == 3


async def test_somebody_in_a_namespace_is_told_prices_and_neither_names_nor_tenants_nor_counts(served):
    found = await offers(served, MINE)
    assert [(one["instance_type"], one["nodes"]) for one in found if one["nodes"]] == [("p5.48xlarge", 1)]
    assert Fraction(found[0]["quote"]["gpu_hour_nanos"]) == 2_490_000_000
    for hidden in ("gpu-1", "gpu-2", "gpu-3", "team-b", "dedicated"):
        assert hidden not in json.dumps(found)


async def test_a_label_is_told_to_who_names_its_key_and_value(served):
    found = await offers(served, f"{MINE}?label=dedicated=team-a&label=dedicated=nobody")
    assert {one["node_labels"].get("dedicated") for one in found} == {"team-a", None}
    assert "team-b" not in json.dumps(found)


async def test_the_market_that_is_read_back_has_the_same_prices(served):
    body = (await served.get(f"{ROOT}/offers?format=report")).body
    there, here = read_offers(body), market_of(NODES, BOOKS, T0)
    assert {one.quote for one in there.offers} == {one.quote for one in here.offers}
    assert {one.instance_type for one in there.offers} == {one.instance_type for one in here.offers}


async def test_a_node_without_a_price_says_what_to_add_and_names_no_node(served):
    served.on_offer = _unnamed(NODES, (), T0)
    (found,) = [one for one in await offers(served, MINE) if one["nodes"]]
    assert found["quote"] is None
    assert "no price for node (node)" in found["reason"]


async def test_kubectl_gets_a_table_and_a_list(served):
    table = (
        await served.get(MINE, headers={"X-Remote-User": "a", "Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"})
    ).body
    assert table["columnDefinitions"][0]["name"] == "GPU"
    assert table["rows"][0]["cells"][-1] == "$2.49"
    assert (await served.get(MINE)).body["items"][0]["price"] == "$2.49"


@pytest.mark.parametrize("asked", ["label=dedicated", "node=gpu-1", "&".join(f"label=a=b{n}" for n in range(33))])
async def test_a_bad_request_is_refused(served, asked):
    assert (await served.get(f"{MINE}?{asked}")).status == 400


@pytest.mark.parametrize("document", [None, [], {}, {"kind": "OfferReport"}, {"offers": [{}]}])
def test_what_is_no_market_is_refused(document):
    with pytest.raises(ValueError, match=r"offers|answer"):
        read_offers(document)


def test_a_market_of_nothing_is_nothing():
    assert replace(_unnamed((), (), T0), assumed_model="") == Market()
