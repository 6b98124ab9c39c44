"""How does an event stored in an older shape read as today's?

Append only: an entry once released is never changed or removed, since events of that version stay in the log.
"""

from collections.abc import Callable, Mapping
from typing import Any

Data = dict[str, Any]
Upcasts = Mapping[tuple[str, int], Callable[[Data], Data]]

UPCASTS: Upcasts = {}
"""(event type, version) -> the step from that version's data to the next version's."""


class MissingUpcast(Exception):  # noqa: N818 - a mistake of the program, found at start-up
    """An event type has an old version that nothing lifts to the next."""


def require_complete(upcasts: Upcasts, event_type: str, current: int) -> None:
    """Raise MissingUpcast unless every older version has its step."""
    for version in range(1, current):
        if (event_type, version) not in upcasts:
            raise MissingUpcast(f"{event_type} version {version}")


def lift(upcasts: Upcasts, event_type: str, version: int, current: int, data: Data) -> Data:
    """The data in the current shape, step by step."""
    for step in range(version, current):
        data = upcasts[event_type, step](data)
    return data
