"""What may be asked of rectification, and the facts its rules look at."""

from typing import Any, Literal

from pydantic import Field

from services.feedback.events import Addressee, Wind
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
)
from services.rectification.events import SourceKind
from services.rectification.projection import (
    LIVE,
    Stage,
    collations,
    directory,
    issues,
    opinions,
    plans,
    regulations,
)
from shared.callers import Caller, UnknownSchool
from shared.decider import NotFound
from shared.envelope import Record, Subject
from shared.marks import Id
from shared.mongo import Document
from shared.privacy import masked
from shared.runtime import Cursor, Desk, Query
from shared.views import content

PEOPLE = frozenset({"person", "operator"})
WITH_RECEIPT = PEOPLE | {"originator"}
MAX_BIOGRAPHY = 500
"""Events of one biography; a longer life is told up to there."""

# -- Facts ---------------------------------------------------------------------------------------


async def issue_facts(command: IssueCommand, desk: Desk) -> issue_domain.Facts:
    """What a decision on an issue looks at."""
    known = desk.ledger(directory)
    if known is None:
        raise UnknownSchool
    state = desk.state
    match command:
        case ClaimIssue() | AssignIssue() if isinstance(state, issue_domain.Open):
            sources = {s.id for s in state.case.sources if s.kind is SourceKind.collation}
            return issue_domain.Facts(known, open_collations=await _open_collations(sources, desk))
        case StrikeOff():
            found = await desk.find(issues, {"parent": command.stream, "stage": {"$in": LIVE}})
            return issue_domain.Facts(known, children=tuple(d["key"] for d in found))
        case RecordVerdict() | RaiseObjection():
            voiced = await desk.find(opinions, {"submitted_by": command.by})
            merged = await desk.find(issues, {"merged_into": command.stream})
            return issue_domain.Facts(
                known,
                voiced=frozenset(d["key"] for d in voiced),
                inherited=frozenset(o for d in merged for o in d["opinions"]),
            )
        case OpenIssue(parent=str() as other) | MergeIssue(into=other):
            return issue_domain.Facts(known, other=await _standing(other, desk))
        case _:
            return issue_domain.Facts(known)


async def plan_facts(_: plan_domain.PlanCommand, desk: Desk) -> plan_domain.Facts:
    """What a decision on a plan looks at: the live issues, and those of the team it has to cover."""
    known = desk.ledger(directory)
    if known is None:
        raise UnknownSchool
    live = await desk.find(issues, {"stage": {"$in": [*LIVE, "long_term"]}})
    return plan_domain.Facts(
        known,
        issues=frozenset(d["key"] for d in live),
        team_issues=frozenset(d["key"] for d in live if d["addressee"] == "team"),
    )


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


async def _standing(issue: str, desk: Desk) -> Literal["open", "closed", "missing"]:
    card = await desk.card(issues, issue)
    if card is None:
        return "missing"
    return "open" if card.stage in LIVE else "closed"


# -- Issues --------------------------------------------------------------------------------------


class Issues(Query):
    """The ledger, in the order the issues were opened."""

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
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def ledger_lines(query: Issues, desk: Desk, caller: Caller) -> dict[str, Any]:
    """One page of the ledger."""
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
    }
    where: dict[str, Any] = {name: value for name, value in plain.items() if value is not None}
    if query.live is not None and not query.stage:
        where["stage"] = {"$in" if query.live else "$nin": LIVE}
    if query.overdue is not None:
        moment = desk.at.isoformat().replace("+00:00", "Z")
        late = {"due.at": {"$lt": moment}, "stage": where.get("stage", {"$in": LIVE})}
        where |= late if query.overdue else {"$nor": [late]}
    found = await desk.find(issues, where, after=query.after, limit=query.limit)
    items = [_line(document, caller) for document in found]
    return {"items": items, "next": items[-1]["opened"] if len(items) == query.limit else None}


class Issue(Query):
    """One line of the ledger."""

    zh = "问题详情"
    path = "issues/{id}"
    allowed = WITH_RECEIPT
    id: Id


async def ledger_line(query: Issue, desk: Desk, caller: Caller) -> dict[str, Any]:
    """The line, for those who may see it."""
    return _line(await _visible(query.id, desk, caller), caller)


class IssueSummary(Query):
    """How many issues stand where: the sums under the ledger."""

    zh = "台账汇总"
    path = "issues-summary"
    allowed = PEOPLE


async def summary(_: IssueSummary, desk: Desk, __: Caller) -> dict[str, Any]:
    """Counts by stage, addressee and wind, and the lists somebody has to look at."""
    found = await desk.find(issues, {})
    moment = desk.at.isoformat().replace("+00:00", "Z")
    live = [d for d in found if d["stage"] in LIVE]
    return {
        "total": len(found),
        "by_stage": _counted(d["stage"] for d in found),
        "by_addressee": _counted(d["addressee"] for d in found),
        "by_wind": _counted(w for d in found for w in d["winds"] or ["not_four_winds"]),
        "overdue": [d["key"] for d in live if d["due"] and d["due"]["at"] < moment],
        "unclaimed": [d["key"] for d in live if d["stage"] == "open"],
        "solved_not_struck_off": [
            d["key"] for d in live if d["stage"] in {"verified", "on_notice"}
        ],
        "reopened": sum(d["reopened"] > 0 for d in found),
        "verdicts": _counted(v["solved"] for d in found for v in d["verdicts"]),
    }


def _counted(values: Any) -> dict[str, int]:  # noqa: ANN401 -- any iterable of words
    counts: dict[str, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return dict(sorted(counts.items()))


def _line(document: Document, caller: Caller) -> dict[str, Any]:
    """A line as this caller may see it: what originators wrote is for the desk and the owner."""
    line = {
        **content(document),
        "id": document["key"],
        "version": document["version"],
        "position": document["position"],
        "opened": document["opened"],
    }
    if not caller.roles & DESK and caller.id != document["owner"]:
        line["verdicts"] = [
            {**v, "comment": masked(v["comment"])} if v["originator"] != caller.id else v
            for v in document["verdicts"]
        ]
        line["objection"] = masked(document["objection"])
    return line


async def _visible(issue: str, desk: Desk, caller: Caller) -> Document:
    """An issue's line; an originator by receipt sees those their opinion became, and where these went."""
    document = await desk.document(issues, issue)
    if document is None:
        raise NotFound
    if "originator" in caller.roles:
        opinion = caller.id.removeprefix("originator:")
        merged = await desk.find(issues, {"merged_into": issue})
        if not any(opinion in d["opinions"] for d in (document, *merged)):
            raise NotFound
    return document


# -- Biography -----------------------------------------------------------------------------------


class IssueBiography(Query):
    """Everything that happened, from the spoken word to the verdict, in the order of the log."""

    zh = "问题全过程"
    path = "issues/{id}/biography"
    allowed = WITH_RECEIPT
    id: Id


async def biography(query: IssueBiography, desk: Desk, caller: Caller) -> dict[str, Any]:
    """Each event with position, times, actor, hash and content, over all services that touched it."""
    document = await _visible(query.id, desk, caller)
    merged = await desk.find(issues, {"merged_into": query.id})
    told: list[Record] = []
    heard = {o for d in (document, *merged) for o in d["opinions"]}
    if "originator" in caller.roles:
        heard &= {caller.id.removeprefix("originator:")}
    for issue in (query.id, *(d["key"] for d in merged)):
        told += await _history(desk, "rectification", "issue", issue)
    for opinion in heard:
        told += await _history(desk, "feedback", "opinion", opinion)
    for collation in {s["id"] for s in document["sources"] if s["kind"] == "collation"}:
        told += [
            record
            for record in await _history(desk, "feedback", "collation", collation)
            if _mentions(record, heard)
        ]
    told.sort(key=lambda record: record.position)
    return {
        "id": query.id,
        "opinions": sorted(heard),
        "events": [_told(record, heard, caller) for record in told[:MAX_BIOGRAPHY]],
        "complete": len(told) <= MAX_BIOGRAPHY,
    }


async def _history(desk: Desk, service: str, category: str, stream: str) -> list[Record]:
    return await desk.journal.read(str(Subject(desk.school, service, category, stream)))


def _mentions(record: Record, opinions: set[str]) -> bool:
    text = record.body.decode()
    return any(opinion in text for opinion in opinions)


def _told(record: Record, opinions: set[str], caller: Caller) -> dict[str, Any]:
    """One event of a biography; a collation's is cut to the groups that concern it."""
    said = record.event.model_dump(mode="json")
    for name in ("voiced_by", "contact"):
        if name in said and not caller.roles & DESK:
            said[name] = masked(said[name])
    if "issues" in said:
        said["issues"] = [
            i for i in said["issues"] if any(part["opinion"] in opinions for part in i["parts"])
        ]
    if record.category == "collation" and isinstance(said.get("opinions"), list):
        said["opinions"] = [o for o in said["opinions"] if o["opinion"] in opinions]
    return {
        "position": record.position,
        "at": record.at.isoformat(),
        "occurred": record.occurred.isoformat(),
        "actor": record.actor,
        "on_behalf_of": record.on_behalf_of,
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
    """The issues of an opinion; where one was merged, the one it went to as well."""
    if "originator" in caller.roles and caller.id != f"originator:{query.id}":
        raise NotFound
    known = await desk.card(opinions, query.id)
    if known is None:
        raise NotFound
    found = [d for i in known.issues if (d := await desk.document(issues, i))]
    targets = [d["merged_into"] for d in found if d["merged_into"]]
    found += [d for i in targets if (d := await desk.document(issues, i))]
    return {"items": [_line(document, caller) for document in found], "next": None}


class RectificationPlans(Query):
    """Every rectification plan."""

    zh = "整改方案"
    path = "plans"
    allowed = PEOPLE
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def all_plans(query: RectificationPlans, desk: Desk, _: Caller) -> dict[str, Any]:
    """Plans with their lines, and the team issues a plan does not cover as of now (R90)."""
    found = await desk.find(plans, {}, after=query.after, limit=query.limit)
    teams = {
        d["key"] for d in await desk.find(issues, {"addressee": "team", "stage": {"$in": LIVE}})
    }
    items = [
        {**_item(d), "uncovered_now": sorted(teams - {line["issue"] for line in d["lines"]})}
        for d in found
    ]
    return {"items": items, "next": items[-1]["opened"] if len(items) == query.limit else None}


class Regulations(Query):
    """Every regulation (建章立制)."""

    zh = "建章立制"
    path = "regulations"
    allowed = PEOPLE
    stage: Literal["drafted", "adopted", "abolished", "voided"] | None = None
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def all_regulations(query: Regulations, desk: Desk, _: Caller) -> dict[str, Any]:
    """One page of regulations."""
    where = {"stage": query.stage} if query.stage else {}
    found = await desk.find(regulations, where, after=query.after, limit=query.limit)
    items = [_item(document) for document in found]
    return {"items": items, "next": items[-1]["opened"] if len(items) == query.limit else None}


def _item(document: Document) -> dict[str, Any]:
    return {
        **content(document),
        "id": document["key"],
        "version": document["version"],
        "position": document["position"],
        "opened": document["opened"],
    }
