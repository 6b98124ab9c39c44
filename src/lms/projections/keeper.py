"""How does one build move on, exactly once, whatever fails?

The checkpoint moves first, under the build's fence, in the transaction that writes the rows: who comes too late changes
nothing. A failing batch is halved until one event is left; that event is tried `ATTEMPTS` times, then it parks with
every later event of its key, in order, and the build goes on without them.
"""

import asyncio
import time
import traceback
from collections.abc import Sequence
from uuid import UUID

import asyncpg
import msgspec
import structlog

from lms.eventlog.log import LogUnavailable
from lms.projections.advance import Advance, Move, OwnershipLost
from lms.projections.base import Connection, Projection
from lms.projections.feed import Feed, Item
from lms.projections.leases import LEASE_S, Lease
from lms.projections.registry import Pool, of, parked_keys, search_path

ATTEMPTS = 3
"""How often an event is tried before it parks."""

MOST_EVENTS = 2_000
"""Events that one transaction applies at most."""

MOST_BYTES = 4 << 20
"""Bytes of events that one transaction applies, but for its last event."""

MOST_PARKED_KEYS = 1_000
"""More keys than this parked: something is wrong with the projection, not with the events."""

FIRST_EVENTS = 64
"""Events that the first transaction applies at most; quick ones make room for more."""

BATCH_S = 0.25
"""Seconds that a transaction should take; batches grow and shrink towards it."""

WAIT_S = 1.0
"""Seconds that a build waits for new events before it looks around."""

TRANSIENT = (
    OSError,
    LogUnavailable,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.TransactionRollbackError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.LockNotAvailableError,
)
"""What says nothing about an event: tried again for as long as it takes."""

_PAUSE_S = 0.1

_MOVE = """
    UPDATE lms.projection
    SET position = $6, moved_at = clock_timestamp(), until = clock_timestamp() + make_interval(secs => $7)
    WHERE name = $1 AND version = $2 AND slot = $3 AND position = $4 AND fence = $5
    RETURNING set_config('search_path', $8, true)
"""

_PARK = """
    INSERT INTO lms.parked (name, version, slot, position, key, type, error)
    SELECT $1, $2, $3, * FROM unnest($4::bigint[], $5::uuid[], $6::text[], $7::text[])
"""


class Paused(Exception):  # noqa: N818 - a state that somebody must end
    """The build stands still. ``by_type``: the event type that must be known to go on."""

    def __init__(self, reason: str, by_type: str | None = None) -> None:
        super().__init__(reason)
        self.by_type = by_type


class Unready(Exception):  # noqa: N818 - a reason to come again later
    """The build cannot be brought to a position within one transaction."""


class Batch(msgspec.Struct, frozen=True):
    """What one transaction does: move to ``position``, apply some events, park others (with the reason)."""

    position: int
    apply: tuple[Item, ...] = ()
    park: tuple[tuple[Item, str], ...] = ()

    @property
    def size(self) -> int:
        """How many events it is about."""
        return len(self.apply) + len(self.park)


class Keeper:
    """Moves one build on while it is leased to this process."""

    def __init__(self, projection: Projection, lease: Lease, pool: Pool, feed: Feed, advance: Advance) -> None:
        self.projection = projection
        self.build = lease.build
        self.position = lease.position
        self.fence = lease.fence
        self._pool = pool
        self._feed = feed
        self._advance = advance
        self._path = search_path(projection, lease.build.slot)
        self._topics = projection.topics()
        self._most = min(FIRST_EVENTS, MOST_EVENTS)
        self._parked: set[UUID] | None = None
        self._failures = 0
        self._log = structlog.get_logger().bind(
            projection=self.build.name, version=self.build.version, slot=self.build.slot.value
        )

    async def step(self, wait_s: float = WAIT_S) -> None:
        """Wait for events and apply some. Raises OwnershipLost, Paused."""
        try:
            items = await self._feed.after(self.position, wait_s)
            if items:
                if self._parked is None:
                    async with self._pool.acquire() as connection:
                        self._parked = await parked_keys(connection, self.build)
                await self._move_on(self._batch(items, self._parked))
        except TRANSIENT as error:
            self._log.warning("projection waits for the database", error=told(error), position=self.position)
            await asyncio.sleep(_PAUSE_S + _jitter())

    async def catch_up(self, connection: Connection, position: int) -> None:
        """Within the caller's transaction, apply everything up to a position that is not far away.

        Raises Unready where an event fails: `step` deals with it.
        """
        while self.position < position:
            items = await self._feed.after(self.position, WAIT_S)
            if not items:
                continue
            batch = self._batch(items, await parked_keys(connection, self.build))
            try:
                await self._write(connection, batch)
            except (*TRANSIENT, OwnershipLost):
                raise
            except Exception as error:
                raise Unready(told(error)) from error
            self._written(batch)

    def _batch(self, items: Sequence[Item], parked: set[UUID]) -> Batch:
        """As many of the items as fit, sorted into those to apply and those that park behind an earlier one."""
        if items[0].is_unknown:
            raise Paused(
                f"position {items[0].position} holds an event that this program does not know: {items[0].problem};"
                " a newer program goes on from here",
                items[0].type,
            )
        apply: list[Item] = []
        park: list[tuple[Item, str]] = []
        position, size = self.position, 0
        for item in items:
            if item.is_unknown or len(apply) + len(park) >= self._most or size > MOST_BYTES:
                break
            position = item.position
            if item.type not in self._topics:
                continue
            size += item.size
            if parked and self._key(item) in parked:
                park.append((item, "waits for an earlier event of its key"))
            else:
                apply.append(item)
        return Batch(position, tuple(apply), tuple(park))

    async def _move_on(self, batch: Batch) -> None:
        """Apply and park in one transaction, and learn from how it went."""
        if not batch.size:
            await self._advance.move(Move(self.build, self.position, batch.position, self.fence))
            self._written(batch)
            return
        started = time.monotonic()
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                await self._write(connection, batch)
        except TRANSIENT:
            # A transaction that takes too long for the server is cut off: the next one is shorter.
            self._most = max(1, batch.size // 2)
            raise
        except OwnershipLost:
            raise
        except Exception as error:  # noqa: BLE001 - whatever an event does to a projection, the others go on
            await self._failed(batch, error)
            return
        self._written(batch)
        self._failures = 0
        took_s = time.monotonic() - started
        if took_s > BATCH_S:
            self._most = max(1, batch.size // 2)
        elif took_s < BATCH_S / 2:
            self._most = min(MOST_EVENTS, self._most * 2)

    async def _write(self, connection: Connection, batch: Batch) -> None:
        """Move the checkpoint, then write the rows. Raises OwnershipLost."""
        moved = await connection.fetchval(
            _MOVE, *of(self.build), self.position, self.fence, batch.position, LEASE_S, self._path
        )
        if moved is None:
            raise OwnershipLost(f"{self.build}: not at {self.position} under fence {self.fence}")
        if batch.park:
            await connection.execute(
                _PARK,
                *of(self.build),
                [item.position for item, _ in batch.park],
                [self._key(item) for item, _ in batch.park],
                [item.type for item, _ in batch.park],
                [reason for _, reason in batch.park],
            )
        if batch.apply:
            envelopes = []
            for item in batch.apply:
                if item.envelope is None:
                    raise item.problem or LookupError(f"position {item.position} was not decoded")
                envelopes.append(item.envelope)
            await self.projection.apply(connection, envelopes)

    def _written(self, batch: Batch) -> None:
        self.position = batch.position
        self._advance.note(self.build, self.position)

    async def _failed(self, batch: Batch, error: Exception) -> None:
        """Halve the batch; park the one event that is left after its last attempt. Raises Paused."""
        if batch.size > 1:
            self._most = max(1, batch.size // 2)
            return
        self._failures += 1
        item = batch.apply[0]
        self._log.warning(
            "projection cannot apply an event",
            position=item.position,
            type=item.type,
            error=told(error),
            at=_place(error),
            attempt=self._failures,
        )
        if self._failures < ATTEMPTS:
            await asyncio.sleep(_PAUSE_S * self._failures + _jitter())
            return
        self._failures = 0
        parked = self._parked or set()
        if len(parked) >= MOST_PARKED_KEYS:
            raise Paused(f"{len(parked)} keys have parked: the projection is broken; at {item.position}: {told(error)}")
        parking = Batch(batch.position, (), ((item, told(error)),))
        async with self._pool.acquire() as connection, connection.transaction():
            await self._write(connection, parking)
        self._parked = parked | {self._key(item)}
        self._written(parking)

    def _key(self, item: Item) -> UUID:
        return item.stream_id if item.envelope is None else self.projection.parking_key(item.envelope)


def told(error: BaseException) -> str:
    """An error as one line, without the rows that PostgreSQL shows in its detail."""
    text = error.message if isinstance(error, asyncpg.PostgresError) else str(error)
    return f"{type(error).__name__}: {text}".replace("\n", " ")[:500]


def _place(error: BaseException) -> str:
    """Where in the code it went wrong; a whole traceback could show what people wrote."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""


def _jitter() -> float:
    """Up to a tenth of a second, so that processes that failed together do not try again together."""
    return time.monotonic_ns() % 100_000 / 1_000_000
