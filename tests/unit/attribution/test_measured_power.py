"""A machine of one's own is paid at the power that its GPUs drew, and what is kept beside the ledger says it again."""

from dataclasses import replace
from fractions import Fraction

import numpy as np

from aicost.adapters.ledger.inputs.codec import decode, encode
from aicost.domain.attribution.window import WindowInput, state_window
from aicost.domain.pricing.books import Amortisation, Commitment, Discount, NodeMatch, Power, Stacking
from aicost.domain.pricing.currencies import ExchangeRate
from aicost.domain.sampling.series import DeviceSeries, Signal
from support.pricing import ALWAYS, UNIT, book, entry
from support.receipts import PADDING_MS, STEP_MS, WINDOW, busy, inputs

OWN = Amortisation(87_600 * UNIT, 0, 0, 120, power=Power(2_000, 500_000, 1_500_000, 200_000_000, host_watts=300))


def energy(device, watts, node="node-1"):
    at = np.arange(WINDOW.start_ms - PADDING_MS, WINDOW.end_ms + PADDING_MS, STEP_MS)
    like = busy(device)
    return replace(like, signal=Signal.ENERGY, at_ms=at, value=(at - at[0]) * watts, holder=None)


def given(*counters: DeviceSeries):
    books = (book(replace(entry("own", gpu_model="h100-80gb"), amortisation=OWN)),)
    return inputs(series=(busy("GPU-1"), busy("GPU-2", pod=None), *counters), books=books)


def explained(window_input):
    (decisions,) = state_window(window_input).decisions.values()
    (decision,) = decisions
    return decision.chosen.explanation


def test_measured_power_of_all_gpus_makes_the_price():
    found = explained(given(energy("GPU-1", 400), energy("GPU-2", 100)))
    assert "500 W measured at the GPUs and 300 W beside them x PUE 1.5 x $0.2000 per kWh is $0.2400" in found


def test_where_one_gpu_was_not_measured_the_plate_counts():
    assert "2000 W by rating x load 0.5 x PUE 1.5" in explained(given(energy("GPU-1", 400)))
    assert "by rating" in explained(given())


def test_rows_still_sum_to_the_price_of_the_node():
    statement = state_window(given(energy("GPU-1", 401), energy("GPU-2", 99)))
    assert statement.unbalanced_nanos == 0
    (decisions,) = statement.decisions.values()
    per_gpu = Fraction(decisions[0].chosen.gpu_hour_nanos_num, decisions[0].chosen.gpu_hour_den)
    of_gpus = sum(row.cost_nanos for row in statement.rows if row.component == "gpu")
    assert abs(of_gpus - per_gpu * 2) <= 1


def test_what_prices_are_made_of_is_kept_beside_the_ledger_and_comes_back_the_same():
    discount = Discount("edp", 75_000_000, NodeMatch(provider="aws"), ALWAYS, Stacking.ADD, ("list",))
    rich = replace(
        given().books[0],
        discounts=(discount,),
        exchange_rates=(ExchangeRate("USD", "EUR", 913_000_000, ALWAYS, "bank"),),
    )
    rich = replace(rich, entries=(*rich.entries, replace(entry("c", node_hour=1), commitment=Commitment(5, 3))))
    kept = replace(given(energy("GPU-1", 400), energy("GPU-2", 100)), books=(rich,))
    back = decode(encode(kept), WindowInput)
    assert back.books == kept.books
    assert state_window(back).rows == state_window(kept).rows
