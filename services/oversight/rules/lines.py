"""What the events of one stream amount to: an issue, a talk, a meeting, an examination. Pure.

Each function reads a `Life` and gives what the rules ask about, or `None` where nothing counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from services.feedback.events import CollationClosed, CollationOpened, PartSetAside, PartTakenBack
from services.meetings.events import (
    AbsenceMadeUp,
    AppraisalCorrected,
    AppraisalEntry,
    AppraisalEntryVoided,
    AppraisalOpened,
    Attendance,
    AttendanceCorrected,
    AttendanceRecorded,
    BriefingPart,
    BriefingPartCorrected,
    BriefingPartReported,
    DocumentAdopted,
    ExaminationAdopted,
    ExaminationAdoptionCorrected,
    ExaminationConsultationCorrected,
    ExaminationConsulted,
    ExaminationCorrected,
    ExaminationDrafted,
    ExaminationGate,
    ExaminationGateRestored,
    ExaminationGateWaived,
    ExaminationRevised,
    ExaminationSentBack,
    ExaminationSubject,
    ExaminationSubmitted,
    Grade,
    MeasureResolved,
    MeetingAppraised,
    MeetingDateAgreed,
    MeetingEntry,
    MeetingEntryVoided,
    MeetingGate,
    MeetingGateRestored,
    MeetingGateWaived,
    MeetingHeld,
    MeetingKind,
    MeetingPlanApproved,
    MeetingPlanned,
    MeetingPlanRevised,
    MemberAppraised,
    MemberCommentedOn,
    MemberDisposed,
    MemberEducated,
    MemberRecommended,
    MinutesCorrected,
    Paper,
    ResultRecorded,
    SelfAppraised,
    SpeechAct,
    SpeechCorrected,
    SpeechRecorded,
    SpeechVoided,
)
from services.oversight.events import (
    AcknowledgementVoided,
    FindingAcknowledged,
    ObligationWaived,
    WaiverLifted,
    WaiverVoided,
)
from services.oversight.rules.evidence import Happened, Life
from services.rectification.events import (
    ConvertedToLongTerm,
    EvidenceAdded,
    ExplainedNotPossible,
    ExtensionGranted,
    IssueAssigned,
    IssueClaimed,
    IssueCorrected,
    IssueDeclined,
    IssueMerged,
    IssueOpened,
    IssueReopened,
    IssueReturned,
    IssueStruckOff,
    IssueTransferred,
    IssueVerified,
    MeasuresPlanned,
    NoticePublished,
    ObjectionUpheld,
    PlanLine,
    PlanLineRemoved,
    PlanLineSet,
    RectificationPlanAdopted,
    RectificationStarted,
    SourceVoided,
    StrikeOffRequested,
    VerdictRecorded,
)
from services.study.events import TieCorrected, TieEnded, TieOpened, TieVoided
from services.talks.events import TalkConfirmed, TalkCorrected, TalkDisputed, TalkHeld, Told

# -- rectification ---------------------------------------------------------------------------------


@dataclass
class Issue:
    """A line of the ledger as far as rules ask. What a reopening ended is kept in `closings`."""

    id: str
    opened: Happened
    what: Any
    stage: str = "open"
    owner: str | None = None
    taken: Happened | None = None
    planned: Happened | None = None
    started: Happened | None = None
    due_on: date | None = None
    first_due_on: date | None = None
    requested: Happened | None = None
    verified: Happened | None = None
    noticed: Happened | None = None
    struck_off: Happened | None = None
    closings: list[Happened] = field(default_factory=list)
    requests: list[Happened] = field(default_factory=list)
    evidence: list[Happened] = field(default_factory=list)
    verdicts: list[Happened] = field(default_factory=list)
    verified_times: int = 0
    returned: int = 0
    reopened: list[Happened] = field(default_factory=list)
    moved: Happened | None = None
    unfounded: Happened | None = None

    @property
    def live(self) -> bool:
        """Whether somebody still has to see to it."""
        return self.stage not in {"struck_off", "not_possible", "merged"}


def issue(life: Life) -> Issue | None:  # noqa: C901, PLR0912, PLR0915 -- a fold is a table
    """The line, unless it was voided."""
    if life.voided or not isinstance(life.first.event, IssueOpened):
        return None
    line = Issue(life.id, life.first, life.first.event)
    line.due_on = life.first.event.watch.due.on
    for happened in life.standing:
        event = happened.event
        if isinstance(event, SourceVoided):  # moves nothing
            line.unfounded = happened
            continue
        line.moved = happened
        match event:
            case IssueCorrected():
                changes = {n: getattr(event, n) for n in type(event).model_fields if n != "reason"}
                line.what = line.what.model_copy(update=changes)
            case IssueClaimed(owner=owner) | IssueAssigned(owner=owner):
                line.stage, line.owner, line.taken = "owned", owner, happened
            case IssueDeclined():
                line.stage, line.owner, line.taken = "open", None, None
            case IssueTransferred(owner=owner):
                line.owner = owner
            case MeasuresPlanned(watch=watch):
                line.stage = line.stage if line.stage == "underway" else "planned"
                line.planned, line.due_on = happened, watch.due.on
                line.first_due_on = line.first_due_on or watch.due.on
            case RectificationStarted():
                line.stage, line.started = "underway", happened
            case ExtensionGranted(watch=watch):
                line.due_on = watch.due.on
            case EvidenceAdded():
                line.evidence.append(happened)
            case StrikeOffRequested():
                line.stage, line.requested = "awaiting_verification", happened
                line.requests.append(happened)
            case IssueVerified():
                line.stage, line.verified = "verified", happened
                line.verified_times += 1
            case IssueReturned(watch=watch):
                line.stage, line.due_on = "underway", watch.due.on
                line.returned += 1
            case NoticePublished():
                line.stage, line.noticed = "on_notice", happened
            case ObjectionUpheld() if line.stage == "on_notice":
                line.stage, line.verified, line.noticed = "underway", None, None
                line.returned += 1
            case IssueStruckOff():
                line.stage, line.struck_off = "struck_off", happened
                line.closings.append(happened)
            case VerdictRecorded():
                line.verdicts.append(happened)
            case IssueReopened(owner=owner):
                line.stage, line.owner, line.struck_off = "owned", owner, None
                line.verified, line.noticed, line.requested = None, None, None
                line.verdicts, line.first_due_on = [], None
                line.reopened.append(happened)
            case ConvertedToLongTerm(watch=watch):
                line.stage, line.due_on = "long_term", watch.due.on
            case ExplainedNotPossible():
                line.stage = "not_possible"
            case IssueMerged():
                line.stage = "merged"
            case _:
                pass
    return line


@dataclass
class Plan:
    """A rectification plan: its lines by issue, with the event that set each; adopted or not."""

    drafted: Happened
    lines: dict[str, tuple[Happened, PlanLine]]
    adopted: Happened | None


def plan(life: Life) -> Plan | None:
    """The plan, unless it was voided."""
    if life.voided:
        return None
    lines: dict[str, tuple[Happened, PlanLine]] = {}
    for happened in life.standing:
        match happened.event:
            case PlanLineSet(line=line):
                lines[line.issue] = (happened, line)
            case PlanLineRemoved(issue=gone):
                lines.pop(gone, None)
            case _:
                pass
    return Plan(life.standing[0], lines, life.latest(RectificationPlanAdopted))


# -- feedback --------------------------------------------------------------------------------------


@dataclass
class Collation:
    """A closed collation: what it proposed, which opinions it set aside, and the event that closed it."""

    opened: Happened
    closed: Happened
    set_aside: dict[str, Happened]


def collation(life: Life) -> Collation | None:
    """The collation, if it was closed and not voided."""
    opened, closed = life.latest(CollationOpened), life.latest(CollationClosed)
    if life.voided or opened is None or closed is None:
        return None
    aside: dict[str, Happened] = {}
    for happened in life.standing:
        match happened.event:
            case PartSetAside(part=part):
                aside[part.opinion] = happened
            case PartTakenBack(part=part):
                aside.pop(part.opinion, None)
            case _:
                pass
    return Collation(opened, closed, aside)


# -- talks -----------------------------------------------------------------------------------------


@dataclass
class Talk:
    """A talk that was held and is not disputed."""

    id: str
    held: Happened
    told: Told


def talk(life: Life) -> Talk | None:
    """The talk, if it counts."""
    held, told = life.latest(TalkHeld), life.latest(TalkHeld, TalkCorrected)
    if held is None or told is None:
        return None
    disputing: set[str] = set()
    for happened in life.standing:
        match happened.event:
            case TalkHeld() | TalkCorrected():
                disputing = set()
            case TalkDisputed(party=party):
                disputing.add(party)
            case TalkConfirmed(party=party):
                disputing.discard(party)
            case _:
                pass
    return None if disputing else Talk(life.id, held, told.event)


# -- meetings --------------------------------------------------------------------------------------


@dataclass
class Speech:
    """One speech, put right by its corrections; `number` is its place in the order."""

    number: int
    recorded: Happened
    act: SpeechAct
    speaker: str
    receiver: str | None
    talk: str | None


@dataclass
class Meeting:
    """A meeting as far as rules ask; it counts only where it was `held`."""

    id: str
    kind: MeetingKind
    campaign: str | None
    branch: str | None
    reports_on: str | None
    chair: str
    planned: Happened
    invited: tuple[str, ...] = ()
    revision: int = 1
    approved: Happened | None = None
    approved_revision: int = 0
    agreed: Happened | None = None
    held: Happened | None = None
    on: date | None = None
    began_at: datetime | None = None
    present: dict[str, Happened] = field(default_factory=dict)
    made_up: dict[str, Happened] = field(default_factory=dict)
    speeches: dict[int, Speech] = field(default_factory=dict)
    measures: dict[str, Happened] = field(default_factory=dict)
    adopted: dict[str, Happened] = field(default_factory=dict)
    parts: dict[BriefingPart, Happened] = field(default_factory=dict)
    appraised: Happened | None = None
    waved: dict[MeetingGate, Happened] = field(default_factory=dict)
    """The gates the supervision group waved it through."""

    def said(self, act: SpeechAct) -> list[Speech]:
        """Its speeches of a kind, in order."""
        return [s for _, s in sorted(self.speeches.items()) if s.act is act]


def meeting(life: Life) -> Meeting | None:
    """The meeting, if it was held and not voided."""
    if life.voided or not isinstance(life.standing[0].event, MeetingPlanned):
        return None
    told = life.standing[0].event
    met = Meeting(
        life.id,
        told.kind,
        told.campaign,
        told.branch,
        told.reports_on,
        told.chair,
        life.standing[0],
        tuple(told.invited),
    )
    for happened in life.standing:
        _meet(met, happened)
    return met if met.held else None


def _meet(met: Meeting, happened: Happened) -> None:  # noqa: C901, PLR0912 -- a fold is a table
    event = happened.event
    match event:
        case MeetingPlanRevised():
            met.revision = event.revision
            met.branch, met.reports_on = event.branch, event.reports_on
            met.chair, met.invited = event.chair, tuple(event.invited)
        case MeetingPlanApproved(revision=revision):
            met.approved, met.approved_revision = happened, revision
        case MeetingDateAgreed():
            met.agreed = happened
        case MeetingGateWaived(gate=gate):
            met.waved[gate] = happened
        case MeetingGateRestored(gate=gate):
            met.waved.pop(gate, None)
        case MeetingHeld(on=on, began_at=began, chair=chair):
            met.held, met.on, met.began_at, met.chair = happened, on, began, chair
        case MinutesCorrected(on=on, began_at=began, chair=chair):
            met.on, met.began_at, met.chair = on, began, chair
        case AttendanceRecorded(attendees=attendees):
            for attendee in attendees:
                _attend(met, attendee.person, attendee.attendance, happened)
        case AttendanceCorrected(attendee=attendee):
            _attend(met, attendee.person, attendee.attendance, happened)
        case AbsenceMadeUp(person=person):
            met.made_up[person] = happened
        case SpeechRecorded() | SpeechCorrected():
            first = met.speeches.get(event.number)
            met.speeches[event.number] = Speech(
                event.number,
                first.recorded if first else happened,
                event.act,
                event.speaker,
                event.receiver,
                event.talk,
            )
        case SpeechVoided(number=number):
            met.speeches.pop(number, None)
        case MeasureResolved(key=key):
            met.measures[key] = happened
        case DocumentAdopted(id=paper):
            met.adopted[paper] = happened
        case BriefingPartReported(part=part) | BriefingPartCorrected(part=part):
            met.parts.setdefault(part, happened)
        case MeetingAppraised():
            met.appraised = happened
        case MeetingEntryVoided(entry=entry, key=key):
            _strike(met, entry, key)
        case _:
            pass


def _attend(met: Meeting, person: str, attendance: Attendance, happened: Happened) -> None:
    met.present.pop(person, None)
    if attendance is Attendance.present:
        met.present[person] = happened


def _strike(met: Meeting, entry: MeetingEntry, key: str) -> None:
    match entry:
        case MeetingEntry.attendance:
            met.present.pop(key, None)
        case MeetingEntry.make_up:
            met.made_up.pop(key, None)
        case MeetingEntry.measure:
            met.measures.pop(key, None)
        case MeetingEntry.adoption:
            met.adopted.pop(key, None)
        case MeetingEntry.briefing_part:
            met.parts.pop(BriefingPart(key), None)
        case MeetingEntry.appraisal:
            met.appraised = None
        case _:
            pass


@dataclass
class Examination:
    """A self-examination: whose, how it came about, its latest wording; `submitted` if it stands so."""

    id: str
    drafted: Happened
    campaign: str
    team: bool
    person: str | None
    presided_by: str | None
    to_be_adopted: bool
    paper: Paper
    submitted: Happened | None = None
    adopted: Happened | None = None
    meeting: str | None = None
    consulted: Happened | None = None
    waved: dict[ExaminationGate, Happened] = field(default_factory=dict)
    """The gates the supervision group waved it through."""


def examination(life: Life) -> Examination | None:
    """The examination, unless it was voided."""
    if life.voided or not isinstance(life.standing[0].event, ExaminationDrafted):
        return None
    first = life.standing[0]
    told = first.event
    paper = Examination(
        life.id,
        first,
        told.campaign,
        told.subject is ExaminationSubject.team,
        told.person,
        told.presided_by,
        told.to_be_adopted,
        told.paper,
    )
    for happened in life.standing[1:]:
        match happened.event:
            case ExaminationRevised(paper=text) | ExaminationCorrected(paper=text):
                paper.paper = text
            case ExaminationSubmitted():
                paper.submitted = happened
            case ExaminationSentBack():
                paper.submitted = paper.adopted = paper.meeting = paper.consulted = None
            case ExaminationAdopted(meeting=where) | ExaminationAdoptionCorrected(meeting=where):
                paper.adopted, paper.meeting = happened, where
            case ExaminationConsulted() | ExaminationConsultationCorrected():
                paper.consulted = happened
            case ExaminationGateWaived(gate=gate):
                paper.waved[gate] = happened
            case ExaminationGateRestored(gate=gate):
                paper.waved.pop(gate, None)
            case _:
                pass
    return paper


@dataclass
class Appraisal:
    """The appraisal of a branch's members; pairs are (giver, member)."""

    id: str
    opened: Happened
    campaign: str
    branch: str
    on: date
    members: tuple[str, ...]
    scale: tuple[Grade, ...]
    own: dict[str, Happened] = field(default_factory=dict)
    mutual: dict[tuple[str, str], Happened] = field(default_factory=dict)
    results: dict[str, tuple[Happened, Grade]] = field(default_factory=dict)
    comments: dict[tuple[str, str], Happened] = field(default_factory=dict)
    recommended: dict[str, Happened] = field(default_factory=dict)
    educated: dict[str, Happened] = field(default_factory=dict)
    disposed: dict[str, Happened] = field(default_factory=dict)


def appraisal(life: Life) -> Appraisal | None:
    """The appraisal, unless it was voided."""
    if life.voided or not isinstance(life.standing[0].event, AppraisalOpened):
        return None
    told = life.standing[0].event
    found = Appraisal(
        life.id,
        life.standing[0],
        told.campaign,
        told.branch,
        told.on,
        tuple(told.members),
        tuple(told.scale),
    )
    for happened in life.standing[1:]:
        _appraise(found, happened)
    return found


def _appraise(found: Appraisal, happened: Happened) -> None:
    match happened.event:
        case AppraisalCorrected(on=on, members=members):
            found.on, found.members = on, tuple(members)
        case SelfAppraised(member=member):
            found.own[member] = happened
        case MemberAppraised(giver=giver, member=member):
            found.mutual[giver, member] = happened
        case ResultRecorded(member=member, grade=grade):
            found.results[member] = (happened, grade)
        case MemberCommentedOn(principal=principal, member=member):
            found.comments[principal, member] = happened
        case MemberRecommended(member=member):
            found.recommended[member] = happened
        case MemberEducated(member=member):
            found.educated[member] = happened
        case MemberDisposed(member=member):
            found.disposed[member] = happened
        case AppraisalEntryVoided(entry=entry, member=member, giver=giver):
            _unsay(found, entry, member, giver)
        case _:
            pass


def _unsay(found: Appraisal, entry: AppraisalEntry, member: str, giver: str | None) -> None:
    match entry:
        case AppraisalEntry.appraisal | AppraisalEntry.comment:
            pairs = found.mutual if entry is AppraisalEntry.appraisal else found.comments
            for pair in [p for p in pairs if p[1] == member and giver in {None, p[0]}]:
                del pairs[pair]
        case _:
            book: dict[AppraisalEntry, dict[str, Any]] = {
                AppraisalEntry.self_appraisal: found.own,
                AppraisalEntry.result: found.results,
                AppraisalEntry.recommendation: found.recommended,
                AppraisalEntry.education: found.educated,
                AppraisalEntry.disposition: found.disposed,
            }
            book[entry].pop(member, None)


# -- study -----------------------------------------------------------------------------------------


@dataclass
class Tie:
    """A contact unit of somebody, from a day on until and with another."""

    opened: Happened
    person: str
    unit: str
    since: date
    until: date | None = None

    def holds(self, day: date) -> bool:
        """Whether it holds on a day."""
        return self.since <= day and (self.until is None or day <= self.until)


def ties(life: Life) -> list[Tie]:
    """The ties of one member's stream that count."""
    found: dict[int, Tie] = {}
    for happened in life.past:
        match happened.event:
            case TieOpened() as told:
                found[told.number] = Tie(happened, told.person, told.unit, told.since, told.until)
            case TieEnded(number=number, until=until) if number in found:
                found[number].until = until
            case TieCorrected() as told if told.number in found:
                tie = found[told.number]
                tie.unit, tie.since, tie.until = told.unit, told.since, told.until
            case TieVoided(number=number):
                found.pop(number, None)
            case _:
                pass
    return [*found.values()]


# -- findings --------------------------------------------------------------------------------------


@dataclass
class Remarks:
    """What was said of one finding: seen, waived."""

    rule: str
    subject: tuple[str, ...]
    period: str
    acknowledged: Happened | None = None
    waived: Happened | None = None


def remarks(life: Life) -> Remarks | None:
    """What counts of it now."""
    said: Remarks | None = None
    for happened in life.past:
        match happened.event:
            case FindingAcknowledged(rule=rule, subject=subject, period=period):
                said = said or Remarks(rule, tuple(subject), period)
                said.acknowledged = happened
            case ObligationWaived(rule=rule, subject=subject, period=period):
                said = said or Remarks(rule, tuple(subject), period)
                said.waived = happened
            case AcknowledgementVoided() if said:
                said.acknowledged = None
            case WaiverLifted() | WaiverVoided() if said:
                said.waived = None
            case _:
                pass
    return said


def together(one: Remarks, other: Remarks) -> Remarks:
    """What was said of the same finding under two ids of one person."""
    return replace(
        one,
        acknowledged=one.acknowledged or other.acknowledged,
        waived=one.waived or other.waived,
    )


def proofs(*several: Happened | None) -> tuple[str, ...]:
    """The ids of events, each once."""
    return tuple(dict.fromkeys(h.id for h in several if h))


def proved(several: Iterable[Happened]) -> tuple[str, ...]:
    """The ids of events, each once."""
    return proofs(*several)
