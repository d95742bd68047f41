"""Whether the API server asks our webhook: tried from end to end, by an object that exists to be refused.

Configuration, trust, certificate, network and the process itself all have to work for the refusal to come, so the
answer needs no rights to look at any of them.
"""

import re
from dataclasses import dataclass

from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.wire.resources import Resource
from aicost.ports.errors import AicostError, NotPermitted

PROBE = "aicost-enforcement-probe"
"""Name of the object. The chart's configuration sends the webhook objects of this name, from its own namespace."""
REFUSAL = "aicost is asked, with policies of revision {revision}"
_REFUSED = re.compile(re.escape(REFUSAL).replace(re.escape("{revision}"), r"(\w+)"))
_WORKLOADS = Resource("aicost.dev", "v1alpha1", "aiworkloads", "AIWorkload")


@dataclass(frozen=True, slots=True)
class Probed:
    """What one try showed.

    Attributes:
        problem: why cost labels are not enforced by the webhook now, empty where they are.
        revision: of the policies that it judges by, empty where it did not answer.
    """

    problem: str = ""
    revision: str = ""


async def probe_webhook(client: KubeClient, namespace: str) -> Probed:
    """Try to make the object, as a dry run: where nobody refuses it, nothing was made either.

    Args:
        client: an open client.
        namespace: the release's own, where we may create AIWorkloads.
    """
    body = {
        "apiVersion": _WORKLOADS.api_version,
        "kind": _WORKLOADS.kind,
        "metadata": {"name": PROBE, "namespace": namespace},
        "spec": {"selector": {"matchLabels": {"aicost.dev/probe": "nothing"}}},
    }
    try:
        await client.create(_WORKLOADS, body, namespace, dry_run=True)
    except NotPermitted as refusal:
        found = _REFUSED.search(str(refusal))
        return Probed(revision=found[1]) if found else Probed(f"the webhook could not be tried: {refusal}")
    except AicostError as problem:
        return Probed(f"the webhook could not be tried: {problem}")
    return Probed("the API server went on without the webhook: see docs/runbooks/admission-down.md")
