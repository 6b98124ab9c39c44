"""How does a command read its options, run, answer and fail?

It succeeds with exit code 0, fails on wrong usage with 2, and else with 1 and one clear line on standard error.
"""

import asyncio
import contextlib
import functools
import logging
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn, TextIO, TypeAlias

import asyncpg
import click
import msgspec
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from lms import config, logs
from lms.config import ConfigError, Settings
from lms.domain.base import Refusal
from lms.embedded import EmbeddedPostgresError
from lms.eventlog.log import LogUnavailable, Overloaded
from lms.eventlog.master import MasterKeyUnusable
from lms.migrations import MigrationError
from lms.tokens import LocalIssuerRefused

Body: TypeAlias = Callable[..., Coroutine[Any, Any, None]]
"""What a command does: its first argument is the Shell, the others are its options."""

_WIDE = 200
"""Columns of a table that is not read on a terminal."""

_EXPECTED = (
    ConfigError,
    EmbeddedPostgresError,
    LocalIssuerRefused,
    LogUnavailable,
    MasterKeyUnusable,
    MigrationError,
    Overloaded,
    Refusal,
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
)
"""What may go wrong without the program being wrong."""


class Failure(click.ClickException):
    """The command cannot do what was asked; the message is one line."""

    def show(self, file: TextIO | None = None) -> None:  # type: ignore[override]  # click's IO[Any] is wider
        """Say why on standard error."""
        click.echo(f"lms: {' '.join(self.message.split())}", file=file or sys.stderr)


class Shell(msgspec.Struct, frozen=True):
    """What every command has: the settings, and whether it answers in JSON."""

    settings: Settings
    as_json: bool

    def answer(self, value: Any, human: str | Table | Callable[[Console], None]) -> None:
        """Print the result: ``value`` as JSON, or what people read."""
        if self.as_json:
            click.echo(msgspec.json.encode(value).decode())
        elif isinstance(human, str):
            click.echo(human)
        elif isinstance(human, Table):
            Console(width=None if sys.stdout.isatty() else _WIDE).print(human)
        else:
            human(Console())

    def fail(self, message: str) -> NoReturn:
        """End with exit code 1."""
        raise Failure(message)


def command(*, serves: bool = False) -> Callable[[Body], Any]:
    """Make of a coroutine function that takes a Shell and options what click calls; who ``serves`` logs more."""

    def wrap(function: Body) -> Any:
        @click.option(
            "--data-dir", type=click.Path(path_type=Path), help="Where data is kept (LMS_DATA_DIR; default: .lms)."
        )
        @click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
        @functools.wraps(function)
        def called(*, data_dir: Path | None, as_json: bool, **options: Any) -> None:
            with _one_line_failures():
                stated = {name: options[name] for name in ("host", "port", "workers") if name in options}
                settings = config.load(data_dir=data_dir, **stated)
                level = settings.log_level
                if level == "auto":
                    level = "info" if serves and not sys.stderr.isatty() else "warning"
                logs.configure(settings.log_format, level)
                _run(function(Shell(settings, as_json), **options))

        return called

    return wrap


def _run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run to the end; an interrupt or a request to terminate cancels, so that everything is closed properly."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(coroutine)


@contextlib.contextmanager
def _one_line_failures() -> Iterator[None]:
    try:
        yield
    except (click.ClickException, click.exceptions.Exit):
        raise
    except KeyboardInterrupt:
        raise Failure("interrupted") from None
    except _EXPECTED as error:
        raise Failure(str(error) or type(error).__name__) from error
    except Exception as error:
        if logging.getLogger().isEnabledFor(logging.DEBUG):
            raise
        raise Failure(f"unexpected {type(error).__name__}: {error} (LMS_LOG_LEVEL=debug shows where)") from error


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """A plain table; numbers are set to the right."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for number, name in enumerate(columns):
        figures = bool(rows) and all(isinstance(row[number], int | float) for row in rows)
        made.add_column(name, justify="right" if figures else "left", overflow="fold")
    for row in rows:
        made.add_row(*("" if cell is None else str(cell) for cell in row))
    return made


@contextlib.contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error when it is a terminal; call what is given with done and total."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        SpinnerColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(label, total=None)

        def told(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield told
