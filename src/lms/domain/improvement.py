"""How does a team get from a problem to a better process, and what did it find?"""

from datetime import date
from uuid import UUID

import msgspec
from eventsourcing.domain import event

from lms.domain.base import Actor, Aggregate, Malformed, NotFound, Personal
from lms.domain.effect import Design, Effect, Verdict, gain
from lms.domain.improvement_parts import (
    AlreadyAdopted,
    ConfirmedByClaimant,
    ExperimentHasNotRun,
    ExperimentIsNotReviewed,
    ExperimentIsOver,
    ImprovementIsReverted,
    NoResultYet,
    NotAdopted,
    ObstacleIsSettled,
    ObstacleState,
    Plan,
    Result,
    Review,
    Run,
    TargetCondition,
    UseIsConfirmed,
    Window,
)
from lms.domain.terms import Direction, Summary, check_text


class Improvement(Aggregate):
    """A problem of a process, what was tried, and what came of it."""

    TOPIC = "improvement"

    class Opened(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """A team takes on a problem; ``trigger_period`` is when the figures raised the alarm."""

        TOPIC = "improvement.opened"
        DATED_BY = "on"
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

    class ObstacleNamed(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """Something stands in the way; several causes may stand."""

        TOPIC = "improvement.obstacle-named"
        obstacle_id: UUID
        text: Personal

    class ObstacleEvidenced(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The obstacle was seen at work."""

        TOPIC = "improvement.obstacle-evidenced"
        obstacle_id: UUID
        note: Personal

    class ObstacleRuledOut(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """It was not in the way."""

        TOPIC = "improvement.obstacle-ruled-out"
        obstacle_id: UUID
        note: Personal

    class ObstacleCleared(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """It is out of the way."""

        TOPIC = "improvement.obstacle-cleared"
        obstacle_id: UUID
        note: Personal | None = None

    class ExperimentPlanned(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """What will be tried and what is expected of it."""

        TOPIC = "improvement.experiment-planned"
        DATED_BY = "on"
        plan: Plan

        @property
        def on(self) -> date:
            """The day it was planned."""
            return self.plan.planned_on

    class ExperimentRun(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """It was tried: what was observed, how often, and by whom it was run."""

        TOPIC = "improvement.experiment-run"
        DATED_BY = "on"
        experiment_id: UUID
        run: Run
        run_by: UUID | None = None

        @property
        def on(self) -> date:
            """The day it was run."""
            return self.run.on

    class ExperimentReviewed(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """What it taught, which competencies it used and who was asked to confirm that, or does so himself."""

        TOPIC = "improvement.experiment-reviewed"
        DATED_BY = "on"
        review: Review

        @property
        def on(self) -> date:
            """The day of the review."""
            return self.review.on

    class UseConfirmed(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """Another than who claims it says himself that the competencies of a review were used."""

        TOPIC = "improvement.use-confirmed"
        experiment_id: UUID
        confirmed_by: UUID

    class ResultRecorded(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """Before and after on one measure, with the verdict, whatever it is."""

        TOPIC = "improvement.result-recorded"
        DATED_BY = "on"
        result: Result

        @property
        def on(self) -> date:
            """The last day of the after-window."""
            return self.result.after.end

    class Adopted(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The new way is the standard."""

        TOPIC = "improvement.adopted"
        DATED_BY = "on"
        on: date
        standard_ref: Personal | None = None

    class SustainmentChecked(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """Does the gain hold? None where the figures are too few to say; ``effect`` compares with before."""

        TOPIC = "improvement.sustainment-checked"
        DATED_BY = "on"
        days_after: int
        summary: Summary
        effect: Effect
        holds: bool | None = None

        @property
        def on(self) -> date:
            """The last day of the check's window."""
            return self.summary.end

    class Reverted(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """Work runs the old way again."""

        TOPIC = "improvement.reverted"
        DATED_BY = "on"
        on: date
        reason: Personal

    def may_work(self, actor: Actor) -> bool:
        """Tell whether the actor is of the team."""
        return self.team_id in actor.leads | actor.member_of

    def refuse_reverted(self) -> None:
        """Refuse to go on with what was taken back."""
        if self.reverted_on is not None:
            raise ImprovementIsReverted(improvement_id=self.id)

    def name_obstacle(self, obstacle_id: UUID, text: str) -> None:
        """Say what stands in the way."""
        check_text(text, "/text")
        self.record(Improvement.ObstacleNamed(obstacle_id=obstacle_id, text=text))

    def settle_obstacle(self, obstacle_id: UUID, state: ObstacleState, note: str | None) -> None:
        """Evidence an obstacle, rule it out or clear it."""
        check_text(note, "/note")
        standing = self.obstacles.get(obstacle_id)
        if standing is None:
            raise NotFound(obstacle=obstacle_id)
        if standing in {ObstacleState.RULED_OUT, ObstacleState.CLEARED}:
            raise ObstacleIsSettled(obstacle_id=obstacle_id)
        match state:
            case ObstacleState.CLEARED:
                self.record(Improvement.ObstacleCleared(obstacle_id=obstacle_id, note=note))
            case ObstacleState.EVIDENCED if note:
                self.record(Improvement.ObstacleEvidenced(obstacle_id=obstacle_id, note=note))
            case ObstacleState.RULED_OUT if note:
                self.record(Improvement.ObstacleRuledOut(obstacle_id=obstacle_id, note=note))
            case _:
                raise Malformed(pointer="/note", detail="say what was seen")

    def run(self, experiment_id: UUID, run: Run, run_by: UUID | None) -> None:
        """Say what an experiment showed."""
        plan = self.plan(experiment_id)
        if experiment_id in self.runs:
            raise ExperimentIsOver(experiment_id=experiment_id)
        if run.on < plan.planned_on:
            raise Malformed(pointer="/on", detail="the experiment ran before it was planned")
        if run.n is not None and run.n < 1:
            raise Malformed(pointer="/n", detail="must be at least 1")
        self.record(Improvement.ExperimentRun(experiment_id=experiment_id, run=run, run_by=run_by))

    def review(self, review: Review, author: UUID | None) -> None:
        """Say what an experiment taught; the claimant is who says that a competency was used.

        Who names himself confirms by it, and vouches for the one who ran the experiment; any other is only asked.
        """
        check_text(review.learned if isinstance(review.learned, str) else None, "/learned")
        self.plan(review.experiment_id)
        if review.experiment_id not in self.runs:
            raise ExperimentHasNotRun(experiment_id=review.experiment_id)
        if review.experiment_id in self.reviews:
            raise ExperimentIsOver(experiment_id=review.experiment_id)
        runner, named = self.runs[review.experiment_id], review.confirmed_by
        confirms_himself = named is not None and named == author
        claimant = runner if confirms_himself else author
        if named is not None and named in {claimant, runner}:
            raise ConfirmedByClaimant(experiment_id=review.experiment_id)
        asked, confirmed_by = (None, named) if confirms_himself else (named, None)
        told = msgspec.structs.replace(review, claimed_by=claimant, asked=asked, confirmed_by=confirmed_by)
        self.record(Improvement.ExperimentReviewed(review=told))

    def asks(self, experiment_id: UUID, actor: Actor) -> bool:
        """Tell whether a review asks this person to confirm the use of its competencies."""
        review = self.reviews.get(experiment_id)
        return review is not None and review.asked is not None and actor.is_contributor(review.asked)

    def confirm_use(self, experiment_id: UUID, confirmer: UUID | None) -> None:
        """Say oneself that the competencies of a review were used; neither who claims it nor who ran it may."""
        self.plan(experiment_id)
        review = self.reviews.get(experiment_id)
        if review is None:
            raise ExperimentIsNotReviewed(experiment_id=experiment_id)
        if confirmer is None or confirmer in {review.claimed_by, self.runs[experiment_id]}:
            raise ConfirmedByClaimant(experiment_id=experiment_id)
        if review.confirmed_by is not None:
            raise UseIsConfirmed(experiment_id=experiment_id)
        self.record(Improvement.UseConfirmed(experiment_id=experiment_id, confirmed_by=confirmer))

    def plan(self, experiment_id: UUID) -> Plan:
        """The plan of an experiment, or the refusal `NotFound`."""
        if experiment_id not in self.plans:
            raise NotFound(experiment=experiment_id)
        return self.plans[experiment_id]

    def was_planned(self, design: Design, before_day: date) -> bool:
        """Tell whether the design stood in a plan that had come in before the day."""
        plans = (plan for plan in self.plans.values() if plan.design is design)
        return any(plan.recorded_on is not None and plan.recorded_on < before_day for plan in plans)

    def adopt(self, on: date, standard_ref: str | None) -> None:
        """Make the new way the standard; that it has a result is asked, that it is better is the team's judgement."""
        self.recorded_result()
        if self.adopted_on is not None:
            raise AlreadyAdopted(improvement_id=self.id)
        self.record(Improvement.Adopted(on=on, standard_ref=standard_ref))

    def recorded_result(self) -> Result:
        """The newest result, or a refusal."""
        if self.result is None:
            raise NoResultYet(improvement_id=self.id)
        return self.result

    @property
    def took_effect_on(self) -> date | None:
        """The first day on which work ran the new way, by the newest result on each measure; None without any."""
        return min(self.took_effect.values(), default=None)

    def adopted_result(self) -> Result:
        """The result of what became the standard, or a refusal."""
        if self.result is None or self.adopted_on is None:
            raise NotAdopted(improvement_id=self.id)
        return self.result

    def check_sustainment(self, days_after: int, summary: Summary, effect: Effect, direction: Direction) -> None:
        """Say whether the gain holds: still better than before, and at least half of it kept."""
        result = self.adopted_result()
        if days_after < 1:
            raise Malformed(pointer="/days_after", detail="must be at least 1")
        if summary.start <= result.after.end:
            raise Malformed(pointer="/start", detail="the check looks at days after the result's after-window")
        before, after = result.before.value, result.after.value
        keeps_half = gain(before, summary.value, direction) * 2 >= gain(before, after, direction)
        holds = None if effect.verdict is Verdict.INSUFFICIENT_DATA else effect.verdict is Verdict.BETTER and keeps_half
        self.record(Improvement.SustainmentChecked(days_after=days_after, summary=summary, effect=effect, holds=holds))

    @event(Opened)
    def _opened(
        self,
        process_id: UUID,
        team_id: UUID,
        on: date,
        problem: str,
        actual_condition: str | None,
        trigger_period: Window | None,
        target_condition: TargetCondition | None,
        goal_id: UUID | None,
        need_ids: tuple[UUID, ...],
        competencies: tuple[UUID, ...],
    ) -> None:
        self.process_id, self.team_id, self.opened_on, self.problem = process_id, team_id, on, problem
        self.actual_condition, self.trigger_period = actual_condition, trigger_period
        self.target_condition, self.goal_id = target_condition, goal_id
        self.need_ids, self.competencies = need_ids, competencies
        self.obstacles: dict[UUID, ObstacleState] = {}
        self.plans: dict[UUID, Plan] = {}
        self.runs: dict[UUID, UUID | None] = {}
        self.reviews: dict[UUID, Review] = {}
        self.result: Result | None = None
        self.took_effect: dict[UUID, date] = {}
        self.adopted_on: date | None = None
        self.reverted_on: date | None = None
        self.holds: bool | None = None

    @event(ObstacleNamed)
    def _obstacle_named(self, obstacle_id: UUID) -> None:
        self.obstacles = {**self.obstacles, obstacle_id: ObstacleState.NAMED}

    @event(ObstacleEvidenced)
    def _obstacle_evidenced(self, obstacle_id: UUID) -> None:
        self.obstacles = {**self.obstacles, obstacle_id: ObstacleState.EVIDENCED}

    @event(ObstacleRuledOut)
    def _obstacle_ruled_out(self, obstacle_id: UUID) -> None:
        self.obstacles = {**self.obstacles, obstacle_id: ObstacleState.RULED_OUT}

    @event(ObstacleCleared)
    def _obstacle_cleared(self, obstacle_id: UUID) -> None:
        self.obstacles = {**self.obstacles, obstacle_id: ObstacleState.CLEARED}

    @event(ExperimentPlanned)
    def _experiment_planned(self, plan: Plan) -> None:
        self.plans = {**self.plans, plan.experiment_id: plan}

    @event(ExperimentRun)
    def _experiment_run(self, experiment_id: UUID, run_by: UUID | None) -> None:
        self.runs = {**self.runs, experiment_id: run_by}

    @event(ExperimentReviewed)
    def _experiment_reviewed(self, review: Review) -> None:
        self.reviews = {**self.reviews, review.experiment_id: review}

    @event(UseConfirmed)
    def _use_confirmed(self, experiment_id: UUID, confirmed_by: UUID) -> None:
        review = msgspec.structs.replace(self.reviews[experiment_id], confirmed_by=confirmed_by)
        self.reviews = {**self.reviews, experiment_id: review}

    @event(ResultRecorded)
    def _result_recorded(self, result: Result) -> None:
        self.result = result
        self.took_effect = {**self.took_effect, result.measure_id: result.took_effect_on}

    @event(Adopted)
    def _adopted(self, on: date) -> None:
        self.adopted_on = on

    @event(SustainmentChecked)
    def _sustainment_checked(self, holds: bool | None) -> None:
        self.holds = holds

    @event(Reverted)
    def _reverted(self, on: date) -> None:
        self.reverted_on = on
