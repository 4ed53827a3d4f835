"""Log lines for machines (JSON) and for people (text): the message names the event, ``extra`` carries the ids.

``logger.info("wave.frozen", extra={"wave": 7, "deliveries": 214})``
"""

import json
import logging
from datetime import UTC, datetime
from typing import Any

STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "request",
    "server_time",
}


def extra_fields(record: logging.LogRecord) -> dict[str, Any]:
    """What the caller passed as ``extra``."""
    return {name: value for name, value in vars(record).items() if name not in STANDARD_FIELDS}


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time (UTC, ISO 8601), level, logger, event, the extra fields, the traceback if any."""

    def format(self, record: logging.LogRecord) -> str:
        """Return ``record`` as one line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **extra_fields(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """``12:00:01 INFO cascade.engine wave.frozen wave=7 deliveries=214``."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s", datefmt="%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line with the extra fields behind it."""
        fields = " ".join(f"{name}={value}" for name, value in extra_fields(record).items())
        return " ".join(filter(None, [super().formatMessage(record), fields]))
