"""The clock speaks of one deadline at a time: reminders, then the ladder; who is told is recorded."""

import pytest

from services.campaign.calendar import Deadline
from services.rectification.domain.issue import (
    CallToAccount,
    MergedElsewhere,
    NoLongerDue,
    RemindIssue,
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
    IssueSupervised,
    IssueUrged,
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
    STRANGER,
    STRUCK_OFF,
    SUPERVISOR,
    UNDERWAY,
    VERIFIED,
    VOIDED,
    by,
    due,
    objected,
    on,
    opened_about_member,
    planned,
    watch,
    without,
)
from tests.scenario import Scenario

issue = Scenario(decider, FACTS)

RUNGS = [RemindIssue, UrgeIssue, SuperviseIssue, CallToAccount]
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
def test_a_rung_may_be_climbed_again_and_changes_nothing(kind: type[Command]) -> None:
    command = rung(kind, Concern.plan, PLAN)
    event = issue.given(*OWNED).when(command).decided()
    assert event is not None
    issue.given(*OWNED, event).when(command).then(event)
    assert decider.fold((*OWNED, event)) == decider.fold(OWNED)  # type: ignore[arg-type]  # all are an issue's


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
