"""What did an improvement change, and does the gain hold?"""

from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, post
from litestar import Request as HttpRequest
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody

from lms.api.answers import Answer, created
from lms.api.contributors import refuse_guests
from lms.api.deps import Connection, Sender, Who, services_of
from lms.api.figures import Figures, comparison, effect_of, figures, of_measure, provide_fresh
from lms.api.improvement_bodies import CheckShown, ResultBody, ResultShown, SustainmentBody
from lms.domain.base import Malformed, NotFound
from lms.domain.effect import Comparison, Design, Verdict
from lms.domain.improvement import Improvement
from lms.domain.improvement_commands import CheckSustainment, RecordResult
from lms.domain.process import Process
from lms.domain.terms import Direction
from lms.inference.grades import grade_of_result, may_say

_CHECKED_AFTER = (30, 90)
"""Days after adoption at which one looks again (domain.md, section 3)."""


class Target(msgspec.Struct, frozen=True):
    """The improvement in the path and the process it is of, as the log has them."""

    improvement: Improvement
    process: Process

    def direction(self, measure_id: UUID) -> Direction:
        """Which way is better for a measure of the process."""
        return self.process.measure(measure_id).direction


async def provide_target(
    request: HttpRequest[Any, Any, State], improvement_id: FromPath[UUID], who: NamedDependency[Who]
) -> Target:
    """The improvement in the path with its process; only its team goes on from here, as the decision says."""
    refuse_guests(who)
    dispatch = services_of(request).dispatch
    improvement = await dispatch.load(Improvement, who.organisation_id, improvement_id)
    process = await dispatch.load(Process, who.organisation_id, improvement.process_id) if improvement else None
    if improvement is None or process is None:
        raise NotFound(kind="improvement", id=improvement_id)
    return Target(improvement, process)


class Results(Controller):
    """The figures of one improvement."""

    path = "/v1/improvements/{improvement_id:uuid}"
    dependencies = {"fresh": Provide(provide_fresh), "target": Provide(provide_target)}  # noqa: RUF012 - Litestar's way
    tags = ["improvement"]  # noqa: RUF012 - Litestar's way

    @post("/result", summary="Compare before with after")
    async def record_result(
        self,
        improvement_id: FromPath[UUID],
        data: JSONBody[ResultBody],
        who: NamedDependency[Who],
        sender: NamedDependency[Sender],
        fresh: NamedDependency[Connection],
        target: NamedDependency[Target],
    ) -> Answer[ResultShown]:
        """Store before and after with the verdict, whatever it is.

        Only a 95 % interval wholly on the good side improves the process; one that crosses zero is no clear change.
        """
        direction = target.direction(data.measure_id)
        within = of_measure(fresh, who.organisation_id, data.measure_id)
        before, after = await figures(data.before, within, "/before"), await figures(data.after, within, "/after")
        compared = await _comparison(data, who, fresh)
        if compared is None and data.design.needs_comparison:
            raise Malformed(pointer="/comparison", detail=f"the design {data.design} compares with others")
        command = RecordResult(
            actor=who.actor,
            today=who.today,
            measure_id=data.measure_id,
            before=before.summary,
            after=after.summary,
            before_origin=before.origin,
            after_origin=after.origin,
            baseline=data.baseline,
            took_effect_on=data.took_effect_on,
            design=data.design,
            comparison=compared,
            effect=await effect_of(data.design, before, after, compared, direction),
        )
        outcome = await sender.send(Improvement, improvement_id, command)
        return created(
            _result_shown(outcome.aggregate), await sender.receipt(outcome), f"/v1/improvements/{improvement_id}"
        )

    @post("/sustainment-checks", summary="See whether the gain holds")
    async def check_sustainment(
        self,
        improvement_id: FromPath[UUID],
        data: JSONBody[SustainmentBody],
        who: NamedDependency[Who],
        sender: NamedDependency[Sender],
        fresh: NamedDependency[Connection],
        target: NamedDependency[Target],
    ) -> Answer[CheckShown]:
        """Compare with before again: the gain holds while it is clearly better and at least half of it is kept."""
        result = target.improvement.adopted_result()
        direction = target.direction(result.measure_id)
        within = of_measure(fresh, who.organisation_id, result.measure_id)
        now = await figures(data, within, "")
        before = Figures(summary=result.before, origin=result.before_origin)
        effect = await effect_of(Design.BEFORE_AFTER, before, now, None, direction)
        days_after = data.days_after or _days_after(target.improvement.adopted_on, now.summary.end)
        command = CheckSustainment(
            actor=who.actor, today=who.today, days_after=days_after, summary=now.summary, effect=effect
        )
        outcome = await sender.send(Improvement, improvement_id, command)
        check = CheckShown(id=improvement_id, days_after=days_after, effect=effect, holds=outcome.aggregate.holds)
        return created(check, await sender.receipt(outcome), f"/v1/improvements/{improvement_id}")


async def _comparison(data: ResultBody, who: Who, connection: Connection) -> Comparison | None:
    body = data.comparison
    if body is None:
        return None
    within = of_measure(connection, who.organisation_id, body.measure_id) if body.measure_id else None
    return await comparison(body, (data.before, data.after), within)


def _days_after(adopted_on: date | None, end: date) -> int:
    days = (end - adopted_on).days if adopted_on else 0
    return min(_CHECKED_AFTER, key=lambda planned: abs(planned - days))


def _result_shown(improvement: Improvement) -> ResultShown:
    result = improvement.recorded_result()
    grade = grade_of_result(result)
    improved = result.effect.verdict is Verdict.BETTER
    return ResultShown(
        id=improvement.id,
        result=result,
        effect=result.effect,
        verdict=result.effect.verdict,
        grade=grade,
        may_say=may_say(grade, result.effect.verdict),
        process_improved=improved,
        next=("adoption",) if improvement.adopted_on is None else ("sustainment-check",),
    )


ROUTES = [Results]
