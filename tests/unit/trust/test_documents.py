"""Each reason has a line in the reference and a part of the runbook; what the runbook names is there."""

import re

from aicost.crd.trust.document import RUNBOOK
from aicost.domain.trust.reasons import TrustReason
from aicost.domain.trust.standing import SETTLING, TRUSTED
from support.documents import ROOT, anchors, row_names


def test_each_reason_stands_in_the_reference_and_nothing_else_does() -> None:
    text = (ROOT / "docs/reference/telemetry-reasons.md").read_text(encoding="utf-8")
    assert row_names(text) == [reason.value for reason in TrustReason]
    assert f"`{TRUSTED}`" in text
    assert f"`{SETTLING}`" in text


def test_each_reason_has_a_part_of_the_runbook_where_it_is_said_to_be() -> None:
    text = (ROOT / RUNBOOK).read_text(encoding="utf-8")
    assert re.findall(r"^### (\w+)$", text, re.MULTILINE) == [reason.value for reason in TrustReason]
    assert {reason.value.lower() for reason in TrustReason} <= anchors(text)
