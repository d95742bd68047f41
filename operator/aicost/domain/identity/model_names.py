"""From the value of an argument to the name of a model: a hub's name, a path, an address."""

import re

_READABLE = re.compile(r"[A-Za-z0-9~./][\w./:@+~-]{0,252}")
_HUB_FOLDER = re.compile(r"models--(?P<owner>[^/]+?)--(?P<name>[^/]+)")
_HUB_SCHEMES = ("hf://", "huggingface://", "ngc://")
_FILE_ENDINGS = (".gguf", ".safetensors", ".bin", ".pt", ".pth", ".onnx", ".engine", ".plan")
_REVISION = re.compile(r"v?\d+(?:\.\d+)*|[0-9a-f]{32,}")
_NAMELESS = frozenset(
    {"model", "models", "mnt", "data", "cache", "hub", "huggingface", "snapshots", "weights", "checkpoint", "app"}
    | {"checkpoints", "workspace", "main", "latest", "root", "home", "opt", "srv", "var", "tmp", "volume", "hf", "llm"}
    | {"model-store", "modelstore", "model-repository", "model-cache", "storage", "artifacts", "engine", "engines"}
)
"""Folders and files that say where models lie, not which one this is."""


def model_name(value: str) -> str | None:
    """Read the value of an argument that names a model; None where it does not tell which.

    A hub's name (`org/name`, `name:tag`) is kept. Of a path or an address the last part that is a name is taken,
    without the ending of the file: `/models/llama-3-8b/1` is `llama-3-8b`, and `/mnt/models` is none. A reference to
    the environment is none: the environment is never read.
    """
    if not _READABLE.fullmatch(value):
        return None
    folder = _HUB_FOLDER.search(value)
    if folder:
        return f"{folder['owner']}/{folder['name']}"
    for scheme in _HUB_SCHEMES:
        value = value.removeprefix(scheme)
    return _last_name(value) if _is_path(value) else value


def _is_path(value: str) -> bool:
    parts = value.split("/")
    return (
        "://" in value or len(parts) != 2 or parts[0] in {"", ".", "..", "~"} or parts[0] in _NAMELESS or not parts[1]
    )


def _last_name(path: str) -> str | None:
    """Climb from the end of a path to the first part that is a name."""
    scheme, _, rest = path.rpartition("://")
    parts = rest.split("/")[1 if scheme else 0 :]
    for part in reversed(parts):
        name = _without_ending(part)
        if name.strip("~.") and name.lower() not in _NAMELESS and not _REVISION.fullmatch(name):
            return name
    return None


def _without_ending(name: str) -> str:
    ending = next((ending for ending in _FILE_ENDINGS if name.lower().endswith(ending)), "")
    return name[: len(name) - len(ending)]
