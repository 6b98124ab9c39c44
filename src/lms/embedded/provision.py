"""Which logins and which database does a fresh cluster get?

`lms_owner` migrates and owns, `lms_app` is what the application signs in as. Neither is a superuser, so that the
embedded server is used exactly as one set up by a database administrator would be.
"""

import asyncpg

from lms.embedded.errors import EmbeddedPostgresError
from lms.embedded.files import password
from lms.embedded.server import SUPERUSER

OWNER = "lms_owner"
APPLICATION = "lms_app"
DATABASE = "lms"

_GRANTED_TO_OWNER = ("pg_signal_backend", "pg_read_all_stats")


async def provision(host: str, port: int, secret: str) -> None:
    """Make what is missing; may run any number of times, by the process that holds the data directory's lock."""
    connection = await _connect(host, port, secret)
    try:
        known = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
        if OWNER not in known:
            await _create_login(connection, OWNER, secret, "CREATEROLE CREATEDB")
        if APPLICATION not in known:
            await _create_login(connection, APPLICATION, secret, "")
        for role in _GRANTED_TO_OWNER:
            await connection.execute(f"GRANT {role} TO {OWNER} WITH ADMIN OPTION")
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
    finally:
        await connection.close()


async def _connect(host: str, port: int, secret: str) -> asyncpg.Connection:
    try:
        return await asyncpg.connect(
            host=host, port=port, user=SUPERUSER, password=password(secret, SUPERUSER), database="postgres", timeout=30
        )
    except asyncpg.InvalidPasswordError as error:
        raise EmbeddedPostgresError(
            "the database does not take the password in postgres.secret: the file and the directory postgres/ "
            "do not belong together"
        ) from error


async def _create_login(connection: asyncpg.Connection, name: str, secret: str, rights: str) -> None:
    await connection.execute(f"CREATE ROLE {name} LOGIN {rights} PASSWORD '{password(secret, name)}'")  # hex digits
