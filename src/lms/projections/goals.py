"""How does each goal stand, and which of them may a reader see?"""

from collections.abc import Callable, Collection, Iterable
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from lms.domain.base import Actor
from lms.domain.commitment import Commitment
from lms.domain.goal import Goal
from lms.domain.goal_cycle import GoalCycle
from lms.domain.goal_parts import AdjustedField, Level, Status
from lms.domain.measurement import Measurement
from lms.domain.outcome_metric import OutcomeMetric
from lms.domain.process import Process
from lms.domain.terms import Direction, Summary
from lms.projections.base import Connection, Envelope, Projection, Touch, Touches, on
from lms.projections.goal_rows import (
    CADENCES,
    CHECK_INS,
    ENDS,
    FEEDS,
    GOALS,
    INVITED,
    KEY_RESULTS,
    LINKS,
    MEASURED,
    After,
    CadenceRow,
    CheckInRow,
    Due,
    FeedRow,
    GoalRow,
    InvitedRow,
    KeyResultRow,
    Latest,
    LinkRow,
    MeasuredRow,
    adjusting,
    showing,
)
from lms.projections.goal_sight import eyes, shown

_EVERY_DAYS = 7
"""The cadence of a goal without a cycle."""

_SHOWN = shown("g", INVITED.name, 2)

_ONE = f"AS g WHERE g.organisation_id = $1 AND {_SHOWN} AND g.goal_id = ANY($7::uuid[])"

_LIST = f"""AS g WHERE g.organisation_id = $1 AND {_SHOWN}
    AND ($7::text IS NULL OR g.level = $7)
    AND ($8::text IS NULL OR g.status = $8)
    AND ($9::uuid IS NULL OR g.cycle_id = $9)
    AND ($10::uuid IS NULL OR g.owner_team_id = $10)
    AND ($11::bigint IS NULL OR g.position < $11)
    ORDER BY g.position DESC LIMIT $12"""

_MINE = """AS g WHERE g.organisation_id = $1
    AND (g.owner_contributor_id = $2 OR g.goal_id = ANY($3::uuid[]))
    AND ($4::bigint IS NULL OR g.position < $4)
    ORDER BY g.position DESC LIMIT $5"""

_LATEST = f"""
SELECT k.goal_id, k.key_result, k.feed, reported.value, reported.observed_on,
    measured.value AS measured, measured.ends_on AS measured_on, sure.confidence
FROM {KEY_RESULTS.name} AS k
LEFT JOIN LATERAL (
    SELECT c.value, c.observed_on FROM {CHECK_INS.name} AS c
    WHERE k.feed IS NULL AND c.key_result_id = k.key_result_id AND c.value IS NOT NULL
    ORDER BY c.observed_on DESC, c.position DESC LIMIT 1
) AS reported ON true
LEFT JOIN LATERAL (
    SELECT m.value, m.ends_on FROM {MEASURED.name} AS m
    WHERE m.feed = k.feed AND m.organisation_id = k.organisation_id
    ORDER BY m.ends_on DESC, m.position DESC LIMIT 1
) AS measured ON true
LEFT JOIN LATERAL (
    SELECT c.confidence FROM {CHECK_INS.name} AS c
    WHERE c.key_result_id = k.key_result_id AND c.confidence IS NOT NULL
    ORDER BY c.observed_on DESC, c.position DESC LIMIT 1
) AS sure ON true
WHERE k.goal_id = ANY($1::uuid[])
ORDER BY k.goal_id, k.position
"""

_DUE = f"""
SELECT g.goal_id, k.key_result_id, g.title, k.key_result, due_on
FROM {GOALS.name} AS g
JOIN {KEY_RESULTS.name} AS k ON k.goal_id = g.goal_id AND k.feed IS NULL
LEFT JOIN {CADENCES.name} AS c ON c.cycle_id = g.cycle_id
CROSS JOIN LATERAL (
    SELECT coalesce(max(i.observed_on), g.set_on) + coalesce(c.every_days, {_EVERY_DAYS})::int AS due_on
    FROM {CHECK_INS.name} AS i WHERE i.key_result_id = k.key_result_id
) AS d
WHERE g.organisation_id = $1 AND g.status = 'active'
    AND (g.owner_contributor_id = $2 OR g.owner_team_id = ANY($3::uuid[]) OR g.level = 'business-model' AND $4)
    AND due_on <= $5::date AND ($7::date IS NULL OR (due_on, k.key_result_id) > ($7, $8::uuid))
ORDER BY due_on, k.key_result_id LIMIT $6
"""


class Goals(Projection):
    """Goals, key results with their values, check-ins, links."""

    NAME = "goals"
    VERSION = 1
    TABLES = (GOALS, KEY_RESULTS, CHECK_INS, FEEDS, MEASURED, LINKS, INVITED, CADENCES)

    @on(Goal.Proposed)
    def _proposed(self, envelope: Envelope, event: Goal.Proposed) -> Touches:
        yield GOALS.put(
            GoalRow(
                goal_id=envelope.stream_id,
                organisation_id=envelope.organisation_id,
                position=envelope.position,
                version=envelope.version,
                level=event.level,
                title=event.title,
                statement=event.purpose.statement,
                outcome_metric_id=event.purpose.outcome_metric_id,
                process_id=event.purpose.process_id,
                owner_contributor_id=event.owner.contributor_id,
                owner_team_id=event.owner.team_id,
                proposer=event.proposer,
                cycle_id=event.cycle_id,
                origin=event.origin,
                visibility=event.visibility,
                shown_to_team=event.owner.team_id or event.home_team_id,
                status=Status.PROPOSED,
                set_on=None,
                closed_on=None,
            )
        )

    @on(Goal.KeyResultDefined)
    def _key_result_defined(self, envelope: Envelope, event: Goal.KeyResultDefined) -> Touches:
        yield GOALS.change(envelope.stream_id, version=envelope.version)
        key_result = event.key_result
        yield KEY_RESULTS.put(
            KeyResultRow(
                key_result_id=key_result.key_result_id,
                organisation_id=envelope.organisation_id,
                goal_id=envelope.stream_id,
                position=envelope.position,
                feed=key_result.metric_id or key_result.measure_id,
                key_result=key_result,
            )
        )

    @on(Goal.Set)
    def _set(self, envelope: Envelope, event: Goal.Set) -> Touches:
        yield GOALS.change(envelope.stream_id, version=envelope.version, status=Status.ACTIVE, set_on=event.on)

    @on(Goal.Aligned)
    def _aligned(self, envelope: Envelope, event: Goal.Aligned) -> Touches:
        yield GOALS.change(envelope.stream_id, version=envelope.version)
        link = event.alignment
        yield LINKS.put(
            LinkRow(
                link_id=link.link_id,
                organisation_id=envelope.organisation_id,
                goal_id=envelope.stream_id,
                position=envelope.position,
                to_goal_id=link.to_goal_id,
                to_key_result_id=link.to_key_result_id,
                to_outcome_metric_id=link.to_outcome_metric_id,
                link_type=link.link_type,
                weight=link.weight,
                hypothesis=link.hypothesis,
                expected_lag_days=link.expected_lag_days,
            )
        )

    @on(Goal.Unaligned)
    def _unaligned(self, envelope: Envelope, event: Goal.Unaligned) -> Touches:
        yield GOALS.change(envelope.stream_id, version=envelope.version)
        yield LINKS.delete(event.link_id)

    @on(Goal.ProgressCheckedIn)
    def _progress_checked_in(self, envelope: Envelope, event: Goal.ProgressCheckedIn) -> Touches:
        yield GOALS.change(envelope.stream_id, version=envelope.version)
        yield CHECK_INS.put(_check_in(envelope, event))

    @on(Goal.CheckInCorrected)
    def _check_in_corrected(self, envelope: Envelope, event: Goal.CheckInCorrected) -> Touches:
        yield GOALS.change(envelope.stream_id, version=envelope.version)
        yield CHECK_INS.touch(event.check_in_id, _keeping_position(_check_in(envelope, event)))

    @on(Goal.Adjusted)
    def _adjusted(self, envelope: Envelope, event: Goal.Adjusted) -> Touches:
        changes: dict[str, Any] = {"version": envelope.version}
        match event.field:
            case AdjustedField.TITLE:
                changes["title"] = event.to.text
            case AdjustedField.PURPOSE:
                changes["statement"] = event.to.text
            case AdjustedField.TARGET | AdjustedField.DUE_ON:
                yield KEY_RESULTS.touch(event.key_result_id, adjusting(event))
        yield GOALS.change(envelope.stream_id, **changes)

    @on(Goal.Achieved, Goal.NotAchieved, Goal.Abandoned)
    def _closed(self, envelope: Envelope, event: Goal.Achieved | Goal.NotAchieved | Goal.Abandoned) -> Touches:
        status = ENDS[event.TOPIC]
        yield GOALS.change(envelope.stream_id, version=envelope.version, status=status, closed_on=event.on)

    @on(Goal.ReflectedOn)
    def _reflected_on(self, envelope: Envelope, event: Goal.ReflectedOn) -> Touches:  # noqa: ARG002 - only the version moves
        yield GOALS.change(envelope.stream_id, version=envelope.version)

    @on(Goal.VisibilityChanged)
    def _visibility_changed(self, envelope: Envelope, event: Goal.VisibilityChanged) -> Touches:
        yield GOALS.touch(envelope.stream_id, showing(envelope.version, event))

    @on(Commitment.Invited, Commitment.Made)
    def _invited(self, envelope: Envelope, event: Commitment.Invited | Commitment.Made) -> Touches:  # noqa: ARG002
        yield INVITED.put(InvitedRow(goal_id=event.goal_id, contributor_id=event.contributor_id))

    @on(Commitment.Released)
    def _released(self, envelope: Envelope, event: Commitment.Released) -> Touches:  # noqa: ARG002
        yield INVITED.delete((event.goal_id, event.contributor_id))

    @on(GoalCycle.Opened)
    def _cycle_opened(self, envelope: Envelope, event: GoalCycle.Opened) -> Touches:
        yield CADENCES.put(CadenceRow(cycle_id=envelope.stream_id, every_days=event.check_in_every_days))

    @on(OutcomeMetric.Defined)
    def _metric_defined(self, envelope: Envelope, event: OutcomeMetric.Defined) -> Touches:
        yield _feed(envelope, envelope.stream_id, event.unit, event.direction)

    @on(Process.MeasureDefined)
    def _measure_defined(self, envelope: Envelope, event: Process.MeasureDefined) -> Touches:
        yield _feed(envelope, event.measure.measure_id, event.measure.unit, event.measure.direction)

    @on(Measurement.ProcessMeasured, Measurement.ProcessRevised)
    def _process_measured(
        self, envelope: Envelope, event: Measurement.ProcessMeasured | Measurement.ProcessRevised
    ) -> Touches:
        yield from _measured(envelope, event.measure_id, event.summary)

    @on(Measurement.OutcomeMeasured, Measurement.OutcomeRevised)
    def _outcome_measured(
        self, envelope: Envelope, event: Measurement.OutcomeMeasured | Measurement.OutcomeRevised
    ) -> Touches:
        if event.segment is None:
            yield from _measured(envelope, event.metric_id, event.summary)

    async def find(
        self, connection: Connection, organisation_id: UUID, reader: Actor, goal_ids: Collection[UUID]
    ) -> dict[UUID, GoalRow]:
        """Those of the goals that the reader may see."""
        rows = await GOALS.select(connection, _ONE, organisation_id, *eyes(reader), list(goal_ids))
        return {row.goal_id: row for row in rows}

    async def page(
        self,
        connection: Connection,
        organisation_id: UUID,
        reader: Actor,
        limit: int,
        before: int | None = None,
        level: Level | None = None,
        status: Status | None = None,
        cycle_id: UUID | None = None,
        team_id: UUID | None = None,
    ) -> list[GoalRow]:
        """The goals that the reader may see, the latest first; ``before`` is the position of the last one seen."""
        filters = (level, status, cycle_id, team_id, before, limit)
        return await GOALS.select(connection, _LIST, organisation_id, *eyes(reader), *filters)

    async def mine(
        self,
        connection: Connection,
        organisation_id: UUID,
        contributor_id: UUID,
        committed: Iterable[UUID],
        limit: int,
        before: int | None = None,
    ) -> list[GoalRow]:
        """A person's own goals and those he committed to, the latest first."""
        return await GOALS.select(connection, _MINE, organisation_id, contributor_id, list(committed), before, limit)

    async def standings(self, connection: Connection, goal_ids: Collection[UUID]) -> dict[UUID, list[Latest]]:
        """The key results of each goal with the value that counts: reported, or measured where measurements feed it."""
        found: dict[UUID, list[Latest]] = {goal_id: [] for goal_id in goal_ids}
        for record in await connection.fetch(_LATEST, list(goal_ids)):
            fed = record["feed"] is not None
            found[record["goal_id"]].append(
                Latest(
                    goal_id=record["goal_id"],
                    key_result=_key_result(record["key_result"]),
                    value=record["measured"] if fed else record["value"],
                    observed_on=record["measured_on"] if fed else record["observed_on"],
                    confidence=record["confidence"],
                )
            )
        return found

    async def links(self, connection: Connection, goal_id: UUID) -> list[LinkRow]:
        """The standing links of a goal in the order they were made."""
        return await LINKS.select(connection, "WHERE goal_id = $1 ORDER BY position, link_id", goal_id)

    async def check_ins(self, connection: Connection, goal_id: UUID, limit: int) -> list[CheckInRow]:
        """The latest check-ins of a goal."""
        return await CHECK_INS.select(
            connection, "WHERE goal_id = $1 ORDER BY observed_on DESC, position DESC LIMIT $2", goal_id, limit
        )

    async def check_in(self, connection: Connection, organisation_id: UUID, check_in_id: UUID) -> CheckInRow | None:
        """One check-in."""
        return await CHECK_INS.get(connection, organisation_id, check_in_id)

    async def goal_of_key_result(
        self, connection: Connection, organisation_id: UUID, key_result_id: UUID
    ) -> UUID | None:
        """The goal that a key result belongs to."""
        row = await KEY_RESULTS.get(connection, organisation_id, key_result_id)
        return row.goal_id if row else None

    async def feed(self, connection: Connection, organisation_id: UUID, feed: UUID) -> FeedRow | None:
        """Unit and direction of an outcome metric or process measure."""
        return await FEEDS.get(connection, organisation_id, feed)

    async def measurements_of(
        self, connection: Connection, organisation_id: UUID, feed: UUID, until: date
    ) -> list[UUID]:
        """The last measurements of a metric or measure that ended by a day."""
        rows = await MEASURED.select(
            connection,
            "WHERE organisation_id = $1 AND feed = $2 AND ends_on <= $3 ORDER BY ends_on DESC, position DESC LIMIT 20",
            organisation_id,
            feed,
            until,
        )
        return [row.measurement_id for row in rows]

    async def due(
        self, connection: Connection, organisation_id: UUID, reader: Actor, today: date, limit: int, after: After = None
    ) -> list[Due]:
        """Key results that want a check-in of the person, longest due first; ``after``: day and id of the last seen."""
        me, _, leads, renews, _ = eyes(reader)
        last = after or (None, None)
        records = await connection.fetch(_DUE, organisation_id, me, leads, renews, today, limit, *last)
        title = GOALS.columns["title"].decode
        return [
            Due(
                goal_id=record["goal_id"],
                key_result_id=record["key_result_id"],
                goal_title=title(record["title"]) if title else record["title"],
                title=_key_result(record["key_result"]).title,
                due_on=record["due_on"],
            )
            for record in records
        ]


_key_result = msgspec.json.Decoder(KeyResultRow.__annotations__["key_result"]).decode


def _check_in(envelope: Envelope, event: Goal.ProgressCheckedIn | Goal.CheckInCorrected) -> CheckInRow:
    return CheckInRow(
        check_in_id=event.check_in_id,
        organisation_id=envelope.organisation_id,
        goal_id=envelope.stream_id,
        key_result_id=event.key_result_id,
        position=envelope.position,
        value=event.value,
        observed_on=event.observed_on,
        confidence=event.confidence,
        narrative=event.narrative,
        blockers=event.blockers,
    )


def _feed(envelope: Envelope, feed: UUID, unit: str, direction: Direction) -> Touch:
    row = FeedRow(feed=feed, organisation_id=envelope.organisation_id, unit=unit, direction=direction)
    return FEEDS.put(row)


def _measured(envelope: Envelope, feed: UUID, summary: Summary) -> Touches:
    row = MeasuredRow(
        measurement_id=envelope.stream_id,
        organisation_id=envelope.organisation_id,
        feed=feed,
        position=envelope.position,
        value=summary.value,
        ends_on=summary.end,
    )
    yield MEASURED.touch(envelope.stream_id, _keeping_position(row))


def _keeping_position(row: Any) -> Callable[[Any], Any]:
    """The row in the place of what it corrects: what was said later still counts as later."""
    return lambda before: row if before is None else msgspec.structs.replace(row, position=before.position)
