"""Which builds of which projections are there, in which tables, and how far have they come?

A build is a projection's name and version in one of two slots: ``live`` is asked, ``next`` is being built beside it and
takes its place once it has caught up. The statements that made its tables are part of its identity: a program that
would make other tables leaves the build alone and makes its own.
"""

import hashlib
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

import asyncpg
import msgspec

from lms.projections.base import Connection, Projection

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

SERVER_SETTINGS = {
    # Tables grow from nothing while their statements stay prepared: plan with the sizes of the day.
    "plan_cache_mode": "force_custom_plan",
    "jit": "off",
    # What is lost in a crash is applied again: rows and checkpoint are lost together, events never.
    "synchronous_commit": "off",
    # A stopped process must not hold its rows: who takes over would wait for it.
    "idle_in_transaction_session_timeout": "3s",
}
"""What connections that write projections are opened with."""

_REGISTRY_LOCK = 7105908


class Slot(StrEnum):
    """Where a build stands."""

    LIVE = "live"
    NEXT = "next"


class Build(msgspec.Struct, frozen=True, order=True):
    """One build of one projection."""

    name: str
    version: int
    slot: Slot


class Retired(msgspec.Struct, frozen=True):
    """A live build that this program does not know any more, with its tables."""

    name: str
    version: int
    tables: tuple[str, ...]


class SchemaChanged(Exception):  # noqa: N818 - a mistake of who wrote the projection
    """A projection's .sql makes something else than tables and indexes in its own schemas."""


def schemas(projection: Projection, slot: Slot) -> tuple[str, ...]:
    """The schemas in which a build of the projection keeps its tables."""
    return projection.SCHEMAS if slot is Slot.LIVE else tuple(f"{schema}_next" for schema in projection.SCHEMAS)


def search_path(projection: Projection, slot: Slot) -> str:
    """The search path under which the projection's SQL reaches the tables of a build."""
    return ", ".join(schemas(projection, slot))


def definition(projection: Projection) -> str:
    """A digest of the statements that make the projection's tables."""
    digest = hashlib.sha256()
    for schema in projection.SCHEMAS:
        digest.update(f"{schema}\n{projection.ddl(schema)}\n".encode())
    return digest.hexdigest()[:32]


async def register(pool: Pool, projections: Iterable[Projection]) -> None:
    """Begin a build of every projection that has none with the tables this program makes. Safe from many processes."""
    async with exclusive(pool) as connection:
        for projection in projections:
            for schema in projection.SCHEMAS:
                await create_schema(connection, schema)
            known = await connection.fetch(
                "SELECT slot, definition FROM lms.projection WHERE name = $1 AND version = $2",
                projection.NAME,
                projection.VERSION,
            )
            mine = definition(projection)
            if all(record["definition"] != mine for record in known):
                await begin(connection, projection)


async def begin(connection: Connection, projection: Projection) -> None:
    """Make the tables of a new ``next`` build, from position 0, in place of one that was being built."""
    await abandon(connection, projection)
    made: list[str] = []
    paths = schemas(projection, Slot.NEXT)
    for schema, home in zip(paths, projection.SCHEMAS, strict=True):
        await create_schema(connection, schema)
        before = await _relations(connection, schema)
        others = [other for other in paths if other != schema]
        await connection.execute(f"SET LOCAL search_path = {', '.join([schema, *others])}")
        await connection.execute(projection.ddl(home))
        made += [f"{home}.{name}" for name in await _relations(connection, schema) if name not in before]
    await connection.execute("RESET search_path")
    await connection.execute(
        """INSERT INTO lms.projection (name, version, slot, definition, tables) VALUES ($1, $2, 'next', $3, $4)""",
        projection.NAME,
        projection.VERSION,
        definition(projection),
        made,
    )


async def abandon(connection: Connection, projection: Projection) -> None:
    """Drop what was being built of the projection, if anything was."""
    await connection.execute("SET LOCAL lock_timeout = '10s'")
    begun = await connection.fetch(
        """DELETE FROM lms.projection WHERE name = $1 AND slot = 'next' AND (version = $2 OR $3) RETURNING tables""",
        projection.NAME,
        projection.VERSION,
        projection.OWNS_SCHEMAS,
    )
    if projection.OWNS_SCHEMAS:
        for schema in schemas(projection, Slot.NEXT):
            await connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        return
    for record in begun:
        for table in record["tables"]:
            home, name = table.split(".")
            await connection.execute(f"DROP TABLE IF EXISTS {home}_next.{name} CASCADE")


async def retired(connection: Connection, projections: Collection[Projection]) -> list[Retired]:
    """The live builds of projections or versions that this program does not have."""
    current = {(projection.NAME, projection.VERSION) for projection in projections}
    return [
        Retired(record["name"], record["version"], tuple(record["tables"]))
        for record in await connection.fetch(
            "SELECT name, version, tables FROM lms.projection WHERE slot = 'live' ORDER BY name, version"
        )
        if (record["name"], record["version"]) not in current
    ]


async def drop_retired(pool: Pool, builds: Sequence[Retired]) -> None:
    """Drop the tables of builds that nobody asks any more; whoever calls this has been told to."""
    async with exclusive(pool) as connection:
        for build in builds:
            await connection.execute(
                "DELETE FROM lms.projection WHERE name = $1 AND version = $2", build.name, build.version
            )
            for table in build.tables:
                await connection.execute(f"DROP TABLE IF EXISTS {table} CASCADE")


async def parked_keys(connection: Connection, build: Build) -> set[UUID]:
    """The keys whose events park."""
    return {
        record["key"]
        for record in await connection.fetch(
            "SELECT DISTINCT key FROM lms.parked WHERE name = $1 AND version = $2 AND slot = $3", *of(build)
        )
    }


@asynccontextmanager
async def exclusive(pool: Pool) -> AsyncIterator[Connection]:
    """A transaction in which no other process makes or drops tables of projections."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _REGISTRY_LOCK)
        yield connection


async def create_schema(connection: Connection, schema: str) -> None:
    """Make a schema where there is none."""
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", schema):
        await connection.execute(f"CREATE SCHEMA {schema}")


def of(build: Build) -> tuple[str, int, str]:
    """The build as parameters of a statement."""
    return build.name, build.version, build.slot.value


async def _relations(connection: Connection, schema: str) -> list[str]:
    """The tables in a schema. Raises SchemaChanged when there are views, sequences or the like."""
    names = []
    for record in await connection.fetch(
        "SELECT relname, relkind::text FROM pg_class WHERE relnamespace = $1::regnamespace ORDER BY relname", schema
    ):
        if record["relkind"] == "r":
            names.append(record["relname"])
        elif record["relkind"] not in {"i", "t"}:
            raise SchemaChanged(f"{schema}.{record['relname']}: a projection keeps tables only")
    return names
