"""The roster and the units as tables: how a row becomes a command."""

import re
from collections.abc import Mapping
from typing import Any

from services.campaign.domain.person import EnterPerson
from services.campaign.domain.unit import EnterUnit
from services.campaign.events import Role, UnitKind
from shared.runtime import TableOf

KINDS = {
    "部门": UnitKind.department,
    "支部": UnitKind.branch,
    "年级": UnitKind.grade,
    "教研组": UnitKind.subject_group,
}
ROLES = {
    "主要领导": Role.principal_leader,
    "班子成员": Role.team_member,
    "部门负责人": Role.department_head,
    "支部书记": Role.branch_secretary,
    "行政负责人": Role.administrative_head,
    "年级组长": Role.grade_head,
    "教研组长": Role.subject_group_head,
    "学校行政": Role.school_administrator,
    "党员": Role.party_member,
    "预备党员": Role.probationary_member,
    "党员干部": Role.party_cadre,
    "督导组成员": Role.supervisor,
    "汇总员": Role.collator,
}

_SEVERAL = re.compile(r"[|;；、]")
_POST = re.compile(r"(?P<role>[^@:]+)(?:@(?P<unit>[^:]+))?(?::(?P<since>.+))?")


def unit(row: Mapping[str, str]) -> Mapping[str, Any]:
    """A row of departments, branches, grades and subject groups."""
    kind = row.get("kind", "")
    return {**row, "kind": KINDS.get(kind, kind)}


def unit_row(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """The cells of a unit."""
    return {"kind": _word(KINDS, item["kind"]), "name": item["name"]}


def person(row: Mapping[str, str]) -> Mapping[str, Any]:
    """A row of the roster.

    Posts are written `role`, `role@unit` or `role@unit:since`, several with `|` between them; a
    post without a day is held from joining. Units are named by their ids.
    """
    fields: dict[str, Any] = dict(row)
    if "posts" in row:
        fields["posts"] = [_post(text, row.get("joined_on", "")) for text in _several(row["posts"])]
    if "oversees" in row:
        fields["oversees"] = _several(row["oversees"])
    return fields


def person_row(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """The cells of somebody in the roster: what they hold on the day asked for; the number, if told."""
    now, joined_on = item["as_of"], item["joined_on"]
    posts = (post for post in item["posts"] if post["until"] is None or post["until"] >= now["on"])
    return {
        **{name: item.get(name) for name in ("name", "number", "joined_on")},
        "posts": "|".join(_written(post, joined_on) for post in posts),
        "branch": now["branch"],
        "oversees": now["oversees"],
    }


def _written(post: Mapping[str, Any], joined_on: str) -> str:
    unit_of = f"@{post['unit']}" if post["unit"] else ""
    since = "" if post["since"] == joined_on else f":{post['since']}"
    return f"{_word(ROLES, post['role'])}{unit_of}{since}"


def _word(words: Mapping[str, str], value: str) -> str:
    """What a value is called in a table."""
    return next(word for word, meant in words.items() if meant == value)


def _several(cell: str) -> list[str]:
    return [part.strip() for part in _SEVERAL.split(cell) if part.strip()]


def _post(text: str, joined_on: str) -> dict[str, str]:
    found = _POST.fullmatch(text)
    if found is None:
        return {"role": text}
    role, unit_of, since = (found[name] for name in ("role", "unit", "since"))
    post = {"role": ROLES.get(role.strip(), role.strip()), "since": (since or joined_on).strip()}
    return {**post, "unit": unit_of.strip()} if unit_of else post


roster = TableOf(
    EnterPerson,
    {
        "姓名": "name",
        "编号": "number",
        "工号": "number",
        "到校日期": "joined_on",
        "入校日期": "joined_on",
        "职务": "posts",
        "支部": "branch",
        "所在支部": "branch",
        "分管": "oversees",
        "分管部门": "oversees",
    },
    person,
    person_row,
    unique=("number",),
)
units = TableOf(EnterUnit, {"类别": "kind", "名称": "name"}, unit, unit_row, ("kind", "name"))
