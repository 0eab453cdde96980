"""What campaign records. Stored for ever: add a field with a default, or a new version."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict

from services.feedback.events import Problem
from shared.decider import Event, PersonId
from shared.marks import Personal, Text


class Role(StrEnum):
    """A post somebody holds, or a population somebody belongs to; always dated.

    A probationary member (预备党员) is a party member who owes what all owe, without vote and grade.
    """

    principal_leader = "principal_leader"
    team_member = "team_member"
    department_head = "department_head"
    branch_secretary = "branch_secretary"
    administrative_head = "administrative_head"
    grade_head = "grade_head"
    subject_group_head = "subject_group_head"
    school_administrator = "school_administrator"
    party_member = "party_member"
    probationary_member = "probationary_member"
    party_cadre = "party_cadre"
    supervisor = "supervisor"
    collator = "collator"


class UnitKind(StrEnum):
    """What a unit of a school is."""

    department = "department"
    branch = "branch"
    grade = "grade"
    subject_group = "subject_group"


class StageName(StrEnum):
    """The three stages of the plan; they overlap on purpose (R03, R04)."""

    study_and_listening = "study_and_listening"
    problem_finding_and_criticism = "problem_finding_and_criticism"
    rectification_and_institution_building = "rectification_and_institution_building"


class TextKind(StrEnum):
    """What can be erased alone of what people said: who said it, or a whole record that policy kept."""

    originator = "originator"
    outsider = "outsider"
    asker = "asker"
    talk = "talk"
    talk_request = "talk_request"
    examination = "examination"
    appraisal = "appraisal"
    reflection = "reflection"
    gap = "gap"


class SettingUnit(StrEnum):
    """What the value of a policy setting counts."""

    school_days = "school_days"
    duration = "duration"
    minutes = "minutes"
    characters = "characters"
    yuan = "yuan"
    ratio = "ratio"
    scale = "scale"
    periods = "periods"
    choice = "choice"
    number = "number"


class InspectionKind(StrEnum):
    """By which measure an inspection looked (R07)."""

    frugality_regulations = "frugality_regulations"
    other = "other"


class _Part(BaseModel):
    """A part of an event, stored with it."""

    model_config = ConfigDict(frozen=True)


class Stage(_Part):
    """When a stage begins and ends, both days included."""

    name: StageName
    begins_on: date
    ends_on: date


class Post(_Part):
    """A role somebody takes on a day; `unit` where it is one unit's: head, secretary of what."""

    role: Role
    since: date
    unit: str | None = None


class Term(_Part):
    """A term of a school year: its number from 1, first and last day."""

    number: int
    begins_on: date
    ends_on: date


# -- school ----------------------------------------------------------------------------------------


class SchoolEnrolled(Event):
    TYPE = "campaign.school.enrolled.v1"
    name: Text
    zone: str
    language: str


class SchoolCorrected(Event):
    TYPE = "campaign.school.corrected.v1"
    name: Text
    zone: str
    language: str
    reason: Text


# -- unit ------------------------------------------------------------------------------------------


class UnitEntered(Event):
    TYPE = "campaign.unit.entered.v1"
    kind: UnitKind
    name: Text


class UnitCorrected(Event):
    TYPE = "campaign.unit.corrected.v1"
    kind: UnitKind
    name: Text
    reason: Text


class UnitClosed(Event):
    TYPE = "campaign.unit.closed.v1"
    on: date


class UnitReopened(Event):
    TYPE = "campaign.unit.reopened.v1"
    reason: Text


class UnitVoided(Event):
    TYPE = "campaign.unit.voided.v1"
    ends = True
    reason: Text


# -- account ---------------------------------------------------------------------------------------


class AccountOpened(Event):
    TYPE = "campaign.account.opened.v1"
    account: str
    person: PersonId


class AccountHandedOver(Event):
    TYPE = "campaign.account.handed-over.v1"
    account: str
    person: PersonId
    reason: Text


class AccountClosed(Event):
    TYPE = "campaign.account.closed.v1"
    account: str
    reason: Text


# -- campaign --------------------------------------------------------------------------------------


class PlanDrafted(Event):
    TYPE = "campaign.campaign.plan-drafted.v1"
    title: Text
    begins_on: date
    ends_on: date
    stages: tuple[Stage, ...]
    drafted_by: PersonId
    follows_on: str | None = None


class PlanApproved(Event):
    TYPE = "campaign.campaign.plan-approved.v1"
    revision: int
    remarks: Text | None = None


class PlanSentBack(Event):
    TYPE = "campaign.campaign.plan-sent-back.v1"
    revision: int
    remarks: Text


class PlanFiled(Event):
    TYPE = "campaign.campaign.plan-filed.v1"
    revision: int
    filed_with: Text


class PlanRevised(Event):
    TYPE = "campaign.campaign.plan-revised.v1"
    revision: int
    title: Text
    begins_on: date
    ends_on: date
    stages: tuple[Stage, ...]
    revised_by: PersonId
    reason: Text


class PolicySet(Event):
    TYPE = "campaign.campaign.policy-set.v1"
    setting: str
    value: str
    unit: SettingUnit
    reason: Text


class CampaignStarted(Event):
    TYPE = "campaign.campaign.started.v1"
    on: date


class StartCorrected(Event):
    TYPE = "campaign.campaign.start-corrected.v1"
    on: date
    reason: Text


class CampaignConcluded(Event):
    TYPE = "campaign.campaign.concluded.v1"
    on: date
    summary: Text


class CampaignResumed(Event):
    TYPE = "campaign.campaign.resumed.v1"
    reason: Text


class CampaignVoided(Event):
    TYPE = "campaign.campaign.voided.v1"
    ends = True
    reason: Text


# -- person ----------------------------------------------------------------------------------------


class PersonEntered(Event):
    TYPE = "campaign.person.entered.v1"
    name: Annotated[str, Personal()]
    number: Annotated[str | None, Personal()] = None
    number_index: str | None = None
    joined_on: date
    posts: tuple[Post, ...] = ()
    branch: str | None = None
    oversees: tuple[str, ...] = ()
    entered_by: PersonId | None = None


class PersonCorrected(Event):
    TYPE = "campaign.person.corrected.v1"
    name: Annotated[str, Personal()]
    number: Annotated[str | None, Personal()] = None
    number_index: str | None = None
    joined_on: date | None = None
    reason: Text


class PostTaken(Event):
    TYPE = "campaign.person.post-taken.v1"
    role: Role
    since: date
    unit: str | None = None


class PostLeft(Event):
    TYPE = "campaign.person.post-left.v1"
    role: Role
    until: date
    unit: str | None = None


class PostVoided(Event):
    TYPE = "campaign.person.post-voided.v1"
    role: Role
    since: date
    unit: str | None = None
    reason: Text


class BranchJoined(Event):
    TYPE = "campaign.person.branch-joined.v1"
    branch: str
    since: date


class BranchLeft(Event):
    TYPE = "campaign.person.branch-left.v1"
    branch: str
    until: date


class MembershipVoided(Event):
    TYPE = "campaign.person.membership-voided.v1"
    branch: str
    since: date
    reason: Text


class OversightTaken(Event):
    TYPE = "campaign.person.oversight-taken.v1"
    department: str
    since: date


class OversightLeft(Event):
    TYPE = "campaign.person.oversight-left.v1"
    department: str
    until: date


class OversightVoided(Event):
    TYPE = "campaign.person.oversight-voided.v1"
    department: str
    since: date
    reason: Text


class DeputyNamed(Event):
    TYPE = "campaign.person.deputy-named.v1"
    deputy: PersonId
    since: date
    until: date


class DeputyRecalled(Event):
    TYPE = "campaign.person.deputy-recalled.v1"
    deputy: PersonId
    until: date


class SchoolLeft(Event):
    TYPE = "campaign.person.school-left.v1"
    on: date


class LeavingVoided(Event):
    TYPE = "campaign.person.leaving-voided.v1"
    reason: Text


class SchoolRejoined(Event):
    TYPE = "campaign.person.school-rejoined.v1"
    on: date


class RejoiningVoided(Event):
    TYPE = "campaign.person.rejoining-voided.v1"
    reason: Text


class PersonMerged(Event):
    TYPE = "campaign.person.merged.v1"
    into: PersonId
    reason: Text
    merged_by: PersonId | None = None


class MergeVoided(Event):
    TYPE = "campaign.person.merge-voided.v1"
    reason: Text


class PersonVoided(Event):
    TYPE = "campaign.person.voided.v1"
    ends = True
    reason: Text


# -- erasure ---------------------------------------------------------------------------------------


class ErasureRequested(Event):
    TYPE = "campaign.erasure.requested.v1"
    person: PersonId
    reason: Text
    requested_by: PersonId


class TextErasureRequested(Event):
    TYPE = "campaign.erasure.text-requested.v1"
    kind: TextKind
    record: str
    reason: Text
    requested_by: PersonId


class ErasureWithdrawn(Event):
    TYPE = "campaign.erasure.withdrawn.v1"
    reason: Text


class PersonErased(Event):
    """The keys of these people are destroyed, at once and again at every start.

    `people` are all the ids somebody went by: their own, and those of duplicates merged into it.
    """

    TYPE = "campaign.erasure.person-erased.v1"
    ends = True
    people: tuple[PersonId, ...]
    reason: Text


class TextsErased(Event):
    """The keys of these scopes are destroyed, at once and again at every start.

    A scope is a stream's category and id, with a part where only that is meant.
    """

    TYPE = "campaign.erasure.texts-erased.v1"
    ends = True
    scopes: tuple[str, ...]
    reason: Text


# -- calendar --------------------------------------------------------------------------------------


class SchoolYearSet(Event):
    TYPE = "campaign.calendar.school-year-set.v1"
    begins_on: date
    ends_on: date
    terms: tuple[Term, ...]


class SchoolYearCancelled(Event):
    TYPE = "campaign.calendar.school-year-cancelled.v1"
    begins_on: date
    reason: Text


class HolidayDeclared(Event):
    TYPE = "campaign.calendar.holiday-declared.v1"
    begins_on: date
    ends_on: date
    name: Text


class HolidayCancelled(Event):
    TYPE = "campaign.calendar.holiday-cancelled.v1"
    begins_on: date
    ends_on: date
    reason: Text


class MakeUpDayDeclared(Event):
    TYPE = "campaign.calendar.make-up-day-declared.v1"
    on: date


class MakeUpDayCancelled(Event):
    TYPE = "campaign.calendar.make-up-day-cancelled.v1"
    on: date
    reason: Text


# -- inspection ------------------------------------------------------------------------------------


class InspectionRecorded(Event):
    TYPE = "campaign.inspection.recorded.v1"
    kind: InspectionKind
    held_on: date
    scope: Text
    found: Text
    recorded_by: PersonId | None = None
    by_supervision: bool = False


class InspectionCorrected(Event):
    TYPE = "campaign.inspection.corrected.v1"
    kind: InspectionKind
    held_on: date
    scope: Text
    found: Text
    reason: Text


class InspectionFindingRaised(Problem, Event):
    """What an inspection found, as an issue begins with it; `key` is its name within the inspection."""

    TYPE = "campaign.inspection.finding-raised.v1"


class InspectionVoided(Event):
    """`problems` are the keys of those it had raised; what became of them is told of it."""

    TYPE = "campaign.inspection.voided.v1"
    ends = True
    reason: Text
    problems: tuple[str, ...] = ()


# -- bureau ----------------------------------------------------------------------------------------


class BureauAdmitted(Event):
    """A bureau sees the school's sums; `account` is by what its tokens are known here."""

    TYPE = "campaign.bureau.admitted.v1"
    account: str
    name: Text


class BureauCorrected(Event):
    TYPE = "campaign.bureau.corrected.v1"
    name: Text
    reason: Text


class DrillDownGranted(Event):
    """The bureau may look behind the sums: the board, and the outstanding list with its names."""

    TYPE = "campaign.bureau.drill-down-granted.v1"
    reason: Text


class DrillDownWithdrawn(Event):
    TYPE = "campaign.bureau.drill-down-withdrawn.v1"
    reason: Text


class BureauDismissed(Event):
    TYPE = "campaign.bureau.dismissed.v1"
    reason: Text


type SchoolEvent = SchoolEnrolled | SchoolCorrected
type UnitEvent = UnitEntered | UnitCorrected | UnitClosed | UnitReopened | UnitVoided
type AccountEvent = AccountOpened | AccountHandedOver | AccountClosed
type BureauEvent = (
    BureauAdmitted | BureauCorrected | DrillDownGranted | DrillDownWithdrawn | BureauDismissed
)
type CampaignEvent = (
    PlanDrafted
    | PlanApproved
    | PlanSentBack
    | PlanFiled
    | PlanRevised
    | PolicySet
    | CampaignStarted
    | StartCorrected
    | CampaignConcluded
    | CampaignResumed
    | CampaignVoided
)
type PersonEvent = (
    PersonEntered
    | PersonCorrected
    | PostTaken
    | PostLeft
    | PostVoided
    | BranchJoined
    | BranchLeft
    | MembershipVoided
    | OversightTaken
    | OversightLeft
    | OversightVoided
    | DeputyNamed
    | DeputyRecalled
    | SchoolLeft
    | LeavingVoided
    | SchoolRejoined
    | RejoiningVoided
    | PersonMerged
    | MergeVoided
    | PersonVoided
)
type ErasureEvent = (
    ErasureRequested | TextErasureRequested | ErasureWithdrawn | PersonErased | TextsErased
)
type CalendarEvent = (
    SchoolYearSet
    | SchoolYearCancelled
    | HolidayDeclared
    | HolidayCancelled
    | MakeUpDayDeclared
    | MakeUpDayCancelled
)
type InspectionEvent = (
    InspectionRecorded | InspectionCorrected | InspectionFindingRaised | InspectionVoided
)
