"""What the objects of manifests run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aicost.domain.workloads.reading import read_workload
from aicost.domain.workloads.shapes import Workload
from aicost.entrypoints.cli.manifests.documents import Document


@dataclass(frozen=True, slots=True)
class Found:
    """An object that runs something."""

    document: Document
    workload: Workload

    @property
    def name(self) -> str:
        """For people: `Deployment/chat`."""
        return f"{self.workload.kind}/{self.workload.name or '(no name)'}"


def workloads_of(documents: Sequence[Document], namespace: str) -> tuple[Found, ...]:
    """The objects that run pods; the others of the same input (claim templates, runtimes) tell what they refer to.

    Args:
        documents: what was read.
        namespace: where an object goes that names none.
    """
    return tuple(_found(documents, namespace))


def _found(documents: Sequence[Document], namespace: str) -> Iterator[Found]:
    by_file: dict[str, list[Mapping[str, Any]]] = {}
    for document in documents:
        by_file.setdefault(document.source, []).append(document.body)
    for document in documents:
        own = by_file[document.source]
        others = [body for source, bodies in by_file.items() if source != document.source for body in bodies]
        workload = read_workload(document.body, (*own, *others))
        if workload is not None:
            yield Found(document, replace(workload, namespace=workload.namespace or namespace))
