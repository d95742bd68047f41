"""Runs of training as JSON and CSV: integers of nano-units, counts as decimal texts."""

import csv
import io
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from aicost.domain.exact.windows import to_rfc3339
from aicost.domain.training.dividing import Part
from aicost.domain.training.terms import Measure
from aicost.entrypoints.cli.output.units.amounts import percent, whole, whole_or_none
from aicost.usecases.economics.training.questions import RunLine, TrainingReport

_MILLION = 1_000_000
_DECIMALS = 9
_LARGE = (Measure.SAMPLES, Measure.TOKENS)
"""What is counted by the million."""
_UNITS = {
    Measure.STEPS: "per_step_nanos",
    Measure.EPOCHS: "per_epoch_nanos",
    Measure.SAMPLES: "per_million_samples_nanos",
    Measure.TOKENS: "per_million_tokens_nanos",
}


def training_document(report: TrainingReport) -> Mapping[str, Any]:
    """All of it."""
    span = report.rests_on
    return {
        "apiVersion": "query.aicost.dev/v1alpha1",
        "kind": "TrainingCosts",
        "rests_on": None if span is None else {"from": to_rfc3339(span.start_ms), "to": to_rfc3339(span.end_ms)},
        "covered_milliseconds": report.covered_ms,
        "rows": [_row(line) for line in report.lines],
        "not_training": list(report.others),
        "notes": list(report.notes),
    }


def training_csv(report: TrainingReport) -> str:
    """One line for each run: what JSON says, with dots in the names of what is inside of something."""
    rows = [_flat(_row(line)) for line in report.lines]
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["namespace", "run"]
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def decimal(amount: Fraction | None) -> str | None:
    """A count as a decimal text with nine digits behind the point at most."""
    if amount is None:
        return None
    nanos = whole(amount * 10**_DECIMALS)
    units, rest = divmod(abs(nanos), 10**_DECIMALS)
    digits = f"{rest:09d}".rstrip("0")
    return f"{'-' if nanos < 0 else ''}{units}{'.' + digits if digits else ''}"


def per(line: RunLine, measure: Measure) -> Fraction | None:
    """Nano-units for one, or for a million of what is counted by the million."""
    one = line.costs.per.get(measure)
    return one * _MILLION if one is not None and measure in _LARGE else one


def _row(line: RunLine) -> dict[str, Any]:
    costs = line.costs
    return {
        "namespace": line.namespace,
        "run": line.run,
        "experiment": line.experiment or None,
        "workload": line.workload or None,
        "state": costs.outcome.value,
        "from": to_rfc3339(line.window.start_ms),
        "to": to_rfc3339(line.window.end_ms),
        "pods": line.pods,
        "currency": costs.currency or None,
        "cost_nanos": costs.cost_nanos,
        "unpriced_gpu_milliseconds": line.unpriced_ms,
        "parts_nanos": {part.value: costs.parts[part] for part in Part},
        "lost_nanos": costs.lost_nanos,
        "goodput": percent(costs.goodput) if costs.goodput is not None else None,
        "restarts": costs.restarts,
        "useful": {measure.value: decimal(costs.did.get(measure)) for measure in _UNITS},
        "lost_units": decimal(costs.repeated),
        **{name: whole_or_none(per(line, measure)) for measure, name in _UNITS.items()},
        "quality": _quality(line),
        "progress": decimal(costs.completion.progress),
        "to_complete_nanos": whole_or_none(costs.completion.nanos),
        "to_complete_method": costs.completion.method or None,
        "method": costs.basis.value if costs.basis else None,
        "confidence": costs.confidence.value if costs.confidence else None,
        "at_most": costs.at_most,
        "gaps": list(line.gaps),
    }


def _quality(line: RunLine) -> dict[str, Any]:
    quality = line.costs.quality
    return {
        "name": line.quality or None,
        "first": decimal(quality.first) if quality else None,
        "last": decimal(quality.last) if quality else None,
        "per_point_nanos": whole_or_none(quality.per_point) if quality else None,
    }


def _flat(row: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{above}{name}.")
        else:
            flat[f"{above}{name}"] = "; ".join(value) if isinstance(value, list) else value
    return flat
