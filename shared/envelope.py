"""How a fact is recorded: the event, and who said so, when, in answer to what. Pure.

CloudEvents 1.0 in NATS binary mode: attributes and extensions are headers `ce-<name>`, the body is
the event's JSON as stored for ever.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID, uuid5

from shared.decider import Event, PersonId, newest, read, versioned

GENESIS = "0" * 64
"""What the first event of a stream names as the hash of the one before it."""

_UNHASHED = frozenset({"ce-eventhash"})
OF_READING = frozenset({
    "Nats-Stream", "Nats-Subject", "Nats-Sequence", "Nats-Time-Stamp", "Nats-Num-Pending",
    "Nats-Last-Sequence",
})  # fmt: skip
"""Headers the server adds to what is read in one way and not in another."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Where a stream lives in the log: `evt.<school>.<service>.<category>.<id>`."""

    school: str
    service: str
    category: str
    id: str

    def __str__(self) -> str:
        """Give the NATS subject."""
        return f"evt.{self.school}.{self.service}.{self.category}.{self.id}"


@dataclass(frozen=True)
class Provenance:
    """Who caused an event, and why.

    `command` is the id of the command that led to it and `fingerprint` its keyed hash (hex), both
    for permanent idempotency; `causation` is the event that caused the command, if one did;
    `facts_at` the log position up to which, at least, the facts go that it was decided on. All times
    are UTC.
    """

    actor: PersonId
    at: datetime
    occurred: datetime
    command: UUID
    fingerprint: str
    correlation: UUID
    causation: UUID | None = None
    on_behalf_of: PersonId | None = None
    facts_at: int = 0
    traceparent: str | None = None


@dataclass(frozen=True)
class Draft:
    """An event ready to be appended: its id, headers and body as they will be stored."""

    id: UUID
    subject: str
    headers: Mapping[str, str]
    body: bytes
    event: Event

    @property
    def hash(self) -> str:
        """The event's own hash."""
        return self.headers["ce-eventhash"]


class Record:
    """An event in its place in the log: school, service, category, id of its stream, and its TYPE.

    What names a TYPE of other streams, or none, has none: nobody writes facts for another.
    Headers and body are kept as stored; `type` and `event` are as today's version of it has them.
    `event` is read from the body on first use and raises pydantic's `ValidationError` if the body does
    not fit, `KeyError` if the TYPE is unknown.

    Whatever is in the log makes a record: one without a TYPE has the empty one. Any other header that
    is missing raises `KeyError` when it is asked for, a malformed one `ValueError`.
    """

    __slots__ = ("_event", "_said", "body", "category", "headers", "position", "school", "service", "stream",
                 "subject", "type")  # fmt: skip

    def __init__(
        self,
        position: int,
        subject: str,
        headers: Mapping[str, str],
        body: bytes,
        event: Event | None = None,
    ) -> None:
        """`position` is the sequence number in EVENTS; `event` the fact, where it is at hand already."""
        self.position = position
        self.subject = subject
        self.headers = headers
        self.body = body
        _, self.school, self.service, self.category, self.stream = subject.split(".")
        said = headers.get("ce-type", "")
        self._said = said if said.startswith(f"{self.service}.{self.category}.") else ""
        self.type = newest(self._said)
        self._event = event

    @property
    def id(self) -> UUID:
        """The event's id."""
        return UUID(self.headers["ce-id"])

    @property
    def version(self) -> int:
        """Which event of its stream this is, from 1."""
        return int(self.headers["ce-streamversion"])

    @property
    def at(self) -> datetime:
        """When it was recorded (UTC)."""
        return datetime.fromisoformat(self.headers["ce-recordedtime"])

    @property
    def occurred(self) -> datetime:
        """When it happened in the world (UTC); the recording time unless the sender said otherwise."""
        return datetime.fromisoformat(self.headers["ce-time"])

    @property
    def actor(self) -> PersonId:
        """Who did it."""
        return PersonId(self.headers["ce-actor"])

    @property
    def on_behalf_of(self) -> PersonId | None:
        """For whom, when a service acted."""
        return PersonId(self.headers["ce-onbehalfof"]) if "ce-onbehalfof" in self.headers else None

    @property
    def command(self) -> UUID:
        """The command that led to it."""
        return UUID(self.headers["ce-commandid"])

    @property
    def fingerprint(self) -> str:
        """The keyed hash of that command's body and sender."""
        return self.headers["ce-commandhash"]

    @property
    def correlation(self) -> UUID:
        """The first command of the whole story."""
        return UUID(self.headers["ce-correlationid"])

    @property
    def causation(self) -> UUID | None:
        """The event that caused that command, if one did."""
        return UUID(self.headers["ce-causationid"]) if "ce-causationid" in self.headers else None

    @property
    def hash(self) -> str:
        """The event's own hash, as stored."""
        return self.headers["ce-eventhash"]

    @property
    def previous(self) -> str:
        """The hash of the stream's previous event, `GENESIS` for the first."""
        return self.headers["ce-prevhash"]

    @property
    def event(self) -> Event:
        """The fact itself."""
        if self._event is None:
            self._event = read(self._said, self.body)
        return self._event

    def intact(self) -> bool:
        """Whether subject, headers and body still give the stored hash."""
        return event_hash(self.subject, self.headers, self.body) == self.hash


def streams_of(type_: str) -> str:
    """The subjects of all streams that hold events of a TYPE (`<service>.<category>.<what>.v<n>`)."""
    service, category, *_ = type_.split(".")
    return f"evt.*.{service}.{category}.*"


def stamp(moment: datetime) -> str:
    """Write an instant as the log does: UTC, microseconds, `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def event_hash(subject: str, headers: Mapping[str, str], body: bytes) -> str:
    """SHA-256 over subject, the sorted `ce-*` headers but the hash itself, and the body; hex.

    Every part is preceded by its length in bytes, so no two different events give the same input.
    The previous event's hash is the header `ce-prevhash`. `Nats-*` and trace headers are outside:
    they may differ between two tries of the same append.
    """
    own, _ = _order(tuple(headers))
    parts = [_part(subject), *_parts(own, headers)]
    return hashlib.sha256(b"%b%d:%b" % ("".join(parts).encode(), len(body), body)).hexdigest()


def _part(text: str) -> str:
    """A part with its length in bytes before it."""
    return f"{len(text) if text.isascii() else len(text.encode())}:{text}"


def _parts(order: list[tuple[str, str]], headers: Mapping[str, str]) -> list[str]:
    """Names and values of headers in that order, each a part; where all is ASCII, without a look at each."""
    if "".join(headers.values()).isascii():
        return [f"{name}{len(headers[n])}:{headers[n]}" for n, name in order]
    return [name + _part(headers[n]) for n, name in order]


@lru_cache(maxsize=64)
def _order(names: tuple[str, ...]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Header names in order, each with itself as a part: those an event's hash covers, and the others."""
    both: tuple[list[tuple[str, str]], list[tuple[str, str]]] = [], []
    for name in sorted(names):
        covered = name.startswith("ce-") and name not in _UNHASHED
        if covered or name not in OF_READING:
            both[not covered].append((name, _part(name)))
    return both


def leaf(position: int, headers: Mapping[str, str], digest: str) -> bytes:
    """What stands for a message in the tree over the whole log (RFC 6962's `d(n)`).

    That is its position, its `event_hash` worked out anew (so subject, `ce-*` headers and body), and
    every other header as stored; each part preceded by its length in bytes. What is no event has one too.
    """
    _, others = _order(tuple(headers))
    parts = [_part(str(position)), _part(digest), *_parts(others, headers)]
    return "".join(parts).encode()


def draft(
    place: Subject, event: Event, provenance: Provenance, *, version: int, previous: str
) -> Draft:
    """Write an event down as it will be stored, hash included.

    The event's id is uuid5(command id, subject ‖ the first version's TYPE): the same command gives the
    same event, though it be repeated to newer code, and no other stream can hold an event of that id.
    """
    subject = str(place)
    name, _ = versioned(event.TYPE)
    identity = uuid5(provenance.command, f"{subject} {name}.v1")
    headers = {
        "content-type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": str(identity),
        "ce-type": event.TYPE,
        "ce-source": f"/{place.school}/{place.service}",
        "ce-subject": f"{place.category}.{place.id}",
        "ce-time": stamp(provenance.occurred),
        "ce-dataschema": f"/schemas/{event.TYPE}.json",
        "ce-recordedtime": stamp(provenance.at),
        "ce-streamversion": str(version),
        "ce-actor": provenance.actor,
        "ce-commandid": str(provenance.command),
        "ce-commandhash": provenance.fingerprint,
        "ce-correlationid": str(provenance.correlation),
        "ce-factsat": str(provenance.facts_at),
        "ce-prevhash": previous,
    }
    if provenance.causation:
        headers["ce-causationid"] = str(provenance.causation)
    if provenance.on_behalf_of:
        headers["ce-onbehalfof"] = provenance.on_behalf_of
    if provenance.traceparent:
        headers["traceparent"] = provenance.traceparent
    body = event.model_dump_json().encode()
    headers["ce-eventhash"] = event_hash(subject, headers, body)
    return Draft(identity, subject, headers, body, event)
