"""How far labels have come, as a status."""

import json
from fractions import Fraction

from aicost.crd.convert.policies import label_policy
from aicost.crd.models.policy.status import CostLabelPolicyStatus
from aicost.crd.status.policies import Enforcement, KeyStanding, Offence, PolicyAudit, policy_status
from aicost.crd.status.reports import Freshness
from support.builders import T0
from support.crd_samples import FULL, resource

POLICY = label_policy(resource("CostLabelPolicy", "labels", FULL["CostLabelPolicy"])).value
FRESH = Freshness(generation=3, now_ms=T0 + 1_500, data_through_ms=None)
AUDIT = PolicyAudit(
    at_ms=T0,
    by_cost=Fraction(899_999_999, 1_000_000_000),
    objects=100,
    labelled=41,
    keys=(KeyStanding("team", Fraction(1), 100, 100), KeyStanding("cost-center", None, 0, 0)),
    would_deny=59,
    offences=(Offence("research", "Job", "tune", ("team is missing",), "jane", 1_500_000_000, "USD"),),
    level=0,
    stage="walk",
    next_step="Label namespace research.",
)


def _status(audit=AUDIT, enforcement=None):
    return policy_status(POLICY, audit=audit, enforcement=enforcement, freshness=FRESH, conditions=[])


def test_coverage_stands_there_for_people_and_exactly_and_is_never_rounded_up_to_the_line():
    status = _status()
    assert status["summary"] == {"coverage": "90.0%", "objects": "41.0%", "level": "0 (walk)"}
    coverage = status["coverage"]
    assert (coverage["byCostPpm"], coverage["objects"], coverage["labelled"]) == (899_999, 100, 41)
    assert coverage["keys"][0]["byCost"] == "100.0%"
    assert (status["wouldDeny"], status["keys"]) == (59, 3)


def test_a_share_of_nothing_is_not_known_and_not_zero():
    key = _status()["coverage"]["keys"][1]
    assert key == {"key": "cost-center", "objects": 0, "labelled": 0}


def test_before_the_first_look_nothing_is_said_of_coverage():
    status = _status(audit=None)
    assert not status.keys() & {"summary", "coverage", "wouldDeny", "topOffenders", "maturity", "auditedAt"}
    assert status["observedGeneration"] == 3


def test_a_level_that_cannot_be_assessed_is_a_question():
    status = _status(PolicyAudit(T0, None, 0, 0, stage="crawl"))
    assert status["summary"]["level"] == "? (crawl)"
    assert status["maturity"] == {"stage": "crawl"}
    assert "byCost" not in status["coverage"]


def test_offenders_are_cut_at_twenty_and_name_their_cost_where_it_is_known():
    many = tuple(Offence("a", "Job", f"j-{place}", ("team is missing",)) for place in range(30))
    status = _status(PolicyAudit(T0, None, 30, 0, offences=AUDIT.offences + many))
    first, second = status["topOffenders"][:2]
    assert len(status["topOffenders"]) == 20
    assert (first["owner"], first["monthlyCost"], first["monthlyCostNanos"]) == ("jane", "$1.50", 1_500_000_000)
    assert second == {"namespace": "a", "kind": "Job", "name": "j-0", "problems": ["team is missing"]}


def test_the_engine_that_judges_and_what_it_cannot_judge_stand_there():
    status = _status(enforcement=Enforcement("vap", unsupported=(("spec.uses[0]", "no model"),), revision="5f2c"))
    assert (status["engineInUse"], status["revision"]) == ("vap", "5f2c")
    assert status["unsupportedByVap"] == [{"field": "spec.uses[0]", "reason": "no model"}]
    assert "engineInUse" not in _status()


def test_a_status_is_what_the_schema_says():
    status = _status(enforcement=Enforcement("webhook"))
    assert json.loads(json.dumps(status)) == status
    CostLabelPolicyStatus.model_validate(status, strict=False)
    known = {field.alias for field in CostLabelPolicyStatus.model_fields.values()}
    assert status.keys() <= known
