"""Sums that were asked for before are not asked for again, until the ledger changes."""

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.adapters.ledger.memory import REMEMBERED, SumMemory
from aicost.adapters.ledger.reading import DeltaSnapshot
from aicost.domain.exact.windows import Window
from support.ledger_rows import CLUSTER, HOUR_0, hour, make_posting, make_row


def test_an_answer_is_asked_for_once_per_version() -> None:
    memory, asked = SumMemory(), []

    def ask() -> list:
        asked.append(1)
        return []

    for version in (1, 1, 2, 2):
        memory.recall(version, "question", ask)
    assert len(asked) == 2


def test_an_old_version_is_answered_and_displaces_nothing() -> None:
    memory = SumMemory()
    memory.recall(2, "question", lambda: ["new"])
    assert memory.recall(1, "question", lambda: ["old"]) == ["old"]
    assert memory.recall(2, "question", lambda: ["asked again"]) == ["new"]


def test_the_memory_is_bounded() -> None:
    memory = SumMemory()
    for number in range(REMEMBERED + 1):
        memory.recall(1, number, list)
    assert memory.recall(1, 0, lambda: ["forgotten"]) == ["forgotten"]


def test_a_later_end_in_the_open_window_asks_for_nothing_new(tmp_path, monkeypatch) -> None:
    ledger = DeltaLedger(str(tmp_path))
    ledger.post(make_posting(make_row(cost=7)))
    asked = []
    monkeypatch.setattr(
        DeltaSnapshot, "_ask", lambda self, query, ask=DeltaSnapshot._ask: asked.append(query) or ask(self, query)
    )
    for later in (1, 60_000, 120_000):
        span = Window(HOUR_0.start_ms, HOUR_0.end_ms + later)
        (found,) = ledger.snapshot().sums(span, ("namespace",), {}, cluster=CLUSTER)
        assert found.cost_nanos == 7
    assert len(asked) == 1


def test_a_new_window_is_in_the_next_answer(tmp_path) -> None:
    ledger = DeltaLedger(str(tmp_path))
    span = Window(HOUR_0.start_ms, hour(5).end_ms)
    ledger.post(make_posting(make_row(cost=7)))
    assert ledger.snapshot().sums(span, (), {}, cluster=CLUSTER)[0].cost_nanos == 7
    ledger.post(make_posting(make_row(cost=5, window=hour(1)), window=hour(1)))
    assert ledger.snapshot().sums(span, (), {}, cluster=CLUSTER)[0].cost_nanos == 12


def test_finished_days_are_not_asked_for_again_when_an_hour_is_posted(tmp_path, monkeypatch) -> None:
    ledger, asked = DeltaLedger(str(tmp_path)), []
    monkeypatch.setattr(
        DeltaSnapshot, "_ask", lambda self, query, ask=DeltaSnapshot._ask: asked.append(query) or ask(self, query)
    )
    span, total = Window(hour(-7).start_ms, hour(200).end_ms), 0
    for number in (0, 20, 50, 51, 70, 71, 72):
        ledger.post(make_posting(make_row(cost=1 << number % 60, window=hour(number)), window=hour(number)))
    total = sum(1 << number % 60 for number in (0, 20, 50, 51, 70, 71, 72))

    def answer() -> int:
        asked.clear()
        (found,) = ledger.snapshot().sums(span, ("namespace",), {})
        return found.cost_nanos

    assert (answer(), len(asked)) == (total, 3)
    assert (answer(), len(asked)) == (total, 0)
    ledger.post(make_posting(make_row(cost=7, window=hour(73)), window=hour(73)))
    assert (answer(), len(asked)) == (total + 7, 2)


def test_a_correction_of_a_finished_day_is_in_the_next_answer(tmp_path) -> None:
    ledger, span = DeltaLedger(str(tmp_path)), Window(hour(-7).start_ms, hour(200).end_ms)
    for number in (0, 30, 60, 90):
        ledger.post(make_posting(make_row(cost=10, window=hour(number)), window=hour(number)))
    assert ledger.snapshot().sums(span, ("namespace",), {})[0].cost_nanos == 40
    late = make_row(cost=-4, window=hour(30), revision=1, reason="late samples")
    ledger.post(make_posting(late, window=hour(30), revision=1))
    assert ledger.snapshot().sums(span, ("namespace",), {})[0].cost_nanos == 36
