"""What do all aggregates, events, commands and refusals have in common?"""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Any, ClassVar, Self, TypeVar
from uuid import UUID

import msgspec
from eventsourcing.domain import BaseAggregate, CanMutateAggregate


class Sealed(msgspec.Struct, frozen=True, tag_field="personal", tag="sealed", omit_defaults=True):
    """A personal text under its subject's key. ``context`` is the associated data, known once read."""

    of: UUID
    box: str
    context: str = ""


class Forgotten(msgspec.Struct, frozen=True, tag_field="personal", tag="forgotten"):
    """A personal text whose subject's key was destroyed."""


Personal = str | Sealed | Forgotten
"""A text about a person: plain in a decision, sealed at rest, forgotten when the key is gone."""


class ActorKind(StrEnum):
    """Who acts, as seen by the organisation."""

    EMPLOYEE = "employee"
    CUSTOMER = "customer"
    PARTNER = "partner"
    SYSTEM = "system"
    ANONYMOUS = "anonymous"


class Role(StrEnum):
    """What a token allows. Leading, owning and membership are relations and come from the log."""

    EMPLOYEE = "employee"
    BUSINESS_OWNER = "business-owner"
    ANALYST = "analyst"
    ADMINISTRATOR = "administrator"
    GUEST = "guest"


class Actor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who sent a command, with the relations that held when it was sent (teams by id).

    The system and anonymous actors carry no contributor.
    """

    contributor_id: UUID | None = None
    kind: ActorKind = ActorKind.EMPLOYEE
    roles: tuple[Role, ...] = ()
    leads: frozenset[UUID] = frozenset()
    member_of: frozenset[UUID] = frozenset()

    def has(self, *roles: Role) -> bool:
        """Tell whether the token carries one of the roles."""
        return any(role in self.roles for role in roles)

    def signature(self) -> "Actor":
        """Who it is without the relations: what is stored with an event."""
        return Actor(contributor_id=self.contributor_id, kind=self.kind, roles=self.roles)

    def is_contributor(self, contributor_id: UUID) -> bool:
        """Tell whether this is that person."""
        return self.contributor_id is not None and self.contributor_id == contributor_id


SYSTEM = Actor(kind=ActorKind.SYSTEM)


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a failure of the program
    """The command was refused."""

    def __init__(self, **facts: Any) -> None:
        super().__init__(self.title())
        self.facts = facts

    @classmethod
    def code(cls) -> str:
        """The refusal's name in kebab-case, as users and clients see it."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()

    @classmethod
    def title(cls) -> str:
        """The first line of the docstring."""
        return (cls.__doc__ or cls.__name__).strip().partition("\n")[0]

    def __str__(self) -> str:
        facts = ", ".join(f"{name}: {value}" for name, value in self.facts.items() if value is not None)
        return f"{self.title()} ({facts})" if facts else self.title()


class NotFound(Refusal):
    """There is no such thing, or it is not shown to you."""


class Forbidden(Refusal):
    """You may not do this."""


class RuleBroken(Refusal):
    """A rule of the domain forbids this."""


class Malformed(Refusal):
    """The command itself makes no sense.

    Facts: ``pointer`` (JSON pointer of the field) and ``detail``.
    """


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to happen. ``today`` is the date in the organisation's time zone."""

    actor: Actor
    today: date


class Event(msgspec.Struct, CanMutateAggregate[UUID], frozen=True, kw_only=True, omit_defaults=True):
    """What happened. Its fields are the ``data`` of the envelope, nothing else is stored with it.

    ``TOPIC`` is the stored name; ``DATED_BY`` names the date field (or timestamp) that says when it
    was true in the world; without it the event is effective when recorded.
    """

    TOPIC: ClassVar[str]
    SCHEMA_VERSION: ClassVar[int] = 1
    DATED_BY: ClassVar[str | None] = None

    def _as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__struct_fields__}


class Aggregate(BaseAggregate[UUID]):
    """A stream's state. It holds only immutable values, so that a shallow copy is a snapshot."""

    class Event(Event, frozen=True, kw_only=True, omit_defaults=True):
        """Base of the aggregate's events."""

    def __base_init__(self, stream_id: UUID) -> None:  # type: ignore[override]
        self._id = stream_id
        self._version = 0
        self._pending_events = []

    @classmethod
    def blank(cls, stream_id: UUID) -> Self:
        """The state before the first event (version 0)."""
        aggregate = cls.__new__(cls)
        aggregate.__base_init__(stream_id)
        return aggregate

    def snapshot(self) -> Self:
        """A copy that may be changed without changing this one; pending events are not copied."""
        copy = type(self).__new__(type(self))
        copy.__dict__.update(self.__dict__, _pending_events=[])
        return copy

    def record(self, event: Event) -> None:
        """Apply a new event and keep it for the append."""
        self.evolve(event)
        self._pending_events.append(event)

    @property
    def decided(self) -> list["Aggregate.Event"]:
        """The events recorded since the aggregate was loaded, in order."""
        return list(self._pending_events)  # type: ignore[arg-type]

    def evolve(self, event: Event) -> None:
        """Apply an event that happened."""
        event.apply(self)
        self._version += 1

    def key_owner(self, event: Event, field: str, author: UUID | None) -> UUID | None:  # noqa: ARG002
        """Under whose key a personal field is sealed; None leaves it plain. Usually who wrote it."""
        return author


A = TypeVar("A", bound=Aggregate)


class NeedsMore(Exception):  # noqa: N818 - asks dispatch to load, never leaves it
    """The decision reads streams that are not loaded yet: load them and decide again."""

    def __init__(self, wanted: Iterable[tuple[type[Aggregate], UUID]]) -> None:
        super().__init__()
        self.wanted = tuple(wanted)


class Others:
    """The other streams a decision reads. What it read becomes a condition of the append.

    A decision stays pure: when it asks for a stream that is not loaded, `NeedsMore` ends the attempt,
    dispatch loads what was asked and calls the decision anew with a fresh aggregate.
    """

    def __init__(self, loaded: Mapping[UUID, Aggregate | None] | None = None) -> None:
        self._loaded = dict(loaded or {})
        self.read: dict[UUID, int] = {}

    def find_all(self, kind: type[A], ids: Iterable[UUID]) -> list[A | None]:
        """The aggregates in the order asked, None where there is none of that kind."""
        wanted = list(ids)
        missing = [(kind, stream_id) for stream_id in wanted if stream_id not in self._loaded]
        if missing:
            raise NeedsMore(missing)
        found: list[A | None] = []
        for stream_id in wanted:
            aggregate = self._loaded[stream_id]
            self.read[stream_id] = aggregate.version if aggregate else 0
            found.append(aggregate if isinstance(aggregate, kind) else None)
        return found

    def find(self, kind: type[A], stream_id: UUID) -> A | None:
        """The aggregate, or None where there is none of that kind."""
        return self.find_all(kind, [stream_id])[0]

    def get(self, kind: type[A], stream_id: UUID) -> A:
        """The aggregate, or the refusal `NotFound`."""
        aggregate = self.find(kind, stream_id)
        if aggregate is None:
            raise NotFound(kind=kind.__name__.lower(), id=stream_id)
        return aggregate
