"""What did somebody learn, when, how, and what is it for?"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from eventsourcing.domain import event

from lms.domain.base import (
    Actor,
    ActorKind,
    Aggregate,
    Command,
    Malformed,
    NotFound,
    Others,
    Personal,
    Role,
    RuleBroken,
)
from lms.domain.competency import check_competencies
from lms.domain.goal import Goal
from lms.domain.terms import Visibility, check_needs, check_not_in_future, check_text

MOST_MINUTES = 60_000
"""A thousand hours: one entry is one thing learned, not a career."""


class LearningKind(StrEnum):
    """How it was learned; most learning happens on the job."""

    ON_THE_JOB = "on-the-job"
    COURSE = "course"
    COACHING = "coaching"
    PEER = "peer"
    READING = "reading"
    COMMUNITY = "community"
    EXPERIMENT = "experiment"


class EntryField(StrEnum):
    """What can be taken out of an entry again."""

    NOTE = "note"
    MINUTES = "minutes"
    GOAL_ID = "goal_id"
    RATING = "rating"
    ACTIVITY = "activity"


class EntryIsWithdrawn(RuleBroken):
    """The entry is withdrawn."""


class EntrySaysNothing(Malformed):
    """An entry says at least one of note, competencies and goal."""


class LearningEntry(Aggregate):
    """One thing that one person learned. It is his: nobody else writes or changes it."""

    TOPIC = "learning"

    class Logged(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """Somebody learned something; ``minutes`` spent, ``rating`` 1 to 5, ``activity`` an IRI."""

        TOPIC = "learning.logged"
        DATED_BY = "learned_on"
        learner: UUID
        kind: LearningKind = LearningKind.ON_THE_JOB
        minutes: int | None = None
        learned_on: date
        competencies: tuple[UUID, ...] = ()
        goal_id: UUID | None = None
        need_ids: tuple[UUID, ...] = ()
        rating: int | None = None
        activity: str | None = None
        note: Personal | None = None
        visibility: Visibility = Visibility.PRIVATE

    class Corrected(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """What is given replaces what stood; what is named in ``cleared`` is gone. It takes the entry's day."""

        TOPIC = "learning.corrected"
        DATED_BY = "learned_on"
        learned_on: date
        kind: LearningKind | None = None
        minutes: int | None = None
        competencies: tuple[UUID, ...] | None = None
        goal_id: UUID | None = None
        need_ids: tuple[UUID, ...] | None = None
        rating: int | None = None
        activity: str | None = None
        note: Personal | None = None
        visibility: Visibility | None = None
        cleared: tuple[EntryField, ...] = ()

    class Withdrawn(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The entry counts no more, since the day it told of."""

        TOPIC = "learning.withdrawn"
        DATED_BY = "learned_on"
        learned_on: date

    def key_owner(self, event: Aggregate.Event, field: str, author: UUID | None) -> UUID | None:  # noqa: ARG002
        """The note is the learner's, also when an import brought it."""
        return self.learner

    @event(Logged)
    def _logged(
        self,
        learner: UUID,
        kind: LearningKind,
        minutes: int | None,
        learned_on: date,
        competencies: tuple[UUID, ...],
        goal_id: UUID | None,
        need_ids: tuple[UUID, ...],
        rating: int | None,
        activity: str | None,
        note: Personal | None,
        visibility: Visibility,
    ) -> None:
        self.learner, self.learned_on, self.visibility = learner, learned_on, visibility
        self.kind, self.minutes, self.rating, self.activity = kind, minutes, rating, activity
        self.competencies, self.goal_id, self.need_ids, self.note = competencies, goal_id, need_ids, note
        self.is_withdrawn = False

    @event(Corrected)
    def _corrected(
        self,
        learned_on: date,
        kind: LearningKind | None,
        minutes: int | None,
        competencies: tuple[UUID, ...] | None,
        goal_id: UUID | None,
        need_ids: tuple[UUID, ...] | None,
        rating: int | None,
        activity: str | None,
        note: Personal | None,
        visibility: Visibility | None,
        cleared: tuple[EntryField, ...],
    ) -> None:
        self.learned_on, self.kind, self.visibility = learned_on, kind or self.kind, visibility or self.visibility
        self.competencies = self.competencies if competencies is None else competencies
        self.need_ids = self.need_ids if need_ids is None else need_ids
        self.minutes = None if EntryField.MINUTES in cleared else minutes or self.minutes
        self.goal_id = None if EntryField.GOAL_ID in cleared else goal_id or self.goal_id
        self.rating = None if EntryField.RATING in cleared else rating or self.rating
        self.activity = None if EntryField.ACTIVITY in cleared else activity or self.activity
        self.note = None if EntryField.NOTE in cleared else note or self.note

    @event(Withdrawn)
    def _withdrawn(self) -> None:
        self.is_withdrawn = True


class LogLearning(Command, frozen=True, kw_only=True):
    """A new entry of the actor, or (imports by the operator) of ``learner``."""

    entry_id: UUID
    learner: UUID | None = None
    kind: LearningKind = LearningKind.ON_THE_JOB
    minutes: int | None = None
    learned_on: date | None = None
    competencies: tuple[UUID, ...] = ()
    goal_id: UUID | None = None
    need_ids: tuple[UUID, ...] = ()
    rating: int | None = None
    activity: str | None = None
    note: str | None = None
    visibility: Visibility = Visibility.PRIVATE


class CorrectLearning(Command, frozen=True, kw_only=True):
    """Other facts for an entry: what is None stays, what is in ``cleared`` goes."""

    kind: LearningKind | None = None
    minutes: int | None = None
    learned_on: date | None = None
    competencies: tuple[UUID, ...] | None = None
    goal_id: UUID | None = None
    need_ids: tuple[UUID, ...] | None = None
    rating: int | None = None
    activity: str | None = None
    note: str | None = None
    visibility: Visibility | None = None
    cleared: tuple[EntryField, ...] = ()


class WithdrawLearning(Command, frozen=True, kw_only=True):
    """Take an entry back."""


LearningCommand = LogLearning | CorrectLearning | WithdrawLearning


def handle(entry: LearningEntry | None, command: LearningCommand, others: Others) -> LearningEntry:
    """Decide what a command does to an entry."""
    if isinstance(command, LogLearning):
        return _log(command, others)
    if entry is None or not command.actor.is_contributor(entry.learner):
        raise NotFound(learning=entry.id if entry else None)
    if entry.is_withdrawn:
        raise EntryIsWithdrawn(entry_id=entry.id)
    match command:
        case CorrectLearning():
            _correct(entry, command, others)
        case WithdrawLearning():
            entry.record(LearningEntry.Withdrawn(learned_on=entry.learned_on))
        case _:
            assert_never(command)
    return entry


def _log(command: LogLearning, others: Others) -> LearningEntry:
    actor = command.actor
    learner = command.learner if actor.kind is ActorKind.SYSTEM else actor.contributor_id
    if learner is None:
        raise Malformed(pointer="/learner", detail="learning is somebody's")
    if command.note is None and not command.competencies and command.goal_id is None:
        raise EntrySaysNothing(pointer="", detail="say at least one of note, competencies and goal_id")
    entry = LearningEntry.blank(command.entry_id)
    logged = LearningEntry.Logged(
        learner=learner,
        kind=command.kind,
        minutes=command.minutes,
        learned_on=command.learned_on or command.today,
        competencies=command.competencies,
        goal_id=command.goal_id,
        need_ids=command.need_ids,
        rating=command.rating,
        activity=command.activity,
        note=command.note,
        visibility=command.visibility,
    )
    _check_facts(logged, command.today)
    check_needs(command.need_ids)
    _check_references(logged.competencies, logged.goal_id, _viewer(actor, learner), others)
    entry.record(logged)
    return entry


def _correct(entry: LearningEntry, command: CorrectLearning, others: Others) -> None:
    changes = {name: getattr(command, name) for name in LearningEntry.Corrected.__struct_fields__}
    if not any(changes.values()) and command.competencies is None and command.need_ids is None:
        raise Malformed(pointer="", detail="say what is different")
    corrected = LearningEntry.Corrected(**{**changes, "learned_on": command.learned_on or entry.learned_on})
    both = {field for field in command.cleared if changes[field] is not None}
    if both:
        raise Malformed(pointer=f"/{min(both)}", detail="given and cleared at once")
    _check_facts(corrected, command.today)
    check_needs(command.need_ids or ())
    _check_references(corrected.competencies or (), corrected.goal_id, command.actor, others)
    entry.record(corrected)
    if entry.note is None and not entry.competencies and entry.goal_id is None:
        raise EntrySaysNothing(pointer="", detail="say at least one of note, competencies and goal_id")


def _viewer(actor: Actor, learner: UUID) -> Actor:
    """As whom references are looked up: an import sees what the learner himself would see."""
    return actor if actor.is_contributor(learner) else Actor(contributor_id=learner, roles=(Role.EMPLOYEE,))


def _check_facts(entry: LearningEntry.Logged | LearningEntry.Corrected, today: date) -> None:
    check_not_in_future(entry.learned_on, today, "/learned_on")
    check_text(entry.note if isinstance(entry.note, str) else None, "/note")
    check_text(entry.activity, "/activity", limit=2_000)
    if entry.activity is not None and ":" not in entry.activity:
        raise Malformed(pointer="/activity", detail="an IRI, such as https://example.org/course/7")
    if entry.minutes is not None and not 1 <= entry.minutes <= MOST_MINUTES:
        raise Malformed(pointer="/minutes", detail=f"between 1 and {MOST_MINUTES}")
    if entry.rating is not None and not 1 <= entry.rating <= 5:
        raise Malformed(pointer="/rating", detail="between 1 and 5")


def _check_references(competencies: Sequence[UUID], goal_id: UUID | None, viewer: Actor, others: Others) -> None:
    check_competencies(competencies, others)
    if goal_id is not None:
        goal = others.find(Goal, goal_id)
        if goal is None or not goal.is_shown_to(viewer):
            raise Malformed(pointer="/goal_id", detail="there is no such goal, or it is not shown to you")
