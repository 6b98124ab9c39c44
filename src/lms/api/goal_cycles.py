"""In which cycles do goals run?"""

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from lms.api.answers import Answer, changed, created, found
from lms.api.bodies import Body
from lms.api.deps import Connection, Sender, Who
from lms.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, page
from lms.domain.base import NotFound
from lms.domain.goal_cycle import CloseGoalCycle, GoalCycle, OpenGoalCycle
from lms.projections.organisations import GoalCycleRow, Organisations

_organisations = Organisations()


class NewGoalCycle(Body, frozen=True, kw_only=True):
    """A period for goals, both days included."""

    name: Annotated[str, msgspec.Meta(examples=["2026 Q2"])]
    starts_on: Annotated[date, msgspec.Meta(examples=["2026-04-01"])]
    ends_on: Annotated[date, msgspec.Meta(examples=["2026-06-30"])]
    check_in_every_days: int = 7


class Closing(Body, frozen=True, kw_only=True):
    """The day a cycle ends; today unless said otherwise."""

    on: date | None = None


class Cycle(msgspec.Struct, frozen=True, kw_only=True):
    """One goal cycle, both days included."""

    id: UUID
    name: str
    starts_on: date
    ends_on: date
    check_in_every_days: int
    closed_on: date | None
    next: tuple[str, ...] = ()


@get("/v1/goal-cycles", summary="Which goal cycles are there?", tags=["goals"])
async def goal_cycles(
    who: NamedDependency[Who],
    connection: NamedDependency[Connection],
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Answer[Page[Cycle]]:
    """List the cycles, the latest first."""
    after = decode_cursor(cursor, date, UUID)
    rows = await _organisations.cycles(connection, who.organisation_id, limit + 1, after)
    items = [_shown(row.cycle_id, row) for row in rows]
    return found(page(items, limit, lambda cycle: (cycle.starts_on, cycle.id)))


@get("/v1/goal-cycles/{cycle_id:uuid}", summary="What is this goal cycle?", tags=["goals"])
async def goal_cycle(
    cycle_id: FromPath[UUID], who: NamedDependency[Who], connection: NamedDependency[Connection]
) -> Answer[Cycle]:
    """Show one cycle."""
    row = await _organisations.cycle(connection, who.organisation_id, cycle_id)
    if row is None:
        raise NotFound(kind="goal-cycle", id=cycle_id)
    return found(_shown(cycle_id, row), row.version)


@post("/v1/goal-cycles", summary="Open a goal cycle", tags=["goals"])
async def open_goal_cycle(
    data: JSONBody[NewGoalCycle], who: NamedDependency[Who], sender: NamedDependency[Sender]
) -> Answer[Cycle]:
    """Open a period for goals. Administrators and business owners."""
    cycle_id = sender.new_id()
    command = OpenGoalCycle(
        actor=who.actor,
        today=who.today,
        cycle_id=cycle_id,
        name=data.name,
        starts_on=data.starts_on,
        ends_on=data.ends_on,
        check_in_every_days=data.check_in_every_days,
    )
    outcome = await sender.send(GoalCycle, cycle_id, command)
    return created(_shown(cycle_id, outcome.aggregate), await sender.receipt(outcome), f"/v1/goal-cycles/{cycle_id}")


@post("/v1/goal-cycles/{cycle_id:uuid}/closing", summary="Close a goal cycle", tags=["goals"], status_code=200)
async def close_goal_cycle(
    cycle_id: FromPath[UUID], data: JSONBody[Closing], who: NamedDependency[Who], sender: NamedDependency[Sender]
) -> Answer[Cycle]:
    """End a period. Administrators and business owners."""
    command = CloseGoalCycle(actor=who.actor, today=who.today, on=data.on or who.today)
    outcome = await sender.send(GoalCycle, cycle_id, command)
    return changed(_shown(cycle_id, outcome.aggregate), await sender.receipt(outcome))


def _shown(cycle_id: UUID, cycle: GoalCycle | GoalCycleRow) -> Cycle:
    return Cycle(
        id=cycle_id,
        name=cycle.name,
        starts_on=cycle.starts_on,
        ends_on=cycle.ends_on,
        check_in_every_days=cycle.check_in_every_days,
        closed_on=cycle.closed_on,
    )


ROUTES = [goal_cycles, goal_cycle, open_goal_cycle, close_goal_cycle]
