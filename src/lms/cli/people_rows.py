"""Whom does a line of a file of people name, and in which team?"""

import re
from datetime import date

import msgspec

from lms.cli.records import BadLine, Record
from lms.domain.base import Malformed, Refusal
from lms.domain.contributor import ContributorKind

_ALIASES = {
    "name": ("name", "full_name", "display_name", "naam"),
    "first_name": ("first_name", "given_name", "voornaam"),
    "last_name": ("last_name", "family_name", "surname", "achternaam"),
    "email": ("email", "e_mail", "mail", "email_address", "e_mail_address"),
    "external_id": ("external_id", "id", "employee_id", "personnel_number", "staff_number"),
    "kind": ("kind", "type"),
    "role_band": ("role_band", "band", "role", "job_family", "function"),
    "team": ("team", "team_name", "department", "afdeling"),
    "team_lead": ("team_lead", "lead", "is_lead", "leads", "manager", "is_manager"),
    "home": ("home", "is_home", "home_team"),
    "on": ("on", "since", "start_date", "started_on", "registered_on"),
}
_COLUMN = {alias: name for name, aliases in _ALIASES.items() for alias in aliases}
_YES = {"yes", "y", "true", "1", "x", "ja", "j"}
_NO = {"no", "n", "false", "0", "nee"}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line: a person, and perhaps a team. ``team`` is the path of names from the top of the tree."""

    line: int
    name: str
    email: str | None
    external_id: str | None
    kind: ContributorKind
    role_band: str | None
    team: tuple[str, ...]
    lead: bool
    home: bool | None
    on: date | None

    @property
    def identity(self) -> tuple[str, str]:
        """Who this is, whichever file names him."""
        if self.external_id is not None:
            return "id", self.external_id
        return "email", (self.email or "").casefold()


def row_of(record: Record) -> Row:
    """The row that a record tells. Raises Malformed."""
    values: dict[str, str] = {}
    for column, value in record.values.items():
        if column in _COLUMN:
            values.setdefault(_COLUMN[column], value)
    name = values.get("name") or " ".join(filter(None, (values.get("first_name"), values.get("last_name"))))
    if not name:
        raise Malformed(pointer="/name", detail="is missing")
    if "email" not in values and "external_id" not in values:
        raise Malformed(pointer="/email", detail="is missing, and so is an id of the person")
    return Row(
        line=record.line,
        name=name,
        email=values.get("email"),
        external_id=values.get("external_id"),
        kind=_kind(values.get("kind")),
        role_band=_kebab(values.get("role_band")),
        team=tuple(part.strip() for part in values.get("team", "").split(">") if part.strip()),
        lead=_flag(values.get("team_lead"), "/team_lead") or False,
        home=_flag(values.get("home"), "/home"),
        on=_day(values.get("on")),
    )


def _kind(stated: str | None) -> ContributorKind:
    try:
        return ContributorKind((stated or ContributorKind.EMPLOYEE).lower())
    except ValueError:
        raise Malformed(pointer="/kind", detail=f"one of {', '.join(ContributorKind)}") from None


def _kebab(stated: str | None) -> str | None:
    return re.sub(r"[^a-z0-9]+", "-", stated.lower()).strip("-") or None if stated else None


def _flag(stated: str | None, pointer: str) -> bool | None:
    if stated is None:
        return None
    if stated.lower() not in _YES | _NO:
        raise Malformed(pointer=pointer, detail="yes or no")
    return stated.lower() in _YES


def _day(stated: str | None) -> date | None:
    try:
        return date.fromisoformat(stated) if stated else None
    except ValueError:
        raise Malformed(pointer="/on", detail="a date such as 2026-03-31") from None


def with_one_home(rows: list[Row], bad_lines: list[BadLine]) -> list[Row]:
    """The rows with one home per person: the one that says so, else the first that has a team."""
    stated: dict[tuple[str, str], int] = {}
    kept: list[Row] = []
    for row in rows:
        if row.home and stated.setdefault(row.identity, row.line) != row.line:
            bad_lines.append(BadLine(row.line, f"home: line {stated[row.identity]} says another home"))
        else:
            kept.append(row)
    open_to: set[tuple[str, str]] = set(stated)
    settled: list[Row] = []
    for row in kept:
        if not row.team or row.home is not None:
            settled.append(row)
        elif row.identity in open_to:
            settled.append(msgspec.structs.replace(row, home=False))
        else:
            open_to.add(row.identity)
            settled.append(row)
    return settled


def reason_of(refused: Refusal) -> str:
    """Why a line was refused, with the column where one is to blame."""
    if isinstance(refused, Malformed):
        pointer = str(refused.facts.get("pointer", "")).strip("/")
        detail = str(refused.facts.get("detail", ""))
        return f"{pointer}: {detail}" if pointer else detail
    return refused.title()
