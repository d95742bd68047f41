"""A ledger is named by the first word or by --ledger, and by one of them alone."""

import pytest


@pytest.mark.parametrize("words", [[], ["here", "--ledger", "there"], [""]])
def test_no_ledger_or_two_are_refused_with_the_way_to_name_one(run, words):
    refused = run("ledger", "verify", *words)
    assert refused.code == 2
    assert "which ledger? Name one, as in `aicost ledger verify ./ledger`" in refused.err


@pytest.mark.parametrize("named", [[], ["--ledger"]])
def test_both_ways_of_naming_lead_to_the_same_place(run, tmp_path, named):
    missing = run("ledger", "verify", *named, str(tmp_path / "nothing"))
    assert missing.code != 0
    assert str(tmp_path / "nothing") in missing.err
