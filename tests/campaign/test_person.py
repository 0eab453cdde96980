"""People join, take and leave posts, stand in for each other, leave, come back; all of it dated."""

from datetime import date

import pytest
from pydantic import ValidationError

from services.campaign.directory import Directory
from services.campaign.domain import (
    AppointedFromOutside,
    EndsBeforeItBegins,
    FourEyes,
    NotInRoster,
    UnknownUnit,
)
from services.campaign.domain.person import (
    AlreadyHeld,
    AlreadyLeft,
    CorrectPerson,
    DuplicatePost,
    EnterPerson,
    JoinBranch,
    LeaveBranch,
    LeaveOversight,
    LeavePost,
    LeaveSchool,
    MergedElsewhere,
    MergePerson,
    NameDeputy,
    NotHeld,
    NotLeftYet,
    NotPresent,
    NumberTaken,
    OneAndTheSame,
    PostAsked,
    RecallDeputy,
    RejoinSchool,
    TakeOversight,
    TakePost,
    UnitMissing,
    UnmergePerson,
    VoidLeaving,
    VoidMembership,
    VoidOversight,
    VoidPerson,
    VoidPost,
    VoidRejoining,
    decider,
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
from shared.decider import Command, OutOfOrder, PersonId, wire
from shared.marks import BlindIndex, Personal, mark, marked
from tests.campaign.examples import (
    ADMIN,
    DIRECTORY,
    GONE,
    GRADE_7,
    HEAD,
    LOGISTICS,
    MATHS,
    NEW_YEAR,
    NOBODY,
    NOON,
    OLD_OFFICE,
    OPERATOR,
    SCIENCE,
    SPARE,
    SUPERVISOR,
    TEACHER,
    TEACHING,
    TODAY,
    TOMORROW,
    YESTERDAY,
)
from tests.scenario import Scenario

ME = PersonId("p1")
BEFORE = date(2022, 12, 31)
SPRING, SUMMER = date(2023, 4, 1), date(2023, 7, 1)

person = Scenario(decider, DIRECTORY)
entered = PersonEntered(
    name="赖国栋",
    number="T9",
    number_index="index-of-T9",
    joined_on=NEW_YEAR,
    posts=(Post(role=Role.department_head, since=NEW_YEAR, unit=LOGISTICS),),
    branch=SCIENCE,
    oversees=(TEACHING,),
    entered_by=ADMIN,
)
corrected = PersonCorrected(
    name="赖国梁", number="T9", number_index="index-of-T9", reason="姓名写错"
)
post_taken = PostTaken(role=Role.team_member, since=TODAY)
post_left = PostLeft(role=Role.team_member, until=SUMMER)
post_voided = PostVoided(role=Role.team_member, since=TODAY, reason="误录")
branch_left = BranchLeft(branch=SCIENCE, until=TODAY)
membership_voided = MembershipVoided(branch=SCIENCE, since=NEW_YEAR, reason="误录")
oversight_taken = OversightTaken(department=LOGISTICS, since=TODAY)
oversight_left = OversightLeft(department=TEACHING, until=TODAY)
oversight_voided = OversightVoided(department=TEACHING, since=NEW_YEAR, reason="误录")
deputy_named = DeputyNamed(deputy=TEACHER, since=TODAY, until=SPRING)
deputy_recalled = DeputyRecalled(deputy=TEACHER, until=TOMORROW)
left = SchoolLeft(on=TODAY)
leaving_voided = LeavingVoided(reason="误录")
rejoined = SchoolRejoined(on=SUMMER)
rejoining_voided = RejoiningVoided(reason="误录")
merged = PersonMerged(into=TEACHER, reason="重复", merged_by=ADMIN)
unmerged = MergeVoided(reason="同名不同人")
voided = PersonVoided(reason="误录")

ROW = EnterPerson(
    by=ADMIN,
    at=NOON,
    stream=ME,
    name="赖国栋",
    number="T9",
    number_index="index-of-T9",
    joined_on=NEW_YEAR,
    posts=(PostAsked(role=Role.department_head, since=NEW_YEAR, unit=LOGISTICS),),
    branch=SCIENCE,
    oversees=(TEACHING,),
)


def enter(**change: object) -> EnterPerson:
    return ROW.model_copy(update=change)


def post(role: Role, since: date = NEW_YEAR, unit: str | None = None) -> PostAsked:
    return PostAsked(role=role, since=since, unit=unit)


def correct(
    name: str = "赖国梁",
    number_index: str | None = "index-of-T9",
    joined_on: date | None = None,
    reason: str = "姓名写错",
) -> CorrectPerson:
    return CorrectPerson(
        by=ADMIN,
        at=NOON,
        stream=ME,
        name=name,
        number="T9",
        number_index=number_index,
        joined_on=joined_on,
        reason=reason,
    )


def take(
    role: Role = Role.team_member,
    since: date = TODAY,
    unit: str | None = None,
    by: PersonId = ADMIN,
) -> TakePost:
    return TakePost(by=by, at=NOON, stream=ME, role=role, since=since, unit=unit)


def leave(
    role: Role = Role.team_member,
    until: date = SUMMER,
    unit: str | None = None,
    by: PersonId = ADMIN,
) -> LeavePost:
    return LeavePost(by=by, at=NOON, stream=ME, role=role, until=until, unit=unit)


def void_post(role: Role = Role.team_member, since: date = TODAY, reason: str = "误录") -> VoidPost:
    return VoidPost(by=ADMIN, at=NOON, stream=ME, role=role, since=since, reason=reason)


def join(branch: str = SCIENCE, since: date = TODAY) -> JoinBranch:
    return JoinBranch(by=ADMIN, at=NOON, stream=ME, branch=branch, since=since)


def leave_branch(branch: str = SCIENCE, until: date = TODAY) -> LeaveBranch:
    return LeaveBranch(by=ADMIN, at=NOON, stream=ME, branch=branch, until=until)


def void_membership(since: date = NEW_YEAR, reason: str = "误录") -> VoidMembership:
    return VoidMembership(by=ADMIN, at=NOON, stream=ME, branch=SCIENCE, since=since, reason=reason)


def oversee(department: str = LOGISTICS, since: date = TODAY) -> TakeOversight:
    return TakeOversight(by=ADMIN, at=NOON, stream=ME, department=department, since=since)


def leave_oversight(department: str = TEACHING, until: date = TODAY) -> LeaveOversight:
    return LeaveOversight(by=ADMIN, at=NOON, stream=ME, department=department, until=until)


def void_oversight(since: date = NEW_YEAR, reason: str = "误录") -> VoidOversight:
    return VoidOversight(
        by=ADMIN, at=NOON, stream=ME, department=TEACHING, since=since, reason=reason
    )


def name_deputy(
    deputy: PersonId = TEACHER, since: date = TODAY, until: date = SPRING
) -> NameDeputy:
    return NameDeputy(by=ADMIN, at=NOON, stream=ME, deputy=deputy, since=since, until=until)


def recall(deputy: PersonId = TEACHER, until: date = TOMORROW) -> RecallDeputy:
    return RecallDeputy(by=ADMIN, at=NOON, stream=ME, deputy=deputy, until=until)


def leave_school(on: date = TODAY) -> LeaveSchool:
    return LeaveSchool(by=ADMIN, at=NOON, stream=ME, on=on)


def void_leaving(reason: str = "误录") -> VoidLeaving:
    return VoidLeaving(by=ADMIN, at=NOON, stream=ME, reason=reason)


def rejoin(on: date = SUMMER) -> RejoinSchool:
    return RejoinSchool(by=ADMIN, at=NOON, stream=ME, on=on)


def void_rejoining(reason: str = "误录") -> VoidRejoining:
    return VoidRejoining(by=ADMIN, at=NOON, stream=ME, reason=reason)


def merge(into: PersonId = TEACHER, reason: str = "重复", by: PersonId = ADMIN) -> MergePerson:
    return MergePerson(by=by, at=NOON, stream=ME, into=into, reason=reason)


def unmerge(reason: str = "同名不同人", by: PersonId = HEAD) -> UnmergePerson:
    return UnmergePerson(by=by, at=NOON, stream=ME, reason=reason)


def void(reason: str = "误录", by: PersonId = HEAD) -> VoidPerson:
    return VoidPerson(by=by, at=NOON, stream=ME, reason=reason)


ANYTHING: tuple[Command, ...] = (
    correct(),
    take(),
    leave(),
    void_post(),
    join(),
    leave_branch(),
    void_membership(),
    oversee(),
    leave_oversight(),
    void_oversight(),
    name_deputy(),
    recall(),
    leave_school(),
    void_leaving(),
    rejoin(),
    void_rejoining(),
    merge(),
    unmerge(),
    void(),
)

# -- Entering --------------------------------------------------------------------------------------


def test_one_row_of_a_roster_is_one_command() -> None:
    person.given().when(enter()).then(entered)


def test_entering_somebody_again_records_nothing() -> None:
    person.given(entered).when(enter()).then_nothing()


def test_somebody_is_not_entered_twice_with_different_things() -> None:
    person.given(entered).when(enter(name="赖国梁")).then_rejected(OutOfOrder)
    person.given(entered, post_taken).when(enter()).then_rejected(OutOfOrder)


def test_name_and_number_are_sealed_with_the_persons_own_key() -> None:
    assert marked(EnterPerson)["name"] == marked(CorrectPerson)["name"] == Personal()
    assert marked(EnterPerson)["number"] == marked(CorrectPerson)["number"] == Personal()
    index = mark(EnterPerson.model_fields["number_index"], BlindIndex)
    assert index == mark(CorrectPerson.model_fields["number_index"], BlindIndex)
    assert index == BlindIndex(of="number")


def test_a_number_is_one_persons() -> None:
    person.given().when(enter(number_index="index-of-T1")).then_rejected(NumberTaken)
    with pytest.raises(NumberTaken) as refusal:
        person.given().when(enter(number_index="index-of-T1")).decided()
    assert refusal.value.detail == TEACHER


def test_several_people_have_no_number() -> None:
    person.given().when(enter(number=None, number_index=None)).then(
        entered.model_copy(update={"number": None, "number_index": None})
    )


def test_a_post_is_given_once() -> None:
    twice = (post(Role.team_member), post(Role.team_member))
    person.given().when(enter(posts=twice)).then_rejected(DuplicatePost)
    person.given().when(enter(oversees=(TEACHING, TEACHING))).then_rejected(DuplicatePost)


def test_somebody_may_head_two_units() -> None:
    both = (
        post(Role.department_head, unit=LOGISTICS),
        post(Role.department_head, unit=TEACHING),
    )
    event = person.given().when(enter(posts=both)).decided()
    assert isinstance(event, PersonEntered)
    assert [p.unit for p in event.posts] == [LOGISTICS, TEACHING]


def test_nobody_has_a_post_before_joining() -> None:
    person.given().when(enter(posts=(post(Role.team_member, BEFORE),))).then_rejected(NotPresent)


@pytest.mark.parametrize(
    "change",
    [
        {"branch": "no-such-branch"},
        {"branch": TEACHING},
        {"oversees": (SCIENCE,)},
        {"posts": (post(Role.department_head, unit=SCIENCE),)},
        {"posts": (post(Role.branch_secretary, unit=TEACHING),)},
        {"posts": (post(Role.grade_head, unit=MATHS),)},
        {"posts": (post(Role.subject_group_head, unit=GRADE_7),)},
        {"posts": (post(Role.school_administrator, unit="no-such-unit"),)},
        {"posts": (post(Role.department_head, since=TODAY, unit=OLD_OFFICE),)},
    ],
)
def test_units_exist_are_of_the_kind_and_not_closed(change: dict[str, object]) -> None:
    person.given().when(enter(**change)).then_rejected(UnknownUnit)


@pytest.mark.parametrize(
    "role",
    [Role.department_head, Role.branch_secretary, Role.grade_head, Role.subject_group_head],
)
def test_a_head_is_head_of_something(role: Role) -> None:
    person.given().when(enter(posts=(post(role),))).then_rejected(UnitMissing)
    person.given(entered).when(take(role)).then_rejected(UnitMissing)


def test_other_posts_may_name_a_unit() -> None:
    administrative = (post(Role.administrative_head, unit=TEACHING),)
    event = person.given().when(enter(posts=administrative)).decided()
    assert isinstance(event, PersonEntered)
    assert event.posts == (Post(role=Role.administrative_head, since=NEW_YEAR, unit=TEACHING),)


# -- Correcting ------------------------------------------------------------------------------------


def test_a_name_is_put_right() -> None:
    person.given(entered).when(correct()).then(corrected)


def test_putting_it_right_again_records_nothing() -> None:
    person.given(entered, corrected).when(correct()).then_nothing()


def test_another_reason_is_recorded() -> None:
    person.given(entered, corrected).when(correct(reason="改名")).then(
        corrected.model_copy(update={"reason": "改名"})
    )


def test_a_number_is_put_right_to_a_free_one() -> None:
    person.given(entered).when(correct(number_index="index-of-T1")).then_rejected(NumberTaken)
    free = correct(number_index="index-of-T10")
    person.given(entered).when(free).then(
        corrected.model_copy(update={"number_index": "index-of-T10"})
    )


def test_ones_own_number_is_no_obstacle() -> None:
    mine = DIRECTORY.roster.people[TEACHER].model_copy(update={"number_index": "index-of-T9"})
    people = {**DIRECTORY.roster.people, ME: mine}
    roster = DIRECTORY.roster.model_copy(update={"people": people})
    person.knowing(DIRECTORY.model_copy(update={"roster": roster})).given(entered).when(
        correct()
    ).then(corrected)


def test_the_day_of_joining_is_put_right() -> None:
    earlier = correct(joined_on=BEFORE)
    person.given(entered).when(earlier).then(corrected.model_copy(update={"joined_on": BEFORE}))


def test_nothing_begins_before_the_right_day_of_joining() -> None:
    person.given(entered, post_taken).when(correct(joined_on=TOMORROW)).then_rejected(NotPresent)


def test_somebody_may_have_been_there_for_one_day() -> None:
    person.given(entered, left).when(correct(joined_on=TODAY)).then(
        corrected.model_copy(update={"joined_on": TODAY})
    )


def test_nobody_left_before_the_right_day_of_joining() -> None:
    person.given(entered, left).when(correct(joined_on=TOMORROW)).then_rejected(EndsBeforeItBegins)


# -- Posts -----------------------------------------------------------------------------------------


def test_a_post_is_taken() -> None:
    person.given(entered).when(take()).then(post_taken)


def test_there_may_be_several_principal_leaders() -> None:
    person.given(entered).when(take(Role.principal_leader)).then(
        PostTaken(role=Role.principal_leader, since=TODAY)
    )


def test_taking_it_again_records_nothing() -> None:
    person.given(entered, post_taken).when(take()).then_nothing()


@pytest.mark.parametrize("since", [YESTERDAY, TOMORROW])
def test_a_post_is_held_once_at_a_time(since: date) -> None:
    person.given(entered, post_taken).when(take(since=since)).then_rejected(AlreadyHeld)


def test_the_same_post_of_another_unit_is_another_post() -> None:
    person.given(entered).when(take(Role.department_head, TODAY, TEACHING)).then(
        PostTaken(role=Role.department_head, since=TODAY, unit=TEACHING)
    )


def test_a_post_is_taken_again_after_it_was_left() -> None:
    again = date(2023, 7, 2)
    person.given(entered, post_taken, post_left).when(take(since=SUMMER)).then_rejected(AlreadyHeld)
    person.given(entered, post_taken, post_left).when(take(since=again)).then(
        PostTaken(role=Role.team_member, since=again)
    )


def test_no_post_is_taken_before_joining_or_after_leaving() -> None:
    person.given(entered).when(take(since=BEFORE)).then_rejected(NotPresent)
    person.given(entered, left).when(take(since=TOMORROW)).then_rejected(NotPresent)


def test_a_post_of_an_unknown_unit_is_not_taken() -> None:
    person.given(entered).when(take(unit="no-such-unit")).then_rejected(UnknownUnit)


def test_a_post_is_left() -> None:
    person.given(entered, post_taken).when(leave()).then(post_left)


def test_leaving_it_again_records_nothing() -> None:
    person.given(entered, post_taken, post_left).when(leave()).then_nothing()


def test_it_turns_out_to_have_been_left_earlier() -> None:
    person.given(entered, post_taken, post_left).when(leave(until=SPRING)).then(
        PostLeft(role=Role.team_member, until=SPRING)
    )


@pytest.mark.parametrize("until", [YESTERDAY, date(2023, 7, 2)])
def test_a_post_is_not_left_when_it_was_not_held(until: date) -> None:
    person.given(entered, post_taken, post_left).when(leave(until=until)).then_rejected(NotHeld)


def test_a_post_is_struck_out() -> None:
    person.given(entered, post_taken).when(void_post()).then(post_voided)


def test_striking_a_post_out_again_records_nothing() -> None:
    person.given(entered, post_taken, post_voided).when(void_post()).then_nothing()


def test_a_post_that_was_not_entered_is_not_struck_out() -> None:
    person.given(entered).when(void_post()).then_rejected(NotHeld)
    person.given(entered, post_taken).when(void_post(since=TOMORROW)).then_rejected(NotHeld)
    person.given(entered, post_taken, post_voided).when(void_post(reason="另")).then_rejected(
        NotHeld
    )


def test_a_post_is_taken_and_struck_out_once_more() -> None:
    past = (entered, post_taken, post_voided)
    person.given(*past).when(take()).then(post_taken)
    person.given(*past, post_taken).when(void_post()).then(post_voided)


# -- Branch ----------------------------------------------------------------------------------------

NO_BRANCH = entered.model_copy(update={"branch": None})


def test_a_branch_is_joined() -> None:
    person.given(NO_BRANCH).when(join()).then(BranchJoined(branch=SCIENCE, since=TODAY))


def test_joining_it_again_records_nothing() -> None:
    joined = BranchJoined(branch=SCIENCE, since=TODAY)
    person.given(NO_BRANCH, joined).when(join()).then_nothing()
    person.given(entered).when(join(since=NEW_YEAR)).then_nothing()


def test_nobody_joins_the_branch_they_are_in() -> None:
    person.given(entered).when(join()).then_rejected(AlreadyHeld)


def test_only_a_branch_is_joined() -> None:
    person.given(NO_BRANCH).when(join(TEACHING)).then_rejected(UnknownUnit)


def test_no_branch_is_joined_before_the_school() -> None:
    person.given(NO_BRANCH).when(join(since=BEFORE)).then_rejected(NotPresent)


def test_a_branch_is_left() -> None:
    person.given(entered).when(leave_branch()).then(branch_left)


def test_leaving_a_branch_again_records_nothing() -> None:
    person.given(entered, branch_left).when(leave_branch()).then_nothing()


def test_the_branch_one_is_not_in_is_not_left() -> None:
    person.given(entered).when(leave_branch("arts")).then_rejected(NotHeld)


def test_a_left_branch_is_joined_again_from_the_first_day_if_the_leaving_was_a_mistake() -> None:
    person.given(entered, branch_left).when(join(since=NEW_YEAR)).then(
        BranchJoined(branch=SCIENCE, since=NEW_YEAR)
    )


def test_a_membership_is_struck_out() -> None:
    person.given(entered).when(void_membership()).then(membership_voided)


def test_striking_a_membership_out_again_records_nothing() -> None:
    person.given(entered, membership_voided).when(void_membership()).then_nothing()


def test_a_membership_that_was_not_entered_is_not_struck_out() -> None:
    person.given(entered).when(void_membership(TODAY)).then_rejected(NotHeld)


# -- Oversight -------------------------------------------------------------------------------------


def test_a_department_is_overseen() -> None:
    person.given(entered).when(oversee()).then(oversight_taken)


def test_overseeing_it_again_records_nothing() -> None:
    person.given(entered, oversight_taken).when(oversee()).then_nothing()


def test_a_department_is_overseen_once_at_a_time() -> None:
    person.given(entered).when(oversee(TEACHING)).then_rejected(AlreadyHeld)


def test_only_a_department_is_overseen() -> None:
    person.given(entered).when(oversee(SCIENCE)).then_rejected(UnknownUnit)


def test_nothing_is_overseen_before_joining() -> None:
    person.given(entered).when(oversee(since=BEFORE)).then_rejected(NotPresent)


def test_an_oversight_ends() -> None:
    person.given(entered).when(leave_oversight()).then(oversight_left)


def test_ending_an_oversight_again_records_nothing() -> None:
    person.given(entered, oversight_left).when(leave_oversight()).then_nothing()


def test_what_is_not_overseen_does_not_end() -> None:
    person.given(entered).when(leave_oversight(LOGISTICS)).then_rejected(NotHeld)


def test_an_oversight_is_struck_out() -> None:
    person.given(entered).when(void_oversight()).then(oversight_voided)


def test_striking_an_oversight_out_again_records_nothing() -> None:
    person.given(entered, oversight_voided).when(void_oversight()).then_nothing()


def test_an_oversight_that_was_not_entered_is_not_struck_out() -> None:
    person.given(entered).when(void_oversight(TODAY)).then_rejected(NotHeld)


# -- Deputies --------------------------------------------------------------------------------------


def test_a_deputy_is_named() -> None:
    person.given(entered).when(name_deputy()).then(deputy_named)


def test_naming_a_deputy_again_records_nothing() -> None:
    person.given(entered, deputy_named).when(name_deputy()).then_nothing()


def test_a_leave_is_extended() -> None:
    person.given(entered, deputy_named).when(name_deputy(until=SUMMER)).then(
        DeputyNamed(deputy=TEACHER, since=TODAY, until=SUMMER)
    )


def test_a_leave_ends_after_it_begins() -> None:
    person.given(entered).when(name_deputy(until=YESTERDAY)).then_rejected(EndsBeforeItBegins)


def test_nobody_is_their_own_deputy() -> None:
    person.given(entered).when(name_deputy(ME)).then_rejected(OneAndTheSame)


def test_a_deputy_is_somebody_in_the_roster() -> None:
    person.given(entered).when(name_deputy(NOBODY)).then_rejected(NotInRoster)


def test_a_deputy_is_there() -> None:
    person.given(entered).when(name_deputy(GONE)).then_rejected(NotPresent)


def test_whoever_has_left_names_no_deputy() -> None:
    person.given(entered, left).when(name_deputy(since=TOMORROW)).then_rejected(NotPresent)


def test_a_deputy_is_recalled() -> None:
    person.given(entered, deputy_named).when(recall()).then(deputy_recalled)


def test_a_deputy_is_recalled_before_the_leave_began() -> None:
    person.given(entered, deputy_named).when(recall(until=YESTERDAY)).then(
        DeputyRecalled(deputy=TEACHER, until=YESTERDAY)
    )


@pytest.mark.parametrize("until", [TOMORROW, SPRING])
def test_recalling_a_deputy_again_records_nothing(until: date) -> None:
    past = (entered, deputy_named) if until == SPRING else (entered, deputy_named, deputy_recalled)
    person.given(*past).when(recall(until=until)).then_nothing()


def test_whoever_is_no_deputy_is_not_recalled() -> None:
    person.given(entered).when(recall()).then_rejected(NotHeld)
    person.given(entered, deputy_named).when(recall(until=SUMMER)).then_rejected(NotHeld)


# -- Leaving and coming back -----------------------------------------------------------------------


def test_somebody_leaves() -> None:
    person.given(entered).when(leave_school()).then(left)


def test_leaving_again_records_nothing() -> None:
    person.given(entered, left).when(leave_school()).then_nothing()


def test_somebody_leaves_once() -> None:
    person.given(entered, left).when(leave_school(TOMORROW)).then_rejected(AlreadyLeft)


def test_nobody_leaves_before_joining() -> None:
    person.given(entered).when(leave_school(BEFORE)).then_rejected(NotPresent)


def test_nobody_leaves_in_an_earlier_stay() -> None:
    person.given(entered, left, rejoined).when(leave_school(YESTERDAY)).then_rejected(NotPresent)


def test_whoever_came_back_the_next_day_may_leave_that_day() -> None:
    back = SchoolRejoined(on=TOMORROW)
    person.given(entered, left, back).when(leave_school(TOMORROW)).then(SchoolLeft(on=TOMORROW))


def test_a_leaving_is_struck_out() -> None:
    person.given(entered, left).when(void_leaving()).then(leaving_voided)


def test_striking_a_leaving_out_again_records_nothing() -> None:
    person.given(entered, left, leaving_voided).when(void_leaving()).then_nothing()


def test_a_leaving_that_was_not_entered_is_not_struck_out() -> None:
    person.given(entered).when(void_leaving()).then_rejected(OutOfOrder)


def test_somebody_comes_back() -> None:
    person.given(entered, left).when(rejoin()).then(rejoined)


def test_coming_back_again_records_nothing() -> None:
    person.given(entered, left, rejoined).when(rejoin()).then_nothing()


def test_nobody_comes_back_before_having_left() -> None:
    person.given(entered).when(rejoin()).then_rejected(NotLeftYet)
    person.given(entered, left).when(rejoin(TODAY)).then_rejected(NotLeftYet)


def test_a_return_is_struck_out() -> None:
    person.given(entered, left, rejoined).when(void_rejoining()).then(rejoining_voided)


def test_striking_a_return_out_again_records_nothing() -> None:
    away = (entered, left, rejoined, rejoining_voided)
    person.given(*away).when(void_rejoining()).then_nothing()
    person.given(*away).when(void_rejoining("另")).then_rejected(OutOfOrder)


def test_a_return_that_was_not_entered_is_not_struck_out() -> None:
    for past in ((entered,), (entered, left), (entered, left, rejoined, rejoining_voided)):
        person.given(*past).when(void_rejoining("另")).then_rejected(OutOfOrder)
    stayed = (entered, left, rejoined, rejoining_voided, leaving_voided)
    person.given(*stayed).when(void_rejoining()).then_rejected(OutOfOrder)


def test_whoever_left_again_has_returned_until_that_leaving_is_struck_out() -> None:
    again = (entered, left, rejoined, SchoolLeft(on=date(2023, 8, 1)))
    person.given(*again).when(void_rejoining()).then_rejected(OutOfOrder)
    person.given(*again, leaving_voided).when(void_rejoining()).then(rejoining_voided)


def test_whoever_has_not_returned_after_all_may_return_later_or_never_have_left() -> None:
    away = (entered, left, rejoined, rejoining_voided)
    person.given(*away).when(rejoin(TOMORROW)).then(SchoolRejoined(on=TOMORROW))
    person.given(*away).when(void_leaving()).then(leaving_voided)


# -- Merging and striking out ----------------------------------------------------------------------


def test_a_duplicate_is_merged() -> None:
    person.given(entered).when(merge()).then(merged)


def test_merging_it_again_records_nothing() -> None:
    person.given(entered, merged).when(merge()).then_nothing()


def test_a_merged_entry_points_to_the_one_that_stays() -> None:
    for command in (*ANYTHING, enter(), merge(HEAD)):
        if command not in {merge(), unmerge()}:
            person.given(entered, merged).when(command).then_rejected(MergedElsewhere)
    with pytest.raises(MergedElsewhere) as refusal:
        person.given(entered, merged).when(take()).decided()
    assert refusal.value.detail == TEACHER


def test_a_merging_is_taken_back_and_the_entry_is_as_it_was() -> None:
    person.given(entered, post_taken, merged).when(unmerge()).then(unmerged)
    apart = person.given(entered, post_taken, merged, unmerged)
    apart.when(take()).then_nothing()
    apart.when(merge()).then(merged)


def test_taking_a_merging_back_again_records_nothing() -> None:
    person.given(entered, merged, unmerged).when(unmerge()).then_nothing()
    person.given(entered, merged, unmerged).when(unmerge("另")).then_rejected(OutOfOrder)


def test_whoever_merged_does_not_take_it_back() -> None:
    person.given(entered, merged).when(unmerge(by=ADMIN)).then_rejected(FourEyes)
    by_twin = merged.model_copy(update={"merged_by": SPARE})
    person.knowing(with_twin(ADMIN)).given(entered, by_twin).when(unmerge(by=ADMIN)).then_rejected(
        FourEyes
    )


def test_no_merging_is_taken_back_that_would_give_two_people_one_number() -> None:
    teachers = entered.model_copy(update={"number": "T1", "number_index": "index-of-T1"})
    person.given(teachers, merged).when(unmerge()).then_rejected(NumberTaken)


def test_what_was_not_merged_is_not_taken_apart() -> None:
    person.given(entered).when(unmerge()).then_rejected(OutOfOrder)


def with_twin(of: PersonId) -> Directory:
    """The school after a second entry of somebody was merged into the first."""
    twin = DIRECTORY.roster.people[of].model_copy(update={"merged_into": of})
    people = {**DIRECTORY.roster.people, SPARE: twin}
    roster = DIRECTORY.roster.model_copy(update={"people": people})
    return DIRECTORY.model_copy(update={"roster": roster})


def test_nobody_is_merged_into_themselves() -> None:
    person.given(entered).when(merge(ME)).then_rejected(OneAndTheSame)


def test_nobody_is_merged_into_somebody_unknown() -> None:
    person.given(entered).when(merge(NOBODY)).then_rejected(NotInRoster)


def test_nobody_is_merged_into_an_entry_that_does_not_stand() -> None:
    void_entry = DIRECTORY.roster.people[TEACHER].model_copy(update={"voided": True})
    people = {**DIRECTORY.roster.people, TEACHER: void_entry}
    roster = DIRECTORY.roster.model_copy(update={"people": people})
    person.knowing(DIRECTORY.model_copy(update={"roster": roster})).given(entered).when(
        merge()
    ).then_rejected(NotInRoster)


def test_an_entry_is_struck_out() -> None:
    person.given(entered).when(void()).then(voided)


def test_whoever_entered_somebody_does_not_strike_them_out() -> None:
    person.given(entered).when(void(by=ADMIN)).then_rejected(FourEyes)
    by_twin = entered.model_copy(update={"entered_by": SPARE})
    person.knowing(with_twin(ADMIN)).given(by_twin).when(void(by=ADMIN)).then_rejected(FourEyes)


def test_striking_an_entry_out_again_records_nothing() -> None:
    person.given(entered, voided).when(void()).then_nothing()


def test_an_entry_struck_out_stays_so() -> None:
    for command in (*ANYTHING[:-1], enter(), void("另一理由")):
        person.given(entered, voided).when(command).then_rejected(OutOfOrder)


def test_nothing_happens_to_somebody_unknown() -> None:
    for command in ANYTHING:
        person.given().when(command).then_rejected(OutOfOrder)


# -- The supervision group comes from outside ------------------------------------------------------

SUPERVISING = (post(Role.supervisor),)
supervising = entered.model_copy(
    update={
        "posts": (Post(role=Role.supervisor, since=NEW_YEAR),),
        "entered_by": OPERATOR,
    }
)


def test_an_operator_enters_the_supervision_group() -> None:
    person.given().when(enter(posts=SUPERVISING)).then_rejected(AppointedFromOutside)
    person.given().when(enter(posts=SUPERVISING, by=OPERATOR)).then(supervising)


def test_one_post_in_the_supervision_group_is_enough_for_that() -> None:
    among_others = (post(Role.party_member), *SUPERVISING)
    person.given().when(enter(posts=among_others)).then_rejected(AppointedFromOutside)
    without = enter(posts=(), branch=None, oversees=())
    person.given().when(without).then(
        entered.model_copy(update={"posts": (), "branch": None, "oversees": ()})
    )


def test_an_operator_gives_and_takes_its_posts() -> None:
    given = PostTaken(role=Role.supervisor, since=TODAY)
    person.given(entered).when(take(Role.supervisor)).then_rejected(AppointedFromOutside)
    person.given(entered).when(take(Role.supervisor, by=OPERATOR)).then(given)
    person.given(entered, given).when(leave(Role.supervisor)).then_rejected(AppointedFromOutside)
    person.given(entered, given).when(leave(Role.supervisor, by=OPERATOR)).then(
        PostLeft(role=Role.supervisor, until=SUMMER)
    )


def test_nobody_at_school_changes_the_entry_of_a_supervisor() -> None:
    for command in ANYTHING:
        person.given(supervising).when(command).then_rejected(AppointedFromOutside)


def test_a_former_supervisor_is_like_everybody_else() -> None:
    former = PostLeft(role=Role.supervisor, until=YESTERDAY)
    person.given(supervising, former).when(take()).then(post_taken)


def test_nobody_at_school_becomes_a_supervisor_by_merging() -> None:
    person.given(entered).when(merge(SUPERVISOR)).then_rejected(AppointedFromOutside)
    person.given(entered).when(merge(SUPERVISOR, by=OPERATOR)).then(
        PersonMerged(into=SUPERVISOR, reason="重复", merged_by=OPERATOR)
    )


def test_nobody_at_school_takes_an_entry_from_a_supervisor() -> None:
    into_one = merged.model_copy(update={"into": SUPERVISOR, "merged_by": OPERATOR})
    of_one = merged.model_copy(update={"merged_by": OPERATOR})
    for past in ((entered, into_one), (supervising, of_one)):
        person.given(*past).when(unmerge()).then_rejected(AppointedFromOutside)
        person.given(*past).when(unmerge(by=PersonId("operator:wang"))).then(unmerged)


def test_nobody_at_school_borrows_the_place_of_a_supervisor() -> None:
    person.given(supervising).when(name_deputy(HEAD)).then_rejected(AppointedFromOutside)


def test_a_history_that_begins_in_the_middle_is_none() -> None:
    with pytest.raises(LookupError):
        decider.fold([post_taken])
    with pytest.raises(LookupError):
        decider.fold([unmerged])


# -- What is understood ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        '{"name": "赖", "joined_on": "2023-01-01"}',
        '{"name": "赖", "number": "T9", "joined_on": "2023-01-01", "branch": "science"}',
        '{"name": "赖", "joined_on": "2023-01-01", "oversees": ["teaching", "logistics"]}',
        """{"name": "赖", "joined_on": "2023-01-01", "posts": [
            {"role": "grade_head", "since": "2023-01-01", "unit": "grade-7"},
            {"role": "party_member", "since": "2023-01-01"}]}""",
    ],
)
def test_a_row_is_understood(sent: str) -> None:
    wire(EnterPerson).model_validate_json(sent)


@pytest.mark.parametrize(
    "change",
    [
        '"name": "\\t"',
        '"name": "\\ud800"',
        '"name": "' + "长" * 201 + '"',
        '"number": ""',
        '"number": "T1\\nT2"',
        '"number_index": "x"',
        '"joined_on": "yesterday"',
        '"joined_on": "1899-12-31"',
        '"branch": "Science!"',
        '"oversees": "teaching"',
        '"posts": [{"role": "king", "since": "2023-01-01"}]',
        '"posts": [{"role": "grade_head", "since": "2023-01-01", "unit": "初一"}]',
        '"posts": [{"role": "grade_head", "since": "2023-01-01", "until": "2023-01-02"}]',
    ],
)
def test_bad_input_is_not_understood(change: str) -> None:
    good = '{"name": "赖", "joined_on": "2023-01-01"'
    with pytest.raises(ValidationError):
        wire(EnterPerson).model_validate_json(f"{good}, {change}}}")


def test_everything_but_an_operators_rights_is_with_the_administration() -> None:
    administration = {"school_administrator", "principal_leader", "operator"}
    assert all(type(command).allowed == administration for command in (ROW, *ANYTHING))


def test_kinds_of_units_are_matched_to_posts() -> None:
    assert DIRECTORY.has_unit(GRADE_7, UnitKind.grade, TODAY)
    person.given(entered).when(take(Role.grade_head, TODAY, GRADE_7)).then(
        PostTaken(role=Role.grade_head, since=TODAY, unit=GRADE_7)
    )
