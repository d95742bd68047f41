"""Cost over time for a simulation, asked of a cluster with the user's own rights."""

from collections.abc import Mapping

from aicost.adapters.kube.config import ClusterConfig
from aicost.adapters.kube.wire.resources import NAMESPACES, Resource
from aicost.crd.allocations.parameters import GROUP, VERSION
from aicost.crd.coverage.document import check_document
from aicost.domain.budgets.simulation.columns import KIND, PLURAL, REPORT_KIND, read_columns
from aicost.domain.budgets.simulation.record import Record
from aicost.domain.reporting.question import write_filters
from aicost.entrypoints.cli.sources.bodies import namespaces_of
from aicost.entrypoints.cli.sources.cluster import ask_columns
from aicost.entrypoints.cli.sources.objects import Wish, gather
from aicost.ports.errors import InvalidAnswer, NotPermitted
from aicost.usecases.budgets.simulate import SeriesQuestion

_HINT = ". For one namespace: -n NAMESPACE"


def record_of_cluster(config: ClusterConfig, asked: SeriesQuestion, namespace: str | None) -> Record:
    """What the ledger of a cluster recorded, by its query API.

    Raises:
        InvalidRequest: it is too much for one answer.
        NotPermitted: the user may not read the cost of that namespace, or of all.
        ClusterUnavailable: no answer.
        InvalidAnswer: the cluster does not serve it, or in another version.
    """
    filters = {key: values for key, values in asked.filters.items() if namespace is None or key != "namespace"}
    parameters = [
        ("window", str(asked.span)),
        ("by", ",".join(asked.keys)),
        *(("filter", text) for text in write_filters(filters)),
    ]
    try:
        document = ask_columns(config, Resource(GROUP, VERSION, PLURAL, KIND), parameters, namespace)
        return read_columns(check_document(document, REPORT_KIND))
    except NotPermitted as refused:
        wide = "" if namespace else ". A ClusterBudget is about all namespaces: it takes the right to list it in all"
        raise NotPermitted(f"{str(refused).removesuffix(_HINT)}{wide}") from refused
    except ValueError as problem:
        raise InvalidAnswer(f"{problem}: use an aicost of the server's version") from problem


def namespace_labels(config: ClusterConfig) -> Mapping[str, Mapping[str, str]]:
    """Namespaces of a cluster with the labels that they have now.

    Raises:
        NotPermitted: they may not be listed.
    """
    return {one.name: one.labels for one in namespaces_of(gather(config, [Wish(NAMESPACES)]).bodies)}
