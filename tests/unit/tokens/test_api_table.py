"""A table of token prices that somebody wrote: every wrong cell is named, and nothing is guessed."""

import pytest

from aicost.adapters.pricing.tokens.bundled import CHANGES
from aicost.adapters.pricing.tokens.table import read_token_prices
from aicost.domain.exact.windows import Window, from_rfc3339
from aicost.ports.errors import InvalidRequest

HEAD = "model,provider,input,cached,output,currency,from,source"
SPAN = Window(from_rfc3339("2026-03-02T09:00:00Z"), from_rfc3339("2026-03-02T10:00:00Z"))


def of_csv(*rows):
    return read_token_prices("prices.csv", "\n".join([HEAD, *rows]).encode())


def found(prices, model="qwen3", provider=""):
    return list(prices.find(model, provider, SPAN))


def test_prices_are_read_exactly_for_a_million_tokens():
    (one,) = found(of_csv("Qwen3,acme,0.15,0.0375,0.6,usd,,contract 7"))
    assert (one.model, one.provider, one.currency, one.source) == ("Qwen3", "acme", "USD", "contract 7")
    assert (one.input_nanos, one.cached_nanos, one.output_nanos) == (150_000_000, 37_500_000, 600_000_000)


def test_yaml_says_the_same_and_its_numbers_are_not_rounded():
    text = "- {model: qwen3, provider: acme, input: 0.15, cached: 0, output: 0.123456789, currency: USD}\n"
    (one,) = found(read_token_prices("prices.yaml", text.encode()))
    assert (one.input_nanos, one.cached_nanos, one.output_nanos) == (150_000_000, 0, 123_456_789)


def test_what_is_not_said_is_absent():
    (one,) = found(of_csv("qwen3,acme,0.15,,,USD,,"))
    assert (one.cached_nanos, one.output_nanos) == (None, None)


def test_the_last_price_that_holds_at_the_beginning_is_taken():
    old, new, later = (
        "qwen3,acme,1,,4,USD,2025-01-01,",
        "qwen3,acme,2,,8,USD,2026-01-01,",
        "qwen3,acme,9,,9,USD,2027-01-01,",
    )
    (one,) = found(of_csv(later, new, old))
    assert (one.input_nanos, one.notes) == (2_000_000_000, ())


def test_a_price_that_is_not_yet_in_force_is_none():
    assert found(of_csv("qwen3,acme,1,,4,USD,2026-03-02T10:00:00Z,")) == []


def test_a_change_in_the_time_is_said():
    (one,) = found(of_csv("qwen3,acme,1,,4,USD,,", "qwen3,acme,2,,8,USD,2026-03-02T09:30:00Z,"))
    assert (one.input_nanos, one.notes) == (1_000_000_000, (CHANGES,))


def test_a_model_is_found_with_and_without_its_maker_and_by_provider():
    prices = of_csv("qwen/qwen3,acme,1,,4,USD,,", "qwen3,other,2,,8,USD,,", "qwen3-32b,acme,3,,9,USD,,")
    assert [one.provider for one in found(prices)] == ["acme", "other"]
    assert [one.provider for one in found(prices, "Qwen/QWEN3")] == ["acme", "other"]
    assert [one.provider for one in found(prices, "other/qwen3")] == ["other"]
    assert [one.input_nanos for one in found(prices, provider="ACME")] == [1_000_000_000]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("qwen3,acme,,,4,USD,,", "fill input"),
        (",acme,1,,4,USD,,", "fill model"),
        ("qwen3,,1,,4,USD,,", "fill provider"),
        ("qwen3,acme,1,,4,,,", "fill currency"),
        ("qwen3,acme,-1,,4,USD,,", "above zero"),
        ("qwen3,acme,0,,4,USD,,", "above zero"),
        ("qwen3,acme,NaN,,4,USD,,", "above zero"),
        ("qwen3,acme,1,,0,USD,,", "above zero"),
        ("qwen3,acme,$1,,4,USD,,", "the number alone"),
        ('qwen3,acme,"0,15",,4,USD,,', "a point before the decimals"),
        ("qwen3,acme,1.5e-07,,4,USD,,", "for a million tokens"),
        ("qwen3,acme,0.00000015,,4,USD,,", "price for one token"),
        ("qwen3,acme,150000,,4,USD,,", "for a million tokens"),
        ("qwen3,acme,99999999999999,,4,USD,,", "for a million tokens"),
        ("qwen3,acme,\u0661,,4,USD,,", "above zero"),
        ("qwen3,acme,0.1234567891,,4,USD,,", "more than 9 decimals"),
        ("qwen3,acme,1,,4,dollars,,", "ISO 4217"),
        ("qwen3,acme,1,,4,USD,soon,", "write a day"),
        ("qwen3,acme,1,,4,USD,,x,y", "9 cells for 8 columns"),
        (f"{'m' * 201},acme,1,,4,USD,,", "at most 200"),
        ("q\x1b[2Jwen3,acme,1,,4,USD,,", "printable"),
    ],
)
def test_a_wrong_cell_is_named_with_its_line(row, said):
    with pytest.raises(InvalidRequest, match="line 3") as caught:
        of_csv("good,acme,1,,4,USD,,", row)
    assert said in str(caught.value)


def test_two_prices_from_one_moment_on_contradict_each_other():
    with pytest.raises(InvalidRequest, match=r"line 3.*take one out"):
        of_csv("qwen3,acme,1,,4,USD,2026-01-01,", "QWEN3,Acme,2,,4,USD,2026-01-01T00:00:00Z,")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("p.csv", "model,provider,price\nqwen3,acme,1\n", "no column of token prices"),
        ("p.csv", HEAD, "holds no prices"),
        ("p.csv", "", "empty"),
        ("p.csv", "model\x00", "zero bytes"),
        ("p.yaml", "", "write a list"),
        ("p.yaml", "prices: []", "write a list"),
        ("p.yaml", "[]", "holds no prices"),
        ("p.yaml", "- [qwen3]", "write a list"),
        ("p.yaml", "- model: {a: b}\n  provider: x\n  input: 1\n  currency: USD", "no list and no mapping"),
        ("p.yaml", "\n- model: a\n  model: b\n  provider: x\n  input: 1\n  currency: USD", "line 2, column model: 'a'"),
        ("p.yaml", "- !!python/object:os.system {}", "fill model"),
        ("p.yaml", "- {<<: {input: 1}}", "no list and no mapping"),
        ("p.yaml", "[" * 5_000, "no YAML"),
        ("p.yaml", "- &a {model: *a}", "no list and no mapping"),
        ("p.yaml", "\xff".encode("latin-1"), "no YAML"),
        ("p.yml", "#" * (2**20 + 1), "larger than 1 MiB"),
    ],
)
def test_a_file_that_is_no_table_is_refused(name, text, said):
    with pytest.raises(InvalidRequest) as caught:
        read_token_prices(name, text if isinstance(text, bytes) else text.encode())
    assert said in str(caught.value)
