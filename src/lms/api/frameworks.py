"""From which catalogues do competencies come, and in which steps are levels told?"""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from lms.api.answers import Answer, created, found
from lms.api.bodies import Body
from lms.api.contributors import refuse_guests
from lms.api.deps import Connection, Sender, Who
from lms.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, page
from lms.domain.base import NotFound
from lms.domain.competency_framework import CompetencyFramework, DefineFramework
from lms.domain.proficiency_scale import FOUR_STEPS, DefineScale, ProficiencyScale, ScaleStep
from lms.projections.competencies import Competencies, FrameworkRow

_competencies = Competencies()


class NewFramework(Body, frozen=True, kw_only=True):
    """A catalogue of competencies; ``acknowledgement`` is what its publisher asks to be shown."""

    name: Annotated[str, msgspec.Meta(examples=["ESCO"])]
    publisher: Annotated[str | None, msgspec.Meta(examples=["European Commission"])] = None
    edition: Annotated[str | None, msgspec.Meta(examples=["1.2"])] = None
    uri: Annotated[str | None, msgspec.Meta(examples=["http://data.europa.eu/esco"])] = None
    acknowledgement: str | None = None


class FrameworkShown(msgspec.Struct, frozen=True, kw_only=True):
    """A catalogue of competencies."""

    id: UUID
    name: str
    publisher: str | None
    edition: str | None
    uri: str | None
    acknowledgement: str | None
    next: tuple[str, ...] = ()


class NewScale(Body, frozen=True, kw_only=True):
    """The steps in which levels are told; without ``levels`` the usual four."""

    name: Annotated[str, msgspec.Meta(examples=["Four steps"])]
    levels: Annotated[
        tuple[ScaleStep, ...],
        msgspec.Meta(examples=[[{"rank": 1, "label": "knows"}, {"rank": 2, "label": "with help"}]]),
    ] = FOUR_STEPS


class ScaleShown(msgspec.Struct, frozen=True, kw_only=True):
    """A proficiency scale; ``default``: it counts where a competency names no other."""

    id: UUID
    name: str
    levels: tuple[ScaleStep, ...]
    default: bool
    next: tuple[str, ...] = ()


@get("/v1/competency-frameworks", summary="Which catalogues are in use?", tags=["competencies"])
async def frameworks(
    who: NamedDependency[Who],
    connection: NamedDependency[Connection],
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Answer[Page[FrameworkShown]]:
    """List the competency frameworks."""
    refuse_guests(who)
    after = decode_cursor(cursor, UUID)
    rows = await _competencies.frameworks(connection, who.organisation_id, limit + 1, after[0] if after else None)
    items = [_framework(row.framework_id, row) for row in rows]
    return found(page(items, limit, lambda one: (one.id,)))


@get("/v1/competency-frameworks/{framework_id:uuid}", summary="What is this catalogue?", tags=["competencies"])
async def framework(
    framework_id: FromPath[UUID], who: NamedDependency[Who], connection: NamedDependency[Connection]
) -> Answer[FrameworkShown]:
    """Show one competency framework."""
    refuse_guests(who)
    row = await _competencies.framework(connection, who.organisation_id, framework_id)
    if row is None:
        raise NotFound(competency_framework=framework_id)
    return found(_framework(framework_id, row), row.version)


@post("/v1/competency-frameworks", summary="Bring in a catalogue", tags=["competencies"])
async def define_framework(
    data: JSONBody[NewFramework], who: NamedDependency[Who], sender: NamedDependency[Sender]
) -> Answer[FrameworkShown]:
    """Define a competency framework. Administrators and business owners."""
    framework_id = sender.new_id()
    facts = msgspec.structs.asdict(data)
    command = DefineFramework(actor=who.actor, today=who.today, framework_id=framework_id, **facts)
    outcome = await sender.send(CompetencyFramework, framework_id, command)
    location = f"/v1/competency-frameworks/{framework_id}"
    return created(FrameworkShown(id=framework_id, **facts), await sender.receipt(outcome), location)


@get("/v1/proficiency-scales", summary="In which steps are levels told?", tags=["competencies"])
async def scales(
    who: NamedDependency[Who],
    connection: NamedDependency[Connection],
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Answer[Page[ScaleShown]]:
    """List the proficiency scales."""
    after = decode_cursor(cursor, UUID)
    rows = await _competencies.scales(connection, who.organisation_id, limit + 1, after[0] if after else None)
    items = [_scale(row.scale_id, row.name, row.levels, who) for row in rows]
    return found(page(items, limit, lambda one: (one.id,)))


@get("/v1/proficiency-scales/{scale_id:uuid}", summary="Which steps has this scale?", tags=["competencies"])
async def scale(
    scale_id: FromPath[UUID], who: NamedDependency[Who], connection: NamedDependency[Connection]
) -> Answer[ScaleShown]:
    """Show one proficiency scale."""
    row = await _competencies.scale(connection, who.organisation_id, scale_id)
    if row is None:
        raise NotFound(proficiency_scale=scale_id)
    return found(_scale(scale_id, row.name, row.levels, who), row.version)


@post("/v1/proficiency-scales", summary="Define a scale", tags=["competencies"])
async def define_scale(
    data: JSONBody[NewScale], who: NamedDependency[Who], sender: NamedDependency[Sender]
) -> Answer[ScaleShown]:
    """Define a proficiency scale; it never changes afterwards. Administrators and business owners."""
    scale_id = sender.new_id()
    command = DefineScale(actor=who.actor, today=who.today, scale_id=scale_id, name=data.name, levels=data.levels)
    outcome = await sender.send(ProficiencyScale, scale_id, command)
    defined = outcome.aggregate
    shown = _scale(scale_id, defined.name, defined.levels, who)
    return created(shown, await sender.receipt(outcome), f"/v1/proficiency-scales/{scale_id}")


def _framework(framework_id: UUID, row: FrameworkRow) -> FrameworkShown:
    return FrameworkShown(
        id=framework_id,
        name=row.name,
        publisher=row.publisher,
        edition=row.edition,
        uri=row.uri,
        acknowledgement=row.acknowledgement,
    )


def _scale(scale_id: UUID, name: str, levels: tuple[ScaleStep, ...], who: Who) -> ScaleShown:
    is_default = scale_id == ProficiencyScale.default_id(who.organisation_id)
    return ScaleShown(id=scale_id, name=name, levels=levels, default=is_default)


ROUTES = [frameworks, framework, define_framework, scales, scale, define_scale]
