"""What rectification records. Stored for ever: add a field with a default, or a new version."""

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.campaign.calendar import Deadline
from services.feedback.events import Addressee, Discovery, Topic, Wind
from shared.decider import Event, Instant, PersonId
from shared.marks import Text


class SourceKind(StrEnum):
    """Where an issue comes from."""

    collation = "collation"
    talk = "talk"
    meeting = "meeting"
    visit = "visit"
    inspection = "inspection"
    superior = "superior"
    issue = "issue"


class Mode(StrEnum):
    """How an issue is put right: at once, within a time, or over a long time."""

    immediate = "immediate"
    time_limited = "time_limited"
    long_term = "long_term"


type Stage = Literal[
    "open",
    "owned",
    "planned",
    "underway",
    "awaiting_verification",
    "verified",
    "on_notice",
    "struck_off",
    "long_term",
    "not_possible",
    "merged",
    "voided",
]
"""Where an issue stands; the first seven are live, only `struck_off` counts as solved."""


class ReturnReason(StrEnum):
    """Why a reviewer sent an issue back."""

    not_solved = "not_solved"
    evidence_missing = "evidence_missing"
    evidence_unfit = "evidence_unfit"
    only_on_paper = "only_on_paper"
    other = "other"


class Solved(StrEnum):
    """An originator's word on whether it was put right."""

    solved = "solved"
    partly_solved = "partly_solved"
    unsolved = "unsolved"


class Satisfied(StrEnum):
    """An originator's word on how it was dealt with."""

    satisfied = "satisfied"
    basically_satisfied = "basically_satisfied"
    dissatisfied = "dissatisfied"


class ReopenCause(StrEnum):
    """Why an ended issue is taken up again."""

    relapse = "relapse"
    objection_upheld = "objection_upheld"
    verdict_unsolved = "verdict_unsolved"


class Concern(StrEnum):
    """What a deadline is about: claiming, planning, putting right, answering an objection."""

    claim = "claim"
    plan = "plan"
    rectification = "rectification"
    objection = "objection"


class _Part(BaseModel):
    """A part of an event, stored with it."""

    model_config = ConfigDict(frozen=True)


class Source(_Part):
    """What an issue was made of: one collation, talk …, and the opinions in it that speak of it."""

    kind: SourceKind
    id: str
    opinions: tuple[str, ...] = ()


class Measure(_Part):
    """One line of the task sheet (R64, R92): what, by whom, from when to when, to what result."""

    text: Text
    owner: PersonId
    helpers: tuple[PersonId, ...] = ()
    begins_on: date
    due_on: date
    deliverable: Text


class Watch(_Part):
    """A deadline with the moments it will be spoken of: reminders before, the ladder after.

    `climbed` is how many rungs of the ladder it has been spoken of already.
    """

    due: Deadline
    remind_at: tuple[Instant, ...]
    urge_at: Instant
    supervise_at: Instant
    account_at: Instant
    climbed: int = 0


class Evidence(_Part):
    """A file that shows how it was or how it is now, by the hash of its content."""

    sha256: str
    phase: Literal["before", "after"]
    media_type: str
    name: Text


# -- issue -----------------------------------------------------------------------------------------


class IssueOpened(Event):
    TYPE = "rectification.issue.opened.v1"
    title: Text
    description: Text | None = None
    addressee: Addressee
    person: PersonId | None = None
    winds: tuple[Wind, ...]
    topics: tuple[Topic, ...] = ()
    discovery: Discovery
    key_issue: bool = False
    strongly_reflected: bool = False
    sources: tuple[Source, ...]
    parent: str | None = None
    raised_by: PersonId
    watch: Watch


class IssueCorrected(Event):
    TYPE = "rectification.issue.corrected.v1"
    title: Text
    description: Text | None = None
    winds: tuple[Wind, ...]
    topics: tuple[Topic, ...] = ()
    key_issue: bool = False
    strongly_reflected: bool = False
    reason: Text


class IssueVoided(Event):
    TYPE = "rectification.issue.voided.v1"
    ends = True
    reason: Text


class SourceCorrected(Event):
    """What was raised as `key` was put right where it was raised, by that event; the words stay here."""

    TYPE = "rectification.issue.source-corrected.v1"
    source: Source
    key: str
    event: str


class SourceVoided(Event):
    """What was raised as `key` was declared void where it was raised; the issue goes on."""

    TYPE = "rectification.issue.source-voided.v1"
    source: Source
    key: str
    event: str


class IssueClaimed(Event):
    TYPE = "rectification.issue.claimed.v1"
    owner: PersonId
    watch: Watch


class IssueAssigned(Event):
    TYPE = "rectification.issue.assigned.v1"
    owner: PersonId
    reason: Text
    watch: Watch


class IssueDeclined(Event):
    TYPE = "rectification.issue.declined.v1"
    owner: PersonId
    reason: Text
    watch: Watch


class IssueTransferred(Event):
    TYPE = "rectification.issue.transferred.v1"
    owner: PersonId
    former: PersonId
    reason: Text


class MeasuresPlanned(Event):
    TYPE = "rectification.issue.measures-planned.v1"
    mode: Mode
    measures: tuple[Measure, ...]
    reviewer: PersonId
    accountable_leader: PersonId
    responsible_department: str | None = None
    watch: Watch


class RectificationStarted(Event):
    TYPE = "rectification.issue.started.v1"


class ProgressReported(Event):
    TYPE = "rectification.issue.progress-reported.v1"
    text: Text


class EvidenceAdded(Event):
    TYPE = "rectification.issue.evidence-added.v1"
    evidence: Evidence


class ExtensionRequested(Event):
    TYPE = "rectification.issue.extension-requested.v1"
    until: date
    reason: Text


class ExtensionGranted(Event):
    TYPE = "rectification.issue.extension-granted.v1"
    watch: Watch
    former: Deadline
    remarks: Text | None = None


class ExtensionRefused(Event):
    TYPE = "rectification.issue.extension-refused.v1"
    until: date
    reason: Text


class StrikeOffRequested(Event):
    TYPE = "rectification.issue.strike-off-requested.v1"
    statement: Text
    evidence: tuple[str, ...]


class IssueVerified(Event):
    TYPE = "rectification.issue.verified.v1"
    verifier: PersonId
    finding: Text


class IssueReturned(Event):
    TYPE = "rectification.issue.returned.v1"
    verifier: PersonId
    code: ReturnReason
    reason: Text
    times: int
    watch: Watch


class NoticePublished(Event):
    TYPE = "rectification.issue.notice-published.v1"
    text: Text
    until: Deadline


class ObjectionRaised(Event):
    TYPE = "rectification.issue.objection-raised.v1"
    objector: PersonId
    text: Text
    raised_at: Instant
    watch: Watch


class ObjectionUpheld(Event):
    TYPE = "rectification.issue.objection-upheld.v1"
    answer: Text
    times: int
    watch: Watch | None = None


class ObjectionDismissed(Event):
    TYPE = "rectification.issue.objection-dismissed.v1"
    answer: Text
    until: Deadline | None = None


class IssueStruckOff(Event):
    TYPE = "rectification.issue.struck-off.v1"
    verifier: PersonId
    verdicts_until: Deadline


class VerdictRecorded(Event):
    TYPE = "rectification.issue.verdict-recorded.v1"
    originator: PersonId
    solved: Solved
    satisfied: Satisfied
    comment: Text | None = None


class IssueReopened(Event):
    TYPE = "rectification.issue.reopened.v1"
    cause: ReopenCause
    reason: Text
    owner: PersonId
    times: int
    watch: Watch


class LookedBack(Event):
    TYPE = "rectification.issue.looked-back.v1"
    measures_concrete: bool
    solved_on_time: bool
    accepted_by_the_masses: bool
    rules_in_force: bool
    relapse: bool
    finding: Text


class ConvertedToLongTerm(Event):
    TYPE = "rectification.issue.converted-to-long-term.v1"
    reason: Text
    stage_goal: Text
    watch: Watch


class ExplainedNotPossible(Event):
    TYPE = "rectification.issue.explained-not-possible.v1"
    explanation: Text
    verdicts_until: Deadline


class IssueMerged(Event):
    TYPE = "rectification.issue.merged.v1"
    into: str
    reason: Text


class IssueReminded(Event):
    TYPE = "rectification.issue.reminded.v1"
    concern: Concern
    due: Deadline
    told: tuple[PersonId, ...]


class IssueUrged(Event):
    TYPE = "rectification.issue.urged.v1"
    concern: Concern
    due: Deadline
    told: tuple[PersonId, ...]


class IssueSupervised(Event):
    TYPE = "rectification.issue.supervised.v1"
    concern: Concern
    due: Deadline
    told: tuple[PersonId, ...]


class IssueCalledToAccount(Event):
    TYPE = "rectification.issue.called-to-account.v1"
    concern: Concern
    due: Deadline
    told: tuple[PersonId, ...]


# -- plan ------------------------------------------------------------------------------------------


class OriginKind(StrEnum):
    """Where a measure was taken: at a meeting, in a self-examination, in the plan of an issue."""

    meeting = "meeting"
    examination = "examination"
    issue = "issue"


class Origin(_Part):
    """The measure a task carries out: `id` is the meeting, self-examination or issue, `key` its name there.

    A measure of an issue, and one from before measures had keys, goes by its number, from 1.
    """

    kind: OriginKind
    id: str
    key: str


class PlanLine(_Part):
    """One task of the plan (R92): which issue, what, whose, divided how, from when to when.

    `origins` are the measures it carries out, as far as it comes of any.
    """

    issue: str
    task: Text
    owner: PersonId
    division: tuple[PersonId, ...] = ()
    begins_on: date
    due_on: date
    key_problem: bool = False
    origins: tuple[Origin, ...] = ()


class RectificationPlanDrafted(Event):
    TYPE = "rectification.plan.drafted.v1"
    campaign: str
    title: Text
    drafted_by: PersonId


class RectificationPlanCorrected(Event):
    TYPE = "rectification.plan.corrected.v1"
    title: Text
    reason: Text


class PlanLineSet(Event):
    TYPE = "rectification.plan.line-set.v1"
    line: PlanLine


class PlanLineRemoved(Event):
    TYPE = "rectification.plan.line-removed.v1"
    issue: str
    reason: Text


class RectificationPlanAdopted(Event):
    TYPE = "rectification.plan.adopted.v1"
    revision: int
    uncovered: tuple[str, ...]


class RectificationPlanReopened(Event):
    TYPE = "rectification.plan.reopened.v1"
    revision: int
    reason: Text


class RectificationPlanVoided(Event):
    TYPE = "rectification.plan.voided.v1"
    reason: Text


# -- regulation ------------------------------------------------------------------------------------


class RegulationDrafted(Event):
    TYPE = "rectification.regulation.drafted.v1"
    title: Text
    text: Text
    answers: tuple[str, ...]
    drafted_by: PersonId


class RegulationAdopted(Event):
    TYPE = "rectification.regulation.adopted.v1"
    in_force_on: date


class RegulationRevised(Event):
    TYPE = "rectification.regulation.revised.v1"
    revision: int
    title: Text
    text: Text
    answers: tuple[str, ...]
    reason: Text


class RegulationCorrected(Event):
    TYPE = "rectification.regulation.corrected.v1"
    title: Text
    text: Text
    answers: tuple[str, ...]
    in_force_on: date | None = None
    abolished_on: date | None = None
    reason: Text


class RegulationAbolished(Event):
    TYPE = "rectification.regulation.abolished.v1"
    on: date
    reason: Text


class RegulationVoided(Event):
    TYPE = "rectification.regulation.voided.v1"
    ends = True
    reason: Text


type IssueEvent = (
    IssueOpened
    | IssueCorrected
    | IssueVoided
    | SourceCorrected
    | SourceVoided
    | IssueClaimed
    | IssueAssigned
    | IssueDeclined
    | IssueTransferred
    | MeasuresPlanned
    | RectificationStarted
    | ProgressReported
    | EvidenceAdded
    | ExtensionRequested
    | ExtensionGranted
    | ExtensionRefused
    | StrikeOffRequested
    | IssueVerified
    | IssueReturned
    | NoticePublished
    | ObjectionRaised
    | ObjectionUpheld
    | ObjectionDismissed
    | IssueStruckOff
    | VerdictRecorded
    | IssueReopened
    | LookedBack
    | ConvertedToLongTerm
    | ExplainedNotPossible
    | IssueMerged
    | IssueReminded
    | IssueUrged
    | IssueSupervised
    | IssueCalledToAccount
)
type PlanEvent = (
    RectificationPlanDrafted
    | RectificationPlanCorrected
    | PlanLineSet
    | PlanLineRemoved
    | RectificationPlanAdopted
    | RectificationPlanReopened
    | RectificationPlanVoided
)
type RegulationEvent = (
    RegulationDrafted
    | RegulationAdopted
    | RegulationRevised
    | RegulationCorrected
    | RegulationAbolished
    | RegulationVoided
)
