"""Sentences in CEL: what people are told, with the values that it is about."""

import re

from aicost.crd.vap.language.cel import text
from aicost.crd.vap.language.requests import USER

_GAP = re.compile(r"<(\w+)>")


def sentence(words: str, **values: str) -> str:
    """An expression of a text.

    Args:
        words: the text; `<name>` stands for a value, `<user>` for the requester.
        values: expressions of texts by name.

    Raises:
        KeyError: a value is missing.
    """
    known = {"user": USER, **values}
    parts = _GAP.split(words)
    terms = [known[part] if number % 2 else text(part) for number, part in enumerate(parts) if part]
    return " + ".join(terms)
