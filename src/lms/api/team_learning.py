"""What did a team learn together?"""

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from lms.api.answers import Answer, created, found, text
from lms.api.bodies import Body
from lms.api.contributors import refuse_guests
from lms.api.deps import Connection, Reader, Sender, Who
from lms.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, page
from lms.domain.base import NotFound
from lms.domain.team_learning import HoldTeamLearning, TeamLearning
from lms.projections.people import People
from lms.projections.team_learning import TeamLearningRow, TeamLearnings

_held = TeamLearnings()
_people = People()


class NewTeamLearning(Body, frozen=True, kw_only=True):
    """What the team learned together; it names no person."""

    what: Annotated[str, msgspec.Meta(examples=["Why hand-overs take a day longer in week one"])]
    on: date | None = None
    participants_n: Annotated[int | None, msgspec.Meta(examples=[6])] = None
    goal_id: UUID | None = None
    competencies: tuple[UUID, ...] = ()


class TeamLearningShown(msgspec.Struct, frozen=True, kw_only=True):
    """What a team learned. ``next``: ``competencies``, ``goal`` while it is linked to none."""

    id: UUID
    team_id: UUID
    what: str | None
    on: date
    participants_n: int | None
    goal_id: UUID | None
    competencies: tuple[UUID, ...]
    next: tuple[str, ...]


@get("/v1/teams/{team_id:uuid}/learning", summary="What did this team learn together?", tags=["learning"])
async def team_learning(
    team_id: FromPath[UUID],
    who: NamedDependency[Who],
    reader: NamedDependency[Reader],
    connection: NamedDependency[Connection],
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Answer[Page[TeamLearningShown]]:
    """List what the team stated, the latest first."""
    refuse_guests(who)
    if await _people.team(connection, who.organisation_id, team_id) is None:
        raise NotFound(team=team_id)
    after = decode_cursor(cursor, date, UUID)
    rows = await _held.of_team(connection, who.organisation_id, team_id, limit + 1, after)
    items = [_shown(row) for row in await reader.open(rows)]
    return found(page(items, limit, lambda one: (one.on, one.id)))


@get("/v1/teams/{team_id:uuid}/learning/{learning_id:uuid}", summary="What was that occasion?", tags=["learning"])
async def one_team_learning(
    team_id: FromPath[UUID],
    learning_id: FromPath[UUID],
    who: NamedDependency[Who],
    reader: NamedDependency[Reader],
    connection: NamedDependency[Connection],
) -> Answer[TeamLearningShown]:
    """Show one occasion of a team."""
    refuse_guests(who)
    row = await _held.one(connection, who.organisation_id, team_id, learning_id)
    if row is None:
        raise NotFound(team_learning=learning_id)
    return found(_shown(await reader.open(row)), row.version)


@post("/v1/teams/{team_id:uuid}/learning", summary="Record what the team learned together", tags=["learning"])
async def hold_team_learning(
    team_id: FromPath[UUID],
    data: JSONBody[NewTeamLearning],
    who: NamedDependency[Who],
    sender: NamedDependency[Sender],
) -> Answer[TeamLearningShown]:
    """Record what the team learned. Its members and its lead."""
    learning_id = sender.new_id()
    command = HoldTeamLearning(
        actor=who.actor,
        today=who.today,
        team_learning_id=learning_id,
        team_id=team_id,
        what=data.what,
        on=data.on,
        participants_n=data.participants_n,
        goal_id=data.goal_id,
        competencies=data.competencies,
    )
    outcome = await sender.send(TeamLearning, learning_id, command)
    shown = TeamLearningShown(
        id=learning_id,
        team_id=team_id,
        what=data.what,
        on=outcome.aggregate.on,
        participants_n=data.participants_n,
        goal_id=data.goal_id,
        competencies=data.competencies,
        next=_missing(data.competencies, data.goal_id),
    )
    return created(shown, await sender.receipt(outcome), f"/v1/teams/{team_id}/learning/{learning_id}")


def _shown(row: TeamLearningRow) -> TeamLearningShown:
    return TeamLearningShown(
        id=row.team_learning_id,
        team_id=row.team_id,
        what=text(row.what),
        on=row.held_on,
        participants_n=row.participants_n,
        goal_id=row.goal_id,
        competencies=row.competencies,
        next=_missing(row.competencies, row.goal_id),
    )


def _missing(competencies: tuple[UUID, ...], goal_id: UUID | None) -> tuple[str, ...]:
    missing = {"competencies": not competencies, "goal": goal_id is None}
    return tuple(code for code, is_missing in missing.items() if is_missing)


ROUTES = [team_learning, one_team_learning, hold_team_learning]
