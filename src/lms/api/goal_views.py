"""How does a goal look to who may see it?"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

import msgspec

from lms.api.answers import text
from lms.domain import progress
from lms.domain.base import Personal
from lms.domain.goal import Goal
from lms.domain.goal_parts import KeyResult, KeyResultKind, Level, LinkType, Owner, Purpose, Status
from lms.domain.progress import Standing
from lms.domain.terms import Direction, Summary, Visibility
from lms.projections.goal_rows import CheckInRow, GoalRow, Latest, LinkRow


class PurposeShown(msgspec.Struct, frozen=True, kw_only=True):
    """What the goal is for; the statement is null when it was forgotten."""

    statement: str | None
    outcome_metric_id: UUID | None
    process_id: UUID | None


class KeyResultShown(msgspec.Struct, frozen=True, kw_only=True):
    """A key result with the value that counts and how far that is; ``ratio`` is raw: below 0 and above 1 are possible.

    ``expected_ratio`` is where a steady pace would be today.
    """

    id: UUID
    title: str | None
    kind: KeyResultKind
    metric_id: UUID | None
    measure_id: UUID | None
    unit: str | None
    direction: Direction
    baseline: Summary | None
    floor: Decimal | None
    target: Decimal
    stretch: Decimal | None
    due_on: date | None
    weight: Decimal
    value: Decimal | None
    observed_on: date | None
    confidence: int | None
    ratio: Decimal | None
    expected_ratio: Decimal | None


class GoalShown(msgspec.Struct, frozen=True, kw_only=True):
    """A goal. ``unlinked``: it is open and no chain of links leads to a process or an outcome.

    ``confidence`` is the lowest of its key results, ``next`` what is still missing.
    """

    id: UUID
    level: Level
    title: str | None
    purpose: PurposeShown
    owner: Owner
    cycle_id: UUID | None
    visibility: Visibility
    status: Status
    set_on: date | None
    closed_on: date | None
    unlinked: bool
    ratio: Decimal | None
    expected_ratio: Decimal | None
    confidence: int | None
    key_results: list[KeyResultShown]
    next: tuple[str, ...]


class AlignmentShown(msgspec.Struct, frozen=True, kw_only=True):
    """A standing link; exactly one of ``goal_id`` (with ``key_result_id`` of that goal) and ``outcome_metric_id``."""

    id: UUID
    goal_id: UUID | None
    key_result_id: UUID | None
    outcome_metric_id: UUID | None
    link_type: LinkType
    weight: Decimal | None
    hypothesis: str | None
    expected_lag_days: int | None


class CheckInShown(msgspec.Struct, frozen=True, kw_only=True):
    """A check-in as last corrected."""

    id: UUID
    key_result_id: UUID
    value: Decimal | None
    observed_on: date
    confidence: int | None
    narrative: str | None
    blockers: str | None


class CommittedShown(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who committed and shows it."""

    contributor_id: UUID
    until: date | None


class GoalWhole(GoalShown, frozen=True, kw_only=True):
    """A goal with its links, the latest check-ins, and who committed and shows it."""

    alignments: list[AlignmentShown]
    check_ins: list[CheckInShown]
    committed: list[CommittedShown]


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a row and an aggregate both know of a goal; texts are opened before it is shown."""

    id: UUID
    level: Level
    title: Personal
    purpose: Purpose
    owner: Owner
    cycle_id: UUID | None
    visibility: Visibility
    status: Status
    set_on: date | None
    closed_on: date | None
    latest: tuple[Latest, ...]
    unreported: bool


def facts_of_row(row: GoalRow, latest: Sequence[Latest]) -> Facts:
    """What the read model knows."""
    return Facts(
        id=row.goal_id,
        level=row.level,
        title=row.title,
        purpose=Purpose(statement=row.statement, outcome_metric_id=row.outcome_metric_id, process_id=row.process_id),
        owner=Owner(contributor_id=row.owner_contributor_id, team_id=row.owner_team_id),
        cycle_id=row.cycle_id,
        visibility=row.visibility,
        status=row.status,
        set_on=row.set_on,
        closed_on=row.closed_on,
        latest=tuple(latest),
        unreported=any(one.observed_on is None for one in latest),
    )


def facts_of_goal(goal: Goal, known: Mapping[UUID, Latest]) -> Facts:
    """What a decision left behind; values as far as the read model knows them, check-ins as the goal itself does."""
    latest = tuple(_standing_of(goal.id, one, known.get(key)) for key, one in goal.key_results.items())
    reported = set(goal.check_ins.values())
    return Facts(
        id=goal.id,
        level=goal.level,
        title=goal.title,
        purpose=goal.purpose,
        owner=goal.owner,
        cycle_id=goal.cycle_id,
        visibility=goal.visibility,
        status=goal.status,
        set_on=goal.set_on,
        closed_on=goal.closed_on,
        latest=latest,
        unreported=any(
            one.observed_on is None if one.key_result.is_fed else one.key_result.key_result_id not in reported
            for one in latest
        ),
    )


def shown(facts: Facts, today: date, *, unlinked: bool) -> GoalShown:
    """The goal as it is answered; ``facts`` are opened."""
    unlinked = unlinked and facts.closed_on is None
    key_results = [one.key_result for one in facts.latest]
    sure = [one.confidence for one in facts.latest if one.confidence is not None]
    return GoalShown(
        id=facts.id,
        level=facts.level,
        title=text(facts.title),
        purpose=PurposeShown(
            statement=text(facts.purpose.statement),
            outcome_metric_id=facts.purpose.outcome_metric_id,
            process_id=facts.purpose.process_id,
        ),
        owner=facts.owner,
        cycle_id=facts.cycle_id,
        visibility=facts.visibility,
        status=facts.status,
        set_on=facts.set_on,
        closed_on=facts.closed_on,
        unlinked=unlinked,
        ratio=progress.goal_ratio(Standing(key_result=one.key_result, value=one.value) for one in facts.latest),
        expected_ratio=progress.expected_goal_ratio(key_results, facts.set_on, today),
        confidence=min(sure, default=None),
        key_results=[_key_result_shown(one, facts.set_on, today) for one in facts.latest],
        next=missing(facts, unlinked=unlinked),
    )


def missing(facts: Facts, *, unlinked: bool) -> tuple[str, ...]:
    """What the goal still lacks, as short codes; a closed one lacks nothing."""
    if facts.closed_on is not None:
        return ()
    wanted = {
        "key-results": not facts.latest,
        "agreement": facts.status is Status.PROPOSED,
        "alignment": unlinked,
        "check-in": facts.status is Status.ACTIVE and facts.unreported,
    }
    return tuple(code for code, absent in wanted.items() if absent)


def alignment_shown(row: LinkRow) -> AlignmentShown:
    """A link as it is answered; its texts are opened."""
    return AlignmentShown(
        id=row.link_id,
        goal_id=row.to_goal_id,
        key_result_id=row.to_key_result_id,
        outcome_metric_id=row.to_outcome_metric_id,
        link_type=row.link_type,
        weight=row.weight,
        hypothesis=text(row.hypothesis),
        expected_lag_days=row.expected_lag_days,
    )


def check_in_shown(row: CheckInRow) -> CheckInShown:
    """A check-in as it is answered; its texts are opened."""
    return CheckInShown(
        id=row.check_in_id,
        key_result_id=row.key_result_id,
        value=row.value,
        observed_on=row.observed_on,
        confidence=row.confidence,
        narrative=text(row.narrative),
        blockers=text(row.blockers),
    )


def _standing_of(goal_id: UUID, key_result: KeyResult, known: Latest | None) -> Latest:
    return Latest(
        goal_id=goal_id,
        key_result=key_result,
        value=known.value if known else None,
        observed_on=known.observed_on if known else None,
        confidence=known.confidence if known else None,
    )


def _key_result_shown(one: Latest, set_on: date | None, today: date) -> KeyResultShown:
    key_result = one.key_result
    return KeyResultShown(
        id=key_result.key_result_id,
        title=text(key_result.title),
        kind=key_result.kind,
        metric_id=key_result.metric_id,
        measure_id=key_result.measure_id,
        unit=key_result.unit,
        direction=key_result.direction,
        baseline=key_result.baseline,
        floor=key_result.floor,
        target=key_result.target,
        stretch=key_result.stretch,
        due_on=key_result.due_on,
        weight=key_result.weight,
        value=one.value,
        observed_on=one.observed_on,
        confidence=one.confidence,
        ratio=None if one.value is None else progress.ratio(key_result, one.value),
        expected_ratio=progress.expected_ratio(key_result, set_on, today),
    )
