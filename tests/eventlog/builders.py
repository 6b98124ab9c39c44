"""How does a test say what it appends?"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

from lms import clock
from lms.eventlog.log import Append, EventLog, NewEvent, ReadCondition, StoredEvent, Write

ORGANISATION = clock.uuid7()


def events(count: int = 1, *, kind: str = "goal.set", data: bytes = b"{}") -> tuple[NewEvent, ...]:
    return tuple(NewEvent(kind, 1, b'{"actor":{}}', data) for _ in range(count))


def write(stream_id: UUID, expected: int = 0, count: int = 1, **more: object) -> Write:
    return Write(stream_id, expected, events(count, **more))


def command(*writes: Write, reads: dict[UUID, int] | None = None, command_id: UUID | None = None) -> Append:
    conditions = tuple(ReadCondition(stream_id, version) for stream_id, version in (reads or {}).items())
    return Append(ORGANISATION, command_id or clock.uuid7(), writes, conditions)


def one(**more: object) -> Append:
    """A command that starts a stream of its own."""
    return command(write(clock.uuid7(), **more))


async def everything(log: EventLog) -> list[StoredEvent]:
    """All events in order, once the law of density is checked."""
    found = await log.feed(0, 1_000_000)
    assert [event.position for event in found] == list(range(1, len(found) + 1))
    versions: dict[UUID, int] = {}
    for event in found:
        assert event.version == versions.get(event.stream_id, 0) + 1
        versions[event.stream_id] = event.version
    assert [event.recorded_at for event in found] == sorted(event.recorded_at for event in found)
    return found


async def until(condition: Callable[[], Awaitable[bool]] | Callable[[], bool], within_s: float = 10.0) -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + within_s
    while True:
        holds = condition()
        if not isinstance(holds, bool):
            holds = await holds
        if holds:
            return
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.005)
