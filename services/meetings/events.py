"""What meetings records. Stored for ever: add a field with a default, or a new version."""

from datetime import date
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from services.feedback.events import Problem
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


class MeetingGateRestored(Event):
    TYPE = "meetings.meeting.gate-restored.v1"
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
    by_what: Text


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


class MeetingProblemRaised(Problem, Event):
    TYPE = "meetings.meeting.problem-raised.v1"


class MeetingProblemCorrected(Problem, Event):
    TYPE = "meetings.meeting.problem-corrected.v1"
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
    appraised_by: PersonId
    appraised_at: Instant


class MeetingAppraisalCorrected(Event):
    TYPE = "meetings.meeting.appraisal-corrected.v1"
    grade: MeetingGrade
    text: Text
    reason: Text


class MeetingVoided(Event):
    """`problems` are the keys of those it had raised; what became of them is told of it."""

    TYPE = "meetings.meeting.voided.v1"
    ends = True
    reason: Text
    problems: tuple[str, ...] = ()


type MeetingEvent = (
    MeetingPlanned
    | MeetingPlanRevised
    | MeetingPlanApproved
    | MeetingPlanSentBack
    | MeetingDateAgreed
    | MeetingGateWaived
    | MeetingGateRestored
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


# -- examination: its words ------------------------------------------------------------------------


class ExaminationSubject(StrEnum):
    """Whose self-examination it is: the leadership team's, or one person's (R59, R65)."""

    team = "team"
    person = "person"


class Aspect(StrEnum):
    """Where the roots of a problem are looked for (R62): 理想信念, 宗旨意识, 党性修养, 政治纪律."""

    ideals = "ideals"
    purpose = "purpose"
    party_spirit = "party_spirit"
    discipline = "discipline"


class ExaminationGate(StrEnum):
    """What has to be so before a self-examination is submitted: four sections (R60), claims (R33)."""

    four_sections = "four_sections"
    issues_claimed = "issues_claimed"


class Cause(_Part):
    """One root of the problems, with the aspects it lies in (R62)."""

    text: Text
    aspects: tuple[Aspect, ...] = ()


class ImprovementMeasure(_Part):
    """What is to be done about which issues; concrete with owner, deadline and deliverable (R64).

    `key` names it within its paper, so that what comes of it can say where it comes from.
    """

    text: Text
    owner: PersonId | None = None
    due_on: date | None = None
    deliverable: Text | None = None
    key: str = ""
    issues: tuple[str, ...] = ()


class SectionLengths(_Part):
    """How many characters each section has (R61); the texts themselves are sealed."""

    basic_situation: int = 0
    manifestations: int = 0
    cause_analysis: int = 0
    improvement_measures: int = 0


class Paper(_Part):
    """What a self-examination says: four sections (R60), causes, measures, the issues it answers (R63)."""

    basic_situation: Text | None = None
    manifestations: Text | None = None
    cause_analysis: Text | None = None
    improvement_measures: Text | None = None
    lengths: SectionLengths = SectionLengths()
    causes: tuple[Cause, ...] = ()
    measures: tuple[ImprovementMeasure, ...] = ()
    answers: tuple[str, ...] = ()


# -- examination -----------------------------------------------------------------------------------


class ExaminationDrafted(Event):
    TYPE = "meetings.examination.drafted.v1"
    campaign: str
    subject: ExaminationSubject
    person: PersonId | None = None
    presided_by: PersonId | None = None
    to_be_adopted: bool
    paper: Paper


class ExaminationRevised(Event):
    TYPE = "meetings.examination.revised.v1"
    paper: Paper


class ExaminationGateWaived(Event):
    TYPE = "meetings.examination.gate-waived.v1"
    gate: ExaminationGate
    reason: Text


class ExaminationGateRestored(Event):
    TYPE = "meetings.examination.gate-restored.v1"
    gate: ExaminationGate
    reason: Text


class ExaminationSubmitted(Event):
    TYPE = "meetings.examination.submitted.v1"
    unanswered: tuple[str, ...] = ()


class ExaminationCorrected(Event):
    TYPE = "meetings.examination.corrected.v1"
    paper: Paper
    reason: Text


class ExaminationAdopted(Event):
    TYPE = "meetings.examination.adopted.v1"
    meeting: str


class ExaminationAdoptionCorrected(Event):
    TYPE = "meetings.examination.adoption-corrected.v1"
    meeting: str
    reason: Text


class ExaminationConsulted(Event):
    TYPE = "meetings.examination.consulted.v1"
    scope: Text
    replies: int
    solicitation: str | None = None


class ExaminationConsultationCorrected(Event):
    TYPE = "meetings.examination.consultation-corrected.v1"
    scope: Text
    replies: int
    solicitation: str | None = None
    reason: Text


class ExaminationReviewed(Event):
    TYPE = "meetings.examination.reviewed.v1"
    remarks: Text | None = None


class ExaminationSentBack(Event):
    TYPE = "meetings.examination.sent-back.v1"
    remarks: Text
    rewrite_by: date
    rounds: int


class ExaminationVoided(Event):
    TYPE = "meetings.examination.voided.v1"
    reason: Text


type ExaminationEvent = (
    ExaminationDrafted
    | ExaminationRevised
    | ExaminationGateWaived
    | ExaminationGateRestored
    | ExaminationSubmitted
    | ExaminationCorrected
    | ExaminationAdopted
    | ExaminationAdoptionCorrected
    | ExaminationConsulted
    | ExaminationConsultationCorrected
    | ExaminationReviewed
    | ExaminationSentBack
    | ExaminationVoided
)


# -- appraisal: its words --------------------------------------------------------------------------


class Grade(StrEnum):
    """Every grade a scale may be made of: 优秀/合格/基本合格/不合格, 好/一般/差."""

    excellent = "excellent"
    qualified = "qualified"
    basically_qualified = "basically_qualified"
    unqualified = "unqualified"
    good = "good"
    average = "average"
    poor = "poor"


class Disposition(StrEnum):
    """How an unqualified member is dealt with, case by case (R86): 限期改正, 劝其退党, 除名."""

    time_limited_correction = "time_limited_correction"
    urged_to_withdraw = "urged_to_withdraw"
    name_removed = "name_removed"
    other = "other"


class AppraisalEntry(StrEnum):
    """What is entered about a member and can be voided by itself."""

    self_appraisal = "self_appraisal"
    appraisal = "appraisal"
    result = "result"
    comment = "comment"
    recommendation = "recommendation"
    education = "education"
    disposition = "disposition"


class BallotSlip(_Part):
    """What one slip says: the keyed hash of its code, and a grade per member it judges."""

    code_hash: str
    marks: dict[PersonId, Grade]


# -- appraisal -------------------------------------------------------------------------------------


class AppraisalOpened(Event):
    """`members` are the branch's party members of that day; `scale` runs from the best grade down.

    `principals` are those who comment on each member (R84); `probationary` those among the members
    who take part without vote and grade.
    """

    TYPE = "meetings.appraisal.opened.v1"
    campaign: str
    branch: str
    on: date
    meeting: str | None = None
    members: tuple[PersonId, ...]
    principals: tuple[PersonId, ...]
    scale: tuple[Grade, ...]
    opened_by: PersonId
    probationary: tuple[PersonId, ...] = ()


class AppraisalCorrected(Event):
    TYPE = "meetings.appraisal.corrected.v1"
    on: date
    meeting: str | None = None
    members: tuple[PersonId, ...]
    principals: tuple[PersonId, ...]
    reason: Text
    probationary: tuple[PersonId, ...] = ()


class SelfAppraised(Event):
    """Thought, work, study; and serving the masses: how it is understood, felt about, done (R82)."""

    TYPE = "meetings.appraisal.self-appraised.v1"
    member: PersonId
    thought: Text
    work: Text
    study: Text
    understanding: Text
    attitude: Text
    action: Text


class MemberAppraised(Event):
    TYPE = "meetings.appraisal.member-appraised.v1"
    giver: PersonId
    member: PersonId
    text: Text


class BallotOpened(Event):
    """`code_hashes` are sorted; `secret` is false where a branch under five votes all the same."""

    TYPE = "meetings.appraisal.ballot-opened.v1"
    round: int
    code_hashes: tuple[str, ...]
    secret: bool
    opened_by: PersonId


class BallotVoided(Event):
    TYPE = "meetings.appraisal.ballot-voided.v1"
    round: int
    reason: Text


class BallotsOpened(Event):
    """All slips of a ballot at once, sorted by code hash: the order says nothing."""

    TYPE = "meetings.appraisal.ballots-opened.v1"
    round: int
    slips: tuple[BallotSlip, ...]


class ResultRecorded(Event):
    TYPE = "meetings.appraisal.result-recorded.v1"
    member: PersonId
    grade: Grade
    recorded_by: PersonId


class MemberCommentedOn(Event):
    TYPE = "meetings.appraisal.member-commented-on.v1"
    principal: PersonId
    member: PersonId
    text: Text


class MemberRecommended(Event):
    TYPE = "meetings.appraisal.member-recommended.v1"
    member: PersonId
    text: Text
    recorded_by: PersonId


class MemberEducated(Event):
    TYPE = "meetings.appraisal.member-educated.v1"
    member: PersonId
    text: Text
    recorded_by: PersonId


class MemberDisposed(Event):
    TYPE = "meetings.appraisal.member-disposed.v1"
    member: PersonId
    disposition: Disposition
    text: Text
    recorded_by: PersonId


class AppraisalEntryVoided(Event):
    """`giver` names whose appraisal of the member, or whose comment on them, it was."""

    TYPE = "meetings.appraisal.entry-voided.v1"
    entry: AppraisalEntry
    member: PersonId
    giver: PersonId | None = None
    reason: Text


class AppraisalVoided(Event):
    TYPE = "meetings.appraisal.voided.v1"
    reason: Text


type AppraisalEvent = (
    AppraisalOpened
    | AppraisalCorrected
    | SelfAppraised
    | MemberAppraised
    | BallotOpened
    | BallotVoided
    | BallotsOpened
    | ResultRecorded
    | MemberCommentedOn
    | MemberRecommended
    | MemberEducated
    | MemberDisposed
    | AppraisalEntryVoided
    | AppraisalVoided
)
