"""A school in sums: what its bureau sees, and what the metrics tell."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.campaign.directory import Bureau
from services.campaign.events import CampaignVoided, PlanApproved, PlanFiled, PlanRevised
from services.feedback.events import Wind
from services.oversight.app import service
from services.oversight.queries import Board, Looks, Outstanding, Overview
from services.oversight.rules.engine import board
from services.oversight.rules.figures import three_rates
from services.oversight.rules.overview import STAGES, SUMS, WINDS, issues, overview, plan
from services.oversight.shelf import expire
from services.oversight.telling import figures, told_of
from shared import metrics
from shared.callers import Caller
from shared.decider import NotFound, PersonId
from shared.looks import look, moment_of
from shared.runtime import Query
from tests.memory import TOWN
from tests.oversight.deeds import TEXT, claimed, closed, opened, talked
from tests.oversight.desk import NOON, after, works
from tests.oversight.histories import drafted, said
from tests.oversight.test_figures import FIVE
from tests.oversight.town import (
    APRIL,
    CAMPAIGN,
    JUNE,
    LEADER,
    MAY,
    NEW_YEAR,
    SCHOOL,
    TODAY,
    WU,
    ZHOU,
    Entry,
    world,
)
from tests.oversight.town import (
    STAGES as OF_THE_PLAN,
)

OUTSIDE = Caller(PersonId("bureau:b1"), frozenset({"bureau"}), on_record=True)
TRUSTED = Caller(PersonId("bureau:b1"), frozenset({"bureau", "granted_bureau"}), on_record=True)
LEADS = Caller(LEADER, frozenset({"person", "principal_leader"}))
REVISED = PlanRevised(
    revision=2,
    title=TEXT,
    begins_on=NEW_YEAR,
    ends_on=TODAY,
    stages=OF_THE_PLAN,
    revised_by=LEADER,
    reason=TEXT,
)
APPROVED = said(CAMPAIGN, PlanApproved(revision=1))
FILED = said(CAMPAIGN, PlanFiled(revision=1, filed_with=TEXT), on=JUNE)


def test_its_rules_are_the_boards_and_its_sums_are_theirs() -> None:
    w = world(talked("t1", ZHOU, LEADER), *closed("i1"), opened("i2"))
    told = overview(w, TODAY)["board"]
    lines = {line["rule"]: line for line in board(w) if line["computed"]}
    assert [line["rule"] for line in told["rules"]] == [*lines]
    for line in told["rules"]:
        assert line == {name: lines[line["rule"]][name] for name in ("rule", *SUMS)}
    for name in SUMS:
        assert told[name] == sum(line[name] for line in lines.values())
    assert told["share"] == round(told["numerator"] / told["denominator"], 4)


def test_issues_are_counted_by_where_they_stand_and_by_wind() -> None:
    both = (Wind.formalism, Wind.hedonism)
    told = issues(
        world(opened("i1", winds=both), claimed("i1"), opened("i2", winds=()), *closed("i3"))
    )
    assert (told["total"], told["unclaimed"]) == (3, 1)
    assert {s: n for s, n in told["by_stage"].items() if n} == {
        "open": 1, "owned": 1, "struck_off": 1,
    }  # fmt: skip
    winds = {w: {s: n for s, n in some.items() if n} for w, some in told["by_wind"].items()}
    assert winds["hedonism"] == {"owned": 1}
    assert winds["formalism"] == {"owned": 1, "struck_off": 1}
    assert winds["not_four_winds"] == {"open": 1}
    assert tuple(told["by_stage"]) == STAGES
    assert tuple(told["by_wind"]) == WINDS


def test_an_issue_is_overdue_from_the_day_after_its_deadline_until_it_is_closed() -> None:
    """Those of the examples are to be claimed by 18 March."""
    some = (opened("i1"), *closed("i2"))
    assert issues(world(*some, day=date(2023, 3, 18)))["overdue"] == 0
    assert issues(world(*some, day=TODAY))["overdue"] == 1


def test_the_rates_are_those_the_school_publishes_and_no_finer() -> None:
    w = world(*FIVE)
    assert overview(w, TODAY)["three_rates"] == three_rates(w, "all", TODAY)
    few = overview(world(*FIVE[:-10]), TODAY)["three_rates"]
    assert few["groups"] == [{"group": "all", "suppressed": True, "as_of": None, "rates": None}]


@pytest.mark.parametrize(
    ("entries", "standing"),
    [
        ((drafted(),), (1, False, False)),
        ((drafted(), APPROVED), (1, True, False)),
        ((drafted(), APPROVED, FILED), (1, True, True)),
        ((drafted(), APPROVED, FILED, said(CAMPAIGN, REVISED, on=JUNE)), (2, False, False)),
    ],
)
def test_a_revised_plan_has_to_be_filed_again(
    entries: tuple[Entry, ...], standing: tuple[int, bool, bool]
) -> None:
    told = plan(world(*entries))
    assert told is not None
    assert told["campaign"] == CAMPAIGN
    assert (told["revision"], told["approved"], told["filed"]) == standing
    assert told["filings"] == ([{"revision": 1, "on": JUNE}] if FILED in entries else [])


def test_a_plan_that_was_not_there_yet_is_none() -> None:
    assert plan(world(drafted(), FILED, day=NEW_YEAR)) is None
    assert plan(world(drafted(), said(CAMPAIGN, CampaignVoided(reason=TEXT)))) is None
    early = plan(world(drafted(), APPROVED, FILED, day=MAY))
    assert early is not None
    assert not early["filed"]


def test_a_school_without_campaign_or_data_has_sums_of_nothing() -> None:
    nothing = overview(world(directory=SCHOOL.model_copy(update={"campaigns": {}})), TODAY)
    assert nothing["plan"] is None
    assert (nothing["board"]["numerator"], nothing["issues"]["total"]) == (0, 0)
    assert nothing["three_rates"]["groups"] == []
    fresh = overview(world(), TODAY)["board"]
    assert (fresh["numerator"], fresh["missing"] > 0) == (0, True)


# -- Asking ----------------------------------------------------------------------------------------


async def asked(query: Query, who: Caller, *entries: Entry) -> dict[str, Any]:
    desk = await after(*entries)
    who.demand(query.allowed)
    found: dict[str, Any] = await service.queries[type(query)](query, desk, who)
    return found


async def test_the_sums_are_told_with_the_schools_name_as_of_a_day() -> None:
    told = await asked(Overview(as_of=APRIL), OUTSIDE, opened("i1"), opened("i2", on=MAY))
    assert (told["name"], told["as_of"], told["issues"]["total"]) == ("…", APRIL, 1)


def test_a_bureau_opens_sums_and_by_grant_board_and_list_and_nothing_else() -> None:
    opens = {query for query in service.queries if query.allowed & OUTSIDE.roles}
    assert opens == {Overview}
    opens = {query for query in service.queries if query.allowed & TRUSTED.roles}
    assert opens == {Overview, Board, Outstanding}


async def test_by_grant_it_is_told_who_is_outstanding() -> None:
    found = await asked(Outstanding(rule="R46"), TRUSTED, talked("t1", ZHOU, LEADER))
    assert [(i["subject"], i["names"]) for i in found["items"]] == [([LEADER, WU], ["…", "…"])]
    with pytest.raises(NotFound):
        await asked(Outstanding(rule="R46.overlapping"), TRUSTED)


async def test_who_may_look_things_up_themselves_is_told_no_names() -> None:
    found = await asked(Outstanding(rule="R46"), LEADS)
    assert all("names" not in item for item in found["items"])


async def test_what_a_bureau_looks_at_is_on_record_and_what_others_do_is_not() -> None:
    at_work = await works(talked("t1", ZHOU, LEADER))
    runtime = at_work.runtime
    desk = runtime.desk(TOWN, at_work.pages.log[-1].at)
    leads = LEADS

    await runtime._found(Board(), desk, leads)
    await runtime._found(Outstanding(rule="R46"), desk, TRUSTED)
    with pytest.raises(NotFound):
        await runtime._found(Outstanding(rule="R99"), desk, TRUSTED)

    looks = (await service.queries[Looks](Looks(), desk, leads))["items"]
    assert [(look["by"], look["query"], look["asked"], look["position"]) for look in looks] == [
        ("bureau:b1", "outstanding", {"rule": "R46"}, 1)
    ]


async def test_looks_are_paged_and_go_when_they_were_kept_long_enough() -> None:
    at_work = await works()
    runtime = at_work.runtime
    desk = runtime.desk(TOWN, NOON)
    for n in range(5):
        await runtime.looks.record(look(TOWN, "bureau:b1", f"q{n}"))
        await runtime.looks.record(look("another", "bureau:b1", f"q{n}"))

    seen, after = [], 0
    while after is not None:
        page = await service.queries[Looks](Looks(after=after, limit=2), desk, LEADS)
        seen += [item["query"] for item in page["items"]]
        after = page["next"]
    assert seen == [f"q{n}" for n in range(5)]

    kept = timedelta(days=1095)
    last = [d["opened"] for d in at_work.kept("looks").values() if d["school"] == TOWN][3]
    await expire(runtime, moment_of(last) + kept)
    left = [(d["school"], d["query"]) for d in at_work.kept("looks").values()]
    assert [query for school, query in left if school == TOWN] == ["q3", "q4"]
    assert len(left) == 7


async def test_whose_words_were_read_does_not_find_out_what_else_was() -> None:
    at_work = await works()
    runtime = at_work.runtime
    desk = runtime.desk(TOWN, NOON)
    read: dict[str, set[str]] = {"talk.mine": {WU}, "talk.theirs": {LEADER}}
    await runtime.looks.record(look(TOWN, ZHOU, "talks", streams=read))
    me = Caller(WU, frozenset({"person"}))

    async def seen(stream: str | None) -> dict[str, Any]:
        found: dict[str, Any] = await service.queries[Looks](
            Looks(stream=stream, limit=1), desk, me
        )
        return found

    everything, mine, theirs = [await seen(s) for s in (None, "talk.mine", "talk.theirs")]
    assert [item["streams"] for item in everything["items"]] == [["talk.mine"]]
    assert mine == everything
    assert theirs == {"items": [], "next": None}


def test_who_looks_is_known_by_their_account_alone() -> None:
    under = SCHOOL.model_copy(update={"bureaus": {"b1": Bureau(account="0b", granted=True)}})
    assert under.caller("0b", NOON) == TRUSTED


# -- Metrics ---------------------------------------------------------------------------------------


def samples(*entries: Entry) -> dict[tuple[str, ...], float]:
    told = told_of("s1", overview(world(*entries), TODAY))
    return {(gauge._name, *labels): value for gauge, labels, value in told}


def test_the_metrics_are_the_sums() -> None:
    told = samples(*FIVE, opened("i9"), talked("t1", ZHOU, LEADER))
    assert told["taizhang_issues", "s1", "open"] == 1
    assert told["taizhang_issues", "s1", "struck_off"] == 5
    assert told["taizhang_issues_unclaimed", "s1"] == 1
    assert told["taizhang_issue_winds", "s1", "formalism", "struck_off"] == 5
    assert told["taizhang_obligations", "s1", "R46", "done"] == 1
    assert told["taizhang_obligations", "s1", "R46", "missing"] == 1
    assert told["taizhang_rate", "s1", "resolution_rate"] == 0.6
    assert told["taizhang_rate_verdicts", "s1"] == 5


def test_a_rate_of_few_is_no_metric() -> None:
    told = samples(*FIVE[:-10])
    assert not [name for name, *_ in told if name.startswith("taizhang_rate")]


async def test_they_are_worked_out_when_read_and_only_if_something_moved() -> None:
    at_work = await works(opened("i1"))

    def read() -> float:
        return float(metrics.ISSUES.labels(TOWN, "open")._value.get())

    await figures(at_work.runtime)
    assert read() == 1
    metrics.ISSUES.labels(TOWN, "open").set(7)
    await figures(at_work.runtime)
    assert read() == 7

    at_work.pages.log.extend((await works(opened("i1"), opened("i2"))).pages.log[1:])
    await at_work.look()
    await figures(at_work.runtime)
    assert read() == 2
    assert metrics.FIGURES_POSITION.labels("oversight")._value.get() == 2
