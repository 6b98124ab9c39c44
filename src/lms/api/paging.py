"""How does a long list come in pages?"""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from litestar.params import QueryParameter

from lms.api.bodies import EARLIEST, LATEST
from lms.domain.base import Malformed

T = TypeVar("T")

Limit = Annotated[int, QueryParameter(ge=1, le=200, description="How many items at most")]
Cursor = Annotated[str | None, QueryParameter(description="`next` of the page before")]
DEFAULT_LIMIT = 50

_NOT_OURS = "not a cursor of this list"


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some items and the cursor of those that follow, null on the last page."""

    items: list[T]
    next: str | None


def page(rows: Sequence[T], limit: int, key: Callable[[T], Sequence[Any]]) -> Page[T]:
    """Make a page of rows that were read with ``limit + 1``: the extra one only tells that there are more."""
    shown = list(rows[:limit])
    more = len(rows) > limit
    return Page(shown, encode_cursor(key(shown[-1])) if more else None)


def encode_cursor(key: Sequence[Any]) -> str:
    """The opaque cursor for a sort key."""
    return base64.urlsafe_b64encode(msgspec.json.encode(list(key))).decode().rstrip("=")


def decode_cursor(cursor: str | None, *kinds: type) -> tuple[Any, ...] | None:
    """The sort key in a cursor, each part of its kind; None without a cursor. Refuses one that is not ours."""
    if cursor is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        key: tuple[Any, ...] = msgspec.json.decode(raw, type=tuple[kinds])  # type: ignore[valid-type]
    except (binascii.Error, ValueError, RecursionError, msgspec.DecodeError):
        raise Malformed(pointer="/cursor", detail=_NOT_OURS) from None
    if not all(_can_be_compared(part) for part in key):
        raise Malformed(pointer="/cursor", detail=_NOT_OURS)
    return key


def _can_be_compared(part: Any) -> bool:
    """Tell whether the database can compare it with a column: not so whole numbers beyond 64 bits and the like."""
    match part:
        case int():
            return -(2**63) <= part < 2**63
        case str():
            return "\x00" not in part
        case datetime():
            return part.tzinfo is not None and EARLIEST.year <= part.year <= LATEST.year
        case _:
            return True
