"""Random fleets of shared GPUs from a seed: nodes of every mode, pods that come and go, loads that change in steps."""

import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import count

from fleet.activity import Steps
from fleet.builders import pod_uid
from fleet.exporter.device import SM_PART
from fleet.models import A100, H100
from fleet.script import Collection, Fleet, SimNode, SimPod
from fleet.sharing.builders import (
    DRA,
    KAI,
    SINGLE,
    VIRTUAL,
    agent,
    claimed,
    cut,
    exporter,
    fraction,
    hami,
    host,
    mixed,
    sliced,
    slots,
    tenant,
)
from fleet.sharing.terms import WHOLE, Part, Plugin

STEP_MS = 15_000
ALIGNED = Collection(STEP_MS)
"""Each scrape shows the mean since the scrape before; loads that change at scrapes are then measured exactly."""

Chance = random.Random
Choice = Callable[[Chance, int], Part]


def steps(chance: Chance, most: Fraction, length_ms: int) -> Steps:
    """Levels up to `most` that change at scrapes, but not in the first and the last interval: what came before the pod
    and what came after it hide these."""
    inside = range(2, max(2, length_ms // STEP_MS - 1))
    moments = sorted(chance.sample(inside, min(2, len(inside))))
    levels = [most * chance.randrange(0, 5) / 4 for _ in range(len(moments) + 1)]
    return Steps(tuple(zip([0, *(moment * STEP_MS for moment in moments)], levels, strict=True)))


def lives(
    chance: Chance, on: SimNode, gpu: int, part: Part, most: Fraction, span: tuple[int, int], name: str
) -> SimPod:
    """A pod that begins and ends at scrapes, somewhere in the span.

    Pods that share a GPU begin and end at least two scrapes apart: one alone may be hidden.
    """
    begin, end = span
    cells = (end - begin) // STEP_MS
    first = chance.randrange(0, max(1, cells * 2 // 3), 2)
    last = chance.randrange(first + 2, cells + 8, 2)
    until = begin + last * STEP_MS
    life = {"bound_ms": begin + first * STEP_MS, "finished_ms": until, "deleted_ms": until}
    load = steps(chance, most, (last - first) * STEP_MS)
    return tenant(name, on, gpu, part, load, uid=pod_uid("team-a", f"{on.name}/{name}"), **life)


def _together(chance: Chance, on: SimNode, gpu: int, parts: list[Part], span: tuple[int, int]) -> Iterator[SimPod]:
    """Pods that share a GPU; together they keep it at most as busy as it can be: under MPS, whose engine is busy first,
    by their part of the SMs."""
    most = SM_PART if on.sharing.plugin is Plugin.MPS else Fraction(1)
    for number, part in enumerate(parts):
        yield lives(chance, on, gpu, part, most / len(parts), span, f"{on.name}-{gpu}-{number}")


def _replicated(chance: Chance, number: int, plugin: Plugin, span: tuple[int, int]) -> tuple[SimNode, list[SimPod]]:
    offered = chance.choice((2, 4))
    knows = (exporter(collection=ALIGNED, quantised=False), agent(collection=ALIGNED, quantised=False))
    shown = knows if chance.random() < 0.5 else knows[:1]
    sharing = sliced(offered, renamed=chance.random() < 0.5, plugin=plugin)
    on = host(f"{plugin}-{number}", sharing, 2, exporters=shown)
    pods = [p for gpu in (0, 1) for p in _together(chance, on, gpu, [slots()] * chance.randrange(0, offered + 1), span)]
    return on, pods


def _mig(chance: Chance, number: int, span: tuple[int, int]) -> tuple[SimNode, list[SimPod]]:
    shown = (exporter(collection=ALIGNED, quantised=False),)
    on = host(f"mig-{number}", mixed(), 2, model=H100, exporters=shown)
    layout = chance.choice((("4g.40gb", "3g.40gb"), ("3g.40gb", "2g.20gb", "1g.10gb"), ("1g.10gb",) * 7))
    on = cut(on, 0, *layout)
    pods = [
        lives(chance, on, 0, Part(instance=one), Fraction(1), span, f"{on.name}-0-{one}")
        for one in range(1, len(layout) + 1)
        if chance.random() < 0.7
    ]
    return on, [*pods, lives(chance, on, 1, WHOLE, Fraction(1), span, f"{on.name}-whole")]


def _single(chance: Chance, number: int, span: tuple[int, int]) -> tuple[SimNode, list[SimPod]]:
    shown = (exporter(collection=ALIGNED, quantised=False),)
    on = cut(host(f"single-{number}", SINGLE, model=A100, exporters=shown), 0, *["2g.10gb"] * 3)
    parts = [Part(instance=one) for one in (1, 2, 3) if chance.random() < 0.8]
    return on, [lives(chance, on, 0, part, Fraction(1), span, f"{on.name}-{part.instance}") for part in parts]


def _virtual(chance: Chance, number: int, plugin: Plugin, span: tuple[int, int]) -> tuple[SimNode, list[SimPod]]:
    shown = [exporter(collection=ALIGNED, quantised=False)]
    shown += [hami(collection=ALIGNED, quantised=False)] if plugin is Plugin.HAMI else []
    on = host(f"{plugin}-{number}", VIRTUAL[plugin], exporters=tuple(shown))
    parts = [fraction(Fraction(1, 4), chance.choice((10_000, 30_000))) for _ in range(chance.randrange(0, 4))]
    return on, list(_together(chance, on, 0, parts, span))


def _kai(chance: Chance, number: int, span: tuple[int, int]) -> tuple[SimNode, list[SimPod]]:
    on = host(f"kai-{number}", KAI, 2, exporters=(exporter(collection=ALIGNED, quantised=False),))
    parts = [fraction(Fraction(1, chance.choice((2, 4)))) for _ in range(chance.randrange(1, 3))]
    whole = lives(chance, on, 1, WHOLE, Fraction(1), span, f"{on.name}-whole")
    return on, [*_together(chance, on, 0, parts, span), whole]


def _dra(chance: Chance, number: int, span: tuple[int, int]) -> tuple[SimNode, list[SimPod]]:
    on = host(f"dra-{number}", DRA, 2, exporters=(exporter(collection=ALIGNED, quantised=False),))
    shared = claimed(f"shared-{number}", template=False)
    alone = claimed(f"alone-{number}", extended=chance.random() < 0.5)
    return on, [
        *_together(chance, on, 0, [shared] * chance.randrange(1, 3), span),
        lives(chance, on, 1, alone, Fraction(1), span, f"{on.name}-alone"),
    ]


KINDS: dict[str, Callable[[Chance, int, tuple[int, int]], tuple[SimNode, list[SimPod]]]] = {
    "time-slicing": lambda chance, number, span: _replicated(chance, number, Plugin.TIME_SLICING, span),
    "mps": lambda chance, number, span: _replicated(chance, number, Plugin.MPS, span),
    "mig": _mig,
    "single": _single,
    "hami": lambda chance, number, span: _virtual(chance, number, Plugin.HAMI, span),
    "volcano": lambda chance, number, span: _virtual(chance, number, Plugin.VOLCANO, span),
    "kai": _kai,
    "dra": _dra,
}


def random_shared_fleet(seed: int, begin_ms: int, end_ms: int, *kinds: str, nodes: int = 2) -> Fleet:
    """Nodes of some kinds, with pods that come and go on their shared GPUs."""
    chance, number = random.Random(seed), count()
    wanted = kinds or tuple(chance.sample(sorted(KINDS), nodes))
    made = [KINDS[kind](chance, next(number), (begin_ms, end_ms)) for kind in wanted]
    return Fleet(tuple(on for on, _ in made), tuple(pod for _, pods in made for pod in pods))
