"""A campaign of two schools as the log holds it, every text sealed, and packs made of it without a server."""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from services.audit.pack import MEMBERS, Making, Manifest, Placed, Scope, directory, written
from services.audit.shelf import Shelf
from services.audit.unpack import Verdict, check
from services.campaign.events import SchoolEnrolled
from services.cli.pack import account_of
from services.feedback.events import (
    CollatedOpinion,
    CollationClosed,
    CollationOpened,
    OpinionPart,
    OpinionsGrouped,
    OpinionSplit,
    PartSetAside,
    ProposedIssue,
    RefusalCode,
)
from services.rectification.events import (
    IssueMerged,
    Origin,
    OriginKind,
    PlanLine,
    PlanLineSet,
    Source,
    SourceKind,
    SourceVoided,
)
from services.rectification.lineage import Lineage
from services.rectification.policy import issue_of
from services.talks.events import TalkProblemRaised, TalkVoided
from shared.broker import Stored
from shared.decider import Event, PersonId
from shared.envelope import GENESIS, Provenance, Subject, draft
from shared.marks import TOKEN_PREFIX, transform
from shared.note import PublicKey
from tests.audit.history import KEY, signed
from tests.oversight import deeds
from tests.oversight.town import ADMIN, LEADER, MARCH, MAY, ZHOU, Entry


def some(name: str) -> str:
    """An id such as the product gives."""
    return str(uuid5(NAMESPACE_URL, f"tests:{name}"))


SCHOOL, ELSEWHERE = "s-1", "s-2"
BOTH, COLD, DARK, WET, FAR = map(some, ("both", "cold", "dark", "wet", "far"))
"""Opinions: the first became two issues, the third was set aside, the last is another school's."""
COLLATION, SECOND, PLAN = map(some, ("collation", "second", "plan"))
CANTEEN, LAMP = issue_of(COLLATION, "canteen"), issue_of(COLLATION, "lamp")
DINING = issue_of(SECOND, "dining")
"""Merged into the canteen's."""
CHILD = some("child")
"""Part of the canteen's."""
TALK = some("talk")
TAP, DOOR = (issue_of(TALK, key, SourceKind.talk) for key in ("tap", "door"))
"""Raised in one talk, which was declared void."""
NOBODY = frozenset[str]()
ISSUES = {
    CANTEEN: frozenset({BOTH}),
    LAMP: frozenset({BOTH, COLD}),
    DINING: frozenset({WET}),
    CHILD: NOBODY,
    TAP: NOBODY,
    DOOR: NOBODY,
}
"""And the opinions each comes from."""
EVERY = 7  # positions between two checkpoints


class Log:
    """The log as it is appended to: hashes, chains and versions as the product makes them."""

    def __init__(self) -> None:
        """Nothing is in it."""
        self.events: list[Stored] = []
        self._heads: dict[str, tuple[int, str, int]] = {}

    def add(self, school: str, entry: Entry, cause: Stored | None = None) -> Stored:
        """Append what happened, because of something or of its own accord."""
        service, category, *_ = entry.event.TYPE.split(".")
        place = Subject(school, service, category, entry.stream)
        version, previous, after = self._heads.get(str(place), (0, GENESIS, 0))
        position = len(self.events) + 1
        at = datetime.combine(entry.on, time(2), UTC) + timedelta(minutes=position)
        command = uuid5(UUID(int=0), f"command {position}")
        first = UUID(cause.headers["ce-correlationid"]) if cause else command
        why = UUID(cause.headers["ce-id"]) if cause else None
        fingerprint = uuid5(UUID(int=1), f"{position}").hex * 2
        said = Provenance(entry.by, at, at, command, fingerprint, first, why)
        new = draft(
            place, _sealed(entry.event, place), said, version=version + 1, previous=previous
        )
        headers = {
            **new.headers,
            "Nats-Msg-Id": str(new.id),
            "Nats-Expected-Last-Subject-Sequence": str(after),
        }
        self._heads[str(place)] = version + 1, new.hash, position
        self.events.append(Stored(position, new.subject, headers, new.body))
        return self.events[-1]


def _sealed(event: Event, place: Subject) -> Event:
    """An event with each text a token of its own."""

    def token(_mark: object, _owner: object, field: str, text: str) -> str:
        box = uuid5(NAMESPACE_URL, f"{place} {event.TYPE} {field} {text}").hex
        return f"{TOKEN_PREFIX}{place.category}.{place.id}~{field}~{box}"

    return transform(event, token)


def proposed(key: str, *parts: OpinionPart) -> ProposedIssue:
    return deeds.proposed(key).model_copy(update={"parts": parts, "title": f"… {key}"})


def plan_line(issue: str, *origins: Origin) -> Entry:
    task = PlanLine(issue=issue, task="…", owner=ZHOU, begins_on=MARCH, due_on=MAY, origins=origins)
    return Entry(PLAN, PlanLineSet(line=task))


def campaign() -> list[Stored]:
    """From the spoken word to the strike-off, at two schools; `ISSUES` and `deeds` say what happens."""
    log = Log()
    for school in (SCHOOL, ELSEWHERE):
        enrolled = SchoolEnrolled(name="…", zone="Asia/Shanghai", language="zh")
        log.add(school, Entry(school, enrolled))
    for opinion in (BOTH, COLD, DARK, WET):
        log.add(SCHOOL, deeds.spoken(opinion))
    log.add(ELSEWHERE, deeds.spoken(FAR))
    heard = tuple(CollatedOpinion(opinion=o, length=4) for o in (BOTH, COLD, DARK))
    canteen = proposed("canteen", OpinionPart(opinion=BOTH, start=0, end=2))
    lamp = proposed("lamp", OpinionPart(opinion=BOTH, start=2, end=4), OpinionPart(opinion=COLD))
    aside = PartSetAside(part=OpinionPart(opinion=DARK), code=RefusalCode.out_of_scope, reason="…")
    for event in (
        CollationOpened(opinions=heard, collator=ADMIN),
        OpinionSplit(opinion=BOTH, cuts=(2,)),
        OpinionsGrouped(issue=canteen),
        OpinionsGrouped(issue=lamp),
        aside,
    ):
        log.add(SCHOOL, Entry(COLLATION, event))
    closing = log.add(SCHOOL, Entry(COLLATION, CollationClosed(issues=(canteen, lamp))))
    _opened(log, CANTEEN, COLLATION, closing)
    of_the_lamp = _opened(log, LAMP, COLLATION, closing)
    log.add(SCHOOL, deeds.acknowledged(BOTH))
    log.add(SCHOOL, deeds.acknowledged(BOTH), of_the_lamp)
    dining = proposed("dining", OpinionPart(opinion=WET))
    log.add(SCHOOL, Entry(SECOND, OpinionsGrouped(issue=dining)))
    closing = log.add(SCHOOL, Entry(SECOND, CollationClosed(issues=(dining,))))
    _opened(log, DINING, SECOND, closing)
    log.add(SCHOOL, Entry(DINING, IssueMerged(into=CANTEEN, reason="…")))
    child = deeds.opened(CHILD).event.model_copy(update={"parent": CANTEEN, "sources": ()})
    log.add(SCHOOL, Entry(CHILD, child))
    for entry in (*deeds.plan(PLAN, LAMP), plan_line(CANTEEN)):
        log.add(SCHOOL, entry)
    log.add(SCHOOL, plan_line(CANTEEN, Origin(kind=OriginKind.issue, id=LAMP, key="1")))
    for issue in (CANTEEN, LAMP):
        for entry in deeds.closed(issue)[1:]:
            last = log.add(SCHOOL, entry)
    because = log.add(SCHOOL, plan_line(LAMP), last)
    log.add(SCHOOL, deeds.acknowledged(BOTH), because)  # a story that began with the lamp
    _talked(log)
    log.add(SCHOOL, deeds.judged(CANTEEN, PersonId(f"originator:{BOTH}")))
    log.add(ELSEWHERE, deeds.acknowledged(FAR))
    log.add(SCHOOL, deeds.judged(LAMP, PersonId(f"originator:{COLD}")))
    return log.events


def _opened(
    log: Log, issue: str, source: str, cause: Stored, kind: SourceKind = SourceKind.collation
) -> Stored:
    opinions = tuple(sorted(ISSUES[issue]))
    return log.add(SCHOOL, deeds.opened(issue, opinions=opinions, source=source, kind=kind), cause)


def _talked(log: Log) -> None:
    """Two problems come up in a talk and become issues; then the talk is void, and each is told so."""
    log.add(SCHOOL, deeds.talked(TALK, LEADER, ZHOU))
    for key, issue in (("tap", TAP), ("door", DOOR)):
        said = dict(proposed(key))
        del said["parts"]
        problem = TalkProblemRaised(**said)
        raised = log.add(SCHOOL, Entry(TALK, problem))
        _opened(log, issue, TALK, raised, SourceKind.talk)
    void = log.add(SCHOOL, Entry(TALK, TalkVoided(reason="…", problems=("tap", "door"))))
    for key, issue in (("tap", TAP), ("door", DOOR)):
        source = Source(kind=SourceKind.talk, id=TALK)
        told = SourceVoided(source=source, key=key, event=void.headers["ce-id"])
        log.add(SCHOOL, Entry(issue, told), void)


LOG = campaign()


# -- Packs ---------------------------------------------------------------------------------------


def shelf_of(directory: Path, events: Sequence[Stored] = LOG) -> Shelf:
    """What was signed of a log, several times on the way."""
    return signed(directory, events, every=EVERY)


def packed(
    shelf: Shelf,
    scope: Scope,
    out: Path,
    events: Iterable[Stored] = LOG,
    keys: Sequence[PublicKey] = (KEY.public,),
) -> Manifest:
    """A pack, made as the command makes it but for the log, which is at hand."""
    events = [e for e in events if not scope.school or e.subject.startswith(f"evt.{scope.school}.")]
    selection = Lineage(scope.school, scope.issue) if scope.school and scope.issue else None
    with Making(shelf, keys, scope, account_of(scope), out, selection) as making:
        for reading in making.readings:
            for stored in events:
                reading(stored)
        return making.end()


def checked(pack: Path, *keys: PublicKey) -> Verdict:
    """What a third party who trusts these keys makes of a pack."""
    return check(pack, keys, account_of)


def contents(pack: Path) -> dict[str, bytes]:
    """The members of a pack."""
    with zipfile.ZipFile(pack) as file:
        return {name: file.read(name) for name in MEMBERS}


def rewritten(
    pack: Path, out: Path, said: dict[str, Any] | None = None, *, crc: int = 0, **changed: bytes
) -> Path:
    """A pack with other members, by the first word of their names, and a manifest that says so of them."""
    members = contents(pack)
    members |= {name: changed.get(name.partition(".")[0], c) for name, c in members.items()}
    if "manifest" not in changed:
        digests = {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in members.items()
            if name != "manifest.json"
        }
        told = json.loads(members["manifest.json"])
        members["manifest.json"] = written({**told, "members": digests, **(said or {})})
    placed: list[Placed] = []
    with out.open("wb") as file:
        for name, content in members.items():
            at = placed[-1].ends if placed else 0
            placed.append(Placed(name, at, zlib.crc32(content) ^ crc, len(content)))
            file.write(placed[-1].header() + content)
        file.write(directory(placed))
    return out
