"""What does a request body look like, and which numbers, days and texts can be kept?"""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import Any

import msgspec

MOST_DIGITS = 15
LARGEST = Decimal(10) ** 15
EARLIEST = date(1900, 1, 1)
LATEST = date(2999, 12, 31)
NOT_TEXT = "a number is sent as a JSON number, not as a text"


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all request bodies: unknown fields, endless numbers, days of another age and NULs are refused."""

    def __post_init__(self) -> None:
        for name, sent_as in zip(self.__struct_fields__, self.__struct_encode_fields__, strict=True):
            fault = next(_faults(getattr(self, name)), None)
            if fault is not None:
                raise ValueError(f"Field `{sent_as}`: {fault}")


class Batch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Many bodies in one call; each is judged alone."""

    items: tuple[Any, ...]


def text_for_number(value: object, raw: object) -> str | None:
    """The JSON pointer of a number that was sent as a text, or None; ``value`` was decoded from ``raw``."""
    return next(_texts_for_numbers(value, raw, ""), None)


def _faults(value: object) -> Iterator[str]:
    """What cannot be kept of a value and of what it holds; bodies inside it were looked at before it."""
    match value:
        case tuple() | list():
            parts: Iterable[object] = value
        case dict():
            parts = chain(value.keys(), value.values())
        case msgspec.Struct() if not isinstance(value, Body):
            parts = (getattr(value, name) for name in value.__struct_fields__)
        case _:
            yield from _faults_of_one(value)
            return
    for part in parts:
        yield from _faults(part)


def _faults_of_one(value: object) -> Iterator[str]:
    match value:
        case str() if "\x00" in value:
            yield "texts contain no NUL character"
        case int() | float() if not abs(value) < LARGEST:
            yield "numbers have at most 15 digits and lie below 1e15"
        case Decimal():
            yield from _faults_of_decimal(value)
        case date() if not EARLIEST.toordinal() <= value.toordinal() <= LATEST.toordinal():
            yield f"days lie between {EARLIEST} and {LATEST}"
        case _:
            pass


def _faults_of_decimal(value: Decimal) -> Iterator[str]:
    """Say what has more digits or is larger than survives a JSON number."""
    if not value.is_finite() or abs(value) >= LARGEST or len(value.normalize().as_tuple().digits) > MOST_DIGITS:
        yield "numbers have at most 15 digits and lie below 1e15"
        return
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent < -MOST_DIGITS:
        yield "numbers have at most 15 decimal places"


def _texts_for_numbers(value: object, raw: object, pointer: str) -> Iterator[str]:
    match value, raw:
        case Decimal(), str():
            yield pointer
        case msgspec.Struct(), dict():
            for name, sent_as in zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True):
                yield from _texts_for_numbers(getattr(value, name), raw.get(sent_as), f"{pointer}/{sent_as}")
        case ((tuple() | list()), list()):
            for number, (part, raw_part) in enumerate(zip(value, raw, strict=False)):
                yield from _texts_for_numbers(part, raw_part, f"{pointer}/{number}")
        case dict(), dict():
            for key, part in value.items():
                yield from _texts_for_numbers(part, raw.get(key), f"{pointer}/{key}")
        case _:
            pass
