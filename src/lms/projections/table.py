"""How are rows of a read table loaded and saved, many at a time?"""

from collections.abc import Callable, Collection, Iterable
from typing import Any, Generic, TypeAlias, TypeVar, get_type_hints
from uuid import UUID

import asyncpg
import msgspec

from lms.projections.columns import Column, column

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

R = TypeVar("R", bound=msgspec.Struct)

Key: TypeAlias = Any
"""The value of a one-column key as it is, the values of a wider key as a tuple."""

Values: TypeAlias = tuple[Any, ...]


class NoSuchRow(LookupError):  # noqa: N818 - an event out of place, told by its position when it parks
    """An event changes a row that no earlier event made."""


class Touch(msgspec.Struct, frozen=True, gc=False):
    """What one event does to rows of a table: to the row with ``key``, or to every row ``where`` columns are equal.

    ``change`` takes the row (None: there is none) and gives the row as it is then (None: there is none any more).
    """

    table: "Table[Any]"
    change: Callable[[Any], Any]
    key: Key = None
    where: tuple[tuple[str, ...], Values] | None = None
    whole: bool = False
    """The row's state before does not matter, it need not be loaded."""


class Table(Generic[R]):
    """A table of rows: a msgspec Struct whose fields are the columns, some of which are the key.

    The name is unqualified and ends with the projection's version (``goals_v1``): the search path says which schema.
    Rows should be frozen. A row never changes its key.
    """

    def __init__(self, name: str, row: type[R], key: str | tuple[str, ...]) -> None:
        self.name = name
        self.row_type = row
        self.key_names = (key,) if isinstance(key, str) else key
        hints = get_type_hints(row)
        self.columns: dict[str, Column] = {field: column(field, hints[field]) for field in row.__struct_fields__}
        self._decoders = tuple((one.name, one.decode) for one in self.columns.values())
        self._rest = [field for field in self.columns if field not in self.key_names]
        self.list = self._list(self.columns)
        """The columns, to stand after SELECT."""
        self._save = self._save_sql()
        self._delete = f"DELETE FROM {name} AS t{self._matching(self.key_names, 'USING')}"

    def __repr__(self) -> str:
        return f"Table({self.name})"

    # What handlers answer with

    def put(self, row: R) -> Touch:
        """The row as it is from now on, whatever there was."""
        return Touch(self, lambda _: row, key=self.key_of(row), whole=True)

    def change(self, key: Key, **fields: Any) -> Touch:
        """The existing row with other values in some fields. Raises NoSuchRow when applied to none."""

        def replace(row: R | None) -> R:
            if row is None:
                raise NoSuchRow(f"{self.name}: {key}")
            return msgspec.structs.replace(row, **fields)

        return Touch(self, replace, key=key)

    def touch(self, key: Key, change: Callable[[R | None], R | None]) -> Touch:
        """The row as a function of the row before; None stands for no row."""
        return Touch(self, change, key=key)

    def delete(self, key: Key) -> Touch:
        """No row from now on."""
        return Touch(self, lambda _: None, key=key, whole=True)

    def each(self, change: Callable[[R], R | None], **where: Any) -> Touch:
        """Every row whose columns have these values (index them), as a function of the row before; None drops it."""
        return Touch(self, change, where=(tuple(where), tuple(where.values())))

    # Reading and writing

    def key_of(self, row: R) -> Key:
        """The row's key."""
        if len(self.key_names) == 1:
            return getattr(row, self.key_names[0])
        return tuple(getattr(row, name) for name in self.key_names)

    def row(self, record: asyncpg.Record) -> R:
        """The row that a record holds; the record may hold more columns."""
        values = {}
        for name, decode in self._decoders:
            value = record[name]
            values[name] = value if decode is None or value is None else decode(value)
        return self.row_type(**values)

    async def select(self, connection: Connection, rest: str, *arguments: Any) -> list[R]:
        """The rows of ``SELECT .. FROM this table`` followed by ``rest`` (WHERE, ORDER BY, LIMIT)."""
        return [
            self.row(record)
            for record in await connection.fetch(f"SELECT {self.list} FROM {self.name} {rest}", *arguments)
        ]

    async def get(self, connection: Connection, organisation_id: UUID, key: Key) -> R | None:
        """The row with this key when it belongs to the organisation."""
        row = (await self.load(connection, (key,))).get(key)
        return row if row is not None and getattr(row, "organisation_id", None) == organisation_id else None

    async def load(self, connection: Connection, keys: Collection[Key]) -> dict[Key, R]:
        """The existing rows by key, in one read."""
        values = [(key,) for key in keys] if len(self.key_names) == 1 else keys
        rows = await self.load_where(connection, self.key_names, values)
        return {self.key_of(row): row for row in rows}

    async def load_where(self, connection: Connection, names: tuple[str, ...], values: Collection[Values]) -> list[R]:
        """The rows whose columns have one of these combinations of values, in one read."""
        if not values:
            return []
        columns = ", ".join(f"t.{one.quoted}" for one in self.columns.values())
        sql = f"SELECT {columns} FROM {self.name} AS t{self._matching(names, ',')}"
        return [self.row(record) for record in await connection.fetch(sql, *self._arguments(names, values))]

    async def save(self, connection: Connection, rows: Iterable[R]) -> None:
        """Insert the rows or replace those with the same key, in one statement."""
        values = [tuple(getattr(row, name) for name in self.columns) for row in rows]
        if values:
            await connection.execute(self._save, *self._arguments(tuple(self.columns), values))

    async def remove(self, connection: Connection, keys: Collection[Key]) -> None:
        """Delete the rows with these keys, in one statement."""
        values = [(key,) for key in keys] if len(self.key_names) == 1 else keys
        if values:
            await connection.execute(self._delete, *self._arguments(self.key_names, values))

    @staticmethod
    def _list(names: Iterable[str]) -> str:
        return ", ".join(f'"{name}"' for name in names)

    def _save_sql(self) -> str:
        selected = ", ".join(one.cast for one in self.columns.values())
        arguments = ", ".join(f"${n}::{one.parameter_type}[]" for n, one in enumerate(self.columns.values(), 1))
        action = ", ".join(f'"{name}" = EXCLUDED."{name}"' for name in self._rest)
        return (
            f"INSERT INTO {self.name} ({self.list}) SELECT {selected} FROM unnest({arguments}) AS r({self.list})"
            f" ON CONFLICT ({self._list(self.key_names)}) DO {f'UPDATE SET {action}' if action else 'NOTHING'}"
        )

    def _matching(self, names: tuple[str, ...], joined_by: str) -> str:
        """The rest of a statement about the rows ``t`` whose columns have one of the combinations of values."""
        columns = [self.columns[name] for name in names]
        arguments = [f"${n}::{one.parameter_type}[]" for n, one in enumerate(columns, 1)]
        if len(columns) == 1 and columns[0].sql_type == columns[0].parameter_type:
            return f" WHERE t.{columns[0].quoted} = ANY({arguments[0]})"
        wanted = ", ".join(f"{one.cast} AS {one.quoted}" for one in columns)
        equal = " AND ".join(f"t.{one.quoted} = k.{one.quoted}" for one in columns)
        given = f"SELECT {wanted} FROM unnest({', '.join(arguments)}) AS r({self._list(names)})"
        return f" {joined_by} ({given}) AS k WHERE {equal}"

    def _arguments(self, names: tuple[str, ...], values: Collection[Values]) -> list[list[Any]]:
        arguments: list[list[Any]] = []
        for one, given in zip((self.columns[name] for name in names), zip(*values, strict=True), strict=True):
            encode = one.encode
            arguments.append(
                list(given) if encode is None else [None if value is None else encode(value) for value in given]
            )
        return arguments
