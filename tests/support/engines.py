"""Counters of engines and gateways that a test scripts (port `EngineSource`)."""

import numpy as np

from aicost.domain.sampling.series import RawSeries
from aicost.ports.errors import SourceUnavailable
from support.ledger_rows import hour

STEP = 30_000


def seconds(at):
    return (at - hour(-10).start_ms) / 1_000


class Scripted:
    """Series by name and labels: value at a moment, and the times at which it is scraped."""

    def __init__(self, *series):
        self.made, self.problem, self.asked_before = list(series), "", []

    def add(self, name, labels, value, since=0, until=10**15):
        self.made.append((name, labels, value, since, until))

    def series(self, span):
        if self.problem:
            raise SourceUnavailable(self.problem)
        return list(self._within(span))

    def before(self, pods, span):
        self.asked_before.append(set(pods))
        mine = (one for one in self._within(span) if (one.labels["namespace"], one.labels["pod"]) in pods)
        return [RawSeries(one.name, one.labels, one.at_ms[-1:], one.value[-1:]) for one in mine]

    def _within(self, span):
        for name, labels, value, since, until in self.made:
            times = np.arange(max(since, span.start_ms), min(until, span.end_ms), STEP)
            if len(times):
                yield RawSeries(name, labels, times, np.array([float(value(at)) for at in times]))
