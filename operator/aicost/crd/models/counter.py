"""A counter in Prometheus that people name in a resource."""

import re
from typing import Annotated

from pydantic import Field

from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import Rule, matches


class Counter(ApiModel):
    """A counter that grows with what the workload does."""

    metric: Annotated[
        str,
        Field(max_length=253),
        matches(r"[a-zA-Z_:][a-zA-Z0-9_:]*", "write the name of a counter in Prometheus, for example answers_total"),
    ]
    """Name of the counter, in Prometheus. Only its series of this namespace are read."""
    match_labels: (
        Annotated[
            dict[str, Annotated[str, Field(max_length=253)]],
            Field(max_length=8),
            Rule(
                "self.all(key, key.matches('^[a-zA-Z_][a-zA-Z0-9_]*$'))",
                "write names of Prometheus labels: letters, digits and underscores, for example outcome",
                lambda labels: all(re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", key) for key in labels),
            ),
        ]
        | None
    ) = None
    """Labels that its series must have."""
