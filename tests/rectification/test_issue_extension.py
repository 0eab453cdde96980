"""More time is asked for and given or not; the first deadline stays on record."""

from datetime import date

import pytest

from services.rectification.domain.issue import (
    AlreadyAsked,
    DueInThePast,
    FourEyes,
    GrantExtension,
    NothingAsked,
    NotLater,
    NotTheOwner,
    PartyToTheMatter,
    RefuseExtension,
    RequestExtension,
    TooFarAway,
    decider,
)
from services.rectification.events import (
    ExtensionGranted,
    ExtensionRefused,
    ExtensionRequested,
    IssueTransferred,
)
from shared.decider import OutOfOrder, PersonId
from tests.rectification.cast import (
    AWAITING,
    FACTS,
    HELPER,
    LATER,
    LEADER,
    MEMBER,
    OWNER,
    PLANNED,
    SUPERVISOR,
    UNDERWAY,
    about_member,
    after,
    by,
    on,
    planned,
    watch,
)
from tests.scenario import Scenario

issue = Scenario(decider, FACTS)

UNTIL = date(2023, 6, 16)
requested = ExtensionRequested(until=UNTIL, reason="增压泵厂家延期供货")
granted = ExtensionGranted(watch=watch(on(UNTIL)), former=planned.watch.due, remarks="仅此一次")
refused = ExtensionRefused(until=UNTIL, reason="可先行调整供水时段")
ASKED = (*UNDERWAY, requested)


def request(
    person: PersonId = OWNER, until: date = UNTIL, reason: str = "增压泵厂家延期供货"
) -> RequestExtension:
    return by(person, RequestExtension, until=until, reason=reason)


def grant(person: PersonId = LEADER) -> GrantExtension:
    return by(person, GrantExtension, remarks="仅此一次")


def refuse(person: PersonId = LEADER) -> RefuseExtension:
    return by(person, RefuseExtension, reason="可先行调整供水时段")


def test_the_owner_asks_for_more_time() -> None:
    issue.given(*UNDERWAY).when(request()).then(requested)


def test_nobody_asks_for_the_owner() -> None:
    issue.given(*UNDERWAY).when(request(HELPER)).then_rejected(NotTheOwner)


def test_asking_again_records_nothing() -> None:
    issue.given(*ASKED).when(request()).then_nothing()


def test_one_request_at_a_time_waits_for_its_answer() -> None:
    issue.given(*ASKED).when(request(until=date(2023, 6, 30))).then_rejected(AlreadyAsked)
    issue.given(*ASKED).when(request(reason="另有原因")).then_rejected(AlreadyAsked)


@pytest.mark.parametrize("day", [planned.watch.due.on, date(2023, 5, 26)])
def test_more_time_ends_later_than_the_deadline_there_is(day: date) -> None:
    issue.given(*UNDERWAY).when(request(until=day)).then_rejected(NotLater)


def test_more_time_does_not_end_in_the_past() -> None:
    late = request(until=date(2023, 5, 31)).model_copy(update={"at": LATER})
    issue.given(*UNDERWAY).when(late).then_rejected(DueInThePast)


def test_more_time_does_not_end_in_another_century() -> None:
    issue.given(*UNDERWAY).when(request(until=date.max)).then_rejected(TooFarAway)


def test_time_is_asked_for_only_while_it_is_being_put_right() -> None:
    issue.given(*PLANNED).when(request()).then_rejected(OutOfOrder)
    issue.given(*AWAITING).when(request()).then_rejected(OutOfOrder)


@pytest.mark.parametrize("person", [LEADER, SUPERVISOR])
def test_a_leader_gives_more_time(person: PersonId) -> None:
    issue.given(*ASKED).when(grant(person)).then(granted)


def test_the_first_deadline_is_kept_through_every_extension() -> None:
    further = date(2023, 6, 30)
    past = (*ASKED, granted, ExtensionRequested(until=further, reason="还需验收"))
    event = issue.given(*past).when(grant()).decided()
    assert isinstance(event, ExtensionGranted)
    assert event.former == on(UNTIL)
    state = after(*past, event)
    assert state.watch.due == on(further)
    assert state.plan.first_due == planned.watch.due


def test_a_leader_gives_no_more_time() -> None:
    issue.given(*ASKED).when(refuse()).then(refused)


def test_a_refused_request_leaves_everything_as_it_was() -> None:
    assert after(*ASKED, refused) == after(*UNDERWAY)


def test_what_nobody_asked_for_is_not_answered() -> None:
    for past in (UNDERWAY, (*ASKED, granted), (*ASKED, refused)):
        issue.given(*past).when(grant()).then_rejected(NothingAsked)
        issue.given(*past).when(refuse()).then_rejected(NothingAsked)


def test_nobody_answers_their_own_request() -> None:
    handed_over = IssueTransferred(owner=LEADER, former=OWNER, reason="牵头")
    for command in (grant(LEADER), refuse(LEADER)):
        issue.given(*ASKED, handed_over).when(command).then_rejected(FourEyes)


def test_the_person_an_issue_is_about_gives_no_time() -> None:
    for command in (grant(MEMBER), refuse(MEMBER)):
        issue.given(*about_member(ASKED)).when(command).then_rejected(PartyToTheMatter)


def test_an_extension_is_answered_only_while_it_is_being_put_right() -> None:
    issue.given(*AWAITING).when(grant()).then_rejected(OutOfOrder)
    issue.given(*AWAITING).when(refuse()).then_rejected(OutOfOrder)
