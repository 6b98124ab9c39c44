"""What does the operator do for one person?"""

from uuid import UUID
from zoneinfo import ZoneInfo

import click

from lms import clock
from lms.api.forgetting import forget as forget_person
from lms.api.identities import Identities
from lms.app import core
from lms.cli.shell import Failure, Shell, command
from lms.cli.token import organisation_of
from lms.dispatch import Request
from lms.domain.base import SYSTEM
from lms.domain.organisation import Organisation


@click.group
def people() -> None:
    """People, by the id of the contributor."""


@people.command
@click.argument("contributor", metavar="ID", type=click.UUID)
@click.option("--yes", is_flag=True, help="Do not ask.")
@command()
async def forget(shell: Shell, contributor: UUID, *, yes: bool) -> None:
    """Destroy the key of the person ID: every text by or about him is unreadable from then on, everywhere.

    There is no way back, except from a backup that still has the key.
    """
    async with core(shell.settings) as opened:
        organisation_id = await organisation_of(opened, contributor, active=False)
        if not yes and not click.confirm(f"Forget {contributor} for good?", err=True):
            raise Failure("nobody was forgotten")
        organisation = await opened.dispatch.load(Organisation, organisation_id, organisation_id)
        request = Request(
            organisation_id=organisation_id,
            actor=SYSTEM,
            command_id=clock.uuid7(),
            time_zone=ZoneInfo(organisation.time_zone if organisation else "UTC"),
            at=clock.now(),
        )
        identities = Identities(opened.subjects, opened.reads)
        await forget_person(opened.dispatch, opened.subjects, identities, contributor, request)
    shell.answer({"forgotten": contributor}, f"forgotten: {contributor}")
