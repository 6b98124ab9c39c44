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


_TELL = """
    INSERT INTO fact_goal_lifecycle (goal_key, organisation_key, goal_id, proposed_date_key, set_date_key,
        first_checkin_date_key, first_adjustment_date_key, closed_date_key, how, participants_n, hours_to_set,
        days_open, adjustments_n, result)
    SELECT (SELECT min(g.goal_key) FROM dim_goal AS g WHERE g.goal_id = w.goal_id), organisation_key, goal_id,
        proposed_date_key, set_date_key, first_checkin_date_key, first_adjustment_date_key, closed_date_key, how,
        participants_n, hours_to_set, days_open, adjustments_n, result
    FROM work_goal_life AS w
    WHERE goal_id = $1 AND visibility = ANY($2) AND EXISTS (SELECT FROM dim_goal AS g WHERE g.goal_id = w.goal_id)
"""

_SHOW_KEY_RESULTS = """
    INSERT INTO dim_key_result (key_result_key, organisation_key, key_result_id, goal_id, title, kind, unit, direction,
        baseline, target, stretch, due_on, weight, valid_from, is_current)
    SELECT key_result_key, organisation_key, key_result_id, goal_id, title, kind, unit, direction, baseline, target,
        stretch, due_on, weight, $2, true
    FROM work_key_result WHERE goal_id = $1
"""


class GoalFacts(Projection):
    """``dim_key_result``, ``fact_checkin`` and ``fact_goal_lifecycle``.

    Nothing of a person's own goal, and nothing of a goal while it is not shown to the whole organisation. What is told
    of a goal rests on the rows of ``dim_goal``: those may be ahead, so a check-in finds none when its goal was hidden
    since.
    """

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
            "work_goal_life",
            goal_id=envelope.stream_id,
            organisation_key=organisation,
            visibility=event.visibility,
            proposed_at=envelope.effective_at,
            proposed_date_key=date_key(day),
            adjustments_n=0,
        )
        await _tell(connection, envelope.stream_id)

    @on(Goal.Set)
    async def _set(self, connection: Connection, envelope: Envelope, event: Goal.Set) -> None:
        proposed_at = await connection.fetchval(
            "SELECT proposed_at FROM work_goal_life WHERE goal_id = $1", envelope.stream_id
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
        await dated(connection, await organisation_key(connection, envelope.organisation_id), [event.on])
        begun = await connection.fetchval(
            """SELECT d.day FROM work_goal_life AS w JOIN dim_date AS d
                   ON (d.organisation_key, d.date_key)
                    = (w.organisation_key, coalesce(w.set_date_key, w.proposed_date_key))
               WHERE w.goal_id = $1""",
            envelope.stream_id,
        )
        closed = date_key(event.on)
        days_open = None if begun is None or closed is None else (event.on - begun).days
        await _update(connection, envelope, [], closed_date_key=closed, result=result, days_open=days_open)

    @on(Goal.KeyResultDefined)
    async def _key_result(self, connection: Connection, envelope: Envelope, event: Goal.KeyResultDefined) -> None:
        visibility = await _visibility(connection, envelope.stream_id)
        if visibility is None:
            return
        defined = event.key_result
        values = {
            "key_result_key": envelope.position,
            "organisation_key": await organisation_key(connection, envelope.organisation_id),
            "key_result_id": defined.key_result_id,
            "goal_id": envelope.stream_id,
            "title": defined.title if isinstance(defined.title, str) else None,
            "kind": defined.kind,
            "unit": defined.unit,
            "direction": defined.direction,
            "baseline": _number(defined.baseline.value if defined.baseline else None),
            "target": float(defined.target),
            "stretch": _number(defined.stretch),
            "due_on": defined.due_on,
            "weight": float(defined.weight),
        }
        await insert(connection, "work_key_result", **values)
        if visibility in SHOWN:
            day = await local_day(connection, envelope)
            await insert(connection, "dim_key_result", **values, valid_from=day, is_current=True)

    @on(Goal.Adjusted)
    async def _adjusted(self, connection: Connection, envelope: Envelope, event: Goal.Adjusted) -> None:
        if await _visibility(connection, envelope.stream_id) is None:
            return
        await connection.execute(
            "UPDATE work_goal_life SET adjustments_n = adjustments_n + 1 WHERE goal_id = $1", envelope.stream_id
        )
        await _first(connection, envelope, "first_adjustment_date_key", event.on)
        if event.key_result_id is None:
            return
        changes: dict[str, Any] = {}
        if event.field is AdjustedField.TARGET and event.to.number is not None:
            changes["target"] = float(event.to.number)
        elif event.field is AdjustedField.DUE_ON:
            changes["due_on"] = event.to.day
        for column, value in changes.items():
            await connection.execute(
                f"UPDATE work_key_result SET {column} = $2, key_result_key = $3 WHERE key_result_id = $1",
                event.key_result_id,
                value,
                envelope.position,
            )
            await new_version(
                connection, "dim_key_result", event.key_result_id, envelope.position, event.on, **{column: value}
            )

    @on(Goal.VisibilityChanged)
    async def _shown(self, connection: Connection, envelope: Envelope, event: Goal.VisibilityChanged) -> None:
        before = await _visibility(connection, envelope.stream_id)
        await connection.execute(
            "UPDATE work_goal_life SET visibility = $2 WHERE goal_id = $1", envelope.stream_id, event.visibility
        )
        if before is None or (before in SHOWN) is (event.visibility in SHOWN):
            return
        if event.visibility in SHOWN:
            day = await local_day(connection, envelope)
            await connection.execute(_SHOW_KEY_RESULTS, envelope.stream_id, day)
        else:
            await connection.execute("DELETE FROM dim_key_result WHERE goal_id = $1", envelope.stream_id)
        await _tell(connection, envelope.stream_id)

    @on(Goal.ProgressCheckedIn, Goal.CheckInCorrected)
    async def _checked_in(self, connection: Connection, envelope: Envelope, event: CheckedIn) -> None:
        visibility = await _visibility(connection, envelope.stream_id)
        if visibility is None:
            return
        at = envelope.position
        organisation = await organisation_key(connection, envelope.organisation_id)
        recorded = envelope.recorded_at.date()
        await dated(connection, organisation, [event.observed_on, recorded])
        goal_key = await key_at(connection, "dim_goal", envelope.stream_id, at)
        if visibility in SHOWN and goal_key is not None:
            await insert(
                connection,
                "fact_checkin",
                checkin_key=at,
                organisation_key=organisation,
                check_in_id=event.check_in_id,
                goal_key=goal_key,
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
    found: str | None = await connection.fetchval("SELECT visibility FROM work_goal_life WHERE goal_id = $1", goal_id)
    return found


async def _tell(connection: Connection, goal_id: UUID) -> None:
    """Write how the goal goes as it is known now, if it is shown."""
    await connection.execute("DELETE FROM fact_goal_lifecycle WHERE goal_id = $1", goal_id)
    await connection.execute(_TELL, goal_id, sorted(SHOWN))


async def _first(connection: Connection, envelope: Envelope, column: str, day: date) -> None:
    await dated(connection, await organisation_key(connection, envelope.organisation_id), [day])
    await connection.execute(
        f"UPDATE work_goal_life SET {column} = least({column}, $2) WHERE goal_id = $1",
        envelope.stream_id,
        date_key(day),
    )
    await _tell(connection, envelope.stream_id)


async def _update(connection: Connection, envelope: Envelope, days: list[date], **changes: Any) -> None:
    """Set columns of the goal's life, if it has one; ``days`` get their place in ``dim_date``."""
    await dated(connection, await organisation_key(connection, envelope.organisation_id), days)
    assignments = "".join(f", {name} = ${n}" for n, name in enumerate(changes, 2))
    await connection.execute(
        f"UPDATE work_goal_life SET goal_id = $1{assignments} WHERE goal_id = $1",
        envelope.stream_id,
        *changes.values(),
    )
    await _tell(connection, envelope.stream_id)


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
