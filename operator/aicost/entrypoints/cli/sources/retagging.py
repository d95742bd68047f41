"""The label policies that posted cost is tagged again by."""

from collections.abc import Sequence
from pathlib import Path

from aicost.domain.policy.policies import LabelPolicy
from aicost.entrypoints.cli.sources.bodies import policies_of
from aicost.entrypoints.cli.sources.cluster import find_cluster
from aicost.entrypoints.cli.sources.objects import Wish, gather, own_resource
from aicost.entrypoints.cli.sources.policies import rules_of_files
from aicost.ports.errors import InvalidAnswer


def policies_to_tag_by(places: Sequence[str], kubeconfig: Path | None, context: str | None) -> Sequence[LabelPolicy]:
    """The policies in files, or where none is named those of the cluster, as its controller uses them.

    Raises:
        InvalidRequest: there is no policy in the files, something in one is wrong, or there is no cluster to ask.
        InvalidAnswer: not all policies of the cluster could be read: tags would be taken away without a reason.
        NotPermitted: they may not be read.
        ClusterUnavailable: no answer.
    """
    if places:
        return rules_of_files(places).policies
    config = find_cluster(kubeconfig, context, instead="or name policies by --policies FILE")
    gathered = gather(config, [Wish(own_resource("CostLabelPolicy"))])
    if gathered.gaps:
        raise InvalidAnswer(f"{'; '.join(gathered.gaps)}. Install the chart, or name policies by --policies FILE")
    return policies_of(gathered.bodies, [])
