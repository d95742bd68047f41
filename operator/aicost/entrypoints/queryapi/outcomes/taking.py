"""A posted body on its way to statements: never more than fits, and refused in words that say what to mend."""

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, NoReturn

from aiohttp import web

from aicost.crd.outcomes.resource import OUTCOMES
from aicost.domain.serving.outcomes.posted import MOST_ITEMS, BadStatement, Statement, read_statements
from aicost.entrypoints.queryapi.statuses import Refusal

MOST_BYTES = 2 * 1024 * 1024
_JSON = "application/json"
_ENVELOPE = frozenset({"apiVersion", "kind", "metadata", "items"})


async def body_of(request: web.Request) -> bytes:
    """All of the body.

    Raises:
        Refusal: 415 for what does not say that it is JSON, 413 for too much.
    """
    if request.content_type != _JSON:
        message = f"Content-Type: {request.content_type[:80]!r}: post {_JSON}"
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message)
    found = bytearray()
    async for chunk in request.content.iter_any():
        found += chunk
        if len(found) > MOST_BYTES:
            message = f"the body has more than {MOST_BYTES:,} bytes: post it in parts"
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)
    return bytes(found)


def statements_of(body: bytes, namespace: str, now_ms: int) -> tuple[Statement, ...]:
    """What a body states.

    Raises:
        Refusal: 400, naming the item and the field that make no sense.
    """
    try:
        return read_statements(_items(_decoded(body)), now_ms=now_ms, namespace=namespace)
    except BadStatement as problem:
        raise Refusal(HTTPStatus.BAD_REQUEST, str(problem)) from problem


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body, parse_constant=_no_constant, object_pairs_hook=_once)
    except BadStatement:
        raise
    except (ValueError, RecursionError) as problem:
        raise BadStatement(f"the body is no JSON: {str(problem)[:120]}") from problem


def _items(document: Any) -> Iterable[tuple[str, Any]]:
    """A list, or an object that holds one under `items`, as lists of Kubernetes do."""
    items = document
    if isinstance(document, Mapping):
        unknown = sorted(document.keys() - _ENVELOPE)
        kind = document.get("kind", OUTCOMES.list_kind)
        if unknown or kind != OUTCOMES.list_kind or "items" not in document:
            raise BadStatement('the body is no list of statements: write [{...}] or {"items": [{...}]}')
        items = document["items"]
    if not isinstance(items, list) or not items:
        raise BadStatement("items: there is no statement: write a list of at least one")
    if len(items) > MOST_ITEMS:
        raise BadStatement(f"items: {len(items):,} statements are too many at once: at most {MOST_ITEMS:,}")
    return ((f"items[{number}]", item) for number, item in enumerate(items))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose fields each stand there once: of two, nobody knows which was meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadStatement(f"{twice[:40]!r} stands twice in one object: write it once")
    return found


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")
