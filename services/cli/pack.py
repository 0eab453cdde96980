"""A part of the log in one file, and what somebody elsewhere makes of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from shared.mongo import Mongo
from shared.settings import Settings

if TYPE_CHECKING:
    from services.audit.pack import Account, Manifest, Scope
    from services.audit.unpack import Verdict

pack_app = typer.Typer(help="A part of the log in one file that a third party checks offline.")
app.add_typer(pack_app, name="pack")


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

    from services.audit.keys import public_file, public_keys
    from services.audit.pack import Making
    from services.audit.pack import pack as make
    from services.audit.shelf import Shelf
    from services.audit.unpack import check
    from services.rectification.lineage import Lineage
    from shared.provision import operator

    keys = public_keys(public_file(settings.audit_key_file))
    selection = Lineage(scope.school, scope.issue) if scope.school and scope.issue else None
    making = Making(Shelf(settings.audit_directory), keys, scope, account_of(scope), out, selection)
    mongo = Mongo(settings.mongo_url, settings.mongo_database)
    with progress("打包 pack", silent=as_json) as moved, making:
        for school in [scope.school] if scope.school else await _schools(mongo):
            await leave_record(mongo, school, "pack", issue=scope.issue, size=making.sealed.size)
        async with operator(settings) as broker:
            manifest = await make(broker, making, tell=moved)
    mongo.close()
    verdict = check(out, keys, account_of)
    told = {"file": str(out), **manifest.model_dump(mode="json"), "findings": verdict.findings}
    tell(to_jsonable_python(told), [*_packed_in(manifest, out), *_wrong(verdict)], as_json=as_json)
    return GOOD if verdict.good else WRONG


async def _schools(mongo: Mongo) -> list[str]:
    """Every school there is."""
    from services.campaign.app import service

    directories = mongo.views(f"{service.name}.{service.directory.collection}")
    return [document["school"] for document in await directories.find({})]


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
    return [*_wrong(verdict), *proved, *open_, end_]


def _wrong(verdict: "Verdict") -> list[str]:
    """What was found wrong, a line each."""
    return [
        f"✗ {f.check}{f' 位置 {f.position}' if f.position else ''}"
        f"{f' {f.stream}' if f.stream else ''}:{f.detail}"
        for f in verdict.findings
    ]
