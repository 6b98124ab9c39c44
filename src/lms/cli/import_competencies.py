"""How do the competencies of a published framework come in from a file, in one language after another?

The columns are those of ESCO's own CSV download. A competency's id follows from its URI, so that a second language
finds it, and a second run finds everything as it is.
"""

import asyncio
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from lms import clock
from lms.app import Core
from lms.cli.people_rows import reason_of
from lms.cli.records import BadLine, Record, read_records
from lms.dispatch import Request
from lms.domain.base import SYSTEM, Command, Malformed, Refusal
from lms.domain.competency import (
    Broader,
    Competency,
    CompetencyKind,
    ExternalRef,
    ImportCompetency,
    RefSystem,
    check_language,
)
from lms.domain.competency_framework import CompetencyFramework, DefineFramework
from lms.domain.organisation import Organisation

Progress = Callable[[int, int], None]
"""Told how many of how many competencies are done."""

ESCO = "http://data.europa.eu/esco"
ESCO_ASKS = "This service uses the ESCO classification of the European Commission."

_AT_ONCE = 500
_KINDS = {
    "skill": CompetencyKind.SKILL,
    "skill/competence": CompetencyKind.SKILL,
    "competence": CompetencyKind.SKILL,
    "attitude": CompetencyKind.SKILL,
    "language": CompetencyKind.SKILL,
    "knowledge": CompetencyKind.KNOWLEDGE,
}


class Report(msgspec.Struct, kw_only=True):
    """What an import changed. ``changed`` were there before, under other names or elsewhere in the framework."""

    lines: int = 0
    defined: int = 0
    changed: int = 0
    unchanged: int = 0
    bad_lines: list[BadLine] = msgspec.field(default_factory=list)

    @property
    def changed_nothing(self) -> bool:
        """Tell whether no line was taken that was not there before."""
        return not (self.defined or self.changed)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One competency in one language; None where the file does not say."""

    line: int
    uri: str
    label: str
    alt_labels: tuple[str, ...] | None
    kind: CompetencyKind | None
    broader: tuple[str, ...] | None

    @property
    def is_esco(self) -> bool:
        """Tell whether ESCO publishes it."""
        return self.uri.startswith(f"{ESCO}/")


async def import_competencies(
    core: Core, organisation_id: UUID, file: Path, progress: Progress | None = None, *, language: str = "en"
) -> Report:
    """Bring in the competencies of a CSV (or NDJSON) file, whose labels are in this language, as the system.

    Good lines are kept whatever the others hold. Raises Unreadable, and Malformed for no language.
    """
    check_language(language, "/language")
    report = Report()
    rows = _rows(file, report)
    organisation = await core.dispatch.load(Organisation, organisation_id, organisation_id)
    if organisation is None:
        raise LookupError(f"there is no organisation {organisation_id}")
    run = _Run(core, organisation_id, ZoneInfo(organisation.time_zone), language, report)
    if any(row.is_esco for row in rows):
        await run.bring_in_esco()
    done, waiting = 0, iter(rows)
    while some := list(islice(waiting, _AT_ONCE)):
        await asyncio.gather(*(run.take(row) for row in some))
        done += len(some)
        if progress is not None:
            progress(done, len(rows))
    report.bad_lines.sort(key=lambda bad: bad.line)
    return report


def _rows(file: Path, report: Report) -> list[Row]:
    """The good lines; each URI once."""
    rows: dict[str, Row] = {}
    for record in read_records(file):
        report.lines += 1
        if isinstance(record, BadLine):
            report.bad_lines.append(record)
            continue
        try:
            row = row_of(record)
        except Malformed as refused:
            report.bad_lines.append(BadLine(record.line, reason_of(refused)))
            continue
        first = rows.setdefault(row.uri, row)
        if first is not row:
            report.bad_lines.append(BadLine(row.line, f"conceptUri: line {first.line} tells of it already"))
    return list(rows.values())


def row_of(record: Record) -> Row:
    """The competency that a record tells of. Raises Malformed."""
    values = record.values
    uri, label = values.get("concepturi") or values.get("uri"), values.get("preferredlabel") or values.get("label")
    if uri is None:
        raise Malformed(pointer="/conceptUri", detail="is missing")
    if ":" not in uri or any(sign.isspace() for sign in uri):
        raise Malformed(pointer="/conceptUri", detail="not a URI")
    if label is None:
        raise Malformed(pointer="/preferredLabel", detail="is missing")
    kind = values.get("skilltype")
    if kind is not None and kind.lower() not in _KINDS:
        raise Malformed(pointer="/skillType", detail=f"one of {', '.join(_KINDS)}")
    alt_labels, broader = values.get("altlabels"), values.get("broaderconcepturi")
    return Row(
        line=record.line,
        uri=uri,
        label=" ".join(label.split()),
        alt_labels=None if alt_labels is None else tuple(" ".join(alt.split()) for alt in alt_labels.splitlines()),
        kind=None if kind is None else _KINDS[kind.lower()],
        broader=None if broader is None else tuple(dict.fromkeys(broader.split())),
    )


class _Run:
    """One import: many competencies on their way at once, through the log's group commits."""

    def __init__(self, core: Core, organisation_id: UUID, time_zone: ZoneInfo, language: str, report: Report) -> None:
        self._core = core
        self._organisation_id = organisation_id
        self._time_zone = time_zone
        self._language = language
        self._report = report
        self._today = clock.now().astimezone(time_zone).date()
        self._esco_id = clock.derived_id(organisation_id, f"competency-framework:{ESCO}")

    async def bring_in_esco(self) -> None:
        """Define the framework ESCO with the acknowledgement it asks for, unless it is there."""
        if await self._core.dispatch.load(CompetencyFramework, self._organisation_id, self._esco_id) is None:
            command = DefineFramework(
                actor=SYSTEM,
                today=self._today,
                framework_id=self._esco_id,
                name="ESCO",
                publisher="European Commission",
                uri=ESCO,
                acknowledgement=ESCO_ASKS,
            )
            command_id = clock.derived_id(self._esco_id, "import")
            await self._core.dispatch.send(CompetencyFramework, self._esco_id, command, self._request(command_id))

    async def take(self, row: Row) -> None:
        """Bring in one competency and note what became of it."""
        competency_id = Competency.id_of(self._organisation_id, row.uri)
        try:
            outcome = await self._core.dispatch.send(
                Competency, competency_id, self._command(row, competency_id), self._request(clock.uuid7())
            )
        except Refusal as refused:
            self._report.bad_lines.append(BadLine(row.line, reason_of(refused)))
            return
        if outcome.position is None:
            self._report.unchanged += 1
        elif outcome.version == len(outcome.aggregate.decided) == 1:
            self._report.defined += 1
        else:
            self._report.changed += 1

    def _command(self, row: Row, competency_id: UUID) -> Command:
        return ImportCompetency(
            actor=SYSTEM,
            today=self._today,
            competency_id=competency_id,
            framework_id=self._esco_id if row.is_esco else None,
            code=row.uri.rstrip("/").rpartition("/")[2],
            kind=row.kind,
            language=self._language,
            label=row.label,
            alt_labels=row.alt_labels,
            refs=(ExternalRef(system=RefSystem.ESCO if row.is_esco else RefSystem.OTHER, uri=row.uri),),
            broader=None if row.broader is None else tuple(self._broader(uri) for uri in row.broader),
        )

    def _broader(self, uri: str) -> Broader:
        return Broader(competency_id=Competency.id_of(self._organisation_id, uri), uri=uri)

    def _request(self, command_id: UUID) -> Request:
        return Request(
            organisation_id=self._organisation_id,
            actor=SYSTEM,
            command_id=command_id,
            time_zone=self._time_zone,
            at=clock.now(),
        )
