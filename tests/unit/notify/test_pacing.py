"""A route gets one message per second; who has to wait too long comes back later; no route waits for another."""

import pytest

from aicost.adapters.notify.pacing import Pace
from aicost.ports.errors import NotifyFailed


class Watch:
    """A clock that a test sets, and the waits that were asked for."""

    def __init__(self) -> None:
        self.now = 100.0
        self.waits: list[float] = []

    def pace(self) -> Pace:
        return Pace(lambda: self.now, self.waits.append)


def test_the_first_message_of_a_route_waits_for_nothing():
    watch = Watch()
    watch.pace().wait("a")
    assert watch.waits == []


def test_messages_that_come_together_are_a_second_apart():
    watch = Watch()
    pace = watch.pace()
    for _ in range(3):
        pace.wait("a")
    assert watch.waits == [1.0, 2.0]


def test_after_a_second_nothing_waits():
    watch = Watch()
    pace = watch.pace()
    pace.wait("a")
    watch.now += 1.0
    pace.wait("a")
    assert watch.waits == []


def test_who_would_wait_for_long_is_sent_away_and_holds_no_place():
    watch = Watch()
    pace = watch.pace()
    for _ in range(4):
        pace.wait("a")
    for _ in range(5):
        with pytest.raises(NotifyFailed, match="route a has more messages than one per second: this one is sent later"):
            pace.wait("a")
    watch.now += 1.0
    pace.wait("a")
    assert watch.waits == [1.0, 2.0, 3.0, 3.0]


def test_a_busy_route_does_not_hold_up_another():
    watch = Watch()
    pace = watch.pace()
    for _ in range(4):
        pace.wait("a")
    watch.waits.clear()
    pace.wait("b")
    assert watch.waits == []
