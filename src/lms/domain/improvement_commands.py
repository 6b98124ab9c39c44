"""What can be asked of an improvement, and of whom?"""

from datetime import date
from typing import assert_never
from uuid import UUID

import msgspec

from lms.domain.base import Aggregate, Command, Malformed, NotFound, Others, Role
from lms.domain.competency import check_competencies
from lms.domain.contributor import Contributor
from lms.domain.effect import Baseline, Comparison, Design, Effect, check_comparison, check_sides, is_better
from lms.domain.goal import Goal
from lms.domain.improvement import Improvement
from lms.domain.improvement_parts import (
    ImprovementExists,
    NotYourTeam,
    ObstacleState,
    Plan,
    Result,
    Review,
    Run,
    TargetCondition,
    Window,
)
from lms.domain.process import Process
from lms.domain.terms import Origin, Summary, check_needs, check_not_in_future, check_text, check_window


class OpenImprovement(Command, frozen=True, kw_only=True):
    """Take on a problem of a process."""

    improvement_id: UUID
    process_id: UUID
    team_id: UUID
    on: date
    problem: str
    actual_condition: str | None = None
    trigger_period: Window | None = None
    target_condition: TargetCondition | None = None
    goal_id: UUID | None = None
    need_ids: tuple[UUID, ...] = ()
    competencies: tuple[UUID, ...] = ()


class NameObstacle(Command, frozen=True, kw_only=True):
    """Say what stands in the way."""

    obstacle_id: UUID
    text: str


class SettleObstacle(Command, frozen=True, kw_only=True):
    """Say what was seen of an obstacle, or that it is gone."""

    obstacle_id: UUID
    state: ObstacleState
    note: str | None = None


class PlanExperiment(Command, frozen=True, kw_only=True):
    """Say what will be tried."""

    plan: Plan


class RunExperiment(Command, frozen=True, kw_only=True):
    """Say what was observed."""

    experiment_id: UUID
    run: Run


class ReviewExperiment(Command, frozen=True, kw_only=True):
    """Say what was learned; an experiment that has not run yet ran as this says.

    Who is named in ``confirmed_by`` is asked to confirm; who names himself confirms.
    """

    review: Review
    run: Run | None = None


class ConfirmUse(Command, frozen=True, kw_only=True):
    """Say that the competencies of a review were used, as who was asked to or as another of the team."""

    experiment_id: UUID


class RecordResult(Command, frozen=True, kw_only=True):
    """Compare before with after. The effect was computed at the edge and enters as a fact."""

    measure_id: UUID
    before: Summary
    after: Summary
    before_origin: Origin
    after_origin: Origin
    baseline: Baseline | None = None
    took_effect_on: date | None = None
    design: Design = Design.BEFORE_AFTER
    comparison: Comparison | None = None
    effect: Effect


class AdoptImprovement(Command, frozen=True, kw_only=True):
    """Make the new way the standard."""

    on: date
    standard_ref: str | None = None


class CheckSustainment(Command, frozen=True, kw_only=True):
    """Look again after a while."""

    days_after: int
    summary: Summary
    effect: Effect


class RevertImprovement(Command, frozen=True, kw_only=True):
    """Go back to the old way."""

    on: date
    reason: str


ImprovementCommand = (
    OpenImprovement
    | NameObstacle
    | SettleObstacle
    | PlanExperiment
    | RunExperiment
    | ReviewExperiment
    | ConfirmUse
    | RecordResult
    | AdoptImprovement
    | CheckSustainment
    | RevertImprovement
)


def handle(
    improvement: Improvement | None, command: ImprovementCommand, others: Others
) -> Improvement | tuple[Aggregate, ...]:
    """Decide what a command does to an improvement; a result that is better improves the process too."""
    if isinstance(command, OpenImprovement):
        return _open(improvement, command, others)
    improvement = _of_the_team(improvement, command)
    match command:
        case NameObstacle(obstacle_id=obstacle_id, text=text):
            improvement.name_obstacle(obstacle_id, text)
        case SettleObstacle(obstacle_id=obstacle_id, state=state, note=note):
            improvement.settle_obstacle(obstacle_id, state, note)
        case PlanExperiment(plan=plan):
            _plan(improvement, plan, command.today, others)
        case RunExperiment(experiment_id=experiment_id, run=run):
            check_not_in_future(run.on, command.today, "/on")
            improvement.run(experiment_id, run, command.actor.contributor_id)
        case ReviewExperiment():
            _review(improvement, command, others)
        case ConfirmUse(experiment_id=experiment_id):
            improvement.confirm_use(experiment_id, command.actor.contributor_id)
        case RecordResult():
            return _record_result(improvement, command, others)
        case AdoptImprovement(on=on, standard_ref=standard_ref):
            check_not_in_future(on, command.today, "/on")
            improvement.adopt(on, standard_ref)
        case CheckSustainment():
            _check_sustainment(improvement, command, others)
        case RevertImprovement(on=on, reason=reason):
            check_not_in_future(on, command.today, "/on")
            check_text(reason, "/reason")
            improvement.record(Improvement.Reverted(on=on, reason=reason))
        case _:
            assert_never(command)
    return improvement


def _of_the_team(improvement: Improvement | None, command: ImprovementCommand) -> Improvement:
    """The improvement, for members and leads of its team; who was asked to confirm something may do that alone."""
    if improvement is None:
        raise NotFound(improvement=None)
    asked = isinstance(command, ConfirmUse) and improvement.asks(command.experiment_id, command.actor)
    if not asked and command.actor.has(Role.GUEST):
        raise NotFound(improvement=improvement.id)
    if not asked and not improvement.may_work(command.actor):
        raise NotYourTeam(improvement_id=improvement.id)
    improvement.refuse_reverted()
    return improvement


def _open(improvement: Improvement | None, command: OpenImprovement, others: Others) -> Improvement:
    if improvement is not None:
        raise ImprovementExists(improvement_id=improvement.id)
    if command.team_id not in command.actor.leads | command.actor.member_of:
        raise NotYourTeam(team_id=command.team_id)
    check_text(command.problem, "/problem")
    check_text(command.actual_condition, "/actual_condition")
    check_not_in_future(command.on, command.today, "/on")
    period = command.trigger_period
    if period is not None and period.start > period.end:
        raise Malformed(pointer="/trigger_period/end", detail="the period ends before it starts")
    process = others.get(Process, command.process_id)
    if command.target_condition is not None:
        process.measure(command.target_condition.measure_id)
    check_competencies(command.competencies, others)
    check_needs(command.need_ids)
    if command.goal_id is not None:
        goal = others.find(Goal, command.goal_id)
        if goal is None or not goal.is_shown_to(command.actor):
            raise Malformed(pointer="/goal_id", detail="there is no such goal, or it is not shown to you")
    opened = Improvement.blank(command.improvement_id)
    facts = {name: getattr(command, name) for name in Improvement.Opened.__struct_fields__}
    opened.record(Improvement.Opened(**facts))
    return opened


def _plan(improvement: Improvement, plan: Plan, today: date, others: Others) -> None:
    check_text(plan.hypothesis, "/hypothesis")
    check_not_in_future(plan.planned_on, today, "/planned_on")
    if plan.review_on is not None and plan.review_on < plan.planned_on:
        raise Malformed(pointer="/review_on", detail="the review comes before the plan")
    if plan.measure_id is not None:
        others.get(Process, improvement.process_id).measure(plan.measure_id)
    if plan.obstacle_id is not None and plan.obstacle_id not in improvement.obstacles:
        raise NotFound(obstacle=plan.obstacle_id)
    improvement.record(Improvement.ExperimentPlanned(plan=msgspec.structs.replace(plan, recorded_on=today)))


def _review(improvement: Improvement, command: ReviewExperiment, others: Others) -> None:
    review, author = command.review, command.actor.contributor_id
    check_competencies(review.competencies_used, others, "/competencies_used")
    if review.confirmed_by is not None:
        others.get(Contributor, review.confirmed_by).refuse_inactive()
    check_not_in_future(review.on, command.today, "/on")
    if command.run is not None:
        check_not_in_future(command.run.on, command.today, "/ran_on")
        improvement.run(review.experiment_id, command.run, author)
    improvement.review(review, author)


def _record_result(improvement: Improvement, command: RecordResult, others: Others) -> tuple[Aggregate, ...]:
    process = others.get(Process, improvement.process_id)
    measure = process.measure(command.measure_id)
    check_sides(command.before, command.after, command.today)
    check_comparison(command.design, command.comparison, command.today)
    result = Result(
        measure_id=command.measure_id,
        before=command.before,
        after=command.after,
        before_origin=command.before_origin,
        after_origin=command.after_origin,
        baseline=_baseline(improvement, command),
        took_effect_on=command.took_effect_on or command.after.start,
        design=command.design,
        recorded_before=improvement.was_planned(command.design, command.after.start),
        comparison=command.comparison,
        effect=command.effect,
    )
    better = is_better(command.effect, command.before, command.after, measure.direction)
    improvement.record(Improvement.ResultRecorded(result=result))
    if not better:
        return (improvement,)
    process.record(
        Process.Improved(
            improvement_id=improvement.id,
            measure_id=command.measure_id,
            on=command.after.start,
            effect=command.effect,
        )
    )
    return improvement, process


def _baseline(improvement: Improvement, command: RecordResult) -> Baseline:
    """A baseline wholly inside the period that raised the alarm regresses to the mean, whatever it is called."""
    period, before = improvement.trigger_period, command.before
    if period is not None and period.start <= before.start and before.end <= period.end:
        return Baseline.TRIGGER
    return command.baseline or Baseline.STANDING


def _check_sustainment(improvement: Improvement, command: CheckSustainment, others: Others) -> None:
    check_window(command.summary, command.today, "")
    result = improvement.adopted_result()
    direction = others.get(Process, improvement.process_id).measure(result.measure_id).direction
    is_better(command.effect, result.before, command.summary, direction)
    improvement.check_sustainment(command.days_after, command.summary, command.effect, direction)
