"""The state of the controller as one JSON document: written to the log on SIGUSR2."""

from dataclasses import asdict
from typing import Any

from aicost.bootstrap import Application
from aicost.domain.exact.windows import to_rfc3339
from aicost.entrypoints.controller.registry import Body, Key, Registry
from aicost.entrypoints.controller.state import State
from aicost.entrypoints.controller.watching import ClusterWatch


def dump_state(app: Application, watch: ClusterWatch, registry: Registry, state: State, now_ms: int) -> dict[str, Any]:
    """What the controller knows now: sources, watches, windows, books, claims. No secret is in it."""
    inventory = app.stores.inventory
    return {
        "at": to_rfc3339(now_ms),
        "cluster": state.cluster,
        "source": asdict(state.source),
        "prices": asdict(state.prices),
        "problems": state.problems,
        "ledger": {
            "epoch": to_rfc3339(inventory.epoch_ms),
            "lastClosed": str(state.last_closed) if state.last_closed else None,
            "openComputed": to_rfc3339(state.computed_ms) if state.computed_ms else None,
        },
        "open": _statement(state),
        "watches": [_watch(stats, now_ms) for stats in watch.stats],
        "books": {book.name: len(book.entries) for book in app.books.books()},
        "budgets": [_budget(body) for kind in ("Budget", "ClusterBudget") for body in registry.of_kind(kind)],
        "claims": [f"{claim.namespace}/{claim.name}" for claim in app.claims.claims()],
        "objects": [str(key) for key in registry],
    }


def _statement(state: State) -> dict[str, Any] | None:
    """The last computation of the open window in numbers."""
    statement = state.statement
    if statement is None:
        return None
    return {
        "window": str(statement.window),
        "rows": len(statement.rows),
        "unbalancedNanos": statement.unbalanced_nanos,
        "deviceMilliseconds": statement.device_milliseconds,
        "measuredMilliseconds": statement.measured_milliseconds,
        "pricedMilliseconds": statement.priced_milliseconds,
        "unpriced": [one.node for one in statement.unpriced],
        "unpricedHosts": [one.node for one in statement.unpriced_hosts],
        "surplus": dict(statement.surplus),
        "defects": asdict(state.defects),
    }


def _budget(body: Body) -> dict[str, Any]:
    """Where the gate of a budget is, as its status says."""
    status = body.get("status") or {}
    names = ("gate", "gateSince", "reason", "nextAction", "percentUsed", "pending")
    return {"budget": str(Key.of(body)), **{name: status[name] for name in names if name in status}}


def _watch(stats: Any, now_ms: int) -> dict[str, Any]:
    return {
        "resource": stats.resource,
        "synced": stats.synced,
        "objects": stats.objects,
        "ageMilliseconds": stats.age_ms(now_ms),
        "relists": stats.relists,
        "error": stats.error,
    }
