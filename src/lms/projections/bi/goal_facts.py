"""How do goals of teams and of the business model go: how long until they are set, checked in on, adjusted, closed?"""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from lms.domain.goal import Goal
from lms.domain.goal_parts import AdjustedField, Level, Status
from lms.projections.base import Connection, Envelope, Projection, on
from lms.projections.bi.goals import SHOWN
from lms.projections.bi.keys import date_key, dated, insert, key_at, local_day, new_version, organisation_key

Closed = Goal.Achieved | Goal.NotAchieved | Goal.Abandoned
CheckedIn = Goal.ProgressCheckedIn | Goal.CheckInCorrected


class GoalFacts(Projection):
    """``dim_key_result``, ``fact_checkin`` and ``fact_goal_lifecycle``; nothing of a person's own goal."""

    NAME = "bi_goal_facts"

    @on(Goal.Proposed)
    async def _proposed(self, connection: Connection, envelope: Envelope, event: Goal.Proposed) -> None:
        if event.level is Level.INDIVIDUAL:
            return
        day = await local_day(connection, envelope)
        organisation = await organisation_key(connection, envelope.organisation_id)
        await dated(connection, organisation, [day])
        await insert(
            connection,
            "fact_goal_lifecycle",
            goal_key=envelope.position,
            organisation_key=organisation,
            goal_id=envelope.stream_id,
            proposed_date_key=date_key(day),
            adjustments_n=0,
        )
        await insert(
            connection,
            "work_goal_fact",
            goal_id=envelope.stream_id,
            visibility=event.visibility,
            proposed_at=envelope.effective_at,
        )

    @on(Goal.Set)
    async def _set(self, connection: Connection, envelope: Envelope, event: Goal.Set) -> None:
        proposed_at = await connection.fetchval(
            "SELECT proposed_at FROM work_goal_fact WHERE goal_id = $1", envelope.stream_id
        )
        if proposed_at is None:
            return
        hours = max(0.0, (envelope.effective_at - proposed_at).total_seconds() / 3600)
        await _update(
            connection,
            envelope,
            [event.on],
            set_date_key=date_key(event.on),
            how=event.how,
            participants_n=event.participants_n,
            hours_to_set=hours,
        )

    @on(Goal.Achieved, Goal.NotAchieved, Goal.Abandoned)
    async def _closed(self, connection: Connection, envelope: Envelope, event: Closed) -> None:
        result = {
            Goal.Achieved.TOPIC: Status.ACHIEVED,
            Goal.NotAchieved.TOPIC: Status.NOT_ACHIEVED,
            Goal.Abandoned.TOPIC: Status.ABANDONED,
        }[event.TOPIC]
        await _update(connection, envelope, [event.on], closed_date_key=date_key(event.on), result=result)
        await connection.execute(
            """UPDATE fact_goal_lifecycle AS f SET days_open = (closed.day - begun.day)
               FROM dim_date AS closed, dim_date AS begun WHERE f.goal_id = $1
                   AND (closed.organisation_key, closed.date_key) = (f.organisation_key, f.closed_date_key)
                   AND (begun.organisation_key, begun.date_key)
                       = (f.organisation_key, coalesce(f.set_date_key, f.proposed_date_key))""",
            envelope.stream_id,
        )

    @on(Goal.KeyResultDefined)
    async def _key_result(self, connection: Connection, envelope: Envelope, event: Goal.KeyResultDefined) -> None:
        visibility = await _visibility(connection, envelope.stream_id)
        if visibility is None:
            return
        defined = event.key_result
        shown = isinstance(defined.title, str) and visibility in SHOWN
        await insert(
            connection,
            "dim_key_result",
            key_result_key=envelope.position,
            organisation_key=await organisation_key(connection, envelope.organisation_id),
            key_result_id=defined.key_result_id,
            goal_id=envelope.stream_id,
            title=defined.title if shown else None,
            kind=defined.kind,
            unit=defined.unit,
            direction=defined.direction,
            baseline=_number(defined.baseline.value if defined.baseline else None),
            target=float(defined.target),
            stretch=_number(defined.stretch),
            due_on=defined.due_on,
            weight=float(defined.weight),
            valid_from=await local_day(connection, envelope),
            is_current=True,
        )

    @on(Goal.Adjusted)
    async def _adjusted(self, connection: Connection, envelope: Envelope, event: Goal.Adjusted) -> None:
        if await _visibility(connection, envelope.stream_id) is None:
            return
        await _first(connection, envelope, "first_adjustment_date_key", event.on)
        await connection.execute(
            "UPDATE fact_goal_lifecycle SET adjustments_n = adjustments_n + 1 WHERE goal_id = $1", envelope.stream_id
        )
        if event.key_result_id is None:
            return
        changes: dict[str, Any] = {}
        if event.field is AdjustedField.TARGET and event.to.number is not None:
            changes["target"] = float(event.to.number)
        elif event.field is AdjustedField.DUE_ON:
            changes["due_on"] = event.to.day
        if changes:
            await new_version(connection, "dim_key_result", event.key_result_id, envelope.position, event.on, **changes)

    @on(Goal.VisibilityChanged)
    async def _shown(self, connection: Connection, envelope: Envelope, event: Goal.VisibilityChanged) -> None:
        await connection.execute(
            "UPDATE work_goal_fact SET visibility = $2 WHERE goal_id = $1", envelope.stream_id, event.visibility
        )
        if event.visibility not in SHOWN:
            await connection.execute("UPDATE dim_key_result SET title = NULL WHERE goal_id = $1", envelope.stream_id)

    @on(Goal.ProgressCheckedIn, Goal.CheckInCorrected)
    async def _checked_in(self, connection: Connection, envelope: Envelope, event: CheckedIn) -> None:
        if await _visibility(connection, envelope.stream_id) is None:
            return
        at = envelope.position
        organisation = await organisation_key(connection, envelope.organisation_id)
        recorded = envelope.recorded_at.date()
        await dated(connection, organisation, [event.observed_on, recorded])
        await insert(
            connection,
            "fact_checkin",
            checkin_key=at,
            organisation_key=organisation,
            check_in_id=event.check_in_id,
            goal_key=await key_at(connection, "dim_goal", envelope.stream_id, at),
            key_result_key=await key_at(connection, "dim_key_result", event.key_result_id, at),
            value=_number(event.value),
            confidence=event.confidence,
            observed_date_key=date_key(event.observed_on),
            recorded_date_key=date_key(recorded),
            is_correction=isinstance(event, Goal.CheckInCorrected),
        )
        await _first(connection, envelope, "first_checkin_date_key", event.observed_on)


async def _visibility(connection: Connection, goal_id: UUID) -> str | None:
    """To whom a goal of a team or the business model is shown; None for a person's own."""
    found: str | None = await connection.fetchval("SELECT visibility FROM work_goal_fact WHERE goal_id = $1", goal_id)
    return found


async def _first(connection: Connection, envelope: Envelope, column: str, day: date) -> None:
    await dated(connection, await organisation_key(connection, envelope.organisation_id), [day])
    await connection.execute(
        f"UPDATE fact_goal_lifecycle SET {column} = least({column}, $2) WHERE goal_id = $1",
        envelope.stream_id,
        date_key(day),
    )


async def _update(connection: Connection, envelope: Envelope, days: list[date], **changes: Any) -> None:
    """Set columns of the goal's row, if it has one; ``days`` get their place in ``dim_date``."""
    await dated(connection, await organisation_key(connection, envelope.organisation_id), days)
    assignments = "".join(f", {name} = ${n}" for n, name in enumerate(changes, 2))
    await connection.execute(
        f"UPDATE fact_goal_lifecycle SET goal_id = $1{assignments} WHERE goal_id = $1",
        envelope.stream_id,
        *changes.values(),
    )


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
