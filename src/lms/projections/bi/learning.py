"""How much is learned, by reporting unit, kind, competency and quarter, and what of it came to be known later?"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from lms.domain.calendar import PeriodKind, first_day
from lms.domain.learning_entry import LearningEntry
from lms.projections.base import Connection, Envelope
from lms.projections.bi.cells import Cell, merge_small
from lms.projections.bi.dimensions import OTHER
from lms.projections.bi.keys import date_key, insert
from lms.projections.chain import LEARNED_WITHIN_DAYS
from lms.projections.crowds import LEAST_CONTRIBUTORS
from lms.projections.graph_rows import UNITS
from lms.projections.sight_facts import BELIEVED, belonged

_LEARNED = f"""
    SELECT l.entry_id, l.learner, l.kind, l.competencies, l.goal_id, u.unit_key,
        (l.goal_id IS NOT NULL AND EXISTS (SELECT FROM towards AS w WHERE w.goal_id = l.goal_id)
         OR EXISTS (
            SELECT FROM graph_improvement_v1 AS i
            WHERE i.organisation_id = $1
                AND i.measure_ids && (SELECT coalesce(array_agg(measure_id), '{{}}') FROM believed)
                AND l.learned_on >= coalesce(i.used_on, i.opened_on) - {LEARNED_WITHIN_DAYS}
                AND l.learned_on <= coalesce(i.used_on, 'infinity')
                AND (i.goal_id = l.goal_id OR i.need_ids && l.need_ids OR (i.competencies && l.competencies AND EXISTS (
                    SELECT FROM graph_stint_v1 AS m WHERE m.team_id = i.team_id AND m.contributor_id = l.learner
                        AND {belonged("m", "least(i.opened_on, i.used_on)", "i.used_on")})))
         )) AS has_path
    FROM graph_learning_v1 AS l
    JOIN work_quarter_person AS u ON u.contributor_id = l.learner AND u.quarter_ends_on = $3
    WHERE l.organisation_id = $1 AND l.learned_on BETWEEN $2 AND $3 AND ($4::bigint IS NULL OR u.unit_key = $4)
"""

_PATHS = f"""
    WITH RECURSIVE towards(goal_id) AS (
        SELECT goal_id FROM graph_goal_v1 WHERE organisation_id = $1 AND outcome_metric_id IS NOT NULL
        UNION SELECT goal_id FROM graph_alignment_v1 WHERE organisation_id = $1 AND to_outcome_metric_id IS NOT NULL
        UNION SELECT a.goal_id FROM towards JOIN graph_alignment_v1 AS a ON a.to_goal_id = towards.goal_id
    ), believed AS ({BELIEVED})
"""

_ENTRIES = """
    SELECT l.learner, md5(string_agg(concat_ws('|', l.entry_id, l.kind, l.competencies, l.goal_id), ','
                                     ORDER BY l.entry_id)) AS digest
    FROM graph_learning_v1 AS l WHERE l.organisation_id = $1 AND l.learned_on BETWEEN $2 AND $3 GROUP BY l.learner
"""

_NOTE_PEOPLE = f"""
    INSERT INTO work_quarter_person (quarter_ends_on, contributor_id, organisation_id, unit_key, digest)
    SELECT $3, p.contributor_id, $1, u.unit_key, e.digest FROM graph_person_v1 AS p
    JOIN graph_unit_v1 AS u ON u.node = coalesce(p.home_team_id, $1) AND u.quarter_ends_on = $3
    LEFT JOIN ({_ENTRIES}) AS e ON e.learner = p.contributor_id
    WHERE p.organisation_id = $1 AND p.kind = 'employee' AND (p.active OR e.digest IS NOT NULL)
"""

_LATE = """
    INSERT INTO work_late_person (quarter_ends_on, contributor_id, organisation_id)
    SELECT DISTINCT q.quarter_ends_on, l.learner, $1 FROM unnest($2::uuid[], $3::date[]) AS l(learner, learned_on)
    JOIN work_quarter AS q ON q.organisation_id = $1
        AND (l.learned_on IS NULL OR l.learned_on BETWEEN q.starts_on AND q.quarter_ends_on)
    ON CONFLICT DO NOTHING
"""

_CHANGED = """
    SELECT q.starts_on, w.quarter_ends_on, w.unit_key FROM work_late_person AS late
    JOIN work_quarter AS q USING (organisation_id, quarter_ends_on)
    JOIN work_quarter_person AS w USING (organisation_id, quarter_ends_on, contributor_id)
    WHERE late.organisation_id = $1 AND w.digest IS DISTINCT FROM (
        SELECT md5(string_agg(concat_ws('|', l.entry_id, l.kind, l.competencies, l.goal_id), ',' ORDER BY l.entry_id))
        FROM graph_learning_v1 AS l
        WHERE l.learner = late.contributor_id AND l.learned_on BETWEEN q.starts_on AND q.quarter_ends_on)
    GROUP BY q.starts_on, w.quarter_ends_on, w.unit_key HAVING count(*) >= $2
    ORDER BY w.quarter_ends_on, w.unit_key
"""

_NOTE_UNIT = f"""
    WITH done AS (
        DELETE FROM work_late_person AS late USING work_quarter_person AS w
        WHERE (late.quarter_ends_on, late.contributor_id) = (w.quarter_ends_on, w.contributor_id)
            AND late.organisation_id = $1 AND w.quarter_ends_on = $3 AND w.unit_key = $4
    )
    UPDATE work_quarter_person AS w SET digest = e.digest
    FROM work_quarter_person AS same LEFT JOIN ({_ENTRIES}) AS e ON e.learner = same.contributor_id
    WHERE same.quarter_ends_on = w.quarter_ends_on AND same.contributor_id = w.contributor_id
        AND w.organisation_id = $1 AND w.quarter_ends_on = $3 AND w.unit_key = $4
"""

Learning = LearningEntry.Logged | LearningEntry.Corrected | LearningEntry.Withdrawn


async def note_late(connection: Connection, envelopes: Sequence[Envelope]) -> None:
    """Remember whose learning in closed quarters these events may change."""
    late: dict[UUID, list[tuple[UUID, date | None]]] = defaultdict(list)
    for envelope in envelopes:
        event = envelope.data
        learner = event.learner if isinstance(event, LearningEntry.Logged) else envelope.actor.contributor_id
        if isinstance(event, Learning) and learner is not None:
            # A correction may have moved the entry here from any quarter.
            on = event.learned_on if isinstance(event, LearningEntry.Logged) else None
            late[envelope.organisation_id].append((learner, on))
    for organisation_id, learned in late.items():
        learners, days = zip(*learned, strict=True)
        await connection.execute(_LATE, organisation_id, learners, days)


async def publish_learning(connection: Connection, organisation: int, organisation_id: UUID, ends_on: date) -> None:
    """Count a quarter's learning when it closes, and remember who counted where."""
    starts_on = first_day(PeriodKind.QUARTER, ends_on)
    await connection.execute(_NOTE_PEOPLE, organisation_id, starts_on, ends_on)
    await insert(
        connection, "work_quarter", organisation_id=organisation_id, quarter_ends_on=ends_on, starts_on=starts_on
    )
    await _write(connection, organisation, organisation_id, ends_on, None, revision=0)


async def revise_learning(connection: Connection, organisation: int, organisation_id: UUID) -> None:
    """Count a closed quarter's learning anew for every unit in which that of five people at least has changed."""
    for changed in await connection.fetch(_CHANGED, organisation_id, LEAST_CONTRIBUTORS):
        ends_on, unit = changed["quarter_ends_on"], changed["unit_key"]
        await _revise(connection, organisation, organisation_id, ends_on, unit)
        await connection.execute(_NOTE_UNIT, organisation_id, changed["starts_on"], ends_on, unit)


async def _revise(connection: Connection, organisation: int, organisation_id: UUID, ends_on: date, unit: int) -> None:
    revisions = [0]
    for table in ("fact_learning", "fact_learning_competency"):
        replaced = await connection.fetch(
            f"DELETE FROM {table} WHERE unit_key = $1 AND quarter_date_key = $2 RETURNING revision",
            unit,
            date_key(ends_on),
        )
        revisions += [one["revision"] for one in replaced]
    await _write(connection, organisation, organisation_id, ends_on, unit, revision=max(revisions) + 1)


async def _write(
    connection: Connection,
    organisation: int,
    organisation_id: UUID,
    ends_on: date,
    unit: int | None,
    *,
    revision: int,
) -> None:
    """The rows of a quarter, of one unit or (None) of all."""
    entries = await connection.fetch(
        _PATHS + _LEARNED, organisation_id, first_day(PeriodKind.QUARTER, ends_on), ends_on, unit
    )
    by_unit: dict[int, list[asyncpg.Record]] = defaultdict(list)
    for entry in entries:
        by_unit[entry["unit_key"]].append(entry)
    keys = await _competency_keys(connection, {one for entry in entries for one in entry["competencies"]})
    too_small = await _too_small(connection, organisation_id, ends_on)
    kinds, competencies = [], []
    for key, learned in sorted(by_unit.items()):
        place = (organisation, key, date_key(ends_on), revision)
        by_kind = merge_small(_by_kind(learned)) if key not in too_small else [_HIDDEN]
        by_competency = merge_small(_by_competency(learned, keys)) if key not in too_small else [_HIDDEN]
        kinds += [(*place, cell.key or OTHER, *_figures_by_kind(cell)) for cell in by_kind]
        competencies += [
            (*place, organisation if cell.key is None else cell.key, *_figures_by_competency(cell))
            for cell in by_competency
        ]
    await connection.executemany(
        """INSERT INTO fact_learning (organisation_key, unit_key, quarter_date_key, revision, kind, entries_n,
               entries_with_goal_n, entries_with_path_n, people_n, suppressed)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        kinds,
    )
    await connection.executemany(
        """INSERT INTO fact_learning_competency (organisation_key, unit_key, quarter_date_key, revision,
               competency_key, entries_n, entries_weighted, people_n, suppressed)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        competencies,
    )


_HIDDEN: Cell[Any, UUID] = Cell(None, frozenset(), ())
"""All of a unit that has too few members, whoever of them learned."""


async def _too_small(connection: Connection, organisation_id: UUID, ends_on: date) -> set[int]:
    """The units of a quarter with fewer members than a unit must have."""
    found = await connection.fetch(
        f"SELECT unit_key FROM {UNITS.name} WHERE organisation_id = $1 AND quarter_ends_on = $2 AND size < least",
        organisation_id,
        ends_on,
    )
    return {record["unit_key"] for record in found}


def _figures_by_kind(cell: Cell[str, UUID]) -> tuple[object, ...]:
    """Entries, those with a goal, those with a path, people, the flag; only the flag where too few people stand behind.

    Of the entries, a part is told only when nobody or people enough stand behind it, and behind the rest as well.
    """
    if not cell.is_publishable:
        return (None, None, None, None, True)
    with_goal, with_path = (
        int(cell.sums[place + 1]) if all(not one or len(one) >= LEAST_CONTRIBUTORS for one in both) else None
        for place, both in enumerate((cell.parts[:2], cell.parts[2:]))
    )
    return (int(cell.sums[0]), with_goal, with_path, len(cell.people), False)


def _figures_by_competency(cell: Cell[int, UUID]) -> tuple[object, ...]:
    """Entries, shared entries, people, the flag; nothing but the flag where too few people stand behind."""
    if not cell.is_publishable:
        return (None, None, None, True)
    return (int(cell.sums[0]), cell.sums[1], len(cell.people), False)


def _by_kind(entries: Iterable[asyncpg.Record]) -> list[Cell[str, UUID]]:
    """Entries, entries with a goal, entries with a path; parts: whose have a goal, whose none, and so for the path."""
    of_kind: dict[str, list[asyncpg.Record]] = defaultdict(list)
    for entry in entries:
        of_kind[entry["kind"]].append(entry)
    cells = []
    for kind, learned in sorted(of_kind.items()):
        with_goal = [entry for entry in learned if entry["goal_id"] is not None]
        with_path = [entry for entry in learned if entry["has_path"]]
        parts = (
            with_goal,
            [entry for entry in learned if entry["goal_id"] is None],
            with_path,
            [entry for entry in learned if not entry["has_path"]],
        )
        sums = (float(len(learned)), float(len(with_goal)), float(len(with_path)))
        cells.append(Cell(kind, _learners(learned), sums, tuple(map(_learners, parts))))
    return cells


def _learners(entries: Iterable[asyncpg.Record]) -> frozenset[UUID]:
    return frozenset(entry["learner"] for entry in entries)


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
