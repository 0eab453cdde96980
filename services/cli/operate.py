"""Run the product and look after it."""

import json
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from shared.broker import SCHEDULES
from shared.mongo import Mongo
from shared.security import Issuer
from shared.settings import Settings

if TYPE_CHECKING:
    from services.demo.door import Note

from services.cli.base import (
    CANNOT,
    DATA,
    GOOD,
    WRONG,
    Data,
    Http,
    Json,
    app,
    embedded,
    logs,
    out,
    run,
    tell,
)

parked_app = typer.Typer(no_args_is_help=True, help="What was set aside, and what to do with it.")
app.add_typer(parked_app, name="parked")


@app.command()
def up(data: Data = DATA, http: Http = "127.0.0.1:0") -> None:
    """Start the embedded stack and every service; print the addresses; run until told to stop."""
    from services.stack import running, until_told

    logs()
    stack, settings = embedded(data, http)

    async def work() -> int:
        async with running(settings) as product:
            table = Table(title="taizhang 台账", show_header=False)
            table.add_row("HTTP", product.url)
            table.add_row("接口文档 / docs", f"{product.url}/docs")
            table.add_row("指标 / metrics", f"{product.url}/metrics")
            table.add_row("就绪 / ready", f"{product.url}/readyz")
            table.add_row("NATS", settings.nats_url)
            table.add_row("MongoDB", settings.mongo_url)
            table.add_row("data", str(stack.data))
            out.print(table)
            await until_told()
        return GOOD

    try:
        run(work())
    finally:
        stack.stop()


@app.command()
def demo(
    data: Data = Path("data/demo"),
    opinions: Annotated[Path | None, typer.Option(help="A CSV of real texts to play with.")] = None,
    text_column: Annotated[str, typer.Option(help="The column that holds the texts.")] = "text",
    record: Annotated[
        Path | None, typer.Option(help="Write down every command and its answer, a line each.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Play a whole campaign through the HTTP door; exit 1 when anything is not as it must be."""
    from services.demo.cast import texts_of
    from services.demo.story import play
    from services.stack import running

    logs()
    try:
        texts = texts_of(opinions, text_column) if opinions else None
    except (OSError, ValueError) as reason:
        typer.echo(f"taizhang: {reason}", err=True)
        raise typer.Exit(CANNOT) from None
    stack, settings = embedded(data)
    told = _silent if as_json else out.print

    async def work() -> int:
        async with running(settings.with_changes(box_interval=0.5)) as product:
            with _written_down(record) as note:
                result = await play(product, opinions=texts, tell=told, note=note)
        if as_json:
            typer.echo(json.dumps(result.as_data(), ensure_ascii=False))
        return GOOD if result.good else WRONG

    try:
        run(work())
    finally:
        stack.stop()


@contextmanager
def _written_down(path: Path | None) -> Iterator["Note"]:
    """Where the demo's commands are noted: a file, or nowhere."""
    if path is None:
        yield _silent
        return
    with path.open("a", encoding="utf-8", buffering=1) as file:
        yield lambda noted: print(json.dumps(noted, ensure_ascii=False), file=file)


def _silent(_: object) -> None:
    """Say nothing: the data is printed at the end."""


@app.command()
def serve(
    service: Annotated[str, typer.Argument(help="campaign, feedback, …, clock, gateway")],
) -> None:
    """Run one service, configured by `TAIZHANG_*`; `/healthz`, `/readyz`, `/metrics` over HTTP."""
    from services.clock.app import Clock
    from services.gateway.app import Gateway, Probe
    from services.stack import NAMES, SERVICES, until_told
    from shared.runtime import Runtime

    logs()
    settings = Settings()
    known = {s.name: s for s in SERVICES}
    if service not in {*NAMES, "gateway"}:
        typer.echo(
            f"taizhang: no service {service}; there are {', '.join((*NAMES, 'gateway'))}", err=True
        )
        raise typer.Exit(CANNOT)

    async def work() -> int:
        if service == "gateway":
            gateway = Gateway(settings, SERVICES)
            await gateway.start()
            await until_told()
            await gateway.stop()
            return GOOD
        one: Clock | Runtime = (
            Clock.of(SERVICES, settings)
            if service == "clock"
            else Runtime.of(known[service], settings)
        )
        probe = Probe(settings, one.ready, one.warnings if isinstance(one, Runtime) else dict)
        await probe.start()
        await one.start()
        await until_told()
        await one.stop()
        await probe.stop()
        return GOOD

    run(work())


@app.command()
def provision(
    timers: Annotated[
        bool, typer.Option(help="Empty SCHEDULES; the clock builds it again.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring the broker into the state the product needs."""
    from services.stack import provisioned
    from shared.provision import operator

    settings = Settings()

    async def work() -> int:
        changed = await provisioned(settings)
        if timers:
            async with operator(settings) as broker:
                await broker.api(f"STREAM.PURGE.{SCHEDULES}")
            mongo = Mongo(settings.mongo_url, settings.mongo_database)
            await mongo.checkpoints().delete({"_id": "clock"})
            mongo.close()
            changed.append("SCHEDULES emptied: the clock builds it again within seconds")
        tell({"changed": changed}, changed or ["nothing to change"], as_json=as_json)
        return GOOD

    run(work())


@app.command()
def schemas(
    directory: Annotated[Path, typer.Argument(help="Where they are published: docs/schemas.")],
) -> None:
    """Publish the schemas of stored events anew; nothing, and exit 1, if one would be lost by it."""
    from services.stack import SERVICES
    from shared.schemas import lost, schemas_of

    published = {
        service.name: directory / f"{service.name}.json" for service in SERVICES if service.streams
    }
    then = {n: json.loads(p.read_text()) if p.exists() else {} for n, p in published.items()}
    now = {name: schemas_of(name) for name in published}
    complaints = [line for name in published for line in lost(then[name], now[name])]
    if complaints:
        typer.echo("\n".join(complaints), err=True)
        raise typer.Exit(WRONG)
    for name, path in published.items():
        path.write_text(json.dumps(now[name], ensure_ascii=False, indent=1) + "\n")


@app.command("rights")
def print_rights() -> None:
    """Print the table of who may do and see what (docs/rights.md)."""
    from services.gateway.app import Gateway
    from services.gateway.openapi import rights
    from services.stack import SERVICES

    with tempfile.TemporaryDirectory() as directory:
        gateway = Gateway(Settings(issuer_file=Path(directory) / "issuer.pem"), SERVICES)
    typer.echo(rights(gateway.routes), nl=False)


@app.command()
def token(
    subject: Annotated[str, typer.Argument(help="The account's subject, [a-z0-9-].")],
    role: Annotated[
        list[str] | None, typer.Option(help="A role the issuer vouches for: operator, auditor.")
    ] = None,
    school: Annotated[str, typer.Option(help="Good in this school only.")] = "",
    lifetime: Annotated[int, typer.Option(help="Seconds.")] = 8 * 3600,
    data: Annotated[
        Path | None, typer.Option(help="Where an embedded stack keeps its data.")
    ] = None,
) -> None:
    """Sign a token with the local issuer: of `--data`, else of `TAIZHANG_ISSUER_FILE`, else of `make up`."""
    settings = Settings()
    named = data is None and "issuer_file" in settings.model_fields_set
    path = settings.issuer_file if named else (data or DATA) / "issuer.pem"
    if not path.exists():  # a new key would sign tokens that nobody takes
        typer.echo(f"taizhang: no key at {path}; start the product first", err=True)
        raise typer.Exit(CANNOT)
    issuer = Issuer.load(path)
    typer.echo(issuer.token(subject, roles=frozenset(role or ()), school=school, lifetime=lifetime))


@asynccontextmanager
async def _parked() -> AsyncIterator[Any]:
    settings = Settings()
    mongo = Mongo(settings.mongo_url, settings.mongo_database)
    try:
        yield mongo.keep("parked")
    finally:
        mongo.close()


@parked_app.command("list")
def parked_list(as_json: Json = False) -> None:
    """Show what is parked, why and what was decided; exit 1 when anything was not skipped."""

    async def work() -> int:
        async with _parked() as collection:
            found = await collection.find({})
        lines = [f"{d['_id']}: {' '.join(d['reason'].split())}{_decided(d)}" for d in found]
        tell({"parked": found}, lines or ["nothing parked"], as_json=as_json)
        return WRONG if any(d.get("decision") != "skip" for d in found) else GOOD

    run(work())


def _decided(item: dict[str, Any]) -> str:
    return f" ({item['decision']})" if "decision" in item else ""


@parked_app.command("replay")
def parked_replay(item: Annotated[str, typer.Argument(help="The item's id, from `list`.")]) -> None:
    """Let the service try again, at its next start."""
    run(_settle(item, "replay", "is taken up when {service} is started again"))


@parked_app.command("skip")
def parked_skip(item: Annotated[str, typer.Argument(help="The item's id, from `list`.")]) -> None:
    """Accept that this is not applied; it stays on record as skipped."""
    run(_settle(item, "skip", "is left out by {service} and stays on record"))


async def _settle(item: str, decision: str, outcome: str) -> int:
    async with _parked() as collection:
        found = await collection.get(item)
        if found is None:
            typer.echo(f"taizhang: nothing parked as {item}", err=True)
            return WRONG
        await collection.update(item, {"decision": decision}, upsert=False)
    if found["kind"] == "box" and decision == "replay":
        outcome = "is tried with every batch of {service} anyway"
    typer.echo(f"{item} {outcome.format(service=found['service'])}")
    return GOOD
