"""The kinds that are judged at admission, for the chart's webhooks."""

import json
from collections import defaultdict

from aicost.domain.workloads.kinds import JUDGED_KINDS


def render() -> str:
    """A list of API groups with their resources, as JSON: one rule each."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for kind in JUDGED_KINDS:
        groups[kind.group].append(kind.plural)
    rules = [{"group": group, "resources": sorted(plurals)} for group, plurals in sorted(groups.items())]
    return json.dumps(rules, indent=2) + "\n"
