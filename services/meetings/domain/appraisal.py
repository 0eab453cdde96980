"""The appraisal of a branch's members: self, mutual, by ballot; result, comment, what follows (R82-R86)."""

import hashlib
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Annotated, Any, assert_never

from services.campaign.calendar import FARTHEST
from services.campaign.directory import Directory
from services.campaign.events import Role, UnitKind
from services.meetings.events import (
    AppraisalCorrected,
    AppraisalEntry,
    AppraisalEntryVoided,
    AppraisalEvent,
    AppraisalOpened,
    AppraisalVoided,
    BallotOpened,
    BallotSlip,
    BallotsOpened,
    BallotVoided,
    Disposition,
    Grade,
    MemberAppraised,
    MemberCommentedOn,
    MemberDisposed,
    MemberEducated,
    MemberRecommended,
    ResultRecorded,
    SelfAppraised,
)
from shared.decider import Command, Decider, Instant, OutOfOrder, PersonId, Rejected
from shared.marks import Id, Occurred, Prose

PEOPLE = frozenset({"person"})
LEADERS = frozenset({Role.principal_leader, Role.supervisor})
HOSTS = frozenset({Role.branch_secretary, Role.principal_leader})
FEWEST = 5
"""Voters from which on a ballot can be called secret: below, a tally points at people."""

MOST = 100
"""Voters of one ballot: what they cast fits one event (768 KiB) whatever the grades are called."""

# -- Facts ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Facts:
    """What a decision on an appraisal looks at beside it.

    `code_hashes` are those of the slips a ballot would be opened with, `slips` what lies in the box
    of the ballot that is open.
    """

    directory: Directory
    code_hashes: tuple[str, ...] = ()
    slips: tuple[BallotSlip, ...] = ()

    def members(self, branch: str, day: date) -> tuple[PersonId, ...]:
        """The party members of a branch on a day, in a fixed order."""
        return tuple(sorted(self.directory.roster.party(branch, day)))

    def probationary(self, branch: str, day: date) -> tuple[PersonId, ...]:
        """Those among the members who neither vote nor are graded, in a fixed order."""
        on_probation = self.directory.roster.holders(Role.probationary_member, day)
        return tuple(person for person in self.members(branch, day) if person in on_probation)

    def secretaries(self, branch: str, day: date) -> frozenset[PersonId]:
        """Who leads a branch on a day: holds its post (or one without a unit, as a member), or deputises."""
        roster = self.directory.roster
        holders = roster.holders(Role.branch_secretary, day)
        held = {person for person in holders if self._heads(person, branch, day)}
        deputies = {
            roster.identity(named.deputy)
            for person in held
            for named in roster.people[person].deputies
            if named.holds(day)
        }
        return frozenset(p for p in held | deputies if roster.present(p, day))

    def _heads(self, person: PersonId, branch: str, day: date) -> bool:
        entry = self.directory.roster.people[person]
        units = entry.units(Role.branch_secretary, day)
        return branch in units if units else entry.branch(day) == branch

    def principals(self, branch: str, day: date) -> tuple[PersonId, ...]:
        """Who comments on each member (R84), as the school reads it; in a fixed order."""
        if self.directory.policy.setting("commenting_principal").value == "school":
            return tuple(sorted(self.directory.roster.acting(Role.principal_leader, day)))
        return tuple(sorted(self.secretaries(branch, day)))

    def hosts(self, person: PersonId, branch: str, at: datetime) -> bool:
        """Whether somebody runs a branch's appraisal: its secretary, or a principal leader."""
        day = self.directory.day(at)
        leads = Role.principal_leader in self.directory.roster.roles(person, day)
        return leads or person in self.secretaries(branch, day)


# -- Commands ------------------------------------------------------------------------------------


class OpenAppraisal(Command):
    """Begin the appraisal of a branch's members of a day; there is one per campaign and branch."""

    zh = "启动民主评议党员"
    allowed = HOSTS
    creates = True
    campaign: Id
    branch: Id
    on: date
    meeting: Id | None = None

    def unique(self) -> tuple[str, ...]:
        """One per campaign and branch."""
        return ("appraisal", self.campaign, self.branch)


class CorrectAppraisal(Command):
    """Put the day or the meeting right; the members are those of that day in today's roster."""

    zh = "更正民主评议"
    allowed = HOSTS
    on: date
    meeting: Id | None = None
    reason: Prose


class WriteSelfAppraisal(Command):
    """Say how one thinks, works, studies; and how one understands, feels about and does service (R82)."""

    zh = "填写个人总结"
    allowed = PEOPLE
    thought: Prose
    work: Prose
    study: Prose
    understanding: Prose
    attitude: Prose
    action: Prose
    occurred_at: Annotated[Instant | None, Occurred()] = None


class AppraiseMember(Command):
    """Say what one thinks of another member (R83); who runs the appraisal may enter it for the giver."""

    zh = "评议党员"
    allowed = PEOPLE
    member: Id
    text: Prose
    giver: Id | None = None
    occurred_at: Annotated[Instant | None, Occurred()] = None


class OpenBallot(Command):
    """Print a slip per member and let them vote; who is on probation gets none.

    A branch with fewer than five voters is told that secrecy is not possible: it votes only if it
    says that it does so although the ballot is not secret, and that is recorded.
    """

    zh = "发放选票"
    allowed = HOSTS
    although_not_secret: bool = False


class VoidBallot(Command):
    """Declare a ballot void, open or counted; another may be opened, with new slips."""

    zh = "作废投票"
    allowed = LEADERS
    reason: Prose


class CloseBallot(Command):
    """End the voting and open the box: everything cast is recorded at once."""

    zh = "截止投票并开箱"
    allowed = HOSTS


class RecordResult(Command):
    """Say which grade a member is given, after the ballot was counted."""

    zh = "确定评议等次"
    allowed = HOSTS
    member: Id
    grade: Grade
    occurred_at: Annotated[Instant | None, Occurred()] = None


class CommentOnMember(Command):
    """Comment on a member as the principal (R84)."""

    zh = "点评党员"
    allowed = HOSTS
    member: Id
    text: Prose
    occurred_at: Annotated[Instant | None, Occurred()] = None


class RecommendMember(Command):
    """Recommend a member of the best grade to the superior organisation (R85); nobody has to."""

    zh = "推荐优秀共产党员"
    allowed = HOSTS
    member: Id
    text: Prose
    occurred_at: Annotated[Instant | None, Occurred()] = None


class EducateMember(Command):
    """Record that an unqualified member was seriously criticised and educated (R86)."""

    zh = "批评教育"
    allowed = HOSTS
    member: Id
    text: Prose
    occurred_at: Annotated[Instant | None, Occurred()] = None


class DisposeMember(Command):
    """Record how an unqualified member is dealt with (R86)."""

    zh = "处置不合格党员"
    allowed = HOSTS
    member: Id
    disposition: Disposition
    text: Prose
    occurred_at: Annotated[Instant | None, Occurred()] = None


class VoidAppraisalEntry(Command):
    """Declare one entry void; it may then be entered anew, which is how a mistake is corrected."""

    zh = "作废评议记录"
    allowed = PEOPLE
    entry: AppraisalEntry
    member: Id
    giver: Id | None = None
    reason: Prose


class VoidAppraisal(Command):
    """Declare that the appraisal should never have been, or is to be redone; all of it counts nowhere."""

    zh = "作废民主评议"
    allowed = LEADERS
    reason: Prose


type AppraisalCommand = (
    OpenAppraisal
    | CorrectAppraisal
    | WriteSelfAppraisal
    | AppraiseMember
    | OpenBallot
    | VoidBallot
    | CloseBallot
    | RecordResult
    | CommentOnMember
    | RecommendMember
    | EducateMember
    | DisposeMember
    | VoidAppraisalEntry
    | VoidAppraisal
)


# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """Something entered about a member: by what it is found, what it says (as a digest), who recorded it."""

    kind: AppraisalEntry
    member: PersonId
    giver: PersonId | None
    digest: str
    grade: Grade | None = None
    recorded_by: PersonId | None = None


@dataclass(frozen=True)
class Sheet:
    """Whose appraisal it is, on which scale, and what was entered. `ballots` counts those opened.

    `probationary` are those among the members who neither vote nor are graded.
    """

    campaign: str
    branch: str
    on: date
    meeting: str | None
    members: tuple[PersonId, ...]
    principals: tuple[PersonId, ...]
    scale: tuple[Grade, ...]
    opened_by: PersonId
    probationary: tuple[PersonId, ...] = ()
    entries: tuple[Entry, ...] = ()
    ballots: int = 0

    @property
    def voters(self) -> tuple[PersonId, ...]:
        """The members who vote and are graded, each once, also where two entries were one person."""
        members = dict.fromkeys(self.members)
        return tuple(member for member in members if member not in self.probationary)

    def entry(self, kind: AppraisalEntry, member: str, giver: str | None = None) -> Entry | None:
        """The entry of a kind about a member, of one giver where there may be several."""
        return next(
            (e for e in self.entries if (e.kind, e.member, e.giver) == (kind, member, giver)), None
        )

    def grade(self, member: str) -> Grade | None:
        """The result of a member, if there is one."""
        result = self.entry(AppraisalEntry.result, member)
        return result.grade if result else None


@dataclass(frozen=True)
class Unopened:
    """The branch has no appraisal in this campaign."""


@dataclass(frozen=True)
class Opened:
    """Being written: members appraise themselves and each other."""

    sheet: Sheet


@dataclass(frozen=True)
class Balloting:
    """Slips are out, the box is open."""

    sheet: Sheet
    code_hashes: tuple[str, ...]
    secret: bool
    opened_by: PersonId


@dataclass(frozen=True)
class Counted:
    """The box was opened."""

    sheet: Sheet
    opened_by: PersonId


@dataclass(frozen=True)
class Voided:
    """Counts nowhere. `ballots` were opened until then, so that no slip of theirs counts again."""

    ballots: int


type Appraisal = Unopened | Opened | Balloting | Counted | Voided


# -- Rules ---------------------------------------------------------------------------------------


class NoSuchCampaign(Rejected):
    """There is no such campaign."""

    zh = "没有这项活动"


class NoSuchBranch(Rejected):
    """There is no such branch on that day."""

    zh = "当日没有这个支部"


class NotTheirBranch(Rejected):
    """Only the branch's secretary or a principal leader may do this."""

    zh = "只有本支部负责同志或主要领导可以进行这一操作"


class NobodyToAppraise(Rejected):
    """The branch has no party member on that day."""

    zh = "该支部当日没有党员"


class UnknownScale(Rejected):
    """The school's grading scale has a grade that nobody knows."""

    zh = "评议等次设置中有未知等次"


class TooFarAway(Rejected):
    """This day is too far away."""

    zh = "日期相距过远"


class AppraisalExists(Rejected):
    """The branch has an appraisal in this campaign already."""

    zh = "该支部在本次活动中已有民主评议"


class NotAMember(Rejected):
    """This person is not among the branch's members who are appraised."""

    zh = "该人员不在本支部参评党员之列"


class AppraisingOneself(Rejected):
    """Nobody is their own mutual appraiser."""

    zh = "相互评议不能评议本人"


class NotTheGiver(Rejected):
    """Only who runs the appraisal enters what another member said."""

    zh = "只有评议组织者可以代录他人的评议"


class AlreadyEntered(Rejected):
    """Something else is entered there already; it has to be voided first."""

    zh = "已有记录,须先作废再重新录入"


class NoSuchEntry(Rejected):
    """Nothing of that kind is entered there."""

    zh = "没有这条记录"


class NotTheirs(Rejected):
    """Only whose words they are, or who runs the appraisal, may void them."""

    zh = "只有本人或评议组织者可以作废"


class SecrecyNotPossible(Rejected):
    """With fewer than five voters a ballot is not secret; say so if you vote all the same."""

    zh = "投票人数不足五人,无法保密;如仍要投票,须确认不保密"


class SecrecyPossible(Rejected):
    """With five voters or more the ballot is secret."""

    zh = "投票人数已足五人,投票应当保密"


class TooManyVoters(Rejected):
    """A branch of more than a hundred members does not vote in one ballot."""

    zh = "支部党员超过一百人,不能一次投票"


class BallotOpen(Rejected):
    """Slips are out: first the ballot is closed or voided."""

    zh = "选票已发出,须先截止或作废投票"


class BallotCounted(Rejected):
    """The ballot was counted; there is no second one unless it is voided."""

    zh = "投票已开箱,不能再次发放选票"


class BallotNotCounted(Rejected):
    """There is no result before the ballot is counted."""

    zh = "投票尚未开箱,不能确定等次"


class OnProbation(Rejected):
    """A probationary member takes part in everything but vote and grade."""

    zh = "预备党员参加评议,但没有表决权,也不评定等次"


class NotOnTheScale(Rejected):
    """The scale of this appraisal has no such grade."""

    zh = "本次评议没有这个等次"


class NotThePrincipal(Rejected):
    """Only the principal comments on each member (R84)."""

    zh = "只有主要负责同志可以点评"


class JudgingOneself(Rejected):
    """Nobody decides or comments on themselves."""

    zh = "不得对本人作出评定、点评或处理"


class NotAModel(Rejected):
    """Only a member of the best grade may be recommended (R85)."""

    zh = "只有评为最高等次的党员可以推荐"


class NotUnqualified(Rejected):
    """Only an unqualified member is educated and disposed (R86)."""

    zh = "只有评为不合格的党员才须批评教育和处置"


class RestsOnIt(Rejected):
    """Something else was decided on the strength of it; that has to be voided first."""

    zh = "已有后续处理以此为依据,须先作废后续处理"


class SecondPerson(Rejected):
    """Whoever did it may not be the one who undoes it."""

    zh = "不得由同一人作废自己经办的事项"


# -- Deciding ------------------------------------------------------------------------------------


def decide(command: AppraisalCommand, appraisal: Appraisal, facts: Facts) -> AppraisalEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    appraisal = facts.directory.roster.settled(appraisal)
    match command, appraisal:
        case OpenAppraisal(), Unopened() | Voided():
            return _opened(command, facts)
        case OpenAppraisal(), Opened(sheet) | Balloting(sheet) | Counted(sheet):
            said = (command.campaign, command.branch, command.on, command.meeting)
            if said != (sheet.campaign, sheet.branch, sheet.on, sheet.meeting):
                raise AppraisalExists
            return None
        case CorrectAppraisal(), Opened(sheet):
            _host(command.by, sheet, facts, command.at)
            return _corrected(command, sheet, facts)
        case CorrectAppraisal() | OpenBallot(), Balloting(sheet, secret=secret):
            _host(command.by, sheet, facts, command.at)
            if isinstance(command, CorrectAppraisal) or command.although_not_secret == secret:
                raise BallotOpen
            return None
        case CorrectAppraisal() | OpenBallot(), Counted():
            raise BallotCounted

        case WriteSelfAppraisal(), Opened(sheet) | Balloting(sheet) | Counted(sheet):
            _member(command.by, sheet)
            texts = {name: getattr(command, name) for name in SELF}
            return _new(SelfAppraised(member=command.by, **texts), sheet)
        case AppraiseMember(), Opened(sheet) | Balloting(sheet) | Counted(sheet):
            return _appraised(command, sheet, facts)
        case CommentOnMember(member=member), Opened(sheet) | Balloting(sheet) | Counted(sheet):
            _member(member, sheet)
            day = facts.directory.day(command.occurred_at or command.at)
            if command.by not in facts.principals(sheet.branch, day):
                raise NotThePrincipal
            _another(command.by, member)
            comment = MemberCommentedOn(
                principal=command.by, member=PersonId(member), text=command.text
            )
            return _new(comment, sheet)

        case OpenBallot(although_not_secret=flag), Opened(sheet):
            _host(command.by, sheet, facts, command.at)
            if len(sheet.voters) > MOST:
                raise TooManyVoters
            few = len(sheet.voters) < FEWEST
            if few != flag:
                raise SecrecyNotPossible if few else SecrecyPossible
            return BallotOpened(
                round=sheet.ballots + 1,
                code_hashes=facts.code_hashes,
                secret=not few,
                opened_by=command.by,
            )
        case CloseBallot(), Balloting(sheet):
            _host(command.by, sheet, facts, command.at)
            return BallotsOpened(round=sheet.ballots, slips=facts.slips)
        case CloseBallot(), Counted():
            return None
        case VoidBallot(reason=reason), Balloting(sheet, opened_by=opener) | Counted(sheet, opener):
            if any(entry.kind is AppraisalEntry.result for entry in sheet.entries):
                raise RestsOnIt
            _second(command.by, opener)
            return BallotVoided(round=sheet.ballots, reason=reason)

        case RecordResult(), Opened() | Balloting():
            raise BallotNotCounted
        case RecordResult(member=member, grade=grade), Counted(sheet):
            _decides(command.by, member, sheet, facts, command.at)
            if member in sheet.probationary:
                raise OnProbation
            if grade not in sheet.scale:
                raise NotOnTheScale
            result = ResultRecorded(member=PersonId(member), grade=grade, recorded_by=command.by)
            return _new(result, sheet)
        case RecommendMember(member=member, text=text), Counted(sheet):
            _decides(command.by, member, sheet, facts, command.at)
            if sheet.grade(member) is not sheet.scale[0]:
                raise NotAModel
            recommended = MemberRecommended(
                member=PersonId(member), text=text, recorded_by=command.by
            )
            return _new(recommended, sheet)
        case EducateMember(member=member, text=text), Counted(sheet):
            _decides(command.by, member, sheet, facts, command.at)
            _unqualified(member, sheet)
            educated = MemberEducated(member=PersonId(member), text=text, recorded_by=command.by)
            return _new(educated, sheet)
        case DisposeMember(member=member, text=text), Counted(sheet):
            _decides(command.by, member, sheet, facts, command.at)
            _unqualified(member, sheet)
            disposed = MemberDisposed(
                member=PersonId(member),
                disposition=command.disposition,
                text=text,
                recorded_by=command.by,
            )
            return _new(disposed, sheet)

        case VoidAppraisalEntry(), Opened(sheet) | Balloting(sheet) | Counted(sheet):
            return _entry_voided(command, sheet, facts)
        case VoidAppraisal(reason=reason), Opened(sheet) | Balloting(sheet) | Counted(sheet):
            _second(command.by, sheet.opened_by)
            return AppraisalVoided(reason=reason)

        case _:
            raise OutOfOrder


def _opened(command: OpenAppraisal, facts: Facts) -> AppraisalOpened:
    """The members of that day, the scale in force, and who will comment."""
    directory = facts.directory
    if command.campaign not in directory.campaigns:
        raise NoSuchCampaign(command.campaign)
    _near(command.on, facts, command.at)
    if not directory.has_unit(command.branch, UnitKind.branch, command.on):
        raise NoSuchBranch(command.branch)
    if not facts.hosts(command.by, command.branch, command.at):
        raise NotTheirBranch
    grades = directory.policy.setting("grading_scale").value.split("|")
    if not set(grades) <= set(Grade):
        raise UnknownScale(" ".join(sorted(set(grades) - set(Grade))))
    return AppraisalOpened(
        campaign=command.campaign,
        branch=command.branch,
        on=command.on,
        meeting=command.meeting,
        members=_members(command.branch, command.on, facts),
        probationary=facts.probationary(command.branch, command.on),
        principals=facts.principals(command.branch, command.on),
        scale=tuple(Grade(grade) for grade in grades),
        opened_by=command.by,
    )


def _corrected(command: CorrectAppraisal, sheet: Sheet, facts: Facts) -> AppraisalCorrected | None:
    _near(command.on, facts, command.at)
    told: dict[str, Any] = {
        "on": command.on,
        "meeting": command.meeting,
        "members": _members(sheet.branch, command.on, facts),
        "probationary": facts.probationary(sheet.branch, command.on),
        "principals": facts.principals(sheet.branch, command.on),
    }
    if told == {name: getattr(sheet, name) for name in told}:
        return None
    return AppraisalCorrected(**told, reason=command.reason)


def _members(branch: str, day: date, facts: Facts) -> tuple[PersonId, ...]:
    members = facts.members(branch, day)
    if not members:
        raise NobodyToAppraise
    return members


def _appraised(command: AppraiseMember, sheet: Sheet, facts: Facts) -> AppraisalEvent | None:
    """What a member says of another one."""
    giver = PersonId(command.giver or command.by)
    _member(giver, sheet)
    _member(command.member, sheet)
    if giver != command.by and not facts.hosts(command.by, sheet.branch, command.at):
        raise NotTheGiver
    if giver == command.member:
        raise AppraisingOneself
    said = MemberAppraised(giver=giver, member=PersonId(command.member), text=command.text)
    return _new(said, sheet)


def _new[E: AppraisalEvent](event: E, sheet: Sheet) -> E | None:
    """An entry where there is none yet; the same one again is nothing new."""
    entry = _entry(event)
    before = sheet.entry(entry.kind, entry.member, entry.giver)
    if before is None:
        return event
    if (before.digest, before.grade) != (entry.digest, entry.grade):
        raise AlreadyEntered
    return None


def _entry_voided(command: VoidAppraisalEntry, sheet: Sheet, facts: Facts) -> AppraisalEntryVoided:
    entry = sheet.entry(command.entry, command.member, command.giver)
    if entry is None:
        raise NoSuchEntry
    hosts = facts.hosts(command.by, sheet.branch, command.at)
    if entry.kind in SPOKEN:
        if not hosts and command.by != (entry.giver or entry.member):
            raise NotTheirs
    else:
        if not hosts:
            raise NotTheirBranch
        _another(command.by, entry.member)
        _second(command.by, entry.recorded_by)
    if entry.kind is AppraisalEntry.result and any(
        e.kind in RESTING and e.member == entry.member for e in sheet.entries
    ):
        raise RestsOnIt
    return AppraisalEntryVoided(
        entry=entry.kind, member=entry.member, giver=entry.giver, reason=command.reason
    )


def _host(person: PersonId, sheet: Sheet, facts: Facts, at: datetime) -> None:
    if not facts.hosts(person, sheet.branch, at):
        raise NotTheirBranch


def _member(person: str, sheet: Sheet) -> None:
    if person not in sheet.members:
        raise NotAMember(person)


def _decides(person: PersonId, member: str, sheet: Sheet, facts: Facts, at: datetime) -> None:
    """Who runs the appraisal decides on every member but themselves."""
    _host(person, sheet, facts, at)
    _member(member, sheet)
    _another(person, member)


def _another(person: PersonId, member: str) -> None:
    if person == member:
        raise JudgingOneself


def _second(person: PersonId, first: PersonId | None) -> None:
    if person == first:
        raise SecondPerson


def _unqualified(member: str, sheet: Sheet) -> None:
    if sheet.grade(member) is not sheet.scale[-1]:
        raise NotUnqualified


def _near(day: date, facts: Facts, at: datetime) -> None:
    if abs(day - facts.directory.day(at)) > timedelta(days=FARTHEST):
        raise TooFarAway


SELF = ("thought", "work", "study", "understanding", "attitude", "action")
"""The six texts of a self-appraisal (R82)."""

SPOKEN = frozenset(
    {AppraisalEntry.self_appraisal, AppraisalEntry.appraisal, AppraisalEntry.comment}
)
"""What is somebody's own words: they may take them back themselves."""

RESTING = frozenset(
    {AppraisalEntry.recommendation, AppraisalEntry.education, AppraisalEntry.disposition}
)
"""What is decided on the strength of a result."""

KINDS: dict[type, AppraisalEntry] = {
    SelfAppraised: AppraisalEntry.self_appraisal,
    MemberAppraised: AppraisalEntry.appraisal,
    ResultRecorded: AppraisalEntry.result,
    MemberCommentedOn: AppraisalEntry.comment,
    MemberRecommended: AppraisalEntry.recommendation,
    MemberEducated: AppraisalEntry.education,
    MemberDisposed: AppraisalEntry.disposition,
}
"""Which event enters what."""


# -- Evolving ------------------------------------------------------------------------------------


def evolve(appraisal: Appraisal, event: AppraisalEvent) -> Appraisal:
    """What happened, happened: no rules here."""
    match event:
        case AppraisalOpened():
            ballots = appraisal.ballots if isinstance(appraisal, Voided) else 0
            return Opened(
                Sheet(
                    event.campaign,
                    event.branch,
                    event.on,
                    event.meeting,
                    event.members,
                    event.principals,
                    event.scale,
                    event.opened_by,
                    event.probationary,
                    ballots=ballots,
                )
            )
        case AppraisalCorrected():
            names = ("on", "meeting", "members", "probationary", "principals")
            return _sheeted(appraisal, **{name: getattr(event, name) for name in names})
        case BallotOpened(round=number, code_hashes=hashes, secret=secret, opened_by=opener):
            return Balloting(replace(_sheet(appraisal), ballots=number), hashes, secret, opener)
        case BallotVoided():
            return Opened(_sheet(appraisal))
        case BallotsOpened():
            return Counted(_sheet(appraisal), _opener(appraisal))
        case AppraisalEntryVoided(entry=kind, member=member, giver=giver):
            left = tuple(
                e
                for e in _sheet(appraisal).entries
                if (e.kind, e.member, e.giver) != (kind, member, giver)
            )
            return _sheeted(appraisal, entries=left)
        case AppraisalVoided():
            return Voided(_sheet(appraisal).ballots)
        case (
            SelfAppraised()
            | MemberAppraised()
            | ResultRecorded()
            | MemberCommentedOn()
            | MemberRecommended()
            | MemberEducated()
            | MemberDisposed()
        ):
            return _sheeted(appraisal, entries=(*_sheet(appraisal).entries, _entry(event)))
        case _:
            assert_never(event)


def _entry(event: AppraisalEvent) -> Entry:
    """What an event enters. Texts are tokens: equal ones are equal texts, their digest is enough."""
    said = event.model_dump(mode="json")
    who = {"member", "giver", "principal", "recorded_by", "grade"}
    words = "\x1f".join(str(said[name]) for name in sorted(said.keys() - who))
    return Entry(
        KINDS[type(event)],
        said["member"],
        said.get("giver") or said.get("principal"),
        hashlib.sha256(words.encode()).hexdigest(),
        getattr(event, "grade", None),
        said.get("recorded_by"),
    )


def _sheet(appraisal: Appraisal) -> Sheet:
    return appraisal.sheet  # type: ignore[union-attr]  # every event but the first finds one


def _opener(appraisal: Appraisal) -> PersonId:
    return appraisal.opened_by  # type: ignore[union-attr]  # only a ballot is counted


def _sheeted(appraisal: Appraisal, **changes: object) -> Appraisal:
    sheet = replace(_sheet(appraisal), **changes)  # type: ignore[arg-type]  # its own fields
    return replace(appraisal, sheet=sheet)  # type: ignore[arg-type]  # as above


decider: Decider[AppraisalCommand, AppraisalEvent, Appraisal, Facts] = Decider(
    "appraisal", Unopened(), decide, evolve, AppraisalCommand, AppraisalEvent, Appraisal
)
