"""The six ones as a table: the sheet on which a week's visits are noted, a row each."""

from collections.abc import Mapping
from typing import Any

from services.study.domain.activity import RecordActivity
from services.study.events import ActivityKind
from shared.runtime import TableOf

KINDS = {
    "捐资": ActivityKind.donation,
    "联系帮扶": ActivityKind.pairing_support,
    "走访教职工": ActivityKind.staff_visit,
    "听课": ActivityKind.lesson_observation,
    "食堂就餐": ActivityKind.canteen_meal,
    "宿舍走访": ActivityKind.dormitory_visit,
    "理论专著": ActivityKind.monograph_study,
    "科研活动": ActivityKind.research_activity,
    "科研课题": ActivityKind.research_topic,
    "公开课": ActivityKind.open_class,
    "科研文章": ActivityKind.research_article,
    "定员帮扶": ActivityKind.named_tutoring,
}


def activity(row: Mapping[str, str]) -> Mapping[str, Any]:
    """A row of the six ones; people are named by their ids, pupils by their pseudonyms."""
    kind = row.get("kind", "")
    return {**row, "kind": KINDS.get(kind, kind)}


def activity_row(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """The cells of one of the six ones."""
    return {**item, "kind": next(word for word, meant in KINDS.items() if meant == item["kind"])}


activities = TableOf(
    RecordActivity,
    {
        "类别": "kind",
        "人员": "person",
        "日期": "on",
        "题目": "title",
        "学生代号": "pupil",
        "金额": "amount",
        "走访对象": "visited",
        "困难": "difficulty",
        "备注": "remarks",
    },
    activity,
    activity_row,
)
