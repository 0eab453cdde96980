"""What may be asked of feedback, who sees how much of it, and the facts its rules look at."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import Field

from services.campaign.directory import Directory
from services.campaign.events import Role
from services.feedback.domain import CLERKS, ORGANISATION, known_as
from services.feedback.domain import collation as collation_domain
from services.feedback.domain import disclosure as disclosure_domain
from services.feedback.domain import opinion as opinion_domain
from services.feedback.domain import report as report_domain
from services.feedback.domain.collation import (
    LARGEST_BATCH,
    CloseCollation,
    CollationCommand,
    GroupOpinions,
    Known,
    OpenCollation,
    RegroupOpinions,
    SetPartAside,
    waiting,
)
from services.feedback.domain.disclosure import DisclosureCommand, RequestDisclosure
from services.feedback.domain.opinion import (
    CorrectOpinion,
    OpinionCommand,
    RefuseOpinion,
    SendMessage,
    SubmitOpinion,
)
from services.feedback.domain.ranges import joined, masked
from services.feedback.domain.report import CompileReport, Counted, ReportCommand
from services.feedback.domain.solicitation import SolicitationCommand
from services.feedback.events import (
    Channel,
    InNameOf,
    OpinionPart,
    ProposedIssue,
    SolicitationSubject,
    TargetKind,
    TextRange,
)
from services.feedback.projection import (
    CollationCard,
    collations,
    directory,
    disclosures,
    issues,
    opinions,
    reports,
    solicitations,
)
from shared.callers import Caller, UnknownSchool
from shared.decider import NotFound, PersonId
from shared.likeness import alike, clusters
from shared.marks import Id
from shared.mongo import Document
from shared.privacy import masked as sealed
from shared.runtime import Cursor, Desk, Query
from shared.views import View, content, shown

READERS = ORGANISATION | {Role.supervisor}
"""Who reads what was said."""
CONFIDANTS = CLERKS | {Role.supervisor}
"""Who may also know who said it, unless it was said about them."""

PAGE = 180 * 1024
"""Bytes of stored text one answer holds; a page over NATS stays under 256 KiB."""
MERGES = 10
"""How often an issue may have been merged on before its originators lose sight of it."""
IDS = 50
"""Ids a summary names at most."""

type Found = dict[str, Any]

# -- Facts ---------------------------------------------------------------------------------------


async def solicitation_facts(_: SolicitationCommand, desk: Desk) -> Directory:
    """What a decision on a solicitation looks at: the school."""
    return _school(desk)


async def opinion_facts(command: OpinionCommand, desk: Desk) -> opinion_domain.Facts:
    """What a decision on an opinion looks at."""
    school = _school(desk)
    match command:
        case (
            SubmitOpinion(solicitation=str() as asked) | CorrectOpinion(solicitation=str() as asked)
        ):
            return opinion_domain.Facts(school, solicited=await _solicited(asked, desk))
        case RefuseOpinion():
            found = await desk.document(opinions, command.stream)
            if found is None or found["stage"] != "collated":
                return opinion_domain.Facts(school)
            return opinion_domain.Facts(school, collated=not _free(found, await _voided(desk)))
        case SendMessage():
            owners = await _owners(command.stream, desk)
            return opinion_domain.Facts(school, owners=owners)
        case _:
            return opinion_domain.Facts(school)


async def collation_facts(command: CollationCommand, desk: Desk) -> collation_domain.Facts:
    """What a decision on a collation looks at: the opinions it concerns, earliest first."""
    school = _school(desk)
    match command:
        case OpenCollation(solicitation=asked, opinions=named):
            voided = await _voided(desk)
            where = _to_collate(asked, named, voided)
            found = await desk.find(opinions, where, limit=LARGEST_BATCH)
            known = asked is not None and await _solicited(asked, desk)
            return collation_domain.Facts(school, _known(found, school, voided), solicited=known)
        case GroupOpinions(parts=parts) | RegroupOpinions(parts=parts):
            found = await _named((part.opinion for part in parts), desk)
            return collation_domain.Facts(school, _known(found, school))
        case SetPartAside(part=part):
            found = await _named([part.opinion], desk)
            return collation_domain.Facts(school, _known(found, school))
        case CloseCollation():
            found = await desk.find(opinions, {"collation": command.stream, "standing": False})
            return collation_domain.Facts(school, _known(found, school))
        case _:
            return collation_domain.Facts(school)


async def disclosure_facts(command: DisclosureCommand, desk: Desk) -> disclosure_domain.Facts:
    """What a decision on a disclosure looks at: the opinion, and whom it is about."""
    school = _school(desk)
    match command, desk.state:
        case RequestDisclosure(opinion=opinion), _:
            asked = opinion
        case _, disclosure_domain.Requested(opinion=opinion):
            asked = opinion
        case _:
            return disclosure_domain.Facts(school)
    document = await desk.document(opinions, asked)
    if document is None:
        return disclosure_domain.Facts(school)
    became = await _became(document["issues"], desk)
    about = {known_as(school, who) for who in (document["target"], *(d["person"] for d in became))}
    named = any(document[name] for name in ("submitted_by", "voiced_by", "contact"))
    return disclosure_domain.Facts(
        school, there=True, named=named, about=frozenset(p for p in about if p)
    )


async def report_facts(command: ReportCommand, desk: Desk) -> report_domain.Facts:
    """What a report is compiled from: opinions withdrawn or voided count nowhere."""
    school = _school(desk)
    if not isinstance(command, CompileReport):
        return report_domain.Facts(school)
    position = desk.position
    where = {"solicitation": command.solicitation, "state": {"$nin": ["withdrawn", "voided"]}}
    counted = {
        d["key"]: Counted(
            Channel(d["channel"]), TargetKind(d["target_kind"]), known_as(school, d["target"])
        )
        for d in await desk.find(opinions, where)
    }
    asked = command.solicitation
    known = asked is not None and await _solicited(asked, desk)
    return report_domain.Facts(school, counted, position, known)


def _school(desk: Desk) -> Directory:
    known = desk.ledger(directory)
    if known is None:
        raise UnknownSchool
    return known


async def _solicited(solicitation: str, desk: Desk) -> bool:
    card = await desk.card(solicitations, solicitation)
    return card is not None and card.state != "voided"


async def _owners(opinion: str, desk: Desk) -> frozenset[PersonId]:
    """Who works on the issues an opinion became."""
    card = await desk.card(opinions, opinion)
    became = await _became(card.issues if card else (), desk)
    owners = (known_as(_school(desk), d["owner"]) for d in became)
    return frozenset(owner for owner in owners if owner)


def _to_collate(
    solicitation: str | None, named: tuple[str, ...] | None, voided: Mapping[str, Document]
) -> dict[str, Any]:
    if named is not None:
        return {"key": {"$in": list(named)}}
    asked = {"solicitation": solicitation} if solicitation else {}
    again = {"stage": "collated", "issues": {"$in": sorted(voided)}}
    return {"standing": True, "$or": [{"stage": "waiting"}, again], **asked}


async def _voided(desk: Desk) -> dict[str, Document]:
    """The issues that were voided, and those that had been merged into one of them."""
    found = await desk.find(issues, {"stage": "voided"})
    family = await _family([d["key"] for d in found], desk)
    return {d["key"]: d for d in await desk.find(issues, {"key": {"$in": family}})}


def _free(opinion: Document, voided: Mapping[str, Document]) -> bool:
    """Whether no collation has an opinion and nothing stands of what its last one made of it.

    A batch just closed has it until its issues are opened.
    """
    if opinion["stage"] != "collated":
        return bool(opinion["stage"] == "waiting")
    became = opinion["issues"]
    return voided.keys() >= {*became} and any(
        opinion["collation"] in voided[issue]["collations"] for issue in became
    )


async def _named(opinion_ids: Iterable[str], desk: Desk) -> list[Document]:
    return await desk.find(opinions, {"key": {"$in": list(dict.fromkeys(opinion_ids))}})


def _known(
    found: Iterable[Document], school: Directory, voided: Mapping[str, Document] | None = None
) -> dict[str, Known]:
    return {
        d["key"]: Known(
            length=d["length"],
            standing=d["standing"],
            taken=not _free(d, voided or {}),
            solicitation=d["solicitation"],
            target=known_as(school, d["target"]),
        )
        for d in found
    }


# -- Who reads -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Reader:
    """Who asks, by every id they go by, the issues that are about them, the opinions they were `told` of."""

    caller: Caller
    ids: frozenset[str]
    issues: frozenset[str]
    told: frozenset[str] = frozenset()

    def said(self, document: Document) -> bool:
        """Whether they entered the opinion, or hold its receipt."""
        return not self.ids.isdisjoint((document["submitted_by"], f"originator:{document['key']}"))

    def trusted(self, document: Document) -> bool:
        """Whether they may know who said it: nobody learns that of what is about them."""
        about = document["target"] in self.ids or self.issues & {*document["issues"]}
        return (bool(self.caller.roles & CONFIDANTS) or document["key"] in self.told) and not about


async def _reader(caller: Caller, desk: Desk) -> _Reader:
    ids = _ids(caller.id, desk)
    found = await desk.find(issues, {"person": {"$in": ids}})
    family = await _family([d["key"] for d in found], desk)
    return _Reader(caller, frozenset(ids), frozenset(family))


def _ids(person: str, desk: Desk) -> list[PersonId]:
    """Every id somebody goes by, duplicates in the roster being merged; a unit has one."""
    roster = _school(desk).roster
    return [*roster.aliases(roster.identity(PersonId(person)))]


# -- What every answer has in common -------------------------------------------------------------


def _page(found: list[Document], items: list[Found], limit: int) -> Found:
    """One page: as many of the items as fit, and where the next one begins."""
    size = 0
    for n, item in enumerate(items):
        size += _size(item)
        if size > PAGE and n:
            return {"items": items[:n], "next": items[n - 1]["opened"]}
    full = len(found) > limit
    return {"items": items, "next": items[-1]["opened"] if full and items else None}


def _size(item: Found) -> int:
    return len(json.dumps(item, ensure_ascii=False).encode())


async def _pages(
    view: View[Any], where: Mapping[str, Any], query: "_Listing", desk: Desk
) -> tuple[list[Document], list[Document]]:
    """A page's documents, once with the one behind them and once without."""
    found = await desk.find(view, where, after=query.after, limit=query.limit + 1)
    return found, found[: query.limit]


def _where(query: Query, *names: str) -> dict[str, Any]:
    """The filters of a query that were given."""
    given = query.model_dump(mode="json", include=set(names))
    return {name: value for name, value in given.items() if value is not None}


class _Listing(Query):
    """A list in the order things began, page by page."""

    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


# -- Solicitations -------------------------------------------------------------------------------


class Solicitations(_Listing):
    """Who asks for opinions about what; without a login only what is asked for now."""

    zh = "征求意见"
    path = "solicitations"
    allowed = frozenset({"person", "anonymous", "originator"})
    state: Literal["open", "closed", "voided"] | None = None
    campaign: Id | None = None
    subject: SolicitationSubject | None = None
    in_name_of: InNameOf | None = None


async def all_solicitations(query: Solicitations, desk: Desk, caller: Caller) -> Found:
    """One page of solicitations."""
    where = _where(query, "state", "campaign", "subject", "in_name_of")
    if "person" not in caller.roles:
        where["state"] = "open"
    found, page = await _pages(solicitations, where, query, desk)
    return _page(found, [shown(document) for document in page], query.limit)


class Solicitation(Query):
    """One solicitation and how many opinions came by which channel."""

    zh = "征求意见详情"
    path = "solicitations/{id}"
    allowed = frozenset({"person"})
    id: Id


async def one_solicitation(query: Solicitation, desk: Desk, _: Caller) -> Found:
    """The solicitation with its sums."""
    document = await desk.document(solicitations, query.id)
    if document is None:
        raise NotFound
    counted = {"state": {"$nin": ["withdrawn", "voided"]}, "solicitation": query.id}
    heard = {
        channel.value: await desk.count(opinions, {**counted, "channel": channel.value})
        for channel in Channel
    }
    return {**shown(document), "heard": heard}


# -- Opinions ------------------------------------------------------------------------------------


class Opinions(_Listing):
    """What was said, as far as the caller may know; everybody sees what they said themselves."""

    zh = "意见"
    path = "opinions"
    allowed = frozenset({"person"})
    state: Literal["submitted", "acknowledged", "refused", "withdrawn", "voided"] | None = None
    stage: Literal["waiting", "collating", "collated"] | None = None
    channel: Channel | None = None
    solicitation: Id | None = None
    target_kind: TargetKind | None = None
    target: Id | None = None
    anonymous: bool | None = None
    mine: bool = False


async def all_opinions(query: Opinions, desk: Desk, caller: Caller) -> Found:
    """One page of opinions, without their conversations."""
    names = ("state", "stage", "channel", "solicitation", "target_kind", "anonymous")
    where = _where(query, *names)
    if query.target:
        where["target"] = {"$in": _ids(query.target, desk)}
    if query.mine or not caller.roles & READERS:
        where["submitted_by"] = {"$in": _ids(caller.id, desk)}
    found, page = await _pages(opinions, where, query, desk)
    reader = await _reader(caller, desk)
    items = [await _readable(document, desk, reader) for document in page]
    return _page(found, [_short(item) for item in items], query.limit)


class Opinion(Query):
    """One opinion: the words, the conversation, what was done to it, and the issues it became."""

    zh = "意见详情"
    path = "opinions/{id}"
    allowed = frozenset({"person"})
    id: Id


async def one_opinion(query: Opinion, desk: Desk, caller: Caller) -> Found:
    """The opinion, for those who may see it.

    Who works on an issue it became sees the conversation, not the words.
    """
    document = await desk.document(opinions, query.id)
    if document is None:
        raise NotFound
    became = await _became(document["issues"], desk)
    reader = await _reader(caller, desk)
    if caller.roles & READERS or reader.said(document):
        told = await desk.find(disclosures, {"opinion": query.id})
        mine = (d for d in told if d["state"] == "disclosed" and d["requested_by"] in reader.ids)
        reader = replace(reader, told=frozenset(d["opinion"] for d in mine))
        item = await _readable(document, desk, reader)
        if reader.said(document):
            item["disclosures"] = [_disclosed(d) for d in told]
            desk.words_of(item["disclosures"], *_whose(document))
    elif any(d["owner"] in reader.ids for d in became):
        item = _guarded(document, reader, desk)
        hidden = ("verbatim_text", "sitting", "channel_text", "notes")
        item |= {name: sealed(item[name]) for name in hidden} | {"attachments": []}
    else:
        raise NotFound
    return {**_fitting(item), "became": [_followed(d) for d in became]}


class Receipt(Query):
    """What an originator without an account may know: their opinion and everything it became."""

    zh = "回执查询"
    path = "receipt"
    allowed = frozenset({"originator"})


async def receipt(_: Receipt, desk: Desk, caller: Caller) -> Found:
    """The opinion of the receipt; one still in the intake box has only its id."""
    opinion = caller.id.removeprefix("originator:")
    document = await desk.document(opinions, opinion)
    if document is None:
        return {"id": opinion, "state": "received", "messages": [], "became": []}
    item = await _readable(document, desk, await _reader(caller, desk))
    names = (
        "id", "version", "position", "opened", "state", "stage", "verbatim_text",
        "verbatim_sha256", "channel", "target_kind", "submitted_at", "acknowledgement",
        "refusal_code", "refusal", "withdrawal", "messages", "attachments",
    )  # fmt: skip
    became = await _became(document["issues"], desk)
    found = _fitting({name: item[name] for name in names})
    found["messages"] = [{k: v for k, v in m.items() if k != "by"} for m in found["messages"]]
    told = await desk.find(disclosures, {"opinion": opinion})
    found["disclosures"] = [_disclosed(d) for d in told]
    desk.words_of(found["disclosures"], *_whose(document))
    looks = await desk.on_record({"whose": f"originator:{opinion}"}, latest=IDS)
    found["read"] = [{"by": look["by"], "at": look["at"]} for look in looks]
    return {**found, "became": [_followed(d) for d in became]}


class Disclosures(_Listing):
    """Who asked to know who said something, who approved, and why; never the identity."""

    zh = "身份披露"
    path = "disclosures"
    allowed = READERS
    state: Literal["requested", "disclosed", "withdrawn"] | None = None
    opinion: Id | None = None


async def all_disclosures(query: Disclosures, desk: Desk, _: Caller) -> Found:
    """One page of disclosures."""
    found, page = await _pages(disclosures, _where(query, "state", "opinion"), query, desk)
    return _page(found, [shown(document) for document in page], query.limit)


def _disclosed(document: Document) -> Found:
    """A disclosure as whoever said it sees it."""
    names = ("state", "reason", "requested_by", "approved_by", "changed_at")
    return {name: document[name] for name in names}


class Unheard(_Listing):
    """The opinions that went nowhere: in no issue, or only in issues that were voided (R38)."""

    zh = "没有着落的意见"
    path = "unheard"
    allowed = READERS


async def unheard(query: Unheard, desk: Desk, caller: Caller) -> Found:
    """One page of standing opinions without an issue, each with how far it came."""
    voided = await _voided(desk)
    where = {
        "standing": True,
        "$or": [{"issues": []}, {"issues": {"$in": sorted(voided)}}],
    }
    found, page = await _pages(opinions, where, query, desk)
    reader = await _reader(caller, desk)
    items = []
    for document in page:
        if voided.keys() >= {*document["issues"]}:
            item = _short(await _readable(document, desk, reader))
            items.append({**item, "where": "voided" if document["issues"] else document["stage"]})
    answer = _page(found, items, query.limit)
    if len(found) > query.limit and answer["next"] is None:
        answer["next"] = page[-1]["opened"]
    return answer


async def _readable(document: Document, desk: Desk, reader: _Reader) -> Found:
    """An opinion as this reader may see it: identities and hidden passages taken out.

    Whoever said it reads their own words, but for what is to be erased.
    """
    item = _guarded(document, reader, desk)
    hidden = [TextRange.model_validate(r) for r in document["erased"]]
    if not reader.said(document):
        hidden += [TextRange.model_validate(r) for r in document["masked"]]
    if hidden:
        item["verbatim_text"] = await _text(document, joined(hidden), desk)
    return item


async def _text(document: Document, hidden: Iterable[TextRange], desk: Desk) -> object:
    """The words with a block for every hidden character, or the mask of a text that is erased."""
    opened: object = await desk.open(document["verbatim_text"])
    if not isinstance(opened, str):
        return opened
    return masked(opened, hidden)


def _whose(document: Document) -> tuple[str, str | None]:
    """Who said something, by what they may read it by."""
    entered = document["recorded_by_clerk"]
    return f"originator:{document['key']}", None if entered else document["submitted_by"]


def _guarded(document: Document, reader: _Reader, desk: Desk) -> Found:
    """An opinion without who said it, unless this reader may know."""
    desk.words_of(shown(document), *_whose(document))
    item = {**shown(document), "version": document["own_version"]}
    del item["own_version"]
    if reader.trusted(document) or reader.said(document):
        return item
    item |= {name: sealed(item[name]) for name in ("voiced_by", "contact")}
    if not document["recorded_by_clerk"]:
        who = item["submitted_by"]
        item["submitted_by"] = None
        item["notes"] = [{**n, "by": None} if n["by"] == who else n for n in item["notes"]]
    return item


def _short(item: Found) -> Found:
    """An opinion as a line of a list: without the conversation and what was done to it."""
    short = {name: value for name, value in item.items() if name not in {"messages", "notes"}}
    return {**short, "message_count": len(item["messages"])}


def _fitting(item: Found) -> Found:
    """An opinion whose conversation fits into an answer: the latest lines, and how many are left out."""
    size, kept = 0, 0
    for message in reversed(item["messages"]):
        size += _size(message)
        if size > PAGE // 2 and kept:
            break
        kept += 1
    left_out = len(item["messages"]) - kept
    return {**item, "messages": item["messages"][left_out:], "messages_left_out": left_out}


# -- Lineage -------------------------------------------------------------------------------------


class IssueOpinions(_Listing):
    """The opinions an issue was made of, with those of the issues merged into it."""

    zh = "问题来源意见"
    path = "issues/{id}/opinions"
    allowed = READERS
    id: Id


async def issue_opinions(query: IssueOpinions, desk: Desk, caller: Caller) -> Found:
    """One page of an issue's opinions."""
    if await desk.document(issues, query.id) is None:
        raise NotFound
    family = await _family([query.id], desk)
    found, page = await _pages(opinions, {"issues": {"$in": family}}, query, desk)
    reader = await _reader(caller, desk)
    items = [_short(await _readable(document, desk, reader)) for document in page]
    return _page(found, items, query.limit)


async def _family(issue_ids: Iterable[str], desk: Desk) -> list[str]:
    """The issues of those ids and all that were merged into them."""
    family = latest = list(issue_ids)
    for _ in range(MERGES):
        found = await desk.find(issues, {"merged_into": {"$in": latest}}) if latest else []
        latest = [d["key"] for d in found if d["key"] not in family]
        family = family + latest
    return family


async def _became(issue_ids: Iterable[str], desk: Desk) -> list[Document]:
    """The issues of those ids and, where they were merged, those they went to; each once."""
    found: dict[str, Document] = {}
    wanted = list(issue_ids)
    for _ in range(MERGES):
        new = [issue for issue in wanted if issue not in found]
        if not new:
            break
        here = await desk.find(issues, {"key": {"$in": new}})
        found |= {d["key"]: d for d in here}
        wanted = [d["merged_into"] for d in here if d["merged_into"]]
    return list(found.values())


def _followed(document: Document) -> Found:
    """An issue as those who spoke up may follow it: without whom it is about and who works on it."""
    card = content(document)
    hidden = {"person", "owner", "opinions", "collations"}
    return {"id": document["key"], **{n: v for n, v in card.items() if n not in hidden}}


# -- Collations ----------------------------------------------------------------------------------


class Collations(_Listing):
    """The batches, each with its balance."""

    zh = "汇总梳理"
    path = "collations"
    allowed = READERS
    state: Literal["open", "closed", "voided"] | None = None
    solicitation: Id | None = None


async def all_collations(query: Collations, desk: Desk, _: Caller) -> Found:
    """One page of batches."""
    where = _where(query, "state", "solicitation")
    found, page = await _pages(collations, where, query, desk)
    items = [await _batch(document, desk) for document in page]
    return _page(found, items, query.limit)


class Collation(Query):
    """One batch: received = in issues + left out with a reason + still waiting (R38)."""

    zh = "汇总梳理详情"
    path = "collations/{id}"
    allowed = READERS
    id: Id


async def one_collation(query: Collation, desk: Desk, _: Caller) -> Found:
    """The batch with its balance and the issues that were opened from it."""
    document = await _collation(query.id, desk)
    opened = await desk.find(issues, {"collations": query.id})
    return {**await _batch(document, desk), "issues": [_followed(d) for d in opened[:IDS]]}


class CollationGroups(Query):
    """The proposed issues of a batch; `after` is how many to pass over."""

    zh = "拟提问题"
    path = "collations/{id}/groups"
    allowed = READERS
    id: Id
    after: Cursor = 0
    limit: int = Field(50, ge=1, le=200)


async def collation_groups(query: CollationGroups, desk: Desk, _: Caller) -> Found:
    """One page of proposed issues, in the order they were proposed."""
    document = await _collation(query.id, desk)
    groups = [{**group, "opened": n} for n, group in enumerate(document["groups"], start=1)]
    here = groups[query.after :]
    return _page(here, here[: query.limit], query.limit)


class CollationOpinions(_Listing):
    """The opinions of a batch, each with its pieces and where they went."""

    zh = "本批意见"
    path = "collations/{id}/opinions"
    allowed = READERS
    id: Id
    waiting: bool | None = None


async def collation_opinions(query: CollationOpinions, desk: Desk, caller: Caller) -> Found:
    """One page of a batch's opinions; `waiting` narrows it to those that still are, or are not."""
    document = await _collation(query.id, desk)
    card = collations.document.model_validate(content(document))
    left = await _left(document["key"], card, desk)
    unsettled = {part.opinion for part in left}
    wanted = [o for o in card.lengths if query.waiting in {None, o in unsettled}]
    found, page = await _pages(opinions, {"key": {"$in": wanted}}, query, desk)
    reader = await _reader(caller, desk)
    items = []
    for opinion in page:
        key = opinion["key"]
        item = _short(await _readable(opinion, desk, reader))
        cuts = card.cuts.get(key, ())
        item |= {
            "cuts": cuts,
            "groups": [g.key for g in card.groups if any(p.opinion == key for p in g.parts)],
            "aside": [e.model_dump(mode="json") for e in card.aside if e.part.opinion == key],
            "left": [p.model_dump(mode="json") for p in left if p.opinion == key],
        }
        items.append(item)
    return _page(found, items, query.limit)


class Suggestions(Query):
    """Which opinions of a batch may say the same; somebody has to confirm it."""

    zh = "相近意见提示"
    path = "collations/{id}/suggestions"
    allowed = CLERKS
    id: Id
    at_least: float = Field(0.25, ge=0.1, le=1)
    waiting: bool = True
    limit: int = Field(100, ge=1, le=500)


async def suggestions(query: Suggestions, desk: Desk, _: Caller) -> Found:
    """The most alike pairs, of which one still waits unless asked otherwise, and how they cluster."""
    document = await _collation(query.id, desk)
    card = collations.document.model_validate(content(document))
    found = [d for d in await _named(card.lengths, desk) if d["standing"]]
    texts = await desk.open({d["key"]: d["verbatim_text"] for d in found}, shown=False)
    readable = {
        d["key"]: masked(text, joined(_ranges(d["masked"]), _ranges(d["erased"])))
        for d in found
        if isinstance(text := texts[d["key"]], str)
    }
    pairs = await asyncio.to_thread(alike, readable, query.at_least)
    if query.waiting:
        unsettled = {part.opinion for part in await _left(document["key"], card, desk)}
        pairs = [pair for pair in pairs if unsettled & {pair.one, pair.other}]
    most = pairs[: query.limit]
    return {
        "pairs": [{"one": p.one, "other": p.other, "likeness": round(p.likeness, 3)} for p in most],
        "clusters": clusters(most),
        "left_out": len(pairs) - len(most),
    }


async def _collation(key: str, desk: Desk) -> Document:
    document = await desk.document(collations, key)
    if document is None:
        raise NotFound
    return document


async def _batch(document: Document, desk: Desk) -> Found:
    """A batch without its long lists, but with the balance of its opinions."""
    card = collations.document.model_validate(content(document))
    excused = await _excused(document["key"], card, desk)
    left = dict.fromkeys(p.opinion for p in _waiting(card, excused))
    line = shown(document)
    for name in ("lengths", "cuts", "groups", "aside", "not_collated"):
        del line[name]
    return {
        **line,
        "received": len(card.lengths),
        "grouped": len(card.lengths) - len(excused) - len(left),
        "refused": len(excused),
        "left": len(left),
        "left_first": list(left)[:IDS],
        "group_count": len(card.groups),
    }


async def _left(key: str, card: CollationCard, desk: Desk) -> tuple[OpinionPart, ...]:
    return _waiting(card, await _excused(key, card, desk))


async def _excused(key: str, card: CollationCard, desk: Desk) -> frozenset[str]:
    """The opinions of a batch that need no issue: as of its closing, or as of now."""
    if card.state == "closed":
        return frozenset(card.not_collated)
    found = await desk.find(opinions, {"collation": key, "standing": False})
    return frozenset(d["key"] for d in found)


def _waiting(card: CollationCard, excused: frozenset[str]) -> tuple[OpinionPart, ...]:
    if card.state != "open":
        return ()
    groups: dict[str, ProposedIssue] = {group.key: group for group in card.groups}
    state = collation_domain.Open(
        card.lengths, card.collator, cuts=card.cuts, groups=groups, aside=card.aside
    )
    return waiting(state, excused)


def _ranges(stored: Iterable[Any]) -> tuple[TextRange, ...]:
    return tuple(TextRange.model_validate(r) for r in stored)


# -- Reports -------------------------------------------------------------------------------------


class Reports(_Listing):
    """The thematic reports (R37)."""

    zh = "专题报告"
    path = "reports"
    allowed = READERS | {Role.team_member}
    state: Literal["compiled", "voided"] | None = None
    solicitation: Id | None = None
    member: Id | None = None


async def all_reports(query: Reports, desk: Desk, caller: Caller) -> Found:
    """One page of reports without their lists of opinions; a member sees the team's and their own."""
    where = _where(query, "state", "solicitation")
    if query.member:
        where["member"] = {"$in": _ids(query.member, desk)}
    if not caller.roles & READERS:
        where = {"$and": [where, {"member": {"$in": [None, *_ids(caller.id, desk)]}}]}
    found, page = await _pages(reports, where, query, desk)
    items = []
    for document in page:
        item = shown(document)
        item["opinion_count"] = len(item.pop("opinions"))
        items.append(item)
    return _page(found, items, query.limit)


class Report(Query):
    """One thematic report with the id of every opinion it speaks of."""

    zh = "专题报告详情"
    path = "reports/{id}"
    allowed = READERS | {Role.team_member}
    id: Id


async def one_report(query: Report, desk: Desk, caller: Caller) -> Found:
    """The report, for those who may see it."""
    document = await desk.document(reports, query.id)
    if document is None:
        raise NotFound
    if not caller.roles & READERS and document["member"] not in {None, *_ids(caller.id, desk)}:
        raise NotFound
    return shown(document)
