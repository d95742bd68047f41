"""Successes and failures by queries of people, each held to the namespace of its workload.

A query that is one selector names counters: their increase is taken here, safely over restarts, as of all counters.
Anything else is evaluated by the server at the end of the window.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from aicost.adapters.prometheus.client import PrometheusClient, TooMuchAsked
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.promql import duration, exact, is_text, one_of
from aicost.adapters.prometheus.replies import Matrix, Vector, labels_of, samples_of
from aicost.domain.exact.windows import MINUTE_MS, SECOND_MS, Window
from aicost.domain.sampling.counters.growth import growth
from aicost.domain.serving.outcomes.judged import Verdict
from aicost.domain.serving.outcomes.posted import MOST_REASONS
from aicost.domain.serving.outcomes.queries import BadQuery, Bound, bind
from aicost.ports.errors import InvalidAnswer, InvalidRequest, SourceUnavailable
from aicost.ports.measured.successes import SuccessQuery
from aicost.ports.measured.units import WorkloadKey

_BEFORE_MS = 5 * MINUTE_MS
"""Samples of this time before the span say with which values the counters began."""
_LARGEST_REPLY_BYTES = 8_000_000
_PATIENCE_S = 10.0
"""For one query: nobody may keep us busy with theirs."""
_UNANSWERED = 3
_LARGEST = 2**53
_LONGEST = 63
_REASON, _OTHER = "reason", "other"


class PrometheusSuccesses:
    """A `SuccessCounts` over the HTTP API.

    Args:
        config: the server.
    """

    def __init__(self, config: PrometheusConfig) -> None:
        small = replace(
            config,
            max_reply_bytes=min(config.max_reply_bytes, _LARGEST_REPLY_BYTES),
            timeout_s=min(config.timeout_s, _PATIENCE_S),
        )
        self._config, self._client = config, PrometheusClient(small)

    def judged(self, queries: Sequence[SuccessQuery], span: Window) -> Mapping[WorkloadKey, Sequence[Verdict]]:
        """What each workload's queries say; see the port.

        A query that the server does not understand, or that takes it too long, is of one workload alone.
        """
        found: dict[WorkloadKey, Sequence[Verdict]] = {}
        unanswered = 0
        for one in queries:
            try:
                successes = self._counts(one.namespace, one.successes, span)
                failures = self._counts(one.namespace, one.failures, span) if one.failures else {}
            except (BadQuery, TooMuchAsked, InvalidAnswer, InvalidRequest):
                continue  # its status says so: nothing is judged
            except SourceUnavailable:
                unanswered += 1
                if unanswered >= _UNANSWERED:
                    break  # it is the server, or it has more than enough: the next window counts this one again
                continue
            good = [Verdict("", success=True, requests=sum(successes.values()))] if successes else []
            bad = [Verdict(reason, success=False, requests=number) for reason, number in sorted(failures.items())]
            if good or bad:
                found[one.key] = [*good, *bad]
        return found

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _counts(self, namespace: str, query: str, span: Window) -> Mapping[str, int]:
        """Whole requests by reason."""
        if not is_text(query):
            raise BadQuery("it is no text")
        bound = bind(query, self._matchers(namespace), duration(span.length_ms))
        counted = self._grown(bound, span) if bound.is_selector else self._asked(bound, span)
        ordered = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
        found: dict[str, int] = defaultdict(int)
        for place, (reason, number) in enumerate(ordered):
            found[reason if place < MOST_REASONS else _OTHER] += int(number)
        return found

    def _matchers(self, namespace: str) -> str:
        own = (exact("namespace", namespace), one_of("exported_namespace", ("", namespace)))
        return ",".join((*(exact(label, value) for label, value in sorted(self._config.matchers.items())), *own))

    def _grown(self, bound: Bound, span: Window) -> Mapping[str, float]:
        length = duration(span.length_ms + _BEFORE_MS + SECOND_MS)
        answer = self._client.query(f"{bound.text}[{length}]", span.end_ms, Matrix)
        url = self._config.api
        series = [(labels_of(url, one.metric), *samples_of(url, one.values)) for one in answer.result]
        watched_ms = min((int(at_ms.min()) for _, at_ms, _ in series if len(at_ms)), default=span.end_ms)
        found: dict[str, float] = defaultdict(float)
        for labels, at_ms, value in series:
            grown = growth(at_ms, value, span, watched_ms=watched_ms)
            if grown is not None and 0 <= grown.by < _LARGEST:
                found[_reason(labels)] += grown.by
        return found

    def _asked(self, bound: Bound, span: Window) -> Mapping[str, float]:
        found: dict[str, float] = defaultdict(float)
        for one in self._client.query(bound.text, span.end_ms - 1, Vector).result:
            number = float(one.value[1])
            if math.isfinite(number) and 0 <= number < _LARGEST:
                found[_reason(one.metric)] += round(number)
        return found


def _reason(labels: Mapping[str, str]) -> str:
    """As reasons are written everywhere; empty where the series has none."""
    shown = "".join(char for char in labels.get(_REASON, "").strip() if char.isprintable())
    return shown.lower()[:_LONGEST]
