"""What holds now between a caller and the teams, without asking the database at every request?"""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request as HttpRequest
from litestar.datastructures import State

from lms.api.identities import Identities
from lms.api.services import Services
from lms.projections.organisations import OrganisationRow, Organisations
from lms.projections.people import People, Relations

FRESH_S = 2.0
"""How long an answer may be used while this process knows of no newer event about people."""

_WAIT_S = 2.0
_MOST = 20_000

_people = People()
_organisations = Organisations()


class Standing(msgspec.Struct, frozen=True):
    """A person's relations and the settings of his organisation."""

    relations: Relations
    organisation: OrganisationRow


class _Kept(msgspec.Struct, frozen=True):
    standing: Standing
    position: int
    until: float


class Standings:
    """Keeps answers for seconds; a position the caller has seen, or an event written here, makes older ones stale."""

    def __init__(self, services: Services, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._services = services
        self._monotonic = monotonic
        self._kept: OrderedDict[tuple[UUID, UUID], _Kept] = OrderedDict()
        self._moved: dict[UUID, int] = {}
        self._sign_ins: dict[tuple[UUID, str, str], UUID] = {}

    def moved(self, organisation_id: UUID, position: int | None) -> None:
        """Note that people or teams changed at this position of the log."""
        if position is not None:
            self._moved[organisation_id] = max(position, self._moved.get(organisation_id, 0))

    async def of(self, organisation_id: UUID, contributor_id: UUID, after: str | None = None) -> Standing | None:
        """What holds for a person, at least as of the token ``after``; None for somebody unknown or gone."""
        needed = self._moved.get(organisation_id, 0)
        if after is not None:
            needed = max(needed, await self._services.log.position_of(after))
        key = (organisation_id, contributor_id)
        kept = self._kept.get(key)
        if kept is not None and kept.position >= needed and kept.until > self._monotonic():
            return kept.standing
        if kept is None or kept.position < needed:
            await self._services.wait_for_position(needed, _WAIT_S)
        standing = await self._ask(organisation_id, contributor_id)
        if standing is None:
            # Somebody registered a moment ago, perhaps by another process, is no stranger.
            needed = await self._services.log.head()
            await self._services.wait_for_position(needed, _WAIT_S)
            standing = await self._ask(organisation_id, contributor_id)
        if standing is not None:
            self._keep(key, _Kept(standing, needed, self._monotonic() + FRESH_S))
        return standing

    async def contributor_of(self, organisation_id: UUID, issuer: str, subject: str) -> UUID | None:
        """The contributor who signs in so, kept until `unknown` says that he is gone."""
        key = (organisation_id, issuer, subject)
        found = self._sign_ins.get(key)
        if found is None:
            found = await Identities(self._services.subjects, self._services.reads).of_subject(*key)
            if found is not None and len(self._sign_ins) < _MOST:
                self._sign_ins[key] = found
        return found

    def unknown(self, organisation_id: UUID, issuer: str, subject: str) -> None:
        """Look anew at the next request: whom a sign-in stood for has left, another may have it now."""
        self._sign_ins.pop((organisation_id, issuer, subject), None)

    async def _ask(self, organisation_id: UUID, contributor_id: UUID) -> Standing | None:
        async with self._services.reads.acquire() as connection:
            relations = await _people.relations(connection, organisation_id, contributor_id)
            organisation = await _organisations.organisation(connection, organisation_id)
        return Standing(relations, organisation) if relations and organisation else None

    def _keep(self, key: tuple[UUID, UUID], kept: _Kept) -> None:
        self._kept[key] = kept
        self._kept.move_to_end(key)
        if len(self._kept) > _MOST:
            self._kept.popitem(last=False)


def standings_of(state: State) -> Standings:
    """The application's answers, made at the first question."""
    if "standings" not in state:
        state["standings"] = Standings(state["services"])
    standings: Standings = state["standings"]
    return standings


def people_moved(http: HttpRequest[Any, Any, State], organisation_id: UUID, position: int | None) -> None:
    """Let the next request of this process see a change of people or teams at once."""
    standings_of(http.app.state).moved(organisation_id, position)
