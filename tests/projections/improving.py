"""The service team's improvement, told as events for the read models."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from domain.improving import (
    AFTER,
    BEFORE,
    BELIEF,
    BETTER,
    HANDOVER,
    IMPROVEMENT,
    LINK,
    MINUTES,
    MIRA,
    NOOR,
    REPEAT_PURCHASES,
    SERVICE,
    TIME,
    summary,
)
from lms.domain.base import Sealed
from lms.domain.contribution import Cause, CauseKind, Contribution, Moved, Share
from lms.domain.goal import Goal
from lms.domain.goal_parts import Alignment, Level, LinkType, Owner, Purpose
from lms.domain.improvement import Improvement
from lms.domain.improvement_parts import ExperimentOutcome, Plan, Result, Review, Run, TargetCondition, Window
from lms.domain.link import Link
from lms.domain.measurement import Measurement
from lms.domain.outcome_metric import Measures, OutcomeMetric
from lms.domain.process import HandOff, Process
from lms.domain.support import Alternative, Evidence, Stance
from lms.domain.terms import Direction, Origin, Visibility
from projections.harness import Story

GOAL, GOAL_LINK = UUID(int=301), UUID(int=302)
MEASURED, REVISED, WEB, ALL = (UUID(int=n) for n in (400, 401, 402, 403))
OBSTACLE, EXPERIMENT, PIECE = (UUID(int=n) for n in (810, 820, 830))
CLAIM, RIVAL = UUID(int=900), UUID(int=901)
REFERENCE = Sealed(of=MIRA, box="cmVm", context="where it stood")
FEBRUARY = Window(start=date(2026, 2, 1), end=date(2026, 2, 28))
EVIDENCE = Evidence(evidence_id=PIECE, stance=Stance.SUPPORTS, ref=REFERENCE)
ALTERNATIVE = Alternative(alternative_id=PIECE, text="A quiet month")
RESULT = Result(
    measure_id=MINUTES,
    before=BEFORE,
    after=AFTER,
    before_origin=Origin.SYSTEM,
    after_origin=Origin.SYSTEM,
    took_effect_on=AFTER.start,
    effect=BETTER,
)


def measured(summary_, measure_id=MINUTES, origin=Origin.SYSTEM):
    return Measurement.ProcessMeasured(
        process_id=HANDOVER, measure_id=measure_id, summary=summary_, origin=origin, source="desk"
    )


def outcome(summary_, segment=None):
    return Measurement.OutcomeMeasured(
        metric_id=REPEAT_PURCHASES, summary=summary_, segment=segment, origin=Origin.SYSTEM
    )


def stated(low, figure=REPEAT_PURCHASES, window=FEBRUARY):
    return Contribution.Stated(
        cause=Cause(kind=CauseKind.IMPROVEMENT, id=IMPROVEMENT),
        moved=Moved(outcome_metric_id=figure),
        mechanism="Who is helped at once comes back",
        window=window,
        share=Share(low=Decimal(low), high=Decimal("0.9")),
        stated_by=MIRA,
    )


def told():
    """A process and a metric with figures, an improvement from problem to sustained gain, and what is claimed."""
    story = Story()
    defined = OutcomeMetric.Defined(
        name="Repeat purchases", unit="ratio", direction=Direction.INCREASE, measures=Measures.CUSTOMER
    )
    story.happened(REPEAT_PURCHASES, defined)
    story.happened(
        HANDOVER,
        Process.Registered(name="Hand-over", owner_team_id=SERVICE, value_stream="After sales"),
        Process.MeasureDefined(measure=TIME),
        Process.HandOffDefined(
            hand_off=HandOff(hand_off_id=PIECE, from_step="Intake", to_step="Desk", artefact="Case")
        ),
        Process.OutcomeLinked(link=BELIEF),
    )
    _figures(story)
    _improved(story)
    _claimed(story)
    return story


def _figures(story):
    story.happened(MEASURED, measured(BEFORE))
    story.happened(REVISED, measured(AFTER))
    story.happened(
        REVISED,
        Measurement.ProcessRevised(
            process_id=HANDOVER,
            measure_id=MINUTES,
            summary=summary(21, AFTER.start, AFTER.end),
            origin=Origin.COUNTED,
            reason="Two days were counted twice",
        ),
    )
    story.happened(WEB, outcome(summary("0.31", n=900, spread="0.4"), "web"))
    story.happened(ALL, outcome(summary("0.36", n=5120, spread="0.5")))
    story.happened(
        ALL,
        Measurement.OutcomeRevised(
            metric_id=REPEAT_PURCHASES,
            summary=summary("0.35", n=5120, spread="0.5"),
            origin=Origin.SYSTEM,
            source="till",
            revision=1,
        ),
    )


def _improved(story):
    day = date(2026, 1, 20)
    target = TargetCondition(measure_id=MINUTES, value=Decimal(20), by=date(2026, 6, 30))
    plan = Plan(experiment_id=EXPERIMENT, hypothesis="One form for both", planned_on=day)
    review = Review(
        experiment_id=EXPERIMENT,
        on=FEBRUARY.end,
        learned=REFERENCE,
        outcome=ExperimentOutcome.AS_EXPECTED,
        competencies_used=(PIECE,),
        claimed_by=MIRA,
        confirmed_by=NOOR,
    )
    story.happened(
        IMPROVEMENT,
        Improvement.Opened(process_id=HANDOVER, team_id=SERVICE, on=day, problem="Told twice", target_condition=target),
        Improvement.ObstacleNamed(obstacle_id=OBSTACLE, text="Two systems"),
        Improvement.ObstacleEvidenced(obstacle_id=OBSTACLE, note=REFERENCE),
        Improvement.ObstacleNamed(obstacle_id=PIECE, text="No overlap of shifts"),
        Improvement.ObstacleRuledOut(obstacle_id=PIECE, note=REFERENCE),
        Improvement.ObstacleCleared(obstacle_id=OBSTACLE),
        Improvement.ExperimentPlanned(plan=plan),
        Improvement.ExperimentRun(experiment_id=EXPERIMENT, run=Run(on=FEBRUARY.start, observed=Decimal(24), n=12)),
        Improvement.ExperimentReviewed(review=review),
        Improvement.ResultRecorded(result=RESULT),
    )
    improved = Process.Improved(improvement_id=IMPROVEMENT, measure_id=MINUTES, on=AFTER.start, effect=BETTER)
    story.happened(HANDOVER, improved)
    checked = summary(23, date(2026, 3, 1), date(2026, 3, 31))
    story.happened(
        IMPROVEMENT,
        Improvement.ResultRecorded(result=RESULT),
        Improvement.Adopted(on=date(2026, 3, 1), standard_ref=REFERENCE),
        Improvement.SustainmentChecked(days_after=30, summary=checked, effect=BETTER, holds=True),
        Improvement.Reverted(on=date(2026, 4, 1), reason=REFERENCE),
    )


def _claimed(story):
    attach, offer = (
        Contribution.EvidenceAttached(evidence=EVIDENCE),
        Contribution.AlternativeRecorded(alternative=ALTERNATIVE),
    )
    for claim, low in ((CLAIM, "0.7"), (RIVAL, "0.4")):
        story.happened(claim, stated(low), attach, offer, Contribution.Accepted(accepted_by=NOOR))
    story.happened(UUID(int=902), stated("0.9"), Contribution.Rejected(reason=REFERENCE))
    story.happened(UUID(int=903), stated("0.9"), Contribution.Withdrawn(reason=REFERENCE))
    story.happened(LINK, Link.EvidenceAttached(link_id=LINK, evidence=EVIDENCE))
    story.happened(LINK, Link.AlternativeRecorded(link_id=LINK, alternative=ALTERNATIVE))
    alignment = Alignment(
        link_id=GOAL_LINK, to_outcome_metric_id=REPEAT_PURCHASES, link_type=LinkType.SUPPORTS, hypothesis="It helps"
    )
    proposed = Goal.Proposed(
        level=Level.TEAM,
        title="Faster",
        purpose=Purpose(statement="Keep customers"),
        owner=Owner(team_id=SERVICE),
        visibility=Visibility.ORGANISATION,
    )
    story.happened(GOAL, proposed, Goal.Aligned(alignment=alignment))
