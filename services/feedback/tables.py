"""Opinions heard on paper, as a table: how a row becomes a command."""

from collections.abc import Mapping
from typing import Any

from services.feedback.domain.opinion import SubmitOpinion
from services.feedback.events import Channel, TargetKind
from shared.runtime import TableOf

CHANNELS = {
    "座谈会": Channel.symposium,
    "个别访谈": Channel.individual_interview,
    "随机调研": Channel.spot_survey,
    "接待群众": Channel.public_reception,
    "意见箱": Channel.suggestion_box,
    "微博": Channel.weibo,
    "微信": Channel.wechat,
    "其他": Channel.other,
}
TARGETS = {
    "班子": TargetKind.team,
    "班子成员": TargetKind.member,
    "部门": TargetKind.department,
    "支部": TargetKind.branch,
    "不清楚": TargetKind.unknown,
}


def opinion(row: Mapping[str, str]) -> Mapping[str, Any]:
    """A row of opinions that a clerk writes down for those who said them."""
    fields: dict[str, Any] = {**row, "recorded_by_clerk": True}
    fields["channel"] = CHANNELS.get(row.get("channel", ""), row.get("channel"))
    if "target_kind" in row:
        fields["target_kind"] = TARGETS.get(row["target_kind"], row["target_kind"])
    return fields


def opinion_row(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """The cells of an opinion; when it was heard only where that is not when it was written down."""
    heard = item["heard_at"] if item["heard_at"] != item["submitted_at"] else None
    channel, target = item["channel"], item["target_kind"]
    return {
        **item,
        "channel": next(word for word, meant in CHANNELS.items() if meant == channel),
        "target_kind": next(word for word, meant in TARGETS.items() if meant == target),
        "occurred_at": heard,
    }


opinions = TableOf(
    SubmitOpinion,
    {
        "意见原文": "verbatim_text",
        "渠道": "channel",
        "渠道说明": "channel_text",
        "对象类别": "target_kind",
        "对象": "target",
        "场次": "sitting",
        "反映人": "voiced_by",
        "联系方式": "contact",
        "发生时间": "occurred_at",
    },
    opinion,
    opinion_row,
)
