"""How does a measurement look over HTTP, and how is one put right?"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody

from lms.api.answers import Answer, changed, found
from lms.api.bodies import Body
from lms.api.contributors import refuse_guests
from lms.api.deps import Connection, Sender, Who
from lms.api.then import Then, provide_then
from lms.domain.base import NotFound
from lms.domain.measurement import Measurement, OfMetric, OfProcess, ReviseMeasurement
from lms.domain.terms import Origin, Summary
from lms.projections.outcome_timeline import OUTCOMES, OutcomeRow, OutcomeTimeline
from lms.projections.process_performance import MEASUREMENTS, MeasurementRow, ProcessPerformance

_performance = ProcessPerformance()
_timeline = OutcomeTimeline()


class Measured(Body, frozen=True, kw_only=True):
    """A value over some days: mean, number of observations, standard deviation; ``start`` is ``end`` unless said."""

    value: Annotated[Decimal, msgspec.Meta(examples=[0.36])]
    n: Annotated[int | None, msgspec.Meta(examples=[5120])] = None
    spread: Annotated[Decimal | None, msgspec.Meta(description="Standard deviation", examples=[0.48])] = None
    start: Annotated[date | None, msgspec.Meta(examples=["2026-02-01"])] = None
    end: Annotated[date, msgspec.Meta(examples=["2026-02-28"])]
    origin: Annotated[Origin, msgspec.Meta(examples=["system"])]
    source: Annotated[str | None, msgspec.Meta(examples=["till"])] = None

    @property
    def summary(self) -> Summary:
        """The figures as a summary."""
        return Summary(value=self.value, n=self.n, spread=self.spread, start=self.start or self.end, end=self.end)


class Revision(Body, frozen=True, kw_only=True):
    """The right figures; days, origin and source stay unless said."""

    value: Annotated[Decimal, msgspec.Meta(examples=[0.35])]
    n: Annotated[int | None, msgspec.Meta(examples=[5120])] = None
    spread: Decimal | None = None
    start: date | None = None
    end: date | None = None
    origin: Origin | None = None
    source: str | None = None
    reason: Annotated[str | None, msgspec.Meta(examples=["Two days were counted twice"])] = None


class MeasurementShown(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement of a process measure or of an outcome metric, as last revised."""

    id: UUID
    process_id: UUID | None = None
    measure_id: UUID | None = None
    outcome_metric_id: UUID | None = None
    segment: str | None = None
    value: Decimal
    n: int | None
    spread: Decimal | None
    start: date
    end: date
    origin: Origin
    source: str | None
    revision: int
    next: tuple[str, ...] = ()


@get(
    "/v1/measurements/{measurement_id:uuid}",
    summary="What was measured?",
    tags=["improvement"],
    dependencies={"then": Provide(provide_then)},
)
async def measurement(
    measurement_id: FromPath[UUID],
    who: NamedDependency[Who],
    connection: NamedDependency[Connection],
    then: NamedDependency[Then | None],
) -> Answer[MeasurementShown]:
    """Show one measurement as last revised, or as it stood ``as_of``, as ``known_at``."""
    refuse_guests(who)
    if then is not None:
        past = await then.row(_performance, MEASUREMENTS, measurement_id)
        row = past or await then.row(_timeline, OUTCOMES, measurement_id)
    else:
        of_process = await _performance.measurement(connection, who.organisation_id, measurement_id)
        row = of_process or await _timeline.measurement(connection, who.organisation_id, measurement_id)
    if row is None:
        raise NotFound(kind="measurement", id=measurement_id)
    return found(row_shown(row), row.version)


@post(
    "/v1/measurements/{measurement_id:uuid}/revision",
    summary="Put a measurement right",
    tags=["improvement"],
    status_code=200,
)
async def revise(
    measurement_id: FromPath[UUID],
    data: JSONBody[Revision],
    who: NamedDependency[Who],
    sender: NamedDependency[Sender],
) -> Answer[MeasurementShown]:
    """Put right figures in the place of wrong ones; what stood before stays in the log. Who may measure may revise."""
    command = ReviseMeasurement(
        actor=who.actor,
        today=who.today,
        value=data.value,
        n=data.n,
        spread=data.spread,
        start=data.start,
        end=data.end,
        origin=data.origin,
        source=data.source,
        reason=data.reason,
    )
    outcome = await sender.send(Measurement, measurement_id, command)
    return changed(shown(outcome.aggregate), await sender.receipt(outcome))


def shown(measurement: Measurement) -> MeasurementShown:
    """A measurement just written."""
    match measurement.of:
        case OfProcess(process_id=process_id, measure_id=measure_id):
            of: dict[str, Any] = {"process_id": process_id, "measure_id": measure_id}
        case OfMetric(metric_id=metric_id, segment=segment):
            of = {"outcome_metric_id": metric_id, "segment": segment}
    return _shown(measurement.id, measurement.summary, measurement, of)


def row_shown(row: MeasurementRow | OutcomeRow) -> MeasurementShown:
    """A measurement as the read models hold it."""
    if isinstance(row, MeasurementRow):
        of: dict[str, Any] = {"process_id": row.process_id, "measure_id": row.measure_id}
    else:
        of = {"outcome_metric_id": row.outcome_metric_id, "segment": row.segment}
    return _shown(row.measurement_id, row.summary, row, of)


def _shown(
    measurement_id: UUID,
    summary: Summary,
    rest: Measurement | MeasurementRow | OutcomeRow,
    of: Mapping[str, Any],
) -> MeasurementShown:
    missing = tuple(code for code, value in (("n", summary.n), ("spread", summary.spread)) if value is None)
    return MeasurementShown(
        id=measurement_id,
        value=summary.value,
        n=summary.n,
        spread=summary.spread,
        start=summary.start,
        end=summary.end,
        origin=rest.origin,
        source=rest.source,
        revision=rest.revision,
        next=missing,
        **of,
    )


ROUTES = [measurement, revise]
