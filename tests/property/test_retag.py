"""Tagging posted cost again: no total moves by a nano, twice is once, and it says what a new statement would say."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from aicost.adapters.ledger.schema import from_table, to_table
from aicost.domain.attribution.identifying import Identifier, identified, namespace_identifier, witnesses_of
from aicost.domain.attribution.resolvers.table import may_hold
from aicost.domain.attribution.resources.residents import Payers
from aicost.domain.attribution.window import WindowInput, state_window
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.identity.claims import LabelSelector
from aicost.domain.identity.dimensions import Dimension, Source
from aicost.domain.identity.matching import Matching
from aicost.domain.identity.tags.evidence import Evidence, read_back, written
from aicost.domain.identity.tags.precedence import Tagger
from aicost.domain.inventory.cluster import ClusterFacts, NamespaceFacts, QueueFacts, ServiceAccountFacts
from aicost.domain.inventory.pods import ContainerFacts, OwnerFacts
from aicost.domain.ledger.difference import difference, identity
from aicost.domain.ledger.retagging import retag
from aicost.domain.ledger.rows import Holder
from aicost.domain.policy.policies import AttributionRule, Inherit, NamespaceScope, RuleMatch
from aicost.domain.sampling.series import Telemetry
from support.admission.policies import dimension_key, labelled, policy
from support.builders import T0, make_node, make_pod
from support.ledger_rows import make_holder, make_row
from support.pricing import book, entry

WINDOW = Window(T0, T0 + HOUR_MS)
TEAM, MODEL = Dimension.TEAM, Dimension.MODEL
WORDS = st.sampled_from(["vision", "Recs", "a b", "x", "", "untagged", "m/1"])
SPOKEN = st.dictionaries(st.sampled_from(["aicost.dev/team", "aicost.dev/model"]), WORDS)
"""Labels of owners, accounts and queues: a row keeps what they say, not what they would say under a later alias."""
QUEUED = st.sampled_from([{}, {"kueue.x-k8s.io/queue-name": "q"}])
LABELS = st.dictionaries(
    st.sampled_from(["aicost.dev/team", "aicost.dev/model", "squad", "app", "tier"]), WORDS, max_size=4
)
SCOPES = st.sampled_from([None, NamespaceScope(frozenset({"n-0"})), labelled(tier="x"), NamespaceScope()])
MATCHES = st.sampled_from(
    [
        RuleMatch(namespaces=("n-*",)),
        RuleMatch(labels=LabelSelector({"app": "x"})),
        RuleMatch(owners=("Job/*",)),
        RuleMatch(images=("*vllm*",)),
        RuleMatch(models=("m/*", "served")),
        RuleMatch(service_accounts=("runner",)),
        RuleMatch(nodes=("node-1",), namespaces=("n-1",)),
    ]
)
RULES = st.lists(
    st.builds(
        AttributionRule,
        st.sampled_from(["r1", "r2"]),
        MATCHES,
        st.dictionaries(st.sampled_from([TEAM, MODEL]), st.sampled_from(["ruled", "Other", "m/1"]), min_size=1),
        st.booleans(),
    ),
    max_size=3,
)
KEYS = st.builds(
    dimension_key,
    st.sampled_from([TEAM, MODEL]),
    aliases=st.sampled_from([(), ("squad",), ("app", "squad")]),
    value_aliases=st.sampled_from([{}, {"recs": "recommendation-engine"}, {"x": "vision", "vision": "x"}]),
    inherit=st.sampled_from([tuple(Inherit), (Inherit.OWNER,), ()]),
    default=st.sampled_from(["", "nobody"]),
)
POLICIES = st.lists(
    st.builds(
        lambda name, keys, rules, scope: policy(*keys, name=name, rules=tuple(rules), namespaces=scope),
        st.sampled_from(["a", "b", "c"]),
        st.lists(KEYS, max_size=2),
        RULES,
        SCOPES,
    ),
    max_size=3,
    unique_by=lambda one: one.name,
)


@st.composite
def clusters(draw):
    """A node with two pods, their owner, namespaces and accounts, and nobody's labels alike."""
    pods = []
    for number in range(2):
        one = (
            make_pod(f"n-{number}", f"p-{number}")
            .gpus(1)
            .bound(T0)
            .service_account(draw(st.sampled_from(["runner", ""])))
        )
        facts = one.running().record()
        image = draw(st.sampled_from(["vllm/vllm-openai", "train:1"]))
        owners = (OwnerFacts("batch/v1", "Job", "j", "uid-j", draw(SPOKEN)),) if draw(st.booleans()) else ()
        args = ("--model", "served") if draw(st.booleans()) else ()
        changed = replace(
            facts.facts,
            labels=draw(LABELS) | draw(QUEUED),
            owners=owners,
            containers=(ContainerFacts("main", image, args),),
        )
        pods.append(replace(facts, facts=changed))
    return ClusterFacts(
        tuple(pods),
        (make_node("node-1").gpus(3).record(),),
        {"n-0": NamespaceFacts("n-0", draw(LABELS)), "n-1": NamespaceFacts("n-1", draw(LABELS))},
        {("n-0", "runner"): ServiceAccountFacts("n-0", "runner", draw(SPOKEN))},
        queues={("n-0", "q"): QueueFacts("LocalQueue", "n-0", "q", draw(SPOKEN))},
    )


def state(cluster, policies):
    """The rows of the hour, as the ledger gives them back."""
    telemetry = Telemetry((), 15_000)
    given_ = WindowInput("c1", WINDOW, cluster, telemetry, (book(entry(gpu_hour=2.49)),), (), 0, policies)
    return from_table(to_table(state_window(given_).rows))


def sums_of(rows, key):
    sums = Counter()
    for row in rows:
        amounts = (row.cost_nanos or 0, row.gpu_milliseconds, row.measured_milliseconds)
        for name, amount in zip(("cost", "gpu", "measured"), amounts, strict=True):
            sums[key(row), name] += amount
    return {key: amount for key, amount in sums.items() if amount}


def everything_but_tags(row):
    return identity(replace(row, holder=replace(row.holder, dimensions={}, provenance={}, evidence={})))


@given(clusters(), POLICIES, POLICIES)
def test_rows_that_are_tagged_again_are_those_that_a_new_statement_would_post(cluster, before, after):
    posted = state(cluster, before)
    posted += retag(posted, Tagger(after), 1).rows
    assert difference(posted, state(cluster, after), 2, "revisit") == ()


@given(clusters(), POLICIES, POLICIES)
def test_no_sum_moves_by_a_nano_and_twice_is_once(cluster, before, after):
    posted = state(cluster, before)
    found = retag(posted, Tagger(after), 1)
    assert sums_of([*posted, *found.rows], everything_but_tags) == sums_of(posted, everything_but_tags)
    again = retag([*posted, *from_table(to_table(found.rows))], Tagger(after), 2)
    assert (again.rows, again.moves) == ((), ())


@given(clusters(), POLICIES, POLICIES)
def test_back_and_forth_ends_where_it_began(cluster, before, after):
    posted = list(state(cluster, before))
    for revision, policies in enumerate((after, before), 1):
        posted += retag(posted, Tagger(policies), revision).rows
    assert sums_of(posted, identity) == sums_of(state(cluster, before), identity)


@given(clusters(), POLICIES, POLICIES)
def test_what_is_said_to_move_is_what_moves(cluster, before, after):
    posted = state(cluster, before)
    found = retag(posted, Tagger(after), 1)
    for dimension in Dimension:
        moved = Counter()
        for turn, amount in found.moves:
            if turn.dimension == dimension:
                moved[turn.before] -= amount.cost_nanos
                moved[turn.after] += amount.cost_nanos
        shown = Counter()
        for row in found.rows:
            shown[row.holder.dimensions.get(dimension, "untagged")] += row.cost_nanos or 0
        assert {k: v for k, v in moved.items() if v} == {k: v for k, v in shown.items() if v}


ROWS = st.lists(
    st.builds(
        make_row,
        cost=st.none() | st.integers(-(10**12), 10**12),
        gpu_ms=st.integers(-(10**7), 10**7),
        device=st.sampled_from(["GPU-1", "GPU-2"]),
        holder=st.sampled_from(
            [
                Holder(),
                make_holder(team="a"),
                make_holder("b", labels={"aicost.dev/team": "a"}, team="a"),
                replace(make_holder("b", team="a"), provenance={"team": "namespace_label namespace/b"}),
            ]
        ),
    ),
    max_size=6,
)


@given(ROWS, POLICIES)
def test_rows_of_before_evidence_was_kept_and_corrections_keep_every_sum_too(rows, policies):
    found = retag(rows, Tagger(policies), 1)
    assert sums_of([*rows, *found.rows], everything_but_tags) == sums_of(rows, everything_but_tags)
    assert retag([*rows, *found.rows], Tagger(policies), 2).rows == ()


NAMES = st.text(st.sampled_from("ab-./Z é"), min_size=1, max_size=6).map(str.strip).filter(bool)
SAID = st.dictionaries(
    st.tuples(st.sampled_from([Source.OWNER_LABEL, Source.QUEUE, Source.DISCOVERED]), st.sampled_from(Dimension)),
    st.tuples(
        st.sampled_from(["x", "made by hand", " by ", "a=b"]), st.sampled_from(["Job/j", "container c, --model"])
    ),
)
TOKENS = st.lists(st.sampled_from(["Job/a", "Deployment/b", "img:1"]), unique=True).map(tuple)


@given(st.dictionaries(NAMES, NAMES), TOKENS, TOKENS, st.sampled_from(["", "runner"]), SAID)
def test_evidence_that_is_written_reads_back_as_it_was(labels, owners, images, account, said):
    evidence = Evidence("", "", "", {}, labels, owners, images, account, said)
    assert read_back(written(evidence)) == evidence


def _with_replicas(cluster, node):
    replicas = [
        replace(
            one, facts=replace(one.facts, name=f"{one.facts.name}-{number}", uid=f"{number}{one.facts.uid}", node=on)
        )
        for one in cluster.pods
        for number, on in enumerate(("node-1", node))
    ]
    return (*cluster.pods, *replicas)


@given(clusters(), POLICIES, st.sampled_from(["node-1", "node-2"]))
def test_replicas_that_are_asked_once_say_what_each_says_alone(cluster, policies, node):
    identify = Identifier(cluster, Matching({}), Tagger(policies))
    for record in _with_replicas(cluster, node):
        assert identify(record) == identified(witnesses_of(record.facts, cluster, None), Tagger(policies))


@given(clusters(), POLICIES, st.sampled_from(["node-1", "node-2"]))
def test_pods_are_summed_by_namespace_where_each_alone_says_no_more_than_its_namespace_does(cluster, policies, node):
    tagger = Tagger(policies)
    of_namespace = namespace_identifier(cluster, tagger)
    payers = Payers(Identifier(cluster, Matching({}), tagger), of_namespace, each_pod=False)
    for record in _with_replicas(cluster, node):
        own = identified(witnesses_of(record.facts, cluster, None), Tagger(policies))
        common = of_namespace(record.facts.namespace)
        same = (own.dimensions, own.provenance) == (common.dimensions, common.provenance)
        assert payers.of(record) == (common if same and not may_hold(record.facts) else own)


def test_a_rule_that_asks_for_the_node_tells_replicas_on_two_nodes_apart():
    rule = AttributionRule("r", RuleMatch(nodes=("node-1",)), {TEAM: "first"})
    pods = [make_pod("n", f"p-{number}").on(f"node-{number}").bound(T0).running().record() for number in range(3)]
    identify = Identifier(ClusterFacts(tuple(pods), ()), Matching({}), Tagger([policy(name="a", rules=(rule,))]))
    assert [identify(one).dimensions for one in pods] == [{}, {"team": "first"}, {}]
