"""A customer is erased: no byte of the name is left, no amount changes, and all that vouches for amounts still does."""

from contextlib import suppress
from dataclasses import replace

import pytest
from deltalake import DeltaTable, write_deltalake

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.adapters.ledger.schema import to_table
from aicost.adapters.ledger.upkeep.erasing.eraser import DeltaEraser
from aicost.adapters.ledger.upkeep.record import DeltaRecord
from aicost.adapters.ledger.upkeep.upkeep import DeltaUpkeep
from aicost.domain.exact.windows import DAY_MS, Window
from aicost.domain.identity.tags.precedence import Tagger
from aicost.domain.ledger.audit import Fault
from aicost.ports.errors import InvalidRequest, LedgerConflict, LedgerUnavailable
from aicost.usecases.retag import Retag
from aicost.usecases.upkeep.verify_ledger import VerifyLedger
from support.builders import T0
from support.customers import NAME, POLICY, a_pod_of, customers_ledger, customers_world, spellings_left
from support.receipts import CLUSTER, Kept, busy, hours, inputs, with_sample

EVER = Window(T0 - DAY_MS, T0 + 30 * DAY_MS)


@pytest.fixture
def kept(tmp_path):
    return customers_ledger(tmp_path / "ledger")


def eraser(kept):
    return DeltaEraser(kept.ledger.place)


def erase(kept, *names, labels=()):
    return eraser(kept).erase(names or (NAME,), labels, None)


def amounts(kept):
    keys = ("cluster", "namespace", "pod", "node", "component")
    return sorted(kept.ledger.sums(EVER, keys, {}), key=repr)


def customers(kept):
    found = kept.ledger.sums(EVER, ("customer",), {})
    return {one.keys[0]: 0 for one in found} | {
        name: sum(one.cost_nanos for one in found if one.keys[0] == name) for name in {one.keys[0] for one in found}
    }


def test_no_byte_of_any_spelling_is_left_and_the_other_customer_stays(kept):
    before = customers(kept)
    assert before["zyx-corp"]
    assert len({spelling for _, spelling in spellings_left(kept.folder)}) >= 4
    done = erase(kept)
    assert spellings_left(kept.folder) == set()
    after = customers(kept)
    assert after == {key.replace("zyx-corp", "erased"): nanos for key, nanos in before.items()}
    assert done.names == ("xyz-holding", "zyx-corp")
    assert done.labels == ("aicost.dev/customer", "tenant")
    assert done.provisional > 0
    assert done.parts > 0


def test_no_amount_changes_and_the_ledger_verifies_and_says_that_rows_were_erased(kept):
    before = amounts(kept)
    done = erase(kept)
    assert [replace(one, tagged_nanos={}) for one in amounts(kept)] == [replace(one, tagged_nanos={}) for one in before]
    outcome = VerifyLedger(DeltaRecord(kept.ledger.place))()
    assert outcome.findings == () or {one.fault.value for one in outcome.findings} == {"gap"}
    assert outcome.unsealed == 0
    (log,) = outcome.logs
    assert log.erased_rows == done.rows[CLUSTER] > 0


def test_receipts_come_out_equal_for_each_window_and_revision(kept):
    assert not kept.explain().differs
    erase(kept)
    receipt = kept.explain()
    assert len(receipt.windows) == 4
    assert not receipt.differs
    assert not receipt.not_replayed
    assert {row.holder.dimensions["customer"] for one in receipt.windows for row in one.rows} == {"erased"}
    assert {row.holder.dimensions["customer"] for one in receipt.windows for row in one.recomputed} == {"erased"}


def test_what_is_computed_again_from_erased_inputs_is_what_the_rows_say(kept):
    """Tags too: a policy of now finds `erased` where it would have found the name."""
    erase(kept)
    (changed,) = {bool(one.found.rows) for one in Retag(CLUSTER, kept.ledger.snapshot())(EVER, Tagger((POLICY,)))}
    assert not changed


def test_looking_first_counts_the_same_and_writes_nothing(kept):
    files = {path: path.stat().st_mtime_ns for path in kept.folder.rglob("*")}
    found = eraser(kept).find((NAME,), (), None)
    assert {path: path.stat().st_mtime_ns for path in kept.folder.rglob("*")} == files
    assert erase(kept) == found
    again = eraser(kept).find((NAME,), (), None)
    assert again.nothing


def test_asking_again_changes_nothing(kept):
    erase(kept)
    version, inputs_version = kept.ledger.version(), DeltaTable(kept.ledger.place.within("inputs")).version()
    assert erase(kept).nothing
    assert DeltaTable(kept.ledger.place.within("inputs")).version() == inputs_version
    assert kept.ledger.version() == version


def test_files_of_a_compaction_before_go_too(kept):
    for hour in range(3, 12):
        kept.post(customers_world(hour))
    DeltaUpkeep(kept.ledger.place).compact(T0 + 3 * DAY_MS)
    erase(kept)
    assert spellings_left(kept.folder) == set()


def test_versions_of_before_say_that_they_are_gone_and_why(kept):
    version = kept.ledger.version()
    erase(kept)
    with pytest.raises(InvalidRequest, match="a customer was erased, and with them the versions before"):
        kept.ledger.as_of(version)
    newest = kept.ledger.version()
    assert kept.ledger.as_of(newest).rows(hours(0), cluster=CLUSTER)


def test_the_table_is_append_only_again_and_takes_the_next_posting(kept):
    erase(kept)
    table = DeltaTable(kept.ledger.place.within("rows"))
    assert table.metadata().configuration["delta.appendOnly"] == "true"
    kept.post(customers_world(32))
    kept.post(with_sample(customers_world(1), "GPU-1", 40, 1), revision=1)
    assert not kept.explain("team-a/other-0").differs


@pytest.mark.parametrize("broken", ["_append", "_commit", "_forget", "_open_window", "_sweep"])
def test_whoever_is_interrupted_runs_it_again_and_ends_at_the_same(kept, monkeypatch, broken):
    def stop(*_args):
        raise KeyboardInterrupt

    before = amounts(kept)
    with monkeypatch.context() as patched:
        patched.setattr(DeltaEraser, broken, stop)
        with pytest.raises(KeyboardInterrupt):
            erase(kept)
    erase(kept)
    assert spellings_left(kept.folder) == set()
    assert [one.cost_nanos for one in amounts(kept)] == [one.cost_nanos for one in before]
    receipt = kept.explain()
    assert not receipt.differs
    assert not receipt.not_replayed


def test_rows_that_were_altered_are_not_sealed_anew(kept):
    table = DeltaTable(kept.ledger.place.within("rows"))
    rows = [row for at in (0, 1, 2) for row in kept.ledger.rows(hours(at), cluster=CLUSTER)]
    forged = [replace(rows[0], cost_nanos=(rows[0].cost_nanos or 0) + 1), *rows[1:]]
    table.alter.set_table_properties({"delta.appendOnly": "false"})
    write_deltalake(table, to_table(forged), mode="overwrite", predicate="date = '2026-11-25'")
    with pytest.raises(LedgerUnavailable, match="are not what was posted: nothing of this day was erased"):
        erase(kept)


def test_of_one_cluster_alone(kept):
    kept.post(replace(customers_world(5), cluster="c2"))
    before = set(map(repr, kept.ledger.rows(hours(5), cluster="c2")))
    found = eraser(kept).erase((NAME,), (), CLUSTER)
    assert set(found.rows) == {CLUSTER}
    assert set(map(repr, kept.ledger.rows(hours(5), cluster="c2"))) == before
    assert not kept.explain(cluster="c2").differs
    assert not kept.explain().differs


def test_rows_without_inputs_and_a_label_that_no_policy_knows(tmp_path):
    made = Kept(tmp_path / "ledger")
    labels = {"client": NAME, "aicost.dev/customer": "zyx-corp", "aicost.dev/team": "zyx-corp"}
    made.post(inputs((a_pod_of(labels),)), keep=False)
    done = erase(made, labels=("client",))
    (row, *_) = [one for one in made.ledger.rows(hours(0), cluster=CLUSTER) if one.holder.pod]
    assert row.holder.labels["client"] == "erased"
    assert row.holder.dimensions == {**row.holder.dimensions, "customer": "erased", "team": "zyx-corp"}
    assert done.parts == 0


def test_a_name_within_another_name_stays_and_is_said(tmp_path):
    made = Kept(tmp_path / "ledger")
    pod = a_pod_of({"aicost.dev/customer": NAME}, "zyx-corp-train-0")
    made.post(inputs((pod,), series=(busy("GPU-1", pod=("team-a", "zyx-corp-train-0")),)))
    assert set(eraser(made).find((NAME,), (), None).elsewhere) == {"pod", "controller"}


def test_an_empty_folder_has_nothing_to_erase(tmp_path):
    found = DeltaEraser(DeltaLedger(str(tmp_path)).place).erase((NAME,), (), None)
    assert found.nothing
    assert found.names == ("zyx-corp",)


def test_what_is_posted_meanwhile_is_never_lost(kept, monkeypatch):
    """Whether the commit goes through or another one was first: run again, and all is there and nothing names them."""
    commit, late = DeltaEraser._commit, iter([3])

    def slow(self, *args):
        for hour in late:
            kept.post(customers_world(hour))
        commit(self, *args)

    with monkeypatch.context() as patched:
        patched.setattr(DeltaEraser, "_commit", slow)
        with suppress(LedgerConflict):
            erase(kept)
    erase(kept)
    assert kept.ledger.rows(hours(3), cluster=CLUSTER)
    assert spellings_left(kept.folder) == set()
    receipt = kept.explain()
    assert len(receipt.windows) == 5
    assert not receipt.differs
    assert not receipt.not_replayed
    assert not [one for one in VerifyLedger(DeltaRecord(kept.ledger.place))().findings if one.fault is not Fault.GAP]
