"""Which words and values do several aggregates share?"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import msgspec

from lms.domain.base import Malformed


class Visibility(StrEnum):
    """To whom an object is shown; ``private`` is its owner alone."""

    PRIVATE = "private"
    TEAM = "team"
    ORGANISATION = "organisation"
    PUBLIC = "public"


class Direction(StrEnum):
    """Which way is better."""

    INCREASE = "increase"
    DECREASE = "decrease"
    HOLD = "hold"


class Origin(StrEnum):
    """Where a measured value comes from; the grade of a link depends on it."""

    SYSTEM = "system"
    COUNTED = "counted"
    RECALLED = "recalled"


class Summary(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A measured value over a window: mean, number of observations, standard deviation, both days included."""

    value: Decimal
    n: int | None = None
    spread: Decimal | None = None
    start: date
    end: date


MOST = 1_000_000_000
"""The largest count of observations or people that is taken for one."""

LONGEST_LAG_DAYS = 36_500
"""The longest time after which an effect may be expected: a century."""

_ISO_4217 = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP
CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR
IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU
MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG
SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV
WST XAF XCD XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_ISO_4217.split())
"""ISO 4217, active codes."""

_UNIT_WORDS = """
count ratio percent score seconds minutes hours days weeks months pieces orders customers people items errors
complaints kilograms metres kilometres litres kilowatt-hours
"""
UNITS = frozenset(_UNIT_WORDS.split())


def check_unit(unit: str, pointer: str) -> None:
    """Refuse a unit outside the closed list and ISO 4217. Units are compared, never converted."""
    if unit not in UNITS and unit not in CURRENCIES:
        known = ", ".join(sorted(UNITS))
        raise Malformed(pointer=pointer, detail=f"unknown unit {unit!r}: one of {known}, or an ISO 4217 code")


def check_not_in_future(day: date, today: date, pointer: str) -> None:
    """Refuse a day that has not come yet in the organisation's time zone."""
    if day > today:
        raise Malformed(pointer=pointer, detail=f"{day} lies in the future")


def check_text(text: str | None, pointer: str, limit: int = 10_000) -> None:
    """Refuse an empty or over-long text where one is given."""
    if text is not None and not text.strip():
        raise Malformed(pointer=pointer, detail="must not be empty")
    if text is not None and len(text) > limit:
        raise Malformed(pointer=pointer, detail=f"longer than {limit} characters")


def check_count(count: int | None, pointer: str) -> None:
    """Refuse what cannot be a number of observations or people, where one is given."""
    if count is not None and count < 1:
        raise Malformed(pointer=pointer, detail="must be at least 1")
    if count is not None and count > MOST:
        raise Malformed(pointer=pointer, detail=f"must be at most {MOST}")


def check_lag(days: int | None, pointer: str) -> None:
    """Refuse an effect that comes before its cause, or after more than a lifetime."""
    if days is not None and days < 0:
        raise Malformed(pointer=pointer, detail="an effect does not precede its cause")
    if days is not None and days > LONGEST_LAG_DAYS:
        raise Malformed(pointer=pointer, detail=f"must be at most {LONGEST_LAG_DAYS} days")


def check_needs(need_ids: Sequence[UUID]) -> None:
    """Refuse to serve capability needs: there are none yet that could be named."""
    if need_ids:
        raise Malformed(pointer="/need_ids", detail="there are no capability needs yet: leave this out")


def check_window(summary: Summary, today: date, pointer: str) -> None:
    """Refuse a measurement whose window is reversed or not over yet, or whose numbers cannot be."""
    if summary.start > summary.end:
        raise Malformed(pointer=f"{pointer}/end", detail="the window ends before it starts")
    check_not_in_future(summary.end, today, f"{pointer}/end")
    check_count(summary.n, f"{pointer}/n")
    if summary.spread is not None and summary.spread < 0:
        raise Malformed(pointer=f"{pointer}/spread", detail="must not be negative")
