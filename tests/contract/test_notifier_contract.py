"""One contract for every notifier: the one in memory, and the real one by CloudEvents and by Apprise."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pytest

from aicost.adapters.notify.config import ChannelKind, NotifyConfig
from aicost.domain.budgets.messages.values import Urgency
from aicost.ports.errors import NotifyFailed
from aicost.ports.notifications import Notifier
from support.notify import FakeNotifier, load_apprise, message, notifier, receiving, route

ROUTES = (
    route("everybody"),
    route("vision", namespaces=("vision-*",), teams=("vision",)),
    route("search", namespaces=("search", "search-*")),
    route("finops", finops=True),
    route("pager", least=Urgency.CRITICAL),
)


@dataclass
class Subject:
    """A notifier, and how a test looks behind it.

    Attributes:
        titles: titles that came to a route.
        fail: makes a route take nothing, or take messages again.
    """

    notifier: Notifier
    titles: Callable[[str], list[str]]
    fail: Callable[[str, bool], None]


def _memory() -> Iterator[Subject]:
    fake = FakeNotifier(*ROUTES)

    def fail(name: str, now: bool) -> None:
        (fake.failing.add if now else fake.failing.discard)(name)

    yield Subject(fake, lambda name: [told.title for to, told in fake.sent if to == name], fail)


def _real(folder: Any, kind: ChannelKind, scheme: str, title_of: Callable[[Any], str]) -> Iterator[Subject]:
    with receiving() as receiver:
        found = []
        for one in ROUTES:
            path = folder / one.name
            path.write_text(f"{scheme}://{receiver.url.removeprefix('http://')}/{one.name}\n", encoding="utf-8")
            found.append(replace(one, kind=kind, url_file=path))
        config = NotifyConfig(tuple(found), "c-1", timeout_s=5.0, allow_http=True, schemes=("json",))

        def titles(name: str) -> list[str]:
            return [title_of(one.json) for one in receiver.received if one.path == f"/{name}"]

        def fail(name: str, now: bool) -> None:
            receiver.statuses[f"/{name}"] = 503 if now else 204

        yield Subject(notifier(config), titles, fail)


@pytest.fixture(params=["memory", "cloudevents", "apprise"])
def subject(request, tmp_path) -> Iterator[Subject]:
    if request.param == "memory":
        yield from _memory()
    elif request.param == "cloudevents":
        yield from _real(tmp_path, ChannelKind.CLOUD_EVENTS, "http", lambda event: event["data"]["title"])
    else:
        load_apprise()
        yield from _real(tmp_path, ChannelKind.APPRISE, "json", lambda sent: sent["title"])


def test_a_budget_is_offered_what_all_may_name_and_what_is_kept_for_its_namespace(subject):
    for_all = ["everybody", "finops", "pager"]
    assert sorted(subject.notifier.offered("vision-dev", "vision")) == sorted([*for_all, "vision"])
    assert sorted(subject.notifier.offered("search", "")) == sorted([*for_all, "search"])
    assert sorted(subject.notifier.offered("other", "vision")) == sorted(for_all), "a team is what a budget says itself"


def test_a_cluster_budget_is_offered_everything(subject):
    assert sorted(subject.notifier.offered("", "")) == sorted(one.name for one in ROUTES)


def test_owners_are_told_by_their_team_then_their_namespace_then_finops(subject):
    assert list(subject.notifier.usual("vision-dev", "vision")) == ["vision"]
    assert list(subject.notifier.usual("", "vision")) == ["vision"]
    assert list(subject.notifier.usual("search-dev", "search")) == ["search"]
    assert list(subject.notifier.usual("other", "vision")) == ["finops"]
    assert list(subject.notifier.usual("other", "")) == list(subject.notifier.finops()) == ["finops"]


def test_a_message_comes_to_its_route_and_to_no_other(subject):
    subject.notifier.send("search", message(title="Budget search/month is at 80 %"))
    assert subject.titles("search") == ["Budget search/month is at 80 %"]
    assert [name for name in ("everybody", "vision", "finops", "pager") if subject.titles(name)] == []


def test_a_route_that_is_not_there_is_named_with_those_that_are(subject):
    with pytest.raises(NotifyFailed, match=r"no route 'visoin'.*everybody, vision, search, finops, pager"):
        subject.notifier.send("visoin", message())


def test_what_is_not_urgent_enough_is_taken_and_goes_nowhere(subject):
    subject.notifier.send("pager", message(urgency=Urgency.WARNING))
    subject.notifier.send("pager", message(urgency=Urgency.CRITICAL, title="Work is stopped"))
    assert subject.titles("pager") == ["Work is stopped"]


def test_a_route_that_fails_is_named_and_takes_the_same_message_later(subject):
    subject.fail("search", True)
    with pytest.raises(NotifyFailed, match="route search"):
        subject.notifier.send("search", message())
    subject.notifier.send("vision", message())
    assert subject.titles("vision") == [message().title], "the others go on"
    subject.fail("search", False)
    subject.notifier.send("search", message())
    assert subject.titles("search")[-1] == message().title


def test_many_threads_tell_many_routes_at_once(subject):
    names = ["everybody", "vision", "search", "finops"] * 3
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda name: subject.notifier.send(name, message()), names))
    assert {name: len(subject.titles(name)) for name in names} == dict.fromkeys(names, 3)
