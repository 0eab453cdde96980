"""Receipts over HTTP: what an originator without an account may see and do, codes only in bodies."""

import json
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, create_model
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.doors import Doors, Route, command_path, parsed, reply_of, school_of
from services.gateway.problems import problem
from shared.decider import Command, kebab, wire
from shared.marks import Id
from shared.runtime import MIN_POSITION_WAIT, Query, Service

Code = Annotated[str, Field(max_length=64, repr=False)]


class Refused(Exception):  # noqa: N818 -- an answer on its way out
    """A service's refusal, to be passed on as it is."""

    def __init__(self, error: dict[str, Any]) -> None:
        """`error` is what the service said."""
        self.error = error


def receipt_routes(doors: Doors, services: Iterable[Service]) -> list[Route]:
    """`POST …/receipts` to look, `POST …/receipts/<verb>` for each command originators may give."""
    services = list(services)
    queries = {query.view(): (s, query) for s in services for query in s.queries}
    if "receipt-token" not in queries:
        return []
    routes = [_look(doors, queries)]
    for service in services:
        for stream, command in service.commands().values():
            if "originator" in command.allowed:
                verb = command_path(stream, command).rpartition("/")[2]
                routes.append(_act(doors, queries, service, stream.decider.category, command, verb))
    return routes


type Queries = dict[str, tuple[Service, type[Query]]]


async def _exchange(
    doors: Doors, queries: Queries, request: Request, school: str, code: str
) -> dict[str, Any]:
    """A code for the opinion's id and its originator's token, by who has seen what the asker has."""
    service, query = queries["receipt-token"]
    body = json.dumps({"code": code}).encode()
    subject = f"qry.{school}.{service.name}.{query.view()}"
    seen = {n: said for n, said in doors.headers(request).items() if n != "Authorization"}
    reply = reply_of(await doors.broker.ask(subject, body, seen, within=MIN_POSITION_WAIT + 10))
    if "error" in reply:
        raise Refused(reply["error"])
    return dict(reply["found"])


def _look(doors: Doors, queries: Queries) -> Route:
    service, query = queries["receipt"]
    body = create_model("ReceiptCode", __config__=ConfigDict(extra="forbid"), code=(Code, ...))

    async def answer(request: Request) -> Response:
        asked = await _said(request, body)
        school = school_of(request)
        try:
            known = await _exchange(doors, queries, request, school, asked["code"])
        except Refused as refusal:
            return problem(refusal.error)
        return await doors.query(
            request, service.name, query, b"{}", school, f"Bearer {known['token']}"
        )

    path = "/v1/{school}/receipts"
    return Route("POST", path, "look-up-receipt", query, body, doors.guarded(path, answer))


def _act(
    doors: Doors,
    queries: Queries,
    service: Service,
    category: str,
    command: type[Command],
    verb: str,
) -> Route:
    own = wire(command)
    extra: dict[str, Any] = {"code": (Code, ...)}
    if category != "opinion":
        extra[category] = (Id, ...)
    body = create_model(f"{command.__name__}ByReceipt", __base__=own, **extra)

    async def answer(request: Request) -> Response:
        asked = await _said(request, body)
        code, target = asked.pop("code"), asked.pop(category, None)
        try:
            known = await _exchange(doors, queries, request, school_of(request), code)
        except Refused as refusal:
            return problem(refusal.error)
        return await doors.command(
            request,
            service.name,
            kebab(command.__name__),
            json.dumps(asked).encode(),
            target or known["opinion"],
            command,
            f"Bearer {known['token']}",
        )

    path = f"/v1/{{school}}/receipts/{verb}"
    return Route("POST", path, f"{verb}-by-receipt", command, body, doors.guarded(path, answer))


async def _said(request: Request, model: type[BaseModel]) -> dict[str, Any]:
    """The body as data, once it fits; what was left out stays out."""
    return (await parsed(request, model)).model_dump(mode="json", exclude_unset=True)
