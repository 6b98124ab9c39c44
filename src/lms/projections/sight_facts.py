"""Which facts does a question about the line of sight need, and which of them may the asker see?

Every statement here starts with the asker: $1 organisation, $2 contributor (null: nobody in particular), $3 teams
(null: what may be published).
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import msgspec

from lms.projections import graph_rows as rows
from lms.projections.chain import learning_window
from lms.projections.chain_parts import Facts, Learned
from lms.projections.goal_sight import shown_to_a_team
from lms.projections.table import Connection

T = TypeVar("T")
K = TypeVar("K")

WEEK_DAYS = 7
"""The cadence where no goal cycle says otherwise."""


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and when. Without a contributor: what the whole organisation may see.

    ``teams`` None: what may be published, which is no single person's learning, even where he shows it.
    """

    organisation_id: UUID
    asked_on: date
    contributor_id: UUID | None = None
    teams: frozenset[UUID] | None = frozenset()

    @property
    def arguments(self) -> tuple[UUID, UUID | None, list[UUID] | None]:
        """$1 to $3 of every statement."""
        return self.organisation_id, self.contributor_id, None if self.teams is None else sorted(self.teams)


SHOWN_LEARNING = """(l.learner = $2 OR (l.visibility IN ('organisation', 'public') AND $3::uuid[] IS NOT NULL)
    OR (l.visibility = 'team' AND p.home_team_id = ANY($3::uuid[])))"""
"""Of ``graph_learning_v1 AS l`` and the learner ``graph_person_v1 AS p``: own entries and those shown to the asker."""

SHOWN_GOAL = f"""(g.owner_contributor_id = $2 OR g.visibility IN ('organisation', 'public')
    OR {shown_to_a_team("g", "$3")})"""
"""Of ``graph_goal_v1 AS g``: own goals, and those shown to the asker."""


def belonged(stint: str, first: str, last: str) -> str:
    """The SQL condition that a stint in a team touches the days from ``first`` to ``last`` (null: no end).

    Where somebody was before it is first told where he is, nobody knows: his first stint reaches back.
    """
    return f"""(coalesce({stint}.until, 'infinity') >= {first} AND ({stint}.since <= coalesce({last}, 'infinity')
        OR NOT EXISTS (SELECT FROM graph_stint_v1 AS e
                       WHERE e.contributor_id = {stint}.contributor_id AND e.since < {stint}.since)))"""


_LEARNED = f"""
    WITH asked AS (
        SELECT * FROM unnest($4::uuid[], $5::uuid[], $6::uuid[], $7::date[], $8::date[], $9::date[], $10::bool[])
            AS a(improvement_id, start_id, team_id, begun, since, until, is_competency)
    ), seen AS (
        SELECT a.improvement_id, a.start_id, l.learned_on, l.entry_id, false AS is_team FROM asked AS a
        JOIN graph_learning_v1 AS l ON l.organisation_id = $1 AND l.competencies @> ARRAY[a.start_id]
        JOIN graph_stint_v1 AS m ON m.team_id = a.team_id AND m.contributor_id = l.learner
            AND {belonged("m", "a.begun", "a.until")}
        JOIN graph_person_v1 AS p ON p.contributor_id = l.learner
        WHERE a.is_competency AND l.learned_on >= a.since AND (a.until IS NULL OR l.learned_on <= a.until)
            AND {SHOWN_LEARNING}
        UNION ALL
        SELECT a.improvement_id, a.start_id, l.learned_on, l.entry_id, false FROM asked AS a
        JOIN graph_learning_v1 AS l ON l.organisation_id = $1
            AND (l.goal_id = a.start_id OR l.need_ids @> ARRAY[a.start_id])
        JOIN graph_person_v1 AS p ON p.contributor_id = l.learner
        WHERE NOT a.is_competency AND l.learned_on >= a.since AND (a.until IS NULL OR l.learned_on <= a.until)
            AND {SHOWN_LEARNING}
        UNION ALL
        SELECT a.improvement_id, a.start_id, t.learned_on, t.team_learning_id, true FROM asked AS a
        JOIN graph_team_learning_v1 AS t ON t.organisation_id = $1
            AND ((t.team_id = a.team_id AND t.competencies @> ARRAY[a.start_id]) OR t.goal_id = a.start_id)
        WHERE t.learned_on >= a.since AND (a.until IS NULL OR t.learned_on <= a.until)
    )
    SELECT improvement_id, start_id, count(DISTINCT entry_id)::int AS n,
        count(DISTINCT entry_id) FILTER (WHERE is_team)::int AS team_n,
        min(learned_on) AS first_on, max(learned_on) AS last_on
    FROM seen GROUP BY improvement_id, start_id
"""

_ATTESTED = f"""
    SELECT DISTINCT a.improvement_id, a.start_id
    FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::date[], $6::date[], $7::date[])
        AS a(improvement_id, start_id, team_id, begun, since, until)
    JOIN graph_attestation_v1 AS t ON t.person = $1 AND t.competency_id = a.start_id
        AND t.attested_on >= a.since AND (a.until IS NULL OR t.attested_on < a.until)
    JOIN graph_stint_v1 AS m ON m.team_id = a.team_id AND m.contributor_id = t.person
        AND {belonged("m", "a.begun", "a.until")}
"""
"""What others attested of the asker himself; of other people only crowds are told of."""

BELIEVED = """
    SELECT measure_id, outcome_metric_id FROM graph_outcome_link_v1 WHERE organisation_id = $1
    UNION SELECT m.measure_id, t.outcome_metric_id
    FROM graph_goal_v1 AS g JOIN graph_measure_v1 AS m ON m.process_id = g.process_id
    CROSS JOIN LATERAL (
        SELECT g.outcome_metric_id
        UNION SELECT a.to_outcome_metric_id FROM graph_alignment_v1 AS a WHERE a.goal_id = g.goal_id
    ) AS t(outcome_metric_id)
    WHERE g.organisation_id = $1 AND t.outcome_metric_id IS NOT NULL
        AND g.status <> 'abandoned' AND g.visibility IN ('organisation', 'public')
"""
"""Which measure of $1 is believed to move which metric: by a link of its process, or by a goal with that process."""

_OUTCOME_LINKS = """
    SELECT link_id, organisation_id, measure_id, outcome_metric_id, expected_lag_days
    FROM graph_outcome_link_v1 WHERE measure_id = ANY($1)
    UNION ALL
    SELECT a.link_id, a.organisation_id, m.measure_id, a.to_outcome_metric_id, a.expected_lag_days
    FROM graph_measure_v1 AS m JOIN graph_goal_v1 AS g ON g.process_id = m.process_id
    JOIN graph_alignment_v1 AS a ON a.goal_id = g.goal_id AND a.to_outcome_metric_id IS NOT NULL
    WHERE m.measure_id = ANY($1) AND g.status <> 'abandoned' AND g.visibility IN ('organisation', 'public')
    UNION ALL
    SELECT g.goal_id, g.organisation_id, m.measure_id, g.outcome_metric_id, NULL
    FROM graph_measure_v1 AS m JOIN graph_goal_v1 AS g ON g.process_id = m.process_id
    WHERE m.measure_id = ANY($1) AND g.outcome_metric_id IS NOT NULL
        AND g.status <> 'abandoned' AND g.visibility IN ('organisation', 'public')
"""

_GOALS_UP = f"""
    WITH RECURSIVE up(goal_id) AS (
        SELECT g.goal_id FROM graph_goal_v1 AS g
        WHERE g.organisation_id = $1 AND g.goal_id = ANY($4::uuid[]) AND {SHOWN_GOAL}
        UNION
        SELECT g.goal_id FROM up JOIN graph_alignment_v1 AS a ON a.goal_id = up.goal_id
        JOIN graph_goal_v1 AS g ON g.goal_id = a.to_goal_id AND {SHOWN_GOAL}
    )
    SELECT g.* FROM up JOIN graph_goal_v1 AS g USING (goal_id) ORDER BY g.goal_id
"""


async def facts_of_improvements(
    connection: Connection, asker: Asker, improvements: Sequence[rows.ImprovementRow], cadence_days: int
) -> Facts:
    """The facts for every chain over these improvements."""
    measures = {
        row.measure_id: row
        for row in await _among(connection, rows.MEASURES, {one for i in improvements for one in i.measure_ids})
    }
    links = await outcome_links(connection, measures)
    metrics = await _among(connection, rows.METRICS, {one.outcome_metric_id for one in links})
    competencies = {one for i in improvements for one in i.competencies}
    goals = await shown_goals(connection, asker, {i.goal_id for i in improvements if i.goal_id})
    causes = competencies | {i.improvement_id for i in improvements}
    contributions = await rows.CONTRIBUTIONS.select(
        connection, "WHERE cause_id = ANY($1) ORDER BY contribution_id", sorted(causes)
    )
    known = {metric.outcome_metric_id: metric for metric in metrics}
    return Facts(
        asked_on=asker.asked_on,
        cadence_days=cadence_days,
        labels=await labels(connection, asker.organisation_id, competencies),
        goals={goal.goal_id: goal for goal in goals},
        measures=measures,
        outcome_links=grouped((one for one in links if one.outcome_metric_id in known), lambda one: one.measure_id),
        support=await support(connection, {one.link_id for one in links}),
        metrics=known,
        contributions=grouped(contributions, lambda one: one.cause_id),
        learned=await _learned(connection, asker, improvements),
    )


async def facts_of_goals(connection: Connection, asker: Asker, goal_ids: Collection[UUID], cadence_days: int) -> Facts:
    """The facts for the plans that start at these goals: what the asker sees of them and above, and their learning."""
    found = await connection.fetch(_GOALS_UP, *asker.arguments, sorted(goal_ids))
    goals = {record["goal_id"]: rows.GOALS.row(record) for record in found}
    alignments = await rows.ALIGNMENTS.select(connection, "WHERE goal_id = ANY($1) ORDER BY link_id", sorted(goals))
    metric_ids = {one.to_outcome_metric_id for one in alignments} | {one.outcome_metric_id for one in goals.values()}
    metrics = await _among(connection, rows.METRICS, {one for one in metric_ids if one is not None})
    return Facts(
        asked_on=asker.asked_on,
        cadence_days=cadence_days,
        goals=goals,
        alignments=grouped(alignments, lambda one: one.goal_id),
        support=await support(connection, {one.link_id for one in alignments}),
        metrics={metric.outcome_metric_id: metric for metric in metrics},
        learned=await _learned_for_goals(connection, asker, goal_ids),
    )


async def cadence(connection: Connection, organisation_id: UUID, asked_on: date) -> int:
    """Days between check-ins in the latest cycle that has begun."""
    days = await connection.fetchval(
        """SELECT check_in_every_days FROM graph_cycle_v1 WHERE organisation_id = $1 AND starts_on <= $2
           ORDER BY starts_on DESC, cycle_id LIMIT 1""",
        organisation_id,
        asked_on,
    )
    return days or WEEK_DAYS


async def outcome_links(connection: Connection, measure_ids: Iterable[UUID]) -> list[rows.OutcomeLinkRow]:
    """What these measures should move: one link per measure and metric, the process's own before a goal's."""
    found = await connection.fetch(_OUTCOME_LINKS, sorted(measure_ids))
    own = {(record["measure_id"], record["outcome_metric_id"]): record for record in reversed(found)}
    links = [rows.OUTCOME_LINKS.row(record) for record in own.values()]
    return sorted(links, key=lambda one: (one.measure_id, one.outcome_metric_id))


async def shown_goals(connection: Connection, asker: Asker, goal_ids: Collection[UUID]) -> list[rows.GoalRow]:
    """Those of the goals that the asker may see."""
    found = await connection.fetch(
        f"""SELECT g.* FROM graph_goal_v1 AS g
            WHERE g.organisation_id = $1 AND g.goal_id = ANY($4::uuid[]) AND {SHOWN_GOAL} ORDER BY g.goal_id""",
        *asker.arguments,
        sorted(goal_ids),
    )
    return [rows.GOALS.row(record) for record in found]


async def labels(connection: Connection, organisation_id: UUID, competency_ids: Collection[UUID]) -> dict[UUID, str]:
    """The competencies' labels in the organisation's language, else in English, else in any."""
    organisation = await rows.ORGANISATIONS.get(connection, organisation_id, organisation_id)
    language = organisation.language if organisation else "en"
    found = await _among(connection, rows.COMPETENCIES, competency_ids)
    return {one.competency_id: label_in(one.labels, language) for one in found}


def label_in(labels: dict[str, str], language: str) -> str:
    """The label in a language, in the language without its region, in English, or the first there is."""
    for wanted in (language, language.partition("-")[0], "en"):
        if wanted in labels:
            return labels[wanted]
    return labels[min(labels)]


async def support(connection: Connection, link_ids: Collection[UUID]) -> dict[UUID, rows.SupportRow]:
    """What stands behind the links."""
    return {row.link_id: row for row in await _among(connection, rows.SUPPORT, link_ids)}


async def _learned(
    connection: Connection, asker: Asker, improvements: Sequence[rows.ImprovementRow]
) -> dict[tuple[UUID, UUID], Learned]:
    asked = [
        (one.improvement_id, start, one.team_id, _begun(one), *learning_window(one), start in one.competencies)
        for one in improvements
        for start in (*one.competencies, *one.need_ids, *((one.goal_id,) if one.goal_id else ()))
    ]
    if not asked:
        return {}
    columns = [list(column) for column in zip(*asked, strict=True)]
    seen = await connection.fetch(_LEARNED, *asker.arguments, *columns)
    attested = await connection.fetch(_ATTESTED, asker.contributor_id, *columns[:6])
    crowds = await rows.CROWDS.select(connection, "WHERE improvement_id = ANY($1)", sorted(set(columns[0])))
    learned = {(record["improvement_id"], record["start_id"]): _seen(record) for record in seen}
    for crowd in crowds:
        key = (crowd.improvement_id, crowd.start_id)
        before = learned.get(key, Learned())
        learned[key] = msgspec.structs.replace(before, crowd=crowd.enough, left_out=crowd.left_out)
    able = {(record["improvement_id"], record["start_id"]) for record in attested}
    able |= {(crowd.improvement_id, crowd.start_id) for crowd in crowds if crowd.attested}
    for one in improvements:
        any_of_it = any((one.improvement_id, competency) in able for competency in one.competencies)
        for start in (*one.competencies, *one.need_ids, *((one.goal_id,) if one.goal_id else ())):
            key = (one.improvement_id, start)
            if key in able or (any_of_it and start not in one.competencies and key in learned):
                learned[key] = msgspec.structs.replace(learned.get(key, Learned()), attested_before=True)
    return learned


def _begun(improvement: rows.ImprovementRow) -> date:
    """From when on the team was at it: who left before, or came after it was measured, did not use it."""
    return min(improvement.opened_on, improvement.used_on or improvement.opened_on)


async def _learned_for_goals(
    connection: Connection, asker: Asker, goal_ids: Collection[UUID]
) -> dict[tuple[UUID, UUID], Learned]:
    seen = await connection.fetch(
        f"""SELECT goal_id AS start_id, count(*)::int AS n, count(*) FILTER (WHERE is_team)::int AS team_n,
                min(learned_on) AS first_on, max(learned_on) AS last_on
            FROM (SELECT l.goal_id, l.learned_on, false AS is_team FROM graph_learning_v1 AS l
                  JOIN graph_person_v1 AS p ON p.contributor_id = l.learner
                  WHERE l.organisation_id = $1 AND l.goal_id = ANY($4::uuid[]) AND {SHOWN_LEARNING}
                  UNION ALL
                  SELECT t.goal_id, t.learned_on, true FROM graph_team_learning_v1 AS t
                  WHERE t.organisation_id = $1 AND t.goal_id = ANY($4::uuid[])) AS seen
            GROUP BY goal_id""",
        *asker.arguments,
        sorted(goal_ids),
    )
    return {(record["start_id"], record["start_id"]): _seen(record) for record in seen}


def _seen(record: asyncpg.Record) -> Learned:
    return Learned(
        entries_n=record["n"],
        team_entries_n=record["team_n"],
        first_on=record["first_on"],
        last_on=record["last_on"],
    )


async def _among(connection: Connection, table: Any, keys: Collection[UUID]) -> list[Any]:
    found = await table.load(connection, sorted(keys)) if keys else {}
    return [found[key] for key in sorted(found)]


def grouped(values: Iterable[T], key: Callable[[T], K]) -> dict[K, tuple[T, ...]]:
    """The values by key, in their order."""
    groups: dict[K, list[T]] = defaultdict(list)
    for value in values:
        groups[key(value)].append(value)
    return {name: tuple(group) for name, group in groups.items()}
