"""How does an installation get one more organisation?"""

import click

from lms import clock
from lms.app import core
from lms.cli.founding import found
from lms.cli.shell import Shell, command
from lms.domain.founding import Founding


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
