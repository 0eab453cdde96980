"""Transfer in bulk: when somebody leaves, every issue they own goes to somebody else, one command each."""

import json
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from services.gateway.doors import Doors, Route, parsed, reply_of, school_of, token
from services.gateway.problems import problem
from services.gateway.receipts import Refused
from services.gateway.tables import Asking, all_answered, answer_by_row, outcome_of
from shared.decider import wire
from shared.runtime import Service

PAGE = 200
"""Issues asked for at a time."""

_UNFINISHED: tuple[dict[str, object], ...] = ({"live": True}, {"stage": "long_term"})


def transfer_routes(doors: Doors, services: Iterable[Service]) -> list[Route]:
    """`POST /v1/{school}/people/{id}/transfer-issues` where there are people and issues."""
    services = list(services)
    commands = {n: (s.name, c) for s in services for n, (_, c) in s.commands().items()}
    queries = {query.view(): service.name for service in services for query in service.queries}
    if "transfer-issue" not in commands or not {"person", "issues"} <= queries.keys():
        return []
    owning, command = commands["transfer-issue"]
    path = "/v1/{school}/people/{id}/transfer-issues"

    async def answer(request: Request) -> Response:
        doors.admit(request, command.allowed)
        asked = await parsed(request, wire(command))
        claims = doors.verifier.claims(request.headers.get("authorization"))
        key = request.headers.get("idempotency-key")
        school = school_of(request)
        bulk = _Bulk(
            doors,
            doors.headers(request),
            school,
            queries,
            f"cmd.{school}.{owning}.transfer-issue",
            asked.model_dump_json(exclude_unset=True).encode(),
            f"transfer/{school}/{claims.subject}/{key or secrets.token_hex()}",
        )
        try:
            await bulk.found("person", {"id": token(request.path_params["id"], "id")})
            rows = await bulk.carried_out(request.path_params["id"], repeatable=key is not None)
        except Refused as refusal:
            return problem(refusal.error)
        return answer_by_row(rows, bulk.headers)

    endpoint = doors.guarded(path, answer)
    return [Route("POST", path, "transfer-issues", command, wire(command), endpoint)]


@dataclass(frozen=True)
class _Bulk:
    """One request: who asks, what is asked, and what the ids of its commands are made of."""

    doors: Doors
    headers: Mapping[str, str]
    school: str
    queries: Mapping[str, str]
    subject: str
    body: bytes
    key: str

    async def found(self, view: str, asked: Mapping[str, object]) -> dict[str, Any]:
        """What a query finds; a refusal is the answer to the whole request."""
        subject = f"qry.{self.school}.{self.queries[view]}.{view}"
        body = json.dumps(asked).encode()
        reply = reply_of(await self.doors.broker.ask(subject, body, dict(self.headers), within=15))
        if "error" in reply:
            raise Refused(reply["error"])
        return dict(reply["found"])

    async def _owned(self, person: str) -> AsyncIterator[tuple[int, str]]:
        """Every unfinished issue of somebody, with its place in the ledger."""
        for where in _UNFINISHED:
            after: int | None = 0
            while after is not None:
                asked = {**where, "owner": person, "after": after, "limit": PAGE}
                page = await self.found("issues", asked)
                for issue in page["items"]:
                    yield issue["opened"], issue["id"]
                after = page["next"]

    async def carried_out(self, person: str, *, repeatable: bool) -> list[dict[str, Any]]:
        """Transfer everything a person owns; give what became of each issue.

        A repetition tells of those again that it has transferred before: they are the new owner's
        now, and a dry run of the same command on them says that it is recorded.
        """
        before = {issue: place async for place, issue in self._owned(person)}
        after: dict[str, int] = {}
        if repeatable:
            to = str(json.loads(self.body)["to"])
            after = {i: place async for place, i in self._owned(to) if i not in before}

        def transfer(issue: str, **more: str) -> Asking:
            identity: UUID = self.doors.verifier.issuer.keyed(f"{self.key}/{issue}")
            asked = {"Taizhang-Stream": issue, "Taizhang-Command-Id": str(identity), **more}
            headers = {**self.headers, **asked}
            return partial(self.doors.broker.ask, self.subject, self.body, headers, within=30)

        work = {issue: transfer(issue) for issue in before}
        work |= {issue: transfer(issue, **{"Taizhang-Dry-Run": "1"}) for issue in after}
        answers = zip(work, await all_answered(work.values()), strict=True)
        done = [{"id": issue, **outcome_of(answered)} for issue, answered in answers]
        told = [o for o in done if o["id"] in before or o.get("repeated")]
        told.sort(key=lambda outcome: {**before, **after}[outcome["id"]])
        return [{"row": n, **outcome} for n, outcome in enumerate(told, start=1)]
