"""One canonical name for each GPU model, whatever node labels, exporters and clouds call it.

A canonical name is lower case with dashes. It names the memory size only where a model is sold in several sizes that
have prices of their own: `a100-40gb` and `a100-80gb`, but `l4` and `h200`. A new model is a new line here.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class GpuFamily:
    """One line of the table.

    Attributes:
        words: what must stand in a name, in this order and side by side; a longer line wins over a shorter one.
        name: the canonical name, or its start where `sizes_gb` are given.
        sizes_gb: memory sizes that are told apart; empty where the model has one.
        usual_gb: the size where the name tells none, None where that would be a guess.
    """

    words: tuple[str, ...]
    name: str
    sizes_gb: tuple[int, ...] = ()
    usual_gb: int | None = None


def _plain(*names: str) -> tuple[GpuFamily, ...]:
    """Models whose canonical name is the words that stand in every spelling of it."""
    return tuple(GpuFamily(tuple(name.split("-")), name) for name in names)


FAMILIES: tuple[GpuFamily, ...] = (
    GpuFamily(("h100",), "h100", (64, 80, 96), 80),
    GpuFamily(("h100", "nvl"), "h100-nvl"),
    GpuFamily(("h200", "nvl"), "h200-nvl"),
    GpuFamily(("a100",), "a100", (40, 80)),
    GpuFamily(("a100x",), "a100-80gb"),
    GpuFamily(("v100",), "v100", (16, 32)),
    GpuFamily(("v100s",), "v100-32gb"),
    GpuFamily(("p100",), "p100", (12, 16)),
    GpuFamily(("h20",), "h20", (96, 141), 96),
    GpuFamily(("a800",), "a800", (40, 80)),
    GpuFamily(("rtx", "pro", "6000"), "rtx-pro-6000"),
    GpuFamily(("rtx", "pro", "4500"), "rtx-pro-4500"),
    GpuFamily(("rtx", "6000", "ada"), "rtx-6000-ada"),
    GpuFamily(("rtx", "5000", "ada"), "rtx-5000-ada"),
    GpuFamily(("rtx", "4000", "ada"), "rtx-4000-ada"),
    GpuFamily(("rtx", "4000", "sff", "ada"), "rtx-4000-sff-ada"),
    GpuFamily(("quadro", "rtx", "6000"), "quadro-rtx-6000"),
    GpuFamily(("quadro", "rtx", "8000"), "quadro-rtx-8000"),
    GpuFamily(("data", "center", "gpu", "max", "1100"), "max-1100"),
    GpuFamily(("data", "center", "gpu", "max", "1550"), "max-1550"),
    GpuFamily(("data", "center", "gpu", "flex", "140"), "flex-140"),
    GpuFamily(("data", "center", "gpu", "flex", "170"), "flex-170"),
    GpuFamily(("gaudi",), "gaudi"),
    GpuFamily(("hl", "225"), "gaudi2"),
    GpuFamily(("hl", "325"), "gaudi3"),
    GpuFamily(("tpu", "v5", "lite", "podslice"), "tpu-v5e"),
    GpuFamily(("tpu", "v5", "lite", "device"), "tpu-v5e"),
    GpuFamily(("tpu", "v5p", "slice"), "tpu-v5p"),
    GpuFamily(("tpu", "v6e", "slice"), "tpu-v6e"),
    GpuFamily(("tpu", "v4", "podslice"), "tpu-v4"),
    GpuFamily(("tpu7x",), "tpu-v7x"),
    *_plain("h200", "h800", "gh200", "b100", "b200", "b300", "gb200", "gb300", "b200a"),
    *_plain("a2", "a10", "a10g", "a10m", "a16", "a30", "a40", "l2", "l4", "l20", "l40", "l40s", "l40g", "t4", "t4g"),
    *_plain("p4", "p40", "k80", "m60", "rtx-a2000", "rtx-a4000", "rtx-a4500", "rtx-a5000", "rtx-a5500", "rtx-a6000"),
    *_plain("rtx-3080", "rtx-3090", "rtx-4080", "rtx-4090", "rtx-5080", "rtx-5090", "dgx-spark"),
    *_plain("mi100", "mi210", "mi250", "mi250x", "mi300a", "mi300x", "mi308x", "mi325x", "mi350x", "mi355x"),
    *_plain("radeon-pro-v520", "radeon-pro-v620", "radeon-pro-v710", "gaudi2", "gaudi3", "max-1100", "max-1550"),
    *_plain("flex-140", "flex-170", "inferentia", "inferentia2", "trainium", "trainium2", "trainium3"),
)
"""Models that are known by name. H100 PCIe tells no size and has 80 GB, as do the cards that clouds call `h100`."""

ALIASES: Mapping[str, str] = {
    "nvidia-tesla-a100": "a100-40gb",
    "nvidia-tesla-v100": "v100-16gb",
    "nvidia-tesla-p100": "p100-16gb",
}
"""Names that mean more than they say: GKE's own names of single sizes."""

MODEL_LABELS = (
    "aicost.dev/gpu-model",
    "nvidia.com/gpu.product",
    "cloud.google.com/gke-accelerator",
    "cloud.google.com/gke-tpu-accelerator",
    "karpenter.k8s.aws/instance-gpu-name",
    "karpenter.k8s.aws/instance-accelerator-name",
    "karpenter.azure.com/sku-gpu-name",
    "amd.com/gpu.product-name",
    "beta.amd.com/gpu.product-name",
    "gpu.intel.com/product",
    "gpu.nvidia.com/model",
    "k8s.amazonaws.com/accelerator",
    "doks.digitalocean.com/gpu-model",
    "accelerator",
)
"""Node labels that name the model, the most exact first; the first is for people to set."""

MEMORY_LABELS = ("karpenter.k8s.aws/instance-gpu-memory", "nvidia.com/gpu.memory")
"""Node labels that give the memory of one GPU in MiB. Under MIG the second speaks of an instance."""

_PARTITION = re.compile(r"-mig-\d.*$|-shared$|:.*$")
_WORD = re.compile(r"[a-z0-9]+")
_SIZE = re.compile(r"(\d{1,4})(?:gb|g|gib)")
_FORM = re.compile(r"sxm\d*|pcie|oam|hbm\d?e?|gddr\d|mcm|hgx|baseboard|vf")
_NOISE = frozenset(
    {"nvidia", "tesla", "amd", "instinct", "intel", "r", "tm", "geforce", "corporation", "generation", "graphics"}
    | {"mega", "server", "workstation", "edition", "blackwell", "habana", "accelerator", "card", "aws", "grid"}
)
_KEPT_FORM = "nvl"
MAX_NAME = 63


def canonical_model(name: str, memory_mib: int | None = None) -> str | None:
    """The canonical name of a GPU model, None where the text names none.

    An unknown model keeps a name of its own, always the same for the same card whatever way it is spelt: lower case,
    dashes, without vendor and form factor. So a price book can name it.

    Args:
        name: such as `NVIDIA-H100-80GB-HBM3`, `NVIDIA A100-SXM4-40GB-MIG-1g.5gb`, `nvidia-l4`.
        memory_mib: memory of one whole GPU, which decides between sizes where the name does not.
    """
    if name.startswith("<<<"):
        return None  # the exporter's mark for a name that it does not know
    lowered = re.sub(r"[\s_]+", "-", name.strip().lower())
    whole = _PARTITION.sub("", lowered.removesuffix("-shared"))
    if whole in ALIASES:
        return ALIASES[whole]
    words = _WORD.findall(whole)
    family = _family(tuple(words))
    if family is None:
        return _own_name(words)
    return _sized(family, words, memory_mib)


def known_model(name: str) -> str | None:
    """The canonical name of a model that the table knows, None for all other texts.

    For texts that may speak of something else, such as the value of any label.
    """
    lowered = _PARTITION.sub("", re.sub(r"[\s_]+", "-", name.strip().lower()).removesuffix("-shared"))
    known = lowered in ALIASES or _family(tuple(_WORD.findall(lowered))) is not None
    return canonical_model(name) if known else None


def model_of_node(labels: Mapping[str, str]) -> str | None:
    """The canonical model of a node's GPUs, None where no label names it."""
    memory = None if _partitioned(labels) else _memory_mib(labels)
    for key in MODEL_LABELS:
        model = canonical_model(labels.get(key, ""), memory)
        if model is not None:
            return model
    return None


@lru_cache(maxsize=1024)
def _family(words: tuple[str, ...]) -> GpuFamily | None:
    """Remembered, because few names are told apart and each is asked for again and again."""
    found = [family for family in FAMILIES if _contains(words, family.words)]
    return max(found, key=lambda family: len(family.words), default=None)


def _contains(words: Sequence[str], wanted: tuple[str, ...]) -> bool:
    """Whether the wanted words stand side by side; form factors and the NVL mark may stand between them."""
    if wanted[-1] == _KEPT_FORM:
        return wanted[0] in words and _KEPT_FORM in words
    plain = [word for word in words if not _FORM.fullmatch(word)]
    return any(tuple(plain[at : at + len(wanted)]) == wanted for at in range(len(plain) - len(wanted) + 1))


def _sized(family: GpuFamily, words: list[str], memory_mib: int | None) -> str:
    if not family.sizes_gb:
        return family.name
    told = next((int(match[1]) for word in words if (match := _SIZE.fullmatch(word))), None)
    if told is None and memory_mib:
        told = min(family.sizes_gb, key=lambda size: abs(size * 1_000_000_000 - memory_mib * 1_048_576))
    size = told or family.usual_gb
    return f"{family.name}-{size}gb" if size else family.name


def _own_name(words: list[str]) -> str | None:
    kept = [word for word in words if word not in _NOISE and not _FORM.fullmatch(word)]
    return "-".join(kept)[:MAX_NAME].strip("-") or None


def _partitioned(labels: Mapping[str, str]) -> bool:
    return "-mig-" in labels.get("nvidia.com/gpu.product", "").lower()


def _memory_mib(labels: Mapping[str, str]) -> int | None:
    for key in MEMORY_LABELS:
        text = labels.get(key, "")
        if text.isascii() and text.isdigit() and 0 < len(text) <= 9 and int(text) > 0:
            return int(text)
    return None
