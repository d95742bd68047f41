"""The lever that holds a namespace at the devices that are in use: a quota of our own."""

from collections.abc import Iterable
from typing import Any

from aicost.domain.budgets.gates import Destruction
from aicost.domain.enforcement.levers.lever import Ask, Lever, text_at
from aicost.domain.enforcement.values import Json, LeverName
from aicost.domain.enforcement.writing.pointers import escaped, label

MANAGED_BY = "app.kubernetes.io/managed-by"
OURS = "aicost"
_OWNER = label(MANAGED_BY)


def _hold(_: Json, ask: Ask) -> Iterable[tuple[str, Any]]:
    """As many of each device as pods ask for now, those that wait included: whoever is replaced finds room."""
    return [(f"/spec/hard/{escaped(f'requests.{name}')}", str(count)) for name, count in sorted(ask.used.items())]


def _not_ours(obj: Json, _: Ask) -> str:
    return "" if text_at(obj, _OWNER) == OURS else "it is a quota of somebody else"


CLAMP_QUOTA = Lever(
    LeverName.CLAMP_QUOTA,
    "",
    "ResourceQuota",
    "resourcequotas",
    Destruction.BLOCK_NEW,
    _hold,
    _not_ours,
    "Only a quota of our own, made for this and deleted afterwards. It holds the whole namespace, so only a budget of "
    "the whole namespace uses it; and it holds even if nothing of ours runs any more, until it is deleted.",
    "spec.hard of a quota of our own: the devices that are in use",
)
