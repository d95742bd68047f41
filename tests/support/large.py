"""A large cluster in memory: nodes of eight GPUs, pods that follow each other on each, samples of three signals."""

import numpy as np

from aicost.domain.attribution.window import WindowInput
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, SECOND_MS, Window
from aicost.domain.identity.claims import LabelSelector, WorkloadClaim
from aicost.domain.inventory.cluster import ClusterFacts
from aicost.domain.inventory.nodes import NodeFacts, NodeRecord
from aicost.domain.inventory.pods import PodFacts, PodRecord
from aicost.domain.pricing.books import ALWAYS, NodeMatch, NodeSplit, PriceBook, PriceEntry
from aicost.domain.sampling.cleaning import read_telemetry
from aicost.domain.sampling.identity import context_of
from aicost.domain.sampling.series import RawSeries

STEP = 15_000
HOUR = Window(1_000 * HOUR_MS, 1_001 * HOUR_MS)
PADDING_MS = 5 * MINUTE_MS
PER_NODE = 8
NAMES = ("DCGM_FI_PROF_GR_ENGINE_ACTIVE", "DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION")


def _pod(gpu: int, turn: int, turns: int) -> PodRecord:
    """One of the pods of a GPU: they share the hour evenly, with a second between them."""
    part = HOUR_MS // turns
    start, name = HOUR.start_ms + turn * part, f"p-{gpu}-{turn}"
    facts = PodFacts(
        uid=f"uid-{name}",
        namespace=f"team-{gpu % 20}",
        name=name,
        created_ms=start,
        node=f"node-{gpu // PER_NODE}",
        labels={"app": f"app-{gpu % 50}", "aicost.dev/team": f"team-{gpu % 7}"},
        devices={"nvidia.com/gpu": 1},
        bound_ms=start,
    )
    return PodRecord(facts, seen_ms=start + part, held_until_ms=start + part - SECOND_MS, gone=True)


def _series(gpu: int, name: str, turns: int, chance: np.random.Generator) -> list[RawSeries]:
    """Samples of one signal: under each pod, and under nobody between them."""
    times = np.arange(HOUR.start_ms - PADDING_MS, HOUR.end_ms + PADDING_MS, STEP, dtype=np.int64)
    turn = (times - HOUR.start_ms) // (HOUR_MS // turns)
    rest = (times - HOUR.start_ms) % (HOUR_MS // turns)
    held = (turn >= 0) & (turn < turns) & (rest < HOUR_MS // turns - SECOND_MS)
    base = {"UUID": f"GPU-{gpu:05d}", "Hostname": f"node-{gpu // PER_NODE}"}
    found = []
    for one in [None, *range(turns)]:
        mine = ~held if one is None else held & (turn == one)
        labels = base if one is None else base | {"namespace": f"team-{gpu % 20}", "pod": f"p-{gpu}-{one}"}
        values = np.cumsum(np.full(mine.sum(), 1e6)) if "ENERGY" in name else chance.random(int(mine.sum()))
        found.append(RawSeries(name, labels, times[mine], values))
    return found


def large_cluster(gpus: int, turns: int) -> tuple[ClusterFacts, list[RawSeries]]:
    """Facts and raw series of an hour."""
    chance = np.random.default_rng(1)
    nodes = tuple(
        NodeRecord(
            NodeFacts(f"uid-{k}", f"node-{k}", 0, gpu_model="h100-80gb", gpus=PER_NODE), seen_ms=HOUR.end_ms, since_ms=0
        )
        for k in range(gpus // PER_NODE)
    )
    pods = tuple(_pod(gpu, turn, turns) for gpu in range(gpus) for turn in range(turns))
    series = [one for gpu in range(gpus) for name in NAMES for one in _series(gpu, name, turns, chance)]
    return ClusterFacts(pods, nodes), series


def large_input(gpus: int, pods_per_gpu: int) -> WindowInput:
    """What a statement of the hour rests on."""
    facts, raw = large_cluster(gpus, pods_per_gpu)
    telemetry = read_telemetry(raw, context_of(facts, STEP), HOUR.end_ms + PADDING_MS)
    entry = PriceEntry("h100", NodeMatch(gpu_model="h100-80gb"), 4_000_000_000, None, NodeSplit.RESIDUAL, None, ALWAYS)
    claims = [
        WorkloadClaim(f"team-{k % 20}", f"w-{k}", f"uid-w-{k}", k, selector=LabelSelector({"app": f"app-{k % 50}"}))
        for k in range(100)
    ]
    books = (PriceBook("book", "USD", (entry,)),)
    return WindowInput("c1", HOUR, facts, telemetry, books, claims, PADDING_MS)
