"""Which records does a CSV or NDJSON file hold, and on which line does each begin?"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

_NDJSON = {".ndjson", ".jsonl", ".json"}
_DELIMITERS = ",;\t|"


class Unreadable(Exception):  # noqa: N818 - shown to the operator as it stands
    """The file cannot be read as CSV or NDJSON; the message says why."""


class BadLine(msgspec.Struct, frozen=True):
    """A record that was not taken, by the line of the file on which it begins, and why."""

    line: int
    reason: str


class Record(msgspec.Struct, frozen=True):
    """One record: its values by column in lower case with underscores, empty ones left out."""

    line: int
    values: Mapping[str, str]


def read_records(file: Path) -> Iterator[Record | BadLine]:
    """The records of a file in order, by its ending or, unknown, its first character. Raises Unreadable."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise Unreadable(f"{file}: {reason}") from error
    if file.suffix.lower() in _NDJSON or (file.suffix.lower() != ".csv" and text.lstrip().startswith("{")):
        return _ndjson(text)
    return _csv(file, text)


def _ndjson(text: str) -> Iterator[Record | BadLine]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            values = msgspec.json.decode(line)
        except msgspec.DecodeError as error:
            yield BadLine(number, f"not JSON: {error}")
            continue
        if not isinstance(values, dict):
            yield BadLine(number, "not a JSON object")
            continue
        yield Record(number, {_column(name): _word(value) for name, value in values.items() if _is_said(value)})


def _csv(file: Path, text: str) -> Iterator[Record | BadLine]:
    head = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            if columns is None:
                raise Unreadable(f"{file}: the first line names no columns: {error}") from error
            yield BadLine(line, f"not CSV: {error}")
            continue
        if columns is None:
            columns = _columns(file, row or [])
        elif row is None:
            return
        elif len(row) > len(columns):
            yield BadLine(line, f"{len(row)} values for {len(columns)} columns")
        elif any(cell.strip() for cell in row):
            yield Record(line, {name: cell.strip() for name, cell in zip(columns, row, strict=False) if cell.strip()})


def _columns(file: Path, row: list[str]) -> list[str]:
    columns = [_column(name) for name in row]
    if not any(columns):
        raise Unreadable(f"{file}: the first line names no columns")
    if len(set(columns)) < len(columns):
        raise Unreadable(f"{file}: two columns have the same name")
    return columns


def _column(name: str) -> str:
    return re.sub(r"[\s\-_.]+", "_", name.strip().lower()).strip("_")


def _is_said(value: object) -> bool:
    return value is not None and value != ""


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.strip() if isinstance(value, str) else msgspec.json.encode(value).decode()
