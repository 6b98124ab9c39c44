"""How does an event of the domain become bytes in the log, and an event again?"""

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from lms import clock
from lms.domain.base import Actor, ActorKind, Aggregate, Event, Personal, Sealed
from lms.eventlog import fields
from lms.eventlog.log import NewEvent, StoredEvent
from lms.eventlog.subjects import Subjects
from lms.eventlog.upcasts import UPCASTS, Upcasts, lift, require_complete

MAX_NUMBER = Decimal("1e15")
"""Numbers of this size and more are refused: clients could not read them exactly."""

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""A NUL character in JSON; the escaped backslash before ``u0000`` is none."""

_END_OF_DAY = time(23, 59, 59, 999_999)


class UnknownEventType(Exception):  # noqa: N818 - a newer program wrote it, or an older one reads it
    """The catalogue has no such event type, or not in this version."""


class UnreadableEvent(Exception):  # noqa: N818 - says where the log holds what today's shape does not allow
    """A stored event does not have the shape its type and version promise."""


class NumberRefused(ValueError):  # noqa: N818 - an answer to a command
    """A number is not finite or too large to be exchanged as JSON."""


class TextRefused(ValueError):  # noqa: N818 - an answer to a command
    """A text contains a NUL character, which no read model can keep."""


class Metadata(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is stored beside the data. ``index`` counts the events of a command from 0, over all its streams."""

    actor: Actor
    effective_at: datetime | None = None
    causation_id: UUID | None = None
    correlation_id: UUID | None = None
    digest: bytes | None = None
    index: int = 0


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """An event as everybody but the log reads it. Positions are dense in the lane, versions in the stream."""

    organisation_id: UUID
    stream_id: UUID
    version: int
    position: int
    type: str
    schema_version: int
    effective_at: datetime
    recorded_at: datetime
    actor: Actor
    causation_id: UUID | None
    correlation_id: UUID | None
    command_id: UUID
    digest: bytes | None
    data: Aggregate.Event

    @property
    def event_id(self) -> UUID:
        """The event's own id: it follows from the stream and the version."""
        return clock.derived_id(self.stream_id, str(self.version))


def effective_at(event: Aggregate.Event, zone: ZoneInfo, now: datetime) -> datetime | None:
    """When a dated event was true: the end of its day in the zone, never later than now; None when undated."""
    dated = getattr(event, event.DATED_BY) if event.DATED_BY else None
    match dated:
        case datetime():
            return min(dated.astimezone(UTC), now)
        case date():
            return min(datetime.combine(dated, _END_OF_DAY, zone).astimezone(UTC), now)
        case _:
            return None


class _Entry:
    """What the codec knows of one event type."""

    def __init__(self, cls: type[Event]) -> None:
        self.version = cls.SCHEMA_VERSION
        self.decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(cls)
        self.personal = fields.find(cls, fields.personal)
        self.numbers = fields.find(cls, fields.numbers)
        self.integers = fields.find(cls, fields.integers)


class Codec:
    """Encodes and decodes the events of a catalogue (type literal -> class); types it does not list are refused."""

    def __init__(self, catalogue: Mapping[str, type[Event]], subjects: Subjects, *, upcasts: Upcasts = UPCASTS) -> None:
        for event_type, cls in catalogue.items():
            require_complete(upcasts, event_type, cls.SCHEMA_VERSION)
        self._entries = {event_type: _Entry(cls) for event_type, cls in catalogue.items()}
        self._subjects = subjects
        self._upcasts = upcasts
        self._encoder = msgspec.json.Encoder(decimal_format="number")
        self._metadata = msgspec.json.Decoder(Metadata)
        self._raw = msgspec.json.Decoder(float_hook=Decimal)

    async def prepare(
        self, organisation_id: UUID, decided: Iterable[tuple[Aggregate, Aggregate.Event]], author: UUID | None
    ) -> None:
        """Load or make every key that sealing these events needs, and the author's, in at most one round trip."""
        owners: dict[UUID | None, None] = {author: None}
        for aggregate, event in decided:
            entry = self._entry(event.TOPIC)
            if entry.personal:
                entry.personal("", event, _note_owners(owners, aggregate, event, author))
        await self._subjects.prepare(organisation_id, (owner for owner in owners if owner))

    def encode(
        self,
        organisation_id: UUID,
        command_id: UUID,
        index: int,
        aggregate: Aggregate,
        event: Aggregate.Event,
        metadata: Metadata,
    ) -> NewEvent:
        """The event as bytes, its personal texts sealed.

        Raises NumberRefused, TextRefused, UnknownEventType, KeyNotPrepared.
        """
        entry = self._entry(event.TOPIC)
        if entry.numbers:
            entry.numbers("", event, _require_finite)
        if entry.integers:
            entry.integers("", event, _require_finite)
        if entry.personal:
            prefix = f"{organisation_id}|{aggregate.id}|{command_id}|{index}|"
            author = metadata.actor.contributor_id
            event = entry.personal("", event, self._sealing(organisation_id, prefix, aggregate, event, author))
        data = self._encoder.encode(event)
        if b"\\u0000" in data and _NUL.search(data):
            raise TextRefused(event.TOPIC)
        return NewEvent(
            type=event.TOPIC,
            schema_version=entry.version,
            metadata=self._encoder.encode(_stored(metadata, index if entry.personal else 0)),
            data=data,
        )

    def decode(self, stored: StoredEvent) -> Envelope:
        """The event in its envelope, sealed texts still sealed. Raises UnknownEventType, UnreadableEvent."""
        entry = self._entry(stored.type)
        if stored.schema_version > entry.version:
            raise UnknownEventType(f"{stored.type} version {stored.schema_version} at position {stored.position}")
        try:
            metadata = self._metadata.decode(stored.metadata)
            event: Aggregate.Event = entry.decoder.decode(self._current(entry, stored))
            if entry.numbers:
                entry.numbers("", event, _require_finite)
        except ValueError as error:
            raise UnreadableEvent(f"{stored.type} at position {stored.position}: {error}") from error
        if entry.personal:
            event = entry.personal("", event, _locating(stored, metadata.index))
        return Envelope(
            organisation_id=stored.organisation_id,
            stream_id=stored.stream_id,
            version=stored.version,
            position=stored.position,
            type=stored.type,
            schema_version=entry.version,
            effective_at=metadata.effective_at or stored.recorded_at,
            recorded_at=stored.recorded_at,
            actor=metadata.actor,
            causation_id=metadata.causation_id,
            correlation_id=metadata.correlation_id,
            command_id=stored.command_id,
            digest=metadata.digest,
            data=event,
        )

    def _entry(self, event_type: str) -> _Entry:
        entry = self._entries.get(event_type)
        if entry is None:
            raise UnknownEventType(event_type)
        return entry

    def _current(self, entry: _Entry, stored: StoredEvent) -> bytes:
        if stored.schema_version == entry.version:
            return stored.data
        old = self._raw.decode(stored.data)
        return self._encoder.encode(lift(self._upcasts, stored.type, stored.schema_version, entry.version, old))

    def _sealing(
        self, organisation_id: UUID, prefix: str, aggregate: Aggregate, event: Aggregate.Event, author: UUID | None
    ) -> fields.Visit:
        def seal(path: str, value: Personal) -> Personal:
            if not isinstance(value, str) or (owner := aggregate.key_owner(event, path, author)) is None:
                return value
            # The seal carries no context into the log: the envelope says it, and `decode` puts it back.
            return self._subjects.seal(organisation_id, owner, value, prefix + path)

        return seal


def _note_owners(
    owners: dict[UUID | None, None], aggregate: Aggregate, event: Aggregate.Event, author: UUID | None
) -> fields.Visit:
    def note(path: str, value: Personal) -> Personal:
        if isinstance(value, str):
            owners[aggregate.key_owner(event, path, author)] = None
        return value

    return note


def _locating(stored: StoredEvent, index: int) -> fields.Visit:
    """Say of each sealed text where it belongs, unless it was copied here and says so itself."""
    prefix = f"{stored.organisation_id}|{stored.stream_id}|{stored.command_id}|{index}|"

    def locate(path: str, value: Personal) -> Personal:
        if isinstance(value, Sealed) and not value.context:
            return Sealed(of=value.of, box=value.box, context=prefix + path)
        return value

    return locate


def _require_finite(path: str, value: Decimal | float) -> Decimal | float:
    if not (math.isfinite(value) and abs(Decimal(value)) < MAX_NUMBER):
        raise NumberRefused(f"{path}: {value}")
    return value


def _stored(metadata: Metadata, index: int) -> Metadata:
    if metadata.actor.kind is ActorKind.ANONYMOUS:
        return Metadata(actor=Actor(kind=ActorKind.ANONYMOUS), effective_at=metadata.effective_at, index=index)
    return msgspec.structs.replace(metadata, index=index)
