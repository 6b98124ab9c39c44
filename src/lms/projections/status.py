"""How far behind is each read model, measured from the log and the registry alone?

Nothing here asks the runner: one that hangs is seen because the log grows and its checkpoint does not.
"""

from enum import StrEnum

import msgspec

from lms.projections.base import Connection

STALLED_S = 15.0
"""Seconds without progress, with events waiting, after which a projection counts as stalled."""

_STATUS = """
    WITH head AS (SELECT coalesce(max(position), 0) AS position FROM lms.event WHERE lane = $1)
    SELECT p.name, p.version, p.slot, p.position, head.position AS head, p.paused,
        p.until > clock_timestamp() AS kept,
        extract(epoch FROM clock_timestamp() - p.moved_at)::float8 AS still_s,
        coalesce(extract(epoch FROM clock_timestamp() - (
            SELECT e.recorded_at FROM lms.event AS e WHERE e.lane = $1 AND e.position = p.position + 1
        )), 0)::float8 AS lag_s,
        (SELECT count(*) FROM lms.parked AS k WHERE (k.name, k.version, k.slot) = (p.name, p.version, p.slot)) AS parked
    FROM lms.projection AS p CROSS JOIN head
    ORDER BY p.name, p.version, p.slot
"""


class State(StrEnum):
    """What a build of a projection is doing."""

    CURRENT = "current"
    CATCHING_UP = "catching-up"
    BUILDING = "building"
    PAUSED = "paused"
    STALLED = "stalled"
    UNATTENDED = "unattended"


class ProjectionStatus(msgspec.Struct, frozen=True):
    """One build of one projection. ``lag_seconds``: how long the oldest event that is not in it has waited."""

    name: str
    version: int
    slot: str
    state: State
    position: int
    head: int
    lag_events: int
    lag_seconds: float
    parked: int
    reason: str | None = None


async def projection_status(connection: Connection, lane: int = 0) -> list[ProjectionStatus]:
    """Every build there is, in the order of their names."""
    found = []
    for record in await connection.fetch(_STATUS, lane):
        lag = max(0, record["head"] - record["position"])
        found.append(
            ProjectionStatus(
                name=record["name"],
                version=record["version"],
                slot=record["slot"],
                state=_state(
                    lag=lag,
                    lag_s=record["lag_s"],
                    still_s=record["still_s"],
                    kept=record["kept"],
                    paused=record["paused"] is not None,
                    building=record["slot"] == "next",
                ),
                position=record["position"],
                head=record["head"],
                lag_events=lag,
                lag_seconds=round(max(0.0, record["lag_s"]), 3),
                parked=record["parked"],
                reason=record["paused"],
            )
        )
    return found


def _state(*, lag: int, lag_s: float, still_s: float, kept: bool, paused: bool, building: bool) -> State:
    if paused:
        return State.PAUSED
    if lag and min(lag_s, still_s) > STALLED_S:
        return State.STALLED
    if building:
        return State.BUILDING
    if not kept and lag:
        return State.UNATTENDED
    return State.CATCHING_UP if lag else State.CURRENT
