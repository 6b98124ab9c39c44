from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from domain.improving import (
    AFTER,
    BEFORE,
    BETTER,
    COLLEAGUE,
    GUEST,
    HANDOVER,
    IMPROVEMENT,
    LISTENING,
    MEMBER,
    MINUTES,
    MIRA,
    NOOR,
    OLAF,
    SERVICE,
    STRANGER,
    TOO_FEW,
    UNCLEAR,
    a_world,
    effect,
    opened,
    person,
    record_result,
    summary,
)
from domain.world import ADMINISTRATOR, DAY
from lms.domain.base import Malformed, NotFound
from lms.domain.contributor import Contributor, ContributorIsInactive, DeactivateContributor
from lms.domain.effect import Baseline, Comparison, Design, Effect, Verdict, gain, judge, weakest_origin
from lms.domain.goal import Goal
from lms.domain.goal_parts import Level, Owner, Purpose
from lms.domain.improvement import Improvement
from lms.domain.improvement_commands import (
    AdoptImprovement,
    CheckSustainment,
    ConfirmUse,
    NameObstacle,
    PlanExperiment,
    RevertImprovement,
    ReviewExperiment,
    RunExperiment,
    SettleObstacle,
)
from lms.domain.improvement_parts import (
    AlreadyAdopted,
    ConfirmedByClaimant,
    ExperimentHasNotRun,
    ExperimentIsNotReviewed,
    ExperimentIsOver,
    ExperimentOutcome,
    ImprovementExists,
    ImprovementIsReverted,
    NoResultYet,
    NotAdopted,
    NotYourTeam,
    ObstacleIsSettled,
    ObstacleState,
    Plan,
    Review,
    Run,
    TargetCondition,
    UseIsConfirmed,
    Window,
)
from lms.domain.process import Process
from lms.domain.terms import Direction, Origin, Visibility

OBSTACLE, EXPERIMENT = UUID(int=810), UUID(int=820)
LEAD = {"actor": person(UUID(int=104)), "today": DAY}


@pytest.fixture
def world():
    world = a_world()
    opened(world)
    return world


def send(world, command):
    return world.send(Improvement, IMPROVEMENT, command)


def plan(world, **changes):
    facts = {"experiment_id": EXPERIMENT, "hypothesis": "One form for both", "planned_on": date(2026, 1, 25)}
    return send(world, PlanExperiment(**MEMBER, plan=Plan(**facts | changes)))


def run(world, by=MEMBER, **changes):
    facts = {"on": date(2026, 2, 10), "observed": Decimal(24), "n": 12}
    return send(world, RunExperiment(**by, experiment_id=EXPERIMENT, run=Run(**facts | changes)))


def review(world, by=MEMBER, **changes):
    facts = {"experiment_id": EXPERIMENT, "on": date(2026, 2, 20), "outcome": ExperimentOutcome.AS_EXPECTED}
    return send(world, ReviewExperiment(**by, review=Review(**facts | {"competencies_used": (LISTENING,)} | changes)))


def test_a_team_opens_an_improvement_of_a_process(world):
    assert world.told == [
        Improvement.Opened(
            process_id=HANDOVER, team_id=SERVICE, on=date(2026, 1, 20), problem="Customers tell their story twice"
        )
    ]
    with pytest.raises(ImprovementExists):
        opened(world)


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        (STRANGER, NotYourTeam),
        ({"process_id": UUID(int=1)}, NotFound),
        ({"problem": ""}, Malformed),
        ({"on": date(2026, 3, 3)}, Malformed),
        ({"trigger_period": Window(start=date(2026, 1, 2), end=date(2026, 1, 1))}, Malformed),
        ({"target_condition": TargetCondition(measure_id=UUID(int=1), value=Decimal(20))}, NotFound),
        ({"competencies": (UUID(int=1),)}, Malformed),
        ({"goal_id": UUID(int=1)}, Malformed),
        ({"need_ids": (UUID(int=1),)}, Malformed),
    ],
    ids=[
        "another team",
        "no such process",
        "no problem",
        "tomorrow",
        "reversed period",
        "no such measure",
        "no such competency",
        "no such goal",
        "no such need",
    ],
)
def test_an_improvement_is_of_a_process_and_of_ones_own_team(wrong, refusal):
    with pytest.raises(refusal):
        opened(a_world(), **wrong)


def test_only_the_team_works_on_it_and_guests_do_not_know_it(world):
    with pytest.raises(NotYourTeam):
        send(world, NameObstacle(**STRANGER, obstacle_id=OBSTACLE, text="Two systems"))
    with pytest.raises(NotFound):
        send(world, NameObstacle(**GUEST, obstacle_id=OBSTACLE, text="Two systems"))
    with pytest.raises(NotFound):
        world.send(Improvement, UUID(int=1), NameObstacle(**MEMBER, obstacle_id=OBSTACLE, text="Two systems"))


def test_several_obstacles_stand_until_they_are_cleared_or_ruled_out(world):
    for number, text in enumerate(("Two systems", "No overlap of shifts")):
        send(world, NameObstacle(**MEMBER, obstacle_id=UUID(int=810 + number), text=text))
    send(world, SettleObstacle(**MEMBER, obstacle_id=OBSTACLE, state=ObstacleState.EVIDENCED, note="Seen on Monday"))
    send(world, SettleObstacle(**MEMBER, obstacle_id=OBSTACLE, state=ObstacleState.CLEARED))
    settled = SettleObstacle(**MEMBER, obstacle_id=UUID(int=811), state=ObstacleState.RULED_OUT, note="They do")
    assert send(world, settled).obstacles == {
        OBSTACLE: ObstacleState.CLEARED,
        UUID(int=811): ObstacleState.RULED_OUT,
    }
    with pytest.raises(ObstacleIsSettled):
        send(world, settled)


def test_an_obstacle_is_not_settled_without_saying_what_was_seen(world):
    send(world, NameObstacle(**MEMBER, obstacle_id=OBSTACLE, text="Two systems"))
    for state in (ObstacleState.EVIDENCED, ObstacleState.RULED_OUT, ObstacleState.NAMED):
        with pytest.raises(Malformed):
            send(world, SettleObstacle(**MEMBER, obstacle_id=OBSTACLE, state=state))
    with pytest.raises(NotFound):
        send(world, SettleObstacle(**MEMBER, obstacle_id=UUID(int=1), state=ObstacleState.CLEARED))


def test_an_experiment_is_planned_run_and_reviewed(world):
    planned = plan(world, measure_id=MINUTES, expected_value=Decimal(25), review_on=date(2026, 2, 15))
    assert world.told[0].on == date(2026, 1, 25)
    assert planned.plans[EXPERIMENT].expected_value == 25
    run(world)
    assert world.told[0].run_by == MIRA
    review(world, learned="Short forms are filled in", confirmed_by=NOOR)
    assert world.told[0].on == date(2026, 2, 20)
    told = world.told[0].review
    assert (told.claimed_by, told.asked, told.confirmed_by) == (MIRA, NOOR, None)


def test_a_plan_fits_the_process_its_obstacles_and_the_calendar(world):
    for wrong, refusal in (
        ({"hypothesis": " "}, Malformed),
        ({"planned_on": date(2026, 3, 3)}, Malformed),
        ({"review_on": date(2026, 1, 1)}, Malformed),
        ({"measure_id": UUID(int=1)}, NotFound),
        ({"obstacle_id": UUID(int=1)}, NotFound),
    ):
        with pytest.raises(refusal):
            plan(world, **wrong)
    send(world, NameObstacle(**MEMBER, obstacle_id=OBSTACLE, text="Two systems"))
    assert plan(world, obstacle_id=OBSTACLE).plans[EXPERIMENT].obstacle_id == OBSTACLE


def test_an_experiment_runs_once_after_it_was_planned(world):
    with pytest.raises(NotFound):
        run(world)
    plan(world)
    for wrong in ({"on": date(2026, 1, 24)}, {"on": date(2026, 3, 3)}, {"n": 0}):
        with pytest.raises(Malformed):
            run(world, **wrong)
    run(world)
    with pytest.raises(ExperimentIsOver):
        run(world)


def test_an_experiment_is_reviewed_once_after_it_ran(world):
    with pytest.raises(NotFound):
        review(world)
    plan(world)
    with pytest.raises(ExperimentHasNotRun):
        review(world)
    run(world)
    with pytest.raises(Malformed):
        review(world, on=date(2026, 3, 3))
    with pytest.raises(Malformed):
        review(world, learned=" ")
    review(world)
    with pytest.raises(ExperimentIsOver):
        review(world)


def test_a_review_may_say_how_the_experiment_ran(world):
    plan(world)
    ran = Run(on=date(2026, 2, 10), observed=Decimal(24))
    facts = {"experiment_id": EXPERIMENT, "on": date(2026, 2, 20), "outcome": ExperimentOutcome.DIFFERENT}
    send(world, ReviewExperiment(**MEMBER, review=Review(**facts), run=ran))
    assert [event.TOPIC for event in world.told] == [
        "improvement.experiment-run",
        "improvement.experiment-reviewed",
    ]


def test_only_who_takes_part_confirms_the_use_of_what_there_is(world):
    plan(world)
    run(world)
    with pytest.raises(NotFound):
        review(world, confirmed_by=UUID(int=1))
    with pytest.raises(Malformed) as refused:
        review(world, competencies_used=(LISTENING, UUID(int=1)))
    assert refused.value.facts["pointer"] == "/competencies_used/1"
    world.send(Contributor, NOOR, DeactivateContributor(actor=ADMINISTRATOR, today=DAY, on=DAY))
    with pytest.raises(ContributorIsInactive):
        review(world, confirmed_by=NOOR)


def test_an_improvement_serves_a_goal_that_is_shown_to_who_opens_it(world):
    for number, visibility in enumerate((Visibility.ORGANISATION, Visibility.PRIVATE)):
        goal = Goal.blank(UUID(int=300 + number))
        purpose, owner = Purpose(statement="Keep customers"), Owner(team_id=UUID(int=501))
        goal.record(
            Goal.Proposed(level=Level.TEAM, title="Faster", purpose=purpose, owner=owner, visibility=visibility)
        )
        world.streams[goal.id] = goal.snapshot()
    assert opened(world, improvement_id=UUID(int=801), goal_id=UUID(int=300)).goal_id == UUID(int=300)
    with pytest.raises(Malformed):
        opened(world, improvement_id=UUID(int=802), goal_id=UUID(int=301))


def test_the_use_of_a_competency_is_confirmed_by_another_than_who_claims_it(world):
    plan(world)
    run(world)
    with pytest.raises(ConfirmedByClaimant):
        review(world, confirmed_by=MIRA)
    with pytest.raises(ConfirmedByClaimant):
        review(world, COLLEAGUE, confirmed_by=MIRA)
    review(world, COLLEAGUE, confirmed_by=NOOR)
    told = world.told[0].review
    assert (told.claimed_by, told.asked, told.confirmed_by) == (MIRA, None, NOOR)


def confirm(world, by):
    return send(world, ConfirmUse(**by, experiment_id=EXPERIMENT))


def test_who_is_named_confirms_by_an_act_of_his_own(world):
    plan(world)
    run(world)
    assert review(world, confirmed_by=OLAF).reviews[EXPERIMENT].confirmed_by is None
    assert confirm(world, STRANGER).reviews[EXPERIMENT].confirmed_by == OLAF
    assert world.told == [Improvement.UseConfirmed(experiment_id=EXPERIMENT, confirmed_by=OLAF)]
    with pytest.raises(UseIsConfirmed):
        confirm(world, COLLEAGUE)


def test_a_guest_confirms_what_he_was_asked_and_nothing_else(world):
    plan(world)
    run(world)
    review(world, confirmed_by=NOOR)
    with pytest.raises(NotFound):
        confirm(world, GUEST)
    world = a_world()
    opened(world)
    plan(world)
    run(world)
    review(world, confirmed_by=OLAF)
    assert confirm(world, GUEST).reviews[EXPERIMENT].confirmed_by == OLAF


def test_another_of_the_team_confirms_unasked_but_neither_claimant_nor_runner(world):
    with pytest.raises(NotFound):
        confirm(world, COLLEAGUE)
    plan(world)
    run(world)
    with pytest.raises(ExperimentIsNotReviewed):
        confirm(world, COLLEAGUE)
    review(world, LEAD)
    for claimant in (MEMBER, LEAD):
        with pytest.raises(ConfirmedByClaimant):
            confirm(world, claimant)
    with pytest.raises(NotYourTeam):
        confirm(world, STRANGER)
    assert confirm(world, COLLEAGUE).reviews[EXPERIMENT].confirmed_by == NOOR


def test_a_confirmation_of_nothing_is_not_found(world):
    with pytest.raises(NotFound):
        world.send(Improvement, UUID(int=1), ConfirmUse(**MEMBER, experiment_id=EXPERIMENT))


def test_an_improvement_took_effect_with_its_first_result_and_not_before_it_has_one(world):
    assert world.streams[IMPROVEMENT].took_effect_on is None
    record_result(world)
    assert world.streams[IMPROVEMENT].took_effect_on == AFTER.start


def test_a_result_that_is_better_improves_the_process_in_the_same_command(world):
    record_result(world)
    assert [event.TOPIC for event in world.told] == ["improvement.result-recorded", "process.improved"]
    recorded, improved = world.told
    assert recorded.on == AFTER.end
    assert recorded.result.took_effect_on == AFTER.start
    assert improved == Process.Improved(improvement_id=IMPROVEMENT, measure_id=MINUTES, on=AFTER.start, effect=BETTER)
    assert world.streams[HANDOVER].improved_on == AFTER.start


@pytest.mark.parametrize("found", [UNCLEAR, TOO_FEW, effect(2, 5, Verdict.WORSE)], ids=["unclear", "too few", "worse"])
def test_any_other_result_stands_with_its_verdict_and_improves_nothing(world, found):
    record_result(world, found)
    (recorded,) = world.told
    assert recorded.result.effect.verdict is found.verdict


@pytest.mark.parametrize(
    "wrong",
    [
        {"found": effect(-4, 1, Verdict.BETTER)},
        {"found": effect(2, 5, Verdict.BETTER)},
        {"found": Effect(verdict=Verdict.BETTER, method="eye", method_version=1)},
        {"before": summary(30, n=4)},
        {"before": summary(30, end=date(2026, 2, 1))},
    ],
    ids=["crosses zero", "wrong side", "no interval", "four observations", "windows overlap"],
)
def test_a_verdict_that_its_own_figures_contradict_is_refused(world, wrong):
    with pytest.raises(Malformed):
        record_result(world, **wrong)


def test_a_result_is_about_a_measure_of_the_process_and_runs_forward(world):
    with pytest.raises(NotFound):
        record_result(world, measure_id=UUID(int=1))
    with pytest.raises(Malformed):
        record_result(world, TOO_FEW, before=AFTER, after=BEFORE)
    with pytest.raises(Malformed):
        record_result(world, TOO_FEW, after=summary(1, date(2026, 2, 1), date(2026, 3, 3)))


def test_a_baseline_inside_the_period_that_raised_the_alarm_is_a_trigger():
    for period, baseline in (
        (Window(start=date(2026, 1, 1), end=date(2026, 1, 31)), Baseline.TRIGGER),
        (Window(start=date(2026, 1, 10), end=date(2026, 1, 31)), Baseline.STANDING),
    ):
        world = a_world()
        opened(world, trigger_period=period)
        assert record_result(world).result.baseline is baseline
    assert record_result(world, baseline=Baseline.CHOSEN_AFTER).result.baseline is Baseline.CHOSEN_AFTER


@pytest.mark.parametrize("said", [Baseline.STANDING, Baseline.CHOSEN_AFTER])
def test_nobody_talks_a_baseline_out_of_the_period_that_raised_the_alarm(said):
    world = a_world()
    opened(world, trigger_period=Window(start=BEFORE.start, end=BEFORE.end))
    assert record_result(world, baseline=said).result.baseline is Baseline.TRIGGER


def test_a_design_counts_as_recorded_before_only_when_it_stood_in_a_plan(world):
    elsewhere = Comparison(label="North", before=BEFORE, after=BEFORE)
    random = {"design": Design.RANDOMISED, "comparison": elsewhere}
    assert record_result(world, **random).result.recorded_before is False
    plan(world, design=Design.RANDOMISED)
    assert record_result(world, **random).result.recorded_before is False, (
        "a plan that came in after counts for nothing"
    )
    planned = Plan(experiment_id=UUID(int=821), hypothesis="By lot", design=Design.RANDOMISED, planned_on=BEFORE.start)
    send(world, PlanExperiment(actor=MEMBER["actor"], today=BEFORE.end, plan=planned))
    assert record_result(world, **random).result.recorded_before is True
    with pytest.raises(Malformed):
        record_result(world, design=Design.COMPARED)


def adopt(world, on=date(2026, 3, 1)):
    return send(world, AdoptImprovement(**MEMBER, on=on, standard_ref="wiki/hand-over"))


def check(world, value=23, found=BETTER, start=date(2026, 3, 1), end=date(2026, 3, 2), days_after=30):
    return send(
        world, CheckSustainment(**MEMBER, days_after=days_after, summary=summary(value, start, end), effect=found)
    )


def test_an_improvement_is_adopted_once_with_a_result(world):
    with pytest.raises(NoResultYet):
        adopt(world)
    record_result(world)
    assert adopt(world).adopted_on == date(2026, 3, 1)
    with pytest.raises(AlreadyAdopted):
        adopt(world)


@pytest.mark.parametrize(
    ("value", "found", "holds"),
    [(23, BETTER, True), (26, BETTER, True), (27, BETTER, False), (25, UNCLEAR, False), (22, TOO_FEW, None)],
    ids=["kept", "just half kept", "less than half kept", "not clearly better than before", "too few to say"],
)
def test_a_gain_holds_while_it_is_clearly_better_and_half_of_it_is_kept(world, value, found, holds):
    record_result(world)
    adopt(world)
    assert check(world, value, found).holds is holds
    assert world.told[0].on == date(2026, 3, 2)


def test_sustainment_is_checked_after_adoption_on_later_days(world):
    with pytest.raises(NotAdopted):
        check(world)
    record_result(world)
    with pytest.raises(NotAdopted):
        check(world)
    adopt(world)
    with pytest.raises(Malformed):
        check(world, start=date(2026, 2, 28))
    with pytest.raises(Malformed):
        check(world, days_after=0)


def test_what_was_taken_back_is_over(world):
    send(world, RevertImprovement(**MEMBER, on=date(2026, 2, 1), reason="It cost more than it gave"))
    with pytest.raises(ImprovementIsReverted):
        plan(world)


def test_an_interval_says_better_only_on_the_good_side():
    low, high = Decimal(1), Decimal(2)
    assert judge(Direction.INCREASE, low, high) is Verdict.BETTER
    assert judge(Direction.INCREASE, -high, -low) is Verdict.WORSE
    assert judge(Direction.DECREASE, -high, -low) is Verdict.BETTER
    assert judge(Direction.HOLD, low, high) is Verdict.WORSE
    assert judge(Direction.INCREASE, Decimal(0), high) is Verdict.NO_CLEAR_CHANGE
    assert gain(low, high, Direction.INCREASE) == 1
    assert gain(low, high, Direction.DECREASE) == -1


def test_the_weakest_origin_bounds_what_may_be_said():
    assert weakest_origin((Origin.SYSTEM, Origin.RECALLED, Origin.COUNTED)) is Origin.RECALLED
    assert weakest_origin((Origin.SYSTEM, Origin.COUNTED)) is Origin.COUNTED
    assert weakest_origin((Origin.SYSTEM,)) is Origin.SYSTEM
    assert weakest_origin(()) is Origin.RECALLED
