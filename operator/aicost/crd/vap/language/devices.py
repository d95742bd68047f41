"""Accelerators in CEL: the table of resources, and what asks for one."""

from collections.abc import Mapping

from aicost.crd.vap.language.cel import found, text_map, texts
from aicost.domain.inventory.accelerators import RESOURCES

SHARES = ("gpu-fraction", "gpu-memory")
"""Annotations of KAI and Run:ai by which a pod asks for a part of a device."""
DEVICES: Mapping[str, str] = {
    "devices": text_map({one.name: one.vendor for one in RESOURCES if not one.prefix}),
    "families": texts(one.name for one in RESOURCES if one.prefix),
}
"""Variables that hold the table: whole names, in a map because that is found in cheaply, and starts of names."""
_MOST_NAMES = 200
"""Resources of one container that are looked at; who names more counts as asking."""
_CLASS = "deviceclass.resource.kubernetes.io/"


def is_accelerator(name: str) -> str:
    """True for a resource that is an accelerator. What an unknown vendor calls `gpu` is one too."""
    terms = (
        f"{name} in variables.devices",
        f"variables.families.exists(f, {name}.startsWith(f))",
        f"{name}.endsWith('/gpu')",
        f"({name}.startsWith('{_CLASS}') && {name}.contains('gpu'))",
    )
    return " || ".join(terms)


def is_some(value: str) -> str:
    """True for more than none, whatever its shape."""
    return f"(type({value}) == string ? !({value} in ['0', '']) : {value} != 0)"


def asks(holder: str, at: str = "/resources") -> str:
    """True for a container, or what is made like one, whose limits or requests name an accelerator."""
    sides = f"{found(holder, f'{at}/limits')} + {found(holder, f'{at}/requests')}"
    named = f"m.exists(n, ({is_accelerator('n')}) && {is_some('m[n]')})"
    return f"({sides}).exists(m, type(m) == map && (m.size() > {_MOST_NAMES} || {named}))"


def any_asks(listed: str) -> str:
    """True where one of some containers asks."""
    return f"({listed}).exists(c, {asks('c')})"
