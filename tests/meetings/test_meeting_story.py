"""A democratic life meeting and its briefing, from plan to report, through the service at work."""

import json
from typing import Any
from uuid import UUID, uuid5

import pytest

from services.meetings.app import service
from services.meetings.domain.meeting import (
    BriefingBeforeMeeting,
    CriticisesOneself,
    DateNotAgreed,
    MinutesLocked,
    NotAppraisedYet,
    NotAttending,
    PlanNotApproved,
)
from services.meetings.queries import meeting as q
from shared.decider import PersonId, wire
from shared.marks import is_token
from shared.privacy import SEALED
from shared.runtime import OccurredInTheFuture, Reply, Taken
from tests import memory
from tests.meetings.meeting_cast import (
    CLERK,
    GRADE_HEAD,
    LEADER,
    MEMBER,
    NOON,
    OTHER_MEMBER,
    SCHOOL,
    SECOND_CLERK,
    SUPERVISOR,
    TEACHER,
    caller,
)
from tests.memory import TOWN, Works

SENDER = UUID(int=7)
PLAN = {
    "kind": "democratic_life",
    "title": "专题民主生活会",
    "place": "行政楼三楼会议室",
    "chair": LEADER,
    "programme": "会前谈心,会上对照检查、开展批评",
}
HOLD = {"began_at": "2023-07-07T14:30:00+08:00", "chair": LEADER, "recorder": CLERK}
BEFOREHAND = {"occurred_at": "2023-07-03T10:00:00+08:00"}
SPEECHES = (
    {"number": 1, "act": "team_self_examination", "speaker": LEADER, "text": "代表班子对照检查"},
    {"number": 2, "act": "self_criticism", "speaker": LEADER, "text": "深入课堂不够"},
    {"number": 3, "act": "self_criticism", "speaker": MEMBER, "text": "后勤服务不细"},
    {"number": 4, "act": "criticism", "speaker": LEADER, "receiver": MEMBER, "text": "回应慢"},
    {"number": 5, "act": "criticism", "speaker": MEMBER, "receiver": LEADER, "text": "会议多"},
)


class Office:
    """The service, and whoever sends it commands."""

    def __init__(self, at: Works) -> None:
        self.at = at
        self.sent = 0

    async def send(
        self, who: PersonId, name: str, target: str | None = None, /, **fields: Any
    ) -> Reply:
        stream, kind = service.commands()[name]
        body = wire(kind).model_validate_json(json.dumps(fields))
        self.sent += 1
        command = uuid5(SENDER, str(self.sent))
        taken = Taken(TOWN, stream, kind, target, body, caller(who), command, NOON)
        caller(who).demand(frozenset(map(str, kind.allowed)))
        reply = await self.at.runtime.carry_out(taken)
        await self.at.look()
        return reply

    async def ask(self, who: PersonId, query: Any) -> Any:
        desk = self.at.runtime.desk(TOWN, NOON)
        found = await service.queries[type(query)](query, desk, caller(who))
        return await self.at.runtime.privacy.open(TOWN, found)


async def opened() -> tuple[Office, str]:
    """A meeting that may be held."""
    office = Office(await memory.works(service, SCHOOL))
    meeting = (await office.send(CLERK, "plan-meeting", **PLAN)).id
    with pytest.raises(PlanNotApproved):
        await office.send(CLERK, "hold-meeting", meeting, **HOLD)
    await office.send(SUPERVISOR, "approve-meeting-plan", meeting, **BEFOREHAND)
    with pytest.raises(DateNotAgreed):
        await office.send(CLERK, "hold-meeting", meeting, **HOLD)
    await office.send(SUPERVISOR, "agree-date", meeting, on="2023-07-07", **BEFOREHAND)
    return office, meeting


async def recorded() -> tuple[Office, str]:
    """A meeting that was held and is on record."""
    office, meeting = await opened()
    await office.send(CLERK, "hold-meeting", meeting, **HOLD)
    seats = [{"person": p, "attendance": "present"} for p in (LEADER, MEMBER, SUPERVISOR)]
    away = {"person": OTHER_MEMBER, "attendance": "absent", "excuse": "出差"}
    await office.send(CLERK, "record-attendance", meeting, attendees=[*seats, away])
    for speech in SPEECHES:
        await office.send(CLERK, "record-speech", meeting, **speech)
    return office, meeting


async def locked() -> tuple[Office, str]:
    """A meeting whose minutes are closed."""
    office, meeting = await recorded()
    await office.send(CLERK, "end-meeting", meeting, ended_at="2023-07-07T18:00:00+08:00")
    await office.send(CLERK, "close-minutes", meeting)
    return office, meeting


async def test_who_may_read_it_reads_what_was_said_in_order() -> None:
    office, meeting = await locked()
    minutes = await office.ask(MEMBER, q.MeetingMinutes(id=meeting))
    assert [s["text"] for s in minutes["items"]] == [s["text"] for s in SPEECHES]
    hidden = await office.ask(TEACHER, q.MeetingMinutes(id=meeting))
    assert [s["text"] for s in hidden["items"]] == [SEALED] * 5
    card = await office.ask(TEACHER, q.Meeting(id=meeting))
    assert (card["title"], card["programme"]) == (PLAN["title"], SEALED)


async def test_no_word_of_it_is_in_the_log_unsealed() -> None:
    office, _ = await locked()
    written = b"".join(record.body for record in office.at.pages.log).decode()
    for text in (*(str(s["text"]) for s in SPEECHES), str(PLAN["title"]), "出差"):
        assert text not in written
    texts = [json.loads(r.body).get("text") for r in office.at.pages.log]
    assert sum(is_token(text) for text in texts) == len(SPEECHES)


async def test_the_same_said_again_is_no_news() -> None:
    office, meeting = await recorded()
    events = len(office.at.pages.log)
    for speech in SPEECHES:
        reply = await office.send(SECOND_CLERK, "record-speech", meeting, **speech)
        assert reply.event is None
    reply = await office.send(CLERK, "hold-meeting", meeting, **HOLD)
    assert reply.event is None
    assert len(office.at.pages.log) == events


async def test_what_may_not_be_is_refused_and_nothing_is_stored() -> None:
    office, meeting = await recorded()
    events = len(office.at.pages.log)
    absentee = {**SPEECHES[2], "number": 6, "speaker": OTHER_MEMBER}
    with pytest.raises(NotAttending):
        await office.send(CLERK, "record-speech", meeting, **absentee)
    oneself = {**SPEECHES[3], "number": 6, "receiver": LEADER}
    with pytest.raises(CriticisesOneself):
        await office.send(CLERK, "record-speech", meeting, **oneself)
    with pytest.raises(OccurredInTheFuture):
        await office.send(CLERK, "end-meeting", meeting, ended_at="2023-07-11T18:00:00+08:00")
    assert len(office.at.pages.log) == events


async def test_a_briefing_waits_for_the_meeting_and_its_appraisal() -> None:
    office, meeting = await recorded()
    plan = {**PLAN, "kind": "briefing", "reports_on": meeting, "title": "情况通报会"}
    del plan["programme"]
    briefing = (await office.send(CLERK, "plan-meeting", **plan)).id
    later = {**HOLD, "began_at": "2023-07-10T09:00:00+08:00"}
    with pytest.raises(BriefingBeforeMeeting):
        await office.send(CLERK, "hold-meeting", briefing, **later)
    await office.send(CLERK, "end-meeting", meeting, ended_at="2023-07-07T18:00:00+08:00")
    await office.send(CLERK, "close-minutes", meeting)
    with pytest.raises(MinutesLocked):
        await office.send(CLERK, "record-speech", meeting, **{**SPEECHES[0], "number": 9})
    with pytest.raises(NotAppraisedYet):
        await office.send(CLERK, "hold-meeting", briefing, **later)
    told = {"grade": "good", "text": "开出了新意", "occurred_at": "2023-07-08T09:00:00+08:00"}
    await office.send(SUPERVISOR, "appraise-meeting", meeting, **told)
    await office.send(CLERK, "hold-meeting", briefing, **later)
    seats = [{"person": p, "attendance": "present"} for p in (LEADER, GRADE_HEAD)]
    await office.send(CLERK, "record-attendance", briefing, attendees=seats)
    for part in ("preparation", "criticism_and_self_criticism", "measures"):
        await office.send(CLERK, "report-briefing-part", briefing, part=part, text="情况")
    card = await office.ask(LEADER, q.Meeting(id=briefing))
    assert "supervision_evaluation" not in card["told"]
    there = await office.ask(LEADER, q.MeetingAttendance(id=briefing))
    assert there["unrepresented"] == ["school_administrator", "subject_group_head"]


async def test_the_plan_shows_what_the_meeting_still_owes() -> None:
    office, meeting = await locked()
    found = await office.ask(LEADER, q.MeetingCriticism(id=meeting))
    missing = {r["rule"]: len(r["missing"]) for r in found["rules"] if not r["holds"]}
    assert missing == {"R70": 1, "R71": 1, "R73": 1}
    assert len(found["unlinked"]) == 2
    make_up = {"person": OTHER_MEMBER, "by_what": "会后补作自我批评"}
    await office.send(CLERK, "make-up-absence", meeting, **make_up)
    there = await office.ask(LEADER, q.MeetingAttendance(id=meeting))
    assert (there["made_up"], there["owing"]) == ([OTHER_MEMBER], [])
