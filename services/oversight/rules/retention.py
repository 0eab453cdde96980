"""What was kept as long as policy says, and what soon will have been: names, and what people said. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from services.campaign.calendar import duration
from services.campaign.defaults import TEXTS
from services.campaign.events import TextKind
from services.feedback.events import (
    OpinionReconsidered,
    OpinionRefused,
    OpinionSubmitted,
    OpinionWithdrawn,
)
from services.oversight.rules.evidence import Life
from services.oversight.rules.world import World
from services.rectification.events import IssueMerged

type Kind = Literal["name"] | TextKind


@dataclass(frozen=True)
class Kept:
    """Something that is kept from a day on up to another; who was entered by mistake, no longer at all."""

    kind: Kind
    id: str
    since: date | None
    until: date | None

    def due(self, day: date) -> bool:
        """Whether it is to be erased on a day."""
        return self.until is None or self.until < day


def near(at: World, day: date) -> list[Kept]:
    """What is due on a day, or will be within the time of warning; what has waited longest comes first."""
    warned = day + _period(at, "names_warning")
    found = [one for one in kept(at) if one.until is None or one.until <= warned]
    return sorted(found, key=lambda one: (one.until or date.min, one.kind, one.id))


def kept(at: World) -> Iterator[Kept]:
    """Everything a period runs for; of what is erased already there is nothing to keep."""
    yield from _names(at)
    gone = frozenset(at.directory.erased_texts)
    for kind, texts in TEXTS.items():
        if not texts.kept:
            continue
        period = _period(at, texts.kept)
        for life in at.lives.get(f"{texts.service}.{texts.category}", {}).values():
            since = _named_until(life, at) if kind is TextKind.originator else at.on(life.last.at)
            if since and not gone.issuperset(texts.scopes(life.id)):
                yield Kept(kind, life.id, since, since + period)


def _period(at: World, setting: str) -> timedelta:
    return duration(at.directory.policy.setting(setting).value)


def _names(at: World) -> Iterator[Kept]:
    """Who has left, and who was never here."""
    erased, period = frozenset(at.directory.erased), _period(at, "names_kept")
    for person, entry in at.directory.roster.people.items():
        if person in erased or entry.merged_into:
            continue
        if entry.voided:
            yield Kept("name", person, None, None)
        elif entry.left_on:
            yield Kept("name", person, entry.left_on, entry.left_on + period)


def _named_until(life: Life, at: World) -> date | None:
    """The day the last issue of an opinion ended, or it came to nothing; none while it is going on.

    And none where nobody said who they were.
    """
    said = life.first.event
    if not isinstance(said, OpinionSubmitted) or not (said.voiced_by or said.contact):
        return None
    became = _became(life.id, at)
    if became:
        ended = [at.issues[issue] for issue in became]
        return (
            None
            if any(e.live for e in ended)
            else max(at.on((e.moved or e.opened).at) for e in ended)
        )
    turned = life.latest(OpinionRefused, OpinionReconsidered, OpinionWithdrawn)
    over = life.voided or (turned and not isinstance(turned.event, OpinionReconsidered))
    return at.on(life.last.at) if over else None


def _became(opinion: str, at: World) -> set[str]:
    """The issues that stand of an opinion; of merged ones those they went to."""
    found: set[str] = set()
    wanted = list(at.once("issues by opinion", lambda: _by_opinion(at)).get(opinion, ()))
    while wanted:
        issue = wanted.pop()
        if issue in found or issue not in at.issues:
            continue
        found.add(issue)
        merged = at.lives["rectification.issue"][issue].latest(IssueMerged)
        if merged and at.issues[issue].stage == "merged":
            wanted.append(merged.event.into)
    return found


def _by_opinion(at: World) -> dict[str, list[str]]:
    by: dict[str, list[str]] = {}
    for issue in at.issues.values():
        for source in issue.what.sources:
            for opinion in source.opinions:
                by.setdefault(opinion, []).append(issue.id)
    return by
