"""Receipts of a cluster, asked of its query API with the user's own rights."""

from collections.abc import Mapping
from typing import Any

from aicost.adapters.kube.config import ClusterConfig
from aicost.adapters.kube.wire.resources import Resource
from aicost.crd.allocations.parameters import GROUP, VERSION
from aicost.crd.receipts.document import API_VERSION, KIND
from aicost.domain.exact.windows import Window
from aicost.domain.receipts.subjects import Subject
from aicost.entrypoints.cli.sources.cluster import ask_columns, ask_team
from aicost.ports.errors import InvalidAnswer, NotPermitted

RECEIPTS = Resource(GROUP, VERSION, "receipts", "Receipt")


def receipt_of_cluster(
    config: ClusterConfig, subject: Subject, span: Window, detail: Window | None, team: str | None
) -> Mapping[str, Any]:
    """The document of a receipt: in full for who may see all namespaces, else without others on the same devices.

    Args:
        config: the cluster.
        subject: what is to be explained.
        span: the time.
        detail: the window to show in detail; None for the one that cost most.
        team: ask with the rights that one has over a team; None asks with those over namespaces.

    Raises:
        InvalidRequest: nothing is known of it, or too many windows are asked for.
        NotPermitted: it may not be read.
        ClusterUnavailable, InvalidAnswer: no answer, or none that can be used.
    """
    name = f"{subject.namespace}/{subject.name}" if subject.namespace else subject.name
    asked = [(subject.kind.value, name), ("window", str(span)), *([] if detail is None else [("detail", str(detail))])]
    if team is not None:
        return _checked(ask_team(config, RECEIPTS.plural, asked, team))
    try:
        return _checked(ask_columns(config, RECEIPTS, asked, None))
    except NotPermitted:
        if not subject.namespace:
            raise
        return _checked(ask_columns(config, RECEIPTS, asked, subject.namespace))


def _checked(document: Any) -> Mapping[str, Any]:
    found = (document.get("apiVersion"), document.get("kind")) if isinstance(document, Mapping) else None
    if found != (API_VERSION, KIND):
        raise InvalidAnswer(
            f"the answer is no {KIND} of {API_VERSION}, but {found}: use an aicost of the server's version"
        )
    return dict(document)
