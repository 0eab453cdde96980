"""A person in the roster: posts, branch, oversight and deputies, everything from a day to a day."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, assert_never

from pydantic import ConfigDict, Field

from services.campaign import roster as rosters
from services.campaign.calendar import Day
from services.campaign.directory import Directory
from services.campaign.domain import (
    ADMINISTRATION,
    AppointedFromOutside,
    EndsBeforeItBegins,
    FourEyes,
    NotInRoster,
    UnknownUnit,
    in_order,
    is_operator,
    recorded_by,
    supervises,
)
from services.campaign.events import (
    BranchJoined,
    BranchLeft,
    DeputyNamed,
    DeputyRecalled,
    LeavingVoided,
    MembershipVoided,
    MergeVoided,
    OversightLeft,
    OversightTaken,
    OversightVoided,
    PersonCorrected,
    PersonEntered,
    PersonEvent,
    PersonMerged,
    PersonVoided,
    Post,
    PostLeft,
    PostTaken,
    PostVoided,
    RejoiningVoided,
    Role,
    SchoolLeft,
    SchoolRejoined,
    UnitKind,
)
from shared.decider import Command, Decider, OutOfOrder, PersonId, Rejected
from shared.marks import BlindIndex, Id, Personal, PlainLine, Prose

UNIT_OF = {
    Role.department_head: UnitKind.department,
    Role.branch_secretary: UnitKind.branch,
    Role.grade_head: UnitKind.grade,
    Role.subject_group_head: UnitKind.subject_group,
}
"""Posts that are nothing without their unit; other posts may name one of any kind."""

# -- Commands ------------------------------------------------------------------------------------


class PostAsked(Post):
    """A post as a sender gives it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    since: Day
    unit: Id | None = None

    def post(self) -> Post:
        """The post as it is stored."""
        return Post(**dict(self))


class EnterPerson(Command):
    """Enter somebody into the roster, with what they are from the start: one row of a roster file.

    `number` is the school's own. Branch and oversight count from the day of joining.
    """

    zh = "登记人员"
    allowed = ADMINISTRATION
    creates = True
    name: Annotated[PlainLine, Personal()]
    number: Annotated[PlainLine, Personal()] | None = None
    number_index: Annotated[str | None, BlindIndex(of="number")] = None
    joined_on: Day
    posts: Annotated[tuple[PostAsked, ...], Field(max_length=30)] = ()
    branch: Id | None = None
    oversees: Annotated[tuple[Id, ...], Field(max_length=30)] = ()


class CorrectPerson(Command):
    """Put name, number or day of joining right; what began with joining moves along with it."""

    zh = "更正人员信息"
    allowed = ADMINISTRATION
    name: Annotated[PlainLine, Personal()]
    number: Annotated[PlainLine, Personal()] | None = None
    number_index: Annotated[str | None, BlindIndex(of="number")] = None
    joined_on: Day | None = None
    reason: Prose


class TakePost(Command):
    """Somebody has a post from a day on."""

    zh = "任职"
    allowed = ADMINISTRATION
    role: Role
    since: Day
    unit: Id | None = None


class LeavePost(Command):
    """Say which day is the last of a post."""

    zh = "免职"
    allowed = ADMINISTRATION
    role: Role
    until: Day
    unit: Id | None = None


class VoidPost(Command):
    """Strike out a post that was entered by mistake."""

    zh = "作废任职记录"
    allowed = ADMINISTRATION
    role: Role
    since: Day
    unit: Id | None = None
    reason: Prose


class JoinBranch(Command):
    """Belong to a party branch from a day on, and to the one before no longer."""

    zh = "编入党支部"
    allowed = ADMINISTRATION
    branch: Id
    since: Day


class LeaveBranch(Command):
    """Say which day is the last in a branch that is left for none."""

    zh = "转出党支部"
    allowed = ADMINISTRATION
    branch: Id
    until: Day


class VoidMembership(Command):
    """Strike out a membership of a branch that was entered by mistake."""

    zh = "作废编入支部记录"
    allowed = ADMINISTRATION
    branch: Id
    since: Day
    reason: Prose


class TakeOversight(Command):
    """Oversee (分管) a department from a day on."""

    zh = "分管部门"
    allowed = ADMINISTRATION
    department: Id
    since: Day


class LeaveOversight(Command):
    """Say which day is the last of overseeing a department."""

    zh = "不再分管部门"
    allowed = ADMINISTRATION
    department: Id
    until: Day


class VoidOversight(Command):
    """Strike out an oversight that was entered by mistake."""

    zh = "作废分管记录"
    allowed = ADMINISTRATION
    department: Id
    since: Day
    reason: Prose


class NameDeputy(Command):
    """Let somebody stand in, from the first to the last day of a leave."""

    zh = "指定代理人"
    allowed = ADMINISTRATION
    deputy: Id
    since: Day
    until: Day


class RecallDeputy(Command):
    """Somebody stands in no longer, from the day behind `until` on."""

    zh = "取消代理"
    allowed = ADMINISTRATION
    deputy: Id
    until: Day


class LeaveSchool(Command):
    """Say which day is somebody's last here."""

    zh = "离校"
    allowed = ADMINISTRATION
    on: Day


class VoidLeaving(Command):
    """Take a leaving back that was entered by mistake; everything held goes on."""

    zh = "作废离校记录"
    allowed = ADMINISTRATION
    reason: Prose


class RejoinSchool(Command):
    """Come back after leaving; posts, branch and oversight begin anew."""

    zh = "返校"
    allowed = ADMINISTRATION
    on: Day


class VoidRejoining(Command):
    """Take a return back that was entered by mistake; the leaving before it counts again."""

    zh = "作废返校记录"
    allowed = ADMINISTRATION
    reason: Prose


class MergePerson(Command):
    """This entry is the same human as another, which is the one that stays."""

    zh = "合并重复人员"
    allowed = ADMINISTRATION
    into: Id
    reason: Prose


class UnmergePerson(Command):
    """Take a merging back: two humans after all; a second person does it."""

    zh = "撤销合并人员"
    allowed = ADMINISTRATION
    reason: Prose


class VoidPerson(Command):
    """Strike out somebody who should never have been entered; a second person does it."""

    zh = "作废人员"
    allowed = ADMINISTRATION
    reason: Prose


type PersonCommand = (
    EnterPerson
    | CorrectPerson
    | TakePost
    | LeavePost
    | VoidPost
    | JoinBranch
    | LeaveBranch
    | VoidMembership
    | TakeOversight
    | LeaveOversight
    | VoidOversight
    | NameDeputy
    | RecallDeputy
    | LeaveSchool
    | VoidLeaving
    | RejoinSchool
    | VoidRejoining
    | MergePerson
    | UnmergePerson
    | VoidPerson
)

# -- States --------------------------------------------------------------------------------------


type StruckOut = PostVoided | MembershipVoided | OversightVoided


@dataclass(frozen=True)
class Unknown:
    """No such person."""


@dataclass(frozen=True)
class Entered:
    """The entry as every service folds it; why it was last put right; what was struck out of it."""

    entry: rosters.Person
    entered_by: PersonId | None = None
    corrected_for: str | None = None
    stayed_for: str | None = None
    away_for: str | None = None
    unmerged_for: str | None = None
    struck_out: tuple[StruckOut, ...] = ()


@dataclass(frozen=True)
class Merged:
    """Another entry stands for this one, which is kept as it was."""

    was: Entered
    into: PersonId
    reason: str
    merged_by: PersonId | None = None


@dataclass(frozen=True)
class Voided:
    """A clerk's mistake; counts nowhere."""

    reason: str


type Person = Unknown | Entered | Merged | Voided

# -- Rules ---------------------------------------------------------------------------------------


class NumberTaken(Rejected):
    """Somebody else has this number; `detail` is their id."""

    zh = "该编号已属于他人"


class DuplicatePost(Rejected):
    """The same post, or oversight, is given twice; `detail` names it."""

    zh = "同一职务或分管重复填写"


class UnitMissing(Rejected):
    """A head or secretary is one of a unit; `detail` names the post."""

    zh = "该职务必须写明所属单位"


class NotPresent(Rejected):
    """The person does not belong to the school on that day: not yet, not any more, or away."""

    zh = "该日期此人不在校"


class AlreadyHeld(Rejected):
    """The person has that already, or still had it on that day."""

    zh = "此人在该日期已任该职、已在该支部或已分管该部门"


class NotHeld(Rejected):
    """The person does not have that on that day."""

    zh = "此人在该日期并无该职务、支部、分管或代理"


class AlreadyLeft(Rejected):
    """The person has left already; the leaving can be taken back."""

    zh = "此人已登记离校,如有误可先作废离校记录"


class NotLeftYet(Rejected):
    """Nobody comes back before having left."""

    zh = "此人在该日期尚未离校"


class OneAndTheSame(Rejected):
    """Nobody stands in for themselves, or is merged into themselves."""

    zh = "不能指定本人代理,也不能与自身合并"


class Erased(Rejected):
    """Name and number of this person were erased; the entry stays as it is."""

    zh = "此人的个人信息已删除,记录不再变更"


class MergedElsewhere(Rejected):
    """Another entry stands for this person; `detail` is its id."""

    zh = "此人已合并到另一条记录"


def decide(command: PersonCommand, person: Person, directory: Directory) -> PersonEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    if command.stream in directory.erased:
        raise Erased
    match command, person:
        case EnterPerson(), Unknown():
            return _enter(command, directory)
        case EnterPerson(), Entered() if person == _entered(_row(command)):
            return None

        case MergePerson(into=into, reason=reason), Merged(_, other, before):
            if (into, reason) == (other, before):
                return None
            raise MergedElsewhere(other)
        case UnmergePerson(reason=reason), Merged():
            _may_unmerge(command, person, directory)
            return MergeVoided(reason=reason)
        case _, Merged(_, into):
            raise MergedElsewhere(into)
        case VoidPerson(reason=reason), Voided(before) if reason == before:
            return None

        case _, Entered(entry):
            _from_outside(command, entry, directory)
            return _change(command, person, directory)

        case _:
            raise OutOfOrder


def _change(command: PersonCommand, person: Entered, directory: Directory) -> PersonEvent | None:
    """The rows for somebody whose entry stands."""
    match command:
        case EnterPerson():
            raise OutOfOrder
        case CorrectPerson():
            return _correct(command, person, directory)
        case TakePost() | LeavePost() | VoidPost():
            return _post(command, person, directory)
        case JoinBranch() | LeaveBranch() | VoidMembership():
            return _branch(command, person, directory)
        case TakeOversight() | LeaveOversight() | VoidOversight():
            return _oversight(command, person, directory)
        case NameDeputy() | RecallDeputy():
            return _deputy(command, person.entry, directory)
        case LeaveSchool() | VoidLeaving() | RejoinSchool() | VoidRejoining():
            return _stay(command, person)
        case MergePerson(by=by, into=into, reason=reason):
            other = _other(into, command, directory)
            return PersonMerged(into=other, reason=reason, merged_by=by)
        case UnmergePerson(reason=reason):
            if reason == person.unmerged_for:
                return None
            raise OutOfOrder
        case VoidPerson(reason=reason):
            if recorded_by(person.entered_by, command.by, directory):
                raise FourEyes
            return PersonVoided(reason=reason)
        case _:
            assert_never(command)


def _from_outside(
    command: PersonCommand, entry: rosters.Person | None, directory: Directory
) -> None:
    """Refuse what would give, take or borrow a place in the supervision group from inside."""
    today = directory.day(command.at)
    match command:
        case EnterPerson(posts=posts):
            concerned = any(post.role is Role.supervisor for post in posts)
        case TakePost(role=role) | LeavePost(role=role) | VoidPost(role=role):
            concerned = role is Role.supervisor
        case MergePerson(into=into):
            concerned = supervises(PersonId(into), today, directory)
        case _:
            concerned = False
    if entry:
        concerned = concerned or entry.keeps(Role.supervisor, today)
    if concerned and not is_operator(command.by):
        raise AppointedFromOutside


# -- Entering and correcting ---------------------------------------------------------------------


def _row(command: EnterPerson) -> PersonEntered:
    return PersonEntered(
        name=command.name,
        number=command.number,
        number_index=command.number_index,
        joined_on=command.joined_on,
        posts=tuple(asked.post() for asked in command.posts),
        branch=command.branch,
        oversees=command.oversees,
        entered_by=command.by,
    )


def _entered(event: PersonEntered) -> Entered:
    return Entered(rosters.entered(event), event.entered_by)


def _enter(command: EnterPerson, directory: Directory) -> PersonEntered:
    _from_outside(command, None, directory)
    _number_free(command.number_index, command, directory)
    posts = [(post.role, post.unit) for post in command.posts]
    for post in command.posts:
        if posts.count((post.role, post.unit)) > 1:
            raise DuplicatePost(post.role)
        if post.since < command.joined_on:
            raise NotPresent(post.role)
        _unit_for(post.role, post.unit, post.since, directory)
    if command.branch:
        _exists(command.branch, UnitKind.branch, command.joined_on, directory)
    for department in command.oversees:
        if command.oversees.count(department) > 1:
            raise DuplicatePost(department)
        _exists(department, UnitKind.department, command.joined_on, directory)
    return _row(command)


def _correct(
    command: CorrectPerson, person: Entered, directory: Directory
) -> PersonCorrected | None:
    event = PersonCorrected(
        name=command.name,
        number=command.number,
        number_index=command.number_index,
        joined_on=command.joined_on,
        reason=command.reason,
    )
    entry = rosters.changed(person.entry, event)
    if entry == person.entry and command.reason == person.corrected_for:
        return None
    _number_free(command.number_index, command, directory)
    begun = (*entry.posts, *entry.branches, *entry.overseeing, *entry.deputies, *entry.absences)
    if any(dated.since < entry.joined_on for dated in begun):
        raise NotPresent
    if entry.left_on and entry.left_on < entry.joined_on:
        raise EndsBeforeItBegins
    return event


def _number_free(number_index: str | None, command: Command, directory: Directory) -> None:
    """Refuse a number that is somebody else's."""
    if number_index:
        holder = directory.roster.with_number(number_index)
        if holder not in {None, command.stream}:
            raise NumberTaken(holder or "")


# -- Posts, branch, oversight --------------------------------------------------------------------


def _post(
    command: TakePost | LeavePost | VoidPost, person: Entered, directory: Directory
) -> PersonEvent | None:
    role, unit = command.role, command.unit
    held = [p for p in person.entry.posts if (p.role, p.unit) == (role, unit)]
    match command:
        case TakePost(since=since):
            if _taken(held, since, person.entry):
                return None
            _unit_for(role, unit, since, directory)
            return PostTaken(role=role, since=since, unit=unit)
        case LeavePost(until=until):
            if _ended_on(held, until):
                return None
            return PostLeft(role=role, until=until, unit=unit)
        case VoidPost(since=since, reason=reason):
            void = PostVoided(role=role, since=since, unit=unit, reason=reason)
            return void if _to_strike_out(held, since, void, person) else None
        case _:
            assert_never(command)


def _branch(
    command: JoinBranch | LeaveBranch | VoidMembership, person: Entered, directory: Directory
) -> PersonEvent | None:
    branch, entry = command.branch, person.entry
    held = [m for m in entry.branches if m.branch == branch]
    match command:
        case JoinBranch(since=since):
            joined = BranchJoined(branch=branch, since=since)
            if rosters.changed(entry, joined) == entry:
                return None
            if not entry.present(since):
                raise NotPresent
            if any(m.since < since and m.holds(since) for m in held):
                raise AlreadyHeld
            _exists(branch, UnitKind.branch, since, directory)
            return joined
        case LeaveBranch(until=until):
            return None if _ended_on(held, until) else BranchLeft(branch=branch, until=until)
        case VoidMembership(since=since, reason=reason):
            void = MembershipVoided(branch=branch, since=since, reason=reason)
            return void if _to_strike_out(held, since, void, person) else None
        case _:
            assert_never(command)


def _oversight(
    command: TakeOversight | LeaveOversight | VoidOversight, person: Entered, directory: Directory
) -> PersonEvent | None:
    department = command.department
    held = [o for o in person.entry.overseeing if o.department == department]
    match command:
        case TakeOversight(since=since):
            if _taken(held, since, person.entry):
                return None
            _exists(department, UnitKind.department, since, directory)
            return OversightTaken(department=department, since=since)
        case LeaveOversight(until=until):
            if _ended_on(held, until):
                return None
            return OversightLeft(department=department, until=until)
        case VoidOversight(since=since, reason=reason):
            void = OversightVoided(department=department, since=since, reason=reason)
            return void if _to_strike_out(held, since, void, person) else None
        case _:
            assert_never(command)


def _taken(held: Sequence[rosters.Dated], since: date, entry: rosters.Person) -> bool:
    """Whether the very thing is held from that day on; refuses what would hold twice at a time."""
    if any(h.since == since and h.until is None for h in held):
        return True
    if any(h.reaches(since) for h in held):
        raise AlreadyHeld
    if not entry.present(since):
        raise NotPresent
    return False


def _ended_on(held: Sequence[rosters.Dated], until: date) -> bool:
    """Whether it has ended on that very day; refuses to end what does not hold then."""
    then = [h for h in held if h.holds(until)]
    if not then:
        raise NotHeld
    return then[0].until == until


def _to_strike_out(
    held: Sequence[rosters.Dated],
    since: date,
    void: StruckOut,
    person: Entered,
) -> bool:
    """Whether it is there to be struck out; not when it was, for that reason; else refuses."""
    if any(h.since == since for h in held):
        return True
    if void in person.struck_out:
        return False
    raise NotHeld


def _unit_for(role: Role, unit: str | None, day: date, directory: Directory) -> None:
    """Refuse a post whose unit is missing, of the wrong kind, or not there on a day."""
    if role in UNIT_OF:
        if unit is None:
            raise UnitMissing(role)
        _exists(unit, UNIT_OF[role], day, directory)
    elif unit and not any(directory.has_unit(unit, kind, day) for kind in UnitKind):
        raise UnknownUnit(unit)


def _exists(unit: str, kind: UnitKind, day: date, directory: Directory) -> None:
    if not directory.has_unit(unit, kind, day):
        raise UnknownUnit(unit)


# -- Deputies, leaving, merging ------------------------------------------------------------------


def _deputy(
    command: NameDeputy | RecallDeputy, entry: rosters.Person, directory: Directory
) -> PersonEvent | None:
    match command:
        case NameDeputy(since=since, until=until):
            deputy = PersonId(command.deputy)
            named = rosters.Deputising(deputy=deputy, since=since, until=until)
            if named in entry.deputies:
                return None
            in_order(since, until)
            if not entry.present(since):
                raise NotPresent
            _other(deputy, command, directory)
            if not directory.roster.present(deputy, since):
                raise NotPresent(deputy)
            return DeputyNamed(deputy=deputy, since=since, until=until)
        case RecallDeputy(until=until):
            deputy = PersonId(command.deputy)
            named_ever = [d for d in entry.deputies if d.deputy == deputy]
            if any(d.until is None or d.until > until for d in named_ever):
                return DeputyRecalled(deputy=deputy, until=until)
            if any(d.until == until for d in named_ever):
                return None
            raise NotHeld
        case _:
            assert_never(command)


def _stay(
    command: LeaveSchool | VoidLeaving | RejoinSchool | VoidRejoining, person: Entered
) -> PersonEvent | None:
    entry = person.entry
    match command:
        case LeaveSchool(on=on):
            if entry.left_on == on:
                return None
            if entry.left_on:
                raise AlreadyLeft
            if not entry.present(on) or any(on < absence.since for absence in entry.absences):
                raise NotPresent
            return SchoolLeft(on=on)
        case VoidLeaving(reason=reason):
            if entry.left_on:
                return LeavingVoided(reason=reason)
            if person.stayed_for == reason:
                return None
            raise OutOfOrder
        case RejoinSchool(on=on):
            if entry.left_on and on > entry.left_on:
                return SchoolRejoined(on=on)
            if entry.left_on is None and any(rosters.back_on(a) == on for a in entry.absences):
                return None
            raise NotLeftYet
        case VoidRejoining(reason=reason):
            if entry.left_on is None and entry.absences:
                return RejoiningVoided(reason=reason)
            if entry.left_on and person.away_for == reason:
                return None
            raise OutOfOrder
        case _:
            assert_never(command)


def _other(other: str, command: Command, directory: Directory) -> PersonId:
    """Another person whose entry stands."""
    person = PersonId(other)
    if person == command.stream:
        raise OneAndTheSame
    entry = directory.roster.people.get(person)
    if entry is None or not entry.counts:
        raise NotInRoster(person)
    if person in directory.erased:
        raise Erased(person)
    return person


def _may_unmerge(command: UnmergePerson, person: Merged, directory: Directory) -> None:
    if recorded_by(person.merged_by, command.by, directory):
        raise FourEyes
    entry = person.was.entry
    if not is_operator(command.by) and supervises(
        person.into, directory.day(command.at), directory
    ):
        raise AppointedFromOutside
    _from_outside(command, entry, directory)
    _number_free(entry.number_index, command, directory)


def evolve(person: Person, event: PersonEvent) -> Person:
    """What happened, happened: no rules here."""
    if isinstance(event, PersonEntered):
        return _entered(event)
    if isinstance(event, MergeVoided) and isinstance(person, Merged):
        return replace(person.was, unmerged_for=event.reason)
    before = _standing(person)
    after = replace(before, entry=rosters.changed(before.entry, event))
    match event:
        case PersonMerged(into=into, reason=reason, merged_by=merger):
            return Merged(before, into, reason, merger)
        case PersonVoided(reason=reason):
            return Voided(reason)
        case PersonCorrected(reason=reason):
            return replace(after, corrected_for=reason)
        case LeavingVoided(reason=reason):
            return replace(after, stayed_for=reason)
        case RejoiningVoided(reason=reason):
            return replace(after, away_for=reason)
        case PostVoided() | MembershipVoided() | OversightVoided():
            return replace(after, struck_out=(*before.struck_out, event))
        case (
            PostTaken()
            | PostLeft()
            | BranchJoined()
            | BranchLeft()
            | OversightTaken()
            | OversightLeft()
            | DeputyNamed()
            | DeputyRecalled()
            | SchoolLeft()
            | SchoolRejoined()
            | MergeVoided()
        ):
            return after
        case _:
            assert_never(event)


def _standing(person: Person) -> Entered:
    """The entry of somebody who is there.

    Raises:
        LookupError: there is none; such a history was never recorded.
    """
    if isinstance(person, Entered):
        return person
    raise LookupError


decider: Decider[PersonCommand, PersonEvent, Person, Directory] = Decider(
    "person",
    Unknown(),
    decide,
    evolve,
    commands=PersonCommand,
    events=PersonEvent,
    states=Person,
)
