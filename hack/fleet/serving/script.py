"""A script: requests, the processes that answer and count them, and the scrapes that come through."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

STEP_MS = 30_000
ENDINGS = ("stop", "stop", "length", "stop", "stop", "abort", "stop", "error", "stop", "stop")
"""How requests end, one after the other."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as it ended.

    Attributes:
        at_ms: when it ended.
        model: as the gateway calls it.
        tenant: who asked; empty where it came past the gateway.
        prompt: tokens of the prompt, those of a cache among them.
        cached: those that a cache held.
        output: generated tokens.
        ended: `stop`, `length`, `abort` or `error`.
        prefill_ms, decode_ms: how long its phases took: whole eighths of a second, which a double holds exactly.
        attempts: how often the gateway sent it on.
    """

    at_ms: int
    model: str
    tenant: str
    prompt: int
    cached: int
    output: int
    ended: str
    prefill_ms: int
    decode_ms: int
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod that runs an engine.

    Attributes:
        engine: which one, a key of `fleet.serving.faces.ENGINES`.
        from_ms, to_ms: it is there.
        restarts: moments at which its process begins anew, with all counters at nothing.
        requests: what it answers while it is there.
    """

    namespace: str
    name: str
    engine: str
    model: str
    from_ms: int
    to_ms: int
    requests: tuple[Request, ...]
    restarts: tuple[int, ...] = ()

    def began(self, at_ms: int) -> int:
        """When the process began that runs at a moment."""
        return max((one for one in (self.from_ms, *self.restarts) if one <= at_ms), default=self.from_ms)


@dataclass(frozen=True, slots=True)
class Serving:
    """Pods that serve models, and what looks at them.

    Attributes:
        gateway: which one stands before them, a key of `fleet.serving.faces.GATEWAYS`.
        missed: times of scrapes that did not come through, of all targets.
        gateway_restarts: moments at which the gateway begins anew: whoever asked is forgotten until they ask again.
    """

    pods: tuple[Pod, ...]
    gateway: str
    from_ms: int
    to_ms: int
    missed: frozenset[int] = frozenset()
    gateway_restarts: tuple[int, ...] = ()

    def front(self) -> Pod:
        """The gateway, as a pod that sees all requests that do not come past it."""
        asked = sorted((one for pod in self.pods for one in pod.requests if one.tenant), key=lambda one: one.at_ms)
        return Pod("gateway", "front-0", "", "", self.from_ms, self.to_ms, tuple(asked), self.gateway_restarts)

    def scrapes(self, pod: Pod) -> Iterator[int]:
        """Times at which a pod was seen."""
        for at_ms in range(self.from_ms, self.to_ms, STEP_MS):
            if pod.from_ms <= at_ms < pod.to_ms and at_ms not in self.missed:
                yield at_ms


def load(seed: int, model: str, from_ms: int, to_ms: int, tenants: tuple[str, ...]) -> tuple[Request, ...]:
    """Requests one after the other; every third comes past the gateway, every fifth is sent on twice."""
    found: list[Request] = []
    at_ms, state = from_ms + 1_000, seed
    while at_ms < to_ms:
        state = (state * 1_103_515_245 + 12_345) % 2**31
        number, chance = len(found), state >> 8
        prompt = 50 + chance % 2_000
        one = Request(
            at_ms, model, "" if number % 3 == 2 else tenants[chance % len(tenants)], prompt, chance % prompt // 2,
            1 + chance % 700, ENDINGS[number % len(ENDINGS)], 125 * (1 + prompt // 500), 125 * (4 + chance % 70),
        )  # fmt: skip
        found.append(replace(one, attempts=2) if number % 5 == 4 else one)
        at_ms += 10_000 + chance % 30_000
    return tuple(found)
