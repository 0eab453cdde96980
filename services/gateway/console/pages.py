"""The pages that are read: today's list, the ledger, an issue, the rules, who is missing, the proof."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from services.gateway.console.acts import ACTS, possible
from services.gateway.console.door import Door
from services.gateway.console.life import told
from services.gateway.console.look import due, say
from services.gateway.forms import SHEET, SVG
from services.gateway.life import STAGES
from services.gateway.picture import picture
from services.gateway.receipts import Refused
from shared.runtime import now

type Item = dict[str, Any]

WALK = (
    ("open", "opened"),
    ("owned", "owned"),
    ("planned", "planned"),
    ("underway", "underway"),
    ("awaiting_verification", "awaiting"),
    ("verified", "verified"),
    ("on_notice", "notice"),
    ("struck_off", "struck"),
)
"""The stages of an issue that all goes well with, and the step each of them has reached."""
WINDS = ("formalism", "bureaucratism", "hedonism", "extravagance")
FILTERS = ("stage", "wind", "addressee", "owner", "overdue", "key_issue")
LONGEST = 64
"""Characters of the value of a filter."""


class Pages:
    """What a member of the school can look at."""

    def __init__(self, door: Door) -> None:
        """The door lets people in."""
        self.door = door

    async def today(self, request: Request) -> Response:
        """What waits for me, by deadline."""
        visit = await self.door.member(request)
        assert visit.me  # noqa: S101 -- a member is somebody
        me = visit.me
        asked = [
            (why, wanted, {**where, "limit": 200})
            for why, (command, where, wanted) in WAITING.items()
            if visit.may(command)
        ]
        summary, *found = await asyncio.gather(
            visit.find("issue-summary"),
            *(
                visit.find("issues", **{n: me["id"] if v is _ME else v for n, v in where.items()})
                for _, _, where in asked
            ),
        )
        items = [
            {"why": why, "issue": issue, "due": due(issue["due"], issue["stage"], visit.today)}
            for (why, wanted, _), lines in zip(asked, found, strict=True)
            for issue in lines["items"]
            if wanted(issue, me)
        ]
        return visit.page(
            "today.html", min(f["position"] for f in (summary, *found)), "today",
            lists=[(c, [i for i in items if i["due"].colour == c]) for c in _COLOURS],
            summary=summary,
        )  # fmt: skip

    async def ledger(self, request: Request) -> Response:
        """The board with its columns, filters and pages."""
        visit = await self.door.member(request)
        given = request.query_params
        asked = {name: given[name][:LONGEST] for name in FILTERS if given.get(name)}
        after = given.get("after", "0")
        found, summary, names, departments = await asyncio.gather(
            visit.find("issues", **asked, after=after),
            visit.find("issue-summary"),
            visit.names(),
            visit.departments(),
        )
        more = urlencode({**asked, "after": found["next"]}) if found["next"] else ""
        return visit.page(
            "ledger.html", min(found["position"], summary["position"]), "ledger",
            items=found["items"], summary=summary, names=names, departments=departments,
            asked=asked, later=after != "0",
            next_page=f"{visit.base}/ledger?{more}" if more else "",
            stages=[(s, STAGES[s]) for s in summary["by_stage"]],
            winds=[(w, say(f"wind.{w}")) for w in WINDS],
            addressees=[(a, say(f"addressee.{a}")) for a in ("team", "member")],
            people=[*names.items()],
            yes_no=[("true", say("page.yes")), ("false", say("page.no"))],
        )  # fmt: skip

    async def issue(self, request: Request) -> Response:
        """One issue: how it stands, what can be done, all that happened."""
        visit = await self.door.member(request)
        issue_id = request.path_params["id"]
        issue, biography, names, departments = await asyncio.gather(
            visit.find("issue", id=issue_id),
            visit.asking.all(visit.session, "issue-biography", id=issue_id),
            visit.names(),
            visit.departments(),
        )
        ready, later = await possible(visit, issue)
        done = request.query_params.get("done")
        return visit.page(
            "issue.html", min(issue["position"], biography["position"]), "ledger",
            issue=issue, names=names, departments=departments,
            steps=steps(issue["stage"]), possible=ready, not_yet=later,
            done=done if done in ACTS else "",
            life=told(biography, visit.school["zone"]),
        )  # fmt: skip

    async def picture(self, request: Request) -> Response:
        """The issue's life as a picture, of what this person may know."""
        visit = await self.door.member(request)
        asked = request.path_params["id"]
        biography = await visit.asking.all(visit.session, "issue-biography", id=asked)
        drawn = await asyncio.to_thread(picture, biography)
        return Response(drawn, 200, {**SHEET, "Cache-Control": "no-store"}, media_type=SVG)

    async def rules(self, request: Request) -> Response:
        """How every rule stands, what is missing first."""
        visit = await self.door.member(request)
        board = await visit.find("board")
        return visit.page(
            "rules.html", board["position"], "rules", rules=board["rules"], as_of=board["as_of"]
        )

    async def outstanding(self, request: Request) -> Response:
        """Who a rule still waits for."""
        visit = await self.door.member(request)
        rule = request.query_params.get("rule", "")[:LONGEST]
        after = request.query_params.get("after", "0")
        found, names, departments = await asyncio.gather(
            visit.find("outstanding", rule=rule, after=after), visit.names(), visit.departments()
        )
        more = urlencode({"rule": rule, "after": found["next"]}) if found["next"] else ""
        return visit.page(
            "outstanding.html", found["position"], "rules",
            rule=rule, items=found["items"], total=found["total"], as_of=found["as_of"],
            names=names, departments=departments,
            next_page=f"{visit.base}/outstanding?{more}" if more else "",
        )  # fmt: skip

    async def audit(self, request: Request) -> Response:
        """The newest checkpoint and the key it is signed with."""
        visit = await self.door.member(request)
        try:
            sealed = await visit.find("newest-checkpoint")
        except Refused as refusal:
            if refusal.error["code"] != "not-found":
                raise
            sealed = None
        position = sealed["position"] or sealed["size"] if sealed else 0
        return visit.page("audit.html", position, "audit", sealed=sealed)


_OWNERS = ("owned", "planned", "underway")
_COLOURS = ("over", "soon", "ok", "none")
_ME = object()
"""Whoever looks."""


def _apart(issue: Item, me: Item) -> bool:
    """Whether an issue is neither somebody's to put right nor about them: they may judge it."""
    return me["id"] not in {issue["owner"], issue["person"]}


def _claimable(issue: Item, me: Item) -> bool:
    return "team_member" in me["as_of"]["roles"] and issue["person"] in {None, me["id"]}


def _over(issue: Item) -> bool:
    return datetime.fromisoformat(issue["notice_until"]["at"]) <= now()


WAITING: dict[str, tuple[str, dict[str, object], Callable[[Item, Item], bool]]] = {
    "verify": (
        "verify-issue",
        {"reviewer": _ME, "stage": "awaiting_verification"},
        lambda _, __: True,
    ),
    "own": ("claim-issue", {"owner": _ME, "live": True}, lambda i, _: i["stage"] in _OWNERS),
    "answer": (
        "dismiss-objection",
        {"stage": "on_notice"},
        lambda i, me: bool(i["objection"]) and _apart(i, me),
    ),
    "extend": (
        "grant-extension",
        {"stage": "underway"},
        lambda i, me: bool(i["extension_asked"]) and _apart(i, me),
    ),
    "publish": ("publish-notice", {"stage": "verified"}, _apart),
    "strike": (
        "strike-off",
        {"stage": "on_notice"},
        lambda i, me: not i["objection"] and _over(i) and _apart(i, me),
    ),
    "claim": ("claim-issue", {"stage": "open"}, _claimable),
}
"""Why an issue may wait for somebody: who gives this command, which issues to look at, which of them."""


def steps(stage: str) -> list[tuple[str, Literal["past", "now", "later"]]]:
    """How far an issue has come on its way; one that left the way has no step that is now."""
    here = next((n for n, (name, _) in enumerate(WALK) if name == stage), -1)
    return [
        (step, "past" if n < here else "now" if n == here else "later")
        for n, (_, step) in enumerate(WALK)
    ]
