"""How does what people learned elsewhere come in from a file, each line once, however often the file is read?

The id of an entry follows from the line's own id, else from all that the line says, under the organisation's key: a run
that was cut short is simply run again. Two lines that say the same are two entries; so they are in a second run.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from lms import clock
from lms.api.identities import Identities
from lms.app import Core
from lms.cli.competency_index import competencies_named
from lms.cli.import_people import ISSUER
from lms.cli.learning_rows import Row, row_of
from lms.cli.people_rows import reason_of
from lms.cli.records import BadLine, read_records
from lms.dispatch import Request
from lms.domain.base import SYSTEM, Malformed, Refusal
from lms.domain.competency import Competency
from lms.domain.contributor import Contributor
from lms.domain.learning_entry import LearningEntry, LogLearning
from lms.domain.organisation import Organisation
from lms.projections.wording import folded

Progress = Callable[[int, int], None]
"""Told how many of how many entries are done."""

_AT_ONCE = 500


class Report(msgspec.Struct, kw_only=True):
    """What an import changed. ``unchanged`` counts the lines that came in before."""

    lines: int = 0
    logged: int = 0
    unchanged: int = 0
    bad_lines: list[BadLine] = msgspec.field(default_factory=list)

    @property
    def changed_nothing(self) -> bool:
        """Tell whether no line was taken that was not there before."""
        return not self.logged


async def import_learning(core: Core, organisation_id: UUID, file: Path, progress: Progress | None = None) -> Report:
    """Log the learning of a CSV or NDJSON file for the people it names, as the system.

    Good lines are kept whatever the others hold. Raises Unreadable.
    """
    organisation = await core.dispatch.load(Organisation, organisation_id, organisation_id)
    if organisation is None:
        raise LookupError(f"there is no organisation {organisation_id}")
    time_zone = ZoneInfo(organisation.time_zone)
    report = Report()
    rows = _rows(file, time_zone, report)
    people = await _people(core, organisation_id, {row.person for row in rows})
    names = {folded(name) for row in rows for name in row.competencies if not _is_reference(name)}
    named = await competencies_named(core, organisation_id, names)
    run = _Run(core, organisation_id, time_zone, people, named, report)
    numbered = _numbered(rows, people)
    done, waiting = 0, iter(numbered)
    while some := list(islice(waiting, _AT_ONCE)):
        await run.take(some)
        done += len(some)
        if progress is not None:
            progress(done, len(numbered))
    report.bad_lines.sort(key=lambda bad: bad.line)
    return report


def _rows(file: Path, time_zone: ZoneInfo, report: Report) -> list[Row]:
    rows: list[Row] = []
    for record in read_records(file):
        report.lines += 1
        if isinstance(record, BadLine):
            report.bad_lines.append(record)
            continue
        try:
            rows.append(row_of(record, time_zone))
        except Malformed as refused:
            report.bad_lines.append(BadLine(record.line, reason_of(refused)))
    return rows


def _numbered(rows: list[Row], people: Mapping[str, UUID]) -> list[tuple[Row, int]]:
    """Each row with how many before it told the same of the same person; a line with its own id is told once."""
    seen: Counter[tuple[UUID | None, bytes]] = Counter()
    numbered = []
    for row in rows:
        key = (people.get(row.person), row.told)
        numbered.append((row, 0 if row.entry_id is not None else seen[key]))
        seen[key] += 1
    return numbered


def _is_reference(name: str) -> bool:
    """Tell whether this is an id or a URI, not a name."""
    return "://" in name or _uuid(name) is not None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def _people(core: Core, organisation_id: UUID, stated: set[str]) -> dict[str, UUID]:
    """The contributors by how the file names them: address, id, or the id that the organisation gives them."""
    identities = Identities(core.subjects, core.reads)
    found = await identities.of_emails(organisation_id, [one for one in stated if "@" in one])
    for one in stated - found.keys():
        contributor_id = _uuid(one) or await identities.of_subject(organisation_id, ISSUER, one)
        if contributor_id is not None:
            found[one] = contributor_id
    ids = sorted(set(found.values()))
    known: dict[UUID, Contributor | None] = {}
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        loaded = await asyncio.gather(*(core.dispatch.load(Contributor, organisation_id, one) for one in some))
        known.update(zip(some, loaded, strict=True))
    return {
        one: contributor_id
        for one, contributor_id in found.items()
        if (contributor := known[contributor_id]) is not None and not contributor.is_forgotten
    }


class _Run:
    """One import: many entries on their way at once, through the log's group commits."""

    def __init__(
        self,
        core: Core,
        organisation_id: UUID,
        time_zone: ZoneInfo,
        people: Mapping[str, UUID],
        named: Mapping[str, tuple[UUID, ...]],
        report: Report,
    ) -> None:
        self._core = core
        self._organisation_id = organisation_id
        self._time_zone = time_zone
        self._people = people
        self._named = named
        self._report = report

    async def take(self, rows: Sequence[tuple[Row, int]]) -> None:
        """Log some lines, but for those that came in before, and note what became of them."""
        by_id: dict[UUID, Row] = {}
        for row, number in rows:
            learner = self._people.get(row.person)
            if learner is None:
                self._report.bad_lines.append(BadLine(row.line, "person: nobody of this address or id takes part"))
            elif by_id.setdefault(self._entry_id(learner, row, number), row) is not row:
                self._report.unchanged += 1
        there = {entry_id for entry_id, events in (await self._core.log.streams(list(by_id))).items() if events}
        self._report.unchanged += len(there)
        await asyncio.gather(*(self._log(entry_id, row) for entry_id, row in by_id.items() if entry_id not in there))

    async def _log(self, entry_id: UUID, row: Row) -> None:
        try:
            command = self._command(row, self._people[row.person], entry_id)
            outcome = await self._core.dispatch.send(LearningEntry, entry_id, command, self._request(entry_id))
        except Refusal as refused:
            self._report.bad_lines.append(BadLine(row.line, reason_of(refused)))
            return
        if outcome.replayed:
            self._report.unchanged += 1
        else:
            self._report.logged += 1

    def _entry_id(self, learner: UUID, row: Row, number: int) -> UUID:
        told = self._core.subjects.digest(self._organisation_id, None, row.told).hex()
        return clock.derived_id(learner, f"import:learning:{told}:{number}")

    def _command(self, row: Row, learner: UUID, entry_id: UUID) -> LogLearning:
        return LogLearning(
            actor=SYSTEM,
            today=clock.now().astimezone(self._time_zone).date(),
            entry_id=entry_id,
            learner=learner,
            kind=row.kind,
            minutes=row.minutes,
            learned_on=row.learned_on,
            competencies=tuple(dict.fromkeys(map(self._competency, row.competencies))),
            goal_id=row.goal_id,
            rating=row.rating,
            activity=row.activity,
            note=row.note,
            visibility=row.visibility,
        )

    def _competency(self, name: str) -> UUID:
        if "://" in name:
            return Competency.id_of(self._organisation_id, name)
        if (competency_id := _uuid(name)) is not None:
            return competency_id
        found = self._named.get(folded(name), ())
        if not found:
            raise Malformed(pointer="/competencies", detail=f"none is called {name!r}")
        if len(found) > 1:
            raise Malformed(pointer="/competencies", detail=f"several are called {name!r}: give the URI or the id")
        return found[0]

    def _request(self, entry_id: UUID) -> Request:
        return Request(
            organisation_id=self._organisation_id,
            actor=SYSTEM,
            command_id=clock.derived_id(entry_id, "import"),
            time_zone=self._time_zone,
            at=clock.now(),
        )
