"""The last acts: bad knocks at the door, one issue's life, the whole log folded afresh, and the checks."""

from collections import Counter
from typing import Any

from services.audit.verify import verified
from services.demo.cast import CHANNELS, CLERKS, REFUSED, SECRETARY, TEACHERS
from services.demo.door import Unexpected
from services.demo.lives import HERO
from services.demo.rectifying import RUNGS
from services.demo.stage import Play
from services.demo.telling import Check
from services.rectification.events import IssueEvent
from services.stack import compared
from shared.replay import Comparison, whole_log

PEOPLE, BRANCHES, ISSUES = 60, 3, 40
"""What a school of this size has at least (branches: exactly)."""
RULES = 88
"""What the plan has."""
TRIED = {"HARD", "GATE"}
KINDS = {*TRIED, "COVER", "WARN", "JUDGE", "POLICY"}
"""Kinds of rules: the first two refuse, the others show what is missing."""
SPOKEN, JUDGED = "feedback.opinion.submitted.v1", "rectification.issue.verdict-recorded.v1"
LONGEST = 20_000  # characters of an opinion
LARGEST = 1024 * 1024  # bytes of a request


# -- At the door ---------------------------------------------------------------------------------


async def knock_wrongly(play: Play) -> dict[str, object]:
    """Try the door with bad tokens, bad requests and old knowledge."""
    await _with_bad_tokens(play)
    await _with_old_knowledge(play)
    await _with_bad_requests(play)
    return {"故意触发的拒绝": len(play.line.door.refusals)}


async def _with_bad_tokens(play: Play) -> None:
    cast, issuer = play.cast, play.cast.issuer
    subject = cast.subject(TEACHERS[0])
    good = issuer.token(subject, lifetime=60)
    cast.tokens |= {
        "expired": issuer.token(subject, lifetime=-60),
        "foreign": issuer.token(subject, school="another-school", lifetime=60),
        "stranger": issuer.token("nobody-knows", lifetime=60),
        "forged": f"{good[:-8]}AAAAAAAA",
    }
    for who, what, expected in (
        (None, "没有凭证", "unauthenticated"),
        ("expired", "凭证已过期", "unauthenticated"),
        ("forged", "伪造的凭证", "unauthenticated"),
        ("foreign", "别校的凭证", "foreign-school"),
        ("stranger", "没有账号的人", "unknown-person"),
    ):
        await play.line.refused("凭证", what, expected, who, "issues", method="GET")
    what, code = "错误的回执码", {"code": "0000 0000 0000 0000"}
    await play.line.refused("凭证", what, "unknown-receipt", None, "receipts", code)


async def _with_old_knowledge(play: Play) -> None:
    """The same key gives the same answer; another body under it, or an old version, is refused."""
    life = play.lives["uniforms"]
    path, said, other = f"issues/{life.id}/report-progress", "三家样品已到", "下周再比选"
    key = {"Idempotency-Key": f"{play.cast.school}-progress"}
    told = []
    for _ in range(2):
        answer = await play.line.ask(life.worker, "POST", path, headers=key, json={"text": said})
        if not answer.is_success:
            raise Unexpected(answer.text[:300])
        told.append(answer.json())
    same = {**told[0], "repeated": True} == told[1]
    play.result.checks.append(Check("重复提交得到同一结果", same, f"位置 {told[1]['position']}"))
    for rule, what, expected, headers in (
        ("幂等键", "同一幂等键提交别的内容", "key-reused", key),
        ("版本", "If-Match 是旧版本", "version-mismatch", {"If-Match": '"1"'}),
    ):
        body = {"text": other}
        await play.line.refused(rule, what, expected, life.worker, path, body, headers=headers)


async def _with_bad_requests(play: Play) -> None:
    line, teacher = play.line, TEACHERS[0]
    opinion = {"verbatim_text": "操场的灯坏了", "channel": "wechat"}
    for what, expected, body in (
        ("空白意见", "invalid", {**opinion, "verbatim_text": " \u3000\n"}),
        ("意见超过两万字", "invalid", {**opinion, "verbatim_text": "长" * (LONGEST + 1)}),
        ("内容超过一兆字节", "too-large", {**opinion, "verbatim_text": "长" * LARGEST}),
        ("多出未知字段", "invalid", {**opinion, "by": SECRETARY}),
    ):
        await line.refused("格式", what, expected, teacher, "opinions", body)
    await line.refused("格式", "不是 JSON", "malformed", teacher, "opinions", content=b"{")
    path = "issues/no-such-issue/claim"
    await line.refused("", "不存在的问题", "not-found", SECRETARY, path)


# -- Looking back --------------------------------------------------------------------------------


async def look_and_replay(play: Play) -> dict[str, object]:
    """Read one issue's life; fold the whole log afresh and compare it with what people are shown."""
    await play.settle()
    await _trace_what_was_raised(play)
    hero, result = play.lives[HERO], play.result
    told = play.line.all(CLERKS[0], f"issues/{hero.id}/biography")
    events = [{**event, "name": play.cast.named(event["actor"])} async for event in told]
    result.biography = {"id": hero.id, "title": hero.matter.title, "events": events}
    result.unheard = len([opinion async for opinion in play.line.all(CLERKS[0], "unheard")])
    report = await verified(play.product.settings)
    comparison = await _compared(play)
    result.log, result.comparison = report.as_data(), comparison.as_data()
    broker = play.product.runtimes["feedback"].broker
    mine = [r.type async for r in whole_log(broker) if r.school == play.cast.school]
    result.events = Counter(mine)
    return {
        "重放事件": report.events,
        "事件流": report.streams,
        "比对文档": comparison.documents,
        "不一致": len(comparison.differences) + report.counts.total(),
    }


async def _trace_what_was_raised(play: Play) -> None:
    """Find the issues of problems that did not come from opinions, each with where it came from."""
    async for issue in play.line.all(CLERKS[0], "issues"):
        sources = {(source["kind"], source["id"]) for source in issue["sources"]}
        if play.raised.get(issue["title"]) in sources:
            play.result.traced.append(issue["title"])


async def _compared(play: Play) -> Comparison:
    """The comparison on a quiet log; again if somebody wrote meanwhile."""
    runtime = play.product.runtimes["feedback"]
    while True:
        before = play.line.position
        comparison = await compared(play.product.settings, runtime.mongo)
        await play.settle()
        if comparison.good or play.line.position == before:
            return comparison


# -- Checks --------------------------------------------------------------------------------------


async def check(play: Play) -> dict[str, object]:
    """Everything that must be true of a campaign that went well."""
    result = play.result
    result.checks += [
        *_of_the_people(play),
        *_of_the_issues(play),
        *_of_the_ballot(play),
        *_of_the_board(play),
        *_of_the_log(play),
    ]
    good = sum(check.good for check in result.checks)
    return {"相符": f"{good}/{len(result.checks)}"}


def _of_the_people(play: Play) -> list[Check]:
    """The roster is large enough, and nothing anybody said got lost."""
    result = play.result
    said, balance = result.opinions, result.balance
    enough = result.people >= PEOPLE and result.branches == BRANCHES
    taken = said["recorded"] + sum(said["unfit"].values())
    in_balance = balance["grouped"] + balance["refused"] == balance["received"] == said["recorded"]
    sum_ = f"{balance['received']} = {balance['grouped']} + {balance['refused']}"
    left_out = sum(map(len, REFUSED.values())) + 1
    channels = len(said["by_channel"])
    return [
        Check("花名册六十人以上，三个支部", enough, f"{result.people} 人"),
        Check("每条意见入账，或因不合要求未收", taken == said["given"], f"{taken}/{said['given']}"),
        Check("匿名意见不留姓名", said["nameless"], f"{said['anonymous']} 条"),
        Check("汇总梳理平衡", in_balance and not balance["left"], sum_),
        Check("没有意见落空", not result.unheard, f"{result.unheard} 条"),
    ] + [
        Check("八种渠道都有意见", channels == len(CHANNELS), f"{channels} 种"),
        Check("不受理和撤回数相符", balance["refused"] == left_out, f"{left_out} 条"),
    ] * play.invented


def _of_the_issues(play: Play) -> list[Check]:
    """Every path of the life cycle was taken, and every rule that was tried held."""
    result, refusals = play.result, play.line.door.refusals
    paths = {event.TYPE for event in IssueEvent.__value__.__args__}
    missing = sorted(paths - result.events.keys())
    climbed = {rung["rung"] for rung in result.ladder}
    wrong = [refusal.what for refusal in refusals if not refusal.good]
    total = result.summary["total"]
    traced = sorted(result.traced) == sorted(play.raised)
    return [
        Check("问题四十件以上", total >= ISSUES, f"{total} 件"),
        Check("走访、谈话、会议提出的问题均已立项", traced, f"{len(result.traced)} 件"),
        Check("问题的每一种经历都发生过", not missing, " ".join(missing) or f"{len(paths)} 种"),
        Check("时限阶梯逐级到位", climbed == RUNGS, f"{len(climbed)} 级"),
        Check("每次拒绝都符合预期", not wrong, "、".join(wrong) or f"{len(refusals)} 次"),
    ]


def _of_the_ballot(play: Play) -> list[Check]:
    """As many slips as were printed, each among those announced; a voter finds their own."""
    ballot = play.result.ballot
    all_counted = ballot["counted"] == ballot["printed"] and ballot["announced"]
    return [
        Check("选票全部开箱，均在事先公布之列", all_counted, f"{ballot['counted']} 张"),
        Check("投票人凭选票号查得自己的选票", ballot["found"], "与所投一致"),
    ]


def _of_the_board(play: Play) -> list[Check]:
    """All rules are on the board; what was broken on purpose shows there, whatever kind of rule it is."""
    board, broken, refusals = play.result.board, play.result.broken, play.line.door.refusals
    tried = {refusal.rule for refusal in refusals if refusal.good}
    kinds = {
        kind for row in board if row["rule"] in tried for kind in row["kinds"] if kind in TRIED
    }
    kinds |= {kind for one in broken if one.good for kind in one.kinds}
    return [
        Check("总览列出全部规则", len(board) == RULES, f"{len(board)} 条"),
        *(
            Check(f"总览查得：{one.what}", one.good, f"{one.rule} {one.named}".strip())
            for one in broken
        ),
        Check("每类规则都故意违反过", kinds == KINDS, " ".join(sorted(kinds))),
    ]


def _of_the_log(play: Play) -> list[Check]:
    """A life is told from the spoken word to the verdict; the log gives what people are shown."""
    told: list[dict[str, Any]] = play.result.biography["events"]
    places = [event["position"] for event in told]
    own = [e["type"] for e in told if e["stream"] == f"issue.{play.lives[HERO].id}"]
    whole = (told[0]["type"], own[-1]) == (SPOKEN, JUDGED) and places == sorted(places)
    log, comparison = play.result.log, play.result.comparison
    return [
        Check("全过程从原话到评判", whole, f"{len(told)} 个事件"),
        Check("日志核查无异常", log["good"], f"{log['events']} 个事件"),
        Check("重放与现状一致", not comparison["found"], f"{comparison['documents']} 份文档"),
    ]
