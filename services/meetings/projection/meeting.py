"""A card per meeting, its minutes speech by speech, and who criticised whom."""

from collections.abc import Iterator
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from services.meetings.domain.criticism import Gathering, Gatherings, Spoken
from services.meetings.events import (
    AbsenceMadeUp,
    Attendance,
    AttendanceCorrected,
    AttendanceRecorded,
    Attendee,
    BriefingPart,
    BriefingPartCorrected,
    BriefingPartReported,
    DocumentAdopted,
    ExaminationSubmitted,
    ExaminationVoided,
    MeasureCorrected,
    MeasureResolved,
    MeetingAppraisalCorrected,
    MeetingAppraised,
    MeetingCancelled,
    MeetingDateAgreed,
    MeetingEnded,
    MeetingEntry,
    MeetingEntryVoided,
    MeetingEvent,
    MeetingGate,
    MeetingGateRestored,
    MeetingGateWaived,
    MeetingGrade,
    MeetingHeld,
    MeetingKind,
    MeetingPlanApproved,
    MeetingPlanned,
    MeetingPlanRevised,
    MeetingPlanSentBack,
    MeetingPostponed,
    MeetingProblemCorrected,
    MeetingProblemRaised,
    MeetingVoided,
    MinutesClosed,
    MinutesCorrected,
    PaperKind,
    SpeechAct,
    SpeechCorrected,
    SpeechRecorded,
    SpeechVoided,
)
from services.meetings.projection import Document
from services.rectification.events import (
    RectificationPlanDrafted,
    RectificationPlanVoided,
    RegulationDrafted,
    RegulationVoided,
)
from shared.decider import Event, Instant, PersonId
from shared.envelope import Record
from shared.views import View, ledger

type MeetingStage = Literal["planned", "held", "closed", "cancelled", "voided"]
"""Where a meeting stands: to be held, its minutes open, locked; called off; never to have been."""


class Waived(Document):
    """A gate waved through, and why."""

    gate: MeetingGate
    reason: str


class Present(Document):
    """Somebody's attendance, and how they made up for an absence."""

    person: PersonId
    attendance: Attendance
    excuse: str | None = None
    made_up_on: date | None = None
    by_what: str | None = None


class Problem(Document):
    """A problem that came out at the meeting."""

    key: str
    title: str
    description: str | None
    addressee: str
    person: PersonId | None
    winds: tuple[str, ...]
    topics: tuple[str, ...]
    discovery: str
    key_issue: bool
    strongly_reflected: bool
    voided: str | None = None


class Resolved(Document):
    """What the meeting resolved to do."""

    key: str
    text: str
    owner: PersonId
    due_on: date
    deliverable: str
    issues: tuple[str, ...]
    voided: str | None = None


class AdoptedPaper(Document):
    """A paper a leadership meeting adopted."""

    kind: PaperKind
    id: str


class MeetingCard(BaseModel):
    """A meeting from its plan to its appraisal, without its speeches.

    `on` is the day intended or agreed, and once it was held the day it was held on.
    """

    model_config = ConfigDict(frozen=True)
    kind: MeetingKind
    stage: MeetingStage
    campaign: str | None
    branch: str | None
    reports_on: str | None
    title: str
    place: str
    chair: PersonId
    invited: tuple[PersonId, ...]
    on: date | None
    programme: str | None
    planned_by: PersonId
    revision: int = 1
    approved_at: Instant | None = None
    sent_back: int = 0
    remarks: str | None = None
    agreed_on: date | None = None
    waived: tuple[Waived, ...] = ()
    postponed: int = 0
    recorder: PersonId | None = None
    began_at: Instant | None = None
    ended_at: Instant | None = None
    attendance: tuple[Present, ...] = ()
    problems: tuple[Problem, ...] = ()
    measures: tuple[Resolved, ...] = ()
    adopted: tuple[AdoptedPaper, ...] = ()
    told: dict[BriefingPart, str] = {}
    grade: MeetingGrade | None = None
    appraisal: str | None = None
    appraised_by: PersonId | None = None
    appraised_at: Instant | None = None
    corrections: int = 0
    ending: str | None = None


def meeting_card(card: MeetingCard | None, record: Record) -> MeetingCard | None:
    """The card after one more event."""
    event = record.event
    if isinstance(event, MeetingPlanned):
        return MeetingCard(stage="planned", **dict(event))
    if card is None:
        return None
    changes = _change(card, event)
    if isinstance(event, AttendanceCorrected | MinutesCorrected | MeetingEntryVoided):
        changes["corrections"] = card.corrections + 1
    return card.model_copy(update=changes)


def _change(card: MeetingCard, event: Event) -> dict[str, Any]:
    match event:
        case MeetingPlanRevised():
            told = {name: value for name, value in event if name != "reason"}
            return {**told, "approved_at": None, "remarks": None}
        case MeetingPlanApproved(approved_at=moment, remarks=remarks):
            return {"approved_at": moment, "remarks": remarks}
        case MeetingPlanSentBack(remarks=remarks):
            return {"approved_at": None, "remarks": remarks, "sent_back": card.sent_back + 1}
        case MeetingDateAgreed(on=day):
            return {"on": day, "agreed_on": day}
        case MeetingGateWaived(gate=gate, reason=reason):
            return {"waived": (*card.waived, Waived(gate=gate, reason=reason))}
        case MeetingGateRestored(gate=gate):
            return {"waived": tuple(w for w in card.waived if w.gate is not gate)}
        case MeetingPostponed(on=day):
            return {"on": day, "agreed_on": None, "postponed": card.postponed + 1}
        case MeetingCancelled(reason=reason):
            return {"stage": "cancelled", "ending": reason}
        case MeetingVoided(reason=reason):
            return {"stage": "voided", "ending": reason}
        case MeetingHeld():
            return {"stage": "held", **dict(event)}
        case MeetingEnded(ended_at=end):
            return {"ended_at": end}
        case MinutesClosed():
            return {"stage": "closed"}
        case MinutesCorrected():
            return {name: value for name, value in event if name != "reason"}
        case MeetingAppraised():
            told = {name: value for name, value in event if name != "text"}
            return {**told, "appraisal": event.text}
        case MeetingAppraisalCorrected(grade=grade, text=text):
            return {"grade": grade, "appraisal": text}
        case _:
            return _entered(card, event)


def _entered(card: MeetingCard, event: Event) -> dict[str, Any]:
    """What changes in the lists of a card."""
    match event:
        case AttendanceRecorded(attendees=attendees):
            return {"attendance": (*card.attendance, *map(_present, attendees))}
        case AttendanceCorrected(attendee=attendee):
            if all(p.person != attendee.person for p in card.attendance):
                return {"attendance": (*card.attendance, _present(attendee))}
            return _seated(card, attendee.person, dict(attendee))
        case AbsenceMadeUp(person=person, on=day, by_what=by_what):
            return _seated(card, person, {"made_up_on": day, "by_what": by_what})
        case MeetingProblemRaised():
            return {"problems": (*card.problems, _problem(event))}
        case MeetingProblemCorrected(key=key):
            return {"problems": _replaced(card.problems, key, _problem(event))}
        case MeasureResolved():
            return {"measures": (*card.measures, _measure(event))}
        case MeasureCorrected(key=key):
            return {"measures": _replaced(card.measures, key, _measure(event))}
        case DocumentAdopted(kind=kind, id=paper):
            return {"adopted": (*card.adopted, AdoptedPaper(kind=kind, id=paper))}
        case BriefingPartReported(part=part, text=text):
            return {"told": {**card.told, part: text}}
        case BriefingPartCorrected(part=part, text=text):
            return {"told": {**card.told, part: text}}
        case MeetingEntryVoided():
            return _voided(card, event)
        case _:
            return {}


def _voided(card: MeetingCard, event: MeetingEntryVoided) -> dict[str, Any]:
    key, reason = event.key, event.reason
    match event.entry:
        case MeetingEntry.attendance:
            return {"attendance": tuple(p for p in card.attendance if p.person != key)}
        case MeetingEntry.make_up:
            return _seated(card, key, {"made_up_on": None, "by_what": None})
        case MeetingEntry.problem:
            return {"problems": _struck(card.problems, key, reason)}
        case MeetingEntry.measure:
            return {"measures": _struck(card.measures, key, reason)}
        case MeetingEntry.adoption:
            return {"adopted": tuple(paper for paper in card.adopted if paper.id != key)}
        case MeetingEntry.briefing_part:
            return {"told": {part: text for part, text in card.told.items() if part != key}}
        case MeetingEntry.appraisal:
            names = ("grade", "appraisal", "appraised_by", "appraised_at")
            return dict.fromkeys(names)


def _present(attendee: Attendee) -> Present:
    return Present(**dict(attendee))


def _seated(card: MeetingCard, person: str, changes: dict[str, Any]) -> dict[str, Any]:
    seats = (p.model_copy(update=changes) if p.person == person else p for p in card.attendance)
    return {"attendance": tuple(seats)}


def _problem(event: MeetingProblemRaised | MeetingProblemCorrected) -> Problem:
    return Problem(**{n: v for n, v in event if n not in {"reason", "not_four_winds"}})


def _measure(event: MeasureResolved | MeasureCorrected) -> Resolved:
    return Resolved(**{name: value for name, value in event if name != "reason"})


def _replaced[L: (Problem, Resolved)](lines: tuple[L, ...], key: str, new: L) -> tuple[L, ...]:
    return tuple(new if line.key == key else line for line in lines)


def _struck[L: (Problem, Resolved)](lines: tuple[L, ...], key: str, reason: str) -> tuple[L, ...]:
    gone = {"voided": reason}
    return tuple(line.model_copy(update=gone) if line.key == key else line for line in lines)


meetings = View("meetings", MeetingCard, meeting_card, MeetingEvent.__value__.__args__)


class Speech(BaseModel):
    """One speech with its words; a voided one stays, with the reason."""

    model_config = ConfigDict(frozen=True)
    meeting: str
    number: int
    act: SpeechAct
    speaker: PersonId
    receiver: PersonId | None
    talk: str | None
    text: str
    corrections: int = 0
    voided: str | None = None


def speech(known: Speech | None, record: Record) -> Speech | None:
    """A speech after one more event."""
    event = record.event
    match event:
        case SpeechRecorded():
            return Speech(meeting=record.stream, **dict(event))
        case SpeechCorrected() if known:
            told = {name: value for name, value in event if name != "reason"}
            again = {"corrections": known.corrections + 1}
            return known.model_copy(update=told | again)
        case SpeechVoided(reason=reason) if known:
            return known.model_copy(update={"voided": reason})
        case _:
            return known


def _speech_keys(record: Record) -> Iterator[str]:
    if isinstance(record.event, SpeechRecorded | SpeechCorrected | SpeechVoided):
        yield f"{record.stream}.{record.event.number}"


speeches = View(
    "speeches",
    Speech,
    speech,
    (SpeechRecorded, SpeechCorrected, SpeechVoided),
    "index",
    _speech_keys,
)


def gathered(known: Gatherings | None, record: Record) -> Gatherings:
    """Who met, was there and criticised whom, after one more event."""
    known = known or Gatherings()
    event, key = record.event, record.stream
    if isinstance(event, MeetingPlanned):
        names = ("kind", "campaign", "branch", "invited")
        new = Gathering(**{name: getattr(event, name) for name in names})
        return Gatherings(meetings={**known.meetings, key: new})
    if key not in known.meetings:
        return known
    if isinstance(event, MeetingVoided | MeetingCancelled):
        return Gatherings(meetings={k: m for k, m in known.meetings.items() if k != key})
    meeting = known.meetings[key]
    changed = meeting.model_copy(update=_gathering(meeting, event))
    return Gatherings(meetings={**known.meetings, key: changed})


def _gathering(meeting: Gathering, event: Event) -> dict[str, Any]:
    match event:
        case MeetingPlanRevised(branch=branch, invited=invited):
            return {"branch": branch, "invited": invited}
        case MeetingHeld(on=day) | MinutesCorrected(on=day):
            return {"on": day}
        case AttendanceRecorded(attendees=attendees):
            return {"seats": meeting.seats | {a.person: a.attendance for a in attendees}}
        case AttendanceCorrected(attendee=attendee):
            return {"seats": meeting.seats | {attendee.person: attendee.attendance}}
        case MeetingEntryVoided(entry=MeetingEntry.attendance, key=key):
            return {"seats": {p: seat for p, seat in meeting.seats.items() if p != key}}
        case AbsenceMadeUp(person=person):
            return {"made_up": (*meeting.made_up, person)}
        case MeetingEntryVoided(entry=MeetingEntry.make_up, key=key):
            return {"made_up": tuple(p for p in meeting.made_up if p != key)}
        case SpeechRecorded(number=number) | SpeechCorrected(number=number):
            said = Spoken(**{name: getattr(event, name) for name in Spoken.model_fields})
            return {"speeches": meeting.speeches | {number: said}}
        case SpeechVoided(number=gone):
            return {"speeches": {n: s for n, s in meeting.speeches.items() if n != gone}}
        case _:
            return {}


gatherings = ledger(
    "gatherings",
    Gatherings,
    gathered,
    (
        MeetingPlanned,
        MeetingPlanRevised,
        MeetingCancelled,
        MeetingVoided,
        MeetingHeld,
        MinutesCorrected,
        AttendanceRecorded,
        AttendanceCorrected,
        AbsenceMadeUp,
        MeetingEntryVoided,
        SpeechRecorded,
        SpeechCorrected,
        SpeechVoided,
    ),
)


class Adoptable(BaseModel):
    """A paper that a leadership meeting can adopt, as long as it is not void."""

    model_config = ConfigDict(frozen=True)
    kind: PaperKind


PAPERS: dict[type[Event], PaperKind] = {
    ExaminationSubmitted: PaperKind.examination,
    RectificationPlanDrafted: PaperKind.plan,
    RegulationDrafted: PaperKind.regulation,
}
PAPERS_VOIDED = (ExaminationVoided, RectificationPlanVoided, RegulationVoided)


def adoptable(known: Adoptable | None, record: Record) -> Adoptable | None:
    """Whether a paper is there to be adopted, after one more event."""
    kind = PAPERS.get(type(record.event))
    if kind:
        return Adoptable(kind=kind)
    return None if isinstance(record.event, PAPERS_VOIDED) else known


papers = View("papers", Adoptable, adoptable, (*PAPERS, *PAPERS_VOIDED))
