"""Every command of study at least once, as the laws try them on every state they can reach."""

from typing import Any

from services.study.domain import (
    activity,
    catalogue,
    gap,
    reading,
    reflection,
    self_rating,
    session,
    tie,
)
from services.study.events import Slogan
from shared.decider import Command, Decider
from tests.study import (
    test_activity,
    test_catalogue,
    test_gap,
    test_reading,
    test_reflection,
    test_self_rating,
    test_session,
    test_tie,
)
from tests.study.cast import LEADER, MEMBER, SCHOOL, STRANGER, TODAY, by

SESSION: tuple[Command, ...] = (
    test_session.record(branch="liberal"),
    test_session.correct(place="会议室", branch="liberal"),
    test_session.attend(MEMBER, excused=(STRANGER,)),
    by(LEADER, session.VoidStudySession, reason="重复登记"),
)
CATALOGUE: tuple[Command, ...] = (
    test_catalogue.add(),
    test_catalogue.revise(),
    test_catalogue.correct(title="条例", withdrawn_on=TODAY),
    test_catalogue.withdraw(),
    by(LEADER, catalogue.VoidCatalogueItem, reason="重复"),
)
READING: tuple[Command, ...] = (
    test_reading.record(),
    test_reading.correct(),
    by(LEADER, reading.VoidReading, reason="并未学习"),
)
REFLECTION: tuple[Command, ...] = (
    test_reflection.submit(),
    test_reflection.correct(),
    test_reflection.rate(),
    test_reflection.void(),
)
GAP: tuple[Command, ...] = (test_gap.record(), test_gap.correct(), test_gap.void())
SELF_RATING: tuple[Command, ...] = (
    test_self_rating.record(),
    test_self_rating.correct(),
    test_self_rating.void(),
)
ACTIVITY: tuple[Command, ...] = (
    test_activity.record(
        base=test_activity.VISIT, remarks="精神尚好", slogans=(Slogan.five_by_example,)
    ),
    test_activity.correct(base=test_activity.VISIT, on=TODAY),
    test_activity.solve(),
    test_activity.reopen(),
    test_activity.raise_problem(),
    test_activity.void(),
)
TIE: tuple[Command, ...] = (
    test_tie.open_tie(),
    test_tie.end(),
    test_tie.correct(until=TODAY),
    test_tie.void(),
)

EVERYTHING: tuple[tuple[Decider[Any, Any, Any, Any], Any, tuple[Command, ...]], ...] = (
    (session.decider, test_session.FACTS, SESSION),
    (catalogue.decider, SCHOOL, CATALOGUE),
    (reading.decider, reading.Facts(SCHOOL, edition=1), READING),
    (reflection.decider, SCHOOL, REFLECTION),
    (gap.decider, SCHOOL, GAP),
    (self_rating.decider, SCHOOL, SELF_RATING),
    (activity.decider, SCHOOL, ACTIVITY),
    (tie.decider, SCHOOL, TIE),
)
"""Every stream, what is known when it is decided on, and its commands."""

DONATION = test_activity.donation("2022")
