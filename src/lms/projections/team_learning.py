"""What did a team learn together?"""

from datetime import date
from uuid import UUID

import msgspec

from lms.domain.base import Personal
from lms.domain.team_learning import TeamLearning
from lms.projections.base import Connection, Envelope, Projection, Table, Touches, on


class TeamLearningRow(msgspec.Struct, frozen=True, kw_only=True):
    """One occasion, as the team stated it."""

    team_learning_id: UUID
    organisation_id: UUID
    team_id: UUID
    what: Personal
    held_on: date
    participants_n: int | None
    goal_id: UUID | None
    competencies: tuple[UUID, ...]
    version: int


HELD = Table("team_learning_v1", TeamLearningRow, key="team_learning_id")


class TeamLearnings(Projection):
    """What teams stated, team by team."""

    NAME = "team_learning"
    VERSION = 1
    TABLES = (HELD,)

    @on(TeamLearning.Held)
    def _held(self, envelope: Envelope, event: TeamLearning.Held) -> Touches:
        yield HELD.put(
            TeamLearningRow(
                team_learning_id=envelope.stream_id,
                organisation_id=envelope.organisation_id,
                team_id=event.team_id,
                what=event.what,
                held_on=event.on,
                participants_n=event.participants_n,
                goal_id=event.goal_id,
                competencies=event.competencies,
                version=envelope.version,
            )
        )

    async def one(
        self, connection: Connection, organisation_id: UUID, team_id: UUID, team_learning_id: UUID
    ) -> TeamLearningRow | None:
        """One occasion of a team."""
        row = await HELD.get(connection, organisation_id, team_learning_id)
        return row if row is not None and row.team_id == team_id else None

    async def of_team(
        self,
        connection: Connection,
        organisation_id: UUID,
        team_id: UUID,
        limit: int,
        after: tuple[date, UUID] | None = None,
    ) -> list[TeamLearningRow]:
        """What a team learned, the latest first; ``after`` is the day and id of the last one seen."""
        return await HELD.select(
            connection,
            """WHERE organisation_id = $1 AND team_id = $2
                   AND ($4::date IS NULL OR (held_on, team_learning_id) < ($4, $5::uuid))
               ORDER BY held_on DESC, team_learning_id DESC LIMIT $3""",
            organisation_id,
            team_id,
            limit,
            *(after or (None, None)),
        )
