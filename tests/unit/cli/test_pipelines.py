"""`aicost pipeline` and `aicost margin` on a bundle: each figure by hand."""

import json

import pytest

from aicost.entrypoints.cli.main import main
from support.featured import WINDOW, featured_bundle

DOLLAR = 10**9


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pipelines")
    bundle, ledger = featured_bundle(folder / "b"), folder / "l"
    assert main(["replay", str(bundle), "--ledger", str(ledger)]) == 0
    return ["--ledger", str(ledger), "--bundle", str(bundle), "--window", WINDOW]


@pytest.fixture
def ask(places, capsys):
    def asked(*words, code=0):
        capsys.readouterr()
        assert main([words[0], *places, *words[1:]]) == code
        out, err = capsys.readouterr()
        return err if code else out

    return asked


def rows(told):
    return {one["name"]: one for one in json.loads(told)["rows"]}


def test_a_feature_costs_the_sum_of_its_steps_in_their_order(ask):
    (chat,) = json.loads(ask("pipeline", "-o", "json"))["features"]
    assert [one["step"] for one in chat["steps"]] == ["embed", "retrieve", "infer"]
    # three GPUs of its own, and half of the shared one: 500 of 1,000 tokens
    assert [one["cost_nanos"] for one in chat["steps"]] == [36 * 10**8, 36 * 10**8, 54 * 10**8]
    assert chat["cost_nanos"] == 126 * 10**8
    embed, retrieve, infer = chat["steps"]
    assert (embed["unit"], embed["units"], embed["per_unit_nanos"]) == ("vectors", 36_000, 100_000)
    assert (retrieve["unit"], retrieve["units"]) == ("searches", 21_600)
    assert (infer["units"], infer["per_unit_nanos"]) == (7_200, 500_000)
    assert infer["components"] == {"gpu": 36 * 10**8, "shared": 18 * 10**8}
    # requests at a shared endpoint are not told apart, so nobody knows how many answers there were
    assert (chat["answers"], embed["fan_out"]) == (None, None)


def test_where_no_endpoint_is_shared_fan_out_and_the_price_of_an_answer_are_known(ask):
    (chat,) = json.loads(ask("pipeline", "-o", "json", "--filter", "step=embed,retrieve,infer"))["features"]
    assert chat["answers"] == 7_200
    assert chat["per_answer_nanos"] == 108 * 10**8 // 7_200
    assert [one["fan_out"] for one in chat["steps"]] == ["5.000000", "3.000000", "1.000000"]


def test_the_screen_of_a_pipeline_lines_up_and_says_what_is_shared(ask, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    shown = ask("pipeline", "--feature", "chat")
    assert "chat: $12.60" in shown
    assert "its part of shared endpoints, as gateways count" in shown
    assert ask("pipeline", "--feature", "nothing").count("$") == 0


def test_vectors_have_a_table_of_their_own(ask, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    shown = ask("units")
    assert "PER SEARCH" in shown
    by_pod = {one["keys"]["controller"]: one["vectors"] for one in json.loads(ask("units", "-o", "json"))["rows"]}
    # $3.60 an hour over 21,600 searches; 4 million vectors: $0.90 an hour for a million, $657 a month
    assert by_pod["Pod/qdrant-0"]["per_search_nanos"] == 166_667
    assert by_pod["Pod/qdrant-0"]["kept"] == 4_000_000
    assert by_pod["Pod/qdrant-0"]["kept_per_million_month_nanos"] == 657 * DOLLAR
    assert by_pod["Pod/tei-0"]["made_per_million_nanos"] == 100 * DOLLAR
    assert by_pod["Pod/llm-0"] is None


def test_customers_who_cost_more_than_they_bring_come_first_and_all_sums_to_the_ledger(ask, tmp_path):
    (tmp_path / "v.csv").write_text("customer,amount,currency\nglobex,1.00,USD\nAcme,9.00,USD\nnew,2.00,EUR\n")
    told = json.loads(ask("margin", "--value", str(tmp_path / "v.csv"), "-o", "json"))["rows"]
    assert [one["name"] for one in told] == ["new", "globex", "acme", None]
    found = {one["name"]: one for one in told}
    # acme: the engine with its label, and half of the shared one
    assert (found["acme"]["labelled_nanos"], found["acme"]["shared_nanos"]) == (36 * 10**8, 18 * 10**8)
    assert (found["acme"]["margin_nanos"], found["acme"]["share"]) == (36 * 10**8, "0.400000")
    # globex: 300 of 1,000 tokens of $3.60
    assert (found["globex"]["cost_nanos"], found["globex"]["margin_nanos"]) == (108 * 10**7, -8 * 10**7)
    assert (found["new"]["currency"], found["new"]["cost_nanos"]) == ("EUR", 0)
    # nobody: embeddings, the store, and 200 of 1,000 tokens
    assert found[None]["cost_nanos"] == 72 * 10**8 + 72 * 10**7
    assert sum(one["cost_nanos"] for one in told if one["currency"] == "USD") == 4 * 36 * 10**8


def test_one_customer_alone_costs_what_it_costs_among_all(ask):
    every, alone = (rows(ask("margin", "-o", "json", *words)) for words in ((), ("--filter", "customer=acme")))
    assert alone == {"acme": every["acme"]}
    both = rows(ask("margin", "-o", "json", "--filter", "customer=globex,untagged"))
    assert both == {name: every[name] for name in ("globex", None)}


def test_a_period_counts_by_the_part_that_lies_in_the_time(ask, tmp_path):
    (tmp_path / "v.csv").write_text(
        "name,amount,currency,from,to\nacme,24.00,USD,2026-03-02,2026-03-03\nacme,-1.00,USD,,\nacme,9,USD,2026-04-01,2026-04-02\n"
    )
    assert rows(ask("margin", "--value", str(tmp_path / "v.csv"), "-o", "json"))["acme"]["value_nanos"] == 0


def test_who_brings_nothing_that_anybody_says_has_no_margin(ask):
    assert rows(ask("margin", "-o", "json"))["acme"]["margin_nanos"] is None
    assert "nobody says what" in ask("margin")


def test_the_first_stand_by_name_and_the_others_together(ask, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    many = "".join(f"c{one},1.00,USD\n" for one in range(30))
    (tmp_path / "v.csv").write_text(f"customer,amount,currency\nglobex,0.50,USD\n{many}")
    shown = ask("margin", "--value", str(tmp_path / "v.csv"), "--top", "3")
    assert "other (29)" in shown
    assert "1 of customer cost more than they bring, most of all globex" in shown
    assert "$30.50" in shown


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("customer,amount,currency\nacme,1e9,USD\n", "line 2, column amount: '1e9'"),
        ("customer,amount,currency\nacme,1,dollars\n", "line 2, column currency"),
        ("customer,amount,currency\n,1,USD\n", "customer is needed"),
        ("customer,amount,currency,from,to\nacme,1,USD,2026-03-02,\n", "to is needed"),
        ("customer,amount,currency,from,to\nacme,1,USD,2026-03-02,2026-03-01\n", "must be after from"),
        ("amount,currency\n1,USD\n", "has no column customer"),
        ("customer,amount,currency,colour\nacme,1,USD,red\n", "is no column of values"),
        ("customer,amount,currency\n", "holds no values"),
        ("customer,amount,currency\nacme,99999999999,USD\n", "line 2, column amount"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused_by_line_column_and_fix(ask, tmp_path, table, said):
    (tmp_path / "v.csv").write_text(table)
    assert said in ask("margin", "--value", str(tmp_path / "v.csv"), code=2)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--value", "/nowhere.csv"], "cannot be read"),
        (["--value-query", "up"], "give --prometheus"),
        (["--by", "feature", "--key-file", "/dev/null"], "--key-file"),
    ],
)
def test_options_that_make_no_sense_say_what_to_write(ask, given, said):
    assert said in ask("margin", *given, code=2)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--tenants-query", "up", "--tenants", "team"], "give --prometheus URL"),
        (["--tenants-query", "up"], "give --tenants"),
    ],
)
def test_a_query_of_weights_says_what_it_needs(ask, given, said):
    assert said in ask("units", *given, code=2)
