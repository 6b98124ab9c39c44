"""What can be asked of a team, and of whom?"""

from datetime import date
from typing import assert_never
from uuid import UUID

from lms.domain.administration import administers, check_administrator
from lms.domain.base import Actor, Aggregate, Command, Malformed, NotFound, Others
from lms.domain.contributor import Contributor
from lms.domain.team import HomeIsElsewhere, NewMember, NotYourTeam, Team, TeamHasMembers
from lms.domain.terms import check_not_in_future, check_text

_MOST_AT_ONCE = 500


class FormTeam(Command, frozen=True, kw_only=True):
    """A new team, at the top or under another, with what is known already; formed today unless said otherwise."""

    team_id: UUID
    name: str
    parent_team_id: UUID | None = None
    lead: UUID | None = None
    distance: int | None = None
    members: tuple[NewMember, ...] = ()
    on: date | None = None


class TeamCommand(Command, frozen=True, kw_only=True):
    """A change of a team. ``above`` are the teams above it as the edge knows them: their leads may act too."""

    above: frozenset[UUID] = frozenset()
    on: date | None = None


class MoveTeam(TeamCommand, frozen=True, kw_only=True):
    """Put the team under another, or at the top."""

    parent_team_id: UUID | None = None


class RenameTeam(TeamCommand, frozen=True, kw_only=True):
    """Give the team another name."""

    name: str


class DisbandTeam(TeamCommand, frozen=True, kw_only=True):
    """End the team. ``sub_teams`` are those under it as the edge knows them."""

    sub_teams: tuple[UUID, ...] = ()


class AddMembers(TeamCommand, frozen=True, kw_only=True):
    """Make people members: all of them, or none."""

    members: tuple[NewMember, ...]


class RemoveMember(TeamCommand, frozen=True, kw_only=True):
    """Let a member go."""

    contributor_id: UUID


class AppointLead(TeamCommand, frozen=True, kw_only=True):
    """Put somebody in the lead, or nobody."""

    contributor_id: UUID | None = None


class SetDistance(TeamCommand, frozen=True, kw_only=True):
    """Say how many hand-overs lie between the team and the customer."""

    steps: int


Change = MoveTeam | RenameTeam | DisbandTeam | AddMembers | RemoveMember | AppointLead | SetDistance


def handle(team: Team | None, command: FormTeam | Change, others: Others) -> Team | tuple[Aggregate, ...]:
    """Decide what a command does to a team, and to the people whose home it is."""
    if isinstance(command, FormTeam):
        return _form(team, command, others)
    if team is None:
        raise NotFound(kind="team")
    _refuse_strangers(team, command)
    team.refuse_disbanded()
    on = _day(command)
    match command:
        case MoveTeam(parent_team_id=parent_team_id):
            team.move(parent_team_id, on, others)
        case RenameTeam(name=name):
            team.rename(name, on)
        case DisbandTeam():
            return _disband(team, command, on, others)
        case AddMembers():
            return _add(team, command.members, command.actor, on, others)
        case RemoveMember(contributor_id=contributor_id):
            return _remove(team, contributor_id, on, others)
        case AppointLead(contributor_id=contributor_id):
            _appoint(team, contributor_id, on, others)
        case SetDistance(steps=steps):
            team.set_distance(steps, on)
        case _:
            assert_never(command)
    return team


def _form(team: Team | None, command: FormTeam, others: Others) -> tuple[Aggregate, ...]:
    check_administrator(command.actor)
    if team is not None:
        raise Malformed(pointer="/team_id", detail="there is a team with this id")
    check_text(command.name, "/name", limit=200)
    on = _day(command)
    formed = Team.blank(command.team_id)
    formed.place_under(command.parent_team_id, others)
    formed.record(Team.Formed(name=command.name.strip(), parent_team_id=command.parent_team_id, on=on))
    if command.lead is not None:
        _appoint(formed, command.lead, on, others)
    if command.distance is not None:
        formed.set_distance(command.distance, on)
    if not command.members:
        return (formed,)
    return _add(formed, command.members, command.actor, on, others)


def _day(command: FormTeam | Change) -> date:
    on = command.on or command.today
    check_not_in_future(on, command.today, "/on")
    return on


def _refuse_strangers(team: Team, command: Change) -> None:
    """Moving and disbanding reshape the organisation; the lead is appointed by who leads above."""
    if administers(command.actor):
        return
    match command:
        case MoveTeam() | DisbandTeam():
            allowed = False
        case AppointLead():
            allowed = bool(command.actor.leads & command.above)
        case _:
            allowed = bool(command.actor.leads & (command.above | {team.id}))
    if not allowed:
        raise NotYourTeam(team_id=team.id)


def _disband(team: Team, command: DisbandTeam, on: date, others: Others) -> Team:
    under = [sub for sub in others.find_all(Team, command.sub_teams) if sub is not None]
    standing = [sub for sub in under if sub.parent_team_id == team.id and sub.disbanded_on is None]
    members = [one for one in others.find_all(Contributor, team.members) if one is not None and one.is_active]
    if members or standing:
        raise TeamHasMembers(team_id=team.id, members_n=len(members), sub_teams_n=len(standing))
    team.record(Team.Disbanded(on=on))
    return team


def _appoint(team: Team, contributor_id: UUID | None, on: date, others: Others) -> None:
    if contributor_id is not None:
        others.get(Contributor, contributor_id).refuse_inactive()
    team.appoint(contributor_id, on)


def _add(team: Team, members: tuple[NewMember, ...], actor: Actor, on: date, others: Others) -> tuple[Aggregate, ...]:
    wanted = {member.contributor_id: member.home for member in members}
    if not 1 <= len(members) <= _MOST_AT_ONCE:
        raise Malformed(pointer="/members", detail=f"from 1 to {_MOST_AT_ONCE} members at once")
    if len(wanted) < len(members):
        raise Malformed(pointer="/members", detail="names somebody twice")
    # One read for all of them; what a decision reads it may also change.
    others.find_all(Contributor, wanted)
    people = [others.get(Contributor, contributor_id) for contributor_id in wanted]
    elsewhere = {one.home_team_id for one in people} - {None, team.id}
    former = {home.id: home for home in others.find_all(Team, sorted(filter(None, elsewhere))) if home}
    for one in people:
        one.refuse_inactive()
        home = wanted[one.id] if wanted[one.id] is not None else one.home_team_id in (None, team.id)
        if home and one.home_team_id in former:
            _refuse_to_take(one, actor)
            former[one.home_team_id].release(one.id, on)
        team.admit(one.id, on, home=bool(home))
        if home:
            one.move_home(team.id, on)
        elif one.home_team_id == team.id:
            one.move_home(None, on)
    changed: list[Aggregate] = [*people, *former.values()]
    return team, *(one for one in changed if one.pending_events)


def _refuse_to_take(one: Contributor, actor: Actor) -> None:
    if not administers(actor) and one.home_team_id not in actor.leads:
        raise HomeIsElsewhere(contributor_id=one.id)


def _remove(team: Team, contributor_id: UUID, on: date, others: Others) -> tuple[Aggregate, ...]:
    team.release(contributor_id, on)
    one = others.get(Contributor, contributor_id)
    if one.home_team_id != team.id:
        return (team,)
    one.move_home(None, on)
    return team, one
