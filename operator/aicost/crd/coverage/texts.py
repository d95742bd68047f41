"""What a coverage report and an inventory say, as texts for people."""

from aicost.crd.status.texts import money
from aicost.domain.coverage.objects import AuditedObject
from aicost.domain.coverage.subjects import Subject
from aicost.domain.policy.messages import clause
from aicost.domain.workloads.shapes import Scaling


def object_name(kind: str, name: str) -> str:
    """`Deployment/chat`; a pod that only samples know has neither."""
    return f"{kind}/{name}" if name else "(unknown)"


def amount(nanos: int | None, currency: str) -> str | None:
    """An amount; None where it is not known or has no currency."""
    return None if nanos is None or not currency else money(nanos, currency)


def lacks(subject: Subject) -> list[str]:
    """What is wrong with an object: what policies say of it, else the keys that its cost lacks."""
    if subject.audited and subject.audited.breaks:
        return [clause(problem) for problem in subject.audited.breaks]
    return [f"{key} is missing" for key in subject.missing] or ["a part of its cost lacks a required key"]


def fixes(found: AuditedObject | None) -> list[str]:
    """The labels to set, as `key: value`, where policies know them."""
    told = [problem.fix for problem in found.breaks if problem.fix] if found else []
    return list(dict.fromkeys(told))


def gpus(milli: int | None) -> str | None:
    """Thousandths of GPUs as a number: 8000 is `8`, 500 is `0.5`; None where it is not known."""
    if milli is None:
        return None
    return str(milli // 1000) if milli % 1000 == 0 else f"{milli / 1000:g}"


def scaling(how: Scaling | None, pods: int, most: int) -> str | None:
    """How the number of pods comes about: `3`, `0-10`, `4 to completion`."""
    if how is None:
        return None
    if how is Scaling.AUTOSCALED:
        return f"{pods}-{most}"
    count = str(pods)
    return count if how is Scaling.FIXED else f"{count} {how.value.replace('-', ' ')}"
