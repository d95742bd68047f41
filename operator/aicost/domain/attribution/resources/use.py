"""What samples say that pods use of CPU and memory, as columns."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from aicost.domain.sampling.placement import PodName
from aicost.domain.sampling.series import Millis

_NONE = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Levels:
    """Mean use of one resource by one pod, piece by piece, in order of time. What no piece covers is not known.

    Attributes:
        start_ms, end_ms: half-open pieces that do not overlap.
        level: mean over the piece: millionths of a core, or KiB.
    """

    start_ms: Millis = field(default_factory=lambda: _NONE)
    end_ms: Millis = field(default_factory=lambda: _NONE)
    level: Millis = field(default_factory=lambda: _NONE)


UNKNOWN = Levels()


@dataclass(frozen=True, slots=True)
class PodUse:
    """What one pod used."""

    cpu: Levels = UNKNOWN
    memory: Levels = UNKNOWN


NOT_MEASURED = PodUse()


@dataclass(frozen=True, slots=True)
class ClusterUse:
    """What pods used, by (namespace, name): a pod that came after another under its name follows it in time."""

    pods: Mapping[PodName, PodUse] = field(default_factory=dict)

    def of(self, name: PodName) -> PodUse:
        """The use of a pod; nothing is known of one that is not there."""
        return self.pods.get(name, NOT_MEASURED)


NO_USE = ClusterUse()
