"""What does learning lead to, on which evidence, and what does each outcome rest on?"""

from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from uuid import UUID

import msgspec

from lms.inference.grades import EXPECTED, may_say
from lms.projections import graph_rows as rows
from lms.projections import sight_sources as sources
from lms.projections.chain import goal_chain, improvement_chains, learning_window, loose_chain, outcome_chains
from lms.projections.chain_parts import NOTHING_LEARNED, Chain, End, EndKind, Facts, Learned
from lms.projections.graph import Graph
from lms.projections.sight_facts import (
    Asker,
    belonged,
    cadence,
    facts_of_goals,
    facts_of_improvements,
    grouped,
    labels,
    support,
)
from lms.projections.sight_sources import FIRST, Question, teams_below
from lms.projections.table import Connection

__all__ = ["Asker", "LeadsTo", "LineOfSight", "Place", "Question", "teams_below"]

PAGE = 50
"""Sources read in one go where a page is asked for."""

WHOLE = 2_000
"""Sources read in one go where every chain is."""

IMPROVEMENT, GOAL, LOOSE, OUTCOME = range(4)

Place = tuple[int, UUID, UUID, int]
"""Where a chain stands in the order of all: kind of source, source (two ids), number within the source."""

BEGINNING: Place = (IMPROVEMENT, FIRST, FIRST, -1)


class LeadsTo(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome that a piece of learning is linked to, and through what. ``may_say`` is what its evidence allows."""

    outcome_metric_id: UUID
    label: str
    via: End
    may_say: str


class _Reading(msgspec.Struct, frozen=True):
    """How one question reads its sources; ``again``: beginning with the one that was read last."""

    asker: Asker
    question: Question
    cadence_days: int
    at_once: int
    again: bool


class LineOfSight(Graph):
    """Chains from learning to outcomes, put together when they are asked for, by what the asker may see."""

    NAME = "line_of_sight"
    VERSION = 1

    async def chains(
        self, connection: Connection, asker: Asker, question: Question, limit: int, after: Place | None = None
    ) -> list[tuple[Place, Chain]]:
        """At most ``limit`` chains of the question that come after a place."""
        found: list[tuple[Place, Chain]] = []
        async for place, chain in self.walk(connection, asker, question, after or BEGINNING, PAGE):
            found.append((place, chain))
            if len(found) == limit:
                break
        return found

    async def walk(
        self,
        connection: Connection,
        asker: Asker,
        question: Question,
        after: Place = BEGINNING,
        at_once: int = WHOLE,
    ) -> AsyncIterator[tuple[Place, Chain]]:
        """The chains of a question in their order, read as they are wanted, ``at_once`` sources in one go."""
        days = await cadence(connection, asker.organisation_id, asker.asked_on)
        for kind in range(after[0], OUTCOME + 1):
            at = after[:3] if kind == after[0] else (kind, FIRST, FIRST)
            seen = after[3] if kind == after[0] else -1
            first = True
            while True:
                read = _Reading(asker, question, days, at_once, first and seen >= 0)
                batch = await self._batch(connection, read, at)
                for source, chains in batch:
                    for number, chain in enumerate(chains):
                        is_shown = first and source == at and number <= seen
                        if not is_shown and _answers(chain, question):
                            yield (*source, number), chain
                if len(batch) < at_once:
                    break
                at, first = batch[-1][0], False

    async def _batch(
        self, connection: Connection, read: "_Reading", at: tuple[int, UUID, UUID]
    ) -> list[tuple[tuple[int, UUID, UUID], list[Chain]]]:
        """The chains of the next sources of one kind."""
        kind, first, second = at
        asker, question, most = read.asker, read.question, read.at_once
        start = UUID(int=max(first.int - 1, 0)) if read.again else first
        match kind:
            case 0:
                found = await sources.improvements(connection, asker, question, start, most)
                facts = await facts_of_improvements(connection, asker, found, read.cadence_days)
                return [((kind, one.improvement_id, FIRST), list(improvement_chains(one, facts))) for one in found]
            case 1:
                goals = await sources.learned_goals(connection, asker, question, start, most)
                return await _plans(connection, asker, goals, read.cadence_days)
            case 2:
                after = (first, UUID(int=max(second.int - 1, 0))) if read.again else (first, second)
                return await _loose(
                    connection, asker, await sources.loose_learning(connection, asker, question, after, most)
                )
            case _:
                metrics = await sources.unreached_metrics(connection, asker, question, start, most)
                return await _unreached(connection, asker, metrics, read.cadence_days)

    async def leads_to(self, connection: Connection, asker: Asker, entry: rows.LearningRow) -> list[LeadsTo]:
        """The outcomes that an entry of the asker is linked to: by an improvement of his team, or by a goal's plan.

        What was learned after an improvement was measured is only expected to contribute from now on.
        """
        days = await cadence(connection, asker.organisation_id, asker.asked_on)
        near = await _improvements_near(connection, asker, entry)
        facts = await facts_of_improvements(connection, asker, near, days)
        in_time = [one for one in near if _is_in_time(one, entry)]
        reached = [chain for one in in_time for chain in improvement_chains(one, facts) if _is_start(chain, entry)]
        if entry.goal_id is not None:
            # What an earlier improvement has reached stays what the goal is for, also for who learns after it.
            goal = await facts_of_goals(connection, asker, [entry.goal_id], days)
            reached += _plans_of(entry.goal_id, goal, frozenset())
        later = [one for one in near if not _is_in_time(one, entry)]
        expected = [chain for one in later for chain in improvement_chains(one, facts) if _is_start(chain, entry)]
        best: dict[UUID, LeadsTo] = {}
        for chain in [*reached, *expected]:
            if chain.to is not None and chain.links:
                sentence = chain.weakest.may_say if chain.weakest and chain not in expected else may_say(EXPECTED)
                best.setdefault(chain.to.id, _leads_to(chain, chain.to, sentence))
        return list(best.values())


def _leads_to(chain: Chain, metric: End, sentence: str) -> LeadsTo:
    via = next((link.to for link in chain.links if link.to.kind is EndKind.IMPROVEMENT), chain.links[0].source)
    return LeadsTo(outcome_metric_id=metric.id, label=str(metric.label), via=via, may_say=sentence)


def _is_start(chain: Chain, entry: rows.LearningRow) -> bool:
    source = chain.source or (chain.links[0].source if chain.links else None)
    return source is not None and source.id in {*entry.competencies, *entry.need_ids, entry.goal_id}


def _answers(chain: Chain, question: Question) -> bool:
    asked_from = question.competency_id or question.goal_id
    begins = asked_from is None or (chain.source is not None and chain.source.id == asked_from)
    ends = question.outcome_metric_id is None or (chain.to is not None and chain.to.id == question.outcome_metric_id)
    return begins and ends


async def _improvements_near(
    connection: Connection, asker: Asker, entry: rows.LearningRow
) -> list[rows.ImprovementRow]:
    """The improvements that share a goal, a need, or a competency and the team with the entry, the latest first.

    None that was taken back, and none that came more than a year after the entry.
    """
    found = await rows.IMPROVEMENTS.select(
        connection,
        f"""WHERE organisation_id = $1 AND (goal_id = $2 OR need_ids && $3::uuid[]
               OR (competencies && $4::uuid[] AND team_id IN (
                   SELECT s.team_id FROM graph_stint_v1 AS s
                   WHERE s.contributor_id = $5 AND {belonged("s", "least(opened_on, used_on)", "used_on")})))
           ORDER BY opened_on DESC, improvement_id""",
        asker.organisation_id,
        entry.goal_id,
        list(entry.need_ids),
        list(entry.competencies),
        entry.learner,
    )
    return [one for one in found if not one.reverted and learning_window(one)[0] <= entry.learned_on]


def _is_in_time(improvement: rows.ImprovementRow, entry: rows.LearningRow) -> bool:
    until = learning_window(improvement)[1]
    return until is None or entry.learned_on <= until


async def _plans(
    connection: Connection, asker: Asker, goal_ids: Iterable[UUID], days: int
) -> list[tuple[tuple[int, UUID, UUID], list[Chain]]]:
    wanted = list(goal_ids)
    if not wanted:
        return []
    facts = await facts_of_goals(connection, asker, wanted, days)
    carried_out = await _carried_out(connection, wanted)
    return [
        ((GOAL, one, FIRST), list(_plans_of(one, facts, carried_out.get(one, frozenset())))) for one in sorted(wanted)
    ]


def _plans_of(goal_id: UUID, facts: Facts, carried_out: frozenset[UUID]) -> Iterator[Chain]:
    """The shortest plan from a goal to each metric; metrics that its improvements reach are shown over those."""
    if goal_id not in facts.goals:
        return
    learned = facts.learned.get((goal_id, goal_id), NOTHING_LEARNED)
    paths: deque[tuple[rows.GoalRow, ...]] = deque([(facts.goals[goal_id],)])
    seen, reached = {goal_id}, set(carried_out)
    while paths:
        path = paths.popleft()
        goal = path[-1]
        for end in _ends_of(goal, facts):
            if end.outcome_metric_id not in reached:
                reached.add(end.outcome_metric_id)
                yield goal_chain(path, end, learned, facts)
        for link in facts.alignments.get(goal.goal_id, ()):
            above = facts.goals.get(link.to_goal_id) if link.to_goal_id else None
            if above is not None and above.goal_id not in seen:
                seen.add(above.goal_id)
                paths.append((*path, above))
    if not reached:
        yield goal_chain((facts.goals[goal_id],), None, learned, facts)


def _ends_of(goal: rows.GoalRow, facts: Facts) -> Iterator[rows.OutcomeLinkRow]:
    """The outcome metrics a goal is aligned to, or has in its purpose."""
    ends = [
        (link.link_id, link.to_outcome_metric_id, link.expected_lag_days)
        for link in facts.alignments.get(goal.goal_id, ())
    ]
    for link_id, metric_id, lag in [*ends, (goal.goal_id, goal.outcome_metric_id, None)]:
        if metric_id is not None and metric_id in facts.metrics:
            yield rows.OutcomeLinkRow(
                link_id=link_id,
                organisation_id=goal.organisation_id,
                measure_id=goal.goal_id,
                outcome_metric_id=metric_id,
                expected_lag_days=lag,
            )


async def _carried_out(connection: Connection, goal_ids: Iterable[UUID]) -> Mapping[UUID, frozenset[UUID]]:
    """Per goal, the metrics that improvements for it reach."""
    found = await connection.fetch(
        """SELECT DISTINCT i.goal_id, o.outcome_metric_id FROM graph_improvement_v1 AS i
           JOIN graph_outcome_link_v1 AS o ON o.measure_id = ANY(i.measure_ids) WHERE i.goal_id = ANY($1::uuid[])""",
        list(goal_ids),
    )
    return {
        goal: frozenset(record["outcome_metric_id"] for record in records)
        for goal, records in grouped(found, lambda record: record["goal_id"]).items()
    }


async def _loose(
    connection: Connection, asker: Asker, found: list[sources.Loose]
) -> list[tuple[tuple[int, UUID, UUID], list[Chain]]]:
    names = await labels(connection, asker.organisation_id, {one.competency_id for one in found})
    return [
        (
            (LOOSE, one.competency_id, one.place),
            [
                loose_chain(
                    End(EndKind.COMPETENCY, one.competency_id, names.get(one.competency_id)),
                    one.team_id,
                    _learned_loosely(one),
                )
            ],
        )
        for one in found
    ]


def _learned_loosely(loose: sources.Loose) -> Learned:
    return Learned(
        entries_n=loose.entries_n,
        team_entries_n=loose.team_entries_n,
        last_on=loose.last_on,
        crowd=loose.team_id is None and not loose.entries_n,
    )


async def _unreached(
    connection: Connection, asker: Asker, metrics: list[rows.MetricRow], days: int
) -> list[tuple[tuple[int, UUID, UUID], list[Chain]]]:
    ids = [one.outcome_metric_id for one in metrics]
    links = await rows.OUTCOME_LINKS.select(connection, "WHERE outcome_metric_id = ANY($1) ORDER BY link_id", ids)
    measures = await rows.MEASURES.load(connection, sorted({one.measure_id for one in links}))
    by_metric = grouped(links, lambda one: one.outcome_metric_id)
    behind = await support(connection, {one.link_id for one in links})
    facts = Facts(asked_on=asker.asked_on, cadence_days=days, support=behind)
    return [
        (
            (OUTCOME, one.outcome_metric_id, FIRST),
            list(
                outcome_chains(
                    one,
                    [(measures[link.measure_id], link) for link in by_metric.get(one.outcome_metric_id, ())],
                    facts,
                )
            ),
        )
        for one in metrics
    ]
