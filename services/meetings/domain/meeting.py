"""The life of a meeting: planned, held, put on record, locked, appraised."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from services.campaign.calendar import Day
from services.campaign.directory import Directory
from services.campaign.events import Role, UnitKind
from services.feedback.events import Addressee, Discovery, Topic, Wind
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
from shared.decider import Command, Decider, Event, Instant, OutOfOrder, PersonId, Rejected
from shared.marks import Id, Line, Occurred, Prose

PEOPLE = frozenset({"person"})
SUPERVISION = frozenset({Role.supervisor})
MANAGERS = frozenset({Role.principal_leader, Role.school_administrator})
CONVENERS = MANAGERS | {Role.branch_secretary}
CRITICAL = frozenset({MeetingKind.democratic_life, MeetingKind.organisational_life})
"""Where people criticise themselves and each other, and the supervision group looks on."""
APPRAISAL = "appraisal"
"""The key of the one appraisal a meeting has."""
OF_A_BRANCH = frozenset({MeetingKind.organisational_life, MeetingKind.study_discussion})
"""What the secretary of a branch convenes for it."""

# -- Facts ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reported:
    """The meeting a briefing reports on: what it was, when it ended, when it was appraised."""

    kind: MeetingKind
    ended_at: Instant | None = None
    appraised_at: Instant | None = None


@dataclass(frozen=True)
class Facts:
    """What a decision on a meeting looks at beside it: the directory and neighbouring streams.

    `reported` is the meeting a briefing names, unless it was called off or voided; `adoptable` says
    that the paper a leadership meeting adopts is there to be adopted.
    """

    directory: Directory
    reported: Reported | None = None
    adoptable: bool = False

    def here(self, person: str, day: date) -> bool:
        """Whether somebody is in the school on a day."""
        return self.directory.roster.present(PersonId(person), day)

    def roles(self, person: PersonId, day: date) -> frozenset[Role]:
        """What somebody is, or stands in for, on a day."""
        return self.directory.roster.roles(person, day)

    def leads(self, person: PersonId, branch: str, day: date) -> bool:
        """Whether somebody is secretary of a branch on a day, or stands in for who is."""
        roster = self.directory.roster
        held = roster.holders(Role.branch_secretary, day, branch)
        lent = (d for p in held for d in roster.people[p].deputies if d.holds(day))
        return person in held or any(roster.identity(d.deputy) == person for d in lent)


# -- Commands ------------------------------------------------------------------------------------

Several = Annotated[tuple[Id, ...], Field(max_length=500)]


class PlanMeeting(Command):
    """Say what people will meet for, where, under whom; a branch's meeting names the branch.

    A democratic life meeting has a programme that the supervision group approves (R66); a briefing
    names the meeting it reports on (R75).
    """

    zh = "拟定会议方案"
    allowed = CONVENERS
    creates = True
    kind: MeetingKind
    campaign: Id | None = None
    branch: Id | None = None
    reports_on: Id | None = None
    title: Line
    place: Line
    chair: Id
    invited: Several = ()
    on: Day | None = None
    programme: Prose | None = None


class ReviseMeetingPlan(Command):
    """Change what is planned; an approved plan has to be approved again (R66)."""

    zh = "修改会议方案"
    allowed = PEOPLE
    branch: Id | None = None
    reports_on: Id | None = None
    title: Line
    place: Line
    chair: Id
    invited: Several = ()
    on: Day | None = None
    programme: Prose | None = None
    reason: Prose


class ApproveMeetingPlan(Command):
    """Agree to the plan of a democratic life meeting (R66)."""

    zh = "审核同意会议方案"
    allowed = SUPERVISION
    remarks: Prose | None = None
    occurred_at: Annotated[Instant | None, Occurred()] = None


class SendBackMeetingPlan(Command):
    """Have the plan of a democratic life meeting improved before it may be held (R66)."""

    zh = "退回会议方案"
    allowed = SUPERVISION
    remarks: Prose
    occurred_at: Annotated[Instant | None, Occurred()] = None


class AgreeDate(Command):
    """Settle with those who will hold it on which day a democratic life meeting is held (R67)."""

    zh = "商定开会时间"
    allowed = SUPERVISION
    on: Day
    occurred_at: Annotated[Instant | None, Occurred()] = None


class WaiveMeetingGate(Command):
    """Wave a democratic life meeting through without what it waits for (R66, R67), and say why."""

    zh = "免除会前条件"
    allowed = SUPERVISION
    gate: MeetingGate
    reason: Prose


class RestoreMeetingGate(Command):
    """Take back that a democratic life meeting was waved through."""

    zh = "恢复会前条件"
    allowed = SUPERVISION
    gate: MeetingGate
    reason: Prose


class PostponeMeeting(Command):
    """Put a meeting off, to a day or until further notice; a date has to be agreed anew (R67)."""

    zh = "推迟会议"
    allowed = PEOPLE
    on: Day | None = None
    reason: Prose


class CancelMeeting(Command):
    """Call off a meeting that was not held."""

    zh = "取消会议"
    allowed = PEOPLE
    reason: Prose


class HoldMeeting(Command):
    """Open the meeting: what happened there is then recorded, act by act."""

    zh = "召开会议"
    allowed = PEOPLE
    began_at: Annotated[Instant, Occurred()]
    chair: Id
    recorder: Id


class EndMeeting(Command):
    """Say when the meeting was over."""

    zh = "会议结束"
    allowed = PEOPLE
    ended_at: Annotated[Instant, Occurred()]


class AttendeeAsked(Attendee):
    """An attendee as a sender gives it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    person: Id  # type: ignore[assignment]  # a person's id, its form checked
    excuse: Line | None = None


class RecordAttendance(Command):
    """Say by name who was there and who was not, and why."""

    zh = "登记出席"
    allowed = PEOPLE
    attendees: Annotated[tuple[AttendeeAsked, ...], Field(min_length=1, max_length=500)]


class CorrectAttendance(Command):
    """Put right whether somebody was there, or was forgotten; in closed minutes a second person does."""

    zh = "更正出席"
    allowed = PEOPLE
    person: Id
    attendance: Attendance
    excuse: Line | None = None
    reason: Prose


class MakeUpAbsence(Command):
    """Record how somebody who was absent made up for it afterwards (R79)."""

    zh = "登记补课"
    allowed = PEOPLE
    person: Id
    by_what: Prose
    occurred_at: Annotated[Instant | None, Occurred()] = None


class RecordSpeech(Command):
    """Put on record what one person said; `number` is its place in the order of the meeting.

    Criticism may name the talk in which it was communicated beforehand (R54).
    """

    zh = "记录发言"
    allowed = PEOPLE
    number: Annotated[int, Field(ge=1, le=9_999)]
    act: SpeechAct
    speaker: Id
    receiver: Id | None = None
    talk: Id | None = None
    text: Prose


class CorrectSpeech(Command):
    """Put a recorded speech right; once the minutes are closed a second person does."""

    zh = "更正发言记录"
    allowed = PEOPLE
    number: Annotated[int, Field(ge=1, le=9_999)]
    act: SpeechAct
    speaker: Id
    receiver: Id | None = None
    talk: Id | None = None
    text: Prose
    reason: Prose


class VoidSpeech(Command):
    """Declare that a speech should not have been recorded; it stays visible and counts nowhere."""

    zh = "作废发言记录"
    allowed = PEOPLE
    number: Annotated[int, Field(ge=1, le=9_999)]
    reason: Prose


class RaiseProblemAtMeeting(Command):
    """Name a problem that came out at the meeting, as it is to stand on the ledger (R90)."""

    zh = "会上查摆问题"
    allowed = PEOPLE
    key: Id
    title: Line
    description: Prose | None = None
    addressee: Addressee
    person: Id | None = None
    winds: tuple[Wind, ...] = ()
    not_four_winds: bool = False
    topics: tuple[Topic, ...] = ()
    discovery: Discovery
    key_issue: bool = False
    strongly_reflected: bool = False


class CorrectMeetingProblem(Command):
    """Put right how a problem stands in the minutes; the issue it became is corrected on the ledger."""

    zh = "更正会上问题"
    allowed = PEOPLE
    key: Id
    title: Line
    description: Prose | None = None
    addressee: Addressee
    person: Id | None = None
    winds: tuple[Wind, ...] = ()
    not_four_winds: bool = False
    topics: tuple[Topic, ...] = ()
    discovery: Discovery
    key_issue: bool = False
    strongly_reflected: bool = False
    reason: Prose


class ResolveMeasure(Command):
    """Put on record what the meeting resolved to do, who will, until when, with which result (R64)."""

    zh = "议定措施"
    allowed = PEOPLE
    key: Id
    text: Prose
    owner: Id
    due_on: Day
    deliverable: Prose
    issues: Several = ()


class CorrectMeasure(Command):
    """Put right how a measure stands in the minutes."""

    zh = "更正会上措施"
    allowed = PEOPLE
    key: Id
    text: Prose
    owner: Id
    due_on: Day
    deliverable: Prose
    issues: Several = ()
    reason: Prose


class AdoptDocument(Command):
    """Adopt an examination report, a plan or a regulation at a leadership meeting (R65)."""

    zh = "会议审议通过"
    allowed = PEOPLE
    kind: PaperKind
    id: Id


class ReportBriefingPart(Command):
    """Put on record what a briefing told about one of its four parts (R76)."""

    zh = "通报情况"
    allowed = PEOPLE
    part: BriefingPart
    text: Prose


class CorrectBriefingPart(Command):
    """Put right what a briefing is said to have told."""

    zh = "更正通报内容"
    allowed = PEOPLE
    part: BriefingPart
    text: Prose
    reason: Prose


class VoidMeetingEntry(Command):
    """Declare one entry of the meeting void; `key` is the person, problem, measure, paper or part.

    An appraisal's key is `appraisal`; it is voided by another supervisor than who gave it.
    """

    zh = "作废会议记录项"
    allowed = PEOPLE
    entry: MeetingEntry
    key: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,36}$")]
    reason: Prose


class CloseMinutes(Command):
    """Lock the minutes: from now on there are only corrections, each by a second person."""

    zh = "会议记录定稿"
    allowed = PEOPLE


class CorrectMinutes(Command):
    """Put right where and when the meeting was, who chaired it and who kept the record."""

    zh = "更正会议记录"
    allowed = PEOPLE
    title: Line
    place: Line
    chair: Id
    recorder: Id
    began_at: Instant
    ended_at: Instant | None = None
    reason: Prose


class AppraiseMeeting(Command):
    """Evaluate the meeting, as the supervision group: honest, fair, no private spite (R74, R76)."""

    zh = "评价会议"
    allowed = SUPERVISION
    grade: MeetingGrade
    text: Prose
    occurred_at: Annotated[Instant | None, Occurred()] = None


class CorrectMeetingAppraisal(Command):
    """Put an evaluation right, as another supervisor than who gave it."""

    zh = "更正会议评价"
    allowed = SUPERVISION
    grade: MeetingGrade
    text: Prose
    reason: Prose


class VoidMeeting(Command):
    """Declare that the meeting should never have been recorded; it stays visible."""

    zh = "作废会议"
    allowed = MANAGERS | SUPERVISION
    reason: Prose


type MeetingCommand = (
    PlanMeeting
    | ReviseMeetingPlan
    | ApproveMeetingPlan
    | SendBackMeetingPlan
    | AgreeDate
    | WaiveMeetingGate
    | RestoreMeetingGate
    | PostponeMeeting
    | CancelMeeting
    | HoldMeeting
    | EndMeeting
    | RecordAttendance
    | CorrectAttendance
    | MakeUpAbsence
    | RecordSpeech
    | CorrectSpeech
    | VoidSpeech
    | RaiseProblemAtMeeting
    | CorrectMeetingProblem
    | ResolveMeasure
    | CorrectMeasure
    | AdoptDocument
    | ReportBriefingPart
    | CorrectBriefingPart
    | VoidMeetingEntry
    | CloseMinutes
    | CorrectMinutes
    | AppraiseMeeting
    | CorrectMeetingAppraisal
    | VoidMeeting
)


# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Waiver:
    """A gate waved through; `said` is the fingerprint of the reason."""

    gate: MeetingGate
    said: str


@dataclass(frozen=True)
class Plan:
    """What is planned, and how far the supervision group agrees.

    `reviewed` is the fingerprint of its last word on the plan, `put_off` that of the last
    postponement; `said` that of the plan itself.
    """

    kind: MeetingKind
    campaign: str | None
    branch: str | None
    reports_on: str | None
    title: str
    place: str
    chair: PersonId
    planned_by: PersonId
    programmed: bool
    said: str
    revision: int = 1
    reviewed: str | None = None
    approved_at: Instant | None = None
    agreed_on: date | None = None
    agreed_at: Instant | None = None
    put_off: str | None = None
    waived: tuple[Waiver, ...] = ()

    def waives(self, gate: MeetingGate) -> bool:
        """Whether a gate was waved through."""
        return any(waiver.gate is gate for waiver in self.waived)


@dataclass(frozen=True)
class Seat:
    """Whether somebody was there; `said` is the fingerprint of what is recorded of it."""

    person: PersonId
    attendance: Attendance
    said: str


@dataclass(frozen=True)
class Speech:
    """A speech without its words; `said` is the fingerprint of all that is recorded of it."""

    number: int
    act: SpeechAct
    speaker: PersonId
    receiver: PersonId | None
    said: str
    voided: bool = False


@dataclass(frozen=True)
class Entry:
    """Something else in the minutes, by what it is and its key; `said` is its fingerprint."""

    entry: MeetingEntry
    key: str
    said: str
    voided: bool = False


@dataclass(frozen=True)
class Minutes:
    """What is on record of a meeting that was held, as far as rules need it."""

    on: date
    began_at: Instant
    chair: PersonId
    recorder: PersonId
    ended_at: Instant | None = None
    seats: tuple[Seat, ...] = ()
    speeches: tuple[Speech, ...] = ()
    entries: tuple[Entry, ...] = ()
    appraised_by: PersonId | None = None

    def seat(self, person: str) -> Seat | None:
        """What is recorded of somebody's attendance."""
        return next((s for s in self.seats if s.person == person), None)

    def speech(self, number: int) -> Speech | None:
        """The speech at a place of the order."""
        return next((s for s in self.speeches if s.number == number), None)

    def entry(self, entry: MeetingEntry, key: str) -> Entry | None:
        """An entry by its key."""
        return next((e for e in self.entries if (e.entry, e.key) == (entry, key)), None)

    @property
    def problems(self) -> tuple[str, ...]:
        """The keys of the problems raised and not struck out again."""
        raised = (e for e in self.entries if e.entry is MeetingEntry.problem and not e.voided)
        return tuple(e.key for e in raised)


@dataclass(frozen=True)
class Unplanned:
    """Nobody thought of it."""


@dataclass(frozen=True)
class Planned:
    """To be held, once it may be."""

    plan: Plan


@dataclass(frozen=True)
class Held:
    """Going on, or over with its minutes still open."""

    plan: Plan
    minutes: Minutes


@dataclass(frozen=True)
class Closed:
    """Over, its minutes locked."""

    plan: Plan
    minutes: Minutes
    closed_by: PersonId


@dataclass(frozen=True)
class Cancelled:
    """Called off; `said` is the fingerprint of the reason."""

    plan: Plan
    said: str


@dataclass(frozen=True)
class Voided:
    """Should never have been."""


type Meeting = Unplanned | Planned | Held | Closed | Cancelled | Voided


# -- Rules ---------------------------------------------------------------------------------------


class FourEyes(Rejected):
    """Who kept the record does not change it alone: a second person does."""

    zh = "须由第二人更正或作废"


class NotTheKeeper(Rejected):
    """Only who convenes, chairs or records the meeting, or manages the school, may do that."""

    zh = "只有会议召集人、主持人、记录人或学校负责人可以进行这一操作"


class NotYourBranch(Rejected):
    """A branch secretary convenes the meetings of their own branch."""

    zh = "支部负责同志只能召集本支部的会议"


class WrongKindOfMeeting(Rejected):
    """That is not done at this kind of meeting."""

    zh = "这类会议不进行这一事项"


class NoSuchCampaign(Rejected):
    """There is no such campaign."""

    zh = "没有这项活动"


class BranchUnclear(Rejected):
    """An organisational life meeting is one branch's; only a study discussion may name one too."""

    zh = "组织生活会须写明所属支部,其他会议不属于支部"


class NoSuchBranch(Rejected):
    """There is no such branch on that day."""

    zh = "没有这个支部"


class ReportUnclear(Rejected):
    """A briefing names the meeting it reports on, and no other meeting does."""

    zh = "通报会须写明所通报的民主生活会,其他会议不写"


class NoSuchMeeting(Rejected):
    """There is no such democratic life meeting."""

    zh = "没有这次民主生活会"


class NotInTheSchool(Rejected):
    """Somebody named was not in the school that day."""

    zh = "所列人员当天不在本校在册名单中"


class NamedTwice(Rejected):
    """Somebody is named twice."""

    zh = "人员重复"


class ProgrammeMissing(Rejected):
    """There is no programme that could be approved (R66)."""

    zh = "尚未写明会议工作方案"


class PlanNotApproved(Rejected):
    """The supervision group had not approved the plan before the meeting (R66)."""

    zh = "会议方案未经督导组审核同意,不能召开"


class DateNotAgreed(Rejected):
    """The day was not agreed with the supervision group before the meeting (R67)."""

    zh = "开会时间未与督导组商定,不能召开"


class NotOnTheAgreedDay(Rejected):
    """The meeting is held on the day that was agreed (R67)."""

    zh = "召开日期与商定的日期不一致"


class ChairNotAPrincipalLeader(Rejected):
    """A principal leader chairs the briefing (R75)."""

    zh = "情况通报会须由主要领导主持"


class BriefingBeforeMeeting(Rejected):
    """A briefing comes after the meeting it reports on (R75)."""

    zh = "民主生活会尚未召开或尚未结束,不能通报"


class NotAppraisedYet(Rejected):
    """A briefing tells the supervision group's evaluation, so it needs one (R76)."""

    zh = "督导组尚未评价民主生活会,不能通报"


class EndsBeforeItBegins(Rejected):
    """A meeting ends after it began."""

    zh = "结束时间早于开始时间"


class HasNotHappenedYet(Rejected):
    """What has not happened yet cannot be on record."""

    zh = "时间不能晚于现在"


class EndUnclear(Rejected):
    """A correction names the end of a meeting that has ended, and only of such a one."""

    zh = "已结束的会议须写明结束时间,未结束的不得填写"


class RecordedOtherwise(Rejected):
    """Something else is on record already; it is corrected, not overwritten."""

    zh = "已有不同的记录,须以更正方式修改"


class NotOnRecord(Rejected):
    """Nothing of that number or key is on record."""

    zh = "没有这条记录"


class ExcuseUnclear(Rejected):
    """An absence has a reason; a presence has none."""

    zh = "缺席须写明原因,出席不写"


class NotAttending(Rejected):
    """Whoever speaks is on record as present."""

    zh = "缺席或未登记出席的人员不能发言"


class HasSpoken(Rejected):
    """Whoever has spoken was there."""

    zh = "该人员已有发言记录,不能改为缺席"


class NotAbsent(Rejected):
    """Only an absence on record is made up for."""

    zh = "该人员没有缺席记录,无须补课"


class MadeUpTooEarly(Rejected):
    """An absence is made up for after the meeting."""

    zh = "补课时间早于会议"


class CriticisesOneself(Rejected):
    """Criticism is of somebody else; of oneself it is self-criticism."""

    zh = "批评的对象不能是本人"


class ReceiverUnclear(Rejected):
    """Criticism names whom it is for; apart from it only a comment may."""

    zh = "批评须写明对象,除点评外其他发言不写对象"


class TalkUnclear(Rejected):
    """Only criticism is communicated in a talk beforehand (R54)."""

    zh = "只有批评意见可以关联会前谈心谈话"


class NotAPrincipalLeader(Rejected):
    """A principal leader examines the team on its behalf (R68)."""

    zh = "须由主要领导代表班子作对照检查"


class MinutesLocked(Rejected):
    """The minutes are closed: there are only corrections now."""

    zh = "会议记录已定稿,只能更正"


class MinutesStillOpen(Rejected):
    """The minutes are not closed yet."""

    zh = "会议记录尚未定稿"


class NotEndedYet(Rejected):
    """The meeting has not ended yet."""

    zh = "会议尚未结束"


class NobodyAttended(Rejected):
    """Nobody is on record as present."""

    zh = "没有任何出席记录"


class NotHeldYet(Rejected):
    """The meeting was not held yet."""

    zh = "会议尚未召开"


class HeldAlready(Rejected):
    """The meeting was held already."""

    zh = "会议已经召开"


class NoSuchPaper(Rejected):
    """There is no such paper to adopt."""

    zh = "没有可供审议的这份文件"


class AddresseeUnclear(Rejected):
    """A member's problem names the member, a problem of the team nobody."""

    zh = "个人问题须写明本人,班子问题不得指定个人"


class WindsUnclear(Rejected):
    """A problem belongs to at least one of the four winds, or expressly to none (R45)."""

    zh = "须选择四风类别或注明不属于四风"


class DueBeforeTheMeeting(Rejected):
    """A measure is due after it was resolved."""

    zh = "完成时限早于会议日期"


# -- Deciding ------------------------------------------------------------------------------------


def decide(command: MeetingCommand, meeting: Meeting, facts: Facts) -> MeetingEvent | None:
    """Decide by who people are; whoever was seated under an entry merged since stays seated there."""
    event = _decided(command, facts.directory.roster.settled(meeting), facts)
    match event:
        case AttendanceCorrected(attendee=attendee):
            seated = {"person": _seated_as(attendee.person, meeting, facts)}
            return event.model_copy(update={"attendee": attendee.model_copy(update=seated)})
        case AbsenceMadeUp(person=person):
            return event.model_copy(update={"person": _seated_as(person, meeting, facts)})
        case MeetingEntryVoided(entry=MeetingEntry.attendance | MeetingEntry.make_up, key=key):
            return event.model_copy(update={"key": _seated_as(key, meeting, facts)})
        case _:
            return event


def _seated_as(person: str, meeting: Meeting, facts: Facts) -> str:
    """The entry under which somebody's attendance was recorded."""
    seats = _minutes_of(meeting).seats
    identity = facts.directory.roster.identity
    return next((seat.person for seat in seats if identity(seat.person) == person), person)


def _decided(command: MeetingCommand, meeting: Meeting, facts: Facts) -> MeetingEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    match command, meeting:
        # planned
        case PlanMeeting(), Unplanned():
            return _planned(command, facts)
        case PlanMeeting(), Planned(plan):
            same = command.kind is plan.kind and command.campaign in {None, plan.campaign}
            return _once(same=same and _said(_plan(command, facts), *_FRAME) == plan.said)
        case ReviseMeetingPlan(), Planned(plan):
            _keeper(command, meeting, facts)
            return _revised(command, plan, facts)
        case ApproveMeetingPlan(), Planned(plan):
            return _approved(command, plan)
        case SendBackMeetingPlan(remarks=remarks), Planned(plan):
            _must_be(plan, MeetingKind.democratic_life)
            back = MeetingPlanSentBack(revision=plan.revision, remarks=remarks)
            return None if plan.reviewed == _said(back) else back
        case AgreeDate(on=day), Planned(plan):
            _must_be(plan, MeetingKind.democratic_life)
            if plan.agreed_on == day and command.occurred_at in {None, plan.agreed_at}:
                return None
            return MeetingDateAgreed(on=day, agreed_at=command.occurred_at or command.at)
        case WaiveMeetingGate(gate=gate, reason=reason), Planned(plan):
            _must_be(plan, MeetingKind.democratic_life)
            waived = MeetingGateWaived(gate=gate, reason=reason)
            if not plan.waives(gate):
                return waived
            return _once(same=Waiver(gate, _fingerprint(reason)) in plan.waived)
        case RestoreMeetingGate(gate=gate, reason=reason), Planned(plan):
            if not plan.waives(gate):
                raise NotOnRecord(gate)
            return MeetingGateRestored(gate=gate, reason=reason)
        case PostponeMeeting(on=day, reason=reason), Planned(plan):
            _keeper(command, meeting, facts)
            put_off = MeetingPostponed(on=day, reason=reason)
            return None if plan.put_off == _whole(put_off) else put_off
        case CancelMeeting(reason=reason), Planned(plan):
            _keeper(command, meeting, facts)
            return MeetingCancelled(reason=reason)
        case CancelMeeting(reason=reason), Cancelled(said=said):
            return _once(same=_fingerprint(reason) == said)

        # held
        case HoldMeeting(), Planned(plan):
            _keeper(command, meeting, facts)
            return _held(command, plan, facts)
        case HoldMeeting(), Held(minutes=now) | Closed(minutes=now):
            opened = (now.began_at, now.chair, now.recorder)
            return _once(same=opened == (command.began_at, command.chair, command.recorder))
        case EndMeeting(ended_at=end), Held(minutes=minutes):
            _keeper(command, meeting, facts)
            if minutes.ended_at:
                return _once(same=minutes.ended_at == end)
            if end <= minutes.began_at:
                raise EndsBeforeItBegins
            return MeetingEnded(ended_at=end)
        case EndMeeting(ended_at=end), Closed(minutes=minutes):
            return _once(same=minutes.ended_at == end)

        # on record
        case RecordAttendance(), Held(minutes=minutes):
            _keeper(command, meeting, facts)
            return _attendance(command, minutes, facts)
        case CorrectAttendance(), Held(minutes=minutes) | Closed(minutes=minutes):
            _corrector(command, meeting, facts)
            return _attendance_corrected(command, minutes, facts)
        case MakeUpAbsence(), Held(minutes=minutes) | Closed(minutes=minutes):
            _keeper(command, meeting, facts)
            return _made_up(command, minutes, facts)
        case RecordSpeech(), Held(plan, minutes):
            _keeper(command, meeting, facts)
            return _speech(command, plan, minutes, facts)
        case CorrectSpeech(), Held(plan, minutes) | Closed(plan, minutes):
            _corrector(command, meeting, facts)
            return _speech_corrected(command, plan, minutes, facts)
        case VoidSpeech(number=number, reason=reason), (
            Held(minutes=minutes) | Closed(minutes=minutes)
        ):
            _corrector(command, meeting, facts)
            _on_record(minutes.speech(number), str(number))
            return SpeechVoided(number=number, reason=reason)
        case RaiseProblemAtMeeting(key=key), Held(minutes=minutes):
            _keeper(command, meeting, facts)
            problem = MeetingProblemRaised(**_problem(command, facts))
            return problem if _is_new(problem, minutes, MeetingEntry.problem, key) else None
        case CorrectMeetingProblem(key=key), Held(minutes=minutes) | Closed(minutes=minutes):
            _corrector(command, meeting, facts)
            reworded = MeetingProblemCorrected(**_problem(command, facts), reason=command.reason)
            return reworded if _is_other(reworded, minutes, MeetingEntry.problem, key) else None
        case ResolveMeasure(key=key), Held(minutes=minutes):
            _keeper(command, meeting, facts)
            measure = MeasureResolved(**_measure(command, minutes, facts))
            return measure if _is_new(measure, minutes, MeetingEntry.measure, key) else None
        case CorrectMeasure(key=key), Held(minutes=minutes) | Closed(minutes=minutes):
            _corrector(command, meeting, facts)
            changed = MeasureCorrected(**_measure(command, minutes, facts), reason=command.reason)
            return changed if _is_other(changed, minutes, MeetingEntry.measure, key) else None
        case AdoptDocument(kind=kind, id=paper), Held(plan, minutes):
            _keeper(command, meeting, facts)
            _must_be(plan, MeetingKind.leadership)
            adopted = DocumentAdopted(kind=kind, id=paper)
            if not _is_new(adopted, minutes, MeetingEntry.adoption, paper):
                return None
            if not facts.adoptable:
                raise NoSuchPaper(paper)
            return adopted
        case ReportBriefingPart(part=part, text=text), Held(plan, minutes):
            _keeper(command, meeting, facts)
            _must_be(plan, MeetingKind.briefing)
            told = BriefingPartReported(part=part, text=text)
            return told if _is_new(told, minutes, MeetingEntry.briefing_part, part) else None
        case CorrectBriefingPart(part=part), Held(minutes=minutes) | Closed(minutes=minutes):
            _corrector(command, meeting, facts)
            retold = BriefingPartCorrected(part=part, text=command.text, reason=command.reason)
            return retold if _is_other(retold, minutes, MeetingEntry.briefing_part, part) else None
        case VoidMeetingEntry(), Held(minutes=minutes) | Closed(minutes=minutes):
            return _voided(command, meeting, minutes, facts)

        # locked
        case CloseMinutes(by=person), Held(minutes=minutes):
            _keeper(command, meeting, facts)
            if minutes.ended_at is None:
                raise NotEndedYet
            if not any(seat.attendance is Attendance.present for seat in minutes.seats):
                raise NobodyAttended
            return MinutesClosed(closed_by=person)
        case CloseMinutes(), Closed():
            return None
        case CorrectMinutes(), Held(plan, minutes) | Closed(plan, minutes):
            _corrector(command, meeting, facts)
            return _minutes_corrected(command, plan, minutes, facts)
        case AppraiseMeeting(by=person), Closed(plan, minutes):
            _must_be(plan, *CRITICAL)
            appraised = MeetingAppraised(
                grade=command.grade,
                text=command.text,
                appraised_by=person,
                appraised_at=command.occurred_at or command.at,
            )
            entry = MeetingEntry.appraisal
            return appraised if _is_new(appraised, minutes, entry, APPRAISAL) else None
        case CorrectMeetingAppraisal(by=person), Closed(minutes=minutes):
            better = MeetingAppraisalCorrected(
                grade=command.grade, text=command.text, reason=command.reason
            )
            if not _is_other(better, minutes, MeetingEntry.appraisal, APPRAISAL):
                return None
            if person == minutes.appraised_by:
                raise FourEyes
            return better

        case VoidMeeting(by=person, reason=reason), (
            Planned(plan) | Held(plan) | Closed(plan) | Cancelled(plan)
        ):
            if person == plan.planned_by or person in _record_keepers(meeting):
                raise FourEyes
            problems = meeting.minutes.problems if isinstance(meeting, Held | Closed) else ()
            return MeetingVoided(reason=reason, problems=problems)

        # too late, too early
        case AppraiseMeeting() | CorrectMeetingAppraisal(), Held():
            raise MinutesStillOpen
        case (
            (
                ReviseMeetingPlan()
                | ApproveMeetingPlan()
                | SendBackMeetingPlan()
                | AgreeDate()
                | WaiveMeetingGate()
                | RestoreMeetingGate()
                | PostponeMeeting()
                | CancelMeeting()
            ),
            Held() | Closed(),
        ):
            raise HeldAlready
        case (
            (
                RecordAttendance()
                | RecordSpeech()
                | RaiseProblemAtMeeting()
                | ResolveMeasure()
                | AdoptDocument()
                | ReportBriefingPart()
            ),
            Closed(),
        ):
            raise MinutesLocked
        case _, Planned():
            raise NotHeldYet
        case _:
            raise OutOfOrder


# -- Who may -------------------------------------------------------------------------------------


def _keeper(command: MeetingCommand, meeting: Planned | Held | Closed, facts: Facts) -> None:
    """Whoever convenes, chairs or records the meeting keeps its record; managers may, too."""
    own = {meeting.plan.planned_by, meeting.plan.chair}
    if not isinstance(meeting, Planned):
        own |= {meeting.minutes.chair, meeting.minutes.recorder}
    if command.by not in own and not (
        facts.roles(command.by, facts.directory.day(command.at)) & MANAGERS
    ):
        raise NotTheKeeper


def _corrector(command: MeetingCommand, meeting: Held | Closed, facts: Facts) -> None:
    """What is locked is changed by a second person, neither who recorded nor who locked it."""
    _keeper(command, meeting, facts)
    if isinstance(meeting, Closed) and command.by in _record_keepers(meeting):
        raise FourEyes


def _record_keepers(meeting: Meeting) -> frozenset[PersonId]:
    if isinstance(meeting, Closed):
        return frozenset({meeting.minutes.recorder, meeting.closed_by})
    return frozenset({meeting.minutes.recorder}) if isinstance(meeting, Held) else frozenset()


# -- Planning ------------------------------------------------------------------------------------


def _planned(command: PlanMeeting, facts: Facts) -> MeetingPlanned:
    day = facts.directory.day(command.at)
    if command.campaign and command.campaign not in facts.directory.campaigns:
        raise NoSuchCampaign(command.campaign)
    _settled(command, command.kind, facts)
    if not facts.roles(command.by, day) & MANAGERS and not (
        command.kind in OF_A_BRANCH
        and command.branch
        and facts.leads(command.by, command.branch, day)
    ):
        raise NotYourBranch
    return _plan(command, facts)


def _plan(command: PlanMeeting, facts: Facts) -> MeetingPlanned:
    return MeetingPlanned(
        kind=command.kind,
        campaign=command.campaign or facts.directory.current,
        planned_by=command.by,
        **_outline(command),
    )


def _outline(command: PlanMeeting | ReviseMeetingPlan) -> dict[str, Any]:
    names = ("branch", "reports_on", "title", "place", "chair", "on", "programme")
    invited = tuple(dict.fromkeys(command.invited))
    return {**{name: getattr(command, name) for name in names}, "invited": invited}


def _settled(command: PlanMeeting | ReviseMeetingPlan, kind: MeetingKind, facts: Facts) -> None:
    """A plan names what its kind of meeting needs, and people who are here on its day."""
    day = command.on or facts.directory.day(command.at)
    of_a_branch = command.branch is not None
    if of_a_branch != (kind is MeetingKind.organisational_life) and not (
        of_a_branch and kind in OF_A_BRANCH
    ):
        raise BranchUnclear
    if command.branch and not facts.directory.has_unit(command.branch, UnitKind.branch, day):
        raise NoSuchBranch(command.branch)
    if (command.reports_on is not None) != (kind is MeetingKind.briefing):
        raise ReportUnclear
    if command.reports_on and (
        facts.reported is None or facts.reported.kind is not MeetingKind.democratic_life
    ):
        raise NoSuchMeeting(command.reports_on)
    _must_be_here((command.chair, *command.invited), day, facts)


def _revised(command: ReviseMeetingPlan, plan: Plan, facts: Facts) -> MeetingPlanRevised | None:
    revision = plan.revision + 1
    revised = MeetingPlanRevised(revision=revision, **_outline(command), reason=command.reason)
    if _said(revised) == plan.said:
        return None
    _settled(command, plan.kind, facts)
    return revised


def _approved(command: ApproveMeetingPlan, plan: Plan) -> MeetingPlanApproved | None:
    _must_be(plan, MeetingKind.democratic_life)
    approved = MeetingPlanApproved(
        revision=plan.revision,
        approved_at=command.occurred_at or command.at,
        remarks=command.remarks,
    )
    if not plan.programmed:
        raise ProgrammeMissing
    same = plan.reviewed == _said(approved) and command.occurred_at in {None, plan.approved_at}
    return None if plan.approved_at and same else approved


def _must_be(plan: Plan, *kinds: MeetingKind) -> None:
    if plan.kind not in kinds:
        raise WrongKindOfMeeting


def _must_be_here(people: Iterable[str], day: date, facts: Facts) -> None:
    for person in people:
        if not facts.here(person, day):
            raise NotInTheSchool(person)


# -- Holding -------------------------------------------------------------------------------------


def _held(command: HoldMeeting, plan: Plan, facts: Facts) -> MeetingHeld:
    on = facts.directory.day(command.began_at)
    _may_be_held(plan, command.began_at, command.chair, facts)
    _must_be_here((command.chair, command.recorder), on, facts)
    return MeetingHeld(
        on=on,
        began_at=command.began_at,
        chair=PersonId(command.chair),
        recorder=PersonId(command.recorder),
    )


def _may_be_held(plan: Plan, began_at: datetime, chair: str, facts: Facts) -> None:
    """What a meeting of its kind waits for is there (R66, R67, R75, R76)."""
    on = facts.directory.day(began_at)
    if plan.kind is MeetingKind.democratic_life:
        if not plan.waives(MeetingGate.plan_approval) and not _by(plan.approved_at, began_at):
            raise PlanNotApproved
        if not plan.waives(MeetingGate.date_agreement):
            if not _by(plan.agreed_at, began_at):
                raise DateNotAgreed
            if on != plan.agreed_on:
                raise NotOnTheAgreedDay(str(plan.agreed_on))
    if plan.branch and not facts.directory.has_unit(plan.branch, UnitKind.branch, on):
        raise NoSuchBranch(plan.branch)
    if plan.kind is MeetingKind.briefing:
        if Role.principal_leader not in facts.roles(PersonId(chair), on):
            raise ChairNotAPrincipalLeader
        if facts.reported is None or not _by(facts.reported.ended_at, began_at):
            raise BriefingBeforeMeeting
        if not _by(facts.reported.appraised_at, began_at):
            raise NotAppraisedYet


def _by(moment: datetime | None, limit: datetime) -> bool:
    """Whether something had happened by then."""
    return moment is not None and moment <= limit


def _minutes_corrected(
    command: CorrectMinutes, plan: Plan, minutes: Minutes, facts: Facts
) -> MinutesCorrected | None:
    on = facts.directory.day(command.began_at)
    names = ("title", "place", "chair", "recorder", "began_at", "ended_at")
    told = {name: getattr(command, name) for name in names}
    known = {name: getattr(plan if name in {"title", "place"} else minutes, name) for name in names}
    if told == known:
        return None
    if (command.ended_at is None) != (minutes.ended_at is None):
        raise EndUnclear
    if command.ended_at and command.ended_at <= command.began_at:
        raise EndsBeforeItBegins
    if (command.ended_at or command.began_at) > command.at:
        raise HasNotHappenedYet
    _may_be_held(plan, command.began_at, command.chair, facts)
    present = (s.person for s in minutes.seats if s.attendance is Attendance.present)
    _must_be_here((command.chair, command.recorder, *present), on, facts)
    return MinutesCorrected(**told, on=on, reason=command.reason)


# -- On record -----------------------------------------------------------------------------------


def _attendance(
    command: RecordAttendance, minutes: Minutes, facts: Facts
) -> AttendanceRecorded | None:
    asked = [Attendee.model_construct(**dict(a)) for a in command.attendees]
    if len({attendee.person for attendee in asked}) != len(asked):
        raise NamedTwice
    new = []
    for attendee in asked:
        _excused(attendee)
        known = minutes.seat(attendee.person)
        if known is None:
            _must_be_here((attendee.person,), minutes.on, facts)
            new.append(attendee)
        elif known.said != _said(attendee, "person"):
            raise RecordedOtherwise(attendee.person)
    return AttendanceRecorded(attendees=tuple(new)) if new else None


def _attendance_corrected(
    command: CorrectAttendance, minutes: Minutes, facts: Facts
) -> AttendanceCorrected | None:
    """Somebody's attendance is other than recorded, or was forgotten."""
    attendee = Attendee(
        person=PersonId(command.person), attendance=command.attendance, excuse=command.excuse
    )
    known = minutes.seat(command.person)
    if known and known.said == _said(attendee, "person"):
        return None
    _must_be_here((command.person,), minutes.on, facts)
    _excused(attendee)
    if attendee.attendance is Attendance.absent:
        _silent(command.person, minutes)
    return AttendanceCorrected(attendee=attendee, reason=command.reason)


def _excused(attendee: Attendee) -> None:
    if (attendee.attendance is Attendance.absent) != (attendee.excuse is not None):
        raise ExcuseUnclear(attendee.person)


def _silent(person: str, minutes: Minutes) -> None:
    if any(s.speaker == person and not s.voided for s in minutes.speeches):
        raise HasSpoken


def _made_up(command: MakeUpAbsence, minutes: Minutes, facts: Facts) -> AbsenceMadeUp | None:
    moment = command.occurred_at or command.at
    seat = minutes.seat(command.person)
    if seat is None or seat.attendance is not Attendance.absent:
        raise NotAbsent
    if moment < (minutes.ended_at or minutes.began_at):
        raise MadeUpTooEarly
    made_up = AbsenceMadeUp(
        person=PersonId(command.person), on=facts.directory.day(moment), by_what=command.by_what
    )
    return made_up if _is_new(made_up, minutes, MeetingEntry.make_up, command.person) else None


def _speech(
    command: RecordSpeech, plan: Plan, minutes: Minutes, facts: Facts
) -> SpeechRecorded | None:
    speech = SpeechRecorded(**_spoken(command))
    if known := minutes.speech(command.number):
        if known.voided or known.said != _said(speech):
            raise RecordedOtherwise(str(command.number))
        return None
    _may_be_said(speech, plan, minutes, facts)
    return speech


def _speech_corrected(
    command: CorrectSpeech, plan: Plan, minutes: Minutes, facts: Facts
) -> SpeechCorrected | None:
    speech = SpeechCorrected(**_spoken(command), reason=command.reason)
    known = _on_record(minutes.speech(command.number), str(command.number))
    if known.said == _said(speech):
        return None
    _may_be_said(speech, plan, minutes, facts)
    return speech


def _spoken(command: RecordSpeech | CorrectSpeech) -> dict[str, Any]:
    names = ("number", "act", "speaker", "receiver", "talk", "text")
    return {name: getattr(command, name) for name in names}


def _may_be_said(
    speech: SpeechRecorded | SpeechCorrected, plan: Plan, minutes: Minutes, facts: Facts
) -> None:
    """Whoever speaks was there; criticism is of another, at a meeting that is for it (R68-R73)."""
    act = speech.act
    if act is SpeechAct.team_self_examination:
        _must_be(plan, MeetingKind.democratic_life)
    elif act in {SpeechAct.self_criticism, SpeechAct.criticism}:
        _must_be(plan, *CRITICAL)
    seat = minutes.seat(speech.speaker)
    if seat is None or seat.attendance is not Attendance.present:
        raise NotAttending(speech.speaker)
    if act is SpeechAct.team_self_examination and Role.principal_leader not in facts.roles(
        speech.speaker, minutes.on
    ):
        raise NotAPrincipalLeader
    if speech.receiver is None and act is SpeechAct.criticism:
        raise ReceiverUnclear
    if speech.receiver and act not in {SpeechAct.criticism, SpeechAct.comment}:
        raise ReceiverUnclear
    if speech.receiver == speech.speaker and act is SpeechAct.criticism:
        raise CriticisesOneself
    if speech.receiver:
        _must_be_here((speech.receiver,), minutes.on, facts)
    if speech.talk and act is not SpeechAct.criticism:
        raise TalkUnclear


def _problem(
    command: RaiseProblemAtMeeting | CorrectMeetingProblem, facts: Facts
) -> dict[str, Any]:
    if (command.addressee is Addressee.member) != (command.person is not None):
        raise AddresseeUnclear
    if bool(command.winds) == command.not_four_winds:
        raise WindsUnclear
    if command.person:
        _must_be_here((command.person,), facts.directory.day(command.at), facts)
    names = RaiseProblemAtMeeting.model_fields.keys() - Command.model_fields.keys()
    return {name: getattr(command, name) for name in names}


def _measure(
    command: ResolveMeasure | CorrectMeasure, minutes: Minutes, facts: Facts
) -> dict[str, Any]:
    if command.due_on < minutes.on:
        raise DueBeforeTheMeeting
    _must_be_here((command.owner,), minutes.on, facts)
    names = ResolveMeasure.model_fields.keys() - Command.model_fields.keys()
    told = {name: getattr(command, name) for name in names}
    return {**told, "issues": tuple(dict.fromkeys(command.issues))}


def _is_new(event: Event, minutes: Minutes, entry: MeetingEntry, key: str) -> bool:
    """Whether an entry is not on record yet; a problem's or measure's key is used once."""
    known = minutes.entry(entry, key)
    if known is None:
        return True
    if known.voided:
        if entry in {MeetingEntry.problem, MeetingEntry.measure}:
            raise RecordedOtherwise(key)
        return True
    if known.said != _said(event):
        raise RecordedOtherwise(key)
    return False


def _is_other(event: Event, minutes: Minutes, entry: MeetingEntry, key: str) -> bool:
    """Whether a correction says something else than what is on record."""
    return _on_record(minutes.entry(entry, key), key).said != _said(event)


def _on_record[T: (Speech, Entry)](known: T | None, key: str) -> T:
    if known is None or known.voided:
        raise NotOnRecord(key)
    return known


def _voided(
    command: VoidMeetingEntry, meeting: Held | Closed, minutes: Minutes, facts: Facts
) -> MeetingEntryVoided:
    entry, key = command.entry, command.key
    if entry is MeetingEntry.appraisal:
        if not facts.roles(command.by, facts.directory.day(command.at)) & SUPERVISION:
            raise NotTheKeeper
        if command.by == minutes.appraised_by:
            raise FourEyes
    else:
        _corrector(command, meeting, facts)
    if entry is MeetingEntry.attendance:
        if minutes.seat(key) is None:
            raise NotOnRecord(key)
        _silent(key, minutes)
    else:
        _on_record(minutes.entry(entry, key), key)
    return MeetingEntryVoided(entry=entry, key=key, reason=command.reason)


# -- Knowing again -------------------------------------------------------------------------------

_FRAME = ("kind", "campaign", "planned_by")
"""What a plan says that a revision does not."""
_UNSAID = ("reason", "revision", "approved_at", "appraised_at", "appraised_by")
"""What an event holds beside what was said."""


def _said(thing: BaseModel, *beside: str) -> str:
    """A fingerprint of what was said, to know it again; the words themselves stay in the log."""
    return _fingerprint(thing.model_dump_json(exclude={*_UNSAID, *beside}))


def _whole(event: Event) -> str:
    return _fingerprint(event.model_dump_json())


def _fingerprint(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:24]


def _once(*, same: bool) -> MeetingEvent | None:
    """A repeat of what is on record is no news; anything else is not taken for one."""
    if not same:
        raise RecordedOtherwise
    return None


# -- Evolving ------------------------------------------------------------------------------------


def evolve(meeting: Meeting, event: MeetingEvent) -> Meeting:
    """What happened, happened: no rules here."""
    match event:
        case MeetingPlanned():
            return Planned(
                Plan(
                    kind=event.kind,
                    campaign=event.campaign,
                    branch=event.branch,
                    reports_on=event.reports_on,
                    title=event.title,
                    place=event.place,
                    chair=event.chair,
                    planned_by=event.planned_by,
                    programmed=event.programme is not None,
                    said=_said(event, *_FRAME),
                )
            )
        case MeetingCancelled(reason=reason):
            return Cancelled(_plan_of(meeting), _fingerprint(reason))
        case MeetingHeld():
            minutes = Minutes(event.on, event.began_at, event.chair, event.recorder)
            return Held(_plan_of(meeting), minutes)
        case MinutesClosed(closed_by=person):
            return Closed(_plan_of(meeting), _minutes_of(meeting), person)
        case MinutesCorrected(title=title, place=place):
            plan = replace(_plan_of(meeting), title=title, place=place)
            return _with(meeting, plan=plan, minutes=_written(_minutes_of(meeting), event))
        case MeetingVoided():
            return Voided()
        case (
            MeetingPlanRevised()
            | MeetingPlanApproved()
            | MeetingPlanSentBack()
            | MeetingDateAgreed()
            | MeetingGateWaived()
            | MeetingGateRestored()
            | MeetingPostponed()
        ):
            return Planned(_prepared(_plan_of(meeting), event))
        case _:
            return _with(meeting, minutes=_written(_minutes_of(meeting), event))


def _prepared(plan: Plan, event: MeetingEvent) -> Plan:
    """The plan after one more event before the meeting."""
    match event:
        case MeetingPlanRevised():
            names = ("branch", "reports_on", "title", "place", "chair", "revision")
            return replace(
                plan,
                **{name: getattr(event, name) for name in names},
                programmed=event.programme is not None,
                said=_said(event, *_FRAME),
                approved_at=None,
                reviewed=None,
            )
        case MeetingPlanApproved(approved_at=moment):
            return replace(plan, approved_at=moment, reviewed=_said(event))
        case MeetingPlanSentBack():
            return replace(plan, approved_at=None, reviewed=_said(event))
        case MeetingDateAgreed(on=day, agreed_at=moment):
            return replace(plan, agreed_on=day, agreed_at=moment, put_off=None)
        case MeetingGateWaived(gate=gate, reason=reason):
            return replace(plan, waived=(*plan.waived, Waiver(gate, _fingerprint(reason))))
        case MeetingGateRestored(gate=gate):
            return replace(plan, waived=tuple(w for w in plan.waived if w.gate is not gate))
        case MeetingPostponed():
            return replace(plan, agreed_on=None, agreed_at=None, put_off=_whole(event))
        case _:
            return plan


def _written(minutes: Minutes, event: MeetingEvent) -> Minutes:
    """The minutes after one more event."""
    match event:
        case MeetingEnded(ended_at=end):
            return replace(minutes, ended_at=end)
        case MinutesCorrected():
            names = ("on", "began_at", "ended_at", "chair", "recorder")
            return replace(minutes, **{name: getattr(event, name) for name in names})
        case AttendanceRecorded(attendees=attendees):
            return replace(minutes, seats=(*minutes.seats, *map(_seat, attendees)))
        case AttendanceCorrected(attendee=attendee):
            return _seated(minutes, attendee.person, _seat(attendee))
        case SpeechRecorded():
            return replace(minutes, speeches=(*minutes.speeches, _spoken_then(event)))
        case SpeechCorrected(number=number):
            return _changed(minutes, number, _spoken_then(event))
        case SpeechVoided(number=number):
            return _changed(minutes, number, None)
        case MeetingEntryVoided(entry=MeetingEntry.attendance, key=person):
            return _seated(minutes, person)
        case MeetingEntryVoided(entry=entry, key=key):
            return _entered(minutes, Entry(entry, key, "", voided=True))
        case MeetingAppraised(appraised_by=person):
            return _entered(replace(minutes, appraised_by=person), _entry(event))
        case _:
            return _entered(minutes, _entry(event))


def _seat(attendee: Attendee) -> Seat:
    return Seat(attendee.person, attendee.attendance, _said(attendee, "person"))


def _seated(minutes: Minutes, person: str, *instead: Seat) -> Minutes:
    others = tuple(seat for seat in minutes.seats if seat.person != person)
    return replace(minutes, seats=(*others, *instead))


def _spoken_then(event: SpeechRecorded | SpeechCorrected) -> Speech:
    return Speech(event.number, event.act, event.speaker, event.receiver, _said(event))


def _changed(minutes: Minutes, number: int, to: Speech | None) -> Minutes:
    speeches = (
        s if s.number != number else to or replace(s, voided=True) for s in minutes.speeches
    )
    return replace(minutes, speeches=tuple(speeches))


def _entered(minutes: Minutes, entry: Entry) -> Minutes:
    known = (entry.entry, entry.key)
    others = tuple(e for e in minutes.entries if (e.entry, e.key) != known)
    return replace(minutes, entries=(*others, entry))


def _entry(event: MeetingEvent) -> Entry:
    """What an event puts into the minutes, beside who was there and what was said."""
    match event:
        case AbsenceMadeUp(person=key):
            kind = MeetingEntry.make_up
        case MeetingProblemRaised(key=key) | MeetingProblemCorrected(key=key):
            kind = MeetingEntry.problem
        case MeasureResolved(key=key) | MeasureCorrected(key=key):
            kind = MeetingEntry.measure
        case DocumentAdopted(id=key):
            kind = MeetingEntry.adoption
        case BriefingPartReported(part=key) | BriefingPartCorrected(part=key):
            kind = MeetingEntry.briefing_part
        case _:
            kind, key = MeetingEntry.appraisal, APPRAISAL
    return Entry(kind, str(key), _said(event))


def _with(meeting: Meeting, **changes: object) -> Meeting:
    return replace(meeting, **changes)  # type: ignore[arg-type]  # only where the state has them


def _plan_of(meeting: Meeting) -> Plan:
    return meeting.plan  # type: ignore[union-attr]  # every event but the first finds one


def _minutes_of(meeting: Meeting) -> Minutes:
    return meeting.minutes  # type: ignore[union-attr]  # only what was held has what follows


decider: Decider[MeetingCommand, MeetingEvent, Meeting, Facts] = Decider(
    "meeting", Unplanned(), decide, evolve, MeetingCommand, MeetingEvent, Meeting
)
