"""Who closes the week, the month and the quarter when their time has come?

Every projector looks; a period is closed once all the same, because its command has the same name whoever sends it.
What was missed while nothing ran is closed in order.
"""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import structlog

from lms import clock
from lms.dispatch import Dispatch, Request
from lms.domain.base import SYSTEM, Refusal
from lms.domain.calendar import MIN_GROUP_SIZE, Calendar, ClosePeriod, Period, PeriodIsClosed, PeriodKind
from lms.eventlog.log import LogUnavailable, Overloaded
from lms.projections.calendar import CalendarRow, Calendars

LOOK_S = 1.0
"""Seconds between looks: a process that starts after a pause is ready once what it missed is closed."""

_AWAY = (OSError, LogUnavailable, Overloaded, asyncpg.PostgresError, asyncpg.InterfaceError)


async def close_periods(
    dispatch: Dispatch,
    organisation_id: UUID,
    zone: ZoneInfo,
    periods: Sequence[Period],
    now: datetime,
    min_group_size: int = MIN_GROUP_SIZE,
) -> None:
    """Close the periods in order; one that is closed already stays as it is. ``now`` may be a told moment."""
    for period in periods:
        stream_id = calendar_id(organisation_id, period.kind)
        request = Request(
            organisation_id=organisation_id,
            actor=SYSTEM,
            command_id=clock.derived_id(organisation_id, f"period.closed|{period.kind}|{period.ends_on}"),
            time_zone=zone,
            at=now,
        )
        command = ClosePeriod(
            actor=SYSTEM,
            today=request.today,
            calendar_id=stream_id,
            kind=period.kind,
            ends_on=period.ends_on,
            min_group_size=min_group_size,
        )
        try:
            await dispatch.send(Calendar, stream_id, command, request)
        except PeriodIsClosed:
            continue


def calendar_id(organisation_id: UUID, kind: PeriodKind) -> UUID:
    """The stream of an organisation's closed periods of one kind."""
    return clock.derived_id(organisation_id, f"calendar|{kind}")


class PeriodTimer:
    """Closes due periods of all organisations. ``reads`` is a pool whose search_path is the live read schema.

    ``min_group_size``: people in a group that the figures published at a close may be about.
    """

    def __init__(
        self, dispatch: Dispatch, reads: "asyncpg.Pool[asyncpg.Record]", min_group_size: int = MIN_GROUP_SIZE
    ) -> None:
        self._dispatch = dispatch
        self._min_group_size = min_group_size
        self._reads = reads
        self._calendars = Calendars()
        self._sent: dict[tuple[UUID, PeriodKind], date] = {}

    async def run(self) -> None:
        """Look now and then, until cancelled."""
        while True:
            try:
                await self.look(clock.now())
            except (*_AWAY, Refusal) as error:
                structlog.get_logger().warning("periods could not be closed", error=str(error))
            await asyncio.sleep(LOOK_S)

    async def look(self, now: datetime) -> int:
        """Close what is due; how many periods that were. Nothing is due until the calendar can be asked."""
        try:
            async with self._reads.acquire() as connection:
                due = await self._calendars.with_due_periods(connection, now)
        except asyncpg.UndefinedTableError:
            return 0
        closed = 0
        for calendar, periods in due:
            closed += await self._close(calendar, periods, now)
        return closed

    async def _close(self, calendar: CalendarRow, periods: Sequence[Period], now: datetime) -> int:
        """Close what this timer has not closed before: the calendar may not have heard of it yet."""
        organisation_id = calendar.organisation_id
        news = [one for one in periods if one.ends_on > self._sent.get((organisation_id, one.kind), date.min)]
        await close_periods(self._dispatch, organisation_id, calendar.zone, news, now, self._min_group_size)
        self._sent.update({(organisation_id, one.kind): one.ends_on for one in news})
        return len(news)
