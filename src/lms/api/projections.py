"""How far is each read model, and can it be built anew?"""

from typing import Annotated

import msgspec
from litestar import Request as HttpRequest
from litestar import get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath

from lms.api.answers import Answer, found
from lms.api.contributors import refuse_guests
from lms.api.deps import Connection, Who, services_of
from lms.domain.base import NotFound, Role
from lms.projections import rebuild
from lms.projections.catalogue import PROJECTIONS
from lms.projections.status import ProjectionStatus, projection_status


class Projections(msgspec.Struct, frozen=True):
    """Every build of every read model; there is no second page."""

    items: list[ProjectionStatus]
    next: Annotated[str | None, msgspec.Meta(description="always null")] = None


class Requested(msgspec.Struct, frozen=True):
    """What became of the request to build anew. ``begun``: false when a build was under way already."""

    name: str
    version: int
    begun: bool


@get("/v1/projections", summary="How far is each read model?", tags=["operations"])
async def projections(
    who: NamedDependency[Who],
    connection: NamedDependency[Connection],
) -> Answer[Projections]:
    """List position, lag in events and seconds, state and parked events of each build. Guests see none."""
    refuse_guests(who)
    return found(Projections(await projection_status(connection)))


@post("/v1/projections/{name:str}/rebuild", summary="Build a read model anew", tags=["operations"], status_code=202)
async def rebuild_projection(
    name: FromPath[str], who: NamedDependency[Who], request: HttpRequest[Who, object, State]
) -> Answer[Requested]:
    """Begin a build beside the live one, which answers until the new one takes its place. Administrators."""
    who.require(Role.ADMINISTRATOR)
    projection = next((one for one in PROJECTIONS if name == one.NAME), None)
    if projection is None:
        raise NotFound(kind="projection", name=name)
    begun = await rebuild.request(services_of(request).reads, projection)
    return Answer(Requested(projection.NAME, projection.VERSION, begun), status_code=202)


ROUTES = [projections, rebuild_projection]
