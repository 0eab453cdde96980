"""The views: what each thing looks like after what happened to it."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services.study import projection
from services.study.app import service
from services.study.events import (
    CatalogueItemCorrected,
    CatalogueItemVoided,
    GapVoided,
    Rating,
    ReflectionCorrected,
    ReflectionRated,
    ReflectionVoided,
    SelfRatingVoided,
    StudyAttendanceRecorded,
    TieEnded,
)
from shared.decider import Event, Rejected
from shared.views import View
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
from tests.study.cast import LEADER, MEMBER, SECRETARY, STRANGER, TEACHER, TODAY
from tests.study.everything import EVERYTHING
from tests.study.memory import log


def after(project: Callable[[Any, Any], Any], *past: Event) -> Any:
    found = None
    for one in log(*(("stream-1", event) for event in past)):
        found = project(found, one)
    return found


def test_a_session_shows_who_was_there_once_it_is_said() -> None:
    card = after(projection.session_card, test_session.recorded)
    assert (card.stage, card.present, card.theme) == ("recorded", None, "群众路线的历史与现实")
    card = after(projection.session_card, *test_session.ATTENDED)
    assert (card.present, card.excused) == ((MEMBER, TEACHER), (STRANGER,))
    again = StudyAttendanceRecorded(present=(TEACHER,))
    card = after(projection.session_card, *test_session.ATTENDED, again)
    assert (card.present, card.excused) == ((TEACHER,), ())
    card = after(projection.session_card, *test_session.VOIDED)
    assert (card.stage, card.reason) == ("voided", "重复登记")


def test_an_item_shows_its_edition_and_until_when_it_counts() -> None:
    card = after(projection.item_card, test_catalogue.added, test_catalogue.revised)
    assert (card.edition, card.title) == (2, "厉行节约反对浪费条例(修订)")
    card = after(projection.item_card, *test_catalogue.WITHDRAWN)
    assert card.withdrawn_on == test_catalogue.UNTIL
    back = CatalogueItemCorrected(
        title="条例", origin="~", required=False, since=TODAY, reason="抄错"
    )
    card = after(projection.item_card, *test_catalogue.WITHDRAWN, back)
    assert (card.withdrawn_on, card.required, card.reason) == (None, False, "抄错")
    card = after(projection.item_card, *test_catalogue.ADDED, CatalogueItemVoided(reason="~"))
    assert card.stage == "voided"


def test_a_reading_that_was_struck_out_may_be_there_again() -> None:
    past = (test_reading.recorded, test_reading.corrected, test_reading.voided)
    card = after(projection.reading_card, *past)
    assert (card.stage, card.on) == ("voided", TODAY)
    card = after(projection.reading_card, *past, test_reading.recorded)
    assert (card.stage, card.reason) == ("recorded", None)


def test_a_rating_says_which_wording_it_was_given_for() -> None:
    corrected = ReflectionCorrected(**{**test_reflection.WORDING, "length": 9}, reason="~")
    second = ReflectionRated(reader=SECRETARY, rating=Rating.poor, comment="空洞")
    card = after(projection.reflection_card, *test_reflection.RATED, corrected, second)
    assert (card.wording, card.length) == (2, 9)
    assert [(r.reader, r.rating, r.wording) for r in card.ratings] == [
        (LEADER, Rating.good, 1),
        (SECRETARY, Rating.poor, 2),
    ]
    again = ReflectionRated(reader=LEADER, rating=Rating.average, comment="~")
    card = after(projection.reflection_card, *test_reflection.RATED, again)
    assert [r.rating for r in card.ratings] == [Rating.average]
    card = after(projection.reflection_card, *test_reflection.RATED, ReflectionVoided(reason="~"))
    assert card.stage == "voided"


def test_gaps_and_self_ratings_show_what_was_said_last() -> None:
    card = after(projection.gap_card, test_gap.recorded, test_gap.corrected)
    assert (card.text, card.stage) == ("家访不均", "recorded")
    assert after(projection.gap_card, test_gap.recorded, GapVoided(reason="~")).stage == "voided"
    past = (test_self_rating.recorded, test_self_rating.corrected)
    card = after(projection.self_rating_card, *past)
    assert card.scores.public_concerns == 4
    card = after(projection.self_rating_card, *past, SelfRatingVoided(reason="~"))
    assert card.stage == "voided"


def test_an_activity_shows_what_came_of_it() -> None:
    card = after(projection.activity_card, *test_activity.SOLVED)
    assert (card.solved_on, card.how) == (TODAY, "年级组轮流接送两周")
    card = after(projection.activity_card, *test_activity.SOLVED, test_activity.reopened)
    assert (card.solved_on, card.how) == (None, None)
    card = after(projection.activity_card, *test_activity.RAISED, test_activity.corrected)
    assert (card.problems, card.on) == (("one",), date(2023, 5, 7))
    card = after(projection.activity_card, *test_activity.VOIDED)
    assert (card.stage, card.reason) == ("voided", "当天并未听课")


def test_an_amount_is_stored_to_the_fen() -> None:
    event = test_activity.activity.given().when(test_activity.donation("2022")).decided()
    assert event
    card = after(projection.activity_card, event)
    stored = card.model_dump(mode="json")
    assert stored["amount"] == "2022.00"
    assert projection.ActivityCard.model_validate(stored).amount == Decimal(2022)


def test_a_members_ties_stand_side_by_side() -> None:
    past = (*test_tie.MOVED, TieEnded(number=2, until=TODAY), test_tie.voided)
    card = after(projection.tie_card, *past)
    assert card.person == MEMBER
    assert [(t.number, t.unit, t.until, t.stage) for t in card.ties] == [
        (1, "grade-8", test_tie.UNTIL, "voided"),
        (2, "logistics", TODAY, "recorded"),
    ]
    card = after(projection.tie_card, test_tie.opened, test_tie.corrected)
    assert [(t.unit, t.reason) for t in card.ties] == [("logistics", "抄错")]


@pytest.mark.parametrize("view", service.views, ids=lambda view: view.name)
def test_what_never_began_is_in_no_view(view: View[Any]) -> None:
    category = {event.TYPE.split(".")[1] for event in view.follows}
    ((decider, facts, commands),) = [one for one in EVERYTHING if {one[0].category} == category]
    (first,) = [command for command in commands if type(command).creates]
    opened = decider.decide(first, decider.initial, facts)
    after_first = decider.evolve(decider.initial, opened)
    for command in commands:
        if type(command).creates:
            continue
        try:
            event = decider.decide(command, after_first, facts)
        except Rejected:  # not every command follows the first
            continue
        if event:
            assert after(view.project, event) is None


def test_every_event_of_study_is_in_some_view() -> None:
    seen = {event for view in service.views for event in view.follows}
    for stream in service.streams:
        assert set(stream.decider.members(stream.decider.events)) <= seen
