"""Who works together, and how does a team change?"""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar import Request as HttpRequest
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from lms.api.answers import Answer, Receipt, changed, created, done, found, text
from lms.api.bodies import Body
from lms.api.contributors import refuse_guests
from lms.api.deps import Connection, Reader, Sender, Who
from lms.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, page
from lms.api.standing import people_moved
from lms.domain.administration import administers
from lms.domain.base import Malformed, NotFound
from lms.domain.team import NewMember, Team
from lms.domain.team_commands import (
    AddMembers,
    AppointLead,
    Change,
    DisbandTeam,
    FormTeam,
    MoveTeam,
    RemoveMember,
    RenameTeam,
    SetDistance,
)
from lms.projections.people import People, TeamRow

_people = People()
_MOST_SUB_TEAMS = 1_000


class Joining(Body, frozen=True, kw_only=True):
    """Somebody who joins; it is his home when he has none yet, unless said otherwise."""

    contributor_id: UUID
    home: bool | None = None


class NewTeam(Body, frozen=True, kw_only=True):
    """A team, at the top or under another, with what is known already."""

    name: Annotated[str, msgspec.Meta(examples=["Service desk"])]
    parent_team_id: UUID | None = None
    lead: Annotated[str | None, msgspec.Meta(description="A contributor's id, or `me`", examples=["me"])] = None
    distance: Annotated[int | None, msgspec.Meta(examples=[1])] = None
    members: tuple[Joining, ...] = ()
    on: date | None = None


class Members(Body, frozen=True, kw_only=True):
    """Who joins: one person, or a list of ``members``."""

    contributor_id: UUID | None = None
    home: bool | None = None
    members: tuple[Joining, ...] = ()
    on: date | None = None


class Lead(Body, frozen=True, kw_only=True):
    """Who leads from now on; null for nobody."""

    contributor_id: UUID | None
    on: date | None = None


class Distance(Body, frozen=True, kw_only=True):
    """How many hand-overs lie between the team and the customer; 0 meets him."""

    steps: Annotated[int, msgspec.Meta(examples=[1])]
    on: date | None = None


class Place(Body, frozen=True, kw_only=True):
    """Under which team; null for the top."""

    parent_team_id: UUID | None
    on: date | None = None


class Name(Body, frozen=True, kw_only=True):
    """What the team is called."""

    name: Annotated[str, msgspec.Meta(examples=["Service desk"])]


class TeamShown(msgspec.Struct, frozen=True, kw_only=True):
    """A team. ``distance``: hand-overs to the customer, null until said. ``next``: what is not said yet."""

    id: UUID
    name: str
    parent_team_id: UUID | None
    lead_id: UUID | None
    distance: int | None
    members_n: int
    formed_on: date
    disbanded_on: date | None
    next: tuple[str, ...]


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A person or team by name; null when the person is forgotten."""

    id: UUID
    name: str | None


class Member(Named, frozen=True, kw_only=True):
    """A member, and whether he counts here."""

    home: bool
    since: date


class TeamWhole(TeamShown, frozen=True, kw_only=True):
    """A team with its people and its place in the tree; ``above`` runs from its parent to the top."""

    lead: Named | None
    members: list[Member]
    above: list[Named]
    sub_teams: list[Named]


@get("/v1/teams", summary="Which teams are there?", tags=["people"])
async def teams(
    who: NamedDependency[Who],
    connection: NamedDependency[Connection],
    lead: Annotated[str | None, QueryParameter(description="A contributor's id, or `me`")] = None,
    parent: FromQuery[UUID | None] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Answer[Page[TeamShown]]:
    """List the standing teams by name; ``?lead=me`` those the caller leads, ``?parent=`` those right under one."""
    refuse_guests(who)
    after = decode_cursor(cursor, str, UUID)
    led_by = _person(lead, who)
    rows = await _people.teams(connection, who.organisation_id, limit + 1, after, led_by, parent)
    sizes = await _people.sizes(connection, [row.team_id for row in rows])
    items = [_row_shown(row, sizes.get(row.team_id, 0)) for row in rows]
    return found(page(items, limit, lambda team: (team.name, team.id)))


@post("/v1/teams", summary="Form a team", tags=["people"])
async def form_team(
    request: HttpRequest[Any, Any, State],
    data: JSONBody[NewTeam],
    who: NamedDependency[Who],
    sender: NamedDependency[Sender],
) -> Answer[TeamShown]:
    """Form a team, with lead, distance and members where they are known. Administrators."""
    team_id = sender.new_id()
    command = FormTeam(
        actor=who.actor,
        today=who.today,
        team_id=team_id,
        name=data.name,
        parent_team_id=data.parent_team_id,
        lead=_person(data.lead, who),
        distance=data.distance,
        members=_joining(data.members),
        on=data.on,
    )
    outcome = await sender.send(Team, team_id, command)
    people_moved(request, who.organisation_id, outcome.position)
    return created(_shown(outcome.aggregate), await sender.receipt(outcome), f"/v1/teams/{team_id}")


class Changes:
    """Sends one change of the team in the path and answers with the team as it is then."""

    def __init__(self, request: HttpRequest[Any, Any, State], who: Who, sender: Sender, above: frozenset[UUID]) -> None:
        self._request = request
        self._who = who
        self._sender = sender
        self._above = above

    def stated(self, on: date | None = None) -> dict[str, Any]:
        """What every change of a team says."""
        return {"actor": self._who.actor, "today": self._who.today, "above": self._above, "on": on}

    async def send(self, team_id: UUID, command: Change) -> tuple[Team, Receipt]:
        """Send it, and let the next request of this process see it."""
        outcome = await self._sender.send(Team, team_id, command)
        people_moved(self._request, self._who.organisation_id, outcome.position)
        return outcome.aggregate, await self._sender.receipt(outcome)

    async def answer(self, team_id: UUID, command: Change) -> Answer[TeamShown]:
        """Send it and show the team."""
        team, receipt = await self.send(team_id, command)
        return changed(_shown(team), receipt)


async def provide_changes(
    request: HttpRequest[Any, Any, State],
    team_id: FromPath[UUID],
    who: NamedDependency[Who],
    sender: NamedDependency[Sender],
    connection: NamedDependency[Connection],
) -> Changes:
    """What sends a change of the team in the path; the teams above matter only to who is no administrator."""
    above = [] if administers(who.actor) else await _people.above(connection, who.organisation_id, team_id)
    return Changes(request, who, sender, frozenset(above))


class OneTeam(Controller):
    """One team, and its changes by an administrator, the team's lead or the lead of a team above it."""

    path = "/v1/teams/{team_id:uuid}"
    dependencies = {"changes": Provide(provide_changes)}  # noqa: RUF012 - Litestar's way
    tags = ["people"]  # noqa: RUF012 - Litestar's way

    @get(summary="Who is in this team?")
    async def show(
        self,
        team_id: FromPath[UUID],
        who: NamedDependency[Who],
        reader: NamedDependency[Reader],
        connection: NamedDependency[Connection],
    ) -> Answer[TeamWhole]:
        """Show one team with its people, the teams above and right under it."""
        refuse_guests(who)
        row = await _people.team(connection, who.organisation_id, team_id)
        if row is None:
            raise NotFound(kind="team", id=team_id)
        members = await _people.members(connection, who.organisation_id, team_id)
        above = await _people.above(connection, who.organisation_id, team_id)
        upward = {one.team_id: one.name for one in await _people.teams_with(connection, above)}
        under = await _people.teams(connection, who.organisation_id, _MOST_SUB_TEAMS, parent_team_id=team_id)
        wanted = {member.contributor_id for member in members} | ({row.lead} if row.lead else set())
        names = await reader.open(await _people.names(connection, who.organisation_id, wanted))
        whole = TeamWhole(
            **msgspec.structs.asdict(_row_shown(row, len(members))),
            lead=Named(id=row.lead, name=text(names.get(row.lead))) if row.lead else None,
            members=[
                Member(id=one.contributor_id, name=text(names.get(one.contributor_id)), home=one.home, since=one.since)
                for one in members
            ],
            above=[Named(id=one, name=upward[one]) for one in above],
            sub_teams=[Named(id=one.team_id, name=one.name) for one in under],
        )
        return found(whole, row.version)

    @post("/members", summary="Add members", status_code=200)
    async def add_members(
        self,
        team_id: FromPath[UUID],
        data: JSONBody[Members | list[Joining]],
        changes: NamedDependency[Changes],
    ) -> Answer[TeamShown]:
        """Make one person or several members: all of them, or none.

        An administrator, or who leads both teams, moves the home of somebody who has one elsewhere.
        """
        members, on = _wanted(data)
        return await changes.answer(team_id, AddMembers(**changes.stated(on), members=members))

    @delete("/members/{contributor_id:uuid}", summary="Let a member go", status_code=200)
    async def remove_member(
        self, team_id: FromPath[UUID], contributor_id: FromPath[UUID], changes: NamedDependency[Changes]
    ) -> Answer[TeamShown]:
        """Let a member go today."""
        return await changes.answer(team_id, RemoveMember(**changes.stated(), contributor_id=contributor_id))

    @post("/lead", summary="Appoint the lead", status_code=200)
    async def appoint_lead(
        self, team_id: FromPath[UUID], data: JSONBody[Lead], changes: NamedDependency[Changes]
    ) -> Answer[TeamShown]:
        """Put somebody in the lead: an administrator, or who leads a team above."""
        command = AppointLead(**changes.stated(data.on), contributor_id=data.contributor_id)
        return await changes.answer(team_id, command)

    @post("/distance", summary="Say how far the customer is", status_code=200)
    async def set_distance(
        self, team_id: FromPath[UUID], data: JSONBody[Distance], changes: NamedDependency[Changes]
    ) -> Answer[TeamShown]:
        """Say how many hand-overs lie between the team and the customer."""
        return await changes.answer(team_id, SetDistance(**changes.stated(data.on), steps=data.steps))

    @post("/move", summary="Move the team in the tree", status_code=200)
    async def move(
        self, team_id: FromPath[UUID], data: JSONBody[Place], changes: NamedDependency[Changes]
    ) -> Answer[TeamShown]:
        """Put the team under another, or at the top. Administrators."""
        command = MoveTeam(**changes.stated(data.on), parent_team_id=data.parent_team_id)
        return await changes.answer(team_id, command)

    @patch(summary="Rename the team")
    async def rename(
        self, team_id: FromPath[UUID], data: JSONBody[Name], changes: NamedDependency[Changes]
    ) -> Answer[TeamShown]:
        """Give the team another name."""
        return await changes.answer(team_id, RenameTeam(**changes.stated(), name=data.name))

    @delete(summary="Disband the team", status_code=204)
    async def disband(
        self,
        team_id: FromPath[UUID],
        who: NamedDependency[Who],
        connection: NamedDependency[Connection],
        changes: NamedDependency[Changes],
    ) -> Answer[None]:
        """End a team that has neither members nor sub-teams. Administrators."""
        under = await _people.teams(connection, who.organisation_id, _MOST_SUB_TEAMS, parent_team_id=team_id)
        command = DisbandTeam(**changes.stated(), sub_teams=tuple(one.team_id for one in under))
        _, receipt = await changes.send(team_id, command)
        return done(receipt)


def _person(stated: str | None, who: Who) -> UUID | None:
    if stated is None or stated == "me":
        return who.contributor_id if stated else None
    try:
        return UUID(stated)
    except ValueError:
        raise Malformed(pointer="/lead", detail="a contributor's id, or me") from None


def _wanted(data: Members | list[Joining]) -> tuple[tuple[NewMember, ...], date | None]:
    if isinstance(data, list):
        return _joining(tuple(data)), None
    if data.contributor_id is None:
        return _joining(data.members), data.on
    if data.members:
        raise Malformed(pointer="/members", detail="either one contributor_id or a list of members")
    return (NewMember(contributor_id=data.contributor_id, home=data.home),), data.on


def _joining(members: tuple[Joining, ...]) -> tuple[NewMember, ...]:
    return tuple(NewMember(contributor_id=one.contributor_id, home=one.home) for one in members)


def _row_shown(row: TeamRow, members_n: int) -> TeamShown:
    return TeamShown(
        id=row.team_id,
        name=row.name,
        parent_team_id=row.parent_team_id,
        lead_id=row.lead,
        distance=row.distance,
        members_n=members_n,
        formed_on=row.formed_on,
        disbanded_on=row.disbanded_on,
        next=_missing(row.lead, row.distance, members_n),
    )


def _shown(team: Team) -> TeamShown:
    return TeamShown(
        id=team.id,
        name=team.name,
        parent_team_id=team.parent_team_id,
        lead_id=team.lead,
        distance=team.distance,
        members_n=len(team.members),
        formed_on=team.formed_on,
        disbanded_on=team.disbanded_on,
        next=_missing(team.lead, team.distance, len(team.members)),
    )


def _missing(lead: UUID | None, distance: int | None, members_n: int) -> tuple[str, ...]:
    missing = {"lead": lead is None, "members": members_n == 0, "distance": distance is None}
    return tuple(code for code, absent in missing.items() if absent)


ROUTES = [teams, form_team, OneTeam]
