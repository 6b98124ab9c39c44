"""Which teams stand now, by place and name, whether or not the read model has caught up?"""

from uuid import UUID

from lms.app import Core
from lms.domain.team import Team
from lms.projections.people import People

Places = dict[tuple[UUID | None, str], UUID]
"""Teams by the team above them (None at the top) and their name without capitals."""

_PAGE = 1_000
_LIVE = "SELECT position FROM lms.projection WHERE name = $1 AND version = $2 AND slot = 'live'"


async def standing_teams(core: Core, organisation_id: UUID) -> Places:
    """The standing teams as of the head of the log: the read model's, and what the log says beyond it."""
    teams, position = await _from_read_model(core, organisation_id)
    topics = {event.TOPIC for event in (Team.Formed, Team.Renamed, Team.Moved, Team.Disbanded)}
    while page := await core.log.feed(position, _PAGE):
        for stored in page:
            if stored.organisation_id == organisation_id and stored.type in topics:
                _follow(teams, stored.stream_id, core.codec.decode(stored).data)
        position = page[-1].position
    places: Places = {}
    for team_id in sorted(teams):
        places.setdefault(teams[team_id], team_id)
    return places


async def _from_read_model(core: Core, organisation_id: UUID) -> tuple[dict[UUID, tuple[UUID | None, str]], int]:
    """Place and name by team, and the position they hold at least."""
    people, teams = People(), dict[UUID, tuple[UUID | None, str]]()
    async with core.reads.acquire() as connection:
        position = await connection.fetchval(_LIVE, people.NAME, people.VERSION)
        if position is None:
            return teams, 0
        after = None
        while page := await people.teams(connection, organisation_id, _PAGE, after):
            teams.update({team.team_id: (team.parent_team_id, team.name.casefold()) for team in page})
            after = (page[-1].name, page[-1].team_id)
    return teams, position


def _follow(teams: dict[UUID, tuple[UUID | None, str]], team_id: UUID, event: object) -> None:
    """Do to the teams what the event says; one that is known already changes nothing."""
    match event:
        case Team.Formed(name=name, parent_team_id=parent):
            teams[team_id] = (parent, name.casefold())
        case Team.Renamed(name=name) if team_id in teams:
            teams[team_id] = (teams[team_id][0], name.casefold())
        case Team.Moved(parent_team_id=parent) if team_id in teams:
            teams[team_id] = (parent, teams[team_id][1])
        case Team.Disbanded():
            teams.pop(team_id, None)
        case _:
            return
