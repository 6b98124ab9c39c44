"""What time is it, and what is this thing's name?"""

import os
import threading
import time
from datetime import UTC, datetime
from uuid import UUID, uuid5

_VERSION_AND_VARIANT = 0x7 << 76 | 0x2 << 62
_lock = threading.Lock()
_last_tick = 0


def now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - the one clock


def uuid7() -> UUID:
    """A new id that sorts after every id this process made before (RFC 9562, sub-millisecond form).

    The 12 bits after the milliseconds count 1/4096 ms; a tick already used, or a clock stepped back,
    moves to the next tick, so that ids stay in order without waiting.
    """
    global _last_tick  # noqa: PLW0603 - the order of ids is a fact of the process
    tick = time.time_ns() * 4096 // 1_000_000
    with _lock:
        _last_tick = tick = max(tick, _last_tick + 1)
    milliseconds, fraction = divmod(tick, 4096)
    chance = int.from_bytes(os.urandom(8)) >> 2
    return UUID(int=milliseconds << 80 | fraction << 64 | _VERSION_AND_VARIANT | chance)


def derived_id(namespace: UUID, name: str) -> UUID:
    """The id that ``name`` has within ``namespace``: the same for ever, whoever asks."""
    return uuid5(namespace, name)
