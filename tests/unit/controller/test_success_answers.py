"""What an AIWorkload says of its successes: by the source that it names, with what failures cost."""

import pytest

from aicost.adapters.ledger.outcomes.store import DeltaOutcomes
from aicost.adapters.ledger.place import LedgerPlace
from aicost.crd.reasons import CONDITIONS
from aicost.domain.exact.windows import HOUR_MS
from aicost.domain.ledger.rows import Bucket
from aicost.domain.serving.counted import CountRow, Kind
from aicost.domain.serving.outcomes.posted import Statement
from support.controller import made, make_world
from support.ledger_rows import CLUSTER, HOUR_0, hour, make_holder, make_row

DOLLAR = 10**9
SELECTOR = {"selector": {"matchLabels": {"app": "chat"}}}


@pytest.fixture
def world(tmp_path):
    """$4 and 400 requests of one workload: 300 the engine calls a success, 100 were cut at their limit."""
    made_world = make_world(tmp_path, epoch_ms=HOUR_0.start_ms)
    holder = make_holder("team-a", "chat-0")
    claimed = type(holder)(**{**{name: getattr(holder, name) for name in holder.__slots__}, "workload": "chat"})
    made_world.post(
        make_row(3 * DOLLAR, gpu_ms=HOUR_MS, holder=claimed),
        make_row(1 * DOLLAR, gpu_ms=HOUR_MS, holder=claimed, bucket=Bucket.ALLOCATED_IDLE),
    )
    counts = (("output-tokens", 1_000_000, ""), ("requests", 300, "success"), ("requests", 100, "truncated"))
    keep(
        made_world,
        *(CountRow(Kind.ENGINE, name, n, part, "vllm", "team-a", "chat-0", model="M") for name, n, part in counts),
    )
    yield made_world
    made_world.app.stores.close()


def keep(world, *rows, revision=0):
    world.app.counts.keep(CLUSTER, hour(0), revision, rows)


def post(tmp_path, *outcomes):
    stated = [
        Statement("team-a", f"r{n}", HOUR_0.start_ms + n, not reason, "chat", reason=reason)
        for n, reason in enumerate(reason for reason, count in outcomes for _ in range(count))
    ]
    DeltaOutcomes(LedgerPlace(str(tmp_path / "ledger"))).post(CLUSTER, stated, HOUR_0.end_ms)


def answered(world, success=None):
    spec = {**SELECTOR, **({"success": success} if success else {})}
    answer = world.answer(made("AIWorkload", "chat", spec))
    (units,) = answer.status["unitCosts"]
    condition = next((one for one in answer.statements if one.type.value == "SuccessJudged"), None)
    if condition is not None:
        known = {(one.status, str(one.reason)) for one in CONDITIONS["AIWorkload"][condition.type]}
        assert (condition.status, str(condition.reason)) in known
    return units, condition


def test_without_a_word_of_success_the_engine_judges(world):
    units, condition = answered(world)
    assert (units["waste"], units["perSuccess"]["amount"], condition) == ("25.0%", "$0.0133", None)
    assert units["outcomes"]["by"] == "engine"
    assert units["outcomes"]["failures"] == [
        {"reason": "truncated", "requests": 100, "cost": "$1.00", "costNanos": DOLLAR}
    ]


def test_a_truncated_answer_may_be_called_a_success(world):
    units, condition = answered(world, {"from": "engine", "finishReasons": ["stop", "length"]})
    assert (units["waste"], units["perSuccess"]["amount"]) == ("0.0%", "$0.0100")
    assert (condition.status.value, str(condition.reason)) == ("True", "Judged")


def test_posted_outcomes_judge_a_part_and_the_rest_stays_visible(world, tmp_path):
    post(tmp_path, ("", 30), ("thumbs-down", 8), ("hallucination", 2))
    for success in (None, {"from": "outcomes"}):
        units, condition = answered(world, success)
        found = units["outcomes"]
        assert (found["by"], found["coverage"], found["dividedBy"], found["confidence"]) == (
            "outcomes", "10.0%", "requests", "low",
        )  # fmt: skip
        assert [(one["reason"], one["costNanos"]) for one in found["failures"]] == [
            ("thumbs-down", 80_000_000),
            ("hallucination", 20_000_000),
        ]
        parts = [
            found["successCostNanos"],
            found["unjudgedCostNanos"],
            *(one["costNanos"] for one in found["failures"]),
        ]
        assert sum(parts) == units["costNanos"]
        assert (found["unjudgedRequests"], units["waste"]) == (360, "25.0%")
    assert condition.message == (
        "Successes are told by the source outcomes. 10.0% of what its engine counted this month was judged."
    )


def test_a_correction_is_in_the_next_answer(world, tmp_path):
    post(tmp_path, ("", 30), ("thumbs-down", 10))
    assert answered(world)[0]["waste"] == "25.0%"
    post(tmp_path, ("", 40))
    store = DeltaOutcomes(LedgerPlace(str(tmp_path / "ledger")))
    late = [Statement("team-a", f"r{n}", HOUR_0.start_ms + n, True, "chat") for n in range(40)]
    store.post(CLUSTER, late, HOUR_0.end_ms + 1)
    assert answered(world)[0]["waste"] == "0.0%"


def test_a_source_that_tells_nothing_gives_no_figure_and_says_the_fix(world):
    for source, fix in (
        ("outcomes", "aicost outcomes post"),
        ("gateway", "check that the Prometheus scrapes the gateway"),
    ):
        units, condition = answered(world, {"from": source})
        assert "waste" not in units
        assert "perSuccess" not in units
        assert "outcomes" not in units
        assert (condition.status.value, str(condition.reason)) == ("Unknown", "NothingJudged")
        assert fix in condition.message


def test_gateways_and_queries_judge_by_what_was_kept_of_the_windows(world):
    answers = [
        CountRow(Kind.GATEWAY, "answers", n, status, "litellm", model="m") for status, n in (("200", 300), ("503", 100))
    ]
    own = [
        CountRow(Kind.WORKLOAD, "judged", n, part, namespace="team-a", workload="chat")
        for part, n in (("success:", 100), ("failure:odd", 100))
    ]
    rows = [CountRow(Kind.ENGINE, "requests", 400, "success", "vllm", "team-a", "chat-0", model="M")]
    keep(world, *rows, *answers, *own, revision=1)
    units, condition = answered(world, {"from": "gateway"})
    assert (units["outcomes"]["by"], units["waste"], condition.status.value) == ("gateway", "25.0%", "True")
    assert units["outcomes"]["failures"][0]["reason"] == "503"
    units, _ = answered(world, {"from": "query", "query": {"successes": "a"}})
    assert (units["outcomes"]["by"], units["waste"], units["outcomes"]["coverage"]) == ("query", "50.0%", "50.0%")


def test_a_query_that_cannot_be_held_to_the_namespace_is_said_and_stops_nothing_else(world):
    units, condition = answered(world, {"from": "query", "query": {"successes": "info(a)"}})
    assert (condition.status.value, str(condition.reason)) == ("False", "InvalidSpec")
    assert "spec.success.query.successes: 'info(a)': info(): it is no function" in condition.message
    assert units["costNanos"] == 4 * DOLLAR
