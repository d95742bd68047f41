"""Machines of a cloud's bill that a cluster costs already: matched by provider id, compared, and never counted again.

`spec.providerID` of a node and the resource of a bill name the same machine in two spellings. Each is read into keys;
one key in common is a match.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aicost.domain.exact.apportion import rescale
from aicost.domain.exact.windows import Window
from aicost.domain.thirdparty.lines import ATTOS_PER_NANO

_AWS = re.compile(r"(?:^|/)(i-[0-9a-z]{8,17})$")
_GCE = re.compile(r"^gce://([^/]+)/([^/]+)/([^/]+)$")
_GCP_RESOURCE = re.compile(r"(?:^|/)projects/([^/]+)/zones/([^/]+)/instances/([^/]+)$")
_AZURE_SET = re.compile(r"^(/subscriptions/.+/virtualmachinescalesets/[^/]+)/virtualmachines/[^/]+$")
_OCID = re.compile(r"(ocid\d\.instance\.[0-9a-z._-]+)")


@dataclass(frozen=True, slots=True)
class MachineLine:
    """A line of a bill about a resource that may be a node.

    Attributes:
        resource: as the bill calls it.
        by_time: it is the price of the machine's time; others, such as traffic, no node's cost has in it.
    """

    day: Window
    resource: str
    cost_attos: int
    currency: str
    by_time: bool


@dataclass(frozen=True, slots=True)
class Ignored:
    """Lines of a bill that count nowhere, by what they are about.

    Attributes:
        unread: lines whose amount is none.
    """

    category: str
    service: str
    currency: str
    lines: int
    cost_attos: int
    unread: int = 0


@dataclass(frozen=True, slots=True)
class MatchedMachine:
    """A machine that is in the bill and in the cluster.

    Attributes:
        nodes: their names; several where a bill names a scale set as a whole.
        resource: as the bill calls it.
        billed_nanos: what the bill says of its time.
        beside_nanos: what the bill says of it beside that, such as traffic: no node's cost has it in it.
        ledger_nanos: what the ledger says of these nodes on the same days; None where it has nothing in this currency.
        days: how many days of the bill name it.
    """

    nodes: tuple[str, ...]
    resource: str
    currency: str
    billed_nanos: int
    beside_nanos: int
    ledger_nanos: int | None
    days: int

    @property
    def difference_nanos(self) -> int | None:
        """Ledger less bill; None where the ledger has nothing."""
        return None if self.ledger_nanos is None else self.ledger_nanos - self.billed_nanos


def node_keys(provider_id: str) -> tuple[str, ...]:
    """Keys of a node by its `spec.providerID`, the most exact first; none where it says nothing.

    `aws:///us-east-1a/i-0abc`, `gce://project/zone/name`, `azure:///subscriptions/.../virtualMachines/0`,
    `ocid1.instance.oc1...`; any other cloud's id as a whole.
    """
    text = provider_id.strip()
    if gce := _GCE.match(text):
        project, zone, name = gce.groups()
        return f"gcp/{project}/{zone}/{name}".lower(), f"gcp/#/{zone}/{name}".lower()
    if text.lower().startswith("azure://"):
        path = text[len("azure://") :].lower()
        shared = _AZURE_SET.match(path)
        return (f"azure{path}", *((f"azure{shared[1]}",) if shared else ()))
    scheme, separator, rest = text.partition("://")
    if scheme == "aws" and (aws := _AWS.search(rest)):
        return (f"aws/{aws[1]}",)
    if oracle := _OCID.search(text.lower()):
        return (f"oracle/{oracle[1]}",)
    return (f"other/{rest.strip('/').lower()}",) if separator and rest.strip("/") else ()


def resource_keys(resource: str) -> tuple[str, ...]:
    """Keys of a resource of a bill: an id, an ARN, a path."""
    text = resource.strip()
    if aws := _AWS.search(text):
        return (f"aws/{aws[1]}",)
    if gcp := _GCP_RESOURCE.search(text):
        project, zone, name = gcp.groups()
        numbered = project.isdigit()
        return (f"gcp/#/{zone}/{name}".lower() if numbered else f"gcp/{project}/{zone}/{name}".lower(),)
    if text.lower().startswith("/subscriptions/"):
        return (f"azure{text.lower()}",)
    if oracle := _OCID.search(text.lower()):
        return (f"oracle/{oracle[1]}",)
    return (f"other/{text.strip('/').lower()}",) if text.strip("/") else ()


def match(
    lines: Iterable[MachineLine],
    nodes: Mapping[str, str],
    ledger: Mapping[tuple[str, Window, str], int],
) -> tuple[MatchedMachine, ...]:
    """Machines that are both in a bill and in a cluster, the largest difference first.

    Args:
        lines: of the bill.
        nodes: name -> `spec.providerID`.
        ledger: node, day and currency -> what the ledger has.
    """
    known = defaultdict[str, list[str]](list)
    for name, provider_id in sorted(nodes.items()):
        for key in node_keys(provider_id):
            known[key].append(name)
    found = defaultdict[tuple[tuple[str, ...], str, str], list[MachineLine]](list)
    for line in lines:
        names = next((known[key] for key in resource_keys(line.resource) if key in known), None)
        if names:
            found[tuple(names), line.resource, line.currency].append(line)
    return tuple(sorted((_matched(*key, mine, ledger) for key, mine in found.items()), key=_order))


def _matched(
    nodes: tuple[str, ...],
    resource: str,
    currency: str,
    lines: Sequence[MachineLine],
    ledger: Mapping[tuple[str, Window, str], int],
) -> MatchedMachine:
    days = {line.day for line in lines}
    there = [ledger[name, day, currency] for name in nodes for day in days if (name, day, currency) in ledger]
    time, beside = (sum(line.cost_attos for line in lines if line.by_time is kind) for kind in (True, False))
    billed, rest = rescale([time, beside], 1, ATTOS_PER_NANO)
    return MatchedMachine(nodes, resource, currency, billed, rest, sum(there) if there else None, len(days))


def _order(one: MatchedMachine) -> tuple[object, ...]:
    return -abs(one.difference_nanos or 0), one.nodes, one.resource, one.currency
