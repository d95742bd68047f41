"""Stored inputs that were altered, damaged or written by somebody else: nothing of it passes as equal."""

from dataclasses import replace

import pyarrow as pa
import pytest
from deltalake import DeltaTable, QueryBuilder, write_deltalake

from aicost.adapters.ledger.inputs import manifest as manifests
from aicost.adapters.ledger.inputs.table import SCHEMA, compressed
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS
from aicost.domain.inventory.pods import ContainerFacts
from aicost.domain.sampling.series import PPB
from aicost.ports.errors import InputsDamaged
from support.receipts import CLUSTER, WINDOW, Kept, a_node, a_pod, busy, inputs, prices, with_sample, with_series


@pytest.fixture
def kept(tmp_path):
    found = Kept(tmp_path / "ledger")
    found.post(inputs())
    return found


def only(receipt):
    (window,) = receipt.windows
    return window


def another_price(given):
    return replace(given, books=(prices(2.490000001),))


def longer(given):
    (record,) = given.facts.pods
    facts = replace(given.facts, pods=(replace(record, held_until_ms=WINDOW.end_ms - MINUTE_MS),))
    return replace(given, facts=facts)


def one_sample_more(given):
    return with_sample(given, "GPU-1", 60, PPB)


def one_sample_by_the_least(given):
    return with_sample(given, "GPU-1", 60, int(given.telemetry.series[0].value[60]) + 1_000)


def of_a_neighbour(given):
    return with_sample(given, "GPU-2", 60, PPB)


def without_samples(given):
    return with_series(given)


@pytest.mark.parametrize(
    "change", [another_price, longer, one_sample_more, one_sample_by_the_least, of_a_neighbour, without_samples]
)
def test_what_was_altered_with_valid_checksums_differs_in_amounts_and_is_not_what_was_posted(kept, change):
    kept.alter(change)
    window = only(kept.explain())
    assert window.differs
    assert window.unequal
    assert "not those that were posted" in window.altered


def test_a_sample_on_which_no_amount_rests_is_found_out_as_well(kept):
    first = kept.inputs.read(CLUSTER, WINDOW, 0, anchor=0).given.telemetry.series[0]
    kept.alter(lambda given: with_sample(given, "GPU-1", 0, int(first.value[0]) + 1))
    window = only(kept.explain())
    assert window.differs
    assert window.altered


def test_written_again_as_it_was_it_is_equal(kept):
    kept.alter(lambda given: given)
    assert not kept.explain().differs


def rewrite(kept, change):
    """Change rows of the table, as somebody with the right to write there can; None takes a row away."""
    table = DeltaTable(str(kept.folder / "inputs"))
    stored = pa.table(QueryBuilder().register("inputs", table).execute("SELECT * FROM inputs").read_all())
    records = [changed for record in stored.to_pylist() if (changed := change(record)) is not None]
    write_deltalake(table, pa.Table.from_pylist(records, schema=SCHEMA), mode="overwrite")


def test_a_part_that_was_altered_alone_is_named(kept):
    def change(record):
        body = b"\x00" * 10 if record["part"] == "node gpu-1" else None
        return record if body is None else {**record, "data": compressed(body), "size": len(body)}

    rewrite(kept, change)
    with pytest.raises(InputsDamaged, match=r"part 'node gpu-1' is not what was kept \(its checksum differs\)"):
        kept.explain()


@pytest.mark.parametrize(("size", "data"), [(10, b"not compressed"), (-1, b""), (2**40, b"")])
def test_a_part_that_is_no_content_is_named(kept, size, data):
    rewrite(kept, lambda record: record if record["part"] != "books" else {**record, "data": data, "size": size})
    with pytest.raises(InputsDamaged, match="part 'books' cannot be read"):
        kept.explain()


def test_a_part_that_is_missing_is_named(kept):
    rewrite(kept, lambda record: None if record["part"] == "facts gpu-1" else record)
    with pytest.raises(InputsDamaged, match="part 'facts gpu-1' is missing"):
        kept.explain()


def manifest_with(kept, **changes):
    def change(record):
        if record["part"] != "manifest":
            return record
        body = bytes(pa.Codec("zstd").decompress(record["data"], record["size"]))
        for old, new in changes.items():
            assert old.encode() in body
            body = body.replace(old.encode(), new.encode())
        return {**record, "data": compressed(body), "size": len(body)}

    rewrite(kept, change)


def test_a_list_of_parts_that_was_altered_is_found_out(kept):
    manifest_with(kept, **{'"before":{}': '"before":{"gpu-1":0}'})
    with pytest.raises(InputsDamaged, match=r"list of inputs of window .* is not what was kept"):
        kept.explain()


def test_a_newer_format_is_refused_with_the_fix(kept):
    manifest_with(kept, **{'"format":1': '"format":2'})
    with pytest.raises(InputsDamaged, match=r"format 2, this aicost reads format 1.*newer one"):
        kept.explain()


def test_a_field_that_a_newer_aicost_wrote_is_not_skipped_in_silence(kept):
    manifest_with(kept, **{'"PriceBook":["name"': '"PriceBook":["moon_phase","name"'})
    with pytest.raises(InputsDamaged, match=r"hold PriceBook.moon_phase, which this aicost does not know"):
        kept.explain()


def test_a_list_that_is_none_is_refused(kept):
    def change(record):
        return record if record["part"] != "manifest" else {**record, "data": compressed(b"[]"), "size": 2}

    rewrite(kept, change)
    with pytest.raises(InputsDamaged, match="cannot be read"):
        kept.explain()


def test_odd_names_are_kept_and_computed_again(tmp_path):
    kept = Kept(tmp_path)
    odd = "nöde'; DROP TABLE inputs; --\udc80"
    pod = a_pod("p\udc80'", odd)
    given = inputs([pod.record()], [a_node(odd).record()], [busy("G'1", odd, ("team-a", "p\udc80'"))])
    kept.post(given)
    clean = "p\\udc80'"
    assert not kept.explain(f"team-a/{clean}").differs


def test_secrets_in_arguments_are_not_kept(tmp_path):
    kept = Kept(tmp_path)
    script = ("sh", "-c", "export TOKEN=hunter2; vllm serve org/model-7b --api-key hunter2 && echo hunter2")
    containers = (
        ContainerFacts("main", "registry.example/x:1", script),
        ContainerFacts("b", "i", ("--key", "hunter2")),
    )
    pod = a_pod().record()
    given = inputs([replace(pod, facts=replace(pod.facts, containers=containers))])
    posted = kept.post(given)
    (mine,) = {repr(row.holder.dimensions) for row in posted if row.holder.pod}
    assert "model-7b" in mine
    stored = kept.inputs.read(CLUSTER, WINDOW, 0, anchor=0).given.facts.pods[0].facts.containers
    assert "hunter2" not in repr(stored)
    assert not kept.explain().differs
    (again,) = {repr(row.holder.dimensions) for row in only(kept.explain()).recomputed}
    assert again == mine


def test_the_clock_of_the_inputs_is_the_windows_own(kept):
    kept.post(inputs(window=type(WINDOW)(WINDOW.end_ms, WINDOW.end_ms + HOUR_MS)))
    assert [one.differs for one in kept.explain().windows] == [False, False]
    assert manifests.FORMAT == 1
