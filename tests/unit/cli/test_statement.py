"""`aicost statement` on ledgers in folders: each form says the same figures."""

import csv
import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from aicost.adapters.ledger.delta import DeltaLedger
from support.statements import correct, fill

MONTH = ("--month", "2026-10", "--time-zone", "Europe/Berlin")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("october")
    ledger = DeltaLedger(str(place))
    fill(ledger)
    correct(ledger)
    return place


@pytest.fixture
def statement(run, folder):
    def call(*options):
        return run("statement", *MONTH, "--ledger", str(folder), *options)

    return call


def document(result):
    assert result.code == 0, result.err
    return json.loads(result.out)


def as_rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_a_team_sees_its_lines_its_adjustments_and_how_it_adds_up(statement):
    result = statement("--team", "vision", "--shared", "cost")
    assert result.code == 0, result.err
    for said in (
        "Cost statement of team vision · 2026-10",
        "2026-10-01 00:00 to 2026-11-01 00:00 (Europe/Berlin)",
        "cc-100: sum",
        "Deployment/chat",
        "in proportion to each payer's own cost",
        "price-change",
        "retag finops/recs",
        "As first posted",
        "2 other payers",
        "2026-10-vision-",
    ):
        assert said in result.out


def test_the_ledger_answers_as_the_one_in_memory(statement, folder):
    said = document(statement("--team", "vision", "--shared", "even", "-o", "json"))
    again = document(statement("--team", "vision", "--shared", "even", "-o", "json"))
    assert said["number"] == again["number"]
    assert said["ledgers"] == [{"place": str(folder), "version": 14}]
    assert [(one["cluster"], one["windows"], one["revised"]) for one in said["posted"]] == [
        ("east", 4, 2),
        ("west", 4, 0),
    ]


def test_the_total_is_that_of_aicost_report(statement, run, folder):
    total = document(statement("--team", "vision", "-o", "json"))["parts"][0]["total_nanos"]
    report = document(
        run(
            "report",
            "--window",
            "2026-10",
            "--time-zone",
            "Europe/Berlin",
            "--team",
            "vision",
            "--ledger",
            str(folder),
            "-o",
            "json",
        )
    )
    assert report["reports"][0]["total"]["cost_nanos"] == total


@pytest.mark.parametrize("rule", ["none", "cost", "gpu-hours", "even"])
def test_rows_of_the_sheet_sum_to_the_ledger(statement, rule):
    result = statement("--per", "team", "--shared", rule, "-o", "csv")
    sums: dict[str, int] = {}
    for row in as_rows(result.out):
        sums[row["row_type"]] = sums.get(row["row_type"], 0) + int(row["cost_nanos"] or 0)
    assert sums["own"] + sums.get("shared", 0) == sums["total"]
    assert sums["total"] + sums["other-payers"] + sums.get("platform", 0) == sums["ledger"]


def test_fixed_shares_come_from_a_file(statement, tmp_path):
    shares = tmp_path / "shares.yaml"
    shares.write_text("vision: 40%\nrecs: 1/4\n")
    said = document(statement("--team", "vision", "--shared", "fixed", "--shares", str(shares), "-o", "json"))
    assert said["shared_rule"]["shares"] == {"recs": "1/4", "vision": "2/5"}
    (account,) = said["parts"][0]["accounts"]
    assert {(line["basis"], line["whole"]) for line in account["shared"]} == {(8, 20)}


def test_a_page_is_written_whole_and_well_formed(statement, tmp_path):
    page = tmp_path / "october.html"
    result = statement("--team", "vision", "--shared", "cost", "--out", str(page))
    assert (result.code, result.out) == (0, "")
    assert f"written to {page}" in result.err
    assert [one.name for one in tmp_path.iterdir()] == ["october.html"]
    root = ET.parse(page).getroot()
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert {"table", "svg", "rect", "section"} <= names
    assert not names & {"script", "img", "link", "iframe", "a"}


@pytest.mark.parametrize(
    ("name", "start"), [("a.md", "# Cost"), ("a.csv", "row_type,"), ("a.json", "{"), ("a.htm", "<!")]
)
def test_the_name_of_the_file_says_what_to_write(statement, tmp_path, name, start):
    assert statement("--team", "vision", "--out", str(tmp_path / name)).code == 0
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)


def test_an_earlier_statement_and_the_adjustments_since_are_the_one_of_now(run, tmp_path):
    place, earlier = tmp_path / "ledger", tmp_path / "issued.json"
    ledger = DeltaLedger(str(place))
    fill(ledger)
    asked = ("statement", *MONTH, "--ledger", str(place), "--team", "vision", "--shared", "cost")
    assert run(*asked, "--out", str(earlier)).code == 0
    issued = json.loads(earlier.read_text(encoding="utf-8"))
    correct(ledger)
    for since in (str(earlier), str(issued["ledgers"][0]["version"])):
        (part,) = document(run(*asked, "--issued", since, "-o", "json"))["parts"]
        (account,) = part["accounts"]
        assert account["issued_nanos"] == issued["parts"][0]["total_nanos"]
        assert account["issued_nanos"] + account["adjusted_nanos"] == part["total_nanos"]
        assert [one["reason"] for one in account["adjustments"]] == [
            "price-change",
            "retag finops/recs",
            "shared-costs",
        ]
    again = document(run(*asked, "--ledger-version", str(issued["ledgers"][0]["version"]), "-o", "json"))
    assert again["number"] == issued["number"], "the earlier statement can be issued again"


def test_a_moment_finds_the_version_that_was_there(run, tmp_path):
    place = tmp_path / "ledger"
    fill(DeltaLedger(str(place)))
    asked = ("statement", *MONTH, "--ledger", str(place), "--team", "vision")
    found = document(run(*asked, "--issued", "2999-01-01T00:00:00Z", "-o", "json"))
    assert found["baseline"] == {"kind": "ledger-versions", "versions": [12]}
    empty = run(*asked, "--issued", "1999-01-01T00:00:00Z")
    assert (empty.code, "the ledger was empty then" in empty.err) == (2, True)


def test_several_ledgers_are_one(run, tmp_path, folder):
    for cluster in ("east", "west"):
        fill(DeltaLedger(str(tmp_path / cluster)), (cluster,))
    places = ("--ledger", str(tmp_path / "east"), "--ledger", str(tmp_path / "west"))
    together = DeltaLedger(str(tmp_path / "both"))
    fill(together)
    options = ("statement", *MONTH, "--per", "team", "--shared", "cost", "-o", "json")
    apart, both = (document(run(*options, *which)) for which in (places, ("--ledger", str(tmp_path / "both"))))
    assert apart["parts"] == both["parts"]
    assert apart["number"] == both["number"]
    assert len(apart["ledgers"]) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--team", "vision", "--window", "7d"), "--month 2026-10 and --window 7d contradict"),
        (("--team", "vision", "--payer", "team=x"), "--payer: 'team=x' is not one payer"),
        (("--payer", "team"), "--payer: 'team' names no key and value"),
        (("--payer", "tema=x"), "payer: 'tema' is no key"),
        (("--team", ""), "team: '' is no name"),
        (("--out", "a.pdf"), "--out: 'a.pdf' does not say what to write"),
        (("--out", "/nowhere/at/all.html"), "--out: /nowhere/at/all.html cannot be written"),
        (("--shared", "fixed", "--shares", "/nowhere"), "--shares: /nowhere cannot be read"),
        (("--issued", "yesterday"), "--issued: 'yesterday' is no file, version or moment"),
        (("--issued", "9999"), "version 9999 of the ledger"),
        (("--cluster", "north"), "cluster: 'north' has no rows in"),
    ],
)
def test_what_makes_no_sense_is_one_line_that_names_the_option(statement, options, message):
    result = statement(*options)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert [line[:6] for line in result.err.splitlines() if not line.startswith("reading ")] == ["error:"]


@pytest.mark.parametrize("content", ["[]", "a: [", "{}", "- a", "\x00", "a: &x [*x]"])
def test_a_file_of_shares_that_is_none_is_refused(statement, tmp_path, content):
    shares = tmp_path / "shares.yaml"
    shares.write_text(content)
    result = statement("--team", "vision", "--shared", "fixed", "--shares", str(shares))
    assert result.code == 2
    assert "share" in result.err


def test_a_statement_that_was_changed_is_no_baseline(statement, tmp_path):
    earlier = tmp_path / "issued.json"
    assert statement("--team", "vision", "--out", str(earlier)).code == 0
    earlier.write_text(earlier.read_text(encoding="utf-8").replace('"windows": 4', '"windows": 5', 1))
    result = statement("--team", "vision", "--issued", str(earlier))
    assert result.code == 2
    assert "was changed since it was issued" in result.err
    earlier.write_text("{}")
    assert "it is no CostStatement" in statement("--team", "vision", "--issued", str(earlier)).err


def test_without_a_ledger_it_asks_for_one(run):
    result = run("statement", "--team", "vision")
    assert result.code == 2
    assert "--ledger" in result.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--team", "recs", "--shared", "cost"), "it is of team vision, and not of team recs"),
        (("--per", "team"), "it is of team vision, and not by team"),
        (("--team", "vision"), "it is by the rule cost of unallocated, stranded"),
        (("--team", "vision", "--shared", "cost", "--shared-bucket", "system"), "and not by the rule cost of system"),
    ],
)
def test_adjustments_since_a_statement_of_something_else_are_refused(statement, tmp_path, options, said):
    earlier = tmp_path / "issued.json"
    assert statement("--team", "vision", "--shared", "cost", "--out", str(earlier)).code == 0
    result = statement(*options, "--issued", str(earlier))
    assert (result.code, result.out) == (2, "")
    assert said in result.err


def test_adjustments_since_a_statement_of_another_month_are_refused(statement, run, folder, tmp_path):
    earlier = tmp_path / "issued.json"
    assert statement("--team", "vision", "--out", str(earlier)).code == 0
    options = ("--team", "vision", "--month", "2026-09", "--ledger", str(folder), "--issued", str(earlier))
    assert "from 2026-09-30T22:00:00Z on, and not from 2026-09-01T00:00:00Z on" in run("statement", *options).err


BOOK = """
apiVersion: aicost.dev/v1alpha1
kind: PriceBook
metadata: {name: fx}
spec:
  currency: USD
  exchangeRates:
  - {base: EUR, target: USD, rate: "1.25", from: "2026-10-01"}
"""


def test_a_total_is_shown_in_another_currency_and_the_statement_stays_as_it_is(statement, tmp_path):
    book = tmp_path / "book.yaml"
    book.write_text(BOOK)
    plain = document(statement("--team", "vision", "-o", "json"))
    shown = document(statement("--team", "vision", "--currency", "EUR", "--prices", str(book), "-o", "json"))
    (one,) = shown.pop("display")
    assert shown | {"generated_at": ""} == plain | {"generated_at": ""}
    total = plain["parts"][0]["total_nanos"]
    assert (one["of"], one["of_nanos"], one["currency"]) == ("USD", total, "EUR")
    assert abs(one["total_nanos"] * 5 - total * 4) <= 3
    assert "1 EUR = 1.25 USD" in one["explanation"]
    said = statement("--team", "vision", "--currency", "GBP", "--prices", str(book)).out
    assert "no exchange rate from USD to GBP" in " ".join(said.split())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--currency", "euro", "--prices", "x"), "--currency: 'euro' is no currency"),
        (("--currency", "EUR"), "takes exchange rates"),
        (("--prices", "x.yaml"), "--prices x.yaml is for --currency"),
    ],
)
def test_a_currency_without_rates_is_refused(statement, options, message):
    result = statement("--team", "vision", *options)
    assert (result.code, message in result.err) == (2, True), result.err
