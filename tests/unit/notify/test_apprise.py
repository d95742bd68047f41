"""Apprise, the real library: which URLs it may use, what people see, and that no failure tells the URL."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from email import message_from_string, policy
from pathlib import Path
from typing import Any

import apprise
import pytest
import requests
from apprise.manager_plugins import NotificationManager

from aicost.adapters.notify.apprise_channel import AppriseChannel
from aicost.adapters.notify.config import LOCAL_SCHEMES, USUAL_SCHEMES, ChannelKind, NotifyConfig
from aicost.domain.budgets.messages.values import Message, Urgency
from aicost.ports.errors import NotifyFailed
from support.http_server import Request, serving
from support.notify import Receiver, load_apprise, message, notifier, receiving, route

SECRET = "TIiajkdnlazkcOXrIdevi7FQ"
SLACK = f"slack://T1JJ3T3L2/A1BRTD4JD/{SECRET}/%23costs"
URLS = {
    "slack": SLACK,
    "workflows": f"workflows://prod-1.westus.logic.azure.com:443/643e69f83c8944/{SECRET}",
    "mailtos": f"mailtos://user:{SECRET}@example.com?to=finops@example.com",
    "pagerduty": f"pagerduty://A1BRTD4JD@{SECRET}",
    "opsgenie": "opsgenie://a674bd49-22ac-4a40-b2cd-1d2b27e5a9a9",
    "gchat": f"gchat://WORKSPACE/key/{SECRET}",
    "matrixs": f"matrixs://user:{SECRET}@matrix.example/%23room",
    "mmosts": "mmosts://example.com/5t8dopf1txdu6xodh6ymgykkhe",
    "discord": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "tgram": "tgram://123456789:abcdefg_hijklmnop/12315544/",
    "ntfys": "ntfys://ntfy.example/topic",
}
HOSTILE = (
    "<!channel> @everyone <@U1> [win](http://evil.example) <http://evil.example|docs> *b* _i_ `c` "
    "<img src=x> <script>x</script> &lt;!here&gt;"
)
Send = Callable[..., None]


@pytest.fixture(autouse=True)
def loaded() -> None:
    load_apprise()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def send(tmp_path: Path) -> Send:
    """Sends a message to a URL of Apprise."""

    def deliver(url: str, told: Message | None = None, **more: object) -> None:
        path = tmp_path / "url"
        path.write_text(url + "\n", encoding="utf-8")
        known = {"timeout_s": 5.0, **more}
        AppriseChannel(NotifyConfig(**known)).send(route("chat", path, kind=ChannelKind.APPRISE), told or message())

    return deliver


@pytest.fixture
def sent(monkeypatch) -> list[Any]:
    """What would have gone to the services, which are not reached from here."""
    found: list[Any] = []

    def take(_: object, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        assert how["allow_redirects"] is False
        assert how["verify"], "certificates are checked"
        assert max(how["timeout"]) <= 5.0
        found.append(request)
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = 200, request.url, request
        answer._content = b"ok" if "slack" in request.url else b'{"user_id":"@u:b","access_token":"x","room_id":"!a:b"}'
        return answer

    monkeypatch.setattr(requests.sessions.Session, "send", take)
    monkeypatch.setattr(apprise.URLBase, "throttle", lambda *_, **__: None)
    return found


def refusal(send: Send, url: str, **more: object) -> str:
    """What is said of a message that was not taken; never what is in the URL."""
    with pytest.raises(NotifyFailed) as caught:
        send(url, **more)
    told = str(caught.value)
    assert "route chat" in told
    for secret in (SECRET, "127.0.0.1", "169.254", "example.com"):
        assert secret not in told
    assert caught.value.__cause__ is None, "a log line shows causes, and they hold the URL"
    return told


def plain(receiver: Receiver, name: str = "chat") -> str:
    return f"json://{receiver.url.removeprefix('http://')}/{name}"


def test_each_service_that_is_usually_allowed_is_known_to_apprise_and_encrypted(send, sent):
    assert set(URLS) == set(USUAL_SCHEMES)
    for scheme, url in URLS.items():
        if scheme == "mailtos":  # which speaks SMTP
            continue
        with suppress(NotifyFailed):  # where the answer is not that of the real service
            send(url)
        assert sent, scheme
        assert {request.url.split(":", 1)[0] for request in sent} == {"https"}
        sent.clear()


def test_title_text_and_urgency_arrive(receiver, send):
    send(plain(receiver), message(urgency=Urgency.CRITICAL), allow_http=True, schemes=("json",))
    (got,) = receiver.received
    assert got.json["title"] == message().title
    assert got.json["type"] == "failure"
    assert got.json["attachments"] == []
    assert got.json["message"].startswith("**Who** team research pays; jane answers for it\n\n**What** ")


def test_the_url_is_read_again_for_each_message(receiver, tmp_path):
    path = tmp_path / "url"
    told = notifier(NotifyConfig((route("chat", path, kind=ChannelKind.APPRISE),), allow_http=True, schemes=("json",)))
    for name in ("old", "new"):
        path.write_text(plain(receiver, name), encoding="utf-8")
        told.send("chat", message())
    path.unlink()
    with pytest.raises(NotifyFailed, match=r"route chat: urlFile \S+/url cannot be read"):
        told.send("chat", message())
    assert [one.path for one in receiver.received] == ["/old", "/new"]


@pytest.mark.parametrize(
    "url",
    [
        "json://127.0.0.1/x",
        "jsons://a.example/x",
        "xml://a.example/x",
        "form://a.example/x",
        "file:///etc/passwd",
        "syslog://",
        "dbus://",
        "windows://",
        "mailto://user:pw@a.example",
        "ntfy://a.example/topic",
        f"https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/{SECRET}",
        "http://a.example/",
        "SLACKX://a/b/c",
        " json://a.example/x",
    ],
)
def test_a_scheme_that_is_not_allowed_is_refused_with_those_that_are(send, sent, url):
    told = refusal(send, url)
    assert "has a scheme that notifications.allowedSchemes does not name: use one of slack, workflows, mailtos" in told
    assert sent == []


def test_letter_case_of_a_scheme_does_not_count(send, sent):
    send(SLACK.replace("slack", "Slack"))
    assert len(sent) == 1


def test_what_acts_on_the_machine_itself_is_never_allowed():
    modules = {"blink1", "dbus", "glib", "gnome", "macosx", "syslog", "windows"}
    plugins = [one for one in NotificationManager().plugins() if one.__module__.rpartition(".")[2] in modules]
    assert len({one.__module__ for one in plugins}) == len(modules), "Apprise calls them otherwise now: look again"
    assert {scheme for one in plugins for scheme in one.schemas(one)} <= LOCAL_SCHEMES


@pytest.mark.parametrize("url", ["no url at all", "slack", ":// ", "slack:/T/A"])
def test_what_is_no_url_is_refused_with_what_one_looks_like(send, url):
    told = refusal(send, url)
    assert "is no URL of Apprise: write it like slack://..." in told or "allowedSchemes" in told


def test_a_url_that_apprise_cannot_use_is_refused_without_its_text(send, sent):
    assert "is no URL that Apprise can use" in refusal(send, f"slack://{SECRET}")
    assert sent == []


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("json://127.0.0.1/x", "is without TLS"),
        (f"mailtos://user:{SECRET}@example.com?mode=insecure", "is without TLS"),
        (f"mmost://example.com/{SECRET.lower()}", "is without TLS"),
        (f"{SLACK}?verify=no", "turns a check off, by verify or redirect"),
        (f"{SLACK}?redirect=yes", "turns a check off, by verify or redirect"),
        (f"{SLACK}?template=/etc/passwd", "reads files or keys, by template or pgp"),
        (f"{URLS['workflows']}?template=http://a.example/t", "reads files or keys, by template or pgp"),
        (f"{URLS['mailtos']}&pgpprv=/etc/passwd", "reads files or keys, by template or pgp"),
        (f"{URLS['mailtos']}&smtp=169.254.169.254", "names a link-local or metadata address"),
        ("mmosts://[fd00:ec2::254]/5t8dopf1txdu6xodh6ymgykkhe", "names a link-local or metadata address"),
        ("jsons://0xa9fea9fe/x", "names a link-local or metadata address"),
        ("ntfys://metadata.google.internal/topic", "names a link-local or metadata address"),
    ],
)
def test_what_apprise_made_of_the_url_is_looked_at_before_it_is_used(send, sent, url, why):
    assert why in refusal(send, url, schemes=(*USUAL_SCHEMES, "json", "jsons", "mmost"))
    assert sent == []


def test_a_url_that_leads_to_another_service_than_its_scheme_is_refused(send, sent):
    native = f"https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/{SECRET}"
    assert "leads to another service than its scheme says" in refusal(send, native, schemes=("https",))
    assert sent == []


def test_a_redirect_is_not_followed(receiver, send):
    def elsewhere(request: Request) -> None:
        request.answer("", 307, Location=f"{receiver.url}/stolen")

    with serving(elsewhere) as served:
        url = f"json://{served.url.removeprefix('http://')}/{SECRET}"
        assert "the service did not take the message" in refusal(send, url, allow_http=True, schemes=("json",))
    assert receiver.received == []


@pytest.mark.parametrize("behave", [Request.hang, Request.drop], ids=["says nothing", "hangs up"])
def test_a_service_that_does_not_answer_is_given_up_after_its_time(send, behave):
    with serving(behave) as served:
        url = f"json://{served.url.removeprefix('http://')}/{SECRET}?rto=600&cto=600&retry=5"
        told = refusal(send, url, allow_http=True, schemes=("json",), timeout_s=0.3)
        assert "the service did not take the message; it is told again later" in told
        assert len(served.requests) == 1


def test_a_byte_now_and_then_renews_no_patience(send):
    with serving(lambda request: request.drip(b"x" * 40, 0.05)) as served:
        url = f"json://{served.url.removeprefix('http://')}/x"
        told = refusal(send, url, allow_http=True, schemes=("json",), timeout_s=0.5)
        assert "the service did not take the message" in told


def test_a_url_does_not_say_how_long_it_is_waited_for(send, sent):
    send(f"{SLACK}?rto=600&cto=600")  # the fixture looks at both
    assert len(sent) == 1


def test_a_url_does_not_say_how_often_it_is_tried(send):
    with serving(lambda request: request.answer("", 500)) as served:
        url = f"json://{served.url.removeprefix('http://')}/x?retry=3&wait=0"
        refusal(send, url, allow_http=True, schemes=("json",))
        assert len(served.requests) == 1


def test_a_failure_that_the_url_calls_optional_is_a_failure(send):
    with serving(lambda request: request.answer("", 500)) as served:
        url = f"json://{served.url.removeprefix('http://')}/x?optional=yes"
        assert "the service did not take the message" in refusal(send, url, allow_http=True, schemes=("json",))


def test_a_bug_in_a_service_is_a_failure_that_tells_no_url(send, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise KeyError(SLACK)

    monkeypatch.setattr("apprise.Apprise.instantiate", fail)
    assert "made Apprise fail (KeyError): check the URL" in refusal(send, SLACK)


def test_where_apprise_is_not_installed_the_message_says_how_to_get_it(send, monkeypatch):
    monkeypatch.setitem(sys.modules, "apprise", None)
    told = refusal(send, SLACK)
    assert "Apprise is not installed: pip install aicost[notify], or take kind cloudevents" in told


def test_no_log_line_tells_the_url(receiver, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "url"
    config = NotifyConfig((route("chat", path, kind=ChannelKind.APPRISE),), allow_http=True, schemes=("json",))
    told = notifier(config)
    path.write_text(plain(receiver, SECRET), encoding="utf-8")
    told.send("chat", message())
    receiver.statuses[f"/{SECRET}"] = 500
    with pytest.raises(NotifyFailed):
        told.send("chat", message())
    assert len(receiver.received) == 2
    assert SECRET not in caplog.text
    assert "127.0.0.1" not in caplog.text


@pytest.mark.parametrize("scheme", sorted(set(URLS) - {"mailtos"}))
def test_what_people_wrote_mentions_nobody_and_links_nowhere_in_any_service(send, sent, scheme):
    hostile = message(title=HOSTILE, who=HOSTILE, what=HOSTILE, next=HOSTILE)
    with suppress(NotifyFailed):  # where the answer is not that of the real service
        send(URLS[scheme], hostile, runbook_base="https://wiki.example/")
    (shown,) = [text for request in sent for text in [_text(request)] if "evil.example" in text]
    for power in ("<!", "<@", "@everyone", "](http://", "http://evil", "<img", "<script"):
        assert power not in shown, power
    assert "kubectl aicost budget request month -n research --amount 200 --reason '...'" in shown
    assert "https://wiki.example/docs/runbooks/budget-threshold.md" in shown


def _text(request: requests.PreparedRequest) -> str:
    """The body as people would get to see it."""
    body = request.body.decode() if isinstance(request.body, bytes) else request.body or ""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False)
    except ValueError:
        return body


def test_mail_shows_what_people_wrote_as_text(send, monkeypatch):
    mails: list[str] = []

    class Mailbox:
        def __init__(self, *_: object, **how: Any) -> None:
            assert how["timeout"] <= 5.0

        def starttls(self, context: Any) -> None:
            assert context.check_hostname, "certificates are checked"

        def login(self, *_: object) -> None:
            return

        def sendmail(self, _: str, __: object, text: str) -> dict[str, Any]:
            mails.append(text)
            return {}

        def quit(self) -> None:
            return

    monkeypatch.setattr("smtplib.SMTP", Mailbox)
    send(URLS["mailtos"], message(what=HOSTILE, title=f"{HOSTILE}\r\nBcc: all@example.com"))
    (mail,) = (message_from_string(one, policy=policy.default) for one in mails)
    page = mail.get_body(("html",)).get_content()
    assert "<img" not in page
    assert "<script" not in page
    assert 'href="http://evil' not in page
    assert "<code>kubectl aicost budget request month" in page
    assert mail["Bcc"] is None
    assert mail["To"] == "finops@example.com"
