"""What one more event makes anew is what it concerns, however long the log is."""

from datetime import date

import pytest

from services.bench_oversight import year
from services.campaign.directory import FOLLOWS, Directory, fold
from services.feedback.events import OpinionSubmitted
from services.oversight.rules import sources
from services.oversight.rules.catalogue import BY_ID
from services.oversight.rules.engine import board, obligations
from services.oversight.rules.world import World
from shared.decider import Event
from tests.oversight.deeds import talked
from tests.oversight.histories import HISTORIES
from tests.oversight.town import SCHOOL, TODAY, WU, ZHOU, Entry, lives, records

pytestmark = pytest.mark.thorough

HERE = [*HISTORIES["R46"].good, *HISTORIES["R19"].good, *HISTORIES["R56"].good[1:]]


def test_only_what_looked_at_what_moved_is_worked_out_again() -> None:
    before = World.at(SCHOOL, TODAY, lives(records(HERE)), len(HERE))
    board(before)
    weekly = obligations(BY_ID["R19"], before)
    talks = obligations(BY_ID["R46"], before)
    further = lives(records([*HERE, talked("t9", ZHOU, WU)]))

    after = before.moved(SCHOOL, further, len(HERE) + 1, {"talks.talk": {"t9"}})

    assert obligations(BY_ID["R19"], after) is weekly
    assert obligations(BY_ID["R46"], after) is not talks
    assert "t9" in after.talks


def test_another_roster_has_everything_worked_out_again() -> None:
    before = World.at(SCHOOL, TODAY, lives(records(HERE)), len(HERE))
    weekly = obligations(BY_ID["R19"], before)
    other = SCHOOL.model_copy()

    after = before.moved(other, before.streams, len(HERE), {})

    assert obligations(BY_ID["R19"], after) is not weekly
    assert obligations(BY_ID["R19"], after) == weekly


def test_the_year_of_the_benchmark_is_one_the_engine_reads() -> None:
    told = [Entry(e.stream, e.event, e.on) for e in year(6_500)]
    log = records(told)
    followed: set[type[Event]] = {*FOLLOWS}
    directory: Directory | None = None
    for record in log:
        if type(record.event) in followed:
            directory = fold(directory, record)
    assert directory is not None
    some = lives(record for record in log if type(record.event) in sources.FOLLOWS)

    rows = {r["rule"]: r for r in board(World.at(directory, date(2023, 12, 29), some, len(log)))}

    assert len(log) == 6_500
    assert len(directory.roster.people) == 150
    heard = sum(isinstance(entry.event, OpinionSubmitted) for entry in told)
    assert rows["R36"]["numerator"] == heard > 100
    assert rows["R47"]["denominator"] == 36
