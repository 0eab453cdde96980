"""The speed ratios."""

from typing import Annotated, Any

import typer
import uvloop

from services.cli.base import Json, app, tell

bench_app = typer.Typer(no_args_is_help=True, help="Speeds as ratios to raw calls in the same run.")
app.add_typer(bench_app, name="bench")


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


@bench_app.command("replay")
def bench_replay(count: int = 20_000, as_json: Json = False) -> None:
    """A replay into all views against a raw read + raw bulk insert of all their documents: `ratio`."""
    from services import bench_audit

    _print_bench(uvloop.run(bench_audit.replay(count)), as_json=as_json)


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
    tell(found, [f"{name}: {value}" for name, value in found.items()], as_json=as_json)
