"""What is on record is confirmed, disputed, corrected, released, followed up or declared void."""

from typing import Any

import pytest

from services.feedback.events import Addressee
from services.talks.domain.talk import (
    AddresseeUnclear,
    ConfirmedByAll,
    ConfirmTalk,
    CorrectTalk,
    DisputeTalk,
    EndsBeforeItBegins,
    FourEyes,
    NobodyThere,
    NotAPartyToTheTalk,
    OutsiderReleasesNothing,
    ProblemRaised,
    RaiseProblem,
    ReleaseTalk,
    RequestOfOthers,
    VoidTalk,
    WindsUnclear,
    decider,
)
from services.talks.events import Audience, TalkDisputed, TalkReleased, TalkVoided
from shared.decider import OutOfOrder, PersonId
from tests.scenario import Scenario
from tests.talks.cast import (
    ADMINISTRATOR,
    ANOTHER,
    ASKED_FOR,
    BEGUN,
    CONFIRMED,
    CORRECTED,
    FACTS,
    GONE,
    LEADER,
    MEMBER,
    PROBLEM,
    SECRETARY,
    SUPERVISOR,
    TEACHER,
    arranged,
    by,
    corrected,
    disputed,
    held,
    held_on_request,
    member_confirmed,
    raised,
    released,
    teacher_confirmed,
    voided,
)
from tests.talks.everything import told

talk = Scenario(decider, FACTS)


def correct(who: PersonId = MEMBER, **changes: Any) -> CorrectTalk:
    return by(who, CorrectTalk, **told({**CORRECTED, **changes}), reason=corrected.reason)


def dispute(who: PersonId = TEACHER, reason: str = disputed.reason) -> DisputeTalk:
    return by(who, DisputeTalk, reason=reason)


def release(who: PersonId, *audiences: Audience) -> ReleaseTalk:
    return by(who, ReleaseTalk, audiences=audiences)


def problem(who: PersonId = TEACHER, **changes: Any) -> RaiseProblem:
    return by(who, RaiseProblem, **{**PROBLEM, **changes})


EVERYTHING = (
    by(MEMBER, ConfirmTalk),
    dispute(),
    correct(),
    release(MEMBER, Audience.everybody),
    problem(),
    by(SUPERVISOR, VoidTalk, reason="没有这次谈话"),
)


@pytest.mark.parametrize("past", [(), (arranged,), (held, voided)], ids=["", "arranged", "voided"])
@pytest.mark.parametrize("command", EVERYTHING, ids=lambda c: type(c).__name__)
def test_only_what_was_held_is_agreed_upon(command: Any, past: Any) -> None:
    talk.given(*past).when(command).then_rejected(OutOfOrder)


@pytest.mark.parametrize("command", EVERYTHING[:-1], ids=lambda c: type(c).__name__)
@pytest.mark.parametrize("who", [LEADER, ADMINISTRATOR, SUPERVISOR, ANOTHER])
def test_only_who_talked_agrees(command: Any, who: PersonId) -> None:
    theirs = command.model_copy(update={"by": who})
    talk.given(held).when(theirs).then_rejected(NotAPartyToTheTalk)


# -- Confirmed and disputed ------------------------------------------------------------------------


def test_each_party_confirms_for_themselves() -> None:
    talk.given(held).when(by(MEMBER, ConfirmTalk)).then(member_confirmed)
    talk.given(held, member_confirmed).when(by(TEACHER, ConfirmTalk)).then(teacher_confirmed)


def test_who_confirmed_has_confirmed() -> None:
    talk.given(held, member_confirmed).when(by(MEMBER, ConfirmTalk)).then_nothing()


def test_a_party_disputes_with_a_reason() -> None:
    talk.given(held, member_confirmed).when(dispute()).then(disputed)
    talk.given(held, disputed).when(dispute()).then_nothing()
    other = TalkDisputed(party=TEACHER, reason="时间也不对")
    talk.given(held, disputed).when(dispute(reason=other.reason)).then(other)


def test_who_was_confirmed_by_all_is_disputed_all_the_same() -> None:
    talk.given(*CONFIRMED).when(dispute()).then(disputed)


def test_who_disputed_may_confirm_after_all() -> None:
    talk.given(held, disputed).when(by(TEACHER, ConfirmTalk)).then(teacher_confirmed)
    talk.given(held, disputed, teacher_confirmed).when(dispute()).then(disputed)


# -- Corrected -------------------------------------------------------------------------------------


@pytest.mark.parametrize("past", [(held,), (held, member_confirmed), (held, disputed)])
def test_a_party_corrects_what_not_everybody_confirmed(past: Any) -> None:
    talk.given(*past).when(correct()).then(corrected)
    talk.given(*past, corrected).when(correct()).then_nothing()


def test_what_everybody_confirmed_is_disputed_before_it_is_corrected() -> None:
    talk.given(*CONFIRMED).when(correct()).then_rejected(ConfirmedByAll)
    talk.given(*CONFIRMED, disputed).when(correct()).then(corrected)


def test_a_correction_is_confirmed_anew_and_released_anew() -> None:
    past = (held, member_confirmed, released, disputed, corrected)
    talk.given(*past).when(by(MEMBER, ConfirmTalk)).then(member_confirmed)
    talk.given(*past).when(dispute()).then(disputed)
    talk.given(*past).when(release(MEMBER, *released.audiences)).then(released)


def test_a_correction_is_as_sound_as_a_record() -> None:
    talk.given(held).when(correct(ended_at=BEGUN)).then_rejected(EndsBeforeItBegins)
    without_me: dict[str, Any] = {"parties": (ANOTHER, TEACHER), "sides": (), "communicated": ()}
    talk.given(held).when(correct(**without_me)).then_rejected(NotAPartyToTheTalk)
    of_others: dict[str, Any] = {"parties": (MEMBER, ANOTHER), "sides": (), "communicated": ()}
    answering = talk.knowing(ASKED_FOR).given(held_on_request)
    answering.when(correct(**of_others)).then_rejected(RequestOfOthers)


def test_what_was_raised_stays_raised_when_the_record_is_corrected() -> None:
    talk.given(held, raised, corrected).when(problem()).then_nothing()


# -- Released --------------------------------------------------------------------------------------


def test_a_party_releases_for_themselves_and_may_take_it_back() -> None:
    talk.given(held).when(release(MEMBER, *released.audiences)).then(released)
    talk.given(held, released).when(release(MEMBER, *released.audiences)).then_nothing()
    nobody = TalkReleased(party=MEMBER, audiences=())
    talk.given(held, released).when(release(MEMBER)).then(nobody)
    talk.given(held, released, nobody).when(release(MEMBER)).then_nothing()
    talk.given(held).when(release(MEMBER)).then_nothing()


def test_in_which_order_audiences_are_named_makes_no_difference() -> None:
    first, second = released.audiences
    talk.given(held, released).when(release(MEMBER, second, first, second)).then_nothing()


def test_nobody_releases_what_somebody_on_no_roster_said() -> None:
    with_outsider = held.model_copy(update={"parties": (MEMBER,), "outsider": "一名家长"})
    talk.given(with_outsider).when(release(MEMBER, Audience.everybody)).then_rejected(
        OutsiderReleasesNothing
    )


# -- Followed up -----------------------------------------------------------------------------------


def test_a_party_raises_a_problem_once() -> None:
    talk.given(held).when(problem()).then(raised)
    talk.given(held, raised).when(problem()).then_nothing()
    talk.given(held, raised).when(problem(title="作业太多")).then_rejected(ProblemRaised)
    talk.given(held, raised).when(problem(key="canteen")).then(
        raised.model_copy(update={"key": "canteen"})
    )


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"addressee": Addressee.member}, AddresseeUnclear),
        ({"person": MEMBER}, AddresseeUnclear),
        ({"winds": ()}, WindsUnclear),
        ({"not_four_winds": True}, WindsUnclear),
        ({"addressee": Addressee.member, "person": GONE}, NobodyThere),
        ({"addressee": Addressee.member, "person": PersonId("nobody")}, NobodyThere),
    ],
)
def test_a_problem_is_one_that_can_become_an_issue(changes: dict[str, Any], rule: Any) -> None:
    talk.given(held).when(problem(**changes)).then_rejected(rule)


def test_a_personal_problem_and_one_of_none_of_the_winds_are_raised() -> None:
    personal: dict[str, Any] = {"addressee": Addressee.member, "person": MEMBER}
    talk.given(held).when(problem(**personal)).then(raised.model_copy(update=personal))
    other: dict[str, Any] = {"winds": (), "not_four_winds": True}
    talk.given(held).when(problem(**other)).then(raised.model_copy(update=other))


# -- Declared void ---------------------------------------------------------------------------------


@pytest.mark.parametrize("past", [(held,), CONFIRMED, (held, disputed)])
def test_somebody_of_the_office_who_did_not_talk_declares_it_void(past: Any) -> None:
    void = by(SUPERVISOR, VoidTalk, reason=voided.reason)
    talk.given(*past).when(void).then(voided)
    talk.given(*past, voided).when(void).then_nothing()
    other = by(SUPERVISOR, VoidTalk, reason="没有这次谈话")
    talk.given(*past, voided).when(other).then_rejected(OutOfOrder)


def test_neither_a_party_nor_the_recorder_declares_it_void() -> None:
    with_secretary = held.model_copy(update={"parties": (SECRETARY, TEACHER)})
    void = by(SECRETARY, VoidTalk, reason="没有这次谈话")
    talk.given(with_secretary).when(void).then_rejected(FourEyes)
    by_secretary = held.model_copy(update={"recorded_by": SECRETARY})
    talk.given(by_secretary).when(void).then_rejected(FourEyes)


def test_a_void_talk_says_which_request_waits_again() -> None:
    void = by(SUPERVISOR, VoidTalk, reason=voided.reason)
    talk.given(held_on_request).when(void).then(
        TalkVoided(reason=voided.reason, request="request-1")
    )


def test_a_void_talk_names_the_problems_it_had_raised() -> None:
    void = by(SUPERVISOR, VoidTalk, reason=voided.reason)
    named = voided.model_copy(update={"problems": (raised.key,)})
    talk.given(held, raised).when(void).then(named)
    talk.given(held, raised, corrected).when(void).then(named)
