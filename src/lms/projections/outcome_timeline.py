"""How did the figures of the business move over time?"""

from datetime import date
from decimal import Decimal
from uuid import UUID

import msgspec

from lms.domain.measurement import Measurement
from lms.domain.outcome_metric import Aggregation, Frequency, Measures, OutcomeMetric
from lms.domain.terms import Direction, Origin, Summary
from lms.projections.base import Connection, Envelope, Projection, Touches, on
from lms.projections.table import Table


class MetricRow(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of the business."""

    outcome_metric_id: UUID
    organisation_id: UUID
    name: str
    unit: str
    direction: Direction
    measures: Measures
    aggregation: Aggregation
    element_id: UUID | None
    frequency: Frequency
    version: int


class OutcomeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement of a figure, for a segment or for all, as last revised."""

    measurement_id: UUID
    organisation_id: UUID
    outcome_metric_id: UUID
    segment: str | None
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


METRICS = Table("outcome_metrics_v1", MetricRow, key="outcome_metric_id")
OUTCOMES = Table("outcome_measurements_v1", OutcomeRow, key="measurement_id")


class OutcomeTimeline(Projection):
    """Outcome metrics and what was measured of them."""

    NAME = "outcome_timeline"
    VERSION = 1
    TABLES = (METRICS, OUTCOMES)

    @on(OutcomeMetric.Defined)
    def _defined(self, envelope: Envelope, event: OutcomeMetric.Defined) -> Touches:
        yield METRICS.put(
            MetricRow(
                outcome_metric_id=envelope.stream_id,
                organisation_id=envelope.organisation_id,
                name=event.name,
                unit=event.unit,
                direction=event.direction,
                measures=event.measures,
                aggregation=event.aggregation,
                element_id=event.element_id,
                frequency=event.frequency,
                version=envelope.version,
            )
        )

    @on(Measurement.OutcomeMeasured)
    def _measured(self, envelope: Envelope, event: Measurement.OutcomeMeasured) -> Touches:
        yield OUTCOMES.put(
            OutcomeRow(
                measurement_id=envelope.stream_id,
                organisation_id=envelope.organisation_id,
                outcome_metric_id=event.metric_id,
                segment=event.segment,
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

    @on(Measurement.OutcomeRevised)
    def _revised(self, envelope: Envelope, event: Measurement.OutcomeRevised) -> Touches:
        yield OUTCOMES.change(
            envelope.stream_id,
            value=event.summary.value,
            n=event.summary.n,
            spread=event.summary.spread,
            starts_on=event.summary.start,
            ends_on=event.summary.end,
            origin=event.origin,
            source=event.source,
            revision=event.revision,
            version=envelope.version,
        )

    async def metric(self, connection: Connection, organisation_id: UUID, metric_id: UUID) -> MetricRow | None:
        """One figure."""
        return await METRICS.get(connection, organisation_id, metric_id)

    async def metrics(
        self, connection: Connection, organisation_id: UUID, limit: int, after: UUID | None = None
    ) -> list[MetricRow]:
        """The figures of the business, by id."""
        return await METRICS.select(
            connection,
            """WHERE organisation_id = $1 AND ($3::uuid IS NULL OR outcome_metric_id > $3)
               ORDER BY outcome_metric_id LIMIT $2""",
            organisation_id,
            limit,
            after,
        )

    async def measurement(
        self, connection: Connection, organisation_id: UUID, measurement_id: UUID
    ) -> OutcomeRow | None:
        """One measurement as last revised."""
        return await OUTCOMES.get(connection, organisation_id, measurement_id)

    async def measurements(
        self,
        connection: Connection,
        organisation_id: UUID,
        metric_id: UUID,
        limit: int,
        *,
        segment: str | None = None,
        after: tuple[date, UUID] | None = None,
    ) -> list[OutcomeRow]:
        """What was measured of a figure, of all segments or of one, oldest first."""
        ends_on, measurement_id = after or (None, None)
        return await OUTCOMES.select(
            connection,
            """WHERE organisation_id = $1 AND outcome_metric_id = $2 AND ($4::text IS NULL OR segment = $4)
                   AND ($5::date IS NULL OR (ends_on, measurement_id) > ($5, $6::uuid))
               ORDER BY ends_on, measurement_id LIMIT $3""",
            organisation_id,
            metric_id,
            limit,
            segment,
            ends_on,
            measurement_id,
        )

    async def within(
        self,
        connection: Connection,
        organisation_id: UUID,
        metric_id: UUID,
        start: date,
        end: date,
        segment: str | None = None,
    ) -> list[OutcomeRow]:
        """The measurements of a figure whose days lie wholly within a window, of one segment or of the whole.

        The whole is what was measured without a segment; where nothing was, it is all segments together.
        """
        rows = await OUTCOMES.select(
            connection,
            """WHERE organisation_id = $1 AND outcome_metric_id = $2
                   AND ends_on BETWEEN $3 AND $4 AND starts_on >= $3
                   AND ($5::text IS NULL OR segment = $5)
               ORDER BY ends_on, measurement_id""",
            organisation_id,
            metric_id,
            start,
            end,
            segment,
        )
        whole = [row for row in rows if row.segment is None]
        return rows if segment is not None or not whole else whole
