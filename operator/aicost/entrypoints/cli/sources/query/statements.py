"""Statements of a cluster, asked of its query API with the user's own rights."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aicost.adapters.kube.config import ClusterConfig
from aicost.adapters.kube.wire.resources import Resource
from aicost.crd.allocations.parameters import GROUP, VERSION
from aicost.domain.reporting.question import NAMESPACE, TEAM
from aicost.domain.statements.document import check_document
from aicost.entrypoints.cli.sources.cluster import ask_columns, ask_team
from aicost.entrypoints.cli.sources.statements.issued import issued_file, read_issued
from aicost.ports.errors import InvalidAnswer, InvalidRequest, NotPermitted
from aicost.usecases.build_statement import StatementRequest

STATEMENTS = Resource(GROUP, VERSION, "statements", "Statement")
Pairs = Sequence[tuple[str, str]]


def state_cluster(config: ClusterConfig, request: StatementRequest, issued: str | None) -> Mapping[str, Any]:
    """The statement of a cluster: with open books for who may see all namespaces, else of the team or namespace alone.

    Args:
        config: the cluster.
        request: what is stated.
        issued: what adjustments are counted from: a statement's file, a version or a moment; None for the first
            postings.

    Raises:
        InvalidRequest: it makes no sense.
        NotPermitted: neither all namespaces nor what the payer names may be read.
        ClusterUnavailable, InvalidAnswer: no answer, or none that can be used.
    """
    asked = write_statement(request, None if issued is None else _since(issued))
    try:
        document = _whole(config, request, asked)
        return check_document(document)
    except ValueError as problem:
        raise InvalidAnswer(f"{problem}: use an aicost of the server's version") from problem


def write_statement(request: StatementRequest, since: str | None) -> list[tuple[str, str]]:
    """The parameters of a request, as the query API reads them."""
    single = {
        "window": request.window,
        "per": request.per,
        "by": ",".join(request.by),
        "timeZone": request.time_zone,
        "shared": request.shared,
        "shares": None if request.shares is None else json.dumps(dict(request.shares), default=str),
        "since": since,
        "limit": None if request.limit is None else str(request.limit),
    }
    repeated = [
        *(("payer", f"{key}={value}") for key, value in request.payer.items()),
        *(("sharedBucket", bucket) for bucket in request.shared_buckets),
    ]
    return [*((name, value) for name, value in single.items() if value), *repeated]


def _whole(config: ClusterConfig, request: StatementRequest, asked: Pairs) -> Any:
    try:
        return ask_columns(config, STATEMENTS, asked, None)
    except NotPermitted as refused:
        return _own(config, request, asked, refused)


def _own(config: ClusterConfig, request: StatementRequest, asked: Pairs, refused: NotPermitted) -> Any:
    """What one may see of one's own: by the team that pays, else by the namespace."""
    team, namespace = request.payer.get(TEAM), request.payer.get(NAMESPACE)
    if namespace is not None:
        return ask_columns(config, STATEMENTS, asked, namespace)
    if team is not None:
        return ask_team(config, STATEMENTS.plural, asked, team)
    raise NotPermitted(
        f"{str(refused).rstrip('.')}. For what is your own, name it as the payer: --team NAME or -n NAMESPACE"
    ) from refused


def _since(issued: str) -> str:
    """A version or a moment; of a statement's file its version."""
    if (file := issued_file(issued)) is None:
        return issued
    ledgers = read_issued(file)["ledgers"]
    if len(ledgers) != 1:
        raise InvalidRequest(
            f"--issued: {file} was made of {len(ledgers)} ledgers, and a cluster has one: name --ledger"
        )
    (ledger,) = ledgers
    if ledger["version"] is None:
        raise InvalidRequest(f"--issued: {file} was made of an empty ledger: leave --issued out")
    return str(ledger["version"])
