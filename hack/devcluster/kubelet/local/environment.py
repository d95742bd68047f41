"""The environment and the command line of a container, from its spec."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from devcluster.kubelet.local.fields import SpecError, field_value, resource_value
from devcluster.kubelet.local.sources import Sources

__all__ = ["command_line", "environment", "expand"]

_REFERENCE = re.compile(r"\$(\$|\(([A-Za-z_.\-][A-Za-z0-9_.\-]*)\))")


def expand(text: str, values: Mapping[str, str]) -> str:
    """Replace ``$(NAME)`` by its value; an unknown name stays, ``$$`` is a dollar sign."""

    def one(found: re.Match[str]) -> str:
        return "$" if found[1] == "$" else values.get(found[2], found[0])

    return _REFERENCE.sub(one, text)


async def environment(
    container: Mapping[str, Any],
    pod: Mapping[str, Any],
    node: Mapping[str, Any],
    addresses: Mapping[str, str],
    sources: Sources,
) -> dict[str, str]:
    """All variables that the spec sets. Raises :class:`SpecError` where something that it refers to is missing."""
    result: dict[str, str] = {}
    for entry in container.get("envFrom") or ():
        result |= await _whole(entry, sources)
    for entry in container.get("env") or ():
        value = await _one(entry, container, pod, node, addresses, sources, result)
        if value is not None:
            result[entry["name"]] = value
    return result


async def _whole(entry: Mapping[str, Any], sources: Sources) -> dict[str, str]:
    prefix = entry.get("prefix", "")
    if "configMapRef" in entry:
        reference, read = entry["configMapRef"], sources.configmap
    else:
        reference, read = entry["secretRef"], sources.secret
    values = await read(reference["name"], optional=reference.get("optional", False)) or {}
    return {prefix + key: value.decode() for key, value in values.items()}


async def _one(
    entry: Mapping[str, Any],
    container: Mapping[str, Any],
    pod: Mapping[str, Any],
    node: Mapping[str, Any],
    addresses: Mapping[str, str],
    sources: Sources,
    before: Mapping[str, str],
) -> str | None:
    origin = entry.get("valueFrom")
    if origin is None:
        return expand(entry.get("value", ""), before)
    if "fieldRef" in origin:
        return field_value(pod, origin["fieldRef"]["fieldPath"], addresses)
    if "resourceFieldRef" in origin:
        return resource_value(container, origin["resourceFieldRef"], node)
    if "configMapKeyRef" in origin:
        return await _key(origin["configMapKeyRef"], "ConfigMap", sources)
    if "secretKeyRef" in origin:
        return await _key(origin["secretKeyRef"], "Secret", sources)
    raise SpecError(f"env {entry['name']}: {', '.join(origin)} is not supported by the local kubelet")


async def _key(reference: Mapping[str, Any], kind: str, sources: Sources) -> str | None:
    optional = reference.get("optional", False)
    read = sources.configmap if kind == "ConfigMap" else sources.secret
    values = await read(reference["name"], optional=optional)
    value = (values or {}).get(reference["key"])
    if value is None and not optional:
        raise SpecError(f"couldn't find key {reference['key']} in {kind} {reference['name']}")
    return None if value is None else value.decode()


def command_line(container: Mapping[str, Any], entrypoint: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """Command and arguments as a runtime joins them: ``command`` replaces the image's ENTRYPOINT, ``args`` its CMD."""
    command = [expand(word, values) for word in container.get("command") or ()]
    arguments = [expand(word, values) for word in container.get("args") or ()]
    return [*(command or entrypoint), *arguments]
