"""Each condition says what was found, why, and what a person can do."""

from dataclasses import replace

import pytest

from aicost.crd.convert.parsing import SpecProblem
from aicost.crd.reasons import CONDITIONS, Reason
from aicost.domain.attribution.window import Unpriced
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Grid, Window
from aicost.domain.identity.claims import WorkloadClaim
from aicost.domain.identity.conflicts import ClaimConflict
from aicost.domain.identity.matching import Matching
from aicost.domain.identity.problems import ClaimProblem, ClaimProblemKind
from aicost.domain.pricing.defects import DefectKind
from aicost.domain.reporting.query import Amounts
from aicost.entrypoints.controller.publish import judging
from aicost.entrypoints.controller.state import SourceState
from support.ledger_rows import HOUR_0, hour

SOURCE = SourceState("prometheus", "Prometheus, Service monitoring/prometheus at http://p:9090")
LAB = Unpriced("lab-a", "lab-rig", "rtx-6000", "add an entry for lab-rig")


def amounts(gpu_ms=HOUR_MS, cost=1_000, **more):
    return Amounts("USD", {"used": cost}, {"used": gpu_ms}, **more)


def short(statement):
    return statement.status.value, str(statement.reason)


def test_without_a_source_telemetry_says_what_was_looked_for():
    found = judging.telemetry(
        [amounts()], SourceState(looked_for="Looked for Services. Set telemetry.prometheus.url."), HOUR_MS
    )
    assert short(found) == ("False", "NoSource")
    assert found.message == "Looked for Services. Set telemetry.prometheus.url."


@pytest.mark.parametrize(
    ("gpu_ms", "measured_ms", "expected", "words"),
    [
        (HOUR_MS, HOUR_MS, ("True", "Measured"), "100.0% of the device time has samples from Prometheus"),
        (HOUR_MS, HOUR_MS * 96 // 100, ("True", "Measured"), "96.0% of the device time"),
        (HOUR_MS, HOUR_MS // 2, ("False", "PartlyMeasured"), "the rest is unmeasured, not idle"),
        (HOUR_MS, 0, ("False", "NoSamples"), "check that an exporter runs on their nodes"),
        (MINUTE_MS, 0, ("Unknown", "Waiting"), "too little to judge"),
        (MINUTE_MS, MINUTE_MS // 2, ("Unknown", "Waiting"), "too little to judge"),
        (MINUTE_MS, MINUTE_MS, ("True", "Measured"), "100.0%"),
        (0, 0, ("True", "Measured"), "None of the device time"),
    ],
)
def test_telemetry_is_judged_by_the_device_time_that_has_samples(gpu_ms, measured_ms, expected, words):
    found = judging.telemetry([amounts(gpu_ms, measured_milliseconds=measured_ms)], SOURCE, HOUR_MS)
    assert short(found) == expected
    assert words in found.message


def test_nothing_is_missing_in_the_first_minutes_of_a_ledger_however_many_gpus_it_has():
    found = judging.telemetry([amounts(HOUR_MS, measured_milliseconds=0)], SOURCE, MINUTE_MS)
    assert short(found) == ("Unknown", "Waiting")


def test_a_source_that_fails_now_is_named_with_its_failure():
    found = judging.telemetry([amounts()], replace(SOURCE, problem="connection refused"), HOUR_MS)
    assert "http://p:9090; it fails now: connection refused" in found.message


@pytest.mark.parametrize(
    ("more", "expected", "words"),
    [
        ({}, ("True", "AllPriced"), "All device time has a price."),
        ({"list_price_nanos": 250}, ("True", "ListPrices"), "25.0% of the cost rests on public list prices"),
        ({"unpriced_gpu_milliseconds": HOUR_MS // 2}, ("False", "PartlyPriced"), "0.50 of 1.00 GPU-hours"),
        ({"unpriced_gpu_milliseconds": HOUR_MS}, ("False", "NothingPriced"), "1.00 of 1.00 GPU-hours"),
    ],
)
def test_prices_are_judged_by_the_device_time_that_has_one(more, expected, words):
    found = judging.priced(judging.PriceFigures.of([amounts(**more)]), [LAB])
    assert short(found) == expected
    assert words in found.message
    assert ("add an entry for lab-rig" in found.message) == (expected[0] == "False")


def test_the_entry_to_add_is_told_once_per_kind_of_node():
    nodes = [replace(LAB, node=f"lab-{letter}") for letter in "abcde"] + [Unpriced("x", "big", "h300", "add big")]
    found = judging.priced(judging.PriceFigures.of([amounts(unpriced_gpu_milliseconds=1)]), nodes)
    assert found.message.count("add an entry for lab-rig") == 1
    assert "Nodes lab-a, lab-b, lab-c ...: add an entry for lab-rig\nNodes x: add big" in found.message


def progress(last=HOUR_0, problem=""):
    return judging.Progress(Grid(HOUR_MS), 2 * MINUTE_MS, HOUR_0.start_ms, last, problem)


@pytest.mark.parametrize(
    ("found", "now_ms", "expected", "words"),
    [
        (progress(), HOUR_0.end_ms + HOUR_MS, ("True", "Fresh"), "closed until 2026-11-25T11:00:00"),
        (progress(last=None), HOUR_0.start_ms + MINUTE_MS, ("Unknown", "NoWindowYet"), "may still change"),
        (progress(), HOUR_0.end_ms + 3 * HOUR_MS, ("False", "Stale"), "since 2026-11-25T11:00:00"),
        (progress(), HOUR_0.end_ms + 3 * HOUR_MS, ("False", "Stale"), "backlog is being worked off"),
        (progress(problem="disk full"), HOUR_0.end_ms + HOUR_MS + 3 * MINUTE_MS, ("False", "Stale"), ": disk full"),
        (progress(problem="disk full"), HOUR_0.end_ms + MINUTE_MS, ("True", "Fresh"), "closed until"),
        (progress(last=None), HOUR_0.end_ms + 3 * HOUR_MS, ("False", "Stale"), "since 2026-11-25T10:00:00"),
    ],
)
def test_the_ledger_is_fresh_while_its_last_window_is_as_recent_as_it_can_be(found, now_ms, expected, words):
    told = judging.fresh(found, now_ms)
    assert short(told) == expected
    assert words in told.message


def test_the_lag_counts_from_the_settled_window():
    assert progress().lag_ms(HOUR_0.end_ms + HOUR_MS + MINUTE_MS) == 0
    assert progress().lag_ms(HOUR_0.end_ms + HOUR_MS + 2 * MINUTE_MS) == HOUR_MS
    assert progress(last=None).lag_ms(HOUR_0.start_ms) == 0


@pytest.mark.parametrize(
    ("span", "refused"),
    [
        (hour(-2), True),
        (Window(hour(-2).start_ms, HOUR_0.start_ms), True),
        (Window(hour(-2).start_ms, HOUR_0.start_ms + 1), False),
        (hour(3), False),
    ],
)
def test_a_window_is_refused_where_it_ends_before_the_ledger_begins(span, refused):
    found = judging.window_problem(span, "yesterday", HOUR_0.start_ms)
    assert (found is not None) == refused
    if found:
        assert short(found) == ("False", "BeforeLedger")
        assert found.message.startswith("yesterday ends at ")
        assert "the ledger begins at 2026-11-25T10:00:00" in found.message


CLAIM = WorkloadClaim("team-a", "chat", "u1", 0, None, None, {})


def matching(**parts):
    return Matching(**{"by_pod": {}, "conflicts": (), "problems": ()} | parts)


def conflict(workload, *, won=False):
    return ClaimConflict("team-a", workload, "other", won=won, pods=2, example="p", rule="r", message="both claim")


@pytest.mark.parametrize(
    ("found", "expected", "words"),
    [
        (None, ("Unknown", "Waiting"), "not been matched"),
        (matching(by_pod={"p1": CLAIM, "p2": CLAIM}), ("True", "Claimed"), "2 pods are claimed."),
        (matching(by_pod={"p1": CLAIM}), ("True", "Claimed"), "1 pod is claimed."),
        (matching(by_pod={"p1": CLAIM}, conflicts=(conflict("chat"),)), ("False", "Conflict"), "both claim"),
        (matching(by_pod={"p1": CLAIM}, conflicts=(conflict("else"),)), ("True", "Claimed"), "1 pod"),
        *(
            (matching(problems=(ClaimProblem("team-a", "chat", kind, "why"),)), ("False", kind.value), "why")
            for kind in ClaimProblemKind
        ),
    ],
)
def test_claims_tell_pods_problems_and_conflicts(found, expected, words):
    told = judging.claimed("team-a", "chat", found)
    assert short(told) == expected
    assert words in told.message


def test_a_price_book_is_accepted_or_tells_each_problem():
    assert short(judging.accepted([])) == ("True", "Accepted")
    told = judging.accepted(["one.", "two."])
    assert (*short(told), told.message) == ("False", "InvalidEntry", "one. two.")
    assert short(judging.overlapping([])) == ("False", "NoOverlap")
    assert short(judging.overlapping(["a and b"])) == ("True", DefectKind.OVERLAP.value)


@pytest.mark.parametrize(
    ("here", "anywhere", "unpriced", "expected", "words"),
    [
        (2, 3, [], ("True", "AllPriced"), "All GPU nodes have a price, 2 of them from here."),
        (2, 3, [LAB], ("False", "PartlyPriced"), "1 GPU node has no price."),
        (0, 3, [LAB, LAB], ("False", "PartlyPriced"), "2 GPU nodes have no price."),
        (0, 0, [LAB], ("False", "NothingPriced"), "1 GPU node has no price."),
    ],
)
def test_a_price_book_tells_the_nodes_without_a_price(here, anywhere, unpriced, expected, words):
    told = judging.nodes_priced(here, anywhere, unpriced)
    assert short(told) == expected
    assert words in told.message
    assert ("add an entry for lab-rig" in told.message) == bool(unpriced)


@pytest.mark.parametrize(
    ("field", "window"),
    [
        ("spec.timeZone", "UnknownTimeZone"),
        ("spec.window", "InvalidWindow"),
        ("spec.range", "InvalidWindow"),
        ("spec.groupBy[0]", None),
    ],
)
def test_a_spec_that_cannot_be_read_is_refused_with_field_value_and_fix(field, window):
    told = judging.refused([SpecProblem(field, "'x'", "write y")])
    assert (*short(told[0]), told[0].message) == ("False", "InvalidSpec", f"{field}: 'x': write y")
    assert [short(one) for one in told[1:]] == ([("False", window)] if window else [])


@pytest.mark.parametrize("kind", sorted(CONDITIONS.keys() - {"BudgetOverride", "BudgetAction", "BudgetGate"}))
@pytest.mark.parametrize("expected", [True, False])
def test_what_could_not_be_computed_says_so_in_a_condition_of_its_kind(kind, expected):
    told = judging.failed(kind, "disk gone", expected=expected)
    assert "disk gone" in told.message
    causes = {(cause.status, str(cause.reason)) for cause in CONDITIONS[kind][told.type]}
    if not (kind in {"PriceBook", "CostLabelPolicy"} and expected):  # they need no ledger
        assert (told.status, str(told.reason)) in causes
    assert told.reason == (Reason.LEDGER_UNAVAILABLE if expected else Reason.INTERNAL_ERROR)
