"""Gathers what budgets are judged by: closed windows, the open one, what runs now, and how old all of that is."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aicost.bootstrap import Application
from aicost.domain.budgets.plans import BudgetPlan
from aicost.domain.budgets.spend.running import grouped
from aicost.domain.budgets.spend.scopes import Values
from aicost.domain.coverage.auditing import wanted_by
from aicost.domain.exact.windows import Window
from aicost.domain.policy.requests import PolicySnapshot
from aicost.entrypoints.controller.state import State
from aicost.ports.measured.units import WorkloadUnit
from aicost.usecases.budgets.evaluate import World
from aicost.usecases.budgets.running import RunningPods
from aicost.usecases.budgets.seeing import Sight
from aicost.usecases.budgets.spending import Closed, Known, OpenSpend, OpenSums, Spending
from aicost.usecases.budgets.units import Achievements, UnitBook

USUAL_KEYS = ("cluster", "namespace", "workload", "stage", "gpu-model")
"""Keys by which cost is kept apart whatever budgets ask for: scopes, unit costs and nudges need them."""
_CONTROLLER = "controller"
"""Redlines judge also what no AIWorkload claims. There are far more controllers than anything else, so cost is kept
apart by them only where somebody asks."""


@dataclass(slots=True)
class Gathering:
    """Gathers, and keeps what has not changed since. Blocks: it reads the ledger.

    Attributes:
        app: the use cases.
        state: what the last computation of the open window found.
    """

    app: Application
    state: State
    _spending: Spending = field(init=False)
    _running: RunningPods = field(init=False)
    _units: UnitBook = field(init=False)
    _open: OpenSums | None = None
    _open_mark: tuple[object, ...] = ()

    def __post_init__(self) -> None:
        app, charged = self.app, self.app.charged
        self._spending = Spending(app.stores.ledger, app.cluster, app.counted)
        self._units = UnitBook(app.units)
        self._running = RunningPods(app.cluster, charged.inventory, app.books, charged.claims, charged.policies)

    def __call__(self, plans: Iterable[BudgetPlan], policies: PolicySnapshot, now_ms: int) -> World:
        """All that some budgets are evaluated against, of one moment.

        Args:
            plans: the budgets; what they filter by is kept apart.
            policies: label policies: what they want of cost is what label coverage is of.
            now_ms: the present moment.

        Raises:
            LedgerUnavailable: it cannot be read.
        """
        keys = keys_of(plans)
        closed = self._spending.closed(keys, wanted_by(policies))
        open_sums = self._open_sums(closed, keys)
        since = open_sums.spend.computed_ms or self.app.stores.inventory.epoch_ms
        running = grouped(keys, self._running(since, now_ms), since, now_ms)
        known = Known(closed, open_sums, running, self.app.stores.inventory.epoch_ms, now_ms)
        done = Achievements(self._units, known)
        return World(
            known=known,
            namespaces=self.namespaces(now_ms),
            as_of_ms=self.state.measured_ms,
            achieved=done.achieved,
            seen=Sight(known, done).seen,
            judged=done.judged,
        )

    def used(self, now_ms: int) -> Mapping[str, Mapping[str, int]]:
        """Namespace -> extended resource -> how many its pods ask for, those that wait included."""
        found: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for pod in self.app.stores.inventory.facts(Window(now_ms, now_ms + 1)).pods:
            if pod.held_until_ms is None and pod.facts.ended_ms is None:
                found[pod.facts.namespace].update(pod.facts.devices)
        return found

    def count(self, units: Sequence[WorkloadUnit], now_ms: int) -> None:
        """Count what workloads did since the last time.

        Raises:
            AicostError: the source did not answer; what was counted before stays.
        """
        self._units.refresh(units, now_ms)

    def _open_sums(self, closed: Closed, keys: Values) -> OpenSums:
        """The open window as it was computed last, without what has been closed since: nothing counts twice."""
        spend, end_ms = self.state.open, closed.end_ms or 0
        mark = (spend, end_ms, keys)
        if self._open is None or mark != self._open_mark:
            rows = tuple(row for row in spend.rows if row.window.end_ms > end_ms)
            computed = max(spend.computed_ms or 0, end_ms) or None
            self._open, self._open_mark = OpenSums(OpenSpend(rows, computed), keys), mark
        return self._open

    def namespaces(self, now_ms: int) -> Mapping[str, Mapping[str, str]]:
        """Namespaces that are there, with their labels."""
        facts = self.app.stores.inventory.facts(Window(now_ms, now_ms + 1))
        return {name: one.labels for name, one in facts.namespaces.items()}


def keys_of(plans: Iterable[BudgetPlan]) -> Values:
    """The keys by which cost has to be kept apart for some budgets."""
    every = list(plans)
    asked = sorted({key for plan in every for key in plan.filters})
    controllers = (_CONTROLLER,) if any(plan.redlines for plan in every) else ()
    return tuple(dict.fromkeys((*USUAL_KEYS, *asked, *controllers)))
