"""What is sent about a contribution, and how does one look?"""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import msgspec

from lms.api.bodies import Body
from lms.api.figures import ComparisonBody, Side, WindowBody
from lms.api.links import AlternativeShown, EvidenceShown
from lms.domain.contribution import Cause, CauseKind, Change, Contribution, Moved, Share, Standing
from lms.domain.effect import Design
from lms.domain.improvement_parts import Window
from lms.domain.support import Stance
from lms.inference.grades import grade_of_contribution, grade_of_outcome_link, may_say
from lms.projections.contributions import ContributionRow


class CauseBody(Body, frozen=True, kw_only=True):
    """What contributed: a competency (``skill``), something learned, or an improvement."""

    kind: Annotated[CauseKind, msgspec.Meta(examples=["improvement"])]
    id: UUID


class FigureBody(Body, frozen=True, kw_only=True):
    """The figure that moved: an outcome metric, or a measure of a process."""

    outcome_metric_id: UUID | None = None
    measure_id: UUID | None = None


class ShareBody(Body, frozen=True, kw_only=True):
    """Which part of the change it explains, from low to high, between 0 and 1."""

    low: Annotated[Decimal, msgspec.Meta(examples=[0.2])]
    high: Annotated[Decimal, msgspec.Meta(examples=[0.5])]


class ContributionComparison(ComparisonBody, frozen=True, kw_only=True):
    """The same where nothing was changed: another measure, metric or segment over the same days, or two sides."""

    outcome_metric_id: UUID | None = None
    segment: str | None = None


class NewContribution(Body, frozen=True, kw_only=True):
    """Something moved a figure. With ``before`` the figure's change over the window is computed and kept with it."""

    cause: CauseBody = msgspec.field(name="from")
    moved: FigureBody = msgspec.field(name="to")
    mechanism: Annotated[str, msgspec.Meta(examples=["Who is helped at once comes back"])]
    window: WindowBody
    share: ShareBody | None = None
    before: Side | None = None
    design: Annotated[Design, msgspec.Meta(description="How before and after are compared")] = Design.BEFORE_AFTER
    comparison: ContributionComparison | None = None
    after: Annotated[Side | None, msgspec.Meta(description="The window, unless said otherwise")] = None
    segment: Annotated[str | None, msgspec.Meta(description="Of the outcome metric; the whole unless said")] = None


class Reason(Body, frozen=True, kw_only=True):
    """Why."""

    reason: Annotated[str, msgspec.Meta(examples=["The price cut explains it"])]


class Withdrawal(Body, frozen=True, kw_only=True):
    """Why, if you like."""

    reason: str | None = None


class ContributionShown(msgspec.Struct, frozen=True, kw_only=True):
    """A contribution, where it stands and what may be said because of it.

    ``over_claimed``: accepted shares of the same change sum above the whole; nothing is normalised.
    """

    id: UUID
    cause: Cause = msgspec.field(name="from")
    moved: Moved = msgspec.field(name="to")
    mechanism: str
    window: Window
    share: Share | None
    change: Change | None
    standing: Standing
    supporting_n: int
    weakening_n: int
    alternatives_n: int
    grade: int
    may_say: str
    over_claimed: bool | None = None
    next: tuple[str, ...]


class ContributionWhole(ContributionShown, frozen=True, kw_only=True):
    """A contribution with its evidence and alternatives."""

    evidence: list[EvidenceShown]
    alternatives: list[AlternativeShown]
    reason: str | None


def shown(contribution: Contribution, took_effect_on: date | None) -> ContributionShown:
    """A contribution just written; ``took_effect_on`` is the day of the improvement that contributed, if it has one."""
    counts = contribution.supporting_n, contribution.weakening_n, contribution.alternatives_n
    return _parts_shown(contribution.id, contribution, contribution.moved, contribution.window, counts, took_effect_on)


def row_shown(row: ContributionRow, over_claimed: bool, took_effect_on: date | None) -> ContributionShown:
    """A contribution as the read model holds it."""
    supporting_n = sum(one.stance is Stance.SUPPORTS for one in row.evidence)
    counts = supporting_n, len(row.evidence) - supporting_n, len(row.alternatives)
    moved = Moved(outcome_metric_id=row.outcome_metric_id, process_id=row.process_id, measure_id=row.measure_id)
    window = Window(start=row.starts_on, end=row.ends_on)
    parts = _parts_shown(row.contribution_id, row, moved, window, counts, took_effect_on)
    return msgspec.structs.replace(parts, over_claimed=over_claimed)


def _parts_shown(
    contribution_id: UUID,
    one: Contribution | ContributionRow,
    moved: Moved,
    window: Window,
    counts: tuple[int, int, int],
    took_effect_on: date | None,
) -> ContributionShown:
    supporting_n, weakening_n, alternatives_n = counts
    is_accepted = one.standing is Standing.ACCEPTED
    grade = grade_of_outcome_link(
        supported=supporting_n > 0,
        alternatives_n=alternatives_n,
        accepted=is_accepted,
        change_grade=grade_of_contribution(one.change, took_effect_on) if one.change else None,
    )
    missing = {"evidence": not supporting_n, "alternatives": not alternatives_n, "acceptance": not is_accepted}
    open_still = one.standing is Standing.STATED
    return ContributionShown(
        id=contribution_id,
        cause=one.cause,
        moved=moved,
        mechanism=one.mechanism,
        window=window,
        share=one.share,
        change=one.change,
        standing=one.standing,
        supporting_n=supporting_n,
        weakening_n=weakening_n,
        alternatives_n=alternatives_n,
        grade=grade,
        may_say=may_say(grade, one.change.effect.verdict if one.change and is_accepted else None),
        next=tuple(code for code, absent in missing.items() if absent and open_still),
    )
