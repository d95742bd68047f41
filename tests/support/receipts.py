"""Small worlds with receipts: inputs of a window in a few words, posted as the controller posts them, and explained."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.adapters.ledger.inputs.codec import decode_rows
from aicost.adapters.ledger.inputs.parts import split
from aicost.adapters.ledger.inputs.replaying import recompute
from aicost.adapters.ledger.inputs.store import DeltaInputs
from aicost.domain.attribution.window import WindowInput, state_window
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS, Window
from aicost.domain.inventory.cluster import ClusterFacts, NamespaceFacts
from aicost.domain.inventory.nodes import NodeRecord
from aicost.domain.inventory.pods import PodRecord
from aicost.domain.ledger.difference import difference
from aicost.domain.ledger.rows import Row
from aicost.domain.pricing.books import PriceBook
from aicost.domain.receipts.receipt import Receipt
from aicost.domain.receipts.subjects import Subject, SubjectKind
from aicost.domain.sampling.series import PPB, DeviceSeries, Signal, Telemetry
from aicost.ports.ledger import Posting
from aicost.usecases.receipts.explain_cost import ExplainCost
from support.builders import T0, NodeBuilder, PodBuilder, make_node, make_pod
from support.pricing import book, entry

WINDOW = Window(T0, T0 + HOUR_MS)
PADDING_MS = 5 * MINUTE_MS
STEP_MS = 30_000
CLUSTER = "c1"


def at(minutes: float) -> int:
    """A moment so many minutes into the window."""
    return T0 + round(minutes * MINUTE_MS)


def hours(count: int) -> Window:
    """The billing window so many hours later."""
    return Window(WINDOW.start_ms + count * HOUR_MS, WINDOW.end_ms + count * HOUR_MS)


def a_node(name: str = "gpu-1", gpus: int = 2) -> NodeBuilder:
    return make_node(name).gpus(gpus).instance("p5.48xlarge").created(T0 - DAY_MS)


def a_pod(name: str = "train-0", node: str = "gpu-1", gpus: int = 1, namespace: str = "team-a") -> PodBuilder:
    pod = make_pod(namespace, name).gpus(gpus).created(T0 - HOUR_MS).bound(T0 - HOUR_MS).on(node).running()
    return pod.owned_by("Deployment", name.rsplit("-", 1)[0], team="vision")


def busy(
    device: str,
    node: str = "gpu-1",
    pod: tuple[str, str] | None = ("team-a", "train-0"),
    level: float = 0.75,
    *,
    window: Window = WINDOW,
    signal: Signal = Signal.ENGINE_ACTIVE,
    gap: Window | None = None,
    holders: tuple[tuple[str, str], ...] = (),
) -> DeviceSeries:
    """Samples of one device over a padded window; the level rises a little with each."""
    times = np.arange(window.start_ms - PADDING_MS, window.end_ms + PADDING_MS, STEP_MS)
    times = times if gap is None else times[(times < gap.start_ms) | (times >= gap.end_ms)]
    value = (level * PPB + np.arange(len(times)) * 1_000).astype(np.int64)
    return DeviceSeries(signal, device, None, node, pod, None, "h100-80gb", times, value, holders)


def prices(per_gpu: float = 2.49, cut: float | None = None, then: float = 3.0) -> PriceBook:
    """One book; `cut` is the minute at which another price takes over."""
    if cut is None:
        return book(entry("h100", gpu_hour=per_gpu))
    before, after = Window(0, at(cut)), Window(at(cut), T0 + 1_000 * DAY_MS)
    return book(entry("h100", gpu_hour=per_gpu, effective=before), entry("h100-later", gpu_hour=then, effective=after))


def inputs(
    pods: Sequence[PodRecord] = (),
    nodes: Sequence[NodeRecord] = (),
    series: Sequence[DeviceSeries] = (),
    *,
    window: Window = WINDOW,
    books: Sequence[PriceBook] = (),
    cluster: str = CLUSTER,
    **more,
) -> WindowInput:
    """Inputs of one window; without more, one pod on one of two devices of one node."""
    named = sorted({record.facts.namespace for record in pods} | {"team-a"})
    facts = ClusterFacts(
        tuple(pods or (a_pod().record(),)),
        tuple(nodes or (a_node().record(),)),
        {name: NamespaceFacts(name, {"aicost.dev/product": "maps"}) for name in named},
    )
    shown = tuple(series or (busy("GPU-1", window=window), busy("GPU-2", pod=None, level=0.0, window=window)))
    telemetry = Telemetry(shown, STEP_MS)
    return WindowInput(cluster, window, facts, telemetry, tuple(books or (prices(),)), (), PADDING_MS, **more)


class Kept:
    """A ledger with the inputs beside it, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = DeltaLedger(str(folder))
        self.inputs = DeltaInputs(self.ledger.place, "1.2.3")

    def post(
        self,
        given: WindowInput,
        revision: int = 0,
        reason: str = "late-data",
        *,
        lost: Sequence[str] = (),
        keep: bool = True,
    ) -> tuple[Row, ...]:
        """Post a window, or what changed since, as the use cases do; `lost` are nodes that stay as they were."""
        rows: Sequence[Row] = state_window(given).rows
        if revision:
            posted = self.ledger.rows(given.window, cluster=given.cluster)
            stays = [row for row in posted if row.place.node in lost]
            again = [*stays, *(row for row in rows if row.place.node not in lost)]
            rows = difference(posted, again, revision, reason)
        before = dict.fromkeys(lost, revision - 1)
        anchor = self.inputs.keep(given, revision, before) if keep else None
        self.ledger.post(Posting(given.cluster, given.window, revision, rows, anchor))
        return tuple(rows)

    def explain(
        self,
        name: str = "team-a/train-0",
        kind: SubjectKind = SubjectKind.POD,
        span: Window | None = None,
        cluster: str = CLUSTER,
        **more,
    ) -> Receipt:
        """The receipt, computed again in this process."""
        named = kind in {SubjectKind.POD, SubjectKind.WORKLOAD}
        namespace, own = name.split("/", 1) if named else ("", name)
        subject = Subject(kind, own, namespace)
        used = ExplainCost(cluster, self.ledger.snapshot(), self.inputs, replay_here)
        return used(subject, span or Window(T0 - DAY_MS, T0 + 30 * DAY_MS), **more)

    def alter(self, change: Callable[[WindowInput], WindowInput], window: Window = WINDOW, revision: int = 0) -> None:
        """Replace what is stored for a posting by something else, with valid checksums throughout."""
        kept = self.inputs.read(CLUSTER, window, revision, anchor=0)
        assert kept is not None
        shutil.rmtree(self.folder / "inputs")
        self.inputs.keep(change(kept.given), revision, kept.before)


def replay_here(given: Sequence[WindowInput]) -> Sequence[Sequence[Row]]:
    """What the process of its own does, without the process."""
    import msgspec  # noqa: PLC0415

    return decode_rows(recompute(msgspec.msgpack.encode([split(one) for one in given])))


def with_series(given: WindowInput, *series: DeviceSeries) -> WindowInput:
    """The inputs with other samples."""
    return replace(given, telemetry=replace(given.telemetry, series=tuple(series)))


def with_sample(given: WindowInput, device: str, index: int, value: int) -> WindowInput:
    """The inputs with one sample of a device changed."""

    def changed(one: DeviceSeries) -> DeviceSeries:
        if one.device != device or one.signal is not Signal.ENGINE_ACTIVE:
            return one
        values = one.value.copy()
        values[index] = value
        return replace(one, value=values)

    return with_series(given, *map(changed, given.telemetry.series))
