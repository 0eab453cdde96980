"""Act ten: a branch meets, appraises its members, and votes in secret with slips drawn by hand."""

from functools import partial
from typing import Any

from services.demo.cast import SECRETARY, SUPERVISORS
from services.demo.door import Line, side_by_side
from services.demo.meeting import close, hold, plan_meeting
from services.demo.stage import Play

BRANCH, HEAD = "support", "p20"
MODEL, ORDINARY = "p34", "p42"
"""Who is recommended (R85), and who cannot be."""
ABSENT, FAILED = "p48", "p58"
"""Who missed the meeting and made up for it (R79); who is found unqualified (R86)."""
MET = -1
GRADES = {MODEL: "excellent", FAILED: "unqualified"}
"""What is not simply `qualified`."""

SELF = {
    "thought": "拥护各项决定，理论学习不够经常",
    "work": "服务一线及时，登记不够规范",
    "study": "读完学习目录，联系实际不够",
    "understanding": "后勤就是服务师生",
    "attitude": "有时嫌事情琐碎，态度生硬",
    "action": "报修当日回话，坚持了六周",
}
"""A personal summary: three parts, and three on serving the masses (R82)."""


async def appraise(play: Play) -> dict[str, object]:
    """The branch's meeting, then self, mutual, ballot, result, comment; what follows from the grade."""
    members = [p.key for p in play.cast.roster if p.branch == BRANCH and "party_member" in p.posts]
    met = await _meet(play, members)
    body = {"campaign": play.campaign, "branch": play.cast.units[BRANCH], "on": play.day(MET)}
    opened = await play.line.do(HEAD, "appraisals", {**body, "meeting": met})
    path = f"appraisals/{opened['id']}"
    ring = zip(members, [*members[1:], members[0]], strict=True)
    others = [member for member in members if member != HEAD]
    await side_by_side(
        play.line,
        [
            *(partial(_sum_up, path, who) for who in members),
            *(partial(_appraise, play, path, giver, member) for giver, member in ring),
            *(partial(_comment, play, path, member) for member in others),
        ],
    )
    await _vote(play, opened["id"], members)
    await _decide(play, path, members)
    ballot = play.result.ballot
    return {
        "参会": len(members) - 1,
        "补课": 1,
        "参评": len(members),
        "开箱选票": ballot["counted"],
    }


# -- The meeting ---------------------------------------------------------------------------------


async def _meet(play: Play, members: list[str]) -> str:
    """The secretary criticises herself first (R80), everybody criticises her (R81), measures follow (R78)."""
    line, people = play.line, play.cast.people
    plan = {"kind": "organisational_life", "title": "行政后勤党支部专题组织生活会", "chair": HEAD}
    met = await plan_meeting(play, {**plan, "branch": play.cast.units[BRANCH]}, who=HEAD)
    path = f"meetings/{met}"
    there = [HEAD, *(who for who in members if who not in {HEAD, ABSENT})]
    await hold(play, path, HEAD, (MET, 8), tuple(there), absent=ABSENT)
    speeches: list[dict[str, Any]] = [
        {"act": "self_criticism", "speaker": people[who], "text": SELF["attitude"]} for who in there
    ] + [
        {
            "act": "criticism",
            "speaker": people[who],
            "receiver": people[HEAD],
            "text": "抓学习前紧后松，对后勤人员关心不够",
        }
        for who in there[1:]
    ]
    working = line.apart()
    for number, speech in enumerate(speeches, 1):
        body = {"number": number, **speech}
        await working.do(HEAD, f"{path}/record-speech", body, aware=False)
    line.position = working.position
    measure = {
        "key": "counter",
        "text": "一站式领用，当面办结",
        "owner": people[HEAD],
        "due_on": play.day(20),
        "deliverable": "领用登记和月度公示",
    }
    await line.do(HEAD, f"{path}/resolve-measure", measure)
    await close(play, path, (MET, 10))
    made_up = {"person": people[ABSENT], "by_what": "书记当面传达，本人作自我批评"}
    at = play.moment(MET, 11)
    await line.do(HEAD, f"{path}/make-up-absence", {**made_up, "occurred_at": at})
    words = {"grade": "good", "text": "见人见事，措施具体", "occurred_at": at}
    await line.do(SUPERVISORS[2], f"{path}/appraise", words)
    return met


# -- Self and mutual -----------------------------------------------------------------------------


async def _sum_up(path: str, who: str, line: Line) -> None:
    await line.do(who, f"{path}/write-self", SELF)


async def _appraise(play: Play, path: str, giver: str, member: str, line: Line) -> None:
    body = {"member": play.cast.people[member], "text": "肯干，办事公道；登记不细"}
    await line.do(giver, f"{path}/appraise-member", body)


async def _comment(play: Play, path: str, member: str, line: Line) -> None:
    body = {"member": play.cast.people[member], "text": "能吃苦，希望多到年级听意见"}
    await line.do(HEAD, f"{path}/comment-on-member", body)


# -- The ballot ----------------------------------------------------------------------------------


async def _vote(play: Play, appraisal: str, members: list[str]) -> None:
    """Slips are printed and drawn; whoever has one casts it without login; the box is opened once."""
    line, people, path = play.line, play.cast.people, f"appraisals/{appraisal}"
    early = {"member": people[MODEL], "grade": "excellent"}
    what = "未投票就确定等次"
    await line.refused("R84", what, "ballot-not-counted", HEAD, f"{path}/record-result", early)
    printed = await line.do(HEAD, f"{path}/open-ballot")
    slips = printed["slips"]
    marks = [{"member": people[m], "grade": GRADES.get(m, "qualified")} for m in members]
    ballots = [{"appraisal": appraisal, "code": slip["code"], "marks": marks} for slip in slips]
    await side_by_side(line, [partial(_cast, ballot) for ballot in ballots])
    another = {**marks[0], "grade": "excellent"}
    code = "0000-0000-0000-0000"
    for what, expected, body in (
        ("同一选票改投", "already-cast", {**ballots[0], "marks": [another]}),
        ("没有这张选票", "unknown-code", {**ballots[0], "code": code}),
        (
            "选票上写别的等次",
            "not-on-the-scale",
            {**ballots[0], "marks": [{**another, "grade": "good"}]},
        ),
    ):
        await line.refused("选票", what, expected, None, "ballots/cast", body)
    await line.do(HEAD, f"{path}/close-ballot")
    what = "截止后投票"
    await line.refused("选票", what, "ballot-closed", None, "ballots/cast", ballots[0])
    mine = {name: ballots[0][name] for name in ("appraisal", "code")}
    found = await line.do(None, "ballots/find", mine)
    opened = await line.see(HEAD, f"{path}/ballots", limit=100)
    hashes = [slip["hash"] for slip in slips]
    play.result.ballot = {
        "printed": len(slips),
        "counted": opened["total"],
        "announced": {one["code_hash"] for one in opened["items"]} <= {*hashes},
        "found": found["counted"] and found["marks"] == sorted(marks, key=lambda m: m["member"]),
    }


async def _cast(ballot: dict[str, Any], line: Line) -> None:
    await line.do(None, "ballots/cast", ballot, aware=False)


# -- What follows --------------------------------------------------------------------------------


async def _decide(play: Play, path: str, members: list[str]) -> None:
    """Results; a recommendation for the best grade only (R85); what an unqualified result asks for (R86)."""
    line, people = play.line, play.cast.people
    working = line.apart()
    for member in members:
        who = SECRETARY if member == HEAD else HEAD
        body = {"member": people[member], "grade": GRADES.get(member, "qualified")}
        await working.do(who, f"{path}/record-result", body, aware=False)
    line.position = working.position
    text = {"text": "连续三年主动承担夜间抢修"}
    what, ordinary = "推荐合格等次的党员", {"member": people[ORDINARY], **text}
    await line.refused("R85", what, "not-a-model", HEAD, f"{path}/recommend-member", ordinary)
    await line.do(HEAD, f"{path}/recommend-member", {"member": people[MODEL], **text})
    failed = {"member": people[FAILED]}
    talked = {**failed, "text": "书记当面批评教育，本人承认长期不参加活动"}
    await line.do(HEAD, f"{path}/educate-member", talked)
    disposed = {**failed, "disposition": "time_limited_correction", "text": "限期半年改正"}
    await line.do(HEAD, f"{path}/dispose-member", disposed)
