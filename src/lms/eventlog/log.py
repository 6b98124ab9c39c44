"""What does an event log promise, whatever stores it?"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

ANY_VERSION = -1
"""Expected version of a write that does not care what the stream holds."""


class NewEvent(msgspec.Struct, frozen=True):
    """An encoded event on its way into the log."""

    type: str
    schema_version: int
    metadata: bytes
    data: bytes


class Write(msgspec.Struct, frozen=True):
    """Events for one stream, accepted when it stands at the expected version (0: new stream)."""

    stream_id: UUID
    expected_version: int
    events: tuple[NewEvent, ...]


class ReadCondition(msgspec.Struct, frozen=True):
    """A stream the decision read without writing it: it must still stand at this version."""

    stream_id: UUID
    version: int


class Append(msgspec.Struct, frozen=True):
    """One command's events, over one or several streams: all are stored, or none."""

    organisation_id: UUID
    command_id: UUID
    writes: tuple[Write, ...]
    reads: tuple[ReadCondition, ...] = ()


class Appended(msgspec.Struct, frozen=True):
    """The answer to an accepted append: its last position, and each write's last version in order."""

    position: int
    versions: tuple[int, ...]


class StoredEvent(msgspec.Struct, frozen=True):
    """An encoded event as the log holds it. ``position`` is dense in the lane, ``version`` in the stream."""

    position: int
    organisation_id: UUID
    stream_id: UUID
    version: int
    command_id: UUID
    type: str
    schema_version: int
    recorded_at: datetime
    metadata: bytes
    data: bytes


class StaleVersion(Exception):  # noqa: N818 - one of the answers to an append
    """A stream the append writes or read has moved on: load it anew and decide again."""


class DuplicateCommand(Exception):  # noqa: N818 - one of the answers to an append
    """The command id already stands in a stream the append writes: this is a retry."""


class Overloaded(Exception):  # noqa: N818 - one of the answers to an append
    """Too many appends wait; try again after ``retry_after`` seconds."""

    def __init__(self, retry_after: int = 1) -> None:
        super().__init__(f"the event log is overloaded, try again in {retry_after} s")
        self.retry_after = retry_after


class AppendTooLarge(Exception):  # noqa: N818 - one of the answers to an append
    """The command's events exceed what one append may carry."""


class AppendRejected(Exception):  # noqa: N818 - one of the answers to an append
    """The store refuses this very command, whoever sends it and however often; the cause says why."""


class LogUnavailable(Exception):  # noqa: N818 - the outcome of an append may be unknown; retry with the same command id
    """The log cannot be reached."""


MAX_EVENTS = 2_000
"""Events that one append may carry."""

MAX_BYTES = 1 << 20
"""Bytes of data and metadata that one append may carry."""


def weigh(append: Append) -> tuple[int, int]:
    """Events and bytes of an append. Raises AppendTooLarge, and ValueError for what can never be stored."""
    if len(append.writes) > 1 and len({write.stream_id for write in append.writes}) < len(append.writes):
        raise ValueError("an append writes each stream once")
    events = size = 0
    for write in append.writes:
        if not write.events:
            raise ValueError("a write carries at least one event")
        events += len(write.events)
        for event in write.events:
            size += len(event.data) + len(event.metadata)
    if not events:
        raise ValueError("an append carries at least one write")
    if events > MAX_EVENTS or size > MAX_BYTES:
        raise AppendTooLarge(
            f"{events} events of {size} bytes; at most {MAX_EVENTS} events and {MAX_BYTES} bytes go into one append"
        )
    return events, size


class EventLog(Protocol):
    """One lane: a dense, totally ordered log."""

    async def append(self, append: Append) -> Appended:
        """Store the command's events durably, whether or not the caller stays to hear of it.

        Raises StaleVersion, DuplicateCommand, Overloaded, AppendTooLarge, AppendRejected, LogUnavailable.
        """

    async def streams(self, stream_ids: Sequence[UUID]) -> dict[UUID, list[StoredEvent]]:
        """All events of each stream in version order; an unknown stream gives an empty list."""

    async def feed(self, after: int, limit: int) -> list[StoredEvent]:
        """The events at after+1, after+2 .., at most ``limit``; dense by construction, and asserted to be."""

    async def head(self) -> int:
        """The last position, 0 when the log is empty."""

    def token(self, position: int) -> str:
        """The token that stands for a position of this log, for clients to hand back."""

    async def position_of(self, text: str) -> int:
        """The position a token stands for. Raises InvalidToken, and PositionLost beyond a lost tail."""

    async def epoch(self) -> int:
        """The epoch that a token handed out now belongs to."""

    async def wait_beyond(self, position: int, wait_s: float) -> bool:
        """Wait until the head is beyond ``position``; False when the time ran out."""

    async def close(self) -> None:
        """Finish what was accepted and let go of every resource. Later appends raise LogUnavailable."""
