"""`aicost report --for`: what each reader sees; and several ledgers in one report."""

import json
from dataclasses import replace

import pytest

from aicost.crd.allocations.chosen import EXTRA
from aicost.crd.allocations.document import report_document
from aicost.crd.allocations.parameters import read_parameters, write_parameters
from aicost.crd.allocations.reading import read_reports
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.ledger.difference import difference
from aicost.domain.reporting.personas import NOTES, PERSONAS, Reader
from aicost.domain.reporting.query import ReportQuery
from aicost.domain.reporting.question import Question
from aicost.usecases.build_report import build_reports
from support.ledger_folder import EXPRESSION, SPAN, fill, rows_of
from support.ledger_rows import make_posting
from support.statements import OCTOBER, month

HOUR = Window(SPAN.start_ms, SPAN.start_ms + HOUR_MS)


@pytest.fixture(scope="module")
def corrected(tmp_path_factory):
    """A day of which the first hour became cheaper by half."""
    folder = tmp_path_factory.mktemp("corrected")
    ledger = fill(folder, hours=4)
    posted = list(rows_of(HOUR))
    truth = [replace(row, cost_nanos=row.cost_nanos and row.cost_nanos // 2) for row in posted]
    ledger.post(make_posting(*difference(posted, truth, 1, "price-change"), window=HOUR, revision=1))
    return folder


@pytest.fixture
def report_for(run, corrected):
    def call(reader, *options):
        window = () if "--window" in options else ("--window", EXPRESSION)
        return run("report", "--for", reader, *window, "--ledger", str(corrected), *options)

    return call


def heads(result):
    """The titles of the columns."""
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    return lines[3].split()


def test_an_engineer_sees_pods_and_how_well_they_use_gpus(report_for):
    result = report_for("engineer")
    assert heads(result)[:3] == ["NAMESPACE", "CONTROLLER", "POD"]
    assert {"UTIL", "IDLE", "MEASURED", "ERROR", "ALLOC-IDLE", "COST"} <= set(heads(result))
    assert heads(report_for("engineer", "-n", "team-a"))[:2] == ["CONTROLLER", "POD"]


def test_product_sees_features_and_models_and_a_cost_per_hour(report_for):
    result = report_for("product")
    assert heads(result)[:2] == ["FEATURE", "MODEL"]
    assert "PER-GPU-H" in heads(result)
    row = next(line for line in result.out.splitlines() if "resnet-50" in line)
    assert "$2.24" in row, "four and a half times the price for five hours"


def test_finance_sees_currency_coverage_and_corrections(report_for):
    result = report_for("finance")
    assert heads(result)[:4] == ["COST-CENTER", "TEAM", "CURRENCY", "COST"]
    assert {"ADJUSTED", "PROVISIONAL", "LIST-PRICES", "PRICED", "MEASURED"} <= set(heads(result))
    vision = next(line for line in result.out.splitlines() if "vision" in line)
    assert "-$2.49" in vision
    total = next(line for line in result.out.splitlines() if line.startswith("total"))
    assert "-$4.98" in total


def test_an_executive_sees_the_total_the_change_and_who_moves_it_most(report_for):
    window = f"{Window(SPAN.start_ms + HOUR_MS, SPAN.start_ms + 2 * HOUR_MS)}"
    result = report_for("executive", "--window", window)
    assert heads(result) == ["TEAM", "COST", "SHARE", "BEFORE", "MOVED", "CHANGE"]
    rows = [line.split()[0] for line in result.out.splitlines()[4:8]]
    assert rows == ["vision", "search", "研究", "legacy"]
    assert "+100.0%" in result.out
    assert "Error bar" not in result.out
    assert "have no price and are in no amount" in result.out, "what makes the total smaller is told to everybody"


def test_what_is_asked_in_so_many_words_comes_first(report_for):
    result = report_for("executive", "--by", "node", "--sort", "name", "--no-compare", "--top", "1")
    assert heads(result)[0] == "NODE"
    assert "BEFORE" not in heads(result)
    shown = json.loads(report_for("finance", "--no-adjusted", "-o", "json").out)
    assert shown["reports"][0]["total"]["adjusted_nanos"] is None


def test_programs_get_the_same_columns_whoever_reads(report_for, run, corrected):
    plain = (
        run("report", "--window", EXPRESSION, "--ledger", str(corrected), "-o", "csv").out.splitlines()[0].split(",")
    )
    assert set(plain) - {"namespace"} <= set(report_for("executive", "-o", "csv").out.splitlines()[0].split(","))
    document = json.loads(report_for("finance", "-o", "json").out)
    assert document["reports"][0]["total"]["adjusted_nanos"] == -4_980_000_000 - 1
    assert sum(row["adjusted_nanos"] for row in document["reports"][0]["rows"]) < 0


def test_a_reader_that_there_is_not_is_refused(report_for):
    result = report_for("boss")
    assert result.code == 2
    assert "engineer" in result.err


@pytest.mark.parametrize("reader", Reader)
def test_a_persona_names_columns_and_notes_that_exist(reader):
    persona = PERSONAS[reader]
    usual = {"COST", "SHARE", "BEFORE", "CHANGE", "GPU-HOURS", "UNPRICED-H", "UTIL", "IDLE", "ERROR", "MEASURED"}
    usual |= {"USED", "ALLOC-IDLE", "UNMEASURED", "SYSTEM"}
    assert set(persona.columns) <= usual | {column.title for column in EXTRA}
    assert set(persona.notes) <= set(NOTES)


def test_clusters_of_several_ledgers_are_in_one_report(run, tmp_path):
    for name in ("one", "two"):
        fill(tmp_path / name, hours=3, cluster=name)
    places = ("--ledger", str(tmp_path / "one"), "--ledger", str(tmp_path / "two"))
    document = json.loads(run("report", "--window", EXPRESSION, "--by", "cluster", *places, "-o", "json").out)
    rows = {row["keys"]["cluster"]: row["cost_nanos"] for row in document["reports"][0]["rows"]}
    assert rows.keys() == {"one", "two"}
    alone = json.loads(run("report", "--window", EXPRESSION, *places, "--cluster", "two", "-o", "json").out)
    whole = document["reports"][0]["total"]["cost_nanos"]
    assert alone["reports"][0]["total"]["cost_nanos"] * 2 == whole
    coverage = json.loads(run("coverage", "--since", EXPRESSION, *places, "-o", "json").out)
    assert "ask each of them" in json.dumps(coverage)


def test_one_ledger_holds_several_clusters(run, tmp_path):
    for name in ("one", "two"):
        fill(tmp_path / "shared", hours=3, cluster=name)
    place = ("--ledger", str(tmp_path / "shared"), "--window", EXPRESSION)
    one = json.loads(run("report", *place, "--cluster", "one", "-o", "json").out)["reports"][0]["total"]
    both = json.loads(run("report", *place, "-o", "json").out)["reports"][0]["total"]
    assert both["cost_nanos"] == 2 * one["cost_nanos"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--cluster", "three"), "'three' has no rows"),
        (("--ledger-version", "1"), "needs one ledger"),
    ],
)
def test_what_makes_no_sense_of_several_ledgers_is_refused(run, tmp_path, options, message):
    for name in ("one", "two"):
        fill(tmp_path / name, hours=1, cluster=name)
    result = run("report", "--ledger", str(tmp_path / "one"), "--ledger", str(tmp_path / "two"), *options)
    assert (result.code, message in result.err) == (2, True), result.err


def test_the_same_cluster_twice_is_refused_with_both_places(run, tmp_path):
    for name in ("one", "two"):
        fill(tmp_path / name, hours=1)
    result = run("report", "--ledger", str(tmp_path / "one"), "--ledger", str(tmp_path / "two"))
    assert result.code == 2
    assert "count twice" in result.err
    assert run("report", "--cluster", "x").code == 2


def test_a_server_tells_corrections_as_a_ledger_does():
    ledger = month()
    query = ReportQuery(OCTOBER, ("team",), compare=True, adjusted=True)
    reports = build_reports(ledger, query)
    assert reports[0].adjusted_nanos < sum(line.adjusted_nanos for line in reports[0].lines) < 0
    assert read_reports(json.loads(json.dumps(report_document(reports, 0)))) == reports
    question = Question(window="2026-10", group_by=("team",), adjusted=True)
    pairs = write_parameters(question)
    assert read_parameters(pairs, namespace=None, group_by=(), most_rows=9).adjusted
    assert dict(write_parameters(Question())).get("adjusted") is None, "an older server is not asked for it"
