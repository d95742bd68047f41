"""What the status of an AIWorkload says of its runs."""

from dataclasses import replace
from fractions import Fraction

from aicost.crd.models.trained import MOST_RUNS
from aicost.crd.status.training import training_costs
from aicost.domain.training.measures import Track
from aicost.domain.training.run_costs import Aims, Run, run_costs
from aicost.domain.training.terms import Measure
from support.ledger_rows import HOUR_0
from support.training import held, track

DOLLAR = 10**9


def costs(*tracks, cost=36 * DOLLAR, currency="USD", **more):
    return run_costs(Run(HOUR_0, currency, [held(cost=cost)], tracks, **more))


def shown(*runs):
    found = training_costs(HOUR_0, list(runs))
    return [one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in found]


def test_a_run_with_a_restart_says_what_it_lost_and_what_is_to_come():
    steps: tuple[Track, ...] = (track((5, 0), (10, 0), (30, 200)), track((36, 150), (40, 150), (58, 330), (59, 330)))
    (found,) = shown(("PyTorchJob/llama", costs(*steps, aims=Aims({Measure.STEPS: Fraction(1320)}))))
    assert (found["currency"], found["runs"], found["costNanos"]) == ("USD", 1, 36 * DOLLAR)
    assert (found["lost"], found["lostNanos"]) == ("$9.00", 9 * DOLLAR)
    (run,) = found["rows"]
    assert run["parts"] == {
        "useful": 19_800_000_000,
        "lostSteps": 3_000_000_000,
        "restarts": 6_000_000_000,
        "start": 6_000_000_000,
        "after": 1_200_000_000,
    }
    assert (run["goodput"], run["restarts"], run["steps"], run["perStep"]) == ("55.0%", 1, "330", "$0.109")
    assert (run["progress"], run["toComplete"], run["toCompleteNanos"]) == ("25.0%", "$108.00", 108 * DOLLAR)


def test_what_nobody_counts_is_absent_and_not_zero():
    (found,) = shown(("PyTorchJob/llama", costs()))
    assert found.keys() == {"currency", "window", "runs", "cost", "costNanos", "rows"}
    assert found["rows"][0].keys() == {"run", "state", "cost", "costNanos", "parts"}


def test_currencies_are_never_added_and_many_runs_are_counted_and_not_all_shown():
    many = [(f"PyTorchJob/run-{number}", costs(cost=DOLLAR)) for number in range(100)]
    dollars, euros = shown(*many, ("PyTorchJob/eu", costs(currency="EUR")))
    assert (dollars["runs"], len(dollars["rows"]), dollars["costNanos"]) == (100, MOST_RUNS, 100 * DOLLAR)
    assert (euros["currency"], euros["runs"]) == ("EUR", 1)


def test_amounts_beyond_what_a_status_can_hold_are_told_as_text():
    large = replace(costs(), cost_nanos=10**20)
    (found,) = shown(("PyTorchJob/large", large))
    assert "costNanos" not in found
    assert found["cost"] == "$100,000,000,000.00"
