"""Claimed storage: who pays for it, by size, class and time."""

from dataclasses import replace

import msgspec
import pytest

from aicost.adapters.journal.inventory import InventoryJournal
from aicost.adapters.kube.watching.volumes import decode_volume
from aicost.domain.attribution.resources.residents import Payers
from aicost.domain.attribution.resources.storage import state_storage
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window
from aicost.domain.inventory.volumes import SizeStep, VolumeFacts, VolumeRecord, advance_volume, sizes_over
from aicost.domain.ledger.rows import Bucket, Component, Holder, Method
from aicost.domain.pricing.books import PriceBook, ReferenceRates
from aicost.domain.pricing.storage import storage_quote
from support.builders import T0, make_pod

HOUR = Window(T0, T0 + HOUR_MS)
GIB = 2**30
MONTH = 730 * 1_000_000_000
"""A dollar an hour for each GiB."""
OWN = PriceBook("own", "USD", (), ReferenceRates(storage_gib_month_nanos=2 * MONTH), storage_classes={"fast": MONTH})


def at(minutes: float) -> int:
    return T0 + round(minutes * MINUTE_MS)


def claim(name="data", *, gib=10, since=0.0, until=None, sizes=(), namespace="team", storage_class="fast"):
    facts = VolumeFacts(f"uid-{name}", namespace, name, T0, storage_class, gib * GIB, bound=True)
    return VolumeRecord(facts, at(since), None if until is None else at(until), sizes)


def mounting(name, *claims, since=0.0, until=60.0, namespace="team", team=""):
    pod = make_pod(namespace, name).bound(at(since))
    pod = pod.label(team=team) if team else pod
    record = pod.record(at(until))
    return replace(record, facts=replace(record.facts, volumes=claims))


class ByLabels:
    """A pod is who its labels say."""

    def __call__(self, record):
        named = {key.removeprefix("aicost.dev/"): value for key, value in record.facts.labels.items()}
        return Holder(record.facts.namespace, record.facts.name, record.facts.uid, dimensions=named)

    like = __call__


def payers():
    return Payers(ByLabels(), Holder, each_pod=False)


def stated(volumes, pods=(), books=(OWN,), window=HOUR):
    return state_storage("c1", window, volumes, pods, books, payers())


def dollars(statement):
    return {
        (row.holder.pod or row.holder.namespace, row.bucket.value): (row.cost_nanos or 0) / 10**9
        for row in statement.rows
    }


def test_a_claim_that_no_pod_mounts_is_idle_and_its_namespace_pays():
    assert dollars(stated([claim()])) == {("team", "allocated-idle"): 10}


def test_pods_that_mount_it_pay_for_as_long_as_they_do():
    found = stated([claim()], [mounting("train", "data", since=15, until=45, team="x")])
    assert dollars(found) == {("train", "allocated-unmeasured"): 5, ("team", "allocated-idle"): 5}
    assert {row.place.device for row in found.rows} == {"team/data", ""}


def test_pods_that_mount_it_at_once_share_it():
    pods = [mounting("a", "data", team="x"), mounting("b", "data", team="x"), mounting("c", "data", until=30, team="x")]
    found = dollars(stated([claim(gib=6)], pods))
    bucket = "allocated-unmeasured"
    assert found == {("a", bucket): 2.5, ("b", bucket): 2.5, ("c", bucket): 1}


def test_pods_that_are_no_ai_workload_are_their_namespace():
    found = stated([claim(), claim("more", gib=1)], [mounting("web", "data", "more")])
    assert dollars(found) == {("team", "allocated-unmeasured"): 11}
    assert [(row.place.device, row.quantity) for row in found.rows] == [("", 11 * 1024 * 3_600)]


def test_a_claim_of_another_namespace_is_another_claim():
    found = dollars(stated([claim(namespace="other")], [mounting("train", "data", team="x")]))
    assert found == {("other", "allocated-idle"): 10}


def test_a_claim_that_grows_is_paid_piece_by_piece():
    assert dollars(stated([claim(gib=30, sizes=(SizeStep(at(45), 10 * GIB),))])) == {("team", "allocated-idle"): 15}


def test_a_claim_is_paid_for_the_time_that_it_was_there():
    assert dollars(stated([claim(since=30, until=45)])) == {("team", "allocated-idle"): 2.5}
    assert stated([claim(until=0)]).rows == ()


def test_a_class_without_a_price_of_its_own_costs_the_reference_rate():
    found = stated([claim(storage_class="slow")])
    assert dollars(found) == {("team", "allocated-idle"): 20}
    assert found.rows[0].price == "own/storage"


def test_without_any_price_the_quantity_is_counted_and_nothing_is_charged():
    found = stated([claim()], books=())
    (row,) = found.rows
    assert (row.cost_nanos, row.currency, row.quantity) == (None, "", 10 * 1024 * 3_600)
    assert "no price of storage class fast: add it to spec.storageClasses" in found.charges[0].reason


def test_rows_say_what_they_rest_on():
    (row,) = stated([claim()]).rows
    assert (row.component, row.method, row.bucket) == (Component.STORAGE, Method.BY_SIZE, Bucket.ALLOCATED_IDLE)
    assert (row.price, row.gpu_milliseconds, row.place.node) == ("own/storage/fast", 0, "")


def test_own_prices_and_prices_of_the_class_come_first():
    listed = replace(OWN, name="a-list", list_prices=True)
    by_class = replace(listed, name="z-list", reference=ReferenceRates())
    by_rate = replace(OWN, name="own-rates", storage_classes={})
    assert storage_quote([listed, OWN], "fast").price == "own/storage/fast"
    assert storage_quote([by_class, by_rate], "fast").price == "z-list/storage/fast"
    assert storage_quote([listed, by_rate], "slow").price == "own-rates/storage"
    assert storage_quote([by_class], "slow") is None


def test_thirds_sum_to_the_whole():
    pods = [mounting(name, "data", team="x") for name in "abc"]
    found = stated([claim(gib=1)], pods, [replace(OWN, storage_classes={"fast": 731})])
    assert sum(row.cost_nanos for row in found.rows) == found.charges[0].cost_nanos == 1
    assert sum(row.quantity for row in found.rows) == 1024 * 3_600


def seen(**status):
    manifest = {
        "metadata": {"uid": "u", "namespace": "team", "name": "data", "creationTimestamp": "2026-11-25T10:00:00Z"},
        "spec": {"storageClassName": "fast", "resources": {"requests": {"storage": "10Gi"}}},
        "status": status,
    }
    return decode_volume(msgspec.json.encode(manifest))


def test_what_a_claim_was_given_counts_before_what_it_asks_for():
    facts = seen(phase="Bound", capacity={"storage": "12Gi"})
    assert (facts.size_bytes, facts.bound, facts.storage_class) == (12 * GIB, True, "fast")
    assert (seen(phase="Pending").size_bytes, seen(phase="Pending").bound) == (10 * GIB, False)


@pytest.mark.parametrize("size", ["-1Gi", "nonsense", "9e99"])
def test_an_absurd_size_is_bounded(size):
    assert 0 <= seen(phase="Bound", capacity={"storage": size}).size_bytes <= 2**53


def test_a_claim_is_paid_from_the_moment_that_it_is_bound():
    pending, bound = seen(phase="Pending"), seen(phase="Bound")
    assert advance_volume(None, bound, at(5), T0).since_ms == T0
    assert advance_volume(None, bound, at(5), at(3)).since_ms == at(3)
    record = advance_volume(None, pending, at(1), T0)
    assert record.presence(HOUR) is None
    assert advance_volume(record, bound, at(9), T0).since_ms == at(9)


def test_sizes_are_remembered():
    record = advance_volume(None, seen(phase="Bound"), T0, T0)
    record = advance_volume(record, seen(phase="Bound", capacity={"storage": "20Gi"}), at(15), T0)
    found = [(piece.length_ms // MINUTE_MS, size // GIB) for piece, size in sizes_over(record, HOUR)]
    assert found == [(15, 10), (45, 20)]


def test_the_journal_keeps_claims_over_a_restart(tmp_path):
    facts = seen(phase="Bound")
    journal = InventoryJournal(tmp_path / "journal.sqlite", T0)
    journal.volumes_seen([facts, replace(facts, uid="v", name="more")], at(1))
    journal.volumes_seen([facts], at(20))
    journal.close()
    again = InventoryJournal(tmp_path / "journal.sqlite", at(30))
    assert {one.facts.name: one.until_ms for one in again.facts(HOUR).volumes} == {"data": None, "more": at(20)}
    assert again.retire(at(25)) == 1
    assert [one.facts.name for one in again.facts(HOUR).volumes] == ["data"]
    again.close()
