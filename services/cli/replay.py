"""What people are shown is what was recorded: views folded afresh, as of then, in new versions."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.base import (
    CANNOT,
    GOOD,
    WRONG,
    Json,
    app,
    end,
    leave_record,
    progress,
    run,
    tell,
)
from services.cli.prove import Keys, checked
from shared.mongo import Mongo
from shared.runtime import now
from shared.settings import Settings

replay_app = typer.Typer()
app.add_typer(replay_app, name="replay")
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
        report = await checked(settings, silent=as_json)
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
    views = f"{len(told['views'])} 个"
    if told.get("gone_on_from"):
        views += f" 续自位置 {told['gone_on_from']}"
    return [
        f"{told['of']} {told['at']} 日志 {sums} 已签名至 {log['sealed']} 异常 {wrong} 处",
        f"重放至位置 {told['position']} 文档 {told['documents']} 份 视图 {views} 不一致 {told['found']} 处",
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
    public: Keys = None,
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
    from services.stack import SERVICES
    from shared.provision import operator
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
    from services.stack import SERVICES
    from shared.provision import operator
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
