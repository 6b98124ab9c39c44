"""What is published when a week, a month or a quarter closes?

Figures about people are written here and nowhere else: whole, over the state up to the closing, never changed after.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from uuid import UUID

import asyncpg

from lms.domain.calendar import Calendar, PeriodKind, first_day, last_day
from lms.projections.base import Connection, Envelope
from lms.projections.bi.cells import Cell, merge_small
from lms.projections.bi.keys import date_key, dated, organisation_key
from lms.projections.bi.sight import publish_sight
from lms.projections.crowds import LEAST_CONTRIBUTORS

OTHER = "(other)"

_NAMED_TEAMS = 4
"""A unit is called by at most so many of its teams."""

_UNITS = """
    INSERT INTO dim_unit (unit_key, organisation_key, name, teams_n, valid_from, valid_to, is_current)
    SELECT u.unit_key, $1,
        coalesce(string_agg(t.name, ', ' ORDER BY t.name, t.team_id) FILTER (WHERE t.place <= $5), 'no team')
            || CASE WHEN count(t.team_id) > $5 THEN ' and ' || count(t.team_id) - $5 || ' more' ELSE '' END,
        0, $4, $3, true
    FROM graph_unit_v1 AS u LEFT JOIN LATERAL (
        SELECT g.team_id, g.name, row_number() OVER (PARTITION BY u.unit_key ORDER BY g.name, g.team_id) AS place
        FROM graph_unit_v1 AS mine JOIN graph_team_v1 AS g ON g.team_id = mine.node
        WHERE mine.unit_key = u.unit_key AND mine.quarter_ends_on = $3
    ) AS t ON true
    WHERE u.organisation_id = $2 AND u.quarter_ends_on = $3
        AND NOT EXISTS (SELECT FROM dim_unit AS d WHERE d.unit_key = u.unit_key)
        AND u.node = (SELECT min(n.node::text)::uuid FROM graph_unit_v1 AS n WHERE n.unit_key = u.unit_key)
    GROUP BY u.unit_key
"""

_UNIT_TEAMS = """
    INSERT INTO bridge_unit_team (organisation_key, unit_key, team_key)
    SELECT $1, u.unit_key, (SELECT max(d.team_key) FROM dim_team AS d WHERE d.team_id = u.node)
    FROM graph_unit_v1 AS u JOIN graph_team_v1 AS g ON g.team_id = u.node
    WHERE u.organisation_id = $2 AND u.quarter_ends_on = $3 AND NOT EXISTS (
        SELECT FROM bridge_unit_team AS b JOIN dim_team AS d USING (team_key)
        WHERE b.unit_key = u.unit_key AND d.team_id = u.node)
"""

_HEADCOUNT = """
    INSERT INTO fact_headcount (organisation_key, unit_key, month_date_key, members_n, suppressed)
    SELECT $1, u.unit_key, $4, CASE WHEN count(p.contributor_id) >= $5 THEN count(p.contributor_id) END,
        count(p.contributor_id) < $5
    FROM graph_unit_v1 AS u LEFT JOIN graph_person_v1 AS p
        ON p.organisation_id = $2 AND coalesce(p.home_team_id, $2) = u.node AND p.active AND p.kind = 'employee'
    WHERE u.organisation_id = $2 AND u.quarter_ends_on = $3 GROUP BY u.unit_key
"""

_LEARNED = """
    SELECT l.entry_id, l.learner, l.kind, l.competencies, l.goal_id, u.unit_key,
        (l.goal_id IS NOT NULL AND EXISTS (SELECT FROM towards AS w WHERE w.goal_id = l.goal_id)
         OR EXISTS (
            SELECT FROM graph_improvement_v1 AS i
            WHERE i.organisation_id = $1
                AND i.measure_ids && (SELECT coalesce(array_agg(measure_id), '{}') FROM believed)
                AND (i.goal_id = l.goal_id OR i.need_ids && l.need_ids OR (i.competencies && l.competencies AND EXISTS (
                    SELECT FROM graph_member_v1 AS m WHERE m.team_id = i.team_id AND m.contributor_id = l.learner)))
         )) AS has_path
    FROM graph_learning_v1 AS l
    JOIN graph_person_v1 AS p ON p.contributor_id = l.learner AND p.kind = 'employee'
    JOIN graph_unit_v1 AS u ON u.node = coalesce(p.home_team_id, $1) AND u.quarter_ends_on = $3
    WHERE l.organisation_id = $1 AND l.learned_on BETWEEN $2 AND $3
"""

_PATHS = """
    WITH RECURSIVE towards(goal_id) AS (
        SELECT goal_id FROM graph_goal_v1 WHERE organisation_id = $1 AND outcome_metric_id IS NOT NULL
        UNION SELECT goal_id FROM graph_alignment_v1 WHERE organisation_id = $1 AND to_outcome_metric_id IS NOT NULL
        UNION SELECT a.goal_id FROM towards JOIN graph_alignment_v1 AS a ON a.to_goal_id = towards.goal_id
    ), believed AS (
        SELECT measure_id FROM graph_outcome_link_v1 WHERE organisation_id = $1
    )
"""


async def publish_period(connection: Connection, envelope: Envelope, closed: Calendar.PeriodClosed) -> None:
    """Everything that this closing publishes, over the state as it is now."""
    organisation = await organisation_key(connection, envelope.organisation_id)
    quarter = last_day(PeriodKind.QUARTER, closed.ends_on)
    await dated(connection, organisation, [closed.ends_on])
    await _publish_units(connection, organisation, envelope.organisation_id, quarter)
    match closed.kind:
        case PeriodKind.WEEK:
            await publish_sight(connection, organisation, envelope, closed.ends_on, quarter)
        case PeriodKind.MONTH:
            await connection.execute(
                _HEADCOUNT,
                organisation,
                envelope.organisation_id,
                quarter,
                date_key(closed.ends_on),
                LEAST_CONTRIBUTORS,
            )
        case PeriodKind.QUARTER:
            await _publish_learning(connection, organisation, envelope.organisation_id, closed.ends_on)


async def _publish_units(connection: Connection, organisation: int, organisation_id: UUID, quarter: date) -> None:
    """The quarter's reporting units, once; and teams formed since."""
    start = first_day(PeriodKind.QUARTER, quarter)
    await connection.execute(_UNITS, organisation, organisation_id, quarter, start, _NAMED_TEAMS)
    await connection.execute(_UNIT_TEAMS, organisation, organisation_id, quarter)
    await connection.execute(
        """UPDATE dim_unit AS d SET is_current = (d.valid_to = $2),
               teams_n = (SELECT count(*) FROM bridge_unit_team AS b WHERE b.unit_key = d.unit_key)
           WHERE d.organisation_key = $1 AND (d.is_current OR d.valid_to = $2)""",
        organisation,
        quarter,
    )


async def _publish_learning(connection: Connection, organisation: int, organisation_id: UUID, ends_on: date) -> None:
    entries = await connection.fetch(
        _PATHS + _LEARNED, organisation_id, first_day(PeriodKind.QUARTER, ends_on), ends_on
    )
    by_unit: dict[int, list[asyncpg.Record]] = defaultdict(list)
    for entry in entries:
        by_unit[entry["unit_key"]].append(entry)
    at = date_key(ends_on)
    kinds = [
        (organisation, unit, cell.key or OTHER, at, *_figures(cell, 3))
        for unit, learned in sorted(by_unit.items())
        for cell in merge_small(_by_kind(learned))
    ]
    await connection.executemany("INSERT INTO fact_learning VALUES ($1, $2, $3, $4, $5, $8, $6, $7, $9)", kinds)
    keys = await _competency_keys(connection, {one for entry in entries for one in entry["competencies"]})
    competencies = [
        (organisation, unit, organisation if cell.key is None else cell.key, at, *_figures(cell, 2))
        for unit, learned in sorted(by_unit.items())
        for cell in merge_small(_by_competency(learned, keys))
    ]
    await connection.executemany(
        "INSERT INTO fact_learning_competency VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", competencies
    )


def _figures(cell: "Cell[str, UUID] | Cell[int, UUID]", sums_n: int) -> tuple[object, ...]:
    """Sums, people and the flag; nothing but the flag of a cell behind which too few people stand."""
    if not cell.is_publishable:
        return (*(None,) * (sums_n + 1), True)
    sums = [int(cell.sums[0]), *cell.sums[1:]] if sums_n == 2 else [int(one) for one in cell.sums]
    return (*sums, len(cell.people), False)


def _by_kind(entries: Iterable[asyncpg.Record]) -> list[Cell[str, UUID]]:
    """Entries, entries with a goal, entries with a path."""
    people: dict[str, set[UUID]] = defaultdict(set)
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for entry in entries:
        people[entry["kind"]].add(entry["learner"])
        counted = sums[entry["kind"]]
        counted[0] += 1
        counted[1] += entry["goal_id"] is not None
        counted[2] += entry["has_path"]
    return [Cell(kind, frozenset(people[kind]), tuple(map(float, sums[kind]))) for kind in sorted(people)]


def _by_competency(entries: Iterable[asyncpg.Record], keys: dict[UUID, int]) -> list[Cell[int, UUID]]:
    """Entries, and entries shared among the competencies they name."""
    people: dict[int, set[UUID]] = defaultdict(set)
    sums: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for entry in sorted(entries, key=lambda one: one["entry_id"]):
        named = {keys[one] for one in entry["competencies"] if one in keys}
        for key in named:
            people[key].add(entry["learner"])
            sums[key][0] += 1
            sums[key][1] += 1 / len(named)
    return [Cell(key, frozenset(people[key]), tuple(sums[key])) for key in sorted(people)]


async def _competency_keys(connection: Connection, competency_ids: Iterable[UUID]) -> dict[UUID, int]:
    found = await connection.fetch(
        "SELECT competency_id, competency_key FROM dim_competency WHERE is_current AND competency_id = ANY($1::uuid[])",
        sorted(competency_ids),
    )
    return {record["competency_id"]: record["competency_key"] for record in found}
