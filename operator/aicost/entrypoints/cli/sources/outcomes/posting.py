"""Statements about requests on their way: to the query API with a user's own rights, or straight beside a ledger."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from aicost.adapters.kube.config import ClusterConfig
from aicost.adapters.kube.wire.calls import Call
from aicost.adapters.kube.wire.errors import NotFound, Rejected, ServerFault
from aicost.adapters.kube.wire.resources import Resource
from aicost.adapters.kube.wire.transport import Timeouts, Transport
from aicost.crd.allocations.parameters import GROUP, VERSION
from aicost.crd.outcomes.resource import OUTCOMES
from aicost.domain.serving.outcomes.posted import Statement
from aicost.entrypoints.cli.sources.outcomes.reading import document_of
from aicost.entrypoints.cli.sources.query import failures
from aicost.entrypoints.cli.sources.query.route import reached
from aicost.ports.errors import NotPermitted

AT_ONCE = 1_000
"""Statements of one request: far below what the server takes at most."""
_PATIENCE = Timeouts(read=65.0)
_RESOURCE = Resource(GROUP, VERSION, OUTCOMES.plural, OUTCOMES.kind)


def post_to_cluster(config: ClusterConfig, statements: Sequence[Statement]) -> Iterator[tuple[str, int]]:
    """Post statements, some at once, each namespace by itself.

    Yields:
        Namespace and number of those that are kept, after each request. What was yielded is kept whatever comes after.

    Raises:
        InvalidRequest: the server refuses one of them.
        NotPermitted: one may not post to a namespace.
        ClusterUnavailable, InvalidAnswer: no answer, or no such API.
    """
    by_namespace: dict[str, list[Statement]] = defaultdict(list)
    for one in statements:
        by_namespace[one.namespace].append(one)
    for namespace, mine in sorted(by_namespace.items()):
        for begin in range(0, len(mine), AT_ONCE):
            part = mine[begin : begin + AT_ONCE]
            asyncio.run(_send(config, namespace, part))
            yield namespace, len(part)


def post_to_ledger(
    place: str, cluster: str | None, statements: Sequence[Statement], key_file: str | None, now_ms: int
) -> Iterator[tuple[str, int]]:
    """Keep statements beside a ledger at once; yields as `post_to_cluster`.

    Args:
        place: directory or URL of the ledger.
        cluster: the cluster in it; None where it knows one alone.
        statements: what to keep.
        key_file: the key of customers' ids; None keeps their names.
        now_ms: the present moment.

    Raises:
        InvalidRequest: there is no such ledger, cluster or key.
        LedgerUnavailable: nothing was kept.
    """
    from aicost.bootstrap import customer_ids, open_outcomes  # noqa: PLC0415 -- Delta takes a second to import
    from aicost.entrypoints.cli.sources.ledger import open_place, the_cluster  # noqa: PLC0415 -- as above

    ledger = open_place(place)
    named = the_cluster(ledger.snapshot(), cluster)
    if key_file:
        ids = customer_ids(key_file)
        statements = [replace(one, customer=ids.id_of(one.customer)) if one.customer else one for one in statements]
    open_outcomes(ledger).post(named, statements, now_ms)
    counts: dict[str, int] = defaultdict(int)
    for one in statements:
        counts[one.namespace] += 1
    yield from sorted(counts.items())


async def _send(config: ClusterConfig, namespace: str, statements: Sequence[Statement]) -> None:
    body = json.dumps([document_of(one) for one in statements]).encode()
    call = Call.on(_RESOURCE, "create", "POST", namespace=namespace, body=body)
    async with reached(config) as there, Transport(there, _PATIENCE) as transport:
        try:
            await transport.send(call)
        except NotFound as missing:
            raise await failures.not_found(transport, missing, OUTCOMES.plural) from missing
        except NotPermitted as refused:
            raise NotPermitted(
                f"{refused}. Who administers namespace {namespace} can grant it: kubectl create rolebinding NAME -n "
                f"{namespace} --clusterrole=aicost-outcomes --serviceaccount={namespace}:NAME"
            ) from refused
        except ServerFault as problem:
            raise failures.unavailable(problem, there) from problem
        except Rejected as problem:
            raise failures.rejected(problem) from problem
