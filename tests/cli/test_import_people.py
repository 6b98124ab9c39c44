import asyncio
import json
from zoneinfo import ZoneInfo

import pytest

from lms import app, clock, config
from lms.api.forgetting import forget
from lms.api.identities import Identities
from lms.cli.founding import found
from lms.cli.import_people import import_people
from lms.cli.records import BadLine, Unreadable
from lms.dispatch import Request
from lms.domain.base import SYSTEM
from lms.domain.contributor import Contributor, DeactivateContributor
from lms.domain.founding import Founding
from lms.domain.team import Team

PEOPLE = """\
Name,E-mail,Kind,Role band,Team,Team lead,Home,Start date
Mira Jansen,mira@example.org,employee,Store staff,Retail > Stores,yes,,2024-03-01
"Noor, de Wit",noor@example.org,,,Retail > Stores,,,
Omar Haddad,omar@example.org,customer,,,,,
Noor de Wit,NOOR@example.org,,,Service,no,,
"""


@pytest.fixture
async def core(database, tmp_path):
    """An organisation with nobody to keep read models: an import does not need them."""
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
    def write(text, name="people.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def request(organisation):
    """What the operator asks for."""
    return Request(
        organisation_id=organisation,
        actor=SYSTEM,
        command_id=clock.uuid7(),
        time_zone=ZoneInfo("Europe/Amsterdam"),
        at=clock.now(),
    )


async def known_as(core, organisation, email):
    """The contributor with this address."""
    return (await Identities(core.subjects, core.reads).of_emails(organisation, [email])).get(email)


async def told(core, organisation):
    """The events since the founding, as (type, data)."""
    envelopes = [core.codec.decode(stored) for stored in await core.log.feed(0, 1_000)]
    return [one for one in envelopes if one.organisation_id == organisation][4:]


async def names(core, organisation):
    """The people by name, and the teams by name with the names of lead and members."""
    events = await told(core, organisation)
    people, teams, parents = {}, {}, {}
    for event in events:
        match event.data:
            case Contributor.Registered(name=name):
                people[event.stream_id] = await core.subjects.open(organisation, name)
            case Team.Formed(name=name, parent_team_id=parent):
                teams[event.stream_id], parents[name] = name, teams.get(parent)
    told_of = {}
    for team_id, name in teams.items():
        team = await core.dispatch.load(Team, organisation, team_id)
        members = {people[one]: home for one, home in team.members.items()}
        told_of[name] = (parents[name], people.get(team.lead), members)
    return sorted(filter(None, people.values())), told_of


async def test_people_and_their_teams_come_in_from_csv(core, organisation, file):
    report = await import_people(core, organisation, file(PEOPLE))
    assert report.bad_lines == []
    counts = (report.lines, report.registered, report.teams_formed, report.joined, report.leads_appointed)
    assert counts == (4, 3, 3, 3, 1)
    people, teams = await names(core, organisation)
    assert people == ["Mira Jansen", "Noor, de Wit", "Omar Haddad"]
    assert teams == {
        "Retail": (None, None, {}),
        "Stores": ("Retail", "Mira Jansen", {"Mira Jansen": True, "Noor, de Wit": True}),
        "Service": (None, None, {"Noor, de Wit": False}),
    }
    mira = next(one.data for one in await told(core, organisation) if isinstance(one.data, Contributor.Registered))
    assert (mira.role_band, mira.on.isoformat()) == ("store-staff", "2024-03-01")


async def test_a_second_run_changes_nothing_and_says_so(core, organisation, file):
    await import_people(core, organisation, file(PEOPLE))
    head = await core.log.head()
    report = await import_people(core, organisation, file(PEOPLE))
    assert await core.log.head() == head
    assert report.changed_nothing
    assert (report.lines, report.unchanged, report.bad_lines) == (4, 4, [])


async def test_the_same_people_come_in_from_ndjson(core, organisation, file):
    await import_people(core, organisation, file(PEOPLE))
    lines = [
        {
            "name": "Mira Jansen",
            "email": "mira@example.org",
            "team": "retail > stores",
            "team_lead": True,
            "home": True,
        },
        {"first_name": "Puck", "last_name": "Smit", "id": 4711, "team": "Service"},
    ]
    report = await import_people(core, organisation, file("\n".join(map(json.dumps, lines)), "more.ndjson"))
    assert (report.registered, report.teams_formed, report.joined, report.unchanged) == (1, 0, 1, 1)


async def test_bad_lines_are_named_with_their_number_and_good_ones_kept(core, organisation, file):
    text = """\
name;email;kind;team;home;lead;on
Mira;mira@example.org;employee;Sales;;;
;nobody@example.org;;;;;
Noor;;;;;;
Omar;omar;;;;;
Puck;puck@example.org;robot;;;;
Quin;quin@example.org;;Sales;perhaps;;
Rik;rik@example.org;;;;;31-12-2025
Sam;sam@example.org;;;;;2999-01-01
Tess;tess@example.org;;A;yes;;
Tess;tess@example.org;;B;yes;;
too;many;values;in;this;line;of;ours
Uma;uma@example.org;;Sales;;;
"""
    report = await import_people(core, organisation, file(text))
    assert {bad.line: bad.reason.partition(":")[0] for bad in report.bad_lines} == {
        3: "name",
        4: "email",
        5: "email",
        6: "kind",
        7: "home",
        8: "on",
        9: "on",
        11: "home",
        12: "8 values for 7 columns",
    }
    assert (report.lines, report.registered, report.joined) == (12, 3, 3)
    people, _ = await names(core, organisation)
    assert people == ["Mira", "Tess", "Uma"]


async def test_a_record_over_several_lines_is_named_by_its_first(core, organisation, file):
    text = 'name,email,kind\n"Mira\nJansen",mira@example.org,\nNoor,noor,\n{"a": 1\n'
    report = await import_people(core, organisation, file(text))
    assert [bad.line for bad in report.bad_lines] == [4, 5]
    broken = file('{"name": "Mira", "email": "mira@example.org"}\n\nnonsense\n[1]\n', "x.jsonl")
    report = await import_people(core, organisation, broken)
    assert [bad.line for bad in report.bad_lines] == [3, 4]


async def test_an_import_that_was_cut_short_is_simply_run_again(core, organisation, file):
    rows = "".join(f"Person {n},p{n}@example.org,Team {n % 7}\n" for n in range(120))
    path = file(f"name,email,team\n{rows}")
    started = asyncio.Event()

    def progress(done, _total):
        if done >= 40:
            started.set()

    running = asyncio.create_task(import_people(core, organisation, path, progress))
    await asyncio.wait_for(started.wait(), 30)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    cut = len(await told(core, organisation))
    report = await import_people(core, organisation, path)
    assert cut < 120 + 7 + 2 * 120
    assert 0 < report.registered < 120
    people, teams = await names(core, organisation)
    assert len(people) == 120
    assert len(teams) == 7
    assert sum(len(members) for _, _, members in teams.values()) == 120
    assert (await import_people(core, organisation, path)).changed_nothing


async def test_two_imports_at_once_make_nobody_twice(core, organisation, file):
    rows = "".join(f"Person {n},p{n}@example.org,Team {n % 5}\n" for n in range(40))
    path = file(f"name,email,team\n{rows}")
    reports = await asyncio.gather(*(import_people(core, organisation, path) for _ in range(2)))
    people, teams = await names(core, organisation)
    assert len(people) == 40
    assert len(teams) == 5
    assert sum(report.joined for report in reports) == 40


async def test_progress_runs_to_the_end(core, organisation, file):
    seen = []
    await import_people(core, organisation, file(PEOPLE), lambda done, total: seen.append((done, total)))
    assert seen[-1] == (8, 8)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


async def test_who_left_does_not_come_back_by_a_file(core, organisation, file):
    await import_people(core, organisation, file(PEOPLE))
    mira = await known_as(core, organisation, "mira@example.org")
    asked = request(organisation)
    await core.dispatch.send(
        Contributor, mira, DeactivateContributor(actor=SYSTEM, today=asked.today, on=asked.today), asked
    )
    report = await import_people(core, organisation, file(PEOPLE))
    assert [bad.line for bad in report.bad_lines] == [2]
    assert report.registered == 0


async def test_who_was_forgotten_leaves_no_trace_to_be_known_by(core, organisation, file):
    await import_people(core, organisation, file(PEOPLE))
    mira = await known_as(core, organisation, "mira@example.org")
    identities = Identities(core.subjects, core.reads)
    await forget(core.dispatch, core.subjects, identities, mira, request(organisation))
    assert await known_as(core, organisation, "mira@example.org") is None
    assert (await core.dispatch.load(Contributor, organisation, mira)).is_forgotten
    people, _ = await names(core, organisation)
    assert people == ["Noor, de Wit", "Omar Haddad"]


async def test_a_person_known_by_his_number_may_change_his_address(core, organisation, file):
    await import_people(core, organisation, file("id,name,email\n7,Mira,mira@example.org\n8,Noor,noor@example.org\n"))
    report = await import_people(core, organisation, file("id,name,email\n7,Mira,mira@new.example.org\n"))
    assert report.changed_nothing
    taken = await import_people(core, organisation, file("id,name,email\n7,Mira,noor@example.org\n"))
    assert taken.bad_lines == [BadLine(2, "email: belongs to somebody else")]


@pytest.mark.parametrize("text", ["", ",,\n", "name,Name\n", '"name\n'])
async def test_a_file_that_holds_no_columns_is_refused(core, organisation, file, text):
    with pytest.raises(Unreadable):
        await import_people(core, organisation, file(text))


async def test_a_file_that_is_not_there_or_not_text_is_refused(core, organisation, tmp_path):
    with pytest.raises(Unreadable):
        await import_people(core, organisation, tmp_path / "nowhere.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Unreadable):
        await import_people(core, organisation, tmp_path / "binary.csv")


async def test_an_organisation_that_is_not_there_takes_nobody(core, file):
    with pytest.raises(LookupError):
        await import_people(core, clock.uuid7(), file(PEOPLE))
