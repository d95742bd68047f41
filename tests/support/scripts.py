"""Random fleet scripts from a seed: pods that follow each other on the GPUs of a node, with all kinds of loads."""

import random
from fractions import Fraction

from fleet.activity import Burst, Duty, Program, Steady, ramp
from fleet.builders import FOUR_DOLLARS, node, pod, pod_uid
from fleet.script import Collection, Fleet, SimExporter, SimNode, SimPod

SECOND = 1_000
SPARE = ("power", "fb_free", "fb_used", "xid")  # fields that no amount rests on
COLLECTIONS = (Collection(), Collection(10_000, 10_000, 3_000), Collection(30_000, 30_000, 7_000))


def random_program(chance: random.Random) -> Program:
    """A steady load, a cycle, bursts, a ramp, or nothing."""
    tenth = Fraction(chance.randrange(1, 10), 10)
    kind = chance.randrange(5)
    if kind == 0:
        return Steady(Fraction(0))
    if kind == 1:
        return Duty(Fraction(9, 10), tenth / 10, chance.randrange(5, 90) * SECOND, 4 * SECOND)
    if kind == 2:
        return Burst(
            tenth / 10, Fraction(19, 20), 120 * SECOND, chance.randrange(10, 60) * SECOND, chance.randrange(99)
        )
    if kind == 3:
        return ramp(Fraction(1, 10), tenth, 4, chance.randrange(20, 120) * SECOND)
    return Steady(tenth)


def random_fleet(seed: int, begin_ms: int, end_ms: int, *, gpus: int = 2) -> Fleet:
    """One node; pods come and go on each of its GPUs, some for two seconds, some for longer than the script."""
    return _fleet(random.Random(seed), "gpu-a", begin_ms, end_ms, gpus)


def random_nodes(seed: int, begin_ms: int, end_ms: int, *, nodes: int) -> Fleet:
    """Several such nodes, each with one GPU, a timing and a life of its own."""
    chance = random.Random(seed)
    found = [_fleet(chance, f"gpu-{number}", begin_ms, end_ms, 1) for number in range(nodes)]
    return Fleet(tuple(n for one in found for n in one.nodes), tuple(pod for one in found for pod in one.pods))


def _fleet(chance: random.Random, name: str, begin_ms: int, end_ms: int, gpus: int) -> Fleet:
    timing, with_uid = chance.choice(COLLECTIONS), chance.random() < 0.5
    exporter = SimExporter("4.8.3", collection=timing, pod_uid=with_uid, without=SPARE)
    host = node(name, gpus=gpus, price=FOUR_DOLLARS, exporters=(exporter,))
    return Fleet((host,), tuple(one for gpu in range(gpus) for one in _tenants(chance, host, gpu, begin_ms, end_ms)))


def _tenants(chance: random.Random, host: SimNode, gpu: int, begin_ms: int, end_ms: int) -> list[SimPod]:
    """One pod after the other on a GPU: back to back or with a pause, after a long or a short image pull."""
    at, found = begin_ms + chance.randrange(-600, 300) * SECOND, []
    while at < end_ms:
        length = chance.choice((2, 20, 45, 90, 200, 600, 1_800)) * chance.randrange(5, 15) // 10 * SECOND
        length = max(length, 2 * SECOND)
        pull = min(length - SECOND, chance.choice((0, 1, 3, 20, 60)) * SECOND)
        name = f"{host.name}-p{gpu}-{len(found) % 3}"
        found.append(
            pod(
                name,
                host,
                (gpu,),
                uid=pod_uid("team-a", name, len(found)),
                bound_ms=at,
                started_ms=at + pull,
                finished_ms=at + length,
                deleted_ms=at + length + chance.randrange(0, 2) * SECOND,
                activity=random_program(chance),
            )
        )
        at += length + chance.choice((1, 1, 5, 40, 200, 900)) * SECOND
    return found
