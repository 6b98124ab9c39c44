"""How does an installation get one more organisation?"""

from uuid import UUID

import click

from lms import clock
from lms.app import Core, core
from lms.cli.founding import found
from lms.cli.shell import Failure, Shell, command
from lms.domain.founding import Founding
from lms.domain.organisation import Organisation


@click.group
def organisations() -> None:
    """Organisations on this installation."""


@organisations.command
@click.argument("name")
@click.option("--administrator", "email", required=True, metavar="EMAIL", help="E-mail address of its administrator.")
@click.option("--administrator-name", default="Administrator", show_default=True, help="His name.")
@click.option("--subject", help="His subject (sub) at the OIDC issuer, if one is configured.")
@click.option("--time-zone", default="UTC", show_default=True, help="An IANA name, such as Europe/Amsterdam.")
@click.option("--currency", default="EUR", show_default=True, help="An ISO 4217 code.")
@click.option("--language", default="en", show_default=True, help="A language tag, such as nl.")
@command()
async def add(
    shell: Shell,
    name: str,
    email: str,
    administrator_name: str,
    subject: str | None,
    time_zone: str,
    currency: str,
    language: str,
) -> None:
    """Add the organisation NAME with its defaults: an administrator, an open quarter and a four-step scale."""
    founding = Founding(
        organisation_id=clock.uuid7(),
        name=name,
        time_zone=time_zone,
        currency=currency,
        language=language,
        administrator_name=administrator_name,
        administrator_email=email,
    )
    async with core(shell.settings) as opened:
        founded = await found(opened, founding, subject)
    shell.answer(founded.as_json(), founded.tell())


async def chosen(opened: Core, wanted: UUID | None) -> UUID:
    """The organisation asked for, or the only one, as the log says. Raises Failure, and UsageError for several."""
    there: dict[UUID, str] = {}
    for row in await opened.reads.fetch("SELECT id FROM lms.organisation ORDER BY number"):
        organisation = await opened.dispatch.load(Organisation, row["id"], row["id"])
        if organisation is not None:
            there[row["id"]] = organisation.name
    if not there:
        raise Failure("there is no organisation yet: start lms serve, or lms organisations add")
    if wanted is None and len(there) > 1:
        names = ", ".join(f"{organisation_id} ({name})" for organisation_id, name in there.items())
        raise click.UsageError(f"say which one with --organisation: {names}")
    if wanted is not None and wanted not in there:
        raise Failure(f"there is no organisation {wanted}")
    return wanted or next(iter(there))
