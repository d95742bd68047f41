"""What share of a GPU a hardware partition or a portion is. Shares are parts per million of one device."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

WHOLE = 1_000_000
"""One device."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a GPU is cut by MIG.

    Attributes:
        models: canonical models that are cut so.
        compute, memory: slices of each kind that the whole GPU has.
        profiles: memory slices of each profile; its compute slices stand before the `g`.
    """

    models: tuple[str, ...]
    compute: int
    memory: int
    profiles: Mapping[str, int]


def _sevenths(small: str, quarter: str, half: str, full: str, *models: str) -> Layout:
    """A GPU of seven compute and eight memory slices, by the memory of its partitions in GB."""
    profiles = {
        f"1g.{small}gb": 1,
        f"1g.{quarter}gb": 2,
        f"2g.{quarter}gb": 2,
        f"3g.{half}gb": 4,
        f"4g.{half}gb": 4,
        f"7g.{full}gb": 8,
    }
    return Layout(models, 7, 8, profiles)


def _quarters(small: str, half: str, full: str, *models: str) -> Layout:
    profiles = {f"1g.{small}gb": 1, f"2g.{half}gb": 2, f"4g.{full}gb": 4}
    return Layout(models, 4, 4, profiles)


LAYOUTS: tuple[Layout, ...] = (
    _sevenths("5", "10", "20", "40", "a100-40gb"),
    _sevenths("10", "20", "40", "80", "a100-80gb", "h100-80gb", "a800-80gb", "h800"),
    _sevenths("12", "24", "48", "96", "h100-96gb", "gh200", "h20-96gb"),
    _sevenths("12", "24", "47", "94", "h100-nvl"),
    _sevenths("18", "35", "71", "141", "h200", "h200-nvl", "h20-141gb"),
    _sevenths("23", "45", "90", "180", "b200"),
    _sevenths("23", "47", "93", "186", "gb200"),
    _sevenths("34", "67", "135", "269", "b300", "gb300"),
    _quarters("6", "12", "24", "a30"),
    _quarters("24", "48", "96", "rtx-pro-6000"),
)
"""A new card is a new line."""

_PROFILE = re.compile(r"(?:^|mig[- ])(\d{1,2}g\.\d{1,4}gb)")
_DASHED = re.compile(r"-mig-(\d{1,2}g)(\d{1,4}gb)")
_SIZE = re.compile(r"-(\d{1,4})gb$")
MEMORY_GB: Mapping[str, int] = {
    "t4": 16,
    "l4": 24,
    "a10": 24,
    "a10g": 24,
    "a30": 24,
    "a40": 48,
    "l40": 48,
    "l40s": 48,
    "h100-nvl": 94,
    "h200": 141,
    "b200": 180,
    "rtx-4090": 24,
    "rtx-a6000": 48,
    "rtx-6000-ada": 48,
    "rtx-pro-6000": 96,
}
"""Memory of models whose name does not tell it, in GB."""


def share_of_profile(text: str, model: str | None = None) -> int | None:
    """Share of the GPU that a MIG profile is: its larger part of the compute slices or of the memory slices.

    `mig-3g.20gb` is half an A100 of 40 GB: three of seven compute slices, but four of eight memory slices. Where the
    model is not known and cards differ, nothing is said: 1g.10gb is a quarter of one and a seventh of another.

    Args:
        text: a resource name, a product name or a profile that holds one.
        model: canonical model, None where it is not known.
    """
    share = dominant_share(text, model)
    return None if share is None else int(share * WHOLE)


def dominant_share(text: str, model: str | None = None) -> Fraction | None:
    """The same as an exact fraction."""
    match = _PROFILE.search(text.lower())
    if match is None:
        return None
    profile = match[1]
    layouts = [each for each in LAYOUTS if profile in each.profiles and (model is None or model in each.models)]
    shares = {_share(layout, profile) for layout in layouts}
    return shares.pop() if len(shares) == 1 else None


def partition_share(text: str, model: str | None = None) -> Fraction | None:
    """The same as an exact fraction; a name of a device such as `gpu-0-mig-1g24gb-19-0` counts as a profile, too."""
    lowered = text.lower()
    dashed = _DASHED.search(lowered)
    return dominant_share(f"{dashed[1]}.{dashed[2]}" if dashed else lowered, model)


def nearest_profile(compute: int, mib: int, model: str | None) -> str:
    """The profile of so many compute slices that comes nearest to a size of memory; empty where there is none."""
    layouts = [each for each in LAYOUTS if model in each.models] or LAYOUTS
    named = {profile for each in layouts for profile in each.profiles if profile.startswith(f"{compute}g.")}
    return min(named, key=lambda profile: (abs(int(profile[3:-2]) * 1024 - mib), profile), default="")


def share_of_memory(mib: int, model: str | None) -> int | None:
    """Share of a GPU's memory, at most the whole; None where the model's memory is not known."""
    total = memory_mib(model)
    return None if total is None else min(WHOLE, WHOLE * mib // total)


def memory_mib(model: str | None) -> int | None:
    """Memory of a model by its data sheet, None where it is not known. A card of 80 GB counts as 80 GiB."""
    size = _SIZE.search(model or "")
    gigabytes = int(size[1]) if size else MEMORY_GB.get(model or "")
    return None if gigabytes is None else gigabytes * 1024


def _share(layout: Layout, profile: str) -> Fraction:
    compute = Fraction(int(profile.partition("g")[0]), layout.compute)
    memory = Fraction(layout.profiles[profile], layout.memory)
    return max(compute, memory)
