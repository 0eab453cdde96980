"""Acts four and five: everybody speaks, and everything said goes into an issue or is refused."""

import asyncio
from collections import Counter, defaultdict
from functools import partial
from itertools import batched, cycle, pairwise
from typing import Any

import httpx

from services.demo.cast import (
    CHANNELS,
    CLERKS,
    EARLY,
    HEADMASTER,
    SECRETARY,
    TEACHERS,
    WITHDRAWN,
    Saying,
)
from services.demo.door import Line, Unexpected, side_by_side
from services.demo.lives import HERO, Voice
from services.demo.stage import PATIENCE, Heard, Play

BATCH = 2_000  # opinions one collation takes
MEMBER = "p03"  # a team member who asks in her own name, and has something to claim
UNFIT = frozenset({httpx.codes.UNPROCESSABLE_ENTITY, httpx.codes.REQUEST_ENTITY_TOO_LARGE})

WHY = {
    "no_request": "感谢或表态，没有具体诉求",
    "out_of_scope": "不属于学校职责范围，已告知反映途径",
    "unintelligible": "看不出所指何事，请补充后再提",
    "abusive": "仅有谩骂，没有可核实的内容",
}
SPLITS = {"o057": (("另外",), "canteen-food"), "o254": (("我还想补一句", "所以我不觉得"), None)}
"""Where two opinions are cut: the second piece goes to another theme, or is set aside."""

type Part = dict[str, Any]


# -- Listening -----------------------------------------------------------------------------------


async def listen(play: Play) -> dict[str, object]:
    """The organisation asks once; everybody speaks, by every channel, some without a name."""
    await _solicit(play)
    unfit = await _hear(play)
    await _converse(play)
    said = [saying async for saying in play.line.all(CLERKS[0], "opinions")]
    nameless = [opinion for opinion in said if opinion["anonymous"]]
    channels = Counter(str(opinion["channel"]) for opinion in said)
    play.result.opinions = {
        "given": len(play.sayings),
        "recorded": len(said),
        "unfit": dict(unfit),
        "anonymous": len(nameless),
        "written_down_by_clerks": sum(opinion["recorded_by_clerk"] for opinion in said),
        "by_channel": dict(channels),
        "nameless": not any(o["submitted_by"] or o["voiced_by"] for o in nameless),
    }
    return {
        "入账": len(said),
        "匿名": len(nameless),
        "渠道": len(channels),
        "不合要求未收": unfit.total(),
    }


async def _solicit(play: Play) -> None:
    """The organisation asks once (R32), members in their own name only (R34)."""
    line = play.line
    asking = {
        "in_name_of": "organisation",
        "campaign": play.campaign,
        "subject": "four_winds",
        "scope": "全校教职工、学生和家长代表、退休教职工、社区",
        "channels": CHANNELS,
        "opens_on": play.day(-20),
        "closes_on": play.day(30),
    }
    play.solicitation = (await line.do(CLERKS[0], "solicitations", asking))["id"]
    again, own = {**asking, "scope": "全校"}, {**asking, "subject": "teaching"}
    for rule, what, expected, who, body in (
        ("R32", "以组织名义重复征求意见", "already-solicited", HEADMASTER, again),
        ("R34", "班子成员以组织名义征求意见", "not-the-organisation", MEMBER, own),
    ):
        await line.refused(rule, what, expected, who, "solicitations", body)
    await line.do(MEMBER, "solicitations", {**own, "in_name_of": "individual"})


async def _hear(play: Play) -> Counter[str]:
    """Let everybody speak and wait until the log has it all; gives what could not be taken, by code."""
    speakers = {"account": cycle(TEACHERS), "clerk": cycle(CLERKS)}
    work = [
        partial(_say, play, saying, next(speakers[saying.way]) if saying.way in speakers else None)
        for saying in play.sayings
    ]
    outcomes = await side_by_side(play.line, work)
    play.heard = [outcome for outcome in outcomes if isinstance(outcome, Heard)]
    if not any(heard.voice for heard in play.heard):
        msg = "没有一条意见可用"
        raise Unexpected(msg)
    await _until_the_box_is_empty(play)
    return Counter(outcome for outcome in outcomes if isinstance(outcome, str))


async def _say(play: Play, saying: Saying, who: str | None, line: Line) -> Heard | str:
    """Say one thing; what cannot be taken is answered with a code."""
    body: dict[str, Any] = {
        "verbatim_text": saying.text,
        "channel": saying.channel,
        "solicitation": play.solicitation,
        **_target(play, saying),
    }
    if saying.channel == "other":
        body["channel_text"] = "校务公开邮箱"
    if saying.channel == "symposium":
        body["sitting"] = "征求意见座谈会"
    if saying.way == "clerk":
        body |= {"recorded_by_clerk": True, "voiced_by": f"发言人{saying.key}"}
    answer = await line.ask(who, "POST", "opinions", json=body)
    told = answer.json()
    if answer.status_code in UNFIT:
        return str(told["code"])
    if not answer.is_success:
        msg = f"{saying.key}: {answer.text[:300]}"
        raise Unexpected(msg)
    match saying.way:
        case "account":
            return Heard(saying, told["id"], Voice(account=who or ""))
        case "anonymous":
            return Heard(saying, told["id"], Voice(code=told["receipt"]))
        case "clerk":
            return Heard(saying, told["id"], None)


def _target(play: Play, saying: Saying) -> dict[str, str]:
    """Whom it is about: the member, department or branch by its id."""
    cast = play.cast
    matter = play.matters.get(saying.theme)
    department = matter.department if matter else "union"
    match saying.target:
        case "member":
            target = cast.people[cast.overseer(department)]
        case "department":
            target = cast.units[department]
        case "branch":
            target = cast.units["liberal"]
        case _:
            return {"target_kind": saying.target}
    return {"target_kind": saying.target, "target": target}


async def _until_the_box_is_empty(play: Play) -> None:
    """Wait until what was said without a name has come into the log."""
    wanted = sum(heard.saying.way == "anonymous" for heard in play.heard)
    found, after = 0, 0
    async with asyncio.timeout(PATIENCE):
        while found < wanted:
            page = await play.line.see(
                CLERKS[0], "opinions", anonymous="true", after=after, limit=200
            )
            found += len(page["items"])
            if page["items"]:
                after = page["items"][-1]["opened"]
            else:
                await asyncio.sleep(0.1)


async def _converse(play: Play) -> None:
    """Somebody without a name is answered, and answers, by nothing but the receipt code."""
    nameless = [heard for heard in play.heard if heard.voice and heard.voice.code]
    if not nameless:
        return
    one = next((heard for heard in nameless if heard.saying.theme == HERO), nameless[0])
    line, path = play.line, f"opinions/{one.id}"
    question = {"code": one.voice.code if one.voice else "", "text": "请问什么时候能有结果？"}
    await line.do(CLERKS[0], f"{path}/acknowledge", {"text": "已收到，正在了解情况"})
    await line.do(None, "receipts/send-message", question)
    await line.do(CLERKS[0], f"{path}/send-message", {"text": "本周内答复，请凭回执码查看"})
    what, words = "修改意见原文(没有这样的命令)", {"verbatim_text": "一切都好"}
    await line.refused("R36", what, "not-found", CLERKS[0], f"{path}/edit", words)


# -- Collating -----------------------------------------------------------------------------------


async def collate(play: Play) -> dict[str, object]:
    """Every opinion goes into an issue or is refused with a reason; only then the batch closes."""
    groups = grouped(play)
    similar = 0
    for batch in batched(play.heard, BATCH):
        mine = {heard.id for heard in batch}
        parts = {t: [p for p in some if p["opinion"] in mine] for t, some in groups.items()}
        similar += await _collate(play, batch, {t: some for t, some in parts.items() if some})
    await play.settle()
    batches = [await play.line.see(CLERKS[0], f"collations/{c}") for c in play.collations]
    balance = play.result.balance = {
        name: sum(batch[name] for batch in batches)
        for name in ("received", "grouped", "refused", "left")
    }
    await _report(play)
    part = next(iter(groups.values()))[0]
    what, body = "已归入问题的意见又不受理", {"code": "other", "reason": "再想想"}
    path = f"opinions/{part['opinion']}/refuse"
    await play.line.refused("R38", what, "already-collated", CLERKS[1], path, body)
    return {
        "收到": balance["received"],
        "归入问题": balance["grouped"],
        "不受理或已撤回": balance["refused"],
        "未着落": balance["left"],
        "相近意见提示": f"{similar} 对",
    }


def grouped(play: Play) -> dict[str, list[Part]]:
    """Which parts make up which theme; texts from elsewhere go to the themes in turn.

    Of these, those whose originators can come back go first, so that every issue has one; where
    there are too few, one speaks of several issues.
    """
    groups: dict[str, list[Part]] = defaultdict(list)
    if play.invented:
        for heard in play.heard:
            for theme, part in _pieces(heard):
                groups[theme].append(part)
        return groups
    themes = list(play.matters)
    speakers = [heard.id for heard in play.heard if heard.voice]
    others = [heard.id for heard in play.heard if not heard.voice]
    enough = max(len(speakers), len(themes))
    for opinions in ([speakers[n % len(speakers)] for n in range(enough)], others):
        for n, opinion in enumerate(opinions):
            groups[themes[n % len(themes)]].append({"opinion": opinion})
    return groups


def _pieces(heard: Heard) -> list[tuple[str, Part]]:
    """The parts of an opinion that belong to issues, each with its theme."""
    theme = heard.saying.theme
    cuts, elsewhere = _cuts(heard.saying)
    if not cuts:
        return [(theme, {"opinion": heard.id})] if theme else []
    borders = pairwise((0, *cuts, len(heard.saying.text)))
    spans = [{"opinion": heard.id, "start": start, "end": end} for start, end in borders]
    themes = (theme, elsewhere, theme)
    return [(t, span) for t, span in zip(themes, spans, strict=False) if t]


def _cuts(saying: Saying) -> tuple[list[int], str | None]:
    markers, elsewhere = SPLITS.get(saying.key, ((), None))
    return [saying.text.index(marker) for marker in markers], elsewhere


async def _collate(play: Play, batch: tuple[Heard, ...], groups: dict[str, list[Part]]) -> int:
    """One batch from opening to closing; gives how many pairs were found to be alike."""
    line, clerk = play.line, CLERKS[0]
    opened = await line.do(clerk, "collations", {"opinions": [heard.id for heard in batch]})
    path = f"collations/{opened['id']}"
    play.collations.append(opened["id"])
    if not play.early:
        await _open_early(play)
    hints = await line.see(clerk, f"{path}/suggestions", at_least=0.5, limit=500)
    await side_by_side(line, [partial(_leave_out, heard) for heard in batch])
    for heard in batch:
        await _split(line, heard, path)
    what = "还有意见未归并就结束梳理"
    await line.refused("R38", what, "unbalanced-collation", clerk, f"{path}/close")
    working = line.apart()
    for theme, parts in groups.items():
        group = _group(play, theme, parts)
        await working.do(clerk, f"{path}/group-opinions", group, aware=False)
    await working.do(clerk, f"{path}/close")
    line.position = working.position
    return len(hints["pairs"]) + int(hints["left_out"])


async def _leave_out(heard: Heard, line: Line) -> None:
    """Refuse what is no matter for an issue, with the reason; one is taken back."""
    if code := heard.saying.refusal:
        body = {"code": code, "reason": WHY[code]}
        await line.do(CLERKS[1], f"opinions/{heard.id}/refuse", body)
    elif heard.saying.key == WITHDRAWN and heard.voice:
        await line.do(None, "receipts/withdraw", {"code": heard.voice.code})


async def _split(line: Line, heard: Heard, path: str) -> None:
    """Cut a text in pieces; one that asks for nothing is set aside."""
    cuts, elsewhere = _cuts(heard.saying)
    if not cuts:
        return
    await line.do(CLERKS[0], f"{path}/split-opinion", {"opinion": heard.id, "cuts": cuts})
    if elsewhere is None:
        part = {"opinion": heard.id, "start": cuts[0], "end": cuts[1]}
        aside = {"part": part, "code": "no_request", "reason": "对食堂师傅的肯定，已转达"}
        await line.do(CLERKS[0], f"{path}/set-part-aside", aside)


def _group(play: Play, theme: str, parts: list[Part]) -> dict[str, Any]:
    """What a theme's opinions amount to."""
    matter = play.matters[theme]
    overseer = play.cast.people[play.cast.overseer(matter.department)]
    return {
        "key": theme,
        "title": matter.title,
        "parts": parts,
        "addressee": matter.addressee,
        "person": overseer if matter.addressee == "member" else None,
        "winds": matter.winds,
        "not_four_winds": not matter.winds,
        "topics": matter.topics,
        "discovery": matter.discovery,
        "key_issue": matter.key_issue,
        "strongly_reflected": matter.strongly_reflected,
    }


async def _open_early(play: Play) -> None:
    """Things are put right from the first day on (R04), but personal issues wait for the balance (R33)."""
    body = {
        "title": EARLY.title,
        "addressee": EARLY.addressee,
        "person": play.cast.people[MEMBER],
        "winds": EARLY.winds,
        "topics": EARLY.topics,
        "discovery": EARLY.discovery,
        "sources": [{"kind": "collation", "id": play.collations[0]}],
    }
    play.early = (await play.line.do(CLERKS[0], "issues", body))["id"]
    what, path = "梳理未结束就认领个人问题", f"issues/{play.early}/claim"
    await play.line.refused("R33", what, "collation-still-open", MEMBER, path)


async def _report(play: Play) -> None:
    """The thematic report names every opinion (R37)."""
    body = {
        "solicitation": play.solicitation,
        "responsibility": "主要领导负总责，分管领导各负其责",
        "thinking": "先办师生反映最集中的食堂、热水、作业和填表负担",
        "measures": "列入整改台账，解决一个销号一个",
    }
    await play.line.do(SECRETARY, "reports", body)
