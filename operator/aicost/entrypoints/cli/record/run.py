"""Record a window of a live cluster as a bundle."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aicost.adapters.bundle.anonymise import Anonymiser
from aicost.adapters.bundle.head import BundleHead
from aicost.adapters.bundle.objects import Change
from aicost.adapters.bundle.samples import usual_distance
from aicost.adapters.bundle.writing import BundleWriter
from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.config import ClusterConfig
from aicost.adapters.kube.discovery import prometheus_candidates
from aicost.adapters.kube.seen.values import SeenService
from aicost.adapters.kube.wire.resources import NAMESPACES
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.recording import PrometheusRecording
from aicost.domain.exact.windows import MINUTE_MS, SECOND_MS, Window, to_rfc3339
from aicost.domain.sampling.dialects import METRICS
from aicost.entrypoints.cli.record.objects import Body, ObjectRecorder
from aicost.ports.errors import AicostError, InvalidRequest

PADDING_MS = 10 * MINUTE_MS
"""Samples around the window, so that its edges are told as they are live."""
_PROBE_SECONDS = 5.0
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to record.

    Attributes:
        window: from and to; None records from now on.
        grows: the window ends when the recording does.
        seconds: how long to follow the cluster.
        out: a new directory.
        prometheus: where samples are; None looks for it in the cluster.
        samples: whether there are any to be had.
        cluster: key of the cluster; None takes the UID of kube-system, as the controller does.
        anonymise: replace all names.
    """

    window: Window | None
    seconds: float
    out: Path
    prometheus: PrometheusConfig | None = None
    samples: bool = True
    cluster: str | None = None
    anonymise: bool = False
    grows: bool = False


@dataclass(slots=True)
class Recorded:
    """What was recorded.

    Attributes:
        events: by kind.
        gaps: what could not be read.
    """

    out: Path
    window: Window
    events: dict[str, int] = field(default_factory=dict)
    samples: int = 0
    source: str = ""
    gaps: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Source:
    """The Prometheus in use, and where it was found."""

    recording: PrometheusRecording
    origin: str


def record(wanted: Wanted, config: ClusterConfig, tell: Tell) -> Recorded:
    """Record objects as they are now and while we look, and the samples of the window.

    Raises:
        InvalidRequest: the directory holds something, or no Prometheus is known that answers from here.
        NotPermitted: pods or nodes may not be read.
        ClusterUnavailable, SourceUnavailable: no answer.
    """
    began_ms = now_ms()
    hide = Anonymiser(secrets.token_bytes(32)) if wanted.anonymise else None
    source = _Source(PrometheusRecording(wanted.prometheus), wanted.prometheus.url) if wanted.prometheus else None
    with BundleWriter(wanted.out) as writer:

        def take(at_ms: int, change: Change, body: Body, gap: Window | None) -> None:
            writer.event(at_ms, change, hide.body(body) if hide else body, gap)

        tell(f"asking {config.server}")
        recorder, cluster, services = asyncio.run(_follow(wanted, config, take))
        window = wanted.window or Window(began_ms, now_ms())
        window = Window(window.start_ms, now_ms()) if wanted.grows else window
        done = Recorded(wanted.out, window, recorder.events, gaps=recorder.gaps)
        if wanted.samples:
            source = source or _found(services, tell)
            done.source = source.origin
        interval_ms = _samples(source, done, writer, hide, tell) if source and wanted.samples else None
        name = hide.text(cluster) if hide else cluster
        writer.head(BundleHead(name, window, interval_ms, source=_told(done, hide)), recordedAt=to_rfc3339(now_ms()))
    return done


def _told(done: Recorded, hide: Anonymiser | None) -> str:
    """Where samples came from; an address is a name, too."""
    return "" if not done.source else "prometheus" if hide else f"prometheus: {done.source}"


async def _follow(
    wanted: Wanted, config: ClusterConfig, take: Callable[[int, Change, Body, Window | None], None]
) -> tuple[ObjectRecorder, str, Sequence[SeenService]]:
    async with KubeClient(config) as client:
        recorder = ObjectRecorder(client, take)
        cluster = wanted.cluster or (await client.metadata(NAMESPACES, "kube-system")).uid
        services = () if wanted.prometheus or not wanted.samples else await recorder.services()
        await recorder.run(wanted.seconds)
        return recorder, cluster, services


def _found(services: Sequence[SeenService], tell: Tell) -> _Source:
    """The Prometheus that the controller would find, if it answers from here.

    Raises:
        InvalidRequest: none does; the message says how to reach one.
    """
    tried = []
    for candidate in prometheus_candidates(services):
        tell(f"trying {candidate.origin}")
        try:
            if PrometheusRecording(PrometheusConfig(candidate.url, timeout_s=_PROBE_SECONDS)).has_gpus():
                return _Source(PrometheusRecording(PrometheusConfig(candidate.url)), candidate.url)
            tried.append(f"{candidate.origin}: it answers and has no series of GPUs")
        except AicostError:
            tried.append(f"{candidate.origin}: it does not answer from here")
    seen = f"; tried {'; '.join(tried)}" if tried else "; no Service looks like one"
    raise InvalidRequest(
        f"no Prometheus was found{seen}. Forward its port (kubectl -n NAMESPACE port-forward svc/NAME 9090), name it "
        "by --prometheus http://localhost:9090, or leave samples out by --no-samples"
    )


def _samples(source: _Source, done: Recorded, writer: BundleWriter, hide: Anonymiser | None, tell: Tell) -> int | None:
    """Write all samples, an hour at a time; gives their usual distance."""
    span = Window(done.window.start_ms - PADDING_MS, min(done.window.end_ms + PADDING_MS, now_ms() + SECOND_MS))
    interval_ms = None
    for series in source.recording.parts(span):
        interval_ms = interval_ms or usual_distance(one.at_ms for one in series if one.name in METRICS)
        done.samples += writer.samples(map(hide.series, series) if hide else series)
        tell(f"{done.samples:,} samples from {source.origin}")
    if not done.samples:
        done.gaps.append(f"{source.origin} has no sample of a GPU in this window")
    return interval_ms
