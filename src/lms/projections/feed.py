"""What happened next? One read and one decode for all who stand at the same place in the log.

Events near where readers stand are kept in windows. Readers at the head share one; a lagging reader gets its own, and
falls into another's when it catches up.
"""

import asyncio
from collections.abc import Container, Sequence
from uuid import UUID

import msgspec

from lms.eventlog.codec import Codec, Envelope, UnknownEventType, UnreadableEvent
from lms.eventlog.log import EventLog, StoredEvent

READ_EVENTS = 1_000
"""Events in one read of the log."""

WINDOW_BYTES = 8 << 20
"""Bytes of events that a window keeps."""

_WINDOWS = 4
_YIELD_EVERY = 128
_OVERHEAD_BYTES = 600


class Item(msgspec.Struct, frozen=True, gc=False):
    """One event of the feed. ``envelope`` is there when some reader wants its type and it could be decoded."""

    position: int
    type: str
    stream_id: UUID
    size: int
    envelope: Envelope | None = None
    problem: Exception | None = None

    @property
    def is_unknown(self) -> bool:
        """Tell whether this program does not know the event's type or version."""
        return isinstance(self.problem, UnknownEventType)


class Feed:
    """The log's events from any position on. ``known``: the types of the catalogue; ``wanted``: those to decode."""

    def __init__(self, log: EventLog, codec: Codec, known: Container[str], wanted: Container[str]) -> None:
        self._log = log
        self._codec = codec
        self._known = known
        self._wanted = wanted
        self._windows: list[_Window] = []
        self._waits: dict[int, asyncio.Task[bool]] = {}

    async def after(self, position: int, wait_s: float = 0) -> Sequence[Item]:
        """The events at position+1, position+2 .., as many as are at hand; none when ``wait_s`` ran out."""
        items = await self._at_hand(position)
        if not items and wait_s and await self._grows_beyond(position, wait_s):
            items = await self._at_hand(position)
        return items

    async def close(self) -> None:
        """Let go of whoever waits for more."""
        waits = list(self._waits.values())
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)

    async def _grows_beyond(self, position: int, wait_s: float) -> bool:
        """Wait once for all who stand at the position."""
        wait = self._waits.get(position)
        if wait is None:
            wait = self._waits[position] = asyncio.create_task(self._log.wait_beyond(position, wait_s))
            wait.add_done_callback(lambda _: self._waits.pop(position, None))
        return await asyncio.shield(wait)

    async def _at_hand(self, position: int) -> Sequence[Item]:
        window = self._window(position)
        if position == window.end:
            async with window.lock:
                if position == window.end:
                    window.add(await self._read(position))
        return window.after(position)

    def _window(self, position: int) -> "_Window":
        """The window that goes on from this position, the most advanced if several do."""
        holding = [window for window in self._windows if window.start <= position <= window.end]
        if holding:
            window = max(holding, key=lambda one: one.end)
            self._windows.remove(window)
        else:
            window = _Window(position)
            del self._windows[: -_WINDOWS + 1]
        self._windows.append(window)
        return window

    async def _read(self, position: int) -> list[Item]:
        stored = await self._log.feed(position, READ_EVENTS)
        items = []
        for n, event in enumerate(stored, 1):
            items.append(self._item(event))
            if n % _YIELD_EVERY == 0:
                await asyncio.sleep(0)
        return items

    def _item(self, event: StoredEvent) -> Item:
        size = len(event.data) + len(event.metadata) + _OVERHEAD_BYTES
        envelope: Envelope | None = None
        problem: Exception | None = None
        if event.type not in self._known:
            problem = UnknownEventType(event.type)
        elif event.type in self._wanted:
            try:
                envelope = self._codec.decode(event)
            except (UnknownEventType, UnreadableEvent) as error:
                problem = error
        return Item(event.position, event.type, event.stream_id, size, envelope, problem)


class _Window:
    """Consecutive events: those after position ``start``, up to ``end``."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.lock = asyncio.Lock()
        self._items: list[Item] = []
        self._bytes = 0

    @property
    def end(self) -> int:
        return self.start + len(self._items)

    def after(self, position: int) -> Sequence[Item]:
        # The window may have moved on while the reader waited for the lock: it comes again and gets its own.
        return self._items[position - self.start :] if position >= self.start else []

    def add(self, items: Sequence[Item]) -> None:
        self._items.extend(items)
        self._bytes += sum(item.size for item in items)
        drop = 0
        while self._bytes > WINDOW_BYTES and drop < len(self._items) - len(items):
            self._bytes -= self._items[drop].size
            drop += 1
        del self._items[:drop]
        self.start += drop
