"""An issue's life in the words of a school, read from a biography as its reader was given it. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from services.gateway.lettering import joined, quoted, words

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
STAGES = {
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
CHANNELS = {
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
SOURCES = {
    "talk": "谈心谈话",
    "meeting": "会议",
    "visit": "走访活动",
    "inspection": "督导检查",
    "issue": "另一问题",
}
_RAISED_IN = {"visit": "activity"}  # where the category of the stream is another word
FOUND = {
    "raised_by_public": "群众提",
    "self_found": "自己找",
    "peer_raised": "互相帮",
    "superior_pointed": "上级点",
    "collectively_discussed": "集体议",
}
SOLVED = {"solved": "已解决", "partly_solved": "部分解决", "unsolved": "未解决"}
SATISFIED = {"satisfied": "满意", "basically_satisfied": "基本满意", "dissatisfied": "不满意"}
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


@dataclass(frozen=True)
class Line:
    """A line of writing: `kind` is its class in the style sheet."""

    kind: str
    text: str


@dataclass(frozen=True)
class Step:
    """Something that happened to the issue, or several small things between two steps."""

    word: str
    day: str = ""
    who: str = ""
    said: str = ""
    kind: str = "turn"
    position: int = 0

    def __str__(self) -> str:
        """The step in words."""
        return joined("，", joined(" ", self.day, self.word), self.who, self.said)


@dataclass(frozen=True)
class Panel:
    """A box with a heading and entries, each some lines; `position` is when it came about."""

    heading: str
    entries: tuple[tuple[Line, ...], ...]
    kind: str = "box"
    position: int = 0

    def __str__(self) -> str:
        """What stands in it."""
        entries = ("，".join(line.text for line in entry) for entry in self.entries)
        return f"{self.heading}：{'；'.join(entries)}"


@dataclass(frozen=True)
class Life:
    """A biography, read for drawing."""

    told: Mapping[str, Any]

    @property
    def events(self) -> Sequence[Mapping[str, Any]]:
        """All that happened, over all services."""
        return self.told.get("items") or ()

    @property
    def stream(self) -> str:
        """The issue's own stream."""
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
        return _ROLES.get(person) or words((self.told.get("names") or {}).get(person))

    def who(self, event: Mapping[str, Any]) -> str:
        """Who did it, or on whose behalf a service did."""
        return self.name(event.get("on_behalf_of")) or self.name(event.get("actor"))

    def last(self, field: str) -> str:
        """The name in the latest event of the issue that has this field."""
        named = (self.name(event["event"].get(field)) for event in reversed(self.own))
        return next(filter(None, named), "")

    def step(self, event: Mapping[str, Any]) -> Step:
        """One step, in words."""
        kind = _what(event)
        said = event["event"]
        detail = next((w for name in _SAID if (w := words(said.get(name)))), "")
        code = _CODES.get(said.get("code") or said.get("cause") or "", "")
        match kind:
            case "measures-planned":
                count = len(said.get("measures") or ())
                until = [m["due_on"] for m in said.get("measures") or () if m.get("due_on")]
                detail = f"{_CODES.get(said.get('mode') or '', '')} {count} 项措施".strip()
                detail += f"，{max(until)} 前完成" if until else ""
            case "assigned" | "transferred":
                detail = joined("，", f"责任人 {self.name(said['owner'])}", detail)
            case "notice-published" | "struck-off" | "extension-granted":
                until_when = said.get("until") or said.get("verdicts_until") or {}
                until_when = until_when or (said.get("watch") or {}).get("due") or {}
                label = {"notice-published": "公示至", "struck-off": "评判至"}.get(kind, "延至")
                detail = f"{label} {until_when['on']}" if "on" in until_when else ""
            case "merged":
                detail = joined("，", "并入另一问题", detail)
            case "looked-back":
                detail = joined("，", "发现反弹" if said["relapse"] else "", detail)
            case _:
                detail = joined("：", code, detail)
        times = said.get("times") or 0
        told = joined(" · ", f"第 {times} 次" if times > 1 else "", detail)
        day = self.day(event["at"])
        back = "back" if kind in _BACK else "turn"
        return Step(STEPS.get(kind, kind), day, self.who(event), told, back, event["position"])

    def steps(self) -> list[Step]:
        """The way of the issue: its steps, and in one line each what was done between two of them."""
        steps: list[Step] = []
        for between, some in groupby(self._on_the_way(), lambda e: _what(e) in _BETWEEN):
            if between:
                steps.append(self._small(list(some)))
            else:
                steps += (self.step(event) for event in some)
        if (stage := self.told.get("stage")) not in _ENDED or not steps:
            now = f"现在：{STAGES[stage]}" if stage in STAGES else "尚无记录"
            steps.append(Step(now, said=self._due(), kind="now", position=_NEVER))
        if len(steps) > FIRST + LAST:
            middle = steps[FIRST:-LAST]
            back = Counter(s.word for s in middle if s.kind == "back")
            counts = "、".join(f"{word} {n} 次" for word, n in sorted(back.items()))
            note = f"其间另有 {len(middle)} 步"
            told = f"其中{counts}" if counts else ""
            gap = Step(note, said=told, kind="gap", position=middle[0].position)
            steps = [*steps[:FIRST], gap, *steps[-LAST:]]
        return steps

    def _due(self) -> str:
        """Until when what comes next is due, where it has a day."""
        watches = [e["event"]["watch"] for e in self.own if e["event"].get("watch")]
        timed = watches and self.told.get("stage") in _TIMED
        return f"期限 {watches[-1]['due']['on']}" if timed else ""

    def _on_the_way(self) -> list[Mapping[str, Any]]:
        return [e for e in self.own if e["type"] != _VERDICT]

    def _small(self, some: Sequence[Mapping[str, Any]]) -> Step:
        counts = Counter(STEPS.get(_what(event), _what(event)) for event in some)
        word = "、".join(f"{word} {n} 次" for word, n in counts.items())
        day = self.day(some[-1]["at"])
        return Step(word, day, kind="small", position=some[0]["position"])

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
            CHANNELS[e["event"]["channel"]] for e in self.opinions() if "channel" in e["event"]
        )
        kinds = Counter(SOURCES.get(s["kind"], s["kind"]) for s in self.sources())
        found = [FOUND.get(e["event"].get("discovery") or "", "") for e in self.own[:1]]
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
            told = "，".join(f"{zh} {solved[w]} {unit}" for w, zh in SOLVED.items() if solved[w])
            judged.append(f"群众：{told}")
        return judged

    def left(self) -> list[Panel]:
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

    def _opinion(self, event: Mapping[str, Any]) -> tuple[Line, ...]:
        said = event["event"]
        later = [_what(e) for e in self.events if e["stream"] == event["stream"]]
        became = [_FATES[what] for what in later if what in _FATES]
        channel = CHANNELS.get(said.get("channel") or "", "")
        label = joined(" ", channel, self.day(event["at"]), *became)
        verbatim = quoted(said.get("verbatim_text", said))
        who = self.who(event)
        own = said.get("recorded_by_clerk") is False  # of what is sealed only a clerk is named
        by = f"{'提出' if own else '登记'} {who}" if who and who not in _ROLES.values() else ""
        return (Line("s", label), Line("q", verbatim), *_line("s", by))

    def _dated(self, event: Mapping[str, Any]) -> tuple[Line, ...]:
        return (Line("s", self.day(event["at"])), *_line("s", self.who(event)))

    def _source(self, source: Mapping[str, Any]) -> tuple[Line, ...]:
        kind = source["kind"]
        stream = f"{_RAISED_IN.get(kind, kind)}.{source['id']}"
        raised = [e for e in self.events if e["stream"] == stream]
        dated = self._dated(raised[0]) if raised else ()
        return (Line("t", SOURCES.get(kind, kind)), *dated)

    def right(self) -> list[Panel]:
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
            panels.append(Panel("群众评判", ((Line("s", note),),), "todo", last))
        return panels

    def _since(self, stream: str) -> int:
        """The position of the first event of such a stream, 0 where none is told of."""
        return next((e["position"] for e in self.events if e["stream"].startswith(stream)), 0)

    def _planned(self, line: Mapping[str, Any]) -> tuple[Line, ...]:
        stage = STAGES.get(line.get("stage") or "", "")
        by = joined(" ", self.name(line.get("owner")), f"至 {line['due_on']}", stage)
        return (Line("t", words(line.get("task"))), Line("s", by))

    def _verdict(self, event: Mapping[str, Any]) -> tuple[Line, ...]:
        said = event["event"]
        told = f"{SOLVED[said['solved']]}，{SATISFIED[said['satisfied']]}"
        who = self.name(said.get("originator")) or self.who(event)
        by = joined(" ", who, self.day(event["at"]))
        return (Line("t", told), *_line("q", quoted(said.get("comment"))), Line("s", by))


def _what(event: Mapping[str, Any]) -> str:
    """What happened, by the name in the event's TYPE."""
    return str(event["type"]).split(".")[2]


def _unit(verdicts: Iterable[Mapping[str, Any]]) -> str:
    """Verdicts are counted by people, where it is not known who judged by times."""
    return "人" if all(e["event"].get("originator") for e in verdicts) else "次"


def _line(kind: str, text: str) -> tuple[Line, ...]:
    return (Line(kind, text),) if text else ()


def _labelled(label: str, text: str) -> list[str]:
    return [f"{label} {text}"] if text else []


def _issue(told: Mapping[str, Any]) -> tuple[Line, ...]:
    stage = STAGES.get(told.get("stage") or "", "")
    return (Line("t", words(told.get("title"))), *_line("s", stage))


def _rule(told: Mapping[str, Any]) -> tuple[Line, ...]:
    stage = STAGES.get(told.get("stage") or "", "")
    since = told.get("in_force_on")
    state = joined(" ", stage, f"{since} 起施行" if since else "")
    return (Line("t", words(told.get("title"))), *_line("s", state))


def _listed(
    heading: str,
    things: Sequence[Mapping[str, Any]],
    entry: Callable[[Mapping[str, Any]], tuple[Line, ...]],
    unit: str,
    position: int = 0,
) -> list[Panel]:
    """A panel with the first of some things and how many more there are; none where there is nothing."""
    rest = len(things) - SHOWN
    more = ((Line("s", f"另有 {rest} {unit}"),),) if rest > 0 else ()
    entries = (*map(entry, things[:SHOWN]), *more)
    return [Panel(heading, entries, position=position)] if things else []
