"""A kind of ours as a CustomResourceDefinition."""

from dataclasses import dataclass
from typing import Any

from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.structural import Schema, publish, resolve

GROUP = "aicost.dev"
VERSION = "v1alpha1"
CATEGORY = "aicost"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `kubectl get`.

    Attributes:
        path: where the value stands; it is printed as it is, so amounts are formatted when the status is written.
        kind: `string`, `integer`, `boolean` or `date`, which prints the time since then.
        wide: shown with `-o wide` only.
    """

    name: str
    path: str
    description: str
    kind: str = "string"
    wide: bool = False

    def published(self) -> Schema:
        """The column as the API server wants it."""
        column: Schema = {"name": self.name, "type": self.kind, "jsonPath": self.path, "description": self.description}
        return {**column, "priority": 1} if self.wide else column


@dataclass(frozen=True, slots=True)
class Kind:
    """One of our resources.

    Attributes:
        model: the whole object: `spec` and `status`.
        selectable: paths that `--field-selector` may ask for (API servers since 1.31).
    """

    kind: str
    plural: str
    short: str
    scope: str
    model: type[ApiModel]
    columns: tuple[Column, ...]
    selectable: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the CustomResourceDefinition."""
        return f"{self.plural}.{GROUP}"

    @property
    def file_name(self) -> str:
        """Name of the file that the definition is written to."""
        return f"{GROUP}_{self.plural}.yaml"

    def described(self) -> Schema:
        """The schema with references inlined and units marked: what the reference documentation is made of."""
        return resolve(self.model.model_json_schema(by_alias=True))

    def definition(self) -> Schema:
        """The CustomResourceDefinition."""
        return {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": self.name},
            "spec": {
                "group": GROUP,
                "scope": self.scope,
                "names": self._names(),
                "versions": [self._version()],
            },
        }

    def _names(self) -> dict[str, Any]:
        names = {
            "kind": self.kind,
            "listKind": f"{self.kind}List",
            "plural": self.plural,
            "singular": self.kind.lower(),
            "categories": [CATEGORY],
        }
        return {**names, "shortNames": [self.short]} if self.short else names

    def _version(self) -> Schema:
        version: Schema = {
            "name": VERSION,
            "served": True,
            "storage": True,
            "subresources": {"status": {}},
            "additionalPrinterColumns": [column.published() for column in self.columns],
            "schema": {"openAPIV3Schema": publish(self._object(), self.kind)},
        }
        if self.selectable:
            version["selectableFields"] = [{"jsonPath": path} for path in self.selectable]
        return version

    def _object(self) -> Schema:
        """The schema of the object: what each Kubernetes object has, and our spec and status."""
        described = self.described()
        common = {
            "apiVersion": {"type": "string", "description": f"Version of the schema: {GROUP}/{VERSION}."},
            "kind": {"type": "string", "description": f"The kind of object: {self.kind}."},
            "metadata": {"type": "object"},
        }
        return {**described, "properties": {**common, **described["properties"]}}
