"""What stands in front of a workload that serves, and what it calls the model."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from aicost.crd.fields.text import ModelName
from aicost.crd.schema.markers import SET_LIST, Rule


class FrontGateway(StrEnum):
    """The gateway whose counts say who asked."""

    AUTO = "auto"
    LITELLM = "litellm"
    ENVOY_AI_GATEWAY = "envoy-ai-gateway"
    OTEL_GENAI = "otel-genai"
    KONG = "kong"
    LLM_D_EPP = "llm-d-epp"
    SGLANG_LABELS = "sglang-labels"


_ONCE = Rule(
    "self.all(x, self.exists_one(y, x.lowerAscii() == y.lowerAscii()))",
    "name each alias once: names that differ in the case of letters alone are one",
    lambda aliases: len({alias.lower() for alias in aliases}) == len(aliases),
)
ModelAliases = Annotated[list[ModelName], Field(min_length=1, max_length=16), SET_LIST, _ONCE]
"""Names of one model."""
