"""AICostReport and ClusterAICostReport: a question in the spec, its answer in the status."""

import re
from typing import Annotated, ClassVar

from pydantic import Field

from aicost.crd.fields.amounts import GpuHours, Millis, Nanos, Readable, Share
from aicost.crd.fields.conditions import Reported
from aicost.crd.fields.text import Moment, Timestamp, TimeZone, moment_cel, moment_ms, unique
from aicost.crd.models.figures import CurrencyTotal, Span, Summary
from aicost.crd.models.units import RowUnits
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import ATOMIC_LIST, ATOMIC_MAP, SET_LIST, Rule, map_list, matches
from aicost.domain.exact.windows import DAY_MS
from aicost.domain.reporting.query import GROUP_KEYS, IdlePolicy

MAX_DAYS = 400
"""Longest span of a report, in days."""
_GROUP_KEY = rf"{'|'.join(GROUP_KEYS)}|label:[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?"
_KEYS_IN_WORDS = f"{', '.join(GROUP_KEYS)}, or label:KEY for any label of the pod"

WindowName = Annotated[
    str,
    Field(max_length=16),
    matches(
        r"today|yesterday|this-week|last-week|month-to-date|mtd|last-month|\d{4}-(0[1-9]|1[0-2])(-\d{2})?"
        r"|[1-9]\d{0,4}m|([1-9]\d{0,2}|[1-8]\d{3}|9[0-5]\d\d|9600)h"
        r"|([1-9]|[1-9]\d|[1-3]\d\d|400)d|([1-9]|[1-4]\d|5[0-7])w",
        "write today, yesterday, this-week, last-week, month-to-date, last-month, a month such as 2026-10, "
        "a day such as 2026-10-05, or a time up to now such as 90m, 24h, 7d or 2w (at most 400d); "
        "for other spans use range",
    ),
]
GroupKey = Annotated[str, Field(max_length=253), matches(_GROUP_KEY, f"group by one of {_KEYS_IN_WORDS}")]

GroupBy = Annotated[list[GroupKey], Field(min_length=1, max_length=6), ATOMIC_LIST, unique("key")]


class Range(ApiModel):
    """A span of time with fixed ends."""

    rules = (
        Rule(
            f"{moment_cel('self.from')} < {moment_cel('self.to')}",
            "from must be before to: swap them",
            lambda span: moment_ms(span.from_) < moment_ms(span.to),
        ),
        Rule(
            f"{moment_cel('self.to')} - {moment_cel('self.from')} <= duration('{MAX_DAYS * 24}h')",
            f"a report spans at most {MAX_DAYS} days: bring from and to closer together",
            lambda span: moment_ms(span.to) - moment_ms(span.from_) <= MAX_DAYS * DAY_MS,
        ),
    )

    from_: Annotated[Moment, Field(alias="from")]
    """Start, included: a day (its midnight in the time zone of the report) or an RFC 3339 time."""
    to: Moment
    """End, not included: a day (its midnight in the time zone of the report) or an RFC 3339 time."""


Filter = Annotated[
    dict[str, Annotated[list[Annotated[str, Field(max_length=253)]], Field(min_length=1, max_length=100), ATOMIC_LIST]],
    Field(max_length=16),
    Rule(
        f"self.all(key, key.matches(r'^({_GROUP_KEY})$'))",
        f"filter by {_KEYS_IN_WORDS}",
        lambda chosen: all(re.fullmatch(_GROUP_KEY, key) for key in chosen),
    ),
]


class ReportSpec(ApiModel):
    """What to report."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!(has(self.window) && has(self.range))",
            "give window or range, not both: window is a span up to now, range has fixed ends",
            lambda spec: spec.window is None or spec.range is None,
        ),
    )

    window: WindowName | None = None
    """A span up to now: month-to-date (also where neither window nor range is given), today, yesterday, this-week,
    last-week, last-month, a month such as 2026-10, a day such as 2026-10-05, or a time up to now such as 90m, 24h, 7d
    or 2w."""
    range: Range | None = None
    """A span with fixed ends, in place of window."""
    time_zone: TimeZone | None = None
    """IANA time zone in which days, weeks and months begin. The controller's setting, where absent."""
    filter: Filter | None = None
    """Only what matches: for each key the values to accept. Keys are those of groupBy."""
    idle: IdlePolicy = IdlePolicy.TO_HOLDER
    """Who carries what nobody used; the total is the same. to-holder: idle time of a GPU stays with the pod that held
    it. separate: it stands apart. weighted: also what nobody held is spread over the rows by their cost. even: in equal
    parts."""
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    """Rows to show, the costliest first; the rest is summed in one row more."""
    compare: bool = True
    """Whether to compare with the span before: what began with a month with the same part of the month before, all else
    with the span of equal length before."""


class AICostReportSpec(ReportSpec):
    """What to report about this namespace."""

    rules = (
        *ReportSpec.rules,
        Rule(
            "!has(self.filter) || !self.filter.exists(key, key == 'namespace' || key == 'cluster')",
            "an AICostReport covers its own namespace: take namespace and cluster out of filter, "
            "or use a ClusterAICostReport",
            lambda spec: not {"namespace", "cluster"} & set(spec.filter or ()),
        ),
    )

    group_by: GroupBy = Field(default=["controller"])
    """Keys that make a row, in their order: cluster, namespace, node, region, provider, gpu-model, pod, controller,
    workload, a dimension such as team or model, or label:KEY for any label of the pod."""


class ClusterAICostReportSpec(ReportSpec):
    """What to report about the cluster."""

    group_by: GroupBy = Field(default=["namespace"])
    """Keys that make a row, in their order: cluster, namespace, node, region, provider, gpu-model, pod, controller,
    workload, a dimension such as team or model, or label:KEY for any label of the pod."""


class RowBuckets(ApiModel):
    """What the money of a row was for. One that is absent is zero."""

    used: Nanos | None = None
    """The GPU was busy."""
    allocated_idle: Nanos | None = None
    """The GPU was held and idle."""
    allocated_unmeasured: Nanos | None = None
    """The GPU was held and nothing was measured."""
    unallocated: Nanos | None = None
    """No pod held the GPU."""
    stranded: Nanos | None = None
    """A part of the GPU that no profile fits into any more."""
    unhealthy: Nanos | None = None
    """The GPU was paid for and lost."""
    system: Nanos | None = None
    """Held by exporters and diagnostics."""
    unattributed: Nanos | None = None
    """Busy time that belongs to no known pod."""


class ReportRow(ApiModel):
    """One group."""

    keys: Annotated[dict[str, str], ATOMIC_MAP]
    """The values of the group, by key. Empty in the row that sums what is beyond the limit."""
    groups: int | None = None
    """How many groups the row sums. Given in the row that sums what is beyond the limit."""
    currency: str
    """ISO 4217 code."""
    cost: Readable
    """Cost for people; `unpriced` where nothing has a price."""
    cost_nanos: Nanos | None = None
    """Cost, exact: the sum of the buckets and of what the idle policy spread over the row. Absent where nothing has a
    price, or beyond 64 bits."""
    spread_nanos: Nanos | None = None
    """What the idle policy spread over the row; part of the cost."""
    share: Share | None = None
    """The row's part of the total of its currency."""
    previous_cost_nanos: Nanos | None = None
    """Cost of the span before. Absent where nothing is known of it."""
    change: Share | None = None
    """Change against the span before, with its sign; `new` where there was no cost before."""
    gpu_hours: GpuHours
    """Device time, priced or not."""
    gpu_milliseconds: Millis
    """Device time, priced or not, exact."""
    utilisation: Share | None = None
    """GPU time in use over GPU time held and measured. Absent where nothing was measured."""
    buckets: RowBuckets | None = None
    """The cost by what it was for."""
    unit_costs: RowUnits | None = None
    """What a token, a request and a success cost, where engines were heard in pods of the row: of the closed windows
    that were counted alone."""


class LabelCoverage(ApiModel):
    """How much of the held cost carries one dimension."""

    dimension: str
    """The dimension, for example team."""
    coverage: Share
    """Share of the held cost with a value for it."""
    tagged_nanos: Nanos | None = None
    """The held cost with a value for it, in the currency of the first total."""


class Coverages(ApiModel):
    """What the figures rest on."""

    telemetry: Share | None = None
    """Share of device time with samples behind it."""
    price: Share | None = None
    """Share of device time with a price."""
    labels: Annotated[list[LabelCoverage], Field(max_length=32), map_list("dimension")] | None = None
    """Share of the held cost that names each dimension."""


class SeparateIdle(ApiModel):
    """Cost that no row carries, in one currency."""

    currency: str
    """ISO 4217 code."""
    cost: Readable
    """Amount for people; `unpriced` where nothing has a price."""
    cost_nanos: Nanos | None = None
    """Amount, exact: the rows and this sum to the total of the currency."""
    buckets: RowBuckets | None = None
    """The amount by what it was for."""


class ReportStatus(Reported):
    """The answer."""

    window: Span | None = None
    """The span that was asked for, resolved."""
    covered: Span | None = None
    """The part of it that the ledger and the open window answer for."""
    previous_window: Span | None = None
    """The span that is compared with."""
    summary: Summary | None = None
    """The figures as the columns of kubectl get show them."""
    totals: Annotated[list[CurrencyTotal], Field(max_length=16), map_list("currency")] | None = None
    """Sums over everything, one item per currency: amounts of different currencies are never added."""
    rows: Annotated[list[ReportRow], Field(max_length=216), ATOMIC_LIST] | None = None
    """The groups, the costliest first, and one row per currency for what is beyond the limit."""
    idle: Annotated[list[SeparateIdle], Field(max_length=16), map_list("currency")] | None = None
    """Cost that no row carries under the idle policy; rows and this sum to the total."""
    coverage: Coverages | None = None
    """What the figures rest on."""
    list_prices: bool | None = None
    """Whether a part of the cost rests on public list prices and not on what you pay."""
    prorated: bool | None = None
    """Whether a bound lies inside a billing window, whose cost was then divided by time."""
    partly_covered: Annotated[list[str], Field(max_length=8), SET_LIST] | None = None
    """Components of which a part has no price and is in no amount."""
    not_covered: Annotated[list[str], Field(max_length=8), SET_LIST] | None = None
    """Components that nothing measures or prices: they are not in the cost, and not zero."""
    data_through: Timestamp | None = None
    """End of the last closed window that the figures hold."""
    updated_at: Timestamp | None = None
    """When the report was last computed."""


class AICostReport(ApiModel):
    """What AI workloads of this namespace cost over a span of time."""

    spec: AICostReportSpec
    """What to report."""
    status: ReportStatus | None = None
    """The answer. Written by the controller alone."""


class ClusterAICostReport(ApiModel):
    """What AI workloads of the cluster cost over a span of time."""

    spec: ClusterAICostReportSpec
    """What to report."""
    status: ReportStatus | None = None
    """The answer. Written by the controller alone."""
