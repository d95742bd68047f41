"""What an AIWorkload says beside its unit costs: load, what is behind requests, long prompts; absent where unknown."""

from dataclasses import replace

import pytest

from aicost.domain.exact.windows import HOUR_MS, Window, from_rfc3339
from aicost.domain.serving.counted import CountRow, Kind
from support.controller import made, make_world
from support.ledger_rows import CLUSTER, HOUR_0, make_holder, make_posting, make_row

DOLLAR = 10**9
CHAT = replace(make_holder("team-a", "chat-0"), workload="chat")
ENGINE = {
    "input-tokens": 1_000_000, "cached-tokens": 400_000, "output-tokens": 1_000_000, "finished-output-tokens": 900_000,
    "latency-milliseconds": 800_000, "timed-requests": 400, "within-1s": 100, "within-10s": 390,
    "running-request-milliseconds": 7_200_000, "watched-milliseconds": 3_600_000, "step-tokens": 4_000, "steps": 40,
    "preempted-requests": 3, "prompts": 400, "prompts-to-1000": 300, "prompts-to-10000": 400,
}  # fmt: skip
OCTOBER = Window(from_rfc3339("2026-10-05T10:00:00Z"), from_rfc3339("2026-10-05T11:00:00Z"))


@pytest.fixture
def world(tmp_path):
    made_world = make_world(tmp_path, epoch_ms=OCTOBER.start_ms)
    made_world.post(make_row(4 * DOLLAR, gpu_ms=HOUR_MS, holder=CHAT))
    yield made_world
    made_world.app.stores.close()


def keep(world, counts, *more, window=HOUR_0, requests=400):
    rows = [
        CountRow(Kind.ENGINE, name, number, "", "vllm", "team-a", "chat-0", model="m")
        for name, number in counts.items()
    ]
    ended = CountRow(Kind.ENGINE, "requests", requests, "success", "vllm", "team-a", "chat-0", model="m")
    world.app.counts.keep(CLUSTER, window, 0, (*rows, ended, *more))


def calls(name, number):
    return CountRow(Kind.GATEWAY, name, number, source="litellm", model="m")


def units(world):
    spec = {"selector": {"matchLabels": {"app": "chat"}}}
    (found,) = world.answer(made("AIWorkload", "chat", spec)).status["unitCosts"]
    return found


def test_load_stands_beside_unit_costs(world):
    keep(world, ENGINE)
    assert units(world)["load"] == {
        "latency": "2.00s", "latencyMilliseconds": 2_000, "latency95": "<= 10s", "concurrency": "2.00",
        "batchTokens": "100.00", "preemptedRequests": 3, "cacheSavings": "$0.31", "cacheSavingsNanos": 310_344_827,
    }  # fmt: skip


def test_what_the_requests_of_callers_became(world):
    keep(world, ENGINE, calls("caller-requests", 400), calls("attempts", 440), calls("reasoning-tokens", 250_000))
    found = units(world)["amplification"]
    assert (found["factor"], found["callerRequests"], found["attempts"], found["countedBy"]) == (
        "1.10",
        400,
        440,
        "litellm",
    )
    parts = {one["part"]: one for one in found["parts"]}
    assert parts["retries"] == {"part": "retries", "number": 40, "perRequest": "0.10", "countedBy": "litellm"}
    assert parts["reasoning-tokens"]["costNanos"] * 4 == pytest.approx(4 * DOLLAR * 40 / 46.4, abs=4)


def test_short_and_long_prompts_sum_to_the_cost_of_tokens(world):
    keep(world, ENGINE)
    short, long = units(world)["prompts"]
    assert (short["aboveTokens"], short["toTokens"], short["requests"]) == (0, 1_000, 300)
    assert (long["aboveTokens"], long["toTokens"], long["requests"]) == (1_000, 10_000, 100)
    assert short["costNanos"] + long["costNanos"] == 4 * DOLLAR


def test_what_nobody_counts_is_absent(world):
    keep(world, {"output-tokens": 5})
    found = units(world)
    assert not {"load", "amplification", "prompts"} & found.keys()


def test_tokens_for_one_request_grow_against_the_same_part_of_the_month_before(world):
    row = make_row(DOLLAR, gpu_ms=HOUR_MS, holder=CHAT, window=OCTOBER)
    world.ledger.post(make_posting(row, window=OCTOBER))
    keep(world, {"input-tokens": 100_000, "output-tokens": 60_000}, window=OCTOBER, requests=40)
    keep(world, ENGINE)
    assert units(world)["load"]["tokensPerRequestGrowth"] == "25.0%"
    assert units(world)["tokensPerRequest"] == "5,000"
