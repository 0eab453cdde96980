"""The invented school: who is in it, what is said there, and what that amounts to."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Literal

from shared.security import Issuer

MATERIAL = Path(__file__).parent / "material"
LONGEST_FIELD = 50 * 1024 * 1024  # characters of one field of a CSV file

OPERATOR = "operator"
SECRETARY, HEADMASTER = "p01", "p02"
TEAM = (SECRETARY, HEADMASTER, "p03", "p04", "p05", "p06", "p07")
CLERKS = ("p65", "p66")
SUPERVISORS = ("p61", "p62", "p63", "p64")
REVIEWERS = tuple(f"p{n}" for n in range(21, 32))  # heads of grades and subject groups
TEACHERS = tuple(f"p{n}" for n in range(32, 61))

type Way = Literal["account", "clerk", "anonymous"]
"""By whom something comes in: by who said it, by a clerk who writes it down, by nobody."""

CHANNELS = (
    "symposium",
    "individual_interview",
    "spot_survey",
    "public_reception",
    "suggestion_box",
    "weibo",
    "wechat",
    "other",
)
FACE_TO_FACE = frozenset(CHANNELS[:4])
"""Channels by which people speak; somebody else writes it down."""

WHERE: Mapping[str, tuple[str, ...]] = {
    "logistics": (
        "canteen-food", "canteen-queue", "canteen-hygiene", "canteen-staff-pay", "dorm-hot-water",
        "dorm-crowded", "gate-safety", "parking", "classroom-heat", "toilets",
    ),
    "teaching": (
        "homework-load", "supplementary-lessons", "study-notes", "appraisal-titles", "library",
        "leaders-in-classroom", "leader-attitude", "lab", "sports", "open-class-show",
        "equipment-repair",
    ),
    "moral-education": (
        "dorm-management", "check-in-apps", "head-teacher-allowance", "uniforms", "bullying",
        "ceremonies",
    ),
    "finance": ("reimbursement", "finance-transparency"),
    "union": ("leader-canteen", "year-end-excellent", "overtime", "retired-staff"),
}  # fmt: skip
"""Which department a theme belongs to; every other one to the office."""
OFFICE = "office"

REFUSED: Mapping[str, tuple[str, ...]] = {
    "no_request": ("o001", "o065", "o133", "o140", "o202"),
    "out_of_scope": ("o002", "o072", "o117", "o139", "o179", "o218", "o238", "o285"),
    "unintelligible": ("o058", "o095", "o296"),
    "abusive": ("o071", "o098", "o142"),
}
"""What does not become an issue, by reason."""
WITHDRAWN = "o059"
"""Somebody only tried whether the box works, and takes it back."""


@dataclass(frozen=True)
class Unit:
    """A department, party branch, grade or subject group."""

    key: str
    kind: str
    name: str


@dataclass(frozen=True)
class Person:
    """A row of the roster."""

    key: str
    name: str
    number: str
    branch: str
    posts: tuple[str, ...]
    department: str
    oversees: tuple[str, ...]


@dataclass(frozen=True)
class Matter:
    """What several opinions amount to, and what was done about it."""

    theme: str
    title: str
    winds: tuple[str, ...] = ()
    topics: tuple[str, ...] = ("other",)
    discovery: str = "superior_pointed"
    addressee: str = "team"
    key_issue: bool = False
    strongly_reflected: bool = False
    measure: str = ""
    deliverable: str = ""
    result: str = ""

    @property
    def department(self) -> str:
        """The department it belongs to."""
        return next((d for d, themes in WHERE.items() if self.theme in themes), OFFICE)


EARLY = Matter(
    "early",
    "分管领导联系年级走过场，整学期只到过一次",
    winds=("formalism",),
    discovery="raised_by_public",
    addressee="member",
    measure="每周到联系年级办公半天，听一节课，参加一次班主任会",
    deliverable="驻年级登记、听课记录",
    result="核对六周登记，每周均到岗，班主任都说见得到人",
)
BLOCKED = Matter(
    "blocked",
    "图书馆消防通道堆放杂物，无人负责",
    topics=("safety",),
    measure="当天清空通道，划线挂牌，指定专人每日查看",
    deliverable="清空前后照片、每日查看表",
)
TWICE = Matter("twice", "食堂涨价(重复登记)", topics=("canteen",))
PAPER = Matter(
    "paper",
    "办公用纸和一次性杯子领用无登记",
    winds=("extravagance",),
    topics=("eight_point_rules", "finance"),
    measure="领用一律登记到人，停购一次性杯子，每月公示用量",
    deliverable="领用登记本、两个月用量公示",
    result="盘点库存与登记一致，用纸量比上学期少四成",
)
"""Matters that come from elsewhere than from opinions."""


@dataclass(frozen=True)
class Saying:
    """Something somebody says: how it comes in, about whom, and what theme it has, if one is known."""

    key: str
    channel: str
    text: str
    way: Way
    target: str = "unknown"
    theme: str = ""

    @property
    def refusal(self) -> str | None:
        """Why it will not become an issue, if so."""
        return next((code for code, keys in REFUSED.items() if self.key in keys), None)


@dataclass
class Cast:
    """The people of one school as the product knows them: ids, and tokens for the door."""

    school: str
    issuer: Issuer
    roster: tuple[Person, ...]
    people: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def subject(self, key: str) -> str:
        """By what a token of the local issuer names somebody."""
        return f"{self.school}-{key}"

    def admit(self, key: str) -> None:
        """Give somebody a token for an hour: an operator's, or that of an account."""
        if key == OPERATOR:
            roles = frozenset({OPERATOR})
            self.tokens[key] = self.issuer.token("operator:demo", roles=roles, lifetime=3600)
        else:
            self.tokens[key] = self.issuer.token(self.subject(key), lifetime=3600)

    def overseer(self, department: str) -> str:
        """The team member who oversees a department."""
        return next(p.key for p in self.roster if department in p.oversees)

    def head(self, department: str) -> str:
        """The head of a department."""
        heads = (p for p in self.roster if "department_head" in p.posts)
        return next(p.key for p in heads if p.department == department)

    def worker(self, department: str) -> str:
        """Somebody of a department who does the work."""
        return next(
            p.key
            for p in self.roster
            if p.department == department and not {"department_head", "collator"} & {*p.posts}
        )

    def named(self, actor: str) -> str:
        """What to call an actor of the log."""
        names = {self.people[p.key]: p.name for p in self.roster if p.key in self.people}
        kind, _, _ = actor.partition(":")
        others = {
            "originator": "意见人(凭回执码)",
            "anonymous": "匿名",
            "service": "系统",
            "operator": "运营方",
        }
        return names.get(actor) or others.get(kind, actor)


# -- Material ------------------------------------------------------------------------------------


def units() -> tuple[Unit, ...]:
    """The units of the school."""
    return tuple(Unit(row["key"], row["kind"], row["name"]) for row in _rows("units"))


def roster() -> tuple[Person, ...]:
    """The people of the school."""
    return tuple(
        Person(
            row["key"],
            row["name"],
            row["number"],
            row["branch"],
            _several(row["posts"]),
            row["department"],
            _several(row["oversees"]),
        )
        for row in _rows("people")
    )


def matters() -> dict[str, Matter]:
    """What the opinions amount to, by theme."""
    return {
        row["theme"]: Matter(
            row["theme"],
            row["title"],
            _several(row["winds"]),
            _several(row["topics"]),
            row["discovery"],
            row["addressee"],
            row["key_issue"] == "yes",
            row["strongly_reflected"] == "yes",
            row["measure"],
            row["deliverable"],
            row["result"],
        )
        for row in _rows("issues")
    }


def reflections() -> list[dict[str, str]]:
    """What the cadres wrote about their study: key, title, text."""
    return [*_rows("reflections")]


def sayings() -> list[Saying]:
    """The invented opinions."""
    return [
        Saying(
            row["key"],
            row["channel"],
            row["text"],
            _way(row["channel"], anonymous=row["anonymous"] == "yes"),
            row["target"],
            row["theme"],
        )
        for row in _rows("opinions")
    ]


def foreign(texts: Iterable[str]) -> list[Saying]:
    """Texts from elsewhere as opinions: channels and ways in turn, no theme known."""
    ways: Iterator[Way] = cycle(("account", "anonymous", "clerk"))
    channels = cycle(CHANNELS)
    return [Saying(f"t{n:05}", next(channels), text, next(ways)) for n, text in enumerate(texts, 1)]


def texts_of(path: Path, column: str) -> list[str]:
    """One column of a CSV file in UTF-8, with or without a byte order mark; cells as they are.

    Raises:
        ValueError: it cannot be read so, or has no such column.
    """
    csv.field_size_limit(LONGEST_FIELD)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if column not in (reader.fieldnames or ()):
                msg = f"{path} has no column {column}; it has {', '.join(reader.fieldnames or ())}"
                raise ValueError(msg)
            return [row[column] or "" for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"{path} cannot be read as CSV in UTF-8: {error}"
        raise ValueError(msg) from error


def _way(channel: str, *, anonymous: bool) -> Way:
    if anonymous:
        return "anonymous"
    return "clerk" if channel in FACE_TO_FACE else "account"


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (MATERIAL / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _several(cell: str) -> tuple[str, ...]:
    return tuple(part for part in cell.split("|") if part)
