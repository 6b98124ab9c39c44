"""Who looked at whose record?"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import asyncpg
import msgspec

from lms import clock
from lms.projections.base import Connection


class What(StrEnum):
    """Which record of a person was read."""

    CONTRIBUTOR = "contributor"
    EVIDENCE = "evidence"


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of a person's record by another."""

    entry_id: UUID
    reader_id: UUID
    what: What
    read_at: datetime


async def note(
    pool: "asyncpg.Pool[asyncpg.Record]", organisation_id: UUID, about_id: UUID, reader_id: UUID, what: What
) -> None:
    """Write down that somebody read a record of somebody else; one's own is nobody's business."""
    if about_id == reader_id:
        return
    await pool.execute(
        """INSERT INTO lms.access_log (entry_id, organisation_id, about_id, reader_id, what, read_at)
           VALUES ($1, $2, $3, $4, $5, $6)""",
        clock.uuid7(),
        organisation_id,
        about_id,
        reader_id,
        what.value,
        clock.now(),
    )


async def entries(
    connection: Connection, organisation_id: UUID, about_id: UUID, limit: int, before: UUID | None = None
) -> list[Access]:
    """The readings of one person's records, the latest first; ``before`` is the last entry seen."""
    rows = await connection.fetch(
        """SELECT entry_id, reader_id, what, read_at FROM lms.access_log
           WHERE organisation_id = $1 AND about_id = $2 AND ($4::uuid IS NULL OR entry_id < $4)
           ORDER BY entry_id DESC LIMIT $3""",
        organisation_id,
        about_id,
        limit,
        before,
    )
    return [
        Access(entry_id=row["entry_id"], reader_id=row["reader_id"], what=What(row["what"]), read_at=row["read_at"])
        for row in rows
    ]
