"""Study through the HTTP door: sessions, reflections, the six ones week by week, contact units."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from shared.runtime import now
from tests.live.refusing import assert_refused
from tests.live.school import School
from tests.live.test_tables import send

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("quiet")]

HIDDEN = {"masked": "sealed"}


def away(days: int) -> str:
    return (now() + timedelta(days=days)).date().isoformat()


async def in_term(school: School) -> None:
    """A school year of one term that began fifty days ago."""
    year = {"begins_on": away(-50), "ends_on": away(100)}
    await school.do("clerk", "/calendars", {**year, "terms": [{**year, "number": 1}]})


async def test_a_session_says_who_was_there(school: School) -> None:
    about = {"kind": "expert_lecture", "held_on": away(-1), "place": "礼堂", "theme": "群众路线"}
    await assert_refused(school, "lecturer-missing", "clerk", "/sessions", about)
    lecture = {**about, "lecturer": "某教授"}
    await assert_refused(
        school, "in-the-future", "clerk", "/sessions", {**lecture, "held_on": away(3)}
    )
    session = (await school.do("clerk", "/sessions", lecture))["id"]
    people = [school.people[key] for key in ("leader", "member")]
    path = f"/sessions/{session}/record-study-attendance"
    both = {"present": people, "excused": people[:1]}
    await assert_refused(school, "present-and-excused", "clerk", path, both)

    await school.do("clerk", path, {"present": people})

    assert {*(await school.get("teacher", "/sessions"))["items"][0]["present"]} == {*people}


async def test_a_reflection_is_rated_by_somebody_else(school: School) -> None:
    text = "学习之后我认识到,群众的事没有小事。"
    written = {"title": "心得", "text": text, "written_on": away(-1)}
    mine = {**written, "author": school.people["leader"]}
    path = f"/reflections/{(await school.do('leader', '/reflections', mine))['id']}"
    rating = {"rating": "good", "comment": "联系实际"}
    await assert_refused(school, "own-reflection", "leader", f"{path}/rate", rating)
    await assert_refused(school, "not-allowed", "member", f"{path}/rate", rating)

    await school.do("supervisor", f"{path}/rate", rating)

    seen = await school.get("leader", path)
    assert (seen["length"], seen["text"]) == (len(text), text)
    assert (await school.get("teacher", path))["text"] == HIDDEN


async def test_an_activity_that_cannot_have_been_is_refused(school: School) -> None:
    await in_term(school)
    person = school.people["member"]
    gift = {"kind": "donation", "person": person, "on": away(-1), "pupil": "pupil-1"}
    lesson = {"kind": "lesson_observation", "person": person, "on": away(-1), "title": "数学"}
    rows: list[tuple[str, dict[str, Any]]] = [
        ("not-a-positive-amount", {**gift, "amount": "0"}),
        ("not-a-positive-amount", {**gift, "amount": "-20.22"}),
        ("outside-school-year", {**gift, "amount": "2022", "on": away(-60)}),
        ("outside-term", {**lesson, "on": away(-60)}),
        ("in-the-future", {**lesson, "on": away(2)}),
        ("activity-unclear", {**gift}),
        ("invalid", {**gift, "amount": "2022", "pupil": "张三"}),
        ("only-for-oneself", {**lesson, "person": school.people["other"]}),
    ]

    for code, wrong in rows:
        await assert_refused(school, code, "member", "/activities", wrong)
    await school.do("member", "/activities", {**gift, "amount": "2022"})


async def test_a_week_without_a_lesson_is_missing_on_the_board(school: School) -> None:
    await in_term(school)
    member = school.people["member"]
    lesson = {"kind": "lesson_observation", "person": member, "title": "数学"}

    async def missing() -> int:
        rows = (await school.get("teacher", "/leader-six-ones"))["items"]
        mine = next(row for row in rows if row["person"] == member)
        return int(mine["missing_weeks"]["lesson_observation"])

    before = await missing()
    await school.do("member", "/activities", {**lesson, "on": away(-14)})
    await school.do("member", "/activities", {**lesson, "on": away(-14), "title": "语文"})

    assert await missing() == before - 1


async def test_a_member_has_one_contact_unit_at_a_time(school: School) -> None:
    grades = [
        (await school.do("clerk", "/units", {"kind": "grade", "name": name}))["id"]
        for name in ("高一", "高二")
    ]
    tie = {"person": school.people["member"], "unit": grades[0], "since": away(-20)}
    path = f"/ties/{(await school.do('member', '/ties', tie))['id']}"
    second = {**tie, "unit": grades[1], "since": away(-5)}
    await assert_refused(school, "already-tied", "member", "/ties", second)
    await school.do("member", f"{path}/end", {"until": away(-6)})

    await school.do("member", "/ties", second)


async def test_a_table_of_activities_is_taken_once(school: School) -> None:
    await in_term(school)
    file = io.StringIO(newline="")
    person = school.people["member"]
    lines = [("听课", person, away(-2), "物理"), ("食堂就餐", person, away(-2), "")]
    csv.writer(file).writerows([("类别", "人员", "日期", "题目"), *lines])
    raw = file.getvalue().encode("gb18030")

    async def found() -> int:
        return len((await school.get("clerk", "/activities"))["items"])

    for query, stored in (("?dry_run=1", 0), ("", 2), ("", 2)):
        told = (await send(school, "clerk", "activities", raw, query)).json()
        assert (told["accepted"], told["refused"]) == (2, 0), told
        assert await found() == stored
