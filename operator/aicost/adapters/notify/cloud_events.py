"""CloudEvents by HTTP, in structured mode."""

import json
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from aicost.adapters.notify.config import NotifyConfig, Route
from aicost.adapters.notify.files import read_secret
from aicost.adapters.notify.hosts import is_forbidden
from aicost.adapters.notify.posting import NoAnswer, post
from aicost.adapters.notify.rendering import runbook_of
from aicost.domain.budgets.messages.values import Message
from aicost.domain.exact.windows import to_rfc3339
from aicost.ports.errors import NotifyFailed

_TYPE = "dev.aicost."
_MOST_TEXT = 2000
_MOST_FACTS = 64
_HEADERS = {"Content-Type": "application/cloudevents+json; charset=utf-8", "User-Agent": "aicost"}
_FIXES = {
    401: "renew the token in tokenFile",
    403: "renew the token in tokenFile",
    404: "the address is gone: write the new one into urlFile",
    410: "the address is gone: write the new one into urlFile",
    413: "the receiver takes less than a message of some kilobytes",
}


def event(message: Message, cluster: str, runbook_base: str = "") -> dict[str, Any]:
    """A message as a CloudEvent. Its texts are as people wrote them: who shows them escapes them.

    Args:
        message: what to tell.
        cluster: key of the cluster that it comes from.
        runbook_base: what stands before the page to read on.
    """
    return {
        "specversion": "1.0",
        "id": message.id,
        "source": f"/aicost/{quote(cluster, safe='')}",
        "type": f"{_TYPE}{message.topic}",
        "subject": str(message.budget),
        "time": to_rfc3339(message.at_ms),
        "datacontenttype": "application/json",
        "data": _data(message, runbook_base),
    }


def _data(message: Message, runbook_base: str) -> dict[str, Any]:
    budget = message.budget
    return {
        "title": message.title[:_MOST_TEXT],
        "urgency": str(message.urgency),
        "budget": {"kind": budget.kind, "namespace": budget.namespace, "name": budget.name, "uid": budget.uid},
        "lines": [{"label": label, "text": text[:_MOST_TEXT]} for label, text in message.lines],
        "runbook": runbook_of(message, runbook_base)[:_MOST_TEXT],
        "facts": _facts(message.data),
    }


def _facts(data: Mapping[str, str | int]) -> dict[str, str | int]:
    some = list(data.items())[:_MOST_FACTS]
    return {name: value[:_MOST_TEXT] if isinstance(value, str) else value for name, value in some}


class CloudEventsChannel:
    """Posts each message to the URL in the route's file.

    Args:
        config: what holds for all routes.
        tls: whom to trust; the system's authorities where None.
    """

    def __init__(self, config: NotifyConfig, tls: ssl.SSLContext | None = None) -> None:
        self._config = config
        self._tls = tls or ssl.create_default_context()

    def send(self, route: Route, message: Message) -> None:
        """Post a message. An answer of 2xx takes it.

        Raises:
            NotifyFailed: anything else; the message names the route and the status, never the address or a token.
        """
        url = self._url(route)
        headers = _HEADERS | _authorization(route)
        body = json.dumps(event(message, self._config.cluster, self._config.runbook_base)).encode()
        try:
            status = post(url, body, headers, self._config.timeout_s, self._tls)
        except NoAnswer as why:
            raise NotifyFailed(f"route {route.name} did not answer: {why}; it is told again later") from None
        if not 200 <= status < 300:
            raise NotifyFailed(f"route {route.name} answered {status}: {_fix(status)}")

    def _url(self, route: Route) -> Url:
        text = read_secret(route.name, "urlFile", route.url_file)
        try:
            url = parse_url(text)
        except LocationParseError:
            raise _refused(route, "is no URL: write it like https://receiver.example/aicost") from None
        self._check(route, url)
        return url

    def _check(self, route: Route, url: Url) -> None:
        if url.scheme not in {"https", "http"} or not url.host:
            raise _refused(route, "is no web address: write it like https://receiver.example/aicost")
        if url.scheme == "http" and not self._config.allow_http:
            raise _refused(route, "is without TLS: write https, or set notifications.allowHttp to true")
        if url.auth:
            raise _refused(route, "holds a user name: take it out, and give a token by tokenFile")
        if is_forbidden(url.host):
            raise _refused(route, "names a link-local or metadata address, which is never told anything: name another")


def _refused(route: Route, why: str) -> NotifyFailed:
    return NotifyFailed(f"route {route.name}: what urlFile {route.url_file} holds {why}")


def _authorization(route: Route) -> dict[str, str]:
    if route.token_file is None:
        return {}
    return {"Authorization": f"Bearer {read_secret(route.name, 'tokenFile', route.token_file)}"}


def _fix(status: int) -> str:
    if 300 <= status < 400:
        return "a redirect, which is not followed: write the final address into urlFile"
    return _FIXES.get(status, "it is told again later" if status == 429 or status >= 500 else "look at its log")
