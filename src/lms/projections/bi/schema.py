"""Which statements make the star schema, with a comment on every table and column?"""

import re
from pathlib import Path

_TABLE = re.compile(r"^CREATE TABLE (\w+) \( -- (.+)$")
_COLUMN = re.compile(r"^    ([a-z]\w*) .*? -- (.+)$")


def star_ddl() -> str:
    """The statements of ``star.sql``, and its comments as comments in the database."""
    text = Path(__file__).with_name("star.sql").read_text(encoding="utf-8")
    return "\n".join([text, *_comments(text), ""])


def _comments(text: str) -> list[str]:
    statements, table = [], ""
    for line in text.splitlines():
        if found := _TABLE.match(line):
            table = found[1]
            statements.append(f"COMMENT ON TABLE {table} IS '{_quoted(found[2])}';")
        elif table and (found := _COLUMN.match(line)):
            statements.append(f"COMMENT ON COLUMN {table}.{found[1]} IS '{_quoted(found[2])}';")
        elif line.startswith(");"):
            table = ""
    return statements


def _quoted(text: str) -> str:
    return text.replace("'", "''")
