"""An ended issue is taken up again when there are grounds; after a while somebody goes to look."""

from typing import Any

import pytest

from services.rectification.domain.issue import (
    FourEyes,
    LookBack,
    NobodyThere,
    NoGrounds,
    ObjectionPending,
    Owned,
    PartyToTheMatter,
    ReopenIssue,
    decider,
)
from services.rectification.events import (
    ExplainedNotPossible,
    IssueReopened,
    LookedBack,
    ObjectionUpheld,
    ReopenCause,
    Satisfied,
    Solved,
    VerdictRecorded,
)
from shared.decider import Event, OutOfOrder, PersonId
from tests.rectification.cast import (
    FACTS,
    GONE,
    HELPER,
    LEADER,
    LONG_TERM,
    MEMBER,
    NOT_POSSIBLE,
    ON_NOTICE,
    OPEN,
    OWNER,
    RECEIPT,
    STRUCK_OFF,
    SUPERVISOR,
    about_member,
    after,
    by,
    due,
    objected,
    watch,
)
from tests.scenario import Scenario

issue = Scenario(decider, FACTS)

unsolved = VerdictRecorded(
    originator=RECEIPT, solved=Solved.unsolved, satisfied=Satisfied.dissatisfied
)
upheld = ObjectionUpheld(answer="情况属实", times=0)
relapsed = LookedBack(
    measures_concrete=True,
    solved_on_time=True,
    accepted_by_the_masses=False,
    rules_in_force=True,
    relapse=True,
    finding="开学后四楼又没有热水",
)
held = relapsed.model_copy(update={"relapse": False, "finding": "一个学期后热水仍正常"})
reopened = IssueReopened(
    cause=ReopenCause.relapse,
    reason="问题反弹",
    owner=OWNER,
    times=1,
    watch=watch(due("plan_within")),
)

GROUNDS: dict[ReopenCause, tuple[Event, ...]] = {
    ReopenCause.relapse: (relapsed,),
    ReopenCause.objection_upheld: (objected, upheld),
    ReopenCause.verdict_unsolved: (unsolved,),
}


def reopen(cause: ReopenCause = ReopenCause.relapse, owner: PersonId | None = None) -> ReopenIssue:
    return by(SUPERVISOR, ReopenIssue, cause=cause, reason="问题反弹", owner=owner)


def look_back(person: PersonId = SUPERVISOR, **changes: Any) -> LookBack:
    return by(person, LookBack, **{**dict(relapsed), **changes})


# -- Reopening ------------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", ReopenCause)
def test_what_is_struck_off_is_reopened_on_each_of_the_grounds(cause: ReopenCause) -> None:
    issue.given(*STRUCK_OFF, *GROUNDS[cause]).when(reopen(cause)).then(
        reopened.model_copy(update={"cause": cause})
    )


@pytest.mark.parametrize("cause", ReopenCause)
def test_one_ground_is_not_another(cause: ReopenCause) -> None:
    others = [event for c, events in GROUNDS.items() if c is not cause for event in events]
    issue.given(*STRUCK_OFF, *others).when(reopen(cause)).then_rejected(NoGrounds)


@pytest.mark.parametrize("past", [STRUCK_OFF, NOT_POSSIBLE], ids=["struck off", "explained"])
@pytest.mark.parametrize("cause", ReopenCause)
def test_nothing_is_reopened_without_grounds(cause: ReopenCause, past: tuple[Event, ...]) -> None:
    issue.given(*past).when(reopen(cause)).then_rejected(NoGrounds)


def test_a_look_back_at_what_held_is_no_ground() -> None:
    issue.given(*STRUCK_OFF, held).when(reopen()).then_rejected(NoGrounds)


def test_what_could_not_be_done_is_reopened_when_originators_disagree() -> None:
    issue.given(*NOT_POSSIBLE, unsolved).when(reopen(ReopenCause.verdict_unsolved)).then(
        reopened.model_copy(update={"cause": ReopenCause.verdict_unsolved})
    )


def test_an_objection_is_answered_before_the_issue_is_reopened() -> None:
    issue.given(*STRUCK_OFF, relapsed, objected).when(reopen()).then_rejected(ObjectionPending)


def test_a_reopened_issue_may_go_to_somebody_else() -> None:
    issue.given(*STRUCK_OFF, relapsed).when(reopen(owner=HELPER)).then(
        reopened.model_copy(update={"owner": HELPER})
    )


def test_a_reopened_issue_does_not_go_to_somebody_who_has_left() -> None:
    issue.given(*STRUCK_OFF, relapsed).when(reopen(owner=GONE)).then_rejected(NobodyThere)


def test_an_issue_nobody_ever_held_is_reopened_for_somebody() -> None:
    explained = ExplainedNotPossible(
        explanation="不属于学校职权", verdicts_until=due("verdict_within")
    )
    past = (*OPEN, explained, unsolved)
    issue.given(*past).when(reopen(ReopenCause.verdict_unsolved)).then_rejected(NobodyThere)
    event = issue.given(*past).when(reopen(ReopenCause.verdict_unsolved, OWNER)).decided()
    assert isinstance(event, IssueReopened)
    assert event.owner == OWNER


def test_a_reopened_issue_begins_again_with_its_owner_and_is_counted() -> None:
    now = after(*STRUCK_OFF, relapsed, reopened)
    assert isinstance(now, Owned)
    assert (now.owner, now.case.reopened, now.case.handed) == (OWNER, 1, "问题反弹")
    again = (*STRUCK_OFF, relapsed, reopened, *STRUCK_OFF[2:], relapsed)
    event = issue.given(*again).when(reopen()).decided()
    assert isinstance(event, IssueReopened)
    assert event.times == 2


def test_grounds_do_not_outlive_a_reopening() -> None:
    again = (*STRUCK_OFF, relapsed, reopened, *STRUCK_OFF[2:])
    issue.given(*again).when(reopen()).then_rejected(NoGrounds)


@pytest.mark.parametrize("past", [(), ON_NOTICE, LONG_TERM])
def test_only_what_has_ended_is_reopened(past: tuple[Event, ...]) -> None:
    issue.given(*past).when(reopen()).then_rejected(OutOfOrder)


# -- Looking back ---------------------------------------------------------------------------------


def test_somebody_goes_and_sees_whether_it_held() -> None:
    issue.given(*STRUCK_OFF).when(look_back()).then(relapsed)


def test_looking_back_again_with_the_same_finding_records_nothing() -> None:
    issue.given(*STRUCK_OFF, relapsed).when(look_back()).then_nothing()


def test_looking_back_again_with_another_finding_is_recorded() -> None:
    issue.given(*STRUCK_OFF, relapsed).when(look_back(**dict(held))).then(held)


def test_the_owner_does_not_look_back_at_their_own_work() -> None:
    issue.given(*STRUCK_OFF).when(look_back(OWNER)).then_rejected(FourEyes)


def test_the_person_an_issue_is_about_does_not_look_back_at_it() -> None:
    issue.given(*about_member(STRUCK_OFF)).when(look_back(MEMBER)).then_rejected(PartyToTheMatter)


@pytest.mark.parametrize("past", [ON_NOTICE, NOT_POSSIBLE, LONG_TERM])
def test_only_what_was_struck_off_is_looked_back_at(past: tuple[Event, ...]) -> None:
    issue.given(*past).when(look_back(LEADER)).then_rejected(OutOfOrder)
