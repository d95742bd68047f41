"""Rows of the past say what they rest on, and nothing of the past is provisional."""

from dataclasses import dataclass, field

import pytest

from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.ports.ledger import Posting
from aicost.usecases.backfill import FlaggedWriter
from support.ledger_rows import HOUR_0, make_posting, make_row


@dataclass
class Kept:
    """A ledger that keeps what it was given."""

    postings: list[Posting] = field(default_factory=list)

    def post(self, posting: Posting) -> bool:
        self.postings.append(posting)
        return True

    def replace_provisional(self, *_: object):
        raise AssertionError("nothing of the past is provisional")


def test_flags_are_added_behind_those_of_the_statement_row_by_row():
    ledger = Kept()
    writer = FlaggedWriter(ledger, lambda row: ("backfill", row.place.node))
    rows = make_row(node="a", flags=("gap",)), make_row(node="b")
    assert writer.post(make_posting(*rows))
    assert [row.flags for row in ledger.postings[0].rows] == [("gap", "backfill", "a"), ("backfill", "b")]


def test_a_window_without_rows_is_posted_too():
    ledger = Kept()
    assert FlaggedWriter(ledger, lambda _: ("backfill",)).post(make_posting())
    assert ledger.postings[0].rows == ()


def test_the_past_has_no_provisional_rows():
    writer = FlaggedWriter(Kept(), lambda _: ())
    with pytest.raises(ValueError, match="the past has none"):
        writer.replace_provisional("c", Window(HOUR_0.start_ms, HOUR_0.start_ms + HOUR_MS), (make_row(),))
