"""Of what is a line of sight made?"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import msgspec

from lms.domain.base import Personal
from lms.domain.effect import Verdict
from lms.projections.graph_rows import (
    AlignmentRow,
    ContributionRow,
    GoalRow,
    MeasureRow,
    MetricRow,
    OutcomeLinkRow,
    SupportRow,
)


class EndKind(StrEnum):
    """What a link joins."""

    COMPETENCY = "competency"
    GOAL = "goal"
    NEED = "need"
    IMPROVEMENT = "improvement"
    PROCESS_MEASURE = "process-measure"
    OUTCOME_METRIC = "outcome-metric"


class State(StrEnum):
    """How far a chain carries: every graded link at least 2, at least 1, less; or a link is missing."""

    EVIDENCED = "evidenced"
    REPORTED = "reported"
    ASSERTED = "asserted"
    BROKEN = "broken"


class Missing(StrEnum):
    """Which link a broken chain lacks."""

    NO_LEARNING = "no-learning"
    NO_OUTCOME = "no-outcome"


class End(msgspec.Struct, frozen=True):
    """One end of a link. The label of a goal may be sealed; it is null where there is none to show."""

    kind: EndKind
    id: UUID
    label: Personal | None


class Interval(msgspec.Struct, frozen=True):
    """The difference after minus before in ``unit``, with the bounds that hold it at ``confidence``."""

    difference: Decimal
    low: Decimal
    high: Decimal
    confidence: Decimal
    unit: str


class ChainLink(msgspec.Struct, frozen=True, kw_only=True, rename={"source": "from"}):
    """One link with its evidence and the sentence that evidence allows; lags in days."""

    source: End
    to: End
    grade: int
    may_say: str
    verdict: Verdict | None = None
    evidence_for_n: int = 0
    evidence_against_n: int = 0
    alternatives_n: int = 0
    expected_lag_days: int | None = None
    observed_lag_days: int | None = None
    n: int | None = None
    interval: Interval | None = None
    link_id: UUID | None = None


class Weakest(msgspec.Struct, frozen=True):
    """Which link says least: its place in ``links`` from 0."""

    link: int
    grade: int
    may_say: str


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """What may be seen of the learning at a chain's start.

    ``team_entries_n`` of the entries are the team's own statements. ``crowd``: people enough to hide each one of them
    learned it, as last published; ``left_out``: too few did to be told of. ``attested_before``: others attested
    it, before the after-window, of people enough of the team, or of the asker himself.
    """

    entries_n: int = 0
    team_entries_n: int = 0
    first_on: date | None = None
    last_on: date | None = None
    crowd: bool = False
    attested_before: bool = False
    left_out: bool = False

    @property
    def stands(self) -> bool:
        """Tell whether there is any."""
        return self.entries_n > 0 or self.crowd or self.attested_before


NOTHING_LEARNED = Learned()


class Chain(msgspec.Struct, frozen=True, kw_only=True, rename={"source": "from"}):
    """One line of sight. ``source`` and ``to`` are its ends where it has them; ``team`` states the improvement.

    ``learned`` is what the asker may see of the learning at its start.
    """

    source: End | None
    to: End | None
    links: tuple[ChainLink, ...]
    weakest: Weakest | None
    state: State
    missing: tuple[Missing, ...]
    live: bool
    team: UUID | None
    learned: Learned


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What chains are made of, as far as one question needs it. What the asker may not see is not in it."""

    asked_on: date
    cadence_days: int
    labels: Mapping[UUID, str] = {}
    goals: Mapping[UUID, GoalRow] = {}
    alignments: Mapping[UUID, tuple[AlignmentRow, ...]] = {}
    measures: Mapping[UUID, MeasureRow] = {}
    outcome_links: Mapping[UUID, tuple[OutcomeLinkRow, ...]] = {}
    support: Mapping[UUID, SupportRow] = {}
    metrics: Mapping[UUID, MetricRow] = {}
    contributions: Mapping[UUID, tuple[ContributionRow, ...]] = {}
    learned: Mapping[tuple[UUID, UUID], Learned] = {}
