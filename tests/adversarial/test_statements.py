"""Names of strangers in a statement: whatever they are, they stay text in each form."""

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

from aicost.domain.ledger.rows import Bucket
from aicost.entrypoints.cli.output.statement.markdown import as_markdown, escaped
from aicost.entrypoints.cli.output.statement.page import as_page
from aicost.entrypoints.cli.output.statement.screen import as_screen
from aicost.entrypoints.cli.output.statement.sheet import as_sheet
from aicost.entrypoints.cli.output.statement.view import view_of
from aicost.entrypoints.cli.terminal import Terminal
from aicost.usecases.build_statement import StatementRequest, build_statement
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import HOUR_0, hour, make_holder, make_posting, make_row

HOSTILE = [
    "=cmd|'/c calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "a\r\n=1,2",
    "<script>alert(1)</script>",
    "</td></table><img src=x onerror=alert(1)>",
    "]]><!--",
    "&lt;b&gt; &amp; '\"",
    "\u202egpj.exe",
    "\u2066a\u2069\u200f",
    "\x1b[31mred\x1b[0m\x07",
    "nul\x00 bell\x07 \x85 \ufffe",
    "| a | b |\n| --- |",
    "[click](javascript:alert(1)) ![x](http://evil/x.png)",
    "https://evil.example www.evil.example mail@evil.example",
    "**bold** _it_ `code` # head ~~s~~ $x$",
    "研究 équipe 🙂 " + "w" * 200,
    "\ud800 half",
    "untagged",
    "other",
    "{{7*7}} ${x} %s %(a)s",
]


def hostile_document(name, **options):
    """A statement in which a name stands everywhere: payer, labels, cluster, reason, pod."""
    holder = make_holder(name, name, {"app": name}, team=name, cost_center=name, model=name, feature=name)
    ledger = MemoryLedger()
    own = make_row(2_000_000_000, holder=holder, cluster=name)
    other = make_row(1_000_000_000, holder=make_holder(team="plain"), cluster=name, device="GPU-2")
    free = make_row(3_000_000_000, bucket=Bucket.UNALLOCATED, cluster=name, device="GPU-3")
    ledger.post(make_posting(own, other, free, cluster=name))
    change = make_row(-7, gpu_ms=0, holder=holder, cluster=name, revision=1, reason=name)
    ledger.post(make_posting(change, revision=1, cluster=name))
    request = StatementRequest(str(HOUR_0), by=("label:app", "team", "pod"), shared="cost", **options)
    document = build_statement(ledger, request, hour(5).end_ms, ledgers=[{"place": name, "version": 1}])
    return json.loads(json.dumps(document))


@pytest.fixture(params=HOSTILE, ids=[f"{index}" for index in range(len(HOSTILE))])
def name(request):
    return request.param


@pytest.fixture(params=["one", "each"])
def document(request, name):
    if request.param == "one":
        return hostile_document(name, payer={"team": name})
    return hostile_document(name, per="team")


class Tags(HTMLParser):
    """The tags and attributes that a browser would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {key for key, _ in attrs}

    def handle_data(self, data):
        self.texts.append(data)


OUR_TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section", "h1", "h2", "h3", "p"),
    *("div", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td", "bdi", "span", "svg", "rect", "text"),
}


def test_a_page_holds_our_tags_alone_and_is_well_formed(document):
    page = as_page(view_of(document))
    ET.fromstring(page)
    seen = Tags()
    seen.feed(page)
    assert seen.tags <= OUR_TAGS
    assert not {one for one in seen.attributes if one.startswith("on") or one in {"src", "href", "style"}}
    assert "default-src 'none'" in page


def test_no_form_holds_control_characters_or_marks_that_turn_the_direction(document):
    view = view_of(document)
    for text in (as_page(view), as_markdown(view), as_screen(view, Terminal())):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", text)
        text.encode("utf-8", "surrogatepass" if "\ud800" in text else "strict")


def test_no_cell_of_a_sheet_is_a_formula(document):
    text = as_sheet(document)
    rows = list(csv.reader(io.StringIO(text)))
    width = len(rows[0])
    assert all(len(row) == width for row in rows), "no name breaks a row"
    for row in rows[1:]:
        for cell in row:
            if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
                assert re.fullmatch(r"-[0-9]+(\.[0-9]+)?", cell), cell


def test_each_line_of_markdown_tables_has_its_columns_alone(document):
    text = as_markdown(view_of(document))
    table: list[int] = []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            table.append(len(re.findall(r"(?<!\\)\|", line)))
        elif table:
            assert len(set(table)) == 1, table
            table = []
    assert "<" not in text.replace("&lt;", "")
    assert not re.search(r"(?<!\\)[\[\]`]", text)
    assert "http:" not in text
    assert "https:" not in text


def test_the_sums_do_not_hang_on_the_name(document, name):
    (part,) = document["parts"]
    books = part["reconciliation"]
    total = sum(account["total_nanos"] for account in part["accounts"])
    assert total + books["others_nanos"] + books["left_nanos"] == books["ledger_nanos"] == 6_000_000_000 - 7
    assert re.fullmatch(r"[0-9a-z-]+", document["number"])


def test_markdown_keeps_what_is_harmless():
    assert escaped("team-a 研究 4.2%") == "team-a 研究 4.2%"
    assert escaped("a|b_c<d>") == "a\\|b\\_c&lt;d&gt;"


def test_a_thousand_teams_have_a_page_of_bounded_bars():
    ledger = MemoryLedger()
    rows = [make_row(index + 1, holder=make_holder(team=f"t-{index}"), device=f"GPU-{index}") for index in range(1_000)]
    ledger.post(make_posting(*rows))
    document = build_statement(ledger, StatementRequest(str(HOUR_0), per="team"), hour(5).end_ms)
    page = as_page(view_of(document))
    assert page.count("<rect") < 30
    assert "The 12 largest of 1000." in page


def test_negative_and_huge_amounts_are_shown_and_add_up():
    ledger = MemoryLedger()
    ledger.post(
        make_posting(
            make_row(-(10**18), gpu_ms=-5, holder=make_holder(team="a")),
            make_row(9 * 10**18, holder=make_holder(team="b"), device="GPU-2"),
            make_row(9 * 10**18, holder=make_holder(team="b"), device="GPU-3"),
            make_row(-5, bucket=Bucket.UNALLOCATED, device="GPU-4"),
        )
    )
    for rule in ("none", "cost", "gpu-hours", "even"):
        request = StatementRequest(str(HOUR_0), per="team", shared=rule)
        document = build_statement(ledger, request, hour(5).end_ms)
        books = document["parts"][0]["reconciliation"]
        assert books["stated_nanos"] + books["left_nanos"] == 17 * 10**18 - 5
        ET.fromstring(as_page(view_of(document)))
