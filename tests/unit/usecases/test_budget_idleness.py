"""Who is idle, from raw samples and host activity to a word about each pod."""

import numpy as np
import pytest

from aicost.domain.enforcement.victims.idleness import HostActivity, Use
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS
from aicost.domain.inventory.cluster import ClusterFacts
from aicost.domain.sampling.series import RawSeries
from aicost.ports.errors import SourceUnavailable
from aicost.usecases.budgets.idleness import PodUses
from support.builders import T0, make_node, make_pod

NOW = T0 + 2 * HOUR_MS
QUIET = HostActivity(0.01, 0.0, 0.0, 100.0, 100.0)


class Known:
    """A cluster of one node, samples of its GPUs, and what pods do on it."""

    interval_ms = 15_000

    def __init__(self, busy=0.0, host=QUIET, named=True, since_ms=T0, phase=""):
        pod = make_pod("lab", "train").gpus(1).on("node-1").created(since_ms).bound(since_ms).running()
        self.pod = (pod.annotation("aicost.dev/phase", phase) if phase else pod).facts()
        record = pod.record()
        self._facts = ClusterFacts((record,), (make_node("node-1").gpus(8).created(T0 - HOUR_MS).record(),))
        self.busy, self.host, self.named, self.asked = busy, host, named, 0

    def facts(self, _window):
        return self._facts

    def samples(self, span):
        self.asked += 1
        times = np.arange(span.start_ms, span.end_ms, self.interval_ms, dtype=np.int64)
        labels = {"UUID": "GPU-1", "gpu": "0", "Hostname": "node-1"}
        if self.named:
            labels |= {"namespace": "lab", "pod": "train", "container": "main"}
        return [RawSeries("DCGM_FI_PROF_GR_ENGINE_ACTIVE", labels, times, np.full(len(times), self.busy))]

    def activity(self, pods, _span):
        return dict.fromkeys(pods, self.host)

    def use(self):
        found = PodUses(self, self, self)([self.pod], NOW)
        return found.get(self.pod.uid)


def test_a_pod_that_does_nothing_anywhere_for_half_an_hour_is_idle():
    assert Known().use() is Use.IDLE


@pytest.mark.parametrize(
    "known",
    [
        {"busy": 0.5},
        {"host": HostActivity(2.0, 0.0, 0.0, 0.0, 0.0)},
        {"host": HostActivity(0.01, 5e7, 0.0, 0.0, 0.0)},
        {"host": HostActivity(0.01, 0.0, 5e7, 0.0, 0.0)},
        {"host": HostActivity(0.01, 0.0, 0.0, 0.0, 5e7)},
        {"phase": "checkpoint"},
    ],
    ids=["gpu", "cpu", "loads data", "writes a checkpoint", "sends one away", "says so"],
)
def test_a_pod_that_does_anything_is_busy(known):
    assert Known(**known).use() is Use.BUSY


@pytest.mark.parametrize(
    "known", [{"host": HostActivity()}, {"named": False}], ids=["no word of the host", "samples name nobody"]
)
def test_what_is_not_known_is_not_idle(known):
    assert Known(**known).use() is Use.UNKNOWN


def test_who_began_less_than_half_an_hour_ago_is_not_asked_about():
    young = Known(since_ms=NOW - 29 * MINUTE_MS)
    assert young.use() is None
    assert young.asked == 0


def test_a_source_that_is_away_says_so():
    known = Known()

    def nobody(_span):
        raise SourceUnavailable("no answer")

    known.samples = nobody
    with pytest.raises(SourceUnavailable):
        known.use()
