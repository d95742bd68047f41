"""One contract for every price feed: the one in memory, and the real one by HTTP."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from aicost.crd.convert.books import price_book
from aicost.ports.errors import SourceUnavailable
from aicost.ports.prices import PriceFeed
from support.price_feeds import MemoryFeed, a_book, publishing


@dataclass
class Subject:
    """A feed, and how a test publishes behind it."""

    feed: PriceFeed
    publish: Callable[..., None]
    fail: Callable[[bool], None]


def _memory() -> Iterator[Subject]:
    feed = MemoryFeed()

    def fail(now: bool) -> None:
        feed.failure = SourceUnavailable("away") if now else None

    yield Subject(feed, feed.publish, fail)


def _http() -> Iterator[Subject]:
    with publishing() as (publisher, feed, _):

        def fail(now: bool) -> None:
            publisher.status = 503 if now else 200

        yield Subject(feed, publisher.publish, fail)


@pytest.fixture(params=[_memory, _http], ids=["memory", "http"])
def subject(request) -> Iterator[Subject]:
    yield from request.param()


def names(books: tuple[Mapping[str, Any], ...]) -> list[str]:
    return [price_book(book).value.name for book in books]


def test_what_is_published_comes_whole_and_in_order(subject):
    subject.publish(a_book("b"), a_book("a"))
    found = subject.feed.read("")
    assert names(found.books) == ["b", "a"]
    assert found.books[0]["spec"] == a_book("b")["spec"]


def test_what_is_known_already_is_not_read_again(subject):
    subject.publish(a_book())
    known = subject.feed.read("").version
    assert known
    assert subject.feed.read(known) is None


def test_a_change_is_read_whatever_is_known(subject):
    subject.publish(a_book(price="2"))
    known = subject.feed.read("").version
    subject.publish(a_book(price="3"))
    found = subject.feed.read(known)
    assert found.books[0]["spec"]["entries"][0]["perGpuHour"] == "3"
    assert found.version != known


def test_a_version_that_was_never_published_is_no_excuse(subject):
    subject.publish(a_book())
    assert names(subject.feed.read('"of-another-day"').books) == ["published"]


def test_a_feed_that_fails_says_so_and_answers_again(subject):
    subject.publish(a_book())
    subject.fail(True)
    with pytest.raises(SourceUnavailable):
        subject.feed.read("")
    subject.fail(False)
    assert names(subject.feed.read("").books) == ["published"]
