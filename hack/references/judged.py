"""The kinds that are judged at admission, for the chart's webhooks."""

import json
from collections import defaultdict

from aicost.crd.vap.language.templates import OWNERS
from aicost.domain.workloads.kinds import JUDGED_KINDS


def render() -> str:
    """The API groups with their resources, one rule each, and the kinds whose children operators make, as JSON."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for kind in JUDGED_KINDS:
        groups[kind.group].append(kind.plural)
    rules = [{"group": group, "resources": sorted(plurals)} for group, plurals in sorted(groups.items())]
    return json.dumps({"owners": OWNERS, "rules": rules}, indent=2) + "\n"
