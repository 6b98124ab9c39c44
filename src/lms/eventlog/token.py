"""What does a client hold to say "at least as far as I have seen"?

A token is ``epoch.lane.position``. The epoch changes when the log may have lost its tail (failover to a lagging
standby, restore): tokens at or below the fork stay good, those beyond it name events that are gone.
"""

from collections.abc import Sequence

import msgspec

_MAX_DIGITS = 19


class InvalidToken(ValueError):  # noqa: N818 - an answer to the client
    """This is no token of this log."""


class PositionLost(Exception):  # noqa: N818 - an answer to the client
    """The token stands for events that were lost with a failed server."""


class Epoch(msgspec.Struct, frozen=True):
    """A stretch of the log's life. Its first event came after ``from_position``."""

    number: int
    from_position: int


class Token(msgspec.Struct, frozen=True):
    """A parsed token."""

    epoch: int
    lane: int
    position: int


def format(epoch: int, lane: int, position: int) -> str:  # noqa: A001 - reads as token.format
    """The token as text."""
    return f"{epoch}.{lane}.{position}"


def parse(text: str) -> Token:
    """The token that a text stands for. Raises InvalidToken."""
    parts = text.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < _MAX_DIGITS for part in parts):
        raise InvalidToken(text)
    return Token(*map(int, parts))


def check(token: Token, lane: int, epochs: Sequence[Epoch], head: int) -> int:
    """The token's position, when the log still has it. ``epochs`` in order. Raises InvalidToken, PositionLost."""
    if token.lane != lane:
        raise InvalidToken(format(token.epoch, token.lane, token.position))
    if token.epoch > epochs[-1].number:
        raise PositionLost(format(token.epoch, token.lane, token.position))
    forks = (epoch.from_position for epoch in epochs if epoch.number > token.epoch)
    if token.position > min(forks, default=head):
        raise PositionLost(format(token.epoch, token.lane, token.position))
    return token.position
