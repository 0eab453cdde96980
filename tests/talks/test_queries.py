"""Who is told what: that somebody talked is known to all, what was said to the parties."""

from datetime import timedelta
from typing import Any

import pytest

from services.campaign.calendar import Period
from services.campaign.events import SettingUnit
from services.talks import queries as q
from services.talks.events import Audience, TalkConfirmed, TalkKind, TalkReleased
from shared.callers import UnknownSchool
from shared.decider import Event, NotFound, PersonId
from shared.marks import TOKEN_PREFIX
from shared.privacy import SEALED
from shared.runtime import Desk
from tests.talks.cast import (
    ADMINISTRATOR,
    ANOTHER,
    BEGUN,
    CONFIRMED,
    LEADER,
    MEMBER,
    OPERATOR,
    SCHOOL,
    SECRETARY,
    SUPERVISOR,
    TEACHER,
    TODAY,
    arranged,
    cancelled,
    days,
    disputed,
    held,
    merged,
    raised,
    requested,
)
from tests.talks.everything import REQUEST_COMMANDS, TALK_COMMANDS
from tests.talks.memory import after, caller


def token(name: str, scope: str = "talk.talk-1") -> str:
    """A text as the log holds it: nobody here has its key."""
    return f"{TOKEN_PREFIX}{scope}~{name}~box"


sealed = held.model_copy(
    update={
        "place": token("place"),
        "outsider": None,
        "helped": token("helped"),
        "sides": tuple(
            side.model_copy(
                update={n: token(n) for n, text in side if isinstance(text, str) and n != "party"}
            )
            for side in held.sides
        ),
        "communicated": (
            held.communicated[0].model_copy(update={"criticism": token("criticism")}),
        ),
    }
)
doubted = disputed.model_copy(update={"reason": token("reason")})
problem = raised.model_copy(update={"title": token("title"), "description": token("description")})
asked = requested.model_copy(update={"about": token("about", "request.request-1")})


def release(who: PersonId, *audiences: Audience) -> TalkReleased:
    return TalkReleased(party=who, audiences=audiences)


async def seen(who: PersonId, *past: Event, directory: Any = SCHOOL) -> dict[str, Any]:
    desk = await after(*(("talk-1", event) for event in past), directory=directory)
    return await q.one_talk(q.Talk(id="talk-1"), desk, caller(who, directory))


# -- What was said ---------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [MEMBER, TEACHER])
async def test_the_parties_read_what_was_said(who: PersonId) -> None:
    found = await seen(who, sealed, doubted, problem)
    assert found["sides"][0]["strengths"] == token("strengths")
    assert found["communicated"][0]["criticism"] == token("criticism")
    assert found["disputes"] == [{"party": TEACHER, "reason": token("reason")}]
    assert found["problems"] == [{"key": raised.key, "title": token("title")}]
    assert found["place"] == token("place")


@pytest.mark.parametrize("who", [LEADER, ADMINISTRATOR, SUPERVISOR, ANOTHER, OPERATOR])
async def test_everybody_else_sees_who_when_how_long_and_that_something_was_said(
    who: PersonId,
) -> None:
    found = await seen(who, sealed, doubted, problem)
    assert (found["parties"], found["minutes"]) == ([MEMBER, TEACHER], 50)
    assert found["begins_at"] == "2023-05-08T01:00:00Z"
    assert found["sides"][0]["strengths"] == SEALED
    assert found["sides"][1]["strengths"] is None
    assert found["sides"][1]["asked_about_me"] is True
    assert found["communicated"] == [{"giver": TEACHER, "receiver": MEMBER, "criticism": SEALED}]
    assert found["disputes"] == [{"party": TEACHER, "reason": SEALED}]
    assert found["problems"] == [{"key": raised.key, "title": SEALED}]


@pytest.mark.parametrize("who", [LEADER, ADMINISTRATOR, SUPERVISOR, SECRETARY])
async def test_the_office_sees_where_and_why_not(who: PersonId) -> None:
    there = arranged.model_copy(update={"place": token("place")})
    off = cancelled.model_copy(update={"reason": token("reason")})
    found = await seen(who, there, off)
    assert (found["place"], found["ending"]) == (token("place"), token("reason"))
    elsewhere = await seen(ANOTHER, there, off)
    assert (elsewhere["place"], elsewhere["ending"]) == (SEALED, SEALED)


async def test_it_is_released_to_whom_every_party_agrees_to() -> None:
    one = release(MEMBER, Audience.supervision_group, Audience.leadership_team)
    assert (await seen(SUPERVISOR, sealed, one))["communicated"][0]["criticism"] == SEALED
    other = release(TEACHER, Audience.supervision_group, Audience.party_members)
    both = (sealed, one, other)
    assert (await seen(SUPERVISOR, *both))["communicated"][0]["criticism"] == token("criticism")
    for who in (LEADER, SECRETARY, ANOTHER):
        assert (await seen(who, *both))["communicated"][0]["criticism"] == SEALED
    taken_back = (*both, release(MEMBER))
    assert (await seen(SUPERVISOR, *taken_back))["communicated"][0]["criticism"] == SEALED


@pytest.mark.parametrize(
    ("audience", "who"),
    [
        (Audience.supervision_group, SUPERVISOR),
        (Audience.principal_leaders, LEADER),
        (Audience.leadership_team, LEADER),
        (Audience.branch_secretaries, SECRETARY),
        (Audience.party_members, SECRETARY),
        (Audience.everybody, ANOTHER),
    ],
)
async def test_every_audience_is_somebody(audience: Audience, who: PersonId) -> None:
    agreed = (sealed, release(MEMBER, audience), release(TEACHER, audience))
    found = await seen(who, *agreed)
    assert found["sides"][0]["strengths"] == token("strengths")
    assert (await seen(OPERATOR, *agreed))["sides"][0]["strengths"] == SEALED


def test_every_audience_has_a_role() -> None:
    assert set(q.AUDIENCES) == set(Audience)


async def test_disputes_are_released_to_nobody() -> None:
    everybody = Audience.everybody
    past = (sealed, doubted, release(MEMBER, everybody), release(TEACHER, everybody))
    found = await seen(ANOTHER, *past)
    assert found["sides"][0]["strengths"] == token("strengths")
    assert found["disputes"] == [{"party": TEACHER, "reason": SEALED}]


async def test_help_is_known_to_who_wrote_it_down_and_to_principal_leaders_who_talked() -> None:
    assert (await seen(MEMBER, sealed))["helped"] == token("helped")
    assert (await seen(TEACHER, sealed))["helped"] is None
    assert (await seen(LEADER, sealed))["helped"] is None
    with_leader = sealed.model_copy(update={"parties": (MEMBER, LEADER)})
    assert (await seen(LEADER, with_leader))["helped"] == token("helped")
    everybody = Audience.everybody
    past = (sealed, release(MEMBER, everybody), release(TEACHER, everybody))
    assert (await seen(SUPERVISOR, *past))["helped"] is None


async def test_a_party_who_was_entered_twice_reads_it_too() -> None:
    second = PersonId(f"{TEACHER}-2")
    theirs = sealed.model_copy(update={"parties": (MEMBER, second)})
    found = await seen(TEACHER, theirs, directory=merged(TEACHER))
    assert found["sides"][0]["strengths"] == token("strengths")
    past = (theirs, release(MEMBER, Audience.everybody), release(second, Audience.everybody))
    found = await seen(ANOTHER, *past, directory=merged(TEACHER))
    assert found["sides"][0]["strengths"] == token("strengths")


async def test_there_is_no_talk_where_there_is_none() -> None:
    with pytest.raises(NotFound):
        await seen(MEMBER)


# -- The list --------------------------------------------------------------------------------------

group = held.model_copy(
    update={
        "kind": TalkKind.branch,
        "branch": "liberal",
        "parties": (SECRETARY, TEACHER),
        "begun_at": BEGUN - days(3),
        "ended_at": BEGUN - days(3) + timedelta(minutes=20),
    }
)
TALKS = (
    ("talk-1", sealed),
    *(("talk-2", event) for event in CONFIRMED),
    ("talk-3", group),
    ("talk-4", arranged.model_copy(update={"planned_at": BEGUN + days(3)})),
)


async def listed(desk: Desk, who: PersonId = ANOTHER, **asked: Any) -> list[str]:
    found = await q.all_talks(q.Talks(**asked), desk, caller(who))
    return [item["id"] for item in found["items"]]


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ({}, ["talk-1", "talk-2", "talk-3", "talk-4"]),
        ({"state": "confirmed"}, ["talk-2"]),
        ({"state": "arranged"}, ["talk-4"]),
        ({"kind": TalkKind.branch}, ["talk-3"]),
        ({"party": SECRETARY}, ["talk-3"]),
        ({"party": f"{TEACHER}-2"}, ["talk-1", "talk-2", "talk-3", "talk-4"]),
        ({"branch": "liberal"}, ["talk-3"]),
        ({"branch": "science"}, []),
        ({"since": TODAY}, ["talk-1", "talk-2", "talk-4"]),
        ({"until": TODAY}, ["talk-1", "talk-2", "talk-3"]),
        ({"since": TODAY, "until": TODAY}, ["talk-1", "talk-2"]),
        ({"until": TODAY - days(4)}, []),
    ],
)
async def test_talks_are_found_by_what_is_known_of_them(where: Any, ids: list[str]) -> None:
    desk = await after(*TALKS, directory=merged(TEACHER))
    assert await listed(desk, **where) == ids


@pytest.mark.parametrize(
    ("moment", "there"),
    [
        (BEGUN.replace(hour=16, minute=0) - days(1), True),  # midnight in Shanghai
        (BEGUN.replace(hour=15, minute=59, second=59, microsecond=999_999) - days(1), False),
        (BEGUN.replace(hour=15, minute=59, second=59), True),
        (BEGUN.replace(hour=16, minute=0), False),
    ],
)
async def test_a_day_is_the_schools_to_the_last_moment(moment: Any, there: Any) -> None:
    one = held.model_copy(update={"begun_at": moment})
    desk = await after(("talk-1", one))
    assert await listed(desk, since=TODAY, until=TODAY) == (["talk-1"] if there else [])


async def test_a_list_holds_nothing_of_what_was_said_not_even_for_the_parties() -> None:
    desk = await after(*TALKS)
    for who in (MEMBER, ANOTHER):
        found = await q.all_talks(q.Talks(), desk, caller(who))
        assert TOKEN_PREFIX not in str(found)
        assert str(held.sides[0].strengths) not in str(found)
        assert not {"sides", "place", "helped"} & found["items"][0].keys()


async def test_pages_follow_each_other() -> None:
    desk = await after(*TALKS)
    first = await q.all_talks(q.Talks(limit=3), desk, caller(ANOTHER))
    assert len(first["items"]) == 3
    assert await listed(desk, after=first["next"]) == ["talk-4"]
    whole = await q.all_talks(q.Talks(), desk, caller(ANOTHER))
    assert whole["next"] is None


async def test_a_talk_shorter_than_the_school_wants_is_marked() -> None:
    short = {"talk-1": False, "talk-3": True, "talk-4": False}
    desk = await after(*TALKS)
    for talk, expected in short.items():
        found = await q.one_talk(q.Talk(id=talk), desk, caller(ANOTHER))
        assert found["too_short"] is expected
    campaign = SCHOOL.campaigns["campaign-1"]
    policy = campaign.policy.model_copy(
        update={"values": {"minimum_talk": Period(value="60", unit=SettingUnit.minutes)}}
    )
    stricter = SCHOOL.model_copy(
        update={"campaigns": {"campaign-1": campaign.model_copy(update={"policy": policy})}}
    )
    assert (await seen(ANOTHER, held, directory=stricter))["too_short"] is True


# -- Requests --------------------------------------------------------------------------------------

of_a_parent = asked.model_copy(
    update={
        "asker": None,
        "outsider": token("outsider", "request.request-2.outsider"),
        "recorded_by": SECRETARY,
    }
)
REQUESTS = (("request-1", asked), ("request-2", of_a_parent))


async def requests(who: PersonId, **said: Any) -> list[dict[str, Any]]:
    desk = await after(*REQUESTS)
    found = await q.all_requests(q.TalkRequests(**said), desk, caller(who))
    items: list[dict[str, Any]] = found["items"]
    return items


async def test_everybody_sees_their_own_requests_and_the_office_all_of_them() -> None:
    seen_by = {
        TEACHER: ["request-1"],
        MEMBER: ["request-1", "request-2"],
        SECRETARY: ["request-1", "request-2"],
        ADMINISTRATOR: ["request-1", "request-2"],
        ANOTHER: [],
        OPERATOR: [],
    }
    for who, ids in seen_by.items():
        assert [r["id"] for r in await requests(who)] == ids, who


async def test_the_office_may_ask_for_its_own_too() -> None:
    assert [r["id"] for r in await requests(SECRETARY, mine=True)] == ["request-2"]
    assert await requests(ADMINISTRATOR, mine=True) == []


async def test_requests_are_found_by_state_and_by_who_asked_whom() -> None:
    assert [r["id"] for r in await requests(ADMINISTRATOR, asker=TEACHER)] == ["request-1"]
    assert await requests(ADMINISTRATOR, asked=TEACHER) == []
    assert len(await requests(ADMINISTRATOR, state="open")) == 2
    assert await requests(ADMINISTRATOR, state="held") == []


async def test_what_it_is_about_is_for_who_asks_and_who_is_asked() -> None:
    desk = await after(*REQUESTS)
    for who, about in ((TEACHER, token("about", "request.request-1")), (SUPERVISOR, SEALED)):
        found = await q.one_request(q.TalkRequest(id="request-1"), desk, caller(who))
        assert found["about"] == about
        assert found["asker"] == TEACHER
    found = await q.one_request(q.TalkRequest(id="request-2"), desk, caller(ADMINISTRATOR))
    assert found["outsider"] == SEALED


async def test_nobody_else_knows_of_it() -> None:
    desk = await after(*REQUESTS)
    for who, request in ((ANOTHER, "request-1"), (TEACHER, "request-2"), (LEADER, "request-9")):
        with pytest.raises(NotFound):
            await q.one_request(q.TalkRequest(id=request), desk, caller(who))


# -- The matrix ------------------------------------------------------------------------------------


async def test_the_matrix_is_of_today_and_of_the_campaign_unless_asked_otherwise() -> None:
    leaders = held.model_copy(update={"parties": (LEADER, MEMBER)})
    desk = await after(("talk-1", leaders))
    found = await q.matrix(q.TalkCoverage(), desk, caller(ANOTHER))
    assert (found["on"], found["since"]) == ("2023-05-08", "2023-01-01")
    assert {n: found["leader_member"][n] for n in ("required", "held", "confirmed")} == {
        "required": 3,
        "held": 1,
        "confirmed": 0,
    }
    assert [LEADER, MEMBER] not in found["leader_member"]["missing"]
    assert len(found["leader_member"]["missing"]) == 2
    assert found["branches"]["missing"] == ["liberal", "science"]
    assert found["leads"]["missing"] == [SECRETARY, "su-wenhai"]
    early = q.TalkCoverage(on=TODAY - days(1), since=TODAY - days(30))
    before = await q.matrix(early, desk, caller(ANOTHER))
    assert before["leader_member"]["held"] == 0


async def test_the_matrix_counts_what_all_have_confirmed() -> None:
    leaders = held.model_copy(update={"parties": (LEADER, MEMBER)})
    agreed = [TalkConfirmed(party=LEADER), TalkConfirmed(party=MEMBER)]
    desk = await after(("talk-1", leaders), *(("talk-1", event) for event in agreed))
    found = await q.matrix(q.TalkCoverage(), desk, caller(ANOTHER))
    assert found["members"]["confirmed"] == 1
    (one,) = [pair for pair in found["members"]["items"] if pair["held"]]
    expected = {"people": [LEADER, MEMBER], "held": ["talk-1"], "confirmed": ["talk-1"]}
    assert one == expected


async def test_a_school_without_talks_or_campaign_has_a_matrix() -> None:
    desk = await after(directory=SCHOOL.model_copy(update={"campaigns": {}}))
    found = await q.matrix(q.TalkCoverage(), desk, caller(ANOTHER))
    assert (found["since"], found["members"]["held"]) == (None, 0)


# -- Facts and rights ------------------------------------------------------------------------------


async def test_a_school_nobody_enrolled_has_no_facts() -> None:
    desk = await after(directory=None)
    with pytest.raises(UnknownSchool):
        await q.talk_facts(TALK_COMMANDS[0], desk)  # type: ignore[arg-type]  # one of them
    with pytest.raises(UnknownSchool):
        await q.request_facts(REQUEST_COMMANDS[0], desk)  # type: ignore[arg-type]  # as above
