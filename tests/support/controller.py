"""The controller's parts over a ledger in memory and real journals: `make_world(tmp_path)` and objects of our kinds."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from aicost.adapters.journal.inventory import InventoryJournal
from aicost.adapters.journal.samples import SampleJournal
from aicost.adapters.ledger.outcomes.store import DeltaOutcomes
from aicost.adapters.ledger.place import LedgerPlace
from aicost.bootstrap import Application, Stores, build
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, to_rfc3339
from aicost.domain.ledger.rows import Row
from aicost.entrypoints.controller.attempts import Attempts
from aicost.entrypoints.controller.budgets.answering import BudgetAnswers, Doings
from aicost.entrypoints.controller.budgets.evaluating import Evaluator, Round
from aicost.entrypoints.controller.budgets.gathering import Gathering
from aicost.entrypoints.controller.budgets.reading import Reader
from aicost.entrypoints.controller.labels.snapshot import label_snapshot
from aicost.entrypoints.controller.publish.answering import Unanswered, answer_all
from aicost.entrypoints.controller.publish.saying import Answer
from aicost.entrypoints.controller.registry import Registry
from aicost.entrypoints.controller.state import SourceState, State
from aicost.settings import Settings, parse_settings
from aicost.telemetry.metrics import METRICS, Metrics
from aicost.usecases.economics.outcomes.remembered import RememberedOutcomes
from support.crd_samples import resource
from support.fakes.counts import MemoryCounts
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import CLUSTER, HOUR_0, make_posting

NOW = HOUR_0.end_ms + 10 * MINUTE_MS
"""Ten minutes after the first hour of the ledger."""
SCRAPES = SourceState("scrape", "direct scrapes of 2 dcgm-exporter pods")


@dataclass
class World:
    """What the controller has at hand.

    Attributes:
        objects: our objects as the API server would show them.
    """

    app: Application
    ledger: MemoryLedger
    state: State
    metrics: Metrics
    registry: Registry = field(default_factory=Registry)
    objects: list[dict[str, Any]] = field(default_factory=list)

    @property
    def attempts(self) -> Attempts:
        return Attempts(self.state, self.metrics)

    def post(self, *rows: Row) -> "World":
        """Close the first hour with these rows."""
        self.ledger.post(make_posting(*rows))
        self.state.last_closed = HOUR_0
        return self

    def answer(self, body: dict[str, Any], now_ms: int = NOW) -> Answer | Unanswered:
        """The status of one object."""
        (found,) = self.answers([body], now_ms)
        return found

    def answers(self, bodies: Iterable[dict[str, Any]], now_ms: int = NOW) -> list[Answer | Unanswered]:
        """The statuses of some objects."""
        by_kind: dict[str, list[dict[str, Any]]] = {}
        for body in bodies:
            by_kind.setdefault(body["kind"], []).append(body)
        return list(answer_all(self.app, self.state, by_kind, now_ms))


@dataclass
class BudgetWorld:
    """Budgets over a world: evaluated round after round, without an API server."""

    world: World
    evaluator: Evaluator = field(default_factory=Evaluator)

    def __post_init__(self) -> None:
        self.reader, self.gathering = Reader("UTC"), Gathering(self.world.app, self.world.state)

    def round(self, now_ms: int = NOW) -> Round:
        """Evaluate what the registry has."""
        readings = self.reader(self.world.registry)
        policies = label_snapshot(self.world.app, self.world.registry, self.world.state)
        world = self.gathering([one.value for one in readings.budgets], policies, now_ms)
        return self.evaluator(readings, world)

    def answers(self, done: Round) -> dict[tuple[str, str], Answer | Unanswered]:
        """The statuses of one round, by kind and name."""
        found, memories = BudgetAnswers(self.world.app, self.world.state), self.evaluator.memories
        budgets = [found.budget(one, Doings(), memories[one.uid]) for one in done.evaluated]
        every = [*budgets, *found.overrides(done), *found.others(done)]
        return {(one.body["kind"], one.body["metadata"]["name"]): one for one in every}

    def answer(self, body: dict[str, Any], now_ms: int = NOW) -> Answer | Unanswered:
        """The status of one budget or request, with what else is there."""
        self.world.registry.put(body)
        return self.answers(self.round(now_ms))[body["kind"], body["metadata"]["name"]]


def make_world(folder: Path, settings: Settings | None = None, epoch_ms: int = HOUR_0.start_ms) -> World:
    """Everything but the API server. The caller closes `app.stores`."""
    chosen = settings or Settings()
    ledger, metrics = MemoryLedger(), Metrics()
    stores = Stores(
        InventoryJournal(folder / "journal.sqlite", epoch_ms),
        SampleJournal(folder / "samples.sqlite", 15_000),
        ledger,
        MemoryCounts(),
        outcomes=RememberedOutcomes(DeltaOutcomes(LedgerPlace(str(folder / "ledger")))),
        engine_samples=SampleJournal(folder / "engines.sqlite", 30_000),
    )
    state = State(CLUSTER, source=SCRAPES)
    return World(build(chosen, CLUSTER, stores, metrics, lambda: True), ledger, state, metrics)


def settings_with(**sections: dict[str, Any]) -> Settings:
    """Settings with some sections as in the file."""
    return parse_settings(sections)


def made(kind: str, name: str, spec: dict[str, Any] | None = None, namespace: str = "team-a") -> dict[str, Any]:
    """An object as the API server shows it."""
    body = resource(kind, name, spec or {}, namespace)
    stamp = to_rfc3339(HOUR_0.start_ms - HOUR_MS)
    server = {"uid": f"uid-{kind}-{name}".lower(), "generation": 1, "creationTimestamp": stamp}
    return {**body, "metadata": {**body["metadata"], **server}, "status": {"conditions": []}}


def said(answer: Answer | Unanswered, condition: str) -> tuple[str, str, str]:
    """Status, reason and message of one condition."""
    statements = answer.statements if isinstance(answer, Answer) else (answer.statement,)
    (found,) = (one for one in statements if one.type.value == condition)
    return found.status.value, str(found.reason), found.message


def shown(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """What a scrape of our own metrics sees: name and values of labels -> value."""
    return {
        (sample.name, *(sample.labels[name] for name in _label_order(sample.name, sample.labels))): sample.value
        for family in text_string_to_metric_families(metrics.exposition().decode())
        for sample in family.samples
    }


def _label_order(name: str, labels: dict[str, str]) -> list[str]:
    """Labels in the order of the table."""
    return next((list(spec.labels) for spec in METRICS if spec.name == name), sorted(labels))
