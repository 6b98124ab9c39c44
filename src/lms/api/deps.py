"""Who asks, under which name does he write, and from which state does he read?"""

import re
from collections.abc import AsyncIterator
from datetime import date
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from asyncpg.pool import PoolConnectionProxy
from litestar import Request as HttpRequest
from litestar.datastructures import State
from litestar.di import Provide

from lms import clock
from lms.api.answers import Receipt, opened
from lms.api.problems import ProjectionBehind
from lms.api.services import Services
from lms.dispatch import Outcome, Request, VersionMismatch
from lms.domain.base import Actor, Aggregate, Command, Forbidden, Malformed, Role

A = TypeVar("A", bound=Aggregate)
T = TypeVar("T")

WAIT_S = 2.0
"""How long a read with LMS-After waits for its position."""

_ETAG = re.compile(r'^(?:W/)?"([0-9]{1,18})"$')

Connection = PoolConnectionProxy
"""A connection whose search_path is the live read schema."""


class NotYourRole(Forbidden):
    """Your roles do not allow this."""


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """The signed-in contributor with the relations that hold now, and the organisation's settings."""

    organisation_id: UUID
    contributor_id: UUID
    actor: Actor
    home_team_id: UUID | None
    time_zone: ZoneInfo
    currency: str
    language: str

    @property
    def today(self) -> date:
        """The date in the organisation's time zone."""
        return clock.now().astimezone(self.time_zone).date()

    @property
    def is_guest(self) -> bool:
        """Tell whether a customer or partner asks: he sees public objects and those he was invited to."""
        return self.actor.has(Role.GUEST)

    def require(self, *roles: Role) -> None:
        """Refuse unless the token carries one of the roles."""
        if not self.actor.has(*roles):
            raise NotYourRole(needs=" or ".join(roles))


class Sender:
    """Sends the commands of one request: names them, stamps them and answers for them.

    With an Idempotency-Key the command id, and every id made from it, is the same for every retry.
    """

    def __init__(self, services: Services, who: Who, http: HttpRequest[Any, Any, State], body: bytes) -> None:
        self._services = services
        self._who = who
        self._body = body
        self._expected = _expected_version(http)
        key = http.headers.get("Idempotency-Key")
        self.command_id = clock.uuid7() if key is None else _command_id(who, http, key)
        self._is_keyed = key is not None
        self._correlation_id = http.scope["state"].get("request_id")
        self._made: set[UUID] = set()

    def new_id(self, name: str = "stream") -> UUID:
        """The id of something this request makes: the same on a retry with the same key."""
        made = clock.derived_id(self.command_id, name)
        self._made.add(made)
        return made

    async def send(self, kind: type[A], stream_id: UUID, command: Command, part: str | None = None) -> Outcome[A]:
        """Dispatch a command. ``part`` names one of several commands of this request (a batch item, an invitation)."""
        who = self._who
        request = Request(
            organisation_id=who.organisation_id,
            actor=who.actor,
            command_id=self.command_id if part is None else clock.derived_id(self.command_id, part),
            time_zone=who.time_zone,
            at=clock.now(),
            new_stream=stream_id in self._made,
            body=self._body if self._is_keyed else None,
            expected_version=self._expected if part is None else None,
            correlation_id=self._correlation_id,
        )
        return await self._services.dispatch.send(kind, stream_id, command, request)

    def require_version(self, version: int) -> None:
        """Refuse when If-Match names another version of what a request of several parts is about."""
        if self._expected is not None and self._expected != version:
            raise VersionMismatch(expected=self._expected, actual=version)

    def refuse_condition(self) -> None:
        """Refuse If-Match where a request is about many things at once."""
        if self._expected is not None:
            raise Malformed(pointer="/If-Match", detail="a batch has no version: send the items one by one")

    async def receipt(self, outcome: Outcome[Any]) -> Receipt:
        """The headers' worth of a write: version, and the token a read can wait for."""
        position = outcome.position if outcome.position is not None else await self._services.log.head()
        return Receipt(outcome.version, self._services.log.token(position))

    async def open(self, value: T) -> T:
        """The value with its personal texts opened."""
        return await opened(self._services.subjects, self._who.organisation_id, value)


class Reader:
    """Opens what the read models hold sealed, for a reader who may see it."""

    def __init__(self, services: Services, who: Who) -> None:
        self._services = services
        self._who = who

    async def open(self, value: T) -> T:
        """The value with its personal texts opened."""
        return await opened(self._services.subjects, self._who.organisation_id, value)


def services_of(http: HttpRequest[Any, Any, State]) -> Services:
    """The parts behind the routes."""
    services: Services = http.app.state.services
    return services


async def provide_who(request: HttpRequest[Any, Any, State]) -> Who:
    """The signed-in contributor, as the authentication middleware found him."""
    who: Who = request.user
    return who


async def provide_sender(request: HttpRequest[Any, Any, State]) -> Sender:
    """What writes in this request."""
    return Sender(services_of(request), request.user, request, await request.body())


async def provide_reader(request: HttpRequest[Any, Any, State]) -> Reader:
    """What opens personal texts in this request."""
    return Reader(services_of(request), request.user)


async def provide_connection(request: HttpRequest[Any, Any, State]) -> AsyncIterator[Connection]:
    """A connection to the read models that have reached the position in ``LMS-After``."""
    services = services_of(request)
    await wait_for(services, request.headers.get("LMS-After"))
    async with services.reads.acquire() as connection:
        yield connection


async def wait_for(services: Services, after: str | None) -> None:
    """Wait until the read models have reached a token's position; refuse when they do not in time."""
    if after is None:
        return
    position = await services.log.position_of(after)
    if not await services.wait_for_position(position, WAIT_S):
        raise ProjectionBehind(after=after)


DEPENDENCIES = {
    "who": Provide(provide_who),
    "sender": Provide(provide_sender),
    "reader": Provide(provide_reader),
    "connection": Provide(provide_connection),
}


def _expected_version(http: HttpRequest[Any, Any, State]) -> int | None:
    stated = http.headers.get("If-Match")
    if stated is None or stated == "*":
        return None
    found = _ETAG.match(stated)
    if found is None:
        raise Malformed(pointer="/If-Match", detail='an ETag such as "3"')
    return int(found[1])


def _command_id(who: Who, http: HttpRequest[Any, Any, State], key: str) -> UUID:
    if not 1 <= len(key) <= 200:
        raise Malformed(pointer="/Idempotency-Key", detail="between 1 and 200 characters")
    return clock.derived_id(who.organisation_id, f"{who.contributor_id}|{http.method} {http.url.path}|{key}")
