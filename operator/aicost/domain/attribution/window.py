"""The statement of a whole cluster for one window: gathered facts in, rows of the ledger out."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from aicost.domain.attribution.alike.answers import Placed
from aicost.domain.attribution.alike.layouts import Fitted, fitted
from aicost.domain.attribution.alike.looks import Frame, Site
from aicost.domain.attribution.alike.stating import state_alike
from aicost.domain.attribution.claims import Tenancy
from aicost.domain.attribution.identifying import Identifier, namespace_identifier
from aicost.domain.attribution.mig.instances import instances_on
from aicost.domain.attribution.resources.residents import ALL_COUNTED, Counting, Payers, residents_of
from aicost.domain.attribution.resources.stating import Host, state_resources
from aicost.domain.attribution.resources.storage import StorageStatement, state_storage
from aicost.domain.attribution.resources.use import NO_USE, ClusterUse
from aicost.domain.attribution.sharing.choosing import NO_POLICY, SharingPolicy, rules_of_node
from aicost.domain.attribution.sharing.rules import SplitRule
from aicost.domain.attribution.statement import Charge, LaidOut, NodeInput, lay_out, place_of, questions
from aicost.domain.attribution.stating.rows import NodeStatement, state_nodes, unbalanced_nanos
from aicost.domain.attribution.system_pods import is_system
from aicost.domain.attribution.tenancies import Unseen, tenancies_of, unseen_pods
from aicost.domain.attribution.timeline import Timelines, foresee
from aicost.domain.exact.windows import Window
from aicost.domain.identity.claims import WorkloadClaim
from aicost.domain.identity.matching import Matching, match_claims
from aicost.domain.identity.tags.evidence import Witnesses
from aicost.domain.identity.tags.precedence import Tagger
from aicost.domain.inventory.cluster import ClusterFacts
from aicost.domain.inventory.nodes import NodeRecord
from aicost.domain.inventory.pods import PodFacts, PodRecord
from aicost.domain.ledger.columns import RowColumns, columns_of
from aicost.domain.ledger.rows import Component, Holder
from aicost.domain.ledger.tagging import tagged
from aicost.domain.policy.policies import LabelPolicy
from aicost.domain.pricing.alike import Decide, prices_of_nodes
from aicost.domain.pricing.books import PriceBook, PriceDecision
from aicost.domain.pricing.terms.amortisation import uses_measured_power
from aicost.domain.sampling.energy import mean_power
from aicost.domain.sampling.series import DeviceSeries, Telemetry

_UNCOUNTED = "samples show GPUs that the node does not count: set gpuCount in the entry that prices it"


@dataclass(frozen=True, slots=True)
class WindowInput:
    """All that a statement rests on.

    Attributes:
        window: billing window, or the part of the open one that has passed.
        telemetry: samples, padded by `padding_ms` on both sides.
        books: price books; their entries carry their own dates.
        claims: the AIWorkloads.
        policies: whose aliases, defaults and attribution rules hold.
        known_until_ms: up to here samples may be expected; None: to the window's end, or to the last one that came.
            Inputs of some nodes alone must say so, since the last sample may be another node's.
        use: what pods used of CPU and memory.
        counting: what is counted beside the GPUs.
        sharing: how GPUs that pods share are split.
    """

    cluster: str
    window: Window
    facts: ClusterFacts
    telemetry: Telemetry
    books: Sequence[PriceBook]
    claims: Sequence[WorkloadClaim]
    padding_ms: int
    policies: Sequence[LabelPolicy] = ()
    known_until_ms: int | None = None
    use: ClusterUse = NO_USE
    counting: Counting = ALL_COUNTED
    sharing: SharingPolicy = NO_POLICY


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
        unpriced: nodes with GPUs and without a price.
        unpriced_hosts: nodes without GPUs and without a price, whose CPU and memory were to be charged.
        matching: which AIWorkload claims which pod, with conflicts.
        decisions: node -> price decisions with their reasons.
        surplus: node -> UUIDs beyond the number of its GPUs, not billed.
    """

    window: Window
    rows: RowColumns
    unbalanced_nanos: int
    device_milliseconds: int
    measured_milliseconds: int
    priced_milliseconds: int
    unpriced: tuple[Unpriced, ...]
    matching: Matching
    decisions: Mapping[str, tuple[PriceDecision, ...]]
    surplus: Mapping[str, tuple[str, ...]]
    unpriced_hosts: tuple[Unpriced, ...] = ()


@dataclass(frozen=True, slots=True)
class _Sorted:
    """What the nodes' statements share, sorted once.

    Attributes:
        series, pods: by node.
        names: (namespace, name) of all pods that the watch knows or knew: others are known from samples alone.
        known_until_ms: up to here samples may be expected: to the window's end, or to the last one that came.
        identify: who a pod is in the ledger.
        identify_unseen: who a pod is that samples show on a node, and that no watch ever saw.
        payers: who a pod is in rows of CPU and memory.
        claims: uid of a pod -> its AIWorkload.
        prices: what a node costs.
    """

    series: Mapping[str, Sequence[DeviceSeries]]
    pods: Mapping[str, Sequence[tuple[int, PodRecord]]]
    names: frozenset[tuple[str, str]]
    known_until_ms: int
    identify: Callable[[PodRecord], Holder]
    identify_unseen: Callable[[Tenancy, str], Holder]
    payers: Payers
    claims: Mapping[str, WorkloadClaim]
    prices: Decide


def state_window(given: WindowInput) -> WindowStatement:
    """Charge every device of the cluster for one window, and what stands beside the devices.

    1. Match AIWorkloads to pods. 2. Sort samples and pods by node. 3. State each node. 4. Add up.
    """
    matching = match_claims((record.facts for record in given.facts.pods), given.claims)
    together = _sort(given, matching)
    sites = list(_sites(given, together))
    statements = _state_gpus(given, together, sites)
    rest = _rest(given, together, sites)
    decisions = {site.record.facts.uid: site.prices for site in sites}
    by_node: dict[str, NodeStatement] = {}
    for uid, devices, (rows, charges) in zip(decisions, statements, rest, strict=True):
        devices.rows.extend(rows)
        by_node[uid] = replace(devices, charges=devices.charges + charges)
    return _add_up(given, by_node, decisions, matching, _storage(given, together))


def _state_gpus(given: WindowInput, together: _Sorted, sites: Sequence[Site]) -> list[NodeStatement]:
    """Nodes that look alike are laid out once and stated as columns; the others are laid out and stated one by one."""
    window, telemetry = given.window, given.telemetry
    frame = Frame(window, _around(given), together.names, telemetry.interval_ms)
    alone: dict[int, tuple[LaidOut, Timelines]] = {}
    placed: dict[int, Placed] = {}
    for position, one in enumerate(fitted(sites, frame, lambda site: _laid_out(given, together, site))):
        if isinstance(one, Fitted):
            holders = [together.identify(occupant.record) for occupant in one.look.occupants]
            placed[position] = Placed(one, holders, lambda site: _timelines(given, together, site))
        else:
            alone[position] = one
    foresee((timelines, *one) for laid, timelines in alone.values() for one in questions(laid))
    found = dict(zip(alone, state_nodes(given.cluster, window, [laid for laid, _ in alone.values()]), strict=True))
    stated = state_alike(given.cluster, window, list(placed.values()), telemetry.interval_ms, telemetry.collection_ms)
    found |= zip(placed, stated, strict=True)
    return [found[position] for position in range(len(sites))]


def _laid_out(given: WindowInput, together: _Sorted, site: Site) -> tuple[LaidOut, Timelines]:
    node, timelines = _node_input(given, together, site)
    return lay_out(given.window, node), timelines


def _around(given: WindowInput) -> Window:
    """The window with the padding of the samples."""
    return Window(given.window.start_ms - given.padding_ms, given.window.end_ms + given.padding_ms)


def _storage(given: WindowInput, together: _Sorted) -> StorageStatement:
    """What was claimed of storage."""
    if Component.STORAGE not in given.counting.components:
        return StorageStatement()
    facts = given.facts
    return state_storage(given.cluster, given.window, facts.volumes, facts.pods, given.books, together.payers)


def node_inputs(given: WindowInput, matching: Matching) -> Iterator[NodeInput]:
    """What the charges of each node rest on, in order of their names."""
    together = _sort(given, matching)
    return (_node_input(given, together, site)[0] for site in _sites(given, together))


def _sites(given: WindowInput, together: _Sorted) -> Iterator[Site]:
    for record in sorted(given.facts.nodes, key=lambda record: (record.facts.name, record.since_ms, record.facts.uid)):
        name = record.facts.name
        series, pods = together.series.get(name, ()), together.pods.get(name, ())
        yield Site(record, series, pods, _prices(given, together, record))


def _prices(given: WindowInput, together: _Sorted, record: NodeRecord) -> tuple[PriceDecision, ...]:
    """Prices of a node. Where samples show GPUs that a price knows nothing of, that price is of another node."""
    decisions = together.prices(record.facts, _measured_watts(given, together, record))
    if record.facts.gpus or not together.series.get(record.facts.name):
        return decisions
    return tuple(replace(one, chosen=None, reason=_UNCOUNTED) if _without_gpus(one) else one for one in decisions)


def _measured_watts(given: WindowInput, together: _Sorted, record: NodeRecord) -> Fraction | None:
    """Mean power of a node's GPUs in the window, where a book asks for it."""
    presence = record.presence(given.window)
    if presence is None or not uses_measured_power(given.books):
        return None
    return mean_power(together.series.get(record.facts.name, ()), record.facts.gpus, presence)


def _without_gpus(decision: PriceDecision) -> bool:
    return decision.chosen is not None and decision.chosen.gpu_hour_nanos_num == 0


def _rest(given: WindowInput, together: _Sorted, nodes: Sequence[Site]) -> list[tuple[RowColumns, tuple[Charge, ...]]]:
    """CPU and memory of each node."""
    wanted = [one for one in (Component.CPU, Component.MEMORY) if one in given.counting.components]
    found: list[tuple[RowColumns, tuple[Charge, ...]]] = [(RowColumns(), ()) for _ in nodes]
    hosts: dict[int, Host] = {}
    for index, node in enumerate(nodes if wanted else ()):
        record, presence = node.record, node.record.presence(given.window)
        if presence is not None:
            pods = together.pods.get(record.facts.name, ())
            interval_ms, payers = given.telemetry.interval_ms, together.payers
            residents = tuple(residents_of(presence, pods, node.series, interval_ms, given.use, payers))
            hosts[index] = Host(record, place_of(given.cluster, record, ""), presence, node.prices, residents)
    for index, stated in zip(hosts, state_resources(given.window, tuple(hosts.values()), wanted), strict=True):
        found[index] = stated
    return found


def known_until(given: WindowInput) -> int:
    """Up to here samples may be expected: to the window's end, or to the last one that came."""
    if given.known_until_ms is not None:
        return given.known_until_ms
    return max((int(one.at_ms[-1]) for one in given.telemetry.series if len(one.at_ms)), default=given.window.end_ms)


def _sort(given: WindowInput, matching: Matching) -> _Sorted:
    names = {(record.facts.namespace, record.facts.name) for record in given.facts.pods}
    tagger = Tagger(given.policies)
    identify = Identifier(given.facts, matching, tagger)
    of_namespace = namespace_identifier(given.facts, tagger)
    return _Sorted(
        series=_series_by_node(given.telemetry.series),
        pods=_pods_by_node(given.facts.pods),
        names=given.facts.past_pods | names,
        known_until_ms=max(given.window.end_ms, known_until(given)),
        identify=identify,
        identify_unseen=_identifier_of_unseen(given, tagger),
        payers=Payers(identify, of_namespace, each_pod=given.counting.each_pod),
        claims=matching.by_pod,
        prices=prices_of_nodes(given.books, given.window),
    )


def _timelines(given: WindowInput, together: _Sorted, site: Site) -> Timelines:
    telemetry, sharing = given.telemetry, site.record.facts.sharing
    until_ms, collection_ms = together.known_until_ms, telemetry.collection_ms
    return Timelines(site.series, telemetry.interval_ms, until_ms, collection_ms, sharing)


def _node_input(given: WindowInput, together: _Sorted, site: Site) -> tuple[NodeInput, Timelines]:
    """What the charges of one node rest on; pods that only samples know join those that the watch saw."""
    record, series, pods, prices = site
    interval_ms = given.telemetry.interval_ms
    presence = record.presence(_around(given))
    seen = tenancies_of(record.facts, pods, series, interval_ms, given.window.end_ms)
    here = [tenancy for tenancy in seen if presence and tenancy.span.overlap(presence)]
    ghosts = _ghosts(unseen_pods(together.names, series, interval_ms), -1)
    records = dict(pods)
    holders = {tenancy.pod: together.identify(records[tenancy.pod]) for tenancy in here}
    holders |= {t.pod: together.identify_unseen(t, record.facts.name) for t in ghosts}
    system = frozenset(t.pod for t in here if is_system(records[t.pod].facts.containers))
    timelines = _timelines(given, together, site)
    node = NodeInput(
        record=record,
        series=series,
        tenancies=(*here, *ghosts),
        holders=holders,
        system=system,
        prices=prices,
        activity=timelines.activity,
        alive=timelines.alive,
        padding_ms=given.padding_ms,
        known=timelines.known,
        rules=rules_of_node(given.sharing, record.facts),
        wishes=_wishes(together, here, records),
        instances=instances_on(record.facts, series, interval_ms),
    )
    return node, timelines


def _wishes(
    together: _Sorted, tenancies: Iterable[Tenancy], records: Mapping[int, PodRecord]
) -> Mapping[int, SplitRule]:
    """What the AIWorkloads of tenancies ask for, by `Tenancy.pod`."""
    pairs = ((one.pod, together.claims.get(records[one.pod].facts.uid)) for one in tenancies)
    return {pod: claim.gpu_split for pod, claim in pairs if claim and claim.gpu_split}


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


def _identifier_of_unseen(given: WindowInput, tagger: Tagger) -> Callable[[Tenancy, str], Holder]:
    """The same for a pod that only samples know: its namespace may still say who pays."""

    def identify(tenancy: Tenancy, node: str) -> Holder:
        namespace, name = tenancy.name
        pod = PodFacts(tenancy.uid, namespace, name, tenancy.span.start_ms, node)
        evidence = tagger.hear(Witnesses(pod, namespace=given.facts.namespaces.get(namespace)))
        return tagged(Holder(namespace=namespace, pod=name, pod_uid=tenancy.uid), evidence, tagger.tags(evidence))

    return identify


def _add_up(
    given: WindowInput,
    statements: Mapping[str, NodeStatement],
    decisions: Mapping[str, tuple[PriceDecision, ...]],
    matching: Matching,
    storage: StorageStatement,
) -> WindowStatement:
    """Put the statements of the nodes and of what belongs to none together."""
    rows = RowColumns()
    for statement in statements.values():
        rows.extend(statement.rows)
    stored = columns_of(storage.rows)
    rows.extend(stored)
    whole = [*statements.values(), NodeStatement(stored, storage.charges)]
    charges = [charge for statement in statements.values() for charge in statement.charges]
    return WindowStatement(
        window=given.window,
        rows=rows,
        unbalanced_nanos=unbalanced_nanos(whole),
        device_milliseconds=sum(charge.device_milliseconds for charge in charges),
        measured_milliseconds=sum(rows.measured_milliseconds),
        priced_milliseconds=sum(c.device_milliseconds for c in charges if c.cost_nanos is not None),
        unpriced=_unpriced(given.facts.nodes, statements, Component.GPU),
        unpriced_hosts=_unpriced_hosts(given.facts.nodes, statements),
        matching=matching,
        decisions=decisions,
        surplus={uid: statement.surplus for uid, statement in statements.items() if statement.surplus},
    )


def _unpriced_hosts(nodes: Iterable[NodeRecord], statements: Mapping[str, NodeStatement]) -> tuple[Unpriced, ...]:
    """Nodes without GPUs that some part of the window had no price for."""
    hosts = [
        record
        for record in nodes
        if all(charge.component is not Component.GPU for charge in statements[record.facts.uid].charges)
    ]
    return _unpriced(hosts, statements, Component.CPU)


def _unpriced(
    nodes: Iterable[NodeRecord], statements: Mapping[str, NodeStatement], component: Component
) -> tuple[Unpriced, ...]:
    """Nodes of which a component had no price in some part of the window."""
    found = []
    for record in nodes:
        charges = [charge for charge in statements[record.facts.uid].charges if charge.component is component]
        reasons = [charge.reason for charge in charges if charge.cost_nanos is None]
        if reasons:
            facts = record.facts
            found.append(Unpriced(facts.name, facts.instance_type, facts.gpu_model or "", reasons[0]))
    return tuple(sorted(found, key=lambda one: one.node))
