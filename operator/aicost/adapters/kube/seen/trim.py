"""What is kept of a pod's own words: enough to tell what it runs, nothing that is secret or large."""

import re
from collections.abc import Iterable

from aicost.domain.workloads.run_ids import RUN_ID_VARIABLES

POD_ANNOTATIONS = (
    "aicost.dev/",
    "hami.io/",
    "volcano.sh/",
    "scheduling.volcano.sh/queue-name",
    "scheduling.k8s.io/group-name",
    "run.ai/",
    "runai-",
    "gpu-fraction",
    "gpu-memory",
    "received-resource-type",
    "kueue.x-k8s.io/",
    "mlflow.",
    "mlflow/",
    "wandb.",
    "wandb/",
    "pipelines.kubeflow.org/run_name",
    "prometheus.io/path",
    "prometheus.io/port",
    "prometheus.io/scrape",
)
"""Starts of the annotations that carry meaning: ours, those of sharing modes, queues, gangs and run trackers, and where
an exporter listens."""
NODE_ANNOTATIONS = ("aicost.dev/", "hami.io/", "volcano.sh/")

ANNOTATION_LIMIT = 16_384
"""Longer values are left out: what we read of them is short."""
ARGUMENT_LIMIT = 4_096
"""Longer arguments are cut: they are scripts, and what an engine serves stands at their start."""
ARGUMENTS_LIMIT = 256
RUN_ID_LIMIT = 256
"""Longer values name no run."""
REDACTED = "***"

_SENSITIVE = r"(?:[\w.-]*[-_.])?(?:api-?key|key|token|secret|password|passwd|credentials?)"
_ASSIGNED = re.compile(rf"(?i)((?:^|[\s;&\"'])(?:--?|export\s+)?{_SENSITIVE}\s*[=])(\"[^\"]*\"|'[^']*'|\S+)")
_FOLLOWED = re.compile(rf"(?i)((?:^|\s)--?{_SENSITIVE}\s+)(\"[^\"]*\"|'[^']*'|[^\s-]\S*)")
_FLAG = re.compile(rf"(?i)--?{_SENSITIVE}")
_IN_URL = re.compile(r"(://[^/\s:@]*:)[^@\s/]+(@)")


def keep_annotations(annotations: dict[str, str] | None, prefixes: tuple[str, ...]) -> dict[str, str]:
    """The annotations that start with one of the prefixes."""
    if not annotations:
        return {}
    return {
        key: value for key, value in annotations.items() if key.startswith(prefixes) and len(value) <= ANNOTATION_LIMIT
    }


def keep_run_ids(variables: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    """The variables in which run trackers name a run, each by its first container. No other variable is kept."""
    kept: dict[str, str] = {}
    for name, value in variables:
        if name in RUN_ID_VARIABLES and value and len(value) <= RUN_ID_LIMIT:
            kept.setdefault(name, value)
    return kept


def keep_arguments(arguments: Iterable[str]) -> tuple[str, ...]:
    """Command and arguments, with the values of flags that name a secret taken out."""
    kept: list[str] = []
    secret_follows = False
    for argument in arguments:
        if len(kept) == ARGUMENTS_LIMIT:
            break
        kept.append(REDACTED if secret_follows and not argument.startswith("-") else _redact(argument[:ARGUMENT_LIMIT]))
        secret_follows = _FLAG.fullmatch(argument) is not None
    return tuple(kept)


def _redact(argument: str) -> str:
    assigned = _ASSIGNED.sub(rf"\1{REDACTED}", argument)
    followed = _FOLLOWED.sub(rf"\1{REDACTED}", assigned)
    return _IN_URL.sub(rf"\1{REDACTED}\2", followed)
