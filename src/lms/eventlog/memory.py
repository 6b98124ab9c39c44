"""What does the log answer when nothing but this process's memory holds it?

The twin of the PostgreSQL log for tests of what stands on it: the same answers, no durability.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from lms import clock
from lms.eventlog import token
from lms.eventlog.head import Head
from lms.eventlog.log import (
    ANY_VERSION,
    Append,
    Appended,
    DuplicateCommand,
    LogUnavailable,
    StaleVersion,
    StoredEvent,
    weigh,
)

_EPOCHS = (token.Epoch(number=1, from_position=0),)
_TICK = timedelta(microseconds=1)


class MemoryLog:
    """An `EventLog` in memory. ``now`` gives the time that events are recorded at."""

    def __init__(self, *, lane: int = 0, now: Callable[[], datetime] = clock.now) -> None:
        self.lane = lane
        self._now = now
        self._events: list[StoredEvent] = []
        self._streams: dict[UUID, list[StoredEvent]] = {}
        self._head = Head()
        self._open = True

    async def append(self, append: Append) -> Appended:
        """Store the command's events; see `EventLog.append`."""
        weigh(append)
        if not self._open:
            raise LogUnavailable
        if any(event.command_id == append.command_id for w in append.writes for event in self._stream(w.stream_id)):
            raise DuplicateCommand
        if any(write.expected_version not in (ANY_VERSION, self._version(write.stream_id)) for write in append.writes):
            raise StaleVersion
        if any(read.version != self._version(read.stream_id) for read in append.reads):
            raise StaleVersion
        self._store(append)
        self._head.advance(len(self._events))
        return Appended(
            position=len(self._events), versions=tuple(self._version(write.stream_id) for write in append.writes)
        )

    async def streams(self, stream_ids: Sequence[UUID]) -> dict[UUID, list[StoredEvent]]:
        """All events of each stream in version order; an unknown stream gives an empty list."""
        return {stream_id: list(self._stream(stream_id)) for stream_id in stream_ids}

    async def feed(self, after: int, limit: int) -> list[StoredEvent]:
        """The events at after+1, after+2 .., at most ``limit``."""
        return self._events[after : after + limit]

    async def head(self) -> int:
        """The last position, 0 when the log is empty."""
        return len(self._events)

    def token(self, position: int) -> str:
        """The token that stands for a position of this log."""
        return token.format(_EPOCHS[-1].number, self.lane, position)

    async def position_of(self, text: str) -> int:
        """The position a token stands for. Raises InvalidToken, PositionLost."""
        return token.check(token.parse(text), self.lane, _EPOCHS, len(self._events))

    async def epoch(self) -> int:
        """The epoch that a token handed out now belongs to: memory has but one."""
        return _EPOCHS[-1].number

    async def wait_beyond(self, position: int, wait_s: float) -> bool:
        """Wait until the head is beyond ``position``; False when the time ran out."""
        return await self._head.wait_beyond(position, wait_s)

    async def close(self) -> None:
        """Refuse appends from now on."""
        self._open = False

    def _stream(self, stream_id: UUID) -> Sequence[StoredEvent]:
        return self._streams.get(stream_id, ())

    def _version(self, stream_id: UUID) -> int:
        return len(self._stream(stream_id))

    def _store(self, append: Append) -> None:
        recorded_at = self._now()
        if self._events:
            recorded_at = max(recorded_at, self._events[-1].recorded_at + _TICK)
        for write in append.writes:
            stream = self._streams.setdefault(write.stream_id, [])
            for event in write.events:
                stored = StoredEvent(
                    position=len(self._events) + 1,
                    organisation_id=append.organisation_id,
                    stream_id=write.stream_id,
                    version=len(stream) + 1,
                    command_id=append.command_id,
                    type=event.type,
                    schema_version=event.schema_version,
                    recorded_at=recorded_at,
                    metadata=event.metadata,
                    data=event.data,
                )
                self._events.append(stored)
                stream.append(stored)
