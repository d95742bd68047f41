"""Decides about an object once where the API server asks twice: for labels to write, and then for the verdict."""

from collections import OrderedDict
from dataclasses import dataclass, field

import msgspec

from aicost.domain.policy.admit import admit
from aicost.domain.policy.decisions import AdmissionDecision
from aicost.domain.policy.judging.exemptions import EXEMPT_UNTIL
from aicost.domain.policy.requests import Operation, PolicySnapshot, Request
from aicost.domain.workloads.reading import read_workload
from aicost.entrypoints.admission.answering.review import Question

REMEMBERED, LARGEST = 128, 32_768
"""Decisions that are remembered, and bytes of the largest object that is."""
_ANEW = frozenset({"uid", "creationTimestamp", "generation", "managedFields", "status"})
"""What the API server makes anew between the two questions, and what no decision rests on."""
_Key = tuple[frozenset[tuple[str, bytes]], frozenset[tuple[str, bytes]], str, str, tuple[str, ...]]
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Heard:
    """An object and what was decided about it.

    Attributes:
        timeless: nothing in it depends on what time it is, so that it holds as long as the policies do.
    """

    request: Request
    decision: AdmissionDecision
    timeless: bool


@dataclass(slots=True)
class Hearings:
    """Decides; a creation that was decided about with the same policies is looked up."""

    _policies: PolicySnapshot | None = None
    _known: "OrderedDict[_Key, Heard]" = field(default_factory=OrderedDict)

    def hear(self, policies: PolicySnapshot, question: Question, now_ms: int) -> Heard | None:
        """The decision; None for what runs nothing and for what is not judged.

        Raises:
            InvalidRequest: the question holds what is no object.
        """
        self._forget_unless(policies)
        key = _key(question)
        found = self._known.get(key) if key else None
        if found is not None:
            return found
        heard = _hear(policies, question, now_ms)
        if key and heard is not None and heard.timeless:
            self._remember(key, heard)
        return heard

    def _forget_unless(self, policies: PolicySnapshot) -> None:
        """What was decided by other policies is of no use, and would keep them in memory."""
        if policies is not self._policies:
            self._known.clear()
            self._policies = policies

    def _remember(self, key: _Key, heard: Heard) -> None:
        self._known[key] = heard
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


def _key(question: Question) -> _Key | None:
    """What a decision rests on; None where it is not worth remembering."""
    if question.operation is not Operation.CREATE or len(question.content) > LARGEST:
        return None
    try:
        fields = _fields.decode(question.content)
        metadata = _fields.decode(fields.pop("metadata"))
    except (msgspec.MsgspecError, KeyError, UnicodeDecodeError):
        return None
    who = question.requester
    return _texts(fields), _texts(metadata), question.namespace, who.name, who.groups


def _texts(fields: dict[str, msgspec.Raw]) -> frozenset[tuple[str, bytes]]:
    return frozenset((name, bytes(raw)) for name, raw in fields.items() if name not in _ANEW)


def _hear(policies: PolicySnapshot, question: Question, now_ms: int) -> Heard | None:
    workload = read_workload(question.body()) if question.operation else None
    if workload is None or question.operation is None:
        return None
    before = question.before()
    known = read_workload(before) if before else None
    request = Request(question.operation, workload, question.requester, known, question.dry_run)
    exempt = any(policy.exemptions for policy in policies.policies) or EXEMPT_UNTIL in workload.annotations
    return Heard(request, admit(policies, request, now_ms), timeless=not exempt)
