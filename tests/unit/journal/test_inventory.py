"""The journal of lifetimes: what it answers, and what a restart finds again."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from aicost.adapters.journal.errors import JournalDamaged, JournalUnavailable
from aicost.adapters.journal.inventory import HEARD_STEP_MS, InventoryJournal
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.inventory.cluster import NamespaceFacts, QueueFacts, ServiceAccountFacts
from aicost.ports.inventory import Inventory
from support.builders import T0, make_node, make_pod

S = 1_000
HOUR = Window(T0, T0 + HOUR_MS)
POD = make_pod("team-a", "train-0").gpus(2).bound(T0 + 10 * S).running().label(team="a")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "inventory.db"


@pytest.fixture
def journal(path):
    with closing(InventoryJournal(path, T0)) as opened:
        yield opened


def everything(journal):
    return journal.facts(Window(0, T0 + 999 * HOUR_MS))


def fill(journal):
    """A bit of everything: a pod that runs, one that ended, one that went in a gap, a node with a sick GPU."""
    journal.pod_seen(POD.owned_by("Job", "train", team="a").facts(), T0 + 11 * S, live=True)
    done = make_pod("team-b", "done").gpus(1).bound(T0).running()
    journal.pod_seen(done.facts(), T0 + S, live=True)
    journal.pod_seen(done.succeeded(T0 + 60 * S).facts(), T0 + 61 * S, live=True)
    lost = make_pod("team-b", "lost").gpus(1).bound(T0).running()
    journal.pod_seen(lost.facts(), T0 + S, live=True)
    journal.pod_gone(lost.facts().uid, T0 + 500 * S, Window(T0 + 100 * S, T0 + 500 * S))
    node = make_node("gpu-1").gpus(8).instance("p5.48xlarge").capacity_type("spot")
    journal.node_seen(node.allocatable(7).facts(), T0 + 5 * S)
    journal.namespace_seen(NamespaceFacts("team-a", {"aicost.dev/team": "a"}))
    journal.account_seen(ServiceAccountFacts("team-a", "trainer", {"x": "y"}))
    journal.queues_seen([QueueFacts("LocalQueue", "team-a", "gpu", {"aicost.dev/team": "a"})], T0)


def test_the_journal_is_an_inventory(journal):
    port: Inventory = journal
    assert port.facts(HOUR).pods == ()


def test_a_restart_finds_all_that_was_flushed(path, journal):
    fill(journal)
    before = everything(journal)
    assert (len(before.pods), len(before.nodes)) == (3, 1)
    journal.flush()
    with closing(InventoryJournal(path, T0 + 9 * HOUR_MS)) as again:
        assert everything(again) == before


def test_a_queue_that_goes_still_speaks_for_what_ran_through_it_until_that_is_forgotten(journal):
    gpu, other = QueueFacts("LocalQueue", "team-a", "gpu", {"x": "1"}), QueueFacts("Queue", "", "gpu")
    journal.queues_seen([gpu, other], T0)
    journal.queues_seen([other], T0 + HOUR_MS)
    assert everything(journal).queues == {("team-a", "gpu"): gpu, ("", "gpu"): other}
    journal.retire(T0 + 2 * HOUR_MS)
    assert everything(journal).queues == {("", "gpu"): other}


def test_a_queue_that_comes_back_is_there_again(journal):
    gpu = QueueFacts("LocalQueue", "team-a", "gpu", {"x": "1"})
    for at, there in ((T0, [gpu]), (T0 + S, []), (T0 + 2 * S, [gpu])):
        journal.queues_seen(there, at)
    journal.retire(T0 + HOUR_MS)
    assert everything(journal).queues == {("team-a", "gpu"): gpu}


def test_closing_flushes(path):
    journal = InventoryJournal(path, T0)
    fill(journal)
    before = everything(journal)
    journal.close()
    with closing(InventoryJournal(path, T0 + 9 * HOUR_MS)) as again:
        assert everything(again) == before


def test_what_was_not_flushed_is_not_there_after_a_restart(path, journal):
    fill(journal)
    with closing(InventoryJournal(path, T0)) as again:
        assert everything(again).pods == ()


def test_the_epoch_is_set_once(path, journal):
    assert journal.epoch_ms == T0
    with closing(InventoryJournal(path, T0 + HOUR_MS)) as again:
        assert again.epoch_ms == T0


def test_a_node_older_than_the_epoch_is_billed_from_the_epoch_on(journal):
    journal.node_seen(make_node("old").gpus(8).created(T0 - 999 * HOUR_MS).facts(), T0 + S)
    assert everything(journal).nodes[0].since_ms == T0


def test_a_window_holds_the_pods_and_nodes_that_were_there(journal):
    early = make_pod("a", "early").bound(T0).running()
    journal.pod_seen(early.facts(), T0, live=True)
    journal.pod_gone(early.facts().uid, T0 + 60 * S)
    journal.pod_seen(make_pod("a", "late").created(T0 + 2 * HOUR_MS).facts(), T0 + 2 * HOUR_MS, live=True)
    journal.node_seen(make_node("late").created(T0 + 2 * HOUR_MS).facts(), T0 + 2 * HOUR_MS)
    assert [pod.facts.name for pod in journal.facts(HOUR).pods] == ["early"]
    assert journal.facts(HOUR).nodes == ()
    third = Window(T0 + 2 * HOUR_MS, T0 + 3 * HOUR_MS)
    assert [pod.facts.name for pod in journal.facts(third).pods] == ["late"]
    assert len(journal.facts(third).nodes) == 1


def test_known_pods_are_those_still_in_the_api_server(journal):
    fill(journal)
    assert {record.facts.name for record in journal.known_pods().values()} == {"train-0", "done"}
    assert len(journal.known_nodes()) == 1
    journal.node_gone(next(iter(journal.known_nodes())), T0 + HOUR_MS)
    assert journal.known_nodes() == {}


def test_owners_found_later_stay_through_further_sightings(journal):
    owned = POD.owned_by("Job", "train")
    journal.pod_seen(POD.facts(), T0 + 11 * S, live=True)
    journal.pod_owned(POD.facts().uid, owned.facts().owners)
    journal.pod_seen(POD.label(x="y").facts(), T0 + 12 * S, live=True)
    assert everything(journal).pods[0].facts.owners == owned.facts().owners


def test_owners_of_a_pod_that_has_ended_are_still_taken(journal):
    journal.pod_seen(POD.facts(), T0 + 11 * S, live=True)
    journal.pod_gone(POD.facts().uid, T0 + 13 * S)
    journal.pod_owned(POD.facts().uid, POD.owned_by("Job", "train").facts().owners)
    pod = everything(journal).pods[0]
    assert pod.facts.owners[0].kind == "Job"
    assert pod.held_until_ms == T0 + 13 * S


def test_what_nobody_knows_cannot_go(journal):
    journal.pod_gone("nobody", T0)
    journal.node_gone("nobody", T0)
    journal.namespace_gone("nobody", T0)
    journal.account_gone(ServiceAccountFacts("no", "body"), T0)
    assert everything(journal).pods == ()


def test_labels_of_a_namespace_outlive_it(path, journal):
    fill(journal)
    journal.namespace_gone("team-a", T0 + 60 * S)
    journal.flush()
    with closing(InventoryJournal(path, T0)) as again:
        assert again.facts(HOUR).namespaces["team-a"].labels == {"aicost.dev/team": "a"}


def test_an_event_that_changes_nothing_costs_no_write(journal):
    fill(journal)
    journal.flush()
    journal.namespace_seen(NamespaceFacts("team-a", {"aicost.dev/team": "a"}))
    done = make_pod("team-b", "done").gpus(1).bound(T0).succeeded(T0 + 60 * S)
    journal.pod_seen(done.facts(), T0 + 99 * S, live=True)
    assert journal.flush() == 0


def test_how_far_the_watch_came_survives_a_restart(path, journal):
    journal.heard(T0 + HEARD_STEP_MS)
    journal.flush()
    journal.heard(T0 + HEARD_STEP_MS + 1)
    journal.flush()
    assert journal.heard_ms == T0 + HEARD_STEP_MS + 1
    with closing(InventoryJournal(path, T0 + HOUR_MS)) as again:
        assert again.heard_ms == T0 + HEARD_STEP_MS


def test_only_the_past_is_retired_and_it_stays_so(path, journal):
    fill(journal)
    journal.namespace_gone("team-a", T0 + 60 * S)
    journal.account_gone(ServiceAccountFacts("team-a", "trainer"), T0 + 60 * S)
    assert journal.retire(T0 + HOUR_MS) == 1
    assert {pod.facts.name for pod in everything(journal).pods} == {"train-0", "done"}
    assert "team-a" in everything(journal).namespaces
    journal.pod_gone(POD.facts().uid, T0 + 70 * S)
    assert journal.retire(T0 + HOUR_MS) == 3
    journal.flush()
    with closing(InventoryJournal(path, T0)) as again:
        left = everything(again)
        assert [pod.facts.name for pod in left.pods] == ["done"]
        assert left.namespaces == {}
        assert left.service_accounts == {}


def test_events_from_many_threads_are_all_kept(path, journal):
    start = threading.Barrier(4)

    def see(thread):
        start.wait(5)
        for number in range(50):
            journal.pod_seen(make_pod(f"t{thread}", f"p{number}").bound(T0).facts(), T0 + S, live=True)
            journal.facts(HOUR)
            journal.flush()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(see, range(4)))
    journal.flush()
    with closing(InventoryJournal(path, T0)) as again:
        assert len(everything(again).pods) == 200


def test_a_full_disk_says_so_and_keeps_the_changes(path, journal):
    database = journal._file._database
    pages = database._writer.execute("PRAGMA page_count").fetchone()[0]
    database._writer.execute(f"PRAGMA max_page_count = {pages}")
    for number in range(100):
        journal.pod_seen(POD.annotation("aicost.dev/x", "y" * 999).raw_label("n", str(number)).facts(), T0, live=True)
        journal.pod_seen(make_pod("a", f"p{number}").annotation("aicost.dev/x", "y" * 999).facts(), T0, live=True)
    with pytest.raises(JournalUnavailable, match=r"inventory\.db.*disk is full: enlarge"):
        journal.flush()
    assert len(everything(journal).pods) == 101
    database._writer.execute("PRAGMA max_page_count = 100000")
    assert journal.flush() == 101
    with closing(InventoryJournal(path, T0)) as again:
        assert everything(again) == everything(journal)


def test_a_file_that_is_no_journal_is_refused_by_name(path):
    path.parent.mkdir()
    path.write_bytes(b"<html>not a database</html>" * 1_000)
    with pytest.raises(JournalDamaged, match=r"inventory\.db.*move it away"):
        InventoryJournal(path, T0)


def test_a_database_of_another_program_is_not_written_to(path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE theirs (x)")
    with pytest.raises(JournalDamaged, match="another program"):
        InventoryJournal(path, T0)


def test_a_journal_of_a_newer_release_is_left_alone(path):
    InventoryJournal(path, T0).close()
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("PRAGMA user_version = 99")
    with pytest.raises(JournalUnavailable, match="newer release"):
        InventoryJournal(path, T0)


def test_a_record_that_cannot_be_read_is_named(path, journal):
    fill(journal)
    journal.close()
    with closing(sqlite3.connect(path)) as vandal:
        vandal.execute("UPDATE records SET body = x'00' WHERE kind = 'node'")
        vandal.commit()
    with pytest.raises(JournalDamaged, match="record node uid-node-gpu-1"):
        InventoryJournal(path, T0)


def test_a_folder_that_cannot_be_made_says_so(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(JournalUnavailable, match="look at the volume"):
        InventoryJournal(blocked / "inventory.db", T0)
