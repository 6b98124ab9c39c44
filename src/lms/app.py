"""How do the parts become one running product?

The only module that knows all of them. Each context below opens one layer over the one before it and closes it again,
in the order that loses nothing: requests end, projections let go, the log drains, PostgreSQL stops.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

import asyncpg
import msgspec
import structlog
from asyncpg.pool import PoolConnectionProxy
from granian.constants import Interfaces
from granian.server.embed import Server

from lms import embedded, migrations, tokens
from lms.api.application import create_app
from lms.api.services import Services
from lms.config import Settings
from lms.dispatch import Dispatch
from lms.domain.catalogue import event_types
from lms.embedded.provision import APPLICATION
from lms.eventlog.codec import Codec
from lms.eventlog.keys import PostgresKeys
from lms.eventlog.master import MasterKey, load_master_key
from lms.eventlog.postgres import PostgresLog
from lms.eventlog.subjects import Subjects
from lms.policies.calendar import PeriodTimer
from lms.projections.catalogue import PROJECTIONS
from lms.projections.checkpoints import Checkpoints
from lms.projections.readiness import Readiness
from lms.projections.registry import SERVER_SETTINGS
from lms.projections.runner import Runner
from lms.tokens import KEY_PURPOSE, LocalIssuerRefused, LocalTokens

ROLE = "lms_application"
_READS = 12
_PROJECTIONS = 8
_BACKLOG = 1024
_READ_SETTINGS = {
    "application_name": "lms api",
    "search_path": "read",
    "jit": "off",
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "30s",
}

Pool = asyncpg.Pool
Reset: TypeAlias = Callable[[Any], Awaitable[None]]
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

log = structlog.get_logger(__name__)


class DatabaseUnreachable(Exception):  # noqa: N818 - shown to the operator as it stands
    """The database does not answer; the message says which one and why."""


class Database(msgspec.Struct, frozen=True):
    """Where the data is. ``cluster`` is the embedded server, if it is one."""

    app_url: str
    owner_url: str
    app_login: str | None
    cluster: embedded.Cluster | None = None

    async def migrate(self) -> list[str]:
        """Bring the database to the shape of this version, unless it has it; the names of what was applied now."""
        if await migrations.is_current(self.app_url):
            return []
        return await migrations.migrate(self.owner_url, self.app_login)


class Core(msgspec.Struct, frozen=True, kw_only=True):
    """What commands need: the log, the keys and dispatch, with a pool that reads the live read models."""

    settings: Settings
    database: Database
    master: MasterKey
    log: PostgresLog
    codec: Codec
    subjects: Subjects
    dispatch: Dispatch
    reads: "Pool[asyncpg.Record]"

    @property
    def local_tokens(self) -> LocalTokens:
        """The installation's own issuer. Raises LocalIssuerRefused when an OIDC issuer is configured."""
        if self.settings.oidc_issuer:
            raise LocalIssuerRefused(f"tokens come from {self.settings.oidc_issuer} (LMS_OIDC_ISSUER), not from lms")
        return LocalTokens(self.master.derive(KEY_PURPOSE))

    @property
    def verifier(self) -> tokens.TokenVerifier:
        """What verifies the tokens of requests."""
        settings = self.settings
        local = LocalTokens(self.master.derive(KEY_PURPOSE))
        return tokens.verifier(local, settings.oidc_issuer, settings.oidc_audience, settings.oidc_jwks_url)


@contextlib.asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """The database of the settings: an external one, or the embedded one, started here or shared with who runs it."""
    if settings.database_url is not None:
        owner_url = settings.owner_database_url or settings.database_url
        yield Database(settings.database_url, owner_url, _login(settings.database_url))
        return
    async with embedded.start_or_attach(settings.data_dir, settings.pg_bindir) as cluster:
        yield Database(cluster.app_dsn(), cluster.owner_dsn(), APPLICATION, cluster)


@contextlib.asynccontextmanager
async def open_core(settings: Settings, database: Database, *, migrate: bool = True) -> AsyncIterator[Core]:
    """The parts that commands need, over a database of the right shape. Closing drains the log."""
    if migrate:
        await database.migrate()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    master = load_master_key(settings.master_key_path, generate=settings.master_key_file is None)
    async with contextlib.AsyncExitStack() as stack:
        reads = await stack.enter_async_context(_pool(database.app_url, _READ_SETTINGS, _READS, _as_it_is))
        events = await PostgresLog.connect(database.app_url)
        stack.push_async_callback(events.close)
        subjects = Subjects(master, PostgresKeys(reads))
        codec = Codec(event_types(), subjects)
        yield Core(
            settings=settings,
            database=database,
            master=master,
            log=events,
            codec=codec,
            subjects=subjects,
            dispatch=Dispatch(events, codec, subjects),
            reads=reads,
        )


@contextlib.asynccontextmanager
async def core(settings: Settings) -> AsyncIterator[Core]:
    """Everything a single command needs: database, migrations, core."""
    async with open_database(settings) as database, open_core(settings, database) as opened:
        yield opened


@contextlib.asynccontextmanager
async def open_checkpoints(opened: Core) -> AsyncIterator[Checkpoints]:
    """How far the read models are, as this process knows."""
    checkpoints = Checkpoints(opened.reads, {one.NAME: one.VERSION for one in PROJECTIONS})
    try:
        yield checkpoints
    finally:
        await checkpoints.close()


@contextlib.asynccontextmanager
async def open_projections_pool(opened: Core) -> AsyncIterator["Pool[asyncpg.Record]"]:
    """Connections that write projections."""
    settings = {
        "application_name": "lms projector",
        **SERVER_SETTINGS,
    }
    async with _pool(opened.database.app_url, settings, _PROJECTIONS) as pool:
        yield pool


@contextlib.asynccontextmanager
async def open_projector(opened: Core, checkpoints: Checkpoints) -> AsyncIterator[list["asyncio.Task[None]"]]:
    """Keep the read models up with the log and close periods; the tasks end only when something is wrong."""
    async with open_projections_pool(opened) as pool:
        runner = Runner(opened.log, opened.codec, pool, PROJECTIONS, event_types(), checkpoints)
        running = asyncio.create_task(runner.run(), name="projector")
        timer = PeriodTimer(opened.dispatch, opened.reads, opened.settings.min_group_size)
        closing = asyncio.create_task(timer.run(), name="timer of periods")
        try:
            yield [running, closing]
        finally:
            closing.cancel()
            runner.stop()
            await asyncio.gather(running, closing, return_exceptions=True)


async def readiness_of(opened: Core) -> Readiness:
    """What a process that starts now waits for."""
    return Readiness(opened.reads, PROJECTIONS, await opened.log.head())


@contextlib.asynccontextmanager
async def open_http(
    opened: Core, checkpoints: Checkpoints, readiness: Readiness
) -> AsyncIterator["asyncio.Task[None]"]:
    """Answer HTTP while the block lasts; the task ends only when something is wrong. Requests under way are finished.

    Several processes may serve one port: the kernel spreads connections over them.
    """
    names = read_models()

    async def wait_for_position(position: int, seconds: float) -> bool:
        return await checkpoints.wait(names, position, seconds)

    services = Services(
        settings=opened.settings,
        log=opened.log,
        dispatch=opened.dispatch,
        subjects=opened.subjects,
        reads=opened.reads,
        verifier=opened.verifier,
        wait_for_position=wait_for_position,
        readiness=readiness,
        log_metrics=opened.log.metrics,
    )
    server = Server(
        create_app(services),
        address=opened.settings.host,
        port=opened.settings.port,
        interface=Interfaces.ASGI,
        websockets=False,
        backlog=_BACKLOG,
        backpressure=_BACKLOG,
        log_enabled=False,
    )
    serving = asyncio.create_task(server.serve(), name="http")
    try:
        yield serving
    finally:
        server.stop()  # type: ignore[no-untyped-call]
        await asyncio.gather(serving, return_exceptions=True)


def read_models() -> frozenset[str]:
    """The names of the projections that answers over HTTP come from."""
    return frozenset(one.NAME for one in PROJECTIONS if not one.OWNS_SCHEMAS)


async def _as_it_is(_: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Readers change nothing on their connection that would have to be put back."""


def _login(url: str) -> str | None:
    name = urlsplit(url).username
    return unquote(name) if name else None


@contextlib.asynccontextmanager
async def _pool(
    url: str, settings: Mapping[str, str], most: int, reset: "Reset | None" = None
) -> AsyncIterator["Pool[asyncpg.Record]"]:
    """Connections that act as the application. ``reset`` takes the place of a round trip when one is given back."""
    try:
        pool = await asyncpg.create_pool(  # noqa: TID251 - here pools are made
            url, min_size=1, max_size=most, server_settings={"role": ROLE, **settings}, timeout=10, reset=reset
        )
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        raise DatabaseUnreachable(f"the database does not answer: {error}") from error
    try:
        yield pool
    finally:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(pool.close(), 10)
        pool.terminate()
