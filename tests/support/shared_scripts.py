"""Random scripts of shared GPUs as clusters have them: loads of all kinds, gauges that are late, pods at any second."""

import random
from dataclasses import dataclass
from fractions import Fraction

from fleet.activity import Program
from fleet.builders import pod_uid
from fleet.models import H100
from fleet.script import Collection, Fleet, SimNode, SimPod
from fleet.sharing.builders import agent, cut, exporter, host, mixed, sliced, slots, tenant
from fleet.sharing.terms import Part
from support.scripts import COLLECTIONS, SECOND, SPARE, random_program

EACH_SECOND = Collection(SECOND, SECOND)


@dataclass(frozen=True, slots=True)
class Scaled:
    """A program at a part of its level: so several fit on one GPU."""

    program: Program
    factor: Fraction

    def level_at(self, at_ms: int) -> Fraction:
        return self.program.level_at(at_ms) * self.factor

    def next_change(self, at_ms: int) -> int | None:
        return self.program.next_change(at_ms)

    def integral(self, to_ms: int) -> Fraction:
        return self.program.integral(to_ms) * self.factor


def real_shared_fleet(seed: int, kind: str, begin_ms: int, end_ms: int, *, nodes: int = 3) -> Fleet:
    """Nodes with one GPU that is shared in one way: `gauges`, `counters` (of the agent beside them) or `mig`."""
    chance = random.Random(f"{seed}/{kind}")
    timing = chance.choice(COLLECTIONS)
    made = [_node(chance, f"gpu-{number}", kind, timing, (begin_ms, end_ms)) for number in range(nodes)]
    return Fleet(tuple(on for on, _ in made), tuple(pod for _, pods in made for pod in pods))


def _node(
    chance: random.Random, name: str, kind: str, timing: Collection, span: tuple[int, int]
) -> tuple[SimNode, list[SimPod]]:
    shown = [exporter(collection=timing, without=SPARE)]
    shown += [agent(collection=EACH_SECOND)] if kind == "counters" else []
    if kind == "mig":
        on = cut(host(name, mixed(), model=H100, exporters=tuple(shown)), 0, "4g.40gb", "2g.20gb", "1g.10gb")
        parts = [(Part(instance=number), Fraction(1)) for number in (1, 2, 3)]
    else:
        on = host(name, sliced(3), exporters=tuple(shown))
        parts = [(slots(), Fraction(1, 3))] * 3
    tenants = (_tenants(chance, on, part, most, lane, span) for lane, (part, most) in enumerate(parts))
    return on, [pod for pods in tenants for pod in pods]


def _tenants(
    chance: random.Random, on: SimNode, part: Part, most: Fraction, lane: int, span: tuple[int, int]
) -> list[SimPod]:
    """One pod after the other on a part of a GPU."""
    at, found = span[0] + chance.randrange(0, 300) * SECOND, []
    while at < span[1]:
        length = chance.choice((90, 200, 600, 1_800)) * chance.randrange(5, 15) // 10 * SECOND
        name = f"{on.name}-{lane}-{len(found)}"
        pull = min(length - SECOND, chance.choice((0, 1, 3, 20)) * SECOND)
        life = {"bound_ms": at, "started_ms": at + pull, "finished_ms": at + length, "deleted_ms": at + length}
        load = Scaled(random_program(chance), most)
        found.append(tenant(name, on, 0, part, load, uid=pod_uid("team-a", name), **life))
        at += length + chance.choice((1, 5, 40, 200)) * SECOND
    return found
