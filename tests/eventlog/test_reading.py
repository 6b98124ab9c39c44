"""Do many readers share queries without ever being told old news?"""

import asyncio
from uuid import UUID

import pytest

from eventlog.builders import command, write
from lms import clock
from lms.eventlog.log import LogUnavailable
from lms.eventlog.postgres import PostgresLog
from lms.eventlog.reading import SharedReads, Streams


class Source:
    """Queries that end when the test says so."""

    def __init__(self) -> None:
        self.queries: list[set[UUID]] = []
        self.gate = asyncio.Event()
        self.error: Exception | None = None

    async def fetch(self, stream_ids: list[UUID]) -> Streams:
        self.queries.append(set(stream_ids))
        await self.gate.wait()
        if self.error:
            raise self.error
        return {stream_id: [] for stream_id in stream_ids}


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_readers_of_the_same_moment_share_a_query():
    source = Source()
    source.gate.set()
    reads = SharedReads(source.fetch)
    wanted = [[clock.uuid7(), clock.uuid7()] for _ in range(50)]
    answers = await asyncio.gather(*(reads.read(ids) for ids in wanted))

    assert [list(answer) for answer in answers] == wanted
    assert len(source.queries) == 1


async def test_what_is_asked_while_a_query_is_in_flight_goes_into_the_next():
    source = Source()
    reads = SharedReads(source.fetch)
    stream = clock.uuid7()
    early = asyncio.create_task(reads.read([stream]))
    await settle()
    late = [asyncio.create_task(reads.read([stream])) for _ in range(3)]
    await settle()
    later = asyncio.create_task(reads.read([stream]))
    await settle()

    assert source.queries == [{stream}, {stream}]
    source.gate.set()
    await asyncio.gather(early, *late, later)
    assert source.queries == [{stream}] * 3


async def test_a_query_reads_so_many_streams_and_no_more():
    source = Source()
    source.gate.set()
    reads = SharedReads(source.fetch)
    await asyncio.gather(*(reads.read([clock.uuid7() for _ in range(200)]) for _ in range(4)))

    assert sorted(map(len, source.queries)) == [400, 400]


async def test_a_failure_is_told_to_all_who_asked_and_to_nobody_after():
    source = Source()
    source.gate.set()
    source.error = LogUnavailable("away")
    reads = SharedReads(source.fetch)
    answers = await asyncio.gather(*(reads.read([clock.uuid7()]) for _ in range(3)), return_exceptions=True)
    source.error = None

    assert {type(answer) for answer in answers} == {LogUnavailable}
    assert len(await reads.read([clock.uuid7()])) == 1


@pytest.mark.parametrize("fails", [False, True])
async def test_a_reader_who_leaves_harms_nobody(fails: bool):
    source = Source()
    reads = SharedReads(source.fetch)
    leaving, staying = (asyncio.create_task(reads.read([clock.uuid7()])) for _ in range(2))
    await settle()
    leaving.cancel()
    await settle()
    source.error = LogUnavailable("away") if fails else None
    source.gate.set()
    (answer,) = await asyncio.gather(staying, return_exceptions=True)

    assert leaving.cancelled()
    assert isinstance(answer, LogUnavailable if fails else dict)


async def test_everybody_reads_what_was_acknowledged_to_him(lane_log: PostgresLog):
    stream = clock.uuid7()

    async def reader() -> None:
        for _ in range(100):
            await lane_log.streams([stream])

    reading = [asyncio.create_task(reader()) for _ in range(4)]
    for version in range(40):
        await lane_log.append(command(write(stream, version)))
        assert len((await lane_log.streams([stream]))[stream]) == version + 1
    await asyncio.gather(*reading)
