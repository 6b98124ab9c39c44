"""Under which keys do facts point to dimensions?

Every key is the position of the event that made the row; so the version of a thing that held at some position is the
one with the greatest key up to there, and a rebuild finds the same.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from lms.projections.base import Connection, Envelope
from lms.projections.table import NoSuchRow

FIRST_YEAR, LAST_YEAR = 1970, 2100
"""Days outside have no key: nothing is known of them but that they were mistyped."""


def date_key(day: date | None) -> int | None:
    """The day as a number, such as 20260331; None for none, and for a day that cannot be meant."""
    if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
        return None
    return day.year * 10_000 + day.month * 100 + day.day


async def organisation_key(connection: Connection, organisation_id: UUID) -> int:
    """The key of an organisation. Raises NoSuchRow."""
    key = await connection.fetchval(
        "SELECT organisation_key FROM dim_organisation WHERE organisation_id = $1", organisation_id
    )
    if key is None:
        raise NoSuchRow(f"dim_organisation: {organisation_id}")
    return int(key)


async def dated(connection: Connection, organisation: int, days: Iterable[date | None]) -> None:
    """See to it that the years of these days, and all between them and those there are, are in ``dim_date``."""
    years = [day.year for day in days if date_key(day) is not None and day is not None]
    if not years:
        return
    known = await connection.fetch(
        "SELECT min(date_key) / 10000 AS low, max(date_key) / 10000 AS high FROM dim_date WHERE organisation_key = $1",
        organisation,
    )
    low, high = known[0]["low"], known[0]["high"]
    first, last = min([*years, *([low] if low else [])]), max([*years, *([high] if high else [])])
    if (first, last) != (low, high):
        await connection.execute(
            """INSERT INTO dim_date SELECT $1, to_char(d, 'YYYYMMDD')::int, d::date, extract(year FROM d),
                   extract(quarter FROM d), extract(month FROM d), extract(isoyear FROM d), extract(week FROM d),
                   extract(isodow FROM d)
               FROM generate_series(make_date($2, 1, 1), make_date($3, 12, 31)::timestamp, interval '1 day') AS d
               ON CONFLICT DO NOTHING""",
            organisation,
            first,
            last,
        )


async def local_day(connection: Connection, envelope: Envelope) -> date:
    """The day of an event in its organisation's time zone."""
    day: date = await connection.fetchval(
        "SELECT ($2::timestamptz AT TIME ZONE time_zone)::date FROM dim_organisation WHERE organisation_id = $1",
        envelope.organisation_id,
        envelope.effective_at,
    )
    return day


VERSIONED = {
    "dim_team": ("team_key", "team_id"),
    "dim_goal": ("goal_key", "goal_id"),
    "dim_key_result": ("key_result_key", "key_result_id"),
    "dim_competency": ("competency_key", "competency_id"),
    "dim_process": ("process_key", "process_id"),
    "dim_outcome_metric": ("metric_key", "outcome_metric_id"),
    "dim_process_measure": ("measure_key", "measure_id"),
    "fact_improvement": ("improvement_key", "improvement_id"),
}
"""Per table its key and the id that all versions of a thing share."""


async def key_at(connection: Connection, table: str, thing: UUID | None, position: int) -> int | None:
    """The key of the version of a thing that held at a position; None for none."""
    if thing is None:
        return None
    key, shared = VERSIONED[table]
    found: int | None = await connection.fetchval(
        f"SELECT max({key}) FROM {table} WHERE {shared} = $1 AND {key} <= $2", thing, position
    )
    return found


async def keys_at(connection: Connection, table: str, things: Collection[UUID], position: int) -> dict[UUID, int]:
    """The keys of the versions that held at a position, by id."""
    key, shared = VERSIONED[table]
    found = await connection.fetch(
        f"SELECT {shared} AS id, max({key}) AS key FROM {table}"
        f" WHERE {shared} = ANY($1::uuid[]) AND {key} <= $2 GROUP BY {shared}",
        sorted(things),
        position,
    )
    return {record["id"]: record["key"] for record in found}


async def insert(connection: Connection, table: str, **values: Any) -> None:
    """One row."""
    places = ", ".join(f"${n}" for n in range(1, len(values) + 1))
    await connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places})", *values.values())


async def insert_all(connection: Connection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows with the same columns."""
    places = ", ".join(f"${n}" for n in range(1, len(rows[0]) + 1))
    await connection.executemany(
        f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES ({places})", [tuple(row.values()) for row in rows]
    )


async def new_version(connection: Connection, table: str, thing: UUID, position: int, on: date, **changes: Any) -> bool:
    """End the current version of a thing and begin one with other values; False when there is none to end."""
    key, shared = VERSIONED[table]
    ended = await connection.fetchrow(
        f"UPDATE {table} SET valid_to = $2, is_current = false WHERE {shared} = $1 AND is_current RETURNING *",
        thing,
        on,
    )
    if ended is None:
        return False
    begun = {key: position, "valid_from": on, "valid_to": None, "is_current": True}
    await insert(connection, table, **{**dict(ended.items()), **changes, **begun})
    return True
