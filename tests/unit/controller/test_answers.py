"""What our objects say of a ledger: figures, conditions, and refusals that name the fix."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from aicost.crd.convert.claims import workload_claim
from aicost.crd.reasons import CONDITIONS
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, to_rfc3339
from aicost.domain.identity.matching import match_claims
from aicost.domain.ledger.rows import Bucket
from aicost.entrypoints.controller.publish import answers, books
from aicost.entrypoints.controller.publish.answering import Unanswered
from aicost.entrypoints.controller.publish.saying import Answer
from aicost.ports.errors import LedgerUnavailable
from support.builders import make_pod
from support.controller import NOW, made, make_world, said, settings_with
from support.ledger_rows import HOUR_0, make_holder, make_posting, make_row

DOLLAR = 1_000_000_000
SELECTOR = {"selector": {"matchLabels": {"app": "chat"}}}
CHAT = replace(make_holder("team-a", "chat-0"), workload="chat")


def usual_rows():
    other = make_holder("team-b", "train-0")
    return (
        make_row(3 * DOLLAR, gpu_ms=HOUR_MS, holder=CHAT, device="GPU-1"),
        make_row(2 * DOLLAR, gpu_ms=HOUR_MS, holder=other, device="GPU-2"),
        make_row(DOLLAR, gpu_ms=HOUR_MS, bucket=Bucket.UNALLOCATED, device="GPU-3"),
    )


@pytest.fixture
def ledger(world):
    return world.post(*usual_rows())


def test_a_report_in_a_namespace_is_about_that_namespace_alone(ledger):
    status = ledger.answer(made("AICostReport", "r")).status
    assert [total["costNanos"] for total in status["totals"]] == [3 * DOLLAR]
    assert status["window"]["to"] == to_rfc3339(NOW)
    assert status["observedGeneration"] == 1


def test_a_cluster_report_holds_everything_and_its_rows_and_idle_sum_to_the_total(ledger):
    status = ledger.answer(made("ClusterAICostReport", "r", {"groupBy": ["namespace"], "idle": "separate"})).status
    (total,) = status["totals"]
    parts = sum(row["costNanos"] for row in status["rows"]) + sum(idle["costNanos"] for idle in status["idle"])
    assert total["costNanos"] == parts == 6 * DOLLAR


def test_conditions_of_a_report_are_those_of_the_reference(ledger):
    answer = ledger.answer(made("AICostReport", "r"))
    assert {one.type for one in answer.statements} == set(CONDITIONS["AICostReport"])
    for one in answer.statements:
        assert (one.status, str(one.reason)) in {
            (c.status, str(c.reason)) for c in CONDITIONS["AICostReport"][one.type]
        }
    assert said(answer, "Ready")[:2] == ("True", "Reported")
    assert said(answer, "WindowValid")[:2] == ("True", "Valid")
    assert said(answer, "DataFresh")[:2] == ("True", "Fresh")


def test_another_cluster_in_the_same_ledger_is_not_reported(ledger):
    ledger.ledger.post(make_posting(make_row(70 * DOLLAR, cluster="other"), cluster="other"))
    (total,) = ledger.answer(made("ClusterAICostReport", "r")).status["totals"]
    assert total["costNanos"] == 6 * DOLLAR


@pytest.mark.parametrize(
    ("spec", "reason", "words"),
    [
        ({"timeZone": "Mars/Olympus"}, "UnknownTimeZone", "spec.timeZone: 'Mars/Olympus'"),
        ({"range": {"from": "2030-01-01", "to": "2030-02-01"}}, "InvalidWindow", "lies in the future"),
    ],
)
def test_a_report_that_cannot_be_computed_says_which_field_and_what_to_write(ledger, spec, reason, words):
    answer = ledger.answer(made("AICostReport", "r", spec))
    assert said(answer, "Ready")[:2] == ("False", "InvalidSpec")
    status, found, message = said(answer, "WindowValid")
    assert (status, found) == ("False", reason)
    assert words in message
    assert set(answer.status) == {"observedGeneration", "conditions"}


@pytest.mark.parametrize(
    "spec",
    [
        {"range": {"from": "2026-02-01", "to": "2026-01-01"}},
        {"range": {"from": "2010-01-01", "to": "2026-01-01"}},
        {"groupBy": ["colour"]},
        {"window": "a while"},
        {"limit": 0},
    ],
)
def test_what_the_api_server_should_have_refused_is_refused_here_too(ledger, spec):
    answer = ledger.answer(made("AICostReport", "r", spec))
    assert isinstance(answer, Answer)
    status, reason, message = said(answer, "Ready")
    assert (status, reason) == ("False", "InvalidSpec")
    assert message.startswith("spec")


def test_a_window_before_the_ledger_is_told_with_the_moment_where_the_ledger_begins(ledger):
    answer = ledger.answer(made("AICostReport", "r", {"window": "last-month"}))
    status, reason, message = said(answer, "WindowValid")
    assert (status, reason) == ("False", "BeforeLedger")
    assert "2026-11-25T10:00:00" in message
    assert said(answer, "Ready")[0] == "False"


def test_an_empty_ledger_is_no_cost_and_not_zero_coverage(world):
    answer = world.answer(made("ClusterAICostReport", "r"))
    assert answer.status["rows"] == []
    assert "telemetryCoverage" not in answer.status["summary"]
    assert said(answer, "DataFresh")[1] == "NoWindowYet"


def test_a_ledger_that_is_behind_says_why(ledger):
    ledger.state.problems["close"] = "the disk is full"
    answer = ledger.answer(made("AICostReport", "r"), HOUR_0.end_ms + 2 * HOUR_MS)
    assert said(answer, "DataFresh")[:2] == ("False", "Stale")
    assert "the disk is full" in said(answer, "DataFresh")[2]


def test_a_workload_shows_its_own_cost_and_no_other(ledger):
    chat, idle = ledger.answers([made("AIWorkload", "chat", SELECTOR), made("AIWorkload", "idle", SELECTOR)])
    assert [total["costNanos"] for total in chat.status["totals"]] == [3 * DOLLAR]
    assert idle.status["summary"].get("cost") in {None, "$0.00"}
    assert said(chat, "PodsClaimed")[:2] == ("Unknown", "Waiting")
    elsewhere = ledger.answer(made("AIWorkload", "chat", SELECTOR, "team-b"))
    assert not [total for total in elsewhere.status["totals"] if total["gpuMilliseconds"]]


def test_the_ledger_is_summed_once_for_all_workloads(ledger, monkeypatch):
    asked = []
    keep = type(ledger.ledger).sums

    def sums(self, span, keys, filters, *, cluster=None):
        asked.append(tuple(keys))
        return keep(self, span, keys, filters, cluster=cluster)

    monkeypatch.setattr(type(ledger.ledger), "sums", sums)
    ledger.answers([made("AIWorkload", f"w{number}", SELECTOR) for number in range(50)])
    assert asked.count(("namespace", "workload")) == 2  # the month, and the month before
    assert asked.count(("cluster",)) == len(asked) - 2 <= 1  # which accounts there are


ENTRY = {"name": "h100", "match": {"gpuModel": "h100-80gb"}, "perGpuHour": "2.49"}


def test_a_price_book_tells_entries_that_cannot_be_used_and_uses_the_rest(world):
    bad = {"name": "bad", "match": {"gpuModel": "l4"}, "perGpuHour": "0"}
    answer = world.answer(made("PriceBook", "p", {"currency": "USD", "entries": [ENTRY, bad]}))
    status, reason, message = said(answer, "Accepted")
    assert (status, reason) == ("False", "InvalidEntry")
    assert "bad" in message or "entries[1]" in message


def test_entries_that_match_the_same_nodes_at_the_same_time_are_told(world):
    twice = [ENTRY, {**ENTRY, "name": "again", "perGpuHour": "3"}]
    answer = world.answer(made("PriceBook", "p", {"currency": "USD", "entries": twice}))
    status, _, message = said(answer, "Overlapping")
    assert status == "True"
    assert "h100" in message
    assert "again" in message


def test_an_object_whose_answer_raises_says_so_and_the_others_are_answered(ledger, monkeypatch):
    keep = answers.asked_report

    def asked(body, *rest):
        if body["metadata"]["name"] == "bug":
            raise RuntimeError("division by love")
        return keep(body, *rest)

    monkeypatch.setattr(answers, "asked_report", asked)
    bodies = [made("AICostReport", name) for name in ("a", "bug", "z")] + [made("AIWorkload", "w", SELECTOR)]
    found = {one.body["metadata"]["name"]: one for one in ledger.answers(bodies)}
    assert [name for name, one in found.items() if isinstance(one, Unanswered)] == ["bug"]
    status, reason, message = said(found["bug"], "Ready")
    assert (status, reason) == ("False", "InternalError")
    assert "RuntimeError: division by love" in message


def test_a_bug_in_judging_the_books_leaves_the_reports(ledger, monkeypatch):
    monkeypatch.setattr(books, "find_defects", lambda _: 1 / 0)
    report, book = ledger.answers([made("AICostReport", "r"), made("PriceBook", "p", {"currency": "USD"})])
    assert isinstance(report, Answer)
    assert said(book, "Accepted")[:2] == ("False", "InternalError")


def test_a_ledger_that_cannot_be_read_is_told_by_all_but_price_books(ledger, monkeypatch):
    def refuse():
        raise LedgerUnavailable("the volume is gone")

    monkeypatch.setattr(ledger.ledger, "snapshot", refuse)
    bodies = [made("AICostReport", "r"), made("AIWorkload", "w", SELECTOR), made("PriceBook", "p")]
    *others, book = ledger.answers(bodies)
    for one in others:
        status, reason, message = said(one, "Ready")
        assert (status, reason) == ("False", "LedgerUnavailable")
        assert "the volume is gone" in message
        assert "the figures are the last ones" in message
    assert isinstance(book, Answer)


def test_the_time_zone_of_the_settings_holds_for_reports_that_name_none(tmp_path):
    world = make_world(tmp_path, settings_with(reports={"timeZone": "Asia/Tokyo"}))
    try:
        status = world.post(*usual_rows()).answer(made("AICostReport", "r", {"window": "today"})).status
        assert status["window"]["from"].startswith("2026-11-24T15:00:00")
    finally:
        world.app.stores.close()


def test_an_ended_pod_is_billed_and_no_longer_counted_among_those_that_are_claimed(ledger):
    facts = [
        make_pod("team-a", name).raw_label("app", "chat").gpus(1).bound(NOW - HOUR_MS).facts() for name in ("a", "b")
    ]
    for pod in facts:
        ledger.app.stores.inventory.pod_seen(pod, NOW - HOUR_MS, live=True)
    ledger.app.stores.inventory.pod_gone(facts[0].uid, NOW - MINUTE_MS)
    body = made("AIWorkload", "chat", SELECTOR)
    claim = workload_claim(body).value
    matching = match_claims(facts, [claim])
    ledger.state.statement = SimpleNamespace(matching=matching, unpriced=())
    assert len(matching.by_pod) == 2
    assert ledger.answer(body).status["claimedPods"] == 1
