"""Are periods closed by themselves, once, in order, also those missed while nothing ran?"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from databases import Database
from lms import clock
from lms.dispatch import Dispatch, Request
from lms.domain.base import SYSTEM
from lms.domain.calendar import Calendar, Period, PeriodKind, due_periods
from lms.domain.catalogue import event_types
from lms.domain.organisation import Organisation, RegisterOrganisation
from lms.eventlog.codec import Codec
from lms.eventlog.keys import MemoryKeys
from lms.eventlog.master import MasterKey
from lms.eventlog.memory import MemoryLog
from lms.eventlog.subjects import Subjects
from lms.policies.calendar import PeriodTimer, close_periods
from lms.projections.calendar import Calendars
from projections.harness import apply

WEEK, MONTH, QUARTER = PeriodKind
REGISTERED = datetime(2026, 3, 4, 9, tzinfo=UTC)


class House:
    """An organisation in a log in memory, its calendar in a real table."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.now = REGISTERED
        self.pool = pool
        self.log = MemoryLog(now=lambda: self.now)
        subjects = Subjects(MasterKey(bytes(32)), MemoryKeys())
        self.codec = Codec(event_types(), subjects)
        self.dispatch = Dispatch(self.log, self.codec, subjects)
        self.timer = PeriodTimer(self.dispatch, pool)
        self.organisation_id = clock.uuid7()
        self.seen = 0

    async def register(self) -> None:
        request = Request(
            organisation_id=self.organisation_id,
            actor=SYSTEM,
            command_id=clock.uuid7(),
            time_zone=ZoneInfo("Europe/Amsterdam"),
            at=self.now,
        )
        command = RegisterOrganisation(
            actor=SYSTEM,
            today=request.today,
            organisation_id=self.organisation_id,
            name="Bakery",
            time_zone="Europe/Amsterdam",
        )
        await self.dispatch.send(Organisation, self.organisation_id, command, request)
        await self.follow()

    async def follow(self) -> None:
        """Bring the calendar's table up to the log."""
        envelopes = [self.codec.decode(stored) for stored in await self.log.feed(self.seen, 1_000)]
        self.seen += len(envelopes)
        async with self.pool.acquire() as connection:
            await apply(connection, Calendars(), envelopes)

    async def look(self, now: datetime) -> list[Period]:
        """Let the timer look; all periods that are closed by then, in the order of the log."""
        self.now = now
        await self.timer.look(now)
        return await self.closed()

    async def closed(self) -> list[Period]:
        events = [self.codec.decode(stored).data for stored in await self.log.feed(0, 1_000)]
        return [Period(one.kind, one.ends_on) for one in events if isinstance(one, Calendar.PeriodClosed)]


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    pool = await asyncpg.create_pool(  # noqa: TID251 - the test is the composition root
        database.app_dsn, min_size=1, max_size=2, server_settings={"role": "lms_application", "search_path": "read"}
    )
    await pool.execute("CREATE SCHEMA read")
    await pool.execute(Calendars.ddl("read"))
    house = House(pool)
    await house.register()
    yield house
    await pool.close()


async def test_nothing_is_written_while_nothing_is_due(house: House):
    assert await house.look(REGISTERED + timedelta(days=4)) == []
    assert await house.log.head() == 1


async def test_a_week_is_closed_after_its_sunday_and_dated_to_its_end(house: House):
    assert await house.look(datetime(2026, 3, 8, 23, tzinfo=UTC)) == [Period(WEEK, date(2026, 3, 8))]
    (stored,) = await house.log.feed(1, 1)
    envelope = house.codec.decode(stored)
    assert envelope.effective_at == datetime(2026, 3, 8, 22, 59, 59, 999_999, tzinfo=UTC)
    assert envelope.organisation_id == house.organisation_id
    assert envelope.actor == SYSTEM


async def test_what_was_missed_is_closed_in_order_and_only_once(house: House):
    late = datetime(2026, 7, 2, tzinfo=UTC)
    expected = due_periods(REGISTERED.date(), {}, late, ZoneInfo("Europe/Amsterdam"))
    assert [one.kind for one in expected].count(MONTH) == 4
    assert await house.look(late) == expected
    assert await house.timer.look(late) == 0
    assert await PeriodTimer(house.dispatch, house.pool).look(late) == len(expected)
    await house.follow()
    assert await house.look(late) == expected


async def test_two_timers_at_once_close_each_period_once_in_order(house: House):
    house.now = late = datetime(2026, 7, 2, tzinfo=UTC)
    other = PeriodTimer(house.dispatch, house.pool)
    await asyncio.gather(house.timer.look(late), other.look(late))
    assert await house.closed() == due_periods(REGISTERED.date(), {}, late, ZoneInfo("Europe/Amsterdam"))


async def test_told_history_is_closed_by_who_tells_it_and_the_timer_goes_on_from_there(house: House):
    zone = ZoneInfo("Europe/Amsterdam")
    told = due_periods(date(2025, 1, 1), {}, REGISTERED, zone)
    await close_periods(house.dispatch, house.organisation_id, zone, told[:5], datetime(2025, 6, 1, tzinfo=UTC))
    await house.follow()
    assert await house.look(REGISTERED) == told[:5]
    await close_periods(house.dispatch, house.organisation_id, zone, told, REGISTERED)
    await house.follow()
    assert await house.look(datetime(2026, 3, 9, 9, tzinfo=UTC)) == [*told, Period(WEEK, date(2026, 3, 8))]


async def test_the_timer_waits_until_there_is_a_calendar_to_ask(house: House):
    await house.pool.execute("DROP TABLE read.calendar_v1")
    assert await house.timer.look(datetime(2026, 7, 2, tzinfo=UTC)) == 0
