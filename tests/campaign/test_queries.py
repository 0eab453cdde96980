"""What people see, and what they do not."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from services.campaign import queries
from services.campaign.app import service
from services.campaign.defaults import SETTINGS
from services.campaign.events import (
    AccountClosed,
    AccountOpened,
    BureauAdmitted,
    BureauDismissed,
    CampaignStarted,
    HolidayDeclared,
    InspectionKind,
    InspectionRecorded,
    InspectionVoided,
    PersonCorrected,
    PersonEntered,
    PersonMerged,
    PlanApproved,
    PlanDrafted,
    PlanFiled,
    PolicySet,
    Post,
    Role,
    SchoolEnrolled,
    SchoolLeft,
    SchoolYearSet,
    SettingUnit,
    Term,
    UnitClosed,
    UnitEntered,
    UnitKind,
)
from shared.callers import Caller, UnknownSchool
from shared.decider import Event, NotFound, PersonId
from shared.runtime import Query
from tests.campaign.examples import NEW_YEAR, STAGES, TODAY, YESTERDAY, log
from tests.campaign.paper import desk
from tests.campaign.test_unit import enter

ANA, BEN, CAT, DAN = (PersonId(name) for name in ("ana", "ben", "cat", "dan"))
PERSON = Caller(BEN, frozenset({"person"}))
CLERK = Caller(ANA, frozenset({"person", "school_administrator"}))
LEADER = Caller(ANA, frozenset({"person", "principal_leader"}))
OPERATOR = Caller(PersonId("operator:li"), frozenset({"operator"}))

ENROLLED: tuple[str, Event] = (
    "no1",
    SchoolEnrolled(name="江北中学", zone="Asia/Shanghai", language="zh"),
)


def somebody(number: str, *roles: Role, branch: str | None = None) -> PersonEntered:
    return PersonEntered(
        name=f"某{number}",
        number=number,
        number_index=f"index-of-{number}",
        joined_on=NEW_YEAR,
        posts=tuple(Post(role=role, since=NEW_YEAR) for role in roles),
        branch=branch,
    )


CLAIM = PolicySet(setting="claim_within", value="2", unit=SettingUnit.school_days, reason="从严")
PLAN = PlanDrafted(
    title="方案",
    begins_on=date(2023, 1, 1),
    ends_on=date(2023, 9, 30),
    stages=STAGES,
    drafted_by=ANA,
)
YEAR = SchoolYearSet(
    begins_on=date(2022, 9, 1),
    ends_on=date(2023, 8, 31),
    terms=(Term(number=2, begins_on=date(2023, 2, 13), ends_on=date(2023, 7, 7)),),
)
FRUGAL = InspectionRecorded(
    kind=InspectionKind.frugality_regulations, held_on=TODAY, scope="接待", found="无清单"
)

LOG = log(
    ENROLLED,
    ("u1", UnitEntered(kind=UnitKind.department, name="教务处")),
    ("u2", UnitEntered(kind=UnitKind.branch, name="理科党支部")),
    ("u1", UnitClosed(on=TODAY)),
    (ANA, somebody("T1", Role.school_administrator)),
    (BEN, somebody("T2", Role.team_member, branch="u2")),
    (CAT, somebody("T3", Role.team_member)),
    (DAN, somebody("T4")),
    (CAT, SchoolLeft(on=YESTERDAY)),
    (DAN, PersonMerged(into=BEN, reason="重复")),
    (BEN, PersonCorrected(name="某乙", number="T2", number_index="index-of-T2", reason="错字")),
    ("a1", AccountOpened(account="0a", person=ANA)),
    ("a2", AccountOpened(account="0b", person=ANA)),
    ("a2", AccountClosed(account="0b", reason="不用")),
    ("a3", AccountOpened(account="0c", person=DAN)),
    ("b1", BureauAdmitted(account="0d", name="市委教育工委")),
    ("b2", BureauAdmitted(account="0e", name="区教育局")),
    ("b2", BureauDismissed(reason="改隶")),
    ("c1", PLAN),
    ("c1", CLAIM),
    ("c1", PlanApproved(revision=1)),
    ("c1", PlanFiled(revision=1, filed_with="委")),
    ("c1", CampaignStarted(on=TODAY)),
    ("c2", PLAN),
    ("no1", YEAR),
    ("no1", HolidayDeclared(begins_on=TODAY, ends_on=TODAY, name="校庆")),
    ("i1", FRUGAL),
    ("i2", FRUGAL),
    ("i2", InspectionVoided(reason="重复")),
)


async def ask(query: Query, caller: Caller = PERSON) -> dict[str, Any]:
    answer = await service.queries[type(query)](query, desk(LOG), caller)
    json.dumps(answer)
    assert isinstance(answer, dict)
    return answer


def ids(answer: Mapping[str, Any]) -> list[str]:
    return [item["id"] for item in answer["items"]]


# -- School, units ---------------------------------------------------------------------------------


async def test_the_school_and_its_day() -> None:
    answer = await ask(queries.School())
    assert (answer["name"], answer["zone"]) == ("江北中学", "Asia/Shanghai")
    assert (answer["id"], answer["version"], answer["today"]) == ("no1", 1, "2023-03-01")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (queries.Units(), ["u1", "u2"]),
        (queries.Units(kind=UnitKind.branch), ["u2"]),
        (queries.Units(state="closed"), ["u1"]),
        (queries.Units(state="voided"), []),
    ],
)
async def test_units(query: Query, found: list[str]) -> None:
    assert ids(await ask(query)) == found


async def test_pages_go_on_where_the_last_one_ended() -> None:
    first = await ask(queries.Units(limit=1))
    second = await ask(queries.Units(limit=1, after=first["next"]))
    third = await ask(queries.Units(limit=1, after=second["next"]))
    assert (ids(first), ids(second), ids(third)) == (["u1"], ["u2"], [])
    assert third["next"] is None


# -- People ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (queries.People(), [ANA, BEN, CAT, DAN]),
        (queries.People(present=True), [ANA, BEN]),
        (queries.People(present=False), [CAT, DAN]),
        (queries.People(role=Role.team_member), [BEN]),
        (queries.People(role=Role.team_member, on=YESTERDAY), [BEN, CAT]),
        (queries.People(branch="u2"), [BEN]),
        (queries.People(branch="u2", role=Role.school_administrator), []),
    ],
)
async def test_the_roster_as_of_a_day(query: Query, found: list[str]) -> None:
    assert ids(await ask(query)) == found


async def test_what_somebody_is_on_that_day() -> None:
    answer = await ask(queries.Person(id=BEN))
    assert answer["as_of"] == {
        "on": "2023-03-01",
        "present": True,
        "roles": ["team_member"],
        "branch": "u2",
        "oversees": [],
    }


async def test_somebody_who_left_is_nothing_any_more_and_still_there() -> None:
    answer = await ask(queries.Person(id=CAT))
    assert (answer["as_of"]["present"], answer["as_of"]["roles"]) == (False, [])
    assert answer["posts"][0]["role"] == "team_member"


@pytest.mark.parametrize(
    ("caller", "number", "reason"),
    [(PERSON, False, False), (LEADER, False, True), (CLERK, True, True), (OPERATOR, True, True)],
)
async def test_names_are_for_everybody_and_numbers_for_the_office(
    caller: Caller, *, number: bool, reason: bool
) -> None:
    listed = (await ask(queries.People(), caller))["items"][1]
    for shown in (listed, await ask(queries.Person(id=BEN), caller)):
        assert shown["name"] == "某乙"
        assert ("number" in shown) is number
        assert ("reason" in shown) is reason
        assert "number_index" not in shown


async def test_who_shares_a_number_is_shown_to_the_office() -> None:
    known = desk(log(ENROLLED, (ANA, somebody("T2")), (BEN, somebody("T2"))))
    found = await queries.roster(queries.People(limit=1), known, CLERK)
    assert found["duplicates"] == ((ANA, BEN),)
    assert "duplicates" not in await queries.roster(queries.People(), known, LEADER)
    assert (await ask(queries.People(), OPERATOR))["duplicates"] == ()


async def test_accounts_are_counted_per_person_and_never_told_by_what_they_are_known() -> None:
    answer = await ask(queries.Accounts(), CLERK)
    assert [(i["id"], i["open"]) for i in answer["items"]] == [(ANA, 1), (BEN, 1), (CAT, 0)]
    assert [a["id"] for a in answer["items"][0]["accounts"]] == ["a1", "a2"]
    assert "0a" not in json.dumps(answer)


@pytest.mark.parametrize(("query", "found"), [(True, [ANA, BEN]), (False, [CAT])])
async def test_who_can_sign_in_and_who_cannot(*, query: bool, found: list[str]) -> None:
    assert ids(await ask(queries.Accounts(open=query), CLERK)) == found


# -- Campaigns and policy --------------------------------------------------------------------------


async def test_campaigns_and_which_one_counts() -> None:
    answer = await ask(queries.Campaigns())
    assert ids(answer) == ["c1", "c2"]
    assert answer["current"] == "c1"
    assert "revisions" not in answer["items"][0]
    assert ids(await ask(queries.Campaigns(state="planned"))) == ["c2"]


async def test_a_campaign_with_its_history() -> None:
    answer = await ask(queries.Campaign(id="c1"))
    assert (answer["state"], answer["plan"], answer["version"]) == ("running", "filed", 5)
    assert [revision["revision"] for revision in answer["revisions"]] == [1]


async def test_every_setting_in_force_with_default_unit_and_source() -> None:
    answer = await ask(queries.Settings())
    shown = {item["setting"]: item for item in answer["items"]}
    assert answer["campaign"] == "c1"
    assert list(shown) == list(SETTINGS)
    assert shown["claim_within"] == {
        "setting": "claim_within",
        "zh": "认领时限",
        "value": "2",
        "unit": "school_days",
        "set": True,
        "missing": False,
        "default": {"value": "3", "unit": "school_days", "source": "public"},
    }
    assert [name for name, item in shown.items() if item["missing"]] == ["donation_amount"]


async def test_the_settings_of_another_campaign() -> None:
    answer = await ask(queries.Settings(campaign="c2"))
    assert not any(item["set"] for item in answer["items"])
    with pytest.raises(NotFound):
        await ask(queries.Settings(campaign="c3"))


# -- Calendar, inspections -------------------------------------------------------------------------


async def test_the_calendar_and_today() -> None:
    answer = await ask(queries.Calendar())
    assert (answer["id"], answer["version"]) == ("no1", 2)
    assert [holiday["name"] for holiday in answer["holidays"]] == ["校庆"]
    assert answer["years"][0]["terms"][0]["weeks"][0] == {
        "number": 1,
        "begins_on": "2023-02-13",
        "ends_on": "2023-02-19",
    }
    assert answer["day"] == {
        "on": "2023-03-01",
        "school_day": False,
        "school_year": "2022-09-01",
        "term": 2,
        "teaching_week": 3,
    }


async def test_a_day_outside_all_terms() -> None:
    answer = await ask(queries.Calendar(day=date(2023, 8, 1)))
    assert answer["day"] == {
        "on": "2023-08-01",
        "school_day": True,
        "school_year": None,
        "term": None,
        "teaching_week": None,
    }


async def test_a_calendar_nobody_has_set_is_empty() -> None:
    answer = await queries.calendar(queries.Calendar(), desk(log(ENROLLED)), PERSON)
    assert (answer["years"], answer["holidays"], answer["make_up_days"]) == ([], [], [])


async def test_everybody_sees_which_bureaus_look_at_their_school() -> None:
    assert ids(await ask(queries.Bureaus())) == ["b1", "b2"]
    assert ids(await ask(queries.Bureaus(state="admitted"))) == ["b1"]


async def test_inspections() -> None:
    assert ids(await ask(queries.Inspections())) == ["i1", "i2"]
    assert ids(await ask(queries.Inspections(state="recorded"))) == ["i1"]
    assert ids(await ask(queries.Inspections(kind=InspectionKind.other))) == []
    assert (await ask(queries.Inspection(id="i1")))["found"] == "无清单"


# -- All of them -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [queries.Person(id="x"), queries.Campaign(id="x"), queries.Inspection(id="x")],
)
async def test_what_is_not_there_is_not_found(query: Query) -> None:
    with pytest.raises(NotFound):
        await ask(query)


@pytest.mark.parametrize(
    "query",
    [
        queries.School(),
        queries.People(),
        queries.Accounts(),
        queries.Campaigns(),
        queries.Settings(),
        queries.Calendar(),
    ],
)
async def test_a_school_that_is_not_enrolled_has_nothing_to_show(query: Query) -> None:
    with pytest.raises(UnknownSchool):
        await service.queries[type(query)](query, desk([]), OPERATOR)


async def test_only_its_own_entry_is_decided_on_for_a_school_that_is_not_enrolled() -> None:
    without = [s.plural for s in service.streams if s.facts is queries.nothing]
    assert without == ["schools"]
    with pytest.raises(UnknownSchool):
        await queries.directory_of_the_school(enter(), desk([]))
    assert (await queries.directory_of_the_school(enter(), desk(LOG))).school.name == "江北中学"


def test_every_query_has_a_name_a_path_and_somebody_who_may_ask() -> None:
    paths = [query.path for query in service.queries]
    assert len(paths) == len(set(paths))
    for query in service.queries:
        assert query.zh
        assert query.__doc__
        assert query.allowed


def test_only_the_administration_sees_accounts() -> None:
    assert "person" not in queries.Accounts.allowed


@pytest.mark.parametrize("limit", [0, 201])
def test_a_page_has_its_bounds(limit: int) -> None:
    with pytest.raises(ValidationError):
        queries.People(limit=limit)
