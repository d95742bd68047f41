"""A document with price books, in JSON or YAML -> manifests that the API server will take; all of it or nothing."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from aicost.crd.convert.books import price_book
from aicost.crd.convert.parsing import parse
from aicost.crd.fields.text import ObjectName
from aicost.crd.models.pricebook import PriceBookSpec
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.definition import GROUP, VERSION
from aicost.ports.errors import InvalidAnswer

_DEEPEST = 30
_MOST_BOOKS = 50
_MOST_PROBLEMS = 5
_API_VERSION = f"{GROUP}/{VERSION}"
_TIMESTAMP = "tag:yaml.org,2002:timestamp"
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Unfit(ValueError):
    """The document is not what it should be; the text says how."""


class _Named(ApiModel):
    name: ObjectName


class _Loader(_Base):  # type: ignore[misc] # the C loader has the same methods
    """Reads as the API server does: a date is a text. A key that stands there twice is refused."""

    yaml_implicit_resolvers = {  # noqa: RUF012 -- as the base class declares it
        first: [pair for pair in pairs if pair[0] != _TIMESTAMP]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 -- as in the base class
        keys = [key.value for key, _ in node.value]
        _refuse_twice(str(key) for key in keys)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


def read_books(body: bytes, place: str) -> tuple[Mapping[str, Any], ...]:
    """The price books of a document: a PriceBook, a List of some, or several YAML documents.

    Args:
        body: the document.
        place: where it is from, for messages.

    Raises:
        InvalidAnswer: any part of it is wrong.
    """
    try:
        objects = list(_objects(_values(body)))
    except (ValueError, RecursionError, yaml.YAMLError) as problem:
        raise InvalidAnswer(f"{place} answers with no document of price books: {_first_line(problem)}") from None
    if not objects:
        raise InvalidAnswer(f"{place} answers with no PriceBook: nothing of what is known is given up for that")
    if len(objects) > _MOST_BOOKS:
        raise InvalidAnswer(f"{place} answers with {len(objects)} PriceBooks: at most {_MOST_BOOKS} are taken")
    problems = [problem for number, found in enumerate(objects) for problem in _problems(found, number)]
    problems += _twice(objects)
    if problems:
        more = f" and {len(problems) - _MOST_PROBLEMS} more" if len(problems) > _MOST_PROBLEMS else ""
        raise InvalidAnswer(f"{place} answers with wrong price books: {'; '.join(problems[:_MOST_PROBLEMS])}{more}")
    return tuple(_manifest(found) for found in objects)


def _values(body: bytes) -> list[Any]:
    text = body.decode("utf-8-sig")
    if text.lstrip()[:1] in {"{", "["}:
        return [json.loads(text, object_pairs_hook=_pairs, parse_constant=_no_number)]
    _refuse_shape(text)
    return list(yaml.load_all(text, Loader=_Loader))


def _refuse_shape(text: str) -> None:
    """Look at nesting and anchors before anything is built: a few lines of them can stand for gigabytes."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise _Unfit(f"it is nested more than {_DEEPEST} deep")
        if isinstance(event, yaml.AliasEvent):
            raise _Unfit("it has anchors and aliases: write each value out")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    _refuse_twice(key for key, _ in pairs)
    return dict(pairs)


def _refuse_twice(keys: Iterable[str]) -> None:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise _Unfit(f"the key {key[:60]!r} stands twice in one object")
        seen.add(key)


def _no_number(text: str) -> Any:
    raise _Unfit(f"{text} is no number: write prices as decimal text")


def _objects(values: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    for value in values:
        if value is None:
            continue
        if not isinstance(value, dict):
            raise _Unfit("it is no object: write a PriceBook, or a List of some")
        kind = value.get("kind")
        if kind in {"List", "PriceBookList"}:
            items = value.get("items")
            if not isinstance(items, list):
                raise _Unfit(f"items of the {kind} are no list")
            yield from _objects(items)
        elif kind == "PriceBook" and value.get("apiVersion") == _API_VERSION:
            yield value
        else:
            said = f"{str(value.get('apiVersion'))[:40]} {str(kind)[:40]}"
            raise _Unfit(f"it holds {said}: write PriceBooks of {_API_VERSION}")


def _problems(found: Mapping[str, Any], number: int) -> Iterator[str]:
    """What is wrong with one book: its name, its spec as a whole, each entry."""
    metadata = found.get("metadata")
    named = parse(_Named, {"name": metadata.get("name") if isinstance(metadata, dict) else None}, "metadata")
    name = named.value.name if named.value else f"PriceBook {number + 1}"
    yield from (f"{name}: {problem}" for problem in named.problems)
    spec = found.get("spec")
    if not isinstance(spec, dict):
        yield f"{name}: spec: write currency and entries"
        return
    whole = parse(PriceBookSpec, spec, "spec")
    yield from (f"{name}: {problem}" for problem in whole.problems)
    if whole.value is not None:
        read = price_book({"metadata": {"name": name}, "spec": spec})
        yield from (f"{name}: {problem}" for problem in read.problems)
        yield from (f"{name}: {told}" for told in _twice_within(whole.value))


def _twice_within(spec: PriceBookSpec) -> Iterator[str]:
    """Names that stand twice: the API server would refuse the whole book for them."""
    for what, names in (
        ("entries", [entry.name for entry in spec.entries]),
        ("discounts", [discount.name for discount in spec.discounts or ()]),
        ("exchangeRates", [f"{one.base}/{one.target} from {one.from_}" for one in spec.exchange_rates or ()]),
    ):
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"spec.{what}: two are called {name}: give one another name"


def _twice(objects: Iterable[Mapping[str, Any]]) -> list[str]:
    names = [str((found.get("metadata") or {}).get("name")) for found in objects if isinstance(found, dict)]
    return [f"two PriceBooks are called {name[:60]}" for name in sorted({n for n in names if names.count(n) > 1})]


def _manifest(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Name and spec alone: who publishes prices says nothing of labels, owners or finalizers here."""
    name = str(found["metadata"]["name"])
    return {"apiVersion": _API_VERSION, "kind": "PriceBook", "metadata": {"name": name}, "spec": found["spec"]}


def _first_line(problem: Exception) -> str:
    return str(problem).splitlines()[0][:200] if str(problem) else type(problem).__name__
