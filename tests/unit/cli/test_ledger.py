"""`aicost ledger`: verify, compact, drop and export a ledger as people do; and other programs read the same from it."""

import csv
import json
import shutil

import duckdb
import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.adapters.ledger.schema import to_table
from aicost.adapters.ledger.upkeep.export import COLUMNS
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.ledger.rows import Component
from support.ledger_folder import START_MS, fill
from support.ledger_rows import CLUSTER, make_holder, make_posting, make_row

HOURS = 26


def hour(index: int) -> Window:
    return Window(START_MS + index * HOUR_MS, START_MS + (index + 1) * HOUR_MS)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ledger")
    ledger = fill(folder, hours=HOURS)
    hostile = make_holder('=HYPERLINK("x")', "-cmd|' /C calc'!A1", {"note": 'a,b\n"c"'}, team="@sum")
    rows = [
        make_row(2**62, window=hour(HOURS), holder=hostile, error=None),
        make_row(None, window=hour(HOURS), holder=hostile, currency="", device="GPU-2"),
        make_row(
            -5, gpu_ms=0, measured_ms=0, window=hour(HOURS), device="GPU-3", component=Component.CPU, quantity=7,
            flags=("late", "gap"),
        ),
    ]  # fmt: skip
    ledger.post(make_posting(*rows, window=hour(HOURS)))
    return folder


@pytest.fixture
def place(filled, tmp_path):
    return shutil.copytree(filled, tmp_path / "ledger")


def sums(place) -> dict[str, int]:
    found = DeltaLedger(str(place)).sums(Window(START_MS, hour(HOURS).end_ms), ("namespace",), {})
    totals: dict[str, int] = {}
    for one in found:
        totals[one.keys[0]] = totals.get(one.keys[0], 0) + one.cost_nanos
    return totals


def test_a_sum_that_cannot_be_is_found(run, filled):
    result = run("ledger", "verify", str(filled))
    assert result.code == 1
    assert "costs -5 nanos of USD" in result.out
    result = run("ledger", "verify", str(filled), "-o", "json")
    document = json.loads(result.out)
    assert [one["fault"] for one in document["findings"]] == ["unbalanced"]
    assert (document["rows"], document["postings"], document["sound"]) == (HOURS * 7 + 3, HOURS + 1, False)


def test_verify_says_sound_and_leaves_with_0(run, ledger):
    result = run("ledger", "verify", str(ledger))
    assert (result.code, result.err) == (0, "")
    assert "cluster cluster-1: 3 windows, 2026-03-02T00:00:00Z to 2026-03-02T03:00:00Z" in result.out
    assert result.out.endswith("sound: 21 rows of 3 postings are what was posted\n")


def test_verify_names_the_window_and_what_is_wrong_and_leaves_with_1(run, place):
    table = DeltaTable(str(place / "rows"))
    write_deltalake(table, to_table([make_row(1, window=hour(4), device="GPU-9")]), mode="append")
    result = run("ledger", "verify", str(place))
    assert result.code == 1
    assert "2026-03-02T04:00:00Z" in result.out
    assert "8 rows are there, 7 were posted" in result.out
    assert "docs/runbooks/ledger-damaged.md" in result.out
    assert run("ledger", "verify", str(place), "--cluster", "other").code == 0


@pytest.mark.parametrize("words", [("verify",), ("compact",), ("drop", "--before", "2026-03-03")])
def test_a_place_that_is_none_is_said(run, tmp_path, words):
    verb, *rest = words
    result = run("ledger", verb, str(tmp_path / "nowhere"), *rest)
    assert result.code == 2
    assert "is no directory" in result.err


def test_compaction_says_what_it_did(run, place):
    before = sums(place)
    result = run("ledger", "compact", str(place))
    assert result.out == f"{place}: 1 days, 24 files to 1; 0 unused files taken away\n"
    assert run("ledger", "compact", str(place)).out == f"{place}: nothing to put together; 0 unused files taken away\n"
    assert sums(place) == before


def test_what_would_be_dropped_is_said_before_it_is(run, place):
    before = sums(place)
    result = run("ledger", "drop", str(place), "--before", "2026-03-03")
    assert "168 rows of 24 windows, 2026-03-02 to 2026-03-02, would be dropped\n  239.04 USD\n" in result.out
    assert sums(place) == before
    result = run("ledger", "drop", str(place), "--before", "2026-03-03", "--yes")
    assert result.out.endswith("2026-03-02 to 2026-03-02, dropped\n  239.04 USD\n")
    assert "no rows before 2026-03-03" in run("ledger", "drop", str(place), "--before", "2026-03-03").out
    assert "retention dropped 168 rows of before 2026-03-03T00:00:00Z" in run("ledger", "verify", str(place)).out


@pytest.mark.parametrize("before", ["yesterday", "2026-13-01", "", "2026-03-02T00:00:00Z"])
def test_a_date_that_is_none_is_refused(run, place, before):
    result = run("ledger", "drop", str(place), "--before", before)
    assert (result.code, "is no date: write one such as 2026-01-01" in result.err) == (2, True)


def test_the_cluster_has_to_be_named_where_there_are_several(run, place):
    fill(place, hours=1, cluster="c-2")
    result = run("ledger", "drop", str(place), "--before", "2026-03-03")
    assert (result.code, "c-2, cluster-1" in result.err) == (2, True)
    assert "cluster c-2: 7 rows" in run("ledger", "drop", str(place), "--before", "2026-03-03", "--cluster", "c-2").out


def test_csv_has_the_columns_in_their_order_and_no_cell_that_a_spreadsheet_runs(run, place, tmp_path):
    out = tmp_path / "rows.csv"
    result = run("ledger", "export", str(place), "--format", "csv", "--out", str(out))
    assert (result.code, result.err) == (0, f"{HOURS * 7 + 3} rows in {out}\n")
    with out.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == COLUMNS
    hostile = rows[-3]
    assert (hostile["namespace"], hostile["pod"], hostile["dim_team"]) == (
        '\'=HYPERLINK("x")',
        "'-cmd|' /C calc'!A1",
        "'@sum",
    )
    assert (hostile["cost_nanos"], hostile["cost"]) == ("4611686018427387904", "4611686018.427387904")
    assert (hostile["error_nanos"], hostile["error"], hostile["labels"]) == ("", "", '{"note":"a,b\\n\\"c\\""}')
    assert (rows[-2]["cost_nanos"], rows[-2]["cost"]) == ("", "")
    assert (rows[-1]["cost"], rows[-1]["quantity"], rows[-1]["flags"]) == ("-0.000000005", "7", '["late","gap"]')
    assert [row["window_start"] for row in rows] == sorted(row["window_start"] for row in rows)
    totals: dict[str, int] = {}
    for row in rows:
        name = row["namespace"].removeprefix("'")
        totals[name] = totals.get(name, 0) + int(row["cost_nanos"] or 0)
    assert totals == sums(place)


def test_windows_and_filters_choose_rows_and_spans_that_follow_each_other_share_none(run, place, tmp_path):
    def count(*words: str) -> int:
        return int(run("ledger", "export", str(place), "--format", "csv", "--out", "-", *words).err.split()[0])

    assert count("--window", "2026-03-02") == 24 * 7
    parts = [f"2026-03-02T00:00:00Z/{cut}" for cut in ("2026-03-02T04:30:00Z",)] + ["2026-03-02T04:30:00Z/2026-03-03"]
    assert sum(count("--window", part) for part in parts) == 24 * 7
    assert count("--filter", "namespace=team-a") == HOURS * 3 + 1
    assert count("--filter", "namespace=team-a", "--cluster", "nobody") == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--format", "parquet", "--out", "-"), "name a file for Parquet"),
        (("--format", "csv", "--out", "/nowhere/x.csv"), "--out: '/nowhere/x.csv' cannot be written"),
        (("--format", "csv", "--out", "-", "--window", "soon"), "window"),
        (("--format", "csv", "--out", "-", "--filter", "colour=red"), "filter: 'colour' is no key"),
        (("--format", "csv", "--out", "-", "--filter", "team"), "names no key and value"),
        (("--format", "xlsx", "--out", "-"), "--format"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_fix(run, place, words, told):
    result = run("ledger", "export", str(place), *words)
    assert (result.code, told in result.err) == (2, True), result.err


def test_an_export_that_fails_leaves_nothing_half(run, place, tmp_path, monkeypatch):
    (tmp_path / "rows.parquet").write_text("before")
    for file in (place / "rows" / "date=2026-03-03").glob("*.parquet"):
        file.write_bytes(b"broken")
    result = run("ledger", "export", str(place), "--format", "parquet", "--out", str(tmp_path / "rows.parquet"))
    assert (result.code, "could not be read" in result.err) == (1, True)
    assert (tmp_path / "rows.parquet").read_text() == "before"
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


@pytest.fixture(params=["as posted", "compacted", "exported"])
def arrow(request, run, place, tmp_path):
    """The rows as other programs get them."""
    if request.param == "exported":
        out = tmp_path / "rows.parquet"
        assert run("ledger", "export", str(place), "--format", "parquet", "--out", str(out)).code == 0
        return pl.read_parquet(out).to_arrow()
    if request.param == "compacted":
        run("ledger", "compact", str(place))
    return DeltaTable(str(place / "rows")).to_pyarrow_table()


def test_duckdb_gets_the_same_sums_through_arrow(arrow, place):
    assert arrow.num_rows == HOURS * 7 + 3
    found = duckdb.sql("SELECT namespace, COALESCE(SUM(cost_nanos), 0) FROM arrow GROUP BY namespace").fetchall()
    assert {name: int(nanos) for name, nanos in found} == sums(place)


def test_polars_gets_the_same_sums_through_arrow(arrow, place):
    frame = pl.from_arrow(arrow).select("namespace", "cost_nanos")
    found = frame.group_by("namespace").agg(pl.col("cost_nanos").sum()).rows()
    assert dict(found) == sums(place)


def test_the_text_of_an_amount_is_the_integer_to_the_last_digit(run, place, tmp_path):
    out = tmp_path / "rows.parquet"
    run("ledger", "export", str(place), "--format", "parquet", "--out", str(out))
    query = f"SELECT SUM(CAST(cost AS DECIMAL(38, 9))) * 1000000000, SUM(cost_nanos) FROM read_parquet('{out}')"
    ((texts, nanos),) = duckdb.sql(query).fetchall()
    assert int(texts) == int(nanos) == sum(sums(place).values())
    assert DeltaLedger(str(place)).clusters() == [CLUSTER]


def test_the_id_of_a_customer_is_told_to_who_has_the_key(run, tmp_path):
    (tmp_path / "key").write_text("0123456789abcdef\n")
    result = run("ledger", "customer-id", "--key-file", str(tmp_path / "key"), "Acme Inc", "acme-inc", "globex")
    first, second, third = result.out.split()
    assert first == second != third
    assert first.startswith("c-")
    assert run("ledger", "customer-id", "--key-file", str(tmp_path / "none"), "acme").code == 2
