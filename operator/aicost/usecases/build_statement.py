"""State what a payer owes for a time, or what each payer does: a plain document that adds up to the ledger."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.reporting.covering import Covering, covering
from aicost.domain.reporting.keys import check_keys, passes
from aicost.domain.reporting.query import ReportQuery
from aicost.domain.reporting.question import NAMESPACE
from aicost.domain.reporting.rollup import Gathered, contributions
from aicost.domain.reporting.spans import parse_span
from aicost.domain.statements.accounts import Terms, make_parts
from aicost.domain.statements.adjusting import Postings, postings
from aicost.domain.statements.corrections import REASON_KEY
from aicost.domain.statements.document import Document, Period, Statement, statement_document
from aicost.domain.statements.gathering import CLUSTER_KEY, Moment, Sums
from aicost.domain.statements.identity import posted
from aicost.domain.statements.rules import read_rule
from aicost.domain.statements.values import POSTING_KEY, Keys, Part, SharedRule, Spread
from aicost.ports.errors import InvalidRequest
from aicost.ports.ledger import LedgerReader
from aicost.usecases.build_report import gather

_COST_CENTER, _TEAM = Dimension.COST_CENTER.value, Dimension.TEAM.value
_DETAILS = (NAMESPACE, "workload", "controller", Dimension.MODEL.value, Dimension.FEATURE.value)
_LONGEST_VALUE = 253


@dataclass(frozen=True, slots=True)
class StatementRequest:
    """What a person wants to have stated.

    Attributes:
        window: a window expression, such as `2026-10`.
        payer: key -> value of whom it is for, such as `team: vision`; empty for an account of each payer.
        per: the key that names payers where `payer` is empty.
        by: group keys of the lines, the first one with subtotals; empty for the usual ones.
        shared: name of a `Spread`.
        shared_buckets: what is shared; empty for all that may be.
        shares: payer -> share, for the rule `fixed`.
        limit: lines of an account before the rest is summed in one; None for all.
        open_books: whether to read and tell what others owe, and the ledger's total. Without it nothing is shared: who
            does not see the whole cannot check a share of it. A payer is then named, and no group of another is read.
    """

    window: str
    payer: Mapping[str, str] = field(default_factory=dict)
    per: str = _COST_CENTER
    by: Keys = ()
    time_zone: str = "UTC"
    shared: str = Spread.NONE.value
    shared_buckets: tuple[str, ...] = ()
    shares: Mapping[Any, Any] | None = None
    limit: int | None = None
    open_books: bool = True


@dataclass(frozen=True, slots=True)
class Earlier:
    """The ledger as it stood when an earlier statement was issued.

    Attributes:
        versions: the version of each ledger that is read, for the record.
    """

    reader: LedgerReader
    versions: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that makes sense."""

    request: StatementRequest
    span: Window
    rule: SharedRule
    payer_keys: Keys
    keys: Keys

    @property
    def filters(self) -> Mapping[str, tuple[str, ...]]:
        """What the rows of the stated payer have in common."""
        return {key: (value,) for key, value in self.request.payer.items()}

    @property
    def books(self) -> Mapping[str, tuple[str, ...]]:
        """What all rows have in common that are read at all."""
        return {} if self.request.open_books else self.filters


def check_request(request: StatementRequest, now_ms: int) -> Asked:
    """What the request means.

    Raises:
        InvalidRequest: it makes no sense; the message names the field, the value and the fix.
    """
    payer_keys = tuple(request.payer) or (request.per,)
    try:
        span = parse_span(request.window, now_ms, request.time_zone)
        check_keys(payer_keys, "payer" if request.payer else "per")
        check_keys(request.by, "by")
        rule = read_rule(request.shared, request.shared_buckets, request.shares)
    except ValueError as problem:
        raise InvalidRequest(str(problem)) from problem
    for key, value in request.payer.items():
        if not 0 < len(value) <= _LONGEST_VALUE:
            raise InvalidRequest(f"{key}: {value[:40]!r} is no name: write one of 1 to {_LONGEST_VALUE} characters")
    if request.limit is not None and request.limit < 1:
        raise InvalidRequest(f"limit: {request.limit} lines are none: ask for at least 1")
    if rule.spread is Spread.FIXED and len(payer_keys) != 1:
        raise InvalidRequest(f"shared: fixed shares are of one key, not of {' and '.join(payer_keys)}: name one payer")
    _check_books(request, rule)
    return Asked(request, span, rule, payer_keys, request.by or _usual(request))


def _check_books(request: StatementRequest, rule: SharedRule) -> None:
    if request.open_books:
        return
    if rule.spread is not Spread.NONE:
        raise InvalidRequest(
            f"shared: {rule.spread.value!r} takes the right to see all namespaces: use none, or ask for all of them"
        )
    if not request.payer:
        raise InvalidRequest("payer: all of them takes the right to see all namespaces: name one, such as your team")


def _usual(request: StatementRequest) -> Keys:
    """The lines that are useful for a payer: by cost centre, then in detail; for all payers, an overview."""
    if not request.payer:
        return (_TEAM,) if request.per != _TEAM else (_COST_CENTER,)
    first = (_TEAM,) if _COST_CENTER in request.payer else (_COST_CENTER,)
    return tuple(key for key in (*first, *_DETAILS) if key not in request.payer)


def build_statement(
    reader: LedgerReader,
    request: StatementRequest,
    now_ms: int,
    *,
    cluster: str | None = None,
    earlier: Earlier | None = None,
    ledgers: Iterable[Mapping[str, Any]] = (),
) -> Document:
    """The statement, as a document that can be sent, kept and rendered.

    Args:
        reader: a snapshot of the ledger.
        request: what is stated.
        now_ms: the present moment.
        cluster: the cluster to state, None for all that the ledger knows.
        earlier: the ledger as it stood at an earlier statement: adjustments are what was posted since. None: they are
            all difference rows, so that the figures before them are those of the first posting of each window.
        ledgers: which ledgers are read, for the record: a place and a version each.

    Raises:
        InvalidRequest: the request makes no sense.
        LedgerUnavailable: the ledger cannot be read.
    """
    # 1. Check the request before anything is read.
    asked = check_request(request, now_ms)
    # 2. What the ledger holds, now and then; and by which postings.
    everyone = _gather(reader, asked, cluster, _everyone_keys(asked), asked.books)
    now = _moment(reader, asked, cluster, everyone)
    then = now.first_postings() if earlier is None else _earlier(earlier.reader, asked, cluster)
    known = _postings(reader, asked, cluster, asked.books)
    # 3. Own cost, shared costs and adjustments, by the rules of the domain.
    values = tuple(request.payer.values()) if request.payer else None
    parts = make_parts(Terms(asked.rule, values, asked.keys, request.limit), now, then)
    # 4. The document, with its number.
    statement = Statement(
        period=_period(reader, asked, cluster, everyone, now_ms),
        payer=request.payer,
        payer_keys=asked.payer_keys,
        keys=asked.keys,
        rule=asked.rule,
        parts=_dated(parts, _postings(reader, asked, cluster, asked.filters) if request.payer else known),
        posted=posted(known, _bounds(reader, asked.span)),
        ledgers=tuple(ledgers),
        baseline=None if earlier is None else earlier.versions,
        open_books=request.open_books,
        near=_near(request, parts, now),
        covering=_covering(everyone, now),
    )
    return statement_document(statement, now_ms)


def _everyone_keys(asked: Asked) -> Keys:
    return tuple(dict.fromkeys((CLUSTER_KEY, *asked.payer_keys, REASON_KEY)))


def _gather(
    reader: LedgerReader, asked: Asked, cluster: str | None, keys: Keys, filters: Mapping[str, tuple[str, ...]]
) -> Gathered:
    return gather(reader, ReportQuery(asked.span, keys, filters), asked.span, cluster)


def _moment(reader: LedgerReader, asked: Asked, cluster: str | None, everyone: Gathered) -> Moment:
    every, lines = _everyone_keys(asked), tuple(dict.fromkeys((*asked.payer_keys, *asked.keys, REASON_KEY)))
    found = _gather(reader, asked, cluster, lines, asked.filters)
    return Moment(
        everyone=Sums(every, asked.payer_keys, contributions(ReportQuery(asked.span, every, asked.books), everyone)),
        lines=Sums(lines, asked.payer_keys, contributions(ReportQuery(asked.span, lines, asked.filters), found)),
    )


def _earlier(reader: LedgerReader, asked: Asked, cluster: str | None) -> Moment:
    return _moment(reader, asked, cluster, _gather(reader, asked, cluster, _everyone_keys(asked), asked.books))


def _postings(
    reader: LedgerReader, asked: Asked, cluster: str | None, filters: Mapping[str, tuple[str, ...]]
) -> Postings:
    """Which postings the closed rows are of; the open window is none."""
    keys = (CLUSTER_KEY, REASON_KEY, POSTING_KEY)
    found = _gather(reader, asked, cluster, keys, filters)
    edges = [row for row in found.edges if passes(row, filters)]
    return postings(found.sums, edges)


def _period(reader: LedgerReader, asked: Asked, cluster: str | None, everyone: Gathered, now_ms: int) -> Period:
    span = asked.span
    clusters = [cluster] if cluster is not None else list(reader.clusters())
    ends = [window.end_ms for name in clusters if (window := reader.last_window(name)) is not None]
    closed = bool(ends) and span.end_ms <= min(ends) and span.end_ms < now_ms
    return Period(
        label=asked.request.window.strip(),
        span=span,
        time_zone=asked.request.time_zone,
        complete=closed and everyone.covered == span,
        prorated=everyone.cut,
        covered=everyone.covered,
    )


def _bounds(reader: LedgerReader, span: Window) -> dict[str, Window]:
    """The part of the span between the first window of each cluster and its last one."""
    found: dict[str, Window] = {}
    for name in reader.clusters():
        first, last = reader.first_window(name), reader.last_window(name)
        if first and last and (part := Window(first.start_ms, last.end_ms).overlap(span)):
            found[name] = part
    return found


def _dated(parts: Iterable[Part], known: Postings) -> tuple[Part, ...]:
    return tuple(part.with_windows(known.beside) for part in parts)


def _near(request: StatementRequest, parts: Iterable[Part], now: Moment) -> tuple[str, ...]:
    """Payers with a cost that are spelt like the one that was named and has none."""
    if len(request.payer) != 1 or not request.open_books or any(a.lines for part in parts for a in part.accounts):
        return ()
    (value,) = request.payer.values()
    there = sorted({payer[0] for payer in now.payers() if payer[0]})
    return tuple(get_close_matches(value, there, n=3))


def _covering(everyone: Gathered, now: Moment) -> Covering:
    """Which components are in no amount, or in part; of the whole ledger, whoever is stated."""
    if everyone.everything is not None:
        return covering(everyone.everything)
    return covering(item.group for item in now.everyone.items)
