"""Where labels stand: on the object itself and on each of its pod templates."""

from collections.abc import Mapping
from dataclasses import dataclass

from aicost.domain.workloads.shapes import PodTemplate, Workload

TEMPLATE = "template"
"""What the only template of an object is called."""


@dataclass(frozen=True, slots=True)
class Place:
    """Something with labels.

    Attributes:
        path: JSON pointer of what holds the metadata; empty for the object itself.
        name: name of a template for people, empty for the object itself.
        origin: who speaks here, for people: `Deployment/chat`.
        template: the pods of it; None for the object where its templates are places of their own.
    """

    path: str
    name: str
    origin: str
    labels: Mapping[str, str]
    template: PodTemplate | None = None


def object_place(workload: Workload) -> Place:
    """The object itself. It speaks for pods directly where it is one, or where they take over its labels."""
    own = next((template for template in workload.templates if not template.path), None)
    return Place("", "", f"{workload.kind}/{workload.name}", workload.labels, own)


def template_places(workload: Workload) -> tuple[Place, ...]:
    """The templates that have labels of their own."""
    origin = f"{workload.kind}/{workload.name}"
    return tuple(
        Place(each.path, each.role or TEMPLATE, f"{origin} {each.role or TEMPLATE}", each.labels, each)
        for each in workload.templates
        if each.path
    )


def running_places(workload: Workload) -> tuple[Place, ...]:
    """The places whose labels its pods will have: its templates, or the object where it has none with labels."""
    return template_places(workload) or (object_place(workload),)
