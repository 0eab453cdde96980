"""What may be asked of study, and the facts its rules look at."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from pydantic import Field

from services.campaign.calendar import Day, SchoolYear, Span
from services.campaign.directory import Directory
from services.campaign.events import Role, StageName
from services.study.domain import OFFICE, READERS, NoSuchCampaign, boards
from services.study.domain import reading as reading_domain
from services.study.domain import school_year as year_of
from services.study.domain import session as session_domain
from services.study.domain.activity import OutsideSchoolYear
from services.study.domain.boards import Contact, Done, Grain, Item, Read
from services.study.events import ActivityKind, Aspect, SessionKind
from services.study.projection import (
    activities,
    directory,
    gaps,
    items,
    readings,
    reflections,
    self_ratings,
    sessions,
    ties,
)
from shared.callers import Caller, UnknownSchool
from shared.decider import Command, NotFound, PersonId
from shared.likeness import alike, clusters
from shared.marks import MAX_TEXT, Id
from shared.mongo import Document
from shared.privacy import masked
from shared.runtime import Cursor, Desk, Query
from shared.views import View, shown

PEOPLE = frozenset({"person", "operator"})
PRIVY = OFFICE | READERS
"""Who sees in whose hands a pupil is, whom a visit was paid to, and what was said there."""

type Found = dict[str, Any]

# -- Facts ---------------------------------------------------------------------------------------


def known(desk: Desk) -> Directory:
    """The school as this service knows it.

    Raises:
        UnknownSchool: it is not enrolled.
    """
    found = desk.ledger(directory)
    if found is None:
        raise UnknownSchool
    return found


async def directory_facts(_: Command, desk: Desk) -> Directory:
    """What most decisions look at: people, units, calendar, campaigns."""
    return known(desk)


async def session_facts(command: session_domain.SessionCommand, desk: Desk) -> session_domain.Facts:
    """What a decision on a session looks at: the items it names that the catalogue has."""
    named = list(getattr(command, "items", ()))
    found = await desk.find(items, {"key": {"$in": named}, **COUNTS}) if named else []
    return session_domain.Facts(known(desk), frozenset(d["key"] for d in found))


async def reading_facts(command: reading_domain.ReadingCommand, desk: Desk) -> reading_domain.Facts:
    """What a decision on a reading looks at: the present edition of its item."""
    item = getattr(command, "item", None) or getattr(desk.state, "item", None)
    card = await desk.card(items, item) if item else None
    counts = card is not None and card.stage == "recorded"
    return reading_domain.Facts(known(desk), card.edition if card and counts else None)


COUNTS = {"stage": "recorded"}
"""What was not struck out."""


# -- Small things ----------------------------------------------------------------------------------


async def _listed(
    view: View[Any], where: dict[str, Any], desk: Desk, after: int, limit: int
) -> list[Document]:
    """One page of a view, as answered."""
    where = {name: value for name, value in where.items() if value is not None}
    return [shown(d) for d in await desk.find(view, where, after=after, limit=limit)]


def _page(found: list[Found], limit: int) -> Found:
    return {"items": found, "next": found[-1]["opened"] if len(found) == limit else None}


def _board(rows: Sequence[Any], after: int, limit: int, **more: Any) -> Found:  # noqa: ANN401 -- any row
    """One page of a board; its rows are numbered in the order of their people's ids."""
    numbered = [{**asdict(row), "opened": n} for n, row in enumerate(rows, start=1)]
    return {**more, **_page(numbered[after : after + limit], limit)}


def _own(caller: Caller, known: Directory, *people: str) -> bool:
    """Whether a caller is one of some people, by whichever of their ids."""
    return caller.id in {known.roster.identity(PersonId(person)) for person in people}


def _as_of(query: Any, desk: Desk) -> date:  # noqa: ANN401 -- any query with a day
    """The day asked for, else today in the school's zone."""
    return query.as_of or known(desk).day(desk.at)


def _aliases(person: str | None, desk: Desk) -> dict[str, Any] | None:
    """A filter on everything somebody did under any of their ids."""
    if person is None:
        return None
    roster = known(desk).roster
    return {"$in": list(roster.aliases(roster.identity(PersonId(person))))}


def _within(span: Span) -> dict[str, str]:
    """A filter on days, the first and the last included, as documents hold them."""
    before = span.begins_on - timedelta(days=1)
    return {"$gt": before.isoformat(), "$lte": span.ends_on.isoformat()}


# -- Sessions ------------------------------------------------------------------------------------


class StudySessions(Query):
    """Sessions in the order they were recorded, with who was there; of a branch's, who was not."""

    zh = "集中学习"
    path = "sessions"
    allowed = PEOPLE
    kind: SessionKind | None = None
    branch: Id | None = None
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def all_sessions(query: StudySessions, desk: Desk, _: Caller) -> Found:
    """One page of sessions."""
    where = {"kind": query.kind, "branch": query.branch}
    found = await _listed(sessions, where, desk, query.after, query.limit)
    roster = known(desk).roster
    for session in found:
        session["absent"] = None
        if session["branch"] and session["present"] is not None:
            there = {roster.identity(p) for p in (*session["present"], *session["excused"])}
            members = roster.members(session["branch"], date.fromisoformat(session["held_on"]))
            session["absent"] = sorted(members - there)
    return _page(found, query.limit)


# -- Catalogue -------------------------------------------------------------------------------------


class StudyCatalogue(Query):
    """What is to be read (R10)."""

    zh = "学习目录"
    path = "catalogue"
    allowed = PEOPLE
    required: bool | None = None
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def catalogue(query: StudyCatalogue, desk: Desk, _: Caller) -> Found:
    """One page of the catalogue."""
    where = {"required": query.required}
    return _page(await _listed(items, where, desk, query.after, query.limit), query.limit)


class Readings(Query):
    """Who has read what, in which edition, on which day."""

    zh = "学习篇目登记"
    path = "readings"
    allowed = PEOPLE
    person: Id | None = None
    item: Id | None = None
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def all_readings(query: Readings, desk: Desk, _: Caller) -> Found:
    """One page of readings."""
    where = {"person": _aliases(query.person, desk), "item": query.item}
    return _page(await _listed(readings, where, desk, query.after, query.limit), query.limit)


class ReadingMatrix(Query):
    """Who has read which required item, who has yet to (R10)."""

    zh = "学习篇目完成情况"
    path = "reading-matrix"
    allowed = PEOPLE
    role: Role = Role.party_member
    as_of: Day | None = None
    after: Cursor = 0
    limit: int = Field(100, ge=1, le=500)


async def reading_matrix(query: ReadingMatrix, desk: Desk, _: Caller) -> Found:
    """The catalogue's required items against the people of a role."""
    as_of = _as_of(query, desk)
    wanted = await desk.find(items, {"required": True, **COUNTS})
    read = await desk.find(readings, COUNTS)
    rows = boards.reading_matrix(
        [
            Item(
                d["key"],
                date.fromisoformat(d["since"]),
                d["edition"],
                _day(d["withdrawn_on"]),
            )
            for d in wanted
        ],
        [Read(d["person"], d["item"], d["edition"], date.fromisoformat(d["on"])) for d in read],
        known(desk),
        query.role,
        as_of,
    )
    return _board(rows, query.after, query.limit, as_of=as_of)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


# -- Reflections -----------------------------------------------------------------------------------


class Reflections(Query):
    """Reflections without their text."""

    zh = "学习心得体会"
    path = "reflections"
    allowed = PEOPLE
    author: Id | None = None
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def all_reflections(query: Reflections, desk: Desk, caller: Caller) -> Found:
    """One page of reflections: that they were written and rated everybody sees, not how."""
    where = {"author": _aliases(query.author, desk)}
    found = await _listed(reflections, where, desk, query.after, query.limit)
    lines = [_reflection(line, caller, desk) for line in found]
    return _page([{**line, "text": masked(line["text"])} for line in lines], query.limit)


class Reflection(Query):
    """One reflection, its text for the author, the readers and the supervision group."""

    zh = "学习心得体会详情"
    path = "reflections/{id}"
    allowed = PEOPLE
    id: Id


async def reflection(query: Reflection, desk: Desk, caller: Caller) -> Found:
    """The reflection as this caller may see it."""
    document = await desk.document(reflections, query.id)
    if document is None:
        raise NotFound
    return _reflection(shown(document), caller, desk)


def _reflection(line: Found, caller: Caller, desk: Desk) -> Found:
    """A reflection with its words masked unless the caller wrote it or reads it."""
    desk.words_of(line, line["author"])
    if caller.roles & READERS or _own(caller, known(desk), line["author"]):
        return line
    ratings = [masked({**r, "rating": None}) for r in line["ratings"]]
    sealed = {name: masked(line[name]) for name in ("title", "text", "reason")}
    return {**line, **sealed, "ratings": ratings}


class ReflectionSubmissions(Query):
    """Which party cadres wrote a reflection inside a stage, and who has not yet (R14)."""

    zh = "学习心得体会未交名单"
    path = "reflection-submissions"
    allowed = PEOPLE
    campaign: Id | None = None
    stage: StageName = StageName.study_and_listening
    as_of: Day | None = None


async def reflection_submissions(query: ReflectionSubmissions, desk: Desk, _: Caller) -> Found:
    """The list of a stage, as the plan in force dates it."""
    school = known(desk)
    campaign = query.campaign or school.current or ""
    if campaign not in school.campaigns:
        raise NoSuchCampaign(campaign)
    stages = school.campaigns[campaign].stages
    stage = next((stage for stage in stages if stage.name is query.stage), None)
    if stage is None:
        raise NotFound
    span = Span(begins_on=stage.begins_on, ends_on=stage.ends_on)
    as_of = _as_of(query, desk)
    found = await desk.find(reflections, {"written_on": _within(span), **COUNTS})
    written = [(d["author"], date.fromisoformat(d["written_on"])) for d in found]
    told = boards.submissions(written, school, span, as_of)
    return {"campaign": campaign, "stage": stage.model_dump(), "as_of": as_of, **asdict(told)}


class ReflectionFindings(Query):
    """Reflections that are too short, or so alike that one may be copied (R15). Hints; a reader judges."""

    zh = "学习心得体会雷同和篇幅提示"
    path = "reflection-findings"
    allowed = READERS
    at_least: float | None = Field(None, ge=0.1, le=1)
    limit: int = Field(100, ge=1, le=500)


async def reflection_findings(query: ReflectionFindings, desk: Desk, _: Caller) -> Found:
    """Computed on the opened texts, which no rule ever sees; limits are the school's policy settings.

    Two reflections of the same author are not compared: who writes on repeats themselves.
    """
    school = known(desk)
    found = await desk.find(reflections, COUNTS)
    minimum = int(school.policy.setting("minimum_reflection").value)
    limit = query.at_least or float(school.policy.setting("copied_reflection").value)
    texts = await desk.open({d["key"]: d["text"] for d in found}, shown=False)
    readable = {key: text for key, text in texts.items() if isinstance(text, str)}
    authors = {d["key"]: school.roster.identity(d["author"]) for d in found}
    every = await asyncio.to_thread(alike, readable, limit, MAX_TEXT)
    pairs = [pair for pair in every if authors[pair.one] != authors[pair.other]]
    most = pairs[: query.limit]
    return {
        "minimum": minimum,
        "at_least": limit,
        "too_short": [
            {"id": d["key"], "author": d["author"], "length": d["length"]}
            for d in found
            if d["length"] is not None and d["length"] < minimum
        ],
        "pairs": [{"one": p.one, "other": p.other, "likeness": round(p.likeness, 3)} for p in most],
        "clusters": clusters(most),
        "left_out": len(pairs) - len(most),
    }


# -- Gaps and self-ratings -------------------------------------------------------------------------


class Gaps(Query):
    """What people find lacking in themselves; the words are theirs and the readers'."""

    zh = "查找的差距"
    path = "gaps"
    allowed = PEOPLE
    campaign: Id | None = None
    person: Id | None = None
    aspect: Aspect | None = None
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def all_gaps(query: Gaps, desk: Desk, caller: Caller) -> Found:
    """One page of gaps as this caller may see them."""
    where = {
        "campaign": query.campaign,
        "person": _aliases(query.person, desk),
        "aspect": query.aspect,
    }
    found = await _listed(gaps, where, desk, query.after, query.limit)
    reads = bool(caller.roles & READERS)
    for line in found:
        desk.words_of(line, line["person"])
    lines = [
        line if reads or _own(caller, known(desk), line["person"]) else masked(line)
        for line in found
    ]
    return _page(lines, query.limit)


class GapMatrix(Query):
    """Who has looked for gaps in which of the five aspects (R13)."""

    zh = "五个方面差距查找情况"
    path = "gap-matrix"
    allowed = PEOPLE
    campaign: Id | None = None
    role: Role = Role.party_member
    as_of: Day | None = None
    after: Cursor = 0
    limit: int = Field(100, ge=1, le=500)


async def gap_matrix(query: GapMatrix, desk: Desk, _: Caller) -> Found:
    """People of a role against the five aspects, in one campaign."""
    school, as_of = known(desk), _as_of(query, desk)
    campaign = query.campaign or school.current
    found = await desk.find(gaps, {"campaign": campaign, **COUNTS})
    lines = [(d["person"], Aspect(d["aspect"]), date.fromisoformat(d["found_on"])) for d in found]
    rows = boards.gap_matrix(lines, school, query.role, as_of)
    return _board(rows, query.after, query.limit, campaign=campaign, as_of=as_of)


class SelfRatings(Query):
    """Self-ratings before and after the study (R30): one's own, or everybody's for readers."""

    zh = "五个方面自评"
    path = "self-ratings"
    allowed = frozenset({"person"})
    campaign: Id | None = None
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def all_self_ratings(query: SelfRatings, desk: Desk, caller: Caller) -> Found:
    """One page of self-ratings."""
    own = None if caller.roles & READERS else _aliases(caller.id, desk)
    where = {"campaign": query.campaign, "person": own}
    found = await _listed(self_ratings, where, desk, query.after, query.limit)
    for line in found:
        desk.words_of(line, line["person"])
    return _page(found, query.limit)


# -- Six ones --------------------------------------------------------------------------------------


class Activities(Query):
    """The six ones as they were recorded, each with its school year, term and teaching week."""

    zh = "六个一活动"
    path = "activities"
    allowed = PEOPLE
    person: Id | None = None
    kind: ActivityKind | None = None
    since: Day | None = None
    until: Day | None = None
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def all_activities(query: Activities, desk: Desk, caller: Caller) -> Found:
    """One page of activities; what they say of pupils and colleagues is for those it is told to."""
    span = Span(begins_on=query.since or FIRST, ends_on=query.until or LAST)
    where = {
        "person": _aliases(query.person, desk),
        "kind": query.kind,
        "on": _within(span) if query.since or query.until else None,
    }
    found = await _listed(activities, where, desk, query.after, query.limit)
    return _page([_activity(line, caller, desk) for line in found], query.limit)


FIRST, LAST = date(1900, 1, 1), date(2199, 12, 31)
"""The days a sender may name at all."""


class Activity(Query):
    """One of the six ones."""

    zh = "六个一活动详情"
    path = "activities/{id}"
    allowed = PEOPLE
    id: Id


async def activity(query: Activity, desk: Desk, caller: Caller) -> Found:
    """The activity as this caller may see it."""
    document = await desk.document(activities, query.id)
    if document is None:
        raise NotFound
    return _activity(shown(document), caller, desk)


def _activity(line: Found, caller: Caller, desk: Desk) -> Found:
    """An activity with its place in the school's calendar; who is not privy to it sees that it was."""
    told = {**line, **asdict(boards.place(date.fromisoformat(line["on"]), known(desk)))}
    involved = [person for person in (line["person"], line["visited"]) if person]
    desk.words_of(told, *involved)
    if caller.roles & PRIVY or _own(caller, known(desk), *involved):
        return told
    return {**masked(told), "pupil": None, "visited": None}


class ActivityTally(Query):
    """How often people did each of the six ones, by teaching week, term or school year."""

    zh = "六个一活动统计"
    path = "activity-tally"
    allowed = PEOPLE
    by: Grain = "week"
    person: Id | None = None
    year: Day | None = None
    as_of: Day | None = None
    after: Cursor = 0
    limit: int = Field(200, ge=1, le=1000)


async def activity_tally(query: ActivityTally, desk: Desk, _: Caller) -> Found:
    """The counts of one school year."""
    year, as_of = _year(query, desk), _as_of(query, desk)
    done = await _done(year, desk, person=query.person)
    rows = boards.tally(done, known(desk), year, as_of, query.by)
    return _board(rows, query.after, query.limit, as_of=as_of, school_year=_said(year))


class LeaderSixOnes(Query):
    """Who of the team owes which of the leaders' six ones (R16-R21), week by week."""

    zh = "领导班子成员六个一"
    path = "leader-six-ones"
    allowed = PEOPLE
    year: Day | None = None
    as_of: Day | None = None
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def leader_six_ones(query: LeaderSixOnes, desk: Desk, _: Caller) -> Found:
    """The board of one school year; `donation_amount` is null until the school has set it."""
    school, year, as_of = known(desk), _year(query, desk), _as_of(query, desk)
    rows = boards.leader_six_ones(
        await _done(year, desk), await _contacts(desk), school, year, as_of
    )
    return _board(
        rows,
        query.after,
        query.limit,
        as_of=as_of,
        school_year=_said(year),
        donation_amount=boards.donation_amount(school),
    )


class MemberSixOnes(Query):
    """Who of the party members owes which of the members' six ones (R23-R28)."""

    zh = "党员六个一"
    path = "member-six-ones"
    allowed = PEOPLE
    year: Day | None = None
    as_of: Day | None = None
    after: Cursor = 0
    limit: int = Field(200, ge=1, le=500)


async def member_six_ones(query: MemberSixOnes, desk: Desk, _: Caller) -> Found:
    """The board of one school year."""
    year, as_of = _year(query, desk), _as_of(query, desk)
    rows = boards.member_six_ones(await _done(year, desk), known(desk), year, as_of)
    return _board(rows, query.after, query.limit, as_of=as_of, school_year=_said(year))


def _year(query: Any, desk: Desk) -> SchoolYear:  # noqa: ANN401 -- any query with a year
    """The school year that has the day `year`, else the day the board is asked for."""
    year = year_of(query.year or _as_of(query, desk), known(desk))
    if year is None:
        raise OutsideSchoolYear
    return year


def _said(year: SchoolYear) -> Found:
    return {"begins_on": year.begins_on, "ends_on": year.ends_on}


async def _done(year: SchoolYear, desk: Desk, person: str | None = None) -> list[Done]:
    """The activities of a school year that count; bounded by it, whatever there was before."""
    where: dict[str, Any] = {"on": _within(year), **COUNTS}
    if theirs := _aliases(person, desk):
        where["person"] = theirs
    return [
        Done(
            ActivityKind(d["kind"]),
            d["person"],
            date.fromisoformat(d["on"]),
            d["pupil"],
            Decimal(d["amount"]) if d["amount"] else None,
            _day(d["solved_on"]),
        )
        for d in await desk.find(activities, where)
    ]


# -- Ties ------------------------------------------------------------------------------------------


class Ties(Query):
    """Every team member's contact units: what was recorded, and whether there is exactly one (R18)."""

    zh = "联系点"
    path = "ties"
    allowed = PEOPLE
    as_of: Day | None = None


async def all_ties(query: Ties, desk: Desk, _: Caller) -> Found:
    """The board of a day, and every member's ties."""
    as_of = _as_of(query, desk)
    rows = boards.tie_board(await _contacts(desk), known(desk), as_of)
    recorded = [shown(d) for d in await desk.find(ties, {})]
    return {"as_of": as_of, "board": [asdict(row) for row in rows], "recorded": recorded}


async def _contacts(desk: Desk) -> Iterable[Contact]:
    return [
        Contact(d["person"], tie["unit"], date.fromisoformat(tie["since"]), _day(tie["until"]))
        for d in await desk.find(ties, {})
        for tie in d["ties"]
        if tie["stage"] == "recorded"
    ]
