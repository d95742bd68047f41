"""Every AI workload."""

from dataclasses import replace

from aicost.domain.coverage.inventory import Paid, take_inventory
from aicost.domain.coverage.objects import Running
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.workloads.shapes import Scaling
from support.coverage import SPAN, USD, audit, seen, spend

RUNS = Running(wants_gpus=True, gpu_milli=8000, pods=1, max_pods=4, scaling=Scaling.AUTOSCALED, model="m", claim="w")


def lines(*spends, looked=None, covered=SPAN, currency="USD"):
    return take_inventory(SPAN, covered, [Paid(currency, spends)], looked).lines


def test_what_is_there_and_what_had_a_cost_come_together():
    looked = audit(seen("chat", runs=RUNS), seen("idle", owner="jo", values={}))
    chat, idle = lines(spend("chat", 30, model="llama", team="vision"), looked=looked)
    assert (chat.model, chat.owner, chat.scaling, chat.max_pods, chat.claim) == (
        "llama", "vision", Scaling.AUTOSCALED, 4, "w",
    )  # fmt: skip
    assert (chat.cost_nanos, chat.monthly_nanos, chat.there) == (30 * USD, 30 * USD, True)
    assert (idle.cost_nanos, idle.monthly_nanos, idle.owner, idle.there) == (None, None, "jo", True)


def test_a_finished_object_is_gone_and_one_of_a_kind_that_nobody_listed_is_not_said_to_be():
    done, foreign = lines(
        spend("done", 2), replace(spend("x", 1), of=("a", "RayJob", "x")), looked=audit(seen("idle"))
    )[:2]
    assert (done.there, foreign.there) == (False, None)


def test_without_an_audit_the_inventory_is_what_had_a_cost_and_says_so():
    found = take_inventory(SPAN, SPAN, [Paid("USD", (spend("x", 1),))], None, "nobody looked yet")
    (line,) = found.lines
    assert (line.there, line.scaling, line.gpu_milli) == (None, None, None)
    assert "nobody looked yet" in found.not_assessed[0]


def test_a_cost_that_nobody_can_price_is_not_zero():
    unpriced = replace(spend("x", 0), unpriced_gpu_milliseconds=7, gpu_milliseconds=7)
    (line,) = lines(unpriced)
    assert (line.cost_nanos, line.monthly_nanos, line.gpu_milliseconds) == (None, None, 7)


def test_what_is_no_ai_workload_is_left_out():
    assert lines(looked=audit(seen("web", runs=Running(pods=3)))) == ()


def test_amounts_of_two_currencies_are_two_lines():
    paid = [Paid("USD", (spend("x", 5),)), Paid("EUR", (spend("x", 3),))]
    assert [(one.currency, one.cost_nanos) for one in take_inventory(SPAN, SPAN, paid, None).lines] == [
        ("USD", 5 * USD), ("EUR", 3 * USD),
    ]  # fmt: skip


def test_below_a_day_of_data_there_is_no_monthly_cost():
    (line,) = lines(spend("x", 5), covered=Window(SPAN.end_ms - HOUR_MS, SPAN.end_ms))
    assert (line.cost_nanos, line.monthly_nanos) == (5 * USD, None)
