"""How does a key result stand, who says so, and how is it put right?"""

from typing import Any
from uuid import UUID

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from lms.api.answers import Answer, changed
from lms.api.batches import Accepted, BatchResults, judge
from lms.api.bodies import Batch
from lms.api.deps import Connection, Sender, Who
from lms.api.goal_bodies import BatchedCheckIn, CheckInCorrection, NewCheckIn
from lms.api.goal_desk import DESK, Desk, PartMade
from lms.domain.base import NotFound
from lms.domain.goal import Goal
from lms.domain.goal_commands import CheckIn, CorrectCheckIn
from lms.projections.goals import Goals

_goals = Goals()


@post("/v1/goals/{goal_id:uuid}/check-ins", summary="Check in", tags=["goals"], dependencies=DESK)
async def check_in(
    goal_id: FromPath[UUID],
    data: JSONBody[NewCheckIn],
    who: NamedDependency[Who],
    sender: NamedDependency[Sender],
    desk: NamedDependency[Desk],
) -> Answer[PartMade]:
    """Say how a key result stands: the owner, or lead and members of the owning team."""
    command = _command(data, sender.new_id("check-in"), who)
    outcome = await sender.send(Goal, goal_id, command)
    return await desk.part_made(command.check_in_id, outcome)


@post("/v1/check-ins:batch", summary="Check in on many key results", tags=["goals"], dependencies=DESK)
async def check_in_many(
    data: JSONBody[Batch],
    who: NamedDependency[Who],
    sender: NamedDependency[Sender],
    desk: NamedDependency[Desk],
) -> Answer[BatchResults]:
    """Check in on up to 1000 key results, of whatever goals; each is judged alone."""

    async def act(name: str, body: BatchedCheckIn) -> Accepted:
        goal_id = body.goal_id or await desk.goal_of(body.key_result_id)
        command = _command(body, sender.new_id(f"{name}:check-in"), who)
        outcome = await sender.send(Goal, goal_id, command, name)
        return Accepted(id=command.check_in_id, location=f"/v1/goals/{goal_id}", outcome=outcome)

    return await judge(data, BatchedCheckIn, sender, act)


@post(
    "/v1/check-ins/{check_in_id:uuid}/correction",
    summary="Correct a check-in",
    tags=["goals"],
    status_code=200,
    dependencies=DESK,
)
async def correct(
    check_in_id: FromPath[UUID],
    data: JSONBody[CheckInCorrection],
    who: NamedDependency[Who],
    sender: NamedDependency[Sender],
    connection: NamedDependency[Connection],
    desk: NamedDependency[Desk],
) -> Answer[PartMade]:
    """Put what should have been said in the place of a check-in; also after the goal's end."""
    row = await desk.sure(lambda: _goals.check_in(connection, who.organisation_id, check_in_id))
    if row is None:
        raise NotFound(check_in=check_in_id)
    command = CorrectCheckIn(
        actor=who.actor,
        today=who.today,
        check_in_id=check_in_id,
        key_result_id=row.key_result_id,
        value=data.value,
        observed_on=data.observed_on or row.observed_on,
        confidence=data.confidence,
        narrative=data.narrative,
        blockers=data.blockers,
    )
    outcome = await sender.send(Goal, row.goal_id, command)
    corrected = PartMade(id=check_in_id, goal_id=row.goal_id, next=(await desk.shown(outcome.aggregate)).next)
    return changed(corrected, await sender.receipt(outcome))


def _command(data: NewCheckIn, check_in_id: UUID, who: Who) -> CheckIn:
    return CheckIn(
        actor=who.actor,
        today=who.today,
        check_in_id=check_in_id,
        key_result_id=data.key_result_id,
        value=data.value,
        observed_on=data.observed_on or who.today,
        confidence=data.confidence,
        narrative=data.narrative,
        blockers=data.blockers,
    )


ROUTES: list[Any] = [check_in, check_in_many, correct]
