"""What the parameters of a request for a statement mean."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aicost.crd.allocations.parameters import read_limit, read_single
from aicost.domain.reporting.question import read_filters, read_keys
from aicost.entrypoints.queryapi.scopes import Scope
from aicost.ports.errors import InvalidRequest
from aicost.usecases.build_statement import StatementRequest

MOST_LINES = 10_000
"""Lines of an account; the rest is summed in one."""
Pairs = Sequence[tuple[str, str]]


def read_statement(pairs: Pairs, scope: Scope) -> StatementRequest:
    """The request that parameters make, held to a scope: its namespace or team is a payer in any case.

    Raises:
        InvalidRequest: naming the parameter, its value and the fix.
    """
    limit = read_limit(pairs, MOST_LINES)
    own = {key: values[0] for key, values in scope.filters.items()}
    plain = StatementRequest(read_single(pairs, "window") or "last-month")
    return StatementRequest(
        window=plain.window,
        payer={**_payer(pairs), **own},
        per=read_single(pairs, "per") or plain.per,
        by=read_keys(value for name, value in pairs if name == "by"),
        time_zone=read_single(pairs, "timeZone") or plain.time_zone,
        shared=read_single(pairs, "shared") or plain.shared,
        shared_buckets=tuple(value for name, value in pairs if name == "sharedBucket"),
        shares=_shares(read_single(pairs, "shares")),
        limit=limit,
        open_books=not own,
    )


def _payer(pairs: Pairs) -> dict[str, str]:
    try:
        filters = read_filters(value for name, value in pairs if name == "payer")
    except ValueError as problem:
        raise InvalidRequest(str(problem).replace("filter:", "payer:", 1)) from problem
    for key, values in filters.items():
        if len(values) != 1:
            raise InvalidRequest(f"payer: {key[:40]} has {len(values)} values: a statement is of one payer")
    return {key: values[0] for key, values in filters.items()}


def _shares(text: str | None) -> Mapping[Any, Any] | None:
    if text is None:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise InvalidRequest(f"shares: {text[:80]!r} is not JSON: {problem}") from problem
    if not isinstance(found, Mapping):
        raise InvalidRequest(f'shares: {text[:80]!r} is no object: write {{"PAYER": "40%"}}')
    return found
