"""Act six: the issues live their lives, every path at least once, while the clock watches a deadline."""

import asyncio
from functools import partial
from typing import Any

from services.demo.cast import (
    BLOCKED,
    CLERKS,
    EARLY,
    HEADMASTER,
    PAPER,
    SECRETARY,
    TWICE,
    Matter,
)
from services.demo.door import Line, Unexpected, side_by_side
from services.demo.listening import MEMBER
from services.demo.lives import (
    BY_MISTAKE,
    DONE,
    FIRST,
    FROM_INSPECTION,
    HERO,
    NOBODYS,
    OBJECTED,
    PLOT,
    Life,
    Step,
    live,
)
from services.demo.stage import PATIENCE, Play

NOTICE = ("PT3S", "duration")
LADDER = {
    "claim_within": ("PT2S", "duration"),
    "remind_before": ("PT1S", "periods"),
    "urge_after": ("PT0S", "duration"),
    "supervise_after": ("PT1S", "duration"),
    "accountability_after": ("PT2S", "duration"),
}
"""A deadline ladder in seconds, so that it can be watched."""
VISITED = "p10"
RUNGS = frozenset({"remind", "urge", "supervise", "account"})


async def rectify(play: Play) -> dict[str, object]:
    """Plan, put right, check, strike off, judge; what a regulation can prevent gets one."""
    await _meet_the_issues(play)
    covered = await _adopt_the_plan(play)
    for theme, path in FIRST.items():
        await _alive(play.lives[theme], path, play.line)
    nobodys = await _under_a_short_ladder(play)
    await play.set_policy({"public_notice": NOTICE})
    early = [partial(_alive, play.lives[theme], path) for theme, path in OBJECTED.items()]
    await side_by_side(play.line, early)
    paths: list[tuple[Life, tuple[Step, ...]]] = [
        *((play.lives[theme], path) for theme, path in PLOT.items()),
        (_life(play, play.early, EARLY, owner=MEMBER), DONE),
        (await _open(play, TWICE, "visit", CLERKS[0]), BY_MISTAKE),
        (await _open(play, PAPER, "inspection", CLERKS[1]), FROM_INSPECTION),
    ]
    work = [partial(_alive, life, path) for life, path in paths]
    await side_by_side(play.line, [*work, partial(_climb, play, nobodys)])
    await _lay_down(play)
    await play.settle()
    summary = play.result.summary = await play.line.see(CLERKS[0], "issues-summary")
    return {
        "问题": summary["total"],
        "整改任务": covered,
        "销号": summary["by_stage"].get("struck_off", 0),
        "重新整改": summary["reopened"],
        "群众评判": sum(summary["verdicts"].values()),
        "时限阶梯": f"{len(play.result.ladder)} 级",
    }


async def _meet_the_issues(play: Play) -> None:
    """Find the issues that the collation opened, and who spoke up about each."""
    themes = {matter.title: theme for theme, matter in play.matters.items()}
    voices = {heard.id: heard.voice for heard in play.heard if heard.voice}
    async for issue in play.line.all(CLERKS[0], "issues"):
        theme = themes.get(issue["title"])
        if theme and theme not in play.lives:
            life = play.lives[theme] = _life(play, issue["id"], play.matters[theme])
            spoke = list(dict.fromkeys(voices[o] for o in issue["opinions"] if o in voices))
            by_code_first = life.number % 2
            life.voices = sorted(
                spoke, key=lambda voice: bool(voice.code), reverse=bool(by_code_first)
            )
    if missing := play.matters.keys() - play.lives.keys():
        msg = f"没有立项：{' '.join(sorted(missing))}"
        raise Unexpected(msg)


def _life(play: Play, issue: str, matter: Matter, *, owner: str = "") -> Life:
    """An issue and its people: a personal one is its person's, the others their department's head's."""
    themes = [*play.matters]
    keeper = play.cast.overseer if matter.addressee == "member" else play.cast.head
    return Life(
        play.line,
        play.cast,
        matter,
        issue,
        themes.index(matter.theme) if matter.theme in themes else len(themes),
        play.today,
        owner or keeper(matter.department),
        lives=play.lives,
    )


async def _alive(life: Life, path: tuple[Step, ...], line: Line) -> None:
    life.line = line
    await live(life, path)


async def _open(play: Play, matter: Matter, kind: str, clerk: str) -> Life:
    """Put an issue on the ledger that comes from elsewhere than the collation."""
    source = await (_inspect if kind == "inspection" else _visit)(play, clerk)
    body = {
        "title": matter.title,
        "addressee": matter.addressee,
        "winds": matter.winds,
        "not_four_winds": not matter.winds,
        "topics": matter.topics,
        "discovery": matter.discovery,
        "sources": [{"kind": kind, "id": source}],
    }
    return _life(play, (await play.line.do(clerk, "issues", body))["id"], matter)


async def _visit(play: Play, clerk: str) -> str:
    """A team member visits a colleague (R17) and hears of something (R22)."""
    people = play.cast.people
    body = {
        "kind": "staff_visit",
        "person": people[MEMBER],
        "on": play.day(-1),
        "visited": people[VISITED],
    }
    return str((await play.line.do(clerk, "activities", body))["id"])


async def _inspect(play: Play, clerk: str) -> str:
    """An inspection by the regulations against waste (R07)."""
    body = {
        "kind": "frugality_regulations",
        "held_on": play.day(-1),
        "scope": "办公用品领用和接待登记",
        "found": "领用无登记，去向说不清",
    }
    return str((await play.line.do(clerk, "inspections", body))["id"])


# -- The plan, the regulation --------------------------------------------------------------------


async def _adopt_the_plan(play: Play) -> int:
    """Every issue of the team has its line (R90): task, owner, division, time (R92)."""
    line = play.line
    title = "领导班子整改方案"
    drafted = await line.do(HEADMASTER, "plans", {"campaign": play.campaign, "title": title})
    path = f"plans/{drafted['id']}"
    await line.refused("R90", "没有任务的整改方案", "empty-plan", SECRETARY, f"{path}/adopt")
    mine = [life for life in play.lives.values() if life.matter.addressee == "team"]
    working = line.apart()
    for life in mine:
        body = {
            "issue": life.id,
            "task": life.matter.measure,
            "owner": life.person(life.owner),
            "division": [life.person(life.worker)],
            "begins_on": play.day(0),
            "due_on": play.day(30),
            "key_problem": life.matter.key_issue,
        }
        await working.do(HEADMASTER, f"{path}/set-plan-line", body, aware=False)
    await working.do(SECRETARY, f"{path}/adopt")
    line.position = working.position
    return len(mine)


async def _lay_down(play: Play) -> None:
    """What was put right is laid down, so that it does not come back (建章立制)."""
    hero = play.lives[HERO]
    body = {
        "title": "宿舍报修限时答复办法",
        "text": "报修当日答复，三日内修好；修不好的说明原因和日期，登记本每周公示。",
        "answers": [hero.id],
    }
    drafted = await play.line.do(hero.owner, "regulations", body)
    force = {"in_force_on": play.day(7)}
    await play.line.do(HEADMASTER, f"regulations/{drafted['id']}/adopt", force)


# -- The ladder ----------------------------------------------------------------------------------


async def _under_a_short_ladder(play: Play) -> Life:
    """Open an issue nobody claims while the school's ladder is one of seconds; then it is as before."""
    known = (await play.line.see(SECRETARY, "settings"))["items"]
    usual = {i["setting"]: (i["value"], i["unit"]) for i in known if i["setting"] in LADDER}
    await play.set_policy(LADDER)
    life = await _open(play, BLOCKED, "superior", CLERKS[1])
    await play.set_policy(usual)
    return life


async def _climb(play: Play, life: Life, line: Line) -> None:
    """Nobody claims it, so the clock speaks: reminder, urging, supervision, call to account."""
    rungs: list[dict[str, Any]] = []
    async with asyncio.timeout(PATIENCE):
        while {rung["rung"] for rung in rungs} != RUNGS:
            await asyncio.sleep(0.25)
            rungs = (await line.see(SECRETARY, f"issues/{life.id}"))["rungs"]
    play.result.ladder = [{**r, "told": [play.cast.named(p) for p in r["told"]]} for r in rungs]
    await _alive(life, NOBODYS, line)
