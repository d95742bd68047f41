"""Idle money kind by kind: named, owned, priced a day, and never more than the buckets of the ledger."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aicost.crd.idle.document import idle_document
from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.idle.assessing import idle_nanos
from aicost.domain.idle.kinds import IdleKind, Phase
from aicost.domain.idle.values import IdleReport
from aicost.domain.inventory.pods import OwnerFacts, PodRecord
from aicost.domain.sampling.series import PPB, DeviceSeries, Signal
from aicost.usecases.gpus.assess_idle import AssessIdle
from support.builders import T0
from support.receipts import CLUSTER, PADDING_MS, WINDOW, Kept, a_node, a_pod, hours, inputs, prices

DOLLAR = 1_000_000_000
GIB = 1 << 30
STEP = 30_000
SPAN = Window(T0, T0 + 3 * 60 * MINUTE_MS)
NAMES = ("chat-0", "chat-1", "chat-2")


def gauges(device: str, pod: str | None, levels: Sequence[float], *, window: Window, gibibytes: int = 40) -> list:
    """Engine and memory of a device, with a level for each quarter of the window."""
    at_ms = np.arange(window.start_ms - PADDING_MS, window.end_ms + PADDING_MS, STEP)
    quarter = np.clip((at_ms - window.start_ms) * len(levels) // window.length_ms, 0, len(levels) - 1)
    value = (np.array(levels)[quarter] * PPB).astype(np.int64)
    used = np.full(len(at_ms), gibibytes * GIB)
    holder = ("team-a", pod) if pod else None
    return [
        DeviceSeries(signal, device, None, "gpu-1", holder, None, "h100-80gb", at_ms, values)
        for signal, values in ((Signal.ENGINE_ACTIVE, value), (Signal.MEMORY_USED, used))
    ]


def post(folder: Path, loads: Sequence[Sequence[Sequence[float]]], *, gibibytes: int = 40, keep: bool = True) -> Kept:
    """Hours of three replicas on a node of four GPUs at $4, each with a level for each quarter of an hour."""
    kept = Kept(folder)
    for hour, replicas in enumerate(loads):
        window = hours(hour)
        pods: list[PodRecord] = [a_pod(NAMES[index]).label(model="llama").record() for index in range(len(replicas))]
        series: list[DeviceSeries] = []
        for index, levels in enumerate(replicas):
            series += gauges(f"GPU-{index}", NAMES[index], levels, window=window, gibibytes=gibibytes)
        series += gauges("GPU-9", None, [0.0], window=window, gibibytes=0)
        kept.post(inputs(pods, [a_node(gpus=4).record()], series, window=window, books=[prices(4)]), keep=keep)
    return kept


def assessed(kept: Kept, namespace: str | None = None, span: Window = SPAN) -> IdleReport:
    return AssessIdle(CLUSTER, kept.ledger.snapshot(), kept.inputs)(span, namespace)


def dollars(report: IdleReport) -> dict[tuple[IdleKind, Phase], float]:
    found: dict[tuple[IdleKind, Phase], float] = defaultdict(float)
    for line in report.lines:
        found[line.key.kind, line.key.phase] += line.cost_nanos / DOLLAR
    return {key: round(value, 2) for key, value in found.items()}


def add_up(kept: Kept, report: IdleReport, namespace: str | None = None) -> None:
    rows = kept.ledger.snapshot().rows(SPAN, cluster=CLUSTER)
    rows = [row for row in rows if namespace in {None, row.holder.namespace}]
    assert sum(line.cost_nanos for line in report.lines) == idle_nanos(rows)["USD"]


def test_a_model_that_is_loaded_and_not_asked_is_named_with_its_price_a_day(tmp_path):
    kept = post(tmp_path, [[[0.0, 0.0, 0.0, 0.0]]])
    report = assessed(kept)
    resident = next(line for line in report.lines if line.key.kind is IdleKind.IDLE_RESIDENT)
    assert (resident.key.pod, resident.key.model, resident.key.owner) == ("chat-0", "llama", "vision")
    assert (resident.memory_bytes, resident.cost_nanos) == (40 * GIB, 4 * DOLLAR)
    assert resident.per_day_nanos(report.covered_ms) == 96 * DOLLAR
    assert dollars(report)[IdleKind.UNALLOCATED, Phase.NONE] == 12
    add_up(kept, report)


def test_without_memory_it_is_only_idle(tmp_path):
    kept = post(tmp_path, [[[0.0, 0.0, 0.0, 0.0]]], gibibytes=0)
    report = assessed(kept)
    assert dollars(report) == {(IdleKind.ALLOCATED_IDLE, Phase.NONE): 4, (IdleKind.UNALLOCATED, Phase.NONE): 12}


def test_replicas_before_and_after_a_spike_are_waste_and_not_counted_twice(tmp_path):
    quiet, spike = [[0.1] * 4, [0.0] * 4, [0.0] * 4], [[0.8] * 4] * 3
    kept = post(tmp_path, [quiet, spike, quiet])
    report = assessed(kept)
    found = dollars(report)
    assert found[IdleKind.SCALE_WASTE, Phase.BEFORE_SPIKE] == pytest.approx(8, abs=0.5)
    assert found[IdleKind.SCALE_WASTE, Phase.AFTER_SPIKE] == pytest.approx(8, abs=0.5)
    hours_too_many = sum(line.replica_milliseconds for line in report.lines) / 3_600_000
    assert hours_too_many == pytest.approx(4, abs=0.35)
    add_up(kept, report)


def test_replicas_of_a_job_are_no_waste(tmp_path):
    kept = Kept(tmp_path)
    facts = [a_pod(name).facts() for name in NAMES[:2]]
    job = OwnerFacts("batch/v1", "Job", "train", "uid-job")
    pods = [PodRecord(replace(one, owners=(job,)), seen_ms=T0) for one in facts]
    series = [one for index in range(2) for one in gauges(f"GPU-{index}", NAMES[index], [0.0], window=WINDOW)]
    kept.post(inputs(pods, [a_node(gpus=2).record()], series, books=[prices(4)]))
    assert {line.key.kind for line in assessed(kept).lines} == {IdleKind.IDLE_RESIDENT}


def test_where_inputs_are_gone_idle_is_not_divided_and_that_is_said(tmp_path):
    kept = post(tmp_path, [[[0.0] * 4]], keep=False)
    report = assessed(kept)
    assert dollars(report) == {(IdleKind.ALLOCATED_IDLE, Phase.NONE): 4, (IdleKind.UNALLOCATED, Phase.NONE): 12}
    assert "was not divided where samples are gone" in report.notes[0]


def test_one_namespace_sees_nothing_of_what_nobody_held(tmp_path):
    kept = post(tmp_path, [[[0.0] * 4, [0.9] * 4]])
    report = assessed(kept, "team-a")
    assert {line.key.kind for line in report.lines} <= {
        IdleKind.IDLE_RESIDENT, IdleKind.SCALE_WASTE, IdleKind.ALLOCATED_IDLE,
    }  # fmt: skip
    add_up(kept, report, "team-a")
    assert assessed(kept, "team-b").lines == ()


def test_rows_of_all_revisions_count_together(tmp_path):
    kept = post(tmp_path, [[[0.0] * 4]])
    given = inputs([a_pod(NAMES[0]).record()], [a_node(gpus=4).record()],
                   gauges("GPU-0", NAMES[0], [0.0], window=WINDOW), books=[prices(2)])  # fmt: skip
    kept.post(given, 1)
    report = assessed(kept)
    add_up(kept, report)
    assert dollars(report)[IdleKind.IDLE_RESIDENT, Phase.NONE] == 2


def test_the_document_adds_up_to_its_own_totals_and_is_json(tmp_path):
    kept = post(tmp_path, [[[0.0] * 4, [0.5] * 4, [0.1, 0.9, 0.1, 0.1]]])
    document = json.loads(json.dumps(idle_document(assessed(kept), None, T0, 1)))
    (total,) = document["totals"]
    assert sum(one["cost_nanos"] for one in document["kinds"]) == total["cost_nanos"]
    assert (len(document["rows"]), document["lines"] > 1) == (1, True)
    assert total["gpu_cost_nanos"] == 16 * DOLLAR
