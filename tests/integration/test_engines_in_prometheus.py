"""Engines and gateways in a real Prometheus: buckets, gauges and counters say what the same series say in a bundle."""

import pytest

from aicost.adapters.bundle.bundle import open_bundle
from aicost.adapters.bundle.engines import BundleEngines
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.engines import PrometheusEngines
from aicost.adapters.prometheus.remote.reading import RemoteRead
from aicost.domain.exact.windows import HOUR_MS, Window, from_rfc3339
from aicost.domain.serving.meters import BOUNDS, BUCKETS, Count
from aicost.domain.serving.rounds.counting import round_counts
from aicost.usecases.economics.counting import grown_in, tallies
from fleet.series import Sample
from support.history.remote_write import push
from support.history.stage import prometheus
from support.served_load import load_bundle

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(200)]

FIRST = Window(from_rfc3339("2026-03-02T09:00:00Z"), from_rfc3339("2026-03-02T10:00:00Z"))
WHOLE = Window(FIRST.start_ms - HOUR_MS, FIRST.end_ms + HOUR_MS)


class Reads(RemoteRead):
    """Remote reads, and how many were answered: where one is not, the API is asked in silence."""

    answers = 0

    def samples(self, wanted, span):
        found = super().samples(wanted, span)
        self.answers += found is not None
        return found


def told(engines, span=FIRST):
    grown = list(grown_in(engines, span))
    return tallies(grown), round_counts(one.grown for one in grown)


def _told_apart(series):
    """Series without a sample for others of their histograms; each with all that it shows."""
    found = {}
    for one in series:
        if one.name not in BUCKETS or one.labels.get("le") in BOUNDS:
            key = one.name, frozenset(one.labels.items())
            found.setdefault(key, []).extend(zip(one.at_ms.tolist(), one.value.tolist(), strict=True))
    return {key: sorted(samples) for key, samples in found.items()}


@pytest.mark.parametrize("remote", [False, True], ids=["by-api", "by-remote-read"])
def test_a_real_server_says_what_a_bundle_says(tmp_path, remote):
    with open_bundle(str(load_bundle(tmp_path / "b"))) as bundle, prometheus(tmp_path / "prometheus") as url:
        written = BundleEngines(bundle)
        push(
            url,
            [
                Sample(one.name, dict(one.labels), at_ms, value)
                for one in written.series(WHOLE)
                for at_ms, value in zip(one.at_ms.tolist(), one.value.tolist(), strict=True)
            ],
        )
        config = PrometheusConfig(url)
        reads = Reads(config)
        live = PrometheusEngines(config, remote=reads if remote else None)
        try:
            assert _told_apart(live.series(FIRST)) == _told_apart(written.series(FIRST))
            pods, rounds = told(live)
            assert (pods, rounds) == told(written)
            assert (reads.answers > 0) == remote
            last = {one.name for one in live.before({("search", "chat-0")}, FIRST)}
        finally:
            live.close()
    chat = pods["search", "chat-0"]["qwen3"]
    assert chat.mean(Count.RUNNING, Count.WATCHED) == 4
    assert (chat.get(Count.PROMPTS), chat.get(Count.PROMPTS_TO_1000), chat.get(Count.FIT_MINUTES)) == (7_200, 5_760, 56)
    assert {"vllm:generation_tokens_total", "vllm:request_prompt_tokens_bucket"} <= last
