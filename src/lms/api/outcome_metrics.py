"""By which figures does the business see that it gains, and how did they move?"""

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody

from lms.api.answers import Answer, created, found
from lms.api.batches import Accepted, BatchResults, judge
from lms.api.bodies import Batch, Body
from lms.api.contributors import refuse_guests
from lms.api.deps import Connection, Sender, Who
from lms.api.measurements import Measured, MeasurementShown, row_shown, shown
from lms.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, page
from lms.api.then import Then, provide_then
from lms.dispatch import Outcome
from lms.domain.base import NotFound
from lms.domain.measurement import Measurement, MeasureOutcome
from lms.domain.outcome_metric import Aggregation, DefineOutcomeMetric, Frequency, Measures, OutcomeMetric
from lms.domain.terms import Direction
from lms.projections.outcome_timeline import METRICS, MetricRow, OutcomeTimeline

_timeline = OutcomeTimeline()


class NewMetric(Body, frozen=True, kw_only=True):
    """A figure of the business. One about volumes per person can never be a goal's metric."""

    name: Annotated[str, msgspec.Meta(examples=["Repeat purchases"])]
    unit: Annotated[str, msgspec.Meta(examples=["ratio"])]
    direction: Annotated[Direction, msgspec.Meta(examples=["increase"])]
    measures: Annotated[Measures, msgspec.Meta(examples=["customer"])]
    aggregation: Aggregation = Aggregation.MEAN
    element_id: UUID | None = None
    frequency: Frequency = Frequency.MONTH


class OutcomeMeasured(Measured, frozen=True, kw_only=True):
    """A value of the figure over some days, for a segment or for all."""

    segment: Annotated[str | None, msgspec.Meta(examples=["web"])] = None


class MetricShown(msgspec.Struct, frozen=True, kw_only=True):
    """A figure of the business."""

    id: UUID
    name: str
    unit: str
    direction: Direction
    measures: Measures
    aggregation: Aggregation
    element_id: UUID | None
    frequency: Frequency
    next: tuple[str, ...]


@get("/v1/outcome-metrics", summary="Which figures does the business look at?", tags=["outcomes"])
async def metrics(
    who: NamedDependency[Who],
    connection: NamedDependency[Connection],
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Answer[Page[MetricShown]]:
    """List the outcome metrics."""
    refuse_guests(who)
    after = decode_cursor(cursor, UUID)
    rows = await _timeline.metrics(connection, who.organisation_id, limit + 1, after[0] if after else None)
    return found(page([_shown(row.outcome_metric_id, row) for row in rows], limit, lambda one: (one.id,)))


@post("/v1/outcome-metrics", summary="Define a figure of the business", tags=["outcomes"])
async def define(
    data: JSONBody[NewMetric], who: NamedDependency[Who], sender: NamedDependency[Sender]
) -> Answer[MetricShown]:
    """Define an outcome metric. Business owners and administrators."""
    metric_id = sender.new_id()
    command = DefineOutcomeMetric(
        actor=who.actor,
        today=who.today,
        metric_id=metric_id,
        name=data.name,
        unit=data.unit,
        direction=data.direction,
        measures=data.measures,
        aggregation=data.aggregation,
        element_id=data.element_id,
        frequency=data.frequency,
    )
    outcome = await sender.send(OutcomeMetric, metric_id, command)
    resource = _shown(metric_id, outcome.aggregate, ("measurements",))
    return created(resource, await sender.receipt(outcome), f"/v1/outcome-metrics/{metric_id}")


class OneMetric(Controller):
    """One figure and what was measured of it."""

    path = "/v1/outcome-metrics/{metric_id:uuid}"
    tags = ["outcomes"]  # noqa: RUF012 - Litestar's way

    @get(summary="What is this figure?", dependencies={"then": Provide(provide_then)})
    async def show(
        self,
        metric_id: FromPath[UUID],
        who: NamedDependency[Who],
        connection: NamedDependency[Connection],
        then: NamedDependency[Then | None],
    ) -> Answer[MetricShown]:
        """Show one outcome metric; as it stood ``as_of``, as ``known_at``."""
        row: MetricRow | None = await _metric(metric_id, who, connection)
        if then is not None:
            row = await then.row(_timeline, METRICS, metric_id)
        if row is None:
            raise NotFound(kind="outcome-metric", id=metric_id)
        measured = await _timeline.measurements(connection, who.organisation_id, metric_id, 1)
        return found(_shown(metric_id, row, () if measured else ("measurements",)), row.version)

    @get("/measurements", summary="How did this figure move?")
    async def measurements(
        self,
        metric_id: FromPath[UUID],
        who: NamedDependency[Who],
        connection: NamedDependency[Connection],
        segment: FromQuery[str | None] = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Answer[Page[MeasurementShown]]:
        """List what was measured, of all segments or of one, oldest first."""
        await _metric(metric_id, who, connection)
        after = decode_cursor(cursor, date, UUID)
        rows = await _timeline.measurements(
            connection,
            who.organisation_id,
            metric_id,
            limit + 1,
            segment=segment,
            after=(after[0], after[1]) if after else None,
        )
        return found(page([row_shown(row) for row in rows], limit, lambda one: (one.end, one.id)))

    @post("/measurements", summary="Store a measurement")
    async def measure(
        self,
        metric_id: FromPath[UUID],
        data: JSONBody[OutcomeMeasured],
        who: NamedDependency[Who],
        sender: NamedDependency[Sender],
    ) -> Answer[MeasurementShown]:
        """Store what was measured over some days. Business owners, and administrators for machines."""
        outcome = await _measure_outcome(metric_id, data, who, sender)
        return created(shown(outcome.aggregate), await sender.receipt(outcome), f"/v1/outcome-metrics/{metric_id}")

    @post("/measurements:batch", summary="Store many measurements", status_code=200)
    async def measure_many(
        self,
        metric_id: FromPath[UUID],
        data: JSONBody[Batch],
        who: NamedDependency[Who],
        sender: NamedDependency[Sender],
    ) -> Answer[BatchResults]:
        """Store many measurements; a bad one never rejects the others."""

        async def store(name: str, body: OutcomeMeasured) -> Accepted:
            outcome = await _measure_outcome(metric_id, body, who, sender, name)
            return Accepted(id=outcome.aggregate.id, location=f"/v1/outcome-metrics/{metric_id}", outcome=outcome)

        return await judge(data, OutcomeMeasured, sender, store)


async def _metric(metric_id: UUID, who: Who, connection: Connection) -> MetricRow:
    refuse_guests(who)
    row = await _timeline.metric(connection, who.organisation_id, metric_id)
    if row is None:
        raise NotFound(kind="outcome-metric", id=metric_id)
    return row


async def _measure_outcome(
    metric_id: UUID, body: OutcomeMeasured, who: Who, sender: Sender, part: str | None = None
) -> Outcome[Measurement]:
    measurement_id = sender.new_id(f"measurement:{part}" if part else "stream")
    command = MeasureOutcome(
        actor=who.actor,
        today=who.today,
        measurement_id=measurement_id,
        metric_id=metric_id,
        summary=body.summary,
        segment=body.segment,
        origin=body.origin,
        source=body.source,
    )
    return await sender.send(Measurement, measurement_id, command, part)


def _shown(metric_id: UUID, metric: OutcomeMetric | MetricRow, missing: tuple[str, ...] = ()) -> MetricShown:
    return MetricShown(
        id=metric_id,
        name=metric.name,
        unit=metric.unit,
        direction=metric.direction,
        measures=metric.measures,
        aggregation=metric.aggregation,
        element_id=metric.element_id,
        frequency=metric.frequency,
        next=missing,
    )


ROUTES = [metrics, define, OneMetric]
