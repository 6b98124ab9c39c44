"""How do the processes run: by what are they measured, what was measured, what should it move?"""

from datetime import date
from decimal import Decimal
from uuid import UUID

import msgspec

from lms.domain.measurement import Measurement
from lms.domain.process import HandOff, Measure, OutcomeLink, Process
from lms.domain.terms import Origin, Summary
from lms.projections.base import Connection, Envelope, Projection, Touches, on
from lms.projections.table import Table


class Improved(msgspec.Struct, frozen=True, kw_only=True):
    """That a measure of the process became better beyond doubt, and by which improvement."""

    improvement_id: UUID
    measure_id: UUID
    on: date


class ProcessRow(msgspec.Struct, frozen=True, kw_only=True):
    """One process with its measures, hand-offs and links as they stand."""

    process_id: UUID
    organisation_id: UUID
    name: str
    owner_team_id: UUID
    value_stream: str | None
    measures: tuple[Measure, ...] = ()
    hand_offs: tuple[HandOff, ...] = ()
    outcome_links: tuple[OutcomeLink, ...] = ()
    improved: tuple[Improved, ...] = ()
    version: int


class MeasurementRow(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement of a measure, as last revised."""

    measurement_id: UUID
    organisation_id: UUID
    process_id: UUID
    measure_id: UUID
    value: Decimal
    n: int | None
    spread: Decimal | None
    starts_on: date
    ends_on: date
    origin: Origin
    source: str | None
    revision: int
    version: int

    @property
    def summary(self) -> Summary:
        """The figures as a summary."""
        return Summary(value=self.value, n=self.n, spread=self.spread, start=self.starts_on, end=self.ends_on)


PROCESSES = Table("processes_v1", ProcessRow, key="process_id")
MEASUREMENTS = Table("process_measurements_v1", MeasurementRow, key="measurement_id")


class ProcessPerformance(Projection):
    """Processes and what was measured of them."""

    NAME = "process_performance"
    VERSION = 1
    TABLES = (PROCESSES, MEASUREMENTS)

    @on(Process.Registered)
    def _registered(self, envelope: Envelope, event: Process.Registered) -> Touches:
        yield PROCESSES.put(
            ProcessRow(
                process_id=envelope.stream_id,
                organisation_id=envelope.organisation_id,
                name=event.name,
                owner_team_id=event.owner_team_id,
                value_stream=event.value_stream,
                version=envelope.version,
            )
        )

    @on(
        Process.MeasureDefined,
        Process.HandOffDefined,
        Process.OutcomeLinked,
        Process.OutcomeUnlinked,
        Process.Improved,
    )
    def _changed(self, envelope: Envelope, event: "_Change") -> Touches:
        def change(row: ProcessRow | None) -> ProcessRow | None:
            return row and msgspec.structs.replace(_changed(row, event), version=envelope.version)

        yield PROCESSES.touch(envelope.stream_id, change)

    @on(Measurement.ProcessMeasured)
    def _measured(self, envelope: Envelope, event: Measurement.ProcessMeasured) -> Touches:
        yield MEASUREMENTS.put(
            MeasurementRow(
                measurement_id=envelope.stream_id,
                organisation_id=envelope.organisation_id,
                process_id=event.process_id,
                measure_id=event.measure_id,
                value=event.summary.value,
                n=event.summary.n,
                spread=event.summary.spread,
                starts_on=event.summary.start,
                ends_on=event.summary.end,
                origin=event.origin,
                source=event.source,
                revision=0,
                version=envelope.version,
            )
        )

    @on(Measurement.ProcessRevised)
    def _revised(self, envelope: Envelope, event: Measurement.ProcessRevised) -> Touches:
        yield MEASUREMENTS.change(
            envelope.stream_id,
            value=event.summary.value,
            n=event.summary.n,
            spread=event.summary.spread,
            starts_on=event.summary.start,
            ends_on=event.summary.end,
            origin=event.origin,
            source=event.source,
            revision=envelope.version - 1,
            version=envelope.version,
        )

    async def process(self, connection: Connection, organisation_id: UUID, process_id: UUID) -> ProcessRow | None:
        """One process."""
        return await PROCESSES.get(connection, organisation_id, process_id)

    async def processes(
        self,
        connection: Connection,
        organisation_id: UUID,
        limit: int,
        after: UUID | None = None,
        team_id: UUID | None = None,
    ) -> list[ProcessRow]:
        """The processes of all teams or of one, by id."""
        return await PROCESSES.select(
            connection,
            """WHERE organisation_id = $1 AND ($3::uuid IS NULL OR process_id > $3)
                   AND ($4::uuid IS NULL OR owner_team_id = $4)
               ORDER BY process_id LIMIT $2""",
            organisation_id,
            limit,
            after,
            team_id,
        )

    async def process_of(self, connection: Connection, organisation_id: UUID, measure_id: UUID) -> ProcessRow | None:
        """The process that is measured by this."""
        rows = await PROCESSES.select(
            connection,
            "WHERE organisation_id = $1 AND measures @> jsonb_build_array(jsonb_build_object('measure_id', $2::uuid))",
            organisation_id,
            measure_id,
        )
        return rows[0] if rows else None

    async def measurement(
        self, connection: Connection, organisation_id: UUID, measurement_id: UUID
    ) -> MeasurementRow | None:
        """One measurement as last revised."""
        return await MEASUREMENTS.get(connection, organisation_id, measurement_id)

    async def measurements(
        self,
        connection: Connection,
        organisation_id: UUID,
        process_id: UUID,
        limit: int,
        *,
        measure_id: UUID | None = None,
        after: tuple[date, UUID] | None = None,
    ) -> list[MeasurementRow]:
        """What was measured of a process, of all its measures or of one, oldest first."""
        ends_on, measurement_id = after or (None, None)
        return await MEASUREMENTS.select(
            connection,
            """WHERE organisation_id = $1 AND process_id = $2 AND ($4::uuid IS NULL OR measure_id = $4)
                   AND ($5::date IS NULL OR (ends_on, measurement_id) > ($5, $6::uuid))
               ORDER BY ends_on, measurement_id LIMIT $3""",
            organisation_id,
            process_id,
            limit,
            measure_id,
            ends_on,
            measurement_id,
        )

    async def within(
        self, connection: Connection, organisation_id: UUID, measure_id: UUID, start: date, end: date
    ) -> list[MeasurementRow]:
        """The measurements of a measure whose days lie wholly within a window, oldest first."""
        return await MEASUREMENTS.select(
            connection,
            """WHERE organisation_id = $1 AND measure_id = $2 AND ends_on BETWEEN $3 AND $4 AND starts_on >= $3
               ORDER BY ends_on, measurement_id""",
            organisation_id,
            measure_id,
            start,
            end,
        )

    async def newest(
        self, connection: Connection, organisation_id: UUID, measure_id: UUID, until: date, skip: int
    ) -> list[UUID]:
        """The ids of some measurements of a measure whose days end by then, newest first."""
        found = await connection.fetch(
            """SELECT measurement_id FROM process_measurements_v1
               WHERE organisation_id = $1 AND measure_id = $2 AND ends_on <= $3
               ORDER BY ends_on DESC, measurement_id DESC OFFSET $4 LIMIT 20""",
            organisation_id,
            measure_id,
            until,
            skip,
        )
        return [record["measurement_id"] for record in found]

    async def latest(self, connection: Connection, process: ProcessRow) -> dict[UUID, MeasurementRow]:
        """The newest measurement of each measure of a process."""
        rows = await MEASUREMENTS.select(
            connection,
            """WHERE measurement_id IN (
                   SELECT newest.measurement_id FROM unnest($1::uuid[]) AS wanted (measure_id)
                   CROSS JOIN LATERAL (
                       SELECT m.measurement_id FROM process_measurements_v1 AS m
                       WHERE m.measure_id = wanted.measure_id ORDER BY m.ends_on DESC, m.measurement_id DESC LIMIT 1
                   ) AS newest)""",
            [measure.measure_id for measure in process.measures],
        )
        return {row.measure_id: row for row in rows}


_Change = (
    Process.MeasureDefined | Process.HandOffDefined | Process.OutcomeLinked | Process.OutcomeUnlinked | Process.Improved
)


def _changed(row: ProcessRow, event: _Change) -> ProcessRow:
    match event:
        case Process.MeasureDefined(measure=measure):
            return msgspec.structs.replace(row, measures=(*row.measures, measure))
        case Process.HandOffDefined(hand_off=hand_off):
            return msgspec.structs.replace(row, hand_offs=(*row.hand_offs, hand_off))
        case Process.OutcomeLinked(link=link):
            return msgspec.structs.replace(row, outcome_links=(*row.outcome_links, link))
        case Process.OutcomeUnlinked(link_id=link_id):
            kept = tuple(link for link in row.outcome_links if link.link_id != link_id)
            return msgspec.structs.replace(row, outcome_links=kept)
        case Process.Improved(improvement_id=improvement_id, measure_id=measure_id, on=day):
            improved = Improved(improvement_id=improvement_id, measure_id=measure_id, on=day)
            return msgspec.structs.replace(row, improved=(*row.improved, improved))
