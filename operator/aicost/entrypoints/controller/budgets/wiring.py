"""Puts the rounds of budgets together."""

import asyncio

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.events import EventLimits, EventPoster
from aicost.adapters.kube.hands.around import Around
from aicost.adapters.kube.hands.hands import Hands
from aicost.adapters.kube.hands.kinds import Kinds
from aicost.bootstrap import Application, open_notifier
from aicost.domain.exact.windows import SECOND_MS
from aicost.entrypoints.controller.attempts import Attempts
from aicost.entrypoints.controller.budgets.evaluating import Evaluator
from aicost.entrypoints.controller.budgets.gates import GateKeeper
from aicost.entrypoints.controller.budgets.gathering import Gathering
from aicost.entrypoints.controller.budgets.reading import Reader
from aicost.entrypoints.controller.budgets.rounds import BudgetRounds, Parts
from aicost.entrypoints.controller.budgets.steps.acting import Actor
from aicost.entrypoints.controller.budgets.steps.doing import Doer
from aicost.entrypoints.controller.budgets.steps.quotas import Quotas
from aicost.entrypoints.controller.budgets.steps.records import Records
from aicost.entrypoints.controller.budgets.steps.scenes import Scenes
from aicost.entrypoints.controller.budgets.telling import Teller
from aicost.entrypoints.controller.budgets.writes import IN_FLIGHT, Writes
from aicost.entrypoints.controller.publish.writer import AnswerWriter
from aicost.entrypoints.controller.publish.writing import FIELD_MANAGER, StatusPublisher
from aicost.entrypoints.controller.registry import Registry
from aicost.entrypoints.controller.state import State
from aicost.usecases.budgets.idleness import PodUses


def budget_rounds(
    app: Application, client: KubeClient, registry: Registry, state: State, attempts: Attempts, identity: str
) -> BudgetRounds:
    """The rounds of budgets of one controller.

    Args:
        app: the use cases.
        client: an open client.
        registry: our objects.
        state: what the rounds of the ledger find.
        attempts: does the steps.
        identity: this process, for Events.
    """
    settings = app.settings
    slots, hands = asyncio.Semaphore(IN_FLIGHT), Hands(client, now_ms)
    writes = Writes(client, registry, slots)
    system, base = settings.admission.system_namespaces, settings.notifications.runbook_base
    uses = PodUses(app.stores.inventory, app.source, app.activities)
    gathering = Gathering(app, state)
    around = Around(client, Kinds(client, now_ms))
    doer = Doer(
        gates=GateKeeper(writes, settings.budgets.gate_life_seconds * SECOND_MS, system, base),
        scenes=Scenes(around, hands, asyncio.Semaphore(IN_FLIGHT), uses, gathering.used, system),
        quotas=Quotas(client, slots),
        actor=Actor(hands, Records(writes), asyncio.Semaphore(IN_FLIGHT)),
    )
    statuses = StatusPublisher(client, identity, settings.budgets.interval_seconds * SECOND_MS)
    events = EventPoster(client, (FIELD_MANAGER, identity), now_ms, EventLimits(burst=500, refill_ms=100))
    parts = Parts(
        reader=Reader(settings.reports.time_zone),
        gathering=gathering,
        evaluator=Evaluator(may_act=settings.budgets.enforcement),
        doer=doer,
        teller=Teller(open_notifier(settings.notifications, app.cluster), events, app.metrics, base),
        writer=AnswerWriter(statuses, app.metrics),
    )
    return BudgetRounds(app, registry, state, attempts, parts)
