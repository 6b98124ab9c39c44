"""How many commands a second are decided on what is stored, and appended?"""

import asyncio
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from lms import clock
from lms.app import Core
from lms.cli.bench_report import CheckerFailed, machine, report
from lms.dispatch import Dispatch, Request
from lms.domain.base import Actor, Role
from lms.domain.goal import Goal
from lms.domain.goal_commands import CheckIn, ProposeGoal
from lms.domain.goal_parts import KeyResult, KeyResultKind, Level, Owner, Purpose

_ZONE = ZoneInfo("UTC")
_EVENTS_BEFORE = 4


async def bench_dispatch(
    core: Core,
    *,
    commands: int = 5_000,
    in_flight: int = 64,
    runs: int = 3,
    on_run: Callable[[int, float], None] = lambda _run, _rate: None,
) -> dict[str, Any]:
    """Load a goal of four events, decide on a check-in, append one event; nothing is cached beforehand.

    The figure is the median of the runs, in commands per second. A checker reads every goal anew. Raises CheckerFailed.
    """
    organisation_id, author = clock.uuid7(), Actor(contributor_id=clock.uuid7(), roles=(Role.EMPLOYEE,))
    rates = []
    for run in range(1, runs + 1):
        goals = [clock.uuid7() for _ in range(commands)]
        await _each(goals, in_flight, _Sender(_cold(core), organisation_id, author).propose)
        started = time.perf_counter()
        await _each(goals, in_flight, _Sender(_cold(core), organisation_id, author).check_in)
        rates.append(commands / (time.perf_counter() - started))
        await _check(core, goals)
        on_run(run, rates[-1])
    about = await machine(core.database.app_url)
    return report("commands_per_s", rates, about, in_flight=in_flight, commands=commands, events_loaded=_EVENTS_BEFORE)


class _Sender:
    """Sends the commands of one person."""

    def __init__(self, dispatch: Dispatch, organisation_id: UUID, author: Actor) -> None:
        self._dispatch = dispatch
        self._organisation_id = organisation_id
        self._author = author

    async def propose(self, goal_id: UUID) -> None:
        """An individual goal with two key results: four events."""
        milestones = tuple(
            KeyResult(key_result_id=clock.derived_id(goal_id, str(n)), kind=KeyResultKind.MILESTONE, target=Decimal(1))
            for n in range(2)
        )
        await self._dispatch.send(
            Goal,
            goal_id,
            ProposeGoal(
                actor=self._author,
                today=_today(),
                goal_id=goal_id,
                level=Level.INDIVIDUAL,
                title="Hand over without a question left open",
                purpose=Purpose(statement="The next shift can begin at once"),
                owner=Owner(contributor_id=self._author.contributor_id),
                key_results=milestones,
            ),
            self._request(),
        )

    async def check_in(self, goal_id: UUID) -> None:
        """One event on top of four."""
        command = CheckIn(
            actor=self._author,
            today=_today(),
            check_in_id=clock.uuid7(),
            key_result_id=clock.derived_id(goal_id, "0"),
            value=Decimal("0.5"),
            observed_on=_today(),
            confidence=7,
        )
        await self._dispatch.send(Goal, goal_id, command, self._request())

    def _request(self) -> Request:
        return Request(
            organisation_id=self._organisation_id,
            actor=self._author,
            command_id=clock.uuid7(),
            time_zone=_ZONE,
            at=clock.now(),
        )


def _cold(core: Core) -> Dispatch:
    """A dispatcher that remembers nothing."""
    return Dispatch(core.log, core.codec, core.subjects)


def _today() -> date:
    return clock.now().date()


async def _each(goals: list[UUID], in_flight: int, send: Callable[[UUID], Any]) -> None:
    waiting = iter(goals)

    async def client() -> None:
        for goal_id in waiting:
            await send(goal_id)

    await asyncio.gather(*(client() for _ in range(in_flight)))


async def _check(core: Core, goals: list[UUID]) -> None:
    """Every goal has its five events, the check-in last."""
    for start in range(0, len(goals), 1_000):
        for goal_id, events in (await core.log.streams(goals[start : start + 1_000])).items():
            versions = [event.version for event in events]
            if versions != list(range(1, _EVENTS_BEFORE + 2)) or events[-1].type != Goal.ProgressCheckedIn.TOPIC:
                raise CheckerFailed(f"goal {goal_id} holds versions {versions}")
