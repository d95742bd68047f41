"""What still fits on a GPU beside the MIG instances that it has."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from aicost.domain.workloads.gpus.slices import LAYOUTS, Layout

_PLAIN = re.compile(r"(?:^|mig[- ])(\d{1,2}g\.\d{1,4}gb)")


def layout_of(profiles: Iterable[str], model: str | None) -> Layout | None:
    """How a GPU with these instances is cut; None where model and profiles do not tell."""
    names = frozenset(map(plain_profile, profiles))
    found = [one for one in LAYOUTS if names <= one.profiles.keys() and (model is None or model in one.models)]
    return found[0] if len(found) == 1 else None


def fits_another(layout: Layout, profiles: Sequence[str]) -> bool:
    """Whether any further instance fits beside these.

    Exporters do not tell where an instance is, so each is taken to be at the first place that was free when it was
    created.

    Args:
        layout: how the GPU is cut.
        profiles: its instances, in the order in which they were created.
    """
    created = [_size(layout, plain_profile(profile)) for profile in profiles]
    taken = _first_places(layout, created)
    left = layout.compute - sum(size.compute for size in created)
    sizes = (_size(layout, profile) for profile in layout.profiles)
    return any(size.compute <= left and _place(layout, size, taken) for size in sizes)


def plain_profile(text: str) -> str:
    """A profile without what is added to it: `1g.10gb` of `1g.10gb+me`; empty where the text has none."""
    found = _PLAIN.search(text.lower())
    return found[1] if found else ""


class _Size(NamedTuple):
    """Slices of an instance."""

    compute: int
    memory: int


def _size(layout: Layout, profile: str) -> _Size:
    return _Size(int(profile.partition("g")[0]), layout.profiles[profile])


def _first_places(layout: Layout, created: Iterable[_Size]) -> int:
    """The memory slices that these take, as bits; one that finds no place takes none."""
    taken = 0
    for size in created:
        taken |= _place(layout, size, taken)
    return taken


def _place(layout: Layout, size: _Size, taken: int) -> int:
    """The first free place of an instance as bits of memory slices, 0 for none.

    It begins at a multiple of its length, and each of its compute slices has the memory slice of its number.
    """
    starts = (start for start in range(0, layout.memory, size.memory) if start + size.compute <= layout.compute)
    places = (((1 << size.memory) - 1) << start for start in starts)
    return next((place for place in places if not taken & place), 0)
