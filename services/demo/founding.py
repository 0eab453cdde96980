"""Acts one and two: the school with its people, and the plan that is approved before anything begins."""

from datetime import date
from functools import partial
from typing import Any

from services.demo import cast as casting
from services.demo.cast import HEADMASTER, OPERATOR, SECRETARY, SUPERVISORS, Cast, Person, Unit
from services.demo.door import Line, side_by_side
from services.demo.stage import Play
from shared.security import LOCAL_ISSUER

AUTHOR = "p14"  # who writes the plan
SEPTEMBER = 9  # the month a school year begins in
BEGUN = (
    -75
)  # days: long enough ago for school days to be in it on any date, vacations as long as they are


async def enrol(play: Play) -> dict[str, object]:
    """The operator enrols the school, its units, its people and their accounts."""
    line, cast = play.line, play.cast
    school = {"name": "望江中学(虚构)", "zone": "Asia/Shanghai", "language": "zh"}
    await line.do(OPERATOR, "schools", school)
    play.today = date.fromisoformat((await line.see(OPERATOR, "school"))["today"])
    units = casting.units()
    ids = await side_by_side(line, [partial(_enter_unit, unit) for unit in units])
    cast.units = dict(zip((unit.key for unit in units), ids, strict=True))
    await _set_calendar(play)
    ids = await side_by_side(line, [partial(_enter, play, person) for person in cast.roster])
    cast.people = dict(zip((person.key for person in cast.roster), ids, strict=True))
    await side_by_side(line, [partial(_open_account, cast, person) for person in cast.roster])
    what, post = "学校自己任命督导组成员", {"role": "supervisor", "since": play.day(0)}
    path = f"people/{cast.people[AUTHOR]}/take-post"
    await line.refused("R02", what, "appointed-from-outside", SECRETARY, path, post)
    people = [person async for person in line.all(SECRETARY, "people")]
    branches = {p["as_of"]["branch"] for p in people} - {None}
    play.result.people, play.result.branches = len(people), len(branches)
    return {"人员": len(people), "党支部": len(branches), "部门、支部、年级、教研组": len(units)}


async def _enter_unit(unit: Unit, line: Line) -> str:
    entered = await line.do(OPERATOR, "units", {"kind": unit.kind, "name": unit.name})
    return str(entered["id"])


async def _set_calendar(play: Play) -> None:
    """Two terms of the school year today is in and of the one before, each with two holidays."""
    this_year = play.today.year - (play.today.month < SEPTEMBER)
    for year in (this_year - 1, this_year):
        terms = [
            (date(year, 9, 1), date(year + 1, 1, 22)),
            (date(year + 1, 2, 17), date(year + 1, 7, 5)),
        ]
        holidays = {
            "国庆节": (date(year, 10, 1), date(year, 10, 7)),
            "寒假": (date(year + 1, 1, 23), date(year + 1, 2, 16)),
            "暑假": (date(year + 1, 7, 6), date(year + 1, 8, 31)),
        }
        numbered = [{"number": n, **_days(*term)} for n, term in enumerate(terms, 1)]
        school_year = {**_days(date(year, 9, 1), date(year + 1, 8, 31)), "terms": numbered}
        await play.line.do(OPERATOR, "calendars", school_year)
        path = f"calendars/{play.cast.school}/declare-holiday"
        for name, span in holidays.items():
            await play.line.do(OPERATOR, path, {"name": name, **_days(*span)})
        play.terms += terms
        play.holidays += holidays.values()


def _days(first: date, last: date) -> dict[str, str]:
    return {"begins_on": first.isoformat(), "ends_on": last.isoformat()}


async def _enter(play: Play, person: Person, line: Line) -> str:
    """One row of the roster."""
    joined = play.day(-400)
    row: dict[str, Any] = {
        "name": person.name,
        "number": person.number,
        "joined_on": joined,
        "posts": [
            {"role": role, "since": joined, "unit": _unit_of(person, role, play.cast)}
            for role in person.posts
        ],
        "oversees": [play.cast.units[department] for department in person.oversees],
        "branch": play.cast.units.get(person.branch),
    }
    return str((await line.do(OPERATOR, "people", row))["id"])


def _unit_of(person: Person, role: str, cast: Cast) -> str | None:
    """The unit of a post; heads of grades and subject groups stand in the order of their units."""
    if role in {"grade_head", "subject_group_head"}:
        headed = [unit.key for unit in casting.units() if f"{unit.kind}_head" == role]
        heads = [p.key for p in cast.roster if role in p.posts]
        return cast.units[headed[heads.index(person.key)]]
    if role == "branch_secretary":
        return cast.units[person.branch]
    if role in {"department_head", "school_administrator"}:
        return cast.units.get(person.department)
    return None


async def _open_account(cast: Cast, person: Person, line: Line) -> None:
    account = {"issuer": LOCAL_ISSUER, "subject": cast.subject(person.key)}
    await line.do(OPERATOR, "accounts", {**account, "person": cast.people[person.key]})
    cast.admit(person.key)


async def plan_the_campaign(play: Play) -> dict[str, object]:
    """The plan is drafted, sent back, revised, approved, filed; only then the campaign starts."""
    line = play.line
    draft = {
        "title": "党的群众路线教育实践活动实施方案",
        "begins_on": play.day(BEGUN),
        "ends_on": play.day(210),
        "stages": _stages(play),
    }
    play.campaign = (await line.do(AUTHOR, "campaigns", draft))["id"]
    path = f"campaigns/{play.campaign}"
    filing = {"filed_with": "市委教育工委教育实践活动领导小组"}
    approval, start = {"approved": True}, {"on": play.day(-20)}
    for what, expected, who, act, body in (
        ("未经审核就报备方案", "plan-not-approved", HEADMASTER, "file-plan", filing),
        ("未报备就启动活动", "plan-not-filed", SECRETARY, "start", start),
        ("学校自己审核方案", "not-allowed", SECRETARY, "review-plan", approval),
    ):
        await line.refused("R02", what, expected, who, f"{path}/{act}", body)
    remarks = "听取意见的渠道写得太笼统，请列明七种渠道"
    sent_back = {"approved": False, "remarks": remarks}
    await line.do(SUPERVISORS[0], f"{path}/review-plan", sent_back)
    revised = {**draft, "reason": "按督导组意见列明征求意见渠道"}
    await line.do(AUTHOR, f"{path}/revise-plan", revised)
    await line.do(SUPERVISORS[0], f"{path}/review-plan", approval)
    await line.do(HEADMASTER, f"{path}/file-plan", filing)
    await line.do(SECRETARY, f"{path}/start", start)
    await play.set_policy({"intake_batch": ("PT1S", "duration")})
    known = await line.see(SECRETARY, path)
    return {
        "方案": "退回一次，修订后审核同意并报备",
        "环节": len(known["stages"]),
        "状态": "已启动",
    }


def _stages(play: Play) -> list[dict[str, str]]:
    """The three stages; they overlap on purpose (R03, R04)."""
    return [
        {"name": name, "begins_on": play.day(begin), "ends_on": play.day(end)}
        for name, begin, end in (
            ("study_and_listening", BEGUN, 60),
            ("problem_finding_and_criticism", 0, 120),
            ("rectification_and_institution_building", BEGUN, 210),
        )
    ]
