"""Prices on a real API server: what a URL publishes is kept there, and `aicost prices check` sees what is there."""

import json

import pytest

from aicost.__main__ import main
from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.config import load
from aicost.entrypoints.controller.attempts import Attempts
from aicost.entrypoints.controller.prices.published import HTTP, PRICE_SOURCE, READ_AT, PublishedBooks
from aicost.entrypoints.controller.state import State
from aicost.telemetry.metrics import Metrics
from devcluster.nodes import FakeNode
from support.crd_samples import FULL, resource
from support.definitions import applied_definitions
from support.price_feeds import a_book, publishing

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

BOOKS = "/apis/aicost.dev/v1alpha1/pricebooks"
ENTRY = {"match": {"gpuModel": "h100-80gb"}, "perGpuHour": "2"}


@pytest.fixture
def ready(cluster):
    with applied_definitions(cluster):
        yield cluster
        cluster.kubectl("delete", "pricebooks", "--all")


@pytest.fixture
async def client(ready):
    async with KubeClient(load({}, now_ms, kubeconfig=ready.kubeconfig)) as opened:
        yield opened


@pytest.fixture
def published(client):
    """What a server publishes, and who keeps it in the cluster."""
    with publishing(max_bytes=8 * 2**20) as (publisher, feed, requests):
        state, metrics = State("c"), Metrics()
        attempts = Attempts(state, metrics)
        keeper = PublishedBooks(client, feed, "the URL", 60, state, attempts, metrics, now_ms=now_ms)
        yield publisher, keeper, requests, state


def there(cluster):
    return {book["metadata"]["name"]: book for book in cluster.api.get(BOOKS)["items"]}


async def test_published_books_come_change_and_go_as_the_server_shows_them(ready, published):
    publisher, keeper, requests, state = published
    publisher.publish(a_book("one", "2"), resource("PriceBook", "full", FULL["PriceBook"]))
    assert await keeper.once(), state.prices.problem
    found = there(ready)
    assert found["full"]["spec"] == FULL["PriceBook"]
    assert found["one"]["metadata"]["labels"] == {PRICE_SOURCE: HTTP}
    before = found["one"]["metadata"]["generation"]

    assert await keeper.once()
    assert there(ready)["one"]["metadata"]["generation"] == before
    assert requests[-1].headers["If-None-Match"] == '"1"'

    two = [{**ENTRY, "name": "a"}, {**ENTRY, "name": "b", "priority": 1}]
    publisher.publish(a_book("one", entries=two))
    assert await keeper.once()
    assert set(there(ready)) == {"one"}
    publisher.publish(a_book("one", entries=two[:1]))
    assert await keeper.once()
    assert [entry["name"] for entry in there(ready)["one"]["spec"]["entries"]] == ["a"]


async def test_what_a_person_changed_in_a_published_book_is_put_back(ready, published):
    publisher, keeper, requests, _ = published
    publisher.publish(a_book("one", "2"))
    await keeper.once()
    path = "/spec/entries/0/perGpuHour"
    ready.kubectl("patch", "pricebook", "one", "--type=json", "-p", json.dumps(
        [{"op": "replace", "path": path, "value": "9"}]))  # fmt: skip
    await keeper.once()
    assert "If-None-Match" not in requests[-1].headers
    assert there(ready)["one"]["spec"]["entries"][0]["perGpuHour"] == "2"


async def test_a_book_of_somebody_else_stays_theirs(ready, published):
    publisher, keeper, _, state = published
    ready.apply(a_book("one", "9"))
    publisher.publish(a_book("one", "2"), a_book("two"))
    assert not await keeper.once()
    assert there(ready)["one"]["spec"]["entries"][0]["perGpuHour"] == "9"
    assert "somebody else uses here, one" in state.prices.problem
    publisher.publish(a_book("two"))
    assert await keeper.once()
    assert set(there(ready)) == {"one", "two"}


async def test_a_field_that_the_api_server_does_not_know_is_told_and_nothing_is_taken_away(ready, published):
    publisher, keeper, _, state = published
    publisher.publish(a_book("one", "2"), a_book("two"))
    await keeper.once()
    publisher.publish(a_book("one", "3", discount="10"))
    assert not await keeper.once()
    assert "discount" in state.prices.problem
    found = there(ready)
    assert set(found) == {"one", "two"}
    assert found["one"]["spec"]["entries"][0]["perGpuHour"] == "2"


async def test_a_thousand_entries_fit_into_one_object(ready, published):
    publisher, keeper, _, state = published
    many = [{**ENTRY, "name": f"e{n}", "match": {"instanceType": f"m{n}", "region": "us-east-1"}} for n in range(1000)]
    publisher.publish(a_book("many", entries=many))
    assert await keeper.once(), state.prices.problem
    assert len(there(ready)["many"]["spec"]["entries"]) == 1000


async def test_while_the_server_fails_the_last_known_prices_stay(ready, published):
    publisher, keeper, _, state = published
    publisher.publish(a_book("one"))
    await keeper.once()
    read_at = there(ready)["one"]["metadata"]["annotations"][READ_AT]
    publisher.status = 500
    assert not await keeper.once()
    assert there(ready)["one"]["metadata"]["annotations"][READ_AT] == read_at
    assert "answered 500" in state.prices.problem


@pytest.fixture
def check(ready, capsys):
    def call(*arguments):
        code = main(["prices", "check", "--kubeconfig", str(ready.kubeconfig), "--gpu-only", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_a_check_reads_nodes_and_books_of_the_cluster(check, ready, local_cluster, tmp_path):
    ready.apply(resource("PriceBook", "mine", {"currency": "USD", "entries": [
        {"name": "p5", "match": {"instanceType": "p5.48xlarge"}, "perGpuHour": "5.5"}]}))  # fmt: skip
    local_cluster.nodes.create(FakeNode("priced-1", gpu_count=8))
    try:
        code, out, _ = check("-o", "json", "--strict")
        (node,) = [one for one in json.loads(out)["nodes"] if one["name"] == "priced-1"]
        assert (node["price"]["book"], node["price"]["per_gpu_hour"]["amount"]) == ("mine", "5.5")

        ready.kubectl(
            "annotate", "node", "priced-1", "aicost.dev/price-per-gpu-hour=4", "aicost.dev/price-currency=EUR"
        )
        _, out, _ = check("-o", "json")
        (node,) = [one for one in json.loads(out)["nodes"] if one["name"] == "priced-1"]
        assert (node["price"]["book"], node["price"]["currency"]) == ("node-annotations", "EUR")
        assert node["alternatives"][0]["reason"].endswith("it stands on the node itself")

        instead = tmp_path / "book.yaml"
        instead.write_text(json.dumps(resource("PriceBook", "mine", {"currency": "USD", "entries": []})))
        ready.kubectl("annotate", "node", "priced-1", "aicost.dev/price-per-gpu-hour-", "aicost.dev/price-currency-")
        code, out, _ = check("-f", str(instead), "--strict")
        assert code == 1
        assert "priced-1: no price" in out
    finally:
        local_cluster.nodes.delete("priced-1")


def test_somebody_who_may_read_nothing_is_told_what_is_missing(ready, namespace, capsys):
    config = ready.service_account_kubeconfig(namespace, "default")
    assert main(["prices", "check", "--kubeconfig", str(config)]) == 1
    said = capsys.readouterr().err
    assert "nodes" in said
