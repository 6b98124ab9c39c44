"""Which tables does the star schema have, what do they count, and how does one leave as a file?"""

import asyncio
import io
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import msgspec

from lms.projections.base import Connection

BATCH_ROWS = 10_000
"""Rows that a file is written by."""

_WAITING_PIECES = 8

_TABLES = """
    SELECT c.relname AS name, obj_description(c.oid) AS counts, a.attname AS column_name,
        format_type(a.atttypid, NULL) AS type, NOT a.attnotnull AS nullable, col_description(c.oid, a.attnum) AS says
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'bi') AND c.relkind = 'r'
    ORDER BY c.relname, a.attnum
"""


class DatasetColumn(msgspec.Struct, frozen=True):
    """A column: its SQL type, whether it may be null, and what it counts (additive, semi-additive or not)."""

    name: str
    type: str
    nullable: bool
    description: str


class Dataset(msgspec.Struct, frozen=True):
    """A table of the star schema."""

    name: str
    description: str
    columns: list[DatasetColumn]


async def datasets(connection: Connection) -> list[Dataset]:
    """The data dictionary, from the comments in the database."""
    found: dict[str, Dataset] = {}
    for row in await connection.fetch(_TABLES):
        dataset = found.setdefault(row["name"], Dataset(row["name"], row["counts"] or "", []))
        column = DatasetColumn(row["column_name"], row["type"], row["nullable"], row["says"] or "")
        dataset.columns.append(column)
    return list(found.values())


async def as_csv(connection: Connection, organisation_id: UUID, dataset: Dataset) -> AsyncGenerator[bytes, None]:
    """One organisation's rows with a header line, piece by piece."""
    pieces: asyncio.Queue[bytes | None] = asyncio.Queue(_WAITING_PIECES)

    async def copy() -> None:
        try:
            await connection.copy_from_query(
                _rows_of(dataset), organisation_id, output=pieces.put, format="csv", header=True
            )
        finally:
            await pieces.put(None)

    copying = asyncio.create_task(copy())
    try:
        while (piece := await pieces.get()) is not None:
            yield bytes(piece)
        await copying
    finally:
        copying.cancel()
        await asyncio.gather(copying, return_exceptions=True)


async def as_parquet(connection: Connection, organisation_id: UUID, dataset: Dataset) -> AsyncGenerator[bytes, None]:
    """One organisation's rows in row groups, piece by piece."""
    import pyarrow as pa  # noqa: PLC0415 - loaded when a file is asked for
    import pyarrow.parquet as pq  # noqa: PLC0415 - the same

    types: dict[str, Any] = {
        "bigint": pa.int64(),
        "integer": pa.int32(),
        "double precision": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
    }
    columns = dataset.columns
    schema = pa.schema([pa.field(one.name, types.get(one.type, pa.string()), one.nullable) for one in columns])
    sink = _Sink()
    with pq.ParquetWriter(sink, schema) as writer:
        async with connection.transaction(readonly=True):
            cursor = await connection.cursor(_rows_of(dataset, texts=True), organisation_id)
            while rows := await cursor.fetch(BATCH_ROWS):
                values = [[row[place] for row in rows] for place in range(len(columns))]
                arrays = [pa.array(value, field.type) for value, field in zip(values, schema, strict=True)]
                writer.write_batch(pa.record_batch(arrays, schema=schema))
                yield sink.taken()
    yield sink.taken()


class _Sink(io.RawIOBase):
    """A file that is taken away as it is written; it only counts where it would be."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: Any) -> int:
        """Keep a copy until it is taken."""
        piece = bytes(data)
        self._pieces.append(piece)
        self._written += len(piece)
        return len(piece)

    def tell(self) -> int:
        """How much was written in all."""
        return self._written

    def taken(self) -> bytes:
        """What was written since this was last asked."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def _rows_of(dataset: Dataset, *, texts: bool = False) -> str:
    """The statement that selects an organisation's rows; ids as texts where files know no ids."""
    names = [f"t.{one.name}::text" if texts and one.type == "uuid" else f"t.{one.name}" for one in dataset.columns]
    return (
        f"SELECT {', '.join(names)} FROM bi.{dataset.name} AS t"
        " WHERE t.organisation_key = (SELECT o.organisation_key FROM bi.dim_organisation AS o"
        " WHERE o.organisation_id = $1)"
    )
