"""Files of ConfigMap-like volumes: what is in them, and how they change at once for a reader."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devcluster.kubelet.local.fields import SpecError

__all__ = ["File", "Payload", "select", "write_payload"]

_DEFAULT_MODE = 0o644
_CURRENT = "..data"


@dataclass(frozen=True, slots=True)
class File:
    """One file of a volume."""

    content: bytes
    mode: int = _DEFAULT_MODE


Payload = dict[str, File]


def select(
    values: Mapping[str, bytes], items: Sequence[Mapping[str, Any]] | None, mode: int | None, *, optional: bool
) -> Payload:
    """The files for some keys (``items``) or for all keys of a ConfigMap or Secret."""
    default = mode or _DEFAULT_MODE
    if not items:
        return {key: File(content, default) for key, content in values.items()}
    missing = [item["key"] for item in items if item["key"] not in values]
    if missing and not optional:
        raise SpecError(f"references non-existent config key: {', '.join(missing)}", "ContainerCreating")
    wanted = (item for item in items if item["key"] in values)
    return {item["path"]: File(values[item["key"]], item.get("mode") or default) for item in wanted}


def _version(folder: Path) -> int:
    current = folder / _CURRENT
    return int(current.readlink().name.removeprefix("..v")) if current.is_symlink() else 0


def write_payload(folder: Path, payload: Payload) -> None:
    """Put the files into a folder so that a reader sees all the old ones or all the new ones.

    As with a real kubelet, ``..data`` points to the current version and each name points into it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    old = _version(folder)
    version = folder / f"..v{old + 1}"
    for name, file in payload.items():
        path = version / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        path.chmod(file.mode)
    version.mkdir(exist_ok=True)
    _point(folder / _CURRENT, version.name)
    _link_names(folder, {name.partition("/")[0] for name in payload})
    if old:
        shutil.rmtree(folder / f"..v{old}", ignore_errors=True)


def _point(link: Path, target: str) -> None:
    partial = link.with_name(f"{link.name}.new")
    partial.symlink_to(target)
    partial.replace(link)


def _link_names(folder: Path, names: set[str]) -> None:
    for path in folder.iterdir():
        if path.is_symlink() and path.name != _CURRENT and path.name not in names:
            path.unlink()
    for name in names:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"{_CURRENT}/{name}")
