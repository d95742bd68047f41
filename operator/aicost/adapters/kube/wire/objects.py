"""The few shapes of the API server's answers that every part of this adapter needs."""

import msgspec


class OwnerReference(msgspec.Struct, rename="camel", frozen=True):
    """A link from an object to one that owns it."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool = False


class ObjectMeta(msgspec.Struct, rename="camel", frozen=True):
    """Metadata without annotations and managed fields, which may be large."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    labels: dict[str, str] | None = None
    owner_references: tuple[OwnerReference, ...] | None = None

    @property
    def controller(self) -> OwnerReference | None:
        """The owner that manages the object, if one does."""
        return next((owner for owner in self.owner_references or () if owner.controller), None)


class PartialObject(msgspec.Struct):
    """An object of which only the metadata was asked for."""

    metadata: ObjectMeta


class ListMeta(msgspec.Struct, rename="camel"):
    """Where a list stands.

    Attributes:
        token: continue token of the next page, empty on the last.
    """

    resource_version: str = ""
    token: str = msgspec.field(default="", name="continue")


class Page(msgspec.Struct):
    """One page of a list, its items still undecoded."""

    metadata: ListMeta
    items: list[msgspec.Raw] | None = None


class ApiResource(msgspec.Struct):
    """A resource as discovery lists it."""

    name: str
    kind: str
    namespaced: bool
    verbs: list[str] | None = None


class ApiResourceList(msgspec.Struct):
    """The resources of one group and version."""

    resources: list[ApiResource]


class GroupVersion(msgspec.Struct, rename="camel"):
    """A served version of an API group."""

    group_version: str
    version: str


class ApiGroup(msgspec.Struct):
    """An API group and its served versions."""

    name: str
    versions: list[GroupVersion]


class ApiGroupList(msgspec.Struct):
    """All API groups but the core one."""

    groups: list[ApiGroup]


class ServerVersion(msgspec.Struct, rename="camel", frozen=True):
    """The API server's version; clouds add a plus to the minor one."""

    major: str
    minor: str
    git_version: str

    def at_least(self, major: int, minor: int) -> bool:
        """True from that release on."""
        return (_leading_int(self.major), _leading_int(self.minor)) >= (major, minor)


def _leading_int(text: str) -> int:
    digits = text.rstrip("+")
    return int(digits) if digits.isdecimal() else 0
