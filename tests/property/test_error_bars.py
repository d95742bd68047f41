"""Error bars against the simulator's truth: 95 % bars cover it in at least 90 % of the rows, and are not just wide."""

import random
from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from aicost.domain.attribution.timeline import Timelines
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.sampling.cleaning import read_telemetry
from aicost.domain.sampling.series import PPB, RawSeries
from fleet.activity import Burst, Duty, Program, Steady, busy_ms, ramp
from fleet.builders import node, pod
from fleet.script import Collection, Fleet, SimExporter, SimNode
from fleet.series import series
from support.nodes import held_span
from support.samples import context

WINDOW = Window(10 * HOUR_MS, 11 * HOUR_MS)
STEP = 15_000
PADDING = 300_000
LIVES = 12

PROGRAMS: dict[str, Callable[[random.Random], Program]] = {
    "steady": lambda chance: Steady(Fraction(chance.randrange(100), 100)),
    "cycle": lambda _: Duty(Fraction(9, 10), Fraction(1, 10), 7_000, 2_000),
    "bursts": lambda chance: Burst(Fraction(1, 20), Fraction(19, 20), 300_000, 20_000, chance.randrange(99)),
    "ramp": lambda _: ramp(Fraction(1, 10), Fraction(9, 10), 5, 300_000),
}
COLLECTIONS = {"each scrape": Collection(), "each 30 s": Collection(30_000, 30_000, 7_000)}


def life(program: Program, collection: Collection, chance: random.Random) -> tuple[Fleet, SimNode, Window]:
    """One pod that starts or ends inside the window, or spans it."""
    start = WINDOW.start_ms - chance.randrange(-1_800, 3_600) * 1_000
    end = start + chance.randrange(600, 7_200) * 1_000
    host = node("n1", exporters=(SimExporter("4.8.3", collection=collection),))
    return (
        Fleet((host,), (pod("p", host, activity=program, bound_ms=start, finished_ms=end),)),
        host,
        Window(start, end),
    )


def raw_series(fleet: Fleet, meaning: str, first: int) -> list[RawSeries]:
    found = defaultdict(list)
    for sample in series(fleet, first, WINDOW.end_ms + PADDING, STEP, meanings=[meaning]):
        found[sample.name, tuple(sorted(sample.labels.items()))].append((sample.at_ms, sample.value))
    return [
        RawSeries(name, dict(labels), *(np.array(column) for column in zip(*values, strict=True)))
        for (name, labels), values in found.items()
    ]


def rows(make: Callable[[random.Random], Program], collection: Collection, meaning: str) -> list[tuple[float, float]]:
    """Error and error bar of one pod-hour after the other, in busy milliseconds."""
    chance, found = random.Random(7), []
    for _ in range(LIVES):
        program = make(chance)
        fleet, host, span = life(program, collection, chance)
        first = WINDOW.start_ms - PADDING + chance.randrange(STEP)
        part = WINDOW.overlap(span)
        if part is None:
            continue
        telemetry = read_telemetry(raw_series(fleet, meaning, first), context(interval=STEP), 10**15)
        got = Timelines(telemetry.series, STEP).activity(host.gpus[0].uuid, held_span(span), WINDOW)
        truth = busy_ms(program, part.start_ms - span.start_ms, part.end_ms - span.start_ms)
        found.append((abs(got.busy_ppb_ms / PPB - float(truth)), got.error_ppb_ms / PPB))
    return found


@pytest.mark.parametrize(("meaning", "beat"), [("engine", "each scrape"), ("util", "each 30 s")])
def test_error_bars_cover_the_truth_of_nine_rows_in_ten(meaning, beat):
    found = [row for make in PROGRAMS.values() for row in rows(make, COLLECTIONS[beat], meaning)]
    covered = sum(error <= bar for error, bar in found)
    assert len(found) > 25
    assert covered >= 0.9 * len(found)
    assert sum(bar for _, bar in found) < 10 * sum(error for error, _ in found), (
        "a bar that covers anything says nothing"
    )
