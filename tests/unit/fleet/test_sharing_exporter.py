"""Expositions of shared GPUs: who stands beside which value, in each mode and with the known defects."""

from fractions import Fraction

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fleet.activity import IDLE, Steady
from fleet.builders import gpu_uuid
from fleet.exporter.text import Exporter
from fleet.faults import Fault, FaultKind
from fleet.models import H100
from fleet.script import Collection, Fleet
from fleet.series import Shape, series
from fleet.sharing.builders import (
    DRA,
    KAI,
    SINGLE,
    VIRTUAL,
    agent,
    claimed,
    cut,
    exporter,
    fraction,
    hami,
    host,
    mixed,
    sliced,
    slots,
    tenant,
)
from fleet.sharing.terms import Part, Plugin

NOW = 600_000
GPU_UTIL, ENGINE = "DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_PROF_GR_ENGINE_ACTIVE"
USED, POWER = "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_POWER_USAGE"


def rows(fleet, name, index=0, at_ms=NOW):
    text = Exporter(fleet, fleet.nodes[0].name, index).answer(at_ms).text
    families = text_string_to_metric_families(text)
    found = [sample for family in families for sample in family.samples]
    return [sample for sample in found if sample.name == name]


def shown(fleet, name, index=0, at_ms=NOW):
    return [(one.labels.get("pod"), round(one.value, 3)) for one in rows(fleet, name, index, at_ms)]


def sliced_fleet(*faults, sharing=None, **options):
    where = host("n", sharing or sliced(4), exporters=(exporter(**options),), faults=faults)
    pods = (
        tenant("first", where, 0, slots(2), Steady(Fraction(6, 10)), memory=Fraction(1, 2)),
        tenant("second", where, 0, slots(), Steady(Fraction(1, 10)), memory=Fraction(1, 4)),
    )
    return Fleet((where,), pods)


def test_replicas_have_a_row_each_and_only_utilisation_and_memory_are_a_pods_own():
    fleet = sliced_fleet()
    assert shown(fleet, GPU_UTIL) == [(None, 70), ("first", 60), ("first", 60), ("second", 10)]
    assert shown(fleet, ENGINE) == [(None, 0.7), ("first", 0.7), ("first", 0.7), ("second", 0.7)]
    assert [used for _, used in shown(fleet, USED)] == [40_779 + 20_389, 40_779, 40_779, 20_389]
    assert [one.labels.get("vgpu") for one in rows(fleet, GPU_UTIL)] == [None, "0", "1", "2"]


@pytest.mark.parametrize(("per_process", "util"), [("zero", [70, 0, 0, 0]), ("copied", [70, 70, 70, 70])])
def test_the_known_defects_show_zeros_or_the_device_on_each_row(per_process, util):
    assert [value for _, value in shown(sliced_fleet(per_process=per_process), GPU_UTIL)] == util


def test_without_virtual_gpus_one_of_the_pods_stands_for_all():
    found = shown(sliced_fleet(virtual_gpus=False), GPU_UTIL)
    assert len(found) == 1
    assert found[0][0] in {"first", "second"}
    assert found[0][1] == 70


def test_labels_that_are_missing_leave_one_row_of_the_device():
    fault = Fault(FaultKind.LABELS_MISSING, 0, 2 * NOW, amount=NOW)
    assert shown(sliced_fleet(fault), GPU_UTIL) == [(None, 70)]


@pytest.mark.parametrize(
    ("dialect", "name", "util"), [("4.9", "DCGM_FI_DEV_GPU_UTIL_RATIO", 0.6), ("4.8.2", GPU_UTIL, 60)]
)
def test_each_dialect_tells_replicas_apart_in_its_own_words(dialect, name, util):
    fleet = sliced_fleet(name=dialect)
    assert shown(fleet, name)[1] == ("first", util)


def test_under_mps_the_engine_is_busier_than_the_sms():
    fleet = sliced_fleet(sharing=sliced(4, plugin=Plugin.MPS))
    assert shown(fleet, "DCGM_FI_PROF_SM_ACTIVE")[0] == (None, 0.7)
    assert shown(fleet, ENGINE)[0] == (None, 0.875)


def mig_fleet(sharing=None, **options):
    where = host("n", sharing or mixed(), exporters=(exporter(**options),), model=H100)
    where = cut(where, 0, "3g.40gb", "1g.10gb", first_id=7)
    pods = (
        tenant("large", where, 0, Part(instance=7), Steady(Fraction(7, 10)), memory=Fraction(1, 2)),
        tenant("small", where, 0, Part(instance=8), Steady(Fraction(1, 2)), memory=Fraction(1)),
    )
    return Fleet((where,), pods)


def test_each_instance_has_its_own_activity_and_memory_and_repeats_the_boards_power():
    fleet = mig_fleet()
    assert shown(fleet, ENGINE) == [(None, round(3 / 7 * 0.7 + 1 / 7 * 0.5, 3)), ("large", 0.7), ("small", 0.5)]
    assert [used for _, used in shown(fleet, USED)] == [19_968 + 9_984, 19_968, 9_984]
    assert len({watts for _, watts in shown(fleet, POWER)}) == 1
    labels = [(one.labels.get("GPU_I_ID"), one.labels.get("GPU_I_PROFILE")) for one in rows(fleet, ENGINE)]
    assert labels == [(None, None), ("7", "3g.40gb"), ("8", "1g.10gb")]
    assert {one.labels["UUID"] for one in rows(fleet, ENGINE)} == {gpu_uuid("n", 0)}


def test_instances_have_no_coarse_utilisation_and_old_exporters_say_zero():
    assert shown(mig_fleet(), GPU_UTIL) == []
    assert [value for _, value in shown(mig_fleet(name="4.4"), GPU_UTIL)] == [0, 0, 0]


def test_replicas_of_an_instance_repeat_its_activity():
    where = cut(host("n", mixed(2), model=H100), 0, "7g.80gb")
    pods = (
        tenant("one", where, 0, slots(instance=1), Steady(Fraction(1, 2)), memory=Fraction(1, 2)),
        tenant("two", where, 0, slots(instance=1), IDLE, memory=Fraction(1, 4)),
    )
    fleet = Fleet((where,), pods)
    assert shown(fleet, ENGINE) == [(None, 0.5), (None, 0.5), ("one", 0.5), ("two", 0.5)]
    assert [used for _, used in shown(fleet, USED)] == [59_904, 59_904, 39_936, 19_968]


def test_a_gpu_that_is_cut_anew_shows_its_new_instances():
    where = cut(cut(host("n", SINGLE, model=H100), 0, "7g.80gb"), 0, *["1g.10gb"] * 7, from_ms=NOW, first_id=7)
    fleet = Fleet((where,), ())
    before, after = rows(fleet, ENGINE, at_ms=NOW - 1), rows(fleet, ENGINE)
    assert [one.labels.get("GPU_I_ID") for one in before] == [None, "1"]
    assert [one.labels.get("GPU_I_ID") for one in after] == [None, "7", "8", "9", "10", "11", "12", "13"]


def test_hami_is_invisible_to_the_exporter_and_has_a_gauge_of_its_own():
    where = host("n", VIRTUAL[Plugin.HAMI], exporters=(exporter(), hami()))
    pods = (
        tenant("part", where, 0, fraction(Fraction(1, 4), 10_000), Steady(Fraction(1, 4))),
        tenant("other", where, 0, fraction(Fraction(1, 2), 10_000), Steady(Fraction(1, 2))),
    )
    fleet = Fleet((where,), pods)
    assert shown(fleet, GPU_UTIL) == [(None, 75)]
    assert shown(fleet, "hami_container_device_utilization_ratio", 1) == [("part", 25), ("other", 50)]


def test_kai_shows_the_reservation_pod_alone():
    where = host("n", KAI)
    pods = tuple(tenant(name, where, 0, fraction(Fraction(1, 2)), Steady(Fraction(1, 4))) for name in ("a", "b"))
    fleet = Fleet((where,), pods)
    assert shown(fleet, GPU_UTIL) == [("gpu-reservation-n-0", 50)]


def test_claims_repeat_the_device_for_each_pod_and_name_it_as_the_driver_does():
    where = cut(host("n", DRA, 2, model=H100), 1, "3g.40gb", "3g.40gb")
    pods = (
        tenant("one", where, 0, claimed("c", template=False), Steady(Fraction(1, 4))),
        tenant("two", where, 0, claimed("c", template=False), Steady(Fraction(1, 2))),
        tenant("small", where, 1, claimed("m", instance=1), Steady(Fraction(1, 2))),
    )
    fleet = Fleet((where,), pods)
    assert shown(fleet, ENGINE) == [("one", 0.75), ("two", 0.75), (None, 0.214), ("small", 0.5), (None, 0)]
    named = rows(fleet, ENGINE)[3].labels
    assert (named["dra_claim_name"], named["dra_device_name"]) == ("m", "gpu-1-mig-3g40gb-1-0")
    assert named["dra_mig_profile"] == "3g.40gb"
    blind = Fleet((host("n", DRA, exporters=(exporter(dra=False),)),), pods[:2])
    assert shown(blind, ENGINE) == [(None, 0.75)]


def test_the_agents_counters_are_integrals_that_never_go_back():
    begun, ended = 100_000, 400_000
    where = host("n", sliced(4), exporters=(agent(serves_from_ms=begun),))
    pods = (
        tenant("early", where, 0, slots(), Steady(Fraction(1, 2)), finished_ms=ended),
        tenant("late", where, 0, slots(), Steady(Fraction(1, 4)), bound_ms=200_000),
    )
    fleet = Fleet((where,), pods)
    name = "aicost_pod_gpu_seconds_total"
    assert shown(fleet, name) == [("early", 150), ("late", 100)]
    assert shown(fleet, "aicost_device_busy_seconds_total") == [(None, 250)]
    assert shown(fleet, "aicost_pod_sm_seconds_total") == [("early", 120), ("late", 80)]
    assert shown(fleet, name, at_ms=ended + 300_000) == [("late", 125)]
    moments = range(begun, 900_000, 7_000)
    busy = [shown(fleet, "aicost_device_busy_seconds_total", at_ms=at_ms)[0][1] for at_ms in moments]
    assert busy == sorted(busy)


def test_the_agent_cannot_tell_replicas_of_an_instance_apart():
    where = cut(host("n", mixed(2), model=H100, exporters=(agent(),)), 0, "7g.80gb")
    pods = tuple(tenant(name, where, 0, slots(instance=1), Steady(Fraction(1, 2))) for name in ("a", "b"))
    fleet = Fleet((where,), pods)
    assert shown(fleet, "aicost_pod_gpu_seconds_total") == []
    assert shown(fleet, "aicost_device_busy_seconds_total") == [(None, 600)]


def test_what_processes_exporters_say_is_stored_under_exported_names():
    where = host("n", sliced(2), exporters=(agent(collection=Collection(15_000)),))
    fleet = Fleet((where,), (tenant("one", where, 0, slots(), Steady(Fraction(1))),))
    found = {one.name: one.labels for one in series(fleet, NOW, NOW + 1, 1, shape=Shape.PROMETHEUS)}
    labels = found["aicost_pod_gpu_seconds_total"]
    assert (labels["exported_pod"], labels["pod"], labels["uuid"]) == ("one", "aicost-agent-q4z7r", gpu_uuid("n", 0))
