"""The life of a request for a talk: whoever asks is answered (R49)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, assert_never

from services.talks.domain.talk import (
    OFFICE,
    PEOPLE,
    Facts,
    FourEyes,
    NobodyThere,
    Outsider,
    RequestAnswered,
    TalkingWithOneself,
)
from services.talks.events import (
    RequestedTalkHeld,
    RequestedTalkVoided,
    RequestEvent,
    TalkRequestAccepted,
    TalkRequestCorrected,
    TalkRequested,
    TalkRequestRefused,
    TalkRequestVoided,
    TalkRequestWithdrawn,
)
from shared.decider import Command, Decider, Instant, OutOfOrder, PersonId, Rejected
from shared.marks import Id, Occurred, Prose

# -- Commands ------------------------------------------------------------------------------------


class _Asking(Command):
    """Who asks for a talk with whom, and about what.

    The sender asks for themselves, unless an `asker` is named or an `outsider`, who is on no roster.
    """

    allowed = PEOPLE
    asked: Id
    asker: Id | None = None
    outsider: Outsider = None
    about: Prose | None = None


class RequestTalk(_Asking):
    """Ask somebody for a talk; the office enters what others ask for, the asked one as well."""

    zh = "约谈"
    creates = True
    occurred_at: Annotated[Instant | None, Occurred()] = None


class CorrectRequest(_Asking):
    """Put a request right that nobody has answered yet."""

    zh = "更正约谈"
    reason: Prose


class AcceptRequest(Command):
    """Agree to talk."""

    zh = "同意约谈"
    allowed = PEOPLE
    remarks: Prose | None = None


class RefuseRequest(Command):
    """Do not agree to talk, and say why."""

    zh = "不同意约谈"
    allowed = PEOPLE
    reason: Prose


class WithdrawRequest(Command):
    """Do not want the talk any more, as the one who asked for it."""

    zh = "撤回约谈"
    allowed = PEOPLE
    reason: Prose | None = None


class HoldRequestedTalk(Command):
    """Say that the talk asked for was held."""

    zh = "约谈已进行"
    allowed = frozenset({"service"})
    talk: Id


class VoidRequestedTalk(Command):
    """Say that the talk it led to was declared void: the request waits again."""

    zh = "约谈记录作废"
    allowed = frozenset({"service"})
    talk: Id


class VoidRequest(Command):
    """Declare that nobody had asked; it stays visible and counts nowhere."""

    zh = "作废约谈"
    allowed = OFFICE
    reason: Prose


type RequestCommand = (
    RequestTalk
    | CorrectRequest
    | AcceptRequest
    | RefuseRequest
    | WithdrawRequest
    | HoldRequestedTalk
    | VoidRequestedTalk
    | VoidRequest
)


# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wish:
    """Who wants to talk with whom, about what."""

    asker: PersonId | None
    outsider: str | None
    asked: PersonId
    about: str | None
    recorded_by: PersonId


@dataclass(frozen=True)
class Unasked:
    """Nobody has asked."""


@dataclass(frozen=True)
class Open:
    """Waits for an answer."""

    wish: Wish


@dataclass(frozen=True)
class Accepted:
    """The talk is to be held."""

    wish: Wish
    remarks: str | None


@dataclass(frozen=True)
class Refused:
    """There is a reason not to."""

    wish: Wish
    reason: str


@dataclass(frozen=True)
class Held:
    """The talk was held."""

    wish: Wish
    talk: str


@dataclass(frozen=True)
class Withdrawn:
    """Not wanted any more."""

    wish: Wish
    reason: str | None


@dataclass(frozen=True)
class Voided:
    """Nobody had asked."""

    reason: str


type Request = Unasked | Open | Accepted | Refused | Held | Withdrawn | Voided


# -- Rules ---------------------------------------------------------------------------------------


class AskerUnclear(Rejected):
    """Somebody on the roster asks, or somebody who is on none, not both."""

    zh = "约谈人须为校内人员或校外人员之一,不得同时填写"


class AskedByOthers(Rejected):
    """Only the office and the one who is asked enter what somebody else asks for."""

    zh = "只有组织部门或被约谈人可以代他人登记约谈"


class NotTheAsked(Rejected):
    """Only the one who is asked answers; the office, when they are here no more."""

    zh = "只有被约谈人可以答复(本人离校的由组织部门答复)"


class NotTheAsker(Rejected):
    """Only who asked or entered the request may do this."""

    zh = "只有约谈人或登记人可以进行这一操作"


# -- Deciding ------------------------------------------------------------------------------------


def decide(command: RequestCommand, request: Request, facts: Facts) -> RequestEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    roster = facts.directory.roster
    command, request = roster.settled(command), roster.settled(request)
    match command, request:
        case RequestTalk(), Unasked():
            wish = _wish(command, command.by)
            _must_be_sound(command, wish, command.occurred_at or command.at, facts)
            return TalkRequested(**vars(wish))
        case RequestTalk(), Open(wish) if _wish(command, command.by) == wish:
            return None
        case CorrectRequest(reason=reason), Open(wish):
            _must_be_askers(command, wish)
            corrected = _wish(command, wish.recorded_by)
            if corrected == wish:
                return None
            _must_be_sound(command, corrected, command.at, facts)
            said = {name: value for name, value in vars(corrected).items() if name != "recorded_by"}
            return TalkRequestCorrected(**said, reason=reason)

        case AcceptRequest(remarks=remarks), Open(wish) | Refused(wish):
            _must_be_asked(command, wish, facts)
            return TalkRequestAccepted(remarks=remarks)
        case AcceptRequest(remarks=remarks), Accepted() if remarks == request.remarks:
            return None
        case RefuseRequest(reason=reason), Open(wish) | Accepted(wish):
            _must_be_asked(command, wish, facts)
            return TalkRequestRefused(reason=reason)
        case RefuseRequest(reason=reason), Refused() if reason == request.reason:
            return None
        case WithdrawRequest(reason=reason), Open(wish) | Accepted(wish):
            _must_be_askers(command, wish)
            return TalkRequestWithdrawn(reason=reason)
        case WithdrawRequest(reason=reason), Withdrawn() if reason == request.reason:
            return None

        case HoldRequestedTalk(talk=talk), Open() | Accepted() | Refused() | Withdrawn():
            return RequestedTalkHeld(talk=talk)
        case HoldRequestedTalk(talk=talk), Held():
            if talk != request.talk:
                raise RequestAnswered(request.talk)
            return None
        case VoidRequestedTalk(talk=talk), Held() if talk == request.talk:
            return RequestedTalkVoided(talk=talk)
        case VoidRequestedTalk(), Open() | Accepted() | Refused() | Withdrawn() | Held():
            return None  # it was not, or is no longer, what the request led to

        case VoidRequest(by=person, reason=reason), (
            Open(wish) | Accepted(wish) | Refused(wish) | Held(wish) | Withdrawn(wish)
        ):
            if person in {wish.recorded_by, wish.asked}:
                raise FourEyes
            return TalkRequestVoided(reason=reason)
        case VoidRequest(reason=reason), Voided(before) if reason == before:
            return None

        case _:
            raise OutOfOrder


def _wish(command: _Asking, recorder: PersonId) -> Wish:
    asker = command.asker or (None if command.outsider else recorder)
    return Wish(
        PersonId(asker) if asker else None,
        command.outsider,
        PersonId(command.asked),
        command.about,
        recorder,
    )


def _must_be_sound(command: _Asking, wish: Wish, at: datetime, facts: Facts) -> None:
    if wish.asker and wish.outsider:
        raise AskerUnclear
    if wish.asker == wish.asked:
        raise TalkingWithOneself
    if command.by not in {wish.asker, wish.asked} and not facts.in_office(command):
        raise AskedByOthers
    day = facts.directory.day(at)
    for person in (wish.asked, wish.asker):
        if person and not facts.directory.roster.present(person, day):
            raise NobodyThere(person)


def _must_be_asked(command: Command, wish: Wish, facts: Facts) -> None:
    """Let the one answer who was asked, for who is gone the office."""
    here = facts.directory.roster.present(wish.asked, facts.directory.day(command.at))
    if command.by != wish.asked and (here or not facts.in_office(command)):
        raise NotTheAsked


def _must_be_askers(command: Command, wish: Wish) -> None:
    if command.by not in {wish.asker, wish.recorded_by}:
        raise NotTheAsker


# -- Evolving ------------------------------------------------------------------------------------


def evolve(request: Request, event: RequestEvent) -> Request:
    """What happened, happened: no rules here."""
    match event:
        case TalkRequested():
            return Open(Wish(**dict(event)))
        case TalkRequestCorrected():
            said = {name: value for name, value in dict(event).items() if name != "reason"}
            return Open(Wish(**said, recorded_by=_wished(request).recorded_by))
        case TalkRequestAccepted(remarks=remarks):
            return Accepted(_wished(request), remarks)
        case TalkRequestRefused(reason=reason):
            return Refused(_wished(request), reason)
        case TalkRequestWithdrawn(reason=reason):
            return Withdrawn(_wished(request), reason)
        case RequestedTalkHeld(talk=talk):
            return Held(_wished(request), talk)
        case RequestedTalkVoided():
            return Open(_wished(request))
        case TalkRequestVoided(reason=reason):
            return Voided(reason)
        case _:
            assert_never(event)


def _wished(request: Request) -> Wish:
    return request.wish  # type: ignore[union-attr]  # every event but the first finds one


decider: Decider[RequestCommand, RequestEvent, Request, Facts] = Decider(
    "request", Unasked(), decide, evolve, RequestCommand, RequestEvent, Request
)
