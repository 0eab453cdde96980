"""What concerns one issue, in the whole log, and what of that speaks of others as well.

It is the lineage of the biography: the issue and those merged into it, the opinions it comes from, what
a collation made of them, where else it was raised, its lines in plans.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from services.feedback.events import OpinionsGrouped, OpinionsRegrouped
from services.rectification.domain.issue import decider
from services.rectification.events import (
    IssueMerged,
    IssueOpened,
    Solved,
    Source,
    SourceCorrected,
    SourceKind,
    SourceVoided,
)
from services.rectification.policy import issue_of, open_issues
from services.rectification.projection import IssueCard, issue_card, line_of
from shared.decider import Event, kebab
from shared.envelope import Record, Subject

ISSUE, OPINION = ("rectification", "issue"), ("feedback", "opinion")
COLLATION, PLAN = ("feedback", "collation"), ("rectification", "plan")

NOBODY = ""

_WORD = re.compile(r"[a-z0-9-]+")
"""What can be an id, wherever it stands."""


@dataclass
class _Issue:
    """What an issue says of where it comes from."""

    sources: list[Source] = field(default_factory=list)
    told: set[str] = field(default_factory=set)
    """The events it was raised by, put right by, or declared void by."""
    into: str | None = None


class Lineage:
    """Told the whole log of a school once, it knows of each event whether it concerns one issue.

    An event that concerns the issue is shown, unless it speaks of another issue or of an opinion that
    this one does not come from.
    """

    def __init__(self, school: str, issue: str) -> None:
        """Nothing is known yet."""
        self._school = school
        self._issue = issue
        self._issues: dict[str, _Issue] = {}
        self._owners: dict[str, str] = {}
        """Whose an id is: of issues and opinions, their events and commands; nobody's where two have it."""
        self._family: frozenset[str] = frozenset()
        self._heard: frozenset[str] = frozenset()
        self._shared: frozenset[str] = frozenset()
        self._collations: frozenset[str] = frozenset()
        self._told: frozenset[str] = frozenset()

    def look(self, record: Record) -> None:
        """Take in an event, at the first reading."""
        place = (record.service, record.category)
        if place not in {ISSUE, OPINION}:
            return
        said = record.headers
        for id_ in (record.stream, said.get("ce-id", ""), said.get("ce-commandid", "")):
            if self._owners.setdefault(id_, record.stream) != record.stream:
                self._owners[id_] = NOBODY
        if place == ISSUE:
            issue = self._issues.setdefault(record.stream, _Issue())
            match _event(record):
                case IssueOpened(sources=sources):
                    issue.sources += sources
                    issue.told.add(record.headers.get("ce-causationid", ""))
                case SourceCorrected(event=event) | SourceVoided(event=event):
                    issue.told.add(event)
                case IssueMerged(into=into):
                    issue.into = into
                case _:
                    pass

    @property
    def streams(self) -> frozenset[str]:
        """The subjects of the streams that concern the issue from their first to their last event."""
        self._settle()
        places = ((ISSUE, self._family), (OPINION, self._heard))
        return frozenset(
            str(Subject(self._school, *place, i)) for place, ids in places for i in ids
        )

    def shows(self, record: Record) -> bool | None:
        """At the second reading: whether an event is shown; `None` if it does not concern the issue."""
        self._settle()
        made = _made(record)
        if not self._concerns(record) or (made and made.isdisjoint(self._family)):
            return None
        words = _words(record)
        ours = {NOBODY, *self._family, *self._heard}
        if any(self._owners.get(word, NOBODY) not in ours for word in words):
            return False
        if made:
            return made <= self._family
        return (record.service, record.category) != COLLATION or not words & self._shared

    def _settle(self) -> None:
        """Work out, once, what belongs to the issue."""
        if self._family:
            return
        family = {self._issue}
        while more := {i for i, one in self._issues.items() if one.into in family} - family:
            family |= more
        self._family = frozenset(family)
        ours = [self._issues[i] for i in sorted(family) if i in self._issues]
        sources = [source for one in ours for source in one.sources]
        self._heard = frozenset(o for source in sources for o in source.opinions)
        theirs = (one for i, one in self._issues.items() if i not in family)
        elsewhere = {o for one in theirs for source in one.sources for o in source.opinions}
        self._shared = self._heard & elsewhere
        self._collations = frozenset(s.id for s in sources if s.kind is SourceKind.collation)
        self._told = frozenset(event for one in ours for event in one.told if event)

    def _concerns(self, record: Record) -> bool:
        if record.headers.get("ce-id") in self._told:
            return True
        match (record.service, record.category):
            case place if place == ISSUE:
                return record.stream in self._family
            case place if place == OPINION:
                return record.stream in self._heard
            case place if place == COLLATION:
                return record.stream in self._collations and bool(_words(record) & self._heard)
            case place if place == PLAN:
                return line_of(_event(record)) in self._family
            case _:
                return False


def _event(record: Record) -> Event | None:
    """The event, if it is one."""
    try:
        return record.event
    except (KeyError, ValidationError):
        return None


def _words(record: Record) -> set[str]:
    said = " ".join(
        (record.subject, *record.headers.values(), record.body.decode(errors="replace"))
    )
    return set(_WORD.findall(said))


def _made(record: Record) -> set[str]:
    """The issues that an event makes, or puts right, by the name they have where they were raised."""
    match _event(record):
        case OpinionsGrouped(issue=group) | OpinionsRegrouped(issue=group):
            return {issue_of(record.stream, group.key)}
        case None:
            return set()
        case _:
            return {send.stream for send in open_issues(record)}


# -- What it amounts to --------------------------------------------------------------------------


class IssueAccount:
    """States, dates and figures of the issues whose streams it is given whole."""

    def __init__(self) -> None:
        """Nothing was said yet."""
        self._pasts: dict[str, list[Record]] = {}

    def take(self, record: Record) -> None:
        """Take in one more event."""
        if (record.service, record.category) == ISSUE:
            self._pasts.setdefault(record.subject, []).append(record)

    def figures(self, _: int, whole: Iterable[str]) -> dict[str, Any]:
        """By issue: how it stands, since when, and its figures with their formulas."""
        wanted = {*whole}
        return {
            "issues": {
                past[0].stream: _amounts_to(past)
                for subject, past in sorted(self._pasts.items())
                if subject in wanted
            }
        }


def _amounts_to(past: list[Record]) -> dict[str, Any]:
    card: IssueCard | None = None
    state: Any = decider.initial
    for record in past:
        card = issue_card(card, record)
        state = decider.evolve(state, record.event)  # type: ignore[arg-type]  # of an issue's stream
    told = {"state": kebab(type(state).__name__), "events": len(past)}
    if card is None:
        return told
    solved = Counter(verdict.solved for verdict in card.verdicts)
    satisfied = Counter(verdict.satisfied for verdict in card.verdicts)
    return {
        **told,
        "found_at": card.found_at,
        "opened_at": card.opened_at,
        "since": card.since,
        "due": card.due and card.due.on,
        "first_due": card.first_due and card.first_due.on,
        "struck_off_at": card.struck_off_at,
        "returned": card.returned,
        "reopened": card.reopened,
        "extensions": card.extensions,
        "solved": {word.value: count for word, count in solved.items()},
        "satisfied": {word.value: count for word, count in satisfied.items()},
        "figures": [_days(card.opened_at, card.struck_off_at), _share(solved)],
    }


def _days(opened: datetime, struck_off: datetime | None) -> dict[str, Any]:
    formula = "(struck off - opened) / 24 hours"
    value = None if struck_off is None else round((struck_off - opened).total_seconds() / 86_400, 4)
    return {"name": "days_to_close", "formula": formula, "value": value}


def _share(solved: Counter[Solved]) -> dict[str, Any]:
    whole = sum(solved.values())
    return {
        "name": "resolution_rate",
        "formula": "solved / verdicts that count",
        "numerator": solved[Solved.solved],
        "denominator": whole,
        "value": float(round(Decimal(solved[Solved.solved]) / whole, 4)) if whole else None,
        "exclusions": {},
    }
