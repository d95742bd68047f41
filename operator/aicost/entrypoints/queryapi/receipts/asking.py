"""What a request asks a receipt of, held to the scope of its path."""

from collections.abc import Sequence
from dataclasses import dataclass

from aicost.crd.allocations.parameters import read_single
from aicost.domain.exact.windows import Window
from aicost.domain.receipts.subjects import Subject, SubjectKind
from aicost.domain.reporting.spans import parse_span
from aicost.entrypoints.queryapi.scopes import Scope
from aicost.ports.errors import InvalidRequest

Pairs = Sequence[tuple[str, str]]
_KINDS = {kind.value: kind for kind in SubjectKind}
_OF_THE_CLUSTER = frozenset({SubjectKind.NODE, SubjectKind.DEVICE})
_LONGEST_NAME = 253


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be explained, and over which time."""

    subject: Subject
    span: Window
    detail: Window | None


def read_wanted(pairs: Pairs, scope: Scope, now_ms: int) -> Wanted:
    """The question that parameters ask.

    Raises:
        InvalidRequest: naming the parameter, its value and the fix.
    """
    zone = read_single(pairs, "timeZone") or "UTC"
    detail = read_single(pairs, "detail")
    return Wanted(
        subject=_subject(pairs, scope),
        span=_span("window", read_single(pairs, "window") or "today", now_ms, zone),
        detail=None if detail is None else _span("detail", detail, now_ms, zone),
    )


def _subject(pairs: Pairs, scope: Scope) -> Subject:
    named = [(kind, value) for name, kind in _KINDS.items() if (value := read_single(pairs, name))]
    if len(named) != 1:
        told = f"{len(named)} things are named" if named else "nothing is named"
        raise InvalidRequest(f"pod: {told}: ask for one of {', '.join(f'{name}=NAME' for name in _KINDS)}")
    kind, name = named[0]
    if len(name) > 2 * _LONGEST_NAME:
        raise InvalidRequest(f"{kind}: {len(name)} characters are no name: write the name of one {kind}")
    if kind in _OF_THE_CLUSTER:
        if scope.filters:
            raise InvalidRequest(f"{kind}: it may be held by others too: it takes the right to see all namespaces")
        return Subject(kind, name)
    return _held(kind, name, scope)


def _held(kind: SubjectKind, name: str, scope: Scope) -> Subject:
    """A pod or a workload. `Kind/name` of a controller has a slash as well, and a kind begins with a capital."""
    first, slash, rest = name.partition("/")
    placed = bool(slash) and not first[:1].isupper()
    namespace, own = (first, rest) if placed else (scope.namespace or "", name)
    if scope.namespace is not None and namespace != scope.namespace:
        raise InvalidRequest(f"{kind}: the path is about namespace {scope.namespace}, and {name[:80]!r} is not in it")
    if not namespace or not own:
        raise InvalidRequest(f"{kind}: {name[:80]!r} names no namespace: write NAMESPACE/NAME")
    return Subject(kind, own, namespace)


def _span(name: str, text: str, now_ms: int, zone: str) -> Window:
    try:
        return parse_span(text, now_ms, zone)
    except ValueError as problem:
        raise InvalidRequest(str(problem).replace("window:", f"{name}:", 1)) from problem
