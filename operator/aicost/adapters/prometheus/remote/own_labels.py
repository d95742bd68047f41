"""What a Prometheus says of itself that a remote read hangs on."""

import re
from collections.abc import Mapping

import yaml

_BEYOND = re.compile(r"^remote_read:", re.MULTILINE)
_GLOBAL = re.compile(r"^global:.*\n(?:[ \t].*\n?)*", re.MULTILINE)
"""The section alone: the whole of it may be large, and only a server's targets stand in the rest."""


def external_labels(configuration: str) -> Mapping[str, str] | None:
    """Labels that the server adds to each series that it reads for others, unless the series has them.

    None where it asks further stores itself: where one of them fails, a remote read says nothing of it.

    Raises:
        ValueError: this is no configuration.
    """
    if _BEYOND.search(configuration):
        return None
    section = _GLOBAL.search(configuration)
    if section is None:
        raise ValueError("no section `global`")
    try:
        found = yaml.load(section.group(), yaml.BaseLoader)  # noqa: S506 - makes texts, lists and mappings alone
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    labels = found["global"].get("external_labels", {}) if isinstance(found["global"], dict) else {}
    if not (isinstance(labels, dict) and all(isinstance(text, str) for pair in labels.items() for text in pair)):
        raise ValueError("external labels that are none")
    return labels
