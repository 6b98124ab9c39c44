"""How does what an organisation has already come in from files?"""

import functools
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import click
import msgspec

from lms.app import Core, core
from lms.cli.import_competencies import import_competencies
from lms.cli.import_learning import import_learning
from lms.cli.import_people import import_people
from lms.cli.organisations import chosen
from lms.cli.records import BadLine, Unreadable
from lms.cli.shell import Failure, Shell, command, progress

_SHOWN = 20

FILE = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
ORGANISATION = click.option("--organisation", type=click.UUID, help="Into which one; needed when there are several.")


class Report(Protocol):
    """What every import tells: how many lines, what they changed, which were bad."""

    lines: int
    bad_lines: list[BadLine]

    @property
    def changed_nothing(self) -> bool:
        """Tell whether no line was taken that was not there before."""


Import = Callable[[Core, UUID, Path, Callable[[int, int], None]], Coroutine[Any, Any, Report]]


@click.group(name="import")
def imports() -> None:
    """Bring in people, competencies or learning from files.

    Good lines are kept, bad ones are reported with number and reason. Called again, also after a kill, an import
    changes only what is not there yet.
    """


@imports.command
@FILE
@ORGANISATION
@command()
async def people(shell: Shell, file: Path, organisation: UUID | None) -> None:
    """Import people with their teams from a CSV or NDJSON FILE (name, email, kind, role_band, team, team_lead ..)."""
    await _run(shell, file, organisation, import_people)


@imports.command
@FILE
@ORGANISATION
@click.option("--lang", default="en", show_default=True, help="The language of the labels, such as nl.")
@command()
async def competencies(shell: Shell, file: Path, organisation: UUID | None, lang: str) -> None:
    """Import competencies from an ESCO CSV FILE (conceptUri, preferredLabel, altLabels, skillType, broaderConceptUri).

    A file in a second language adds its labels to the same competencies, found by their URI.
    """
    await _run(shell, file, organisation, functools.partial(import_competencies, language=lang))


@imports.command
@FILE
@ORGANISATION
@command()
async def learning(shell: Shell, file: Path, organisation: UUID | None) -> None:
    """Import what people learned from a CSV or NDJSON FILE (person, note, competencies, kind, minutes, learned_on ..).

    A person is named by e-mail address or id, a competency by label, URI or id; several are set apart by semicolons.
    """
    await _run(shell, file, organisation, import_learning)


async def _run(shell: Shell, file: Path, organisation: UUID | None, take: Import) -> None:
    async with core(shell.settings) as opened:
        organisation_id = await chosen(opened, organisation)
        try:
            with progress(f"importing {file.name}") as steps:
                report = await take(opened, organisation_id, file, steps)
        except Unreadable as error:
            raise Failure(str(error)) from error
    shell.answer(report, told(report))
    if report.bad_lines:
        raise Failure(f"{len(report.bad_lines)} of {report.lines} lines of {file.name} were not imported")


def _why_nothing(report: Report) -> str:
    if not report.lines:
        return "there are no lines"
    bad = {one.line for one in report.bad_lines}
    if len(bad) == report.lines:
        return "every line was bad"
    return "what was good in it was there" if bad else "all of it was there"


def told(report: Report) -> str:
    """What an import did, for people: the counts, then the first bad lines."""
    counts = {name: value for name, value in msgspec.to_builtins(report).items() if isinstance(value, int)}
    lines = [f"{name.replace('_', ' ')}: {value}" for name, value in counts.items()]
    if report.changed_nothing:
        lines.append(f"nothing changed: {_why_nothing(report)}")
    lines += [f"line {bad.line}: {bad.reason}" for bad in report.bad_lines[:_SHOWN]]
    if len(report.bad_lines) > _SHOWN:
        lines.append(f".. and {len(report.bad_lines) - _SHOWN} more bad lines (all with --json)")
    return "\n".join(lines)
