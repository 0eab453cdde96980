"""What rectification does of its own accord: the issues it opens, the timers it sets and drops."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from services.campaign.defaults import MOST_PERIODS
from services.rectification.domain.issue import (
    CallToAccount,
    RemindIssue,
    SuperviseIssue,
    UrgeIssue,
)
from services.rectification.events import (
    Concern,
    IssueReturned,
    ObjectionUpheld,
    ProgressReported,
    ReturnReason,
    Watch,
)
from services.rectification.policy import timers
from shared.decider import Event, Remind
from shared.envelope import GENESIS, Provenance, Record, Subject, draft
from tests.rectification.cast import (
    NOON,
    OWNER,
    REVIEWER,
    claimed,
    objected,
    opened,
    planned,
    strike_off_requested,
    struck_off,
)

WATCH = planned.watch
NAMES = {*(f"remind-{n}" for n in range(MOST_PERIODS)), "urge", "supervise", "account"}
SECOND = timedelta(seconds=1)


def recorded(event: Event, at: datetime = NOON) -> Record:
    place = Subject("wangxi", "rectification", "issue", "issue-1")
    provenance = Provenance(OWNER, at, at, UUID(int=1), "0" * 64, UUID(int=1))
    new = draft(place, event, provenance, version=1, previous=GENESIS)
    return Record(1, new.subject, new.headers, new.body)


def returned(climbed: int = 0) -> IssueReturned:
    watch = WATCH.model_copy(update={"climbed": climbed})
    return IssueReturned(
        verifier=REVIEWER, code=ReturnReason.not_solved, reason="…", times=1, watch=watch
    )


def armed(event: Event, at: datetime = NOON) -> dict[str, Remind]:
    """The timers an event sets; every other one of the issue is dropped."""
    asked = list(timers(recorded(event, at)))
    assert {timer.name for timer in asked} == NAMES
    assert len(asked) == len(NAMES)
    return {timer.name: timer for timer in asked if isinstance(timer, Remind)}


LADDER = ["urge", "supervise", "account"]
LATE: list[tuple[datetime, int, list[str]]] = [
    (WATCH.remind_at[-1] - SECOND, 0, ["remind-3", *LADDER]),
    (WATCH.remind_at[-1], 0, LADDER),
    (WATCH.urge_at - SECOND, 0, LADDER),
    (WATCH.urge_at, 0, LADDER),
    (WATCH.urge_at, 1, ["supervise", "account"]),
    (WATCH.supervise_at, 0, ["supervise", "account"]),
    (WATCH.supervise_at, 1, ["supervise", "account"]),
    (WATCH.supervise_at, 2, ["account"]),
    (WATCH.account_at, 0, ["account"]),
    (WATCH.account_at, 2, ["account"]),
    (WATCH.account_at, 3, []),
]
"""When an issue comes back, how far its ladder was climbed, and what is then still to be said."""


def test_a_deadline_is_reminded_of_before_and_the_ladder_follows() -> None:
    body = {"concern": "rectification", "due_at": WATCH.due.at.isoformat()}
    expected = [
        *(Remind(f"remind-{n}", at, RemindIssue, body) for n, at in enumerate(WATCH.remind_at)),
        Remind("urge", WATCH.urge_at, UrgeIssue, body),
        Remind("supervise", WATCH.supervise_at, SuperviseIssue, body),
        Remind("account", WATCH.account_at, CallToAccount, body),
    ]
    assert list(armed(planned).values()) == expected


@pytest.mark.parametrize(("at", "climbed", "names"), LATE)
def test_what_comes_back_late_is_not_reminded_of_the_past_and_its_ladder_goes_on(
    at: datetime, climbed: int, names: list[str]
) -> None:
    watch = returned(climbed).watch
    for event in (
        returned(climbed),
        ObjectionUpheld(answer="…", times=1, watch=watch),
        planned.model_copy(update={"watch": watch}),
    ):
        assert list(armed(event, at)) == names


@pytest.mark.parametrize(
    ("event", "concern"),
    [
        (opened, Concern.claim),
        (claimed, Concern.plan),
        (planned, Concern.rectification),
        (objected, Concern.objection),
    ],
    ids=lambda value: getattr(value, "TYPE", ""),
)
def test_every_timer_says_which_deadline_it_is_of(event: Event, concern: Concern) -> None:
    watch: Watch = event.watch  # type: ignore[attr-defined]  # all of these have one
    for timer in armed(event).values():
        assert timer.body == {"concern": concern.value, "due_at": watch.due.at.isoformat()}


@pytest.mark.parametrize(
    "event", [strike_off_requested, struck_off, ObjectionUpheld(answer="…", times=0)]
)
def test_what_waits_or_has_ended_has_no_timer(event: Event) -> None:
    assert armed(event) == {}


def test_what_moves_no_deadline_moves_no_timer() -> None:
    assert list(timers(recorded(ProgressReported(text="…")))) == []
