"""Price books that a URL publishes: kept in the cluster as they are published, and nobody else's is touched."""

import json

import pytest

from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, to_rfc3339
from aicost.entrypoints.controller.attempts import Attempts
from aicost.entrypoints.controller.prices.published import HTTP, PRICE_SOURCE, READ_AT, PublishedBooks
from aicost.entrypoints.controller.resources import resource_of
from aicost.entrypoints.controller.state import PriceSourceState, State
from aicost.ports.errors import SourceUnavailable
from aicost.telemetry.metrics import Metrics
from support.controller import NOW, made, said, settings_with, shown
from support.fake_api.server import FakeApi
from support.fake_api.session import open_client
from support.price_feeds import MemoryFeed, a_book

BOOKS = resource_of("PriceBook")
PLACE = "https://prices.example/books.yaml"


@pytest.fixture
async def client():
    async with FakeApi() as api, open_client(api) as opened:
        yield opened


class Keeper:
    """The books of a feed, kept in a cluster, with a clock of its own."""

    def __init__(self, client):
        self.client, self.feed, self.now_ms = client, MemoryFeed(), NOW
        self.restart()

    def restart(self):
        self.state, self.metrics = State("c"), Metrics()
        attempts = Attempts(self.state, self.metrics)
        self.keeper = PublishedBooks(
            self.client, self.feed, PLACE, 60, self.state, attempts, self.metrics, now_ms=lambda: self.now_ms
        )

    async def once(self):
        self.now_ms += MINUTE_MS
        return await self.keeper.once()

    async def there(self):
        found = {}
        async for page in self.client.pages(BOOKS):
            found |= {book["metadata"]["name"]: book for book in (json.loads(bytes(raw)) for raw in page.items or ())}
        return found


@pytest.fixture
def kept(client):
    return Keeper(client)


async def test_what_is_published_is_written_with_where_it_is_from_and_when_it_was_read(kept):
    kept.feed.publish(a_book("one"), a_book("two"))
    assert await kept.once()
    there = await kept.there()
    assert set(there) == {"one", "two"}
    assert there["one"]["spec"] == a_book("one")["spec"]
    assert there["one"]["metadata"]["labels"] == {PRICE_SOURCE: HTTP}
    assert there["one"]["metadata"]["annotations"] == {READ_AT: to_rfc3339(kept.now_ms)}
    assert kept.state.prices == PriceSourceState(PLACE, kept.now_ms, "")
    assert shown(kept.metrics)[("aicost_price_source_up",)] == 1


async def test_what_did_not_change_is_not_read_again_and_its_age_is_renewed(kept):
    kept.feed.publish(a_book("one"))
    await kept.once()
    before = (await kept.there())["one"]["metadata"].get("generation")
    await kept.once()
    book = (await kept.there())["one"]
    assert kept.feed.asked == ["", '"1"']
    assert book["metadata"]["annotations"][READ_AT] == to_rfc3339(kept.now_ms)
    assert book["metadata"].get("generation") == before


async def test_a_price_that_changed_and_a_book_that_is_gone_are_followed(kept):
    kept.feed.publish(a_book("one", "2"), a_book("two"))
    await kept.once()
    kept.feed.publish(a_book("one", "3"))
    await kept.once()
    there = await kept.there()
    assert set(there) == {"one"}
    assert there["one"]["spec"]["entries"][0]["perGpuHour"] == "3"


async def test_while_the_url_fails_the_last_known_prices_stay_and_the_problem_is_told(kept):
    kept.feed.publish(a_book("one"))
    await kept.once()
    read_ms = kept.now_ms
    kept.feed.failure = SourceUnavailable("away")
    assert not await kept.once()
    assert set(await kept.there()) == {"one"}
    assert kept.state.prices == PriceSourceState(PLACE, read_ms, "away")
    assert shown(kept.metrics)[("aicost_price_source_up",)] == 0
    assert shown(kept.metrics)[("aicost_price_source_timestamp_seconds",)] == read_ms / 1000
    kept.feed.failure = None
    assert await kept.once()
    assert kept.state.prices.problem == ""


async def test_a_controller_that_begins_knows_from_the_cluster_when_they_were_read(kept):
    kept.feed.publish(a_book("one"))
    await kept.once()
    read_ms = kept.now_ms
    kept.restart()
    kept.feed.failure = SourceUnavailable("away")
    await kept.once()
    assert kept.state.prices.read_ms == read_ms


async def test_a_controller_that_begins_reads_all_of_it(kept):
    kept.feed.publish(a_book("one"))
    await kept.once()
    kept.restart()
    await kept.once()
    assert kept.feed.asked == ["", ""]


async def test_a_book_of_somebody_else_is_never_touched(kept, client):
    theirs = a_book("one", "9")
    await client.create(BOOKS, theirs)
    kept.feed.publish(a_book("one"), a_book("two"))
    assert not await kept.once()
    there = await kept.there()
    assert there["one"]["spec"]["entries"][0]["perGpuHour"] == "9"
    assert "labels" not in there["one"]["metadata"]
    assert set(there) == {"one", "two"}
    assert "names that somebody else uses here, one: those stay as they are" in kept.state.prices.problem
    kept.feed.publish(a_book("two"))
    assert await kept.once()
    assert set(await kept.there()) == {"one", "two"}


async def test_what_somebody_changed_or_deleted_is_put_back(kept, client):
    kept.feed.publish(a_book("one"))
    await kept.once()
    await client.delete(BOOKS, "one")
    await kept.once()
    assert set(await kept.there()) == {"one"}


def labelled(name="one"):
    body = made("PriceBook", name, a_book()["spec"])
    body["metadata"]["labels"] = {PRICE_SOURCE: HTTP}
    return body


def fresh(world, now_ms):
    return said(world.answer(labelled(), now_ms), "PriceSourceFresh")


def test_a_book_says_how_fresh_its_source_is(world):
    assert fresh(world, NOW)[:2] == ("False", "NoSource")
    world.state.prices = PriceSourceState(PLACE)
    assert fresh(world, NOW)[:2] == ("Unknown", "Waiting")
    world.state.prices = PriceSourceState(PLACE, NOW, "away")
    status, reason, message = fresh(world, NOW + 23 * HOUR_MS)
    assert (status, reason) == ("True", "Fresh")
    assert "The last try failed: away." in message
    status, reason, message = fresh(world, NOW + 25 * HOUR_MS)
    assert (status, reason) == ("False", "Stale")
    assert f"{PLACE} was last read at" in message


def test_a_book_of_ones_own_says_nothing_of_a_source(world):
    answer = world.answer(made("PriceBook", "mine", a_book()["spec"]))
    assert "PriceSourceFresh" not in {one.type for one in answer.statements}


def test_the_registry_keeps_the_label_by_which_a_published_book_is_known(world):
    world.registry.put(labelled())
    (kept_body,) = world.registry.of_kind("PriceBook")
    assert kept_body["metadata"]["labels"] == {PRICE_SOURCE: HTTP}


@pytest.mark.parametrize("url", ["http://prices.example/b", "file:///x", "https://u:p@prices.example/b"])
def test_settings_refuse_an_address_that_prices_cannot_be_read_from(url):
    with pytest.raises(Exception, match=r"prices\.http") as refused:
        settings_with(prices={"http": {"url": url}})
    assert "u:p" not in str(refused.value)
