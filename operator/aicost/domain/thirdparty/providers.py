"""Who sends the bill: gateways and price lists call a provider by the API, bills by the company."""

from collections.abc import Mapping

_BILLED_BY: Mapping[str, str] = {
    "bedrock": "aws", "bedrock_converse": "aws", "sagemaker": "aws", "sagemaker_chat": "aws", "azure": "azure",
    "azure_ai": "azure", "azure_text": "azure", "gemini": "gcp", "google": "gcp",
    "text-completion-openai": "openai", "anthropic_text": "anthropic", "cohere_chat": "cohere",
}  # fmt: skip
_OF_GCP = "vertex_ai"
_MAKERS: tuple[tuple[str, str], ...] = (
    ("claude", "anthropic"), ("gpt", "openai"), ("o1", "openai"), ("o3", "openai"), ("o4", "openai"),
    ("text-embedding", "openai"), ("gemini", "google"), ("mistral", "mistral"), ("codestral", "mistral"),
    ("command", "cohere"), ("grok", "x-ai"), ("deepseek", "deepseek"), ("voyage", "voyageai"), ("sonar", "perplexity"),
)  # fmt: skip
"""How names of models begin -> who makes and sells them."""


def billed_by(provider: str) -> str:
    """Who bills for what a gateway or a price list calls a provider; others bill under their own name."""
    name = provider.strip().lower()
    return "gcp" if name.startswith(_OF_GCP) else _BILLED_BY.get(name, name)


def maker_of(model: str) -> str:
    """Who makes and sells a model, by how its name begins; empty where that is not known."""
    name = model.strip().lower().rpartition("/")[2]
    return next((maker for begin, maker in _MAKERS if name.startswith(begin)), "")
