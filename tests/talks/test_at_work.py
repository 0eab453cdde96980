"""The service at work in memory: what is sealed, what is asked for and held, what is to come."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest

from services.rectification.domain.issue import OpenIssue
from services.rectification.events import SourceKind
from services.talks import queries as q
from services.talks.app import service
from services.talks.domain.talk import Facts, NoSuchRequest, Requested, RequestOfOthers
from services.talks.events import TalkHeld, TalkProblemRaised, TalkVoided
from services.talks.policy import answer_requests, answering
from shared.callers import NotAllowed
from shared.decider import NotFound, PersonId, wire
from shared.marks import is_token, tokens
from shared.runtime import OccurredInTheFuture, Reply, Taken
from tests.memory import TOWN, Works, works
from tests.talks.cast import (
    ADMINISTRATOR,
    ANOTHER,
    BEGUN,
    ENDED,
    FACTS,
    MEMBER,
    NOON,
    SCHOOL,
    SERVICE,
    SUPERVISOR,
    TEACHER,
    held,
    held_on_request,
    raised,
    requested,
    voided,
)
from tests.talks.everything import TALK_COMMANDS
from tests.talks.memory import after, caller, log

SENDER = UUID("7d1e2f30-4a5b-4c6d-8e7f-001122334455")
SAID: dict[str, Any] = {
    "kind": "one_by_one",
    "parties": [MEMBER, TEACHER],
    "place": "谈心室",
    "begun_at": BEGUN.isoformat(),
    "ended_at": ENDED.isoformat(),
    "sides": [{"party": MEMBER, "asked_about_me": True, "opinion_about_me": "听课太少"}],
    "communicated": [{"giver": TEACHER, "receiver": MEMBER, "criticism": "听不进意见"}],
    "helped": "当面列举三件事",
}


async def at_work() -> Works:
    """The service with its commands at hand, as after a start."""
    at = await works(service, SCHOOL)
    at.runtime._commands = service.commands()
    return at


async def carry(
    at: Works, who: PersonId, name: str, target: str | None = None, **fields: Any
) -> Reply:
    """Send a command and let the views and the policy see what came of it."""
    stream, kind = at.runtime.service.commands()[name]
    body = wire(kind).model_validate_json(json.dumps(fields))
    command = uuid5(SENDER, f"{name} {target} {fields}")
    seen = len(at.pages.log)
    reply = await at.runtime.carry_out(
        Taken(TOWN, stream, kind, target, body, caller(who), command, NOON)
    )
    await at.look()
    for record in at.pages.log[seen:]:
        await at.runtime._react(answering, record)
    await at.look()
    return reply


async def told(at: Works, query: Any, who: PersonId) -> dict[str, Any]:
    """What a query answers, its texts opened."""
    found = await service.queries[type(query)](query, at.runtime.desk(TOWN, NOON), caller(who))
    opened: dict[str, Any] = await at.runtime.privacy.open(TOWN, found)
    return opened


# -- Sealed ----------------------------------------------------------------------------------------


async def test_what_was_said_is_in_the_log_sealed_each_part_under_its_own_key() -> None:
    at = await at_work()
    talk = (await carry(at, MEMBER, "record-talk", **SAID)).id
    event: Any = at.pages.log[-1].event
    assert isinstance(event, TalkHeld)
    for text in (event.place, event.sides[0].opinion_about_me, event.communicated[0].criticism):
        assert is_token(text)
        assert str(text).split("~")[2] == f"talk.{talk}"
    assert str(event.helped).split("~")[2] == f"talk.{talk}.help"
    assert "听课" not in at.pages.log[-1].body.decode()


async def test_who_came_from_outside_is_sealed_under_a_key_of_its_own() -> None:
    at = await at_work()
    outside = {"parties": [MEMBER], "outsider": "一名家长", "communicated": []}
    talk = (await carry(at, MEMBER, "record-talk", **{**SAID, **outside})).id
    event: Any = at.pages.log[-1].event
    assert event.outsider.split("~")[2] == f"talk.{talk}.outsider"
    request = (await carry(at, MEMBER, "request-talk", asked=MEMBER, outsider="一名家长")).id
    event = at.pages.log[-1].event
    assert event.outsider.split("~")[2] == f"request.{request}.outsider"


async def test_the_parties_read_it_and_nobody_else() -> None:
    at = await at_work()
    talk = (await carry(at, MEMBER, "record-talk", **SAID)).id
    mine = await told(at, q.Talk(id=talk), TEACHER)
    assert mine["communicated"][0]["criticism"] == "听不进意见"
    theirs = await told(at, q.Talk(id=talk), SUPERVISOR)
    assert theirs["communicated"][0]["criticism"] == {"masked": "sealed"}
    assert theirs["minutes"] == 50


# -- Still to come ---------------------------------------------------------------------------------


async def test_a_talk_that_is_not_over_is_not_on_record() -> None:
    at = await at_work()
    ahead = {**SAID, "ended_at": (NOON + timedelta(minutes=30)).isoformat()}
    with pytest.raises(OccurredInTheFuture):
        await carry(at, MEMBER, "record-talk", **ahead)
    talk = (await carry(at, MEMBER, "record-talk", **SAID)).id
    with pytest.raises(OccurredInTheFuture):
        await carry(at, MEMBER, "correct-talk", talk, **ahead, reason="时间抄错")
    assert len(at.pages.log) == 1


async def test_an_arranged_talk_may_be_to_come() -> None:
    at = await at_work()
    plan: dict[str, Any] = {"kind": "one_by_one", "parties": [MEMBER, TEACHER]}
    soon = (NOON + timedelta(days=2)).isoformat()
    await carry(at, MEMBER, "arrange-talk", **plan, planned_at=soon)
    assert len(at.pages.log) == 1


async def test_nothing_is_said_of_a_talk_nobody_has_spoken_of() -> None:
    at = await at_work()
    with pytest.raises(NotFound):
        await carry(at, MEMBER, "confirm-talk", "talk-9")


# -- Asked for and held ----------------------------------------------------------------------------


async def test_a_request_is_answered_by_the_talk_that_names_it() -> None:
    at = await at_work()
    request = (await carry(at, TEACHER, "request-talk", asked=MEMBER)).id
    await carry(at, MEMBER, "accept-request", request)
    plan: dict[str, Any] = {"kind": "one_by_one", "parties": [MEMBER, TEACHER], "request": request}
    soon = NOON.isoformat()
    talk = (await carry(at, MEMBER, "arrange-talk", **plan, planned_at=soon)).id
    await carry(at, TEACHER, "hold-talk", talk, **SAID)
    found = await told(at, q.TalkRequest(id=request), TEACHER)
    assert (found["state"], found["talk"]) == ("held", talk)
    await carry(at, SUPERVISOR, "void-talk", talk, reason="没有这次谈话")
    found = await told(at, q.TalkRequest(id=request), TEACHER)
    assert (found["state"], found["talk"]) == ("open", None)
    again = (await carry(at, TEACHER, "record-talk", **SAID, request=request)).id
    found = await told(at, q.TalkRequest(id=request), TEACHER)
    assert (found["state"], found["talk"]) == ("held", again)


async def test_what_a_request_does_not_allow_is_refused() -> None:
    at = await at_work()
    with pytest.raises(NoSuchRequest):
        await carry(at, MEMBER, "record-talk", **SAID, request="request-9")
    request = (await carry(at, ANOTHER, "request-talk", asked=MEMBER)).id
    with pytest.raises(RequestOfOthers):
        await carry(at, MEMBER, "record-talk", **SAID, request=request)
    await carry(at, ADMINISTRATOR, "void-request", request, reason="重复登记")
    with pytest.raises(NoSuchRequest):
        await carry(at, MEMBER, "record-talk", **SAID, request=request)


async def test_the_facts_of_a_talk_are_the_request_it_names_or_was_arranged_for() -> None:
    desk = await after(("request-1", requested))
    named = await q.talk_facts(TALK_COMMANDS[0], desk)  # type: ignore[arg-type]  # arranges a talk
    assert named == Facts(SCHOOL, Requested(asker=TEACHER, asked=MEMBER))
    none = await q.talk_facts(TALK_COMMANDS[1], desk)  # type: ignore[arg-type]  # as above
    assert none == FACTS


def test_only_a_talk_that_names_a_request_answers_one() -> None:
    named = voided.model_copy(update={"request": "request-1"})
    records = log(
        ("talk-1", held), ("talk-2", held_on_request), ("talk-1", voided), ("talk-2", named)
    )
    sent = [(s.stream, s.command.__name__, s.body) for r in records for s in answer_requests(r)]
    assert sent == [
        ("request-1", "HoldRequestedTalk", {"talk": "talk-2"}),
        ("request-1", "VoidRequestedTalk", {"talk": "talk-2"}),
    ]
    assert answering.follows == (TalkHeld, TalkVoided)


def test_nobody_but_the_service_says_that_a_request_was_held() -> None:
    for name in ("hold-requested-talk", "void-requested-talk"):
        _, kind = service.commands()[name]
        assert kind.allowed == {"service"}
        with pytest.raises(NotAllowed):
            caller(SUPERVISOR).demand(kind.allowed)


# -- Followed up -----------------------------------------------------------------------------------


def test_a_problem_has_all_that_an_issue_is_opened_with() -> None:
    body = raised.model_dump(mode="json", exclude={"key"})
    source = {"kind": SourceKind.talk.value, "id": "talk-1"}
    opening = wire(OpenIssue).model_validate_json(json.dumps({**body, "sources": [source]}))
    assert set(TalkProblemRaised.model_fields) - {"key"} <= set(type(opening).model_fields)


async def test_a_problem_is_raised_sealed() -> None:
    at = await at_work()
    talk = (await carry(at, MEMBER, "record-talk", **SAID)).id
    problem = {"addressee": "team", "not_four_winds": True, "discovery": "peer_raised"}
    await carry(at, TEACHER, "raise-problem", talk, key="homework", title="作业太多", **problem)
    event: Any = at.pages.log[-1].event
    assert list(tokens(event.model_dump())) == [event.title]


# -- Of its own accord -----------------------------------------------------------------------------


async def test_the_service_answers_a_request_on_behalf_of_who_recorded_the_talk() -> None:
    at = await at_work()
    request = (await carry(at, TEACHER, "request-talk", asked=MEMBER)).id
    await carry(at, TEACHER, "record-talk", **SAID, request=request)
    last = at.pages.log[-1]
    assert (last.type, last.actor, last.on_behalf_of) == (
        "talks.request.talk-held.v1",
        SERVICE,
        TEACHER,
    )
