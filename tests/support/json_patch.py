"""JSON patches on objects in memory, as the API server does them."""

import copy
from collections.abc import Iterable, Mapping
from typing import Any


def patched(obj: Mapping[str, Any], operations: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The object after `add`, `replace`, `remove` and `test`.

    Raises:
        ValueError: a test fails.
    """
    result: dict[str, Any] = copy.deepcopy(dict(obj))
    for operation in operations:
        _patch(result, operation)
    return result


def _patch(result: dict[str, Any], operation: Mapping[str, Any]) -> None:
    *above, last = (part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:])
    here: Any = result
    for part in above:
        here = here[int(part)] if isinstance(here, list) else here[part]
    key: Any = int(last) if isinstance(here, list) else last
    match operation["op"]:
        case "test":
            if here[key] != operation["value"]:
                raise ValueError(f"{operation['path']} is {here[key]!r}")
        case "remove":
            del here[key]
        case _:
            here[key] = copy.deepcopy(operation["value"])
