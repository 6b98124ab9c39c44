"""How does a command become events: load, decide, append, once?"""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import date, datetime
from typing import Generic, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from lms.domain.base import Actor, Aggregate, Command, NeedsMore, Others, Refusal, RuleBroken
from lms.domain.catalogue import DECISIONS, aggregate_of
from lms.eventlog.codec import Codec, Metadata, effective_at
from lms.eventlog.log import Append, DuplicateCommand, EventLog, ReadCondition, StaleVersion, StoredEvent, Write
from lms.eventlog.subjects import Subjects

A = TypeVar("A", bound=Aggregate)

ATTEMPTS = 20
"""How often a decision is made anew when other writers were faster; each lost race means that another won it."""

READ_ROUNDS = 1_000
"""How many times a decision may ask for more streams: the height of the alignment graph, with room."""


class VersionMismatch(Refusal):
    """The thing has changed since the version you stated."""


class KeyReused(Refusal):
    """This idempotency key was used before with another body."""


class StillContended(RuleBroken):
    """Others keep changing the same things; try again."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Who sends a command, and under which name. ``body`` proves that a retry is the same request.

    ``at`` is the moment at the edge. A ``historic`` command (demo, import) tells of the past: ``at`` is the moment
    it tells of, and also its undated events are effective then. ``new_stream``: the stream's id was made for this
    command, so the first try need not look whether it is there.
    """

    organisation_id: UUID
    actor: Actor
    command_id: UUID
    time_zone: ZoneInfo
    at: datetime
    historic: bool = False
    new_stream: bool = False
    body: bytes | None = None
    expected_version: int | None = None
    correlation_id: UUID | None = None
    causation_id: UUID | None = None

    @property
    def today(self) -> date:
        """The date in the organisation's time zone."""
        return self.at.astimezone(self.time_zone).date()


class Outcome(msgspec.Struct, Generic[A], frozen=True):
    """What a command led to: the aggregate after it, the position of its last event (None: nothing happened)."""

    aggregate: A
    version: int
    position: int | None
    replayed: bool = False


class Loaded(msgspec.Struct, frozen=True):
    """A stream's state as last seen, which commands made it, and its last position."""

    aggregate: Aggregate
    commands: Mapping[UUID, int]
    position: int


class Dispatch:
    """Sends commands to their aggregates. The only writer of the event log beside bulk imports."""

    def __init__(self, log: EventLog, codec: Codec, subjects: Subjects, cache_size: int = 10_000) -> None:
        self.log = log
        self.codec = codec
        self.subjects = subjects
        self._cache: OrderedDict[tuple[UUID, UUID], Loaded] = OrderedDict()
        self._cache_size = cache_size

    async def send(self, kind: type[A], stream_id: UUID, command: Command, request: Request) -> Outcome[A]:
        """Decide and append, exactly once per command id.

        Raises the decision's `Refusal`, VersionMismatch, KeyReused, StillContended, and what the log raises.
        """
        looked_at: set[UUID] = set()
        for number in range(ATTEMPTS):
            attempt = _Attempt(self, request)
            if request.new_stream and number == 0:
                attempt.suppose_new(stream_id)
            elif looked_at:
                await attempt.look_again(looked_at)
            try:
                return await attempt.run(kind, stream_id, command)
            except (StaleVersion, DuplicateCommand):
                self._forget(attempt.touched, request.organisation_id)
            except Refusal:
                # A refusal may rest on what the cache remembers, or on streams read one after the other while somebody
                # wrote: only one fresh look at all of them may say so.
                if attempt.is_sure:
                    raise
                self._forget(attempt.touched, request.organisation_id)
                looked_at = attempt.touched
        raise StillContended(id=stream_id)

    async def load(self, kind: type[A], organisation_id: UUID, stream_id: UUID) -> A | None:
        """The aggregate as the log has it now, or None."""
        loaded = (await self.read(organisation_id, [stream_id])).get(stream_id)
        return loaded.aggregate if loaded and isinstance(loaded.aggregate, kind) else None

    def recall(self, organisation_id: UUID, stream_id: UUID) -> Loaded | None:
        """What the cache remembers of a stream; the version check of the append guards against its age."""
        key = (organisation_id, stream_id)
        loaded = self._cache.get(key)
        if loaded is not None:
            self._cache.move_to_end(key)
        return loaded

    def remember(self, organisation_id: UUID, stream_id: UUID, loaded: Loaded) -> None:
        """Keep a stream's state; the oldest makes room."""
        self._cache[organisation_id, stream_id] = loaded
        self._cache.move_to_end((organisation_id, stream_id))
        if len(self._cache) > self._cache_size:
            self._cache.popitem(last=False)

    def _forget(self, stream_ids: set[UUID], organisation_id: UUID) -> None:
        for stream_id in stream_ids:
            self._cache.pop((organisation_id, stream_id), None)

    async def read(self, organisation_id: UUID, stream_ids: list[UUID]) -> dict[UUID, Loaded]:
        """The organisation's streams as the log has them now; unknown and foreign ones are absent."""
        found: dict[UUID, Loaded] = {}
        for stream_id, events in (await self.log.streams(stream_ids)).items():
            if events and events[0].organisation_id == organisation_id:
                found[stream_id] = self.fold(stream_id, events)
                self.remember(organisation_id, stream_id, found[stream_id])
        return found

    def fold(self, stream_id: UUID, events: list[StoredEvent]) -> Loaded:
        """The state that a stream's events lead to."""
        aggregate = aggregate_of(events[0].type).blank(stream_id)
        for stored in events:
            aggregate.evolve(self.codec.decode(stored).data)
        return Loaded(aggregate, {stored.command_id: stored.version for stored in events}, events[-1].position)


class _Attempt:
    """One try at a command: what it loaded, what it decided, what it appended."""

    def __init__(self, dispatch: Dispatch, request: Request) -> None:
        self._dispatch = dispatch
        self._request = request
        self._loaded: dict[UUID, Loaded | None] = {}
        self.unsure = False
        self._reads_n = 0

    @property
    def touched(self) -> set[UUID]:
        """The streams this attempt looked at."""
        return set(self._loaded)

    @property
    def is_sure(self) -> bool:
        """Tell whether all that was looked at was read fresh and at one moment."""
        return not self.unsure and self._reads_n <= 1

    async def look_again(self, stream_ids: set[UUID]) -> None:
        """Read all these streams anew, as they stand at one moment."""
        found = await self._dispatch.read(self._request.organisation_id, list(stream_ids))
        self._reads_n += 1
        self._loaded.update({stream_id: found.get(stream_id) for stream_id in stream_ids})

    def suppose_new(self, stream_id: UUID) -> None:
        """Decide as if nothing stood in the stream; the append finds out."""
        self._loaded[stream_id] = None
        self.unsure = True

    async def run(self, kind: type[A], stream_id: UUID, command: Command) -> Outcome[A]:
        """Answer a retry from the log; else decide and append."""
        request = self._request
        if stream_id not in self._loaded:
            await self._load([stream_id])
        mine = self._loaded[stream_id]
        if mine is not None and request.command_id in mine.commands:
            return await self._replay(kind, stream_id)
        aggregate = mine.aggregate if mine and isinstance(mine.aggregate, kind) else None
        if request.expected_version is not None and request.expected_version != (aggregate.version if aggregate else 0):
            raise VersionMismatch(expected=request.expected_version, actual=aggregate.version if aggregate else 0)
        changed, read = await self._decide(kind, stream_id, command)
        primary = next(one for one in changed if one.id == stream_id)
        if not isinstance(primary, kind):
            raise TypeError(f"the decision answered with a {type(primary).__name__}, not a {kind.__name__}")
        position = await self._append(changed, read)
        if position is None and self.unsure:
            raise StaleVersion
        return Outcome(primary, primary.version, position)

    async def _decide(
        self, kind: type[Aggregate], stream_id: UUID, command: Command
    ) -> tuple[tuple[Aggregate, ...], dict[UUID, int]]:
        """Run the decision until it has read enough; each run starts from fresh copies."""
        decide = DECISIONS[kind]
        for _ in range(READ_ROUNDS):
            copies = {key: one.aggregate.snapshot() if one else None for key, one in self._loaded.items()}
            others = Others(copies)
            own = copies[stream_id]
            try:
                decided = decide(own if isinstance(own, kind) else None, command, others)
            except NeedsMore as needs:
                await self._load([wanted for _, wanted in needs.wanted])
                continue
            return decided if isinstance(decided, tuple) else (decided,), others.read
        raise StillContended(id=stream_id)

    async def _load(self, stream_ids: list[UUID]) -> None:
        organisation_id = self._request.organisation_id
        missing = []
        for stream_id in stream_ids:
            recalled = self._dispatch.recall(organisation_id, stream_id)
            if recalled is None:
                missing.append(stream_id)
            else:
                self.unsure = True
                self._loaded[stream_id] = recalled
        if missing:
            found = await self._dispatch.read(organisation_id, missing)
            self._reads_n += 1
            self._loaded.update({stream_id: found.get(stream_id) for stream_id in missing})

    async def _append(self, changed: tuple[Aggregate, ...], read: dict[UUID, int]) -> int | None:
        request, codec = self._request, self._dispatch.codec
        decided = [(one, one.decided) for one in changed if one.decided]
        if not decided:
            return None
        pairs = [(one, event) for one, events in decided for event in events]
        await codec.prepare(request.organisation_id, pairs, request.actor.contributor_id)
        encoded = [
            codec.encode(request.organisation_id, request.command_id, index, one, event, self._metadata(event))
            for index, (one, event) in enumerate(pairs)
        ]
        writes, taken = [], 0
        for one, events in decided:
            writes.append(Write(one.id, one.version - len(events), tuple(encoded[taken : taken + len(events)])))
            taken += len(events)
        written = {write.stream_id for write in writes}
        reads = tuple(ReadCondition(key, version) for key, version in read.items() if key not in written)
        appended = await self._dispatch.log.append(
            Append(request.organisation_id, request.command_id, tuple(writes), reads)
        )
        self._keep([one for one, _ in decided], writes, appended.position)
        return appended.position

    def _keep(self, changed: list[Aggregate], writes: list[Write], position: int) -> None:
        """Remember the new states, with personal texts sealed as the log holds them."""
        request, dispatch = self._request, self._dispatch
        for one, write in zip(changed, writes, strict=True):
            before = self._loaded.get(one.id)
            state = before.aggregate.snapshot() if before else type(one).blank(one.id)
            for new in write.events:
                version = state.version + 1
                stored = StoredEvent(
                    position=position,
                    organisation_id=request.organisation_id,
                    stream_id=one.id,
                    version=version,
                    command_id=request.command_id,
                    type=new.type,
                    schema_version=new.schema_version,
                    recorded_at=request.at,
                    metadata=new.metadata,
                    data=new.data,
                )
                state.evolve(dispatch.codec.decode(stored).data)
            commands = {**(before.commands if before else {}), request.command_id: state.version}
            dispatch.remember(request.organisation_id, one.id, Loaded(state, commands, position))

    def _metadata(self, event: Aggregate.Event) -> Metadata:
        request = self._request
        dated = effective_at(event, request.time_zone, request.at)
        author = request.actor.contributor_id
        digest = None
        if request.body is not None:
            digest = self._dispatch.subjects.digest(request.organisation_id, author, request.body)
        return Metadata(
            actor=request.actor.signature(),
            effective_at=dated or (request.at if request.historic else None),
            correlation_id=request.correlation_id,
            causation_id=request.causation_id,
            digest=digest,
        )

    async def _replay(self, kind: type[A], stream_id: UUID) -> Outcome[A]:
        """The answer the command got when it was first sent, built anew from the stream."""
        request, dispatch = self._request, self._dispatch
        events = (await dispatch.log.streams([stream_id]))[stream_id]
        mine = [stored for stored in events if stored.command_id == request.command_id]
        await self._refuse_other_body(dispatch.codec.decode(mine[0]).digest)
        then = dispatch.fold(stream_id, [stored for stored in events if stored.version <= mine[-1].version])
        if not isinstance(then.aggregate, kind):
            raise KeyReused
        return Outcome(then.aggregate, then.aggregate.version, mine[-1].position, replayed=True)

    async def _refuse_other_body(self, kept: bytes | None) -> None:
        request, subjects = self._request, self._dispatch.subjects
        author = request.actor.contributor_id
        if request.body is None or kept is None:
            return
        await subjects.prepare(request.organisation_id, [author] if author else [])
        if subjects.digest(request.organisation_id, author, request.body) != kept:
            raise KeyReused
