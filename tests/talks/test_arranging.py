"""A talk is arranged, arranged anew, cancelled: by a party or by the office."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.talks.domain.talk import (
    ArrangeTalk,
    BranchUnclear,
    CancelTalk,
    Facts,
    NobodyThere,
    NoSuchBranch,
    NoSuchRequest,
    NotEnoughParties,
    NotForYouToArrange,
    RearrangeTalk,
    RequestAnswered,
    Requested,
    RequestOfOthers,
    TalkingWithOneself,
    TooFarAway,
    TwoToATalk,
    decider,
)
from services.talks.events import TalkKind, TalkRearranged
from shared.decider import OutOfOrder, PersonId
from tests.scenario import Scenario
from tests.talks.cast import (
    ADMINISTRATOR,
    ANOTHER,
    ASKED_FOR,
    FACTS,
    GONE,
    MEMBER,
    PLAN,
    SCHOOL,
    SECRETARY,
    SUPERVISOR,
    TEACHER,
    arranged,
    arranged_on_request,
    by,
    cancelled,
    days,
    held,
)

talk = Scenario(decider, FACTS)


def arrange(who: PersonId = MEMBER, **changes: Any) -> ArrangeTalk:
    return by(who, ArrangeTalk, **{**PLAN, **changes})


def rearrange(who: PersonId = MEMBER, **changes: Any) -> RearrangeTalk:
    return by(who, RearrangeTalk, **{**PLAN, **changes}, reason="监考")


def test_a_party_arranges_a_talk() -> None:
    talk.when(arrange()).then(arranged)
    talk.given(arranged).when(arrange()).then_nothing()
    talk.given(arranged).when(arrange(place="操场")).then_rejected(OutOfOrder)


@pytest.mark.parametrize("who", [ADMINISTRATOR, SECRETARY, SUPERVISOR])
def test_the_office_arranges_a_talk_of_others(who: PersonId) -> None:
    talk.when(arrange(who)).then(arranged.model_copy(update={"arranged_by": who}))


def test_nobody_else_does() -> None:
    talk.when(arrange(ANOTHER)).then_rejected(NotForYouToArrange)
    talk.given(arranged).when(rearrange(ANOTHER, place="操场")).then_rejected(NotForYouToArrange)
    cancel = by(ANOTHER, CancelTalk, reason="不必了")
    talk.given(arranged).when(cancel).then_rejected(NotForYouToArrange)


def test_nobody_takes_a_talk_over_for_themselves() -> None:
    theirs = rearrange(ANOTHER, parties=(MEMBER, ANOTHER))
    talk.given(arranged).when(theirs).then_rejected(NotForYouToArrange)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"parties": (MEMBER, MEMBER)}, TalkingWithOneself),
        ({"parties": (MEMBER,)}, TwoToATalk),
        ({"parties": (MEMBER, TEACHER, ANOTHER)}, TwoToATalk),
        ({"outsider": "一名家长"}, TwoToATalk),
        ({"kind": TalkKind.group}, NotEnoughParties),
        ({"kind": TalkKind.branch, "parties": (MEMBER,), "branch": "liberal"}, NotEnoughParties),
        ({"kind": TalkKind.branch}, BranchUnclear),
        ({"branch": "liberal"}, BranchUnclear),
        ({"kind": TalkKind.branch, "branch": "retired"}, NoSuchBranch),
        ({"kind": TalkKind.branch, "branch": "logistics"}, NoSuchBranch),
        ({"kind": TalkKind.branch, "branch": "arts"}, NoSuchBranch),
        ({"parties": (MEMBER, PersonId("nobody"))}, NobodyThere),
        ({"parties": (MEMBER, GONE)}, NobodyThere),
        ({"planned_at": datetime(2203, 5, 8, tzinfo=UTC)}, TooFarAway),
        ({"planned_at": datetime(2003, 5, 8, tzinfo=UTC)}, TooFarAway),
    ],
)
def test_what_cannot_come_about_is_refused(changes: dict[str, Any], rule: Any) -> None:
    talk.when(arrange(**changes)).then_rejected(rule)
    talk.given(arranged).when(rearrange(**changes)).then_rejected(rule)


def test_a_talk_with_somebody_on_no_roster_has_one_party_of_the_school() -> None:
    outsider: dict[str, Any] = {"parties": (MEMBER,), "outsider": "一名家长"}
    talk.when(arrange(**outsider)).then(arranged.model_copy(update=outsider))


def test_a_talk_may_be_planned_long_before_or_entered_long_after() -> None:
    for planned_at in (PLAN["planned_at"] + days(100), PLAN["planned_at"] - days(100)):
        then = arranged.model_copy(update={"planned_at": planned_at})
        talk.when(arrange(planned_at=planned_at)).then(then)


def test_a_group_and_a_branch_are_arranged_too() -> None:
    group: dict[str, Any] = {"kind": TalkKind.group, "parties": (MEMBER, TEACHER, ANOTHER)}
    talk.when(arrange(**group)).then(arranged.model_copy(update=group))
    branch: dict[str, Any] = {"kind": TalkKind.branch, "branch": "liberal"}
    talk.when(arrange(**branch)).then(arranged.model_copy(update=branch))


# -- Because somebody asked for it -----------------------------------------------------------------


def test_a_talk_that_was_asked_for_is_one_of_who_asked_and_who_was_asked() -> None:
    asked = Scenario(decider, ASKED_FOR)
    asked.when(arrange(request="request-1")).then(arranged_on_request)
    others = arrange(request="request-1", parties=(MEMBER, ANOTHER))
    asked.when(others).then_rejected(RequestOfOthers)
    elsewhere = arrange(ADMINISTRATOR, request="request-1", parties=(TEACHER, ANOTHER))
    asked.when(elsewhere).then_rejected(RequestOfOthers)
    moved = rearrange(parties=(MEMBER, ANOTHER))
    asked.given(arranged_on_request).when(moved).then_rejected(RequestOfOthers)


def test_a_talk_that_the_public_asked_for_is_one_with_the_public() -> None:
    asked = Scenario(decider, Facts(SCHOOL, Requested(asker=None, asked=MEMBER)))
    asked.when(arrange(request="request-1")).then_rejected(RequestOfOthers)
    came: dict[str, Any] = {"parties": (MEMBER,), "outsider": "一名家长"}
    asked.when(arrange(request="request-1", **came)).then(
        arranged_on_request.model_copy(update=came)
    )


def test_a_request_nobody_knows_or_that_was_answered_leads_to_no_talk() -> None:
    talk.when(arrange(request="request-1")).then_rejected(NoSuchRequest)
    answered = Facts(SCHOOL, Requested(asker=TEACHER, asked=MEMBER, talk="talk-9"))
    talk.knowing(answered).when(arrange(request="request-1")).then_rejected(RequestAnswered)


# -- Otherwise, or not at all ----------------------------------------------------------------------


def test_a_talk_is_arranged_anew_until_it_is_held() -> None:
    later = PLAN["planned_at"] + days(3)
    then = TalkRearranged(**{**PLAN, "planned_at": later}, reason="监考")
    talk.given(arranged).when(rearrange(TEACHER, planned_at=later)).then(then)
    talk.given(arranged, then).when(rearrange(TEACHER, planned_at=later)).then_nothing()
    talk.given(held).when(rearrange(planned_at=later)).then_rejected(OutOfOrder)
    talk.when(rearrange()).then_rejected(OutOfOrder)


@pytest.mark.parametrize("who", [MEMBER, TEACHER, ADMINISTRATOR])
def test_an_arranged_talk_is_cancelled(who: PersonId) -> None:
    cancel = by(who, CancelTalk, reason=cancelled.reason)
    talk.given(arranged).when(cancel).then(cancelled)
    talk.given(arranged, cancelled).when(cancel).then_nothing()


def test_what_was_held_or_cancelled_is_not_cancelled() -> None:
    cancel = by(MEMBER, CancelTalk, reason="不必了")
    talk.given(held).when(cancel).then_rejected(OutOfOrder)
    talk.given(arranged, cancelled).when(cancel).then_rejected(OutOfOrder)
    talk.given(arranged, cancelled).when(arrange()).then_rejected(OutOfOrder)
