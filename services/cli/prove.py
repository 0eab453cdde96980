"""What was recorded is what happened, and what people are shown is what was recorded."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from shared.decider import Unavailable
from shared.embedded import CannotRun, Embedded
from shared.mongo import Mongo
from shared.privacy import Rotation
from shared.runtime import now
from shared.settings import Settings

if TYPE_CHECKING:
    from services.audit.pack import Account, Manifest, Scope
    from services.audit.unpack import Verdict
    from services.audit.verify import Report

from services.cli.ask import Bearer, SchoolToken, Url, gateway
from services.cli.base import (
    CANNOT,
    DATA,
    GOOD,
    WRONG,
    Json,
    app,
    embedded,
    end,
    leave_record,
    run,
    show,
    tell,
    titled,
)

keys_app = typer.Typer(help="The keys everything is sealed and signed with.")
app.add_typer(keys_app, name="keys")
replay_app = typer.Typer()
app.add_typer(replay_app, name="replay")
pack_app = typer.Typer(help="A part of the log in one file that a third party checks offline.")
app.add_typer(pack_app, name="pack")
INSTANT = ["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z"]


@replay_app.callback(invoke_without_command=True)
def replay(
    context: typer.Context,
    view: Annotated[str, typer.Option(help="Only this one, SERVICE.VIEW.")] = "",
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where the signed report goes; else `replays` in `TAIZHANG_AUDIT_DIRECTORY`."
        ),
    ] = None,
    compare: Annotated[bool, typer.Option("--compare", hidden=True)] = True,  # noqa: ARG001 -- what it does anyway
    as_json: Json = False,
) -> None:
    """Fold every view afresh beside the live ones and compare them; exit 1 on any difference.

    The report is signed with the key of the checkpoints. An interrupted replay goes on where it was.
    """
    if context.invoked_subcommand:
        return
    from services.stack import compared
    from shared.replay import UnknownView

    settings = Settings()
    if out and out.exists():
        end(f"there is something at {out} already", CANNOT)

    async def work() -> int:
        mongo = Mongo(settings.mongo_url, settings.mongo_database)
        with progress("重放 replay", silent=as_json) as moved:
            told = await compared(settings, mongo, only=view, tell=moved)
        mongo.close()
        report = await _checked(settings, silent=as_json)
        at = now()
        log = {name: found for name, found in report.as_data().items() if name != "findings"}
        good = report.good and told.good
        data = {"of": settings.audit_origin, "at": at.isoformat(), "good": good, "log": log}
        data |= told.as_data()
        name = f"{told.position:019}-{at:%Y%m%dT%H%M%S%fZ}.note"
        where, why = _kept(data, settings, out or settings.audit_directory / "replays" / name)
        lines = [*_lines(data), *told.differences]
        lines += [f"signed: {where}" if where else f"unsigned: {why}"]
        tell({**data, "signed": where, "unsigned": why}, lines, as_json=as_json)
        return GOOD if good else WRONG

    try:
        run(work())
    except UnknownView:
        typer.echo(f"taizhang: there is no view {view}", err=True)
        raise typer.Exit(CANNOT) from None


def _lines(told: dict[str, Any]) -> list[str]:
    """What a replay found, in two lines."""
    log = told["log"]
    wrong = sum(log["counts"].values())
    sums = f"{log['events']} 个事件 {log['streams']} 条流 至位置 {log['position']} 根 {log['root'] or '-'}"
    return [
        f"{told['of']} {told['at']} 日志 {sums} 已签名至 {log['sealed']} 异常 {wrong} 处",
        f"重放至位置 {told['position']} 文档 {told['documents']} 份 不一致 {told['found']} 处",
    ]


def _kept(data: dict[str, Any], settings: Settings, path: Path) -> tuple[str | None, str]:
    """Sign a report and keep it; where it is, or why it is not."""
    from services.audit.keys import NoKey, signing_key
    from services.audit.replayed import signed
    from shared.files import write_once

    try:
        key = signing_key(settings.audit_key_file, settings.audit_origin, may_be_new=False)
        write_once(path, signed(data, key).encode())
    except NoKey as reason:
        return None, str(reason)
    except OSError as trouble:
        return None, f"{path}: {trouble.strerror}"
    return str(path), ""


@replay_app.command("verify")
def replay_verify(
    file: Annotated[Path, typer.Argument(help="The signed report of a replay.")],
    public: Annotated[
        Path | None,
        typer.Option("--keys", help="Public keys; else beside `TAIZHANG_AUDIT_KEY_FILE`."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check who signed a report, and say what it found; exit 1 if it is none, or found any difference."""
    from services.audit.keys import NoKey, public_file, public_keys
    from services.audit.replayed import read
    from shared.note import BadSignature, NotANote

    try:
        told = read(
            file.read_bytes(), public_keys(public or public_file(Settings().audit_key_file))
        )
    except (NoKey, OSError) as reason:
        end(str(reason), CANNOT)
    except (BadSignature, NotANote) as reason:
        end(f"{file}: {reason}", WRONG)
    lines = [*_lines(told), *told["differences"]]
    tell(told, lines, as_json=as_json)
    raise typer.Exit(GOOD if told["good"] else WRONG)


@app.command("as-of")
def print_as_of(
    view: Annotated[
        str,
        typer.Argument(
            help="SERVICE.VIEW, as rectification.issues, or a kind of stream, as rectification.issue."
        ),
    ],
    school: str,
    key: Annotated[
        str, typer.Argument(help="The document's or stream's id; a ledger's is `school`.")
    ],
    position: Annotated[int | None, typer.Option(help="A log position.")] = None,
    at: Annotated[
        datetime | None, typer.Option(help="An instant, with its zone.", formats=INSTANT)
    ] = None,
) -> None:
    """Print a document of a view, or a stream and its state, as it stood then; exit 1 if there was none.

    What is sealed stays sealed; that it was printed is on record (`looks`).
    """
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
        mongo = Mongo(settings.mongo_url, settings.mongo_database)
        await leave_record(mongo, school, "as-of", view=view, key=key)
        mongo.close()
        typer.echo(json.dumps(found, ensure_ascii=False, default=str))
        return GOOD

    try:
        run(work())
    except UnknownView:
        typer.echo(f"taizhang: there is no view or stream {view}", err=True)
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
        tell({"dropped" if drop else "built": names}, names or ["nothing to do"], as_json=as_json)
        return GOOD

    run(work())


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
        end(str(reason), CANNOT)
    tell({"keys": public}, public, as_json=as_json)


@app.command()
def verify(data: Files = None, as_json: Json = False) -> None:
    """Check the whole log against itself and every signed checkpoint; exit 1 on any finding."""
    if data and not data.is_dir():
        end(f"there is nothing at {data}", CANNOT)
    stack = Embedded(data.resolve()) if data else None

    async def work() -> int:
        report = await _checked(settings, silent=as_json)
        show(report.as_data(), findings, as_json=as_json)
        return GOOD if report.good else WRONG

    try:
        settings = stack.start(mongo=False) if stack else Settings()
        run(work())
    except CannotRun as reason:
        end(str(reason), CANNOT)
    finally:
        if stack:
            stack.stop()


@contextmanager
def progress(what: str, *, silent: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar, where somebody looks, that is told how much is done, and of how much."""
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    unseen = silent or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=unseen) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, last: bar.update(task, completed=done, total=last)


async def _checked(settings: Settings, *, silent: bool) -> "Report":
    from services.stack import verified

    with progress("核查 verify", silent=silent) as moved:
        return await verified(settings, tell=moved)


def findings(told: dict[str, Any]) -> Table:
    """A report on the log as a table, a finding a row."""
    sums = f"{told['events']} 个事件 {told['streams']} 条流 {told['checkpoints']} 个签名检查点"
    signed = f"已签名至位置 {told['sealed']} 根 {told['root'] or '-'}"
    table = titled(f"核查 {sums} {signed}", "检查", "位置", "流", "发现")
    for found in told["findings"]:
        where = str(found["position"] or "")
        table.add_row(found["check"], where, found["stream"], found["detail"])
    table.caption = "\n".join(f"{check}: {n}" for check, n in told["counts"].items()) or "无异常"
    return table


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
        end(str(reason), CANNOT)
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
        end(str(reason), WRONG)
    proved = [f"位置 {position} 在已签名的日志中(共 {sealed.size});根 {sealed.root.hex()}"]
    proved += [f"日志是 {kept} 的延续"] if kept else []
    tell(told, proved, as_json=as_json)


@pack_app.callback(invoke_without_command=True)
def pack(
    context: typer.Context,
    school: Annotated[str, typer.Option(help="The school it is of.")] = "",
    issue: Annotated[str, typer.Option(help="Only what concerns this issue of the school.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="The whole log instead.")] = False,
    out: Annotated[Path | None, typer.Option(help="The file to write; none may be there.")] = None,
    as_json: Json = False,
) -> None:
    """Write a verification pack as of the newest checkpoint; it opens no sealed text."""
    if context.invoked_subcommand:
        return
    from pydantic import ValidationError

    from services.audit.keys import NoKey
    from services.audit.pack import NothingToPack, Scope
    from shared.note import BadSignature, NotANote

    if out is None or bool(school) == everything or (issue and not school):
        end("say --out FILE, and --school SCHOOL [--issue ISSUE] or --all", CANNOT)
    if out.exists():
        end(f"{out} is there already", CANNOT)
    try:
        scope = Scope(school=school or None, issue=issue or None)
        run(_packed(Settings(), scope, out, as_json=as_json))
    except ValidationError:
        end("there is no such school or issue", CANNOT)
    except (NotANote, BadSignature) as reason:
        end(str(reason), WRONG)
    except (NoKey, NothingToPack, OSError) as reason:
        end(str(reason), CANNOT)


async def _packed(settings: Settings, scope: "Scope", out: Path, *, as_json: bool) -> int:
    """Make a pack, and check it as whoever gets it will."""
    from pydantic_core import to_jsonable_python
    from rich.progress import Progress

    from services.audit.keys import public_file, public_keys
    from services.audit.pack import Making
    from services.audit.pack import pack as make
    from services.audit.shelf import Shelf
    from services.audit.unpack import check
    from services.rectification.lineage import Lineage
    from services.stack import operator

    keys = public_keys(public_file(settings.audit_key_file))
    selection = Lineage(scope.school, scope.issue) if scope.school and scope.issue else None
    making = Making(Shelf(settings.audit_directory), keys, scope, account_of(scope), out, selection)
    with Progress(console=Console(stderr=True), transient=True, disable=as_json) as progress:
        bar = progress.add_task("打包 pack", total=None)
        with making:
            async with operator(settings) as broker:
                manifest = await make(
                    broker,
                    making,
                    tell=lambda done, last: progress.update(bar, completed=done, total=last),
                )
    verdict = check(out, keys, account_of)
    told = {"file": str(out), **manifest.model_dump(mode="json"), "findings": verdict.findings}
    tell(to_jsonable_python(told), [*_packed_in(manifest, out), *_wrong(verdict)], as_json=as_json)
    return GOOD if verdict.good else WRONG


def account_of(scope: "Scope") -> "Account":
    """What works the figures of a pack out of its events, by the functions that work out the live ones."""
    from services.oversight.rules.account import SchoolAccount
    from services.rectification.lineage import IssueAccount

    return IssueAccount() if scope.issue else SchoolAccount()


def _packed_in(manifest: "Manifest", out: Path) -> list[str]:
    withheld = f",另有 {manifest.withheld} 个只出示叶哈希" if manifest.withheld else ""
    return [
        f"{out}:{manifest.events} 个事件{withheld};日志 {manifest.origin} 至位置 {manifest.size}",
        f"离线核查:taizhang pack verify {out} --keys 公钥文件",
    ]


@pack_app.command("verify")
def verify_pack(
    file: Annotated[Path, typer.Argument(help="A verification pack.")],
    public: Annotated[
        Path | None,
        typer.Option("--keys", help="Public keys you trust, not taken from the pack."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a verification pack offline, say what it proves and what not; exit 1 on any finding."""
    import services.stack  # noqa: F401 -- every event there is becomes known
    from services.audit.keys import NoKey, public_keys
    from services.audit.unpack import check

    try:
        verdict = check(file, public_keys(public) if public else [], account_of)
    except NoKey as reason:
        end(str(reason), CANNOT)
    except OSError as trouble:
        end(f"{file}: {trouble.strerror}", CANNOT)
    tell(verdict.as_data(), _said(verdict), as_json=as_json)
    raise typer.Exit(GOOD if verdict.good else WRONG)


def _said(verdict: "Verdict") -> list[str]:
    """A verdict line by line: what was found wrong, what is proved, what is not."""
    proved = [f"✓ {said.about}:{said.text}" for said in verdict.proved]
    open_ = [f"· 未证明 {said.about}:{said.text}" for said in verdict.not_proved]
    end_ = "核查通过" if verdict.good else f"发现 {verdict.counts.total()} 处问题"
    return [*_wrong(verdict), *map(_printable, (*proved, *open_)), end_]


def _wrong(verdict: "Verdict") -> list[str]:
    """What was found wrong, a line each."""
    return [
        _printable(
            f"✗ {f.check}{f' 位置 {f.position}' if f.position else ''}"
            f"{f' {f.stream}' if f.stream else ''}:{f.detail}"
        )
        for f in verdict.findings
    ]


def _printable(line: str) -> str:
    """A line without what would steer the terminal: a pack may come from anybody."""
    return "".join(c if c.isprintable() else "\ufffd" for c in line)


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
