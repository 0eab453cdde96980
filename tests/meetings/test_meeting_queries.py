"""Who sees how much of a meeting, page by page; and the facts its rules are given."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, cast

import pytest

from services.meetings.app import service
from services.meetings.domain.meeting import (
    AdoptDocument,
    EndMeeting,
    HoldMeeting,
    PlanMeeting,
    Reported,
    ReviseMeetingPlan,
    WrongKindOfMeeting,
    decider,
)
from services.meetings.events import (
    ExaminationSubmitted,
    MeetingKind,
    PaperKind,
    SpeechAct,
    SpeechRecorded,
    SpeechVoided,
)
from services.meetings.queries import meeting as q
from services.rectification.events import RegulationDrafted
from shared.callers import UnknownSchool
from shared.decider import Event, NotFound, PersonId
from shared.marks import TOKEN_PREFIX
from shared.privacy import SEALED
from shared.runtime import Desk, _page
from tests.meetings.meeting_cast import (
    AGREED_ON,
    APPRAISED,
    BEGAN,
    BRANCH,
    BRIEFING,
    CLERK,
    CLOSED,
    COLLEAGUE,
    GROUP_HEAD,
    LEADER,
    MEMBER,
    NOON,
    OPEN,
    OTHER_MEMBER,
    OVER,
    PLANNED,
    READY,
    SECRETARY,
    SUPERVISOR,
    TEACHER,
    TODAY,
    appraised,
    branch_planned,
    briefing_planned,
    by,
    caller,
    cancelled,
    changed,
    criticism,
    desk_after,
    lived,
    made_up,
    planned,
    seat,
    seated,
    voided,
)


def token(text: str) -> str:
    """A sealed text, as events hold it."""
    return f"{TOKEN_PREFIX}wangxi.meeting~n~{text.encode().hex()}"


def sealed(*past: Event) -> list[Event]:
    """The same past with its texts sealed."""
    names = ("title", "place", "programme", "text", "by_what", "deliverable", "description")
    return [
        event.model_copy(
            update={n: token(getattr(event, n)) for n in names if getattr(event, n, None)}
        )
        for event in past
    ]


ALL = (
    *lived("meeting-1", sealed(*APPRAISED)),
    *lived("meeting-2", sealed(*BRANCH)),
    *lived("meeting-3", sealed(briefing_planned)),
    *lived("meeting-4", sealed(*PLANNED, voided)),
)


async def listed(desk: Desk, who: PersonId = TEACHER, **asked: Any) -> list[str]:
    found = await q.all_meetings(q.Meetings(**asked), desk, caller(who))
    return [item["id"] for item in found["items"]]


# -- The list -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, "1234"),
        ({"kind": "organisational_life"}, "2"),
        ({"branch": "liberal"}, "2"),
        ({"branch": "science"}, ""),
        ({"stage": "closed"}, "1"),
        ({"stage": "planned"}, "3"),
        ({"stage": "voided"}, "4"),
        ({"campaign": "campaign-1"}, "1234"),
        ({"campaign": "campaign-0"}, ""),
        ({"since": "2023-07-07"}, "12"),
        ({"since": "2023-07-08"}, ""),
        ({"until": "2023-07-06"}, "4"),
        ({"since": "2023-07-06", "until": "2023-07-07"}, "124"),
    ],
)
async def test_meetings_are_found(asked: dict[str, Any], expected: str) -> None:
    desk = await desk_after(*ALL)
    assert await listed(desk, **asked) == [f"meeting-{n}" for n in expected]


async def test_the_list_comes_in_pages() -> None:
    desk = await desk_after(*ALL)
    first = await q.all_meetings(q.Meetings(limit=3), desk, caller(TEACHER))
    assert [item["id"] for item in first["items"]] == ["meeting-1", "meeting-2", "meeting-3"]
    rest = await q.all_meetings(q.Meetings(after=first["next"]), desk, caller(TEACHER))
    assert [item["id"] for item in rest["items"]] == ["meeting-4"]
    assert rest["next"] is None


# -- Texts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "reads"),
    [
        (LEADER, True),
        (MEMBER, True),
        (SUPERVISOR, True),
        (CLERK, True),
        (OTHER_MEMBER, False),
        (TEACHER, False),
        (GROUP_HEAD, False),
    ],
)
async def test_words_are_for_who_was_there_the_supervision_group_and_leaders(
    who: PersonId, *, reads: bool
) -> None:
    desk = await desk_after(*ALL)
    found = await q.one_meeting(q.Meeting(id="meeting-1"), desk, caller(who))
    assert found["title"] == token(planned.title)
    assert found["place"] == token(planned.place)
    assert (found["programme"] == SEALED) is not reads
    assert (found["appraisal"] == SEALED) is not reads
    assert (found["problems"][0]["title"] == SEALED) is not reads
    assert found["grade"] == "good"
    minutes = await q.minutes(q.MeetingMinutes(id="meeting-1"), desk, caller(who))
    assert [(s["text"] == SEALED) is not reads for s in minutes["items"]] == [True] * 3
    listing = await q.all_meetings(q.Meetings(), desk, caller(who))
    assert (listing["items"][0]["programme"] == SEALED) is not reads


async def test_whoever_made_up_for_an_absence_reads_what_was_said() -> None:
    desk = await desk_after(*lived("meeting-1", sealed(*APPRAISED, made_up)))
    found = await q.one_meeting(q.Meeting(id="meeting-1"), desk, caller(OTHER_MEMBER))
    assert found["appraisal"] == token(appraised.text)


async def test_whoever_was_there_under_a_duplicate_entry_reads_too() -> None:
    twin = PersonId("rao-shuzhen-2")
    as_twin = seated.model_copy(update={"attendees": (seat(twin),)})
    past = sealed(*READY, APPRAISED[3], as_twin)
    school = changed(twin, merged_into=TEACHER)
    desk = await desk_after(*lived("meeting-1", past), directory=school)
    found = await q.one_meeting(q.Meeting(id="meeting-1"), desk, caller(TEACHER))
    assert found["programme"] == token(str(planned.programme))


async def test_nobody_finds_a_meeting_that_is_not_there() -> None:
    desk = await desk_after()
    for query, answer in (
        (q.Meeting(id="meeting-9"), q.one_meeting),
        (q.MeetingMinutes(id="meeting-9"), q.minutes),
        (q.MeetingCriticism(id="meeting-9"), q.meeting_criticism),
        (q.MeetingAttendance(id="meeting-9"), q.attendance),
        (q.CampaignCriticism(campaign="campaign-9"), q.campaign_criticism),
    ):
        with pytest.raises(NotFound):
            await answer(cast("Any", query), desk, caller(LEADER))


async def test_a_school_that_is_not_enrolled_has_no_meetings() -> None:
    desk = await desk_after(directory=None)
    with pytest.raises(UnknownSchool):
        await q.all_meetings(q.Meetings(), desk, caller(LEADER))


# -- Minutes --------------------------------------------------------------------------------------


def remark(number: int, text: str = "同意") -> SpeechRecorded:
    return SpeechRecorded(number=number, act=SpeechAct.other, speaker=LEADER, text=text)


async def test_minutes_come_in_the_order_of_the_meeting_page_by_page() -> None:
    numbers = (30, 10, 20, 50, 40)
    past = (*READY, APPRAISED[3], seated, *map(remark, numbers))
    gone = SpeechVoided(number=20, reason="未曾发言")
    desk = await desk_after(*lived("meeting-1", (*past, gone)))
    ask = q.MeetingMinutes(id="meeting-1", limit=2)
    seen: list[int] = []
    while True:
        page = await q.minutes(ask, desk, caller(LEADER))
        seen += [s["number"] for s in page["items"]]
        if page["next"] is None:
            break
        ask = ask.model_copy(update={"after": page["next"]})
    assert seen == [10, 20, 30, 40, 50]
    everything = await q.minutes(q.MeetingMinutes(id="meeting-1"), desk, caller(LEADER))
    assert [s["voided"] for s in everything["items"]] == [None, "未曾发言", None, None, None]


async def test_long_minutes_are_cut_where_the_next_page_goes_on() -> None:
    long = "发言" * 10_000
    past = (*READY, APPRAISED[3], seated, *(remark(n, long) for n in range(9, 0, -1)))
    desk = await desk_after(*lived("meeting-1", past))
    page = _page(await q.minutes(q.MeetingMinutes(id="meeting-1"), desk, caller(LEADER)))
    assert [s["number"] for s in page["items"]] == [1, 2, 3, 4]
    assert page["next"] == 4


async def test_minutes_hold_the_speeches_of_their_own_meeting() -> None:
    other = (*lived("meeting-10", (*READY, APPRAISED[3], seated, remark(1))),)
    desk = await desk_after(*lived("meeting-1", CLOSED), *other)
    page = await q.minutes(q.MeetingMinutes(id="meeting-1"), desk, caller(LEADER))
    assert [s["number"] for s in page["items"]] == [1, 2, 3]


# -- Criticism ------------------------------------------------------------------------------------


def missing(found: dict[str, Any]) -> dict[str, list[tuple[str | None, str | None]]]:
    return {
        rule["rule"]: [(m["giver"], m["receiver"]) for m in rule["missing"]]
        for rule in found["rules"]
        if not rule["holds"]
    }


async def test_a_meeting_shows_what_the_plan_asks_and_what_is_missing() -> None:
    desk = await desk_after(*lived("meeting-1", OPEN))
    found = await q.meeting_criticism(q.MeetingCriticism(id="meeting-1"), desk, caller(TEACHER))
    assert found["given"] == {LEADER: {MEMBER: 1}}
    assert missing(found) == {
        "R70": [(LEADER, OTHER_MEMBER)],
        "R71": [(OTHER_MEMBER, OTHER_MEMBER), (MEMBER, MEMBER)],
        "R73": [(OTHER_MEMBER, LEADER), (MEMBER, LEADER)],
    }
    shown_only = [rule["rule"] for rule in found["rules"] if rule["shown_only"]]
    assert shown_only == ["R72"]
    assert found["unlinked"] == []
    assert found["on"] == str(AGREED_ON)


async def test_a_branch_meeting_is_held_against_the_branch() -> None:
    first = SpeechRecorded(number=1, act=SpeechAct.self_criticism, speaker=SECRETARY, text="…")
    desk = await desk_after(*lived("meeting-2", (*BRANCH, first)))
    found = await q.meeting_criticism(q.MeetingCriticism(id="meeting-2"), desk, caller(TEACHER))
    assert found["branch"] == "liberal"
    assert {giver for giver, _ in missing(found)["R81"]} == {LEADER, TEACHER, COLLEAGUE}
    assert "R80" not in missing(found)


async def test_only_life_meetings_have_a_matrix_and_voided_ones_have_none() -> None:
    desk = await desk_after(
        *lived("meeting-3", BRIEFING), *lived("meeting-4", (*PLANNED, cancelled))
    )
    with pytest.raises(WrongKindOfMeeting):
        await q.meeting_criticism(q.MeetingCriticism(id="meeting-3"), desk, caller(LEADER))
    with pytest.raises(NotFound):
        await q.meeting_criticism(q.MeetingCriticism(id="meeting-4"), desk, caller(LEADER))


async def test_a_campaign_shows_the_team_and_every_branch_that_exists() -> None:
    unlinked = criticism.model_copy(update={"number": 4, "receiver": OTHER_MEMBER, "talk": None})
    desk = await desk_after(
        *lived("meeting-1", OPEN),
        *lived("meeting-5", (*READY, OPEN[3], seated, unlinked)),
        *lived("meeting-2", BRANCH),
        *lived("meeting-6", (*BRANCH, voided)),
    )
    found = await q.campaign_criticism(q.CampaignCriticism(), desk, caller(TEACHER))
    assert found["campaign"] == "campaign-1"
    team, liberal, science = found["items"]
    assert (team["branch"], team["meetings"]) == (None, 2)
    assert "R70" not in missing(team)
    assert team["unlinked"] == [{"giver": LEADER, "receiver": OTHER_MEMBER}]
    assert (liberal["branch"], liberal["meetings"]) == ("liberal", 1)
    assert (science["branch"], science["meetings"], science["on"]) == ("science", 0, str(TODAY))
    rest = await q.campaign_criticism(
        q.CampaignCriticism(after=team["opened"]), desk, caller(TEACHER)
    )
    assert [item["branch"] for item in rest["items"]] == ["liberal", "science"]
    before = await q.campaign_criticism(
        q.CampaignCriticism(campaign="campaign-0"), desk, caller(TEACHER)
    )
    assert [item["meetings"] for item in before["items"]] == [0, 0, 0]


async def test_a_branch_closed_since_still_shows_the_meetings_it_held() -> None:
    closed_since = branch_planned.model_copy(update={"branch": "retired"})
    desk = await desk_after(*lived("meeting-2", (closed_since, *BRANCH[1:])))
    found = await q.campaign_criticism(q.CampaignCriticism(), desk, caller(TEACHER))
    assert {item["branch"]: item["meetings"] for item in found["items"]} == {
        None: 0,
        "liberal": 0,
        "science": 0,
        "retired": 1,
    }


# -- Attendance -----------------------------------------------------------------------------------


async def test_attendance_is_held_against_the_roster_of_the_day() -> None:
    desk = await desk_after(*lived("meeting-1", (*OPEN, made_up)))
    found = await q.attendance(q.MeetingAttendance(id="meeting-1"), desk, caller(TEACHER))
    assert set(found["present"]) == {LEADER, MEMBER, SUPERVISOR}
    assert (found["absent"], found["made_up"], found["owing"]) == (
        [OTHER_MEMBER],
        [OTHER_MEMBER],
        [],
    )
    assert found["guests"] == [SUPERVISOR]
    assert (found["held"], found["groups"]) == (True, {})


async def test_a_briefing_shows_which_groups_nobody_came_from() -> None:
    desk = await desk_after(*lived("meeting-3", (*BRIEFING, seated)))
    found = await q.attendance(q.MeetingAttendance(id="meeting-3"), desk, caller(TEACHER))
    assert found["unrepresented"] == ["school_administrator", "grade_head", "subject_group_head"]
    assert set(found["groups"]["team_member"]["present"]) == {LEADER, MEMBER}
    planned_only = await desk_after(*lived("meeting-3", BRIEFING[:1]))
    found = await q.attendance(q.MeetingAttendance(id="meeting-3"), planned_only, caller(TEACHER))
    assert (found["held"], found["on"]) == (False, str(TODAY))


# -- Facts ----------------------------------------------------------------------------------------

PLAN = {n: v for n, v in briefing_planned if n != "planned_by"}
plan = by(CLERK, PlanMeeting, **PLAN)
told = {n: v for n, v in PLAN.items() if n not in {"kind", "campaign"}}
revise = by(CLERK, ReviseMeetingPlan, **told, reason="…")
hold = by(CLERK, HoldMeeting, began_at=BEGAN, chair=LEADER, recorder=CLERK)


async def reported(command: Any, *past: Event, state: Any = None) -> Reported | None:
    desk = await desk_after(*lived("meeting-1", past))
    facts = await q.meeting_facts(command, replace(desk, state=state))
    return facts.reported


@pytest.mark.parametrize("command", [plan, revise])
async def test_a_briefing_is_planned_on_what_became_of_the_meeting(command: Any) -> None:
    kind = MeetingKind.democratic_life
    assert await reported(command) is None
    assert await reported(command, *PLANNED, cancelled) is None
    assert await reported(command, *CLOSED, voided) is None
    assert await reported(command, *READY) == Reported(kind)
    assert await reported(command, *CLOSED) == Reported(kind, OVER)
    assert await reported(command, *APPRAISED) == Reported(kind, OVER, appraised.appraised_at)


async def test_a_briefing_is_held_on_what_became_of_the_meeting_it_was_planned_for() -> None:
    state: Any = decider.fold([briefing_planned])
    found = await reported(hold, *APPRAISED, state=state)
    assert found == Reported(MeetingKind.democratic_life, OVER, appraised.appraised_at)
    other: Any = decider.fold([planned])
    assert await reported(hold, *APPRAISED, state=other) is None
    assert await reported(by(CLERK, EndMeeting, ended_at=NOON), *APPRAISED) is None


async def test_a_paper_is_adopted_as_what_it_is() -> None:
    rule = RegulationDrafted(title="会议制度", text="双周一次", answers=(), drafted_by=CLERK)
    handed_in = ExaminationSubmitted(unanswered=())
    desk = await desk_after(("paper-1", rule), ("paper-3", handed_in))

    async def may_be(kind: PaperKind, paper: str) -> bool:
        command = by(CLERK, AdoptDocument, kind=kind, id=paper)
        return (await q.meeting_facts(command, desk)).adoptable

    assert await may_be(PaperKind.regulation, "paper-1")
    assert not await may_be(PaperKind.plan, "paper-1")
    assert not await may_be(PaperKind.regulation, "paper-2")
    assert await may_be(PaperKind.examination, "paper-3")


async def test_facts_need_a_school() -> None:
    desk = await desk_after(directory=None)
    with pytest.raises(UnknownSchool):
        await q.meeting_facts(plan, desk)


# -- The whole service ----------------------------------------------------------------------------


def test_every_query_has_a_path_of_its_own() -> None:
    paths = [query.path for query in service.queries]
    assert len(set(paths)) == len(paths)


def test_a_meeting_of_a_branch_on_a_day_is_found_by_its_day() -> None:
    between = q._between(AGREED_ON, AGREED_ON)
    assert between == {"$gt": str(AGREED_ON - timedelta(days=1)), "$lte": "2023-07-07"}
    assert q._between(None, date(2023, 7, 1)) == {"$lte": "2023-07-01"}
