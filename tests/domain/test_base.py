from datetime import date
from uuid import UUID

import pytest

from domain.world import ADMINISTRATOR, DAY, SOMEBODY
from lms.domain.base import SYSTEM, Actor, NotFound, Role
from lms.domain.catalogue import DECISIONS, aggregate_of, event_types
from lms.domain.contributor import Contributor, ContributorIsInactive
from lms.domain.improvement import Improvement
from lms.domain.improvement_parts import Run
from lms.domain.measurement import Measurement
from lms.domain.team import Team
from lms.domain.terms import Origin, Summary

MIRA = UUID(int=7)
WINDOW = {"start": date(2026, 2, 1), "end": date(2026, 2, 28)}


def test_an_actor_has_the_roles_of_his_token_and_no_others():
    assert ADMINISTRATOR.has(Role.ADMINISTRATOR)
    assert ADMINISTRATOR.has(Role.ANALYST, Role.EMPLOYEE)
    assert not SOMEBODY.has(Role.ADMINISTRATOR)


def test_what_is_stored_of_an_actor_is_who_it_is_and_not_whom_he_leads():
    lead = Actor(contributor_id=MIRA, roles=(Role.EMPLOYEE,), leads=frozenset({UUID(int=3)}))
    assert lead.signature() == Actor(contributor_id=MIRA, roles=(Role.EMPLOYEE,))


def test_the_system_is_nobody():
    assert Actor(contributor_id=MIRA).is_contributor(MIRA)
    assert not SOMEBODY.is_contributor(MIRA)
    assert not SYSTEM.is_contributor(MIRA)


def test_a_refusal_says_its_name_and_why_in_words_and_with_facts():
    assert ContributorIsInactive.code() == "contributor-is-inactive"
    assert str(NotFound()) == "There is no such thing, or it is not shown to you."
    assert str(NotFound(kind="goal")) == "There is no such thing, or it is not shown to you. (kind: goal)"


def test_what_was_decided_is_known_until_the_aggregate_is_loaded_again():
    team = Team.blank(UUID(int=3))
    formed = Team.Formed(name="Service", on=DAY)
    team.record(formed)
    assert (team.decided, team.version) == ([formed], 1)
    assert (team.snapshot().decided, team.snapshot().version) == ([], 1)


def test_a_personal_text_is_its_authors_unless_the_aggregate_says_otherwise():
    formed = Team.Formed(name="Service", on=DAY)
    assert Team.blank(UUID(int=3)).key_owner(formed, "name", MIRA) == MIRA


def test_every_event_belongs_to_the_aggregate_that_decides_on_it():
    types = event_types()
    assert types["contributor.registered"] is Contributor.Registered
    for topic, kind in types.items():
        assert kind in vars(aggregate_of(topic)).values()
    assert {aggregate_of(topic) for topic in types} == set(DECISIONS)


def test_two_events_of_one_name_are_noticed(monkeypatch):
    monkeypatch.setattr(Team.Formed, "TOPIC", Contributor.Registered.TOPIC)
    with pytest.raises(ValueError, match=r"contributor\.registered"):
        event_types()


def test_an_experiment_counts_on_the_day_it_was_run():
    run = Improvement.ExperimentRun(experiment_id=UUID(int=5), run=Run(on=DAY))
    assert getattr(run, run.DATED_BY) == DAY


def test_a_revised_outcome_counts_at_the_end_of_its_window():
    revised = Measurement.OutcomeRevised(
        metric_id=UUID(int=5), summary=Summary(value=1, n=9, **WINDOW), origin=Origin.SYSTEM, revision=2
    )
    assert getattr(revised, revised.DATED_BY) == WINDOW["end"]
