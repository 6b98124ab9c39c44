"""How does somebody sign in while no OIDC issuer is there?"""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import click

from lms.app import Core, core
from lms.cli.shell import Failure, Shell, command
from lms.domain.base import Role
from lms.domain.contributor import Contributor

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=366)


class Duration(click.ParamType[timedelta]):
    """A whole number with s, m, h or d."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read ``1h``."""
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"(\d{1,6})([smhd])", str(value))
        if not found:
            self.fail(f"{value!r} is no duration such as 30m, 1h or 7d", param, ctx)
        duration = timedelta(**{_UNITS[found[2]]: int(found[1])})
        if not timedelta() < duration <= _LONGEST:
            self.fail("a token holds for more than nothing and at most a year", param, ctx)
        return duration


@click.command
@click.option("--contributor", type=click.UUID, required=True, help="Whom the token speaks for.")
@click.option(
    "--role", "roles", type=click.Choice([str(role) for role in Role]), multiple=True, required=True,
    help="What it allows; may be given several times.",
)  # fmt: skip
@click.option("--organisation", type=click.UUID, help="Where he must belong to, if that is to be checked.")
@click.option("--ttl", type=Duration(), default="1h", show_default=True, help="How long it holds.")
@command()
async def token(
    shell: Shell, contributor: UUID, roles: tuple[str, ...], organisation: UUID | None, ttl: timedelta
) -> None:
    """Issue a token signed by this installation.

    Refused when an OIDC issuer is configured: then tokens come from there.
    """
    async with core(shell.settings) as opened:
        issuer = opened.local_tokens
        found = await organisation_of(opened, contributor)
        if organisation is not None and organisation != found:
            raise Failure(f"{contributor} does not belong to organisation {organisation}")
        issued = issuer.issue(found, contributor, [Role(role) for role in roles], ttl)
    answer = {
        "token": issued, "organisation": found, "contributor": contributor, "roles": roles,
        "ttl_s": int(ttl.total_seconds()),
    }  # fmt: skip
    shell.answer(answer, issued)


async def organisation_of(opened: Core, contributor_id: UUID, *, active: bool = True) -> UUID:
    """Where a person takes part, or did. Raises Failure for somebody unknown, or gone where he has to be active."""
    events = (await opened.log.streams([contributor_id]))[contributor_id]
    if not events:
        raise Failure(f"there is no contributor {contributor_id}")
    organisation_id = events[0].organisation_id
    person = await opened.dispatch.load(Contributor, organisation_id, contributor_id)
    if person is None:
        raise Failure(f"{contributor_id} is no contributor")
    if active and not person.is_active:
        raise Failure(f"contributor {contributor_id} does not take part any more")
    return organisation_id
