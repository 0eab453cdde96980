"""What may be asked of campaign, and the facts its rules look at."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Literal

from pydantic import Field

from services.campaign.calendar import Calendar as Days
from services.campaign.calendar import Day, duration
from services.campaign.calendar import SchoolYear as Year
from services.campaign.defaults import SETTINGS, TEXTS, Setting
from services.campaign.directory import Campaign as Entry
from services.campaign.directory import Directory
from services.campaign.domain import ADMINISTRATION
from services.campaign.domain.erasure import (
    ErasureCommand,
    Facts,
    RequestTextErasure,
    TextsRequested,
)
from services.campaign.events import InspectionKind, Role, UnitKind
from services.campaign.projection import (
    accounts,
    bureaus,
    calendars,
    campaigns,
    directory,
    erasures,
    inspections,
    people,
    schools,
    units,
)
from services.campaign.roster import Person as RosterEntry
from shared.callers import Caller, UnknownSchool
from shared.decider import Command, NotFound, PersonId
from shared.envelope import Subject
from shared.marks import Id
from shared.mongo import Document
from shared.runtime import Cursor, Desk, Query
from shared.views import View, content, shown

EVERYBODY = frozenset({"person", "operator", "service"})
SEES_NUMBERS = frozenset({Role.school_administrator, "operator"})

# -- Facts ---------------------------------------------------------------------------------------


async def nothing(_: Command, __: Desk) -> None:
    """A school's own entry is decided on by itself."""


async def directory_of_the_school(_: Command, desk: Desk) -> Directory:
    """The school as rules see it; refuses when no school is enrolled."""
    return _enrolled(desk)


def _enrolled(desk: Desk) -> Directory:
    known = desk.ledger(directory)
    if known is None:
        raise UnknownSchool
    return known


async def erasure_facts(command: ErasureCommand, desk: Desk) -> Facts:
    """What a decision on an erasure looks at: the school; of texts, the record they belong to."""
    known, state = _enrolled(desk), desk.state
    match command, state:
        case RequestTextErasure(kind=kind, record=record), _:
            pass
        case _, TextsRequested(kind=kind, record=record):
            pass
        case _:
            return Facts(known)
    texts = TEXTS[kind]
    past = await desk.journal.read(str(Subject(desk.school, texts.service, texts.category, record)))
    if not past or not texts.kept:
        return Facts(known, there=bool(past))
    kept = duration(known.policy.setting(texts.kept).value)
    return Facts(known, there=True, kept_until=known.day(past[-1].at) + kept)


# -- School, units -------------------------------------------------------------------------------


class School(Query):
    """The school's entry."""

    zh = "学校信息"
    path = "school"
    allowed = EVERYBODY


async def school(_: School, desk: Desk, __: Caller) -> dict[str, Any]:
    """Name, zone, language, and what day it is there."""
    known = _enrolled(desk)
    return {**await _one(schools, desk.school, desk), "today": known.day(desk.at).isoformat()}


class Units(Query):
    """Departments, branches, grades, subject groups."""

    zh = "部门、支部、年级、教研组"
    path = "units"
    allowed = EVERYBODY
    kind: UnitKind | None = None
    state: Literal["open", "closed", "voided"] | None = None
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def all_units(query: Units, desk: Desk, _: Caller) -> dict[str, Any]:
    """One page of units, in the order they were entered."""
    where = _asked(kind=query.kind, state=query.state)
    found = await desk.find(units, where, after=query.after, limit=query.limit)
    return _page([shown(document) for document in found], query.limit)


# -- People --------------------------------------------------------------------------------------


class People(Query):
    """The roster as of a day (today if none is given)."""

    zh = "花名册"
    path = "people"
    allowed = EVERYBODY
    role: Role | None = None
    branch: Id | None = None
    present: bool | None = None
    on: Day | None = None
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def roster(query: People, desk: Desk, caller: Caller) -> dict[str, Any]:
    """One page of people; `as_of` holds what each of them was on that day.

    Who keeps the numbers also sees the `duplicates`: those who share one, to be merged or put right.
    """
    known = _enrolled(desk)
    day = query.on or known.day(desk.at)
    wanted = listed(known, query, day)
    where = {"_id": {"$in": [f"{desk.school}/{person}" for person in wanted]}}
    found = await desk.find(people, where, after=query.after, limit=query.limit)
    items = [person_shown(document, day, caller, known) for document in found]
    answer = {**_page(items, query.limit), "on": day.isoformat()}
    if caller.roles & SEES_NUMBERS:
        answer["duplicates"] = known.roster.duplicates()
    return answer


def listed(known: Directory, query: People, day: date) -> list[PersonId]:
    """Who fits the filters on a day; role and branch are those of people present."""

    def fits(entry: RosterEntry) -> bool:
        return (
            (query.present is None or entry.present(day) is query.present)
            and (query.role is None or query.role in entry.roles(day))
            and (query.branch is None or (entry.present(day) and entry.branch(day) == query.branch))
        )

    return [person for person, entry in known.roster.people.items() if fits(entry)]


class Person(Query):
    """One roster entry with everything dated."""

    zh = "人员详情"
    path = "people/{id}"
    allowed = EVERYBODY
    id: Id


async def person(query: Person, desk: Desk, caller: Caller) -> dict[str, Any]:
    """The entry; number and reasons of corrections only for those who keep the roster."""
    document = await desk.document(people, query.id)
    if document is None:
        raise NotFound
    known = _enrolled(desk)
    return person_shown(document, known.day(desk.at), caller, known)


class Me(Query):
    """Who is asking: their own roster entry."""

    zh = "本人信息"
    path = "me"
    allowed = frozenset({"person"})


async def myself(_: Me, desk: Desk, caller: Caller) -> dict[str, Any]:
    """The entry of the caller; who asks without one (an auditor) is told that there is none."""
    document = await desk.document(people, caller.id)
    if document is None:
        raise NotFound
    return await person(Person(id=document["key"]), desk, caller)


def person_shown(document: Document, day: date, caller: Caller, known: Directory) -> dict[str, Any]:
    """A roster entry as this caller may see it, and what the person is on a day."""
    card = people.document.model_validate(content(document))
    item = shown(document)
    del item["number_index"]
    if not caller.roles & SEES_NUMBERS:
        del item["number"]
    if not caller.roles & ADMINISTRATION:
        del item["reason"]
    item["erased"] = item["id"] in known.erased
    item["as_of"] = {
        "on": day.isoformat(),
        "present": card.present(day),
        "roles": sorted(card.roles(day)),
        "branch": card.branch(day) if card.present(day) else None,
        "oversees": sorted(card.departments(day)) if card.present(day) else [],
    }
    return item


class Erasures(Query):
    """Who was, or is asked to be, erased; who asked and who approved."""

    zh = "个人信息删除"
    path = "erasures"
    allowed = ADMINISTRATION
    state: Literal["requested", "withdrawn", "erased"] | None = None
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def all_erasures(query: Erasures, desk: Desk, _: Caller) -> dict[str, Any]:
    """One page of erasures, in the order they were first asked for."""
    where = _asked(state=query.state)
    found = await desk.find(erasures, where, after=query.after, limit=query.limit)
    return _page([shown(document) for document in found], query.limit)


class Accounts(Query):
    """Who can sign in: people and their accounts, never by what tokens these are known."""

    zh = "账号"
    path = "accounts"
    allowed = ADMINISTRATION
    open: bool | None = None
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def account_holders(query: Accounts, desk: Desk, _: Caller) -> dict[str, Any]:
    """One page of people whose entries stand, with the number of their open accounts."""
    known = _enrolled(desk)
    holders = {known.roster.identity(person) for person in known.accounts.values()}
    wanted = [
        person
        for person, entry in known.roster.people.items()
        if entry.counts and (query.open is None or (person in holders) is query.open)
    ]
    where = {"_id": {"$in": [f"{desk.school}/{person}" for person in wanted]}}
    found = await desk.find(people, where, after=query.after, limit=query.limit)
    ids = {d["key"] for d in found}
    theirs = [other for other in known.roster.people if known.roster.identity(other) in ids]
    held = await desk.find(accounts, {"person": {"$in": theirs}})
    items = [_holder(document, held, known) for document in found]
    return _page(items, query.limit)


def _holder(document: Document, held: Iterable[Document], known: Directory) -> dict[str, Any]:
    own = [
        {**content(account), "id": account["key"], "version": account["version"]}
        for account in held
        if known.roster.identity(account["person"]) == document["key"]
    ]
    return {
        "id": document["key"],
        "name": document["name"],
        "open": sum(account["state"] == "open" for account in own),
        "accounts": own,
        "position": document["position"],
        "opened": document["opened"],
    }


# -- Bureaus -------------------------------------------------------------------------------------


class Bureaus(Query):
    """The bureaus that see the school's sums, which of them may look behind these, and why."""

    zh = "教育工委"
    path = "bureaus"
    allowed = EVERYBODY
    state: Literal["admitted", "granted", "dismissed"] | None = None
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def all_bureaus(query: Bureaus, desk: Desk, _: Caller) -> dict[str, Any]:
    """One page of bureaus, in the order they were first admitted."""
    where = _asked(state=query.state)
    found = await desk.find(bureaus, where, after=query.after, limit=query.limit)
    return _page([shown(document) for document in found], query.limit)


# -- Campaigns -----------------------------------------------------------------------------------


class Campaigns(Query):
    """Every campaign; `current` is the one whose policy counts."""

    zh = "活动"
    path = "campaigns"
    allowed = EVERYBODY
    state: Literal["planned", "running", "concluded", "voided"] | None = None
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def all_campaigns(query: Campaigns, desk: Desk, _: Caller) -> dict[str, Any]:
    """One page of campaigns, in the order they were drafted, without their history."""
    found = await desk.find(
        campaigns, _asked(state=query.state), after=query.after, limit=query.limit
    )
    history = {"revisions", "settings"}
    items = [{k: v for k, v in shown(d).items() if k not in history} for d in found]
    return {**_page(items, query.limit), "current": _enrolled(desk).current}


class Campaign(Query):
    """One campaign with every revision of its plan and every change of its settings."""

    zh = "活动详情"
    path = "campaigns/{id}"
    allowed = EVERYBODY
    id: Id


async def campaign(query: Campaign, desk: Desk, _: Caller) -> dict[str, Any]:
    """The campaign."""
    return await _one(campaigns, query.id, desk)


class Settings(Query):
    """Every policy setting of a campaign (of the current one if none is given)."""

    zh = "政策参数"
    path = "settings"
    allowed = EVERYBODY
    campaign: Id | None = None


async def settings(query: Settings, desk: Desk, _: Caller) -> dict[str, Any]:
    """The settings in force, with default, unit and source."""
    known = _enrolled(desk)
    asked = query.campaign or known.current
    if query.campaign and query.campaign not in known.campaigns:
        raise NotFound
    return {"campaign": asked, "items": in_force(known.campaigns.get(asked or "")), "next": None}


def in_force(entry: Entry | None) -> list[dict[str, Any]]:
    """Per setting the value that counts; `missing` where the school must set it and has not."""
    return [_in_force(name, default, entry) for name, default in SETTINGS.items()]


def _in_force(name: str, default: Setting, entry: Entry | None) -> dict[str, Any]:
    own = entry.policy.values.get(name) if entry else None
    return {
        "setting": name,
        "zh": default.zh,
        "value": own.value if own else default.value,
        "unit": own.unit if own else default.unit,
        "set": own is not None,
        "missing": own is None and default.value is None,
        "default": {"value": default.value, "unit": default.unit, "source": default.source},
    }


# -- Calendar ------------------------------------------------------------------------------------


class Calendar(Query):
    """The school's calendar, and what one day (today if none is given) is in it."""

    zh = "校历"
    path = "calendar"
    allowed = EVERYBODY
    day: Day | None = None


async def calendar(query: Calendar, desk: Desk, _: Caller) -> dict[str, Any]:
    """Years, terms, teaching weeks, holidays, make-up days; empty before the first was set."""
    known = _enrolled(desk)
    document = await desk.document(calendars, desk.school)
    kept = shown(document) if document else {"years": [], "holidays": [], "make_up_days": []}
    return {
        **kept,
        "years": [_year(year, known.calendar) for year in known.calendar.years],
        "day": day_shown(query.day or known.day(desk.at), known.calendar),
    }


def _year(year: Year, days: Days) -> dict[str, Any]:
    return {
        "begins_on": year.begins_on.isoformat(),
        "ends_on": year.ends_on.isoformat(),
        "terms": [
            {
                **term.model_dump(mode="json"),
                "weeks": [week.model_dump(mode="json") for week in days.teaching_weeks(term)],
            }
            for term in year.terms
        ],
    }


def day_shown(day: date, days: Days) -> dict[str, Any]:
    """What a day is: school or not, and in which term and teaching week."""
    found = days.term(day)
    return {
        "on": day.isoformat(),
        "school_day": days.is_school_day(day),
        "school_year": found[0].begins_on.isoformat() if found else None,
        "term": found[1].number if found else None,
        "teaching_week": days.teaching_week(day),
    }


# -- Inspections ---------------------------------------------------------------------------------


class Inspections(Query):
    """Inspections and what they found (R07)."""

    zh = "检查"
    path = "inspections"
    allowed = EVERYBODY
    kind: InspectionKind | None = None
    state: Literal["recorded", "voided"] | None = None
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def all_inspections(query: Inspections, desk: Desk, _: Caller) -> dict[str, Any]:
    """One page of inspections, in the order they were recorded."""
    where = _asked(kind=query.kind, state=query.state)
    found = await desk.find(inspections, where, after=query.after, limit=query.limit)
    return _page([shown(document) for document in found], query.limit)


class Inspection(Query):
    """One inspection."""

    zh = "检查详情"
    path = "inspections/{id}"
    allowed = EVERYBODY
    id: Id


async def inspection(query: Inspection, desk: Desk, _: Caller) -> dict[str, Any]:
    """The inspection."""
    return await _one(inspections, query.id, desk)


# -- Small things --------------------------------------------------------------------------------


def _asked(**filters: object) -> dict[str, Any]:
    return {name: value for name, value in filters.items() if value is not None}


async def _one(view: View[Any], key: str, desk: Desk) -> dict[str, Any]:
    document = await desk.document(view, key)
    if document is None:
        raise NotFound
    return shown(document)


def _page(items: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    return {"items": items, "next": items[-1]["opened"] if len(items) == limit else None}
