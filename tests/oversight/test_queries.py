"""What may be asked of oversight, and who is told what."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest

from services.oversight.app import service
from services.oversight.domain import READERS, Acknowledged, AcknowledgeFinding, Seen, Waived
from services.oversight.events import FindingAcknowledged, ObligationWaived
from services.oversight.queries import (
    BackToFront,
    Board,
    Difference,
    Findings,
    Matrix,
    ObligationEvidence,
    Outstanding,
    Rates,
    Remarks,
    Rules,
    finding_facts,
)
from services.oversight.rules.engine import board
from services.oversight.rules.evidence import Trace, trace
from services.oversight.rules.world import World
from services.oversight.shelf import _SHELVES, Shelf, take_down
from shared.callers import Caller, UnknownSchool
from shared.decider import NotFound, PersonId
from shared.envelope import Record
from shared.runtime import Desk, Query
from shared.views import Working
from tests.memory import TOWN
from tests.oversight.deeds import acknowledged, at, closed, judged, opened, spoken, talked
from tests.oversight.desk import NOON, after, caller, works
from tests.oversight.histories import said
from tests.oversight.test_finding import waive
from tests.oversight.town import (
    APRIL,
    LEADER,
    MARCH,
    MAY,
    SCHOOL,
    SUPERVISOR,
    TEACHER,
    TODAY,
    WU,
    ZHOU,
    lives,
    records,
)

SEEN = FindingAcknowledged(
    rule="R47", subject=(WU, ZHOU), period="campaign", acknowledged_by=LEADER
)
WAIVED = ObligationWaived(
    rule="R47", subject=(WU, ZHOU), period="campaign", waived_by=SUPERVISOR, reason="病假"
)


async def asked(query: Query, desk: Desk, who: PersonId = LEADER) -> dict[str, Any]:
    caller(who).demand(query.allowed)
    found: dict[str, Any] = await service.queries[type(query)](query, desk, caller(who))
    return found


async def test_the_catalogue_is_read_in_pages() -> None:
    desk = await after()
    first = await asked(Rules(limit=50), desk)
    rest = await asked(Rules(limit=50, after=first["next"]), desk)
    assert [*(i["id"] for i in first["items"]), *(i["id"] for i in rest["items"])][0::87] == [
        "R01",
        "R93",
    ]
    assert rest["next"] is None
    six = next(i for i in first["items"] if i["id"] == "R06")
    assert len(six["checks"]) == 6


async def test_the_board_has_every_rule_at_one_position() -> None:
    desk = await after(talked("t1", ZHOU, LEADER))
    told = await asked(Board(), desk)
    assert (told["as_of"], told["position"], len(told["rules"])) == (TODAY, 1, 88)


async def test_the_board_of_an_earlier_day_knows_nothing_of_later_ones() -> None:
    desk = await after(talked("t1", ZHOU, LEADER), talked("t2", WU, LEADER, on=MAY))

    async def talks(as_of: date | None) -> int:
        told = await asked(Board(as_of=as_of), desk)
        return next(int(r["numerator"]) for r in told["rules"] if r["rule"] == "R46")

    assert await talks(None) == 2
    assert await talks(APRIL) == 1
    assert await talks(date(2023, 3, 1)) == 0


async def test_a_day_still_to_come_is_today() -> None:
    desk = await after(talked("t1", ZHOU, LEADER))
    told = await asked(Board(as_of=date(2030, 1, 1)), desk)
    assert told["as_of"] == TODAY


async def test_the_outstanding_list_names_who_is_missing() -> None:
    desk = await after(talked("t1", ZHOU, LEADER))
    found = await asked(Outstanding(rule="R46"), desk)
    assert [(i["subject"], i["state"]) for i in found["items"]] == [([LEADER, WU], "missing")]
    assert found["total"] == 1
    assert found["names"] == {p: SCHOOL.roster.people[p].name for p in (LEADER, WU)}
    everything = await asked(Outstanding(rule="R46", state="all"), desk)
    assert [i["state"] for i in everything["items"]] == ["missing", "done"]


async def test_the_outstanding_list_comes_in_pages() -> None:
    desk = await after()
    first = await asked(Outstanding(rule="R19", limit=5), desk)
    second = await asked(Outstanding(rule="R19", limit=5, after=first["next"]), desk)
    assert [i["opened"] for i in second["items"]] == [6, 7, 8, 9, 10]
    assert first["total"] > 10


async def test_the_outstanding_list_of_a_period_and_of_what_is_overdue() -> None:
    desk = await after()
    week = await asked(Outstanding(rule="R19", period="week-2023-05-15"), desk)
    assert sorted(i["subject"][0] for i in week["items"]) == sorted([LEADER, ZHOU, WU])
    assert all(i["overdue"] for i in week["items"])
    running = await asked(Outstanding(rule="R19", overdue=False), desk)
    assert {i["period"] for i in running["items"]} == {"week-2023-06-26"}


async def test_who_has_no_part_in_leading_sees_their_own() -> None:
    desk = await after()
    own = await asked(Outstanding(rule="R23", state="all"), desk, TEACHER)
    assert {i["subject"][0] for i in own["items"]} == {TEACHER}
    with pytest.raises(NotFound):
        await asked(
            ObligationEvidence(rule="R23", subject=ZHOU, period="school-year-2022-09-01"),
            desk,
            TEACHER,
        )


async def test_an_unknown_rule_has_no_list() -> None:
    with pytest.raises(NotFound):
        await asked(Outstanding(rule="R99"), await after())


async def test_an_obligation_is_drilled_down_to_its_events() -> None:
    desk = await after(talked("t1", ZHOU, LEADER))
    query = ObligationEvidence(rule="R46", subject=f"{LEADER},{ZHOU}", period="campaign")
    found = await asked(query, desk)
    (event,) = found["events"]
    assert found["state"] == "done"
    assert event["stream"] == "talks.talk.t1"
    assert event["type"] == "talks.talk.held.v1"
    assert event["position"] == 1


async def test_who_spoke_up_or_judged_is_not_told() -> None:
    desk = await after(spoken("o1"), acknowledged("o1"), *closed("i1"), judged("i1", TEACHER))
    heard = await asked(ObligationEvidence(rule="R36", subject="o1", period="once"), desk)
    assert [event["by"] for event in heard["events"]] == [None]
    verdict = await asked(ObligationEvidence(rule="R05", subject="i1", period="once"), desk)
    assert [event["by"] for event in verdict["events"]] == [None]
    struck = await asked(ObligationEvidence(rule="R43", subject="i1", period="once"), desk)
    assert all(event["by"] for event in struck["events"])


async def test_a_waived_one_is_told_apart() -> None:
    desk = await after(said("f1", SEEN), said("f1", WAIVED))
    found = await asked(Outstanding(rule="R47", state="waived"), desk)
    assert [i["subject"] for i in found["items"]] == [[WU, ZHOU]]
    told = await asked(Board(), desk)
    line = next(r for r in told["rules"] if r["rule"] == "R47")
    assert (line["waived"], line["denominator"]) == (1, 2)
    remarks = await asked(Remarks(stage="waived"), desk)
    assert [i["subject"] for i in remarks["items"]] == [[WU, ZHOU]]


async def test_an_acknowledged_one_goes_on_counting() -> None:
    desk = await after(said("f1", SEEN))
    found = await asked(Outstanding(rule="R47"), desk)
    assert [bool(i["acknowledged"]) for i in found["items"] if i["subject"] == [WU, ZHOU]] == [True]


async def test_a_matrix_says_who_with_whom() -> None:
    desk = await after(talked("t1", ZHOU, WU))
    found = await asked(Matrix(rule="R47"), desk)
    assert found["rows"] == [LEADER, WU]
    assert found["columns"] == [WU, ZHOU]
    assert [c["state"] for c in found["cells"] if (c["row"], c["column"]) == (WU, ZHOU)] == ["done"]
    with pytest.raises(NotFound):
        await asked(Matrix(rule="R06.mass-closing"), desk)


async def test_rates_come_with_their_position() -> None:
    found = await asked(Rates(by="wind"), await after(*closed("i1")))
    assert found["position"] == 8
    assert found["three_rates"]["groups"] == []
    assert {f["name"] for f in found["others"]} >= {"on_time_rate", "reopen_rate"}


async def test_two_days_are_compared() -> None:
    desk = await after(opened("i1"), opened("i2", on=MAY))
    found = await asked(Difference(since=APRIL), desk)
    assert found["ledger"]["opened"] == ["i2"]
    assert (found["from"], found["to"]) == (APRIL, TODAY)
    with pytest.raises(BackToFront):
        await asked(Difference(since=MAY, until=APRIL), desk)


async def test_findings_are_those_of_the_checks_and_of_rules_that_warn() -> None:
    desk = await after(talked("t1", ZHOU, WU, minutes=20), talked("t2", ZHOU, LEADER, minutes=45))
    found = await asked(Findings(), desk)
    rules = {i["rule"] for i in found["items"]}
    assert {"R46.overlapping", "R52"} <= rules
    only = await asked(Findings(rule="R52"), desk)
    assert [i["subject"] for i in only["items"]] == [["t1"]]


async def test_findings_are_not_for_everybody() -> None:
    assert "person" not in Findings.allowed
    assert Findings.allowed >= READERS


async def test_a_school_that_is_not_enrolled_has_no_board() -> None:
    with pytest.raises(UnknownSchool):
        await service.queries[Board](Board(), await after(directory=None), caller(LEADER))


async def test_what_happens_later_is_seen_and_another_log_is_another_school() -> None:
    at_work = await works(talked("t1", ZHOU, LEADER))
    desk = at_work.runtime.desk(TOWN, NOON)

    async def talks(desk: Desk) -> tuple[int, int]:
        told = await asked(Board(), desk)
        line = next(r for r in told["rules"] if r["rule"] == "R46")
        return line["numerator"], told["position"]

    assert await talks(desk) == (1, 1)
    at_work.pages.log.extend(records([talked("t1", ZHOU, LEADER), talked("t2", WU, LEADER)])[1:])
    await at_work.look()
    assert await talks(desk) == (2, 2)
    assert await talks(await after()) == (0, 0)


# -- Facts -----------------------------------------------------------------------------------------


def acknowledge(rule: str, *subject: str, period: str = "campaign") -> AcknowledgeFinding:
    return AcknowledgeFinding(by=LEADER, at=at(MARCH), rule=rule, subject=subject, period=period)


async def test_facts_say_how_a_finding_stands() -> None:
    desk = await after(talked("t1", ZHOU, LEADER))

    async def standing(command: AcknowledgeFinding) -> str:
        return (await finding_facts(command, desk)).standing

    assert await standing(acknowledge("R46", LEADER, WU)) == "missing"
    assert await standing(acknowledge("R46", LEADER, ZHOU)) == "done"
    assert await standing(acknowledge("R46", WU, ZHOU)) == "nothing"
    assert await standing(acknowledge("R99", WU)) == "nothing"


async def test_facts_of_a_waiver_are_those_of_what_was_seen() -> None:
    at_work = await works(said("f1", SEEN))
    seen = Seen("R47", (WU, ZHOU), "campaign", LEADER, None)
    desk = at_work.runtime.desk(TOWN, NOON, Acknowledged(seen))
    assert (await finding_facts(waive(), desk)).standing == "missing"
    desk = at_work.runtime.desk(TOWN, NOON, Waived(seen, SUPERVISOR, "病假"))
    assert (await finding_facts(waive(), desk)).standing == "waived"


async def test_a_check_can_be_acknowledged_as_well() -> None:
    desk = await after(talked("t1", ZHOU, WU), talked("t2", ZHOU, LEADER))
    facts = await finding_facts(acknowledge("R46.overlapping", ZHOU, "t2", period="once"), desk)
    assert facts.standing == "missing"


def test_operators_may_look_and_originators_may_not() -> None:
    for query in service.queries:
        assert "operator" in query.allowed
        assert "originator" not in query.allowed
        assert "anonymous" not in query.allowed
    assert Caller(PersonId("operator:li"), frozenset({"operator"})).roles & Board.allowed


async def test_what_was_worked_out_is_taken_over_only_where_nothing_moved() -> None:
    """Event by event the board is the one that is worked out anew."""
    log = [
        *closed("i1"),
        talked("t1", ZHOU, LEADER),
        opened("i2"),
        said("f1", SEEN),
        talked("t2", WU, ZHOU),
        said("f2", SEEN),
        said("f1", WAIVED),
        talked("t3", WU, LEADER),
    ]
    at_work = await works(*log[:1])
    desk = at_work.runtime.desk(TOWN, NOON)
    for count in range(1, len(log) + 1):
        at_work.pages.log[:] = records(log)[:count]
        await at_work.look()
        followed = await asked(Board(), desk)
        assert followed["position"] == count
        assert followed["rules"] == board(
            World.at(SCHOOL, TODAY, lives(records(log)[:count]), count)
        )


def traced(log: list[Record]) -> Iterable[Trace]:
    """The traces of a log, as they are told by who writes them."""
    told: dict[str, Trace] = {}
    for entry in log:
        told[entry.stream] = trace(told.get(entry.stream), entry)
    return told.values()


async def test_what_is_told_ahead_of_the_position_counts_once_the_views_are_there() -> None:
    log = records([talked("t1", ZHOU, LEADER), *closed("i1"), talked("t2", WU, LEADER)])
    at_work = await works()
    at_work.pages.log[:] = log[:1]
    await at_work.look()
    desk = at_work.runtime.desk(TOWN, NOON)
    before = await asked(Board(), desk)
    for told in traced(log):
        _SHELVES[TOWN].take_in(told)
    meanwhile = await asked(Board(), desk)
    assert meanwhile == before

    for far in (2, 3, len(log)):  # what the views tell on their way is known already
        at_work.pages.log[:] = log[:far]
        await at_work.look()
        board_now = (await asked(Board(), desk))["rules"]
        assert board_now == board(World.at(SCHOOL, TODAY, lives(log[:far]), far))


async def test_what_is_told_while_it_is_read_is_not_read_over() -> None:
    log = records([talked("t1", ZHOU, LEADER), *closed("i1"), talked("t2", WU, LEADER)])
    at_work = await works()
    at_work.pages.log[:] = log[:2]
    await at_work.look()
    desk = at_work.runtime.desk(TOWN, NOON)
    reading = _SHELVES[TOWN] = Shelf(desk.projector)
    for told in traced(log):
        reading.take_in(told)
    first = (await asked(Board(), desk))["rules"]
    at_work.pages.log[:] = log
    await at_work.look()
    last = (await asked(Board(), desk))["rules"]

    assert _SHELVES[TOWN] is reading
    assert first == board(World.at(SCHOOL, TODAY, lives(log[:2]), 2))
    assert last == board(World.at(SCHOOL, TODAY, lives(log), len(log))) != first


async def test_a_view_that_began_again_is_read_anew() -> None:
    at_work = await works(talked("t1", ZHOU, LEADER))
    desk = at_work.runtime.desk(TOWN, NOON)
    await asked(Board(), desk)
    first = _SHELVES[TOWN]
    projector = at_work.runtime.projector
    await projector.prepare()
    projector._foldings[0].cache[f"{TOWN}/school"] = Working(SCHOOL, None, 0, 0)

    await asked(Board(), desk)

    assert _SHELVES[TOWN] is not first
    assert not first.holds(projector)


async def test_what_is_in_the_log_is_at_hand_before_anybody_asks() -> None:
    at_work = await works(talked("t1", ZHOU, LEADER))
    known = at_work.chest.views(f"oversight.{service.directory.collection}")
    await known.put({"_id": f"{TOWN}/school", "school": TOWN})

    await take_down(at_work.runtime)

    at_hand = _SHELVES[TOWN]
    assert at_hand.of() is at_work.runtime.projector
    assert at_hand.lives.keys() == {"talks.talk"}
