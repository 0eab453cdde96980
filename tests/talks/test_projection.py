"""The views: what a talk and a request look like after what happened."""

from typing import Any

import pytest

from services.talks import projection
from services.talks.app import service
from services.talks.events import (
    RequestedTalkHeld,
    RequestedTalkVoided,
    RequestEvent,
    TalkEvent,
    TalkRearranged,
    TalkReleased,
    TalkRequestAccepted,
    TalkRequestCorrected,
    TalkRequestRefused,
    TalkRequestVoided,
    TalkRequestWithdrawn,
    TalkState,
)
from services.talks.projection import Dispute, Problem, Release, RequestCard, TalkCard
from shared.decider import Event
from tests.talks.cast import (
    BEGUN,
    CONFIRMED,
    CRITICISM,
    ENDED,
    MEMBER,
    NOON,
    PLAN,
    SIDES,
    TEACHER,
    arranged,
    arranged_on_request,
    cancelled,
    corrected,
    days,
    disputed,
    held,
    held_on_request,
    member_confirmed,
    raised,
    released,
    requested,
    teacher_confirmed,
    voided,
)
from tests.talks.memory import log


def card(*past: Event) -> TalkCard:
    known: TalkCard | None = None
    for record in log(*(("talk-1", event) for event in past)):
        known = projection.talk_card(known, record)
    assert known
    return known


def request(*past: Event) -> RequestCard:
    known: RequestCard | None = None
    for record in log(*(("request-1", event) for event in past)):
        known = projection.request_card(known, record)
    assert known
    return known


# -- Talks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("past", "state"),
    [
        ((arranged,), "arranged"),
        ((arranged, cancelled), "cancelled"),
        ((arranged, held), "held"),
        ((held,), "held"),
        ((held, member_confirmed), "held"),
        (CONFIRMED, "confirmed"),
        ((held, disputed), "disputed"),
        ((*CONFIRMED, disputed), "disputed"),
        ((*CONFIRMED, disputed, corrected), "held"),
        ((held, disputed, teacher_confirmed), "held"),
        ((held, disputed, teacher_confirmed, member_confirmed), "confirmed"),
        ((*CONFIRMED, released, raised), "confirmed"),
        ((*CONFIRMED, voided), "voided"),
    ],
)
def test_where_a_talk_stands(past: tuple[Event, ...], state: TalkState) -> None:
    assert card(*past).state == state


def test_an_arranged_talk_says_when_and_where_it_is_to_be() -> None:
    assert card(arranged_on_request) == TalkCard(
        state="arranged",
        kind=arranged.kind,
        parties=arranged.parties,
        place=arranged.place,
        begins_at=arranged.planned_at,
        request="request-1",
        arranged_by=MEMBER,
    )
    later = arranged.planned_at + days(1)
    moved = TalkRearranged(**{**PLAN, "planned_at": later, "place": None}, reason="监考")
    after = card(arranged_on_request, moved)
    assert (after.begins_at, after.place, after.request) == (later, None, "request-1")
    assert card(arranged, cancelled).ending == cancelled.reason


def test_a_held_talk_says_what_was_said_and_how_long_it_took() -> None:
    after = card(arranged_on_request, held_on_request)
    assert (after.begins_at, after.ended_at, after.minutes) == (BEGUN, ENDED, 50)
    assert (after.sides, after.communicated, after.helped) == (SIDES, (CRITICISM,), held.helped)
    assert (after.arranged_by, after.recorded_by, after.request) == (MEMBER, MEMBER, "request-1")
    assert after.recorded_at is not None
    assert after.recorded_at > NOON
    assert card(held).arranged_by is None


def test_a_card_says_who_confirms_disputes_and_releases() -> None:
    after = card(held, member_confirmed, disputed, released)
    assert after.confirmed == (MEMBER,)
    assert after.disputes == (Dispute(party=TEACHER, reason=disputed.reason),)
    assert after.releases == (Release(party=MEMBER, audiences=released.audiences),)
    nobody = TalkReleased(party=MEMBER, audiences=())
    assert card(held, released, nobody).releases == (Release(party=MEMBER, audiences=()),)
    assert card(held, member_confirmed, member_confirmed).confirmed == (MEMBER,)


def test_a_correction_leaves_who_arranged_and_recorded_it_and_what_was_raised() -> None:
    past = (arranged, held, member_confirmed, released, raised, corrected)
    after = card(*past)
    assert after.place == corrected.place
    assert (after.confirmed, after.disputes, after.releases) == ((), (), ())
    assert (after.arranged_by, after.recorded_by, after.corrections) == (MEMBER, MEMBER, 1)
    assert after.problems == (Problem(key=raised.key, title=raised.title),)


def test_what_was_voided_stays_visible() -> None:
    after = card(held, voided)
    assert (after.sides, after.ending) == (SIDES, voided.reason)


# -- Requests --------------------------------------------------------------------------------------

accepted = TalkRequestAccepted(remarks="周四下午")
refused = TalkRequestRefused(reason="由分管副校长约谈")
talked = RequestedTalkHeld(talk="talk-1")
again = RequestedTalkVoided(talk="talk-1")


@pytest.mark.parametrize(
    ("past", "expected"),
    [
        ((), ("open", None, None)),
        ((accepted,), ("accepted", "周四下午", None)),
        ((refused,), ("refused", "由分管副校长约谈", None)),
        ((TalkRequestWithdrawn(reason="已经解决"),), ("withdrawn", "已经解决", None)),
        ((refused, talked), ("held", None, "talk-1")),
        ((talked, again), ("open", None, None)),
        ((TalkRequestVoided(reason="重复登记"),), ("voided", "重复登记", None)),
    ],
)
def test_where_a_request_stands(past: tuple[Event, ...], expected: Any) -> None:
    after = request(requested, *past)
    assert (after.state, after.answer, after.talk) == expected
    assert (after.answered_at is not None) == (after.state in {"accepted", "refused", "held"})


def test_a_request_says_who_asked_whom_about_what() -> None:
    after = request(requested)
    assert (after.asker, after.asked, after.about) == (TEACHER, MEMBER, requested.about)
    put_right = TalkRequestCorrected(asker=TEACHER, asked=MEMBER, about="宿舍管理", reason="写错")
    assert request(requested, put_right).about == "宿舍管理"


# -- Both ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("project", "events"),
    [
        (projection.talk_card, TalkEvent.__value__.__args__),
        (projection.request_card, RequestEvent.__value__.__args__),
    ],
)
def test_what_never_began_has_no_card(project: Any, events: Any) -> None:
    begins = {"talks.talk.arranged.v1", "talks.talk.held.v1", "talks.request.made.v1"}
    for event in (disputed, corrected, cancelled, voided, accepted, refused, talked, again):
        if type(event) in events and event.TYPE not in begins:
            (record,) = log(("talk-1", event))
            assert project(None, record) is None


def test_every_event_of_the_service_is_followed_by_a_view() -> None:
    followed = {event for view in service.views for event in view.follows}
    assert followed == {
        event
        for stream in service.streams
        for event in stream.decider.members(stream.decider.events)
    }
