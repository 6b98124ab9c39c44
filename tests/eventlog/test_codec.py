"""Do events survive the way into bytes and back, with personal texts sealed and strange ones refused?"""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest
from eventsourcing.domain import event
from hypothesis import given
from hypothesis import strategies as st

from lms import clock
from lms.domain.base import SYSTEM, Actor, ActorKind, Aggregate, Event, Forgotten, Personal, Role, Sealed
from lms.eventlog.codec import (
    Codec,
    Envelope,
    Metadata,
    NumberRefused,
    TextRefused,
    UnknownEventType,
    UnreadableEvent,
    effective_at,
)
from lms.eventlog.keys import MemoryKeys
from lms.eventlog.log import NewEvent, StoredEvent
from lms.eventlog.master import MasterKey
from lms.eventlog.subjects import BrokenSeal, KeyNotPrepared, Subjects
from lms.eventlog.upcasts import UPCASTS, MissingUpcast

ORGANISATION = clock.uuid7()
AUTHOR = clock.uuid7()
OTHER = clock.uuid7()
RECORDED = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A nested value with a personal text."""

    reference: Personal
    weight: Decimal | None = None


class Diary(Aggregate):
    """An aggregate with every sort of field."""

    TOPIC = "diary"

    class Opened(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """A flat event."""

        TOPIC = "diary.opened"
        name: str
        on: date

    class Written(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """A personal one, at every depth."""

        TOPIC = "diary.written"
        DATED_BY = "on"
        text: Personal
        on: date | None = None
        about: Personal | None = None
        link: Link | None = None
        links: tuple[Link, ...] = ()
        remarks: tuple[Personal, ...] = ()
        labels: dict[str, Personal] = msgspec.field(default_factory=dict)
        listed: list[Personal] = msgspec.field(default_factory=list)
        value: Decimal | None = None
        ratio: float | None = None
        count: int | None = None

    class Public(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """Personal by type, under nobody's key."""

        TOPIC = "diary.public"
        DATED_BY = "at"
        text: Personal
        at: datetime | None = None
        sealed_only: Sealed | None = None

    @event(Opened)
    def _opened(self, name: str) -> None:
        self.name = name

    @event(Written)
    def _written(self, text: Personal) -> None:
        self.text = text

    @event(Public)
    def _public(self, text: Personal) -> None:
        self.text = text

    def key_owner(self, event: Event, field: str, author: UUID | None) -> UUID | None:
        if isinstance(event, Diary.Public):
            return None
        return OTHER if field == "about" else author


CATALOGUE: dict[str, type[Event]] = {cls.TOPIC: cls for cls in (Diary.Opened, Diary.Written, Diary.Public)}


@pytest.fixture
def subjects() -> Subjects:
    return Subjects(MasterKey(b"m" * 32), MemoryKeys())


@pytest.fixture
def codec(subjects: Subjects) -> Codec:
    return Codec(CATALOGUE, subjects)


AUTHORS_ACTOR = Actor(contributor_id=AUTHOR, roles=(Role.EMPLOYEE,))


def by(actor: Actor = AUTHORS_ACTOR, **more: object) -> Metadata:
    return Metadata(actor=actor, **more)


async def encoded(
    codec: Codec, event: Event, metadata: Metadata | None = None, *, index: int = 0
) -> tuple[StoredEvent, Diary]:
    diary = Diary.blank(clock.uuid7())
    diary.record(event)
    metadata = metadata or by()
    command_id = clock.uuid7()
    await codec.prepare(ORGANISATION, [(diary, event)], metadata.actor.contributor_id)
    return stored(codec.encode(ORGANISATION, command_id, index, diary, event, metadata), diary.id, command_id), diary


def stored(new: NewEvent, stream_id: UUID, command_id: UUID) -> StoredEvent:
    return StoredEvent(
        position=7,
        organisation_id=ORGANISATION,
        stream_id=stream_id,
        version=1,
        command_id=command_id,
        type=new.type,
        schema_version=new.schema_version,
        recorded_at=RECORDED,
        metadata=new.metadata,
        data=new.data,
    )


async def test_a_flat_event_comes_back_in_its_envelope(codec: Codec):
    correlation, causation = clock.uuid7(), clock.uuid7()
    metadata = by(correlation_id=correlation, causation_id=causation, digest=b"fingerprint")
    record, diary = await encoded(codec, Diary.Opened(name="Q1", on=date(2026, 3, 1)), metadata)

    assert codec.decode(record) == Envelope(
        organisation_id=ORGANISATION,
        stream_id=diary.id,
        version=1,
        position=7,
        type="diary.opened",
        schema_version=1,
        effective_at=RECORDED,
        recorded_at=RECORDED,
        actor=Actor(contributor_id=AUTHOR, roles=(Role.EMPLOYEE,)),
        causation_id=causation,
        correlation_id=correlation,
        command_id=record.command_id,
        digest=b"fingerprint",
        data=Diary.Opened(name="Q1", on=date(2026, 3, 1)),
    )


async def test_an_event_id_follows_from_stream_and_version(codec: Codec):
    record, diary = await encoded(codec, Diary.Opened(name="Q1", on=date(2026, 3, 1)))

    assert codec.decode(record).event_id == clock.derived_id(diary.id, "1")


async def test_a_decoded_event_runs_the_body_of_the_aggregate(codec: Codec):
    record, diary = await encoded(codec, Diary.Opened(name="Q1", on=date(2026, 3, 1)))
    again = Diary.blank(diary.id)
    again.evolve(codec.decode(record).data)

    assert (again.name, again.version) == ("Q1", 1)


async def test_personal_texts_are_sealed_at_every_depth_and_open_where_they_belong(codec: Codec, subjects: Subjects):
    written = Diary.Written(
        text="secret-1",
        about="secret-2",
        link=Link(reference="secret-3", weight=Decimal("0.5")),
        links=(Link(reference="secret-4"), Link(reference="secret-5")),
        remarks=("secret-6", "secret-7"),
        labels={"nl": "secret-8"},
        listed=["secret-9"],
    )
    record, _ = await encoded(codec, written, index=3)
    data = codec.decode(record).data

    assert b"secret" not in record.data + record.metadata
    assert isinstance(data, Diary.Written)
    sealed = (data.text, data.about, data.link.reference, *(link.reference for link in data.links), *data.remarks)
    sealed += (data.labels["nl"], *data.listed)
    assert await subjects.open_all(ORGANISATION, sealed) == [f"secret-{n}" for n in range(1, 10)]
    assert [value.of for value in sealed] == [AUTHOR, OTHER, *[AUTHOR] * 7]
    assert sealed[4].context.endswith("|3|links.1.reference")
    assert data.link.weight == Decimal("0.5")


async def test_a_sealed_text_moved_to_another_event_does_not_open(codec: Codec, subjects: Subjects):
    record, _ = await encoded(codec, Diary.Written(text="mine"))
    moved = codec.decode(msgspec.structs.replace(record, stream_id=clock.uuid7())).data

    with pytest.raises(BrokenSeal):
        await subjects.open(ORGANISATION, moved.text)


async def test_a_sealed_text_copied_by_a_decision_still_opens(codec: Codec, subjects: Subjects):
    record, _ = await encoded(codec, Diary.Written(text="mine"))
    copied, _ = await encoded(codec, Diary.Written(text=codec.decode(record).data.text, about=Forgotten()))
    data = codec.decode(copied).data

    assert await subjects.open(ORGANISATION, data.text) == "mine"
    assert data.about == Forgotten()


async def test_a_text_under_nobodys_key_stays_plain(codec: Codec):
    record, _ = await encoded(codec, Diary.Public(text="for all"))

    assert b'"for all"' in record.data
    assert codec.decode(record).data.text == "for all"


async def test_the_texts_of_an_event_without_author_stay_plain(codec: Codec):
    record, _ = await encoded(codec, Diary.Written(text="by the system"), by(SYSTEM))

    assert codec.decode(record).data.text == "by the system"


async def test_sealing_without_a_prepared_key_is_refused(codec: Codec):
    diary = Diary.blank(clock.uuid7())

    with pytest.raises(KeyNotPrepared):
        codec.encode(ORGANISATION, clock.uuid7(), 0, diary, Diary.Written(text="mine"), by())


async def test_the_author_s_key_is_prepared_for_the_digest_of_his_request(codec: Codec, subjects: Subjects):
    await encoded(codec, Diary.Opened(name="Q1", on=date(2026, 3, 1)))

    assert len(subjects.digest(ORGANISATION, AUTHOR, b"{}")) == 16


async def test_an_anonymous_event_carries_nobody_and_no_trace(codec: Codec):
    anonymous = Actor(kind=ActorKind.ANONYMOUS, contributor_id=AUTHOR, roles=(Role.GUEST,))
    at = datetime(2026, 3, 1, tzinfo=UTC)
    trace = {"correlation_id": clock.uuid7(), "causation_id": clock.uuid7(), "digest": b"d", "effective_at": at}
    record, _ = await encoded(codec, Diary.Opened(name="Q1", on=date(2026, 3, 1)), by(anonymous, **trace))
    envelope = codec.decode(record)

    assert envelope.actor == Actor(kind=ActorKind.ANONYMOUS)
    assert (envelope.correlation_id, envelope.causation_id, envelope.digest) == (None, None, None)
    assert envelope.effective_at == at
    assert str(AUTHOR).encode() not in record.metadata


async def test_an_unknown_type_is_refused(codec: Codec):
    record, _ = await encoded(codec, Diary.Opened(name="Q1", on=date(2026, 3, 1)))

    with pytest.raises(UnknownEventType, match=r"os:system"):
        codec.decode(msgspec.structs.replace(record, type="os:system"))


async def test_a_version_from_the_future_is_refused(codec: Codec):
    record, _ = await encoded(codec, Diary.Opened(name="Q1", on=date(2026, 3, 1)))

    with pytest.raises(UnknownEventType, match=r"diary.opened version 2 at position 7"):
        codec.decode(msgspec.structs.replace(record, schema_version=2))


@pytest.mark.parametrize("data", [b"{}", b"{", b'{"name": 1, "on": "2026-03-01"}'])
async def test_data_of_another_shape_is_refused_with_its_position(codec: Codec, data: bytes):
    record, _ = await encoded(codec, Diary.Opened(name="Q1", on=date(2026, 3, 1)))

    with pytest.raises(UnreadableEvent, match=r"diary.opened at position 7"):
        codec.decode(msgspec.structs.replace(record, data=data))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "1e15", "-1e15"])
async def test_a_number_that_json_cannot_carry_is_refused_both_ways(codec: Codec, number: str):
    with pytest.raises(NumberRefused):
        await encoded(codec, Diary.Written(text="x", value=Decimal(number)))
    with pytest.raises(NumberRefused):
        await encoded(codec, Diary.Written(text="x", link=Link(reference="r", weight=Decimal(number))))
    record, _ = await encoded(codec, Diary.Written(text="x", value=Decimal(1)))
    with pytest.raises(UnreadableEvent):
        codec.decode(msgspec.structs.replace(record, data=b'{"text": "x", "value": "%s"}' % number.encode()))


async def test_a_float_that_is_no_number_is_refused(codec: Codec):
    with pytest.raises(NumberRefused, match=r"ratio"):
        await encoded(codec, Diary.Written(text="x", ratio=float("nan")))


@pytest.mark.parametrize("count", [10**15, -(10**15), 10**20, 2**63])
async def test_a_whole_number_that_no_column_holds_is_refused(codec: Codec, count: int):
    with pytest.raises(NumberRefused, match="count"):
        await encoded(codec, Diary.Written(text="x", count=count))


async def test_a_nul_in_a_text_that_all_may_read_is_refused(codec: Codec):
    with pytest.raises(TextRefused):
        await encoded(codec, Diary.Opened(name="a\x00b", on=date(2026, 3, 1)))
    with pytest.raises(TextRefused):
        await encoded(codec, Diary.Opened(name="\\\x00", on=date(2026, 3, 1)))


@pytest.mark.parametrize("name", ["a\\u0000b", "\\\\u0000"])
async def test_a_text_that_only_looks_like_a_nul_is_kept(codec: Codec, name: str):
    record, _ = await encoded(codec, Diary.Opened(name=name, on=date(2026, 3, 1)))
    assert codec.decode(record).data.name == name


@given(st.decimals(min_value=-(10**14), max_value=10**14, allow_nan=False, allow_infinity=False))
def test_decimals_are_json_numbers_and_come_back_exactly(value: Decimal):
    codec = Codec(CATALOGUE, Subjects(MasterKey(b"m" * 32), MemoryKeys()))
    diary = Diary.blank(clock.uuid7())
    new = codec.encode(ORGANISATION, clock.uuid7(), 0, diary, Diary.Written(text="x", value=value), by(SYSTEM))
    again = codec.decode(stored(new, diary.id, clock.uuid7())).data

    assert isinstance(msgspec.json.decode(new.data)["value"], int | float)
    assert again.value == value


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Europe/Amsterdam", datetime(2026, 3, 1, 22, 59, 59, 999_999, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 3, 2, 4, 59, 59, 999_999, tzinfo=UTC)),
    ],
)
def test_a_dated_event_counts_at_the_end_of_its_day_in_the_organisations_zone(zone: str, expected: datetime):
    now = datetime(2026, 4, 1, tzinfo=UTC)

    assert effective_at(Diary.Written(text="x", on=date(2026, 3, 1)), ZoneInfo(zone), now) == expected


def test_no_event_is_effective_later_than_now():
    zone, now = ZoneInfo("UTC"), datetime(2026, 3, 1, 12, tzinfo=UTC)

    assert effective_at(Diary.Written(text="x", on=date(2026, 3, 1)), zone, now) == now
    assert effective_at(Diary.Public(text="x", at=datetime(2026, 3, 1, 13, tzinfo=UTC)), zone, now) == now


def test_an_event_dated_by_the_moment_counts_then():
    at = datetime(2026, 3, 1, 11, tzinfo=UTC)

    assert effective_at(Diary.Public(text="x", at=at), ZoneInfo("UTC"), RECORDED) == at


def test_an_undated_event_is_effective_when_recorded():
    assert effective_at(Diary.Written(text="x"), ZoneInfo("UTC"), RECORDED) is None
    assert effective_at(Diary.Opened(name="x", on=date(2026, 3, 1)), ZoneInfo("UTC"), RECORDED) is None


class Renamed(Event, frozen=True, kw_only=True):
    """The third shape of an event that began with another."""

    TOPIC = "diary.renamed"
    SCHEMA_VERSION = 3
    title: str
    value: Decimal


LIFTS = {
    ("diary.renamed", 1): lambda data: {"title": data["name"], "value": data["value"]},
    ("diary.renamed", 2): lambda data: data | {"title": data["title"].upper()},
}


def test_older_shapes_are_lifted_step_by_step_and_lose_no_digit():
    subjects = Subjects(MasterKey(b"m" * 32), MemoryKeys())
    codec = Codec({"diary.renamed": Renamed}, subjects, upcasts=LIFTS)
    old = NewEvent("diary.renamed", 1, b'{"actor":{}}', b'{"name":"one","value":0.12345678901234567890123}')
    newer = NewEvent("diary.renamed", 2, b'{"actor":{}}', b'{"title":"two","value":2}')
    current = NewEvent("diary.renamed", 3, b'{"actor":{}}', b'{"title":"three","value":3}')

    first, second, third = (codec.decode(stored(e, AUTHOR, OTHER)) for e in (old, newer, current))

    assert first.data == Renamed(title="ONE", value=Decimal("0.12345678901234567890123"))
    assert second.data == Renamed(title="TWO", value=Decimal(2))
    assert third.data == Renamed(title="three", value=Decimal(3))
    assert {envelope.schema_version for envelope in (first, second, third)} == {3}


def test_a_missing_upcast_is_found_at_start_up():
    with pytest.raises(MissingUpcast, match=r"diary.renamed version 2"):
        Codec(
            {"diary.renamed": Renamed},
            Subjects(MasterKey(b"m" * 32), MemoryKeys()),
            upcasts={("diary.renamed", 1): dict},
        )


def test_every_released_upcast_is_of_a_known_kind():
    assert all(isinstance(name, str) and version >= 1 for name, version in UPCASTS)
