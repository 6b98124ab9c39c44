"""Do read models follow the log exactly once, whoever dies, and whatever an event does to them?"""

import asyncio
import time

import asyncpg
import pytest

from lms import clock
from lms.projections import keeper as keeping
from lms.projections import parked
from lms.projections.advance import Advance, OwnershipLost
from lms.projections.base import Projection, Table, Touches, on
from lms.projections.checkpoints import Checkpoints
from lms.projections.feed import Feed
from lms.projections.keeper import Keeper
from lms.projections.leases import Leases
from lms.projections.registry import Build, Slot, drop_retired, retired
from projections.engine import CATALOGUE, NEWER_CATALOGUE, Engine, Running, Tallies, Tally, TallyRow, totals, until


async def test_a_new_projection_is_built_switched_and_kept_at_the_head(engine: Engine):
    stream = clock.uuid7()
    await engine.append(stream, Tally.Added(n=2), Tally.Ignored(), Tally.Added(n=3))
    await engine.start(Tallies())
    await engine.reached(3)
    assert totals({stream}, await engine.rows()) == {stream: (5, 2)}
    await engine.reached(await engine.append(stream, Tally.Added(n=10)))
    assert totals({stream}, await engine.rows()) == {stream: (15, 3)}


async def test_events_of_no_interest_move_the_checkpoint_too(engine: Engine):
    await engine.start(Tallies())
    await engine.reached(await engine.append(clock.uuid7(), *[Tally.Ignored() for _ in range(50)]))
    assert await engine.rows() == []


async def test_events_are_applied_once_while_owners_die_at_any_moment(engine: Engine, monkeypatch):
    monkeypatch.setattr(keeping, "MOST_EVENTS", 2)
    streams = [clock.uuid7() for _ in range(5)]
    running = await engine.start(Tallies())
    await engine.reached(0)
    for round_ in range(12):
        for stream in streams:
            head = await engine.append(stream, Tally.Added(n=1), Tally.Ignored(), Tally.Added(n=2))
        await engine.reached(head - round_)
        await _kill(running)
        await engine.pool.execute("UPDATE lms.projection SET until = '-infinity'")
        running = await engine.start(Tallies())
    await engine.reached(head)
    assert totals(streams, await engine.rows()) == dict.fromkeys(streams, (36, 24))


async def _kill(running: Running) -> None:
    """End a runner as a kill would: transactions under way are lost, leases are not given back."""
    running.runner._leases.leave = _forget_to_leave  # type: ignore[method-assign]
    running.task.cancel()
    await asyncio.gather(running.task, return_exceptions=True)


async def _forget_to_leave() -> None:
    return


async def test_another_process_takes_over_within_five_seconds_of_a_kill(engine: Engine):
    first = await engine.start(Tallies())
    await engine.reached(0)
    second = await engine.start(Tallies())
    await _kill(first)
    killed = time.monotonic()
    head = await engine.append(clock.uuid7(), Tally.Added(n=1))
    await engine.reached(head)
    assert time.monotonic() - killed < 5
    assert (await engine.build())["owner"] == second.runner.owner


async def test_an_owner_that_was_stopped_and_goes_on_writes_nothing(engine: Engine):
    stream = clock.uuid7()
    running = await engine.start(Tallies())
    await engine.reached(0)
    await until(lambda: _is_kept(engine), "live build is kept")
    await running.stop()
    (zombie,) = await _keepers(engine, Tallies())
    await engine.pool.execute("UPDATE lms.projection SET fence = fence + 1")  # somebody else took over
    await engine.append(stream, Tally.Added(n=1))
    with pytest.raises(OwnershipLost):
        await zombie.step()
    assert await engine.rows() == []
    assert (await engine.build())["position"] == 0


async def test_a_former_owner_does_not_even_move_the_checkpoint(engine: Engine):
    running = await engine.start(Tallies())
    await engine.reached(0)
    await running.stop()
    (zombie,) = await _keepers(engine, Tallies())
    await engine.pool.execute("UPDATE lms.projection SET fence = fence + 1")
    await engine.append(clock.uuid7(), Tally.Ignored())
    with pytest.raises(OwnershipLost):
        await zombie.step()
    assert (await engine.build())["position"] == 0


async def _is_kept(engine: Engine) -> bool:
    return (await engine.build()).get("owner") is not None


async def _keepers(engine: Engine, projection: Projection) -> list[Keeper]:
    """Keepers with fresh leases, without a runner around them."""
    leases = Leases(engine.pool, clock.uuid7(), [projection], list(CATALOGUE), shares=False)
    feed = Feed(engine.log, engine.codec, CATALOGUE, projection.topics())
    advance = Advance(engine.pool, Checkpoints(engine.pool, {}))
    return [Keeper(projection, lease, engine.pool, feed, advance) for lease in await leases.acquire(10)]


async def test_rows_and_checkpoint_stand_or_fall_together(engine: Engine):
    class Breaking(Tallies):
        async def apply(self, connection, envelopes):
            await super().apply(connection, envelopes)
            raise ConnectionResetError("the database went away before the commit")

    stream = clock.uuid7()
    running = await engine.start(Tallies())
    await engine.reached(0)
    await running.stop()
    (breaking,) = await _keepers(engine, Breaking())
    await engine.append(stream, Tally.Added(n=7))
    await breaking.step()
    assert await engine.rows() == []
    assert (await engine.build())["position"] == 0
    await engine.start(Tallies())
    await engine.reached(1)
    assert totals({stream}, await engine.rows()) == {stream: (7, 1)}


async def test_an_event_that_fails_three_times_parks_with_later_ones_of_its_stream_in_order(engine: Engine):
    bad, good = clock.uuid7(), clock.uuid7()
    await engine.start(Tallies())
    await engine.append(bad, Tally.Added(n=1))
    await engine.append(bad, Tally.Added(n=10, poison=True))
    await engine.append(good, Tally.Added(n=2))
    await engine.append(bad, Tally.Added(n=100), Tally.Ignored())
    head = await engine.append(good, Tally.Added(n=2))
    await engine.reached(head)
    assert totals({bad, good}, await engine.rows()) == {bad: (1, 1), good: (4, 2)}
    async with engine.pool.acquire() as connection:
        waiting = await parked.listed(connection, "tallies")
    assert [(one.position, one.key) for one in waiting] == [(2, bad), (4, bad)]
    assert "poison" in waiting[0].error
    assert "waits for an earlier event" in waiting[1].error


async def test_what_was_parked_is_applied_in_order_when_retried_after_the_cure(engine: Engine):
    class Cured(Tallies):
        cured = True

    stream = clock.uuid7()
    await engine.start(Tallies())
    await engine.append(stream, Tally.Added(n=10, poison=True))
    await engine.reached(await engine.append(stream, Tally.Added(n=100)))
    sick = await parked.retry(engine.pool, engine.log, engine.codec, Tallies())
    assert (sick.applied, sick.left) == (0, 2)
    cured = await parked.retry(engine.pool, engine.log, engine.codec, Cured())
    assert (cured.applied, cured.left) == (2, 0)
    await engine.reached(await engine.append(stream, Tally.Added(n=1000)))
    assert totals({stream}, await engine.rows()) == {stream: (1110, 3)}


async def test_a_retry_builds_anew_what_was_frozen_without_the_parked_event(engine: Engine):
    class Published(Tallies):
        """Writes down once, when a number is added to a certain stream, how many numbers there are."""

        FREEZES = True

        async def apply(self, connection, envelopes):
            for envelope in envelopes:
                if envelope.stream_id == closing:
                    total = await connection.fetchval("SELECT coalesce(sum(total), 0)::bigint FROM tallies_v1")
                    await connection.execute("INSERT INTO tallies_v1 VALUES ($1, $2, 1, 1)", closing, total)
                else:
                    await super().apply(connection, [envelope])

    class Cured(Published):
        cured = True

    stream, closing = clock.uuid7(), clock.uuid7()
    sick = await engine.start(Published())
    await engine.append(stream, Tally.Added(n=10, poison=True))
    await engine.reached(await engine.append(closing, Tally.Added(n=1)))
    await sick.stop()
    assert totals({closing}, await engine.rows()) == {closing: (0, 1)}
    assert (await parked.retry(engine.pool, engine.log, engine.codec, Cured())).applied == 1
    await engine.start(Cured())
    await engine.all_switched()
    assert totals({stream, closing}, await engine.rows()) == {stream: (10, 1), closing: (10, 1)}


async def test_later_events_still_park_when_a_retry_has_failed_and_go_on_when_all_were_dropped(engine: Engine):
    stream = clock.uuid7()
    await engine.start(Tallies())
    await engine.reached(await engine.append(stream, Tally.Added(n=10, poison=True)))
    await parked.retry(engine.pool, engine.log, engine.codec, Tallies())
    await engine.reached(await engine.append(stream, Tally.Added(n=100)))
    assert await engine.rows() == []
    assert await parked.drop(engine.pool, Build("tallies", 1, Slot.LIVE), [1, 2]) == 2
    await engine.reached(await engine.append(stream, Tally.Added(n=5)))
    assert totals({stream}, await engine.rows()) == {stream: (5, 1)}


async def test_when_too_many_keys_park_the_projection_stands_still(engine: Engine, monkeypatch):
    monkeypatch.setattr(keeping, "MOST_PARKED_KEYS", 2)
    await engine.start(Tallies())
    for _ in range(3):
        await engine.append(clock.uuid7(), Tally.Added(n=1, poison=True))
    await until(lambda: _paused(engine), "projection stands still")
    build = await engine.build()
    assert "2 keys have parked" in build["paused"]
    assert build["position"] == 2


async def _paused(engine: Engine) -> str | None:
    return (await engine.build()).get("paused")


async def test_an_event_type_nobody_knows_pauses_until_a_newer_program_comes(engine: Engine):
    stream = clock.uuid7()
    await engine.start(Tallies())
    await engine.append(stream, Tally.Added(n=1))
    await engine.append(stream, Tally.Strange())
    await engine.append(stream, Tally.Added(n=2))
    await until(lambda: _paused(engine), "projection stands still")
    build = await engine.build()
    assert build["position"] == 1
    assert "position 2" in build["paused"]
    assert "tally.strange" in build["paused"]
    await engine.start(Tallies(), catalogue=NEWER_CATALOGUE)
    await engine.reached(3)
    assert totals({stream}, await engine.rows()) == {stream: (3, 2)}


async def test_processes_share_the_builds_and_each_is_kept_by_one(engine: Engine):
    kinds = [_named(f"tallies{n}") for n in range(4)]
    first = await engine.start(*kinds)
    for kind in kinds:
        await engine.reached(0, kind.NAME)
    second = await engine.start(*kinds)
    await until(lambda: _split(engine, first.runner.owner, second.runner.owner), "two builds each")
    await second.stop()
    await until(lambda: _split(engine, first.runner.owner), "the first keeps all again")
    assert len(await engine.pool.fetch("SELECT FROM lms.projector")) == 1


async def _split(engine: Engine, *owners) -> bool:
    found = await engine.pool.fetch("SELECT owner, count(*) AS n FROM lms.projection GROUP BY owner")
    return {record["owner"]: record["n"] for record in found} == dict.fromkeys(owners, 4 // len(owners))


def _named(name: str) -> Projection:
    """A projection that counts into a table of its own."""
    table = Table(f"{name}_v1", TallyRow, key="tally_id")

    def added(self, envelope, event) -> Touches:
        yield table.put(TallyRow(envelope.stream_id, event.n, 1, 1))

    ddl = f"CREATE TABLE {name}_v1 (tally_id uuid PRIMARY KEY, total bigint, events bigint, last bigint)"
    members = {
        "NAME": name,
        "TABLES": (table,),
        "_added": on(Tally.Added)(added),
        "ddl": staticmethod(lambda schema: ddl),
    }
    return type(name, (Projection,), members)()


async def test_a_reader_waits_for_its_position_in_this_process_and_in_another(engine: Engine):
    near = Checkpoints(engine.pool, {"tallies": 1})
    far = Checkpoints(engine.pool, {"tallies": 1})
    await engine.start(Tallies(), checkpoints=near)
    await engine.reached(0)
    head = await engine.append(clock.uuid7(), Tally.Added(n=1))
    assert await asyncio.gather(near.wait(["tallies"], head, 5), far.wait(["tallies"], head, 5)) == [True, True]
    assert near.have(["tallies"], head)
    assert not await far.wait(["tallies"], head + 1, 0.05)
    await near.close()
    await far.close()


async def test_a_version_this_program_does_not_have_is_kept_until_somebody_says_so(engine: Engine):
    old = _named("old")
    running = await engine.start(old)
    await engine.reached(0, "old")
    await running.stop()
    await engine.start(Tallies())
    await engine.reached(0)
    async with engine.pool.acquire() as connection:
        (left_over,) = await retired(connection, [Tallies()])
    assert (left_over.name, left_over.tables) == ("old", ("read.old_v1",))
    assert await engine.rows("read.old_v1") == []
    await drop_retired(engine.pool, [left_over])
    with pytest.raises(asyncpg.UndefinedTableError):
        await engine.rows("read.old_v1")
