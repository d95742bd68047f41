"""Posted windows at other prices: what was posted and the differences are what a fresh statement says."""

from dataclasses import replace

import pytest

from aicost.domain.attribution.window import state_window
from aicost.domain.exact.windows import DAY_MS, Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.tags.precedence import Tagger
from aicost.domain.ledger.difference import difference
from aicost.domain.policy.policies import AttributionRule, RuleMatch
from aicost.domain.receipts.subjects import SubjectKind
from aicost.ports.errors import LedgerConflict
from aicost.ports.ledger import Posting
from aicost.usecases.receipts.rerate import Rerate
from aicost.usecases.retag import Retag
from support.admission.policies import policy
from support.builders import T0
from support.receipts import CLUSTER, WINDOW, Kept, a_node, a_pod, at, busy, hours, inputs, prices, with_sample

SPAN = Window(T0 - DAY_MS, T0 + DAY_MS)
DEARER = (prices(4.0),)
RULE = AttributionRule("r", RuleMatch(namespaces=("team-*",)), {Dimension.TEAM: "assistants"}, override=True)


@pytest.fixture
def kept(tmp_path):
    return Kept(tmp_path / "ledger")


def rated(kept, books=DEARER, *, post=True):
    used = Rerate(CLUSTER, kept.ledger, kept.inputs, kept.ledger if post else None)
    return list(used(SPAN, books))


def rows(kept):
    return kept.ledger.rows(SPAN, cluster=CLUSTER)


def test_looking_shows_what_costs_more_and_posts_nothing(kept):
    kept.post(inputs())
    before = list(map(repr, rows(kept)))
    (window,) = rated(kept, post=False)
    assert window.revision == 1
    told = {(one.namespace, one.before, one.after): costs for one, costs in window.found.changes}
    mine = told["team-a", "book/h100", "book/h100"]
    assert (mine.before_nanos, mine.after_nanos) == (2_490_000_000, 4_000_000_000)
    assert list(map(repr, rows(kept))) == before


@pytest.mark.parametrize("books", [DEARER, (prices(1.0, cut=17),), (), (prices(), prices(9.0))])
def test_what_was_posted_and_the_differences_are_a_fresh_statement(kept, books):
    books = tuple(replace(one, name=f"b{index}") for index, one in enumerate(books))
    given = inputs()
    kept.post(given)
    rated(kept, books)
    assert difference(rows(kept), state_window(replace(given, books=books)).rows, 9, "check") == ()
    assert {row.reason for row in rows(kept)} == {"", "price-change"}
    assert rated(kept, books)[0].found.rows == ()
    assert not kept.explain().differs


def test_back_again_is_what_it_was(kept):
    given = inputs()
    kept.post(given)
    rated(kept)
    rated(kept, given.books)
    assert difference(rows(kept), state_window(given).rows, 9, "check") == ()


def test_who_pays_stays_as_policies_said_since(kept):
    kept.post(inputs())
    list(Retag(CLUSTER, kept.ledger, kept.ledger)(WINDOW, Tagger([policy(name="p", rules=(RULE,))])))
    rated(kept)
    (window,) = kept.explain().windows
    assert {row.holder.dimensions["team"] for row in window.rows} == {"assistants"}
    assert sum(row.cost_nanos for row in window.rows) == 4_000_000_000
    assert not window.differs


def test_flags_of_a_posting_stay(kept):
    given = inputs()
    flagged = [replace(row, flags=(*row.flags, "backfilled")) for row in state_window(given).rows]
    kept.ledger.post(Posting(CLUSTER, WINDOW, 0, flagged, kept.inputs.keep(given, 0)))
    rated(kept)
    assert {row.flags for row in rows(kept)} == {("backfilled",)}


def test_nodes_that_rest_on_earlier_inputs_are_rated_by_the_new_prices_and_explained(kept):
    nodes = [a_node().record(), a_node("gpu-2").record()]
    pods = [a_pod().record(), a_pod("train-1", "gpu-2").record()]
    whole = [busy("GPU-1"), busy("GPU-8", "gpu-2", ("team-a", "train-1"))]
    first = inputs(pods, nodes, [busy("GPU-1", gap=Window(at(5), at(9))), whole[1]])
    kept.post(first)
    kept.post(inputs(pods, nodes, [whole[0]]), 1, lost=["gpu-2"])
    rated(kept)
    rated(kept, (prices(5.0),))
    assert sum(row.cost_nanos for row in rows(kept) if row.component == "gpu") == 4 * 5_000_000_000
    receipt = kept.explain("team-a/train", SubjectKind.WORKLOAD)
    assert not receipt.differs
    assert receipt.windows[0].basis.revisions == {"gpu-1": 3, "gpu-2": 0}


def test_windows_without_inputs_are_left_and_told(kept):
    kept.post(inputs(), keep=False)
    kept.post(inputs(window=hours(1)))
    first, second = rated(kept)
    assert "no inputs were kept" in first.not_rated
    assert second.revision == 1


def test_a_window_whose_inputs_were_altered_is_left_and_told(kept):
    kept.post(inputs())
    kept.alter(lambda given: with_sample(given, "GPU-1", 60, 0))
    (window,) = rated(kept)
    assert "differs from the inputs" in window.not_rated
    assert {row.revision for row in rows(kept)} == {0}


def test_a_writer_that_is_faster_makes_it_look_again(kept):
    kept.post(inputs())

    class Slow:
        def __init__(self):
            self.calls = 0

        def post(self, posting):
            self.calls += 1
            if self.calls == 1:
                kept.post(inputs(series=[busy("GPU-1", level=0.1)]), 1)
            return kept.ledger.post(posting)

    list(Rerate(CLUSTER, kept.ledger, kept.inputs, Slow())(SPAN, DEARER))
    assert {row.revision: row.reason for row in rows(kept)} == {0: "", 1: "late-data", 2: "price-change"}
    assert not kept.explain().differs


def test_a_writer_that_is_always_faster_ends_in_a_conflict(kept):
    kept.post(inputs())

    class Never:
        def post(self, _posting):
            raise LedgerConflict("taken")

    with pytest.raises(LedgerConflict, match="run the same command again"):
        list(Rerate(CLUSTER, kept.ledger, kept.inputs, Never())(SPAN, DEARER))
