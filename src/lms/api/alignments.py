"""How is a goal linked to what it serves?"""

from typing import Any
from uuid import UUID

from litestar import delete, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from lms.api.answers import Answer, done
from lms.api.deps import Sender, Who
from lms.api.goal_bodies import NewAlignment
from lms.api.goal_desk import DESK, Desk, PartMade
from lms.domain.goal import Goal
from lms.domain.goal_commands import AlignGoal, UnalignGoal


@post("/v1/goals/{goal_id:uuid}/alignments", summary="Align a goal", tags=["goals"], dependencies=DESK)
async def align(
    goal_id: FromPath[UUID],
    data: JSONBody[NewAlignment],
    who: NamedDependency[Who],
    sender: NamedDependency[Sender],
    desk: NamedDependency[Desk],
) -> Answer[PartMade]:
    """Link the goal to a goal of its level or above, to a key result of one, or to an outcome metric.

    Allowed while the goal is proposed. `contributes-to` never closes a ring; `supports` and `influences` may.
    """
    alignment = await desk.alignment(data, "link:0")
    outcome = await sender.send(Goal, goal_id, AlignGoal(actor=who.actor, today=who.today, alignment=alignment))
    return await desk.part_made(alignment.link_id, outcome)


@delete(
    "/v1/goals/{goal_id:uuid}/alignments/{link_id:uuid}", summary="Take a link away", tags=["goals"], status_code=204
)
async def unalign(
    goal_id: FromPath[UUID], link_id: FromPath[UUID], who: NamedDependency[Who], sender: NamedDependency[Sender]
) -> Answer[None]:
    """Take a link of the goal away."""
    outcome = await sender.send(Goal, goal_id, UnalignGoal(actor=who.actor, today=who.today, link_id=link_id))
    return done(await sender.receipt(outcome))


ROUTES: list[Any] = [align, unalign]
