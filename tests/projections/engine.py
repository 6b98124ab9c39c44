"""What do tests of the engine need: a log to append to, projections that count, and runners to start and kill."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self
from uuid import UUID

import asyncpg
import msgspec

from databases import Database
from lms import clock
from lms.domain.base import SYSTEM, Aggregate
from lms.eventlog.codec import Codec, Envelope, Metadata
from lms.eventlog.keys import MemoryKeys
from lms.eventlog.log import ANY_VERSION, Append, NewEvent, Write
from lms.eventlog.master import MasterKey
from lms.eventlog.postgres import PostgresLog
from lms.eventlog.subjects import Subjects
from lms.projections.base import Projection, Table, Touches, on
from lms.projections.catalogue import PROJECTIONS
from lms.projections.checkpoints import Checkpoints
from lms.projections.registry import SERVER_SETTINGS
from lms.projections.runner import Runner

ORGANISATION = clock.uuid7()
DEADLINE_S = 20.0


class Tally(Aggregate):
    """A stream of numbers, for tests."""

    TOPIC = "tally"

    class Added(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        TOPIC = "tally.added"
        n: int
        poison: bool = False

    class Ignored(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        TOPIC = "tally.ignored"

    class Strange(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        TOPIC = "tally.strange"


CATALOGUE = {one.TOPIC: one for one in (Tally.Added, Tally.Ignored)}
NEWER_CATALOGUE = {**CATALOGUE, Tally.Strange.TOPIC: Tally.Strange}


class TallyRow(msgspec.Struct, frozen=True):
    tally_id: UUID
    total: int
    events: int
    last: int


TALLIES = Table("tallies_v1", TallyRow, key="tally_id")


class Tallies(Projection):
    """Adds up numbers; a poisoned one cannot be added while ``cured`` is False."""

    NAME = "tallies"
    TABLES = (TALLIES,)
    cured = False
    applied = 0

    @classmethod
    def ddl(cls, schema: str) -> str:
        return """CREATE TABLE tallies_v1 (
            tally_id uuid PRIMARY KEY, total bigint NOT NULL, events bigint NOT NULL, last bigint NOT NULL
        )"""

    @on(Tally.Added)
    def _added(self, envelope: Envelope, event: Tally.Added) -> Touches:
        if event.poison and not self.cured:
            raise ValueError("poison")

        def add(row: TallyRow | None) -> TallyRow:
            row = row or TallyRow(envelope.stream_id, 0, 0, 0)
            return TallyRow(row.tally_id, row.total + event.n, row.events + 1, envelope.version)

        yield TALLIES.touch(envelope.stream_id, add)


class Running:
    """A runner in its task."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.task = asyncio.create_task(runner.run())

    async def stop(self) -> None:
        self.runner.stop()
        await self.task


class Engine:
    """A log and what keeps projections of it."""

    def __init__(self, database: Database, log: PostgresLog, pool: asyncpg.Pool, codec: Codec) -> None:
        self.database = database
        self.log = log
        self.pool = pool
        self.codec = codec
        self._writing = new_codec(NEWER_CATALOGUE)
        self._pools = [pool]
        self._running: list[Running] = []

    @classmethod
    @asynccontextmanager
    async def over(cls, database: Database) -> AsyncIterator[Self]:
        log = await PostgresLog.connect(database.app_dsn)
        pool = await new_pool(database)
        engine = cls(database, log, pool, new_codec(CATALOGUE))
        try:
            yield engine
        finally:
            for running in engine._running:
                if not running.task.done():
                    await running.stop()
            for one in engine._pools:
                await one.close()
            await log.close()

    async def start(
        self,
        *projections: Projection,
        catalogue: dict[str, Any] = CATALOGUE,
        checkpoints: Checkpoints | None = None,
        **options: Any,
    ) -> Running:
        """Start a runner with connections of its own, as another process would have."""
        pool = await new_pool(self.database)
        self._pools.append(pool)
        checkpoints = checkpoints or Checkpoints(pool, {one.NAME: one.VERSION for one in projections})
        runner = Runner(self.log, new_codec(catalogue), pool, projections, catalogue, checkpoints, **options)
        self._running.append(Running(runner))
        return self._running[-1]

    async def append(self, stream_id: UUID, *events: Aggregate.Event) -> int:
        """Append events to a stream; the last position."""
        command_id = clock.uuid7()
        tally = Tally.blank(stream_id)
        encoded = tuple(
            self._writing.encode(ORGANISATION, command_id, n, tally, event, Metadata(actor=SYSTEM))
            for n, event in enumerate(events)
        )
        appended = await self.log.append(Append(ORGANISATION, command_id, (Write(stream_id, ANY_VERSION, encoded),)))
        return appended.position

    async def store(self, envelope: Envelope) -> int:
        """Append an event told by hand as it stands; its position."""
        encoder = msgspec.json.Encoder(decimal_format="number")
        event = NewEvent(
            envelope.type,
            envelope.schema_version,
            encoder.encode(Metadata(actor=envelope.actor, effective_at=envelope.effective_at)),
            encoder.encode(envelope.data),
        )
        write = Write(envelope.stream_id, ANY_VERSION, (event,))
        return (await self.log.append(Append(envelope.organisation_id, clock.uuid7(), (write,)))).position

    async def rows(self, table: str = "read.tallies_v1") -> list[dict[str, Any]]:
        return [dict(row) for row in await self.pool.fetch(f"SELECT * FROM {table} ORDER BY 1")]

    async def build(self, name: str = "tallies", slot: str = "live") -> dict[str, Any]:
        record = await self.pool.fetchrow("SELECT * FROM lms.projection WHERE name = $1 AND slot = $2", name, slot)
        return dict(record) if record else {}

    async def reached(self, position: int, name: str = "tallies", slot: str = "live") -> None:
        """Wait until the build has got as far as this."""
        await until(lambda: self._has_reached(position, name, slot), f"{name} {slot} at {position}")

    async def _has_reached(self, position: int, name: str, slot: str) -> bool:
        return (await self.build(name, slot)).get("position", -1) >= position

    async def all_at(self, head: int) -> None:
        """Wait until every registered projection is live and has got as far as this."""
        await until(lambda: self._are_all_at(head), f"all projections at {head}", 60)

    async def _are_all_at(self, head: int) -> bool:
        return await self.pool.fetchval(
            """SELECT count(DISTINCT name) = $1 AND coalesce(min(position), -1) >= $2
               FROM lms.projection WHERE slot = 'live'""",
            len(PROJECTIONS),
            head,
        )

    async def all_switched(self) -> None:
        """Wait until nothing is being built any more."""
        await until(self._is_nothing_built, "nothing is being built", 60)

    async def _is_nothing_built(self) -> bool:
        return not await self.pool.fetchval("SELECT count(*) FROM lms.projection WHERE slot = 'next'")

    async def everything(self) -> dict[str, list[dict[str, Any]]]:
        """The rows of every live table, and what parked."""
        builds = await self.pool.fetch("SELECT tables FROM lms.projection WHERE slot = 'live'")
        found = {}
        for name in sorted(table for build in builds for table in build["tables"]):
            rows = await self.pool.fetch(f"SELECT * FROM {name} AS t ORDER BY t::text")
            found[name] = [dict(row) for row in rows]
        parked = await self.pool.fetch("SELECT name, position, key FROM lms.parked ORDER BY 1, 2")
        return {**found, "parked": [dict(row) for row in parked]}


async def until(holds: Callable[[], Awaitable[Any]], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Look again and again until something holds, or fail when it takes too long."""
    end = time.monotonic() + deadline_s
    while not await holds():
        assert time.monotonic() < end, f"waited {deadline_s} s in vain: {what}"
        await asyncio.sleep(0.01)


async def new_pool(database: Database) -> asyncpg.Pool:
    return await asyncpg.create_pool(  # noqa: TID251 - the test is the composition root
        database.app_dsn, min_size=0, max_size=5, server_settings=SERVER_SETTINGS | {"role": "lms_application"}
    )


def new_codec(catalogue: dict[str, Any]) -> Codec:
    return Codec(catalogue, Subjects(MasterKey(bytes(32)), MemoryKeys()))


def totals(streams: Collection[UUID], rows: Sequence[dict[str, Any]]) -> dict[UUID, tuple[int, int]]:
    """Total and number of events per stream."""
    return {row["tally_id"]: (row["total"], row["events"]) for row in rows if row["tally_id"] in streams}
