"""What do tests of the HTTP interface talk to? A founded organisation behind the real application, in this process.

async def test_..(installation):
    admin = installation.administrator
    team = (await admin.post("/v1/teams", json={"name": "Service"})).json()
    mira = await installation.person("Mira", team=team["id"])              # registered, with a client of her own
    answer = await mira.get("/v1/me", headers=seen(response))                # reads what that write wrote
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
from litestar import Litestar

from databases import Database
from lms import app, clock, config
from lms.api.application import create_app
from lms.api.services import Services
from lms.cli.founding import found
from lms.domain.base import Role
from lms.domain.founding import Founding


class Client(httpx.AsyncClient):
    """Sends requests as one contributor."""

    id: UUID


class Installation:
    """One organisation, its administrator, and the parts behind the application."""

    def __init__(self, core: app.Core, application: Litestar, organisation_id: UUID) -> None:
        self.core = core
        self.application = application
        self.organisation_id = organisation_id
        self.administrator: Client = self.client(
            Founding(organisation_id=organisation_id, name="").administrator_id,
            Role.ADMINISTRATOR,
            Role.EMPLOYEE,
            Role.BUSINESS_OWNER,
        )

    def client(self, contributor_id: UUID, *roles: Role) -> Client:
        """A client with a token for this contributor, by default as an employee."""
        token = self.core.local_tokens.issue(
            self.organisation_id, contributor_id, roles or (Role.EMPLOYEE,), timedelta(hours=1)
        )
        client = self.stranger({"Authorization": f"Bearer {token}"})
        client.id = contributor_id
        return client

    def stranger(self, headers: dict[str, str] | None = None) -> Client:
        """A client without a token."""
        transport = httpx.ASGITransport(self.application, raise_app_exceptions=False)
        return Client(transport=transport, base_url="http://lms", headers=headers, timeout=30)

    async def person(
        self, name: str, *roles: Role, team: str | None = None, lead: bool = False, **facts: Any
    ) -> Client:
        """Register somebody, put him into a team, perhaps in the lead, and give him a client."""
        person = ok(await self.administrator.post("/v1/contributors", json={"name": name, **facts}))
        if team is not None:
            ok(await self.administrator.post(f"/v1/teams/{team}/members", json={"contributor_id": person["id"]}))
        if team is not None and lead:
            ok(await self.administrator.post(f"/v1/teams/{team}/lead", json={"contributor_id": person["id"]}))
        return self.client(UUID(person["id"]), *roles)

    async def team(self, name: str, **facts: Any) -> str:
        """Form a team; its id."""
        return str(ok(await self.administrator.post("/v1/teams", json={"name": name, **facts}))["id"])


def ok(response: httpx.Response) -> Any:
    """The answer's body, when the request succeeded."""
    assert response.is_success, f"{response.status_code}: {response.text}"
    return response.json() if response.content else None


def seen(response: httpx.Response) -> dict[str, str]:
    """The headers of a read that must see what this write wrote."""
    return {"LMS-After": response.headers["LMS-Position"]}


class Product(msgspec.Struct, frozen=True):
    """The whole product but its HTTP server: many organisations live in it."""

    core: app.Core
    application: Litestar

    async def founded(self) -> Installation:
        """A new organisation, ready to be asked."""
        founding = Founding(
            organisation_id=clock.uuid7(), name="Veldkamp", time_zone="Europe/Amsterdam", administrator_name="Ada"
        )
        await found(self.core, founding)
        services = self.application.state.services
        assert await services.wait_for_position(await self.core.log.head(), 20)
        return Installation(self.core, self.application, founding.organisation_id)


@asynccontextmanager
async def opened(database: Database, directory: Path) -> AsyncIterator[Product]:
    """The product over a fresh database, its projector at work."""
    settings = config.load({}, database_url=database.app_dsn, data_dir=directory)
    known = app.Database(app_url=database.app_dsn, owner_url=database.owner_dsn, app_login=None)
    async with (
        app.open_core(settings, known, migrate=False) as core,
        app.open_checkpoints(core) as checkpoints,
        app.open_projector(core, checkpoints),
    ):

        async def wait_for_position(position: int, seconds: float) -> bool:
            return await checkpoints.wait(app.read_models(), position, seconds)

        services = Services(
            settings=settings,
            log=core.log,
            dispatch=core.dispatch,
            subjects=core.subjects,
            reads=core.reads,
            verifier=core.verifier,
            wait_for_position=wait_for_position,
            readiness=await app.readiness_of(core),
            log_metrics=core.log.metrics,
        )
        yield Product(core, create_app(services))
