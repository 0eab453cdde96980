"""A secret ballot is opened and counted; each member gets a result, and what follows from it (R85, R86)."""

from dataclasses import replace
from typing import Any

import pytest

from services.meetings.domain.appraisal import (
    AlreadyEntered,
    AppraisalExists,
    AppraiseMember,
    BallotCounted,
    BallotNotCounted,
    BallotOpen,
    CloseBallot,
    CommentOnMember,
    CorrectAppraisal,
    DisposeMember,
    EducateMember,
    JudgingOneself,
    NotAMember,
    NotAModel,
    NotOnTheScale,
    NotTheirBranch,
    NotUnqualified,
    OnProbation,
    OpenAppraisal,
    OpenBallot,
    RecommendMember,
    RecordResult,
    RestsOnIt,
    SecondPerson,
    SecrecyNotPossible,
    SecrecyPossible,
    TooManyVoters,
    VoidAppraisal,
    VoidAppraisalEntry,
    VoidBallot,
    WriteSelfAppraisal,
)
from services.meetings.events import (
    AppraisalEntry,
    AppraisalEntryVoided,
    AppraisalVoided,
    BallotOpened,
    BallotSlip,
    BallotsOpened,
    BallotVoided,
    Disposition,
    Grade,
    MemberDisposed,
    MemberEducated,
    MemberRecommended,
    ResultRecorded,
)
from shared.decider import Command, OutOfOrder, PersonId
from shared.journal import MAX_EVENT
from tests.meetings.examination_cast import (
    CADRE,
    DOUBLE,
    LEADER,
    OTHER_SECRETARY,
    OUTSIDER,
    SECRETARY,
    SUPERVISOR,
    TEACHER,
    TODAY,
    by,
)
from tests.meetings.test_appraisal_entering import (
    COMMENT,
    FACTS,
    HERE,
    SAY,
    SIX,
    THREE,
    appraisal,
    comment,
    of_another,
    of_oneself,
    open_it,
    opened,
    small,
)

HASHES = tuple(f"{n:064x}" for n in range(6))
SLIPS = (
    BallotSlip(code_hash=HASHES[0], marks={CADRE: Grade.excellent, TEACHER: Grade.unqualified}),
    BallotSlip(code_hash=HASHES[4], marks={CADRE: Grade.qualified}),
)
ballot = appraisal.knowing(replace(FACTS, code_hashes=HASHES, slips=SLIPS))
"""Where slips are printed and cast."""

ballot_opened = BallotOpened(round=1, code_hashes=HASHES, secret=True, opened_by=SECRETARY)
counted = BallotsOpened(round=1, slips=SLIPS)
ballot_voided = BallotVoided(round=1, reason="选票外泄")
BEST: dict[str, Any] = {"member": CADRE, "grade": Grade.excellent}
WORST: dict[str, Any] = {"member": TEACHER, "grade": Grade.unqualified}
best = ResultRecorded(**BEST, recorded_by=SECRETARY)
worst = ResultRecorded(**WORST, recorded_by=SECRETARY)
PRAISE: dict[str, Any] = {"member": CADRE, "text": "模范作用突出"}
LESSON: dict[str, Any] = {"member": TEACHER, "text": "支部谈话批评"}
DEAL: dict[str, Any] = {"member": TEACHER, "text": "限期三个月"} | {
    "disposition": Disposition.time_limited_correction
}
recommended = MemberRecommended(**PRAISE, recorded_by=SECRETARY)
educated = MemberEducated(**LESSON, recorded_by=SECRETARY)
disposed = MemberDisposed(**DEAL, recorded_by=SECRETARY)
open_ballot = by(SECRETARY, OpenBallot)
close_ballot = by(SECRETARY, CloseBallot)
done = (opened, ballot_opened, counted)


# -- The ballot -----------------------------------------------------------------------------------


def test_a_ballot_announces_the_hashes_of_its_slips() -> None:
    ballot.given(opened).when(open_ballot).then(ballot_opened)


def test_a_branch_under_five_is_told_that_secrecy_is_not_possible() -> None:
    few = ballot.given(small)
    few.when(by(OTHER_SECRETARY, OpenBallot)).then_rejected(SecrecyNotPossible)
    few.when(by(OTHER_SECRETARY, OpenBallot, although_not_secret=True)).then(
        BallotOpened(round=1, code_hashes=HASHES, secret=False, opened_by=OTHER_SECRETARY)
    )


def test_five_or_more_cannot_do_without_secrecy() -> None:
    loud = by(SECRETARY, OpenBallot, although_not_secret=True)
    ballot.given(opened).when(loud).then_rejected(SecrecyPossible)
    five = opened.model_copy(update={"members": opened.members[:5]})
    ballot.given(five).when(open_ballot).then(ballot_opened)
    four = opened.model_copy(update={"members": opened.members[:4]})
    ballot.given(four).when(open_ballot).then_rejected(SecrecyNotPossible)


def test_who_was_entered_twice_is_one_voter() -> None:
    four = tuple(m for m in opened.members if m != CADRE)[:3]
    twice = opened.model_copy(update={"members": (CADRE, DOUBLE, *four)})
    ballot.given(twice).when(open_ballot).then_rejected(SecrecyNotPossible)


def test_a_branch_of_more_than_a_hundred_does_not_vote_in_one_ballot() -> None:
    many = tuple(PersonId(f"p-{n}") for n in range(101))
    hundred = ballot.given(opened.model_copy(update={"members": many[:100]}))
    hundred.when(open_ballot).then(ballot_opened)
    more = ballot.given(opened.model_copy(update={"members": many}))
    more.when(open_ballot).then_rejected(TooManyVoters)


def test_who_is_on_probation_neither_votes_nor_is_graded_but_speaks_and_is_spoken_of() -> None:
    trial = opened.model_copy(update={"probationary": (TEACHER,)})
    six = ballot.given(trial)
    six.when(open_ballot).then(ballot_opened)
    six.when(by(TEACHER, WriteSelfAppraisal, **SIX)).then(of_oneself)
    six.when(by(TEACHER, AppraiseMember, **SAY)).then(of_another)
    six.when(by(SECRETARY, CommentOnMember, **COMMENT)).then(comment)
    fewer = ballot.given(trial.model_copy(update={"probationary": (TEACHER, CADRE)}))
    fewer.when(open_ballot).then_rejected(SecrecyNotPossible)
    after = ballot.given(trial, ballot_opened, counted)
    after.when(by(SECRETARY, RecordResult, **WORST)).then_rejected(OnProbation)
    after.when(by(SECRETARY, RecordResult, **BEST)).then(best)


def test_what_a_hundred_cast_fits_one_event() -> None:
    people = [PersonId(f"{n:036}") for n in range(100)]
    marks = dict.fromkeys(people, Grade.basically_qualified)
    slips = tuple(BallotSlip(code_hash=f"{n:064x}", marks=marks) for n in range(100))
    assert len(BallotsOpened(round=1, slips=slips).model_dump_json()) < MAX_EVENT


def test_only_who_runs_the_appraisal_opens_and_closes_the_ballot() -> None:
    stranger = by(OTHER_SECRETARY, OpenBallot)
    ballot.given(opened).when(stranger).then_rejected(NotTheirBranch)
    ballot.given(opened, ballot_opened).when(stranger).then_rejected(NotTheirBranch)
    closing = by(OTHER_SECRETARY, CloseBallot)
    ballot.given(opened, ballot_opened).when(closing).then_rejected(NotTheirBranch)


def test_a_ballot_is_not_opened_twice() -> None:
    ballot.given(opened, ballot_opened).when(open_ballot).then_nothing()
    otherwise = by(SECRETARY, OpenBallot, although_not_secret=True)
    ballot.given(opened, ballot_opened).when(otherwise).then_rejected(BallotOpen)
    ballot.given(*done).when(open_ballot).then_rejected(BallotCounted)


def test_closing_records_all_slips_at_once() -> None:
    ballot.given(opened, ballot_opened).when(close_ballot).then(counted)
    ballot.given(*done).when(close_ballot).then_nothing()
    ballot.given(opened).when(close_ballot).then_rejected(OutOfOrder)


def test_the_members_stay_while_slips_are_out() -> None:
    correct = by(SECRETARY, CorrectAppraisal, on=TODAY, meeting="meeting-2", reason="补录")
    ballot.given(opened, ballot_opened).when(correct).then_rejected(BallotOpen)
    ballot.given(*done).when(correct).then_rejected(BallotCounted)


def test_a_second_person_voids_a_ballot_and_the_next_has_other_slips() -> None:
    void = by(SUPERVISOR, VoidBallot, reason="选票外泄")
    for past in ((opened, ballot_opened), done):
        ballot.given(*past).when(void).then(ballot_voided)
        ballot.given(*past, ballot_voided).when(void).then_rejected(OutOfOrder)
        ballot.given(*past, ballot_voided).when(open_ballot).then(
            ballot_opened.model_copy(update={"round": 2})
        )
    leaders = ballot_opened.model_copy(update={"opened_by": LEADER})
    own = by(LEADER, VoidBallot, reason="选票外泄")
    ballot.given(opened, leaders).when(own).then_rejected(SecondPerson)
    ballot.given(opened, leaders, counted).when(own).then_rejected(SecondPerson)


def test_a_ballot_that_results_rest_on_is_not_voided() -> None:
    void = by(SUPERVISOR, VoidBallot, reason="选票外泄")
    ballot.given(*done, best).when(void).then_rejected(RestsOnIt)


def test_a_redone_appraisal_goes_on_counting_its_ballots() -> None:
    past = (*done, AppraisalVoided(reason="重做"), opened)
    ballot.given(*past).when(open_ballot).then(ballot_opened.model_copy(update={"round": 2}))


@pytest.mark.parametrize("past", [(opened, ballot_opened), done])
def test_members_still_appraise_each_other_late(past: Any) -> None:
    late = appraisal.given(*past)
    late.when(by(TEACHER, WriteSelfAppraisal, **SIX)).then(of_oneself)
    late.when(by(TEACHER, AppraiseMember, **SAY)).then(of_another)
    late.when(by(SECRETARY, CommentOnMember, **COMMENT)).then(comment)
    late.when(open_it).then_nothing()
    other = by(SECRETARY, OpenAppraisal, **{**HERE, "meeting": "meeting-9"})
    late.when(other).then_rejected(AppraisalExists)
    late.when(by(SUPERVISOR, VoidAppraisal, reason="重做")).then(AppraisalVoided(reason="重做"))


# -- The result -----------------------------------------------------------------------------------


def test_a_result_is_recorded_after_the_ballot_was_counted() -> None:
    result = by(SECRETARY, RecordResult, **BEST)
    appraisal.given(*done).when(result).then(best)
    appraisal.given(opened).when(result).then_rejected(BallotNotCounted)
    appraisal.given(opened, ballot_opened).when(result).then_rejected(BallotNotCounted)


def test_a_grade_that_is_not_on_the_scale_is_refused() -> None:
    foreign = by(SECRETARY, RecordResult, **{**BEST, "grade": Grade.good})
    appraisal.given(*done).when(foreign).then_rejected(NotOnTheScale)
    three = opened.model_copy(update={"scale": THREE})
    appraisal.given(three, ballot_opened, counted).when(foreign).then(
        best.model_copy(update={"grade": Grade.good})
    )
    result = by(SECRETARY, RecordResult, **BEST)
    appraisal.given(three, ballot_opened, counted).when(result).then_rejected(NotOnTheScale)


def test_a_result_stands() -> None:
    appraisal.given(*done, best).when(by(SECRETARY, RecordResult, **BEST)).then_nothing()
    other = by(SECRETARY, RecordResult, **{**BEST, "grade": Grade.qualified})
    appraisal.given(*done, best).when(other).then_rejected(AlreadyEntered)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (RecordResult, BEST),
        (RecommendMember, PRAISE),
        (EducateMember, LESSON),
        (DisposeMember, DEAL),
    ],
)
def test_who_runs_the_appraisal_decides_on_its_members_but_themselves(
    kind: type[Command], said: dict[str, Any]
) -> None:
    at = appraisal.given(*done, best, worst)
    at.when(by(OTHER_SECRETARY, kind, **said)).then_rejected(NotTheirBranch)
    at.when(by(SECRETARY, kind, **{**said, "member": SECRETARY})).then_rejected(JudgingOneself)
    at.when(by(SECRETARY, kind, **{**said, "member": OUTSIDER})).then_rejected(NotAMember)


# -- Recommendation (R85) ---------------------------------------------------------------------------


def test_a_member_of_the_best_grade_may_be_recommended() -> None:
    recommend = by(SECRETARY, RecommendMember, **PRAISE)
    appraisal.given(*done, best).when(recommend).then(recommended)
    appraisal.given(*done, best, recommended).when(recommend).then_nothing()
    other = by(SECRETARY, RecommendMember, **{**PRAISE, "text": "另说"})
    appraisal.given(*done, best, recommended).when(other).then_rejected(AlreadyEntered)


@pytest.mark.parametrize("grade", [g for g in opened.scale if g is not Grade.excellent])
def test_a_member_of_a_lower_grade_is_not_recommended(grade: Grade) -> None:
    lower = best.model_copy(update={"grade": grade})
    recommend = by(SECRETARY, RecommendMember, **PRAISE)
    appraisal.given(*done, lower).when(recommend).then_rejected(NotAModel)


def test_nor_is_a_member_without_a_result() -> None:
    recommend = by(SECRETARY, RecommendMember, **PRAISE)
    appraisal.given(*done).when(recommend).then_rejected(NotAModel)
    appraisal.given(opened).when(recommend).then_rejected(OutOfOrder)


# -- Education and disposition (R86) ------------------------------------------------------------------


def test_an_unqualified_member_is_educated_and_disposed() -> None:
    appraisal.given(*done, worst).when(by(SECRETARY, EducateMember, **LESSON)).then(educated)
    appraisal.given(*done, worst).when(by(SECRETARY, DisposeMember, **DEAL)).then(disposed)
    both = appraisal.given(*done, worst, educated, disposed)
    both.when(by(SECRETARY, EducateMember, **LESSON)).then_nothing()
    both.when(by(SECRETARY, DisposeMember, **DEAL)).then_nothing()
    other = {**DEAL, "disposition": Disposition.name_removed}
    both.when(by(SECRETARY, DisposeMember, **other)).then_rejected(AlreadyEntered)


@pytest.mark.parametrize("grade", [g for g in opened.scale if g is not Grade.unqualified])
def test_who_is_not_unqualified_is_neither(grade: Grade) -> None:
    better = appraisal.given(*done, worst.model_copy(update={"grade": grade}))
    better.when(by(SECRETARY, EducateMember, **LESSON)).then_rejected(NotUnqualified)
    better.when(by(SECRETARY, DisposeMember, **DEAL)).then_rejected(NotUnqualified)


# -- Voiding an entry -------------------------------------------------------------------------------

VOID_RESULT: dict[str, Any] = {"entry": AppraisalEntry.result, "member": TEACHER} | {
    "reason": "录错"
}


def test_a_second_person_voids_a_result() -> None:
    voided = AppraisalEntryVoided(**VOID_RESULT)
    at = appraisal.given(*done, worst)
    at.when(by(LEADER, VoidAppraisalEntry, **VOID_RESULT)).then(voided)
    at.when(by(SECRETARY, VoidAppraisalEntry, **VOID_RESULT)).then_rejected(SecondPerson)
    at.when(by(OTHER_SECRETARY, VoidAppraisalEntry, **VOID_RESULT)).then_rejected(NotTheirBranch)
    anew = by(SECRETARY, RecordResult, **{**WORST, "grade": Grade.qualified})
    appraisal.given(*done, worst, voided).when(anew).then(
        worst.model_copy(update={"grade": Grade.qualified})
    )


def test_nobody_voids_the_result_they_were_given() -> None:
    leaders = ResultRecorded(member=LEADER, grade=Grade.qualified, recorded_by=SECRETARY)
    own = by(LEADER, VoidAppraisalEntry, **{**VOID_RESULT, "member": LEADER})
    appraisal.given(*done, leaders).when(own).then_rejected(JudgingOneself)


@pytest.mark.parametrize("follow", [educated, disposed])
def test_a_result_that_others_rest_on_is_voided_last(follow: Any) -> None:
    void = by(LEADER, VoidAppraisalEntry, **VOID_RESULT)
    appraisal.given(*done, worst, follow).when(void).then_rejected(RestsOnIt)
    kind = AppraisalEntry.education if follow is educated else AppraisalEntry.disposition
    first = {**VOID_RESULT, "entry": kind}
    voided = AppraisalEntryVoided(**first)
    appraisal.given(*done, worst, follow).when(by(LEADER, VoidAppraisalEntry, **first)).then(voided)
    appraisal.given(*done, worst, follow, voided).when(void).then(
        AppraisalEntryVoided(**VOID_RESULT)
    )


def test_what_rests_on_another_members_result_is_no_hindrance() -> None:
    void = by(LEADER, VoidAppraisalEntry, **VOID_RESULT)
    appraisal.given(*done, best, worst, recommended).when(void).then(
        AppraisalEntryVoided(**VOID_RESULT)
    )
