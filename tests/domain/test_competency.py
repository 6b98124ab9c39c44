from uuid import UUID

import pytest

from domain.world import ADMINISTRATOR, DAY, SOMEBODY, World
from lms.domain.base import SYSTEM, Actor, Malformed, NotFound, Role
from lms.domain.competency import (
    Broader,
    Competency,
    CompetencyExists,
    CompetencyIsRetired,
    CompetencyKind,
    DefineCompetency,
    ExternalRef,
    ImportCompetency,
    NotYourCatalogue,
    RefSystem,
    RelabelCompetency,
    RetireCompetency,
    check_competencies,
)
from lms.domain.competency_framework import CompetencyFramework, DefineFramework, FrameworkExists, NotYourFramework
from lms.domain.proficiency_scale import (
    FOUR_STEPS,
    DefineScale,
    NotYourScale,
    ProficiencyScale,
    ScaleExists,
    ScaleStep,
)

LISTENING = UUID(int=500)
TALKING = UUID(int=501)
ESCO = UUID(int=510)
SCALE = UUID(int=520)
GUEST = Actor(contributor_id=UUID(int=9), roles=(Role.GUEST,))
LEAD = Actor(contributor_id=UUID(int=3), roles=(Role.EMPLOYEE,), leads=frozenset({UUID(int=70)}))


def define(**changed):
    facts = {"actor": SOMEBODY, "today": DAY, "competency_id": LISTENING, "labels": {"en": "active listening"}}
    return DefineCompetency(**facts | changed)


def defined(**changed):
    world = World()
    world.send(Competency, LISTENING, define(**changed))
    return world


def imported(**changed):
    facts = {
        "actor": SYSTEM,
        "today": DAY,
        "competency_id": LISTENING,
        "language": "en",
        "label": "listen actively",
        "alt_labels": ("hear people out",),
        "refs": (ExternalRef(system=RefSystem.ESCO, uri="urn:esco:1"),),
        "broader": (Broader(competency_id=TALKING, uri="urn:esco:0"),),
    }
    return ImportCompetency(**facts | changed)


def test_an_employee_names_what_he_learns():
    world = defined(
        labels={"en": " active listening "}, alt_labels={"en": ("listen", " listen", "", "active listening")}
    )
    assert world.told == [Competency.Defined(labels={"en": "active listening"}, alt_labels={"en": ("listen",)})]


def test_alternatives_that_say_nothing_new_are_left_out():
    world = defined(alt_labels={"en": (" ", "active listening")})
    assert world.told == [Competency.Defined(labels={"en": "active listening"})]


def test_a_guest_does_not_define_competencies():
    with pytest.raises(NotYourCatalogue):
        defined(actor=GUEST)


def test_a_competency_is_defined_once():
    world = defined()
    with pytest.raises(CompetencyExists):
        world.send(Competency, LISTENING, define())


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"labels": {}}, "/labels"),
        ({"labels": {"en": " "}}, "/labels/en"),
        ({"labels": {"English": "listening"}}, "/labels/English"),
        ({"alt_labels": {"nl": ("luisteren",)}}, "/alt_labels/nl"),
        ({"alt_labels": {"en": ("x" * 501,)}}, "/alt_labels/en"),
        ({"broader": (Broader(competency_id=TALKING),)}, "/broader/0"),
        ({"framework_id": ESCO}, "/framework_id"),
        ({"scale_id": SCALE}, "/scale_id"),
        ({"refs": (ExternalRef(system=RefSystem.ONET, uri=""),)}, "/refs/0/uri"),
        ({"code": ""}, "/code"),
    ],
)
def test_a_competency_that_makes_no_sense_is_refused(changed, pointer):
    with pytest.raises(Malformed) as refused:
        defined(**changed)
    assert refused.value.facts["pointer"] == pointer


def test_a_competency_belongs_to_a_wider_one_a_framework_and_a_scale():
    world = World()
    world.send(Competency, TALKING, define(competency_id=TALKING, labels={"en": "communicating"}))
    world.send(
        CompetencyFramework,
        ESCO,
        DefineFramework(actor=ADMINISTRATOR, today=DAY, framework_id=ESCO, name="ESCO", publisher="European Union"),
    )
    world.send(ProficiencyScale, SCALE, DefineScale(actor=ADMINISTRATOR, today=DAY, scale_id=SCALE, name="Four"))
    listening = world.send(
        Competency,
        LISTENING,
        define(framework_id=ESCO, scale_id=SCALE, broader=(Broader(competency_id=TALKING),)),
    )
    assert (listening.broader, listening.scale_id) == ((Broader(competency_id=TALKING),), SCALE)


def test_another_language_adds_its_labels_and_keeps_the_others():
    world = defined(alt_labels={"en": ("listen",)})
    relabel = RelabelCompetency(
        actor=LEAD, today=DAY, labels={"nl": "actief luisteren"}, alt_labels={"nl": ("luisteren",)}
    )
    listening = world.send(Competency, LISTENING, relabel)
    assert listening.labels == {"en": "active listening", "nl": "actief luisteren"}
    assert listening.alt_labels == {"en": ("listen",), "nl": ("luisteren",)}
    world.send(Competency, LISTENING, relabel)
    assert world.told == []


def test_a_label_given_without_alternatives_has_none():
    world = defined(alt_labels={"en": ("listen",)})
    listening = world.send(
        Competency, LISTENING, RelabelCompetency(actor=ADMINISTRATOR, today=DAY, labels={"en": "listening"})
    )
    assert (listening.labels, listening.alt_labels) == ({"en": "listening"}, {})


def test_labels_are_given_in_some_language():
    with pytest.raises(Malformed):
        defined().send(Competency, LISTENING, RelabelCompetency(actor=ADMINISTRATOR, today=DAY, labels={}))


@pytest.mark.parametrize("actor", [SOMEBODY, GUEST])
def test_who_does_not_lead_renames_nothing_for_all(actor):
    with pytest.raises(NotYourCatalogue):
        defined().send(Competency, LISTENING, RelabelCompetency(actor=actor, today=DAY, labels={"en": "x"}))


def test_a_retired_competency_is_changed_no_more():
    world = defined()
    retired = world.send(Competency, LISTENING, RetireCompetency(actor=LEAD, today=DAY, reason="merged"))
    assert retired.is_retired
    with pytest.raises(CompetencyIsRetired):
        world.send(Competency, LISTENING, RetireCompetency(actor=LEAD, today=DAY))


def test_what_was_never_defined_is_not_found():
    with pytest.raises(NotFound):
        World().send(Competency, LISTENING, RetireCompetency(actor=LEAD, today=DAY))


def test_an_import_defines_what_is_new_also_when_its_wider_one_is_unknown():
    world = World()
    world.send(Competency, LISTENING, imported())
    assert [type(event) for event in world.told] == [Competency.Defined]


def test_an_import_that_changes_nothing_tells_nothing():
    world = World()
    world.send(Competency, LISTENING, imported())
    world.send(Competency, LISTENING, imported())
    assert world.told == []


def test_an_import_in_a_second_language_merges_its_labels():
    world = World()
    world.send(Competency, LISTENING, imported())
    listening = world.send(
        Competency, LISTENING, imported(language="nl", label="actief luisteren", alt_labels=("aanhoren",))
    )
    assert world.told == [Competency.Relabelled(labels={"nl": "actief luisteren"}, alt_labels={"nl": ("aanhoren",)})]
    assert listening.labels == {"en": "listen actively", "nl": "actief luisteren"}


def test_an_import_leaves_what_the_organisation_retired_alone():
    world = World()
    world.send(Competency, LISTENING, imported())
    world.send(Competency, LISTENING, RetireCompetency(actor=LEAD, today=DAY))
    world.send(Competency, LISTENING, imported(label="listen better"))
    assert world.told == []


def test_an_import_of_a_new_edition_moves_a_competency():
    world = World()
    world.send(Competency, LISTENING, imported())
    listening = world.send(Competency, LISTENING, imported(kind=CompetencyKind.KNOWLEDGE, broader=()))
    assert world.told == [Competency.Reclassified(kind=CompetencyKind.KNOWLEDGE)]
    assert (listening.kind, listening.broader) == (CompetencyKind.KNOWLEDGE, ())


def test_what_an_import_does_not_say_stays_as_it_is():
    world = World()
    world.send(Competency, LISTENING, imported(kind=CompetencyKind.KNOWLEDGE))
    listening = world.send(Competency, LISTENING, imported(label="listening", alt_labels=None, broader=None))
    assert world.told == [Competency.Relabelled(labels={"en": "listening"}, alt_labels={"en": ("hear people out",)})]
    assert (listening.kind, len(listening.broader)) == (CompetencyKind.KNOWLEDGE, 1)


def test_an_import_is_not_everybodys():
    with pytest.raises(NotYourCatalogue):
        World().send(Competency, LISTENING, imported(actor=SOMEBODY))


def test_what_is_learned_names_known_competencies_once_and_not_too_many():
    world = defined()

    class Known:
        def find_all(self, kind, ids):
            return [world.streams.get(one) for one in ids]

    check_competencies((LISTENING,), Known())
    for ids in ((TALKING,), (LISTENING, LISTENING), (LISTENING,) * 21):
        with pytest.raises(Malformed):
            check_competencies(ids, Known())


def test_a_framework_is_brought_in_once_by_who_may():
    world = World()
    bring = DefineFramework(
        actor=SYSTEM, today=DAY, framework_id=ESCO, name=" ESCO ", acknowledgement="© European Union"
    )
    framework = world.send(CompetencyFramework, ESCO, bring)
    assert framework.name == "ESCO"
    with pytest.raises(FrameworkExists):
        world.send(CompetencyFramework, ESCO, bring)
    with pytest.raises(NotYourFramework):
        World().send(CompetencyFramework, ESCO, DefineFramework(actor=LEAD, today=DAY, framework_id=ESCO, name="Ours"))


def scale(*levels, actor=SYSTEM):
    return DefineScale(actor=actor, today=DAY, scale_id=SCALE, name="Ours", levels=levels)


def test_a_scale_has_its_steps_in_order():
    world = World()
    world.send(ProficiencyScale, SCALE, scale(*reversed(FOUR_STEPS)))
    assert world.told == [ProficiencyScale.Defined(name="Ours", levels=FOUR_STEPS)]
    with pytest.raises(ScaleExists):
        world.send(ProficiencyScale, SCALE, scale(*FOUR_STEPS))


@pytest.mark.parametrize(
    ("levels", "pointer"),
    [
        ((), "/levels"),
        ((ScaleStep(rank=1, label="a"), ScaleStep(rank=1, label="b")), "/levels/1/rank"),
        ((ScaleStep(rank=0, label="a"),), "/levels/0/rank"),
        ((ScaleStep(rank=1, label=" "),), "/levels/0/label"),
        ((ScaleStep(rank=1, label="a", descriptor=""),), "/levels/0/descriptor"),
    ],
)
def test_a_scale_that_makes_no_sense_is_refused(levels, pointer):
    with pytest.raises(Malformed) as refused:
        World().send(ProficiencyScale, SCALE, scale(*levels))
    assert refused.value.facts["pointer"] == pointer


def test_only_who_may_defines_a_scale():
    with pytest.raises(NotYourScale):
        World().send(ProficiencyScale, SCALE, scale(*FOUR_STEPS, actor=LEAD))


def test_what_a_framework_publishes_and_the_own_scale_have_one_id_in_an_organisation():
    one, other = UUID(int=1), UUID(int=2)
    uri = "urn:esco:1"
    assert Competency.id_of(one, uri) == Competency.id_of(one, uri) != Competency.id_of(other, uri)
    assert ProficiencyScale.default_id(one) == ProficiencyScale.default_id(one) != ProficiencyScale.default_id(other)
