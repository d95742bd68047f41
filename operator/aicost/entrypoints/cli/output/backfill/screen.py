"""What a backfill found before it began, and what it came to."""

from collections.abc import Iterator
from datetime import UTC

from aicost.adapters.prometheus.history.kubelets import CONTAINERS
from aicost.adapters.prometheus.history.survey import Survey
from aicost.crd.status.texts import gpu_hours, share
from aicost.domain.exact.windows import HOUR_MS, Window, describe_length, to_datetime
from aicost.domain.identity.dimensions import LABEL_PREFIX
from aicost.entrypoints.cli.output.backfill.progress import Tally
from aicost.entrypoints.cli.output.facts import Fact, fact_lines
from aicost.entrypoints.cli.output.table import Column, Line, draw
from aicost.entrypoints.cli.sources.backfill import Prepared
from aicost.entrypoints.cli.terminal import Style, Terminal
from aicost.ports.ledger import LedgerReader

_ALLOW = "start kube-state-metrics with --metric-labels-allowlist"
Check = tuple[str, str, str, str]
"""Subject, what was found, what rests on it, and what would mend it."""


def preflight(prepared: Prepared, terminal: Terminal) -> str:
    """What there is, what the rows will rest on, and what to mend."""
    asked, found = prepared.asked, prepared.survey
    checks = [*_gpus(found), *_objects(found), *_late_objects(found), *_labels(found), *_prices(prepared)]
    lines = [Line((subject, shown, rests), Style.WARN if fix else Style.PLAIN) for subject, shown, rests, fix in checks]
    columns = [Column("WHAT"), Column("FOUND", shrinks=True), Column("RESTS ON IT", shrinks=True)]
    head = terminal.paint(f"{asked.config.url} · cluster {asked.cluster}", Style.HEAD)
    table = draw(columns, [lines], terminal).lines
    told: list[Fact] = [("Time", _span(asked.span), Style.PLAIN)]
    told += [("", prepared.cut, Style.WARN)] if prepared.cut else []
    told += [("Mend", f"{subject}: {fix}", Style.WARN) for subject, _, _, fix in checks if fix]
    return "\n".join([head, *table, "", *fact_lines(told, terminal)])


def _gpus(found: Survey) -> Iterator[Check]:
    shown = f"{_count(found.devices, 'GPU')}, dcgm-exporter {found.dialect}, each {found.interval_ms / 1_000:g} s"
    yield "GPU samples", shown, "utilisation, devices, models", ""
    gap = found.missing_hours
    if gap:
        fix = "those hours are posted as unmeasured: nothing can bring samples back"
        yield "Gaps", f"about {gap} h without any GPU sample", "device time without utilisation", fix


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _objects(found: Survey) -> Iterator[Check]:
    version = f"kube-state-metrics {found.version}" if found.version else "kube-state-metrics"
    install = "let this Prometheus scrape kube-state-metrics: requests, owners, labels and exact times"
    if found.has("kube_pod_info"):
        yield "Pods", f"{version}, {_count(found.counts['kube_pod_info'], 'pod')}", "who held what, and when", ""
    elif found.has(CONTAINERS):
        yield "Pods", "the kubelet's series", "pods by their samples, within a minute", install
    else:
        yield "Pods", "only the labels of GPU samples", "holders by samples alone", install
    if found.has("kube_pod_info") and not found.has("kube_pod_container_resource_requests"):
        yield "Requests", "none", "devices by samples alone", "allow kube_pod_container_resource_requests"
    if found.has("kube_pod_info") and not found.has("kube_pod_status_scheduled_time"):
        other = "kube_pod_start_time" if found.has("kube_pod_start_time") else "first samples"
        yield "Begin of pods", other, "begin of holdings, within seconds", "allow kube_pod_status_scheduled_time"
    if found.has("kube_node_info"):
        yield "Nodes", _count(found.counts["kube_node_info"], "node"), "what is billed, and from when on", ""
    else:
        yield "Nodes", "hosts of GPU samples", "nodes while they showed samples; no instance types", install


def _late_objects(found: Survey) -> Iterator[Check]:
    """Where kube-state-metrics came later than the exporters of the GPUs."""
    if found.objects_ms is not None and found.first_ms is not None and found.objects_ms > found.first_ms + 2 * HOUR_MS:
        yield "Pods before", f"none until {_moment(found.objects_ms)}", "holders by samples until then", ""


def _labels(found: Survey) -> Iterator[Check]:
    ours = sorted(key for key in found.pod_labels if key.startswith(LABEL_PREFIX))
    if ours:
        yield (
            "Labels of pods",
            f"{_count(len(found.pod_labels), 'key')}, {', '.join(ours[:4])}",
            "teams, models and the like",
            "",
        )
    elif found.pod_labels:
        fix = f"map your keys by --policies FILE (aliases), or {_ALLOW}=pods=[*]"
        yield (
            "Labels of pods",
            f"{_count(len(found.pod_labels), 'key')}, none of aicost.dev",
            "--by label:KEY, and aliases",
            fix,
        )
    elif found.has("kube_pod_info"):
        yield "Labels of pods", "none", "reports by namespace and controller only", f"{_ALLOW}=pods=[*]"
    if found.has("kube_node_info") and not found.node_labels:
        fix = f"{_ALLOW}=nodes=[*],pods=[*]"
        yield "Labels of nodes", "none", "GPU models by samples; prices by model alone", fix


def _prices(prepared: Prepared) -> Iterator[Check]:
    books = prepared.given.books
    if books:
        yield "Prices", ", ".join(sorted({f"{book.name} ({book.currency})" for book in books})), "amounts", ""
    else:
        yield (
            "Prices",
            "none",
            "GPU-hours without amounts",
            "add --list-prices, --gpu-price MODEL=AMOUNT, or --prices FILE",
        )


def summary(prepared: Prepared, reader: LedgerReader, tally: Tally, terminal: Terminal) -> str:
    """What was posted, how good it is, and what to do next."""
    cluster = prepared.asked.cluster
    first, last = reader.first_window(cluster), reader.last_window(cluster)
    told: list[Fact] = []
    if first and last:
        told.append(("Ledger", f"{prepared.asked.ledger}: {_span(Window(first.start_ms, last.end_ms))}", Style.PLAIN))
    if not tally.windows:
        told.append(("Posted", "nothing: the ledger holds all hours that ended", Style.PLAIN))
    else:
        told.append(("Posted", f"{tally.windows} hours, {tally.rows} rows, {tally.samples} samples read", Style.PLAIN))
        told.append(("Cost", f"{tally.costs()}, {gpu_hours(tally.device_ms)} GPU-hours", Style.HEAD))
        told.append(("Coverage", _coverages(tally), Style.PLAIN))
    told += _unpriced(tally)
    where = f"--ledger {prepared.asked.ledger} --window {_window(first, last)}"
    commands = [f"aicost report {where} --by team"]
    commands += [f"aicost rerate {where} --prices book.yaml --post"] if tally.unpriced else []
    return "\n".join([*fact_lines(told, terminal), "", "Next", *(f"  {command}" for command in commands)])


def _coverages(tally: Tally) -> str:
    parts = (("telemetry", tally.measured_ms), ("price", tally.priced_ms))
    return ", ".join(f"{name} {share(part, tally.device_ms) or '-'}" for name, part in parts)


def _unpriced(tally: Tally) -> list[Fact]:
    if not tally.unpriced:
        return []
    named = ", ".join(
        f"{' on '.join(filter(None, key)) or 'unknown GPUs'} ({gpu_hours(hours)} GPU-hours)"
        for key, hours in tally.unpriced.most_common(4)
    )
    fix = "write a PriceBook for them and rate these hours again, see below; or use --gpu-price the next time"
    return [("Unpriced", f"{named}: {fix}", Style.WARN)]


def _window(first: Window | None, last: Window | None) -> str:
    if first is None or last is None:
        return "30d"
    return f"{_moment(first.start_ms)}/{_moment(last.end_ms)}"


def _moment(at_ms: int) -> str:
    return f"{to_datetime(at_ms).astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def _span(span: Window) -> str:
    hours = -(-span.length_ms // HOUR_MS)
    return f"{_moment(span.start_ms)} → {_moment(span.end_ms)} ({describe_length(hours * HOUR_MS)})"
