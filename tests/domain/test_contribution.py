from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from domain.improving import (
    AFTER,
    BEFORE,
    COLLEAGUE,
    GUEST,
    HANDOVER,
    IMPROVEMENT,
    LISTENING,
    MEMBER,
    MINUTES,
    MIRA,
    NOOR,
    REPEAT_PURCHASES,
    UNCLEAR,
    a_world,
    effect,
    opened,
)
from lms.domain.base import Actor, Malformed, NotFound
from lms.domain.contribution import (
    AcceptContribution,
    AcceptedByWhoStatedIt,
    Cause,
    CauseKind,
    Change,
    Contribution,
    ContributionExists,
    ContributionIsSettled,
    Moved,
    NeedsEvidenceAndAlternative,
    NotYourContribution,
    OfferAlternative,
    RejectContribution,
    Share,
    Standing,
    StateContribution,
    SupportContribution,
    WithdrawContribution,
)
from lms.domain.effect import Verdict
from lms.domain.improvement_parts import Window
from lms.domain.learning_entry import LearningEntry, LogLearning
from lms.domain.support import Alternative, Evidence, Stance
from lms.domain.team_learning import TeamLearning
from lms.domain.terms import Origin

THIS, PIECE = UUID(int=900), UUID(int=901)
ACCEPT = AcceptContribution(**COLLEAGUE)


@pytest.fixture
def world():
    world = a_world()
    opened(world)
    return world


def state(world, by=MEMBER, **changes):
    facts = {
        "contribution_id": THIS,
        "cause": Cause(kind=CauseKind.IMPROVEMENT, id=IMPROVEMENT),
        "moved": Moved(outcome_metric_id=REPEAT_PURCHASES),
        "mechanism": "Who is helped at once comes back",
        "window": Window(start=date(2026, 2, 1), end=date(2026, 2, 28)),
    }
    facts |= changes
    return world.send(Contribution, facts["contribution_id"], StateContribution(**by, **facts))


def send(world, command):
    return world.send(Contribution, THIS, command)


def support(world, stance=Stance.SUPPORTS):
    return send(
        world, SupportContribution(**COLLEAGUE, evidence=Evidence(evidence_id=PIECE, stance=stance, ref="Survey"))
    )


def offer(world):
    return send(
        world, OfferAlternative(**MEMBER, alternative=Alternative(alternative_id=PIECE, text="Prices went down"))
    )


def test_somebody_says_what_moved_a_figure_and_how(world):
    state(world, share=Share(low=Decimal("0.2"), high=Decimal("0.5")))
    (stated,) = world.told
    assert stated.stated_by == MIRA
    assert set(world.read) == {REPEAT_PURCHASES, IMPROVEMENT}
    with pytest.raises(ContributionExists):
        state(world)


def test_a_skill_may_have_moved_a_measure_of_a_process(world):
    cause = Cause(kind=CauseKind.SKILL, id=LISTENING)
    assert state(world, cause=cause, moved=Moved(process_id=HANDOVER, measure_id=MINUTES)).cause == cause


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"mechanism": ""}, Malformed),
        ({"window": Window(start=date(2026, 2, 2), end=date(2026, 2, 1))}, Malformed),
        ({"window": Window(start=date(2026, 3, 3), end=date(2026, 3, 4))}, Malformed),
        ({"share": Share(low=Decimal("0.6"), high=Decimal("0.5"))}, Malformed),
        ({"share": Share(low=Decimal(0), high=Decimal("1.5"))}, Malformed),
        ({"moved": Moved()}, Malformed),
        ({"moved": Moved(process_id=HANDOVER)}, Malformed),
        ({"moved": Moved(outcome_metric_id=REPEAT_PURCHASES, measure_id=MINUTES)}, Malformed),
        ({"moved": Moved(outcome_metric_id=UUID(int=1))}, NotFound),
        ({"moved": Moved(process_id=HANDOVER, measure_id=UUID(int=1))}, NotFound),
        ({"cause": Cause(kind=CauseKind.IMPROVEMENT, id=UUID(int=1))}, NotFound),
        ({"cause": Cause(kind=CauseKind.SKILL, id=UUID(int=1))}, NotFound),
        ({"cause": Cause(kind=CauseKind.LEARNING, id=UUID(int=1))}, NotFound),
    ],
)
def test_a_contribution_says_how_and_names_what_there_is(world, wrong, refusal):
    with pytest.raises(refusal):
        state(world, **wrong)


def test_one_names_ones_own_learning_or_the_teams_and_nobody_elses(world):
    entry, held = UUID(int=950), UUID(int=951)
    logged = LogLearning(**MEMBER, entry_id=entry, note="How to listen", competencies=(LISTENING,))
    world.send(LearningEntry, entry, logged)
    world.streams[held] = TeamLearning.blank(held)
    cause = Cause(kind=CauseKind.LEARNING, id=entry)
    with pytest.raises(NotFound):
        state(world, COLLEAGUE, cause=cause)
    assert state(world, cause=cause).cause == cause
    other = UUID(int=902)
    of_team = Cause(kind=CauseKind.LEARNING, id=held)
    assert state(world, COLLEAGUE, contribution_id=other, cause=of_team).cause == of_team


def test_the_change_of_the_figure_enters_with_its_verdict_and_may_not_contradict_itself(world):
    change = Change(before=BEFORE, after=AFTER, before_origin=Origin.SYSTEM, after_origin=Origin.SYSTEM, effect=UNCLEAR)
    state(world, change=change)
    assert world.told[0].change.effect.verdict is Verdict.NO_CLEAR_CHANGE
    wrong = Change(
        before=BEFORE,
        after=AFTER,
        before_origin=Origin.SYSTEM,
        after_origin=Origin.SYSTEM,
        effect=effect(-3, -1, Verdict.BETTER),
    )
    with pytest.raises(Malformed):
        world.send(
            Contribution,
            UUID(int=902),
            StateContribution(
                **MEMBER,
                contribution_id=UUID(int=902),
                cause=Cause(kind=CauseKind.SKILL, id=LISTENING),
                moved=Moved(outcome_metric_id=REPEAT_PURCHASES),
                mechanism="It must",
                window=Window(start=date(2026, 2, 1), end=date(2026, 2, 28)),
                change=wrong,
            ),
        )


def test_it_is_accepted_with_evidence_and_an_alternative_by_another_than_who_stated_it(world):
    state(world)
    with pytest.raises(NeedsEvidenceAndAlternative):
        send(world, ACCEPT)
    support(world, Stance.WEAKENS)
    offer(world)
    with pytest.raises(NeedsEvidenceAndAlternative):
        send(world, ACCEPT)
    support(world)
    with pytest.raises(AcceptedByWhoStatedIt):
        send(world, AcceptContribution(**MEMBER))
    with pytest.raises(AcceptedByWhoStatedIt):
        send(world, AcceptContribution(actor=Actor(), today=MEMBER["today"]))
    assert send(world, ACCEPT).standing is Standing.ACCEPTED
    assert world.told == [Contribution.Accepted(accepted_by=NOOR)]


def test_an_alternative_alone_is_not_enough_and_neither_is_evidence_alone(world):
    state(world)
    support(world)
    with pytest.raises(NeedsEvidenceAndAlternative):
        send(world, ACCEPT)


def test_what_is_settled_stays_settled(world):
    state(world)
    support(world)
    offer(world)
    send(world, ACCEPT)
    with pytest.raises(ContributionIsSettled):
        support(world)


def test_another_rejects_it_and_says_why(world):
    state(world)
    with pytest.raises(AcceptedByWhoStatedIt):
        send(world, RejectContribution(**MEMBER, reason="I changed my mind"))
    with pytest.raises(Malformed):
        send(world, RejectContribution(**COLLEAGUE, reason=""))
    assert send(world, RejectContribution(**COLLEAGUE, reason="Prices explain it")).standing is Standing.REJECTED


def test_who_stated_it_takes_it_back_and_nobody_else(world):
    state(world)
    with pytest.raises(NotYourContribution):
        send(world, WithdrawContribution(**COLLEAGUE))
    assert send(world, WithdrawContribution(**MEMBER)).standing is Standing.WITHDRAWN


def test_guests_know_of_no_contribution(world):
    state(world)
    with pytest.raises(NotFound):
        send(world, AcceptContribution(**GUEST))
    with pytest.raises(NotFound):
        world.send(Contribution, UUID(int=1), ACCEPT)
