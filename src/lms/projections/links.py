"""Whose link is this, and what stands behind it?"""

from uuid import UUID

import msgspec

from lms.domain.goal import Goal
from lms.domain.link import Link
from lms.domain.process import Process
from lms.domain.support import Alternative, Evidence
from lms.projections.base import Connection, Envelope, Projection, Touches, on
from lms.projections.table import Table


class LinkRow(msgspec.Struct, frozen=True, kw_only=True):
    """One link of a process or a goal; one of ``process_id`` and ``goal_id`` says of which."""

    link_id: UUID
    organisation_id: UUID
    process_id: UUID | None = None
    goal_id: UUID | None = None
    measure_id: UUID | None = None
    to_goal_id: UUID | None = None
    to_outcome_metric_id: UUID | None = None
    expected_lag_days: int | None = None
    evidence: tuple[Evidence, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    version: int = 0


LINKS = Table("links_v1", LinkRow, key="link_id")


class Links(Projection):
    """The links that stand, with the evidence and the alternatives gathered behind them."""

    NAME = "links"
    VERSION = 1
    TABLES = (LINKS,)

    @on(Process.OutcomeLinked)
    def _outcome_linked(self, envelope: Envelope, event: Process.OutcomeLinked) -> Touches:
        link = event.link
        yield LINKS.put(
            LinkRow(
                link_id=link.link_id,
                organisation_id=envelope.organisation_id,
                process_id=envelope.stream_id,
                measure_id=link.measure_id,
                to_outcome_metric_id=link.outcome_metric_id,
                expected_lag_days=link.expected_lag_days,
            )
        )

    @on(Goal.Aligned)
    def _aligned(self, envelope: Envelope, event: Goal.Aligned) -> Touches:
        link = event.alignment
        yield LINKS.put(
            LinkRow(
                link_id=link.link_id,
                organisation_id=envelope.organisation_id,
                goal_id=envelope.stream_id,
                to_goal_id=link.to_goal_id,
                to_outcome_metric_id=link.to_outcome_metric_id,
                expected_lag_days=link.expected_lag_days,
            )
        )

    @on(Process.OutcomeUnlinked, Goal.Unaligned)
    def _unlinked(self, envelope: Envelope, event: Process.OutcomeUnlinked | Goal.Unaligned) -> Touches:  # noqa: ARG002
        yield LINKS.delete(event.link_id)

    @on(Link.EvidenceAttached)
    def _evidence(self, envelope: Envelope, event: Link.EvidenceAttached) -> Touches:
        def attach(row: LinkRow | None) -> LinkRow | None:
            return row and msgspec.structs.replace(
                row, evidence=(*row.evidence, event.evidence), version=envelope.version
            )

        yield LINKS.touch(event.link_id, attach)

    @on(Link.AlternativeRecorded)
    def _alternative(self, envelope: Envelope, event: Link.AlternativeRecorded) -> Touches:
        def record(row: LinkRow | None) -> LinkRow | None:
            return row and msgspec.structs.replace(
                row, alternatives=(*row.alternatives, event.alternative), version=envelope.version
            )

        yield LINKS.touch(event.link_id, record)

    async def link(self, connection: Connection, organisation_id: UUID, link_id: UUID) -> LinkRow | None:
        """One link that stands."""
        return await LINKS.get(connection, organisation_id, link_id)
