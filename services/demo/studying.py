"""Act three: they study, write what they think of it, and do what the six ones ask of them."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from services.demo import cast as casting
from services.demo.cast import CLERKS, HEADMASTER, SECRETARY, TEAM
from services.demo.door import Line, side_by_side
from services.demo.stage import Play

SETTINGS = {"minimum_reflection": ("100", "characters"), "donation_amount": ("2022", "yuan")}
WITHOUT_REFLECTION = "p22"
"""The one cadre who writes nothing (R14)."""
UNREAD = "p20"
"""Whose reflection nobody rates (R15)."""
COPIED = ("p14", "p21")
"""Two reflections that are one (R15)."""
GAVE_LESS = "p07"
"""Who gives less than the year's amount (R16)."""
ATE_ELSEWHERE = "p05"
"""Who was not in the canteen one week (R20)."""
WEEKS = 2

ITEMS = (("党章", "中发(2023)4号"), ("厉行节约反对浪费重要论述摘编", "粤发(2023)8号"))
SESSIONS: tuple[tuple[str, int, str, str, dict[str, str]], ...] = (
    ("collective_study", -14, "报告厅", "群众路线的由来和要求", {}),
    ("expert_lecture", -12, "报告厅", "从一封来信谈调查研究", {"lecturer": "党校教师(虚构)"}),
    ("warning_education_film", -9, "阶梯教室", "警示教育片和讨论", {}),
    ("branch_study", -7, "文科办公室", "学风文风会风", {"branch": "liberal"}),
    ("branch_study", -7, "理科实验室", "为民办事", {"branch": "science"}),
    ("branch_study", -6, "总务处", "后勤服务怎样到一线", {"branch": "support"}),
)
"""Kind, day, place, theme, and what else a session of the kind says."""

GAPS = {
    "purpose": "想问题先想怎样向上交代，后想师生方便不方便",
    "style": "布置多、检查少，到年级去得少",
    "spirit": "遇到老问题有畏难情绪，能拖就拖",
    "service": "答应师生的事没有逐件回话",
    "integrity": "公务用品领用不严，账目公开不细",
}
TIES = dict(
    zip(TEAM, ("g7", "g8", "g9", "moral-education", "logistics", "office", "g7"), strict=True)
)
WEEKLY = ("lesson_observation", "canteen_meal", "dormitory_visit")
VISITS = {
    "p01": ("p47", "母亲住院，晚自习值班排不开", "与年级商定本月免值晚班"),
    "p05": ("p57", "宿舍漏雨，多次报修未修", "已换防水层，雨天复看不漏"),
    "p07": ("p43", "爱人失业，孩子上学有困难", ""),
}
"""Who visited whom, what was difficult, and how it was solved, if it was (R17)."""
LEARNERS = ("p24", "p25", "p27", "p29", "p32", "p35")
"""Party members who teach and have done something of the members' six ones."""
HEARD = "宿舍二楼洗衣房地漏堵塞，积水一周无人处理"
"""What a visit to the dormitory showed (R22)."""


@dataclass(frozen=True)
class Written:
    """A reflection: who wrote it, and its id."""

    author: str
    id: str


async def study(play: Play) -> dict[str, object]:
    """Sessions, readings, reflections, what each lacks; then the six ones of leaders and members."""
    await play.set_policy(SETTINGS)
    items = await side_by_side(play.line, [partial(_list_item, play, item) for item in ITEMS])
    deeds = [partial(_do, play, deed) for deed in _deeds(play)]
    sessions = [partial(_study_together, play, session, items) for session in SESSIONS]
    read = [partial(_read, play, who, item) for who in TEAM for item in items]
    gaps = [partial(_find_gap, play, who, aspect) for who in TEAM for aspect in GAPS]
    ties = [partial(_tie, play, who) for who in TEAM]
    visits = [partial(_visit, play, who) for who in VISITS]
    await side_by_side(play.line, [*sessions, *read, *gaps, *ties, *deeds, *visits])
    written = await side_by_side(
        play.line, [partial(_write, play, row) for row in casting.reflections()]
    )
    play.unread = next(one.id for one in written if one.author == UNREAD)
    rated = [one for one in written if one.author != UNREAD]
    await side_by_side(play.line, [partial(_rate, one) for one in rated])
    await _raise_problem(play)
    await _try_what_must_not_work(play, written)
    alike = await play.line.see(SECRETARY, "reflection-findings")
    play.result.copied = len(alike["pairs"])
    return {
        "集中学习": len(SESSIONS),
        "心得体会": len(written),
        "雷同提示": f"{play.result.copied} 对",
        "查找差距": len(gaps),
        "六个一": len(deeds) + len(visits),
    }


# -- Studying ------------------------------------------------------------------------------------


async def _list_item(play: Play, item: tuple[str, str], line: Line) -> str:
    title, origin = item
    body = {"title": title, "origin": origin, "since": play.day(-20)}
    return str((await line.do(CLERKS[0], "catalogue", body))["id"])


async def _study_together(
    play: Play,
    session: tuple[str, int, str, str, dict[str, str]],
    items: list[str],
    line: Line,
) -> None:
    """A session, and who was there: everybody in the party whom it concerns, but one."""
    kind, day, place, theme, more = session
    cast = play.cast
    branch = more.get("branch")
    body: dict[str, Any] = {"kind": kind, "held_on": play.day(day), "place": place, "theme": theme}
    body |= {"items": items[:1], **more}
    if branch:
        body["branch"] = cast.units[branch]
    held = await line.do(CLERKS[0], "sessions", body)
    asked = [p for p in cast.roster if "party_member" in p.posts and branch in {None, p.branch}]
    excused, *present = [cast.people[person.key] for person in reversed(asked)]
    attendance = {"present": present, "excused": [excused]}
    await line.do(CLERKS[0], f"sessions/{held['id']}/record-study-attendance", attendance)


async def _read(play: Play, who: str, item: str, line: Line) -> None:
    body = {"person": play.cast.people[who], "item": item, "on": play.day(-5)}
    await line.do(who, "readings", body)


async def _find_gap(play: Play, who: str, aspect: str, line: Line) -> None:
    body = {
        "campaign": play.campaign,
        "person": play.cast.people[who],
        "aspect": aspect,
        "text": GAPS[aspect],
        "found_on": play.day(-3),
    }
    await line.do(who, "gaps", body)


async def _write(play: Play, row: dict[str, str], line: Line) -> Written:
    who = row["key"]
    body = {"author": play.cast.people[who], "title": row["title"], "text": row["text"]}
    handed_in = await line.do(who, "reflections", {**body, "written_on": play.day(-4)})
    return Written(who, handed_in["id"])


async def _rate(one: Written, line: Line) -> None:
    """Somebody else reads it; who copied is told so."""
    reader = HEADMASTER if one.author == SECRETARY else SECRETARY
    body = {"rating": "good", "comment": "联系自己，有事例，有打算"}
    if one.author in COPIED[1:]:
        body = {"rating": "poor", "comment": "与他人所写几乎相同，请重写"}
    await line.do(reader, f"reflections/{one.id}/rate", body)


# -- The six ones --------------------------------------------------------------------------------


def _deeds(play: Play) -> list[tuple[str, dict[str, Any]]]:
    """What leaders did week by week and once a year, and what some members did."""
    days = play.taught(WEEKS)
    found: list[tuple[str, dict[str, Any]]] = [
        (who, {"kind": kind, "on": day, **_told(kind)})
        for who in TEAM
        for day in days
        for kind in WEEKLY
        if (who, kind, day) != (ATE_ELSEWHERE, "canteen_meal", days[0])
    ]
    for n, who in enumerate(TEAM, 1):
        amount = "500" if who == GAVE_LESS else "2022"
        gift = {"kind": "donation", "amount": amount, "pupil": f"pupil-{n}", "on": days[0]}
        found.append((who, gift))
    for n, who in enumerate(LEARNERS, 101):
        book = {"kind": "monograph_study", "title": "课堂观察二十讲", "on": play.day(-3)}
        pupil = {"kind": "named_tutoring", "pupil": f"pupil-{n}", "on": days[0]}
        found += [(who, book), (who, pupil)]
    return found


def _told(kind: str) -> dict[str, str]:
    """What is said of a weekly activity."""
    return {"title": "初二数学：一次函数"} if kind == "lesson_observation" else {}


async def _do(play: Play, deed: tuple[str, dict[str, Any]], line: Line) -> None:
    who, body = deed
    await line.do(who, "activities", {"person": play.cast.people[who], **body})


async def _tie(play: Play, who: str, line: Line) -> None:
    cast = play.cast
    body = {"person": cast.people[who], "unit": cast.units[TIES[who]], "since": play.day(-20)}
    await line.do(who, "ties", body)


async def _visit(play: Play, who: str, line: Line) -> None:
    """A colleague in difficulty is visited; where it was solved, that is said (R17)."""
    people = play.cast.people
    visited, difficulty, how = VISITS[who]
    body = {
        "kind": "staff_visit",
        "person": people[who],
        "on": play.day(-6),
        "visited": people[visited],
        "difficulty": difficulty,
    }
    path = f"activities/{(await line.do(who, 'activities', body))['id']}"
    if how:
        await line.do(who, f"{path}/solve-difficulty", {"on": play.day(-2), "how": how})


async def _raise_problem(play: Play) -> None:
    """What a visit to the dormitory showed becomes an issue (R22)."""
    who = ATE_ELSEWHERE
    body = {"kind": "dormitory_visit", "person": play.cast.people[who], "on": play.taught(1)[0]}
    visit = (await play.line.do(who, "activities", body))["id"]
    problem = {
        "key": "laundry",
        "title": HEARD,
        "addressee": "team",
        "not_four_winds": True,
        "topics": ["dormitory"],
    }
    await play.line.do(who, f"activities/{visit}/raise-problem-from", problem)
    play.raised[HEARD] = ("visit", visit)


# -- What must not work --------------------------------------------------------------------------


async def _try_what_must_not_work(play: Play, written: list[Written]) -> None:
    line, people = play.line, play.cast.people
    who = TEAM[3]
    lesson = {"kind": "lesson_observation", "person": people[who], "title": "初一语文"}
    gift = {"kind": "donation", "person": people[who], "pupil": "pupil-4", "on": play.day(-1)}
    unit = {"person": people[who], "unit": play.cast.units["g8"], "since": play.day(0)}
    first = written[0]
    rating = {"rating": "good", "comment": "很好"}
    for rule, what, expected, person, path, body in (
        ("R16", "捐资零元", "not-a-positive-amount", who, "activities", {**gift, "amount": "0"}),
        ("R18", "再登记一个联系点", "already-tied", who, "ties", unit),
        ("R19", "学期以外听课", "outside-term", who, "activities", {**lesson, "on": play.idle()}),
        (
            "R19",
            "登记明天的听课",
            "in-the-future",
            who,
            "activities",
            {**lesson, "on": play.day(1)},
        ),
        (
            "R15",
            "评阅自己的心得",
            "own-reflection",
            first.author,
            f"reflections/{first.id}/rate",
            rating,
        ),
        (
            "权限",
            "替别人登记听课",
            "only-for-oneself",
            "p40",
            "activities",
            {**lesson, "on": play.day(-1)},
        ),
    ):
        await line.refused(rule, what, expected, person, path, body)
