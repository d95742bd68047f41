"""`aicost budget why` and `list`, drawn from statuses; whatever stands in one, it is drawn."""

import copy
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aicost.domain.budgets.deciding.decide import Why
from aicost.domain.budgets.deciding.figures import Blindness
from aicost.domain.exact.windows import from_rfc3339
from aicost.entrypoints.cli.output.budget.list_table import list_table
from aicost.entrypoints.cli.output.budget.marks_screen import prices_screen, restore_screen
from aicost.entrypoints.cli.output.budget.reading import ref_of
from aicost.entrypoints.cli.output.budget.requests_table import requests_table
from aicost.entrypoints.cli.output.budget.why.reasons import MEANINGS, meaning
from aicost.entrypoints.cli.output.budget.why.screen import Explained, why_document, why_screen
from aicost.entrypoints.cli.output.table import display_width
from aicost.entrypoints.cli.terminal import Terminal

UNIT = 10**9
NOW_MS = from_rfc3339("2026-11-20T10:05:00Z")
WIDE = Terminal(None)


def why(budget, actions=(), requests=(), terminal=WIDE, program="aicost"):
    return why_screen(Explained(budget, actions, requests, NOW_MS, program), terminal)


def rows(screen, *names):
    """Words of the lines of a table that begin so."""
    split = [line.split() for line in screen.splitlines()]
    return [" ".join(words) for words in split if len(words) > 7 and len(words[0]) == 1 and words[1] in names]


def fact(screen, label):
    """The text beside a label, its lines joined."""
    lines = iter(screen.splitlines())
    told = next(line for line in lines if line.startswith(f"{label} "))
    for more in lines:
        if not more.startswith(" " * 14):
            break
        told += more
    return " ".join(told.split())


def test_each_rung_says_where_its_figure_is_and_how_far_it_has_to_go(budget, action):
    found = rows(why(budget, [action]), "half", "ahead", "fast", "rate", "dear", "full", "beyond")
    assert found == [
        "1 half Notify spend 80.0% 50.0% 45.0% reached 8d ago",
        "2 ahead Annotate forecast 103.0% 105.0% 100.0% 2.0 points, $100.00 away",
        "3 fast Annotate burn rate 2.54 2.00 1.90 reached; 3 evaluations must agree",
        "4 rate DenyNew committed rate $44.00/h $40.00/h $38.00/h reached; 3 evaluations must agree",
        "5 dear Notify unit cost 104.0% 110.0% 105.0% 6.0 points away",
        "6 full Suspend spend 80.0% 100.0% 95.0% 20.0 points, $1,000.00 away, in 3d11h",
        "7 beyond FastFail spend 80.0% 150.0% 145.0% 70.0 points, $3,500.00 away, in 12d3h; beyond maxGate",
    ]


def test_what_the_budget_has_stopped_counts_for_the_committed_rate_as_in_the_decision(budget):
    (found,) = rows(why(budget), "rate")
    assert "$12.00/h $40.00/h $38.00/h $28.00/h away" in found


def test_a_burn_rate_is_not_judged_where_the_last_hour_cost_too_little(budget):
    budget["status"]["burn"][1]["ratePerHourNanos"] = 24 * UNIT
    (found,) = rows(why(budget), "fast")
    assert "- 2.00 1.90 not judged" in found


def test_the_parts_of_limit_and_spend_are_named(budget):
    budget["status"]["limitParts"] = {
        "baseNanos": 4800 * UNIT,
        "carriedNanos": -100 * UNIT,
        "approvedNanos": 300 * UNIT,
        "minorNanos": 200 * UNIT,
    }
    screen = why(budget)
    assert fact(screen, "Limit") == (
        "Limit $5,000.00 = $4,800.00 of its own - $100.00 carried from the period before + $300.00 approved; "
        "minor overruns have added $200.00 in this period"
    )
    assert fact(screen, "Spent") == (
        "Spent $4,000.00, 80.0% of the limit = $3,900.00 settled + $90.00 in the open hour, which may still change "
        "+ $10.00 held since that was computed"
    )
    assert "2.00 GPU-hours have no price" in fact(screen, "Unpriced")
    assert "now 3.05, 1h 7.62, 6h 2.54, 3d 2.29" in fact(screen, "Burn rate")
    assert "$5,900.00 if the rest is as its dearest days (method daily-median)" in fact(screen, "Forecast")


def test_what_holds_it_back_and_what_comes_next_is_said_with_its_time(budget):
    budget["status"]["pending"]["at"] = "2026-11-20T10:30:00Z"
    screen = why(budget)
    assert fact(screen, "Held back") == "Held back the figures are old"
    assert fact(screen, "Acts") == "Acts yes: Notify is open."
    assert fact(screen, "Because") == "Because the next step is announced and waits for its time"
    assert fact(screen, "Next").startswith("Next Suspend opens in 25m (2026-11-20T10:30:00Z), asked for by rung full")
    assert fact(screen, "In words") == "In words Suspend follows."
    assert "3m old; coverage: telemetry 98.2%, price 100.0%, label 92.0%" in fact(screen, "Data")


def test_steps_messages_redlines_nudges_and_requests_are_there_with_what_to_do(budget, action, request_body):
    budget["status"]["told"].append({"id": "rung-full", "at": "2026-11-20T10:00:00Z", "summary": "all is spent"})
    screen = why(budget, [action], [request_body])
    assert "Job/train   SuspendJob   Applied      8    $32.00      2h   a-train" in screen
    message = next(line for line in screen.splitlines() if line.startswith("rung-full"))
    assert message.split() == ["rung-full", "5m", "all", "is", "spent", "nobody", "yet", "nobody"]
    for label, told in (
        ("Redline", "answers: Job default/train at $1.20, 2 in a row agree"),
        ("Nudge", "rate: twice its normal (since 2026-11-20T08:00:00Z)"),
        ("Left alone", "Deployment default/web: production"),
        ("At 100%", "it would stop 1 workloads, $32.00 per hour, first Job default/train"),
        ("Contested", "Deployment default/chat: argocd-controller keeps undoing it, so the budget gave way"),
        ("To live with", "ignoreDifferences: []"),
        ("Overrides", "in force: default/more"),
        ("Asked for", "+$200.00 by dana, takes approve-minor: aicost budget approve month-x7k2p -n research"),
        ("For more", "aicost budget request month -n research --amount N --reason '...'"),
        ("Emergency", "aicost budget break-glass month -n research --reason '...'"),
        ("To undo it", "aicost budget restore month -n research"),
        ("To say seen", "aicost budget ack month -n research rung-full"),
    ):
        assert told in fact(screen, label)


def test_a_budget_that_only_observes_offers_no_emergency(budget):
    budget["spec"]["mode"] = budget["status"]["decidedMode"] = "Observe"
    screen = why(budget)
    assert "which it would open: it decides in mode Observe" in fact(screen, "Gate")
    assert "Emergency" not in screen
    assert "To stop it" not in screen


def test_commands_to_copy_name_the_program_as_it_was_called_and_the_kind_of_budget(budget):
    del budget["metadata"]["namespace"]
    screen = why(budget, program="kubectl aicost")
    assert "kubectl aicost budget request month --cluster --amount N" in screen
    assert "kubectl patch clusterbudget month --type merge" in screen


def test_a_budget_that_was_never_computed_says_so(budget):
    del budget["status"]
    screen = why(budget)
    assert "Nothing was computed of it yet. Its limit is 5000 USD." in screen
    (row,) = [line for line in list_table([budget], NOW_MS, WIDE).splitlines() if line.startswith("research")]
    assert " ".join(row.split()) == "research month 5000 USD - - - - - - nothing was computed yet -"


def test_a_spec_of_another_version_hides_the_rungs_and_nothing_else(budget):
    budget["spec"]["ladder"] = [{"name": "new", "gate": "Vaporize"}]
    screen = why(budget)
    assert "The spec cannot be read here, so no rung is shown." in screen
    assert "$4,000.00, 80.0% of the limit" in screen


def test_the_screen_fits_a_narrow_terminal(budget, action, request_body):
    screen = why(budget, [action], [request_body], Terminal(80))
    too_wide = [line for line in screen.splitlines() if display_width(line) > 80]
    assert [line[:14].rstrip() for line in too_wide] == ["To stop it"], "a command is never broken in two"
    assert too_wide[0].endswith("""--type merge -p '{"spec":{"mode":"Observe"}}'""")


def test_the_document_has_the_parts_as_they_stand(budget, action, request_body):
    document = json.loads(why_document(Explained(budget, [action], [request_body], NOW_MS, "aicost")))
    assert (document["kind"], document["namespace"], document["name"]) == ("Budget", "research", "month")
    assert (document["spec"], document["status"]) == (budget["spec"], budget["status"])
    assert document["actions"] == [
        {"namespace": "research", "name": "a-train", "spec": action["spec"], "status": action["status"]}
    ]
    assert [one["name"] for one in document["overrides"]] == ["month-x7k2p"]


def test_the_most_used_budget_stands_first_and_one_over_its_limit_stands_out(budget):
    over, fresh = copy.deepcopy(budget), copy.deepcopy(budget)
    over["metadata"]["name"], fresh["metadata"]["name"] = "over", "fresh"
    over["status"]["spent"]["totalNanos"] = 6000 * UNIT
    del fresh["status"]
    drawn = list_table([fresh, budget, over], NOW_MS, Terminal(None, colour=True)).splitlines()[1:]
    assert [name for line in drawn for name in ("over", "month", "fresh") if f" {name} " in line] == [
        "over",
        "month",
        "fresh",
    ]
    assert drawn[0].startswith("\x1b[33m")
    assert "120.2%   ██████████" in drawn[0]
    assert "80.0%   ████████··" in drawn[1]


def test_every_reason_of_a_decision_has_words_of_its_own():
    assert set(MEANINGS) == {*Why, *Blindness}
    assert len(set(MEANINGS.values())) == len(MEANINGS)
    assert meaning("SomethingNew") == "SomethingNew"


def test_prices_that_were_set_aside_are_named_as_they_are_accepted(budget):
    at = "2026-11-20T10:05:00Z"
    assert "no price was set aside" in prices_screen(budget, ref_of(budget), at, WIDE)
    budget["status"]["conditions"][0] |= {"reason": "PriceQuarantined", "message": "h100 rose from $4 to $40"}
    assert "h100 rose from $4 to $40" in prices_screen(budget, ref_of(budget), at, WIDE)


JUNK = st.sampled_from([None, "", "x", "NaN", -1, 0, 2**70, True, [], {}, [None], ["x"], [{}], {"x": 1}, 1.5])


def _paths(body, path=()):
    yield path
    inner = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in inner:
        yield from _paths(value, (*path, key))


def _broken(body, data):
    """The object with a few of its fields replaced by something else, or taken out."""
    broken = copy.deepcopy(body)
    for _ in range(data.draw(st.integers(1, 4))):
        path = data.draw(st.sampled_from([one for one in _paths(broken) if one and one != ("metadata",)]))
        holder = broken
        for step in path[:-1]:
            holder = holder[step]
        if data.draw(st.booleans()) and isinstance(holder, dict):
            del holder[path[-1]]
        else:
            holder[path[-1]] = copy.deepcopy(data.draw(JUNK))
    return broken


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_no_status_however_odd_keeps_anything_from_being_drawn(budget, action, request_body, data):
    one, two, three = (_broken(body, data) for body in (budget, action, request_body))
    assert why(one, [two], [three])
    assert json.loads(why_document(Explained(one, [two], [three], NOW_MS, "aicost")))
    assert list_table([one, budget], NOW_MS, Terminal(80))
    assert requests_table([three, request_body], [one], NOW_MS, Terminal(80))
    assert restore_screen(one, ref_of(budget), [two], NOW_MS, "aicost", WIDE)


def _emptied(body):
    if isinstance(body, dict):
        return {key: _emptied(value) for key, value in body.items()}
    return [_emptied(one) for one in body] if isinstance(body, list) else "" if isinstance(body, str) else body


def test_texts_that_were_left_empty_are_dashes(budget, action, request_body):
    budget["status"] = _emptied(budget["status"])
    screen = why(budget, [_emptied(action)], [_emptied(request_body)])
    assert fact(screen, "Left alone") == "Left alone -"
    assert fact(screen, "Gate") == "Gate none is open"


@pytest.mark.parametrize("end", ["2026-11-01T00:00:00Z", "2020-01-01T00:00:00Z"])
def test_a_period_that_ended_before_anybody_looked_is_drawn(budget, end):
    budget["status"]["period"]["end"] = end
    assert "nothing left" in why(budget)
