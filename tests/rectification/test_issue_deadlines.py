"""The clock speaks of one deadline at a time: reminders, then the ladder; who is told is recorded."""

from dataclasses import replace

import pytest

from services.campaign.calendar import Deadline
from services.rectification.domain.issue import (
    CallToAccount,
    MergedElsewhere,
    NoLongerDue,
    RemindIssue,
    ReturnIssue,
    SuperviseIssue,
    UrgeIssue,
    decider,
)
from services.rectification.events import (
    Concern,
    ExtensionGranted,
    ExtensionRequested,
    IssueCalledToAccount,
    IssueReminded,
    IssueReturned,
    IssueSupervised,
    IssueUrged,
    ReturnReason,
)
from shared.decider import Command, Event, PersonId
from tests.rectification.cast import (
    AWAITING,
    CLOCK,
    FACTS,
    LATER,
    LEADER,
    LONG_TERM,
    MEMBER,
    MERGED,
    NOT_POSSIBLE,
    ON_NOTICE,
    OPEN,
    OWNED,
    OWNER,
    PLANNED,
    REVIEWER,
    SHOWN,
    STRANGER,
    STRUCK_OFF,
    SUPERVISOR,
    UNDERWAY,
    VERIFIED,
    VOIDED,
    after,
    by,
    due,
    objected,
    on,
    opened_about_member,
    planned,
    strike_off_requested,
    watch,
    without,
)
from tests.scenario import Scenario

issue = Scenario(decider, FACTS)

RUNGS: list[type[Command]] = [RemindIssue, UrgeIssue, SuperviseIssue, CallToAccount]
CLAIM, PLAN = due("claim_within"), due("plan_within")
RECTIFY, ANSWER = planned.watch.due, objected.watch.due


def rung(kind: type[Command], concern: Concern, deadline: Deadline) -> Command:
    return by(CLOCK, kind, concern=concern, due_at=deadline.at, at=LATER)


COUNTING: dict[str, tuple[tuple[Event, ...], Concern, Deadline, PersonId | None]] = {
    "open": (OPEN, Concern.claim, CLAIM, None),
    "open, personal": ((opened_about_member,), Concern.claim, CLAIM, MEMBER),
    "owned": (OWNED, Concern.plan, PLAN, OWNER),
    "planned": (PLANNED, Concern.rectification, RECTIFY, OWNER),
    "underway": (UNDERWAY, Concern.rectification, RECTIFY, OWNER),
    "long term": (LONG_TERM, Concern.rectification, due("long_term_within"), OWNER),
    "objected on notice": ((*ON_NOTICE, objected), Concern.objection, ANSWER, None),
    "objected when struck off": ((*STRUCK_OFF, objected), Concern.objection, ANSWER, None),
}


@pytest.mark.parametrize("stage", COUNTING)
def test_whoever_has_to_act_is_reminded_and_urged_else_the_leader(stage: str) -> None:
    past, concern, deadline, person = COUNTING[stage]
    told = (person or LEADER,)
    issue.given(*past).when(rung(RemindIssue, concern, deadline)).then(
        IssueReminded(concern=concern, due=deadline, told=told)
    )
    issue.given(*past).when(rung(UrgeIssue, concern, deadline)).then(
        IssueUrged(concern=concern, due=deadline, told=told)
    )


@pytest.mark.parametrize("stage", COUNTING)
def test_the_second_rung_tells_the_leader_too(stage: str) -> None:
    past, concern, deadline, person = COUNTING[stage]
    told = (person, LEADER) if person else (LEADER,)
    issue.given(*past).when(rung(SuperviseIssue, concern, deadline)).then(
        IssueSupervised(concern=concern, due=deadline, told=told)
    )


@pytest.mark.parametrize("stage", COUNTING)
def test_the_third_rung_tells_the_supervision_group_too(stage: str) -> None:
    past, concern, deadline, person = COUNTING[stage]
    told = (person, LEADER, SUPERVISOR) if person else (LEADER, SUPERVISOR)
    issue.given(*past).when(rung(CallToAccount, concern, deadline)).then(
        IssueCalledToAccount(concern=concern, due=deadline, told=told)
    )


@pytest.mark.parametrize("kind", [RemindIssue, UrgeIssue, SuperviseIssue])
@pytest.mark.parametrize("stage", COUNTING)
def test_when_whoever_has_to_act_has_left_the_leader_is_told(
    stage: str, kind: type[Command]
) -> None:
    past, concern, deadline, person = COUNTING[stage]
    facts = without(*((person,) if person else ()))
    event = issue.knowing(facts).given(*past).when(rung(kind, concern, deadline)).decided()
    assert getattr(event, "told", None) == (LEADER,)


def test_who_stands_in_for_a_leader_or_a_supervisor_is_told_like_them() -> None:
    facts = without(deputies={LEADER: MEMBER, SUPERVISOR: STRANGER})
    knowing = issue.knowing(facts).given(*UNDERWAY)
    supervised = knowing.when(rung(SuperviseIssue, Concern.rectification, RECTIFY)).decided()
    assert getattr(supervised, "told", None) == (OWNER, LEADER, MEMBER)
    called = knowing.when(rung(CallToAccount, Concern.rectification, RECTIFY)).decided()
    assert getattr(called, "told", None) == (OWNER, *sorted([LEADER, MEMBER, SUPERVISOR, STRANGER]))


@pytest.mark.parametrize("kind", RUNGS)
def test_a_rung_may_be_climbed_again_and_changes_nothing_else(kind: type[Command]) -> None:
    command = rung(kind, Concern.plan, PLAN)
    event = issue.given(*OWNED).when(command).decided()
    assert event is not None
    issue.given(*OWNED, event).when(command).then(event)
    before, now = after(*OWNED), after(*OWNED, event, event)
    climbed = before.watch.model_copy(update={"climbed": RUNGS.index(kind)})
    assert now == replace(before, watch=climbed)


def test_a_lower_rung_spoken_of_later_takes_nothing_back() -> None:
    called = IssueCalledToAccount(concern=Concern.plan, due=PLAN, told=(OWNER,))
    urged = IssueUrged(concern=Concern.plan, due=PLAN, told=(OWNER,))
    assert after(*OWNED, called, urged).watch.climbed == len(RUNGS) - 1


def test_the_ladder_of_an_objection_is_not_that_of_the_issue() -> None:
    past = (*ON_NOTICE, objected)
    urged = IssueUrged(concern=Concern.objection, due=ANSWER, told=(LEADER,))
    assert after(*past, urged) == after(*past)


def test_what_is_returned_remembers_how_far_the_ladder_was_climbed() -> None:
    supervised = IssueSupervised(concern=Concern.rectification, due=RECTIFY, told=(OWNER,))
    awaiting = (*SHOWN, supervised, strike_off_requested)
    returned = issue.given(*awaiting).when(
        by(REVIEWER, ReturnIssue, code=ReturnReason.not_solved, reason="周末没有热水")
    )
    event = returned.decided()
    assert isinstance(event, IssueReturned)
    assert event.watch == planned.watch.model_copy(update={"climbed": 2})


@pytest.mark.parametrize("kind", RUNGS)
@pytest.mark.parametrize("stage", COUNTING)
def test_another_deadline_does_not_count(stage: str, kind: type[Command]) -> None:
    past, concern, deadline, _ = COUNTING[stage]
    other = on(deadline.on.replace(day=1))
    issue.given(*past).when(rung(kind, concern, other)).then_rejected(NoLongerDue)
    for wrong in set(Concern) - {concern}:
        issue.given(*past).when(rung(kind, wrong, deadline)).then_rejected(NoLongerDue)


@pytest.mark.parametrize("kind", RUNGS)
@pytest.mark.parametrize(
    "past", [(), AWAITING, VERIFIED, ON_NOTICE, STRUCK_OFF, NOT_POSSIBLE, VOIDED], ids=len
)
def test_where_nothing_is_due_nobody_is_told(past: tuple[Event, ...], kind: type[Command]) -> None:
    for concern, deadline in ((Concern.claim, CLAIM), (Concern.rectification, RECTIFY)):
        issue.given(*past).when(rung(kind, concern, deadline)).then_rejected(NoLongerDue)


@pytest.mark.parametrize("kind", RUNGS)
def test_of_a_merged_issue_nobody_is_told_any_more(kind: type[Command]) -> None:
    issue.given(*MERGED).when(rung(kind, Concern.claim, CLAIM)).then_rejected(MergedElsewhere)


def test_after_an_extension_the_new_deadline_counts_and_the_old_one_does_not() -> None:
    longer = on(RECTIFY.on.replace(month=6, day=16))
    past = (
        *UNDERWAY,
        ExtensionRequested(until=longer.on, reason="厂家延期供货"),
        ExtensionGranted(watch=watch(longer), former=RECTIFY),
    )
    issue.given(*past).when(rung(UrgeIssue, Concern.rectification, RECTIFY)).then_rejected(
        NoLongerDue
    )
    issue.given(*past).when(rung(UrgeIssue, Concern.rectification, longer)).then(
        IssueUrged(concern=Concern.rectification, due=longer, told=(OWNER,))
    )
