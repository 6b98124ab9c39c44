"""What do the routes about goals have in common: what bodies become, what is looked up, what is answered?"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from litestar import Request as HttpRequest
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide

from lms.api.answers import Answer, changed, created
from lms.api.deps import WAIT_S, Connection, Sender, Who, services_of
from lms.api.goal_bodies import NewAlignment, NewKeyResult, Target
from lms.api.goal_views import Facts, GoalShown, facts_of_goal, shown
from lms.api.problems import ProjectionBehind
from lms.dispatch import Outcome
from lms.domain.base import Malformed, NotFound
from lms.domain.goal import Goal
from lms.domain.goal_commands import GoalCommand
from lms.domain.goal_parts import Alignment, KeyResult, KeyResultKind, Owner
from lms.domain.team import Team
from lms.domain.terms import Direction, Summary
from lms.projections.alignment_tree import AlignmentTree
from lms.projections.goal_rows import FeedRow, Latest
from lms.projections.goals import Goals

T = TypeVar("T")

_goals = Goals()
_tree = AlignmentTree()


class PartMade(msgspec.Struct, frozen=True, kw_only=True):
    """A new part of a goal, and what the goal still lacks."""

    id: UUID
    goal_id: UUID
    next: tuple[str, ...]


class Desk:
    """Looks up what a command about a goal needs, sends it and shows the goal as it is then."""

    def __init__(self, request: HttpRequest[Any, Any, State], who: Who, sender: Sender, connection: Connection) -> None:
        self._services = services_of(request)
        self._who = who
        self._sender = sender
        self._connection = connection
        # The items of a batch look things up over the one connection of the request, each in its turn.
        self._turn = asyncio.Lock()

    async def send(self, goal_id: UUID, command: GoalCommand) -> Answer[GoalShown]:
        """Send a change and answer with the goal."""
        outcome = await self._sender.send(Goal, goal_id, command)
        return changed(await self.shown(outcome.aggregate), await self._sender.receipt(outcome))

    async def part_made(self, part_id: UUID, outcome: Outcome[Goal]) -> Answer[PartMade]:
        """Answer 201 for a new part of a goal: its location is the goal."""
        goal = outcome.aggregate
        made = PartMade(id=part_id, goal_id=goal.id, next=(await self.shown(goal)).next)
        return created(made, await self._sender.receipt(outcome), f"/v1/goals/{goal.id}")

    async def shown(self, goal: Goal) -> GoalShown:
        """The goal that a command left behind, as it is answered."""
        standings = await _goals.standings(self._connection, [goal.id])
        facts = facts_of_goal(goal, {one.key_result.key_result_id: one for one in standings[goal.id]})
        facts = await self._sender.open(facts)
        return shown(facts, self._who.today, unlinked=await self._is_unlinked(goal, facts))

    async def key_results(self, bodies: Sequence[NewKeyResult], name: str = "") -> tuple[KeyResult, ...]:
        """The key results of a new goal. ``name`` is the batch item's."""
        return tuple(
            [
                await self.key_result(body, f"{name}key-result:{number}", f"/key_results/{number}")
                for number, body in enumerate(bodies)
            ]
        )

    async def key_result(self, body: NewKeyResult, name: str, pointer: str = "") -> KeyResult:
        """One key result; what feeds it says its unit and which way is better."""
        feed = await self._feed(body, pointer)
        unit = body.unit or (feed.unit if feed else None)
        if feed is not None and unit != feed.unit:
            raise Malformed(pointer=f"{pointer}/unit", detail=f"measured in {feed.unit}; units are never converted")
        target = body.target
        if target is None and body.kind is KeyResultKind.MILESTONE:
            target = Decimal(1)
        if target is None:
            raise Malformed(pointer=f"{pointer}/target", detail="a metric key result has a target")
        baseline = self._baseline(body)
        return KeyResult(
            key_result_id=self._sender.new_id(name),
            title=body.title,
            kind=body.kind,
            metric_id=body.metric_id,
            measure_id=body.measure_id,
            unit=unit,
            direction=body.direction or _direction(baseline, target),
            baseline=baseline,
            floor=body.floor,
            target=target,
            stretch=body.stretch,
            due_on=body.due_on,
            weight=Decimal(1) if body.weight is None else body.weight,
        )

    async def alignments(self, bodies: Sequence[NewAlignment], name: str = "") -> tuple[Alignment, ...]:
        """The links of a new goal."""
        return tuple(
            [
                await self.alignment(body, f"{name}link:{number}", f"/align/{number}")
                for number, body in enumerate(bodies)
            ]
        )

    async def alignment(self, body: NewAlignment, name: str, pointer: str = "") -> Alignment:
        """One link; a key result stands for its goal."""
        to = body.to
        if sum(one is not None for one in (to.goal_id, to.key_result_id, to.outcome_metric_id)) != 1:
            raise Malformed(pointer=f"{pointer}/to", detail="one of goal_id, key_result_id and outcome_metric_id")
        return Alignment(
            link_id=self._sender.new_id(name),
            to_goal_id=await self._goal_meant(to),
            to_key_result_id=to.key_result_id,
            to_outcome_metric_id=to.outcome_metric_id,
            link_type=body.link_type,
            weight=body.weight,
            hypothesis=body.hypothesis,
            expected_lag_days=body.expected_lag_days,
        )

    async def goal_of(self, key_result_id: UUID) -> UUID:
        """The goal that a key result belongs to. Raises NotFound."""
        goal_id = await self.sure(
            lambda: _goals.goal_of_key_result(self._connection, self._who.organisation_id, key_result_id)
        )
        if goal_id is None:
            raise NotFound(key_result=key_result_id)
        return goal_id

    async def sure(self, ask: Callable[[], Awaitable[T | None]]) -> T | None:
        """The answer of the read model; what it does not know it is asked again once it has seen every write."""
        found = await self._asked(ask)
        if found is None and await self._catch_up():
            found = await self._asked(ask)
        return found

    async def latest(self, goal_id: UUID) -> list[Latest]:
        """Where a goal's key results stand, with every write up to now. Raises ProjectionBehind."""
        if not await self._catch_up():
            raise ProjectionBehind(goal_id=goal_id)
        return (await _goals.standings(self._connection, [goal_id]))[goal_id]

    async def goal(self, goal_id: UUID) -> Goal:
        """A goal that the caller may see, as the log has it now. Raises NotFound."""
        goal = await self._services.dispatch.load(Goal, self._who.organisation_id, goal_id)
        if goal is None or not goal.is_shown_to(self._who.actor):
            raise NotFound(goal=goal_id)
        return goal

    async def people(self, meant: str | Iterable[UUID], owner: Owner) -> list[UUID]:
        """Who is meant by an invitation, each once; of a team its members, as the log has them now."""
        if not isinstance(meant, str):
            return list(dict.fromkeys(meant))
        team_id = owner.team_id or (self._who.home_team_id if owner.contributor_id is not None else None)
        team = await self._services.dispatch.load(Team, self._who.organisation_id, team_id) if team_id else None
        if team is None:
            raise Malformed(pointer="/invite", detail="there is no team to invite: name the contributors")
        return sorted(team.members)

    async def _asked(self, ask: Callable[[], Awaitable[T]]) -> T:
        async with self._turn:
            return await ask()

    async def _catch_up(self) -> bool:
        return await self._services.wait_for_position(await self._services.log.head(), WAIT_S)

    async def _goal_meant(self, to: Target) -> UUID | None:
        return await self.goal_of(to.key_result_id) if to.key_result_id is not None else to.goal_id

    async def _feed(self, body: NewKeyResult, pointer: str) -> FeedRow | None:
        asked = body.metric_id or body.measure_id
        if asked is None:
            return None
        feed = await self.sure(lambda: _goals.feed(self._connection, self._who.organisation_id, asked))
        if feed is None:
            raise NotFound(**{"metric" if body.metric_id else "measure": asked, "pointer": pointer})
        return feed

    def _baseline(self, body: NewKeyResult) -> Summary | None:
        given = body.baseline
        if given is None:
            return None
        if isinstance(given, Decimal):
            return Summary(value=given, start=self._who.today, end=self._who.today)
        return Summary(value=given.value, n=given.n, spread=given.spread, start=given.start, end=given.end)

    async def _is_unlinked(self, goal: Goal, facts: Facts) -> bool:
        links = goal.alignments.values()
        anchors = (facts.purpose.outcome_metric_id, facts.purpose.process_id)
        metrics = (link.to_outcome_metric_id for link in links)
        feeds = (one.is_fed for one in goal.key_results.values())
        if any(anchors) or any(metrics) or any(feeds):
            return False
        above = {link.to_goal_id for link in links if link.to_goal_id is not None}
        if not above:
            return True
        return await self.sure(lambda: self._linked(above)) is None

    async def _linked(self, goal_ids: Iterable[UUID]) -> set[UUID] | None:
        """Those of the open goals that lead to an outcome, None when none does."""
        asked = set(goal_ids)
        organisation_id = self._who.organisation_id
        return asked - await _tree.unlinked_among(self._connection, organisation_id, asked) or None


async def provide_desk(
    request: HttpRequest[Any, Any, State],
    who: NamedDependency[Who],
    sender: NamedDependency[Sender],
    connection: NamedDependency[Connection],
) -> Desk:
    """What the routes about goals work with."""
    return Desk(request, who, sender, connection)


DESK = {"desk": Provide(provide_desk)}
"""The dependency of routes that change goals."""


def _direction(baseline: Summary | None, target: Decimal) -> Direction:
    """Which way is better, as the target says."""
    return Direction.DECREASE if baseline and target < baseline.value else Direction.INCREASE


def number(value: float) -> Decimal:
    """A JSON number as it was written: at most 15 digits survive a float unchanged."""
    return Decimal(repr(value))
