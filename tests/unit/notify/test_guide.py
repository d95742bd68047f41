"""The guide shows what is sent."""

import json
import re
from dataclasses import replace

from aicost.adapters.notify.cloud_events import event
from aicost.adapters.notify.config import USUAL_SCHEMES
from aicost.adapters.notify.rendering import Form, body_of
from aicost.domain.budgets.messages.values import Topic
from support.documents import ROOT
from support.notify import message

GUIDE = (ROOT / "docs/guide/notifications.md").read_text(encoding="utf-8")


def test_the_event_in_the_guide_is_one_that_is_sent():
    (shown,) = re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)
    sent = event(message(), "prod-1")
    assert json.loads(shown) == {**sent, "data": {**sent["data"], "lines": sent["data"]["lines"][:1]}}


def test_the_message_in_the_guide_is_one_that_people_see():
    quoted = [line.removeprefix("> ") for line in GUIDE.splitlines() if line.startswith("> ")]
    shown = [f"**{message().title}**", *body_of(message(), Form.MARKDOWN, 4000).split("\n\n")]
    assert quoted == shown


def test_the_guide_names_all_types_of_events_and_all_usual_schemes():
    named = set(re.findall(r"`([\w.]+)`", GUIDE))
    assert {str(topic) for topic in Topic} <= named
    (rows,) = re.findall(r"\| Scheme \| Service \|\n\|---\|---\|\n((?:\|.*\n)+)", GUIDE)
    first_cells = [row.split("|")[1] for row in rows.splitlines()]
    assert {scheme for cell in first_cells for scheme in re.findall(r"`(\w+)`", cell)} == set(USUAL_SCHEMES)


def test_a_relative_runbook_and_one_behind_a_base_are_told_by_the_event():
    assert event(message(), "c", "https://w/")["data"]["runbook"] == "https://w/docs/runbooks/budget-threshold.md"
    assert event(replace(message(), runbook="https://own/"), "c", "https://w/")["data"]["runbook"] == "https://own/"
