"""What is in the database that a server keeps, seen from beside it?"""

from collections import Counter
from typing import Any

import asyncpg

READ_MODELS = ("read", "bi")
"""The schemas that hold nothing but what follows from the log."""


async def tables(connection: asyncpg.Connection) -> dict[str, list[str]]:
    """Every row of every table of the read models, by table."""
    found = {}
    for name in await _identities(connection):
        records = await connection.fetch(f"SELECT t::text FROM {name} AS t ORDER BY 1")
        found[name] = [record["t"] for record in records]
    return found


async def identities(connection: asyncpg.Connection) -> set[int]:
    """Which tables these are, whatever their names: one that was built anew is another."""
    return set((await _identities(connection)).values())


async def _identities(connection: asyncpg.Connection) -> dict[str, int]:
    records = await connection.fetch(
        """SELECT c.oid::regclass::text AS name, c.oid FROM pg_class AS c
           WHERE c.relnamespace = ANY ($1::text[]::regnamespace[]::oid[]) AND c.relkind IN ('r', 'p') ORDER BY 1""",
        READ_MODELS,
    )
    return {record["name"]: record["oid"] for record in records}


async def event_counts(connection: asyncpg.Connection) -> Counter[str]:
    """How many events of each type the log holds."""
    records = await connection.fetch(
        """SELECT t.name, count(*) AS n FROM lms.event AS e JOIN lms.event_type AS t ON t.number = e.type
           GROUP BY t.name"""
    )
    return Counter({record["name"]: record["n"] for record in records})


async def is_dense(connection: asyncpg.Connection) -> bool:
    """Tell whether positions run from 1 without a gap, and so do the versions of every stream."""
    gaps = await connection.fetchval(
        """SELECT count(*) FROM (SELECT position, row_number() OVER (ORDER BY position) AS n FROM lms.event) AS e
           WHERE position <> n"""
    )
    uneven = await connection.fetchval(
        """SELECT count(*) FROM (SELECT FROM lms.event GROUP BY stream_id
           HAVING count(*) <> max(version) OR min(version) <> 1) AS s"""
    )
    return (gaps, uneven) == (0, 0)


async def are_current(connection: asyncpg.Connection) -> bool:
    """Tell whether every read model has got to the head, nothing is being built, and nothing parked."""
    waiting: Any = await connection.fetchval(
        """SELECT count(*) FROM lms.projection
           WHERE slot <> 'live' OR position < (SELECT max(position) FROM lms.event)"""
    )
    return not waiting and not await connection.fetchval("SELECT count(*) FROM lms.parked")
