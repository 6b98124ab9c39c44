"""How do events become the facts that the line of sight rests on?"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import msgspec

from lms.domain.calendar import Calendar
from lms.domain.contribution import Contribution, Standing
from lms.domain.goal import Goal
from lms.domain.goal_parts import AdjustedField, Status
from lms.domain.improvement import Improvement
from lms.domain.link import Link
from lms.domain.outcome_metric import OutcomeMetric
from lms.domain.process import Process
from lms.domain.support import Evidence, Stance
from lms.projections import graph_rows as rows
from lms.projections.base import Connection, Envelope, Touch, Touches, on
from lms.projections.crowds import publish
from lms.projections.graph_people import PeopleAndLearning

Counted = TypeVar("Counted", rows.SupportRow, rows.ContributionRow)


class Graph(PeopleAndLearning):
    """The tables of the graph, kept up to date event by event; figures about people only when periods close."""

    TABLES = (
        rows.ORGANISATIONS,
        rows.TEAMS,
        rows.PEOPLE,
        rows.STINTS,
        rows.CYCLES,
        rows.COMPETENCIES,
        rows.LEARNING,
        rows.TEAM_LEARNING,
        rows.ATTESTATIONS,
        rows.GOALS,
        rows.ALIGNMENTS,
        rows.PROCESSES,
        rows.MEASURES,
        rows.OUTCOME_LINKS,
        rows.SUPPORT,
        rows.METRICS,
        rows.IMPROVEMENTS,
        rows.CONTRIBUTIONS,
    )

    @classmethod
    def ddl(cls, schema: str) -> str:  # noqa: ARG003 - the same in every schema
        """The tables of the graph."""
        return Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")

    @on(Goal.Proposed)
    def _goal(self, envelope: Envelope, event: Goal.Proposed) -> Touches:
        yield rows.GOALS.put(
            rows.GoalRow(
                goal_id=envelope.stream_id,
                organisation_id=envelope.organisation_id,
                level=event.level,
                title=event.title,
                owner_contributor_id=event.owner.contributor_id,
                owner_team_id=event.owner.team_id,
                visibility=event.visibility,
                shown_to_team=event.owner.team_id or event.home_team_id,
                status=Status.PROPOSED,
                process_id=event.purpose.process_id,
                outcome_metric_id=event.purpose.outcome_metric_id,
            )
        )

    @on(Goal.Set, Goal.Achieved, Goal.NotAchieved, Goal.Abandoned)
    def _goal_status(
        self, envelope: Envelope, event: Goal.Set | Goal.Achieved | Goal.NotAchieved | Goal.Abandoned
    ) -> Touches:
        status = {
            Goal.Set.TOPIC: Status.ACTIVE,
            Goal.Achieved.TOPIC: Status.ACHIEVED,
            Goal.NotAchieved.TOPIC: Status.NOT_ACHIEVED,
            Goal.Abandoned.TOPIC: Status.ABANDONED,
        }[event.TOPIC]
        yield rows.GOALS.change(envelope.stream_id, status=status)

    @on(Goal.Adjusted)
    def _goal_adjusted(self, envelope: Envelope, event: Goal.Adjusted) -> Touches:
        if event.field is AdjustedField.TITLE and event.to.text is not None:
            yield rows.GOALS.change(envelope.stream_id, title=event.to.text)

    @on(Goal.VisibilityChanged)
    def _goal_visibility(self, envelope: Envelope, event: Goal.VisibilityChanged) -> Touches:
        def show(row: rows.GoalRow | None) -> rows.GoalRow | None:
            team = row and (row.owner_team_id or event.home_team_id)
            return row and msgspec.structs.replace(row, visibility=event.visibility, shown_to_team=team)

        yield rows.GOALS.touch(envelope.stream_id, show)

    @on(Goal.ProgressCheckedIn)
    def _checked_in(self, envelope: Envelope, event: Goal.ProgressCheckedIn) -> Touches:
        def note(row: rows.GoalRow | None) -> rows.GoalRow | None:
            latest = max(row.checked_in_on or event.observed_on, event.observed_on) if row else None
            return row and msgspec.structs.replace(row, checked_in_on=latest)

        yield rows.GOALS.touch(envelope.stream_id, note)

    @on(Goal.Aligned)
    def _aligned(self, envelope: Envelope, event: Goal.Aligned) -> Touches:
        link = event.alignment
        yield rows.ALIGNMENTS.put(
            rows.AlignmentRow(
                link_id=link.link_id,
                organisation_id=envelope.organisation_id,
                goal_id=envelope.stream_id,
                to_goal_id=link.to_goal_id,
                to_outcome_metric_id=link.to_outcome_metric_id,
                link_type=link.link_type,
                weight=link.weight,
                expected_lag_days=link.expected_lag_days,
            )
        )

    @on(Goal.Unaligned)
    def _unaligned(self, envelope: Envelope, event: Goal.Unaligned) -> Touches:  # noqa: ARG002 - a handler's form
        yield rows.ALIGNMENTS.delete(event.link_id)

    @on(Process.Registered)
    def _process(self, envelope: Envelope, event: Process.Registered) -> Touches:
        yield rows.PROCESSES.put(
            rows.ProcessRow(
                process_id=envelope.stream_id,
                organisation_id=envelope.organisation_id,
                name=event.name,
                owner_team_id=event.owner_team_id,
            )
        )

    @on(Process.MeasureDefined)
    def _measure(self, envelope: Envelope, event: Process.MeasureDefined) -> Touches:
        measure = event.measure
        yield rows.MEASURES.put(
            rows.MeasureRow(
                measure_id=measure.measure_id,
                organisation_id=envelope.organisation_id,
                process_id=envelope.stream_id,
                name=measure.name,
                unit=measure.unit,
                direction=measure.direction,
            )
        )

    @on(Process.OutcomeLinked)
    def _outcome_linked(self, envelope: Envelope, event: Process.OutcomeLinked) -> Touches:
        link = event.link
        yield rows.OUTCOME_LINKS.put(
            rows.OutcomeLinkRow(
                link_id=link.link_id,
                organisation_id=envelope.organisation_id,
                measure_id=link.measure_id,
                outcome_metric_id=link.outcome_metric_id,
                expected_lag_days=link.expected_lag_days,
            )
        )

    @on(Process.OutcomeUnlinked)
    def _outcome_unlinked(self, envelope: Envelope, event: Process.OutcomeUnlinked) -> Touches:  # noqa: ARG002
        yield rows.OUTCOME_LINKS.delete(event.link_id)

    @on(Link.EvidenceAttached)
    def _link_evidence(self, envelope: Envelope, event: Link.EvidenceAttached) -> Touches:
        blank = rows.SupportRow(link_id=event.link_id, organisation_id=envelope.organisation_id)
        yield rows.SUPPORT.touch(event.link_id, lambda row: _weighed(row or blank, event.evidence))

    @on(Link.AlternativeRecorded)
    def _link_alternative(self, envelope: Envelope, event: Link.AlternativeRecorded) -> Touches:
        blank = rows.SupportRow(link_id=event.link_id, organisation_id=envelope.organisation_id)
        yield rows.SUPPORT.touch(event.link_id, lambda row: _one_alternative_more(row or blank))

    @on(OutcomeMetric.Defined)
    def _metric(self, envelope: Envelope, event: OutcomeMetric.Defined) -> Touches:
        yield rows.METRICS.put(
            rows.MetricRow(
                outcome_metric_id=envelope.stream_id,
                organisation_id=envelope.organisation_id,
                name=event.name,
                unit=event.unit,
            )
        )

    @on(Improvement.Opened)
    async def _improvement(self, connection: Connection, envelope: Envelope, event: Improvement.Opened) -> None:
        if event.target_condition:
            measures = [event.target_condition.measure_id]
        else:
            of_process = await rows.MEASURES.select(
                connection, "WHERE process_id = $1 ORDER BY measure_id", event.process_id
            )
            measures = [one.measure_id for one in of_process]
        opened = rows.ImprovementRow(
            improvement_id=envelope.stream_id,
            organisation_id=envelope.organisation_id,
            process_id=event.process_id,
            team_id=event.team_id,
            problem=event.problem,
            opened_on=event.on,
            goal_id=event.goal_id,
            need_ids=event.need_ids,
            competencies=event.competencies,
            measure_ids=tuple(measures),
        )
        await rows.IMPROVEMENTS.save(connection, [opened])

    @on(Improvement.ExperimentReviewed)
    def _reviewed(self, envelope: Envelope, event: Improvement.ExperimentReviewed) -> Touches:
        def review(row: rows.ImprovementRow) -> rows.ImprovementRow:
            used = tuple(one for one in event.review.competencies_used if one not in row.competencies)
            competencies = (*row.competencies, *used)
            return msgspec.structs.replace(row, reviews=(*row.reviews, event.review), competencies=competencies)

        yield _on_improvement(envelope.stream_id, review)

    @on(Improvement.UseConfirmed)
    def _use_confirmed(self, envelope: Envelope, event: Improvement.UseConfirmed) -> Touches:
        def confirm(row: rows.ImprovementRow) -> rows.ImprovementRow:
            reviews = tuple(
                msgspec.structs.replace(one, confirmed_by=event.confirmed_by)
                if one.experiment_id == event.experiment_id
                else one
                for one in row.reviews
            )
            return msgspec.structs.replace(row, reviews=reviews)

        yield _on_improvement(envelope.stream_id, confirm)

    @on(Improvement.ResultRecorded)
    def _result(self, envelope: Envelope, event: Improvement.ResultRecorded) -> Touches:
        def record(row: rows.ImprovementRow) -> rows.ImprovementRow:
            results = (*(one for one in row.results if one.measure_id != event.result.measure_id), event.result)
            return msgspec.structs.replace(
                row,
                results=results,
                measure_ids=tuple(one.measure_id for one in results),
                used_on=min(one.after.start for one in results),
            )

        yield _on_improvement(envelope.stream_id, record)

    @on(Improvement.Reverted)
    def _reverted(self, envelope: Envelope, event: Improvement.Reverted) -> Touches:  # noqa: ARG002 - a handler's form
        yield rows.IMPROVEMENTS.change(envelope.stream_id, reverted=True)

    @on(Contribution.Stated)
    def _contribution(self, envelope: Envelope, event: Contribution.Stated) -> Touches:
        yield rows.CONTRIBUTIONS.put(
            rows.ContributionRow(
                contribution_id=envelope.stream_id,
                organisation_id=envelope.organisation_id,
                cause_kind=event.cause.kind,
                cause_id=event.cause.id,
                outcome_metric_id=event.moved.outcome_metric_id,
                measure_id=event.moved.measure_id,
                standing=Standing.STATED,
                change=event.change,
            )
        )

    @on(Contribution.EvidenceAttached)
    def _contribution_evidence(self, envelope: Envelope, event: Contribution.EvidenceAttached) -> Touches:
        yield rows.CONTRIBUTIONS.touch(envelope.stream_id, lambda row: row and _weighed(row, event.evidence))

    @on(Contribution.AlternativeRecorded)
    def _contribution_alternative(self, envelope: Envelope, event: Contribution.AlternativeRecorded) -> Touches:  # noqa: ARG002
        yield rows.CONTRIBUTIONS.touch(envelope.stream_id, lambda row: row and _one_alternative_more(row))

    @on(Contribution.Accepted, Contribution.Rejected, Contribution.Withdrawn)
    def _contribution_settled(
        self, envelope: Envelope, event: Contribution.Accepted | Contribution.Rejected | Contribution.Withdrawn
    ) -> Touches:
        standing = {
            Contribution.Accepted.TOPIC: Standing.ACCEPTED,
            Contribution.Rejected.TOPIC: Standing.REJECTED,
            Contribution.Withdrawn.TOPIC: Standing.WITHDRAWN,
        }[event.TOPIC]
        yield rows.CONTRIBUTIONS.change(envelope.stream_id, standing=standing)

    @on(Calendar.PeriodClosed)
    async def _period_closed(self, connection: Connection, envelope: Envelope, event: Calendar.PeriodClosed) -> None:
        await publish(connection, envelope.organisation_id, event, envelope.position)


def _on_improvement(improvement_id: UUID, change: Callable[[rows.ImprovementRow], rows.ImprovementRow]) -> Touch:
    def changed(row: rows.ImprovementRow | None) -> rows.ImprovementRow | None:
        return row and change(row)

    return rows.IMPROVEMENTS.touch(improvement_id, changed)


def _weighed(row: Counted, evidence: Evidence) -> Counted:
    if evidence.stance is Stance.SUPPORTS:
        return msgspec.structs.replace(row, supports_n=row.supports_n + 1)
    return msgspec.structs.replace(row, weakens_n=row.weakens_n + 1)


def _one_alternative_more(row: Counted) -> Counted:
    return msgspec.structs.replace(row, alternatives_n=row.alternatives_n + 1)
