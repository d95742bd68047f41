"""Answers of the query API, asked through the API server with nothing but a kubeconfig."""

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from multidict import MultiDict

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.config import ClusterConfig, load
from aicost.adapters.kube.wire.calls import Call
from aicost.adapters.kube.wire.errors import Expired, NotFound, Rejected, ServerFault
from aicost.adapters.kube.wire.resources import Resource
from aicost.adapters.kube.wire.transport import Timeouts, Transport
from aicost.crd.allocations.parameters import (
    CHUNK,
    CONTINUE,
    FORMAT,
    GROUP,
    KIND,
    PLURAL,
    REPORT_FORMAT,
    VERSION,
    write_parameters,
)
from aicost.crd.allocations.reading import read_reports
from aicost.crd.coverage.document import check_document
from aicost.crd.coverage.resources import Served
from aicost.domain.reporting.query import Report
from aicost.domain.reporting.question import Question
from aicost.entrypoints.cli.sources.query import failures
from aicost.entrypoints.cli.sources.query.route import Cluster, reached
from aicost.ports.errors import InvalidAnswer, InvalidRequest, NotPermitted
from aicost.usecases.answer_question import check_question

ALLOCATIONS = Resource(GROUP, VERSION, PLURAL, KIND)
TEAMS = "teams"
_ROWS_AT_ONCE = 5_000
_PATIENCE = Timeouts(read=65.0)
"""The API server itself gives up after 60 seconds."""


def find_cluster(
    kubeconfig: Path | None, context: str | None, *, instead: str = "or read a ledger directly by --ledger"
) -> ClusterConfig:
    """The cluster that kubectl would speak with.

    Args:
        kubeconfig: file that the user named.
        context: context that the user named.
        instead: what else one could do, for people.

    Raises:
        InvalidRequest: there is none.
    """
    try:
        found = load(dict(os.environ), now_ms, kubeconfig=kubeconfig, context=context)
    except InvalidRequest as problem:
        raise InvalidRequest(f"{problem}; {instead}") from problem
    return Cluster.of(found, kubeconfig, context, os.environ)


def ask_cluster(config: ClusterConfig, question: Question) -> tuple[Report, ...]:
    """Ask the query API.

    Raises:
        InvalidRequest: the question makes no sense.
        NotPermitted: the user may not read the cost of that namespace, or of all.
        ClusterUnavailable: no answer.
        InvalidAnswer: the cluster does not serve the query API, or one of another version.
    """
    check_question(question, now_ms())
    asked = write_parameters(question)
    if question.limit is not None:
        return read_reports(_page(config, question, asked))
    try:
        return read_reports(_all_pages(config, question, asked))
    except Expired:  # the ledger was written meanwhile, or another replica answered
        return read_reports(_all_pages(config, question, asked))


def _all_pages(config: ClusterConfig, question: Question, asked: Sequence[tuple[str, str]]) -> Any:
    """All rows of an answer: its pages put together."""
    sized = [*asked, (CHUNK, str(_ROWS_AT_ONCE))]
    first = document = _page(config, question, sized)
    while isinstance(document, dict) and document.get(CONTINUE):
        document = _page(config, question, [*sized, (CONTINUE, str(document[CONTINUE]))])
        for whole, more in zip(first["reports"], document["reports"], strict=True):
            whole["rows"] += more["rows"]
    return first


def _page(config: ClusterConfig, question: Question, asked: Sequence[tuple[str, str]]) -> Any:
    if question.team is not None:
        return ask_team(config, PLURAL, asked, question.team)
    return _ask(config, ALLOCATIONS, asked, question.namespace)


def ask_team(config: ClusterConfig, plural: str, parameters: Sequence[tuple[str, str]], team: str) -> Any:
    """The document of a resource about one team, in all namespaces; errors as of `ask_cluster`."""
    return _ask(config, Resource(GROUP, VERSION, TEAMS, "Team", namespaced=False), parameters, None, (team, plural))


def ask_document(
    config: ClusterConfig, served: Served, parameters: Mapping[str, str], namespace: str | None
) -> Mapping[str, Any]:
    """The document of a resource that the query API serves; errors as of `ask_cluster`."""
    resource = Resource(GROUP, VERSION, served.plural, served.kind)
    try:
        return check_document(_ask(config, resource, list(parameters.items()), namespace), served.report_kind)
    except ValueError as problem:
        raise InvalidAnswer(f"{problem}: use an aicost of the server's version") from problem


def ask_columns(
    config: ClusterConfig, resource: Resource, parameters: Sequence[tuple[str, str]], namespace: str | None
) -> Any:
    """The document of a resource whose parameters may be repeated; errors as of `ask_cluster`."""
    return _ask(config, resource, parameters, namespace)


def _ask(
    config: ClusterConfig,
    resource: Resource,
    parameters: Sequence[tuple[str, str]],
    namespace: str | None,
    team: tuple[str, str] | None = None,
) -> Any:
    """The report document of a resource, as JSON; `team` names one with the resource that is asked about it."""
    body = asyncio.run(_fetch(config, _call(resource, parameters, namespace, team), namespace, team and team[0]))
    try:
        return json.loads(body)
    except ValueError as problem:
        raise InvalidAnswer(f"the query API's answer is not JSON: {problem}") from problem


def _call(
    resource: Resource, asked: Sequence[tuple[str, str]], namespace: str | None, team: tuple[str, str] | None
) -> Call:
    parameters = MultiDict([*asked, (FORMAT, REPORT_FORMAT)])
    if team is None:
        return Call.on(resource, "list", "GET", namespace=namespace, params=parameters)
    return Call.on(resource, "get", "GET", name=team[0], subresource=team[1], params=parameters)


async def _fetch(config: ClusterConfig, call: Call, namespace: str | None, team: str | None) -> bytes:
    async with reached(config) as there, Transport(there, _PATIENCE) as transport:
        try:
            return await transport.send(call)
        except NotFound as missing:
            raise await failures.not_found(transport, missing, call.target) from missing
        except NotPermitted as refused:
            raise failures.not_permitted(refused, call, namespace, team) from refused
        except ServerFault as problem:
            raise failures.unavailable(problem, there) from problem
        except Rejected as problem:
            raise failures.rejected(problem) from problem
