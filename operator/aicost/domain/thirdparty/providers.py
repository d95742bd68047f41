"""Who sends the bill: gateways and price lists call a provider by the API, bills by the company."""

from collections.abc import Mapping

_BILLED_BY: Mapping[str, str] = {
    "bedrock": "aws", "bedrock_converse": "aws", "sagemaker": "aws", "sagemaker_chat": "aws", "azure": "azure",
    "azure_ai": "azure", "azure_text": "azure", "gemini": "gcp", "google": "gcp",
    "text-completion-openai": "openai", "anthropic_text": "anthropic", "cohere_chat": "cohere",
    "mistral_ai": "mistral", "xai": "x-ai", "x_ai": "x-ai",
}  # fmt: skip
_CLOUDS: tuple[tuple[str, str], ...] = (("vertex_ai", "gcp"), ("gcp.", "gcp"), ("aws.", "aws"), ("azure.", "azure"))
"""How names of the AI services of clouds begin -> the cloud."""
_LISTED_AS: Mapping[str, str] = {"gcp": "google"}
"""Who bills -> what lists of prices call them, where that is another name."""
ON_OUR_OWN = frozenset(
    {"hosted_vllm", "vllm", "ollama", "ollama_chat", "llamafile", "lm_studio", "triton", "infinity", "xinference",
     "oobabooga", "petals"}
)  # fmt: skip
"""Providers that are servers of one's own."""
_MAKERS: tuple[tuple[str, str], ...] = (
    ("claude", "anthropic"), ("gpt", "openai"), ("o1", "openai"), ("o3", "openai"), ("o4", "openai"),
    ("text-embedding", "openai"), ("gemini", "google"), ("mistral", "mistral"), ("codestral", "mistral"),
    ("command", "cohere"), ("grok", "x-ai"), ("deepseek", "deepseek"), ("voyage", "voyageai"), ("sonar", "perplexity"),
)  # fmt: skip
"""How names of models begin -> who makes and sells them."""


def billed_by(provider: str) -> str:
    """Who bills for what a gateway or a price list calls a provider; others bill under their own name."""
    name = provider.strip().lower()
    cloud = next((cloud for begin, cloud in _CLOUDS if name.startswith(begin)), "")
    return cloud or _BILLED_BY.get(name, name)


def spellings(provider: str) -> tuple[str, ...]:
    """What lists of prices may call whom a gateway names: its own word first."""
    who = billed_by(provider)
    return tuple(dict.fromkeys((provider.strip().lower(), who, _LISTED_AS.get(who, who))))


def maker_of(model: str) -> str:
    """Who makes and sells a model, by how its name begins; empty where that is not known."""
    name = model.strip().lower().rpartition("/")[2]
    return next((maker for begin, maker in _MAKERS if name.startswith(begin)), "")
