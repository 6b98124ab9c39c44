"""What can be learned, and under which names?"""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from lms.api.answers import Answer, changed, created, found
from lms.api.bodies import Body
from lms.api.contributors import refuse_guests
from lms.api.deps import Connection, Sender, Who
from lms.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, page
from lms.domain.base import Malformed, NotFound
from lms.domain.competency import (
    Broader,
    Competency,
    CompetencyKind,
    DefineCompetency,
    ExternalRef,
    RelabelCompetency,
    RetireCompetency,
)
from lms.projections.competencies import Competencies, CompetencyRow, label_in
from lms.projections.my_learning import MyLearning
from lms.projections.my_skills import MySkills

_competencies = Competencies()
_learning = MyLearning()
_skills = MySkills()

Labels = Annotated[
    dict[str, str], msgspec.Meta(description="By language tag", examples=[{"en": "listen actively", "nl": "luisteren"}])
]
AltLabels = Annotated[
    dict[str, tuple[str, ...]], msgspec.Meta(description="Other names by language tag", examples=[{"en": ["hear out"]}])
]
Words = Annotated[str | None, QueryParameter(description="Words in any name, in any language, whatever capitals")]


class NewCompetency(Body, frozen=True, kw_only=True):
    """Something that can be learned; ``label`` is short for one in the organisation's language."""

    label: Annotated[str | None, msgspec.Meta(examples=["listen actively"])] = None
    labels: Labels = msgspec.field(default_factory=dict)
    alt_labels: AltLabels = msgspec.field(default_factory=dict)
    framework_id: UUID | None = None
    code: str | None = None
    kind: CompetencyKind = CompetencyKind.SKILL
    refs: tuple[ExternalRef, ...] = ()
    broader: tuple[UUID, ...] = ()
    scale_id: UUID | None = None


class NewLabels(Body, frozen=True, kw_only=True):
    """Other names: each language given is replaced with its alternatives, the others stay."""

    labels: Labels
    alt_labels: AltLabels = msgspec.field(default_factory=dict)


class Retirement(Body, frozen=True, kw_only=True):
    """Why a competency is used no more."""

    reason: str | None = None


class CompetencyShown(msgspec.Struct, frozen=True, kw_only=True):
    """A competency; ``label`` is in the organisation's language, or the nearest there is."""

    id: UUID
    label: str
    labels: dict[str, str]
    alt_labels: dict[str, tuple[str, ...]]
    kind: CompetencyKind
    framework_id: UUID | None
    code: str | None
    refs: tuple[ExternalRef, ...]
    broader: tuple[Broader, ...]
    scale_id: UUID | None
    retired: bool
    next: tuple[str, ...] = ()


@get("/v1/competencies", summary="What can be learned?", tags=["competencies"])
async def competencies(
    who: NamedDependency[Who],
    connection: NamedDependency[Connection],
    q: Words = None,
    mine: FromQuery[bool] = False,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Answer[Page[CompetencyShown]]:
    """List competencies by label; ``?q=`` finds by any name, best first; ``?mine=true`` those I learn or show."""
    refuse_guests(who)
    among = await _mine(connection, who) if mine else None
    after = decode_cursor(cursor, int, str, UUID)
    rows = await _competencies.search(connection, who.organisation_id, limit + 1, q, among, after)
    shown = page(rows, limit, lambda one: (one.rank, one.competency.sort_label, one.competency.competency_id))
    return found(Page([_shown(row.competency.competency_id, row.competency, who) for row in shown.items], shown.next))


@get("/v1/competencies/{competency_id:uuid}", summary="What is this competency?", tags=["competencies"])
async def competency(
    competency_id: FromPath[UUID], who: NamedDependency[Who], connection: NamedDependency[Connection]
) -> Answer[CompetencyShown]:
    """Show one competency, also a retired one."""
    refuse_guests(who)
    row = await _competencies.competency(connection, who.organisation_id, competency_id)
    if row is None:
        raise NotFound(competency=competency_id)
    return found(_shown(competency_id, row, who), row.version)


@post("/v1/competencies", summary="Name something that can be learned", tags=["competencies"])
async def define_competency(
    data: JSONBody[NewCompetency], who: NamedDependency[Who], sender: NamedDependency[Sender]
) -> Answer[CompetencyShown]:
    """Define a competency; one with an external reference has one id, also when an import brings it later."""
    competency_id = Competency.id_of(who.organisation_id, data.refs[0].uri) if data.refs else sender.new_id()
    if data.label is not None and data.labels:
        raise Malformed(pointer="/label", detail="give either label or labels")
    command = DefineCompetency(
        actor=who.actor,
        today=who.today,
        competency_id=competency_id,
        framework_id=data.framework_id,
        code=data.code,
        kind=data.kind,
        labels=data.labels if data.label is None else {who.language: data.label},
        alt_labels=data.alt_labels,
        refs=data.refs,
        broader=tuple(Broader(competency_id=one) for one in data.broader),
        scale_id=data.scale_id,
    )
    outcome = await sender.send(Competency, competency_id, command)
    shown = _shown(competency_id, outcome.aggregate, who)
    return created(shown, await sender.receipt(outcome), f"/v1/competencies/{competency_id}")


@patch("/v1/competencies/{competency_id:uuid}", summary="Rename a competency", tags=["competencies"])
async def relabel_competency(
    competency_id: FromPath[UUID],
    data: JSONBody[NewLabels],
    who: NamedDependency[Who],
    sender: NamedDependency[Sender],
) -> Answer[CompetencyShown]:
    """Give other names in some languages. Team leads, business owners and administrators."""
    command = RelabelCompetency(actor=who.actor, today=who.today, labels=data.labels, alt_labels=data.alt_labels)
    outcome = await sender.send(Competency, competency_id, command)
    return changed(_shown(competency_id, outcome.aggregate, who), await sender.receipt(outcome))


@post(
    "/v1/competencies/{competency_id:uuid}/retirement",
    summary="Use a competency no more",
    tags=["competencies"],
    status_code=200,
)
async def retire_competency(
    competency_id: FromPath[UUID],
    data: JSONBody[Retirement],
    who: NamedDependency[Who],
    sender: NamedDependency[Sender],
) -> Answer[CompetencyShown]:
    """Take a competency out of use; what was learned stays. Team leads, business owners and administrators."""
    command = RetireCompetency(actor=who.actor, today=who.today, reason=data.reason)
    outcome = await sender.send(Competency, competency_id, command)
    return changed(_shown(competency_id, outcome.aggregate, who), await sender.receipt(outcome))


async def _mine(connection: Connection, who: Who) -> set[UUID]:
    learned = await _learning.competencies(connection, who.organisation_id, who.contributor_id)
    return learned | await _skills.competencies(connection, who.organisation_id, who.contributor_id)


def _shown(competency_id: UUID, competency: Competency | CompetencyRow, who: Who) -> CompetencyShown:
    return CompetencyShown(
        id=competency_id,
        label=label_in(competency.labels, who.language),
        labels=competency.labels,
        alt_labels=competency.alt_labels,
        kind=competency.kind,
        framework_id=competency.framework_id,
        code=competency.code,
        refs=competency.refs,
        broader=competency.broader,
        scale_id=competency.scale_id,
        retired=competency.is_retired,
    )


ROUTES = [competencies, competency, define_competency, relabel_competency, retire_competency]
