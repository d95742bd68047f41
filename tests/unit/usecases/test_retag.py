"""Tagging posted windows again beside a controller that posts, revisits and restarts."""

import threading
from collections import Counter

import pytest

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.tags.precedence import Tagger
from aicost.domain.policy.policies import AttributionRule, RuleMatch
from aicost.ports.errors import LedgerConflict
from aicost.usecases.retag import ATTEMPTS, Retag
from fleet.builders import node, pod
from fleet.script import Fleet
from fleet.spec import parse
from support.admission.policies import dimension_key, policy
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import CLUSTER, HOUR_0, hour, make_holder, make_posting, make_row
from support.pipeline import GRID, SETTLE_MS, Pipeline

BEGIN = HOUR_0.start_ms
DAY = Window(BEGIN, BEGIN + 24 * HOUR_MS)
RULE = AttributionRule("mine", RuleMatch(namespaces=("team-*",)), {Dimension.TEAM: "ruled"}, override=True)
TAGGER = Tagger([policy(name="finops", rules=(RULE,))])


def teams(ledger, span=DAY):
    cost = Counter()
    for row in ledger.rows(span):
        cost[row.holder.dimensions.get("team", "untagged")] += row.cost_nanos or 0
    return {team: nanos for team, nanos in cost.items() if nanos}


@pytest.fixture
def ledger():
    held = MemoryLedger()
    for offset in range(3):
        rows = [make_row(7, window=hour(offset)), make_row(5, window=hour(offset), holder=make_holder("other", "p"))]
        held.post(make_posting(*rows, window=hour(offset)))
    return held


def run(ledger, span=DAY, tagger=TAGGER, *, writer=None):
    return list(Retag(CLUSTER, ledger, writer)(span, tagger))


def test_looking_posts_nothing_and_tells_what_would_move(ledger):
    found = run(ledger)
    assert [(one.window, one.revision, len(one.found.rows)) for one in found] == [(hour(n), 1, 2) for n in range(3)]
    ((turn, moved),) = found[0].found.moves
    assert (turn.dimension, turn.before, turn.after, turn.by) == ("team", "untagged", "ruled", "finops/mine")
    assert (moved.cost_nanos, moved.gpu_milliseconds) == (7, 600_000)
    assert teams(ledger) == {"untagged": 36}


def test_posting_moves_the_cost_to_a_new_revision_and_keeps_the_old_rows(ledger):
    run(ledger, writer=ledger)
    assert teams(ledger) == {"untagged": 15, "ruled": 21}
    posted = [row for row in ledger.rows(hour(1)) if row.revision]
    assert sorted((row.cost_nanos, row.reason) for row in posted) == [
        (-7, "retag finops/mine"),
        (7, "retag finops/mine"),
    ]
    assert sum(row.cost_nanos for row in ledger.rows(DAY) if row.revision == 0) == 36


def test_asking_again_posts_nothing(ledger):
    run(ledger, writer=ledger)
    again = run(ledger, writer=ledger)
    assert [(one.revision, one.found.rows) for one in again] == [(None, ())] * 3
    assert ledger.revision(CLUSTER, hour(0)) == 1


def test_only_windows_of_the_span_and_of_the_cluster_are_touched(ledger):
    ledger.post(make_posting(make_row(3, cluster="c-2"), cluster="c-2"))
    run(ledger, hour(1), writer=ledger)
    assert [ledger.revision(CLUSTER, hour(n)) for n in range(3)] == [0, 1, 0]
    assert ledger.revision("c-2", HOUR_0) == 0


class Busy:
    """A ledger whose controller posts late data right before each of our first postings."""

    def __init__(self, ledger, times):
        self.ledger, self.times = ledger, times

    def post(self, posting):
        if self.times:
            self.times -= 1
            revision = self.ledger.revision(CLUSTER, posting.window) + 1
            late = make_row(-2, window=posting.window, revision=revision, reason="late-data")
            self.ledger.post(make_posting(late, window=posting.window, revision=revision))
        return self.ledger.post(posting)


def test_a_controller_that_is_faster_is_heard_and_its_correction_moves_too(ledger):
    run(ledger, hour(0), writer=Busy(ledger, 1))
    assert teams(ledger, hour(0)) == {"untagged": 5, "ruled": 5}
    assert ledger.revision(CLUSTER, hour(0)) == 2


def test_a_controller_that_is_always_faster_ends_in_a_clear_message_and_the_next_try_goes_on(ledger):
    with pytest.raises(LedgerConflict, match=r"another writer posts at the same time.*run the same command again"):
        run(ledger, writer=Busy(ledger, ATTEMPTS))
    assert teams(ledger) == {"untagged": 36 - 2 * ATTEMPTS}
    run(ledger, writer=ledger)
    assert teams(ledger) == {"untagged": 15, "ruled": 21 - 2 * ATTEMPTS}


def test_two_who_tag_again_at_once_move_the_cost_once(tmp_path):
    place = str(tmp_path)
    for offset in range(4):
        DeltaLedger(place).post(make_posting(make_row(7, window=hour(offset)), window=hour(offset)))
    start, problems = threading.Barrier(2), []

    def work():
        mine = DeltaLedger(place)
        start.wait()
        try:
            run(mine, writer=mine)
        except LedgerConflict as lost:
            problems.append(lost)

    both = [threading.Thread(target=work) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    if problems:  # both may have lost their race too often: then the message said to try again
        run(DeltaLedger(place), writer=DeltaLedger(place))
    assert teams(DeltaLedger(place)) == {"ruled": 28}


HOST = node("gpu-a", booted_ms=BEGIN, gpus=2)
TRAIN = pod("train", HOST, bound_ms=BEGIN, activity=parse("0.5"))
POLICY = policy(dimension_key(Dimension.TEAM, default="nobody"), name="finops", rules=(RULE,))


@pytest.fixture
def pipeline(tmp_path):
    with Pipeline(tmp_path, Fleet((HOST,), (TRAIN,)), begin_ms=BEGIN, depth=99) as one:
        one.play(BEGIN + 2 * GRID.length_ms + SETTLE_MS)
        one.close()
        yield one


def by_revision(pipeline):
    return Counter(row.revision for row in pipeline.ledger.rows(DAY))


def test_a_revisit_under_the_same_policies_finds_nothing_to_undo(pipeline):
    before = pipeline.ledger.sums(DAY, (), {})
    list(Retag(pipeline.cluster, pipeline.ledger, pipeline.ledger)(DAY, Tagger([POLICY])))
    assert set(teams(pipeline.ledger)) == {"untagged", "ruled"}  # untagged: nobody held the second GPU
    pipeline.policies.value = (POLICY,)
    posted = by_revision(pipeline)
    assert pipeline.revisit() == ()
    assert by_revision(pipeline) == posted
    assert sum(one.cost_nanos for one in pipeline.ledger.sums(DAY, (), {})) == sum(one.cost_nanos for one in before)


def test_a_controller_that_does_not_know_the_policies_takes_the_tags_back_once_and_no_cost_is_lost(pipeline):
    before = teams(pipeline.ledger)
    list(Retag(pipeline.cluster, pipeline.ledger, pipeline.ledger)(DAY, Tagger([POLICY])))
    revised = pipeline.revisit()
    assert {one.reason for one in revised} == {"retagged"}
    assert teams(pipeline.ledger) == before
    assert pipeline.revisit() == ()


def test_a_revisit_that_came_first_leaves_nothing_to_tag_again(pipeline):
    pipeline.policies.value = (POLICY,)
    assert {one.reason for one in pipeline.revisit()} == {"retagged"}
    found = list(Retag(pipeline.cluster, pipeline.ledger)(DAY, Tagger([POLICY])))
    assert {one.revision for one in found} == {None}


def test_a_restart_of_the_journal_changes_nothing_about_what_a_revisit_says(pipeline):
    list(Retag(pipeline.cluster, pipeline.ledger, pipeline.ledger)(DAY, Tagger([POLICY])))
    pipeline.policies.value = (POLICY,)
    pipeline.inventory.flush()
    pipeline.reopen()
    assert pipeline.revisit() == ()
