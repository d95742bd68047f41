"""Price feeds for tests: one in memory, and a server that publishes books."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import yaml

from aicost.adapters.pricing.http.config import PriceFeedConfig
from aicost.adapters.pricing.http.feed import HttpPriceFeed
from aicost.ports.errors import AicostError
from aicost.ports.prices import Published
from support.crd_samples import resource
from support.http_server import Request, serving


def a_book(name: str = "published", price: str = "2.49", **spec: Any) -> dict[str, Any]:
    """A PriceBook as somebody publishes it."""
    entry = {"name": "h100", "match": {"gpuModel": "h100-80gb"}, "perGpuHour": price}
    return resource("PriceBook", name, {"currency": "USD", "entries": [entry], **spec})


@dataclass
class MemoryFeed:
    """A feed in memory (port `PriceFeed`).

    Attributes:
        books: what is published; `publish` changes it.
        failure: raised in place of an answer.
    """

    books: tuple[Mapping[str, Any], ...] = ()
    number: int = 0
    failure: AicostError | None = None
    asked: list[str] = field(default_factory=list)

    def publish(self, *books: Mapping[str, Any]) -> None:
        self.books, self.number = books, self.number + 1

    def read(self, version: str) -> Published | None:
        self.asked.append(version)
        if self.failure is not None:
            raise self.failure
        if version == f'"{self.number}"':
            return None
        return Published(self.books, f'"{self.number}"')


@dataclass
class Publisher:
    """What a server publishes: a document with a tag, or an answer of any other kind."""

    document: str = ""
    number: int = 0
    status: int = 200

    def publish(self, *books: Mapping[str, Any]) -> None:
        apart = [json.loads(json.dumps(book)) for book in books]  # no anchors for what they share
        self.document, self.number = yaml.safe_dump_all(apart), self.number + 1

    def answer(self, request: Request) -> None:
        tag = f'"{self.number}"'
        if self.status == 200 and request.headers.get("If-None-Match") == tag:
            request.answer(b"", 304, ETag=tag)
        else:
            request.answer(self.document if self.status == 200 else "no", self.status, ETag=tag)


@contextmanager
def publishing(**config: Any) -> Iterator[tuple[Publisher, HttpPriceFeed, list[Request]]]:
    """A server on a free port that publishes, and the feed that reads it."""
    publisher = Publisher()
    with serving(publisher.answer) as served:
        feed = HttpPriceFeed(PriceFeedConfig(f"{served.url}/books.yaml", timeout_s=5.0, **config))
        yield publisher, feed, served.requests
