"""Every rate has its formula, figures and what was left out; small groups give nobody away."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.feedback.events import Discovery
from services.oversight.rules.difference import between, ledger
from services.oversight.rules.figures import (
    SMALL,
    Verdict,
    cut_off,
    other_rates,
    published,
    ratio,
    three_rates,
)
from services.oversight.rules.world import World
from services.rectification.events import (
    IssueReopened,
    ProgressReported,
    ReopenCause,
    Satisfied,
    Solved,
)
from shared.decider import PersonId
from tests.oversight.deeds import (
    TEXT,
    acknowledged,
    closed,
    judged,
    opened,
    spoken,
    talked,
    watch,
)
from tests.oversight.histories import said
from tests.oversight.town import APRIL, JUNE, LEADER, MAY, TODAY, WU, ZHOU, Entry, world

SUNDAY = date(2023, 6, 25)
GOOD, FAIR, BAD = Satisfied.satisfied, Satisfied.basically_satisfied, Satisfied.dissatisfied


def story(*verdicts: tuple[Solved, Satisfied], on: date = MAY, prefix: str = "i") -> list[Entry]:
    """One closed issue per verdict; the first one's originator was answered."""
    entries: list[Entry] = []
    for n, (solved, satisfied) in enumerate(verdicts):
        opinion = f"{prefix}o{n}"
        entries += [
            spoken(opinion),
            *([acknowledged(opinion)] if n == 0 else []),
            *closed(f"{prefix}{n}", sha=f"{n:064x}", opinions=(opinion,)),
            judged(f"{prefix}{n}", PersonId(f"originator:{n}"), solved=solved, satisfied=satisfied, on=on),
        ]  # fmt: skip
    return entries


FIVE = story(
    (Solved.solved, GOOD),
    (Solved.solved, GOOD),
    (Solved.solved, FAIR),
    (Solved.partly_solved, FAIR),
    (Solved.unsolved, BAD),
)


def rates(*entries: Entry, by: str = "all", day: date = TODAY) -> dict[str, Any]:
    return three_rates(world(*entries, day=day), by, TODAY)


def test_the_three_rates_as_they_are_calculated() -> None:
    told = rates(*FIVE)
    (group,) = told["groups"]
    assert not group["suppressed"]
    figures = {n: (f["numerator"], f["denominator"], f["value"]) for n, f in group["rates"].items()}
    assert figures == {
        "response_rate": (1.0, 5, 0.2),
        "resolution_rate": (3.0, 5, 0.6),
        "satisfaction_rate": (3.8, 5, 0.76),
        "composite": (0.1 * 1 + 0.5 * 3 + 0.4 * 3.8, 5, 0.624),
    }
    assert group["rates"]["satisfaction_rate"]["formula"] == (
        "(satisfied + 0.9 × basically satisfied) / verdicts"
    )
    assert told["cut_off"] == SUNDAY
    assert told["position"] == len(FIVE)


def test_what_the_rates_leave_out_is_told() -> None:
    told = rates(*FIVE, *closed("i9", sha="9" * 64))
    assert told["exclusions"] == {"ended_without_verdict": 1, "verdicts_overtaken": 0}


def test_fewer_than_five_give_nobody_away() -> None:
    told = rates(*story(*[(Solved.solved, GOOD)] * 4))
    assert told["groups"] == [{"group": "all", "suppressed": True, "as_of": None, "rates": None}]


def test_one_more_verdict_is_not_published_until_there_are_five_more() -> None:
    four_more = story(*[(Solved.unsolved, BAD)] * 4, on=JUNE, prefix="j")
    five_more = story(*[(Solved.unsolved, BAD)] * 5, on=JUNE, prefix="j")
    (after_four,) = rates(*FIVE, *four_more)["groups"]
    (after_five,) = rates(*FIVE, *five_more)["groups"]
    assert after_four["rates"]["resolution_rate"]["denominator"] == 5
    assert after_four["as_of"] < JUNE
    assert after_five["rates"]["resolution_rate"]["denominator"] == 10
    assert after_five["as_of"] == SUNDAY


def test_the_one_group_too_small_is_not_left_to_be_reckoned() -> None:
    others = [
        Entry(e.stream, e.event.model_copy(update={"discovery": Discovery.self_found}), e.on, e.by)
        if "opened" in e.event.TYPE
        else e
        for e in story((Solved.solved, GOOD), prefix="j")
    ]
    told = rates(*FIVE, *others, by="discovery")
    assert [group["suppressed"] for group in told["groups"]] == [True, True]


def test_a_verdict_counts_until_the_issue_is_reopened() -> None:
    reopened = IssueReopened(
        cause=ReopenCause.relapse, reason=TEXT, owner=ZHOU, times=1, watch=watch(JUNE)
    )
    told = rates(*FIVE, *story((Solved.solved, GOOD), prefix="j"), said("j0", reopened, JUNE))
    (group,) = told["groups"]
    assert told["exclusions"] == {"ended_without_verdict": 1, "verdicts_overtaken": 1}
    assert group["rates"]["resolution_rate"]["denominator"] == 6  # one less gives one away


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (TODAY, SUNDAY),
        (date(2023, 6, 25), date(2023, 6, 25)),
        (date(2023, 6, 24), date(2023, 6, 18)),
    ],
)
def test_a_week_ends_on_sunday(day: date, expected: date) -> None:
    assert cut_off(day, TODAY) == expected


def test_a_sunday_that_is_not_over_does_not_count() -> None:
    assert cut_off(SUNDAY, SUNDAY) == SUNDAY - timedelta(days=7)


VERDICTS = st.lists(
    st.tuples(st.dates(date(2023, 1, 1), TODAY), st.none() | st.integers(0, 90)), max_size=40
).map(
    lambda some: [
        Verdict(
            f"v{n}",
            "i",
            since,
            None if ends is None else since + timedelta(days=ends),
            Solved.solved,
            GOOD,
            None,
        )
        for n, (since, ends) in enumerate(some)
    ]
)


@given(VERDICTS)
def test_what_is_published_one_after_the_other_never_differs_by_few(some: list[Verdict]) -> None:
    before: frozenset[Verdict] | None = None
    sunday = date(2023, 1, 1)
    while sunday <= TODAY:
        shown = published(some, sunday)
        if shown:
            day, standing = shown
            assert day <= sunday
            assert day.weekday() == 6
            now = frozenset(standing)
            assert len(now) >= SMALL
            assert now == {v for v in some if v.counts(day)}
            if before is not None:
                assert now == before or len(now ^ before) >= SMALL
            before = now
        sunday += timedelta(days=7)


def test_a_share_of_nothing_is_none() -> None:
    assert ratio(0, 0) is None
    assert ratio(1, 3) == 0.3333
    assert ratio(2, 3) == 0.6667


# -- Other rates -----------------------------------------------------------------------------------


def figure(name: str, *entries: Entry) -> tuple[float, int, float | None]:
    told = next(f for f in other_rates(world(*entries)) if f["name"] == name)
    assert told["formula"]
    assert told["position"] == len(entries)
    return told["numerator"], told["denominator"], told["value"]


def test_on_time_is_who_asked_by_the_day_due() -> None:
    late = closed("i2", sha="f" * 64, on=JUNE)
    assert figure("on_time_rate", *closed("i1"), *late) == (1.0, 2, 0.5)


def test_first_time_pass_is_who_was_never_returned() -> None:
    told = figure("first_time_pass_rate", *closed("i1"), opened("i2"))
    assert told == (1.0, 1, 1.0)


def test_reopened_is_of_those_ever_struck_off() -> None:
    reopened = IssueReopened(
        cause=ReopenCause.relapse, reason=TEXT, owner=ZHOU, times=1, watch=watch(JUNE)
    )
    entries = [*closed("i1"), *closed("i2", sha="f" * 64), said("i1", reopened, JUNE)]
    assert figure("reopen_rate", *entries) == (1.0, 2, 0.5)


def test_days_to_close_are_the_nearest_ranks() -> None:
    entries = [
        e
        for n in range(1, 11)
        for e in closed(f"i{n}", sha=f"{n:064d}", on=date(2023, 3, 15) + timedelta(days=n))
    ]
    told = next(f for f in other_rates(world(*entries)) if f["name"] == "days_to_close")
    assert told["percentiles"] == {"p50": 5, "p75": 8, "p90": 9}
    assert told["denominator"] == 10


def test_nothing_closed_gives_no_percentiles() -> None:
    told = next(f for f in other_rates(world()) if f["name"] == "days_to_close")
    assert told["percentiles"] == {"p50": None, "p75": None, "p90": None}


# -- Differences -----------------------------------------------------------------------------------


def two(*entries: Entry, first: date = APRIL, last: date = TODAY) -> tuple[World, World]:
    return world(*entries, day=first), world(*entries, day=last)


def test_the_weekly_tables_say_what_is_new_what_moved_what_was_struck_off() -> None:
    entries = [
        *closed("i1", on=MAY),
        opened("i2"),
        said("i2", ProgressReported(text=TEXT), APRIL),
        opened("i3"),
        said("i3", ProgressReported(text=TEXT), MAY),
        opened("i4", on=JUNE),
    ]
    assert ledger(*two(*entries)) == {"opened": ["i4"], "moved": ["i3"], "struck_off": ["i1"]}


def test_every_rule_that_changed_says_how() -> None:
    entries = [talked("t1", ZHOU, LEADER), talked("t2", WU, LEADER, on=MAY)]
    told = between(*two(*entries), "all", TODAY)
    (change,) = [c for c in told["rules"] if c["rule"] == "R46"]
    assert change["numerators"] == [1, 2]
    assert change["denominators"] == [2, 2]
    assert (change["newly_done"], change["no_longer_done"], change["newly_owed"]) == (1, 0, 0)
    assert all(c["rule"] != "R48" for c in told["rules"])


def test_between_two_days_of_one_week_the_three_rates_are_the_same() -> None:
    later = story((Solved.unsolved, BAD), on=date(2023, 6, 28), prefix="j")
    told = between(*two(*FIVE, *later, first=date(2023, 6, 26)), "all", TODAY)
    assert told["three_rates"]["from"]["groups"] == told["three_rates"]["to"]["groups"]
