"""When is a week, a month or a quarter over, so that what happened in it can be published?"""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from eventsourcing.domain import event

from lms.domain.base import ActorKind, Aggregate, Command, Forbidden, Malformed, Others, RuleBroken

_MONTHS_PER_QUARTER = 3

MIN_GROUP_SIZE = 10
"""People in a group that figures are published about, unless the installation says otherwise."""


class PeriodKind(StrEnum):
    """The periods that are closed, in the order in which those that end together close. Weeks end on Sunday."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


class PeriodIsClosed(RuleBroken):
    """A period that ends on or after this day is closed already."""


class PeriodIsNotOver(RuleBroken):
    """The period is not over yet."""


class NotTheTimer(Forbidden):
    """Periods are closed by the system when their time has come."""


class Calendar(Aggregate):
    """The closed periods of one kind in one organisation."""

    TOPIC = "calendar"

    class PeriodClosed(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The period that ends with this day, in the organisation's time zone, is over.

        What is published then is about groups of ``min_group_size`` people at least; the event says so, that telling
        the history again gives the same groups whatever the setting is by then.
        """

        TOPIC = "period.closed"
        DATED_BY = "ends_on"
        kind: PeriodKind
        ends_on: date
        min_group_size: int = MIN_GROUP_SIZE

    @event(PeriodClosed)
    def _closed(self, ends_on: date) -> None:
        self.closed_until = ends_on


class ClosePeriod(Command, frozen=True, kw_only=True):
    """Close the period that ends with this day; the stream is that of the organisation and the kind."""

    calendar_id: UUID
    kind: PeriodKind
    ends_on: date
    min_group_size: int = MIN_GROUP_SIZE


def handle(calendar: Calendar | None, command: ClosePeriod, others: Others) -> Calendar:  # noqa: ARG001 - all decisions have this form
    """Decide whether a period is closed."""
    if command.actor.kind is not ActorKind.SYSTEM:
        raise NotTheTimer
    if command.ends_on != last_day(command.kind, command.ends_on):
        raise Malformed(pointer="/ends_on", detail=f"no {command.kind} ends on {command.ends_on}")
    if command.ends_on >= command.today:
        raise PeriodIsNotOver(kind=command.kind, ends_on=command.ends_on)
    if calendar is not None and command.ends_on <= calendar.closed_until:
        raise PeriodIsClosed(kind=command.kind, closed_until=calendar.closed_until)
    calendar = calendar or Calendar.blank(command.calendar_id)
    closed = Calendar.PeriodClosed(kind=command.kind, ends_on=command.ends_on, min_group_size=command.min_group_size)
    calendar.record(closed)
    return calendar


def last_day(kind: PeriodKind, day: date) -> date:
    """The last day of the period in which a day lies."""
    if kind is PeriodKind.WEEK:
        return day + timedelta(days=7 - day.isoweekday())
    month = day.month if kind is PeriodKind.MONTH else -(-day.month // _MONTHS_PER_QUARTER) * _MONTHS_PER_QUARTER
    return date(day.year, month, monthrange(day.year, month)[1])


def first_day(kind: PeriodKind, ends_on: date) -> date:
    """The first day of the period that ends with a day."""
    if kind is PeriodKind.WEEK:
        return ends_on - timedelta(days=6)
    months_before = 0 if kind is PeriodKind.MONTH else _MONTHS_PER_QUARTER - 1
    return date(ends_on.year, ends_on.month - months_before, 1)


class Period(msgspec.Struct, frozen=True):
    """The period of a kind that ends with a day."""

    kind: PeriodKind
    ends_on: date


def due_periods(
    first_day: date, closed_until: Mapping[PeriodKind, date | None], now: datetime, zone: ZoneInfo
) -> list[Period]:
    """The periods that are over and not closed, in the order in which they close.

    Only those that end on ``first_day`` or later, after the last closed one of their kind. A period is over when its
    last day is, in the zone.
    """
    today = now.astimezone(zone).date()
    due = []
    for kind in PeriodKind:
        closed = closed_until.get(kind)
        ends_on = last_day(kind, first_day if closed is None else max(first_day, closed + timedelta(days=1)))
        while ends_on < today:
            due.append(Period(kind, ends_on))
            ends_on = last_day(kind, ends_on + timedelta(days=1))
    return sorted(due, key=lambda period: (period.ends_on, list(PeriodKind).index(period.kind)))
