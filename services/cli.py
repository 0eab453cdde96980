"""The `taizhang` command: run the product, play the demo, look after it.

Exit codes: 0 good, 1 found something wrong, 2 cannot run.
"""

import asyncio
import json
import logging
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from shared.broker import ANSWER_WITHIN, SCHEDULES, JetStreamRefusal
from shared.decider import Unavailable
from shared.embedded import CannotRun, Embedded
from shared.journal import LogDamaged
from shared.mongo import Mongo
from shared.privacy import Rotation, WrongKey
from shared.security import Issuer
from shared.settings import Settings

if TYPE_CHECKING:
    import httpx

    from services.audit.verify import Report
    from services.demo.door import Note

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
parked_app = typer.Typer(no_args_is_help=True, help="What was set aside, and what to do with it.")
keys_app = typer.Typer(help="The keys everything is sealed and signed with.")
bench_app = typer.Typer(no_args_is_help=True, help="Speeds as ratios to raw calls in the same run.")
app.add_typer(parked_app, name="parked")
app.add_typer(keys_app, name="keys")
app.add_typer(bench_app, name="bench")
out = Console(markup=False, emoji=False)  # what people wrote is shown as they wrote it

GOOD, WRONG, CANNOT = 0, 1, 2

Json = Annotated[bool, typer.Option("--json", help="Print data instead of text.")]
Data = Annotated[Path, typer.Option(help="Where an embedded stack keeps its data.")]
Http = Annotated[
    str, typer.Option(help="Address of the gateway, HOST:PORT; port 0 takes a free one.")
]
DATA = Path("data/embedded")
INSTANT = ["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z"]


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
    """Run something to its exit code, or say in one line what keeps it from running: key, log, database."""
    try:
        code = uvloop.run(work)
    except (WrongKey, JetStreamRefusal, LogDamaged) as reason:
        _end(str(reason), CANNOT)
    except Unavailable as away:
        _end(f"the {away} does not answer", CANNOT)
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


@app.command()
def replay(
    view: Annotated[str, typer.Option(help="Only this one, SERVICE.VIEW.")] = "",
    as_json: Json = False,
) -> None:
    """Fold every view afresh beside the live ones and compare them; exit 1 on any difference.

    An interrupted replay goes on where it was.
    """
    from rich.progress import Progress

    from services.stack import SERVICES, operator
    from shared.replay import UnknownView, compare

    settings = Settings()

    async def work() -> int:
        mongo = Mongo(settings.mongo_url, settings.mongo_database)
        console = Console(stderr=True)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            bar = progress.add_task("重放 / replay", total=None)
            async with operator(settings) as broker:
                told = await compare(
                    broker,
                    mongo,
                    SERVICES,
                    only=view,
                    tell=lambda done, all_: progress.update(bar, completed=done, total=all_),
                )
        mongo.close()
        lines = [*told.broken, *told.differences]
        lines += [f"{told.events} events, {told.documents} documents, {len(lines)} differences"]
        _tell(told.as_data(), lines, as_json=as_json)
        return GOOD if told.good else WRONG

    try:
        run(work())
    except UnknownView:
        typer.echo(f"taizhang: there is no view {view}", err=True)
        raise typer.Exit(CANNOT) from None


@app.command("as-of")
def print_as_of(
    view: Annotated[str, typer.Argument(help="SERVICE.VIEW, as rectification.issues.")],
    school: str,
    key: Annotated[str, typer.Argument(help="The document's id; a ledger's is `school`.")],
    position: Annotated[int | None, typer.Option(help="A log position.")] = None,
    at: Annotated[
        datetime | None, typer.Option(help="An instant, with its zone.", formats=INSTANT)
    ] = None,
) -> None:
    """Print a document of a view as it stood then, what is sealed still sealed; exit 1 if there was none."""
    from services.stack import SERVICES, operator
    from shared.replay import UnknownView, as_of
    from shared.views import NEVER

    if (position is None) == (at is None):
        typer.echo("taizhang: say either --position or --at", err=True)
        raise typer.Exit(CANNOT)
    settings = Settings()

    async def work() -> int:
        async with operator(settings) as broker:
            until = NEVER if position is None else position
            found = await as_of(broker, SERVICES, view, school, key, position=until, moment=at)
        if found is None:
            typer.echo(f"taizhang: {view} had no {key} then", err=True)
            return WRONG
        typer.echo(json.dumps(found, ensure_ascii=False, default=str))
        return GOOD

    try:
        run(work())
    except UnknownView:
        typer.echo(f"taizhang: there is no view {view}", err=True)
        raise typer.Exit(CANNOT) from None


@app.command()
def rebuild(
    drop: Annotated[
        bool, typer.Option(help="Remove the collections of older code instead; it must not run.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Build views of new versions while the old code goes on: the new code starts with them at hand."""
    from services.stack import SERVICES, operator
    from shared.replay import build_ahead, drop_old

    settings = Settings()

    async def work() -> int:
        mongo = Mongo(settings.mongo_url, settings.mongo_database)
        if drop:
            names = await drop_old(mongo, SERVICES)
        else:
            async with operator(settings) as broker:
                names = await build_ahead(broker, mongo, SERVICES)
        mongo.close()
        _tell({"dropped" if drop else "built": names}, names or ["nothing to do"], as_json=as_json)
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


# -- What was recorded is what happened --------------------------------------------------------------

Files = Annotated[
    Path | None,
    typer.Option(
        "--data", help="Where a stopped embedded stack keeps its data; else `TAIZHANG_*`."
    ),
]


@keys_app.callback(invoke_without_command=True)
def keys(context: typer.Context, as_json: Json = False) -> None:
    """Make the key that signs checkpoints where there is none; print the public keys, never the other."""
    if context.invoked_subcommand:
        return
    from services.audit.keys import NoKey, public_file, public_keys, signing_key
    from services.audit.shelf import Shelf

    settings = Settings()
    try:
        unsigned = not Shelf(settings.audit_directory).names()
        signing_key(settings.audit_key_file, settings.audit_origin, may_be_new=unsigned)
        public = [str(key) for key in public_keys(public_file(settings.audit_key_file))]
    except (NoKey, OSError) as reason:
        _end(str(reason), CANNOT)
    _tell({"keys": public}, public, as_json=as_json)


@app.command()
def verify(data: Files = None, as_json: Json = False) -> None:
    """Check the whole log against itself and every signed checkpoint; exit 1 on any finding."""
    if data and not data.is_dir():
        _end(f"there is nothing at {data}", CANNOT)
    stack = Embedded(data.resolve()) if data else None

    async def work() -> int:
        report = await _checked(settings, silent=as_json)
        _show(report.as_data(), findings, as_json=as_json)
        return GOOD if report.good else WRONG

    try:
        settings = stack.start(mongo=False) if stack else Settings()
        run(work())
    except CannotRun as reason:
        _end(str(reason), CANNOT)
    except TimeoutError:
        _end("the log does not answer", CANNOT)
    finally:
        if stack:
            stack.stop()


async def _checked(settings: Settings, *, silent: bool) -> "Report":
    """The report on the log of these settings; without public keys no signature counts."""
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    from services.audit.keys import NoKey, public_file, public_keys
    from services.audit.shelf import Shelf
    from services.audit.verify import verify as check
    from services.stack import operator

    public, unknown = [], ""
    try:
        public = public_keys(public_file(settings.audit_key_file))
    except NoKey as reason:
        unknown = str(reason)
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True, disable=silent)
    with bar:
        task = bar.add_task("核查 verify", total=None)
        async with AsyncExitStack() as opened:
            async with asyncio.timeout(ANSWER_WITHIN):
                broker = await opened.enter_async_context(operator(settings))
            report = await check(
                broker,
                Shelf(settings.audit_directory),
                public,
                replicas=settings.replicas,
                tell=lambda done, last: bar.update(task, completed=done, total=last),
            )
    if unknown:
        report.find("signature", 0, "", unknown)
    return report


def findings(told: dict[str, Any]) -> Table:
    """A report on the log as a table, a finding a row."""
    sums = f"{told['events']} 个事件 {told['streams']} 条流 {told['checkpoints']} 个签名检查点"
    signed = f"已签名至位置 {told['sealed']} 根 {told['root'] or '-'}"
    table = _table(f"核查 {sums} {signed}", "检查", "位置", "流", "发现")
    for found in told["findings"]:
        where = str(found["position"] or "")
        table.add_row(found["check"], where, found["stream"], found["detail"])
    table.caption = "\n".join(f"{check}: {n}" for check, n in told["counts"].items()) or "无异常"
    return table


# -- Asking the gateway ------------------------------------------------------------------------------

Url = Annotated[str, typer.Option(help="Where the gateway listens.")]
SchoolToken = Annotated[str, typer.Option(help="The school's token.")]
Bearer = Annotated[str, typer.Option(envvar="TAIZHANG_TOKEN", help="A token that may read it.")]
AsOf = Annotated[str | None, typer.Option(help="At the end of this day, YYYY-MM-DD; else today.")]
PAGE = 100
"""Items a page; no query takes fewer."""


@dataclass(frozen=True)
class Door:
    """The gateway as one caller of one school asks it; `refused` is the exit code when it says no."""

    client: "httpx.Client"
    refused: int = CANNOT

    def get(self, path: str, **asked: str | int | None) -> dict[str, Any]:
        """What is to be seen there, or one line why not and the end."""
        import httpx

        sent = {name: value for name, value in asked.items() if value is not None}
        try:
            answer = self.client.get(path, params=sent)
        except httpx.HTTPError as error:
            _end(f"{self.client.base_url.copy_with(path='')} does not answer: {error}", CANNOT)
        try:
            page = answer.json()
        except ValueError:
            page = None
        said = {"code", "title", "title_zh"} if answer.is_error else set[str]()
        if not isinstance(page, dict) or not said <= page.keys():
            _end(f"{answer.url} is no door of taizhang ({answer.status_code})", CANNOT)
        if answer.is_error:
            wrong = ", ".join(field["field"] for field in page.get("fields", ()))
            why = f": {wrong}" if wrong else ""
            _end(f"{page['title_zh']} / {page['title']} ({page['code']}{why})", self.refused)
        return page

    def all(self, path: str, **asked: str | int | None) -> dict[str, Any]:
        """The same to the last page, with the items of all of them."""
        items: list[dict[str, Any]] = []
        after: int | None = 0
        while after is not None:
            page = self.get(path, after=after, limit=PAGE, **asked)
            items += page["items"]
            after = page["next"]
        return {**page, "items": items}

    def names(self) -> dict[str, str]:
        """What people and units are called and issues are about, by id, as far as the caller may know."""
        return {
            item["id"]: str(item[called])
            for path, called in (("people", "name"), ("units", "name"), ("issues", "title"))
            for item in self.all(path)["items"]
            if isinstance(item[called], str)
        }


def _end(why: str, code: int) -> NoReturn:
    """Say in one line why it ends here."""
    typer.echo(f"taizhang: {' '.join(why.split())}", err=True)
    raise typer.Exit(code)


@contextmanager
def gateway(url: str, school: str, bearer: str, *, refused: int = CANNOT) -> Iterator[Door]:
    """The door at an address; a board of a whole year may take its time at first."""
    import httpx

    try:
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        client = httpx.Client(base_url=f"{url}/v1/{school}", headers=headers, timeout=60)
    except (httpx.InvalidURL, UnicodeEncodeError):
        _end("no such address, school or token", CANNOT)
    with client:
        yield Door(client, refused)


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _put(table: Table) -> None:
    """Print a table below its title, which is a line of its own however narrow the table is."""
    title, table.title = table.title, None
    out.print(title, soft_wrap=True)
    out.print(table)


@app.command()
def proof(
    position: Annotated[int, typer.Argument(help="A position of the log.")],
    school: SchoolToken,
    url: Url,
    bearer: Bearer = "",
    kept: Annotated[
        Path | None, typer.Option(help="A checkpoint kept from before: is the log still its heir?")
    ] = None,
    public: Annotated[
        Path | None,
        typer.Option("--keys", help="Public keys; else beside `TAIZHANG_AUDIT_KEY_FILE`."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask for the proof that a position is in the signed log, and check it here; exit 1 if it is none."""
    from services.audit.keys import NoKey, public_file, public_keys
    from services.audit.proof import heir, included
    from shared.note import BadSignature, NotANote

    try:
        known = public_keys(public or public_file(Settings().audit_key_file))
        before = kept.read_bytes() if kept else None
    except (NoKey, OSError) as reason:
        _end(str(reason), CANNOT)
    told: dict[str, Any] = {}
    try:
        with gateway(url, school, bearer, refused=WRONG) as door:
            told["inclusion"] = door.get("audit/inclusion", position=position)
            sealed = included(told["inclusion"], position, known)
            if before:
                old, check = heir(before, sealed, known)
                if 0 < old <= sealed.size:
                    told["consistency"] = door.get("audit/consistency", old=old, size=sealed.size)
                check(told.get("consistency"))
    except (BadSignature, NotANote) as reason:
        _end(str(reason), WRONG)
    proved = [f"位置 {position} 在已签名的日志中(共 {sealed.size});根 {sealed.root.hex()}"]
    proved += [f"日志是 {kept} 的延续"] if kept else []
    _tell(told, proved, as_json=as_json)


@app.command()
def biography(
    issue: Annotated[str, typer.Argument(help="The issue's id.")],
    school: SchoolToken,
    url: Url,
    bearer: Bearer,
    as_json: Json = False,
) -> None:
    """Tell one issue's life, from the spoken word to the verdict."""
    with gateway(url, school, bearer, refused=WRONG) as door:
        told = door.all(f"issues/{issue}/biography")
    _show(told, life, as_json=as_json)


def _show(told: dict[str, Any], table: Callable[[dict[str, Any]], Table], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        _put(table(told))


def life(told: dict[str, Any]) -> Table:
    """A biography as a table; below it where the issue was raised and the lines of plans it stands in."""
    table = _table(f"问题 {told['id']}", "位置", "时间", "何人", "何事", "内容")
    for event in told["items"]:
        said = {**event["event"], **event["event"].get("line", {})}
        words = [v for v in said.values() if isinstance(v, str) and not v.isascii()]
        table.add_row(
            str(event["position"]),
            event["at"][:19].replace("T", " "),
            event["actor"][:13],
            event["type"].removesuffix(".v1"),
            (words[0] if words else "")[:60],
        )
    raised = [f"出自 {source['kind']} {source['id']}" for source in told["sources"]]
    planned = [f"方案 {line['plan']} {line['due_on']} {line['task']}" for line in told["lines"]]
    table.caption = "\n".join(raised + planned)
    return table


@app.command()
def rules(
    school: SchoolToken,
    url: Url,
    bearer: Bearer,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Show the board: every rule of the plan, how much of what it asks for is done, at which position."""
    with gateway(url, school, bearer) as door:
        told = door.get("board", as_of=as_of)
    _show(told, board, as_json=as_json)


def board(told: dict[str, Any]) -> Table:
    """The board as a table; a rule that nobody can compute has no figures."""
    title = f"规则总览 截至 {told['as_of']} 位置 {told['position']}"
    table = _table(title, "规则", "类别", "原文", "完成/应完成", "豁免", "疑点")
    for rule in told["rules"]:
        found = sum(check["open"] for check in rule["checks"])
        figures = (
            (f"{rule['numerator']}/{rule['denominator']}", str(rule["waived"]))
            if rule["computed"]
            else ("-", "-")
        )
        table.add_row(
            rule["rule"],
            " ".join(rule["kinds"]),
            rule["quote"],
            *figures,
            str(found) if rule["checks"] else "",
        )
    return table


@app.command()
def outstanding(
    school: SchoolToken,
    url: Url,
    bearer: Bearer,
    rule: Annotated[str | None, typer.Argument(help="Of one rule (R46); else of all.")] = None,
    period: Annotated[str | None, typer.Option(help="Of one period, as the list names it.")] = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """List who still owes what (未填报名单); exit 1 when anything is outstanding, 0 when nothing."""
    with gateway(url, school, bearer) as door:
        told = _owed(door, rule, period, as_of)
    _show(told, still_owed, as_json=as_json)
    raise typer.Exit(WRONG if told["items"] else GOOD)


def _owed(door: Door, rule: str | None, period: str | None, as_of: str | None) -> dict[str, Any]:
    """What is missing of a rule, or of every rule of which anything is."""
    pages = []
    asked = [rule] if rule else []
    if not rule:
        pages.append(door.get("board", as_of=as_of))
        asked = [line["rule"] for line in pages[0]["rules"] if line.get("missing")]
    pages += [door.all("outstanding", rule=r, period=period, as_of=as_of) for r in asked]
    items = [item for page in pages for item in page.get("items", ())]
    names = door.names() if items else {}
    return {
        "as_of": pages[0]["as_of"],
        "position": max(page["position"] for page in pages),
        "total": len(items),
        "items": [
            {**item, "opened": n, "names": [names.get(part) for part in item["subject"]]}
            for n, item in enumerate(items, start=1)
        ],
    }


def still_owed(told: dict[str, Any]) -> Table:
    """The list of what is outstanding as a table."""
    title = f"未填报名单 截至 {told['as_of']} 位置 {told['position']} 共 {told['total']} 项"
    table = _table(title, "规则", "对象", "周期", "截止", "逾期", "知悉")
    for item in told["items"]:
        called = zip(item["names"], item["subject"], strict=True)
        table.add_row(
            item["rule"],
            " / ".join(name or id_ for name, id_ in called),
            item["period"],
            item["due_on"] or "",
            "是" if item["overdue"] else "",
            "是" if item["acknowledged"] else "",
        )
    return table


@app.command()
def diff(
    since: Annotated[str, typer.Argument(metavar="FROM", help="The end of this day, YYYY-MM-DD.")],
    until: Annotated[str, typer.Argument(metavar="TO", help="The end of a later one.")],
    school: SchoolToken,
    url: Url,
    bearer: Bearer,
    as_json: Json = False,
) -> None:
    """Show what changed between the ends of two days: 新增, 推进, 办结, and every rule's figures."""
    with gateway(url, school, bearer) as door:
        told = door.get("difference", since=since, until=until)
        names = door.names() if not as_json and any(told["ledger"].values()) else {}
    _show(told, lambda told: ledger_changes(told, names), as_json=as_json)
    if not as_json:
        _put(rule_changes(told))


def ledger_changes(told: dict[str, Any], names: dict[str, str]) -> Table:
    """The weekly table of the ledger: what is new, what moved, what was struck off."""
    sides = (("新增", "opened"), ("推进", "moved"), ("办结", "struck_off"))
    counts = " ".join(f"{zh} {len(told['ledger'][name])}" for zh, name in sides)
    table = _table(f"台账 {told['from']} 至 {told['to']}: {counts}", "变化", "问题", "编号")
    for zh, name in sides:
        for issue in told["ledger"][name]:
            table.add_row(zh, names.get(issue, ""), issue)
    return table


def rule_changes(told: dict[str, Any]) -> Table:
    """The rules whose figures changed."""
    title = f"规则 {told['from']} 至 {told['to']}"
    table = _table(title, "规则", "新增应完成", "新增完成", "完成/应完成")
    for change in told["rules"]:
        was, now = zip(change["numerators"], change["denominators"], strict=True)
        table.add_row(
            change["rule"],
            str(change["newly_owed"]),
            str(change["newly_done"]),
            f"{was[0]}/{was[1]} → {now[0]}/{now[1]}",
        )
    return table


@app.command()
def overview(
    url: Url,
    bearer: Bearer,
    school: Annotated[str, typer.Option(help="One school's token; else every school.")] = "any",
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Show in sums every school that lets the caller see it: a bureau its schools, others their own."""
    with gateway(url, school, bearer) as door:
        if school == "any":
            told = door.all("overview", as_of=as_of)
        else:
            told = {"items": [{"school": school, **door.get("overview", as_of=as_of)}]}
    _show(told, schools, as_json=as_json)


def schools(told: dict[str, Any]) -> Table:
    """Schools in sums as a table; a rate that may not be published is a dash."""
    position = max((item["position"] for item in told["items"]), default=0)
    title = f"各校汇总 共 {len(told['items'])} 校 位置 {position}"
    headings = ("学校", "方案", "完成/应完成", "逾期", "销号/问题", "逾期/未认领", "三率")
    table = _table(title, *headings)
    for item in told["items"]:
        board, issues, plan = item["board"], item["issues"], item["plan"]
        rates: dict[str, Any] = next(
            (g["rates"] for g in item["three_rates"]["groups"] if g["rates"]), {}
        )
        table.add_row(
            str(item["name"]),
            "无" if plan is None else "已备案" if plan["filed"] else "未备案",
            f"{board['numerator']}/{board['denominator']}",
            str(board["overdue"]),
            f"{issues['by_stage']['struck_off']}/{issues['total']}",
            f"{issues['overdue']}/{issues['unclaimed']}",
            " ".join(f"{r['value']:.0%}" for n, r in rates.items() if n != "composite") or "-",
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


# -- Keys --------------------------------------------------------------------------------------------


@keys_app.command("rotate")
def keys_rotate(
    data: Annotated[
        Path | None,
        typer.Option(help="An embedded stack's data; else the servers of `TAIZHANG_*`."),
    ] = None,
) -> None:
    """Give the deployment a new key and wrap every stored key with it; every service must be stopped.

    An interrupted rotation goes on where it was; until it is over no service starts.
    """
    if data is None:
        run(_rotated(Settings()))
    stack, settings = embedded(data or DATA)
    try:
        run(_rotated(settings))
    finally:
        stack.stop()


async def _rotated(settings: Settings) -> int:
    from services.stack import answering

    mongo = Mongo(settings.mongo_url, settings.mongo_database)
    rotation = Rotation(mongo, settings.key_file)
    try:
        begins = await rotation.begin()
        try:
            running = await answering(settings)
        except Unavailable as trouble:
            running = [f"unknown, {trouble} does not answer"]
        if running:
            if begins:
                await rotation.call_off()
            typer.echo(f"taizhang: stop every service first: {', '.join(running)}", err=True)
            return CANNOT
        count, old = await rotation.run()
    finally:
        mongo.close()
    typer.echo(f"{count} keys are wrapped with the new {settings.key_file}: back it up.")
    typer.echo(f"{old} opens older backups only: move it to where these are, or delete both.")
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


@bench_app.command("audit")
def bench_audit(count: int = 100_000, as_json: Json = False) -> None:
    """The check of the whole log against raw pull + SHA-256 of the same bytes: `ratio`, `memory_mb`."""
    from services import bench_audit

    _print_bench(uvloop.run(bench_audit.audit(count)), as_json=as_json)


@bench_app.command("oversight")
def bench_oversight(
    events: Annotated[
        list[int] | None, typer.Option(help="Sizes of the log, ascending; else 10k, 30k, 60k.")
    ] = None,
    as_json: Json = False,
) -> None:
    """The board of all rules over a growing log of a year: how late, how slow, how both grow."""
    from services.bench_oversight import SIZES, oversight

    _print_bench(uvloop.run(oversight(tuple(events or SIZES))), as_json=as_json)


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
