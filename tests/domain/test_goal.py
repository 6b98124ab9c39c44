from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from domain.goals import (
    BOSS,
    CALLS_EACH,
    CYCLE,
    DONE,
    FED,
    GUEST,
    HAND_OVER,
    MINE,
    MIRA,
    NOOR,
    OMAR,
    OURS,
    RENEWAL,
    REPEAT,
    SALES,
    SERVICE,
    SHARE,
    agreed,
    baseline,
    furnished,
    milestone,
    mine,
    ours,
    renewal,
    share,
)
from domain.world import ADMINISTRATOR, DAY
from lms.domain.base import Malformed, NotFound
from lms.domain.goal import Goal
from lms.domain.goal_commands import (
    AdjustGoal,
    AgreeOnGoal,
    ChangeVisibility,
    CheckIn,
    CloseGoal,
    CorrectCheckIn,
    DefineKeyResult,
    ReflectOnGoal,
)
from lms.domain.goal_parts import (
    AdjustedField,
    AdjustmentReason,
    FinalValue,
    GoalIsClosed,
    GoalIsNotSet,
    GoalIsSet,
    How,
    Level,
    NotYourGoal,
    Owner,
    PersonVolumeIsNoGoal,
    Purpose,
    Setting,
    Status,
    TargetEqualsBaseline,
    ValueComesFromMeasurements,
)
from lms.domain.team import Team, TeamIsDisbanded
from lms.domain.team_commands import DisbandTeam
from lms.domain.terms import Direction, Visibility

CHECK_IN = UUID(int=5000)


@pytest.fixture
def world():
    return furnished()


def meeting(actor, **changes):
    return AgreeOnGoal(actor=actor, today=DAY, **{"on": DAY, "how": How.MEETING, "participants_n": 7, **changes})


def check_in(actor, **changes):
    facts = {"check_in_id": CHECK_IN, "key_result_id": SHARE, "value": Decimal(33), "observed_on": DAY, **changes}
    return CheckIn(actor=actor, today=DAY, **facts)


def adjust(actor, **changes):
    facts = {"field": AdjustedField.TARGET, "key_result_id": SHARE, "to": Setting(number=Decimal(34)), "on": DAY}
    return AdjustGoal(actor=actor, today=DAY, **{**facts, "reason": AdjustmentReason.LEARNED, **changes})


def close(actor, result=Status.ACHIEVED, **changes):
    return CloseGoal(actor=actor, today=DAY, result=result, **{"on": DAY, **changes})


def pointer(refused):
    return refused.value.facts["pointer"]


def kinds(world):
    return [type(event).TOPIC for event in world.told]


class TestProposing:
    def test_an_individual_goal_stands_at_once_and_is_private(self, world):
        goal = world.send(Goal, MINE, mine(key_results=(share(),), my_reason="I was not heard once"))
        assert kinds(world) == ["goal.proposed", "goal.key-result-defined", "goal.set"]
        assert (goal.status, goal.visibility) == (Status.ACTIVE, Visibility.PRIVATE)
        assert world.told[-1] == Goal.Set(on=DAY, how=How.OWN, contributor_kinds=("employee",))

    def test_a_team_goal_waits_for_its_meeting_and_is_open_inside(self, world):
        goal = world.send(Goal, OURS, ours())
        assert (goal.status, goal.visibility) == (Status.PROPOSED, Visibility.ORGANISATION)

    @pytest.mark.parametrize("actor", [OMAR, GUEST], ids=["another team", "customer"])
    def test_anyone_may_propose_a_goal_to_any_team(self, world, actor):
        assert world.send(Goal, OURS, ours(actor)).proposer == actor.contributor_id

    def test_anyone_may_propose_a_goal_of_the_business_model(self, world):
        assert world.send(Goal, RENEWAL, renewal(MIRA)).status is Status.PROPOSED

    def test_nobody_makes_an_individual_goal_for_another(self, world):
        with pytest.raises(Malformed) as refused:
            world.send(Goal, MINE, mine(owner=Owner(contributor_id=OMAR.contributor_id)))
        assert pointer(refused) == "/owner"

    @pytest.mark.parametrize(
        "proposal",
        [
            ours(owner=Owner()),
            ours(owner=Owner(team_id=SALES, contributor_id=NOOR.contributor_id)),
            renewal(owner=Owner(team_id=SALES)),
            mine(owner=Owner()),
        ],
    )
    def test_the_owner_fits_the_level(self, world, proposal):
        with pytest.raises(Malformed) as refused:
            world.send(Goal, proposal.goal_id, proposal)
        assert pointer(refused) == "/owner"

    @pytest.mark.parametrize(
        ("changes", "where"),
        [
            ({"title": "  "}, "/title"),
            ({"title": "x" * 301}, "/title"),
            ({"purpose": Purpose(statement="")}, "/purpose/statement"),
        ],
    )
    def test_a_goal_has_a_title_and_a_purpose(self, world, changes, where):
        with pytest.raises(Malformed) as refused:
            world.send(Goal, OURS, ours(**changes))
        assert pointer(refused) == where

    def test_a_goal_without_any_path_to_an_outcome_is_not_blocked(self, world):
        assert world.send(Goal, OURS, ours()).alignments == {}

    def test_a_purpose_may_name_a_process_and_an_outcome_metric(self, world):
        purpose = Purpose(statement="Faster", process_id=HAND_OVER, outcome_metric_id=REPEAT)
        assert world.send(Goal, OURS, ours(purpose=purpose, cycle_id=CYCLE)).purpose == purpose

    @pytest.mark.parametrize(
        "changes",
        [
            {"purpose": Purpose(statement="Faster", process_id=UUID(int=9))},
            {"purpose": Purpose(statement="Faster", outcome_metric_id=UUID(int=9))},
            {"cycle_id": UUID(int=9)},
            {"team_id": UUID(int=9)},
        ],
    )
    def test_what_a_goal_names_is_there(self, world, changes):
        with pytest.raises(NotFound):
            world.send(Goal, OURS, ours(**changes))

    def test_a_disbanded_team_gets_no_goals(self, world):
        world.send(Team, SERVICE, DisbandTeam(actor=ADMINISTRATOR, today=DAY))
        with pytest.raises(TeamIsDisbanded):
            world.send(Goal, OURS, ours(team_id=SERVICE))

    def test_how_much_each_person_does_is_no_goal(self, world):
        with pytest.raises(PersonVolumeIsNoGoal):
            world.send(Goal, OURS, ours(purpose=Purpose(statement="Call more", outcome_metric_id=CALLS_EACH)))
        with pytest.raises(PersonVolumeIsNoGoal):
            world.send(Goal, OURS, ours(key_results=(share(metric_id=CALLS_EACH),)))


class TestKeyResults:
    @pytest.mark.parametrize(
        ("key_result", "where"),
        [
            (share(unit=None), "unit"),
            (share(unit="smiles"), "unit"),
            (share(baseline=None), "baseline"),
            (share(baseline=baseline(on=date(2025, 11, 1))), "baseline/end"),
            (share(weight=Decimal("1.1")), "weight"),
            (share(weight=Decimal("-0.1")), "weight"),
            (share(title=" "), "title"),
            (share(target=Decimal(30)), "target"),
            (share(direction=Direction.DECREASE), "target"),
            (share(metric_id=REPEAT, measure_id=UUID(int=9)), "measure_id"),
            (share(metric_id=REPEAT, unit="ratio"), "unit"),
            (milestone(metric_id=REPEAT), "kind"),
            (milestone(target=Decimal(0)), "target"),
            (milestone(target=Decimal(2)), "target"),
        ],
    )
    def test_a_key_result_that_makes_no_sense_is_refused_where_it_stands(self, world, key_result, where):
        with pytest.raises(Malformed) as refused:
            world.send(Goal, OURS, ours(key_results=(milestone(), key_result)))
        assert pointer(refused) == f"/key_results/1/{where}"

    def test_a_target_that_equals_its_baseline_asks_for_nothing(self, world):
        with pytest.raises(TargetEqualsBaseline):
            world.send(Goal, OURS, ours(key_results=(share(target=Decimal(31)),)))

    def test_a_value_may_be_held_where_it_is(self, world):
        held = share(target=Decimal(31), direction=Direction.HOLD)
        assert world.send(Goal, OURS, ours(key_results=(held,))).key_results[SHARE] == held

    def test_a_key_result_comes_later_from_who_shapes_the_goal(self, world):
        agreed(world, ours())
        goal = world.send(Goal, OURS, DefineKeyResult(actor=NOOR, today=DAY, key_result=milestone()))
        assert goal.key_results == {DONE: milestone()}
        with pytest.raises(NotYourGoal):
            world.send(Goal, OURS, DefineKeyResult(actor=MIRA, today=DAY, key_result=share()))

    def test_the_proposer_shapes_his_goal_until_it_is_set(self, world):
        world.send(Goal, OURS, ours(OMAR))
        world.send(Goal, OURS, DefineKeyResult(actor=OMAR, today=DAY, key_result=milestone()))
        world.send(Goal, OURS, meeting(NOOR))
        with pytest.raises(NotYourGoal):
            world.send(Goal, OURS, DefineKeyResult(actor=OMAR, today=DAY, key_result=share()))


class TestAgreeing:
    def test_a_meeting_sets_a_team_goal(self, world):
        world.send(Goal, OURS, ours(MIRA))
        assert world.send(Goal, OURS, meeting(NOOR)).status is Status.ACTIVE
        assert world.told == [Goal.Set(on=DAY, how=How.MEETING, participants_n=7)]

    @pytest.mark.parametrize("actor", [MIRA, OMAR, BOSS], ids=["member", "stranger", "business owner"])
    def test_only_the_lead_files_a_team_goals_meeting(self, world, actor):
        world.send(Goal, OURS, ours())
        with pytest.raises(NotYourGoal):
            world.send(Goal, OURS, meeting(actor))

    def test_only_a_business_owner_files_the_meeting_of_a_business_model_goal(self, world):
        world.send(Goal, RENEWAL, renewal(NOOR))
        with pytest.raises(NotYourGoal):
            world.send(Goal, RENEWAL, meeting(NOOR))
        assert world.send(Goal, RENEWAL, meeting(BOSS)).status is Status.ACTIVE

    @pytest.mark.parametrize(
        ("changes", "where"),
        [
            ({"how": How.OWN}, "/how"),
            ({"participants_n": 0}, "/participants_n"),
            ({"on": DAY + timedelta(1)}, "/on"),
        ],
    )
    def test_a_meeting_was_held_and_had_participants(self, world, changes, where):
        world.send(Goal, OURS, ours())
        with pytest.raises(Malformed) as refused:
            world.send(Goal, OURS, meeting(NOOR, **changes))
        assert pointer(refused) == where

    def test_a_goal_is_set_once(self, world):
        agreed(world, ours())
        with pytest.raises(GoalIsSet):
            world.send(Goal, OURS, meeting(NOOR))
        agreed(world, mine())
        with pytest.raises(GoalIsSet):
            world.send(Goal, MINE, meeting(MIRA, how=How.OWN))


class TestSeeing:
    @pytest.mark.parametrize("actor", [NOOR, OMAR, BOSS, ADMINISTRATOR, GUEST])
    def test_a_private_goal_is_not_there_for_anybody_else(self, world, actor):
        agreed(world, mine())
        with pytest.raises(NotFound):
            world.send(Goal, MINE, close(actor))

    @pytest.mark.parametrize(
        ("visibility", "sees"),
        [
            (Visibility.PRIVATE, {"mira"}),
            (Visibility.TEAM, {"mira", "noor"}),
            (Visibility.ORGANISATION, {"mira", "noor", "omar"}),
            (Visibility.PUBLIC, {"mira", "noor", "omar", "guest"}),
        ],
    )
    def test_each_visibility_shows_a_goal_to_more_people(self, world, visibility, sees):
        goal = world.send(Goal, MINE, mine(visibility=visibility, home_team_id=SALES))
        people = {"mira": MIRA, "noor": NOOR, "omar": OMAR, "guest": GUEST}
        assert {name for name, actor in people.items() if goal.is_shown_to(actor)} == sees

    def test_a_team_goal_shown_to_the_team_is_not_there_for_others(self, world):
        goal = world.send(Goal, OURS, ours(visibility=Visibility.TEAM))
        assert goal.is_shown_to(MIRA)
        assert not goal.is_shown_to(OMAR)
        assert not goal.is_shown_to(BOSS)

    def test_a_private_team_goal_stays_with_the_lead(self, world):
        agreed(world, ours(visibility=Visibility.PRIVATE))
        assert world.streams[OURS].is_shown_to(NOOR)
        assert not world.streams[OURS].is_shown_to(MIRA)

    def test_an_owner_shows_his_goal_to_his_home_team_and_takes_it_back(self, world):
        agreed(world, mine())
        shown = ChangeVisibility(actor=MIRA, today=DAY, visibility=Visibility.TEAM, home_team_id=SALES)
        assert world.send(Goal, MINE, shown).is_shown_to(NOOR)
        world.send(Goal, MINE, shown)
        assert world.told == []
        hidden = ChangeVisibility(actor=MIRA, today=DAY, visibility=Visibility.PRIVATE, home_team_id=SALES)
        assert not world.send(Goal, MINE, hidden).is_shown_to(NOOR)

    def test_nobody_else_shows_a_persons_goal(self, world):
        agreed(world, mine(visibility=Visibility.ORGANISATION))
        with pytest.raises(NotYourGoal):
            world.send(Goal, MINE, ChangeVisibility(actor=NOOR, today=DAY, visibility=Visibility.PUBLIC))

    @pytest.mark.parametrize("proposal", [mine(visibility=Visibility.TEAM), renewal(visibility=Visibility.TEAM)])
    def test_where_there_is_no_team_there_is_no_team_to_show_it_to(self, world, proposal):
        with pytest.raises(Malformed) as refused:
            world.send(Goal, proposal.goal_id, proposal)
        assert pointer(refused) == "/visibility"

    def test_a_goal_that_never_was_is_not_there(self, world):
        with pytest.raises(NotFound):
            world.send(Goal, MINE, close(MIRA))


class TestCheckingIn:
    def test_lead_and_members_report_how_a_team_goal_stands(self, world):
        agreed(world, ours(key_results=(share(),)))
        for actor in (NOOR, MIRA):
            world.send(Goal, OURS, check_in(actor, confidence=7, narrative="Calls go better"))
            assert world.told[0].value == Decimal(33)

    def test_others_do_not_report_on_a_team_goal(self, world):
        agreed(world, ours(key_results=(share(),)))
        with pytest.raises(NotYourGoal):
            world.send(Goal, OURS, check_in(OMAR))

    def test_a_proposed_goal_has_no_check_ins(self, world):
        world.send(Goal, OURS, ours(key_results=(share(),)))
        with pytest.raises(GoalIsNotSet):
            world.send(Goal, OURS, check_in(NOOR))

    @pytest.mark.parametrize(
        ("changes", "where"),
        [
            ({"confidence": 11}, "/confidence"),
            ({"confidence": -1}, "/confidence"),
            ({"observed_on": DAY + timedelta(1)}, "/observed_on"),
            ({"value": None}, "/value"),
            ({"key_result_id": DONE, "value": Decimal("1.5")}, "/value"),
        ],
    )
    def test_a_check_in_that_cannot_be_is_refused(self, world, changes, where):
        agreed(world, ours(key_results=(share(), milestone())))
        with pytest.raises(Malformed) as refused:
            world.send(Goal, OURS, check_in(NOOR, **changes))
        assert pointer(refused) == where

    def test_a_check_in_is_about_a_key_result_of_the_goal(self, world):
        agreed(world, ours())
        with pytest.raises(NotFound):
            world.send(Goal, OURS, check_in(NOOR))

    def test_measurements_give_the_value_of_a_fed_key_result(self, world):
        agreed(world, ours(key_results=(share(FED, metric_id=REPEAT),)))
        with pytest.raises(ValueComesFromMeasurements):
            world.send(Goal, OURS, check_in(NOOR, key_result_id=FED))
        world.send(Goal, OURS, check_in(NOOR, key_result_id=FED, value=None, confidence=4))
        assert world.told[0].confidence == 4

    def test_a_correction_takes_the_place_of_a_check_in_even_after_the_end(self, world):
        agreed(world, ours(key_results=(share(),)))
        world.send(Goal, OURS, check_in(MIRA))
        world.send(Goal, OURS, close(NOOR))
        facts = {"check_in_id": CHECK_IN, "key_result_id": SHARE, "value": Decimal(34), "observed_on": DAY}
        world.send(Goal, OURS, CorrectCheckIn(actor=MIRA, today=DAY, **facts))
        assert world.told == [Goal.CheckInCorrected(**facts)]

    @pytest.mark.parametrize("wrong", [{"check_in_id": UUID(int=9)}, {"key_result_id": DONE}])
    def test_only_what_was_said_is_corrected(self, world, wrong):
        agreed(world, ours(key_results=(share(), milestone())))
        world.send(Goal, OURS, check_in(MIRA))
        facts = {"check_in_id": CHECK_IN, "key_result_id": SHARE, "value": Decimal(1), "observed_on": DAY, **wrong}
        with pytest.raises(NotFound):
            world.send(Goal, OURS, CorrectCheckIn(actor=MIRA, today=DAY, **facts))


class TestAdjusting:
    def test_an_owner_adjusts_his_goal_alone_and_what_stood_before_is_kept(self, world):
        agreed(world, mine(key_results=(share(),)))
        goal = world.send(Goal, MINE, adjust(MIRA, evidence=("survey",), measured_ratio=Decimal("0.4")))
        assert goal.key_results[SHARE].target == Decimal(34)
        [event] = world.told
        assert (event.from_, event.to, event.how) == (Setting(number=Decimal(36)), Setting(number=Decimal(34)), How.OWN)

    def test_a_team_goal_is_adjusted_in_a_meeting(self, world):
        agreed(world, ours(key_results=(share(),)))
        with pytest.raises(Malformed) as refused:
            world.send(Goal, OURS, adjust(NOOR))
        assert pointer(refused) == "/how"
        goal = world.send(Goal, OURS, adjust(NOOR, how=How.MEETING, participants_n=4))
        assert goal.key_results[SHARE].target == Decimal(34)

    def test_members_do_not_adjust_the_teams_goal(self, world):
        agreed(world, ours(key_results=(share(),)))
        with pytest.raises(NotYourGoal):
            world.send(Goal, OURS, adjust(MIRA, how=How.MEETING, participants_n=4))

    def test_title_purpose_and_due_date_are_adjusted_too(self, world):
        agreed(world, mine(key_results=(share(),)))
        for field, to in (
            (AdjustedField.TITLE, Setting(text="Ask first")),
            (AdjustedField.PURPOSE, Setting(text="Fewer come back angry")),
            (AdjustedField.DUE_ON, Setting(day=date(2026, 6, 30))),
        ):
            goal = world.send(Goal, MINE, adjust(MIRA, field=field, to=to))
        assert (goal.title, goal.purpose.statement) == ("Ask first", "Fewer come back angry")
        assert goal.key_results[SHARE].due_on == date(2026, 6, 30)
        assert goal.key_results[SHARE].target == Decimal(36)

    @pytest.mark.parametrize(
        ("field", "to"),
        [
            (AdjustedField.TITLE, Setting(number=Decimal(1))),
            (AdjustedField.TITLE, Setting(text="x" * 301)),
            (AdjustedField.TITLE, Setting(text="Listen first")),
            (AdjustedField.PURPOSE, Setting(text=" ")),
            (AdjustedField.TARGET, Setting(text="more")),
            (AdjustedField.TARGET, Setting(number=Decimal(36))),
            (AdjustedField.TARGET, Setting(number=Decimal(30))),
            (AdjustedField.DUE_ON, Setting(number=Decimal(1))),
        ],
    )
    def test_an_adjustment_says_what_fits_its_field_and_changes_it(self, world, field, to):
        agreed(world, mine(key_results=(share(),)))
        with pytest.raises(Malformed) as refused:
            world.send(Goal, MINE, adjust(MIRA, field=field, to=to))
        assert pointer(refused) == "/to"

    def test_a_target_is_not_adjusted_to_ask_for_nothing(self, world):
        agreed(world, mine(key_results=(share(),)))
        with pytest.raises(TargetEqualsBaseline):
            world.send(Goal, MINE, adjust(MIRA, to=Setting(number=Decimal(31))))

    @pytest.mark.parametrize("key_result_id", [None, UUID(int=9)])
    def test_a_target_belongs_to_a_key_result(self, world, key_result_id):
        agreed(world, mine(key_results=(share(),)))
        with pytest.raises(NotFound):
            world.send(Goal, MINE, adjust(MIRA, key_result_id=key_result_id))

    def test_a_proposed_goal_is_amended_not_adjusted(self, world):
        world.send(Goal, OURS, ours(key_results=(share(),)))
        with pytest.raises(GoalIsNotSet):
            world.send(Goal, OURS, adjust(NOOR, how=How.MEETING, participants_n=4))


class TestClosing:
    @pytest.mark.parametrize(
        ("result", "kind"), [(Status.ACHIEVED, Goal.Achieved), (Status.NOT_ACHIEVED, Goal.NotAchieved)]
    )
    def test_a_goal_ends_with_its_final_values(self, world, result, kind):
        agreed(world, mine(key_results=(share(),)))
        final = (FinalValue(key_result_id=SHARE, value=Decimal(36)),)
        goal = world.send(Goal, MINE, close(MIRA, result, final_values=final))
        assert world.told == [kind(on=DAY, final_values=final)]
        assert (goal.status, goal.closed_on) == (result, DAY)

    def test_who_gives_a_goal_up_says_why(self, world):
        agreed(world, mine())
        with pytest.raises(Malformed) as refused:
            world.send(Goal, MINE, close(MIRA, Status.ABANDONED))
        assert pointer(refused) == "/reason"
        assert world.send(Goal, MINE, close(MIRA, Status.ABANDONED, reason="Moved")).status is Status.ABANDONED

    def test_a_proposed_goal_is_given_up_but_not_achieved(self, world):
        world.send(Goal, OURS, ours())
        with pytest.raises(GoalIsNotSet):
            world.send(Goal, OURS, close(NOOR))
        assert world.send(Goal, OURS, close(NOOR, Status.ABANDONED, reason="Done by Service")).closed_on == DAY

    @pytest.mark.parametrize(
        ("changes", "where"),
        [({"result": Status.ACTIVE}, "/result"), ({"on": DAY + timedelta(1)}, "/on"), ({"reason": " "}, "/reason")],
    )
    def test_an_end_that_is_none_is_refused(self, world, changes, where):
        agreed(world, mine())
        with pytest.raises(Malformed) as refused:
            world.send(Goal, MINE, close(MIRA, **changes))
        assert pointer(refused) == where

    def test_a_closed_goal_takes_nothing_but_reflection_and_visibility(self, world):
        agreed(world, mine(key_results=(share(),)))
        world.send(Goal, MINE, close(MIRA))
        for command in (
            close(MIRA),
            check_in(MIRA),
            adjust(MIRA),
            DefineKeyResult(actor=MIRA, today=DAY, key_result=milestone()),
        ):
            with pytest.raises(GoalIsClosed):
                world.send(Goal, MINE, command)
        world.send(Goal, MINE, ChangeVisibility(actor=MIRA, today=DAY, visibility=Visibility.ORGANISATION))
        world.send(Goal, MINE, ReflectOnGoal(actor=MIRA, today=DAY, learned="Ask before answering"))
        assert kinds(world) == ["goal.reflected-on"]

    def test_members_reflect_on_their_teams_goal_and_others_do_not(self, world):
        agreed(world, ours())
        world.send(Goal, OURS, ReflectOnGoal(actor=MIRA, today=DAY, learned="Ask before answering"))
        with pytest.raises(NotYourGoal):
            world.send(Goal, OURS, ReflectOnGoal(actor=OMAR, today=DAY, learned="Nothing"))


class TestKeys:
    @pytest.mark.parametrize("field", ["title", "purpose.statement", "my_reason", "reason", "alignment.hypothesis"])
    def test_every_text_of_an_individual_goal_is_its_owners(self, world, field):
        goal = agreed(world, mine())
        assert goal.key_owner(world.told[0], field, MIRA.contributor_id) == MIRA.contributor_id

    @pytest.mark.parametrize(
        ("field", "owner"),
        [
            ("title", None),
            ("purpose.statement", None),
            ("alignment.hypothesis", None),
            ("reason", None),
            ("narrative", NOOR.contributor_id),
            ("blockers", NOOR.contributor_id),
            ("learned", NOOR.contributor_id),
            ("evidence.0", NOOR.contributor_id),
            ("my_reason", NOOR.contributor_id),
        ],
    )
    def test_of_a_team_goal_only_what_somebody_says_for_himself_is_his(self, world, field, owner):
        goal = agreed(world, ours())
        assert goal.level is Level.TEAM
        assert goal.key_owner(world.told[0], field, NOOR.contributor_id) == owner
