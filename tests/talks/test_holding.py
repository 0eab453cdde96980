"""A talk is put on record: arranged or not, by somebody who talked, with what was said."""

from datetime import timedelta
from typing import Any

import pytest

from services.campaign.roster import Roster
from services.talks.domain.talk import (
    BranchUnclear,
    EndsBeforeItBegins,
    Facts,
    HoldTalk,
    LongerThanADay,
    NamedTwice,
    NobodyThere,
    NoSuchBranch,
    NoSuchRequest,
    NotAPartyToTheTalk,
    NotEnoughParties,
    RecordTalk,
    RequestAnswered,
    Requested,
    RequestOfOthers,
    StrangerToTheTalk,
    TalkingWithOneself,
    TwoToATalk,
    decider,
)
from services.talks.events import Communicated, Side, TalkKind
from shared.decider import OutOfOrder, PersonId
from tests.scenario import Scenario
from tests.talks.cast import (
    ADMINISTRATOR,
    ANOTHER,
    ASKED_FOR,
    BEGUN,
    CRITICISM,
    ENDED,
    FACTS,
    GONE,
    MEMBER,
    SCHOOL,
    SIDES,
    TEACHER,
    TODAY,
    TOLD,
    arranged,
    arranged_on_request,
    by,
    cancelled,
    days,
    held,
    held_on_request,
    voided,
)
from tests.talks.everything import told

talk = Scenario(decider, FACTS)
SECOND = timedelta(seconds=1)


def hold(who: PersonId = MEMBER, **changes: Any) -> HoldTalk:
    return by(who, HoldTalk, **told({**TOLD, **changes}))


def record(who: PersonId = MEMBER, request: str | None = None, **changes: Any) -> RecordTalk:
    return by(who, RecordTalk, **told({**TOLD, **changes}), request=request)


def test_an_arranged_talk_is_held() -> None:
    talk.given(arranged).when(hold()).then(held)
    talk.given(arranged, held).when(hold()).then_nothing()
    talk.given(arranged, held).when(hold(place="操场")).then_rejected(OutOfOrder)


def test_a_talk_that_nobody_arranged_is_recorded() -> None:
    talk.when(record()).then(held)
    talk.given(held).when(record()).then_nothing()
    talk.given(held).when(record(place="操场")).then_rejected(OutOfOrder)


def test_what_was_not_arranged_was_cancelled_or_voided_is_not_held() -> None:
    talk.when(hold()).then_rejected(OutOfOrder)
    talk.given(arranged, cancelled).when(hold()).then_rejected(OutOfOrder)
    talk.given(held, voided).when(hold()).then_rejected(OutOfOrder)
    talk.given(arranged).when(record()).then_rejected(OutOfOrder)


def test_only_who_talked_puts_it_on_record() -> None:
    talk.given(arranged).when(hold(ADMINISTRATOR)).then_rejected(NotAPartyToTheTalk)
    talk.when(record(ANOTHER)).then_rejected(NotAPartyToTheTalk)
    talk.when(record(ANOTHER, others=(ANOTHER,))).then_rejected(NotAPartyToTheTalk)


def test_nobody_else_finds_out_whether_they_guessed_what_was_said() -> None:
    talk.given(held).when(hold(ANOTHER)).then_rejected(OutOfOrder)
    talk.given(held).when(record(ANOTHER)).then_rejected(OutOfOrder)


def test_nobody_puts_a_talk_of_others_on_record_as_their_own() -> None:
    taken = hold(ANOTHER, parties=(ANOTHER, TEACHER), sides=(), communicated=())
    talk.given(arranged).when(taken).then_rejected(NotAPartyToTheTalk)


def test_somebody_else_may_have_come_than_was_arranged() -> None:
    changes: dict[str, Any] = {"parties": (MEMBER, ANOTHER), "sides": (), "communicated": ()}
    talk.given(arranged).when(hold(**changes)).then(held.model_copy(update=changes))


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"parties": (MEMBER, MEMBER)}, TalkingWithOneself),
        ({"parties": (MEMBER,), "sides": (), "communicated": ()}, TwoToATalk),
        ({"parties": (MEMBER, TEACHER, ANOTHER)}, TwoToATalk),
        ({"kind": TalkKind.group}, NotEnoughParties),
        ({"kind": TalkKind.branch}, BranchUnclear),
        ({"branch": "liberal"}, BranchUnclear),
        ({"kind": TalkKind.branch, "branch": "retired"}, NoSuchBranch),
        ({"parties": (MEMBER, GONE)}, NobodyThere),
        ({"parties": (MEMBER, PersonId("nobody"))}, NobodyThere),
        ({"others": (GONE,)}, NobodyThere),
        ({"others": (ANOTHER, ANOTHER)}, NamedTwice),
        ({"others": (TEACHER,)}, NamedTwice),
        ({"ended_at": BEGUN}, EndsBeforeItBegins),
        ({"ended_at": BEGUN - SECOND}, EndsBeforeItBegins),
        ({"begun_at": ENDED - days(1) - SECOND}, LongerThanADay),
        ({"sides": (*SIDES, SIDES[0])}, NamedTwice),
        ({"sides": (Side(party=ANOTHER, strengths="好"),)}, StrangerToTheTalk),
        (
            {"communicated": (Communicated(giver=ANOTHER, receiver=MEMBER, criticism="…"),)},
            StrangerToTheTalk,
        ),
        (
            {"communicated": (Communicated(giver=MEMBER, receiver=ANOTHER, criticism="…"),)},
            StrangerToTheTalk,
        ),
        (
            {"communicated": (Communicated(giver=MEMBER, receiver=MEMBER, criticism="…"),)},
            TalkingWithOneself,
        ),
    ],
)
def test_what_cannot_have_been_is_refused(changes: dict[str, Any], rule: Any) -> None:
    talk.when(record(**changes)).then_rejected(rule)
    talk.given(arranged).when(hold(**changes)).then_rejected(rule)


def test_who_was_there_on_the_day_of_the_talk_is_what_counts() -> None:
    then: dict[str, Any] = {
        "parties": (MEMBER, GONE),
        "begun_at": BEGUN - days(10),
        "ended_at": ENDED - days(10),
        "sides": (),
        "communicated": (),
    }
    talk.when(record(**then)).then(held.model_copy(update=then))
    new = SCHOOL.roster.people[TEACHER].model_copy(update={"joined_on": TODAY})
    people = {**SCHOOL.roster.people, TEACHER: new}
    school = SCHOOL.model_copy(update={"roster": Roster(people=people)})
    early = record(begun_at=BEGUN - days(1), ended_at=ENDED - days(1))
    talk.knowing(Facts(school)).when(early).then_rejected(NobodyThere)
    talk.knowing(Facts(school)).when(record()).then(held)


def test_a_talk_may_last_a_day_and_overlap_with_another() -> None:
    talk.when(record(begun_at=ENDED - days(1))).then(
        held.model_copy(update={"begun_at": ENDED - days(1)})
    )


def test_nothing_need_have_been_said() -> None:
    nothing: dict[str, Any] = {"sides": (), "communicated": (), "helped": None}
    talk.when(record(**nothing)).then(held.model_copy(update=nothing))


def test_a_talk_with_somebody_on_no_roster_has_one_party_of_the_school() -> None:
    changes: dict[str, Any] = {
        "parties": (MEMBER,),
        "outsider": "一名家长",
        "sides": SIDES[:1],
        "communicated": (),
    }
    talk.when(record(**changes)).then(held.model_copy(update=changes))


# -- Because somebody asked for it -----------------------------------------------------------------

asked = Scenario(decider, ASKED_FOR)


def test_a_talk_names_the_request_it_answers() -> None:
    asked.given(arranged_on_request).when(hold()).then(held_on_request)
    asked.when(record(request="request-1")).then(held_on_request)
    asked.given(held_on_request).when(record(request="request-1")).then_nothing()
    asked.given(held_on_request).when(record()).then_rejected(OutOfOrder)


def test_it_is_held_by_who_asked_with_who_was_asked() -> None:
    others: dict[str, Any] = {"parties": (MEMBER, ANOTHER), "sides": (), "communicated": ()}
    asked.when(record(request="request-1", **others)).then_rejected(RequestOfOthers)
    asked.given(arranged_on_request).when(hold(**others)).then_rejected(RequestOfOthers)


def test_a_request_is_answered_by_one_talk() -> None:
    answered = Facts(SCHOOL, Requested(asker=TEACHER, asked=MEMBER, talk="talk-9"))
    talk.knowing(answered).when(record(request="request-1")).then_rejected(RequestAnswered)
    talk.when(record(request="request-1")).then_rejected(NoSuchRequest)


def test_a_talk_arranged_because_of_a_request_that_was_voided_is_held_without_it() -> None:
    talk.given(arranged_on_request).when(hold()).then(held)


def test_criticism_goes_both_ways() -> None:
    both = (CRITICISM, Communicated(giver=MEMBER, receiver=TEACHER, criticism="作业批改拖延"))
    talk.when(record(communicated=both)).then(held.model_copy(update={"communicated": both}))
