"""`aicost units` beside the prices of APIs, and as a gateway reads them: from the first line of a trace."""

import json
from decimal import Decimal
from fractions import Fraction

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from aicost.entrypoints.cli.main import main
from aicost.entrypoints.cli.output.units.litellm import per_token, quoted
from support.served import WINDOW, served_bundle

TABLE = "model,provider,input,cached,output,currency,from,source\n"
ACME = "qwen3,acme,1,,0.9,USD,2026-01-01,contract 7\n"


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compared")
    bundle, ledger = served_bundle(folder / "b", model="qwen3"), folder / "l"
    assert main(["replay", str(bundle), "--ledger", str(ledger)]) == 0
    return ["units", "--ledger", str(ledger), "--bundle", str(bundle), "--window", WINDOW]


@pytest.fixture
def table(tmp_path):
    def write(*rows):
        file = tmp_path / "prices.csv"
        file.write_text(TABLE + "".join(rows))
        return ["--api-prices", str(file)]

    return write


def compared(places, capsys, *more):
    assert main([*places, *more, "-o", "json"]) == 0
    return json.loads(capsys.readouterr().out)["compared"]


def test_the_full_cost_stands_beside_the_price_of_the_same_model(places, table, capsys):
    (row,) = compared(places, capsys, "--compare", *table(ACME))["rows"]
    (one,) = [each for each in row["apis"] if each["provider"] == "acme"]
    # 360,000 tokens of prompts at $1 and 3,600,000 of answers at $0.90; the GPU costs $3.60 and idles three quarters.
    assert (one["here_nanos"], one["there_nanos"], one["dearer_nanos"]) == (3_600_000_000, 3_600_000_000, 0)
    assert one["break_even_tokens_per_hour"] == one["tokens_per_hour"] == 3_960_000
    assert (one["busy"], one["break_even_busy"], one["source"]) == ("25.0%", "25.0%", "contract 7")


def test_a_table_overrides_the_list_that_is_installed(places, table, capsys):
    asked = ["--compare", "qwen3=groq/openai/gpt-oss-120b"]
    (row,) = compared(places, capsys, *asked)["rows"]
    assert [one["source"].split()[0] for one in row["apis"]] == ["genai-prices"]
    (row,) = compared(places, capsys, *asked, *table("gpt-oss-120b,groq,2,,2,USD,,the bill\n"))["rows"]
    assert [(one["source"], one["there_nanos"]) for one in row["apis"]] == [("the bill", 7_920_000_000)]


def test_the_screen_says_what_is_dearer_and_at_which_load_it_is_not(places, table, capsys):
    assert main([*places, "--compare", "qwen3=acme/qwen3", *table("qwen3,acme,0.5,,0.45,USD,,\n")]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "Beside the prices of APIs, full cost" in shown
    assert "$1.80 dearer (2x)" in shown
    assert "7,920,000" in shown
    assert "above 100% these GPUs cannot reach it" in shown


def test_what_cannot_be_compared_is_said(places, table, capsys):
    more = table("qwen3,acme,1,,1,EUR,,\n")
    assert main([*places, "--compare", "qwen3=acme/qwen3", "--compare", "gone", *more]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "it is in another currency than the ledger (acme/qwen3)" in shown
    assert "gone: no engine of this time serves it" in shown
    assert main([*places, "--compare", "qwen3=nobody/qwen3"]) == 0
    assert "qwen3: name one with --compare MODEL=PROVIDER/REF" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--compare", "qwen3=acme"], "MODEL=PROVIDER/REF"),
        (["--compare", "=acme/x"], "MODEL=PROVIDER/REF"),
        (["--compare", "qwen3=/x"], "MODEL=PROVIDER/REF"),
        (["--api-prices", "x.csv"], "give --compare too"),
        (["--compare", "--api-prices", "no-such.csv"], "no-such.csv cannot be read"),
        (["--compare", "-o", "litellm"], "is for -o table and -o json"),
    ],
)
def test_a_wrong_question_is_answered_with_what_to_write(places, capsys, more, said):
    assert main([*places, *more]) == 2
    assert said in capsys.readouterr().err


def test_a_wrong_table_is_named_with_its_line(places, table, capsys):
    assert main([*places, "--compare", *table("qwen3,acme,free,,1,USD,,\n")]) == 2
    assert "prices.csv: line 2, column input: 'free'" in capsys.readouterr().err


def test_a_gateway_reads_what_a_token_really_costs(places, capsys):
    assert main([*places, "-o", "litellm"]) == 0
    text = capsys.readouterr().out
    (entry,) = yaml.load(text, Loader=yaml.BaseLoader)["model_list"]
    assert entry["model_name"] == "qwen3"
    told = {key: Decimal(amount) for key, amount in entry["model_info"].items()}
    assert told.keys() == {"input_cost_per_token", "output_cost_per_token"}
    charged = 360_000 * told["input_cost_per_token"] + 3_600_000 * told["output_cost_per_token"]
    assert charged == pytest.approx(Decimal("3.60"), abs=Decimal("0.00000001"))
    assert isinstance(yaml.safe_load(text)["model_list"][0]["model_info"]["output_cost_per_token"], float)
    assert "priors (assumed)" in text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_name_of_a_model_breaks_the_yaml(name):
    assert yaml.safe_load(f"- model_name: {quoted(name)}  # {quoted(name)}\n- 1") == [{"model_name": name}, 1]


@given(st.integers(0, 10**18))
def test_a_price_for_one_token_is_exact(per_million_nanos):
    text = per_token(Fraction(per_million_nanos))
    assert Fraction(text) * 10**15 == per_million_nanos
    assert isinstance(yaml.safe_load(text), float)


def test_what_is_not_in_dollars_is_left_out_and_said(tmp_path, capsys):
    bundle = served_bundle(tmp_path / "b", model="qwen3", currency="EUR")
    assert main(["replay", str(bundle), "--ledger", str(tmp_path / "l")]) == 0
    capsys.readouterr()
    places = ["--ledger", str(tmp_path / "l"), "--bundle", str(bundle)]
    assert main(["units", *places, "--window", WINDOW, "-o", "litellm"]) == 0
    text = capsys.readouterr().out
    assert yaml.safe_load(text) == {"model_list": []}
    assert 'costs "EUR", and LiteLLM counts in USD' in text
    assert main(["units", *places, "--window", "2026-01", "-o", "litellm"]) == 0
    assert yaml.safe_load(capsys.readouterr().out) == {"model_list": []}
