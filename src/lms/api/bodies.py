"""What does a request body look like, and which numbers and texts can be kept?"""

from decimal import Decimal
from typing import Any

import msgspec

MOST_DIGITS = 15
LARGEST = Decimal(10) ** 15


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all request bodies: unknown fields, endless numbers and NUL characters are refused."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, Decimal):
                check_number(value)
            elif isinstance(value, str) and "\x00" in value:
                raise ValueError(f"{name} contains a NUL character")


def check_number(value: Decimal) -> None:
    """Refuse NaN, infinities, |x| >= 1e15 and more than 15 digits: they would not survive a JSON number."""
    if not value.is_finite() or abs(value) >= LARGEST or len(value.normalize().as_tuple().digits) > MOST_DIGITS:
        raise ValueError("numbers have at most 15 digits and lie below 1e15")
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent < -MOST_DIGITS:
        raise ValueError("numbers have at most 15 decimal places")


class Batch(Body, frozen=True, kw_only=True):
    """Many bodies in one call; each is judged alone."""

    items: tuple[Any, ...]


def example(body: type[msgspec.Struct], text: str) -> str:
    """A route's description with an example body, as the docs page shows it."""
    return f"{text}\n\nExample:\n```json\n{body.__doc__}\n```"
