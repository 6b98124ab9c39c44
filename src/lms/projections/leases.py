"""Which builds does this process keep? Leases on the database's clock, and a fence for who comes too late.

A lease says who should write, the fence who may: each new owner raises it, and a checkpoint moves only under the fence
that its writer was given. Processes share the builds evenly; what one lets go, by stopping or by dying, another takes
within `LEASE_S` and one `TICK_S`.
"""

import hashlib
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

import msgspec

from lms.projections.base import Projection
from lms.projections.registry import Build, Pool, Slot, definition

LEASE_S = 3.0
"""Seconds that a lease lasts without renewal."""

TICK_S = 0.8
"""Seconds between renewals, and between looks for builds that nobody keeps."""

_LEASE = timedelta(seconds=LEASE_S)

_ARRIVE = """
    INSERT INTO lms.projector AS p (id, until, program) VALUES ($1, clock_timestamp() + $2::interval, $3)
    ON CONFLICT (id) DO UPDATE SET until = EXCLUDED.until
"""

_COUNT = """
    WITH gone AS (DELETE FROM lms.projector WHERE until < clock_timestamp() - interval '1 minute')
    SELECT count(*) FROM lms.projector WHERE program = $1 AND until > clock_timestamp()
"""

# A row that is locked is being written, which renews its lease too.
_RENEW = """
    UPDATE lms.projection AS p SET until = clock_timestamp() + $2::interval
    FROM (SELECT name, version, slot FROM lms.projection WHERE owner = $1 FOR UPDATE SKIP LOCKED) AS mine
    WHERE (p.name, p.version, p.slot) = (mine.name, mine.version, mine.slot)
"""

_MINE = """
    SELECT name, version, slot, fence FROM lms.projection WHERE owner = $1
"""

_ACQUIRE = """
    UPDATE lms.projection AS p
    SET owner = $1, until = clock_timestamp() + $2::interval, fence = p.fence + 1, paused = NULL, paused_by_type = NULL
    FROM (
        SELECT b.name, b.version, b.slot
        FROM lms.projection AS b
        JOIN unnest($3::text[], $4::integer[], $5::text[]) AS known (name, version, definition)
        USING (name, version, definition)
        WHERE b.until < clock_timestamp() AND b.slot = ANY ($6::text[])
          AND (b.paused IS NULL OR b.paused_by_type = ANY ($7::text[]))
        ORDER BY b.slot, b.name LIMIT $8
        FOR UPDATE OF b SKIP LOCKED
    ) AS free
    WHERE (p.name, p.version, p.slot) = (free.name, free.version, free.slot)
    RETURNING p.name, p.version, p.slot, p.position, p.fence
"""

_KEEPABLE = """
    SELECT count(*) FROM lms.projection AS b
    JOIN unnest($1::text[], $2::integer[], $3::text[]) AS known (name, version, definition)
    USING (name, version, definition)
    WHERE b.paused IS NULL OR b.paused_by_type = ANY ($4::text[])
"""


class Lease(msgspec.Struct, frozen=True):
    """The right to write a build from a position on, as long as the fence is the highest given."""

    build: Build
    position: int
    fence: int


class Leases:
    """The leases of one process. ``types``: the event types it knows; ``slots``: what it is there for."""

    def __init__(
        self,
        pool: Pool,
        owner: UUID,
        projections: Collection[Projection],
        types: Collection[str],
        slots: Collection[Slot] = tuple(Slot),
        *,
        shares: bool = True,
    ) -> None:
        self._pool = pool
        self._owner = owner
        self._known = (
            [one.NAME for one in projections],
            [one.VERSION for one in projections],
            [definition(one) for one in projections],
        )
        self._types = sorted(types)
        self._program = hashlib.sha256(repr((self._known, self._types)).encode()).hexdigest()[:32]
        self._slots = [slot.value for slot in slots]
        self._shares = shares

    async def held(self) -> dict[Build, int]:
        """Renew the leases; the builds this process still holds, with their fences."""
        async with self._pool.acquire() as connection:
            await connection.execute(_RENEW, self._owner, _LEASE)
            return {
                Build(record["name"], record["version"], Slot(record["slot"])): record["fence"]
                for record in await connection.fetch(_MINE, self._owner)
            }

    async def share(self) -> int:
        """How many builds are this process's fair share."""
        if not self._shares:
            return len(self._known[0])
        async with self._pool.acquire() as connection:
            await connection.execute(_ARRIVE, self._owner, _LEASE, self._program)
            processes: int = await connection.fetchval(_COUNT, self._program)
            builds: int = await connection.fetchval(_KEEPABLE, *self._known, self._types)
        return -(-builds // max(1, processes))

    async def acquire(self, most: int) -> list[Lease]:
        """Take up to so many builds that nobody keeps."""
        if most <= 0:
            return []
        taken = await self._pool.fetch(_ACQUIRE, self._owner, _LEASE, *self._known, self._slots, self._types, most)
        return [
            Lease(Build(record["name"], record["version"], Slot(record["slot"])), record["position"], record["fence"])
            for record in taken
        ]

    async def release(self, build: Build, paused: str | None = None, by_type: str | None = None) -> None:
        """Let go of a build, so that another may take it; with a reason it stands still until somebody acts."""
        await self._pool.execute(
            """UPDATE lms.projection SET owner = NULL, until = '-infinity', paused = $5, paused_by_type = $6
               WHERE owner = $1 AND name = $2 AND version = $3 AND slot = $4""",
            self._owner,
            build.name,
            build.version,
            build.slot.value,
            paused,
            by_type,
        )

    async def leave(self) -> None:
        """Let go of everything: this process stops."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "UPDATE lms.projection SET owner = NULL, until = '-infinity' WHERE owner = $1", self._owner
            )
            await connection.execute("DELETE FROM lms.projector WHERE id = $1", self._owner)
