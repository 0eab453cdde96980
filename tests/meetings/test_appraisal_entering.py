"""An appraisal is opened for the members of a day; they appraise themselves and each other (R82-R84)."""

from datetime import UTC, date, datetime
from typing import Any

from services.campaign.events import SettingUnit
from services.meetings.domain.appraisal import (
    AlreadyEntered,
    AppraisalExists,
    AppraiseMember,
    AppraisingOneself,
    CommentOnMember,
    CorrectAppraisal,
    Facts,
    JudgingOneself,
    NobodyToAppraise,
    NoSuchBranch,
    NoSuchCampaign,
    NoSuchEntry,
    NotAMember,
    NotTheGiver,
    NotTheirBranch,
    NotTheirs,
    NotThePrincipal,
    OpenAppraisal,
    SecondPerson,
    TooFarAway,
    UnknownScale,
    VoidAppraisal,
    VoidAppraisalEntry,
    WriteSelfAppraisal,
    decider,
)
from services.meetings.events import (
    AppraisalCorrected,
    AppraisalEntry,
    AppraisalEntryVoided,
    AppraisalOpened,
    AppraisalVoided,
    Grade,
    MemberAppraised,
    MemberCommentedOn,
    SelfAppraised,
)
from shared.decider import OutOfOrder
from tests.meetings.examination_cast import (
    CADRE,
    DEPUTY,
    DOUBLE,
    GONE,
    LEADER,
    LIBERAL,
    MEMBER,
    MEMBERS,
    ON_PROBATION,
    OTHER_SECRETARY,
    OUTSIDER,
    SCHOOL,
    SCIENCE,
    SECRETARY,
    SUPERVISOR,
    TEACHER,
    TODAY,
    by,
    having,
)
from tests.scenario import Scenario

FACTS = Facts(SCHOOL)
appraisal = Scenario(decider, FACTS)

FOUR = (Grade.excellent, Grade.qualified, Grade.basically_qualified, Grade.unqualified)
THREE = (Grade.good, Grade.average, Grade.poor)
LAST_MONTH = date(2023, 4, 28)
HERE: dict[str, Any] = {"campaign": "campaign-1", "branch": LIBERAL, "on": TODAY}
SIX: dict[str, Any] = {
    "thought": "坚持学习理论",
    "work": "完成教学任务",
    "study": "读书三本",
    "understanding": "服务是本分",
    "attitude": "主动热情",
    "action": "结对帮扶两名学生",
}

opened = AppraisalOpened(
    **HERE,
    members=MEMBERS,
    principals=(SECRETARY,),
    scale=FOUR,
    opened_by=SECRETARY,
)
small = AppraisalOpened(
    campaign="campaign-1",
    branch=SCIENCE,
    on=TODAY,
    members=(OTHER_SECRETARY, OUTSIDER),
    principals=(OTHER_SECRETARY,),
    scale=FOUR,
    opened_by=OTHER_SECRETARY,
)
of_oneself = SelfAppraised(member=TEACHER, **SIX)
of_another = MemberAppraised(giver=TEACHER, member=CADRE, text="作风扎实,联系学生不够")
comment = MemberCommentedOn(principal=SECRETARY, member=TEACHER, text="肯干,需多沟通")
open_it = by(SECRETARY, OpenAppraisal, **HERE)
VOID_SELF: dict[str, Any] = {
    "entry": AppraisalEntry.self_appraisal,
    "member": TEACHER,
    "reason": "误填",
}
VOID_MUTUAL: dict[str, Any] = {**VOID_SELF, "entry": AppraisalEntry.appraisal} | {
    "member": CADRE,
    "giver": TEACHER,
}


# -- Opening --------------------------------------------------------------------------------------


def test_the_secretary_opens_it_for_the_members_of_the_day() -> None:
    appraisal.when(open_it).then(opened)


def test_members_are_those_of_the_day_in_the_roster() -> None:
    then = by(SECRETARY, OpenAppraisal, **{**HERE, "on": LAST_MONTH})
    event = appraisal.when(then).decided()
    assert isinstance(event, AppraisalOpened)
    assert set(event.members) == {*MEMBERS, GONE}


def test_who_is_on_probation_is_named_as_such_when_it_is_opened_and_put_right() -> None:
    probation = {"probationary": (TEACHER,)}
    appraisal.knowing(Facts(ON_PROBATION)).when(open_it).then(opened.model_copy(update=probation))
    correct = by(SECRETARY, CorrectAppraisal, on=TODAY, reason="漏登预备党员")
    corrected = AppraisalCorrected(
        on=TODAY, members=MEMBERS, principals=(SECRETARY,), reason="漏登预备党员", **probation
    )
    late = appraisal.knowing(Facts(ON_PROBATION)).given(opened)
    late.when(correct).then(corrected)
    late.given(opened, corrected).when(correct).then_nothing()


def test_a_principal_leader_may_open_it_the_secretary_of_another_branch_may_not() -> None:
    leaders = opened.model_copy(update={"opened_by": LEADER})
    appraisal.when(by(LEADER, OpenAppraisal, **HERE)).then(leaders)
    appraisal.when(by(OTHER_SECRETARY, OpenAppraisal, **HERE)).then_rejected(NotTheirBranch)


def test_a_secretary_without_a_unit_leads_the_branch_they_belong_to() -> None:
    theirs = {**HERE, "branch": SCIENCE}
    appraisal.when(by(OTHER_SECRETARY, OpenAppraisal, **theirs)).then(small)
    appraisal.when(by(SECRETARY, OpenAppraisal, **theirs)).then_rejected(NotTheirBranch)


def test_a_deputy_acts_for_the_secretary_while_named() -> None:
    june = datetime(2023, 6, 15, 4, tzinfo=UTC)
    event = appraisal.when(by(DEPUTY, OpenAppraisal, **HERE, at=june)).decided()
    assert isinstance(event, AppraisalOpened)
    appraisal.when(by(DEPUTY, OpenAppraisal, **HERE)).then_rejected(NotTheirBranch)


def test_campaign_branch_and_day_make_sense() -> None:
    for wrong, rule in (
        ({"campaign": "campaign-9"}, NoSuchCampaign),
        ({"branch": "logistics"}, NoSuchBranch),
        ({"branch": "nowhere"}, NoSuchBranch),
        ({"on": date(2203, 1, 1)}, TooFarAway),
    ):
        appraisal.when(by(LEADER, OpenAppraisal, **{**HERE, **wrong})).then_rejected(rule)


def test_a_branch_without_members_has_nobody_to_appraise() -> None:
    nobody = by(LEADER, OpenAppraisal, **{**HERE, "branch": "retired"})
    appraisal.when(nobody).then_rejected(NobodyToAppraise)


def test_the_scale_is_the_schools() -> None:
    event = Scenario(decider, scaled("good|average|poor")).when(open_it).decided()
    assert event == opened.model_copy(update={"scale": THREE})


def test_a_scale_nobody_knows_is_refused() -> None:
    Scenario(decider, scaled("gold|silver")).when(open_it).then_rejected(UnknownScale)


def scaled(value: str) -> Facts:
    """The school with another grading scale."""
    return Facts(having("grading_scale", value, SettingUnit.scale))


def test_opening_it_again_is_nothing_new() -> None:
    appraisal.given(opened).when(open_it).then_nothing()
    other = by(SECRETARY, OpenAppraisal, **{**HERE, "on": LAST_MONTH})
    appraisal.given(opened).when(other).then_rejected(AppraisalExists)


def test_there_is_one_per_campaign_and_branch() -> None:
    assert open_it.unique() == by(LEADER, OpenAppraisal, **{**HERE, "on": LAST_MONTH}).unique()
    assert open_it.unique() != by(LEADER, OpenAppraisal, **{**HERE, "branch": SCIENCE}).unique()


# -- Correcting and voiding it ----------------------------------------------------------------------


def test_the_day_is_corrected_and_the_members_with_it() -> None:
    correct = by(SECRETARY, CorrectAppraisal, on=LAST_MONTH, meeting="meeting-1", reason="日期错")
    event = appraisal.given(opened).when(correct).decided()
    assert isinstance(event, AppraisalCorrected)
    assert (event.on, event.meeting, event.principals) == (LAST_MONTH, "meeting-1", (SECRETARY,))
    assert set(event.members) == {*MEMBERS, GONE}
    appraisal.given(opened, event).when(correct).then_nothing()


def test_a_correction_that_changes_nothing_is_nothing_new() -> None:
    same = by(SECRETARY, CorrectAppraisal, on=TODAY, reason="无")
    appraisal.given(opened).when(same).then_nothing()


def test_only_who_runs_it_corrects_it() -> None:
    correct = by(OTHER_SECRETARY, CorrectAppraisal, on=LAST_MONTH, reason="日期错")
    appraisal.given(opened).when(correct).then_rejected(NotTheirBranch)


def test_a_second_person_voids_it_and_it_may_be_opened_again() -> None:
    void = by(SUPERVISOR, VoidAppraisal, reason="走过场,责令重做")
    voided = AppraisalVoided(reason="走过场,责令重做")
    appraisal.given(opened).when(void).then(voided)
    appraisal.given(opened, voided).when(void).then_rejected(OutOfOrder)
    appraisal.given(opened, voided).when(open_it).then(opened)
    leaders = opened.model_copy(update={"opened_by": LEADER})
    own = by(LEADER, VoidAppraisal, reason="走过场")
    appraisal.given(leaders).when(own).then_rejected(SecondPerson)


# -- Self-appraisal (R82) ---------------------------------------------------------------------------


def test_a_member_appraises_themselves_in_three_and_three_fields() -> None:
    appraisal.given(opened).when(by(TEACHER, WriteSelfAppraisal, **SIX)).then(of_oneself)


def test_who_is_no_member_does_not() -> None:
    for person in (OUTSIDER, SUPERVISOR):
        write = by(person, WriteSelfAppraisal, **SIX)
        appraisal.given(opened).when(write).then_rejected(NotAMember)


def test_a_self_appraisal_stands_until_it_is_voided() -> None:
    past = (opened, of_oneself)
    appraisal.given(*past).when(by(TEACHER, WriteSelfAppraisal, **SIX)).then_nothing()
    for name in SIX:
        other = by(TEACHER, WriteSelfAppraisal, **{**SIX, name: "另说"})
        appraisal.given(*past).when(other).then_rejected(AlreadyEntered)
    voided = AppraisalEntryVoided(**VOID_SELF)
    appraisal.given(*past).when(by(TEACHER, VoidAppraisalEntry, **VOID_SELF)).then(voided)
    anew = by(TEACHER, WriteSelfAppraisal, **{**SIX, "work": "另说"})
    appraisal.given(*past, voided).when(anew).then(of_oneself.model_copy(update={"work": "另说"}))


# -- Mutual appraisal (R83) -------------------------------------------------------------------------

SAY: dict[str, Any] = {"member": CADRE, "text": "作风扎实,联系学生不够"}


def test_a_member_appraises_another() -> None:
    appraisal.given(opened).when(by(TEACHER, AppraiseMember, **SAY)).then(of_another)


def test_who_runs_it_may_enter_what_was_said_nobody_else() -> None:
    entered = by(SECRETARY, AppraiseMember, **SAY, giver=TEACHER)
    appraisal.given(opened).when(entered).then(of_another)
    foisted = by(MEMBER, AppraiseMember, **SAY, giver=TEACHER)
    appraisal.given(opened).when(foisted).then_rejected(NotTheGiver)


def test_nobody_is_their_own_mutual_appraiser() -> None:
    oneself = by(CADRE, AppraiseMember, **SAY)
    appraisal.given(opened).when(oneself).then_rejected(AppraisingOneself)
    entered = by(SECRETARY, AppraiseMember, **SAY, giver=CADRE)
    appraisal.given(opened).when(entered).then_rejected(AppraisingOneself)


def test_giver_and_receiver_are_members_of_the_branch() -> None:
    stranger = by(OUTSIDER, AppraiseMember, **SAY)
    appraisal.given(opened).when(stranger).then_rejected(NotAMember)
    elsewhere = by(TEACHER, AppraiseMember, **{**SAY, "member": OUTSIDER})
    appraisal.given(opened).when(elsewhere).then_rejected(NotAMember)


def test_a_mutual_appraisal_stands_until_it_is_voided() -> None:
    past = (opened, of_another)
    appraisal.given(*past).when(by(TEACHER, AppraiseMember, **SAY)).then_nothing()
    other = by(TEACHER, AppraiseMember, **{**SAY, "text": "另说"})
    appraisal.given(*past).when(other).then_rejected(AlreadyEntered)
    back = by(CADRE, AppraiseMember, member=TEACHER, text="作风扎实,联系学生不够")
    appraisal.given(*past).when(back).then(
        of_another.model_copy(update={"giver": CADRE, "member": TEACHER})
    )


def test_whose_words_they_are_or_who_runs_it_voids_them() -> None:
    past = (opened, of_another)
    voided = AppraisalEntryVoided(**VOID_MUTUAL)
    for person in (TEACHER, SECRETARY, LEADER):
        appraisal.given(*past).when(by(person, VoidAppraisalEntry, **VOID_MUTUAL)).then(voided)
    received = by(CADRE, VoidAppraisalEntry, **VOID_MUTUAL)
    appraisal.given(*past).when(received).then_rejected(NotTheirs)


def test_what_is_not_there_is_not_voided() -> None:
    for said in (VOID_SELF, VOID_MUTUAL):
        void = by(SECRETARY, VoidAppraisalEntry, **said)
        appraisal.given(opened).when(void).then_rejected(NoSuchEntry)
    nobodys = by(SECRETARY, VoidAppraisalEntry, **{**VOID_MUTUAL, "giver": None})
    appraisal.given(opened, of_another).when(nobodys).then_rejected(NoSuchEntry)


def test_words_entered_under_a_duplicate_entry_are_their_persons() -> None:
    double = opened.model_copy(
        update={"members": tuple(DOUBLE if m == CADRE else m for m in MEMBERS)}
    )
    appraisal.given(double).when(by(TEACHER, AppraiseMember, **SAY)).then(of_another)


# -- Comment by the principal (R84, both readings) -----------------------------------------------------

COMMENT: dict[str, Any] = {"member": TEACHER, "text": "肯干,需多沟通"}


def test_the_branchs_secretary_comments_on_each_member() -> None:
    appraisal.given(opened).when(by(SECRETARY, CommentOnMember, **COMMENT)).then(comment)
    leaders = by(LEADER, CommentOnMember, **COMMENT)
    appraisal.given(opened).when(leaders).then_rejected(NotThePrincipal)


def test_or_the_schools_principal_leader_where_it_is_read_so() -> None:
    school = appraisal.knowing(Facts(having("commenting_principal", "school", SettingUnit.choice)))
    leaders = comment.model_copy(update={"principal": LEADER})
    school.given(opened).when(by(LEADER, CommentOnMember, **COMMENT)).then(leaders)
    secretarys = by(SECRETARY, CommentOnMember, **COMMENT)
    school.given(opened).when(secretarys).then_rejected(NotThePrincipal)
    event = school.when(open_it).decided()
    assert event == opened.model_copy(update={"principals": (LEADER,)})


def test_nobody_comments_on_themselves_nor_on_a_stranger() -> None:
    oneself = by(SECRETARY, CommentOnMember, **{**COMMENT, "member": SECRETARY})
    appraisal.given(opened).when(oneself).then_rejected(JudgingOneself)
    stranger = by(SECRETARY, CommentOnMember, **{**COMMENT, "member": OUTSIDER})
    appraisal.given(opened).when(stranger).then_rejected(NotAMember)


def test_a_comment_stands_until_it_is_voided() -> None:
    past = (opened, comment)
    appraisal.given(*past).when(by(SECRETARY, CommentOnMember, **COMMENT)).then_nothing()
    other = by(SECRETARY, CommentOnMember, **{**COMMENT, "text": "另说"})
    appraisal.given(*past).when(other).then_rejected(AlreadyEntered)
    said = {**VOID_SELF, "entry": AppraisalEntry.comment, "giver": SECRETARY}
    appraisal.given(*past).when(by(SECRETARY, VoidAppraisalEntry, **said)).then(
        AppraisalEntryVoided(**said)
    )


def test_nothing_is_entered_before_it_is_opened() -> None:
    for command in (
        by(TEACHER, WriteSelfAppraisal, **SIX),
        by(TEACHER, AppraiseMember, **SAY),
        by(SECRETARY, CommentOnMember, **COMMENT),
        by(SECRETARY, CorrectAppraisal, on=TODAY, reason="无"),
    ):
        appraisal.when(command).then_rejected(OutOfOrder)
        voided = AppraisalVoided(reason="重做")
        appraisal.given(opened, voided).when(command).then_rejected(OutOfOrder)
