"""How does a new build of a projection take the place of the one that is asked, without anybody noticing?

It is built beside the live one, in schemas of its own, by the same code. Once it has caught up it is switched in one
transaction: tables move into the live schema while the old ones go, or, where a projection owns its schemas, these are
renamed. Killing whoever builds loses nothing: the build goes on from its checkpoint.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

import asyncpg
import msgspec

from lms.eventlog.log import EventLog
from lms.projections.advance import OwnershipLost
from lms.projections.base import Connection, Projection
from lms.projections.keeper import Keeper
from lms.projections.registry import Pool, Slot, begin, definition, exclusive, schemas

GAP_EVENTS = 200
"""How far behind the head a build may be when it is switched: the switch itself applies the rest."""

_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '300ms'"


class Progress(msgspec.Struct, frozen=True):
    """How far a build has come. ``events_per_s`` and ``left_s`` are None until they can be told."""

    name: str
    version: int
    done: int
    total: int
    elapsed_s: float
    events_per_s: float | None
    left_s: float | None
    finished: bool
    paused: str | None


class RebuildPaused(Exception):  # noqa: N818 - says what to do first
    """The build stands still; the reason says why."""


async def request(pool: Pool, projection: Projection, *, afresh: bool = False) -> bool:
    """Begin a new build unless one is under way; any projector takes it up. True when it was begun now.

    ``afresh`` drops what is under way. A build that stands still, or was begun by another program, is begun anew.
    """
    async with exclusive(pool) as connection:
        begun = await connection.fetchrow(
            "SELECT definition, paused FROM lms.projection WHERE name = $1 AND version = $2 AND slot = 'next'",
            projection.NAME,
            projection.VERSION,
        )
        if begun and not afresh and begun["paused"] is None and begun["definition"] == definition(projection):
            return False
        await begin(connection, projection)
        return True


async def follow(pool: Pool, log: EventLog, projection: Projection, every_s: float = 0.5) -> AsyncIterator[Progress]:
    """How a requested build comes along, until it is switched. Raises RebuildPaused."""
    first: tuple[int, datetime] | None = None
    elapsed_s = 0.0
    while True:
        record = await pool.fetchrow(
            """SELECT position, paused, built_since, clock_timestamp() AS now FROM lms.projection
               WHERE name = $1 AND version = $2 AND slot = 'next'""",
            projection.NAME,
            projection.VERSION,
        )
        head = await log.head()
        if record is None:
            yield Progress(
                projection.NAME, projection.VERSION, head, head, elapsed_s, None, 0.0, finished=True, paused=None
            )
            return
        first = first or (record["position"], record["now"])
        seconds = (record["now"] - first[1]).total_seconds()
        elapsed_s = (record["now"] - record["built_since"]).total_seconds()
        rate = (record["position"] - first[0]) / seconds if seconds > 0 else None
        yield Progress(
            projection.NAME,
            projection.VERSION,
            record["position"],
            head,
            elapsed_s,
            rate,
            (head - record["position"]) / rate if rate else None,
            finished=False,
            paused=record["paused"],
        )
        if record["paused"]:
            raise RebuildPaused(record["paused"])
        await asyncio.sleep(every_s)


class Switch:
    """Puts one caught-up build in the place of the live one."""

    def __init__(self, pool: Pool, keeper: Keeper) -> None:
        self._pool = pool
        self._keeper = keeper
        self._projection = keeper.projection
        self._horizon: str | None = None

    async def attempt(self) -> bool:
        """Switch if nothing stands in the way; False to go on building and come again.

        Raises OwnershipLost, and LockNotAvailableError where a reader or the live build is at work.
        """
        projection = self._projection
        if projection.OWNS_SCHEMAS and not await drop_past(self._pool, projection):
            return False
        before = self._keeper.position
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(_LOCK_TIMEOUT)
                if await self._stale_readers(connection):
                    return False
                await self._replace(connection)
        except BaseException:
            self._keeper.position = before
            raise
        return True

    async def _stale_readers(self, connection: Connection) -> bool:
        """Tell whether somebody reads from a snapshot that would show the new tables empty.

        Who is idle in such a transaction is ended, who is at work is awaited.
        """
        if self._projection.READERS is None:
            return False
        if self._horizon is None:
            self._horizon = await connection.fetchval("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
        stale: int = await connection.fetchval(
            "SELECT lms.end_stale_readers($1, $2)", self._projection.READERS, self._horizon
        )
        return stale > 0

    async def _replace(self, connection: Connection) -> None:
        projection, keeper = self._projection, self._keeper
        builds = await connection.fetch(
            """SELECT version, slot, position, fence, tables FROM lms.projection
               WHERE name = $1 AND (version = $2 OR $3) ORDER BY version, slot FOR UPDATE""",
            projection.NAME,
            projection.VERSION,
            projection.OWNS_SCHEMAS,
        )
        mine = next((one for one in builds if (one["version"], one["slot"]) == (projection.VERSION, "next")), None)
        if mine is None or (mine["position"], mine["fence"]) != (keeper.position, keeper.fence):
            raise OwnershipLost(f"{keeper.build} is not at {keeper.position} under fence {keeper.fence}")
        live = [one for one in builds if one["slot"] == "live"]
        await keeper.catch_up(connection, max((one["position"] for one in live), default=0))
        if projection.OWNS_SCHEMAS:
            await _rename_schemas(connection, projection)
        else:
            await _move_tables(connection, [table for one in live for table in one["tables"]], mine["tables"])
        await connection.execute(
            "DELETE FROM lms.projection WHERE name = $1 AND slot = 'live' AND (version = $2 OR $3)",
            projection.NAME,
            projection.VERSION,
            projection.OWNS_SCHEMAS,
        )
        await connection.execute(
            """UPDATE lms.projection SET slot = 'live', owner = NULL, until = '-infinity'
               WHERE name = $1 AND version = $2 AND slot = 'next'""",
            projection.NAME,
            projection.VERSION,
        )


async def drop_past(pool: Pool, projection: Projection) -> bool:
    """Drop the schemas that a switch has put aside; False where somebody still reads them."""
    try:
        async with exclusive(pool) as connection:
            await connection.execute(_LOCK_TIMEOUT)
            for schema in projection.SCHEMAS:
                await connection.execute(f"DROP SCHEMA IF EXISTS {schema}_past CASCADE")
    except asyncpg.LockNotAvailableError:
        return False
    return True


async def _move_tables(connection: Connection, old: list[str], new: list[str]) -> None:
    for table in old:
        await connection.execute(f"DROP TABLE {table} CASCADE")
    for table in new:
        home, name = table.split(".")
        await connection.execute(f"ALTER TABLE {home}_next.{name} SET SCHEMA {home}")


async def _rename_schemas(connection: Connection, projection: Projection) -> None:
    for built, home in zip(schemas(projection, Slot.NEXT), projection.SCHEMAS, strict=True):
        await connection.execute(f"ALTER SCHEMA {home} RENAME TO {home}_past")
        await connection.execute(f"ALTER SCHEMA {built} RENAME TO {home}")
    if projection.READERS is not None:
        asked = projection.SCHEMAS[0]
        await connection.execute(f"REVOKE USAGE ON SCHEMA {asked}_past FROM {projection.READERS}")
        await connection.execute(f"GRANT USAGE ON SCHEMA {asked} TO {projection.READERS}")
