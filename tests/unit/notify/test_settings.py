"""The section `notifications` of the settings: what is refused, with the fix, and never with a secret."""

from typing import Any

import pytest

from aicost.adapters.notify.config import USUAL_SCHEMES
from aicost.ports.errors import InvalidRequest
from aicost.settings import NotificationSettings, RouteSettings, parse_settings
from support.documents import ROOT, row_names

SECRET = "https://hooks.example/s3cr3t"
GUIDE = (ROOT / "docs/guide/notifications.md").read_text(encoding="utf-8")


def _parse(section: dict[str, Any]) -> NotificationSettings:
    return parse_settings({"notifications": section}).notifications


def _route(**more: Any) -> dict[str, Any]:
    return {"name": "finops", "urlFile": "/etc/aicost/notify/finops/url", **more}


def test_nothing_is_told_to_anybody_and_nothing_goes_without_tls_as_it_comes():
    found = _parse({})
    assert found.routes == ()
    assert (found.timeout_seconds, found.allow_http, found.runbook_base) == (10, False, "")
    assert found.allowed_schemes == USUAL_SCHEMES


def test_a_route_says_all_that_it_may_say():
    (found,) = _parse(
        {
            "routes": [
                _route(
                    kind="cloudevents",
                    tokenFile="/etc/aicost/notify/finops/token",
                    namespaces=["ml-*"],
                    teams=["vision"],
                    finops=True,
                    minUrgency="warning",
                )
            ]
        }
    ).routes
    assert (found.namespaces, found.teams, found.finops, found.min_urgency) == (("ml-*",), ("vision",), True, "warning")


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ({"routes": [{"name": "a"}]}, "notifications.routes.0.urlFile: Field required"),
        ({"routes": [{"urlFile": "/x"}]}, "notifications.routes.0.name: Field required"),
        ({"routes": [_route(name="Fin Ops")]}, "routes.0: name 'Fin Ops': write lower-case letters, digits"),
        ({"routes": [_route(name="x" * 64)]}, "routes.0.name"),
        ({"routes": [_route(), _route()]}, "two are called 'finops': give one of them another name"),
        ({"routes": [_route(kind="slack")]}, "routes.0.kind 'slack': Input should be 'cloudevents' or 'apprise'"),
        ({"routes": [_route(minUrgency="high")]}, "routes.0.minUrgency 'high': Input should be 'info', 'warning' or"),
        ({"routes": [_route(urlFile="url")]}, "urlFile of route 'finops' is no path: write URL or token into a file"),
        (
            {"routes": [_route(kind="apprise", tokenFile="/t")]},
            "tokenFile of route 'finops' is for kind cloudevents: a URL of Apprise holds its own",
        ),
        ({"timeoutSeconds": 0}, "notifications.timeoutSeconds 0: Input should be greater than or equal to 1"),
        ({"timeoutSeconds": 61}, "notifications.timeoutSeconds 61"),
        ({"allowedSchemes": ["Slack"]}, "notifications.allowedSchemes.0 'Slack': 'Slack' is no scheme: write the part"),
        ({"allowedSchemes": ["json://"]}, "is no scheme: write the part before ://"),
        ({"allowedSchemes": ["slack", "syslog"]}, "allowedSchemes.1 'syslog': 'syslog' acts on the machine"),
        ({"allowedSchemes": ["file"]}, "'file' acts on the machine of the controller and is never allowed"),
        ({"runbookBase": "https://wiki.example"}, "cannot stand before docs/runbooks/: end it with /"),
        ({"runbookBase": "javascript:alert(1)/"}, "cannot stand before docs/runbooks/"),
        ({"routs": []}, "notifications.routs: there is no such key; take it out"),
        ({"routes": [_route(team="vision")]}, "notifications.routes.0.team: there is no such key; take it out"),
    ],
)
def test_what_is_wrong_is_named_with_its_field_its_value_and_the_fix(section, told):
    with pytest.raises(InvalidRequest) as caught:
        _parse(section)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "wrong", [{"url": SECRET}, {"urlFile": SECRET}, {"tokenFile": SECRET}, {"urlFile": SECRET, "name": "X"}]
)
def test_an_address_that_was_put_into_the_settings_is_refused_and_not_repeated(wrong):
    with pytest.raises(InvalidRequest) as caught:
        _parse({"routes": [_route(**wrong)]})
    assert SECRET not in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("base", ["", "https://wiki.example/aicost/", "http://wiki/", "../"])
def test_pages_may_stand_behind_an_address_or_a_folder(base):
    assert _parse({"runbookBase": base}).runbook_base == base


def test_each_key_of_a_route_stands_in_the_reference_and_in_the_guide():
    told = NotificationSettings.model_json_schema(by_alias=True)["properties"]["routes"]["description"]
    keys = [field.alias for field in RouteSettings.model_fields.values()]
    assert len(keys) == 8
    assert [key for key in keys if f"`{key}`" not in told] == []
    values = {"urlFile": "secretKey", "tokenFile": "tokenKey"}
    assert [key for key in keys if values.get(key, key) not in row_names(GUIDE)] == []
