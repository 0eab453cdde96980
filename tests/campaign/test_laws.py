"""What holds for every stream of campaign however its life goes."""

import json
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from itertools import product
from typing import Any

import pytest

from services.campaign.app import service
from services.campaign.domain import (
    account,
    bureau,
    calendar,
    campaign,
    erasure,
    inspection,
    person,
    school,
    unit,
)
from services.campaign.events import Role, UnitKind
from shared.decider import Command, Decider, Rejected
from shared.journal import dump_state, load_state
from tests.campaign import test_account as accounts
from tests.campaign import test_bureau as bureaus
from tests.campaign import test_calendar as calendars
from tests.campaign import test_campaign as campaigns
from tests.campaign import test_erasure as erasures
from tests.campaign import test_inspection as inspections
from tests.campaign import test_person as people
from tests.campaign import test_school as schools
from tests.campaign import test_unit as units
from tests.campaign.examples import DIRECTORY, HEAD, OPERATOR, TEACHER, TODAY
from tests.scenario import Laws

pytestmark = pytest.mark.thorough


def _revised_or_not(state: Any) -> Any:
    """A campaign's state, the number of its revision forgotten."""
    match state:
        case campaign.Planned(plan) | campaign.Running(plan):
            return replace(state, plan=replace(plan, revision=0))
        case campaign.Concluded(ran):
            return replace(state, ran=_revised_or_not(ran))
        case _:
            return state


def _cancelled_or_not(state: Any) -> Any:
    """A calendar, how often something was cancelled forgotten."""
    return replace(
        state,
        cancelled_years=frozenset(state.cancelled_years),
        cancelled_holidays=frozenset(state.cancelled_holidays),
        cancelled_make_up_days=frozenset(state.cancelled_make_up_days),
    )


def _struck_out_or_not(state: Any) -> Any:
    """A person, how often something was struck out forgotten."""
    if not isinstance(state, person.Entered):
        return state
    return (replace(state, struck_out=()), frozenset(state.struck_out))


@dataclass(frozen=True)
class Life:
    """A kind of stream, its laws, and the same commands with other content.

    Where the commands fall into groups that have nothing to do with each other, the states are
    those each group can reach.
    """

    laws: Laws
    others: tuple[Command, ...]
    groups: tuple[tuple[type[Command], ...], ...] = ()
    decider: Decider[Any, Any, Any, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "decider", self.laws.decider)

    @cached_property
    def states(self) -> list[Any]:
        if not self.groups:
            return self.laws.reachable()
        found: dict[Any, Any] = {}
        for group in self.groups:
            some = tuple(c for c in self.laws.commands if isinstance(c, group))
            for state in replace(self.laws, commands=some).reachable():
                found[self.laws.key(state)] = state
        return list(found.values())

    @property
    def commands(self) -> tuple[type[Command], ...]:
        return self.decider.members(self.decider.commands)

    def is_nothing_new(self, command: Command, state: Any) -> bool:
        try:
            return self.decider.decide(command, state, self.laws.facts) is None
        except Rejected:
            return False


BY_OPERATOR = {"by": OPERATOR}
SECOND = (people.unmerge(), people.void())
"""What somebody else has to do than who entered or merged."""
LIVES = {
    "school": Life(
        Laws(school.decider, None, (schools.enrol(), schools.correct())),
        (schools.enrol("江南中学"), schools.correct(reason="另"), schools.correct("江南中学")),
    ),
    "unit": Life(
        Laws(
            unit.decider,
            DIRECTORY,
            (units.enter(), units.correct(), units.close(), units.reopen(), units.void()),
        ),
        (
            units.enter("教务处"),
            units.correct(reason="另"),
            units.correct(kind=UnitKind.grade),
            units.close(date(2023, 8, 31)),
            units.reopen("另"),
            units.void("另"),
        ),
    ),
    "account": Life(
        Laws(
            account.decider,
            DIRECTORY,
            (accounts.open_for(), accounts.hand_over(), accounts.close()),
        ),
        (
            accounts.open_for(HEAD),
            accounts.hand_over(TEACHER),
            accounts.hand_over(reason="另"),
            accounts.close("另"),
        ),
    ),
    "bureau": Life(
        Laws(
            bureau.decider,
            DIRECTORY,
            (
                bureaus.admit(),
                bureaus.correct(),
                bureaus.grant(),
                bureaus.withdraw(),
                bureaus.dismiss(),
            ),
        ),
        (
            bureaus.admit("另"),
            bureaus.correct(reason="另"),
            bureaus.correct("另"),
            bureaus.grant("另"),
            bureaus.withdraw("另"),
            bureaus.dismiss("另"),
        ),
    ),
    "erasure": Life(
        Laws(
            erasure.decider,
            erasure.Facts(DIRECTORY, there=True),
            (
                erasures.ask(),
                erasures.ask_texts(),
                erasures.approve(),
                erasures.withdraw(),
            ),
        ),
        (
            erasures.ask("另"),
            erasures.ask_texts(reason="另"),
            erasures.approve(reason="另"),
            erasures.withdraw("另"),
        ),
    ),
    "inspection": Life(
        Laws(
            inspection.decider,
            DIRECTORY,
            (
                inspections.hold(),
                inspections.correct(),
                inspections.put_forward(),
                inspections.void(),
            ),
        ),
        (
            inspections.hold(found="没有问题"),
            inspections.correct(reason="另"),
            inspections.put_forward(title="另"),
            inspections.void("另"),
        ),
    ),
    "calendar": Life(
        Laws(
            calendar.decider,
            DIRECTORY,
            (
                calendars.set_year(),
                calendars.cancel_year(),
                calendars.declare(),
                calendars.cancel(),
                calendars.declare_make_up(),
                calendars.cancel_make_up(),
            ),
            _cancelled_or_not,
        ),
        (
            calendars.set_year(calendars.AUTUMN),
            calendars.cancel_year("另"),
            calendars.declare("五一"),
            calendars.cancel("另"),
            calendars.declare_make_up(date(2023, 5, 7)),
            calendars.cancel_make_up("另"),
        ),
    ),
    "campaign": Life(
        Laws(
            campaign.decider,
            DIRECTORY,
            (
                campaigns.draft(),
                campaigns.review(),
                campaigns.review(approved=False, remarks="环节太短"),
                campaigns.file(),
                campaigns.revise(),
                campaigns.set_policy(),
                campaigns.start(),
                campaigns.correct_start(),
                campaigns.conclude(),
                campaigns.resume(),
                campaigns.void(TEACHER),
            ),
            _revised_or_not,
        ),
        (
            campaigns.draft(follows_on="last-year"),
            campaigns.review(remarks="好"),
            campaigns.review(approved=False, remarks="另"),
            campaigns.file("别处"),
            campaigns.revise("另"),
            campaigns.set_policy(value="3"),
            campaigns.set_policy(reason="另"),
            campaigns.start(TODAY),
            campaigns.correct_start(reason="另"),
            campaigns.conclude(summary="另"),
            campaigns.resume("另"),
            campaigns.void(TEACHER, "另"),
        ),
    ),
    "person": Life(
        Laws(
            person.decider,
            DIRECTORY,
            (
                people.enter(**BY_OPERATOR),
                *(c.model_copy(update=BY_OPERATOR) for c in people.ANYTHING if c not in SECOND),
                *SECOND,
            ),
            _struck_out_or_not,
        ),
        (
            people.enter(name="赖国梁"),
            people.correct(reason="另"),
            people.take(Role.principal_leader),
            people.leave(until=people.SPRING),
            people.void_post(reason="另"),
            people.join(since=people.SPRING),
            people.leave_branch(until=people.SPRING),
            people.void_membership(reason="另"),
            people.oversee(since=people.SPRING),
            people.leave_oversight(until=people.SPRING),
            people.void_oversight(reason="另"),
            people.name_deputy(HEAD),
            people.recall(until=TODAY),
            people.leave_school(people.SPRING),
            people.void_leaving("另"),
            people.rejoin(date(2023, 9, 1)),
            people.void_rejoining("另"),
            people.merge(HEAD),
            people.unmerge("另"),
            people.void("另"),
        ),
        tuple(
            (
                person.EnterPerson,
                person.LeaveSchool,
                person.VoidLeaving,
                person.RejoinSchool,
                person.VoidRejoining,
                *some,
            )
            for some in (
                (person.TakePost, person.LeavePost, person.VoidPost, person.CorrectPerson),
                (person.JoinBranch, person.LeaveBranch, person.VoidMembership),
                (person.TakeOversight, person.LeaveOversight, person.VoidOversight),
                (person.NameDeputy, person.RecallDeputy),
                (person.MergePerson, person.UnmergePerson, person.VoidPerson),
            )
        ),
    ),
}

every_life = pytest.mark.parametrize("life", LIVES.values(), ids=LIVES)


def test_no_kind_of_stream_is_forgotten_here() -> None:
    assert {stream.decider.category for stream in service.streams} == set(LIVES)


@every_life
def test_no_command_is_forgotten_here(life: Life) -> None:
    life.laws.check_every_command_is_tried()
    assert {type(other) for other in life.others} == {type(c) for c in life.laws.commands}


@every_life
def test_every_command_is_accepted_somewhere(life: Life) -> None:
    life.laws.check_every_command_is_accepted_somewhere(life.states)


@every_life
def test_every_event_happens(life: Life) -> None:
    life.laws.check_every_event_happens(life.states)


@every_life
def test_every_state_is_reached(life: Life) -> None:
    reached = {type(state) for state in life.states}
    assert reached == set(life.decider.members(life.decider.states))


@every_life
def test_a_command_sent_twice_counts_once(life: Life) -> None:
    life.laws.check_twice_counts_once(life.states)


@every_life
def test_the_same_command_with_other_content_is_not_swallowed(life: Life) -> None:
    for state, command in product(life.states, life.laws.commands):
        event = life.laws.attempt(command, state)
        if event is None:
            continue
        after = life.decider.evolve(state, event)
        for other in life.others:
            if type(other) is type(command) and not life.is_nothing_new(other, state):
                assert not life.is_nothing_new(other, after), f"{other} after {command}"


@every_life
def test_a_stream_ends_where_its_events_say_so(life: Life) -> None:
    life.laws.check_it_ends_where_its_events_say(life.states, life.others)


@every_life
def test_a_snapshot_is_read_back_as_it_was(life: Life) -> None:
    for state in life.states:
        dumped = json.loads(json.dumps(dump_state(state)))
        assert load_state(life.decider, dumped) == state


@every_life
def test_every_command_and_who_may_ask_for_it_has_a_name(life: Life) -> None:
    for command in life.commands:
        assert command.zh
        assert command.__doc__
        assert command.allowed


@every_life
def test_one_command_begins_the_stream(life: Life) -> None:
    """Of an erasure two: of a person and of texts, which end in the same way."""
    beginning = [c for c in life.commands if c.creates]
    assert len(beginning) == (2 if life.laws.decider.category == "erasure" else 1)


def test_every_refusal_has_a_title_in_both_languages() -> None:
    ours = {rule for rule in Rejected.known.values() if rule.__module__.startswith("services.camp")}
    assert len(ours) > 30
    for rule in ours:
        assert rule.zh != Rejected.zh, rule
        assert rule.__doc__, rule


def test_the_groups_of_a_persons_commands_leave_none_out() -> None:
    grouped = {command for group in LIVES["person"].groups for command in group}
    assert grouped == {type(c) for c in LIVES["person"].laws.commands}
