"""What did I learn, and what does it lead to?"""

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from lms.api.answers import Answer, changed, created, done, found, text
from lms.api.batches import Accepted, BatchResults, judge
from lms.api.bodies import Batch, Body
from lms.api.deps import Connection, Reader, Sender, Who
from lms.api.learning_links import Outcome, Suggested, outcomes_of, suggestions_for
from lms.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, page
from lms.domain.base import NotFound
from lms.domain.learning_entry import (
    CorrectLearning,
    EntryField,
    LearningEntry,
    LearningKind,
    LogLearning,
    WithdrawLearning,
)
from lms.domain.terms import Visibility
from lms.projections.my_learning import LearningRow, MyLearning

_learning = MyLearning()

Note = Annotated[str, msgspec.Meta(examples=["Asked the customer to repeat the order before I answered"])]
Minutes = Annotated[int, msgspec.Meta(description="Minutes spent", examples=[30])]
Rating = Annotated[int, msgspec.Meta(description="1 to 5: how useful it was", examples=[4])]
Activity = Annotated[str, msgspec.Meta(description="The IRI of a course or other activity")]


class NewLearning(Body, frozen=True, kw_only=True):
    """Something learned: a note alone is enough; else a competency or a goal."""

    note: Note | None = None
    kind: LearningKind = LearningKind.ON_THE_JOB
    minutes: Minutes | None = None
    learned_on: date | None = None
    competencies: tuple[UUID, ...] = ()
    goal_id: UUID | None = None
    need_ids: tuple[UUID, ...] = ()
    rating: Rating | None = None
    activity: Activity | None = None
    visibility: Visibility = Visibility.PRIVATE


class LearningChange(Body, frozen=True, kw_only=True):
    """What is different: a field left out stays as it is, null takes it out."""

    note: Note | msgspec.UnsetType | None = msgspec.UNSET
    minutes: Minutes | msgspec.UnsetType | None = msgspec.UNSET
    goal_id: UUID | msgspec.UnsetType | None = msgspec.UNSET
    rating: Rating | msgspec.UnsetType | None = msgspec.UNSET
    activity: Activity | msgspec.UnsetType | None = msgspec.UNSET
    kind: LearningKind | msgspec.UnsetType = msgspec.UNSET
    learned_on: date | msgspec.UnsetType = msgspec.UNSET
    competencies: tuple[UUID, ...] | msgspec.UnsetType = msgspec.UNSET
    need_ids: tuple[UUID, ...] | msgspec.UnsetType = msgspec.UNSET
    visibility: Visibility | msgspec.UnsetType = msgspec.UNSET


class EntryShown(msgspec.Struct, frozen=True, kw_only=True):
    """One entry, for its learner. ``next``: ``competencies``, ``goal`` while it is linked to none."""

    id: UUID
    note: str | None
    kind: LearningKind
    minutes: int | None
    learned_on: date
    competencies: tuple[UUID, ...]
    goal_id: UUID | None
    need_ids: tuple[UUID, ...]
    rating: int | None
    activity: str | None
    visibility: Visibility
    next: tuple[str, ...]


class EntryLinked(EntryShown, frozen=True, kw_only=True):
    """One entry with the outcomes it is linked to."""

    leads_to: list[Outcome]


class EntryLogged(EntryLinked, frozen=True, kw_only=True):
    """The new entry with what its words suggest to link it to."""

    suggested: Suggested


@get("/v1/me/learning", summary="What did I learn?", tags=["learning"])
async def my_learning(
    who: NamedDependency[Who],
    reader: NamedDependency[Reader],
    connection: NamedDependency[Connection],
    competency: FromQuery[UUID | None] = None,
    goal: FromQuery[UUID | None] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Answer[Page[EntryShown]]:
    """List my entries, the latest first; ``?competency=`` and ``?goal=`` keep to those linked to one."""
    after = decode_cursor(cursor, date, UUID)
    rows = await _learning.entries(
        connection, who.organisation_id, who.contributor_id, limit + 1, after, competency, goal
    )
    items = [_shown(row.entry_id, row, text(row.note)) for row in await reader.open(rows)]
    return found(page(items, limit, lambda entry: (entry.learned_on, entry.id)))


@get("/v1/me/learning/{entry_id:uuid}", summary="What was that entry?", tags=["learning"])
async def my_entry(
    entry_id: FromPath[UUID],
    who: NamedDependency[Who],
    reader: NamedDependency[Reader],
    connection: NamedDependency[Connection],
) -> Answer[EntryLinked]:
    """Show one entry of mine with the outcomes it is linked to."""
    row = await _learning.entry(connection, who.organisation_id, who.contributor_id, entry_id)
    if row is None:
        raise NotFound(learning=entry_id)
    outcomes = await outcomes_of(connection, reader, who, entry_id, row)
    shown = _shown(entry_id, row, text(await reader.open(row.note)))
    return found(EntryLinked(**msgspec.structs.asdict(shown), leads_to=outcomes), row.version)


@post("/v1/me/learning", summary="Log what I learned", tags=["learning"])
async def log_learning(
    data: JSONBody[NewLearning],
    who: NamedDependency[Who],
    sender: NamedDependency[Sender],
    reader: NamedDependency[Reader],
    connection: NamedDependency[Connection],
) -> Answer[EntryLogged]:
    """Log something I learned; ``{"note": ".."}`` is enough. It stays private unless I show it."""
    entry_id = sender.new_id()
    outcome = await sender.send(LearningEntry, entry_id, _log(data, who, entry_id))
    entry = outcome.aggregate
    note = text(await reader.open(entry.note))
    logged = EntryLogged(
        **msgspec.structs.asdict(_shown(entry_id, entry, note)),
        leads_to=await outcomes_of(connection, reader, who, entry_id, entry),
        suggested=await suggestions_for(connection, reader, who, entry_id, entry, note or ""),
    )
    return created(logged, await sender.receipt(outcome), f"/v1/me/learning/{entry_id}")


@post("/v1/me/learning:batch", summary="Log many things I learned", tags=["learning"], status_code=200)
async def log_batch(
    data: JSONBody[Batch], who: NamedDependency[Who], sender: NamedDependency[Sender]
) -> Answer[BatchResults]:
    """Log many entries; each is judged alone, and a bad one never rejects the others."""

    async def log(name: str, item: NewLearning) -> Accepted:
        entry_id = sender.new_id(name)
        outcome = await sender.send(LearningEntry, entry_id, _log(item, who, entry_id), part=name)
        return Accepted(id=entry_id, location=f"/v1/me/learning/{entry_id}", outcome=outcome)

    return await judge(data, NewLearning, sender, log)


@patch("/v1/me/learning/{entry_id:uuid}", summary="Correct an entry", tags=["learning"])
async def correct_learning(
    entry_id: FromPath[UUID],
    data: JSONBody[LearningChange],
    who: NamedDependency[Who],
    sender: NamedDependency[Sender],
) -> Answer[EntryShown]:
    """Change an entry of mine: a field left out stays as it is, null takes it out."""
    outcome = await sender.send(LearningEntry, entry_id, _correction(data, who))
    entry = outcome.aggregate
    return changed(_shown(entry_id, entry, text(await sender.open(entry.note))), await sender.receipt(outcome))


@delete("/v1/me/learning/{entry_id:uuid}", summary="Take an entry back", tags=["learning"], status_code=204)
async def withdraw_learning(
    entry_id: FromPath[UUID], who: NamedDependency[Who], sender: NamedDependency[Sender]
) -> Answer[None]:
    """Withdraw an entry of mine: it counts no more, since the day it told of."""
    outcome = await sender.send(LearningEntry, entry_id, WithdrawLearning(actor=who.actor, today=who.today))
    return done(await sender.receipt(outcome))


def _log(data: NewLearning, who: Who, entry_id: UUID) -> LogLearning:
    return LogLearning(actor=who.actor, today=who.today, entry_id=entry_id, **msgspec.structs.asdict(data))


def _correction(data: LearningChange, who: Who) -> CorrectLearning:
    given = msgspec.structs.asdict(data)
    cleared = tuple(field for field in EntryField if given[field] is None)
    facts = {name: value for name, value in given.items() if value is not None and value is not msgspec.UNSET}
    return CorrectLearning(actor=who.actor, today=who.today, cleared=cleared, **facts)


def _shown(entry_id: UUID, entry: LearningEntry | LearningRow, note: str | None) -> EntryShown:
    missing = {"competencies": not entry.competencies, "goal": entry.goal_id is None}
    return EntryShown(
        id=entry_id,
        note=note,
        kind=entry.kind,
        minutes=entry.minutes,
        learned_on=entry.learned_on,
        competencies=entry.competencies,
        goal_id=entry.goal_id,
        need_ids=entry.need_ids,
        rating=entry.rating,
        activity=entry.activity,
        visibility=entry.visibility,
        next=tuple(code for code, is_missing in missing.items() if is_missing),
    )


ROUTES = [my_learning, my_entry, log_learning, log_batch, correct_learning, withdraw_learning]
