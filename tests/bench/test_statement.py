"""The statement of a window costs the same per GPU-hour however many GPUs there are."""

from functools import partial

import numpy as np

from aicost.domain.attribution.window import state_window
from aicost.domain.sampling.cleaning import read_telemetry
from aicost.domain.sampling.identity import context_of
from support.benchmark import FULL, operations, processor_seconds, ratio, sizes
from support.big_cluster import INTERVAL_MS, WINDOW, facts, raw_samples, window_input

TOLERANCE = 0.3
"""Fewer GPUs cost more each: a part of the work is done once for all of them, so the smallest size has 40 nodes."""


def judge(show, subject, counts, seconds, unit):
    """Show each size; the last one must cost per unit what the first one does."""
    first, last = min(seconds), max(seconds)
    for size, spent in seconds.items():
        show(subject, f"{size:,} {unit}s", f"{1e6 * spent / size:,.0f} us per {unit}")
    small, big = min(counts), max(counts)
    grown = ratio(counts[small], counts[big], big / small)
    show(subject, f"{small:,} to {big:,} {unit}s", f"operations x {grown:.3f} per {unit}", "1 +- 0.3")
    assert 1 - TOLERANCE < grown < 1 + TOLERANCE
    grown = ratio(seconds[first], seconds[last], last / first)
    show(
        subject,
        f"{first:,} to {last:,} {unit}s",
        f"processor x {grown:.2f} per {unit}",
        "up to 1.3" if FULL else "shown",
    )
    assert not FULL or grown < 1 + TOLERANCE


def test_state_window_is_linear_in_gpus(show):
    given = {gpus: window_input(gpus) for gpus in sizes((320, 1_280), (320, 1_280, 5_120))}
    statements = {}

    def state(gpus):
        statements[gpus] = state_window(given[gpus])

    seconds = {gpus: processor_seconds(partial(state, gpus)) for gpus in given}
    counts = {gpus: operations(partial(state, gpus)) for gpus in sorted(given)[:2]}
    for gpus, statement in statements.items():
        assert statement.unbalanced_nanos == 0
        assert statement.priced_milliseconds == gpus * WINDOW.length_ms
        assert sum(row.gpu_milliseconds for row in statement.rows) == gpus * WINDOW.length_ms
    judge(show, "state_window, an hour each 15 s", counts, seconds, "GPU")


def test_cleaning_is_linear_in_samples(show):
    inputs = {
        gpus: (raw_samples(gpus), context_of(facts(gpus), INTERVAL_MS))
        for gpus in sizes((320, 1_280), (320, 1_280, 5_120))
    }

    def read(gpus):
        telemetry = read_telemetry(*inputs[gpus], WINDOW.end_ms + WINDOW.length_ms)
        assert sum(np.size(one.at_ms) for one in telemetry.series) == sum(len(one.at_ms) for one in inputs[gpus][0])

    seconds = {gpus: processor_seconds(partial(read, gpus)) for gpus in inputs}
    counts = {gpus: operations(partial(read, gpus)) for gpus in sorted(inputs)[:2]}
    judge(show, "read_telemetry, an hour each 15 s", counts, seconds, "GPU")
