"""The collation desk: opinions become proposed issues, near duplicates side by side, till it balances."""

import asyncio
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from services.gateway.console.acts import Act, Field, problems_of
from services.gateway.console.asking import Found
from services.gateway.console.door import Door, Form, Visit, one, sent_by
from services.gateway.console.look import say
from services.gateway.lettering import words
from services.gateway.life import CHANNELS
from services.gateway.problems import STATUS, answer_of
from services.gateway.receipts import Refused
from shared.decider import NotFound, Unavailable

MOST_CHOSEN = 50
"""Pieces that are put into one proposed issue at a time."""
ON_A_PAGE = 50

AT_THE_DESK: dict[str, Act] = {
    act.path: act
    for act in (
        Act(
            "group-opinions",
            "group-opinions",
            (
                Field("parts", "checks", "collate.parts"),
                Field("title", "line", "collate.name", "collate.name_help"),
                Field("winds", "checks", "ledger.wind"),
                Field("discovery", "choice", "ledger.found"),
                Field("addressee", "choice", "collate.addressee"),
                Field("person", "pick", "collate.person", "collate.person_help"),
                Field("marks", "checks", "collate.marks"),
            ),
        ),
        Act("ungroup-opinions", "ungroup-opinions"),
        Act(
            "refuse",
            "refuse-opinion",
            (Field("code", "choice", "collate.code"), Field("reason", "text", "receipt.refusal")),
        ),
        Act("close", "close-collation"),
    )
}
"""What is done at the desk; to refuse an opinion is done to the opinion."""
NO_WIND = "none"
CHOICES: dict[str, tuple[str, ...]] = {
    "winds": ("formalism", "bureaucratism", "hedonism", "extravagance", NO_WIND),
    "discovery": (
        "raised_by_public", "self_found", "peer_raised", "superior_pointed",
        "collectively_discussed",
    ),
    "addressee": ("team", "member"),
    "marks": ("key_issue", "strongly_reflected"),
    "code": (
        "out_of_scope", "unintelligible", "no_request", "said_twice", "handled_elsewhere",
        "abusive", "other",
    ),
}  # fmt: skip
_ABOUT = {"winds-unclear": "winds", "addressee-unclear": "person", "person-not-here": "person"}
"""Which field of a proposed issue a rule speaks of."""
_WORDS = {
    "winds": "wind", "discovery": "discovery", "addressee": "addressee", "marks": "mark",
    "code": "refused_as",
}  # fmt: skip


def body(act: Act, form: Form) -> dict[str, Any]:
    """What a form of the desk says, as its command has it."""
    said = act.body(form)
    if act.path == "ungroup-opinions":
        return {"key": one(form, "group")}
    if act.path != "group-opinions":
        return said
    winds, marks = said.pop("winds", []), said.pop("marks", [])
    return {
        **said,
        "key": f"p{one(form, 'key')[:12]}",
        "parts": [part(value) for value in said.get("parts", [])],
        "winds": [wind for wind in winds if wind != NO_WIND],
        "not_four_winds": NO_WIND in winds,
        **{mark: mark in marks for mark in CHOICES["marks"]},
    }


def part(value: str) -> dict[str, Any]:
    """An opinion, or a piece of it, as a form names it."""
    opinion, *span = value.split(":")
    if len(span) == len(("start", "end")) and all(s.isascii() and s.isdecimal() for s in span):
        return {"opinion": opinion, "start": int(span[0]), "end": int(span[1])}
    return {"opinion": opinion}


def named(piece: Mapping[str, Any]) -> str:
    """A piece as forms name it."""
    if piece.get("start") is None:
        return str(piece["opinion"])
    return f"{piece['opinion']}:{piece['start']}:{piece['end']}"


def said(opinion: Mapping[str, Any], piece: Mapping[str, Any]) -> str:
    """The words of a piece, as far as the reader may know them."""
    text = opinion["verbatim_text"]
    whole = piece.get("start") is None or not isinstance(text, str)
    return words(text if whole else text[piece["start"] : piece["end"]])


class Desk:
    """The pages of collating."""

    def __init__(self, door: Door) -> None:
        """The door lets people in."""
        self.door = door

    async def batches(self, request: Request) -> Response:
        """The batches with their balances, and what nobody has taken up."""
        return await self._batches(await self.door.member(request))

    async def open(self, request: Request) -> Response:
        """Take up all opinions that wait."""
        form, visit = await sent_by(self.door, request)
        if not visit.session.vouches(one(form, "form")):
            return await self._batches(visit, say("act.again_text"), 403)
        try:
            reply = await self.door.asking.do(
                visit.session, "open-collation", {}, key=one(form, "key")
            )
        except Refused as refusal:
            status = STATUS.get(refusal.error["code"], 409)
            return await self._batches(visit, refusal.error["title"]["zh"], status)
        return visit.go(f"collate/{reply['id']}", visit.session.seen(reply["position"]))

    async def _batches(self, visit: Visit, problem: str = "", status: int = 200) -> Response:
        batches, waiting = await visit.asking.at_once(
            visit.session, collations={"limit": 200}, opinions={"stage": "waiting", "limit": 50}
        )
        return visit.page(
            "collate-list.html", min(batches["position"], waiting["position"]), "collate", status,
            batches=batches["items"][::-1], channels=CHANNELS, key=secrets.token_hex(16),
            waiting=[o for o in waiting["items"] if o["state"] in {"submitted", "acknowledged"}],
            problems=[{"field": "", "words": problem}] if problem else [],
        )  # fmt: skip

    async def batch(self, request: Request) -> Response:
        """One batch: its balance, what may be the same, what waits, what is proposed."""
        visit = await self.door.member(request)
        asked, given = request.path_params["id"], request.query_params
        after, nth = given.get("after", "0"), given.get("pair", "1")
        batch, waiting, groups, pairs = await asyncio.gather(
            visit.find("collation", id=asked),
            visit.find("collation-opinions", id=asked, waiting=True, after=after, limit=ON_A_PAGE),
            visit.asking.all(visit.session, "collation-groups", id=asked),
            self._pairs(visit, asked),
        )
        number = min(int(nth), len(pairs)) if nth.isascii() and nth.isdecimal() else 1
        pair = pairs[max(number, 1) - 1] if pairs else None
        sides = (
            await asyncio.gather(*(visit.find("opinion", id=pair[n]) for n in ("one", "other")))
            if pair
            else []
        )
        done = given.get("done", "")
        return visit.page(
            "collate.html", min(f["position"] for f in (batch, waiting, groups)), "collate",
            batch=batch, groups=groups["items"], pair=pair, sides=sides, number=max(number, 1),
            pairs=len(pairs), channels=CHANNELS, done=done if done in AT_THE_DESK else "",
            waiting=[
                {"value": named(piece), "opinion": o, "text": said(o, piece)}
                for o in waiting["items"]
                for piece in o["left"]
            ],
            next_page=f"{visit.base}/collate/{asked}?after={waiting['next']}"
            if waiting["next"]
            else "",
            at_work=visit.may("group-opinions") and batch["state"] == "open",
        )  # fmt: skip

    async def _pairs(self, visit: Visit, batch: str) -> list[Found]:
        if not visit.may("group-opinions"):
            return []
        found = await visit.find("suggestions", id=batch)
        return list(found["pairs"])

    async def show(self, request: Request) -> Response:
        """The form of an act, with what was chosen on the page before."""
        visit = await self.door.member(request)
        given = request.query_params
        chosen = {name: given.getlist(name) for name in ("parts", "opinion", "group")}
        usual = {"discovery": ["raised_by_public"], "addressee": ["team"]}
        form = {**usual, **{n: v for n, v in chosen.items() if v}, "offered": chosen["parts"]}
        return await self.form(visit, request.path_params["id"], request.path_params["act"], form)

    async def take(self, request: Request) -> Response:
        """Do what a form says; on to the batch, or back to the form with the reason and every word."""
        form, visit = await sent_by(self.door, request)
        batch, path = request.path_params["id"], request.path_params["act"]
        if not visit.session.vouches(one(form, "form")):
            return await self.form(visit, batch, path, form, again=True)
        act = _act(path)
        try:
            reply = await self.door.asking.do(
                visit.session, act.command, body(act, form), key=one(form, "key"),
                target=one(form, "opinion") if path == "refuse" else batch,
            )  # fmt: skip
        except Refused as refusal:
            return await self.form(visit, batch, path, form, error=refusal.error)
        except Unavailable as trouble:
            return await self.form(visit, batch, path, form, error=answer_of(trouble))
        return visit.go(f"collate/{batch}?done={path}", visit.session.seen(reply["position"]))

    async def form(
        self,
        visit: Visit,
        batch_id: str,
        path: str,
        given: Form,
        *,
        again: bool = False,
        error: Mapping[str, Any] | None = None,
    ) -> Response:
        """The form of an act with what was `given` in it, and why it was not done if it was tried."""
        act = _act(path)
        offered = [*dict.fromkeys(given.get("offered", []))][:MOST_CHOSEN]
        wanted = [*map(part, offered)] if path == "group-opinions" else []
        if path == "refuse":
            wanted = [{"opinion": one(given, "opinion")}]
        batch, names, *opinions = await asyncio.gather(
            visit.find("collation", id=batch_id),
            visit.names(),
            *(visit.find("opinion", id=piece["opinion"]) for piece in wanted),
        )
        texts = [said(o, piece) for o, piece in zip(opinions, wanted, strict=True)]
        return visit.page(
            "collate-act.html", batch["position"], "collate",
            403 if again else STATUS.get(error["code"], 409) if error else 200,
            act=act, batch=batch, said=given, again=again, offered=offered, texts=texts,
            key=one(given, "key") or secrets.token_hex(16),
            problems=_problems(act, error) if error else [],
            options=options(names.items(), zip(offered, texts, strict=False)),
        )  # fmt: skip


def options(
    people: Iterable[tuple[str, str]], parts: Iterable[tuple[str, str]]
) -> dict[str, list[tuple[str, str]]]:
    """What can be chosen from, field by field."""
    fixed = {n: [(v, say(f"{_WORDS[n]}.{v}")) for v in all_] for n, all_ in CHOICES.items()}
    return {**fixed, "person": [*people], "parts": [*parts]}


def _problems(act: Act, error: Mapping[str, Any]) -> list[dict[str, str]]:
    about = _ABOUT.get(error["code"], "")
    return [{**p, "field": p["field"] or about} for p in problems_of(act, error)]


def _act(path: str) -> Act:
    if path not in AT_THE_DESK:
        raise NotFound
    return AT_THE_DESK[path]
