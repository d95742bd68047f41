"""What runs now, who it is and what it costs: from the journal, the price books and the claims as they are now."""

import pytest

from aicost.adapters.held import HeldBooks, HeldClaims, HeldPolicies
from aicost.adapters.journal.inventory import InventoryJournal
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window
from aicost.domain.identity.claims import LabelSelector, WorkloadClaim
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.inventory.cluster import NamespaceFacts
from aicost.usecases.budgets.running import RunningPods
from support.builders import T0, make_node, make_pod
from support.ledger_rows import CLUSTER
from support.pricing import UNIT, book, entry

CLAIM = WorkloadClaim("team-a", "chat", "u", T0, selector=LabelSelector({"app": "chat"}),
                      dimensions={Dimension.TEAM: "claimed"})  # fmt: skip


class Cluster:
    """A journal and what is accepted."""

    def __init__(self, path):
        self.journal = InventoryJournal(path, T0)
        self.books, self.claims, self.policies = HeldBooks(), HeldClaims(), HeldPolicies()
        self.running = RunningPods(CLUSTER, self.journal, self.books, self.claims, self.policies)
        self.journal.node_seen(make_node("node-1").gpus(8).facts(), T0)
        self.journal.namespace_seen(NamespaceFacts("team-a", {"aicost.dev/team": "space"}))
        self.books.value = (book(entry(gpu_hour=2)),)

    def pod(self, name="chat-0", gpus=1, **labels):
        built = make_pod("team-a", name).gpus(gpus).on("node-1").bound(T0).running()
        for key, value in labels.items():
            built = built.raw_label(key, value)
        self.journal.pod_seen(built.facts(), T0, live=True)
        return built

    def now(self, at_ms=T0 + HOUR_MS, since_ms=T0):
        return {one.record.facts.name: one for one in self.running(since_ms, at_ms)}


@pytest.fixture
def cluster(tmp_path):
    found = Cluster(tmp_path / "journal.sqlite")
    yield found
    found.journal.close()


def test_a_pod_that_holds_devices_runs_at_the_price_of_its_node(cluster):
    cluster.pod(gpus=4)
    one = cluster.now()["chat-0"]
    assert (one.rate_nanos, one.hour_nanos, one.currency, one.gpu_milli) == (8 * UNIT, 2 * UNIT, "USD", 4000)
    assert (one.place.cluster, one.place.node, one.place.gpu_model) == (CLUSTER, "node-1", "h100-80gb")


def test_who_it_is_is_said_anew_when_what_says_so_has_changed(cluster):
    cluster.pod(app="chat")
    assert cluster.now()["chat-0"].holder.dimensions == {"team": "space"}
    cluster.journal.namespace_seen(NamespaceFacts("team-a", {"aicost.dev/team": "moved"}))
    assert cluster.now()["chat-0"].holder.dimensions == {"team": "moved"}
    cluster.claims.value = (CLAIM,)
    claimed = cluster.now()["chat-0"].holder
    assert (claimed.workload, claimed.dimensions["team"]) == ("chat", "claimed")
    cluster.claims.value = ()
    assert cluster.now()["chat-0"].holder.workload == ""
    cluster.pod(app="chat", **{"aicost.dev/team": "own"})
    assert cluster.now()["chat-0"].holder.dimensions["team"] == "own"


def test_while_nothing_changes_nothing_is_worked_out_again(cluster):
    cluster.pod(app="chat")
    cluster.claims.value = (CLAIM,)
    first = cluster.now()["chat-0"].holder
    cluster.claims.value = (WorkloadClaim(**{name: getattr(CLAIM, name) for name in CLAIM.__slots__}),)
    assert cluster.now()["chat-0"].holder is first, "read anew, and the same"


def test_a_price_that_is_taken_in_holds_at_once(cluster):
    cluster.pod()
    assert cluster.now()["chat-0"].rate_nanos == 2 * UNIT
    cluster.books.value = (book(entry(gpu_hour=3)),)
    assert cluster.now()["chat-0"].rate_nanos == 3 * UNIT
    cluster.books.value = ()
    assert cluster.now()["chat-0"].rate_nanos is None


def test_a_price_that_ends_by_itself_is_asked_again_within_a_minute(cluster):
    cluster.pod()
    ends = T0 + 10 * MINUTE_MS
    cheap, dear = (
        entry("a", gpu_hour=2, effective=Window(0, ends)),
        entry("b", gpu_hour=5, effective=Window(ends, 2**50)),
    )
    cluster.books.value = (book(cheap, dear),)
    assert cluster.now(ends - 1)["chat-0"].rate_nanos == 2 * UNIT
    assert cluster.now(ends)["chat-0"].rate_nanos == 5 * UNIT


def test_a_pod_that_ended_since_is_there_and_dead_and_one_that_ended_before_is_not(cluster):
    pod = cluster.pod()
    end = T0 + 30 * MINUTE_MS
    cluster.journal.pod_gone(pod.facts().uid, end, facts=pod.succeeded(end).facts())
    assert cluster.now(since_ms=T0)["chat-0"].alive is False
    assert cluster.now(since_ms=T0 + 40 * MINUTE_MS) == {}


def test_a_moment_that_lies_ahead_is_none(cluster):
    cluster.pod()
    assert cluster.now(T0 + MINUTE_MS, since_ms=T0 + HOUR_MS)["chat-0"].accrued(T0 + HOUR_MS, T0 + MINUTE_MS) == 0
