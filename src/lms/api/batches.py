"""How are many bodies judged in one call, each alone?"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from lms.api.answers import Answer
from lms.api.bodies import NOT_TEXT, Batch, Body, text_for_number
from lms.api.deps import Sender
from lms.api.problems import Problem, malformed, problem_of
from lms.dispatch import Outcome
from lms.domain.base import Malformed, Refusal
from lms.eventlog.log import AppendRejected, AppendTooLarge, LogUnavailable, Overloaded

B = TypeVar("B", bound=Body)

MOST_ITEMS = 1_000
IN_FLIGHT = 64
"""Commands of one batch on their way at once: they share the log's group commits without crowding others out."""


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one item: where it stands now, and at which version."""

    id: UUID
    location: str
    outcome: Outcome[Any]


class ItemResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to one item, in the order they were sent."""

    status: int
    id: UUID | None = None
    location: str | None = None
    version: int | None = None
    problem: Problem | None = None


class BatchResults(msgspec.Struct, frozen=True):
    """The answers to all items."""

    results: list[ItemResult]


async def judge(
    batch: Batch, kind: type[B], sender: Sender, act: Callable[[str, B], Awaitable[Accepted]]
) -> Answer[BatchResults]:
    """Decode each item and act on it; a bad item never rejects the others. ``act`` gets the item's name and body."""
    sender.refuse_condition()
    if len(batch.items) > MOST_ITEMS:
        raise Malformed(pointer="/items", detail=f"at most {MOST_ITEMS} items")
    gate = asyncio.Semaphore(IN_FLIGHT)

    async def one(number: int, item: Any) -> Accepted | Problem:
        async with gate:
            try:
                return await act(f"item:{number}", _decoded(item, kind))
            except msgspec.ValidationError as error:
                return malformed([{"message": str(error)}])
            except (Refusal, AppendRejected, AppendTooLarge, LogUnavailable, Overloaded) as error:
                return problem_of(error)

    answers = await asyncio.gather(*(one(number, item) for number, item in enumerate(batch.items)))
    headers = await _headers(sender, answers)
    return Answer(BatchResults([_result(answer) for answer in answers]), status_code=200, headers=headers)


def _decoded(item: Any, kind: type[B]) -> B:
    body = msgspec.convert(item, type=kind)
    pointer = text_for_number(body, item)
    if pointer is not None:
        raise Malformed(pointer=pointer, detail=NOT_TEXT)
    return body


def _result(answer: Accepted | Problem) -> ItemResult:
    if isinstance(answer, Problem):
        return ItemResult(status=answer.status, problem=answer)
    return ItemResult(status=201, id=answer.id, location=answer.location, version=answer.outcome.version)


async def _headers(sender: Sender, answers: Sequence[Accepted | Problem]) -> dict[str, str]:
    """The position of the last item that was stored: a read that waits for it sees them all."""
    outcomes = [answer.outcome for answer in answers if isinstance(answer, Accepted)]
    if not outcomes:
        return {}
    last = max(outcomes, key=lambda outcome: outcome.position or 0)
    return {"LMS-Position": (await sender.receipt(last)).token}
