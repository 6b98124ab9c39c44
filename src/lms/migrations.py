"""How does a database reach the shape that this version of the program needs?

Numbered files in ops/migrations, forward only, each in a transaction; a ledger with the hash of each file that was
applied. Any number of processes may start at once: one migrates, the others wait and find the work done.
"""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import msgspec
import structlog

_LOCK = 0x6C6D735F6D696772  # "lms_migr"
_LOCK_TIMEOUT = "5s"
_ATTEMPTS = 10
_WAIT_FOR_OTHERS_S = 300
_OLDEST_SERVER = 150000
_NAME = re.compile(r"(\d{4})_[a-z0-9]+(_[a-z0-9]+)+\.sql")

log = structlog.get_logger(__name__)

_LEDGER = """
CREATE SCHEMA IF NOT EXISTS lms;
CREATE TABLE IF NOT EXISTS lms.migration (
    number integer PRIMARY KEY,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
GRANT USAGE ON SCHEMA lms TO lms_application;
GRANT SELECT ON lms.migration TO lms_application;
COMMENT ON TABLE lms.migration IS 'Which files of ops/migrations this database has seen';
"""


class MigrationError(Exception):
    """The database cannot be brought to the shape this program needs; the message says why and what to do."""


class Migration(msgspec.Struct, frozen=True):
    """One file of ops/migrations."""

    number: int
    name: str
    sql: str
    sha256: str


class Applied(msgspec.Struct, frozen=True):
    """One line of the ledger."""

    number: int
    name: str
    sha256: str


def operations_dir() -> Path:
    """Where roles.sql and migrations/ are: in the checkout, or carried along by the installed package."""
    package = Path(__file__).parent
    checkout = package.parents[1] / "ops"
    return checkout if (checkout / "roles.sql").is_file() else package / "_ops"


def load(directory: Path | None = None) -> list[Migration]:
    """The migrations in order. Raises MigrationError for a file with a strange name and for a gap in the numbers."""
    directory = directory or operations_dir() / "migrations"
    found = []
    for path in sorted(directory.glob("*.sql")):
        if not (match := _NAME.fullmatch(path.name)):
            raise MigrationError(f"{path.name}: a migration is named NNNN_verb_noun.sql")
        content = path.read_bytes()
        found.append(Migration(int(match[1]), path.stem, content.decode(), hashlib.sha256(content).hexdigest()))
    numbers = [migration.number for migration in found]
    if numbers != list(range(1, len(numbers) + 1)):
        raise MigrationError(f"migrations are numbered 0001, 0002 .. without gap or repetition; found {numbers}")
    return found


def pending(migrations: Sequence[Migration], applied: Sequence[Applied]) -> list[Migration]:
    """What is still to do. Raises MigrationError when the ledger and the files contradict each other."""
    if len(applied) > len(migrations):
        raise MigrationError(
            f"the database has seen {applied[len(migrations)].name}, which this program does not know: "
            "it belongs to a newer version of lms"
        )
    for done, known in zip(applied, migrations, strict=False):
        if done.number != known.number:
            raise MigrationError(f"the ledger lms.migration has a gap before {done.name}")
        if done.sha256 != known.sha256:
            raise MigrationError(
                f"{known.name} was applied with other content than it has now: an applied migration never changes, "
                "put the change into a new one"
            )
    return list(migrations[len(applied) :])


async def migrate(dsn: str, app_login: str | None = None, directory: Path | None = None) -> list[str]:
    """Bring the database to the shape of this version; answers the names of what was applied now.

    ``dsn`` is the login that migrates and owns; ``app_login`` the one the application uses, when it is another.
    Raises MigrationError.
    """
    migrations = load(directory)
    try:
        connection = await asyncpg.connect(dsn, timeout=30)
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        raise MigrationError(f"the database to migrate cannot be reached: {error}") from error
    try:
        await _check_server(connection)
        await _take_lock(connection)
        await _ensure_roles(connection, app_login)
        await connection.execute("SET client_min_messages = warning")
        await connection.execute(_LEDGER)
        todo = pending(migrations, await applied(connection))
        for migration in todo:
            await _apply(connection, migration)
        return [migration.name for migration in todo]
    finally:
        await connection.close()


async def is_current(dsn: str) -> bool:
    """Tell whether the database has the shape of this version. Raises MigrationError when it is a newer one's."""
    try:
        connection = await asyncpg.connect(dsn, timeout=30)
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        raise MigrationError(f"the database cannot be reached: {error}") from error
    try:
        return not pending(load(), await applied(connection))
    except asyncpg.InsufficientPrivilegeError:
        return False
    finally:
        await connection.close()


async def applied(connection: asyncpg.Connection) -> list[Applied]:
    """The ledger in order; empty where nothing was ever applied."""
    if await connection.fetchval("SELECT to_regclass('lms.migration')") is None:
        return []
    rows = await connection.fetch("SELECT number, name, sha256 FROM lms.migration ORDER BY number")
    return [Applied(row["number"], row["name"], row["sha256"]) for row in rows]


async def _check_server(connection: asyncpg.Connection) -> None:
    if int(await connection.fetchval("SHOW server_version_num")) < _OLDEST_SERVER:
        raise MigrationError(
            f"PostgreSQL 15 or newer is needed, this is {await connection.fetchval('SHOW server_version')}"
        )
    if (encoding := await connection.fetchval("SHOW server_encoding")) != "UTF8":
        raise MigrationError(f"the database must be encoded in UTF8, this one is in {encoding}")


async def _take_lock(connection: asyncpg.Connection) -> None:
    """Wait until nobody else migrates this database; the session holds the lock until it closes."""
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK, timeout=_WAIT_FOR_OTHERS_S)
    except TimeoutError:
        raise MigrationError(f"another process has been migrating for {_WAIT_FOR_OTHERS_S} s: look for it") from None


async def _ensure_roles(connection: asyncpg.Connection, app_login: str | None) -> None:
    """Run ops/roles.sql. Roles belong to the whole server, whose other databases may do the same right now."""
    roles = (operations_dir() / "roles.sql").read_text()
    collisions = (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError, asyncpg.InternalServerError)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            async with connection.transaction():
                await connection.execute("SELECT set_config('lms.app_login', $1, true)", app_login or "")
                await connection.execute(roles)
        except collisions as error:
            if attempt == _ATTEMPTS:
                raise MigrationError(f"ops/roles.sql failed: {error}") from error
            await asyncio.sleep(0.05 * attempt)
        except asyncpg.InsufficientPrivilegeError as error:
            raise MigrationError(
                f"the migrating login may not set up roles ({error}): let it own the database and give it CREATEROLE, "
                "or run ops/roles.sql as an administrator once"
            ) from error
        else:
            return


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
                await connection.execute(migration.sql)
                await connection.execute(
                    "INSERT INTO lms.migration (number, name, sha256) VALUES ($1, $2, $3)",
                    migration.number, migration.name, migration.sha256,
                )  # fmt: skip
        except asyncpg.LockNotAvailableError as error:  # whoever holds the lock goes on; we try again later
            if attempt == _ATTEMPTS:
                raise MigrationError(f"{migration.name} waits in vain for a lock: {error}") from error
            await asyncio.sleep(attempt)
        except asyncpg.PostgresError as error:
            raise MigrationError(f"{migration.name} failed and left nothing behind: {error}") from error
        else:
            log.info("migrated", migration=migration.name)
            return
