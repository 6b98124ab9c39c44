"""How did each improvement go, from the day it was opened to the check after 90 days?"""

from datetime import date
from decimal import Decimal
from typing import Any

from lms.domain.improvement import Improvement
from lms.domain.improvement_parts import Result
from lms.domain.terms import Direction
from lms.inference.grades import grade_of_result
from lms.projections.base import Connection, Envelope, Projection, on
from lms.projections.bi.keys import date_key, dated, insert, key_at, organisation_key
from lms.projections.chain_links import by_todays_method
from lms.projections.table import NoSuchRow

CHECKS_DAYS = {30: "checked_30d_date_key", 90: "checked_90d_date_key"}


class Improvements(Projection):
    """``fact_improvement``: one row that fills up."""

    NAME = "bi_improvements"

    @on(Improvement.Opened)
    async def _opened(self, connection: Connection, envelope: Envelope, event: Improvement.Opened) -> None:
        at = envelope.position
        organisation = await organisation_key(connection, envelope.organisation_id)
        await dated(connection, organisation, [event.on])
        target = event.target_condition.measure_id if event.target_condition else None
        await insert(
            connection,
            "fact_improvement",
            improvement_key=at,
            organisation_key=organisation,
            improvement_id=envelope.stream_id,
            team_key=await key_at(connection, "dim_team", event.team_id, at),
            process_key=await key_at(connection, "dim_process", event.process_id, at),
            measure_key=await key_at(connection, "dim_process_measure", target, at),
            goal_key=await key_at(connection, "dim_goal", event.goal_id, at),
            opened_date_key=date_key(event.on),
            experiments_n=0,
        )

    @on(Improvement.ExperimentPlanned)
    async def _planned(self, connection: Connection, envelope: Envelope, event: Improvement.ExperimentPlanned) -> None:
        await _first(connection, envelope, "planned_date_key", event.plan.planned_on)
        await connection.execute(
            "UPDATE fact_improvement SET experiments_n = experiments_n + 1 WHERE improvement_id = $1",
            envelope.stream_id,
        )

    @on(Improvement.ExperimentRun)
    async def _run(self, connection: Connection, envelope: Envelope, event: Improvement.ExperimentRun) -> None:
        await _first(connection, envelope, "run_date_key", event.on)

    @on(Improvement.ExperimentReviewed)
    async def _reviewed(
        self, connection: Connection, envelope: Envelope, event: Improvement.ExperimentReviewed
    ) -> None:
        await _first(connection, envelope, "reviewed_date_key", event.review.on)

    @on(Improvement.ResultRecorded)
    async def _result(self, connection: Connection, envelope: Envelope, event: Improvement.ResultRecorded) -> None:
        at = envelope.position
        measure = await key_at(connection, "dim_process_measure", event.result.measure_id, at)
        direction = await connection.fetchval(
            "SELECT direction FROM dim_process_measure WHERE measure_key = $1", measure
        )
        if direction is None:
            raise NoSuchRow(f"dim_process_measure: {event.result.measure_id}")
        result = by_todays_method(event.result, Direction(direction))
        await _update(connection, envelope, [result.after.end], measure_key=measure, **_figures(result))

    @on(Improvement.Adopted)
    async def _adopted(self, connection: Connection, envelope: Envelope, event: Improvement.Adopted) -> None:
        await _update(connection, envelope, [event.on], adopted_date_key=date_key(event.on))

    @on(Improvement.SustainmentChecked)
    async def _checked(self, connection: Connection, envelope: Envelope, event: Improvement.SustainmentChecked) -> None:
        changes: dict[str, Any] = {"sustained": event.holds}
        column = CHECKS_DAYS.get(event.days_after)
        if column is not None:
            changes[column] = date_key(event.summary.end)
        await _update(connection, envelope, [event.summary.end], **changes)

    @on(Improvement.Reverted)
    async def _reverted(self, connection: Connection, envelope: Envelope, event: Improvement.Reverted) -> None:
        await _update(connection, envelope, [event.on], reverted_date_key=date_key(event.on))


async def _first(connection: Connection, envelope: Envelope, column: str, day: date) -> None:
    """Note the earliest of the days on which something happened."""
    await _update(connection, envelope, [day])
    await connection.execute(
        f"UPDATE fact_improvement SET {column} = least({column}, $2) WHERE improvement_id = $1",
        envelope.stream_id,
        date_key(day),
    )


async def _update(connection: Connection, envelope: Envelope, days: list[date], **changes: Any) -> None:
    """Set columns of the improvement's row; ``days`` get their place in ``dim_date``. Raises NoSuchRow."""
    await dated(connection, await organisation_key(connection, envelope.organisation_id), days)
    assignments = "".join(f", {name} = ${n}" for n, name in enumerate(changes, 2))
    done = await connection.execute(
        f"UPDATE fact_improvement SET improvement_id = $1{assignments} WHERE improvement_id = $1",
        envelope.stream_id,
        *changes.values(),
    )
    if done == "UPDATE 0":
        raise NoSuchRow(f"fact_improvement: {envelope.stream_id}")


def _figures(result: Result) -> dict[str, Any]:
    effect = result.effect
    return {
        "result_date_key": date_key(result.after.end),
        "before_value": float(result.before.value),
        "before_n": result.before.n,
        "before_spread": _number(result.before.spread),
        "after_value": float(result.after.value),
        "after_n": result.after.n,
        "after_spread": _number(result.after.spread),
        "difference": _number(effect.difference),
        "interval_low": _number(effect.low),
        "interval_high": _number(effect.high),
        "confidence": None if effect.difference is None else float(effect.confidence),
        "grade": grade_of_result(result),
        "verdict": effect.verdict,
    }


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
