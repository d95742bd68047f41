"""Messages read well, and what people wrote in them does nothing."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.adapters.notify.rendering import Form, body_of, runbook_of, tame, title_of
from support.notify import message

BREAK = "\u200b"
PLENTY = 100_000


def test_a_message_says_who_what_what_next_how_to_stop_it_and_where_to_read_on():
    assert body_of(message(), Form.PLAIN, PLENTY).splitlines() == [
        "Who team research pays; jane answers for it",
        "What $804.00 of $1,000.00 are spent, 67 % of the month is gone",
        "Next FreezeGrowth opens at 100 %, on 2026-11-25 at this rate",
        "To stop it: `kubectl aicost budget request month -n research --amount 200 --reason '...'`",
        "Runbook docs/runbooks/budget-threshold.md",
    ]


def test_markdown_marks_the_labels_and_keeps_figures_and_names_as_they_are():
    page = "https://wiki.example/docs/runbooks/budget-threshold.md"
    text = body_of(message(who="team my_team-1 (cc-7) pays"), Form.MARKDOWN, PLENTY, "https://wiki.example/")
    assert text.split("\n\n") == [
        "**Who** team my_team-1 (cc-7) pays",
        "**What** $804.00 of $1,000.00 are spent, 67 % of the month is gone",
        "**Next** FreezeGrowth opens at 100 %, on 2026-11-25 at this rate",
        "**To stop it:** `kubectl aicost budget request month -n research --amount 200 --reason '...'`",
        f"**Runbook** [{page}]({page})",
    ]


def test_what_is_empty_is_left_out():
    assert body_of(message(next="", stop="", runbook=""), Form.PLAIN, PLENTY).count("\n") == 1


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("<!channel> pay up", f"<{BREAK}!channel> pay up"),
        ("<@U123|boss>", f"<{BREAK}@{BREAK}U123|boss>"),
        ("@everyone", f"@{BREAK}everyone"),
        ("x@here", f"x@{BREAK}here"),
        ("(@jane)", f"(@{BREAK}jane)"),
        ("jane@example.com", "jane@example.com"),
        ("[free money](http://evil.example)", f"[free money]{BREAK}(http:{BREAK}//evil.example)"),
        ("[a][b]", f"[a]{BREAK}[b]"),
        ("<https://evil.example|docs>", f"<{BREAK}https:{BREAK}//evil.example|docs>"),
        ("WWW.evil.example", f"WWW{BREAK}.evil.example"),
        ("<img src=x onerror=y>", f"<{BREAK}img src=x onerror=y>"),
        ("&lt;!channel&gt; &#60;", f"&{BREAK}lt;!channel&{BREAK}gt; &{BREAK}#60;"),
        ("5 < 6 at 10:00 & more", "5 < 6 at 10:00 & more"),
        ("two\nlines\r\n\tand more", "two lines and more"),
        ("\u202egpj.exe\u2066", "gpj.exe"),
        ("nul\x00byte\x1b[31m", "nul byte [31m"),
        ("line\u2028break", "line break"),
    ],
)
def test_mentions_links_and_hidden_characters_lose_their_power(hostile, harmless):
    assert tame(hostile, 200) == harmless


def test_markup_is_escaped_where_markdown_is_read():
    text = body_of(message(who="*b* _i_ `c` ~s~ ||p|| [x] <b> \\ a_b"), Form.MARKDOWN, PLENTY)
    assert text.split("\n\n")[0] == (rf"**Who** \*b\* \_i\_ \`c\` \~s\~ \|\|p\|\| \[x\] \<{BREAK}b\> \\ a_b")


def test_long_texts_are_cut_and_say_so():
    assert tame("x" * 500, 10) == "x" * 9 + "…"
    assert len(title_of(message(title="x" * 5000), Form.PLAIN)) == 200


@pytest.mark.parametrize("most", [4000, 2000, 1000])
@pytest.mark.parametrize("form", Form)
def test_a_message_fits_where_little_is_taken_and_its_command_stays_whole(form, most):
    long = message(who="*" * 900, what="<" * 9000, next="`" * 900, stop="kubectl " + "x" * 280)
    text = body_of(long, form, most, "https://wiki.example/")
    assert len(text) <= most
    assert f"`kubectl {'x' * 280}`" in text
    assert "https://wiki.example/docs/runbooks/budget-threshold.md" in text


def test_a_command_that_is_too_long_is_left_out_rather_than_cut():
    text = body_of(message(stop="kubectl delete " + "x" * 900), Form.PLAIN, PLENTY)
    assert "kubectl delete" not in text
    assert "the command is too long for a message; the runbook has it" in text


def test_a_command_is_copied_as_it_stands_and_cannot_leave_its_quotes():
    text = body_of(message(stop="kubectl annotate budget b 'aicost.dev/x=*=@me'"), Form.MARKDOWN, PLENTY)
    assert "`kubectl annotate budget b 'aicost.dev/x=*=@me'`" in text
    assert "`kubectl 'x' y`" in body_of(message(stop="kubectl `x`\ny"), Form.MARKDOWN, PLENTY)


@pytest.mark.parametrize(
    "address", ["https://wiki.example/a_b/c.md#top", "http://wiki:8080/", "https://wiki.example/?q=1&r=2"]
)
def test_the_page_that_a_budget_gives_is_a_link_that_shows_where_it_leads(address):
    assert f"]({address})" in body_of(message(runbook=address), Form.MARKDOWN, PLENTY)
    assert body_of(message(runbook=address), Form.PLAIN, PLENTY).endswith(f"Runbook {address}")


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "https://good.example@evil.example/",
        "https://evil.example/) [x](y",
        "https://evil.example/<!channel>",
        "https://evil.example/\u202e",
        "docs/runbooks/](https://evil.example)",
        "https://evil.example/" + "x" * 500,
    ],
)
@pytest.mark.parametrize("form", Form)
def test_what_is_no_plain_web_address_is_no_link(form, address):
    text = body_of(message(runbook=address), form, PLENTY)
    assert "](" not in text
    assert not re.search(r"https?://", text)
    assert "<!" not in text


def test_only_pages_of_ours_stand_behind_the_base_of_the_settings():
    assert runbook_of(message(), "https://w/") == "https://w/docs/runbooks/budget-threshold.md"
    assert runbook_of(message(runbook="https://own.example/"), "https://w/") == "https://own.example/"


@given(st.text(max_size=400))
def test_whatever_people_write_is_one_line_without_power(text):
    shown = tame(text, 300)
    assert "\n" not in shown
    assert not re.search(r"<\S(?<!\u200b)|\]\(|://|@(everyone|here|channel)", shown)
    assert len(shown.replace(BREAK, "")) <= 300
