"""Which commands share a batch, and in which order do the others follow?"""

import asyncio
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from eventlog.builders import command, one, write
from lms import clock
from lms.eventlog.batcher import MAX_COMMANDS, Pending, Queue
from lms.eventlog.log import MAX_BYTES, MAX_EVENTS, Append, weigh


def waiting(append: Append) -> Pending:
    return Pending(append, *weigh(append), None)


def batches(*appends: Append) -> list[list[Append]]:
    queue = Queue()
    for append in appends:
        queue.put(waiting(append))
    taken = []
    while len(queue):
        # The other connection sits still: nothing is split for it, nothing is held back by it.
        queue._batches = 1
        batch = queue.take()
        queue.landed(batch)
        taken.append([pending.append for pending in batch])
    assert queue.take() == []
    return taken


def test_commands_on_streams_of_their_own_share_a_batch():
    sent = [one() for _ in range(10)]

    assert batches(*sent) == [sent]


def test_commands_on_one_stream_follow_one_another():
    stream, other = clock.uuid7(), one()
    first, second, third = (command(write(stream, version)) for version in range(3))

    assert batches(first, second, other, third) == [[first, other], [second], [third]]


def test_a_reader_never_goes_beside_who_writes_what_it_reads():
    stream = clock.uuid7()
    writer, reader = command(write(stream)), command(write(clock.uuid7()), reads={stream: 0})

    assert batches(writer, reader) == [[writer], [reader]]
    assert batches(reader, writer) == [[reader], [writer]]


def test_readers_of_one_stream_share_a_batch():
    stream = clock.uuid7()
    readers = [command(write(clock.uuid7()), reads={stream: 0}) for _ in range(3)]

    assert batches(*readers) == [readers]


def test_nothing_overtakes_a_command_that_waits_for_the_same_stream():
    first, second = clock.uuid7(), clock.uuid7()
    busy, both, after = command(write(first)), command(write(first, 1), write(second)), command(write(second, 1))

    assert batches(busy, both, after) == [[busy], [both], [after]]


def test_a_batch_has_so_many_commands():
    assert [len(batch) for batch in batches(*(one() for _ in range(MAX_COMMANDS + 3)))] == [MAX_COMMANDS, 3]


def test_a_batch_has_so_many_events():
    assert [len(batch) for batch in batches(one(count=MAX_EVENTS - 1), one(), one())] == [2, 1]


def test_a_batch_has_so_many_bytes():
    half = MAX_BYTES // 2

    assert [len(batch) for batch in batches(*(one(data=b"x" * half) for _ in range(4)))] == [1, 1, 1, 1]


def test_a_hot_stream_does_not_make_the_whole_line_be_searched():
    stream = clock.uuid7()
    hot = [command(write(stream, version)) for version in range(MAX_COMMANDS + 5)]
    last = one()
    taken = batches(*hot, last)

    assert taken[0] == [hot[0]]
    assert [batch[0] for batch in taken[: len(hot)]] == hot


STREAMS = [UUID(int=number) for number in range(1, 6)]


@given(
    st.lists(st.tuples(st.sets(st.sampled_from(STREAMS), min_size=1, max_size=3), st.sets(st.sampled_from(STREAMS))))
)
def test_batches_never_hold_a_conflict_and_keep_each_streams_order(touched: list[tuple[set[UUID], set[UUID]]]):
    sent = [command(*(write(stream) for stream in writes), reads=dict.fromkeys(reads, 0)) for writes, reads in touched]
    taken = batches(*sent)

    for batch in taken:
        for number, each in enumerate(batch):
            for other in batch[:number] + batch[number + 1 :]:
                theirs = {w.stream_id for w in other.writes} | {r.stream_id for r in other.reads}
                assert not theirs & {w.stream_id for w in each.writes}
    order = {each.command_id: number for number, each in enumerate(each for batch in taken for each in batch)}
    assert len(order) == len(sent)
    for stream in STREAMS:
        writers = [order[each.command_id] for each in sent if stream in {w.stream_id for w in each.writes}]
        assert writers == sorted(writers)


def test_of_many_waiting_commands_half_is_left_for_an_idle_connection():
    queue = Queue()
    sent = [waiting(one()) for _ in range(33)]
    for pending in sent:
        queue.put(pending)

    assert queue.take() == sent[:17]
    assert queue.take() == sent[17:]


def test_a_few_commands_are_not_split():
    queue = Queue()
    sent = [waiting(one()) for _ in range(15)]
    for pending in sent:
        queue.put(pending)

    assert queue.take() == sent


def test_a_stream_in_flight_is_left_alone_until_its_batch_has_landed():
    queue = Queue()
    stream, above = clock.uuid7(), clock.uuid7()
    first, second = waiting(command(write(stream))), waiting(command(write(stream, 1)))
    reader, other = waiting(command(write(above), reads={stream: 1})), waiting(one())
    queue.put(first)
    flying = queue.take()
    for pending in (second, reader, other):
        queue.put(pending)

    assert queue.take() == [other]
    assert queue.take() == []
    queue.landed(flying)
    assert queue.take() == [second]
    queue.landed([second])
    assert queue.take() == [reader]


async def test_an_idle_connection_is_woken_by_a_command_and_by_a_landing():
    queue = Queue()
    stream = clock.uuid7()
    idle = asyncio.create_task(queue.changed())
    await asyncio.sleep(0)
    queue.put(waiting(command(write(stream))))
    await asyncio.wait_for(idle, 5)
    flying = queue.take()
    queue.put(waiting(command(write(stream, 1))))
    idle = asyncio.create_task(queue.changed())
    await asyncio.sleep(0)
    queue.landed(flying)
    await asyncio.wait_for(idle, 5)

    assert len(queue.take()) == 1


async def test_who_no_longer_listens_is_not_answered():
    pending = Pending(one(), 1, 1, asyncio.get_running_loop().create_future())
    pending.answer.cancel()
    pending.refuse(ValueError())
    pending.accept(None)

    assert pending.answer.cancelled()
