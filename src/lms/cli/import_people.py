"""How do the people and teams of an organisation come in from a file?

Each step changes nothing where it was done before, so that a run that was cut short is simply run again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from lms import clock
from lms.api.identities import Identities
from lms.app import Core
from lms.cli.people_rows import Row, reason_of, row_of, with_one_home
from lms.cli.records import BadLine, read_records
from lms.cli.team_index import Places, standing_teams
from lms.dispatch import Request
from lms.domain.base import SYSTEM, Malformed, Refusal
from lms.domain.contributor import Contributor, RegisterContributor, check_email
from lms.domain.organisation import Organisation
from lms.domain.team import NewMember, Team
from lms.domain.team_commands import AddMembers, AppointLead, FormTeam

Progress = Callable[[int, int], None]
"""Told how many of how many rows are done."""

ISSUER = "import:people"
"""Under this issuer the ids that the organisation's own systems give to people are kept."""

_IN_FLIGHT = 32


class Report(msgspec.Struct, kw_only=True):
    """What an import changed. ``unchanged`` counts the lines that told nothing new."""

    lines: int = 0
    registered: int = 0
    teams_formed: int = 0
    joined: int = 0
    leads_appointed: int = 0
    unchanged: int = 0
    bad_lines: list[BadLine] = msgspec.field(default_factory=list)

    @property
    def changed_nothing(self) -> bool:
        """Tell whether no line was taken that was not there before."""
        return not (self.registered or self.teams_formed or self.joined or self.leads_appointed)


async def import_people(core: Core, organisation_id: UUID, file: Path, progress: Progress | None = None) -> Report:
    """Register the people of a CSV or NDJSON file, form their teams and put them there, as the system.

    Good lines are kept whatever the others hold. Raises Unreadable.
    """
    report = Report()
    rows: list[Row] = []
    for record in read_records(file):
        report.lines += 1
        if isinstance(record, BadLine):
            report.bad_lines.append(record)
            continue
        try:
            rows.append(row_of(record))
        except Malformed as refused:
            report.bad_lines.append(BadLine(record.line, reason_of(refused)))
    organisation = await core.dispatch.load(Organisation, organisation_id, organisation_id)
    if organisation is None:
        raise LookupError(f"there is no organisation {organisation_id}")
    run = _Run(core, organisation_id, ZoneInfo(organisation.time_zone), report, progress or _silent)
    await run.take(with_one_home(rows, report.bad_lines))
    report.bad_lines.sort(key=lambda bad: bad.line)
    return report


def _stands(team: Team | None, contributor_id: UUID, row: Row) -> bool:
    """Tell whether the team has this member already, as the line says."""
    if team is None or team.disbanded_on is not None or contributor_id not in team.members:
        return False
    as_home = row.home is None or team.members[contributor_id] is row.home
    return as_home and (not row.lead or team.lead == contributor_id)


def _silent(done: int, total: int) -> None:
    """Tell nobody."""


class _Run:
    """One import: people first, many at a time, then team by team."""

    def __init__(
        self, core: Core, organisation_id: UUID, time_zone: ZoneInfo, report: Report, progress: Progress
    ) -> None:
        self._core = core
        self._organisation_id = organisation_id
        self._time_zone = time_zone
        self._report = report
        self._progress = progress
        self._identities = Identities(core.subjects, core.reads)
        self._gate = asyncio.Semaphore(_IN_FLIGHT)
        self._teams: Places = {}
        self._known: dict[str, UUID] = {}
        self._changed: set[int] = set()
        self._done = 0
        self._total = 0

    async def take(self, rows: Sequence[Row]) -> None:
        """Bring everything in."""
        self._total = 2 * len(rows)
        self._teams = await standing_teams(self._core, self._organisation_id)
        by_person: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in rows:
            by_person[row.identity].append(row)
        emails = {row.email for row in rows if row.email is not None}
        self._known = await self._identities.of_emails(self._organisation_id, emails)
        registered = await asyncio.gather(*(self._register(lines) for lines in by_person.values()))
        people = dict(zip(by_person, registered, strict=True))
        by_team: dict[tuple[str, ...], list[Row]] = defaultdict(list)
        for row in rows:
            if people[row.identity] is not None:
                by_team[row.team].append(row)
        # Teams are formed one after the other: one path may run through another.
        placed = [(await self._form(path, lines), lines) for path, lines in by_team.items()]
        await asyncio.gather(*(self._place(team_id, lines, people) for team_id, lines in placed))
        bad = {line.line for line in self._report.bad_lines}
        self._report.unchanged = sum(row.line not in self._changed | bad for row in rows)

    async def _register(self, lines: list[Row]) -> UUID | None:
        """The person's id, registered now if need be; None when he cannot be."""
        async with self._gate:
            first = lines[0]
            try:
                contributor_id = await self._claim(first)
                known = await self._core.dispatch.load(Contributor, self._organisation_id, contributor_id)
                if known is None:
                    command = RegisterContributor(
                        **self._stated(),
                        contributor_id=contributor_id,
                        kind=first.kind,
                        role_band=first.role_band,
                        name=first.name,
                        email=first.email,
                        on=first.on,
                    )
                    await self._send(Contributor, contributor_id, command, f"register:{contributor_id}")
                    self._report.registered += 1
                    self._changed.add(first.line)
                elif not known.is_active:
                    raise Malformed(pointer="", detail="this person has left or was forgotten")
            except Refusal as refused:
                self._refuse(lines, refused)
                return None
            finally:
                self._step(len(lines))
            return contributor_id

    async def _claim(self, row: Row) -> UUID:
        """The id of the person on this line: as known by his own id or e-mail address, else a new one."""
        organisation_id = self._organisation_id
        proposed = clock.uuid7()
        if row.email is not None:
            check_email(row.email, "/email")
        if row.external_id is None:
            email = row.email or ""
            return self._known.get(email) or await self._identities.claim_email(organisation_id, email, proposed)
        known = await self._identities.of_subject(organisation_id, ISSUER, row.external_id)
        if row.email is None:
            owner = known or proposed
        else:
            owner = await self._identities.claim_email(organisation_id, row.email, known or proposed)
            if known not in {None, owner}:
                raise Malformed(pointer="/email", detail="belongs to somebody else")
        return await self._identities.claim_subject(organisation_id, ISSUER, row.external_id, owner)

    async def _form(self, path: tuple[str, ...], lines: list[Row]) -> UUID | None:
        """The team at the end of the path, formed now with those above it if need be; None when it cannot be."""
        parent: UUID | None = None
        for name in path:
            key = (parent, name.casefold())
            if key not in self._teams:
                team_id = clock.derived_id(self._organisation_id, f"import:team:{parent}:{name.casefold()}")
                command = FormTeam(**self._stated(), team_id=team_id, name=name, parent_team_id=parent)
                try:
                    if await self._core.dispatch.load(Team, self._organisation_id, team_id) is None:
                        await self._send(Team, team_id, command, f"form:{team_id}")
                        self._report.teams_formed += 1
                        self._changed.add(lines[0].line)
                except Refusal as refused:
                    self._refuse(lines, refused)
                    return None
                self._teams[key] = team_id
            parent = self._teams[key]
        return parent

    async def _place(self, team_id: UUID | None, lines: list[Row], people: dict[tuple[str, str], UUID | None]) -> None:
        """Put people into one team, one after the other, where they are not there yet."""
        team = await self._core.dispatch.load(Team, self._organisation_id, team_id) if team_id is not None else None
        for row in lines:
            contributor_id = people[row.identity]
            if team_id is not None and contributor_id is not None and not _stands(team, contributor_id, row):
                async with self._gate:
                    try:
                        await self._join(team_id, contributor_id, row)
                    except Refusal as refused:
                        self._refuse([row], refused)
            self._step(1)

    async def _join(self, team_id: UUID, contributor_id: UUID, row: Row) -> None:
        member = NewMember(contributor_id=contributor_id, home=row.home)
        joining = AddMembers(**self._stated(), members=(member,), on=row.on)
        if await self._send(Team, team_id, joining):
            self._report.joined += 1
            self._changed.add(row.line)
        if row.lead:
            appointing = AppointLead(**self._stated(), contributor_id=contributor_id)
            if await self._send(Team, team_id, appointing):
                self._report.leads_appointed += 1
                self._changed.add(row.line)

    def _stated(self) -> dict[str, Any]:
        return {"actor": SYSTEM, "today": clock.now().astimezone(self._time_zone).date()}

    async def _send(self, kind: type[Any], stream_id: UUID, command: Any, name: str | None = None) -> bool:
        """Send a command; tells whether anything happened. A name makes it the same command in every run."""
        request = Request(
            organisation_id=self._organisation_id,
            actor=SYSTEM,
            command_id=clock.derived_id(self._organisation_id, f"import:{name}") if name else clock.uuid7(),
            time_zone=self._time_zone,
            at=clock.now(),
        )
        outcome = await self._core.dispatch.send(kind, stream_id, command, request)
        return outcome.position is not None and not outcome.replayed

    def _refuse(self, lines: list[Row], refused: Refusal) -> None:
        self._report.bad_lines.extend(BadLine(row.line, reason_of(refused)) for row in lines)

    def _step(self, rows: int) -> None:
        self._done += rows
        self._progress(self._done, self._total)
