"""The same log gives the same bytes; the order of independent streams changes no figure."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.oversight.rules.catalogue import RULES
from services.oversight.rules.checks import CHECKS
from services.oversight.rules.engine import board, findings, obligations
from services.oversight.rules.evidence import Trace, key, trace
from services.oversight.rules.figures import other_rates, three_rates
from services.oversight.rules.world import World
from shared.envelope import Record
from tests.oversight.deeds import acknowledged, closed, judged, spoken, talked
from tests.oversight.histories import HISTORIES
from tests.oversight.town import SCHOOL, TODAY, WU, ZHOU, Entry, lives, records

pytestmark = pytest.mark.thorough

STORY: list[Entry] = [
    Entry(f"{rule.lower()}-{entry.stream}", entry.event, entry.on, entry.by, n)
    if rule in {"R46", "R50", "R52", "R19"}
    else Entry(entry.stream, entry.event, entry.on, entry.by, n)
    for n, (rule, entry) in enumerate(
        (rule, entry)
        for rule in ("R46", "R50", "R52", "R19", "R56", "R70", "R86", "R90", "R37")
        for entry in HISTORIES[rule].good
    )
] + [
    Entry(e.stream, e.event, e.on, e.by, 300 + n)
    for n, e in enumerate(
        [
            spoken("o7"),
            acknowledged("o7"),
            *closed("i7", opinions=("o7",)),
            judged("i7"),
            *closed("i8"),
            talked("t8", ZHOU, WU),
            talked("t9", ZHOU, WU),
        ]
    )
]


def shuffled(seed: int) -> list[Record]:
    """The same entries with the streams in another order, each stream's own order kept."""
    dice = random.Random(seed)  # noqa: S311 -- no secret
    told = records(STORY)
    waiting: dict[str, list[Record]] = {}
    for record in told:
        waiting.setdefault(record.subject, []).append(record)
    mixed: list[Record] = []
    while waiting:
        subject = dice.choice(sorted(waiting))
        first = waiting[subject].pop(0)
        mixed.append(Record(len(mixed) + 1, first.subject, first.headers, first.body))
        if not waiting[subject]:
            del waiting[subject]
    return mixed


def figures(log: list[Record]) -> dict[str, object]:
    at = World.at(SCHOOL, TODAY, lives(log), 0 if not log else len(log))
    rates = three_rates(at, "all", TODAY)
    others = other_rates(at)
    for told in (rates, *others):
        told.pop("position")
    return {
        "board": board(at),
        "obligations": [obligations(rule, at) for rule in RULES],
        "findings": [findings(check, at) for check in CHECKS],
        "rates": rates,
        "others": others,
    }


PLAIN = figures(records(STORY))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_the_order_of_independent_streams_changes_no_figure(seed: int) -> None:
    assert figures(shuffled(seed)) == PLAIN


def test_the_same_log_gives_the_same_bytes() -> None:
    def folded() -> dict[str, str]:
        traces: dict[str, Trace] = {}
        for record in records(STORY):
            (where,) = key(record)
            traces[where] = trace(traces.get(where), record)
        return {where: document.model_dump_json() for where, document in traces.items()}

    assert folded() == folded()


def test_no_trace_holds_a_text() -> None:
    for record in records([*STORY, spoken("o8")]):
        document = trace(None, record)
        assert "…" not in document.model_dump_json()
