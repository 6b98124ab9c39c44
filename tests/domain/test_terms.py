from datetime import date, timedelta
from uuid import UUID

import pytest

from domain.world import DAY
from lms.domain.base import Malformed
from lms.domain.terms import (
    LONGEST_LAG_DAYS,
    MOST,
    Summary,
    check_count,
    check_lag,
    check_needs,
    check_not_in_future,
    check_text,
    check_window,
)

WEEK = {"start": DAY - timedelta(days=7), "end": DAY}


def week(**figures):
    return Summary(**WEEK | {"value": 3, "n": 9} | figures)


@pytest.mark.parametrize(
    ("check", "arguments"),
    [
        (check_text, (None, "/note")),
        (check_text, ("a" * 10_000, "/note")),
        (check_count, (None, "/n")),
        (check_count, (1, "/n")),
        (check_count, (MOST, "/n")),
        (check_lag, (None, "/lag")),
        (check_lag, (0, "/lag")),
        (check_lag, (LONGEST_LAG_DAYS, "/lag")),
        (check_not_in_future, (DAY, DAY, "/on")),
        (check_needs, ((),)),
        (check_window, (week(), DAY, "")),
    ],
)
def test_what_makes_sense_passes(check, arguments):
    assert check(*arguments) is None


@pytest.mark.parametrize(
    ("check", "arguments", "pointer"),
    [
        (check_text, (" ", "/note"), "/note"),
        (check_text, ("a" * 10_001, "/note"), "/note"),
        (check_count, (0, "/n"), "/n"),
        (check_count, (MOST + 1, "/n"), "/n"),
        (check_lag, (-1, "/lag"), "/lag"),
        (check_lag, (LONGEST_LAG_DAYS + 1, "/lag"), "/lag"),
        (check_not_in_future, (DAY + timedelta(days=1), DAY, "/on"), "/on"),
        (check_needs, ([UUID(int=1)],), "/need_ids"),
        (check_window, (week(start=date(2027, 1, 1)), DAY, ""), "/end"),
        (check_window, (week(), DAY - timedelta(days=1), ""), "/end"),
        (check_window, (week(n=0), DAY, ""), "/n"),
        (check_window, (week(spread=-1), DAY, "/before"), "/before/spread"),
    ],
)
def test_what_cannot_be_is_pointed_at(check, arguments, pointer):
    with pytest.raises(Malformed) as refused:
        check(*arguments)
    assert refused.value.facts["pointer"] == pointer
