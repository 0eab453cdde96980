"""The verification pack: one file that lets a third party check a part of the log, and how it is made.

A pack opens nothing: events go in as stored, their texts sealed. Everything in it follows from the log,
the checkpoint and the scope, so the same three give the same bytes.
"""

import errno
import hashlib
import json
import os
import struct
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import to_jsonable_python

from services.audit.proof import signed
from services.audit.shelf import COSIGNED, SEALED, Shelf
from services.audit.stretch import leaf_of
from shared.broker import EVENTS, Broker, Stored
from shared.decider import Event
from shared.envelope import OF_READING, Record
from shared.journal import LogDamaged, recorded
from shared.merkle import between
from shared.note import PublicKey, b64
from shared.schemas import schema_of

FORMAT = "taizhang-pack/1"
MEMBERS = (
    "manifest.json",
    "checkpoints.jsonl",
    "keys",
    "events.jsonl",
    "nodes",
    "schemas.json",
    "figures.json",
)
"""What is in a pack, in this order: nothing else, and nothing less."""
MOST_CHECKPOINTS = 1000
"""Earlier checkpoints that go in; of more, evenly spread ones."""
DIRECTORY = sum(46 + len(name) for name in MEMBERS) + 22
"""Bytes behind the members."""
LARGEST = 2**32 - 1
"""Bytes of a pack: what a ZIP without extensions may have."""


class NothingToPack(LookupError):  # noqa: N818 -- a condition, told in one line
    """No checkpoint is there yet, or the scope has no event under the newest one."""


# -- Scope ---------------------------------------------------------------------------------------


class Scope(BaseModel):
    """What a pack is of: one issue of a school, a school, or, where neither is named, the whole log."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")
    school: str | None = Field(None, pattern=r"^[a-z0-9-]{1,36}$")
    issue: str | None = Field(None, pattern=r"^[a-z0-9-]{1,36}$")

    @model_validator(mode="after")
    def _of_a_school(self) -> Self:
        if self.issue and not self.school:
            raise ValueError("an issue is one of a school")
        return self

    @property
    def subjects(self) -> str:
        """The subjects of the log it can have events of."""
        return f"evt.{self.school}.>" if self.school else ">"


class Selection(Protocol):
    """Which events a pack of something smaller than a school holds. It sees the school's log twice."""

    @property
    def streams(self) -> frozenset[str]:
        """After the first reading: the subjects of the streams that go in whole."""
        ...

    def look(self, record: Record) -> None:
        """Read an event the first time."""

    def shows(self, record: Record) -> bool | None:
        """At the second reading: go in as stored (`True`), as its leaf hash only (`False`), or not."""
        ...


class Account(Protocol):
    """Works figures out of events, by the product's own pure functions."""

    def take(self, record: Record) -> None:
        """Take in one more event."""

    def figures(self, position: int, whole: Iterable[str]) -> Mapping[str, Any]:
        """What they amount to as of a log position; `whole` are the streams that came whole."""
        ...


# -- Form ----------------------------------------------------------------------------------------


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Member(_Part):
    """Size and SHA-256 (hex) of a member."""

    bytes: int
    sha256: str


class Manifest(_Part):
    """What a pack says that it holds.

    `whole` are the streams it claims to have from their first event on, as subjects or, ending in `>`, all
    that begin so; `in_part` those it has some events of.
    """

    format: str
    origin: str
    size: int
    root: str
    scope: Scope
    checkpoints: int
    events: int
    withheld: int
    nodes: int
    whole: tuple[str, ...]
    in_part: tuple[str, ...]
    members: dict[str, Member]


Position = Field(ge=1, lt=2**63)


class Shown(_Part):
    """A line of `events.jsonl`: an event as stored; a body that is no UTF-8 is in base64."""

    position: int = Position
    subject: str
    headers: dict[str, str]
    body: str | None = None
    base64: str | None = None


class Withheld(_Part):
    """A line of `events.jsonl`: an event of which only the leaf hash (base64) is shown."""

    position: int = Position
    leaf: str


def written(value: object) -> bytes:
    """JSON as a pack has it: UTF-8, keys in order, no spaces; there is one way to write a thing."""
    text = json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    return text.encode()


def read(content: bytes) -> Any:  # noqa: ANN401 -- JSON
    """Read what `written` wrote.

    Raises:
        ValueError: it is no JSON, or written in another way.
    """
    try:
        value = json.loads(content)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if written(value) != content:
        raise ValueError("written in another way")
    return value


def plain(value: object) -> Any:  # noqa: ANN401 -- JSON
    """Something JSON-like as it is after writing and reading: days as text, tuples as lists."""
    return to_jsonable_python(value)


@cache
def schema(type_: str) -> Any:  # noqa: ANN401 -- JSON
    """The JSON Schema of a TYPE; nobody changes it."""
    return plain(schema_of(Event.known[type_]))


def line_of(stored: Stored) -> bytes:
    """The line of an event that is shown; without the headers that tell how it was read."""
    said: dict[str, Any] = {
        "position": stored.position,
        "subject": stored.subject,
        "headers": {n: v for n, v in stored.headers.items() if n not in OF_READING},
    }
    try:
        said["body"] = stored.body.decode()
    except UnicodeDecodeError:
        said["base64"] = b64(stored.body)
    return written(said) + b"\n"


# -- The file ------------------------------------------------------------------------------------
#
# A ZIP in which nothing is left to choose: members stored as they are (what is not compressed is no bomb,
# and no library's version changes a byte), one after another, without times, attributes, comments, extras.

LOCAL = 30
"""Bytes before a member's name."""
_LOCAL, _CENTRAL, _END = "<4s5H3L2H", "<4s6H3L5H2L", "<4s4H2LH"
_SAME = (0, 0, 0, 0x21)  # no flags, stored, midnight of 1980-01-01


@dataclass(frozen=True)
class Placed:
    """A member in the file: where its header begins, its CRC-32, how many bytes it has."""

    name: str
    at: int
    crc: int
    size: int

    @property
    def begins(self) -> int:
        """Where its content begins."""
        return self.at + LOCAL + len(self.name)

    @property
    def ends(self) -> int:
        """Where the next one begins."""
        return self.begins + self.size

    def header(self) -> bytes:
        """What stands before it."""
        fixed = struct.pack(
            _LOCAL, b"PK\3\4", 20, *_SAME, self.crc, self.size, self.size, len(self.name), 0
        )
        return fixed + self.name.encode()

    @classmethod
    def read(cls, name: str, at: int, header: bytes) -> "Placed | None":
        """The member that a header of that place says there is; none, if it is not written as here."""
        if len(header) != LOCAL + len(name):
            return None
        *_, crc, size, _, _, _ = struct.unpack(_LOCAL, header[:LOCAL])
        found = cls(name, at, crc, size)
        return found if found.header() == header else None


def directory(placed: Sequence[Placed]) -> bytes:
    """What stands behind the members."""
    entries = b"".join(
        struct.pack(
            _CENTRAL, b"PK\1\2", 20, 20, *_SAME, p.crc, p.size, p.size, len(p.name),
            0, 0, 0, 0, 0, p.at,
        ) + p.name.encode()
        for p in placed
    )  # fmt: skip
    many, end = len(placed), placed[-1].ends
    return entries + struct.pack(_END, b"PK\5\6", 0, 0, many, many, len(entries), end, 0)


class _Draft:
    """A member while it is written, in a file without a name."""

    def __init__(self, opened: ExitStack, directory: Path) -> None:
        self.file: BinaryIO = opened.enter_context(TemporaryFile(dir=directory))  # noqa: SIM115 -- the stack closes it
        self.size, self.crc, self._sha256 = 0, 0, hashlib.sha256()

    def write(self, content: bytes) -> None:
        self.file.write(content)
        self.size += len(content)
        self.crc = zlib.crc32(content, self.crc)
        self._sha256.update(content)

    def member(self) -> Member:
        return Member(bytes=self.size, sha256=self._sha256.hexdigest())

    def chunks(self) -> Iterator[bytes]:
        self.file.seek(0)
        while chunk := self.file.read(1 << 20):
            yield chunk


def _put_together(drafts: Mapping[str, _Draft], out: Path) -> None:
    """Write the members one behind the other; on the disk when it returns, gone where that fails.

    Raises:
        FileExistsError: something is there already.
        OSError: it cannot be written.
    """
    placed: list[Placed] = []
    for name in MEMBERS:
        at = placed[-1].ends if placed else 0
        placed.append(Placed(name, at, drafts[name].crc, drafts[name].size))
    if placed[-1].ends + DIRECTORY > LARGEST:
        raise OSError(errno.EFBIG, f"more than the {LARGEST} bytes a pack may have")
    with out.open("xb") as file:
        try:
            for member in placed:
                file.write(member.header())
                file.writelines(drafts[member.name].chunks())
            file.write(directory(placed))
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            out.unlink()
            raise


# -- Making --------------------------------------------------------------------------------------


class Making:
    """A pack while it is made, for as long as the block lasts: is given the log's events in their order."""

    def __init__(
        self,
        shelf: Shelf,
        keys: Sequence[PublicKey],
        scope: Scope,
        account: Account,
        out: Path,
        selection: Selection | None = None,
    ) -> None:
        """`selection` is needed for what is smaller than a school, and sees the log twice."""
        self._shelf = shelf
        self._keys = keys
        self.scope = scope
        self._account: Account | None = account
        self._out = out
        self._selection = selection
        self._opened = ExitStack()
        self._events = self._withheld = self._nodes = self._grown = 0
        self._types: set[str] = set()
        self._shown: set[str] = set()
        self._hidden: set[str] = set()

    def __enter__(self) -> Self:
        """Read what was signed.

        Raises:
            NothingToPack: no checkpoint is there.
            NotANote, BadSignature: one that is to go in is none, or not signed with one of these keys.
            OSError: something cannot be read, or written.
        """
        self._sizes, self._notes = _checkpoints(self._shelf)
        self.sealed = [signed(note, self._keys) for note in self._notes][-1]
        with ExitStack() as opened:
            self._node = opened.enter_context(self._shelf.nodes())
            self._drafts = {name: _Draft(opened, self._out.parent) for name in MEMBERS}
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the drafts."""
        self._opened.close()

    @property
    def readings(self) -> tuple[Callable[[Stored], None], ...]:
        """What has to be given the scope's events, one after the other; none counts behind the checkpoint."""
        return (self._look, self._take) if self._selection else (self._take,)

    def _look(self, stored: Stored) -> None:
        if self._selection and stored.position <= self.sealed.size:
            self._selection.look(recorded(stored))

    def _take(self, stored: Stored) -> None:
        """Write an event down, if it is of the scope, and the nodes that stand for what lies before it.

        Raises:
            LogDamaged: it is not what was signed.
        """
        record = recorded(stored)
        shows = self._selection.shows(record) if self._selection else True
        if shows is None or stored.position > self.sealed.size:
            return
        _, hash_ = leaf_of(stored)
        if hash_ != self._node(0, stored.position - 1):
            msg = f"position {stored.position} is not what was signed: verify tells more"
            raise LogDamaged(msg)
        self._grow(stored.position - 1)
        self._grown = stored.position
        if shows:
            self._drafts["events.jsonl"].write(line_of(stored))
            self._events += 1
            self._types.add(record.type)
            self._count(record)
        else:
            entry = Withheld(position=stored.position, leaf=b64(hash_))
            self._drafts["events.jsonl"].write(written(entry.model_dump()) + b"\n")
            self._withheld += 1
        if self._selection:
            (self._shown if shows else self._hidden).add(stored.subject)

    def _count(self, record: Record) -> None:
        """Take an event into the account; with one that is none there are no figures: the check says so."""
        try:
            if self._account:
                self._account.take(record)
        except Exception:  # noqa: BLE001 -- what was never decided may break a fold in any way
            self._account = None

    def _figures(self, whole: Iterable[str]) -> Any:  # noqa: ANN401 -- JSON
        try:
            return plain(self._account.figures(self.sealed.size, whole)) if self._account else {}
        except Exception:  # noqa: BLE001 -- as above
            return {}

    def _grow(self, size: int) -> None:
        """Write the nodes for what lies before a size, with a stop wherever a checkpoint was signed."""
        stops = self._sizes[bisect_right(self._sizes, self._grown) : bisect_left(self._sizes, size)]
        for stop in (*stops, size):
            for level, number in between(self._grown, stop):
                self._drafts["nodes"].write(self._node(level, number))
                self._nodes += 1
            self._grown = max(stop, self._grown)

    def end(self) -> Manifest:
        """Write what stands beside the events, and then the file.

        Raises:
            NothingToPack: no event was of the scope.
            FileExistsError: there is a file of that name.
            OSError: it cannot be written.
        """
        if not self._events and not self._withheld:
            raise NothingToPack(f"the log up to {self.sealed.size} has nothing of it")
        self._grow(self.sealed.size)
        for note in self._notes:
            self._drafts["checkpoints.jsonl"].write(written(note.decode()) + b"\n")
        self._drafts["keys"].write("".join(f"{key}\n" for key in self._keys).encode())
        known = sorted(self._types & Event.known.keys())
        self._drafts["schemas.json"].write(written({type_: schema(type_) for type_ in known}))
        whole, in_part = self._streams()
        self._drafts["figures.json"].write(written(self._figures(whole)))
        manifest = Manifest(
            format=FORMAT,
            origin=self.sealed.origin,
            size=self.sealed.size,
            root=b64(self.sealed.root),
            scope=self.scope,
            checkpoints=len(self._notes),
            events=self._events,
            withheld=self._withheld,
            nodes=self._nodes,
            whole=whole,
            in_part=in_part,
            members={name: self._drafts[name].member() for name in MEMBERS[1:]},
        )
        self._drafts["manifest.json"].write(written(manifest.model_dump(mode="json")))
        _put_together(self._drafts, self._out)
        return manifest

    def _streams(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        if self._selection is None:
            return (self.scope.subjects,), ()
        whole = self._shown & self._selection.streams - self._hidden
        return tuple(sorted(whole)), tuple(sorted(self._shown - whole))


def _checkpoints(shelf: Shelf) -> tuple[list[int], list[bytes]]:
    """Sizes and notes of the checkpoints that go in, the newest last; cosigned where there is such a one."""
    names = shelf.names()
    known = {name.removesuffix(SEALED) for name in names if name.endswith(SEALED)}
    sizes = sorted(int(name) for name in known if name.isdecimal())
    if not sizes:
        raise NothingToPack("no checkpoint was signed yet")
    step = -(-(len(sizes) - 1) // MOST_CHECKPOINTS) or 1
    sizes = sizes[::-step][::-1]
    cosigned = {*names}
    notes = []
    for size in sizes:
        both = f"{size:019}{COSIGNED}"
        name = both if both in cosigned else f"{size:019}{SEALED}"
        notes.append((shelf.checkpoints / name).read_bytes())
    return sizes, notes


async def pack(
    broker: Broker,
    making: Making,
    *,
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> Manifest:
    """Give the log to a pack that is made; `broker` is the operator's connection.

    Raises:
        Unavailable: the log does not answer; else as `Making`.
    """
    size, readings = making.sealed.size, making.readings
    for n, reading in enumerate(readings):
        async for some in _log(broker, making.scope, size):
            for stored in some:
                reading(stored)
            tell(n * size + some[-1].position, len(readings) * size)
    return making.end()


async def _log(broker: Broker, scope: Scope, size: int) -> AsyncIterator[list[Stored]]:
    """The messages of a scope up to a position or a little further, some at a time."""
    after = 0
    while after < size:
        some = await broker.slice(EVENTS, after=after, subject=scope.subjects)
        if not some:
            return
        yield some
        after = some[-1].position
