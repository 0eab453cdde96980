"""What may be asked of meetings, their minutes and who criticised whom."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from pydantic import Field

from services.campaign.directory import Directory
from services.campaign.events import Role, UnitKind
from services.meetings.domain import criticism
from services.meetings.domain import meeting as meeting_domain
from services.meetings.domain.criticism import Criticism, Gathering, Gatherings, Pair
from services.meetings.domain.meeting import (
    AdoptDocument,
    MeetingCommand,
    PlanMeeting,
    Reported,
    ReviseMeetingPlan,
    WrongKindOfMeeting,
)
from services.meetings.events import MeetingKind
from services.meetings.projection.meeting import (
    MeetingStage,
    gatherings,
    meetings,
    papers,
    speeches,
)
from services.meetings.queries import PEOPLE, known_to
from shared.callers import Caller
from shared.decider import NotFound, PersonId
from shared.marks import Id
from shared.mongo import Document
from shared.privacy import masked
from shared.runtime import Cursor, Desk, Query
from shared.views import content, shown

READERS = frozenset({Role.supervisor, Role.principal_leader})
"""Who reads what was said at a meeting without having been there."""


async def meeting_facts(command: MeetingCommand, desk: Desk) -> meeting_domain.Facts:
    """What a decision on a meeting looks at."""
    known = known_to(desk)
    match command:
        case PlanMeeting(reports_on=meeting) | ReviseMeetingPlan(reports_on=meeting):
            return meeting_domain.Facts(known, reported=await _reported(meeting, desk))
        case AdoptDocument(kind=kind, id=paper):
            found = await desk.card(papers, paper)
            return meeting_domain.Facts(known, adoptable=found is not None and found.kind is kind)
        case _:
            plan = getattr(desk.state, "plan", None)
            reported = await _reported(plan.reports_on, desk) if plan else None
            return meeting_domain.Facts(known, reported=reported)


async def _reported(meeting: str | None, desk: Desk) -> Reported | None:
    """The meeting a briefing is about, as far as it came to anything."""
    card = await desk.card(meetings, meeting) if meeting else None
    if card is None or card.stage in {"cancelled", "voided"}:
        return None
    return Reported(card.kind, card.ended_at, card.appraised_at)


class Meetings(Query):
    """Meetings in the order they were planned; `since` and `until` are days, both included."""

    zh = "会议一览"
    path = "meetings"
    allowed = PEOPLE
    kind: MeetingKind | None = None
    stage: MeetingStage | None = None
    campaign: Id | None = None
    branch: Id | None = None
    since: date | None = None
    until: date | None = None
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def all_meetings(query: Meetings, desk: Desk, caller: Caller) -> dict[str, Any]:
    """One page of meetings."""
    known = known_to(desk)
    names = ("kind", "stage", "campaign", "branch")
    asked = {name: getattr(query, name) for name in names}
    where: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    if query.since or query.until:
        where["on"] = _between(query.since, query.until)
    found = await desk.find(meetings, where, after=query.after, limit=query.limit)
    items = [_seen(document, caller, known) for document in found]
    return {"items": items, "next": items[-1]["opened"] if len(items) == query.limit else None}


def _between(since: date | None, until: date | None) -> dict[str, str]:
    """A filter of days, both included, as documents hold them."""
    bounds: dict[str, str] = {}
    if since:
        bounds["$gt"] = str(since - timedelta(days=1))
    if until:
        bounds["$lte"] = str(until)
    return bounds


class Meeting(Query):
    """One meeting from its plan to its appraisal; its speeches are in the minutes."""

    zh = "会议详情"
    path = "meetings/{id}"
    allowed = PEOPLE
    id: Id


async def one_meeting(query: Meeting, desk: Desk, caller: Caller) -> dict[str, Any]:
    """The meeting, its texts for those who may read them."""
    return _seen(await _document(query.id, desk), caller, known_to(desk))


class MeetingMinutes(Query):
    """What was said at a meeting, in the order it was said; `after` is a speech's number."""

    zh = "会议记录"
    path = "meetings/{id}/minutes"
    allowed = PEOPLE
    id: Id
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def minutes(query: MeetingMinutes, desk: Desk, caller: Caller) -> dict[str, Any]:
    """One page of speeches; the words are for who was there, the supervision group and leaders."""
    document = await _document(query.id, desk)
    where = {"meeting": query.id, "number": {"$gt": query.after}}
    found = await desk.find(speeches, where)
    page = sorted(map(content, found), key=lambda speech: int(speech["number"]))[: query.limit]
    for speech in page:
        desk.words_of(speech, speech["speaker"])
    said = page if _reads(document, caller, known_to(desk)) else [masked(speech) for speech in page]
    items = [{**speech, "opened": speech["number"]} for speech in said]
    return {
        "id": query.id,
        "stage": document["stage"],
        "items": items,
        "next": items[-1]["opened"] if len(items) == query.limit else None,
    }


class MeetingCriticism(Query):
    """Who criticised whom at a meeting, what the plan asks of it and what is missing (R68-R73, R80, R81)."""

    zh = "批评与自我批评情况"
    path = "meetings/{id}/criticism"
    allowed = PEOPLE
    id: Id


async def meeting_criticism(query: MeetingCriticism, desk: Desk, _: Caller) -> dict[str, Any]:
    """The matrix of one meeting, held against the roster of its day."""
    known, gathering = known_to(desk), _gathering(query.id, desk)
    day = gathering.on or known.day(desk.at)
    match gathering.kind:
        case MeetingKind.democratic_life:
            found = criticism.of_the_team([gathering], known.roster, day)
        case MeetingKind.organisational_life:
            branch = gathering.branch or ""
            found = criticism.of_a_branch([gathering], known.roster, day, branch)
        case _:
            raise WrongKindOfMeeting
    return {"id": query.id, "branch": gathering.branch, "on": str(day), **_matrix(found)}


class CampaignCriticism(Query):
    """The same over all meetings of a campaign: first the team, then branch by branch."""

    zh = "活动批评与自我批评情况"
    path = "criticism"
    allowed = PEOPLE
    campaign: Id | None = None
    after: Cursor = 0


async def campaign_criticism(query: CampaignCriticism, desk: Desk, _: Caller) -> dict[str, Any]:
    """The matrices, each held against the roster of its last meeting's day; of today's if there is none."""
    known = known_to(desk)
    campaign = query.campaign or known.current
    if campaign not in known.campaigns:
        raise NotFound
    today = known.day(desk.at)
    all_held = desk.ledger(gatherings) or Gatherings()
    branches = [
        unit
        for unit, entry in known.units.items()
        if entry.kind is UnitKind.branch
        and (
            known.has_unit(unit, UnitKind.branch, today)
            or all_held.held(MeetingKind.organisational_life, campaign, unit)
        )
    ]
    items: list[dict[str, Any]] = []
    for n, branch in enumerate([None, *branches], start=1):
        kind = MeetingKind.organisational_life if branch else MeetingKind.democratic_life
        held = all_held.held(kind, campaign, branch)
        day = next((meeting.on for meeting in reversed(held) if meeting.on), today)
        found = (
            criticism.of_a_branch(held, known.roster, day, branch)
            if branch
            else criticism.of_the_team(held, known.roster, day)
        )
        told = {"opened": n, "branch": branch, "on": str(day), "meetings": len(held)}
        items.append({**told, **_matrix(found)})
    return {
        "campaign": campaign,
        "items": [item for item in items if item["opened"] > query.after],
        "next": None,
    }


class MeetingAttendance(Query):
    """Who was to come by the roster of that day, who came, who still owes a make-up (R77, R79)."""

    zh = "会议出席情况"
    path = "meetings/{id}/attendance"
    allowed = PEOPLE
    id: Id


async def attendance(query: MeetingAttendance, desk: Desk, _: Caller) -> dict[str, Any]:
    """Attendance held against the roster."""
    known, gathering = known_to(desk), _gathering(query.id, desk)
    day = gathering.on or known.day(desk.at)
    found = criticism.presence(gathering, known.roster, day)
    groups = {
        group: {name: list(people) for name, people in who.items()}
        for group, who in found.groups.items()
    }
    return {
        "id": query.id,
        "kind": gathering.kind.value,
        "on": str(day),
        "held": gathering.on is not None,
        **{name: list(people) for name, people in vars(found).items() if name != "groups"},
        "groups": groups,
        "unrepresented": [group for group, who in groups.items() if not who["present"]],
    }


def _matrix(found: Criticism) -> dict[str, Any]:
    """A matrix with its findings, as it is answered."""
    return {
        "given": found.given,
        "rules": [
            {
                "rule": finding.rule,
                "holds": finding.holds,
                "shown_only": finding.shown,
                "asked": len(finding.asked),
                "missing": _pairs(finding.missing),
            }
            for finding in found.findings
        ],
        "unlinked": _pairs(found.unlinked),
    }


def _pairs(pairs: Iterable[Pair]) -> list[dict[str, PersonId | None]]:
    return [{"giver": giver, "receiver": receiver} for giver, receiver in pairs]


async def _document(meeting: str, desk: Desk) -> Document:
    document = await desk.document(meetings, meeting)
    if document is None:
        raise NotFound
    return document


def _gathering(meeting: str, desk: Desk) -> Gathering:
    """A meeting that counts: neither called off nor voided."""
    known = desk.ledger(gatherings)
    if known is None or meeting not in known.meetings:
        raise NotFound
    return known.meetings[meeting]


def _seen(document: Document, caller: Caller, known: Directory) -> dict[str, Any]:
    """A meeting as this caller may see it: what it is called and where it was, everybody."""
    told = shown(document)
    if _reads(document, caller, known):
        return told
    hidden: dict[str, Any] = masked(told)
    return {**hidden, "title": told["title"], "place": told["place"]}


def _reads(document: Document, caller: Caller, known: Directory) -> bool:
    """Whether they may read what was said: who was there or made up for it, leaders, supervisors."""
    if caller.roles & READERS:
        return True
    seats = document["attendance"]
    there = {s["person"] for s in seats if s["attendance"] == "present" or s["made_up_on"]}
    keepers = {document[name] for name in ("planned_by", "chair", "recorder") if document[name]}
    return caller.id in {known.roster.identity(PersonId(p)) for p in there | keepers}
