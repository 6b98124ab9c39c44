"""Does the log say what happened, in one form, and never what somebody wrote?"""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from lms import logs

Said = Callable[[], str]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Iterator[Said]:
    """What went to standard error; the tests' own logging is put back."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield lambda: capsys.readouterr().err
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def _lines(said: Said) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said().splitlines()]


def test_a_line_carries_what_is_bound_around_it(said: Said):
    logs.configure("json")

    with structlog.contextvars.bound_contextvars(request_id="r1", stream="s1"):
        structlog.get_logger("lms.test").info("appended", position=7)

    (line,) = _lines(said)
    assert {name: line[name] for name in ("event", "level", "request_id", "stream", "position")} == {
        "event": "appended", "level": "info", "request_id": "r1", "stream": "s1", "position": 7,
    }  # fmt: skip
    assert line["timestamp"].endswith("Z")


def test_what_people_wrote_and_secrets_are_withheld(said: Said):
    logs.configure("json")

    structlog.get_logger("lms.test").warning("refused", note="I am tired", email="a@b.c", token="t", id="x")

    (line,) = _lines(said)
    assert "tired" not in str(line)
    assert (line["note"], line["email"], line["token"], line["id"]) == (*["(withheld)"] * 3, "x")


def test_libraries_speak_in_the_same_form(said: Said):
    logs.configure("json")

    logging.getLogger("some.library").warning("%s is %s", "this", "odd")

    (line,) = _lines(said)
    assert (line["event"], line["logger"], line["level"]) == ("this is odd", "some.library", "warning")


def test_an_error_is_told_with_its_traceback_in_one_line(said: Said):
    logs.configure("json")

    try:
        int("wrong")
    except ValueError:
        structlog.get_logger("lms.test").exception("failed")

    (line,) = _lines(said)
    assert "ValueError: invalid literal" in line["exception"]


def test_below_the_level_nothing_is_said(said: Said):
    logs.configure("json", "warning")

    structlog.get_logger("lms.test").info("chatter")

    assert said() == ""


def test_away_from_a_terminal_auto_is_json_and_pretty_is_pretty(said: Said):
    logs.configure("auto")
    structlog.get_logger("lms.test").info("one")
    logs.configure("pretty")
    structlog.get_logger("lms.test").info("two")

    first, second = said().splitlines()
    assert json.loads(first)["event"] == "one"
    assert "two" in second
    assert not second.startswith("{")
