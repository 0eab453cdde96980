"""Somebody was entered twice; what the second entry said is theirs once the two are merged."""

from typing import Any

from services.talks.domain import request
from services.talks.domain.request import AcceptRequest, VoidRequest, WithdrawRequest
from services.talks.domain.talk import (
    ArrangeTalk,
    ConfirmedByAll,
    ConfirmTalk,
    CorrectTalk,
    DisputeTalk,
    Facts,
    FourEyes,
    HoldTalk,
    RecordTalk,
    ReleaseTalk,
    Requested,
    TalkingWithOneself,
    VoidTalk,
    decider,
)
from services.talks.events import TalkRequestAccepted, TalkRequestWithdrawn
from shared.decider import PersonId
from tests.scenario import Scenario
from tests.talks.cast import (
    CONFIRMED,
    CORRECTED,
    MEMBER,
    PLAN,
    SECRETARY,
    TEACHER,
    TOLD,
    arranged,
    by,
    corrected,
    disputed,
    held,
    held_on_request,
    member_confirmed,
    merged,
    released,
    requested,
)
from tests.talks.everything import told

MEMBER_2, TEACHER_2 = PersonId(f"{MEMBER}-2"), PersonId(f"{TEACHER}-2")
DIRECTORY = merged(MEMBER, TEACHER, SECRETARY)
talk = Scenario(decider, Facts(DIRECTORY))


def second[E: Any](event: E) -> E:
    """The same event, in which both parties went by their second entry."""
    text = event.model_dump_json()
    for name in (MEMBER, TEACHER):
        text = text.replace(f'"{name}"', f'"{name}-2"')
    again: E = type(event).model_validate_json(text)
    return again


def test_a_party_goes_on_by_the_name_the_record_has_for_them() -> None:
    talk.given(second(held)).when(by(MEMBER, ConfirmTalk)).then(second(member_confirmed))
    talk.given(second(held), second(member_confirmed)).when(by(MEMBER, ConfirmTalk)).then_nothing()
    talk.given(second(held)).when(by(TEACHER, DisputeTalk, reason=disputed.reason)).then(
        second(disputed)
    )
    release = by(MEMBER, ReleaseTalk, audiences=released.audiences)
    talk.given(second(held)).when(release).then(second(released))
    talk.given(second(arranged)).when(by(MEMBER, HoldTalk, **told(TOLD))).then(held)


def test_who_confirmed_and_then_disputes_no_longer_confirms() -> None:
    confirmed = tuple(second(event) for event in CONFIRMED)
    correct = by(MEMBER, CorrectTalk, **told(CORRECTED), reason=corrected.reason)
    talk.given(*confirmed).when(correct).then_rejected(ConfirmedByAll)
    talk.given(*confirmed, second(disputed)).when(correct).then(corrected)
    state: Any = decider.fold((*confirmed, second(disputed)))
    assert state.confirmed == {MEMBER_2}


def test_the_same_record_is_the_same() -> None:
    correct = by(MEMBER, CorrectTalk, **told(TOLD), reason="同前")
    talk.given(second(held)).when(correct).then_nothing()
    arrange = by(MEMBER, ArrangeTalk, **PLAN)
    talk.given(second(arranged)).when(arrange).then_nothing()


def test_who_is_named_by_the_second_entry_is_recorded_by_the_first() -> None:
    named: dict[str, Any] = {**TOLD, "parties": (MEMBER_2, TEACHER_2)}
    talk.when(by(MEMBER, RecordTalk, **told(named))).then(held)


def test_nobody_talks_with_their_own_second_entry() -> None:
    named = {**PLAN, "parties": (MEMBER, MEMBER_2)}
    talk.when(by(MEMBER, ArrangeTalk, **named)).then_rejected(TalkingWithOneself)


def test_four_eyes_are_those_of_two_people() -> None:
    recorded = held.model_copy(update={"recorded_by": PersonId(f"{SECRETARY}-2")})
    void = by(SECRETARY, VoidTalk, reason="没有这次谈话")
    talk.given(recorded).when(void).then_rejected(FourEyes)


def test_a_request_made_under_the_second_entry_is_answered_by_the_talk_of_the_first() -> None:
    asked = Scenario(decider, Facts(DIRECTORY, Requested(asker=TEACHER_2, asked=MEMBER_2)))
    record = by(MEMBER, RecordTalk, **told(TOLD), request="request-1")
    asked.when(record).then(held_on_request)


def test_a_request_is_answered_withdrawn_and_guarded_by_who_they_are() -> None:
    asking = Scenario(request.decider, Facts(DIRECTORY)).given(second(requested))
    asking.when(by(MEMBER, AcceptRequest)).then(TalkRequestAccepted())
    asking.when(by(TEACHER, WithdrawRequest)).then(TalkRequestWithdrawn())
    by_secretary = requested.model_copy(update={"recorded_by": PersonId(f"{SECRETARY}-2")})
    void = by(SECRETARY, VoidRequest, reason="重复登记")
    asking.given(by_secretary).when(void).then_rejected(FourEyes)
