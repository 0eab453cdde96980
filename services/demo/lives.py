"""How the demo's issues live: the steps an issue may take, and which issue takes which path."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from services.demo.cast import CLERKS, HEADMASTER, REVIEWERS, SECRETARY, SUPERVISORS, Cast, Matter
from services.demo.door import Line, Unexpected
from shared.runtime import now

NOTICE_CHECKS = 20  # how often to come back for a strike-off whose notice is not over

type Step = Callable[["Life"], Awaitable[None]]


@dataclass(frozen=True)
class Voice:
    """Somebody who spoke up: by account or by receipt code."""

    account: str = ""
    code: str = ""


@dataclass
class Life:
    """One issue, who has to do with it, and the line of requests that is its story."""

    line: Line
    cast: Cast
    matter: Matter
    id: str
    number: int
    today: date
    owner: str
    voices: list[Voice] = field(default_factory=list)
    lives: dict[str, "Life"] = field(default_factory=dict)
    child: "Life | None" = None
    judged: int = 0
    again: int = 0

    @property
    def worker(self) -> str:
        """Who does the work."""
        return self.cast.worker(self.matter.department)

    @property
    def reviewer(self) -> str:
        """Who checks it."""
        return REVIEWERS[self.number % len(REVIEWERS)]

    @property
    def leader(self) -> str:
        """Who answers for it."""
        return (SECRETARY, HEADMASTER)[self.number % 2]

    @property
    def supervisor(self) -> str:
        """Who looks after it from outside."""
        return SUPERVISORS[self.number % len(SUPERVISORS)]

    @property
    def clerk(self) -> str:
        """Who keeps its papers."""
        return CLERKS[self.number % len(CLERKS)]

    def person(self, key: str) -> str:
        """Somebody's id."""
        return self.cast.people[key]

    async def do(
        self, who: str, act: str, body: object = None, *, aware: bool = False
    ) -> dict[str, Any]:
        """Have something done to the issue."""
        return await self.line.do(who, f"issues/{self.id}/{act}", body, aware=aware)

    async def refused(
        self, rule: str, what: str, expected: str, who: str, act: str, body: object = None
    ) -> None:
        """Try on the issue what must not work."""
        await self.line.refused(rule, what, expected, who, f"issues/{self.id}/{act}", body)

    async def by_originator(self, voice: Voice, act: str, body: dict[str, Any]) -> None:
        """Let somebody who spoke up act on the issue."""
        if voice.code:
            receipt = {"code": voice.code, "issue": self.id}
            await self.line.do(None, f"receipts/{act}", {**body, **receipt})
        else:
            await self.do(voice.account, act, body, aware=True)

    def photo(self, phase: str) -> str:
        """The hash of a photograph."""
        return sha256(f"{self.id} {phase} {self.again}".encode()).hexdigest()


# -- Owned ---------------------------------------------------------------------------------------


async def claim(life: Life) -> None:
    """Its owner takes it on."""
    await life.do(life.owner, "claim")


async def assign(life: Life) -> None:
    """A leader tells its owner to take it on."""
    body = {"owner": life.person(life.owner), "reason": "涉及几个部门，请你牵头办理"}
    await life.do(life.leader, "assign", body)


async def decline(life: Life) -> None:
    """Its owner gives it back."""
    await life.do(life.owner, "decline", {"reason": "主要职责不在本部门，建议由分管领导牵头"})


async def fall_to_the_overseer(life: Life) -> None:
    """Whoever oversees the department is its owner from now on."""
    life.owner = life.cast.overseer(life.matter.department)


async def hand_over(life: Life) -> None:
    """Its owner hands it over to whoever does the work."""
    body = {"to": life.person(life.worker), "reason": "外出学习一个月，移交具体经办人"}
    await life.do(life.owner, "transfer", body)
    life.owner = life.worker


# -- Planned and put right -----------------------------------------------------------------------


def _task_sheet(life: Life, **changes: object) -> dict[str, Any]:
    measure = {
        "text": life.matter.measure,
        "owner": life.person(life.worker),
        "begins_on": life.today.isoformat(),
        "due_on": (life.today + timedelta(days=5)).isoformat(),
        "deliverable": life.matter.deliverable,
    }
    return {
        "mode": "immediate" if life.number % 3 == 0 else "time_limited",
        "measures": [measure],
        "reviewer": life.person(life.reviewer),
        "accountable_leader": life.person(life.leader),
        "responsible_department": life.cast.units[life.matter.department],
        **changes,
    }


async def plan(life: Life) -> None:
    """What will be done, by whom, until when, and who will check it."""
    await life.do(life.owner, "plan-measures", _task_sheet(life))


async def plan_anew(life: Life) -> None:
    """Other measures for the same deadline."""
    sheet = _task_sheet(life)
    more = {
        **sheet["measures"][0],
        "text": "每两周在教职工会上通报一次进展",
        "deliverable": "通报记录",
    }
    await life.do(life.owner, "plan-measures", {**sheet, "measures": [*sheet["measures"], more]})


async def start(life: Life) -> None:
    """The work begins."""
    await life.do(life.owner, "start-rectification")


async def report(life: Life) -> None:
    """How it goes."""
    await life.do(life.worker, "report-progress", {"text": f"正在落实：{life.matter.measure}"})


async def show_before(life: Life) -> None:
    """A picture of how it was."""
    await _show(life, "before", "整改前.jpg")


async def show(life: Life) -> None:
    """A picture of how it is now."""
    await _show(life, "after", "整改后.jpg")


async def _show(life: Life, phase: str, name: str) -> None:
    evidence = {"sha256": life.photo(phase), "phase": phase, "media_type": "image/jpeg"}
    await life.do(life.worker, "add-evidence", {**evidence, "name": name})


async def ask_for_time(life: Life) -> None:
    """Its owner asks for more time."""
    until = (life.today + timedelta(days=75)).isoformat()
    body = {"until": until, "reason": "设备到货和施工须避开考试周"}
    await life.do(life.owner, "request-extension", body)


async def grant_time(life: Life) -> None:
    """There is more time."""
    await life.do(life.leader, "grant-extension", {"remarks": "同意，每周报一次进度"})


async def refuse_time(life: Life) -> None:
    """There is no more time."""
    await life.do(life.supervisor, "refuse-extension", {"reason": "条件已经具备，应当按期完成"})


# -- Checked and struck off ----------------------------------------------------------------------


async def request(life: Life) -> None:
    """Its owner says that it is put right, and shows it."""
    body = {"statement": f"已完成：{life.matter.deliverable}", "evidence": [life.photo("after")]}
    await life.do(life.owner, "request-strike-off", body)


async def send_back(life: Life) -> None:
    """The reviewer finds that it is not."""
    body = {"code": "only_on_paper", "reason": "现场与材料不符，请补齐后再报"}
    await life.do(life.reviewer, "return", body)


async def verify(life: Life) -> None:
    """The reviewer finds that it is."""
    await life.do(life.reviewer, "verify", {"finding": life.matter.result})


async def verify_from_outside(life: Life) -> None:
    """The supervision group finds that it is."""
    await life.do(life.supervisor, "verify", {"finding": life.matter.result})


async def publish(life: Life) -> None:
    """Everybody may see it before it is struck off."""
    await life.do(life.clerk, "publish-notice", {"text": f"拟销号：{life.matter.title}"})


async def strike_off(life: Life) -> None:
    """It leaves the ledger, as soon as the notice is over."""
    await _after_the_notice(life)


async def _after_the_notice(life: Life, otherwise: str = "") -> None:
    """Strike off when the notice is over, or be refused for another reason."""
    for _ in range(NOTICE_CHECKS):
        answer = await life.line.ask(life.leader, "POST", f"issues/{life.id}/strike-off", json={})
        told = answer.json()
        if answer.is_success or told["code"] == otherwise:
            return
        if told["code"] != "notice-not-over":
            break
        left = datetime.fromisoformat(told["detail"]) - now()
        await asyncio.sleep(max(left.total_seconds(), 0) + 0.02)
    msg = f"{life.matter.theme}: {answer.text[:300]}"
    raise Unexpected(msg)


# -- Objected to ---------------------------------------------------------------------------------


async def objection(life: Life) -> None:
    """A teacher objects."""
    await life.do("p60", "raise-objection", {"text": "公示的情况和我看到的不一样，请再核实"})


async def objection_by_originator(life: Life) -> None:
    """Somebody who spoke up objects."""
    body = {"text": "上周又看到一次，没有改到位"}
    await life.by_originator(life.voices[0], "raise-objection", body)


async def uphold(life: Life) -> None:
    """The objection is right."""
    await life.do(life.supervisor, "uphold-objection", {"answer": "经核实属实，退回继续整改"})


async def dismiss(life: Life) -> None:
    """The objection is not right."""
    answer = "已当面核对，所指为整改前的情况，向异议人作了说明"
    await life.do(life.supervisor, "dismiss-objection", {"answer": answer})


# -- Judged --------------------------------------------------------------------------------------


def verdict(solved: str, satisfied: str, comment: str) -> Step:
    """The next one who spoke up judges the outcome; nobody, when all have."""

    async def judge(life: Life) -> None:
        if life.judged < len(life.voices):
            voice = life.voices[life.judged]
            body = {"solved": solved, "satisfied": satisfied, "comment": comment}
            await life.by_originator(voice, "record-verdict", body)
            life.judged += 1

    return judge


pleased = verdict("solved", "satisfied", "确实改了，谢谢")
rather_pleased = verdict("solved", "basically_satisfied", "改了，希望能坚持下去")
partly = verdict("partly_solved", "basically_satisfied", "好了一些，还有一部分没有到位")
displeased = verdict("partly_solved", "dissatisfied", "拖得太久了")
not_solved = verdict("unsolved", "dissatisfied", "才两个星期又和原来一样了")


async def verdict_of_a_merged_issue(life: Life) -> None:
    """Somebody whose issue was merged into this one judges it too."""
    body = {"solved": "solved", "satisfied": "satisfied", "comment": "群里清静多了"}
    await life.by_originator(life.lives["check-in-apps"].voices[0], "record-verdict", body)


def reopen(cause: str, reason: str) -> Step:
    """Take it up again; those who spoke up will judge anew."""

    async def again(life: Life) -> None:
        await life.do(life.clerk, "reopen", {"cause": cause, "reason": reason})
        life.judged, life.again = 0, life.again + 1

    return again


def look_back(*, relapse: bool) -> Step:
    """Go and see after a while whether it held."""

    async def look(life: Life) -> None:
        body = {
            "measures_concrete": True,
            "solved_on_time": True,
            "accepted_by_the_masses": not relapse,
            "rules_in_force": not relapse,
            "relapse": relapse,
            "finding": "回头看：又有反弹" if relapse else "回头看：措施还在执行，师生认可",
        }
        await life.do(life.supervisor, "look-back", body)

    return look


# -- Other endings -------------------------------------------------------------------------------


async def long_term(life: Life) -> None:
    """It takes long."""
    body = {"reason": "涉及下一年度预算", "stage_goal": "学期末完成方案和预算申报"}
    await life.do(life.leader, "convert-to-long-term", body)


async def not_possible(life: Life) -> None:
    """It cannot be done, and why."""
    body = {"explanation": "体检周期由上级统一核定，学校无权改为一年一检；走访和代办已先行落实"}
    await life.do(life.leader, "explain-not-possible", body)


async def merge_into_forms(life: Life) -> None:
    """It is the same as another one."""
    into = life.lives["forms-burden"].id
    body = {"into": into, "reason": "都是向教师层层摊派，合并整改"}
    await life.do(life.clerk, "merge", body, aware=True)


async def correct(life: Life) -> None:
    """A slip of the pen is put right."""
    body = {
        "title": f"{life.matter.title}（含网上学习刷分）",
        "winds": life.matter.winds,
        "not_four_winds": not life.matter.winds,
        "topics": life.matter.topics,
        "key_issue": True,
        "strongly_reflected": life.matter.strongly_reflected,
        "reason": "立项时漏写了网上学习",
    }
    await life.do(life.clerk, "correct", body)


async def void(life: Life) -> None:
    """It should never have been on the ledger."""
    await life.do(SECRETARY, "void", {"reason": "与另一问题重复登记"})


# -- A sub-issue ---------------------------------------------------------------------------------


async def split_off(life: Life) -> None:
    """A part of it becomes an issue of its own."""
    part = replace(
        life.matter,
        title="早晚餐有中午剩菜回锅现象",
        measure="剩菜当餐清零并登记去向，值日领导每餐抽看",
        deliverable="剩菜处理登记本",
        result="抽查六餐，剩菜均有去向，未再发现回锅",
    )
    body = {
        "title": part.title,
        "addressee": "team",
        "not_four_winds": True,
        "topics": ["canteen"],
        "discovery": "collectively_discussed",
        "sources": [{"kind": "issue", "id": life.id}],
        "parent": life.id,
    }
    opened = await life.line.do(life.clerk, "issues", body)
    number = life.number + len(REVIEWERS) // 2
    life.child = Life(life.line, life.cast, part, opened["id"], number, life.today, life.owner)


async def child_goes_on_notice(life: Life) -> None:
    """The sub-issue is put right first."""
    for step in (assign, plan, start, show, request, verify, publish):
        await step(_child(life))


async def refused_while_the_child_is_open(life: Life) -> None:
    """A parent with an open sub-issue cannot be struck off."""
    await _after_the_notice(life, otherwise="open-sub-issues")
    await life.refused(
        "R43", "子问题未办结，母问题销号", "open-sub-issues", life.leader, "strike-off"
    )


async def child_is_struck_off(life: Life) -> None:
    """The sub-issue leaves the ledger."""
    await strike_off(_child(life))


def _child(life: Life) -> Life:
    if life.child is None:
        msg = f"{life.matter.theme} has no sub-issue"
        raise Unexpected(msg)
    return life.child


# -- What must not work --------------------------------------------------------------------------


async def refused_start(life: Life) -> None:
    """No work without a plan."""
    await life.refused(
        "R92", "没有任务书就开始整改", "no-plan-yet", life.owner, "start-rectification"
    )


async def refused_taking_over(life: Life) -> None:
    """What somebody holds is not claimed."""
    await life.refused("", "认领已有责任人的问题", "already-owned", "p40", "claim")


async def refused_own_reviewer(life: Life) -> None:
    """Nobody checks their own work."""
    sheet = _task_sheet(life, reviewer=life.person(life.owner))
    what = "责任人指定自己为复核人"
    await life.refused("四眼", what, "four-eyes", life.owner, "plan-measures", sheet)


async def refused_strike_off(life: Life) -> None:
    """Nothing is struck off unverified, nor by just anybody."""
    await life.refused("R43", "未经验收就销号", "not-verified", SECRETARY, "strike-off")
    await life.refused("权限", "普通教师销号", "not-allowed", "p40", "strike-off")


async def refused_verification(life: Life) -> None:
    """Only the reviewer checks, and never the owner."""
    body = {"finding": "我看可以"}
    await life.refused("四眼", "责任人自己验收", "four-eyes", life.owner, "verify", body)
    await life.refused("R43", "不是复核人的人验收", "not-the-reviewer", "p40", "verify", body)


async def refused_before_the_notice(life: Life) -> None:
    """Nothing is struck off unpublished."""
    await life.refused("R43", "未公示就销号", "not-published", SECRETARY, "strike-off")


async def refused_during_the_notice(life: Life) -> None:
    """Nothing is struck off before the notice is over."""
    await life.refused("R43", "公示期未满就销号", "notice-not-over", SECRETARY, "strike-off")


async def refused_to_others(life: Life) -> None:
    """A personal issue is claimed by the person."""
    what = "认领别人的个人问题"
    await life.refused("R33", what, "addressed-to-another", SECRETARY, "claim")


async def refused_once_merged(life: Life) -> None:
    """A merged issue only points to where it went."""
    await life.refused("", "对已并入的问题再操作", "merged-elsewhere", life.owner, "claim")


async def refused_verdicts(life: Life) -> None:
    """Only those who spoke up judge, each once, and nothing is reopened without grounds."""
    body = {"solved": "solved", "satisfied": "satisfied"}
    what = "没有反映过的人评判"
    await life.refused("R05", what, "not-an-originator", "p21", "record-verdict", body)
    what = "代录意见的工作人员评判"
    await life.refused("R05", what, "not-an-originator", life.clerk, "record-verdict", body)
    again = {"cause": "relapse", "reason": "再查一遍"}
    await life.refused("", "没有依据就重新整改", "no-grounds", life.clerk, "reopen", again)


async def refused_own_voiding(life: Life) -> None:
    """Whoever entered it does not void it."""
    body = {"reason": "登记错了"}
    await life.refused("四眼", "立项人自己作废", "four-eyes", life.clerk, "void", body)


# -- The plot ------------------------------------------------------------------------------------

WORK: tuple[Step, ...] = (plan, start, report, show)
CHECK: tuple[Step, ...] = (request, verify, publish, strike_off)
DONE: tuple[Step, ...] = (claim, *WORK, *CHECK)
BACK: tuple[Step, ...] = (request, send_back, report)

HERO = "dorm-hot-water"
"""Whose life is told at the end."""

FIRST: dict[str, tuple[Step, ...]] = {
    "head-teacher-allowance": (
        refused_start, claim, refused_taking_over, refused_own_reviewer, *WORK, refused_strike_off,
        request, refused_verification, verify, refused_before_the_notice,
        publish, refused_during_the_notice,
    ),
    "check-in-apps": (claim, merge_into_forms, refused_once_merged),
}  # fmt: skip
"""What happens before the public notice is made short, one after the other."""

OBJECTED: dict[str, tuple[Step, ...]] = {
    HERO: (
        claim, plan, start, show_before, report, ask_for_time, grant_time, show, *BACK, request,
        verify, publish, objection, dismiss,
    ),
    "official-car": (claim, *WORK, request, verify, publish, objection_by_originator, uphold),
}  # fmt: skip
"""What happens before the crowd comes: an objection has to be in before the notice is over."""

PLOT: dict[str, tuple[Step, ...]] = {
    HERO: (
        strike_off, not_solved,
        reopen("verdict_unsolved", "意见人反映又停热水，重新整改"),
        *WORK, *CHECK, pleased, rather_pleased,
    ),
    "canteen-food": (
        claim, *WORK, split_off, child_goes_on_notice, request, verify, publish,
        refused_while_the_child_is_open, child_is_struck_off, strike_off, pleased, rather_pleased,
    ),
    "canteen-queue": (assign, decline, fall_to_the_overseer, *DONE, partly),
    "canteen-hygiene": (refused_to_others, *DONE, pleased),
    "leader-canteen": (
        *DONE, objection, uphold, reopen("objection_upheld", "陪餐又改回小间，异议成立"),
        *WORK, *CHECK, pleased,
    ),
    "canteen-staff-pay": (*DONE, pleased),
    "dorm-management": (claim, *WORK, *BACK, *BACK, *CHECK, rather_pleased),
    "dorm-crowded": (claim, plan, start, long_term),
    "homework-load": (*DONE, pleased, look_back(relapse=False)),
    "supplementary-lessons": (
        *DONE, pleased, look_back(relapse=True), reopen("relapse", "寒假又变相补课"), plan, start,
    ),
    "too-many-meetings": (*DONE, pleased, rather_pleased),
    "forms-burden": (*DONE, verdict_of_a_merged_issue, displeased),
    "study-notes": (correct, *DONE, pleased),
    "inspection-show": (
        claim, plan, start, ask_for_time, refuse_time, report, show, *CHECK, pleased,
    ),
    "official-car": (*CHECK, pleased),
    "banquets": (*DONE, pleased),
    "office-size": DONE,
    "study-tours": (claim, plan),
    "appraisal-titles": (claim, plan, start, ask_for_time, grant_time, report),
    "year-end-excellent": (claim, plan, start, report, hand_over),
    "overtime": (claim, *WORK, request),
    "reimbursement": (claim, plan, plan_anew, start, report, show, *CHECK, pleased),
    "finance-transparency": (assign, *WORK, *CHECK, partly),
    "leaders-in-classroom": (claim, *WORK, *BACK, *CHECK, rather_pleased),
    "leader-communication": (claim, decline, assign, *WORK, *CHECK, pleased),
    "leader-attitude": (claim, *WORK, request, verify_from_outside, publish, strike_off, partly),
    "notice-last-minute": (claim, plan, start, hand_over, report, show, *CHECK, pleased),
    "suggestion-no-reply": (*DONE, pleased),
    "uniforms": (claim, plan, start, report),
    "gate-safety": (*DONE, refused_verdicts, pleased),
    "parking": DONE,
    "bullying": (claim, *WORK, request, verify),
    "classroom-heat": (claim, plan, start, report, long_term),
    "toilets": (*DONE, pleased),
    "library": DONE,
    "lab": (claim, plan, start, ask_for_time, refuse_time, ask_for_time),
    "sports": (*DONE, pleased),
    "open-class-show": (assign, hand_over, *WORK, *CHECK),
    "ceremonies": (*DONE, displeased),
    "retired-staff": (claim, not_possible, displeased),
    "branch-life": DONE,
    "equipment-repair": (),
}  # fmt: skip
"""Which issue takes which path; all at the same time."""

BY_MISTAKE: tuple[Step, ...] = (refused_own_voiding, void)
FROM_INSPECTION: tuple[Step, ...] = (assign, *WORK, *CHECK)
NOBODYS: tuple[Step, ...] = (assign, plan, start)


async def live(life: Life, path: tuple[Step, ...]) -> None:
    """Take the steps of a path, one after the other."""
    for step in path:
        await step(life)
