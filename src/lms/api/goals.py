"""Which goals are there, how do they stand, and how are they made, changed and ended?"""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar import Request as HttpRequest
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from lms.api.answers import Answer, created, found
from lms.api.batches import Accepted, BatchResults, judge
from lms.api.bodies import Batch
from lms.api.commitments import colleagues, invite
from lms.api.deps import Connection, Reader, Sender, Who, services_of
from lms.api.goal_bodies import NewGoal
from lms.api.goal_desk import DESK, Desk
from lms.api.goal_past import AsOf, Happened, KnownAt, Moment, happened, moment, stream, then
from lms.api.goal_views import (
    CommittedShown,
    GoalShown,
    GoalWhole,
    alignment_shown,
    check_in_shown,
    facts_of_goal,
    facts_of_row,
    shown,
)
from lms.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, encode_cursor, page
from lms.dispatch import Outcome
from lms.domain import progress
from lms.domain.base import Malformed, NotFound
from lms.domain.commitment import PrivateGoalsInviteNobody
from lms.domain.goal import Goal
from lms.domain.goal_commands import (
    ProposeGoal,
)
from lms.domain.goal_parts import Level, Owner, Purpose, Status
from lms.domain.terms import Visibility
from lms.projections.alignment_tree import AlignmentTree
from lms.projections.commitments import Commitments
from lms.projections.goal_rows import CheckInRow, GoalRow, LinkRow
from lms.projections.goals import Goals

_goals = Goals()
_tree = AlignmentTree()
_commitments = Commitments()

_MOST_SHOWN = 20


class RatioExplained(msgspec.Struct, frozen=True, kw_only=True):
    """Two figures with what they were computed from."""

    id: UUID
    version: int
    formulas: dict[str, str]
    today: str
    goal: GoalShown


@get("/v1/goals", summary="Which goals are there, and how do they stand?", tags=["goals"])
async def goals(
    who: NamedDependency[Who],
    reader: NamedDependency[Reader],
    connection: NamedDependency[Connection],
    level: FromQuery[Level | None] = None,
    status: FromQuery[Status | None] = None,
    cycle: FromQuery[UUID | None] = None,
    team: FromQuery[UUID | None] = None,
    unlinked: Annotated[bool, QueryParameter(description="Only open goals that lead to no outcome")] = False,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Answer[Page[GoalShown]]:
    """List the goals that the caller may see, the latest first."""
    after = decode_cursor(cursor, int)
    before = after[0] if after else None
    asked = (connection, who.organisation_id, who.actor, limit + 1, before, level, status, cycle, team)
    if unlinked:
        ids = await _tree.unlinked(*asked)
        visible = await _goals.find(connection, who.organisation_id, who.actor, ids)
        rows = [visible[goal_id] for goal_id in ids if goal_id in visible]
    else:
        rows = await _goals.page(*asked)
    return found(await list_of(rows, limit, who, reader, connection))


async def list_of(rows: list[GoalRow], limit: int, who: Who, reader: Reader, connection: Connection) -> Page[GoalShown]:
    """A page of goals that were read with one more than ``limit``."""
    kept = rows[:limit]
    ids = [row.goal_id for row in kept]
    standings = await _goals.standings(connection, ids)
    loose = await _tree.unlinked_among(connection, who.organisation_id, ids)
    facts = await reader.open([facts_of_row(row, standings[row.goal_id]) for row in kept])
    items = [shown(one, who.today, unlinked=one.id in loose) for one in facts]
    return Page(items, encode_cursor((kept[-1].position,)) if len(rows) > limit else None)


@post("/v1/goals", summary="Propose a goal", tags=["goals"], dependencies=DESK)
async def propose(
    data: JSONBody[NewGoal],
    who: NamedDependency[Who],
    sender: NamedDependency[Sender],
    desk: NamedDependency[Desk],
) -> Answer[GoalShown]:
    """Propose a goal of any level, with key results, links and invitations where they are known.

    An individual goal stands at once and is private; the others wait for their meeting and are open inside. Without
    owner: individual, the caller; team, his home team if he leads it, else the first team he leads.
    """
    outcome = await _propose(data, "", who, sender, desk)
    receipt = await sender.receipt(outcome)
    return created(await desk.shown(outcome.aggregate), receipt, f"/v1/goals/{outcome.aggregate.id}")


@post("/v1/goals:batch", summary="Propose many goals", tags=["goals"], dependencies=DESK)
async def propose_many(
    data: JSONBody[Batch],
    who: NamedDependency[Who],
    sender: NamedDependency[Sender],
    desk: NamedDependency[Desk],
) -> Answer[BatchResults]:
    """Propose up to 1000 goals in one call; each is judged alone."""

    async def act(name: str, body: NewGoal) -> Accepted:
        outcome = await _propose(body, f"{name}:", who, sender, desk)
        goal_id = outcome.aggregate.id
        return Accepted(id=goal_id, location=f"/v1/goals/{goal_id}", outcome=outcome)

    return await judge(data, NewGoal, sender, act)


async def _propose(data: NewGoal, name: str, who: Who, sender: Sender, desk: Desk) -> Outcome[Goal]:
    owner = _owner(data, who)
    private = data.visibility is Visibility.PRIVATE
    if data.invite and (private or (data.level is Level.INDIVIDUAL and data.visibility is None)):
        raise PrivateGoalsInviteNobody
    invited = await desk.people(data.invite, owner) if data.invite is not None else []
    goal_id = sender.new_id(f"{name}stream")
    command = ProposeGoal(
        actor=who.actor,
        today=who.today,
        goal_id=goal_id,
        level=data.level,
        title=data.title,
        purpose=Purpose(
            statement=data.purpose.statement,
            outcome_metric_id=data.purpose.outcome_metric_id,
            process_id=data.purpose.process_id,
        ),
        owner=owner,
        cycle_id=data.cycle_id,
        origin=data.origin,
        visibility=data.visibility,
        home_team_id=who.home_team_id,
        my_reason=data.my_reason,
        key_results=await desk.key_results(data.key_results, name),
        align=await desk.alignments(data.align, name),
    )
    outcome = await sender.send(Goal, goal_id, command, name.rstrip(":") or None)
    invitations = await invite(sender, who, goal_id, invited, None, name)
    # A read that waits for this answer's position sees the invitations too.
    position = max(outcome.position or 0, *(one.position or 0 for one in invitations), 0)
    return msgspec.structs.replace(outcome, position=position)


class OneGoal(Controller):
    """One goal, now and then."""

    path = "/v1/goals/{goal_id:uuid}"
    tags = ["goals"]  # noqa: RUF012 - Litestar's way

    @get(summary="How does this goal stand?")
    async def show(
        self,
        request: HttpRequest[Any, Any, State],
        goal_id: FromPath[UUID],
        who: NamedDependency[Who],
        reader: NamedDependency[Reader],
        connection: NamedDependency[Connection],
        as_of: AsOf = None,
        known_at: KnownAt = None,
    ) -> Answer[GoalWhole]:
        """Show one goal with its links, the latest check-ins, and who committed and shows it.

        With ``as_of`` or ``known_at`` as it stood, or was known to stand, then; what it leads to is seen as it stands.
        """
        row = await _row(goal_id, who, connection)
        if as_of is not None or known_at is not None:
            return found(await _past(request, row, moment(as_of, known_at, who), who, reader, connection))
        goal = (await list_of([row], 1, who, reader, connection)).items[0]
        links = await _goals.links(connection, goal_id)
        check_ins = await _goals.check_ins(connection, goal_id, _MOST_SHOWN)
        committed = await _commitments.shown_on(
            connection, who.organisation_id, who.actor, await colleagues(connection, who), goal_id, _MOST_SHOWN
        )
        shown_now = await _whole(goal, links, check_ins, who, reader, connection)
        committed_now = [CommittedShown(contributor_id=one.contributor_id, until=one.until) for one in committed]
        return found(msgspec.structs.replace(shown_now, committed=committed_now), row.version)

    @get("/history", summary="What happened to this goal?")
    async def history(
        self,
        request: HttpRequest[Any, Any, State],
        goal_id: FromPath[UUID],
        who: NamedDependency[Who],
        reader: NamedDependency[Reader],
        connection: NamedDependency[Connection],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Answer[Page[Happened]]:
        """List the goal's events in the order of the log; links to goals that the caller may not see are left out."""
        await _row(goal_id, who, connection)
        after = decode_cursor(cursor, int)
        events = await stream(services_of(request), who.organisation_id, goal_id)
        links = [one.data.alignment.to_goal_id for one in events if isinstance(one.data, Goal.Aligned)]
        above = await _goals.find(connection, who.organisation_id, who.actor, [one for one in links if one])
        hidden = {one for one in links if one is not None and one not in above}
        told = [
            one
            for one in events
            if one.version > (after[0] if after else 0)
            and not (isinstance(one.data, Goal.Aligned) and one.data.alignment.to_goal_id in hidden)
        ]
        opened = await reader.open(told[: limit + 1])
        return found(page(happened(opened, who), limit, lambda one: (one.version,)))

    @get("/explain", summary="How is its progress computed?")
    async def explain(
        self,
        goal_id: FromPath[UUID],
        who: NamedDependency[Who],
        reader: NamedDependency[Reader],
        connection: NamedDependency[Connection],
    ) -> Answer[RatioExplained]:
        """Show inputs, formulas and their version beside the figures."""
        row = await _row(goal_id, who, connection)
        goal = (await list_of([row], 1, who, reader, connection)).items[0]
        explained = RatioExplained(
            id=goal_id, version=progress.VERSION, formulas=progress.FORMULAS, today=who.today.isoformat(), goal=goal
        )
        return found(explained, row.version)


async def _past(
    request: HttpRequest[Any, Any, State], row: GoalRow, at: Moment, who: Who, reader: Reader, connection: Connection
) -> GoalWhole:
    services = services_of(request)
    events = await stream(services, who.organisation_id, row.goal_id)
    past = await then(services, connection, who, events, at)
    loose = await _tree.unlinked_among(connection, who.organisation_id, [row.goal_id])
    facts = await reader.open(facts_of_goal(past.goal, past.latest))
    goal = shown(facts, at.as_of.astimezone(who.time_zone).date(), unlinked=bool(loose))
    return await _whole(goal, past.links, past.check_ins[:_MOST_SHOWN], who, reader, connection)


async def _whole(
    goal: GoalShown,
    links: Sequence[LinkRow],
    check_ins: Sequence[CheckInRow],
    who: Who,
    reader: Reader,
    connection: Connection,
) -> GoalWhole:
    """The goal with its parts, as far as the reader sees what they lead to."""
    above = [link.to_goal_id for link in links if link.to_goal_id is not None]
    visible = await _goals.find(connection, who.organisation_id, who.actor, above)
    links = await reader.open([one for one in links if one.to_goal_id is None or one.to_goal_id in visible])
    return GoalWhole(
        **{name: getattr(goal, name) for name in GoalShown.__struct_fields__},
        alignments=[alignment_shown(link) for link in links],
        check_ins=[check_in_shown(one) for one in await reader.open(list(check_ins))],
        committed=[],
    )


async def _row(goal_id: UUID, who: Who, connection: Connection) -> GoalRow:
    visible = await _goals.find(connection, who.organisation_id, who.actor, [goal_id])
    if goal_id not in visible:
        raise NotFound(goal=goal_id)
    return visible[goal_id]


def _owner(data: NewGoal, who: Who) -> Owner:
    """Whose goal it is, when nothing else was said."""
    if data.owner is not None:
        return Owner(contributor_id=data.owner.contributor_id, team_id=data.owner.team_id)
    match data.level:
        case Level.INDIVIDUAL:
            return Owner(contributor_id=who.contributor_id)
        case Level.BUSINESS_MODEL:
            return Owner()
        case Level.TEAM:
            leads_home = who.home_team_id in who.actor.leads
            team_id = who.home_team_id if leads_home else min(who.actor.leads, default=who.home_team_id)
            if team_id is None:
                raise Malformed(pointer="/owner", detail="say which team")
            return Owner(team_id=team_id)


ROUTES = [goals, propose, propose_many, OneGoal]
