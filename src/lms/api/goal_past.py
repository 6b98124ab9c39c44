"""What happened to a goal, and how did it stand then?

Both are read from the goal's own stream. ``as_of``: what was true in the world then, by the effective time of each
event. ``known_at``: what was known then, by the time it was recorded.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar.params import QueryParameter

from lms import clock
from lms.api.bodies import EARLIEST, LATEST
from lms.api.deps import Connection, Who
from lms.api.services import Services
from lms.domain.base import Forgotten, Malformed, NotFound
from lms.domain.goal import Goal
from lms.eventlog.codec import Envelope
from lms.projections.goal_rows import CheckInRow, Latest, LinkRow
from lms.projections.goals import Goals

_goals = Goals()

_AS_THEY_ARE = (Decimal, UUID, date, datetime)
"""Types that the answer's encoder writes itself: decimals as numbers."""

_HIS_OWN = ("my_reason", "proposer")
"""Fields of an event that only its author reads."""

_FORGOTTEN = msgspec.to_builtins(Forgotten())


class Moment(msgspec.Struct, frozen=True):
    """Of when, as known when."""

    as_of: datetime
    known_at: datetime

    def sees(self, envelope: Envelope) -> bool:
        """Tell whether the event was true, and known."""
        return envelope.effective_at <= self.as_of and envelope.recorded_at <= self.known_at


class Then(msgspec.Struct, frozen=True):
    """A goal as it stood at a moment."""

    goal: Goal
    latest: dict[UUID, Latest]
    links: list[LinkRow]
    check_ins: list[CheckInRow]


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a goal. Who did it is not told; forgotten texts are null."""

    version: int
    type: str
    effective_at: datetime
    recorded_at: datetime
    data: dict[str, Any]


AsOf = Annotated[str | None, QueryParameter(description="What was true then: a day, or a time (RFC 3339)")]
KnownAt = Annotated[str | None, QueryParameter(description="What was known then: a day, or a time (RFC 3339)")]


def moment(as_of: str | None, known_at: str | None, who: Who) -> Moment:
    """The moment asked for; a day means its end in the organisation's zone, nothing said means now."""
    return Moment(
        _in_our_age(_instant(as_of, who, "/as_of"), "/as_of"),
        _in_our_age(_instant(known_at, who, "/known_at"), "/known_at"),
    )


async def stream(services: Services, organisation_id: UUID, stream_id: UUID) -> list[Envelope]:
    """The organisation's events of a stream, personal texts still sealed."""
    stored = (await services.log.streams([stream_id]))[stream_id]
    return [services.dispatch.codec.decode(one) for one in stored if one.organisation_id == organisation_id]


async def then(services: Services, connection: Connection, who: Who, envelopes: Sequence[Envelope], at: Moment) -> Then:
    """The goal as it stood. Raises NotFound when it was not there, or not known, yet."""
    seen = [envelope for envelope in envelopes if at.sees(envelope)]
    if not seen or not isinstance(seen[0].data, Goal.Proposed):
        raise NotFound(goal=envelopes[0].stream_id if envelopes else None)
    goal = Goal.blank(seen[0].stream_id)
    for envelope in seen:
        if _applies(goal, envelope):
            goal.evolve(envelope.data)
    check_ins = _check_ins(seen)
    latest = {}
    for key, key_result in goal.key_results.items():
        mine = [one for one in check_ins if one.key_result_id == key]
        value, on = next(((one.value, one.observed_on) for one in mine if one.value is not None), (None, None))
        if key_result.is_fed:
            feed = key_result.metric_id or key_result.measure_id
            value, on = await _measured(services, connection, who, feed, at) if feed else (None, None)
        sure = next((one.confidence for one in mine if one.confidence is not None), None)
        latest[key] = Latest(goal_id=goal.id, key_result=key_result, value=value, observed_on=on, confidence=sure)
    return Then(goal, latest, _links(seen, goal), check_ins)


def happened(envelopes: Iterable[Envelope], who: Who) -> list[Happened]:
    """What happened, in order; ``envelopes`` are opened."""
    return [
        Happened(
            version=envelope.version,
            type=envelope.type,
            effective_at=envelope.effective_at,
            recorded_at=envelope.recorded_at,
            data=_told(envelope, who),
        )
        for envelope in envelopes
    ]


def _applies(goal: Goal, envelope: Envelope) -> bool:
    """Tell whether what the event changes was there: an adjustment may be dated before the key result it adjusts."""
    event = envelope.data
    return not isinstance(event, Goal.Adjusted) or event.key_result_id in {None, *goal.key_results}


def _links(envelopes: Iterable[Envelope], goal: Goal) -> list[LinkRow]:
    """The links that stood, in the order they were made."""
    made = {one.data.alignment.link_id: one for one in envelopes if isinstance(one.data, Goal.Aligned)}
    return [
        LinkRow(
            link_id=link_id,
            organisation_id=made[link_id].organisation_id,
            goal_id=goal.id,
            position=made[link_id].position,
            to_goal_id=link.to_goal_id,
            to_key_result_id=link.to_key_result_id,
            to_outcome_metric_id=link.to_outcome_metric_id,
            link_type=link.link_type,
            weight=link.weight,
            hypothesis=link.hypothesis,
            expected_lag_days=link.expected_lag_days,
        )
        for link_id, link in goal.alignments.items()
    ]


def _check_ins(envelopes: Iterable[Envelope]) -> list[CheckInRow]:
    """The check-ins as last corrected, the latest observed first."""
    rows: dict[UUID, CheckInRow] = {}
    for envelope in envelopes:
        event = envelope.data
        if isinstance(event, Goal.ProgressCheckedIn | Goal.CheckInCorrected):
            before = rows.get(event.check_in_id)
            rows[event.check_in_id] = CheckInRow(
                check_in_id=event.check_in_id,
                organisation_id=envelope.organisation_id,
                goal_id=envelope.stream_id,
                key_result_id=event.key_result_id,
                position=before.position if before else envelope.position,
                value=event.value,
                observed_on=event.observed_on,
                confidence=event.confidence,
                narrative=event.narrative,
                blockers=event.blockers,
            )
    return sorted(rows.values(), key=lambda row: (row.observed_on, row.position), reverse=True)


async def _measured(
    services: Services, connection: Connection, who: Who, feed: UUID, at: Moment
) -> tuple[Any, date | None]:
    """The value measured last, as it was known."""
    ids = await _goals.measurements_of(connection, who.organisation_id, feed, at.as_of.astimezone(who.time_zone).date())
    streams = await services.log.streams(ids)
    found = []
    for stored in streams.values():
        known = [one for one in map(services.dispatch.codec.decode, stored) if at.sees(one)]
        if known:
            event: Any = known[-1].data
            found.append((event.summary.end, known[0].position, event.summary.value))
    if not found:
        return None, None
    ends_on, _, value = max(found)
    return value, ends_on


def _told(envelope: Envelope, who: Who) -> dict[str, Any]:
    data = _plain(msgspec.to_builtins(envelope.data, builtin_types=_AS_THEY_ARE))
    if envelope.actor.contributor_id != who.contributor_id:
        for name in _HIS_OWN:
            data.pop(name, None)
    return data  # type: ignore[no-any-return]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return None if value == _FORGOTTEN else {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def _instant(stated: str | None, who: Who, pointer: str) -> datetime:
    if stated is None:
        return clock.now()
    try:
        if len(stated) == len("2026-03-31"):
            return datetime.combine(date.fromisoformat(stated), time.max, who.time_zone)
        moment = datetime.fromisoformat(stated)
    except ValueError:
        raise Malformed(
            pointer=pointer, detail="a day such as 2026-03-31, or a time such as 2026-03-31T12:00:00Z"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _in_our_age(moment: datetime, pointer: str) -> datetime:
    """Refuse moments at the ends of what a calendar can say: no time zone can be told there."""
    if not EARLIEST <= moment.date() <= LATEST:
        raise Malformed(pointer=pointer, detail=f"days lie between {EARLIEST} and {LATEST}")
    return moment
