"""What a third party makes of a verification pack, with nothing at hand but the file and a public key.

Nothing in it is believed: its form is held against the one way to write it, its events against the signed
tree, its figures against what the events amount to. Memory grows with streams and figures, not with events.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import TypeAdapter, ValidationError

from services.audit.pack import (
    FORMAT,
    LARGEST,
    LOCAL,
    MEMBERS,
    MOST_CHECKPOINTS,
    Account,
    Manifest,
    Member,
    Placed,
    Scope,
    Shown,
    Withheld,
    directory,
    line_of,
    plain,
    read,
    schema,
    written,
)
from services.audit.proof import signed
from services.audit.stretch import leaf_of
from services.audit.verify import Report
from shared.broker import Stored
from shared.chain import Chain, Head
from shared.decider import Event
from shared.envelope import Record
from shared.journal import recorded
from shared.merkle import HASH, Tree, between
from shared.note import BadSignature, Checkpoint, NotANote, Note, PublicKey, b64, unb64

MOST = {"manifest.json": 1 << 24, "schemas.json": 1 << 24, "figures.json": 1 << 24, "keys": 1 << 16}
"""Bytes of a member that is read in one piece."""
LONGEST = 1 << 23
"""Bytes of a line: an event's 768 KiB, each byte written in six, and a note's million."""
NAMED = 20
"""Of many positions or streams, how many a line names."""

_LINE: TypeAdapter[Shown | Withheld] = TypeAdapter(Shown | Withheld)


@dataclass(frozen=True)
class Said:
    """One thing that was proved, or that was not."""

    about: str
    text: str


@dataclass
class Verdict(Report):
    """What was found in a pack, what it proves, and what it does not."""

    scope: dict[str, str | None] = field(default_factory=dict)
    withheld: int = 0
    figures: Any = None
    """The figures of the pack, once they were worked out anew and are the same."""
    proved: list[Said] = field(default_factory=list)
    not_proved: list[Said] = field(default_factory=list)

    def as_data(self) -> dict[str, Any]:
        """The verdict as JSON-like data."""
        lines = {name: [*map(asdict, getattr(self, name))] for name in ("proved", "not_proved")}
        return {**super().as_data(), **lines}


class _Broken(Exception):  # noqa: N818 -- a state of the file
    """It cannot be read any further."""

    def __init__(self, check: str, detail: str, position: int = 0) -> None:
        super().__init__(detail)
        self.check, self.position = check, position


def check(path: Path, keys: Sequence[PublicKey], account: Callable[[Scope], Account]) -> Verdict:
    """Check a pack; `account` makes what works the figures of a scope out of its events.

    Without `keys` that the caller trusts, all is checked against those in the pack, and that is a finding.

    Raises:
        OSError: there is no file, or it cannot be read.
    """
    verdict = Verdict()
    with ExitStack() as opened:
        files = [opened.enter_context(path.open("rb")) for _ in range(2)]
        try:
            _Check(files, _members(files[0]), keys, verdict).run(account)
        except _Broken as broken:
            verdict.find(broken.check, broken.position, "", str(broken))
    return verdict


# -- The file ------------------------------------------------------------------------------------


def _members(file: BinaryIO) -> dict[str, Placed]:
    """Where the members are, in a file that is written in the one way a pack is."""
    size = file.seek(0, 2)
    if size > LARGEST:
        raise _Broken("structure", f"larger than the {LARGEST} bytes a pack may have")
    placed: list[Placed] = []
    for name in MEMBERS:
        at = placed[-1].ends if placed else 0
        file.seek(at)
        member = Placed.read(name, at, file.read(LOCAL + len(name)))
        if member is None or member.ends > size:
            raise _Broken("structure", f"no pack, or cut off: {name} is not where it ought to be")
        if member.size > MOST.get(name, size):
            raise _Broken("structure", f"{name} is larger than {MOST[name]} bytes")
        placed.append(member)
    file.seek(placed[-1].ends)
    end = directory(placed)
    if file.read(len(end) + 1) != end:
        raise _Broken("structure", "no pack, or cut off: it does not end as one")
    return {member.name: member for member in placed}


def _chunks(file: BinaryIO, member: Placed) -> Iterator[bytes]:
    file.seek(member.begins)
    left = member.size
    while left:
        chunk = file.read(min(left, 1 << 20))
        if not chunk:
            raise _Broken("structure", f"{member.name} was cut off while it was read")
        left -= len(chunk)
        yield chunk


def _lines(file: BinaryIO, member: Placed) -> Iterator[bytes]:
    """The lines of a member, without their ends; nobody else may read the file meanwhile."""
    file.seek(member.begins)
    left = member.size
    while left:
        line = file.readline(min(left, LONGEST))
        if not line.endswith(b"\n"):
            raise _Broken("structure", f"{member.name} has a line that does not end")
        left -= len(line)
        yield line[:-1]


def _leaf(entry: Withheld) -> bytes:
    try:
        leaf = unb64(entry.leaf)
    except NotANote:
        leaf = b""
    if len(leaf) != HASH:
        raise _Broken("form", "no leaf hash", entry.position)
    return leaf


def _stored(entry: Shown, line: bytes) -> Stored:
    """An event as it was stored, if its line is how that is written."""
    try:
        body = unb64(entry.base64) if entry.body is None else entry.body.encode()  # type: ignore[arg-type]  # None is not base64
        stored = Stored(entry.position, entry.subject, entry.headers, body)
        same = line_of(stored) == line + b"\n"
    except (NotANote, TypeError):
        same = False
    if not same:
        raise _Broken("structure", "not written as a pack has it", entry.position)
    return stored


# -- The check -----------------------------------------------------------------------------------


class _Check:
    """One pack while it is checked."""

    def __init__(
        self,
        files: Sequence[BinaryIO],
        members: dict[str, Placed],
        keys: Sequence[PublicKey],
        verdict: Verdict,
    ) -> None:
        """`files` are two of the same pack: events and nodes are read side by side."""
        self._file, self._beside = files
        self._members = members
        self._trusted = keys
        self._verdict = verdict
        self._find = verdict.find
        self._manifest = self._read_manifest()
        self._in_part = frozenset(self._manifest.in_part)
        self._named = self._in_part | {*self._manifest.whole}
        self._keys = self._public_keys()
        self._checkpoints = self._signed()
        self._due = self._checkpoints[::-1]
        self._chain = Chain()
        self._tree = Tree()
        self._forked = False
        self._types: set[str] = set()
        self._hidden: list[int] = []
        self._last = self._nodes = 0

    def run(self, account: Callable[[Scope], Account]) -> None:
        """Check what was signed, and say what that proves."""
        figures = self._events(account)
        self._counts()
        self._schemas()
        self._figures(figures)
        self._verdict.proved += self._proved()
        self._verdict.not_proved += self._not_proved()

    def _read(self, name: str) -> bytes:
        return b"".join(_chunks(self._file, self._members[name]))

    def _json(self, name: str) -> Any:  # noqa: ANN401 -- JSON
        try:
            return read(self._read(name))
        except (ValueError, RecursionError):
            raise _Broken("structure", f"{name} is not JSON as a pack has it") from None

    def _read_manifest(self) -> Manifest:
        content = self._read("manifest.json")
        try:
            manifest = Manifest.model_validate_json(content)
        except ValidationError:
            raise _Broken("manifest", "manifest.json is none") from None
        if written(manifest.model_dump(mode="json")) != content or manifest.format != FORMAT:
            raise _Broken("manifest", f"manifest.json is not written as {FORMAT} has it")
        if manifest.members.keys() != {*MEMBERS[1:]}:
            raise _Broken("manifest", "the manifest does not name the members of a pack")
        for name, member in self._members.items():
            crc, digest = 0, hashlib.sha256()
            for chunk in _chunks(self._file, member):
                crc = zlib.crc32(chunk, crc)
                digest.update(chunk)
            said = Member(bytes=member.size, sha256=digest.hexdigest())
            if crc != member.crc or manifest.members.get(name, said) != said:
                self._find(
                    "structure", 0, "", f"{name} is not what its CRC-32 or the manifest says"
                )
        self._verdict.scope = manifest.scope.model_dump()
        return manifest

    # -- What was signed -------------------------------------------------------------------------

    def _public_keys(self) -> list[PublicKey]:
        try:
            lines = self._read("keys").decode().splitlines()
            return [PublicKey.read(line) for line in lines]
        except (NotANote, UnicodeDecodeError) as wrong:
            raise _Broken("signature", f"keys: {wrong}") from None

    def _signed(self) -> list[Checkpoint]:
        """The checkpoints, the earliest first; a finding where one is not signed as it ought to be."""
        found: list[Checkpoint] = []
        note = b""
        for line in _lines(self._file, self._members["checkpoints.jsonl"]):
            try:
                note = str(read(line)).encode()
                said = Checkpoint.read(Note.read(note).text)
            except (NotANote, ValueError) as wrong:
                raise _Broken("checkpoint", f"no checkpoint: {wrong}") from None
            if len(found) > MOST_CHECKPOINTS or (found and said.size <= found[-1].size):
                raise _Broken("checkpoint", "too many checkpoints, or out of order, or twice")
            self._must_be_signed(said, note)
            found.append(said)
        told = self._manifest
        if not found or {one.origin for one in found} != {told.origin}:
            raise _Broken("checkpoint", "no checkpoints of the log that the manifest names")
        if (told.size, told.root) != (found[-1].size, b64(found[-1].root)):
            self._find("checkpoint", 0, "", "not the checkpoint that the manifest names")
        if not self._trusted:
            whose = ", ".join(map(str, self._signers(note, self._keys))) or "none of those in it"
            self._find("signature", 0, "", f"no trusted key was given; signed by {whose}")
        self._verdict.checkpoints = len(found)
        return found

    def _must_be_signed(self, said: Checkpoint, note: bytes) -> None:
        for keys, which in ((self._trusted, "that was given"), (self._keys, "in the pack")):
            try:
                if keys or keys is self._keys:
                    signed(note, keys)
            except BadSignature as wrong:
                detail = f"checkpoint of size {said.size}: by no key {which}: {wrong}"
                self._find("signature", said.size, "", detail)

    def _signers(self, note: bytes, keys: Sequence[PublicKey]) -> list[PublicKey]:
        try:
            return Note.read(note).signers(keys)
        except BadSignature:
            return []

    # -- Events ----------------------------------------------------------------------------------

    def _events(self, make: Callable[[Scope], Account]) -> Account | None:
        """Take every event, grow the tree with it, hold it against every checkpoint on the way."""
        account: Account | None = make(self._manifest.scope)
        end = self._checkpoints[-1].size
        for line in _lines(self._file, self._members["events.jsonl"]):
            try:
                entry = _LINE.validate_json(line)
            except ValidationError:
                raise _Broken("structure", f"no event behind position {self._last}") from None
            if not self._last < entry.position <= end:
                detail = "out of order, a second time, or behind the checkpoint"
                raise _Broken("contiguity", detail, entry.position)
            self._grow(entry.position - 1)
            self._last = entry.position
            if isinstance(entry, Withheld):
                if written(entry.model_dump()) != line:
                    raise _Broken("structure", "not written as a pack has it", entry.position)
                self._tree.graft(0, _leaf(entry))
                self._hidden.append(entry.position)
                continue
            stored = _stored(entry, line)
            digest, leaf = leaf_of(stored)
            self._tree.graft(0, leaf)
            self._verdict.events += 1
            record = self._event(stored, digest)
            if account:
                account = self._taken(account, record) if record else None
        self._grow(end)
        if self._nodes * HASH != self._members["nodes"].size:
            self._find("tree", 0, "", "nodes are missing, or stand for nothing")
        self._verdict.streams = len(self._chain.heads)
        self._verdict.withheld = len(self._hidden)
        return account

    def _grow(self, size: int) -> None:
        """Fill the tree up to a size with the nodes of the pack; compare wherever something was signed."""
        while self._due and self._due[-1].size <= size:
            checkpoint = self._due.pop()
            self._fill(checkpoint.size)
            if self._tree.root() == checkpoint.root:
                self._verdict.sealed = checkpoint.size
                self._verdict.root = checkpoint.root.hex()
            elif not self._forked:
                self._forked = True
                detail = "what is shown up to here does not lead to what was signed"
                self._find("tree", checkpoint.size, "", detail)
        self._fill(size)

    def _fill(self, size: int) -> None:
        nodes = self._members["nodes"]
        self._beside.seek(nodes.begins + self._nodes * HASH)
        for level, _ in between(self._tree.size, size):
            self._nodes += 1
            self._tree.graft(level, self._beside.read(HASH))

    def _event(self, stored: Stored, digest: str) -> Record | None:
        """An event held against its stream, its schema, and what the pack says it is of."""
        scope, where = self._manifest.scope, (stored.position, stored.subject)
        try:
            record = recorded(stored)
        except ValueError:
            self._find("form", *where, "no subject of an event")
            return None
        if scope.school not in {None, record.school}:
            self._find("scope", *where, "of another school")
        if scope.issue and stored.subject not in self._named:
            self._find("scope", *where, "of a stream that the manifest does not name")
        if stored.subject in self._in_part:
            self._leap(record)
        for wrong, detail in self._chain.check(record, digest):
            self._find(wrong, *where, detail)
        if record.type:
            self._types.add(record.type)
        return record

    def _leap(self, record: Record) -> None:
        """Pass over the events of a stream that are not in the pack."""
        heads = self._chain.heads
        try:
            if record.version > heads.get(record.subject, Head()).version + 1:
                heads[record.subject] = Head(record.version - 1, record.previous)
        except (KeyError, ValueError):
            return  # it is no event, and found to be none

    def _believed(self) -> bool:
        """Whether nothing was found so far, but for who signed it."""
        return self._verdict.counts.keys() <= {"signature"}

    def _taken(self, account: Account, record: Record) -> Account | None:
        if not self._believed():
            return None
        try:
            account.take(record)
        except Exception as error:  # noqa: BLE001 -- what was never decided may break a fold in any way
            detail = f"nothing can be worked out from here on: {type(error).__name__}"
            self._find("figures", record.position, record.subject, detail)
            return None
        return account

    # -- What stands beside the events -----------------------------------------------------------

    def _counts(self) -> None:
        told, seen = self._manifest, self._chain.heads.keys()
        counted = {
            "events": self._verdict.events,
            "withheld": len(self._hidden),
            "nodes": self._nodes,
            "checkpoints": len(self._checkpoints),
        }
        for name, count in counted.items():
            if getattr(told, name) != count:
                self._find("manifest", 0, "", f"{count} {name}, not {getattr(told, name)}")
        if told.scope.issue:
            own = f"evt.{told.scope.school}.rectification.issue.{told.scope.issue}"
            claimed = (*told.whole, *told.in_part)
            issues = [subject for subject in seen if subject.startswith(own[: own.rindex(".")])]
            if sorted(claimed) != sorted(seen) or (issues and own not in seen):
                self._find("scope", 0, "", "not the streams that the manifest names")
            if [*told.whole] != sorted(told.whole) or [*told.in_part] != sorted(told.in_part):
                self._find("manifest", 0, "", "streams out of order")
        elif (told.whole, told.in_part, told.withheld) != ((told.scope.subjects,), (), 0):
            self._find("scope", 0, "", "not the streams that such a pack has")
        if not self._last:
            self._find("scope", 0, "", "no event of it")
        if not told.scope.school and self._nodes:
            self._find("scope", 0, "", "not the whole log")

    def _schemas(self) -> None:
        """Hold the schemas against ours, to the letter: a pack of another version is for that version."""
        told = self._json("schemas.json")
        known = self._types & Event.known.keys()
        if not isinstance(told, dict) or told.keys() != known:
            raise _Broken("schema", "not the schemas of the types that occur")
        for type_ in sorted(known):
            if written(told[type_]) != written(schema(type_)):
                self._find("schema", 0, "", f"{type_}: not the schema that this version knows")

    def _figures(self, account: Account | None) -> None:
        """Work the figures out anew, if everything they are made of is proved."""
        told = self._json("figures.json")
        if account is None or not self._believed():
            return
        try:
            found = plain(account.figures(self._checkpoints[-1].size, self._manifest.whole))
        except Exception as error:  # noqa: BLE001 -- as above
            self._find("figures", 0, "", f"cannot be worked out: {type(error).__name__}")
            return
        if written(told) == written(found):
            amounts = (one for group in told.values() for one in group.values())
            self._verdict.figures = told if any(amounts) else None
        else:
            self._find("figures", 0, "", f"not what the events amount to: {_where(told, found)}")

    # -- What is said ----------------------------------------------------------------------------

    def _proved(self) -> Iterator[Said]:
        report, wrong = self._verdict, self._verdict.counts
        sealed, earlier = self._checkpoints[-1], len(self._checkpoints) - 1
        lines = (
            (
                {"structure", "manifest"},
                "structure",
                f"文件逐字节符合格式 {FORMAT},{len(MEMBERS)} 个成员的大小与摘要均与清单一致",
            ),
            (
                {"signature", "checkpoint"},
                "signature",
                f"检查点由你信任的公钥签名:日志 {sealed.origin},至位置 {sealed.size}",
            ),
            (
                {"tree", "contiguity"},
                "inclusion",
                f"{report.events} 个事件、{report.withheld} 个只出示叶哈希的事件都在所签的日志中,位置无误",
            ),
            (
                {"tree", "contiguity"},
                "consistency",
                f"此前 {earlier} 个检查点都是同一日志的前段:日志只增不改",
            ),
            (
                {"hash", "chain", "version", "form", "scope"},
                "chain",
                f"事件的哈希与所存内容相符;{report.streams} 条流前后相扣,声明完整的自第 1 个事件起无缺号",
            ),
            (
                {"schema", "form"},
                "schema",
                f"每个事件都符合其类型的结构,共 {len(self._types)} 种",
            ),
        )
        for checks, about, text in lines:
            if not wrong.keys() & checks:
                yield Said(about, text)
        if report.figures is not None:
            yield Said("figures", "统计数字已由包内事件重新算出,与包内所载一致")

    def _not_proved(self) -> Iterator[Said]:
        told, sealed = self._manifest, self._checkpoints[-1]
        lines = (
            (
                not self._trusted,
                "signature",
                f"未用 --keys 给出你已信任的公钥,包内的不能为自己作证;请另行核对:{_listed(self._keys)}",
            ),
            (
                self._hidden,
                "withheld",
                f"位置 {_listed(self._hidden)} 的事件还涉及别的问题或意见,内容未出示",
            ),
            (
                self._in_part,
                "in-part",
                f"下列流只收入有关的事件,缺号处是否相扣未核:{_listed(sorted(self._in_part))}",
            ),
            (
                self._verdict.figures is None,
                "figures",
                "统计数字:上面有问题未清,或缺少算出它们所需的完整的流",
            ),
            (
                told.scope.school,
                "completeness",
                f"至位置 {sealed.size} 是否另有应收而未收的事件:只有整个日志的包才能证明",
            ),
            (True, "later", f"位置 {sealed.size} 之后又发生了什么"),
            (True, "words", "密封的文字写了什么:包内没有任何解密的钥匙"),
            (True, "truth", "所记之事是否属实:能证明的只是记录未被改动"),
        )
        for is_so, about, text in lines:
            if is_so:
                yield Said(about, text)


def _where(told: Any, found: Any, path: str = "") -> str:  # noqa: ANN401 -- JSON
    """The first place at which two JSON values differ."""
    if isinstance(told, dict) and isinstance(found, dict):
        for name in sorted(told.keys() | found.keys()):
            if told.get(name) != found.get(name) or (name in told) != (name in found):
                return _where(told.get(name), found.get(name), f"{path}/{name}")
    if isinstance(told, list) and isinstance(found, list) and len(told) == len(found):
        for n, (one, other) in enumerate(zip(told, found, strict=True)):
            if one != other:
                return _where(one, other, f"{path}/{n}")
    return path or "/"


def _listed(some: Sequence[object]) -> str:
    more = f" 等共 {len(some)} 个" if len(some) > NAMED else ""
    return "、".join(map(str, some[:NAMED])) + more
