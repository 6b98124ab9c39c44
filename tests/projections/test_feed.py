"""Is the log read and decoded once for all who stand together, and alone for who lags?"""

import asyncio
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from lms import clock
from lms.domain.base import SYSTEM
from lms.eventlog.codec import Codec, Metadata
from lms.eventlog.log import ANY_VERSION, Append, StoredEvent, Write
from lms.eventlog.memory import MemoryLog
from lms.projections import feed as feeding
from lms.projections.feed import Feed
from projections.engine import CATALOGUE, NEWER_CATALOGUE, ORGANISATION, Tally, new_codec, until

STREAM = UUID(int=1)


class CountingLog(MemoryLog):
    """Counts reads."""

    reads = 0

    async def feed(self, after: int, limit: int) -> list[StoredEvent]:
        self.reads += 1
        await asyncio.sleep(0)
        return await super().feed(after, limit)


class CountingCodec:
    """Counts decoded events."""

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self.decoded = 0

    def decode(self, stored: StoredEvent):
        self.decoded += 1
        return self.codec.decode(stored)


class Reading:
    """A feed over a log in memory."""

    def __init__(self) -> None:
        self.log = CountingLog()
        self.codec = CountingCodec(new_codec(CATALOGUE))
        self.feed = Feed(self.log, self.codec, CATALOGUE, {Tally.Added.TOPIC})  # type: ignore[arg-type]

    async def append(self, n: int, event=None) -> None:
        command_id = clock.uuid7()
        encoded = [
            new_codec(NEWER_CATALOGUE).encode(
                ORGANISATION, command_id, i, Tally.blank(STREAM), event or Tally.Added(n=i), Metadata(actor=SYSTEM)
            )
            for i in range(n)
        ]
        await self.log.append(Append(ORGANISATION, command_id, (Write(STREAM, ANY_VERSION, tuple(encoded)),)))

    async def positions(self, after: int) -> list[int]:
        return [item.position for item in await self.feed.after(after)]


async def test_who_stands_together_causes_one_read_and_one_decode():
    reading = Reading()
    await reading.append(20)
    answers = await asyncio.gather(*[reading.positions(0) for _ in range(8)])
    assert answers == [list(range(1, 21))] * 8
    assert (reading.log.reads, reading.codec.decoded) == (1, 20)


async def test_who_lags_reads_alone_and_joins_when_he_has_caught_up(monkeypatch):
    monkeypatch.setattr(feeding, "READ_EVENTS", 10)
    monkeypatch.setattr(feeding, "WINDOW_BYTES", 1)
    reading = Reading()
    await reading.append(30)
    for after in (0, 10, 20):
        await reading.positions(after)
    assert await reading.positions(0) == list(range(1, 11))
    await reading.append(5)
    decoded = reading.codec.decoded
    assert await reading.positions(30) == [31, 32, 33, 34, 35]
    assert await reading.positions(30) == [31, 32, 33, 34, 35]
    assert reading.codec.decoded == decoded + 5


async def test_all_at_the_head_wait_together_and_are_woken_by_an_append():
    reading = Reading()
    waiting = [asyncio.create_task(reading.feed.after(0, 5)) for _ in range(3)]
    await asyncio.sleep(0)
    await reading.append(1)
    assert [[item.position for item in await one] for one in waiting] == [[1]] * 3


async def test_nobody_waits_longer_than_he_said():
    assert await Reading().feed.after(0, 0.01) == []


async def test_closing_wakes_who_waits():
    reading = Reading()
    waiting = asyncio.create_task(reading.feed.after(0, 60))
    await until(lambda: _waits(reading), "the reader waits")
    await reading.feed.close()
    assert isinstance((await asyncio.gather(waiting, return_exceptions=True))[0], asyncio.CancelledError)


async def _waits(reading: Reading) -> bool:
    return bool(reading.feed._waits)


async def test_only_what_somebody_wants_is_decoded_and_the_unknown_is_marked():
    reading = Reading()
    await reading.append(1, Tally.Ignored())
    await reading.append(1, Tally.Strange())
    await reading.append(1)
    ignored, strange, added = await reading.feed.after(0)
    assert (ignored.envelope, ignored.is_unknown) == (None, False)
    assert strange.is_unknown
    assert added.envelope is not None
    assert reading.codec.decoded == 1


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=30), st.integers(1, 3), st.integers(1, 20_000))
def test_every_reader_sees_the_dense_log_whatever_the_windows(jumps: list[int], size: int, window: int):
    async def read() -> None:
        reading = Reading()
        await reading.append(40)
        for after in jumps:
            positions = await reading.positions(after)
            assert positions == list(range(after + 1, after + 1 + len(positions)))
            assert positions or after == 40

    before = feeding.READ_EVENTS, feeding.WINDOW_BYTES
    feeding.READ_EVENTS, feeding.WINDOW_BYTES = size, window
    try:
        asyncio.run(read())
    finally:
        feeding.READ_EVENTS, feeding.WINDOW_BYTES = before
