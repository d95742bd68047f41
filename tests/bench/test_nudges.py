"""A nudge takes the same work for each budget, and no more for a longer history than the history itself."""

import numpy as np
import pytest

from aicost.domain.budgets.nudges.nudge import nudges
from aicost.domain.budgets.nudges.seen import Seen
from aicost.domain.budgets.plans import Nudge, NudgeOn
from aicost.domain.exact.windows import DAY_MS
from support.benchmark import operations, processor_seconds, sizes
from support.budgets import plan

NOW = 100 * DAY_MS
PLAN = plan(nudges=tuple(Nudge(on.value.lower(), on) for on in NudgeOn))


def scopes(count: int, hours: int = 15 * 24) -> list[Seen]:
    """Scopes of bursts, each different."""
    random = np.random.default_rng(1)

    def series() -> np.ndarray:
        return random.lognormal(20, 0.4, hours)

    return [
        Seen(series(), series(), series(), series(), series(), series(), {"h200": 10**10}, {}, 0) for _ in range(count)
    ]


def evaluate(every: list[Seen]) -> None:
    for seen in every:
        nudges(PLAN, seen, (), NOW)


@pytest.mark.parametrize(("few", "many"), [(20, 80)])
def test_four_times_the_budgets_take_four_times_the_work(few, many):
    assert operations(lambda: evaluate(scopes(many))) < 1.1 * many / few * operations(lambda: evaluate(scopes(few)))


def test_a_longer_history_takes_no_more_steps_of_python():
    short, long = (scopes(10, days * 24) for days in (15, 60))
    assert operations(lambda: evaluate(long)) < 1.1 * operations(lambda: evaluate(short))


def test_budgets_of_one_cycle(show):
    (count,) = sizes((50,), (1_000,))
    every = scopes(count)
    seconds = processor_seconds(lambda: evaluate(every))
    show("nudges, four for each budget", f"{count:,} budgets", f"{seconds * 1e6 / count:.0f} us a budget", "each hour")
