"""What is a projection: which tables does it keep, what do events do to them, what can be asked?

    class Unlinked(Projection):
        NAME, VERSION = "unlinked", 1
        TABLES = (GOALS,)                                # GOALS = Table("unlinked_goals_v1", GoalRow, key="goal_id")

        @on(Goal.Proposed)                               # says which rows it touches and how they change
        def _proposed(self, envelope: Envelope, event: Goal.Proposed) -> Touches:
            yield GOALS.put(GoalRow(goal_id=envelope.stream_id, ..))

        @on(Goal.Achieved, Goal.Abandoned)
        def _closed(self, envelope: Envelope, event: Goal.Achieved | Goal.Abandoned) -> Touches:
            yield GOALS.change(envelope.stream_id, closed_on=event.on)

        async def unlinked(self, connection: Connection, organisation_id: UUID) -> list[GoalRow]:
            return await GOALS.select(connection, "WHERE organisation_id = $1 ORDER BY goal_id", organisation_id)

A batch is folded set-based: the touched rows are read once, changed in the log's order, written once. A handler only
looks at its event: what it touches must not depend on rows. One that must is ``async def`` and does its own SQL.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from inspect import getfile, iscoroutinefunction
from pathlib import Path
from typing import Any, ClassVar, TypeAlias, TypeVar
from uuid import UUID

from lms.domain.base import Event
from lms.eventlog.codec import Envelope
from lms.projections.table import Connection, Key, Table, Touch, Values

__all__ = ["Connection", "Envelope", "Projection", "Table", "Touch", "Touches", "on"]

Touches: TypeAlias = Iterator[Touch]

_Handler = TypeVar("_Handler", bound=Callable[..., Any])


def on(*events: type[Event]) -> Callable[[_Handler], _Handler]:
    """Mark a method as what a projection does about these events.

    Either a generator of touches, ``(self, envelope, event) -> Touches``, or, to do SQL of its own once all earlier
    events of the batch are in the tables, ``async def (self, connection, envelope, event) -> None``.
    """

    def mark(handler: _Handler) -> _Handler:
        handler.__dict__["handles"] = tuple(event.TOPIC for event in events)
        return handler

    return mark


class Projection:
    """A read model: its tables, its handlers and its questions. It keeps no state of its own but the tables.

    ``NAME.sql`` beside the module creates the tables, unqualified, each ending with the version (``goals_v1``).
    """

    NAME: ClassVar[str]
    VERSION: ClassVar[int] = 1
    TABLES: ClassVar[tuple[Table[Any], ...]] = ()
    """Tables that touches go to, a table before those that refer to it."""

    SCHEMAS: ClassVar[tuple[str, ...]] = ("read",)
    """Where the tables live; while they are built, the schemas of the same names with ``_next``."""

    OWNS_SCHEMAS: ClassVar[bool] = False
    """Nothing else lives in the schemas: they are switched whole, by renaming them."""

    FREEZES: ClassVar[bool] = False
    """Some rows stay as they were written, whatever is applied later: what could not be applied in time is mended by
    building anew."""

    READERS: ClassVar[str | None] = None
    """The role, if any, that uses the first schema from outside, and whose open snapshots a switch respects."""

    _handlers: ClassVar[dict[str, Callable[..., Any]]] = {}
    _doing_sql: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        own: dict[str, Callable[..., Any]] = {}
        for member in vars(cls).values():
            for topic in getattr(member, "handles", ()):
                if own.setdefault(topic, member) is not member:
                    raise TypeError(f"{cls.__name__} handles {topic} twice")
        cls._handlers = cls._handlers | own
        cls._doing_sql = frozenset(topic for topic, member in cls._handlers.items() if iscoroutinefunction(member))

    @classmethod
    def topics(cls) -> frozenset[str]:
        """The stored names of the events that reach this projection."""
        return frozenset(cls._handlers)

    @classmethod
    def ddl(cls, schema: str) -> str:  # noqa: ARG003 - a projection of several schemas looks at it
        """The statements that create what belongs into the schema, by default the ``.sql`` file beside the module."""
        return Path(getfile(cls)).with_suffix(".sql").read_text(encoding="utf-8")

    def parking_key(self, envelope: Envelope) -> UUID:
        """What must keep its order: when an event cannot be applied, it parks with all later events of this key."""
        return envelope.stream_id

    def touches(self, envelope: Envelope) -> Touches:
        """What the event does to rows; nothing when it is not handled here, or by SQL of its own."""
        if envelope.type in self._handlers and envelope.type not in self._doing_sql:
            yield from self._handlers[envelope.type](self, envelope, envelope.data)

    async def apply(self, connection: Connection, envelopes: Sequence[Envelope]) -> None:
        """Bring the tables from before these events to after them. Only events with a handler come here."""
        touches: list[Touch] = []
        for envelope in envelopes:
            handler = self._handlers[envelope.type]
            if envelope.type in self._doing_sql:
                await self._fold(connection, touches)
                touches = []
                await handler(self, connection, envelope, envelope.data)
            else:
                touches.extend(handler(self, envelope, envelope.data))
        await self._fold(connection, touches)

    async def _fold(self, connection: Connection, touches: Sequence[Touch]) -> None:
        """Read the touched rows once, change them in order, write them once."""
        by_table: dict[Table[Any], list[Touch]] = defaultdict(list)
        for touch in touches:
            by_table[touch.table].append(touch)
        folds = [_Fold(table, by_table[table]) for table in self.TABLES if table in by_table]
        if len(folds) < len(by_table):
            raise TypeError(f"{self.NAME} touches a table that is not among its TABLES")
        for fold in folds:
            await fold.load(connection)
            fold.change()
        for fold in reversed(folds):
            await fold.remove(connection)
        for fold in folds:
            await fold.save(connection)


class _Fold:
    """What one batch does to one table."""

    def __init__(self, table: Table[Any], touches: Sequence[Touch]) -> None:
        self._table = table
        self._touches = touches
        self._before: dict[Key, Any] = {}
        self._rows: dict[Key, Any] = {}
        self._whole: set[Key] = set()
        self._found: dict[tuple[str, ...], dict[Values, dict[Key, None]]] = {}

    async def load(self, connection: Connection) -> None:
        """Read every row that some touch looks at."""
        keys: dict[Key, None] = {}
        wheres: dict[tuple[str, ...], dict[Values, None]] = defaultdict(dict)
        for touch in self._touches:
            if touch.where is not None:
                wheres[touch.where[0]][touch.where[1]] = None
            elif touch.whole and touch.key not in keys:
                self._whole.add(touch.key)
            elif touch.key not in self._whole:
                keys[touch.key] = None
        self._before = await self._table.load(connection, keys)
        for names, values in wheres.items():
            for row in await self._table.load_where(connection, names, values):
                self._before[self._table.key_of(row)] = row
        self._found = {names: defaultdict(dict) for names in wheres}
        for key, row in self._before.items():
            self._set(key, row)

    def change(self) -> None:
        """Change the rows in the order of the log."""
        for touch in self._touches:
            if touch.where is None:
                self._set(touch.key, touch.change(self._rows.get(touch.key)))
                continue
            names, values = touch.where
            for key in list(self._found[names][values]):
                self._set(key, touch.change(self._rows[key]))

    async def remove(self, connection: Connection) -> None:
        """Delete the rows that are no more."""
        known = self._before.keys() | self._whole
        await self._table.remove(connection, [key for key in self._rows if self._rows[key] is None and key in known])

    async def save(self, connection: Connection) -> None:
        """Write the rows that differ from before."""
        before = self._before
        await self._table.save(
            connection, [row for key, row in self._rows.items() if row is not None and row != before.get(key)]
        )

    def _set(self, key: Key, row: Any) -> None:
        """Note the row as it is now, and under which values it is found."""
        old = self._rows.get(key)
        self._rows[key] = row
        for names, found in self._found.items():
            if old is not None:
                found[_values(old, names)].pop(key, None)
            if row is not None:
                found[_values(row, names)][key] = None


def _values(row: Any, names: Iterable[str]) -> Values:
    return tuple(getattr(row, name) for name in names)
