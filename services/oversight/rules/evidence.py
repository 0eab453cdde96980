"""What happened to each stream, without a word of what people wrote. Pure.

A *trace* is the stored form: one small document per stream with its events in order. Texts are
replaced by a digest of their token, which only says that there is a text and whether it is the same
as another one of the same stream (and, where tokens share a scope, of other streams). As everything
in a trace is dated, any day can be looked at again: a trace cut at an instant is what was known then.

Why one document per stream and no ledger: a ledger of 60,000 events is one document of more than the
16 MB a database takes, and is written whole at every batch. A trace is written only when its own
stream moves, and the queries keep all of a school's traces at hand (`queries.Shelf`).
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict

from shared.decider import Event, PersonId, read
from shared.envelope import Record
from shared.marks import transform


class Fact(BaseModel):
    """One event: its id, position, when it was recorded and when it happened, who did it, what it says.

    Instants are as the log writes them; `said` is the event's JSON with its texts digested.
    """

    model_config = ConfigDict(frozen=True)
    id: str
    type: str
    position: int
    at: str
    occurred: str
    by: str
    said: str


class Trace(BaseModel):
    """The events of one stream, in order; `of` is service and category, `stream` its id."""

    model_config = ConfigDict(frozen=True)
    of: str
    stream: str
    facts: tuple[Fact, ...] = ()


def key(record: Record) -> tuple[str, ...]:
    """The one trace an event belongs to."""
    return (f"{record.service}.{record.category}.{record.stream}",)


def trace(document: Trace | None, record: Record) -> Trace:
    """The trace after one more event."""
    said = record.headers
    fact = Fact(
        id=said["ce-id"],
        type=record.type,
        position=record.position,
        at=said["ce-recordedtime"],
        occurred=said["ce-time"],
        by=said["ce-actor"],
        said=_wordless(record.event),
    )
    if document:
        return document.model_copy(update={"facts": (*document.facts, fact)})
    return Trace(of=f"{record.service}.{record.category}", stream=record.stream, facts=(fact,))


def _wordless(event: Event) -> str:
    """An event as JSON without texts and without what says nothing."""
    digested = transform(event, lambda _mark, _owner, _field, text: _digest(text))
    return digested.model_dump_json(exclude_defaults=True)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


# -- Read again ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Happened:
    """An event as the rules look at it."""

    id: str
    position: int
    at: datetime
    occurred: datetime
    by: PersonId
    event: Any


@dataclass(frozen=True)
class Life:
    """What happened to one stream, up to a moment; never empty."""

    of: str
    id: str
    past: tuple[Happened, ...]
    notes: dict[Callable[["Life"], Any], Any] = field(default_factory=dict, compare=False)
    """What was made of it, by the function that did: read once, asked often."""

    @classmethod
    def read(cls, document: Trace, known: "Life | None" = None) -> "Life":
        """Read a trace, on from what is `known` of it if that is how it begins."""
        facts = document.facts
        past = known.past[: len(facts)] if known else ()
        if past and past[-1].position != facts[len(past) - 1].position:
            past = ()
        return cls(document.of, document.stream, (*past, *map(_happened, facts[len(past) :])))

    def until(self, end: datetime, position: int) -> "Life | None":
        """What was known before an instant and up to a log position."""
        if self.past[-1].at < end and self.past[-1].position <= position:
            return self
        past = tuple(h for h in self.past if h.at < end and h.position <= position)
        return Life(self.of, self.id, past) if past else None

    def noted[T](self, make: Callable[["Life"], T]) -> T:
        """What a function makes of this life, made once."""
        if make not in self.notes:
            self.notes[make] = make(self)
        made: T = self.notes[make]
        return made

    @property
    def first(self) -> Happened:
        """What it began with."""
        return self.past[0]

    @property
    def last(self) -> Happened:
        """The latest of it."""
        return self.past[-1]

    @cached_property
    def voided(self) -> bool:
        """Whether it was declared never to have been, and was not begun anew since."""
        return self._begins is None

    @cached_property
    def what(self) -> Any:  # noqa: ANN401 -- the event of whatever stream it is
        """The event it began with, put right by every correction since."""
        begins = self._begins
        if begins is None:
            return self.first.event
        told = self.past[begins].event
        fields = type(told).model_fields.keys()
        for later in self.past[begins + 1 :]:
            if later.event.TYPE.split(".")[2] == "corrected":
                changes = {n: getattr(later.event, n) for n in type(later.event).model_fields}
                told = told.model_copy(update={n: v for n, v in changes.items() if n in fields})
        return told

    @cached_property
    def _begins(self) -> int | None:
        """Where the part of its life begins that counts: behind the last voiding, if it goes on there."""
        voids = [n for n, h in enumerate(self.past) if h.event.TYPE.split(".")[2] == "voided"]
        begins = voids[-1] + 1 if voids else 0
        return begins if begins < len(self.past) else None

    @property
    def standing(self) -> tuple[Happened, ...]:
        """What counts of it: everything, or what came behind the last voiding."""
        return () if self._begins is None else self.past[self._begins :]

    def all(self, *kinds: type[Event]) -> list[Happened]:
        """What counts of it, of some kinds."""
        return [h for h in self.standing if isinstance(h.event, kinds)]

    def latest(self, *kinds: type[Event]) -> Happened | None:
        """The latest of some kinds that counts."""
        return next((h for h in reversed(self.standing) if isinstance(h.event, kinds)), None)


def _happened(fact: Fact) -> Happened:
    event = read(fact.type, fact.said)
    at = datetime.fromisoformat(fact.at)
    occurred = at if fact.occurred == fact.at else datetime.fromisoformat(fact.occurred)
    return Happened(fact.id, fact.position, at, occurred, PersonId(fact.by), event)
