"""When does a period end, and who may close it?"""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.domain.base import SYSTEM, Actor, Malformed, Others
from lms.domain.calendar import (
    Calendar,
    ClosePeriod,
    NotTheTimer,
    Period,
    PeriodIsClosed,
    PeriodIsNotOver,
    PeriodKind,
    due_periods,
    first_day,
    handle,
    last_day,
)

WEEK, MONTH, QUARTER = PeriodKind
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
APIA = ZoneInfo("Pacific/Apia")
CALENDAR_ID = UUID(int=1)

kinds = st.sampled_from(PeriodKind)
days = st.dates(date(1990, 1, 1), date(2090, 1, 1))


def close(kind: PeriodKind, ends_on: date, today: date, actor: Actor = SYSTEM) -> ClosePeriod:
    return ClosePeriod(actor=actor, today=today, calendar_id=CALENDAR_ID, kind=kind, ends_on=ends_on)


def test_a_week_that_is_over_is_closed():
    calendar = handle(None, close(WEEK, date(2026, 3, 1), date(2026, 3, 2)), Others())
    assert calendar.pending_events == [Calendar.PeriodClosed(kind=WEEK, ends_on=date(2026, 3, 1))]


def test_a_period_is_closed_once_and_in_order():
    calendar = handle(None, close(WEEK, date(2026, 3, 8), date(2026, 4, 1)), Others())
    for ends_on in (date(2026, 3, 8), date(2026, 3, 1)):
        with pytest.raises(PeriodIsClosed):
            handle(calendar, close(WEEK, ends_on, date(2026, 4, 1)), Others())
    assert handle(calendar, close(WEEK, date(2026, 3, 15), date(2026, 4, 1)), Others()).closed_until == date(
        2026, 3, 15
    )


def test_a_period_is_not_closed_on_its_last_day():
    with pytest.raises(PeriodIsNotOver):
        handle(None, close(MONTH, date(2026, 2, 28), date(2026, 2, 28)), Others())


def test_no_period_ends_in_the_middle():
    with pytest.raises(Malformed):
        handle(None, close(QUARTER, date(2026, 2, 28), date(2026, 4, 1)), Others())


def test_people_do_not_close_periods():
    with pytest.raises(NotTheTimer):
        handle(None, close(WEEK, date(2026, 3, 1), date(2026, 3, 2), Actor()), Others())


@pytest.mark.parametrize(
    ("kind", "day", "first", "last"),
    [
        (WEEK, date(2026, 1, 1), date(2025, 12, 29), date(2026, 1, 4)),
        (WEEK, date(2026, 1, 4), date(2025, 12, 29), date(2026, 1, 4)),
        (MONTH, date(2028, 2, 3), date(2028, 2, 1), date(2028, 2, 29)),
        (MONTH, date(2027, 2, 3), date(2027, 2, 1), date(2027, 2, 28)),
        (QUARTER, date(2028, 2, 29), date(2028, 1, 1), date(2028, 3, 31)),
        (QUARTER, date(2026, 12, 31), date(2026, 10, 1), date(2026, 12, 31)),
    ],
)
def test_a_day_lies_in_its_week_month_and_quarter(kind, day, first, last):
    assert last_day(kind, day) == last
    assert first_day(kind, last) == first


@given(kinds, days)
def test_periods_cover_every_day_without_gap_or_overlap(kind: PeriodKind, day: date):
    last = last_day(kind, day)
    first = first_day(kind, last)
    assert first <= day <= last
    assert last_day(kind, first) == last
    assert last_day(kind, first - timedelta(days=1)) == first - timedelta(days=1)
    assert kind is not WEEK or last.isoweekday() == 7


def test_what_ends_together_closes_week_before_month_before_quarter():
    # 31 March 2030 is a Sunday.
    due = due_periods(date(2030, 3, 25), {}, datetime(2030, 4, 1, 12, tzinfo=UTC), AMSTERDAM)
    assert due == [Period(kind, date(2030, 3, 31)) for kind in (WEEK, MONTH, QUARTER)]


def test_what_was_missed_is_due_in_order():
    due = due_periods(
        date(2025, 1, 1),
        {WEEK: date(2026, 2, 15), MONTH: date(2026, 1, 31)},
        datetime(2026, 3, 3, tzinfo=UTC),
        AMSTERDAM,
    )
    assert [one for one in due if one.ends_on > date(2026, 2, 15)] == [
        Period(WEEK, date(2026, 2, 22)),
        Period(MONTH, date(2026, 2, 28)),
        Period(WEEK, date(2026, 3, 1)),
    ]
    assert [one.ends_on for one in due if one.kind is QUARTER] == [
        date(2025, 3, 31), date(2025, 6, 30), date(2025, 9, 30), date(2025, 12, 31)
    ]  # fmt: skip


def test_nothing_is_due_right_after_closing():
    closed = {WEEK: date(2026, 3, 1), MONTH: date(2026, 2, 28), QUARTER: date(2025, 12, 31)}
    assert due_periods(date(2025, 1, 1), closed, datetime(2026, 3, 2, tzinfo=UTC), AMSTERDAM) == []


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [
        # The clock goes forward on Sunday 29 March 2026 and back on Sunday 25 October 2026.
        (AMSTERDAM, datetime(2026, 3, 29, 22, tzinfo=UTC)),
        (AMSTERDAM, datetime(2026, 10, 25, 23, tzinfo=UTC)),
        # In Lebanon the clock goes back at midnight: Sunday 25 October 2026 begins an hour later.
        (ZoneInfo("Asia/Beirut"), datetime(2026, 10, 25, 22, tzinfo=UTC)),
        (APIA, datetime(2026, 3, 1, 11, tzinfo=UTC)),
    ],
)
def test_a_week_is_due_at_midnight_where_the_organisation_is(zone: ZoneInfo, midnight: datetime):
    sunday = (midnight.astimezone(zone) - timedelta(seconds=1)).date()
    assert sunday.isoweekday() == 7
    assert [one.kind for one in due_periods(sunday, {}, midnight, zone)][:1] == [WEEK]
    assert due_periods(sunday, {}, midnight - timedelta(microseconds=1), zone) == []


@given(days, st.integers(0, 800), st.integers(0, 800), st.sampled_from([AMSTERDAM, APIA, ZoneInfo("America/New_York")]))
def test_looking_often_or_seldom_closes_the_same_periods(first: date, days_a: int, days_b: int, zone: ZoneInfo):
    start = datetime(first.year, first.month, first.day, 12, tzinfo=zone)
    early, late = sorted((start + timedelta(days=days_a), start + timedelta(days=days_b)))
    at_once = due_periods(first, {}, late, zone)
    before = due_periods(first, {}, early, zone)
    closed = {one.kind: one.ends_on for one in before}
    assert [*before, *due_periods(first, closed, late, zone)] == at_once
