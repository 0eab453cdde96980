"""Act seven: heart-to-heart talks, two by two; who asks for one gets one; what comes up becomes an issue."""

from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

from services.demo.cast import HEADMASTER, SECRETARY, TEAM
from services.demo.door import Line, side_by_side
from services.demo.stage import Play

NOT_ALONE = ("p06", "p07")
"""Two of the team who talked in a group only: that does not count (R47)."""
HURRIED = ("p02", "p05")
"""Whose talk was too short (R52)."""
DISPUTED = ("p03", "p04")
"""Whose talk one of them disputes; it is put right by a correction, and confirmed."""
BRANCHES = (("p18", "p32"), ("p19", "p35"), ("p20", "p34"))
"""Who leads a branch, with a member of it: they take the lead (R55, R56)."""
ASKER, TURNED_DOWN = "p41", "p57"
"""Who asks for a talk: one gets it, the other an answer (R49)."""
MINUTES, HURRY = 45, 15
EARLIEST, FIRST, TOGETHER, ASKED = -16, -12, -6, -5
"""Days: who leads talks first, then the team two by two, in a group, with whoever asks."""
A_DAY = 4  # talks
HOURS = (8, 10, 14, 16)

HEARD = "值周教师早晚到岗没有补休，名册上也看不出来"
"""What comes up in a talk and becomes an issue."""

type Pair = tuple[str, str]


@dataclass(frozen=True)
class Said:
    """What the two say to each other, both ways."""

    opinion: str
    suggestion: str
    strength: str
    shortcoming: str
    own: str
    criticism: str


WORDS = (
    Said(
        "大家反映我下年级少", "每周固定半天在年级办公", "作风正派，肯担担子",
        "布置多，回头看少", "我抓落实也不够细", "工作停在会上，下年级少",
    ),
    Said(
        "老师说找我签字难", "签字事项公开时限", "业务熟，办事公道",
        "性子急，听不进不同意见", "我也常常不等人把话说完", "听意见不耐心，有时当众批评人",
    ),
    Said(
        "说我报喜不报忧", "例会先讲问题再讲成绩", "团结同志，乐于补台",
        "怕得罪人，该说的不说", "我同样有好人思想", "对分管部门的问题护短，批评不及时",
    ),
)  # fmt: skip


async def talk(play: Play) -> dict[str, object]:
    """Those who lead talk first, then the team two by two; one pair only meets in a group."""
    cast = play.cast
    heads = [p.key for p in cast.roster if "department_head" in p.posts]
    leading = [*BRANCHES, *((cast.overseer(_department(play, head)), head) for head in heads)]
    team = [pair for pair in combinations(TEAM, 2) if pair != NOT_ALONE]
    begun = dict.fromkeys(leading, (EARLIEST, HOURS[0])) | {
        pair: (FIRST + n // A_DAY, HOURS[n % A_DAY]) for n, pair in enumerate(team)
    }
    begun[_finance(play)] = (EARLIEST, HOURS[1])
    work = [partial(_talk, play, pair, n, when) for n, (pair, when) in enumerate(begun.items())]
    talks = await side_by_side(play.line, work)
    play.talks = {frozenset(pair): id_ for pair, id_ in zip(begun, talks, strict=True)}
    await _talk_in_a_group(play)
    await _be_asked(play)
    await _try_what_must_not_work(play)
    return {
        "一对一谈心": len(talks) + 1,
        "集体谈心": "1 次(不计入逐一)",
        "约谈": "2 次，同意 1 次、说明原因 1 次",
        "异议": "1 次，更正后确认",
    }


def _department(play: Play, head: str) -> str:
    return next(p.department for p in play.cast.roster if p.key == head)


def _finance(play: Play) -> Pair:
    """Their overseer has two departments, and one talk at a time."""
    return play.cast.overseer("finance"), play.cast.head("finance")


async def _talk(play: Play, pair: Pair, n: int, when: tuple[int, int], line: Line) -> str:
    """Two talk; one of them puts it on record, both confirm. The two principal leaders had arranged it."""
    one, other = pair
    told = _told(play, pair, n, when)
    if pair == (SECRETARY, HEADMASTER):
        plan = {name: told[name] for name in ("kind", "parties", "place")}
        arranged = await line.do(one, "talks", {**plan, "planned_at": told["begun_at"]})
        held = arranged["id"]
        await line.do(one, f"talks/{held}/hold", told)
    else:
        held = (await line.do(one, "talks/record", told))["id"]
    path = f"talks/{held}"
    if pair == DISPUTED:
        reason = "地点和我提的意见记得不对，请更正"
        await line.do(other, f"{path}/dispute", {"reason": reason})
        again = {**told, "place": "教务处小会议室", "reason": "按对方意见更正地点和内容"}
        await line.do(one, f"{path}/correct", again)
    for party in pair:
        await line.do(party, f"{path}/confirm")
    return str(held)


def _told(play: Play, pair: Pair, n: int, when: tuple[int, int]) -> dict[str, Any]:
    """What is put on record of a talk between two."""
    people, said = play.cast.people, WORDS[n % len(WORDS)]
    day, hour = when
    both = [people[who] for who in pair]
    side = {
        "asked_about_me": True,
        "opinion_about_me": said.opinion,
        "suggestions_to_me": said.suggestion,
        "strengths": said.strength,
        "shortcomings": said.shortcoming,
        "own_problems": said.own,
    }
    return {
        "kind": "one_by_one",
        "parties": both,
        "place": "小会议室",
        "begun_at": play.moment(day, hour),
        "ended_at": play.moment(day, hour, HURRY if pair == HURRIED else MINUTES),
        "sides": [{"party": party, **side} for party in both],
        "communicated": [
            {"giver": giver, "receiver": receiver, "criticism": said.criticism}
            for giver, receiver in (both, both[::-1])
        ],
    }


async def _talk_in_a_group(play: Play) -> None:
    """Three talk together, two of whom never do so one by one (R47)."""
    parties = (TEAM[4], *NOT_ALONE)
    told = {
        "kind": "group",
        "parties": [play.cast.people[who] for who in parties],
        "place": "工会活动室",
        "begun_at": play.moment(TOGETHER, HOURS[0]),
        "ended_at": play.moment(TOGETHER, HOURS[0], MINUTES),
    }
    held = await play.line.do(parties[0], "talks/record", told)
    for party in parties:
        await play.line.do(party, f"talks/{held['id']}/confirm")


async def _be_asked(play: Play) -> None:
    """Whoever asks is answered (R49); what one of them says becomes an issue."""
    line, people = play.line, play.cast.people
    wish = {"asked": people[SECRETARY], "about": "想当面说说值周的事"}
    request = (await line.do(ASKER, "talk-requests", wish))["id"]
    await line.do(SECRETARY, f"talk-requests/{request}/accept", {"remarks": "下午来我办公室"})
    told = _told(play, (ASKER, SECRETARY), 0, (ASKED, HOURS[2]))
    held = await line.do(SECRETARY, "talks/record", {**told, "request": request})
    path = f"talks/{held['id']}"
    for party in (SECRETARY, ASKER):
        await line.do(party, f"{path}/confirm")
    problem = {
        "key": "duty",
        "title": HEARD,
        "addressee": "team",
        "winds": ["bureaucratism"],
        "topics": ["personnel"],
        "discovery": "raised_by_public",
    }
    await line.do(SECRETARY, f"{path}/raise-problem", problem)
    play.raised[HEARD] = ("talk", held["id"])
    other = {"asked": people[HEADMASTER], "about": "个人职称申诉"}
    turned_down = (await line.do(TURNED_DOWN, "talk-requests", other))["id"]
    reason = {"reason": "申诉期间不单独谈，请先向评审组递交材料"}
    await line.do(HEADMASTER, f"talk-requests/{turned_down}/refuse", reason)


# -- What must not work --------------------------------------------------------------------------


async def _try_what_must_not_work(play: Play) -> None:
    people, pair = play.cast.people, (SECRETARY, HEADMASTER)
    told = _told(play, pair, 0, (ASKED, HOURS[3]))
    alone = {**told, "parties": [people[SECRETARY]] * 2}
    backwards = {**told, "ended_at": told["begun_at"], "begun_at": told["ended_at"]}
    to_come = {**told, "ended_at": play.moment(1, HOURS[3])}
    three = {**told, "parties": [*told["parties"], people[TEAM[2]]]}
    known = f"talks/{play.talks[frozenset(pair)]}"
    correction = {**told, "reason": "想改一改"}
    for rule, what, expected, who, path, body in (
        ("R46", "三个人算作逐一谈心", "two-to-a-talk", SECRETARY, "talks/record", three),
        ("R46", "和自己谈心", "talking-with-oneself", SECRETARY, "talks/record", alone),
        ("R52", "结束早于开始", "ends-before-it-begins", SECRETARY, "talks/record", backwards),
        ("R52", "登记还没谈的谈话", "occurred-in-the-future", SECRETARY, "talks/record", to_come),
        ("R46", "替别人确认谈话", "not-a-party-to-the-talk", "p40", f"{known}/confirm", {}),
        ("R46", "双方确认后又改", "confirmed-by-all", SECRETARY, f"{known}/correct", correction),
    ):
        await play.line.refused(rule, what, expected, who, path, body)
