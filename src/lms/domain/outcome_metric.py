"""By which figure does the business see that it gains?"""

from enum import StrEnum
from typing import assert_never
from uuid import UUID

from eventsourcing.domain import event

from lms.domain.base import Aggregate, Command, Forbidden, Others, Role, RuleBroken
from lms.domain.terms import Direction, check_text, check_unit


class Measures(StrEnum):
    """What the metric is about; a volume per person can never be a goal's metric (invariant 13)."""

    CUSTOMER = "customer"
    PROCESS = "process"
    FINANCE = "finance"
    PERSON_VOLUME = "person-volume"


class Aggregation(StrEnum):
    """How several periods become one figure."""

    MEAN = "mean"
    SUM = "sum"
    LATEST = "latest"


class Frequency(StrEnum):
    """How often the figure is expected."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class MetricExists(RuleBroken):
    """The outcome metric is defined already."""


class NotYoursToMeasure(Forbidden):
    """Only business owners and administrators define and measure outcome metrics."""


class OutcomeMetric(Aggregate):
    """A figure of the business model; its measurements are streams of their own."""

    TOPIC = "outcome-metric"

    class Defined(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """A figure by which the business sees that it gains."""

        TOPIC = "outcome-metric.defined"
        name: str
        unit: str
        direction: Direction
        measures: Measures
        aggregation: Aggregation = Aggregation.MEAN
        element_id: UUID | None = None
        frequency: Frequency = Frequency.MONTH

    @event(Defined)
    def _defined(
        self,
        name: str,
        unit: str,
        direction: Direction,
        measures: Measures,
        aggregation: Aggregation,
        element_id: UUID | None,
        frequency: Frequency,
    ) -> None:
        self.name, self.unit, self.direction, self.measures = name, unit, direction, measures
        self.aggregation, self.element_id, self.frequency = aggregation, element_id, frequency


class DefineOutcomeMetric(Command, frozen=True, kw_only=True):
    """Define a figure of the business."""

    metric_id: UUID
    name: str
    unit: str
    direction: Direction
    measures: Measures
    aggregation: Aggregation = Aggregation.MEAN
    element_id: UUID | None = None
    frequency: Frequency = Frequency.MONTH


def handle(metric: OutcomeMetric | None, command: DefineOutcomeMetric, others: Others) -> OutcomeMetric:  # noqa: ARG001 - every decision has this shape
    """Decide what a command does to an outcome metric."""
    match command:
        case DefineOutcomeMetric():
            if not command.actor.has(Role.BUSINESS_OWNER, Role.ADMINISTRATOR):
                raise NotYoursToMeasure(metric_id=command.metric_id)
            if metric is not None:
                raise MetricExists(metric_id=metric.id)
            return _define(command)
        case _:
            assert_never(command)


def _define(command: DefineOutcomeMetric) -> OutcomeMetric:
    check_text(command.name, "/name", limit=300)
    check_unit(command.unit, "/unit")
    metric = OutcomeMetric.blank(command.metric_id)
    metric.record(
        OutcomeMetric.Defined(
            name=command.name,
            unit=command.unit,
            direction=command.direction,
            measures=command.measures,
            aggregation=command.aggregation,
            element_id=command.element_id,
            frequency=command.frequency,
        )
    )
    return metric
