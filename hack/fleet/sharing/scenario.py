"""The scenario `shared`: six nodes whose GPUs are shared in six ways, with the traps of each.

| node | GPUs | what is special |
|---|---|---|
| slices-a | 2 x L40S, four replicas each | rows of replicas beside the GPU's own; a pod holds two; the agent counts |
| slices-b | 1 x L40S, four replicas | all pods read 0: the exporter cannot tell processes apart |
| mig-a | 2 x H100, one cut into 3g, 2g, 1g | power repeated on each instance; an instance that nobody holds |
| hami-a | 1 x L40S in HAMi's parts | no exporter row names a pod; HAMi's own gauge does |
| kai-a | 2 x A100 of KAI | the reservation pod stands for a group |
| claims-a | 2 x H100 by DRA | two pods on one claim, one behind a plain request, an administrator who pays nothing |
"""

from fractions import Fraction
from typing import Any

from fleet.models import A100, H100, L40S
from fleet.script import Collection, Fleet, Price, SimNamespace, SimNode, SimPod, gpu_hour
from fleet.sharing import builders
from fleet.sharing.builders import DRA, KAI, VIRTUAL, claimed, cut, fraction, mixed, sliced, slots
from fleet.sharing.terms import WHOLE, Part, Plugin, Sharing
from fleet.spec import parse

BEAT = Collection(window_ms=5_000, tick_ms=5_000)
PRICES: dict[str, Price | None] = {
    "g6e.xlarge": gpu_hour(1_800_000_000),
    "p5.4xlarge": gpu_hour(4_000_000_000),
    "p4d.24xlarge": gpu_hour(2_400_000_000),
}
TEAMS = {"vision": "team-vision", "search": "team-search", "research": "team-research"}


def _nodes(made_ms: int) -> dict[str, SimNode]:
    def host(number: int, name: str, kind: str, sharing: Sharing, gpus: int, **more: Any) -> SimNode:
        sees = {name: more.pop(name) for name in ("per_process",) if name in more}
        own = builders.exporter(collection=BEAT, pod=f"dcgm-exporter-{number}", ip=f"127.10.4.{number}", **sees)
        beside = tuple(more.pop("beside", ()))
        life = {"price": PRICES[kind], "instance_type": kind, "booted_ms": made_ms, "exporters": (own, *beside)}
        return builders.host(name, sharing, gpus, **(life | more))

    found = (
        host(1, "slices-a", "g6e.xlarge", sliced(4), 2, model=L40S, beside=[builders.agent(collection=BEAT)]),
        host(2, "slices-b", "g6e.xlarge", sliced(4, renamed=True), 1, model=L40S, per_process="zero"),
        cut(host(3, "mig-a", "p5.4xlarge", mixed(), 2, model=H100), 0, "3g.40gb", "2g.20gb", "1g.10gb"),
        host(4, "hami-a", "g6e.xlarge", VIRTUAL[Plugin.HAMI], 1, model=L40S, beside=[builders.hami(collection=BEAT)]),
        host(5, "kai-a", "p4d.24xlarge", KAI, 2, model=A100),
        host(6, "claims-a", "p5.4xlarge", DRA, 2, model=H100),
    )
    return {node.name: node for node in found}


def fleet(made_ms: int) -> Fleet:
    """The scenario, made at this moment."""
    hosts = _nodes(made_ms)

    def made(namespace: str, name: str, on: str, gpu: int, part: Part, activity: str, **more: Any) -> SimPod:
        life = {"namespace": namespace, "bound_ms": made_ms + 2_000, "started_ms": made_ms + 12_000} | more
        return builders.tenant(name, hosts[on], gpu, part, parse(activity), **life)

    both, end = claimed("both", template=False), made_ms + 40 * 60_000
    pods = (
        made("search", "embed-0", "slices-a", 0, slots(2), "duty:0.5/0.3/60s"),
        made("search", "embed-1", "slices-a", 0, slots(), "0.2"),
        made("research", "notebook-0", "slices-a", 0, slots(), "burst:0/0.3/5m/60s"),
        made("research", "notebook-1", "slices-a", 1, slots(), "idle"),
        made("search", "rerank-0", "slices-b", 0, slots(), "0.6"),
        made("search", "rerank-1", "slices-b", 0, slots(), "0.2", finished_ms=end),
        made("vision", "detect-0", "mig-a", 0, Part(instance=1), "0.8"),
        made("vision", "detect-1", "mig-a", 0, Part(instance=2), "burst:0.1/0.9/2m/45s", finished_ms=end),
        made("vision", "train-0", "mig-a", 1, WHOLE, "duty:0.95/0.55/60s"),
        made("search", "small-0", "hami-a", 0, fraction(Fraction(1, 4), 10_000), "0.25"),
        made("search", "small-1", "hami-a", 0, fraction(Fraction(1, 10), 23_000), "0.1"),
        made("research", "half-0", "kai-a", 0, fraction(Fraction(1, 2)), "0.4"),
        made("research", "quarter-0", "kai-a", 0, fraction(Fraction(1, 4)), "0.2", finished_ms=end),
        made("vision", "tune-0", "kai-a", 1, WHOLE, "ramp:0.1/0.9/5/60s"),
        made("vision", "twin-0", "claims-a", 0, both, "0.4"),
        made("vision", "twin-1", "claims-a", 0, both, "0.2"),
        made("search", "plain-0", "claims-a", 1, claimed("made", extended=True), "0.7", finished_ms=end),
        made("research", "watch-0", "claims-a", 1, claimed("all", admin=True), "idle"),
    )
    namespaces = tuple(SimNamespace(name, (("aicost.dev/team", team),)) for name, team in TEAMS.items())
    return Fleet(tuple(hosts.values()), pods, namespaces)
