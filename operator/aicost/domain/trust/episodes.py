"""What was wrong with the telemetry of nodes in a past that was gone through again, look by look."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from aicost.domain.trust.reasons import ORDER, TrustReason, Weight
from aicost.domain.trust.standing import NodeTelemetry


@dataclass(frozen=True, slots=True)
class Episode:
    """A reason that counted for a while.

    Attributes:
        first_ms, last_ms: when it was first and last seen.
        message: what was seen last.
    """

    node: str
    reason: TrustReason
    weight: Weight
    message: str
    first_ms: int
    last_ms: int


@dataclass(slots=True)
class Chronicle:
    """Gathers episodes from one look after the other."""

    _known: dict[tuple[str, TrustReason, int], Episode] = field(default_factory=dict)

    def add(self, nodes: Iterable[NodeTelemetry]) -> None:
        """Take what one look said."""
        for node in nodes:
            for one in node.reasons:
                key = node.node, one.reason, one.first_ms
                self._known[key] = Episode(node.node, one.reason, one.weight, one.message, one.first_ms, one.seen_ms)

    def episodes(self) -> Sequence[Episode]:
        """All episodes, by node and time, the gravest first where they began together."""
        return sorted(self._known.values(), key=lambda one: (one.node, one.first_ms, one.weight, ORDER[one.reason]))
