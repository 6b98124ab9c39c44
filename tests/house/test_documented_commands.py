"""Does what the documentation tells people to type exist?"""

import itertools
import re
import shlex
from pathlib import Path

import click
import pytest

from lms.cli import lms

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "ops").glob("*.md"))]
MAKEFILE = (ROOT / "Makefile").read_text()


def _typed(text: str) -> list[str]:
    """What stands in code: between back ticks, and on the lines of code blocks without their comments."""
    blocks = re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
    lines = [line.partition("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return lines + re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def _alternatives(command: str) -> list[list[str]]:
    """`lms import people|learning FILE` stands for two."""
    words = [word.strip("[]") for word in shlex.split(command)]
    return [list(chosen) for chosen in itertools.product(*(word.split("|") for word in words))]


TYPED = {typed: page.name for page in PAGES for typed in _typed(page.read_text())}
COMMANDS = {
    " ".join(words): (page, words)
    for typed, page in TYPED.items()
    if re.match(r"(\.venv/bin/)?lms [a-z]", typed)
    for words in _alternatives(typed.split(";")[0].split(" | ")[0])
}
TARGETS = {target: page for typed, page in TYPED.items() for target in re.findall(r"^make ([a-z]+)", typed)}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_is_told_of_exists_with_its_options(command: str):
    page, words = COMMANDS[command]
    context = click.Context(lms, info_name="lms")
    found: click.Command = lms
    rest = words[1:]
    while isinstance(found, click.Group) and rest:
        below = found.get_command(context, rest.pop(0))
        assert below is not None, f"{page}: no such command: {' '.join(words)}"
        found = below

    options = {name for parameter in found.params for name in parameter.opts} | {"--help"}
    stated = {word.partition("=")[0] for word in rest if word.startswith("--")}
    assert stated <= options, page
    assert not isinstance(found, click.Group) or not rest


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_of_make_that_is_told_of_exists_and_says_what_it_does(target: str):
    assert re.search(rf"^{target}:.*## \w", MAKEFILE, re.MULTILINE), TARGETS[target]


def test_the_walks_are_where_we_look_for_them():
    assert {"run", "test", "check"} <= TARGETS.keys()
    assert {"doctor", "projections", "bi", "serve"} <= {words[1] for _, words in COMMANDS.values()}
