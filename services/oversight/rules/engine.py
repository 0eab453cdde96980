"""Rule × population × period: done with its evidence, missing, or waived. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, Literal, NamedTuple

from services.oversight.rules.catalogue import BY_ID, RULES, Rule
from services.oversight.rules.checks import CHECKS, Check, found
from services.oversight.rules.fulfilments import FULFILMENTS, Waved
from services.oversight.rules.lines import Remarks
from services.oversight.rules.populations import POPULATIONS
from services.oversight.rules.world import Period, Subject, World

type State = Literal["done", "missing", "waived", "shown"]
"""`shown` is what is not there and, by the school's reading of the rule, not required either."""


class Obligation(NamedTuple):
    """What one rule asks of one subject in one period, and how that stands.

    `evidence` are the ids of the events that prove it done or waived. It is `due_on` the last day of
    its period, where that has one, and `overdue` from the next day on while it is missing.
    """

    rule: str
    subject: Subject
    period: str
    due_on: date | None
    state: State
    evidence: tuple[str, ...] = ()
    overdue: bool = False
    acknowledged: str | None = None


def obligations(rule: Rule, w: World) -> tuple[Obligation, ...]:
    """Everything a rule asks for by that day; nothing of a rule that only people can judge."""
    return w.once(("obligations", rule.id), lambda: tuple(_obligations(rule, w)))


def _obligations(rule: Rule, w: World) -> Iterator[Obligation]:
    if rule.population is None or rule.fulfilled_by is None:
        return
    population, fulfilled = POPULATIONS[rule.population], FULFILMENTS[rule.fulfilled_by]
    required = rule.id != "R72" or w.setting("mutual_criticism") == "required"
    for period in w.periods(rule.period):
        due_on = None if period.ends_on == date.max else period.ends_on
        for subject in population(w, period):
            proof = fulfilled(w, subject, period)
            yield _judged(rule.id, subject, period, due_on, proof, w, required=required)


def _judged(
    rule: str,
    subject: Subject,
    period: Period,
    due_on: date | None,
    proof: tuple[str, ...],
    w: World,
    *,
    required: bool,
) -> Obligation:
    if proof and not isinstance(proof, Waved):
        return Obligation(rule, subject, period.key, due_on, "done", proof)
    if proof:
        return Obligation(rule, subject, period.key, due_on, "waived", tuple(proof))
    said = w.remarks.get((rule, subject, period.key)) if w.remarks else None
    if said and said.waived:
        return Obligation(rule, subject, period.key, due_on, "waived", (said.waived.id,))
    if not required:
        return Obligation(rule, subject, period.key, due_on, "shown")
    overdue = due_on is not None and due_on <= w.day
    return Obligation(rule, subject, period.key, due_on, "missing", (), overdue, _seen(said))


def _seen(said: Remarks | None) -> str | None:
    return said.acknowledged.id if said and said.acknowledged else None


# -- Findings ------------------------------------------------------------------------------------


def findings(check: Check, w: World) -> tuple[Obligation, ...]:
    """What a check found, as something that is missing until it is waived."""

    def judged() -> Iterator[Obligation]:
        for one in found(w, check):
            said = w.remarks.get((check.id, one.subject, "once"))
            state: State = "waived" if said and said.waived else "missing"
            yield Obligation(
                check.id, one.subject, "once", None, state, one.evidence, acknowledged=_seen(said)
            )

    return w.once(("findings", check.id), lambda: tuple(judged()))


def owed(w: World, rule: str, subject: Subject, period: str) -> State | Literal["nothing"]:
    """How one obligation or finding stands."""
    subject = w.named(rule, subject)
    for some in of(rule, w):
        if some.subject == subject and some.period == period:
            return some.state
    return "nothing"


def of(rule: str, w: World) -> Iterable[Obligation]:
    """The obligations of a rule, or the findings of a check."""
    if rule in BY_ID:
        return obligations(BY_ID[rule], w)
    for check in CHECKS:
        if check.id == rule:
            return findings(check, w)
    return ()


# -- The board -----------------------------------------------------------------------------------

FORMULA = "done / (done + missing)"
"""Of what is owed by that day; what is waived or only shown is left out and told beside."""


def row(rule: Rule, w: World) -> dict[str, Any]:
    """One line of the board; a rule nobody can compute has no figures, and is not given any."""
    return w.once(("row", rule.id), lambda: _row(rule, w))


def _row(rule: Rule, w: World) -> dict[str, Any]:
    told: dict[str, Any] = {
        "rule": rule.id,
        "quote": rule.quote,
        "kinds": [kind.value for kind in rule.kinds],
        "meaning": rule.meaning,
        "population": rule.population,
        "period": rule.period if rule.population else None,
        "fulfilled_by": rule.fulfilled_by,
        "checks": [
            {"check": c.id, "zh": c.zh, "found": len(found(w, c)), "open": _open(c, w)}
            for c in CHECKS
            if c.id.split(".")[0] == rule.id
        ],
    }
    if rule.population is None:
        return {**told, "computed": False}
    some = obligations(rule, w)
    states = Counter(one.state for one in some)
    done, missing = states["done"], states["missing"]
    return {
        **told,
        "computed": True,
        "formula": FORMULA,
        "numerator": done,
        "denominator": done + missing,
        "share": round(done / (done + missing), 4) if done + missing else None,
        "missing": missing,
        "overdue": sum(one.overdue for one in some),
        "waived": states["waived"],
        "shown": states["shown"],
    }


def _open(check: Check, w: World) -> int:
    return sum(one.state == "missing" for one in findings(check, w))


def board(w: World) -> list[dict[str, Any]]:
    """All rules in the order of the catalogue."""
    return [row(rule, w) for rule in RULES]


def matrix(some: Iterable[Obligation]) -> dict[str, Any]:
    """Obligations as a table: who against whom, a cell per period with its state."""
    cells = [
        {"row": one.subject[-2], "column": one.subject[-1], "of": one.subject[0], **_cell(one)}
        if len(one.subject) > 1
        else {"row": one.subject[0], "column": one.period, "of": None, **_cell(one)}
        for one in some
    ]
    return {
        "rows": sorted({cell["row"] for cell in cells}),
        "columns": sorted({cell["column"] for cell in cells}),
        "cells": cells,
    }


def _cell(one: Obligation) -> dict[str, Any]:
    return {"period": one.period, "state": one.state, "evidence": len(one.evidence)}
