"""Chats and mail by Apprise, which is an extra: loaded when the first message goes that way."""

import importlib
from typing import Any

from aicost.adapters.notify.config import NotifyConfig, Route
from aicost.adapters.notify.files import read_secret
from aicost.adapters.notify.hosts import is_forbidden
from aicost.adapters.notify.rendering import Form, body_of, title_of
from aicost.domain.budgets.messages.values import Message, Urgency
from aicost.ports.errors import NotifyFailed

_LONGEST_CONNECT_S = 10.0
_ROOM = 16
"""Characters that Apprise adds between a title and a body that it puts together."""
_TYPES = {Urgency.INFO: "info", Urgency.WARNING: "warning", Urgency.CRITICAL: "failure"}


class AppriseChannel:
    """Sends each message to the service that the URL in the route's file names.

    Args:
        config: what holds for all routes.
    """

    def __init__(self, config: NotifyConfig) -> None:
        self._config = config

    def send(self, route: Route, message: Message) -> None:
        """Send a message, without attachments.

        Raises:
            NotifyFailed: the service did not take it, or may not be spoken with; the message names the route and never
                the URL or what is in it.
        """
        url = read_secret(route.name, "urlFile", route.url_file)
        scheme = self._scheme(route, url)
        library = _library(route)
        try:
            service = self._service(library, url)
            self._check(route, scheme, service)
            sent = self._notify(library, service, message)
        except NotifyFailed:
            raise
        except Exception as error:  # noqa: BLE001 - a service's code may raise anything, with the URL in its text
            raise _refused(route, f"made Apprise fail ({type(error).__name__}): check the URL") from None
        if not sent:
            raise NotifyFailed(f"route {route.name}: the service did not take the message; it is told again later")

    def _scheme(self, route: Route, url: str) -> str:
        scheme, found, _ = url.partition("://")
        if not found:
            raise _refused(route, "is no URL of Apprise: write it like slack://...")
        if scheme.lower() not in self._config.schemes:
            known = ", ".join(self._config.schemes)
            raise _refused(
                route, f"has a scheme that notifications.allowedSchemes does not name: use one of {known}, or add it"
            )
        return scheme.lower()

    def _service(self, library: Any, url: str) -> Any:
        """What Apprise makes of a URL, with our bounds in place of those of the URL; None where it can do nothing."""
        asset = library.AppriseAsset(
            app_id="aicost",
            app_desc="aicost",
            app_url="",
            image_url_mask="",
            image_url_logo="",
            http_redirects=False,
            service_timeout=self._config.timeout_s,
            pgp_autogen=False,
            pem_autogen=False,
        )
        service = library.Apprise.instantiate(url, asset=asset)
        if service is not None:
            service.socket_connect_timeout = min(_LONGEST_CONNECT_S, self._config.timeout_s)
            service.socket_read_timeout = self._config.timeout_s
            service.retry = 0
            service.optional = False
        return service

    def _check(self, route: Route, scheme: str, service: Any) -> None:
        """Look at what Apprise made of the URL, which is what counts."""
        if service is None:
            raise _refused(route, "is no URL that Apprise can use: compare it with its page of the service")
        if scheme not in service.schemas() or service.category != "native":
            raise _refused(route, "leads to another service than its scheme says: write the URL of the service itself")
        if not self._config.allow_http and not _is_encrypted(scheme, service):
            raise _refused(route, "is without TLS: write the scheme with s, or set notifications.allowHttp to true")
        if not service.verify_certificate or service.redirects:
            raise _refused(route, "turns a check off, by verify or redirect: take that out")
        if _reads_files(service):
            raise _refused(route, "reads files or keys, by template or pgp: take that out")
        if any(is_forbidden(host) for host in _hosts(service)):
            raise _refused(route, "names a link-local or metadata address, which is never told anything: name another")

    def _notify(self, library: Any, service: Any, message: Message) -> bool:
        wanted = service.resolve_format(library.NotifyFormat.MARKDOWN)
        form = Form.PLAIN if wanted == library.NotifyFormat.TEXT else Form.MARKDOWN
        has_title = service.title_maxlen > 0
        # A title of its own is shown as it is; one that goes into the body is read as the body is.
        title = title_of(message, Form.PLAIN if has_title else form)
        most = service.body_maxlen - (0 if has_title else len(title) + _ROOM)
        service.overflow_mode = library.OverflowMode.UPSTREAM  # the body fits, and Apprise would cut commands
        box = library.Apprise(asset=service.asset)
        box.add(service)
        return bool(
            box.notify(
                body=body_of(message, form, most, self._config.runbook_base),
                title=title,
                notify_type=_TYPES[message.urgency],
                body_format=library.NotifyFormat.TEXT if form is Form.PLAIN else library.NotifyFormat.MARKDOWN,
            )
        )


def _library(route: Route) -> Any:
    try:
        return importlib.import_module("apprise")
    except ImportError:
        raise NotifyFailed(
            f"route {route.name} is of kind apprise and Apprise is not installed: pip install aicost[notify], or take "
            "kind cloudevents"
        ) from None


def _refused(route: Route, why: str) -> NotifyFailed:
    return NotifyFailed(f"route {route.name}: what urlFile {route.url_file} holds {why}")


def _is_encrypted(scheme: str, service: Any) -> bool:
    secure = service.secure_protocol or ()
    known = {secure} if isinstance(secure, str) else set(secure)
    return scheme in known and getattr(service, "secure_mode", "") != "insecure"


def _reads_files(service: Any) -> bool:
    template = getattr(service, "template", None)
    keys = (getattr(service, name, None) for name in ("pgp_key", "pgp_privkey", "use_wkd"))
    return bool(template is not None and len(template)) or any(keys)


def _hosts(service: Any) -> tuple[str, ...]:
    """Hosts that the URL names, if it names any. For services of a fixed address this is a key, and no host at all."""
    found = (getattr(service, name, None) for name in ("host", "smtp_host"))
    return tuple(host for host in found if isinstance(host, str) and host)
