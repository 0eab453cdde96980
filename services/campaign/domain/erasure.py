"""Somebody's name and number are erased: asked for by one, approved by another, never undone.

What is destroyed is the key of the person's scope, in every service, because of the event recorded
here. The events that hold the sealed words stay as they are, and so does every hash.
"""

from dataclasses import dataclass
from typing import assert_never

from services.campaign.directory import Directory
from services.campaign.domain import ADMINISTRATION, FourEyes, NotInRoster, recorded_by
from services.campaign.domain.person import Erased as AlreadyErased
from services.campaign.domain.person import MergedElsewhere
from services.campaign.events import (
    ErasureEvent,
    ErasureRequested,
    ErasureWithdrawn,
    PersonErased,
)
from shared.decider import Command, Decider, OutOfOrder, PersonId, Rejected
from shared.marks import Id, Prose

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


class ApproveErasure(Command):
    """Erase the person for good, with every entry merged into theirs; a second person does it."""

    zh = "批准删除个人信息"
    allowed = ADMINISTRATION
    reason: Prose


class WithdrawErasure(Command):
    """Take a request back, or turn it down; it may be made again."""

    zh = "撤回删除申请"
    allowed = ADMINISTRATION
    reason: Prose


type ErasureCommand = RequestErasure | ApproveErasure | WithdrawErasure

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
class Withdrawn:
    """It was asked and did not come to it."""

    reason: str


@dataclass(frozen=True)
class Erased:
    """Their keys are gone."""

    people: tuple[PersonId, ...]
    reason: str


type Erasure = Unknown | Requested | Withdrawn | Erased

# -- Rules ---------------------------------------------------------------------------------------


class StillHere(Rejected):
    """Who belongs to the school cannot be erased; they leave it first."""

    zh = "此人仍在校,须先办理离校"


def decide(command: ErasureCommand, erasure: Erasure, directory: Directory) -> ErasureEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    match command, erasure:
        case RequestErasure(reason=reason), Requested(reason=before) if reason == before:
            return None
        case RequestErasure(), Erased():
            raise AlreadyErased
        case RequestErasure(by=by, reason=reason), Unknown() | Withdrawn():
            person = PersonId(command.person)
            _erasable(person, command, directory)
            return ErasureRequested(person=person, reason=reason, requested_by=by)

        case ApproveErasure(reason=reason), Requested(person, _, asker):
            if recorded_by(asker, command.by, directory):
                raise FourEyes
            _erasable(person, command, directory)
            return PersonErased(people=directory.roster.aliases(person), reason=reason)
        case ApproveErasure(reason=reason), Erased(reason=before) if reason == before:
            return None

        case WithdrawErasure(reason=reason), Requested():
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


def evolve(_: Erasure, event: ErasureEvent) -> Erasure:
    """What happened, happened: no rules here."""
    match event:
        case ErasureRequested(person=person, reason=reason, requested_by=by):
            return Requested(person, reason, by)
        case ErasureWithdrawn(reason=reason):
            return Withdrawn(reason)
        case PersonErased(people=people, reason=reason):
            return Erased(people, reason)
        case _:
            assert_never(event)


decider: Decider[ErasureCommand, ErasureEvent, Erasure, Directory] = Decider(
    "erasure",
    Unknown(),
    decide,
    evolve,
    commands=ErasureCommand,
    events=ErasureEvent,
    states=Erasure,
)
