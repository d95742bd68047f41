"""Unit costs of a cluster, asked of its query API with the user's own rights."""

from dataclasses import dataclass

from aicost.adapters.documents.unit_report import read_back
from aicost.adapters.kube.config import ClusterConfig
from aicost.adapters.kube.wire.resources import Resource
from aicost.crd.allocations.parameters import GROUP, VERSION
from aicost.crd.coverage.document import check_document
from aicost.crd.unitcosts.resource import UNIT_COSTS
from aicost.domain.exact.windows import Window, to_rfc3339
from aicost.domain.reporting.question import write_filters
from aicost.entrypoints.cli.sources.cluster import ask_columns
from aicost.ports.errors import InvalidAnswer
from aicost.usecases.economics.cost_units import UnitQuestion, UnitReport

_RESOURCE = Resource(GROUP, VERSION, UNIT_COSTS.plural, UNIT_COSTS.kind)


@dataclass(frozen=True, slots=True)
class Remote:
    """A cluster, and what of it is asked about.

    Attributes:
        namespace: one namespace; None for all.
    """

    config: ClusterConfig
    namespace: str | None


def ask_units(remote: Remote, span: Window, question: UnitQuestion) -> UnitReport:
    """Unit costs of a span.

    Raises:
        InvalidRequest: the question makes no sense, or not for one namespace.
        NotPermitted: the user may not read the cost of that namespace, or of all.
        ClusterUnavailable: no answer.
        InvalidAnswer: the cluster does not serve unit costs, or those of another version.
    """
    single = {
        "window": f"{to_rfc3339(span.start_ms)}/{to_rfc3339(span.end_ms)}",
        "by": ",".join(question.keys),
        "tenants": question.tenants.value if question.tenants else "",
        "rounds": "true" if question.rounds else "",
    }
    asked = [(name, value) for name, value in single.items() if value]
    asked += [("filter", text) for text in write_filters(question.filters)]
    document = ask_columns(remote.config, _RESOURCE, asked, remote.namespace)
    try:
        return read_back(check_document(document, UNIT_COSTS.report_kind)["report"])
    except (ValueError, KeyError) as problem:
        raise InvalidAnswer(f"{problem}: use an aicost of the server's version") from problem
