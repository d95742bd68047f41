"""`aicost report --currency`: converted beside the sums, by a dated rate that is named; parts sum, nothing is mixed."""

import csv
import io
import json
from fractions import Fraction

import pytest
import yaml

from aicost.domain.exact.apportion import divide
from support.crd_samples import resource

RATES = [
    {"base": "USD", "target": "EUR", "rate": "0.913", "from": "2026-03-01", "source": "central bank"},
    {"base": "USD", "target": "EUR", "rate": "0.5", "from": "2026-12-01"},
]


@pytest.fixture
def book(tmp_path):
    def write(*rates):
        path = tmp_path / "rates.yaml"
        spec = {"currency": "USD", "entries": [], "exchangeRates": list(rates)}
        path.write_text(yaml.safe_dump(resource("PriceBook", "rates", spec)), encoding="utf-8")
        return str(path)

    return write


def test_costs_stand_beside_their_own_currency_with_the_rate_of_the_end_of_the_span(report, book):
    found = report("--currency", "EUR", "--prices", book(*RATES), "--by", "namespace")
    assert found.code == 0, found.err
    assert "COST USD" in found.out
    assert "IN EUR" in found.out
    assert "For display, by 1 USD = 0.913 EUR, since 2026-03-01, central bank" in found.out
    assert "$" in found.out
    assert "€" in found.out


def test_lines_and_idle_sum_to_the_converted_total_to_the_nano(report, book):
    found = report("--currency", "EUR", "--prices", book(*RATES), "--by", "pod", "--idle", "separate", "-o", "json")
    document = json.loads(found.out)
    (shown,) = document["display"]["reports"]
    assert document["display"]["currency"] == "EUR"
    assert Fraction(shown["rate"]["numerator"], shown["rate"]["denominator"]) == Fraction(913, 1000)
    assert sum(line["cost_nanos"] for line in shown["lines"]) + shown["idle_nanos"] == shown["total_nanos"]
    own = sum(total["cost_nanos"] for total in [one["total"] for one in document["reports"]])
    assert shown["total_nanos"] == divide(own * 913, 1000)


def test_without_a_rate_nothing_is_guessed(report, book):
    found = report("--currency", "CHF", "--prices", book(*RATES))
    assert (found.code, found.out) == (2, "")
    assert "--currency CHF: no exchange rate from USD to CHF holds at 2026-03-02" in found.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--currency", "euro"), "is no currency: write an ISO 4217 code"),
        (("--currency", "EUR"), "takes exchange rates: name a PriceBook that has some by --prices"),
        (("--prices", "x.yaml"), "--prices x.yaml is for --currency"),
    ],
)
def test_options_that_make_no_sense_are_told(report, options, said):
    found = report(*options)
    assert found.code == 2
    assert said in found.err


def test_a_csv_has_the_other_currency_in_columns_of_its_own(report, book):
    options = ("--by", "team", "--idle", "separate", "-o", "csv")
    plain = report(*options)
    found = report("--currency", "EUR", "--prices", book(*RATES), *options)
    assert found.code == 0, found.err
    rows = list(csv.DictReader(io.StringIO(found.out)))
    assert {row["display_currency"] for row in rows if row["currency"]} == {"EUR"}
    assert {row["display_cost_nanos"] for row in rows if not row["currency"]} <= {""}
    parts = [int(row["display_cost_nanos"]) for row in rows if row["currency"] and row["row_type"] != "total"]
    (total,) = [row for row in rows if row["currency"] and row["row_type"] == "total"]
    assert sum(parts) == int(total["display_cost_nanos"]) == divide(int(total["cost_nanos"]) * 913, 1000)
    assert "1 USD = 0.913 EUR" in total["display_rate"]
    own = [{name: value for name, value in row.items() if not name.startswith("display_")} for row in rows]
    assert own == list(csv.DictReader(io.StringIO(plain.out)))


def test_a_book_without_rates_is_told(report, book):
    found = report("--currency", "EUR", "--prices", book())
    assert found.code == 2
    assert "has exchange rates" in found.err
