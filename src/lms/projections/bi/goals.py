"""How are the goals of teams and of the business model called, who owns them, and which stand above which?"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from uuid import UUID

import msgspec

from lms.domain.base import Personal
from lms.domain.goal import Goal
from lms.domain.goal_parts import AdjustedField, Level, LinkType, Status
from lms.domain.terms import Visibility
from lms.projections.base import Connection, Envelope, Projection, on
from lms.projections.bi.keys import insert, key_at, local_day, new_version, organisation_key
from lms.projections.graph_rows import ALIGNMENTS, AlignmentRow

SHOWN = frozenset({Visibility.ORGANISATION, Visibility.PUBLIC})


_OF_GOAL = "(SELECT goal_key FROM dim_goal WHERE goal_id = $1)"

_FORGET = (
    f"DELETE FROM fact_line_of_sight WHERE goal_key IN {_OF_GOAL}",
    f"DELETE FROM fact_checkin WHERE goal_key IN {_OF_GOAL}",
    f"DELETE FROM bridge_goal_ancestry WHERE ancestor_goal_key IN {_OF_GOAL} OR descendant_goal_key IN {_OF_GOAL}",
    f"UPDATE fact_improvement SET goal_key = NULL WHERE goal_key IN {_OF_GOAL}",
    "DELETE FROM fact_goal_lifecycle WHERE goal_id = $1",
    "DELETE FROM dim_goal WHERE goal_id = $1",
)
"""A goal that is hidden takes with it every row that points to it."""


class Goals(Projection):
    """``dim_goal``: never a person's own goal, and no goal that is not shown to the whole organisation.

    A goal that comes to be shown later begins with that day: what it was while it was hidden is not told.
    """

    NAME = "bi_goals"

    @on(Goal.Proposed)
    async def _proposed(self, connection: Connection, envelope: Envelope, event: Goal.Proposed) -> None:
        if event.level is Level.INDIVIDUAL:
            return
        at = envelope.position
        cycle = await connection.fetchval("SELECT cycle_key FROM dim_cycle WHERE cycle_id = $1", event.cycle_id)
        await insert(
            connection,
            "work_goal",
            goal_id=envelope.stream_id,
            organisation_key=await organisation_key(connection, envelope.organisation_id),
            level=event.level,
            title=_plain(event.title),
            team_key=await key_at(connection, "dim_team", event.owner.team_id, at),
            cycle_key=cycle,
            metric_key=await key_at(connection, "dim_outcome_metric", event.purpose.outcome_metric_id, at),
            process_key=await key_at(connection, "dim_process", event.purpose.process_id, at),
            status=Status.PROPOSED,
            visibility=event.visibility,
        )
        if event.visibility in SHOWN:
            await _show(connection, envelope)

    @on(Goal.Set, Goal.Achieved, Goal.NotAchieved, Goal.Abandoned)
    async def _status(
        self,
        connection: Connection,
        envelope: Envelope,
        event: Goal.Set | Goal.Achieved | Goal.NotAchieved | Goal.Abandoned,
    ) -> None:
        status = {
            Goal.Set.TOPIC: Status.ACTIVE,
            Goal.Achieved.TOPIC: Status.ACHIEVED,
            Goal.NotAchieved.TOPIC: Status.NOT_ACHIEVED,
            Goal.Abandoned.TOPIC: Status.ABANDONED,
        }[event.TOPIC]
        await connection.execute("UPDATE work_goal SET status = $2 WHERE goal_id = $1", envelope.stream_id, status)
        await new_version(connection, "dim_goal", envelope.stream_id, envelope.position, event.on, status=status)

    @on(Goal.Adjusted)
    async def _adjusted(self, connection: Connection, envelope: Envelope, event: Goal.Adjusted) -> None:
        if event.field is AdjustedField.TITLE:
            title = _plain(event.to.text)
            await connection.execute("UPDATE work_goal SET title = $2 WHERE goal_id = $1", envelope.stream_id, title)
            day = await local_day(connection, envelope)
            await new_version(connection, "dim_goal", envelope.stream_id, envelope.position, day, title=title)

    @on(Goal.VisibilityChanged)
    async def _shown(self, connection: Connection, envelope: Envelope, event: Goal.VisibilityChanged) -> None:
        before = await connection.fetchval(
            """UPDATE work_goal AS g SET visibility = $2 FROM work_goal AS b
               WHERE g.goal_id = $1 AND b.goal_id = $1 RETURNING b.visibility""",
            envelope.stream_id,
            event.visibility,
        )
        if before is None or (before in SHOWN) is (event.visibility in SHOWN):
            return
        if event.visibility in SHOWN:
            await _show(connection, envelope)
            return
        for forget in _FORGET:
            await connection.execute(forget, envelope.stream_id)


async def _show(connection: Connection, envelope: Envelope) -> None:
    """Begin the goal's first version, as the goal is now."""
    await connection.execute(
        """INSERT INTO dim_goal (goal_key, organisation_key, goal_id, level, title, team_key, cycle_key, metric_key,
               process_key, status, valid_from, is_current)
           SELECT $2, organisation_key, goal_id, level, title, team_key, cycle_key, metric_key, process_key, status,
               $3, true
           FROM work_goal WHERE goal_id = $1""",
        envelope.stream_id,
        envelope.position,
        await local_day(connection, envelope),
    )


def _plain(title: Personal | None) -> str | None:
    """The title where it is not sealed: goals of teams and the business model carry theirs plain."""
    return title if isinstance(title, str) else None


class Above(msgspec.Struct, frozen=True):
    """How a goal stands below another: links on the shortest way, and the weight of all ways together."""

    depth: int
    weight: Decimal


class Ancestry(Projection):
    """``bridge_goal_ancestry`` as it is after the last of some events."""

    NAME = "bi_ancestry"

    @classmethod
    def topics(cls) -> frozenset[str]:
        """Everything that begins a version of a goal or changes a link."""
        return Goals.topics() | {Goal.Aligned.TOPIC, Goal.Unaligned.TOPIC}

    async def apply(self, connection: Connection, envelopes: Sequence[Envelope]) -> None:
        """Anew for the goals in these events and for all below them."""
        for organisation_id in dict.fromkeys(envelope.organisation_id for envelope in envelopes):
            changed = {envelope.stream_id for envelope in envelopes if envelope.organisation_id == organisation_id}
            await _bridge(connection, organisation_id, changed)


async def _bridge(connection: Connection, organisation_id: UUID, changed: Iterable[UUID]) -> None:
    below = await _reached(connection, changed, "to_goal_id", "goal_id")
    above = await _reached(connection, below, "goal_id", "to_goal_id")
    current = await connection.fetch(
        "SELECT goal_id, goal_key FROM dim_goal WHERE is_current AND goal_id = ANY($1::uuid[])",
        sorted({*above, *below}),
    )
    keys: dict[UUID, int] = {record["goal_id"]: record["goal_key"] for record in current}
    links = [
        link
        for link in await ALIGNMENTS.select(connection, "WHERE goal_id = ANY($1) ORDER BY link_id", sorted(above))
        if link.to_goal_id in keys and link.goal_id in keys
    ]
    await connection.execute(
        """DELETE FROM bridge_goal_ancestry WHERE descendant_goal_key IN (
               SELECT goal_key FROM dim_goal WHERE goal_id = ANY($1::uuid[]))""",
        sorted(below),
    )
    rows = [row for goal in sorted(below) if goal in keys for row in _rows(goal, keys, links)]
    if rows:
        await connection.execute(
            """INSERT INTO bridge_goal_ancestry
               SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::int[], $6::float8[])""",
            await organisation_key(connection, organisation_id),
            *(list(column) for column in zip(*rows, strict=True)),
        )


async def _reached(connection: Connection, start: Iterable[UUID], here: str, there: str) -> set[UUID]:
    """The goals that ``contributes-to`` links join with these, and these themselves."""
    found = await connection.fetch(
        f"""WITH RECURSIVE reached(goal_id) AS (
                SELECT unnest($1::uuid[])
                UNION SELECT a.{there} FROM reached AS r JOIN graph_alignment_v1 AS a ON a.{here} = r.goal_id
                      WHERE a.link_type = 'contributes-to' AND a.{there} IS NOT NULL)
            SELECT goal_id FROM reached""",
        sorted(set(start)),
    )
    return {record["goal_id"] for record in found}


def _rows(
    goal: UUID, keys: Mapping[UUID, int], links: Sequence[AlignmentRow]
) -> list[tuple[int, int, str, int, float]]:
    """The bridge's rows of one goal: ancestor, descendant, type, depth, weight."""
    own = [link for link in links if link.goal_id == goal and link.link_type is not LinkType.CONTRIBUTES_TO]
    single = {
        (keys[link.to_goal_id], keys[goal], link.link_type.value, 1, float(1 if link.weight is None else link.weight))
        for link in own
        if link.to_goal_id is not None
    }
    contributing = [
        (keys[ancestor], keys[goal], LinkType.CONTRIBUTES_TO.value, one.depth, float(one.weight))
        for ancestor, one in ancestors(goal, links).items()
    ]
    return [*contributing, *sorted({row[:3]: row for row in sorted(single)}.values())]


def ancestors(goal: UUID, links: Iterable[AlignmentRow]) -> dict[UUID, Above]:
    """The goals above a goal over ``contributes-to`` links, itself included at depth 0 with weight 1.

    The weight is the sum over all ways of the product of their links' weights; links of a goal that say none share
    equally what the others leave of 1. The links must be free of rings (invariant 6).
    """
    upward: dict[UUID, list[AlignmentRow]] = {}
    for link in links:
        if link.link_type is LinkType.CONTRIBUTES_TO:
            upward.setdefault(link.goal_id, []).append(link)
    found: dict[UUID, dict[UUID, Above]] = {}

    def above(here: UUID) -> dict[UUID, Above]:
        if here not in found:
            reached = {here: Above(0, Decimal(1))}
            for to, weight in _shares(upward.get(here, ())):
                for ancestor, one in above(to).items():
                    before = reached.get(ancestor)
                    reached[ancestor] = Above(
                        one.depth + 1 if before is None else min(before.depth, one.depth + 1),
                        weight * one.weight + (before.weight if before else 0),
                    )
            found[here] = reached
        return found[here]

    return above(goal)


def _shares(links: Sequence[AlignmentRow]) -> list[tuple[UUID, Decimal]]:
    left = max(Decimal(0), 1 - sum((link.weight for link in links if link.weight is not None), Decimal(0)))
    missing = sum(1 for link in links if link.weight is None)
    return [
        (link.to_goal_id, left / missing if link.weight is None else link.weight)
        for link in links
        if link.to_goal_id is not None
    ]
