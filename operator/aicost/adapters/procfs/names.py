"""Names of the node's pods, by the folders that the kubelet keeps their logs in: `NAMESPACE_NAME_UID`.

Nothing in these folders is opened. They are there for every runtime that speaks CRI, and no right in the API is needed.
"""

from collections.abc import Callable
from pathlib import Path

from aicost.domain.agent.values import SECOND_NS

_AGAIN_NS = SECOND_NS
"""The folder is not listed more often, however many unknown pods are asked for."""


class PodNames:
    """Names by UID, and UIDs by name.

    Args:
        folder: where the folders are, usually /var/log/pods.
        monotonic_ns: a clock that never steps.
    """

    def __init__(self, folder: Path, monotonic_ns: Callable[[], int]) -> None:
        self._folder, self._now = folder, monotonic_ns
        self._names: dict[str, tuple[str, str]] = {}
        self._uids: dict[tuple[str, str], str] = {}
        self._listed_ns: int | None = None

    def name_of(self, uid: str) -> tuple[str, str]:
        """Namespace and name; empty where they are not known."""
        if uid not in self._names:
            self._list(_AGAIN_NS)
        return self._names.get(uid, ("", ""))

    def uid_of(self, namespace: str, name: str) -> str:
        """UID of the newest pod of a name; empty where it is not known."""
        self._list(10 * _AGAIN_NS)
        return self._uids.get((namespace, name), "")

    def exists(self, uid: str) -> bool:
        """Whether a pod has a folder."""
        self._list(10 * _AGAIN_NS)
        return uid in self._names

    def _list(self, age_ns: int) -> None:
        now_ns = self._now()
        if self._listed_ns is not None and now_ns - self._listed_ns < age_ns:
            return
        self._listed_ns = now_ns
        folders = sorted(_folders(self._folder))
        self._names = {uid: (namespace, name) for _, namespace, name, uid in folders}
        self._uids = {(namespace, name): uid for _, namespace, name, uid in folders}


def _folders(folder: Path) -> list[tuple[int, str, str, str]]:
    """When it was made, namespace, name and UID of each."""
    found = []
    try:
        paths = list(folder.iterdir())
    except OSError:
        return []
    for path in paths:
        try:
            namespace, name, uid = path.name.split("_")
            found.append((path.stat().st_mtime_ns, namespace, name, uid))
        except (OSError, ValueError):
            continue  # it went meanwhile, or is no folder of a pod
    return found
