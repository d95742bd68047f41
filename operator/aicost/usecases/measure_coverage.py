"""Measure label coverage, and take the inventory: one query to the ledger, joined with the last audit of objects."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from aicost.domain.coverage.inventory import INVENTORY_KEYS, Inventory, Paid, take_inventory
from aicost.domain.coverage.keys import TEAM, WantedKey, group_keys
from aicost.domain.coverage.objects import Audit, LastAudit
from aicost.domain.coverage.report import CoverageInput, CoverageReport, cover
from aicost.domain.coverage.spend import Spend, spends_of
from aicost.domain.exact.windows import DAY_MS, Window
from aicost.domain.ledger.rows import Component
from aicost.domain.reporting.query import Report, ReportQuery
from aicost.domain.reporting.question import COMPONENT, NAMESPACE
from aicost.domain.reporting.ratios import price_coverage, telemetry_coverage
from aicost.domain.reporting.spans import parse_span
from aicost.ports.errors import InvalidRequest
from aicost.ports.ledger import LedgerReader
from aicost.usecases.build_report import build_reports

SINCE = "30d"
"""The time that is looked at where none is named."""
UNUSED_DAYS = 30


def read_since(since: str, now_ms: int) -> Window:
    """The time to look at.

    Raises:
        InvalidRequest: it is no window; the message names the fix.
    """
    try:
        return parse_span(since, now_ms)
    except ValueError as problem:
        raise InvalidRequest(str(problem).replace("window:", "since:", 1)) from problem


def measure_coverage(
    reader: LedgerReader,
    since: str,
    last: LastAudit,
    now_ms: int,
    *,
    namespace: str | None = None,
    cluster: str | None = None,
) -> tuple[CoverageReport, ...]:
    """One coverage report per currency, the largest first; at least one.

    Args:
        reader: a snapshot of the ledger.
        since: a window expression, such as `90d`.
        last: the last look at the objects, of the whole cluster, if there is one.
        now_ms: the present moment.
        namespace: the one namespace to look at; nothing of another one is in the answer.
        cluster: the cluster to report on, None for all that the ledger knows.

    Raises:
        InvalidRequest: `since` makes no sense.
        LedgerUnavailable: the ledger cannot be read.
    """
    # 1. What is asked, and what is known of the objects in scope.
    span, audit = read_since(since, now_ms), _within(last.audit, namespace)
    # 2. What the ledger says, for the time asked and for the days in which a value must be used.
    given = _gather(reader, span, audit, now_ms, namespace, cluster)
    # 3. Put together, by the rules of the domain.
    return tuple(cover(replace(one, unaudited=last.why_none)) for one in given)


def measure_policies(reader: LedgerReader, audit: Audit, now_ms: int, *, cluster: str) -> Mapping[str, CoverageReport]:
    """Label coverage with the eyes of each policy that has keys, by its name, in the largest currency.

    Raises:
        LedgerUnavailable: the ledger cannot be read.
    """
    # 1. One question to the ledger, which answers for the keys of all policies.
    given = _gather(reader, read_since(SINCE, now_ms), audit, now_ms, None, cluster)[0]
    # 2. What each policy sees of it.
    return {
        policy.name: cover(replace(given, keys=policy.keys, audit=audit.of_policy(policy)))
        for policy in audit.policies
        if policy.keys
    }


def list_inventory(
    reader: LedgerReader,
    since: str,
    last: LastAudit,
    now_ms: int,
    *,
    namespace: str | None = None,
    cluster: str | None = None,
) -> Inventory:
    """Every AI workload of a namespace, or of all; arguments and errors as of `measure_coverage`."""
    span, audit = read_since(since, now_ms), _within(last.audit, namespace)
    reports = _ask(reader, span, INVENTORY_KEYS, namespace, cluster)
    paid = [Paid(report.currency, spends_of(report, INVENTORY_KEYS)) for report in reports]
    return take_inventory(span, reports[0].covered, paid, audit, last.why_none)


def _within(audit: Audit | None, namespace: str | None) -> Audit | None:
    """The audit of one namespace."""
    return audit if audit is None or namespace is None else audit.of_namespace(namespace)


def _gather(
    reader: LedgerReader, span: Window, audit: Audit | None, now_ms: int, namespace: str | None, cluster: str | None
) -> tuple[CoverageInput, ...]:
    """What reports rest on, one per currency, the largest first."""
    keys = audit.keys if audit else (TEAM,)
    days = max((one.unused_days for one in audit.policies), default=UNUSED_DAYS) if audit else UNUSED_DAYS
    recent = _recent(reader, Window(max(0, now_ms - days * DAY_MS), now_ms), keys, namespace, cluster)
    return tuple(
        CoverageInput(
            currency=report.currency,
            span=span,
            covered=report.covered,
            keys=keys,
            spends=spends_of(report, keys),
            recent=recent,
            unused_days=days,
            telemetry=telemetry_coverage(report.total),
            price=price_coverage(report.total),
            audit=audit,
            everywhere=namespace is None,
        )
        for report in _ask(reader, span, keys, namespace, cluster)
    )


def _ask(
    reader: LedgerReader, span: Window, keys: Sequence[WantedKey], namespace: str | None, cluster: str | None
) -> tuple[Report, ...]:
    gpus: dict[str, tuple[str, ...]] = {COMPONENT: (Component.GPU.value,)}  # coverages speak of the cost of GPUs
    filters = gpus if namespace is None else {**gpus, NAMESPACE: (namespace,)}
    return build_reports(reader, ReportQuery(span, group_keys(keys), filters), cluster=cluster)


def _recent(
    reader: LedgerReader, span: Window, keys: Sequence[WantedKey], namespace: str | None, cluster: str | None
) -> tuple[Spend, ...] | None:
    """What carried values lately, in any currency; None where the ledger does not reach back so far."""
    reports = _ask(reader, span, keys, namespace, cluster)
    covered = reports[0].covered
    if covered is None or covered.start_ms > span.start_ms:
        return None
    return tuple(spend for report in reports for spend in spends_of(report, keys))
