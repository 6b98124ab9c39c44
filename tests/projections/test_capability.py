"""Competencies, learning and skills as they are read."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest

from lms.domain.base import Sealed
from lms.domain.competency import Broader, Competency, CompetencyKind
from lms.domain.competency_framework import CompetencyFramework
from lms.domain.learning_entry import EntryField, LearningEntry, LearningKind
from lms.domain.proficiency_scale import FOUR_STEPS, ProficiencyScale
from lms.domain.skill_record import EvidenceKind, RequestStatus, SkillRecord
from lms.domain.team_learning import TeamLearning
from lms.projections.competencies import Competencies, label_in
from lms.projections.my_learning import MyLearning
from lms.projections.my_skills import MySkills, Range
from lms.projections.team_learning import TeamLearnings
from lms.projections.wording import folded, speaks_of, stems
from projections.harness import Story, applied, check_cuts

LISTENING, NEGOTIATING, HASKELL = UUID(int=500), UUID(int=501), UUID(int=502)
MIRA, ANN, BEN = UUID(int=20), UUID(int=21), UUID(int=22)
ENTRY, OTHER_ENTRY, GOAL = UUID(int=600), UUID(int=601), UUID(int=610)
SKILL, CALL, LETTER = UUID(int=700), UUID(int=710), UUID(int=711)
MONDAY = date(2026, 1, 5)


@pytest.fixture
async def connection(database):
    opened = await asyncpg.connect(database.app_dsn)
    yield opened
    await opened.close()


def catalogue():
    story = Story()
    story.happened(
        LISTENING,
        Competency.Defined(labels={"en": "active listening"}, alt_labels={"en": ("listen to customers", "Listening")}),
    )
    story.happened(NEGOTIATING, Competency.Defined(labels={"en": "negotiate prices", "nl": "prijzen onderhandelen"}))
    story.happened(HASKELL, Competency.Defined(labels={"en": "Haskell"}, kind=CompetencyKind.KNOWLEDGE))
    return story


async def labels_found(competencies, connection, story, words, **more):
    found = await competencies.search(connection, story.organisation_id, 50, words, **more)
    return [one.competency.labels["en"] for one in found]


async def test_a_competency_is_found_by_any_of_its_names_in_any_language_and_capitals(connection):
    story = catalogue()
    async with applied(connection, Competencies(), story.envelopes) as competencies:
        assert await labels_found(competencies, connection, story, "LISTEN") == ["active listening"]
        assert await labels_found(competencies, connection, story, "onderhandel") == ["negotiate prices"]
        assert await labels_found(competencies, connection, story, "100%") == []
        assert await labels_found(competencies, connection, story, "e", among=[HASKELL]) == ["Haskell"]
        assert len(await labels_found(competencies, connection, story, " ")) == 3


async def test_the_list_comes_by_label_and_in_pages(connection):
    story = catalogue()
    async with applied(connection, Competencies(), story.envelopes) as competencies:
        first, second = await competencies.search(connection, story.organisation_id, 2)
        after = (second.rank, second.competency.sort_label, second.competency.competency_id)
        rest = await competencies.search(connection, story.organisation_id, 2, after=after)
        names = [one.competency.labels["en"] for one in (first, second, *rest)]
        assert names == ["active listening", "Haskell", "negotiate prices"]
        best = await competencies.search(connection, story.organisation_id, 1, "a")
        after = (best[0].rank, best[0].competency.sort_label, best[0].competency.competency_id)
        assert len(await competencies.search(connection, story.organisation_id, 9, "a", after=after)) == 2


async def test_the_best_match_comes_first(connection):
    story = catalogue()
    story.happened(UUID(int=503), Competency.Defined(labels={"en": "Listening"}))
    async with applied(connection, Competencies(), story.envelopes) as competencies:
        assert await labels_found(competencies, connection, story, "listening") == ["Listening", "active listening"]


async def test_another_organisation_finds_nothing(connection):
    story = catalogue()
    async with applied(connection, Competencies(), story.envelopes) as competencies:
        assert await competencies.search(connection, UUID(int=9), 5, "listen") == []
        assert await competencies.competency(connection, UUID(int=9), LISTENING) is None
        assert await competencies.suggested(connection, UUID(int=9), "active listening", 5) == []


async def test_a_new_name_replaces_the_old_one_in_its_language(connection):
    story = catalogue()
    story.happened(LISTENING, Competency.Relabelled(labels={"en": "hearing people out", "nl": "luisteren"}))
    async with applied(connection, Competencies(), story.envelopes) as competencies:
        assert await labels_found(competencies, connection, story, "listen") == []
        assert await labels_found(competencies, connection, story, "luister") == ["hearing people out"]
        row = await competencies.competency(connection, story.organisation_id, LISTENING)
        assert (row.labels, row.alt_labels, row.version) == (
            {"en": "hearing people out", "nl": "luisteren"},
            {},
            2,
        )


async def test_a_retired_competency_is_found_by_its_id_only(connection):
    story = catalogue()
    story.happened(LISTENING, Competency.Retired())
    async with applied(connection, Competencies(), story.envelopes) as competencies:
        assert await labels_found(competencies, connection, story, "listen") == []
        assert len(await labels_found(competencies, connection, story, None)) == 2
        assert (await competencies.competency(connection, story.organisation_id, LISTENING)).is_retired


async def test_a_note_suggests_what_it_speaks_of(connection):
    story = catalogue()
    async with applied(connection, Competencies(), story.envelopes) as competencies:

        async def suggested(note):
            rows = await competencies.suggested(connection, story.organisation_id, note, 5)
            return [row.competency_id for row in rows]

        assert await suggested("I listened to a customer before I answered") == [LISTENING]
        assert await suggested("Negotiating the price of a lot, in Haskell") == [NEGOTIATING, HASKELL]
        assert await suggested("Nothing of the kind") == []
        assert await suggested("") == []


async def test_exact_names_lead_to_ids_and_say_whether_they_are_preferred(connection):
    story = catalogue()
    story.happened(UUID(int=503), Competency.Defined(labels={"en": "listening"}))
    async with applied(connection, Competencies(), story.envelopes) as competencies:
        found = await competencies.named(connection, story.organisation_id, ["listening", "haskell", "x"])
        assert found == {"listening": {UUID(int=503): True, LISTENING: False}, "haskell": {HASKELL: True}}


async def test_frameworks_and_scales_are_listed(connection):
    story = Story()
    story.happened(UUID(int=1), CompetencyFramework.Defined(name="ESCO", acknowledgement="© European Union"))
    story.happened(UUID(int=2), ProficiencyScale.Defined(name="Four steps", levels=FOUR_STEPS))
    async with applied(connection, Competencies(), story.envelopes) as competencies:
        organisation_id = story.organisation_id
        assert [row.name for row in await competencies.frameworks(connection, organisation_id, 5)] == ["ESCO"]
        assert await competencies.frameworks(connection, organisation_id, 5, after=UUID(int=1)) == []
        scales = await competencies.scales(connection, organisation_id, 5)
        assert scales == [await competencies.scale(connection, organisation_id, UUID(int=2))]
        assert scales[0].levels == FOUR_STEPS
        framework = await competencies.framework(connection, organisation_id, UUID(int=1))
        assert framework.acknowledgement == "© European Union"


def test_a_label_is_shown_in_the_readers_language_or_the_nearest():
    labels = {"en": "colour", "nl": "kleur", "fr": "couleur"}
    assert [label_in(labels, language) for language in ("nl-BE", "en", "de")] == ["kleur", "colour", "colour"]
    assert label_in({"fr": "couleur", "nl": "kleur"}, "de") == "couleur"


def test_words_are_compared_by_crude_stems():
    assert stems("Listening to the customers") == stems("listened, customer")
    assert stems("planning") == stems("plan")
    assert folded(" Élan ") == "elan"
    assert speaks_of(frozenset(stems("we sell more to a customer again")), "Selling to customers")
    assert not speaks_of(frozenset(stems("we sell more")), "Customers who come back")
    assert not speaks_of(frozenset(), "the")


def diary():
    story = Story()
    note = Sealed(of=MIRA, box="x", context="c")
    story.happened(
        ENTRY,
        LearningEntry.Logged(learner=MIRA, learned_on=MONDAY, note=note, competencies=(LISTENING,), minutes=30),
    )
    story.happened(OTHER_ENTRY, LearningEntry.Logged(learner=MIRA, learned_on=MONDAY, goal_id=GOAL))
    story.happened(UUID(int=602), LearningEntry.Logged(learner=ANN, learned_on=MONDAY, competencies=(HASKELL,)))
    return story


async def test_i_see_my_entries_and_no_others(connection):
    story = diary()
    async with applied(connection, MyLearning(), story.envelopes) as learning:
        organisation_id = story.organisation_id
        mine = await learning.entries(connection, organisation_id, MIRA, 50)
        assert [row.entry_id for row in mine] == [OTHER_ENTRY, ENTRY]
        rest = await learning.entries(connection, organisation_id, MIRA, 50, after=(MONDAY, OTHER_ENTRY))
        assert [row.entry_id for row in rest] == [ENTRY]
        by_goal = await learning.entries(connection, organisation_id, MIRA, 50, goal_id=GOAL)
        assert [row.entry_id for row in by_goal] == [OTHER_ENTRY]
        by_competency = await learning.entries(connection, organisation_id, MIRA, 50, competency_id=LISTENING)
        assert [row.entry_id for row in by_competency] == [ENTRY]
        assert await learning.entry(connection, organisation_id, ANN, ENTRY) is None
        assert await learning.competencies(connection, organisation_id, MIRA) == {LISTENING}


async def test_a_correction_replaces_what_it_gives_and_a_withdrawn_entry_is_gone(connection):
    story = diary()
    story.happened(
        ENTRY,
        LearningEntry.Corrected(learned_on=MONDAY, kind=LearningKind.COACHING, cleared=(EntryField.MINUTES,)),
    )
    story.happened(OTHER_ENTRY, LearningEntry.Withdrawn(learned_on=MONDAY))
    async with applied(connection, MyLearning(), story.envelopes) as learning:
        row = await learning.entry(connection, story.organisation_id, MIRA, ENTRY)
        assert (row.kind, row.minutes, row.competencies) == (LearningKind.COACHING, None, (LISTENING,))
        assert row.note == Sealed(of=MIRA, box="x", context="c")
        assert await learning.entry(connection, story.organisation_id, MIRA, OTHER_ENTRY) is None


def record():
    story = Story()
    submitted = {"person": MIRA, "competency_id": LISTENING, "kind": EvidenceKind.OBSERVATION, "observed_on": MONDAY}
    story.happened(SKILL, SkillRecord.EvidenceSubmitted(evidence_id=CALL, ref="the call", **submitted))
    story.happened(SKILL, SkillRecord.EvidenceSubmitted(evidence_id=LETTER, ref="the letter", **submitted))
    story.happened(SKILL, SkillRecord.LevelClaimed(person=MIRA, competency_id=LISTENING, rank=4))
    for n, person in enumerate((ANN, BEN)):
        requested = SkillRecord.AttestationRequested(
            person=MIRA, competency_id=LISTENING, request_id=UUID(int=800 + n), of=person, evidence=(CALL,)
        )
        story.happened(SKILL, requested)
    return story


def attested(number, attester, rank):
    return SkillRecord.LevelAttested(
        person=MIRA,
        competency_id=LISTENING,
        attestation_id=UUID(int=900 + number),
        request_id=UUID(int=800 + number),
        attester=attester,
        rank=rank,
        basis=(CALL,),
        confidence=Decimal("0.8"),
    )


def judged(story):
    learned = SkillRecord.Learned(
        person=MIRA,
        competency_id=LISTENING,
        rank=3,
        rule="attested-by-another",
        rule_version=1,
        attestations=(UUID(int=900),),
    )
    story.happened(SKILL, attested(0, ANN, 3), learned)
    story.happened(SKILL, attested(1, BEN, 2))
    return story


async def test_my_skill_shows_the_rules_choice_and_the_range_of_the_raters(connection):
    story = judged(record())
    async with applied(connection, MySkills(), story.envelopes) as skills:
        (mine,) = await skills.skills(connection, story.organisation_id, MIRA, 50)
        assert (mine.level.rank, mine.claimed, mine.raters) == (3, 4, Range(low=2, high=3, n=2))
        assert (mine.level.since, len(mine.attestations)) == (MONDAY, 2)
        assert await skills.skills(connection, story.organisation_id, ANN, 50) == []
        assert await skills.skill(connection, story.organisation_id, MIRA, HASKELL) is None
        assert await skills.competencies(connection, story.organisation_id, MIRA) == {LISTENING}


async def test_a_disputed_attestation_is_shown_and_leaves_the_range(connection):
    story = judged(record())
    story.happened(
        SKILL,
        SkillRecord.AttestationDisputed(attestation_id=UUID(int=900), reason="another call"),
        SkillRecord.Lapsed(
            person=MIRA, competency_id=LISTENING, from_rank=3, rank=2, rule="attested-by-another", rule_version=1
        ),
    )
    async with applied(connection, MySkills(), story.envelopes) as skills:
        mine = await skills.skill(connection, story.organisation_id, MIRA, LISTENING)
        assert (mine.level.rank, mine.raters, len(mine.attestations)) == (2, Range(low=2, high=2, n=1), 2)
    withdrawn = SkillRecord.AttestationWithdrawn(attestation_id=UUID(int=901))
    lapsed = SkillRecord.Lapsed(
        person=MIRA, competency_id=LISTENING, from_rank=2, rule="attested-by-another", rule_version=1
    )
    story.happened(SKILL, withdrawn, lapsed)
    async with applied(connection, MySkills(), story.envelopes) as skills:
        mine = await skills.skill(connection, story.organisation_id, MIRA, LISTENING)
        assert (mine.level, mine.raters) == (None, None)


async def test_a_request_opens_its_evidence_to_whom_was_asked_alone(connection):
    story = record()
    async with applied(connection, MySkills(), story.envelopes) as skills:
        organisation_id = story.organisation_id
        (request,) = await skills.requests_to(connection, organisation_id, ANN, 50)
        opened = await skills.opened(connection, organisation_id, [request])
        assert [one.ref for one in opened[request.request_id]] == ["the call"]
        assert await skills.request(connection, organisation_id, BEN, request.request_id) is None
        assert await skills.requests_to(connection, organisation_id, MIRA, 50) == []


async def test_an_answered_request_says_so(connection):
    story = judged(record())
    story.happened(SKILL, SkillRecord.AttestationDeclined(request_id=UUID(int=801)))
    async with applied(connection, MySkills(), story.envelopes) as skills:
        requests = await skills.requests_by(connection, story.organisation_id, [SKILL])
        assert [one.status for one in requests] == [RequestStatus.ATTESTED, RequestStatus.DECLINED]
        still = await skills.requests_to(connection, story.organisation_id, ANN, 50, status=RequestStatus.OPEN)
        assert still == []
        last = requests[0]
        after = (last.requested_at, last.request_id)
        assert await skills.requests_to(connection, story.organisation_id, ANN, 50, after=after) == []


async def test_a_team_reads_what_it_learned(connection):
    story = Story()
    team, one, two = UUID(int=70), UUID(int=71), UUID(int=72)
    story.happened(one, TeamLearning.Held(team_id=team, what="hand-overs", on=MONDAY, competencies=(LISTENING,)))
    story.happened(two, TeamLearning.Held(team_id=team, what="complaints", on=MONDAY))
    async with applied(connection, TeamLearnings(), story.envelopes) as learning:
        organisation_id = story.organisation_id
        held = await learning.of_team(connection, organisation_id, team, 5)
        assert [row.what for row in held] == ["complaints", "hand-overs"]
        rest = await learning.of_team(connection, organisation_id, team, 5, after=(MONDAY, two))
        assert [row.what for row in rest] == ["hand-overs"]
        assert (await learning.one(connection, organisation_id, team, one)).competencies == (LISTENING,)
        assert await learning.one(connection, organisation_id, UUID(int=1), one) is None


def everything():
    story = catalogue()
    story.happened(LISTENING, Competency.Relabelled(labels={"en": "listening"}, alt_labels={"en": ("hearing",)}))
    story.happened(
        LISTENING,
        Competency.Reclassified(kind=CompetencyKind.SKILL, broader=(Broader(competency_id=HASKELL, uri="u"),)),
    )
    story.happened(NEGOTIATING, Competency.Retired(reason="merged"))
    for other in (diary(), judged(record())):
        for envelope in other.envelopes:
            story.happened(envelope.stream_id, envelope.data)
    story.happened(ENTRY, LearningEntry.Corrected(learned_on=MONDAY, note="better", cleared=(EntryField.MINUTES,)))
    story.happened(OTHER_ENTRY, LearningEntry.Withdrawn(learned_on=MONDAY))
    story.happened(SKILL, SkillRecord.AttestationWithdrawn(attestation_id=UUID(int=901), reason="mixed up"))
    return story


@pytest.mark.parametrize("projection", [Competencies(), MyLearning(), MySkills()], ids=lambda one: one.NAME)
@pytest.mark.parametrize("cuts", [[], [4, 9, 13], [7], [2, 3, 11, 17]])
async def test_batches_make_no_difference(connection, projection, cuts):
    await check_cuts(connection, projection, everything().envelopes, cuts)
