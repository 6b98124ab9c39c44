"""Are the rules kept that no linter knows?"""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from lms import migrations
from lms.config import Settings
from lms.projections.catalogue import PROJECTIONS

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
MOST_LINES = 400

LOCKS = ("requirements.lock", "requirements-dev.lock")


def _in_the_repository() -> list[Path]:
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return [path for path in ROOT.rglob("*") if path.is_file() and ".venv" not in path.parts]
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_which_question_it_answers_and_is_short(path: Path):
    text = path.read_text()

    assert ast.get_docstring(ast.parse(text)), "no docstring"
    assert text.count("\n") < MOST_LINES, f"{text.count(chr(10))} lines: what does it hide?"


def test_nothing_in_the_repository_names_a_place_of_one_machine():
    places = re.compile(r"/(?:root|home/[a-z]+|work)/[a-z.]|file:///|(?:/private)?/tmp/lms")
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in _in_the_repository()
        if path.suffix not in {".csv", ".png", ".svg", ".lock"} and path != Path(__file__)
        for match in places.finditer(path.read_text(errors="ignore"))
    ]

    assert found == []


@pytest.mark.parametrize("name", LOCKS)
def test_locks_pin_every_package_with_hashes_and_name_no_address(name: str):
    lines = (ROOT / name).read_text().splitlines()
    pins = [line for line in lines if "==" in line and not line.startswith("#")]

    assert pins
    assert all(re.match(r"[a-z0-9._-]+==[^ ;]+( ;.*)? \\$", pin) for pin in pins)
    assert all(
        line.strip().startswith("--hash=sha256:") for line in lines if line not in pins and not line.startswith("#")
    )
    assert not [line for line in lines if "://" in line or line.startswith("-")]


def test_locks_hold_every_dependency_and_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime, tools = (
        set(re.findall(r"^([a-z0-9._-]+==[^ ;]+)", (ROOT / name).read_text(), re.MULTILINE)) for name in LOCKS
    )
    names = {re.split(r"[\[<>=!~; ]", one, maxsplit=1)[0].lower() for one in project["project"]["dependencies"]}

    assert names <= {pin.split("==")[0] for pin in runtime}
    assert runtime <= tools


def test_migrations_are_numbered_without_gap():
    assert [migration.number for migration in migrations.load()] == list(range(1, len(migrations.load()) + 1))


def test_every_setting_is_named_in_the_documentation():
    told = (ROOT / "README.md").read_text() + "".join(
        path.read_text() for path in (ROOT / "ops").glob("*.md") if path.is_file()
    )

    assert [name for name in Settings.__struct_fields__ if f"LMS_{name.upper()}" not in told] == []


def test_projections_have_names_of_their_own_and_tables_beside_the_code():
    names = [one.NAME for one in PROJECTIONS]

    assert len(set(names)) == len(names)
    assert all(one.ddl(schema).strip() for one in PROJECTIONS for schema in one.SCHEMAS)
