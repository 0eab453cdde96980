"""The HTTP door as people meet it: they knock with a token, and remember what they were told last."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

AT_ONCE = 16  # requests on their way at the same time
TRIES = 25  # while the answer is "not now, repeat"
PAUSE = 0.2  # seconds between two tries
PAGE = 200

type Note = Callable[[Mapping[str, object]], None]
"""Takes down a command before it is sent, and under the same `key` what came of it."""
type Work[T] = Callable[["Line"], Coroutine[Any, Any, T]]


class Unexpected(Exception):  # noqa: N818 -- what happened, as the story sees it
    """The product did not do what the story needs."""


@dataclass(frozen=True)
class Refusal:
    """Something tried on purpose that must not work: by which rule, and what came of it."""

    rule: str
    what: str
    expected: str
    got: str
    status: int

    @property
    def good(self) -> bool:
        """Whether it was refused, and for the right reason."""
        return self.got == self.expected


@dataclass
class Door:
    """The door of one school."""

    client: httpx.AsyncClient
    school: str
    tokens: Mapping[str, str]
    note: Note = lambda _: None
    requests: int = 0
    commands: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))


@dataclass
class Line:
    """A line of requests of which each has seen what the one before was told: the last log position.

    A command to a stream that knows all it needs itself is told `aware=False`: it need not wait until
    the views have come that far, only for what was known when the line began.
    """

    door: Door
    position: int = 0
    known: int = 0

    async def ask(
        self,
        who: str | None,
        method: str,
        path: str,
        *,
        aware: bool = True,
        headers: Mapping[str, str] | None = None,
        **more: object,
    ) -> httpx.Response:
        """Knock as somebody (nobody, if none); patient while the answer is to repeat."""
        sent = {"Taizhang-Min-Position": str(self.position if aware else self.known)}
        if who:
            sent["Authorization"] = f"Bearer {self.door.tokens[who]}"
        if method == "POST":
            sent["Idempotency-Key"] = secrets.token_urlsafe(18)
        sent |= headers or {}
        noted = {"key": sent.get("Idempotency-Key"), "school": self.door.school}
        if "json" in more:
            self.door.note({**noted, "who": who, "path": path, "body": more["json"]})
        url = f"/v1/{self.door.school}/{path}"
        answer = await self._patiently(method, url, headers=sent, **more)
        if "json" in more:
            self.door.note({**noted, "status": answer.status_code, "told": answer.json()})
        if method == "POST" and answer.is_success:
            self.door.commands += 1
            self.position = max(self.position, int(answer.headers.get("Taizhang-Position", 0)))
        return answer

    async def _patiently(self, method: str, url: str, **more: object) -> httpx.Response:
        """Send it until there is an answer; the idempotency key makes repeating safe.

        Raises:
            Unexpected: there never is one.
        """
        trouble = ""
        for _ in range(TRIES):
            try:
                async with self.door.turns:
                    self.door.requests += 1
                    answer = await self.door.client.request(method, url, **more)  # type: ignore[arg-type]  # httpx's own
            except httpx.TransportError as error:  # an idle connection the server was closing
                trouble = f"{method} {url}: {type(error).__name__}"
            else:
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    return answer
                trouble = f"{method} {url}: {answer.text[:300]}"
            await asyncio.sleep(PAUSE)
        raise Unexpected(trouble)

    async def do(
        self, who: str | None, path: str, body: object = None, *, aware: bool = True
    ) -> dict[str, Any]:
        """Have something done.

        Raises:
            Unexpected: it was refused.
        """
        answer = await self.ask(who, "POST", path, aware=aware, json=body or {})
        return _told(answer, who, path)

    async def see(self, who: str | None, path: str, **asked: object) -> dict[str, Any]:
        """Look at something.

        Raises:
            Unexpected: it was refused.
        """
        answer = await self.ask(who, "GET", path, params=asked)
        return _told(answer, who, path)

    async def all(self, who: str, path: str, **asked: object) -> AsyncIterator[dict[str, Any]]:
        """Every item of a list, page by page."""
        after: int | None = 0
        while after is not None:
            page = await self.see(who, path, **asked, after=after, limit=PAGE)
            for item in page["items"]:
                yield item
            after = page["next"]

    async def refused(
        self,
        rule: str,
        what: str,
        expected: str,
        who: str | None,
        path: str,
        body: object = None,
        *,
        method: str = "POST",
        **more: Any,  # noqa: ANN401 -- what httpx takes
    ) -> None:
        """Try what must not work, and note what came of it."""
        sent = more if method == "GET" or "content" in more else {"json": body or {}, **more}
        answer = await self.ask(who, method, path, **sent)
        got = "accepted" if answer.is_success else str(answer.json().get("code", "?"))
        self.door.refusals.append(Refusal(rule, what, expected, got, answer.status_code))

    def apart(self) -> "Line":
        """A line of its own that begins with what this one knows."""
        return Line(self.door, self.position, self.position)


async def side_by_side[T](line: Line, work: Iterable[Work[T]]) -> list[T]:
    """Do at the same time what does not depend on each other; afterwards the line knows it all."""
    each = [(one, line.apart()) for one in work]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(own)) for one, own in each]
    line.position = max([line.position, *(own.position for _, own in each)])
    return [task.result() for task in tasks]


def _told(answer: httpx.Response, who: str | None, path: str) -> dict[str, Any]:
    if not answer.is_success:
        msg = f"{who or 'anonymous'} {path}: {answer.status_code} {answer.text[:300]}"
        raise Unexpected(msg)
    told: dict[str, Any] = answer.json()
    return told
