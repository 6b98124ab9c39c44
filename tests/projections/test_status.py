"""Is a read model that falls behind or stands still seen, without asking who keeps it?"""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from databases import Database
from lms import clock
from lms.projections.base import Projection
from lms.projections.calendar import Calendars
from lms.projections.readiness import Readiness
from lms.projections.status import ProjectionStatus, State, projection_status
from projections.engine import CATALOGUE, Engine, Running, Tallies, Tally, until


@pytest.fixture
async def reads(database: Database) -> AsyncIterator[asyncpg.Pool]:
    pool = await asyncpg.create_pool(  # noqa: TID251 - the test is the composition root
        database.app_dsn, min_size=0, max_size=2, server_settings={"role": "lms_application", "search_path": "read"}
    )
    yield pool
    await pool.close()


async def _status(engine: Engine) -> dict[str, ProjectionStatus]:
    async with engine.pool.acquire() as connection:
        return {one.name: one for one in await projection_status(connection) if one.slot == "live"}


async def _running(engine: Engine, *projections: Projection) -> Running:
    running = await engine.start(*projections, catalogue=CATALOGUE)
    for projection in projections:
        await engine.reached(0, projection.NAME)
    return running


async def test_a_read_model_at_the_head_is_current(engine: Engine):
    await _running(engine, Tallies())
    await engine.reached(await engine.append(clock.uuid7(), Tally.Added(n=1)))
    status = (await _status(engine))["tallies"]
    assert (status.state, status.position, status.head, status.lag_events) == (State.CURRENT, 1, 1, 0)
    assert status.lag_seconds == 0


async def test_lag_is_measured_from_the_log_when_nobody_keeps_a_read_model(engine: Engine):
    running = await _running(engine, Tallies())
    await running.stop()
    await engine.append(clock.uuid7(), Tally.Added(n=1), Tally.Ignored())
    status = (await _status(engine))["tallies"]
    assert (status.state, status.lag_events) == (State.UNATTENDED, 2)
    assert status.lag_seconds > 0


async def test_parked_events_are_counted_and_a_pause_is_explained(engine: Engine):
    await _running(engine, Tallies())
    await engine.reached(await engine.append(clock.uuid7(), Tally.Added(n=1, poison=True)))
    assert (await _status(engine))["tallies"].parked == 1
    await engine.append(clock.uuid7(), Tally.Strange())
    await until(lambda: _is(engine, State.PAUSED), "the projection stands still")
    assert "tally.strange" in ((await _status(engine))["tallies"].reason or "")


async def _is(engine: Engine, state: State) -> bool:
    return (await _status(engine))["tallies"].state is state


async def test_a_process_is_ready_once_all_have_reached_the_head_of_its_start(engine: Engine, reads: asyncpg.Pool):
    await engine.append(clock.uuid7(), Tally.Added(n=1))
    readiness = Readiness(reads, [Tallies(), Calendars()], await engine.log.head())
    assert len(await readiness.missing()) == 2
    await _running(engine, Tallies(), Calendars())
    await until(lambda: _ready(readiness), "ready")
    later = Readiness(reads, [Tallies()], 99)
    assert await later.missing() == ["tallies is at 1 of 99"]


async def _ready(readiness: Readiness) -> bool:
    return not await readiness.missing()


async def test_a_process_is_not_ready_while_the_log_moves_and_a_checkpoint_does_not(
    engine: Engine, reads: asyncpg.Pool
):
    running = await _running(engine, Tallies(), Calendars())
    readiness = Readiness(reads, [Tallies(), Calendars()], 0)
    await running.stop()
    await engine.append(clock.uuid7(), Tally.Added(n=1))
    assert await readiness.missing() == []
    owner = await asyncpg.connect(engine.database.owner_dsn)
    await owner.execute("ALTER TABLE lms.event DISABLE TRIGGER event_is_append_only")
    await owner.execute("UPDATE lms.event SET recorded_at = recorded_at - interval '1 minute'")
    await owner.execute("UPDATE lms.projection SET moved_at = moved_at - interval '1 minute'")
    await owner.close()
    assert (await _status(engine))["tallies"].state is State.STALLED
    assert sorted(await readiness.missing()) == [
        "calendar stands still at 0 of 1: stalled",
        "tallies stands still at 0 of 1: stalled",
    ]


async def test_a_process_is_not_ready_before_migrations_while_periods_are_due_or_another_check_fails(
    engine: Engine, reads: asyncpg.Pool, empty_database: Database
):
    empty = await asyncpg.create_pool(empty_database.owner_dsn, min_size=0, max_size=1)  # noqa: TID251 - see above
    assert await Readiness(empty, [], 0).missing() == ["migrations are not done"]
    await empty.close()

    async def demo() -> str | None:
        return "the demo is being loaded"

    await _running(engine, Calendars())
    await engine.pool.execute(
        """INSERT INTO read.calendar_v1 (organisation_id, time_zone, registered_at)
           VALUES (gen_random_uuid(), 'UTC', now() - interval '8 days')"""
    )
    missing = await Readiness(reads, [Calendars()], 0, checks=[demo]).missing()
    assert missing[-1] == "the demo is being loaded"
    assert "due to be closed" in missing[0]
