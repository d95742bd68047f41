"""Several currencies, unknown errors, and colours on the screen."""

from aicost.domain.reporting.question import Question
from aicost.entrypoints.cli.output.screen import as_tables
from aicost.entrypoints.cli.terminal import Terminal
from aicost.usecases.answer_question import answer
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import HOUR_0, hour, make_holder, make_posting, make_row

DOLLAR = 1_000_000_000


def screen(*rows, terminal=None, wide=False, **asked) -> str:
    ledger = MemoryLedger()
    ledger.post(make_posting(*rows))
    question = Question(window=str(HOUR_0), **asked)
    return as_tables(answer(ledger, question, hour(2).start_ms), terminal or Terminal(), wide=wide)


def test_currencies_stand_one_below_the_other_and_are_never_added():
    shown = screen(make_row(3 * DOLLAR), make_row(5 * DOLLAR, currency="EUR"))
    assert [line.split()[1] for line in shown.splitlines() if line.startswith("total")] == ["€5.00", "$3.00"]
    assert "$8.00" not in shown


def test_an_error_bar_that_is_not_known_is_said():
    assert "not known: a part of the device time has no samples" in screen(make_row(DOLLAR, error=None, measured_ms=0))


def test_a_cluster_without_any_price_shows_no_amount_at_all():
    shown = screen(make_row(None, currency=""))
    assert "unpriced" in shown
    assert "0.17 GPU-hours have no price" in shown
    assert "$" not in shown
    assert " 0.00" not in shown


def test_wide_shows_each_bucket_and_never_gives_a_column_away():
    shown = screen(make_row(DOLLAR), terminal=Terminal(40), wide=True)
    assert "MEASURED" in shown
    assert "do not fit" not in shown


def test_a_narrow_terminal_is_told_what_is_missing():
    shown = screen(make_row(DOLLAR, holder=make_holder(team="x" * 60)), terminal=Terminal(40), group_by=("team",))
    assert "Columns that do not fit: " in shown
    assert max(map(len, shown.splitlines())) <= 44  # the facts keep a readable width


def test_a_caution_stands_out_in_colour_and_only_there():
    row = make_row(DOLLAR, list_price=True)
    assert "\x1b[33m" in screen(row, terminal=Terminal(colour=True))
    assert "\x1b" not in screen(row)
