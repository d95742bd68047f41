"""`admit()` answers the table of cases."""

from collections import Counter

import pytest

from aicost.domain.policy.admit import admit
from support.admission_cases import CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_table_of_cases_is_answered(case):
    decision = admit(case.snapshot, case.request(), case.now_ms)
    found = tuple(problem.code for problem in decision.problems)
    written = tuple((change.path, change.label, change.value) for change in decision.changes)
    assert (decision.verdict, found, written) == (case.verdict, case.codes, case.changes), decision
    assert decision.revision == case.world.revision


def test_each_case_has_a_name_of_its_own():
    assert [name for name, count in Counter(case.name for case in CASES).items() if count > 1] == []
