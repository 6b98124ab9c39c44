"""How does a field of a row become a value of a column, and back?

uuid, text, boolean, bigint, double precision, numeric, date, timestamptz, bytea and arrays of uuid and text map to
themselves; everything else (personal texts, nested structs, tuples of structs) is jsonb, encoded by msgspec.
"""

import enum
import types
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Union, get_args, get_origin
from uuid import UUID

import msgspec

Convert = Callable[[Any], Any]

_PLAIN: dict[Any, str] = {
    UUID: "uuid",
    str: "text",
    bool: "boolean",
    int: "bigint",
    float: "double precision",
    Decimal: "numeric",
    date: "date",
    datetime: "timestamptz",
    bytes: "bytea",
}

_json = msgspec.json.Encoder(decimal_format="number")


class Column(msgspec.Struct, frozen=True):
    """One column: its SQL type, the type of one element as a parameter, and the ways in and out (None: as it is)."""

    name: str
    sql_type: str
    parameter_type: str
    encode: Convert | None
    decode: Convert | None

    @property
    def quoted(self) -> str:
        """The name as SQL takes it, whatever word it is."""
        return f'"{self.name}"'

    @property
    def cast(self) -> str:
        """The expression that turns the parameter into the column's type."""
        return self.quoted if self.parameter_type == self.sql_type else f"{self.quoted}::{self.sql_type}"


def column(name: str, annotation: Any) -> Column:
    """The column that a field of this type becomes."""
    inner = _without_none(annotation)
    if inner in _PLAIN:
        return Column(name, _PLAIN[inner], _PLAIN[inner], None, None)
    if isinstance(inner, type) and issubclass(inner, enum.StrEnum):
        return Column(name, "text", "text", str, inner)
    if get_origin(inner) is tuple and get_args(inner)[1:] == (Ellipsis,):
        element = get_args(inner)[0]
        if element is UUID:
            return Column(name, "uuid[]", "text", _uuid_array, tuple)
        if element is str:
            return Column(name, "text[]", "text", _text_array, tuple)
    decoder = msgspec.json.Decoder(inner)
    return Column(name, "jsonb", "text", _json_text, decoder.decode)


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in {Union, types.UnionType}:
        members = tuple(member for member in get_args(annotation) if member is not type(None))
        return members[0] if len(members) == 1 else Union[members]  # noqa: UP007 - built at run time
    return annotation


def _json_text(value: Any) -> str:
    return _json.encode(value).decode()


def _uuid_array(values: tuple[UUID, ...]) -> str:
    # An array of arrays would be unnested whole, so that an array travels as its literal.
    return "{" + ",".join(map(str, values)) + "}"


def _text_array(values: tuple[str, ...]) -> str:
    return "{" + ",".join(f'"{value.translate(_ESCAPES)}"' for value in values) + "}"


_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"'})
