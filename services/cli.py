"""The `taizhang` command: run the product, play the demo, look after it.

Exit codes: 0 good, 1 found something wrong, 2 cannot run.
"""

import json
import logging
import sys
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from shared.broker import SCHEDULES, JetStreamRefusal
from shared.embedded import CannotRun, Embedded
from shared.mongo import Mongo
from shared.privacy import WrongKey
from shared.security import Issuer
from shared.settings import Settings

if TYPE_CHECKING:
    from services.demo.door import Note

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
parked_app = typer.Typer(no_args_is_help=True, help="What was set aside, and what to do with it.")
bench_app = typer.Typer(no_args_is_help=True, help="Speeds as ratios to raw calls in the same run.")
app.add_typer(parked_app, name="parked")
app.add_typer(bench_app, name="bench")
out = Console()

GOOD, WRONG, CANNOT = 0, 1, 2

Json = Annotated[bool, typer.Option("--json", help="Print data instead of text.")]
Data = Annotated[Path, typer.Option(help="Where an embedded stack keeps its data.")]
Http = Annotated[
    str, typer.Option(help="Address of the gateway, HOST:PORT; port 0 takes a free one.")
]
DATA = Path("data/embedded")


def logs() -> None:
    """Write logs as JSON lines to stderr."""
    import structlog

    structlog.configure(logger_factory=structlog.stdlib.LoggerFactory())
    shared: list[Any] = [
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.stdlib.add_log_level,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def run(work: Coroutine[Any, Any, int]) -> None:
    """Run something to its exit code; without the right key, or a broker that will do it, nothing runs."""
    try:
        code = uvloop.run(work)
    except (WrongKey, JetStreamRefusal) as reason:
        typer.echo(f"taizhang: {reason}", err=True)
        code = CANNOT
    raise typer.Exit(code)


def embedded(data: Path, http: str = "127.0.0.1:0") -> tuple[Embedded, Settings]:
    """Start the two servers, or say in one line why not."""
    host, _, port = http.rpartition(":")
    stack = Embedded(data.resolve())
    try:
        settings = stack.start()
    except CannotRun as reason:
        typer.echo(f"taizhang: {reason}", err=True)
        raise typer.Exit(CANNOT) from None
    return stack, settings.with_changes(http_host=host, http_port=int(port))


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
    from services.stack import operator, provisioned

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
        _tell({"changed": changed}, changed or ["nothing to change"], as_json=as_json)
        return GOOD

    run(work())


@app.command("rights")
def print_rights() -> None:
    """Print the table of who may do and see what (docs/rights.md)."""
    from services.gateway.app import Gateway
    from services.gateway.doors import rights
    from services.stack import SERVICES

    with tempfile.TemporaryDirectory() as directory:
        gateway = Gateway(Settings(issuer_file=Path(directory) / "issuer.pem"), SERVICES)
    typer.echo(rights(gateway.routes), nl=False)


@app.command()
def token(
    subject: Annotated[str, typer.Argument(help="The account's subject, [a-z0-9-].")],
    role: Annotated[
        list[str] | None, typer.Option(help="A role the issuer vouches for: operator.")
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


@app.command()
def biography(
    issue: Annotated[str, typer.Argument(help="The issue's id.")],
    school: Annotated[str, typer.Option(help="The school's token.")],
    url: Annotated[str, typer.Option(help="Where the gateway listens.")],
    bearer: Annotated[str, typer.Option(envvar="TAIZHANG_TOKEN", help="A token that may read it.")],
    as_json: Json = False,
) -> None:
    """Tell one issue's life, from the spoken word to the verdict."""
    import httpx

    told: dict[str, Any] = {"items": [], "next": 0}
    while told["next"] is not None:
        try:
            answer = httpx.get(
                f"{url}/v1/{school}/issues/{issue}/biography",
                params={"after": told["next"], "limit": 200},
                headers={"Authorization": f"Bearer {bearer}"},
            )
        except httpx.HTTPError as error:
            typer.echo(f"taizhang: {url} does not answer: {error}", err=True)
            raise typer.Exit(CANNOT) from None
        page = answer.json()
        if answer.is_error:
            typer.echo(f"taizhang: {page['title_zh']} / {page['title']} ({page['code']})", err=True)
            raise typer.Exit(WRONG)
        told = {**page, "items": [*told["items"], *page["items"]]}
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        out.print(life(told))


def life(told: dict[str, Any]) -> Table:
    """A biography as a table."""
    table = Table(title=f"问题 {told['id']}", title_justify="left")
    for heading in ("位置", "时间", "何人", "何事", "内容"):
        table.add_column(heading, overflow="fold")
    for event in told["items"]:
        words = [v for v in event["event"].values() if isinstance(v, str) and not v.isascii()]
        table.add_row(
            str(event["position"]),
            event["at"][:19].replace("T", " "),
            event["actor"][:13],
            event["type"].removesuffix(".v1"),
            (words[0] if words else "")[:60],
        )
    return table


# -- Parked ------------------------------------------------------------------------------------------


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
        lines = [f"{d['_id']}: {d['reason']}{_decided(d)}" for d in found] or ["nothing parked"]
        _tell({"parked": found}, lines, as_json=as_json)
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


# -- Bench -------------------------------------------------------------------------------------------


@bench_app.command("commands")
def bench_commands(count: int = 2_000, as_json: Json = False) -> None:
    """Commands through NATS against raw publishes: `ratio_64` and `lone_p50_ratio`."""
    from services import bench

    _print_bench(uvloop.run(bench.commands(count)), as_json=as_json)


@bench_app.command("views")
def bench_views(count: int = 20_000, as_json: Json = False) -> None:
    """Following the log into views against raw read + raw bulk write: `ratio`."""
    from services import bench

    _print_bench(uvloop.run(bench.views(count)), as_json=as_json)


def _print_bench(found: dict[str, Any], *, as_json: bool) -> None:
    _tell(found, [f"{name}: {value}" for name, value in found.items()], as_json=as_json)


def _tell(data: object, lines: list[str], *, as_json: bool) -> None:
    typer.echo(json.dumps(data, ensure_ascii=False) if as_json else "\n".join(lines))


def main() -> None:
    """Run the command; a missing server is one line, not a traceback."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a text stream it is
    app()


if __name__ == "__main__":
    main()
