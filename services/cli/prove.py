"""What was recorded is what happened: the keys it is signed with, the check of the whole log, proofs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from shared.decider import Unavailable
from shared.embedded import CannotRun, Embedded
from shared.mongo import Mongo
from shared.privacy import Rotation
from shared.settings import Settings

if TYPE_CHECKING:
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
    printable,
    progress,
    run,
    show,
    tell,
    titled,
)

keys_app = typer.Typer(help="The keys everything is sealed and signed with.")
app.add_typer(keys_app, name="keys")

Files = Annotated[
    Path | None,
    typer.Option(
        "--data", help="Where a stopped embedded stack keeps its data; else `TAIZHANG_*`."
    ),
]


Keys = Annotated[
    Path | None,
    typer.Option("--keys", help="Public keys; else beside `TAIZHANG_AUDIT_KEY_FILE`."),
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
        report = await checked(settings, silent=as_json)
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


async def checked(settings: Settings, *, silent: bool) -> "Report":
    """The check of the log, with a bar that shows how far it is."""
    from services.audit.verify import verified

    with progress("核查 verify", silent=silent) as moved:
        return await verified(settings, tell=moved)


def findings(told: dict[str, Any]) -> Table:
    """A report on the log as a table, a finding a row."""
    sums = f"{told['events']} 个事件 {told['streams']} 条流 {told['checkpoints']} 个签名检查点"
    signed = f"已签名至位置 {told['sealed']} 根 {told['root'] or '-'}"
    table = titled(f"核查 {sums} {signed}", "检查", "位置", "流", "发现")
    for found in told["findings"]:
        where = str(found["position"] or "")
        table.add_row(found["check"], where, printable(found["stream"]), printable(found["detail"]))
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
    public: Keys = None,
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
