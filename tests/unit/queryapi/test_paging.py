"""Long answers in pages: all of one answer, each row once, and 410 where that answer cannot be given any more."""

import base64
import json

import pytest

from aicost.domain.ledger.rows import Bucket
from aicost.entrypoints.queryapi.asking import Form
from aicost.entrypoints.queryapi.paging import LONGEST_MS, Page, Pages, Token
from aicost.entrypoints.queryapi.statuses import Refusal
from support.ledger_rows import HOUR_0, hour, make_holder, make_posting, make_row

ROOT = "/apis/query.aicost.dev/v1alpha1"
ALL = f"{ROOT}/allocations"
WINDOW = f"window={HOUR_0}&by=namespace,pod"
TABLE = {"X-Remote-User": "a", "Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
PODS = 7


@pytest.fixture(autouse=True)
def _filled(served):
    held = [make_row(1_000 * at + 1, holder=make_holder("team-a", f"p-{at}")) for at in range(PODS)]
    served.ledger.post(make_posting(*held, make_row(5, bucket=Bucket.UNALLOCATED)))


async def pages(served, path, **more):
    """All pages, until none follows."""
    found, follows = [], ""
    while True:
        answer = await served.get(f"{path}{follows}", **more)
        assert answer.status == 200, answer.body
        found.append(answer.body)
        token = answer.body.get("metadata", answer.body).get("continue")
        if token is None:
            return found
        follows = f"&continue={token}"


async def test_pages_put_together_are_the_whole_answer_row_by_row(served):
    whole = (await served.get(f"{ALL}?{WINDOW}")).body
    found = await pages(served, f"{ALL}?{WINDOW}&limit=3")
    assert [len(page["items"]) for page in found] == [3, 3, 1]
    assert [page["metadata"].get("remainingItemCount") for page in found] == [4, 1, None]
    assert [item for page in found for item in page["items"]] == whole["items"]
    assert {json.dumps(page["totals"]) for page in found} == {json.dumps(whole["totals"])}


async def test_a_table_comes_in_pages_with_its_total_in_the_last_one(served):
    whole = (await served.get(f"{ALL}?{WINDOW}", headers=TABLE)).body
    found = await pages(served, f"{ALL}?{WINDOW}&limit=4", headers=TABLE)
    assert len(found) > 1
    assert [row for page in found for row in page["rows"]] == whole["rows"]
    assert {page["kind"] for page in found} == {"Table"}


async def test_a_report_document_comes_in_pages_where_its_client_asks_for_that(served):
    path = f"{ALL}?{WINDOW}&format=report"
    whole = (await served.get(path)).body
    found = await pages(served, f"{path}&chunk=2")
    assert [len(page["reports"][0]["rows"]) for page in found] == [2, 2, 2, 1]
    assert [row for page in found for row in page["reports"][0]["rows"]] == whole["reports"][0]["rows"]


async def test_what_is_posted_between_two_pages_changes_neither(served):
    first = (await served.get(f"{ALL}?window=30d&by=pod&limit=3")).body
    token = first["metadata"]["continue"]
    late = make_row(10_000_000, window=hour(1), holder=make_holder("team-a", "late-0"))
    served.ledger.post(make_posting(late, window=hour(1)))
    second = (await served.get(f"{ALL}?window=30d&by=pod&limit=9&continue={token}")).body
    names = [item["keys"]["pod"] for page in (first, second) for item in page["items"]]
    assert len(set(names)) == len(names) == PODS
    assert "late-0" not in names


def document(count, word="a"):
    return {"metadata": {}, "items": [f"{word}{number}" for number in range(count)]}


def a_page(rows=2, token=None, question="q"):
    return Page(Form.LIST, question, rows, token)


def token_of(answer):
    return Token.read(answer["metadata"]["continue"])


def test_another_replica_goes_on_where_it_would_have_said_the_same_and_else_the_token_has_expired():
    moments = []

    def same(at_ms):
        moments.append(at_ms)
        return document(5)

    token = token_of(Pages().answer(a_page(), 1_000, same))
    assert Pages().answer(a_page(token=token), 2_000, same)["items"] == ["a2", "a3"]
    assert moments == [1_000, 1_000]
    with pytest.raises(Refusal, match="has expired") as refused:
        Pages().answer(a_page(token=token), 2_000, lambda _: document(5, "b"))
    assert refused.value.code == 410


@pytest.mark.parametrize("now_ms", [1_000 + LONGEST_MS + 1, 999])
def test_a_token_is_good_for_five_minutes(now_ms):
    kept = Pages()
    token = token_of(kept.answer(a_page(), 1_000, lambda _: document(5)))
    with pytest.raises(Refusal, match="has expired"):
        kept.answer(a_page(token=token), now_ms, lambda _: document(5))


def test_a_token_of_another_question_gives_nothing_of_that_answer():
    kept = Pages()
    token = token_of(kept.answer(a_page(), 1_000, lambda _: document(5, "secret")))
    with pytest.raises(Refusal, match="has expired"):
        kept.answer(a_page(token=token, question="other"), 1_000, lambda _: document(5, "own"))


def test_what_is_remembered_has_a_bound_and_a_long_answer_is_cut_right_anywhere():
    kept = Pages(most_bytes=20_000)
    for word in "abcdef":
        kept.answer(a_page(question=word), 1_000, lambda _, word=word: document(5_000, word))
    assert len(kept._kept) < 6
    whole = document(1_703)["items"]
    found, token = [], None
    while token is None or token.offset < len(whole):
        answer = kept.answer(a_page(333, token), 1_000, lambda _: document(1_703))
        found += answer["items"]
        if "continue" not in answer["metadata"]:
            break
        token = token_of(answer)
    assert found == whole


@pytest.mark.parametrize(
    "token", ["x", base64.urlsafe_b64encode(b"[1]").decode(), base64.urlsafe_b64encode(b'[1,"a",-5]').decode()]
)
async def test_what_is_no_token_is_refused_and_one_of_before_is_gone_in_kubernetes_words(served, token):
    refused = await served.get(f"{ALL}?{WINDOW}&limit=2&continue={token}")
    assert (refused.status, refused.body["reason"]) == (400, "BadRequest")
    old = Token(0, "0" * 32, 2).written()
    gone = await served.get(f"{ALL}?{WINDOW}&limit=2&continue={old}")
    assert (gone.status, gone.body["reason"], gone.body["code"]) == (410, "Expired", 410)


async def test_a_page_size_that_is_none_is_refused(served):
    assert (await served.get(f"{ALL}?{WINDOW}&limit=some")).status == 400
    assert (await served.get(f"{ALL}?{WINDOW}&format=report&chunk=-1")).status == 400
