"""How gateways answered, by model and status: tables, not code.

They know whether the caller got an answer, and not whether it was a good one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aicost.domain.serving.tallies import Grown

OK = "ok"
"""The status of what a gateway counts as answered without giving a code."""
MOST_STATUSES = 64
"""Statuses of one model: beyond them it is no status."""
_LONGEST = 63


@dataclass(frozen=True, slots=True)
class StatusMeter:
    """The counters of one gateway.

    Attributes:
        gateway: its name.
        requests: counter of the requests of callers.
        status: label of it that holds the status; empty where it has none.
        model_labels: labels that name the model, best first.
        errors, error: counter of those that failed and its label, where they are counted apart: the rest succeeded.
    """

    gateway: str
    requests: str
    status: str
    model_labels: tuple[str, ...]
    errors: str = ""
    error: str = ""


_GENAI_MODELS = ("gen_ai_response_model", "gen_ai_request_model", "gen_ai_original_model")
_EPP_MODELS = ("target_model_name", "model_name")

STATUS_METERS: tuple[StatusMeter, ...] = (
    StatusMeter(
        "litellm", "litellm_proxy_total_requests_metric_total", "status_code", ("requested_model", "model")
    ),
    StatusMeter(
        "envoy-ai-gateway", "gen_ai_server_request_duration_seconds_count", "error_type", _GENAI_MODELS
    ),
    StatusMeter("otel-genai", "gen_ai_client_operation_duration_seconds_count", "error_type", _GENAI_MODELS),
    StatusMeter("llm-d-epp", "llm_d_epp_request_total", "", _EPP_MODELS, "llm_d_epp_request_error_total", "error_code"),
    StatusMeter(
        "inference-extension", "inference_objective_request_total", "", _EPP_MODELS,
        "inference_objective_request_error_total", "error_code",
    ),
)  # fmt: skip
"""In the order of authority: of several that count the same model the first is read. Kong counts no status by model."""

_ONE_OF = {"inference-extension": "llm-d-epp"}
"""Names that a gateway had before."""
STATUS_NAMES: tuple[str, ...] = tuple(
    sorted({name for one in STATUS_METERS for name in (one.requests, one.errors) if name})
)
StatusCounts = Mapping[tuple[str, str, str], int]
"""Gateway, model in small letters, and status -> requests."""


def status_counts(grown: Iterable[Grown]) -> StatusCounts:
    """What series of gateways grew by; whole requests, a status that none had is absent."""
    series: dict[str, list[Grown]] = defaultdict(list)
    for one in grown:
        if one.growth is not None and one.name in STATUS_NAMES:
            series[one.name].append(one)
    found: dict[tuple[str, str, str], float] = defaultdict(float)
    for meter in STATUS_METERS:
        for one in series[meter.requests]:
            status = _status(one.labels.get(meter.status, "")) if meter.status else OK
            found[meter.gateway, _model(meter, one), status] += _by(one)
        for one in series[meter.errors] if meter.errors else ():
            model = _model(meter, one)
            found[meter.gateway, model, _error(one.labels.get(meter.error, ""))] += _by(one)
            found[meter.gateway, model, OK] -= _by(one)
    return {key: int(number) for key, number in sorted(found.items()) if key[1] and number >= 1}


ByModel = Mapping[str, Mapping[str, int]]
"""Model in small letters -> status -> requests."""


def by_gateway(counts: StatusCounts) -> Mapping[str, ByModel]:
    """By gateway, in the order of authority; two views of one gateway are never added."""
    found: dict[str, dict[str, Mapping[str, int]]] = {}
    for meter in STATUS_METERS:
        mine: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for (gateway, model, status), number in counts.items():
            if gateway == meter.gateway:
                mine[model][status] += number
        known = found.setdefault(_ONE_OF.get(meter.gateway, meter.gateway), {})
        for model, statuses in mine.items():
            known.setdefault(model, _bounded(statuses))
    return found


def _bounded(statuses: Mapping[str, int]) -> dict[str, int]:
    ordered: Sequence[tuple[str, int]] = sorted(statuses.items(), key=lambda one: (-one[1], one[0]))
    kept = dict(ordered[:MOST_STATUSES])
    if len(ordered) > MOST_STATUSES:
        kept["other"] = kept.get("other", 0) + sum(number for _, number in ordered[MOST_STATUSES:])
    return kept


def _status(text: str) -> str:
    """A status as it is shown; no text is no error, and a name without a code stays a name."""
    shown = "".join(char for char in text.strip() if char.isprintable())[:_LONGEST]
    return shown or OK


def _error(text: str) -> str:
    """Why a request failed that is known to have."""
    shown = _status(text)
    return "error" if shown == OK else shown


def _model(meter: StatusMeter, one: Grown) -> str:
    return next((one.labels[label] for label in meter.model_labels if one.labels.get(label)), "").lower()


def _by(one: Grown) -> float:
    return one.growth.by if one.growth is not None else 0.0
