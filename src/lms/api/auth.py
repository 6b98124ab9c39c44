"""Who is calling, with which roles and relations?"""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar.connection import ASGIConnection
from litestar.middleware.authentication import AbstractAuthenticationMiddleware, AuthenticationResult

from lms.api.deps import Who
from lms.api.problems import Unauthenticated
from lms.api.services import Services
from lms.api.standing import Standing, standings_of
from lms.domain.base import Actor, ActorKind, Forbidden, Role
from lms.domain.contributor import ContributorKind
from lms.tokens import InvalidToken, Principal


class UnknownContributor(Forbidden):
    """Nobody with this sign-in takes part in this organisation."""


class Authentication(AbstractAuthenticationMiddleware):
    """Verifies the bearer token and finds the contributor it speaks for; ``request.user`` is a `Who`."""

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        """The caller. Raises Unauthenticated, UnknownContributor, IssuerUnavailable, and what LMS-After asks for."""
        services: Services = connection.app.state.services
        try:
            principal = await services.verifier.verify(_bearer(connection.headers.get("Authorization")))
        except InvalidToken as error:
            raise Unauthenticated(reason=str(error)) from error
        standings = standings_of(connection.app.state)
        signed_in = (principal.organisation_id, principal.issuer, principal.subject)
        contributor_id = principal.contributor_id or await standings.contributor_of(*signed_in)
        if contributor_id is None:
            raise UnknownContributor
        after = connection.headers.get("LMS-After")
        standing = await standings.of(principal.organisation_id, contributor_id, after)
        if standing is None:
            standings.unknown(*signed_in)
            raise UnknownContributor
        return AuthenticationResult(user=_who(principal, contributor_id, standing), auth=principal)


def _bearer(header: str | None) -> str:
    scheme, _, token = (header or "").strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated(reason="send the header Authorization: Bearer <token>")
    return token.strip()


def _who(principal: Principal, contributor_id: UUID, standing: Standing) -> Who:
    relations, organisation = standing.relations, standing.organisation
    return Who(
        organisation_id=principal.organisation_id,
        contributor_id=contributor_id,
        actor=Actor(
            contributor_id=contributor_id,
            kind=ActorKind(relations.kind.value),
            roles=_roles(principal.roles, relations.kind),
            leads=relations.leads,
            member_of=relations.member_of,
        ),
        home_team_id=relations.home_team_id,
        time_zone=ZoneInfo(organisation.time_zone),
        currency=organisation.currency,
        language=organisation.language,
    )


def _roles(roles: tuple[Role, ...], kind: ContributorKind) -> tuple[Role, ...]:
    """The token's roles; whoever comes from outside is a guest, whatever the issuer calls him."""
    if kind is ContributorKind.EMPLOYEE:
        return roles
    return (Role.GUEST,)
