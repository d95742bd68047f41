"""The report document goes out and comes back as the same report."""

import json

import pytest

from aicost.crd.allocations.document import report_document
from aicost.crd.allocations.parameters import read_parameters, write_parameters
from aicost.crd.allocations.reading import read_reports
from aicost.domain.ledger.rows import Bucket
from aicost.domain.reporting.query import IdlePolicy
from aicost.domain.reporting.question import Question
from aicost.ports.errors import InvalidAnswer, InvalidRequest
from aicost.usecases.answer_question import answer
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import HOUR_0, hour, make_holder, make_posting, make_row

NOW = hour(1).end_ms


@pytest.fixture
def ledger():
    made = MemoryLedger()
    for number in (0, 1):
        made.post(
            make_posting(
                make_row(1_001, window=hour(number), holder=make_holder(team="vision")),
                make_row(7 * 10**18, window=hour(number), holder=make_holder("team-b", team="研究")),
                make_row(77, window=hour(number), bucket=Bucket.ALLOCATED_IDLE, error=None),
                make_row(13, window=hour(number), bucket=Bucket.UNALLOCATED),
                make_row(None, window=hour(number), holder=make_holder("team-c"), currency=""),
                make_row(5, window=hour(number), currency="EUR"),
                window=hour(number),
            )
        )
    return made


@pytest.mark.parametrize("idle", IdlePolicy)
@pytest.mark.parametrize("limit", [None, 1])
def test_reading_gives_back_what_was_written(ledger, idle, limit):
    question = Question(
        str(hour(1)), ("team", "namespace"), {"provider": ("aws",)}, idle=idle, compare=True, limit=limit
    )
    reports = answer(ledger, question, NOW)
    assert len(reports) == 3  # dollars, euros, and time whose price and currency nobody knows
    text = json.dumps(report_document(reports, NOW))
    assert read_reports(json.loads(text)) == reports


def test_an_empty_answer_survives_and_claims_no_amount():
    reports = answer(MemoryLedger(), Question(str(HOUR_0)), NOW)
    document = report_document(reports, NOW)
    assert document["reports"][0]["total"]["cost"] is None
    assert document["reports"][0]["total"]["cost_nanos"] is None
    assert read_reports(document) == reports


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "text",
        {"apiVersion": "v1", "kind": "Status"},
        {"apiVersion": "query.aicost.dev/v2", "kind": "AllocationReport"},
        {"apiVersion": "query.aicost.dev/v1alpha1", "kind": "AllocationReport"},
        {"apiVersion": "query.aicost.dev/v1alpha1", "kind": "AllocationReport", "window": 5, "reports": []},
    ],
)
def test_what_is_no_report_document_is_refused(document):
    with pytest.raises(InvalidAnswer):
        read_reports(document)


def test_a_bucket_that_does_not_exist_is_refused(ledger):
    document = report_document(answer(ledger, Question(str(HOUR_0)), NOW), NOW)
    document["reports"][0]["total"]["buckets"]["gold"] = {"cost_nanos": 1, "gpu_milliseconds": 1}
    with pytest.raises(InvalidAnswer, match="gold"):
        read_reports(document)


def test_a_question_survives_the_way_through_a_url():
    question = Question(
        "7d", ("team", "label:app"), {"model": ("a", "b"), "label:x": ("1",)}, "team-a", "even",
        compare=True, time_zone="Asia/Tokyo", sort="name", reverse=True, limit=7,
    )  # fmt: skip
    pairs = write_parameters(question)
    assert read_parameters(pairs, namespace="team-a", group_by=("pod",), most_rows=100) == question


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([("compare", "maybe")], "compare: 'maybe' is neither true nor false"),
        ([("limit", "-1")], "limit: '-1' is no number of rows"),
        ([("limit", "٣")], "limit"),
        ([("window", "7d"), ("window", "8d")], "window: it is named 2 times"),
        ([("filter", "team")], "filter: 'team' names no key and value"),
        ([("by", "x" * 2_001)], "by: 2001 characters are too many"),
        ([("filter", "team=a")] * 65, "65 parameters are too many"),
    ],
)
def test_bad_parameters_are_named(pairs, said):
    with pytest.raises(InvalidRequest, match=said.split("(")[0]):
        read_parameters(pairs, namespace=None, group_by=("team",), most_rows=100)


def test_nobody_gets_more_rows_than_there_may_be():
    for asked in ([], [("limit", "0")], [("limit", "9999")]):
        assert read_parameters(asked, namespace=None, group_by=("team",), most_rows=100).limit == 100
