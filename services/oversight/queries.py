"""What may be asked of oversight, and the facts its rules look at."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints

from services.campaign.calendar import Day
from services.campaign.directory import Directory
from services.campaign.events import Role
from services.oversight.domain import (
    READERS,
    Acknowledged,
    AcknowledgeFinding,
    Facts,
    FindingCommand,
    PeriodId,
    RuleId,
    Seen,
    Waived,
    WaiveObligation,
)
from services.oversight.projection import directory
from services.oversight.projection import findings as finding_cards
from services.oversight.rules.catalogue import BY_ID, RULES, Rule
from services.oversight.rules.checks import CHECKS, Check
from services.oversight.rules.difference import between
from services.oversight.rules.engine import (
    Obligation,
    board,
    findings,
    matrix,
    obligations,
    of,
    owed,
)
from services.oversight.rules.evidence import Happened, Life
from services.oversight.rules.figures import other_rates, three_rates
from services.oversight.rules.overview import overview
from services.oversight.rules.retention import Kind, near
from services.oversight.rules.world import World
from services.oversight.shelf import today, world
from services.rectification.events import ObjectionRaised, VerdictRecorded
from shared.callers import Caller, UnknownSchool
from shared.decider import NotFound, PersonId, Rejected
from shared.looks import number_of
from shared.runtime import AcrossSchools, Cursor, Desk, Query
from shared.views import shown

PEOPLE = frozenset({"person", "operator"})
BUREAU = frozenset({"bureau"})
WATCHERS = frozenset({Role.principal_leader, Role.supervisor, "operator"})
"""Who sees all that was read."""
ADMINISTRATION = frozenset({Role.principal_leader, Role.school_administrator, "operator"})
"""Who asks that something be erased; the same as in campaign."""
GRANTED = frozenset({"granted_bureau"})
"""A bureau that the school lets look behind the sums."""

type Found = dict[str, Any]

SubjectId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,36}(,[a-z0-9-]{1,36}){0,2}$")]
"""A subject as it is asked for: its one to three ids with commas between."""

Reader = Annotated[str, StringConstraints(pattern=r"^([a-z]+:)?[a-zA-Z0-9._-]{1,64}$")]
"""Who read: a person's id, or `operator:…`, `bureau:…`, `auditor:…`."""

StreamName = Annotated[str, StringConstraints(pattern=r"^[a-z-]{1,36}\.[a-z0-9-]{1,36}$")]
"""A stream as its texts are sealed: its category and its id."""

type GroupName = Literal["all", "addressee", "wind", "topic", "discovery", "department"]


class BackToFront(Rejected):
    """The first day of a comparison comes before the last."""

    zh = "起始日期须早于截止日期"


# -- Facts ---------------------------------------------------------------------------------------


async def finding_facts(command: FindingCommand, desk: Desk) -> Facts:
    """What the engine says of the finding today."""
    known = _school(desk)
    match command, desk.state:
        case AcknowledgeFinding(rule=rule, subject=subject, period=period), _:
            return Facts(known, owed(await world(desk), rule, subject, period))
        case WaiveObligation(), Acknowledged(Seen(rule, subject, period)):
            return Facts(known, owed(await world(desk), rule, subject, period))
        case WaiveObligation(), Waived():
            return Facts(known, "waived")
        case _:
            return Facts(known)


def _school(desk: Desk) -> Directory:
    known = desk.ledger(directory)
    if known is None:
        raise UnknownSchool
    return known


# -- Rules ---------------------------------------------------------------------------------------


class Rules(Query):
    """The plan's 88 rules: what each says, whom it binds, by what it is met."""

    zh = "规则目录"
    path = "rules"
    allowed = PEOPLE
    after: Cursor = 0
    limit: int = Field(100, ge=1, le=100)


async def all_rules(query: Rules, _: Desk, __: Caller) -> Found:
    """One page of the catalogue, with the checks that belong to each rule."""
    items = [{**_rule(rule), "checks": [_check(c) for c in _checks(rule)]} for rule in RULES]
    return _page(items, query.after, query.limit)


def _rule(rule: Rule) -> Found:
    return {**rule.model_dump(mode="json"), "period": rule.period if rule.population else None}


def _checks(rule: Rule) -> list[Check]:
    return [check for check in CHECKS if check.id.split(".")[0] == rule.id]


def _check(check: Check) -> Found:
    return {"id": check.id, "zh": check.zh, "meaning": check.meaning}


# -- Board ---------------------------------------------------------------------------------------


class Board(Query):
    """How every rule stands at the end of a day: of what is owed, how much is done."""

    zh = "全部规则总览"
    path = "board"
    allowed = PEOPLE | GRANTED
    as_of: Day | None = None


async def all_rows(query: Board, desk: Desk, _: Caller) -> Found:
    """All rules with numerator, denominator and what was waived, at one log position."""
    at = await world(desk, query.as_of)
    return {"as_of": at.day, "position": at.position, "rules": board(at)}


class Outstanding(Query):
    """The list of what a rule asks for: by default what is missing (未填报名单)."""

    zh = "未填报名单"
    path = "outstanding"
    allowed = PEOPLE | GRANTED
    rule: RuleId
    period: PeriodId | None = None
    state: Literal["done", "missing", "waived", "shown", "all"] = "missing"
    overdue: bool | None = None
    as_of: Day | None = None
    after: Cursor = 0
    limit: int = Field(100, ge=1, le=500)


async def outstanding(query: Outstanding, desk: Desk, caller: Caller) -> Found:
    """One page of obligations; who has no part in leading sees their own.

    `names` is what the people and units on it are called.
    A bureau that may look behind the sums is told who people are, as it cannot look them up, and of
    rules only: what a check found is for the school.
    """
    at = await world(desk, query.as_of)
    _must_exist(query.rule)
    outside = bool(caller.roles & GRANTED)
    if outside and query.rule not in BY_ID:
        raise NotFound(query.rule)
    chosen = [
        one
        for one in of(query.rule, at)
        if query.state in {"all", one.state}
        and query.period in {None, one.period}
        and query.overdue in {None, one.overdue}
        and _may_see(one, caller)
    ]
    told = ({**_told(one), **(_named(one, at) if outside else {})} for one in chosen)
    page = _page([*told], query.after, query.limit)
    names = {} if outside else _called(page["items"], at)
    told_at = {"total": len(chosen), "as_of": at.day, "position": at.position}
    return {**page, "names": names, **told_at}


def _called(items: Sequence[Found], at: World) -> Found:
    """What everybody and every unit is called whom obligations are about."""
    people, units = at.directory.roster.people, at.directory.units
    about = sorted({part for item in items for part in item["subject"]})
    names = {one: people[PersonId(one)].name for one in about if one in people}
    return {**names, **{one: units[one].name for one in about if one in units}}


def _named(one: Obligation, at: World) -> Found:
    people = at.directory.roster.people
    entries = (people.get(PersonId(part)) for part in one.subject)
    return {"names": [entry.name if entry else None for entry in entries]}


def _must_exist(rule: str) -> None:
    if rule not in BY_ID and rule not in {check.id for check in CHECKS}:
        raise NotFound(rule)


def _may_see(one: Obligation, caller: Caller) -> bool:
    return bool(caller.roles & (READERS | GRANTED | {"operator"})) or caller.id in one.subject


def _told(one: Obligation) -> Found:
    return {
        "rule": one.rule,
        "subject": list(one.subject),
        "period": one.period,
        "due_on": one.due_on,
        "state": one.state,
        "overdue": one.overdue,
        "evidence": list(one.evidence),
        "acknowledged": one.acknowledged,
    }


class ObligationEvidence(Query):
    """One obligation with the events that prove it, down to stream, position and hash of the log."""

    zh = "证据明细"
    path = "obligation"
    allowed = PEOPLE
    rule: RuleId
    subject: SubjectId
    period: PeriodId
    as_of: Day | None = None


async def drill_down(query: ObligationEvidence, desk: Desk, caller: Caller) -> Found:
    """The obligation and its events, each with where it is in the log."""
    at = await world(desk, query.as_of)
    subject = at.named(query.rule, tuple(query.subject.split(",")))
    for one in of(query.rule, at):
        if one.subject == subject and one.period == query.period and _may_see(one, caller):
            return {
                **_told(one),
                "as_of": at.day,
                "position": at.position,
                "events": [_event(*_known(at)[event]) for event in one.evidence],
            }
    raise NotFound


def _known(at: World) -> dict[str, tuple[Life, Happened]]:
    def known() -> dict[str, tuple[Life, Happened]]:
        lives = (life for some in at.lives.values() for life in some.values())
        return {happened.id: (life, happened) for life in lives for happened in life.past}

    return at.once("events", known)


def _event(life: Life, happened: Happened) -> Found:
    """Where an event is in the log; not who it was that spoke up, judged or objected."""
    secret = life.of == "feedback.opinion" or isinstance(happened.event, _SPOKEN_UP)
    return {
        "id": happened.id,
        "type": happened.event.TYPE,
        "stream": f"{life.of}.{life.id}",
        "position": happened.position,
        "at": happened.at,
        "occurred": happened.occurred,
        "by": None if secret else happened.by,
    }


_SPOKEN_UP = (VerdictRecorded, ObjectionRaised)


class Matrix(Query):
    """A rule between two people, or of people and things, as a table of who with whom."""

    zh = "矩阵"
    path = "matrix"
    allowed = READERS | {"operator"}
    rule: RuleId
    as_of: Day | None = None


async def one_matrix(query: Matrix, desk: Desk, _: Caller) -> Found:
    """The rule's obligations by their first and last part."""
    at = await world(desk, query.as_of)
    if query.rule not in BY_ID:
        raise NotFound(query.rule)
    some = obligations(BY_ID[query.rule], at)
    return {"rule": query.rule, "as_of": at.day, "position": at.position, **matrix(some)}


# -- Rates ---------------------------------------------------------------------------------------


class Rates(Query):
    """The three rates by group, and the others: each with formula, figures, and what was left out."""

    zh = "三率及其他指标"
    path = "rates"
    allowed = PEOPLE
    by: GroupName = "all"
    as_of: Day | None = None


async def all_rates(query: Rates, desk: Desk, _: Caller) -> Found:
    """Figures made of verdicts only as of a week's end and of groups that give nobody away."""
    at = await world(desk, query.as_of)
    return {
        "as_of": at.day,
        "position": at.position,
        "three_rates": three_rates(at, query.by, today(desk)),
        "others": other_rates(at),
    }


class Difference(Query):
    """What changed between the ends of two days: the weekly tables of 新增, 推进, 办结, and every rule."""

    zh = "两日对比"
    path = "difference"
    allowed = PEOPLE
    since: Day
    until: Day | None = None
    by: GroupName = "all"


async def changes(query: Difference, desk: Desk, _: Caller) -> Found:
    """The later day against the earlier."""
    now = today(desk)
    last: date = query.until or now
    if query.since >= last:
        raise BackToFront
    earlier, later = await world(desk, query.since), await world(desk, last)
    return between(earlier, later, query.by, now)


# -- Sums, and who of outside looked -------------------------------------------------------------


class Overview(AcrossSchools):
    """A school in sums: filings of the plan, every rule's figures, issues by stage and wind, three rates."""

    zh = "各校汇总"
    path = "overview"
    allowed = PEOPLE | BUREAU
    as_of: Day | None = None


async def in_sums(query: Overview, desk: Desk, _: Caller) -> Found:
    """The sums at one log position; of small groups no more than the school itself publishes."""
    at = await world(desk, query.as_of)
    return {"name": at.directory.school.name, **overview(at, today(desk))}


class Looks(Query):
    """Who read what, when: for who leads and the supervision group everything, else one's own words.

    `stream` is what was read, as talk.ID; `by` who read it; `since` a day of the school.
    """

    zh = "查看记录"
    path = "looks"
    allowed = PEOPLE
    by: Reader | None = None
    stream: StreamName | None = None
    since: Day | None = None
    mine: bool = False
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def all_looks(query: Looks, desk: Desk, caller: Caller) -> Found:
    """One page of looks in the order of time; nobody is told whose the words are.

    Whose words were read is told who read them and when, not what else was read or asked for.
    """
    own = query.mine or not caller.roles & WATCHERS
    known = _school(desk)
    me = known.roster.aliases(known.roster.identity(caller.id))
    where: Found = {"whose": {"$in": [*me]}} if own else {}
    if query.by:
        where["by"] = query.by
    if query.stream:
        mine = {"whose": {"$in": [*me]}} if own else {}
        where["streams"] = {"$elemMatch": {"stream": query.stream, **mine}}
    after = query.after
    if query.since:
        zone = ZoneInfo(known.school.zone)
        after = max(after, number_of(datetime.combine(query.since, time.min, zone)) - 1)
    found = await desk.on_record(where, after=after, limit=query.limit)
    items = [_look(document, frozenset(me) if own else None) for document in found]
    full = len(found) == query.limit
    return {"items": items, "next": found[-1]["opened"] if full else None}


def _look(document: Found, me: frozenset[PersonId] | None) -> Found:
    """A look as it is told; of `me` given, no more than that these read my words."""
    names = ("opened", "at", "by", "service", "query")
    told = {"id": document["_id"], **{name: document[name] for name in names}}
    read = document.get("streams", ())
    if me is not None:
        return {**told, "streams": [s["stream"] for s in read if not me.isdisjoint(s["whose"])]}
    more = {name: document.get(name) for name in ("asked", "position", "export", "rows", "read")}
    return {**told, **more, "streams": [s["stream"] for s in read]}


# -- Retention -----------------------------------------------------------------------------------


class Retention(Query):
    """What was kept as long as policy says, or soon will have been, as of a day: names, who spoke up, words.

    A dry run: nothing is erased by it, that takes two people (`erasures`).
    """

    zh = "保留期限"
    path = "retention"
    allowed = ADMINISTRATION
    on: Day | None = None
    kind: Kind | None = None
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def retention(query: Retention, desk: Desk, _: Caller) -> Found:
    """One page, by the last day of keeping; who was entered by mistake has none."""
    at = await world(desk)
    day = query.on or at.day
    people = at.directory.roster.people
    items = [
        {
            "kind": one.kind,
            "id": one.id,
            "name": people[PersonId(one.id)].name if one.kind == "name" else None,
            "since": one.since,
            "keep_until": one.until,
            "state": "due" if one.due(day) else "soon",
        }
        for one in near(at, day)
        if query.kind in {None, one.kind}
    ]
    return {**_page(items, query.after, query.limit), "total": len(items), "on": day}


# -- Findings ------------------------------------------------------------------------------------


class Findings(Query):
    """What does not add up: every check's findings, and what the rules that only warn miss."""

    zh = "疑点清单"
    path = "findings"
    allowed = READERS | {"operator"}
    rule: RuleId | None = None
    state: Literal["missing", "waived", "all"] = "missing"
    as_of: Day | None = None
    after: Cursor = 0
    limit: int = Field(100, ge=1, le=500)


async def all_findings(query: Findings, desk: Desk, _: Caller) -> Found:
    """One page of findings, by check and subject."""
    at = await world(desk, query.as_of)
    if query.rule:
        _must_exist(query.rule)
    items = [
        {**_told(one), "zh": zh}
        for zh, some in _everything_found(at)
        for one in some
        if query.rule in {None, one.rule, one.rule.split(".")[0]}
        and query.state in {"all", one.state}
    ]
    page = _page(items, query.after, query.limit)
    return {**page, "total": len(items), "as_of": at.day, "position": at.position}


def _everything_found(at: World) -> Iterable[tuple[str, list[Obligation]]]:
    for check in CHECKS:
        yield check.zh, [*findings(check, at)]
    for rule in RULES:
        if "WARN" in rule.kinds and rule.population:
            yield rule.quote, [o for o in obligations(rule, at) if o.state in {"missing", "waived"}]


class Remarks(Query):
    """What was said of findings: acknowledged, waived, with whose reason."""

    zh = "知悉与豁免"
    path = "remarks"
    allowed = READERS | {"operator"}
    rule: RuleId | None = None
    stage: Literal["acknowledged", "waived", "lifted", "voided"] | None = None
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def all_remarks(query: Remarks, desk: Desk, _: Caller) -> Found:
    """One page, in the order in which something was first said."""
    asked = {"rule": query.rule, "stage": query.stage}
    where = {name: value for name, value in asked.items() if value is not None}
    found = await desk.find(finding_cards, where, after=query.after, limit=query.limit)
    items = [shown(document) for document in found]
    return {"items": items, "next": items[-1]["opened"] if len(items) == query.limit else None}


# -- Pages ---------------------------------------------------------------------------------------


def _page(items: list[Found], after: int, limit: int) -> Found:
    """A page of a computed list; `opened` is an item's place in it, and the cursor."""
    page = [{**item, "opened": n} for n, item in enumerate(items, start=1)][after : after + limit]
    last = page[-1]["opened"] if page else 0
    return {"items": page, "next": last if page and last < len(items) else None}
