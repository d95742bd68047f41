"""Looks at all nodes: what is gathered, and when the source is asked for names that nobody knows."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from aicost.domain.exact.windows import Window
from aicost.domain.inventory.cluster import ClusterFacts
from aicost.domain.sampling.series import RawSeries
from aicost.domain.trust.reasons import TrustReason
from aicost.domain.trust.values import Stranger, Trust
from aicost.ports.errors import InvalidAnswer, NotPermitted, SourceUnavailable
from aicost.usecases.gpus.judge_telemetry import JudgeTelemetry
from support.expositions import EXPORTER, NODE, NOW, OLD, STEP, device_rows, gpu_node, series_of, steady


@dataclass
class World:
    """A cluster of one node (all three ports)."""

    raw: Sequence[RawSeries] = ()
    problem: Exception | None = None
    names: Sequence[Stranger] = ()
    interval_ms: int = STEP
    asked: list[str] = field(default_factory=list)

    def facts(self, _: Window) -> ClusterFacts:
        return ClusterFacts((), (gpu_node(1).record(),))

    def samples(self, _: Window) -> Sequence[RawSeries]:
        self.asked.append("samples")
        if self.problem:
            raise self.problem
        return self.raw

    def exporters(self) -> Sequence:
        return (EXPORTER,)

    def strangers(self) -> Sequence[Stranger]:
        self.asked.append("names")
        if isinstance(self.names, Exception):
            raise self.names
        return self.names


def look(world: World, source: str = "a Prometheus"):
    (found,) = JudgeTelemetry(world, world, world)((), source, NOW)
    return found


def test_a_healthy_node_is_trusted_and_nobody_is_asked_for_names():
    world = World(series_of(OLD, device_rows(OLD, "GPU-1", steady(0.5))))
    assert look(world).trust is Trust.YES
    assert world.asked == ["samples"]


def test_names_that_nobody_knows_explain_the_silence():
    world = World(
        names=[Stranger("DCGM_FI_DEV_GPU_BUSY", {"Hostname": NODE}), Stranger("DCGM_FI_X", {"Hostname": "n9"})]
    )
    found = look(world)
    assert [one.reason for one in found.reasons] == [TrustReason.EXPORTER_BLIND, TrustReason.DIALECT_UNKNOWN]
    assert found.reasons[1].message == "the exporter shows DCGM_FI_DEV_GPU_BUSY and no name that we know"


def test_without_an_answer_about_names_it_is_silence():
    found = look(World(names=SourceUnavailable("busy")))
    assert [one.reason for one in found.reasons] == [TrustReason.EXPORTER_BLIND]


@pytest.mark.parametrize("problem", [SourceUnavailable("x"), InvalidAnswer("x"), NotPermitted("x")])
def test_a_source_that_fails_is_the_reason_and_is_asked_for_nothing_more(problem):
    world = World(problem=problem)
    found = look(world)
    assert [one.reason for one in found.standings] == [TrustReason.SOURCE_FAILS]
    assert world.asked == ["samples"]


def test_without_a_source_nothing_is_asked():
    world = World()
    assert [one.reason for one in look(world, "").standings] == [TrustReason.NO_SOURCE]
    assert world.asked == []
