"""One reading of a device, divided among the pods whose processes it served.

1. Engine time of processes becomes engine time of owners: pods, and what is outside them.
2. Where one owner alone was there, the device's engine time is its own: that is measured best.
3. Else the samples of processes decide, held against the device's engine time.
4. Where several were there and nothing tells them apart, nobody gets anything: the device alone is counted.
5. SM time and caused energy follow the engine time; memory is what each process holds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aicost.domain.agent.energy import MOST_WATTS, IdlePower, Mark, energy_since
from aicost.domain.agent.reconcile import WAIT_NS, Balance, reconcile
from aicost.domain.agent.utilisation import LONGEST_NS
from aicost.domain.agent.values import Outside, Owner, Part, PartReading, Pod, Reading
from aicost.domain.exact.apportion import apportion

Owns = Callable[[int, int | None], Owner]
"""Who a PID belonged to at a moment of the driver's clock."""
Holders = Mapping[Part, frozenset[Pod]]
"""Which pods hold which part, by the kubelet."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Caused energy that waits for the engine time that caused it."""

    energy_uj: int = 0
    busy: int = 0


@dataclass(frozen=True, slots=True)
class Memory:
    """What one device's next reading needs of those before.

    Attributes:
        owners: who was on each part at the last reading.
        sm_share: SM time over engine time, as last seen, by part: numerator and denominator.
    """

    balances: Mapping[Part, Balance] = field(default_factory=dict)
    owners: Mapping[Part, frozenset[Owner]] = field(default_factory=dict)
    sm_share: Mapping[Part, tuple[int, int]] = field(default_factory=dict)
    mark: Mark | None = None
    idle: IdlePower = field(default_factory=IdlePower)
    waiting: Waiting = field(default_factory=Waiting)


@dataclass(slots=True)
class Amounts:
    """What one reading adds. A pod that is not named had nothing measured."""

    busy_ns: dict[Part, int] = field(default_factory=dict)
    energy_uj: int | None = None
    engine_ns: dict[tuple[Part, Pod], int] = field(default_factory=dict)
    sm_ns: dict[tuple[Part, Pod], int] = field(default_factory=dict)
    memory_byte_ms: dict[tuple[Part, Pod], int] = field(default_factory=dict)
    pod_energy_uj: dict[tuple[Part, Pod], int] = field(default_factory=dict)
    unmapped_ns: int = 0


@dataclass(frozen=True, slots=True)
class _PartStep:
    """What became of one part.

    Attributes:
        measured: whether what an owner did not get is known not to be its own.
    """

    granted: dict[Owner, int]
    balance: Balance
    owners: frozenset[Owner]
    measured: bool


def step(memory: Memory, reading: Reading, owns: Owns, holders: Holders) -> tuple[Memory, Amounts]:
    """What the next reading needs, and what this one adds."""
    amounts = Amounts(energy_uj=_energy(memory, reading))
    steps = {one.part: _divide(one, reading, memory, owns, holders) for one in reading.parts}
    shares = {one.part: share for one in reading.parts if (share := _sm_share(one, memory))}
    for one in reading.parts:
        if one.busy is not None:
            amounts.busy_ns[one.part] = one.busy.engine_ns
        _add_engine(amounts, one.part, steps[one.part], shares.get(one.part))
        _add_memory(amounts, one, reading, owns, holders)
    idle, waiting = _add_energy(amounts, memory, reading, steps)
    mark = memory.mark if reading.counter_mj is None else Mark(reading.counter_mj, reading.at_ns)
    balances = {part: one.balance for part, one in steps.items()}
    owners = {part: one.owners for part, one in steps.items()}
    return Memory(balances, owners, shares, mark, idle, waiting), amounts


def _energy(memory: Memory, reading: Reading) -> int | None:
    """Microjoules since the last reading: by the driver's counter, else by the power of this moment."""
    if reading.counter_mj is not None:
        return energy_since(memory.mark, Mark(reading.counter_mj, reading.at_ns))
    if reading.power_mw is None or not 0 <= reading.power_mw <= MOST_WATTS * 1000 or not reading.elapsed_ns:
        return None
    return reading.power_mw * min(reading.elapsed_ns, LONGEST_NS) // 1_000_000


def _divide(one: PartReading, reading: Reading, memory: Memory, owns: Owns, holders: Holders) -> _PartStep:
    """Who gets the engine time of a part."""
    here = _here(one, owns, holders)
    claims = _claims(one, reading, owns, holders)
    before = memory.balances.get(one.part, Balance())
    known = here | {owner for owner, ns in claims.items() if ns} | memory.owners.get(one.part, frozenset())
    present = known - {Outside.MPS} or known
    told_apart = reading.engine is not None and not one.part.instance
    if one.busy is None:
        ours = _of_clients(claims, present)
        balance, granted = _unmeasured(before, ours, reading.elapsed_ns, metered=one.metered)
        return _PartStep(granted, balance, here, told_apart)
    if len(present) == 1:
        (owner,) = present
        rest = {other: ns for other, ns in before.claims.items() if other != owner}
        return _PartStep({owner: one.busy.engine_ns}, Balance(before.room_ns, rest), here, measured=True)
    balance, granted = reconcile(before, one.busy.engine_ns, _of_clients(claims, present))
    return _PartStep(granted, balance, here, told_apart)


def _unmeasured(
    before: Balance, claims: Mapping[Owner, int], elapsed_ns: int, *, metered: bool
) -> tuple[Balance, dict[Owner, int]]:
    """Without the device's engine time: claims wait for it, if it will come; else time itself is the bound."""
    if metered:
        return reconcile(before, 0, claims)
    balance, granted = reconcile(Balance(0, before.claims), elapsed_ns, claims)
    return Balance(0, balance.claims), granted


def _of_clients(claims: Mapping[Owner, int], present: frozenset[Owner]) -> dict[Owner, int]:
    """What a server of MPS computed was for its clients, if all of them are one pod's."""
    found = dict(claims)
    pods = [one for one in present if isinstance(one, Pod)]
    if Outside.MPS in found and len(pods) == 1:
        found[pods[0]] = found.get(pods[0], 0) + found.pop(Outside.MPS)
    return found


def _claims(one: PartReading, reading: Reading, owns: Owns, holders: Holders) -> dict[Owner, int]:
    """Engine time by owner, as samples of processes say. Under MIG there are none."""
    found: dict[Owner, int] = {}
    for each in reading.engine or () if not one.part.instance else ():
        owner = _or_holder(owns(each.pid, each.stamp_us), one.part, holders)
        found[owner] = found.get(owner, 0) + each.busy_ns
    return found


def _here(one: PartReading, owns: Owns, holders: Holders) -> frozenset[Owner]:
    """Who has processes on a part; where they cannot be listed: who holds it."""
    if one.processes is None:
        return frozenset(holders.get(one.part, ()))
    return frozenset(_or_holder(owns(each.pid, None), one.part, holders) for each in one.processes)


def _or_holder(owner: Owner, part: Part, holders: Holders) -> Owner:
    """A process that was never seen here is the one holder's, if there is one."""
    held = holders.get(part, frozenset())
    if owner is Outside.UNSEEN and len(held) == 1:
        (pod,) = held
        return pod
    return owner


def _sm_share(one: PartReading, memory: Memory) -> tuple[int, int] | None:
    if one.busy is None or one.busy.sm_ns is None or not one.busy.engine_ns:
        return memory.sm_share.get(one.part)
    return min(one.busy.sm_ns, one.busy.engine_ns), one.busy.engine_ns


def _add_engine(amounts: Amounts, part: Part, one: _PartStep, share: tuple[int, int] | None) -> None:
    """Engine and SM time. A pod that was there and computed nothing is measured as 0."""
    idle = dict.fromkeys(one.owners, 0) if one.measured else {}
    for owner, ns in (idle | one.granted).items():
        if isinstance(owner, Outside):
            amounts.unmapped_ns += ns
            continue
        amounts.engine_ns[part, owner] = ns
        if share is not None:
            amounts.sm_ns[part, owner] = ns * share[0] // share[1]


def _add_memory(amounts: Amounts, one: PartReading, reading: Reading, owns: Owns, holders: Holders) -> None:
    span_ms = min(reading.elapsed_ns, LONGEST_NS) // 1_000_000
    held = amounts.memory_byte_ms
    for each in one.processes or ():
        owner = _or_holder(owns(each.pid, None), one.part, holders)
        if isinstance(owner, Pod) and each.memory_bytes is not None:
            held[one.part, owner] = held.get((one.part, owner), 0) + each.memory_bytes * span_ms


def _add_energy(
    amounts: Amounts, memory: Memory, reading: Reading, steps: Mapping[Part, _PartStep]
) -> tuple[IdlePower, Waiting]:
    """Divide caused energy by engine time times SMs; what no engine time stands for stays with the device."""
    energy, sms = amounts.energy_uj, {one.part: one.sms for one in reading.parts}
    if energy is None or not reading.elapsed_ns:
        return memory.idle, memory.waiting
    busy = sum(one.busy.engine_ns * one.sms for one in reading.parts if one.busy is not None)
    known = all(one.busy is not None for one in reading.parts)
    idle = memory.idle.seen(energy, reading.elapsed_ns) if known and not busy else memory.idle
    caused = Waiting(memory.waiting.energy_uj + idle.caused_uj(energy, reading.elapsed_ns), memory.waiting.busy + busy)
    weights = {(part, owner): ns * sms[part] for part, each in steps.items() for owner, ns in each.granted.items()}
    granted = sum(weights.values())
    if not granted:
        late = caused.busy > WAIT_NS * max(sms.values(), default=1)
        return idle, Waiting() if late or not caused.busy else caused
    given = caused.energy_uj * granted // max(caused.busy, granted)
    parts = apportion(given, list(weights.values()))
    for (part, owner), uj in zip(weights, parts, strict=True):
        if isinstance(owner, Pod):
            amounts.pod_energy_uj[part, owner] = uj
    return idle, Waiting()
