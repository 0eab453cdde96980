"""The ballot box: slips are printed, drawn by hand, cast without a name, and opened all at once.

How it goes. Opening a ballot makes one code per voter; the log keeps only keyed hashes of them,
sorted. The answer to whoever opens it is the only place where the codes stand, shuffled: they are
printed, cut and drawn by hand. Who has a slip casts it without login: a grade per member. What is
cast waits here, encrypted, without a time; when the ballot is closed, all of it enters the log as one
event, sorted by code hash.

What that guarantees:
- A code counts once per member; what was cast cannot be changed, by nobody.
- The log, the views and this box hold nothing that leads from a slip to a person: no name, session,
  address, trace or time of casting. Positions, order and times of the log say nothing either.
- A voter finds their own slip in what was opened, by its code or the hash printed beside it, and sees
  that it says what they cast. Whoever does not know the code cannot tell whose slip it is.
- Everybody can count: no more slips than were printed, each hash among those announced beforehand.
- What was cast before the box was closed is counted; who is told that it was too late is not.

What it does not guarantee:
- Whoever prints the slips sees the codes, and could cast them or note who draws which: print, shuffle
  and draw before everybody's eyes. Software cannot replace that.
- Whoever has the deployment's key and the database can compute the codes again, and from the
  database's own files see in which order slips came.
- The grades of one slip stand together: an agreed pattern of grades betrays it. A voter can prove
  their vote by giving their code away, so it may be bought or forced.
- A unanimous tally tells what everybody voted; with fewer than five voters any tally nearly does,
  which is why such a branch must say that it votes although the ballot is not secret.
- The gateway and whatever stands before it see an address while a slip is cast; it is for them not
  to keep it.
"""

import hmac
import json
import re
import secrets
import unicodedata
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.meetings.domain.appraisal import (
    AppraisalCommand,
    Balloting,
    CloseBallot,
    Counted,
    Facts,
    NotAMember,
    NotOnTheScale,
    OnProbation,
    OpenBallot,
    Opened,
)
from services.meetings.events import BallotOpened, BallotSlip, Grade
from services.meetings.projection import directory
from services.meetings.projection.appraisal import AppraisalCard, appraisals, ballots
from shared.callers import Caller, UnknownSchool
from shared.decider import NotFound, PersonId, Rejected
from shared.envelope import Subject
from shared.marks import Id
from shared.mongo import Collection, Mongo
from shared.runtime import Desk, Query, Reply, Runtime, Taken

SCOPE = "school.ballots"
"""The scope of the key that codes, hashes and the box of a school derive from."""
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter looks like a digit."""
LETTERS = 16
"""Of a code: 80 bits, too many to guess."""

_NONCE = 12

# -- What derives from the key -------------------------------------------------------------------


@dataclass(frozen=True)
class Urn:
    """Everything that derives from a school's key for one ballot: an appraisal's, by its number."""

    key: bytes = field(repr=False)
    appraisal: str
    number: int

    @property
    def name(self) -> str:
        """What this ballot is called in the box."""
        return f"{self.appraisal}/{self.number}"

    def _keyed(self, purpose: str, *parts: str) -> bytes:
        text = "\x1f".join((purpose, self.name, *parts))
        return hmac.digest(self.key, text.encode(), "sha256")

    def codes(self, count: int) -> tuple[str, ...]:
        """The codes of the slips: `XXXX-XXXX-XXXX-XXXX`, always the same for the same ballot."""
        return tuple(self._code(n) for n in range(count))

    def _code(self, n: int) -> str:
        number = int.from_bytes(self._keyed("code", str(n))[:10])
        letters = "".join(ALPHABET[number >> 5 * i & 31] for i in range(LETTERS))
        return "-".join(letters[i : i + 4] for i in range(0, LETTERS, 4))

    def hashed(self, code: str) -> str:
        """What a code is known by in the log: 64 hex digits."""
        return self._keyed("hash", code).hex()

    def place(self, code_hash: str, member: str) -> str:
        """Where in the box a slip's mark for a member lies: tells neither without the key."""
        return self._keyed("place", code_hash, member).hex()

    def enclose(self, place: str, code_hash: str, member: str, grade: Grade) -> bytes:
        """Encrypt a mark for the time it waits."""
        nonce = secrets.token_bytes(_NONCE)
        said = json.dumps([code_hash, member, grade]).encode()
        return nonce + self._cipher().encrypt(nonce, said, place.encode())

    def disclose(self, place: str, enclosed: bytes) -> tuple[str, PersonId, Grade]:
        """Decrypt what `enclose` made: code hash, member, grade."""
        nonce, rest = enclosed[:_NONCE], enclosed[_NONCE:]
        said = self._cipher().decrypt(nonce, rest, place.encode())
        code_hash, member, grade = json.loads(said)
        return code_hash, PersonId(member), Grade(grade)

    def _cipher(self) -> AESGCM:
        return AESGCM(self._keyed("box"))


async def _urn(appraisal: str, number: int, desk: Desk) -> Urn:
    return Urn(await desk.key(SCOPE), appraisal, number)


# -- What decisions on an appraisal look at --------------------------------------------------------


async def appraisal_facts(command: AppraisalCommand, desk: Desk) -> Facts:
    """The directory; the hashes of new slips for who opens a ballot; what was cast for who closes it."""
    known = desk.ledger(directory)
    if known is None:
        raise UnknownSchool
    match command, known.roster.settled(desk.state):
        case OpenBallot(), Opened(sheet):
            urn = await _urn(command.stream, sheet.ballots + 1, desk)
            hashes = sorted(urn.hashed(code) for code in urn.codes(len(sheet.voters)))
            return Facts(known, code_hashes=tuple(hashes))
        case CloseBallot(), Balloting(sheet):
            urn = await _urn(command.stream, sheet.ballots, desk)
            return Facts(known, slips=await _slips(urn, desk))
        case _:
            return Facts(known)


async def _slips(urn: Urn, desk: Desk) -> tuple[BallotSlip, ...]:
    """What was collected from the box, slip by slip, sorted by code hash."""
    marks: dict[str, dict[PersonId, Grade]] = {}
    for document in await _box(desk).find({"ballot": f"{desk.school}/{urn.name}"}):
        if document.get("collected"):
            place = document["_id"].rpartition("/")[2]
            code_hash, member, grade = urn.disclose(place, document["mark"])
            marks.setdefault(code_hash, {})[member] = grade
    return tuple(
        BallotSlip(code_hash=code_hash, marks=dict(sorted(marks[code_hash].items())))
        for code_hash in sorted(marks)
    )


def _box(at: Runtime | Desk) -> Collection:
    return _mongo(at).keep("ballot_box")


def _closed(at: Runtime | Desk) -> Collection:
    """The ballots nobody may cast in any more."""
    return _mongo(at).keep("ballots_closed")


def _mongo(at: Runtime | Desk) -> Mongo:
    return at.mongo if isinstance(at, Runtime) else at.projector.mongo


# -- Printing and counting -------------------------------------------------------------------------


async def print_slips(taken: Taken, runtime: Runtime) -> Reply:
    """Open a ballot and give the codes with their hashes, shuffled; a repetition gives them again.

    The answer has `slips`, each with `code` and `hash`: to be printed, cut and drawn by hand.
    """
    reply = await runtime.carry_out(taken)
    if reply.event is None:
        return reply
    place = _place(taken, reply.id, runtime)
    opened = next(r.event for r in await runtime.journal.read(place) if r.id == reply.event)
    if not isinstance(opened, BallotOpened):
        return reply
    urn = await _urn(reply.id, opened.round, runtime.desk(taken.school, taken.at))
    slips = [{"code": c, "hash": urn.hashed(c)} for c in urn.codes(len(opened.code_hashes))]
    secrets.SystemRandom().shuffle(slips)
    return replace(reply, more={**reply.more, "slips": slips})


async def count(taken: Taken, runtime: Runtime) -> Reply:
    """Close the box for good, collect what lies in it, and let it into the log as one event.

    Nothing is closed that the command would be refused for. From the mark on nobody casts any more;
    a slip that comes in at that very moment is either collected, or its voter is told that it was
    too late: both go by the same document.
    """
    state = await _standing(taken, runtime)
    if not isinstance(state, Balloting | Counted):
        return await runtime.carry_out(taken)
    ballot = f"{taken.school}/{taken.target}/{state.sheet.ballots}"
    if isinstance(state, Balloting):
        await runtime.carry_out(replace(taken, dry_run=True))
        await _closed(runtime).put({"_id": ballot})
        for document in await _box(runtime).find({"ballot": ballot}):
            await _box(runtime).update(document["_id"], {"collected": True}, upsert=False)
    reply = await runtime.carry_out(taken)
    await _box(runtime).delete({"ballot": ballot})
    return reply


async def discard(taken: Taken, runtime: Runtime) -> Reply:
    """Void a ballot, or the whole appraisal, and destroy what was cast in it."""
    state = await _standing(taken, runtime)
    reply = await runtime.carry_out(taken)
    if reply.event and not reply.repeated and isinstance(state, Balloting):
        ballot = f"{taken.school}/{reply.id}/{state.sheet.ballots}"
        await _closed(runtime).put({"_id": ballot})
        await _box(runtime).delete({"ballot": ballot})
    return reply


async def _standing(taken: Taken, runtime: Runtime) -> Any:  # noqa: ANN401 -- any state
    if taken.target is None:
        return None
    place = _place(taken, taken.target, runtime)
    return (await runtime.journal.load(place, taken.stream.decider)).state


def _place(taken: Taken, stream: str, runtime: Runtime) -> str:
    category = taken.stream.decider.category
    return str(Subject(taken.school, runtime.service.name, category, stream))


# -- Casting ---------------------------------------------------------------------------------------


class UnknownCode(Rejected):
    """No slip of this ballot has this code."""

    zh = "没有这张选票,请核对选票号"


class AlreadyCast(Rejected):
    """With this slip another grade was cast already for this member; it stands."""

    zh = "该选票已对这名党员投过票,不能更改"


class BallotNotOpen(Rejected):
    """There is no ballot to cast in here."""

    zh = "当前没有进行投票"


class BallotClosed(Rejected):
    """The ballot is closed; what was not cast before is not counted."""

    zh = "投票已截止"


_SEPARATORS = re.compile(r"[\s\-‐-―－]+")
_LOOKALIKES = str.maketrans("OIL", "011")


def _sixteen_letters(code: str) -> str:
    letters = _SEPARATORS.sub("", unicodedata.normalize("NFKC", code)).upper()
    letters = letters.translate(_LOOKALIKES)
    if len(letters) != LETTERS or not set(letters) <= set(ALPHABET):
        msg = "must be 16 letters and digits"
        raise ValueError(msg)
    return "-".join(letters[i : i + 4] for i in range(0, LETTERS, 4))


BallotCode = Annotated[str, Field(max_length=64, repr=False), AfterValidator(_sixteen_letters)]
"""A slip's code however it was typed: small or capital, with or without hyphens, O for 0, I for 1."""


class Mark(BaseModel):
    """A grade for a member."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    member: Id
    grade: Grade


class CastBallot(Query):
    """Cast a slip, or more marks of it: without login; to be repeated safely, never to be changed."""

    zh = "投票"
    path = "ballots/cast"
    method: ClassVar[str] = "POST"
    allowed = frozenset({"anonymous"})
    appraisal: Id
    code: BallotCode
    marks: Annotated[tuple[Mark, ...], Field(min_length=1, max_length=500)]


async def cast(query: CastBallot, desk: Desk, _: Caller) -> dict[str, Any]:
    """Put the marks in the box; gives the members whose ballots are in it now.

    Raises:
        BallotNotOpen, BallotClosed, UnknownCode, AlreadyCast: as their names say.
        NotAMember, OnProbation, NotOnTheScale: a mark is for nobody who is graded, or none.
    """
    card, urn, code_hash = await _at_the_urn(query, desk)
    wanted = _wanted(query, card, code_hash)
    ballot = f"{desk.school}/{urn.name}"
    if await _closed(desk).get(ballot):
        raise BallotClosed
    places = {m: f"{desk.school}/{urn.place(code_hash, m)}" for m in wanted}
    await _unchanged(urn, places, wanted, desk)
    new: list[str] = []
    for member, place in places.items():
        sealed = urn.enclose(place.rpartition("/")[2], code_hash, member, wanted[member])
        if await _box(desk).insert({"_id": place, "ballot": ballot, "mark": sealed}):
            new.append(member)
    await _unchanged(urn, places, wanted, desk)
    late = await _too_late(ballot, [places[m] for m in new], desk)
    counted = [m for m in places if places[m] not in late]
    if not counted:
        raise BallotClosed
    return {"cast": sorted(counted)}


def _wanted(query: CastBallot, card: AppraisalCard, code_hash: str) -> dict[str, Grade]:
    """The marks by member, if they may be cast in this ballot at all."""
    if card.stage == "counted":
        raise BallotClosed
    if card.stage != "balloting":
        raise BallotNotOpen
    if code_hash not in card.code_hashes:
        raise UnknownCode
    wanted: dict[str, Grade] = {}
    for mark in query.marks:
        if mark.member not in card.members:
            raise NotAMember(mark.member)
        if mark.member in card.probationary:
            raise OnProbation(mark.member)
        if mark.grade not in card.scale:
            raise NotOnTheScale(mark.grade)
        if wanted.setdefault(mark.member, mark.grade) is not mark.grade:
            raise AlreadyCast(mark.member)
    return wanted


async def _unchanged(
    urn: Urn, places: dict[str, str], wanted: dict[str, Grade], desk: Desk
) -> None:
    """Refuse a second ballot for a member that says something else."""
    there = await _box(desk).get_many(places.values())
    for member, place in places.items():
        if place in there:
            *_, grade = urn.disclose(place.rpartition("/")[2], there[place]["mark"])
            if grade is not wanted[member]:
                raise AlreadyCast(member)


async def _too_late(ballot: str, places: list[str], desk: Desk) -> set[str]:
    """Which of what was just put in came after the box was closed: taken out again, not counted."""
    if not await _closed(desk).get(ballot):
        return set()
    return {
        place
        for place in places
        if await _box(desk).delete({"_id": place, "collected": {"$ne": True}})
    }


class FindBallot(Query):
    """See what was cast with one's own slip: from the box, later from what was opened."""

    zh = "查验本人选票"
    path = "ballots/find"
    method: ClassVar[str] = "POST"
    allowed = frozenset({"anonymous"})
    appraisal: Id
    code: BallotCode


async def find(query: FindBallot, desk: Desk, _: Caller) -> dict[str, Any]:
    """The marks of a slip, its hash, and whether they were counted.

    Raises:
        UnknownCode: no slip of this ballot has this code.
    """
    card, urn, code_hash = await _at_the_urn(query, desk)
    if code_hash not in card.code_hashes:
        raise UnknownCode
    counted = await desk.card(ballots, query.appraisal)
    slips = counted.slips if counted else ()
    marks = next((slip.marks for slip in slips if slip.code_hash == code_hash), {})
    if card.stage != "counted":
        places = {f"{desk.school}/{urn.place(code_hash, m)}": m for m in card.members}
        there = await _box(desk).get_many(places)
        marks = {
            places[p]: urn.disclose(p.rpartition("/")[2], document["mark"])[2]
            for p, document in there.items()
        }
    return {
        "hash": code_hash,
        "counted": card.stage == "counted",
        "marks": [{"member": member, "grade": marks[member]} for member in sorted(marks)],
    }


async def _at_the_urn(query: CastBallot | FindBallot, desk: Desk) -> tuple[AppraisalCard, Urn, str]:
    """The appraisal, its latest ballot, and the hash of the code that was given."""
    card = await desk.card(appraisals, query.appraisal)
    if card is None:
        raise NotFound
    urn = await _urn(query.appraisal, card.ballot, desk)
    return card, urn, urn.hashed(query.code)
