"""MIG geometry as facts: the profiles of each model, and what a layout leaves over."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from fleet.sharing.terms import Instance


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile.

    Attributes:
        name: such as `3g.40gb`.
        compute: compute slices.
        memory: memory slices that it covers.
        starts: memory slices at which it may begin.
        memory_mib: frame buffer of an instance.
    """

    name: str
    compute: int
    memory: int
    starts: tuple[int, ...]
    memory_mib: int


@dataclass(frozen=True, slots=True)
class Geometry:
    """How one model can be cut: slices in all, and the profiles."""

    compute: int
    memory: int
    profiles: tuple[Profile, ...]

    def profile(self, name: str) -> Profile:
        """The profile of this name."""
        found = next((profile for profile in self.profiles if profile.name == name), None)
        if found is None:
            raise ValueError(f"profile {name!r} is not known: use one of {', '.join(p.name for p in self.profiles)}")
        return found

    def dominant(self, name: str) -> Fraction:
        """The greater of its parts of compute and of memory."""
        profile = self.profile(name)
        return max(Fraction(profile.compute, self.compute), Fraction(profile.memory, self.memory))

    def fits_another(self, instances: Iterable[Instance]) -> bool:
        """Whether any profile can still be created beside these instances."""
        placed = [(self.profile(one.profile), one.start) for one in instances]
        taken = {piece for profile, start in placed for piece in range(start, start + profile.memory)}
        left = self.compute - sum(profile.compute for profile, _ in placed)
        return any(
            profile.compute <= left and not taken & set(range(start, start + profile.memory))
            for profile in self.profiles
            for start in profile.starts
        )


def _of_seven(small: str, double: str, half: str, whole: str, slice_mib: int) -> Geometry:
    """The common cut: seven compute and eight memory slices; names by the memory of 1, 2, 4 and 8 slices."""

    def profile(compute: int, gigabytes: str, memory: int, starts: tuple[int, ...]) -> Profile:
        return Profile(f"{compute}g.{gigabytes}gb", compute, memory, starts, slice_mib * memory)

    return Geometry(
        7,
        8,
        (
            profile(1, small, 1, (0, 1, 2, 3, 4, 5, 6)),
            profile(1, double, 2, (0, 2, 4, 6)),
            profile(2, double, 2, (0, 2, 4)),
            profile(3, half, 4, (0, 4)),
            profile(4, half, 4, (0,)),
            profile(7, whole, 8, (0,)),
        ),
    )


GEOMETRIES = {
    "NVIDIA A100-SXM4-40GB": _of_seven("5", "10", "20", "40", 4_864),
    "NVIDIA A100-SXM4-80GB": _of_seven("10", "20", "40", "80", 9_856),
    "NVIDIA H100 80GB HBM3": _of_seven("10", "20", "40", "80", 9_984),
    "NVIDIA H200": _of_seven("18", "35", "71", "141", 17_664),
}


def geometry(model: str) -> Geometry:
    """How a model can be cut.

    Raises:
        ValueError: it has no MIG.
    """
    if model not in GEOMETRIES:
        raise ValueError(f"{model} has no MIG here: use one of {', '.join(GEOMETRIES)}")
    return GEOMETRIES[model]


def instances(model: str, *profiles: str) -> tuple[Instance, ...]:
    """These profiles as instances, each at the first place where it fits; ids count from 1.

    Raises:
        ValueError: they do not fit on one GPU.
    """
    cut, taken, found = geometry(model), set[int](), []
    for number, name in enumerate(profiles, start=1):
        profile = cut.profile(name)
        spans = (range(start, start + profile.memory) for start in profile.starts)
        place = next((span for span in spans if not taken & set(span)), None)
        if place is None:
            raise ValueError(f"{', '.join(profiles)} do not fit on one {model}")
        taken |= set(place)
        found.append(Instance(number, name, place.start))
    return tuple(found)
