"""Which events could not be applied, and what becomes of them?

Retrying applies a key's parked events in order and stops at the first that fails again. Both retrying and dropping
raise the fence: who keeps the build takes it up anew and learns what is parked now.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import msgspec
import structlog

from lms.eventlog.codec import Codec
from lms.eventlog.log import EventLog
from lms.projections import rebuild
from lms.projections.base import Connection, Projection
from lms.projections.keeper import TRANSIENT, told
from lms.projections.registry import Build, Pool, Slot, of, search_path


class Parked(msgspec.Struct, frozen=True):
    """One event that a build goes on without, and why."""

    name: str
    version: int
    slot: Slot
    position: int
    key: UUID
    type: str
    error: str
    parked_at: datetime


class Retried(msgspec.Struct, frozen=True):
    """What became of a build's parked events."""

    applied: int
    left: int


async def listed(connection: Connection, name: str | None = None) -> list[Parked]:
    """The parked events of one projection or of all, in the order of the log."""
    return [
        Parked(
            record["name"],
            record["version"],
            Slot(record["slot"]),
            record["position"],
            record["key"],
            record["type"],
            record["error"],
            record["parked_at"],
        )
        for record in await connection.fetch(
            """SELECT name, version, slot, position, key, type, error, parked_at FROM lms.parked
               WHERE $1::text IS NULL OR name = $1 ORDER BY name, version, slot, position""",
            name,
        )
    ]


async def retry(pool: Pool, log: EventLog, codec: Codec, projection: Projection, slot: Slot = Slot.LIVE) -> Retried:
    """Apply what is parked, key by key in order, and let the build go on if it stood still.

    Where rows freeze, those that were written without the parked events are mended by a new build, which is begun here.
    """
    build = Build(projection.NAME, projection.VERSION, slot)
    async with pool.acquire() as connection, connection.transaction():
        await _take(connection, build)
        waiting = [one for one in await listed(connection, build.name) if (one.version, one.slot) == _which(build)]
        await connection.execute("SELECT set_config('search_path', $1, true)", search_path(projection, slot))
        stuck: dict[UUID, None] = {}
        for one in waiting:
            if one.key in stuck:
                continue
            error = await _apply(connection, log, codec, projection, one)
            if error is not None:
                stuck[one.key] = None
                await connection.execute(
                    "UPDATE lms.parked SET error = $5 WHERE (name, version, slot, position) = ($1, $2, $3, $4)",
                    *of(build),
                    one.position,
                    error,
                )
        left = sum(1 for one in waiting if one.key in stuck)
    applied = len(waiting) - left
    if applied and projection.FREEZES:
        await rebuild.request(pool, projection, afresh=True)
    return Retried(applied, left)


async def drop(pool: Pool, build: Build, positions: Collection[int]) -> int:
    """Go on without these events for good; how many there were. Whoever calls this has been told to."""
    async with pool.acquire() as connection, connection.transaction():
        await _take(connection, build)
        dropped = await connection.fetch(
            """DELETE FROM lms.parked WHERE name = $1 AND version = $2 AND slot = $3 AND position = ANY ($4)
               RETURNING position, type, error""",
            *of(build),
            list(positions),
        )
    for record in dropped:
        structlog.get_logger().warning("parked event was dropped", projection=build.name, **dict(record))
    return len(dropped)


def _which(build: Build) -> tuple[int, Slot]:
    """What tells the builds of one projection apart."""
    return build.version, build.slot


async def _take(connection: Connection, build: Build) -> None:
    """Fence off who keeps the build. Raises LookupError when there is no such build."""
    fence = await connection.fetchval(
        """UPDATE lms.projection
           SET fence = fence + 1, owner = NULL, until = '-infinity', paused = NULL, paused_by_type = NULL
           WHERE name = $1 AND version = $2 AND slot = $3 RETURNING fence""",
        *of(build),
    )
    if fence is None:
        raise LookupError(f"there is no {build.slot} build of {build.name} version {build.version}")


async def _apply(
    connection: Connection, log: EventLog, codec: Codec, projection: Projection, one: Parked
) -> str | None:
    """Apply one parked event and forget that it was parked; or why that did not work."""
    stored = await log.feed(one.position - 1, 1)
    try:
        async with connection.transaction():
            await projection.apply(connection, [codec.decode(stored[0])])
            await connection.execute(
                "DELETE FROM lms.parked WHERE (name, version, slot, position) = ($1, $2, $3, $4)",
                one.name,
                one.version,
                one.slot.value,
                one.position,
            )
    except TRANSIENT:
        raise
    except Exception as error:  # noqa: BLE001 - whatever an event does to a projection, the other keys go on
        return told(error)
    return None
