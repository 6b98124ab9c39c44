"""What is being improved, what was tried, and what came of it?"""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar import Request as HttpRequest
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody

from lms.api.answers import Answer, changed, created, found, text
from lms.api.contributors import refuse_guests
from lms.api.deps import Connection, Reader, Sender, Who, services_of
from lms.api.improvement_bodies import (
    AdoptionBody,
    ImprovementShown,
    ImprovementWhole,
    NewExperiment,
    NewImprovement,
    ObstacleBody,
    PartShown,
    ReversalBody,
    ReviewBody,
    RunBody,
    experiment_shown,
    obstacle_shown,
    row_shown,
    shown,
)
from lms.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, page
from lms.api.processes import own_team
from lms.api.services import Services
from lms.api.then import Then, provide_then
from lms.domain.base import Malformed, NotFound
from lms.domain.goal import Goal
from lms.domain.improvement import Improvement
from lms.domain.improvement_commands import (
    AdoptImprovement,
    ConfirmUse,
    ImprovementCommand,
    NameObstacle,
    OpenImprovement,
    PlanExperiment,
    RevertImprovement,
    ReviewExperiment,
    RunExperiment,
    SettleObstacle,
)
from lms.domain.improvement_parts import ObstacleState, Plan, Review, Run, TargetCondition
from lms.projections.goals import Goals
from lms.projections.improvements import IMPROVEMENTS, ImprovementRow, Improvements

_goals = Goals()
_improvements = Improvements()


@get("/v1/improvements", summary="What is being improved?", tags=["improvement"])
async def improvements(
    who: NamedDependency[Who],
    connection: NamedDependency[Connection],
    team: FromQuery[UUID | None] = None,
    process: FromQuery[UUID | None] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Answer[Page[ImprovementShown]]:
    """List the improvements, of all, of a team or of a process."""
    refuse_guests(who)
    after = decode_cursor(cursor, UUID)
    rows = await _improvements.improvements(
        connection,
        who.organisation_id,
        limit + 1,
        after[0] if after else None,
        team_id=team,
        process_id=process,
    )
    goals = await _goals_seen(connection, who, rows)
    return found(page([row_shown(row, goals) for row in rows], limit, lambda one: (one.id,)))


@post("/v1/improvements", summary="Open an improvement", tags=["improvement"])
async def open_improvement(
    data: JSONBody[NewImprovement], who: NamedDependency[Who], sender: NamedDependency[Sender]
) -> Answer[ImprovementShown]:
    """Take on a problem of a process. Members and leads of the team."""
    improvement_id = sender.new_id()
    target = data.target_condition
    command = OpenImprovement(
        actor=who.actor,
        today=who.today,
        improvement_id=improvement_id,
        process_id=data.process_id,
        team_id=data.team_id or own_team(who),
        on=data.on or who.today,
        problem=data.problem,
        actual_condition=data.actual_condition,
        trigger_period=data.trigger_period.window if data.trigger_period else None,
        target_condition=TargetCondition(measure_id=target.measure_id, value=target.value, by=target.by)
        if target
        else None,
        goal_id=data.goal_id,
        need_ids=data.need_ids,
        competencies=data.competencies,
    )
    outcome = await sender.send(Improvement, improvement_id, command)
    return created(
        shown(outcome.aggregate, data.goal_id), await sender.receipt(outcome), f"/v1/improvements/{improvement_id}"
    )


class Steps:
    """Sends one step of the improvement in the path."""

    def __init__(self, improvement_id: UUID, sender: Sender, services: Services, who: Who) -> None:
        self._improvement_id = improvement_id
        self._sender = sender
        self._services = services
        self._who = who

    async def add(self, part_id: UUID, command: ImprovementCommand, *following: str) -> Answer[PartShown]:
        """Send it, and answer with the part it made."""
        outcome = await self._sender.send(Improvement, self._improvement_id, command)
        part = PartShown(id=part_id, improvement_id=self._improvement_id, next=following)
        return created(part, await self._sender.receipt(outcome), f"/v1/improvements/{self._improvement_id}")

    async def change(self, command: ImprovementCommand) -> Answer[ImprovementShown]:
        """Send it, and answer with the improvement."""
        outcome = await self._sender.send(Improvement, self._improvement_id, command)
        goal_id = await self._goal_seen(outcome.aggregate.goal_id)
        return changed(shown(outcome.aggregate, goal_id), await self._sender.receipt(outcome))

    async def _goal_seen(self, goal_id: UUID | None) -> UUID | None:
        """The goal, if it is shown to who takes the step."""
        if goal_id is None:
            return None
        goal = await self._services.dispatch.load(Goal, self._who.organisation_id, goal_id)
        return goal_id if goal is not None and goal.is_shown_to(self._who.actor) else None


async def provide_steps(
    request: HttpRequest[Any, Any, State],
    improvement_id: FromPath[UUID],
    sender: NamedDependency[Sender],
    who: NamedDependency[Who],
) -> Steps:
    """What sends a step of the improvement in the path."""
    return Steps(improvement_id, sender, services_of(request), who)


class OneImprovement(Controller):
    """One improvement, from problem to standard. Members and leads of its team take the steps."""

    path = "/v1/improvements/{improvement_id:uuid}"
    dependencies = {"steps": Provide(provide_steps)}  # noqa: RUF012 - Litestar's way
    tags = ["improvement"]  # noqa: RUF012 - Litestar's way

    @get(summary="What came of this improvement?", dependencies={"then": Provide(provide_then)})
    async def show(
        self,
        improvement_id: FromPath[UUID],
        who: NamedDependency[Who],
        reader: NamedDependency[Reader],
        connection: NamedDependency[Connection],
        then: NamedDependency[Then | None],
    ) -> Answer[ImprovementWhole]:
        """Show one improvement; each result with what today's method finds in it and what may be said of it.

        As it stood ``as_of``, as ``known_at``.
        """
        refuse_guests(who)
        row = await _improvements.improvement(connection, who.organisation_id, improvement_id)
        if row is not None and then is not None:
            row = await then.row(_improvements, IMPROVEMENTS, improvement_id)
        if row is None:
            raise NotFound(kind="improvement", id=improvement_id)
        findings = await _improvements.findings(connection, who.organisation_id, row.results)
        opened = await reader.open(row)
        whole = ImprovementWhole(
            **msgspec.structs.asdict(row_shown(row, await _goals_seen(connection, who, [row]))),
            obstacles=[obstacle_shown(one) for one in opened.obstacles],
            experiments=[experiment_shown(one) for one in opened.experiments],
            results=findings,
            standard_ref=text(opened.standard_ref),
            checks=list(opened.checks),
            revert_reason=text(opened.revert_reason),
        )
        return found(whole, row.version)

    @post("/obstacles", summary="Name or settle an obstacle")
    async def obstacle(
        self,
        data: JSONBody[ObstacleBody],
        who: NamedDependency[Who],
        sender: NamedDependency[Sender],
        steps: NamedDependency[Steps],
    ) -> Answer[PartShown]:
        """Say what stands in the way, or what was seen of it: evidenced, ruled out, cleared. Several may stand."""
        if data.obstacle_id is None and data.text is not None:
            obstacle_id = sender.new_id("obstacle")
            named = NameObstacle(actor=who.actor, today=who.today, obstacle_id=obstacle_id, text=data.text)
            return await steps.add(obstacle_id, named, "evidence")
        if data.obstacle_id is None or data.state is None or data.text is not None:
            raise Malformed(pointer="/text", detail="the text of a new obstacle; or obstacle_id and state of one")
        command = SettleObstacle(
            actor=who.actor, today=who.today, obstacle_id=data.obstacle_id, state=data.state, note=data.note
        )
        settled = data.state in {ObstacleState.RULED_OUT, ObstacleState.CLEARED}
        return await steps.add(data.obstacle_id, command, *(() if settled else ("cleared",)))

    @post("/experiments", summary="Plan an experiment")
    async def plan(
        self,
        data: JSONBody[NewExperiment],
        who: NamedDependency[Who],
        sender: NamedDependency[Sender],
        steps: NamedDependency[Steps],
    ) -> Answer[PartShown]:
        """Say what will be tried, what is expected, and when it is looked at."""
        plan = Plan(
            experiment_id=sender.new_id("experiment"),
            hypothesis=data.hypothesis,
            measure_id=data.measure_id,
            expected_value=data.expected_value,
            obstacle_id=data.obstacle_id,
            design=data.design,
            planned_on=data.planned_on or who.today,
            review_on=data.review_on,
        )
        command = PlanExperiment(actor=who.actor, today=who.today, plan=plan)
        return await steps.add(plan.experiment_id, command, "run", "review")

    @post("/experiments/{experiment_id:uuid}/run", summary="Say what an experiment showed")
    async def run(
        self,
        experiment_id: FromPath[UUID],
        data: JSONBody[RunBody],
        who: NamedDependency[Who],
        steps: NamedDependency[Steps],
    ) -> Answer[PartShown]:
        """Say what was observed, over how many observations."""
        run = Run(on=data.on or who.today, observed=data.observed, n=data.n)
        command = RunExperiment(actor=who.actor, today=who.today, experiment_id=experiment_id, run=run)
        return await steps.add(experiment_id, command, "review")

    @post("/reviews", summary="Review an experiment")
    async def review(
        self, data: JSONBody[ReviewBody], who: NamedDependency[Who], steps: NamedDependency[Steps]
    ) -> Answer[PartShown]:
        """Say what was learned and which competencies were used.

        Who is named in ``confirmed_by`` is asked to confirm that; who names himself confirms it.
        """
        review = Review(
            experiment_id=data.experiment_id,
            on=data.on or who.today,
            learned=data.learned,
            outcome=data.outcome,
            competencies_used=data.competencies_used,
            confirmed_by=data.confirmed_by,
        )
        says_how = data.observed is not None or data.ran_on is not None
        run = Run(on=data.ran_on or review.on, observed=data.observed, n=data.n) if says_how else None
        command = ReviewExperiment(actor=who.actor, today=who.today, review=review, run=run)
        unconfirmed = data.competencies_used and data.confirmed_by != who.contributor_id
        return await steps.add(data.experiment_id, command, *(("confirmation",) if unconfirmed else ()))

    @post("/reviews/{experiment_id:uuid}/confirmation", summary="Confirm that competencies were used")
    async def confirm(
        self, experiment_id: FromPath[UUID], who: NamedDependency[Who], steps: NamedDependency[Steps]
    ) -> Answer[PartShown]:
        """Say oneself that a review's competencies were used: who was asked to, or another of the team.

        Neither who claims it nor who ran the experiment.
        """
        return await steps.add(experiment_id, ConfirmUse(actor=who.actor, today=who.today, experiment_id=experiment_id))

    @post("/adoption", summary="Make the new way the standard", status_code=200)
    async def adopt(
        self, data: JSONBody[AdoptionBody], who: NamedDependency[Who], steps: NamedDependency[Steps]
    ) -> Answer[ImprovementShown]:
        """Adopt an improvement that has a result."""
        command = AdoptImprovement(
            actor=who.actor, today=who.today, on=data.on or who.today, standard_ref=data.standard_ref
        )
        return await steps.change(command)

    @post("/reversal", summary="Go back to the old way", status_code=200)
    async def revert(
        self, data: JSONBody[ReversalBody], who: NamedDependency[Who], steps: NamedDependency[Steps]
    ) -> Answer[ImprovementShown]:
        """Take the improvement back, and say why."""
        command = RevertImprovement(actor=who.actor, today=who.today, on=data.on or who.today, reason=data.reason)
        return await steps.change(command)


async def _goals_seen(connection: Connection, who: Who, rows: Sequence[ImprovementRow]) -> Collection[UUID]:
    """Those of the improvements' goals that are shown to the reader."""
    goal_ids = {row.goal_id for row in rows if row.goal_id is not None}
    return await _goals.find(connection, who.organisation_id, who.actor, goal_ids) if goal_ids else ()


ROUTES = [improvements, open_improvement, OneImprovement]
