"""What the demo has to tell: everything as data, and the same as tables for the terminal."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from services.demo.door import Refusal
from services.gateway.life import STAGES

type Tell = Callable[[RenderableType], None]
"""Shows something to whoever watches; takes it and says nothing where only data is wanted."""


@dataclass(frozen=True)
class Check:
    """Something that must be true, and what was found."""

    what: str
    good: bool
    detail: str = ""


@dataclass(frozen=True)
class Broken:
    """A rule that was broken on purpose: whom or what the product names for it, and who it should be."""

    rule: str
    kinds: tuple[str, ...]
    what: str
    named: str
    good: bool


@dataclass
class Result:
    """What came of the performance."""

    school: str
    invented: bool
    people: int = 0
    branches: int = 0
    opinions: dict[str, Any] = field(default_factory=dict)
    balance: dict[str, int] = field(default_factory=dict)
    unheard: int = 0
    summary: dict[str, Any] = field(default_factory=dict)
    copied: int = 0
    ballot: dict[str, Any] = field(default_factory=dict)
    traced: list[str] = field(default_factory=list)
    ladder: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    biography: dict[str, Any] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)
    log: dict[str, Any] = field(default_factory=dict)
    """What the check of the log found."""
    comparison: dict[str, Any] = field(default_factory=dict)
    board: list[dict[str, Any]] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    acts: list[tuple[str, dict[str, object], float]] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    requests: int = 0
    commands: int = 0
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Whether everything that was checked is true."""
        return bool(self.checks) and all(check.good for check in self.checks)

    def as_data(self) -> dict[str, Any]:
        """Everything as JSON-like data."""
        told = asdict(self)
        told["refusals"] = [{**asdict(r), "good": r.good} for r in self.refusals]
        told["acts"] = [
            {"act": title, "facts": facts, "seconds": round(seconds, 3)}
            for title, facts, seconds in self.acts
        ]
        told["events"] = dict(sorted(self.events.items()))
        return {"good": self.good, **told, "seconds": round(self.seconds, 3)}


def opening(result: Result) -> RenderableType:
    """What is going to be played."""
    return Text.assemble(
        ("台账演示", "bold"),
        f"    虚构的学校 {result.school}，全部操作经 HTTP 入口，各用各的凭证    ",
        "" if result.invented else ("意见取自给定文件，按主题轮流分配，不代表真实归类", "italic"),
    )


def act(title: str, facts: dict[str, object], seconds: float) -> RenderableType:
    """One line for an act that is over."""
    said = "  ".join(f"{name} {value}" for name, value in facts.items())
    line = Text.assemble((title.ljust(8, "\u3000"), "bold"), f" {seconds:5.1f} 秒  ", said)
    line.no_wrap = False
    return line


def ending(result: Result) -> Iterator[RenderableType]:
    """Everything that is told when all acts are over."""
    if result.biography:
        yield _biography(result)
    if result.summary:
        yield _ledger(result.summary)
    if result.ladder:
        yield _ladder(result.ladder)
    if result.refusals:
        yield _refusals(result.refusals)
    if result.board:
        yield _board(result.board)
    yield _checks(result.checks)
    yield _conclusion(result)


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _biography(result: Result) -> Table:
    told = result.biography
    table = _table(f"一个问题的全过程：{told['title']}", "位置", "时间", "何人", "何事", "内容")
    for event in told["events"]:
        table.add_row(
            str(event["position"]),
            _clock(event["at"])[:8],
            event["name"],
            EVENTS.get(event["type"].removesuffix(".v1"), event["type"]),
            _words(event["event"]),
        )
    return table


def _clock(at: str) -> str:
    """The time of day of an instant where the school is."""
    return datetime.fromisoformat(at).astimezone(ZONE).strftime("%H:%M:%S.%f")[:-3]


def _words(event: dict[str, Any]) -> str:
    """What an event says in words: the first of its texts, in one short line."""
    parts = [event, *(event[name] for name in ("issue", "evidence") if name in event)]
    parts += event.get("measures", [])[:1]
    texts = (p[name] for p in parts if isinstance(p, dict) for name in TEXTS if p.get(name))
    line = " ".join(str(next(texts, "")).split())
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"


def _ledger(summary: dict[str, Any]) -> Table:
    table = _table(
        f"整改台账汇总：{summary['total']} 件", "状态", "件数", "四风类别", "件数", "其他", "件数"
    )
    stages = [(STAGES[stage], n) for stage in STAGES if (n := summary["by_stage"].get(stage))]
    winds = [(WINDS[wind], n) for wind, n in summary["by_wind"].items()]
    others = [
        ("班子问题", summary["by_addressee"].get("team", 0)),
        ("班子成员个人问题", summary["by_addressee"].get("member", 0)),
        ("已逾期", len(summary["overdue"])),
        ("无人认领", len(summary["unclaimed"])),
        ("已验收未销号", len(summary["solved_not_struck_off"])),
        ("重新整改过", summary["reopened"]),
        *((f"评判：{VERDICTS[word]}", n) for word, n in summary["verdicts"].items()),
    ]
    blank = ("", "")
    for n in range(max(len(stages), len(winds), len(others))):
        cells = [*(side[n] if n < len(side) else blank for side in (stages, winds, others))]
        table.add_row(*(str(cell) for pair in cells for cell in pair))
    return table


def _ladder(ladder: list[dict[str, Any]]) -> Table:
    table = _table("一个无人认领的问题的时限阶梯(该校时限以秒计)", "阶梯", "时间", "告知")
    for rung in ladder:
        told = "、".join(rung["told"])
        table.add_row(RUNGS[rung["rung"]], _clock(rung["at"]), told)
    return table


def _refusals(refusals: list[Refusal]) -> Table:
    table = _table("故意触发的拒绝", "依据", "做了什么", "应得", "实得", "HTTP", "")
    for refusal in refusals:
        table.add_row(
            refusal.rule,
            refusal.what,
            refusal.expected,
            refusal.got,
            str(refusal.status),
            _mark(good=refusal.good),
        )
    return table


def _board(board: list[dict[str, Any]]) -> Table:
    table = _table("规则总览", "规则", "类别", "原文", "已做到/应做到", "未做到", "豁免", "疑点")
    for row in board:
        found = sum(check["found"] for check in row["checks"])
        figures = ("—", "", "")
        if row["computed"]:
            share = f"{row['numerator']}/{row['denominator']}"
            figures = (share, str(row["missing"] or ""), str(row["waived"] or ""))
        quote = row["quote"] if len(row["quote"]) <= QUOTE else f"{row['quote'][:QUOTE]}…"
        kinds = "/".join(row["kinds"])
        table.add_row(row["rule"], kinds, quote, *figures, str(found or ""))
    return table


def _checks(checks: list[Check]) -> Table:
    table = _table("核对", "", "事项", "所见")
    for check in checks:
        table.add_row(_mark(good=check.good), check.what, check.detail)
    return table


def _mark(*, good: bool) -> Text:
    return Text("✓", style="green") if good else Text("✗", style="bold red")


def _conclusion(result: Result) -> Text:
    rate = result.commands / result.seconds if result.seconds else 0.0
    events = result.events.total() / result.seconds if result.seconds else 0.0
    verdict = ("结论：核对无误", "bold green") if result.good else ("结论：有不符之处", "bold red")
    return Text.assemble(
        verdict,
        f"    学校 {result.school}    用时 {result.seconds:.1f} 秒    "
        f"请求 {result.requests} 次    命令 {rate:.0f} 条/秒    事件 {events:.0f} 个/秒",
    )


# -- Words ---------------------------------------------------------------------------------------

ZONE = ZoneInfo("Asia/Shanghai")
WIDTH = 46  # characters of what an event says
QUOTE = 20  # characters of what a rule says

TEXTS = (
    "verbatim_text", "text", "statement", "finding", "answer", "comment", "explanation", "reason",
    "remarks", "title", "name",
)  # fmt: skip
"""The fields that say most, the most telling first."""

WINDS = {
    "formalism": "形式主义",
    "bureaucratism": "官僚主义",
    "hedonism": "享乐主义",
    "extravagance": "奢靡之风",
    "not_four_winds": "非四风",
}
VERDICTS = {"solved": "解决", "partly_solved": "部分解决", "unsolved": "未解决"}
RUNGS = {"remind": "到期提醒", "urge": "催办", "supervise": "督办", "account": "约谈问责"}
EVENTS = {
    "study.session.recorded": "登记集中学习",
    "study.session.attendance-recorded": "登记学习出勤",
    "study.catalogue.item-added": "增加学习篇目",
    "study.reading.recorded": "读完学习篇目",
    "study.reflection.submitted": "提交心得体会",
    "study.reflection.rated": "评阅心得体会",
    "study.gap.recorded": "查找差距",
    "study.activity.recorded": "登记六个一活动",
    "study.activity.difficulty-solved": "解决困难",
    "study.activity.problem-raised": "走访中提出问题",
    "study.tie.opened": "登记联系点",
    "talks.talk.arranged": "约定谈心谈话",
    "talks.talk.held": "谈心谈话",
    "talks.talk.corrected": "更正谈话记录",
    "talks.talk.confirmed": "确认谈话记录",
    "talks.talk.disputed": "对谈话记录提出异议",
    "talks.talk.problem-raised": "谈话中提出问题",
    "talks.request.made": "约谈",
    "talks.request.accepted": "同意约谈",
    "talks.request.refused": "不同意约谈",
    "talks.request.talk-held": "约谈已进行",
    "meetings.examination.drafted": "起草对照检查材料",
    "meetings.examination.revised": "修改对照检查材料",
    "meetings.examination.submitted": "提交对照检查材料",
    "meetings.examination.adopted": "审议通过对照检查材料",
    "meetings.examination.consulted": "征求对材料的意见",
    "meetings.examination.reviewed": "审核对照检查材料",
    "meetings.examination.sent-back": "退回对照检查材料",
    "meetings.meeting.planned": "拟定会议方案",
    "meetings.meeting.plan-approved": "同意会议方案",
    "meetings.meeting.date-agreed": "商定开会时间",
    "meetings.meeting.held": "召开会议",
    "meetings.meeting.attendance-recorded": "登记出席",
    "meetings.meeting.speech-recorded": "记录发言",
    "meetings.meeting.problem-raised": "会上查摆问题",
    "meetings.meeting.measure-resolved": "议定措施",
    "meetings.meeting.document-adopted": "会议审议通过",
    "meetings.meeting.briefing-part-reported": "通报情况",
    "meetings.meeting.ended": "会议结束",
    "meetings.meeting.minutes-closed": "会议记录定稿",
    "meetings.meeting.appraised": "评价会议",
    "meetings.meeting.absence-made-up": "登记补课",
    "meetings.appraisal.opened": "启动民主评议",
    "meetings.appraisal.ballot-opened": "发放选票",
    "meetings.appraisal.ballots-opened": "开箱",
    "meetings.appraisal.result-recorded": "确定评议等次",
    "feedback.opinion.submitted": "提出意见",
    "feedback.opinion.acknowledged": "确认收到",
    "feedback.opinion.message-sent": "留言",
    "feedback.opinion.refused": "不受理",
    "feedback.opinion.withdrawn": "撤回意见",
    "feedback.collation.opened": "开始汇总梳理",
    "feedback.collation.opinion-split": "拆分意见",
    "feedback.collation.opinions-grouped": "归并为问题",
    "feedback.collation.part-set-aside": "搁置片段",
    "feedback.collation.closed": "结束汇总梳理",
    "rectification.issue.opened": "立项",
    "rectification.issue.corrected": "更正",
    "rectification.issue.voided": "作废",
    "rectification.issue.claimed": "认领",
    "rectification.issue.assigned": "指派",
    "rectification.issue.declined": "退回认领",
    "rectification.issue.transferred": "移交",
    "rectification.issue.measures-planned": "制定措施",
    "rectification.issue.started": "开始整改",
    "rectification.issue.progress-reported": "反馈进展",
    "rectification.issue.evidence-added": "上传佐证",
    "rectification.issue.extension-requested": "申请延期",
    "rectification.issue.extension-granted": "同意延期",
    "rectification.issue.extension-refused": "不同意延期",
    "rectification.issue.strike-off-requested": "申请销号",
    "rectification.issue.verified": "验收通过",
    "rectification.issue.returned": "验收退回",
    "rectification.issue.notice-published": "公示",
    "rectification.issue.objection-raised": "提出异议",
    "rectification.issue.objection-upheld": "异议成立",
    "rectification.issue.objection-dismissed": "异议不成立",
    "rectification.issue.struck-off": "销号",
    "rectification.issue.verdict-recorded": "群众评判",
    "rectification.issue.reopened": "重新整改",
    "rectification.issue.looked-back": "回头看",
    "rectification.issue.converted-to-long-term": "转为长期推进",
    "rectification.issue.explained-not-possible": "说明无法解决",
    "rectification.issue.merged": "并入",
    "rectification.issue.reminded": "到期提醒",
    "rectification.issue.urged": "催办",
    "rectification.issue.supervised": "督办",
    "rectification.issue.called-to-account": "约谈问责",
    "rectification.plan.line-set": "编制整改任务",
    "rectification.plan.line-removed": "删除整改任务",
    "rectification.regulation.drafted": "起草制度",
    "rectification.regulation.adopted": "审议通过制度",
    "rectification.regulation.revised": "修订制度",
}
