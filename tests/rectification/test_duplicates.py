"""Somebody was entered twice; what the second entry held or did is theirs once the two are merged."""

from typing import Any

from services.campaign.roster import Roster
from services.rectification.domain import plan, regulation
from services.rectification.domain.issue import (
    ClaimIssue,
    Facts,
    FourEyes,
    PartyToTheMatter,
    PublishNotice,
    RemindIssue,
    ReportProgress,
    StartRectification,
    StrikeOff,
    TransferIssue,
    VerifyIssue,
    VoidIssue,
    decider,
)
from services.rectification.events import (
    Concern,
    IssueReminded,
    IssueTransferred,
    ProgressReported,
    RectificationPlanDrafted,
    RectificationStarted,
    RegulationDrafted,
)
from shared.decider import PersonId
from tests.rectification.cast import (
    AWAITING,
    CLOCK,
    COLLATOR,
    HELPER,
    LATER,
    LEADER,
    MEMBER,
    ON_NOTICE,
    OPEN,
    OWNED,
    OWNER,
    PLANNED,
    REVIEWER,
    SCHOOL,
    UNDERWAY,
    VERIFIED,
    by,
    claimed_by_member,
    due,
    opened_about_member,
    verified,
)
from tests.scenario import Scenario


def merged(*people: PersonId) -> Facts:
    """The school after second entries of some were merged into their first."""
    known = SCHOOL.roster.people
    twice = {
        PersonId(f"{person}-2"): known[person].model_copy(update={"merged_into": person})
        for person in people
    }
    return Facts(SCHOOL.model_copy(update={"roster": Roster(people={**known, **twice})}))


def second[S: str](person: S) -> PersonId:
    return PersonId(f"{person}-2")


def told_of_second_entries(past: Any) -> tuple[Any, ...]:
    """The same past, in which everybody went by their second entry."""
    names = (OWNER, HELPER, REVIEWER, MEMBER, COLLATOR)

    def renamed(text: str) -> str:
        for name in names:
            text = text.replace(f'"{name}"', f'"{name}-2"')
        return text

    return tuple(
        type(event).model_validate_json(renamed(event.model_dump_json())) for event in past
    )


issue = Scenario(decider, merged(OWNER, HELPER, REVIEWER, MEMBER, COLLATOR))


def test_a_personal_issue_is_claimed_by_its_person() -> None:
    past = told_of_second_entries([opened_about_member])
    issue.given(*past).when(by(MEMBER, ClaimIssue)).then(claimed_by_member)


def test_the_owner_goes_on_and_so_do_those_who_help() -> None:
    issue.given(*told_of_second_entries(PLANNED)).when(by(OWNER, StartRectification)).then(
        RectificationStarted()
    )
    issue.given(*told_of_second_entries(UNDERWAY)).when(
        by(HELPER, ReportProgress, text="增压泵已到货")
    ).then(ProgressReported(text="增压泵已到货"))
    issue.given(*told_of_second_entries(OWNED)).when(by(OWNER, ClaimIssue)).then_nothing()


def test_the_reviewer_reviews() -> None:
    issue.given(*told_of_second_entries(AWAITING)).when(
        by(REVIEWER, VerifyIssue, finding=verified.finding)
    ).then(verified)


def test_four_eyes_are_those_of_two_people() -> None:
    issue.given(*told_of_second_entries(OWNED)).when(
        by(OWNER, VoidIssue, reason="不存在")
    ).then_rejected(FourEyes)
    issue.given(*told_of_second_entries(OPEN)).when(
        by(COLLATOR, VoidIssue, reason="重复")
    ).then_rejected(FourEyes)
    issue.given(*told_of_second_entries(AWAITING)).when(
        by(HELPER, VerifyIssue, finding="属实")
    ).then_rejected(FourEyes)
    issue.given(*told_of_second_entries(ON_NOTICE)).when(
        by(OWNER, StrikeOff, at=LATER)
    ).then_rejected(FourEyes)


def test_the_person_an_issue_is_about_is_a_party_to_it() -> None:
    past = told_of_second_entries((opened_about_member, *VERIFIED[1:]))
    issue.given(*past).when(by(MEMBER, PublishNotice, text="公示")).then_rejected(PartyToTheMatter)


def test_an_issue_is_handed_over_from_who_it_was() -> None:
    issue.given(*told_of_second_entries(UNDERWAY)).when(
        by(LEADER, TransferIssue, to=MEMBER, reason="调往分校区")
    ).then(IssueTransferred(owner=MEMBER, former=OWNER, reason="调往分校区"))


def test_the_owner_is_told() -> None:
    remind = by(CLOCK, RemindIssue, concern=Concern.plan, due_at=due("plan_within").at, at=LATER)
    issue.given(*told_of_second_entries(OWNED)).when(remind).then(
        IssueReminded(concern=Concern.plan, due=due("plan_within"), told=(OWNER,))
    )


def test_whoever_drafted_a_plan_or_a_regulation_does_not_void_it() -> None:
    directory = merged(LEADER).directory
    drafted = RectificationPlanDrafted(
        campaign="campaign-1", title="整改方案", drafted_by=second(LEADER)
    )
    Scenario(plan.decider, plan.Facts(directory), (drafted,)).when(
        by(LEADER, plan.VoidRectificationPlan, reason="重复")
    ).then_rejected(FourEyes)
    paper = RegulationDrafted(
        title="办法", text="第一条", answers=("issue-1",), drafted_by=second(LEADER)
    )
    Scenario(regulation.decider, regulation.Facts(directory), (paper,)).when(
        by(LEADER, regulation.VoidRegulation, reason="重复")
    ).then_rejected(FourEyes)
