"""Leadership by a Lease: at most one of several replicas writes.

Safety does not rest on wall clocks. A candidate takes a lease only after it has itself watched it stay unchanged for
the whole duration. A leader counts from the moment *before* its last successful renewal was sent, by a clock that also
runs while the machine sleeps, and stops being one at the renewal deadline, which lies before the end of the duration.
"""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import msgspec

from aicost.adapters.kube.client import KubeClient, decode
from aicost.adapters.kube.wire.errors import Conflict, NotFound
from aicost.adapters.kube.wire.resources import LEASES
from aicost.domain.exact.windows import to_datetime
from aicost.ports.errors import AicostError, ClusterUnavailable


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """Seconds.

    Attributes:
        duration: others wait this long without a renewal before they take over.
        deadline: a leader that could not renew for this long has lost; less than the duration.
        retry: between two attempts.
    """

    duration: float = 12.0
    deadline: float = 9.0
    retry: float = 2.0

    def __post_init__(self) -> None:
        if not 0 < self.retry < self.deadline < self.duration:
            raise ValueError(f"{self}: retry must be shorter than deadline, and deadline than duration")

    @property
    def takeover(self) -> float:
        """Seconds after which another one leads at the latest, if its calls are answered at once.

        Its look at the lease comes up to `retry` after the last renewal, and up to `retry` after the time was over.
        """
        return self.duration + 2 * self.retry

    @property
    def call(self) -> float:
        """Seconds that one call may take."""
        return self.retry * 1.5


class _Spec(msgspec.Struct, rename="camel"):
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    lease_transitions: int | None = None
    acquire_time: str | None = None


class _Metadata(msgspec.Struct, rename="camel"):
    resource_version: str


class _Lease(msgspec.Struct):
    metadata: _Metadata
    spec: _Spec = field(default_factory=_Spec)


def uptime() -> float:
    """Seconds of a clock that nobody sets and that runs while the machine sleeps, where the system has one."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Leadership:
    """One candidate for one Lease: await `acquire`, then `hold`, and ask `holds` before each write.

    What is lost stays lost: a new candidacy needs a new process.

    Args:
        client: an open client.
        place: namespace and name of the Lease.
        identity: who we are; no two replicas may share it.
        now_ms: the wall clock, only for what people read in the Lease.
        on_lost: is called once with the reason when leadership is lost, from the loop or from the watchdog's thread.
            It must end the process: work in progress cannot be called back.
        clock: see `uptime`.
    """

    def __init__(  # noqa: PLR0913 -- what a candidate needs from outside
        self,
        client: KubeClient,
        place: tuple[str, str],
        identity: str,
        *,
        now_ms: Callable[[], int],
        on_lost: Callable[[str], None],
        times: LeaseTimes | None = None,
        clock: Callable[[], float] = uptime,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.identity = identity
        self._client, (self._namespace, self._name) = client, place
        self._now_ms, self._on_lost, self._clock, self._sleep = now_ms, on_lost, clock, sleep
        self.times = times or LeaseTimes()
        self._until: float | None = None
        self._ours: _Lease | None = None
        self._observed: tuple[str, float] | None = None
        self._lost = threading.Event()
        self._losing = threading.Lock()
        self.problem: str | None = None
        """Why the last attempt failed, None if it did not."""

    def holds(self) -> bool:
        """True while nobody else can hold the lease. A process that was paused learns here that its time is over."""
        until = self._until
        return until is not None and not self._lost.is_set() and self._clock() < until

    @property
    def transitions(self) -> int:
        """How often the lease changed hands, as far as we know: a number that orders leaders."""
        return (self._ours.spec.lease_transitions or 0) if self._ours else 0

    async def acquire(self) -> None:
        """Wait until the lease is ours."""
        while not await self._attempt(self._try_to_take):
            await self._sleep(self.times.retry)

    async def hold(self) -> None:
        """Renew until leadership is lost; then `on_lost` is called and this returns.

        A thread watches the deadline as well, for the case that the loop itself hangs.
        """
        watchdog = threading.Thread(target=self._guard, name="lease-watchdog", daemon=True)
        watchdog.start()
        while self.holds():
            await self._sleep(self.times.retry)
            if not self.holds():
                break
            await self._attempt(self._renew)
        self._lose()

    async def release(self) -> None:
        """Give the lease up, so that another need not wait. Best effort: it runs out by itself.

        Call it after all work has stopped and `hold` was cancelled.
        """
        ours, held = self._ours, self.holds()
        self._until, self._ours = None, None
        self._lost.set()
        if ours is not None and held:
            await self._attempt(lambda: self._put(ours, self._spec("", ours.spec, took=False)))

    async def _attempt(self, action: Callable[[], Awaitable[bool]]) -> bool:
        """One action within its time; False if it failed, whatever the reason."""
        try:
            async with asyncio.timeout(self.times.call):
                done = await action()
        except TimeoutError:
            self.problem = f"the API server did not answer for the lease within {self.times.call} s"
            return False
        except AicostError as error:
            self.problem = str(error)
            return False
        self.problem = None
        return done

    async def _try_to_take(self) -> bool:
        lease = await self._read()
        if lease is None:
            return await self._create()
        self._observe(lease)
        holder = lease.spec.holder_identity
        if holder and holder != self.identity and not self._has_run_out(lease.spec):
            return False
        return await self._put(lease, self._spec(self.identity, lease.spec, took=holder != self.identity))

    async def _renew(self) -> bool:
        """Write over our own last version. A conflict shows whether somebody else wrote meanwhile."""
        assert self._ours is not None
        try:
            return await self._put(self._ours, self._spec(self.identity, self._ours.spec, took=False))
        except Conflict:
            return await self._reread()

    async def _reread(self) -> bool:
        """After a conflict: our own write whose answer was lost, an edit by a person, or another leader."""
        lease = await self._read()
        if lease is None or lease.spec.holder_identity != self.identity:
            self._until = None
            holder = "nobody" if lease is None else lease.spec.holder_identity or "nobody"
            raise ClusterUnavailable(f"the lease is held by {holder}")
        return await self._put(lease, self._spec(self.identity, lease.spec, took=False))

    async def _read(self) -> _Lease | None:
        try:
            answer = await self._client.get(LEASES, self._name, self._namespace)
        except NotFound:
            return None
        return decode(answer, _Lease, "read the lease")

    async def _create(self) -> bool:
        sent = self._clock()
        metadata = {"name": self._name, "namespace": self._namespace}
        body = {**self._head(metadata), "spec": self._spec(self.identity, _Spec(), took=True)}
        try:
            answer = await self._client.create(LEASES, body, self._namespace)
        except Conflict:
            return False
        return self._keep(answer, sent)

    async def _put(self, lease: _Lease, spec: dict[str, object]) -> bool:
        """Write if the lease is still the version that we know."""
        sent = self._clock()
        version = lease.metadata.resource_version
        metadata = {"name": self._name, "namespace": self._namespace, "resourceVersion": version}
        body = {**self._head(metadata), "spec": spec}
        answer = await self._client.replace(LEASES, self._name, body, self._namespace)
        return self._keep(answer, sent) if spec["holderIdentity"] else True

    def _keep(self, answer: bytes, sent: float) -> bool:
        self._ours = decode(answer, _Lease, "write the lease")
        self._until = sent + self.times.deadline
        return self.holds()

    def _observe(self, lease: _Lease) -> None:
        """Note since when the lease has not changed, by our own clock."""
        version = lease.metadata.resource_version
        if self._observed is None or self._observed[0] != version:
            self._observed = version, self._clock()

    def _has_run_out(self, spec: _Spec) -> bool:
        """Unchanged for as long as we, and the holder itself, say that a lease lasts."""
        lasts = max(self.times.duration, spec.lease_duration_seconds or 0)
        return self._observed is not None and self._clock() - self._observed[1] >= lasts

    @staticmethod
    def _head(metadata: dict[str, str]) -> dict[str, object]:
        return {"apiVersion": LEASES.api_version, "kind": LEASES.kind, "metadata": metadata}

    def _spec(self, holder: str, before: _Spec, *, took: bool) -> dict[str, object]:
        now = _micro_time(self._now_ms())
        return {
            "holderIdentity": holder,
            "leaseDurationSeconds": max(1, round(self.times.duration)),
            "acquireTime": now if took or before.acquire_time is None else before.acquire_time,
            "renewTime": now,
            "leaseTransitions": _transitions(before, took=took),
        }

    def _guard(self) -> None:
        """Runs in a thread: sees the deadline pass even where the loop hangs."""
        while not self._lost.wait(min(1.0, self.times.retry / 2)):
            if not self.holds():
                self._lose()

    def _lose(self) -> None:
        with self._losing:
            if self._lost.is_set():
                return
            self._lost.set()
        self._on_lost(self.problem or f"the lease was not renewed within {self.times.deadline} s")


def _transitions(before: _Spec, *, took: bool) -> int:
    """A lease that we create has not changed hands yet."""
    if before.lease_transitions is None and before.holder_identity is None:
        return 0
    return (before.lease_transitions or 0) + took


def _micro_time(millis: int) -> str:
    return to_datetime(millis).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
