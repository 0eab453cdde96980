"""What was stored of examinations and appraisals can be read, one file per TYPE."""

import json
from pathlib import Path

import pytest

from services.meetings.events import AppraisalEvent, ExaminationEvent
from shared.decider import Event

GOLDEN = Path(__file__).parents[1] / "golden"
EVENTS: tuple[type[Event], ...] = (
    *ExaminationEvent.__value__.__args__,
    *AppraisalEvent.__value__.__args__,
)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.TYPE)
def test_it_can_still_be_read(event: type[Event]) -> None:
    body = (GOLDEN / f"{event.TYPE}.json").read_text()

    read = event.model_validate_json(body)

    assert json.loads(read.model_dump_json()) == json.loads(body)


def test_the_files_are_those_of_the_types() -> None:
    mine = ("meetings.examination.", "meetings.appraisal.")
    files = {path.stem for path in GOLDEN.glob("meetings.*.json") if path.stem.startswith(mine)}
    assert files == {event.TYPE for event in EVENTS}
