"""All that is needed to speak with one API server."""

from dataclasses import dataclass, field

from aicost.adapters.kube.auth.credentials import Credentials
from aicost.adapters.kube.auth.tls import Trust


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """Where the API server is and who we are to it.

    Attributes:
        server: URL without a slash at the end.
        namespace: the namespace that we run in, or that the kubeconfig's context names.
        origin: where all this was read, for messages.
    """

    server: str
    credentials: Credentials
    trust: Trust = field(default_factory=Trust)
    namespace: str = "default"
    origin: str = ""
