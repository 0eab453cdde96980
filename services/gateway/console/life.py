"""The entries of a biography as people read them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.gateway.console.look import did, moment, say
from services.gateway.lettering import words
from services.gateway.life import Life

_SAID = ("verbatim_text", "text", "statement", "finding", "answer", "reason", "comment")
_TURNS = {"opened", "claimed", "assigned", "strike-off-requested", "verified", "struck-off"}


@dataclass(frozen=True)
class Told:
    """One entry: what was done, when, by whom, in which words, and its proof."""

    did: str
    when: str
    who: str
    said: list[str]
    turn: bool
    position: int
    hash: str
    stream: str
    version: int


def told(biography: Mapping[str, Any], zone: str) -> list[Told]:
    """Every entry, in the order of the log; of an anonymous one neither time nor person is told."""
    life = Life(biography)
    return [_told(event, life, zone) for event in biography["items"]]


def _told(event: Mapping[str, Any], life: Life, zone: str) -> Told:
    anonymous = event["actor"] == "anonymous"
    said = event["event"]
    return Told(
        did=did(event),
        when=say("issue.anonymous") if anonymous else moment(event["occurred"], zone),
        who="" if anonymous else life.who(event),
        said=[words(said[name]) for name in _SAID if said.get(name)],
        turn=event["type"].removeprefix("rectification.issue.").removesuffix(".v1") in _TURNS,
        position=event["position"],
        hash=event["hash"],
        stream=event["stream"],
        version=event["version"],
    )
