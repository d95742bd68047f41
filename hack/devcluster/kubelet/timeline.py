"""The script that a pod's annotations write: how long it pulls, starts, runs, and how it ends. No I/O.

All annotations begin with ``devcluster.aicost.dev/``; all times are seconds and may be fractions.

===================== ======================================================================= =================
``image-pull-seconds`` ContainerCreating for so long                                            0
``init-seconds``       each init container runs so long                                         0
``ready-after-seconds`` from start to Ready                                                     0
``run-seconds``        from start to the end of the container                                   until deleted
``exit-code``          how it ends; a list such as ``137,0`` gives one code per run, the last stays  0
``exit-reason``        reason of the terminated state                                           Completed or Error
``evict-after-seconds`` the pod fails with reason ``Evicted``                                   never
``stop-seconds``       from deletion to the end, but no longer than the grace period            0
``pod-ip``             the address of the pod                                                   a free one
``clock-skew-seconds`` how far the node's clock is ahead (on a pod or, for all its pods, on a node)   0
===================== ======================================================================= =================

A node with the annotation ``silent: "true"`` has no working kubelet: nothing is reported for its pods.
"""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["PREFIX", "BadAnnotationError", "Timeline", "clock_skew"]

PREFIX = "devcluster.aicost.dev/"


class BadAnnotationError(ValueError):
    """An annotation that cannot be read; the text names it and says what it should be."""


def _seconds(annotations: Mapping[str, str], name: str, default: float | None) -> float | None:
    text = annotations.get(PREFIX + name)
    if text is None:
        return default
    try:
        return float(text)
    except ValueError:
        raise BadAnnotationError(f"annotation {PREFIX}{name}: {text!r} is not a number of seconds") from None


def _duration(annotations: Mapping[str, str], name: str) -> float:
    value = _seconds(annotations, name, 0.0)
    return max(0.0, value or 0.0)


def _exit_codes(annotations: Mapping[str, str]) -> tuple[int, ...]:
    text = annotations.get(PREFIX + "exit-code", "0")
    try:
        return tuple(int(code) for code in text.split(","))
    except ValueError:
        raise BadAnnotationError(f"annotation {PREFIX}exit-code: {text!r} is not a list of whole numbers") from None


def clock_skew(pod: Mapping[str, str], node: Mapping[str, str]) -> float:
    """How far the clock that stamps this pod's status is ahead; the pod's own annotation wins."""
    value = _seconds(pod, "clock-skew-seconds", None)
    return (value if value is not None else _seconds(node, "clock-skew-seconds", 0.0)) or 0.0


@dataclass(frozen=True, slots=True)
class Timeline:
    """One pod's script; see the table above. None: it does not happen."""

    image_pull: float
    init: float
    ready_after: float
    run: float | None
    exit_codes: tuple[int, ...]
    exit_reason: str | None
    evict_after: float | None
    stop: float

    @classmethod
    def read(cls, annotations: Mapping[str, str]) -> "Timeline":
        """Read the annotations of a pod. Raises :class:`BadAnnotationError`."""
        return cls(
            image_pull=_duration(annotations, "image-pull-seconds"),
            init=_duration(annotations, "init-seconds"),
            ready_after=_duration(annotations, "ready-after-seconds"),
            run=_seconds(annotations, "run-seconds", None),
            exit_codes=_exit_codes(annotations),
            exit_reason=annotations.get(PREFIX + "exit-reason"),
            evict_after=_seconds(annotations, "evict-after-seconds", None),
            stop=_duration(annotations, "stop-seconds"),
        )

    def exit_code(self, run: int) -> int:
        """How the run with this number (from 0) ends."""
        return self.exit_codes[min(run, len(self.exit_codes) - 1)]
