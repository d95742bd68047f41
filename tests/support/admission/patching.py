"""Applies the operations of a JSON patch as the API server would, and refuses what it would refuse."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any


def patched(document: dict[str, Any], patch: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A copy of the document with the patch applied; only `add` is known here, and its parent must exist."""
    result = deepcopy(document)
    for operation in patch:
        assert operation["op"] == "add", operation
        tokens = [token.replace("~1", "/").replace("~0", "~") for token in operation["path"].split("/")[1:]]
        holder: Any = result
        for token in tokens[:-1]:
            holder = holder[int(token)] if isinstance(holder, list) else holder[token]
        assert isinstance(holder, dict), operation
        holder[tokens[-1]] = deepcopy(operation["value"])
    return result
