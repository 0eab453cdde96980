"""An answer in another form than JSON: a list as a table somebody takes away, a life as a picture."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from services.gateway.picture import STYLE_HASH, picture
from services.gateway.problems import ListTooLong, invalid
from services.gateway.sheets import CSV, XLSX, Around, Item
from shared.broker import Answer
from shared.decider import Unavailable
from shared.runtime import AcrossSchools, Query

TABLES = (CSV, XLSX)
"""What an import takes, and a list is had as."""
SVG = "image/svg+xml"
PICTURED = {"issue-biography": picture}
"""What may be had as a picture as well, by the query's name, and who draws it."""
SHEET = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept, Authorization",
}
"""A picture opened by itself runs nothing and fetches nothing."""
_MOST = 5_000
"""A picture is made of no more than about so many events."""
ALTERNATIVES = {"csv": CSV, "xlsx": XLSX, "svg": SVG}
"""The media types of what an answer may be had as instead of JSON, by `format`."""
MOST_ROWS = 10_000
"""Rows of a list that is taken away as a table."""
_MOST_BYTES = 64 * 1024 * 1024  # of the pages of such a list
_PASSES = 5  # over a list that changes while it is read


async def whole(page: Callable[[int], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """The pages of a list in one reply, or the refusal of one of them; `next` stays if there are too many.

    `page` asks for the one behind a place. What it gives beside its items is the last page's, but people
    are named on the page they stand in.
    """
    items: list[Any] = []
    names: dict[str, Any] = {}
    after: int | None = 0
    reply: dict[str, Any] = {}
    while after is not None and len(items) < _MOST:
        reply = await page(after)
        if "error" in reply:
            return reply
        found = reply["found"]
        items += found["items"]
        names |= found["names"]
        after = found["next"]
    return {**reply, "found": {**reply["found"], "items": items, "names": names}}


@dataclass
class Listed:
    """A list as it was at one position, page by page as answered, and the fields its items have."""

    pages: list[bytes] = field(default_factory=list)
    fields: dict[str, None] = field(default_factory=dict)
    position: int = 0
    error: dict[str, Any] | None = None

    def items(self, zone: str) -> Iterator[tuple[Item, Around]]:
        """The items, each with what people and units on its page are called."""
        for page in self.pages:
            found = json.loads(page)["found"]
            around = Around(found.get("names", {}), zone)
            yield from ((item, around) for item in found["items"])


async def held_still(page: Callable[[int], Awaitable[Answer]], start: int = 0) -> Listed:
    """All pages of a list as they were at one position, or the refusal of one of them.

    `page` asks for the one behind a place. Pages of several positions are asked for again: what two
    passes found alike is what there was between them, whatever else was recorded meanwhile.

    Raises:
        ListTooLong: there are more than `MOST_ROWS` rows.
        Unavailable: it changed in every pass.
    """
    before = b""
    for _ in range(_PASSES):
        listed, content, positions, rows, size = Listed(), hashlib.sha256(), set[int](), 0, 0
        after: int | None = start
        while after is not None:
            answer = await page(after)
            reply = json.loads(answer.body)
            if "error" in reply:
                return Listed(error=reply["error"])
            found = reply["found"]
            rows, size = rows + len(found["items"]), size + len(answer.body)
            if rows > MOST_ROWS or size > _MOST_BYTES:
                raise ListTooLong
            content.update(json.dumps([found["items"], found.get("names")]).encode())
            listed.pages.append(answer.body)
            listed.fields.update(dict.fromkeys(name for item in found["items"] for name in item))
            listed.position = listed.position or reply["position"]
            positions.add(reply["position"])
            after = found["next"]
        if len(positions) == 1 or content.digest() == before:
            return listed
        before = content.digest()
    raise Unavailable("a list that keeps changing")


def forms_of(query: type[Query]) -> tuple[str, ...]:
    """What an answer may be had as instead of JSON: lists by pages as tables, some things as a picture."""
    pages = query.method == "GET" and {"after", "limit"} <= query.model_fields.keys()
    tables = ("csv", "xlsx") if pages and not issubclass(query, AcrossSchools) else ()
    return (*tables, *(("svg",) if query.view() in PICTURED else ()))


def form_of(request: Request, forms: tuple[str, ...]) -> str | None:
    """Which of some forms an answer is asked for in: by `format`, else by the `Accept` header, else none."""
    if not forms:
        return None
    form = request.query_params.get("format")
    if form is None:
        accept = request.headers.get("accept", "").lower().split(",")
        kinds = {kind.partition(";")[0].strip() for kind in accept}
        if "application/json" in kinds:
            return None
        return next((one for one in forms if ALTERNATIVES[one] in kinds), None)
    if form not in {"json", *forms}:
        raise invalid("format", "literal_error")
    return None if form == "json" else form
