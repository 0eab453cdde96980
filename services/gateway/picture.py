"""An issue's life as a picture (SVG) for people: who said it → who put it right → who judged it. Pure.

It is drawn from a biography as its reader was given it and so shows nobody more. Nothing in it runs or
is fetched; a text is a text, cut to its place; however long a life, the picture stays a page or two.
"""

import base64
import hashlib
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from html import escape
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

STEPS = {
    "opened": "立项",
    "corrected": "更正",
    "voided": "作废",
    "source-corrected": "来源更正",
    "source-voided": "来源作废",
    "claimed": "认领",
    "assigned": "指派",
    "declined": "退回认领",
    "transferred": "移交",
    "measures-planned": "制定措施",
    "started": "开始整改",
    "progress-reported": "反馈进展",
    "evidence-added": "上传佐证",
    "extension-requested": "申请延期",
    "extension-granted": "同意延期",
    "extension-refused": "不同意延期",
    "strike-off-requested": "申请销号",
    "verified": "验收通过",
    "returned": "验收退回",
    "notice-published": "公示",
    "objection-raised": "提出异议",
    "objection-upheld": "异议成立",
    "objection-dismissed": "异议不成立",
    "struck-off": "销号",
    "verdict-recorded": "群众评判",
    "reopened": "重新整改",
    "looked-back": "回头看",
    "converted-to-long-term": "转为长期推进",
    "explained-not-possible": "说明无法解决",
    "merged": "并入",
    "reminded": "到期提醒",
    "urged": "催办",
    "supervised": "督办",
    "called-to-account": "约谈问责",
}
"""What happens to an issue, by the name in the event's TYPE; the words of the commands."""
_BACK = {"declined", "returned", "objection-raised", "objection-upheld", "reopened", "voided"}
_BETWEEN = {
    "corrected", "source-corrected", "source-voided", "progress-reported", "evidence-added",
    "extension-requested", "extension-refused", "reminded", "urged", "supervised",
    "called-to-account",
}  # fmt: skip
_STAGES = {
    "open": "待认领",
    "owned": "已认领",
    "planned": "已定措施",
    "underway": "整改中",
    "awaiting_verification": "待验收",
    "verified": "已验收",
    "on_notice": "公示中",
    "struck_off": "已销号",
    "long_term": "长期推进",
    "not_possible": "说明无法解决",
    "merged": "已并入",
    "voided": "已作废",
    "drafted": "起草中",
    "adopted": "已通过",
    "abolished": "已废止",
}
_TIMED = {"open", "owned", "planned", "underway", "long_term"}
_GONE = {"merged", "voided"}
_ENDED = {"struck_off", "not_possible", "merged", "voided"}
_CHANNELS = {
    "symposium": "座谈会",
    "individual_interview": "个别访谈",
    "spot_survey": "随机调研",
    "public_reception": "接待群众",
    "suggestion_box": "意见箱",
    "weibo": "微博",
    "wechat": "微信",
    "other": "其他",
}
_FATES = {"withdrawn": "已撤回", "refused": "不受理", "voided": "已作废"}
_SOURCES = {
    "talk": "谈心谈话",
    "meeting": "会议",
    "visit": "走访活动",
    "inspection": "督导检查",
    "issue": "另一问题",
}
_RAISED_IN = {"visit": "activity"}  # where the category of the stream is another word
_FOUND = {
    "raised_by_public": "群众提",
    "self_found": "自己找",
    "peer_raised": "互相帮",
    "superior_pointed": "上级点",
    "collectively_discussed": "集体议",
}
_SOLVED = {"solved": "已解决", "partly_solved": "部分解决", "unsolved": "未解决"}
_SATISFIED = {"satisfied": "满意", "basically_satisfied": "基本满意", "dissatisfied": "不满意"}
_CODES = {
    "not_solved": "问题未解决",
    "evidence_missing": "缺少佐证",
    "evidence_unfit": "佐证不符",
    "only_on_paper": "只在纸面整改",
    "relapse": "反弹",
    "objection_upheld": "异议成立",
    "verdict_unsolved": "群众评判未解决",
    "immediate": "立行立改",
    "time_limited": "限期整改",
    "long_term": "长期推进",
}
_ROLES = {"originator": "意见人", "objector": "异议人"}
_SAID = ("finding", "statement", "answer", "reason", "text", "explanation", "stage_goal")
_SPOKEN = "feedback.opinion.submitted.v1"
_VERDICT = "rectification.issue.verdict-recorded.v1"
_REOPENED = "rectification.issue.reopened.v1"

SHOWN = 3
"""How many opinions, verdicts, lines … of one kind are drawn; the rest is counted."""
FIRST, LAST = 12, 16
"""How many steps are drawn where there are more: from the beginning and from the end."""
_NEVER = 2**63  # behind every position
_LONGEST = 400  # characters of a text anybody looks at

# -- Texts ---------------------------------------------------------------------------------------

_WIDE = frozenset("mwMW@%&")
_OPENING = frozenset("（《〈「『【〔“‘([{")
_CLOSING = frozenset("，。、；：！？”’）》〉」』】〕…,.;:!?)]}")


def clean(text: str) -> str:
    """A text in one line, without what XML 1.0 cannot hold, hidden characters and changes of direction."""
    kept: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFC", text[:_LONGEST]):
        kind = unicodedata.category(char)
        marks = marks + 1 if kind in {"Mn", "Me"} else 0
        if kind in {"Cc", "Zl", "Zp", "Zs"}:
            kept.append(" ")
        elif kind[0] != "C" and marks <= 2:  # noqa: PLR2004 -- no script stacks more
            kept.append(char)
    return " ".join("".join(kept).split())


def width(text: str) -> float:
    """How wide a text is, in its own height: what is Chinese takes 1, other letters about 0.6."""
    return sum(map(_width, text))


def _width(char: str) -> float:
    if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    if unicodedata.east_asian_width(char) in "WFA" or char > "\u0250" or char in _WIDE:
        return 1
    return 0.72 if char.isupper() else 0.6


def wrapped(text: str, room: float, most: int) -> list[str]:
    """A text in at most so many lines of so much room; what does not fit is an ellipsis."""
    lines: list[str] = []
    rest = text
    while rest and len(lines) < most:
        at = _fitting(rest, room)
        if at < len(rest) and len(lines) == most - 1:
            end = "…”" if rest.endswith("”") else "…"
            rest = f"{rest[: _fitting(rest, room - len(end))].rstrip()}{end}"
            at = len(rest)
        elif at < len(rest):
            at = _break(rest, at)
        lines.append(rest[:at].strip())
        rest = rest[at:].strip()
    return [_isolated(line) for line in lines]


def _fitting(text: str, room: float) -> int:
    """How many characters of a text fit, at least one."""
    used = 0.0
    for at, char in enumerate(text):
        used += _width(char)
        if used > room:
            return max(at, 1)
    return len(text)


def _break(text: str, at: int) -> int:
    """Where a line is broken at `at` the latest: not in a word or date, not before what closes."""
    if text[at] in _CLOSING:
        return at + 1
    start = at
    while (
        start
        and text[start].isascii()
        and not text[start - 1].isspace()
        and text[start - 1].isascii()
    ):
        start -= 1
    at = start if start > at // 2 else at
    return at - 1 if at > 1 and text[at - 1] in _OPENING else at


def _isolated(line: str) -> str:
    """A line whose direction, where it is not ours, stays its own (U+2068, U+2069)."""
    foreign = any(unicodedata.bidirectional(char) in {"R", "AL", "AN"} for char in line)
    return f"\u2068{line}\u2069" if foreign else line


def _words(value: object) -> str:
    """What somebody wrote, or the mask in its place."""
    if isinstance(value, Mapping):
        masks = {"erased": "〔已抹除〕", "sealed": "〔已封存〕"}
        return masks.get(str(value.get("masked")), "")
    return clean(value) if isinstance(value, str) else ""


def _quoted(value: object) -> str:
    """What somebody said, in quotation marks; a mask has none."""
    return f"“{clean(value)}”" if isinstance(value, str) else _words(value)


def _joined(between: str, *parts: str) -> str:
    """Those of some texts that say anything, in one."""
    return between.join(filter(None, parts))


# -- What the biography tells ----------------------------------------------------------------------


@dataclass(frozen=True)
class _Line:
    """A line of writing: `kind` is its class in the style sheet."""

    kind: str
    text: str


@dataclass(frozen=True)
class _Step:
    """Something that happened to the issue, or several small things between two steps."""

    word: str
    day: str = ""
    who: str = ""
    said: str = ""
    kind: str = "turn"
    position: int = 0

    def __str__(self) -> str:
        """The step in words."""
        return _joined("，", _joined(" ", self.day, self.word), self.who, self.said)


@dataclass(frozen=True)
class _Panel:
    """A box with a heading and entries, each some lines; `position` is when it came about."""

    heading: str
    entries: tuple[tuple[_Line, ...], ...]
    kind: str = "box"
    position: int = 0

    def __str__(self) -> str:
        """What stands in it."""
        entries = ("，".join(line.text for line in entry) for entry in self.entries)
        return f"{self.heading}：{'；'.join(entries)}"


@dataclass(frozen=True)
class _Life:
    """A biography, read for drawing."""

    told: Mapping[str, Any]

    @property
    def events(self) -> Sequence[Mapping[str, Any]]:
        return self.told.get("items") or ()

    @property
    def stream(self) -> str:
        return f"issue.{self.told.get('id')}"

    @cached_property
    def own(self) -> list[Mapping[str, Any]]:
        """What happened to the issue itself."""
        return [e for e in self.events if e["stream"] == self.stream]

    def day(self, at: str) -> str:
        """The day of an instant where the school is."""
        zone = self.told.get("zone")
        where = ZoneInfo(zone) if zone else UTC
        return datetime.fromisoformat(at).astimezone(where).date().isoformat()

    def name(self, person: object) -> str:
        """What somebody is called, as far as the reader was told."""
        if not isinstance(person, str):
            return ""
        if person.startswith("originator:"):
            return _ROLES["originator"]
        return _ROLES.get(person) or _words((self.told.get("names") or {}).get(person))

    def who(self, event: Mapping[str, Any]) -> str:
        """Who did it, or on whose behalf a service did."""
        return self.name(event.get("on_behalf_of")) or self.name(event.get("actor"))

    def last(self, field: str) -> str:
        """The name in the latest event of the issue that has this field."""
        named = (self.name(event["event"].get(field)) for event in reversed(self.own))
        return next(filter(None, named), "")

    def step(self, event: Mapping[str, Any]) -> _Step:
        """One step, in words."""
        kind = _what(event)
        said = event["event"]
        detail = next((w for name in _SAID if (w := _words(said.get(name)))), "")
        code = _CODES.get(said.get("code") or said.get("cause") or "", "")
        match kind:
            case "measures-planned":
                count = len(said.get("measures") or ())
                until = [m["due_on"] for m in said.get("measures") or () if m.get("due_on")]
                detail = f"{_CODES.get(said.get('mode') or '', '')} {count} 项措施".strip()
                detail += f"，{max(until)} 前完成" if until else ""
            case "assigned" | "transferred":
                detail = _joined("，", f"责任人 {self.name(said['owner'])}", detail)
            case "notice-published" | "struck-off" | "extension-granted":
                until_when = said.get("until") or said.get("verdicts_until") or {}
                until_when = until_when or (said.get("watch") or {}).get("due") or {}
                label = {"notice-published": "公示至", "struck-off": "评判至"}.get(kind, "延至")
                detail = f"{label} {until_when['on']}" if "on" in until_when else ""
            case "merged":
                detail = _joined("，", "并入另一问题", detail)
            case "looked-back":
                detail = _joined("，", "发现反弹" if said["relapse"] else "", detail)
            case _:
                detail = _joined("：", code, detail)
        times = said.get("times") or 0
        told = _joined(" · ", f"第 {times} 次" if times > 1 else "", detail)
        day = self.day(event["at"])
        back = "back" if kind in _BACK else "turn"
        return _Step(STEPS.get(kind, kind), day, self.who(event), told, back, event["position"])

    def steps(self) -> list[_Step]:
        """The way of the issue: its steps, and in one line each what was done between two of them."""
        steps: list[_Step] = []
        for between, some in groupby(self._on_the_way(), lambda e: _what(e) in _BETWEEN):
            if between:
                steps.append(self._small(list(some)))
            else:
                steps += (self.step(event) for event in some)
        if (stage := self.told.get("stage")) not in _ENDED or not steps:
            now = f"现在：{_STAGES[stage]}" if stage in _STAGES else "尚无记录"
            steps.append(_Step(now, said=self._due(), kind="now", position=_NEVER))
        if len(steps) > FIRST + LAST:
            middle = steps[FIRST:-LAST]
            back = Counter(s.word for s in middle if s.kind == "back")
            counts = "、".join(f"{word} {n} 次" for word, n in sorted(back.items()))
            note = f"其间另有 {len(middle)} 步"
            told = f"其中{counts}" if counts else ""
            gap = _Step(note, said=told, kind="gap", position=middle[0].position)
            steps = [*steps[:FIRST], gap, *steps[-LAST:]]
        return steps

    def _due(self) -> str:
        """Until when what comes next is due, where it has a day."""
        watches = [e["event"]["watch"] for e in self.own if e["event"].get("watch")]
        timed = watches and self.told.get("stage") in _TIMED
        return f"期限 {watches[-1]['due']['on']}" if timed else ""

    def _on_the_way(self) -> list[Mapping[str, Any]]:
        return [e for e in self.own if e["type"] != _VERDICT]

    def _small(self, some: Sequence[Mapping[str, Any]]) -> _Step:
        counts = Counter(STEPS.get(_what(event), _what(event)) for event in some)
        word = "、".join(f"{word} {n} 次" for word, n in counts.items())
        day = self.day(some[-1]["at"])
        return _Step(word, day, kind="small", position=some[0]["position"])

    def opinions(self) -> list[Mapping[str, Any]]:
        """The words the issue comes from, in the order they were recorded."""
        return [e for e in self.events if e["type"] == _SPOKEN]

    def rounds(self) -> list[list[Mapping[str, Any]]]:
        """The verdicts between one reopening and the next: the latest of each who is known."""
        rounds: list[dict[object, Mapping[str, Any]]] = [{}]
        for event in self.events:
            if event["type"] == _REOPENED and event["stream"] == self.stream:
                rounds.append({})
            elif event["type"] == _VERDICT:
                who = event["event"].get("originator") or event["position"]
                rounds[-1].pop(who, None)
                rounds[-1][who] = event
        return [list(verdicts.values()) for verdicts in rounds if verdicts]

    def sources(self) -> list[Mapping[str, Any]]:
        """The talks, meetings, visits, inspections it was raised in; the issue it is a part of is not one."""
        above = (self.told.get("parent") or {}).get("id")
        return [s for s in self.told.get("sources") or () if s["id"] != above]

    # -- In three columns ------------------------------------------------------

    def heads(self) -> tuple[tuple[str, list[str]], ...]:
        """The three questions and their answers at a glance."""
        opinions = len(self.told.get("opinions") or ())
        ways = Counter(
            _CHANNELS[e["event"]["channel"]] for e in self.opinions() if "channel" in e["event"]
        )
        kinds = Counter(_SOURCES.get(s["kind"], s["kind"]) for s in self.sources())
        found = [_FOUND.get(e["event"].get("discovery") or "", "") for e in self.own[:1]]
        said = [
            *([f"{opinions} 条意见"] if opinions else []),
            *(["、".join(ways)] if ways else []),
            *(f"{kind} {n} 次" for kind, n in kinds.items()),
        ]
        mending = [
            *_labelled("责任人", self.last("owner")),
            *_labelled("责任领导", self.last("accountable_leader")),
        ]
        return (
            ("谁说的", said or [*filter(None, found)] or ["尚无记录"]),
            ("谁改的", mending or ["尚无责任人"]),
            ("谁评的", self._judges() or ["尚无评判"]),
        )

    def _judges(self) -> list[str]:
        by = {kind: [e for e in self.own if _what(e) == kind] for kind in STEPS}
        said = [*by["verified"], *by["returned"]]
        verifiers = [self.name(e["event"].get("verifier")) for e in said]
        judged = [
            *_labelled("验收", "、".join(dict.fromkeys(filter(None, verifiers)))),
            *_labelled("销号", self.who(by["struck-off"][-1]) if by["struck-off"] else ""),
        ]
        if back := len(by["returned"]):
            judged.append(f"退回 {back} 次")
        if again := len(by["reopened"]):
            judged.append(f"重新整改 {again} 次")
        if rounds := self.rounds():
            solved = Counter(e["event"]["solved"] for e in rounds[-1])
            unit = _unit(rounds[-1])
            told = "，".join(f"{zh} {solved[w]} {unit}" for w, zh in _SOLVED.items() if solved[w])
            judged.append(f"群众：{told}")
        return judged

    def left(self) -> list[_Panel]:
        """Where it comes from."""
        groups = {e["stream"]: e for e in self.events if e["stream"].startswith("collation.")}
        above = self.told.get("parent")
        opinions = _listed("群众意见", self.opinions(), self._opinion, "条意见")
        elsewhere = "其他来源" if opinions else "问题来源"
        return [
            *opinions,
            *_listed("汇总梳理", [*groups.values()], self._dated, "批"),
            *_listed(elsewhere, self.sources(), self._source, "处"),
            *_listed("所属问题", [above] if above else [], _issue, "个"),
            *_listed("并入本问题的", self.told.get("merged") or (), _issue, "个"),
        ]

    def _opinion(self, event: Mapping[str, Any]) -> tuple[_Line, ...]:
        said = event["event"]
        later = [_what(e) for e in self.events if e["stream"] == event["stream"]]
        became = [_FATES[what] for what in later if what in _FATES]
        channel = _CHANNELS.get(said.get("channel") or "", "")
        label = _joined(" ", channel, self.day(event["at"]), *became)
        quoted = _quoted(said.get("verbatim_text", said))
        who = self.who(event)
        own = said.get("recorded_by_clerk") is False  # of what is sealed only a clerk is named
        by = f"{'提出' if own else '登记'} {who}" if who and who not in _ROLES.values() else ""
        return (_Line("s", label), _Line("q", quoted), *_line("s", by))

    def _dated(self, event: Mapping[str, Any]) -> tuple[_Line, ...]:
        return (_Line("s", self.day(event["at"])), *_line("s", self.who(event)))

    def _source(self, source: Mapping[str, Any]) -> tuple[_Line, ...]:
        kind = source["kind"]
        stream = f"{_RAISED_IN.get(kind, kind)}.{source['id']}"
        raised = [e for e in self.events if e["stream"] == stream]
        dated = self._dated(raised[0]) if raised else ()
        return (_Line("t", _SOURCES.get(kind, kind)), *dated)

    def right(self) -> list[_Panel]:
        """What became of it: the plan, the regulations, its parts; what those who spoke up say of it."""
        planned, ruled = self._since("plan."), self._since("regulation.")
        rounds = self.rounds()
        panels = [
            *_listed("整改方案", self.told.get("lines") or (), self._planned, "项任务", planned),
            *_listed("建章立制", self.told.get("regulations") or (), _rule, "项制度", ruled),
            *_listed("分解出的问题", self.told.get("children") or (), _issue, "个"),
        ]
        for said in rounds[-SHOWN:]:
            unit = f"{_unit(said)}评判"
            panels += _listed("群众评判", said, self._verdict, unit, said[0]["position"])
        if not rounds and self.told.get("opinions") and self.told.get("stage") not in _GONE:
            asked = self.told.get("stage") in _ENDED
            note = "已邀请，尚未收到" if asked else "销号后邀请意见人评判"
            last = self.own[-1]["position"] if self.own else 0
            panels.append(_Panel("群众评判", ((_Line("s", note),),), "todo", last))
        return panels

    def _since(self, stream: str) -> int:
        """The position of the first event of such a stream, 0 where none is told of."""
        return next((e["position"] for e in self.events if e["stream"].startswith(stream)), 0)

    def _planned(self, line: Mapping[str, Any]) -> tuple[_Line, ...]:
        stage = _STAGES.get(line.get("stage") or "", "")
        by = _joined(" ", self.name(line.get("owner")), f"至 {line['due_on']}", stage)
        return (_Line("t", _words(line.get("task"))), _Line("s", by))

    def _verdict(self, event: Mapping[str, Any]) -> tuple[_Line, ...]:
        said = event["event"]
        told = f"{_SOLVED[said['solved']]}，{_SATISFIED[said['satisfied']]}"
        who = self.name(said.get("originator")) or self.who(event)
        by = _joined(" ", who, self.day(event["at"]))
        return (_Line("t", told), *_line("q", _quoted(said.get("comment"))), _Line("s", by))


def _what(event: Mapping[str, Any]) -> str:
    """What happened, by the name in the event's TYPE."""
    return str(event["type"]).split(".")[2]


def _unit(verdicts: Iterable[Mapping[str, Any]]) -> str:
    """Verdicts are counted by people, where it is not known who judged by times."""
    return "人" if all(e["event"].get("originator") for e in verdicts) else "次"


def _line(kind: str, text: str) -> tuple[_Line, ...]:
    return (_Line(kind, text),) if text else ()


def _labelled(label: str, text: str) -> list[str]:
    return [f"{label} {text}"] if text else []


def _issue(told: Mapping[str, Any]) -> tuple[_Line, ...]:
    stage = _STAGES.get(told.get("stage") or "", "")
    return (_Line("t", _words(told.get("title"))), *_line("s", stage))


def _rule(told: Mapping[str, Any]) -> tuple[_Line, ...]:
    stage = _STAGES.get(told.get("stage") or "", "")
    since = told.get("in_force_on")
    state = _joined(" ", stage, f"{since} 起施行" if since else "")
    return (_Line("t", _words(told.get("title"))), *_line("s", state))


def _listed(
    heading: str,
    things: Sequence[Mapping[str, Any]],
    entry: Callable[[Mapping[str, Any]], tuple[_Line, ...]],
    unit: str,
    position: int = 0,
) -> list[_Panel]:
    """A panel with the first of some things and how many more there are; none where there is nothing."""
    rest = len(things) - SHOWN
    more = ((_Line("s", f"另有 {rest} {unit}"),),) if rest > 0 else ()
    entries = (*map(entry, things[:SHOWN]), *more)
    return [_Panel(heading, entries, position=position)] if things else []


# -- Drawing -----------------------------------------------------------------------------------------

_LEGEND = {
    'class="back"': "◇ 为退回、异议或重新整改",
    "〔已封存〕": "〔已封存〕为您无权查看的文字",
    "〔已抹除〕": "〔已抹除〕为已依规抹除的文字",
}
WIDTH = 720
_MARGIN, _GAP = 12, 24
_SIDE = 200  # the width of the left and the right column
_MIDDLE = WIDTH - 2 * (_MARGIN + _SIDE + _GAP)
_X = (_MARGIN, _MARGIN + _SIDE + _GAP, WIDTH - _MARGIN - _SIDE)
_RAIL = _X[1] + 9
_PAD = 10
_SIZES = {"h1": 22, "k": 15, "h": 18, "t": 16, "q": 16, "s": 15}
_LEADING = 1.4
_MOST = {"t": 3, "q": 3, "s": 2}
"""How many lines one text of a kind may take in a box."""
STYLE = (
    "text{font-family:'PingFang SC','Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei',"
    "'WenQuanYi Micro Hei',system-ui,sans-serif;fill:#1b2127;white-space:pre}"
    ".h1{font-size:22px;font-weight:600}.h{font-size:18px;font-weight:600}"
    ".t{font-size:16px;font-weight:600}.s,.k{font-size:15px;fill:#4a525a}"
    ".q{font-size:16px;font-family:'Kaiti SC',KaiTi,STKaiti,'Noto Serif CJK SC',"
    "'WenQuanYi Micro Hei',serif}.end{text-anchor:end}.back-t{fill:#6b2a6e}"
    ".paper{fill:#fff}.box{fill:#fff;stroke:#7d7a71;stroke-width:1.25}"
    ".head{fill:#e4edf3;stroke:#1a4e70;stroke-width:1.5}"
    ".todo{fill:none;stroke:#7d7a71;stroke-width:1.25;stroke-dasharray:4 3}"
    ".edge{fill:none;stroke:#7d7a71;stroke-width:1.5}.rail{stroke:#1a4e70;stroke-width:2}"
    ".arrow{fill:#7d7a71}.turn{fill:#1a4e70}.back{fill:#fff;stroke:#6b2a6e;stroke-width:2.5}"
    ".small,.gap{fill:#fff;stroke:#7d7a71;stroke-width:1.5}"
    ".now{fill:#fff;stroke:#1a4e70;stroke-width:2.5;stroke-dasharray:3 2}"
)
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
"""For a content security policy that lets this style sheet in and nothing else."""


@dataclass
class _Sheet:
    """What is drawn so far, and how far down it reaches."""

    parts: list[str] = field(default_factory=list)
    bottom: float = 0

    def write(self, x: float, y: float, kind: str, text: str) -> None:
        """A line of writing; `y` is its base line."""
        if text:
            self.parts.append(f'<text x="{x:g}" y="{y:g}" class="{kind}">{_escaped(text)}</text>')

    def draw(self, part: str, down_to: float) -> None:
        """A shape."""
        self.parts.append(part)
        self.bottom = max(self.bottom, down_to)

    def frame(self, x: float, y: float, wide: float, high: float, inside: "_Sheet") -> None:
        """Something in a frame of its own: what does not fit is not seen."""
        place = f'x="{x:g}" y="{y:g}" width="{wide:g}" height="{high:g}"'
        self.draw(f'<svg {place} overflow="hidden">{"".join(inside.parts)}</svg>', y + high)


def _escaped(text: str) -> str:
    return escape(text, quote=False)


def picture(biography: Mapping[str, Any]) -> str:
    """The biography of an issue, all of its pages in one, as an SVG document.

    The same biography gives the same text. Days are the school's own (`zone`).
    """
    life = _Life(biography)
    steps = life.steps()
    heads, left, right = life.heads(), life.left(), life.right()
    title = _words(biography.get("title")) or "问题"
    stage = _STAGES.get(biography.get("stage") or "", "")
    sheet = _Sheet()
    top = _title(sheet, title, stage, life)
    top = _heads(sheet, heads, top) + 18
    tops = _timeline(sheet, steps, top)
    _sources(sheet, left, top, tops[0])
    _outcomes(sheet, right, top, [*zip((s.position for s in steps), tops, strict=False)])
    _foot(sheet, life)
    high = sheet.bottom + _MARGIN
    told = [
        *(f"{question}：{'，'.join(answers)}" for question, answers in heads),
        *map(str, left),
        f"经过：{'；'.join(map(str, steps)) or '尚无记录'}",
        *map(str, right),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {high:g}" role="img"'
        ' lang="zh-CN" xml:lang="zh-CN" aria-labelledby="picture-title picture-desc">'
        f'<title id="picture-title">{_escaped(title)}：来龙去脉</title>'
        f'<desc id="picture-desc">{_escaped("。".join(told))}。</desc>'
        f"<style>{STYLE}</style>"
        f'<rect class="paper" width="{WIDTH}" height="{high:g}"/>{"".join(sheet.parts)}</svg>\n'
    )


def _title(sheet: _Sheet, title: str, stage: str, life: _Life) -> float:
    """The heading; gives where the rest begins."""
    days = [life.day(event["at"]) for event in (*life.events[:1], *life.events[-1:])]
    span = " 至 ".join(dict.fromkeys(days))
    sheet.write(_MARGIN, 26, "k", _joined("　", "问题的来龙去脉", stage, span))
    y = 26.0
    for line in wrapped(title, (WIDTH - 2 * _MARGIN) / _SIZES["h1"], 2):
        y += 31
        sheet.write(_MARGIN, y, "h1", line)
    return y + 16


def _heads(sheet: _Sheet, heads: Iterable[tuple[str, list[str]]], top: float) -> float:
    """The three questions side by side; gives where they end."""
    boxes = []
    for (question, answers), wide in zip(heads, (_SIDE, _MIDDLE, _SIDE), strict=True):
        entry = tuple(_Line("s", answer) for answer in answers)
        boxes.append(_boxed(_Panel(question, (entry,), "head"), wide))
    high = max(high for _, high in boxes)
    for (inside, _), x, wide in zip(boxes, _X, (_SIDE, _MIDDLE, _SIDE), strict=True):
        _box(sheet, "head", x, top, wide, high)
        sheet.frame(x, top, wide, high, inside)
    for x in _X[1:]:
        _arrow(sheet, f"M{x - _GAP:g} {top + high / 2:g}", x, top + high / 2)
    return top + high


def _boxed(panel: _Panel, wide: float) -> tuple[_Sheet, float]:
    """The writing of a panel and how high it is."""
    inside = _Sheet()
    y = _PAD + 17.0
    inside.write(_PAD, y, "h", panel.heading)
    for n, entry in enumerate(panel.entries):
        y += 8 if n else 2
        for line in entry:
            size = _SIZES[line.kind]
            for part in wrapped(line.text, (wide - 2 * _PAD) / size, _MOST[line.kind]):
                y += size * _LEADING
                inside.write(_PAD, y, line.kind, part)
    return inside, y + _PAD + 2


def _box(sheet: _Sheet, kind: str, x: float, y: float, wide: float, high: float) -> None:
    place = f'x="{x:g}" y="{y:g}" width="{wide:g}" height="{high:g}" rx="4"'
    sheet.draw(f'<rect class="{kind}" {place}/>', y + high)


def _arrow(sheet: _Sheet, way: str, x: float, y: float, *, down: bool = False) -> None:
    """A line along a way to a point, and its head there, pointing right or down."""
    tip = f"{x:g} {y:g}"
    sheet.draw(f'<path class="edge" d="{way}L{tip}"/>', y)
    back = "l-5 -8h10z" if down else "l-8 -5v10z"
    sheet.draw(f'<path class="arrow" d="M{tip}{back}"/>', y)


def _timeline(sheet: _Sheet, steps: Sequence[_Step], top: float) -> list[float]:
    """The steps one below the other; gives the height of each one's mark, at least one."""
    x, wide = _X[1] + 26, _MIDDLE - 26
    tops: list[float] = []
    rail, marks, frames = len(sheet.parts), [], []
    y = top
    for step in steps:
        inside = _Sheet()
        size = _SIZES["t" if step.kind not in {"small", "gap"} else "s"]
        style = "s" if step.kind in {"small", "gap"} else "t"
        room = wide - (0 if not step.day else 5.8 * _SIZES["s"] + 8)
        below = 17.0
        words = wrapped(step.word, room / size, 3)
        for n, word in enumerate(words):
            below += size * _LEADING if n else 0
            inside.write(0, below, f"{style} back-t" if step.kind == "back" else style, word)
        inside.write(wide, 17, "s end", step.day)
        told = _joined(" · ", step.who, step.said)
        for line in wrapped(told, wide / _SIZES["s"], 3):
            below += _SIZES["s"] * _LEADING
            inside.write(0, below, "s", line)
        tops.append(y + 11)
        marks.append(_mark(step.kind, y + 11))
        frames.append((y, below + 6, inside))
        y += below + 15
    for part in marks:
        sheet.draw(part, y)
    for at, high, inside in frames:
        sheet.frame(x, at, wide, high, inside)
    line = f'<path class="edge rail" d="M{_RAIL} {tops[0]:g}V{tops[-1]:g}"/>'
    sheet.parts.insert(rail, line)
    return tops


def _mark(kind: str, y: float) -> str:
    """A step's mark on the rail: a disc, a rhombus where it went back, a small ring between steps."""
    if kind == "back":
        return f'<path class="back" d="M{_RAIL} {y - 9:g}l9 9l-9 9l-9 -9z"/>'
    radius = {"turn": 7, "now": 7}.get(kind, 4.5)
    return f'<circle class="{kind}" cx="{_RAIL}" cy="{y:g}" r="{radius:g}"/>'


def _sources(sheet: _Sheet, panels: Sequence[_Panel], top: float, first: float) -> None:
    """The left column, and its ways to the first step; opinions go there by their collation."""
    y = top
    gutter = _X[1] - _GAP / 2
    headings = [panel.heading for panel in panels]
    for n, panel in enumerate(panels):
        inside, high = _boxed(panel, _SIDE)
        _box(sheet, panel.kind, _X[0], y, _SIDE, high)
        sheet.frame(_X[0], y, _SIDE, high, inside)
        if panel.heading == "群众意见" and "汇总梳理" in headings:
            centre = _X[0] + _SIDE / 2
            _arrow(sheet, f"M{centre:g} {y + high:g}", centre, y + high + 22, down=True)
        else:
            start = max(first, y + 20) if n == 0 else y + 20
            way = f"M{_X[0] + _SIDE:g} {start:g}H{gutter:g}V{first:g}"
            _arrow(sheet, way, _RAIL - 8, first)
        y += high + 22


def _outcomes(
    sheet: _Sheet, panels: Iterable[_Panel], top: float, steps: Sequence[tuple[int, float]]
) -> None:
    """The right column, each panel as high as the step it followed on, or below the one before it.

    `steps` are positions of the log and where on the sheet they are.
    """
    y = top
    gutter = _X[2] - _GAP / 2
    for panel in sorted(panels, key=lambda panel: panel.position):
        passed = [at for position, at in steps if position <= panel.position]
        from_y = passed[-1] if passed else top + 11
        y = max(y, from_y - 11)
        inside, high = _boxed(panel, _SIDE)
        _box(sheet, panel.kind, _X[2], y, _SIDE, high)
        sheet.frame(_X[2], y, _SIDE, high, inside)
        start = f"M{_X[2] - _GAP + 5:g} {from_y:g}H{gutter:g}V{y + 20:g}"
        _arrow(sheet, start, _X[2], y + 20)
        y += high + 22


def _foot(sheet: _Sheet, life: _Life) -> None:
    """From which records it was drawn, and what the marks mean."""
    places = [event["position"] for event in life.events]
    said = [f"据第 {places[0]} 至 {places[-1]} 号共 {len(places)} 条记录绘制"] if places else []
    said += ["其后还有未绘出的记录"] if life.told.get("next") else []
    drawn = "".join(sheet.parts)
    said += [meaning for mark, meaning in _LEGEND.items() if mark in drawn]
    if zone := life.told.get("zone"):
        said.append(f"日期按学校所在时区（{clean(str(zone))}）")
    y = sheet.bottom + 12
    for line in wrapped("；".join(said) + "。", (WIDTH - 2 * _MARGIN) / _SIZES["s"], 4):
        y += _SIZES["s"] * _LEADING
        sheet.write(_MARGIN, y, "s", line)
    sheet.bottom = y
