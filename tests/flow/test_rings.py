"""Invariant 6 over Dispatch and the real log: `contributes-to` closes no ring, whoever writes at the same time.

Each writer's decision is right by itself; only together would they close a ring. What a decision read becomes a
condition of its append, and the batcher never puts a command beside one that writes what it reads.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime
from random import Random  # noqa: TID251 - seeded: the same links in every run
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest

from databases import Database
from lms import clock
from lms.dispatch import Dispatch, Request, StillContended
from lms.domain.base import Actor, Aggregate, Command, Role
from lms.domain.catalogue import event_types
from lms.domain.goal import Goal
from lms.domain.goal_commands import AlignGoal, ProposeGoal
from lms.domain.goal_parts import Alignment, AlreadyAligned, Level, LinkToItself, LinkType, Owner, Purpose, RingOfLinks
from lms.eventlog.codec import Codec
from lms.eventlog.keys import MemoryKeys
from lms.eventlog.master import MasterKey
from lms.eventlog.postgres import PostgresLog
from lms.eventlog.subjects import Subjects

WRITERS = 24
ORGANISATION = clock.uuid7()
BOSS = Actor(contributor_id=clock.uuid7(), roles=(Role.BUSINESS_OWNER,))
TODAY = date(2026, 3, 2)

REFUSED = (RingOfLinks, LinkToItself, AlreadyAligned)


class Processes(msgspec.Struct, frozen=True):
    """Three processes, each with a cache of its own, over one log."""

    log: PostgresLog
    dispatches: Sequence[Dispatch]

    async def send(self, writer: int, goal_id: UUID, command: Command) -> Aggregate:
        """Send as that writer, in his process."""
        request = Request(
            organisation_id=ORGANISATION,
            actor=BOSS,
            command_id=clock.uuid7(),
            time_zone=ZoneInfo("Europe/Amsterdam"),
            at=datetime(2026, 3, 2, 12, tzinfo=UTC),
        )
        outcome = await self.dispatches[writer % len(self.dispatches)].send(Goal, goal_id, command, request)
        return outcome.aggregate

    async def goals(self, count: int) -> list[UUID]:
        """So many goals of the business model."""
        ids = [clock.uuid7() for _ in range(count)]
        await asyncio.gather(*(self.send(n, goal_id, proposal(goal_id)) for n, goal_id in enumerate(ids)))
        return ids

    async def align(self, writer: int, goal_id: UUID, to: UUID) -> str:
        """Link one goal to another; how it went."""
        link = Alignment(link_id=clock.uuid7(), to_goal_id=to, link_type=LinkType.CONTRIBUTES_TO, hypothesis="So")
        try:
            await self.send(writer, goal_id, AlignGoal(actor=BOSS, today=TODAY, alignment=link))
        except REFUSED as refused:
            return refused.code()
        except StillContended:
            return "contended"
        return "linked"

    async def links(self, ids: Sequence[UUID]) -> dict[UUID, set[UUID]]:
        """What contributes to what, as the log has it."""
        found = await Dispatch(self.log, self.dispatches[0].codec, self.dispatches[0].subjects).read(
            ORGANISATION, list(ids)
        )
        goals = {key: one.aggregate for key, one in found.items() if isinstance(one.aggregate, Goal)}
        return {key: goal.contributes_sideways_to() for key, goal in goals.items()}


@pytest.fixture
async def processes(database: Database) -> AsyncIterator[Processes]:
    log = await PostgresLog.connect(database.app_dsn)
    subjects = Subjects(MasterKey(bytes(32)), MemoryKeys())
    codec = Codec(event_types(), subjects)
    yield Processes(log, [Dispatch(log, codec, subjects) for _ in range(3)])
    await log.close()


def proposal(goal_id: UUID) -> ProposeGoal:
    facts = {"level": Level.BUSINESS_MODEL, "title": "Goal", "purpose": Purpose(statement="So"), "owner": Owner()}
    return ProposeGoal(actor=BOSS, today=TODAY, goal_id=goal_id, **facts)


def has_ring(links: dict[UUID, set[UUID]]) -> bool:
    """Take away, again and again, what leads nowhere; a ring is what stays."""
    left = dict(links)
    while free := [goal for goal, up in left.items() if not up & left.keys()]:
        for goal in free:
            del left[goal]
    return bool(left)


def test_a_ring_would_be_seen() -> None:
    one, two, three = (UUID(int=n) for n in range(3))
    assert has_ring({one: {two}, two: {three}, three: {one}})
    assert not has_ring({one: {two}, two: {three}, three: set()})


async def test_24_writers_aim_at_one_ring_and_none_closes(processes: Processes) -> None:
    ids = await processes.goals(WRITERS)
    answers = await asyncio.gather(
        *(processes.align(n, goal_id, ids[(n + 1) % WRITERS]) for n, goal_id in enumerate(ids))
    )
    links = await processes.links(ids)
    assert not has_ring(links)
    assert answers.count("linked") == sum(len(up) for up in links.values()) < WRITERS
    assert "ring-of-links" in answers


async def test_24_writers_aim_at_twelve_rings_of_two_and_each_has_one_winner(processes: Processes) -> None:
    ids = await processes.goals(WRITERS)
    before = msgspec.structs.replace(processes.log.metrics)
    answers = await asyncio.gather(*(processes.align(n // 2, goal_id, ids[n ^ 1]) for n, goal_id in enumerate(ids)))
    assert Counter(answers) == {"linked": WRITERS // 2, "ring-of-links": WRITERS // 2}
    assert not has_ring(await processes.links(ids))
    after = processes.log.metrics
    assert after.commands - before.commands > after.batches - before.batches, "commands shared batches"


@pytest.mark.parametrize("seed", range(4))
async def test_24_writers_link_at_random_for_a_while_and_no_ring_is_closed(processes: Processes, seed: int) -> None:
    chance = Random(seed)
    ids = await processes.goals(8)
    tried = [[(chance.choice(ids), chance.choice(ids)) for _ in range(5)] for _ in range(WRITERS)]

    async def write(writer: int) -> list[str]:
        return [await processes.align(writer, low, high) for low, high in tried[writer]]

    answers = Counter(answer for each in await asyncio.gather(*map(write, range(WRITERS))) for answer in each)
    links = await processes.links(ids)
    assert not has_ring(links)
    assert answers["linked"] == sum(len(up) for up in links.values())
    assert answers["ring-of-links"] > 0


async def test_24_writers_who_would_each_close_a_standing_chain_are_all_refused(processes: Processes) -> None:
    ids = await processes.goals(6)
    for n in range(5):
        assert await processes.align(n, ids[n], ids[n + 1]) == "linked"
    answers = await asyncio.gather(*(processes.align(n, ids[5], ids[n % 5]) for n in range(WRITERS)))
    assert set(answers) <= {"ring-of-links", "contended"}
    assert not has_ring(await processes.links(ids))
