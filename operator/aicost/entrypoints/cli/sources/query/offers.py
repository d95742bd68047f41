"""Offers of the query API: the market for those who may read neither nodes nor price books."""

from collections.abc import Iterable

from aicost.adapters.kube.config import ClusterConfig
from aicost.adapters.kube.wire.resources import Resource
from aicost.crd.allocations.parameters import GROUP, VERSION
from aicost.crd.offers.document import read_offers
from aicost.domain.estimates.values import Market
from aicost.domain.workloads.shapes import Workload
from aicost.entrypoints.cli.sources.cluster import ask_columns
from aicost.ports.errors import InvalidAnswer

OFFERS = Resource(GROUP, VERSION, "offers", "Offer")


def ask_offers(config: ClusterConfig, workloads: Iterable[Workload], namespace: str) -> Market:
    """What is on offer, asked with the rights that one has in a namespace.

    Args:
        config: the cluster.
        workloads: what is to run there; the labels of nodes that it selects by are asked for.
        namespace: where it goes.

    Raises:
        NotPermitted: the offers may not be read either.
        ClusterUnavailable, InvalidAnswer: no answer, or none that can be used.
    """
    labels = {pair for one in workloads for template in one.templates for pair in template.hints.node_labels.items()}
    asked = [("label", f"{key}={value}") for key, value in sorted(labels)]
    try:
        return read_offers(ask_columns(config, OFFERS, asked, namespace))
    except ValueError as problem:
        raise InvalidAnswer(f"{problem}: use an aicost of the server's version") from problem
