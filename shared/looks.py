"""Who read what: what is sealed for a circle is on record before it is answered.

A look is kept in `taizhang_keep.looks`: who, when, which question, which streams' texts were opened, never
the texts. Reading makes no event: it must not make a log longer that is replayed for ever.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from shared.marks import tokens
from shared.mongo import Document, Mongo

EVERYBODYS = frozenset(
    {
        *("school", "calendar", "unit", "person", "bureau", "campaign", "inspection"),
        *("solicitation", "plan", "regulation", "session", "catalogue", "reading", "tie"),
        *("meeting~title", "meeting~place"),
        *(
            f"issue~{field}"
            for field in (
                *("title", "description", "text", "deliverable", "name", "answer", "explanation"),
                *("finding", "reason", "remarks", "stage_goal", "statement"),
            )
        ),
    }
)
"""The texts that everybody of a school may see: all of a category, or one field of it.

Everything else is sealed for a circle, also what somebody adds tomorrow.
"""

LISTED = 500
"""Streams a look names at most; it counts all of them."""


def for_a_circle(token: str) -> bool:
    """Whether a sealed text is for some only."""
    _, _, scope, name, _ = token.split("~")
    category = scope.partition(".")[0]
    return EVERYBODYS.isdisjoint((category, f"{category}~{name}"))


@dataclass
class Reading:
    """What one answer opens, and whose words it is."""

    opened: set[str] = field(default_factory=set)
    """Tokens a query had opened itself, as it had to cut passages out."""
    whose: dict[str, set[str]] = field(default_factory=dict)
    """Of tokens that are for a circle whatever their field: who said them, or to whom."""

    def belongs(self, tree: Any, *people: str | None) -> None:  # noqa: ANN401 -- JSON
        """Say of texts that they are kept from others, and whose they are."""
        for token in tokens(tree):
            self.whose.setdefault(token, set()).update(filter(None, people))

    def streams(
        self,
        found: Iterable[str],
        reader: str,
        erased: Callable[[str], bool] = lambda _: False,
    ) -> dict[str, set[str]]:
        """The streams whose texts for a circle somebody reads, their own left out, with whose they are.

        `found` are the tokens of an answer; `erased` says of a scope that nothing of it can be read any more.
        """
        read: dict[str, set[str]] = {}
        for token in self.opened.union(found):
            whose = self.whose.get(token)
            if (whose is None and not for_a_circle(token)) or reader in (whose or ()):
                continue
            scope = token.split("~")[2]
            if not erased(scope):
                stream = ".".join(scope.split(".")[:2])
                read.setdefault(stream, set()).update(whose or ())
        return read


def number_of(moment: datetime) -> int:
    """The number of the first look of a moment."""
    return int(moment.timestamp() * 1_000_000)


def moment_of(number: int) -> datetime:
    """When the look of that number was taken."""
    return datetime.fromtimestamp(number / 1_000_000, UTC)


def look(
    school: str,
    by: str,
    kind: str,
    *,
    service: str = "",
    asked: Mapping[str, Any] | None = None,
    position: int = 0,
    export: str = "",
    rows: int = 0,
    streams: Mapping[str, set[str]] | None = None,
) -> Document:
    """A look as it is kept; `kind` is the question, or what else was handed out."""
    read = streams or {}
    return {
        "school": school,
        "service": service,
        "by": by,
        "query": kind,
        "asked": dict(asked or {}),
        "position": position,
        "export": export,
        "rows": rows,
        "read": len(read),
        "streams": [{"stream": s, "whose": sorted(read[s])} for s in sorted(read)[:LISTED]],
        "whose": sorted({person for people in read.values() for person in people}),
    }


@dataclass
class Looks:
    """Puts looks on record: many at once share one durable write.

    `opened` is a look's number, its microsecond or the next one that is free: no two share one.
    """

    mongo: Mongo
    _waiting: list[tuple[Document, asyncio.Future[None]]] = field(default_factory=list)
    _writing: asyncio.Task[None] | None = None
    _last: int = 0

    async def record(self, one: Document) -> None:
        """Put a look on record.

        Raises:
            Unavailable: it is not; nothing may be handed out.
        """
        written = asyncio.get_running_loop().create_future()
        self._waiting.append((one, written))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        await written

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await self._insert([one for one, _ in batch])
            except Exception as error:  # noqa: BLE001 -- handed to whoever waits
                for _, written in batch:
                    if not written.done():
                        written.set_exception(error)
                continue
            for _, written in batch:
                if not written.done():
                    written.set_result(None)

    async def _insert(self, batch: list[Document]) -> None:
        while batch:
            numbered = {str(number): (number, one) for one in batch if (number := self._number())}
            documents = [
                {**one, "_id": i, "opened": n, "at": moment_of(n).isoformat()}
                for i, (n, one) in numbered.items()
            ]
            taken = await self.mongo.keep("looks").insert_missing(documents)
            batch = [numbered[one][1] for one in taken]

    def _number(self) -> int:
        self._last = max(self._last + 1, int(time.time() * 1_000_000))
        return self._last
