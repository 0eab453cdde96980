"""A fresh document is folded on to where the live one is, and no further."""

from typing import Any

import pytest
from pydantic import BaseModel

from services.rectification.events import ProgressReported
from shared.decider import PersonId
from shared.envelope import Record
from shared.replay import Pair, _fold_on
from shared.views import Folding, View, Working
from tests.feedback.school import NOON
from tests.memory import NOTHING, TOWN, Drawer, record


class Said(BaseModel):
    """What was said last of a stream."""

    last: str


def project(_: Said | None, record: Record) -> Said | None:
    text = record.event.model_dump()["text"]
    if text == "bad":
        raise ZeroDivisionError
    return None if text == "gone" else Said(last=text)


SAID = record(ProgressReported(text="c"), "i", 3, by=PersonId("p"), noon=NOON, version=3)
VIEW = View("cards", Said, project, (ProgressReported,))


def folded(*texts: str, live: int | None, fresh: int = 1) -> tuple[Folding, str]:
    """The fresh document, made by the first so many, after all were offered; and its id."""
    key = f"{TOWN}/i"
    folding = Folding(VIEW, Drawer(NOTHING))
    folding.cache[key] = Working(None, None, 0, 0)
    there: dict[str, Any] = {} if live is None else {key: {"_id": key, "position": live}}
    for n, text in enumerate(texts, start=1):
        event = ProgressReported(text=text)
        said = record(event, "i", n, by=PersonId("p"), noon=NOON, version=n)
        if n <= fresh:
            folding.fold(said, key)
        else:
            _fold_on(folding, said, there)
    return folding, key


@pytest.mark.parametrize(("live", "last"), [(1, "a"), (2, "b"), (3, "c")])
def test_it_ends_where_the_live_one_does(live: int, last: str) -> None:
    folding, key = folded("a", "b", "c", live=live)

    assert (folding.written(key)["position"], folding.written(key)["last"]) == (live, last)


def test_one_that_is_no_more_is_folded_until_it_is_gone() -> None:
    folding, key = folded("a", "gone", "b", live=None)

    assert folding.written(key)["gone"]


def test_one_that_should_be_there_is_missing() -> None:
    folding, key = folded("a", "b", live=None)
    pair = Pair("cards", VIEW, NOTHING, NOTHING)
    pair._note({}, {key: folding.written(key)})

    assert pair.differences() == [f"cards {key}: missing"]


def test_what_cannot_be_folded_sets_its_stream_aside() -> None:
    folding, key = folded("a", "bad", "c", live=3)

    assert (folding.written(key)["position"], folding.parked) == (
        1,
        {f"evt.{TOWN}.rectification.issue.i": 2},
    )


def test_a_position_that_was_changed_by_hand_is_told() -> None:
    folding, key = folded("a", "b", live=9, fresh=2)
    pair = Pair("cards", VIEW, NOTHING, NOTHING)
    _fold_on(folding, SAID, {key: {"_id": key, "position": "far"}})
    assert folding.written(key)["position"] == 2
    pair._note({key: {**folding.written(key), "position": 9}}, {key: folding.written(key)})

    assert pair.differences() == [f"cards {key}: differs in position"]


@pytest.mark.parametrize("mark", [1, 1.0, "yes"])
def test_what_people_are_shown_is_compared_whatever_its_tombstone_says(mark: object) -> None:
    """A list leaves out only what is `True` there, as the product itself writes it."""
    folding, key = folded("a", live=1)
    pair = Pair("cards", VIEW, NOTHING, NOTHING)
    pair._note({"forged": {"_id": "forged", "position": 1, "gone": mark}}, {})
    pair._note({key: {**folding.written(key), "gone": mark}}, {key: folding.written(key)})

    assert pair.differences() == [
        "cards forged: not from the log",
        f"cards {key}: differs in gone",
    ]


async def test_every_id_that_people_are_shown_is_compared() -> None:
    folding, key = folded("a", live=1)
    live, fresh = Drawer(NOTHING), Drawer(NOTHING)
    for document in (folding.written(key), {"_id": "", "school": TOWN, "position": 1}):
        await live.put(document)
    await fresh.put(folding.written(key))
    pair = Pair("cards", VIEW, live, fresh)

    await pair.look()

    assert (pair.documents, pair.differences()) == (1, ["cards : not from the log"])
