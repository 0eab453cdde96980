"""What was verified is published; an objection stops the clock until it is answered."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from services.campaign.calendar import Deadline
from services.rectification.domain.issue import (
    DismissObjection,
    FourEyes,
    NoObjection,
    NotAnOriginator,
    NotVerified,
    ObjectionPending,
    ObjectionsClosed,
    PartyToTheMatter,
    PublishNotice,
    RaiseObjection,
    Underway,
    UpholdObjection,
    decider,
)
from services.rectification.events import (
    IssueTransferred,
    ObjectionDismissed,
    ObjectionRaised,
    ObjectionUpheld,
    ReopenCause,
)
from shared.decider import Command, Event, OutOfOrder, PersonId
from tests.rectification.cast import (
    AWAITING,
    COLLATOR,
    FACTS,
    LATER,
    LEADER,
    MEMBER,
    NOON,
    ON_NOTICE,
    OPEN,
    OWNED,
    PLANNED,
    RECEIPT,
    SHOWN,
    STRANGER,
    STRUCK_OFF,
    SUPERVISOR,
    UNDERWAY,
    VERIFIED,
    about_member,
    after,
    by,
    days,
    due,
    objected,
    planned,
    published,
    strike_off_requested,
    struck_off,
    verified,
    watch,
)
from tests.scenario import Scenario

issue = Scenario(decider, FACTS)

OBJECTED = (*ON_NOTICE, objected)
OBJECTED_AFTER = (*STRUCK_OFF, objected)
OTHERS_RECEIPT = PersonId("originator:opinion-9")


def publish(text: str = published.text) -> PublishNotice:
    return by(COLLATOR, PublishNotice, text=text)


def object_to_it(
    person: PersonId = STRANGER, text: str = objected.text, at: datetime = NOON
) -> RaiseObjection:
    return by(person, RaiseObjection, text=text, at=at)


def uphold(person: PersonId = LEADER) -> UpholdObjection:
    return by(person, UpholdObjection, answer="情况属实,继续整改")


def dismiss(person: PersonId = LEADER, at: datetime = NOON) -> DismissObjection:
    return by(person, DismissObjection, answer="周末停供是管道检修,已公告", at=at)


# -- Publishing -----------------------------------------------------------------------------------


def test_what_was_verified_is_published_for_the_days_policy_says() -> None:
    issue.given(*VERIFIED).when(publish()).then(published)


def test_publishing_again_records_nothing() -> None:
    issue.given(*ON_NOTICE).when(publish()).then_nothing()


def test_another_notice_is_not_taken_for_the_same() -> None:
    issue.given(*ON_NOTICE).when(publish("另一公示")).then_rejected(OutOfOrder)


@pytest.mark.parametrize("past", [OPEN, OWNED, PLANNED, UNDERWAY, AWAITING])
def test_what_was_not_verified_is_not_published(past: tuple[Event, ...]) -> None:
    issue.given(*past).when(publish()).then_rejected(NotVerified)


def test_what_is_struck_off_is_not_published_again() -> None:
    issue.given(*STRUCK_OFF).when(publish()).then_rejected(OutOfOrder)


# -- Objecting ------------------------------------------------------------------------------------


@pytest.mark.parametrize("past", [ON_NOTICE, STRUCK_OFF], ids=["on notice", "struck off"])
@pytest.mark.parametrize("person", [STRANGER, RECEIPT])
def test_anybody_here_and_every_originator_may_object(
    person: PersonId, past: tuple[Event, ...]
) -> None:
    issue.given(*past).when(object_to_it(person)).then(
        objected.model_copy(update={"objector": person})
    )


def test_a_receipt_for_another_opinion_is_not_enough_to_object() -> None:
    issue.given(*ON_NOTICE).when(object_to_it(OTHERS_RECEIPT)).then_rejected(NotAnOriginator)


def test_a_receipt_for_an_opinion_of_a_merged_issue_is_enough_to_object() -> None:
    knowing = issue.knowing(replace(FACTS, inherited=frozenset({"opinion-9"})))
    knowing.given(*ON_NOTICE).when(object_to_it(OTHERS_RECEIPT)).then(
        objected.model_copy(update={"objector": OTHERS_RECEIPT})
    )


@pytest.mark.parametrize("past", [OBJECTED, OBJECTED_AFTER], ids=["on notice", "struck off"])
def test_objecting_again_records_nothing(past: tuple[Event, ...]) -> None:
    issue.given(*past).when(object_to_it()).then_nothing()


@pytest.mark.parametrize("past", [OBJECTED, OBJECTED_AFTER], ids=["on notice", "struck off"])
@pytest.mark.parametrize(
    "command", [object_to_it(RECEIPT), object_to_it(text="早上也没有")], ids=["other", "more"]
)
def test_one_objection_at_a_time_waits_for_its_answer(
    command: Command, past: tuple[Event, ...]
) -> None:
    issue.given(*past).when(command).then_rejected(ObjectionPending)


def test_nobody_objects_after_the_notice() -> None:
    issue.given(*ON_NOTICE).when(object_to_it(at=published.until.at)).then_rejected(
        ObjectionsClosed
    )


def test_what_is_struck_off_may_be_objected_to_as_long_as_it_is_judged() -> None:
    end = struck_off.verdicts_until.at
    late = objected.model_copy(
        update={
            "raised_at": end - days(1),
            "watch": watch(due("objection_within", end - days(1)), end - days(1)),
        }
    )
    issue.given(*STRUCK_OFF).when(object_to_it(at=end - days(1))).then(late)
    issue.given(*STRUCK_OFF).when(object_to_it(at=end)).then_rejected(ObjectionsClosed)


def test_there_is_nothing_to_object_to_before_the_notice() -> None:
    issue.given(*VERIFIED).when(object_to_it()).then_rejected(OutOfOrder)


# -- Answering ------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", [LEADER, SUPERVISOR])
def test_an_upheld_objection_sends_the_issue_back_to_work(person: PersonId) -> None:
    upheld = ObjectionUpheld(answer="情况属实,继续整改", times=1, watch=planned.watch)
    issue.given(*OBJECTED).when(uphold(person)).then(upheld)
    now, shown = after(*OBJECTED, upheld), after(*SHOWN)
    assert isinstance(now, Underway)
    assert (now.evidence, now.plan, now.watch) == (shown.evidence, shown.plan, shown.watch)


def test_after_an_upheld_objection_everything_is_checked_and_published_anew() -> None:
    upheld = ObjectionUpheld(answer="情况属实", times=1, watch=planned.watch)
    issue.given(*OBJECTED, upheld).when(publish()).then_rejected(NotVerified)
    again = (*OBJECTED, upheld, strike_off_requested, verified)
    issue.given(*again).when(publish()).then(published)


def test_an_upheld_objection_to_what_is_struck_off_is_a_ground_to_reopen_it() -> None:
    upheld = ObjectionUpheld(answer="情况属实,继续整改", times=0)
    issue.given(*OBJECTED_AFTER).when(uphold()).then(upheld)
    assert after(*OBJECTED_AFTER, upheld).grounds == {ReopenCause.objection_upheld}


def test_a_dismissed_objection_gives_the_notice_back_the_time_it_stood_still() -> None:
    end = published.until.at + days(3)
    dismissed = ObjectionDismissed(
        answer="周末停供是管道检修,已公告",
        until=Deadline(at=end, on=FACTS.directory.day(end)),
    )
    issue.given(*OBJECTED).when(dismiss(at=NOON + days(3))).then(dismissed)
    assert after(*OBJECTED, dismissed) == replace(after(*ON_NOTICE), until=dismissed.until)


def test_a_dismissed_objection_to_what_is_struck_off_changes_nothing() -> None:
    dismissed = ObjectionDismissed(answer="周末停供是管道检修,已公告")
    issue.given(*OBJECTED_AFTER).when(dismiss(at=LATER)).then(dismissed)
    assert after(*OBJECTED_AFTER, dismissed) == after(*STRUCK_OFF)


def test_another_objection_may_follow_an_answered_one() -> None:
    dismissed = ObjectionDismissed(answer="不属实", until=published.until)
    issue.given(*OBJECTED, dismissed).when(object_to_it(RECEIPT)).then(
        objected.model_copy(update={"objector": RECEIPT})
    )


@pytest.mark.parametrize("past", [ON_NOTICE, STRUCK_OFF], ids=["on notice", "struck off"])
@pytest.mark.parametrize("command", [uphold(), dismiss()], ids=["uphold", "dismiss"])
def test_without_an_objection_there_is_nothing_to_answer(
    command: Command, past: tuple[Event, ...]
) -> None:
    issue.given(*past).when(command).then_rejected(NoObjection)


def test_an_answer_comes_only_after_a_notice() -> None:
    issue.given(*VERIFIED).when(uphold()).then_rejected(OutOfOrder)
    issue.given(*VERIFIED).when(dismiss()).then_rejected(OutOfOrder)


@pytest.mark.parametrize("past", [ON_NOTICE, STRUCK_OFF], ids=["on notice", "struck off"])
@pytest.mark.parametrize("kind", [uphold, dismiss], ids=["uphold", "dismiss"])
def test_nobody_answers_their_own_objection(
    past: tuple[Event, ...], kind: Callable[[PersonId], Command]
) -> None:
    own = objected.model_copy(update={"objector": SUPERVISOR})
    issue.given(*past, own).when(kind(SUPERVISOR)).then_rejected(FourEyes)


@pytest.mark.parametrize("command", [uphold(), dismiss()], ids=["uphold", "dismiss"])
def test_the_owner_does_not_answer_an_objection(command: Command) -> None:
    handed_over = IssueTransferred(owner=LEADER, former=PersonId("lai-guodong"), reason="牵头")
    past = (*SHOWN, handed_over, strike_off_requested, verified, published, objected)
    issue.given(*past).when(command).then_rejected(FourEyes)
    issue.given(*past[:-1], struck_off, objected).when(command).then_rejected(FourEyes)


@pytest.mark.parametrize("past", [OBJECTED, OBJECTED_AFTER], ids=["on notice", "struck off"])
@pytest.mark.parametrize("command", [uphold(MEMBER), dismiss(MEMBER)], ids=["uphold", "dismiss"])
def test_the_person_an_issue_is_about_does_not_answer_an_objection(
    command: Command, past: tuple[Event, ...]
) -> None:
    issue.given(*about_member(past)).when(command).then_rejected(PartyToTheMatter)


def test_the_deadline_of_the_answer_begins_when_the_objection_is_raised() -> None:
    event = issue.given(*ON_NOTICE).when(object_to_it(at=NOON + days(1))).decided()
    assert isinstance(event, ObjectionRaised)
    assert event.watch.due == due("objection_within", NOON + days(1))
