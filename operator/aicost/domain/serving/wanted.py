"""All that is asked of a source for unit costs: counters of engines and gateways, buckets, and how busy GPUs were."""

from aicost.domain.serving.calibration.minutes import BUSY_NAMES
from aicost.domain.serving.gateways import GATEWAY_NAMES
from aicost.domain.serving.meters import BOUNDS, BUCKETS, GENERIC_NAMES, NAMES
from aicost.domain.serving.outcomes.statuses import STATUS_NAMES

COUNTERS: tuple[str, ...] = tuple(sorted({*NAMES, *GENERIC_NAMES, *GATEWAY_NAMES, *STATUS_NAMES, *BUSY_NAMES}))
"""Names of which each series is read."""
WANTED: tuple[str, ...] = tuple(sorted({*COUNTERS, *BUCKETS}))
"""All names."""

__all__ = ["BOUNDS", "BUCKETS", "COUNTERS", "WANTED"]
