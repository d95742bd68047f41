"""The statement of a whole cluster for one window: gathered facts in, rows of the ledger out."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from aicost.domain.attribution.claims import Tenancy
from aicost.domain.attribution.statement import NodeInput, NodeStatement, state_node, unbalanced_nanos
from aicost.domain.attribution.system_pods import is_system
from aicost.domain.attribution.tenancies import Unseen, tenancies_of, unseen_pods
from aicost.domain.attribution.timeline import Timelines
from aicost.domain.exact.windows import Window
from aicost.domain.identity.claims import WorkloadClaim
from aicost.domain.identity.discovery import discover
from aicost.domain.identity.matching import Matching, match_claims
from aicost.domain.identity.tags.evidence import Witnesses
from aicost.domain.identity.tags.precedence import Tagger
from aicost.domain.identity.tags.queues import queue_of
from aicost.domain.inventory.cluster import ClusterFacts
from aicost.domain.inventory.nodes import NodeRecord
from aicost.domain.inventory.pods import PodFacts, PodRecord
from aicost.domain.ledger.rows import Holder, Row
from aicost.domain.ledger.tagging import tagged
from aicost.domain.policy.policies import LabelPolicy
from aicost.domain.pricing.books import PriceBook, PriceDecision
from aicost.domain.pricing.selection import decide_prices
from aicost.domain.sampling.series import DeviceSeries, Telemetry


@dataclass(frozen=True, slots=True)
class WindowInput:
    """All that a statement rests on.

    Attributes:
        window: billing window, or the part of the open one that has passed.
        telemetry: samples, padded by `padding_ms` on both sides.
        books: price books; their entries carry their own dates.
        claims: the AIWorkloads.
        policies: whose aliases, defaults and attribution rules hold.
    """

    cluster: str
    window: Window
    facts: ClusterFacts
    telemetry: Telemetry
    books: Sequence[PriceBook]
    claims: Sequence[WorkloadClaim]
    padding_ms: int
    policies: Sequence[LabelPolicy] = ()


@dataclass(frozen=True, slots=True)
class Unpriced:
    """A node without a price, and the entry to add."""

    node: str
    instance_type: str
    gpu_model: str
    reason: str


@dataclass(frozen=True, slots=True)
class WindowStatement:
    """Rows of one window with what a reader should know beside them.

    Attributes:
        rows: what is posted.
        unbalanced_nanos: 0, or a bug.
        device_milliseconds, measured_milliseconds, priced_milliseconds: device time in all, with samples, with a price.
        unpriced: nodes without a price.
        matching: which AIWorkload claims which pod, with conflicts.
        decisions: node -> price decisions with their reasons.
        surplus: node -> UUIDs beyond the number of its GPUs, not billed.
    """

    window: Window
    rows: tuple[Row, ...]
    unbalanced_nanos: int
    device_milliseconds: int
    measured_milliseconds: int
    priced_milliseconds: int
    unpriced: tuple[Unpriced, ...]
    matching: Matching
    decisions: Mapping[str, tuple[PriceDecision, ...]]
    surplus: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Sorted:
    """What the nodes' statements share, sorted once.

    Attributes:
        series, pods: by node.
        names: (namespace, name) of all pods that the watch knows or knew: others are known from samples alone.
        known_until_ms: up to here samples may be expected: to the window's end, or to the last one that came.
        identify: who a pod is in the ledger.
        identify_unseen: who a pod is that samples show on a node, and that no watch ever saw.
    """

    series: Mapping[str, Sequence[DeviceSeries]]
    pods: Mapping[str, Sequence[tuple[int, PodRecord]]]
    names: frozenset[tuple[str, str]]
    known_until_ms: int
    identify: Callable[[PodRecord], Holder]
    identify_unseen: Callable[[Tenancy, str], Holder]


def state_window(given: WindowInput) -> WindowStatement:
    """Charge every device of the cluster for one window.

    1. Match AIWorkloads to pods. 2. Sort samples and pods by node. 3. State each node. 4. Add up.
    """
    matching = match_claims((record.facts for record in given.facts.pods), given.claims)
    together = _sort(given, matching)
    decisions: dict[str, tuple[PriceDecision, ...]] = {}
    statements: dict[str, NodeStatement] = {}
    for record in sorted(given.facts.nodes, key=lambda record: (record.facts.name, record.since_ms, record.facts.uid)):
        uid = record.facts.uid
        decisions[uid] = decide_prices(record.facts, given.books, given.window)
        statements[uid] = state_node(given.cluster, given.window, _node_input(given, together, record, decisions[uid]))
    return _add_up(given, statements, decisions, matching)


def _sort(given: WindowInput, matching: Matching) -> _Sorted:
    names = {(record.facts.namespace, record.facts.name) for record in given.facts.pods}
    last = max((int(one.at_ms[-1]) for one in given.telemetry.series if len(one.at_ms)), default=0)
    tagger = Tagger(given.policies)
    return _Sorted(
        series=_series_by_node(given.telemetry.series),
        pods=_pods_by_node(given.facts.pods),
        names=given.facts.past_pods | names,
        known_until_ms=max(given.window.end_ms, last),
        identify=_identifier(given, matching, tagger),
        identify_unseen=_identifier_of_unseen(given, tagger),
    )


def _node_input(
    given: WindowInput, together: _Sorted, record: NodeRecord, prices: Sequence[PriceDecision]
) -> NodeInput:
    """What the charges of one node rest on; pods that only samples know join those that the watch saw."""
    interval_ms, window = given.telemetry.interval_ms, given.window
    series, pods = together.series.get(record.facts.name, ()), together.pods.get(record.facts.name, ())
    presence = record.presence(Window(window.start_ms - given.padding_ms, window.end_ms + given.padding_ms))
    seen = tenancies_of(record.facts, pods, series, interval_ms, window.end_ms)
    here = [tenancy for tenancy in seen if presence and tenancy.span.overlap(presence)]
    ghosts = _ghosts(unseen_pods(together.names, series, interval_ms), -1)
    records = dict(pods)
    holders = {tenancy.pod: together.identify(records[tenancy.pod]) for tenancy in here}
    holders |= {t.pod: together.identify_unseen(t, record.facts.name) for t in ghosts}
    system = frozenset(t.pod for t in here if is_system(records[t.pod].facts.containers))
    timelines = Timelines(series, interval_ms, together.known_until_ms, given.telemetry.collection_ms)
    tenancies, activity, alive = (*here, *ghosts), timelines.activity, timelines.alive
    return NodeInput(record, series, tenancies, holders, system, prices, activity, alive, given.padding_ms)


def _ghosts(unseen: Iterable[Unseen], first: int) -> tuple[Tenancy, ...]:
    """Tenancies of pods that only samples know, under numbers that no record has."""
    return tuple(
        Tenancy(first - offset, one.name, one.uid, one.span, (), uncertain=True) for offset, one in enumerate(unseen)
    )


def _series_by_node(series: Iterable[DeviceSeries]) -> Mapping[str, list[DeviceSeries]]:
    found: dict[str, list[DeviceSeries]] = defaultdict(list)
    for one in series:
        if one.node is not None:
            found[one.node].append(one)
    return found


def _pods_by_node(pods: Iterable[PodRecord]) -> Mapping[str, list[tuple[int, PodRecord]]]:
    found: dict[str, list[tuple[int, PodRecord]]] = defaultdict(list)
    for index, record in enumerate(pods):
        if record.facts.node is not None:
            found[record.facts.node].append((index, record))
    return found


def _identifier(given: WindowInput, matching: Matching, tagger: Tagger) -> Callable[[PodRecord], Holder]:
    """A function that says who a pod is in the ledger."""
    facts = given.facts

    def identify(record: PodRecord) -> Holder:
        pod = record.facts
        claim = matching.by_pod.get(pod.uid)
        witnesses = Witnesses(
            pod=pod,
            claim=claim,
            namespace=facts.namespaces.get(pod.namespace),
            service_account=facts.service_accounts.get((pod.namespace, pod.service_account)),
            queue=queue_of(pod, facts.queues),
            discovered=discover(pod),
        )
        evidence = tagger.hear(witnesses)
        return tagged(_holder(pod, claim), evidence, tagger.tags(evidence))

    return identify


def _identifier_of_unseen(given: WindowInput, tagger: Tagger) -> Callable[[Tenancy, str], Holder]:
    """The same for a pod that only samples know: its namespace may still say who pays."""

    def identify(tenancy: Tenancy, node: str) -> Holder:
        namespace, name = tenancy.name
        pod = PodFacts(tenancy.uid, namespace, name, tenancy.span.start_ms, node)
        evidence = tagger.hear(Witnesses(pod, namespace=given.facts.namespaces.get(namespace)))
        return tagged(Holder(namespace=namespace, pod=name, pod_uid=tenancy.uid), evidence, tagger.tags(evidence))

    return identify


def _holder(pod: PodFacts, claim: WorkloadClaim | None) -> Holder:
    """Who a pod is in the ledger: its controller is the last owner of its chain, which people know by name."""
    controller = pod.owners[-1] if pod.owners else None
    return Holder(
        namespace=pod.namespace,
        pod=pod.name,
        pod_uid=pod.uid,
        controller_kind=controller.kind if controller else "Pod",
        controller=controller.name if controller else pod.name,
        workload=claim.name if claim else "",
        labels=pod.labels,
    )


def _add_up(
    given: WindowInput,
    statements: Mapping[str, NodeStatement],
    decisions: Mapping[str, tuple[PriceDecision, ...]],
    matching: Matching,
) -> WindowStatement:
    """Put the statements of the nodes together."""
    rows = tuple(row for statement in statements.values() for row in statement.rows)
    charges = [charge for statement in statements.values() for charge in statement.charges]
    return WindowStatement(
        window=given.window,
        rows=rows,
        unbalanced_nanos=unbalanced_nanos(list(statements.values())),
        device_milliseconds=sum(charge.device_milliseconds for charge in charges),
        measured_milliseconds=sum(row.measured_milliseconds for row in rows),
        priced_milliseconds=sum(c.device_milliseconds for c in charges if c.cost_nanos is not None),
        unpriced=_unpriced(given.facts.nodes, statements),
        matching=matching,
        decisions=decisions,
        surplus={uid: statement.surplus for uid, statement in statements.items() if statement.surplus},
    )


def _unpriced(nodes: Iterable[NodeRecord], statements: Mapping[str, NodeStatement]) -> tuple[Unpriced, ...]:
    """Nodes that some part of the window had no price for."""
    found = []
    for record in nodes:
        reasons = [charge.reason for charge in statements[record.facts.uid].charges if charge.cost_nanos is None]
        if reasons:
            facts = record.facts
            found.append(Unpriced(facts.name, facts.instance_type, facts.gpu_model or "", reasons[0]))
    return tuple(sorted(found, key=lambda one: one.node))
