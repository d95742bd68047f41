"""Unit costs of AIWorkloads as metrics, as their statuses say them: for dashboards and for gateways."""

from collections.abc import Iterable, Mapping
from typing import Any

from aicost.entrypoints.controller.registry import Key

METRIC = "aicost_unit_cost"
_KIND = "AIWorkload"
_PRICES = {
    "million-input-tokens": ("full", "input"),
    "million-cached-tokens": ("full", "cached"),
    "million-output-tokens": ("full", "output"),
    "request": ("perRequest",),
    "success": ("perSuccess",),
}
_NANOS = 1_000_000_000
Labels = tuple[str, ...]


def unit_metrics(statuses: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> Mapping[Labels, float]:
    """Namespace, workload, currency and unit -> its price in the currency; what is undefined is absent.

    Args:
        statuses: objects with what their status says.
    """
    found: dict[Labels, float] = {}
    for body, status in statuses:
        if body["kind"] != _KIND:
            continue
        key = Key.of(body)
        for costs in status.get("unitCosts") or ():
            for unit, path in _PRICES.items():
                nanos = _at(costs, (*path, "nanos"))
                if isinstance(nanos, int):
                    found[key.namespace, key.name, costs["currency"], unit] = nanos / _NANOS
    return found


def _at(document: Any, path: Iterable[str]) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document
