"""Somebody asks for a talk and is answered (R49)."""

from typing import Any

import pytest

from services.campaign.roster import Roster
from services.talks.domain.request import (
    AcceptRequest,
    AskedByOthers,
    AskerUnclear,
    CorrectRequest,
    HoldRequestedTalk,
    NotTheAsked,
    NotTheAsker,
    RefuseRequest,
    RequestTalk,
    VoidRequest,
    VoidRequestedTalk,
    WithdrawRequest,
    decider,
)
from services.talks.domain.talk import (
    Facts,
    FourEyes,
    NobodyThere,
    RequestAnswered,
    TalkingWithOneself,
)
from services.talks.events import (
    RequestedTalkHeld,
    RequestedTalkVoided,
    TalkRequestAccepted,
    TalkRequestCorrected,
    TalkRequestRefused,
    TalkRequestVoided,
    TalkRequestWithdrawn,
)
from shared.decider import OutOfOrder, PersonId
from tests.scenario import Scenario
from tests.talks.cast import (
    ADMINISTRATOR,
    ANOTHER,
    FACTS,
    GONE,
    LAST_DAY,
    MEMBER,
    NOON,
    SCHOOL,
    SERVICE,
    SUPERVISOR,
    TEACHER,
    by,
    days,
    requested,
)

request = Scenario(decider, FACTS)

accepted = TalkRequestAccepted(remarks="周四下午")
refused = TalkRequestRefused(reason="由分管副校长约谈")
withdrawn = TalkRequestWithdrawn(reason="已经解决")
talked = RequestedTalkHeld(talk="talk-1")
talk_voided = RequestedTalkVoided(talk="talk-1")
voided = TalkRequestVoided(reason="重复登记")
of_a_parent = requested.model_copy(
    update={"asker": None, "outsider": "一名家长", "recorded_by": ADMINISTRATOR}
)

accept = by(MEMBER, AcceptRequest, remarks=accepted.remarks)
refuse = by(MEMBER, RefuseRequest, reason=refused.reason)
withdraw = by(TEACHER, WithdrawRequest, reason=withdrawn.reason)
hold = by(SERVICE, HoldRequestedTalk, talk="talk-1")
void_talk = by(SERVICE, VoidRequestedTalk, talk="talk-1")
void = by(SUPERVISOR, VoidRequest, reason=voided.reason)

ANSWERED: dict[str, Any] = {
    "open": (requested,),
    "accepted": (requested, accepted),
    "refused": (requested, refused),
    "held": (requested, talked),
    "withdrawn": (requested, withdrawn),
    "voided": (requested, voided),
}


def ask(who: PersonId = TEACHER, **changes: Any) -> RequestTalk:
    return by(who, RequestTalk, **{"asked": MEMBER, "about": requested.about, **changes})


def correct(who: PersonId = TEACHER, **changes: Any) -> CorrectRequest:
    said = {"asked": MEMBER, "about": requested.about, **changes}
    return by(who, CorrectRequest, **said, reason="写错")


# -- Asked -----------------------------------------------------------------------------------------


def test_anybody_asks_for_a_talk() -> None:
    request.when(ask()).then(requested)
    request.given(requested).when(ask()).then_nothing()
    request.given(requested).when(ask(about="别的事")).then_rejected(OutOfOrder)


@pytest.mark.parametrize("who", [ADMINISTRATOR, MEMBER])
def test_the_office_and_the_asked_enter_what_others_ask_for(who: PersonId) -> None:
    request.when(ask(who, asker=TEACHER)).then(requested.model_copy(update={"recorded_by": who}))
    request.when(ask(who, outsider="一名家长")).then(
        of_a_parent.model_copy(update={"recorded_by": who})
    )


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        (ask(asker=ANOTHER), AskedByOthers),
        (ask(outsider="一名家长"), AskedByOthers),
        (ask(ADMINISTRATOR, asker=TEACHER, outsider="一名家长"), AskerUnclear),
        (ask(MEMBER), TalkingWithOneself),
        (ask(ADMINISTRATOR, asker=MEMBER), TalkingWithOneself),
        (ask(asked=GONE), NobodyThere),
        (ask(asked="nobody"), NobodyThere),
        (ask(ADMINISTRATOR, asker=GONE), NobodyThere),
    ],
)
def test_what_nobody_can_ask_for_is_refused(said: RequestTalk, rule: Any) -> None:
    request.when(said).then_rejected(rule)


def test_who_was_there_on_the_day_of_asking_is_what_counts() -> None:
    then = requested.model_copy(update={"asked": GONE})
    request.when(ask(asked=GONE, occurred_at=NOON - days(10))).then(then)


def test_a_request_is_put_right_while_it_waits() -> None:
    then = TalkRequestCorrected(asker=TEACHER, asked=MEMBER, about="宿舍管理", reason="写错")
    request.given(requested).when(correct(about="宿舍管理")).then(then)
    request.given(requested, then).when(correct(about="宿舍管理")).then_nothing()
    request.given(requested).when(correct()).then_nothing()
    request.given(requested).when(correct(asked=TEACHER)).then_rejected(TalkingWithOneself)
    request.given(requested).when(correct(ANOTHER)).then_rejected(NotTheAsker)
    for name in ANSWERED.keys() - {"open"}:
        again = correct(about="宿舍管理")
        request.given(*ANSWERED[name]).when(again).then_rejected(OutOfOrder)


# -- Answered --------------------------------------------------------------------------------------


def test_the_asked_accepts() -> None:
    request.given(requested).when(accept).then(accepted)
    request.given(requested, accepted).when(accept).then_nothing()
    request.given(requested, refused).when(accept).then(accepted)


def test_the_asked_refuses_with_a_reason() -> None:
    request.given(requested).when(refuse).then(refused)
    request.given(requested, refused).when(refuse).then_nothing()
    request.given(requested, accepted).when(refuse).then(refused)


def test_nobody_answers_for_the_asked_while_they_are_here() -> None:
    for who in (TEACHER, ANOTHER, ADMINISTRATOR):
        for answer in (accept, refuse):
            theirs = answer.model_copy(update={"by": who})
            request.given(requested).when(theirs).then_rejected(NotTheAsked)


def test_the_office_answers_for_who_has_left() -> None:
    left = SCHOOL.roster.people[MEMBER].model_copy(update={"left_on": LAST_DAY})
    roster = Roster(people={**SCHOOL.roster.people, MEMBER: left})
    without = request.knowing(Facts(SCHOOL.model_copy(update={"roster": roster})))
    theirs = refuse.model_copy(update={"by": ADMINISTRATOR})
    without.given(requested).when(theirs).then(refused)
    others = refuse.model_copy(update={"by": ANOTHER})
    without.given(requested).when(others).then_rejected(NotTheAsked)


def test_who_asked_may_do_without() -> None:
    for name in ("open", "accepted"):
        request.given(*ANSWERED[name]).when(withdraw).then(withdrawn)
    request.given(requested, withdrawn).when(withdraw).then_nothing()
    other = withdraw.model_copy(update={"reason": "另有安排"})
    request.given(requested, withdrawn).when(other).then_rejected(OutOfOrder)
    request.given(requested, refused).when(withdraw).then_rejected(OutOfOrder)
    theirs = withdraw.model_copy(update={"by": MEMBER})
    request.given(requested).when(theirs).then_rejected(NotTheAsker)


def test_who_entered_it_for_the_public_withdraws_it_for_them() -> None:
    theirs = withdraw.model_copy(update={"by": ADMINISTRATOR})
    request.given(of_a_parent).when(theirs).then(withdrawn)


@pytest.mark.parametrize("name", ["held", "withdrawn", "voided"])
def test_what_is_over_is_not_answered(name: str) -> None:
    for answer in (accept, refuse):
        request.given(*ANSWERED[name]).when(answer).then_rejected(OutOfOrder)


# -- Held ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["open", "accepted", "refused", "withdrawn"])
def test_a_talk_answers_it_however_it_had_been_answered(name: str) -> None:
    request.given(*ANSWERED[name]).when(hold).then(talked)
    request.given(*ANSWERED[name], talked).when(hold).then_nothing()


def test_another_talk_does_not_answer_it_again() -> None:
    other = hold.model_copy(update={"talk": "talk-2"})
    request.given(requested, talked).when(other).then_rejected(RequestAnswered)
    request.given(requested, voided).when(hold).then_rejected(OutOfOrder)


def test_it_waits_again_when_the_talk_was_void() -> None:
    request.given(requested, talked).when(void_talk).then(talk_voided)
    request.given(requested, talked, talk_voided).when(void_talk).then_nothing()
    request.given(requested, talked, talk_voided).when(refuse).then(refused)
    request.given(requested, talked, talk_voided).when(hold).then(talked)


def test_it_does_not_wait_again_because_of_another_talk() -> None:
    other = void_talk.model_copy(update={"talk": "talk-2"})
    request.given(requested, talked).when(other).then_nothing()
    for name in ("open", "accepted", "refused", "withdrawn"):
        request.given(*ANSWERED[name]).when(void_talk).then_nothing()
    request.given(requested, voided).when(void_talk).then_rejected(OutOfOrder)


# -- Declared void ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["open", "accepted", "refused", "held", "withdrawn"])
def test_somebody_else_declares_it_void(name: str) -> None:
    request.given(*ANSWERED[name]).when(void).then(voided)
    request.given(*ANSWERED[name], voided).when(void).then_nothing()
    other = void.model_copy(update={"reason": "没有人约谈"})
    request.given(*ANSWERED[name], voided).when(other).then_rejected(OutOfOrder)


def test_neither_who_entered_it_nor_the_asked_makes_it_disappear() -> None:
    for who in (TEACHER, MEMBER):
        theirs = void.model_copy(update={"by": who})
        request.given(requested).when(theirs).then_rejected(FourEyes)


@pytest.mark.parametrize("command", [correct(), accept, refuse, withdraw, hold, void_talk, void])
def test_nothing_happens_to_what_nobody_asked_for(command: Any) -> None:
    request.when(command).then_rejected(OutOfOrder)
