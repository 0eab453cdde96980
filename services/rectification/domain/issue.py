"""The life of an issue, from claiming to striking off and the judgement of those who spoke up."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Annotated, Literal, assert_never

from pydantic import ConfigDict, Field

from services.campaign.calendar import FARTHEST, Deadline
from services.campaign.directory import Directory
from services.campaign.events import Role, UnitKind
from services.feedback.events import Addressee, Discovery, Topic, Wind
from services.rectification.events import (
    Concern,
    ConvertedToLongTerm,
    Evidence,
    EvidenceAdded,
    ExplainedNotPossible,
    ExtensionGranted,
    ExtensionRefused,
    ExtensionRequested,
    IssueAssigned,
    IssueCalledToAccount,
    IssueClaimed,
    IssueCorrected,
    IssueDeclined,
    IssueEvent,
    IssueMerged,
    IssueOpened,
    IssueReminded,
    IssueReopened,
    IssueReturned,
    IssueStruckOff,
    IssueSupervised,
    IssueTransferred,
    IssueUrged,
    IssueVerified,
    IssueVoided,
    LookedBack,
    Measure,
    MeasuresPlanned,
    Mode,
    NoticePublished,
    ObjectionDismissed,
    ObjectionRaised,
    ObjectionUpheld,
    ProgressReported,
    RectificationStarted,
    ReopenCause,
    ReturnReason,
    Satisfied,
    Solved,
    Source,
    SourceCorrected,
    SourceKind,
    SourceVoided,
    StrikeOffRequested,
    VerdictRecorded,
    Watch,
)
from shared.decider import Command, Decider, Instant, OutOfOrder, PersonId, Rejected
from shared.marks import Id, Line, Occurred, Prose, Sha256

PEOPLE = frozenset({"person"})
LEADERS = frozenset({Role.principal_leader, Role.supervisor})
DESK = LEADERS | {Role.collator, Role.school_administrator}
MOST_NAMED = 20
"""Of a long list, how many a refusal names."""

# -- Facts ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Facts:
    """What a decision on an issue looks at beside it: the directory and neighbouring streams.

    `open_collations` are those among its sources not closed yet, `children` its open sub-issues,
    `voiced` the opinions the caller submitted in person, `inherited` the opinions of issues merged
    into this one, `other` whether the issue a command points to can take it. `unknown` are those
    named as sources that nobody has heard of, `behind` is on whose behalf a service opened it,
    `circle` says that its merging leads back to itself.
    """

    directory: Directory
    open_collations: frozenset[str] = frozenset()
    children: tuple[str, ...] = ()
    voiced: frozenset[str] = frozenset()
    inherited: frozenset[str] = frozenset()
    other: Literal["open", "closed", "missing"] = "missing"
    unknown: frozenset[str] = frozenset()
    behind: PersonId | None = None
    circle: bool = False

    def leads(self, person: PersonId, at: datetime) -> bool:
        """Whether somebody is a principal leader or a supervisor on the day of an instant."""
        return bool(self.directory.roster.roles(person, self.directory.day(at)) & LEADERS)

    def at_desk(self, person: PersonId, at: datetime) -> bool:
        """Whether somebody sees to the opinions on the day of an instant."""
        return bool(self.directory.roster.roles(person, self.directory.day(at)) & DESK)

    def watch(self, due: Deadline, at: datetime) -> Watch:
        """A deadline with its reminders and its ladder."""
        urge, supervise, account = self.directory.escalations(due)
        return Watch(
            due=due,
            remind_at=self.directory.reminders(due, at),
            urge_at=urge,
            supervise_at=supervise,
            account_at=account,
        )

    def here(self, person: PersonId, at: datetime) -> bool:
        """Whether somebody is in the school on the day of an instant."""
        return self.directory.roster.present(person, self.directory.day(at))

    def told(self, at: datetime, owner: PersonId | None, *roles: Role) -> tuple[PersonId, ...]:
        """The owner and everybody who acts in one of the roles today, each once, in a fixed order."""
        day = self.directory.day(at)
        acting = {p for role in roles for p in self.directory.roster.acting(role, day)}
        return (*((owner,) if owner else ()), *sorted(acting - {owner}))


# -- Commands ------------------------------------------------------------------------------------


class SourceAsked(Source):
    """A source as a sender gives it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    id: Id
    opinions: Annotated[tuple[Id, ...], Field(max_length=5_000)] = ()


class OpenIssue(Command):
    """Put an issue on the ledger, with where it comes from."""

    zh = "立项"
    allowed = DESK | {"service", Role.team_member}
    creates = True
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
    sources: Annotated[tuple[SourceAsked, ...], Field(min_length=1, max_length=100)]
    parent: Id | None = None
    occurred_at: Annotated[Instant | None, Occurred()] = None


class CorrectIssue(Command):
    """Put a clerk's mistake right; what happened to the issue stays."""

    zh = "更正问题"
    allowed = DESK
    title: Line
    description: Prose | None = None
    winds: tuple[Wind, ...] = ()
    not_four_winds: bool = False
    topics: tuple[Topic, ...] = ()
    key_issue: bool = False
    strongly_reflected: bool = False
    reason: Prose


class VoidIssue(Command):
    """Declare that the issue should never have been on the ledger; it stays visible."""

    zh = "作废问题"
    allowed = DESK
    reason: Prose


class _OfSource(Command):
    """What rectification hears of where an issue comes from: `event` did it to what `key` is there."""

    allowed = frozenset({"service"})
    source: SourceAsked
    key: Id
    event: Id


class NoteSourceCorrected(_OfSource):
    """Note that it was put right where it was raised; the ledger is corrected by those who keep it."""

    zh = "注明来源已更正"


class NoteSourceVoided(_OfSource):
    """Note that it was voided where it was raised; the issue is voided only by those who may."""

    zh = "注明来源已作废"


class ClaimIssue(Command):
    """Take an issue on of one's own accord (R33, R58)."""

    zh = "认领"
    allowed = PEOPLE
    occurred_at: Annotated[Instant | None, Occurred()] = None


class AssignIssue(Command):
    """Tell somebody to take an issue on."""

    zh = "指派"
    allowed = LEADERS
    owner: Id
    reason: Prose


class DeclineIssue(Command):
    """Give an issue back before anything was planned."""

    zh = "退回认领"
    allowed = PEOPLE
    reason: Prose


class TransferIssue(Command):
    """Hand an issue over to somebody else."""

    zh = "移交"
    allowed = PEOPLE
    to: Id
    reason: Prose


class MeasureAsked(Measure):
    """A measure as a sender gives it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    text: Prose
    owner: Id  # type: ignore[assignment]  # a person's id, its form checked
    helpers: tuple[Id, ...] = ()  # type: ignore[assignment]  # as above
    deliverable: Prose


class PlanMeasures(Command):
    """Say what will be done, by whom, until when, and who will check it (R64, R92)."""

    zh = "制定措施"
    allowed = PEOPLE
    mode: Mode
    measures: Annotated[tuple[MeasureAsked, ...], Field(min_length=1, max_length=50)]
    reviewer: Id
    accountable_leader: Id
    responsible_department: Id | None = None
    due_on: date | None = None


class StartRectification(Command):
    """Begin to carry the measures out."""

    zh = "开始整改"
    allowed = PEOPLE
    occurred_at: Annotated[Instant | None, Occurred()] = None


class ReportProgress(Command):
    """Say how it goes."""

    zh = "反馈进展"
    allowed = PEOPLE
    text: Prose
    occurred_at: Annotated[Instant | None, Occurred()] = None


class AddEvidence(Command):
    """Show how it was before or how it is now."""

    zh = "上传佐证"
    allowed = PEOPLE
    sha256: Sha256
    phase: Literal["before", "after"]
    media_type: Annotated[str, Field(pattern=r"^[a-z]+/[a-z0-9.+-]{1,80}$")]
    name: Line


class RequestExtension(Command):
    """Ask for more time."""

    zh = "申请延期"
    allowed = PEOPLE
    until: date
    reason: Prose


class GrantExtension(Command):
    """Give more time; the first deadline stays on record."""

    zh = "同意延期"
    allowed = LEADERS
    remarks: Prose | None = None


class RefuseExtension(Command):
    """Give no more time."""

    zh = "不同意延期"
    allowed = LEADERS
    reason: Prose


class RequestStrikeOff(Command):
    """State that it is put right, and show it."""

    zh = "申请销号"
    allowed = PEOPLE
    statement: Prose
    evidence: Annotated[tuple[Sha256, ...], Field(min_length=1, max_length=50)]


class VerifyIssue(Command):
    """Confirm on the spot that it is put right (R43)."""

    zh = "验收通过"
    allowed = PEOPLE
    finding: Prose
    occurred_at: Annotated[Instant | None, Occurred()] = None


class ReturnIssue(Command):
    """Send it back: it is not put right."""

    zh = "验收退回"
    allowed = PEOPLE
    code: ReturnReason
    reason: Prose


class PublishNotice(Command):
    """Let everybody see the result before it is struck off."""

    zh = "公示"
    allowed = DESK
    text: Prose


class RaiseObjection(Command):
    """Say that it is not as published. The clock of the notice stops."""

    zh = "提出异议"
    allowed = PEOPLE | {"originator"}
    text: Prose


class UpholdObjection(Command):
    """The objection is right."""

    zh = "异议成立"
    allowed = LEADERS
    answer: Prose


class DismissObjection(Command):
    """The objection is not right."""

    zh = "异议不成立"
    allowed = LEADERS
    answer: Prose


class StrikeOff(Command):
    """Take the issue off the ledger: one issue, one command (R43)."""

    zh = "销号"
    allowed = LEADERS


class RecordVerdict(Command):
    """Judge the outcome, as somebody who had spoken up (R05)."""

    zh = "群众评判"
    allowed = PEOPLE | {"originator"}
    solved: Solved
    satisfied: Satisfied
    comment: Prose | None = None


class ReopenIssue(Command):
    """Take an ended issue up again."""

    zh = "重新整改"
    allowed = DESK
    cause: ReopenCause
    reason: Prose
    owner: Id | None = None


class LookBack(Command):
    """Go and see, after a while, whether it held (回头看)."""

    zh = "回头看"
    allowed = DESK
    measures_concrete: bool
    solved_on_time: bool
    accepted_by_the_masses: bool
    rules_in_force: bool
    relapse: bool
    finding: Prose
    occurred_at: Annotated[Instant | None, Occurred()] = None


class ConvertToLongTerm(Command):
    """Admit that it takes long: an ending that does not count as solved."""

    zh = "转为长期推进"
    allowed = LEADERS
    reason: Prose
    stage_goal: Prose


class ExplainNotPossible(Command):
    """Explain why it cannot be done: an ending that does not count as solved."""

    zh = "说明无法解决"
    allowed = LEADERS
    explanation: Prose


class MergeIssue(Command):
    """Say that another issue is the same one; its outcome reaches these originators too."""

    zh = "并入"
    allowed = DESK
    into: Id
    reason: Prose


class _OfDeadline(Command):
    """What the clock says about one deadline; it no longer applies when another one counts."""

    allowed = frozenset({"service"})
    concern: Concern
    due_at: Instant


class RemindIssue(_OfDeadline):
    """The deadline comes near."""

    zh = "到期提醒"


class UrgeIssue(_OfDeadline):
    """First rung: the deadline has passed (催办)."""

    zh = "催办"


class SuperviseIssue(_OfDeadline):
    """Second rung (督办)."""

    zh = "督办"


class CallToAccount(_OfDeadline):
    """Third rung: an accountability talk is due (约谈问责)."""

    zh = "约谈问责"


type IssueCommand = (
    OpenIssue
    | CorrectIssue
    | VoidIssue
    | NoteSourceCorrected
    | NoteSourceVoided
    | ClaimIssue
    | AssignIssue
    | DeclineIssue
    | TransferIssue
    | PlanMeasures
    | StartRectification
    | ReportProgress
    | AddEvidence
    | RequestExtension
    | GrantExtension
    | RefuseExtension
    | RequestStrikeOff
    | VerifyIssue
    | ReturnIssue
    | PublishNotice
    | RaiseObjection
    | UpholdObjection
    | DismissObjection
    | StrikeOff
    | RecordVerdict
    | ReopenIssue
    | LookBack
    | ConvertToLongTerm
    | ExplainNotPossible
    | MergeIssue
    | RemindIssue
    | UrgeIssue
    | SuperviseIssue
    | CallToAccount
)


# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Notice:
    """That what an issue comes from was put right or voided there, and by which event."""

    source: Source
    key: str
    event: str
    voided: bool


@dataclass(frozen=True)
class Case:
    """What is true of an issue however far it has come.

    `handed` is the reason why its owner was given it; none if nobody is or it was claimed. `held_by`
    is everybody who ever owned it, `notices` is what was heard of where it comes from.
    """

    title: str
    description: str | None
    addressee: Addressee
    person: PersonId | None
    winds: tuple[Wind, ...]
    topics: tuple[Topic, ...]
    discovery: Discovery
    key_issue: bool
    strongly_reflected: bool
    sources: tuple[Source, ...]
    parent: str | None
    raised_by: PersonId
    handed: str | None = None
    returned: int = 0
    reopened: int = 0
    held_by: frozenset[PersonId] = frozenset()
    notices: tuple[Notice, ...] = ()

    def held(self, owner: PersonId, **changes: object) -> "Case":
        """The case with one more person who held it."""
        return replace(self, held_by=self.held_by | {owner}, **changes)  # type: ignore[arg-type]  # fields of it

    @property
    def opinions(self) -> frozenset[str]:
        """The opinions it was made of."""
        return frozenset(opinion for source in self.sources for opinion in source.opinions)


@dataclass(frozen=True)
class Plan:
    """What was planned, and the deadline it first had."""

    mode: Mode
    measures: tuple[Measure, ...]
    reviewer: PersonId
    accountable_leader: PersonId
    responsible_department: str | None
    first_due: Deadline

    @property
    def involved(self) -> frozenset[PersonId]:
        """Everybody who carries something out."""
        return frozenset(p for m in self.measures for p in (m.owner, *m.helpers))


@dataclass(frozen=True)
class Objection:
    """An objection not answered yet."""

    objector: PersonId
    text: str
    raised_at: Instant
    watch: Watch


@dataclass(frozen=True)
class Verdict:
    """What one originator said of the outcome."""

    originator: PersonId
    solved: Solved
    satisfied: Satisfied
    comment: str | None


@dataclass(frozen=True)
class Extension:
    """More time asked for and not answered yet."""

    until: date
    reason: str


@dataclass(frozen=True)
class Unopened:
    """Not on the ledger."""


@dataclass(frozen=True)
class Open:
    """On the ledger, nobody's yet."""

    case: Case
    watch: Watch


@dataclass(frozen=True)
class Owned:
    """Somebody's, nothing planned yet."""

    case: Case
    owner: PersonId
    watch: Watch


@dataclass(frozen=True)
class Planned:
    """Measures are planned; a long-term issue taken up again has shown something before."""

    case: Case
    owner: PersonId
    plan: Plan
    watch: Watch
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Underway:
    """Being put right."""

    case: Case
    owner: PersonId
    plan: Plan
    watch: Watch
    evidence: tuple[Evidence, ...] = ()
    extension: Extension | None = None


@dataclass(frozen=True)
class StrikeOffAsked:
    """Said to be put right, waiting for the reviewer."""

    case: Case
    owner: PersonId
    plan: Plan
    watch: Watch
    evidence: tuple[Evidence, ...]
    statement: str
    shown: tuple[str, ...]


@dataclass(frozen=True)
class Verified:
    """Checked and found right."""

    case: Case
    owner: PersonId
    plan: Plan
    watch: Watch
    evidence: tuple[Evidence, ...]
    verifier: PersonId
    finding: str


@dataclass(frozen=True)
class OnNotice:
    """Published; anybody may object."""

    case: Case
    owner: PersonId
    plan: Plan
    watch: Watch
    evidence: tuple[Evidence, ...]
    verifier: PersonId
    text: str
    until: Deadline
    objection: Objection | None = None


@dataclass(frozen=True)
class StruckOff:
    """Off the ledger; judged by those who spoke up."""

    case: Case
    owner: PersonId
    verifier: PersonId
    verdicts_until: Deadline
    verdicts: tuple[Verdict, ...] = ()
    objection: Objection | None = None
    grounds: frozenset[ReopenCause] = frozenset()
    seen: LookedBack | None = None


@dataclass(frozen=True)
class LongTerm:
    """Goes on for long; does not count as solved. `first_due` if anything was planned before."""

    case: Case
    owner: PersonId
    reason: str
    stage_goal: str
    watch: Watch
    evidence: tuple[Evidence, ...] = ()
    first_due: Deadline | None = None


@dataclass(frozen=True)
class NotPossible:
    """Explained; does not count as solved."""

    case: Case
    owner: PersonId | None
    explanation: str
    verdicts_until: Deadline
    verdicts: tuple[Verdict, ...] = ()
    grounds: frozenset[ReopenCause] = frozenset()


@dataclass(frozen=True)
class Merged:
    """The same as another one."""

    case: Case
    owner: PersonId | None
    into: str
    reason: str


@dataclass(frozen=True)
class Voided:
    """Should never have been there."""


type Issue = (
    Unopened
    | Open
    | Owned
    | Planned
    | Underway
    | StrikeOffAsked
    | Verified
    | OnNotice
    | StruckOff
    | LongTerm
    | NotPossible
    | Merged
    | Voided
)


# -- Rules ---------------------------------------------------------------------------------------


class AlreadyOwned(Rejected):
    """Somebody holds the issue already."""

    zh = "该问题已有责任人"


class NotTheOwner(Rejected):
    """Only the person who holds the issue may do this."""

    zh = "只有责任人可以进行这一操作"


class NotInvolved(Rejected):
    """Only those who carry the measures out may do this."""

    zh = "只有参与整改的人员可以进行这一操作"


class FourEyes(Rejected):
    """Whoever did it may not also be the one who checks, decides or undoes it."""

    zh = "不得由同一人既办理又审核"


class PartyToTheMatter(Rejected):
    """The person the issue is about may not check, decide or undo it."""

    zh = "被反映人不得复核、审批自己的问题"


class NotTheReviewer(Rejected):
    """Only the reviewer named in the plan or the supervision group may do this."""

    zh = "只有指定的复核人或督导组可以验收"


class AddressedToAnother(Rejected):
    """A personal issue belongs to the person it is addressed to."""

    zh = "班子成员个人的问题应由本人认领"


class CollationStillOpen(Rejected):
    """Personal issues are claimed after their collation is closed (R33)."""

    zh = "汇总梳理尚未结束,个人问题暂不能认领"


class AddresseeUnclear(Rejected):
    """A personal issue names the person, a team's issue does not."""

    zh = "个人问题须写明本人,班子问题不得指定个人"


class WindsUnclear(Rejected):
    """An issue has at least one of the four winds or is marked as none of them, not both (R45)."""

    zh = "须选择四风类别或注明不属于四风"


class NobodyThere(Rejected):
    """This person is not in the school today."""

    zh = "该人员不在本校在册名单中"


class SourcesOfTheDesk(Rejected):
    """Which opinions or collation an issue comes from is said by those who keep them."""

    zh = "意见和汇总梳理来源由汇总、管理和领导督导人员登记"


class UnknownSource(Rejected):
    """There is no such opinion, collation, talk, meeting, visit, inspection or issue to come from."""

    zh = "没有所列的来源"


class NoSuchDepartment(Rejected):
    """There is no such department."""

    zh = "没有这个部门"


class NoPlanYet(Rejected):
    """Work cannot start before owner, division, start and deadline are planned (R92)."""

    zh = "尚未制定整改任务书、时间表和分工,不能开始"


class EndsBeforeItBegins(Rejected):
    """It ends before it begins."""

    zh = "完成时间早于开始时间"


class DueInThePast(Rejected):
    """A deadline cannot lie in the past."""

    zh = "完成时限不能早于今天"


class TooFarAway(Rejected):
    """A date lies more than ten years away: most likely a slip of the pen."""

    zh = "日期距今超过十年,请核对"


class DeadlineStands(Rejected):
    """A deadline once set only moves by an extension, so that the first is never lost."""

    zh = "完成时限已定,变更须申请延期"


class NotLater(Rejected):
    """More time must end later than the deadline there is."""

    zh = "延期后的时限必须晚于原时限"


class AlreadyAsked(Rejected):
    """Another extension is waiting for an answer."""

    zh = "已有延期申请待答复"


class NothingAsked(Rejected):
    """No extension was asked for."""

    zh = "没有待答复的延期申请"


class NoEvidence(Rejected):
    """A strike-off needs evidence of how it is now, added before."""

    zh = "申请销号须附整改后的佐证材料"


class NotVerified(Rejected):
    """Only what was verified as solved can go on (R43)."""

    zh = "未经验收合格,不能继续"


class NotPublished(Rejected):
    """Nothing is struck off before it was published."""

    zh = "尚未公示,不能销号"


class NoticeNotOver(Rejected):
    """The public notice has not ended yet."""

    zh = "公示期未满,不能销号"


class ObjectionPending(Rejected):
    """An objection waits for its answer."""

    zh = "有异议尚未答复"


class ObjectionsClosed(Rejected):
    """The time for objections is over."""

    zh = "异议期已结束"


class NoObjection(Rejected):
    """There is no objection to answer."""

    zh = "没有待答复的异议"


class OpenSubIssues(Rejected):
    """It has sub-issues that are still open."""

    zh = "还有未办结的子问题"


class NotAnOriginator(Rejected):
    """Only those who spoke up about it may judge it."""

    zh = "只有反映过该问题的人可以评判"


class AlreadyJudged(Rejected):
    """Everybody judges once."""

    zh = "每位反映人只能评判一次"


class VerdictsClosed(Rejected):
    """The time for verdicts is over."""

    zh = "评判期已结束"


class NoGrounds(Rejected):
    """There is no relapse, upheld objection or verdict that says so."""

    zh = "没有可以重新整改的依据"


class MergedElsewhere(Rejected):
    """This issue was merged into another one: go there."""

    zh = "该问题已并入另一问题"


class MergedInACircle(Rejected):
    """Several were merged into each other at the same time: merge one of them into an open issue."""

    zh = "几个问题被同时互相并入,请将其中之一并入另一个未办结的问题"


class MergedIntoItself(Rejected):
    """An issue cannot be merged into itself."""

    zh = "不能并入自身"


class NoSuchIssue(Rejected):
    """The issue this points to is not on the ledger or has ended."""

    zh = "所指的问题不存在或已办结"


class NoLongerDue(Rejected):
    """Another deadline counts now."""

    zh = "该时限已不再适用"


# -- Deciding ------------------------------------------------------------------------------------


def decide(command: IssueCommand, issue: Issue, facts: Facts) -> IssueEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    at = command.at
    issue = facts.directory.roster.settled(issue)
    match command, issue:
        case NoteSourceCorrected() | NoteSourceVoided(), _:
            return _heard(command, issue)
        case MergeIssue(into=into, reason=reason), Merged() if (into, reason) == (
            issue.into,
            issue.reason,
        ):
            return None
        case MergeIssue(), Merged(case=case) if facts.circle:
            return _merged(command, case, issue.owner, facts)
        case _, Merged(into=there):
            raise MergedInACircle(there) if facts.circle else MergedElsewhere(there)

        # on the ledger
        case OpenIssue(), Unopened():
            return _opened(command, facts)
        case OpenIssue(), Open(case=case) if _says(command, case):
            return None
        case CorrectIssue(), (
            Open(case=case)
            | Owned(case=case)
            | Planned(case=case)
            | Underway(case=case)
            | StrikeOffAsked(case=case)
            | Verified(case=case)
            | OnNotice(case=case)
            | StruckOff(case=case)
            | LongTerm(case=case)
            | NotPossible(case=case)
        ):
            _impartial(command.by, case, _owner_if_any(issue))
            return _corrected(command, case)
        case VoidIssue(by=person, reason=reason), (
            Open(case=case) | Owned(case=case) | Planned(case=case) | Underway(case=case)
        ):
            _impartial(person, case, case.raised_by, facts.behind, _owner_if_any(issue))
            return IssueVoided(reason=reason)

        # owned
        case ClaimIssue(by=person), Open(case=case):
            _addressed(person, case, facts)
            return IssueClaimed(owner=person, watch=_within("plan_within", facts, at))
        case ClaimIssue(by=person), (
            Owned(owner=owner) | Planned(owner=owner) | Underway(owner=owner)
        ):
            if person == owner:
                return None
            raise AlreadyOwned
        case AssignIssue(owner=owner, reason=reason), Open(case=case):
            gone = case.person and not facts.here(case.person, at)
            _addressed(case.person if gone else owner, case, facts)
            must_be_here(owner, facts.directory, at)
            watch = _within("plan_within", facts, at)
            return IssueAssigned(owner=PersonId(owner), reason=reason, watch=watch)
        case AssignIssue(owner=wanted, reason=reason), (
            Owned(case=case, owner=owner)
            | Planned(case=case, owner=owner)
            | Underway(case=case, owner=owner)
        ):
            if (wanted, reason) == (owner, case.handed):
                return None
            raise AlreadyOwned
        case DeclineIssue(by=person, reason=reason), Owned(owner=owner):
            _only(person, owner)
            watch = _within("claim_within", facts, at)
            return IssueDeclined(owner=owner, reason=reason, watch=watch)
        case TransferIssue(by=person, to=to, reason=reason), (
            Owned(case=case, owner=owner)
            | Planned(case=case, owner=owner)
            | Underway(case=case, owner=owner)
            | LongTerm(case=case, owner=owner)
        ):
            if (to, reason) == (owner, case.handed):
                return None
            if to == owner:
                raise AlreadyOwned
            if person != owner and not facts.leads(person, at):
                raise NotTheOwner
            must_be_here(to, facts.directory, at)
            if isinstance(issue, Planned | Underway):
                _not(PersonId(to), issue.plan.reviewer)
            return IssueTransferred(owner=PersonId(to), former=owner, reason=reason)

        # planned and put right
        case PlanMeasures(by=person), Owned(owner=owner) | LongTerm(owner=owner):
            _only(person, owner)
            return _planned(command, issue, facts)
        case PlanMeasures(by=person), Planned(owner=owner) | Underway(owner=owner):
            _only(person, owner)
            return _planned_anew(command, issue, facts)
        case StartRectification(by=person), Planned(owner=owner):
            _only(person, owner)
            return RectificationStarted()
        case StartRectification(by=person), Underway(owner=owner):
            _only(person, owner)
            return None
        case StartRectification(), Open() | Owned():
            raise NoPlanYet
        case ReportProgress(by=person, text=text), Underway(owner=owner, plan=plan):
            _involved(person, owner, plan)
            return ProgressReported(text=text)
        case ReportProgress(by=person, text=text), LongTerm(owner=owner):
            _only(person, owner)
            return ProgressReported(text=text)
        case AddEvidence(by=person), Underway(owner=owner, plan=plan, evidence=evidence):
            _involved(person, owner, plan)
            return _evidence(command, evidence)
        case AddEvidence(by=person), LongTerm(owner=owner, evidence=evidence):
            _only(person, owner)
            return _evidence(command, evidence)

        # more time
        case RequestExtension(by=person, until=until, reason=reason), Underway(owner=owner):
            _only(person, owner)
            if issue.extension == Extension(until, reason):
                return None
            if issue.extension:
                raise AlreadyAsked
            if until <= issue.watch.due.on:
                raise NotLater
            _due(until, facts, at)
            return ExtensionRequested(until=until, reason=reason)
        case GrantExtension(by=person, remarks=remarks), Underway(case=case, watch=watch):
            _impartial(person, case, issue.owner)
            if not issue.extension:
                raise NothingAsked
            due = facts.directory.on_day(issue.extension.until)
            return ExtensionGranted(watch=facts.watch(due, at), former=watch.due, remarks=remarks)
        case RefuseExtension(by=person, reason=reason), Underway(case=case):
            _impartial(person, case, issue.owner)
            if not issue.extension:
                raise NothingAsked
            return ExtensionRefused(until=issue.extension.until, reason=reason)

        # checked
        case RequestStrikeOff(by=person, statement=statement), Underway(owner=owner):
            _only(person, owner)
            after = {e.sha256 for e in issue.evidence if e.phase == "after"}
            if not after & set(command.evidence) or not set(command.evidence) <= {
                e.sha256 for e in issue.evidence
            }:
                raise NoEvidence
            return StrikeOffRequested(statement=statement, evidence=command.evidence)
        case RequestStrikeOff(by=person, statement=statement), StrikeOffAsked(owner=owner):
            _only(person, owner)
            if (statement, command.evidence) != (issue.statement, issue.shown):
                raise OutOfOrder
            return None
        case VerifyIssue(by=person, finding=finding), StrikeOffAsked():
            _reviews(person, issue, facts, at)
            return IssueVerified(verifier=person, finding=finding)
        case VerifyIssue(by=person, finding=finding), Verified() if (
            person == issue.verifier and finding == issue.finding
        ):
            return None
        case ReturnIssue(by=person, code=code, reason=reason), StrikeOffAsked(case=case):
            _reviews(person, issue, facts, at)
            return IssueReturned(
                verifier=person,
                code=code,
                reason=reason,
                times=case.returned + 1,
                watch=issue.watch,
            )
        case PublishNotice(by=person, text=text), Verified(case=case, owner=owner):
            _impartial(person, case, owner)
            return NoticePublished(text=text, until=facts.directory.due(at, "public_notice"))
        case PublishNotice(text=text), OnNotice() if text == issue.text:
            return None
        case PublishNotice(), Open() | Owned() | Planned() | Underway() | StrikeOffAsked():
            raise NotVerified

        # objected to
        case RaiseObjection(by=person, text=text), (
            OnNotice(objection=Objection() as pending) | StruckOff(objection=Objection() as pending)
        ):
            if (pending.objector, pending.text) == (person, text):
                return None
            raise ObjectionPending
        case RaiseObjection(), (
            OnNotice(case=case, until=until) | StruckOff(case=case, verdicts_until=until)
        ):
            return _objected(command, case, until, facts)
        case UpholdObjection(by=person, answer=answer), OnNotice(objection=Objection() as pending):
            _impartial(person, issue.case, pending.objector, issue.owner)
            return ObjectionUpheld(answer=answer, times=issue.case.returned + 1, watch=issue.watch)
        case UpholdObjection(by=person, answer=answer), StruckOff(objection=Objection() as pending):
            _impartial(person, issue.case, pending.objector, issue.owner)
            return ObjectionUpheld(answer=answer, times=issue.case.returned)
        case DismissObjection(by=person, answer=answer), OnNotice(objection=Objection() as pending):
            _impartial(person, issue.case, pending.objector, issue.owner)
            moment = issue.until.at + (at - pending.raised_at)
            until = Deadline(at=moment, on=facts.directory.day(moment))
            return ObjectionDismissed(answer=answer, until=until)
        case DismissObjection(by=person, answer=answer), StruckOff(
            objection=Objection() as pending
        ):
            _impartial(person, issue.case, pending.objector, issue.owner)
            return ObjectionDismissed(answer=answer)
        case UpholdObjection() | DismissObjection(), OnNotice() | StruckOff():
            raise NoObjection

        # struck off
        case StrikeOff(by=person), OnNotice(case=case, until=until):
            _impartial(person, case, *case.held_by)
            if issue.objection:
                raise ObjectionPending
            if at < until.at:
                raise NoticeNotOver(until.at.isoformat())
            if facts.children:
                raise OpenSubIssues(_listed(facts.children))
            verdicts_until = facts.directory.due(at, "verdict_within")
            return IssueStruckOff(verifier=issue.verifier, verdicts_until=verdicts_until)
        case StrikeOff(), Verified():
            raise NotPublished
        case StrikeOff(), Open() | Owned() | Planned() | Underway() | StrikeOffAsked():
            raise NotVerified
        case StrikeOff(), StruckOff():
            return None

        # judged
        case RecordVerdict(), StruckOff() | NotPossible():
            return _judged(command, issue, facts)
        case ReopenIssue(by=person, cause=cause), StruckOff(case=case) | NotPossible(case=case):
            _impartial(person, case, issue.owner)
            if isinstance(issue, StruckOff) and issue.objection:
                raise ObjectionPending
            if cause not in issue.grounds:
                raise NoGrounds
            return _reopened(command, issue, facts)
        case LookBack(by=person), StruckOff(case=case, owner=owner):
            _impartial(person, case, owner)
            seen = LookedBack(**{name: getattr(command, name) for name in LookedBack.model_fields})
            return None if seen == issue.seen else seen

        # other endings
        case ConvertToLongTerm(by=person, reason=reason, stage_goal=goal), (
            Owned(case=case, owner=owner)
            | Planned(case=case, owner=owner)
            | Underway(case=case, owner=owner)
        ):
            _impartial(person, case, owner)
            watch = _within("long_term_within", facts, at)
            return ConvertedToLongTerm(reason=reason, stage_goal=goal, watch=watch)
        case ConvertToLongTerm(reason=reason, stage_goal=goal), LongTerm() if (
            reason == issue.reason and goal == issue.stage_goal
        ):
            return None
        case ExplainNotPossible(by=person, explanation=explanation), (
            Open(case=case)
            | Owned(case=case)
            | Planned(case=case)
            | Underway(case=case)
            | LongTerm(case=case)
        ):
            _impartial(person, case, _owner_if_any(issue))
            until = facts.directory.due(at, "verdict_within")
            return ExplainedNotPossible(explanation=explanation, verdicts_until=until)
        case ExplainNotPossible(explanation=explanation), NotPossible() if (
            explanation == issue.explanation
        ):
            return None
        case MergeIssue(), (
            Open(case=case) | Owned(case=case) | Planned(case=case) | Underway(case=case)
        ):
            return _merged(command, case, _owner_if_any(issue), facts)

        # deadlines
        case RemindIssue() | UrgeIssue() | SuperviseIssue() | CallToAccount(), _:
            return _spoken_of(command, issue, facts)

        case _:
            raise OutOfOrder


def _opened(command: OpenIssue, facts: Facts) -> IssueOpened:
    if (command.addressee is Addressee.member) != (command.person is not None):
        raise AddresseeUnclear
    if bool(command.winds) == command.not_four_winds:
        raise WindsUnclear
    if command.person:
        must_be_here(command.person, facts.directory, command.at)
    if command.parent and facts.other != "open":
        raise NoSuchIssue(command.parent)
    if not command.by.startswith("service:"):
        _sourced(command, facts)
    return IssueOpened(
        title=command.title,
        description=command.description,
        addressee=command.addressee,
        person=PersonId(command.person) if command.person else None,
        winds=command.winds,
        topics=command.topics,
        discovery=command.discovery,
        key_issue=command.key_issue,
        strongly_reflected=command.strongly_reflected,
        sources=_sources(command),
        parent=command.parent,
        raised_by=command.by,
        watch=_within("claim_within", facts, command.at),
    )


def _heard(
    command: NoteSourceCorrected | NoteSourceVoided, issue: Issue
) -> SourceCorrected | SourceVoided | None:
    """A notice wherever the issue stands, also when it has ended; a voided one needs none any more."""
    if isinstance(issue, Unopened):
        raise OutOfOrder
    said = {"source": _source(command.source), "key": command.key, "event": command.event}
    voided = isinstance(command, NoteSourceVoided)
    event = SourceVoided(**said) if voided else SourceCorrected(**said)
    known = isinstance(issue, Voided) or _notice(event) in issue.case.notices
    return None if known else event


def _sourced(command: OpenIssue, facts: Facts) -> None:
    """An issue comes from what there is; whoever names an opinion will talk with its originator."""
    heard = any(s.opinions or s.kind is SourceKind.collation for s in command.sources)
    if heard and not facts.at_desk(command.by, command.at):
        raise SourcesOfTheDesk
    if facts.unknown:
        raise UnknownSource(_listed(sorted(facts.unknown)[:MOST_NAMED]))


def _says(command: OpenIssue, case: Case) -> bool:
    """Whether the ledger already holds exactly what the command says."""
    apart = {"not_four_winds", "sources", "occurred_at", "by", "at", "stream"}
    names = type(command).model_fields.keys() - apart
    same = all(getattr(command, name) == getattr(case, name) for name in names)
    denied = command.not_four_winds is not bool(case.winds)
    return same and denied and _sources(command) == case.sources


def _sources(command: OpenIssue) -> tuple[Source, ...]:
    return tuple(map(_source, command.sources))


def _source(asked: SourceAsked) -> Source:
    return Source.model_construct(**dict(asked))


def _corrected(command: CorrectIssue, case: Case) -> IssueCorrected | None:
    if bool(command.winds) == command.not_four_winds:
        raise WindsUnclear
    names = ("title", "description", "winds", "topics", "key_issue", "strongly_reflected")
    if all(getattr(command, name) == getattr(case, name) for name in names):
        return None
    return IssueCorrected(**{name: getattr(command, name) for name in (*names, "reason")})


def _planned(command: PlanMeasures, issue: Owned | LongTerm, facts: Facts) -> MeasuresPlanned:
    """The first plan, or the one by which a long-term issue is taken up again."""
    due = facts.directory.due(command.at, f"{command.mode}_within")
    if command.due_on:
        _due(command.due_on, facts, command.at)
        due = facts.directory.on_day(command.due_on)
    return _measures(command, issue, facts, facts.watch(due, command.at), known=())


def _planned_anew(
    command: PlanMeasures, issue: Planned | Underway, facts: Facts
) -> MeasuresPlanned | None:
    """Other measures for the same deadline."""
    if command.due_on not in {None, issue.watch.due.on}:
        raise DeadlineStands
    planned = _measures(command, issue, facts, issue.watch, known=issue.plan.measures)
    return None if _plan(planned, issue.plan.first_due) == issue.plan else planned


def _measures(
    command: PlanMeasures,
    issue: Owned | LongTerm | Planned | Underway,
    facts: Facts,
    watch: Watch,
    *,
    known: tuple[Measure, ...],
) -> MeasuresPlanned:
    """What is planned; measures `known` before may have been due in the meantime."""
    measures = tuple(Measure.model_construct(**dict(asked)) for asked in command.measures)
    people = {p for m in measures for p in (m.owner, *m.helpers)}
    reviewer = PersonId(command.reviewer)
    _impartial(reviewer, issue.case, *issue.case.held_by, *people)
    for person in (*sorted(people), reviewer, command.accountable_leader):
        must_be_here(person, facts.directory, command.at)
    for measure in measures:
        if measure.due_on < measure.begins_on:
            raise EndsBeforeItBegins
        must_be_near(measure.begins_on, facts.directory, command.at)
        if measure not in known:
            _due(measure.due_on, facts, command.at)
    department = command.responsible_department
    today = facts.directory.day(command.at)
    if department and not facts.directory.has_unit(department, UnitKind.department, today):
        raise NoSuchDepartment(department)
    return MeasuresPlanned(
        mode=command.mode,
        measures=measures,
        reviewer=reviewer,
        accountable_leader=PersonId(command.accountable_leader),
        responsible_department=department,
        watch=watch,
    )


def _evidence(command: AddEvidence, evidence: tuple[Evidence, ...]) -> EvidenceAdded | None:
    new = Evidence(
        sha256=command.sha256,
        phase=command.phase,
        media_type=command.media_type,
        name=command.name,
    )
    return None if new in evidence else EvidenceAdded(evidence=new)


def _objected(
    command: RaiseObjection, case: Case, until: Deadline, facts: Facts
) -> ObjectionRaised:
    """Anybody here may object; with a receipt those whose opinion it was."""
    if command.by.startswith("originator:") and not _holds_receipt(command.by, case, facts):
        raise NotAnOriginator
    if command.at >= until.at:
        raise ObjectionsClosed
    return ObjectionRaised(
        objector=command.by,
        text=command.text,
        raised_at=command.at,
        watch=_within("objection_within", facts, command.at),
    )


def _holds_receipt(person: PersonId, case: Case, facts: Facts) -> bool:
    return person in {f"originator:{opinion}" for opinion in case.opinions | facts.inherited}


def _judged(
    command: RecordVerdict, issue: StruckOff | NotPossible, facts: Facts
) -> VerdictRecorded | None:
    spoke_up = (issue.case.opinions | facts.inherited) & facts.voiced
    if not spoke_up and not _holds_receipt(command.by, issue.case, facts):
        raise NotAnOriginator
    _impartial(command.by, issue.case, issue.owner)
    verdict = Verdict(command.by, command.solved, command.satisfied, command.comment)
    if verdict in issue.verdicts:
        return None
    if any(v.originator == command.by for v in issue.verdicts):
        raise AlreadyJudged
    if command.at >= issue.verdicts_until.at:
        raise VerdictsClosed
    return VerdictRecorded(
        originator=command.by,
        solved=command.solved,
        satisfied=command.satisfied,
        comment=command.comment,
    )


def _reopened(command: ReopenIssue, issue: StruckOff | NotPossible, facts: Facts) -> IssueReopened:
    owner = PersonId(command.owner) if command.owner else issue.owner
    if owner is None:
        raise NobodyThere
    must_be_here(owner, facts.directory, command.at)
    return IssueReopened(
        cause=command.cause,
        reason=command.reason,
        owner=owner,
        times=issue.case.reopened + 1,
        watch=_within("plan_within", facts, command.at),
    )


def _merged(command: MergeIssue, case: Case, owner: PersonId | None, facts: Facts) -> IssueMerged:
    _impartial(command.by, case, owner)
    if command.into == command.stream:
        raise MergedIntoItself
    if facts.other != "open":
        raise NoSuchIssue(command.into)
    return IssueMerged(into=command.into, reason=command.reason)


def _spoken_of(
    command: RemindIssue | UrgeIssue | SuperviseIssue | CallToAccount, issue: Issue, facts: Facts
) -> IssueEvent:
    """Who has to act is told; where there is nobody, or they have left, the leaders are."""
    concern, watch, owner = _watched(issue)
    if watch is None or concern is not command.concern or watch.due.at != command.due_at:
        raise NoLongerDue
    if owner and not facts.here(owner, command.at):
        owner = None
    leader = Role.principal_leader
    match command:
        case RemindIssue():
            told = facts.told(command.at, owner, *(() if owner else (leader,)))
            return IssueReminded(concern=concern, due=watch.due, told=told)
        case UrgeIssue():
            told = facts.told(command.at, owner, *(() if owner else (leader,)))
            return IssueUrged(concern=concern, due=watch.due, told=told)
        case SuperviseIssue():
            told = facts.told(command.at, owner, leader)
            return IssueSupervised(concern=concern, due=watch.due, told=told)
        case CallToAccount():
            told = facts.told(command.at, owner, leader, Role.supervisor)
            return IssueCalledToAccount(concern=concern, due=watch.due, told=told)


def _watched(issue: Issue) -> tuple[Concern, Watch | None, PersonId | None]:
    """The deadline that counts now, what it is about, and who is to be told first."""
    match issue:
        case Open(case=case, watch=watch):
            return Concern.claim, watch, case.person
        case Owned(owner=owner, watch=watch):
            return Concern.plan, watch, owner
        case Planned(owner=owner, watch=watch) | Underway(owner=owner, watch=watch):
            return Concern.rectification, watch, owner
        case LongTerm(owner=owner, watch=watch):
            return Concern.rectification, watch, owner
        case (
            OnNotice(objection=Objection() as pending) | StruckOff(objection=Objection() as pending)
        ):
            return Concern.objection, pending.watch, None
        case _:
            return Concern.claim, None, None


def _within(setting: str, facts: Facts, at: datetime) -> Watch:
    return facts.watch(facts.directory.due(at, setting), at)


def _listed(ids: Iterable[str]) -> str:
    return " ".join(sorted(ids))


def _only(person: PersonId, owner: PersonId) -> None:
    if person != owner:
        raise NotTheOwner


def _not(person: PersonId, *others: PersonId | None) -> None:
    if person in others:
        raise FourEyes


def _impartial(person: PersonId, case: Case, *others: PersonId | None) -> None:
    """Whoever checks or decides is none of the others, nor the one the issue is about."""
    _not(person, *others)
    if person == case.person:
        raise PartyToTheMatter


def _addressed(person: str | None, case: Case, facts: Facts) -> None:
    """A personal issue goes to the person it is addressed to, after collating (R33).

    Only when that person has left may a leader give it to somebody else.
    """
    if case.person not in {None, person}:
        raise AddressedToAnother
    if case.person and facts.open_collations:
        raise CollationStillOpen(_listed(facts.open_collations))


def must_be_here(person: str, directory: Directory, at: datetime) -> None:
    """Refuse whoever is not in the school today."""
    if not directory.roster.present(PersonId(person), directory.day(at)):
        raise NobodyThere(person)


def must_be_near(day: date, directory: Directory, at: datetime) -> None:
    """Refuse the year 2203: a slip of the pen, and a calendar has an end."""
    if abs(day - directory.day(at)) > timedelta(days=FARTHEST):
        raise TooFarAway


def _due(day: date, facts: Facts, at: datetime) -> None:
    if day < facts.directory.day(at):
        raise DueInThePast
    must_be_near(day, facts.directory, at)


def _involved(person: PersonId, owner: PersonId, plan: Plan) -> None:
    if person != owner and person not in plan.involved:
        raise NotInvolved


def _reviews(person: PersonId, issue: StrikeOffAsked, facts: Facts, at: datetime) -> None:
    """The reviewer or a supervisor checks; nobody who worked on it, nor the one it is about."""
    _impartial(person, issue.case, *issue.case.held_by, *issue.plan.involved)
    roles = facts.directory.roster.roles(person, facts.directory.day(at))
    if person != issue.plan.reviewer and Role.supervisor not in roles:
        raise NotTheReviewer


# -- Evolving ------------------------------------------------------------------------------------


def evolve(issue: Issue, event: IssueEvent) -> Issue:
    """What happened, happened: no rules here."""
    match event:
        case IssueOpened():
            return Open(_case(event), event.watch)
        case IssueCorrected():
            changes = {n: getattr(event, n) for n in type(event).model_fields if n != "reason"}
            return _with(issue, case=replace(_case_of(issue), **changes))
        case IssueVoided():
            return Voided()
        case SourceCorrected() | SourceVoided():
            case_ = _case_of(issue)
            return _with(issue, case=replace(case_, notices=(*case_.notices, _notice(event))))
        case IssueMerged(into=into, reason=reason):
            return Merged(_case_of(issue), _owner_if_any(issue), into, reason)
        case IssueClaimed(owner=owner, watch=watch):
            return Owned(_case_of(issue).held(owner), owner, watch)
        case IssueAssigned(owner=owner, reason=reason, watch=watch):
            return Owned(_case_of(issue).held(owner, handed=reason), owner, watch)
        case IssueDeclined(watch=watch):
            return Open(replace(_case_of(issue), handed=None), watch)
        case IssueTransferred(owner=owner, reason=reason):
            return _with(issue, owner=owner, case=_case_of(issue).held(owner, handed=reason))
        case MeasuresPlanned(watch=watch):
            if isinstance(issue, Planned | Underway):
                return _with(issue, plan=_plan(event, issue.plan.first_due))
            plan = _plan(event, _first_due(issue) or watch.due)
            return Planned(_case_of(issue), _owner_of(issue), plan, watch, _evidence_of(issue))
        case RectificationStarted():
            return Underway(
                _case_of(issue),
                _owner_of(issue),
                _plan_of(issue),
                _watch_of(issue),
                _evidence_of(issue),
            )
        case ProgressReported():
            return issue
        case EvidenceAdded(evidence=evidence):
            return _with(issue, evidence=(*_evidence_of(issue), evidence))
        case ExtensionRequested(until=until, reason=reason):
            return _with(issue, extension=Extension(until, reason))
        case ExtensionGranted(watch=watch):
            return _with(issue, watch=watch, extension=None)
        case ExtensionRefused():
            return _with(issue, extension=None)
        case StrikeOffRequested(statement=statement, evidence=shown):
            return StrikeOffAsked(
                _case_of(issue),
                _owner_of(issue),
                _plan_of(issue),
                _watch_of(issue),
                _evidence_of(issue),
                statement,
                shown,
            )
        case IssueReturned(times=times, watch=watch):
            case_ = replace(_case_of(issue), returned=times)
            return Underway(case_, _owner_of(issue), _plan_of(issue), watch, _evidence_of(issue))
        case IssueVerified(verifier=verifier, finding=finding):
            return Verified(
                _case_of(issue),
                _owner_of(issue),
                _plan_of(issue),
                _watch_of(issue),
                _evidence_of(issue),
                verifier,
                finding,
            )
        case NoticePublished(text=text, until=until) if isinstance(issue, Verified):
            return OnNotice(
                issue.case,
                issue.owner,
                issue.plan,
                issue.watch,
                issue.evidence,
                issue.verifier,
                text,
                until,
            )
        case ObjectionRaised(objector=objector, text=text, raised_at=raised_at, watch=watch):
            return _with(issue, objection=Objection(objector, text, raised_at, watch))
        case ObjectionUpheld(times=times) if isinstance(issue, OnNotice):
            case_ = replace(issue.case, returned=times)
            return Underway(case_, issue.owner, issue.plan, issue.watch, issue.evidence)
        case ObjectionUpheld() if isinstance(issue, StruckOff):
            return _with(
                issue, objection=None, grounds=issue.grounds | {ReopenCause.objection_upheld}
            )
        case ObjectionDismissed(until=Deadline() as until):
            return _with(issue, objection=None, until=until)
        case ObjectionDismissed():
            return _with(issue, objection=None)
        case IssueStruckOff(verifier=verifier, verdicts_until=until):
            return StruckOff(_case_of(issue), _owner_of(issue), verifier, until)
        case VerdictRecorded() if isinstance(issue, StruckOff | NotPossible):
            verdict = Verdict(event.originator, event.solved, event.satisfied, event.comment)
            unsolved = event.solved is Solved.unsolved
            grounds = {ReopenCause.verdict_unsolved} if unsolved else frozenset()
            return _with(
                issue, verdicts=(*issue.verdicts, verdict), grounds=issue.grounds | grounds
            )
        case IssueReopened(owner=owner, reason=reason, times=times, watch=watch):
            case_ = _case_of(issue).held(owner, handed=reason, reopened=times)
            return Owned(case_, owner, watch)
        case LookedBack() if isinstance(issue, StruckOff):
            grounds = {ReopenCause.relapse} if event.relapse else frozenset()
            return _with(issue, seen=event, grounds=issue.grounds | grounds)
        case ConvertedToLongTerm(reason=reason, stage_goal=goal, watch=watch):
            return LongTerm(
                _case_of(issue),
                _owner_of(issue),
                reason,
                goal,
                watch,
                _evidence_of(issue),
                _first_due(issue),
            )
        case ExplainedNotPossible(explanation=explanation, verdicts_until=until):
            return NotPossible(_case_of(issue), _owner_if_any(issue), explanation, until)
        case IssueReminded():
            return issue
        case IssueUrged(concern=concern):
            return _climbed(issue, concern, 1)
        case IssueSupervised(concern=concern):
            return _climbed(issue, concern, 2)
        case IssueCalledToAccount(concern=concern):
            return _climbed(issue, concern, 3)
        case NoticePublished() | ObjectionUpheld() | VerdictRecorded() | LookedBack():
            return issue
        case _:
            assert_never(event)


def _climbed(issue: Issue, concern: Concern, rung: int) -> Issue:
    """Remember how far the ladder was climbed: a deadline that is taken up again goes on from there."""
    if concern is Concern.objection:
        return issue
    watch = _watch_of(issue)
    return _with(issue, watch=watch.model_copy(update={"climbed": max(watch.climbed, rung)}))


def _notice(event: SourceCorrected | SourceVoided) -> Notice:
    return Notice(event.source, event.key, event.event, isinstance(event, SourceVoided))


def _case(event: IssueOpened) -> Case:
    return Case(
        event.title,
        event.description,
        event.addressee,
        event.person,
        event.winds,
        event.topics,
        event.discovery,
        event.key_issue,
        event.strongly_reflected,
        event.sources,
        event.parent,
        event.raised_by,
    )


def _plan(event: MeasuresPlanned, first_due: Deadline) -> Plan:
    return Plan(
        event.mode,
        event.measures,
        event.reviewer,
        event.accountable_leader,
        event.responsible_department,
        first_due,
    )


def _first_due(issue: Issue) -> Deadline | None:
    """The deadline of the first plan, if there was one."""
    match issue:
        case Planned(plan=plan) | Underway(plan=plan):
            return plan.first_due
        case LongTerm(first_due=first_due):
            return first_due
        case _:
            return None


def _with(issue: Issue, **changes: object) -> Issue:
    return replace(issue, **changes)  # type: ignore[arg-type]  # only where the state has them


def _case_of(issue: Issue) -> Case:
    return issue.case  # type: ignore[union-attr]  # every event but the first finds one


def _owner_of(issue: Issue) -> PersonId:
    return issue.owner  # type: ignore[union-attr, return-value]  # only owned issues get here


def _owner_if_any(issue: Issue) -> PersonId | None:
    return getattr(issue, "owner", None)


def _plan_of(issue: Issue) -> Plan:
    return issue.plan  # type: ignore[union-attr]  # only planned issues get here


def _watch_of(issue: Issue) -> Watch:
    return issue.watch  # type: ignore[union-attr]  # only watched issues get here


def _evidence_of(issue: Issue) -> tuple[Evidence, ...]:
    return getattr(issue, "evidence", ())


decider: Decider[IssueCommand, IssueEvent, Issue, Facts] = Decider(
    "issue", Unopened(), decide, evolve, IssueCommand, IssueEvent, Issue
)
