"""What is sent about an improvement, and how does one look?"""

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import msgspec

from lms.api.answers import text
from lms.api.bodies import Body
from lms.api.figures import ComparisonBody, Measure, Side, WindowBody
from lms.domain.effect import Baseline, Design, Effect
from lms.domain.improvement import Improvement
from lms.domain.improvement_parts import ExperimentOutcome, ObstacleState, Result, TargetCondition, Window
from lms.projections.improvements import Check, Experiment, Finding, ImprovementRow, Obstacle


class Target(Body, frozen=True, kw_only=True):
    """The value a measure should have by a day."""

    measure_id: Measure
    value: Annotated[Decimal, msgspec.Meta(examples=[20])]
    by: Annotated[date | None, msgspec.Meta(examples=["2026-06-30"])] = None


class NewImprovement(Body, frozen=True, kw_only=True):
    """A problem a team takes on: the caller's home team, else the first he leads, unless said."""

    process_id: UUID
    problem: Annotated[str, msgspec.Meta(examples=["Customers tell their story twice"])]
    actual_condition: Annotated[str | None, msgspec.Meta(examples=["30 minutes from intake to desk"])] = None
    trigger_period: Annotated[
        WindowBody | None, msgspec.Meta(description="When the figures raised the alarm: no fair baseline by itself")
    ] = None
    target_condition: Target | None = None
    team_id: UUID | None = None
    goal_id: UUID | None = None
    need_ids: tuple[UUID, ...] = ()
    competencies: tuple[UUID, ...] = ()
    on: date | None = None


class ObstacleBody(Body, frozen=True, kw_only=True):
    """A new obstacle by its ``text``; or what was seen of one: ``obstacle_id``, ``state`` and a note."""

    text: Annotated[str | None, msgspec.Meta(examples=["Two systems that do not talk"])] = None
    obstacle_id: UUID | None = None
    state: ObstacleState | None = None
    note: str | None = None


class NewExperiment(Body, frozen=True, kw_only=True):
    """What will be tried, and what is expected of it."""

    hypothesis: Annotated[str, msgspec.Meta(examples=["One form for intake and desk saves ten minutes"])]
    measure_id: Measure | None = None
    expected_value: Annotated[Decimal | None, msgspec.Meta(examples=[22])] = None
    obstacle_id: UUID | None = None
    design: Design = Design.BEFORE_AFTER
    planned_on: date | None = None
    review_on: Annotated[date | None, msgspec.Meta(examples=["2026-03-01"])] = None


class RunBody(Body, frozen=True, kw_only=True):
    """What an experiment showed."""

    on: date | None = None
    observed: Annotated[Decimal | None, msgspec.Meta(examples=[23.5])] = None
    n: Annotated[int | None, msgspec.Meta(examples=[12])] = None


class ReviewBody(Body, frozen=True, kw_only=True):
    """What an experiment taught. With ``observed`` or ``ran_on`` it also says how the experiment ran.

    ``confirmed_by``: another than the claimant, who is asked to confirm that the competencies were used; naming
    oneself confirms it.
    """

    experiment_id: UUID
    outcome: Annotated[ExperimentOutcome, msgspec.Meta(examples=["as-expected"])]
    learned: Annotated[str | None, msgspec.Meta(examples=["A short form is filled in, a long one is not"])] = None
    competencies_used: tuple[UUID, ...] = ()
    confirmed_by: UUID | None = None
    on: date | None = None
    ran_on: date | None = None
    observed: Annotated[Decimal | None, msgspec.Meta(examples=[23.5])] = None
    n: Annotated[int | None, msgspec.Meta(examples=[12])] = None


class ResultBody(Body, frozen=True, kw_only=True):
    """Before and after on one measure: days alone are computed from stored measurements."""

    measure_id: Measure
    before: Side
    after: Side
    design: Design = Design.BEFORE_AFTER
    comparison: ComparisonBody | None = None
    baseline: Annotated[
        Baseline | None,
        msgspec.Meta(description="Within the trigger period always `trigger`, whatever is said"),
    ] = None
    took_effect_on: Annotated[
        date | None, msgspec.Meta(description="From when work ran the new way; by default the first day after")
    ] = None


class AdoptionBody(Body, frozen=True, kw_only=True):
    """The new way is the standard."""

    on: date | None = None
    standard_ref: Annotated[str | None, msgspec.Meta(examples=["handbook/hand-over"])] = None


class SustainmentBody(Side, frozen=True, kw_only=True):
    """Figures some days after, by default 30 or 90: the nearer to the days since adoption."""

    days_after: Annotated[int | None, msgspec.Meta(examples=[30])] = None


class ReversalBody(Body, frozen=True, kw_only=True):
    """Back to the old way, and why."""

    reason: Annotated[str, msgspec.Meta(examples=["It cost more than it gave"])]
    on: date | None = None


class ImprovementShown(msgspec.Struct, frozen=True, kw_only=True):
    """An improvement. ``state``: open, resulted, adopted or reverted. ``goal_id`` is null unless you see the goal."""

    id: UUID
    process_id: UUID
    team_id: UUID
    opened_on: date
    problem: str
    actual_condition: str | None
    trigger_period: Window | None
    target_condition: TargetCondition | None
    goal_id: UUID | None
    need_ids: tuple[UUID, ...]
    competencies: tuple[UUID, ...]
    adopted_on: date | None
    reverted_on: date | None
    state: str
    next: tuple[str, ...]


class ObstacleShown(msgspec.Struct, frozen=True, kw_only=True):
    """An obstacle, and what was last seen of it."""

    id: UUID
    text: str | None
    state: ObstacleState
    note: str | None


class ExperimentShown(msgspec.Struct, frozen=True, kw_only=True):
    """An experiment and how far it came.

    ``confirmed``: another than who claims it confirmed himself that the competencies were used.
    """

    id: UUID
    hypothesis: str
    measure_id: UUID | None
    expected_value: Decimal | None
    obstacle_id: UUID | None
    design: Design
    planned_on: date
    review_on: date | None
    ran_on: date | None
    observed: Decimal | None
    n: int | None
    reviewed_on: date | None
    outcome: ExperimentOutcome | None
    learned: str | None
    competencies_used: tuple[UUID, ...]
    confirmed: bool


class ImprovementWhole(ImprovementShown, frozen=True, kw_only=True):
    """An improvement with all that happened to it."""

    obstacles: list[ObstacleShown]
    experiments: list[ExperimentShown]
    results: list[Finding]
    standard_ref: str | None
    checks: list[Check]
    revert_reason: str | None


class ResultShown(msgspec.Struct, frozen=True, kw_only=True):
    """A result as it was stored: the effect is after minus before, with its 95 % interval."""

    id: UUID
    result: Result
    effect: Effect
    verdict: str
    grade: int
    may_say: str
    process_improved: bool
    next: tuple[str, ...]


class PartShown(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an improvement that was just written, by its own id."""

    id: UUID
    improvement_id: UUID
    next: tuple[str, ...]


class CheckShown(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the gain holds; null where the figures are too few to say."""

    id: UUID
    days_after: int
    effect: Effect
    holds: bool | None
    next: tuple[str, ...] = ()


def shown(improvement: Improvement, goal_id: UUID | None) -> ImprovementShown:
    """An improvement just written. ``goal_id``: its goal if that is shown to the reader."""
    return _shown(improvement.id, improvement, goal_id, improvement.result is not None, bool(improvement.plans))


def row_shown(row: ImprovementRow, goals: Collection[UUID]) -> ImprovementShown:
    """An improvement as the read model holds it. ``goals``: what is shown to the reader."""
    goal_id = row.goal_id if row.goal_id in goals else None
    return _shown(row.improvement_id, row, goal_id, bool(row.results), bool(row.experiments))


def obstacle_shown(one: Obstacle) -> ObstacleShown:
    """An obstacle whose texts are opened."""
    return ObstacleShown(id=one.obstacle_id, text=text(one.text), state=one.state, note=text(one.note))


def experiment_shown(one: Experiment) -> ExperimentShown:
    """An experiment whose texts are opened."""
    plan, run, review = one.plan, one.run, one.review
    return ExperimentShown(
        id=plan.experiment_id,
        hypothesis=plan.hypothesis,
        measure_id=plan.measure_id,
        expected_value=plan.expected_value,
        obstacle_id=plan.obstacle_id,
        design=plan.design,
        planned_on=plan.planned_on,
        review_on=plan.review_on,
        ran_on=run.on if run else None,
        observed=run.observed if run else None,
        n=run.n if run else None,
        reviewed_on=review.on if review else None,
        outcome=review.outcome if review else None,
        learned=text(review.learned) if review else None,
        competencies_used=review.competencies_used if review else (),
        confirmed=review is not None and review.confirmed_by is not None,
    )


def _shown(
    improvement_id: UUID,
    one: Improvement | ImprovementRow,
    goal_id: UUID | None,
    has_result: bool,
    has_experiment: bool,
) -> ImprovementShown:
    return ImprovementShown(
        id=improvement_id,
        process_id=one.process_id,
        team_id=one.team_id,
        opened_on=one.opened_on,
        problem=one.problem,
        actual_condition=one.actual_condition,
        trigger_period=one.trigger_period,
        target_condition=one.target_condition,
        goal_id=goal_id,
        need_ids=one.need_ids,
        competencies=one.competencies,
        adopted_on=one.adopted_on,
        reverted_on=one.reverted_on,
        state=_state(one, has_result),
        next=_missing(one, has_result, has_experiment),
    )


def _state(one: Improvement | ImprovementRow, has_result: bool) -> str:
    if one.reverted_on is not None:
        return "reverted"
    if one.adopted_on is not None:
        return "adopted"
    return "resulted" if has_result else "open"


def _missing(one: Improvement | ImprovementRow, has_result: bool, has_experiment: bool) -> tuple[str, ...]:
    if one.reverted_on is not None:
        return ()
    missing = {
        "competencies": not one.competencies,
        "target-condition": one.target_condition is None,
        "experiment": not has_experiment,
        "result": not has_result,
        "adoption": has_result and one.adopted_on is None,
    }
    return tuple(code for code, absent in missing.items() if absent)
