"""Which promises does every event log keep, in memory as in PostgreSQL?"""

import asyncio
import random  # noqa: TID251 - a fixed seed
from datetime import UTC, datetime, timedelta

import pytest

from eventlog.builders import ORGANISATION, command, events, everything, one, until, write
from lms import clock
from lms.eventlog.log import (
    ANY_VERSION,
    MAX_BYTES,
    MAX_EVENTS,
    Append,
    Appended,
    AppendTooLarge,
    DuplicateCommand,
    EventLog,
    LogUnavailable,
    NewEvent,
    StaleVersion,
    StoredEvent,
    Write,
)
from lms.eventlog.memory import MemoryLog
from lms.eventlog.token import InvalidToken, PositionLost


async def test_an_empty_log_has_nothing_and_says_so(log: EventLog):
    nobody = clock.uuid7()

    assert await log.head() == 0
    assert await log.feed(0, 10) == []
    assert await log.streams([nobody]) == {nobody: []}
    assert await log.streams([]) == {}


async def test_what_is_appended_comes_back_whole(log: EventLog):
    stream, command_id = clock.uuid7(), clock.uuid7()
    earliest = clock.now()
    new = NewEvent("learning.logged", 3, b'{"actor":{"kind":"system"}}', '{"note":"één"}'.encode())
    appended = await log.append(Append(ORGANISATION, command_id, (Write(stream, 0, (new,)),)))
    (stored,) = (await log.streams([stream]))[stream]

    assert appended == Appended(position=1, versions=(1,))
    assert stored == StoredEvent(
        position=1,
        organisation_id=ORGANISATION,
        stream_id=stream,
        version=1,
        command_id=command_id,
        type="learning.logged",
        schema_version=3,
        recorded_at=stored.recorded_at,
        metadata=new.metadata,
        data=new.data,
    )
    assert stored.recorded_at.tzinfo == UTC
    assert earliest - timedelta(seconds=1) <= stored.recorded_at <= clock.now() + timedelta(seconds=1)
    assert await log.feed(0, 10) == [stored]
    assert await log.head() == 1


async def test_positions_are_dense_in_the_lane_and_versions_in_the_stream(log: EventLog):
    goal, entry = clock.uuid7(), clock.uuid7()

    assert await log.append(command(write(goal, 0, 2))) == Appended(2, (2,))
    assert await log.append(command(write(entry, 0, 1))) == Appended(3, (1,))
    assert await log.append(command(write(goal, 2, 3))) == Appended(6, (5,))
    assert [(event.stream_id, event.version) for event in await everything(log)] == [
        (goal, 1), (goal, 2), (entry, 1), (goal, 3), (goal, 4), (goal, 5),
    ]  # fmt: skip


async def test_the_feed_is_read_in_pages(log: EventLog):
    await log.append(one(count=5))

    assert [event.position for event in await log.feed(0, 2)] == [1, 2]
    assert [event.position for event in await log.feed(2, 2)] == [3, 4]
    assert [event.position for event in await log.feed(4, 2)] == [5]
    assert await log.feed(5, 2) == []


async def test_streams_are_read_together_each_in_its_order(log: EventLog):
    first, second, none = clock.uuid7(), clock.uuid7(), clock.uuid7()
    await log.append(command(write(first), write(second)))
    await log.append(command(write(first, 1)))
    found = await log.streams([second, none, first, second])

    assert {stream: [event.version for event in held] for stream, held in found.items()} == {
        first: [1, 2], second: [1], none: [],
    }  # fmt: skip


@pytest.mark.parametrize("expected", [0, 2, 7])
async def test_a_stale_version_is_refused_and_leaves_no_trace(log: EventLog, expected: int):
    stream = clock.uuid7()
    await log.append(command(write(stream)))

    with pytest.raises(StaleVersion):
        await log.append(command(write(stream, expected)))
    assert len(await everything(log)) == 1


async def test_any_version_is_accepted_where_the_writer_does_not_care(log: EventLog):
    stream = clock.uuid7()

    assert await log.append(command(write(stream, ANY_VERSION, 2))) == Appended(2, (2,))
    assert await log.append(command(write(stream, ANY_VERSION))) == Appended(3, (3,))


async def test_a_command_over_several_streams_is_stored_whole(log: EventLog):
    proposal, goal = clock.uuid7(), clock.uuid7()
    await log.append(command(write(goal)))

    assert await log.append(command(write(proposal, 0, 2), write(goal, 1, 1))) == Appended(4, (2, 2))
    assert len({event.command_id for event in (await everything(log))[1:]}) == 1


async def test_a_command_over_several_streams_is_refused_whole(log: EventLog):
    proposal, goal = clock.uuid7(), clock.uuid7()

    with pytest.raises(StaleVersion):
        await log.append(command(write(proposal), write(goal, 1)))
    assert await everything(log) == []


async def test_what_was_read_must_still_stand(log: EventLog):
    above, below, unborn = clock.uuid7(), clock.uuid7(), clock.uuid7()
    await log.append(command(write(above, 0, 2)))

    with pytest.raises(StaleVersion):
        await log.append(command(write(below), reads={above: 1}))
    with pytest.raises(StaleVersion):
        await log.append(command(write(below), reads={above: 2, unborn: 1}))
    assert await log.append(command(write(below), reads={above: 2, unborn: 0})) == Appended(3, (1,))


async def test_a_command_may_read_what_it_writes(log: EventLog):
    stream = clock.uuid7()
    await log.append(command(write(stream)))

    assert await log.append(command(write(stream, 1), reads={stream: 1})) == Appended(2, (2,))


async def test_a_retry_is_recognised_for_ever(log: EventLog):
    stream, command_id = clock.uuid7(), clock.uuid7()
    await log.append(command(write(stream), command_id=command_id))
    for version in range(1, 4):
        await log.append(command(write(stream, version)))

    for expected in (0, 4, ANY_VERSION):
        with pytest.raises(DuplicateCommand):
            await log.append(command(write(stream, expected), command_id=command_id))
    assert len(await everything(log)) == 4


async def test_a_retry_is_recognised_by_any_stream_it_writes(log: EventLog):
    first, second, command_id = clock.uuid7(), clock.uuid7(), clock.uuid7()
    await log.append(command(write(second), command_id=command_id))

    with pytest.raises(DuplicateCommand):
        await log.append(command(write(first), write(second, ANY_VERSION), command_id=command_id))
    assert len(await everything(log)) == 1


async def test_many_writers_at_once_all_get_in_and_nothing_is_lost(log: EventLog):
    commands = [one(count=1 + number % 3) for number in range(300)]
    answers = await asyncio.gather(*(log.append(each) for each in commands))
    found = await everything(log)

    assert len(found) == sum(len(each.writes[0].events) for each in commands)
    for each, answer in zip(commands, answers, strict=True):
        last = found[answer.position - 1]
        assert (last.command_id, last.version) == (each.command_id, answer.versions[0])


async def test_the_events_of_a_command_stand_together(log: EventLog):
    await asyncio.gather(*(log.append(command(write(clock.uuid7(), 0, 3), write(clock.uuid7()))) for _ in range(50)))
    found = await everything(log)

    assert all(len({event.command_id for event in found[start : start + 4]}) == 1 for start in range(0, 200, 4))


async def test_of_many_who_start_the_same_stream_one_wins(log: EventLog):
    stream = clock.uuid7()
    answers = await asyncio.gather(*(log.append(command(write(stream))) for _ in range(24)), return_exceptions=True)

    assert sum(isinstance(answer, Appended) for answer in answers) == 1
    assert sum(isinstance(answer, StaleVersion) for answer in answers) == 23


async def test_commands_on_one_stream_keep_the_order_they_were_sent_in(log: EventLog):
    stream = clock.uuid7()
    answers = await asyncio.gather(*(log.append(command(write(stream, version))) for version in range(60)))

    assert [answer.versions for answer in answers] == [(version,) for version in range(1, 61)]


async def test_the_same_command_sent_twice_at_once_is_stored_once(log: EventLog):
    sent = [one() for _ in range(20)]
    answers = await asyncio.gather(*(log.append(each) for each in sent * 2), return_exceptions=True)

    assert sum(isinstance(answer, Appended) for answer in answers) == 20
    assert sum(isinstance(answer, DuplicateCommand) for answer in answers) == 20
    assert len(await everything(log)) == 20


async def test_two_who_each_read_what_the_other_writes_cannot_both_win(log: EventLog):
    for _ in range(20):
        left, right = clock.uuid7(), clock.uuid7()
        answers = await asyncio.gather(
            log.append(command(write(left), reads={right: 0})),
            log.append(command(write(right), reads={left: 0})),
            return_exceptions=True,
        )
        assert [type(answer) for answer in answers].count(Appended) == 1
        assert [type(answer) for answer in answers].count(StaleVersion) == 1


@pytest.mark.parametrize("size", [3, 24])
async def test_a_ring_of_readers_is_never_closed(log: EventLog, size: int):
    streams = [clock.uuid7() for _ in range(size)]
    ring = [command(write(streams[n]), reads={streams[(n + 1) % size]: 0}) for n in range(size)]
    answers = await asyncio.gather(*(log.append(each) for each in ring), return_exceptions=True)

    assert 1 <= sum(isinstance(answer, Appended) for answer in answers) < size
    assert all(isinstance(answer, Appended | StaleVersion) for answer in answers)


async def test_two_who_read_the_same_and_write_apart_both_win(log: EventLog):
    above = clock.uuid7()
    await log.append(command(write(above)))
    answers = await asyncio.gather(*(log.append(command(write(clock.uuid7()), reads={above: 1})) for _ in range(10)))

    assert len(answers) == 10


async def test_one_acknowledged_before_another_was_sent_comes_first(log: EventLog):
    positions = [(await log.append(one())).position for _ in range(20)]

    assert positions == list(range(1, 21))


async def test_refusals_among_many_touch_nobody_else(log: EventLog):
    taken, again = clock.uuid7(), clock.uuid7()
    await log.append(command(write(taken), command_id=again))
    sent = [one() for _ in range(30)]
    sent[7] = command(write(taken))
    sent[19] = command(write(taken, ANY_VERSION), command_id=again)
    answers = await asyncio.gather(*(log.append(each) for each in sent), return_exceptions=True)

    assert isinstance(answers[7], StaleVersion)
    assert isinstance(answers[19], DuplicateCommand)
    assert sum(isinstance(answer, Appended) for answer in answers) == 28
    assert len(await everything(log)) == 29


@pytest.mark.parametrize(
    "malformed",
    [
        command(),
        command(Write(ORGANISATION, 0, ())),
        command(write(ORGANISATION), Write(clock.uuid7(), 0, ())),
        command(write(ORGANISATION), write(ORGANISATION, 1)),
    ],
    ids=["no write", "no event", "a write without event", "one stream twice"],
)
async def test_an_append_that_says_nothing_or_contradicts_itself_is_a_mistake(log: EventLog, malformed: Append):
    with pytest.raises(ValueError, match=r"an append|a write"):
        await log.append(malformed)


async def test_one_append_carries_so_much_and_no_more(log: EventLog):
    assert (await log.append(one(count=MAX_EVENTS))).position == MAX_EVENTS

    with pytest.raises(AppendTooLarge):
        await log.append(one(count=MAX_EVENTS + 1))
    with pytest.raises(AppendTooLarge):
        await log.append(one(data=b"x" * MAX_BYTES))
    largest = NewEvent("goal.set", 1, b"", b"x" * MAX_BYTES)
    assert (await log.append(command(Write(clock.uuid7(), 0, (largest,))))).position == MAX_EVENTS + 1


async def test_an_append_whose_caller_leaves_is_stored_all_the_same(log: EventLog):
    leaving = asyncio.create_task(log.append(one()))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.gather(*(log.append(one()) for _ in range(10)))
    assert await log.wait_beyond(10, 10)

    assert len(await everything(log)) == 11
    assert leaving.done()


async def test_a_caller_who_leaves_harms_nobody_when_his_command_is_refused(log: EventLog):
    stream = clock.uuid7()
    await log.append(command(write(stream)))
    leaving = asyncio.create_task(log.append(command(write(stream))))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait([leaving])
    await log.append(command(write(stream, 1)))

    assert len(await everything(log)) == 2


async def test_who_waits_for_more_hears_of_it(log: EventLog):
    waiting = asyncio.create_task(log.wait_beyond(0, 10))
    await asyncio.sleep(0)
    await log.append(one())

    assert await waiting
    assert await log.wait_beyond(0, 0)


async def test_who_waits_in_vain_is_told(log: EventLog):
    await log.append(one())

    assert not await log.wait_beyond(1, 0.05)
    assert not await log.wait_beyond(1, 0)


async def test_each_waits_for_his_own_position(log: EventLog):
    near, far = (asyncio.create_task(log.wait_beyond(position, 10)) for position in (0, 2))
    await asyncio.sleep(0)
    await log.append(one(count=2))

    assert await near
    assert not far.done()
    await log.append(one())
    assert await far


async def test_a_token_stands_for_its_position(log: EventLog):
    appended = await log.append(one(count=3))

    assert log.token(appended.position) == f"{await log.epoch()}.{log.lane}.3"
    assert await log.position_of(log.token(appended.position)) == 3
    assert await log.position_of(log.token(0)) == 0


@pytest.mark.parametrize(
    "nonsense", ["", "1", "1.0", "1.0.0.0", "a.b.c", "1.0.-1", "1.0.1e3", "1.999.0", "1.0.²", "1.0." + "9" * 30]
)
async def test_nonsense_is_no_token(log: EventLog, nonsense: str):
    with pytest.raises(InvalidToken):
        await log.position_of(nonsense)


async def test_a_token_beyond_what_the_log_has_is_lost(log: EventLog):
    await log.append(one())

    for beyond in (f"1.{log.lane}.2", f"2.{log.lane}.1"):
        with pytest.raises(PositionLost):
            await log.position_of(beyond)


async def test_a_closed_log_takes_no_more(log: EventLog):
    await log.append(one())
    await log.close()

    with pytest.raises(LogUnavailable):
        await log.append(one())


async def test_recorded_times_never_run_back_with_the_clock():
    moments = [datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(hours=step) for step in (0, -1, 2, 2, -5)]
    log = MemoryLog(now=iter(moments).__next__)
    for _ in moments:
        await log.append(one())
    recorded = [event.recorded_at for event in await everything(log)]

    assert recorded == sorted(set(recorded))
    assert recorded[0] == moments[0]
    assert recorded[2] == moments[2]


async def test_random_commands_from_many_writers_leave_a_log_without_gaps(log: EventLog):
    chance = random.Random(7)
    streams = [clock.uuid7() for _ in range(8)]

    async def writer() -> int:
        stored = 0
        for _ in range(25):
            chosen = chance.sample(streams, chance.randint(1, 3))
            held = await log.streams(chosen)
            writes = [write(stream, len(held[stream]), chance.randint(1, 3)) for stream in chosen[:-1] or chosen]
            reads = {stream: len(held[stream]) for stream in chosen[len(writes) :]}
            try:
                await log.append(command(*writes, reads=reads))
            except StaleVersion:
                continue
            stored += sum(len(each.events) for each in writes)
        return stored

    stored = sum(await asyncio.gather(*(writer() for _ in range(8))))

    assert len(await everything(log)) == stored == await log.head()


async def test_nothing_is_seen_before_what_came_earlier(log: EventLog):
    done = asyncio.Event()
    seen = [0]

    async def reader() -> None:
        while not done.is_set():
            events_now = await log.feed(seen[-1], 1000)
            assert [event.position for event in events_now] == list(range(seen[-1] + 1, seen[-1] + 1 + len(events_now)))
            seen.append(seen[-1] + len(events_now))
            await asyncio.sleep(0)

    reading = asyncio.create_task(reader())
    await asyncio.gather(*(log.append(one(count=2)) for _ in range(200)))
    await until(lambda: seen[-1] == 400)
    done.set()
    await reading

    assert seen[-1] == 400
    assert len(events(2)) == 2
