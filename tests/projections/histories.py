"""Which histories could there be? Every stream begins with its aggregate's first declared event; then anything goes.

The events make sense one by one, not together: an event that a projection cannot apply parks with its stream, as it
would in the engine. That is enough for the law that rows do not depend on where batches end.
"""

import random  # noqa: TID251 - everything follows from an explicit seed
import types
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec

from lms.domain.base import SYSTEM, Actor, Aggregate, Event, Forgotten, Sealed
from lms.domain.calendar import Calendar, PeriodKind, last_day
from lms.domain.catalogue import DECISIONS
from lms.domain.organisation import Organisation
from lms.eventlog.codec import Envelope
from projections.harness import START, Story

_STREAMS_EACH = 5
_WORDS = ("alpha", "beta", "gamma", "delta")


class Chance:
    """Values of any type an event may hold, from one seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._streams = {aggregate: [self._id() for _ in range(_STREAMS_EACH)] for aggregate in DECISIONS}
        self._parts = [self._id() for _ in range(6)]
        self._closed: dict[PeriodKind, date] = {}

    def history(self, length: int) -> list[Envelope]:
        """Events of all aggregates, every stream in its order."""
        organisation_id = self._streams[Organisation][0]
        story = Story(organisation_id)
        self._streams[Organisation] = [organisation_id]
        begun: set[UUID] = set()
        for aggregate in sorted(DECISIONS, key=lambda one: one is not Organisation):
            self._happen(story, aggregate, self._streams[aggregate][0], begun)
        while len(story.envelopes) < length:
            aggregate = self._random.choice(list(DECISIONS))
            self._happen(story, aggregate, self._random.choice(self._streams[aggregate]), begun)
        return story.envelopes

    def _happen(self, story: Story, aggregate: type[Aggregate], stream_id: UUID, begun: set[UUID]) -> None:
        if aggregate is Calendar:
            self._close(story)
            return
        first, *later = _events(aggregate)
        if stream_id in begun and not later:
            return
        kind = self._random.choice(later) if later and stream_id in begun else first
        begun.add(stream_id)
        people = next(ids for owner, ids in self._streams.items() if owner.TOPIC == "contributor")
        actor = Actor(contributor_id=self._random.choice(people))
        at = story.now + timedelta(hours=self._random.randrange(36))
        story.happened(stream_id, self._struct(kind), actor=actor, at=at)

    def _close(self, story: Story) -> None:
        """Close the next period of some kind, if it is over."""
        kind = self._random.choice(list(PeriodKind))
        ends_on = last_day(kind, self._closed.get(kind, START.date() - timedelta(days=40)) + timedelta(days=1))
        if ends_on < story.now.date():
            self._closed[kind] = ends_on
            stream_id = self._streams[Calendar][list(PeriodKind).index(kind)]
            story.happened(stream_id, Calendar.PeriodClosed(kind=kind, ends_on=ends_on), actor=SYSTEM)

    def _struct(self, kind: type[msgspec.Struct]) -> Any:
        given = {}
        hints = _hints(kind)
        for field in msgspec.structs.fields(kind):
            if not field.required and self._random.random() < 0.3:
                continue
            given[field.name] = self._value(hints[field.name], field.name)
        return kind(**given)

    def _value(self, wanted: Any, name: str) -> Any:  # noqa: PLR0911 - one line per type
        origin, arguments = get_origin(wanted), get_args(wanted)
        if origin in {Union, types.UnionType}:
            options = [one for one in arguments if one is not Forgotten]
            return self._value(self._random.choice(options), name)
        if wanted is type(None):
            return None
        if origin is Literal:
            return self._random.choice(arguments)
        if origin is tuple and arguments[1:] == (Ellipsis,):
            return tuple(self._value(arguments[0], name) for _ in range(self._random.randrange(3)))
        if origin is frozenset:
            return frozenset(self._value(arguments[0], name) for _ in range(self._random.randrange(3)))
        if origin is dict:
            return {self._value(arguments[0], name): self._value(arguments[1], name)}
        if isinstance(wanted, type) and issubclass(wanted, Enum):
            return self._random.choice(list(wanted))
        if wanted is Sealed:
            return Sealed(of=self._random.choice(self._parts), box="c2VhbGVk", context=name)
        if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
            return self._struct(wanted)
        return self._plain(wanted, name)

    def _plain(self, wanted: Any, name: str) -> Any:
        chance = self._random
        makers: dict[Any, Callable[[], Any]] = {
            UUID: lambda: self._reference(name),
            str: lambda: "UTC" if name == "time_zone" else chance.choice(_WORDS),
            bool: lambda: chance.random() < 0.5,
            int: lambda: chance.randrange(1, 5),
            Decimal: lambda: Decimal(chance.randrange(1, 1000)) / 100,
            float: lambda: chance.randrange(1, 1000) / 100,
            date: self._day,
            datetime: lambda: START + timedelta(minutes=chance.randrange(500_000)),
        }
        return makers[wanted]()

    def _reference(self, name: str) -> UUID:
        """An id that may well be that of something of this name."""
        for aggregate, ids in self._streams.items():
            if aggregate.TOPIC.replace("-", "_") in name:
                return self._random.choice(ids)
        return self._random.choice(self._parts)

    def _day(self) -> date:
        return START.date() + timedelta(days=self._random.randrange(-90, 300))

    def _id(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)


@cache
def _hints(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return get_type_hints(kind)


@cache
def _events(aggregate: type[Aggregate]) -> tuple[type[Event], ...]:
    return tuple(_declared(aggregate))


def _declared(aggregate: type[Aggregate]) -> Iterator[type[Event]]:
    for name, value in vars(aggregate).items():
        if name != "Event" and isinstance(value, type) and issubclass(value, Event):
            yield value
