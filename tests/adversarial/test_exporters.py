"""Exporters that lie, break off or hang: the rest goes on, nothing is invented, and each trouble is named."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from aicost.adapters.dcgm.exposition import parse
from aicost.adapters.dcgm.scrape import ScrapeConfig, Scraper
from aicost.domain.attribution.timeline import Timelines
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.sampling.cleaning import read_telemetry
from aicost.domain.sampling.energy import energy_increase
from aicost.domain.sampling.scrapes import Scrape, ScrapeTarget
from aicost.domain.sampling.series import PPB, RawSeries, Signal, Telemetry
from support.http_server import Request, serving
from support.nodes import held_span
from support.samples import ENERGY, STEP, T0, UTIL, context, only, raw, read

CAPTURES = Path(__file__).parents[3] / "shared" / "data"
GOOD = 'DCGM_FI_DEV_GPU_UTIL{UUID="GPU-good",Hostname="n1",namespace="t",pod="p"} 61\n'


def as_series(scrape: Scrape) -> list[RawSeries]:
    at_ms = np.array([scrape.at_ms])
    return [
        RawSeries(r.name, r.labels, at_ms, np.array([r.value]), scrape.target.node, scrape.target.pod, r.help)
        for r in scrape.readings
    ]


def scraped(*bodies: str | bytes) -> tuple[tuple[Scrape, ...], Telemetry]:
    """Scrape one exporter per body at the same time, then clean what came."""

    def respond(request: Request) -> None:
        request.answer(bodies[int(request.path.strip("/"))])

    with serving(respond) as served:
        targets = [ScrapeTarget(f"{served.url}/{index}", f"n{index + 1}") for index in range(len(bodies))]
        found = Scraper(lambda: T0, ScrapeConfig(timeout_s=5)).scrape_all(targets)
    series = [one for scrape in found for one in as_series(scrape)]
    return found, read_telemetry(series, context(["n1", "n2"]), T0)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<!DOCTYPE html><html><body>Bad gateway</body></html>", "web page"),
        ("", "no GPU metric"),
        ("DCGM_FI_DEV_GPU_UTIL" + "x" * 10_000_001, "larger than the limit of 10000000 bytes"),
        (GOOD[:30], "not the Prometheus text format"),
    ],
    ids=["html", "nothing", "10 MB in one line", "half a line"],
)
def test_a_broken_exporter_is_named_and_the_other_goes_on(body, said):
    found, telemetry = scraped(body, GOOD)
    assert said in found[0].error
    assert "http://127.0.0.1" in found[0].error
    assert [one.device for one in telemetry.series] == ["GPU-good"]


def test_half_a_line_costs_only_itself():
    found, telemetry = scraped(GOOD + GOOD.replace("GPU-good", "GPU-half")[:-3])
    assert (found[0].error, found[0].defects) == (None, 1)
    assert [one.device for one in telemetry.series] == ["GPU-good"]


@pytest.mark.parametrize("value", ["9.2e18", "9223372036854775794", "NaN", "-Inf", "-5", "18446744073709551615"])
def test_a_value_that_is_none_is_never_shown_as_activity(value):
    _, telemetry = scraped(GOOD + GOOD.replace("GPU-good", "GPU-bad").replace("61", value))
    assert [one.device for one in telemetry.series] == ["GPU-good"]
    assert telemetry.defects.sentinels + telemetry.defects.not_finite + telemetry.defects.negative == 1


def test_a_device_with_nothing_but_blanks_is_not_measured_instead_of_idle():
    telemetry = read(raw([9.2e18] * 40, UTIL))
    span = Window(T0, T0 + 40 * STEP)
    got = Timelines(telemetry.series, STEP).activity("GPU-1", held_span(span), span)
    assert (got.covered_ms, got.busy_ppb_ms) == (0, 0)


def test_a_counter_that_jumps_back_never_takes_energy_away():
    telemetry = read(raw([5_000, 9_000, 100, 700], ENERGY))
    one = only(telemetry, Signal.ENERGY)
    got = energy_increase(one.at_ms, one.value, Window(T0, T0 + HOUR_MS))
    assert (got.millijoules, got.resets) == (4_000 + 100 + 600, 1)


def test_two_exporters_for_one_gpu_make_one_device_and_one_hour():
    series = [raw([50.0] * 240, UTIL, instance=name, pod="p", namespace="t") for name in ("a:1", "b:1")]
    hour = Window(T0, T0 + HOUR_MS)
    got = Timelines(read(*series).series, STEP).activity("GPU-1", held_span(hour), hour)
    assert (got.busy_ppb_ms, got.covered_ms) == (HOUR_MS * PPB // 2, HOUR_MS)


def test_a_second_exporter_that_knows_no_pods_does_not_take_the_holder_away():
    telemetry = read(
        raw([50.0] * 4, UTIL, instance="a:1", pod="p", namespace="t"), raw([50.0] * 4, UTIL, instance="b:1")
    )
    assert only(telemetry).holder == ("t", "p")


def test_a_label_of_63_odd_characters_does_no_harm():
    odd = "A" + "_.-" * 20 + "zZ"
    _, telemetry = scraped(GOOD.replace('pod="p"', f'pod="{odd}"'))
    assert (len(odd), only(telemetry).holder) == (63, ("t", odd))


def test_a_label_that_tries_to_break_the_line_does_no_harm():
    hostile = 'x\\"} 100\\nDCGM_FI_DEV_GPU_UTIL{UUID=\\"GPU-fake'
    _, telemetry = scraped(GOOD.replace('pod="p"', f'pod="{hostile}"'))
    assert [one.device for one in telemetry.series] == ["GPU-good"]


def test_a_node_clock_an_hour_off_changes_no_time_and_is_told():
    ahead = GOOD.replace(" 61\n", f" 61 {T0 + HOUR_MS}\n")
    found, telemetry = scraped(ahead)
    assert found[0].clock_skew_ms == HOUR_MS
    assert only(telemetry).at_ms.tolist() == [T0]
    assert telemetry.defects.future == 0


def test_samples_that_a_server_stamped_an_hour_ahead_are_counted_and_not_believed():
    telemetry = read(
        raw([50.0] * 4, UTIL), raw([50.0] * 4, UTIL, device="GPU-2", start=T0 + HOUR_MS), now=T0 + 10 * STEP
    )
    assert [one.device for one in telemetry.series] == ["GPU-1"]
    assert telemetry.defects.future == 4


def test_a_hanging_exporter_is_not_measured_after_its_last_true_value():
    count = 240
    counter = [1_000.0 + min(k, 60) for k in range(count)]
    telemetry = read(raw([80.0] * count, UTIL), raw(counter, ENERGY))
    span = Window(T0, T0 + count * STEP)
    got = Timelines(telemetry.series, STEP).activity("GPU-1", held_span(span), span)
    assert got.covered_ms == 62 * STEP
    assert telemetry.defects.frozen == count - 61


def test_thousands_of_metrics_that_nobody_asked_for_do_not_hide_the_needed_one():
    noise = "".join(f'metric_{k}{{a="b"}} 1\n' for k in range(5_000))
    found, _ = scraped(noise + GOOD + noise)
    assert (len(found[0].readings), found[0].defects) == (1, 0)


def _captures(pattern: str) -> list[Path]:
    found = sorted(CAPTURES.glob(pattern))
    if not found:
        pytest.skip(f"no captures of real exporters at {CAPTURES}/{pattern}")
    return found


def test_captures_of_real_exporters_are_read_without_a_defect():
    files = _captures("cncf-k8s-ai-conformance/extracted/*dcgm*.prom") + _captures(
        "datadog-integrations-core/dcgm/tests/fixtures/*.txt"
    )
    for file in files:
        text = file.read_text().rstrip("\n") + "\n"
        found = parse(text.encode())
        expected = len(
            re.findall(
                r"^DCGM_FI_(?:DEV_(?:GPU_UTIL|FB_USED|TOTAL_ENERGY_CONSUMPTION|XID_ERRORS)|PROF_(?:GR_ENGINE|SM|DRAM)_ACTIVE)\b",
                text,
                re.MULTILINE,
            )
        )
        assert (len(found.readings), found.defects) == (expected, 0), file
        series = as_series(Scrape(ScrapeTarget("http://x"), T0, found.readings))
        telemetry = read_telemetry(series, context(["worker"]), T0)
        named = {one.labels["UUID"] for one in found.readings if one.labels.get("UUID")}
        assert {one.device for one in telemetry.series} == named, file


def test_the_idle_gpu_of_a_real_prometheus_wears_the_exporters_name_and_is_nobodys():
    (file,) = _captures("cncf-k8s-ai-conformance/raw/v1.35/upcloud/ai-service-metrics.md")
    answers = [json.loads(line) for line in file.read_text().splitlines() if line.startswith('{"status":"success"')]
    metrics = [one["metric"] for answer in answers for one in answer["data"]["result"] if "UUID" in one["metric"]]
    assert metrics
    for labels in metrics:
        series = RawSeries(UTIL, labels, np.array([T0]), np.array([0.0]))
        one = only(read_telemetry([series], context([labels["Hostname"]]), T0))
        assert labels["pod"].startswith("dcgm-exporter")
        assert (one.holder, one.node) == (None, labels["Hostname"])
