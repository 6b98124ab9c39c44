"""Who contributes, in which teams, led by whom, and what holds between a person and the teams?"""

from collections.abc import Callable, Collection
from datetime import date
from uuid import UUID

import msgspec

from lms.domain.base import Forgotten, Personal
from lms.domain.contributor import Contributor, ContributorKind
from lms.domain.team import Team
from lms.projections.base import Connection, Envelope, Projection, Table, Touches, on


class ContributorRow(msgspec.Struct, frozen=True, kw_only=True):
    """One person; name and e-mail stay sealed under his key."""

    contributor_id: UUID
    organisation_id: UUID
    kind: ContributorKind
    role_band: str | None
    name: Personal
    email: Personal | None
    home_team_id: UUID | None
    registered_on: date
    left_on: date | None
    is_forgotten: bool
    version: int


class TeamRow(msgspec.Struct, frozen=True, kw_only=True):
    """One team. ``distance`` is the number of hand-overs to the customer, None until it is said."""

    team_id: UUID
    organisation_id: UUID
    name: str
    parent_team_id: UUID | None
    lead: UUID | None
    distance: int | None
    formed_on: date
    disbanded_on: date | None
    version: int


class MembershipRow(msgspec.Struct, frozen=True, kw_only=True):
    """One person in one team; ``home`` where he counts."""

    team_id: UUID
    contributor_id: UUID
    organisation_id: UUID
    home: bool
    since: date


class Relations(msgspec.Struct, frozen=True, kw_only=True):
    """What holds between a person and the teams now."""

    leads: frozenset[UUID]
    member_of: frozenset[UUID]
    home_team_id: UUID | None
    kind: ContributorKind


CONTRIBUTORS = Table("contributors_v1", ContributorRow, key="contributor_id")
TEAMS = Table("teams_v1", TeamRow, key="team_id")
MEMBERSHIPS = Table("memberships_v1", MembershipRow, key=("team_id", "contributor_id"))

_RELATIONS = """
SELECT c.kind, c.home_team_id,
    ARRAY(SELECT t.team_id FROM teams_v1 AS t WHERE t.lead = c.contributor_id AND t.disbanded_on IS NULL) AS leads,
    ARRAY(SELECT m.team_id FROM memberships_v1 AS m WHERE m.contributor_id = c.contributor_id) AS member_of
FROM contributors_v1 AS c
WHERE c.contributor_id = $2 AND c.organisation_id = $1 AND c.left_on IS NULL
"""

_ABOVE = """
WITH RECURSIVE above AS (
    SELECT t.parent_team_id, 1 AS step FROM teams_v1 AS t WHERE t.team_id = $2 AND t.organisation_id = $1
    UNION ALL
    SELECT t.parent_team_id, above.step + 1 FROM above JOIN teams_v1 AS t ON t.team_id = above.parent_team_id
)
SELECT parent_team_id FROM above WHERE parent_team_id IS NOT NULL ORDER BY step
"""

_UNDER = """
WITH RECURSIVE under AS (
    SELECT t.team_id FROM teams_v1 AS t WHERE t.team_id = $2 AND t.organisation_id = $1
    UNION ALL
    SELECT t.team_id FROM under JOIN teams_v1 AS t ON t.parent_team_id = under.team_id WHERE t.disbanded_on IS NULL
)
SELECT team_id FROM under
"""


class People(Projection):
    """Contributors, teams and memberships as they stand. A person who left is a member of nothing and leads nobody."""

    NAME = "people"
    VERSION = 1
    TABLES = (CONTRIBUTORS, TEAMS, MEMBERSHIPS)

    @on(Contributor.Registered)
    def _registered(self, envelope: Envelope, event: Contributor.Registered) -> Touches:
        yield CONTRIBUTORS.put(
            ContributorRow(
                contributor_id=envelope.stream_id,
                organisation_id=envelope.organisation_id,
                kind=event.kind,
                role_band=event.role_band,
                name=event.name,
                email=event.email,
                home_team_id=None,
                registered_on=event.on,
                left_on=None,
                is_forgotten=False,
                version=envelope.version,
            )
        )

    @on(Contributor.HomeTeamChanged)
    def _home_team_changed(self, envelope: Envelope, event: Contributor.HomeTeamChanged) -> Touches:
        yield CONTRIBUTORS.change(envelope.stream_id, home_team_id=event.team_id, version=envelope.version)

    @on(Contributor.Deactivated)
    def _deactivated(self, envelope: Envelope, event: Contributor.Deactivated) -> Touches:
        yield CONTRIBUTORS.change(envelope.stream_id, left_on=event.on, home_team_id=None, version=envelope.version)
        yield from _gone(envelope.stream_id)

    @on(Contributor.Forgotten)
    def _forgotten(self, envelope: Envelope, event: Contributor.Forgotten) -> Touches:
        yield CONTRIBUTORS.touch(envelope.stream_id, _forget(event.on, envelope.version))
        yield from _gone(envelope.stream_id)

    @on(Team.Formed)
    def _formed(self, envelope: Envelope, event: Team.Formed) -> Touches:
        yield TEAMS.put(
            TeamRow(
                team_id=envelope.stream_id,
                organisation_id=envelope.organisation_id,
                name=event.name,
                parent_team_id=event.parent_team_id,
                lead=None,
                distance=None,
                formed_on=event.on,
                disbanded_on=None,
                version=envelope.version,
            )
        )

    @on(Team.Moved)
    def _moved(self, envelope: Envelope, event: Team.Moved) -> Touches:
        yield TEAMS.change(envelope.stream_id, parent_team_id=event.parent_team_id, version=envelope.version)

    @on(Team.Renamed)
    def _renamed(self, envelope: Envelope, event: Team.Renamed) -> Touches:
        yield TEAMS.change(envelope.stream_id, name=event.name, version=envelope.version)

    @on(Team.Disbanded)
    def _disbanded(self, envelope: Envelope, event: Team.Disbanded) -> Touches:
        yield TEAMS.change(envelope.stream_id, disbanded_on=event.on, version=envelope.version)

    @on(Team.LeadAppointed)
    def _lead_appointed(self, envelope: Envelope, event: Team.LeadAppointed) -> Touches:
        yield TEAMS.change(envelope.stream_id, lead=event.contributor_id, version=envelope.version)

    @on(Team.DistanceSet)
    def _distance_set(self, envelope: Envelope, event: Team.DistanceSet) -> Touches:
        yield TEAMS.change(envelope.stream_id, distance=event.steps, version=envelope.version)

    @on(Team.MemberJoined)
    def _member_joined(self, envelope: Envelope, event: Team.MemberJoined) -> Touches:
        yield TEAMS.change(envelope.stream_id, version=envelope.version)
        yield MEMBERSHIPS.put(
            MembershipRow(
                team_id=envelope.stream_id,
                contributor_id=event.contributor_id,
                organisation_id=envelope.organisation_id,
                home=event.home,
                since=event.on,
            )
        )

    @on(Team.MemberLeft)
    def _member_left(self, envelope: Envelope, event: Team.MemberLeft) -> Touches:
        yield TEAMS.change(envelope.stream_id, version=envelope.version)
        yield MEMBERSHIPS.delete((envelope.stream_id, event.contributor_id))

    async def relations(self, connection: Connection, organisation_id: UUID, contributor_id: UUID) -> Relations | None:
        """What holds between a person and the teams; None for somebody unknown or gone."""
        row = await connection.fetchrow(_RELATIONS, organisation_id, contributor_id)
        if row is None:
            return None
        return Relations(
            leads=frozenset(row["leads"]),
            member_of=frozenset(row["member_of"]),
            home_team_id=row["home_team_id"],
            kind=ContributorKind(row["kind"]),
        )

    async def contributor(
        self, connection: Connection, organisation_id: UUID, contributor_id: UUID
    ) -> ContributorRow | None:
        """One person, also one who left."""
        return await CONTRIBUTORS.get(connection, organisation_id, contributor_id)

    async def contributors(
        self,
        connection: Connection,
        organisation_id: UUID,
        limit: int,
        after: UUID | None = None,
        team_id: UUID | None = None,
    ) -> list[ContributorRow]:
        """The people who take part, of one team or of all, by id."""
        return await CONTRIBUTORS.select(
            connection,
            """AS c WHERE c.organisation_id = $1 AND c.left_on IS NULL
                   AND ($3::uuid IS NULL OR c.contributor_id > $3)
                   AND ($4::uuid IS NULL OR EXISTS (
                       SELECT FROM memberships_v1 AS m
                       WHERE m.team_id = $4 AND m.contributor_id = c.contributor_id))
               ORDER BY c.contributor_id LIMIT $2""",
            organisation_id,
            limit,
            after,
            team_id,
        )

    async def names(
        self, connection: Connection, organisation_id: UUID, contributor_ids: Collection[UUID]
    ) -> dict[UUID, Personal]:
        """The sealed names of these people."""
        rows = await CONTRIBUTORS.load(connection, contributor_ids)
        return {key: row.name for key, row in rows.items() if row.organisation_id == organisation_id}

    async def team(self, connection: Connection, organisation_id: UUID, team_id: UUID) -> TeamRow | None:
        """One team, also a disbanded one."""
        return await TEAMS.get(connection, organisation_id, team_id)

    async def teams(
        self,
        connection: Connection,
        organisation_id: UUID,
        limit: int,
        after: tuple[str, UUID] | None = None,
        led_by: UUID | None = None,
        parent_team_id: UUID | None = None,
    ) -> list[TeamRow]:
        """The standing teams, or those led by somebody, or those right under one, by name.

        ``after`` is the name and id of the last one seen.
        """
        return await TEAMS.select(
            connection,
            """WHERE organisation_id = $1 AND disbanded_on IS NULL
                   AND ($3::text IS NULL OR (lower(name), team_id) > (lower($3), $4::uuid))
                   AND ($5::uuid IS NULL OR lead = $5)
                   AND ($6::uuid IS NULL OR parent_team_id = $6)
               ORDER BY lower(name), team_id LIMIT $2""",
            organisation_id,
            limit,
            *(after or (None, None)),
            led_by,
            parent_team_id,
        )

    async def teams_named(self, connection: Connection, organisation_id: UUID, name: str) -> list[TeamRow]:
        """The standing teams of this name, whatever its capitals."""
        return await TEAMS.select(
            connection,
            "WHERE organisation_id = $1 AND disbanded_on IS NULL AND lower(name) = lower($2) ORDER BY team_id",
            organisation_id,
            name,
        )

    async def teams_with(self, connection: Connection, team_ids: Collection[UUID]) -> list[TeamRow]:
        """These teams, by id."""
        rows = await TEAMS.load(connection, team_ids)
        return [rows[team_id] for team_id in sorted(rows)]

    async def members(self, connection: Connection, organisation_id: UUID, team_id: UUID) -> list[MembershipRow]:
        """Who is in a team, by id."""
        return await MEMBERSHIPS.select(
            connection,
            "WHERE team_id = $2 AND organisation_id = $1 ORDER BY contributor_id",
            organisation_id,
            team_id,
        )

    async def sizes(self, connection: Connection, team_ids: Collection[UUID]) -> dict[UUID, int]:
        """How many members each of these teams has; a team without members is left out."""
        rows = await connection.fetch(
            "SELECT team_id, count(*) AS members_n FROM memberships_v1 WHERE team_id = ANY($1) GROUP BY team_id",
            list(team_ids),
        )
        return {row["team_id"]: row["members_n"] for row in rows}

    async def above(self, connection: Connection, organisation_id: UUID, team_id: UUID) -> list[UUID]:
        """The teams above one, from its parent to the top."""
        rows = await connection.fetch(_ABOVE, organisation_id, team_id)
        return [row["parent_team_id"] for row in rows]

    async def under(self, connection: Connection, organisation_id: UUID, team_id: UUID) -> set[UUID]:
        """A team and every standing team below it."""
        return {row["team_id"] for row in await connection.fetch(_UNDER, organisation_id, team_id)}


def _gone(contributor_id: UUID) -> Touches:
    """Who left is in no team and leads none."""
    yield MEMBERSHIPS.each(lambda _: None, contributor_id=contributor_id)
    yield TEAMS.each(lambda team: msgspec.structs.replace(team, lead=None), lead=contributor_id)


def _forget(on: date, version: int) -> Callable[[ContributorRow | None], ContributorRow | None]:
    def forget(row: ContributorRow | None) -> ContributorRow | None:
        if row is None:
            return None
        return msgspec.structs.replace(
            row,
            name=Forgotten(),
            email=None,
            home_team_id=None,
            left_on=row.left_on or on,
            is_forgotten=True,
            version=version,
        )

    return forget
