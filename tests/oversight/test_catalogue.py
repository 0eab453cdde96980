"""Every rule is there, and the engine tells the histories in which it holds from those in which not."""

from pathlib import Path

import pytest

from services.oversight.rules.catalogue import BY_ID, RULES, Kind, table
from services.oversight.rules.checks import CHECKS
from services.oversight.rules.engine import board, obligations
from services.oversight.rules.fulfilments import FULFILMENTS
from services.oversight.rules.populations import POPULATIONS
from tests.live.test_rules_over_http import BREAKING
from tests.oversight.histories import HISTORIES, History
from tests.oversight.town import TODAY, world

IDS = [
    *(f"R{n:02}" for n in range(1, 9)),
    *(f"R{n}" for n in range(10, 31)),
    *(f"R{n}" for n in range(32, 87)),
    *(f"R{n}" for n in range(90, 94)),
]
NOT_COMPUTED = {"R08", "R12", "R22", "R29", "R30", "R39", "R40", "R51"}
"""Tags, links and what only people can judge: no figures are made up for them."""


def test_every_rule_of_the_plan_is_there_once() -> None:
    assert [rule.id for rule in RULES] == IDS
    assert len(IDS) == 88


def test_every_rule_has_the_plans_own_words() -> None:
    for rule in RULES:
        assert rule.quote.startswith("「")
        assert rule.quote.count("「") == rule.quote.count("」") > 0
        assert rule.meaning.endswith(".")
        assert rule.kinds


def test_only_tags_and_judgements_are_not_computed() -> None:
    assert {rule.id for rule in RULES if rule.population is None} == NOT_COMPUTED
    for name in NOT_COMPUTED:
        assert set(BY_ID[name].kinds) <= {Kind.tag, Kind.judge}


def test_every_hard_rule_and_gate_is_refused_through_the_http_door() -> None:
    """All but R04, which forbids refusing; what a rule is refused as has a row in the live table."""
    hard = {rule.id for rule in RULES if {Kind.hard, Kind.gate} & {*rule.kinds}}
    refused = {(rule.id, code) for rule in RULES for code in rule.refusals}
    assert hard - {rule for rule, _ in refused} == {"R04"}
    assert refused == {(rule, code) for rule, code, _ in BREAKING}


def test_every_name_in_the_catalogue_is_known_and_every_known_one_is_used() -> None:
    computed = [rule for rule in RULES if rule.population]
    assert {rule.population for rule in computed} == POPULATIONS.keys()
    assert {rule.fulfilled_by for rule in computed} == FULFILMENTS.keys()


def test_a_check_belongs_to_a_rule() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS)
    assert all(check.id.split(".")[0] in BY_ID for check in CHECKS)


def test_every_rule_that_is_computed_has_two_histories() -> None:
    assert HISTORIES.keys() == set(IDS) - NOT_COMPUTED


def state(rule: str, history: History, *, good: bool) -> str:
    entries = history.good if good else history.bad
    at = world(*entries, day=history.day, directory=history.directory)
    found = [
        one.state
        for one in obligations(BY_ID[rule], at)
        if one.subject == history.subject and one.period == history.period
    ]
    assert len(found) == 1, f"{history.subject} {history.period} is owed {len(found)} times"
    return found[0]


@pytest.mark.parametrize("rule", HISTORIES)
def test_a_rule_holds_where_it_holds(rule: str) -> None:
    assert state(rule, HISTORIES[rule], good=True) == "done"


@pytest.mark.parametrize("rule", HISTORIES)
def test_a_rule_does_not_hold_where_it_does_not(rule: str) -> None:
    expected = "shown" if rule == "R72" else "missing"
    assert state(rule, HISTORIES[rule], good=False) == expected


@pytest.mark.parametrize("rule", HISTORIES)
def test_what_proves_a_rule_is_in_the_log(rule: str) -> None:
    history = HISTORIES[rule]
    at = world(*history.good, day=history.day, directory=history.directory)
    known = {h.id for some in at.lives.values() for life in some.values() for h in life.past}
    for one in obligations(BY_ID[rule], at):
        assert set(one.evidence) <= known
        assert bool(one.evidence) == (one.state in {"done", "waived"})
        assert len(set(one.evidence)) == len(one.evidence)


def test_nothing_is_owed_twice() -> None:
    everything = [entry for history in HISTORIES.values() for entry in history.good]
    at = world(*everything)
    for rule in RULES:
        some = [(one.subject, one.period) for one in obligations(rule, at)]
        assert len(set(some)) == len(some), rule.id


def test_the_board_has_a_line_for_every_rule_and_figures_for_those_computed() -> None:
    rows = board(world(*HISTORIES["R46"].good))
    assert [row["rule"] for row in rows] == IDS
    for row in rows:
        assert row["computed"] == (row["rule"] not in NOT_COMPUTED)
        if row["computed"]:
            assert row["denominator"] == row["numerator"] + row["missing"]
    talks = next(row for row in rows if row["rule"] == "R46")
    assert (talks["numerator"], talks["denominator"], talks["share"]) == (1, 2, 0.5)


def test_a_school_in_which_nothing_happened_owes_what_its_roster_says() -> None:
    rows = {row["rule"]: row for row in board(world(day=TODAY))}
    assert (rows["R46"]["numerator"], rows["R46"]["denominator"]) == (0, 2)
    assert rows["R47"]["denominator"] == 3
    assert rows["R59"]["denominator"] == 4
    assert rows["R43"]["denominator"] == 0
    assert rows["R43"]["share"] is None


def test_the_page_for_people_is_the_catalogue() -> None:
    written = (Path(__file__).parents[2] / "docs" / "rules.md").read_text()
    assert written == table(), "write `catalogue.table()` to docs/rules.md"
