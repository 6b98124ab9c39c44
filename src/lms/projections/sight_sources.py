"""Where do the chains of a question begin, in an order that can be paged?

Chains come from four kinds of source, one after the other: improvements, goals that were learned for, learning that no
improvement takes up, outcomes that no improvement reaches. Each source is read by index, after the last one shown.
"""

from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from lms.projections import graph_rows as rows
from lms.projections.sight_facts import BELIEVED, SHOWN_GOAL, SHOWN_LEARNING, Asker, belonged
from lms.projections.table import Connection

FIRST = UUID(int=0)
"""Before every id."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """From a competency or a goal, to an outcome metric, by certain teams: each narrows, none is needed."""

    competency_id: UUID | None = None
    goal_id: UUID | None = None
    outcome_metric_id: UUID | None = None
    teams: frozenset[UUID] | None = None


class Loose(msgspec.Struct, frozen=True, kw_only=True):
    """Learning that no improvement takes up: by a team, or (None) by a crowd somewhere in a reporting unit."""

    competency_id: UUID
    place: UUID
    team_id: UUID | None
    entries_n: int
    team_entries_n: int
    last_on: date | None


_LEARNED_GOALS = f"""
    WITH RECURSIVE towards(goal_id) AS (
        SELECT goal_id FROM graph_goal_v1 WHERE organisation_id = $1 AND outcome_metric_id = $5
        UNION SELECT goal_id FROM graph_alignment_v1 WHERE organisation_id = $1 AND to_outcome_metric_id = $5
        UNION SELECT a.goal_id FROM towards JOIN graph_alignment_v1 AS a ON a.to_goal_id = towards.goal_id)
    SELECT g.goal_id FROM graph_goal_v1 AS g
    WHERE g.organisation_id = $1 AND g.goal_id > $4 AND {SHOWN_GOAL}
        AND ($5::uuid IS NULL OR g.goal_id IN (SELECT goal_id FROM towards))
        AND ($6::uuid[] IS NULL OR g.owner_team_id = ANY($6::uuid[]))
        AND (EXISTS (SELECT FROM graph_team_learning_v1 AS t WHERE t.goal_id = g.goal_id)
             OR EXISTS (SELECT FROM graph_learning_v1 AS l
                        JOIN graph_person_v1 AS p ON p.contributor_id = l.learner
                        WHERE l.goal_id = g.goal_id AND {SHOWN_LEARNING}))
    ORDER BY g.goal_id LIMIT $7
"""

_LOOSE = f"""
    WITH learned AS (
        SELECT c.competency_id, m.team_id, l.learned_on, l.entry_id, false AS is_team
        FROM graph_learning_v1 AS l
        CROSS JOIN LATERAL unnest(l.competencies) AS c(competency_id)
        JOIN graph_person_v1 AS p ON p.contributor_id = l.learner
        LEFT JOIN graph_stint_v1 AS m ON m.contributor_id = l.learner
            AND {belonged("m", "l.learned_on", "l.learned_on")}
        WHERE l.organisation_id = $1 AND ($6::uuid IS NULL OR l.competencies @> ARRAY[$6]) AND {SHOWN_LEARNING}
        UNION ALL
        SELECT c.competency_id, t.team_id, t.learned_on, t.team_learning_id, true
        FROM graph_team_learning_v1 AS t
        CROSS JOIN LATERAL unnest(t.competencies) AS c(competency_id)
        WHERE t.organisation_id = $1
    ), taken_up AS (
        SELECT l.competency_id, l.entry_id FROM learned AS l JOIN graph_improvement_v1 AS i
            ON i.team_id = l.team_id AND i.competencies @> ARRAY[l.competency_id]
    ), places AS (
        SELECT l.competency_id, coalesce(l.team_id, $1) AS place, l.team_id,
               count(DISTINCT l.entry_id)::int AS entries_n,
               count(DISTINCT l.entry_id) FILTER (WHERE l.is_team)::int AS team_entries_n,
               max(l.learned_on) AS last_on
        FROM learned AS l WHERE NOT EXISTS (
            SELECT FROM taken_up AS t WHERE (t.competency_id, t.entry_id) = (l.competency_id, l.entry_id))
        GROUP BY l.competency_id, l.team_id
        UNION ALL
        SELECT ul.competency_id, $1, NULL, 0, 0, NULL FROM graph_unit_learning_v1 AS ul
        WHERE ul.organisation_id = $1 AND NOT EXISTS (
            SELECT FROM graph_unit_v1 AS u JOIN graph_improvement_v1 AS i ON i.team_id = u.node
            WHERE u.unit_key = ul.unit_key AND i.competencies @> ARRAY[ul.competency_id])
            AND ($7::uuid[] IS NULL OR EXISTS (
                SELECT FROM graph_unit_v1 AS u WHERE u.unit_key = ul.unit_key AND u.node = ANY($7::uuid[])))
    )
    SELECT competency_id, place, max(team_id::text)::uuid AS team_id, max(entries_n) AS entries_n,
           max(team_entries_n) AS team_entries_n, max(last_on) AS last_on FROM places
    WHERE (competency_id, place) > ($4, $5) AND ($6::uuid IS NULL OR competency_id = $6)
        AND ($7::uuid[] IS NULL OR team_id IS NULL OR team_id = ANY($7::uuid[]))
    GROUP BY competency_id, place ORDER BY competency_id, place LIMIT $8
"""

_UNREACHED = f"""
    WITH RECURSIVE up(goal_id) AS (
        SELECT g.goal_id FROM graph_goal_v1 AS g WHERE g.organisation_id = $1 AND {SHOWN_GOAL}
            AND (EXISTS (SELECT FROM graph_team_learning_v1 AS t WHERE t.goal_id = g.goal_id)
                 OR EXISTS (SELECT FROM graph_learning_v1 AS l
                            JOIN graph_person_v1 AS p ON p.contributor_id = l.learner
                            WHERE l.goal_id = g.goal_id AND {SHOWN_LEARNING}))
        UNION SELECT a.to_goal_id FROM up JOIN graph_alignment_v1 AS a ON a.goal_id = up.goal_id
              JOIN graph_goal_v1 AS g ON g.goal_id = a.to_goal_id AND {SHOWN_GOAL}
    ), planned AS (
        SELECT g.outcome_metric_id FROM up JOIN graph_goal_v1 AS g USING (goal_id)
        UNION SELECT a.to_outcome_metric_id FROM up JOIN graph_alignment_v1 AS a USING (goal_id)
    ), believed AS ({BELIEVED})
    SELECT k.* FROM graph_metric_v1 AS k
    WHERE k.organisation_id = $1 AND k.outcome_metric_id > $4
        AND ($5::uuid IS NULL OR k.outcome_metric_id = $5)
        AND NOT EXISTS (SELECT FROM planned AS p WHERE p.outcome_metric_id = k.outcome_metric_id)
        AND NOT EXISTS (SELECT FROM believed AS b JOIN graph_improvement_v1 AS i
                            ON i.measure_ids @> ARRAY[b.measure_id]
                        WHERE b.outcome_metric_id = k.outcome_metric_id)
        AND ($6::uuid[] IS NULL OR EXISTS (
            SELECT FROM believed AS b JOIN graph_measure_v1 AS m USING (measure_id)
            JOIN graph_process_v1 AS o ON o.process_id = m.process_id
            WHERE b.outcome_metric_id = k.outcome_metric_id AND o.owner_team_id = ANY($6::uuid[])))
    ORDER BY k.outcome_metric_id LIMIT $7
"""


async def teams_below(connection: Connection, organisation_id: UUID, teams: Collection[UUID]) -> frozenset[UUID]:
    """The teams with all teams under them."""
    found = await connection.fetch(
        """WITH RECURSIVE below(team_id) AS (
               SELECT team_id FROM graph_team_v1 WHERE organisation_id = $1 AND team_id = ANY($2::uuid[])
               UNION SELECT t.team_id FROM below JOIN graph_team_v1 AS t
                     ON t.organisation_id = $1 AND t.parent_team_id = below.team_id)
           SELECT team_id FROM below""",
        organisation_id,
        sorted(teams),
    )
    return frozenset(record["team_id"] for record in found)


async def measures_towards(connection: Connection, organisation_id: UUID, outcome_metric_id: UUID) -> list[UUID]:
    """The measures that should move a metric, by a link of their process or by a goal with that process."""
    found = await connection.fetch(
        """SELECT measure_id FROM graph_outcome_link_v1 WHERE organisation_id = $1 AND outcome_metric_id = $2
           UNION
           SELECT m.measure_id FROM graph_goal_v1 AS g JOIN graph_measure_v1 AS m ON m.process_id = g.process_id
           WHERE g.organisation_id = $1 AND g.outcome_metric_id = $2
           UNION
           SELECT m.measure_id FROM graph_alignment_v1 AS a JOIN graph_goal_v1 AS g ON g.goal_id = a.goal_id
           JOIN graph_measure_v1 AS m ON m.process_id = g.process_id
           WHERE a.organisation_id = $1 AND a.to_outcome_metric_id = $2
           ORDER BY measure_id""",
        organisation_id,
        outcome_metric_id,
    )
    return [record["measure_id"] for record in found]


async def improvements(
    connection: Connection, asker: Asker, question: Question, after: UUID, limit: int
) -> list[rows.ImprovementRow]:
    """The next improvements over which chains of the question run."""
    wheres, arguments = ["organisation_id = $1", "improvement_id > $2"], [asker.organisation_id, after]

    def narrow(condition: str, value: Any) -> None:
        arguments.append(value)
        wheres.append(condition.format(f"${len(arguments)}"))

    if question.competency_id is not None:
        narrow("competencies @> ARRAY[{}::uuid]", question.competency_id)
    if question.goal_id is not None:
        narrow("goal_id = {}", question.goal_id)
    if question.outcome_metric_id is not None:
        measures = await measures_towards(connection, asker.organisation_id, question.outcome_metric_id)
        narrow("measure_ids && {}::uuid[]", measures)
    if question.teams is not None:
        narrow("team_id = ANY({}::uuid[])", sorted(question.teams))
    rest = f"WHERE {' AND '.join(wheres)} ORDER BY improvement_id LIMIT {limit}"
    return await rows.IMPROVEMENTS.select(connection, rest, *arguments)


async def learned_goals(
    connection: Connection, asker: Asker, question: Question, after: UUID, limit: int
) -> list[UUID]:
    """The next goals that learning shown to the asker is for; or the goal that is asked about."""
    if question.competency_id is not None:
        return []
    if question.goal_id is not None:
        return [question.goal_id] if question.goal_id > after else []
    found = await connection.fetch(
        _LEARNED_GOALS,
        *asker.arguments,
        after,
        question.outcome_metric_id,
        None if question.teams is None else sorted(question.teams),
        limit,
    )
    return [record["goal_id"] for record in found]


async def loose_learning(
    connection: Connection, asker: Asker, question: Question, after: tuple[UUID, UUID], limit: int
) -> list[Loose]:
    """The next learning, by competency and team, that no improvement of the team takes up."""
    if question.goal_id is not None or question.outcome_metric_id is not None:
        return []
    found = await connection.fetch(
        _LOOSE,
        *asker.arguments,
        *after,
        question.competency_id,
        None if question.teams is None else sorted(question.teams),
        limit,
    )
    return [_loose(record) for record in found]


def _loose(record: asyncpg.Record) -> Loose:
    return Loose(**dict(record.items()))


async def unreached_metrics(
    connection: Connection, asker: Asker, question: Question, after: UUID, limit: int
) -> list[rows.MetricRow]:
    """The next outcome metrics that neither an improvement nor a plan with learning reaches."""
    if question.competency_id is not None or question.goal_id is not None:
        return []
    found = await connection.fetch(
        _UNREACHED,
        *asker.arguments,
        after,
        question.outcome_metric_id,
        None if question.teams is None else sorted(question.teams),
        limit,
    )
    return [rows.METRICS.row(record) for record in found]
