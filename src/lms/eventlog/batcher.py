"""Which commands go into the next batch of an append connection?

As many as fit, in the order they came, but never two of which one writes what the other writes or reads: a batch is
judged against the state before it.
"""

import asyncio
from collections import deque
from uuid import UUID

import msgspec

from lms.eventlog.log import MAX_BYTES, MAX_EVENTS, Append, Appended

MAX_COMMANDS = 500
"""Commands in one batch."""


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
    """The appends that wait for one connection."""

    def __init__(self) -> None:
        self._waiting: deque[Pending] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, pending: Pending) -> None:
        """Line up."""
        self._waiting.append(pending)

    def take(self) -> list[Pending]:
        """The next batch, empty when nothing waits. What must wait for it stays in line, in its order."""
        batch: list[Pending] = []
        aside: list[Pending] = []
        written: set[UUID] = set()
        read: set[UUID] = set()
        events = size = 0
        waiting = self._waiting
        while waiting and len(batch) < MAX_COMMANDS and len(aside) < MAX_COMMANDS:
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
        return batch


def _claim(append: Append, written: set[UUID], read: set[UUID]) -> bool:
    """Note what the append touches; False when it must not go beside what was noted before.

    One that must wait is noted as well, so that nothing on its streams overtakes it.
    """
    free = True
    for write in append.writes:
        if write.stream_id in written or write.stream_id in read:
            free = False
    for condition in append.reads:
        if condition.stream_id in written:
            free = False
    for write in append.writes:
        written.add(write.stream_id)
    for condition in append.reads:
        read.add(condition.stream_id)
    return free
