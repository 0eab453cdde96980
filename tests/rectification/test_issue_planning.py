"""What will be done, by whom, until when, and who checks it (R64, R92); then it is done."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.campaign.calendar import FARTHEST
from services.rectification.domain.issue import (
    AddEvidence,
    DeadlineStands,
    DueInThePast,
    EndsBeforeItBegins,
    FourEyes,
    MeasureAsked,
    NobodyThere,
    NoPlanYet,
    NoSuchDepartment,
    NotInvolved,
    NotTheOwner,
    PartyToTheMatter,
    PlanMeasures,
    Planned,
    ReportProgress,
    StartRectification,
    TooFarAway,
    decider,
)
from services.rectification.events import (
    Evidence,
    EvidenceAdded,
    ExtensionGranted,
    IssueDeclined,
    IssueTransferred,
    Measure,
    MeasuresPlanned,
    Mode,
    ProgressReported,
)
from shared.decider import Event, OutOfOrder, PersonId
from tests.rectification.cast import (
    AWAITING,
    FACTS,
    GONE,
    HELPER,
    LATER,
    LEADER,
    LONG_TERM,
    MEASURE,
    MEMBER,
    OPEN,
    OWNED,
    OWNER,
    PLANNED,
    REVIEWER,
    SHA_AFTER,
    SHOWN,
    STRANGER,
    STRUCK_OFF,
    TODAY,
    UNDERWAY,
    about_member,
    after,
    after_shown,
    by,
    claimed,
    days,
    due,
    on,
    opened,
    planned,
    started,
    watch,
)
from tests.scenario import Scenario

issue = Scenario(decider, FACTS)

SECOND = Measure(
    text="报修当日答复、三日内修好",
    owner=HELPER,
    begins_on=date(2023, 6, 1),
    due_on=date(2023, 6, 9),
    deliverable="报修答复登记",
)
AGAIN = MeasuresPlanned(
    mode=Mode.time_limited,
    measures=(MEASURE, SECOND),
    reviewer=REVIEWER,
    accountable_leader=LEADER,
    responsible_department="logistics",
    watch=planned.watch,
)


def asked(measure: Measure, **changes: Any) -> MeasureAsked:
    return MeasureAsked.model_validate({**dict(measure), **changes})


def plan(person: PersonId = OWNER, **changes: Any) -> PlanMeasures:
    said = {
        "mode": Mode.time_limited,
        "measures": (asked(MEASURE),),
        "reviewer": REVIEWER,
        "accountable_leader": LEADER,
        "responsible_department": "logistics",
    }
    return by(person, PlanMeasures, **{**said, **changes})


def report(person: PersonId) -> ReportProgress:
    return by(person, ReportProgress, text="增压泵已到货")


def add_evidence(person: PersonId, name: str = "整改后") -> AddEvidence:
    return by(
        person, AddEvidence, sha256=SHA_AFTER, phase="after", media_type="image/jpeg", name=name
    )


# -- Planning -------------------------------------------------------------------------------------


def test_the_owner_plans_measures_with_everything_r92_asks_for() -> None:
    issue.given(*OWNED).when(plan()).then(planned)


@pytest.mark.parametrize("mode", Mode)
def test_each_mode_has_its_own_default_deadline(mode: Mode) -> None:
    event = issue.given(*OWNED).when(plan(mode=mode)).decided()
    assert isinstance(event, MeasuresPlanned)
    assert event.watch == watch(due(f"{mode}_within"))


def test_the_owner_may_name_another_deadline() -> None:
    day = date(2023, 6, 30)
    issue.given(*OWNED).when(plan(due_on=day)).then(
        planned.model_copy(update={"watch": watch(on(day))})
    )


def test_a_plan_needs_no_department() -> None:
    issue.given(*OWNED).when(plan(responsible_department=None)).then(
        planned.model_copy(update={"responsible_department": None})
    )


def test_nobody_plans_for_the_owner() -> None:
    for past in (OWNED, PLANNED, UNDERWAY, LONG_TERM):
        issue.given(*past).when(plan(LEADER)).then_rejected(NotTheOwner)


def test_the_owner_is_not_their_own_reviewer() -> None:
    issue.given(*OWNED).when(plan(reviewer=OWNER)).then_rejected(FourEyes)
    by_others = asked(MEASURE, owner=HELPER, helpers=())
    issue.given(*OWNED).when(plan(reviewer=OWNER, measures=(by_others,))).then_rejected(FourEyes)


def test_whoever_held_it_before_is_not_the_reviewer() -> None:
    handed_over = IssueTransferred(owner=HELPER, former=OWNER, reason="调往分校区")
    issue.given(*OWNED, handed_over).when(
        plan(HELPER, reviewer=OWNER, measures=(_alone(),))
    ).then_rejected(FourEyes)
    declined = IssueDeclined(owner=OWNER, reason="属德育处管理", watch=opened.watch)
    past = (*OWNED, declined, claimed.model_copy(update={"owner": HELPER}))
    issue.given(*past).when(plan(HELPER, reviewer=OWNER, measures=(_alone(),))).then_rejected(
        FourEyes
    )


def _alone() -> MeasureAsked:
    return asked(MEASURE, owner=HELPER, helpers=())


def test_nobody_who_carries_out_a_measure_reviews_it() -> None:
    issue.given(*OWNED).when(plan(reviewer=HELPER)).then_rejected(FourEyes)
    other = asked(MEASURE, owner=REVIEWER, helpers=())
    issue.given(*OWNED).when(plan(measures=(other,))).then_rejected(FourEyes)


def test_the_person_an_issue_is_about_does_not_review_it() -> None:
    issue.given(*about_member(OWNED)).when(plan(reviewer=MEMBER)).then_rejected(PartyToTheMatter)


@pytest.mark.parametrize(
    "absent",
    [
        {"measures": (asked(MEASURE, owner=GONE),)},
        {"measures": (asked(MEASURE, helpers=(HELPER, GONE)),)},
        {"reviewer": GONE},
        {"accountable_leader": GONE},
    ],
    ids=["owner of a measure", "helper", "reviewer", "accountable leader"],
)
def test_nobody_is_planned_with_who_has_left(absent: dict[str, Any]) -> None:
    issue.given(*OWNED).when(plan(**absent)).then_rejected(NobodyThere)


def test_a_measure_does_not_end_before_it_begins() -> None:
    wrong = asked(MEASURE, begins_on=date(2023, 5, 27))
    issue.given(*OWNED).when(plan(measures=(wrong,))).then_rejected(EndsBeforeItBegins)


@pytest.mark.parametrize("begins_on", [date(2023, 3, 1), TODAY], ids=str)
def test_a_measure_may_have_begun_already_and_end_today(begins_on: date) -> None:
    today = asked(MEASURE, begins_on=begins_on, due_on=TODAY)
    event = issue.given(*OWNED).when(plan(measures=(today,))).decided()
    assert isinstance(event, MeasuresPlanned)


def test_nothing_is_planned_for_the_past() -> None:
    yesterday = date(2023, 5, 7)
    late = asked(MEASURE, begins_on=date(2023, 5, 1), due_on=yesterday)
    issue.given(*OWNED).when(plan(measures=(late,))).then_rejected(DueInThePast)
    issue.given(*OWNED).when(plan(due_on=yesterday)).then_rejected(DueInThePast)


def test_ten_years_ahead_is_the_limit() -> None:
    farthest = TODAY + days(FARTHEST)
    event = issue.given(*OWNED).when(plan(due_on=farthest)).decided()
    assert isinstance(event, MeasuresPlanned)
    too_far = plan(due_on=farthest + days(1))
    issue.given(*OWNED).when(too_far).then_rejected(TooFarAway)


@pytest.mark.parametrize("day", [date(2203, 5, 8), date.max])
def test_nothing_is_planned_for_another_century(day: date) -> None:
    issue.given(*OWNED).when(plan(due_on=day)).then_rejected(TooFarAway)
    issue.given(*OWNED).when(plan(measures=(asked(MEASURE, due_on=day),))).then_rejected(TooFarAway)


def test_no_measure_began_in_another_century() -> None:
    ancient = asked(MEASURE, begins_on=date.min)
    issue.given(*OWNED).when(plan(measures=(ancient,))).then_rejected(TooFarAway)


@pytest.mark.parametrize("department", ["nowhere", "union", "liberal"])
def test_the_department_exists_today_and_is_one(department: str) -> None:
    issue.given(*OWNED).when(plan(responsible_department=department)).then_rejected(
        NoSuchDepartment
    )


def test_an_issue_nobody_holds_is_not_planned() -> None:
    issue.given(*OPEN).when(plan()).then_rejected(OutOfOrder)


# -- Planning anew --------------------------------------------------------------------------------


@pytest.mark.parametrize("past", [PLANNED, UNDERWAY])
def test_planning_again_records_nothing(past: tuple[Event, ...]) -> None:
    issue.given(*past).when(plan()).then_nothing()


@pytest.mark.parametrize("past", [PLANNED, UNDERWAY])
def test_measures_are_added_for_the_same_deadline(past: tuple[Event, ...]) -> None:
    command = plan(measures=(asked(MEASURE), asked(SECOND)))
    issue.given(*past).when(command).then(AGAIN)
    before, now = after(*past), after(*past, AGAIN)
    assert now == replace(before, plan=replace(before.plan, measures=(MEASURE, SECOND)))


def test_planning_anew_after_an_extension_keeps_both_deadlines() -> None:
    longer = watch(on(date(2023, 6, 16)))
    past = (*UNDERWAY, ExtensionGranted(watch=longer, former=planned.watch.due))
    command = plan(measures=(asked(MEASURE), asked(SECOND)))
    event = issue.given(*past).when(command).decided()
    assert event == AGAIN.model_copy(update={"watch": longer})
    now = after(*past, event)
    assert (now.watch, now.plan.first_due) == (longer, planned.watch.due)


def test_a_measure_that_was_due_in_the_meantime_may_stand_in_the_new_plan() -> None:
    command = plan(measures=(asked(MEASURE), asked(SECOND)))
    issue.given(*UNDERWAY).when(command.model_copy(update={"at": LATER})).then(AGAIN)


def test_the_same_deadline_may_be_named_again() -> None:
    issue.given(*PLANNED).when(plan(due_on=planned.watch.due.on)).then_nothing()


@pytest.mark.parametrize("day", [date(2023, 5, 26), date(2023, 6, 30)])
def test_planning_anew_does_not_move_the_deadline(day: date) -> None:
    issue.given(*UNDERWAY).when(plan(due_on=day)).then_rejected(DeadlineStands)


def test_a_long_term_issue_is_taken_up_again_by_planning() -> None:
    issue.given(*LONG_TERM).when(plan()).then(planned)
    assert isinstance(after(*LONG_TERM, planned), Planned)


def test_what_waits_for_its_reviewer_is_not_planned_anew() -> None:
    issue.given(*AWAITING).when(plan()).then_rejected(OutOfOrder)


# -- Starting -------------------------------------------------------------------------------------


def test_the_owner_starts_what_is_planned() -> None:
    issue.given(*PLANNED).when(by(OWNER, StartRectification)).then(started)


def test_starting_again_records_nothing() -> None:
    issue.given(*UNDERWAY).when(by(OWNER, StartRectification)).then_nothing()


@pytest.mark.parametrize("past", [PLANNED, UNDERWAY])
def test_nobody_starts_for_the_owner(past: tuple[Event, ...]) -> None:
    issue.given(*past).when(by(HELPER, StartRectification)).then_rejected(NotTheOwner)


@pytest.mark.parametrize("past", [OPEN, OWNED])
def test_work_does_not_start_without_a_plan(past: tuple[Event, ...]) -> None:
    issue.given(*past).when(by(OWNER, StartRectification)).then_rejected(NoPlanYet)


def test_what_is_struck_off_does_not_start() -> None:
    issue.given(*STRUCK_OFF).when(by(OWNER, StartRectification)).then_rejected(OutOfOrder)


# -- Progress and evidence ------------------------------------------------------------------------


@pytest.mark.parametrize("person", [OWNER, HELPER])
def test_whoever_is_involved_reports_progress_again_and_again(person: PersonId) -> None:
    reported = ProgressReported(text="增压泵已到货")
    issue.given(*UNDERWAY).when(report(person)).then(reported)
    issue.given(*UNDERWAY, reported).when(report(person)).then(reported)


def test_nobody_else_reports_progress() -> None:
    issue.given(*UNDERWAY).when(report(STRANGER)).then_rejected(NotInvolved)


def test_progress_on_a_long_term_issue_is_the_owners_to_report() -> None:
    issue.given(*LONG_TERM).when(report(OWNER)).then(ProgressReported(text="增压泵已到货"))
    issue.given(*LONG_TERM).when(report(HELPER)).then_rejected(NotTheOwner)


def test_there_is_no_progress_before_the_start() -> None:
    issue.given(*PLANNED).when(report(OWNER)).then_rejected(OutOfOrder)


@pytest.mark.parametrize("person", [OWNER, HELPER])
def test_whoever_is_involved_adds_evidence(person: PersonId) -> None:
    issue.given(*UNDERWAY).when(add_evidence(person)).then(after_shown)


def test_adding_the_same_evidence_again_records_nothing() -> None:
    issue.given(*SHOWN).when(add_evidence(OWNER)).then_nothing()


def test_the_same_file_under_another_name_is_another_piece_of_evidence() -> None:
    renamed = EvidenceAdded(
        evidence=Evidence(sha256=SHA_AFTER, phase="after", media_type="image/jpeg", name="四楼水房")
    )
    issue.given(*SHOWN).when(add_evidence(OWNER, "四楼水房")).then(renamed)


def test_nobody_else_adds_evidence() -> None:
    issue.given(*UNDERWAY).when(add_evidence(STRANGER)).then_rejected(NotInvolved)


def test_evidence_of_a_long_term_issue_is_the_owners_to_add() -> None:
    issue.given(*LONG_TERM).when(add_evidence(OWNER)).then(after_shown)
    issue.given(*LONG_TERM).when(add_evidence(HELPER)).then_rejected(NotTheOwner)


def test_there_is_no_evidence_before_the_start() -> None:
    issue.given(*PLANNED).when(add_evidence(OWNER)).then_rejected(OutOfOrder)
