"""Each rule by which a shared GPU is split against the simulator's truth, which has rules of its own code."""

from dataclasses import replace
from fractions import Fraction

import pytest

from aicost.domain.exact.windows import MINUTE_MS
from fleet import truth
from fleet.activity import IDLE, Steps
from fleet.script import Fleet
from fleet.sharing.builders import sliced, slots
from fleet.sharing.split import Mode
from fleet.sharing.terms import Plugin
from fleet.truth import Rules
from support.bills import billed
from support.pipeline import Way
from support.scripted import SPAN, bill_of
from support.shared_bills import agent, dcgm, host, level, lives

STEPPED = Steps(((0, Fraction(1, 4)), (3 * MINUTE_MS, Fraction(0)), (6 * MINUTE_MS, Fraction(1, 2))))


def come_and_go(on) -> Fleet:
    pods = (
        lives("a", on, slots(), STEPPED, since=1, until=9),
        lives("b", on, slots(), level("0.5"), since=2),
        lives("c", on, slots(), IDLE, since=4, until=12),
    )
    return Fleet((on,), pods)


NODES = {
    "time-slicing by dcgm-exporter": lambda: host(sliced(4)),
    "time-slicing by the agent": lambda: host(sliced(4), shown=[agent()]),
    "time-slicing that nobody sees into": lambda: host(sliced(4), shown=[dcgm(virtual_gpus=False)]),
    "MPS by the agent": lambda: host(sliced(4, plugin=Plugin.MPS), shown=[dcgm(), agent()]),
}


@pytest.mark.parametrize("by_tenants", [False, True], ids=["offered", "holders"])
@pytest.mark.parametrize("mode", Mode, ids=str)
@pytest.mark.parametrize("name", NODES)
def test_each_rule_gives_the_truth_at_each_moment(name, mode, by_tenants, tmp_path):
    marks = (("aicost.dev/gpu-split", str(mode)), ("aicost.dev/gpu-slots", "holders" if by_tenants else "offered"))
    fleet = come_and_go(NODES[name]())
    fleet = replace(fleet, nodes=tuple(replace(one, labels=(*one.labels, *marks)) for one in fleet.nodes))
    rows = bill_of(fleet, tmp_path, Way.PROMETHEUS)
    got = {(key.pod_uid, key.bucket): line.gpu_ms for key, line in billed(rows).items()}
    due = truth.amounts(fleet, SPAN.start_ms, SPAN.end_ms, rules=Rules(mode, by_tenants))
    want = {(key.pod_uid or "", str(key.bucket)): float(amount.gpu_ms) for key, amount in due.items()}
    assert got == pytest.approx(want, abs=20)
