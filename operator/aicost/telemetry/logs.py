"""Log lines: one JSON object or one readable line per event, with fields, never with secrets."""

import json
import logging
import sys
from datetime import UTC, datetime

FIELDS = "fields"
"""Name of the record's attribute that carries the fields of a line."""


class JsonFormatter(logging.Formatter):
    """One JSON object per line: at, level, logger, message and the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Render a record."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class TextFormatter(logging.Formatter):
    """`10:00:00 info  message  key=value` for people."""

    def format(self, record: logging.LogRecord) -> str:
        """Render a record."""
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        fields = "".join(f"  {key}={value}" for key, value in getattr(record, FIELDS, {}).items())
        text = f"{at} {record.levelname.lower():7} {record.getMessage()}{fields}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


def configure_logs(level: str, form: str) -> None:
    """Send all logs of the process to standard error in one format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("kopf").setLevel(max(logging.WARNING, root.level))
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)


def line(logger: logging.Logger, level: int, message: str, **fields: object) -> None:
    """Log one event with its fields."""
    logger.log(level, message, extra={FIELDS: fields})
