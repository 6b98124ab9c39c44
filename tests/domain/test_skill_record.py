from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.world import ADMINISTRATOR, DAY, SOMEBODY, World
from lms.domain.base import SYSTEM, Actor, Malformed, NotFound, Role
from lms.domain.competency import Competency, CompetencyIsRetired, DefineCompetency, RetireCompetency
from lms.domain.contributor import Contributor, DeactivateContributor, RegisterContributor
from lms.domain.proficiency_scale import DefineScale, ProficiencyScale, ScaleStep
from lms.domain.skill_commands import (
    AttestLevel,
    ClaimLevel,
    DeclineAttestation,
    DisputeAttestation,
    RequestAttestation,
    SubmitEvidence,
    WithdrawAttestation,
)
from lms.domain.skill_record import (
    AlreadyRequested,
    AttestationIsSetAside,
    AttesterIsTheSubject,
    EvidenceKind,
    NotAsked,
    RequestIsAnswered,
    SkillRecord,
)
from lms.domain.skill_rule import CURRENT, Attestation, reached

SKILL, LISTENING, SCALE = UUID(int=700), UUID(int=500), UUID(int=520)
CALL, LETTER = UUID(int=710), UUID(int=711)
ANN = Actor(contributor_id=UUID(int=20), roles=(Role.EMPLOYEE,))
BEN = Actor(contributor_id=UUID(int=21), roles=(Role.EMPLOYEE,))
LEAD = Actor(contributor_id=UUID(int=22), roles=(Role.EMPLOYEE,), leads=frozenset({UUID(int=70)}))


def submit(evidence_id=CALL, **changed):
    facts = {
        "actor": SOMEBODY,
        "today": DAY,
        "skill_id": SKILL,
        "competency_id": LISTENING,
        "evidence_id": evidence_id,
        "kind": EvidenceKind.OBSERVATION,
        "ref": "the call of 2 March",
    }
    return SubmitEvidence(**facts | changed)


def ask(*people, evidence=(CALL,), of=None, number=800, **changed):
    pairs = tuple((UUID(int=number + n), person.contributor_id) for n, person in enumerate(people))
    facts = {
        "actor": SOMEBODY,
        "today": DAY,
        "skill_id": SKILL,
        "competency_id": LISTENING,
        "of": pairs if of is None else of,
        "evidence": evidence,
    }
    return RequestAttestation(**facts | changed)


def attest(actor, rank, number=900, **changed):
    facts = {
        "actor": actor,
        "today": DAY,
        "attestation_id": UUID(int=number),
        "rank": rank,
        "basis": (CALL,),
        "default_scale_id": SCALE,
    }
    return AttestLevel(**facts | changed)


def started():
    """A world with a competency and two colleagues."""
    world = World()
    world.send(
        Competency,
        LISTENING,
        DefineCompetency(actor=SOMEBODY, today=DAY, competency_id=LISTENING, labels={"en": "listening"}),
    )
    for person in (ANN, BEN, LEAD, SOMEBODY):
        world.send(
            Contributor,
            person.contributor_id,
            RegisterContributor(actor=SYSTEM, today=DAY, contributor_id=person.contributor_id, name="Somebody"),
        )
    return world


def asked(*people):
    """A world in which these people were asked about one piece of evidence."""
    world = started()
    world.send(SkillRecord, SKILL, submit())
    world.send(SkillRecord, SKILL, ask(*people))
    return world


def kinds(world):
    return [type(event) for event in world.told]


def test_evidence_begins_a_record():
    world = started()
    skill = world.send(SkillRecord, SKILL, submit())
    assert world.told == [
        SkillRecord.EvidenceSubmitted(
            person=SOMEBODY.contributor_id,
            competency_id=LISTENING,
            evidence_id=CALL,
            kind=EvidenceKind.OBSERVATION,
            ref="the call of 2 March",
            observed_on=DAY,
        )
    ]
    assert skill.level is None


@pytest.mark.parametrize(
    ("facts", "pointer"), [({"ref": " "}, "/ref"), ({"observed_on": DAY + timedelta(days=1)}, "/observed_on")]
)
def test_evidence_that_makes_no_sense_is_refused(facts, pointer):
    with pytest.raises(Malformed) as refused:
        started().send(SkillRecord, SKILL, submit(**facts))
    assert refused.value.facts["pointer"] == pointer


def test_a_skill_is_somebodys():
    with pytest.raises(Malformed):
        started().send(SkillRecord, SKILL, submit(actor=SYSTEM))


def test_nothing_new_is_put_on_record_of_a_retired_competency():
    world = started()
    world.send(Competency, LISTENING, RetireCompetency(actor=ADMINISTRATOR, today=DAY))
    with pytest.raises(CompetencyIsRetired):
        world.send(SkillRecord, SKILL, submit())


def claim(rank, **changed):
    facts = {"actor": SOMEBODY, "today": DAY, "skill_id": SKILL, "competency_id": LISTENING, "default_scale_id": SCALE}
    return ClaimLevel(rank=rank, **facts | changed)


def test_a_claim_alone_never_reaches_a_level():
    world = started()
    skill = world.send(SkillRecord, SKILL, claim(4, note="I teach it"))
    assert (kinds(world), skill.level) == ([SkillRecord.LevelClaimed], None)


def test_a_rank_is_one_of_the_scale():
    world = started()
    with pytest.raises(Malformed):
        world.send(SkillRecord, SKILL, claim(5))
    steps = tuple(ScaleStep(rank=rank, label=str(rank)) for rank in range(1, 6))
    world.send(ProficiencyScale, SCALE, DefineScale(actor=SYSTEM, today=DAY, scale_id=SCALE, name="Five", levels=steps))
    assert kinds_of_claim(world, 5) == [SkillRecord.LevelClaimed]


def kinds_of_claim(world, rank):
    world.send(SkillRecord, SKILL, claim(rank))
    return kinds(world)


def test_whom_the_person_asks_sees_that_evidence_and_nobody_else_does():
    world = asked(ANN)
    skill = world.send(SkillRecord, SKILL, submit(LETTER))
    assert skill.evidence_open_to(ANN.contributor_id) == {CALL}
    assert skill.evidence_open_to(BEN.contributor_id) == set()
    assert (skill.is_shown_to(ANN), skill.is_shown_to(BEN), skill.is_shown_to(LEAD)) == (True, False, False)


def test_several_are_asked_at_once():
    world = asked(ANN, BEN)
    assert [event.of for event in world.told] == [ANN.contributor_id, BEN.contributor_id]


@pytest.mark.parametrize(
    ("facts", "pointer"),
    [
        ({"of": ()}, "/of"),
        ({"of": ((UUID(int=1), UUID(int=20)), (UUID(int=2), UUID(int=20)))}, "/of"),
        ({"of": ((UUID(int=1), UUID(int=404)),)}, "/of/0"),
        ({"evidence": ()}, "/evidence"),
        ({"evidence": (LETTER,)}, "/evidence/0"),
        ({"evidence": (CALL, CALL)}, "/evidence/1"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(facts, pointer):
    world = started()
    world.send(SkillRecord, SKILL, submit())
    with pytest.raises(Malformed) as refused:
        world.send(SkillRecord, SKILL, ask(ANN, **facts))
    assert refused.value.facts["pointer"] == pointer


def test_a_request_needs_evidence_on_record():
    with pytest.raises(Malformed) as refused:
        started().send(SkillRecord, SKILL, ask(ANN))
    assert refused.value.facts["pointer"] == "/evidence"


def test_nobody_writes_into_the_record_of_another():
    world = asked(ANN)
    for command in (submit(LETTER, actor=BEN), ask(ANN, actor=BEN, number=810)):
        with pytest.raises(NotFound):
            world.send(SkillRecord, SKILL, command)


def test_who_left_is_not_asked():
    world = started()
    world.send(SkillRecord, SKILL, submit())
    world.send(Contributor, ANN.contributor_id, DeactivateContributor(actor=SYSTEM, today=DAY, on=DAY))
    with pytest.raises(Malformed):
        world.send(SkillRecord, SKILL, ask(ANN))


def test_nobody_asks_himself():
    with pytest.raises(AttesterIsTheSubject):
        asked(SOMEBODY)


def test_the_same_person_is_asked_again_only_about_more():
    world = asked(ANN)
    with pytest.raises(AlreadyRequested):
        world.send(SkillRecord, SKILL, ask(ANN, number=810))
    world.send(SkillRecord, SKILL, submit(LETTER))
    skill = world.send(SkillRecord, SKILL, ask(ANN, evidence=(LETTER,), number=810))
    assert skill.evidence_open_to(ANN.contributor_id) == {CALL, LETTER}


def test_an_attestation_completes_the_rule_in_the_same_command():
    world = asked(ANN)
    skill = world.send(SkillRecord, SKILL, attest(ANN, 3, confidence=Decimal("0.8")))
    assert kinds(world) == [SkillRecord.LevelAttested, SkillRecord.Learned]
    assert world.told[1] == SkillRecord.Learned(
        person=SOMEBODY.contributor_id,
        competency_id=LISTENING,
        rank=3,
        rule="attested-by-another",
        rule_version=1,
        attestations=(UUID(int=900),),
    )
    assert skill.level == 3


def test_only_who_was_asked_attests_and_a_lead_has_no_standing_right():
    world = asked(ANN)
    for stranger in (BEN, LEAD):
        with pytest.raises(NotAsked):
            world.send(SkillRecord, SKILL, attest(stranger, 3))
    with pytest.raises(NotAsked):
        started().send(SkillRecord, SKILL, attest(LEAD, 3))


def test_nobody_attests_himself():
    with pytest.raises(AttesterIsTheSubject):
        asked(ANN).send(SkillRecord, SKILL, attest(SOMEBODY, 4))


@pytest.mark.parametrize(
    ("facts", "pointer"),
    [
        ({"basis": ()}, "/basis"),
        ({"basis": (LETTER,)}, "/basis/0"),
        ({"confidence": Decimal("1.1")}, "/confidence"),
        ({"rank": 9}, "/rank"),
    ],
)
def test_an_attestation_rests_on_evidence_that_was_opened(facts, pointer):
    world = asked(ANN)
    world.send(SkillRecord, SKILL, submit(LETTER))
    with pytest.raises(Malformed) as refused:
        world.send(SkillRecord, SKILL, attest(ANN, **{"rank": 3} | facts))
    assert refused.value.facts["pointer"] == pointer


def test_attestations_are_never_overwritten_and_the_higher_level_counts():
    world = asked(ANN, BEN)
    world.send(SkillRecord, SKILL, attest(ANN, 3))
    skill = world.send(SkillRecord, SKILL, attest(BEN, 2, number=901))
    assert kinds(world) == [SkillRecord.LevelAttested]
    assert [one.rank for one in skill.attestations.values()] == [3, 2]
    assert skill.level == 3


def test_an_attester_who_sees_more_attests_again():
    world = asked(ANN)
    world.send(SkillRecord, SKILL, attest(ANN, 2))
    skill = world.send(SkillRecord, SKILL, attest(ANN, 3, number=901))
    assert (len(skill.attestations), skill.level) == (2, 3)


def test_an_attester_who_sees_less_takes_the_level_back():
    world = asked(ANN)
    world.send(SkillRecord, SKILL, attest(ANN, 3))
    skill = world.send(SkillRecord, SKILL, attest(ANN, 2, number=901))
    assert kinds(world) == [SkillRecord.LevelAttested, SkillRecord.Lapsed]
    assert (world.told[1].from_rank, world.told[1].rank, world.told[1].last_evidence) == (3, 2, DAY)
    assert skill.level == 2


def decline(actor, number=800):
    return DeclineAttestation(actor=actor, today=DAY, request_id=UUID(int=number))


def test_who_was_asked_declines_without_a_reason():
    world = asked(ANN)
    world.send(SkillRecord, SKILL, decline(ANN))
    assert world.told == [SkillRecord.AttestationDeclined(request_id=UUID(int=800))]
    with pytest.raises(RequestIsAnswered):
        world.send(SkillRecord, SKILL, decline(ANN))


def test_what_was_declined_is_closed_to_him_until_he_is_asked_again():
    world = asked(ANN)
    skill = world.send(SkillRecord, SKILL, decline(ANN))
    assert skill.evidence_open_to(ANN.contributor_id) == set()
    with pytest.raises(NotAsked):
        world.send(SkillRecord, SKILL, attest(ANN, 3))
    world.send(SkillRecord, SKILL, ask(ANN, number=810))
    assert world.send(SkillRecord, SKILL, attest(ANN, 3)).level == 3


def test_there_is_one_record_of_a_person_in_a_competency():
    assert SkillRecord.id_of(UUID(int=20), LISTENING) == SkillRecord.id_of(UUID(int=20), LISTENING)
    assert SkillRecord.id_of(UUID(int=20), LISTENING) != SkillRecord.id_of(UUID(int=21), LISTENING)


def test_a_request_to_another_is_not_there():
    world = asked(ANN, BEN)
    for actor, number in ((ANN, 801), (ANN, 899), (LEAD, 800)):
        with pytest.raises(NotFound):
            world.send(SkillRecord, SKILL, decline(actor, number))


def dispute(actor=SOMEBODY, number=900, reason="that was another call"):
    return DisputeAttestation(actor=actor, today=DAY, attestation_id=UUID(int=number), reason=reason)


def test_a_disputed_attestation_stays_on_record_and_counts_no_more():
    world = asked(ANN)
    world.send(SkillRecord, SKILL, attest(ANN, 3))
    skill = world.send(SkillRecord, SKILL, dispute())
    assert kinds(world) == [SkillRecord.AttestationDisputed, SkillRecord.Lapsed]
    assert (skill.level, len(skill.attestations)) == (None, 1)
    with pytest.raises(AttestationIsSetAside):
        world.send(SkillRecord, SKILL, dispute())


def test_only_the_person_disputes_and_only_what_is_there():
    world = asked(ANN)
    world.send(SkillRecord, SKILL, attest(ANN, 3))
    for command in (dispute(ANN), dispute(BEN), dispute(number=999)):
        with pytest.raises(NotFound):
            world.send(SkillRecord, SKILL, command)
    with pytest.raises(Malformed):
        world.send(SkillRecord, SKILL, dispute(reason=" "))


def withdraw(actor, number=900):
    return WithdrawAttestation(actor=actor, today=DAY, attestation_id=UUID(int=number), reason="I mixed people up")


def test_an_attester_takes_his_word_back_and_another_keeps_the_level():
    world = asked(ANN, BEN)
    world.send(SkillRecord, SKILL, attest(ANN, 3))
    world.send(SkillRecord, SKILL, attest(BEN, 3, number=901))
    skill = world.send(SkillRecord, SKILL, withdraw(ANN))
    assert (kinds(world), skill.level) == ([SkillRecord.AttestationWithdrawn], 3)
    for actor in (BEN, SOMEBODY):
        with pytest.raises(NotFound):
            world.send(SkillRecord, SKILL, withdraw(actor, 900 if actor is BEN else 901))


ranks = st.integers(1, 4)
attestations = st.lists(
    st.builds(
        Attestation,
        attestation_id=st.uuids(),
        request_id=st.uuids(),
        attester=st.sampled_from([SOMEBODY.contributor_id, ANN.contributor_id, BEN.contributor_id]),
        rank=ranks,
        basis=st.sampled_from([(), (CALL,)]),
        standing=st.booleans(),
    )
)


@given(attestations)
def test_a_level_rests_on_standing_attestations_of_others_on_evidence(given_attestations):
    verdict = reached(CURRENT, SOMEBODY.contributor_id, given_attestations)
    by_id = {one.attestation_id: one for one in given_attestations}
    support = [by_id[one] for one in verdict.attestations] if verdict else []
    assert bool(verdict) == bool(support)
    assert all(one.standing and one.basis and one.attester != SOMEBODY.contributor_id for one in support)
    assert all(one.rank >= verdict.rank for one in support)


@given(attestations, ranks)
def test_what_somebody_says_of_himself_changes_no_level(given_attestations, rank):
    person = SOMEBODY.contributor_id
    own = Attestation(attestation_id=UUID(int=1), request_id=UUID(int=2), attester=person, rank=rank, basis=(CALL,))
    assert reached(CURRENT, person, [*given_attestations, own]) == reached(CURRENT, person, given_attestations)
