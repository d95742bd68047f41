"""The nodes and price books that are looked at: of a cluster, of files, or books of files for a cluster's nodes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aicost.adapters.kube.config import ClusterConfig
from aicost.adapters.kube.seen.decode import decode_node
from aicost.adapters.kube.seen.values import BadObject
from aicost.adapters.kube.wire.resources import NODES
from aicost.domain.inventory.nodes import NodeFacts
from aicost.domain.pricing.books import PriceBook
from aicost.entrypoints.cli.manifests.documents import read_documents
from aicost.entrypoints.cli.sources.bodies import Body, books_of
from aicost.entrypoints.cli.sources.objects import Wish, gather, own_resource
from aicost.ports.errors import InvalidRequest

_NEVER_SEEN: Mapping[str, Any] = {"creationTimestamp": "1970-01-01T00:00:00Z", "resourceVersion": "0"}
"""What the API server writes into a node; one that somebody wrote by hand has none of it."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Nodes and books, and where they are from.

    Attributes:
        of: where they are from, for people.
        notes: what could not be read, and what follows from it.
    """

    nodes: tuple[NodeFacts, ...]
    books: tuple[PriceBook, ...]
    of: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Files:
    """What stands in files.

    Attributes:
        nodes: None where no file holds a node.
    """

    places: tuple[str, ...]
    nodes: tuple[NodeFacts, ...] | None
    books: tuple[PriceBook, ...]
    notes: tuple[str, ...]


def read_files(places: Sequence[str]) -> Files:
    """The nodes and books in files.

    Raises:
        InvalidRequest: a file cannot be read, or it holds neither.
    """
    bodies = [document.body for document in read_documents(places)]
    notes: list[str] = []
    books = books_of(bodies, notes)
    nodes = _nodes(bodies, notes)
    if nodes is None and not any(body.get("kind") == "PriceBook" for body in bodies):
        raise InvalidRequest(
            f"{', '.join(places)}: neither a Node nor a PriceBook is in it: kubectl get nodes -o yaml prints the first"
        )
    return Files(tuple(places), nodes, books, tuple(notes))


def shelf_of_files(files: Files) -> Shelf:
    """Nodes and books from files alone; without a book nothing has a price."""
    return Shelf(files.nodes or (), files.books, ", ".join(files.places), files.notes)


def shelf_of_cluster(config: ClusterConfig, files: Files | None = None) -> Shelf:
    """The nodes and books of a cluster; a book of a file stands in for the cluster's of the same name.

    Raises:
        AicostError: the cluster does not answer, or nothing may be read.
    """
    gathered = gather(config, [Wish(NODES), Wish(own_resource("PriceBook"))])
    notes: list[str] = []
    books = {book.name: book for book in books_of(gathered.bodies, notes)}
    books |= {book.name: book for book in (files.books if files else ())}
    of = f"{config.server}, with {', '.join(files.places)}" if files else config.server
    return Shelf(
        tuple(gathered.nodes), tuple(books.values()), of, (*gathered.gaps, *notes, *(files.notes if files else ()))
    )


def _nodes(bodies: Sequence[Body], notes: list[str]) -> tuple[NodeFacts, ...] | None:
    written = [body for body in bodies if body.get("kind") == "Node"]
    seen = [_node(body) for body in written]
    notes += [f"passed over {one}" for one in seen if isinstance(one, BadObject)]
    return tuple(one for one in seen if isinstance(one, NodeFacts)) if written else None


def _node(body: Body) -> NodeFacts | BadObject:
    metadata = body.get("metadata")
    named = dict(metadata) if isinstance(metadata, Mapping) else {}
    whole = {**body, "metadata": {**_NEVER_SEEN, "uid": named.get("name", ""), **named}}
    seen = decode_node(json.dumps(whole, default=str).encode())
    return seen if isinstance(seen, BadObject) else seen.facts
