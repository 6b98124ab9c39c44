"""How is a goal set, measured, adjusted, reflected on, closed and shown?"""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from lms.api.answers import Answer
from lms.api.deps import Sender, Who
from lms.api.goal_bodies import Adjustment, Agreement, Closing, NewKeyResult, Reflection, Showing
from lms.api.goal_desk import DESK, Desk, PartMade, number
from lms.api.goal_views import GoalShown
from lms.domain import progress
from lms.domain.base import Malformed
from lms.domain.goal import Goal
from lms.domain.goal_commands import (
    AdjustGoal,
    AgreeOnGoal,
    ChangeVisibility,
    CloseGoal,
    DefineKeyResult,
    ReflectOnGoal,
)
from lms.domain.goal_parts import AdjustedField, FinalValue, Setting
from lms.domain.progress import Standing


class GoalChanges(Controller):
    """What happens to one goal."""

    path = "/v1/goals/{goal_id:uuid}"
    dependencies = DESK
    tags = ["goals"]  # noqa: RUF012 - Litestar's way

    @post("/agreement", summary="File the meeting that set the goal", status_code=200)
    async def agree(
        self,
        goal_id: FromPath[UUID],
        data: JSONBody[Agreement],
        who: NamedDependency[Who],
        desk: NamedDependency[Desk],
    ) -> Answer[GoalShown]:
        """Set a goal of a team or the business model: its lead, or a business owner."""
        command = AgreeOnGoal(
            actor=who.actor,
            today=who.today,
            on=data.on,
            how=data.how,
            participants_n=data.participants_n,
            contributor_kinds=data.contributor_kinds,
        )
        return await desk.send(goal_id, command)

    @post("/key-results", summary="Define a key result")
    async def define_key_result(
        self,
        goal_id: FromPath[UUID],
        data: JSONBody[NewKeyResult],
        who: NamedDependency[Who],
        sender: NamedDependency[Sender],
        desk: NamedDependency[Desk],
    ) -> Answer[PartMade]:
        """Say how one will see that the goal is reached."""
        key_result = await desk.key_result(data, "key-result:0")
        command = DefineKeyResult(actor=who.actor, today=who.today, key_result=key_result)
        outcome = await sender.send(Goal, goal_id, command)
        return await desk.part_made(key_result.key_result_id, outcome)

    @post("/adjustments", summary="Adjust the goal on what was learned", status_code=200)
    async def adjust(
        self,
        goal_id: FromPath[UUID],
        data: JSONBody[Adjustment],
        who: NamedDependency[Who],
        desk: NamedDependency[Desk],
    ) -> Answer[GoalShown]:
        """Change title, purpose, a target or a due date; what stood before and how far it was are kept."""
        latest = await desk.latest(goal_id)
        command = AdjustGoal(
            actor=who.actor,
            today=who.today,
            field=data.field,
            key_result_id=data.key_result_id,
            to=_setting(data),
            on=data.on or who.today,
            how=data.how,
            participants_n=data.participants_n,
            reason=data.reason,
            evidence=data.evidence,
            measured_ratio=progress.goal_ratio(Standing(key_result=one.key_result, value=one.value) for one in latest),
            note=data.note,
        )
        return await desk.send(goal_id, command)

    @post("/reflections", summary="Say what was learned from the goal")
    async def reflect(
        self,
        goal_id: FromPath[UUID],
        data: JSONBody[Reflection],
        who: NamedDependency[Who],
        sender: NamedDependency[Sender],
        desk: NamedDependency[Desk],
    ) -> Answer[PartMade]:
        """Keep what was expected, what happened, what was learned and what comes next; also after the end."""
        command = ReflectOnGoal(
            actor=who.actor,
            today=who.today,
            expected=data.expected,
            happened=data.happened,
            learned=data.learned,
            next=data.next,
        )
        outcome = await sender.send(Goal, goal_id, command)
        return await desk.part_made(sender.new_id("reflection"), outcome)

    @post("/closing", summary="End the goal", status_code=200)
    async def close(
        self,
        goal_id: FromPath[UUID],
        data: JSONBody[Closing],
        who: NamedDependency[Who],
        desk: NamedDependency[Desk],
    ) -> Answer[GoalShown]:
        """Close it as achieved, not achieved or abandoned, with its final values."""
        final = [
            FinalValue(key_result_id=one.key_result.key_result_id, value=one.value)
            for one in await desk.latest(goal_id)
            if one.value is not None
        ]
        command = CloseGoal(
            actor=who.actor,
            today=who.today,
            result=data.result,
            on=data.on or who.today,
            final_values=tuple(final),
            reason=data.reason,
        )
        return await desk.send(goal_id, command)

    @post("/visibility", summary="Show the goal to more or fewer people", status_code=200)
    async def change_visibility(
        self,
        goal_id: FromPath[UUID],
        data: JSONBody[Showing],
        who: NamedDependency[Who],
        desk: NamedDependency[Desk],
    ) -> Answer[GoalShown]:
        """Show it to nobody else, the team, the organisation or, with guests, everybody."""
        command = ChangeVisibility(
            actor=who.actor, today=who.today, visibility=data.visibility, home_team_id=who.home_team_id
        )
        return await desk.send(goal_id, command)


def _setting(data: Adjustment) -> Setting:
    if isinstance(data.to, (int, float)):
        return Setting(number=number(data.to))
    if data.field is AdjustedField.DUE_ON:
        try:
            return msgspec.convert({"day": data.to}, Setting)
        except msgspec.ValidationError:
            raise Malformed(pointer="/to", detail="a due date is a date, such as 2026-03-31") from None
    return Setting(text=data.to)


ROUTES: list[Any] = [GoalChanges]
