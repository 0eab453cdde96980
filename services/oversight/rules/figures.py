"""Rates: each with its formula, numerator, denominator, what was left out, and how far it goes. Pure.

The three rates (三率) follow a published city service's source: what was answered, solved, satisfied, of
the valid follow-ups; here a valid follow-up is a verdict of an originator on an ended issue.
Whoever spoke up could be guessed from small groups, and from small differences. So figures made of
verdicts are published at the end of a week only, only of at least five verdicts, and a new one only
when none or at least five verdicts came or went since the one before.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from services.feedback.events import MessageSent, OpinionAcknowledged
from services.oversight.rules.lines import Issue
from services.oversight.rules.world import World
from services.rectification.events import (
    ExplainedNotPossible,
    IssueReopened,
    IssueStruckOff,
    IssueVoided,
    Satisfied,
    Solved,
    VerdictRecorded,
)

SMALL = 5
"""Fewer than this many could be guessed."""
WEEK = timedelta(weeks=1)

type Groups = Callable[[Issue], Iterable[str]]

GROUPS: dict[str, Groups] = {
    "all": lambda _: ("all",),
    "addressee": lambda issue: (issue.what.addressee.value,),
    "wind": lambda issue: [w.value for w in issue.what.winds] or ("not_four_winds",),
    "topic": lambda issue: [t.value for t in issue.what.topics] or ("none",),
    "discovery": lambda issue: (issue.what.discovery.value,),
    "department": lambda issue: (
        (issue.planned and issue.planned.event.responsible_department) or "none",
    ),
}
"""By what figures may be split; the words are from closed lists, or ids of departments."""


@dataclass(frozen=True)
class Verdict:
    """One verdict: from which day it counts, and until which if it was overtaken by a reopening."""

    id: str
    issue: str
    since: date
    until: date | None
    solved: Solved
    satisfied: Satisfied
    contact: date | None

    def counts(self, day: date) -> bool:
        """Whether it counts at the end of a day."""
        return self.since <= day and (self.until is None or day < self.until)

    def answered(self, day: date) -> bool:
        """Whether those who had spoken up had been answered by then."""
        return self.contact is not None and self.contact <= day


def verdicts(w: World) -> tuple[Verdict, ...]:
    """All verdicts ever given, with the days they count for."""
    return w.once("verdicts", lambda: tuple(_verdicts(w)))


def _verdicts(w: World) -> Iterator[Verdict]:
    for i, issue in w.issues.items():
        contact = _contact(w, issue)
        past = w.lives["rectification.issue"][i].standing
        for n, happened in enumerate(past):
            if not isinstance(happened.event, VerdictRecorded):
                continue
            ends = (h for h in past[n:] if isinstance(h.event, IssueReopened | IssueVoided))
            until = next(ends, None)
            yield Verdict(
                happened.id,
                i,
                w.on(happened.at),
                w.on(until.at) if until else None,
                happened.event.solved,
                happened.event.satisfied,
                contact,
            )


def _contact(w: World, issue: Issue) -> date | None:
    """The first day on which somebody an issue comes from was answered."""
    known = (w.opinions.get(o) for source in issue.what.sources for o in source.opinions)
    answers = (
        h
        for life in known
        if life
        for h in life.standing
        if isinstance(h.event, OpinionAcknowledged)
        or (isinstance(h.event, MessageSent) and not h.event.from_originator)
    )
    return min((w.on(h.at) for h in answers), default=None)


# -- What may be published -----------------------------------------------------------------------


def cut_off(day: date, today: date) -> date:
    """The last Sunday that is over and no later than a day."""
    last = min(day, today - timedelta(days=1))
    return last - timedelta(days=(last.weekday() + 1) % 7)


def published(some: Iterable[Verdict], day: date) -> tuple[date, tuple[Verdict, ...]] | None:
    """The latest week's end up to a cut-off whose verdicts may be shown, and those; none if none may."""
    known = sorted(some, key=lambda v: (v.since, v.id))
    if not known:
        return None
    first = known[0].since
    sunday = first + timedelta(days=(6 - first.weekday()) % 7)
    shown: tuple[date, tuple[Verdict, ...]] | None = None
    before: frozenset[Verdict] = frozenset()
    while sunday <= day:
        now = frozenset(v for v in known if v.counts(sunday))
        if len(now) >= SMALL and (len(now ^ before) >= SMALL or now == before):
            shown, before = (sunday, tuple(v for v in known if v in now)), now
        sunday += WEEK
    return shown


# -- The three rates -----------------------------------------------------------------------------


def ratio(numerator: Decimal | int, denominator: int) -> float | None:
    """A share to four places; none of nothing."""
    if not denominator:
        return None
    exact = Decimal(numerator) / denominator
    return float(exact.quantize(Decimal("0.0001"), ROUND_HALF_UP))


def three_rates(w: World, by: str, today: date) -> dict[str, Any]:
    """Response, resolution and satisfaction per group, as of the last week's end that may be shown."""
    groups: dict[str, list[Verdict]] = {}
    for verdict in verdicts(w):
        for group in GROUPS[by](w.issues[verdict.issue]):
            groups.setdefault(group, []).append(verdict)
    last = cut_off(w.day, today)
    shown = {group: published(some, last) for group, some in sorted(groups.items())}
    _hide_with_the_small(shown, groups, last)
    return {
        "by": by,
        "cut_off": last,
        "position": w.position,
        "groups": [_rates(w, group, what) for group, what in shown.items()],
        "exclusions": _left_out(w, last),
    }


def _hide_with_the_small(
    shown: dict[str, tuple[date, tuple[Verdict, ...]] | None],
    groups: Mapping[str, list[Verdict]],
    day: date,
) -> None:
    """Hide the next smallest groups as well while what is hidden, the rest of the whole, is few."""

    def size(group: str) -> int:
        return sum(verdict.counts(day) for verdict in groups[group])

    while 0 < sum(size(g) for g, what in shown.items() if what is None) < SMALL:
        open_ones = [group for group, what in shown.items() if what is not None]
        if not open_ones:
            return
        shown[min(open_ones, key=lambda group: (size(group), group))] = None


def _rates(w: World, group: str, what: tuple[date, tuple[Verdict, ...]] | None) -> dict[str, Any]:
    if what is None:
        return {"group": group, "suppressed": True, "as_of": None, "rates": None}
    day, some = what
    valid = len(some)
    half = Decimal(w.directory.period("weight_basically_satisfied").value)
    satisfied = sum(v.satisfied is Satisfied.satisfied for v in some)
    basically = sum(v.satisfied is Satisfied.basically_satisfied for v in some)
    answered = sum(v.answered(day) for v in some)
    solved = sum(v.solved is Solved.solved for v in some)
    pleased = satisfied + half * basically
    response, resolution = ratio(answered, valid), ratio(solved, valid)
    weights = {
        name: Decimal(w.directory.period(f"weight_{name}").value)
        for name in ("response", "resolution", "satisfaction")
    }
    whole = sum(
        weights[name] * part
        for name, part in (
            ("response", answered),
            ("resolution", solved),
            ("satisfaction", pleased),
        )
    )
    return {
        "group": group,
        "suppressed": False,
        "as_of": day,
        "rates": {
            "response_rate": _figure("answered / verdicts", answered, valid, response),
            "resolution_rate": _figure("solved / verdicts", solved, valid, resolution),
            "satisfaction_rate": _figure(
                f"(satisfied + {half} × basically satisfied) / verdicts",
                pleased,
                valid,
                ratio(pleased, valid),
            ),
            "composite": _figure(
                " + ".join(f"{weight} × {name}" for name, weight in weights.items()),
                whole,
                valid,
                ratio(Decimal(whole), valid),
            ),
        },
    }


def _figure(
    formula: str, numerator: Decimal | int, denominator: int, value: float | None
) -> dict[str, Any]:
    return {
        "formula": formula,
        "numerator": float(numerator),
        "denominator": denominator,
        "value": value,
    }


def _left_out(w: World, day: date) -> dict[str, int]:
    """What the three rates leave out: ended issues nobody judged by that day, verdicts overtaken."""
    judged = {v.issue for v in verdicts(w) if v.counts(day)}
    ended = [
        life.id
        for life in w.counting("rectification.issue")
        if any(
            isinstance(h.event, IssueStruckOff | ExplainedNotPossible) and w.on(h.at) <= day
            for h in life.standing
        )
    ]
    return {
        "ended_without_verdict": len(set(ended) - judged),
        "verdicts_overtaken": sum(v.until is not None and v.until <= day for v in verdicts(w)),
    }


# -- Other rates ---------------------------------------------------------------------------------


def other_rates(w: World) -> list[dict[str, Any]]:
    """On time, passed at the first check, reopened, and how many days from opening to closing."""
    issues = [*w.issues.values()]
    closed = [i for i in issues if i.struck_off]
    timed = [i for i in closed if i.requested and i.due_on]
    on_time = [i for i in timed if w.on(i.requested.at) <= i.due_on]  # type: ignore[union-attr,operator]  # `timed`
    first = [i for i in timed if i.first_due_on]
    at_first = [i for i in first if w.on(i.requested.at) <= i.first_due_on]  # type: ignore[union-attr,operator]  # `first`
    checked = [i for i in issues if i.verified_times or i.returned]
    passed = [i for i in checked if not i.returned]
    ever = [i for i in issues if i.closings]
    again = [i for i in ever if i.reopened]
    days = sorted((w.on(i.struck_off.occurred) - w.on(i.opened.occurred)).days for i in closed)  # type: ignore[union-attr]  # `closed`
    whole = {"not_struck_off": len(issues) - len(closed)}
    return [
        _told(w, "on_time_rate", "strike-off asked for by the day due / struck off with one",
              len(on_time), len(timed), {**whole, "without_deadline": len(closed) - len(timed)}),
        _told(w, "on_first_deadline_rate", "asked for by the first day due / struck off with one",
              len(at_first), len(first), {**whole, "without_deadline": len(closed) - len(first)}),
        _told(w, "first_time_pass_rate", "checked and never returned / checked",
              len(passed), len(checked), {"never_checked": len(issues) - len(checked)}),
        _told(w, "reopen_rate", "reopened at least once / ever struck off",
              len(again), len(ever), {"never_struck_off": len(issues) - len(ever)}),
        {
            "name": "days_to_close",
            "formula": "nearest rank of days from opening to strike-off, of those struck off now",
            "denominator": len(days),
            "percentiles": {f"p{p}": _rank(days, p) for p in (50, 75, 90)},
            "exclusions": whole,
            "position": w.position,
            "as_of": w.day,
        },
    ]  # fmt: skip


def _told(
    w: World, name: str, formula: str, numerator: int, denominator: int, left_out: dict[str, int]
) -> dict[str, Any]:
    value = ratio(numerator, denominator)
    return {
        "name": name,
        **_figure(formula, numerator, denominator, value),
        "exclusions": left_out,
        "position": w.position,
        "as_of": w.day,
    }


def _rank(values: list[int], percent: int) -> int | None:
    """The nearest-rank percentile."""
    return values[-(-percent * len(values) // 100) - 1] if values else None
