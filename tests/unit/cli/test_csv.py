"""CSV is exact, and harmless in a spreadsheet."""

import csv
import io

import pytest

from aicost.domain.reporting.question import Question
from aicost.entrypoints.cli.output.documents import as_csv
from aicost.usecases.answer_question import answer
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import HOUR_0, hour, make_holder, make_posting, make_row


def rows_of(*rows, by=("team",)):
    ledger = MemoryLedger()
    ledger.post(make_posting(*rows))
    question = Question(window=str(HOUR_0), group_by=by)
    text = as_csv(answer(ledger, question, hour(1).start_ms))
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("evil", ["=cmd|'/c calc'!A0", "+1+1", "-2", "@SUM(A1)", "\t=1", "\n=1"])
def test_a_label_that_is_a_formula_stays_text(evil):
    row = rows_of(make_row(holder=make_holder(labels={"note": evil})), by=("label:note",))[0]
    assert row["label:note"] == f"'{evil}"


def test_a_carriage_return_ends_no_row_and_hides_no_formula():
    row = rows_of(make_row(holder=make_holder(labels={"note": "\r=1"})), by=("label:note",))[0]
    assert row["label:note"] == "' =1"


def test_commas_quotes_and_lines_in_labels_stay_in_their_cell():
    row = rows_of(make_row(holder=make_holder(labels={"note": 'a,"b"\nc'})), by=("label:note",))[0]
    assert row["label:note"] == 'a,"b"\nc'


def test_amounts_below_zero_stay_numbers():
    row = rows_of(make_row(-1_500_000_001, gpu_ms=-5, measured_ms=0))[0]
    assert (row["cost"], row["cost_nanos"], row["gpu_milliseconds"]) == ("-1.500000001", "-1500000001", "-5")


def test_an_amount_that_is_not_known_is_empty_and_not_zero():
    row = rows_of(make_row(None, currency=""))[0]
    assert (row["cost"], row["cost_nanos"], row["used_cost_nanos"]) == ("", "", "")
    assert row["unpriced_gpu_milliseconds"] == "600000"


def test_a_huge_amount_is_exact():
    row = rows_of(make_row(9_007_199_254_740_993))[0]
    assert (row["cost_nanos"], row["cost"]) == ("9007199254740993", "9007199.254740993")
