"""The normal form of a dimension's value: one spelling for what people write in several."""

import re
import unicodedata
from hashlib import blake2s

from aicost.domain.identity.dimensions import UNTAGGED, Dimension

MAX_LENGTH = 63
"""Longest value, as for a Kubernetes label."""

_PLAIN = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*")
_SEPARATORS = re.compile(r"[\s_\-\u2010-\u2015\u2212]+")
_INVISIBLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})
_EDGES = "-./"
_DIGEST_BYTES = 4
_HUB_FOLDER = "models--"
_SLASH_IN_A_LABEL = re.compile(r"(?<!-)--(?!-)")


def normalise(dimension: Dimension, raw: str) -> str | None:
    """Give the normal form of a value, None where it says nothing.

    Only spellings that cannot mean two things are merged: letter case, width and composition of characters, and runs of
    spaces, underscores and dashes, which become one dash. Dots, slashes and other signs carry meaning (`llama-3.1`,
    `org/name`, `qwen2.5:7b`) and stay. `camelCase` is not taken apart: nobody can tell `OpenAI` from `costCenter`.
    Letters outside ASCII stay, because to drop them would merge names that differ. Characters that cannot be seen go.
    A value of more than 63 characters keeps its beginning and ends in a digest of the whole, so that two long values
    that differ near the end stay two. The empty value and `untagged` name nothing.

    A model keeps its organisation, because two organisations publish different models under one name. A label cannot
    hold a slash, so for a model two dashes stand for one, as in the folders of the Hugging Face cache:
    `meta-llama--Llama-3.1-8B` and `meta-llama/Llama-3.1-8B` are both `meta-llama/llama-3.1-8b`.

    Aliases apply to the result: they are keyed by normal forms.
    """
    if len(raw) <= MAX_LENGTH and _PLAIN.fullmatch(raw):
        return None if raw == UNTAGGED else raw
    text = _fold(raw)
    if dimension is Dimension.MODEL:
        text = _with_slashes(text)
    text = _SEPARATORS.sub("-", text).strip(_EDGES)
    return None if text in {"", UNTAGGED} else _shorten(text)


def _fold(raw: str) -> str:
    """Lower case, one code point per character, nothing invisible."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", raw).lower())
    return "".join(char for char in text if char.isspace() or unicodedata.category(char) not in _INVISIBLE)


def _with_slashes(text: str) -> str:
    """Read the double dash of a model's label as the slash that it stands for."""
    return _SLASH_IN_A_LABEL.sub("/", text.strip().removeprefix(_HUB_FOLDER))


def _shorten(text: str) -> str:
    """Cut a long value without merging it with another that begins alike."""
    if len(text) <= MAX_LENGTH:
        return text
    digest = blake2s(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()
    return f"{text[: MAX_LENGTH - len(digest) - 1].rstrip(_EDGES)}-{digest}"
