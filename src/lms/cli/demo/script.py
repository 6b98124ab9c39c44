"""How is a history told in order, fast, and once?"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from lms import clock
from lms.dispatch import Dispatch, Request
from lms.domain.base import Aggregate, Command
from lms.domain.calendar import PeriodIsClosed

IN_FLIGHT = 256
"""Commands sent at once: enough for full batches of the log."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A command of the past. Steps keep their order where one touches what another writes.

    ``reads`` are streams that the decision looks at and that other steps write, ``writes`` those it changes beside
    its own. A ``closing`` comes after everything before it and before everything after it.
    """

    on: date
    at: time
    kind: type[Aggregate]
    stream_id: UUID
    command: Command
    reads: tuple[UUID, ...] = ()
    writes: tuple[UUID, ...] = ()
    closing: bool = False


class Script:
    """The steps of a history, from the first day to the last."""

    def __init__(self, organisation_id: UUID, now: datetime) -> None:
        self.organisation_id = organisation_id
        self._now = now
        self.steps: list[Step] = []
        self._firsts: set[int] = set()

    def new_id(self, name: str) -> UUID:
        """The id of a thing in this history: the same whenever the history is told."""
        return clock.derived_id(self.organisation_id, name)

    def add(
        self,
        on: date,
        kind: type[Aggregate],
        stream_id: UUID,
        command: Command,
        *,
        reads: Iterable[UUID] = (),
        writes: Iterable[UUID] = (),
        at: time = time(10),
        closing: bool = False,
    ) -> None:
        """Say that something was done on a day, at an hour of the company's own zone."""
        self.steps.append(
            Step(
                on=on,
                at=at,
                kind=kind,
                stream_id=stream_id,
                command=command,
                reads=tuple(reads),
                writes=tuple(writes),
                closing=closing,
            )
        )

    async def tell(self, dispatch: Dispatch, zone: ZoneInfo, told: Callable[[int, int], None]) -> int:
        """Send every step, in the order of days, and say how many were sent; ``told`` hears how far it is of how many.

        Command ids follow from the place in the history: told again after a break, it goes on where it ended.
        """
        ordered = self._ordered()
        self._firsts = {
            number for number, _ in {step.stream_id: (number, step) for number, step in reversed(ordered)}.values()
        }
        begin = await self._standing(dispatch, ordered)
        done = begin
        for wave in _waves(ordered[begin:]):
            await asyncio.gather(*(self._send(dispatch, zone, number, step) for number, step in wave))
            done += len(wave)
            told(done, len(ordered))
        return done - begin

    def _ordered(self) -> list[tuple[int, Step]]:
        return sorted(enumerate(self.steps), key=lambda one: (one[1].on, one[1].at, one[0]))

    async def _standing(self, dispatch: Dispatch, ordered: list[tuple[int, Step]]) -> int:
        """From which step to go on: behind the last one, or a wave before the first that is not in the log."""
        low, high = 0, len(ordered)
        while low < high:
            middle = (low + high) // 2
            if await self._is_told(dispatch, *ordered[middle]):
                low = middle + 1
            else:
                high = middle
        return max(0, low - IN_FLIGHT)

    async def _is_told(self, dispatch: Dispatch, number: int, step: Step) -> bool:
        command_id = self.new_id(f"step:{number}")
        events = (await dispatch.log.streams([step.stream_id]))[step.stream_id]
        return any(stored.command_id == command_id for stored in events)

    async def _send(self, dispatch: Dispatch, zone: ZoneInfo, number: int, step: Step) -> None:
        request = Request(
            organisation_id=self.organisation_id,
            actor=step.command.actor,
            command_id=self.new_id(f"step:{number}"),
            time_zone=zone,
            at=min(datetime.combine(step.on, step.at, zone) + timedelta(milliseconds=number % 1000), self._now),
            historic=True,
            new_stream=number in self._firsts,
        )
        with suppress(PeriodIsClosed):  # a history told to its end days later meets periods the timer has closed since
            await dispatch.send(step.kind, step.stream_id, step.command, request)


def _waves(steps: Iterable[tuple[int, Step]]) -> Iterable[list[tuple[int, Step]]]:
    """Cut the steps where one touches what an earlier one of the same wave writes, and around closings."""
    wave: list[tuple[int, Step]] = []
    written: set[UUID] = set()
    closed = False
    for number, step in steps:
        touched = {step.stream_id, *step.reads, *step.writes}
        if wave and (len(wave) >= IN_FLIGHT or closed or step.closing or not written.isdisjoint(touched)):
            yield wave
            wave, written = [], set()
        wave.append((number, step))
        written |= {step.stream_id, *step.writes}
        closed = step.closing
    if wave:
        yield wave
