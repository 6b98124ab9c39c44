import pytest

from lms import app, clock, config
from lms.cli.founding import found
from lms.cli.import_competencies import ESCO_ASKS, import_competencies
from lms.cli.records import BadLine, Unreadable
from lms.domain.base import Malformed
from lms.domain.competency import Competency, CompetencyKind
from lms.domain.competency_framework import CompetencyFramework
from lms.domain.founding import Founding

URI = "http://data.europa.eu/esco/skill/7"
ENGLISH = f"""\
conceptType,conceptUri,skillType,preferredLabel,altLabels,broaderConceptUri
KnowledgeSkillCompetence,{URI},skill,listen actively,"hear people out
listening
listen  actively",http://data.europa.eu/esco/skill/1
KnowledgeSkillCompetence,{URI}1,knowledge,Haskell,,
"""
DUTCH = f"""\
conceptUri,preferredLabel,altLabels
{URI},actief luisteren,aanhoren
"""


@pytest.fixture
async def core(database, tmp_path):
    settings = config.load({}, database_url=database.app_dsn, data_dir=tmp_path / "data")
    known = app.Database(app_url=database.app_dsn, owner_url=database.owner_dsn, app_login=None)
    async with app.open_core(settings, known, migrate=False) as opened:
        yield opened


@pytest.fixture
async def organisation(core):
    founding = Founding(organisation_id=clock.uuid7(), name="Veldkamp", time_zone="Europe/Amsterdam")
    await found(core, founding)
    return founding.organisation_id


@pytest.fixture
def file(tmp_path):
    def write(text, name="skills.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


async def competency(core, organisation, uri=URI):
    return await core.dispatch.load(Competency, organisation, Competency.id_of(organisation, uri))


async def test_competencies_come_in_with_names_kind_and_wider_ones(core, organisation, file):
    steps = []
    report = await import_competencies(core, organisation, file(ENGLISH), progress=lambda *step: steps.append(step))
    assert (report.lines, report.defined, report.bad_lines, steps[-1]) == (2, 2, [], (2, 2))
    listening = await competency(core, organisation)
    assert listening.labels == {"en": "listen actively"}
    assert listening.alt_labels == {"en": ("hear people out", "listening")}
    assert [(wider.uri, wider.competency_id) for wider in listening.broader] == [
        ("http://data.europa.eu/esco/skill/1", Competency.id_of(organisation, "http://data.europa.eu/esco/skill/1"))
    ]
    assert (listening.refs[0].uri, listening.code) == (URI, "7")
    assert (await competency(core, organisation, f"{URI}1")).kind is CompetencyKind.KNOWLEDGE
    framework = await core.dispatch.load(CompetencyFramework, organisation, listening.framework_id)
    assert framework.name == "ESCO"
    stored = [core.codec.decode(one) for one in await core.log.feed(0, 100)]
    assert ESCO_ASKS in [getattr(one.data, "acknowledgement", None) for one in stored]


async def test_a_second_run_changes_nothing_and_says_so(core, organisation, file):
    await import_competencies(core, organisation, file(ENGLISH))
    head = await core.log.head()
    report = await import_competencies(core, organisation, file(ENGLISH))
    assert report.changed_nothing
    assert (report.unchanged, await core.log.head()) == (2, head)


async def test_a_second_language_merges_its_names(core, organisation, file):
    await import_competencies(core, organisation, file(ENGLISH))
    report = await import_competencies(core, organisation, file(DUTCH), language="nl")
    assert (report.changed, report.defined) == (1, 0)
    listening = await competency(core, organisation)
    assert listening.labels == {"en": "listen actively", "nl": "actief luisteren"}
    assert listening.alt_labels["en"] == ("hear people out", "listening")
    assert len(listening.broader) == 1


async def test_bad_lines_are_named_with_their_number_and_the_good_are_kept(core, organisation, file):
    text = (
        "conceptUri,skillType,preferredLabel\n"
        ",skill,nothing\n"
        "no uri,skill,x\n"
        "urn:a,skill,\n"
        "urn:b,nonsense,x\n"
        "urn:c,skill,good\n"
        "urn:c,skill,again\n"
        f"urn:d,skill,{'x' * 600}\n"
    )
    report = await import_competencies(core, organisation, file(text))
    assert report.defined == 1
    assert report.bad_lines == [
        BadLine(2, "conceptUri: is missing"),
        BadLine(3, "conceptUri: not a URI"),
        BadLine(4, "preferredLabel: is missing"),
        BadLine(5, report.bad_lines[3].reason),
        BadLine(7, "conceptUri: line 6 tells of it already"),
        BadLine(8, "labels/en: longer than 500 characters"),
    ]
    assert report.bad_lines[3].reason.startswith("skillType: one of skill,")


async def test_what_is_no_such_file_or_language_is_refused(core, organisation, file, tmp_path):
    with pytest.raises(Unreadable):
        await import_competencies(core, organisation, tmp_path / "none.csv")
    with pytest.raises(Malformed):
        await import_competencies(core, organisation, file(ENGLISH), language="English")
    with pytest.raises(LookupError):
        await import_competencies(core, clock.uuid7(), file(ENGLISH))


async def test_a_line_that_is_no_record_is_named(core, organisation, file):
    report = await import_competencies(
        core, organisation, file('{"uri": "urn:a", "label": "x"}\nnonsense\n', "a.ndjson")
    )
    assert (report.defined, [bad.line for bad in report.bad_lines]) == (1, [2])
