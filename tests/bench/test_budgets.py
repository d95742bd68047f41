"""A cycle over a thousand budgets and ten thousand pods: linear in both, and within two seconds of one processor."""

from dataclasses import replace

import pytest

from aicost.crd.status.budget.standing import budget_status
from aicost.crd.status.reports import Freshness
from aicost.domain.budgets.messages.compose import tellings
from aicost.domain.enforcement.planning import Scene, choose, plan_steps
from aicost.domain.enforcement.surroundings import Surroundings
from aicost.domain.enforcement.victims.candidates import Hearsay, candidates
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window
from aicost.domain.ledger.rows import Bucket
from aicost.entrypoints.controller.budgets.evaluating import Round
from aicost.usecases.budgets.spending import OpenSpend
from support.benchmark import FULL, operations, processor_seconds, sizes
from support.builders import make_node, make_pod
from support.controller import NOW, BudgetWorld, made, make_world
from support.ledger_rows import CLUSTER, HOUR_0, make_holder, make_row
from support.pricing import book, entry

PODS = 10
"""Of each budget, on a node of their own for eight of them."""
SECONDS = 2.0
LADDER = [
    {"name": "tell", "gate": "Notify", "basis": "Actual", "atPercent": 50},
    {"name": "burn", "gate": "Annotate", "basis": "BurnRate", "atBurnRate": "2"},
    {"name": "no-more", "gate": "DenyNew", "basis": "Actual", "atPercent": 90},
    {"name": "stop", "gate": "Suspend", "basis": "CommittedRate", "atRatePerHour": "20"},
]


def town(folder, budgets: int) -> BudgetWorld:
    """Namespaces of ten pods with a budget each, an hour of ledger and ten minutes of open window."""
    world = make_world(folder)
    rows, still_open = [], []
    began = HOUR_0.start_ms
    for number in range(budgets):
        space = f"team-{number:04d}"
        node = make_node(f"node-{number}").gpus(PODS).created(began).facts()
        world.app.stores.inventory.node_seen(node, began)
        for pod in range(PODS):
            name = f"job-{pod}"
            facts = make_pod(space, name).gpus(1).on(node.name).created(began).bound(began).running()
            facts = facts.label(team="vision").owned_by("Job", name, "batch/v1").facts()
            world.app.stores.inventory.pod_seen(facts, began, live=True)
            holder = replace(make_holder(space, name), dimensions={"team": "vision"})
            row = make_row(4 * 10**9, gpu_ms=HOUR_MS, holder=holder, device=f"GPU-{number}-{pod}", bucket=Bucket.USED)
            rows.append(row)
            still_open.append(replace(row, window=Window(HOUR_0.end_ms, NOW), gpu_milliseconds=NOW - HOUR_0.end_ms))
        spec = {"limit": str(1000 + number), "currency": "USD", "mode": "Enforce", "maxGate": "Suspend"}
        body = made("Budget", "month", {**spec, "ladder": LADDER}, space)
        body["metadata"]["uid"] = f"uid-{number}"
        world.registry.put(body)
    world.post(*rows)
    world.state.open, world.state.measured_ms = OpenSpend(tuple(still_open), NOW), NOW
    world.app.books.value = (book(entry(gpu_hour=4)),)
    return BudgetWorld(world)


def cycle(one: BudgetWorld, now_ms: int) -> Round:
    """What a round computes: evaluation, messages, steps, victims, statuses."""
    done = one.round(now_ms)
    for each in done.evaluated:
        found = each.evaluation
        tellings(found)
        scene = Scene(found, candidates(found.found.committed, Hearsay(), now_ms), Surroundings(), ())
        plan_steps(scene)
        choose(scene, 0, over_nanos=1 << 62)
        budget_status(found, freshness=Freshness(1, now_ms, HOUR_0.end_ms), conditions=())
    return done


@pytest.fixture
def towns(tmp_path_factory):
    made_towns = []

    def make(budgets: int) -> BudgetWorld:
        made_towns.append(town(tmp_path_factory.mktemp("town"), budgets))
        return made_towns[-1]

    yield make
    for one in made_towns:
        one.world.app.stores.close()


def warm(one: BudgetWorld) -> int:
    """The first rounds read everything; a later one what has changed. The moment of the next round."""
    for turn in range(2):
        cycle(one, NOW + turn * MINUTE_MS // 4)
    return NOW + MINUTE_MS // 2


def test_four_times_the_budgets_take_four_times_the_work(towns, show):
    few, many = towns(20), towns(80)
    times = warm(few), warm(many)
    counts = [operations(lambda one=one, at=at: cycle(one, at)) for one, at in zip((few, many), times, strict=True)]
    show(
        "a round of budgets",
        "20 to 80 budgets",
        f"operations x {counts[1] / counts[0] / 4:.3f} per budget",
        "up to 1.2",
    )
    assert counts[1] < 1.2 * 4 * counts[0]


def test_a_thousand_budgets_over_ten_thousand_pods(towns, show):
    (count,) = sizes((50,), (1_000,))
    one = towns(count)
    now = warm(one)
    evaluated = processor_seconds(lambda: one.round(now))
    whole = processor_seconds(lambda: cycle(one, now))
    pods = sum(len(each.evaluation.found.committed) for each in cycle(one, now).evaluated)
    assert pods == count * PODS
    show("evaluation", f"{count:,} budgets, {pods:,} pods", f"{evaluated:.2f} s", f"under {SECONDS:.0f} s")
    show("with messages, victims, statuses", f"{count:,} budgets, {pods:,} pods", f"{whole:.2f} s", "shown")
    assert not FULL or evaluated < SECONDS, CLUSTER
