"""Which goals are there, how do they stand, and how are they made, changed and ended?"""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from lms.api.answers import Answer, created, found
from lms.api.batches import Accepted, BatchResults, judge
from lms.api.bodies import Batch
from lms.api.commitments import colleagues, invite
from lms.api.deps import Connection, Reader, Sender, Who
from lms.api.goal_bodies import Adjustment, Agreement, Closing, NewGoal, NewKeyResult, Reflection, Showing
from lms.api.goal_desk import DESK, Desk, number
from lms.api.goal_views import (
    CommittedShown,
    GoalShown,
    GoalWhole,
    alignment_shown,
    check_in_shown,
    facts_of_row,
    shown,
)
from lms.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, encode_cursor
from lms.dispatch import Outcome
from lms.domain import progress
from lms.domain.base import Malformed, NotFound
from lms.domain.commitment import PrivateGoalsInviteNobody
from lms.domain.goal import Goal
from lms.domain.goal_commands import (
    AdjustGoal,
    AgreeOnGoal,
    ChangeVisibility,
    CloseGoal,
    DefineKeyResult,
    ProposeGoal,
    ReflectOnGoal,
)
from lms.domain.goal_parts import AdjustedField, FinalValue, Level, Owner, Purpose, Setting, Status
from lms.domain.progress import Standing
from lms.domain.terms import Visibility
from lms.projections.alignment_tree import AlignmentTree
from lms.projections.commitments import Commitments
from lms.projections.goal_rows import GoalRow
from lms.projections.goals import Goals

_goals = Goals()
_tree = AlignmentTree()
_commitments = Commitments()

_MOST_SHOWN = 20


class PartMade(msgspec.Struct, frozen=True, kw_only=True):
    """A new part of a goal, and what the goal still lacks."""

    id: UUID
    goal_id: UUID
    next: tuple[str, ...]


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
    """One goal and what happens to it."""

    path = "/v1/goals/{goal_id:uuid}"
    dependencies = DESK
    tags = ["goals"]  # noqa: RUF012 - Litestar's way

    @get(summary="How does this goal stand?")
    async def show(
        self,
        goal_id: FromPath[UUID],
        who: NamedDependency[Who],
        reader: NamedDependency[Reader],
        connection: NamedDependency[Connection],
    ) -> Answer[GoalWhole]:
        """Show one goal with its links, the latest check-ins, and who committed and shows it."""
        row = await _row(goal_id, who, connection)
        goal = (await list_of([row], 1, who, reader, connection)).items[0]
        links = await _goals.links(connection, goal_id)
        above = [link.to_goal_id for link in links if link.to_goal_id is not None]
        visible = await _goals.find(connection, who.organisation_id, who.actor, above)
        links = await reader.open([one for one in links if one.to_goal_id is None or one.to_goal_id in visible])
        check_ins = await reader.open(await _goals.check_ins(connection, goal_id, _MOST_SHOWN))
        near = await colleagues(connection, who)
        committed = await _commitments.shown_on(connection, who.organisation_id, who.actor, near, goal_id, _MOST_SHOWN)
        whole = GoalWhole(
            **{name: getattr(goal, name) for name in GoalShown.__struct_fields__},
            alignments=[alignment_shown(link) for link in links],
            check_ins=[check_in_shown(one) for one in check_ins],
            committed=[CommittedShown(contributor_id=one.contributor_id, until=one.until) for one in committed],
        )
        return found(whole, row.version)

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

    @post("/agreement", summary="File the meeting that set the goal", status_code=200)
    async def agree(
        self,
        goal_id: FromPath[UUID],
        data: JSONBody[Agreement],
        who: NamedDependency[Who],
        desk: NamedDependency[Desk],
    ) -> Answer[GoalShown]:
        """Set a goal of a team or the business model: its lead, or a business owner."""
        command = AgreeOnGoal(
            actor=who.actor,
            today=who.today,
            on=data.on,
            how=data.how,
            participants_n=data.participants_n,
            contributor_kinds=data.contributor_kinds,
        )
        return await desk.send(goal_id, command)

    @post("/key-results", summary="Define a key result")
    async def define_key_result(
        self,
        goal_id: FromPath[UUID],
        data: JSONBody[NewKeyResult],
        who: NamedDependency[Who],
        sender: NamedDependency[Sender],
        desk: NamedDependency[Desk],
    ) -> Answer[PartMade]:
        """Say how one will see that the goal is reached."""
        key_result = await desk.key_result(data, "key-result:0")
        command = DefineKeyResult(actor=who.actor, today=who.today, key_result=key_result)
        outcome = await sender.send(Goal, goal_id, command)
        return await part_made(key_result.key_result_id, outcome, sender, desk)

    @post("/adjustments", summary="Adjust the goal on what was learned", status_code=200)
    async def adjust(
        self,
        goal_id: FromPath[UUID],
        data: JSONBody[Adjustment],
        who: NamedDependency[Who],
        desk: NamedDependency[Desk],
    ) -> Answer[GoalShown]:
        """Change title, purpose, a target or a due date; what stood before and how far it was are kept."""
        latest = await desk.latest(goal_id)
        command = AdjustGoal(
            actor=who.actor,
            today=who.today,
            field=data.field,
            key_result_id=data.key_result_id,
            to=_setting(data),
            on=data.on or who.today,
            how=data.how,
            participants_n=data.participants_n,
            reason=data.reason,
            evidence=data.evidence,
            measured_ratio=progress.goal_ratio(Standing(key_result=one.key_result, value=one.value) for one in latest),
            note=data.note,
        )
        return await desk.send(goal_id, command)

    @post("/reflections", summary="Say what was learned from the goal")
    async def reflect(
        self,
        goal_id: FromPath[UUID],
        data: JSONBody[Reflection],
        who: NamedDependency[Who],
        sender: NamedDependency[Sender],
        desk: NamedDependency[Desk],
    ) -> Answer[PartMade]:
        """Keep what was expected, what happened, what was learned and what comes next; also after the end."""
        command = ReflectOnGoal(
            actor=who.actor,
            today=who.today,
            expected=data.expected,
            happened=data.happened,
            learned=data.learned,
            next=data.next,
        )
        outcome = await sender.send(Goal, goal_id, command)
        return await part_made(sender.new_id("reflection"), outcome, sender, desk)

    @post("/closing", summary="End the goal", status_code=200)
    async def close(
        self,
        goal_id: FromPath[UUID],
        data: JSONBody[Closing],
        who: NamedDependency[Who],
        desk: NamedDependency[Desk],
    ) -> Answer[GoalShown]:
        """Close it as achieved, not achieved or abandoned, with its final values."""
        final = [
            FinalValue(key_result_id=one.key_result.key_result_id, value=one.value)
            for one in await desk.latest(goal_id)
            if one.value is not None
        ]
        command = CloseGoal(
            actor=who.actor,
            today=who.today,
            result=data.result,
            on=data.on or who.today,
            final_values=tuple(final),
            reason=data.reason,
        )
        return await desk.send(goal_id, command)

    @post("/visibility", summary="Show the goal to more or fewer people", status_code=200)
    async def change_visibility(
        self,
        goal_id: FromPath[UUID],
        data: JSONBody[Showing],
        who: NamedDependency[Who],
        desk: NamedDependency[Desk],
    ) -> Answer[GoalShown]:
        """Show it to nobody else, the team, the organisation or, with guests, everybody."""
        command = ChangeVisibility(
            actor=who.actor, today=who.today, visibility=data.visibility, home_team_id=who.home_team_id
        )
        return await desk.send(goal_id, command)


async def part_made(part_id: UUID, outcome: Outcome[Goal], sender: Sender, desk: Desk) -> Answer[PartMade]:
    """201 for a part of a goal: its location is the goal."""
    goal = outcome.aggregate
    made = PartMade(id=part_id, goal_id=goal.id, next=(await desk.shown(goal)).next)
    return created(made, await sender.receipt(outcome), f"/v1/goals/{goal.id}")


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


def _setting(data: Adjustment) -> Setting:
    if isinstance(data.to, (int, float)):
        return Setting(number=number(data.to))
    if data.field is AdjustedField.DUE_ON:
        try:
            return msgspec.convert({"day": data.to}, Setting)
        except msgspec.ValidationError:
            raise Malformed(pointer="/to", detail="a due date is a date, such as 2026-03-31") from None
    return Setting(text=data.to)


ROUTES = [goals, propose, propose_many, OneGoal]
