"""What was measured, over which days, and where does the figure come from?

A stream per measurement: it stays tiny whatever the frequency, nothing is hot, and a revision needs its id alone.
"""

from datetime import date
from decimal import Decimal
from typing import assert_never
from uuid import UUID

import msgspec
from eventsourcing.domain import event

from lms.domain.base import Actor, Aggregate, Command, NotFound, Others, Role, RuleBroken
from lms.domain.outcome_metric import NotYoursToMeasure, OutcomeMetric
from lms.domain.process import NotYourProcess, Process
from lms.domain.terms import Origin, Summary, check_text, check_window


class MeasurementExists(RuleBroken):
    """The measurement is stored already: revise it."""


class OfProcess(msgspec.Struct, frozen=True):
    """A measure of a process was measured."""

    process_id: UUID
    measure_id: UUID


class OfMetric(msgspec.Struct, frozen=True):
    """An outcome metric was measured, for a segment or for all."""

    metric_id: UUID
    segment: str | None


class Measurement(Aggregate):
    """One measured value of a process measure or an outcome metric, with its revisions."""

    TOPIC = "measurement"

    class ProcessMeasured(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """A process measure had this value over these days."""

        TOPIC = "process.measured"
        DATED_BY = "end"
        process_id: UUID
        measure_id: UUID
        summary: Summary
        origin: Origin
        source: str | None = None

        @property
        def end(self) -> date:
            """The last day of the window."""
            return self.summary.end

    class ProcessRevised(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The measurement was wrong; this takes its place."""

        TOPIC = "process.measurement-revised"
        DATED_BY = "end"
        process_id: UUID
        measure_id: UUID
        summary: Summary
        origin: Origin
        source: str | None = None
        reason: str | None = None

        @property
        def end(self) -> date:
            """The last day of the window."""
            return self.summary.end

    class OutcomeMeasured(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """An outcome metric had this value over these days, for a segment or for all."""

        TOPIC = "outcome.measured"
        DATED_BY = "end"
        metric_id: UUID
        summary: Summary
        segment: str | None = None
        origin: Origin
        source: str | None = None

        @property
        def end(self) -> date:
            """The last day of the window."""
            return self.summary.end

    class OutcomeRevised(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The measurement was wrong; this takes its place. ``revision`` counts from 1."""

        TOPIC = "outcome.revised"
        DATED_BY = "end"
        metric_id: UUID
        summary: Summary
        segment: str | None = None
        origin: Origin
        source: str | None = None
        revision: int
        reason: str | None = None

        @property
        def end(self) -> date:
            """The last day of the window."""
            return self.summary.end

    @event(ProcessMeasured)
    def _process_measured(
        self, process_id: UUID, measure_id: UUID, summary: Summary, origin: Origin, source: str | None
    ) -> None:
        self.of: OfProcess | OfMetric = OfProcess(process_id, measure_id)
        self.summary, self.origin, self.source = summary, origin, source
        self.revision = 0

    @event(OutcomeMeasured)
    def _outcome_measured(
        self, metric_id: UUID, summary: Summary, segment: str | None, origin: Origin, source: str | None
    ) -> None:
        self.of = OfMetric(metric_id, segment)
        self.summary, self.origin, self.source = summary, origin, source
        self.revision = 0

    @event(ProcessRevised)
    def _process_revised(self, summary: Summary, origin: Origin, source: str | None) -> None:
        self.summary, self.origin, self.source = summary, origin, source
        self.revision += 1

    @event(OutcomeRevised)
    def _outcome_revised(self, summary: Summary, origin: Origin, source: str | None) -> None:
        self.summary, self.origin, self.source = summary, origin, source
        self.revision += 1


class MeasureProcess(Command, frozen=True, kw_only=True):
    """Store a value of a process measure."""

    measurement_id: UUID
    process_id: UUID
    measure_id: UUID
    summary: Summary
    origin: Origin
    source: str | None = None


class MeasureOutcome(Command, frozen=True, kw_only=True):
    """Store a value of an outcome metric."""

    measurement_id: UUID
    metric_id: UUID
    summary: Summary
    segment: str | None = None
    origin: Origin
    source: str | None = None


class ReviseMeasurement(Command, frozen=True, kw_only=True):
    """Put a right value in the place of a wrong one; window, origin and source stay unless given."""

    value: Decimal
    n: int | None = None
    spread: Decimal | None = None
    start: date | None = None
    end: date | None = None
    origin: Origin | None = None
    source: str | None = None
    reason: str | None = None


MeasurementCommand = MeasureProcess | MeasureOutcome | ReviseMeasurement


def handle(measurement: Measurement | None, command: MeasurementCommand, others: Others) -> Measurement:
    """Decide what a command does to a measurement."""
    check_text(command.source, "/source", limit=300)
    match command:
        case MeasureProcess():
            return _measure_process(measurement, command, others)
        case MeasureOutcome():
            return _measure_outcome(measurement, command, others)
        case ReviseMeasurement():
            return _revise(measurement, command, others)
        case _:
            assert_never(command)


def _measure_process(measurement: Measurement | None, command: MeasureProcess, others: Others) -> Measurement:
    check_window(command.summary, command.today, "")
    process = _process(command.process_id, command.actor, others)
    process.measure(command.measure_id)
    new = _new(measurement, command.measurement_id)
    new.record(
        Measurement.ProcessMeasured(
            process_id=command.process_id,
            measure_id=command.measure_id,
            summary=command.summary,
            origin=command.origin,
            source=command.source,
        )
    )
    return new


def _measure_outcome(measurement: Measurement | None, command: MeasureOutcome, others: Others) -> Measurement:
    check_window(command.summary, command.today, "")
    check_text(command.segment, "/segment", limit=300)
    _metric(command.metric_id, command.actor, others)
    new = _new(measurement, command.measurement_id)
    new.record(
        Measurement.OutcomeMeasured(
            metric_id=command.metric_id,
            summary=command.summary,
            segment=command.segment,
            origin=command.origin,
            source=command.source,
        )
    )
    return new


def _revise(measurement: Measurement | None, command: ReviseMeasurement, others: Others) -> Measurement:
    check_text(command.reason, "/reason")
    if measurement is None:
        raise NotFound(measurement=None)
    standing, reason = measurement.summary, command.reason
    summary = Summary(
        value=command.value,
        n=command.n,
        spread=command.spread,
        start=command.start or standing.start,
        end=command.end or standing.end,
    )
    check_window(summary, command.today, "")
    origin, source = command.origin or measurement.origin, command.source or measurement.source
    of = measurement.of
    if isinstance(of, OfProcess):
        _process(of.process_id, command.actor, others)
        measurement.record(
            Measurement.ProcessRevised(
                process_id=of.process_id,
                measure_id=of.measure_id,
                summary=summary,
                origin=origin,
                source=source,
                reason=reason,
            )
        )
    else:
        _metric(of.metric_id, command.actor, others)
        measurement.record(
            Measurement.OutcomeRevised(
                metric_id=of.metric_id,
                summary=summary,
                segment=of.segment,
                origin=origin,
                source=source,
                revision=measurement.revision + 1,
                reason=reason,
            )
        )
    return measurement


def _new(measurement: Measurement | None, measurement_id: UUID) -> Measurement:
    if measurement is not None:
        raise MeasurementExists(measurement_id=measurement.id)
    return Measurement.blank(measurement_id)


def _process(process_id: UUID, actor: Actor, others: Others) -> Process:
    process = others.get(Process, process_id)
    if actor.has(Role.GUEST):
        raise NotFound(process=process_id)
    if not process.may_measure(actor):
        raise NotYourProcess(process_id=process_id)
    return process


def _metric(metric_id: UUID, actor: Actor, others: Others) -> None:
    if not actor.has(Role.BUSINESS_OWNER, Role.ADMINISTRATOR):
        raise NotYoursToMeasure(metric_id=metric_id)
    others.get(OutcomeMetric, metric_id)
