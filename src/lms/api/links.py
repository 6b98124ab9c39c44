"""What stands behind a link, and what may be said because of it?"""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar import Request as HttpRequest
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody

from lms.api.answers import Answer, created, found, text
from lms.api.bodies import Body
from lms.api.deps import Connection, Reader, Sender, Who, services_of
from lms.api.figures import provide_fresh
from lms.api.then import Then, provide_then
from lms.domain.base import NotFound
from lms.domain.goal import Goal
from lms.domain.link import AttachEvidence, Link, RecordAlternative
from lms.domain.support import Alternative, Evidence, Plausibility, Stance
from lms.projections.links import LINKS, LinkRow, Links

_links = Links()


class NewEvidence(Body, frozen=True, kw_only=True):
    """What speaks for a claim or against it, and where to find it."""

    stance: Annotated[Stance, msgspec.Meta(examples=["supports"])]
    ref: Annotated[str, msgspec.Meta(examples=["Survey of 80 callers, week 9"])]


class NewAlternative(Body, frozen=True, kw_only=True):
    """What else could explain the change."""

    text: Annotated[str, msgspec.Meta(examples=["Prices went down in the same month"])]
    plausibility: Plausibility = Plausibility.MEDIUM


class EvidenceShown(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of evidence; the reference is null once who gave it is forgotten."""

    id: UUID
    stance: Stance
    ref: str | None
    next: tuple[str, ...] = ()


class AlternativeShown(msgspec.Struct, frozen=True, kw_only=True):
    """An alternative explanation."""

    id: UUID
    text: str
    plausibility: Plausibility
    next: tuple[str, ...] = ()


class LinkShown(msgspec.Struct, frozen=True, kw_only=True):
    """A link and what was gathered behind it. Which wording it allows is in the line of sight."""

    id: UUID
    process_id: UUID | None
    goal_id: UUID | None
    measure_id: UUID | None
    to_goal_id: UUID | None
    to_outcome_metric_id: UUID | None
    expected_lag_days: int | None
    evidence: list[EvidenceShown]
    alternatives: list[AlternativeShown]
    next: tuple[str, ...]


async def provide_link(
    request: HttpRequest[Any, Any, State],
    link_id: FromPath[UUID],
    who: NamedDependency[Who],
    fresh: NamedDependency[Connection],
) -> LinkRow:
    """The link in the path, for whom its process or goal is shown."""
    row = await _links.link(fresh, who.organisation_id, link_id)
    if row is not None and row.goal_id is not None:
        goal = await services_of(request).dispatch.load(Goal, who.organisation_id, row.goal_id)
        row = row if goal is not None and goal.is_shown_to(who.actor) else None
    elif who.is_guest:
        row = None
    if row is None:
        raise NotFound(kind="link", id=link_id)
    return row


class OneLink(Controller):
    """One link of a process or a goal."""

    path = "/v1/links/{link_id:uuid}"
    dependencies = {"fresh": Provide(provide_fresh), "link": Provide(provide_link)}  # noqa: RUF012 - Litestar's way
    tags = ["attribution"]  # noqa: RUF012 - Litestar's way

    @get(summary="What stands behind this link?", dependencies={"then": Provide(provide_then)})
    async def show(
        self, link: NamedDependency[LinkRow], reader: NamedDependency[Reader], then: NamedDependency[Then | None]
    ) -> Answer[LinkShown]:
        """Show one link with its evidence and the alternative explanations; as it stood ``as_of``, as ``known_at``."""
        stood: LinkRow | None = link
        if then is not None:
            owner = link.process_id or link.goal_id
            stood = await then.row(_links, LINKS, link.link_id, *([owner] if owner else []))
        if stood is None:
            raise NotFound(kind="link", id=link.link_id)
        row = await reader.open(stood)
        missing = {"evidence": not row.evidence, "alternatives": not row.alternatives}
        resource = LinkShown(
            id=row.link_id,
            process_id=row.process_id,
            goal_id=row.goal_id,
            measure_id=row.measure_id,
            to_goal_id=row.to_goal_id,
            to_outcome_metric_id=row.to_outcome_metric_id,
            expected_lag_days=row.expected_lag_days,
            evidence=evidence_shown(row.evidence),
            alternatives=alternatives_shown(row.alternatives),
            next=tuple(code for code, absent in missing.items() if absent),
        )
        return found(resource, row.version)

    @post("/evidence", summary="Attach evidence to a link")
    async def attach(
        self,
        data: JSONBody[NewEvidence],
        link: NamedDependency[LinkRow],
        who: NamedDependency[Who],
        sender: NamedDependency[Sender],
    ) -> Answer[EvidenceShown]:
        """Say what speaks for the link or against it. Everybody who sees the link may."""
        evidence = Evidence(evidence_id=sender.new_id("evidence"), stance=data.stance, ref=data.ref)
        command = AttachEvidence(
            actor=who.actor,
            today=who.today,
            link_id=link.link_id,
            process_id=link.process_id,
            goal_id=link.goal_id,
            evidence=evidence,
        )
        outcome = await sender.send(Link, link.link_id, command)
        (resource,) = evidence_shown([evidence])
        return created(resource, await sender.receipt(outcome), f"/v1/links/{link.link_id}")

    @post("/alternatives", summary="Record an alternative explanation")
    async def record(
        self,
        data: JSONBody[NewAlternative],
        link: NamedDependency[LinkRow],
        who: NamedDependency[Who],
        sender: NamedDependency[Sender],
    ) -> Answer[AlternativeShown]:
        """Say what else could explain the change: it makes the claim more honest, not weaker."""
        alternative = Alternative(
            alternative_id=sender.new_id("alternative"), text=data.text, plausibility=data.plausibility
        )
        command = RecordAlternative(
            actor=who.actor,
            today=who.today,
            link_id=link.link_id,
            process_id=link.process_id,
            goal_id=link.goal_id,
            alternative=alternative,
        )
        outcome = await sender.send(Link, link.link_id, command)
        (resource,) = alternatives_shown([alternative])
        return created(resource, await sender.receipt(outcome), f"/v1/links/{link.link_id}")


def evidence_shown(evidence: Sequence[Evidence]) -> list[EvidenceShown]:
    """Opened evidence as answers show it."""
    return [EvidenceShown(id=one.evidence_id, stance=one.stance, ref=text(one.ref)) for one in evidence]


def alternatives_shown(alternatives: Sequence[Alternative]) -> list[AlternativeShown]:
    """Alternatives as answers show them."""
    return [
        AlternativeShown(id=one.alternative_id, text=one.text, plausibility=one.plausibility) for one in alternatives
    ]


ROUTES = [OneLink]
