import asyncio
import json
from zoneinfo import ZoneInfo

import pytest

from lms import app, clock, config
from lms.cli.founding import found
from lms.cli.import_competencies import import_competencies
from lms.cli.import_learning import import_learning
from lms.cli.import_people import import_people
from lms.cli.records import BadLine
from lms.dispatch import Request
from lms.domain.base import SYSTEM
from lms.domain.contributor import Contributor, ForgetContributor
from lms.domain.founding import Founding
from lms.domain.learning_entry import LearningEntry, LearningKind

PEOPLE = """\
name,email,employee_id
Mira Jansen,mira@example.org,E1
Noor de Wit,noor@example.org,E2
"""
SKILLS = """\
conceptUri,skillType,preferredLabel,altLabels
urn://a/1,skill,listen actively,listening
urn://a/2,skill,bake bread,listening
urn://a/3,skill,Ask,
"""
LEARNING = """\
person,note,competencies,kind,minutes,learned_on,rating
mira@example.org,Asked before I answered,listen actively; ask,on the job,30,2026-01-05,4
MIRA@example.org,Again,urn://a/2,,,2026-01-06T23:30:00+00:00,
E2,Read a book,,reading,90,2026-01-08,
"""


@pytest.fixture
async def core(database, tmp_path):
    settings = config.load({}, database_url=database.app_dsn, data_dir=tmp_path / "data")
    known = app.Database(app_url=database.app_dsn, owner_url=database.owner_dsn, app_login=None)
    async with app.open_core(settings, known, migrate=False) as opened:
        yield opened


@pytest.fixture
def file(tmp_path):
    def write(text, name="learning.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
async def organisation(core, file):
    """An organisation with two people and three competencies."""
    founding = Founding(organisation_id=clock.uuid7(), name="Veldkamp", time_zone="Europe/Amsterdam")
    await found(core, founding)
    await import_people(core, founding.organisation_id, file(PEOPLE, "people.csv"))
    await import_competencies(core, founding.organisation_id, file(SKILLS, "skills.csv"))
    return founding.organisation_id


async def logged(core):
    """The entries in the log, in order."""
    stored = await core.log.feed(0, 10_000)
    return [core.codec.decode(one) for one in stored if one.type == LearningEntry.Logged.TOPIC]


async def test_learning_comes_in_for_whom_it_is_of_with_his_own_key(core, organisation, file):
    steps = []
    report = await import_learning(core, organisation, file(LEARNING), progress=lambda *step: steps.append(step))
    assert (report.lines, report.logged, report.bad_lines, steps[-1]) == (3, 3, [], (3, 3))
    entries = sorted((one.data for one in await logged(core)), key=lambda entry: entry.learned_on)
    first, second, third = entries
    assert (len(first.competencies), first.minutes, first.rating) == (2, 30, 4)
    assert first.note.of == first.learner == second.learner != third.learner
    assert await core.subjects.open(organisation, first.note) == "Asked before I answered"
    assert second.learned_on.isoformat() == "2026-01-07"
    assert third.kind is LearningKind.READING


async def test_a_second_run_changes_nothing_and_says_so(core, organisation, file):
    await import_learning(core, organisation, file(LEARNING))
    report = await import_learning(core, organisation, file(LEARNING))
    assert report.changed_nothing
    assert (report.unchanged, len(await logged(core))) == (3, 3)


async def test_a_run_that_was_cut_short_is_run_again_without_duplicates(core, organisation, file):
    lines = [json.dumps({"email": "mira@example.org", "note": f"thing {n}"}) for n in range(1_200)]
    path = file("\n".join(lines), "learning.ndjson")

    def stop(done, total):
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await import_learning(core, organisation, path, progress=stop)
    before = len(await logged(core))
    report = await import_learning(core, organisation, path)
    assert 0 < before < 1_200
    assert (report.unchanged, report.logged) == (before, 1_200 - before)
    assert len(await logged(core)) == 1_200


async def test_two_lines_that_say_the_same_are_two_entries(core, organisation, file):
    text = "email,note\nmira@example.org,walked round\nmira@example.org,walked round\nE1,walked round\n"
    report = await import_learning(core, organisation, file(text))
    assert report.logged == 3
    assert (await import_learning(core, organisation, file(text))).unchanged == 3


async def test_a_line_with_its_own_id_is_one_entry(core, organisation, file):
    text = "email,note,id\nmira@example.org,walked round,7\nmira@example.org,walked round,7\n"
    report = await import_learning(core, organisation, file(text))
    assert (report.logged, report.unchanged) == (1, 1)


async def test_bad_lines_are_named_with_their_number_and_reason_and_the_good_are_kept(core, organisation, file):
    lines = [
        {"note": "nobody"},
        {"person": "who@example.org", "note": "unknown"},
        {"person": "E1", "minutes": 5},
        {"person": "E1", "competencies": ["listening"]},
        {"person": "E1", "competencies": "baking"},
        {"person": "E1", "competencies": '["a", 1]'},
        {"person": "E1", "note": "x", "kind": "nonsense"},
        {"person": "E1", "note": "x", "minutes": "an hour"},
        {"person": "E1", "note": "x", "learned_on": "yesterday"},
        {"person": "E1", "note": "x", "learned_on": "2999-01-01"},
        {"person": "E1", "note": "x", "goal": "7"},
        {"person": "E1", "note": "x", "visibility": "team", "competencies": ["Ask", "listen actively"]},
        {"person": str(clock.uuid7()), "note": "x"},
        {"person": "E1", "note": "x", "goal": str(clock.uuid7())},
    ]
    report = await import_learning(core, organisation, file("\n".join(map(json.dumps, lines)), "a.ndjson"))
    assert report.logged == 1
    assert [bad.line for bad in report.bad_lines] == [n for n in range(1, 15) if n != 12]
    assert report.bad_lines[:3] == [
        BadLine(1, "person: is missing: an e-mail address or an id"),
        BadLine(2, "person: nobody of this address or id takes part"),
        BadLine(3, "say at least one of note, competencies and goal_id"),
    ]
    assert report.bad_lines[3].reason == "competencies: several are called 'listening': give the URI or the id"
    assert report.bad_lines[4].reason == "competencies: none is called 'baking'"


async def test_who_was_forgotten_learns_no_more(core, organisation, file):
    await import_learning(core, organisation, file(LEARNING))
    mira = min((one.data for one in await logged(core)), key=lambda entry: entry.learned_on).learner
    request = Request(
        organisation_id=organisation,
        actor=SYSTEM,
        command_id=clock.uuid7(),
        time_zone=ZoneInfo("UTC"),
        at=clock.now(),
    )
    forget = ForgetContributor(actor=SYSTEM, today=clock.now().date())
    await core.dispatch.send(Contributor, mira, forget, request)
    report = await import_learning(core, organisation, file(f"person,note\n{mira},more\n", "more.csv"))
    assert report.bad_lines == [BadLine(2, "person: nobody of this address or id takes part")]


async def test_learning_is_imported_into_an_organisation_that_is_there(core, file):
    with pytest.raises(LookupError):
        await import_learning(core, clock.uuid7(), file(LEARNING))


async def test_names_are_found_in_the_read_model_and_in_what_it_has_not_seen_yet(core, organisation, file):
    async with app.open_checkpoints(core) as checkpoints, app.open_projector(core, checkpoints):
        assert await checkpoints.wait(["competencies"], await core.log.head(), 20)
    renamed = "uri,label\nurn://a/3,wonder\nurn://a/4,brand new\n"
    await import_competencies(core, organisation, file(renamed, "more.csv"))
    text = "person,competencies\nE1,bake bread\nE1,wonder; brand new\nE1,ask\n"
    report = await import_learning(core, organisation, file(text, "l.csv"))
    assert report.logged == 2
    assert report.bad_lines == [BadLine(4, "competencies: none is called 'ask'")]


async def test_a_line_that_is_no_record_is_named(core, organisation, file):
    lines = file('{"person": "E1", "note": "x"}\nnonsense\n', "a.ndjson")
    report = await import_learning(core, organisation, lines)
    assert (report.logged, [bad.line for bad in report.bad_lines]) == (1, [2])
