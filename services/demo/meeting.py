"""Acts eight and nine: everybody examines themselves; then the democratic life meeting and its briefing."""

from collections import defaultdict
from functools import partial
from itertools import product
from typing import Any

from services.demo.cast import CLERKS, HEADMASTER, SECRETARY, SUPERVISORS, TEAM
from services.demo.door import Line, side_by_side
from services.demo.stage import Play

KEEPER, SUPERVISOR = CLERKS[0], SUPERVISORS[0]
MEMBERS = TEAM[2:]
FORGETFUL, SUPERFICIAL = "p03", "p05"
"""Who hands in a paper without causes (R60); whose paper is sent back."""
UNTOLD = ("p06", "p07")
"""Who criticises whom at the meeting without having talked before (R54)."""
ABSENT = "p08"
APPROVED, MET, BRIEFED = -4, -2, -1
"""Days."""
COUNTS_NOWHERE = frozenset({"merged", "voided"})

HEARD = "班子会议题临时动议多，会前不征求年级和教研组意见"
"""What comes up at the meeting and becomes an issue (R90)."""
TWICE = f"{HEARD}（又记一次）"

PAPER: dict[str, Any] = {
    "basic_situation": "能够遵守各项规定，作风总体踏实，但联系师生不够经常。",
    "manifestations": "一是以会议落实会议，布置多检查少；二是到课堂和宿舍少，一学期听课不足十节；"
    "三是对老师反映的小事不上心，典型事例是宿舍热水报修两个月没有回话。",
    "cause_analysis": "理想信念有松动，宗旨意识不牢，习惯于向上负责；党性修养抓得不经常，"
    "遵守纪律满足于不出事，缺少自我加压。",
    "improvement_measures": "每周半天到联系年级办公；师生反映的事当日登记、三日内答复、每周公示；"
    "每月听课不少于四节，听后当面交换意见。",
}
CAUSE = {
    "text": "把师生方便放在了自己方便之后",
    "aspects": ["ideals", "purpose", "party_spirit", "discipline"],
}
PARTS = {
    "preparation": "会前征求意见三百条，谈心三十次，材料经督导组审阅",
    "criticism_and_self_criticism": "班子成员逐一自我批评，相互批评二十余条",
    "measures": "会上议定措施一项，列入整改方案",
    "supervision_evaluation": "督导组评价：准备充分，批评见人见事，达到预期效果",
}
"""What the briefing tells (R76)."""
AT_THE_BRIEFING = ("school_administrator", "grade_head", "subject_group_head")


async def examine(play: Play) -> dict[str, object]:
    """The team and every cadre examine themselves in writing; four sections, or it is not taken."""
    cadres = [p.key for p in play.cast.roster if "party_cadre" in p.posts]
    owned, waiting = await _owned(play)
    await _examine_the_team(play, owned["team"])
    people = play.cast.people
    work = [
        partial(_examine_oneself, play, who, owned[people[who]], waiting[people[who]])
        for who in cadres
    ]
    await side_by_side(play.line, work)
    return {"班子材料": "审议通过、征求意见、审核", "个人材料": len(cadres), "退回重写": 1}


type ByPerson = dict[str, list[str]]


async def _owned(play: Play) -> tuple[ByPerson, ByPerson]:
    """The issues everybody holds, the team's that somebody holds (R63), and those nobody has claimed."""
    owned: ByPerson = defaultdict(list)
    waiting: ByPerson = defaultdict(list)
    async for issue in play.line.all(CLERKS[0], "issues"):
        if issue["stage"] in COUNTS_NOWHERE:
            continue
        if not issue["owner"]:
            waiting[issue["person"] or "team"].append(issue["id"])
            continue
        owned[issue["owner"]].append(issue["id"])
        if issue["addressee"] == "team":
            owned["team"].append(issue["id"])
    return owned, waiting


def _paper(play: Play, owner: str, answers: list[str]) -> dict[str, Any]:
    measure = {
        "key": "m1",
        "text": "每周半天到联系年级办公，师生反映的事三日内答复",
        "owner": play.cast.people[owner],
        "due_on": play.day(60),
        "deliverable": "驻年级登记和答复公示",
    }
    return {**PAPER, "causes": [CAUSE], "measures": [measure], "answers": answers}


async def _examine_the_team(play: Play, answers: list[str]) -> None:
    """Drafted under the secretary, adopted by a leadership meeting, consulted on, reviewed (R65)."""
    line, cast = play.line, play.cast
    draft = {"campaign": play.campaign, "subject": "team", **_paper(play, SECRETARY, answers)}
    paper = (await line.do(SECRETARY, "examinations", draft))["id"]
    path = f"examinations/{paper}"
    await line.do(SECRETARY, f"{path}/submit")
    what = "班子材料未经审议就审核"
    await line.refused("R65", what, "not-adopted-yet", SUPERVISOR, f"{path}/review")
    met = await plan_meeting(
        play, {"kind": "leadership", "title": "领导班子会", "chair": SECRETARY}
    )
    meeting = f"meetings/{met}"
    await hold(play, meeting, SECRETARY, (APPROVED, 8), TEAM)
    await line.do(KEEPER, f"{meeting}/adopt-document", {"kind": "examination", "id": paper})
    await close(play, meeting, (APPROVED, 9))
    await line.do(SECRETARY, f"{path}/adopt", {"meeting": met})
    scope = {"scope": "全体党员、各年级和教研组负责人", "replies": len(cast.roster) // 2}
    await line.do(HEADMASTER, f"{path}/consult-on", scope)
    await line.do(SUPERVISOR, f"{path}/review", {"remarks": "问题找得准，回应了群众意见"})


async def _examine_oneself(
    play: Play, who: str, answers: list[str], waiting: list[str], line: Line
) -> None:
    """By one's own hand (R59); one forgets the causes, one is too superficial."""
    whole = _paper(play, who, [*answers, *waiting])
    draft = {**whole, "cause_analysis": None} if who == FORGETFUL else whole
    me = {"campaign": play.campaign, "subject": "person", "person": play.cast.people[who]}
    begun = await line.do(who, "examinations", {**me, **draft})
    path = f"examinations/{begun['id']}"
    if who == FORGETFUL:
        what = "缺少原因分析就提交对照检查材料"
        await line.refused("R60", what, "sections-missing", who, f"{path}/submit")
        await line.do(who, f"{path}/revise", whole)
    if waiting:
        what = "个人问题未认领就提交对照检查材料"
        await line.refused("R33", what, "issues-unclaimed", who, f"{path}/submit")
    for issue in waiting:
        await line.do(who, f"issues/{issue}/claim")
    await line.do(who, f"{path}/submit")
    if who == SUPERFICIAL:
        remarks = "典型事例只有一句，请写清时间、人和事"
        body = {"remarks": remarks, "rewrite_by": play.day(7)}
        await line.do(SUPERVISOR, f"{path}/send-back", body)
        more = f"{PAPER['manifestations']}四是食堂从后门进，看不见学生排队三十四分钟。"
        await line.do(who, f"{path}/revise", {**whole, "manifestations": more})
        await line.do(who, f"{path}/submit")


# -- The democratic life meeting -----------------------------------------------------------------


async def meet(play: Play) -> dict[str, object]:
    """Planned, approved, agreed on; then everybody criticises themselves and each other."""
    plan = {
        "kind": "democratic_life",
        "title": "领导班子专题民主生活会",
        "chair": SECRETARY,
        "programme": "会前征求意见、谈心、撰写材料；会上对照检查、批评和自我批评；会后通报整改",
        "on": play.day(MET),
    }
    met = await plan_meeting(play, plan)
    play.life_meeting, path = met, f"meetings/{met}"
    await _approve(play, path)
    await hold(play, path, SECRETARY, (MET, 14), (*TEAM, SUPERVISOR), absent=ABSENT)
    await _speak(play, path)
    await _resolve(play, met)
    await close(play, path, (MET, 17))
    await _brief(play, met)
    return {"自我批评": len(TEAM), "相互批评": len(_criticisms()), "会前未沟通": 1}


async def plan_meeting(play: Play, plan: dict[str, Any], *, who: str = KEEPER) -> str:
    """Say what people will meet for, where, under whom."""
    people = play.cast.people
    body = {"place": "会议室", **plan, "chair": people[plan["chair"]]}
    return str((await play.line.do(who, "meetings", body))["id"])


async def hold(
    play: Play,
    path: str,
    chair: str,
    when: tuple[int, int],
    present: tuple[str, ...],
    *,
    absent: str = "",
) -> None:
    """Open it, and say who is there."""
    people = play.cast.people
    opened = {
        "began_at": play.moment(*when),
        "chair": people[chair],
        "recorder": people[KEEPER],
    }
    await play.line.do(KEEPER, f"{path}/hold", opened)
    attendees = [{"person": people[who], "attendance": "present"} for who in present]
    if absent:
        away = {"person": people[absent], "attendance": "absent", "excuse": "外出开会"}
        attendees.append(away)
    await play.line.do(KEEPER, f"{path}/record-attendance", {"attendees": attendees})


async def close(play: Play, path: str, when: tuple[int, int]) -> None:
    """It is over, and its minutes are locked."""
    await play.line.do(KEEPER, f"{path}/end", {"ended_at": play.moment(*when)})
    await play.line.do(KEEPER, f"{path}/close-minutes")


async def _approve(play: Play, path: str) -> None:
    """Nothing begins before the supervision group has agreed to plan and date (R66, R67)."""
    line, people = play.line, play.cast.people
    opened = {
        "began_at": play.moment(MET, 14),
        "chair": people[SECRETARY],
        "recorder": people[KEEPER],
    }
    holding, approve = f"{path}/hold", f"{path}/approve-meeting-plan"
    what = "方案未经审核同意就开民主生活会"
    await line.refused("R66", what, "plan-not-approved", KEEPER, holding, opened)
    await line.refused("R66", "学校自己审核会议方案", "not-allowed", SECRETARY, approve)
    at = {"occurred_at": play.moment(APPROVED, 10)}
    await line.do(SUPERVISOR, approve, {"remarks": "同意", **at})
    what = "未商定时间就开民主生活会"
    await line.refused("R67", what, "date-not-agreed", KEEPER, holding, opened)
    await line.do(SUPERVISOR, f"{path}/agree-date", {"on": play.day(MET), **at})


def _criticisms() -> list[tuple[str, str]]:
    """Who criticises whom: both leaders everybody, everybody both leaders, and one member another."""
    leaders = (SECRETARY, HEADMASTER)
    both_ways = [*product(leaders, MEMBERS), *product(MEMBERS, leaders)]
    return [leaders, leaders[::-1], *both_ways, UNTOLD]


async def _speak(play: Play, path: str) -> None:
    """The secretary first for the team, then for himself; then everybody, then each other (R68-R73)."""
    people = play.cast.people
    texts = {
        "team_self_examination": "代表班子作对照检查：会议多、下沉少，师生的小事办得慢",
        "self_criticism": "我分管的工作布置多、回头看少，到年级和宿舍去得少",
        "criticism": "你抓工作急于求成，听不进不同意见，希望多到师生中去",
    }
    own = [("team_self_examination", SECRETARY), *(("self_criticism", who) for who in TEAM)]
    speeches: list[dict[str, Any]] = [{"act": act, "speaker": people[who]} for act, who in own]
    for giver, receiver in _criticisms():
        speech = {"act": "criticism", "speaker": people[giver], "receiver": people[receiver]}
        talk = play.talks.get(frozenset((giver, receiver)))
        if (giver, receiver) == UNTOLD:
            play.untold = str(len(speeches) + 1)
        speeches.append({**speech, "talk": talk} if talk else speech)
    working = play.line.apart()
    record = f"{path}/record-speech"
    for number, speech in enumerate(speeches, 1):
        body = {"number": number, **speech, "text": texts[speech["act"]]}
        await working.do(KEEPER, record, body, aware=False)
    play.line.position = working.position
    absentee = {"number": 99, "act": "criticism", "speaker": people[ABSENT], "text": "说几句"}
    absentee["receiver"] = people[SECRETARY]
    what = "缺席的人提批评意见"
    await play.line.refused("R72", what, "not-attending", KEEPER, record, absentee)
    oneself = {**absentee, "speaker": people[SECRETARY]}
    what = "批评的对象是自己"
    await play.line.refused("R71", what, "criticises-oneself", KEEPER, record, oneself)


async def _resolve(play: Play, met: str) -> None:
    """What came up becomes an issue (R90), and a measure is resolved (R64)."""
    problem = {
        "key": "agenda",
        "title": HEARD,
        "addressee": "team",
        "winds": ["bureaucratism"],
        "topics": ["meeting_style"],
        "discovery": "peer_raised",
    }
    await play.line.do(KEEPER, f"meetings/{met}/raise-problem-at", problem)
    play.raised[HEARD] = ("meeting", met)
    measure = {
        "key": "agenda",
        "text": "议题提前三天发年级组长和教研组长征求意见，临时动议一律不议",
        "owner": play.cast.people["p06"],
        "due_on": play.day(30),
        "deliverable": "议题征求意见表",
    }
    await play.line.do(KEEPER, f"meetings/{met}/resolve-measure", measure)
    await _strike_out(play, met, problem)


async def _strike_out(play: Play, met: str, problem: dict[str, Any]) -> None:
    """What is put right or struck out of the minutes is noted on the ledger; a second person voids it."""
    line, path = play.line, f"meetings/{met}"
    reworded = {**problem, "key_issue": True, "reason": "漏标重点问题"}
    await line.do(KEEPER, f"{path}/correct-meeting-problem", reworded)
    again = {**problem, "key": "agenda-again", "title": TWICE}
    await line.do(KEEPER, f"{path}/raise-problem-at", again)
    struck = {"entry": "problem", "key": "agenda-again", "reason": "重复登记"}
    await line.do(KEEPER, f"{path}/void-meeting-entry", struck)
    await play.settle()
    async for issue in line.all(KEEPER, "issues", source=met):
        if issue["title"] == TWICE:
            await line.do(SECRETARY, f"issues/{issue['id']}/void", {"reason": "重复登记"})


async def _brief(play: Play, met: str) -> None:
    """A briefing needs the supervision group's evaluation, and a principal leader in the chair."""
    line, cast = play.line, play.cast
    told = {"kind": "briefing", "title": "民主生活会情况通报会", "reports_on": met}
    path = f"meetings/{await plan_meeting(play, {**told, 'chair': SECRETARY})}"
    opened = {"began_at": play.moment(BRIEFED, 15), "recorder": cast.people[KEEPER]}
    what, body = "督导组未评价就通报", {**opened, "chair": cast.people[SECRETARY]}
    await line.refused("R76", what, "not-appraised-yet", KEEPER, f"{path}/hold", body)
    evaluation = {
        "grade": "good",
        "text": PARTS["supervision_evaluation"],
        "occurred_at": play.moment(BRIEFED, 9),
    }
    await line.do(SUPERVISOR, f"meetings/{met}/appraise", evaluation)
    what, body = "由一般班子成员主持通报会", {**opened, "chair": cast.people[MEMBERS[0]]}
    expected = "chair-not-a-principal-leader"
    await line.refused("R75", what, expected, KEEPER, f"{path}/hold", body)
    invited = [p.key for p in cast.roster if {*AT_THE_BRIEFING} & {*p.posts}]
    await hold(play, path, SECRETARY, (BRIEFED, 15), (*TEAM, *invited))
    for part, text in PARTS.items():
        await line.do(KEEPER, f"{path}/report-briefing-part", {"part": part, "text": text})
    await close(play, path, (BRIEFED, 16))
