"""How does an installation get the demo company, and with whose eyes can it be seen?"""

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec

from lms import clock
from lms.api.identities import Identities
from lms.app import Core, core
from lms.cli.demo.run import Cast, CastMember, DemoTooSmall, load_demo
from lms.cli.founding import TOKEN_TTL
from lms.cli.shell import Failure, Shell, command, progress

_PARTS = ("manager", "employee", "analyst", "administrator")
_VARIABLES = {"manager": "MANAGER", "employee": "EMPLOYEE", "analyst": "ANALYST", "administrator": "ADMIN"}
"""Under which names the README's walks use the tokens."""


class ShownCast(msgspec.Struct, frozen=True):
    """The demo's cast with a token for each, where the installation issues tokens itself."""

    cast: Cast
    tokens: dict[str, str | None]
    data_dir: Path

    def member(self, part: str) -> CastMember:
        """Who plays a part."""
        member: CastMember = getattr(self.cast, part)
        return member

    def as_json(self) -> dict[str, Any]:
        """What programs read."""
        parts = {part: {"id": self.member(part).id, "token": self.tokens[part]} for part in _PARTS}
        return {"organisation": self.cast.organisation, **parts}

    def tell(self, base: str) -> str:
        """What people read: the organisation, the tokens, and one line to try for each user."""
        lines = [f"Organisation {self.cast.organisation}", ""]
        for part in _PARTS:
            lines.append(f"# {part}: {self.member(part).name}, {self.member(part).id}")
            if self.tokens[part] is not None:
                lines.append(f"{_VARIABLES[part]}={self.tokens[part]}")
        if self.tokens["manager"] is not None:
            lines += ["", *self._tries(base)]
        return "\n".join(lines)

    def _tries(self, base: str) -> list[str]:
        def curl(part: str, path: str, more: str = "") -> str:
            return f'curl -s{more} -H "Authorization: Bearer {self.tokens[part]}" "{base}{path}"'

        text = "Talked with two customers before showing anything; one made a repeat purchase"
        note = f""" -H "Content-Type: application/json" -d '{{"note": "{text}"}}'"""
        return [
            f"Tokens hold for {TOKEN_TTL.days} days. To try:",
            "",
            "# a manager: which outcomes lack learning, and which learning leads nowhere?",
            curl("manager", "/v1/overview?lead=me"),
            "",
            "# an employee: log learning with one field",
            curl("employee", "/v1/me/learning", note),
            "",
            "# an analyst: from learning to business outcome, with the evidence for each link",
            curl("analyst", "/v1/line-of-sight?limit=5"),
            "",
            "# the analyst's own tools: a login for the star schema `bi`, with a URL that psql opens",
            f"{_program()} bi grant analyst --data-dir {shlex.quote(str(self.data_dir))}",
        ]


async def load_cast(
    opened: Core,
    *,
    people: int = 200,
    months: int = 18,
    seed: int = 1,
    told: Callable[[int, int], None] = lambda _done, _total: None,
) -> ShownCast:
    """Load the demo where it is not, and issue tokens for its cast. Raises Failure."""
    try:
        cast = await load_demo(
            opened.dispatch,
            people=people,
            months=months,
            seed=seed,
            now=clock.now(),
            claim=Identities(opened.subjects, opened.reads).claim_email,
            told=told,
        )
    except DemoTooSmall as error:
        raise Failure(str(error)) from error
    tokens: dict[str, str | None] = dict.fromkeys(_PARTS)
    if opened.settings.oidc_issuer is None:
        issuer = opened.local_tokens
        for part in _PARTS:
            member: CastMember = getattr(cast, part)
            tokens[part] = issuer.issue(cast.organisation, member.id, member.roles, TOKEN_TTL)
    return ShownCast(cast, tokens, opened.settings.data_dir)


def _program() -> str:
    """The program as it was called here."""
    return sys.argv[0] if Path(sys.argv[0]).name == "lms" else "lms"


@click.command
@click.option("--people", type=int, default=200, show_default=True, help="How many people work there.")
@click.option("--months", type=int, default=18, show_default=True, help="How long a history it has.")
@click.option("--seed", type=int, default=1, show_default=True, help="Which history: the same seed, the same one.")
@command()
async def demo(shell: Shell, people: int, months: int, seed: int) -> None:
    """Load the demo company through the same commands as the API sends; a second call loads nothing."""
    async with core(shell.settings) as opened:
        with progress("loading the demo") as told:
            cast = await load_cast(opened, people=people, months=months, seed=seed, told=told)
    base = f"http://{shell.settings.host}:{shell.settings.port}"
    loaded = f"{cast.cast.commands_n} commands sent" if cast.cast.commands_n else "The demo was loaded before"
    shell.answer(cast.as_json(), f"{loaded}; to be seen with lms serve\n{cast.tell(base)}")
