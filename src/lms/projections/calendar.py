"""Up to when has each organisation closed its weeks, months and quarters, and what is due?"""

from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from lms.domain.calendar import Calendar, Period, PeriodKind, due_periods
from lms.domain.organisation import Organisation
from lms.projections.base import Connection, Envelope, Projection, Table, Touches, on


class CalendarRow(msgspec.Struct, frozen=True, kw_only=True):
    """An organisation's zone, when it was registered here, and the last closed day of each kind of period."""

    organisation_id: UUID
    time_zone: str
    registered_at: datetime
    week: date | None = None
    month: date | None = None
    quarter: date | None = None

    @property
    def zone(self) -> ZoneInfo:
        """The organisation's time zone."""
        return ZoneInfo(self.time_zone)

    def due(self, now: datetime) -> list[Period]:
        """What the timer must close: told history, before the organisation was registered here, is not its concern."""
        closed = {PeriodKind.WEEK: self.week, PeriodKind.MONTH: self.month, PeriodKind.QUARTER: self.quarter}
        return due_periods(self.registered_at.astimezone(self.zone).date(), closed, now, self.zone)


CALENDARS = Table("calendar_v1", CalendarRow, key="organisation_id")


class Calendars(Projection):
    """One row per organisation."""

    NAME, VERSION = "calendar", 1
    TABLES = (CALENDARS,)

    @on(Organisation.Registered)
    def _registered(self, envelope: Envelope, event: Organisation.Registered) -> Touches:
        yield CALENDARS.put(
            CalendarRow(
                organisation_id=envelope.organisation_id,
                time_zone=event.time_zone,
                registered_at=envelope.recorded_at,
            )
        )

    @on(Calendar.PeriodClosed)
    def _closed(self, envelope: Envelope, event: Calendar.PeriodClosed) -> Touches:
        yield CALENDARS.change(envelope.organisation_id, **{event.kind.value: event.ends_on})

    async def with_due_periods(self, connection: Connection, now: datetime) -> list[tuple[CalendarRow, list[Period]]]:
        """The organisations that have something to close, with what it is."""
        rows = await CALENDARS.select(connection, "ORDER BY organisation_id")
        return [(row, due) for row in rows if (due := row.due(now))]
