"""In which time zone, currency and language does an organisation work, and in which cycles do its goals run?"""

from datetime import date
from uuid import UUID

import msgspec

from lms.domain.goal_cycle import GoalCycle
from lms.domain.organisation import Organisation
from lms.projections.base import Connection, Envelope, Projection, Table, Touches, on


class OrganisationRow(msgspec.Struct, frozen=True, kw_only=True):
    """One organisation and its settings."""

    organisation_id: UUID
    name: str
    time_zone: str
    currency: str
    language: str
    version: int


class GoalCycleRow(msgspec.Struct, frozen=True, kw_only=True):
    """One goal cycle, both days included."""

    cycle_id: UUID
    organisation_id: UUID
    name: str
    starts_on: date
    ends_on: date
    check_in_every_days: int
    closed_on: date | None
    version: int


ORGANISATIONS = Table("organisations_v1", OrganisationRow, key="organisation_id")
CYCLES = Table("goal_cycles_v1", GoalCycleRow, key="cycle_id")


class Organisations(Projection):
    """Settings and goal cycles as they stand."""

    NAME = "organisations"
    VERSION = 1
    TABLES = (ORGANISATIONS, CYCLES)

    @on(Organisation.Registered)
    def _registered(self, envelope: Envelope, event: Organisation.Registered) -> Touches:
        yield ORGANISATIONS.put(
            OrganisationRow(
                organisation_id=envelope.stream_id,
                name=event.name,
                time_zone=event.time_zone,
                currency=event.currency,
                language=event.language,
                version=envelope.version,
            )
        )

    @on(GoalCycle.Opened)
    def _opened(self, envelope: Envelope, event: GoalCycle.Opened) -> Touches:
        yield CYCLES.put(
            GoalCycleRow(
                cycle_id=envelope.stream_id,
                organisation_id=envelope.organisation_id,
                name=event.name,
                starts_on=event.starts_on,
                ends_on=event.ends_on,
                check_in_every_days=event.check_in_every_days,
                closed_on=None,
                version=envelope.version,
            )
        )

    @on(GoalCycle.Closed)
    def _closed(self, envelope: Envelope, event: GoalCycle.Closed) -> Touches:
        yield CYCLES.change(envelope.stream_id, closed_on=event.on, version=envelope.version)

    async def organisation(self, connection: Connection, organisation_id: UUID) -> OrganisationRow | None:
        """One organisation's settings."""
        return await ORGANISATIONS.get(connection, organisation_id, organisation_id)

    async def all(self, connection: Connection) -> list[OrganisationRow]:
        """Every organisation of the installation, by id: for its operator."""
        return await ORGANISATIONS.select(connection, "ORDER BY organisation_id")

    async def cycle(self, connection: Connection, organisation_id: UUID, cycle_id: UUID) -> GoalCycleRow | None:
        """One goal cycle."""
        return await CYCLES.get(connection, organisation_id, cycle_id)

    async def cycles(
        self, connection: Connection, organisation_id: UUID, limit: int, after: tuple[date, UUID] | None = None
    ) -> list[GoalCycleRow]:
        """The goal cycles, the latest first; ``after`` is the first day and id of the last one seen."""
        return await CYCLES.select(
            connection,
            """WHERE organisation_id = $1 AND ($3::date IS NULL OR (starts_on, cycle_id) < ($3, $4::uuid))
               ORDER BY starts_on DESC, cycle_id DESC LIMIT $2""",
            organisation_id,
            limit,
            *(after or (None, None)),
        )
