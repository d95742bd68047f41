"""The journal of samples: what goes in comes out, in columns."""

import math
import sqlite3
from contextlib import closing

import numpy as np
import pytest

from aicost.adapters.journal import samples as samples_module
from aicost.adapters.journal.errors import JournalDamaged, JournalUnavailable
from aicost.adapters.journal.samples import SampleJournal
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.sampling.scrapes import ScrapeTarget, SeriesKey
from aicost.ports.telemetry import TelemetrySource
from support.builders import T0

S = 1_000
HOUR = Window(T0, T0 + HOUR_MS)
TARGET = ScrapeTarget("10.0.0.1:9400", "gpu-1", ("monitoring", "dcgm-exporter-x"))
OTHER = ScrapeTarget("10.0.0.2:9400")


def key(name="DCGM_FI_DEV_GPU_UTIL", text="GPU utilization (in %).", **labels):
    return SeriesKey(name, tuple(sorted({"UUID": "GPU-1", **labels}.items())), text)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "samples.db"


@pytest.fixture
def journal(path):
    with closing(SampleJournal(path, 15 * S)) as opened:
        yield opened


def read(journal, span=HOUR):
    """Samples by (name, UUID) as pairs of time and value."""
    return {
        (series.name, series.labels["UUID"]): list(zip(series.at_ms.tolist(), series.value.tolist(), strict=True))
        for series in journal.samples(span)
    }


def test_the_journal_is_a_telemetry_source(journal):
    port: TelemetrySource = journal
    assert port.interval_ms == 15 * S
    assert port.samples(HOUR) == ()


def test_a_sample_comes_back_with_all_that_the_exporter_said(journal):
    journal.append(TARGET, T0 + 5, [(key(gpu="0", exported_pod="train"), 73.5)])
    (series,) = journal.samples(HOUR)
    assert (series.name, series.help) == ("DCGM_FI_DEV_GPU_UTIL", "GPU utilization (in %).")
    assert series.labels == {"UUID": "GPU-1", "gpu": "0", "exported_pod": "train"}
    assert (series.target_node, series.target_pod) == ("gpu-1", ("monitoring", "dcgm-exporter-x"))
    assert series.at_ms.dtype == np.int64
    assert series.value.dtype == np.float64
    assert (series.at_ms.tolist(), series.value.tolist()) == ([T0 + 5], [73.5])


def test_samples_of_many_scrapes_are_columns_in_time(journal):
    for step in range(10):
        journal.append(TARGET, T0 + step * S, [(key(), float(step)), (key(UUID="GPU-2"), 100.0 + step)])
    found = read(journal)
    assert found["DCGM_FI_DEV_GPU_UTIL", "GPU-1"] == [(T0 + step * S, float(step)) for step in range(10)]
    assert found["DCGM_FI_DEV_GPU_UTIL", "GPU-2"] == [(T0 + step * S, 100.0 + step) for step in range(10)]


def test_the_span_is_half_open(journal):
    for at_ms in (T0 - 1, T0, T0 + HOUR_MS - 1, T0 + HOUR_MS):
        journal.append(TARGET, at_ms, [(key(), 1.0)])
    ((_, pairs),) = read(journal).items()
    assert [at_ms for at_ms, _ in pairs] == [T0, T0 + HOUR_MS - 1]


def test_a_series_that_comes_and_goes_is_still_one_series(journal):
    journal.append(TARGET, T0, [(key(), 1.0)])
    journal.append(TARGET, T0 + S, [(key(), 2.0), (key(UUID="GPU-2"), 9.0)])
    journal.append(TARGET, T0 + 2 * S, [(key(), 3.0)])
    found = read(journal)
    assert sorted(found["DCGM_FI_DEV_GPU_UTIL", "GPU-1"]) == [(T0, 1.0), (T0 + S, 2.0), (T0 + 2 * S, 3.0)]
    assert found["DCGM_FI_DEV_GPU_UTIL", "GPU-2"] == [(T0 + S, 9.0)]


def test_the_order_of_an_answer_means_nothing(journal):
    one, two = (key(), 1.0), (key(UUID="GPU-2"), 2.0)
    journal.append(TARGET, T0, [one, two])
    journal.append(TARGET, T0 + S, [two, one])
    assert read(journal)["DCGM_FI_DEV_GPU_UTIL", "GPU-1"] == [(T0, 1.0), (T0 + S, 1.0)]
    journal.flush()
    with journal._database.read() as connection:
        assert connection.execute("SELECT count(*) FROM shapes").fetchone() == (1,)


def test_two_exporters_of_one_device_are_two_series(journal):
    journal.append(TARGET, T0, [(key(), 1.0)])
    journal.append(OTHER, T0, [(key(), 2.0)])
    assert {(series.target_node, series.value[0]) for series in journal.samples(HOUR)} == {("gpu-1", 1.0), (None, 2.0)}


def test_a_series_that_one_answer_names_twice_keeps_both_values(journal):
    journal.append(TARGET, T0, [(key(), 1.0), (key(), 2.0)])
    assert read(journal)["DCGM_FI_DEV_GPU_UTIL", "GPU-1"] == [(T0, 1.0), (T0, 2.0)]


def test_a_scrape_that_is_told_twice_is_kept_once(journal):
    for _ in range(2):
        journal.append(TARGET, T0, [(key(), 1.0)])
        journal.flush()
    assert read(journal)["DCGM_FI_DEV_GPU_UTIL", "GPU-1"] == [(T0, 1.0)]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 9.2e18, -0.0, 5e-324, 9_223_372_036_854_775_794.0])
def test_values_come_back_bit_by_bit(journal, value):
    journal.append(TARGET, T0, [(key(), value)])
    (series,) = journal.samples(HOUR)
    assert series.value.tobytes() == np.array([value]).tobytes()


def test_odd_labels_come_back_as_they_were(journal):
    odd = key(pod='a"b\\c\nd', namespace="\u202e🚀", empty="", text="'; DROP TABLE scrapes; --")
    journal.append(TARGET, T0, [(odd, 1.0)])
    (series,) = journal.samples(HOUR)
    assert (series.labels, series.help) == (dict(odd.labels), odd.help)


def test_an_answer_without_series_leaves_nothing(journal):
    journal.append(TARGET, T0, [])
    assert journal.flush() == 0


def test_a_restart_finds_all_samples_and_goes_on_with_the_same_series(path, journal):
    journal.append(TARGET, T0, [(key(), 1.0)])
    journal.close()
    with closing(SampleJournal(path, 15 * S)) as again:
        again.append(TARGET, T0 + S, [(key(), 2.0)])
        assert read(again) == {("DCGM_FI_DEV_GPU_UTIL", "GPU-1"): [(T0, 1.0), (T0 + S, 2.0)]}


def test_old_samples_are_dropped_with_all_that_only_they_needed(path, journal):
    for step in range(100):
        journal.append(TARGET, T0 + step * 60 * S, [(key(pod=f"p{step // 50}"), 1.0)])
    later = T0 + 50 * HOUR_MS
    journal.append(OTHER, later, [(key(pod="new"), 2.0)])
    assert journal.prune(later) == 100
    with journal._database.read() as connection:
        for table in ("scrapes", "shapes", "series", "targets"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (1,)
    journal.append(TARGET, later + S, [(key(pod="p0"), 3.0)])
    assert len(journal.samples(Window(later, later + HOUR_MS))) == 2
    journal.close()
    with closing(SampleJournal(path, 15 * S)) as again:
        assert len(again.samples(Window(later, later + HOUR_MS))) == 2


def test_a_late_scrape_is_readable_after_what_is_older_was_dropped(journal):
    journal.append(TARGET, T0, [(key(), 1.0)])
    journal.flush()
    journal.append(TARGET, T0 + S, [(key(), 2.0)])
    journal.prune(T0 + 10 * HOUR_MS)
    journal.append(TARGET, T0 + 2 * S, [(key(), 3.0)])
    assert read(journal)["DCGM_FI_DEV_GPU_UTIL", "GPU-1"] == [(T0 + 2 * S, 3.0)]


def test_dropping_what_is_not_there_drops_nothing(journal):
    assert journal.prune(T0) == 0
    journal.append(TARGET, T0, [(key(), 1.0)])
    assert journal.prune(T0) == 0
    assert len(journal.samples(HOUR)) == 1


def test_a_full_disk_says_so_and_keeps_the_scrapes(journal):
    journal.append(TARGET, T0, [(key(), 1.0)])
    journal.flush()
    writer = journal._database._writer
    pages = writer.execute("PRAGMA page_count").fetchone()[0]
    writer.execute(f"PRAGMA max_page_count = {pages}")
    for step in range(500):
        journal.append(TARGET, T0 + step, [(key(n=str(index)), 1.0) for index in range(20)])
    with pytest.raises(JournalUnavailable, match=r"samples\.db.*shorten the retention"):
        journal.flush()
    with pytest.raises(JournalUnavailable):
        journal.samples(HOUR)
    writer.execute("PRAGMA max_page_count = 1000000")
    assert journal.flush() == 500
    assert len(journal.samples(HOUR)) == 21


def test_a_volume_that_refuses_for_long_is_told_to_those_who_append(journal, monkeypatch):
    monkeypatch.setattr(samples_module, "MAX_PENDING", 3)
    for step in range(3):
        journal.append(TARGET, T0 + step, [(key(), 1.0)])
    with pytest.raises(JournalUnavailable, match="this one is not kept"):
        journal.append(TARGET, T0 + 3, [(key(), 1.0)])
    assert journal.flush() == 3


def test_a_file_that_is_no_journal_is_refused_by_name(path):
    path.write_bytes(b"half a line\n" * 5_000)
    with pytest.raises(JournalDamaged, match=r"samples\.db.*move it away"):
        SampleJournal(path, 15 * S)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE scrapes SET body = x'0102'",
        "UPDATE scrapes SET shape = 99",
    ],
)
def test_scrapes_that_cannot_be_read_are_an_error_not_a_part(path, journal, damage):
    journal.append(TARGET, T0, [(key(), 1.0)])
    journal.flush()
    with closing(sqlite3.connect(path)) as vandal:
        vandal.execute(damage)
        vandal.commit()
    with pytest.raises(JournalDamaged, match="damaged"):
        journal.samples(HOUR)


@pytest.mark.parametrize(
    "damage", ["UPDATE series SET body = x'00'", "DELETE FROM targets", "UPDATE shapes SET series = x'00'"]
)
def test_a_damaged_dictionary_is_refused_at_the_start(path, journal, damage):
    journal.append(TARGET, T0, [(key(), 1.0)])
    journal.close()
    with closing(sqlite3.connect(path)) as vandal:
        vandal.execute(damage)
        vandal.commit()
    with pytest.raises(JournalDamaged, match="damaged"):
        SampleJournal(path, 15 * S)


def test_pages_of_rubbish_are_an_error_that_names_the_file(path, journal):
    for step in range(3_000):
        journal.append(TARGET, T0 + step, [(key(n=str(index)), 1.0) for index in range(10)])
    journal.close()
    body = bytearray(path.read_bytes())
    body[-120_000:-20_000] = b"\xff" * 100_000
    path.write_bytes(body)
    with pytest.raises(JournalDamaged, match=r"samples\.db"), closing(SampleJournal(path, 15 * S)) as broken:
        broken.samples(HOUR)
