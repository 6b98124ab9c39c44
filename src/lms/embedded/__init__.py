"""How does the product bring its own PostgreSQL, when nobody gives it one?

A real server, from packaged or system binaries, in the data directory: started by one process, shared with others on
the same directory, and gone when its owner is gone, however that ends.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote, urlencode

import asyncpg
import msgspec
import structlog

from lms.embedded import binaries, server
from lms.embedded.account import Account, account_for
from lms.embedded.errors import AlreadyRunning, EmbeddedPostgresError, NotRunning
from lms.embedded.files import DataDirLock, Files, Running, password
from lms.embedded.provision import APPLICATION, DATABASE, OWNER, provision
from lms.embedded.relay import Relay

__all__ = [
    "AlreadyRunning",
    "Cluster",
    "EmbeddedPostgresError",
    "NotRunning",
    "ask_to_listen",
    "attach",
    "start",
    "start_or_attach",
]

_ATTACH_S = 60.0
_WATCH_S = 0.5

log = structlog.get_logger(__name__)


class Cluster(msgspec.Struct, frozen=True):
    """A running server: how to reach it. ``owned`` tells that this process runs it."""

    host: str
    port: int
    version: int
    owned: bool
    secret: str
    lost: asyncio.Event

    def dsn(self, login: str, login_password: str, database: str = DATABASE) -> str:
        """A connection URL by socket, as asyncpg and psql take it."""
        place = urlencode({"host": self.host, "port": self.port}, quote_via=quote, safe="/")
        return (
            f"postgresql://{quote(login, safe='')}:{quote(login_password, safe='')}@/{quote(database, safe='')}?{place}"
        )

    def owner_dsn(self, database: str = DATABASE) -> str:
        """The URL of the login that migrates and owns."""
        return self.dsn(OWNER, password(self.secret, OWNER), database)

    def app_dsn(self, database: str = DATABASE) -> str:
        """The URL of the login that the application uses."""
        return self.dsn(APPLICATION, password(self.secret, APPLICATION), database)


@contextlib.asynccontextmanager
async def start(data_dir: Path, bin_dir: Path | None = None) -> AsyncIterator[Cluster]:
    """Run the server of a data directory, made when it is missing, until the block ends.

    A server that dies in the meantime is started again; when that fails, ``Cluster.lost`` is set.
    Start it from the main thread: the kernel ends the server with the thread that started it.
    Raises AlreadyRunning when another process runs it, EmbeddedPostgresError when it cannot be started.
    """
    files = Files(data_dir=_made(data_dir))
    account = account_for(files.data_dir, files.cluster)
    lock = DataDirLock(files.data_dir)
    if not lock.take():
        raise AlreadyRunning(f"another process runs the PostgreSQL of {files.data_dir}")
    try:
        keeper = _Keeper(files, binaries.find(bin_dir, account), account)
        cluster = await keeper.start()
        watching = asyncio.create_task(keeper.keep_running(), name="embedded-postgres")
        try:
            yield cluster
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await keeper.stop()
    finally:
        lock.release()


async def attach(data_dir: Path) -> Cluster:
    """The server that another process runs in a data directory.

    Raises NotRunning when nobody runs it, EmbeddedPostgresError when it is there but cannot be reached.
    """
    files = Files(data_dir=data_dir)
    running = files.running()
    if running is None:
        raise NotRunning(f"no PostgreSQL runs in {files.data_dir}")
    found = Cluster(
        host=running.socket_dir, port=running.port, version=running.version, owned=False, secret=files.secret(),
        lost=asyncio.Event(),
    )  # fmt: skip
    try:
        connection = await asyncpg.connect(found.app_dsn(), timeout=10)
    except (OSError, asyncpg.CannotConnectNowError) as error:
        raise NotRunning(f"the PostgreSQL of {files.data_dir} does not answer: {error}") from error
    except (asyncpg.PostgresError, TimeoutError) as error:
        raise EmbeddedPostgresError(f"the PostgreSQL of {files.data_dir} cannot be reached: {error}") from error
    await connection.close()
    return found


@contextlib.asynccontextmanager
async def start_or_attach(data_dir: Path, bin_dir: Path | None = None) -> AsyncIterator[Cluster]:
    """Run the server until the block ends, or use the one that another process runs.

    Raises EmbeddedPostgresError when somebody holds the data directory but no server can be reached.
    """
    deadline = time.monotonic() + _ATTACH_S
    async with contextlib.AsyncExitStack() as stack:
        while True:
            try:
                cluster = await stack.enter_async_context(start(data_dir, bin_dir))
                break
            except AlreadyRunning:
                try:
                    cluster = await attach(data_dir)
                    break
                except NotRunning as error:  # it is starting, or stopping: then the lock comes free
                    if time.monotonic() > deadline:
                        raise EmbeddedPostgresError(
                            f"another process holds {data_dir}, but its PostgreSQL does not answer ({error})"
                        ) from error
            await asyncio.sleep(0.1)
        yield cluster


def ask_to_listen(data_dir: Path, address: tuple[str, int] | None) -> None:
    """Let the server of a data directory take connections over TCP at this address, now and after every start.

    None ends that. The login's password protects the data; without a tunnel it is not encrypted on its way.
    """
    Files(data_dir=_made(data_dir)).ask_to_listen(address)


class _Keeper:
    """Starts one server, and starts it again when it dies."""

    def __init__(self, files: Files, bin_dir: Path, account: Account) -> None:
        self._files = files
        self._bin_dir = bin_dir
        self._account = account
        self._server: server.Server | None = None
        self._lost = asyncio.Event()
        self._relay = Relay()
        self._native: tuple[str, int] | None = None

    async def start(self) -> Cluster:
        files = self._files
        if not files.cluster.exists():
            files.make_secret()
            server.init_cluster(files, self._bin_dir, self._account)
        secret = files.secret()
        files.forget_running()
        await self._relay.close()
        self._native = files.listen()
        running = self._server = await server.start(files, self._bin_dir, self._account)
        try:
            await provision(str(running.socket_dir), running.port, secret)
        except BaseException:
            await self.stop()
            raise
        files.write_running(
            Running(
                owner_pid=os.getpid(), postgres_pid=running.process.pid, socket_dir=str(running.socket_dir),
                port=running.port, version=running.version,
            )
        )  # fmt: skip
        return Cluster(
            host=str(running.socket_dir), port=running.port, version=running.version, owned=True, secret=secret,
            lost=self._lost,
        )  # fmt: skip

    async def keep_running(self) -> None:
        """Start the server again when it died, and listen where somebody asked for since it started."""
        while self._server is not None:
            await asyncio.sleep(_WATCH_S)
            if self._server.process.poll() is None:
                asked = self._files.listen()
                socket = self._server.socket_dir / f".s.PGSQL.{self._server.port}"
                await self._relay.follow(None if asked == self._native else asked, str(socket))
                continue
            log.error("PostgreSQL ended, starting it again", status=self._server.process.returncode)
            try:
                await server.stop(self._server)
                await self.start()
            except EmbeddedPostgresError as error:
                log.critical("PostgreSQL cannot be started again", reason=str(error))
                self._lost.set()
                return

    async def stop(self) -> None:
        await self._relay.close()
        if self._server is not None:
            self._files.forget_running()
            await server.stop(self._server)
            self._server = None


def _made(data_dir: Path) -> Path:
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return data_dir.resolve()
    except OSError as error:
        raise EmbeddedPostgresError(f"the data directory {data_dir} cannot be made: {error}") from error
