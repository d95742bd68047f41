"""All money of a span by who or what it is for: by the labels of pods, and by gateways where pods have none.

What has a label belongs to it, whoever asked. What has none and serves models is divided among those who asked, as
gateways count. The rest belongs to nobody. All of it sums to the ledger, to the last nano-unit.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import UNTAGGED, Dimension
from aicost.domain.serving.counted import WHO
from aicost.ports.ledger import LedgerReader
from aicost.usecases.economics.cost_units import Counted, UnitQuestion, cost_of, runs_of
from aicost.usecases.economics.spend.with_accounts import with_accounts

Filters = Mapping[str, tuple[str, ...]]
Share = tuple[str, str, str]
"""Who asked, the step of the endpoint, and the currency."""


@dataclass(frozen=True, slots=True)
class Divided:
    """The money of a span in one currency.

    Attributes:
        labelled: value -> what pods and bills with this label cost.
        shared: value -> what it asked of endpoints without a label.
        nobody_nanos: what is left: no label, and nobody asked for it by name.
    """

    currency: str
    labelled: Mapping[str, int] = field(default_factory=dict)
    shared: Mapping[str, int] = field(default_factory=dict)
    nobody_nanos: int = 0


def divided(
    reader: LedgerReader, counted: Counted, span: Window, dimension: Dimension, filters: Filters, *, cluster: str
) -> tuple[Divided, ...]:
    """Divide the money of the windows that were counted, one answer per currency.

    Args:
        reader: the ledger; bills of third parties beside the cluster count too.
        counted: what engines and gateways counted, with who asked by this dimension.
        span: which time.
        dimension: by what.
        filters: of the ledger: what counts.
        cluster: its key in the ledger.

    Raises:
        LedgerUnavailable: the money cannot be read.
    """
    whole = with_accounts(reader, cluster)
    labelled: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for run in runs_of(counted.windows):
        for one in whole.sums(run, (dimension.value,), filters, cluster=cluster):
            if one.currency:
                labelled[one.currency][one.keys[0]] += one.cost_nanos
    shared: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for (value, _, currency), nanos in shares(reader, counted, span, dimension, filters, cluster=cluster).items():
        shared[currency][value] += nanos
    wanted = filters.get(dimension.value)
    return tuple(
        _divided(currency, labelled[currency], shared[currency], wanted)
        for currency in sorted(labelled.keys() | shared.keys())
    )


def _divided(
    currency: str, labelled: Mapping[str, int], shared: Mapping[str, int], wanted: Collection[str] | None
) -> Divided:
    """One currency. Where some names alone are wanted, what belongs to nobody counts only if it is wanted too."""
    nobody = labelled.get("", 0) - sum(shared.values()) if wanted is None or UNTAGGED in wanted else 0
    named = {value: nanos for value, nanos in labelled.items() if value}
    asked = {value: nanos for value, nanos in shared.items() if wanted is None or value in wanted}
    return Divided(currency, named, asked, nobody)


def shares(
    reader: LedgerReader, counted: Counted, span: Window, dimension: Dimension, filters: Filters, *, cluster: str
) -> Mapping[Share, int]:
    """What each value asked of endpoints that have no label for this dimension, whichever values are wanted.

    Errors as of `divided`.
    """
    if dimension not in WHO:
        return {}
    unlabelled = {**filters, dimension.value: (UNTAGGED,)}
    question = UnitQuestion(("namespace", "workload", "controller", "step"), unlabelled, dimension)
    found: dict[Share, int] = defaultdict(int)
    for line in cost_of(reader, counted, span, question, cluster=cluster).lines:
        for one in line.tenancy.shares if line.tenancy else ():
            if one.tenant:
                found[one.tenant, line.keys[-1], line.costs.spent.currency] += one.cost_nanos
    return found
