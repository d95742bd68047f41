"""All that is asked of a source for unit costs: counters of engines and gateways, buckets, and how busy GPUs were."""

from aicost.domain.serving.calibration.minutes import BUSY_NAMES
from aicost.domain.serving.gateways import GATEWAY_NAMES, GATEWAYS, OPERATIONS, TELLING_WORDS
from aicost.domain.serving.meters import BOUNDS, BUCKETS, GENERIC_NAMES, METERS, NAMES, OUTCOMES
from aicost.domain.serving.outcomes.statuses import STATUS_METERS, STATUS_NAMES

COUNTERS: tuple[str, ...] = tuple(sorted({*NAMES, *GENERIC_NAMES, *GATEWAY_NAMES, *STATUS_NAMES, *BUSY_NAMES}))
"""Names of which each series is read."""
WANTED: tuple[str, ...] = tuple(sorted({*COUNTERS, *BUCKETS}))
"""All names."""

SAYING_LABELS: frozenset[str] = frozenset(
    {
        *(label for one in METERS for meter in one.meters for label in (*meter.where, meter.reason)),
        *(label for one in GATEWAYS for meter in (*one.meters, *one.rounds) for label in meter.where),
        *(label for one in STATUS_METERS for label in (one.status, one.error)),
    }
    - {""}
)
"""Labels whose values say what is counted: kinds of tokens, reasons, phases, statuses."""
SAID: frozenset[str] = frozenset(
    {
        *(value for one in METERS for meter in one.meters for value in meter.where.values()),
        *(value for one in GATEWAYS for meter in (*one.meters, *one.rounds) for value in meter.where.values()),
        *OUTCOMES,
        *OPERATIONS,
        *BOUNDS,
    }
)
"""What they say that is looked at. Another reason is a failure, whatever it is called."""

__all__ = ["BOUNDS", "BUCKETS", "COUNTERS", "SAID", "SAYING_LABELS", "TELLING_WORDS", "WANTED"]
