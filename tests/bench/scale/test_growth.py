"""Ten times the cluster takes ten times the work: cleaning, use and statement of an hour together."""

from functools import partial

from aicost.domain.attribution.window import state_window
from support.bench.hour import facts, observed, raw_samples, window_input
from support.benchmark import operations, processor_seconds, ratio, sizes
from support.big_cluster import WINDOW

TOLERANCE = 0.2
"""A part of the work is done once for all nodes: below some 40 of them it would show."""
HOW = "Python for each series, pod and device: labels, who holds what, holders"


def test_an_hour_is_linear_in_gpus(show):
    few, many = sizes((320, 1_280), (1_000, 10_000))
    inputs = {gpus: (facts(gpus), raw_samples(gpus)) for gpus in (few, many)}
    used = {gpus: observed(known) for gpus, (known, _) in inputs.items()}

    def compute(gpus):
        statement = state_window(window_input(*inputs[gpus], used[gpus]))
        assert statement.unbalanced_nanos == 0
        assert statement.priced_milliseconds >= gpus * WINDOW.length_ms

    seconds = {gpus: processor_seconds(partial(compute, gpus)) for gpus in inputs}
    counts = {gpus: operations(partial(compute, gpus)) for gpus in inputs}
    for gpus, spent in seconds.items():
        size = f"{gpus:,} GPUs, {len(inputs[gpus][0].pods):,} pods"
        show("an hour computed", size, f"{spent:.2f} s, {1e6 * spent / gpus:,.0f} us per GPU", bounds=HOW)
    size = f"{few:,} to {many:,} GPUs"
    grown = ratio(counts[few], counts[many], many / few)
    show("  growth", size, f"operations x {grown:.3f} per GPU", "1 +- 0.2")
    assert 1 - TOLERANCE < grown < 1 + TOLERANCE
    grown = ratio(seconds[few], seconds[many], many / few)
    show("  growth", size, f"processor x {grown:.2f} per GPU", "up to 1.2, shown")
