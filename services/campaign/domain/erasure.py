"""What can be known of somebody is erased: asked for by one, approved by another, never undone.

Of who is in the roster, name and number; of who is not, the name they gave when they said something; and
whole records that were kept as long as policy says. What is destroyed is the key of a scope, in every
service, because of the event recorded here. The events that hold the sealed words stay as they are, and
so does every hash.
"""

from dataclasses import dataclass
from datetime import date
from typing import assert_never

from services.campaign.defaults import TEXTS
from services.campaign.directory import Directory
from services.campaign.domain import ADMINISTRATION, FourEyes, NotInRoster, recorded_by
from services.campaign.domain.person import Erased as AlreadyErased
from services.campaign.domain.person import MergedElsewhere
from services.campaign.events import (
    ErasureEvent,
    ErasureRequested,
    ErasureWithdrawn,
    PersonErased,
    TextErasureRequested,
    TextKind,
    TextsErased,
)
from shared.decider import Command, Decider, OutOfOrder, PersonId, Rejected
from shared.marks import Id, Prose

# -- Facts ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Facts:
    """What a decision on an erasure looks at beside it.

    Of texts: whether there is such a record, and up to which day policy keeps it.
    """

    directory: Directory
    there: bool = False
    kept_until: date = date.max


# -- Commands ------------------------------------------------------------------------------------


class RequestErasure(Command):
    """Ask that somebody who has left the school be erased: name and number, wherever they stand."""

    zh = "申请删除个人信息"
    allowed = ADMINISTRATION
    creates = True
    person: Id
    reason: Prose

    def unique(self) -> tuple[str, ...]:
        """One history per person."""
        return ("erasure", self.person)


class RequestTextErasure(Command):
    """Ask that the name of who said something be erased, or a record that policy keeps no longer."""

    zh = "申请删除言论人身份或到期内容"
    allowed = ADMINISTRATION
    creates = True
    kind: TextKind
    record: Id
    reason: Prose

    def unique(self) -> tuple[str, ...]:
        """One history per kind and record."""
        return ("texts", self.kind, self.record)


class ApproveErasure(Command):
    """Erase it for good; a person with every entry merged into theirs. A second person does it."""

    zh = "批准删除"
    allowed = ADMINISTRATION
    reason: Prose


class WithdrawErasure(Command):
    """Take a request back, or turn it down; it may be made again."""

    zh = "撤回删除申请"
    allowed = ADMINISTRATION
    reason: Prose


type ErasureCommand = RequestErasure | RequestTextErasure | ApproveErasure | WithdrawErasure

# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unknown:
    """Nobody asked."""


@dataclass(frozen=True)
class Requested:
    """Somebody asked, and why; a second person has to say yes."""

    person: PersonId
    reason: str
    requested_by: PersonId


@dataclass(frozen=True)
class TextsRequested:
    """Somebody asked for texts to go, and why; a second person has to say yes."""

    kind: TextKind
    record: str
    reason: str
    requested_by: PersonId


@dataclass(frozen=True)
class Withdrawn:
    """It was asked and did not come to it."""

    reason: str


@dataclass(frozen=True)
class Erased:
    """The keys are gone: of people, or of scopes."""

    people: tuple[PersonId, ...]
    reason: str
    scopes: tuple[str, ...] = ()


type Erasure = Unknown | Requested | TextsRequested | Withdrawn | Erased

# -- Rules ---------------------------------------------------------------------------------------


class StillHere(Rejected):
    """Who belongs to the school cannot be erased; they leave it first."""

    zh = "此人仍在校,须先办理离校"


class NoSuchRecord(Rejected):
    """There is no such record."""

    zh = "没有这份记录"


class StillKept(Rejected):
    """Policy keeps this record for longer; until then only names can be erased."""

    zh = "该记录仍在保存期限内,期满前只能删除身份信息"


def decide(command: ErasureCommand, erasure: Erasure, facts: Facts) -> ErasureEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    directory = facts.directory
    match command, erasure:
        case RequestErasure(reason=reason), Requested(reason=before) if reason == before:
            return None
        case RequestErasure(), Erased():
            raise AlreadyErased
        case RequestErasure(by=by, reason=reason), Unknown() | Withdrawn():
            person = PersonId(command.person)
            _erasable(person, command, directory)
            return ErasureRequested(person=person, reason=reason, requested_by=by)

        case RequestTextErasure(reason=reason), TextsRequested(reason=before) if reason == before:
            return None
        case RequestTextErasure(), Erased():
            raise AlreadyErased
        case RequestTextErasure(by=by, kind=kind, record=record), Unknown() | Withdrawn():
            _erasable_texts(kind, record, command, facts)
            return TextErasureRequested(
                kind=kind, record=record, reason=command.reason, requested_by=by
            )

        case ApproveErasure(reason=reason), TextsRequested(kind, record, _, asker):
            if recorded_by(asker, command.by, directory):
                raise FourEyes
            _erasable_texts(kind, record, command, facts)
            return TextsErased(scopes=TEXTS[kind].scopes(record), reason=reason)

        case ApproveErasure(reason=reason), Requested(person, _, asker):
            if recorded_by(asker, command.by, directory):
                raise FourEyes
            _erasable(person, command, directory)
            return PersonErased(people=directory.roster.aliases(person), reason=reason)
        case ApproveErasure(reason=reason), Erased(reason=before) if reason == before:
            return None

        case WithdrawErasure(reason=reason), Requested() | TextsRequested():
            return ErasureWithdrawn(reason=reason)
        case WithdrawErasure(reason=reason), Withdrawn(before) if reason == before:
            return None

        case _:
            raise OutOfOrder


def _erasable(person: PersonId, command: Command, directory: Directory) -> None:
    """Refuse whom the roster does not know, another entry stands for, is here or already erased."""
    entry = directory.roster.people.get(person)
    if entry is None:
        raise NotInRoster(person)
    if entry.merged_into:
        raise MergedElsewhere(directory.roster.identity(person))
    if person in directory.erased:
        raise AlreadyErased
    left = entry.left_on is not None and entry.left_on < directory.day(command.at)
    if entry.counts and not left:
        raise StillHere


def _erasable_texts(kind: TextKind, record: str, command: Command, facts: Facts) -> None:
    """Refuse what is not there, is erased already, or is a whole record that policy still keeps."""
    if not facts.there:
        raise NoSuchRecord(record)
    if {*TEXTS[kind].scopes(record)} <= {*facts.directory.erased_texts}:
        raise AlreadyErased
    due = facts.kept_until < facts.directory.day(command.at)
    if not (TEXTS[kind].at_any_time or due):
        raise StillKept(facts.kept_until.isoformat())


def evolve(_: Erasure, event: ErasureEvent) -> Erasure:
    """What happened, happened: no rules here."""
    match event:
        case ErasureRequested(person=person, reason=reason, requested_by=by):
            return Requested(person, reason, by)
        case TextErasureRequested(kind=kind, record=record, reason=reason, requested_by=by):
            return TextsRequested(kind, record, reason, by)
        case ErasureWithdrawn(reason=reason):
            return Withdrawn(reason)
        case TextsErased(scopes=scopes, reason=reason):
            return Erased((), reason, scopes)
        case PersonErased(people=people, reason=reason):
            return Erased(people, reason)
        case _:
            assert_never(event)


decider: Decider[ErasureCommand, ErasureEvent, Erasure, Facts] = Decider(
    "erasure",
    Unknown(),
    decide,
    evolve,
    commands=ErasureCommand,
    events=ErasureEvent,
    states=Erasure,
)
