"""`aicost ledger erase`: where a customer stands is said first, and what is gone is told wherever figures are."""

import pytest

from support.customers import NAME, customers_ledger, spellings_left
from support.receipts import CLUSTER, hours


@pytest.fixture
def kept(tmp_path):
    return customers_ledger(tmp_path / "ledger")


def test_the_command_looks_first_and_erases_on_request(run, kept):
    place = str(kept.folder)
    looked = run("ledger", "erase", place, "--customer", NAME)
    assert looked.code == 0, looked.err
    assert f"cluster {CLUSTER}: would be erased from" in looked.out
    assert "Nothing was written" in looked.out
    done = run("ledger", "erase", place, "--customer", NAME, "--yes")
    assert done.code == 0, done.err
    assert f"cluster {CLUSTER}: erased from" in done.out
    assert spellings_left(kept.folder) == set()
    assert "nothing in the ledger names them" in run("ledger", "erase", place, "--customer", NAME).out
    assert "customers were erased from" in run("ledger", "verify", place).out
    told = run("explain", "team-a/train-0", "--ledger", place, "--window", f"{hours(0)}")
    assert told.code == 0, told.err
    assert "replayed: equal" in told.out
    assert "a customer was erased from these rows" in told.out


def test_ids_are_erased_by_name_and_key(run, tmp_path, kept):
    (tmp_path / "key").write_text("0123456789abcdef")
    found = run("ledger", "erase", str(kept.folder), "--customer", "acme", "--key-file", str(tmp_path / "key"))
    assert "looked for acme, c-" in found.out


@pytest.mark.parametrize("name", ["", "untagged", "erased"])
def test_nobody_cannot_be_erased(run, kept, name):
    refused = run("ledger", "erase", str(kept.folder), "--customer", name, "--yes")
    assert refused.code == 2
    assert "is nobody" in refused.err
