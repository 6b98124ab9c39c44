"""Does a command become events exactly once, whatever happens beside it?"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest

from lms import clock
from lms.dispatch import Dispatch, KeyReused, Request, VersionMismatch
from lms.domain.base import Actor, NotFound, Role, RuleBroken, Sealed
from lms.domain.catalogue import event_types
from lms.domain.goal import Goal
from lms.domain.goal_commands import AdjustGoal, AlignGoal, ChangeVisibility, ProposeGoal, ReflectOnGoal
from lms.domain.goal_parts import (
    AdjustedField,
    AdjustmentReason,
    Alignment,
    Level,
    LinkType,
    Owner,
    Purpose,
    RingOfLinks,
    Setting,
)
from lms.domain.terms import Visibility
from lms.eventlog.codec import Codec
from lms.eventlog.keys import MemoryKeys
from lms.eventlog.log import Append, Appended, StoredEvent
from lms.eventlog.master import MasterKey
from lms.eventlog.memory import MemoryLog
from lms.eventlog.subjects import Subjects

ORGANISATION = clock.uuid7()
ANN = Actor(contributor_id=clock.uuid7(), roles=(Role.EMPLOYEE, Role.BUSINESS_OWNER))
TODAY = date(2026, 3, 2)


class World(msgspec.Struct, frozen=True):
    """Two processes over one log."""

    log: MemoryLog
    codec: Codec
    one: Dispatch
    other: Dispatch


@pytest.fixture
def world() -> World:
    """A fresh log, two dispatchers with a cache each."""
    log, subjects = MemoryLog(), Subjects(MasterKey(bytes(32)), MemoryKeys())
    codec = Codec(event_types(), subjects)
    return World(log, codec, Dispatch(log, codec, subjects), Dispatch(log, codec, subjects))


def request(**changes: Any) -> Request:
    """A request of Ann's with a command id of its own."""
    facts = {
        "organisation_id": ORGANISATION,
        "actor": ANN,
        "command_id": clock.uuid7(),
        "time_zone": ZoneInfo("Europe/Amsterdam"),
        "at": datetime(2026, 3, 2, 12, tzinfo=UTC),
        **changes,
    }
    return Request(**facts)


def proposal(goal_id: UUID, level: Level = Level.BUSINESS_MODEL, **changes: Any) -> ProposeGoal:
    """A goal that Ann proposes."""
    owner = Owner(contributor_id=ANN.contributor_id) if level is Level.INDIVIDUAL else Owner()
    facts = {"level": level, "title": "Know our buyers", "purpose": Purpose(statement="More come back"), "owner": owner}
    return ProposeGoal(actor=ANN, today=TODAY, goal_id=goal_id, **{**facts, **changes})


def contributes(to: UUID) -> AlignGoal:
    """A link that can close a ring."""
    link = Alignment(link_id=clock.uuid7(), to_goal_id=to, link_type=LinkType.CONTRIBUTES_TO, hypothesis="because")
    return AlignGoal(actor=ANN, today=TODAY, alignment=link)


def show(visibility: Visibility) -> ChangeVisibility:
    """A change that nothing forbids."""
    return ChangeVisibility(actor=ANN, today=TODAY, visibility=visibility)


async def test_a_retry_gets_the_first_answer_and_stores_nothing(world: World) -> None:
    goal_id, sent = clock.uuid7(), request(body=b'{"title": "x"}')
    first = await world.one.send(Goal, goal_id, proposal(goal_id), sent)
    await world.one.send(Goal, goal_id, show(Visibility.PUBLIC), request())
    again = await world.other.send(Goal, goal_id, proposal(goal_id), sent)
    assert (again.version, again.position, again.replayed) == (first.version, first.position, True)
    assert await world.log.head() == 2


async def test_two_retries_at_once_store_one_event(world: World) -> None:
    goal_id, sent = clock.uuid7(), request(body=b"{}")
    sends = (dispatch.send(Goal, goal_id, proposal(goal_id), sent) for dispatch in (world.one, world.other, world.one))
    outcomes = await asyncio.gather(*sends)
    assert {outcome.position for outcome in outcomes} == {1}


async def test_a_stream_supposed_new_is_not_read_and_a_retry_is_still_found(world: World) -> None:
    goal_id, sent = clock.uuid7(), request(body=b"{}", new_stream=True)
    first = await world.one.send(Goal, goal_id, proposal(goal_id), sent)
    again = await world.other.send(Goal, goal_id, proposal(goal_id), sent)
    assert (again.position, again.replayed) == (first.position, True)
    assert await world.log.head() == 1


async def test_a_refusal_of_a_stream_supposed_new_is_no_answer_to_a_retry(world: World) -> None:
    """What was accepted once stays accepted, though the same decision would be refused now."""
    goal_id, sent = clock.uuid7(), request(body=b"{}", new_stream=True)
    first = await world.one.send(Goal, goal_id, proposal(goal_id), sent)
    again = await world.other.send(Goal, goal_id, proposal(goal_id, title=" "), sent)
    assert again.position == first.position


async def test_a_key_used_for_another_body_is_refused(world: World) -> None:
    goal_id, command_id = clock.uuid7(), clock.uuid7()
    await world.one.send(Goal, goal_id, proposal(goal_id), request(command_id=command_id, body=b"1"))
    with pytest.raises(KeyReused):
        await world.one.send(Goal, goal_id, proposal(goal_id), request(command_id=command_id, body=b"2"))


async def test_a_stated_version_that_is_gone_is_refused(world: World) -> None:
    goal_id = clock.uuid7()
    await world.one.send(Goal, goal_id, proposal(goal_id), request())
    await world.one.send(Goal, goal_id, show(Visibility.PUBLIC), request(expected_version=1))
    with pytest.raises(VersionMismatch):
        await world.other.send(Goal, goal_id, show(Visibility.ORGANISATION), request(expected_version=1))


async def test_a_stale_cache_neither_writes_nor_refuses(world: World) -> None:
    goal_id = clock.uuid7()
    await world.one.send(Goal, goal_id, proposal(goal_id), request())
    await world.other.send(Goal, goal_id, show(Visibility.PUBLIC), request())
    await world.one.send(Goal, goal_id, show(Visibility.ORGANISATION), request())
    outcome = await world.other.send(Goal, goal_id, show(Visibility.PUBLIC), request())
    assert outcome.version == 4
    goal = await world.one.load(Goal, ORGANISATION, goal_id)
    assert goal is not None
    assert goal.visibility is Visibility.PUBLIC


async def test_a_refusal_rests_on_the_log_and_not_on_the_cache(world: World) -> None:
    goal_id = clock.uuid7()
    change = AdjustGoal(
        actor=ANN,
        today=TODAY,
        field=AdjustedField.TITLE,
        to=Setting(text="New"),
        on=TODAY,
        reason=AdjustmentReason.LEARNED,
    )
    await world.one.send(Goal, goal_id, proposal(goal_id, Level.INDIVIDUAL), request())
    with pytest.raises(NotFound):
        await world.other.send(Goal, clock.uuid7(), change, request())
    outcome = await world.other.send(Goal, goal_id, change, request())
    assert outcome.version == 3


async def test_what_happens_between_reading_and_appending_is_seen(world: World) -> None:
    """Both goals want to contribute to each other at once: one wins, the other meets the ring."""
    a, b = clock.uuid7(), clock.uuid7()
    for goal_id in (a, b):
        await world.one.send(Goal, goal_id, proposal(goal_id), request())
    both = (world.one.send(Goal, a, contributes(b), request()), world.other.send(Goal, b, contributes(a), request()))
    outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes].count(RingOfLinks) == 1


async def test_another_organisation_finds_nothing(world: World) -> None:
    goal_id = clock.uuid7()
    await world.one.send(Goal, goal_id, proposal(goal_id), request())
    with pytest.raises(NotFound):
        await world.one.send(Goal, goal_id, show(Visibility.PUBLIC), request(organisation_id=clock.uuid7()))


async def test_personal_texts_are_sealed_in_the_log_and_in_the_cache(world: World) -> None:
    goal_id = clock.uuid7()
    await world.one.send(Goal, goal_id, proposal(goal_id, Level.INDIVIDUAL, title="Stop stammering"), request())
    stored: list[StoredEvent] = await world.log.feed(0, 10)
    assert not any(b"stammering" in one.data for one in stored)
    cached = world.one.recall(ORGANISATION, goal_id)
    assert cached is not None
    assert isinstance(cached.aggregate, Goal)
    assert isinstance(cached.aggregate.title, Sealed)
    assert cached.aggregate.title.context


async def test_relations_are_not_stored_with_the_actor(world: World) -> None:
    goal_id = clock.uuid7()
    leader = msgspec.structs.replace(ANN, leads=frozenset({clock.uuid7()}))
    await world.one.send(Goal, goal_id, proposal(goal_id), request(actor=leader))
    (stored,) = await world.log.feed(0, 10)
    assert b"leads" not in stored.metadata


async def test_a_historic_command_is_effective_when_it_tells_of(world: World) -> None:
    goal_id, then = clock.uuid7(), datetime(2025, 1, 7, 9, tzinfo=UTC)
    await world.one.send(Goal, goal_id, proposal(goal_id), request(at=then, historic=True))
    (stored,) = await world.log.feed(0, 10)
    assert world.codec.decode(stored).effective_at == then
    assert stored.recorded_at > then


class Refusing(MemoryLog):
    """A log whose appends always lose the race."""

    async def append(self, append: Append) -> Appended:
        """Let another writer be faster, once for each attempt."""
        if append.reads or append.writes[0].expected_version:
            for write in append.writes:
                others: Sequence[Any] = (msgspec.structs.replace(write, expected_version=-1),)
                await super().append(Append(append.organisation_id, clock.uuid7(), tuple(others)))
        return await super().append(append)


async def test_endless_contention_ends_in_a_clear_refusal() -> None:
    log, subjects = Refusing(), Subjects(MasterKey(bytes(32)), MemoryKeys())
    dispatch = Dispatch(log, Codec(event_types(), subjects), subjects)
    goal_id = clock.uuid7()
    await dispatch.send(Goal, goal_id, proposal(goal_id), request())
    with pytest.raises(RuleBroken, match="try again"):
        await dispatch.send(Goal, goal_id, ReflectOnGoal(actor=ANN, today=TODAY, learned="patience"), request())
