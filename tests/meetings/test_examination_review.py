"""What is adopted, consulted on, and reviewed by the supervision group, or sent back (R65)."""

from dataclasses import replace
from datetime import date
from typing import Any

from services.meetings.domain.examination import (
    AdoptedBeforeTheRewriting,
    AdoptExamination,
    AlreadyAdopted,
    AlreadyConsulted,
    AlreadyReviewed,
    ConsultOnExamination,
    CorrectExamination,
    CorrectExaminationAdoption,
    CorrectExaminationConsultation,
    DecidedUpon,
    DueInThePast,
    ExaminedByItsAuthor,
    NeedsNoAdoption,
    NoSuchMeeting,
    NotAdoptedYet,
    NotConsultedYet,
    ReviewExamination,
    ReviseExamination,
    SendBackExamination,
    SubmitExamination,
    TooFarAway,
)
from services.meetings.events import (
    ExaminationAdopted,
    ExaminationAdoptionCorrected,
    ExaminationConsultationCorrected,
    ExaminationConsulted,
    ExaminationReviewed,
    ExaminationRevised,
    ExaminationSentBack,
    ExaminationSubmitted,
    Paper,
)
from shared.decider import OutOfOrder
from tests.meetings.examination_cast import CADRE, LEADER, MEMBER, SUPERVISOR, TODAY, by
from tests.meetings.test_examination_writing import (
    FACTS,
    FULL,
    drafted,
    examination,
    of_the_team,
    submitted,
)

ASKED: dict[str, Any] = {"scope": "全体教职工代表", "replies": 42, "solicitation": "sol-1"}
adopted = ExaminationAdopted(meeting="meeting-1")
consulted = ExaminationConsulted(**ASKED)
reviewed = ExaminationReviewed(remarks="问题找得准")
BACK: dict[str, Any] = {"remarks": "不具体,未回应意见", "rewrite_by": date(2023, 5, 19)}
sent_back = ExaminationSentBack(**BACK, rounds=1)

of_team = (of_the_team, submitted)
own = (drafted, submitted)
review = by(SUPERVISOR, ReviewExamination, remarks="问题找得准")
adopt = by(LEADER, AdoptExamination, meeting="meeting-1")
consult = by(LEADER, ConsultOnExamination, **ASKED)
send_back = by(SUPERVISOR, SendBackExamination, **BACK)


# -- Adopting -------------------------------------------------------------------------------------


def test_a_leadership_meeting_adopts_the_teams() -> None:
    examination.given(*of_team).when(adopt).then(adopted)


def test_only_what_was_submitted_is_adopted() -> None:
    examination.given(of_the_team).when(adopt).then_rejected(OutOfOrder)


def test_a_persons_own_goes_to_no_leadership_meeting() -> None:
    examination.given(*own).when(adopt).then_rejected(NeedsNoAdoption)
    examination.given(*own).when(consult).then_rejected(NeedsNoAdoption)


def test_a_members_own_does_where_the_school_reads_it_so() -> None:
    members = drafted.model_copy(update={"presided_by": LEADER, "to_be_adopted": True})
    examination.given(members, submitted).when(adopt).then(adopted)
    examination.given(members, submitted).when(review).then_rejected(NotAdoptedYet)


def test_a_meeting_that_was_not_held_adopts_nothing() -> None:
    unheld = examination.knowing(replace(FACTS, held=False))
    unheld.given(*of_team).when(adopt).then_rejected(NoSuchMeeting)
    other = by(LEADER, CorrectExaminationAdoption, meeting="meeting-2", reason="写错")
    unheld.given(*of_team, adopted).when(other).then_rejected(NoSuchMeeting)


def test_it_is_adopted_once() -> None:
    other = by(LEADER, AdoptExamination, meeting="meeting-2")
    for past in ((adopted,), (adopted, consulted), (adopted, consulted, reviewed)):
        examination.given(*of_team, *past).when(adopt).then_nothing()
        examination.given(*of_team, *past).when(other).then_rejected(AlreadyAdopted)


def test_a_meeting_that_adopted_what_was_sent_back_did_not_adopt_what_was_written_since() -> None:
    other = by(LEADER, AdoptExamination, meeting="meeting-2")
    second = ExaminationAdopted(meeting="meeting-2")
    put_right = by(LEADER, CorrectExaminationAdoption, meeting="meeting-1", reason="写错")
    for past in ((adopted,), (adopted, consulted), (adopted, consulted, reviewed)):
        anew = (*of_team, *past, sent_back, submitted)
        examination.given(*anew).when(adopt).then_rejected(AdoptedBeforeTheRewriting)
        examination.given(*anew).when(other).then(second)
        again = examination.given(*anew, second)
        again.when(put_right).then_rejected(AdoptedBeforeTheRewriting)
        third = examination.given(*anew, second, sent_back, submitted)
        third.when(adopt).then_rejected(AdoptedBeforeTheRewriting)
    never = (*of_team, sent_back, submitted)
    examination.given(*never).when(adopt).then(adopted)


def test_which_meeting_it_was_may_be_corrected() -> None:
    other = by(LEADER, CorrectExaminationAdoption, meeting="meeting-2", reason="写错")
    corrected = ExaminationAdoptionCorrected(meeting="meeting-2", reason="写错")
    for past in ((adopted,), (adopted, consulted), (adopted, consulted, reviewed)):
        examination.given(*of_team, *past).when(other).then(corrected)
        examination.given(*of_team, *past, corrected).when(other).then_nothing()
    examination.given(*own, reviewed).when(other).then_rejected(OutOfOrder)


# -- Consulting -----------------------------------------------------------------------------------


def test_an_adopted_one_is_consulted_on() -> None:
    examination.given(*of_team, adopted).when(consult).then(consulted)


def test_nobody_is_consulted_before_it_is_adopted() -> None:
    examination.given(*of_team).when(consult).then_rejected(NotAdoptedYet)


def test_the_consultation_is_recorded_once() -> None:
    other = by(LEADER, ConsultOnExamination, **{**ASKED, "replies": 43})
    for past in ((consulted,), (consulted, reviewed)):
        examination.given(*of_team, adopted, *past).when(consult).then_nothing()
        examination.given(*of_team, adopted, *past).when(other).then_rejected(AlreadyConsulted)


def test_the_consultation_may_be_corrected() -> None:
    said = {**ASKED, "replies": 43}
    correct = by(LEADER, CorrectExaminationConsultation, **said, reason="漏计一份")
    corrected = ExaminationConsultationCorrected(**said, reason="漏计一份")
    for past in ((consulted,), (consulted, reviewed)):
        examination.given(*of_team, adopted, *past).when(correct).then(corrected)
        examination.given(*of_team, adopted, *past, corrected).when(correct).then_nothing()
    examination.given(*of_team, adopted).when(correct).then_rejected(OutOfOrder)


# -- Reviewing ------------------------------------------------------------------------------------


def test_a_persons_own_is_reviewed_once_it_is_submitted() -> None:
    examination.given(*own).when(review).then(reviewed)
    examination.given(drafted).when(review).then_rejected(OutOfOrder)


def test_the_teams_is_reviewed_after_adoption_and_consultation() -> None:
    examination.given(*of_team).when(review).then_rejected(NotAdoptedYet)
    examination.given(*of_team, adopted).when(review).then_rejected(NotConsultedYet)
    examination.given(*of_team, adopted, consulted).when(review).then(reviewed)


def test_a_review_stands() -> None:
    other = by(SUPERVISOR, ReviewExamination, remarks="合格")
    examination.given(*own, reviewed).when(review).then_nothing()
    examination.given(*own, reviewed).when(other).then_rejected(AlreadyReviewed)


def test_nobody_reviews_or_sends_back_their_own() -> None:
    for kind, said in ((ReviewExamination, {}), (SendBackExamination, BACK)):
        examination.given(*own).when(by(CADRE, kind, **said)).then_rejected(ExaminedByItsAuthor)
        leaders = examination.given(*of_team, adopted, consulted)
        leaders.when(by(LEADER, kind, **said)).then_rejected(ExaminedByItsAuthor)


def test_what_was_decided_on_is_not_corrected_by_its_author() -> None:
    correct = by(CADRE, CorrectExamination, **FULL, reason="漏录")
    examination.given(*own, reviewed).when(correct).then_rejected(DecidedUpon)
    teams = by(LEADER, CorrectExamination, **FULL, reason="漏录")
    examination.given(*of_team, adopted).when(teams).then_rejected(DecidedUpon)


# -- Sending back ---------------------------------------------------------------------------------


def test_it_is_sent_back_to_be_rewritten_by_a_day() -> None:
    for past in (own, (*own, reviewed), (*of_team, adopted), (*of_team, adopted, consulted)):
        examination.given(*past).when(send_back).then(sent_back)
    examination.given(drafted).when(send_back).then_rejected(OutOfOrder)


def test_rounds_are_counted() -> None:
    again = (*own, sent_back, submitted)
    examination.given(*again).when(send_back).then(sent_back.model_copy(update={"rounds": 2}))


def test_sending_back_again_is_nothing_new() -> None:
    examination.given(*own, sent_back).when(send_back).then_nothing()
    other = by(SUPERVISOR, SendBackExamination, **{**BACK, "remarks": "重写"})
    examination.given(*own, sent_back).when(other).then_rejected(OutOfOrder)


def test_the_day_is_neither_past_nor_far_away() -> None:
    past = {**BACK, "rewrite_by": date(2023, 5, 7)}
    examination.given(*own).when(by(SUPERVISOR, SendBackExamination, **past)).then_rejected(
        DueInThePast
    )
    far = {**BACK, "rewrite_by": date(2203, 5, 7)}
    examination.given(*own).when(by(SUPERVISOR, SendBackExamination, **far)).then_rejected(
        TooFarAway
    )
    today = {**BACK, "rewrite_by": TODAY}
    examination.given(*own).when(by(SUPERVISOR, SendBackExamination, **today)).then(
        ExaminationSentBack(**today, rounds=1)
    )


def test_what_was_sent_back_is_rewritten_and_needs_everything_again() -> None:
    back = (*of_team, adopted, consulted, reviewed, sent_back)
    examination.given(*back).when(by(MEMBER, ReviseExamination)).then(
        ExaminationRevised(paper=Paper())
    )
    examination.given(*back).when(by(LEADER, SubmitExamination)).then(ExaminationSubmitted())
    examination.given(*back, submitted).when(review).then_rejected(NotAdoptedYet)
    examination.given(*back, submitted).when(consult).then_rejected(NotAdoptedYet)
