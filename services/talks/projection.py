"""What people look at: a card per talk and per request, and the facts that somebody has talked."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from services.campaign.directory import FOLLOWS, Directory, fold
from services.talks import coverage
from services.talks.coverage import minutes_between
from services.talks.events import (
    Audience,
    Communicated,
    RequestedTalkHeld,
    RequestedTalkVoided,
    RequestEvent,
    RequestState,
    Side,
    TalkArranged,
    TalkCancelled,
    TalkConfirmed,
    TalkCorrected,
    TalkDisputed,
    TalkEvent,
    TalkHeld,
    TalkKind,
    TalkProblemRaised,
    TalkRearranged,
    TalkReleased,
    TalkRequestAccepted,
    TalkRequestCorrected,
    TalkRequested,
    TalkRequestRefused,
    TalkRequestVoided,
    TalkRequestWithdrawn,
    TalkState,
    TalkVoided,
    Told,
)
from shared.decider import Event, Instant, PersonId
from shared.envelope import Record
from shared.views import View, ledger

directory = ledger("directory", Directory, fold, FOLLOWS)
facts = ledger("facts", coverage.Talks, coverage.fold, coverage.FOLLOWS)


class _Document(BaseModel):
    """A document or a part of one."""

    model_config = ConfigDict(frozen=True)


# -- talk ------------------------------------------------------------------------------------------


class Dispute(_Document):
    """Which party says that it was otherwise, and how."""

    party: PersonId
    reason: str


class Release(_Document):
    """To whom a party would show what was said."""

    party: PersonId
    audiences: tuple[Audience, ...]


class Problem(_Document):
    """A problem heard in the talk, as far as it is not rectification's."""

    key: str
    title: str


class TalkCard(_Document):
    """A talk: that it took place, and, sealed, what was said.

    `begins_at` is when it is to begin while it is only arranged; `corrections` counts how often the
    record was put right; `ending` is why it was cancelled or voided.
    """

    state: TalkState
    kind: TalkKind
    parties: tuple[PersonId, ...]
    others: tuple[PersonId, ...] = ()
    outsider: str | None = None
    branch: str | None = None
    place: str | None = None
    begins_at: Instant
    ended_at: Instant | None = None
    minutes: int | None = None
    sides: tuple[Side, ...] = ()
    communicated: tuple[Communicated, ...] = ()
    helped: str | None = None
    request: str | None = None
    arranged_by: PersonId | None = None
    recorded_by: PersonId | None = None
    recorded_at: Instant | None = None
    confirmed: tuple[PersonId, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    releases: tuple[Release, ...] = ()
    problems: tuple[Problem, ...] = ()
    corrections: int = 0
    ending: str | None = None


def talk_card(card: TalkCard | None, record: Record) -> TalkCard | None:
    """The talk after one more event."""
    event = record.event
    match event:
        case TalkArranged():
            return TalkCard(state="arranged", arranged_by=event.arranged_by, **_planned(event))
        case TalkHeld():
            arranged_by = card.arranged_by if card else None
            return TalkCard(
                state="held",
                arranged_by=arranged_by,
                request=event.request,
                recorded_by=event.recorded_by,
                recorded_at=record.at,
                **_told(event),
            )
        case _:
            return card and card.model_copy(update=_change(card, event))


def _change(card: TalkCard, event: Event) -> dict[str, Any]:
    match event:
        case TalkRearranged():
            return {**_planned(event), "request": card.request}
        case TalkCancelled(reason=reason):
            return {"state": "cancelled", "ending": reason}
        case TalkCorrected():
            return {
                **_told(event),
                **_standing(card, (), ()),
                "releases": (),
                "corrections": card.corrections + 1,
            }
        case TalkConfirmed(party=person):
            disputes = tuple(d for d in card.disputes if d.party != person)
            return _standing(card, (*_without(card.confirmed, person), person), disputes)
        case TalkDisputed(party=person, reason=reason):
            disputes = tuple(d for d in card.disputes if d.party != person)
            said = Dispute(party=person, reason=reason)
            return _standing(card, _without(card.confirmed, person), (*disputes, said))
        case TalkReleased(party=person, audiences=audiences):
            others = tuple(r for r in card.releases if r.party != person)
            return {"releases": (*others, Release(party=person, audiences=audiences))}
        case TalkProblemRaised(key=key, title=title):
            return {"problems": (*card.problems, Problem(key=key, title=title))}
        case TalkVoided(reason=reason):
            return {"state": "voided", "ending": reason}
        case _:
            return {}


def _planned(event: TalkArranged | TalkRearranged) -> dict[str, Any]:
    return {
        "kind": event.kind,
        "parties": event.parties,
        "outsider": event.outsider,
        "branch": event.branch,
        "place": event.place,
        "begins_at": event.planned_at,
        "request": getattr(event, "request", None),
    }


def _told(event: TalkHeld | TalkCorrected) -> dict[str, Any]:
    said = {name: getattr(event, name) for name in Told.model_fields if name != "begun_at"}
    minutes = minutes_between(event.begun_at, event.ended_at)
    return {**said, "begins_at": event.begun_at, "minutes": minutes}


def _standing(
    card: TalkCard, confirmed: tuple[PersonId, ...], disputes: tuple[Dispute, ...]
) -> dict[str, Any]:
    """Where a held talk stands with these confirmations and disputes."""
    agreed = set(confirmed) >= set(card.parties)
    state: TalkState = "disputed" if disputes else "confirmed" if agreed else "held"
    return {"state": state, "confirmed": confirmed, "disputes": disputes}


def _without(people: tuple[PersonId, ...], person: PersonId) -> tuple[PersonId, ...]:
    return tuple(other for other in people if other != person)


talks = View("talks", TalkCard, talk_card, TalkEvent.__value__.__args__)


# -- request ---------------------------------------------------------------------------------------


class RequestCard(_Document):
    """A request for a talk: whose, of whom, and how it was answered.

    `answer` is what was said when it was accepted, refused, withdrawn or voided; `talk` is the one
    it led to.
    """

    state: RequestState
    asker: PersonId | None
    outsider: str | None
    asked: PersonId
    about: str | None
    recorded_by: PersonId
    asked_at: Instant
    answered_at: Instant | None = None
    answer: str | None = None
    talk: str | None = None


def request_card(card: RequestCard | None, record: Record) -> RequestCard | None:
    """The request after one more event."""
    event = record.event
    if isinstance(event, TalkRequested):
        return RequestCard(state="open", asked_at=record.occurred, **dict(event))
    return card and card.model_copy(update=_progress(event, record.at))


def _progress(event: Event, at: Instant) -> dict[str, Any]:
    match event:
        case TalkRequestCorrected():
            return {name: value for name, value in event if name != "reason"}
        case TalkRequestAccepted(remarks=remarks):
            return {"state": "accepted", "answered_at": at, "answer": remarks}
        case TalkRequestRefused(reason=reason):
            return {"state": "refused", "answered_at": at, "answer": reason}
        case TalkRequestWithdrawn(reason=reason):
            return {"state": "withdrawn", "answer": reason}
        case RequestedTalkHeld(talk=talk):
            return {"state": "held", "answered_at": at, "answer": None, "talk": talk}
        case RequestedTalkVoided():
            return {"state": "open", "answered_at": None, "answer": None, "talk": None}
        case TalkRequestVoided(reason=reason):
            return {"state": "voided", "answer": reason}
        case _:
            return {}


requests = View("requests", RequestCard, request_card, RequestEvent.__value__.__args__)
