"""How long a pod held its devices, one case per sentence."""

import pytest

from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.inventory.lifetimes import REPORT_LAG_MS, advance_pod, retire, vanish_pod
from support.builders import T0, make_pod

S = 1_000
POD = make_pod("team-a", "train-0").gpus(2)
ALL = Window(0, T0 + 1_000 * HOUR_MS)


def running(seen_ms=T0 + 20 * S, bound_ms=T0 + 10 * S):
    return advance_pod(None, POD.bound(bound_ms).running().facts(), seen_ms)


def held(record):
    holding = record.holding(ALL)
    return holding and (holding.start_ms - T0, holding.end_ms - T0)


def test_a_pod_holds_from_binding_to_the_end_of_its_last_container():
    ended = advance_pod(running(), POD.bound(T0 + 10 * S).succeeded(T0 + 90 * S).facts(), T0 + 91 * S)
    assert held(ended) == (10 * S, 90 * S)
    assert ended.gap is None


def test_a_failed_pod_costs_what_it_held():
    ended = advance_pod(running(), POD.bound(T0 + 10 * S).failed(T0 + 90 * S).facts(), T0 + 91 * S)
    assert held(ended) == (10 * S, 90 * S)


def test_a_pod_that_was_never_bound_costs_nothing():
    seen = advance_pod(None, POD.facts(), T0 + S)
    gone = vanish_pod(seen, T0 + 500 * S)
    assert held(gone) is None
    assert gone.gone


def test_a_pod_in_image_pull_holds_its_gpus():
    pending = advance_pod(None, POD.bound(T0 + 10 * S).facts(), T0 + 11 * S)
    assert pending.held_until_ms is None
    assert pending.facts.bound_ms == T0 + 10 * S


def test_a_pod_that_lived_for_two_seconds_is_billed_for_two_seconds():
    seen = advance_pod(None, make_pod("a", "p").bound(T0 + 100).facts(), T0 + 150)
    seen = advance_pod(seen, make_pod("a", "p").bound(T0).running().facts(), T0 + 900)
    ended = advance_pod(seen, make_pod("a", "p").bound(T0).succeeded(T0 + 2 * S).facts(), T0 + 2_400)
    assert held(ended) == (0, 2 * S)


def test_an_end_in_the_second_of_the_last_sighting_is_no_contradiction():
    ended = advance_pod(running(T0 + 20_900), POD.bound(T0 + 10 * S).succeeded(T0 + 20 * S).facts(), T0 + 20_950)
    assert ended.held_until_ms == T0 + 20 * S


def test_a_pod_bound_in_the_future_is_bound_when_first_seen_so():
    seen = advance_pod(None, POD.bound(T0 + HOUR_MS).facts(), T0 + 5 * S)
    assert seen.facts.bound_ms == T0 + 5 * S


def test_a_pod_is_never_bound_before_its_creation():
    late = make_pod("a", "p").bound(T0 - HOUR_MS).created(T0)
    assert advance_pod(None, late.facts(), T0 + S).facts.bound_ms == T0


def test_a_pod_created_for_a_node_holds_from_its_creation():
    direct = make_pod("kube-system", "static")
    facts = direct.on("node-1").facts()
    assert advance_pod(None, facts, T0 + 9 * S).facts.bound_ms == T0


def test_a_binding_once_seen_does_not_move_when_a_later_sighting_tells_another():
    moved = advance_pod(running(), POD.bound(T0 + 15 * S).running().facts(), T0 + 30 * S)
    assert moved.facts.bound_ms == T0 + 10 * S


@pytest.mark.parametrize("hours_off", [1, -1])
def test_a_kubelet_an_hour_off_moves_the_end_by_nothing_while_the_watch_is_live(hours_off):
    now = T0 + 1_000 * S
    wrong = now + hours_off * HOUR_MS
    ended = advance_pod(running(), POD.bound(T0 + 10 * S).succeeded(wrong).facts(), now)
    assert ended.held_until_ms == now


def test_an_hour_old_report_is_not_believed_even_where_the_pod_is_older_than_that():
    now = T0 + 3 * HOUR_MS
    ended = advance_pod(running(), POD.bound(T0 + 10 * S).succeeded(now - HOUR_MS).facts(), now)
    assert ended.held_until_ms == now


def test_a_report_that_is_a_little_late_is_believed():
    now = T0 + HOUR_MS
    ended = advance_pod(running(), POD.bound(T0 + 10 * S).succeeded(now - REPORT_LAG_MS // 2).facts(), now)
    assert ended.held_until_ms == now - REPORT_LAG_MS // 2


def test_an_end_before_the_last_sighting_alive_moves_up_to_it():
    ended = advance_pod(running(T0 + 20 * S), POD.bound(T0 + 10 * S).succeeded(T0 + 15 * S).facts(), T0 + 21 * S)
    assert ended.held_until_ms == T0 + 20 * S


def test_an_end_without_a_time_is_when_it_was_seen():
    ended = advance_pod(running(), POD.bound(T0 + 10 * S).failed(None).facts(), T0 + 70 * S)
    assert ended.held_until_ms == T0 + 70 * S


def test_an_end_while_nobody_looked_is_believed_between_the_last_sighting_and_now():
    facts = POD.bound(T0 + 10 * S).succeeded(T0 + HOUR_MS).facts()
    ended = advance_pod(running(), facts, T0 + 5 * HOUR_MS, live=False)
    assert held(ended) == (10 * S, HOUR_MS)
    assert ended.gap is None


def test_an_end_while_nobody_looked_that_cannot_be_is_somewhere_in_the_gap():
    facts = POD.bound(T0 + 10 * S).succeeded(T0 - HOUR_MS).facts()
    ended = advance_pod(running(T0 + 20 * S), facts, T0 + HOUR_MS, live=False)
    assert ended.gap == Window(T0 + 20 * S, T0 + HOUR_MS)
    assert ended.held_until_ms == T0 + HOUR_MS


def test_a_pod_first_seen_finished_is_believed_between_binding_and_now():
    ended = advance_pod(None, POD.bound(T0 + 10 * S).succeeded(T0 + 60 * S).facts(), T0 + HOUR_MS, live=False)
    assert held(ended) == (10 * S, 60 * S)
    assert ended.gap is None


@pytest.mark.parametrize("told", [T0 - HOUR_MS, T0 + 9 * HOUR_MS, None])
def test_a_pod_first_seen_finished_at_an_impossible_time_is_marked_uncertain(told):
    ended = advance_pod(None, POD.bound(T0 + 10 * S).succeeded(told).facts(), T0 + HOUR_MS, live=False)
    assert ended.gap == Window(T0 + 10 * S, T0 + HOUR_MS)
    assert held(ended) == (10 * S, HOUR_MS)


def test_a_deletion_seen_live_ends_the_holding_then():
    gone = vanish_pod(running(), T0 + 80 * S, None, POD.bound(T0 + 10 * S).running().facts())
    assert held(gone) == (10 * S, 80 * S)
    assert gone.gone
    assert gone.gap is None


def test_a_deletion_that_shows_a_finished_pod_ends_the_holding_when_it_finished():
    gone = vanish_pod(running(), T0 + 80 * S, None, POD.bound(T0 + 10 * S).failed(T0 + 70 * S).facts())
    assert held(gone) == (10 * S, 70 * S)


def test_the_deletion_of_a_finished_pod_changes_no_amount():
    ended = advance_pod(running(), POD.bound(T0 + 10 * S).succeeded(T0 + 90 * S).facts(), T0 + 91 * S)
    gone = vanish_pod(ended, T0 + 5_000 * S, Window(T0, T0 + 5_000 * S))
    assert held(gone) == (10 * S, 90 * S)
    assert gone.gone


def test_a_deletion_in_a_gap_holds_to_its_end_and_keeps_the_gap():
    gap = Window(T0 + 30 * S, T0 + 600 * S)
    gone = vanish_pod(running(), T0 + 600 * S, gap)
    assert held(gone) == (10 * S, 600 * S)
    assert gone.gap == gap


def test_a_gap_never_reaches_before_the_binding():
    gone = vanish_pod(running(), T0 + 600 * S, Window(T0, T0 + 600 * S))
    assert gone.gap == Window(T0 + 10 * S, T0 + 600 * S)


def test_a_phase_that_goes_back_is_ignored():
    ended = advance_pod(running(), POD.bound(T0 + 10 * S).succeeded(T0 + 90 * S).facts(), T0 + 91 * S)
    assert advance_pod(ended, POD.bound(T0 + 10 * S).running().facts(), T0 + 200 * S) is ended


def test_a_pod_recreated_under_its_name_is_another_pod():
    first, second = POD.bound(T0).facts(), POD.recreated().bound(T0 + 60 * S).facts()
    assert first.uid != second.uid
    assert first.name == second.name


def test_a_changed_label_is_taken_while_the_pod_lives():
    seen = advance_pod(running(), POD.bound(T0 + 10 * S).running().label(team="b").facts(), T0 + 40 * S)
    assert seen.facts.labels == {"aicost.dev/team": "b"}
    assert seen.seen_ms == T0 + 40 * S


@pytest.mark.parametrize("live", [True, False])
def test_a_pod_seen_while_our_clock_was_ahead_ends_when_the_kubelet_says_once_it_is_set_back(live):
    ahead = advance_pod(running(), POD.bound(T0 + 10 * S).running().facts(), T0 + HOUR_MS)
    done = POD.bound(T0 + 10 * S).succeeded(T0 + 90 * S).facts()
    ended = advance_pod(ahead, done, T0 + 91 * S, live=live)
    assert (held(ended), ended.gap) == ((10 * S, 90 * S), None)


def test_a_state_of_a_past_that_nobody_watched_does_not_outdate_the_kubelets_word():
    gap = Window(T0 + 30 * S, T0 + 600 * S)
    changed = POD.bound(T0 + 10 * S).running().label(team="b").facts()
    then = advance_pod(running(), changed, T0 + 600 * S, live=False, gap=gap)
    assert then.seen_ms == T0 + 30 * S, "not alive now for all that we know"
    ended = advance_pod(then, POD.bound(T0 + 10 * S).succeeded(T0 + 90 * S).facts(), T0 + 600 * S, live=False, gap=gap)
    assert (held(ended), ended.gap) == ((10 * S, 90 * S), None)
    gone = vanish_pod(then, T0 + 600 * S, gap)
    assert gone.gap == gap


def test_a_clock_that_is_behind_ends_no_pod_before_it_was_seen():
    seen = advance_pod(running(), POD.bound(T0 + 10 * S).running().facts(), T0 + 60 * S)
    done = POD.bound(T0 + 10 * S).succeeded(T0 + 90 * S).facts()
    assert held(advance_pod(seen, done, T0 + 91 * S - HOUR_MS)) == (10 * S, 60 * S)


def test_only_what_left_the_api_server_and_ended_before_may_be_dropped():
    alive = running()
    finished = advance_pod(alive, POD.bound(T0 + 10 * S).succeeded(T0 + 90 * S).facts(), T0 + 91 * S)
    gone = vanish_pod(finished, T0 + 100 * S)
    assert retire([alive], T0 + HOUR_MS) == ()
    assert retire([finished], T0 + HOUR_MS) == ()
    assert retire([gone], T0 + 90 * S) == (gone.facts.uid,)
    assert retire([gone], T0 + 89 * S) == ()
