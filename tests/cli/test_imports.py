import pytest

from lms.cli.import_learning import Report
from lms.cli.imports import told
from lms.cli.records import BadLine

BAD = BadLine(2, "note: must not be empty")


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (Report(lines=2, unchanged=2), "nothing changed: all of it was there"),
        (Report(lines=1, bad_lines=[BAD]), "nothing changed: every line was bad"),
        (Report(lines=2, unchanged=1, bad_lines=[BAD]), "nothing changed: what was good in it was there"),
        (Report(), "nothing changed: there are no lines"),
    ],
    ids=["read before", "all bad", "partly bad", "empty"],
)
def test_an_import_that_changed_nothing_says_why(report, said):
    assert said in told(report).splitlines()


def test_an_import_that_changed_something_says_what():
    report = Report(lines=2, logged=1, bad_lines=[BAD])
    assert told(report).splitlines() == ["lines: 2", "logged: 1", "unchanged: 0", "line 2: note: must not be empty"]


def test_many_bad_lines_are_counted_and_the_first_are_told():
    report = Report(lines=30, bad_lines=[BadLine(line, "not JSON") for line in range(1, 31)])
    assert told(report).splitlines()[-2:] == ["line 20: not JSON", ".. and 10 more bad lines (all with --json)"]
