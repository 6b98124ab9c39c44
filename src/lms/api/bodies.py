"""What does a request body look like, and which numbers and texts can be kept?"""

from decimal import Decimal
from typing import Any

import msgspec

MOST_DIGITS = 15
LARGEST = Decimal(10) ** 15


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all request bodies: unknown fields, endless numbers and NUL characters are refused."""

    def __post_init__(self) -> None:
        for name, sent_as in zip(self.__struct_fields__, self.__struct_encode_fields__, strict=True):
            fault = _fault(getattr(self, name))
            if fault is not None:
                raise ValueError(f"Field `{sent_as}`: {fault}")


def _fault(value: object) -> str | None:
    """What cannot be kept of a value; what has more digits or is larger would not survive a JSON number."""
    if isinstance(value, str):
        return "texts contain no NUL character" if "\x00" in value else None
    if not isinstance(value, Decimal):
        return None
    if not value.is_finite() or abs(value) >= LARGEST or len(value.normalize().as_tuple().digits) > MOST_DIGITS:
        return "numbers have at most 15 digits and lie below 1e15"
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent < -MOST_DIGITS:
        return "numbers have at most 15 decimal places"
    return None


class Batch(Body, frozen=True, kw_only=True):
    """Many bodies in one call; each is judged alone."""

    items: tuple[Any, ...]
