"""An opinion becomes the row of a table it is read from."""

import pytest

from services.feedback.events import Channel, TargetKind
from services.feedback.tables import CHANNELS, TARGETS, opinions

ITEM = {
    "verbatim_text": "食堂的菜是凉的",
    "channel": "symposium",
    "channel_text": None,
    "target_kind": "department",
    "target": "logistics",
    "heard_at": "2026-03-01T08:00:00Z",
    "submitted_at": "2026-03-01T08:00:00Z",
    "id": "o1",
}


@pytest.mark.parametrize("heard", [None, "2026-02-01T08:00:00Z"])
def test_a_row_says_when_it_was_heard_only_where_that_was_another_moment(heard: str | None) -> None:
    row = opinions.row({**ITEM, **({"heard_at": heard} if heard else {})})
    cells = {k: row[k] for k in opinions.columns.values() if row.get(k) is not None}
    assert opinions.shape(cells) == {
        "verbatim_text": "食堂的菜是凉的",
        "channel": Channel.symposium,
        "target_kind": TargetKind.department,
        "target": "logistics",
        "recorded_by_clerk": True,
        **({"occurred_at": heard} if heard else {}),
    }


def test_every_channel_and_target_has_a_chinese_name() -> None:
    assert set(CHANNELS.values()) == set(Channel)
    assert set(TARGETS.values()) == set(TargetKind)
