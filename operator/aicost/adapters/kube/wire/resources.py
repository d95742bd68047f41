"""Names and paths of the resources that we speak of with the API server."""

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of object that the API server keeps.

    Attributes:
        group: API group, empty for the core group.
        plural: name in paths and in RBAC rules, such as `pods`.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """Group and version as objects carry them: `v1`, `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """URL path of the collection, or of one object, or of a subresource of it.

        Raises:
            ValueError: one object of a namespaced kind without its namespace.
        """
        if name is not None and self.namespaced and not namespace:
            raise ValueError(f"{self.kind} {name!r} lives in a namespace: say which")
        parts = ["api" if not self.group else f"apis/{self.group}", self.version]
        if namespace and self.namespaced:
            parts += ["namespaces", quote(namespace, safe="")]
        parts.append(self.plural)
        parts += [quote(part, safe=":") for part in (name, subresource) if part]
        return "/" + "/".join(parts)

    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


@dataclass(frozen=True, slots=True)
class ServedKind:
    """A resource as the server offers it.

    Attributes:
        subresources: names of what it has below its objects: `status`, `scale`.
    """

    resource: Resource
    subresources: frozenset[str] = frozenset()

    @property
    def scalable(self) -> bool:
        """Whether its objects have a `/scale`."""
        return SCALE in self.subresources


SCALE = "scale"
"""Subresource by which the number of replicas is read and written, whatever the kind calls its field."""

PODS = Resource("", "v1", "pods", "Pod")
NODES = Resource("", "v1", "nodes", "Node", namespaced=False)
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
VOLUME_CLAIMS = Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")
SERVICES = Resource("", "v1", "services", "Service")
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
EVENTS = Resource("events.k8s.io", "v1", "events", "Event")
SECRETS = Resource("", "v1", "secrets", "Secret")
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
DRA_GROUP = "resource.k8s.io"
DRA_VERSIONS = ("v1", "v1beta2", "v1beta1")
"""Versions of dynamic resource allocation that we read, the best first."""
VALIDATING_WEBHOOKS = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "validatingwebhookconfigurations",
    "ValidatingWebhookConfiguration",
    namespaced=False,
)
MUTATING_WEBHOOKS = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "mutatingwebhookconfigurations",
    "MutatingWebhookConfiguration",
    namespaced=False,
)


def resource_claims(version: str) -> Resource:
    """ResourceClaims in a version of their API."""
    return Resource(DRA_GROUP, version, "resourceclaims", "ResourceClaim")


def resource_slices(version: str) -> Resource:
    """ResourceSlices in a version of their API."""
    return Resource(DRA_GROUP, version, "resourceslices", "ResourceSlice", namespaced=False)
