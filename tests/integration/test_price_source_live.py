"""The chart's own controller reads a URL of prices: the books are kept, price nodes, and say how fresh they are."""

import secrets

import pytest

from devcluster.api import ApiError
from devcluster.controlplane import free_ports
from devcluster.nodes import FakeNode
from support.chart import Release, forget_definitions
from support.http_server import serving
from support.price_feeds import Publisher, a_book

pytestmark = pytest.mark.cluster

BOOK = "/apis/aicost.dev/v1alpha1/pricebooks/published"


def condition(book, kind="PriceSourceFresh"):
    found = [one for one in (book.get("status") or {}).get("conditions") or () if one["type"] == kind]
    return (found[0]["status"], found[0]["reason"], found[0]["message"]) if found else ("", "", "")


@pytest.fixture
def installed(cluster):
    """A release whose controller reads a server of this test."""
    if cluster.local is None:
        pytest.skip("needs the local kubelet; this is a cluster that somebody else made")
    forget_definitions(cluster)
    release, publisher = Release(cluster), Publisher()
    names = [f"{name}-{secrets.token_hex(2)}" for name in ("system", "gpu")]
    host, gpu = (FakeNode(names[0]), FakeNode(names[1], gpu_count=8))
    for node in (host, gpu):
        cluster.nodes.create(node)
    publisher.publish(a_book())
    try:
        with serving(publisher.answer) as served:
            release.install(
                "window.length=15m", "window.settleSeconds=1", "window.refreshSeconds=2", "queryApi.enabled=false",
                "prices.starter=false", f"prices.http.url={served.url}/b?key=secret", "prices.http.intervalSeconds=10",
                "prices.http.staleAfterSeconds=60", "persistence.size=1Gi", f"metrics.port={free_ports(1)[0]}",
                f"nodeSelector.kubernetes\\.io/hostname={names[0]}",
            )  # fmt: skip
            yield cluster, publisher
    finally:
        release.forget()
        for name in names:
            cluster.nodes.delete(name)


def test_books_of_a_url_price_nodes_and_say_when_the_url_fails(installed):
    cluster, publisher = installed
    book = cluster.until(BOOK, lambda one: condition(one)[:2] == ("True", "Fresh"), 90)
    assert "secret" not in str(book)
    assert book["metadata"]["labels"] == {"aicost.dev/price-source": "http"}
    cluster.until(BOOK, lambda one: one["status"].get("nodesPriced") == 1, 60)

    publisher.publish(a_book(price="3"))
    cluster.until(BOOK, lambda one: one["spec"]["entries"][0]["perGpuHour"] == "3", 60)

    publisher.status = 500
    failing = cluster.until(BOOK, lambda one: "The last try failed" in condition(one)[2], 60)
    assert condition(failing)[0] == "True"
    assert "answered 500" in condition(failing)[2]
    stale = cluster.until(BOOK, lambda one: condition(one)[:2] == ("False", "Stale"), 110)
    assert "the prices of then hold" in condition(stale)[2]
    assert stale["spec"]["entries"][0]["perGpuHour"] == "3"

    publisher.status = 200
    cluster.until(BOOK, lambda one: condition(one)[:2] == ("True", "Fresh"), 90)
    publisher.publish(a_book("other"))
    cluster.until(f"{BOOK.rpartition('/')[0]}/other", lambda one: condition(one)[1] == "Fresh", 60)
    with pytest.raises(ApiError, match="404"):
        cluster.api.get(BOOK)
