"""Which learning may others know of without knowing whose it is?

When a period closes, the reporting units of its quarter are fixed; when a week closes, it is published where at least
five people of a unit learned what an improvement names, or one competency, and where others attested that of five of
the improvement's team at least. Private entries and attestations show to others in no other way.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from uuid import UUID

import msgspec

from lms.domain.calendar import Calendar, PeriodKind, last_day
from lms.projections.base import Connection
from lms.projections.chain import LEARNED_WITHIN_DAYS
from lms.projections.graph_rows import PEOPLE, TEAMS, UNITS, UnitRow
from lms.projections.sight_facts import belonged
from lms.projections.units import NEVER_UNDER, Node, reporting_units, unit_of

LEAST_CONTRIBUTORS = 5
"""People behind a published figure (domain.md, section 7)."""

UNITS_PER_CLOSE = 10_000
"""Room for the units that one closing fixes between the keys of two positions."""


async def publish(connection: Connection, organisation_id: UUID, closed: Calendar.PeriodClosed, position: int) -> None:
    """Fix the units when the quarter has none yet; at the end of a week, publish where crowds learned."""
    quarter = last_day(PeriodKind.QUARTER, closed.ends_on)
    await fix_units(connection, organisation_id, quarter, position, closed.min_group_size)
    if closed.kind is PeriodKind.WEEK:
        await _publish_crowds(connection, organisation_id, quarter)
        await _publish_units_learning(connection, organisation_id, quarter, closed.ends_on)


async def fix_units(
    connection: Connection, organisation_id: UUID, quarter: date, position: int, min_group_size: int
) -> None:
    """Give every team without a unit in this quarter one: all anew, or, for a team formed since, its ancestor's."""
    teams = await TEAMS.select(connection, "WHERE organisation_id = $1 ORDER BY team_id", organisation_id)
    parents = {team.team_id: team.parent_team_id for team in teams}
    fixed = await UNITS.select(
        connection, "WHERE organisation_id = $1 AND quarter_ends_on = $2", organisation_id, quarter
    )
    known = {one.unit_key: one for one in fixed}
    keys: dict[Node, int] = {None if one.node == organisation_id else one.node: one.unit_key for one in fixed}
    if not keys:
        least = max(min_group_size, NEVER_UNDER)
        first = await _free_key(connection, position)
        for new, unit in enumerate(reporting_units(parents, await _members(connection, organisation_id), least), first):
            known[new] = UnitRow(
                quarter_ends_on=quarter,
                node=organisation_id,
                organisation_id=organisation_id,
                unit_key=new,
                size=unit.size,
                least=least,
            )
            keys |= dict.fromkeys(unit.nodes, new)
        await UNITS.save(connection, _nodes(keys, known))
    young = {team: key for team in parents if team not in keys and (key := unit_of(team, keys, parents)) is not None}
    await UNITS.save(connection, _nodes(young, known))


def _nodes(keys: Mapping[Node, int] | Mapping[UUID, int], units: Mapping[int, UnitRow]) -> list[UnitRow]:
    """A row per node, with what is known of its unit."""
    return [msgspec.structs.replace(units[key], node=node or units[key].organisation_id) for node, key in keys.items()]


async def _free_key(connection: Connection, position: int) -> int:
    """The first key of a position that no unit has: one closing may fix the units of several quarters."""
    first = position * UNITS_PER_CLOSE
    taken = await connection.fetchval(
        f"SELECT max(unit_key) FROM {UNITS.name} WHERE unit_key >= $1 AND unit_key < $2", first, first + UNITS_PER_CLOSE
    )
    return first if taken is None else int(taken) + 1


async def _members(connection: Connection, organisation_id: UUID) -> dict[Node, int]:
    """Active employees by home team; None for those without one."""
    counted = await connection.fetch(
        f"""SELECT home_team_id, count(*)::int AS n FROM {PEOPLE.name}
            WHERE organisation_id = $1 AND active AND kind = 'employee' GROUP BY home_team_id""",
        organisation_id,
    )
    return {row["home_team_id"]: row["n"] for row in counted}


_CROWDS = f"""
    WITH named AS (
        SELECT i.improvement_id, unnest(i.competencies || i.need_ids || i.goal_id) AS start_id, u.unit_key, i.team_id,
               least(i.opened_on, i.used_on) AS begun, i.used_on,
               coalesce(i.used_on, i.opened_on) - $4::int AS since, coalesce(i.used_on, 'infinity') AS until
        FROM graph_improvement_v1 AS i
        JOIN graph_unit_v1 AS u ON u.node = i.team_id AND u.quarter_ends_on = $2 AND u.size >= u.least
        WHERE i.organisation_id = $1
    ), entries AS (
        SELECT l.learner, l.learned_on, u.unit_key, unnest(l.competencies || l.need_ids || l.goal_id) AS start_id
        FROM graph_learning_v1 AS l
        JOIN graph_person_v1 AS p ON p.contributor_id = l.learner AND p.kind = 'employee'
        JOIN graph_unit_v1 AS u ON u.node = coalesce(p.home_team_id, $1) AND u.quarter_ends_on = $2
        WHERE l.organisation_id = $1 AND l.learned_on >= (SELECT min(since) FROM named)
    ), learned AS (
        SELECT n.improvement_id, n.start_id, count(DISTINCT e.learner) AS people_n
        FROM named AS n JOIN entries AS e
            ON e.start_id = n.start_id AND e.unit_key = n.unit_key AND e.learned_on BETWEEN n.since AND n.until
        GROUP BY n.improvement_id, n.start_id
    ), attested AS (
        SELECT n.improvement_id, n.start_id FROM named AS n
        JOIN graph_attestation_v1 AS t
            ON t.competency_id = n.start_id AND t.attested_on >= n.since AND t.attested_on < n.until
        JOIN graph_stint_v1 AS m ON m.team_id = n.team_id AND m.contributor_id = t.person
            AND {belonged("m", "n.begun", "n.used_on")}
        GROUP BY n.improvement_id, n.start_id HAVING count(DISTINCT t.person) >= $3
    )
    INSERT INTO graph_crowd_v1 (improvement_id, start_id, organisation_id, enough, left_out, attested)
    SELECT improvement_id, start_id, $1, coalesce(l.people_n >= $3, false), coalesce(l.people_n < $3, false),
           a.improvement_id IS NOT NULL
    FROM learned AS l FULL JOIN attested AS a USING (improvement_id, start_id)
"""


async def _publish_crowds(connection: Connection, organisation_id: UUID, quarter: date) -> None:
    """Per improvement and what it names: whether enough people learned that, or were attested it, in time."""
    await connection.execute("DELETE FROM graph_crowd_v1 WHERE organisation_id = $1", organisation_id)
    await connection.execute(_CROWDS, organisation_id, quarter, LEAST_CONTRIBUTORS, LEARNED_WITHIN_DAYS)


async def _publish_units_learning(connection: Connection, organisation_id: UUID, quarter: date, ends_on: date) -> None:
    """Per unit and competency: whether enough people learned it in the year that ends with this day."""
    await connection.execute("DELETE FROM graph_unit_learning_v1 WHERE organisation_id = $1", organisation_id)
    await connection.execute(
        """
        INSERT INTO graph_unit_learning_v1 (unit_key, competency_id, organisation_id)
        SELECT u.unit_key, c.competency_id, $1
        FROM graph_learning_v1 AS l
        CROSS JOIN LATERAL unnest(l.competencies) AS c(competency_id)
        JOIN graph_person_v1 AS p ON p.contributor_id = l.learner AND p.kind = 'employee'
        JOIN graph_unit_v1 AS u ON u.node = coalesce(p.home_team_id, $1)
            AND u.quarter_ends_on = $2 AND u.size >= u.least
        WHERE l.organisation_id = $1 AND l.learned_on > $3 AND l.learned_on <= $4
        GROUP BY u.unit_key, c.competency_id HAVING count(DISTINCT l.learner) >= $5
        """,
        organisation_id,
        quarter,
        ends_on - timedelta(days=365),
        ends_on,
        LEAST_CONTRIBUTORS,
    )
