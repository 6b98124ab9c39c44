"""Who takes part, and how does somebody join or leave?"""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request as HttpRequest
from litestar import get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from lms.api import access_log
from lms.api.access_log import What
from lms.api.answers import Answer, changed, created, found, text
from lms.api.bodies import Body
from lms.api.deps import Connection, NotYourRole, Reader, Sender, Who, services_of
from lms.api.identities import EmailInUse, Identities
from lms.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, page
from lms.api.standing import people_moved
from lms.domain.base import NotFound, Role
from lms.domain.contributor import (
    Contributor,
    ContributorIsInactive,
    ContributorKind,
    DeactivateContributor,
    RegisterContributor,
    check_email,
)
from lms.projections.people import ContributorRow, People

_people = People()


class NewContributor(Body, frozen=True, kw_only=True):
    """Somebody who takes part from now on."""

    name: Annotated[str, msgspec.Meta(examples=["Noor de Wit"])]
    email: Annotated[str | None, msgspec.Meta(examples=["noor@example.org"])] = None
    kind: ContributorKind = ContributorKind.EMPLOYEE
    role_band: Annotated[str | None, msgspec.Meta(examples=["store-staff"])] = None
    on: date | None = None


class Departure(Body, frozen=True, kw_only=True):
    """The day somebody leaves; today unless said otherwise."""

    on: date | None = None


class SignIn(Body, frozen=True, kw_only=True):
    """The subject of an OIDC issuer that signs in as this contributor."""

    issuer: Annotated[str, msgspec.Meta(min_length=1, max_length=500, examples=["https://login.example.org"])]
    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=500, examples=["00u1a2b3c4"])]


class Colleague(msgspec.Struct, frozen=True, kw_only=True):
    """What everybody inside sees of a person; the name is null once he is forgotten."""

    id: UUID
    kind: ContributorKind
    name: str | None


class Person(Colleague, frozen=True, kw_only=True):
    """What an administrator and the person himself see. Each reading by another is noted for the person."""

    email: str | None
    role_band: str | None
    registered_on: date
    left_on: date | None
    home_team_id: UUID | None
    next: tuple[str, ...] = ()


@get("/v1/contributors", summary="Who takes part?", tags=["people"])
async def contributors(
    who: NamedDependency[Who],
    reader: NamedDependency[Reader],
    connection: NamedDependency[Connection],
    team: FromQuery[UUID | None] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Answer[Page[Colleague]]:
    """List the people of the organisation or of one team: id, kind and name. Guests see none."""
    refuse_guests(who)
    after = decode_cursor(cursor, UUID)
    rows = await _people.contributors(connection, who.organisation_id, limit + 1, after[0] if after else None, team)
    items = [_colleague(row) for row in await reader.open(rows)]
    return found(page(items, limit, lambda one: (one.id,)))


@get("/v1/contributors/{contributor_id:uuid}", summary="Who is this?", tags=["people"])
async def contributor(
    request: HttpRequest[Any, Any, State],
    contributor_id: FromPath[UUID],
    who: NamedDependency[Who],
    reader: NamedDependency[Reader],
    connection: NamedDependency[Connection],
) -> Answer[Person | Colleague]:
    """Show one person: whole to an administrator and to himself, else id, kind and name."""
    row = await _people.contributor(connection, who.organisation_id, contributor_id)
    myself = contributor_id == who.contributor_id
    if row is None or (who.is_guest and not myself):
        raise NotFound(kind="contributor", id=contributor_id)
    if not myself and not who.actor.has(Role.ADMINISTRATOR):
        return found(_colleague(await reader.open(row)), row.version)
    pool = services_of(request).reads
    await access_log.note(pool, who.organisation_id, contributor_id, who.contributor_id, What.CONTRIBUTOR)
    return found(_person(await reader.open(row)), row.version)


@post("/v1/contributors", summary="Register somebody", tags=["people"])
async def register(
    request: HttpRequest[Any, Any, State],
    data: JSONBody[NewContributor],
    who: NamedDependency[Who],
    sender: NamedDependency[Sender],
) -> Answer[Person]:
    """Register a person. Administrators; an e-mail address belongs to one person."""
    who.require(Role.ADMINISTRATOR)
    contributor_id = sender.new_id()
    if data.email is not None:
        contributor_id = await _claim(request, who, data.email, contributor_id)
    command = RegisterContributor(
        actor=who.actor,
        today=who.today,
        contributor_id=contributor_id,
        kind=data.kind,
        role_band=data.role_band,
        name=data.name,
        email=data.email,
        on=data.on,
    )
    outcome = await sender.send(Contributor, contributor_id, command)
    people_moved(request, who.organisation_id, outcome.position)
    person = Person(
        id=contributor_id,
        kind=data.kind,
        name=data.name.strip(),
        email=data.email,
        role_band=data.role_band,
        registered_on=outcome.aggregate.registered_on,
        left_on=None,
        home_team_id=None,
        next=("team",),
    )
    return created(person, await sender.receipt(outcome), f"/v1/contributors/{contributor_id}")


@post(
    "/v1/contributors/{contributor_id:uuid}/deactivation", summary="Somebody has left", tags=["people"], status_code=200
)
async def deactivate(
    request: HttpRequest[Any, Any, State],
    contributor_id: FromPath[UUID],
    data: JSONBody[Departure],
    who: NamedDependency[Who],
    sender: NamedDependency[Sender],
) -> Answer[dict[str, Any]]:
    """Let a person leave: he counts in no team and leads none from that day. Administrators."""
    command = DeactivateContributor(actor=who.actor, today=who.today, on=data.on or who.today)
    outcome = await sender.send(Contributor, contributor_id, command)
    people_moved(request, who.organisation_id, outcome.position)
    return changed({"id": contributor_id, "left_on": outcome.aggregate.left_on}, await sender.receipt(outcome))


@post(
    "/v1/contributors/{contributor_id:uuid}/sign-ins",
    summary="Let an OIDC subject sign in",
    tags=["people"],
    status_code=204,
)
async def bind_sign_in(
    request: HttpRequest[Any, Any, State],
    contributor_id: FromPath[UUID],
    data: JSONBody[SignIn],
    who: NamedDependency[Who],
) -> Answer[None]:
    """Let a subject of the configured issuer sign in as this contributor. Administrators."""
    who.require(Role.ADMINISTRATOR)
    services = services_of(request)
    standing = await services.dispatch.load(Contributor, who.organisation_id, contributor_id)
    if standing is None:
        raise NotFound(kind="contributor", id=contributor_id)
    if not standing.is_active:
        raise ContributorIsInactive(contributor_id=contributor_id)
    identities = Identities(services.subjects, services.reads)
    await identities.bind_subject(who.organisation_id, data.issuer, data.subject, contributor_id)
    return Answer(None, status_code=204)


def refuse_guests(who: Who) -> None:
    """Refuse what is open inside the organisation only."""
    if who.is_guest:
        raise NotYourRole(needs=Role.EMPLOYEE)


async def _claim(request: HttpRequest[Any, Any, State], who: Who, email: str, proposed: UUID) -> UUID:
    """The id that the person with this address gets; refuses an address of somebody registered."""
    check_email(email, "/email")
    services = services_of(request)
    identities = Identities(services.subjects, services.reads)
    owner = await identities.claim_email(who.organisation_id, email, proposed)
    if owner != proposed and await services.dispatch.load(Contributor, who.organisation_id, owner) is not None:
        raise EmailInUse
    return owner


def _colleague(row: ContributorRow) -> Colleague:
    return Colleague(id=row.contributor_id, kind=row.kind, name=text(row.name))


def _person(row: ContributorRow) -> Person:
    return Person(
        id=row.contributor_id,
        kind=row.kind,
        name=text(row.name),
        email=text(row.email),
        role_band=row.role_band,
        registered_on=row.registered_on,
        left_on=row.left_on,
        home_team_id=row.home_team_id,
        next=("team",) if row.home_team_id is None and row.left_on is None else (),
    )


ROUTES = [contributors, contributor, register, deactivate, bind_sign_in]
