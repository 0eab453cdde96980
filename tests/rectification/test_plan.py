"""The rectification plan of a campaign: who does what about which issue by when (R90-R92)."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.rectification.domain.issue import (
    EndsBeforeItBegins,
    FourEyes,
    NobodyThere,
    NoSuchIssue,
    TooFarAway,
)
from services.rectification.domain.plan import (
    AdoptRectificationPlan,
    CorrectRectificationPlan,
    DraftRectificationPlan,
    EmptyPlan,
    Facts,
    NoSuchCampaign,
    NoSuchLine,
    OriginAsked,
    PlanExists,
    PlanInForce,
    RemovePlanLine,
    ReopenRectificationPlan,
    SetPlanLine,
    UnknownMeasure,
    VoidRectificationPlan,
    decider,
)
from services.rectification.events import (
    Origin,
    OriginKind,
    PlanLine,
    PlanLineRemoved,
    PlanLineSet,
    RectificationPlanAdopted,
    RectificationPlanCorrected,
    RectificationPlanDrafted,
    RectificationPlanReopened,
    RectificationPlanVoided,
)
from shared.decider import Command, Event, OutOfOrder, PersonId
from tests.rectification.cast import (
    GONE,
    HELPER,
    LATER,
    LEADER,
    MEMBER,
    OWNER,
    SCHOOL,
    SUPERVISOR,
    TODAY,
    by,
)
from tests.scenario import Scenario

RESOLVED = Origin(kind=OriginKind.meeting, id="meeting-1", key="m-1")
PROMISED = Origin(kind=OriginKind.examination, id="examination-1", key="pump")
FACTS = Facts(
    SCHOOL,
    issues=frozenset({"issue-1", "issue-2"}),
    team_issues=frozenset({"issue-1", "issue-2", "issue-3"}),
    measures=frozenset({RESOLVED, PROMISED}),
)
plan = Scenario(decider, FACTS)

LINE = PlanLine(
    issue="issue-1",
    task="加装四楼增压泵,公布供水时段",
    owner=OWNER,
    division=(HELPER,),
    begins_on=TODAY,
    due_on=date(2023, 8, 31),
    key_problem=True,
)
drafted = RectificationPlanDrafted(
    campaign="campaign-1", title="领导班子整改方案", drafted_by=MEMBER
)
line_set = PlanLineSet(line=LINE)
adopted = RectificationPlanAdopted(revision=1, uncovered=("issue-2", "issue-3"))
reopened = RectificationPlanReopened(revision=2, reason="补充民主生活会查摆的问题")
voided = RectificationPlanVoided(reason="录入错误")

DRAFTED: tuple[Event, ...] = (drafted,)
WRITTEN = (*DRAFTED, line_set)
ADOPTED = (*WRITTEN, adopted)
REOPENED = (*ADOPTED, reopened)
VOIDED = (*DRAFTED, voided)


def draft(title: str = drafted.title, campaign: str = "campaign-1") -> DraftRectificationPlan:
    return by(MEMBER, DraftRectificationPlan, campaign=campaign, title=title)


def correct(title: str) -> CorrectRectificationPlan:
    return by(MEMBER, CorrectRectificationPlan, title=title, reason="标题不全")


def set_line(*origins: Origin, **changes: Any) -> SetPlanLine:
    asked = tuple(OriginAsked.model_validate(dict(origin)) for origin in origins)
    return by(MEMBER, SetPlanLine, **{**dict(LINE), "origins": asked, **changes})


def carrying_out(*origins: Origin) -> PlanLineSet:
    return PlanLineSet(line=LINE.model_copy(update={"origins": origins}))


def remove(issue: str) -> RemovePlanLine:
    return by(MEMBER, RemovePlanLine, issue=issue, reason="已并入另一项")


def adopt() -> AdoptRectificationPlan:
    return by(LEADER, AdoptRectificationPlan)


def reopen() -> ReopenRectificationPlan:
    return by(SUPERVISOR, ReopenRectificationPlan, reason="补充民主生活会查摆的问题")


def void(person: PersonId = SUPERVISOR) -> VoidRectificationPlan:
    return by(person, VoidRectificationPlan, reason="录入错误")


# -- Drafting -------------------------------------------------------------------------------------


def test_a_campaign_has_one_plan() -> None:
    assert draft().unique() == ("plan", "campaign-1")


def test_a_plan_is_drafted_for_a_campaign() -> None:
    plan.given().when(draft()).then(drafted)


def test_a_plan_is_drafted_for_no_campaign_that_does_not_exist() -> None:
    plan.given().when(draft(campaign="campaign-9")).then_rejected(NoSuchCampaign)


def test_drafting_again_records_nothing() -> None:
    plan.given(*DRAFTED).when(draft()).then_nothing()


@pytest.mark.parametrize("past", [DRAFTED, ADOPTED, REOPENED])
def test_a_campaign_gets_no_second_plan(past: tuple[Event, ...]) -> None:
    plan.given(*past).when(draft("另一方案")).then_rejected(PlanExists)


def test_an_adopted_plan_is_not_drafted_again() -> None:
    plan.given(*ADOPTED).when(draft()).then_rejected(PlanExists)


def test_in_the_place_of_a_voided_plan_another_is_drafted() -> None:
    again = (*WRITTEN, voided)
    plan.given(*again).when(draft()).then(drafted)
    assert decider.fold((*again, drafted)) == decider.fold(DRAFTED)  # type: ignore[arg-type]  # all are a plan's


# -- Correcting -----------------------------------------------------------------------------------


@pytest.mark.parametrize("past", [DRAFTED, ADOPTED], ids=["drafted", "adopted"])
def test_a_title_is_corrected_and_the_plan_stays_what_it_was(past: tuple[Event, ...]) -> None:
    corrected = RectificationPlanCorrected(title="领导班子四风问题整改方案", reason="标题不全")
    plan.given(*past).when(correct(corrected.title)).then(corrected)
    before, now = decider.fold(past), decider.fold((*past, corrected))  # type: ignore[arg-type]  # as above
    assert now == replace(before, sheet=replace(before.sheet, title=corrected.title))  # type: ignore[arg-type, union-attr]  # as above


def test_correcting_nothing_records_nothing() -> None:
    plan.given(*DRAFTED).when(correct(drafted.title)).then_nothing()


@pytest.mark.parametrize("past", [(), VOIDED], ids=["nothing", "voided"])
def test_what_is_not_there_is_not_corrected(past: tuple[Event, ...]) -> None:
    plan.given(*past).when(correct("标题")).then_rejected(OutOfOrder)


# -- Lines ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("past", [DRAFTED, REOPENED], ids=["first", "anew"])
def test_a_line_says_who_does_what_by_when(past: tuple[Event, ...]) -> None:
    other = LINE.model_copy(update={"issue": "issue-2", "key_problem": False})
    plan.given(*past).when(set_line(issue="issue-2", key_problem=False)).then(
        PlanLineSet(line=other)
    )


def test_setting_a_line_again_records_nothing() -> None:
    plan.given(*WRITTEN).when(set_line()).then_nothing()


def test_an_issue_has_one_line_and_the_last_one_counts() -> None:
    plan.given(*WRITTEN).when(set_line(owner=LEADER)).then(
        PlanLineSet(line=LINE.model_copy(update={"owner": LEADER}))
    )
    changed = PlanLineSet(line=LINE.model_copy(update={"owner": LEADER}))
    plan.given(*WRITTEN, changed).when(set_line()).then(line_set)
    plan.given(*WRITTEN, changed).when(remove("issue-1")).then(
        PlanLineRemoved(issue="issue-1", reason="已并入另一项")
    )


def test_a_line_is_for_an_issue_on_the_ledger() -> None:
    plan.given(*DRAFTED).when(set_line(issue="issue-9")).then_rejected(NoSuchIssue)


def test_a_line_is_given_to_nobody_who_has_left() -> None:
    plan.given(*DRAFTED).when(set_line(owner=GONE)).then_rejected(NobodyThere)
    plan.given(*DRAFTED).when(set_line(division=(HELPER, GONE))).then_rejected(NobodyThere)


def test_a_task_may_take_one_day() -> None:
    plan.given(*DRAFTED).when(set_line(due_on=TODAY)).then(
        PlanLineSet(line=LINE.model_copy(update={"due_on": TODAY}))
    )


def test_a_task_does_not_end_before_it_begins() -> None:
    plan.given(*DRAFTED).when(set_line(due_on=date(2023, 5, 7))).then_rejected(EndsBeforeItBegins)


@pytest.mark.parametrize(
    "dates", [{"begins_on": date.min}, {"due_on": date(2203, 8, 31)}, {"due_on": date.max}], ids=str
)
def test_a_task_is_not_of_another_century(dates: dict[str, date]) -> None:
    plan.given(*DRAFTED).when(set_line(**dates)).then_rejected(TooFarAway)


def test_a_line_may_be_entered_after_its_time() -> None:
    late = set_line(due_on=date(2023, 5, 20)).model_copy(update={"at": LATER})
    plan.given(*DRAFTED).when(late).then(
        PlanLineSet(line=LINE.model_copy(update={"due_on": date(2023, 5, 20)}))
    )


def test_a_line_says_which_measures_it_carries_out_each_once() -> None:
    both = set_line(RESOLVED, PROMISED, RESOLVED)
    plan.given(*WRITTEN).when(both).then(carrying_out(RESOLVED, PROMISED))
    plan.given(*DRAFTED, carrying_out(RESOLVED, PROMISED)).when(both).then_nothing()
    plan.given(*DRAFTED, carrying_out(RESOLVED)).when(set_line()).then(line_set)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": OriginKind.issue},
        {"kind": OriginKind.examination},
        {"id": "meeting-2"},
        {"key": "m-2"},
    ],
    ids=str,
)
def test_a_line_comes_of_no_measure_that_is_not_on_record(wrong: dict[str, Any]) -> None:
    other = RESOLVED.model_copy(update=wrong)
    plan.given(*DRAFTED).when(set_line(RESOLVED, other)).then_rejected(UnknownMeasure)


def test_a_line_keeps_a_measure_that_was_voided_since_and_no_other_line_gets_it() -> None:
    past = (*DRAFTED, carrying_out(RESOLVED))
    now = plan.knowing(replace(FACTS, measures=frozenset()))
    now.given(*past).when(set_line(RESOLVED)).then_nothing()
    changed = LINE.model_copy(update={"owner": LEADER, "origins": (RESOLVED,)})
    now.given(*past).when(set_line(RESOLVED, owner=LEADER)).then(PlanLineSet(line=changed))
    now.given(*past).when(set_line(RESOLVED, issue="issue-2")).then_rejected(UnknownMeasure)
    left = (*past, line_set)
    now.given(*left).when(set_line(RESOLVED)).then_rejected(UnknownMeasure)


def test_a_line_is_removed() -> None:
    removed = PlanLineRemoved(issue="issue-1", reason="已并入另一项")
    plan.given(*WRITTEN).when(remove("issue-1")).then(removed)
    assert decider.fold((*WRITTEN, removed)) == decider.fold(DRAFTED)  # type: ignore[arg-type]  # as above


def test_a_line_that_is_not_there_is_not_removed() -> None:
    plan.given(*WRITTEN).when(remove("issue-2")).then_rejected(NoSuchLine)


@pytest.mark.parametrize("command", [set_line(), remove("issue-1")], ids=["set", "remove"])
def test_an_adopted_plan_is_reopened_before_its_lines_change(command: Command) -> None:
    plan.given(*ADOPTED).when(command).then_rejected(PlanInForce)


@pytest.mark.parametrize("command", [set_line(), remove("issue-1")], ids=["set", "remove"])
@pytest.mark.parametrize("past", [(), VOIDED], ids=["nothing", "voided"])
def test_without_a_plan_there_are_no_lines(past: tuple[Event, ...], command: Command) -> None:
    plan.given(*past).when(command).then_rejected(OutOfOrder)


# -- Adopting and reopening -----------------------------------------------------------------------


def test_a_plan_is_adopted_with_what_it_leaves_uncovered() -> None:
    plan.given(*WRITTEN).when(adopt()).then(adopted)


def test_a_plan_that_covers_everything_leaves_nothing() -> None:
    knowing = plan.knowing(replace(FACTS, team_issues=frozenset({"issue-1"})))
    knowing.given(*WRITTEN).when(adopt()).then(RectificationPlanAdopted(revision=1, uncovered=()))


@pytest.mark.parametrize(
    "past", [DRAFTED, (*WRITTEN, PlanLineRemoved(issue="issue-1", reason="重复"))], ids=len
)
def test_an_empty_plan_is_not_adopted(past: tuple[Event, ...]) -> None:
    plan.given(*past).when(adopt()).then_rejected(EmptyPlan)


def test_adopting_again_records_nothing() -> None:
    plan.given(*ADOPTED).when(adopt()).then_nothing()


def test_an_adopted_plan_is_reopened_as_a_new_revision() -> None:
    plan.given(*ADOPTED).when(reopen()).then(reopened)
    plan.given(*REOPENED).when(adopt()).then(adopted.model_copy(update={"revision": 2}))
    again = (*REOPENED, adopted.model_copy(update={"revision": 2}))
    plan.given(*again).when(reopen()).then(reopened.model_copy(update={"revision": 3}))


def test_a_reopened_plan_keeps_its_lines() -> None:
    plan.given(*REOPENED).when(set_line()).then_nothing()


@pytest.mark.parametrize("past", [(), DRAFTED, REOPENED, VOIDED])
def test_only_an_adopted_plan_is_reopened(past: tuple[Event, ...]) -> None:
    plan.given(*past).when(reopen()).then_rejected(OutOfOrder)


@pytest.mark.parametrize("past", [(), VOIDED], ids=["nothing", "voided"])
def test_what_is_not_there_is_not_adopted(past: tuple[Event, ...]) -> None:
    plan.given(*past).when(adopt()).then_rejected(OutOfOrder)


# -- Voiding --------------------------------------------------------------------------------------


@pytest.mark.parametrize("past", [DRAFTED, ADOPTED, REOPENED])
def test_a_second_person_voids_a_plan(past: tuple[Event, ...]) -> None:
    plan.given(*past).when(void()).then(voided)


@pytest.mark.parametrize("past", [DRAFTED, ADOPTED])
def test_whoever_drafted_a_plan_does_not_void_it(past: tuple[Event, ...]) -> None:
    plan.given(*past).when(void(MEMBER)).then_rejected(FourEyes)


@pytest.mark.parametrize("past", [(), VOIDED], ids=["nothing", "voided"])
def test_what_is_not_there_is_not_voided(past: tuple[Event, ...]) -> None:
    plan.given(*past).when(void()).then_rejected(OutOfOrder)
