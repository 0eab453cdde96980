"""What was kept long enough is listed, with a warning before and as of any day; nothing is erased by it."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.campaign.calendar import Period
from services.campaign.defaults import SETTINGS, TEXTS
from services.campaign.directory import Directory
from services.campaign.events import SettingUnit, TextKind
from services.campaign.roster import Person, Roster
from services.feedback.events import OpinionReconsidered, OpinionRefused, RefusalCode
from services.oversight.app import service
from services.oversight.queries import Retention
from services.oversight.rules.retention import kept, near
from services.rectification.events import IssueMerged
from shared.callers import NotAllowed
from tests.memory import TOWN
from tests.oversight.deeds import TEXT, closed, examined, opened, reflected, spoken, talked
from tests.oversight.desk import NOON, caller, works
from tests.oversight.histories import said
from tests.oversight.town import (
    ADMIN,
    APRIL,
    CAMPAIGN,
    JUNE,
    LEADER,
    MARCH,
    MAY,
    PEOPLE,
    SCHOOL,
    TEACHER,
    TODAY,
    WU,
    ZHOU,
    Entry,
    someone,
    world,
)

WARNED = timedelta(days=90)
NAMES = timedelta(days=1825)


def with_people(**changed: Person) -> Directory:
    return SCHOOL.model_copy(update={"roster": Roster(people={**PEOPLE, **changed})})


def left(**more: Any) -> Person:
    return someone().model_copy(update={"left_on": MARCH, **more})


def named(stream: str) -> Entry:
    """An opinion whose originator said who they are."""
    entry = spoken(stream)
    said_so = entry.event.model_copy(update={"voiced_by": TEXT})
    return Entry(stream, said_so, entry.on)


def voices(*entries: Entry, directory: Directory = SCHOOL) -> dict[str, date | None]:
    found = kept(world(*entries, directory=directory))
    return {one.id: one.since for one in found if one.kind == TextKind.originator}


@pytest.mark.parametrize(
    ("later", "state"),
    [
        (NAMES - WARNED - timedelta(days=1), None),
        (NAMES - WARNED, "soon"),
        (NAMES, "soon"),
        (NAMES + timedelta(days=1), "due"),
    ],
)
def test_a_name_is_listed_some_time_before_and_from_the_day_on(
    later: timedelta, state: str | None
) -> None:
    day = MARCH + later
    found = near(world(directory=with_people(gone=left())), day)
    told = {one.id: "due" if one.due(day) else "soon" for one in found}
    assert told == ({"gone": state} if state else {})


def test_who_was_erased_or_merged_is_not_listed_and_who_was_voided_is_at_once() -> None:
    day = MARCH + NAMES
    school = with_people(gone=left(), twin=left(merged_into=WU), slip=someone())
    slip = school.roster.people["slip"].model_copy(update={"voided": True})  # type: ignore[index]
    school = with_people(gone=left(), twin=left(merged_into=WU), slip=slip)
    erased = school.model_copy(update={"erased": ("gone",)})
    assert [(one.id, one.until) for one in near(world(directory=erased), day)] == [("slip", None)]
    assert near(world(directory=erased), day)[0].due(MARCH)


def test_a_school_says_itself_how_long_something_is_kept() -> None:
    own = {"talks_kept": Period(value="P30D", unit=SettingUnit.duration)}
    policy = SCHOOL.policy.model_copy(update={"values": own})
    campaign = SCHOOL.campaigns[CAMPAIGN].model_copy(update={"policy": policy})
    school = SCHOOL.model_copy(update={"campaigns": {CAMPAIGN: campaign}})
    [found] = kept(world(talked("t1", ZHOU, LEADER), directory=school))
    assert found.since is not None
    assert found.until == found.since + timedelta(days=30)


def test_words_are_kept_from_the_last_thing_that_happened_to_them() -> None:
    w = world(talked("t1", ZHOU, LEADER), *examined("e1", ZHOU), reflected("r1", WU))
    found = {one.id: one for one in kept(w)}
    assert {i: one.kind for i, one in found.items()} == {
        "t1": "talk", "e1": "examination", "r1": "reflection",
    }  # fmt: skip
    for i, of in (("t1", "talks.talk"), ("e1", "meetings.examination"), ("r1", "study.reflection")):
        assert found[i].since == w.on(w.lives[of][i].last.at)
    gone = SCHOOL.model_copy(update={"erased_texts": TEXTS[TextKind.talk].scopes("t1")})
    assert [one.id for one in kept(world(talked("t1", ZHOU, LEADER), directory=gone))] == []
    part = SCHOOL.model_copy(update={"erased_texts": ("talk.t1.outsider",)})
    assert [one.id for one in kept(world(talked("t1", ZHOU, LEADER), directory=part))] == ["t1"]


REFUSED = OpinionRefused(code=RefusalCode.no_request, reason=TEXT)


def merged(stream: str, into: str) -> Entry:
    return said(stream, IssueMerged(into=into, reason=TEXT), on=MAY)


@pytest.mark.parametrize(
    ("past", "since"),
    [
        ([named("o1")], None),
        ([named("o1"), opened("i1", opinions=("o1",))], None),
        ([named("o1"), *closed("i1", opinions=("o1",))], APRIL),
        ([named("o1"), *closed("i1", opinions=("o1",)), opened("i2", opinions=("o1",))], None),
        (
            [
                named("o1"),
                *closed("i1", opinions=("o1",)),
                *closed("i2", opinions=("o1",), on=JUNE),
            ],
            JUNE,
        ),
        ([named("o1"), opened("i1", opinions=("o1",)), opened("i2"), merged("i1", "i2")], None),
        (
            [
                named("o1"),
                opened("i1", opinions=("o1",)),
                merged("i1", "i2"),
                *closed("i2", on=JUNE),
            ],
            JUNE,
        ),
        ([named("o1"), said("o1", REFUSED, on=MAY)], MAY),
        (
            [
                named("o1"),
                said("o1", REFUSED),
                said("o1", OpinionReconsidered(reason=TEXT), on=MAY),
            ],
            None,
        ),
        ([spoken("o1"), said("o1", REFUSED, on=MAY)], None),
    ],
)
def test_who_spoke_up_is_kept_until_the_last_issue_of_it_has_ended_or_it_came_to_nothing(
    past: list[Entry], since: date | None
) -> None:
    assert voices(*past) == ({"o1": since} if since else {})


async def test_the_list_is_paged_and_a_dry_run_for_any_day() -> None:
    at = await works(
        talked("t1", ZHOU, LEADER),
        *examined("e1", ZHOU),
        reflected("r1", WU),
        directory=with_people(gone=left()),
    )
    desk = at.runtime.desk(TOWN, NOON)
    ask = service.queries[Retention]
    far = TODAY + timedelta(days=3000)

    assert (await ask(Retention(), desk, caller(ADMIN)))["items"] == []
    seen, after = [], 0
    while after is not None:
        page = await ask(Retention(on=far, after=after, limit=3), desk, caller(ADMIN))
        assert (page["total"], page["on"]) == (4, far)
        seen += [(item["kind"], item["id"], item["state"]) for item in page["items"]]
        after = page["next"]
    assert sorted(seen) == [
        ("examination", "e1", "due"), ("name", "gone", "due"), ("reflection", "r1", "due"),
        ("talk", "t1", "due"),
    ]  # fmt: skip
    only = await ask(Retention(on=far, kind=TextKind.talk), desk, caller(ADMIN))
    assert [item["id"] for item in only["items"]] == ["t1"]
    with pytest.raises(NotAllowed):
        caller(TEACHER).demand(Retention.allowed)


def test_every_period_is_the_schools_own_to_set() -> None:
    periods = {"names_kept", "names_warning", "looks_kept", *(t.kept for t in TEXTS.values())} - {
        ""
    }
    for name in periods:
        assert (SETTINGS[name].unit, SETTINGS[name].source) == (SettingUnit.duration, "ours")
