"""Which facts does the line of sight rest on, and in which tables are they kept?

The read model and the star schema each keep their own copy of these tables, in schemas of their own.
"""

from datetime import date
from decimal import Decimal
from uuid import UUID

import msgspec

from lms.domain.base import Personal
from lms.domain.contribution import CauseKind, Change, Standing
from lms.domain.contributor import ContributorKind
from lms.domain.goal_parts import Level, LinkType, Status
from lms.domain.improvement_parts import Result, Review
from lms.domain.learning_entry import LearningKind
from lms.domain.terms import Direction, Visibility
from lms.projections.table import Table


class OrganisationRow(msgspec.Struct, frozen=True, kw_only=True):
    """An organisation and the language of its labels."""

    organisation_id: UUID
    language: str


class TeamRow(msgspec.Struct, frozen=True, kw_only=True):
    """A team and where it stands in the tree."""

    team_id: UUID
    organisation_id: UUID
    name: str
    parent_team_id: UUID | None
    disbanded: bool = False


class PersonRow(msgspec.Struct, frozen=True, kw_only=True):
    """A person and the home team; who left counts no more."""

    contributor_id: UUID
    organisation_id: UUID
    kind: ContributorKind
    home_team_id: UUID | None = None
    active: bool = True


class StintRow(msgspec.Struct, frozen=True, kw_only=True):
    """From when until when a person belongs to a team, as a member or as its lead; both when he is both."""

    team_id: UUID
    contributor_id: UUID
    is_lead: bool
    since: date
    organisation_id: UUID
    until: date | None = None


class CycleRow(msgspec.Struct, frozen=True, kw_only=True):
    """A goal cycle and its cadence."""

    cycle_id: UUID
    organisation_id: UUID
    starts_on: date
    check_in_every_days: int


class CompetencyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A competency and its labels by language."""

    competency_id: UUID
    organisation_id: UUID
    labels: dict[str, str]


class LearningRow(msgspec.Struct, frozen=True, kw_only=True):
    """A learning entry without its words."""

    entry_id: UUID
    organisation_id: UUID
    learner: UUID
    learned_on: date
    kind: LearningKind
    competencies: tuple[UUID, ...]
    goal_id: UUID | None
    need_ids: tuple[UUID, ...]
    visibility: Visibility


class TeamLearningRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a team says it learned."""

    team_learning_id: UUID
    organisation_id: UUID
    team_id: UUID
    learned_on: date
    competencies: tuple[UUID, ...]
    goal_id: UUID | None


class AttestationRow(msgspec.Struct, frozen=True, kw_only=True):
    """That another attested a person's level."""

    attestation_id: UUID
    organisation_id: UUID
    person: UUID
    competency_id: UUID
    attested_on: date


class GoalRow(msgspec.Struct, frozen=True, kw_only=True):
    """A goal, what it is for, and when it was last checked in."""

    goal_id: UUID
    organisation_id: UUID
    level: Level
    title: Personal
    owner_contributor_id: UUID | None
    owner_team_id: UUID | None
    visibility: Visibility
    shown_to_team: UUID | None = None
    status: Status
    process_id: UUID | None
    outcome_metric_id: UUID | None
    checked_in_on: date | None = None


class AlignmentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A goal's link to a goal or an outcome metric."""

    link_id: UUID
    organisation_id: UUID
    goal_id: UUID
    to_goal_id: UUID | None
    to_outcome_metric_id: UUID | None
    link_type: LinkType
    weight: Decimal | None
    expected_lag_days: int | None


class ProcessRow(msgspec.Struct, frozen=True, kw_only=True):
    """A process and who owns it."""

    process_id: UUID
    organisation_id: UUID
    name: str
    owner_team_id: UUID


class MeasureRow(msgspec.Struct, frozen=True, kw_only=True):
    """A measure of a process."""

    measure_id: UUID
    organisation_id: UUID
    process_id: UUID
    name: str
    unit: str
    direction: Direction


class OutcomeLinkRow(msgspec.Struct, frozen=True, kw_only=True):
    """That a measure should move an outcome metric."""

    link_id: UUID
    organisation_id: UUID
    measure_id: UUID
    outcome_metric_id: UUID
    expected_lag_days: int | None


class SupportRow(msgspec.Struct, frozen=True, kw_only=True):
    """What stands behind a link."""

    link_id: UUID
    organisation_id: UUID
    supports_n: int = 0
    weakens_n: int = 0
    alternatives_n: int = 0


class MetricRow(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome metric."""

    outcome_metric_id: UUID
    organisation_id: UUID
    name: str
    unit: str


class ImprovementRow(msgspec.Struct, frozen=True, kw_only=True):
    """An improvement, its reviews and the latest result on each measure.

    ``measure_ids``: what it was measured by; until then what it is to move, else all measures of its process.
    ``used_on`` starts its first after-window.
    """

    improvement_id: UUID
    organisation_id: UUID
    process_id: UUID
    team_id: UUID
    problem: str
    opened_on: date
    goal_id: UUID | None
    need_ids: tuple[UUID, ...]
    competencies: tuple[UUID, ...]
    measure_ids: tuple[UUID, ...]
    reviews: tuple[Review, ...] = ()
    results: tuple[Result, ...] = ()
    used_on: date | None = None
    reverted: bool = False


class ContributionRow(msgspec.Struct, frozen=True, kw_only=True):
    """What is said to have moved a figure, and how that stands."""

    contribution_id: UUID
    organisation_id: UUID
    cause_kind: CauseKind
    cause_id: UUID
    outcome_metric_id: UUID | None
    measure_id: UUID | None
    standing: Standing
    change: Change | None
    supports_n: int = 0
    weakens_n: int = 0
    alternatives_n: int = 0


class UnitRow(msgspec.Struct, frozen=True, kw_only=True):
    """To which reporting unit a team belongs in a quarter; the organisation's id stands for the root of the tree.

    ``size``: home members of the unit when it was fixed; with fewer than ``least``, nothing of its people is told.
    """

    quarter_ends_on: date
    node: UUID
    organisation_id: UUID
    unit_key: int
    size: int
    least: int


class CrowdRow(msgspec.Struct, frozen=True, kw_only=True):
    """That people learned what an improvement names, in time, as last published.

    ``enough``: five at least of its reporting unit, so that it may be said; ``left_out``: fewer, but some.
    ``attested``: others attested it of five at least of its team.
    """

    improvement_id: UUID
    start_id: UUID
    organisation_id: UUID
    enough: bool
    left_out: bool
    attested: bool


class UnitLearningRow(msgspec.Struct, frozen=True, kw_only=True):
    """That enough people of a reporting unit learned something in the year before the last closed week."""

    unit_key: int
    competency_id: UUID
    organisation_id: UUID


ORGANISATIONS = Table("graph_organisation_v1", OrganisationRow, key="organisation_id")
TEAMS = Table("graph_team_v1", TeamRow, key="team_id")
PEOPLE = Table("graph_person_v1", PersonRow, key="contributor_id")
STINTS = Table("graph_stint_v1", StintRow, key=("team_id", "contributor_id", "is_lead", "since"))
CYCLES = Table("graph_cycle_v1", CycleRow, key="cycle_id")
COMPETENCIES = Table("graph_competency_v1", CompetencyRow, key="competency_id")
LEARNING = Table("graph_learning_v1", LearningRow, key="entry_id")
TEAM_LEARNING = Table("graph_team_learning_v1", TeamLearningRow, key="team_learning_id")
ATTESTATIONS = Table("graph_attestation_v1", AttestationRow, key="attestation_id")
GOALS = Table("graph_goal_v1", GoalRow, key="goal_id")
ALIGNMENTS = Table("graph_alignment_v1", AlignmentRow, key="link_id")
PROCESSES = Table("graph_process_v1", ProcessRow, key="process_id")
MEASURES = Table("graph_measure_v1", MeasureRow, key="measure_id")
OUTCOME_LINKS = Table("graph_outcome_link_v1", OutcomeLinkRow, key="link_id")
SUPPORT = Table("graph_support_v1", SupportRow, key="link_id")
METRICS = Table("graph_metric_v1", MetricRow, key="outcome_metric_id")
IMPROVEMENTS = Table("graph_improvement_v1", ImprovementRow, key="improvement_id")
CONTRIBUTIONS = Table("graph_contribution_v1", ContributionRow, key="contribution_id")
UNITS = Table("graph_unit_v1", UnitRow, key=("quarter_ends_on", "node"))
CROWDS = Table("graph_crowd_v1", CrowdRow, key=("improvement_id", "start_id"))
UNIT_LEARNING = Table("graph_unit_learning_v1", UnitLearningRow, key=("unit_key", "competency_id"))
