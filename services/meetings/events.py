"""What meetings records. Stored for ever: add a field with a default, or a new version."""

from datetime import date
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from services.feedback.events import Addressee, Discovery, Topic, Wind
from shared.decider import Event, Instant, PersonId
from shared.marks import Text


class _Part(BaseModel):
    """A part of an event, stored with it."""

    model_config = ConfigDict(frozen=True)


# -- meeting ---------------------------------------------------------------------------------------


class MeetingKind(StrEnum):
    """What people meet for."""

    democratic_life = "democratic_life"
    organisational_life = "organisational_life"
    briefing = "briefing"
    leadership = "leadership"
    study_discussion = "study_discussion"


class MeetingGate(StrEnum):
    """What a democratic life meeting waits for: the supervision group may wave it through (R66, R67)."""

    plan_approval = "plan_approval"
    date_agreement = "date_agreement"


class Attendance(StrEnum):
    """Whether somebody was at the meeting."""

    present = "present"
    absent = "absent"


class SpeechAct(StrEnum):
    """What somebody does by speaking; only criticism always has a receiver (R68-R73)."""

    team_self_examination = "team_self_examination"
    self_criticism = "self_criticism"
    criticism = "criticism"
    comment = "comment"
    other = "other"


class BriefingPart(StrEnum):
    """The four things a briefing tells (R76)."""

    preparation = "preparation"
    criticism_and_self_criticism = "criticism_and_self_criticism"
    measures = "measures"
    supervision_evaluation = "supervision_evaluation"


class PaperKind(StrEnum):
    """What a leadership meeting adopts (审议通过)."""

    examination = "examination"
    plan = "plan"
    regulation = "regulation"


class MeetingGrade(StrEnum):
    """How the supervision group evaluates a meeting (R74, R76)."""

    good = "good"
    average = "average"
    poor = "poor"


class MeetingEntry(StrEnum):
    """What of a meeting can be declared void by itself; a speech has an event of its own."""

    attendance = "attendance"
    make_up = "make_up"
    problem = "problem"
    measure = "measure"
    adoption = "adoption"
    briefing_part = "briefing_part"
    appraisal = "appraisal"


class Attendee(_Part):
    """Somebody by name: present, or absent and why."""

    person: PersonId
    attendance: Attendance
    excuse: Text | None = None


class MeetingPlanned(Event):
    TYPE = "meetings.meeting.planned.v1"
    kind: MeetingKind
    campaign: str | None = None
    branch: str | None = None
    reports_on: str | None = None
    title: Text
    place: Text
    chair: PersonId
    invited: tuple[PersonId, ...] = ()
    on: date | None = None
    programme: Text | None = None
    planned_by: PersonId


class MeetingPlanRevised(Event):
    TYPE = "meetings.meeting.plan-revised.v1"
    revision: int
    branch: str | None = None
    reports_on: str | None = None
    title: Text
    place: Text
    chair: PersonId
    invited: tuple[PersonId, ...] = ()
    on: date | None = None
    programme: Text | None = None
    reason: Text


class MeetingPlanApproved(Event):
    TYPE = "meetings.meeting.plan-approved.v1"
    revision: int
    approved_at: Instant
    remarks: Text | None = None


class MeetingPlanSentBack(Event):
    TYPE = "meetings.meeting.plan-sent-back.v1"
    revision: int
    remarks: Text


class MeetingDateAgreed(Event):
    TYPE = "meetings.meeting.date-agreed.v1"
    on: date
    agreed_at: Instant


class MeetingGateWaived(Event):
    TYPE = "meetings.meeting.gate-waived.v1"
    gate: MeetingGate
    reason: Text


class MeetingPostponed(Event):
    TYPE = "meetings.meeting.postponed.v1"
    on: date | None = None
    reason: Text


class MeetingCancelled(Event):
    TYPE = "meetings.meeting.cancelled.v1"
    reason: Text


class MeetingHeld(Event):
    TYPE = "meetings.meeting.held.v1"
    on: date
    began_at: Instant
    chair: PersonId
    recorder: PersonId


class MeetingEnded(Event):
    TYPE = "meetings.meeting.ended.v1"
    ended_at: Instant


class AttendanceRecorded(Event):
    TYPE = "meetings.meeting.attendance-recorded.v1"
    attendees: tuple[Attendee, ...]


class AttendanceCorrected(Event):
    TYPE = "meetings.meeting.attendance-corrected.v1"
    attendee: Attendee
    reason: Text


class AbsenceMadeUp(Event):
    TYPE = "meetings.meeting.absence-made-up.v1"
    person: PersonId
    on: date
    account: Text


class SpeechRecorded(Event):
    TYPE = "meetings.meeting.speech-recorded.v1"
    number: int
    act: SpeechAct
    speaker: PersonId
    receiver: PersonId | None = None
    talk: str | None = None
    text: Text


class SpeechCorrected(Event):
    TYPE = "meetings.meeting.speech-corrected.v1"
    number: int
    act: SpeechAct
    speaker: PersonId
    receiver: PersonId | None = None
    talk: str | None = None
    text: Text
    reason: Text


class SpeechVoided(Event):
    TYPE = "meetings.meeting.speech-voided.v1"
    number: int
    reason: Text


class MeetingProblemRaised(Event):
    TYPE = "meetings.meeting.problem-raised.v1"
    key: str
    title: Text
    description: Text | None = None
    addressee: Addressee
    person: PersonId | None = None
    winds: tuple[Wind, ...] = ()
    not_four_winds: bool = False
    topics: tuple[Topic, ...] = ()
    discovery: Discovery
    key_issue: bool = False
    strongly_reflected: bool = False


class MeetingProblemCorrected(Event):
    TYPE = "meetings.meeting.problem-corrected.v1"
    key: str
    title: Text
    description: Text | None = None
    addressee: Addressee
    person: PersonId | None = None
    winds: tuple[Wind, ...] = ()
    not_four_winds: bool = False
    topics: tuple[Topic, ...] = ()
    discovery: Discovery
    key_issue: bool = False
    strongly_reflected: bool = False
    reason: Text


class MeasureResolved(Event):
    TYPE = "meetings.meeting.measure-resolved.v1"
    key: str
    text: Text
    owner: PersonId
    due_on: date
    deliverable: Text
    issues: tuple[str, ...] = ()


class MeasureCorrected(Event):
    TYPE = "meetings.meeting.measure-corrected.v1"
    key: str
    text: Text
    owner: PersonId
    due_on: date
    deliverable: Text
    issues: tuple[str, ...] = ()
    reason: Text


class DocumentAdopted(Event):
    TYPE = "meetings.meeting.document-adopted.v1"
    kind: PaperKind
    id: str


class BriefingPartReported(Event):
    TYPE = "meetings.meeting.briefing-part-reported.v1"
    part: BriefingPart
    text: Text


class BriefingPartCorrected(Event):
    TYPE = "meetings.meeting.briefing-part-corrected.v1"
    part: BriefingPart
    text: Text
    reason: Text


class MeetingEntryVoided(Event):
    """`key` is the entry's: a person, a problem's or measure's key, a paper's id, a part's name."""

    TYPE = "meetings.meeting.entry-voided.v1"
    entry: MeetingEntry
    key: str
    reason: Text


class MinutesClosed(Event):
    TYPE = "meetings.meeting.minutes-closed.v1"
    closed_by: PersonId


class MinutesCorrected(Event):
    TYPE = "meetings.meeting.minutes-corrected.v1"
    title: Text
    place: Text
    chair: PersonId
    recorder: PersonId
    on: date
    began_at: Instant
    ended_at: Instant | None = None
    reason: Text


class MeetingAppraised(Event):
    TYPE = "meetings.meeting.appraised.v1"
    grade: MeetingGrade
    text: Text
    appraised_at: Instant


class MeetingAppraisalCorrected(Event):
    TYPE = "meetings.meeting.appraisal-corrected.v1"
    grade: MeetingGrade
    text: Text
    appraised_at: Instant
    reason: Text


class MeetingVoided(Event):
    TYPE = "meetings.meeting.voided.v1"
    reason: Text


type MeetingEvent = (
    MeetingPlanned
    | MeetingPlanRevised
    | MeetingPlanApproved
    | MeetingPlanSentBack
    | MeetingDateAgreed
    | MeetingGateWaived
    | MeetingPostponed
    | MeetingCancelled
    | MeetingHeld
    | MeetingEnded
    | AttendanceRecorded
    | AttendanceCorrected
    | AbsenceMadeUp
    | SpeechRecorded
    | SpeechCorrected
    | SpeechVoided
    | MeetingProblemRaised
    | MeetingProblemCorrected
    | MeasureResolved
    | MeasureCorrected
    | DocumentAdopted
    | BriefingPartReported
    | BriefingPartCorrected
    | MeetingEntryVoided
    | MinutesClosed
    | MinutesCorrected
    | MeetingAppraised
    | MeetingAppraisalCorrected
    | MeetingVoided
)
