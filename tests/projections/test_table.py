"""Do rows come back as they were saved, and do events find the rows they touch?"""

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import msgspec
import pytest

from lms import clock
from lms.domain.base import Forgotten, Personal, Sealed
from lms.projections.base import Envelope, Projection, Table, Touches, on
from lms.projections.table import NoSuchRow
from projections.engine import Tally
from projections.harness import Story, applied, apply, check_cuts, rows_of


class Colour(StrEnum):
    RED = "red"


class Part(msgspec.Struct, frozen=True):
    id: UUID
    weight: Decimal
    on: date | None = None


class Everything(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    organisation_id: UUID
    name: str
    order: int
    share: float
    weight: Decimal
    done: bool
    on: date
    at: datetime
    colour: Colour
    raw: bytes
    text: Personal
    ids: tuple[UUID, ...]
    tags: tuple[str, ...]
    parts: tuple[Part, ...]
    labels: dict[str, str]
    perhaps: Personal | None = None
    nothing: tuple[str, ...] | None = None


EVERYTHING = Table("everything_v1", Everything, key="id")

COLUMNS = """id uuid PRIMARY KEY, organisation_id uuid, name text, "order" bigint, share double precision,
    weight numeric, done boolean, "on" date, at timestamptz, colour text, raw bytea, text jsonb, ids uuid[],
    tags text[],
    parts jsonb, labels jsonb, perhaps jsonb, nothing text[]"""


def row(**changes) -> Everything:
    one = clock.uuid7()
    plain = Everything(
        id=one,
        organisation_id=clock.uuid7(),
        name='Ümlaut "quoted" \\ and {braces}',
        order=3,
        share=0.5,
        weight=Decimal("12345678901234.50"),
        done=True,
        on=date(2028, 2, 29),
        at=datetime(2026, 1, 1, 12, 0, 0, 1, tzinfo=UTC),
        colour=Colour.RED,
        raw=b"\x00\xff",
        text=Sealed(of=one, box="c2VhbGVk", context="a|b"),
        ids=(one, clock.uuid7()),
        tags=('a "b" \\', "", "NULL", "ü,{}"),
        parts=(Part(one, Decimal("0.10")), Part(one, Decimal(2), date(2026, 1, 1))),
        labels={"nl": "gesprek", "en": "talk"},
        perhaps=Forgotten(),
    )
    return msgspec.structs.replace(plain, **changes)


async def test_every_kind_of_value_comes_back_as_it_was(connection):
    await connection.execute(f"CREATE TEMPORARY TABLE everything_v1 ({COLUMNS})")
    rows = [row(), row(ids=(), tags=(), parts=(), perhaps=None), row(nothing=("x",), text="plain", perhaps="p")]
    await EVERYTHING.save(connection, rows)
    assert await EVERYTHING.load(connection, [one.id for one in rows]) == {one.id: one for one in rows}
    assert await EVERYTHING.select(connection, 'WHERE name = $1 ORDER BY "order", id', rows[0].name) == rows
    changed = [msgspec.structs.replace(one, order=9) for one in rows]
    await EVERYTHING.save(connection, changed)
    await EVERYTHING.remove(connection, [rows[0].id])
    assert await EVERYTHING.select(connection, "ORDER BY id") == changed[1:]


async def test_a_row_is_shown_to_its_organisation_only(connection):
    await connection.execute(f"CREATE TEMPORARY TABLE everything_v1 ({COLUMNS})")
    mine = row()
    await EVERYTHING.save(connection, [mine])
    assert await EVERYTHING.get(connection, mine.organisation_id, mine.id) == mine
    assert await EVERYTHING.get(connection, clock.uuid7(), mine.id) is None
    assert await EVERYTHING.get(connection, mine.organisation_id, clock.uuid7()) is None


class Mark(msgspec.Struct, frozen=True):
    tally_id: UUID
    version: int
    kind: str
    n: int


class Total(msgspec.Struct, frozen=True):
    tally_id: UUID
    n: int


MARKS = Table("marks_v1", Mark, key=("tally_id", "version"))
TOTALS = Table("totals_v1", Total, key="tally_id")


class Marks(Projection):
    """A mark per event; each tenth turns all small marks big, each thirteenth forgets the big ones."""

    NAME = "marks"
    TABLES = (MARKS, TOTALS)

    @classmethod
    def ddl(cls, schema: str) -> str:
        return """
            CREATE TABLE marks_v1 (tally_id uuid, version bigint, kind text, n bigint, PRIMARY KEY (tally_id, version));
            CREATE TABLE totals_v1 (tally_id uuid PRIMARY KEY, n bigint)"""

    @on(Tally.Added)
    def _added(self, envelope: Envelope, event: Tally.Added) -> Touches:
        stream = envelope.stream_id
        yield MARKS.put(Mark(stream, envelope.version, "small", event.n))
        yield TOTALS.touch(stream, lambda total: Total(stream, (total.n if total else 0) + event.n))
        if event.n % 10 == 0:
            yield MARKS.each(lambda mark: msgspec.structs.replace(mark, kind="big"), tally_id=stream, kind="small")
        if event.n % 13 == 0:
            yield MARKS.each(lambda _: None, tally_id=stream, kind="big")
        if event.n in {5, 66}:
            yield TOTALS.delete(stream)
        if event.n in {6, 66}:
            yield TOTALS.change(stream, n=1_000)

    @on(Tally.Ignored)
    async def _ignored(self, connection, envelope: Envelope, event: Tally.Ignored) -> None:
        await connection.execute("UPDATE totals_v1 SET n = n * 2 WHERE tally_id = $1", envelope.stream_id)


def story(*numbers: int | None) -> Story:
    """Numbers added to one stream; None is an event that doubles by SQL."""
    told = Story()
    stream = clock.uuid7()
    for n in numbers:
        told.happened(stream, Tally.Ignored() if n is None else Tally.Added(n=n))
    return told


async def test_rows_found_by_value_include_those_of_the_same_batch(connection):
    told = story(1, 2, 20, 3)
    kinds = [mark["kind"] for mark in (await rows_of(connection, Marks(), told.envelopes))["marks_v1"]]
    assert kinds == ["big", "big", "big", "small"]


async def test_a_handler_with_sql_of_its_own_sees_earlier_events_of_the_batch_and_later_ones_see_its_work(connection):
    told = story(1, 2, None, 4)
    assert [total["n"] for total in (await rows_of(connection, Marks(), told.envelopes))["totals_v1"]] == [10]


@pytest.mark.parametrize("cuts", [(), (1, 4, 9), (2, 3, 5, 7, 11)])
async def test_the_rows_are_the_same_wherever_batches_end(connection, cuts):
    told = story(1, 10, 2, 13, 26, 3, None, 20, 5, 7, None, 30, 6, 39, 4, 5, 8)
    await check_cuts(connection, Marks(), told.envelopes, cuts)


async def test_changing_a_row_that_is_not_there_fails_the_event(connection):
    told = story(5, 66)
    async with applied(connection, Marks(), told.envelopes[:1]):
        with pytest.raises(NoSuchRow):
            await apply(connection, Marks(), told.envelopes[1:])


def test_two_handlers_for_one_event_are_a_mistake():
    with pytest.raises(TypeError, match="twice"):

        class Twice(Projection):
            NAME = "twice"

            @on(Tally.Added)
            def _one(self, envelope, event) -> Touches:
                yield from ()

            @on(Tally.Added)
            def _two(self, envelope, event) -> Touches:
                yield from ()


async def test_a_projection_that_touches_a_table_it_does_not_declare_is_told_so(connection):
    class Stray(Marks):
        TABLES = (TOTALS,)

    with pytest.raises(TypeError, match="not among its TABLES"):
        async with applied(connection, Stray(), story(1).envelopes):
            pass
