"""Random fleets, GPUs shared in every way: stated in one pass, each row and seal is that of each node alone."""

import random
from dataclasses import replace

import numpy as np
import pytest

from aicost.domain.attribution.resources.residents import Counting
from aicost.domain.attribution.resources.use import UNKNOWN, ClusterUse, Levels, PodUse
from aicost.domain.attribution.stating.rows import state_node
from aicost.domain.attribution.window import WindowInput, node_inputs, state_window
from aicost.domain.exact.apportion import apportion
from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.identity.matching import match_claims
from aicost.domain.ledger.rows import Component, Row
from aicost.domain.ledger.seals import canonical_line, seal, seal_of
from fleet.script import Fleet
from support.pipeline import SETTLE_MS, STEP, Pipeline, Way
from support.scripts import random_fleet, random_nodes
from support.shared_fleets import random_shared_fleet

T = 1_795_600_800_000
BEGIN, END = T - 5 * MINUTE_MS, T + 15 * MINUTE_MS
KINDS = ["whole", "nodes", "time-slicing", "mps", "mig", "dra", "kai", "hami"]


def fleet_of(kind: str, seed: int) -> Fleet:
    if kind == "whole":
        return random_fleet(seed, BEGIN, END)
    return random_nodes(seed, BEGIN, END, nodes=3) if kind == "nodes" else random_shared_fleet(seed, BEGIN, END, kind)


def gathered(kind: str, seed: int, folder) -> WindowInput:
    """What a window of a fleet rests on; pods ask for CPU and memory, some of their use is known, samples are lost."""
    chance, window = random.Random(seed), Window(T + 1_003 * seed, END - 777 * seed)
    with Pipeline(
        folder, fleet_of(kind, seed), begin_ms=BEGIN, way=Way.PROMETHEUS, offset_ms=chance.randrange(STEP), kept=False
    ) as pipeline:
        pipeline.play(END + SETTLE_MS)
        given = pipeline.compute.gather(window, pipeline.now_ms, may_be_blind=False).given
    facts = given.facts
    pods = tuple(
        replace(
            one,
            facts=replace(one.facts, cpu_millis=chance.choice([0, 100, 9_000]), memory_bytes=chance.randrange(2**34)),
        )
        for one in facts.pods
    )
    nodes = tuple(
        replace(one, facts=replace(one.facts, cpu_millis=chance.choice([4_000, 64_000]), memory_bytes=2**36))
        for one in facts.nodes
    )
    use = {(one.facts.namespace, one.facts.name): PodUse(_levels(chance), _levels(chance)) for one in pods}
    series = tuple(
        replace(one, at_ms=one.at_ms[kept], value=one.value[kept])
        for one in given.telemetry.series
        if len(kept := np.flatnonzero([chance.random() > seed / 20 for _ in one.at_ms]))
    )
    return replace(
        given,
        facts=replace(facts, pods=pods, nodes=nodes),
        use=ClusterUse(use),
        telemetry=replace(given.telemetry, series=series),
        counting=Counting((Component.CPU, Component.MEMORY), each_pod=bool(seed % 2)),
    )


def _levels(chance: random.Random) -> Levels:
    pieces = chance.choice([0, 3, 5])
    if not pieces:
        return UNKNOWN
    edges = T + np.arange(pieces + 1, dtype=np.int64) * (15 * MINUTE_MS // pieces)
    return Levels(edges[:-1], edges[1:], np.array([chance.randrange(9_000_000) for _ in range(pieces)], np.int64))


def one_by_one(given: WindowInput) -> list[Row]:
    """The rows of GPUs node by node, with nothing foreseen: each device is integrated and apportioned alone."""
    matching = match_claims((one.facts for one in given.facts.pods), given.claims)
    return [row for node in node_inputs(given, matching) for row in state_node(given.cluster, given.window, node).rows]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_one_pass_over_all_nodes_says_what_each_says_alone(kind, seed, tmp_path, monkeypatch):
    given = gathered(kind, seed, tmp_path)
    together = state_window(given)
    gpus = [row for row in together.rows if row.component is Component.GPU]
    assert gpus
    assert gpus == one_by_one(given)
    assert together.unbalanced_nanos == 0
    alone = [
        row
        for node in given.facts.nodes
        for row in state_window(replace(given, facts=replace(given.facts, nodes=(node,)))).rows
    ]
    assert sorted(map(canonical_line, together.rows)) == sorted(map(canonical_line, alone))
    assert seal_of(together.rows) == seal(map(canonical_line, tuple(together.rows)))
    monkeypatch.setattr("aicost.domain.attribution.statement.apportion_each", each_alone)
    monkeypatch.setattr("aicost.domain.attribution.resources.lines.apportion_runs", runs_alone)
    assert tuple(state_window(given).rows) == tuple(together.rows)


def each_alone(totals, weights):
    return [apportion(total, some) for total, some in zip(totals, weights, strict=True)]


def runs_alone(totals, weights, counts):
    runs = np.split(weights, np.cumsum(counts))[:-1]
    return [part for total, some in zip(totals, runs, strict=True) for part in apportion(total, some.tolist())]
