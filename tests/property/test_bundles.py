"""Bundles: what is written is what is read, replays do not depend on order and cuts, and pseudonyms change no total."""

import json
import random
import string
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aicost.adapters.bundle.anonymise import Anonymiser
from aicost.adapters.bundle.bundle import open_bundle
from aicost.adapters.bundle.head import BundleHead
from aicost.adapters.bundle.objects import Change
from aicost.adapters.bundle.writing import BundleWriter
from aicost.adapters.kube.seen.recording import recordable
from aicost.adapters.kube.wire.resources import NAMESPACES, NODES, PODS
from aicost.adapters.ledger.delta import DeltaLedger
from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.normalise import normalise
from aicost.domain.ledger.rows import Row
from aicost.domain.sampling.series import RawSeries
from aicost.entrypoints.cli.replay.run import Wanted, replay
from fleet.series import Shape, series
from support.bundles import of_fleet, price_book, write
from support.pipeline import SETTLE_MS, STEP, watch
from support.scripts import random_fleet

T = 1_795_600_800_000
BEGIN, END = T - 5 * MINUTE_MS, T + 15 * MINUTE_MS
SPAN = Window(BEGIN, END)
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WORDS = st.text(alphabet=st.characters(exclude_categories=("Cs",), exclude_characters="\r"), max_size=12)
LABELS = st.dictionaries(st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True), WORDS, max_size=4)
NUMBERS = st.floats(width=64)
TIMES = st.integers(BEGIN, END - 1)


def rows_of(bundle: Path, ledger: Path) -> Sequence[Row]:
    replay(Wanted(str(bundle), str(ledger)), lambda _: None)
    return DeltaLedger(str(ledger)).rows(SPAN)


def plain(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=repr)


@given(LABELS, st.lists(st.tuples(TIMES, NUMBERS), max_size=9), WORDS)
@SLOW
def test_samples_read_as_they_were_written(tmp_path_factory, labels, samples, text):
    out = tmp_path_factory.mktemp("bundle") / "b"
    at_ms = np.array([at for at, _ in samples], np.int64)
    value = np.array([number for _, number in samples], np.float64)
    one = RawSeries("DCGM_FI_DEV_GPU_UTIL", labels, at_ms, value, help=text)
    with BundleWriter(out) as writer:
        writer.samples([one])
        writer.head(BundleHead("c", SPAN, STEP))
    with open_bundle(str(out)) as bundle:
        found = bundle.samples(lambda _: None).samples(Window(BEGIN, END))
    if not samples:
        assert found == []
        return
    (read,) = found
    assert read.labels == {name: label for name, label in labels.items() if label}
    order = np.argsort(at_ms, kind="stable")
    assert read.at_ms.tolist() == at_ms[order].tolist()
    np.testing.assert_array_equal(read.value, value[order])
    assert read.help.split() == text.split()


SPECS = st.dictionaries(
    WORDS,
    st.recursive(st.none() | st.booleans() | WORDS, lambda x: st.lists(x) | st.dictionaries(WORDS, x), max_leaves=12),
)


@given(st.lists(SPECS, min_size=1, max_size=6))
@settings(SLOW, max_examples=15)
def test_objects_read_as_they_were_written(tmp_path_factory, specs):
    out = tmp_path_factory.mktemp("bundle") / "b"
    bodies = [
        {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": f"x{n}"}, "spec": s} for n, s in enumerate(specs)
    ]
    with BundleWriter(out) as writer:
        for body in bodies:
            writer.event(BEGIN + 1, Change.ADDED, body)
        writer.event(END, Change.DELETED, bodies[0], Window(BEGIN, END))
        writer.head(BundleHead("c", SPAN, STEP))
    with open_bundle(str(out)) as bundle:
        *first, last = bundle.events()
    assert [(one.at_ms, one.change, one.gap) for one in first] == [(BEGIN + 1, Change.ADDED, None)] * len(bodies)
    assert [one.body for one in first] == bodies
    assert (last.at_ms, last.change, last.gap) == (END, Change.DELETED, Window(BEGIN, END))


def mixed(text: str, chance: random.Random) -> str:
    lines = text.splitlines()
    chance.shuffle(lines)
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize("seed", [0, 3])
def test_order_duplicates_cuts_into_files_and_packing_change_nothing(seed, tmp_path):
    fleet, chance = random_fleet(seed, BEGIN, END), random.Random(seed)
    first = of_fleet(tmp_path / "first", fleet, BEGIN, END)
    lines = [line for line in (first / "samples/all.om").read_text().splitlines() if not line.startswith("#")]
    events = (first / "objects.jsonl").read_text()
    parts = {f"{number}.om": "\n".join(chance.sample(lines[number::3], len(lines[number::3]))) for number in range(3)}
    parts["again.om"] = "\n".join(chance.sample(lines, len(lines) // 3)) + "\n# EOF\n"
    events = [json.loads(line) for line in mixed(events, chance).splitlines()]
    second = write(tmp_path / "second", (first / "bundle.yaml").read_text(), events, parts, packed=True)
    assert plain(rows_of(second, tmp_path / "b")) == plain(rows_of(first, tmp_path / "a"))


@pytest.mark.parametrize("seed", range(4))
def test_a_record_of_a_live_cluster_replays_as_the_cluster_itself(seed, tmp_path):
    """What `aicost record` writes of each object and series: trimmed objects, grouped samples, both packed."""
    fleet = random_fleet(seed, BEGIN, END)
    first = of_fleet(tmp_path / "first", fleet, BEGIN, END)
    second = recorded(fleet, tmp_path / "second")
    assert plain(rows_of(second, tmp_path / "b")) == plain(rows_of(first, tmp_path / "a"))


def recorded(fleet: Any, out: Path, hide: Anonymiser | None = None) -> Path:
    resources = {"pod": PODS, "node": NODES, "namespace": NAMESPACES}
    change = hide.body if hide else lambda body: body
    with BundleWriter(out) as writer:
        writer.event(BEGIN, Change.ADDED, change(price_book(fleet)))
        for notice in watch(fleet, BEGIN, END + SETTLE_MS):
            body = recordable(resources[notice.kind], json.dumps(notice.object).encode())
            writer.event(notice.at_ms, Change.DELETED if notice.gone else Change.MODIFIED, change(body))
        found = raw_series(fleet)
        for begin in range(BEGIN, END + SETTLE_MS, 7 * MINUTE_MS):
            part = [one for one in (cut(each, begin, begin + 7 * MINUTE_MS) for each in found) if len(one.at_ms)]
            writer.samples(map(hide.series, part) if hide else part)
        writer.head(BundleHead("c1", SPAN, STEP), windowLength="15m")
    return out


def raw_series(fleet: Any) -> list[RawSeries]:
    columns: dict[Any, list[tuple[int, float]]] = {}
    for name, labels, at_ms, value in series(fleet, BEGIN, END + SETTLE_MS + STEP, STEP, shape=Shape.PROMETHEUS):
        columns.setdefault((name, tuple(sorted(labels.items()))), []).append((at_ms, value))
    return [
        RawSeries(name, dict(labels), np.array([a for a, _ in found], np.int64), np.array([v for _, v in found], float))
        for (name, labels), found in columns.items()
    ]


def cut(one: RawSeries, begin_ms: int, end_ms: int) -> RawSeries:
    inside = (one.at_ms >= begin_ms) & (one.at_ms < end_ms)
    return replace(one, at_ms=one.at_ms[inside], value=one.value[inside])


def totals(rows: Iterable[Row], who: Callable[[Row], str]) -> Counter[tuple[str, str, str]]:
    found: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        key = who(row), row.bucket.value, str(row.window)
        found[(*key,)] += row.cost_nanos or 0
        found["ms", *key[:2]] += row.gpu_milliseconds
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_pseudonyms_change_no_total(seed, tmp_path):
    fleet, hide = random_fleet(seed, BEGIN, END), Anonymiser(b"key")
    open_rows = rows_of(recorded(fleet, tmp_path / "open"), tmp_path / "a")
    hidden = recorded(fleet, tmp_path / "hidden", hide)
    hidden_rows = rows_of(hidden, tmp_path / "b")
    hidden_totals = totals(hidden_rows, lambda row: row.holder.pod_uid)
    open_totals = totals(open_rows, lambda row: hide.text(row.holder.pod_uid))
    assert hidden_totals.keys() == open_totals.keys()
    assert sum(row.cost_nanos or 0 for row in hidden_rows) == sum(row.cost_nanos or 0 for row in open_rows)
    for key, amount in open_totals.items():  # the last nano goes by the order of names, which are others
        assert abs(hidden_totals[key] - amount) <= 3, key
    told = {row.holder.pod for row in hidden_rows} | {row.place.node for row in hidden_rows}
    assert not told & ({pod.name for pod in fleet.pods} | {node.name for node in fleet.nodes})


@given(st.text(alphabet=string.ascii_letters + "-_. ", min_size=1, max_size=20), st.binary(min_size=1, max_size=4))
@settings(max_examples=300, deadline=None)
def test_pseudonyms_keep_apart_what_differs_and_keep_one_what_is_one(text, key):
    hide = Anonymiser(key)
    assert hide.text(text) == hide.text(text)
    word = text.replace(" ", "")
    plain_form = normalise(Dimension.TEAM, word)
    if word and plain_form and "--" not in word:  # two dashes stand for the slash of a model, and stay
        assert normalise(Dimension.TEAM, hide.text(word)) == normalise(Dimension.TEAM, hide.text(plain_form))
        assert normalise(Dimension.TEAM, hide.text(f"{word}x")) != normalise(Dimension.TEAM, hide.text(word))
