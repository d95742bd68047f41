"""Samples by remote read: the server hands out its chunks as they lie there, and writes no number as a text.

A third of the bytes and of the work, on both sides. It is another way to the same samples and nothing else: what it
might tell otherwise than the API does is not read so.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise

import numpy as np

from aicost.adapters.prometheus.client import PrometheusClient
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.promql import Selection, alternatives, duration
from aicost.adapters.prometheus.remote.chunks import unpacked
from aicost.adapters.prometheus.remote.messages import (
    EQUAL,
    REGEX,
    KnownLabels,
    Matcher,
    Series,
    frames,
    request,
    series,
)
from aicost.adapters.prometheus.remote.own_labels import external_labels
from aicost.adapters.prometheus.replies import Gathered, Vector
from aicost.domain.exact.windows import Window
from aicost.domain.sampling.series import Millis, Values
from aicost.ports.errors import AicostError

_CHUNKS_AT_ONCE = 4_000
"""So many fit into the cache of a processor, with all that is worked out of them."""
_SAMPLE_BYTES = 16
_STALE = np.uint64(0x7FF0000000000002)
"""The value that says that a series has gone; the API does not show it."""


class RemoteRead:
    """The endpoint for remote reads of one server."""

    def __init__(self, config: PrometheusConfig) -> None:
        self._config, self._client = config, PrometheusClient(config)

    def samples(self, wanted: Sequence[Selection], span: Window) -> Sequence[Gathered] | None:
        """All samples in a half-open span, as the API tells them; None where the API has to be asked."""
        try:
            own = external_labels(self._client.configuration())
            if own is None or self._may_mistake(own, wanted, span):
                return None
            found = [one for selection in wanted for one in self._gathered(selection, span)]
            for one in found:
                _take_off(own, one.labels)
        except (AicostError, ValueError):  # the API can do without, or says better what is wrong
            return None
        return found or None

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _may_mistake(self, own: Mapping[str, str], wanted: Sequence[Selection], span: Window) -> bool:
        """Whether series have, or are asked for by, a label of the name of one that the server adds."""
        if not own:
            return False
        if any(name in own for selection in wanted for name, _ in (*selection.labels, *selection.among)):
            return True
        over = duration(span.length_ms)
        theirs = (f"last_over_time({selection.having(name)}[{over}])" for selection in wanted for name in sorted(own))
        return bool(self._client.query(f"count({' or '.join(theirs)})", span.end_ms, Vector).result)

    def _gathered(self, selection: Selection, span: Window) -> Iterable[Gathered]:
        labels = [Matcher(EQUAL, name, value) for name, value in selection.labels]
        among = [("__name__", selection.names), *selection.among]
        question = request([*(Matcher(REGEX, name, alternatives(some)) for name, some in among), *labels], span)
        most = self._config.max_reply_bytes * (1 + span.length_ms // self._config.chunk_ms)  # as the API in all
        found: dict[bytes, Gathered] = {}
        left = most // _SAMPLE_BYTES
        for batch in _batches(frames(self._client.read(question, most))):
            for one, (at_ms, value) in zip(batch, _samples(batch, span), strict=True):
                left -= len(at_ms)
                if left < 0:
                    raise ValueError("more samples than were asked for")
                if len(at_ms):
                    mine = found.setdefault(one.key, Gathered(dict(one.labels)))
                    mine.at_ms.append(at_ms)
                    mine.value.append(value)
        return found.values()


def _batches(contents: Iterable[bytes]) -> Iterator[list[Series]]:
    """Series with as many chunks as are unpacked at once."""
    known, batch, chunks = KnownLabels(), [], 0
    for content in contents:
        one = series(content, known)
        batch.append(one)
        chunks += len(one.chunks)
        if chunks >= _CHUNKS_AT_ONCE:
            yield batch
            batch, chunks = [], 0
    if batch:
        yield batch


def _samples(batch: Sequence[Series], span: Window) -> Iterator[tuple[Millis, Values]]:
    """Times and values of each series, as far as they lie in the span."""
    at_ms, value, counts = unpacked([chunk for one in batch for chunk in one.chunks])
    inside = (at_ms >= span.start_ms) & (at_ms < span.end_ms) & (value.view(np.uint64) != _STALE)
    chunks = list(accumulate((len(one.chunks) for one in batch), initial=0))
    samples = np.append(0, np.cumsum(counts))[chunks]
    ends = np.append(0, np.cumsum(inside))[samples].tolist()
    at_ms, value = at_ms[inside], value[inside]
    return ((at_ms[start:end], value[start:end]) for start, end in pairwise(ends))


def _take_off(own: Mapping[str, str], labels: dict[str, str]) -> None:
    """Remove the labels that the server added."""
    for name, value in own.items():
        if labels.pop(name, "") != value:
            raise ValueError(f"a series without the label {name} that the server adds")
