"""What others bill, by the query API: with the cluster, and within a namespace or a team only what is theirs."""

import pytest

from aicost.domain.exact.windows import DAY_MS, Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.thirdparty.lines import Mapped, SpendLine
from aicost.usecases.economics.spend.post_bill import PostBill
from support.ledger_rows import HOUR_0, make_holder, make_posting, make_row

ROOT = "/apis/query.aicost.dev/v1alpha1"
DAY = Window(HOUR_0.start_ms // DAY_MS * DAY_MS - DAY_MS, HOUR_0.start_ms // DAY_MS * DAY_MS)
WINDOW = f"window={Window(DAY.start_ms, DAY.end_ms + DAY_MS)}"
MAPPED = Mapped({"workspace": Dimension.TEAM}, {("namespace", "w-1"): "team-a"}, frozenset({"workspace"}))


@pytest.fixture(autouse=True)
def _filled(served):
    served.ledger.post(make_posting(make_row(3_000, holder=make_holder("team-a", "chat-0", team="vision"))))
    lines = [
        SpendLine(DAY, "anthropic", cost * 10**9, "USD", tags={"workspace": workspace})
        for cost, workspace in ((500, "w-1"), (70, "secret-lab"))
    ]
    list(PostBill("anthropic", served.ledger, served.ledger)(lines, MAPPED))


async def totals(served, path):
    answer = await served.get(f"{ROOT}/{path}")
    assert answer.status == 200
    return [total.get("costNanos") for total in answer.body["totals"]], str(answer.body)


async def test_the_whole_cluster_has_it(served):
    assert (await totals(served, f"allocations?{WINDOW}&by=component"))[0] == [3_570]


async def test_a_namespace_has_what_a_rule_gives_it_and_no_more(served):
    found, text = await totals(served, f"namespaces/team-a/allocations?{WINDOW}&by=component,provider")
    assert found == [3_500]
    for trick in ("filter=cluster=anthropic", "by=label:workspace", "filter=component=api", "by=team&idle=weighted"):
        _, text = await totals(served, f"namespaces/team-a/allocations?{WINDOW}&{trick}")
        assert "secret-lab" not in text
    assert (await totals(served, f"namespaces/team-b/allocations?{WINDOW}"))[0] == [None]


async def test_a_team_has_its_own_in_all_namespaces(served):
    assert (await totals(served, f"teams/w-1/allocations?{WINDOW}&by=component"))[0] == [500]
    assert (await totals(served, f"teams/secret-lab/allocations?{WINDOW}&by=component"))[0] == [70]
