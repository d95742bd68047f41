import math

import pytest

from aicost.adapters.dcgm.exposition import parse
from aicost.ports.errors import InvalidAnswer

ROW = 'DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-1",Hostname="n1"} 61\n'


def values(body: str) -> list[float]:
    return [reading.value for reading in parse(body.encode()).readings]


def test_a_row_keeps_its_labels_its_value_and_its_help():
    (one,) = parse(b"# HELP DCGM_FI_DEV_GPU_UTIL GPU utilization (in %).\n# TYPE x gauge\n" + ROW.encode()).readings
    assert (one.name, one.value, one.help) == ("DCGM_FI_DEV_GPU_UTIL", 61.0, "GPU utilization (in %).")
    assert one.labels == {"gpu": "0", "UUID": "GPU-1", "Hostname": "n1"}


def test_families_that_nobody_asked_for_are_left_out_unread():
    found = parse(f"go_threads 7\nother{{broken 1\n{ROW}".encode())
    assert (len(found.readings), found.defects) == (1, 0)


def test_other_families_can_be_asked_for():
    assert len(parse(b"up 1\n", ["up"]).readings) == 1


@pytest.mark.parametrize(
    "line",
    [
        'DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU',
        'DCGM_FI_DEV_GPU_UTIL{gpu="0"}',
        'DCGM_FI_DEV_GPU_UTIL{gpu="0"} ',
        'DCGM_FI_DEV_GPU_UTIL{gpu="0"} sixty',
        'DCGM_FI_DEV_GPU_UTIL{gpu="0"} 1_0',
        "DCGM_FI_DEV_GPU_UTIL{gpu=0} 10",
        'DCGM_FI_DEV_GPU_UTIL{gpu="0" UUID="x"} 10',
        'DCGM_FI_DEV_GPU_UTIL{gpu="0"} 10 20 30',
        'DCGM_FI_DEV_GPU_UTIL{gpu="0"}} 10',
        "DCGM_FI_DEV_GPU_UTIL",
        "%$!!",
        "\x00\x01\x02",
    ],
)
def test_a_line_that_cannot_be_read_is_counted_and_the_rest_is_kept(line):
    found = parse(f"{ROW}{line}\n{ROW}".encode())
    assert ([one.value for one in found.readings], found.defects) == ([61, 61], 1)


def test_a_last_line_without_an_end_is_not_believed():
    found = parse((ROW + ROW).encode()[:-2])
    assert (len(found.readings), found.defects) == (1, 1)


def test_escapes_in_labels_are_undone():
    (one,) = parse(rb'DCGM_FI_DEV_GPU_UTIL{a="say \"hi\"",b="c:\\x",c="two\nlines",d="}, {"} 1' + b"\n").readings
    assert one.labels == {"a": 'say "hi"', "b": "c:\\x", "c": "two\nlines", "d": "}, {"}


def test_odd_spaces_tabs_and_carriage_returns_are_forgiven():
    assert values('DCGM_FI_DEV_GPU_UTIL { gpu = "0" , }\t 5 \r\n\r\n   \n') == [5]


def test_a_row_without_labels_is_a_row():
    assert values("DCGM_FI_DEV_GPU_UTIL 5\nDCGM_FI_DEV_GPU_UTIL{} 6\n") == [5, 6]


def test_values_that_are_no_numbers_are_handed_on_for_cleaning():
    found = values("DCGM_FI_DEV_GPU_UTIL NaN\nDCGM_FI_DEV_GPU_UTIL +Inf\nDCGM_FI_DEV_GPU_UTIL 9.223372036854776e+18\n")
    assert math.isnan(found[0])
    assert found[1:] == [math.inf, 9.223372036854776e18]


def test_stamps_are_read_and_the_latest_is_told():
    found = parse(b"DCGM_FI_DEV_GPU_UTIL 5 1700000000000\nDCGM_FI_DEV_GPU_UTIL 5 1700000009000\n")
    assert found.latest_stamp_ms == 1_700_000_009_000
    assert parse(ROW.encode()).latest_stamp_ms is None


def test_labels_of_4_kib_and_broken_utf8_do_no_harm():
    found = parse(b'DCGM_FI_DEV_GPU_UTIL{a="' + b"x" * 4096 + b'",b="\xff\xfe"} 5\n')
    assert (len(found.readings[0].labels["a"]), found.defects) == (4096, 0)


@pytest.mark.parametrize(
    "page", ["<!DOCTYPE html><html>", "\n  <html><body>404</body></html>\n", "<?xml version='1.0'?>"]
)
def test_a_web_page_is_refused_and_shown(page):
    with pytest.raises(InvalidAnswer, match=r"web page.*starts with ['\"]<.*port and path"):
        parse(page.encode())


@pytest.mark.parametrize("body", ['{"status":"ok"}\n', "\x1f\x8b\x08 binary", "no metrics here"])
def test_what_is_no_metrics_at_all_is_refused_and_shown(body):
    with pytest.raises(InvalidAnswer, match=r"not the Prometheus text format|no metrics"):
        parse(body.encode("latin-1"))


def test_nothing_is_an_answer_without_readings():
    assert parse(b"").readings == ()
