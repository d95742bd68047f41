"""CloudEvents: what is posted, what counts as taken, and that no failure tells the address or the token."""

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aicost.adapters.notify.cloud_events import CloudEventsChannel, event
from aicost.adapters.notify.config import NotifyConfig
from aicost.domain.budgets.messages.values import Message
from aicost.domain.budgets.plans import BudgetRef
from aicost.ports.errors import NotifyFailed
from support.certificates import server_context, write_certificate
from support.http_server import Request, Served, serving
from support.notify import Receiver, message, notifier, receiving, route

SECRET = "s3cr3t-path"
TOKEN = "t0k3n"
Send = Callable[..., None]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def send(tmp_path: Path) -> Send:
    """Sends a message to a URL."""

    def deliver(url: str, told: Message | None = None, **more: object) -> None:
        path = tmp_path / "url"
        path.write_text(url + "\n", encoding="utf-8")
        known = {"cluster": "c-1", "timeout_s": 5.0, "allow_http": True, **more}
        CloudEventsChannel(NotifyConfig(**known)).send(route("hook", path), told or message())

    return deliver


def refusal(send: Send, url: str, **more: object) -> str:
    """What is said of a message that was not taken; never a secret."""
    with pytest.raises(NotifyFailed) as caught:
        send(url, **more)
    told = str(caught.value)
    assert "hook" in told
    for secret in (SECRET, TOKEN, "127.0.0.1", "169.254"):
        assert secret not in told
    assert caught.value.__cause__ is None, "a log line shows causes, and they hold the address"
    return told


def at(served: Served) -> str:
    return f"{served.url}/{SECRET}"


def test_a_message_is_posted_as_a_structured_event(receiver, send):
    send(f"{receiver.url}/{SECRET}?key=1")
    (got,) = receiver.received
    assert got.path == f"/{SECRET}?key=1"
    assert got.headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    assert "Authorization" not in got.headers
    assert got.json == {
        "specversion": "1.0",
        "id": "7d1f/notify-80/1793491200000",
        "source": "/aicost/c-1",
        "type": "dev.aicost.budget.threshold.crossed",
        "subject": "Budget research/month",
        "time": "2026-11-20T10:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "title": "Budget research/month has used 80.4 % of $1,000.00",
            "urgency": "warning",
            "budget": {"kind": "Budget", "namespace": "research", "name": "month", "uid": "7d1f"},
            "lines": [{"label": label, "text": text} for label, text in message().lines],
            "runbook": "docs/runbooks/budget-threshold.md",
            "facts": {"spentNanos": 804_000_000_000, "rung": "notify-80"},
        },
    }


def test_the_same_message_is_the_same_event_each_time(receiver, send):
    for _ in range(2):
        send(receiver.url)
    first, second = receiver.received
    assert first.body == second.body


def test_a_cluster_budget_and_a_strange_cluster_are_named_in_a_source_that_is_valid():
    found = event(message(budget=BudgetRef("all")), "prod/eu west#1")
    assert (found["source"], found["subject"]) == ("/aicost/prod%2Feu%20west%231", "ClusterBudget all")


def test_hostile_texts_arrive_as_they_are_and_stay_small(receiver, send):
    hostile = '<!channel> @everyone "}, \\ \u2028 \ud800 \x00 é 😀'
    facts = {f"k{number}": "x" * 99_999 for number in range(500)}
    send(receiver.url, message(title=hostile, what="w" * 99_999, data=facts))
    (got,) = receiver.received
    assert got.json["data"]["title"] == hostile
    assert len(got.json["data"]["lines"][1]["text"]) == 2000
    assert len(got.body) < 200_000


def test_a_token_is_sent_and_both_files_are_read_again(receiver, tmp_path):
    url, token = tmp_path / "url", tmp_path / "token"
    url.write_text(f"{receiver.url}/old", encoding="utf-8")
    token.write_text("one\n", encoding="utf-8")
    told = notifier(NotifyConfig((route("hook", url, token_file=token),), allow_http=True))
    told.send("hook", message())
    url.write_text(f"{receiver.url}/new", encoding="utf-8")
    token.write_text("two", encoding="utf-8")
    told.send("hook", message())
    assert [(one.path, one.headers["Authorization"]) for one in receiver.received] == [
        ("/old", "Bearer one"),
        ("/new", "Bearer two"),
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, r"urlFile \S+/url cannot be read \(No such file or directory\): mount the Secret"),
        (b"", "must hold one line of plain text"),
        (b"https://a.example/\nhttps://b.example/", "must hold one line of plain text"),
        (b"https://a.example/\xff", "must hold one line of plain text"),
        (b"https://a.example/" + b"x" * 9000, "must hold one line of plain text"),
        (b"ftp://a.example/", "is no web address: write it like https://"),
        (b"a.example/hook", "is no web address: write it like https://"),
        (b"https://", "is no web address: write it like https://"),
        (b"https://[::1/", "is no URL: write it like https://"),
        (b"https://user:s3cr3t-path@a.example/", "holds a user name: take it out, and give a token by tokenFile"),
    ],
)
def test_a_file_that_vanished_or_holds_something_else_is_named_without_its_text(tmp_path, text, why):
    path = tmp_path / "url"
    if text is not None:
        path.write_bytes(text)
    with pytest.raises(NotifyFailed, match=f"route hook.*{why}") as caught:
        CloudEventsChannel(NotifyConfig()).send(route("hook", path), message())
    assert "a.example" not in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_token_that_vanished_is_named_and_nothing_is_sent(receiver, tmp_path):
    url = tmp_path / "url"
    url.write_text(receiver.url, encoding="utf-8")
    with pytest.raises(NotifyFailed, match=r"route hook: tokenFile \S+/token cannot be read"):
        CloudEventsChannel(NotifyConfig(allow_http=True)).send(
            route("hook", url, token_file=tmp_path / "token"), message()
        )
    assert receiver.received == []


def test_without_tls_nothing_is_sent_unless_the_settings_allow_it(receiver, send):
    assert "is without TLS: write https, or set notifications.allowHttp" in refusal(
        send, f"{receiver.url}/{SECRET}", allow_http=False
    )
    assert receiver.received == []


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "0xa9fea9fe", "[fd00:ec2::254]", "metadata.google.internal", "[::ffff:a9fe:a9fe]"]
)
def test_link_local_and_metadata_addresses_are_never_told_anything(send, host):
    assert "names a link-local or metadata address" in refusal(send, f"http://{host}/{SECRET}")


def test_a_name_that_leads_to_a_forbidden_address_is_hung_up_on(receiver, send, monkeypatch):
    monkeypatch.setattr("aicost.adapters.notify.posting.is_forbidden", lambda host: host == "127.0.0.1")
    assert "its host is a link-local or metadata address" in refusal(send, f"{receiver.url}/{SECRET}")
    assert receiver.received == []


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_takes_the_message(receiver, send, status):
    receiver.statuses["/"] = status
    send(receiver.url)


@pytest.mark.parametrize(
    ("status", "fix"),
    [
        (302, "a redirect, which is not followed: write the final address into urlFile"),
        (400, "look at its log"),
        (401, "renew the token in tokenFile"),
        (403, "renew the token in tokenFile"),
        (404, "the address is gone"),
        (410, "the address is gone"),
        (413, "takes less than"),
        (429, "it is told again later"),
        (500, "it is told again later"),
        (503, "it is told again later"),
    ],
)
def test_any_other_status_is_told_with_what_helps(receiver, send, status, fix):
    receiver.statuses[f"/{SECRET}"] = status
    told = refusal(send, f"{receiver.url}/{SECRET}")
    assert told.startswith(f"route hook answered {status}: ")
    assert fix in told


def test_a_redirect_is_not_followed(receiver, send):
    def elsewhere(request: Request) -> None:
        request.answer("", 307, Location=f"{receiver.url}/stolen")

    with serving(elsewhere) as served:
        assert "answered 307: a redirect" in refusal(send, at(served))
    assert receiver.received == []


def test_of_a_huge_answer_nothing_is_read(send):
    def endless(request: Request) -> None:
        request.handler.send_response(200)
        request.handler.end_headers()
        while not request.release.is_set():
            request.handler.wfile.write(b"x" * 65_536)

    with serving(endless) as served:
        send(at(served))


def test_endless_headers_are_no_answer(send):
    def headers(request: Request) -> None:
        request.handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not request.release.is_set():
            request.handler.wfile.write(b"X-More: 1\r\n")

    with serving(headers) as served:
        assert "route hook did not answer" in refusal(send, at(served))


def test_what_is_no_http_is_no_answer(send):
    with serving(lambda request: request.handler.wfile.write(b"SSH-2.0-OpenSSH\r\n\r\n")) as served:
        assert "route hook did not answer" in refusal(send, at(served))


@pytest.mark.parametrize("behave", [Request.hang, Request.drop], ids=["says nothing", "hangs up"])
def test_a_server_that_does_not_answer_is_given_up_after_its_time(send, behave):
    with serving(behave) as served:
        assert "route hook did not answer" in refusal(send, at(served), timeout_s=0.3)


def test_a_byte_now_and_then_renews_no_patience(send):
    def drip(request: Request) -> None:
        while not request.release.wait(0.05):
            request.handler.wfile.write(b"H")

    with serving(drip) as served:
        assert "did not answer: no answer within 0.5 s; it is told again later" in refusal(
            send, at(served), timeout_s=0.5
        )


def test_a_server_that_does_not_even_shake_hands_is_given_up(send):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/{SECRET}"
        assert "route hook did not answer" in refusal(send, url, timeout_s=0.3)


def test_a_port_where_nobody_listens_is_told_without_its_number(send):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert str(port) not in refusal(send, f"http://127.0.0.1:{port}/{SECRET}")


def test_a_certificate_of_nobody_is_refused_and_one_that_is_trusted_is_not(tmp_path, send):
    crt, key = write_certificate(tmp_path, "receiver")
    with serving(lambda request: request.answer(""), server_context(crt, key)) as served:
        told = refusal(send, at(served), allow_http=False)
        assert served.requests == []
        assert "did not answer: SSL" in told
        path = tmp_path / "url"
        trusted = CloudEventsChannel(NotifyConfig(), ssl.create_default_context(cafile=crt))
        path.write_text(at(served), encoding="utf-8")
        trusted.send(route("hook", path), message())
        assert len(served.requests) == 1


def test_a_certificate_for_another_host_is_refused(tmp_path):
    crt, key = write_certificate(tmp_path, "receiver")
    with serving(lambda request: request.answer(""), server_context(crt, key)) as served:
        path = tmp_path / "url"
        path.write_text(at(served).replace("127.0.0.1", "localhost"), encoding="utf-8")
        with pytest.raises(NotifyFailed, match="did not answer: SSL"):
            CloudEventsChannel(NotifyConfig(), ssl.create_default_context(cafile=crt)).send(
                route("hook", path), message()
            )
        assert served.requests == []
