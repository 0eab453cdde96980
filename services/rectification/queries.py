"""What may be asked of rectification, and the facts its rules look at."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any, Literal

from pydantic import Field

from services.campaign.calendar import Day, end_of_day
from services.campaign.directory import Directory
from services.campaign.events import Role
from services.feedback.events import (
    Addressee,
    Discovery,
    OpinionRedacted,
    OpinionSubmitted,
    Topic,
    Wind,
)
from services.rectification.domain import issue as issue_domain
from services.rectification.domain import plan as plan_domain
from services.rectification.domain import regulation as regulation_domain
from services.rectification.domain.issue import (
    DESK,
    AssignIssue,
    ClaimIssue,
    IssueCommand,
    MergeIssue,
    OpenIssue,
    RaiseObjection,
    RecordVerdict,
    StrikeOff,
    VoidIssue,
)
from services.rectification.domain.plan import SetPlanLine
from services.rectification.events import (
    IssueMerged,
    ObjectionRaised,
    Origin,
    OriginKind,
    Satisfied,
    Source,
    SourceKind,
    Stage,
    VerdictRecorded,
)
from services.rectification.projection import (
    LIVE,
    NOT_ENDED,
    TIMED,
    collations,
    directory,
    issues,
    line_of,
    measures,
    opinions,
    plans,
    regulations,
)
from shared.callers import Caller, UnknownSchool
from shared.decider import NotFound, PersonId
from shared.envelope import Record, Subject
from shared.marks import Id
from shared.mongo import Document
from shared.privacy import SEALED, masked
from shared.runtime import Cursor, Desk, Invalid, Query
from shared.views import shown

PEOPLE = frozenset({"person", "operator"})
WITH_RECEIPT = PEOPLE | {"originator"}
CONFIDANTS = DESK - {Role.principal_leader}
"""Who may know who spoke up, unless it was about them; the same as in feedback."""
READERS = frozenset({Role.principal_leader, Role.supervisor})
"""Who reads every measure of meetings and self-examinations; the same as in meetings."""
STREAMS = {
    SourceKind.talk: ("talks", "talk"),
    SourceKind.meeting: ("meetings", "meeting"),
    SourceKind.visit: ("study", "activity"),
    SourceKind.inspection: ("campaign", "inspection"),
    SourceKind.issue: ("rectification", "issue"),
}
"""Service and category of the stream an issue comes from, where that is one of its own."""
MERGES = 10
"""How often an issue may have been merged on before its originators lose sight of it."""

# -- Facts ---------------------------------------------------------------------------------------


async def issue_facts(command: IssueCommand, desk: Desk) -> issue_domain.Facts:  # noqa: PLR0911 -- a table
    """What a decision on an issue looks at."""
    known = desk.ledger(directory)
    if known is None:
        raise UnknownSchool
    state = desk.state
    match command:
        case MergeIssue(into=into):
            other = "closed" if await _merged_by_now(into, desk) else await _standing(into, desk)
            circle = await _in_a_circle(command.stream, desk)
            return issue_domain.Facts(known, other=other, circle=circle)
        case _ if isinstance(state, issue_domain.Merged):
            return issue_domain.Facts(known, circle=await _in_a_circle(command.stream, desk))
        case ClaimIssue() | AssignIssue() if isinstance(state, issue_domain.Open):
            sources = {s.id for s in state.case.sources if s.kind is SourceKind.collation}
            return issue_domain.Facts(known, open_collations=await _open_collations(sources, desk))
        case StrikeOff():
            found = await desk.find(issues, {"parent": command.stream, "stage": {"$in": LIVE}})
            return issue_domain.Facts(known, children=tuple(d["key"] for d in found))
        case RecordVerdict() | RaiseObjection():
            theirs = known.roster.aliases(command.by)
            voiced = await desk.find(opinions, {"submitted_by": {"$in": list(theirs)}})
            merged = await _family(command.stream, desk)
            return issue_domain.Facts(
                known,
                voiced=frozenset(d["key"] for d in voiced),
                inherited=frozenset(o for d in merged for o in d["opinions"]),
            )
        case OpenIssue(parent=parent):
            other = await _standing(parent, desk) if parent else "missing"
            return issue_domain.Facts(known, other=other, unknown=await _unknown(command, desk))
        case VoidIssue() if hasattr(state, "case") and state.case.raised_by.startswith("service:"):
            return issue_domain.Facts(known, behind=await _behind(command.stream, known, desk))
        case _:
            return issue_domain.Facts(known)


async def plan_facts(command: plan_domain.PlanCommand, desk: Desk) -> plan_domain.Facts:
    """What a decision on a plan looks at: the live issues, those of the team, the measures it names."""
    known = desk.ledger(directory)
    if known is None:
        raise UnknownSchool
    live = await desk.find(issues, {"stage": {"$in": NOT_ENDED}})
    return plan_domain.Facts(
        known,
        issues=frozenset(d["key"] for d in live),
        team_issues=frozenset(d["key"] for d in live if d["addressee"] == "team"),
        measures=await _counting(
            command.measures if isinstance(command, SetPlanLine) else (), desk
        ),
    )


async def _counting(named: Iterable[Origin], desk: Desk) -> frozenset[Origin]:
    """Those of some measures that are on record and count, as does where they were taken."""
    wanted = frozenset(named)
    ids = sorted({origin.id for origin in wanted})
    if not ids:
        return frozenset()
    taken = await desk.find(measures, {"key": {"$in": ids}, "counts": True})
    found = {_origin(d, m["key"]) for d in taken for m in d["measures"] if not m["voided"]}
    there = {"key": {"$in": ids}, "stage": {"$nin": ["merged", "voided"]}}
    for d in await desk.find(issues, there):
        numbers = range(1, len(d["measures"]) + 1)
        found |= {Origin(kind=OriginKind.issue, id=d["key"], key=str(n)) for n in numbers}
    return wanted & found


def _origin(document: Document, key: str) -> Origin:
    """A measure of a meeting or self-examination, as a line of a plan names it."""
    return Origin(kind=document["kind"], id=document["key"], key=key)


async def regulation_facts(
    command: regulation_domain.RegulationCommand, desk: Desk
) -> regulation_domain.Facts:
    """What a decision on a regulation looks at: the issues it names that count."""
    known = desk.ledger(directory)
    if known is None:
        raise UnknownSchool
    named = {i: await desk.card(issues, i) for i in getattr(command, "answers", ())}
    counting = {i for i, card in named.items() if card and card.stage not in {"merged", "voided"}}
    return regulation_domain.Facts(known, issues=frozenset(counting))


async def _open_collations(wanted: set[str], desk: Desk) -> frozenset[str]:
    found = {collation: await desk.card(collations, collation) for collation in wanted}
    return frozenset(c for c, card in found.items() if card and card.open)


async def _unknown(command: OpenIssue, desk: Desk) -> frozenset[str]:
    """The sources that there are not: opinions and collations feedback never told us of, empty streams.

    A service names what it read in the log, which our views may not have seen yet.
    """
    if command.by.startswith("service:"):
        return frozenset()
    heard = {opinion for source in command.sources for opinion in source.opinions}
    grouped = {source.id for source in command.sources if source.kind is SourceKind.collation}
    unknown: set[str] = set()
    for view, named in ((opinions, heard), (collations, grouped)):
        if named:
            found = await desk.find(view, {"key": {"$in": sorted(named)}})
            unknown |= named - {d["key"] for d in found}
    for source in command.sources:
        if source.kind in STREAMS and not await desk.journal.head(_subject(source, desk)):
            unknown.add(source.id)
    return frozenset(unknown)


def _subject(source: Source, desk: Desk) -> str:
    """Where in the log the talk, meeting … is that an issue comes from."""
    return str(Subject(desk.school, *STREAMS[source.kind], source.id))


async def _behind(issue: str, known: Directory, desk: Desk) -> PersonId | None:
    """On whose behalf a service opened an issue: who closed the collation, raised the problem."""
    past = await _history(desk, "rectification", "issue", issue)
    who = past[0].on_behalf_of
    return known.roster.identity(who) if who else None


async def _merged_by_now(issue: str, desk: Desk) -> bool:
    """Whether an issue was merged as the log has it: a view may not have seen what just happened."""
    past = await _history(desk, "rectification", "issue", issue)
    return any(isinstance(record.event, IssueMerged) for record in past)


async def _in_a_circle(issue: str, desk: Desk) -> bool:
    """Whether following where an issue was merged to leads back to it."""
    seen: set[str] = set()
    here: str | None = issue
    while here and here not in seen:
        seen.add(here)
        card = await desk.card(issues, here)
        here = card.merged_into if card else None
    return here == issue


async def _standing(issue: str, desk: Desk) -> Literal["open", "closed", "missing"]:
    card = await desk.card(issues, issue)
    if card is None:
        return "missing"
    return "open" if card.stage in LIVE else "closed"


# -- Issues --------------------------------------------------------------------------------------

SORTS = {
    "key_issue": "key_issue",
    "addressee": "addressee",
    "discovery": "discovery",
    "stage": "stage",
    "since": "since",
    "found": "found_at",
    "leader": "accountable_leader",
    "department": "responsible_department",
    "owner": "owner",
    "reviewer": "reviewer",
    "due": "due.at",
    "extended": "extensions",
    "progress": "progress.at",
    "returned": "returned",
    "verified": "verified_at",
    "struck_off": "struck_off_at",
}
"""What the ledger can be put in order by, and where a line has it."""
DATED = {"found": "found_at", "verified": "verified_at", "struck_off": "struck_off_at"}
"""Columns with a moment: the days of it from which and until which lines are asked for."""


class Issues(Query):
    """The ledger, in the order the issues were opened, or by `sort` (`-due`: the latest first).

    `source` is the talk, meeting … they come from, `origin` of what kind that is; `…_since` and
    `…_until` are days, both included; `extended` and `returned` ask whether that ever happened.
    """

    zh = "整改台账"
    path = "issues"
    allowed = PEOPLE
    stage: Stage | None = None
    live: bool | None = None
    overdue: bool | None = None
    owner: Id | None = None
    reviewer: Id | None = None
    department: Id | None = None
    wind: Wind | None = None
    addressee: Addressee | None = None
    key_issue: bool | None = None
    strongly_reflected: bool | None = None
    parent: Id | None = None
    source: Id | None = None
    origin: SourceKind | None = None
    discovery: Discovery | None = None
    topic: Topic | None = None
    leader: Id | None = None
    extended: bool | None = None
    returned: bool | None = None
    satisfied: Satisfied | None = None
    found_since: Day | None = None
    found_until: Day | None = None
    due_since: Day | None = None
    due_until: Day | None = None
    verified_since: Day | None = None
    verified_until: Day | None = None
    struck_off_since: Day | None = None
    struck_off_until: Day | None = None
    sort: str | None = Field(None, pattern=f"^-?({'|'.join(SORTS)})$")
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def ledger_lines(query: Issues, desk: Desk, caller: Caller) -> dict[str, Any]:
    """One page of the ledger; `names` is what the people and units on it are called."""
    plain = {
        "stage": query.stage,
        "owner": query.owner,
        "reviewer": query.reviewer,
        "responsible_department": query.department,
        "winds": query.wind,
        "addressee": query.addressee,
        "key_issue": query.key_issue,
        "strongly_reflected": query.strongly_reflected,
        "parent": query.parent,
        "sources.id": query.source,
        "sources.kind": query.origin,
        "discovery": query.discovery,
        "topics": query.topic,
        "accountable_leader": query.leader,
        "verdicts.satisfied": query.satisfied,
    }
    where: dict[str, Any] = {name: value for name, value in plain.items() if value is not None}
    if query.live is not None and not query.stage:
        where["stage"] = {"$in" if query.live else "$nin": LIVE}
    if query.overdue is not None:
        late = {"stage": {"$in": TIMED}, "due.at": {"$lt": _now(desk)}}
        where["$and" if query.overdue else "$nor"] = [late]
    known = desk.ledger(directory)
    if known is None:
        raise UnknownSchool
    where |= _spans(query, known)
    for name, times in (("extensions", query.extended), ("returned", query.returned)):
        if times is not None:
            where[name] = {"$gt": 0} if times else 0
    if query.sort:
        where |= await _behind_in_order(query.sort, query.after, desk)
        order = [(SORTS[query.sort.removeprefix("-")], -1 if query.sort[0] == "-" else 1)]
        found = await desk.find(issues, where, limit=query.limit, order=order)
    else:
        found = await desk.find(issues, where, after=query.after, limit=query.limit)
    items = [_line(document, caller, desk) for document in found]
    called = {item["responsible_department"] for item in items} & known.units.keys()
    return {
        "items": items,
        "names": {**_names(items, known), **{u: known.units[u].name for u in sorted(called)}},
        "next": items[-1]["opened"] if len(items) == query.limit else None,
    }


def _spans(query: Issues, known: Directory) -> dict[str, Any]:
    """The days that were asked for, as bounds of moments, and of the day something is due on."""
    spans: dict[str, dict[str, str]] = {}
    for column, path in DATED.items():
        first: date | None = getattr(query, f"{column}_since")
        last: date | None = getattr(query, f"{column}_until")
        if first:
            spans.setdefault(path, {})["$gte"] = _midnight(first - timedelta(days=1), known)
        if last:
            spans.setdefault(path, {})["$lt"] = _midnight(last, known)
    if query.due_since:
        spans.setdefault("due.on", {})["$gte"] = query.due_since.isoformat()
    if query.due_until:
        spans.setdefault("due.on", {})["$lte"] = query.due_until.isoformat()
    return spans


def _midnight(day: date, known: Directory) -> str:
    """The end of a day at the school, as what every moment from then on comes behind as text."""
    return end_of_day(day, known.school.zone).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


async def _behind_in_order(sort: str, after: int, desk: Desk) -> dict[str, Any]:
    """What comes behind the line that began at `after`, in an order; what is not there comes first in it.

    Raises:
        Invalid: no line began there.
    """
    if not after:
        return {}
    last = await desk.find(issues, {"opened": after})
    if not last:
        raise Invalid([{"field": "after", "problem": "cursor"}])
    column = SORTS[sort.removeprefix("-")]
    value: Any = last[0]
    for part in column.split("."):
        value = value[part] if value else None
    behind: list[dict[str, Any]] = [{column: value, "opened": {"$gt": after}}]
    if sort[0] != "-":
        behind.append({column: {"$ne": None} if value is None else {"$gt": value}})
    elif value is not None:
        behind += [{column: {"$lt": value}}, {column: None}]
    return {"$or": behind}


class Issue(Query):
    """One line of the ledger."""

    zh = "问题详情"
    path = "issues/{id}"
    allowed = WITH_RECEIPT
    id: Id


async def ledger_line(query: Issue, desk: Desk, caller: Caller) -> dict[str, Any]:
    """The line, for those who may see it."""
    return _line(await _visible(query.id, desk, caller), caller, desk)


class IssueSummary(Query):
    """How many issues stand where: the sums under the ledger."""

    zh = "台账汇总"
    path = "issues-summary"
    allowed = PEOPLE


async def summary(_: IssueSummary, desk: Desk, __: Caller) -> dict[str, Any]:
    """Counts by stage, addressee and wind, and the lists somebody has to look at."""
    found = await desk.find(issues, {})
    live = [d for d in found if d["stage"] in LIVE]
    timed = [d for d in found if d["stage"] in TIMED]
    return {
        "total": len(found),
        "by_stage": _counted(d["stage"] for d in found),
        "by_addressee": _counted(d["addressee"] for d in found),
        "by_wind": _counted(w for d in found for w in d["winds"] or ["not_four_winds"]),
        "overdue": [d["key"] for d in timed if d["due"]["at"] < _now(desk)],
        "unclaimed": [d["key"] for d in live if d["stage"] == "open"],
        "solved_not_struck_off": [
            d["key"] for d in live if d["stage"] in {"verified", "on_notice"}
        ],
        "reopened": sum(d["reopened"] > 0 for d in found),
        "verdicts": _counted(v["solved"] for d in found for v in d["verdicts"]),
    }


def _now(desk: Desk) -> str:
    """The present moment, as documents hold one."""
    return desk.at.isoformat().replace("+00:00", "Z")


def _counted(values: Any) -> dict[str, int]:  # noqa: ANN401 -- any iterable of words
    counts: dict[str, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return dict(sorted(counts.items()))


@dataclass(frozen=True)
class _Listener:
    """A caller before an issue: `about` are the people it is about, `owner` is who works on it."""

    caller: Caller
    about: frozenset[PersonId]
    owner: PersonId | None

    @classmethod
    def of(cls, caller: Caller, document: Document, *merged: Document) -> "_Listener":
        """A caller before the issue of a line and those merged into it."""
        about = frozenset(d["person"] for d in (document, *merged) if d["person"])
        return cls(caller, about, document["owner"])

    @property
    def hears(self) -> bool:
        """Whether they may read what others said of the outcome: the desk, and a team issue's owner."""
        if self.about:
            return bool(self.caller.roles & DESK) and self.caller.id not in self.about
        return bool(self.caller.roles & DESK) or self.caller.id == self.owner

    def knows(self, targets: Iterable[str | None] = ()) -> bool:
        """Whether they may know who said something about `targets`."""
        concerned = {*self.about, *targets}
        return bool(self.caller.roles & CONFIDANTS) and self.caller.id not in concerned

    def told(self, said: dict[str, Any], who: str, text: str) -> dict[str, Any]:
        """A verdict or an objection as they may see it; their own as it is."""
        if said[who] == self.caller.id:
            return said
        name = said[who] if self.knows() else None
        return {**said, who: name, text: said[text] if self.hears else masked(said[text])}


def _line(document: Document, caller: Caller, desk: Desk) -> dict[str, Any]:
    """A line as this caller may see it: who judged is for confidants, what they wrote for the desk."""
    listener = _Listener.of(caller, document)
    desk.words_of(document["objection"])
    for verdict in document["verdicts"]:
        desk.words_of(verdict, verdict["originator"])
    line = shown(document)
    line["verdicts"] = [listener.told(v, "originator", "comment") for v in document["verdicts"]]
    if not listener.hears:
        line["objection"] = masked(document["objection"])
    return line


async def _visible(issue: str, desk: Desk, caller: Caller) -> Document:
    """An issue's line; an originator by receipt sees those their opinion became, and where these went."""
    document = await desk.document(issues, issue)
    if document is None:
        raise NotFound
    if "originator" in caller.roles:
        family = [document, *await _family(issue, desk)]
        if not any(_receipt(caller) in d["opinions"] for d in family):
            raise NotFound
    return document


def _receipt(caller: Caller) -> str:
    """The opinion of an originator by receipt."""
    return caller.id.removeprefix("originator:")


async def _family(issue: str, desk: Desk) -> list[Document]:
    """The issues merged into one, at once or by way of others."""
    family: dict[str, Document] = {}
    latest = [issue]
    for _ in range(MERGES):
        found = await desk.find(issues, {"merged_into": {"$in": latest}})
        new = {d["key"]: d for d in found if d["key"] not in {issue, *family}}
        if not new:
            break
        family |= new
        latest = list(new)
    return list(family.values())


# -- Biography -----------------------------------------------------------------------------------


class IssueBiography(Query):
    """Everything that happened, from the spoken word to the verdict, in the order of the log."""

    zh = "问题全过程"
    path = "issues/{id}/biography"
    allowed = frozenset({"person", "originator"})
    id: Id
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def biography(query: IssueBiography, desk: Desk, caller: Caller) -> dict[str, Any]:
    """One page of events with position, times, actor, hash and content, over all services it touched.

    `sources` are the talks, meetings, visits and inspections it was raised in, `lines` those of plans
    it stands in now, `regulations` those that answer it; what was done to these is among the events.
    `parent`, `children` and `merged` are the issues it is a part of, that are parts of it, and that went
    into it; `names` what the people told of are called in the roster. Who follows it by receipt is told
    of none of these, nor in which words it was put right where it was raised.
    Of feedback it shows nobody more than feedback itself: that something was done everybody sees;
    the words are for who said them and for the desk (for these, once anything in them was hidden, at
    `opinions/{id}`); who spoke up is for confidants it is not about.
    """
    document = await _visible(query.id, desk, caller)
    merged = await _family(query.id, desk)
    family = [document, *merged]
    listener = _Listener.of(caller, document, *merged)
    heard = {o for d in family for o in d["opinions"]}
    outside = "originator" in caller.roles
    if outside:
        heard &= {_receipt(caller)}
    items: list[dict[str, Any]] = []
    for d in family:
        past = await _history(desk, "rectification", "issue", d["key"])
        items += (_of_the_issue(record, listener, desk) for record in past)
        reworded = {notice["event"] for notice in d["notices"] if not notice["voided"]}
        told = {str(past[0].causation), *(() if outside else reworded)}
        for source in map(Source.model_validate, _found_in(d)):
            there = await desk.journal.read(_subject(source, desk))
            items += (_told(r, _said(r)) for r in there if str(r.id) in told)
    lines: list[Document] = []
    named = [] if outside else [d["key"] for d in family]
    for plan in await desk.find(plans, {"planned": {"$in": named}}):
        past = await _history(desk, "rectification", "plan", plan["key"])
        items += (_told(record, _said(record)) for record in past if line_of(record.event) in named)
        standing = {"plan": plan["key"], "stage": plan["stage"]}
        lines += ({**standing, **line} for line in plan["lines"] if line["issue"] in named)
    answering = await desk.find(regulations, {"answers": {"$in": named}})
    for regulation in answering:
        past = await _history(desk, "rectification", "regulation", regulation["key"])
        items += (_told(record, _said(record)) for record in past)
    for opinion in heard:
        past = await _history(desk, "feedback", "opinion", opinion)
        told_of = [*_of_an_opinion(past, listener)]
        desk.words_of(told_of, f"originator:{opinion}", _spoke(past))
        items += told_of
    for collation in {s["id"] for d in family for s in d["sources"] if s["kind"] == "collation"}:
        past = await _history(desk, "feedback", "collation", collation)
        items += (_of_a_collation(r, heard, listener) for r in past if _mentions(r, heard))
    items.sort(key=lambda item: int(item["position"]))
    page = [item for item in items if item["position"] > query.after][: query.limit]
    known = desk.ledger(directory)
    if known is None:
        raise UnknownSchool
    above = await desk.document(issues, document["parent"]) if document["parent"] else None
    parts = await desk.find(issues, {"parent": query.id})
    return {
        **_relative(document),
        "zone": known.school.zone,
        "opinions": sorted(heard),
        "sources": [{"kind": s["kind"], "id": s["id"]} for d in family for s in _found_in(d)],
        "parent": None if outside or above is None else _relative(above),
        "children": [] if outside else [_relative(d) for d in parts],
        "merged": [] if outside else [_relative(d) for d in merged],
        "lines": lines,
        "regulations": [_answering(d) for d in answering],
        "names": {} if outside else _names([page, lines], known),
        "items": page,
        "next": page[-1]["opened"] if page and page[-1] is not items[-1] else None,
    }


def _relative(document: Document) -> Document:
    """Another issue, as a biography names it."""
    return {"id": document["key"], "title": document["title"], "stage": document["stage"]}


def _answering(document: Document) -> Document:
    """A regulation, as the biography of an issue it answers names it."""
    names = ("title", "stage", "revision", "in_force_on")
    return {"id": document["key"], **{name: document[name] for name in names}}


def _names(told: Any, known: Directory) -> dict[PersonId, str]:  # noqa: ANN401 -- JSON
    """What everybody is called whose id stands in what is told."""
    people = known.roster.people
    met = sorted(word for word in _words(told) if word in people)
    return {PersonId(person): people[PersonId(person)].name for person in met}


def _words(told: Any) -> set[str]:  # noqa: ANN401 -- JSON
    """Every text in what is told, each once."""
    if isinstance(told, str):
        return {told}
    within = told.values() if isinstance(told, dict) else told if isinstance(told, list) else ()
    return {word for part in within for word in _words(part)}


async def _history(desk: Desk, service: str, category: str, stream: str) -> list[Record]:
    return await desk.journal.read(str(Subject(desk.school, service, category, stream)))


def _found_in(document: Document) -> list[Document]:
    """The sources of an issue that have a stream of their own: talk, meeting, visit, inspection, issue."""
    return [s for s in document["sources"] if s["kind"] in STREAMS]


def _mentions(record: Record, opinions: set[str]) -> bool:
    text = record.body.decode()
    return any(opinion in text for opinion in opinions)


def _of_the_issue(record: Record, listener: _Listener, desk: Desk) -> dict[str, Any]:
    """An event of an issue; who judged or objected, and in which words, is guarded as on the ledger."""
    said = _said(record)
    if isinstance(record.event, VerdictRecorded | ObjectionRaised):
        desk.words_of(said, record.actor)
    match record.event:
        case VerdictRecorded():
            said = listener.told(said, "originator", "comment")
            return _told(record, said, known=said["originator"] is not None, role="originator")
        case ObjectionRaised():
            said = listener.told(said, "objector", "text")
            return _told(record, said, known=said["objector"] is not None, role="objector")
        case _:
            return _told(record, said)


def _of_an_opinion(past: list[Record], listener: _Listener) -> Iterator[dict[str, Any]]:
    """The events of an opinion, none of them telling more than feedback would."""
    caller = listener.caller
    spoken = next((r.event for r in past if isinstance(r.event, OpinionSubmitted)), None)
    who = _spoke(past)
    entered = spoken.submitted_by if spoken else None
    hidden = any(isinstance(record.event, OpinionRedacted) for record in past)
    targets = {getattr(record.event, "target", None) for record in past}
    for record in past:
        own = caller.id in {entered, f"originator:{record.stream}"}
        known = own or listener.knows(targets)
        readable = own or bool(caller.roles & DESK)
        said: dict[str, Any] = _said(record) if readable else {**SEALED}
        if readable and isinstance(record.event, OpinionSubmitted):
            del said["salt"]
            if hidden:
                said["verbatim_text"] = SEALED
            if not known:
                sealed = {name: masked(said[name]) for name in ("voiced_by", "contact")}
                said = {**said, **sealed, "submitted_by": None if who else entered}
        yield _told(record, said, known=known or record.actor != who, role="originator")


def _spoke(past: list[Record]) -> PersonId | None:
    """Who entered an opinion of their own, with their account."""
    spoken = next((r.event for r in past if isinstance(r.event, OpinionSubmitted)), None)
    return spoken.submitted_by if spoken and not spoken.recorded_by_clerk else None


def _of_a_collation(record: Record, opinions: set[str], listener: _Listener) -> dict[str, Any]:
    """An event of a collation, cut to the groups that concern the issue."""
    if not listener.caller.roles & DESK:
        return _told(record, {**SEALED})
    said = _said(record)
    if "issues" in said:
        said["issues"] = [
            i for i in said["issues"] if any(part["opinion"] in opinions for part in i["parts"])
        ]
    if "opinions" in said:
        said["opinions"] = [
            o for o in said["opinions"] if (o if isinstance(o, str) else o["opinion"]) in opinions
        ]
    return _told(record, said)


def _said(record: Record) -> dict[str, Any]:
    return record.event.model_dump(mode="json")


def _told(
    record: Record, said: dict[str, Any], *, known: bool = True, role: str = ""
) -> dict[str, Any]:
    """One event of a biography; an actor who may not be `known` is only called by a role."""
    return {
        "opened": record.position,
        "position": record.position,
        "at": record.at.isoformat(),
        "occurred": record.occurred.isoformat(),
        "actor": record.actor if known else role,
        "on_behalf_of": record.on_behalf_of if known else None,
        "type": record.type,
        "stream": f"{record.category}.{record.stream}",
        "version": record.version,
        "hash": record.hash,
        "event": said,
    }


# -- Lineage, plans, regulations -----------------------------------------------------------------


class OpinionIssues(Query):
    """Which issues an opinion became, and how they stand."""

    zh = "意见去向"
    path = "opinions/{id}/issues"
    allowed = WITH_RECEIPT
    id: Id


async def became(query: OpinionIssues, desk: Desk, caller: Caller) -> dict[str, Any]:
    """The issues of an opinion; where they were merged, those they went to as well, each once."""
    if "originator" in caller.roles and caller.id != f"originator:{query.id}":
        raise NotFound
    known = await desk.card(opinions, query.id)
    if known is None:
        raise NotFound
    found: dict[str, Document] = {}
    wanted = list(known.issues)
    for _ in range(MERGES):
        here = await desk.find(issues, {"key": {"$in": [i for i in wanted if i not in found]}})
        found |= {d["key"]: d for d in here}
        wanted = [d["merged_into"] for d in here if d["merged_into"]]
        if not wanted:
            break
    return {"items": [_line(document, caller, desk) for document in found.values()], "next": None}


class RectificationPlans(Query):
    """Every rectification plan."""

    zh = "整改方案"
    path = "plans"
    allowed = PEOPLE
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def all_plans(query: RectificationPlans, desk: Desk, _: Caller) -> dict[str, Any]:
    """Plans with their lines, and the team issues a plan does not cover as of now (R90).

    Each line says which measures it carries out, and whether they still count.
    """
    found = await desk.find(plans, {}, after=query.after, limit=query.limit)
    where = {"addressee": "team", "stage": {"$in": NOT_ENDED}}
    teams = {d["key"] for d in await desk.find(issues, where)}
    lines = [line for d in found for line in d["lines"]]
    named = (Origin.model_validate(o) for line in lines for o in line["origins"])
    counting = await _counting(named, desk)
    items = [
        {
            **shown(d),
            "lines": [_with_origins(line, counting) for line in d["lines"]],
            "uncovered_now": sorted(teams - {line["issue"] for line in d["lines"]}),
        }
        for d in found
    ]
    return {"items": items, "next": items[-1]["opened"] if len(items) == query.limit else None}


def _with_origins(line: Document, counting: frozenset[Origin]) -> Document:
    """A line of a plan, and of each measure it carries out whether it counts."""
    origins = [{**o, "counts": Origin.model_validate(o) in counting} for o in line["origins"]]
    return {**line, "origins": origins}


class Measures(Query):
    """What meetings resolved and self-examinations promised, and the lines of plans in force for it.

    `covered=false` leaves what no plan in force has a line for; `team=true` what neither a branch nor
    a single person took upon themselves.
    """

    zh = "整改措施来源"
    path = "measures"
    allowed = PEOPLE
    kind: Literal["meeting", "examination"] | None = None
    team: bool | None = None
    covered: bool | None = None
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def all_measures(query: Measures, desk: Desk, caller: Caller) -> dict[str, Any]:
    """One page of meetings and self-examinations that took measures, with these.

    It shows nobody more than meetings itself: the words are for the leaders and the supervision group;
    those of a self-examination for its author, the team's for the team, once adopted for everybody.
    Whoever was at a meeting reads them at `meetings/{id}`.
    """
    known = desk.ledger(directory)
    if known is None:
        raise UnknownSchool
    where = {"counts": True, **({"kind": query.kind} if query.kind else {})}
    lines: dict[Origin, list[Document]] = {}
    for plan in await desk.find(plans, {"stage": "adopted"}):
        for line in plan["lines"]:
            for origin in map(Origin.model_validate, line["origins"]):
                lines.setdefault(origin, []).append({"plan": plan["key"], "issue": line["issue"]})
    items: list[dict[str, Any]] = []
    for document in await desk.find(measures, where, after=query.after):
        own = bool(document["person"] or document["branch"])
        if query.team is own:
            continue
        taken = [
            {**m, "lines": lines.get(_origin(document, m["key"]), [])} for m in document["measures"]
        ]
        chosen = [m for m in taken if _asked_for(m, covered=query.covered)]
        if chosen:
            read = _reads(document, caller, known)
            items.append({**shown(document), "measures": chosen if read else masked(chosen)})
    page = items[: query.limit]
    return {"items": page, "next": page[-1]["opened"] if page != items else None}


def _asked_for(measure: Document, *, covered: bool | None) -> bool:
    """Whether a measure is one of those asked for; nobody has to cover a voided one."""
    if covered is None:
        return True
    return bool(measure["lines"]) if covered else not (measure["lines"] or measure["voided"])


def _reads(document: Document, caller: Caller, known: Directory) -> bool:
    """Whether they may read the measures of a meeting or self-examination."""
    if caller.roles & READERS:
        return True
    if document["kind"] == OriginKind.meeting:
        return False
    if document["person"]:
        return known.roster.identity(PersonId(document["person"])) == caller.id
    return Role.team_member in caller.roles or (document["adopted"] and "person" in caller.roles)


class Regulations(Query):
    """Every regulation (建章立制)."""

    zh = "建章立制"
    path = "regulations"
    allowed = PEOPLE
    stage: Literal["drafted", "adopted", "abolished", "voided"] | None = None
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def all_regulations(query: Regulations, desk: Desk, _: Caller) -> dict[str, Any]:
    """One page of regulations, each with the issues it answers, where these come from and stand."""
    where = {"stage": query.stage} if query.stage else {}
    found = await desk.find(regulations, where, after=query.after, limit=query.limit)
    named = {issue for document in found for issue in document["answers"]}
    answered = {d["key"]: d for d in await desk.find(issues, {"key": {"$in": sorted(named)}})}
    items = [
        {**shown(d), "issues": [_answered(answered[i]) for i in d["answers"] if i in answered]}
        for d in found
    ]
    return {"items": items, "next": items[-1]["opened"] if len(items) == query.limit else None}


def _answered(issue: Document) -> Document:
    """An issue a regulation answers: what it is, where it came from, how it stands."""
    names = ("title", "addressee", "person", "stage", "merged_into")
    sources = [{"kind": s["kind"], "id": s["id"]} for s in issue["sources"]]
    return {"id": issue["key"], **{name: issue[name] for name in names}, "sources": sources}
