"""A ledger, what runs, and a moment: budgets evaluated against real parts, without a cluster."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from aicost.domain.budgets.evaluation import Evaluation
from aicost.domain.budgets.memory import Memory
from aicost.domain.budgets.plans import BudgetPlan
from aicost.domain.budgets.spend.running import Running, grouped
from aicost.domain.coverage.keys import TEAM
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.inventory.pods import PodRecord
from aicost.domain.ledger.rows import Holder, Place, Row
from aicost.usecases.budgets.evaluate import Asked, World, evaluate
from aicost.usecases.budgets.spending import Known, OpenSpend, OpenSums, Spending
from support.builders import make_pod
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import CLUSTER, make_posting

DOLLAR = 1_000_000_000
KEYS = ("cluster", "namespace", "workload", "stage", "gpu-model", "team", "node", "label:app")
PLACE = Place(CLUSTER, "node-1", "", "h100-80gb", "aws", "us-east-1", "", "p5.48xlarge", "on-demand")


def runs(
    namespace: str = "team-a",
    name: str = "train-0",
    *,
    dollars: int | None = 4,
    gpus: int = 1,
    since_ms: int = 0,
    until_ms: int | None = None,
    currency: str = "USD",
    owner: tuple[str, str, str] | None = ("apps/v1", "Deployment", "train"),
    notes: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    priority: int = 0,
    workload: str = "",
    place: Place = PLACE,
    **dimensions: str,
) -> Running:
    """A pod that runs, at so many dollars per hour.

    Args:
        namespace, name: of the pod.
        dollars: per hour; None: no price is known.
        gpus: how many it holds.
        since_ms, until_ms: how long it holds them.
        currency: of its price.
        owner: apiVersion, kind and name of what owns it, None for nothing.
        notes, labels: its annotations and labels.
        priority: of its PriorityClass.
        workload: the AIWorkload that claims it.
        place: where it runs.
        dimensions: such as `stage="sandbox"`.
    """
    pod = make_pod(namespace, name).gpus(gpus).on(place.node).bound(since_ms)
    controller = ("", "")
    if owner is not None:
        pod, controller = pod.owned_by(owner[1], owner[2], owner[0]), (owner[1], owner[2])
    facts = replace(pod.facts(), annotations=dict(notes or {}), labels=dict(labels or {}), priority=priority)
    rate = None if dollars is None else dollars * DOLLAR
    hour = None if rate is None else rate // gpus
    holder = Holder(namespace, name, facts.uid, *controller, workload, dict(dimensions), {}, dict(labels or {}))
    record = PodRecord(facts, seen_ms=since_ms, held_until_ms=until_ms)
    return Running(record, place, holder, gpus * 1000, rate, currency, until_ms is None, hour)


@dataclass
class Books:
    """What budgets are evaluated against.

    Attributes:
        open: rows of windows that are not posted yet.
        computed_ms: the moment that they are computed for.
        namespaces: name -> labels.
        world: more of `World`, such as `achieved`.
    """

    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    open: tuple[Row, ...] = ()
    computed_ms: int | None = None
    pods: Sequence[Running] = ()
    epoch_ms: int = 0
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    world: dict[str, Any] = field(default_factory=dict)
    keys: tuple[str, ...] = KEYS

    def post(self, rows: Iterable[Row], window: Window) -> "Books":
        """Post a window, or one more revision of it."""
        before = self.ledger.revision(CLUSTER, window)
        revision = 0 if before is None else before + 1
        fitting = (replace(row, window=window, revision=revision) for row in rows)
        self.ledger.post(make_posting(*fitting, window=window, revision=revision))
        return self

    def known(self, now_ms: int) -> Known:
        """What is known at a moment."""
        closed = Spending(self.ledger, CLUSTER).closed(self.keys, (TEAM,))
        since = self.computed_ms if self.computed_ms is not None else closed.end_ms or self.epoch_ms
        running = grouped(self.keys, tuple(self.pods), since, now_ms)
        return Known(
            closed, OpenSums(OpenSpend(self.open, self.computed_ms), self.keys), running, self.epoch_ms, now_ms
        )

    def around(self, now_ms: int) -> World:
        """The world at a moment, its figures fresh."""
        more = {"as_of_ms": now_ms, **self.world}
        return World(self.known(now_ms), self.namespaces, **more)

    def evaluate(self, plan: BudgetPlan, now_ms: int, memory: Memory | None = None, **more: Any) -> Evaluation:
        """One budget at one moment."""
        return evaluate(Asked(plan, memory or Memory(), **more), self.around(now_ms))


def hours(start_ms: int, count: int) -> list[Window]:
    """So many windows of an hour, from a moment on."""
    return [Window(start_ms + at * HOUR_MS, start_ms + (at + 1) * HOUR_MS) for at in range(count)]
