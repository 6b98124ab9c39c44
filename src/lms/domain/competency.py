"""What is it that people learn, under which names is it known, and to what does it belong?"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import assert_never
from uuid import UUID, uuid5

import msgspec
from eventsourcing.domain import event

from lms.domain.base import (
    Actor,
    ActorKind,
    Aggregate,
    Command,
    Forbidden,
    Malformed,
    NotFound,
    Others,
    Role,
    RuleBroken,
)
from lms.domain.competency_framework import CompetencyFramework
from lms.domain.proficiency_scale import ProficiencyScale
from lms.domain.terms import check_text

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_LONGEST_LABEL = 500

MOST_NAMED = 20
"""Competencies that one entry may name."""


class CompetencyKind(StrEnum):
    """Knowledge: one knows it. Skill: one can do it."""

    SKILL = "skill"
    KNOWLEDGE = "knowledge"


class RefSystem(StrEnum):
    """Whose identifier an external reference is."""

    CASE = "case"
    ESCO = "esco"
    ONET = "onet"
    OTHER = "other"


class ExternalRef(msgspec.Struct, frozen=True, kw_only=True):
    """The competency's identifier elsewhere."""

    system: RefSystem
    uri: str


class Broader(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A wider competency; ``uri`` is its identifier elsewhere, kept also while it is not in the catalogue itself."""

    competency_id: UUID
    uri: str | None = None


class CompetencyExists(RuleBroken):
    """This competency is defined already."""


class CompetencyIsRetired(RuleBroken):
    """The competency is retired."""


class NotYourCatalogue(Forbidden):
    """Guests do not define competencies; renaming and retiring is for team leads, business owners, administrators."""


class Competency(Aggregate):
    """One thing that can be learned, with labels in several languages."""

    TOPIC = "competency"

    @staticmethod
    def id_of(organisation_id: UUID, uri: str) -> UUID:
        """The id of the competency that a published framework knows by this URI, whoever brings it in."""
        return uuid5(organisation_id, f"competency:{uri}")

    class Defined(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The competency exists. Labels by language tag; ``scale_id`` absent means the organisation's scale."""

        TOPIC = "competency.defined"
        framework_id: UUID | None = None
        code: str | None = None
        kind: CompetencyKind = CompetencyKind.SKILL
        labels: dict[str, str]
        alt_labels: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
        refs: tuple[ExternalRef, ...] = ()
        broader: tuple[Broader, ...] = ()
        scale_id: UUID | None = None

    class Relabelled(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The named languages have these labels from now on; the others keep theirs."""

        TOPIC = "competency.relabelled"
        labels: dict[str, str]
        alt_labels: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)

    class Reclassified(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The competency is of this kind and belongs to these wider ones from now on."""

        TOPIC = "competency.reclassified"
        kind: CompetencyKind
        broader: tuple[Broader, ...] = ()

    class Retired(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The competency is used no more; what was learned stays."""

        TOPIC = "competency.retired"
        reason: str | None = None

    @event(Defined)
    def _defined(
        self,
        framework_id: UUID | None,
        code: str | None,
        kind: CompetencyKind,
        labels: dict[str, str],
        alt_labels: dict[str, tuple[str, ...]],
        refs: tuple[ExternalRef, ...],
        broader: tuple[Broader, ...],
        scale_id: UUID | None,
    ) -> None:
        self.framework_id, self.code, self.refs, self.scale_id = framework_id, code, refs, scale_id
        self.kind, self.labels, self.alt_labels, self.broader = kind, labels, alt_labels, broader
        self.is_retired = False

    @event(Relabelled)
    def _relabelled(self, labels: dict[str, str], alt_labels: dict[str, tuple[str, ...]]) -> None:
        kept = {language: alts for language, alts in self.alt_labels.items() if language not in labels}
        self.labels = {**self.labels, **labels}
        self.alt_labels = {**kept, **alt_labels}

    @event(Reclassified)
    def _reclassified(self, kind: CompetencyKind, broader: tuple[Broader, ...]) -> None:
        self.kind, self.broader = kind, broader

    @event(Retired)
    def _retired(self) -> None:
        self.is_retired = True


class DefineCompetency(Command, frozen=True, kw_only=True):
    """A new competency with a label in at least one language."""

    competency_id: UUID
    framework_id: UUID | None = None
    code: str | None = None
    kind: CompetencyKind = CompetencyKind.SKILL
    labels: Mapping[str, str]
    alt_labels: Mapping[str, tuple[str, ...]] = {}
    refs: tuple[ExternalRef, ...] = ()
    broader: tuple[Broader, ...] = ()
    scale_id: UUID | None = None


class ImportCompetency(Command, frozen=True, kw_only=True):
    """A competency as a framework publishes it in one language; what it does not say (None) stays as it is."""

    competency_id: UUID
    framework_id: UUID | None = None
    code: str | None = None
    kind: CompetencyKind | None = None
    language: str
    label: str
    alt_labels: tuple[str, ...] | None = None
    refs: tuple[ExternalRef, ...] = ()
    broader: tuple[Broader, ...] | None = None

    def definition(self) -> DefineCompetency:
        """The same as a new competency."""
        return DefineCompetency(
            actor=self.actor,
            today=self.today,
            competency_id=self.competency_id,
            framework_id=self.framework_id,
            code=self.code,
            kind=self.kind or CompetencyKind.SKILL,
            labels={self.language: self.label},
            alt_labels={self.language: self.alt_labels or ()},
            refs=self.refs,
            broader=self.broader or (),
        )


class RelabelCompetency(Command, frozen=True, kw_only=True):
    """Other labels for the named languages."""

    labels: Mapping[str, str]
    alt_labels: Mapping[str, tuple[str, ...]] = {}


class RetireCompetency(Command, frozen=True, kw_only=True):
    """Use the competency no more."""

    reason: str | None = None


CompetencyCommand = DefineCompetency | ImportCompetency | RelabelCompetency | RetireCompetency


def handle(competency: Competency | None, command: CompetencyCommand, others: Others) -> Competency:
    """Decide what a command does to a competency."""
    _refuse_strangers(command)
    match command:
        case ImportCompetency():
            return _define(command.definition(), others) if competency is None else _update(competency, command)
        case DefineCompetency():
            if competency is not None:
                raise CompetencyExists(competency_id=competency.id)
            return _define(command, others)
        case RelabelCompetency(labels=labels, alt_labels=alt_labels):
            standing = _standing(competency)
            _relabel(standing, labels, alt_labels)
            return standing
        case RetireCompetency(reason=reason):
            standing = _standing(competency)
            check_text(reason, "/reason")
            standing.record(Competency.Retired(reason=reason))
            return standing
        case _:
            assert_never(command)


def may_define(actor: Actor) -> bool:
    """Tell whether the actor may add to the catalogue: everybody but guests names what he learns."""
    return actor.kind is ActorKind.SYSTEM or actor.has(Role.EMPLOYEE, Role.BUSINESS_OWNER, Role.ADMINISTRATOR)


def may_curate(actor: Actor) -> bool:
    """Tell whether the actor may rename and retire what everybody uses."""
    leads = bool(actor.leads) and not actor.has(Role.GUEST)
    return leads or actor.kind is ActorKind.SYSTEM or actor.has(Role.BUSINESS_OWNER, Role.ADMINISTRATOR)


def check_language(language: str, pointer: str) -> None:
    """Refuse what is no language tag (BCP 47)."""
    if not _LANGUAGE.fullmatch(language):
        raise Malformed(pointer=pointer, detail=f"{language!r} is not a language tag, such as en or nl")


def _refuse_strangers(command: CompetencyCommand) -> None:
    allowed = may_define if isinstance(command, DefineCompetency) else may_curate
    if not allowed(command.actor):
        raise NotYourCatalogue


def _standing(competency: Competency | None) -> Competency:
    if competency is None:
        raise NotFound(kind="competency")
    if competency.is_retired:
        raise CompetencyIsRetired(competency_id=competency.id)
    return competency


def _define(command: DefineCompetency, others: Others) -> Competency:
    labels, alt_labels = _clean(command.labels, command.alt_labels)
    if not labels:
        raise Malformed(pointer="/labels", detail="say what it is called in at least one language")
    check_text(command.code, "/code", limit=200)
    for index, ref in enumerate(command.refs):
        check_text(ref.uri, f"/refs/{index}/uri", limit=1_000)
    if command.framework_id is not None and others.find(CompetencyFramework, command.framework_id) is None:
        raise Malformed(pointer="/framework_id", detail="there is no such framework")
    if command.scale_id is not None and others.find(ProficiencyScale, command.scale_id) is None:
        raise Malformed(pointer="/scale_id", detail="there is no such scale")
    # What an import brings may name a wider one that comes later or never; it keeps its URI.
    known = [(index, wider) for index, wider in enumerate(command.broader) if wider.uri is None]
    found = others.find_all(Competency, [wider.competency_id for _, wider in known])
    for (index, _), wider in zip(known, found, strict=True):
        if wider is None:
            raise Malformed(pointer=f"/broader/{index}", detail="there is no such competency")
    competency = Competency.blank(command.competency_id)
    competency.record(
        Competency.Defined(
            framework_id=command.framework_id,
            code=command.code,
            kind=command.kind,
            labels=labels,
            alt_labels=alt_labels,
            refs=command.refs,
            broader=command.broader,
            scale_id=command.scale_id,
        )
    )
    return competency


def _update(competency: Competency, command: ImportCompetency) -> Competency:
    """Record what the import changes: nothing when it is as it was, or when the organisation retired it."""
    if competency.is_retired:
        return competency
    alts = competency.alt_labels.get(command.language, ()) if command.alt_labels is None else command.alt_labels
    _relabel(competency, {command.language: command.label}, {command.language: alts})
    kind = command.kind or competency.kind
    broader = competency.broader if command.broader is None else command.broader
    if (kind, broader) != (competency.kind, competency.broader):
        competency.record(Competency.Reclassified(kind=kind, broader=broader))
    return competency


def _relabel(competency: Competency, labels: Mapping[str, str], alt_labels: Mapping[str, tuple[str, ...]]) -> None:
    labels, alt_labels = _clean(labels, alt_labels)
    if not labels:
        raise Malformed(pointer="/labels", detail="say what it is called in at least one language")
    changed = {
        language: label
        for language, label in labels.items()
        if competency.labels.get(language) != label
        or competency.alt_labels.get(language, ()) != alt_labels.get(language, ())
    }
    if changed:
        alts = {language: alts for language, alts in alt_labels.items() if language in changed}
        competency.record(Competency.Relabelled(labels=changed, alt_labels=alts))


def _clean(
    labels: Mapping[str, str], alt_labels: Mapping[str, tuple[str, ...]]
) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """The labels without spaces around; alternatives without repetition, empty ones and the label itself."""
    for language, label in labels.items():
        check_language(language, f"/labels/{language}")
        check_text(label, f"/labels/{language}", limit=_LONGEST_LABEL)
    clean = {language: label.strip() for language, label in labels.items()}
    alternatives: dict[str, tuple[str, ...]] = {}
    for language, alts in alt_labels.items():
        if language not in clean:
            raise Malformed(pointer=f"/alt_labels/{language}", detail="no label in this language")
        if any(len(alt) > _LONGEST_LABEL for alt in alts):
            raise Malformed(pointer=f"/alt_labels/{language}", detail=f"longer than {_LONGEST_LABEL} characters")
        kept = tuple(dict.fromkeys(alt.strip() for alt in alts if alt.strip() and alt.strip() != clean[language]))
        if kept:
            alternatives[language] = kept
    return clean, alternatives


def check_competencies(ids: Sequence[UUID], others: Others, pointer: str = "/competencies") -> None:
    """Refuse competencies that do not exist, or the same one twice."""
    if len(ids) > MOST_NAMED:
        raise Malformed(pointer=pointer, detail=f"at most {MOST_NAMED}")
    for index, (competency_id, found) in enumerate(zip(ids, others.find_all(Competency, ids), strict=True)):
        if found is None:
            raise Malformed(pointer=f"{pointer}/{index}", detail="there is no such competency")
        if competency_id in ids[:index]:
            raise Malformed(pointer=f"{pointer}/{index}", detail="named twice")
