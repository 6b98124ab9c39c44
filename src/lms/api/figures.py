"""What do two windows of stored measurements, or two summaries given by hand, say when compared?"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Protocol
from uuid import UUID

import msgspec
from litestar import Request as HttpRequest
from litestar.datastructures import State

from lms.api.bodies import Body
from lms.api.deps import Connection, services_of, wait_for
from lms.domain.base import Malformed
from lms.domain.effect import Comparison, Design, Effect, weakest_origin
from lms.domain.improvement_parts import Window
from lms.domain.terms import Direction, Origin, Summary
from lms.inference.effects import Point, compare, compare_series, compare_with
from lms.inference.summaries import Basis, pool
from lms.projections.outcome_timeline import OutcomeTimeline
from lms.projections.process_performance import ProcessPerformance

_performance = ProcessPerformance()
_timeline = OutcomeTimeline()

Measure = Annotated[UUID, msgspec.Meta(description="A measure of the process")]
Day = Annotated[date, msgspec.Meta(examples=["2026-02-28"])]


class WindowBody(Body, frozen=True, kw_only=True):
    """From a day to a day, both included."""

    start: Annotated[date, msgspec.Meta(examples=["2026-02-01"])]
    end: Day

    @property
    def window(self) -> Window:
        """The same for the domain."""
        return Window(start=self.start, end=self.end)


class Side(Body, frozen=True, kw_only=True):
    """One side of a comparison. Days alone: what was measured wholly within them; with a value: these figures."""

    start: Annotated[date, msgspec.Meta(examples=["2026-02-01"])]
    end: Day
    value: Annotated[Decimal | None, msgspec.Meta(examples=[22.4])] = None
    n: Annotated[int | None, msgspec.Meta(examples=[42])] = None
    spread: Annotated[Decimal | None, msgspec.Meta(description="Standard deviation", examples=[6.1])] = None
    origin: Annotated[Origin | None, msgspec.Meta(description="Of figures given by hand; else recalled")] = None


class ComparisonBody(Body, frozen=True, kw_only=True):
    """The same where nothing was changed: another measure over the same days, or two sides."""

    label: Annotated[str, msgspec.Meta(examples=["Service desk North"])]
    measure_id: UUID | None = None
    before: Side | None = None
    after: Side | None = None


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """A summary, where it comes from, what its n counts, and the stored values behind it (none when given)."""

    summary: Summary
    origin: Origin
    basis: Basis = Basis.OBSERVATIONS
    points: tuple[Point, ...] = ()


class Stored(Protocol):
    """A stored measurement of a process measure or an outcome metric."""

    @property
    def summary(self) -> Summary:
        """Its figures."""

    @property
    def origin(self) -> Origin:
        """Where they come from."""


Within = Callable[[date, date], Awaitable[Sequence[Stored]]]
"""The stored measurements wholly within a window."""


async def provide_fresh(request: HttpRequest[Any, Any, State]) -> AsyncIterator[Connection]:
    """A connection to read models that have seen everything written before this request.

    What a command compares or refers to may have been written a moment ago.
    """
    services = services_of(request)
    await wait_for(services, services.log.token(await services.log.head()))
    async with services.reads.acquire() as connection:
        yield connection


def of_measure(connection: Connection, organisation_id: UUID, measure_id: UUID) -> Within:
    """What was measured of a process measure."""

    async def within(start: date, end: date) -> Sequence[Stored]:
        return await _performance.within(connection, organisation_id, measure_id, start, end)

    return within


def of_metric(connection: Connection, organisation_id: UUID, metric_id: UUID, segment: str | None) -> Within:
    """What was measured of an outcome metric, of one segment or of the whole."""

    async def within(start: date, end: date) -> Sequence[Stored]:
        return await _timeline.within(connection, organisation_id, metric_id, start, end, segment)

    return within


async def figures(side: Side, within: Within, pointer: str) -> Figures:
    """What a side says. Refuses a window in which nothing was measured."""
    if side.value is not None:
        summary = Summary(value=side.value, n=side.n, spread=side.spread, start=side.start, end=side.end)
        return Figures(summary=summary, origin=side.origin or Origin.RECALLED)
    if side.n is not None or side.spread is not None or side.origin is not None:
        raise Malformed(pointer=f"{pointer}/value", detail="say the value that n, spread and origin are about")
    if side.start > side.end:
        raise Malformed(pointer=f"{pointer}/end", detail="the window ends before it starts")
    rows = await within(side.start, side.end)
    pooled = pool([row.summary for row in rows])
    if pooled is None:
        raise Malformed(pointer=pointer, detail=f"nothing was measured wholly within {side.start} to {side.end}")
    return Figures(
        summary=pooled.summary,
        origin=weakest_origin(tuple(row.origin for row in rows)),
        basis=pooled.basis,
        points=tuple(Point(_middle(row.summary), row.summary.value) for row in rows),
    )


async def comparison(body: ComparisonBody, days: tuple[Side, Side], within: Within | None) -> Comparison:
    """What was measured where nothing was changed, over the same ``days`` unless said. ``within``: of what, if said."""
    before = body.before or Side(start=days[0].start, end=days[0].end)
    after = body.after or Side(start=days[1].start, end=days[1].end)
    if within is None and (before.value is None or after.value is None):
        raise Malformed(pointer="/comparison/measure_id", detail="say what was measured there, or give both figures")
    source = within or _nothing
    sides = [await figures(before, source, "/comparison/before"), await figures(after, source, "/comparison/after")]
    return Comparison(label=body.label, before=sides[0].summary, after=sides[1].summary)


async def _nothing(start: date, end: date) -> Sequence[Stored]:  # noqa: ARG001 - a source's form
    return ()


async def effect_of(
    design: Design, before: Figures, after: Figures, comparison: Comparison | None, direction: Direction
) -> Effect:
    """What the comparison finds, found beside the event loop: the first one loads scipy."""
    return await asyncio.to_thread(_effect_of, design, before, after, comparison, direction)


def _effect_of(
    design: Design, before: Figures, after: Figures, comparison: Comparison | None, direction: Direction
) -> Effect:
    if comparison is not None and design.needs_comparison:
        return compare_with(before.summary, after.summary, comparison, direction)
    if design is Design.INTERRUPTED_SERIES:
        return compare_series(before.summary, after.summary, (before.points, after.points), direction)
    of_periods = Basis.PERIODS in {before.basis, after.basis}
    return compare(before.summary, after.summary, direction, Basis.PERIODS if of_periods else Basis.OBSERVATIONS)


def _middle(summary: Summary) -> date:
    return summary.start + (summary.end - summary.start) // 2
