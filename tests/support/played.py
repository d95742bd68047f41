"""What the simulator's engines and gateways show, as a source of counters (port `EngineSource`)."""

import random
from functools import cache

import numpy as np

from aicost.domain.sampling.series import RawSeries
from fleet.serving.play import play
from fleet.serving.script import Pod, Serving, load

HOUR_MS = 3_600_000
MINUTE_MS = 60_000
TENANTS = ("search", "growth", "vision")


class Played:
    """The series of a script.

    Args:
        serving: the script.
        chance: shuffles the series and their samples, cuts series in two parts and tells some samples twice.
    """

    def __init__(self, serving, chance=None):
        self._chance = chance
        self._series = _series(serving)

    def series(self, span):
        found = [_cut(one, lambda at_ms: (at_ms >= span.start_ms) & (at_ms < span.end_ms)) for one in self._series]
        found = [one for one in found if len(one.at_ms)]
        return found if self._chance is None else list(_disturbed(found, self._chance))

    def before(self, pods, span):
        found = (one for one in self.series(span) if (one.labels["namespace"], one.labels["pod"]) in pods)
        last = ((one, int(one.at_ms.argmax())) for one in found)
        return [_cut(one, lambda at_ms, at=at: np.arange(len(at_ms)) == at) for one, at in last]


@cache
def played(script):
    """The series of a script as they are, made once."""
    return Played(script)


@cache
def _series(script):
    return [RawSeries(one.name, one.labels, np.array(one.at_ms), np.array(one.value)) for one in play(script)]


def serving(seed, start_ms, hours=3, engine="vllm", gateway="litellm"):
    """Three replicas of one model: one restarts, one is replaced by another; scrapes are missed over an hour's end."""
    chance = random.Random(seed)
    first, end = start_ms - 20 * MINUTE_MS, start_ms + hours * HOUR_MS
    middle = start_ms + HOUR_MS + chance.randrange(20, 40) * MINUTE_MS + 7_000

    def pod(name, since, until, *restarts):
        done = load(chance.randrange(2**30), "Chat", since, until, TENANTS)
        return Pod("serve", name, engine, "Chat", since, until, done, restarts)

    pods = (
        pod("chat-0", first, end, middle, middle + 50 * MINUTE_MS),
        pod("chat-1", first, middle),
        pod("chat-2", middle + 90_000, end),
    )
    lost = [range(start_ms + HOUR_MS - away, start_ms + HOUR_MS + 3 * MINUTE_MS, 30_000) for away in (9 * MINUTE_MS,)]
    few = {start_ms + 30_000 * chance.randrange(1, 120 * hours) for _ in range(20)}
    missed = frozenset({*few, *(at_ms for one in lost for at_ms in one)})
    return Serving(pods, gateway, first, end, missed, (middle + 10 * MINUTE_MS,))


def _cut(one, chosen):
    kept = chosen(one.at_ms)
    return RawSeries(one.name, one.labels, one.at_ms[kept], one.value[kept])


def _disturbed(series, chance):
    order = list(series)
    chance.shuffle(order)
    for one in order:
        places = list(range(len(one.at_ms))) + chance.sample(range(len(one.at_ms)), len(one.at_ms) // 3)
        chance.shuffle(places)
        half = len(places) // 2
        for part in (places[:half], places[half:]):
            yield RawSeries(one.name, one.labels, one.at_ms[part], one.value[part])
