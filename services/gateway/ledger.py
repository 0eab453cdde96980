"""The ledger (整改台账) as a table: the columns schools keep, in the order they keep them. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from services.gateway.lettering import joined, words
from services.gateway.life import FOUND, SATISFIED, SOURCES, STAGES
from services.gateway.sheets import Around, Item, Layout

_WINDS = {
    "formalism": "形式主义",
    "bureaucratism": "官僚主义",
    "hedonism": "享乐主义",
    "extravagance": "奢靡之风",
}
_ALL_SOURCES = {
    **SOURCES,
    "collation": "征求意见",
    "superior": "上级指出",
}
_PHASES = {"before": "整改前", "after": "整改后"}


def _said(value: Any) -> str:  # noqa: ANN401 -- JSON
    """What somebody wrote, as they wrote it, or the mask in its place."""
    return value if isinstance(value, str) else words(value)


def _what(item: Item, _: Around) -> str:
    return joined("\n", *dict.fromkeys((_said(item["title"]), _said(item["description"]))))


def _from(item: Item, _: Around) -> str:
    kinds = dict.fromkeys(source["kind"] for source in item["sources"])
    told = "、".join(_ALL_SOURCES.get(kind, kind) for kind in kinds)
    return joined(" / ", told, FOUND[item["discovery"]])


def _wind(item: Item, _: Around) -> str:
    return "、".join(_WINDS.get(wind, wind) for wind in item["winds"]) or "非四风"


def _measures(item: Item, around: Around) -> str:
    return "\n".join(
        f"{number}. {_said(one['text'])}（{around.name(one['owner'])}，{one['due_on']}）"
        for number, one in enumerate(item["measures"], start=1)
    )


def _due(item: Item, _: Around) -> str:
    return str(item["due"]["on"]) if item["due"] else ""


def _extended(item: Item, _: Around) -> str:
    first = item["first_due"]
    granted = (
        f"延期{item['extensions']}次，原定{first['on']}" if item["extensions"] and first else ""
    )
    asked = f"申请延至{item['extension_asked']}" if item["extension_asked"] else ""
    return joined("；", granted, asked)


def _progress(item: Item, around: Around) -> str:
    latest = item["progress"]
    return f"{_said(latest['text'])}（{around.day(latest['at'])}）" if latest else ""


def _evidence(item: Item, _: Around) -> str:
    counted = Counter(one["phase"] for one in item["evidence"])
    return "，".join(f"{zh}{counted[phase]}件" for phase, zh in _PHASES.items() if counted[phase])


def _notice(item: Item, _: Around) -> str:
    until = item["notice_until"]
    objection = joined("", "异议：" if item["objection"] else "", _said(item["objection"]))
    return joined("；", f"公示至{until['on']}" if until else "", objection)


def _verdicts(item: Item, _: Around) -> str:
    counted = Counter(verdict["satisfied"] for verdict in item["verdicts"])
    return "，".join(f"{zh}{counted[one]}人" for one, zh in SATISFIED.items() if counted[one])


def _struck_off(item: Item, around: Around) -> str:
    at, by = around.day(item["struck_off_at"]), around.name(item["struck_off_by"])
    return joined("，", at, by)


COLUMNS: Mapping[str, Callable[[Item, Around], Any]] = {
    "问题编号": lambda item, _: item["id"],
    "问题": _what,
    "来源与发现方式": _from,
    "四风类别": _wind,
    "是否重点": lambda item, _: item["key_issue"],
    "发现时间": lambda item, around: around.day(item["found_at"]),
    "责任领导": lambda item, around: around.name(item["accountable_leader"]),
    "责任部门": lambda item, around: around.name(item["responsible_department"]),
    "责任人": lambda item, around: around.name(item["owner"]),
    "复核人": lambda item, around: around.name(item["reviewer"]),
    "整改措施": _measures,
    "完成时限": _due,
    "延期情况": _extended,
    "整改情况": _progress,
    "佐证材料": _evidence,
    "状态": lambda item, _: STAGES.get(item["stage"], item["stage"]),
    "验收意见": lambda item, _: _said(item["finding"]),
    "驳回次数": lambda item, _: item["returned"],
    "公示情况": _notice,
    "满意度": _verdicts,
    "完成时间": lambda item, around: around.day(item["verified_at"]),
    "销号情况": _struck_off,
}
"""What stands under each heading, behind the line's number."""


def _cells(number: int, item: Item, around: Around) -> Iterable[Any]:
    return [number, *(told(item, around) for told in COLUMNS.values())]


LEDGER = Layout(["序号", *COLUMNS], _cells)
"""`GET /v1/{school}/issues` as a table."""
