"""What can be said to `lms` on a command line?

Each command lives in the module named here and is loaded when it is used, so that `lms --version` is quick.
"""

import importlib
from importlib.metadata import version

import click

_COMMANDS = {
    "api": "lms.cli.serve:api",
    "bench": "lms.cli.bench:bench",
    "bi": "lms.cli.bi:bi",
    "demo": "lms.cli.showing:demo",
    "doctor": "lms.cli.doctor:doctor",
    "import": "lms.cli.imports:imports",
    "migrate": "lms.cli.migrate:migrate",
    "organisations": "lms.cli.organisations:organisations",
    "people": "lms.cli.people:people",
    "projections": "lms.cli.projections:projections",
    "projector": "lms.cli.serve:projector",
    "serve": "lms.cli.serve:serve",
    "token": "lms.cli.token:token",
}


class _Commands(click.Group):
    """Commands by name, imported when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        where = _COMMANDS.get(cmd_name)
        if where is None:
            return None
        module, _, name = where.partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(version("lms"), message="lms %(version)s")
def lms() -> None:
    """From what a person learns to what the business gains.

    Settings come from LMS_* variables; options of the command line are stronger.
    """


def main() -> None:
    """Run the command line."""
    lms(prog_name="lms")
