"""How does a resource look over HTTP: numbers, personal texts, ETag and position?"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from litestar import Response

from lms.domain.base import Forgotten, Personal, Sealed
from lms.eventlog.subjects import Subjects

T = TypeVar("T")

_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Answer(Response[T]):
    """A JSON response whose decimals are numbers."""

    def render(self, content: Any, media_type: str, enc_hook: Any = None) -> bytes:  # noqa: ARG002 - Litestar's signature
        """Encode the content; bytes are sent as they are."""
        return content if isinstance(content, bytes) else _ENCODER.encode(content)


class Receipt(msgspec.Struct, frozen=True):
    """What every write answers with: the aggregate's version and the token of the position."""

    version: int
    token: str

    def headers(self, location: str | None = None) -> dict[str, str]:
        """ETag, LMS-Position, and Location of what was created."""
        headers = {"ETag": f'"{self.version}"', "LMS-Position": self.token}
        return {**headers, "Location": location} if location else headers


def created(resource: T, receipt: Receipt, location: str) -> Answer[T]:
    """201: something new stands at ``location``."""
    return Answer(resource, status_code=201, headers=receipt.headers(location))


def changed(resource: T, receipt: Receipt) -> Answer[T]:
    """200: something changed; here it is."""
    return Answer(resource, status_code=200, headers=receipt.headers())


def done(receipt: Receipt) -> Answer[None]:
    """204: something changed; there is nothing to show."""
    return Answer(None, status_code=204, headers=receipt.headers())


def found(resource: T, version: int | None = None) -> Answer[T]:
    """200: here it is."""
    return Answer(resource, status_code=200, headers={"ETag": f'"{version}"'} if version is not None else {})


async def opened(subjects: Subjects, organisation_id: UUID, value: T) -> T:
    """The value with every personal text in it opened: plain, or `Forgotten` where the key is gone.

    Takes structs, tuples, lists and dicts; whoever calls it has decided that the reader may see the texts.
    """
    boxes = list(_sealed_in(value))
    if not boxes:
        return value
    plain = await subjects.open_all(organisation_id, boxes)
    by_box = {sealed: Forgotten() if text is None else text for sealed, text in zip(boxes, plain, strict=True)}
    return _replace(value, by_box)  # type: ignore[no-any-return]


def text(value: Personal | None) -> str | None:
    """An opened personal text as the answer shows it: null when forgotten."""
    if isinstance(value, Sealed):
        raise TypeError("open a personal text before it is shown")
    return None if isinstance(value, Forgotten) else value


def _sealed_in(value: Any) -> Iterator[Sealed]:
    if isinstance(value, Sealed):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _sealed_in(getattr(value, name))
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _sealed_in(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _sealed_in(part)


def _replace(value: Any, opened_texts: Mapping[Sealed, Personal]) -> Any:
    if isinstance(value, Sealed):
        return opened_texts[value]
    if isinstance(value, msgspec.Struct):
        parts = {name: getattr(value, name) for name in value.__struct_fields__}
        replaced = {name: _replace(part, opened_texts) for name, part in parts.items()}
        changes = {name: part for name, part in replaced.items() if part is not parts[name]}
        return msgspec.structs.replace(value, **changes) if changes else value
    if isinstance(value, dict):
        return {key: _replace(part, opened_texts) for key, part in value.items()}
    if isinstance(value, list):
        return [_replace(part, opened_texts) for part in value]
    if isinstance(value, tuple):
        return tuple(_replace(part, opened_texts) for part in value)
    return value
