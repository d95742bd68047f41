"""Metrics of our own, all in one place: the reference is generated from this table."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)


class Kind(StrEnum):
    """Type of a metric."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


ANSWER_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Bounds of the buckets of a histogram: answers that people wait for."""


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """A metric as documented."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


METRICS = (
    MetricSpec(
        "aicost_unbalanced_cost_nanos",
        Kind.GAUGE,
        "Nano-units by which the rows of the last computed window differ from the price of its nodes. 0, or a bug.",
    ),
    MetricSpec("aicost_windows_closed_total", Kind.COUNTER, "Billing windows posted to the ledger by this process."),
    MetricSpec(
        "aicost_last_closed_window_timestamp_seconds", Kind.GAUGE, "End of the last billing window in the ledger."
    ),
    MetricSpec(
        "aicost_last_counted_window_timestamp_seconds",
        Kind.GAUGE,
        "End of the last billing window whose tokens and requests were counted.",
    ),
    MetricSpec(
        "aicost_unit_cost",
        Kind.GAUGE,
        "What a unit of an AIWorkload costs this month in its currency, with what idles: a request, a success, a "
        "million tokens.",
        ("namespace", "workload", "currency", "unit"),
    ),
    MetricSpec("aicost_unit_counts_total", Kind.COUNTER, "Rows of counts of tokens and requests that were kept."),
    MetricSpec("aicost_ledger_rows_total", Kind.COUNTER, "Rows posted to the ledger.", ("kind",)),
    MetricSpec("aicost_ledger_rows_dropped_total", Kind.COUNTER, "Rows of the ledger that retention dropped for good."),
    MetricSpec("aicost_ledger_files", Kind.GAUGE, "Files of days, before and after the last compaction.", ("when",)),
    MetricSpec(
        "aicost_open_window_timestamp_seconds", Kind.GAUGE, "When the open window was last computed as provisional."
    ),
    MetricSpec("aicost_compute_seconds", Kind.GAUGE, "Time that the last computation of a window took.", ("step",)),
    MetricSpec(
        "aicost_telemetry_up", Kind.GAUGE, "1 if the last reading of the telemetry source succeeded.", ("source",)
    ),
    MetricSpec("aicost_telemetry_targets", Kind.GAUGE, "Exporters scraped directly, by outcome.", ("outcome",)),
    MetricSpec(
        "aicost_engine_targets",
        Kind.GAUGE,
        "Pods whose engines are scraped directly: answered, failed, or refused since they may not be asked.",
        ("outcome",),
    ),
    MetricSpec(
        "aicost_sample_defects", Kind.GAUGE, "Samples of the last window that were dropped or mended.", ("defect",)
    ),
    MetricSpec(
        "aicost_telemetry_coverage_ratio", Kind.GAUGE, "Share of the device time of the last window that has samples."
    ),
    MetricSpec(
        "aicost_node_telemetry_trusted",
        Kind.GAUGE,
        "1 if the telemetry of a GPU node can be trusted, 0 if not; with the gravest reason, one series per node.",
        ("node", "reason"),
    ),
    MetricSpec("aicost_price_coverage_ratio", Kind.GAUGE, "Share of the device time of the last window with a price."),
    MetricSpec("aicost_unpriced_nodes", Kind.GAUGE, "Nodes with GPUs for which no price book has an entry."),
    MetricSpec("aicost_price_source_up", Kind.GAUGE, "1 if the last reading of the URL of prices succeeded."),
    MetricSpec(
        "aicost_price_source_timestamp_seconds",
        Kind.GAUGE,
        "When the URL of prices was last read, or said that nothing changed.",
    ),
    MetricSpec("aicost_informer_synced", Kind.GAUGE, "1 once all objects of a kind are known.", ("resource",)),
    MetricSpec("aicost_informer_objects", Kind.GAUGE, "Objects of a kind that are known.", ("resource",)),
    MetricSpec(
        "aicost_informer_last_event_age_seconds", Kind.GAUGE, "Age of the last event or bookmark.", ("resource",)
    ),
    MetricSpec("aicost_informer_relists", Kind.GAUGE, "Lists made again since the start.", ("resource",)),
    MetricSpec("aicost_reports_written_total", Kind.COUNTER, "Status writes of reports, by kind.", ("kind",)),
    MetricSpec("aicost_failures_total", Kind.COUNTER, "Steps that failed and will be tried again.", ("step", "reason")),
    MetricSpec("aicost_leader", Kind.GAUGE, "1 while this process holds the Lease."),
    MetricSpec(
        "aicost_label_coverage_ratio",
        Kind.GAUGE,
        "Share of the cost of 30 days, or of the objects, that carries a required key; key `all`: all keys together.",
        ("key", "weight"),
    ),
    MetricSpec(
        "aicost_label_would_deny_objects", Kind.GAUGE, "Objects that mode Deny of a policy would refuse.", ("policy",)
    ),
    MetricSpec("aicost_label_unlabelled_objects", Kind.GAUGE, "AI workloads that no key at all has a value for."),
    MetricSpec("aicost_label_audited_objects", Kind.GAUGE, "Objects that the last audit of labels looked at."),
    MetricSpec("aicost_label_audit_timestamp_seconds", Kind.GAUGE, "When the last audit of labels ended."),
    MetricSpec(
        "aicost_enforcement_active",
        Kind.GAUGE,
        "1 if the API server asked our webhook when the controller last tried, 0 if it went on without it.",
        ("engine",),
    ),
    MetricSpec(
        "aicost_admission_duration_seconds",
        Kind.HISTOGRAM,
        "Time from a question of the API server to its answer.",
        ("webhook",),
    ),
    MetricSpec(
        "aicost_admission_decisions_total",
        Kind.COUNTER,
        "Objects judged at admission, dry runs left out. The mode is the strictest of a rule that was broken, or none.",
        ("verdict", "mode", "engine"),
    ),
    MetricSpec(
        "aicost_admission_errors_total",
        Kind.COUNTER,
        "Questions that got no judgement; the object was let in. A bug, a question that is none, or nothing known yet.",
        ("reason",),
    ),
    MetricSpec(
        "aicost_admission_snapshot_age_seconds",
        Kind.GAUGE,
        "Time since the watch of a kind that decisions rest on was last heard of, the oldest of all.",
    ),
    MetricSpec("aicost_admission_policies", Kind.GAUGE, "Policies that this process judges by."),
    MetricSpec(
        "aicost_admission_certificate_expiry_timestamp_seconds",
        Kind.GAUGE,
        "When the certificate expires that the webhook shows.",
    ),
    MetricSpec(
        "aicost_admission_trusted",
        Kind.GAUGE,
        "1 if the webhook configurations are there and trust our certificate.",
    ),
    MetricSpec("aicost_admission_events_total", Kind.COUNTER, "Events on owners whose pods were denied.", ("outcome",)),
    MetricSpec("aicost_budget_used_ratio", Kind.GAUGE, "Spend of a budget over its limit.", ("namespace", "budget")),
    MetricSpec(
        "aicost_budget_gate", Kind.GAUGE, "1 for the gate of a budget that is open.", ("namespace", "budget", "gate")
    ),
    MetricSpec(
        "aicost_budget_data_age_seconds", Kind.GAUGE, "Age of the newest figures of a budget.", ("namespace", "budget")
    ),
    MetricSpec(
        "aicost_budget_held",
        Kind.GAUGE,
        "1 while a budget holds still, by what holds it.",
        ("namespace", "budget", "reason"),
    ),
    MetricSpec(
        "aicost_budget_actions_total", Kind.COUNTER, "Steps of budgets: done, undone or failed.", ("lever", "result")
    ),
    MetricSpec(
        "aicost_budget_restore_pending", Kind.GAUGE, "Steps that are to be undone and are not.", ("namespace", "budget")
    ),
    MetricSpec(
        "aicost_budget_contested", Kind.GAUGE, "Steps that somebody else keeps undoing.", ("namespace", "budget")
    ),
    MetricSpec("aicost_notifications_total", Kind.COUNTER, "Messages: sent or failed.", ("route", "outcome")),
    MetricSpec("aicost_gpu_hours_lost_total", Kind.COUNTER, "GPU-hours of work that steps of ours lost.", ("cause",)),
    MetricSpec(
        "aicost_budget_review_due", Kind.GAUGE, "1 while a break-glass waits for its review.", ("namespace", "budget")
    ),
    MetricSpec("aicost_budget_evaluation_seconds", Kind.GAUGE, "Time that the last round over all budgets took."),
)


class Metrics:
    """The metrics of one process, by name. A gauge that was never set is not exported: missing is not zero."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # one more series per counter, which nobody reads
        self._registry = CollectorRegistry()
        self._lock = threading.Lock()
        self._unset = {spec.name: spec for spec in METRICS if spec.kind is Kind.GAUGE}
        self._gauges: dict[str, Gauge] = {}
        counters = [spec for spec in METRICS if spec.kind is Kind.COUNTER]
        self._counters = {
            spec.name: Counter(spec.name, spec.help, spec.labels, registry=self._registry) for spec in counters
        }
        self._histograms = {
            spec.name: Histogram(spec.name, spec.help, spec.labels, registry=self._registry, buckets=ANSWER_SECONDS)
            for spec in METRICS
            if spec.kind is Kind.HISTOGRAM
        }

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter."""
        counter = self._counters[name]
        (counter.labels(**labels) if labels else counter).inc(amount)

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Add a value to a histogram."""
        histogram = self._histograms[name]
        (histogram.labels(**labels) if labels else histogram).observe(value)

    def show(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        gauge = self._gauge(name)
        (gauge.labels(**labels) if labels else gauge).set(value)

    def show_all(self, name: str, label: str, values: Mapping[str, float]) -> None:
        """Set a gauge for each value of its label, and forget those that are no longer there."""
        gauge = self._gauge(name)
        gauge.clear()
        for key, value in values.items():
            gauge.labels(**{label: key}).set(value)

    def show_each(self, name: str, values: Mapping[tuple[str, ...], float]) -> None:
        """Set a gauge for each set of values of its labels, in their order, and forget all others."""
        gauge = self._gauge(name)
        gauge.clear()
        for labels, value in values.items():
            gauge.labels(*labels).set(value)

    def exposition(self) -> bytes:
        """All metrics as text."""
        return generate_latest(self._registry)

    def _gauge(self, name: str) -> Gauge:
        """A gauge, exported from now on."""
        with self._lock:
            spec = self._unset.pop(name, None)
            if spec is not None:
                self._gauges[name] = Gauge(spec.name, spec.help, spec.labels, registry=self._registry)
            return self._gauges[name]
