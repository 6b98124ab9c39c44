"""To what did a person commit, to what is he invited, and who shows that he committed to a goal?"""

from datetime import date, datetime
from uuid import UUID

import msgspec

from lms.domain.base import Actor, Personal, Role
from lms.domain.commitment import Commitment, CommitmentStatus
from lms.domain.terms import Visibility
from lms.projections.base import Connection, Envelope, Projection, Table, Touches, on


class CommitmentRow(msgspec.Struct, frozen=True, kw_only=True):
    """One person and one goal. ``position`` is where he was first invited; ``my_reason`` is his alone, sealed."""

    commitment_id: UUID
    organisation_id: UUID
    position: int
    version: int
    goal_id: UUID
    contributor_id: UUID
    status: CommitmentStatus
    until: date | None
    visibility: Visibility
    my_reason: Personal | None
    invited_by: UUID | None
    invited_at: datetime
    made_at: datetime | None


COMMITMENTS = Table("commitments_v1", CommitmentRow, key="commitment_id")

_SHOWN_ON_GOAL = """WHERE organisation_id = $1 AND goal_id = $2 AND status = 'made' AND (
        contributor_id = $3
        OR visibility = 'public'
        OR visibility = 'organisation' AND NOT $4::boolean
        OR visibility = 'team' AND contributor_id = ANY($5::uuid[]))
    ORDER BY position LIMIT $6"""


class Commitments(Projection):
    """Invitations and the answers to them. What a person answered is asked by the person alone, unless he shows it."""

    NAME = "commitments"
    VERSION = 1
    TABLES = (COMMITMENTS,)

    @on(Commitment.Invited)
    def _invited(self, envelope: Envelope, event: Commitment.Invited) -> Touches:
        invited = CommitmentRow(
            commitment_id=envelope.stream_id,
            organisation_id=envelope.organisation_id,
            position=envelope.position,
            version=envelope.version,
            goal_id=event.goal_id,
            contributor_id=event.contributor_id,
            status=CommitmentStatus.INVITED,
            until=event.until,
            visibility=Visibility.PRIVATE,
            my_reason=None,
            invited_by=envelope.actor.contributor_id,
            invited_at=envelope.effective_at,
            made_at=None,
        )
        yield COMMITMENTS.touch(envelope.stream_id, lambda row: _again(row, invited))

    @on(Commitment.Made)
    def _made(self, envelope: Envelope, event: Commitment.Made) -> Touches:
        yield COMMITMENTS.change(
            envelope.stream_id,
            version=envelope.version,
            status=CommitmentStatus.MADE,
            until=event.until,
            visibility=event.visibility,
            my_reason=event.my_reason,
            made_at=envelope.effective_at,
        )

    @on(Commitment.Declined, Commitment.Released)
    def _left(self, envelope: Envelope, event: Commitment.Declined | Commitment.Released) -> Touches:
        declined = isinstance(event, Commitment.Declined)
        yield COMMITMENTS.change(
            envelope.stream_id,
            version=envelope.version,
            status=CommitmentStatus.DECLINED if declined else CommitmentStatus.RELEASED,
            my_reason=event.my_reason,
            visibility=Visibility.PRIVATE,
            made_at=None,
        )

    async def mine(
        self,
        connection: Connection,
        organisation_id: UUID,
        contributor_id: UUID,
        limit: int,
        before: int | None = None,
        status: CommitmentStatus | None = None,
    ) -> list[CommitmentRow]:
        """A person's commitments and invitations, the latest first; for himself alone."""
        return await COMMITMENTS.select(
            connection,
            """WHERE organisation_id = $1 AND contributor_id = $2 AND ($3::text IS NULL OR status = $3)
                   AND ($4::bigint IS NULL OR position < $4)
               ORDER BY position DESC LIMIT $5""",
            organisation_id,
            contributor_id,
            status,
            before,
            limit,
        )

    async def unanswered(
        self,
        connection: Connection,
        organisation_id: UUID,
        contributor_id: UUID,
        time_zone: str,
        limit: int,
        after: tuple[date, UUID] | None = None,
    ) -> list[CommitmentRow]:
        """A person's open invitations, the oldest first by day and id, beyond ``after``; for himself alone."""
        return await COMMITMENTS.select(
            connection,
            """WHERE organisation_id = $1 AND contributor_id = $2 AND status = 'invited'
                   AND ($5::date IS NULL OR ((invited_at AT TIME ZONE $3)::date, commitment_id) > ($5, $6::uuid))
               ORDER BY (invited_at AT TIME ZONE $3)::date, commitment_id LIMIT $4""",
            organisation_id,
            contributor_id,
            time_zone,
            limit,
            *(after or (None, None)),
        )

    async def one_of_mine(
        self, connection: Connection, organisation_id: UUID, contributor_id: UUID, commitment_id: UUID
    ) -> CommitmentRow | None:
        """One commitment, None when it is somebody else's."""
        row = await COMMITMENTS.get(connection, organisation_id, commitment_id)
        return row if row and row.contributor_id == contributor_id else None

    async def committed_goals(self, connection: Connection, organisation_id: UUID, contributor_id: UUID) -> list[UUID]:
        """The goals that a person committed to."""
        records = await connection.fetch(
            f"""SELECT goal_id FROM {COMMITMENTS.name}
                WHERE organisation_id = $1 AND contributor_id = $2 AND status = 'made' ORDER BY position""",
            organisation_id,
            contributor_id,
        )
        return [record["goal_id"] for record in records]

    async def shown_on(
        self,
        connection: Connection,
        organisation_id: UUID,
        reader: Actor,
        colleagues: list[UUID],
        goal_id: UUID,
        limit: int,
    ) -> list[CommitmentRow]:
        """Who committed to a goal and shows it to the reader; ``colleagues`` share a home team with him."""
        guest = reader.has(Role.GUEST)
        return await COMMITMENTS.select(
            connection, _SHOWN_ON_GOAL, organisation_id, goal_id, reader.contributor_id, guest, colleagues, limit
        )


def _again(row: CommitmentRow | None, invited: CommitmentRow) -> CommitmentRow:
    """Who released himself is invited anew; the place in the list stays."""
    return invited if row is None else msgspec.structs.replace(invited, position=row.position)
