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
from aicost.adapters.kube.wire.errors import NotFound
from aicost.adapters.kube.wire.resources import Resource
from aicost.adapters.kube.wire.transport import Timeouts, Transport
from aicost.crd.allocations.parameters import (
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
from aicost.ports.errors import InvalidAnswer, InvalidRequest, NotPermitted
from aicost.usecases.answer_question import check_question

ALLOCATIONS = Resource(GROUP, VERSION, PLURAL, KIND)
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
        return load(dict(os.environ), now_ms, kubeconfig=kubeconfig, context=context)
    except InvalidRequest as problem:
        raise InvalidRequest(f"{problem}; {instead}") from problem


def ask_cluster(config: ClusterConfig, question: Question) -> tuple[Report, ...]:
    """Ask the query API.

    Raises:
        InvalidRequest: the question makes no sense.
        NotPermitted: the user may not read the cost of that namespace, or of all.
        ClusterUnavailable: no answer.
        InvalidAnswer: the cluster does not serve the query API, or one of another version.
    """
    check_question(question, now_ms())
    return read_reports(_ask(config, ALLOCATIONS, write_parameters(question), question.namespace))


def ask_document(
    config: ClusterConfig, served: Served, parameters: Mapping[str, str], namespace: str | None
) -> Mapping[str, Any]:
    """The document of a resource that the query API serves; errors as of `ask_cluster`."""
    resource = Resource(GROUP, VERSION, served.plural, served.kind)
    try:
        return check_document(_ask(config, resource, list(parameters.items()), namespace), served.report_kind)
    except ValueError as problem:
        raise InvalidAnswer(f"{problem}: use an aicost of the server's version") from problem


def _ask(
    config: ClusterConfig, resource: Resource, parameters: Sequence[tuple[str, str]], namespace: str | None
) -> Any:
    """The report document of a resource, as JSON."""
    body = asyncio.run(_fetch(config, resource, parameters, namespace))
    try:
        return json.loads(body)
    except ValueError as problem:
        raise InvalidAnswer(f"the query API's answer is not JSON: {problem}") from problem


async def _fetch(
    config: ClusterConfig, resource: Resource, asked: Sequence[tuple[str, str]], namespace: str | None
) -> bytes:
    parameters = MultiDict([*asked, (FORMAT, REPORT_FORMAT)])
    call = Call.on(resource, "list", "GET", namespace=namespace, params=parameters)
    try:
        async with Transport(config, _PATIENCE) as transport:
            return await transport.send(call)
    except NotFound as missing:
        raise InvalidAnswer(
            f"{config.server} does not serve {GROUP}/{VERSION}: install the chart with queryApi.enabled=true, "
            "or read the ledger directly by --ledger"
        ) from missing
    except NotPermitted as refused:
        hint = "" if namespace else ". For one namespace: -n NAMESPACE"
        raise NotPermitted(f"{refused}{hint}") from refused
