"""The gateway, assembled: HTTP in front of the services, health, metrics and the OpenAPI document."""

import asyncio
import json
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette import routing
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.gateway.console.site import site
from services.gateway.doors import Doors, Route
from services.gateway.openapi import openapi
from services.gateway.problems import Malformed, MethodNotAllowed, answer_of, problem
from services.gateway.receipts import receipt_routes
from services.gateway.tables import import_routes
from services.gateway.transfers import transfer_routes
from shared import metrics
from shared.broker import Broker
from shared.decider import Event, NotFound, Unavailable
from shared.runtime import Service, failed, progress_of
from shared.schemas import schema_of
from shared.security import Issuer, Verifier
from shared.settings import Settings

log = logging.getLogger(__name__)

VERSION = "0.1.0"


@dataclass
class Gateway:
    """The HTTP door of a deployment."""

    settings: Settings
    services: tuple[Service, ...]
    others: tuple[str, ...] = ("clock",)
    broker: Broker = field(init=False)
    issuer: Issuer = field(init=False)
    app: "_App" = field(init=False)
    routes: list[Route] = field(init=False)
    port: int = 0
    _server: uvicorn.Server | None = None
    _serving: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        """Derive the routes; nothing is connected before `start`."""
        trouble = metrics.BROKER_TROUBLE.labels("gateway")

        def on_trouble(what: str) -> None:
            trouble.inc()
            log.warning("gateway: %s", what)

        self.broker = Broker(
            self.settings.nats_url, "gateway", self.settings.password("gateway"), on_trouble
        )
        self.issuer = Issuer.load(self.settings.issuer_file)
        doors = Doors(self.broker, Verifier(self.issuer))
        self.routes = [
            *import_routes(doors, self.services),
            *receipt_routes(doors, self.services),
            *transfer_routes(doors, self.services),
            *doors.of(self.services),
        ]
        self.app = _App(
            title="taizhang 台账",
            version=VERSION,
            openapi_url="/openapi.json",
            redirect_slashes=False,
        )
        for route in self.routes:
            self.app.add_route(route.path, route.answer, methods=[route.method])
        self.app.routes.extend(site(doors, self.services))
        self.app.add_route("/schemas/{name}.json", _schema)
        self.app.add_route("/healthz", _alive)
        self.app.add_route("/readyz", self._ready)
        self.app.add_route("/metrics", exposition)
        self.app.add_exception_handler(HTTPException, _no_such_door)
        self.app.add_exception_handler(500, _bug)
        self.app.document = openapi(self.routes, self.app.title, VERSION)

    async def start(self) -> None:
        """Connect and listen."""
        await self.broker.open()
        self._server, self.port, self._serving = await listen(self.app, self.settings)

    async def stop(self) -> None:
        """Answer what was asked, then leave."""
        if self._server and self._serving:
            self._server.should_exit = True
            await self._serving
        await self.broker.close()

    async def _ready(self, _: Request) -> Response:
        """Ask all services at once to do a round trip; 503 names what is wrong where."""
        names = (*(service.name for service in self.services), *self.others)
        told = await asyncio.gather(*map(self._progress, names))
        wrong: dict[str, object] = {}
        warnings: dict[str, object] = {}
        for name, progress in zip(names, told, strict=True):
            if bad := progress.get("wrong") or progress.get("error"):
                wrong[name] = bad
            if strange := progress.get("warnings"):
                warnings[name] = strange
        return readiness(wrong, warnings)

    async def _progress(self, name: str) -> dict[str, Any]:
        try:
            return await progress_of(self.broker, name)
        except Unavailable:
            return {"wrong": {"service": "no answer"}}


@dataclass
class Probe:
    """Health, readiness and metrics of a service that runs on its own."""

    settings: Settings
    ready: Callable[[], Awaitable[dict[str, str]]]
    warnings: Callable[[], dict[str, str]] = dict
    port: int = 0
    _server: uvicorn.Server | None = None
    _serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen."""
        app = FastAPI(openapi_url=None)
        app.add_route("/healthz", _alive)
        app.add_route("/readyz", self._ready)
        app.add_route("/metrics", exposition)
        self._server, self.port, self._serving = await listen(app, self.settings)

    async def stop(self) -> None:
        """Stop listening."""
        if self._server and self._serving:
            self._server.should_exit = True
            await self._serving

    async def _ready(self, _: Request) -> Response:
        return readiness(await self.ready(), self.warnings())


async def _schema(request: Request) -> Response:
    """The schema of a stored event, where its `ce-dataschema` points."""
    event = Event.known.get(request.path_params["name"])
    if event is None:
        raise HTTPException(404)
    return JSONResponse(schema_of(event), media_type="application/schema+json")


def readiness(wrong: Mapping[str, object], warnings: Mapping[str, object]) -> Response:
    """The answer of `/readyz`: 503 where something is wrong; `warnings` only where there are any."""
    body = {"ready": not wrong, "wrong": wrong, **({"warnings": warnings} if warnings else {})}
    return JSONResponse(body, 503 if wrong else 200)


class _App(FastAPI):
    """FastAPI with the OpenAPI document of derived routes."""

    document: dict[str, Any]

    def openapi(self) -> dict[str, Any]:
        """Give the document that was derived with the routes."""
        return self.document


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the process decides when to stop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


async def listen(
    app: FastAPI, settings: Settings
) -> tuple[uvicorn.Server, int, "asyncio.Task[None]"]:
    """Serve an app on the configured address (port 0 takes a free one): server, port, task."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else 40 ms a request
    listener.bind((settings.http_host, settings.http_port))
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
    server = _Server(config)
    task = asyncio.create_task(server.serve([listener]))
    while not server.started and not task.done():  # noqa: ASYNC110 -- uvicorn has no event for it
        await asyncio.sleep(0.01)
    return server, listener.getsockname()[1], task


async def exposition(_: Request) -> Response:
    """Every metric of this process, as Prometheus reads them."""
    text, media_type = await metrics.told()
    return Response(text, media_type=media_type)


async def _alive(_: Request) -> Response:
    return JSONResponse({"alive": True})


async def _no_such_door(request: Request, trouble: Exception) -> Response:
    """What the router itself says no to."""
    match getattr(trouble, "status_code", 0):
        case HTTPStatus.NOT_FOUND:
            return problem(answer_of(NotFound()))
        case HTTPStatus.METHOD_NOT_ALLOWED:
            response = problem(answer_of(MethodNotAllowed()))
            response.headers["Allow"] = ", ".join(sorted(_methods(request)))
            return response
        case _:
            return problem(answer_of(Malformed()))


def _methods(request: Request) -> set[str]:
    """What may be done at the path of a request; the router knows only its first door there."""
    doors = [door for door in request.app.routes if isinstance(door, routing.Route)]
    here = [door for door in doors if door.matches(request.scope)[0] is not routing.Match.NONE]
    return {method for door in here for method in door.methods or ()}


async def _bug(_: Request, __: Exception) -> Response:
    return problem(json.loads(failed().body)["error"])
