"""Look at the objects that run pods, one by one, as a list brings them, and keep what coverage needs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aicost.domain.coverage.auditing import audit_object, put_together
from aicost.domain.coverage.objects import Audit, AuditedObject
from aicost.domain.policy.judging.scopes import controlling_owner
from aicost.domain.policy.requests import PolicySnapshot
from aicost.domain.policy.wildcards import matches_any
from aicost.domain.workloads.kinds import kind_of
from aicost.domain.workloads.reading import read_workload
from aicost.domain.workloads.shapes import Workload

Body = Mapping[str, Any]


class LabelAudit:
    """One look at the cluster. An object is forgotten as soon as it was judged: only what counts is kept.

    Args:
        snapshot: policies, and what labels are inherited from.
        beside: claim templates, claims and training runtimes, which give a size to what refers to them.
        now_ms: decides whether an exemption still holds.
        kinds: kinds that are going to be listed; what one of these controls is not counted besides it.
    """

    def __init__(self, snapshot: PolicySnapshot, beside: Iterable[Body], now_ms: int, kinds: Sequence[str]) -> None:
        self._snapshot, self._now_ms, self._kinds = snapshot, now_ms, tuple(kinds)
        self._everywhere: list[Body] = []
        self._beside: defaultdict[str, list[Body]] = defaultdict(list)
        for body in beside:
            self._shelf(_namespace(body)).append(body)
        self._found: dict[tuple[str, ...], AuditedObject] = {}

    def look(self, body: Body) -> None:
        """Judge one object; what runs no pods, or belongs to the system, is passed over.

        An object that is listed twice counts once.
        """
        namespace = _namespace(body)
        workload = read_workload(body, (*self._everywhere, *self._beside.get(namespace, ())))
        if workload is not None and self._counts(workload):
            found = audit_object(workload, self._snapshot, self._now_ms)
            self._found[found.api_version.rpartition("/")[0], *found.of] = found

    def look_at_all(self, bodies: Iterable[Body]) -> None:
        """Judge the objects of a page."""
        for body in bodies:
            self.look(body)

    def end(self, at_ms: int, unread: Sequence[str] = ()) -> Audit:
        """The audit.

        Args:
            at_ms: when the look ended.
            unread: kinds that could not be listed, with the reason.
        """
        return put_together(tuple(self._found.values()), self._snapshot, at_ms, kinds=self._kinds, unread=unread)

    def _shelf(self, namespace: str) -> list[Body]:
        return self._beside[namespace] if namespace else self._everywhere

    def _counts(self, workload: Workload) -> bool:
        """Whether it stands for itself: not a part of another object that is counted, and not the system's."""
        if matches_any(self._snapshot.system_namespaces, workload.namespace):
            return False
        owner = controlling_owner(workload)
        return owner is None or kind_of(owner.api_version, owner.kind) is None


def _namespace(body: Body) -> str:
    metadata = body.get("metadata")
    found = metadata.get("namespace") if isinstance(metadata, Mapping) else None
    return found if isinstance(found, str) else ""
