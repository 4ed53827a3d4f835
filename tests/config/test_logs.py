"""Log lines carry an event name and ids, for machines and for people."""

import json
import logging

from config.logs import JsonFormatter, TextFormatter


def record(**extra):
    made = logging.LogRecord("cascade.engine", logging.INFO, __file__, 1, "wave.frozen", (), None)
    made.created = 1_763_900_000.25
    vars(made).update(extra)
    return made


def test_json_formatter_when_extra_is_given_writes_one_object():
    line = JsonFormatter().format(record(wave=7, deliveries=214))
    assert json.loads(line) == {
        "time": "2025-11-23T12:13:20.250+00:00",
        "level": "info",
        "logger": "cascade.engine",
        "event": "wave.frozen",
        "wave": 7,
        "deliveries": 214,
    }
    assert "\n" not in line


def test_json_formatter_when_something_was_raised_adds_the_traceback():
    try:
        raise ValueError("no such lane")
    except ValueError as error:
        failed = record(exc_info=(type(error), error, error.__traceback__))
    line = json.loads(JsonFormatter().format(failed))
    assert line["traceback"].endswith("ValueError: no such lane")


def test_text_formatter_when_extra_is_given_puts_it_behind_the_event():
    assert TextFormatter().format(record(wave=7)).endswith(" INFO cascade.engine wave.frozen wave=7")
