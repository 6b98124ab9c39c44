"""Is a projection built anew without anybody noticing?"""

import asyncio
from contextlib import asynccontextmanager

import asyncpg
import pytest

from lms import clock
from lms.projections import rebuild
from lms.projections.base import Table, Touches, on
from lms.projections.registry import Slot, begin, exclusive
from projections.engine import Engine, Tallies, Tally, TallyRow, new_pool, totals, until


async def test_rebuilt_rows_equal_those_that_grew_with_the_log(engine: Engine):
    streams = [clock.uuid7() for _ in range(7)]
    await engine.start(Tallies())
    for n in range(60):
        head = await engine.append(streams[n % 7], Tally.Added(n=n), Tally.Ignored())
    await engine.reached(head)
    grown = await engine.rows()
    await _rebuild(engine)
    assert await engine.rows() == grown
    assert (await engine.build())["position"] == head


async def _rebuild(engine: Engine) -> list[rebuild.Progress]:
    """Ask for a rebuild and follow it to its end."""
    assert await rebuild.request(engine.pool, Tallies())
    return [progress async for progress in rebuild.follow(engine.pool, engine.log, Tallies(), every_s=0.02)]


async def test_progress_is_told_until_the_switch(engine: Engine):
    await engine.start(Tallies())
    head = await engine.append(clock.uuid7(), *[Tally.Added(n=1) for _ in range(500)])
    await engine.reached(head)
    told = await _rebuild(engine)
    assert [one.done for one in told] == sorted(one.done for one in told)
    assert all(one.total == head for one in told)
    assert told[-1].finished
    assert not any(one.finished for one in told[:-1])


async def test_no_read_fails_or_sees_less_than_before_while_it_is_switched_under_writes(engine: Engine):
    stream = clock.uuid7()
    await engine.start(Tallies())
    await engine.reached(await engine.append(stream, Tally.Added(n=1)))
    done = asyncio.Event()
    readers = [asyncio.create_task(_read_on(engine, done)) for _ in range(3)]
    writer = asyncio.create_task(_write_on(engine, stream, done))
    for _ in range(3):
        await _rebuild(engine)
    done.set()
    head = await writer
    for seen in await asyncio.gather(*readers):
        assert len(seen) > 10
        assert seen == sorted(seen)
    await engine.reached(head)
    assert (await engine.rows())[0]["events"] == head


async def _read_on(engine: Engine, done: asyncio.Event) -> list[int]:
    """How many events each read shows, over one connection and its prepared statements."""
    seen = []
    connection = await asyncpg.connect(
        engine.database.app_dsn, server_settings={"role": "lms_application", "search_path": "read"}
    )
    try:
        while not done.is_set():
            seen.append(await connection.fetchval("SELECT sum(events)::bigint FROM tallies_v1"))
    finally:
        await connection.close()
    return seen


async def _write_on(engine: Engine, stream, done: asyncio.Event) -> int:
    head = 0
    while not done.is_set():
        head = await engine.append(stream, Tally.Added(n=1))
    return head


async def test_a_rebuild_that_was_killed_goes_on_where_it_was(engine: Engine):
    stream = clock.uuid7()
    running = await engine.start(Tallies())
    head = await engine.append(stream, *[Tally.Added(n=1) for _ in range(50)])
    await engine.reached(head)
    await running.stop()
    await rebuild.request(engine.pool, Tallies())
    before = (await engine.build(slot="next"))["built_since"]
    assert not await rebuild.request(engine.pool, Tallies())
    assert (await engine.build(slot="next"))["built_since"] == before
    await engine.start(Tallies())
    await until(lambda: _switched(engine), "the build was switched")
    assert totals({stream}, await engine.rows()) == {stream: (50, 50)}


async def _switched(engine: Engine) -> bool:
    return not await engine.build(slot="next")


async def test_a_build_that_stands_still_is_begun_anew_on_request(engine: Engine):
    await engine.start(Tallies())
    await engine.reached(0)
    async with exclusive(engine.pool) as connection:
        await begin(connection, Tallies())
        await connection.execute("UPDATE lms.projection SET paused = 'broken' WHERE slot = 'next'")
    with pytest.raises(rebuild.RebuildPaused, match="broken"):
        [progress async for progress in rebuild.follow(engine.pool, engine.log, Tallies(), every_s=0.02)]
    assert await rebuild.request(engine.pool, Tallies())
    await until(lambda: _switched(engine), "the build was switched")


async def test_a_new_version_is_built_beside_the_old_which_old_programs_go_on_keeping(engine: Engine):
    stream = clock.uuid7()
    old = await engine.start(Tallies())
    await engine.reached(await engine.append(stream, Tally.Added(n=5)))
    await engine.start(Tallies2())
    await until(lambda: _has_version(engine, 2), "version 2 is live")
    head = await engine.append(stream, Tally.Added(n=7))
    await until(lambda: _both_at(engine, head), "both versions at the head")
    assert totals({stream}, await engine.rows()) == {stream: (12, 2)}
    assert totals({stream}, await engine.rows("read.tallies_v2")) == {stream: (24, 2)}
    assert not old.task.done()


TALLIES_2 = Table("tallies_v2", TallyRow, key="tally_id")


class Tallies2(Tallies):
    """The next version counts double."""

    VERSION = 2
    TABLES = (TALLIES_2,)

    @classmethod
    def ddl(cls, schema: str) -> str:
        return super().ddl(schema).replace("tallies_v1", "tallies_v2")

    @on(Tally.Added)
    def _added(self, envelope, event) -> Touches:
        def add(row: TallyRow | None) -> TallyRow:
            row = row or TallyRow(envelope.stream_id, 0, 0, 0)
            return TallyRow(row.tally_id, row.total + 2 * event.n, row.events + 1, envelope.version)

        yield TALLIES_2.touch(envelope.stream_id, add)


async def _has_version(engine: Engine, version: int) -> bool:
    return await engine.pool.fetchval(
        "SELECT EXISTS (SELECT FROM lms.projection WHERE version = $1 AND slot = 'live')", version
    )


async def _both_at(engine: Engine, head: int) -> bool:
    return await engine.pool.fetchval("SELECT bool_and(position = $1) FROM lms.projection", head)


async def test_other_tables_under_the_same_version_are_built_beside_too_and_kept_by_who_knows_them(engine: Engine):
    class Wider(Tallies):
        @classmethod
        def ddl(cls, schema: str) -> str:
            return super().ddl(schema).replace("total bigint", "note text, total bigint")

    stream = clock.uuid7()
    old = await engine.start(Tallies())
    await engine.reached(await engine.append(stream, Tally.Added(n=5)))
    await engine.start(Wider())
    await until(lambda: _has_column(engine, "note"), "the wider table is live")
    await engine.reached(await engine.append(stream, Tally.Added(n=7)))
    assert totals({stream}, await engine.rows()) == {stream: (12, 2)}
    assert (await engine.build())["owner"] != old.runner.owner


async def _has_column(engine: Engine, name: str) -> bool:
    return await engine.pool.fetchval(
        """SELECT EXISTS (SELECT FROM information_schema.columns
           WHERE table_schema = 'read' AND table_name = 'tallies_v1' AND column_name = $1)""",
        name,
    )


STAR = Table("tallies", TallyRow, key="tally_id")


class Star(Tallies):
    """A unit that owns its schemas and is read by others."""

    NAME = "star"
    SCHEMAS = ("star", "star_work")
    OWNS_SCHEMAS = True
    READERS = "bi_reader"
    TABLES = (STAR,)

    @classmethod
    def ddl(cls, schema: str) -> str:
        if schema == "star_work":
            return "CREATE TABLE scratch (n int)"
        return """
            CREATE TABLE tallies (tally_id uuid PRIMARY KEY, total bigint, events bigint, last bigint);
            CREATE FUNCTION answer() RETURNS int LANGUAGE sql AS 'SELECT 42';
            GRANT SELECT ON tallies TO bi_reader"""

    @on(Tally.Added)
    def _added(self, envelope, event) -> Touches:
        def add(row: TallyRow | None) -> TallyRow:
            row = row or TallyRow(envelope.stream_id, 0, 0, 0)
            return TallyRow(row.tally_id, row.total + event.n, row.events + 1, envelope.version)

        yield STAR.touch(envelope.stream_id, add)


@asynccontextmanager
async def _analyst(engine: Engine):
    """A session of a login that may read the star."""
    owner = await asyncpg.connect(engine.database.owner_dsn)
    login = f"analyst_{engine.database.name}"
    await owner.execute(f"CREATE ROLE {login} LOGIN PASSWORD 'secret' IN ROLE bi_reader")
    session = await asyncpg.connect(engine.database.owner_dsn, user=login, password="secret")
    try:
        yield session
    finally:
        session.terminate()
        await owner.execute(f"DROP ROLE {login}")
        await owner.close()


async def test_a_unit_is_switched_whole_while_analysts_read_over_one_prepared_statement(engine: Engine):
    await engine.start(Star())
    await engine.reached(await engine.append(clock.uuid7(), Tally.Added(n=3)), "star")
    async with _analyst(engine) as analyst:
        prepared = await analyst.prepare("SELECT sum(total)::bigint FROM star.tallies")
        assert await prepared.fetchval() == 3
        for _ in range(3):
            await rebuild.request(engine.pool, Star())
            while not await _star_switched(engine):
                assert await prepared.fetchval() == 3
            assert await prepared.fetchval() == 3
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await analyst.fetch("SELECT FROM star_work.scratch")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await analyst.fetch("SELECT FROM lms.event")


async def _star_switched(engine: Engine) -> bool:
    return not await engine.build("star", "next")


async def test_an_idle_session_with_an_old_snapshot_is_ended_instead_of_reading_nothing(engine: Engine):
    await engine.start(Star())
    await engine.reached(await engine.append(clock.uuid7(), Tally.Added(n=3)), "star")
    async with _analyst(engine) as analyst:
        await analyst.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        assert await analyst.fetchval("SELECT sum(total)::bigint FROM star.tallies") == 3
        await rebuild.request(engine.pool, Star())
        await until(lambda: _star_switched(engine), "the star was switched")
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await analyst.fetchval("SELECT sum(total)::bigint FROM star.tallies")


async def test_a_session_at_work_with_an_old_snapshot_is_awaited(engine: Engine):
    await engine.start(Star())
    await engine.reached(await engine.append(clock.uuid7(), Tally.Added(n=3)), "star")
    async with _analyst(engine) as analyst:
        at_work = asyncio.create_task(analyst.fetchval("SELECT sum(total)::bigint FROM star.tallies, pg_sleep(1.5)"))
        await until(lambda: _is_at_work(engine), "the analyst is at work")
        await rebuild.request(engine.pool, Star())
        await engine.reached(1, "star", "next")
        assert not await _star_switched(engine)
        assert await at_work == 3
        await until(lambda: _star_switched(engine), "the star was switched")


async def _is_at_work(engine: Engine) -> bool:
    owner = await asyncpg.connect(engine.database.owner_dsn)
    try:
        return await owner.fetchval(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(1.5)%' AND wait_event = 'PgSleep')"
        )
    finally:
        await owner.close()


async def test_what_was_switched_away_is_dropped_once_nobody_reads_it(engine: Engine):
    await engine.start(Star())
    await engine.reached(await engine.append(clock.uuid7(), Tally.Added(n=3)), "star")
    await rebuild.request(engine.pool, Star())
    await until(lambda: _star_switched(engine), "the star was switched")
    await until(lambda: _nothing_past(engine), "the past is dropped")
    assert await engine.rows("star.tallies")


async def _nothing_past(engine: Engine) -> bool:
    return not await engine.pool.fetchval("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname LIKE '%\\_past')")


async def test_a_runner_for_builds_alone_leaves_the_live_ones_to_others(engine: Engine):
    running = await engine.start(Tallies())
    await engine.reached(await engine.append(clock.uuid7(), Tally.Added(n=3)))
    await running.stop()
    await rebuild.request(engine.pool, Tallies())
    await engine.start(Tallies(), slots=[Slot.NEXT], shares=False)
    await until(lambda: _switched(engine), "the build was switched")
    assert (await engine.build())["owner"] is None
    pool = await new_pool(engine.database)
    assert await pool.fetchval("SELECT count(*) FROM lms.projector") == 0
    await pool.close()
