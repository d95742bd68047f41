"""Spans of constant value as columns: what coverage is made of."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aicost.domain.exact.windows import Window
from aicost.domain.sampling.series import Millis, Parts


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Spans of constant value, sorted and without overlap.

    Attributes:
        start_ms, end_ms: the half-open spans.
        value: activity in parts per billion.
        step: how much the next sample of the same signal differs.
        source: index of the signal that it came from.
        at_ms: time of the sample; -1 for a later fragment of a piece, so that its sample counts once.
    """

    start_ms: Millis
    end_ms: Millis
    value: Parts
    step: Parts
    source: Millis
    at_ms: Millis

    def pick(self, which: NDArray[np.intp] | NDArray[np.bool_] | slice) -> "Pieces":
        """Some of the pieces."""
        return Pieces(
            self.start_ms[which],
            self.end_ms[which],
            self.value[which],
            self.step[which],
            self.source[which],
            self.at_ms[which],
        )


def no_pieces() -> Pieces:
    """Nothing covered."""
    none = np.zeros(0, np.int64)
    return Pieces(none, none, none, none, none, none)


def merge(first: Pieces, second: Pieces, offset: int) -> Pieces:
    """Pieces of both, which do not overlap, in order of time; sources of the second are counted from the offset."""
    merged = Pieces(
        np.concatenate((first.start_ms, second.start_ms)),
        np.concatenate((first.end_ms, second.end_ms)),
        np.concatenate((first.value, second.value)),
        np.concatenate((first.step, second.step)),
        np.concatenate((first.source, second.source + offset)),
        np.concatenate((first.at_ms, second.at_ms)),
    )
    return merged.pick(np.argsort(merged.start_ms, kind="stable"))


def outside(pieces: Pieces, covered: Pieces) -> Pieces:
    """The parts of pieces that lie in the gaps between covered ones."""
    gap_starts, gap_ends = _gaps(covered)
    first = np.searchsorted(gap_ends, pieces.start_ms, side="right")
    last = np.searchsorted(gap_starts, pieces.end_ms, side="left")
    counts = np.maximum(last - first, 0)
    piece = np.repeat(np.arange(len(counts)), counts)
    rank = np.arange(len(piece)) - np.repeat(np.cumsum(counts) - counts, counts)
    gap = first[piece] + rank
    found = pieces.pick(piece)
    return Pieces(
        np.maximum(found.start_ms, gap_starts[gap]),
        np.minimum(found.end_ms, gap_ends[gap]),
        found.value,
        found.step,
        found.source,
        np.where(rank == 0, found.at_ms, np.int64(-1)),
    )


def without(pieces: Pieces, spans: Sequence[Window]) -> Pieces:
    """The parts of pieces that lie outside of spans, which are sorted and do not overlap."""
    starts = np.array([span.start_ms for span in spans], np.int64)
    ends = np.array([span.end_ms for span in spans], np.int64)
    none = np.zeros_like(starts)
    return outside(pieces, Pieces(starts, ends, none, none, none, none))


def _gaps(covered: Pieces) -> tuple[Millis, Millis]:
    """Starts and ends of what no piece covers, from before all time to after it."""
    edge = np.int64(np.iinfo(np.int64).max)
    starts = np.concatenate(([-edge], covered.end_ms))
    ends = np.concatenate((covered.start_ms, [edge]))
    open_gaps = starts < ends
    return starts[open_gaps], ends[open_gaps]
