"""Asking for opinions: once for the organisation, by every member for themselves (R32-R35)."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, assert_never

from pydantic import Field

from services.campaign.directory import Directory
from services.campaign.events import Role
from services.feedback.domain import (
    ORGANISATION,
    TEAM,
    DateInTheFuture,
    FourEyes,
    in_order,
    known_as,
    roles,
)
from services.feedback.events import (
    Channel,
    InNameOf,
    SolicitationClosed,
    SolicitationCorrected,
    SolicitationEvent,
    SolicitationOpened,
    SolicitationSubject,
    SolicitationVoided,
)
from shared.decider import Command, Decider, OutOfOrder, Rejected
from shared.marks import Id, Prose

Channels = Annotated[tuple[Channel, ...], Field(min_length=1, max_length=len(Channel))]

# -- Commands ------------------------------------------------------------------------------------


class OpenSolicitation(Command):
    """Ask for opinions on a subject, by these channels, from one day to another, both included."""

    zh = "发起征求意见"
    allowed = ORGANISATION | TEAM
    creates = True
    in_name_of: InNameOf
    campaign: Id
    subject: SolicitationSubject
    scope: Prose
    channels: Channels
    opens_on: date
    closes_on: date

    def unique(self) -> tuple[str, ...] | None:
        """The organisation asks once per campaign and subject (R32)."""
        if self.in_name_of is InNameOf.individual:
            return None
        return (InNameOf.organisation.value, self.campaign, self.subject.value)


class CorrectSolicitation(Command):
    """Put a mistake in the announcement right; who asks about what stays."""

    zh = "更正征求意见"
    allowed = ORGANISATION | TEAM
    scope: Prose
    channels: Channels
    opens_on: date
    closes_on: date
    reason: Prose


class CloseSolicitation(Command):
    """Stop asking. What is still said afterwards is heard all the same."""

    zh = "结束征求意见"
    allowed = ORGANISATION | TEAM
    on: date


class VoidSolicitation(Command):
    """Declare that this was never asked; it stays visible."""

    zh = "作废征求意见"
    allowed = ORGANISATION
    reason: Prose


type SolicitationCommand = (
    OpenSolicitation | CorrectSolicitation | CloseSolicitation | VoidSolicitation
)

# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unasked:
    """Nobody has asked."""


@dataclass(frozen=True)
class Open:
    """Opinions are asked for, as announced in `opening`."""

    opening: SolicitationOpened
    correction: SolicitationCorrected | None = None


@dataclass(frozen=True)
class Closed:
    """It is over."""

    opening: SolicitationOpened
    closing: SolicitationClosed
    correction: SolicitationCorrected | None = None


@dataclass(frozen=True)
class Voided:
    """It counts nowhere; the same may be asked anew."""

    voiding: SolicitationVoided


type Solicitation = Unasked | Open | Closed | Voided

# -- Rules ---------------------------------------------------------------------------------------


class AlreadySolicited(Rejected):
    """The organisation has asked about this subject in this campaign already."""

    zh = "本次活动已就该主题以组织名义统一征求意见，不得重复"


class NotTheOrganisation(Rejected):
    """An individual may ask in their own name only."""

    zh = "个人不得以组织名义征求意见"


class NotATeamMember(Rejected):
    """Only a member of the leadership team asks in their own name."""

    zh = "只有班子成员可以个人名义征求意见"


class NotYourSolicitation(Rejected):
    """Somebody else asks here."""

    zh = "不是本人发起的征求意见"


class UnknownCampaign(Rejected):
    """There is no such campaign."""

    zh = "没有这个活动"


class WindowReversed(Rejected):
    """It cannot end before it begins."""

    zh = "结束日期不能早于开始日期"


def decide(
    command: SolicitationCommand, solicitation: Solicitation, facts: Directory
) -> SolicitationEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    match command, solicitation:
        case OpenSolicitation(), Unasked() | Voided():
            return _opened(command, facts)
        case OpenSolicitation(), Open(opening=opening) if _opened(command, facts) == opening:
            return None
        case OpenSolicitation(), Open() | Closed():
            raise AlreadySolicited

        case CorrectSolicitation(), Open(opening, correction) | Closed(opening, _, correction):
            _may_change(command, opening, facts)
            corrected = SolicitationCorrected(
                scope=command.scope,
                channels=in_order(Channel, command.channels),
                opens_on=command.opens_on,
                closes_on=command.closes_on,
                reason=command.reason,
            )
            _forward(command.opens_on, command.closes_on)
            return None if corrected == correction else corrected

        case CloseSolicitation(on=day), Open(opening=opening):
            _may_change(command, opening, facts)
            if day > facts.day(command.at):
                raise DateInTheFuture
            _forward(opening.opens_on, day)
            return SolicitationClosed(on=day)
        case CloseSolicitation(on=day), Closed(closing=closing) if day == closing.on:
            return None

        case VoidSolicitation(by=person), Open(opening=opening) | Closed(opening=opening):
            if person == known_as(facts, opening.issuer):
                raise FourEyes
            return SolicitationVoided(reason=command.reason)
        case VoidSolicitation(reason=reason), Voided(voiding) if reason == voiding.reason:
            return None

        case _:
            raise OutOfOrder


def _opened(command: OpenSolicitation, directory: Directory) -> SolicitationOpened:
    if command.campaign not in directory.campaigns:
        raise UnknownCampaign(command.campaign)
    held = roles(directory, command.by, command.at)
    if command.in_name_of is InNameOf.organisation and not held & ORGANISATION:
        raise NotTheOrganisation
    if command.in_name_of is InNameOf.individual and not held & TEAM:
        raise NotATeamMember
    _forward(command.opens_on, command.closes_on)
    return SolicitationOpened(
        in_name_of=command.in_name_of,
        issuer=command.by,
        campaign=command.campaign,
        subject=command.subject,
        scope=command.scope,
        channels=in_order(Channel, command.channels),
        opens_on=command.opens_on,
        closes_on=command.closes_on,
    )


def _may_change(command: Command, opening: SolicitationOpened, directory: Directory) -> None:
    """Whoever acts for the organisation may change its own, a member theirs.

    An administrator may change a member's too, for when they are gone.
    """
    if command.by == known_as(directory, opening.issuer):
        return
    own = opening.in_name_of is InNameOf.individual
    able = {Role.school_administrator} if own else ORGANISATION
    if not roles(directory, command.by, command.at) & able:
        raise NotYourSolicitation


def _forward(begins_on: date, ends_on: date) -> None:
    if ends_on < begins_on:
        raise WindowReversed


def evolve(solicitation: Solicitation, event: SolicitationEvent) -> Solicitation:
    """What happened, happened: no rules here."""
    match event:
        case SolicitationOpened():
            return Open(event)
        case SolicitationCorrected() if isinstance(solicitation, Open | Closed):
            changes = event.model_dump(include={"scope", "channels", "opens_on", "closes_on"})
            return replace(
                solicitation,
                opening=solicitation.opening.model_copy(update=changes),
                correction=event,
            )
        case SolicitationClosed() if isinstance(solicitation, Open):
            return Closed(solicitation.opening, event, solicitation.correction)
        case SolicitationVoided():
            return Voided(event)
        case SolicitationCorrected() | SolicitationClosed():
            return solicitation
        case _:
            assert_never(event)


decider: Decider[SolicitationCommand, SolicitationEvent, Solicitation, Directory] = Decider(
    "solicitation",
    Unasked(),
    decide,
    evolve,
    commands=SolicitationCommand,
    events=SolicitationEvent,
    states=Solicitation,
)
