"""Every figure the plan leaves to policy: default, unit, and where the default comes from. Pure."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, assert_never

from pydantic import BaseModel, ConfigDict

from services.campaign.calendar import Period, duration
from services.campaign.events import SettingUnit, TextKind

type Source = Literal["plan", "public", "ours"]
"""`plan`: its words; `public`: seen in public rules of schools and offices; `ours`: a proposal."""


MOST_SCHOOL_DAYS = 1_000
"""The longest period in school days: well within what a calendar looks ahead (`FARTHEST`)."""

MOST_PERIODS = 8
"""The most reminders one deadline may have: each is a timer of its own."""

_WHOLE = re.compile(r"[0-9]{1,5}")
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,4})?")


class Setting(BaseModel):
    """A policy setting: `value` is text as entered; none means that the school must set it."""

    model_config = ConfigDict(frozen=True)
    value: str | None
    unit: SettingUnit
    source: Source
    zh: str
    choices: tuple[str, ...] = ()
    """The words a value may be, where only some may."""
    least: str = ""
    """The shortest period there may be, of what is evidence: nobody shortens it to be rid of that."""

    def takes(self, unit: SettingUnit) -> bool:
        """Whether a value may have this unit: school days may be given as a duration instead."""
        return unit is self.unit or (
            self.unit is SettingUnit.school_days and unit is SettingUnit.duration
        )

    def accepts(self, value: str, unit: SettingUnit) -> bool:
        """Whether a value would do here."""
        fits = not self.choices or value in self.choices
        return fits and self.takes(unit) and well_formed(value, unit)


def well_formed(value: str, unit: SettingUnit) -> bool:  # noqa: PLR0911 -- a table
    """Whether a text is a value of that unit, written as `SETTINGS` writes them."""
    match unit:
        case SettingUnit.duration:
            return _is_duration(value)
        case SettingUnit.scale:
            grades = value.split("|")
            return len(grades) == len(set(grades)) > 1 and all(g.isidentifier() for g in grades)
        case SettingUnit.periods:
            wanted = periods(value)
            return len(wanted) <= MOST_PERIODS and all(well_formed(p.value, p.unit) for p in wanted)
        case SettingUnit.ratio:
            return bool(_DECIMAL.fullmatch(value)) and Decimal(value) <= 1
        case SettingUnit.yuan:
            return bool(_DECIMAL.fullmatch(value)) and Decimal(value) > 0
        case SettingUnit.school_days:
            return bool(_WHOLE.fullmatch(value)) and int(value) <= MOST_SCHOOL_DAYS
        case SettingUnit.minutes | SettingUnit.characters | SettingUnit.number:
            return bool(_WHOLE.fullmatch(value))
        case SettingUnit.choice:
            return value.isascii() and value.isidentifier()
        case _:
            assert_never(unit)


def _is_duration(value: str) -> bool:
    try:
        duration(value)
    except ValueError:
        return False
    return True


def periods(value: str) -> tuple[Period, ...]:
    """Read `7|3|1|0` (school days) or `PT2S|PT1S` (durations), mixed if need be."""
    return tuple(
        Period(
            value=part,
            unit=SettingUnit.school_days if part.isdecimal() else SettingUnit.duration,
        )
        for part in value.split("|")
    )


def _days(value: int, source: Source, zh: str) -> Setting:
    return Setting(value=str(value), unit=SettingUnit.school_days, source=source, zh=zh)


SETTINGS: dict[str, Setting] = {
    "claim_within": _days(3, "public", "认领时限"),
    "plan_within": _days(5, "public", "认领后制定措施时限"),
    "immediate_within": _days(5, "public", "立行立改时限"),
    "time_limited_within": _days(15, "public", "限期整改时限"),
    "long_term_within": _days(90, "ours", "长期推进阶段目标时限"),
    "public_notice": _days(5, "public", "公示天数"),
    "objection_within": _days(5, "ours", "异议答复时限"),
    "verdict_within": _days(10, "ours", "群众评判时限"),
    "stale_after": _days(10, "ours", "台账多少天无动态视为停滞"),
    "remind_before": Setting(
        value="7|3|1|0", unit=SettingUnit.periods, source="ours", zh="到期前几个教学日提醒"
    ),
    "urge_after": _days(0, "public", "逾期多久催办"),
    "supervise_after": _days(2, "public", "逾期多久督办"),
    "accountability_after": _days(5, "public", "逾期多久约谈问责"),
    "intake_batch": Setting(
        value="PT2S", unit=SettingUnit.duration, source="ours", zh="匿名意见入账间隔"
    ),
    "minimum_talk": Setting(
        value="30", unit=SettingUnit.minutes, source="ours", zh="谈心谈话最短时长"
    ),
    "minimum_reflection": Setting(
        value="1500", unit=SettingUnit.characters, source="ours", zh="学习心得体会最少字数"
    ),
    "copied_reflection": Setting(
        value="0.5", unit=SettingUnit.ratio, source="ours", zh="学习心得体会雷同的相似度"
    ),
    "donation_amount": Setting(
        value=None, unit=SettingUnit.yuan, source="plan", zh="每学年捐资金额"
    ),
    "mass_closing": Setting(
        value="5", unit=SettingUnit.number, source="ours", zh="一人一小时内销号多少件视为集中销号"
    ),
    "adopted_papers": Setting(
        value="team",
        unit=SettingUnit.choice,
        source="ours",
        zh="须经班子会审议的对照检查材料:班子的(team),还是每名班子成员的(members)",
        choices=("team", "members"),
    ),
    "mutual_criticism": Setting(
        value="shown",
        unit=SettingUnit.choice,
        source="ours",
        zh="班子成员两两相互批评:只展示(shown),还是要求(required)",
        choices=("shown", "required"),
    ),
    "commenting_principal": Setting(
        value="branch",
        unit=SettingUnit.choice,
        source="ours",
        zh="点评党员的主要负责同志:支部的(branch),还是学校的(school)",
        choices=("branch", "school"),
    ),
    "grading_scale": Setting(
        value="excellent|qualified|basically_qualified|unqualified",
        unit=SettingUnit.scale,
        source="public",
        zh="民主评议等次",
    ),
    "names_kept": Setting(
        value="P1825D", unit=SettingUnit.duration, source="ours", zh="离校后个人信息保留期限"
    ),
    "names_warning": Setting(
        value="P90D", unit=SettingUnit.duration, source="ours", zh="保留期满前多久提示"
    ),
    "originators_kept": Setting(
        value="P1095D", unit=SettingUnit.duration, source="ours", zh="问题了结后意见人身份保留期限"
    ),
    "talks_kept": Setting(
        value="P1825D",
        unit=SettingUnit.duration,
        source="ours",
        zh="谈心谈话内容保留期限",
        least="P365D",
    ),
    "papers_kept": Setting(
        value="P1825D",
        unit=SettingUnit.duration,
        source="ours",
        zh="对照检查、民主评议、心得体会和差距内容保留期限",
        least="P365D",
    ),
    "looks_kept": Setting(
        value="P1095D",
        unit=SettingUnit.duration,
        source="ours",
        zh="查看记录保留期限",
        least="P184D",
    ),
    "weight_response": Setting(
        value="0.1", unit=SettingUnit.ratio, source="public", zh="响应率权重"
    ),
    "weight_resolution": Setting(
        value="0.5", unit=SettingUnit.ratio, source="public", zh="解决率权重"
    ),
    "weight_satisfaction": Setting(
        value="0.4", unit=SettingUnit.ratio, source="public", zh="满意率权重"
    ),
    "weight_basically_satisfied": Setting(
        value="0.9", unit=SettingUnit.ratio, source="public", zh="基本满意折算系数"
    ),
}


@dataclass(frozen=True)
class Texts:
    """A kind of text that can be erased alone: whose stream's, which of its keys, how long it is kept.

    `kept` names the policy setting. A name is erased `at_any_time` two people say so; a whole record only
    when it was kept as long as policy says.
    """

    service: str
    category: str
    parts: tuple[str, ...]
    kept: str = ""
    at_any_time: bool = False

    def scopes(self, stream: str) -> tuple[str, ...]:
        """The scopes whose keys are destroyed."""
        return tuple(f"{self.category}.{stream}{part and f'.{part}'}" for part in self.parts)


TEXTS: dict[TextKind, Texts] = {
    TextKind.originator: Texts(
        "feedback", "opinion", ("originator",), "originators_kept", at_any_time=True
    ),
    TextKind.outsider: Texts("talks", "talk", ("outsider",), at_any_time=True),
    TextKind.asker: Texts("talks", "request", ("outsider",), at_any_time=True),
    TextKind.talk: Texts("talks", "talk", ("", "outsider", "help"), "talks_kept"),
    TextKind.talk_request: Texts("talks", "request", ("", "outsider"), "talks_kept"),
    TextKind.examination: Texts("meetings", "examination", ("",), "papers_kept"),
    TextKind.appraisal: Texts("meetings", "appraisal", ("",), "papers_kept"),
    TextKind.reflection: Texts("study", "reflection", ("",), "papers_kept"),
    TextKind.gap: Texts("study", "gap", ("",), "papers_kept"),
}
"""What can be erased beside people. Who is meant is no more than who said it, never what was said of them."""


class Policy(BaseModel):
    """What a school has set; the default counts for the rest."""

    model_config = ConfigDict(frozen=True)
    values: dict[str, Period] = {}

    def setting(self, name: str) -> Period:
        """The value and unit in force.

        Raises:
            KeyError: no such setting, or the school must set it and has not.
        """
        if name in self.values:
            return self.values[name]
        default = SETTINGS[name]
        if default.value is None:
            raise KeyError(name)
        return Period(value=default.value, unit=default.unit)
