"""Who am I here, and who looked at my record?"""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request as HttpRequest
from litestar import delete, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from lms import clock
from lms.api import access_log
from lms.api.access_log import What
from lms.api.answers import Answer, Receipt, done, found, text
from lms.api.deps import Connection, Reader, Who, services_of
from lms.api.forgetting import forget
from lms.api.identities import Identities
from lms.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, page
from lms.api.standing import people_moved
from lms.dispatch import Request
from lms.domain.base import ActorKind, NotFound, Role, RuleBroken
from lms.projections.organisations import Organisations
from lms.projections.people import People

_people = People()
_organisations = Organisations()


class ConfirmationNeeded(RuleBroken):
    """This cannot be undone: send ?confirm= with your own id, as GET /v1/me shows it."""


class MyTeam(msgspec.Struct, frozen=True, kw_only=True):
    """One of my teams: where I am a member, at home, or the lead."""

    id: UUID
    name: str
    member: bool
    home: bool
    lead: bool


class MyOrganisation(msgspec.Struct, frozen=True, kw_only=True):
    """The organisation I am part of."""

    id: UUID
    name: str
    time_zone: str
    currency: str
    language: str


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who I am. ``today`` is the date in the organisation's time zone."""

    id: UUID
    kind: ActorKind
    name: str | None
    email: str | None
    role_band: str | None
    registered_on: date
    roles: tuple[Role, ...]
    teams: list[MyTeam]
    organisation: MyOrganisation
    today: date


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody read my record."""

    id: UUID
    at: datetime
    what: What
    reader_id: UUID
    reader_name: str | None


@get("/v1/me", summary="Who am I, in which teams, with which roles?", tags=["people"])
async def me(
    who: NamedDependency[Who], reader: NamedDependency[Reader], connection: NamedDependency[Connection]
) -> Answer[Me]:
    """Show the caller to himself."""
    row = await _people.contributor(connection, who.organisation_id, who.contributor_id)
    organisation = await _organisations.organisation(connection, who.organisation_id)
    if row is None or organisation is None:
        raise NotFound(kind="contributor", id=who.contributor_id)
    teams = await _people.teams_with(connection, who.actor.member_of | who.actor.leads)
    row = await reader.open(row)
    return found(
        Me(
            id=who.contributor_id,
            kind=who.actor.kind,
            name=text(row.name),
            email=text(row.email),
            role_band=row.role_band,
            registered_on=row.registered_on,
            roles=who.actor.roles,
            teams=[
                MyTeam(
                    id=team.team_id,
                    name=team.name,
                    member=team.team_id in who.actor.member_of,
                    home=team.team_id == who.home_team_id,
                    lead=team.team_id in who.actor.leads,
                )
                for team in teams
            ],
            organisation=MyOrganisation(
                id=organisation.organisation_id,
                name=organisation.name,
                time_zone=organisation.time_zone,
                currency=organisation.currency,
                language=organisation.language,
            ),
            today=who.today,
        ),
        row.version,
    )


@get("/v1/me/access-log", summary="Who looked at my record?", tags=["people"])
async def my_access_log(
    who: NamedDependency[Who],
    reader: NamedDependency[Reader],
    connection: NamedDependency[Connection],
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Answer[Page[Look]]:
    """List the readings of the caller's record by others, the latest first."""
    before = decode_cursor(cursor, UUID)
    rows = await access_log.entries(
        connection, who.organisation_id, who.contributor_id, limit + 1, before[0] if before else None
    )
    names = await _people.names(connection, who.organisation_id, {row.reader_id for row in rows})
    names = await reader.open(names)
    looks = [
        Look(
            id=row.entry_id,
            at=row.read_at,
            what=row.what,
            reader_id=row.reader_id,
            reader_name=text(names.get(row.reader_id)),
        )
        for row in rows
    ]
    return found(page(looks, limit, lambda look: (look.id,)))


@delete("/v1/me", summary="Forget me: every text about me, for good", tags=["people"], status_code=204)
async def forget_me(
    request: HttpRequest[Any, Any, State],
    who: NamedDependency[Who],
    confirm: FromQuery[Annotated[UUID | None, QueryParameter(description="Your own id")]] = None,
) -> Answer[None]:
    """Destroy the caller's key. The token is of no use afterwards."""
    if confirm != who.contributor_id:
        raise ConfirmationNeeded
    services = services_of(request)
    command = Request(
        organisation_id=who.organisation_id,
        actor=who.actor,
        command_id=clock.uuid7(),
        time_zone=who.time_zone,
        at=clock.now(),
    )
    identities = Identities(services.subjects, services.reads)
    outcome = await forget(services.dispatch, services.subjects, identities, who.contributor_id, command)
    people_moved(request, who.organisation_id, outcome.position)
    position = outcome.position if outcome.position is not None else await services.log.head()
    return done(Receipt(outcome.version, services.log.token(position)))


ROUTES = [me, my_access_log, forget_me]
