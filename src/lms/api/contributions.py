"""What is said to have moved a figure, and what stands behind that?"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar import Request as HttpRequest
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody

from lms.api.answers import Answer, changed, created, found, text
from lms.api.contribution_bodies import (
    ContributionShown,
    ContributionWhole,
    FigureBody,
    NewContribution,
    Reason,
    Withdrawal,
    row_shown,
    shown,
)
from lms.api.contributors import refuse_guests
from lms.api.deps import Connection, Reader, Sender, Who, services_of
from lms.api.figures import Side, Within, comparison, effect_of, figures, of_measure, of_metric, provide_fresh
from lms.api.links import (
    AlternativeShown,
    EvidenceShown,
    NewAlternative,
    NewEvidence,
    alternatives_shown,
    evidence_shown,
)
from lms.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, page
from lms.api.then import Then, provide_then
from lms.dispatch import Dispatch
from lms.domain.base import Malformed, NotFound
from lms.domain.contribution import (
    AcceptContribution,
    Cause,
    CauseKind,
    Change,
    Contribution,
    ContributionCommand,
    Moved,
    OfferAlternative,
    RejectContribution,
    Share,
    StateContribution,
    SupportContribution,
    WithdrawContribution,
)
from lms.domain.effect import Comparison, Design
from lms.domain.improvement import Improvement
from lms.domain.outcome_metric import OutcomeMetric
from lms.domain.process import Process
from lms.domain.support import Alternative, Evidence
from lms.domain.terms import Direction
from lms.projections.contributions import CONTRIBUTIONS, ContributionRow, Contributions
from lms.projections.improvements import Improvements
from lms.projections.process_performance import ProcessPerformance

_improvements = Improvements()
_contributions = Contributions()
_performance = ProcessPerformance()


@get("/v1/contributions", summary="What is said to have moved the figures?", tags=["attribution"])
async def contributions(
    who: NamedDependency[Who],
    connection: NamedDependency[Connection],
    to: FromQuery[UUID | None] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Answer[Page[ContributionShown]]:
    """List the contributions, all or to one figure (outcome metric or measure)."""
    refuse_guests(who)
    after = decode_cursor(cursor, UUID)
    rows = await _contributions.contributions(
        connection, who.organisation_id, limit + 1, after[0] if after else None, figure=to
    )
    over = await _contributions.over_claimed(connection, who.organisation_id, [row.contribution_id for row in rows])
    days = await _days(connection, who, rows)
    items = [row_shown(row, row.contribution_id in over, days.get(row.cause_id)) for row in rows]
    return found(page(items, limit, lambda one: (one.id,)))


@post(
    "/v1/contributions",
    summary="State a contribution",
    tags=["attribution"],
    dependencies={"fresh": Provide(provide_fresh)},
)
async def state(
    request: HttpRequest[Any, Any, State],
    data: JSONBody[NewContribution],
    who: NamedDependency[Who],
    sender: NamedDependency[Sender],
    fresh: NamedDependency[Connection],
) -> Answer[ContributionShown]:
    """Say that something moved a figure, and how. It stands as a claim until another accepts it."""
    refuse_guests(who)
    contribution_id = sender.new_id()
    moved = await _moved(data.moved, who, fresh)
    dispatch = services_of(request).dispatch
    command = StateContribution(
        actor=who.actor,
        today=who.today,
        contribution_id=contribution_id,
        cause=Cause(kind=data.cause.kind, id=data.cause.id),
        moved=moved,
        mechanism=data.mechanism,
        window=data.window.window,
        share=Share(low=data.share.low, high=data.share.high) if data.share else None,
        change=await _change(data, moved, who, fresh, dispatch),
    )
    outcome = await sender.send(Contribution, contribution_id, command)
    resource = await Desk(dispatch, who, sender).shown(outcome.aggregate)
    return created(resource, await sender.receipt(outcome), f"/v1/contributions/{contribution_id}")


class Desk:
    """Settles contributions, and tells how they stand."""

    def __init__(self, dispatch: Dispatch, who: Who, sender: Sender) -> None:
        self._dispatch = dispatch
        self._who = who
        self._sender = sender

    async def send(self, contribution_id: UUID, command: ContributionCommand) -> Answer[ContributionShown]:
        """Send it, and answer with the contribution."""
        outcome = await self._sender.send(Contribution, contribution_id, command)
        return changed(await self.shown(outcome.aggregate), await self._sender.receipt(outcome))

    async def shown(self, contribution: Contribution) -> ContributionShown:
        """A contribution just written, by the day on which what contributed took effect."""
        cause, improvement = contribution.cause, None
        if cause.kind is CauseKind.IMPROVEMENT:
            improvement = await self._dispatch.load(Improvement, self._who.organisation_id, cause.id)
        return shown(contribution, improvement.took_effect_on if improvement else None)


async def provide_desk(
    request: HttpRequest[Any, Any, State], who: NamedDependency[Who], sender: NamedDependency[Sender]
) -> Desk:
    """Where the contribution in the path is settled."""
    return Desk(services_of(request).dispatch, who, sender)


class OneContribution(Controller):
    """One contribution."""

    path = "/v1/contributions/{contribution_id:uuid}"
    dependencies = {"desk": Provide(provide_desk)}  # noqa: RUF012 - Litestar's way
    tags = ["attribution"]  # noqa: RUF012 - Litestar's way

    @get(summary="What stands behind this contribution?", dependencies={"then": Provide(provide_then)})
    async def show(
        self,
        contribution_id: FromPath[UUID],
        who: NamedDependency[Who],
        reader: NamedDependency[Reader],
        connection: NamedDependency[Connection],
        then: NamedDependency[Then | None],
    ) -> Answer[ContributionWhole]:
        """Show one contribution with its evidence and the alternative explanations.

        As it stood ``as_of``, as ``known_at``; whether it is over-claimed is told as of now.
        """
        refuse_guests(who)
        row = await _contributions.contribution(connection, who.organisation_id, contribution_id)
        if row is not None and then is not None:
            row = await then.row(_contributions, CONTRIBUTIONS, contribution_id)
        if row is None:
            raise NotFound(kind="contribution", id=contribution_id)
        over = await _contributions.over_claimed(connection, who.organisation_id, [contribution_id])
        days = await _days(connection, who, [row])
        opened = await reader.open(row)
        whole = ContributionWhole(
            **msgspec.structs.asdict(row_shown(row, contribution_id in over, days.get(row.cause_id))),
            evidence=evidence_shown(opened.evidence),
            alternatives=alternatives_shown(opened.alternatives),
            reason=text(opened.reason),
        )
        return found(whole, row.version)

    @post("/evidence", summary="Attach evidence to a contribution")
    async def attach(
        self,
        contribution_id: FromPath[UUID],
        data: JSONBody[NewEvidence],
        who: NamedDependency[Who],
        sender: NamedDependency[Sender],
    ) -> Answer[EvidenceShown]:
        """Say what speaks for it or against it."""
        evidence = Evidence(evidence_id=sender.new_id("evidence"), stance=data.stance, ref=data.ref)
        command = SupportContribution(actor=who.actor, today=who.today, evidence=evidence)
        outcome = await sender.send(Contribution, contribution_id, command)
        (resource,) = evidence_shown([evidence])
        return created(resource, await sender.receipt(outcome), f"/v1/contributions/{contribution_id}")

    @post("/alternatives", summary="Record an alternative explanation")
    async def record(
        self,
        contribution_id: FromPath[UUID],
        data: JSONBody[NewAlternative],
        who: NamedDependency[Who],
        sender: NamedDependency[Sender],
    ) -> Answer[AlternativeShown]:
        """Say what else could explain the change."""
        alternative = Alternative(
            alternative_id=sender.new_id("alternative"), text=data.text, plausibility=data.plausibility
        )
        command = OfferAlternative(actor=who.actor, today=who.today, alternative=alternative)
        outcome = await sender.send(Contribution, contribution_id, command)
        (resource,) = alternatives_shown([alternative])
        return created(resource, await sender.receipt(outcome), f"/v1/contributions/{contribution_id}")

    @post("/acceptance", summary="Accept a contribution", status_code=200)
    async def accept(
        self, contribution_id: FromPath[UUID], who: NamedDependency[Who], desk: NamedDependency[Desk]
    ) -> Answer[ContributionShown]:
        """Hold it for true so far: another than who stated it, with evidence for it and an alternative recorded."""
        return await desk.send(contribution_id, AcceptContribution(actor=who.actor, today=who.today))

    @post("/rejection", summary="Reject a contribution", status_code=200)
    async def reject(
        self,
        contribution_id: FromPath[UUID],
        data: JSONBody[Reason],
        who: NamedDependency[Who],
        desk: NamedDependency[Desk],
    ) -> Answer[ContributionShown]:
        """Do not hold it for true, and say why: another than who stated it."""
        command = RejectContribution(actor=who.actor, today=who.today, reason=data.reason)
        return await desk.send(contribution_id, command)

    @post("/withdrawal", summary="Withdraw a contribution", status_code=200)
    async def withdraw(
        self,
        contribution_id: FromPath[UUID],
        data: JSONBody[Withdrawal],
        who: NamedDependency[Who],
        desk: NamedDependency[Desk],
    ) -> Answer[ContributionShown]:
        """Take it back: who stated it."""
        command = WithdrawContribution(actor=who.actor, today=who.today, reason=data.reason)
        return await desk.send(contribution_id, command)


async def _days(connection: Connection, who: Who, rows: Sequence[ContributionRow]) -> dict[UUID, date]:
    """From when the improvements that contributed took effect."""
    causes = [row.cause_id for row in rows if row.cause_kind is CauseKind.IMPROVEMENT]
    return await _improvements.took_effect(connection, who.organisation_id, causes)


async def _moved(body: FigureBody, who: Who, connection: Connection) -> Moved:
    if body.measure_id is None:
        return Moved(outcome_metric_id=body.outcome_metric_id)
    process = await _performance.process_of(connection, who.organisation_id, body.measure_id)
    if process is None:
        raise NotFound(kind="measure", id=body.measure_id)
    return Moved(outcome_metric_id=body.outcome_metric_id, process_id=process.process_id, measure_id=body.measure_id)


async def _change(
    data: NewContribution, moved: Moved, who: Who, connection: Connection, dispatch: Dispatch
) -> Change | None:
    """How the figure moved: before against the window, or against the after that is given."""
    if data.before is None:
        if data.comparison is not None or data.design is not Design.BEFORE_AFTER:
            raise Malformed(pointer="/before", detail="say what the window is compared with")
        return None
    within = _within(connection, who, moved.measure_id, moved.outcome_metric_id, data.segment)
    if within is None:
        raise Malformed(pointer="/to", detail="either an outcome metric, or a measure of a process")
    direction = await _direction(moved, who, dispatch)
    before = await figures(data.before, within, "/before")
    after_side = data.after or Side(start=data.window.start, end=data.window.end)
    after = await figures(after_side, within, "/after" if data.after else "/window")
    compared = await _compared(data, (data.before, after_side), moved, who, connection)
    if compared is None and data.design.needs_comparison:
        raise Malformed(pointer="/comparison", detail=f"the design {data.design} compares with others")
    return Change(
        before=before.summary,
        after=after.summary,
        before_origin=before.origin,
        after_origin=after.origin,
        design=data.design,
        comparison=compared,
        effect=await effect_of(data.design, before, after, compared, direction),
    )


async def _compared(
    data: NewContribution, days: tuple[Side, Side], moved: Moved, who: Who, connection: Connection
) -> Comparison | None:
    """The same elsewhere: another measure or metric, or another segment of the metric that moved."""
    body = data.comparison
    if body is None:
        return None
    metric_id = body.outcome_metric_id or (moved.outcome_metric_id if body.segment else None)
    return await comparison(body, days, _within(connection, who, body.measure_id, metric_id, body.segment))


def _within(
    connection: Connection, who: Who, measure_id: UUID | None, metric_id: UUID | None, segment: str | None
) -> Within | None:
    if measure_id is not None:
        return of_measure(connection, who.organisation_id, measure_id)
    return of_metric(connection, who.organisation_id, metric_id, segment) if metric_id is not None else None


async def _direction(moved: Moved, who: Who, dispatch: Dispatch) -> Direction:
    if moved.process_id is not None and moved.measure_id is not None:
        process = await dispatch.load(Process, who.organisation_id, moved.process_id)
        if process is not None:
            return process.measure(moved.measure_id).direction
    elif moved.outcome_metric_id is not None:
        metric = await dispatch.load(OutcomeMetric, who.organisation_id, moved.outcome_metric_id)
        if metric is not None:
            return metric.direction
    raise NotFound(kind="figure", id=moved.outcome_metric_id or moved.measure_id)


ROUTES = [contributions, state, OneContribution]
