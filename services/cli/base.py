"""What every command shares: the application, exit codes, where it prints, how it runs and ends."""

import json
import logging
import os
import pwd
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from shared.broker import JetStreamRefusal
from shared.decider import Unavailable
from shared.embedded import CannotRun, Embedded
from shared.journal import LogDamaged
from shared.looks import Looks, look
from shared.mongo import Mongo
from shared.privacy import WrongKey
from shared.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
out = Console(markup=False, emoji=False)  # what people wrote is shown as they wrote it
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
    """Run something to its exit code, or say in one line what keeps it from running: key, log, database."""
    try:
        code = uvloop.run(work)
    except (WrongKey, JetStreamRefusal, LogDamaged) as reason:
        end(str(reason), CANNOT)
    except Unavailable as away:
        end(f"the {away} does not answer", CANNOT)
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


def end(why: str, code: int) -> NoReturn:
    """Say in one line why it ends here."""
    typer.echo(f"taizhang: {' '.join(why.split())}", err=True)
    raise typer.Exit(code)


async def leave_record(mongo: Mongo, school: str, kind: str, **asked: object) -> None:
    """Put on record that data of a school are handed out past its doors, by whom of this machine.

    Raises:
        Unavailable: it is not on record; nothing may be handed out.
    """
    try:
        user = pwd.getpwuid(os.getuid()).pw_name  # not what the environment says they are called
    except KeyError:  # a container's user may have no name
        user = f"uid-{os.getuid()}"
    await Looks(mongo).record(look(school, f"operator:{user}", kind, asked=asked))


def titled(title: str, *headings: str) -> Table:
    """An empty table."""
    table = Table(title=title)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def put(table: Table) -> None:
    """Print a table below its title, which is a line of its own however narrow the table is."""
    title, table.title = table.title, None
    out.print(title, soft_wrap=True)
    out.print(table)


def show(told: dict[str, Any], table: Callable[[dict[str, Any]], Table], *, as_json: bool) -> None:
    """Print data as JSON, or the table made of it."""
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        put(table(told))


def tell(data: object, lines: list[str], *, as_json: bool) -> None:
    """Print data as JSON, or what it says in lines."""
    typer.echo(
        json.dumps(data, ensure_ascii=False) if as_json else "\n".join(map(printable, lines))
    )


def printable(line: str) -> str:
    """A line without what would steer the terminal: what it tells of may come from anybody."""
    return "".join(c if c.isprintable() else "\ufffd" for c in line)


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
