"""A self-examination is written by whom it is about, in four sections, and handed in (R33, R59-R65)."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.campaign.events import SettingUnit
from services.meetings.domain.examination import (
    AlreadySubmitted,
    AlreadyWaived,
    CauseAsked,
    CorrectExamination,
    DraftExamination,
    ExaminationExists,
    ExaminedByItsAuthor,
    Facts,
    ImprovementAsked,
    IssuesUnclaimed,
    NobodyThere,
    NoSuchCampaign,
    NoSuchIssue,
    NotTheAuthor,
    NotUnderALeader,
    NotWaived,
    RestoreExaminationGate,
    ReviseExamination,
    SameKeyTwice,
    SectionsMissing,
    SubjectUnclear,
    SubmitExamination,
    TooFarAway,
    VoidExamination,
    WaiveExaminationGate,
    decider,
)
from services.meetings.events import (
    Aspect,
    Cause,
    ExaminationAdopted,
    ExaminationCorrected,
    ExaminationDrafted,
    ExaminationGate,
    ExaminationGateRestored,
    ExaminationGateWaived,
    ExaminationRevised,
    ExaminationSubject,
    ExaminationSubmitted,
    ExaminationVoided,
    ImprovementMeasure,
    Paper,
    SectionLengths,
)
from shared.decider import OutOfOrder
from tests.meetings.examination_cast import (
    CADRE,
    DOUBLE,
    GONE,
    LEADER,
    MEMBER,
    SCHOOL,
    SUPERVISOR,
    TEACHER,
    by,
    having,
)
from tests.scenario import Scenario

FACTS = Facts(SCHOOL, issues=frozenset({"issue-1", "issue-2"}), held=True)
examination = Scenario(decider, FACTS)

WORDS: dict[str, Any] = {
    "basic_situation": "作风总体较好,但深入一线不够。",
    "manifestations": "听课多停留在检查,少有研讨。",
    "cause_analysis": "宗旨意识有所淡化。",
    "improvement_measures": "每周听课并参加教研。",
}
LENGTHS = {"basic_situation": 15, "manifestations": 14, "cause_analysis": 9} | {
    "improvement_measures": 10
}
COUNTED: dict[str, Any] = {f"{name}_length": length for name, length in LENGTHS.items()}
MORE: dict[str, Any] = {
    "causes": (CauseAsked(text="学习不深", aspects=(Aspect.ideals, Aspect.purpose)),),
    "measures": (
        ImprovementAsked(
            key="m-1",
            issues=("issue-2",),
            text="每周听课一节",
            owner=CADRE,
            due_on=date(2023, 6, 30),
            deliverable="听课记录",
        ),
        ImprovementAsked(key="m-2", text="多听意见"),
    ),
    "answers": ("issue-1",),
}
FULL = {**WORDS, **COUNTED, **MORE}
PAPER = Paper(
    **WORDS,
    lengths=SectionLengths(**LENGTHS),
    causes=(Cause(text="学习不深", aspects=(Aspect.ideals, Aspect.purpose)),),
    measures=(
        ImprovementMeasure(
            key="m-1",
            issues=("issue-2",),
            text="每周听课一节",
            owner=CADRE,
            due_on=date(2023, 6, 30),
            deliverable="听课记录",
        ),
        ImprovementMeasure(key="m-2", text="多听意见"),
    ),
    answers=("issue-1",),
)
OWN: dict[str, Any] = {
    "campaign": "campaign-1",
    "subject": ExaminationSubject.person,
    "person": CADRE,
}
TEAM: dict[str, Any] = {"campaign": "campaign-1", "subject": ExaminationSubject.team}

drafted = ExaminationDrafted(
    campaign="campaign-1",
    subject=ExaminationSubject.person,
    person=CADRE,
    to_be_adopted=False,
    paper=PAPER,
)
begun = drafted.model_copy(update={"paper": Paper()})
of_the_team = ExaminationDrafted(
    campaign="campaign-1",
    subject=ExaminationSubject.team,
    presided_by=LEADER,
    to_be_adopted=True,
    paper=PAPER,
)
submitted = ExaminationSubmitted()
waived = ExaminationGateWaived(gate=ExaminationGate.four_sections, reason="另附书面材料")
WAIVE: dict[str, Any] = {"gate": ExaminationGate.four_sections, "reason": "另附书面材料"}


# -- Drafting -------------------------------------------------------------------------------------


def test_a_person_drafts_their_own() -> None:
    examination.when(by(CADRE, DraftExamination, **OWN, **FULL)).then(drafted)


def test_it_may_be_begun_with_nothing_written() -> None:
    examination.when(by(CADRE, DraftExamination, **OWN)).then(begun)


def test_the_same_draft_again_is_nothing_new() -> None:
    examination.given(drafted).when(by(CADRE, DraftExamination, **OWN, **FULL)).then_nothing()


def test_a_second_one_of_the_same_subject_is_refused() -> None:
    again = by(CADRE, DraftExamination, **OWN)
    examination.given(drafted).when(again).then_rejected(ExaminationExists)
    examination.given(drafted, submitted).when(again).then_rejected(ExaminationExists)


def test_there_is_one_per_campaign_and_subject() -> None:
    own = by(CADRE, DraftExamination, **OWN)
    assert own.unique() == by(CADRE, DraftExamination, **OWN, **FULL).unique()
    assert own.unique() != by(MEMBER, DraftExamination, **{**OWN, "person": MEMBER}).unique()
    assert own.unique() != by(LEADER, DraftExamination, **TEAM).unique()


def test_nobody_writes_for_another() -> None:
    for person in (LEADER, MEMBER, TEACHER, SUPERVISOR):
        examination.when(by(person, DraftExamination, **OWN)).then_rejected(NotTheAuthor)


def test_a_duplicate_entry_of_a_person_has_no_examination_of_its_own() -> None:
    double = by(CADRE, DraftExamination, **{**OWN, "person": DOUBLE})
    examination.when(double).then_rejected(NotTheAuthor)


def test_an_examination_begun_under_a_duplicate_entry_is_its_persons() -> None:
    old = drafted.model_copy(update={"person": DOUBLE})
    examination.given(old).when(by(CADRE, SubmitExamination)).then(submitted)


def test_the_campaign_exists() -> None:
    nowhere = by(CADRE, DraftExamination, **{**OWN, "campaign": "campaign-9"})
    examination.when(nowhere).then_rejected(NoSuchCampaign)


def test_a_persons_names_the_person_the_teams_names_nobody() -> None:
    nobody = by(CADRE, DraftExamination, **{**OWN, "person": None})
    examination.when(nobody).then_rejected(SubjectUnclear)
    somebody = by(LEADER, DraftExamination, **TEAM, person=LEADER)
    examination.when(somebody).then_rejected(SubjectUnclear)


def test_what_it_answers_exists() -> None:
    unknown = by(CADRE, DraftExamination, **OWN, answers=("issue-9",))
    examination.when(unknown).then_rejected(NoSuchIssue)
    measures = (ImprovementAsked(key="m-1", text="多听课", issues=("issue-9",)),)
    unknown = by(CADRE, DraftExamination, **OWN, measures=measures)
    examination.when(unknown).then_rejected(NoSuchIssue)


def test_each_measure_has_a_key_of_its_own() -> None:
    measures = tuple(ImprovementAsked(key="m-1", text=text) for text in ("多听课", "少开会"))
    twice = by(CADRE, DraftExamination, **OWN, measures=measures)
    examination.when(twice).then_rejected(SameKeyTwice)


def test_who_is_to_act_is_at_the_school_and_the_day_is_near() -> None:
    nobody = (ImprovementAsked(key="m-1", text="多听课", owner=GONE),)
    examination.when(by(CADRE, DraftExamination, **OWN, measures=nobody)).then_rejected(NobodyThere)
    never = (ImprovementAsked(key="m-1", text="多听课", due_on=date(2203, 1, 1)),)
    examination.when(by(CADRE, DraftExamination, **OWN, measures=never)).then_rejected(TooFarAway)


# -- Under whom (R65, both readings) -----------------------------------------------------------------


def test_the_teams_is_drafted_by_a_principal_leader() -> None:
    examination.when(by(LEADER, DraftExamination, **TEAM, **FULL)).then(of_the_team)


def test_the_teams_may_be_written_by_a_member_under_a_principal_leader() -> None:
    under = by(MEMBER, DraftExamination, **TEAM, **FULL, presided_by=LEADER)
    examination.when(under).then(of_the_team)


def test_the_teams_is_drafted_under_nobody_else() -> None:
    examination.when(by(MEMBER, DraftExamination, **TEAM)).then_rejected(NotUnderALeader)
    under = by(LEADER, DraftExamination, **TEAM, presided_by=MEMBER)
    examination.when(under).then_rejected(NotUnderALeader)
    examination.when(by(TEACHER, DraftExamination, **TEAM)).then_rejected(NotTheAuthor)


def test_where_only_the_teams_is_adopted_a_members_own_needs_no_leader() -> None:
    own = by(MEMBER, DraftExamination, **{**OWN, "person": MEMBER})
    examination.when(own).then(begun.model_copy(update={"person": MEMBER}))


def test_where_each_members_is_adopted_it_is_drafted_under_a_leader() -> None:
    school = having("adopted_papers", "members", SettingUnit.choice)
    members = examination.knowing(replace(FACTS, directory=school))
    own = {**OWN, "person": MEMBER}
    members.when(by(MEMBER, DraftExamination, **own)).then_rejected(NotUnderALeader)
    members.when(by(MEMBER, DraftExamination, **own, presided_by=LEADER)).then(
        begun.model_copy(update={"person": MEMBER, "presided_by": LEADER, "to_be_adopted": True})
    )
    members.when(by(CADRE, DraftExamination, **OWN)).then(begun)  # a cadre outside the team


# -- Revising -------------------------------------------------------------------------------------


def test_a_draft_is_revised_as_a_whole() -> None:
    examination.given(begun).when(by(CADRE, ReviseExamination, **FULL)).then(
        ExaminationRevised(paper=PAPER)
    )


def test_the_same_words_again_are_nothing_new() -> None:
    examination.given(drafted).when(by(CADRE, ReviseExamination, **FULL)).then_nothing()


def test_nobody_revises_for_another() -> None:
    revise = by(LEADER, ReviseExamination, **FULL)
    examination.given(begun).when(revise).then_rejected(NotTheAuthor)
    teams = of_the_team.model_copy(update={"paper": Paper()})
    examination.given(teams).when(by(MEMBER, ReviseExamination, **FULL)).then(
        ExaminationRevised(paper=PAPER)
    )
    stranger = by(TEACHER, ReviseExamination, **FULL)
    examination.given(teams).when(stranger).then_rejected(NotTheAuthor)


def test_what_was_submitted_is_not_revised() -> None:
    revise = by(CADRE, ReviseExamination)
    examination.given(drafted, submitted).when(revise).then_rejected(AlreadySubmitted)


def test_nothing_is_revised_before_it_is_drafted() -> None:
    examination.when(by(CADRE, ReviseExamination)).then_rejected(OutOfOrder)


# -- Submitting: R60, R33, R63 ----------------------------------------------------------------------


def test_four_written_sections_may_be_submitted() -> None:
    examination.given(drafted).when(by(CADRE, SubmitExamination)).then(submitted)


@pytest.mark.parametrize("name", list(WORDS))
def test_a_section_that_is_not_written_refuses_it(name: str) -> None:
    lacking = drafted.model_copy(update={"paper": PAPER.model_copy(update={name: None})})
    examination.given(lacking).when(by(CADRE, SubmitExamination)).then_rejected(SectionsMissing)


def test_the_refusal_names_the_sections() -> None:
    lacking = PAPER.model_copy(update={"manifestations": None, "improvement_measures": None})
    past = drafted.model_copy(update={"paper": lacking})
    with pytest.raises(SectionsMissing, match=r"^manifestations improvement_measures$"):
        examination.given(past).when(by(CADRE, SubmitExamination)).decided()


def test_issues_of_the_author_that_nobody_claimed_refuse_it() -> None:
    waiting = examination.knowing(replace(FACTS, unclaimed=frozenset({"issue-2", "issue-1"})))
    with pytest.raises(IssuesUnclaimed, match=r"^issue-1 issue-2$"):
        waiting.given(drafted).when(by(CADRE, SubmitExamination)).decided()


def test_what_it_does_not_answer_is_listed_not_refused() -> None:
    owing = examination.knowing(
        replace(FACTS, to_answer=frozenset({"issue-1", "issue-3", "issue-2"}))
    )
    owing.given(drafted).when(by(CADRE, SubmitExamination)).then(
        ExaminationSubmitted(unanswered=("issue-2", "issue-3"))
    )


def test_submitting_again_is_nothing_new() -> None:
    examination.given(drafted, submitted).when(by(CADRE, SubmitExamination)).then_nothing()


def test_nobody_submits_for_another() -> None:
    for past in ((drafted,), (drafted, submitted)):
        examination.given(*past).when(by(LEADER, SubmitExamination)).then_rejected(NotTheAuthor)


# -- Waiving a gate -----------------------------------------------------------------------------------


def test_the_supervision_group_waives_the_sections_with_a_reason() -> None:
    examination.given(begun).when(by(SUPERVISOR, WaiveExaminationGate, **WAIVE)).then(waived)
    examination.given(begun, waived).when(by(CADRE, SubmitExamination)).then(submitted)


def test_it_waives_the_claims() -> None:
    waiting = examination.knowing(replace(FACTS, unclaimed=frozenset({"issue-1"})))
    claims = ExaminationGateWaived(gate=ExaminationGate.issues_claimed, reason="本人出差")
    waiting.given(drafted, claims).when(by(CADRE, SubmitExamination)).then(submitted)


def test_waiving_one_gate_leaves_the_other() -> None:
    waiting = examination.knowing(replace(FACTS, unclaimed=frozenset({"issue-1"})))
    waiting.given(drafted, waived).when(by(CADRE, SubmitExamination)).then_rejected(IssuesUnclaimed)


def test_nobody_waives_their_own() -> None:
    waive = by(CADRE, WaiveExaminationGate, **WAIVE)
    examination.given(begun).when(waive).then_rejected(ExaminedByItsAuthor)
    assert WaiveExaminationGate.allowed == {"supervisor"}


def test_a_waiver_is_given_once() -> None:
    again = by(SUPERVISOR, WaiveExaminationGate, **WAIVE)
    examination.given(begun, waived).when(again).then_nothing()
    other = by(SUPERVISOR, WaiveExaminationGate, **{**WAIVE, "reason": "其他"})
    examination.given(begun, waived).when(other).then_rejected(AlreadyWaived)


def test_a_waiver_may_be_taken_back() -> None:
    restore = by(
        SUPERVISOR, RestoreExaminationGate, gate=ExaminationGate.four_sections, reason="误操作"
    )
    restored = ExaminationGateRestored(gate=ExaminationGate.four_sections, reason="误操作")
    examination.given(begun, waived).when(restore).then(restored)
    examination.given(begun).when(restore).then_rejected(NotWaived)
    again = by(CADRE, SubmitExamination)
    examination.given(begun, waived, restored).when(again).then_rejected(SectionsMissing)


def test_nothing_is_waived_after_submission() -> None:
    waive = by(SUPERVISOR, WaiveExaminationGate, **WAIVE)
    examination.given(drafted, submitted).when(waive).then_rejected(OutOfOrder)


# -- Correcting, voiding ------------------------------------------------------------------------------


def test_a_slip_is_corrected_before_anybody_decided() -> None:
    other = PAPER.model_copy(update={"answers": ("issue-1", "issue-2")})
    correct = by(
        CADRE, CorrectExamination, **{**FULL, "answers": ("issue-1", "issue-2")}, reason="漏录"
    )
    examination.given(drafted, submitted).when(correct).then(
        ExaminationCorrected(paper=other, reason="漏录")
    )


def test_a_correction_that_changes_nothing_is_nothing_new() -> None:
    same = by(CADRE, CorrectExamination, **FULL, reason="无")
    examination.given(drafted, submitted).when(same).then_nothing()


def test_a_correction_leaves_four_sections() -> None:
    empty = by(CADRE, CorrectExamination, reason="漏录")
    examination.given(drafted, submitted).when(empty).then_rejected(SectionsMissing)


def test_nobody_corrects_for_another() -> None:
    other = by(LEADER, CorrectExamination, **FULL, reason="漏录")
    examination.given(drafted, submitted).when(other).then_rejected(NotTheAuthor)


def test_a_second_person_voids_it_at_any_time() -> None:
    void = by(LEADER, VoidExamination, reason="重复录入")
    voided = ExaminationVoided(reason="重复录入")
    for past in ((drafted,), (drafted, submitted)):
        examination.given(*past).when(void).then(voided)
    adopted = ExaminationAdopted(meeting="meeting-1")
    teams = examination.given(of_the_team, submitted, adopted)
    teams.when(by(SUPERVISOR, VoidExamination, reason="重复录入")).then(voided)
    teams.when(void).then_rejected(ExaminedByItsAuthor)
    examination.given(drafted, voided).when(void).then_rejected(OutOfOrder)


def test_after_voiding_another_may_be_drafted() -> None:
    voided = ExaminationVoided(reason="重复录入")
    examination.given(drafted, voided).when(by(CADRE, DraftExamination, **OWN)).then(begun)
