"""`aicost rerate`: what other prices change, shown and posted."""

import json

import pytest

from support.receipts import Kept, hours, inputs

WINDOW = "2026-11-25T10:00:00Z/2026-11-25T13:00:00Z"
BOOK = """
apiVersion: aicost.dev/v1alpha1
kind: PriceBook
metadata: {name: invoice}
spec:
  currency: USD
  entries:
  - name: h100
    match: {gpuModel: h100-80gb}
    perGpuHour: "3.00"
"""


@pytest.fixture
def kept(tmp_path):
    found = Kept(tmp_path / "ledger")
    for count in (0, 1):
        found.post(inputs(window=hours(count)))
    return found


@pytest.fixture
def rerate(run, kept, tmp_path):
    book = tmp_path / "book.yaml"
    book.write_text(BOOK)

    def call(*arguments):
        return run("rerate", "--ledger", str(kept.folder), "-w", WINDOW, "--prices", str(book), *arguments)

    return call


def gpu_nanos(run, kept):
    said = run("report", "--ledger", str(kept.folder), "--window", WINDOW, "--by", "pod", "-o", "json")
    (report,) = [one for one in json.loads(said.out)["reports"] if one["currency"]]
    return {row["keys"]["pod"]: row["cost_nanos"] for row in report["rows"]}


def test_looking_shows_what_each_namespace_would_pay_and_posts_nothing(rerate, kept):
    said = rerate()
    assert said.code == 0, said.err
    lines = [line.split() for line in said.out.splitlines()]
    assert ["team-a", "gpu", "book/h100", "invoice/h100", "$4.98", "$6.00", "+$1.02", "+20.5%"] in lines
    assert "2 of 2 closed windows change" in said.out
    assert "to post it, add --post" in said.out
    assert {row.revision for row in kept.ledger.rows(hours(0))} == {0}


def test_posting_changes_the_sums_and_the_receipt_is_equal(rerate, run, kept):
    posted = json.loads(rerate("--post", "-o", "json").out)
    assert (posted["posted"], posted["windows_changed"], posted["windows_left"]) == (True, 2, 0)
    assert gpu_nanos(run, kept)["train-0"] == 6_000_000_000
    receipt = run("explain", "team-a/train-0", "-w", WINDOW, "--ledger", str(kept.folder))
    assert receipt.out.endswith("replayed: equal\n"), receipt.out
    assert "price-change" in receipt.out


def test_posting_twice_is_posting_once(rerate):
    rerate("--post")
    again = json.loads(rerate("--post", "-o", "json").out)
    assert (again["windows_changed"], again["difference_rows"], again["changes"]) == (0, 0, [])
    assert "none costs anything else at these prices" in rerate().out


def test_windows_that_cannot_be_rated_are_told(rerate, kept):
    kept.post(inputs(window=hours(2)), keep=False)
    assert "1 as it is: no inputs were kept for revision 0" in " ".join(rerate().out.split())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--context", "x"), "--prices needs no cluster"),
        (("--cluster", "c9"), "--cluster: 'c9' has no rows in this ledger"),
        (("-w", "soon"), "--window: 'soon'"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_fix(rerate, arguments, told):
    refused = rerate(*arguments)
    assert refused.code == 2
    assert told in refused.err


def test_a_book_that_is_wrong_is_refused(rerate, tmp_path):
    (tmp_path / "book.yaml").write_text(BOOK.replace('"3.00"', "cheap"))
    assert rerate().code == 2


def test_without_files_the_books_of_the_cluster_are_used(on_a_server, kept):
    listed = json.dumps({"metadata": {"resourceVersion": "1"}, "items": []})
    said, requests = on_a_server(listed, 200, "rerate", "--ledger", str(kept.folder), "-w", WINDOW)
    assert [request.path for request in requests] == ["/apis/aicost.dev/v1alpha1/pricebooks"]
    assert said.code == 2
    assert "has no usable PriceBook" in said.err


def test_books_that_may_not_be_read_are_no_absent_books(on_a_server, kept):
    refusal = json.dumps({"kind": "Status", "code": 403, "reason": "Forbidden", "message": "cannot list pricebooks"})
    said, _ = on_a_server(refusal, 403, "rerate", "--ledger", str(kept.folder), "-w", WINDOW, "--post")
    assert said.code == 1
    assert "pricebooks" in said.err
