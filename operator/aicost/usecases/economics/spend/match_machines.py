"""Put the machines of a cloud's bill beside the nodes that the ledger costs."""

from collections.abc import Iterable, Mapping, Sequence

from aicost.domain.exact.windows import Window
from aicost.domain.thirdparty.machines import MachineLine, MatchedMachine, match, node_keys, resource_keys
from aicost.ports.ledger import LedgerReader


def match_machines(
    ledger: LedgerReader, cluster: str | None, lines: Iterable[MachineLine], nodes: Mapping[str, str]
) -> Sequence[MatchedMachine]:
    """Machines that are both in the bill and in the cluster, with what each of the two says.

    Args:
        ledger: a snapshot.
        cluster: whose nodes they are; None for all that the ledger knows.
        lines: of the bill.
        nodes: name -> `spec.providerID`.

    Raises:
        LedgerUnavailable: the ledger cannot be read.
    """
    known = {key for provider_id in nodes.values() for key in node_keys(provider_id)}
    ours = [line for line in lines if known & set(resource_keys(line.resource))]
    costs: dict[tuple[str, Window, str], int] = {}
    for day in sorted({line.day for line in ours}):
        for group in ledger.sums(day, ("node",), {"node": tuple(sorted(nodes))}, cluster=cluster):
            key = group.keys[0], day, group.currency
            costs[key] = costs.get(key, 0) + group.cost_nanos
    return match(ours, nodes, costs)
