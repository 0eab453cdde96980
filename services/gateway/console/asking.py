"""How a page asks: the same questions and commands as over HTTP, by the same way to the services."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.gateway.console.session import Session
from services.gateway.doors import Doors, command_id, reply_of, token
from services.gateway.receipts import Refused
from shared.runtime import MIN_POSITION_WAIT, Service

type Found = dict[str, Any]


@dataclass(frozen=True)
class Asking:
    """Asks the services for somebody."""

    doors: Doors
    queries: Mapping[str, str]
    commands: Mapping[str, str]
    allowed: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, doors: Doors, services: Iterable[Service]) -> "Asking":
        """Knowing which service answers what."""
        services = list(services)
        queries = {query.view(): s.name for s in services for query in s.queries}
        commands = {name: s.name for s in services for name in s.commands()}
        allowed = {n: c.allowed for s in services for n, (_, c) in s.commands().items()}
        return cls(doors, queries, commands, allowed)

    async def find(self, session: Session, view: str, **asked: object) -> Found:
        """What a query finds, with the `position` it is true at.

        Raises:
            Refused: the service said no, in its words.
        """
        subject = f"qry.{session.school}.{self.queries[view]}.{view}"
        reply = await self._ask(subject, asked, self._headers(session))
        found: Found = reply["found"]
        return {**found, "position": reply.get("position") or found.get("position") or 0}

    async def all(self, session: Session, view: str, **asked: object) -> Found:
        """What a query finds on all its pages, at the position of the first."""
        found = await self.find(session, view, **asked, limit=200)
        after = found["next"]
        while after is not None:
            more = await self.find(session, view, **asked, limit=200, after=after)
            found["items"] += more["items"]
            found.get("names", {}).update(more.get("names", {}))
            after = more["next"]
        return found

    async def at_once(self, session: Session, **asked: dict[str, Any]) -> list[Found]:
        """Several questions at the same time: view → its fields, `_` for `-`."""
        views = ((view.replace("_", "-"), fields) for view, fields in asked.items())
        return [*await asyncio.gather(*(self.find(session, v, **f) for v, f in views))]

    async def do(
        self,
        session: Session,
        command: str,
        said: Mapping[str, object],
        *,
        key: str,
        target: str | None = None,
        version: str | None = None,
        rehearse: bool = False,
    ) -> Found:
        """Give a command, or only rehearse it; the reply.

        Raises:
            Refused: the service said no, in its words.
        """
        claims = self.doors.verifier.claims(session.authorization)
        headers = {**self._headers(session), "Taizhang-Command-Id": str(command_id(key, claims))}
        if target is not None:
            headers["Taizhang-Stream"] = token(target, "id")
        if version:
            headers["Taizhang-Expected-Version"] = version
        if rehearse:
            headers["Taizhang-Dry-Run"] = "1"
        subject = f"cmd.{session.school}.{self.commands[command]}.{command}"
        return await self._ask(subject, said, headers)

    def _headers(self, session: Session) -> dict[str, str]:
        headers = {"Taizhang-Min-Position": str(session.position)}
        if session.authorization:
            headers["Authorization"] = session.authorization
        return headers

    async def _ask(
        self, subject: str, said: Mapping[str, object], headers: dict[str, str]
    ) -> Found:
        body = json.dumps(said, ensure_ascii=False).encode()
        answer = await self.doors.broker.ask(subject, body, headers, within=MIN_POSITION_WAIT + 10)
        reply = reply_of(answer)
        if "error" in reply:
            raise Refused(reply["error"])
        return reply
