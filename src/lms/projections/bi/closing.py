"""What is published when a week, a month or a quarter closes?

Figures about people are written here and nowhere else: whole, over the state up to the closing. Then they stay, but for
revisions of learning that are about five people at least.
"""

from datetime import date, timedelta
from uuid import UUID

from lms.domain.calendar import Calendar, PeriodKind, first_day, last_day
from lms.projections.base import Connection, Envelope
from lms.projections.bi.keys import date_key, dated, organisation_key
from lms.projections.bi.learning import publish_learning, revise_learning
from lms.projections.bi.sight import publish_sight
from lms.projections.crowds import fix_units

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
        WHERE mine.unit_key = u.unit_key AND mine.quarter_ends_on = $3 AND NOT g.disbanded
    ) AS t ON true
    WHERE u.organisation_id = $2 AND u.quarter_ends_on = $3
        AND NOT EXISTS (SELECT FROM dim_unit AS d WHERE d.unit_key = u.unit_key)
        AND u.node = (SELECT min(n.node::text)::uuid FROM graph_unit_v1 AS n WHERE n.unit_key = u.unit_key)
    GROUP BY u.unit_key
"""

_UNIT_TEAMS = """
    INSERT INTO bridge_unit_team (organisation_key, unit_key, team_key)
    SELECT $1, u.unit_key, (SELECT max(d.team_key) FROM dim_team AS d WHERE d.team_id = u.node)
    FROM graph_unit_v1 AS u JOIN graph_team_v1 AS g ON g.team_id = u.node AND NOT g.disbanded
    WHERE u.organisation_id = $2 AND u.quarter_ends_on = $3 AND NOT EXISTS (
        SELECT FROM bridge_unit_team AS b JOIN dim_team AS d USING (team_key)
        WHERE b.unit_key = u.unit_key AND d.team_id = u.node)
"""

_HEADCOUNT = """
    WITH counted AS (
        SELECT u.unit_key, count(p.contributor_id) AS n, min(u.least) AS least
        FROM graph_unit_v1 AS u LEFT JOIN graph_person_v1 AS p
            ON p.organisation_id = $2 AND coalesce(p.home_team_id, $2) = u.node AND p.active AND p.kind = 'employee'
        WHERE u.organisation_id = $2 AND u.quarter_ends_on = $3 GROUP BY u.unit_key
    )
    INSERT INTO fact_headcount (organisation_key, unit_key, month_date_key, members_n, suppressed)
    SELECT $1, unit_key, $4, CASE WHEN n >= least THEN n END, n < least FROM counted
"""


_PAST_DAYS = 3653
"""Learning up to ten years back is counted when it is brought in."""

_PAST_QUARTERS = """
    SELECT DISTINCT (date_trunc('quarter', l.learned_on) + interval '3 months - 1 day')::date AS quarter_ends_on
    FROM graph_learning_v1 AS l
    WHERE l.organisation_id = $1 AND l.learned_on BETWEEN $2 AND $3
        AND date_trunc('quarter', l.learned_on) + interval '3 months' <= $3::date
        AND NOT EXISTS (SELECT FROM work_quarter AS q WHERE q.organisation_id = $1
                        AND l.learned_on BETWEEN q.starts_on AND q.quarter_ends_on)
    ORDER BY quarter_ends_on
"""


async def publish_period(connection: Connection, envelope: Envelope, closed: Calendar.PeriodClosed) -> None:
    """Everything that this closing publishes, over the state as it is now."""
    organisation = await organisation_key(connection, envelope.organisation_id)
    quarter = last_day(PeriodKind.QUARTER, closed.ends_on)
    await dated(connection, organisation, [closed.ends_on])
    await _publish_units(connection, organisation, envelope.organisation_id, quarter)
    match closed.kind:
        case PeriodKind.WEEK:
            await _publish_past(connection, organisation, envelope, closed)
            await _publish_units(connection, organisation, envelope.organisation_id, quarter)
            await publish_sight(connection, organisation, envelope, closed.ends_on, quarter)
            await revise_learning(connection, organisation, envelope.organisation_id)
        case PeriodKind.MONTH:
            await connection.execute(
                _HEADCOUNT, organisation, envelope.organisation_id, quarter, date_key(closed.ends_on)
            )
        case PeriodKind.QUARTER if not await _is_counted(connection, envelope.organisation_id, closed.ends_on):
            await publish_learning(connection, organisation, envelope.organisation_id, closed.ends_on)
        case PeriodKind.QUARTER:
            pass  # a week that was closed before it, out of turn, has brought its learning in


async def _is_counted(connection: Connection, organisation_id: UUID, ends_on: date) -> bool:
    return bool(
        await connection.fetchval(
            "SELECT EXISTS (SELECT FROM work_quarter WHERE organisation_id = $1 AND quarter_ends_on = $2)",
            organisation_id,
            ends_on,
        )
    )


async def _publish_past(
    connection: Connection, organisation: int, envelope: Envelope, closed: Calendar.PeriodClosed
) -> None:
    """Count the learning of quarters that were over before any was closed here: what was brought in from elsewhere.

    Nobody knows how the teams were then: people count in the units of today. Late entries come as revisions.
    """
    organisation_id = envelope.organisation_id
    since = closed.ends_on - timedelta(days=_PAST_DAYS)
    for found in await connection.fetch(_PAST_QUARTERS, organisation_id, since, closed.ends_on):
        past: date = found["quarter_ends_on"]
        await fix_units(connection, organisation_id, past, envelope.position, closed.min_group_size)
        await dated(connection, organisation, [past])
        await _publish_units(connection, organisation, organisation_id, past)
        await publish_learning(connection, organisation, organisation_id, past)


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
