import pytest

from aicost.adapters.dcgm.scrape import ScrapeConfig, Scraper
from aicost.domain.sampling.scrapes import Scrape, ScrapeTarget
from support.http_server import Request, serving

NOW = 1_700_000_000_000
ROW = b'DCGM_FI_DEV_GPU_UTIL{UUID="GPU-1"} 61\n'
CONFIG = ScrapeConfig(timeout_s=0.25, max_bytes=100_000, workers=4)


def scrape(respond, config: ScrapeConfig = CONFIG) -> Scrape:
    with serving(respond) as served:
        scraper = Scraper(lambda: NOW, config)
        found = scraper.scrape(ScrapeTarget(f"{served.url}/metrics", "n1", ("ops", "exporter")))
        scraper.close()
    return found


def test_a_scrape_carries_target_time_and_readings():
    found = scrape(lambda request: request.answer(ROW + b"DCGM_FI_DEV_GPU_UTIL{ half\n"))
    assert (found.at_ms, found.error, found.defects, found.clock_skew_ms) == (NOW, None, 1, None)
    assert (found.target.node, found.target.pod) == ("n1", ("ops", "exporter"))
    assert [reading.value for reading in found.readings] == [61]


def test_our_clock_counts_and_the_nodes_is_reported():
    found = scrape(lambda request: request.answer(f'DCGM_FI_DEV_GPU_UTIL{{UUID="1"}} 5 {NOW + 3_600_000}\n'))
    assert (found.at_ms, found.clock_skew_ms) == (NOW, 3_600_000)


def _refused(request: Request) -> None:
    request.answer("denied", 401)


@pytest.mark.parametrize(
    ("respond", "said"),
    [
        (lambda r: r.answer("busy", 503), "503"),
        (_refused, "credentials"),
        (lambda r: r.answer("", 302, Location="https://login.example/"), "redirects to 'https://login.example/'"),
        (lambda r: r.answer("<html>"), "web page"),
        (lambda r: r.answer("node_load1 0.5\n"), "no GPU metric"),
        (lambda r: r.answer(""), "no GPU metric"),
        (lambda r: r.answer(ROW * 3_000), "larger than the limit of 100000 bytes"),
        (lambda r: r.answer(ROW, length=len(ROW) + 50), "did not answer as it should"),
        (lambda r: r.drop(), "did not answer as it should"),
        (lambda r: r.hang(), "did not answer as it should"),
        (lambda r: r.drip(ROW, 0.03), "took longer than 0.25 s"),
    ],
    ids=[
        "503", "401", "redirect", "html", "no gpu", "empty", "huge", "cut", "dropped", "hanging", "dripping",
    ],
)  # fmt: skip
def test_what_goes_wrong_is_said_with_the_address(respond, said):
    found = scrape(respond)
    assert found.error is not None
    assert said in found.error
    assert "http://127.0.0.1" in found.error
    assert found.readings == ()


def test_nobody_at_the_address_is_said():
    found = Scraper(lambda: NOW, CONFIG).scrape(ScrapeTarget("http://127.0.0.1:9/metrics"))
    assert "did not answer" in found.error


def test_one_bad_target_does_not_stop_the_others():
    with serving(lambda request: request.hang() if "bad" in request.path else request.answer(ROW)) as served:
        targets = [ScrapeTarget(f"{served.url}/{name}") for name in ("a", "bad", "b", "c", "d")]
        found = Scraper(lambda: NOW, CONFIG).scrape_all(targets)
    assert [one.error is None for one in found] == [True, False, True, True, True]
    assert [one.target for one in found] == targets
