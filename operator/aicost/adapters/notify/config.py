"""How messages leave: the routes of the settings, and what holds for all of them."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from aicost.domain.budgets.messages.values import Urgency

USUAL_SCHEMES = (
    "slack",
    "workflows",
    "mailtos",
    "pagerduty",
    "opsgenie",
    "gchat",
    "matrixs",
    "mmosts",
    "discord",
    "tgram",
    "ntfys",
)
"""Services that Apprise may speak with unless the settings say otherwise, by the scheme of its URLs: Slack, Teams
workflows, mail, PagerDuty, Opsgenie, Google Chat, Matrix, Mattermost, Discord, Telegram and ntfy, all by TLS."""
LOCAL_SCHEMES = frozenset(
    {"blink1", "dbus", "file", "gio", "glib", "gnome", "kde", "macosx", "qt", "syslog", "windows"},
)
"""What would act on the machine that the controller runs on: never allowed."""


class ChannelKind(StrEnum):
    """By what a route speaks."""

    CLOUD_EVENTS = "cloudevents"
    APPRISE = "apprise"


@dataclass(frozen=True, slots=True)
class Route:
    """One place to tell.

    Attributes:
        url_file: file that holds the URL and nothing else; read again for each message.
        token_file: file that holds a bearer token, for CloudEvents.
        namespaces: patterns of the namespaces whose budgets may name it; empty: all.
        teams: budgets of these teams are told here where they name nothing.
        finops: told what nobody acknowledged, and what has no owner.
        least: what is less urgent is not sent.
    """

    name: str
    kind: ChannelKind
    url_file: Path
    token_file: Path | None = None
    namespaces: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    finops: bool = False
    least: Urgency = Urgency.INFO


@dataclass(frozen=True, slots=True)
class NotifyConfig:
    """All routes, and what holds for each of them.

    Attributes:
        cluster: key of the cluster: receivers are told where a message comes from.
        timeout_s: longest time that one message may take in all.
        allow_http: whether a message may go out without TLS.
        schemes: services that Apprise may speak with.
        runbook_base: what stands before `docs/runbooks/` in messages.
    """

    routes: tuple[Route, ...] = ()
    cluster: str = ""
    timeout_s: float = 10.0
    allow_http: bool = False
    schemes: tuple[str, ...] = USUAL_SCHEMES
    runbook_base: str = ""


_BASE = r"(https?://[^\s?#]+/|[\w./-]+/)?"


def checked_scheme(text: str) -> str:
    """Check the scheme of a service's URL."""
    if not re.fullmatch(r"[a-z0-9]{1,32}", text):
        raise ValueError(f"{text!r} is no scheme: write the part before :// in lower case, for example slack")
    if text in LOCAL_SCHEMES:
        raise ValueError(f"{text!r} acts on the machine of the controller and is never allowed: take it out")
    return text


def checked_base(text: str) -> str:
    """Check what stands before the path of a page."""
    if not re.fullmatch(_BASE, text):
        raise ValueError(
            f"{text!r} cannot stand before docs/runbooks/: end it with /, as in https://wiki.example/aicost/"
        )
    return text
