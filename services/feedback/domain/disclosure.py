"""Who said something is told to one person: asked for by them, approved by another, known to whoever said it.

It is shown to who asked and to nobody else. Everything about it, the reasons too, stands on record, and
the originator sees it with the opinion, by the receipt where they have no account.
"""

from dataclasses import dataclass
from typing import assert_never

from services.campaign.directory import Directory
from services.campaign.events import Role
from services.feedback.domain import (
    CLERKS,
    ORGANISATION,
    FourEyes,
    InOwnCause,
    UnknownOpinion,
    known_as,
)
from services.feedback.events import (
    DisclosureEvent,
    DisclosureRequested,
    DisclosureWithdrawn,
    IdentityDisclosed,
)
from shared.decider import Command, Decider, OutOfOrder, PersonId, Rejected
from shared.marks import Id, Prose

# -- Facts ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Facts:
    """What a decision on a disclosure looks at beside it.

    `there` says whether there is such an opinion, `named` whether anything of whoever said it is
    known, `about` whom it, or an issue it became, is about.
    """

    directory: Directory
    there: bool = False
    named: bool = False
    about: frozenset[PersonId] = frozenset()


# -- Commands ------------------------------------------------------------------------------------


class RequestDisclosure(Command):
    """Ask to be told who said something, and say what for."""

    zh = "申请披露意见人身份"
    allowed = ORGANISATION | {Role.supervisor}
    creates = True
    opinion: Id
    reason: Prose

    def unique(self) -> tuple[str, ...]:
        """One history per opinion and who asks."""
        return ("disclosure", self.opinion, self.by)


class ApproveDisclosure(Command):
    """Let who asked know who said it; a second person does it."""

    zh = "批准披露意见人身份"
    allowed = CLERKS | {Role.supervisor}
    reason: Prose


class WithdrawDisclosure(Command):
    """Take a request back, turn it down, or end what was approved; it may be asked again."""

    zh = "撤回身份披露"
    allowed = ORGANISATION | {Role.supervisor}
    reason: Prose


type DisclosureCommand = RequestDisclosure | ApproveDisclosure | WithdrawDisclosure

# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unasked:
    """Nobody asked."""


@dataclass(frozen=True)
class Requested:
    """Somebody wants to know; a second person has to say yes."""

    opinion: str
    reason: str
    requested_by: PersonId


@dataclass(frozen=True)
class Disclosed:
    """Who asked may know."""

    request: Requested
    reason: str


@dataclass(frozen=True)
class Withdrawn:
    """Nobody is told, or no longer."""

    reason: str


type Disclosure = Unasked | Requested | Disclosed | Withdrawn

# -- Rules ---------------------------------------------------------------------------------------


class NobodyNamed(Rejected):
    """Nothing is known of whoever said this: there is nothing to disclose."""

    zh = "该意见没有留下任何身份信息"


def decide(
    command: DisclosureCommand, disclosure: Disclosure, facts: Facts
) -> DisclosureEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    match command, disclosure:
        case RequestDisclosure(reason=reason), Requested(reason=before) if reason == before:
            return None
        case RequestDisclosure(by=by, opinion=opinion, reason=reason), Unasked() | Withdrawn():
            if not facts.there:
                raise UnknownOpinion(opinion)
            if not facts.named:
                raise NobodyNamed
            _not_about(by, facts)
            return DisclosureRequested(opinion=opinion, reason=reason, requested_by=by)

        case ApproveDisclosure(by=by, reason=reason), Requested(requested_by=asker):
            if known_as(facts.directory, asker) == by:
                raise FourEyes
            _not_about(by, facts)
            _not_about(asker, facts)
            return IdentityDisclosed(reason=reason)
        case ApproveDisclosure(reason=reason), Disclosed(reason=before) if reason == before:
            return None

        case WithdrawDisclosure(reason=reason), Requested() | Disclosed():
            return DisclosureWithdrawn(reason=reason)
        case WithdrawDisclosure(reason=reason), Withdrawn(before) if reason == before:
            return None

        case _:
            raise OutOfOrder


def _not_about(person: PersonId, facts: Facts) -> None:
    """Nobody learns who complained about them, nor decides who does."""
    if known_as(facts.directory, person) in facts.about:
        raise InOwnCause


def evolve(disclosure: Disclosure, event: DisclosureEvent) -> Disclosure:
    """What happened, happened: no rules here."""
    match event, disclosure:
        case DisclosureRequested(opinion=opinion, reason=reason, requested_by=by), _:
            return Requested(opinion, reason, by)
        case IdentityDisclosed(reason=reason), Requested():
            return Disclosed(disclosure, reason)
        case IdentityDisclosed(), _:
            return disclosure
        case DisclosureWithdrawn(reason=reason), _:
            return Withdrawn(reason)
        case _:
            assert_never(event)


decider: Decider[DisclosureCommand, DisclosureEvent, Disclosure, Facts] = Decider(
    "disclosure",
    Unasked(),
    decide,
    evolve,
    commands=DisclosureCommand,
    events=DisclosureEvent,
    states=Disclosure,
)
