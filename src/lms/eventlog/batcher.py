"""Which commands go into the next batch, whichever connection is free for it?

As many as fit, in the order they came, but never two of which one writes what the other writes or reads: a batch is
judged against the state before it.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from uuid import UUID

import msgspec

from lms.eventlog.log import MAX_BYTES, MAX_EVENTS, Append, Appended

MAX_COMMANDS = 500
"""Commands in one batch."""

_MANY = 16
"""Fewer commands than this are not worth two batches."""


class Pending(msgspec.Struct, eq=False):
    """An append that waits for its batch, and who waits for its answer."""

    append: Append
    events: int
    size: int
    answer: asyncio.Future[Appended]

    def accept(self, appended: Appended) -> None:
        """Answer whoever still listens."""
        if not self.answer.done():
            self.answer.set_result(appended)

    def refuse(self, error: Exception) -> None:
        """Answer whoever still listens."""
        if not self.answer.done():
            self.answer.set_exception(error)


class Queue:
    """The appends that wait for a connection, and what is in flight on either."""

    def __init__(self) -> None:
        self._waiting: deque[Pending] = deque()
        self._in_flight: set[UUID] = set()
        self._batches = 0
        self._idle: list[asyncio.Future[None]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, pending: Pending) -> None:
        """Line up."""
        self._waiting.append(pending)
        self.wake()

    def wake(self) -> None:
        """Have an idle connection look again."""
        if self._idle:
            self._idle.pop().set_result(None)

    def wake_all(self) -> None:
        """Have every idle connection look again."""
        while self._idle:
            self.wake()

    async def changed(self) -> None:
        """Wait until there may be something to take."""
        idle = asyncio.get_running_loop().create_future()
        self._idle.append(idle)
        await idle

    def take(self) -> list[Pending]:
        """The next batch, empty when nothing can go. What must wait for others stays in line, in its order.

        Nothing is taken that touches a stream written by a batch still in flight: commands on one stream are stored
        in the order they were sent.
        """
        batch: list[Pending] = []
        aside: list[Pending] = []
        written = self._in_flight.copy()
        read: set[UUID] = set()
        events = size = 0
        waiting = self._waiting
        most = self._share()
        while waiting and len(batch) < most and len(aside) < MAX_COMMANDS:
            pending = waiting[0]
            if batch and (events + pending.events > MAX_EVENTS or size + pending.size > MAX_BYTES):
                break
            waiting.popleft()
            if _claim(pending.append, written, read):
                batch.append(pending)
                events += pending.events
                size += pending.size
            else:
                aside.append(pending)
        waiting.extendleft(reversed(aside))
        self._batches += bool(batch)
        for pending in batch:
            self._in_flight.update([write.stream_id for write in pending.append.writes])
        return batch

    def _share(self) -> int:
        """How many commands one batch may take: of many, half is left for the other connection while that is idle.

        Its batch then waits for the lane's lock on the server, and follows with no round trip in between.
        """
        waiting = len(self._waiting)
        if self._batches or waiting < _MANY:
            return MAX_COMMANDS
        self.wake()
        return (waiting + 1) // 2

    def landed(self, batch: Sequence[Pending]) -> None:
        """The batch is answered: what waited for its streams may go."""
        self._batches -= 1
        for pending in batch:
            self._in_flight.difference_update([write.stream_id for write in pending.append.writes])
        if self._waiting:
            self.wake()


def _claim(append: Append, written: set[UUID], read: set[UUID]) -> bool:
    """Note what the append touches; False when it must not go beside what was noted before.

    One that must wait is noted as well, so that nothing on its streams overtakes it.
    """
    if len(append.writes) == 1 and not append.reads:
        stream_id = append.writes[0].stream_id
        free = stream_id not in written and stream_id not in read
        written.add(stream_id)
        return free
    writes = {write.stream_id for write in append.writes}
    reads = {condition.stream_id for condition in append.reads}
    free = written.isdisjoint(writes) and read.isdisjoint(writes) and written.isdisjoint(reads)
    written |= writes
    read |= reads
    return free
