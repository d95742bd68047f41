"""A message as text for chats and mail. What people wrote in it is shown and does nothing.

Two layers, since each service reads markup of its own: `tame` takes the power from what any of them would read as a
mention or a link, and `_commonmark` escapes what is markup where Markdown is asked for.
"""

import re
import unicodedata
from enum import StrEnum

from aicost.domain.budgets.messages.values import Message

MOST_TITLE = 200
_MOST = {"Who": 300, "What": 1000, "Next": 500}
_MOST_COMMAND = 300
_MOST_LINK = 250
_SHARES = (1, 2, 4, 8, 16, 32)
_BREAK = "\u200b"
_PAGES = "docs/runbooks/"
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_POWERFUL = re.compile(
    r"<(?=\S)"  # <!channel>, <@U1>, <http://x|text>, <img>
    r"|\](?=[(\[:])"  # [text](address)
    r"|:(?=//)"  # https://
    r"|\bwww(?=\.)"
    r"|(?<![\w.+-])@(?=\w)"  # @somebody, and not the @ of an address
    r"|&(?=#?\w{1,32};)"  # &lt;!channel&gt;, which some turn back
    r"|@(?=(?:everyone|here|channel|all)\b)",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"([\\`*\[\]<>~|]|(?<!\w)_|_(?!\w))")
"""What is markup within a line. Ours begin with a label, so no list or heading begins in them."""
_LINK = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/%?&=#+,;-]*)?")


class Form(StrEnum):
    """What a service reads."""

    PLAIN = "plain"
    MARKDOWN = "markdown"


def title_of(message: Message, form: Form) -> str:
    """The title in one line."""
    return _text(tame(message.title, MOST_TITLE), form)


def body_of(message: Message, form: Form, most: int, runbook_base: str = "") -> str:
    """Who, what, what comes next, how to stop it and where to read on.

    Where a service takes less, the sentences are cut. A command never is: half of it would do something else.

    Args:
        message: what to tell.
        form: what the service reads.
        most: characters that it takes.
        runbook_base: what stands before the page to read on.
    """
    bodies = (_body(message, form, share, runbook_base) for share in _SHARES)
    return next((text for text in bodies if len(text) <= most), _body(message, form, _SHARES[-1], runbook_base))


def runbook_of(message: Message, runbook_base: str) -> str:
    """Where to read on: a page of ours behind the base of the settings, or the address that the budget gives."""
    return f"{runbook_base}{message.runbook}" if message.runbook.startswith(_PAGES) else message.runbook


def tame(text: str, most: int) -> str:
    """One line of what people wrote: no hidden characters, nothing that links or mentions, and not too long."""
    line = _shown(text)
    cut = line if len(line) <= most else f"{line[: most - 1].rstrip()}…"
    return _POWERFUL.sub(lambda found: found[0] + _BREAK, cut)


def _shown(text: str) -> str:
    """One line without characters that nobody sees."""
    return " ".join("".join(" " if unicodedata.category(one) in _HIDDEN else one for one in text).split())


def _body(message: Message, form: Form, share: int, runbook_base: str) -> str:
    lines = []
    for label, text in message.lines:
        if label == "To stop it":
            lines.append(f"{_label(f'{label}:', form)} {_command(text)}")
        elif label == "Runbook":
            lines.append(f"{_label(label, form)} {_address(runbook_of(message, runbook_base), form)}")
        else:
            lines.append(f"{_label(label, form)} {_text(tame(text, _MOST[label] // share), form)}")
    return ("\n\n" if form is Form.MARKDOWN else "\n").join(lines)


def _label(label: str, form: Form) -> str:
    return f"**{label}**" if form is Form.MARKDOWN else label


def _text(text: str, form: Form) -> str:
    return _commonmark(text) if form is Form.MARKDOWN else text


def _commonmark(text: str) -> str:
    """Each character that CommonMark could read as markup stands for itself."""
    return _MARKUP.sub(r"\\\1", text)


def _command(text: str) -> str:
    """A command to copy, as code in each form: chats of plain text, too, leave alone what stands in it."""
    line = _shown(text).replace("`", "'")
    return f"`{line}`" if len(line) <= _MOST_COMMAND else "the command is too long for a message; the runbook has it"


def _address(text: str, form: Form) -> str:
    """A link, where it is a plain web address that shows where it leads; else words."""
    if _LINK.fullmatch(text) and len(text) <= _MOST_LINK:
        return f"[{_commonmark(text)}]({text})" if form is Form.MARKDOWN else text
    return _text(tame(text, _MOST_LINK), form)
