"""Is the database of the shape that this version needs?"""

import click

from lms.app import open_database
from lms.cli.shell import Shell, command


@click.command
@command()
async def migrate(shell: Shell) -> None:
    """Bring the database to the shape of this version.

    `lms serve` and the other commands do it themselves; this is for those who migrate with a login of its own
    (LMS_MIGRATION_DATABASE_URL) before they start the new version.
    """
    async with open_database(shell.settings) as database:
        done = await database.migrate()
    shell.answer({"applied": done}, "\n".join(f"applied {name}" for name in done) or "nothing to do")
