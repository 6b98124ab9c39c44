"""Do the log in PostgreSQL and the one in memory give the same answers, whatever is asked of them?"""

import asyncio
import itertools
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from databases import Database
from eventlog.builders import command, write
from lms import clock
from lms.eventlog.log import (
    ANY_VERSION,
    Append,
    AppendTooLarge,
    DuplicateCommand,
    EventLog,
    StaleVersion,
    StoredEvent,
)
from lms.eventlog.memory import MemoryLog
from lms.eventlog.postgres import PostgresLog

STREAMS = [UUID(int=number) for number in range(1, 5)]
COMMANDS = [clock.uuid7() for _ in range(6)]

streams = st.sampled_from(STREAMS)
distances = st.sampled_from([0, 0, 0, 0, -1, 1])
"""How far off the stated version is; mostly it is right."""

_lanes = itertools.count(100)


def compare(database: Database) -> type[RuleBasedStateMachine]:  # noqa: C901 - one rule after another
    class TwoLogs(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            lane = next(_lanes)
            self.runner = asyncio.Runner()
            self.memory = MemoryLog(lane=lane)
            self.postgres = self.runner.run(PostgresLog.connect(database.app_dsn, lane=lane, readers=1))

        def teardown(self) -> None:
            self.runner.run(self.postgres.close())
            self.runner.close()

        def version(self, stream_id: UUID) -> int:
            return len(self.runner.run(self.memory.streams([stream_id]))[stream_id])

        def both(self, *appends: Append) -> None:
            """One after another in memory; each must get the same answer, event for event."""
            for append in appends:
                assert self.runner.run(answer(self.postgres, append)) == self.runner.run(answer(self.memory, append))

        @rule(stream=streams, off=distances, count=st.integers(1, 3), command_id=st.sampled_from(COMMANDS))
        def one_stream(self, stream: UUID, off: int, count: int, command_id: UUID) -> None:
            self.both(command(write(stream, max(0, self.version(stream) + off), count), command_id=command_id))

        @rule(stream=streams, off=distances)
        def a_new_command(self, stream: UUID, off: int) -> None:
            self.both(command(write(stream, max(0, self.version(stream) + off))))

        @rule(stream=streams)
        def any_version(self, stream: UUID) -> None:
            self.both(command(write(stream, ANY_VERSION, 2)))

        @rule(chosen=st.permutations(STREAMS), off=distances, readers=st.integers(0, 3))
        def several_streams(self, chosen: list[UUID], off: int, readers: int) -> None:
            versions = [self.version(stream) for stream in chosen]
            versions[-1] = max(0, versions[-1] + off)
            held = list(zip(chosen, versions, strict=True))
            reads = dict(held[:readers])
            self.both(command(*(write(stream, version) for stream, version in held[readers:]), reads=reads))

        @rule(count=st.integers(1, 12))
        def many_at_once(self, count: int) -> None:
            """Together they are stored in some order: what the real log made of it is repeated in memory."""
            sent = {each.command_id: each for each in (command(write(clock.uuid7(), 0, 2)) for _ in range(count))}

            async def together() -> list[StoredEvent]:
                before = await self.postgres.head()
                await asyncio.gather(*(self.postgres.append(each) for each in sent.values()))
                return await self.postgres.feed(before, 1000)

            for command_id in dict.fromkeys(event.command_id for event in self.runner.run(together())):
                self.runner.run(self.memory.append(sent[command_id]))

        @rule()
        def too_much(self) -> None:
            self.both(command(write(STREAMS[0], ANY_VERSION, 2_001)))

        @invariant()
        def they_hold_the_same(self) -> None:
            ours, model = (self.runner.run(log.feed(0, 10_000)) for log in (self.postgres, self.memory))
            assert [facts(event) for event in ours] == [facts(event) for event in model]
            assert self.runner.run(self.postgres.head()) == self.runner.run(self.memory.head()) == len(model)
            assert self.postgres.token(len(model)) == self.memory.token(len(model))

    return TwoLogs


def facts(event: StoredEvent) -> tuple[Any, ...]:
    """All but when it was recorded."""
    return (event.position, event.stream_id, event.version, event.command_id, event.type, event.metadata, event.data)


async def answer(log: EventLog, append: Append) -> object:
    try:
        return await log.append(append)
    except (StaleVersion, DuplicateCommand, AppendTooLarge) as refusal:
        return type(refusal)


def test_both_logs_tell_the_same_story(database: Database):
    run_state_machine_as_test(
        compare(database),
        settings=settings(
            max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
