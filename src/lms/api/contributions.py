"""What is said to have moved a figure, and what stands behind that?"""

from decimal import Decimal
from typing import Annotated, Any, cast
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar import Request as HttpRequest
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody

from lms.api.answers import Answer, changed, created, found, text
from lms.api.bodies import Body
from lms.api.contributors import refuse_guests
from lms.api.deps import Connection, Reader, Sender, Who, services_of
from lms.api.figures import Side, WindowBody, effect_of, figures, of_measure, of_metric, provide_fresh
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
    Standing,
    StateContribution,
    SupportContribution,
    WithdrawContribution,
)
from lms.domain.effect import Design
from lms.domain.improvement_parts import Window
from lms.domain.outcome_metric import OutcomeMetric
from lms.domain.process import Process
from lms.domain.support import Alternative, Evidence, Stance
from lms.domain.terms import Direction
from lms.inference.grades import grade_of_change, grade_of_outcome_link, may_say
from lms.projections.contributions import CONTRIBUTIONS, ContributionRow, Contributions
from lms.projections.process_performance import ProcessPerformance

_contributions = Contributions()
_performance = ProcessPerformance()


class CauseBody(Body, frozen=True, kw_only=True):
    """What contributed: a competency (``skill``), something learned, or an improvement."""

    kind: Annotated[CauseKind, msgspec.Meta(examples=["improvement"])]
    id: UUID


class FigureBody(Body, frozen=True, kw_only=True):
    """The figure that moved: an outcome metric, or a measure of a process."""

    outcome_metric_id: UUID | None = None
    measure_id: UUID | None = None


class ShareBody(Body, frozen=True, kw_only=True):
    """Which part of the change it explains, from low to high, between 0 and 1."""

    low: Annotated[Decimal, msgspec.Meta(examples=[0.2])]
    high: Annotated[Decimal, msgspec.Meta(examples=[0.5])]


class NewContribution(Body, frozen=True, kw_only=True):
    """Something moved a figure. With ``before`` the figure's change over the window is computed and kept with it."""

    cause: CauseBody = msgspec.field(name="from")
    moved: FigureBody = msgspec.field(name="to")
    mechanism: Annotated[str, msgspec.Meta(examples=["Who is helped at once comes back"])]
    window: WindowBody
    share: ShareBody | None = None
    before: Side | None = None
    after: Annotated[Side | None, msgspec.Meta(description="The window, unless said otherwise")] = None
    segment: Annotated[str | None, msgspec.Meta(description="Of the outcome metric; the whole unless said")] = None


class Reason(Body, frozen=True, kw_only=True):
    """Why."""

    reason: Annotated[str, msgspec.Meta(examples=["The price cut explains it"])]


class Withdrawal(Body, frozen=True, kw_only=True):
    """Why, if you like."""

    reason: str | None = None


class ContributionShown(msgspec.Struct, frozen=True, kw_only=True):
    """A contribution, where it stands and what may be said because of it.

    ``over_claimed``: accepted shares of the same change sum above the whole; nothing is normalised.
    """

    id: UUID
    cause: Cause = msgspec.field(name="from")
    moved: Moved = msgspec.field(name="to")
    mechanism: str
    window: Window
    share: Share | None
    change: Change | None
    standing: Standing
    supporting_n: int
    weakening_n: int
    alternatives_n: int
    grade: int
    may_say: str
    over_claimed: bool | None = None
    next: tuple[str, ...]


class ContributionWhole(ContributionShown, frozen=True, kw_only=True):
    """A contribution with its evidence and alternatives."""

    evidence: list[EvidenceShown]
    alternatives: list[AlternativeShown]
    reason: str | None


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
    items = [_row_shown(row, row.contribution_id in over) for row in rows]
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
        change=await _change(data, moved, who, fresh, dispatch) if data.before else None,
    )
    outcome = await sender.send(Contribution, contribution_id, command)
    return created(_shown(outcome.aggregate), await sender.receipt(outcome), f"/v1/contributions/{contribution_id}")


class OneContribution(Controller):
    """One contribution."""

    path = "/v1/contributions/{contribution_id:uuid}"
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
        opened = await reader.open(row)
        whole = ContributionWhole(
            **msgspec.structs.asdict(_row_shown(row, contribution_id in over)),
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
        self, contribution_id: FromPath[UUID], who: NamedDependency[Who], sender: NamedDependency[Sender]
    ) -> Answer[ContributionShown]:
        """Hold it for true so far: another than who stated it, with evidence for it and an alternative recorded."""
        return await _send(contribution_id, AcceptContribution(actor=who.actor, today=who.today), sender)

    @post("/rejection", summary="Reject a contribution", status_code=200)
    async def reject(
        self,
        contribution_id: FromPath[UUID],
        data: JSONBody[Reason],
        who: NamedDependency[Who],
        sender: NamedDependency[Sender],
    ) -> Answer[ContributionShown]:
        """Do not hold it for true, and say why: another than who stated it."""
        command = RejectContribution(actor=who.actor, today=who.today, reason=data.reason)
        return await _send(contribution_id, command, sender)

    @post("/withdrawal", summary="Withdraw a contribution", status_code=200)
    async def withdraw(
        self,
        contribution_id: FromPath[UUID],
        data: JSONBody[Withdrawal],
        who: NamedDependency[Who],
        sender: NamedDependency[Sender],
    ) -> Answer[ContributionShown]:
        """Take it back: who stated it."""
        command = WithdrawContribution(actor=who.actor, today=who.today, reason=data.reason)
        return await _send(contribution_id, command, sender)


async def _send(contribution_id: UUID, command: ContributionCommand, sender: Sender) -> Answer[ContributionShown]:
    outcome = await sender.send(Contribution, contribution_id, command)
    return changed(_shown(outcome.aggregate), await sender.receipt(outcome))


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
    if moved.measure_id is not None:
        within = of_measure(connection, who.organisation_id, moved.measure_id)
    elif moved.outcome_metric_id is not None:
        within = of_metric(connection, who.organisation_id, moved.outcome_metric_id, data.segment)
    else:
        raise Malformed(pointer="/to", detail="either an outcome metric, or a measure of a process")
    direction = await _direction(moved, who, dispatch)
    before = await figures(cast("Side", data.before), within, "/before")
    after_side = data.after or Side(start=data.window.start, end=data.window.end)
    after = await figures(after_side, within, "/after" if data.after else "/window")
    return Change(
        before=before.summary,
        after=after.summary,
        before_origin=before.origin,
        after_origin=after.origin,
        effect=await effect_of(Design.BEFORE_AFTER, before, after, None, direction),
    )


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


def _shown(contribution: Contribution) -> ContributionShown:
    counts = contribution.supporting_n, contribution.weakening_n, contribution.alternatives_n
    return _parts_shown(contribution.id, contribution, contribution.moved, contribution.window, counts)


def _row_shown(row: ContributionRow, over_claimed: bool) -> ContributionShown:
    supporting_n = sum(one.stance is Stance.SUPPORTS for one in row.evidence)
    counts = supporting_n, len(row.evidence) - supporting_n, len(row.alternatives)
    moved = Moved(outcome_metric_id=row.outcome_metric_id, process_id=row.process_id, measure_id=row.measure_id)
    window = Window(start=row.starts_on, end=row.ends_on)
    shown = _parts_shown(row.contribution_id, row, moved, window, counts)
    return msgspec.structs.replace(shown, over_claimed=over_claimed)


def _parts_shown(
    contribution_id: UUID,
    one: Contribution | ContributionRow,
    moved: Moved,
    window: Window,
    counts: tuple[int, int, int],
) -> ContributionShown:
    supporting_n, weakening_n, alternatives_n = counts
    is_accepted = one.standing is Standing.ACCEPTED
    grade = grade_of_outcome_link(
        supported=supporting_n > 0,
        alternatives_n=alternatives_n,
        accepted=is_accepted,
        change_grade=_grade(one.change, window) if one.change else None,
    )
    missing = {"evidence": not supporting_n, "alternatives": not alternatives_n, "acceptance": not is_accepted}
    open_still = one.standing is Standing.STATED
    return ContributionShown(
        id=contribution_id,
        cause=one.cause,
        moved=moved,
        mechanism=one.mechanism,
        window=window,
        share=one.share,
        change=one.change,
        standing=one.standing,
        supporting_n=supporting_n,
        weakening_n=weakening_n,
        alternatives_n=alternatives_n,
        grade=grade,
        may_say=may_say(grade, one.change.effect.verdict if one.change and is_accepted else None),
        next=tuple(code for code, absent in missing.items() if absent and open_still),
    )


def _grade(change: Change, window: Window) -> int:
    """The grade of the figure's change; what contributed took effect with the window."""
    return grade_of_change(
        before=change.before,
        after=change.after,
        origins=(change.before_origin, change.after_origin),
        took_effect_on=window.start,
        design=change.design,
        effect=change.effect,
    )


ROUTES = [contributions, state, OneContribution]
