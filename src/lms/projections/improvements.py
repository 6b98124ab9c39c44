"""What is being improved, what was tried, and what came of it?"""

import asyncio
from collections.abc import Callable, Collection
from datetime import date, datetime
from uuid import UUID

import msgspec

from lms.domain.base import Personal
from lms.domain.effect import Effect
from lms.domain.improvement import Improvement
from lms.domain.improvement_parts import ObstacleState, Plan, Result, Review, Run, TargetCondition, Window
from lms.domain.process import Process
from lms.domain.terms import Direction, Summary
from lms.inference.effects import recomputed
from lms.inference.grades import grade_of_result, may_say
from lms.projections.base import Connection, Envelope, Projection, Touch, Touches, on
from lms.projections.table import Table


class Obstacle(msgspec.Struct, frozen=True, kw_only=True):
    """Something in the way, and what was last seen of it."""

    obstacle_id: UUID
    text: Personal
    state: ObstacleState = ObstacleState.NAMED
    note: Personal | None = None


class Experiment(msgspec.Struct, frozen=True, kw_only=True):
    """A plan, and how far it came."""

    plan: Plan
    run: Run | None = None
    review: Review | None = None


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the gain held after so many days; None where the figures are too few to say."""

    days_after: int
    summary: Summary
    effect: Effect
    holds: bool | None


class ImprovementRow(msgspec.Struct, frozen=True, kw_only=True):
    """One improvement as it stands; the newest result of a measure counts."""

    improvement_id: UUID
    organisation_id: UUID
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
    obstacles: tuple[Obstacle, ...] = ()
    experiments: tuple[Experiment, ...] = ()
    results: tuple[Result, ...] = ()
    adopted_on: date | None = None
    standard_ref: Personal | None = None
    checks: tuple[Check, ...] = ()
    reverted_on: date | None = None
    revert_reason: Personal | None = None
    version: int

    @property
    def took_effect_on(self) -> date | None:
        """The first day on which work ran the new way, by the newest result on each measure; None without any."""
        return min((one.took_effect_on for one in self.results), default=None)


class ConfirmationRow(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody is asked to confirm that a review's competencies were used, and has not said so yet."""

    experiment_id: UUID
    organisation_id: UUID
    improvement_id: UUID
    asked: UUID
    claimed_by: UUID | None
    competencies: tuple[UUID, ...]
    asked_at: datetime


class ImprovedMeasureRow(msgspec.Struct, frozen=True, kw_only=True):
    """A measure as the results need it."""

    measure_id: UUID
    organisation_id: UUID
    name: str
    unit: str
    direction: Direction


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A result with its effect by today's method, its grade, and what may be said of it."""

    result: Result
    measure: str
    unit: str
    effect: Effect
    grade: int
    may_say: str


IMPROVEMENTS = Table("improvements_v1", ImprovementRow, key="improvement_id")
CONFIRMATIONS = Table("improvement_confirmations_v1", ConfirmationRow, key="experiment_id")
MEASURES = Table("improvement_measures_v1", ImprovedMeasureRow, key="measure_id")


class Improvements(Projection):
    """Improvements, with the measures that their results are about and the confirmations that are asked for."""

    NAME = "improvements"
    VERSION = 1
    TABLES = (IMPROVEMENTS, CONFIRMATIONS, MEASURES)

    @on(Process.MeasureDefined)
    def _measure_defined(self, envelope: Envelope, event: Process.MeasureDefined) -> Touches:
        measure = event.measure
        yield MEASURES.put(
            ImprovedMeasureRow(
                measure_id=measure.measure_id,
                organisation_id=envelope.organisation_id,
                name=measure.name,
                unit=measure.unit,
                direction=measure.direction,
            )
        )

    @on(Improvement.Opened)
    def _opened(self, envelope: Envelope, event: Improvement.Opened) -> Touches:
        yield IMPROVEMENTS.put(
            ImprovementRow(
                improvement_id=envelope.stream_id,
                organisation_id=envelope.organisation_id,
                process_id=event.process_id,
                team_id=event.team_id,
                opened_on=event.on,
                problem=event.problem,
                actual_condition=event.actual_condition,
                trigger_period=event.trigger_period,
                target_condition=event.target_condition,
                goal_id=event.goal_id,
                need_ids=event.need_ids,
                competencies=event.competencies,
                version=envelope.version,
            )
        )

    @on(Improvement.ObstacleNamed)
    def _obstacle_named(self, envelope: Envelope, event: Improvement.ObstacleNamed) -> Touches:
        named = Obstacle(obstacle_id=event.obstacle_id, text=event.text)
        yield _changed(envelope, lambda row: msgspec.structs.replace(row, obstacles=(*row.obstacles, named)))

    @on(Improvement.ObstacleEvidenced)
    def _obstacle_evidenced(self, envelope: Envelope, event: Improvement.ObstacleEvidenced) -> Touches:
        yield _settled(envelope, event.obstacle_id, ObstacleState.EVIDENCED, event.note)

    @on(Improvement.ObstacleRuledOut)
    def _obstacle_ruled_out(self, envelope: Envelope, event: Improvement.ObstacleRuledOut) -> Touches:
        yield _settled(envelope, event.obstacle_id, ObstacleState.RULED_OUT, event.note)

    @on(Improvement.ObstacleCleared)
    def _obstacle_cleared(self, envelope: Envelope, event: Improvement.ObstacleCleared) -> Touches:
        yield _settled(envelope, event.obstacle_id, ObstacleState.CLEARED, event.note)

    @on(Improvement.ExperimentPlanned)
    def _planned(self, envelope: Envelope, event: Improvement.ExperimentPlanned) -> Touches:
        planned = Experiment(plan=event.plan)
        yield _changed(envelope, lambda row: msgspec.structs.replace(row, experiments=(*row.experiments, planned)))

    @on(Improvement.ExperimentRun)
    def _run(self, envelope: Envelope, event: Improvement.ExperimentRun) -> Touches:
        run = event.run
        yield _experiment(envelope, event.experiment_id, lambda one: msgspec.structs.replace(one, run=run))

    @on(Improvement.ExperimentReviewed)
    def _reviewed(self, envelope: Envelope, event: Improvement.ExperimentReviewed) -> Touches:
        review = event.review
        yield _experiment(envelope, review.experiment_id, lambda one: msgspec.structs.replace(one, review=review))
        if review.asked is not None:
            yield CONFIRMATIONS.put(
                ConfirmationRow(
                    experiment_id=review.experiment_id,
                    organisation_id=envelope.organisation_id,
                    improvement_id=envelope.stream_id,
                    asked=review.asked,
                    claimed_by=review.claimed_by,
                    competencies=review.competencies_used,
                    asked_at=envelope.effective_at,
                )
            )

    @on(Improvement.UseConfirmed)
    def _use_confirmed(self, envelope: Envelope, event: Improvement.UseConfirmed) -> Touches:
        def confirm(one: Experiment) -> Experiment:
            review = one.review and msgspec.structs.replace(one.review, confirmed_by=event.confirmed_by)
            return msgspec.structs.replace(one, review=review)

        yield _experiment(envelope, event.experiment_id, confirm)
        yield CONFIRMATIONS.delete(event.experiment_id)

    @on(Improvement.ResultRecorded)
    def _result_recorded(self, envelope: Envelope, event: Improvement.ResultRecorded) -> Touches:
        def record(row: ImprovementRow) -> ImprovementRow:
            others = (one for one in row.results if one.measure_id != event.result.measure_id)
            return msgspec.structs.replace(row, results=(*others, event.result))

        yield _changed(envelope, record)

    @on(Improvement.Adopted)
    def _adopted(self, envelope: Envelope, event: Improvement.Adopted) -> Touches:
        yield IMPROVEMENTS.change(
            envelope.stream_id, adopted_on=event.on, standard_ref=event.standard_ref, version=envelope.version
        )

    @on(Improvement.SustainmentChecked)
    def _checked(self, envelope: Envelope, event: Improvement.SustainmentChecked) -> Touches:
        check = Check(days_after=event.days_after, summary=event.summary, effect=event.effect, holds=event.holds)
        yield _changed(envelope, lambda row: msgspec.structs.replace(row, checks=(*row.checks, check)))

    @on(Improvement.Reverted)
    def _reverted(self, envelope: Envelope, event: Improvement.Reverted) -> Touches:
        yield IMPROVEMENTS.change(
            envelope.stream_id, reverted_on=event.on, revert_reason=event.reason, version=envelope.version
        )
        yield CONFIRMATIONS.each(lambda _: None, improvement_id=envelope.stream_id)

    async def improvement(
        self, connection: Connection, organisation_id: UUID, improvement_id: UUID
    ) -> ImprovementRow | None:
        """One improvement."""
        return await IMPROVEMENTS.get(connection, organisation_id, improvement_id)

    async def improvements(
        self,
        connection: Connection,
        organisation_id: UUID,
        limit: int,
        after: UUID | None = None,
        *,
        team_id: UUID | None = None,
        process_id: UUID | None = None,
    ) -> list[ImprovementRow]:
        """The improvements of all, of a team or of a process, by id."""
        return await IMPROVEMENTS.select(
            connection,
            """WHERE organisation_id = $1 AND ($3::uuid IS NULL OR improvement_id > $3)
                   AND ($4::uuid IS NULL OR team_id = $4) AND ($5::uuid IS NULL OR process_id = $5)
               ORDER BY improvement_id LIMIT $2""",
            organisation_id,
            limit,
            after,
            team_id,
            process_id,
        )

    async def took_effect(
        self, connection: Connection, organisation_id: UUID, improvement_ids: Collection[UUID]
    ) -> dict[UUID, date]:
        """From when work ran the new way, of those of the improvements that have a result."""
        rows = await IMPROVEMENTS.load(connection, set(improvement_ids))
        return {
            one.improvement_id: one.took_effect_on
            for one in rows.values()
            if one.organisation_id == organisation_id and one.took_effect_on is not None
        }

    async def to_confirm(
        self,
        connection: Connection,
        organisation_id: UUID,
        asked: UUID,
        time_zone: str,
        limit: int,
        after: tuple[date, UUID] | None = None,
    ) -> list[tuple[ConfirmationRow, str]]:
        """What a person is asked to confirm, with the problem, the oldest first by day and id, beyond ``after``."""
        rows = await CONFIRMATIONS.select(
            connection,
            """WHERE organisation_id = $1 AND asked = $2
                   AND ($5::date IS NULL OR ((asked_at AT TIME ZONE $3)::date, experiment_id) > ($5, $6::uuid))
               ORDER BY (asked_at AT TIME ZONE $3)::date, experiment_id LIMIT $4""",
            organisation_id,
            asked,
            time_zone,
            limit,
            *(after or (None, None)),
        )
        improvements = await IMPROVEMENTS.load(connection, {row.improvement_id for row in rows})
        return [(row, improvements[row.improvement_id].problem) for row in rows]

    async def findings(
        self, connection: Connection, organisation_id: UUID, results: tuple[Result, ...]
    ) -> list[Finding]:
        """Each result with what today's methods find in it and what may be said."""
        measures = await MEASURES.load(connection, {result.measure_id for result in results})
        pairs = [
            (result, measures[result.measure_id])
            for result in results
            if measures[result.measure_id].organisation_id == organisation_id
        ]
        # Beside the event loop: the first one loads scipy.
        return await asyncio.to_thread(lambda: [finding(result, measure) for result, measure in pairs])


def finding(result: Result, measure: ImprovedMeasureRow) -> Finding:
    """A result as it may be told."""
    effect = recomputed(result.design, result.before, result.after, measure.direction, result.comparison, result.effect)
    grade = grade_of_result(msgspec.structs.replace(result, effect=effect))
    return Finding(
        result=result,
        measure=measure.name,
        unit=measure.unit,
        effect=effect,
        grade=grade,
        may_say=may_say(grade, effect.verdict),
    )


def _changed(envelope: Envelope, change: Callable[[ImprovementRow], ImprovementRow]) -> Touch:
    def changed(row: ImprovementRow | None) -> ImprovementRow | None:
        return row and msgspec.structs.replace(change(row), version=envelope.version)

    return IMPROVEMENTS.touch(envelope.stream_id, changed)


def _settled(envelope: Envelope, obstacle_id: UUID, state: ObstacleState, note: Personal | None) -> Touch:
    def settle(row: ImprovementRow) -> ImprovementRow:
        obstacles = tuple(
            msgspec.structs.replace(one, state=state, note=note) if one.obstacle_id == obstacle_id else one
            for one in row.obstacles
        )
        return msgspec.structs.replace(row, obstacles=obstacles)

    return _changed(envelope, settle)


def _experiment(envelope: Envelope, experiment_id: UUID, change: Callable[[Experiment], Experiment]) -> Touch:
    def changed(row: ImprovementRow) -> ImprovementRow:
        experiments = tuple(change(one) if one.plan.experiment_id == experiment_id else one for one in row.experiments)
        return msgspec.structs.replace(row, experiments=experiments)

    return _changed(envelope, changed)
