"""What people look at: a card per session, item, reading, reflection, gap, self-rating, activity, tie."""

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.campaign.directory import FOLLOWS, Directory, fold
from services.study.events import (
    ActivityCorrected,
    ActivityEvent,
    ActivityKind,
    ActivityProblemRaised,
    ActivityRecorded,
    ActivityVoided,
    Aspect,
    CatalogueEvent,
    CatalogueItemAdded,
    CatalogueItemCorrected,
    CatalogueItemRevised,
    CatalogueItemVoided,
    CatalogueItemWithdrawn,
    DifficultyReopened,
    DifficultySolved,
    GapCorrected,
    GapEvent,
    GapRecorded,
    GapVoided,
    Organiser,
    Phase,
    Rating,
    ReadingCorrected,
    ReadingEvent,
    ReadingRecorded,
    ReadingVoided,
    ReflectionCorrected,
    ReflectionEvent,
    ReflectionRated,
    ReflectionSubmitted,
    ReflectionVoided,
    Scores,
    SelfRatingCorrected,
    SelfRatingEvent,
    SelfRatingRecorded,
    SelfRatingVoided,
    SessionEvent,
    SessionKind,
    Slogan,
    StudyAttendanceRecorded,
    StudySessionCorrected,
    StudySessionRecorded,
    StudySessionVoided,
    TieCorrected,
    TieEnded,
    TieEvent,
    TieOpened,
    TieVoided,
)
from shared.decider import Event, Instant, PersonId
from shared.envelope import Record
from shared.views import View, ledger

directory = ledger("directory", Directory, fold, FOLLOWS)


class _Document(BaseModel):
    """A document, or a part of one."""

    model_config = ConfigDict(frozen=True)


class _Card(_Document):
    """`stage` says whether it counts, `reason` why it was last corrected or struck out."""

    stage: Literal["recorded", "voided"] = "recorded"
    reason: str | None = None


def _after[C: _Card](card: C | None, event: Event, **more: object) -> C | None:
    """The card after an event whose fields are the card's own."""
    names = type(card).model_fields if card else ()
    told = {name: value for name, value in event if name in names}
    return card and card.model_copy(update={**told, **more})


class SessionCard(_Card):
    """A session and who was there; attendance is not known until it is said."""

    kind: SessionKind
    held_on: date
    place: str
    theme: str
    organiser: Organiser
    branch: str | None
    lecturer: str | None
    items: tuple[str, ...]
    slogans: tuple[Slogan, ...]
    recorded_by: PersonId
    present: tuple[PersonId, ...] | None = None
    excused: tuple[PersonId, ...] = ()


def session_card(card: SessionCard | None, record: Record) -> SessionCard | None:
    """How a session stands after one more event."""
    match record.event:
        case StudySessionRecorded() as event:
            return SessionCard(**dict(event))
        case StudySessionVoided() as event:
            return _after(card, event, stage="voided")
        case StudySessionCorrected() | StudyAttendanceRecorded() as event:
            return _after(card, event)
        case _:
            return card


class ItemCard(_Card):
    """An item of the reading catalogue in its present edition."""

    title: str
    origin: str
    required: bool
    since: date
    added_by: PersonId
    edition: int = 1
    withdrawn_on: date | None = None


def item_card(card: ItemCard | None, record: Record) -> ItemCard | None:
    """How an item stands after one more event."""
    match record.event:
        case CatalogueItemAdded() as event:
            return ItemCard(**dict(event))
        case CatalogueItemVoided() as event:
            return _after(card, event, stage="voided")
        case CatalogueItemWithdrawn(on=day) as event:
            return _after(card, event, withdrawn_on=day)
        case CatalogueItemRevised() | CatalogueItemCorrected() as event:
            return _after(card, event)
        case _:
            return card


class ReadingCard(_Card):
    """One person has read one item, in this edition, on this day."""

    person: PersonId
    item: str
    edition: int
    on: date
    recorded_by: PersonId


def reading_card(card: ReadingCard | None, record: Record) -> ReadingCard | None:
    """How a reading stands after one more event."""
    match record.event:
        case ReadingRecorded() as event:
            return ReadingCard(**dict(event))
        case ReadingVoided() as event:
            return _after(card, event, stage="voided")
        case ReadingCorrected() as event:
            return _after(card, event)
        case _:
            return card


class Judgement(_Document):
    """What a reader said of a reflection, when, and of which wording (from 1)."""

    reader: PersonId
    rating: Rating
    comment: str
    at: Instant
    wording: int


class ReflectionCard(_Card):
    """A reflection: `wording` counts how often it was worded, `length` its characters."""

    author: PersonId
    title: str
    text: str
    length: int | None
    written_on: date
    recorded_by: PersonId
    wording: int = 1
    ratings: tuple[Judgement, ...] = ()


def reflection_card(card: ReflectionCard | None, record: Record) -> ReflectionCard | None:
    """How a reflection stands after one more event."""
    match record.event:
        case ReflectionSubmitted() as event:
            return ReflectionCard(**dict(event))
        case ReflectionVoided() as event:
            return _after(card, event, stage="voided")
        case ReflectionCorrected() as event:
            return card and _after(card, event, wording=card.wording + 1)
        case ReflectionRated() as event if card:
            others = tuple(r for r in card.ratings if r.reader != event.reader)
            new = Judgement(**dict(event), at=record.at, wording=card.wording)
            return card.model_copy(update={"ratings": (*others, new)})
        case _:
            return card


class GapCard(_Card):
    """What one person finds lacking in one aspect."""

    campaign: str
    person: PersonId
    aspect: Aspect
    text: str
    found_on: date
    recorded_by: PersonId


def gap_card(card: GapCard | None, record: Record) -> GapCard | None:
    """How a gap stands after one more event."""
    match record.event:
        case GapRecorded() as event:
            return GapCard(**dict(event))
        case GapVoided() as event:
            return _after(card, event, stage="voided")
        case GapCorrected() as event:
            return _after(card, event)
        case _:
            return card


class SelfRatingCard(_Card):
    """How somebody rates themselves, before the study or after it."""

    campaign: str
    person: PersonId
    phase: Phase
    scores: Scores


def self_rating_card(card: SelfRatingCard | None, record: Record) -> SelfRatingCard | None:
    """How a self-rating stands after one more event."""
    match record.event:
        case SelfRatingRecorded() as event:
            return SelfRatingCard(**dict(event))
        case SelfRatingVoided() as event:
            return _after(card, event, stage="voided")
        case SelfRatingCorrected() as event:
            return _after(card, event)
        case _:
            return card


class ActivityCard(_Card):
    """One of the six ones: what was done; the problems it raised, by their keys."""

    kind: ActivityKind
    person: PersonId
    on: date
    title: str | None
    pupil: str | None
    amount: Decimal | None
    visited: PersonId | None
    difficulty: str | None
    remarks: str | None
    slogans: tuple[Slogan, ...]
    recorded_by: PersonId
    solved_on: date | None = None
    how: str | None = None
    problems: tuple[str, ...] = ()


def activity_card(card: ActivityCard | None, record: Record) -> ActivityCard | None:
    """How an activity stands after one more event."""
    match record.event:
        case ActivityRecorded() as event:
            return ActivityCard(**dict(event))
        case ActivityVoided() as event:
            return _after(card, event, stage="voided")
        case ActivityCorrected() as event:
            return _after(card, event)
        case DifficultySolved(on=day, how=how):
            return card and card.model_copy(update={"solved_on": day, "how": how})
        case DifficultyReopened(reason=reason):
            change = {"solved_on": None, "how": None, "reason": reason}
            return card and card.model_copy(update=change)
        case ActivityProblemRaised(key=key):
            return card and card.model_copy(update={"problems": (*card.problems, key)})
        case _:
            return card


class TieLine(_Card):
    """One contact unit of a member, from a day on until and with another."""

    number: int
    unit: str
    since: date
    recorded_by: PersonId
    until: date | None = None


class TieCard(_Document):
    """Every contact unit of one member."""

    person: PersonId
    ties: tuple[TieLine, ...]


def tie_card(card: TieCard | None, record: Record) -> TieCard | None:
    """How a member's ties stand after one more event."""
    match record.event:
        case TieOpened(person=person) as event:
            told = {name: value for name, value in event if name in TieLine.model_fields}
            return TieCard(person=person, ties=(*(card.ties if card else ()), TieLine(**told)))
        case TieEnded() | TieCorrected() as event:
            return card and _line(card, event.number, event)
        case TieVoided() as event:
            return card and _line(card, event.number, event, stage="voided")
        case _:
            return card


def _line(card: TieCard, number: int, event: Event, **more: object) -> TieCard:
    ties = tuple(
        (_after(tie, event, **more) or tie) if tie.number == number else tie for tie in card.ties
    )
    return card.model_copy(update={"ties": ties})


sessions = View("sessions", SessionCard, session_card, SessionEvent.__value__.__args__)
items = View("items", ItemCard, item_card, CatalogueEvent.__value__.__args__)
readings = View("readings", ReadingCard, reading_card, ReadingEvent.__value__.__args__)
reflections = View(
    "reflections", ReflectionCard, reflection_card, ReflectionEvent.__value__.__args__
)
gaps = View("gaps", GapCard, gap_card, GapEvent.__value__.__args__)
self_ratings = View(
    "self_ratings", SelfRatingCard, self_rating_card, SelfRatingEvent.__value__.__args__
)
activities = View("activities", ActivityCard, activity_card, ActivityEvent.__value__.__args__)
ties = View("ties", TieCard, tie_card, TieEvent.__value__.__args__)
