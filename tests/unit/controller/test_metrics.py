"""Metrics say what is known: what was never set is missing, not zero."""

from aicost.telemetry.metrics import METRICS, Kind, Metrics
from support.controller import shown


def test_a_gauge_that_was_never_set_is_not_exported():
    metrics = Metrics()
    gauges = {spec.name for spec in METRICS if spec.kind is Kind.GAUGE}
    assert not gauges & {name for name, *_ in shown(metrics)}
    metrics.show("aicost_unbalanced_cost_nanos", 0)
    assert shown(metrics)["aicost_unbalanced_cost_nanos",] == 0


def test_a_counter_without_labels_begins_at_zero_and_has_no_creation_time():
    metrics = Metrics()
    dropped = {("aicost_ledger_rows_dropped_total",): 0, ("aicost_unit_counts_total",): 0}
    assert shown(metrics) == {("aicost_windows_closed_total",): 0, **dropped}
    metrics.count("aicost_windows_closed_total")
    metrics.count("aicost_ledger_rows_total", 5, kind="posting")
    counted = {("aicost_windows_closed_total",): 1, ("aicost_ledger_rows_total", "posting"): 5}
    assert shown(metrics) == {**counted, **dropped}


def test_values_of_a_label_that_are_no_longer_there_are_forgotten():
    metrics = Metrics()
    metrics.show_all("aicost_telemetry_up", "source", {"scrape": 1})
    metrics.show_all("aicost_telemetry_up", "source", {"prometheus": 0})
    assert {key: value for key, value in shown(metrics).items() if key[0] == "aicost_telemetry_up"} == {
        ("aicost_telemetry_up", "prometheus"): 0
    }


def test_each_metric_of_the_table_can_be_shown():
    metrics = Metrics()
    show = {
        Kind.COUNTER: metrics.count,
        Kind.GAUGE: lambda name, **labels: metrics.show(name, 1, **labels),
        Kind.HISTOGRAM: lambda name, **labels: metrics.observe(name, 1, **labels),
    }
    for spec in METRICS:
        show[spec.kind](spec.name, **dict.fromkeys(spec.labels, "x"))
    suffix = {spec.name: "_count" if spec.kind is Kind.HISTOGRAM else "" for spec in METRICS}
    assert {name + suffix[name] for name in suffix} <= {name for name, *_ in shown(metrics)}
