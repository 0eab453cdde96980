"""What may be asked of talks, who is told what was said, and the facts the rules look at."""

from collections.abc import Iterable
from datetime import UTC, date, timedelta
from typing import Any

from pydantic import Field

from services.campaign.calendar import Day, end_of_day
from services.campaign.directory import Directory
from services.campaign.events import Role
from services.talks import coverage as cover
from services.talks.domain import request as request_domain
from services.talks.domain.talk import OFFICE, Facts, Requested, TalkCommand
from services.talks.events import Audience, RequestState, TalkKind, TalkState
from services.talks.projection import directory, facts, requests, talks
from shared.callers import Caller, UnknownSchool
from shared.decider import NotFound, PersonId
from shared.marks import Id
from shared.mongo import Document
from shared.privacy import masked
from shared.runtime import Cursor, Desk, Query
from shared.views import shown

PEOPLE = frozenset({"person", "operator"})
SPOKEN = ("outsider", "sides", "communicated", "problems")
"""What is for the parties, unless they release it."""
ARRANGED = ("place", "ending")
"""What the office may know as well: where a talk is held, and why it was not."""
KEPT = (*SPOKEN, *ARRANGED, "disputes", "helped")
"""What a list of talks leaves out."""
AUDIENCES: dict[Audience, str] = {
    Audience.supervision_group: Role.supervisor,
    Audience.principal_leaders: Role.principal_leader,
    Audience.leadership_team: Role.team_member,
    Audience.branch_secretaries: Role.branch_secretary,
    Audience.party_members: Role.party_member,
    Audience.everybody: "person",
}
"""The role by which a reader belongs to an audience."""

# -- Facts ---------------------------------------------------------------------------------------


async def talk_facts(command: TalkCommand, desk: Desk) -> Facts:
    """What a decision on a talk looks at: the request that the command or the arrangement names."""
    named = getattr(command, "request", None) or getattr(desk.state, "request", None)
    card = await desk.card(requests, named) if named else None
    if card is None or card.state == "voided":
        return Facts(_school(desk))
    return Facts(_school(desk), Requested(card.asker, card.asked, card.talk))


async def request_facts(_: request_domain.RequestCommand, desk: Desk) -> Facts:
    """What a decision on a request looks at: the school."""
    return Facts(_school(desk))


def _school(desk: Desk) -> Directory:
    known = desk.ledger(directory)
    if known is None:
        raise UnknownSchool
    return known


# -- Talks ---------------------------------------------------------------------------------------


class Talks(Query):
    """The talks that were arranged or held: who, when, how long; nothing of what was said."""

    zh = "谈心谈话台账"
    path = "talks"
    allowed = PEOPLE
    state: TalkState | None = None
    kind: TalkKind | None = None
    party: Id | None = None
    branch: Id | None = None
    since: Day | None = None
    until: Day | None = None
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def all_talks(query: Talks, desk: Desk, _: Caller) -> dict[str, Any]:
    """One page of talks; `since` and `until` are days of the school, both included."""
    school = _school(desk)
    plain = {"state": query.state, "kind": query.kind, "branch": query.branch}
    where: dict[str, Any] = {name: value for name, value in plain.items() if value is not None}
    if query.party:
        where["parties"] = {"$in": _names(query.party, school)}
    when: dict[str, str] = {}
    if query.since:
        when["$gt"] = _end(query.since - timedelta(days=1), school)
    if query.until:
        when["$lt"] = _end(query.until, school)
    if when:
        where["begins_at"] = when
    found = await desk.find(talks, where, after=query.after, limit=query.limit)
    items = [_listed(document, school) for document in found]
    return _page(items, query.limit)


class Talk(Query):
    """One talk; what was said is for the parties and for those they all released it to."""

    zh = "谈心谈话"
    path = "talks/{id}"
    allowed = PEOPLE
    id: Id


async def one_talk(query: Talk, desk: Desk, caller: Caller) -> dict[str, Any]:
    """The talk as this caller may see it: what is kept from them is masked, so that it shows as there."""
    document = await desk.document(talks, query.id)
    if document is None:
        raise NotFound
    school = _school(desk)
    card = {**_listed(document, school), **{name: document[name] for name in KEPT}}
    parties = _identities(document["parties"], school)
    desk.words_of(card, *parties)
    party = caller.id in parties
    reads = party or bool(caller.roles & _released(document, school))
    if not reads:
        card |= {name: masked(card[name]) for name in SPOKEN}
    if not reads and not caller.roles & OFFICE:
        card |= {name: masked(card[name]) for name in ARRANGED}
    if not party:
        card["disputes"] = masked(card["disputes"])
    if not party or not _may_know_of_help(document, caller, school):
        card["helped"] = None
    return card


def _listed(document: Document, school: Directory) -> dict[str, Any]:
    """A talk without what was said, and whether it was shorter than it should be (R52)."""
    card = {name: value for name, value in shown(document).items() if name not in KEPT}
    minimum = int(school.policy.setting("minimum_talk").value)
    return {
        **card,
        "disputed": [dispute["party"] for dispute in document["disputes"]],
        "too_short": document["minutes"] is not None and document["minutes"] < minimum,
    }


def _released(document: Document, school: Directory) -> frozenset[str]:
    """The roles that every party of a talk released it to."""
    given = {
        school.roster.identity(PersonId(r["party"])): set(r["audiences"])
        for r in document["releases"]
    }
    parties = _identities(document["parties"], school)
    agreed = set.intersection(*(given.get(party, set()) for party in parties))
    return frozenset(AUDIENCES[Audience(name)] for name in agreed)


def _may_know_of_help(document: Document, caller: Caller, school: Directory) -> bool:
    """Help to see one's own problems is for who wrote it down and for principal leaders (R51)."""
    recorder = _identities([document["recorded_by"] or ""], school)
    return caller.id in recorder or Role.principal_leader in caller.roles


def _names(person: str, school: Directory) -> list[str]:
    """Every id that somebody goes or went by."""
    return list(school.roster.aliases(school.roster.identity(PersonId(person))))


def _identities(people: Iterable[str], school: Directory) -> frozenset[PersonId]:
    return frozenset(school.roster.identity(PersonId(person)) for person in people)


def _end(day: date, school: Directory) -> str:
    """The minute a day ends: behind whatever a document holds of the day, before all that follows."""
    return end_of_day(day, school.school.zone).astimezone(UTC).strftime("%Y-%m-%dT%H:%M")


def _page(items: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    return {"items": items, "next": items[-1]["opened"] if len(items) == limit else None}


# -- Requests ------------------------------------------------------------------------------------


class TalkRequests(Query):
    """Who asked whom for a talk: the office sees all of them, everybody their own."""

    zh = "约谈情况"
    path = "talk-requests"
    allowed = PEOPLE
    state: RequestState | None = None
    mine: bool | None = None
    asked: Id | None = None
    asker: Id | None = None
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def all_requests(query: TalkRequests, desk: Desk, caller: Caller) -> dict[str, Any]:
    """One page of requests; what they are about is for who asked and who was asked."""
    school = _school(desk)
    where: dict[str, Any] = {"state": query.state} if query.state else {}
    for name in ("asked", "asker"):
        if person := getattr(query, name):
            where[name] = {"$in": _names(person, school)}
    if query.mine or not caller.roles & OFFICE:
        me = {"$in": _names(caller.id, school)}
        where["$or"] = [{name: me} for name in ("asker", "asked", "recorded_by")]
    found = await desk.find(requests, where, after=query.after, limit=query.limit)
    return _page([_request(document, caller, desk) for document in found], query.limit)


class TalkRequest(Query):
    """One request for a talk."""

    zh = "约谈"
    path = "talk-requests/{id}"
    allowed = PEOPLE
    id: Id


async def one_request(query: TalkRequest, desk: Desk, caller: Caller) -> dict[str, Any]:
    """The request, for those who may know of it."""
    document = await desk.document(requests, query.id)
    school = _school(desk)
    if document is None or not (_concerned(document, caller, school) or caller.roles & OFFICE):
        raise NotFound
    return _request(document, caller, desk)


def _request(document: Document, caller: Caller, desk: Desk) -> dict[str, Any]:
    card, school = shown(document), _school(desk)
    desk.words_of(card, *_named(document, school))
    return card if _concerned(document, caller, school) else {**card, **masked(_texts(document))}


def _texts(document: Document) -> dict[str, Any]:
    return {name: document[name] for name in ("outsider", "about", "answer")}


def _concerned(document: Document, caller: Caller, school: Directory) -> bool:
    return caller.id in _named(document, school)


def _named(document: Document, school: Directory) -> frozenset[PersonId]:
    named = [document[name] for name in ("asker", "asked", "recorded_by")]
    return _identities(filter(None, named), school)


# -- Who has talked with whom --------------------------------------------------------------------


class TalkCoverage(Query):
    """Who has to talk with whom as the roster of a day has it, and who has (R46-R48, R55, R56)."""

    zh = "谈心谈话覆盖情况"
    path = "talk-coverage"
    allowed = PEOPLE
    on: Day | None = None
    since: Day | None = None


async def matrix(query: TalkCoverage, desk: Desk, _: Caller) -> dict[str, Any]:
    """The matrix as of `on`, today if none is given; `since` is the campaign's first day by default."""
    school = _school(desk)
    current = school.current
    since = query.since or (school.campaigns[current].begins_on if current else None)
    known = desk.ledger(facts) or cover.Talks()
    found = cover.coverage(school, known.talks, query.on or school.day(desk.at), since=since)
    told = found.model_dump(mode="json")
    leads = [
        {**told, "leads": lead.leads} for told, lead in zip(told["leads"], found.leads, strict=True)
    ]
    return {
        "on": told["on"],
        "since": told["since"],
        "leader_member": _figures(told["leader_member"], "people"),
        "members": _figures(told["members"], "people"),
        "member_head": _figures(told["member_head"], "people"),
        "branches": _figures(told["branches"], "branch"),
        "leads": {
            "required": len(leads),
            "held": sum(lead["leads"] for lead in leads),
            "missing": [lead["person"] for lead in leads if not lead["leads"]],
            "items": leads,
        },
    }


def _figures(covered: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """How many have to, how many have, how many all agree that they have, and who is missing."""
    return {
        "required": len(covered),
        "held": sum(bool(one["held"]) for one in covered),
        "confirmed": sum(bool(one["confirmed"]) for one in covered),
        "missing": [one[name] for one in covered if not one["held"]],
        "items": covered,
    }
