"""Which AI models an object names."""

import re
from collections.abc import Iterable, Iterator, Mapping

from aicost.domain.identity.discovery import engine_in
from aicost.domain.identity.model_names import model_name
from aicost.domain.inventory.pods import ContainerFacts
from aicost.domain.workloads.foreign import Json, found, pointer
from aicost.domain.workloads.places import JudgedKind

MODEL_NAME_LABELS = ("model.aibrix.ai/name", "ai.gke.io/model")
"""Labels by which serving tools name the model, the surest first."""
_LONGEST_CONFIG = 16_384
_IN_CONFIG = re.compile(r"^[ \t-]*(?:model_source|model_id)[ \t]*:[ \t]*[\"']?([^\s\"'#]{1,253})", re.MULTILINE)
_MOST = 16


def models_of(
    kind: JudgedKind, obj: Json, containers: Iterable[ContainerFacts], labels: Mapping[str, str]
) -> tuple[str, ...]:
    """Models as written, the surest first: the kind's own fields, arguments and images of engines, labels."""
    every = (*_named(kind, obj), *_run(containers), *(labels.get(key, "") for key in MODEL_NAME_LABELS))
    return tuple(dict.fromkeys(model for model in every if model))[:_MOST]


def _named(kind: JudgedKind, obj: Json) -> Iterator[str]:
    for written in kind.models:
        for _, there in found(obj, pointer(written)):
            if isinstance(there, str):
                yield from _IN_CONFIG.findall(there[:_LONGEST_CONFIG]) if "\n" in there else [model_name(there) or ""]


def _run(containers: Iterable[ContainerFacts]) -> Iterator[str]:
    for container in containers:
        use = engine_in(container)
        if use is not None and use.model:
            yield use.model
