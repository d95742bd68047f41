"""Engines that lie, hang or flood: whoever may start a pod answers here, so each is held to its own part."""

import tracemalloc
from contextlib import ExitStack
from pathlib import Path

import pytest

from aicost.adapters.dcgm import engines
from aicost.adapters.dcgm.engines import EngineScraper
from aicost.adapters.journal.engines import ScrapedEngines, keep_answer
from aicost.adapters.journal.samples import SampleJournal
from aicost.domain.exact.windows import HOUR_MS, SECOND_MS, Window
from aicost.domain.sampling.scrapes import ScrapeTarget
from aicost.usecases.economics.counting import grown_in, tallies
from support.builders import T0
from support.engine_pages import VllmPage
from support.http_server import serving

HOUR = Window(T0, T0 + HOUR_MS)
CHAT, VICTIM = ("team-a", "chat-0"), ("team-b", "victim-0")
ROW = 'vllm:generation_tokens_total{model_name="m"} 5\n'
CAPTURES = Path(__file__).parents[3] / "shared" / "data" / "cncf-k8s-ai-conformance" / "extracted"


@pytest.fixture
def journals(tmp_path):
    with ExitStack() as stack:
        opened = [SampleJournal(tmp_path / f"{name}.sqlite", 30_000) for name in ("engines", "gpus")]
        for one in opened:
            stack.callback(one.close)
        yield opened


def asked(respond, times=1, timeout_s=0.5):
    """What the same target answered, again and again."""
    with serving(respond) as served:
        scraper = EngineScraper(lambda: T0, timeout_s)
        found = [scraper.scrape_all([ScrapeTarget(f"{served.url}/metrics", "n1", CHAT)])[0] for _ in range(times)]
        scraper.close()
    return found, served.requests


@pytest.mark.parametrize(
    ("respond", "told"),
    [
        (lambda r: r.answer("", 302, Location="http://169.254.169.254/latest/meta-data"), "redirects"),
        (lambda r: r.answer("no", 401), "credentials"),
        (lambda r: r.answer("<html>hello</html>"), ":8000/metrics"),
        (lambda r: r.answer(ROW * 100_000), "larger than the limit"),
        (lambda r: r.hang(), "did not answer as it should"),
        (lambda r: r.drip(ROW.encode(), 0.05), "took longer than"),
        (lambda r: r.answer(f'vllm:generation_tokens_total{{a="{"x" * 3_000}"}} 5\n'), "labels"),
        (
            lambda r: r.answer("".join(f'vllm:generation_tokens_total{{a="{at}"}} 5\n' for at in range(2_001))),
            "more than 2000 series",
        ),
    ],
    ids=["redirect", "401", "html", "huge", "hanging", "dripping", "long labels", "many series"],
)
def test_what_goes_wrong_is_told_with_the_address_and_nothing_is_kept(respond, told):
    (found,), requests = asked(respond)
    assert told in found.error
    assert "http://127.0.0.1" in found.error
    assert found.readings == ()
    assert len(requests) == 1


def test_an_engine_that_shows_new_series_each_time_is_refused_in_the_end():
    at = iter(range(10**6))

    def respond(request):
        request.answer("".join(f'vllm:generation_tokens_total{{a="{next(at)}"}} 5\n' for _ in range(900)))

    found, _ = asked(respond, times=4)
    assert [bool(one.error) for one in found] == [False, False, True, True]


def test_all_engines_together_are_bounded_and_those_that_are_known_go_on(monkeypatch):
    monkeypatch.setattr(engines, "MOST_IN_ALL", 3)
    rows = {"/a": 2, "/b": 2, "/c": 1}

    def respond(request):
        many = rows[request.path]
        request.answer("".join(f'vllm:generation_tokens_total{{a="{at}"}} 5\n' for at in range(many)))

    with serving(respond) as served:
        scraper, targets = EngineScraper(lambda: T0, 1.0), [ScrapeTarget(served.url + path) for path in rows]
        rounds = [[bool(one.error) for one in scraper.scrape_all(targets)] for _ in range(2)]
        scraper.close()
    assert rounds == [[False, True, False]] * 2


def test_a_page_of_four_megabytes_takes_no_hundred():
    body = "".join(f'some_metric_{at}{{label="value"}} 5\n' for at in range(100_000))
    tracemalloc.start()
    (found,), _ = asked(lambda request: request.answer(body), timeout_s=20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found.error, found.readings) == (None, ())
    assert peak < 100_000_000


def scraped(journals, pages, until=HOUR.end_ms, begin=T0 - 600_000):
    """Two pods, scraped each half minute; what is counted in the hour."""
    at = [begin]
    with ExitStack() as stack:
        named = [
            (page, pod, stack.enter_context(serving(page.respond)).url + "/metrics") for pod, page in pages.items()
        ]
        scraper = EngineScraper(lambda: at[0], 5.0)
        while at[0] < until:
            for page, _, _ in named:
                page.now_ms = at[0]
            for one in scraper.scrape_all([ScrapeTarget(url, "n1", pod) for _, pod, url in named]):
                keep_answer(journals[0], one, begin - HOUR_MS)
            at[0] += 30 * SECOND_MS
        scraper.close()
    source = ScrapedEngines(*journals)
    return source, tallies(grown_in(source, HOUR))


def test_a_pod_cannot_count_in_the_name_of_another_one(journals):
    liar = VllmPage(T0, T0 - 10**9, labels={"namespace": "team-b", "pod": "victim-0", "instance": "10.0.0.9:8000"})
    source, found = scraped(journals, {CHAT: liar, VICTIM: VllmPage(T0, T0 - 10**8, model="v")})
    assert set(found[VICTIM]) == {"v"}
    assert found[VICTIM]["v"].output == 3_600_000
    labels = [one.labels for one in source.series(HOUR) if one.labels["pod"] == "chat-0"]
    assert {(one["exported_pod"], one["exported_namespace"]) for one in labels} == {("victim-0", "team-b")}


def test_a_pod_does_not_tell_how_busy_gpus_were(journals):
    body = ROW + 'DCGM_FI_PROF_GR_ENGINE_ACTIVE{UUID="GPU-1"} 1\naicost_pod_gpu_seconds_total{UUID="GPU-1"} 9\n'
    (found,), _ = asked(lambda request: request.answer(body))
    assert [one.name for one in found.readings] == ["vllm:generation_tokens_total"]


@pytest.mark.parametrize("value", ["NaN", "-1", "+Inf", "1e300"])
def test_a_value_that_no_counter_can_have_counts_nothing(journals, value):
    class Broken(VllmPage):
        def text(self):
            return f'vllm:generation_tokens_total{{model_name="m"}} {value}\n'

    _, found = scraped(journals, {CHAT: Broken(T0, T0)}, until=T0 + 600_000)
    assert all(not one.output for one in found.get(CHAT, {}).values())


def test_a_journal_that_was_written_a_moment_ago_has_whole_answers_alone(journals, tmp_path):
    _, _ = scraped(journals, {CHAT: VllmPage(T0, T0)}, until=T0)
    journals[0].flush()
    again = SampleJournal(tmp_path / "engines.sqlite", 30_000)
    widths = {len(one.at_ms) for one in again.samples(Window(T0 - HOUR_MS, T0))}
    again.close()
    assert widths == {20}


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="no captures here")
def test_of_a_real_page_of_vllm_a_hundred_series_are_kept():
    pages = [
        text for one in CAPTURES.iterdir() if "vllm:generation_tokens" in (text := one.read_text(errors="replace"))
    ]
    if not pages:
        pytest.skip("no page of vLLM among the captures")
    served = iter(pages)
    found, _ = asked(lambda request: request.answer(next(served)), times=len(pages))
    for one in found:
        names = {reading.name for reading in one.readings}
        assert len(names) > 3
        assert all(name.startswith("vllm:") for name in names)
        assert len(one.readings) < 150
