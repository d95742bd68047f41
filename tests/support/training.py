"""A run of training by the minute: `steps((10, 0), (30, 200))` rises in straight lines from one minute to the next."""

import numpy as np

from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.training.dividing import Held, Outcome
from aicost.domain.training.measures import Track
from aicost.domain.training.terms import Measure, Shape
from support.ledger_rows import HOUR_0

START = HOUR_0.start_ms


def at(minute: float) -> int:
    """The moment so many minutes after the hour began."""
    return START + round(minute * MINUTE_MS)


def minutes(first: float, last: float) -> Window:
    return Window(at(first), at(last))


def track(*corners, measure=Measure.STEPS, shape=Shape.GAUGE, pod="train-0", every=1.0) -> Track:
    """A series through corners (minute, value), a sample each `every` minutes."""
    where = np.arange(corners[0][0], corners[-1][0] + every / 2, every)
    value = np.interp(where, [one[0] for one in corners], [float(one[1]) for one in corners])
    return Track(measure, shape, pod, np.array([at(one) for one in where], np.int64), value)


def held(span: Window = HOUR_0, cost: int = 36 * 10**9, pod: str = "train-0", **more) -> Held:
    """A pod that began to hold at the beginning of the span, and costs $36."""
    given = {"uid": f"uid-{pod}", "bound_ms": span.start_ms, "outcome": Outcome.RUNNING, **more}
    return Held(pod, span=span, cost_nanos=cost, **given)
