"""Every figure the plan leaves to policy has a default, a unit and a source."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.campaign.calendar import FARTHEST, Calendar, Period, duration
from services.campaign.defaults import (
    MOST_SCHOOL_DAYS,
    SETTINGS,
    TEXTS,
    Policy,
    periods,
    well_formed,
)
from services.campaign.events import SettingUnit
from tests.campaign.examples import TODAY


@pytest.mark.parametrize("name", SETTINGS)
def test_a_default_is_a_value_of_its_own_unit(name: str) -> None:
    setting = SETTINGS[name]
    assert setting.zh
    assert setting.value is None or setting.accepts(setting.value, setting.unit)


def test_every_whole_record_and_who_read_it_is_kept_for_a_while_whatever_a_school_sets() -> None:
    evidence = {t.kept for t in TEXTS.values() if t.kept and not t.at_any_time} | {"looks_kept"}
    assert {name for name, setting in SETTINGS.items() if setting.least} == evidence
    for name in evidence:
        shortest = duration(SETTINGS[name].least)
        assert timedelta(days=180) < shortest <= duration(Policy().setting(name).value)


def test_the_donation_amount_alone_has_no_default() -> None:
    assert [name for name, s in SETTINGS.items() if s.value is None] == ["donation_amount"]
    with pytest.raises(KeyError):
        Policy().setting("donation_amount")


def test_the_weights_of_the_three_rates_make_one() -> None:
    weights = ("weight_response", "weight_resolution", "weight_satisfaction")
    assert sum(Decimal(Policy().setting(name).value) for name in weights) == 1


def test_what_the_school_set_counts_instead_of_the_default() -> None:
    own = Period(value="P1D", unit=SettingUnit.duration)
    policy = Policy(values={"claim_within": own})
    assert policy.setting("claim_within") == own
    assert policy.setting("plan_within") == Period(value="5", unit=SettingUnit.school_days)


def test_there_is_nothing_else_to_set() -> None:
    with pytest.raises(KeyError):
        Policy().setting("claim_after")


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        ("0", SettingUnit.school_days),
        ("1000", SettingUnit.school_days),
        ("PT2S", SettingUnit.duration),
        ("2022", SettingUnit.yuan),
        ("99.5", SettingUnit.yuan),
        ("0", SettingUnit.ratio),
        ("1", SettingUnit.ratio),
        ("0.9", SettingUnit.ratio),
        ("45", SettingUnit.minutes),
        ("1500", SettingUnit.characters),
        ("好|一般|差", SettingUnit.scale),
        ("branch", SettingUnit.choice),
        ("7|3|PT2H|0", SettingUnit.periods),
        ("10|7|5|4|3|2|1|0", SettingUnit.periods),
    ],
)
def test_well_formed_values(value: str, unit: SettingUnit) -> None:
    assert well_formed(value, unit)


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        ("", SettingUnit.school_days),
        ("٣", SettingUnit.school_days),
        ("3 ", SettingUnit.school_days),
        ("1001", SettingUnit.school_days),
        ("0", SettingUnit.yuan),
        ("NaN", SettingUnit.yuan),
        ("1e3", SettingUnit.yuan),
        ("1_0", SettingUnit.yuan),
        ("-1", SettingUnit.yuan),
        ("Infinity", SettingUnit.ratio),
        ("0.5\n", SettingUnit.ratio),
        ("100000", SettingUnit.minutes),
        ("1500字", SettingUnit.characters),
        ("two words", SettingUnit.choice),
        ("good", SettingUnit.scale),
        ("good|", SettingUnit.scale),
        ("1|2", SettingUnit.scale),
        ("", SettingUnit.periods),
        ("7|P1M", SettingUnit.periods),
        ("15|10|7|5|4|3|2|1|0", SettingUnit.periods),
    ],
)
def test_malformed_values(value: str, unit: SettingUnit) -> None:
    assert not well_formed(value, unit)


def test_a_deadline_in_school_days_may_be_a_duration_and_not_the_other_way_round() -> None:
    assert SETTINGS["claim_within"].takes(SettingUnit.duration)
    assert not SETTINGS["intake_batch"].takes(SettingUnit.school_days)
    assert not SETTINGS["minimum_talk"].takes(SettingUnit.duration)


def test_a_value_is_accepted_in_its_unit_and_well_formed() -> None:
    claim_within = SETTINGS["claim_within"]
    assert claim_within.accepts("2", SettingUnit.school_days)
    assert not claim_within.accepts("2", SettingUnit.minutes)
    assert not claim_within.accepts("two", SettingUnit.school_days)


@pytest.mark.parametrize("name", ["adopted_papers", "mutual_criticism", "commenting_principal"])
def test_a_rule_that_can_be_read_in_two_ways_is_read_in_one_of_them(name: str) -> None:
    setting = SETTINGS[name]
    assert len(setting.choices) == 2
    assert all(setting.accepts(choice, SettingUnit.choice) for choice in setting.choices)
    assert not setting.accepts("both", SettingUnit.choice)


def test_the_longest_period_is_well_within_sight() -> None:
    last = Calendar().school_days_from(TODAY, MOST_SCHOOL_DAYS)
    assert (last - TODAY).days * 2 < FARTHEST


@given(st.text(max_size=12), st.sampled_from(SettingUnit))
def test_whatever_is_well_formed_can_be_used(value: str, unit: SettingUnit) -> None:
    if not well_formed(value, unit):
        return
    match unit:
        case (
            SettingUnit.school_days
            | SettingUnit.minutes
            | SettingUnit.characters
            | SettingUnit.number
        ):
            assert int(value) >= 0
        case SettingUnit.duration:
            assert duration(value).total_seconds() >= 0
        case SettingUnit.yuan | SettingUnit.ratio:
            assert Decimal(value) >= 0
        case SettingUnit.periods:
            assert periods(value)
        case SettingUnit.scale:
            assert len(value.split("|")) > 1
        case SettingUnit.choice:
            assert value.isidentifier()


def test_periods_are_mixed_as_need_be() -> None:
    assert periods("3|PT2S") == (
        Period(value="3", unit=SettingUnit.school_days),
        Period(value="PT2S", unit=SettingUnit.duration),
    )
