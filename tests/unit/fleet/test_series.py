"""Raw series: what a scraper or Prometheus would hold of a fleet."""

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from fleet.builders import node, pod
from fleet.faults import Fault, FaultKind
from fleet.script import Fleet, SimExporter
from fleet.series import Shape, openmetrics, series
from fleet.spec import parse

MINUTE = 60_000


def two_gpus(*faults, **options):
    host = node(gpus=2, exporters=(SimExporter(**options),), faults=faults)
    return Fleet((host,), (pod("train", host, activity=parse("0.7")),))


def of_engine(fleet, to_ms=MINUTE, **options):
    return list(series(fleet, 0, to_ms, 15_000, meanings=["engine"], **options))


def test_a_scrape_gives_one_sample_per_gpu_and_moment():
    seen = of_engine(two_gpus())
    assert [(sample.at_ms, sample.labels["gpu"]) for sample in seen] == [
        (at, gpu) for at in (0, 15_000, 30_000, 45_000) for gpu in ("0", "1")
    ]
    assert seen[-2].value == 0.7


def test_prometheus_moves_the_pod_to_exported_pod():
    busy, idle = of_engine(two_gpus(), shape=Shape.PROMETHEUS)[:2]
    assert (busy.labels["exported_pod"], busy.labels["pod"]) == ("train", "nvidia-dcgm-exporter-x7k2p")
    assert (busy.labels["exported_namespace"], busy.labels["namespace"]) == ("team-a", "gpu-operator")
    assert "exported_pod" not in idle.labels


def test_with_honor_labels_an_idle_gpu_wears_the_exporters_name():
    busy, idle = of_engine(two_gpus(honor_labels=True), shape=Shape.PROMETHEUS)[:2]
    assert (busy.labels["namespace"], busy.labels["pod"]) == ("team-a", "train")
    assert (idle.labels["namespace"], idle.labels["pod"]) == ("gpu-operator", "nvidia-dcgm-exporter-x7k2p")


@pytest.mark.parametrize(("honor", "pod_label"), [(True, None), (False, "nvidia-dcgm-exporter-x7k2p")])
def test_an_empty_pod_label_is_no_label(honor, pod_label):
    fleet = two_gpus(honor_labels=honor, dialect="fake-operator")
    idle = list(series(fleet, 0, 1, 1, shape=Shape.PROMETHEUS, meanings=["util"]))[1]
    assert idle.labels.get("pod") == pod_label
    assert "exported_pod" not in idle.labels


def test_an_answer_that_is_no_exposition_leaves_a_gap():
    seen = of_engine(two_gpus(Fault(FaultKind.HALF_LINE, 15_000, 45_000)))
    assert {sample.at_ms for sample in seen} == {0, 45_000}


def test_two_exporters_of_one_gpu_give_two_series():
    host = node(exporters=(SimExporter(), SimExporter(pod="standalone", ip="127.10.0.2", dialect="4.8.2")))
    seen = of_engine(Fleet((host,)), to_ms=1, shape=Shape.PROMETHEUS)
    assert {sample.labels["UUID"] for sample in seen} == {host.gpus[0].uuid}
    assert {sample.labels["pod"] for sample in seen} == {"nvidia-dcgm-exporter-x7k2p", "standalone"}


def test_jitter_spreads_the_scrapes_of_exporters_and_keeps_their_number():
    fleet = Fleet((node("a"), node("b")))
    moments = [sample.at_ms for sample in of_engine(fleet, jitter_ms=10_000)]
    assert moments == [0, 15_000, 30_000, 45_000, 7_919, 22_919, 37_919, 52_919]


def test_the_openmetrics_text_parses_with_its_timestamps():
    text = openmetrics(series(two_gpus(), 1_500, MINUTE, 15_000, shape=Shape.PROMETHEUS))
    families = {family.name: family.samples for family in text_string_to_metric_families(text)}
    engine = families["DCGM_FI_PROF_GR_ENGINE_ACTIVE"]
    assert [float(sample.timestamp) for sample in engine] == [1.5, 16.5, 31.5, 46.5] * 2
    assert len(families) == 7
