"""How does one append connection turn waiting commands into stored events, whatever happens to it?

While a batch is in flight the next one fills; there is no timer. A lost connection leaves the outcome of its batch
unknown: the same commands are sent again, and those already stored are recognised by their command id.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import asyncpg
import msgspec
import structlog

from lms.eventlog.batcher import Pending, Queue
from lms.eventlog.dictionary import Dictionary
from lms.eventlog.log import Appended, AppendRejected, DuplicateCommand, LogUnavailable, StaleVersion
from lms.eventlog.metrics import Metrics

LOST = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.TransactionRollbackError,
    asyncpg.ObjectNotInPrerequisiteStateError,
)
"""Failures of the way to the database or of the database itself, none of the command's making."""

_APPEND = "SELECT head, verdicts, versions, waited_s FROM lms.append($1, $2, $3)"

_RECALL = """
    SELECT stream_id, version, position, type, schema_version, metadata, data FROM lms.event
    WHERE lane = $1 AND stream_id = ANY($2) AND command_id = $3 ORDER BY position
"""

_FIRST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 1.0

_logger = structlog.get_logger(__name__)


async def let_go(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Say goodbye to the server, or hang up where it does not answer."""
    try:
        await connection.close(timeout=1)
    except LOST:
        connection.terminate()


class Lane(msgspec.Struct):
    """What the writers of a lane share."""

    number: int
    queue: Queue
    dictionary: Dictionary
    metrics: Metrics
    patience_s: float
    stall_s: float
    stored: Callable[[int], None]
    settled: Callable[[Pending], None]


class Writer:
    """One append connection and the commands that wait for it."""

    def __init__(self, lane: Lane, connect: "Callable[[], Awaitable[asyncpg.Connection[asyncpg.Record]]]") -> None:
        self._lane = lane
        self._connect = connect
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._closing = False
        self._down_since: float | None = None
        self._pause_s = _FIRST_PAUSE_S
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect, and begin to work through the queue."""
        self._connection = await self._connect()
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Work through what waits, then let go of the connection."""
        self._closing = True
        self._lane.queue.wake_all()
        if self._task:
            await self._task
        if self._connection is not None:
            await let_go(self._connection)

    async def _run(self) -> None:
        queue = self._lane.queue
        while True:
            batch = queue.take()
            if batch:
                await self._settle(batch, unsure=False)
                queue.landed(batch)
                for pending in batch:
                    self._lane.settled(pending)
                await asyncio.sleep(0)  # who was just answered sends his next command: it goes with this batch
            elif self._closing:
                return
            else:
                await queue.changed()

    async def _settle(self, batch: Sequence[Pending], *, unsure: bool) -> None:
        """Answer every command of the batch. ``unsure``: an earlier try may have stored it."""
        while True:
            try:
                if self._connection is None:
                    self._connection = await self._connect()
                    self._lane.metrics.reconnects += 1
                await self._deliver(self._connection, batch, unsure=unsure)
            except LOST as error:
                unsure = True
                self._drop()
                if not await self._may_try_again(error):
                    self._give_up(batch, error)
                    return
            except Exception as error:  # noqa: BLE001 - whatever it is, it is one command's, found by halving
                self._recovered()
                await self._isolate(batch, error, unsure=unsure)
                return
            else:
                self._recovered()
                return

    async def _isolate(self, batch: Sequence[Pending], error: Exception, *, unsure: bool) -> None:
        """Fail the command that the database refuses, store the others."""
        if len(batch) > 1:
            half = len(batch) // 2
            await self._settle(batch[:half], unsure=unsure)
            await self._settle(batch[half:], unsure=unsure)
            return
        self._lane.metrics.rejected += 1
        rejection = AppendRejected(f"{type(error).__name__}: {error}")
        rejection.__cause__ = error
        batch[0].refuse(rejection)

    async def _may_try_again(self, error: BaseException) -> bool:
        now = time.monotonic()
        if self._down_since is None:
            self._down_since = now
            _logger.warning("append connection lost", lane=self._lane.number, error=str(error))
        if now - self._down_since >= self._lane.patience_s:
            return False
        await asyncio.sleep(self._pause_s)
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        return True

    def _recovered(self) -> None:
        self._down_since = None
        self._pause_s = _FIRST_PAUSE_S

    def _give_up(self, batch: Sequence[Pending], error: BaseException) -> None:
        self._lane.metrics.unavailable += len(batch)
        for pending in batch:
            unavailable = LogUnavailable(f"{type(error).__name__}: {error}")
            unavailable.__cause__ = error
            pending.refuse(unavailable)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def _deliver(
        self, connection: "asyncpg.Connection[asyncpg.Record]", batch: Sequence[Pending], *, unsure: bool
    ) -> None:
        lane = self._lane
        try:
            rows = _rows(batch, lane.dictionary)
        except KeyError:
            await lane.dictionary.learn(connection, (pending.append for pending in batch))
            rows = _rows(batch, lane.dictionary)
        started = time.perf_counter()
        # The driver's own timeout would cancel a commit. A silent connection is hung up instead, the batch sent again.
        hang_up = asyncio.get_running_loop().call_later(lane.stall_s, connection.terminate)
        try:
            row = await connection.fetchrow(_APPEND, lane.number, *rows)
        finally:
            hang_up.cancel()
        assert row is not None  # noqa: S101 - a function with OUT parameters returns one row
        head, verdicts, versions, waited_s = row
        metrics = lane.metrics
        metrics.batches += 1
        metrics.commands += len(batch)
        metrics.largest_batch = max(metrics.largest_batch, len(batch))
        metrics.lock_wait_s += waited_s
        metrics.commit_s += time.perf_counter() - started - waited_s
        duplicates = self._answer(batch, head, verdicts, versions)
        for pending in duplicates:
            if unsure and (stored := await self._recall(connection, pending)):
                pending.accept(stored)
            else:
                metrics.duplicates += 1
                pending.refuse(DuplicateCommand())

    def _answer(
        self, batch: Sequence[Pending], head: int, verdicts: Sequence[bytes], versions: Sequence[int]
    ) -> list[Pending]:
        """Tell the accepted and the stale; the duplicates are returned."""
        duplicates = []
        position, write = head, 0
        for pending, verdict in zip(batch, verdicts, strict=True):
            writes = pending.append.writes
            if verdict == b"A":
                position += pending.events
                if len(writes) == 1:
                    after: tuple[int, ...] = (versions[write] + pending.events,)
                else:
                    after = tuple(versions[write + n] + len(each.events) for n, each in enumerate(writes))
                pending.accept(Appended(position, after))
            elif verdict == b"S":
                self._lane.metrics.stale += 1
                pending.refuse(StaleVersion())
            else:
                duplicates.append(pending)
            write += len(writes)
        if position > head:
            self._lane.metrics.events += position - head
            self._lane.stored(position)
        return duplicates

    async def _recall(self, connection: "asyncpg.Connection[asyncpg.Record]", pending: Pending) -> Appended | None:
        """The answer to a command that an earlier try stored; None when another command has its id."""
        append = pending.append
        numbers = self._lane.dictionary.type_numbers
        stream_ids = [write.stream_id for write in append.writes]
        rows = await connection.fetch(_RECALL, self._lane.number, stream_ids, append.command_id)
        found = [(row["stream_id"], *row[3:]) for row in rows]
        sent = [
            (write.stream_id, numbers[event.type], event.schema_version, event.metadata, event.data)
            for write in append.writes
            for event in write.events
        ]
        if found != sent:
            return None
        versions = {row["stream_id"]: row["version"] for row in rows}
        return Appended(rows[-1]["position"], tuple(versions[stream_id] for stream_id in stream_ids))


def _rows(batch: Sequence[Pending], dictionary: Dictionary) -> tuple[list[Any], list[Any]]:
    """What ``lms.append`` takes: ``lms.new_event`` and ``lms.read_condition`` in order.

    Raises KeyError where a type or organisation has no number yet.
    """
    types, organisations = dictionary.type_numbers, dictionary.organisation_numbers
    events: list[Any] = []
    reads: list[Any] = []
    number = 0
    for command, pending in enumerate(batch, 1):
        append = pending.append
        command_id, organisation = append.command_id, organisations[append.organisation_id]
        for write in append.writes:
            number += 1
            stream_id, expected = write.stream_id, write.expected_version
            for step, event in enumerate(write.events, 1):
                kind = types[event.type]
                stored = (kind, event.schema_version, event.metadata, event.data)
                events.append((command, command_id, organisation, number, stream_id, expected, step, *stored))
        if append.reads:
            reads.extend((command, read.stream_id, read.version) for read in append.reads)
    return events, reads
