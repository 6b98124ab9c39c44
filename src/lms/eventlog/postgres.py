"""How does PostgreSQL keep the event log?

Appends go over two connections with group commit, commands on one stream always in the order they came; reads over a
small pool of their own, with plans pinned to the indexes.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Self, TypeVar
from uuid import UUID

import asyncpg

from lms.eventlog import token
from lms.eventlog.batcher import Pending, Queue
from lms.eventlog.dictionary import Dictionary
from lms.eventlog.head import Head
from lms.eventlog.log import Append, Appended, LogUnavailable, Overloaded, StoredEvent, weigh
from lms.eventlog.metrics import Metrics
from lms.eventlog.reading import SharedReads
from lms.eventlog.wakeup import HEAD, Wakeup
from lms.eventlog.writer import LOST, Lane, Writer

T = TypeVar("T")

_COLUMNS = """
    position, organisation, stream_id, version, command_id, type, schema_version, recorded_at, metadata, data
"""
_STREAMS = f"SELECT {_COLUMNS} FROM lms.event WHERE lane = $1 AND stream_id = ANY($2) ORDER BY stream_id, version"
_FEED = f"SELECT {_COLUMNS} FROM lms.event WHERE lane = $1 AND position > $2 ORDER BY position LIMIT $3"
_EPOCHS = "SELECT number, from_position FROM lms.epoch WHERE lane = $1 ORDER BY number"

_WRITERS = 2
_OPEN_S = 5.0
_TRIES = 3
_POLL_S = 0.5
_POLL_DEAF_S = 0.05
_PINNED = {"enable_seqscan": "off", "enable_bitmapscan": "off", "jit": "off"}


class GapInLog(Exception):  # noqa: N818 - says that the log itself is damaged
    """Positions are missing: events that were stored are gone."""


class PostgresLog:
    """An `EventLog` in PostgreSQL. Make one with `connect`; ``metrics`` counts what it does."""

    def __init__(
        self,
        dsn: str,
        *,
        lane: int,
        role: str | None,
        max_waiting: int,
        max_waiting_bytes: int,
        patience_s: float,
        stall_s: float,
    ) -> None:
        self.lane = lane
        self.metrics = Metrics()
        self._dsn = dsn
        self._role = role
        self._max_waiting = max_waiting
        self._max_waiting_bytes = max_waiting_bytes
        self._head = Head()
        self._epochs: tuple[token.Epoch, ...] = ()
        self._dictionary = Dictionary()
        self._queue = Queue()
        shared = Lane(
            lane, self._queue, self._dictionary, self.metrics, patience_s, stall_s, self._stored, self._settled
        )
        self._writers = [Writer(shared, self._connect_writer) for _ in range(_WRITERS)]
        self._wakeup = Wakeup(lane, self._head, self._connect_wakeup)
        self._shared = SharedReads(self._fetch_streams)
        self._readers: asyncpg.Pool[asyncpg.Record] | None = None
        self._open = False

    @classmethod
    async def connect(
        cls,
        dsn: str,
        *,
        lane: int = 0,
        role: str | None = "lms_application",
        readers: int = 4,
        max_waiting: int = 4_096,
        max_waiting_bytes: int = 64 << 20,
        patience_s: float = 10.0,
        stall_s: float = 30.0,
    ) -> Self:
        """Open the log of a lane.

        ``patience_s``: how long an append outlives a database that is away; ``stall_s``: how long a connection may be
        silent before its batch is sent again over another.
        """
        log = cls(
            dsn,
            lane=lane,
            role=role,
            max_waiting=max_waiting,
            max_waiting_bytes=max_waiting_bytes,
            patience_s=patience_s,
            stall_s=stall_s,
        )
        try:
            await log._start(readers)
        except BaseException:
            await log.close()
            raise
        return log

    async def _start(self, readers: int) -> None:
        self._readers = await asyncpg.create_pool(  # noqa: TID251 - the log's own readers, with plans pinned
            self._dsn, min_size=1, max_size=readers, server_settings=self._settings("lms log reader") | _PINNED
        )
        for writer in self._writers:
            await writer.start()
        self._head.advance(await self._readers.fetchval(HEAD, self.lane))
        self._wakeup.start()
        self._open = True

    async def close(self) -> None:
        """Finish what was accepted and let go of every connection. Later appends raise LogUnavailable."""
        self._open = False
        await asyncio.gather(*(writer.close() for writer in self._writers))
        await self._wakeup.close()
        if self._readers:
            await self._readers.close()

    async def append(self, append: Append) -> Appended:
        """Store the command's events durably; see `EventLog.append`."""
        events, size = weigh(append)
        metrics = self.metrics
        if not self._open:
            raise LogUnavailable("the event log is closed")
        if metrics.waiting >= self._max_waiting or metrics.waiting_bytes + size > self._max_waiting_bytes:
            metrics.overloads += 1
            raise Overloaded
        metrics.waiting += 1
        metrics.waiting_bytes += size
        answer: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
        self._queue.put(Pending(append, events, size, answer))
        return await answer

    async def streams(self, stream_ids: Sequence[UUID]) -> dict[UUID, list[StoredEvent]]:
        """All events of each stream in version order; an unknown stream gives an empty list."""
        return await self._shared.read(stream_ids) if stream_ids else {}

    async def feed(self, after: int, limit: int) -> list[StoredEvent]:
        """The events at after+1, after+2 .., at most ``limit``. Raises GapInLog."""
        events = await self._events(_FEED, self.lane, after, limit)
        for expected, event in enumerate(events, after + 1):
            if event.position != expected:
                raise GapInLog(f"lane {self.lane} has position {event.position} where {expected} belongs")
        if events:
            self._head.advance(events[-1].position)
        return events

    async def head(self) -> int:
        """The last position, 0 when the log is empty."""
        position: int = await self._reading(lambda pool: pool.fetchval(HEAD, self.lane))
        self._head.advance(position)
        return position

    def token(self, position: int) -> str:
        """The token that stands for a position of this log."""
        return token.format(self._epochs[-1].number, self.lane, position)

    async def position_of(self, text: str) -> int:
        """The position a token stands for. Raises InvalidToken, PositionLost."""
        parsed = token.parse(text)
        if parsed.epoch > self._epochs[-1].number:
            self._note_epochs(await self._reading(lambda pool: pool.fetch(_EPOCHS, self.lane)))
        head = self._head.position if parsed.position <= self._head.position else await self.head()
        return token.check(parsed, self.lane, self._epochs, head)

    async def epoch(self) -> int:
        """The epoch that a token handed out now belongs to."""
        return self._epochs[-1].number

    async def wait_beyond(self, position: int, wait_s: float) -> bool:
        """Wait until the head is beyond ``position``; False when the time ran out."""
        deadline = time.monotonic() + wait_s
        while True:
            left_s = deadline - time.monotonic()
            poll_s = _POLL_S if self._wakeup.listening else _POLL_DEAF_S
            if await self._head.wait_beyond(position, max(0.0, min(left_s, poll_s))):
                return True
            with suppress(LogUnavailable):
                if await self.head() > position:
                    return True
            if time.monotonic() >= deadline:
                return False

    async def _fetch_streams(self, stream_ids: list[UUID]) -> dict[UUID, list[StoredEvent]]:
        found: dict[UUID, list[StoredEvent]] = {stream_id: [] for stream_id in stream_ids}
        for event in await self._events(_STREAMS, self.lane, stream_ids):
            found[event.stream_id].append(event)
        return found

    async def _events(self, query: str, *arguments: Any) -> list[StoredEvent]:
        rows = await self._reading(lambda pool: pool.fetch(query, *arguments))
        names, ids = self._dictionary.type_names, self._dictionary.organisation_ids
        if any(row[1] not in ids or row[5] not in names for row in rows):
            await self._reading(self._dictionary.load)
        return [
            StoredEvent(position, ids[organisation], stream_id, version, command_id, names[number], *rest)
            for position, organisation, stream_id, version, command_id, number, *rest in rows
        ]

    async def _reading(self, read: "Callable[[asyncpg.Pool[asyncpg.Record]], Awaitable[T]]") -> T:
        """Read, again where a connection of the pool turned out to be lost."""
        if self._readers is None:
            raise LogUnavailable("the event log is closed")
        lost: BaseException | None = None
        for _ in range(_TRIES):
            try:
                return await read(self._readers)
            except LOST as error:
                lost = error
        raise LogUnavailable(f"{type(lost).__name__}: {lost}") from lost

    def _stored(self, position: int) -> None:
        self._head.advance(position)
        self._wakeup.announce()

    def _settled(self, pending: Pending) -> None:
        self.metrics.waiting -= 1
        self.metrics.waiting_bytes -= pending.size

    async def _connect_writer(self) -> "asyncpg.Connection[asyncpg.Record]":
        """A connection to append over, once it is known which epoch it writes."""
        connection = await self._connect(self._settings("lms log writer"))
        try:
            async with asyncio.timeout(_OPEN_S):
                epochs = await connection.fetch("SELECT number, from_position FROM lms.open_epoch($1)", self.lane)
                await self._dictionary.load(connection)
            self._note_epochs(epochs)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _connect_wakeup(self) -> "asyncpg.Connection[asyncpg.Record]":
        # A notification need not survive a crash, so it does not wait for the disk.
        return await self._connect(self._settings("lms log wakeup") | {"synchronous_commit": "off"})

    async def _connect(self, settings: dict[str, str]) -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(self._dsn, server_settings=settings, timeout=_OPEN_S)

    def _settings(self, name: str) -> dict[str, str]:
        return {"application_name": name} | ({"role": self._role} if self._role else {})

    def _note_epochs(self, rows: Sequence[asyncpg.Record]) -> None:
        self._epochs = tuple(token.Epoch(row["number"], row["from_position"]) for row in rows)
