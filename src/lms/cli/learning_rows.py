"""What did somebody learn, as a line of a file tells it?"""

import re
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from lms.cli.records import Record
from lms.domain.base import Malformed
from lms.domain.learning_entry import LearningKind
from lms.domain.terms import Visibility

_ALIASES = {
    "person": ("person", "email", "e_mail", "learner", "contributor", "contributor_id", "employee", "employee_id"),
    "entry_id": ("entry_id", "external_id", "id", "statement_id"),
    "note": ("note", "what", "text", "description", "title"),
    "competencies": ("competencies", "competency", "skills", "skill"),
    "kind": ("kind", "type"),
    "minutes": ("minutes", "duration_minutes", "duration"),
    "learned_on": ("learned_on", "date", "on", "completed_on", "completed", "timestamp"),
    "goal_id": ("goal_id", "goal"),
    "rating": ("rating", "score"),
    "activity": ("activity", "activity_iri", "iri", "url", "link"),
    "visibility": ("visibility",),
}
_COLUMN = {alias: name for name, aliases in _ALIASES.items() for alias in aliases}
_SEPARATORS = re.compile(r"[;|\n]")


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line. ``person`` is an e-mail address, an id or the organisation's own id; competencies are names or ids."""

    line: int
    person: str
    entry_id: str | None
    note: str | None
    competencies: tuple[str, ...]
    kind: LearningKind
    minutes: int | None
    learned_on: date | None
    goal_id: UUID | None
    rating: int | None
    activity: str | None
    visibility: Visibility

    @property
    def told(self) -> bytes:
        """What makes this one person's line the same in another run or file: its own id, else all it says."""
        if self.entry_id is not None:
            return msgspec.json.encode(("id", self.entry_id))
        return msgspec.json.encode(msgspec.structs.replace(self, line=0, person=""))


def row_of(record: Record, time_zone: ZoneInfo) -> Row:
    """The row that a record tells. Raises Malformed."""
    values: dict[str, str] = {}
    for column, value in record.values.items():
        if column in _COLUMN:
            values.setdefault(_COLUMN[column], value)
    if "person" not in values:
        raise Malformed(pointer="/person", detail="is missing: an e-mail address or an id")
    person = values["person"]
    return Row(
        line=record.line,
        person=person.casefold() if "@" in person else person,
        entry_id=values.get("entry_id"),
        note=values.get("note"),
        competencies=_names(values.get("competencies", "")),
        kind=LearningKind(_word(values.get("kind", LearningKind.ON_THE_JOB), list(LearningKind), "/kind")),
        minutes=_number(values.get("minutes"), "/minutes"),
        learned_on=_day(values.get("learned_on"), time_zone),
        goal_id=_id(values.get("goal_id")),
        rating=_number(values.get("rating"), "/rating"),
        activity=values.get("activity"),
        visibility=Visibility(_word(values.get("visibility", Visibility.PRIVATE), list(Visibility), "/visibility")),
    )


def _names(stated: str) -> tuple[str, ...]:
    """Names apart by semicolon, bar or new line, or a JSON list."""
    if stated.startswith("["):
        try:
            parts = msgspec.json.decode(stated, type=list[str])
        except msgspec.DecodeError:
            raise Malformed(pointer="/competencies", detail="a list of names") from None
    else:
        parts = _SEPARATORS.split(stated)
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _word(stated: str, known: list[str], pointer: str) -> str:
    word = re.sub(r"[\s_]+", "-", stated.strip().lower())
    if word not in known:
        raise Malformed(pointer=pointer, detail=f"one of {', '.join(known)}")
    return word


def _number(stated: str | None, pointer: str) -> int | None:
    if stated is None:
        return None
    if not re.fullmatch(r"\d{1,9}(\.0+)?", stated):
        raise Malformed(pointer=pointer, detail="a whole number")
    return int(stated.partition(".")[0])


def _day(stated: str | None, time_zone: ZoneInfo) -> date | None:
    """A day, or the day that a moment falls on in the organisation's time zone."""
    if stated is None:
        return None
    try:
        if len(stated) == len("2026-03-31"):
            return date.fromisoformat(stated)
        moment = datetime.fromisoformat(stated)
    except ValueError:
        raise Malformed(pointer="/learned_on", detail="a date such as 2026-03-31") from None
    return moment.astimezone(time_zone).date() if moment.tzinfo else moment.date()


def _id(stated: str | None) -> UUID | None:
    try:
        return UUID(stated) if stated else None
    except ValueError:
        raise Malformed(pointer="/goal_id", detail="not an id") from None
