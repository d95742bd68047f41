"""Machines of bills beside nodes."""

from collections.abc import Mapping, Sequence

from aicost.adapters.pricing.bills.reading import read_bill
from aicost.bootstrap import open_ledger
from aicost.entrypoints.cli.manifests.documents import read_documents
from aicost.entrypoints.cli.output.spend.machines_screen import Matched
from aicost.ports.errors import InvalidRequest
from aicost.usecases.economics.spend.match_machines import match_machines


def match_in(files: Sequence[tuple[str, bytes]], places: Sequence[str], ledger: str, cluster: str | None) -> Matched:
    """Read bills and nodes, and put them beside the ledger.

    Args:
        files: name and content of each bill.
        places: files with nodes.
        ledger: directory or URL.
        cluster: whose nodes they are; None for all.

    Raises:
        InvalidRequest: a file is no bill, or there are no nodes.
        LedgerUnavailable: the ledger cannot be read.
    """
    bills = [read_bill(content, name) for name, content in files]
    nodes = _nodes(places)
    lines = [line for bill in bills for line in bill.machines]
    machines = match_machines(open_ledger(ledger).snapshot(), cluster, lines, nodes)
    ignored = [one for bill in bills for one in bill.ignored]
    return Matched(len(nodes), machines, sum(len(bill.lines) for bill in bills), ignored)


def _nodes(places: Sequence[str]) -> Mapping[str, str]:
    """Name -> `spec.providerID`."""
    found = {
        str(one.body["metadata"]["name"]): str((one.body.get("spec") or {}).get("providerID") or "")
        for one in read_documents(places)
        if one.kind == "Node" and isinstance(one.body.get("metadata"), dict) and "name" in one.body["metadata"]
    }
    if not found:
        fix = "give what `kubectl get nodes -o json` says"
        raise InvalidRequest(f"--nodes {', '.join(places)}: no Node is in it: {fix}")
    return found
