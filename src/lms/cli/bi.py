"""How does a BI tool get in, and out again?"""

import asyncio
import re
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, unquote, urlsplit
from uuid import UUID

import asyncpg
import click
import msgspec

from lms import embedded
from lms.app import Database, core
from lms.cli.organisations import chosen
from lms.cli.shell import Failure, Shell, command
from lms.config import Settings

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_OURS = re.compile(r"(pg_|lms_|postgres$|bi_reader$)")
_LISTENING_S = 10.0

_SETTINGS = {"search_path": "bi", "default_transaction_read_only": "on", "idle_in_transaction_session_timeout": "1h"}


class Address(click.ParamType[tuple[str, int]]):
    """HOST:PORT."""

    name = "host:port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        """Read ``127.0.0.1:5433``."""
        if isinstance(value, tuple):
            return value
        host, _, port = str(value).rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) <= 65535:
            self.fail(f"{value!r} is no address such as 127.0.0.1:5433", param, ctx)
        return host.strip("[]"), int(port)


class Granted(msgspec.Struct, frozen=True):
    """How a BI tool connects. ``host`` is a directory when it does so by socket. The password is shown only now."""

    login: str
    password: str
    organisation: UUID
    host: str
    port: int
    database: str
    url: str


@click.group
def bi() -> None:
    """Logins of BI tools: each sees the schema bi of one organisation, and nothing else."""


@bi.command
@click.argument("login")
@click.option("--organisation", type=click.UUID, help="Whose figures it sees; needed when there are several.")
@click.option("--listen", type=Address(), metavar="HOST:PORT", help="Let the embedded server listen there as well.")
@command()
async def grant(shell: Shell, login: str, organisation: UUID | None, listen: tuple[str, int] | None) -> None:
    """Make LOGIN, or give it a new password, and print how to connect.

    The URL opens as it stands in psql: psql "$(lms bi grant analyst --json | jq -r .url)"
    """
    if not _NAME.fullmatch(login) or _OURS.match(login):
        raise click.UsageError("a login is made of small letters, digits and _, and is none of PostgreSQL's or ours")
    if listen is not None:
        if shell.settings.database_url is not None:
            raise click.UsageError("--listen is for the embedded server; an external one listens where it is told to")
        embedded.ask_to_listen(shell.settings.data_dir, listen)
    async with core(shell.settings) as opened:
        found = await chosen(opened, organisation)
        password = secrets.token_urlsafe(24)
        async with _owner(opened.database) as owner:
            await _make(owner, login, password, found)
        granted = _granted(opened.database, login, password, found, listen)
        if listen is not None:
            await _until_listening(shell.settings, granted)
    text = (
        f"login     {granted.login}\npassword  {granted.password}\nhost      {granted.host}\nport      {granted.port}\n"
        f"database  {granted.database}\nurl       {granted.url}"
    )
    shell.answer(granted, text)


@bi.command
@click.argument("login")
@command()
async def revoke(shell: Shell, login: str) -> None:
    """End the sessions of LOGIN and remove it. With the last one the embedded server stops to listen over TCP."""
    async with core(shell.settings) as opened, _owner(opened.database) as owner:
        async with owner.transaction():
            if await owner.fetchval("DELETE FROM lms.bi_login WHERE login = $1 RETURNING login", login) is None:
                raise Failure(f"there is no BI login {login}")
            await owner.execute(f"ALTER ROLE {_quoted(login)} NOLOGIN")
        await owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", login)
        await owner.execute(f"DROP ROLE {_quoted(login)}")
        left = await owner.fetchval("SELECT count(*) FROM lms.bi_login")
        if left == 0 and opened.database.cluster is not None:
            embedded.ask_to_listen(shell.settings.data_dir, None)
    shell.answer({"revoked": login}, f"revoked: {login}")


async def _make(owner: "asyncpg.Connection[asyncpg.Record]", login: str, password: str, organisation_id: UUID) -> None:
    """The role with its password, as a member of bi_reader, and its organisation. Raises Failure."""
    name = _quoted(login)
    async with owner.transaction():
        await owner.execute("SELECT pg_advisory_xact_lock(hashtext('lms bi grant'))")
        is_role = await owner.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", login)
        is_ours = await owner.fetchval("SELECT EXISTS (SELECT FROM lms.bi_login WHERE login = $1)", login)
        if is_role and not is_ours:
            raise Failure(f"the server has another role {login}: choose another name")
        if not is_role:
            await owner.execute(f"CREATE ROLE {name} LOGIN CONNECTION LIMIT 50 IN ROLE bi_reader")
            for setting, value in _SETTINGS.items():
                await owner.execute(f"ALTER ROLE {name} SET {setting} = '{value}'")
        await owner.execute(f"ALTER ROLE {name} PASSWORD '{password}'")  # letters, digits, - and _
        await owner.execute(
            """INSERT INTO lms.bi_login (login, organisation_id) VALUES ($1, $2)
               ON CONFLICT (login) DO UPDATE SET organisation_id = EXCLUDED.organisation_id""",
            login,
            organisation_id,
        )


def _granted(
    database: Database, login: str, password: str, organisation_id: UUID, listen: tuple[str, int] | None
) -> Granted:
    if database.cluster is not None and listen is None:
        cluster = database.cluster
        url = cluster.dsn(login, password)
        return Granted(login, password, organisation_id, cluster.host, cluster.port, "lms", url)
    if listen is not None:
        host, port, name, more = *listen, "lms", ""
    else:
        parts = urlsplit(database.app_url)
        host, port = parts.hostname or "localhost", parts.port or 5432
        name, more = unquote(parts.path.lstrip("/")) or login, f"?{parts.query}" if parts.query else ""
    shown = f"[{host}]" if ":" in host else host
    url = f"postgresql://{quote(login)}:{quote(password)}@{shown}:{port}/{quote(name, safe='')}{more}"
    return Granted(login, password, organisation_id, host, port, name, url)


async def _until_listening(settings: Settings, granted: Granted) -> None:
    """Wait until the login gets in over TCP. Raises Failure, and asks for the address no longer."""
    deadline = time.monotonic() + _LISTENING_S
    while True:
        try:
            connection = await asyncpg.connect(granted.url, timeout=5)
        except (OSError, asyncpg.PostgresError, TimeoutError) as error:
            if time.monotonic() > deadline:
                embedded.ask_to_listen(settings.data_dir, None)
                raise Failure(
                    f"{granted.login} was made, but {granted.host}:{granted.port} does not answer: {error}"
                ) from error
            await asyncio.sleep(0.1)
        else:
            await connection.close()
            return


@asynccontextmanager
async def _owner(database: Database) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database.owner_url, timeout=10)
    try:
        yield connection
    finally:
        await connection.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
