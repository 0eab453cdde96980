"""The views: what an issue, an opinion, a plan and a regulation look like after what happened."""

from collections import deque
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any

import pytest

from services.feedback.events import (
    CollationClosed,
    CollationOpened,
    CollationVoided,
    OpinionSubmitted,
)
from services.rectification import projection
from services.rectification.app import service
from services.rectification.domain import issue
from services.rectification.events import (
    Concern,
    ExtensionGranted,
    ExtensionRefused,
    ExtensionRequested,
    IssueAssigned,
    IssueCalledToAccount,
    IssueCorrected,
    IssueDeclined,
    IssueEvent,
    IssueReminded,
    IssueReopened,
    IssueReturned,
    IssueTransferred,
    LookedBack,
    Mode,
    ObjectionDismissed,
    ObjectionUpheld,
    PlanEvent,
    PlanLine,
    PlanLineRemoved,
    PlanLineSet,
    ProgressReported,
    RectificationPlanAdopted,
    RectificationPlanCorrected,
    RectificationPlanDrafted,
    RectificationPlanReopened,
    RectificationPlanVoided,
    RegulationAbolished,
    RegulationAdopted,
    RegulationCorrected,
    RegulationDrafted,
    RegulationEvent,
    RegulationRevised,
    RegulationVoided,
    ReopenCause,
    ReturnReason,
    Satisfied,
    Solved,
    Stage,
    VerdictRecorded,
)
from services.rectification.policy import timers
from services.rectification.projection import NOT_ENDED, TIMED, IssueCard, issue_card
from shared.decider import Event, Forget, Remind
from shared.envelope import Record
from tests.memory import record
from tests.rectification.cast import (
    AWAITING,
    COLLATOR,
    LATER,
    LONG_TERM,
    MEMBER,
    MERGED,
    NOON,
    NOT_POSSIBLE,
    ON_NOTICE,
    OPEN,
    ORIGINATOR,
    OWNED,
    OWNER,
    PLANNED,
    RECEIPT,
    REVIEWER,
    SHOWN,
    STAGES,
    STRUCK_OFF,
    TODAY,
    UNDERWAY,
    VERIFIED,
    VOIDED,
    about_member,
    due,
    objected,
    on,
    opened,
    planned,
    started,
    watch,
)
from tests.rectification.memory import log
from tests.rectification.test_laws import ISSUE, standing

MORE_TIME = ExtensionRequested(until=date(2023, 6, 16), reason="厂家延期供货")
SEEN = LookedBack(
    measures_concrete=True,
    solved_on_time=True,
    accepted_by_the_masses=False,
    rules_in_force=True,
    relapse=True,
    finding="开学后又没有热水",
)
REOPENED = IssueReopened(
    cause=ReopenCause.relapse,
    reason="问题反弹",
    owner=OWNER,
    times=1,
    watch=watch(due("plan_within", LATER), LATER),
)


def card(*past: Event) -> IssueCard:
    found: IssueCard | None = None
    for one in log(*(("issue-1", event) for event in past)):
        found = issue_card(found, one)
    assert found is not None
    return found


# -- The card and the state ------------------------------------------------------------------------

STAGE_OF: dict[type, Stage] = {
    issue.Open: "open",
    issue.Owned: "owned",
    issue.Planned: "planned",
    issue.Underway: "underway",
    issue.StrikeOffAsked: "awaiting_verification",
    issue.Verified: "verified",
    issue.OnNotice: "on_notice",
    issue.StruckOff: "struck_off",
    issue.LongTerm: "long_term",
    issue.NotPossible: "not_possible",
    issue.Merged: "merged",
    issue.Voided: "voided",
}
"""What the ledger calls where an issue stands."""

type Walk = tuple[Any, IssueCard | None, frozenset[Concern]]
"""The state, the card beside it, and what the timers that are set are about."""
type Stride = tuple[Event, Any, IssueCard, frozenset[Concern]]


@cache
def strides() -> list[Stride]:
    """Every reachable step of an issue, its card and its timers kept beside the state."""
    start: Walk = (ISSUE.decider.initial, None, frozenset())
    seen: set[object] = set()
    frontier = deque([start])
    taken: list[Stride] = []
    while frontier:
        state, before, ticking = frontier.popleft()
        for command in ISSUE.commands:
            if event := ISSUE.attempt(command, state):
                told = record(event, "issue-1", 1, by=command.by, noon=NOON)
                after, line = ISSUE.decider.evolve(state, event), issue_card(before, told)
                assert line is not None
                now = _ticking(ticking, told)
                taken.append((event, after, line, now))
                place = (standing(after), standing_of(line), now)
                if place not in seen:
                    seen.add(place)
                    frontier.append((after, line, now))
    return taken


def standing_of(line: IssueCard) -> object:
    due_on = line.due and line.due.on
    asked = (line.extension_asked, line.looked_back, line.relapse)
    return (line.stage, line.owner, due_on, bool(line.evidence), asked)


def _ticking(ticking: frozenset[Concern], told: Record) -> frozenset[Concern]:
    for timer in timers(told):
        match timer:
            case Remind(name="urge", body=body):
                ticking = frozenset({Concern(str(body["concern"]))})
            case Forget(name="urge"):
                ticking = frozenset()
            case _:
                pass
    return ticking


def test_the_ledger_says_what_the_rules_go_by() -> None:
    for event, state, line, _ in strides():
        assert line.stage == STAGE_OF[type(state)], event
        if hasattr(state, "owner"):
            assert line.owner == state.owner, event
        if hasattr(state, "evidence"):
            assert line.evidence == state.evidence, event
        if hasattr(state, "plan"):
            assert line.first_due == state.plan.first_due, event
        assert line.due == (state.watch.due if hasattr(state, "watch") else None), event


def test_the_ledger_shows_as_waiting_what_the_rules_wait_for() -> None:
    for event, state, line, _ in strides():
        extension = getattr(state, "extension", None)
        objection = getattr(state, "objection", None)
        assert line.extension_asked == (extension.until if extension else None), event
        assert line.objection == (objection.text if objection else None), event


def test_the_ledger_forgets_a_look_back_when_the_issue_is_taken_up_again() -> None:
    assert any(isinstance(event, IssueReopened) for event, *_ in strides())
    for event, state, line, _ in strides():
        seen = getattr(state, "seen", None)
        assert line.relapse == (seen.relapse if seen else None), event
        assert (line.looked_back is None) == (seen is None), event


def test_a_deadline_can_pass_exactly_where_its_ladder_is_set() -> None:
    for event, _, line, ticking in strides():
        assert bool(ticking - {Concern.objection}) == (line.stage in TIMED), event
        assert (line.stage in TIMED) <= (line.due is not None), event


def test_what_has_a_deadline_has_not_ended() -> None:
    assert set(TIMED) < set(NOT_ENDED) < set(STAGE_OF.values())


# -- The ledger's columns --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("past", "stage"),
    [(past, name.replace(" ", "_")) for name, past in STAGES.items() if past],
    ids=[name for name in STAGES if name != "unopened"],
)
def test_a_card_says_where_the_issue_stands(past: tuple[Event, ...], stage: str) -> None:
    assert card(*past).stage == stage


def test_nothing_is_shown_of_an_issue_that_was_not_opened() -> None:
    (told,) = log(("issue-1", OWNED[-1]))
    assert issue_card(None, told) is None


def test_a_correction_changes_the_wording_only() -> None:
    words = {"title": "更正后的标题", "winds": opened.winds, "key_issue": True}
    line = card(*OWNED, IssueCorrected.model_validate({**words, "reason": "标题有误"}))
    assert (line.title, line.key_issue, line.stage) == ("更正后的标题", True, "owned")
    assert line.due == card(*OWNED).due


def test_a_card_says_whether_the_owner_came_of_their_own_accord() -> None:
    assigned = IssueAssigned(owner=MEMBER, reason="分管", watch=watch(due("plan_within")))
    declined = IssueDeclined(owner=MEMBER, reason="不归我管", watch=watch(due("claim_within")))
    assert (card(*OWNED).owner, card(*OWNED).claimed) == (OWNER, True)
    assert (card(*OPEN, assigned).owner, card(*OPEN, assigned).claimed) == (MEMBER, False)
    given_back = card(*OPEN, assigned, declined)
    assert (given_back.owner, given_back.claimed, given_back.declined) == (None, None, 1)


def test_a_transfer_changes_the_owner_and_nothing_else() -> None:
    moved = IssueTransferred(owner=MEMBER, former=OWNER, reason="调岗")
    line = card(*UNDERWAY, moved)
    assert line == card(*UNDERWAY).model_copy(update={"owner": MEMBER})


def test_measures_planned_anew_leave_the_stage_where_it_is() -> None:
    for past in (PLANNED, UNDERWAY):
        line = card(*past, planned)
        assert (line.stage, line.since) == (card(*past).stage, card(*past).since)
    assert card(*PLANNED).reviewer == REVIEWER
    assert card(*PLANNED).first_due == planned.watch.due


def test_more_time_moves_the_deadline_and_keeps_the_first() -> None:
    granted = ExtensionGranted(watch=watch(on(date(2023, 6, 16))), former=planned.watch.due)
    line = card(*UNDERWAY, MORE_TIME, granted)
    assert (line.due, line.first_due) == (granted.watch.due, planned.watch.due)
    assert (line.extensions, line.extension_asked) == (1, None)
    refused = ExtensionRefused(until=MORE_TIME.until, reason="可先行调整供水时段")
    line = card(*UNDERWAY, MORE_TIME, refused)
    assert (line.due, line.extensions, line.extension_asked) == (planned.watch.due, 0, None)


@pytest.mark.parametrize(
    "ending", [LONG_TERM[-1], NOT_POSSIBLE[-1], MERGED[-1], VOIDED[-1], AWAITING[-1]]
)
def test_a_request_for_more_time_does_not_outlive_what_it_was_for(ending: Event) -> None:
    assert card(*UNDERWAY, MORE_TIME).extension_asked == MORE_TIME.until
    assert card(*UNDERWAY, MORE_TIME, ending).extension_asked is None


def test_what_is_sent_back_counts_and_goes_on() -> None:
    back = IssueReturned(
        verifier=REVIEWER,
        code=ReturnReason.not_solved,
        reason="周末没有热水",
        times=1,
        watch=planned.watch,
    )
    line = card(*AWAITING, back)
    assert (line.stage, line.returned, line.finding) == ("underway", 1, "周末没有热水")


def test_an_objection_is_shown_until_it_is_answered() -> None:
    assert card(*ON_NOTICE, objected).objection == objected.text
    later = due("public_notice", LATER)
    dismissed = card(*ON_NOTICE, objected, ObjectionDismissed(answer="系检修", until=later))
    assert (dismissed.stage, dismissed.objection, dismissed.notice_until) == (
        "on_notice", None, later,
    )  # fmt: skip
    upheld = ObjectionUpheld(answer="情况属实", times=1, watch=planned.watch)
    again = card(*ON_NOTICE, objected, upheld)
    assert (again.stage, again.objection, again.verified_at) == ("underway", None, None)
    off = card(*STRUCK_OFF, objected, ObjectionUpheld(answer="情况属实", times=0))
    assert (off.stage, off.objection) == ("struck_off", None)


def test_who_judged_and_how_is_on_the_card_until_the_issue_is_reopened() -> None:
    verdict = VerdictRecorded(
        originator=RECEIPT, solved=Solved.unsolved, satisfied=Satisfied.dissatisfied
    )
    line = card(*STRUCK_OFF, verdict, SEEN)
    assert [v.originator for v in line.verdicts] == [RECEIPT]
    assert (line.relapse, line.struck_off_by) == (True, COLLATOR)
    again = card(*STRUCK_OFF, verdict, SEEN, REOPENED)
    assert (again.verdicts, again.evidence, again.struck_off_at) == ((), (), None)
    assert (again.looked_back, again.relapse, again.reopened) == (None, None, 1)
    assert again.due == REOPENED.watch.due


def test_what_was_shown_and_first_promised_outlives_the_long_term() -> None:
    kept = card(*SHOWN, LONG_TERM[-1])
    assert len(kept.evidence) == 2
    assert kept.mode is Mode.long_term
    again = planned.model_copy(update={"watch": watch(on(date(2023, 6, 30)))})
    line = card(*SHOWN, LONG_TERM[-1], again, started)
    assert (line.evidence, line.due) == (kept.evidence, again.watch.due)
    assert line.first_due == planned.watch.due


def test_every_rung_and_the_latest_word_are_on_the_card() -> None:
    said = ProgressReported(text="增压泵已到货")
    deadline = planned.watch.due
    spoken = [
        kind(concern=Concern.rectification, due=deadline, told=(OWNER,))
        for kind in (IssueReminded, IssueCalledToAccount)
    ]
    line = card(*UNDERWAY, ProgressReported(text="已订购"), said, *spoken)
    assert line.progress is not None
    assert (line.progress.text, line.progress.by) == (said.text, COLLATOR)
    assert [rung.rung for rung in line.rungs] == ["remind", "account"]


def test_a_personal_issue_names_its_person_and_its_opinions() -> None:
    line = card(*about_member(VERIFIED))
    assert (line.person, line.opinions) == (MEMBER, ("opinion-1", "opinion-2"))


# -- Lineage ---------------------------------------------------------------------------------------


def heard(key: str, records: list[Record]) -> projection.Heard | None:
    found: projection.Heard | None = None
    for one in records:
        if key in projection.opinions.keys(one):
            found = projection.heard(found, one)
    return found


def said(**more: Any) -> OpinionSubmitted:
    fields = {"verbatim_text": "~", "salt": "~", "verbatim_sha256": "0", "length": 1}
    return OpinionSubmitted.model_validate({**fields, "channel": "wechat", **more})


def test_who_said_it_in_person_may_judge_it_and_who_wrote_it_down_may_not() -> None:
    in_person = heard("opinion-1", log(("opinion-1", said(submitted_by=ORIGINATOR))))
    assert in_person == projection.Heard(submitted_by=ORIGINATOR)
    written = said(submitted_by=COLLATOR, recorded_by_clerk=True)
    assert heard("opinion-1", log(("opinion-1", written))) == projection.Heard()


def test_an_opinion_knows_every_issue_it_became_once() -> None:
    told = log(("opinion-1", said()), ("issue-1", opened), ("issue-2", opened))
    assert heard("opinion-1", [*told, told[1]]) == projection.Heard(issues=("issue-1", "issue-2"))


def test_a_collation_is_open_until_it_is_closed_or_voided() -> None:
    begun = CollationOpened(opinions=(), collator=COLLATOR)
    for event, is_open in (
        (begun, True),
        (CollationClosed(issues=()), False),
        (CollationVoided(opinions=(), reason="~"), False),
    ):
        (told,) = log(("collation-1", event))
        assert projection.collation(None, told).open is is_open


# -- Plans and regulations -------------------------------------------------------------------------


def line(issue: str, task: str = "更换增压泵") -> PlanLine:
    return PlanLine(issue=issue, task=task, owner=OWNER, begins_on=TODAY, due_on=TODAY)


DRAFTED = RectificationPlanDrafted(campaign="campaign-1", title="方案", drafted_by=MEMBER)


def plan_after(*past: Event) -> projection.PlanCard | None:
    found: projection.PlanCard | None = None
    for one in log(*(("plan-1", event) for event in past)):
        found = projection.plan_card(found, one)
    return found


def test_a_plan_shows_the_last_word_on_every_issue_and_what_it_left_out() -> None:
    found = plan_after(
        DRAFTED,
        RectificationPlanCorrected(title="整改方案", reason="~"),
        PlanLineSet(line=line("issue-1")),
        PlanLineSet(line=line("issue-2")),
        PlanLineSet(line=line("issue-1", "更换管道")),
        PlanLineRemoved(issue="issue-2", reason="~"),
        RectificationPlanAdopted(revision=1, uncovered=("issue-3",)),
    )
    assert found is not None
    assert (found.title, found.stage) == ("整改方案", "adopted")
    assert [(one.issue, one.task) for one in found.lines] == [("issue-1", "更换管道")]
    assert found.uncovered == ("issue-3",)


def test_a_plan_is_drafted_anew_or_voided() -> None:
    adopted = RectificationPlanAdopted(revision=1, uncovered=())
    again = plan_after(DRAFTED, adopted, RectificationPlanReopened(revision=2, reason="~"))
    assert again is not None
    assert (again.stage, again.revision) == ("drafted", 2)
    void = plan_after(DRAFTED, RectificationPlanVoided(reason="~"))
    assert void is not None
    assert void.stage == "voided"
    assert plan_after(adopted) is None


WORDING: dict[str, Any] = {"title": "办法", "text": "第一条", "answers": ("issue-1",)}


def regulation_after(*past: Event) -> projection.RegulationCard | None:
    found: projection.RegulationCard | None = None
    for one in log(*(("regulation-1", event) for event in past)):
        found = projection.regulation_card(found, one)
    return found


def test_a_regulation_shows_its_text_and_since_when_it_counts() -> None:
    written = RegulationDrafted(**WORDING, drafted_by=OWNER)
    adopted = RegulationAdopted(in_force_on=TODAY)
    revised = RegulationRevised(**{**WORDING, "text": "第二条"}, revision=2, reason="~")
    abolished = RegulationAbolished(on=TODAY, reason="~")
    corrected = RegulationCorrected(**{**WORDING, "title": "规定"}, reason="~")
    found = regulation_after(written, adopted, revised, abolished)
    assert found is not None
    assert (found.stage, found.text, found.revision) == ("abolished", "第二条", 2)
    assert (found.in_force_on, found.abolished_on) == (TODAY, TODAY)
    found = regulation_after(written, corrected, RegulationVoided(reason="~"))
    assert found is not None
    assert (found.stage, found.title) == ("voided", "规定")
    assert regulation_after(adopted) is None


def followed() -> Iterator[type[Event]]:
    for alias in (IssueEvent, PlanEvent, RegulationEvent):
        yield from alias.__value__.__args__


def test_every_event_of_rectification_is_in_some_view() -> None:
    seen = {event for view in service.views for event in view.follows}
    assert set(followed()) <= seen
