"""Secrets from files: read at each use, so that they can be rotated, and never told."""

from pathlib import Path

from aicost.ports.errors import NotifyFailed

_MOST_BYTES = 8192


def read_secret(route: str, what: str, path: Path) -> str:
    """The one line that a file holds.

    Args:
        route: name of the route, for the message.
        what: setting that names the file, for the message.
        path: the file.

    Raises:
        NotifyFailed: it is not there, or it holds something else; the message names route and file, never its text.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES + 1).decode("ascii").strip()
    except OSError as error:
        raise NotifyFailed(
            f"route {route}: {what} {path} cannot be read ({error.strerror}): mount the Secret that has it"
        ) from None
    except UnicodeDecodeError:
        text = ""
    if not text or len(text) > _MOST_BYTES or not text.isprintable():
        raise NotifyFailed(f"route {route}: {what} {path} must hold one line of plain text: mend the Secret")
    return text
