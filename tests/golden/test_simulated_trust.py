"""The judge of telemetry against the simulator's exporters: their known defects are found, and nothing else is."""

import json
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

from aicost.adapters.dcgm.exposition import parse
from aicost.adapters.kube.seen.decode import decode_node
from aicost.adapters.kube.seen.values import SeenNode
from aicost.domain.inventory.cluster import ClusterFacts
from aicost.domain.inventory.nodes import NodeRecord
from aicost.domain.sampling.dialects import PROMQL_NAMES
from aicost.domain.sampling.scrapes import SeriesKey
from aicost.domain.sampling.series import RawSeries
from aicost.domain.trust.judging import judge
from aicost.domain.trust.reasons import TrustReason
from aicost.domain.trust.values import Evidence, ExporterSeen
from fleet.exporter.text import Exporter
from fleet.faults import Fault, FaultKind
from fleet.kubernetes import node_object
from fleet.script import Fleet, SimNode
from fleet.sharing.builders import sliced, slots
from support.pipeline import STEP
from support.scripted import BEGIN, END, at
from support.shared_bills import agent, dcgm, host, level, lives

DIALECTS = ("4.8.2", "4.8.3", "4.9", "4.9-percent")


def sharers(on: SimNode, *loads: str) -> Fleet:
    return Fleet((on,), tuple(lives(f"p{index}", on, slots(), level(load)) for index, load in enumerate(loads)))


def scraped(fleet: Fleet, name: str) -> list[RawSeries]:
    """All exporters of a node, each scraped at even distances until the end."""
    found: dict[tuple[str, SeriesKey], list[tuple[int, float]]] = defaultdict(list)
    for index, pod in enumerate(fleet.node(name).exporters):
        exporter = Exporter(fleet, name, index)
        for moment in range(BEGIN, END, STEP):
            answer = exporter.answer(moment)
            for reading in parse(answer.body, PROMQL_NAMES).readings if answer.status == 200 else ():
                found[pod.pod, reading.key].append((moment, reading.value))
    return [
        RawSeries(
            key.name,
            dict(key.labels),
            np.array([moment for moment, _ in samples], np.int64),
            np.array([value for _, value in samples], np.float64),
            name,
            ("gpu-operator", pod),
            key.help,
        )
        for (pod, key), samples in found.items()
    ]


def reasons(fleet: Fleet, *, host_pid: bool | None = None) -> list[TrustReason]:
    (simulated,) = fleet.nodes
    raw = scraped(fleet, simulated.name)
    seen = decode_node(json.dumps(node_object(simulated, END)).encode())
    assert isinstance(seen, SeenNode)
    facts = replace(seen.facts, created_ms=BEGIN - 10**8)
    record = NodeRecord(facts, seen_ms=END, since_ms=BEGIN - 10**8)
    exporters = [ExporterSeen(("gpu-operator", one.pod), simulated.name, host_pid) for one in simulated.exporters]
    (found,) = judge(Evidence(BEGIN, ClusterFacts((), (record,)), raw, STEP, exporters), END)
    return [one.reason for one in found.findings]


@pytest.mark.parametrize("name", DIALECTS)
def test_exporters_that_tell_pods_apart_are_trusted_in_each_dialect(name):
    assert reasons(sharers(host(sliced(4), shown=[dcgm(name=name)]), "0.4", "0.2", "0.2", "0")) == []


@pytest.mark.parametrize("name", DIALECTS)
def test_process_ids_that_cannot_be_told_apart_are_found(name):
    fleet = sharers(host(sliced(4), shown=[dcgm(name=name, per_process="zero")]), "0.4", "0.2")
    assert TrustReason.ATTRIBUTION_BLIND in reasons(fleet)
    assert reasons(fleet, host_pid=False) == [TrustReason.NO_HOST_PID, TrustReason.ATTRIBUTION_BLIND]


@pytest.mark.parametrize("name", DIALECTS)
def test_values_that_are_copies_and_values_that_are_missing_are_found(name):
    for shown in (dcgm(name=name, per_process="copied"), dcgm(name=name, virtual_gpus=False)):
        assert reasons(sharers(host(sliced(4), shown=[shown]), "0.4", "0.2")) == [TrustReason.NO_POD_VALUES]


def test_where_the_agent_counts_each_pod_what_the_exporter_cannot_does_not_matter():
    shown = [dcgm(per_process="zero"), agent()]
    assert reasons(sharers(host(sliced(4), shown=shown), "0.4", "0.2")) == []
    assert reasons(sharers(host(sliced(4), shown=[agent()]), "0.4", "0.2")) == []


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(FaultKind.GAP, at(4), END), TrustReason.EXPORTER_BLIND),
        (Fault(FaultKind.EMPTY, at(4), END), TrustReason.EXPORTER_BLIND),
        (Fault(FaultKind.ABSENT, at(4), END, meanings=("engine", "sm")), TrustReason.PROFILING_PAUSED),
        (Fault(FaultKind.SENTINEL, at(4), END, meanings=("engine", "sm")), TrustReason.PROFILING_PAUSED),
    ],
)
def test_an_exporter_in_trouble_is_found(fault, reason):
    assert reasons(sharers(host(sliced(4), faults=(fault,)), "0.4", "0.2")) == [reason]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(FaultKind.GAP, at(12), at(13)),
        Fault(FaultKind.DUPLICATE_ROWS, BEGIN, END),
        Fault(FaultKind.COUNTER_RESET, at(4), END),
        Fault(FaultKind.ODD_LABELS, BEGIN, END),
        Fault(FaultKind.HALF_LINE, at(3), at(5)),
    ],
)
def test_trouble_that_passes_or_does_no_harm_is_not_told(fault):
    assert reasons(sharers(host(sliced(4), faults=(fault,)), "0.4", "0.2", "0.2", "0")) == []
