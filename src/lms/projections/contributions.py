"""What is said to have moved which figure, on which evidence, and is more claimed than happened?"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from uuid import UUID

import msgspec

from lms.domain.base import Personal
from lms.domain.contribution import Cause, CauseKind, Change, Contribution, Share, Standing
from lms.domain.support import Alternative, Evidence
from lms.projections.base import Connection, Envelope, Projection, Touch, Touches, on
from lms.projections.table import Table


class ContributionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One contribution with what speaks for it, against it and instead of it."""

    contribution_id: UUID
    organisation_id: UUID
    cause_kind: CauseKind
    cause_id: UUID
    outcome_metric_id: UUID | None
    process_id: UUID | None
    measure_id: UUID | None
    mechanism: str
    starts_on: date
    ends_on: date
    share_low: Decimal | None
    share_high: Decimal | None
    change: Change | None
    standing: Standing = Standing.STATED
    evidence: tuple[Evidence, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    reason: Personal | None = None
    version: int

    @property
    def cause(self) -> Cause:
        """What is said to have contributed."""
        return Cause(kind=self.cause_kind, id=self.cause_id)

    @property
    def share(self) -> Share | None:
        """Which part of the change it is said to explain."""
        if self.share_low is None or self.share_high is None:
            return None
        return Share(low=self.share_low, high=self.share_high)


CONTRIBUTIONS = Table("contributions_v1", ContributionRow, key="contribution_id")

_OVER_CLAIMED = """
SELECT mine.contribution_id
FROM contributions_v1 AS mine
JOIN contributions_v1 AS other
    ON coalesce(other.outcome_metric_id, other.measure_id) = coalesce(mine.outcome_metric_id, mine.measure_id)
    AND other.organisation_id = mine.organisation_id AND other.standing = 'accepted'
    AND other.starts_on <= mine.ends_on AND other.ends_on >= mine.starts_on
WHERE mine.organisation_id = $1 AND mine.contribution_id = ANY($2::uuid[]) AND mine.standing = 'accepted'
GROUP BY mine.contribution_id
HAVING sum(other.share_low) > 1
"""


class Contributions(Projection):
    """Contributions and where they stand."""

    NAME = "contributions"
    VERSION = 1
    TABLES = (CONTRIBUTIONS,)

    @on(Contribution.Stated)
    def _stated(self, envelope: Envelope, event: Contribution.Stated) -> Touches:
        yield CONTRIBUTIONS.put(
            ContributionRow(
                contribution_id=envelope.stream_id,
                organisation_id=envelope.organisation_id,
                cause_kind=event.cause.kind,
                cause_id=event.cause.id,
                outcome_metric_id=event.moved.outcome_metric_id,
                process_id=event.moved.process_id,
                measure_id=event.moved.measure_id,
                mechanism=event.mechanism,
                starts_on=event.window.start,
                ends_on=event.window.end,
                share_low=event.share.low if event.share else None,
                share_high=event.share.high if event.share else None,
                change=event.change,
                version=envelope.version,
            )
        )

    @on(Contribution.EvidenceAttached)
    def _evidence(self, envelope: Envelope, event: Contribution.EvidenceAttached) -> Touches:
        piece = event.evidence
        yield _changed(envelope, lambda row: msgspec.structs.replace(row, evidence=(*row.evidence, piece)))

    @on(Contribution.AlternativeRecorded)
    def _alternative(self, envelope: Envelope, event: Contribution.AlternativeRecorded) -> Touches:
        other = event.alternative
        yield _changed(envelope, lambda row: msgspec.structs.replace(row, alternatives=(*row.alternatives, other)))

    @on(Contribution.Accepted)
    def _accepted(self, envelope: Envelope, event: Contribution.Accepted) -> Touches:  # noqa: ARG002 - a handler's form
        yield CONTRIBUTIONS.change(envelope.stream_id, standing=Standing.ACCEPTED, version=envelope.version)

    @on(Contribution.Rejected)
    def _rejected(self, envelope: Envelope, event: Contribution.Rejected) -> Touches:
        yield CONTRIBUTIONS.change(
            envelope.stream_id, standing=Standing.REJECTED, reason=event.reason, version=envelope.version
        )

    @on(Contribution.Withdrawn)
    def _withdrawn(self, envelope: Envelope, event: Contribution.Withdrawn) -> Touches:
        yield CONTRIBUTIONS.change(
            envelope.stream_id, standing=Standing.WITHDRAWN, reason=event.reason, version=envelope.version
        )

    async def contribution(
        self, connection: Connection, organisation_id: UUID, contribution_id: UUID
    ) -> ContributionRow | None:
        """One contribution."""
        return await CONTRIBUTIONS.get(connection, organisation_id, contribution_id)

    async def contributions(
        self,
        connection: Connection,
        organisation_id: UUID,
        limit: int,
        after: UUID | None = None,
        *,
        figure: UUID | None = None,
    ) -> list[ContributionRow]:
        """The contributions, all or to one figure (outcome metric or measure), by id."""
        return await CONTRIBUTIONS.select(
            connection,
            """WHERE organisation_id = $1 AND ($3::uuid IS NULL OR contribution_id > $3)
                   AND ($4::uuid IS NULL OR coalesce(outcome_metric_id, measure_id) = $4)
               ORDER BY contribution_id LIMIT $2""",
            organisation_id,
            limit,
            after,
            figure,
        )

    async def over_claimed(
        self, connection: Connection, organisation_id: UUID, contribution_ids: list[UUID]
    ) -> set[UUID]:
        """Which of these accepted ones claim, with others of the same figure and days, more than the whole change."""
        found = await connection.fetch(_OVER_CLAIMED, organisation_id, contribution_ids)
        return {record["contribution_id"] for record in found}


def _changed(envelope: Envelope, change: Callable[[ContributionRow], ContributionRow]) -> Touch:
    def changed(row: ContributionRow | None) -> ContributionRow | None:
        return row and msgspec.structs.replace(change(row), version=envelope.version)

    return CONTRIBUTIONS.touch(envelope.stream_id, changed)
