"""The intake box: what is said without a name waits here, encrypted, and enters the log in shuffled batches.

The sender gets a receipt code at once. Nothing in the box or in the log says who it was, from where,
or when: not the id (it derives from a key and the sender's secret), not the position (a batch is
shuffled), not the time (a batch has one, on a fixed grid).
"""

import asyncio
import hashlib
import hmac
import logging
import re
import secrets
import unicodedata
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import AfterValidator, Field, ValidationError

from services.campaign.calendar import Period, duration
from services.campaign.events import SettingUnit
from services.feedback.domain.opinion import ANONYMOUS, SubmitOpinion, admit
from services.feedback.projection import directory
from shared import metrics
from shared.broker import JetStreamRefusal
from shared.callers import Caller
from shared.decider import Rejected, Unavailable, kebab, wire
from shared.envelope import Subject
from shared.mongo import Collection, Document
from shared.runtime import Desk, KeyReused, Query, Reply, Runtime, Taken, now

log = logging.getLogger(__name__)

SCOPE = "school.receipts"
"""The scope of the key that receipts, ids and boxes of a school derive from."""
DIGITS = 16
FAILED_LOOKUPS = 30
"""Failed look-ups a school allows …"""
WITHIN = timedelta(minutes=10)
"""… in this time; there are 10¹⁶ codes, so guessing stays hopeless."""
TOKEN_LIFETIME = 600  # seconds an originator may act before giving the code again
SHORTEST = timedelta(milliseconds=10)
"""Between two batches, whatever policy says."""

_NONCE = 12
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

# -- What derives from the key -------------------------------------------------------------------


@dataclass(frozen=True)
class Secrets:
    """Everything that derives from a school's receipt key and a sender's idempotency key."""

    key: bytes = field(repr=False)

    def _keyed(self, purpose: str, text: str = "") -> bytes:
        return hmac.digest(self.key, f"{purpose}\x1f{text}".encode(), "sha256")

    def opinion(self, sender: UUID) -> str:
        """The opinion's id."""
        return str(UUID(bytes=self._keyed("opinion", str(sender))[:16], version=4))

    def command(self, opinion: str) -> UUID:
        """The id of the command that records it: not the sender's, so the log does not know that one."""
        return UUID(bytes=self._keyed("command", opinion)[:16], version=4)

    def code(self, sender: UUID) -> str:
        """The receipt code: `dddd-dddd-dddd-dddd`, the same for the same idempotency key."""
        number = int.from_bytes(self._keyed("code", str(sender))) % 10**DIGITS
        digits = f"{number:0{DIGITS}d}"
        return "-".join(digits[i : i + 4] for i in range(0, DIGITS, 4))

    async def lookup(self, code: str) -> str:
        """What a code is found by, in hex: scrypt under the school's pepper, in a thread of its own."""
        pepper = self._keyed("pepper")
        found = await asyncio.to_thread(
            hashlib.scrypt, code.encode(), salt=pepper, n=2**13, r=8, p=1, dklen=32
        )
        return found.hex()

    def fingerprint(self, body: str) -> str:
        """A keyed hash of what was sent, to tell a repetition from another request."""
        return self._keyed("fingerprint", body).hex()

    def enclose(self, opinion: str, body: str) -> bytes:
        """Encrypt what was sent for the time it waits."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher().encrypt(nonce, body.encode(), opinion.encode())

    def disclose(self, opinion: str, enclosed: bytes) -> str:
        """Decrypt what `enclose` made."""
        nonce, rest = enclosed[:_NONCE], enclosed[_NONCE:]
        return self._cipher().decrypt(nonce, rest, opinion.encode()).decode()

    def _cipher(self) -> AESGCM:
        return AESGCM(self._keyed("box"))


async def _secrets(desk: Desk) -> Secrets:
    return Secrets(await desk.key(SCOPE))


# -- Putting in ----------------------------------------------------------------------------------


async def into_the_box(taken: Taken, runtime: Runtime) -> Reply | None:
    """Take an anonymous submission: check it, keep it, give the receipt.

    The same idempotency key and body give the same receipt for ever.

    Raises:
        KeyReused: the same key with another body.
        Rejected: what the opinion itself would be refused for.
    """
    if taken.caller.id != ANONYMOUS:
        return None
    desk = runtime.desk(taken.school, taken.at)
    mine = await _secrets(desk)
    opinion, code = mine.opinion(taken.id), mine.code(taken.id)
    said = SubmitOpinion.model_construct(
        **{name: getattr(taken.body, name) for name in type(taken.body).model_fields},
        by=ANONYMOUS,
        at=taken.at,
        stream=opinion,
    )
    body = taken.body.model_dump_json()
    receipt = {
        "_id": f"{taken.school}/{await mine.lookup(code)}",
        "school": taken.school,
        "opinion": opinion,
        "fingerprint": mine.fingerprint(body),
    }
    known = await _receipts(runtime).get(receipt["_id"])
    if known is None:
        admit(said, await taken.stream.facts(said, desk))
        if not await runtime.privacy.keyring.keep(desk.made):  # another process was faster
            return await into_the_box(taken, runtime)
        if not await _receipts(runtime).insert(receipt):
            known = await _receipts(runtime).get(receipt["_id"])
    if known and not hmac.compare_digest(known["fingerprint"], receipt["fingerprint"]):
        raise KeyReused
    if known is None or not await _recorded(taken.school, opinion, runtime):
        waiting = {
            "_id": f"{taken.school}/{opinion}",
            "school": taken.school,
            "opinion": opinion,
            "body": mine.enclose(opinion, body),
        }
        await _box(runtime).insert(waiting)
    return Reply(opinion, 0, 0, repeated=known is not None, more={"receipt": code})


def _receipts(at: Runtime) -> Collection:
    return at.mongo.keep("receipts")


def _box(at: Runtime) -> Collection:
    return at.mongo.keep("box")


async def _recorded(school: str, opinion: str, runtime: Runtime) -> bool:
    """Whether the log has it already, so that a repetition need not wait in the box once more."""
    place = Subject(school, runtime.service.name, "opinion", opinion)
    return await runtime.journal.head(str(place)) > 0


# -- Emptying ------------------------------------------------------------------------------------


async def empty_the_box(runtime: Runtime) -> None:
    """Let what waits into the log, every school at its own interval, as long as the service runs."""
    seen: dict[str, datetime] = {}
    while True:
        await asyncio.sleep(min(runtime.settings.box_interval, 1) / 4)
        try:
            await _round(runtime, seen)
        except (Unavailable, JetStreamRefusal) as trouble:
            log.warning("the box waits: %s", trouble)


async def _round(runtime: Runtime, seen: dict[str, datetime]) -> None:
    """Empty the boxes of the schools where a new batch has begun since something was `seen` to wait."""
    waiting = await _box(runtime).find({}, fields=["school"])
    metrics.BOX_WAITING.labels(runtime.service.name).set(len(waiting))
    moment = now()
    schools = {document["school"] for document in waiting}
    for school in seen.keys() - schools:
        del seen[school]
    for school in sorted(schools):
        begins = begun(moment, _interval(school, runtime))
        if seen.setdefault(school, begins) < begins:
            await _empty(school, begins, runtime)
            del seen[school]


def _interval(school: str, runtime: Runtime) -> timedelta:
    known = runtime.projector.ledger(directory, school)
    if known is not None and "intake_batch" in known.policy.values:
        return length(known.policy.setting("intake_batch"))
    return max(timedelta(seconds=runtime.settings.box_interval), SHORTEST)


def length(setting: Period) -> timedelta:
    """How long a batch is collected; a school day is 24 hours here: nights shall tell nothing."""
    if setting.unit is SettingUnit.duration:
        return max(duration(setting.value), SHORTEST)
    return max(timedelta(days=int(setting.value)), SHORTEST)


def begun(moment: datetime, each: timedelta) -> datetime:
    """When the batch began that an instant falls into: a grid that nothing anybody does can move."""
    return moment - (moment - _EPOCH) % each


async def _empty(school: str, begins: datetime, runtime: Runtime) -> None:
    mine = await _secrets(runtime.desk(school, begins))
    batch = await _box(runtime).find({"school": school})
    secrets.SystemRandom().shuffle(batch)
    for document in batch:
        if document.get("parked") and await _given_up(document, runtime):
            continue
        try:
            await runtime.carry_out(_submission(document, begins, mine, runtime))
        except Rejected as refusal:
            await _park(document, refusal.code, runtime)
        except (InvalidTag, ValidationError) as damage:
            await _park(document, type(damage).__name__, runtime)
        else:
            await _done(document, runtime)


def _submission(document: Document, at: datetime, mine: Secrets, runtime: Runtime) -> Taken:
    """What waits, as a command without sender, trace or cause."""
    stream, kind = runtime.service.commands()[kebab(SubmitOpinion.__name__)]
    opinion = document["opinion"]
    body = wire(SubmitOpinion).model_validate_json(mine.disclose(opinion, document["body"]))
    caller = Caller(ANONYMOUS, frozenset({"anonymous"}))
    return Taken(document["school"], stream, kind, opinion, body, caller, mine.command(opinion), at)


async def _done(document: Document, runtime: Runtime) -> None:
    if document.get("parked"):
        await _parked(runtime).delete({"_id": _parked_id(document)})
        metrics.PARKED.labels(runtime.service.name).dec()
    await _box(runtime).delete({"_id": document["_id"]})


async def _given_up(document: Document, runtime: Runtime) -> bool:
    """Take out what an operator decided to skip; the decision stays on record."""
    parked = await _parked(runtime).get(_parked_id(document))
    if not parked or parked.get("decision") != "skip":
        return False
    await _box(runtime).delete({"_id": document["_id"]})
    return True


async def _park(document: Document, reason: str, runtime: Runtime) -> None:
    """Say where people look that something could not be recorded; it stays in the box."""
    if not document.get("parked"):
        metrics.PARKED.labels(runtime.service.name).inc()
    place = Subject(document["school"], runtime.service.name, "opinion", document["opinion"])
    what = {"service": runtime.service.name, "kind": "box", "stream": str(place), "reason": reason}
    await _parked(runtime).update(_parked_id(document), what)
    await _box(runtime).update(document["_id"], {"parked": True}, upsert=False)


def _parked(at: Runtime) -> Collection:
    return at.mongo.keep("parked")


def _parked_id(document: Document) -> str:
    return f"feedback-box {document['_id']}"


# -- Receipts ------------------------------------------------------------------------------------


class UnknownReceipt(Rejected):
    """No opinion has this receipt code."""

    zh = "没有与该回执码对应的意见"


class TooManyAttempts(Rejected):
    """Too many wrong codes were tried here; please come back later."""

    zh = "查询次数过多，请稍后再试"


_SEPARATORS = re.compile(r"[\s\-‐-―－]+")


def _sixteen_digits(code: str) -> str:
    digits = _SEPARATORS.sub("", unicodedata.normalize("NFKC", code))
    if not (len(digits) == DIGITS and digits.isascii() and digits.isdecimal()):
        msg = "must be 16 digits"
        raise ValueError(msg)
    return "-".join(digits[i : i + 4] for i in range(0, DIGITS, 4))


ReceiptCode = Annotated[str, Field(max_length=64, repr=False), AfterValidator(_sixteen_digits)]
"""A receipt code however it was typed: with or without hyphens and spaces, in half or full width."""


class ReceiptToken(Query):
    """Exchange a receipt code for a token that lets its originator read, answer and judge."""

    zh = "凭回执码查询"
    path = "receipts"
    method: ClassVar[str] = ""
    allowed = frozenset({"anonymous", "person"})
    code: ReceiptCode


@dataclass
class Budget:
    """How many look-ups may fail in a while; one for all who ask, so it knows nobody."""

    most: int = FAILED_LOOKUPS
    within: timedelta = WITHIN
    _spent: deque[datetime] = field(default_factory=deque)

    def spend(self, at: datetime) -> None:
        """Take one from the budget.

        Raises:
            TooManyAttempts: nothing is left.
        """
        while self._spent and self._spent[0] <= at - self.within:
            self._spent.popleft()
        if len(self._spent) >= self.most:
            raise TooManyAttempts
        self._spent.append(at)

    def give_back(self, at: datetime) -> None:
        """The look-up did not fail."""
        if at in self._spent:
            self._spent.remove(at)


@dataclass
class Receipts:
    """Where receipt codes are exchanged: the same work whether a code is right or wrong."""

    budgets: dict[str, Budget] = field(default_factory=dict)

    async def exchange(self, query: ReceiptToken, desk: Desk, _: Caller) -> dict[str, Any]:
        """The opinion of a code and a token for its originator.

        Raises:
            TooManyAttempts, UnknownReceipt: as their names say.
        """
        budget = self.budgets.setdefault(desk.school, Budget())
        budget.spend(desk.at)
        mine = await _secrets(desk)
        key = f"{desk.school}/{await mine.lookup(query.code)}"
        found = await desk.projector.mongo.keep("receipts").get(key)
        opinion = found["opinion"] if found else "nothing"
        token = desk.issuer.token(
            f"originator:{opinion}",
            roles=frozenset({"originator"}),
            school=desk.school,
            lifetime=TOKEN_LIFETIME,
        )
        if found is None:
            raise UnknownReceipt
        budget.give_back(desk.at)
        return {"opinion": opinion, "token": token, "lifetime": TOKEN_LIFETIME}
